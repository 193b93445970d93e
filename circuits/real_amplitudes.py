"""A hardware-efficient circuit with real amplitudes: RY and CZ.

Source: the hardware-efficient ansatz of Kandala et al., Nature 549, 242 (2017), with RY rotations
and CZ as in Schuld, Bocharov, Svore and Wiebe, Phys. Rev. A 101, 032308 (2020); features
re-uploaded in each of two layers.

Mathematics. All gates are real, so the state is a vector of four real amplitudes ``a_00 .. a_11``.
``RY(t)`` turns pairs of amplitudes in the plane by t/2, ``CZ`` flips the sign of ``a_11``. A layer
reads two features: ``RY(w x + b)`` on each qubit with trainable w and b. The output is
``Z_0 = a_00^2 + a_01^2 - a_10^2 - a_11^2``.

Data: the four columns of iris, sepals in the first layer and petals in the second. ``_train.py``
trained parameters that tell the three species apart (targets -1, 0, 1); the rows are checked at
them.
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

LAYERS = 2


def pennylane_circuit(x, theta):
    for layer in range(LAYERS):
        for wire in range(2):
            weight, shift = theta[4 * layer + 2 * wire], theta[4 * layer + 2 * wire + 1]
            qml.RY(weight * x[2 * layer + wire] + shift, wires=wire)
        qml.CZ(wires=[0, 1])
    qml.RY(theta[8], wires=0)
    qml.RY(theta[9], wires=1)
    qml.CZ(wires=[0, 1])
    qml.RY(theta[10], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 4), ParameterVector("theta", 11)
    circuit = QuantumCircuit(2)
    for layer in range(LAYERS):
        for qubit in range(2):
            weight, shift = theta[4 * layer + 2 * qubit], theta[4 * layer + 2 * qubit + 1]
            circuit.ry(weight * x[2 * layer + qubit] + shift, qubit)
        circuit.cz(0, 1)
    circuit.ry(theta[8], 0)
    circuit.ry(theta[9], 1)
    circuit.cz(0, 1)
    circuit.ry(theta[10], 0)
    return circuit


def turn(first, second, angle):
    c, s = torch.cos(angle / 2), torch.sin(angle / 2)
    return c * first - s * second, s * first + c * second


def turn_both(a, angle_0, angle_1):
    """RY on qubit 0, which joins 00 with 10 and 01 with 11, then on qubit 1."""
    a00, a01, a10, a11 = a
    a00, a10 = turn(a00, a10, angle_0)
    a01, a11 = turn(a01, a11, angle_0)
    a00, a01 = turn(a00, a01, angle_1)
    a10, a11 = turn(a10, a11, angle_1)
    return a00, a01, a10, a11


def counterpart(x, theta):
    a = (1.0, 0.0, 0.0, 0.0)
    for layer in range(LAYERS):
        t = theta[4 * layer : 4 * layer + 4]
        a = turn_both(a, t[0] * x[:, 2 * layer] + t[1], t[2] * x[:, 2 * layer + 1] + t[3])
        a = (*a[:3], -a[3])
    a = turn_both(a, theta[8], theta[9])
    a = (*a[:3], -a[3])
    a00, a10 = turn(a[0], a[2], theta[10])
    a01, a11 = turn(a[1], a[3], theta[10])
    return a00**2 + a01**2 - a10**2 - a11**2


pair = Pair(
    name="real-amplitudes",
    summary="A hardware-efficient RY-CZ circuit by its four real amplitudes, trained on iris.",
    mathematics="f = a_00^2 + a_01^2 - a_10^2 - a_11^2, a by plane rotations of t/2 and sign flips",
    source="Kandala et al., Nature 549, 242 (2017); Schuld et al., Phys. Rev. A 101, 032308 (2020)",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("IZ"),
    counterpart=counterpart,
    n_features=4,
    n_parameters=11,
    data=partial(angles, "iris"),
    data_source=(
        "iris (scikit-learn): sepal length and width, petal length and width, min-max scaled to "
        "[-pi, pi] by the range of all rows"
    ),
    trained=trained("real-amplitudes"),
)
