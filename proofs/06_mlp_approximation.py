"""Chapter 6: the published MLP readout is an approximation, with a bound.

Claim: a tanh network of Q-RUN features is no trigonometric polynomial, so it equals no circuit
exactly; but its largest distance from one over an interval can be enclosed. Proof and references:
06_mlp_approximation.md.
"""

import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

import qrun_equiv as qe
from qrun_equiv.approximation import approximate
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, show
from qrun_equiv.pair import Pair

PARAMETERS = (0.4, 1.1, -0.7)
DOMAIN = (-3.15, 3.15)  # a little more than a period of circuit and network
EPSILON, TOO_SMALL = 1e-2, 1e-6


def pennylane_circuit(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RX(x[0], wires=0)
    qml.RY(theta[1], wires=0)
    qml.RX(2 * x[0], wires=0)
    qml.RY(theta[2], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 3)
    circuit = QuantumCircuit(1)
    circuit.ry(theta[0], 0)
    circuit.rx(x[0], 0)
    circuit.ry(theta[1], 0)
    circuit.rx(2 * x[0], 0)
    circuit.ry(theta[2], 0)
    return circuit


NETWORK = approximate(
    qe.neutral(pennylane_circuit, n_features=1, n_parameters=3),
    parameters=PARAMETERS,
    interval=DOMAIN,
    hidden=4,
    steps=30,
    seed=6,
    epsilon=EPSILON,
)


def network(x, theta):
    """Scales 1 and 2, four features, two hidden layers of 4 tanh units, fitted a moment ago."""
    del theta
    return NETWORK(x)


def within(name, **claim):
    return Pair(
        name=name,
        pennylane=pennylane_circuit,
        qiskit=qiskit_circuit,
        observable=SparsePauliOp("Z"),
        counterpart=network,
        n_features=1,
        n_parameters=3,
        parameters=PARAMETERS,
        domain=DOMAIN,
        gradients=("features",),
        **claim,
    )


LINKS = [
    Link(
        f"the network is within {EPSILON:g} of the circuit, for every x of a period",
        within("network-within", claim="approximates", epsilon=EPSILON),
        Status.CERTIFIED,
    ),
    Link(
        f"it is not within {TOO_SMALL:g}: a lower bound, with the point",
        within("network-not-within", claim="different", epsilon=TOO_SMALL),
        Status.REFUTED,
    ),
    Link(
        "it is no identity",
        within("network-not-equal", claim="different"),
        Status.REFUTED,
    ),
]

if __name__ == "__main__":
    raise SystemExit(show(LINKS))
