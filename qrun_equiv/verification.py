"""The front door: circuit and counterpart in, verdict and certificate out."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from numbers import Integral, Real
from typing import Any

from qrun_equiv import comparison, points
from qrun_equiv._version import __version__
from qrun_equiv.certificate import Certificate, Status, Verdict
from qrun_equiv.comparison import Job, Level
from qrun_equiv.errors import FrontendError
from qrun_equiv.frontends.base import Array, Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.sources import circuit_sources

LEVELS: tuple[Level, ...] = ("auto", "sampled", "certified", "proved")
GRADIENTS = ("features", "parameters")
_WEAKER = {
    "certified": (Status.SAMPLED,),
    "proved": (Status.SAMPLED, Status.CERTIFIED),
}
_SHOWN = {Status.SAMPLED: "sampled agreement", Status.CERTIFIED: "a bound at given parameters"}


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
    epsilon: float | None = None,
    shots: int | None = None,
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
        gradients: which gradients are compared, of ``"features"`` and ``"parameters"``; a
            counterpart of ``x`` alone has none wrt parameters, so at given ``parameters`` that one
            is not compared.
        epsilon: the largest absolute difference of an output that passes, for a counterpart that
            approximates (a network): then gradients and spectra are not compared.
        shots: also estimate every output from this many measurements a Pauli word and point, and
            hold the counterpart to the exact confidence intervals of all of them together.
        level: the strength asked for; where it is not reached, the verdict is ``undecided``.
            ``"auto"``: ``proved`` where the counterpart is a polynomial identity, else
            ``certified`` where ``parameters`` are given (or there are none), else ``sampled``.
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
    limit = _limit(epsilon)
    circuits, sizes = circuit_sources(circuit, observable, n_features, n_parameters)
    source = CounterpartSource(counterpart, sizes)
    if parameters is not None and sizes.parameters and not source.takes_theta:
        gradients = [g for g in gradients if g != "parameters"]  # it has none to differentiate by
    job = Job(
        circuits=circuits,
        counterpart=source,
        sizes=sizes,
        domain=points.read_domain(domain, sizes.features),
        parameters=_vectors(parameters, sizes),
        data=None
        if data is None
        else points.pick_rows(points.read_rows(data, sizes.features), seed),
        trained=None if trained is None else points.vector(trained, sizes.parameters, "trained"),
        gradients=tuple(gradients),
        epsilon=limit,
        shots=_count(shots),
        seed=int(seed),
    )
    if job.data is not None:
        points.check_inside(job.data, job.domain)
    digests = job.digests()  # before anything runs: a cache of the counterpart may fill up
    outcome = comparison.run(job, level)
    status, reason = outcome.status, outcome.reason
    if status in _WEAKER.get(level, ()):
        why = [n for n in outcome.notes if n.startswith(("not ", "no neutral form"))]
        reason = "; ".join(
            [f"{level!r} was asked for; {_SHOWN[status]} is all that was shown", *why]
        )
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


def _limit(epsilon: Any) -> float | None:
    if epsilon is None:
        return None
    number = isinstance(epsilon, Real) and not isinstance(epsilon, bool)
    if not number or not 0 < epsilon < float("inf"):
        msg = f"epsilon must be a positive number, got {epsilon!r}"
        raise FrontendError(msg)
    return float(epsilon)


def _count(shots: Any) -> int | None:
    if shots is None:
        return None
    if isinstance(shots, bool) or not isinstance(shots, Integral) or shots < 1:
        msg = f"shots must be a whole number from 1 up, got {shots!r}"
        raise FrontendError(msg)
    return int(shots)


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
    return own | {
        name: version(name) for name in ("pennylane", "qiskit", "torch", "numpy", "python-flint")
    }
