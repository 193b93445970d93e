"""Scales that are no integers: decimals, and irrational ones.

Source: Schuld, Sweke and Meyer, Phys. Rev. A 103, 032430 (2021): frequencies are signed sums of
the generators' eigenvalue gaps, whatever numbers they are.

Mathematics. A chain of turns of the Bloch vector.
- Scales 0.1, 0.2 and 0.3: the signed sums are -0.6, -0.5, .., 0.6, thirteen of them. In floating
  point 0.1 + 0.2 is not 0.3, so sets of floats hold spurious frequencies; as fractions they merge.
- Scales 1, sqrt 2 and pi/3: no common period, 27 different frequencies; a Fourier transform on any
  grid leaks, a fit at scattered points does not.
"""

import math

import _bloch as bloch
import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair

SOURCE = "Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021)"


def quantum_function(scales):
    def pennylane_circuit(x, theta):
        for layer, scale in enumerate(scales):
            qml.Rot(*theta[3 * layer : 3 * layer + 3], wires=0)
            qml.RX(scale * x[0], wires=0)
        qml.Rot(*theta[9:12], wires=0)
        return qml.expval(qml.Z(0))

    return pennylane_circuit


def quantum_circuit(scales):
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 12)
    circuit = QuantumCircuit(1)
    for layer in range(4):
        circuit.rz(theta[3 * layer], 0)
        circuit.ry(theta[3 * layer + 1], 0)
        circuit.rz(theta[3 * layer + 2], 0)
        if layer < 3:
            circuit.rx(scales[layer] * x[0], 0)
    return circuit


def bloch_chain(scales):
    def counterpart(x, theta):
        vector = bloch.ZERO_STATE
        for layer, scale in enumerate(scales):
            vector = bloch.rot(vector, theta[3 * layer : 3 * layer + 3])
            vector = bloch.rx(vector, scale * x[:, 0])
        return bloch.rot(vector, theta[9:12])[2]

    return counterpart


def scaled(name, scales, summary, mathematics):
    return Pair(
        name=name,
        summary=summary,
        mathematics=mathematics,
        source=SOURCE,
        claim="equal",
        pennylane=quantum_function(scales),
        qiskit=lambda: quantum_circuit(scales),
        observable=SparsePauliOp("Z"),
        counterpart=bloch_chain(scales),
        n_features=1,
        n_parameters=12,
    )


decimals = scaled(
    "decimal-scales",
    (0.1, 0.2, 0.3),
    "Scales 0.1, 0.2 and 0.3 have thirteen frequencies; in floating point they seem to have more.",
    "frequencies {0.1 n_1 + 0.2 n_2 + 0.3 n_3} = {-0.6, -0.5, .., 0.6}",
)

irrational = scaled(
    "irrational-scales",
    (1.0, math.sqrt(2), math.pi / 3),
    "Scales 1, sqrt 2 and pi/3 have no common period: 27 frequencies on no grid.",
    "frequencies {n_1 + n_2 sqrt 2 + n_3 pi/3}, n_l in {-1, 0, 1}",
)
