"""The ZZ feature map: phases that are products of features.

Source: Havlicek et al., Nature 567, 209 (2019), with the coefficients of its experiment,
``phi_1(x) = x_0``, ``phi_2(x) = x_1``, ``phi_12(x) = (pi - x_0)(pi - x_1)``; as Qiskit's
``zz_feature_map``, which doubles each of them.

Mathematics. One repetition is a Hadamard on each qubit, then phases: P(2 x_0), P(2 x_1), and P(2
phi_12) on the parity. With ``g = 2 (pi - x_0)(pi - x_1)`` the amplitudes are ``1/2 exp(i p_b)``,
``p = (0, 2 x_1 + g, 2 x_0 + g, 2 x_0 + 2 x_1)`` for b = 00, 01, 10, 11.
- One repetition, closed form: a coherence of qubit 0 joins 00 with 10 and 01 with 11, so

      <X_0> = (cos(2 x_0 + g) + cos(2 x_0 - g)) / 2 = cos(2 x_0) cos(g)
      <Y_0> = sin(2 x_0) cos(g),      <Z_0 X_1> = -sin(2 x_1) sin(g).

- Two repetitions and a trainable layer ``RY(theta_q)``, the parity ``Z_0 Z_1`` measured: pulled
  back through the RY, the observable is ``c0 c1 ZZ - c0 s1 ZX - s0 c1 XZ + s0 s1 XX``; the four
  amplitudes of the state are written out.

The angle is no affine function of both features together, so spectra are taken along one feature
at a time, where the frequency of the product term is ``2 (pi - x_1)``.

Data: petal length and petal width of the iris set.
"""

import math
from functools import partial

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.circuit.library import zz_feature_map
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.data import angles
from qrun_equiv.pair import Pair

SOURCE = "Havlicek et al., Nature 567, 209 (2019)"


def feature_map(x):
    for wire in (0, 1):
        qml.Hadamard(wires=wire)
        qml.PhaseShift(2 * x[wire], wires=wire)
    qml.CNOT(wires=[0, 1])
    qml.PhaseShift(2 * (math.pi - x[0]) * (math.pi - x[1]), wires=1)
    qml.CNOT(wires=[0, 1])


def one_pennylane(x):
    feature_map(x)
    return qml.expval(qml.X(0)), qml.expval(qml.Y(0)), qml.expval(qml.Z(0) @ qml.X(1))


def one_counterpart(x):
    g = 2 * (math.pi - x[:, 0]) * (math.pi - x[:, 1])
    return torch.stack(
        [
            torch.cos(2 * x[:, 0]) * torch.cos(g),
            torch.sin(2 * x[:, 0]) * torch.cos(g),
            -torch.sin(2 * x[:, 1]) * torch.sin(g),
        ],
        dim=-1,
    )


def two_pennylane(x, theta):
    feature_map(x)
    feature_map(x)
    qml.RY(theta[0], wires=0)
    qml.RY(theta[1], wires=1)
    return qml.expval(qml.Z(0) @ qml.Z(1))


def two_qiskit():
    theta = ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.compose(zz_feature_map(2, reps=2), inplace=True)
    circuit.ry(theta[0], 0)
    circuit.ry(theta[1], 1)
    return circuit


def two_counterpart(x, theta):
    first, second = 2 * x[:, 0], 2 * x[:, 1]
    product = 2 * (math.pi - x[:, 0]) * (math.pi - x[:, 1])
    zero = torch.zeros_like(first)
    phases = [zero, second + product, first + product, first + second]
    # The first repetition, the Hadamards of the second, its phases: a_b = r_b + i s_b.
    real, imaginary = [], []
    for b, phase in enumerate(phases):
        signs = [(-1) ** (b & k).bit_count() for k in range(4)]
        shifted = [phase + other for other in phases]
        real.append(sum(s * torch.cos(p) for s, p in zip(signs, shifted, strict=True)) / 4)
        imaginary.append(sum(s * torch.sin(p) for s, p in zip(signs, shifted, strict=True)) / 4)

    def overlap(j, k):
        return real[j] * real[k] + imaginary[j] * imaginary[k]

    parity = overlap(0, 0) - overlap(1, 1) - overlap(2, 2) + overlap(3, 3)
    z_x = 2 * overlap(0, 1) - 2 * overlap(2, 3)
    x_z = 2 * overlap(0, 2) - 2 * overlap(1, 3)
    x_x = 2 * overlap(0, 3) + 2 * overlap(1, 2)
    c0, s0 = torch.cos(theta[0]), torch.sin(theta[0])
    c1, s1 = torch.cos(theta[1]), torch.sin(theta[1])
    return c0 * c1 * parity - c0 * s1 * z_x - s0 * c1 * x_z + s0 * s1 * x_x


one = Pair(
    name="zz-feature-map-1",
    summary="One repetition of the ZZ feature map in closed form.",
    mathematics="<X_0> = cos 2x_0 cos g, <Y_0> = sin 2x_0 cos g, <Z_0 X_1> = -sin 2x_1 sin g, "
    "g = 2 (pi - x_0)(pi - x_1)",
    source=SOURCE,
    claim="equal",
    pennylane=one_pennylane,
    qiskit=lambda: zz_feature_map(2, reps=1),
    observable=[SparsePauliOp(label) for label in ("IX", "IY", "XZ")],
    counterpart=one_counterpart,
    n_features=2,
    n_parameters=0,
)

two = Pair(
    name="zz-feature-map-2",
    summary="The published classifier's feature map, two repetitions, on iris petals.",
    mathematics="f = c0 c1 <ZZ> - c0 s1 <ZX> - s0 c1 <XZ> + s0 s1 <XX> from four amplitudes "
    "a_b = 1/4 sum_k (-1)^(b.k) exp i(p_b + p_k)",
    source=SOURCE,
    claim="equal",
    pennylane=two_pennylane,
    qiskit=two_qiskit,
    observable=SparsePauliOp("ZZ"),
    counterpart=two_counterpart,
    n_features=2,
    n_parameters=2,
    data=partial(angles, "iris", columns=(2, 3)),
    data_source=(
        "iris (scikit-learn): petal length and petal width, min-max scaled to [-pi, pi] by the "
        "range of all rows"
    ),
)
