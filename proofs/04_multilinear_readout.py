"""Chapter 4: any observable on a product state is a multilinear readout.

Claim: on G qubits RY(alpha_g)|0>, <O> = sum_t T_t prod_g t_g(alpha_g) over t in {1, cos, sin}^G,
and T_t is O's coefficient of the Pauli word with I, Z, X in these places. Proof and references:
04_multilinear_readout.md.
"""

import itertools

import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair
from qrun_equiv.readout import Multilinear


def block_pennylane(x, theta):
    a, b, c, first, second = theta
    qml.RY(first * x[0], wires=0)
    qml.RY(second * x[1], wires=1)
    qml.RY(a, wires=0)
    qml.RY(b, wires=1)
    qml.CZ(wires=[0, 1])
    qml.RY(c, wires=0)
    return qml.expval(qml.Z(0))


def block_qiskit():
    x, theta = ParameterVector("x", 2), ParameterVector("theta", 5)
    circuit = QuantumCircuit(2)
    circuit.ry(theta[3] * x[0], 0)
    circuit.ry(theta[4] * x[1], 1)
    circuit.ry(theta[0], 0)
    circuit.ry(theta[1], 1)
    circuit.cz(0, 1)
    circuit.ry(theta[2], 0)
    return circuit


def block_tensor(x, theta):
    """The tensor of the text: Z pulled back through RY(c), CZ, RY(a) and RY(b)."""
    a, b, c, first, second = theta
    sin, cos = torch.sin, torch.cos
    tensor = {  # (factor of qubit 0, factor of qubit 1); what is absent is zero
        ("cos", "1"): cos(c) * cos(a),
        ("sin", "1"): -cos(c) * sin(a),
        ("sin", "cos"): -sin(c) * cos(a) * cos(b),
        ("sin", "sin"): sin(c) * cos(a) * sin(b),
        ("cos", "cos"): -sin(c) * sin(a) * cos(b),
        ("cos", "sin"): sin(c) * sin(a) * sin(b),
    }
    u, v = first * x[:, 0], second * x[:, 1]
    left, right = {"cos": cos(u), "sin": sin(u)}, {"1": 1.0, "cos": cos(v), "sin": sin(v)}
    return sum(value * left[p] * right[q] for (p, q), value in tensor.items())


def made_readout():
    """A dense readout of three angles, its 27 coefficients multiples of 1/64."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        made = Multilinear(3, outputs=1, dtype=torch.float64)
    with torch.no_grad():
        made.weight.copy_(torch.round(made.weight * 64) / 64)
    return made


READOUT = made_readout()


def words():
    """``(word over I, Z, X, coefficient)`` of the observable whose tensor the readout holds."""
    tensor = READOUT.weight[0].tolist()
    for index in itertools.product(range(3), repeat=3):
        yield "".join("IZX"[k] for k in index), tensor[index[0]][index[1]][index[2]]


def dense_pennylane(x, theta):
    for wire in range(3):
        qml.RY(theta[wire] * x[0], wires=wire)
    letters = {"I": qml.Identity, "Z": qml.Z, "X": qml.X}
    terms = [(c, qml.prod(*(letters[a](q) for q, a in enumerate(w)))) for w, c in words()]
    return qml.expval(qml.dot([c for c, _ in terms], [o for _, o in terms]))


def dense_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(3)
    for qubit in range(3):
        circuit.ry(theta[qubit] * x[0], qubit)
    return circuit


def dense_readout(x, theta):
    angles = x * theta
    return READOUT(torch.stack([torch.cos(angles), torch.sin(angles)], dim=-1))


def two_angles_pennylane(*observables):
    def circuit(x):
        qml.RY(x[0], wires=0)
        qml.RY(x[1], wires=1)
        terms = [qml.prod(*(getattr(qml, a)(q) for q, a in enumerate(w))) for w in observables]
        return qml.expval(qml.sum(*terms))

    return circuit


def two_angles_qiskit():
    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(2)
    circuit.ry(x[0], 0)
    circuit.ry(x[1], 1)
    return circuit


def two_angles(name, observables, counterpart, **claim):
    """Words are read wire 0 first; Qiskit's labels the other way round."""
    return Pair(
        name=name,
        pennylane=two_angles_pennylane(*observables),
        qiskit=two_angles_qiskit,
        observable=SparsePauliOp([w[::-1] for w in observables]),
        counterpart=counterpart,
        n_features=2,
        n_parameters=0,
        **claim,
    )


LINKS = [
    Link(
        "an entangling block before the measurement is a tensor T(theta) over (1, cos, sin)",
        Pair(
            name="entangling-block",
            pennylane=block_pennylane,
            qiskit=block_qiskit,
            observable=SparsePauliOp("IZ"),
            counterpart=block_tensor,
            n_features=2,
            n_parameters=5,
        ),
    ),
    Link(
        "readout.Multilinear, the module itself = the observable with its 27 coefficients",
        Pair(
            name="dense-readout",
            pennylane=dense_pennylane,
            qiskit=dense_qiskit,
            observable=SparsePauliOp([w[::-1] for w, _ in words()], [c for _, c in words()]),
            counterpart=dense_readout,
            n_features=1,
            n_parameters=3,
        ),
    ),
    Link(
        "words with a Y contribute nothing: Z Z + Y Y + X Y reads cos u cos v",
        two_angles("no-y", ("ZZ", "YY", "XY"), lambda x: torch.cos(x[:, 0]) * torch.cos(x[:, 1])),
    ),
    Link(
        "Z Z + X X reads cos(u - v), a tensor of rank two",
        two_angles("rank-two", ("ZZ", "XX"), lambda x: torch.cos(x[:, 0] - x[:, 1])),
    ),
    Link(
        "the expectation of a sum of products is no product: (Z + X)(Z + X) is not Z Z + X X",
        two_angles(
            "not-a-product",
            ("ZZ", "XX"),
            lambda x: torch.prod(torch.cos(x) + torch.sin(x), dim=-1),
            claim="different",
        ),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
