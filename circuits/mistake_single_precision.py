"""Mistake: weights rounded to single precision on the way.

Source: torch's default dtype is float32; a checkpoint saved in it and read back as float64 has
lost half of the digits. IEEE 754: a relative rounding error of up to 6e-8.

A Q-RUN layer of one element, linear readout, weights from a fixed seed in float64; the circuits
hold them in full. The counterpart is the same layer after a round trip through float32. The
outputs differ in the seventh digit: no plot shows it, a tolerance of 1e-5 passes it.
"""

import copy

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import QRUN
from qrun_equiv.pair import Pair


def exact_layer():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(21)
        return QRUN(2, 1, reuploads=2, readout="linear", outputs_per_element=1, dtype=torch.float64)


layer = exact_layer()
weight, bias = layer.projection.weight[0].tolist(), layer.projection.bias.item()
scales = layer.reuploading.scales.tolist()
readout = layer.observable.readout.weight[0].tolist()


def pennylane_circuit(x):
    for wire, scale in enumerate(scales):
        qml.RY(scale * (weight[0] * x[0] + weight[1] * x[1] + bias), wires=wire)
    terms = [readout[q][k] * o(q) for q in range(2) for k, o in enumerate((qml.Z, qml.X))]
    return qml.expval(qml.sum(*terms))


def qiskit_circuit():
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    for qubit, scale in enumerate(scales):
        circuit.ry(scale * (weight[0] * x[0] + weight[1] * x[1] + bias), qubit)
    return circuit


OBSERVABLE = SparsePauliOp.from_sparse_list(
    [(letter, [q], readout[q][k]) for q in range(2) for k, letter in enumerate("ZX")],
    num_qubits=2,
)

counterpart = copy.deepcopy(layer).float().double()  # wrong: the round trip

pair = Pair(
    name="mistake-single-precision",
    summary="The counterpart's weights went through float32: the seventh digit is wrong.",
    mathematics="f = sum_l b_l cos s_l phi + c_l sin s_l phi, weights off by up to 6e-8",
    source="IEEE 754",
    claim="different",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=OBSERVABLE,
    counterpart=counterpart,
    n_features=2,
    n_parameters=0,
)
