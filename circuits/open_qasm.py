"""A circuit from an OpenQASM 3 file, against PennyLane, Qiskit and formulas.

Source: the file ``qasm/two_qubits.qasm``; the language: Cross et al., ACM Trans. Quantum Comput.
3, 12 (2022), with ``input float[64]`` for features and parameters and a gate of its own.

Mathematics. Qubit 0 is prepared by RY, RZ and ``RX(x_0)``, with the Bloch vector u; qubit 1 by
``RY(b)``, ``b = 2 x_1 + theta_2``. Behind CNOT and ``RX(g)`` on qubit 1, ``g = x_0 - pi/3``,

    Z_1 -> cos g Z_1 + sin g Y_1 -> cos g Z_0 Z_1 + sin g Z_0 Y_1,    X_0 -> X_0 X_1,

so that ``<Z_1> = u_z cos g cos b`` (qubit 1 has no Y) and ``<X_0> = u_x sin b``.
"""

import math
from pathlib import Path

import _bloch as bloch
import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RZ(theta[1], wires=0)
    qml.RX(x[0], wires=0)
    qml.RY(2 * x[1] + theta[2], wires=1)
    qml.CNOT(wires=[0, 1])
    qml.RX(x[0] - math.pi / 3, wires=1)
    return qml.expval(qml.Z(1)), qml.expval(qml.X(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 3)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0], 0)
    circuit.rz(theta[1], 0)
    circuit.rx(x[0], 0)
    circuit.ry(2 * x[1] + theta[2], 1)
    circuit.cx(0, 1)
    circuit.rx(x[0] - math.pi / 3, 1)
    return circuit


def counterpart(x, theta):
    u = bloch.rx(bloch.rz(bloch.ry(bloch.ZERO_STATE, theta[0]), theta[1]), x[:, 0])
    b, g = 2 * x[:, 1] + theta[2], x[:, 0] - math.pi / 3
    return torch.stack([u[2] * torch.cos(g) * torch.cos(b), u[0] * torch.sin(b)], dim=-1)


pair = Pair(
    name="open-qasm",
    summary="An OpenQASM 3 file, a PennyLane function and a Qiskit circuit are one function.",
    mathematics="<Z_1> = u_z cos(x_0 - pi/3) cos b, <X_0> = u_x sin b, b = 2 x_1 + theta_2",
    source="circuits/qasm/two_qubits.qasm; Cross et al., ACM Trans. Quantum Comput. 3, 12 (2022)",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    qasm=Path(__file__).parent / "qasm" / "two_qubits.qasm",
    observable=[SparsePauliOp("ZI"), SparsePauliOp("IX")],
    counterpart=counterpart,
    n_features=2,
    n_parameters=3,
)
