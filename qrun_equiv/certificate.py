"""Verdicts and what they rest on: checks, counterexamples, and certificates saved as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn

from qrun_equiv.errors import CertificateError
from qrun_equiv.files import write_atomically

SCHEMA = 1


class Status(StrEnum):
    """How strong a verdict is."""

    PROVED = "proved"
    CERTIFIED = "certified"
    SAMPLED = "sampled"
    REFUTED = "refuted"
    UNDECIDED = "undecided"

    @property
    def meaning(self) -> str:
        """One sentence for a person."""
        return _MEANING[self]


_MEANING = {
    Status.PROVED: "an identity for all features and parameters, by exact arithmetic",
    Status.CERTIFIED: "a bound on the difference for all features of the domain, rounding included",
    Status.SAMPLED: "agreement at seeded random points of features and parameters; no proof",
    Status.REFUTED: "they differ: there is a witness, replayed in a second simulator",
    Status.UNDECIDED: "no conclusion; the reason is given",
}

EQUIVALENT = frozenset({Status.PROVED, Status.CERTIFIED, Status.SAMPLED})

#: The kinds of comparison, in the order in which they are made and reported.
OUTPUTS = "outputs"
FEATURES = "gradient wrt features"
PARAMETERS = "gradient wrt parameters"
SPECTRUM = "spectrum"
KINDS = (OUTPUTS, FEATURES, PARAMETERS, SPECTRUM)
#: Stands for the second source where a source is held to the circuit's own frequencies.
OUTSIDE = "accessible frequencies"
#: What holds for every input: an identity by exact arithmetic, a bound on the difference.
IDENTITY = "identity"
BOUND = "bound for all x"
STRENGTHS = (IDENTITY, BOUND)
#: Sampled expectation values, where shots were asked for.
SHOTS = "shots"
#: Links between one circuit's own representations: neutral form, second differentiation method,
#: the gates' definitions in PennyLane and Qiskit.
LINKS = ("neutral form", "native gradients", "gate definitions")


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of two sources.

    Attributes:
        name: one of :data:`STRENGTHS`, :data:`KINDS`, :data:`SHOTS` or :data:`LINKS`.
        between: names of the two sources.
        scope: what was covered, for a person.
        error: largest relative error measured (``None`` where the check was skipped).
        bound: the tolerance it was held to.
        evaluations: number of points.
        status: ``"passed"``, ``"failed"`` or ``"skipped"``.
        note: why it was skipped, or what to know.
    """

    name: str
    between: tuple[str, str]
    scope: str
    error: float | None
    bound: float
    evaluations: int
    status: str
    note: str = ""

    @staticmethod
    def skipped(name: str, between: tuple[str, str], note: str) -> Check:
        """A check that could not be made, and why."""
        return Check(name, between, "not made", None, 0.0, 0, "skipped", note)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A witness of a difference.

    Attributes:
        kind: which comparison failed, one of :data:`KINDS`.
        between: the two sources that differ.
        features: ``x`` at the witness, radians where unscaled.
        parameters: ``theta`` at the witness, flattened.
        output: index of the output.
        component: which derivative or Fourier coefficient, for a person; empty for outputs.
        values: what each of the two sources gives there.
        relative: the difference, relative to the scale of what is compared.
        replay: the same quantity from other simulators or methods, by name.
        diagnosis: one sentence on what differs.
    """

    kind: str
    between: tuple[str, str]
    features: tuple[float, ...]
    parameters: tuple[float, ...]
    output: int
    component: str
    values: Mapping[str, float]
    relative: float
    replay: Mapping[str, float] = field(default_factory=dict)
    diagnosis: str = ""

    @property
    def difference(self) -> float:
        """Absolute difference of the two values."""
        left, right = (self.values[name] for name in self.between)
        return abs(left - right)

    def __str__(self) -> str:
        left, right = self.between
        what = f"{self.kind}{' ' + self.component if self.component else ''}, output {self.output}"
        return (
            f"{what}: {left} {self.values[left]:+.12g}, {right} {self.values[right]:+.12g} "
            f"(difference {self.difference:.3g}) at x={_short(self.features)}, "
            f"theta={_short(self.parameters)}. {self.diagnosis}"
        ).rstrip()


def _short(values: Sequence[float], most: int = 4) -> str:
    shown = ", ".join(f"{v:.6g}" for v in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"


@dataclass(frozen=True, slots=True)
class Certificate:
    """Everything needed to check a verdict again.

    Attributes:
        status: the verdict's status.
        checks: the checks, with every measured number.
        counterexample: the witness of a refutation.
        digests: SHA-256 of each source (function text, weights, circuit).
        settings: seed, level, domain, parameters, data rows: the sampling can be repeated from it.
        versions: of the project and the libraries.
        reason: why undecided.
        notes: what else a reader has to know (why no stronger level).
        pair: name of the pair, where it came from one.
    """

    status: Status
    checks: tuple[Check, ...]
    counterexample: Counterexample | None
    digests: Mapping[str, str]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    reason: str = ""
    notes: tuple[str, ...] = ()
    pair: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON form with schema version and a checksum over the rest."""
        body = {
            "schema": SCHEMA,
            "kind": "qrun-equiv certificate",
            "pair": self.pair,
            "status": self.status.value,
            "reason": self.reason,
            "notes": list(self.notes),
            "checks": [check_json(c) for c in self.checks],
            "counterexample": counterexample_json(self.counterexample),
            "digests": dict(self.digests),
            "settings": dict(self.settings),
            "versions": dict(self.versions),
        }
        return {**body, "checksum": _checksum(body)}

    def save(self, path: str | Path) -> Path:
        """Write as JSON, atomically.

        Raises:
            CertificateError: the folder can't be written.
        """
        try:
            return write_atomically(path, json.dumps(self.to_json(), indent=1) + "\n")
        except OSError as error:
            msg = f"can't write the certificate {path}: {error.strerror or error}"
            raise CertificateError(msg) from error

    @staticmethod
    def load(path: str | Path) -> Certificate:
        """Read a saved certificate.

        Raises:
            CertificateError: the file is missing, corrupt, edited, or of an unknown schema.
        """
        try:
            body = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            _refuse(f"can't read the certificate {path}: {error.strerror or error}", error)
        except ValueError as error:
            _refuse(f"{path} is not a certificate: it is no JSON ({error}); verify again", error)
        if not isinstance(body, dict) or body.get("kind") != "qrun-equiv certificate":
            _refuse(f"{path} is JSON, but not a certificate of qrun-equiv")
        if body.get("schema") != SCHEMA:
            _refuse(
                f"{path} has certificate schema {body.get('schema')!r}; this version reads {SCHEMA}"
            )
        checksum = body.pop("checksum", None)
        if checksum != _checksum(body):
            _refuse(f"{path} was edited or damaged: its checksum does not fit; verify again")
        try:
            return _from_json(body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            _refuse(f"{path} is a broken certificate ({error!r}); verify again", error)


def _refuse(message: str, cause: Exception | None = None) -> NoReturn:
    raise CertificateError(message) from cause


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_json(check: Check) -> dict[str, Any]:
    """JSON form of a check."""
    return {**asdict(check), "between": list(check.between)}


def counterexample_json(witness: Counterexample | None) -> dict[str, Any] | None:
    """JSON form of a witness (``None`` stays ``None``)."""
    if witness is None:
        return None
    body = {name: getattr(witness, name) for name in witness.__dataclass_fields__}
    for name in ("between", "features", "parameters"):
        body[name] = list(body[name])
    body["values"], body["replay"] = dict(witness.values), dict(witness.replay)
    return {**body, "difference": witness.difference}


def _from_json(body: Mapping[str, Any]) -> Certificate:
    def check(item: Mapping[str, Any]) -> Check:
        numbers = (item["error"], item["bound"], item["evaluations"])
        if any(isinstance(n, bool) or not isinstance(n, int | float | None) for n in numbers):
            msg = f"the check {item['name']!r} has {numbers}, which are not numbers"
            raise TypeError(msg)
        return Check(**{**item, "between": tuple(item["between"])})

    for name in ("digests", "settings", "versions"):
        if not isinstance(body[name], dict):
            msg = f"{name} is no object"
            raise TypeError(msg)

    witness = body["counterexample"]
    if witness is not None:
        kept = {k: v for k, v in witness.items() if k != "difference"}
        for name in ("between", "features", "parameters"):
            kept[name] = tuple(kept[name])
        witness = Counterexample(**kept)
    return Certificate(
        status=Status(body["status"]),
        checks=tuple(check(c) for c in body["checks"]),
        counterexample=witness,
        digests=body["digests"],
        settings=body["settings"],
        versions=body["versions"],
        reason=body["reason"],
        notes=tuple(body["notes"]),
        pair=body["pair"],
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison concluded.

    Attributes:
        status: the strength; see :class:`Status`.
        certificate: what it rests on.
        seconds: wall time of the comparison.
    """

    status: Status
    certificate: Certificate
    seconds: float

    @property
    def equivalent(self) -> bool:
        """True for ``proved``, ``certified`` and ``sampled``."""
        return self.status in EQUIVALENT

    def __bool__(self) -> NoReturn:
        msg = "a Verdict has no truth value: ask verdict.equivalent or verdict.status"
        raise TypeError(msg)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that were made."""
        return self.certificate.checks

    @property
    def counterexample(self) -> Counterexample | None:
        """The witness of a refutation."""
        return self.certificate.counterexample

    @property
    def reason(self) -> str:
        """Why undecided; empty otherwise."""
        return self.certificate.reason

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a reader has to know."""
        return self.certificate.notes

    @property
    def seed(self) -> int:
        """Seed of the random points."""
        return int(self.certificate.settings.get("seed", 0))

    def worst(self, name: str) -> float | None:
        """Largest error of one kind of check over all pairs of sources; ``None`` if not made."""
        errors = [c.error for c in self.checks if c.name == name and c.error is not None]
        return max(errors, default=None)

    def __str__(self) -> str:
        lines = [f"{self.status.value}: {self.status.meaning}"]
        for name in (*STRENGTHS, *KINDS, SHOTS, *LINKS):
            lines += [f"  {line}" for line in _summary(self.checks, name)]
        if self.counterexample is not None:
            lines.append(f"  witness: {self.counterexample}")
        if self.reason:
            lines.append(f"  reason: {self.reason}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def _summary(checks: Sequence[Check], name: str) -> list[str]:
    lines = []
    for check in checks:
        if check.name != name:
            continue
        who = " vs ".join(check.between)
        if check.status == "skipped":
            lines.append(f"{name:24} {who}: not made ({check.note})")
        else:
            mark = "ok  " if check.status == "passed" else "FAIL"
            lines.append(f"{name:24} {mark} {check.error:.1e} <= {check.bound:.0e}  {who}")
    return lines
