"""The fidelity kernel of the angle encoding, and the swap test.

Sources: Schuld and Killoran, Phys. Rev. Lett. 122, 040504 (2019), for kernels of feature maps;
Buhrman, Cleve, Watrous and de Wolf, Phys. Rev. Lett. 87, 167902 (2001), for the swap test.

Mathematics.
- Encode x by ``RY(x_q)`` on four qubits, then undo a landmark: ``RY(-theta_q)``. The probability
  of ``|0000>`` is the fidelity of the two states,

      k(x, theta) = prod_q cos^2((x_q - theta_q) / 2) = prod_q (1 + cos(x_q - theta_q)) / 2.

- The swap test of ``RY(x_0) |0>`` with ``RY(x_1 + theta) |0>``: a Hadamard, a controlled swap and
  another Hadamard on the ancilla give ``<Z> = |<psi|phi>|^2 = cos^2((x_0 - x_1 - theta) / 2)``.

Data for the kernel: four columns of the breast-cancer set (mean radius, mean texture, mean
smoothness, mean concavity).
"""

import itertools
from functools import partial

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.data import angles
from qrun_equiv.pair import Pair


def kernel_pennylane(x, theta):
    for wire in range(4):
        qml.RY(x[wire], wires=wire)
        qml.RY(-theta[wire], wires=wire)
    return qml.expval(qml.Projector([0, 0, 0, 0], wires=range(4)))


def kernel_qiskit():
    x, theta = ParameterVector("x", 4), ParameterVector("theta", 4)
    circuit = QuantumCircuit(4)
    for qubit in range(4):
        circuit.ry(x[qubit], qubit)
        circuit.ry(-theta[qubit], qubit)
    return circuit


ALL_ZERO = SparsePauliOp(["".join(w) for w in itertools.product("IZ", repeat=4)]) / 16


def kernel_counterpart(x, theta):
    result = 1.0
    for q in range(4):
        result = result * (1 + torch.cos(x[:, q] - theta[q])) / 2
    return result


def swap_pennylane(x, theta):
    qml.RY(x[0], wires=1)
    qml.RY(x[1] + theta[0], wires=2)
    qml.Hadamard(wires=0)
    qml.CSWAP(wires=[0, 1, 2])
    qml.Hadamard(wires=0)
    return qml.expval(qml.Z(0))


def swap_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 1)
    circuit = QuantumCircuit(3)
    circuit.ry(x[0], 1)
    circuit.ry(x[1] + theta[0], 2)
    circuit.h(0)
    circuit.cswap(0, 1, 2)
    circuit.h(0)
    return circuit


def swap_counterpart(x, theta):
    return torch.cos((x[:, 0] - x[:, 1] - theta[0]) / 2) ** 2


kernel = Pair(
    name="angle-kernel",
    summary="The fidelity of two angle-encoded points is a product of raised cosines.",
    mathematics="k(x, t) = prod_q (1 + cos(x_q - t_q)) / 2",
    source="Schuld, Killoran, Phys. Rev. Lett. 122, 040504 (2019)",
    claim="equal",
    pennylane=kernel_pennylane,
    qiskit=kernel_qiskit,
    observable=ALL_ZERO,
    counterpart=kernel_counterpart,
    n_features=4,
    n_parameters=4,
    data=partial(angles, "breast_cancer", columns=(0, 1, 4, 6)),
    data_source=(
        "breast cancer (scikit-learn): mean radius, mean texture, mean smoothness, mean concavity, "
        "min-max scaled to [-pi, pi] by the range of all rows"
    ),
)

swap = Pair(
    name="swap-test",
    summary="The swap test's ancilla measures the fidelity of two encoded points.",
    mathematics="<Z_0> = cos^2((x_0 - x_1 - t) / 2)",
    source="Buhrman et al., Phys. Rev. Lett. 87, 167902 (2001)",
    claim="equal",
    pennylane=swap_pennylane,
    qiskit=swap_qiskit,
    observable=SparsePauliOp("IIZ"),
    counterpart=swap_counterpart,
    n_features=2,
    n_parameters=1,
)
