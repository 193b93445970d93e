"""Generated Coq certificates: every exact pair on one wire has one, and what must be refused."""

import shutil
from dataclasses import replace

import pytest
import torch

from qrun_equiv import coq
from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.coq import emit
from qrun_equiv.coq.check import AXIOMS
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.pair import catalogue_folder, load_file

pytestmark = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="needs coqc (Debian and Ubuntu: apt install coq)"
)

PROVED = {
    "chebyshev": ["quantum-circuit-learning"],
    "even_series": ["even-series"],
    "exponential_scales": ["exponential-serial"],
    "matrix_product_readout": ["matrix-product-readout"],
    "rewritings": ["trailing-phase", "factored-angle"],  # one on one wire in Qiskit alone
    "serial_reuploading": ["serial-1", "serial-3"],
    "signal_processing": ["signal-processing"],
    "single_gate_classifier": ["single-gate-classifier"],
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


def is_exact_on_one_wire(pair):
    if pair.claim != "equal" or pair.parameters is not None:
        return False
    circuits = [s for s in pair.sources().values() if not isinstance(s, CounterpartSource)]
    return any(s.lower().n_wires == 1 for s in circuits)


def test_every_exact_pair_on_one_wire_is_proved_below():
    """The list is no choice: these are all of the catalogue."""
    found = {}
    for path in sorted(catalogue_folder().glob("[!_]*.py")):
        if names := [p.name for p in load_file(path) if is_exact_on_one_wire(p)]:
            found[path.stem] = names
    assert found == PROVED


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


def other_angle(factor):
    def mutated(original):
        return lambda gate: original(replace(gate, angle=gate.angle * factor) if gate.name == "RX"
                                     else gate)  # fmt: skip

    return mutated


def other_function(old, new):
    return lambda original: lambda operation: original(operation).replace(old, new)


@pytest.mark.parametrize(
    ("name", "mutation"),
    [
        ("_gate", other_angle(2)),
        ("_gate", other_angle(-1)),
        ("_operation", other_function("Sin ", "Cos ")),
        ("_operation", other_function("Opp ", "Inv ")),
    ],
)
def test_a_mutation_of_what_writes_certificates_is_refused(
    name, mutation, monkeypatch, library, tmp_path
):
    monkeypatch.setattr(emit, name, mutation(getattr(emit, name)))
    path = coq.write(pairs("serial_reuploading")["serial-1"], tmp_path)
    with pytest.raises(coq.CoqError, match="refuses"):
        coq.check(path, library=library)


SHADOWED = """Definition expectation (x theta : N -> R) (c : list gate)
  (o : list (formula * pauli)) : R := 0.

"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("reflexivity.\nQed.", "admit.\nAdmitted.", "Admitted|admit"),
        ("Definition circuit", "Axiom false : False.\nDefinition circuit", "Axiom"),
        ("= expectation x theta circuit observable_0", "= counterpart x theta program 0", "state"),
        ("Definition program :", SHADOWED + "Definition program :", "expectation"),
        ("Definition program :", "Lemma a : True. exact I. Qed.\n\nDefinition program :", "Lemma"),
        ("Definition program :", '(* "*)" *) Definition program :', "no certificate"),
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
    with pytest.raises(coq.CoqError, match=r"too large.*gate by gate"):
        coq.of_pair(pairs("signal_processing")["signal-processing"], cut=False)


# --- cuts at amplitudes ---------------------------------------------------------------------------

N_BLOCKS = 4


def rotations():
    """RX, RZ and RY in turn, of products of features and parameters and of parameters alone."""
    gates = [Gate("H", (0,)), Gate("T", (0,))]
    for k in range(N_BLOCKS):
        gates.append(Gate("RX", (0,), feature(0) * parameter(3 * k)))
        gates.append(Gate("RZ", (0,), feature(1) + parameter(3 * k + 1)))
        gates.append(Gate("RY", (0,), parameter(3 * k + 2)))
    observable = Observable.of([(1.0, {0: "Z"}), (0.5, {0: "X"})])
    return Circuit(1, tuple(gates), (observable,), 2, 3 * N_BLOCKS)


def statevector(x, theta):
    """The textbook's matrices, one after the other."""
    a = torch.full_like(x[:, 0], 0.5**0.5) + 0j
    b = a * (0.5**0.5 + 0.5**0.5 * 1j)  # exp(i pi/4)
    for k in range(N_BLOCKS):
        c, s = torch.cos(x[:, 0] * theta[3 * k] / 2), torch.sin(x[:, 0] * theta[3 * k] / 2)
        a, b = c * a - 1j * s * b, c * b - 1j * s * a
        half = (x[:, 1] + theta[3 * k + 1]) / 2
        phase = torch.cos(half) + 1j * torch.sin(half)
        a, b = a * phase.conj(), b * phase
        c, s = torch.cos(theta[3 * k + 2] / 2), torch.sin(theta[3 * k + 2] / 2)
        a, b = c * a - s * b, s * a + c * b
    z = a.real**2 + a.imag**2 - b.real**2 - b.imag**2
    return z + a.real * b.real + a.imag * b.imag


def test_a_simulation_of_the_state_is_cut_at_its_amplitudes(library, tmp_path):
    source = CounterpartSource(statevector, Sizes(2, (3 * N_BLOCKS,)))
    path = tmp_path / "statevector.v"
    path.write_text(coq.certificate("statevector", rotations(), source).text)
    assert path.read_text().count("Amplitudes") >= 3 * N_BLOCKS - 1
    assert coq.check(path, library=library).theorems


@pytest.fixture(scope="module")
def processing():
    return coq.of_pair(pairs("signal_processing")["signal-processing"]).text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RZ [(1#1, [Feature 0])]", "RZ [(-1#1, [Feature 0])]"),
        ("RY [(1#1, [Theta 5])]", "RY [(1#1, [Theta 7])]"),
        ("(1#1, [Sine 0; Node", "(2#1, [Sine 0; Node"),  # the amplitudes that Coq is told
        ("Number [(2#1, [])]; Inv", "Number [(3#1, [])]; Inv"),  # a third of the angle
    ],
)
def test_a_tampered_certificate_with_amplitudes_is_refused(old, new, processing, library, tmp_path):
    assert old in processing
    path = tmp_path / "signal_processing.v"
    path.write_text(processing.replace(old, new, 1))
    with pytest.raises(coq.CoqError, match="refuses"):
        coq.check(path, library=library)


def test_a_sum_of_thirty_terms_is_one_base_angle(library, tmp_path):
    text = coq.of_pair(pairs("single_gate_classifier")["single-gate-classifier"]).text
    assert text.count("Definition bases") == 1
    path = tmp_path / "single_gate_classifier.v"
    changed = text.replace("(1#1, [Feature 29; Theta 29])", "(1#1, [Feature 28; Theta 29])", 1)
    assert changed != text
    path.write_text(changed)
    with pytest.raises(coq.CoqError, match="refuses"):
        coq.check(path, library=library)


def test_without_coq_the_package_is_named(monkeypatch, tmp_path, serial):
    path = tmp_path / "serial_1.v"
    path.write_text(serial)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(coq.CoqError, match="apt install coq"):
        coq.check(path, library=tmp_path)
