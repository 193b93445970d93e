"""Cases of wires and labels, templates, rewritten tapes and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qml
from qiskit import QuantumCircuit, qasm3
from qiskit.circuit import Parameter
from qiskit.circuit.library import zz_feature_map
from qiskit.quantum_info import SparsePauliOp

from conformance.building import (
    Case,
    Natives,
    Subject,
    family,
    on_x_and_theta,
    qnode,
    side,
)


def labelled(wires: list[str], observable: Callable[[], Any]) -> Callable[[], Subject]:
    """String labels; the device's order, not the alphabet's, numbers the wires."""

    def circuit(x: Any, theta: Any) -> Any:
        qml.RX(x[0], wires=wires[0])
        qml.RY(theta[0], wires=wires[1])
        qml.CNOT(wires)
        return qml.expval(observable())

    return qnode(circuit, wires)


def little_endian(label: str) -> Callable[[], Subject]:
    def gates(circuit: QuantumCircuit, x: Any, theta: Any) -> None:
        circuit.rx(x[0], 0)
        circuit.ry(theta[0], 1)
        circuit.cx(0, 1)

    return on_x_and_theta(gates, label)


def cone(measure: str) -> Natives:
    return side(
        ("RX", 0, lambda x, t: x[0]), ("RY", 1, lambda x, t: t[0]), ("CX", (0, 1)), measure=measure
    )


def probabilities(wires: list[int]) -> Callable[[], Subject]:
    def circuit(x: Any, theta: Any) -> Any:
        qml.RX(x[0], wires=0)
        qml.RY(theta[0], wires=1)
        return qml.probs(wires=wires)

    return qnode(circuit)


WIRES: list[Case] = [
    *family(
        "first-wire",
        cone("Z0"),
        equal={
            "pennylane": labelled(["z", "a"], lambda: qml.Z("z")),
            "qiskit": little_endian("IZ"),
        },
        different={
            "pennylane": labelled(["z", "a"], lambda: qml.Z("a")),
            "qiskit": little_endian("ZI"),
        },
    ),
    *family(
        "two-letters",
        cone("Y0 X1"),
        equal={
            "pennylane": labelled(["b", "a"], lambda: qml.X("a") @ qml.Y("b")),
            "qiskit": little_endian("XY"),
        },
        different={
            "pennylane": labelled(["b", "a"], lambda: qml.X("b") @ qml.Y("a")),
            "qiskit": little_endian("YX"),
        },
    ),
    *family(
        "probabilities",
        {"pennylane": probabilities([0, 1])},
        equal={"pennylane": probabilities([0, 1])},
        different={"pennylane": probabilities([1, 0])},
    ),
]


def embedding(rotation: str) -> Callable[[], Subject]:
    def circuit(x: Any, theta: Any) -> Any:
        qml.AngleEmbedding(x, wires=[0, 1], rotation=rotation)
        qml.CNOT([0, 1])
        qml.RX(theta[0], wires=1)
        return qml.expval(qml.X(0)), qml.expval(qml.Z(1))

    return qnode(circuit)


def entangling_layer(order: str) -> Callable[[], Subject]:
    def circuit(x: Any, theta: Any) -> Any:
        weights = qml.math.reshape(theta, (1, 2, 3) if order == "C" else (1, 3, 2))
        weights = weights if order == "C" else qml.math.transpose(weights, (0, 2, 1))
        qml.AngleEmbedding(x, wires=[0, 1])
        qml.StronglyEntanglingLayers(weights, wires=[0, 1])
        return qml.expval(qml.X(0)), qml.expval(qml.Z(1))

    return qnode(circuit)


def transformed(*, doubled: bool) -> Callable[[], Subject]:
    """The tape is rewritten before it is run: two gates cancel, two change places."""

    def circuit(x: Any, theta: Any) -> Any:
        qml.RX(x[0], wires=0)
        qml.Hadamard(1)
        qml.Hadamard(1)
        qml.CNOT([1, 0])
        qml.RX(2 * theta[0] if doubled else theta[0], wires=0)
        return qml.expval(qml.Z(0)), qml.expval(qml.Y(0))

    def make() -> Subject:
        made = qml.QNode(circuit, qml.device("default.qubit", wires=2))
        return Subject(qml.transforms.commute_controlled(qml.transforms.cancel_inverses(made)))

    return make


def feature_map(pair: tuple[int, int], alpha: float = 2.0) -> Callable[[], Subject]:
    """Qiskit's second-order map: angles ``alpha x_i`` and ``alpha (pi - x_i) (pi - x_j)``."""

    def gates(circuit: QuantumCircuit, x: Any, theta: Any) -> None:
        made = zz_feature_map(2, reps=1, entanglement={1: [(0,), (1,)], 2: [pair]}, alpha=alpha)
        circuit.compose(made, inplace=True)
        circuit.h([0, 1])

    return on_x_and_theta(gates)


def through_qasm3(sign: int) -> Callable[[], Subject]:
    """Written as OpenQASM 3 and read again."""

    def make() -> Subject:
        x, theta = Parameter("x0"), Parameter("theta0")
        circuit = QuantumCircuit(2)
        circuit.rx(2 * (x + sign * theta), 0)
        circuit.crz(x / 3 - 0.5, 0, 1)
        circuit.cx(1, 0)
        return Subject(qasm3.loads(qasm3.dumps(circuit)), SparsePauliOp("ZY"))

    return make


TEMPLATES: list[Case] = [
    *family(
        "angle-embedding",
        side(
            ("RY", 0, lambda x, t: x[0]), ("RY", 1, lambda x, t: x[1]), ("CX", (0, 1)),
            ("RX", 1, lambda x, t: t[0]), measure=("X0", "Z1"),
        ),
        equal={"pennylane": embedding("Y")},
        different=[{"pennylane": embedding("X")}, {"pennylane": embedding("Z")}],
    ),
    *family(
        "strongly-entangling",
        side(
            ("RX", 0, lambda x, t: x[0]), ("RX", 1, lambda x, t: x[1]),
            ("RZ", 0, lambda x, t: t[0]), ("RY", 0, lambda x, t: t[1]),
            ("RZ", 0, lambda x, t: t[2]), ("RZ", 1, lambda x, t: t[3]),
            ("RY", 1, lambda x, t: t[4]), ("RZ", 1, lambda x, t: t[5]),
            ("CX", (0, 1)), ("CX", (1, 0)), measure=("X0", "Z1"),
        ),
        equal={"pennylane": entangling_layer("C")},
        different={"pennylane": entangling_layer("F")},
        sizes=(2, 6),
    ),
    *family(
        "rewritten-tape",
        side(("RX", 0, lambda x, t: x[0] + t[0]), measure=("Z0", "Y0")),
        equal={"pennylane": transformed(doubled=False)},
        different={"pennylane": transformed(doubled=True)},
    ),
    *family(
        "zz-feature-map",
        side(
            ("H", 0), ("H", 1), ("P", 0, lambda x, t: 2 * x[0]), ("P", 1, lambda x, t: 2 * x[1]),
            ("CX", (0, 1)),
            ("P", 1, lambda x, t: 2 * (3.141592653589793 - x[0]) * (3.141592653589793 - x[1])),
            ("CX", (0, 1)), ("H", 0), ("H", 1), measure="X0 Z1",
        ),
        equal=[{"qiskit": feature_map((0, 1))}, {"qiskit": feature_map((1, 0))}],
        different={"qiskit": feature_map((0, 1), 2.00003)},
    ),
    *family(
        "qasm3-round-trip",
        side(
            ("RX", 0, lambda x, t: 2 * x[0] + 2 * t[0]),
            ("CRZ", (0, 1), lambda x, t: (x[0] - 1.5) / 3), ("CX", (1, 0)), measure="Y0 Z1",
        ),
        equal={"qiskit": through_qasm3(1)},
        different={"qiskit": through_qasm3(-1)},
    ),
]  # fmt: skip
