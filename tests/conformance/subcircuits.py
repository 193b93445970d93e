"""Cases of sub-circuits: renamed, bound, placed, inverted and controlled blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from conformance.building import (
    Case,
    Natives,
    Subject,
    family,
    on_x_and_theta,
    qnode,
    side,
    vectors,
)


def called(angle: Callable[[Any, Any], Any]) -> Natives:
    """A block in its own variable, given an expression: a call, or ``assign_parameters``."""

    def block(a: Any) -> None:
        qml.RX(3 * a + 0.25, wires=0)
        qml.RY(a * a, wires=0)

    def circuit(x: Any, theta: Any) -> Any:
        block(angle(x, theta))
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0))

    def assigned() -> Subject:
        a, b = Parameter("a"), Parameter("b")
        inner = QuantumCircuit(1)
        inner.rx(3 * a + 0.25, 0)
        inner.ry(a * a, 0)
        renamed = inner.assign_parameters({a: b})
        bound = renamed.assign_parameters({b: angle(*vectors())})
        return Subject(bound, [SparsePauliOp("Z"), SparsePauliOp("X")])

    return {"pennylane": qnode(circuit, 1), "qiskit": assigned}


def exchanged_features(rx: int, ry: int) -> Natives:
    """x[0] and x[1] exchanged at once; one after the other would make them one."""

    def circuit(x: Any, theta: Any) -> Any:
        x = {0: x[1], 1: x[0]}
        qml.RX(x[rx], wires=0)
        qml.RY(x[ry] + theta[0], wires=0)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0))

    def assigned() -> Subject:
        x, theta = vectors()
        circuit = QuantumCircuit(1)
        circuit.rx(x[rx], 0)
        circuit.ry(x[ry] + theta[0], 0)
        exchanged = circuit.assign_parameters({x[0]: x[1], x[1]: x[0]})
        return Subject(exchanged, [SparsePauliOp("Z"), SparsePauliOp("X")])

    return {"pennylane": qnode(circuit, 1), "qiskit": assigned}


def partly_bound(value: float) -> Natives:
    """The second parameter is a number from here on."""

    def inner(x: Any, theta: Any) -> Any:
        qml.RX(x[0] * theta[1] + theta[0], wires=0)
        return qml.expval(qml.Z(0)), qml.expval(qml.Y(0))

    def bound() -> Subject:
        x, theta = vectors()
        circuit = QuantumCircuit(1)
        circuit.rx(x[0] * theta[1] + theta[0], 0)
        rest = circuit.assign_parameters({theta[1]: value})
        return Subject(rest, [SparsePauliOp("Z"), SparsePauliOp("Y")])

    return {
        "pennylane": qnode(lambda x, theta: inner(x, [theta[0], value]), 1),
        "qiskit": bound,
    }


def on_wires(first: int, second: int) -> Natives:
    """A block of two wires, placed on other ones."""

    def block(x: Any, theta: Any) -> None:
        qml.RX(x[0], wires=0)
        qml.RY(theta[0], wires=1)
        qml.CNOT([0, 1])

    def circuit(x: Any, theta: Any) -> Any:
        qml.map_wires(block, {0: first, 1: second})(x, theta)
        return qml.expval(qml.X(0) @ qml.Z(1))

    def gates(outer: QuantumCircuit, x: Any, theta: Any) -> QuantumCircuit:
        inner = QuantumCircuit(2)
        inner.rx(x[0], 0)
        inner.ry(theta[0], 1)
        inner.cx(0, 1)
        return outer.compose(inner, qubits=[first, second])

    return {"pennylane": qnode(circuit), "qiskit": on_x_and_theta(gates)}


def conjugated(*, inverted: bool) -> Natives:
    """A trained block, an encoding, and the block undone (or done again)."""

    def block(theta: Any) -> None:
        qml.RY(theta[0], wires=0)
        qml.CNOT([0, 1])
        qml.RX(theta[1], wires=1)

    def circuit(x: Any, theta: Any) -> Any:
        block(theta)
        qml.RZ(x[0], wires=1)
        (qml.adjoint(block) if inverted else block)(theta)
        return qml.expval(qml.X(0) @ qml.Z(1))

    def gates(outer: QuantumCircuit, x: Any, theta: Any) -> None:
        inner = QuantumCircuit(2)
        inner.ry(theta[0], 0)
        inner.cx(0, 1)
        inner.rx(theta[1], 1)
        outer.append(inner.to_gate(), [0, 1])
        outer.rz(x[0], 1)
        outer.append(inner.to_gate().inverse() if inverted else inner.to_gate(), [0, 1])

    return {"pennylane": qnode(circuit), "qiskit": on_x_and_theta(gates)}


def controlled(value: int) -> Natives:
    """A block of one wire under a control that fires at 1 or at 0."""

    def block(x: Any) -> None:
        qml.RX(x[0], wires=1)
        qml.RZ(x[1], wires=1)

    def circuit(x: Any, theta: Any) -> Any:
        qml.RY(theta[0], wires=0)
        qml.RY(theta[1], wires=1)
        qml.ctrl(block, control=0, control_values=[value])(x)
        return qml.expval(qml.Y(0) @ qml.Z(1))

    def gates(outer: QuantumCircuit, x: Any, theta: Any) -> None:
        inner = QuantumCircuit(1)
        inner.rx(x[0], 0)
        inner.rz(x[1], 0)
        outer.ry(theta[0], 0)
        outer.ry(theta[1], 1)
        outer.append(inner.to_gate().control(1, ctrl_state=value), [0, 1])

    return {"pennylane": qnode(circuit), "qiskit": on_x_and_theta(gates, "ZY")}


SUBCIRCUITS: list[Case] = [
    *family(
        "renamed-parameter",
        side(
            ("RX", 0, lambda x, t: 6 * x[0] + 3 * t[0] + 0.25),
            ("RY", 0, lambda x, t: 4 * x[0] * x[0] + 4 * x[0] * t[0] + t[0] * t[0]),
            measure=("Z0", "X0"),
        ),
        equal=called(lambda x, t: 2 * x[0] + t[0]),
        different=[called(lambda x, t: 2 * x[0] - t[0]), called(lambda x, t: 2 * x[0] + t[1])],
    ),
    *family(
        "exchanged-at-once",
        side(
            ("RX", 0, lambda x, t: x[1]), ("RY", 0, lambda x, t: x[0] + t[0]), measure=("Z0", "X0")
        ),
        equal=exchanged_features(0, 1),
        different=exchanged_features(1, 0),
    ),
    *family(
        "partly-bound",
        side(("RX", 0, lambda x, t: (x[0] + 4 * t[0]) / 4), measure=("Z0", "Y0")),
        equal=partly_bound(0.25),
        different=[partly_bound(0.2500001), partly_bound(-0.25)],
    ),
    *family(
        "placed-on-wires",
        side(
            ("RX", 1, lambda x, t: x[0]), ("RY", 0, lambda x, t: t[0]), ("CX", (1, 0)),
            measure="X0 Z1",
        ),
        equal=on_wires(1, 0),
        different=on_wires(0, 1),
    ),
    *family(
        "block-and-its-inverse",
        side(
            ("RY", 0, lambda x, t: t[0]), ("CX", (0, 1)), ("RX", 1, lambda x, t: t[1]),
            ("RZ", 1, lambda x, t: x[0]),
            ("RX", 1, lambda x, t: -t[1]), ("CX", (0, 1)), ("RY", 0, lambda x, t: -t[0]),
            measure="X0 Z1",
        ),
        equal=conjugated(inverted=True),
        different=conjugated(inverted=False),
    ),
    *family(
        "controlled-block",
        side(
            ("RY", 0, lambda x, t: t[0]), ("RY", 1, lambda x, t: t[1]),
            ("CRX", (0, 1), lambda x, t: x[0]), ("CRZ", (0, 1), lambda x, t: x[1]),
            measure="Y0 Z1",
        ),
        equal=controlled(1),
        different=controlled(0),
    ),
]  # fmt: skip
