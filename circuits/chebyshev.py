"""Encodings by arccos and arcsin: polynomials instead of Fourier series.

Sources: Mitarai, Negoro, Kitagawa and Fujii, Phys. Rev. A 98, 032309 (2018):
``RZ(arccos x^2) RY(arcsin x)``; Kyriienko, Paine and Elfving, Phys. Rev. A 103, 052416 (2021): the
Chebyshev tower ``RY(2 n arccos x)``, here without the factor 2.

Mathematics. On -1 < x < 1:
- ``RY(arcsin x) |0>`` has the Bloch vector (x, 0, sqrt(1 - x^2)); ``RZ(arccos x^2)`` turns it to
  ``(x^3, x sqrt(1 - x^4), sqrt(1 - x^2))``.
- ``cos(n arccos x) = T_n(x)`` and ``sin(n arccos x) = U_(n-1)(x) sqrt(1 - x^2)``, the Chebyshev
  polynomials: ``RY(n arccos x + theta)`` gives
  ``<Z> = T_n cos theta - U_(n-1) sqrt(1 - x^2) sin theta``. They are computed by their recurrence,
  without any arccos.

The angles are no polynomials in x, so the outputs have no Fourier series in x and no spectrum is
compared; outputs and gradients are. The domain stops short of +-1, where arccos has no derivative.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def learning_pennylane(x, theta):
    qml.RY(qml.math.arcsin(x[0]), wires=0)
    qml.RZ(qml.math.arccos(x[0] ** 2), wires=0)
    qml.RX(theta[0], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def learning_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(x[0].arcsin(), 0)
    circuit.rz((x[0] * x[0]).arccos(), 0)
    circuit.rx(theta[0], 0)
    return circuit


def learning_counterpart(x, theta):
    x = x[:, 0]
    y, z = x * torch.sqrt(1 - x**4), torch.sqrt(1 - x**2)
    return torch.stack([torch.sin(theta[0]) * y + torch.cos(theta[0]) * z, x**3], dim=-1)


DEGREES = (1, 2, 3)


def tower_pennylane(x, theta):
    for wire, degree in enumerate(DEGREES):
        qml.RY(degree * qml.math.arccos(x[0]), wires=wire)
        qml.RY(theta[wire], wires=wire)
    return qml.expval(qml.Z(0) @ qml.Z(1) @ qml.Z(2)), qml.expval(qml.Z(1))


def tower_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(3)
    for qubit, degree in enumerate(DEGREES):
        circuit.ry(degree * x[0].arccos(), qubit)
        circuit.ry(theta[qubit], qubit)
    return circuit


def tower_counterpart(x, theta):
    x = x[:, 0]
    root = torch.sqrt(1 - x**2)
    t = [torch.ones_like(x), x]  # T_0, T_1, ..
    u = [torch.zeros_like(x), torch.ones_like(x)]  # U_(-1), U_0, ..
    for _ in range(2):
        t.append(2 * x * t[-1] - t[-2])
        u.append(2 * x * u[-1] - u[-2])
    z = [torch.cos(theta[q]) * t[n] - torch.sin(theta[q]) * u[n] * root
         for q, n in enumerate(DEGREES)]  # fmt: skip
    return torch.stack([z[0] * z[1] * z[2], z[1]], dim=-1)


learning = Pair(
    name="quantum-circuit-learning",
    summary="The encoding by arcsin and arccos gives polynomials and roots of them.",
    mathematics="<X> = x^3, <Z> = sin t x sqrt(1 - x^4) + cos t sqrt(1 - x^2)",
    source="Mitarai et al., Phys. Rev. A 98, 032309 (2018)",
    claim="equal",
    pennylane=learning_pennylane,
    qiskit=learning_qiskit,
    observable=[SparsePauliOp("Z"), SparsePauliOp("X")],
    counterpart=learning_counterpart,
    n_features=1,
    n_parameters=1,
    domain=(-0.95, 0.95),
)

tower = Pair(
    name="chebyshev-tower",
    summary="A tower of arccos encodings is a product of Chebyshev polynomials.",
    mathematics="<Z_q> = T_n(x) cos t_q - U_(n-1)(x) sqrt(1 - x^2) sin t_q, n = q + 1",
    source="Kyriienko, Paine, Elfving, Phys. Rev. A 103, 052416 (2021)",
    claim="equal",
    pennylane=tower_pennylane,
    qiskit=tower_qiskit,
    observable=[SparsePauliOp("ZZZ"), SparsePauliOp("IZI")],
    counterpart=tower_counterpart,
    n_features=1,
    n_parameters=3,
    domain=(-0.95, 0.95),
)
