"""Chapter 7: re-uploads with equal scales are redundant before an affine layer.

Claim: an affine layer of L copies of (cos phi, sin phi) is an affine layer of one copy, its columns
summed. Copies enrich only where they are multiplied, or where the scales differ. Proof and
references: 07_equal_scales.md.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import QRUN
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair

COPIES, HIDDEN = 3, 4


def sum_pennylane(x, theta):
    for wire in range(COPIES):
        qml.RY(theta[0] * x[0] + theta[1], wires=wire)
        qml.RY(theta[2 + wire], wires=wire)
    return qml.expval(qml.sum(*(qml.Z(wire) for wire in range(COPIES))))


def sum_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2 + COPIES)
    circuit = QuantumCircuit(COPIES)
    for qubit in range(COPIES):
        circuit.ry(theta[0] * x[0] + theta[1], qubit)
        circuit.ry(theta[2 + qubit], qubit)
    return circuit


def summed_columns(x, theta):
    """One copy: the columns of cosine and of sine are added up."""
    phi = theta[0] * x[:, 0] + theta[1]
    turns = theta[2:]
    return torch.sum(torch.cos(turns)) * torch.cos(phi) - torch.sum(torch.sin(turns)) * torch.sin(
        phi
    )


def published_layer():
    """The first affine layer of the published MLP on equal copies; weights multiples of 1/64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        made = QRUN(1, 2, reuploads=COPIES, hidden=HIDDEN, scales="equal", dtype=torch.float64)
    first = made.observable.readout.layers[0]
    with torch.no_grad():
        for weight in first.parameters():
            weight.copy_(torch.round(weight * 64) / 64)
        first.bias.copy_(torch.arange(HIDDEN) / 8)
    return made


LAYER = published_layer()
FIRST = LAYER.observable.readout.layers[0]


def units():
    """``(row of 2 * COPIES weights, bias)`` of each hidden unit, before its tanh."""
    return list(zip(FIRST.weight.tolist(), FIRST.bias.tolist(), strict=True))


def units_pennylane(x):
    for wire in range(COPIES):
        qml.RY(x[0], wires=wire)
    words = [o for wire in range(COPIES) for o in (qml.Z(wire), qml.X(wire))]
    measured = [qml.dot([*row, bias], [*words, qml.Identity(0)]) for row, bias in units()]
    return tuple(qml.expval(o) for o in measured)


def units_qiskit():
    circuit = QuantumCircuit(COPIES)
    circuit.ry(ParameterVector("x", 1)[0], range(COPIES))
    return circuit


def units_observables():
    places = [(letter, [q]) for q in range(COPIES) for letter in "ZX"]
    return [
        SparsePauliOp.from_sparse_list(
            [("", [], bias), *((*p, w) for p, w in zip(places, row, strict=True))],
            num_qubits=COPIES,
        )
        for row, bias in units()
    ]


def hidden_units(x):
    """The published code: all copies, as they are."""
    return FIRST(torch.flatten(LAYER.reuploading(x[:, 0]), -2))


def one_copy(x):
    """One copy, columns summed."""
    columns = torch.sum(torch.reshape(FIRST.weight, (HIDDEN, COPIES, 2)), 1)
    return torch.cos(x) * columns[:, 0] + torch.sin(x) * columns[:, 1] + FIRST.bias


def product_pennylane(x, theta):
    for wire in (0, 1):
        qml.RY(theta[0] * x[0] + theta[1], wires=wire)
    return qml.expval(qml.Z(0) @ qml.Z(1))


def product_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0] * x[0] + theta[1], [0, 1])
    return circuit


def double_frequency(x, theta):
    return (1 + torch.cos(2 * (theta[0] * x[:, 0] + theta[1]))) / 2


def serial_pennylane(x, theta):
    qml.RX(x[0], wires=0)
    qml.RY(theta[0], wires=0)
    qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0))


def serial_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    circuit = QuantumCircuit(1)
    circuit.rx(x[0], 0)
    circuit.ry(theta[0], 0)
    circuit.rx(x[0], 0)
    return circuit


def serial_series(x, theta):
    return (1 + torch.cos(theta[0])) / 2 * torch.cos(2 * x[:, 0]) - (1 - torch.cos(theta[0])) / 2


def scales_pennylane(x):
    qml.RY(x[0], wires=0)
    qml.RY(2 * x[0], wires=1)
    return qml.expval(qml.Z(0) + qml.Z(1))


def scales_qiskit():
    x = ParameterVector("x", 1)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.ry(2 * x[0], 1)
    return circuit


def of_units(name, counterpart):
    return Pair(
        name=name,
        pennylane=units_pennylane,
        qiskit=units_qiskit,
        observable=units_observables(),
        counterpart=counterpart,
        n_features=1,
        n_parameters=0,
    )


LINKS = [
    Link(
        "a sum over 3 equal copies = one copy with summed columns, all observables",
        Pair(
            name="summed-columns",
            pennylane=sum_pennylane,
            qiskit=sum_qiskit,
            observable=SparsePauliOp(["IIZ", "IZI", "ZII"]),
            counterpart=summed_columns,
            n_features=1,
            n_parameters=2 + COPIES,
        ),
    ),
    Link(
        'hidden units of QRUN(scales="equal"), three copies as published = the circuits',
        of_units("published-units", hidden_units),
    ),
    Link(
        "one copy with summed columns = the same circuits: two of the three copies are redundant",
        of_units("one-copy", one_copy),
    ),
    Link(
        "a product of two equal copies has frequency 2: (1 + cos 2 phi) / 2",
        Pair(
            name="product-of-copies",
            pennylane=product_pennylane,
            qiskit=product_qiskit,
            observable=SparsePauliOp("ZZ"),
            counterpart=double_frequency,
            n_features=1,
            n_parameters=2,
        ),
    ),
    Link(
        "equal scales one after the other on one qubit multiply too: frequency 2",
        Pair(
            name="serial-copies",
            pennylane=serial_pennylane,
            qiskit=serial_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=serial_series,
            n_features=1,
            n_parameters=1,
        ),
    ),
    Link(
        "scales 1 and 2 are not redundant: cos x + cos 2x is not 2 cos x",
        Pair(
            name="different-scales",
            claim="different",
            pennylane=scales_pennylane,
            qiskit=scales_qiskit,
            observable=SparsePauliOp(["IZ", "ZI"]),
            counterpart=lambda x: 2 * torch.cos(x[:, 0]),
            n_features=1,
            n_parameters=0,
        ),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
