"""Mistake: a gate left out. The CZ after the first layer is missing in the counterpart.

Source: Kandala et al., Nature 549, 242 (2017), for the ansatz of RY layers and CZ.

Two qubits, ``RY(x_0)`` and ``RY(x_1)``, CZ, ``RY(theta_0)`` and ``RY(theta_1)``, and ``Z_0`` is
measured. Pulled back,

    Z_0 -> cos theta_0 Z_0 - sin theta_0 X_0 -> cos theta_0 Z_0 - sin theta_0 X_0 Z_1

and the factor ``<Z_1> = cos x_1`` is what the CZ adds. Without it wire 1 has no influence at all.
At x_1 = 0 both agree.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    for wire in (0, 1):
        qml.RY(x[wire], wires=wire)
    qml.CZ(wires=[0, 1])
    for wire in (0, 1):
        qml.RY(theta[wire], wires=wire)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    for qubit in (0, 1):
        circuit.ry(x[qubit], qubit)
    circuit.cz(0, 1)
    for qubit in (0, 1):
        circuit.ry(theta[qubit], qubit)
    return circuit


def counterpart(x, theta):
    # wrong: the second term lacks the factor cos x_1
    return torch.cos(theta[0]) * torch.cos(x[:, 0]) - torch.sin(theta[0]) * torch.sin(x[:, 0])


pair = Pair(
    name="mistake-dropped-gate",
    summary="The counterpart forgets the CZ: the second feature has no influence.",
    mathematics="f = cos t_0 cos x_0 - sin t_0 sin x_0 cos x_1, not cos(x_0 + t_0)",
    source="Kandala et al., Nature 549, 242 (2017)",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("IZ"),
    counterpart=counterpart,
    n_features=2,
    n_parameters=2,
)
