"""Mistake: the sign of a constant offset.

Source: rotations by ``x - b`` and ``x + b``; an equivalence checker that reads printed expressions
and drops the sign of their constants takes them for each other.

``RX(x - 1/2)`` after ``RY(theta)``: ``<Z> = cos theta cos(x - 1/2)``. The counterpart has
``cos(x + 1/2)``: the same size, the same frequencies, the same magnitude of every Fourier
coefficient; only their phases differ.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RX(x[0] - 0.5, wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    circuit.rx(x[0] - 0.5, 0)
    return circuit


def counterpart(x, theta):
    return torch.cos(theta[0]) * torch.cos(x[:, 0] + 0.5)  # wrong: x - 0.5


pair = Pair(
    name="mistake-sign-of-offset",
    summary="The counterpart adds the offset that the circuit subtracts: only phases differ.",
    mathematics="f = cos theta cos(x - 1/2), not cos theta cos(x + 1/2)",
    source="sign conventions of rotation angles",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=1,
)
