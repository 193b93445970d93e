"""Check a certificate again, from its numbers and the pair alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qrun_equiv.certificate import Certificate, Check, Status, Verdict
from qrun_equiv.errors import CertificateError
from qrun_equiv.verification import verify

#: A recomputed error may differ from the recorded one by rounding on another machine: by this part
#: of the tolerance, or by this part of itself.
_OF_BOUND, _OF_ITSELF = 1e-3, 1e-4
_FRESH = 0x5EED


def recheck(
    certificate: Certificate | str | Path,
    circuit: Any,
    counterpart: Any,
    *,
    observable: Any = None,
) -> Verdict:
    """Repeat a comparison from its certificate, then once more from a fresh seed.

    Args:
        certificate: the certificate, or the path of a saved one.
        circuit: as for :func:`qrun_equiv.verify`.
        counterpart: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.

    Returns:
        The verdict of the repetition, whose status is the certificate's.

    Raises:
        CertificateError: the circuit, the counterpart or its weights are not the certified ones,
            the repetition gives other numbers or another status, or a fresh seed does.
    """
    old = certificate if isinstance(certificate, Certificate) else Certificate.load(certificate)
    verdict = _repeat(old.settings, circuit, counterpart, observable, old.settings["seed"])
    new = verdict.certificate
    for name in sorted({*old.digests, *new.digests}):
        if old.digests.get(name) != new.digests.get(name):
            msg = f"the certificate is not of this {name}: its digest differs; verify again"
            raise CertificateError(msg)
    if old.status is not new.status:
        msg = f"the certificate says {old.status.value}, the repetition {new.status.value}"
        raise CertificateError(msg)
    _compare_checks(old, new)
    _compare_witness(old, new)
    fresh = _repeat(old.settings, circuit, counterpart, observable, old.settings["seed"] + _FRESH)
    if fresh.status is not old.status:
        msg = f"at a fresh seed the verdict is {fresh.status.value}, not {old.status.value}"
        raise CertificateError(msg)
    return verdict


def _repeat(
    settings: Mapping[str, Any], circuit: Any, counterpart: Any, observable: Any, seed: int
) -> Verdict:
    try:
        shape = tuple(settings["n_parameters"])
        return verify(
            circuit,
            counterpart,
            n_features=settings["n_features"],
            n_parameters=shape[0] if len(shape) == 1 else shape,
            observable=observable,
            domain=settings["domain"],
            parameters=settings["parameters"],
            data=settings["data"],
            trained=settings["trained"],
            gradients=tuple(settings["gradients"]),
            level=settings["level"],
            seed=seed,
        )
    except KeyError as error:
        msg = f"the certificate lacks the setting {error}; verify again"
        raise CertificateError(msg) from error


def _compare_checks(old: Certificate, new: Certificate) -> None:
    def key(check: Check) -> tuple[Any, ...]:
        return check.name, check.between, check.status, check.evaluations, check.scope

    if [key(c) for c in old.checks] != [key(c) for c in new.checks]:
        msg = "the certificate lists other checks than the repetition makes; verify again"
        raise CertificateError(msg)
    for before, after in zip(old.checks, new.checks, strict=True):
        fits = _close(before.bound, after.bound, 0.0)
        if before.error is not None and after.error is not None:
            fits = fits and _close(before.error, after.error, _OF_BOUND * after.bound)
        if not fits or (before.error is None) != (after.error is None):
            msg = (
                f"the check {before.name!r} of {' and '.join(before.between)} records the error "
                f"{before.error} within {before.bound}; the repetition gives {after.error} within "
                f"{after.bound}"
            )
            raise CertificateError(msg)


def _compare_witness(old: Certificate, new: Certificate) -> None:
    one, two = old.counterexample, new.counterexample
    if old.status is not Status.REFUTED:
        if one is not None:
            msg = f"a certificate of {old.status.value} can't have a counterexample"
            raise CertificateError(msg)
        return
    if one is None or two is None:
        msg = "the certificate refutes without a counterexample"
        raise CertificateError(msg)
    numbers = [
        (one.features, two.features),
        (one.parameters, two.parameters),
        (tuple(one.values.values()), tuple(two.values.values())),
    ]
    for left, right in numbers:
        if len(left) != len(right) or not all(
            _close(a, b, 1e-9) for a, b in zip(left, right, strict=True)
        ):
            msg = "the counterexample of the certificate is not the one that the repetition finds"
            raise CertificateError(msg)


def _close(one: float, two: float, slack: float) -> bool:
    return abs(one - two) <= max(slack, _OF_ITSELF * abs(two))
