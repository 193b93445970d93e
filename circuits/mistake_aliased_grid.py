"""Mistake: an aliased grid. Interpolation of too few samples, exact on all of them.

Source: the sampling theorem for trigonometric polynomials (Zygmund, Trigonometric Series, chapter
X): degree K needs at least 2K + 1 equispaced points. ``qml.fourier.coefficients`` with too low a
degree does the same silently.

The circuit has three RX encodings, degree 3. The counterpart takes the circuit's exact values at
five equispaced points, as for degree 2, and interpolates: frequency 3 is folded onto frequency -2.
On the five points there is no difference whatever; between them there is.
"""

import math

import _bloch as bloch
import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

ENCODINGS = 3
POINTS = 5  # wrong: 2 * ENCODINGS + 1 are needed


def pennylane_circuit(x, theta):
    for layer in range(ENCODINGS):
        qml.RX(x[0], wires=0)
        qml.RY(theta[layer], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", ENCODINGS)
    circuit = QuantumCircuit(1)
    for layer in range(ENCODINGS):
        circuit.rx(x[0], 0)
        circuit.ry(theta[layer], 0)
    return circuit


def exact(x, theta):
    vector = bloch.ZERO_STATE
    for layer in range(ENCODINGS):
        vector = bloch.ry(bloch.rx(vector, x), theta[layer])
    return vector[2]


def counterpart(x, theta):
    grid = 2 * math.pi * torch.arange(POINTS, dtype=torch.float64) / POINTS
    samples = exact(grid, theta)
    degree = (POINTS - 1) // 2
    total = torch.mean(samples) * torch.ones_like(x[:, 0])
    for k in range(1, degree + 1):
        cosine = 2 * torch.mean(samples * torch.cos(k * grid))
        sine = 2 * torch.mean(samples * torch.sin(k * grid))
        total = total + cosine * torch.cos(k * x[:, 0]) + sine * torch.sin(k * x[:, 0])
    return total


pair = Pair(
    name="mistake-aliased-grid",
    summary="Five samples interpolate a function of degree 3: exact on the grid, wrong between.",
    mathematics="degree 3 needs 7 points; on 5, frequency 3 is taken for frequency -2",
    source="Zygmund, Trigonometric Series, chapter X",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=ENCODINGS,
)
