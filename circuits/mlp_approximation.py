"""The published readout, an MLP: it approximates a circuit, and the error is bounded.

Source: Qiao et al., arXiv:2512.20654, whose Q-RUN element reads the features (cos s x, sin s x) out
with a small tanh network. The circuits: serial re-uploading (Schuld, Sweke and Meyer, Phys. Rev. A
103, 032430 (2021)), and two entangled wires.

Mathematics. A network of two hidden layers,

    g(x) = w . tanh(V tanh(U (cos x, sin x) + a) + b) + c,

has infinitely many harmonics and equals no circuit. At fixed angles the circuit is one Fourier
series of degree 3 (three encodings of one wire) or 4 (two encodings of each of two wires), and the
largest difference over -pi <= x <= pi, so for all x, is bounded by interval arithmetic. The third
pair is a mistake: it claims an accuracy that the network does not have.

The weights are those of ``trained/mlp-*.json``, found by ``_train_mlp.py``.
"""

import json

import pennylane as qml
import torch
from _trained import FOLDER
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SERIAL = (0.4, 1.1, -0.7, 0.9, -1.6, 0.3, 2.2, -0.5)
ENTANGLED = (0.8, -0.3, 1.7, 0.6, -1.2, 2.5)


def serial(x, theta):
    """One wire: rotations around three RX(x)."""
    for layer in range(4):
        if layer:
            qml.RX(x[0], wires=0)
        qml.RZ(theta[2 * layer], wires=0)
        qml.RY(theta[2 * layer + 1], wires=0)
    return qml.expval(qml.Z(0))


def serial_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 8)
    circuit = QuantumCircuit(1)
    for layer in range(4):
        if layer:
            circuit.rx(x[0], 0)
        circuit.rz(theta[2 * layer], 0)
        circuit.ry(theta[2 * layer + 1], 0)
    return circuit


def entangled(x, theta):
    """Two wires: RX(x) on both, twice, with a CNOT between."""
    for layer in range(3):
        for wire in range(2):
            if layer:
                qml.RX(x[0], wires=wire)
            qml.RY(theta[2 * layer + wire], wires=wire)
        qml.CNOT(wires=[0, 1])
    return qml.expval(qml.Z(0) @ qml.X(1))


def entangled_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 6)
    circuit = QuantumCircuit(2)
    for layer in range(3):
        for wire in range(2):
            if layer:
                circuit.rx(x[0], wire)
            circuit.ry(theta[2 * layer + wire], wire)
        circuit.cx(0, 1)
    return circuit


def network(name):
    """The trained network as a function of x; theta went into its weights."""
    path = FOLDER / f"{name}.json"
    layers = json.loads(path.read_text(encoding="utf-8"))["layers"] if path.exists() else []
    weights = [(torch.tensor(w).double(), torch.tensor(b).double()) for w, b in layers]

    def counterpart(x, theta):  # noqa: ARG001
        values = torch.cat((torch.cos(x), torch.sin(x)), dim=1)
        for weight, bias in weights[:-1]:
            values = torch.tanh(torch.nn.functional.linear(values, weight, bias))
        weight, bias = weights[-1]
        return torch.nn.functional.linear(values, weight, bias)[:, 0]

    return counterpart


MATHEMATICS = "|f(x) - w . tanh(V tanh(U (cos x, sin x) + a) + b) - c| <= epsilon for all x"
SOURCE = "Qiao et al., arXiv:2512.20654 (the readout)"
DOMAIN = (-3.2, 3.2)  # more than a period of both sides

serial_pair = Pair(
    name="mlp-serial",
    summary="An MLP of (cos x, sin x) follows three RX encodings of one wire to 2e-5, for all x.",
    mathematics=MATHEMATICS,
    source=SOURCE,
    claim="approximates",
    epsilon=2e-5,
    pennylane=serial,
    qiskit=serial_qiskit,
    observable=SparsePauliOp("Z"),
    counterpart=network("mlp-serial"),
    n_features=1,
    n_parameters=8,
    parameters=SERIAL,
    domain=DOMAIN,
)

entangled_pair = Pair(
    name="mlp-entangled",
    summary="An MLP of (cos x, sin x) follows two entangled wires of degree 4 to 1e-5, for all x.",
    mathematics=MATHEMATICS,
    source=SOURCE,
    claim="approximates",
    epsilon=1e-5,
    pennylane=entangled,
    qiskit=entangled_qiskit,
    observable=SparsePauliOp("XZ"),
    counterpart=network("mlp-entangled"),
    n_features=1,
    n_parameters=6,
    parameters=ENTANGLED,
    domain=DOMAIN,
)

overclaimed_pair = Pair(
    name="mlp-overclaimed",
    summary="The network of mlp-serial, said to be within 1e-6: the worst point refutes it.",
    mathematics=MATHEMATICS,
    source=SOURCE,
    claim="different",
    epsilon=1e-6,
    pennylane=serial,
    qiskit=serial_qiskit,
    observable=SparsePauliOp("Z"),
    counterpart=network("mlp-serial"),
    n_features=1,
    n_parameters=8,
    parameters=SERIAL,
    domain=DOMAIN,
)
