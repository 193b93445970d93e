"""Controlled encodings: half frequencies, period 4 pi.

Source: Wierichs, Izaac, Wang and Lin, Quantum 6, 677 (2022): a controlled rotation has the
generator's eigenvalues 0 and +-1/2, so expectation values have the frequencies 0, 1/2 and 1 in its
angle; the four-term shift rule of Anselmetti et al., New J. Phys. 23, 113010 (2021), is for it.

Mathematics. Control ``RY(a)|0>``, target ``RY(b)|0>``, then ``CRX(x)``: the state is
``cos(a/2) |0> |psi> + sin(a/2) |1> RX(x) |psi>``. The coherence of the control is
``<psi| RX(x) |psi> = cos(x/2) - i sin(x/2) sin b``, so

    <X_0> =  sin a cos(x/2)
    <Y_0> = -sin a sin(x/2) sin b
    <Z_1> =  cos b (cos^2(a/2) + sin^2(a/2) cos x).

For ``CRZ(x)``, with ``<psi| Z |psi> = cos b``,

    <X_0> =  sin a cos(x/2)
    <Y_0> = -sin a sin(x/2) cos b
    <X_1> =  sin b (cos^2(a/2) + sin^2(a/2) cos x)
    <Y_1> =  sin b sin^2(a/2) sin x.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SOURCE = "Wierichs et al., Quantum 6, 677 (2022)"


def crx_pennylane(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RY(theta[1], wires=1)
    qml.CRX(x[0], wires=[0, 1])
    return qml.expval(qml.X(0)), qml.expval(qml.Y(0)), qml.expval(qml.Z(1))


def crx_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0], 0)
    circuit.ry(theta[1], 1)
    circuit.crx(x[0], 0, 1)
    return circuit


def crx_counterpart(x, theta):
    a, b, half = theta[0], theta[1], x[:, 0] / 2
    return torch.stack(
        [
            torch.sin(a) * torch.cos(half),
            -torch.sin(a) * torch.sin(half) * torch.sin(b),
            torch.cos(b) * (torch.cos(a / 2) ** 2 + torch.sin(a / 2) ** 2 * torch.cos(x[:, 0])),
        ],
        dim=-1,
    )


def crz_pennylane(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RY(theta[1], wires=1)
    qml.CRZ(x[0], wires=[0, 1])
    return tuple(qml.expval(o) for o in (qml.X(0), qml.Y(0), qml.X(1), qml.Y(1)))


def crz_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0], 0)
    circuit.ry(theta[1], 1)
    circuit.crz(x[0], 0, 1)
    return circuit


def crz_counterpart(x, theta):
    a, b, half = theta[0], theta[1], x[:, 0] / 2
    idle, active = torch.cos(a / 2) ** 2, torch.sin(a / 2) ** 2
    return torch.stack(
        [
            torch.sin(a) * torch.cos(half),
            -torch.sin(a) * torch.sin(half) * torch.cos(b),
            torch.sin(b) * (idle + active * torch.cos(x[:, 0])),
            torch.sin(b) * active * torch.sin(x[:, 0]),
        ],
        dim=-1,
    )


crx = Pair(
    name="controlled-rx",
    summary="A CRX encoding: frequencies 0, 1/2 and 1, period 4 pi.",
    mathematics="<X_0> = sin a cos(x/2), <Y_0> = -sin a sin(x/2) sin b, "
    "<Z_1> = cos b (cos^2(a/2) + sin^2(a/2) cos x)",
    source=SOURCE,
    claim="equal",
    pennylane=crx_pennylane,
    qiskit=crx_qiskit,
    observable=[SparsePauliOp(label) for label in ("IX", "IY", "ZI")],
    counterpart=crx_counterpart,
    n_features=1,
    n_parameters=2,
)

crz = Pair(
    name="controlled-rz",
    summary="A CRZ encoding: the control sees half the frequency that the target sees.",
    mathematics="<X_0> = sin a cos(x/2), <Y_0> = -sin a sin(x/2) cos b, "
    "<X_1> = sin b (cos^2(a/2) + sin^2(a/2) cos x), <Y_1> = sin b sin^2(a/2) sin x",
    source=SOURCE,
    claim="equal",
    pennylane=crz_pennylane,
    qiskit=crz_qiskit,
    observable=[SparsePauliOp(label) for label in ("IX", "IY", "XI", "YI")],
    counterpart=crz_counterpart,
    n_features=1,
    n_parameters=2,
)
