"""Exponential scales 1, 3, 9: the most frequencies from a number of encoding gates.

Sources: Shin, Teo and Jeong, Phys. Rev. A 107, 012422 (2023): scales ``3^l`` make every integer
from ``-(3^L - 1)/2`` to ``(3^L - 1)/2`` a frequency, once each; parallel qubits. Kordzanganeh,
Sekatski, Fedichkin and Melnikov, Mach. Learn.: Sci. Technol. 4, 035036 (2023): exponential
encodings in sequence.

Mathematics. ``n_0 + 3 n_1 + 9 n_2`` with ``n_l`` in {-1, 0, 1} is balanced ternary: 27 different
frequencies, -13 to 13.
- Parallel: a product of three series ``a_l + b_l cos(3^l x) + c_l sin(3^l x)``.
- Serial: a chain of turns of one Bloch vector.
"""

import _bloch as bloch
import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SCALES = (1, 3, 9)


def parallel_pennylane(x, theta):
    for wire, scale in enumerate(SCALES):
        qml.RY(theta[4 * wire], wires=wire)
        qml.RZ(theta[4 * wire + 1], wires=wire)
        qml.RX(scale * x[0], wires=wire)
        qml.RZ(theta[4 * wire + 2], wires=wire)
        qml.RY(theta[4 * wire + 3], wires=wire)
    return qml.expval(qml.Z(0) @ qml.Z(1) @ qml.Z(2))


def parallel_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 12)
    circuit = QuantumCircuit(3)
    for qubit, scale in enumerate(SCALES):
        circuit.ry(theta[4 * qubit], qubit)
        circuit.rz(theta[4 * qubit + 1], qubit)
        circuit.rx(scale * x[0], qubit)
        circuit.rz(theta[4 * qubit + 2], qubit)
        circuit.ry(theta[4 * qubit + 3], qubit)
    return circuit


def parallel_counterpart(x, theta):
    result = 1.0
    for qubit, scale in enumerate(SCALES):
        first, second, third, fourth = theta[4 * qubit : 4 * qubit + 4]
        vector = bloch.rz(bloch.ry(bloch.ZERO_STATE, first), second)
        vector = bloch.rx(vector, scale * x[:, 0])
        result = result * bloch.ry(bloch.rz(vector, third), fourth)[2]
    return result


def serial_pennylane(x, theta):
    for layer, scale in enumerate(SCALES):
        qml.Rot(*theta[3 * layer : 3 * layer + 3], wires=0)
        qml.RX(scale * x[0], wires=0)
    qml.Rot(*theta[9:12], wires=0)
    return qml.expval(qml.Z(0))


def serial_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 12)
    circuit = QuantumCircuit(1)
    for layer, scale in enumerate((*SCALES, None)):
        circuit.rz(theta[3 * layer], 0)
        circuit.ry(theta[3 * layer + 1], 0)
        circuit.rz(theta[3 * layer + 2], 0)
        if scale is not None:
            circuit.rx(scale * x[0], 0)
    return circuit


def serial_counterpart(x, theta):
    vector = bloch.ZERO_STATE
    for layer, scale in enumerate(SCALES):
        vector = bloch.rot(vector, theta[3 * layer : 3 * layer + 3])
        vector = bloch.rx(vector, scale * x[:, 0])
    return bloch.rot(vector, theta[9:12])[2]


parallel = Pair(
    name="exponential-parallel",
    summary="Three parallel encodings with scales 1, 3, 9 reach all 27 frequencies from -13 to 13.",
    mathematics="f(x) = prod_l (a_l + b_l cos 3^l x + c_l sin 3^l x)",
    source="Shin, Teo, Jeong, Phys. Rev. A 107, 012422 (2023)",
    claim="equal",
    pennylane=parallel_pennylane,
    qiskit=parallel_qiskit,
    observable=SparsePauliOp("ZZZ"),
    counterpart=parallel_counterpart,
    n_features=1,
    n_parameters=12,
)

serial = Pair(
    name="exponential-serial",
    summary="One qubit, three encodings with scales 1, 3, 9 between rotations.",
    mathematics="f(x) = e_z . R(W_4) R_x(9x) R(W_3) R_x(3x) R(W_2) R_x(x) R(W_1) e_z",
    source="Kordzanganeh et al., Mach. Learn.: Sci. Technol. 4, 035036 (2023)",
    claim="equal",
    pennylane=serial_pennylane,
    qiskit=serial_qiskit,
    observable=SparsePauliOp("Z"),
    counterpart=serial_counterpart,
    n_features=1,
    n_parameters=12,
)
