"""Chapter 8: gradients and the parameter-shift rule.

Claim: if theta enters one gate exp(-i theta P / 2), df/dtheta = (f(theta + pi/2) - f(theta - pi/2))
/ 2, exactly. Here the right side is one native circuit: two copies on separate qubits, measured in
(Z_0 - Z_1) / 2; the counterpart is the derivative by calculus. Proof and references:
08_gradients.md.
"""

import math

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair

QUARTER = math.pi / 2


# --- a trainable angle ---------------------------------------------------------------------------


def shifted_pennylane(x, theta):
    for wire, shift in enumerate((QUARTER, -QUARTER)):
        qml.RX(x[0], wires=wire)
        qml.RY(theta[0] + shift, wires=wire)
        qml.RX(2 * x[0], wires=wire)
    return qml.expval(qml.dot([0.5, -0.5], [qml.Z(0), qml.Z(1)]))


def shifted_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(2)
    for qubit, shift in enumerate((QUARTER, -QUARTER)):
        circuit.rx(x[0], qubit)
        circuit.ry(theta[0] + shift, qubit)
        circuit.rx(2 * x[0], qubit)
    return circuit


def by_calculus(x, theta):
    """``f = cos theta cos x cos 2x - sin x sin 2x``, differentiated by theta."""
    return -torch.sin(theta[0]) * torch.cos(x[:, 0]) * torch.cos(2 * x[:, 0])


# --- a feature that enters two gates -------------------------------------------------------------

# Rows: the shifts of the first and second encoding; scales 1 and 2.
FEATURE_SHIFTS = ((QUARTER, 0.0), (-QUARTER, 0.0), (0.0, QUARTER), (0.0, -QUARTER))


def feature_pennylane(x, theta):
    for wire, (first, second) in enumerate(FEATURE_SHIFTS):
        qml.RX(x[0] + first, wires=wire)
        qml.RY(theta[0], wires=wire)
        qml.RX(2 * x[0] + second, wires=wire)
    return qml.expval(qml.dot([0.5, -0.5, 1.0, -1.0], [qml.Z(w) for w in range(4)]))


def feature_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(4)
    for qubit, (first, second) in enumerate(FEATURE_SHIFTS):
        circuit.rx(x[0] + first, qubit)
        circuit.ry(theta[0], qubit)
        circuit.rx(2 * x[0] + second, qubit)
    return circuit


def derived_series(x, theta):
    """The series of chapter 1, each coefficient times ``i w``."""
    up, down = (1 + torch.cos(theta[0])) / 2, (1 - torch.cos(theta[0])) / 2
    return -3 * up * torch.sin(3 * x[:, 0]) + down * torch.sin(x[:, 0])


# --- an inner parameter of a chain ---------------------------------------------------------------


def chain_pennylane(x, theta):
    for wire, shift in enumerate((QUARTER, -QUARTER)):
        qml.RY(theta[0], wires=wire)
        qml.RX(theta[1] * x[0], wires=wire)
        qml.RZ(theta[2] + shift, wires=wire)
        qml.RX(theta[3] * x[0], wires=wire)
        qml.RY(theta[4], wires=wire)
    return qml.expval(qml.dot([0.5, -0.5], [qml.Z(0), qml.Z(1)]))


def chain_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 5)
    circuit = QuantumCircuit(2)
    for qubit, shift in enumerate((QUARTER, -QUARTER)):
        circuit.ry(theta[0], qubit)
        circuit.rx(theta[1] * x[0], qubit)
        circuit.rz(theta[2] + shift, qubit)
        circuit.rx(theta[3] * x[0], qubit)
        circuit.ry(theta[4], qubit)
    return circuit


def about_x(vector, angle):
    x, y, z = vector
    return (
        x,
        torch.cos(angle) * y - torch.sin(angle) * z,
        torch.sin(angle) * y + torch.cos(angle) * z,
    )


def about_y(vector, angle):
    x, y, z = vector
    return (
        torch.cos(angle) * x + torch.sin(angle) * z,
        y,
        torch.cos(angle) * z - torch.sin(angle) * x,
    )


def leibniz(x, theta):
    """The product of rotations with the one core of theta_2 replaced by its derivative."""
    vector = about_x(about_y((0.0, 0.0, 1.0), theta[0]), theta[1] * x[:, 0])
    c, s = torch.cos(theta[2]), torch.sin(theta[2])
    vector = (-s * vector[0] - c * vector[1], c * vector[0] - s * vector[1], 0.0 * vector[2])
    return about_y(about_x(vector, theta[3] * x[:, 0]), theta[4])[2]


# --- a controlled rotation -----------------------------------------------------------------------


def two_terms_pennylane(x, theta):
    for control, shift in ((0, QUARTER), (2, -QUARTER)):
        qml.RY(x[0], wires=control)
        qml.CRY(theta[0] + shift, wires=[control, control + 1])
    return qml.expval(qml.dot([0.5, -0.5], [qml.X(0), qml.X(2)]))


def two_terms_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(4)
    for control, shift in ((0, QUARTER), (2, -QUARTER)):
        circuit.ry(x[0], control)
        circuit.cry(theta[0] + shift, control, control + 1)
    return circuit


# CRY(theta) = RY(theta/2), CNOT, RY(-theta/2), CNOT in order of time: theta enters two gates.
CONTROLLED_SHIFTS = ((QUARTER, 0.0), (-QUARTER, 0.0), (0.0, QUARTER), (0.0, -QUARTER))
CONTROLLED_WEIGHTS = (0.25, -0.25, -0.25, 0.25)  # the inner derivatives 1/2 and -1/2, times 1/2


def four_terms_pennylane(x, theta):
    for copy, (first, second) in enumerate(CONTROLLED_SHIFTS):
        control, target = 2 * copy, 2 * copy + 1
        qml.RY(x[0], wires=control)
        qml.RY(theta[0] / 2 + first, wires=target)
        qml.CNOT(wires=[control, target])
        qml.RY(-theta[0] / 2 + second, wires=target)
        qml.CNOT(wires=[control, target])
    return qml.expval(qml.dot(CONTROLLED_WEIGHTS, [qml.X(2 * copy) for copy in range(4)]))


def four_terms_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(8)
    for copy, (first, second) in enumerate(CONTROLLED_SHIFTS):
        control, target = 2 * copy, 2 * copy + 1
        circuit.ry(x[0], control)
        circuit.ry(theta[0] / 2 + first, target)
        circuit.cx(control, target)
        circuit.ry(-theta[0] / 2 + second, target)
        circuit.cx(control, target)
    return circuit


def controlled_derivative(x, theta):
    """``<X> of the control = sin x cos(theta / 2)``, differentiated by theta."""
    return -torch.sin(x[:, 0]) * torch.sin(theta[0] / 2) / 2


# --- the code's own gradient ---------------------------------------------------------------------


def plain_pennylane(x, theta):
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    return qml.expval(qml.Z(0))


def plain_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.rx(x[0], 0)
    circuit.ry(theta[0], 0)
    return circuit


def detached(x, theta):
    """The right values; autograd sees one factor only."""
    return torch.cos(x[:, 0]) * torch.cos(theta[0]).detach()


def weighted(letter, weights, wires, qubits):
    terms = [(letter, [w], c) for w, c in zip(wires, weights, strict=True)]
    return SparsePauliOp.from_sparse_list(terms, num_qubits=qubits)


LINKS = [
    Link(
        "shift of a trainable angle = its derivative by calculus, for all x and theta",
        Pair(
            name="trainable-shift",
            pennylane=shifted_pennylane,
            qiskit=shifted_qiskit,
            observable=weighted("Z", (0.5, -0.5), (0, 1), 2),
            counterpart=by_calculus,
            n_features=1,
            n_parameters=1,
        ),
    ),
    Link(
        "shifts of both encodings, times their scales 1 and 2 = the Fourier series times i w",
        Pair(
            name="feature-shift",
            pennylane=feature_pennylane,
            qiskit=feature_qiskit,
            observable=weighted("Z", (0.5, -0.5, 1.0, -1.0), range(4), 4),
            counterpart=derived_series,
            n_features=1,
            n_parameters=1,
        ),
    ),
    Link(
        "shift inside a chain = the matrix product with that one core differentiated",
        Pair(
            name="inner-shift",
            pennylane=chain_pennylane,
            qiskit=chain_qiskit,
            observable=weighted("Z", (0.5, -0.5), (0, 1), 2),
            counterpart=leibniz,
            n_features=1,
            n_parameters=5,
        ),
    ),
    Link(
        "two shifts of a controlled rotation are not its derivative: three eigenvalues",
        Pair(
            name="two-term-controlled",
            claim="different",
            pennylane=two_terms_pennylane,
            qiskit=two_terms_qiskit,
            observable=weighted("X", (0.5, -0.5), (0, 2), 4),
            counterpart=controlled_derivative,
            n_features=1,
            n_parameters=1,
        ),
        Status.REFUTED,
    ),
    Link(
        "four shifts are: a controlled rotation is two Pauli rotations that share the angle",
        Pair(
            name="four-term-controlled",
            pennylane=four_terms_pennylane,
            qiskit=four_terms_qiskit,
            observable=weighted("X", CONTROLLED_WEIGHTS, (0, 2, 4, 6), 8),
            counterpart=controlled_derivative,
            n_features=1,
            n_parameters=1,
        ),
    ),
    Link(
        "equal functions, unequal code: a detached factor has right outputs, wrong gradients",
        Pair(
            name="detached",
            claim="different",
            pennylane=plain_pennylane,
            qiskit=plain_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=detached,
            n_features=1,
            n_parameters=1,
        ),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
