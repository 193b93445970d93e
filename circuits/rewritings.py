"""One function written in two ways.

Source: equivalence of *functions*, not of unitaries: what stands behind the observable's light
cone or commutes with it changes the unitary and no expectation value (Nielsen and Chuang, section
2.2).

Mathematics.
- The PennyLane circuit ends with ``RZ(x + theta)`` before Z is measured, and turns a qubit that
  nobody measures; the Qiskit circuit does neither. Both are the Z component of
  ``RX(x - 1/2) RY(theta_0) |0>``, which is ``cos(x - 1/2) cos(theta_0)``.
- The angle ``2 (x + theta)`` is written as ``2x + 2 theta`` in Qiskit, where moreover
  ``RX = H RZ H``: the output is ``cos(2x + 2 theta)``.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SOURCE = "Nielsen and Chuang, section 2.2"


def trailing_pennylane(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RX(x[0] - 0.5, wires=0)
    qml.RZ(x[0] + theta[1], wires=0)
    qml.RY(3 * x[0], wires=1)
    return qml.expval(qml.Z(0))


def trailing_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    circuit.rx(x[0] - 0.5, 0)
    return circuit


def trailing_counterpart(x, theta):
    return torch.cos(x[:, 0] - 0.5) * torch.cos(theta[0])


def factored_pennylane(x, theta):
    qml.RX(2 * (x[0] + theta[0]), wires=0)
    return qml.expval(qml.Z(0))


def expanded_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.rz(2 * x[0] + 2 * theta[0], 0)
    circuit.h(0)
    return circuit


def factored_counterpart(x, theta):
    return torch.cos(2 * x[:, 0] + 2 * theta[0])


trailing = Pair(
    name="trailing-phase",
    summary="A phase before the measurement and an unmeasured qubit: other unitary, same function.",
    mathematics="f(x) = cos(x - 1/2) cos theta_0",
    source=SOURCE,
    claim="equal",
    pennylane=trailing_pennylane,
    qiskit=trailing_qiskit,
    observable=SparsePauliOp("Z"),
    counterpart=trailing_counterpart,
    n_features=1,
    n_parameters=2,
)

factored = Pair(
    name="factored-angle",
    summary="RX(2 (x + theta)) in one library, H RZ(2x + 2 theta) H in the other.",
    mathematics="f(x) = cos(2x + 2 theta)",
    source=SOURCE,
    claim="equal",
    pennylane=factored_pennylane,
    qiskit=expanded_qiskit,
    observable=SparsePauliOp("Z"),
    counterpart=factored_counterpart,
    n_features=1,
    n_parameters=1,
)
