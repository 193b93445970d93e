"""Verdicts and certificates: what is saved comes back, and what was edited is refused."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from helpers import serial_counterpart, serial_qnode

import qrun_equiv as qe
from qrun_equiv import certificate as module
from qrun_equiv.certificate import (
    KINDS,
    LINKS,
    SCHEMA,
    SHOTS,
    STRENGTHS,
    Certificate,
    Check,
    Status,
    _checksum,
)
from qrun_equiv.contradictions import contradictions
from qrun_equiv.errors import CertificateError
from qrun_equiv.json_schema import certificate_schema, faults
from qrun_equiv.pair import catalogue_folder, collect
from qrun_equiv.runner import run_pair
from qrun_equiv.verification import LEVELS, versions

VALIDATOR = jsonschema.Draft202012Validator(certificate_schema())


@pytest.fixture(scope="module")
def verdicts():
    circuit = serial_qnode()
    return {
        "proved": qe.verify(circuit, serial_counterpart),
        "certified": qe.verify(
            circuit,
            lambda x, t: serial_counterpart(x, t) + 1e-3,
            parameters=[0.1, 0.2, 0.3],
            epsilon=2e-3,
            domain=(-3, 3),
        ),
        "sampled": qe.verify(circuit, serial_counterpart, level="sampled"),
        "refuted": qe.verify(circuit, lambda x, t: serial_counterpart(2 * x, t)),
        "undecided": qe.verify(circuit, lambda x, t: serial_counterpart(x, t) / 0),
    }


STATUSES = [status.value for status in Status]


@pytest.mark.parametrize("status", STATUSES)
def test_round_trip(verdicts, status, tmp_path):
    certificate = verdicts[status].certificate
    assert verdicts[status].status == status
    path = certificate.save(tmp_path / "deep" / "c.json")
    assert Certificate.load(path) == certificate


def test_numbers_that_are_not_finite_come_back(verdicts, tmp_path):
    """JSON has none: they stand as text."""
    certificate = verdicts["refuted"].certificate
    witness = certificate.counterexample
    found = replace(witness, replay={**witness.replay, "overflow": float("-inf")})
    endless = replace(certificate.checks[0], error=float("inf"), status="failed")
    edited = replace(certificate, counterexample=found, checks=(endless, *certificate.checks[1:]))
    path = edited.save(tmp_path / "c.json")
    assert "Infinity" not in path.read_text()
    assert Certificate.load(path) == edited


def test_what_is_written_down(verdicts):
    body = verdicts["refuted"].certificate.to_json()
    assert body["schema"] == SCHEMA == 2
    assert set(body["digests"]) == {"pennylane", "counterpart"}
    assert all(len(d) == 64 for d in body["digests"].values())
    assert {"python", "qrun-equiv", "pennylane", "qiskit", "torch", "numpy", "python-flint"} == set(
        body["versions"]
    )
    assert body["settings"]["seed"] == 0
    assert body["settings"]["simulators"]["pennylane"].startswith("PennyLane")
    check = body["checks"][0]
    assert {"name", "between", "scope", "error", "bound", "evaluations", "status"} <= set(check)
    witness = body["counterexample"]
    assert witness["difference"] == pytest.approx(
        abs(witness["values"]["counterpart"] - witness["values"]["pennylane"])
    )
    json.dumps(body)


def test_every_status_has_a_meaning():
    for status in Status:
        assert len(status.meaning) > 20
    assert str(Status.PROVED) == "proved"


def test_in_words(verdicts):
    text = str(verdicts["refuted"])
    assert text.startswith("refuted")
    assert "FAIL" in text
    assert "witness: outputs" in text
    assert "reason: " in str(verdicts["undecided"])
    assert "ok" in str(verdicts["sampled"])
    tried = replace(verdicts["refuted"].checks[0], name="bound for all x", status="failed")
    certificate = verdicts["sampled"].certificate
    more = replace(certificate, checks=(*certificate.checks, tried))
    above = replace(verdicts["sampled"], certificate=more)
    assert "bound for all x          open" in str(above)  # a level that was not reached
    assert "FAIL" not in str(above)
    skipped = Check.skipped("spectrum", ("a", "b"), "because")
    assert skipped.error is None
    assert skipped.status == "skipped"


def test_worst_is_over_all_pairs_of_sources(verdicts):
    verdict = verdicts["refuted"]
    for kind in KINDS:
        errors = [c.error for c in verdict.checks if c.name == kind]
        assert verdict.worst(kind) == max(errors)
    assert verdict.worst("no such check") is None


def edit(path, change):
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.update(status="proved"), "edited"),
        (lambda b: b["checks"][0].update(error=1e-20), "edited"),
        (lambda b: b["settings"].update(seed=1), "edited"),
        (lambda b: b["digests"].update(counterpart="0" * 64), "edited"),
        (lambda b: b.pop("checksum"), "edited"),
        (lambda b: b.update(schema=1), "schema 1.*earlier version: verify again"),
        (lambda b: b.update(schema=3), "schema 3.*later"),
        (lambda b: b.pop("schema"), "schema None"),
        (lambda b: b.update(kind="a recipe"), "not a certificate"),
    ],
)
def test_an_edited_file_is_refused(verdicts, tmp_path, change, message):
    path = verdicts["sampled"].certificate.save(tmp_path / "c.json")
    edit(path, change)
    with pytest.raises(CertificateError, match=message):
        Certificate.load(path)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '"text"', "\x00\x01", "[" * 100_000, '{"kind": NaN}', "9" * 5000],
)
def test_what_is_no_certificate_is_refused(tmp_path, content):
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(CertificateError, match=r"c\.json"):
        Certificate.load(path)


def test_a_missing_field_with_a_fresh_checksum_is_refused(verdicts, tmp_path):
    body = verdicts["sampled"].certificate.to_json()
    del body["checksum"], body["checks"]
    path = tmp_path / "c.json"
    path.write_text(json.dumps({**body, "checksum": _checksum(body)}))
    with pytest.raises(CertificateError, match="broken"):
        Certificate.load(path)


def test_missing_file_and_unwritable_folder(verdicts, tmp_path):
    with pytest.raises(CertificateError, match="can't read"):
        Certificate.load(tmp_path / "none.json")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CertificateError, match="can't write"):
        verdicts["sampled"].certificate.save(blocked / "c.json")


# --- the committed schema ---


def test_the_schema_itself_is_sound():
    jsonschema.Draft202012Validator.check_schema(certificate_schema())
    root = certificate_schema()
    places = {
        "check_name": (*STRENGTHS, *KINDS, SHOTS, *LINKS),
        "status": STATUSES,
        "level": LEVELS,
        "versions": versions(),
    }
    assert set(root["$defs"]["check_name"]["enum"]) == set(places["check_name"])
    assert root["$defs"]["counterexample"]["properties"]["kind"]["enum"] == list(KINDS)
    assert root["properties"]["status"]["enum"] == places["status"]
    assert root["$defs"]["settings"]["properties"]["level"]["enum"] == list(places["level"])
    assert root["properties"]["versions"]["required"] == list(places["versions"])
    assert root["properties"]["schema"]["const"] == SCHEMA


def test_the_schema_is_strict_and_explained():
    """Every object says what may stand in it, every entry of a certificate what it means."""

    def walk(part):
        if isinstance(part, dict):
            if part.get("type") == "object":
                assert "additionalProperties" in part
                yield part
            for inner in part.values():
                yield from walk(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from walk(inner)

    assert len(list(walk(certificate_schema()))) >= 9
    for name, entry in certificate_schema()["properties"].items():
        assert entry.get("description") or name == "settings"
    assert certificate_schema()["$defs"]["settings"]["description"]


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_fits_the_schema(verdicts, status):
    body = json.loads(json.dumps(verdicts[status].certificate.to_json()))
    VALIDATOR.validate(body)
    assert not list(faults(body, certificate_schema()))
    assert not list(contradictions(verdicts[status].certificate))


def test_a_pair_that_could_not_be_run_fits_the_schema():
    (pair,) = (
        p for p in collect([catalogue_folder() / "serial_reuploading.py"]) if p.name == "serial-1"
    )
    verdict = run_pair(replace(pair, n_features=-1))
    assert verdict.status is Status.UNDECIDED
    VALIDATOR.validate(verdict.certificate.to_json())
    assert "nothing was run" in next(contradictions(verdict.certificate))


def test_committed_certificates_fit_the_schema(repository):
    paths = sorted((repository / "reports" / "catalogue" / "certificates").glob("*.json"))
    assert len(paths) >= 50
    for path in paths:
        VALIDATOR.validate(json.loads(path.read_text()))
        assert not list(contradictions(Certificate.load(path))), path.name


@pytest.mark.slow
def test_every_certificate_of_the_catalogue_fits_the_schema():
    for pair in collect([catalogue_folder()]):
        certificate = pair.verify().certificate
        VALIDATOR.validate(json.loads(json.dumps(certificate.to_json())))
        assert not list(contradictions(certificate)), pair.name


#: What a random mutation puts in a place. No whole numbers with a point: there the schema says
#: more than is read.
ODD = (None, True, 0, 1, 7, -3, 0.5, -0.25, 1.5e-300, "", "x", "passed", "proved", "inf", "0" * 64,
       [], [0.5], [["x"]], {}, {"x": 1}, {"seed": 0})  # fmt: skip


def mutated(rng, value):
    """One random change somewhere in a JSON value."""
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        changed = copy.copy(value)
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = keys[rng.integers(len(keys))]
        action = rng.random()
        if action < 0.1:
            del changed[key]
        elif action < 0.2 and isinstance(value, dict):
            changed["entry"] = ODD[rng.integers(len(ODD))]
        elif action < 0.2:
            changed.append(value[key])
        else:
            changed[key] = mutated(rng, value[key])
        return changed
    return ODD[rng.integers(len(ODD))]


@pytest.mark.parametrize("status", STATUSES)
def test_load_refuses_what_the_schema_refuses(verdicts, status, tmp_path):
    rng = np.random.default_rng(STATUSES.index(status))
    original = json.loads(json.dumps(verdicts[status].certificate.to_json()))
    del original["checksum"]
    refused = 0
    for _ in range(200):
        body = mutated(rng, original)
        if isinstance(body, dict):
            body["checksum"] = _checksum(body)
        fits = VALIDATOR.is_valid(body)
        assert fits is not any(True for _ in faults(body, certificate_schema())), body
        path = tmp_path / "c.json"
        path.write_text(json.dumps(body))
        if not fits:
            refused += 1
            with pytest.raises(CertificateError, match=r"c\.json"):
                Certificate.load(path)
    assert refused > 100


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1.0, {"type": "integer"}),
        (True, {"type": "integer"}),
        (True, {"const": 1}),
        (10**400, {"type": "number"}),
        (float("inf"), {"type": "number"}),
        (float("nan"), {"type": "number"}),
        ("ab", {"minLength": 3}),
        ({}, {"minProperties": 1}),
        ([1, 2], {"items": {"maximum": 1}}),
    ],
)
def test_small_rules(value, schema):
    if "items" in schema:  # a keyword that is not known is an error, not a pass
        with pytest.raises(NotImplementedError, match="maximum"):
            list(faults(value, schema))
    else:
        assert list(faults(value, schema))


def test_the_names_can_be_imported_from_one_place():
    assert set(module.__all__) <= set(vars(module))
