"""Cases of names: vectors out of order, shadowed names, arguments, two-digit indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.quantum_info import SparsePauliOp

from conformance.building import (
    Case,
    Natives,
    Subject,
    family,
    qnode,
    side,
    vectors,
)


def first_two(x: Any, theta: Any) -> Any:
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    qml.RX(x[1], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def misnamed(theta: Any, x: Any) -> Any:  # the first argument is the features
    qml.RX(theta[0], wires=0)
    qml.RY(x[0], wires=0)
    qml.RX(theta[1], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def by_name(theta: Any, x: Any) -> Any:  # obeys the names, not the places
    return first_two(x, theta)


def unpacked(x: Any, theta: Any) -> Any:
    x, (second, *_) = [2 * value for value in (x[1], x[0])], theta  # shadows x
    return first_two([x[1] / 2, x[0] / 2], [second])


def unpacked_late(x: Any, theta: Any) -> Any:
    x = [x[1], x[0]]  # shadows x, and is read below
    return first_two(x, theta)


def three_rotations(first: Any, second: Any, third: Any) -> Subject:
    circuit = QuantumCircuit(1)
    circuit.rx(first, 0)
    circuit.ry(second, 0)
    circuit.rx(third, 0)
    return Subject(circuit, [SparsePauliOp("Z"), SparsePauliOp("X")])


def plain() -> Subject:
    x, theta = vectors()
    return three_rotations(x[0], theta[0], x[1])


def reversed_creation() -> Subject:
    theta, x = ParameterVector("theta", 7), ParameterVector("x", 5)
    second, first = x[1], x[0]
    return three_rotations(first, theta[0], second)


def exchanged_vectors() -> Subject:
    x, theta = ParameterVector("theta", 2), ParameterVector("x", 2)
    return three_rotations(x[0], theta[0], x[1])


def single_names() -> Subject:
    return three_rotations(Parameter("x0"), Parameter("theta_0"), Parameter("x1"))


def shadowing_name() -> Subject:
    return three_rotations(vectors(1)[0][0], Parameter("theta"), Parameter("x[1]"))


def shadowing_name_exchanged() -> Subject:
    return three_rotations(Parameter("x[1]"), Parameter("theta"), vectors(1)[0][0])


def numbered_names(order: list[int]) -> Callable[[], Subject]:
    """Single names, so that x10 stands before x2 in every sorted list."""

    def make() -> Subject:
        circuit = QuantumCircuit(1)
        for place, k in enumerate(order):
            (circuit.ry if place % 2 else circuit.rx)(Parameter(f"x{k}"), 0)
        return Subject(circuit, SparsePauliOp("Z"))

    return make


def in_a_loop(order: list[int]) -> Callable[[], Subject]:
    def circuit(x: Any, theta: Any) -> Any:
        for place, k in enumerate(order):
            (qml.RY if place % 2 else qml.RX)(x[k], wires=0)
        return qml.expval(qml.Z(0))

    return qnode(circuit, 1)


def numbered(order: list[int]) -> Natives:
    return {"pennylane": in_a_loop(order), "qiskit": numbered_names(order)}


TWO_DIGITS = [1, 2, 10, 11]  # of twelve

NAMES: list[Case] = [
    *family(
        "vectors-and-arguments",
        {"pennylane": qnode(first_two, 1), "qiskit": plain},
        equal=[
            {"pennylane": qnode(misnamed, 1), "qiskit": reversed_creation},
            {"pennylane": qnode(unpacked, 1), "qiskit": single_names},
            {"pennylane": qnode(unpacked, 1), "qiskit": shadowing_name},
        ],
        different=[
            {"pennylane": qnode(by_name, 1), "qiskit": exchanged_vectors},
            {"pennylane": qnode(unpacked_late, 1), "qiskit": shadowing_name_exchanged},
        ],
    ),
    *family(
        "two-digit-names",
        side(
            *(
                ("RY" if n % 2 else "RX", 0, lambda x, t, k=k: x[k])
                for n, k in enumerate(TWO_DIGITS)
            )
        ),
        equal=numbered(TWO_DIGITS),
        different=numbered(sorted(TWO_DIGITS, key=str)),
        sizes=(12, 0),
    ),
]
