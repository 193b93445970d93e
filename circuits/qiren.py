"""The circuit of QIREN: strongly entangling layers between RZ encodings.

Source: Zhao, Qiao, Zhang and Gao, "Quantum Implicit Neural Representations", ICML 2024,
arXiv:2406.03873, figure 2 and its published code: ``StronglyEntanglingLayers`` of two layers with
CZ as the entangling gate, before each encoding ``RZ(x_j)`` on wire j and once more at the end;
every wire's Z is measured. The layers: Schuld, Bocharov, Svore and Wiebe, Phys. Rev. A 101, 032308
(2020).

Mathematics.
- Two wires, as published: in a layer the ring of two wires applies CZ(0, 1) and CZ(1, 0), which is
  CZ squared, the identity. *No wire ever meets the other*: output k is a chain of turns of the
  Bloch vector of wire k and depends on x_k alone.
- Three wires, one layer a block: the ring is CZ on all three pairs, and entangles. The observables
  are pulled back (Heisenberg's picture). The last ring commutes with Z and drops out.
- Two wires with PennyLane's default CNOT: CNOT(0, 1) CNOT(1, 0) is no identity, and entangles;
  encodings with scales 1 and 3.
"""

import _bloch as bloch
import _heisenberg as heisenberg
import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SOURCE = "Zhao et al., ICML 2024, arXiv:2406.03873, figure 2 and code"


def rotations(circuit, theta, start):
    """One ``Rot`` a qubit, from ``theta[start]`` on."""
    for qubit in range(circuit.num_qubits):
        circuit.rz(theta[start + 3 * qubit], qubit)
        circuit.ry(theta[start + 3 * qubit + 1], qubit)
        circuit.rz(theta[start + 3 * qubit + 2], qubit)


def published_pennylane(x, theta):
    weights = theta.reshape(2, 2, 2, 3)  # block, layer, wire, angle
    qml.StronglyEntanglingLayers(weights[0], wires=range(2), imprimitive=qml.CZ)
    for wire in range(2):
        qml.RZ(x[wire], wires=wire)
    qml.StronglyEntanglingLayers(weights[1], wires=range(2), imprimitive=qml.CZ)
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def published_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 24)
    circuit = QuantumCircuit(2)
    for layer in range(4):
        rotations(circuit, theta, 6 * layer)
        circuit.cz(0, 1)
        circuit.cz(1, 0)
        if layer == 1:
            circuit.rz(x[0], 0)
            circuit.rz(x[1], 1)
    return circuit


def published_counterpart(x, theta):
    outputs = []
    for qubit in range(2):
        layers = [theta[6 * k + 3 * qubit : 6 * k + 3 * qubit + 3] for k in range(4)]
        vector = bloch.rot(bloch.rot(bloch.ZERO_STATE, layers[0]), layers[1])
        vector = bloch.rz(vector, x[:, qubit])
        outputs.append(bloch.rot(bloch.rot(vector, layers[2]), layers[3])[2])
    return torch.stack(outputs, dim=-1)


def three_pennylane(x, theta):
    weights = theta.reshape(2, 1, 3, 3)
    qml.StronglyEntanglingLayers(weights[0], wires=range(3), imprimitive=qml.CZ)
    for wire in range(3):
        qml.RZ(x[wire], wires=wire)
    qml.StronglyEntanglingLayers(weights[1], wires=range(3), imprimitive=qml.CZ)
    return tuple(qml.expval(qml.Z(wire)) for wire in range(3))


def three_qiskit():
    x, theta = ParameterVector("x", 3), ParameterVector("theta", 18)
    circuit = QuantumCircuit(3)
    for block in range(2):
        rotations(circuit, theta, 9 * block)
        for qubit in range(3):
            circuit.cz(qubit, (qubit + 1) % 3)
        if block == 0:
            for qubit in range(3):
                circuit.rz(x[qubit], qubit)
    return circuit


def three_counterpart(x, theta):
    outputs = []
    for measured in ("ZII", "IZI", "IIZ"):
        qubit = measured.index("Z")
        start = 9 + 3 * qubit
        observable = heisenberg.rot({measured: 1.0}, qubit, theta[start : start + 3])
        for other, word in enumerate(("ZII", "IZI", "IIZ")):
            observable = heisenberg.rotation(observable, word, x[:, other])
        for first, second in ((2, 0), (1, 2), (0, 1)):
            observable = heisenberg.cz(observable, first, second)
        for other in range(3):
            observable = heisenberg.rot(observable, other, theta[3 * other : 3 * other + 3])
        outputs.append(heisenberg.in_zero_state(observable))
    return torch.stack(outputs, dim=-1)


def cnot_pennylane(x, theta):
    weights = theta.reshape(3, 1, 2, 3)
    qml.StronglyEntanglingLayers(weights[0], wires=range(2))
    for block, scale in ((1, 1), (2, 3)):
        for wire in range(2):
            qml.RZ(scale * x[wire], wires=wire)
        qml.StronglyEntanglingLayers(weights[block], wires=range(2))
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def cnot_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 18)
    circuit = QuantumCircuit(2)
    for block, scale in enumerate((None, 1, 3)):
        if scale is not None:
            circuit.rz(scale * x[0], 0)
            circuit.rz(scale * x[1], 1)
        rotations(circuit, theta, 6 * block)
        circuit.cx(0, 1)
        circuit.cx(1, 0)
    return circuit


def cnot_counterpart(x, theta):
    outputs = []
    for measured in ("ZI", "IZ"):
        observable = {measured: 1.0}
        for block, scale in ((2, 3), (1, 1), (0, None)):
            observable = heisenberg.cnot(observable, 1, 0)
            observable = heisenberg.cnot(observable, 0, 1)
            for qubit in range(2):
                start = 6 * block + 3 * qubit
                observable = heisenberg.rot(observable, qubit, theta[start : start + 3])
            if scale is not None:
                observable = heisenberg.rotation(observable, "ZI", scale * x[:, 0])
                observable = heisenberg.rotation(observable, "IZ", scale * x[:, 1])
        outputs.append(heisenberg.in_zero_state(observable))
    return torch.stack(outputs, dim=-1)


published = Pair(
    name="qiren-two-wires",
    summary="On two wires QIREN's CZ ring is CZ squared: the wires never meet.",
    mathematics="f_k(x) = e_z . R(W_4k) R(W_3k) R_z(x_k) R(W_2k) R(W_1k) e_z",
    source=SOURCE,
    claim="equal",
    pennylane=published_pennylane,
    qiskit=published_qiskit,
    observable=[SparsePauliOp("IZ"), SparsePauliOp("ZI")],
    counterpart=published_counterpart,
    n_features=2,
    n_parameters=24,
)

three = Pair(
    name="qiren-three-wires",
    summary="QIREN's circuit on three wires, entangled, with the observables pulled back.",
    mathematics="f_k(x) = <000| (U^dagger Z_k U) |000>, a sum over Pauli words of I and Z",
    source=SOURCE,
    claim="equal",
    pennylane=three_pennylane,
    qiskit=three_qiskit,
    observable=[SparsePauliOp(label) for label in ("IIZ", "IZI", "ZII")],
    counterpart=three_counterpart,
    n_features=3,
    n_parameters=18,
)

cnot = Pair(
    name="strongly-entangling-cnot",
    summary="Strongly entangling layers with CNOT on two wires, RZ encodings of scales 1 and 3.",
    mathematics="f_k(x) = <00| (U^dagger Z_k U) |00>, a sum over Pauli words of I and Z",
    source="Schuld, Bocharov, Svore, Wiebe, Phys. Rev. A 101, 032308 (2020)",
    claim="equal",
    pennylane=cnot_pennylane,
    qiskit=cnot_qiskit,
    observable=[SparsePauliOp("IZ"), SparsePauliOp("ZI")],
    counterpart=cnot_counterpart,
    n_features=2,
    n_parameters=18,
)
