"""Parallel re-uploading: several qubits read the same feature once each.

Source: Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021): r parallel encodings ``RX(x)``
between two trainable blocks give a Fourier series of degree r, as r serial ones do.

Mathematics.
- Product blocks and the observable ``Z x Z x Z``: the state stays a product, so the output is the
  product of three Fourier series of degree 1, one for each Bloch vector.
- Two qubits with a CNOT after the encoding: the observable ``Z_0 Z_1`` is pulled back through the
  last block, the CNOT, the encodings and the first block (Heisenberg's picture). It becomes a sum
  over Pauli words, of which those of I and Z have expectation value 1 in ``|00>``.
"""

import _bloch as bloch
import _heisenberg as heisenberg
import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SOURCE = "Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021)"


def product_pennylane(x, theta):
    for wire in range(3):
        qml.Rot(*theta[3 * wire : 3 * wire + 3], wires=wire)
        qml.RX(x[0], wires=wire)
        qml.Rot(*theta[9 + 3 * wire : 12 + 3 * wire], wires=wire)
    return qml.expval(qml.Z(0) @ qml.Z(1) @ qml.Z(2))


def product_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 18)
    circuit = QuantumCircuit(3)
    for start in (0, 9):
        if start:
            circuit.rx(x[0], range(3))
        for qubit in range(3):
            circuit.rz(theta[start + 3 * qubit], qubit)
            circuit.ry(theta[start + 3 * qubit + 1], qubit)
            circuit.rz(theta[start + 3 * qubit + 2], qubit)
    return circuit


def product_counterpart(x, theta):
    result = 1.0
    for qubit in range(3):
        vector = bloch.rot(bloch.ZERO_STATE, theta[3 * qubit : 3 * qubit + 3])
        vector = bloch.rx(vector, x[:, 0])
        vector = bloch.rot(vector, theta[9 + 3 * qubit : 12 + 3 * qubit])
        result = result * vector[2]
    return result


def entangled_pennylane(x, theta):
    for wire in (0, 1):
        qml.Rot(*theta[3 * wire : 3 * wire + 3], wires=wire)
        qml.RX(x[0], wires=wire)
    qml.CNOT(wires=[0, 1])
    for wire in (0, 1):
        qml.Rot(*theta[6 + 3 * wire : 9 + 3 * wire], wires=wire)
    return qml.expval(qml.Z(0) @ qml.Z(1))


def entangled_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 12)
    circuit = QuantumCircuit(2)
    for start in (0, 6):
        if start:
            circuit.rx(x[0], [0, 1])
            circuit.cx(0, 1)
        for qubit in (0, 1):
            circuit.rz(theta[start + 3 * qubit], qubit)
            circuit.ry(theta[start + 3 * qubit + 1], qubit)
            circuit.rz(theta[start + 3 * qubit + 2], qubit)
    return circuit


def entangled_counterpart(x, theta):
    observable = {"ZZ": 1.0}
    observable = heisenberg.rot(observable, 0, theta[6:9])
    observable = heisenberg.rot(observable, 1, theta[9:12])
    observable = heisenberg.cnot(observable, 0, 1)
    observable = heisenberg.rotation(observable, "XI", x[:, 0])
    observable = heisenberg.rotation(observable, "IX", x[:, 0])
    observable = heisenberg.rot(observable, 0, theta[0:3])
    observable = heisenberg.rot(observable, 1, theta[3:6])
    return heisenberg.in_zero_state(observable)


product = Pair(
    name="parallel-product",
    summary="Three unentangled qubits that read one feature are a product of Fourier series.",
    mathematics="f(x) = prod_q (a_q + b_q cos x + c_q sin x)",
    source=SOURCE,
    claim="equal",
    pennylane=product_pennylane,
    qiskit=product_qiskit,
    observable=SparsePauliOp("ZZZ"),
    counterpart=product_counterpart,
    n_features=1,
    n_parameters=18,
)

entangled = Pair(
    name="parallel-entangled",
    summary="Two entangled qubits that read one feature, by pulling the observable back.",
    mathematics="f(x) = <00| (U^dagger (Z Z) U) |00>, a sum over Pauli words of I and Z",
    source=SOURCE,
    claim="equal",
    pennylane=entangled_pennylane,
    qiskit=entangled_qiskit,
    observable=SparsePauliOp("ZZ"),
    counterpart=entangled_counterpart,
    n_features=1,
    n_parameters=12,
)
