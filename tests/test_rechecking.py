"""Recheck: accepts what was certified, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import serial_counterpart, serial_qiskit, serial_qnode

import qrun_equiv as qe
from qrun_equiv import rechecking
from qrun_equiv.certificate import BOUND, IDENTITY, OUTPUTS, Check, Status
from qrun_equiv.errors import CertificateError
from qrun_equiv.field import Field
from qrun_equiv.pair import catalogue_folder, collect


def wrong(x, theta):
    return serial_counterpart(2 * x, theta)


THETA = [0.1, 0.2, 0.3]


def nearly(x, theta):
    return serial_counterpart(x, theta) + 1e-3


#: For each status: a counterpart of the serial circuit, and how it is verified.
CASES = {
    Status.PROVED: (serial_counterpart, {}),
    Status.CERTIFIED: (nearly, {"parameters": THETA, "epsilon": 2e-3}),
    Status.SAMPLED: (serial_counterpart, {"domain": (-3, 3), "level": "sampled"}),
    Status.REFUTED: (wrong, {}),
    "with shots": (serial_counterpart, {"shots": 1000}),
    Status.UNDECIDED: (serial_counterpart, {"level": "certified", "epsilon": 1.0}),
}


@pytest.fixture(scope="module")
def sampled():
    counterpart, options = CASES[Status.SAMPLED]
    return qe.verify(serial_qnode(), counterpart, **options).certificate


@pytest.fixture(scope="module")
def proved():
    return qe.verify(serial_qnode(), serial_counterpart).certificate


@pytest.fixture(scope="module")
def refuted():
    return qe.verify(serial_qnode(), wrong).certificate


@pytest.mark.parametrize("case", CASES)
def test_accepts_a_saved_certificate(case, tmp_path):
    counterpart, options = CASES[case]
    status = Status.PROVED if case == "with shots" else case
    certificate = qe.verify(serial_qnode(), counterpart, **options).certificate
    assert certificate.status is status
    path = certificate.save(tmp_path / "c.json")
    verdict = qe.recheck(path, serial_qnode(), counterpart)
    assert verdict.status is status
    assert verdict.certificate == certificate


def test_accepts_data_trained_parameters_and_qiskit():
    circuit, observable = serial_qiskit()
    rows = np.linspace(-3, 3, 100)[:, None]
    options = {"data": rows, "trained": [0.1, 0.2, 0.3], "observable": observable}
    certificate = qe.verify(circuit, serial_counterpart, **options).certificate
    again = qe.recheck(certificate, circuit, serial_counterpart, observable=observable)
    assert again.certificate.checks == certificate.checks


def test_refuses_another_circuit_or_counterpart(sampled):
    with pytest.raises(CertificateError, match="not of this counterpart"):
        qe.recheck(sampled, serial_qnode(), lambda x, t: 1.0 * serial_counterpart(x, t))
    circuit, observable = serial_qiskit()
    with pytest.raises(CertificateError, match="not of this"):
        qe.recheck(sampled, circuit, serial_counterpart, observable=observable)


def test_refuses_other_weights():
    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.shift = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

        def forward(self, x, theta):
            return serial_counterpart(x + self.shift, theta)

    module = Module()
    certificate = qe.verify(serial_qnode(), module).certificate
    qe.recheck(certificate, serial_qnode(), module)
    with torch.no_grad():
        module.shift += 1e-12  # far below every tolerance
    with pytest.raises(CertificateError, match="digest"):
        qe.recheck(certificate, serial_qnode(), module)


def tampered(certificate, kind):
    """A certificate with numbers changed by hand, its checksum made fresh (as ``save`` does)."""
    first, *others = certificate.checks
    changes = {
        "error": lambda: {"checks": (replace(first, error=1e-11), *others)},
        "bound": lambda: {"checks": (replace(first, bound=1e-6), *others)},
        "evaluations": lambda: {"checks": (replace(first, evaluations=10**6), *others)},
        "scope": lambda: {"checks": (replace(first, scope="everywhere"), *others)},
        "skipped": lambda: {"checks": (replace(first, error=None), *others)},
        "missing check": lambda: {"checks": tuple(others)},
        "status": lambda: {"status": Status.CERTIFIED},
        "seed": lambda: {"settings": {**certificate.settings, "seed": 99}},
        "domain": lambda: {"settings": {**certificate.settings, "domain": [[-1, 1]]}},
        "digest": lambda: {"digests": {**certificate.digests, "pennylane": "0" * 64}},
        "extra digest": lambda: {"digests": {**certificate.digests, "qiskit": "0" * 64}},
        "no settings": lambda: {"settings": {"seed": 0}},
    }
    return replace(certificate, **changes[kind]())


@pytest.mark.parametrize(
    "kind",
    ["error", "bound", "evaluations", "scope", "skipped", "missing check", "status", "seed",
     "domain", "digest", "extra digest", "no settings"],
)  # fmt: skip
def test_refuses_numbers_changed_by_hand(sampled, kind):
    with pytest.raises(CertificateError):
        qe.recheck(tampered(sampled, kind), serial_qnode(), serial_counterpart)


def test_refuses_a_tampered_witness(refuted):
    witness = refuted.counterexample
    for change in (
        {"features": (0.0,)},
        {"parameters": (0.0, 0.0, 0.0)},
        {"values": {**witness.values, "pennylane": 0.0}},
        {"parameters": ()},
    ):
        edited = replace(refuted, counterexample=replace(witness, **change))
        with pytest.raises(CertificateError, match="the counterexample"):
            qe.recheck(edited, serial_qnode(), wrong)
    with pytest.raises(CertificateError, match="counterexample"):
        qe.recheck(replace(refuted, counterexample=None), serial_qnode(), wrong)


def test_refuses_a_counterexample_in_an_equal_certificate(sampled, refuted):
    edited = replace(sampled, counterexample=refuted.counterexample)
    with pytest.raises(CertificateError, match="counterexample"):
        qe.recheck(edited, serial_qnode(), serial_counterpart)


def test_a_fresh_seed_is_tried(sampled, monkeypatch):
    """A pair that passes at the recorded seed only is refused."""
    plain, seeds = rechecking.verify, []

    def watched(*args, seed, **options):
        seeds.append(seed)
        verdict = plain(*args, seed=seed, **options)
        return verdict if seed == 0 else replace(verdict, status=Status.REFUTED)

    monkeypatch.setattr(rechecking, "verify", watched)
    for _ in range(2):
        with pytest.raises(CertificateError, match=r"at the fresh seed \d+ it is refuted"):
            qe.recheck(sampled, serial_qnode(), serial_counterpart)
    assert seeds[0] == seeds[2] == sampled.settings["seed"]
    assert len(set(seeds)) == 3  # nobody can know the fresh ones


def test_a_proof_is_repeated_over_other_primes(proved, monkeypatch):
    primes, plain = [], Field.random

    def watched(*args, **options):
        drawn = plain(*args, **options)
        primes.append(drawn.prime)
        return drawn

    monkeypatch.setattr(Field, "random", watched)
    qe.recheck(proved, serial_qnode(), serial_counterpart)
    first = set(primes)
    assert len(primes) == len(first) == 4  # two for each repetition
    primes.clear()
    qe.recheck(proved, serial_qnode(), serial_counterpart)
    assert first & set(primes) == set(primes[:2])  # those of the recorded seed only


def test_a_refutation_is_conclusive_at_its_own_seed(refuted, monkeypatch):
    """Where a difference is rare, other points may miss it: the witness stays one."""
    plain, seeds = rechecking.verify, []
    monkeypatch.setattr(
        rechecking, "verify", lambda *a, seed, **o: seeds.append(seed) or plain(*a, seed=seed, **o)
    )
    qe.recheck(refuted, serial_qnode(), wrong)
    assert seeds == [refuted.settings["seed"]]


def test_another_source_is_refused_before_anything_is_run(sampled, monkeypatch):
    monkeypatch.setattr(rechecking, "verify", lambda *a, **o: pytest.fail("something was run"))
    with pytest.raises(CertificateError, match="not of this counterpart"):
        qe.recheck(sampled, serial_qnode(), wrong)


def test_numbers_that_changed_with_a_library_say_so(sampled):
    first, *others = sampled.checks
    edited = replace(
        sampled,
        checks=(replace(first, bound=1e-6), *others),
        versions={**sampled.versions, "numpy": "1.0"},
    )
    with pytest.raises(CertificateError, match=r"within 1e-09 \(it was made with numpy 1\.0, here"):
        qe.recheck(edited, serial_qnode(), serial_counterpart)


def test_other_versions_alone_are_no_reason_to_refuse(sampled):
    other = replace(
        sampled,
        versions={**sampled.versions, "torch": "2.6.0"},
        settings={
            **sampled.settings,
            "simulators": {**sampled.settings["simulators"], "counterpart": "torch 2.6.0"},
        },
    )
    assert qe.recheck(other, serial_qnode(), serial_counterpart).status is Status.SAMPLED


@pytest.mark.parametrize(
    ("name", "recorded", "found", "same"),
    [
        (OUTPUTS, 3e-16, 2e-15, True),  # rounding on another machine
        (OUTPUTS, 3e-16, 0.0, False),
        (OUTPUTS, 0.0, 0.0, True),
        (OUTPUTS, 1e-20, 2e-15, False),
        (OUTPUTS, 2e-13, 1e-12, True),  # amplified rounding
        (OUTPUTS, 1e-15, 1e-12, False),
        (OUTPUTS, 0.25, 0.25001, True),
        (OUTPUTS, 0.25, 0.26, False),
        (OUTPUTS, None, None, True),
        (OUTPUTS, None, 1e-16, False),
        (OUTPUTS, 1e-16, None, False),
        (BOUND, float("inf"), float("inf"), True),
        (BOUND, 1.0, float("inf"), False),
        (BOUND, float("inf"), 1.0, False),
        (BOUND, 1e-17, 2e-17, False),  # ball arithmetic gives the same everywhere
        (IDENTITY, 1e-30, 1e-30 * (1 + 1e-9), True),
        (IDENTITY, 1e-300, 1e-30, False),
    ],
)
def test_which_errors_count_as_repeated(name, recorded, found, same):
    def check(error):
        return Check(name, ("a", "b"), "scope", error, 1.0, 1, "passed")

    assert rechecking._same_error(check(recorded), check(found)) is same


def recheck_in_a_fresh_process(names, folder):
    """``qrun-equiv recheck FILE ...`` on fresh certificates of these pairs: exit code, output."""
    pairs = {p.name: p for p in collect([catalogue_folder()])}
    files = []
    for name in names or pairs:
        path = folder / f"{name}.json"
        pairs[name].verify().certificate.save(path)
        files.append(str(path))
    command = [sys.executable, "-W", "ignore", "-m", "qrun_equiv.cli", "recheck", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr, len(files)


def test_certificates_of_the_catalogue_are_accepted_in_a_fresh_process(tmp_path):
    names = ("factored-angle", "mlp-serial", "mistake-conjugated-gate")
    code, text, _ = recheck_in_a_fresh_process(names, tmp_path)
    assert code == 0, text
    assert "factored-angle.json: proved, again at its seed and over fresh primes" in text
    assert "mlp-serial.json: certified, again at its seed; the bound computed anew" in text
    assert "mistake-conjugated-gate.json: refuted, the same witness again" in text


@pytest.mark.slow
def test_every_certificate_of_the_catalogue_is_accepted_in_a_fresh_process(tmp_path):
    code, text, count = recheck_in_a_fresh_process((), tmp_path)
    assert code == 0, text
    assert text.count(", again at its seed") + text.count(", the same witness again") == count
