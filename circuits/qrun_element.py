"""One element of a Q-RUN layer: its features are those of L qubits.

Source: Qiao et al., arXiv:2512.20654: an element has one phase ``phi = w . x + b`` and the
features ``(cos s_l phi, sin s_l phi)`` of its re-uploads, with scales ``s_l``.

Mathematics. ``RY(s phi) |0>`` has the Bloch vector ``(sin s phi, 0, cos s phi)``. So L qubits,
qubit l prepared by ``RY(s_l phi)``, give the L cosines as ``<Z_l>`` and the L sines as ``<X_l>``.
Weights, bias and scales are all trainable: the gates' angles are products of them.

- One element, three re-uploads.
- A bank of two elements that share two scales, as the layer has it: element j on the qubits 2j and
  2j + 1, from ``qrun_equiv.qrun.DataReuploading``'s formula.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SOURCE = "Qiao et al., arXiv:2512.20654, data re-uploading module"


def features(qubits):
    """<Z>, then <X>, of one qubit after the other, as PennyLane and as Qiskit observables."""
    here = [o for q in range(qubits) for o in (qml.Z(q), qml.X(q))]
    there = [
        SparsePauliOp.from_sparse_list([(letter, [q], 1.0)], num_qubits=qubits)
        for q in range(qubits)
        for letter in "ZX"
    ]
    return here, there


def element_pennylane(x, theta):
    phi = theta[0] * x[0] + theta[1] * x[1] + theta[2]
    for wire in range(3):
        qml.RY(theta[3 + wire] * phi, wires=wire)
    return tuple(qml.expval(o) for o in features(3)[0])


def element_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 6)
    circuit = QuantumCircuit(3)
    phi = theta[0] * x[0] + theta[1] * x[1] + theta[2]
    for qubit in range(3):
        circuit.ry(theta[3 + qubit] * phi, qubit)
    return circuit


def element_counterpart(x, theta):
    phi = theta[0] * x[:, 0] + theta[1] * x[:, 1] + theta[2]
    outputs = []
    for scale in theta[3:6]:
        outputs += [torch.cos(scale * phi), torch.sin(scale * phi)]
    return torch.stack(outputs, dim=-1)


def bank_pennylane(x, theta):
    for element in range(2):
        weight, bias = theta[3 * element : 3 * element + 2], theta[3 * element + 2]
        phi = weight[0] * x[0] + weight[1] * x[1] + bias
        for copy in range(2):
            qml.RY(theta[6 + copy] * phi, wires=2 * element + copy)
    return tuple(qml.expval(o) for o in features(4)[0])


def bank_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 8)
    circuit = QuantumCircuit(4)
    for element in range(2):
        phi = theta[3 * element] * x[0] + theta[3 * element + 1] * x[1] + theta[3 * element + 2]
        for copy in range(2):
            circuit.ry(theta[6 + copy] * phi, 2 * element + copy)
    return circuit


def bank_counterpart(x, theta):
    outputs = []
    for weight_0, weight_1, bias in (theta[0:3], theta[3:6]):
        phi = weight_0 * x[:, 0] + weight_1 * x[:, 1] + bias
        for scale in theta[6:8]:
            outputs += [torch.cos(scale * phi), torch.sin(scale * phi)]
    return torch.stack(outputs, dim=-1)


element = Pair(
    name="qrun-element",
    summary="The features of one Q-RUN element are <Z> and <X> of its re-uploads' qubits.",
    mathematics="<Z_l> = cos s_l phi, <X_l> = sin s_l phi, phi = w . x + b",
    source=SOURCE,
    claim="equal",
    pennylane=element_pennylane,
    qiskit=element_qiskit,
    observable=features(3)[1],
    counterpart=element_counterpart,
    n_features=2,
    n_parameters=6,
)

bank = Pair(
    name="qrun-bank",
    summary="A bank of two Q-RUN elements that share their scales.",
    mathematics="<Z_jl> = cos s_l phi_j, <X_jl> = sin s_l phi_j, phi = W x + b",
    source=SOURCE,
    claim="equal",
    pennylane=bank_pennylane,
    qiskit=bank_qiskit,
    observable=features(4)[1],
    counterpart=bank_counterpart,
    n_features=2,
    n_parameters=8,
)
