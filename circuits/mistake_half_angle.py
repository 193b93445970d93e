"""Mistake: the half angle. ``exp(-i x X)`` is RX(2x), not RX(x).

Source: the convention ``RX(a) = exp(-i a X / 2)`` of PennyLane, Qiskit and Nielsen and Chuang,
equation (4.4), against papers that encode by ``exp(-i x H)`` with Pauli H (Schuld, Sweke and
Meyer, Phys. Rev. A 103, 032430 (2021)).

The circuits encode ``exp(-i x X)`` as RX(2x) after ``RX(theta)``; the output has frequency 2. The
counterpart was written as if the generator were X / 2, with frequency 1. Both agree at x = 0.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RX(theta[0], wires=0)
    qml.RX(2 * x[0], wires=0)  # exp(-i x X)
    return qml.expval(qml.Z(0)), qml.expval(qml.Y(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0], 0)
    circuit.rx(2 * x[0], 0)
    return circuit


def counterpart(x, theta):
    angle = x[:, 0] + theta[0]  # wrong: 2 x + theta
    return torch.stack([torch.cos(angle), -torch.sin(angle)], dim=-1)


pair = Pair(
    name="mistake-half-angle",
    summary="The counterpart takes exp(-i x X) for RX(x): its frequency is 1 instead of 2.",
    mathematics="<Z> = cos(2x + theta), not cos(x + theta)",
    source="Nielsen and Chuang, equation (4.4)",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[SparsePauliOp("Z"), SparsePauliOp("Y")],
    counterpart=counterpart,
    n_features=1,
    n_parameters=1,
)
