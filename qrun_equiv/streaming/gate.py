"""The gate: which certificates admit a run, at which parameters, for which rows.

A certificate is evidence about one circuit, one counterpart (both by digest), some parameters and
some features. What it does not cover is not run, unless it is asked for in so many words, and then
the manifest says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qrun_equiv import points
from qrun_equiv.certificate import BOUND, EQUIVALENT, IDENTITY, Certificate, Status
from qrun_equiv.contradictions import contradictions
from qrun_equiv.errors import CertificateError
from qrun_equiv.frontends.base import Array, Sizes
from qrun_equiv.frontends.digest import digest
from qrun_equiv.pair import Pair
from qrun_equiv.streaming.errors import RunError
from qrun_equiv.verification import versions

#: From weak to strong.
ORDER = (Status.SAMPLED, Status.CERTIFIED, Status.PROVED)
_AT_GIVEN = "at the given parameters"
# What the scopes of two checks say of the features: a radius, and where arccos is real.
_RADIUS = re.compile(r"\|x(\d+)\| <= ([0-9.e+-]+)")
_ARCCOS = re.compile(r"\((x\d+(?:, x\d+)*) within \[-1, 1\]")


@dataclass(frozen=True)
class Admission:
    """What may run.

    Attributes:
        theta: parameters ``[n_parameters]``.
        box: the features that the certificate covers, ``[n_features, 2]`` (low, high), infinite
            where there is no limit.
        epsilon: the largest difference of circuit and counterpart that the certificate allows; 0
            where equality is claimed.
        unverified: why the certificate does not admit the run; empty where it does.
        record: the certificate, for the manifest.
        notes: what a reader has to know.
    """

    theta: Array
    box: Array
    epsilon: float
    unverified: str
    record: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())


def digests(pair: Pair) -> dict[str, str]:
    """SHA-256 of each source of a pair, as in its certificates; nothing is run."""
    sources: Mapping[str, Any] = pair.sources()
    return {name: digest(source.fingerprint()) for name, source in sources.items()}


def admit(
    pair: Pair,
    sizes: Sizes,
    certificate: Path | None,
    *,
    parameters: Any = None,
    at_least: str = "sampled",
    unverified: bool = False,
) -> Admission:
    """Whether a certificate admits a run of a pair, and of what.

    Args:
        pair: the pair.
        sizes: of its features and parameters.
        certificate: the file; ``None`` where there is none.
        parameters: ``[n_parameters]``; those of the certificate where left out.
        at_least: ``"sampled"``, ``"certified"`` or ``"proved"``.
        unverified: run nevertheless, and say so.

    Raises:
        CertificateError: it is missing, damaged, of another pair, stale, refuted, undecided, weaker
            than asked, or of other parameters.
        RunError: the parameters are not known, or ``at_least`` is no strength.
    """
    if at_least not in ORDER:
        msg = f"unknown --at-least {at_least!r}; one of {', '.join(ORDER)}"
        raise RunError(msg)
    loaded, reason = _load(certificate, pair)
    covered = None if loaded is None else covered_parameters(loaded)
    theta = _theta(pair, sizes, parameters, covered)
    if loaded is not None:
        reason = next(_objections(loaded, pair, sizes, theta, Status(at_least)), "")
    if reason and not unverified:
        msg = f"{reason} (--unverified runs nevertheless, and the manifest says so)"
        raise CertificateError(msg)
    if loaded is None or reason:
        domain = points.read_domain(pair.domain, sizes.features)
        box = np.tile([-np.inf, np.inf], (sizes.features, 1)) if domain is None else domain
        epsilon = pair.epsilon or 0.0
        return Admission(theta, np.array(box), epsilon, reason, _record(certificate, loaded))
    epsilon = loaded.settings["epsilon"] or 0.0
    box, notes = covered_features(loaded), tuple(_other_versions(loaded))
    return Admission(theta, box, epsilon, "", _record(certificate, loaded), notes)


def _load(path: Path | None, pair: Pair) -> tuple[Certificate | None, str]:
    """The certificate, or why there is none."""
    if path is None:
        where = f"{pair.path} " if pair.path is not None else ""
        return None, (
            f"the pair {pair.name!r} has no certificate; make one (qrun-equiv verify {where}--only "
            f"{pair.name}) and name it with --certificate"
        )
    try:
        return Certificate.load(path), ""
    except CertificateError as error:
        return None, str(error)


def covered_parameters(certificate: Certificate) -> list[Array] | None:
    """The parameter vectors that a certificate is restricted to; ``None``: any."""
    settings = certificate.settings
    given, trained = settings.get("parameters"), settings.get("trained")
    fixed = certificate.status is Status.CERTIFIED or any(
        check.name == IDENTITY and _AT_GIVEN in check.scope for check in certificate.checks
    )
    if given is None and fixed:  # at the trained vector, or there are no parameters
        given = [[] if trained is None else trained]
    return None if given is None else [np.array(vector, dtype=float) for vector in given]


def covered_features(certificate: Certificate) -> Array:
    """The box of features that a certificate covers, ``[n_features, 2]``.

    It is the domain that was verified; on all reals, what a bound or an arccos leaves of them.
    """
    settings = certificate.settings
    box = np.tile([-np.inf, np.inf], (settings["n_features"], 1))
    if settings["domain"] is not None:
        box = np.array(settings["domain"], dtype=float)
    for check in certificate.checks:
        if check.name == BOUND and settings["domain"] is None:
            for index, radius in _RADIUS.findall(check.scope):
                _cut(box, int(index), float(radius))
        if check.name == IDENTITY and check.status == "passed":
            for names in _ARCCOS.findall(check.scope):
                for name in names.split(", "):
                    _cut(box, int(name[1:]), 1.0)
    return box


def _cut(box: Array, index: int, radius: float) -> None:
    box[index] = np.clip(box[index], -radius, radius)


def _theta(pair: Pair, sizes: Sizes, parameters: Any, covered: list[Array] | None) -> Array:
    if parameters is not None:
        return points.vector(parameters, sizes.parameters, "parameters")
    if covered is not None and len(covered) == 1:
        return points.vector(covered[0], sizes.parameters, "the certificate's parameters")
    if not sizes.parameters:
        return np.zeros(0)
    if covered is None and pair.trained is not None:
        return points.vector(pair.trained, sizes.parameters, "trained")
    many = "" if covered is None else f"; the certificate covers {len(covered)} vectors"
    plural = "s" if sizes.parameters > 1 else ""
    msg = (
        f"the pair {pair.name!r} has {sizes.parameters} parameter{plural}: give them with "
        f"--parameters FILE (a JSON list){many}"
    )
    raise RunError(msg)


def _objections(
    certificate: Certificate, pair: Pair, sizes: Sizes, theta: Array, least: Status
) -> Iterator[str]:
    """Why a certificate does not admit a run; nothing where it does."""
    status = certificate.status
    if status not in EQUIVALENT:
        why = f": {certificate.reason}" if certificate.reason else ""
        yield f"the certificate says {status.value}{why}; there is nothing to run"
        return
    fault = next(contradictions(certificate), "")
    if fault:
        yield f"the certificate was edited or is broken: {fault}; verify again"
        return
    if certificate.pair != pair.name:
        made = f"the pair {certificate.pair!r}" if certificate.pair else "a verify() in Python"
        yield f"the certificate is of {made}, not of {pair.name!r}"
    found = digests(pair)
    for name in sorted({*certificate.digests, *found}):
        if certificate.digests.get(name) != found.get(name):
            yield f"the certificate is stale: this {name} has another digest; verify again"
    shape = [*certificate.settings["n_parameters"]]
    if (certificate.settings["n_features"], shape) != (sizes.features, [*sizes.parameter_shape]):
        yield "the certificate is of other numbers of features or parameters; verify again"
        return
    if ORDER.index(status) < ORDER.index(least):
        yield f"the certificate is only {status.value}; {least.value} was asked for (--at-least)"
    covered = covered_parameters(certificate)
    if covered is not None and not any(np.array_equal(theta, vector) for vector in covered):
        yield "the certificate covers other parameters than these; verify at them (parameters=)"


def _other_versions(certificate: Certificate) -> Iterator[str]:
    here = versions()
    for name, version in certificate.versions.items():
        if here.get(name) != version:
            yield f"the certificate was made with {name} {version}; here it is {here.get(name)}"


def _record(path: Path | None, certificate: Certificate | None) -> dict[str, Any]:
    if path is None or certificate is None:
        return {"path": None if path is None else str(path)}
    return {
        "path": str(path),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "pair": certificate.pair,
        "status": certificate.status.value,
        "digests": dict(certificate.digests),
        "versions": dict(certificate.versions),
    }
