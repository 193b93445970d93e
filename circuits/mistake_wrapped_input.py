"""Mistake: inputs wrapped to [-pi, pi) before a half-frequency encoding.

Source: angles are commonly reduced modulo 2 pi before they are encoded; a controlled rotation has
period 4 pi in its expectation values (Wierichs et al., Quantum 6, 677 (2022)).

Control ``RY(theta_0) |0>``, target ``|0>``, ``CRX(x)``: ``<X_0> = sin(theta_0) cos(x / 2)``. The
counterpart wraps x first: right for -pi <= x < pi, of the opposite sign one turn further.
"""

import math

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(theta[0], wires=0)
    qml.CRX(x[0], wires=[0, 1])
    return qml.expval(qml.X(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0], 0)
    circuit.crx(x[0], 0, 1)
    return circuit


def counterpart(x, theta):
    wrapped = torch.remainder(x[:, 0] + math.pi, 2 * math.pi) - math.pi  # wrong: the period is 4 pi
    return torch.sin(theta[0]) * torch.cos(wrapped / 2)


pair = Pair(
    name="mistake-wrapped-input",
    summary="The counterpart wraps x to [-pi, pi), but the circuit's period is 4 pi.",
    mathematics="<X_0> = sin(theta) cos(x/2) has period 4 pi",
    source="Wierichs et al., Quantum 6, 677 (2022)",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("IX"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=1,
)
