"""Parity of a GHZ state: n qubits give the n-fold frequency alone.

Source: Bollinger, Itano, Wineland and Heinzen, Phys. Rev. A 54, R4649 (1996).

Mathematics. A GHZ state ``(|000> + |111>) / sqrt 2`` collects the phase of each ``RZ`` once:
``(|000> + exp(i sum_q a_q) |111>) / sqrt 2``. Products of X and Y flip all qubits, so

    <X X X> = cos(a_0 + a_1 + a_2),      <Y X X> = sin(a_0 + a_1 + a_2)

with ``a_q = x + theta_q``: of the seven accessible frequencies only +-3 occur.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.Hadamard(wires=0)
    qml.CNOT(wires=[0, 1])
    qml.CNOT(wires=[1, 2])
    for wire in range(3):
        qml.RZ(x[0] + theta[wire], wires=wire)
    return (
        qml.expval(qml.X(0) @ qml.X(1) @ qml.X(2)),
        qml.expval(qml.Y(0) @ qml.X(1) @ qml.X(2)),
    )


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    for qubit in range(3):
        circuit.rz(x[0] + theta[qubit], qubit)
    return circuit


def counterpart(x, theta):
    total = 3 * x[:, 0] + theta[0] + theta[1] + theta[2]
    return torch.stack([torch.cos(total), torch.sin(total)], dim=-1)


pair = Pair(
    name="ghz-parity",
    summary="The parity of three entangled qubits oscillates at three times the frequency.",
    mathematics="<XXX> = cos(3x + sum theta), <YXX> = sin(3x + sum theta)",
    source="Bollinger, Itano, Wineland, Heinzen, Phys. Rev. A 54, R4649 (1996)",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[SparsePauliOp("XXX"), SparsePauliOp("XXY")],
    counterpart=counterpart,
    n_features=1,
    n_parameters=3,
)
