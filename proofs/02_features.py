"""Chapter 2: encoding gates give cosine and sine features.

Claim: on RY(s phi)|0> the expectation values of Z and X are cos(s phi) and sin(s phi); the
*amplitudes* of RY(2 s phi)|0> are the same two numbers. Proof and references: 02_features.md.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair

REUPLOADS = 3


def element_pennylane(x, theta):
    phi = theta[0] * x[0] + theta[1]
    for wire in range(REUPLOADS):
        qml.RY(theta[2 + wire] * phi, wires=wire)
    words = [(qml.Z(wire), qml.X(wire)) for wire in range(REUPLOADS)]
    return tuple(qml.expval(o) for pair in words for o in pair)


def element_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2 + REUPLOADS)
    phi = theta[0] * x[0] + theta[1]
    circuit = QuantumCircuit(REUPLOADS)
    for qubit in range(REUPLOADS):
        circuit.ry(theta[2 + qubit] * phi, qubit)
    return circuit


def on_qubit(letter, qubit):
    return SparsePauliOp.from_sparse_list([(letter, [qubit], 1.0)], num_qubits=REUPLOADS)


def features(x, theta):
    """The 2L features of one Q-RUN element, ``theta = (w, b, s_1, ..., s_L)``."""
    phi = theta[0] * x + theta[1]
    angles = phi * theta[2:]
    return torch.flatten(torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1), -2)


def axis_pennylane(x):
    qml.RX(x[0], wires=0)
    qml.H(1)
    qml.RZ(x[0], wires=1)
    qml.RZ(x[0], wires=2)
    measured = (qml.Z(0), qml.Y(0), qml.X(1), qml.Y(1), qml.Z(2))
    return tuple(qml.expval(o) for o in measured)


def axis_qiskit():
    x = ParameterVector("x", 1)
    circuit = QuantumCircuit(3)
    circuit.rx(x[0], 0)
    circuit.h(1)
    circuit.rz(x[0], 1)
    circuit.rz(x[0], 2)
    return circuit


def axis_features(x):
    """RX: ``(cos, -sin)`` in (Z, Y); RZ behind H: ``(cos, sin)`` in (X, Y); RZ alone: none."""
    c, s = torch.cos(x[:, 0]), torch.sin(x[:, 0])
    return torch.stack([c, -s, c, s, torch.ones_like(c)], dim=-1)


def amplitudes_pennylane(x, theta):
    """Hadamard test: qubit 0 controls RY(2 s phi), so its coherence is the amplitude."""
    qml.H(0)
    qml.CRY(2 * theta[0] * x[0], wires=[0, 1])
    return qml.expval(qml.X(0)), qml.expval(qml.X(0) @ qml.X(1))


def amplitudes_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cry(2 * theta[0] * x[0], 0, 1)
    return circuit


def one_scale(x, theta):
    angle = theta[0] * x[:, 0]
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=-1)


def doubled_pennylane(x, theta):
    qml.RY(2 * theta[0] * x[0], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def doubled_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.ry(2 * theta[0] * x[0], 0)
    return circuit


LINKS = [
    Link(
        "RY(s_l (w x + b))|0>: (<Z>, <X>) = (cos, sin) of the angle, all w, b, s_l",
        Pair(
            name="element-features",
            pennylane=element_pennylane,
            qiskit=element_qiskit,
            observable=[on_qubit(letter, q) for q in range(REUPLOADS) for letter in "ZX"],
            counterpart=features,
            n_features=1,
            n_parameters=2 + REUPLOADS,
        ),
    ),
    Link(
        "RX: (<Z>, <Y>) = (cos, -sin); RZ behind H: (<X>, <Y>) = (cos, sin); RZ on |0>: nothing",
        Pair(
            name="other-axes",
            pennylane=axis_pennylane,
            qiskit=axis_qiskit,
            observable=[SparsePauliOp(w) for w in ("IIZ", "IIY", "IXI", "IYI", "ZII")],
            counterpart=axis_features,
            n_features=1,
            n_parameters=0,
        ),
    ),
    Link(
        "amplitudes of RY(2 s phi)|0> are (cos s phi, sin s phi), by a Hadamard test",
        Pair(
            name="amplitude-features",
            pennylane=amplitudes_pennylane,
            qiskit=amplitudes_qiskit,
            observable=[SparsePauliOp("IX"), SparsePauliOp("XX")],
            counterpart=one_scale,
            n_features=1,
            n_parameters=1,
        ),
    ),
    Link(
        "the two conventions mixed up: (<Z>, <X>) of RY(2 s phi)|0> are not (cos s phi, sin s phi)",
        Pair(
            name="mixed-conventions",
            claim="different",
            pennylane=doubled_pennylane,
            qiskit=doubled_qiskit,
            observable=[SparsePauliOp("Z"), SparsePauliOp("X")],
            counterpart=one_scale,
            n_features=1,
            n_parameters=1,
        ),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
