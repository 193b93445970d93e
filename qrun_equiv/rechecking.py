"""Check a certificate again, from its numbers and the pair alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qrun_equiv.certificate import Certificate, Check, Status, Verdict
from qrun_equiv.errors import CertificateError, QrunEquivError
from qrun_equiv.pair import Pair
from qrun_equiv.verification import LEVELS, verify

#: A recomputed error may differ from the recorded one by rounding on another machine: rounding
#: itself by a factor and an absolute amount, everything larger by a part of itself.
_FACTOR, _ROUNDING, _OF_ITSELF = 30.0, 3e-14, 1e-4
_FRESH = 0x5EED


def recheck(
    certificate: Certificate | str | Path,
    circuit: Any,
    counterpart: Any,
    *,
    observable: Any = None,
) -> Verdict:
    """Repeat a comparison from its certificate, then once more from a fresh seed.

    What was compared (domain, data, gradients, parameters) is what the certificate says; for a
    pair, :func:`recheck_pair` also holds it to what the pair says.

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
    old = _loaded(certificate)

    def repeat(seed: int) -> Verdict:
        return _repeat(old.settings, circuit, counterpart, observable, seed)

    return _recheck(old, repeat)


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

    def repeat(seed: int) -> Verdict:
        level = old.settings.get("level", "auto")
        return pair.verify(level=level if level in LEVELS else "auto", seed=seed)

    return _recheck(old, repeat)


def _loaded(certificate: Certificate | str | Path) -> Certificate:
    return certificate if isinstance(certificate, Certificate) else Certificate.load(certificate)


def _recheck(old: Certificate, repeat: Callable[[int], Verdict]) -> Verdict:
    seed = old.settings.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        msg = f"the certificate has the seed {seed!r}; verify again"
        raise CertificateError(msg)
    verdict = _attempt(repeat, seed)
    new = verdict.certificate
    for name in sorted({*old.digests, *new.digests}):
        if old.digests.get(name) != new.digests.get(name):
            msg = f"the certificate is not of this {name}: its digest differs; verify again"
            raise CertificateError(msg)
    for name in sorted({*old.settings, *new.settings}):
        if name != "simulators" and old.settings.get(name) != new.settings.get(name):
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
    fresh = _attempt(repeat, seed + _FRESH)
    if fresh.status is not old.status:
        msg = f"at a fresh seed the verdict is {fresh.status.value}, not {old.status.value}"
        raise CertificateError(msg)
    return verdict


def _attempt(repeat: Callable[[int], Verdict], seed: int) -> Verdict:
    try:
        return repeat(seed)
    except CertificateError:
        raise
    except (QrunEquivError, KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"the comparison can't be repeated from this certificate: {error!s:.300}"
        raise CertificateError(msg) from error


def _repeat(
    settings: Mapping[str, Any], circuit: Any, counterpart: Any, observable: Any, seed: int
) -> Verdict:
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
        epsilon=settings["epsilon"],
        level=settings["level"],
        seed=seed,
    )


def _compare_checks(old: Certificate, new: Certificate) -> None:
    def key(check: Check) -> tuple[Any, ...]:
        return (
            check.name, check.between, check.status, check.evaluations, check.scope, check.note,
        )  # fmt: skip

    if [key(c) for c in old.checks] != [key(c) for c in new.checks]:
        msg = "the certificate lists other checks than the repetition makes; verify again"
        raise CertificateError(msg)
    for before, after in zip(old.checks, new.checks, strict=True):
        fits = _close(before.bound, after.bound)
        if before.error is not None and after.error is not None:
            fits = fits and _same_error(before.error, after.error)
        if not fits or (before.error is None) != (after.error is None):
            msg = (
                f"the check {before.name!r} of {' and '.join(before.between)} records the error "
                f"{before.error} within {before.bound}; the repetition gives {after.error} within "
                f"{after.bound}"
            )
            raise CertificateError(msg)


def _compare_witness(old: Certificate, new: Certificate) -> None:
    one, two = old.counterexample, new.counterexample
    if one is None and two is None and old.status is not Status.REFUTED:
        return
    if old.status is not Status.REFUTED:
        msg = f"a certificate of {old.status.value} can't have a counterexample"
        raise CertificateError(msg)
    if one is None or two is None:
        msg = "the certificate refutes without a counterexample"
        raise CertificateError(msg)
    texts = [
        (w.kind, w.between, w.output, w.component, w.diagnosis, list(w.values), list(w.replay))
        for w in (one, two)
    ]
    numbers = [
        (*w.features, *w.parameters, *w.values.values(), w.relative, *w.replay.values())
        for w in (one, two)
    ]
    same = texts[0] == texts[1] and len(numbers[0]) == len(numbers[1])
    if not same or not all(_close(a, b, 1e-9) for a, b in zip(*numbers, strict=True)):
        msg = "the counterexample of the certificate is not the one that the repetition finds"
        raise CertificateError(msg)


def _same_error(recorded: float, found: float) -> bool:
    """Rounding differs from machine to machine; a recorded 0 where there is some is refused."""
    if _close(recorded, found):
        return True
    if max(recorded, found) > _ROUNDING:
        small = max(recorded, found) < 1e3 * _ROUNDING
        return small and min(recorded, found) * _FACTOR >= max(recorded, found)
    return (recorded == 0.0) == (found == 0.0)


def _close(one: float, two: float, slack: float = 0.0) -> bool:
    return abs(one - two) <= max(slack, _OF_ITSELF * abs(two))
