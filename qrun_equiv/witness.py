"""Replay a witness: the same quantity again, in a second simulator or by another method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.certificate import FEATURES, OUTPUTS, OUTSIDE, PARAMETERS, Counterexample
from qrun_equiv.checks import Finding
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.frontends.base import Array, CircuitSource
from qrun_equiv.frontends.counterpart import CounterpartSource

_STEP = 1e-4


def replay(
    finding: Finding,
    circuits: Sequence[CircuitSource],
    counterpart: CounterpartSource,
    scale: Array,
    odd: str = "",
) -> Counterexample | None:
    """The counterexample of a failed check, or ``None`` where the replay does not confirm it.

    ``odd``: the source that differs from all others, where there is one (:func:`odd_one_out`).
    """
    place, check = finding.place, finding.check
    if place is None:
        return None
    x, theta = place.x[None], place.theta
    outputs: dict[str, float] = {}
    by_source: dict[str, float] = {}
    for circuit in circuits:
        value = float(circuit.values(x, theta)[0, place.output])
        by_source[circuit.name] = outputs[f"{circuit.name} (one row)"] = value
        try:
            name, again = circuit.replay(place.x, theta)
        except QrunEquivError:
            continue  # no second simulator runs it; the other circuits still confirm
        outputs[name] = float(again[place.output])
        if abs(outputs[name] - value) > tolerances.LOWERING * max(1.0, abs(value)):
            return None  # the simulators disagree with each other: no witness
    by_source[counterpart.name] = float(counterpart.values(x, theta)[0, place.output])
    outputs[f"{counterpart.name} (one row)"] = by_source[counterpart.name]
    if check.name in {FEATURES, PARAMETERS}:
        numbers, diagnosis = _derivatives(finding, circuits, counterpart)
    else:
        numbers, diagnosis = outputs, _explain(check.name, check.between)
        if not _confirmed(check.between, by_source, float(scale[place.output])):
            return None
    return Counterexample(
        kind=check.name,
        between=check.between,
        features=tuple(float(v) for v in place.x),
        parameters=tuple(float(v) for v in place.theta),
        output=place.output,
        component=place.component,
        values=dict(zip(check.between, finding.values, strict=True)),
        relative=float(check.error or 0.0),
        replay=numbers,
        diagnosis=f"{diagnosis} {_blame(odd, circuits, counterpart)}".strip(),
    )


def odd_one_out(findings: Sequence[Finding], kind: str) -> str:
    """The one source that takes part in every failed comparison of a kind; empty if not unique."""
    made = [f.check for f in findings if f.check.name == kind]
    compared = [c for c in made if c.between[1] != OUTSIDE]
    names = sorted({name for c in compared for name in c.between})
    failed = [set(c.between) for c in compared if c.status == "failed"]
    odd = [name for name in names if failed and all(name in pair for pair in failed)]
    return odd[0] if len(odd) == 1 and len(names) > 2 else ""


def _blame(odd: str, circuits: Sequence[CircuitSource], counterpart: CounterpartSource) -> str:
    if not odd:
        return ""
    others = [name for name in (counterpart.name, *(c.name for c in circuits)) if name != odd]
    return f"The odd one out is {odd}: {' and '.join(others)} agree."


def _confirmed(between: tuple[str, str], values: dict[str, float], scale: float) -> bool:
    left = values[between[0]]
    others = [values[between[1]]] if between[1] in values else list(values.values())
    return max(abs(left - other) for other in others) > 0.5 * tolerances.EQUAL * scale


def _explain(kind: str, between: tuple[str, str]) -> str:
    left, right = between
    if kind == OUTPUTS:
        return f"The outputs of {left} and {right} differ."
    if right == OUTSIDE:
        return f"{left} contains frequencies that the circuit's generators can't produce."
    return f"The Fourier coefficients of {left} and {right} differ; replayed as outputs at x."


def _derivatives(
    finding: Finding, circuits: Sequence[CircuitSource], counterpart: CounterpartSource
) -> tuple[dict[str, float], str]:
    """The derivative by other methods, and whose autograd is wrong."""
    place = finding.place
    if place is None:
        return {}, ""
    by_feature = finding.check.name == FEATURES
    numbers: dict[str, float] = {}
    for circuit in circuits:
        name, gradient = circuit.second_gradient(place.x[None], place.theta)
        part = gradient.features if by_feature else gradient.parameters
        numbers[name] = float(part[0, place.output, place.index])
    own = _central(counterpart, place.x, place.theta, place.index, by_feature=by_feature)
    slope = float(own[place.output])
    numbers[f"{counterpart.name} central differences"] = slope
    left, right = finding.check.between
    diagnosis = f"The gradients of {left} and {right} differ."
    if counterpart.name in finding.check.between:
        autograd = dict(zip(finding.check.between, finding.values, strict=True))[counterpart.name]
        size = max(1.0, abs(slope))
        if abs(autograd - slope) > tolerances.FINITE_DIFFERENCE * size:
            diagnosis = (
                "The counterpart's autograd disagrees with the differences of its own outputs: a "
                "detached tensor or a wrong custom backward."
            )
    return numbers, diagnosis


def _central(
    source: CounterpartSource, x: Array, theta: Array, index: int, *, by_feature: bool
) -> Array:
    total: Array = np.zeros(1)
    for shift, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
        point, weights = x.copy(), theta.copy()
        (point if by_feature else weights)[index] += shift * _STEP
        total = total + weight * source.values(point[None], weights)[0]
    return total / (12 * _STEP)
