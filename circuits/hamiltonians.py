"""Hamiltonians as observables: weighted Pauli sums.

Sources: the transverse-field Ising chain (Pfeuty, Ann. Phys. 57, 79, 1970) as a variational energy
(Peruzzo et al., Nat. Commun. 5, 4213, 2014); the expected cut of one QAOA step (Wang, Hadfield,
Jiang and Rieffel, Phys. Rev. A 97, 022304, 2018).

Mathematics.
- Ising energy of a product state with angles ``a_q = theta_2q x + theta_2q+1``:

      E = -J sum_q cos a_q cos a_(q+1) - h sum_q sin a_q,    J = 1, h = 0.7.

- One QAOA step on a ring of four: from ``|+>``, ``exp(-i gamma Z Z / 2)`` on each edge, then
  ``RX(2 beta)``. On a graph without triangles, with every vertex of degree 2,

      <Z_u Z_v> = sin(4 beta) sin(gamma) cos(gamma)    for an edge (u, v).

  gamma is the feature, beta the parameter; the output is the energy ``sum <Z_u Z_v>`` less a
  quarter of the transverse field ``sum <X_u>``, where ``<X_u> = cos^2(gamma)``: the mixer keeps X.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

FIELD = 0.7
RING = ((0, 1), (1, 2), (2, 3), (3, 0))


def ising_pennylane(x, theta):
    for wire in range(3):
        qml.RY(theta[2 * wire] * x[0] + theta[2 * wire + 1], wires=wire)
    bonds = [qml.Z(q) @ qml.Z(q + 1) for q in (0, 1)]
    field = [qml.X(q) for q in range(3)]
    return qml.expval(qml.dot([-1.0, -1.0, -FIELD, -FIELD, -FIELD], bonds + field))


def ising_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 6)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.ry(theta[2 * qubit] * x[0] + theta[2 * qubit + 1], qubit)
    return circuit


ISING = SparsePauliOp(
    ["IZZ", "ZZI", "IIX", "IXI", "XII"], coeffs=[-1.0, -1.0, -FIELD, -FIELD, -FIELD]
)


def ising_counterpart(x, theta):
    a = [theta[2 * q] * x[:, 0] + theta[2 * q + 1] for q in range(3)]
    z, s = [torch.cos(v) for v in a], [torch.sin(v) for v in a]
    return -(z[0] * z[1] + z[1] * z[2]) - FIELD * (s[0] + s[1] + s[2])


def qaoa_pennylane(x, theta):
    for wire in range(4):
        qml.Hadamard(wires=wire)
    for edge in RING:
        qml.IsingZZ(x[0], wires=edge)
    for wire in range(4):
        qml.RX(2 * theta[0], wires=wire)
    edges = [qml.Z(u) @ qml.Z(v) for u, v in RING]
    return qml.expval(qml.dot([1.0] * 4 + [-0.25] * 4, edges + [qml.X(q) for q in range(4)]))


def qaoa_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(4)
    circuit.h(range(4))
    for u, v in RING:
        circuit.rzz(x[0], u, v)
    circuit.rx(2 * theta[0], range(4))
    return circuit


QAOA = SparsePauliOp.from_sparse_list(
    [("ZZ", list(edge), 1.0) for edge in RING] + [("X", [q], -0.25) for q in range(4)],
    num_qubits=4,
)


def qaoa_counterpart(x, theta):
    gamma, beta = x[:, 0], theta[0]
    edge = torch.sin(4 * beta) * torch.sin(gamma) * torch.cos(gamma)
    return 4 * edge - torch.cos(gamma) ** 2


ising = Pair(
    name="ising-energy",
    summary="The energy of an Ising chain in a product state, with trainable frequencies.",
    mathematics="E = -sum cos a_q cos a_(q+1) - h sum sin a_q, a_q = w_q x + b_q",
    source="Pfeuty, Ann. Phys. 57, 79 (1970); Peruzzo et al., Nat. Commun. 5, 4213 (2014)",
    claim="equal",
    pennylane=ising_pennylane,
    qiskit=ising_qiskit,
    observable=ISING,
    counterpart=ising_counterpart,
    n_features=1,
    n_parameters=6,
)

qaoa = Pair(
    name="qaoa-ring",
    summary="One QAOA step on a ring of four: the energy in closed form.",
    mathematics="E = 4 sin 4b sin g cos g - cos^2 g",
    source="Wang, Hadfield, Jiang, Rieffel, Phys. Rev. A 97, 022304 (2018)",
    claim="equal",
    pennylane=qaoa_pennylane,
    qiskit=qaoa_qiskit,
    observable=QAOA,
    counterpart=qaoa_counterpart,
    n_features=1,
    n_parameters=1,
)
