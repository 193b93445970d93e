"""Verdicts and certificates: what is saved comes back, and what was edited is refused."""

from __future__ import annotations

import json

import pytest
from helpers import serial_counterpart, serial_qnode

import qrun_equiv as qe
from qrun_equiv.certificate import KINDS, Certificate, Check, Status
from qrun_equiv.errors import CertificateError


@pytest.fixture(scope="module")
def verdicts():
    return {
        "sampled": qe.verify(serial_qnode(), serial_counterpart),
        "refuted": qe.verify(serial_qnode(), lambda x, t: serial_counterpart(2 * x, t)),
        "undecided": qe.verify(serial_qnode(), lambda x, t: serial_counterpart(x, t) / 0),
    }


@pytest.mark.parametrize("status", ["sampled", "refuted", "undecided"])
def test_round_trip(verdicts, status, tmp_path):
    certificate = verdicts[status].certificate
    assert verdicts[status].status == status
    path = certificate.save(tmp_path / "deep" / "c.json")
    assert Certificate.load(path) == certificate


def test_what_is_written_down(verdicts):
    body = verdicts["refuted"].certificate.to_json()
    assert body["schema"] == 1
    assert set(body["digests"]) == {"pennylane", "counterpart"}
    assert all(len(d) == 64 for d in body["digests"].values())
    assert {"python", "qrun-equiv", "pennylane", "qiskit", "torch", "numpy"} == set(
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
        (lambda b: b.update(schema=2), "schema 2"),
        (lambda b: b.pop("schema"), "schema None"),
        (lambda b: b.update(kind="a recipe"), "not a certificate"),
    ],
)
def test_an_edited_file_is_refused(verdicts, tmp_path, change, message):
    path = verdicts["sampled"].certificate.save(tmp_path / "c.json")
    edit(path, change)
    with pytest.raises(CertificateError, match=message):
        Certificate.load(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"text"', "\x00\x01"])
def test_what_is_no_certificate_is_refused(tmp_path, content):
    path = tmp_path / "c.json"
    path.write_text(content)
    with pytest.raises(CertificateError, match=r"c\.json"):
        Certificate.load(path)


def test_a_missing_field_with_a_fresh_checksum_is_refused(verdicts, tmp_path):
    from qrun_equiv.certificate import _checksum

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
