"""Generated Coq certificates: every one-wire pair that is claimed, and what must be refused."""

import shutil

import pytest

from qrun_equiv import coq
from qrun_equiv.coq.check import AXIOMS
from qrun_equiv.pair import catalogue_folder, load_file

pytestmark = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="needs coqc (Debian and Ubuntu: apt install coq)"
)

PROVED = {
    "chebyshev": ["quantum-circuit-learning"],
    "even_series": ["even-series"],
    "exponential_scales": ["exponential-serial"],
    "matrix_product_readout": ["matrix-product-readout"],
    "rewritings": ["factored-angle"],
    "serial_reuploading": ["serial-1", "serial-3"],
    "trainable_frequencies": ["trainable-frequencies", "implicit-image"],
    "universal_classifier": ["universal-classifier"],
    "unrelated_scales": ["decimal-scales", "irrational-scales"],
}


def pairs(stem):
    return {p.name: p for p in load_file(catalogue_folder() / f"{stem}.py")}


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return coq.compile_library(tmp_path_factory.mktemp("coq"))


@pytest.fixture(scope="module")
def serial():
    return coq.of_pair(pairs("serial_reuploading")["serial-1"]).text


@pytest.mark.parametrize(("stem", "name"), [(s, n) for s, names in PROVED.items() for n in names])
def test_a_pair_of_the_catalogue_is_proved_by_coq(stem, name, library, tmp_path):
    path = coq.write(pairs(stem)[name], tmp_path)
    found = coq.check(path, library=library)
    assert found.theorems
    assert found.axioms <= AXIOMS


@pytest.mark.parametrize(
    "stem", ["mistake_half_angle", "mistake_sign_of_offset", "mistake_conjugated_gate"]
)
def test_a_mistake_is_refused_by_coq(stem, library, tmp_path):
    (pair,) = pairs(stem).values()
    with pytest.raises(coq.CoqError, match="refuses"):
        coq.check(coq.write(pair, tmp_path), library=library)


def test_written_out_in_full_it_is_proved_too(library, tmp_path):
    pair = pairs("serial_reuploading")["serial-1"]
    path = tmp_path / "serial_1.v"
    path.write_text(coq.of_pair(pair, cut=False).text)
    assert "Match" not in path.read_text()
    assert coq.check(path, library=library).theorems == ("serial_1_output_0",)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RX [(1#1, [Feature 0])]", "RX [(-1#1, [Feature 0])]"),  # a sign
        ("RX [(1#1, [Feature 0])]", "RX [(2#1, [Feature 0])]"),  # a factor of 2
        ("Number [(1#1, [Theta 1])]", "Number [(1#1, [Theta 2])]"),  # another parameter
        ("([(1#1, [])], SigmaZ)", "([(2#1, [])], SigmaZ)"),  # a coefficient
        ("([(1#1, [])], SigmaZ)", "([(1#1, [])], SigmaX)"),  # another observable
        ("Compute 0;", "Compute 1;"),  # a step that is needed
    ],
)
def test_a_tampered_certificate_is_refused(old, new, serial, library, tmp_path):
    assert old in serial
    path = tmp_path / "serial_1.v"
    path.write_text(serial.replace(old, new, 1))
    with pytest.raises(coq.CoqError, match="refuses"):
        coq.check(path, library=library)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("reflexivity.\nQed.", "admit.\nAdmitted.", "Admitted|admit"),
        ("Definition circuit", "Axiom false : False.\nDefinition circuit", "Axiom"),
        ("= expectation x theta circuit observable_0", "= counterpart x theta program 0", "state"),
        ("Import ListNotations.", "Import ListNotations.\nRequire Import Classical.", "imports"),
    ],
)
def test_what_coq_accepts_without_a_proof_is_refused(old, new, said, serial, tmp_path):
    assert old in serial
    path = tmp_path / "serial_1.v"
    path.write_text(serial.replace(old, new, 1))
    with pytest.raises(coq.CoqError, match=said):
        coq.check(path, library=tmp_path)


def test_several_wires_and_approximations_are_refused_with_the_reason():
    with pytest.raises(coq.CoqError, match="one wire"):
        coq.of_pair(pairs("ghz_parity")["ghz-parity"])
    with pytest.raises(coq.CoqError, match="no identity"):
        coq.of_pair(pairs("mlp_approximation")["mlp-serial"])
    with pytest.raises(coq.CoqError, match="too large"):
        coq.of_pair(pairs("single_gate_classifier")["single-gate-classifier"])


def test_without_coq_the_package_is_named(monkeypatch, tmp_path, serial):
    path = tmp_path / "serial_1.v"
    path.write_text(serial)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(coq.CoqError, match="apt install coq"):
        coq.check(path, library=tmp_path)
