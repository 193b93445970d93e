"""The sampled checks: outputs and gradients of all sources against each other.

Every pair of sources is compared at every point. Errors are relative to the scales of
:mod:`qrun_equiv.scaling`.
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
from qrun_equiv.scaling import Scale


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
    scale: float = 1.0


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
        scale: ``[columns]`` or ``[points, columns]``, positive: what errors are relative to.
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
                f"theta={place.theta.tolist()}; if such features don't occur, "
                "bound them with domain="
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
        size = float(np.broadcast_to(scale, a.shape)[row, column])
        findings.append(Finding(check, locate(row, column), pair, size))
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
    wanted = 0
    stacks: dict[str, Array] = {}
    for source in (*circuits, counterpart):
        parts = []
        for batch in batches:
            part = source.values(batch.x, batch.theta)
            wanted = wanted or part.shape[1]
            if part.shape[1] != wanted:
                msg = (
                    f"{source.name} has {part.shape[1]} output(s) for {len(part)} rows, "
                    f"{circuits[0].name} has {wanted}: give one number for each observable, as "
                    "[batch, n_outputs] (a [batch] and a [batch, 1] broadcast to [batch, batch])"
                )
                raise (CounterpartError if source is counterpart else FrontendError)(msg)
            parts.append(part)
        stacks[source.name] = np.concatenate(parts)
    return {source.name: stacks[source.name] for source in sources}


def check_outputs(
    stacks: Mapping[str, Array], batches: Sequence[Batch], scale: Scale
) -> list[Finding]:
    """Outputs of all sources against each other."""
    places = [(row, b.theta) for b in batches for row in b.x]
    full = np.concatenate([scale.at(b.x, b.theta) for b in batches])

    def locate(row: int, column: int) -> Place:
        return Place(*places[row], output=column)

    return compare(OUTPUTS, stacks, full, tolerances.EQUAL, describe(batches), locate)


def check_within(
    stacks: Mapping[str, Array],
    counterpart: str,
    batches: Sequence[Batch],
    scale: Scale,
    epsilon: float,
) -> list[Finding]:
    """The circuits against each other, and the counterpart against each within ``epsilon``."""
    circuits = {name: values for name, values in stacks.items() if name != counterpart}
    findings = check_outputs(circuits, batches, scale)
    places = [(row, b.theta) for b in batches for row in b.x]

    def locate(row: int, column: int) -> Place:
        return Place(*places[row], output=column)

    scope = f"absolute difference, {describe(batches)}"
    for name, values in circuits.items():
        pair = {counterpart: stacks[counterpart], name: values}
        findings += compare(OUTPUTS, pair, np.ones(values.shape[1]), epsilon, scope, locate)
    return findings


def check_gradients(
    sources: Sequence[Source],
    circuits: Sequence[str],
    batches: Sequence[Batch],
    scale: Scale,
    wrt: Sequence[str],
) -> list[Finding]:
    """Derivatives of all sources against each other, with respect to features and parameters.

    Args:
        sources: what to differentiate.
        circuits: names of the circuits among them, which give the scale.
        batches: points; only the first ``gradient_rows`` of each are used.
        scale: scales of this comparison.
        wrt: ``"features"``, ``"parameters"`` or both.
    """
    points = [(b.x[: b.gradient_rows], b.theta) for b in batches]
    gradients = {
        s.name: _concatenate([s.gradients(x, theta) for x, theta in points]) for s in sources
    }
    places = [(row, theta) for x, theta in points for row in x]
    scope = f"{len(places)} of {describe(batches)}"
    findings = []
    for name, kind, symbol in ((FEATURES, "features", "x"), (PARAMETERS, "parameters", "theta")):
        stacks = {source: getattr(g, kind) for source, g in gradients.items()}
        size = next(iter(stacks.values())).shape[2]
        if kind not in wrt or not size:
            continue
        peak = np.max([np.max(np.abs(stacks[c]), axis=0, initial=0.0) for c in circuits], axis=0)
        full = np.concatenate([scale.of_gradient(x, t, symbol, peak) for x, t in points])

        def locate(row: int, column: int, size: int = size, symbol: str = symbol) -> Place:
            output, index = divmod(column, size)
            component = f"d/d{symbol}{index}"
            return Place(*places[row], output=output, component=component, index=index)

        flat = {source: g.reshape(len(g), -1) for source, g in stacks.items()}
        findings += compare(
            name, flat, full.reshape(len(full), -1), tolerances.EQUAL, scope, locate
        )
    return findings


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
