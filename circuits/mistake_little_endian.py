"""Mistake: a Qiskit label read from left to right.

Source: Qiskit's documentation of Pauli labels: little-endian, the rightmost letter is qubit 0.

The output is meant to be ``Z_0 X_1``. The PennyLane circuit and the counterpart have it; the
Qiskit observable was written "ZX", which is ``X_0 Z_1``. With ``RY(a)`` on qubit 0 and ``RY(b)``
on qubit 1 that is ``sin a cos b`` instead of ``cos a sin b``.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(x[0] + theta[0], wires=0)
    qml.RY(x[1] + theta[1], wires=1)
    return qml.expval(qml.Z(0) @ qml.X(1))


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0] + theta[0], 0)
    circuit.ry(x[1] + theta[1], 1)
    return circuit


observable = SparsePauliOp("ZX")  # wrong: Z_0 X_1 is "XZ"


def counterpart(x, theta):
    return torch.cos(x[:, 0] + theta[0]) * torch.sin(x[:, 1] + theta[1])


pair = Pair(
    name="mistake-little-endian",
    summary="The Qiskit label is written left to right: it measures X_0 Z_1 instead of Z_0 X_1.",
    mathematics="<Z_0 X_1> = cos a sin b, not sin a cos b",
    source="Qiskit's documentation of Pauli labels",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=observable,
    counterpart=counterpart,
    n_features=2,
    n_parameters=2,
)
