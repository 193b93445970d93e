"""Recheck: accepts what was certified, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import serial_counterpart, serial_qiskit, serial_qnode

import qrun_equiv as qe
from qrun_equiv import rechecking
from qrun_equiv.certificate import Status
from qrun_equiv.errors import CertificateError


def wrong(x, theta):
    return serial_counterpart(2 * x, theta)


@pytest.fixture(scope="module")
def sampled():
    return qe.verify(serial_qnode(), serial_counterpart, domain=(-3, 3)).certificate


@pytest.fixture(scope="module")
def refuted():
    return qe.verify(serial_qnode(), wrong).certificate


def test_accepts_a_saved_certificate(sampled, tmp_path):
    path = sampled.save(tmp_path / "c.json")
    verdict = qe.recheck(path, serial_qnode(), serial_counterpart)
    assert verdict.status is Status.SAMPLED


def test_accepts_a_refutation(refuted):
    assert qe.recheck(refuted, serial_qnode(), wrong).status is Status.REFUTED


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
        "status": lambda: {"status": Status.PROVED},
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
        with pytest.raises(CertificateError, match="counterexample"):
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
    with pytest.raises(CertificateError, match="fresh seed"):
        qe.recheck(sampled, serial_qnode(), serial_counterpart)
    assert len(set(seeds)) == 2
