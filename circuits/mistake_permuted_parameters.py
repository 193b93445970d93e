"""Mistake: Euler angles in the wrong order, in a counterpart and in a circuit.

Source: PennyLane's ``Rot(phi, theta, omega) = RZ(omega) RY(theta) RZ(phi)``; Qiskit's
``U(theta, phi, lambda) = RZ(phi) RY(theta) RZ(lambda)`` up to a phase. So
``Rot(phi, theta, omega)`` is ``U(theta, omega, phi)``.

A block between two encodings ``RX(x)``, <Z> measured.
- The counterpart reads the product of matrices as the order of time: RZ(omega) first.
- The Qiskit circuit hands the angles to U as they come, ``U(phi, theta, omega)``.
"""

import _bloch as bloch
import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RX(x[0], wires=0)
    qml.Rot(theta[0], theta[1], theta[2], wires=0)
    qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit(order=(1, 2, 0)):
    """The right order for U is (theta, omega, phi)."""
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    circuit.rx(x[0], 0)
    circuit.u(*(theta[k] for k in order), 0)
    circuit.rx(x[0], 0)
    return circuit


def right(x, theta):
    vector = bloch.rx(bloch.ZERO_STATE, x[:, 0])
    return bloch.rx(bloch.rot(vector, theta), x[:, 0])[2]


def reversed_in_time(x, theta):
    vector = bloch.rx(bloch.ZERO_STATE, x[:, 0])
    vector = bloch.rz(bloch.ry(bloch.rz(vector, theta[2]), theta[1]), theta[0])  # wrong
    return bloch.rx(vector, x[:, 0])[2]


SOURCE = "the documentation of PennyLane's Rot and Qiskit's UGate"

in_counterpart = Pair(
    name="mistake-reversed-euler-angles",
    summary="The counterpart applies the last factor of Rot first: phi and omega are exchanged.",
    mathematics="Rot = RZ(omega) RY(theta) RZ(phi): RZ(phi) comes first in time",
    source=SOURCE,
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=reversed_in_time,
    n_features=1,
    n_parameters=3,
)

in_circuit = Pair(
    name="mistake-permuted-parameters",
    summary="The Qiskit circuit hands (phi, theta, omega) to U(theta, phi, lambda) as they come.",
    mathematics="Rot(phi, theta, omega) = U(theta, omega, phi), not U(phi, theta, omega)",
    source=SOURCE,
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=lambda: qiskit_circuit(order=(0, 1, 2)),  # wrong
    observable=SparsePauliOp("Z"),
    counterpart=right,
    n_features=1,
    n_parameters=3,
)
