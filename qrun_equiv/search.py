"""Look harder for a point where two sides differ, once exact arithmetic says that they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from qrun_equiv import points, tolerances
from qrun_equiv.certificate import OUTPUTS, Check
from qrun_equiv.checks import Finding, Place
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.frontends.base import Array, CircuitSource
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.points import Domain
from qrun_equiv.scaling import Scale
from qrun_equiv.simulate import expectations

_THETAS, _ROWS, _ROUNDS, _NEAR = 4, 100, 8, 24


def difference(
    source: CircuitSource,
    form: Circuit,
    counterpart: CounterpartSource,
    scale: Scale,
    *,
    domain: Domain,
    parameters: Sequence[Array] | None,
    seed: int,
) -> Finding | None:
    """The largest relative difference that a random search with local refinement finds.

    The search runs on the neutral form (fast); the finding holds the native circuit's values.

    Returns:
        A failed check of the outputs, or ``None`` where nothing stands above the tolerance.
    """
    rng = np.random.default_rng([seed, 5])
    sizes = counterpart.sizes
    best, place = 0.0, None
    for k in range(_THETAS):
        theta = _theta(rng, k, parameters, sizes.parameters)
        x = points.random_rows(rng, _ROWS, domain, sizes.features)
        for step in range(_ROUNDS):
            relative = _relative(form, counterpart, scale, x, theta)
            row, output = np.unravel_index(int(np.argmax(relative)), relative.shape)
            if relative[row, output] > best:
                best = float(relative[row, output])
                place = Place(x[row].copy(), theta.copy(), int(output))
            width = 2.0 * 0.5**step
            x = x[row] + width * rng.standard_normal((_NEAR, sizes.features))
            if domain is not None:
                x = np.clip(x, *np.array(domain).T)
        if best > 10 * tolerances.EQUAL:
            break
    if place is None or best <= tolerances.EQUAL:
        return None
    return finding(source, counterpart, place, scale)


def _theta(
    rng: np.random.Generator, k: int, parameters: Sequence[Array] | None, size: int
) -> Array:
    if parameters is not None:
        return parameters[k % len(parameters)]
    return rng.uniform(*points.DEFAULT_RANGE, size)


def _relative(
    form: Circuit, counterpart: CounterpartSource, scale: Scale, x: Array, theta: Array
) -> Array:
    ours = expectations(form, torch.tensor(x), torch.tensor(theta)).numpy()
    difference = np.abs(counterpart.values(x, theta) - ours)
    return np.asarray(np.nan_to_num(difference / scale.at(x, theta)))


def finding(
    source: CircuitSource,
    counterpart: CounterpartSource,
    place: Place,
    scale: Scale,
    *,
    allowed: float | None = None,
) -> Finding | None:
    """A failed check of the outputs at a place, with native values; ``None`` where it passes.

    Args:
        source: the native circuit.
        counterpart: the torch side.
        place: where to look.
        scale: what errors are relative to.
        allowed: the absolute difference that passes; the tolerance of equality where left out.
    """
    x, theta, k = place.x[None], place.theta, place.output
    try:
        pair = (float(counterpart.values(x, theta)[0, k]), float(source.values(x, theta)[0, k]))
    except QrunEquivError:
        return None
    size = float(scale.at(x, theta)[0, k]) if allowed is None else 1.0
    bound = tolerances.EQUAL if allowed is None else allowed
    error = abs(pair[0] - pair[1]) / size
    if not error > bound:
        return None
    between = (counterpart.name, source.name)
    check = Check(OUTPUTS, between, "a search for a difference", error, bound, 1, "failed")
    return Finding(check, place, pair, size)
