"""Chapter 3: a Q-RUN layer is a bank of product-state circuits.

Claim: element j of the layer is a circuit of L qubits RY(s_l phi_j)|0>, phi = W x + b; all elements
share the scales and the observable. A linear readout is a sum of single-qubit observables, a
product readout one product observable. Proof and references: 03_qrun_bank.md.
"""

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import QRUN
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair

ELEMENTS, REUPLOADS = 2, 2

# theta: W (2), b (2), s (2), t (2), one feature
N_PARAMETERS = 2 * ELEMENTS + 2 * REUPLOADS


def bank_pennylane(x, theta):
    for j in range(ELEMENTS):
        phi = theta[j] * x[0] + theta[2 + j]
        for copy in range(REUPLOADS):
            qml.RY(theta[4 + copy] * phi, wires=2 * j + copy)
            qml.RY(theta[6 + copy], wires=2 * j + copy)
    return tuple(qml.expval(qml.Z(2 * j) @ qml.Z(2 * j + 1)) for j in range(ELEMENTS))


def bank_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", N_PARAMETERS)
    circuit = QuantumCircuit(ELEMENTS * REUPLOADS)
    for j in range(ELEMENTS):
        phi = theta[j] * x[0] + theta[2 + j]
        for copy in range(REUPLOADS):
            circuit.ry(theta[4 + copy] * phi, 2 * j + copy)
            circuit.ry(theta[6 + copy], 2 * j + copy)
    return circuit


def product_layer(x, theta):
    """Project, re-upload, multiply: ``prod_l (b_l cos s_l phi_j + c_l sin s_l phi_j)``."""
    weight, bias, scales, turns = theta[0:2], theta[2:4], theta[4:6], theta[6:8]
    phi = x * weight + bias  # [batch, elements]
    angles = torch.unsqueeze(phi, -1) * scales  # [batch, elements, reuploads]
    b, c = torch.cos(turns), -torch.sin(turns)  # Z behind RY(t) is cos t Z - sin t X
    factors = b * torch.cos(angles) + c * torch.sin(angles)
    return factors[..., 0] * factors[..., 1]


def made_layer():
    """``qe.QRUN`` with a linear readout; weights are multiples of 1/64, exact in the circuit."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = QRUN(
            2, 4, reuploads=2, readout="linear", initial_scales=(0.75, 2.0), dtype=torch.float64
        )
    with torch.no_grad():
        for weight in made.parameters():
            weight.copy_(torch.round(weight * 64) / 64)
    return made


LAYER = made_layer()


def layer_angles(x):
    """``(wire, angle)`` of each qubit of the bank, from the layer's own numbers."""
    weight, bias = LAYER.projection.weight.tolist(), LAYER.projection.bias.tolist()
    scales = LAYER.reuploading.scales.tolist()
    for j, (row, constant) in enumerate(zip(weight, bias, strict=True)):
        for copy, scale in enumerate(scales):
            angle = scale * row[0] * x[0] + scale * row[1] * x[1] + scale * constant
            yield REUPLOADS * j + copy, angle


def readout_rows():
    """``(element, weight [L][2], bias)`` of each output, in the layer's order."""
    readout = LAYER.observable.readout
    rows = list(zip(readout.weight.tolist(), readout.bias.tolist(), strict=True))
    return [(j, weight, bias) for j in range(ELEMENTS) for weight, bias in rows]


def layer_pennylane(x):
    for wire, angle in layer_angles(x):
        qml.RY(angle, wires=wire)
    return tuple(
        qml.expval(
            qml.dot(
                [bias, *weight[0], *weight[1]],
                [
                    qml.Identity(2 * j),
                    qml.Z(2 * j),
                    qml.X(2 * j),
                    qml.Z(2 * j + 1),
                    qml.X(2 * j + 1),
                ],
            )
        )
        for j, weight, bias in readout_rows()
    )


def layer_qiskit():
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(ELEMENTS * REUPLOADS)
    for qubit, angle in layer_angles(x):
        circuit.ry(angle, qubit)
    return circuit


def layer_observables():
    def terms(j, weight, bias):
        local = [(a, [2 * j + q], weight[q][k]) for q in range(2) for k, a in enumerate("ZX")]
        return SparsePauliOp.from_sparse_list([("", [], bias), *local], num_qubits=4)

    return [terms(*row) for row in readout_rows()]


def one_function(x):
    """``Linear`` followed by one function g of one variable, applied to every phase."""
    return torch.flatten(LAYER.element(LAYER.projection(x)), -2)


def unshared(x):
    """A mistake: the second element reads the re-uploads in the other order."""
    phases = LAYER.projection(x)
    features = LAYER.reuploading(phases)
    first, second = torch.unbind(features, -3)
    return LAYER.observable(torch.stack([first, torch.flip(second, (-2,))], -3))


def of_layer(name, counterpart, **claim):
    return Pair(
        name=name,
        pennylane=layer_pennylane,
        qiskit=layer_qiskit,
        observable=layer_observables(),
        counterpart=counterpart,
        n_features=2,
        n_parameters=0,
        **claim,
    )


LINKS = [
    Link(
        "product readout = product observable on each element; all W, b, s, observables",
        Pair(
            name="product-bank",
            pennylane=bank_pennylane,
            qiskit=bank_qiskit,
            observable=[SparsePauliOp("IIZZ"), SparsePauliOp("ZZII")],
            counterpart=product_layer,
            n_features=1,
            n_parameters=N_PARAMETERS,
        ),
    ),
    Link(
        'qe.QRUN(readout="linear"), the module itself = sums of single-qubit observables',
        of_layer("linear-bank", LAYER),
    ),
    Link(
        "shared scales and readout: the layer is Linear, then one function g: R -> R^2",
        of_layer("one-function", one_function),
    ),
    Link(
        "scales that one element reads in another order are not shared: another function",
        of_layer("unshared", unshared, claim="different"),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
