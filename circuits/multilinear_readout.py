"""An entangling measurement is a multilinear readout.

Source: Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021): what stands behind the encodings
only fixes the coefficients.

Mathematics. Two qubits ``RY(s_l x)``; behind them ``RY(a)`` and ``RY(b)``, CZ, ``RY(c)`` on qubit
0, and Z of qubit 0 is measured. Pulled back gate by gate,

    Z_0  ->  cos c Z_0 - sin c X_0                                        (RY(c))
         ->  cos c Z_0 - sin c X_0 Z_1                                    (CZ)
         ->  cos c (cos a Z_0 - sin a X_0)
             - sin c (cos a X_0 + sin a Z_0) (cos b Z_1 - sin b X_1)      (RY(a), RY(b))

which is a tensor T over (1, Z, X) of both qubits. In the encoded state (1, Z, X) has the
expectation values (1, cos, sin), so ``f = sum_t T_t t_1(s_1 x) t_2(s_2 x)``: the readout of
``qrun_equiv.readout.Multilinear``, with T a function of the parameters.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def pennylane_circuit(x, theta):
    a, b, c, first, second = theta
    qml.RY(first * x[0], wires=0)
    qml.RY(second * x[0], wires=1)
    qml.RY(a, wires=0)
    qml.RY(b, wires=1)
    qml.CZ(wires=[0, 1])
    qml.RY(c, wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 5)
    a, b, c, first, second = theta
    circuit = QuantumCircuit(2)
    circuit.ry(first * x[0], 0)
    circuit.ry(second * x[0], 1)
    circuit.ry(a, 0)
    circuit.ry(b, 1)
    circuit.cz(0, 1)
    circuit.ry(c, 0)
    return circuit


def counterpart(x, theta):
    a, b, c, first, second = theta
    sin, cos = torch.sin, torch.cos
    tensor = {  # (factor of qubit 0, factor of qubit 1); absent entries are zero
        ("cos", "1"): cos(c) * cos(a),
        ("sin", "1"): -cos(c) * sin(a),
        ("sin", "cos"): -sin(c) * cos(a) * cos(b),
        ("sin", "sin"): sin(c) * cos(a) * sin(b),
        ("cos", "cos"): -sin(c) * sin(a) * cos(b),
        ("cos", "sin"): sin(c) * sin(a) * sin(b),
    }
    u, v = first * x[:, 0], second * x[:, 0]
    left = {"cos": cos(u), "sin": sin(u)}
    right = {"1": 1.0, "cos": cos(v), "sin": sin(v)}
    return sum(value * left[one] * right[two] for (one, two), value in tensor.items())


pair = Pair(
    name="multilinear-readout",
    summary="An entangling block before the measurement is a tensor over (1, cos, sin).",
    mathematics="f = sum_t T_t(theta) t_1(s_1 x) t_2(s_2 x), t over {1, cos, sin}",
    source="Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021)",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("IZ"),
    counterpart=counterpart,
    n_features=1,
    n_parameters=5,
)
