"""The neutral form as native circuits of two frameworks, and back again."""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit.quantum_info import random_unitary

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.export import to_pennylane, to_qiskit
from qrun_equiv.frontends.pennylane import PennyLaneSource
from qrun_equiv.frontends.qiskit import QiskitSource
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations

NATIVE = 1e-10  # two float64 simulations of some fifty gates
X0, X1, T0 = feature(0), feature(1), parameter(0)
ANGLE = (PI - X0) * X1 / 3 + T0**2 * X0 - 0.25


def every_gate() -> Circuit:
    """All gates of the table on three wires, backwards and with gaps."""
    gates = [Gate("RY", (w,), Angle.constant(0.4 + 0.5 * w)) for w in range(3)]
    for k, (name, spec) in enumerate(GATES.items()):
        wires = ((2, 0) if k % 2 else (1, 2))[: spec.wires or 2]
        if name == "Unitary":
            matrix = tuple(map(tuple, random_unitary(4, seed=2).data.tolist()))
            gates.append(Gate(name, (2, 0), matrix=matrix))
        else:
            angle = ANGLE * (k + 1) / 5 if spec.gaps else None
            gates.append(Gate(name, wires, angle, "YX" if name == "PauliRot" else ""))
    gates.append(Gate("PauliRot", (2, 0, 1), X0 - T0, "XYZ"))
    observables = (
        Observable.of([(0.5, {0: "X", 2: "Y"}), (-1.5, {1: "Z"}), (0.25, {})]),
        Observable.of([(1.0, {2: "Z"})]),
        Observable.of([]),
    )
    return Circuit(3, tuple(gates), observables, 2, 1)


def sources(circuit: Circuit) -> list[PennyLaneSource | QiskitSource]:
    sizes = Sizes.of(circuit.n_features, circuit.n_parameters)
    native, observables = to_qiskit(circuit)
    return [PennyLaneSource(to_pennylane(circuit), sizes), QiskitSource(native, observables, sizes)]


def points(circuit: Circuit, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-2, 2, (3, circuit.n_features)), rng.uniform(-2, 2, circuit.n_parameters)


def values(circuit: Circuit, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return expectations(circuit, torch.tensor(x), torch.tensor(theta)).numpy()


CIRCUITS = {"every gate": every_gate()} | {
    f"random {n} {seed}": random_circuit(np.random.default_rng([n, seed]), n_wires=n, layers=2)
    for n in (1, 2, 3)
    for seed in range(2)
}
ALL = pytest.mark.parametrize("circuit", CIRCUITS.values(), ids=CIRCUITS)


@ALL
def test_native_circuits_have_the_neutral_forms_values(circuit: Circuit) -> None:
    x, theta = points(circuit, 0)
    expected = values(circuit, x, theta)
    for source in sources(circuit):
        native = source.values(x, theta)
        np.testing.assert_allclose(native, expected, rtol=0, atol=NATIVE)


@ALL
def test_what_comes_back_has_the_same_angles(circuit: Circuit) -> None:
    for source in sources(circuit):
        back = source.lower()
        x, theta = points(circuit, 1)
        expected = values(circuit, x, theta)
        np.testing.assert_allclose(values(back, x, theta), expected, rtol=0, atol=NATIVE)
    # PennyLane's gate set contains ours: gate for gate, angle for angle.
    back = sources(circuit)[0].lower()
    assert [(g.name, g.wires, g.word) for g in back.gates] == [
        (g.name, g.wires, g.word) for g in circuit.gates
    ]


def test_round_trip_of_exact_angles() -> None:
    angles = [X0 * 0.1, (PI - X0) * (PI - X1), T0 * X0 - 0.5, PI / 7, X1**2 / 3]
    circuit = Circuit(
        1, tuple(Gate("RX", (0,), a) for a in angles), (Observable.of([(1.0, {0: "Z"})]),), 2, 1
    )
    for source in sources(circuit):
        assert [g.angle for g in source.lower().gates] == angles


def test_pennylane_returns_one_value_for_one_observable() -> None:
    circuit = Circuit(1, (Gate("RX", (0,), X0),), (Observable.of([(2.0, {0: "Z"})]),), 1, 0)
    qnode = qml.QNode(to_pennylane(circuit), qml.device("default.qubit"))
    value = qnode(np.array([0.3]), np.zeros(0))
    assert np.ndim(value) == 0
    assert float(value) == pytest.approx(2 * np.cos(0.3), abs=NATIVE)


def test_qiskit_names_features_and_parameters() -> None:
    native, observables = to_qiskit(every_gate())
    assert {p.name for p in native.parameters} == {"x[0]", "x[1]", "theta[0]"}
    labels = [o.to_list() for o in observables]
    assert labels[1] == [("ZII", 1.0)]  # little-endian: wire 2 is the first letter
    assert labels[2] == [("III", 0.0)]
