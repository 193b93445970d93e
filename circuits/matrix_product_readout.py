"""Every re-uploading circuit is a matrix-product readout of its Q-RUN features.

Sources: Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021), for the circuit; the transfer
matrices of rotations in the Pauli basis, Greenbaum, arXiv:1509.02921.

Mathematics. Write a qubit's state as the row ``(1, X, Y, Z)``. A rotation multiplies it by a 4x4
matrix from the right, and that of an encoding ``RX(a)`` is affine in cosine and sine:

    E(a) = diag(1, 1, 0, 0) + cos a diag(0, 0, 1, 1) + sin a (|Y><Z| - |Z><Y|).

With trainable rotations ``W_l`` in between, the expectation value of Z is

    f(x) = (1, 0, 0, 1) W_1 E(s_1 x) W_2 E(s_2 x) W_3 E(s_3 x) W_4 (0, 0, 0, 1)^T,

a matrix product of bond 4 over the features ``(cos s_l x, sin s_l x)``, L = 3, and evaluated by
``qrun_equiv.readout.matrix_product``: core l is ``W_l`` times the three parts of E. The scales are
trainable.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair
from qrun_equiv.readout import matrix_product

REUPLOADS = 3


def pennylane_circuit(x, theta):
    for layer in range(REUPLOADS):
        qml.Rot(*theta[4 * layer : 4 * layer + 3], wires=0)
        qml.RX(theta[4 * layer + 3] * x[0], wires=0)
    qml.Rot(*theta[12:15], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 15)
    circuit = QuantumCircuit(1)
    for layer in range(REUPLOADS + 1):
        circuit.rz(theta[4 * layer], 0)
        circuit.ry(theta[4 * layer + 1], 0)
        circuit.rz(theta[4 * layer + 2], 0)
        if layer < REUPLOADS:
            circuit.rx(theta[4 * layer + 3] * x[0], 0)
    return circuit


def matrix(rows):
    return torch.stack([torch.stack([torch.as_tensor(v).double() for v in row]) for row in rows])


def about_z(angle):
    c, s = torch.cos(angle), torch.sin(angle)
    return matrix([[1, 0, 0, 0], [0, c, s, 0], [0, -s, c, 0], [0, 0, 0, 1]])


def about_y(angle):
    c, s = torch.cos(angle), torch.sin(angle)
    return matrix([[1, 0, 0, 0], [0, c, 0, -s], [0, 0, 1, 0], [0, s, 0, c]])


def block(angles):
    return about_z(angles[0]) @ about_y(angles[1]) @ about_z(angles[2])


def counterpart(x, theta):
    constant = matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    cosine = matrix([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    sine = matrix([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, -1, 0]])
    parts = torch.stack([constant, cosine, sine])
    cores = [block(theta[4 * k : 4 * k + 3]) @ parts for k in range(REUPLOADS)]
    scales = torch.stack([theta[4 * k + 3] for k in range(REUPLOADS)])
    phases = x * scales
    features = torch.stack([torch.cos(phases), torch.sin(phases)], dim=-1)
    measured = matrix([[0, 0], [0, 1], [0, 0], [1, 0]])  # columns: Z, X
    left = matrix([[1, 0, 0, 1]])[0]
    return matrix_product(features, left, cores, block(theta[12:15]) @ measured)


pair = Pair(
    name="matrix-product-readout",
    summary="A single-qubit circuit is a matrix product of bond 4 over its Q-RUN features.",
    mathematics="f = (1,0,0,1) prod_l W_l (A + cos s_l x B + sin s_l x C) W_4 e_Z",
    source="Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021); Greenbaum, arXiv:1509.02921",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[SparsePauliOp("Z"), SparsePauliOp("X")],
    counterpart=counterpart,
    n_features=1,
    n_parameters=15,
)
