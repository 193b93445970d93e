"""Pauli transfer matrices against density matrices, for every gate of the neutral form."""

from __future__ import annotations

import itertools

import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit.quantum_info import random_unitary

from qrun_equiv import transfer
from qrun_equiv.angle import Angle, as_float, feature
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations, pauli_matrix
from qrun_equiv.transfer import Fixed, Rotation

ROUNDING = 1e-12  # float64, at most some fifty gates on 64 Pauli words
ANGLE = -1.2345
LETTERS = "IXYZ"
PENNYLANE = {name: name for name in GATES} | {"H": "Hadamard"}


def words(n: int) -> list[str]:
    return ["".join(letters) for letters in itertools.product(LETTERS, repeat=n)]


def dense_transfer(unitary: np.ndarray, n: int) -> np.ndarray:
    """The definition ``R_ij = Tr(P_i U P_j U^dagger) / 2**n``."""
    paulis = [pauli_matrix(w) for w in words(n)]
    moved = [unitary @ p @ unitary.conj().T for p in paulis]
    return np.array([[np.trace(p @ m).real / 2**n for m in moved] for p in paulis])


def native(gate: Gate, n: int) -> np.ndarray:
    """The gate's dense matrix, from PennyLane."""
    if gate.name == "Unitary":
        operation = qml.QubitUnitary(np.array(gate.matrix), wires=gate.wires)
    elif gate.name == "PauliRot":
        operation = qml.PauliRot(ANGLE, gate.word, wires=gate.wires)
    else:
        arguments = [ANGLE] if gate.angle is not None else []
        operation = getattr(qml, PENNYLANE[gate.name])(*arguments, wires=gate.wires)
    return qml.matrix(operation, wire_order=range(n))


def applied(gate: Gate, n: int) -> np.ndarray:
    """The gate's steps applied to every basis vector: the transfer matrix's columns."""
    circuit = Circuit(n, (gate,), (Observable.of([(1.0, {0: "Z"})]),), 0, 0)
    r = torch.eye(4**n, dtype=torch.float64)
    for step in transfer.steps(circuit):
        if isinstance(step, Fixed):
            r = step.apply(r)
        else:
            value = torch.tensor([[as_float(step.angle)]], dtype=torch.float64)
            r = step.apply(r, torch.cos(value), torch.sin(value))
    return r.T.numpy()


def gates() -> list[Gate]:
    constant = Angle.constant(ANGLE)
    made = [
        Gate(name, wires, constant if spec.gaps else None)
        for name, spec in GATES.items()
        if spec.wires
        for wires in itertools.permutations(range(2), spec.wires)
    ]
    for word, wires in [("Y", (1,)), ("XY", (0, 1)), ("XY", (1, 0)), ("ZX", (1, 0))]:
        made.append(Gate("PauliRot", wires, constant, word))
    for wires in [(1,), (0, 1), (1, 0)]:
        matrix = random_unitary(2 ** len(wires), seed=9).data.tolist()
        made.append(Gate("Unitary", wires, matrix=tuple(map(tuple, matrix))))
    return made


@pytest.mark.parametrize("gate", gates(), ids=lambda g: f"{g.name}{g.word}{g.wires}")
def test_every_gate_against_density_matrices(gate: Gate) -> None:
    expected = dense_transfer(native(gate, 2), 2)
    np.testing.assert_allclose(applied(gate, 2), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    "gate",
    [
        Gate("CRY", (2, 0), Angle.constant(ANGLE)),
        Gate("CNOT", (2, 0)),
        Gate("PauliRot", (2, 0, 1), Angle.constant(ANGLE), "XYZ"),
        Gate("Unitary", (2, 0), matrix=tuple(map(tuple, random_unitary(4, seed=1).data.tolist()))),
    ],
    ids=lambda g: g.name,
)
def test_gates_across_a_third_wire(gate: Gate) -> None:
    expected = dense_transfer(native(gate, 3), 3)
    np.testing.assert_allclose(applied(gate, 3), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("word", [w for w in words(2) if w != "II"])
def test_tables_are_the_pauli_algebra(word: str) -> None:
    anticommuting, source, sign = transfer.rotation_tables(word)
    p = pauli_matrix(word)
    for index, other in enumerate(words(2)):
        q = pauli_matrix(other)
        anticommute = np.allclose(p @ q, -q @ p)
        assert anticommuting[index] == anticommute
        assert (sign[index] != 0) == anticommute
        if anticommute:
            # At a quarter turn <Q> becomes sign * <source>: U^dagger Q U with U = (1 - iP)/sqrt 2.
            turn = (np.eye(4) - 1j * p) / np.sqrt(2)
            r = pauli_matrix(words(2)[source[index]])
            np.testing.assert_allclose(
                turn.conj().T @ q @ turn, sign[index] * r, rtol=0, atol=ROUNDING
            )


def test_controlled_rotations_become_two_commuting_ones() -> None:
    circuit = Circuit(
        2,
        (Gate("CRX", (0, 1), feature(0)), Gate("H", (0,))),
        (Observable.of([(1.0, {0: "Z"})]),),
        1,
        0,
    )
    first, second, fixed = transfer.steps(circuit)
    assert isinstance(first, Rotation)
    assert isinstance(second, Rotation)
    assert isinstance(fixed, Fixed)
    assert (first.angle, second.angle) == (feature(0) / 2, -feature(0) / 2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_start_is_the_zero_state(n: int) -> None:
    state = np.zeros((2**n, 2**n))
    state[0, 0] = 1
    expected = [np.trace(pauli_matrix(w) @ state).real for w in words(n)]
    np.testing.assert_array_equal(transfer.start(n).numpy(), expected)


def test_readout_places_each_word() -> None:
    observables = [
        Observable.of([(0.5, {0: "X", 2: "Y"}), (2.0, {})]),
        Observable.of([(-1.0, {1: "Z"})]),
    ]
    columns = transfer.readout(observables, 3).numpy()
    expected = np.zeros((64, 2))
    expected[[words(3).index("XIY"), 0], 0] = 0.5, 2.0
    expected[words(3).index("IZI"), 1] = -1.0
    np.testing.assert_array_equal(columns, expected)


@pytest.mark.parametrize("n_wires", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_transfer_against_state_vectors(n_wires: int, seed: int) -> None:
    rng = np.random.default_rng([seed, n_wires])
    circuit = random_circuit(rng, n_wires=n_wires, layers=3)
    x = torch.tensor(rng.uniform(-4, 4, (4, 2)))
    theta = torch.tensor(rng.uniform(-4, 4, circuit.n_parameters))
    r = transfer.start(n_wires).expand(4, -1)
    for step in transfer.steps(circuit):
        if isinstance(step, Fixed):
            r = step.apply(r)
        else:
            angle = torch.as_tensor(step.angle.evaluate(x, theta))[..., None]
            r = step.apply(r, torch.cos(angle), torch.sin(angle))
    value = r @ transfer.readout(circuit.observables, n_wires)
    torch.testing.assert_close(value, expectations(circuit, x, theta), rtol=0, atol=ROUNDING)
    # A pure state stays pure: the sum of squares over all words is 2**n.
    torch.testing.assert_close(
        (r**2).sum(1), torch.full((4,), 2.0**n_wires).double(), rtol=0, atol=2**n_wires * ROUNDING
    )
