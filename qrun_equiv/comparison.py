"""One comparison: all sources at all points, then as strong a verdict as can be earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from qrun_equiv import links, points, search, strength
from qrun_equiv.certificate import (
    KINDS,
    OUTSIDE,
    SHOTS,
    SPECTRUM,
    Check,
    Counterexample,
    Status,
)
from qrun_equiv.checks import (
    Finding,
    check_gradients,
    check_outputs,
    check_within,
    evaluate,
)
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FrontendError, SpectrumError, UndecidedError
from qrun_equiv.frontends.base import Array, CircuitSource, Sizes, Source
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.digest import digest
from qrun_equiv.points import Batch, Domain
from qrun_equiv.scale.knots import TOLERANCES
from qrun_equiv.scale.paths import exact_paths
from qrun_equiv.scaling import Scale, smallest_slopes
from qrun_equiv.shots import check_shots
from qrun_equiv.spectral import check_spectrum, sections
from qrun_equiv.strength import Case, Strength
from qrun_equiv.witness import odd_one_out, replay

Level = Literal["auto", "sampled", "certified", "proved"]


@dataclass(frozen=True)
class Job:
    """One comparison, validated."""

    circuits: Sequence[CircuitSource]
    counterpart: CounterpartSource
    sizes: Sizes
    domain: Domain
    parameters: list[Array] | None
    data: Array | None
    trained: Array | None
    gradients: tuple[str, ...]
    epsilon: float | None
    shots: int | None
    seed: int

    @property
    def sources(self) -> list[Source]:
        """The counterpart, then the circuits."""
        return [self.counterpart, *self.circuits]

    def batches(self, neutral: Circuit | None) -> list[Batch]:
        """All points of the comparison; far ones where a neutral form says what rounding does."""
        theta = self.trained if self.parameters is None else self.parameters[0]
        if theta is None:
            theta = np.ones(self.sizes.parameters)
        return points.choose(
            self.sizes,
            domain=self.domain,
            parameters=self.parameters,
            data=self.data,
            trained=self.trained,
            seed=self.seed,
            slopes=None if neutral is None else smallest_slopes(neutral, theta),
        )

    def digests(self) -> dict[str, str]:
        """SHA-256 of each source's fingerprint, by name."""
        found = {c.name: digest(c.fingerprint()) for c in self.circuits}
        return found | {self.counterpart.name: digest(self.counterpart.fingerprint())}

    def settings(self, level: str) -> dict[str, Any]:
        """What a certificate records so that the comparison can be repeated."""

        def plain(array: Array | None) -> Any:
            return None if array is None else array.tolist()

        return {
            "seed": self.seed,
            "level": level,
            "n_features": self.sizes.features,
            "n_parameters": list(self.sizes.parameter_shape),
            "domain": None if self.domain is None else [list(pair) for pair in self.domain],
            "parameters": None if self.parameters is None else [plain(p) for p in self.parameters],
            "data": plain(self.data),
            "trained": plain(self.trained),
            "gradients": list(self.gradients),
            "epsilon": self.epsilon,
            "shots": self.shots,
            "simulators": {s.name: s.simulator for s in self.sources},
        }


#: Said of a counterpart with a Q-RUN layer that has a quicker path.
_EXACT_PATH = (
    "about the exact path of Q-RUN layers; on many elements they interpolate unless path='exact', "
    f"within about {TOLERANCES[torch.float64]:.0e} of their largest value (estimated)"
)


@dataclass(frozen=True)
class Outcome:
    """What a comparison found; see :class:`~qrun_equiv.certificate.Certificate`."""

    status: Status
    checks: tuple[Check, ...] = ()
    counterexample: Counterexample | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def run(job: Job, level: Level) -> Outcome:
    """All checks in order; what is undecidable ends them with the reason."""
    findings: list[Finding] = []
    notes: list[str] = []
    with exact_paths() as choices:
        try:
            found = _decide(job, level, findings, notes)
        except UndecidedError as error:
            made = tuple(f.check for f in findings)
            found = Outcome(Status.UNDECIDED, made, None, str(error), tuple(notes))
    return replace(found, notes=(*found.notes, _EXACT_PATH)) if choices.withheld else found


def _decide(job: Job, level: Level, findings: list[Finding], notes: list[str]) -> Outcome:
    before = job.counterpart.weights()
    if job.parameters is not None and job.sizes.parameters and not job.counterpart.takes_theta:
        notes.append("no gradient wrt parameters: the counterpart takes x alone")
    forms = {c.name: links.lower(c, findings, notes) for c in job.circuits}
    batches = job.batches(next((f for f in forms.values() if f is not None), None))
    job.counterpart.sample = (batches[0].x, batches[0].theta)
    stacks = evaluate(job.counterpart, job.circuits, batches)
    gradients = () if job.epsilon is not None else job.gradients
    job.counterpart.check_is_function(batches[0].x, batches[0].theta, gradients)
    for source in job.circuits:
        form = forms[source.name]
        if form is not None:
            native = stacks[source.name]
            forms[source.name] = links.check_neutral(source, form, batches, native, findings, notes)
    neutral = next((f for f in forms.values() if f is not None), None)
    scale = Scale.of([stacks[c.name] for c in job.circuits], neutral)
    if job.epsilon is None:
        findings += check_outputs(stacks, batches, scale)
        if job.gradients:
            findings += _gradients(job, batches, scale)
        findings += _spectrum(job, neutral, batches, scale, notes)
    else:
        findings += check_within(stacks, job.counterpart.name, batches, scale, job.epsilon)
    if job.shots is not None:
        findings += check_shots(
            job.circuits, job.counterpart, batches, shots=job.shots, seed=job.seed
        )
    _refuse_changed(job, before)
    outcome = _conclude(job, findings, notes)
    if outcome.status is Status.SAMPLED and level != "sampled":
        outcome = _strengthen(job, level, forms, scale, findings, notes)
        _refuse_changed(job, before)
    return outcome


def _refuse_changed(job: Job, before: str) -> None:
    if job.counterpart.weights() != before:
        msg = "the counterpart changed its own weights or state while it was evaluated"
        raise UndecidedError(msg)


def _strengthen(
    job: Job,
    level: Level,
    forms: Mapping[str, Circuit | None],
    scale: Scale,
    findings: list[Finding],
    notes: list[str],
) -> Outcome:
    """More than sampled agreement, where it can be earned; or a witness that sampling missed."""
    parameters = job.parameters
    if level == "certified" and parameters is None and job.trained is not None:
        parameters = [job.trained]
    case = Case(job.circuits, forms, job.counterpart, parameters, job.domain, job.epsilon, job.seed)
    attempts = [] if job.epsilon is not None else [strength.prove]
    attempts += [] if level == "proved" else [strength.certify]
    if not attempts:
        notes.append("not proved: an approximation is certified at most")
    checks = [f.check for f in findings]
    for attempt in attempts:
        found = attempt(case)
        checks += [c for c in found.checks if c not in checks]
        if found.status is not None:
            return Outcome(found.status, tuple(checks), notes=tuple(notes))
        notes += found.notes
        witness = _witness(job, forms, scale, found)
        if witness is not None:
            failed = [*findings, witness]
            return _conclude(job, failed, notes, extra=checks)
    return Outcome(Status.SAMPLED, tuple(checks), notes=tuple(notes))


def _witness(
    job: Job, forms: Mapping[str, Circuit | None], scale: Scale, found: Strength
) -> Finding | None:
    """A failed check of native outputs, where exact arithmetic or a bound saw a difference."""
    for source in job.circuits:
        form = forms.get(source.name)
        if form is None:
            continue
        if found.witness is not None:
            made = search.finding(
                source, job.counterpart, found.witness, scale, allowed=job.epsilon
            )
        elif source.name in found.suspects:
            made = search.difference(
                source, form, job.counterpart, scale,
                domain=job.domain, parameters=job.parameters, seed=job.seed,
            )  # fmt: skip
        else:
            continue
        if made is not None:
            return made
    return None


def _gradients(job: Job, batches: Sequence[Batch], scale: Scale) -> list[Finding]:
    names = [c.name for c in job.circuits]
    try:
        found = check_gradients(job.sources, names, batches, scale, job.gradients)
        for source in job.circuits:
            found += links.check_derivatives(source, batches[0], scale, job.gradients)
    except FrontendError as error:  # a circuit has no gradient here; its outputs were compared
        raise UndecidedError(str(error)) from error
    return found


def _conclude(
    job: Job, findings: Sequence[Finding], notes: Sequence[str], extra: Sequence[Check] = ()
) -> Outcome:
    """Sampled, or refuted with a witness that its replay confirmed."""
    made = [f.check for f in findings]
    checks = (*made, *(c for c in extra if c not in made))
    failed = sorted(
        (f for f in findings if f.check.name in KINDS and f.check.status == "failed"),
        key=lambda f: (KINDS.index(f.check.name), -(f.check.error or 0.0)),
    )
    if not failed:
        drawn = next((c for c in checks if c.name == SHOTS and c.status == "failed"), None)
        if drawn is not None:
            msg = f"exact values agree, but values from shots do not: {drawn.note}"
            raise UndecidedError(msg)
        return Outcome(Status.SAMPLED, checks, notes=tuple(notes))
    odd = odd_one_out(findings, failed[0].check.name)
    for finding in failed:
        witness = replay(finding, job.circuits, job.counterpart, odd)
        if witness is not None:
            return Outcome(Status.REFUTED, checks, witness, notes=tuple(notes))
    msg = "a difference was seen, but its replay in a second simulator did not confirm it"
    raise UndecidedError(msg)


def _spectrum(
    job: Job,
    neutral: Circuit | None,
    batches: Sequence[Batch],
    scale: Scale,
    notes: list[str],
) -> list[Finding]:
    names = [c.name for c in job.circuits]
    theta = job.trained if job.trained is not None else batches[0].theta
    between = (job.counterpart.name, names[0])
    if neutral is None:
        reason = "without a neutral form the accessible frequencies are unknown"
        return [Finding(Check.skipped(SPECTRUM, between, reason))]
    try:
        found = sections(neutral, theta, job.domain, job.seed)
        made = check_spectrum(job.sources, found, scale)
    except SpectrumError as error:
        notes.append(f"no spectrum check: {error}")
        return [Finding(Check.skipped(SPECTRUM, between, str(error)))]
    for check in (f.check for f in made):
        if check.status == "failed" and check.between[1] == OUTSIDE and check.between[0] in names:
            reason = f"{check.between[0]} does not fit its own accessible frequencies there"
            notes.append(f"no spectrum check: {reason}")
            return [Finding(Check.skipped(SPECTRUM, between, reason))]
    return made
