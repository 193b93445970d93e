"""Exact angles of a PennyLane circuit by running it on symbols instead of numbers.

Features and parameters enter as numpy arrays of :class:`~qrun_equiv.angle.Angle`; what a circuit
does to them by arithmetic, numpy or ``qml.math`` ends up in its gates as exact polynomials, so a
trained constant such as ``0.8137`` keeps its meaning. A circuit that does more (``float(x[0])``,
torch functions, comparisons) can't be traced; its angles are then read off its values alone
(:mod:`qrun_equiv.frontends.recover`), and a traced angle counts only where it agrees with those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pennylane as qml

from qrun_equiv import tolerances
from qrun_equiv.angle import Angle, feature, parameter
from qrun_equiv.frontends.base import Array, Sizes

AngleFunction = Callable[[Array, Array], Array]
_PROBES = 6


class Traced(np.ndarray):
    """Object array of angles that stays an array when one entry is taken, as PennyLane wants."""

    def __array_wrap__(self, array: Any, *_: Any) -> Any:
        return np.asarray(array, dtype=object).view(Traced)

    def __getitem__(self, index: Any) -> Traced:
        return _traced(super().__getitem__(index))

    def __iter__(self) -> Iterator[Traced]:
        return (self[k] for k in range(len(self)))


def _traced(value: Any) -> Traced:
    if isinstance(value, Traced):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array.view(Traced)


def symbols(sizes: Sizes) -> tuple[Traced, Traced]:
    """Features ``[n_features]`` and parameters ``[n_parameters]`` as arrays of symbols."""
    made = []
    for make, count in ((feature, sizes.features), (parameter, sizes.parameters)):
        array = np.empty(count, dtype=object)
        for k in range(count):
            array[k] = make(k)
        made.append(array.view(Traced))
    return made[0], made[1]


def sharpen(
    recovered: Sequence[Angle | None],
    trace: Callable[[], Sequence[qml.operation.Operator]],
    values: AngleFunction,
    sizes: Sizes,
) -> list[Angle | None]:
    """Replace recovered angles by traced ones, where the two agree at random points.

    Args:
        recovered: angles read off values; ``None`` where that failed.
        trace: the operations of the circuit on symbols, in the same order.
        values: the angles' values at a point.
        sizes: numbers of features and parameters.
    """
    try:
        traced = [_exact(o.parameters[0]) for o in trace()]
    except Exception:  # noqa: BLE001 - the user's code meets symbols: whatever it raises
        return list(recovered)
    if len(traced) != len(recovered):
        return list(recovered)
    rng = np.random.default_rng(23)
    fits = [angle is not None for angle in traced]
    for _ in range(_PROBES):
        x, theta = rng.uniform(-0.9, 0.9, sizes.features), rng.uniform(-3, 3, sizes.parameters)
        truth = values(x, theta)
        for k, angle in enumerate(traced):
            if angle is not None and fits[k]:
                size = 1.0 + float(angle.magnitude(x, theta))
                off = abs(float(angle.evaluate(x, theta)) - truth[k])
                fits[k] = bool(off <= tolerances.ANGLE * size)
    return [t if fit else r for t, r, fit in zip(traced, recovered, fits, strict=True)]


def _exact(value: Any) -> Angle | None:
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 0:
        value = value[()] if not isinstance(value, Traced) else value.item()
    if isinstance(value, Angle):
        return value
    try:
        return Angle.constant(float(value))
    except (TypeError, ValueError):
        return None
