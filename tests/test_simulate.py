"""The neutral simulator against the dense matrices of two libraries, on asymmetric wires."""

from __future__ import annotations

import itertools

import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit.library import PauliEvolutionGate, UnitaryGate
from qiskit.quantum_info import Operator, SparsePauliOp, random_unitary

from qrun_equiv.angle import Angle, feature, parameter
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import apply, expectations, gate_matrix, pauli_matrix

ROUNDING = 1e-12  # float64, at most some fifty gates
N = 3  # wires of the dense comparisons: never only the gate's own
ANGLE = 0.7312  # no multiple of anything

ROTATIONS = [name for name, spec in GATES.items() if spec.gaps and name != "PauliRot"]
FIXED = [name for name, spec in GATES.items() if not spec.gaps and name != "Unitary"]
QISKIT = {
    "RX": "rx", "RY": "ry", "RZ": "rz", "PhaseShift": "p", "CRX": "crx", "CRY": "cry", "CRZ": "crz",
    "H": "h", "S": "s", "T": "t", "X": "x", "Y": "y", "Z": "z", "CNOT": "cx", "CZ": "cz",
    "SWAP": "swap",
}  # fmt: skip
PENNYLANE = {name: name for name in QISKIT} | {"H": "Hadamard"}


def placements(name: str) -> list[tuple[int, ...]]:
    return list(itertools.permutations(range(N), GATES[name].wires))


NAMED = [(name, wires) for name in ROTATIONS + FIXED for wires in placements(name)]
WORDS = [("X", (1,)), ("XY", (0, 2)), ("XY", (2, 0)), ("ZX", (1, 0)), ("YZX", (2, 0, 1))]
IDS = [f"{name}{''.join(map(str, wires))}" for name, wires in NAMED]
WORD_IDS = [f"{word}{''.join(map(str, wires))}" for word, wires in WORDS]


def dense(gate: Gate, angle: float = ANGLE, n: int = N) -> np.ndarray:
    """Columns: the gate applied to each basis state; wire 0 is the most significant bit."""
    basis = torch.eye(2**n, dtype=torch.complex128).reshape(2**n, *(2,) * n)
    out = apply(basis, gate_matrix(gate, angle), gate.wires)
    return out.reshape(2**n, 2**n).T.numpy()


def assert_same_up_to_phase(one: np.ndarray, two: np.ndarray) -> None:
    overlap = np.trace(one.conj().T @ two)
    np.testing.assert_allclose(one * (overlap / abs(overlap)), two, rtol=0, atol=ROUNDING)


def big_endian(circuit: QuantumCircuit) -> np.ndarray:
    return Operator(circuit.reverse_bits()).data


def neutral(name: str, wires: tuple[int, ...]) -> Gate:
    return Gate(name, wires, Angle.constant(ANGLE) if name in ROTATIONS else None)


@pytest.mark.parametrize(("name", "wires"), NAMED, ids=IDS)
def test_named_gate_is_pennylanes(name: str, wires: tuple[int, ...]) -> None:
    arguments = [ANGLE] if name in ROTATIONS else []
    operation = getattr(qml, PENNYLANE[name])(*arguments, wires=wires)
    expected = qml.matrix(operation, wire_order=range(N))
    assert_same_up_to_phase(dense(neutral(name, wires)), expected)


@pytest.mark.parametrize(("name", "wires"), NAMED, ids=IDS)
def test_named_gate_is_qiskits(name: str, wires: tuple[int, ...]) -> None:
    circuit = QuantumCircuit(N)
    getattr(circuit, QISKIT[name])(*([ANGLE] if name in ROTATIONS else []), *wires)
    assert_same_up_to_phase(dense(neutral(name, wires)), big_endian(circuit))


@pytest.mark.parametrize(("word", "wires"), WORDS, ids=WORD_IDS)
def test_pauli_rotation_is_both_libraries(word: str, wires: tuple[int, ...]) -> None:
    ours = dense(Gate("PauliRot", wires, Angle.constant(ANGLE), word))
    theirs = qml.matrix(qml.PauliRot(ANGLE, word, wires=wires), wire_order=range(N))
    assert_same_up_to_phase(ours, theirs)
    circuit = QuantumCircuit(N)
    evolution = PauliEvolutionGate(SparsePauliOp(word[::-1]), ANGLE / 2)
    circuit.append(evolution.definition.to_gate(), wires)
    assert_same_up_to_phase(ours, big_endian(circuit))


@pytest.mark.parametrize("wires", [(1,), (0, 2), (2, 0), (2, 0, 1)])
def test_unitary_has_its_first_wire_most_significant(wires: tuple[int, ...]) -> None:
    matrix = random_unitary(2 ** len(wires), seed=len(wires)).data
    ours = dense(Gate("Unitary", wires, matrix=tuple(map(tuple, matrix.tolist()))))
    expected = qml.matrix(qml.QubitUnitary(matrix, wires=wires), wire_order=range(N))
    np.testing.assert_allclose(ours, expected, rtol=0, atol=ROUNDING)
    circuit = QuantumCircuit(N)
    circuit.append(UnitaryGate(matrix), wires[::-1])
    np.testing.assert_allclose(ours, big_endian(circuit), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("name", ROTATIONS)
def test_angles_broadcast(name: str) -> None:
    wires = placements(name)[-1]
    values = torch.tensor([0.0, 0.3, -4.0], dtype=torch.float64)
    stack = gate_matrix(neutral(name, wires), values)
    assert stack.shape == (3, 2 ** len(wires), 2 ** len(wires))
    for value, matrix in zip(values.tolist(), stack, strict=True):
        torch.testing.assert_close(matrix, gate_matrix(neutral(name, wires), value))
    # No turn at all is the identity, and not only up to a phase.
    torch.testing.assert_close(stack[0], torch.eye(len(stack[0]), dtype=torch.complex128))


def test_pauli_words_have_their_first_letter_most_significant() -> None:
    expected = qml.matrix(qml.X(0) @ qml.Y(1) @ qml.Z(2), wire_order=range(3))
    np.testing.assert_array_equal(pauli_matrix("XYZ"), expected)


# --- expectation values ------------------------------------------------------------------------


def outputs(circuit: Circuit, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return expectations(circuit, torch.tensor(x), torch.tensor(theta)).numpy()


@pytest.mark.parametrize(
    ("gate", "values"),
    [
        ("RX", lambda x: (np.zeros_like(x), -np.sin(x), np.cos(x))),
        ("RY", lambda x: (np.sin(x), np.zeros_like(x), np.cos(x))),
        ("RZ", lambda x: (np.zeros_like(x), np.zeros_like(x), np.ones_like(x))),
    ],
)
def test_bloch_vector_of_one_rotation(gate: str, values) -> None:
    letters = [Observable.of([(1.0, {0: p})]) for p in "XYZ"]
    circuit = Circuit(1, (Gate(gate, (0,), feature(0)),), tuple(letters), 1, 0)
    x = np.linspace(-4, 4, 9)
    expected = np.stack(values(x), axis=1)
    np.testing.assert_allclose(
        outputs(circuit, x[:, None], np.zeros(0)), expected, rtol=0, atol=ROUNDING
    )


@pytest.mark.parametrize("n_wires", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_random_circuits_against_dense_matrices(n_wires: int, seed: int) -> None:
    rng = np.random.default_rng([seed, n_wires])
    circuit = random_circuit(rng, n_wires=n_wires, layers=2)
    x, theta = rng.uniform(-2, 2, (3, 2)), rng.uniform(-2, 2, circuit.n_parameters)
    got = outputs(circuit, x, theta)
    for row, values in zip(x, got, strict=True):
        state = np.eye(2**n_wires)[:, 0]
        for gate in circuit.gates:
            angle = 0.0 if gate.angle is None else float(gate.angle.evaluate(row, theta))
            state = dense(gate, angle, n_wires) @ state
        for observable, value in zip(circuit.observables, values, strict=True):
            matrix = sum(
                c * pauli_matrix("".join(dict(word).get(w, "I") for w in range(n_wires)))
                for c, word in observable.terms
            )
            expected = np.vdot(state, matrix @ state).real
            assert value == pytest.approx(expected, abs=ROUNDING)


def test_one_parameter_vector_for_each_row() -> None:
    rng = np.random.default_rng(5)
    circuit = random_circuit(rng, n_wires=2, layers=2)
    x, theta = rng.uniform(-2, 2, (3, 2)), rng.uniform(-2, 2, (3, circuit.n_parameters))
    rows = [outputs(circuit, a[None], b)[0] for a, b in zip(x, theta, strict=True)]
    np.testing.assert_allclose(outputs(circuit, x, theta), rows, rtol=0, atol=ROUNDING)


def test_gradients_against_differences() -> None:
    rng = np.random.default_rng(6)
    circuit = random_circuit(rng, n_wires=2, layers=2)
    x = torch.tensor(rng.uniform(-1, 1, (2, 2)), requires_grad=True)
    theta = torch.tensor(rng.uniform(-1, 1, circuit.n_parameters), requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: expectations(circuit, a, b), (x, theta))


def test_a_circuit_without_gates_or_terms() -> None:
    z, nothing = Observable.of([(2.0, {1: "Z"})]), Observable.of([])
    circuit = Circuit(2, (), (z, nothing), 1, 0)
    np.testing.assert_array_equal(outputs(circuit, np.zeros((2, 1)), np.zeros(0)), [[2.0, 0.0]] * 2)


def test_no_rows_give_no_outputs() -> None:
    gates = (Gate("RX", (0,), feature(0)), Gate("RY", (0,), parameter(0)))
    circuit = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 1)
    assert outputs(circuit, np.zeros((0, 1)), np.zeros(1)).shape == (0, 1)
