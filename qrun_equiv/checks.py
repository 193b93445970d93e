"""The sampled checks: outputs and gradients of all sources against each other.

Every pair of sources is compared at every point. Errors are relative to a scale taken from the
*circuits* (never from the counterpart), output by output: the largest magnitude seen, and at least
``SCALE_FLOOR`` of the observable's one-norm, so that an identically zero output is not noise.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.certificate import FEATURES, OUTPUTS, PARAMETERS, Check
from qrun_equiv.errors import CounterpartError, FrontendError, UndecidedError
from qrun_equiv.frontends.base import Array, Gradient, Source
from qrun_equiv.points import Batch


@dataclass(frozen=True, slots=True)
class Place:
    """Where a compared number stands: the point, the output, and which component of it."""

    x: Array
    theta: Array
    output: int
    component: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A check, and where its largest error is."""

    check: Check
    place: Place | None = None
    values: tuple[float, float] = (0.0, 0.0)


def compare(
    name: str,
    stacks: Mapping[str, Array],
    scale: Array,
    bound: float,
    scope: str,
    locate: Callable[[int, int], Place],
    *,
    evaluations: int | None = None,
) -> list[Finding]:
    """Compare every pair of sources.

    Args:
        name: kind of the check.
        stacks: for each source the numbers ``[points, columns]``.
        scale: ``[columns]``, positive: what errors are relative to.
        bound: largest relative error that passes.
        scope: what was covered, for a person.
        locate: place of a number from its row and column.
        evaluations: number of points, where it is not the number of rows.

    Raises:
        UndecidedError: a number is not finite.
    """
    for source, values in stacks.items():
        if not np.all(np.isfinite(values)):
            row, column = (int(i) for i in np.argwhere(~np.isfinite(values))[0])
            place = locate(row, column)
            msg = (
                f"{source} has a non-finite value ({name}) at x={place.x.tolist()}, "
                f"theta={place.theta.tolist()}"
            )
            raise UndecidedError(msg)
    findings = []
    for left, right in itertools.combinations(stacks, 2):
        a, b = stacks[left], stacks[right]
        relative = np.abs(a - b) / scale
        row, column = (int(i) for i in np.unravel_index(np.argmax(relative), relative.shape))
        error = float(relative[row, column])
        status = "passed" if error <= bound else "failed"
        points = len(a) if evaluations is None else evaluations
        check = Check(name, (left, right), scope, error, bound, points, status)
        pair = (float(a[row, column]), float(b[row, column]))
        findings.append(Finding(check, locate(row, column), pair))
    return findings


def evaluate(
    counterpart: Source, circuits: Sequence[Source], batches: Sequence[Batch]
) -> dict[str, Array]:
    """Outputs of all sources at all points, ``[points, n_outputs]`` each, the counterpart first.

    Raises:
        FrontendError: a circuit has another number of outputs than the first.
        CounterpartError: the counterpart has.
    """
    sources = (counterpart, *circuits)
    stacks = {s.name: np.concatenate([s.values(b.x, b.theta) for b in batches]) for s in sources}
    first = circuits[0].name
    for name, values in stacks.items():
        if values.shape != stacks[first].shape:
            msg = (
                f"{name} has {values.shape[1]} output(s), {first} has {stacks[first].shape[1]}: "
                "give one number for each observable, as [batch, n_outputs]"
            )
            raise (CounterpartError if name == counterpart.name else FrontendError)(msg)
    return stacks


def output_scale(circuits: Sequence[Array], norms: Array | None) -> Array:
    """Scale ``[n_outputs]`` of the outputs from the circuits' values and observable norms."""
    seen = np.max([np.max(np.abs(v), axis=0, initial=0.0) for v in circuits], axis=0)
    if norms is None:
        overall = float(np.max(seen, initial=0.0))
        norms = np.full(len(seen), overall if overall > 0 else 1.0)
    floor = tolerances.SCALE_FLOOR * np.where(norms > 0, norms, 1.0)
    return np.asarray(np.maximum(seen, floor))


def check_outputs(
    stacks: Mapping[str, Array], batches: Sequence[Batch], scale: Array
) -> list[Finding]:
    """Outputs of all sources against each other."""
    places = [(row, b.theta) for b in batches for row in b.x]

    def locate(row: int, column: int) -> Place:
        return Place(*places[row], output=column)

    return compare(OUTPUTS, stacks, scale, tolerances.EQUAL, describe(batches), locate)


def check_gradients(
    sources: Sequence[Source],
    circuits: Sequence[str],
    batches: Sequence[Batch],
    scale: Array,
    wrt: Sequence[str],
) -> list[Finding]:
    """Derivatives of all sources against each other, with respect to features and parameters.

    Args:
        sources: what to differentiate.
        circuits: names of the circuits among them, which give the scale.
        batches: points; only the first ``gradient_rows`` of each are used.
        scale: scale of the outputs ``[n_outputs]``: the floor of the gradients' scale.
        wrt: ``"features"``, ``"parameters"`` or both.
    """
    rows = [b.x[: b.gradient_rows] for b in batches]
    gradients = {
        s.name: _concatenate([s.gradients(x, b.theta) for x, b in zip(rows, batches, strict=True)])
        for s in sources
    }
    places = [(row, b.theta) for x, b in zip(rows, batches, strict=True) for row in x]
    scope = f"{len(places)} of {describe(batches)}"
    findings = []
    for name, kind in ((FEATURES, "features"), (PARAMETERS, "parameters")):
        stacks = {source: getattr(g, kind) for source, g in gradients.items()}
        size = next(iter(stacks.values())).shape[2]
        if kind not in wrt or not size:
            continue
        seen = np.max([_peak(stacks[c]) for c in circuits], axis=0)
        full = np.repeat(np.maximum(seen, scale), size)

        def locate(row: int, column: int, size: int = size, kind: str = kind) -> Place:
            output, index = divmod(column, size)
            symbol = f"d/d{'x' if kind == 'features' else 'theta'}{index}"
            return Place(*places[row], output=output, component=symbol, index=index)

        flat = {source: g.reshape(len(g), -1) for source, g in stacks.items()}
        findings += compare(name, flat, full, tolerances.EQUAL, scope, locate)
    return findings


def _peak(gradient: Array) -> Array:
    """Largest magnitude for each output, over points and components."""
    return np.asarray(np.max(np.abs(gradient), axis=(0, 2), initial=0.0))


def _concatenate(parts: Sequence[Gradient]) -> Gradient:
    return Gradient(
        np.concatenate([p.features for p in parts]),
        np.concatenate([p.parameters for p in parts]),
    )


def describe(batches: Sequence[Batch]) -> str:
    """Scope of a sampled check, for a person."""
    thetas = len({b.theta.tobytes() for b in batches})
    points = sum(len(b.x) for b in batches if b.origin == "random")
    rows = sum(len(b.x) for b in batches if b.origin == "data")
    vectors = "one parameter vector" if thetas == 1 else f"{thetas} parameter vectors"
    text = f"{points} random points at {vectors}"
    return f"{text}, {rows} rows of data" if rows else text
