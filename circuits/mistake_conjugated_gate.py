"""Mistake: S instead of its adjoint in a change of basis.

Source: measurement of Y through Z, Nielsen and Chuang, section 2.2.5: ``Y = S H Z H S^dagger``, so
S^dagger comes first in time, then H.

Qubit ``RX(x + theta) |0>``, then S^dagger, H, and Z is measured: ``<Y> = -sin(x + theta)``. The
counterpart conjugated with S, which gives ``<-Y>``: the sign is flipped. X and Z, and all squares,
look right.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RX(x[0] + theta[0], wires=0)
    qml.adjoint(qml.S)(wires=0)
    qml.Hadamard(wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.rx(x[0] + theta[0], 0)
    circuit.sdg(0)
    circuit.h(0)
    return circuit


def counterpart(x, theta):
    y, z = -torch.sin(x[:, 0] + theta[0]), torch.cos(x[:, 0] + theta[0])
    return torch.stack([-y, z], dim=-1)  # wrong: S^dagger takes Y to X, S to -X


pair = Pair(
    name="mistake-conjugated-gate",
    summary="The counterpart conjugates with S where the circuit has its adjoint: a sign is lost.",
    mathematics="<Y> = -sin(x + theta), not sin(x + theta)",
    source="Nielsen and Chuang, section 2.2.5",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[SparsePauliOp("Z"), SparsePauliOp("X")],
    counterpart=counterpart,
    n_features=1,
    n_parameters=1,
)
