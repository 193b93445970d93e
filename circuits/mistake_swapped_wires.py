"""Mistake: two wires exchanged. The outputs of a bank come back in the wrong order.

Source: wire 0 is the first wire in PennyLane and the last letter of a label in Qiskit; a classical
layer has no wires, only an order of its outputs.

Two qubits with different encodings and a CNOT from 0 to 1: ``<Z_0> = cos a``,
``<Z_1> = cos a cos b`` with ``a = x_0 + theta_0``, ``b = 2 x_1 + theta_1``. The counterpart
returns them as (1, 0). A circuit that treats its wires alike would hide this.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(x[0] + theta[0], wires=0)
    qml.RY(2 * x[1] + theta[1], wires=1)
    qml.CNOT(wires=[0, 1])
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0] + theta[0], 0)
    circuit.ry(2 * x[1] + theta[1], 1)
    circuit.cx(0, 1)
    return circuit


def counterpart(x, theta):
    a, b = torch.cos(x[:, 0] + theta[0]), torch.cos(2 * x[:, 1] + theta[1])
    return torch.stack([a * b, a], dim=-1)  # wrong: (a, a b)


pair = Pair(
    name="mistake-swapped-wires",
    summary="The counterpart returns the outputs of wires 0 and 1 in the opposite order.",
    mathematics="(<Z_0>, <Z_1>) = (cos a, cos a cos b), not (cos a cos b, cos a)",
    source="the order of wires in PennyLane and Qiskit",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[SparsePauliOp("IZ"), SparsePauliOp("ZI")],
    counterpart=counterpart,
    n_features=2,
    n_parameters=2,
)
