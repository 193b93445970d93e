"""Certificates: what a verdict rests on, saved as JSON.

The format is ``qrun_equiv/schema/certificate.schema.json``. What a reader needs besides stands in
:mod:`qrun_equiv.conclusions` (checks, witnesses) and :mod:`qrun_equiv.verdict`; their names can be
imported from here.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from qrun_equiv.conclusions import (
    BOUND,
    EQUIVALENT,
    FEATURES,
    IDENTITY,
    KINDS,
    LINKS,
    OUTPUTS,
    OUTSIDE,
    PARAMETERS,
    SHOTS,
    SPECTRUM,
    STRENGTHS,
    Check,
    Counterexample,
    Status,
)
from qrun_equiv.errors import CertificateError
from qrun_equiv.files import write_atomically
from qrun_equiv.json_schema import certificate_schema, faults
from qrun_equiv.verdict import Verdict

__all__ = [
    "BOUND", "EQUIVALENT", "FEATURES", "IDENTITY", "KINDS", "LINKS", "OUTPUTS", "OUTSIDE",
    "PARAMETERS", "SCHEMA", "SHOTS", "SPECTRUM", "STRENGTHS", "Certificate", "Check",
    "Counterexample", "Status", "Verdict",
]  # fmt: skip

#: Version of the format. 2: identities, bounds, ``epsilon``; what is not finite stands as text.
SCHEMA = 2
_KIND = "qrun-equiv certificate"


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
            "kind": _KIND,
            "pair": self.pair,
            "status": self.status.value,
            "reason": self.reason,
            "notes": list(self.notes),
            "checks": [_check_json(c) for c in self.checks],
            "counterexample": _witness_json(self.counterexample),
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
            CertificateError: the file is missing, corrupt, edited, of an unknown schema, or does
                not fit the schema.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
            body = json.loads(text, parse_constant=_no_number, object_pairs_hook=_no_duplicates)
        except OSError as error:
            _refuse(f"can't read the certificate {path}: {error.strerror or error}", error)
        except (ValueError, RecursionError) as error:
            _refuse(f"{path} is not a certificate: it is no JSON ({error}); verify again", error)
        if not isinstance(body, dict) or body.get("kind") != _KIND:
            _refuse(f"{path} is JSON, but not a certificate of qrun-equiv")
        version = body.get("schema")
        if version != SCHEMA:
            older = isinstance(version, int) and version < SCHEMA
            hint = "it is of an earlier version: verify again" if older else "is it of a later one?"
            _refuse(
                f"{path} has certificate schema {version!r}; this version reads {SCHEMA}; {hint}"
            )
        checksum = body.pop("checksum", None)
        if checksum != _checksum(body):
            _refuse(f"{path} was edited or damaged: its checksum does not fit; verify again")
        fault = structure_fault({**body, "checksum": checksum})
        if fault:
            _refuse(f"{path} is a broken certificate: {fault}; verify again")
        return _from_json(body)


def structure_fault(body: Any) -> str:
    """The first way in which a certificate's JSON form breaks the format; empty where none."""
    fault = next(faults(body, certificate_schema()), "")
    if fault or body["counterexample"] is None:
        return fault
    witness = _witness(body["counterexample"])
    if set(witness.values) != set(witness.between):
        return "the counterexample's values are not those of the two sources that it names"
    if _plain(witness.difference) != body["counterexample"]["difference"]:
        return "the counterexample's difference is not that of its values"
    return ""


def _refuse(message: str, cause: Exception | None = None) -> NoReturn:
    raise CertificateError(message) from cause


def _no_number(text: str) -> NoReturn:
    msg = f"{text} is no JSON number"
    raise ValueError(msg)


def _no_duplicates(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, whose entries another reader might read otherwise if a name came twice."""
    found = dict(items)
    if len(found) != len(items):
        msg = "an object names an entry twice"
        raise ValueError(msg)
    return found


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(number: float | None) -> float | str | None:
    """A number as JSON has it; text where it is not finite."""
    return number if number is None or math.isfinite(number) else str(number)


def _check_json(check: Check) -> dict[str, Any]:
    return {**asdict(check), "between": list(check.between), "error": _plain(check.error)}


def _witness_json(witness: Counterexample | None) -> dict[str, Any] | None:
    if witness is None:
        return None
    body = {name: getattr(witness, name) for name in witness.__dataclass_fields__}
    for name in ("between", "features", "parameters"):
        body[name] = list(body[name])
    for name in ("values", "replay"):
        body[name] = {source: _plain(number) for source, number in body[name].items()}
    body["relative"] = _plain(witness.relative)
    return {**body, "difference": _plain(witness.difference)}


def _from_json(body: Mapping[str, Any]) -> Certificate:
    """From JSON that fits the schema."""
    witness = body["counterexample"]
    return Certificate(
        status=Status(body["status"]),
        checks=tuple(_check(item) for item in body["checks"]),
        counterexample=None if witness is None else _witness(witness),
        digests=body["digests"],
        settings=body["settings"],
        versions=body["versions"],
        reason=body["reason"],
        notes=tuple(body["notes"]),
        pair=body["pair"],
    )


def _check(item: Mapping[str, Any]) -> Check:
    error = item["error"]
    made = Check(**{**item, "between": tuple(item["between"])})
    return made if error is None else replace(made, error=float(error))


def _witness(item: Mapping[str, Any]) -> Counterexample:
    kept = {k: v for k, v in item.items() if k != "difference"}
    for name in ("between", "features", "parameters"):
        kept[name] = tuple(kept[name])
    for name in ("values", "replay"):
        kept[name] = {source: float(number) for source, number in kept[name].items()}
    kept["relative"] = float(kept["relative"])
    return Counterexample(**kept)
