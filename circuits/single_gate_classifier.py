"""One gate that reads thirty features: a cosine of a weighted sum.

Source: the smallest Q-RUN layer (Qiao et al., arXiv:2512.20654): one element, one re-upload, read
out by Z. As a classical unit it is the cosine neuron of Gallant and White, ICNN 1988.

Mathematics. ``<Z> = cos(w . x + b)`` for ``RY(w . x + b) |0>``. The spectrum is the single pair of
frequency vectors +w and -w.

Data: all thirty columns of the breast-cancer set; ``_train.py`` trained the parameters at which
its rows are checked.
"""

from functools import partial

import pennylane as qml
import torch
from _trained import trained
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.data import angles
from qrun_equiv.pair import Pair

FEATURES = 30


def pennylane_circuit(x, theta):
    qml.RY(sum(theta[i] * x[i] for i in range(FEATURES)) + theta[FEATURES], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", FEATURES), ParameterVector("theta", FEATURES + 1)
    circuit = QuantumCircuit(1)
    circuit.ry(sum(w * v for w, v in zip(theta, x, strict=False)) + theta[FEATURES], 0)
    return circuit


def counterpart(x, theta):
    return torch.cos(x @ theta[:FEATURES] + theta[FEATURES])


pair = Pair(
    name="single-gate-classifier",
    summary="One RY gate reads thirty features: a cosine neuron, trained on breast-cancer data.",
    mathematics="f(x) = cos(w . x + b)",
    source="Qiao et al., arXiv:2512.20654, one element and one re-upload",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=FEATURES,
    n_parameters=FEATURES + 1,
    data=partial(angles, "breast_cancer"),
    data_source=(
        "breast cancer (scikit-learn), all 30 columns, each min-max scaled to [-pi, pi] by the "
        "range of all rows"
    ),
    trained=trained("single-gate-classifier"),
)
