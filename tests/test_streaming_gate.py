"""The gate: which certificates admit a run."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp
from streaming_cases import THETA, circuit, counterpart, make_pair, rows

from qrun_equiv.certificate import SCHEMA, Certificate, Status
from qrun_equiv.errors import CertificateError, FrontendError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.pair import catalogue_folder, load_pair
from qrun_equiv.points import REACH
from qrun_equiv.runner import run_pair
from qrun_equiv.streaming import RunError, gate, run
from qrun_equiv.streaming.gate import admit, covered_features, covered_parameters


def sizes_of(pair):
    return pair.sources()["counterpart"].sizes


def admitted(pair, path, **options):
    return admit(pair, sizes_of(pair), path, **options)


@pytest.fixture(scope="module")
def pair():
    return make_pair()


@pytest.fixture(scope="module")
def proved(pair, tmp_path_factory):
    return pair.verify().certificate.save(tmp_path_factory.mktemp("gate") / "proved.json")


@pytest.fixture(scope="module")
def sampled(pair, tmp_path_factory):
    certificate = pair.verify(level="sampled").certificate
    return certificate.save(tmp_path_factory.mktemp("gate") / "sampled.json")


def refusal(message, pair, path, **options):
    """A refusal with this message; and what is recorded where it is overruled."""
    with pytest.raises(CertificateError, match=message) as caught:
        admitted(pair, path, **options)
    assert "--unverified" in str(caught.value)
    overruled = admitted(pair, path, unverified=True, **options)
    assert overruled.unverified
    assert overruled.unverified in str(caught.value)
    return overruled


def test_admits_what_was_verified(pair, proved, sampled):
    for path, status in ((proved, "proved"), (sampled, "sampled")):
        found = admitted(pair, path)
        assert (found.unverified, found.epsilon, found.notes) == ("", 0.0, ())
        assert found.record["status"] == status
        assert found.theta.tolist() == THETA  # the pair's trained ones
        assert np.isinf(found.box).all()
        assert admitted(pair, path, parameters=[1.0, 2.0]).theta.tolist() == [1.0, 2.0]


def test_a_missing_certificate(pair, tmp_path):
    refusal("the pair 'two' has no certificate; make one .*--only two", pair, None)
    refusal("can't read the certificate", pair, tmp_path / "none.json")
    with pytest.raises(CertificateError, match="has no certificate"):
        run(pair, None, tmp_path / "in.npy", tmp_path / "out.npy")


def test_weaker_than_asked(pair, proved, sampled):
    order = ["sampled", "certified", "proved"]
    for least in order:
        assert admitted(pair, proved, at_least=least).unverified == ""
    assert admitted(pair, sampled, at_least="sampled").unverified == ""
    for least in order[1:]:
        refusal(f"only sampled; {least} was asked for", pair, sampled, at_least=least)
    with pytest.raises(RunError, match="unknown --at-least 'refuted'"):
        admitted(pair, proved, at_least="refuted")


def test_stale(proved):
    def changed(x, theta):
        return counterpart(x, theta)

    def again(x, theta):
        return circuit(x, theta)

    other = make_pair(counterpart=changed)
    refusal("stale: this counterpart has another digest", other, proved)
    refusal("stale: this pennylane has another digest", make_pair(pennylane=again), proved)
    second = QuantumCircuit(2)
    second.rx(ParameterVector("x", 2)[0], 0)
    observable = [SparsePauliOp("IZ"), SparsePauliOp("ZI")]
    both = make_pair(qiskit=second, observable=observable)
    refusal("stale: this qiskit", both, proved)
    assert admitted(make_pair(), proved).unverified == ""


def test_weights_make_it_stale(tmp_path):
    net = torch.nn.Linear(2, 2, dtype=torch.float64)
    pair = make_pair(
        counterpart=net, claim="approximates", epsilon=100.0, parameters=THETA, domain=(-3, 3)
    )
    path = pair.verify().certificate.save(tmp_path / "c.json")
    assert admitted(pair, path).unverified == ""
    with torch.no_grad():
        net.weight[0, 0] += 1e-12
    refusal("stale: this counterpart", pair, path)


def test_a_certificate_of_no_pair_file(pair, proved, tmp_path):
    path = replace(Certificate.load(proved), pair="").save(tmp_path / "python.json")
    refusal(r"is of a verify\(\) in Python, not of 'two'", pair, path)


def test_another_pair_and_other_sizes(pair, proved):
    refusal("is of the pair 'two', not of 'three'", make_pair("three"), proved)
    other = Sizes.of(2, (2, 1))
    with pytest.raises(CertificateError, match="other numbers of features or parameters"):
        admit(pair, other, proved)


def test_refuted_and_undecided(pair, proved, tmp_path):
    wrong = make_pair(counterpart=lambda x, theta: counterpart(2 * x, theta))
    path = wrong.verify().certificate.save(tmp_path / "refuted.json")
    refusal("says refuted; there is nothing to run", wrong, path)
    nothing = run_pair(make_pair(counterpart=lambda x, theta: x.broken)).certificate
    refusal("says undecided: .* there is nothing to run", wrong, nothing.save(path))
    asked = make_pair(counterpart=lambda x, theta: counterpart(x, theta) + 1e-7,
                      claim="approximates", epsilon=1e-6)  # fmt: skip
    path = asked.verify(level="proved").certificate.save(tmp_path / "undecided.json")
    refusal("says undecided: 'proved' was asked for", asked, path)


def test_damage(pair, proved, sampled, tmp_path):
    path = tmp_path / "c.json"
    text = proved.read_text()
    for changed, message in [
        (text.replace('"two"', '"too"'), "checksum does not fit"),
        (text[:200], "it is no JSON"),
        (json.dumps({**json.loads(text), "schema": SCHEMA + 1}), "schema"),
    ]:
        path.write_text(changed)
        refusal(message, pair, path)
    # A status that its own checks do not carry, with a checksum that fits.
    forged = replace(Certificate.load(sampled), status=Status.PROVED)
    forged.save(path)
    refusal("edited or is broken", pair, path)


def test_other_parameters(tmp_path):
    pair = make_pair(parameters=THETA, trained=None)
    path = pair.verify().certificate.save(tmp_path / "c.json")
    assert admitted(pair, path).theta.tolist() == THETA
    assert admitted(pair, path, parameters=THETA).unverified == ""
    near = [THETA[0], np.nextafter(THETA[1], 0)]
    refusal("covers other parameters than these", pair, path, parameters=near)
    several = make_pair(parameters=[THETA, [1.0, 2.0]], trained=None)
    path = several.verify().certificate.save(tmp_path / "several.json")
    with pytest.raises(RunError, match=r"\(a JSON list\); the certificate covers 2 vectors"):
        admitted(several, path)
    for theta in (THETA, [1.0, 2.0]):
        assert admitted(several, path, parameters=theta).theta.tolist() == theta
    refusal("covers other parameters", several, path, parameters=[1.0, -0.7])
    with pytest.raises(FrontendError, match="parameters has 3 numbers"):
        admitted(several, path, parameters=[1, 2, 3])


def test_parameters_that_nobody_gave(proved):
    with pytest.raises(RunError, match=r"has 2 parameters: .* --parameters FILE \(a JSON list\)$"):
        admitted(make_pair(trained=None), proved)


def test_certified_at_trained_parameters_covers_those_only(tmp_path):
    """With the level "certified" the bound is at the trained vector, and ``parameters`` is null."""
    inexact = make_pair(counterpart=lambda x, theta: counterpart(x, theta) * (1 + 1e-14))
    path = inexact.verify(level="certified").certificate.save(tmp_path / "c.json")
    certificate = Certificate.load(path)
    assert certificate.status is Status.CERTIFIED
    assert certificate.settings["parameters"] is None
    assert [v.tolist() for v in covered_parameters(certificate)] == [THETA]
    assert admitted(inexact, path).theta.tolist() == THETA
    refusal("covers other parameters", inexact, path, parameters=[1.0, 2.0])


def test_a_bound_at_no_parameters_at_all_covers_none(proved):
    certificate = replace(Certificate.load(proved), status=Status.CERTIFIED)
    settings = {**certificate.settings, "trained": None}
    assert [v.tolist() for v in covered_parameters(replace(certificate, settings=settings))] == [[]]


def test_an_identity_at_given_parameters_covers_those_only(proved):
    certificate = Certificate.load(proved)
    assert covered_parameters(certificate) is None
    checks = tuple(
        replace(c, scope="all features, at the given parameters") if c.name == "identity" else c
        for c in certificate.checks
    )
    settings = {**certificate.settings, "trained": THETA}
    narrowed = replace(certificate, checks=checks, settings=settings)
    assert [v.tolist() for v in covered_parameters(narrowed)] == [THETA]


def test_features_that_are_covered(proved, tmp_path):
    certificate = Certificate.load(proved)
    assert covered_features(certificate).tolist() == [[-np.inf, np.inf]] * 2
    settings = {**certificate.settings, "domain": [[-1.0, 2.0], [0.0, 0.1]]}
    inside = replace(certificate, settings=settings)
    assert covered_features(inside).tolist() == [[-1.0, 2.0], [0.0, 0.1]]


def test_the_radius_of_a_bound_on_all_reals():
    """Frequencies that miss each other by a rounding: the bound holds up to a radius."""

    def one(x, theta):
        qml.RX(0.1 * x[0], wires=0)
        return qml.expval(qml.Z(0))

    off = 0.1 * (1 + 2.2e-16)  # the next float64: x off grows without end, but slowly
    pair = make_pair(
        pennylane=one, counterpart=lambda x: torch.cos(off * x[:, 0]), n_features=1,
        n_parameters=0, trained=None, claim="approximates", epsilon=1e-10,
    )  # fmt: skip
    certificate = pair.verify().certificate
    assert certificate.status is Status.CERTIFIED
    assert covered_features(certificate).tolist() == [[-REACH, REACH]]


def test_arccos_is_real_inside_only(tmp_path):
    pair = load_pair(catalogue_folder() / "chebyshev.py", "chebyshev-tower")
    certificate = pair.verify().certificate
    assert covered_features(certificate).tolist() == [[-0.95, 0.95]] * sizes_of(pair).features
    settings = {**certificate.settings, "domain": None}
    assert certificate.status is Status.PROVED
    wide = covered_features(replace(certificate, settings=settings))
    assert wide.tolist() == [[-1.0, 1.0]] * sizes_of(pair).features


def test_a_certificate_of_other_versions_is_noted(pair, proved, tmp_path, monkeypatch):
    here = gate.versions()
    monkeypatch.setattr(gate, "versions", lambda: here | {"torch": "1.0"})
    (note,) = admitted(pair, proved).notes
    assert note == f"the certificate was made with torch {here['torch']}; here it is 1.0"
    np.save(tmp_path / "in.npy", rows(5))
    assert run(pair, proved, tmp_path / "in.npy", tmp_path / "out.npy")["notes"] == [note]
