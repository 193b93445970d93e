"""Curves: outputs, or one derivative, of every source along one feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.certificate import FEATURES, PARAMETERS, Verdict
from qrun_equiv.frontends.base import Array
from qrun_equiv.points import DEFAULT_RANGE
from qrun_equiv.reporting.subject import Subject, component

#: Points of a curve: at least, at most, and for each period of the highest frequency.
LEAST, MOST, PER_PERIOD = 201, 481, 16
#: Points of a derivative's curve, and most data rows that are marked.
DERIVATIVE_POINTS, MOST_MARKS = 61, 150


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity of every source along one feature.

    Attributes:
        feature: the feature that varies.
        grid: its values ``[points]``, radians where unscaled.
        values: ``[points]`` by name of the source.
        quantity: what the values are, for the axis.
        tolerance: largest absolute difference that passes.
        mark: where the witness lies.
        data: data rows' values of this feature.
        where: what is held fixed, in words.
    """

    feature: int
    grid: Array
    values: Mapping[str, Array]
    quantity: str
    tolerance: float
    mark: float | None
    data: Array
    where: str


def outputs(what: Subject, verdict: Verdict) -> Line:
    """Outputs of all sources along the subject's feature."""
    grid = _grid(what, verdict, _count(what))
    x = _along(what, grid)
    stacks = {s.name: s.values(x, what.theta) for s in what.sources}
    epsilon = verdict.certificate.settings.get("epsilon")
    tolerance = epsilon or tolerances.EQUAL * float(what.scale(stacks)[what.output])
    values = {name: v[:, what.output] for name, v in stacks.items()}
    return _line(what, verdict, grid, values, f"output {what.output}", tolerance)


def is_about_gradient(verdict: Verdict) -> bool:
    """Whether the witness is about a derivative."""
    witness = verdict.counterexample
    return witness is not None and witness.kind in (FEATURES, PARAMETERS)


def derivative(what: Subject, verdict: Verdict) -> Line:
    """The derivative that a witness is about, along the feature."""
    witness = verdict.counterexample
    assert witness is not None
    _, index = component(verdict)
    grid = _grid(what, verdict, DERIVATIVE_POINTS)
    x = _along(what, grid)
    stacks = {s.name: s.values(x, what.theta) for s in what.sources}
    values, peak = {}, 0.0
    for source in what.sources:
        gradient = source.gradients(x, what.theta)
        part = gradient.features if witness.kind == FEATURES else gradient.parameters
        values[source.name] = part[:, what.output, index]
        if source is not what.counterpart:
            peak = max(peak, float(np.max(np.abs(part[:, what.output]), initial=0.0)))
    tolerance = tolerances.EQUAL * max(peak, float(what.scale(stacks)[what.output]))
    quantity = f"{witness.component} of output {what.output}"
    return _line(what, verdict, grid, values, quantity, tolerance)


def _line(
    what: Subject,
    verdict: Verdict,
    grid: Array,
    values: Mapping[str, Array],
    quantity: str,
    tolerance: float,
) -> Line:
    witness = verdict.counterexample
    rows = verdict.certificate.settings.get("data")
    data = np.array(rows, dtype=float)[:, what.feature] if rows else np.zeros(0)
    inside = data[(data >= grid[0]) & (data <= grid[-1])]
    step = max(1, -(-len(inside) // MOST_MARKS))
    return Line(
        feature=what.feature,
        grid=grid,
        values=values,
        quantity=quantity,
        tolerance=tolerance,
        mark=None if witness is None else float(witness.features[what.feature]),
        data=np.sort(inside)[::step],
        where=what.where,
    )


def _count(what: Subject) -> int:
    """More points where the accessible frequencies are high."""
    if what.neutral is None:
        return LEAST
    low, high = what.domain[what.feature] if what.domain else DEFAULT_RANGE
    slope = 0.0
    for gate in what.neutral.encoding_gates():
        if gate.angle is not None:
            names = [s for s in gate.angle.symbols() if (s.kind, s.index) == ("x", what.feature)]
            for name in names if not gate.angle.arcs() else ():
                slope += abs(float(gate.angle.derivative(name).evaluate(what.x, what.theta)))
    return int(np.clip(PER_PERIOD * slope * (high - low) / (2 * np.pi), LEAST, MOST))


def _grid(what: Subject, verdict: Verdict, count: int) -> Array:
    """Equispaced over the domain, else over the default range, moved to the witness if need be."""
    low, high = what.domain[what.feature] if what.domain else DEFAULT_RANGE
    mark = float(what.x[what.feature])
    if what.domain is None and not low <= mark <= high:
        shift = 2 * np.pi * round(mark / (2 * np.pi))
        low, high = low + shift, high + shift
    grid = np.linspace(low, high, count)
    return np.union1d(grid, [mark]) if verdict.counterexample is not None else grid


def _along(what: Subject, grid: Array) -> Array:
    x = np.tile(what.x, (len(grid), 1))
    x[:, what.feature] = grid
    return x
