"""Mistake: a correlation taken for a product of expectation values.

Source: ``<Z_0 Z_1> = <Z_0> <Z_1>`` holds for product states only (Nielsen and Chuang, section
2.2.8).

``RY(x_0 + theta_0)`` on qubit 0 and ``RY(x_1 + theta_1)`` on qubit 1, then a CNOT: with a and b
the two angles ``<Z_0> = cos a``, ``<Z_1> = cos a cos b`` and ``<Z_0 Z_1> = cos b``. The
counterpart multiplies the first two: ``cos^2 a cos b``, a product readout for an entangled state.
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
    qml.CNOT(wires=[0, 1])
    return qml.expval(qml.Z(0) @ qml.Z(1))


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0] + theta[0], 0)
    circuit.ry(x[1] + theta[1], 1)
    circuit.cx(0, 1)
    return circuit


def counterpart(x, theta):
    z_0 = torch.cos(x[:, 0] + theta[0])
    z_1 = z_0 * torch.cos(x[:, 1] + theta[1])
    return z_0 * z_1  # wrong: the correlation is cos(x_1 + theta_1)


pair = Pair(
    name="mistake-mean-field",
    summary="The counterpart multiplies <Z_0> and <Z_1> of an entangled state.",
    mathematics="<Z_0 Z_1> = cos b, not cos^2 a cos b",
    source="Nielsen and Chuang, section 2.2.8",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("ZZ"),
    counterpart=counterpart,
    n_features=2,
    n_parameters=2,
)
