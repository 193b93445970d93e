"""Trainable frequencies: the scale of each encoding gate is a parameter.

Source: Jaderberg, Gentile, Berrada, Shishenina and Elfving, Phys. Rev. A 109, 042421 (2024), "Let
quantum neural networks choose their own frequencies": encoding gates ``exp(-i g(theta) x P/2)``
whose generator has trainable parameters, so the model fits frequencies on no fixed grid.

Mathematics. One qubit, rotations ``RX(s_l u_l)`` with trainable scales ``s_l`` between ``Rot``
blocks. Every scale is unrelated to the others, the function has no period, and its frequencies are
the signed sums of the scales.
- One feature: ``u_l = x``, three encodings.
- Two features, the coordinates of a pixel: ``RX(a x_0 + b x_1)`` with trainable directions (a, b),
  as in an implicit image representation. Its parameters were trained by ``_train.py`` on a
  photograph (every eighth pixel); the data rows are pixel coordinates.
"""

from functools import partial

import _bloch as bloch
import pennylane as qml
from _trained import trained
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.data import angles
from qrun_equiv.pair import Pair

SOURCE = "Jaderberg et al., Phys. Rev. A 109, 042421 (2024)"
ENCODINGS = 4


def line_pennylane(x, theta):
    for layer in range(3):
        qml.Rot(*theta[4 * layer : 4 * layer + 3], wires=0)
        qml.RX(theta[4 * layer + 3] * x[0], wires=0)
    qml.Rot(*theta[12:15], wires=0)
    return qml.expval(qml.Z(0))


def line_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 15)
    circuit = QuantumCircuit(1)
    for layer in range(4):
        circuit.rz(theta[4 * layer], 0)
        circuit.ry(theta[4 * layer + 1], 0)
        circuit.rz(theta[4 * layer + 2], 0)
        if layer < 3:
            circuit.rx(theta[4 * layer + 3] * x[0], 0)
    return circuit


def line_counterpart(x, theta):
    vector = bloch.ZERO_STATE
    for layer in range(3):
        vector = bloch.rot(vector, theta[4 * layer : 4 * layer + 3])
        vector = bloch.rx(vector, theta[4 * layer + 3] * x[:, 0])
    return bloch.rot(vector, theta[12:15])[2]


def image_pennylane(x, theta):
    for layer in range(ENCODINGS):
        a, b, y, z = theta[4 * layer : 4 * layer + 4]
        qml.RX(a * x[0] + b * x[1], wires=0)
        qml.RY(y, wires=0)
        qml.RZ(z, wires=0)
    return qml.expval(qml.X(0))


def image_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 4 * ENCODINGS)
    circuit = QuantumCircuit(1)
    for layer in range(ENCODINGS):
        a, b, y, z = theta[4 * layer : 4 * layer + 4]
        circuit.rx(a * x[0] + b * x[1], 0)
        circuit.ry(y, 0)
        circuit.rz(z, 0)
    return circuit


def image_counterpart(x, theta):
    vector = bloch.ZERO_STATE
    for layer in range(ENCODINGS):
        a, b, y, z = theta[4 * layer : 4 * layer + 4]
        vector = bloch.rx(vector, a * x[:, 0] + b * x[:, 1])
        vector = bloch.rz(bloch.ry(vector, y), z)
    return vector[0]


line = Pair(
    name="trainable-frequencies",
    summary="Three encodings with trainable, unrelated scales; the function has no period.",
    mathematics="f(x) = e_z . R(W_4) prod_l R_x(s_l x) R(W_l) e_z, frequencies sum_l n_l s_l",
    source=SOURCE,
    claim="equal",
    pennylane=line_pennylane,
    qiskit=line_qiskit,
    observable=SparsePauliOp("Z"),
    counterpart=line_counterpart,
    n_features=1,
    n_parameters=15,
)

image = Pair(
    name="implicit-image",
    summary="A photograph as a function of its coordinates, with trained frequency vectors.",
    mathematics="f(x) = e_x . prod_l R_z(z_l) R_y(y_l) R_x(a_l x_0 + b_l x_1) e_z",
    source=SOURCE,
    claim="equal",
    pennylane=image_pennylane,
    qiskit=image_qiskit,
    observable=SparsePauliOp("X"),
    counterpart=image_counterpart,
    n_features=2,
    n_parameters=4 * ENCODINGS,
    data=partial(angles, "camera"),
    data_source=(
        "camera (scikit-image): row and column of every eighth pixel, each scaled to [-pi, pi]"
    ),
    trained=trained("implicit-image"),
)
