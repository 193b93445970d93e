"""The features as amplitudes, and their probabilities.

Source: Qiao et al., arXiv:2512.20654, with the double angle: ``RY(2 s phi) |0>`` has the
amplitudes ``(cos s phi, sin s phi)``; Stoudenmire and Schwab, NeurIPS 2016, for the same local
feature map in tensor networks.

Mathematics. Probabilities are squares of amplitudes, and those of a product state multiply: with
``phi_q = theta_q x_q`` on two qubits,

    p(b_0 b_1) = prod_q (cos^2 phi_q if b_q = 0 else sin^2 phi_q).

PennyLane returns ``qml.probs``; Qiskit measures the four projectors ``|b><b|``, each a product of
``(1 +- Z) / 2``.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    for wire in (0, 1):
        qml.RY(2 * theta[wire] * x[wire], wires=wire)
    return qml.probs(wires=[0, 1])


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    for qubit in (0, 1):
        circuit.ry(2 * theta[qubit] * x[qubit], qubit)
    return circuit


def projector(bits):
    """``|b_0 b_1><b_0 b_1|``; qubit 0 is the last letter of a label."""
    first, second = (-1) ** bits[0], (-1) ** bits[1]
    return SparsePauliOp(
        ["II", "IZ", "ZI", "ZZ"], coeffs=[0.25, first / 4, second / 4, first * second / 4]
    )


def counterpart(x, theta):
    zero = [torch.cos(theta[q] * x[:, q]) ** 2 for q in (0, 1)]
    one = [torch.sin(theta[q] * x[:, q]) ** 2 for q in (0, 1)]
    outputs = [zero[0] * zero[1], zero[0] * one[1], one[0] * zero[1], one[0] * one[1]]
    return torch.stack(outputs, dim=-1)


pair = Pair(
    name="amplitude-features",
    summary="Four probabilities of two qubits whose amplitudes are cosine and sine.",
    mathematics="p(b) = prod_q cos^2 phi_q or sin^2 phi_q, phi_q = theta_q x_q",
    source="Qiao et al., arXiv:2512.20654; Stoudenmire, Schwab, NeurIPS 2016",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=[projector(bits) for bits in ((0, 0), (0, 1), (1, 0), (1, 1))],
    counterpart=counterpart,
    n_features=2,
    n_parameters=2,
)
