"""The front door: circuit and counterpart in, verdict and certificate out."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from numbers import Integral
from typing import Any, Literal

import numpy as np

from qrun_equiv import links, points
from qrun_equiv._version import __version__
from qrun_equiv.certificate import (
    KINDS,
    OUTSIDE,
    SPECTRUM,
    Certificate,
    Check,
    Counterexample,
    Status,
    Verdict,
)
from qrun_equiv.checks import Finding, check_gradients, check_outputs, evaluate
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import (
    FrontendError,
    SpectrumError,
    UndecidedError,
)
from qrun_equiv.frontends.base import Array, CircuitSource, Sizes, Source
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.digest import digest
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.points import Batch, Domain
from qrun_equiv.scaling import Scale, smallest_slopes
from qrun_equiv.spectral import check_spectrum, sections
from qrun_equiv.witness import odd_one_out, replay

Level = Literal["auto", "sampled", "certified", "proved"]
LEVELS: tuple[Level, ...] = ("auto", "sampled", "certified", "proved")
GRADIENTS = ("features", "parameters")


def verify(
    circuit: Any,
    counterpart: Any,
    *,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
    domain: Any = None,
    parameters: Any = None,
    data: Any = None,
    trained: Any = None,
    gradients: Sequence[str] = GRADIENTS,
    level: Level = "auto",
    seed: int = 0,
) -> Verdict:
    """Is the counterpart what the circuit is?

    Args:
        circuit: a PennyLane QNode ``f(x, theta)`` (or quantum function), a Qiskit
            ``QuantumCircuit`` with parameters ``x`` and ``theta``, a path to an OpenQASM 3 file, or
            a mapping of several by name: then they must also agree with each other.
        counterpart: callable or ``nn.Module``, ``(x: float64 [batch, n_features], theta: float64
            [n_parameters]) -> [batch]`` or ``[batch, n_outputs]``; ``x`` alone where it has its own
            weights.
        n_features: length of ``x``; read off the circuit where it can be.
        n_parameters: length of ``theta``, or its shape, such as ``(layers, wires, 3)``.
        observable: for Qiskit and OpenQASM, a ``SparsePauliOp`` or a list of them.
        domain: ``(low, high)`` or one pair a feature; all reals where left out.
        parameters: compare at this vector ``[n_parameters]`` (or these, ``[n, n_parameters]``)
            only; at random ones where left out.
        data: rows ``[rows, n_features]`` that are also checked.
        trained: one more parameter vector, at which the data rows are checked.
        gradients: which gradients are compared, of ``"features"`` and ``"parameters"``.
        level: the strength asked for; where it is not reached, the verdict is ``undecided``.
        seed: seed of all random points, recorded in the certificate.

    Returns:
        The verdict; ``verdict.status`` says how strong it is, ``verdict.counterexample`` holds the
        witness of a refutation.

    Raises:
        FrontendError: the circuit can't be evaluated as given.
        CounterpartError: the counterpart breaks its contract (shape, dtype, or it raises).
        DataError: the data rows don't fit.
    """
    begun = time.perf_counter()
    _check_options(level, gradients, seed)
    circuits, sizes = circuit_sources(circuit, observable, n_features, n_parameters)
    job = _Job(
        circuits=circuits,
        counterpart=CounterpartSource(counterpart, sizes),
        sizes=sizes,
        domain=points.read_domain(domain, sizes.features),
        parameters=_vectors(parameters, sizes),
        data=None
        if data is None
        else points.pick_rows(points.read_rows(data, sizes.features), seed),
        trained=None if trained is None else points.vector(trained, sizes.parameters, "trained"),
        gradients=tuple(gradients),
        seed=int(seed),
    )
    if job.data is not None:
        points.check_inside(job.data, job.domain)
    digests = job.digests()  # before anything runs: a cache of the counterpart may fill up
    outcome = _run(job)
    status, reason = outcome.status, outcome.reason
    if status is Status.SAMPLED and level in ("certified", "proved"):
        reason = f"{level!r} was asked for; sampled agreement is all that was shown"
        status = Status.UNDECIDED
    certificate = Certificate(
        status=status,
        checks=outcome.checks,
        counterexample=outcome.counterexample,
        digests=digests,
        settings=job.settings(level),
        versions=versions(),
        reason=reason,
        notes=outcome.notes,
    )
    return Verdict(status, certificate, time.perf_counter() - begun)


def _check_options(level: str, gradients: Sequence[str], seed: int) -> None:
    if level not in LEVELS:
        msg = f"unknown level {level!r}; one of {', '.join(LEVELS)}"
        raise FrontendError(msg)
    chosen = list(gradients) if isinstance(gradients, list | tuple) else [None]
    if any(one not in GRADIENTS for one in chosen):
        msg = f"gradients is a sequence out of {GRADIENTS}, got {gradients!r}"
        raise FrontendError(msg)
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        msg = f"seed must be a whole number from 0 up, got {seed!r}"
        raise FrontendError(msg)


def _vectors(parameters: Any, sizes: Sizes) -> list[Array] | None:
    if parameters is None:
        return None
    array = points.numbers(parameters, "parameters")
    if array.ndim == 2 and not len(array):
        msg = "parameters is an empty list of vectors; leave it out, or give at least one"
        raise FrontendError(msg)
    if array.ndim == 2 and array.shape[1] == sizes.parameters and len(sizes.parameter_shape) == 1:
        return [points.vector(row, sizes.parameters, "parameters") for row in array]
    return [points.vector(array, sizes.parameters, "parameters")]


def versions() -> dict[str, str]:
    """Versions that a certificate records."""
    own = {"python": platform.python_version(), "qrun-equiv": __version__}
    return own | {name: version(name) for name in ("pennylane", "qiskit", "torch", "numpy")}


@dataclass(frozen=True)
class _Job:
    """One comparison, validated."""

    circuits: Sequence[CircuitSource]
    counterpart: CounterpartSource
    sizes: Sizes
    domain: Domain
    parameters: list[Array] | None
    data: Array | None
    trained: Array | None
    gradients: tuple[str, ...]
    seed: int

    @property
    def sources(self) -> list[Source]:
        return [self.counterpart, *self.circuits]

    def batches(self, neutral: Circuit | None) -> list[Batch]:
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
        found = {c.name: digest(c.fingerprint()) for c in self.circuits}
        return found | {self.counterpart.name: digest(self.counterpart.fingerprint())}

    def settings(self, level: str) -> dict[str, Any]:
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
            "simulators": {s.name: s.simulator for s in self.sources},
        }


@dataclass(frozen=True)
class _Outcome:
    status: Status
    checks: tuple[Check, ...] = ()
    counterexample: Counterexample | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def _run(job: _Job) -> _Outcome:
    """All checks in order; what is undecidable ends them with the reason."""
    findings: list[Finding] = []
    notes: list[str] = []
    try:
        return _decide(job, findings, notes)
    except UndecidedError as error:
        made = tuple(f.check for f in findings)
        return _Outcome(Status.UNDECIDED, made, None, str(error), tuple(notes))


def _decide(job: _Job, findings: list[Finding], notes: list[str]) -> _Outcome:
    before = job.counterpart.weights()
    forms = {c.name: links.lower(c, findings, notes) for c in job.circuits}
    batches = job.batches(next((f for f in forms.values() if f is not None), None))
    stacks = evaluate(job.counterpart, job.circuits, batches)
    job.counterpart.check_is_function(batches[0].x, batches[0].theta, job.gradients)
    names = [c.name for c in job.circuits]
    neutral: Circuit | None = None
    for source in job.circuits:
        form = forms[source.name]
        if form is not None:
            native = stacks[source.name]
            fits = links.check_neutral(source, form, batches, native, findings, notes)
            neutral = neutral or fits
    scale = Scale.of([stacks[name] for name in names], neutral)
    findings += check_outputs(stacks, batches, scale)
    if job.gradients:
        findings += _gradients(job, batches, scale)
    findings += _spectrum(job, neutral, batches, scale, notes)
    if job.counterpart.weights() != before:
        msg = "the counterpart changed its own weights or state while it was evaluated"
        raise UndecidedError(msg)
    return _conclude(job, findings, notes)


def _gradients(job: _Job, batches: Sequence[Batch], scale: Scale) -> list[Finding]:
    names = [c.name for c in job.circuits]
    try:
        found = check_gradients(job.sources, names, batches, scale, job.gradients)
        for source in job.circuits:
            found += links.check_derivatives(source, batches[0], scale, job.gradients)
    except FrontendError as error:  # a circuit has no gradient here; its outputs were compared
        raise UndecidedError(str(error)) from error
    return found


def _conclude(job: _Job, findings: Sequence[Finding], notes: Sequence[str]) -> _Outcome:
    """Sampled, or refuted with a witness that its replay confirmed."""
    checks = tuple(f.check for f in findings)
    failed = sorted(
        (f for f in findings if f.check.name in KINDS and f.check.status == "failed"),
        key=lambda f: (KINDS.index(f.check.name), -(f.check.error or 0.0)),
    )
    if not failed:
        return _Outcome(Status.SAMPLED, checks, notes=tuple(notes))
    odd = odd_one_out(findings, failed[0].check.name)
    for finding in failed:
        witness = replay(finding, job.circuits, job.counterpart, odd)
        if witness is not None:
            return _Outcome(Status.REFUTED, checks, witness, notes=tuple(notes))
    msg = "a difference was seen, but its replay in a second simulator did not confirm it"
    raise UndecidedError(msg)


def _spectrum(
    job: _Job,
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
