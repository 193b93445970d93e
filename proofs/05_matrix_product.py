"""Chapter 5: a serial circuit is a matrix-product readout.

Claim: every data re-uploading circuit of n qubits is f = l^T prod_g (A_g + cos alpha_g B_g +
sin alpha_g C_g) r with real matrices of size 4^n that depend on the parameters only. Proof and
references: 05_matrix_product.md.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import qrun_equiv as qe
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair
from qrun_equiv.readout import matrix_product

LAYERS = 3


def serial_pennylane(x, theta):
    for layer in range(LAYERS):
        qml.Rot(*theta[4 * layer : 4 * layer + 3], wires=0)
        qml.RX(theta[4 * layer + 3] * x[0], wires=0)
    qml.Rot(*theta[12:15], wires=0)
    return qml.expval(qml.Z(0))


def serial_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 15)
    circuit = QuantumCircuit(1)
    for layer in range(LAYERS + 1):
        circuit.rz(theta[4 * layer], 0)
        circuit.ry(theta[4 * layer + 1], 0)
        circuit.rz(theta[4 * layer + 2], 0)
        if layer < LAYERS:
            circuit.rx(theta[4 * layer + 3] * x[0], 0)
    return circuit


def matrix(rows):
    return torch.stack([torch.stack([torch.as_tensor(v).double() for v in row]) for row in rows])


def about_z(angle):
    """RZ on the row ``(1, X, Y, Z)``, from the right."""
    c, s = torch.cos(angle), torch.sin(angle)
    return matrix([[1, 0, 0, 0], [0, c, s, 0], [0, -s, c, 0], [0, 0, 0, 1]])


def about_y(angle):
    c, s = torch.cos(angle), torch.sin(angle)
    return matrix([[1, 0, 0, 0], [0, c, 0, -s], [0, 0, 1, 0], [0, s, 0, c]])


def block(angles):
    return about_z(angles[0]) @ about_y(angles[1]) @ about_z(angles[2])


ONE = matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
COSINE = matrix([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
SINE = matrix([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, -1, 0]])


def features(x, theta):
    phases = x * torch.stack([theta[4 * layer + 3] for layer in range(LAYERS)])
    return torch.stack([torch.cos(phases), torch.sin(phases)], dim=-1)


def transfer_readout(order):
    """Bond 4: ``(1,0,0,1) W_1 E_1 W_2 E_2 W_3 E_3 W_4 (0,0,0,1)^T``; a mistake turns the order."""

    def counterpart(x, theta):
        parts = torch.stack([ONE, COSINE, SINE])
        cores = [block(theta[4 * k : 4 * k + 3]) @ parts for k in range(LAYERS)][::order]
        left = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64)
        right = block(theta[12:15])[:, 3:]
        return matrix_product(features(x, theta), left, cores, right)

    return counterpart


def bloch_readout(x, theta):
    """Bond 3: the constant row and column are dropped, Z has no constant part."""
    parts = torch.stack([ONE, COSINE, SINE])[:, 1:, 1:]
    cores = [block(theta[4 * k : 4 * k + 3])[1:, 1:] @ parts for k in range(LAYERS)]
    left = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    return matrix_product(features(x, theta), left, cores, block(theta[12:15])[1:, 3:])


def two_qubits_pennylane(x, theta):
    for layer in range(2):
        for wire in (0, 1):
            first = 8 * layer + 4 * wire
            qml.Rot(*theta[first : first + 3], wires=wire)
        qml.CNOT(wires=[0, 1])
        for wire in (0, 1):
            qml.RX(theta[8 * layer + 4 * wire + 3] * x[wire], wires=wire)
        qml.CRY(x[0], wires=[1, 0])
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0) @ qml.Y(1))


def two_qubits_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 16)
    circuit = QuantumCircuit(2)
    for layer in range(2):
        for wire in (0, 1):
            first = 8 * layer + 4 * wire
            circuit.rz(theta[first], wire)
            circuit.ry(theta[first + 1], wire)
            circuit.rz(theta[first + 2], wire)
        circuit.cx(0, 1)
        for wire in (0, 1):
            circuit.rx(theta[8 * layer + 4 * wire + 3] * x[wire], wire)
        circuit.cry(x[0], 1, 0)
    return circuit


def serial(name, counterpart, **claim):
    return Pair(
        name=name,
        pennylane=serial_pennylane,
        qiskit=serial_qiskit,
        observable=SparsePauliOp("Z"),
        counterpart=counterpart,
        n_features=1,
        n_parameters=15,
        **claim,
    )


LINKS = [
    Link(
        "one qubit, trained scales: transfer matrices as cores, bond 4, all 15 parameters",
        serial("bond-four", transfer_readout(1)),
    ),
    Link(
        "the constant decouples: the same function with 3 x 3 rotations, bond 3",
        serial("bond-three", bloch_readout),
    ),
    Link(
        "two qubits, entangled, a controlled encoding: qe.derive, bond 16, all 16 parameters",
        Pair(
            name="derived",
            pennylane=two_qubits_pennylane,
            qiskit=two_qubits_qiskit,
            observable=[SparsePauliOp("IZ"), SparsePauliOp("YX")],
            counterpart=qe.derive(two_qubits_pennylane, n_features=2, n_parameters=16),
            n_features=2,
            n_parameters=16,
        ),
    ),
    Link(
        "matrices do not commute: the cores in the other order are another function",
        serial("reversed-cores", transfer_readout(-1), claim="different"),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
