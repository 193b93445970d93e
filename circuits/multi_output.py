"""Several outputs that tell the wires apart.

Source: the conjugation rules of CNOT, Gottesman, arXiv:quant-ph/9807006: for control c and target
t ``X_c -> X_c X_t``, ``Z_t -> Z_c Z_t``, and ``X_t``, ``Z_c`` stay.

Mathematics. ``RY(a_q)`` on qubit q, ``a = (x_0 + theta_0, 2 x_1 + theta_1, x_0 - x_1 + theta_2)``,
then CNOT(0, 1) and CNOT(1, 2). Pulled back through both CNOTs,

    Z_0 -> Z_0,  Z_1 -> Z_0 Z_1,  Z_2 -> Z_0 Z_1 Z_2,
    X_0 -> X_0 X_1,  X_1 -> X_1 X_2,  X_2 -> X_2,

and on the product state each factor is ``Z_q = cos a_q`` or ``X_q = sin a_q``. No two wires and no
two outputs may be exchanged, so a reversed order of wires shows.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    qml.RY(x[0] + theta[0], wires=0)
    qml.RY(2 * x[1] + theta[1], wires=1)
    qml.RY(x[0] - x[1] + theta[2], wires=2)
    qml.CNOT(wires=[0, 1])
    qml.CNOT(wires=[1, 2])
    observables = qml.Z(0), qml.Z(1), qml.Z(2), qml.X(0), qml.X(1), qml.X(2)
    return tuple(qml.expval(o) for o in observables)


def qiskit_circuit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 3)
    circuit = QuantumCircuit(3)
    circuit.ry(x[0] + theta[0], 0)
    circuit.ry(2 * x[1] + theta[1], 1)
    circuit.ry(x[0] - x[1] + theta[2], 2)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    return circuit


# Qiskit's labels are little-endian: the last letter is qubit 0.
observable = [SparsePauliOp(label) for label in ("IIZ", "IZI", "ZII", "IIX", "IXI", "XII")]


def counterpart(x, theta):
    a = [
        x[:, 0] + theta[0],
        2 * x[:, 1] + theta[1],
        x[:, 0] - x[:, 1] + theta[2],
    ]
    z, s = [torch.cos(v) for v in a], [torch.sin(v) for v in a]
    outputs = [z[0], z[0] * z[1], z[0] * z[1] * z[2], s[0] * s[1], s[1] * s[2], s[2]]
    return torch.stack(outputs, dim=-1)


pair = Pair(
    name="multi-output",
    summary="Six observables behind a CNOT ladder, none of which survives an exchange of wires.",
    mathematics="<Z_k> = prod_(q<=k) cos a_q; <X_0> = sin a_0 sin a_1, <X_1> = sin a_1 sin a_2, "
    "<X_2> = sin a_2",
    source="Gottesman, arXiv:quant-ph/9807006",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=observable,
    counterpart=counterpart,
    n_features=2,
    n_parameters=3,
)
