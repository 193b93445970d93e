"""Small circuits and counterparts that many tests share."""

from __future__ import annotations

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp


def serial_qnode():
    """One wire, two RX re-uploads between RY blocks: <Z> and <X>."""

    @qml.qnode(qml.device("default.qubit", wires=1))
    def circuit(x, theta):
        qml.RY(theta[0], wires=0)
        qml.RX(x[0], wires=0)
        qml.RY(theta[1], wires=0)
        qml.RX(2 * x[0] + theta[2], wires=0)
        return qml.expval(qml.Z(0)), qml.expval(qml.X(0))

    return circuit


def serial_qiskit():
    """The same circuit in Qiskit, with its observables."""
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    circuit.rx(x[0], 0)
    circuit.ry(theta[1], 0)
    circuit.rx(2 * x[0] + theta[2], 0)
    return circuit, [SparsePauliOp("Z"), SparsePauliOp("X")]


def serial_counterpart(x, theta):
    """Bloch vector (X, Y, Z), turned by hand: RY then RX, twice."""
    angle = x[:, 0]
    bx, by, bz = torch.sin(theta[0]), torch.zeros_like(angle), torch.cos(theta[0])
    by, bz = _turn(by, bz, angle)
    bz, bx = _turn(bz, bx, theta[1])
    by, bz = _turn(by, bz, 2 * angle + theta[2])
    return torch.stack([bz, bx.expand_as(angle)], dim=1)


def _turn(first, second, angle):
    """A rotation turns (first, second): RX turns (Y, Z), RY turns (Z, X), RZ turns (X, Y)."""
    cos, sin = torch.cos(angle), torch.sin(angle)
    return cos * first - sin * second, sin * first + cos * second


PAIR_FILE = '''
"""A pair for tests."""
import pennylane as qml
import torch
from qrun_equiv import Pair


def circuit(x, theta):
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    return qml.expval(qml.Z(0))


def counterpart(x, theta):
    return torch.cos(x[:, 0]) * torch.cos(theta[0])


def wrong(x, theta):
    return torch.cos(x[:, 0]) * torch.cos(2 * theta[0])


pair = Pair(name="mine", pennylane=circuit, counterpart=counterpart, n_features=1, n_parameters=1)
mistake = Pair(
    name="mine-doubled", pennylane=circuit, counterpart=wrong, n_features=1, n_parameters=1,
    claim="different",
)
'''
