"""Check a certificate again, from its numbers and the pair alone.

In this order: does it fit the format, does it agree with itself (:mod:`qrun_equiv.contradictions`),
is it of these sources, does a repetition at its own seed give its numbers, and does one at a seed
that nobody could know before (fresh points, fresh primes) give its status.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from qrun_equiv.certificate import (
    STRENGTHS,
    Certificate,
    Check,
    Status,
    Verdict,
    structure_fault,
)
from qrun_equiv.contradictions import contradictions
from qrun_equiv.errors import CertificateError, QrunEquivError
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.digest import digest
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.pair import Pair
from qrun_equiv.verification import verify

T = TypeVar("T")

#: A recomputed error may differ from the recorded one as rounding does on another machine: what is
#: rounding by the first factor, what is amplified rounding by the second, what is larger by a part
#: of itself.
_ROUNDING, _ROUNDING_FACTOR = 3e-14, 1e3
_AMPLIFIED, _AMPLIFIED_FACTOR = 3e-11, 30.0
_OF_ITSELF = 1e-4
#: Numbers of a witness: absolute, and as a part of themselves.
_WITNESS = (1e-9, 1e-6)
_FRESH_BITS = 63
#: What a comparison raises where its settings do not fit the sources.
_BROKEN = (
    QrunEquivError, KeyError, TypeError, ValueError, AttributeError, ArithmeticError, MemoryError,
)  # fmt: skip


def recheck(
    certificate: Certificate | str | Path,
    circuit: Any,
    counterpart: Any,
    *,
    observable: Any = None,
) -> Verdict:
    """Repeat a comparison from its certificate, then once more from a fresh seed.

    What was compared (domain, data, gradients, parameters) is what the certificate says; for a
    pair, :func:`recheck_pair` also holds it to what the pair says. The fresh seed is the operating
    system's, so nothing can have been made to fit the primes and points that follow from it. A
    refutation is not tried at one: its witness is conclusive.

    Args:
        certificate: the certificate, or the path of a saved one.
        circuit: as for :func:`qrun_equiv.verify`.
        counterpart: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.

    Returns:
        The verdict of the repetition, whose status is the certificate's.

    Raises:
        CertificateError: the certificate breaks the format or contradicts itself, the circuit, the
            counterpart or its weights are not the certified ones, the repetition gives other
            numbers or another status, or a fresh seed does.
    """
    old = _loaded(certificate)
    settings = old.settings
    shape = tuple(settings["n_parameters"])
    sizes = (settings["n_features"], shape[0] if len(shape) == 1 else shape)

    def repeat(seed: int) -> Verdict:
        return verify(
            circuit,
            counterpart,
            n_features=sizes[0],
            n_parameters=sizes[1],
            observable=observable,
            domain=settings["domain"],
            parameters=settings["parameters"],
            data=settings["data"],
            trained=settings["trained"],
            gradients=tuple(settings["gradients"]),
            epsilon=settings["epsilon"],
            shots=settings["shots"],
            level=settings["level"],
            seed=seed,
        )

    found = _attempt(lambda: _digests(circuit, counterpart, observable, *sizes))
    return _recheck(old, found, repeat)


def recheck_pair(certificate: Certificate | str | Path, pair: Pair) -> Verdict:
    """Repeat a pair's verification, with the pair's own domain, data and gradients.

    Raises:
        CertificateError: as for :func:`recheck`; also where the certificate is of another pair, or
            was made with other settings than the pair's.
    """
    old = _loaded(certificate)
    if old.pair != pair.name:
        msg = f"the certificate is of the pair {old.pair!r}, not of {pair.name!r}"
        raise CertificateError(msg)
    found = _attempt(
        lambda: _digests(
            pair.circuits(), pair.counterpart, pair.observable, pair.n_features, pair.n_parameters
        )
    )
    level = old.settings["level"]
    return _recheck(old, found, lambda seed: pair.verify(level=level, seed=seed))


def _loaded(certificate: Certificate | str | Path) -> Certificate:
    """A certificate that fits the format and agrees with itself."""
    if not isinstance(certificate, Certificate):
        certificate = Certificate.load(certificate)
    fault = structure_fault(certificate.to_json()) or next(contradictions(certificate), "")
    if fault:
        msg = f"the certificate was edited or is broken: {fault}; verify again"
        raise CertificateError(msg)
    return certificate


def _digests(
    circuit: Any, counterpart: Any, observable: Any, n_features: Any, n_parameters: Any
) -> dict[str, str]:
    """Digests of the sources at hand, without running them."""
    circuits, sizes = circuit_sources(circuit, observable, n_features, n_parameters)
    theirs = CounterpartSource(counterpart, sizes)
    found = {source.name: digest(source.fingerprint()) for source in circuits}
    return found | {theirs.name: digest(theirs.fingerprint())}


def _recheck(
    old: Certificate, found: Mapping[str, str], repeat: Callable[[int], Verdict]
) -> Verdict:
    _compare_digests(old, found)
    seed = old.settings["seed"]
    verdict = _attempt(lambda: repeat(seed))
    new = verdict.certificate
    try:
        _compare(old, new)
    except CertificateError as error:
        others = [
            f"{name} {version}, here {new.versions.get(name)}"
            for name, version in old.versions.items()
            if version != new.versions.get(name)
        ]
        hint = f" (it was made with {'; '.join(others)})" if others else ""
        msg = f"{error}{hint}"
        raise CertificateError(msg) from error
    if old.status is Status.REFUTED:
        return verdict
    seed = secrets.randbits(_FRESH_BITS)
    fresh = _attempt(lambda: repeat(seed))
    if fresh.status is not old.status:
        msg = f"at the fresh seed {seed} it is {fresh.status.value}, not {old.status.value}"
        raise CertificateError(msg)
    return verdict


def _attempt(work: Callable[[], T]) -> T:
    try:
        return work()
    except CertificateError:
        raise
    except _BROKEN as error:
        msg = f"the comparison can't be repeated from this certificate: {error!s:.300}"
        raise CertificateError(msg) from error


def _compare(old: Certificate, new: Certificate) -> None:
    """Refuse a certificate that is not what its own comparison gives again."""
    _compare_digests(old, new.digests)
    same_versions = old.versions == new.versions
    for name in sorted({*old.settings, *new.settings}):
        if name == "simulators" and not same_versions:  # their names carry versions
            continue
        if old.settings.get(name) != new.settings.get(name):
            msg = f"the certificate was made with another {name} than this comparison's"
            raise CertificateError(msg)
    if old.status is not new.status:
        msg = f"the certificate says {old.status.value}, the repetition {new.status.value}"
        raise CertificateError(msg)
    if (old.reason, tuple(old.notes)) != (new.reason, tuple(new.notes)):
        msg = "the certificate's reason or notes are not those of the repetition"
        raise CertificateError(msg)
    _compare_checks(old, new)
    _compare_witness(old, new)


def _compare_digests(old: Certificate, found: Mapping[str, str]) -> None:
    for name in sorted({*old.digests, *found}):
        if old.digests.get(name) != found.get(name):
            msg = f"the certificate is not of this {name}: its digest differs; verify again"
            raise CertificateError(msg)


def _compare_checks(old: Certificate, new: Certificate) -> None:
    def key(check: Check) -> tuple[Any, ...]:
        return (
            check.name, check.between, check.status, check.evaluations, check.scope, check.note,
        )  # fmt: skip

    if [key(c) for c in old.checks] != [key(c) for c in new.checks]:
        msg = "the certificate lists other checks than the repetition makes; verify again"
        raise CertificateError(msg)
    for before, after in zip(old.checks, new.checks, strict=True):
        if not _close(before.bound, after.bound) or not _same_error(before, after):
            msg = (
                f"the check {before.name!r} of {' and '.join(before.between)} records the error "
                f"{before.error} within {before.bound}; the repetition gives {after.error} within "
                f"{after.bound}"
            )
            raise CertificateError(msg)


def _compare_witness(old: Certificate, new: Certificate) -> None:
    one, two = old.counterexample, new.counterexample
    if one is None or two is None:
        if one is not two:
            msg = "only one of the certificate and the repetition has a counterexample"
            raise CertificateError(msg)
        return
    texts = [
        (w.kind, w.between, w.output, w.component, w.diagnosis, list(w.values), list(w.replay))
        for w in (one, two)
    ]
    numbers = [
        (*w.features, *w.parameters, *w.values.values(), w.relative, *w.replay.values())
        for w in (one, two)
    ]
    same = texts[0] == texts[1] and len(numbers[0]) == len(numbers[1])
    if not same or not all(_close(a, b, *_WITNESS) for a, b in zip(*numbers, strict=True)):
        msg = "the counterexample of the certificate is not the one that the repetition finds"
        raise CertificateError(msg)


def _same_error(before: Check, after: Check) -> bool:
    """Exact and ball arithmetic repeat alike on every machine; rounding does not.

    A recorded 0 where there is some rounding is refused, and the reverse.
    """
    recorded, found = before.error, after.error
    if recorded is None or found is None:
        return recorded is found
    if _close(recorded, found):
        return True
    low, high = sorted((recorded, found))
    if before.name in STRENGTHS or high > _AMPLIFIED:
        return False
    return high <= low * (_ROUNDING_FACTOR if high <= _ROUNDING else _AMPLIFIED_FACTOR)


def _close(one: float, two: float, slack: float = 0.0, part: float = _OF_ITSELF) -> bool:
    if str(one) == str(two):  # also where both are infinite, or no numbers
        return True
    return math.isfinite(two) and abs(one - two) <= max(slack, part * abs(two))
