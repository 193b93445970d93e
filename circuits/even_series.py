"""RZ encodings between RY rotations: cosines only.

Source: Yu, Yao, Li and Wang, "Power and limitations of single-qubit native quantum neural
networks", NeurIPS 2022, arXiv:2205.07848, figure 2: trainable blocks ``RY``, encodings ``RZ(x)``.
Such a circuit expresses even functions alone; general ones need ``RZ RY RZ`` blocks.

Mathematics. Conjugation with the reflection y -> -y maps ``RZ(x)`` to ``RZ(-x)`` and leaves ``RY``
and Z alone, hence f(-x) = f(x): a cosine series. For two encodings between ``RY(a)``, ``RY(b)``
and ``RY(c)`` let A, B, C be the cosines and D, E, F the sines of a, b, c. The vector is

    (D, 0, A)                                              after RY(a),
    (D cos x, D sin x, A)                                  after RZ(x),
    (B D cos x + E A, D sin x, B A - E D cos x)            after RY(b),

then RZ(x) makes its X equal to ``B D cos^2 x + E A cos x - D sin^2 x``, and RY(c) gives
``C Z - F X``:

    f(x) = C B A + F D (1 - B) / 2  -  (C E D + F E A) cos x  -  F D (1 + B) / 2 cos 2x.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    for layer in range(2):
        qml.RY(theta[layer], wires=0)
        qml.RZ(x[0], wires=0)
    qml.RY(theta[2], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    for layer in range(2):
        circuit.ry(theta[layer], 0)
        circuit.rz(x[0], 0)
    circuit.ry(theta[2], 0)
    return circuit


def counterpart(x, theta):
    a, b, c = torch.cos(theta[0]), torch.cos(theta[1]), torch.cos(theta[2])
    d, e, f = torch.sin(theta[0]), torch.sin(theta[1]), torch.sin(theta[2])
    constant = c * b * a + f * d * (1 - b) / 2
    first = -e * (c * d + f * a)
    second = -f * d * (1 + b) / 2
    return constant + first * torch.cos(x[:, 0]) + second * torch.cos(2 * x[:, 0])


pair = Pair(
    name="even-series",
    summary="RZ encodings between RY rotations give cosines only, here with their coefficients.",
    mathematics="f = CBA + FD(1-B)/2 - E(CD + FA) cos x - FD(1+B)/2 cos 2x",
    source="Yu, Yao, Li, Wang, NeurIPS 2022, arXiv:2205.07848, figure 2",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=3,
)
