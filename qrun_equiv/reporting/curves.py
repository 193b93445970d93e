"""Curves: outputs and derivatives of every source along one feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.certificate import FEATURES, PARAMETERS, Verdict
from qrun_equiv.frontends.base import Array, Gradient
from qrun_equiv.points import DEFAULT_RANGE
from qrun_equiv.reporting.subject import Subject, component

#: Points of a curve: at least, at most, and for each period of the highest frequency.
LEAST, MOST, PER_PERIOD = 201, 801, 16
#: Fewest points of a derivative's curve, and most data rows that are marked.
DERIVATIVE_POINTS, MOST_MARKS = 121, 150


@dataclass(frozen=True, slots=True)
class Samples:
    """Outputs of every source along the subject's feature.

    Attributes:
        grid: values of the feature ``[points]``.
        stacks: ``[points, n_outputs]`` by name of the source.
    """

    grid: Array
    stacks: Mapping[str, Array]


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity of every source along one feature.

    Attributes:
        feature: the feature that varies.
        grid: its values ``[points]``, radians where unscaled.
        values: ``[points]`` by name of the source.
        quantity: what the values are, for the axis.
        tolerance: largest absolute difference that passes; ``None`` where none is claimed.
        mark: where the witness lies.
        data: data rows' values of this feature.
        where: what is held fixed, in words.
    """

    feature: int
    grid: Array
    values: Mapping[str, Array]
    quantity: str
    tolerance: float | None
    mark: float | None
    data: Array
    where: str


def sample(what: Subject, verdict: Verdict) -> Samples:
    """All outputs of all sources along the subject's feature, run natively."""
    grid = _grid(what, verdict, _count(what))
    x = _along(what, grid)
    return Samples(grid, {s.name: s.values(x, what.theta) for s in what.sources})


def outputs(
    what: Subject, verdict: Verdict, samples: Samples | None = None, output: int | None = None
) -> Line:
    """One output of all sources along the subject's feature; the subject's where not named."""
    samples = sample(what, verdict) if samples is None else samples
    shown = what.output if output is None else output
    epsilon = verdict.certificate.settings.get("epsilon")
    tolerance = epsilon or tolerances.EQUAL * float(what.scale(samples.stacks)[shown])
    values = {name: v[:, shown] for name, v in samples.stacks.items()}
    return _line(what, verdict, samples.grid, values, f"output {shown}", tolerance)


def derivatives(what: Subject, verdict: Verdict, samples: Samples) -> dict[str, Line]:
    """Derivatives of the shown output along the feature, by ``"x"`` and ``"theta"``.

    With respect to the feature itself (or the one that a witness is about), and to the parameter
    that a witness is about, else the one with the largest derivative on the curve; not where the
    verdict compares no derivative in the parameters.
    """
    grid = _grid(what, verdict, max(DERIVATIVE_POINTS, _count(what) // 2))
    x = _along(what, grid)
    gradients = {s.name: s.gradients(x, what.theta) for s in what.sources}
    scale = float(what.scale(samples.stacks)[what.output])
    wanted, index = component(verdict)
    at = {
        "x": index if wanted == "x" else what.feature,
        "theta": index if wanted == "theta" else _steepest(what, gradients),
    }
    found = {}
    kinds = {"x": FEATURES, "theta": PARAMETERS}
    for kind, check in kinds.items():
        compared = any(c.name == check and c.error is not None for c in verdict.checks)
        if kind == "theta" and not (compared and what.sizes.parameters):
            continue
        parts = {n: (g.features if kind == "x" else g.parameters) for n, g in gradients.items()}
        own = [np.abs(parts[c.name][:, what.output]) for c in what.circuits]
        peak = max(float(np.max(size, initial=0.0)) for size in own)
        values = {name: part[:, what.output, at[kind]] for name, part in parts.items()}
        tolerance = tolerances.EQUAL * max(peak, scale) if compared else None
        quantity = f"d/d{kind}{at[kind]} of output {what.output}"
        found[kind] = _line(what, verdict, grid, values, quantity, tolerance)
    return found


def _steepest(what: Subject, gradients: Mapping[str, Gradient]) -> int:
    first = gradients[what.circuits[0].name].parameters[:, what.output]
    return int(np.argmax(np.max(np.abs(first), axis=0))) if first.shape[-1] else 0


def _line(
    what: Subject,
    verdict: Verdict,
    grid: Array,
    values: Mapping[str, Array],
    quantity: str,
    tolerance: float | None,
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
