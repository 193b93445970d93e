"""From sampled agreement to a verdict that holds for every input, where it can be earned.

A verdict is as strong as its weakest link: the counterpart must be identical to the neutral form of
*every* circuit of the comparison (:mod:`qrun_equiv.proving`), each neutral form must have matched
its native circuit at all sampled points, and the gates' definitions those of the frameworks. What
can't be proved is certified where the parameters are given (:mod:`qrun_equiv.certifying`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qrun_equiv import certifying, exact, tolerances
from qrun_equiv.certificate import IDENTITY, LINKS, Check, Status
from qrun_equiv.checks import Place
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.exact import Identity
from qrun_equiv.frontends import definitions
from qrun_equiv.frontends.base import Array, CircuitSource
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.points import Domain
from qrun_equiv.proving import identity

_DEFINITIONS = LINKS[2]
_FRAMEWORKS = "PennyLane and Qiskit"
_EVERYTHING = "all features and parameters"
_SIMPLE = 20  # bits of the denominator of a constant that somebody typed


@dataclass(frozen=True)
class Case:
    """What is to be shown.

    Attributes:
        circuits: the native circuits.
        forms: neutral form of each by name, ``None`` where there is none that fits.
        counterpart: the torch side.
        parameters: the vectors that the comparison is restricted to; ``None``: all parameters.
        domain: box of the features; ``None``: all reals.
        epsilon: largest difference that an approximation may have; ``None``: equality is claimed.
        seed: of primes and points.
    """

    circuits: Sequence[CircuitSource]
    forms: Mapping[str, Circuit | None]
    counterpart: CounterpartSource
    parameters: Sequence[Array] | None
    domain: Domain
    epsilon: float | None
    seed: int


@dataclass
class Strength:
    """What was shown: a status if it is more than sampled, the checks, and why not more.

    Attributes:
        status: proved, certified, or refuted where a bound says that they differ by more than
            they may; ``None`` where nothing stronger than sampling was shown.
        checks: made on the way.
        notes: reasons.
        suspects: names of circuits whose identity test found a difference.
        witness: a place where they provably differ by more than they may.
    """

    status: Status | None = None
    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    witness: Place | None = None


def prove(case: Case) -> Strength:
    """Identity of the counterpart with every circuit, or why there is none."""
    found = Strength()
    proved = _check_definitions(case, found)
    done: dict[str, Identity | str] = {}
    for source in case.circuits:
        form = case.forms.get(source.name)
        if form is None:
            proved = False  # the link's own check says why
            continue
        key = form.digest()
        if key not in done:
            done[key] = _identity(case, form)
        proved = _record(case, source.name, done[key], found) and proved
    if proved:
        found.status = Status.PROVED
    return found


def _identity(case: Case, form: Circuit) -> Identity | str:
    """The test over all parameters; at the given ones, where there are some and it fails."""
    try:
        result = identity(form, case.counterpart, seed=case.seed)
        if result.equal or case.parameters is None:
            return result
        chances = [
            identity(form, case.counterpart, theta=theta, seed=case.seed)
            for theta in case.parameters
        ]
    except QrunEquivError as error:
        return str(error)
    worst = next((r for r in chances if not r.equal), max(chances, key=lambda r: r.error))
    return Identity(worst.equal, worst.error, worst.trials, worst.bits, worst.output, fixed=True)


def _record(case: Case, name: str, result: Identity | str, found: Strength) -> bool:
    form = case.forms[name]
    inside = sorted({arc.index for arc in exact.arcs(form)}) if form is not None else []
    names = ", ".join(f"x{j}" for j in inside)
    bounded = f" ({names} within [-1, 1], where arccos is real)" if inside else ""
    between = (case.counterpart.name, f"neutral form of {name}")
    if isinstance(result, str):
        found.checks.append(Check.skipped(IDENTITY, between, result))
        note = f"not proved: {result}"
    elif not result.equal:
        reason = (
            f"exact arithmetic sees a difference in output {result.output}"
            f"{_rounded_constants(case.forms[name])}"
        )
        found.checks.append(Check.skipped(IDENTITY, between, reason))
        found.suspects.append(name)
        note = f"not proved: {reason}"
    else:
        where = "all features, at the given parameters" if result.fixed else _EVERYTHING
        scope = f"{where}{bounded}; {result.trials} random fields of {result.bits} bits or more"
        check = Check(
            IDENTITY, between, scope, result.error, exact.PER_TRIAL**result.trials, result.trials,
            "passed", "error: probability that the sides differ nevertheless",
        )  # fmt: skip
        found.checks.append(check)
        return True
    if note not in found.notes:
        found.notes.append(note)
    return False


def _rounded_constants(form: Circuit | None) -> str:
    """Constants of a circuit that look computed: one that differs by its rounding is another."""
    constants = {
        float(q)
        for g in (form.gates if form is not None else ())
        for _, q in (g.angle.terms if g.angle is not None else ())
        if q.denominator.bit_length() > _SIMPLE
    }
    shown = ", ".join(repr(c) for c in sorted(constants)[:3])
    if not shown:
        return "; constants of the torch code that are off by their rounding make one, too"
    return (
        "; a constant off by its rounding is another one: written as floats are, in the circuit, "
        f"{shown} (those of the torch code are not listed)"
    )


def _check_definitions(case: Case, found: Strength) -> bool:
    """The neutral forms' gates against the frameworks' own definitions."""
    forms = [form for form in case.forms.values() if form is not None]
    results = [definitions.check(form) for form in forms]
    if not results:
        return False
    error, count = max(e for e, _ in results), max(n for _, n in results)
    passed = error <= tolerances.DEFINITION
    status = "passed" if passed else "failed"
    between = ("neutral form", _FRAMEWORKS)
    scope = "every gate used, at five angles (all angles: degree 1 in the half angle)"
    found.checks.append(
        Check(_DEFINITIONS, between, scope, error, tolerances.DEFINITION, count, status)
    )
    return passed


def certify(case: Case) -> Strength:
    """A bound for all features at the given parameters (none given: the circuit has none)."""
    found = Strength()
    thetas = case.parameters
    if thetas is None:
        if case.counterpart.sizes.parameters:
            found.notes.append("not certified: a bound is at given parameters; pass parameters=")
            return found
        thetas = [certifying.NO_PARAMETERS]
    certified = _check_definitions(case, found)
    done: dict[tuple[str, int], certifying.InputBound | str] = {}
    for source in case.circuits:
        form = case.forms.get(source.name)
        if form is None:
            certified = False
            continue
        for k, theta in enumerate(thetas):
            key = form.digest(), k
            if key not in done:
                done[key] = _bound(case, form, theta)
            certified = _record_bound(case, source.name, done[key], found) and certified
    if certified:
        found.status = Status.CERTIFIED
    return found


def _record_bound(
    case: Case, name: str, bound: certifying.InputBound | str, found: Strength
) -> bool:
    if isinstance(bound, str):
        if bound not in found.notes:
            found.notes.append(bound)
        return False
    check = bound.check(case.counterpart.name, f"neutral form of {name}")
    found.checks.append(check)
    if bound.exceeds and found.witness is None:
        found.witness = bound.place()
    return check.status == "passed"


def _bound(case: Case, form: Circuit, theta: Array) -> certifying.InputBound | str:
    try:
        return certifying.bound(form, case.counterpart, theta, case.domain, case.epsilon)
    except QrunEquivError as error:
        return f"not certified: {error}"
