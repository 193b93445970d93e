"""Q-RUN layers with exact readouts, each equal to a bank of circuits.

Source: Qiao et al., arXiv:2512.20654, for the layer; Schuld, Sweke and Meyer, Phys. Rev. A 103,
032430 (2021), for the expectation value as a multilinear form in the encodings' cosines and sines.

Mathematics. Element j is prepared on L qubits of its own, ``RY(s_l phi_j)``, ``phi = W x + b``;
then ``<Z> = cos`` and ``<X> = sin`` of each angle, and products over different qubits multiply. So
the layer's readout *is* an observable of each element:

- linear:       ``a + sum_l (b_l Z_l + c_l X_l)``
- product:      ``prod_l (b_l Z_l + c_l X_l)``
- multilinear:  ``sum_t T_t P_t1 x .. x P_tL`` with ``P = (1, Z, X)``: any real observable without
  Y.

The counterpart is the layer itself, a ``torch`` module; its weights are drawn from a fixed seed,
rounded to multiples of 1/1024 (so that products of two are exact in floating point, and the layer
and its circuits have the very same constants), and stand as numbers in the circuits. Outputs are in
the layer's order, value k of element j at ``2j + k``.

Data for the product readout: the 16 pixels in the middle of images of handwritten digits.
"""

import itertools
from functools import partial

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import QRUN
from qrun_equiv.data import angles
from qrun_equiv.pair import Pair

SOURCE = "Qiao et al., arXiv:2512.20654; Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021)"
ELEMENTS, REUPLOADS = 2, 2
MIDDLE = tuple(8 * row + column for row in range(2, 6) for column in range(2, 6))


def layer(in_features, readout, seed):
    """A Q-RUN layer of two elements and two re-uploads, with unrelated scales."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = QRUN(
            in_features,
            2 * ELEMENTS,
            reuploads=REUPLOADS,
            readout=readout,
            initial_scales=(0.8, 1.9),
            dtype=torch.float64,
        )
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.round(weight * 1024) / 1024)
    return made


def rows(module):
    """``(wire, weights, constant)`` of each angle ``s_l (W_j . x + b_j)``."""
    weight, bias = module.projection.weight.tolist(), module.projection.bias.tolist()
    scales = module.reuploading.scales.tolist()
    return [
        (REUPLOADS * j + copy, [scale * w for w in weight[j]], scale * bias[j])
        for j in range(ELEMENTS)
        for copy, scale in enumerate(scales)
    ]


def quantum_function(module, readout_terms):
    """The bank in PennyLane; ``readout_terms`` holds ``(word, coefficient)`` for each value."""
    angles_of = rows(module)
    operators = [
        qml.dot([c for _, c in terms], [word(letters, REUPLOADS * j) for letters, _ in terms])
        for j, terms in itertools.product(range(ELEMENTS), readout_terms)
    ]

    def pennylane_circuit(x):
        for wire, weights, constant in angles_of:
            angle = sum(w * x[i] for i, w in enumerate(weights)) + constant
            qml.RY(angle, wires=wire)
        return tuple(qml.expval(o) for o in operators)

    return pennylane_circuit


def word(letters, start):
    """PennyLane's operator of a word such as ``"ZX"`` on the wires from ``start`` on."""
    factors = {"I": qml.Identity, "X": qml.X, "Z": qml.Z}
    return qml.prod(*(factors[a](start + q) for q, a in enumerate(letters)))


def quantum_circuit(module):
    """The bank in Qiskit."""
    x = ParameterVector("x", module.in_features)
    circuit = QuantumCircuit(REUPLOADS * ELEMENTS)
    for qubit, weights, constant in rows(module):
        angle = constant
        for w, feature in zip(weights, x, strict=True):
            angle = angle + w * feature
        circuit.ry(angle, qubit)
    return circuit


def observables(readout_terms):
    """The bank's observables in Qiskit; each word with the qubits it acts on."""
    return [
        SparsePauliOp.from_sparse_list(
            [(w, range(REUPLOADS * j, REUPLOADS * (j + 1)), c) for w, c in terms],
            num_qubits=REUPLOADS * ELEMENTS,
        )
        for j in range(ELEMENTS)
        for terms in readout_terms
    ]


def linear_terms(readout):
    """``a II + b_1 ZI + c_1 XI + b_2 IZ + c_2 IX``."""
    return [
        [("II", a), ("ZI", w[0][0]), ("XI", w[0][1]), ("IZ", w[1][0]), ("IX", w[1][1])]
        for a, w in zip(readout.bias.tolist(), readout.weight.tolist(), strict=True)
    ]


def product_terms(readout):
    """``(b_1 Z + c_1 X) (b_2 Z + c_2 X)``, multiplied out."""
    return [
        [
            (first + second, w[0]["ZX".index(first)] * w[1]["ZX".index(second)])
            for first, second in itertools.product("ZX", repeat=2)
        ]
        for w in readout.weight.tolist()
    ]


def multilinear_terms(readout):
    """All nine words over (1, Z, X): the dense tensor T, entry by entry."""
    return [
        [(a + b, t[i][k]) for (i, a), (k, b) in itertools.product(enumerate("IZX"), repeat=2)]
        for t in readout.weight.tolist()
    ]


def layer_pair(module, terms, **text):
    return Pair(
        source=SOURCE,
        claim="equal",
        pennylane=quantum_function(module, terms),
        qiskit=lambda: quantum_circuit(module),
        observable=observables(terms),
        counterpart=module,
        n_features=module.in_features,
        n_parameters=0,
        **text,
    )


linear_layer = layer(2, "linear", seed=11)
product_layer = layer(len(MIDDLE), "product", seed=12)
multilinear_layer = layer(2, "multilinear", seed=13)

linear = layer_pair(
    linear_layer,
    linear_terms(linear_layer.observable.readout),
    name="qrun-linear",
    summary="A Q-RUN layer with linear readout is a bank of sums of single-qubit observables.",
    mathematics="g_k(phi) = a_k + sum_l (b_kl cos s_l phi + c_kl sin s_l phi)",
)

product = layer_pair(
    product_layer,
    product_terms(product_layer.observable.readout),
    name="qrun-product-digits",
    summary="A Q-RUN layer with product readout on images of digits is a bank of correlations.",
    mathematics="g_k(phi) = prod_l (b_kl cos s_l phi + c_kl sin s_l phi)",
    data=partial(angles, "digits", columns=MIDDLE),
    data_source=(
        "digits (scikit-learn): the middle 4x4 pixels of each 8x8 image, each min-max scaled to "
        "[-pi, pi] by the range of all rows"
    ),
)

multilinear = layer_pair(
    multilinear_layer,
    multilinear_terms(multilinear_layer.observable.readout),
    name="qrun-multilinear",
    summary="A Q-RUN layer with multilinear readout is a bank of general observables.",
    mathematics="g_k(phi) = sum_t T_kt prod_l (1, cos s_l phi, sin s_l phi)_(t_l)",
)
