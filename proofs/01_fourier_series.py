"""Chapter 1: a circuit is a finite Fourier series.

Claim: f(x) = <0| U(x)^dagger O U(x) |0> with encoding gates exp(-i alpha_g P_g / 2), alpha_g =
a_g . x + b_g, is a sum of exp(i w . x) over w = sum_g n_g a_g, n_g in {-1, 0, 1}. Proof and
references: 01_fourier_series.md.
"""

import math

import numpy as np
import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import qrun_equiv as qe
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair


def one_pennylane(x, theta):
    qml.Rot(*theta[:3], wires=0)
    qml.RX(x[0], wires=0)
    qml.Rot(*theta[3:], wires=0)
    return qml.expval(qml.Z(0))


def one_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 6)
    circuit = QuantumCircuit(1)
    for first in (0, 3):
        circuit.rz(theta[first], 0)
        circuit.ry(theta[first + 1], 0)
        circuit.rz(theta[first + 2], 0)
        if first == 0:
            circuit.rx(x[0], 0)
    return circuit


def one_series(x, theta):
    """``a + b cos x + c sin x`` with the coefficients of the text."""
    _, b, c, d, e, _ = theta
    sin, cos = torch.sin, torch.cos
    mean = -sin(e) * cos(d) * sin(b) * cos(c)
    cosine = cos(e) * cos(b) + sin(e) * sin(d) * sin(b) * sin(c)
    sine = cos(e) * sin(b) * sin(c) - sin(e) * sin(d) * cos(b)
    return mean + cosine * cos(x[:, 0]) + sine * sin(x[:, 0])


def two_pennylane(x, theta):
    qml.RX(theta[0] * x[0], wires=0)
    qml.RY(theta[2], wires=0)
    qml.RX(theta[1] * x[0], wires=0)
    return qml.expval(qml.Z(0))


def two_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    circuit.rx(theta[0] * x[0], 0)
    circuit.ry(theta[2], 0)
    circuit.rx(theta[1] * x[0], 0)
    return circuit


def two_series(x, theta):
    """Frequencies ``s_1 + s_2`` and ``s_1 - s_2``, for any real scales."""
    s1, s2, t = theta
    plus, minus = (s1 + s2) * x[:, 0], (s1 - s2) * x[:, 0]
    return (1 + torch.cos(t)) / 2 * torch.cos(plus) - (1 - torch.cos(t)) / 2 * torch.cos(minus)


def half_pennylane(x):
    qml.H(0)
    qml.CRX(x[0], wires=[0, 1])
    return qml.expval(qml.X(0)), qml.expval(qml.Z(1))


def half_qiskit():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.crx(ParameterVector("x", 1)[0], 0, 1)
    return circuit


def half_series(x):
    """Frequency 1/2 in the first output: a controlled rotation has the eigenvalues 0, +-1/2."""
    return torch.stack([torch.cos(x[:, 0] / 2), (1 + torch.cos(x[:, 0])) / 2], dim=-1)


def entangled_pennylane(x, theta):
    for layer in range(2):
        for wire in (0, 1):
            qml.Rot(*theta[6 * layer + 3 * wire : 6 * layer + 3 * wire + 3], wires=wire)
        qml.CNOT(wires=[0, 1])
        qml.RX(0.7 * x[0], wires=0)
        qml.RY(1.9 * x[1], wires=1)
    qml.CNOT(wires=[0, 1])
    return qml.expval(qml.Z(0) @ qml.X(1))


def entangled_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 12)
    circuit = QuantumCircuit(2)
    for layer in range(2):
        for wire in (0, 1):
            first = 6 * layer + 3 * wire
            circuit.rz(theta[first], wire)
            circuit.ry(theta[first + 1], wire)
            circuit.rz(theta[first + 2], wire)
        circuit.cx(0, 1)
        circuit.rx(0.7 * x[0], 0)
        circuit.ry(1.9 * x[1], 1)
    circuit.cx(0, 1)
    return circuit


TRAINED = np.random.default_rng(1).uniform(-math.pi, math.pi, 12)
SERIES = qe.derive(
    entangled_pennylane, "fourier", parameters=TRAINED, n_features=2, n_parameters=12
)


def entangled_series(x, theta):
    """The series itself, ``sum_w c_w exp(i w . x)``; its coefficients belong to ``TRAINED``."""
    del theta
    return SERIES(x)


def cubic_pennylane(x):
    for _ in range(3):
        qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0))


def cubic_qiskit():
    x = ParameterVector("x", 1)
    circuit = QuantumCircuit(1)
    for _ in range(3):
        circuit.rx(x[0], 0)
    return circuit


def interpolated(points):
    """The trigonometric interpolation of ``cos 3x`` from equispaced samples."""

    def counterpart(x):
        grid = 2 * math.pi * torch.arange(points, dtype=torch.float64) / points
        samples = torch.cos(3 * grid)
        total = torch.mean(samples) * torch.ones_like(x[:, 0])
        for k in range(1, (points - 1) // 2 + 1):
            total = total + 2 * torch.mean(samples * torch.cos(k * grid)) * torch.cos(k * x[:, 0])
            total = total + 2 * torch.mean(samples * torch.sin(k * grid)) * torch.sin(k * x[:, 0])
        return total

    return counterpart


LINKS = [
    Link(
        "one encoding: f = a(theta) + b(theta) cos x + c(theta) sin x",
        Pair(
            name="one-encoding",
            pennylane=one_pennylane,
            qiskit=one_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=one_series,
            n_features=1,
            n_parameters=6,
        ),
    ),
    Link(
        "two trained scales: the frequencies are s_1 + s_2 and s_1 - s_2, no common period needed",
        Pair(
            name="two-scales",
            pennylane=two_pennylane,
            qiskit=two_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=two_series,
            n_features=1,
            n_parameters=3,
        ),
    ),
    Link(
        "a controlled encoding has differences of 0, +1/2, -1/2: frequency 1/2 appears",
        Pair(
            name="three-eigenvalues",
            pennylane=half_pennylane,
            qiskit=half_qiskit,
            observable=[SparsePauliOp("IX"), SparsePauliOp("ZI")],
            counterpart=half_series,
            n_features=1,
            n_parameters=0,
        ),
    ),
    Link(
        "an entangled circuit at given parameters: its series, coefficients in floating point",
        Pair(
            name="entangled-series",
            pennylane=entangled_pennylane,
            qiskit=entangled_qiskit,
            observable=SparsePauliOp("XZ"),
            counterpart=entangled_series,
            n_features=2,
            n_parameters=12,
            parameters=TRAINED,
            gradients=("features",),
        ),
        Status.CERTIFIED,
    ),
    Link(
        "degree K = 3 from N = 7 = 2K + 1 samples: the interpolation is the circuit",
        Pair(
            name="seven-samples",
            pennylane=cubic_pennylane,
            qiskit=cubic_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=interpolated(7),
            n_features=1,
            n_parameters=0,
        ),
    ),
    Link(
        "degree K = 3 from N = 5 <= 2K samples: aliased, frequency 3 is taken for frequency 2",
        Pair(
            name="five-samples",
            claim="different",
            pennylane=cubic_pennylane,
            qiskit=cubic_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=interpolated(5),
            n_features=1,
            n_parameters=0,
        ),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
