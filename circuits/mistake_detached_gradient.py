"""Mistake: a detached tensor. All outputs are right, one gradient is missing.

Source: torch's documentation of ``Tensor.detach``; a copy through numpy or ``.item()`` does the
same.

The circuit is ``RY(theta_0 x + theta_1) |0>`` with a trainable scale. The counterpart keeps the
scale out of autograd. Outputs, the gradient in x and the spectrum agree to the last digit; the
derivative in theta_0 is zero instead of ``-x sin(theta_0 x + theta_1)``, so the scale never
trains.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(theta[0] * x[0] + theta[1], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0] * x[0] + theta[1], 0)
    return circuit


def counterpart(x, theta):
    scale = theta[0].detach()  # wrong
    return torch.cos(scale * x[:, 0] + theta[1])


pair = Pair(
    name="mistake-detached-gradient",
    summary="The counterpart detaches its scale: outputs equal, gradient in theta_0 missing.",
    mathematics="df/dtheta_0 = -x sin(theta_0 x + theta_1), not 0",
    source="torch's documentation of Tensor.detach",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=2,
)
