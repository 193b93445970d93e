"""The universal single-qubit classifier: weighted inputs inside the rotations.

Source: Perez-Salinas, Cervera-Lierta, Gil-Fuster and Latorre, Quantum 4, 226 (2020): one layer is
one rotation ``L_i = U(theta_i + w_i o x)``, the weights w multiplied with the features element by
element. Here ``U(phi) = Rot(phi_0, phi_1, phi_2)``, three features and three layers; the output
``<Z>`` is twice the fidelity with ``|0>`` less one.

Mathematics. A chain of turns of the Bloch vector by the angles ``theta + w x``. The weights are
trainable frequencies: the spectrum in x is that of ``n . w`` and moves with them.

Data: three columns of the breast-cancer set (worst perimeter, worst smoothness, worst concave
points); ``_train.py`` trained the parameters at which its rows are checked.
"""

from functools import partial

import _bloch as bloch
import pennylane as qml
from _trained import trained
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.data import angles
from qrun_equiv.pair import Pair

LAYERS = 3
COLUMNS = (22, 24, 27)


def pennylane_circuit(x, theta):
    for layer in range(LAYERS):
        shift, weight = theta[6 * layer : 6 * layer + 3], theta[6 * layer + 3 : 6 * layer + 6]
        qml.Rot(*(shift + weight * x), wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 3), ParameterVector("theta", 6 * LAYERS)
    circuit = QuantumCircuit(1)
    for layer in range(LAYERS):
        phi = [theta[6 * layer + k] + theta[6 * layer + 3 + k] * x[k] for k in range(3)]
        circuit.rz(phi[0], 0)
        circuit.ry(phi[1], 0)
        circuit.rz(phi[2], 0)
    return circuit


def counterpart(x, theta):
    vector = bloch.ZERO_STATE
    for layer in range(LAYERS):
        shift, weight = theta[6 * layer : 6 * layer + 3], theta[6 * layer + 3 : 6 * layer + 6]
        vector = bloch.rot(vector, [shift[k] + weight[k] * x[:, k] for k in range(3)])
    return vector[2]


pair = Pair(
    name="universal-classifier",
    summary="The single-qubit classifier with weighted inputs, trained on breast-cancer data.",
    mathematics="f(x) = e_z . prod_l R_z(phi_l2) R_y(phi_l1) R_z(phi_l0) e_z, phi_l = t_l + w_l x",
    source="Perez-Salinas et al., Quantum 4, 226 (2020)",
    claim="equal",
    pennylane=pennylane_circuit,
    qiskit=qiskit_circuit,
    observable=SparsePauliOp("Z"),
    counterpart=counterpart,
    n_features=3,
    n_parameters=6 * LAYERS,
    data=partial(angles, "breast_cancer", columns=COLUMNS),
    data_source=(
        "breast cancer (scikit-learn): worst perimeter, worst smoothness, worst concave points; "
        "each column min-max scaled to [-pi, pi] by the range of all rows"
    ),
    trained=trained("universal-classifier"),
)
