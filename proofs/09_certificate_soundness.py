"""Chapter 9: why a finite check says something about every input.

Claim: an identity that holds at a random point of a random large prime field is an identity, but
for a stated probability; values on a finite grid bound a trigonometric polynomial and its
derivative everywhere. What is false is not called true. Proof and references:
09_certificate_soundness.md.
"""

import math

import numpy as np
import pennylane as qml
import torch
from flint import acb, arb, fmpq
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv import bounds, exact
from qrun_equiv.angle import feature
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, Shown, show
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.pair import Pair
from qrun_equiv.trigonometric import TrigonometricPolynomial

GATES = 12
TINY = 2.0**-40  # far below the 1e-9 to which sampled values are held


def product_pennylane(x, theta):
    for k in range(GATES):
        qml.RX(theta[k] * x[0], wires=0)
    return qml.expval(qml.Z(0))


def product_qiskit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", GATES)
    circuit = QuantumCircuit(1)
    for k in range(GATES):
        circuit.rx(theta[k] * x[0], 0)
    return circuit


def one_cosine(x, theta):
    return torch.cos(torch.sum(theta) * x[:, 0])


def scaled_pennylane(scale, offset=0.0):
    def circuit(x):
        qml.RX(scale * x[0] + offset, wires=0)
        return qml.expval(qml.Z(0))

    return circuit


def scaled(name, counterpart, scale=1.0, offset=0.0, **claim):
    """``cos(scale x + offset)`` in both frameworks against a counterpart."""

    def qiskit_circuit():
        circuit = QuantumCircuit(1)
        circuit.rx(scale * ParameterVector("x", 1)[0] + offset, 0)
        return circuit

    return Pair(
        name=name,
        pennylane=scaled_pennylane(scale, offset),
        qiskit=qiskit_circuit,
        observable=SparsePauliOp("Z"),
        counterpart=counterpart,
        n_features=1,
        n_parameters=0,
        **claim,
    )


def added_sum(x):
    """``cos(x + 1/3)`` by the addition theorem; 1/3 is a formal angle, no number."""
    third = torch.tensor(1 / 3, dtype=torch.float64)
    return torch.cos(x[:, 0]) * torch.cos(third) - torch.sin(x[:, 0]) * torch.sin(third)


def almost(x):
    return torch.cos(x[:, 0]) + TINY


def on_grids(x):
    """``cos x`` on every grid of 1, 2, 4, 8, 16 or 32 equispaced points of a period from 0 on."""
    return torch.cos(x[:, 0]) + 1e-3 * torch.sin(16 * x[:, 0])


def smaller(x):
    return 0.999 * torch.cos(x[:, 0])


def caught_in_every_field():
    """RX(x) against RX((1 + 2^-40) x), in 100 fields; and RX(x) RX(x) = RX(2x) in as many."""
    runs = 100

    def circuit(*scales):
        gates = tuple(Gate("RX", (0,), feature(0) * s) for s in scales)
        return Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0)

    caught = sum(
        not exact.identical(circuit(1.0), circuit(1.0 + TINY), seed=k) for k in range(runs)
    )
    kept = sum(exact.identical(circuit(1.0, 1.0), circuit(2.0), seed=k) for k in range(runs))
    status = Status.REFUTED if caught == kept == runs else Status.UNDECIDED
    return Shown(
        status,
        f"differs in {caught} of {runs} draws; the true RX RX = RX^2 kept in {kept} of {runs}",
    )


def known_suprema():
    """Square waves ``sum_k sin((2k-1) x) / (2k-1)``, n terms: largest at pi/(2n), slope n at 0."""
    held, excess = [], 0.0
    for n in range(1, 13):
        odd = range(1, 2 * n, 2)
        wave = TrigonometricPolynomial({feature(0) * k: acb(0, -arb(1) / (2 * k)) for k in odd})
        found = bounds.sup_bound(wave)
        sup = sum((arb.sin_pi_fmpq(fmpq(k, 2 * n)) / k for k in odd), start=arb(0))
        enclosed = arb(found.lower) <= sup and sup <= arb(found.upper)
        held.append(enclosed and n <= found.gradient_upper)
        excess = max(excess, found.upper / float(sup) - 1)
    status = Status.CERTIFIED if all(held) else Status.UNDECIDED
    return Shown(status, f"{sum(held)} of {len(held)} enclosed; bounds {excess:.1%} above at worst")


def ehlich_zeller_is_sharp():
    """``cos(K x + pi/4)`` on 4K points is ``+-sqrt(1/2)`` there and 1 between; 2K points refuse."""
    held, largest = [], 0.0
    for degree in range(1, 13):
        n = 4 * degree
        values = np.cos(np.arange(n) * math.pi / 2 + math.pi / 4)
        bound = bounds.ehlich_zeller(values * (1 + 1e-12), (degree,))  # enlarged by the rounding
        held.append(bound >= 1.0 and refuses(2 * degree, degree))
        largest = max(largest, bound)
    status = Status.CERTIFIED if all(held) else Status.UNDECIDED
    return Shown(
        status, f"the largest bound of the supremum 1 is 1 + {largest - 1:.0e}; N = 2K refused"
    )


def refuses(points, degree):
    try:
        bounds.ehlich_zeller(np.zeros(points), (degree,))
    except SpectrumError:
        return True
    return False


LINKS = [
    Link(
        "twelve gates of twelve scales are one rotation: degree and probability are counted",
        Pair(
            name="one-rotation",
            pennylane=product_pennylane,
            qiskit=product_qiskit,
            observable=SparsePauliOp("Z"),
            counterpart=one_cosine,
            n_features=1,
            n_parameters=GATES,
        ),
    ),
    Link(
        "constants are formal: cos(x + 1/3) by the addition theorem, nothing rounded",
        scaled("formal-constant", added_sum, offset=1 / 3),
    ),
    Link(
        "a scale that is off by 2^-40 is another function in every field",
        caught_in_every_field,
        Status.REFUTED,
    ),
    Link(
        "cos x + 2^-40 agrees with cos x at all sampled points to 1e-9, and is not proved",
        scaled("almost-equal", almost),
        Status.UNDECIDED,
    ),
    Link(
        "a difference that vanishes on every grid of up to 32 points 2 pi j / 2^k is found",
        scaled("vanishes-on-grids", on_grids, claim="different"),
        Status.REFUTED,
    ),
    Link(
        "Ehlich-Zeller: max |p| <= max |p(x_j)| / cos(pi K / N), and equality occurs",
        ehlich_zeller_is_sharp,
        Status.CERTIFIED,
    ),
    Link(
        "square waves of 1 to 12 terms: the supremum is enclosed, the largest slope is bounded",
        known_suprema,
        Status.CERTIFIED,
    ),
    Link(
        "cos x and 0.999 cos x differ by 0.001: within 0.0011 for every x",
        scaled("within", smaller, claim="approximates", epsilon=1.1e-3),
        Status.CERTIFIED,
    ),
    Link(
        "and not within 0.0009: the lower bound is above it",
        scaled("not-within", smaller, claim="different", epsilon=0.9e-3),
        Status.REFUTED,
    ),
    Link(
        "0.1 + 0.2 and 0.3 differ by a rounding: no identity, but a bound on a domain",
        scaled(
            "rounded-scale",
            lambda x: torch.cos(0.3 * x[:, 0]),
            scale=0.1 + 0.2,
            domain=(-10.0, 10.0),
        ),
        Status.CERTIFIED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
