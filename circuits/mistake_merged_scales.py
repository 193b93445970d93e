"""Mistake: re-uploads of *different* scales merged into one.

Source: the redundancy of equal scales in the published code of Qiao et al., arXiv:2512.20654 (the
pair "redundant-copies"), applied where it does not hold.

Two qubits ``RY(x)`` and ``RY(2 x)`` with the observable ``b Z_0 + c Z_1``: two harmonics. The
counterpart sums the columns as if the scales were equal, ``(b + c) cos x``. Both agree at x = 0.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

WEIGHTS = (0.6, 0.3)
SCALES = (1, 2)


def pennylane_circuit(x, theta):
    for wire, scale in enumerate(SCALES):
        qml.RY(scale * x[0] + theta[wire], wires=wire)
    return qml.expval(WEIGHTS[0] * qml.Z(0) + WEIGHTS[1] * qml.Z(1))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    for qubit, scale in enumerate(SCALES):
        circuit.ry(scale * x[0] + theta[qubit], qubit)
    return circuit


def counterpart(x, theta):
    return sum(
        weight * torch.cos(x[:, 0] + theta[q])  # wrong: the scale of qubit 1 is 2
        for q, weight in enumerate(WEIGHTS)
    )


pair = Pair(
    name="mistake-merged-scales",
    summary="Copies of different scales are not redundant: the second harmonic is lost.",
    mathematics="b cos(x + t_0) + c cos(2x + t_1), not b cos(x + t_0) + c cos(x + t_1)",
    source="Qiao et al., arXiv:2512.20654, published code",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp(["IZ", "ZI"], coeffs=list(WEIGHTS)),
    counterpart=counterpart,
    n_features=1,
    n_parameters=2,
)
