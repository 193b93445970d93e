"""Encodings by two-qubit Pauli rotations: RXX and RZZ.

Source: Nielsen and Chuang, section 4.7.3: evolution under a product of Pauli operators.

Mathematics. ``exp(-i a P / 2)`` takes an observable Q that anticommutes with P to
``cos a Q - i sin a Q P``. Qubit 0 starts in ``RX(t_0) |0>``, Bloch vector (0, -sin t_0, cos t_0),
qubit 1 in ``RY(t_1) |0>``, (sin t_1, 0, cos t_1); then ``RXX(x_0)`` and ``RZZ(x_1)``. Pulled back,

    Z_0 -> cos x_0 Z_0 + sin x_0 Y_0 X_1
    X_0 -> cos x_1 X_0 - sin x_1 Y_0 Z_1
    Y_0 -> cos x_1 (cos x_0 Y_0 - sin x_0 Z_0 X_1) + sin x_1 (cos x_0 X_0 Z_1 + sin x_0 Y_1),

and on the product state the words are products of the Bloch vectors' entries.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RX(theta[0], wires=0)
    qml.RY(theta[1], wires=1)
    qml.PauliRot(x[0], "XX", wires=[0, 1])
    qml.MultiRZ(x[1], wires=[0, 1])
    return qml.expval(qml.X(0)), qml.expval(qml.Y(0)), qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.rx(theta[0], 0)
    circuit.ry(theta[1], 1)
    circuit.rxx(x[0], 0, 1)
    circuit.rzz(x[1], 0, 1)
    return circuit


def counterpart(x, theta):
    y0, z0 = -torch.sin(theta[0]), torch.cos(theta[0])
    x1, z1 = torch.sin(theta[1]), torch.cos(theta[1])
    cos, sin = torch.cos(x), torch.sin(x)
    return torch.stack(
        [
            -sin[:, 1] * y0 * z1,
            cos[:, 1] * (cos[:, 0] * y0 - sin[:, 0] * z0 * x1),
            cos[:, 0] * z0 + sin[:, 0] * y0 * x1,
        ],
        dim=-1,
    )


pair = Pair(
    name="pauli-rotations",
    summary="Features in RXX and RZZ rotations of two qubits, by commutation rules.",
    mathematics="<Z_0> = cos x_0 z_0 + sin x_0 y_0 x_1, <X_0> = -sin x_1 y_0 z_1, "
    "<Y_0> = cos x_1 (cos x_0 y_0 - sin x_0 z_0 x_1)",
    source="Nielsen and Chuang, section 4.7.3",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[SparsePauliOp(label) for label in ("IX", "IY", "IZ")],
    counterpart=counterpart,
    n_features=2,
    n_parameters=2,
)
