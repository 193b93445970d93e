"""Copies with equal scales are redundant: they equal one copy with summed columns.

Source: the published code of Qiao et al., arXiv:2512.20654, repeats the features of a phase two to
four times with *equal* scales (sin, cos, sin, cos, ...) before the first affine layer of its MLP.

Mathematics. The affine layer sees ``sum_l (b_l cos phi + c_l sin phi) + a``, which is
``(sum_l b_l) cos phi + (sum_l c_l) sin phi + a``: the weights of copy 2, 3, .. add parameters and
no function. In qubits: L qubits ``RY(phi)``, all prepared alike, and a sum of single-qubit
observables equal one qubit with one observable.

- The hidden units of that first layer, before its tanh: the circuit measures them on three qubits,
  the counterpart has one copy. Weights of a ``QRUN(scales="equal")`` drawn from a fixed seed,
  rounded to multiples of 1/1024, so that circuits and layer have the very same constants.
- Where copies do enrich: a *product* of equal copies holds ``cos^L phi``, of degree L. Two copies
  and ``Z_0 Z_1`` are one encoding of double scale and a constant, ``(1 + cos 2 phi) / 2``.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import QRUN
from qrun_equiv.pair import Pair

SOURCE = "Qiao et al., arXiv:2512.20654, published code"
COPIES, HIDDEN = 3, 4


def published_layer():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        made = QRUN(2, 2, reuploads=COPIES, hidden=HIDDEN, scales="equal", dtype=torch.float64)
    with torch.no_grad():
        for drawn in made.parameters():
            drawn.copy_(torch.round(drawn * 1024) / 1024)
    return made


layer = published_layer()
weight, bias = layer.projection.weight[0].tolist(), layer.projection.bias.item()
first = layer.observable.readout.layers[0]
# columns of the first affine layer: cos and sin of copy 1, of copy 2, of copy 3
columns, shifts = first.weight.detach(), first.bias.detach()


def copies_pennylane(x):
    phi = weight[0] * x[0] + weight[1] * x[1] + bias
    for wire in range(COPIES):
        qml.RY(phi, wires=wire)
    words = [o for wire in range(COPIES) for o in (qml.Z(wire), qml.X(wire))]
    units = [
        qml.dot([*row, shift], [*words, qml.Identity(0)])
        for row, shift in zip(columns.tolist(), shifts.tolist(), strict=True)
    ]
    return tuple(qml.expval(unit) for unit in units)


def copies_qiskit():
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(COPIES)
    circuit.ry(weight[0] * x[0] + weight[1] * x[1] + bias, range(COPIES))
    return circuit


def unit_observable(row, shift):
    terms = [(letter, [q], row[2 * q + k]) for q in range(COPIES) for k, letter in enumerate("ZX")]
    return SparsePauliOp.from_sparse_list([*terms, ("", [], shift)], num_qubits=COPIES)


def one_copy(x):
    summed = columns.reshape(HIDDEN, COPIES, 2).sum(dim=1)
    phi = weight[0] * x[:, :1] + weight[1] * x[:, 1:] + bias
    return torch.cos(phi) * summed[:, 0] + torch.sin(phi) * summed[:, 1] + shifts


def square_pennylane(x, theta):
    for wire in (0, 1):
        qml.RY(theta[0] * x[0] + theta[1], wires=wire)
    return qml.expval(qml.Z(0) @ qml.Z(1))


def square_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[0] * x[0] + theta[1], [0, 1])
    return circuit


def double_scale(x, theta):
    return (1 + torch.cos(2 * (theta[0] * x[:, 0] + theta[1]))) / 2


copies = Pair(
    name="redundant-copies",
    summary="Three copies of equal scale before an affine layer equal one, its columns summed.",
    mathematics="a + sum_l (b_l cos phi + c_l sin phi) = a + (sum b_l) cos phi + (sum c_l) sin phi",
    source=SOURCE,
    claim="equal",
    pennylane=copies_pennylane,
    qiskit=copies_qiskit,
    observable=[
        unit_observable(row, shift)
        for row, shift in zip(columns.tolist(), shifts.tolist(), strict=True)
    ],
    counterpart=one_copy,
    n_features=2,
    n_parameters=0,
)

square = Pair(
    name="product-of-copies",
    summary="A product of two equal copies is one copy of double scale, and a constant.",
    mathematics="cos^2 phi = (1 + cos 2 phi) / 2",
    source=SOURCE,
    claim="equal",
    pennylane=square_pennylane,
    qiskit=square_qiskit,
    observable=SparsePauliOp("ZZ"),
    counterpart=double_scale,
    n_features=1,
    n_parameters=2,
)
