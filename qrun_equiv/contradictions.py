"""What is wrong with a certificate by itself: found before anything is run.

A verdict follows from its checks. Where it does not, the file was edited, and no repetition is
needed to see it. What agrees with itself may still be forged: :mod:`qrun_equiv.rechecking` repeats.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from qrun_equiv.certificate import (
    BOUND,
    IDENTITY,
    KINDS,
    LINKS,
    OUTPUTS,
    OUTSIDE,
    SHOTS,
    Certificate,
    Check,
    Counterexample,
    Status,
)

_COUNTERPART = "counterpart"
_NEUTRAL, _, _DEFINITIONS = LINKS
#: Checks that all have to pass.
_DECISIVE = (*KINDS, SHOTS)
#: Levels at which a verdict of each strength can be reached.
_LEVELS = {
    Status.PROVED: ("auto", "certified", "proved"),
    Status.CERTIFIED: ("auto", "certified"),
    Status.SAMPLED: ("auto", "sampled"),
}


def contradictions(certificate: Certificate) -> Iterator[str]:
    """What a certificate says that can't be true, in words; nothing where it agrees with itself.

    Args:
        certificate: one that fits the schema.
    """
    settings = certificate.settings
    if "level" not in settings:
        yield "nothing was run, so there is nothing to repeat"
        return
    sources = set(certificate.digests)
    if sources != set(settings["simulators"]) or _COUNTERPART not in sources:
        yield "it has digests of other sources than were compared"
    yield from _sizes(settings)
    if any(c.name == SHOTS for c in certificate.checks) and settings["shots"] is None:
        yield "it has a check of sampled values without a number of shots"
    for check in certificate.checks:
        yield from _check(check, sources)
    yield from _witness(certificate)
    if certificate.status is Status.UNDECIDED:
        if not certificate.reason:
            yield "it is undecided without a reason"
        return
    if certificate.reason:
        yield f"it is {certificate.status.value} and has a reason for being undecided"
    compared = {frozenset(c.between) for c in certificate.checks if c.name == OUTPUTS}
    if not {frozenset(p) for p in itertools.combinations(sources, 2)} <= compared:
        yield "it does not compare the outputs of all sources"
    yield from _strength(certificate, sorted(sources - {_COUNTERPART}))


def _sizes(settings: Mapping[str, Any]) -> Iterator[str]:
    features, parameters = settings["n_features"], math.prod(settings["n_parameters"])
    trained = settings["trained"]
    for name, vectors, size in (
        ("data", settings["data"], features),
        ("parameters", settings["parameters"], parameters),
        ("trained", None if trained is None else [trained], parameters),
    ):
        if any(len(vector) != size for vector in vectors or ()):
            yield f"its {name} are not vectors of length {size}"
    domain = settings["domain"]
    if domain is not None and (len(domain) != features or any(a >= b for a, b in domain)):
        yield f"its domain is none of {features} feature(s)"


def _check(check: Check, sources: set[str]) -> Iterator[str]:
    where = f"the check {check.name!r} of {' and '.join(check.between)}"
    passed = check.status == "passed"
    if check.error is not None and bool(check.error <= check.bound) is not passed:
        yield f"{where} {check.status} with the error {check.error} and the bound {check.bound}"
    allowed = {*sources, OUTSIDE}
    if check.name in {IDENTITY, BOUND}:
        allowed = {_COUNTERPART, *(f"{_NEUTRAL} of {name}" for name in sources)}
    elif check.name not in KINDS:
        return
    if not allowed.issuperset(check.between):
        yield f"{where} names a source that was not compared"


def _witness(certificate: Certificate) -> Iterator[str]:
    witness = certificate.counterexample
    if witness is None:
        if certificate.status is Status.REFUTED:
            yield "it refutes without a counterexample"
        return
    if certificate.status is not Status.REFUTED:
        yield f"a certificate of {certificate.status.value} can't have a counterexample"
    settings = certificate.settings
    sizes = (settings["n_features"], math.prod(settings["n_parameters"]))
    if (len(witness.features), len(witness.parameters)) != sizes:
        yield "the counterexample has not as many features and parameters as were compared"
    if not any(_found_by(check, witness) for check in certificate.checks):
        yield "no failed check found this counterexample"


def _found_by(check: Check, witness: Counterexample) -> bool:
    same = (check.name, check.between) == (witness.kind, witness.between)
    return same and check.status == "failed" and check.error == witness.relative


def _strength(certificate: Certificate, circuits: list[str]) -> Iterator[str]:
    """Whether the checks carry the status."""
    status, settings = certificate.status, certificate.settings
    failed = [c for c in certificate.checks if c.status == "failed" and c.name in _DECISIVE]
    if status is Status.REFUTED:
        return  # by its witness
    if failed:
        yield f"it is {status.value}, and the check {failed[0].name!r} failed"
    if settings["level"] not in _LEVELS[status]:
        yield f"{status.value} is no verdict at the level {settings['level']!r}"
    if status is Status.PROVED and settings["epsilon"] is not None:
        yield "an approximation can't be proved"
    for name in circuits:
        yield from _links(certificate, name)


def _links(certificate: Certificate, circuit: str) -> Iterator[str]:
    """What proved and certified need of every circuit."""
    status, form = certificate.status, f"{_NEUTRAL} of {circuit}"
    needed: list[tuple[str, tuple[str, ...], int]] = [(_NEUTRAL, (_NEUTRAL, circuit), 1)]
    if status is Status.PROVED:
        needed += [(IDENTITY, (_COUNTERPART, form), 1), (_DEFINITIONS, (), 1)]
    elif status is Status.CERTIFIED:
        vectors = certificate.settings["parameters"] or [None]
        needed += [(BOUND, (_COUNTERPART, form), len(vectors)), (_DEFINITIONS, (), 1)]
    else:
        return
    for name, between, count in needed:
        made = [
            c for c in certificate.checks if c.name == name and c.between[: len(between)] == between
        ]
        if len(made) < count or any(c.status != "passed" for c in made):
            yield f"it is {status.value} without a passed check {name!r} of {circuit}"
