"""Replay a witness: the same quantity again, in a second simulator or by another method."""

from __future__ import annotations

from collections.abc import Sequence

from qrun_equiv import tolerances
from qrun_equiv.certificate import FEATURES, OUTPUTS, OUTSIDE, PARAMETERS, Counterexample
from qrun_equiv.checks import Finding, Place
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.frontends.base import CircuitSource
from qrun_equiv.frontends.counterpart import CounterpartSource

_STEP = 1e-4


def replay(
    finding: Finding,
    circuits: Sequence[CircuitSource],
    counterpart: CounterpartSource,
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
        if len(again) <= place.output:
            continue
        outputs[name] = float(again[place.output])
        if abs(outputs[name] - value) > _disagreement(finding, value):
            return None  # the simulators disagree with each other: no witness
    by_source[counterpart.name] = float(counterpart.values(x, theta)[0, place.output])
    outputs[f"{counterpart.name} (one row)"] = by_source[counterpart.name]
    if check.name in {FEATURES, PARAMETERS}:
        found = _derivatives(finding, place, circuits, counterpart)
        if found is None:
            return None
        numbers, diagnosis = found
    else:
        numbers, diagnosis = outputs, _explain(check.name, check.between)
        if not _confirmed(check.between, by_source, finding.scale):
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


def _disagreement(finding: Finding, value: float) -> float:
    """How far two simulators of one circuit may be apart: less than what is to be confirmed."""
    if finding.check.name == OUTPUTS:
        difference = abs(finding.values[0] - finding.values[1])
        return max(tolerances.EQUAL * finding.scale, difference / 10)
    return tolerances.FINITE_DIFFERENCE * max(1.0, abs(value))


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
    finding: Finding,
    place: Place,
    circuits: Sequence[CircuitSource],
    counterpart: CounterpartSource,
) -> tuple[dict[str, float], str] | None:
    """The derivative by other methods, and whose autograd is wrong.

    ``None`` where a circuit's second method does not stand on the circuit's side.
    """
    by_feature = finding.check.name == FEATURES
    sides = dict(zip(finding.check.between, finding.values, strict=True))
    difference = abs(finding.values[0] - finding.values[1])
    numbers: dict[str, float] = {}
    for circuit in circuits:
        try:
            name, gradient = circuit.second_gradient(place.x[None], place.theta)
        except QrunEquivError:
            continue
        part = gradient.features if by_feature else gradient.parameters
        numbers[name] = float(part[0, place.output, place.index])
        recorded = sides.get(circuit.name)
        if recorded is not None and abs(numbers[name] - recorded) > difference / 2:
            return None
    step = _STEP / max(1.0, *(abs(v) for v in finding.values))
    slope = _central(counterpart, place, step, by_feature=by_feature)
    numbers[f"{counterpart.name} central differences"] = slope
    autograd = sides.get(counterpart.name)
    off = tolerances.FINITE_DIFFERENCE * max(1.0, abs(slope))
    if autograd is not None and abs(autograd - slope) > off:
        return numbers, (
            "The counterpart's autograd disagrees with the differences of its own outputs: a "
            "detached tensor or a wrong custom backward."
        )
    return numbers, f"The gradients of {' and '.join(finding.check.between)} differ."


def _central(source: CounterpartSource, place: Place, step: float, *, by_feature: bool) -> float:
    """Fourth-order central difference of the counterpart's output at a place."""
    total = 0.0
    for shift, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
        point, weights = place.x.copy(), place.theta.copy()
        (point if by_feature else weights)[place.index] += shift * step
        total += weight * float(source.values(point[None], weights)[0, place.output])
    return total / (12 * step)
