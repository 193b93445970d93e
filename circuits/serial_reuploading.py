"""Serial re-uploading: one qubit, RX encodings between trainable rotations.

Source: Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021): L encodings ``RX(x)``, with a
trainable ``Rot`` before, between and after them, give a Fourier series of degree L.

Mathematics. A rotation of the qubit is a rotation of its Bloch vector, so the output is the Z
component of a product of 3x3 rotations on ``(0, 0, 1)``. Each entry of the encoding rotation is
affine in ``(1, cos x, sin x)``, hence degree L. For L = 1 the three coefficients are written out:
with ``W_1 = Rot(a, b, c)`` and ``W_2 = Rot(d, e, f)``,

    f(x) =  -sin e cos d sin b cos c
            + (cos e cos b + sin e sin d sin b sin c) cos x
            + (cos e sin b sin c - sin e sin d cos b) sin x.

The first and the last angle, a and f, turn about Z next to ``|0>`` and to the measurement of Z:
they have no effect.
"""

import _bloch as bloch
import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def quantum_function(layers):
    def pennylane_circuit(x, theta):
        for layer in range(layers):
            qml.Rot(*theta[3 * layer : 3 * layer + 3], wires=0)
            qml.RX(x[0], wires=0)
        qml.Rot(*theta[3 * layers : 3 * layers + 3], wires=0)
        return qml.expval(qml.Z(0))

    return pennylane_circuit


def quantum_circuit(layers):
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3 * layers + 3)
    circuit = QuantumCircuit(1)
    for layer in range(layers + 1):
        if layer:
            circuit.rx(x[0], 0)
        circuit.rz(theta[3 * layer], 0)
        circuit.ry(theta[3 * layer + 1], 0)
        circuit.rz(theta[3 * layer + 2], 0)
    return circuit


def fourier_series(x, theta):
    """Degree 1, the coefficients written out."""
    _, b, c, d, e, _ = theta
    constant = -torch.sin(e) * torch.cos(d) * torch.sin(b) * torch.cos(c)
    cosine = torch.cos(e) * torch.cos(b) + (
        torch.sin(e) * torch.sin(d) * torch.sin(b) * torch.sin(c)
    )
    sine = torch.cos(e) * torch.sin(b) * torch.sin(c) - (torch.sin(e) * torch.sin(d) * torch.cos(b))
    return constant + cosine * torch.cos(x[:, 0]) + sine * torch.sin(x[:, 0])


def bloch_chain(x, theta):
    """Degree 3: a chain of rotations of the Bloch vector."""
    vector = bloch.rot(bloch.ZERO_STATE, theta[0:3])
    for layer in (1, 2, 3):
        vector = bloch.rx(vector, x[:, 0])
        vector = bloch.rot(vector, theta[3 * layer : 3 * layer + 3])
    return vector[2]


SOURCE = "Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021)"

one = Pair(
    name="serial-1",
    summary="One RX encoding between two rotations is a Fourier series of degree 1.",
    mathematics="f(x) = a + b cos x + c sin x, with a, b, c in products of the rotations' sines",
    source=SOURCE,
    claim="equal",
    pennylane=quantum_function(1),
    qiskit=lambda: quantum_circuit(1),
    observable=SparsePauliOp("Z"),
    counterpart=fourier_series,
    n_features=1,
    n_parameters=6,
)

three = Pair(
    name="serial-3",
    summary="Three RX encodings between rotations are a chain of turns of the Bloch vector.",
    mathematics="f(x) = e_z . R(W_4) R_x(x) R(W_3) R_x(x) R(W_2) R_x(x) R(W_1) e_z",
    source=SOURCE,
    claim="equal",
    pennylane=quantum_function(3),
    qiskit=lambda: quantum_circuit(3),
    observable=SparsePauliOp("Z"),
    counterpart=bloch_chain,
    n_features=1,
    n_parameters=12,
)
