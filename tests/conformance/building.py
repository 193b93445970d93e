"""Cases from a description that both frameworks read, or from each framework's own constructs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import pennylane as qml
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

Claim = Literal["equal", "different", "tiny"]
CLAIMS: tuple[Claim, ...] = ("equal", "different", "tiny")

#: ``(x, theta) -> radians``: plain arithmetic, so it works on tensors and on Qiskit's expressions.
AngleOf = Callable[[Any, Any], Any]
#: ``(gate, wire or wires, *angles)``.
Op = tuple[Any, ...]

#: The description's gates: PennyLane's operation, Qiskit's method.
GATES: Mapping[str, tuple[Any, str]] = {
    "H": (qml.Hadamard, "h"),
    "X": (qml.X, "x"),
    "Y": (qml.Y, "y"),
    "Z": (qml.Z, "z"),
    "S": (qml.S, "s"),
    "T": (qml.T, "t"),
    "RX": (qml.RX, "rx"),
    "RY": (qml.RY, "ry"),
    "RZ": (qml.RZ, "rz"),
    "P": (qml.PhaseShift, "p"),
    "CX": (qml.CNOT, "cx"),
    "CZ": (qml.CZ, "cz"),
    "SWAP": (qml.SWAP, "swap"),
    "CRX": (qml.CRX, "crx"),
    "CRZ": (qml.CRZ, "crz"),
    "CP": (qml.ControlledPhaseShift, "cp"),
    "RXX": (qml.IsingXX, "rxx"),
    "RYY": (qml.IsingYY, "ryy"),
    "RZZ": (qml.IsingZZ, "rzz"),
}


class Subject(NamedTuple):
    """A native circuit; the observable is for Qiskit, a QNode returns its own."""

    circuit: Any
    observable: Any = None


#: A circuit for each framework that has the construct: ``{"pennylane": make, "qiskit": make}``.
Natives = Mapping[str, Callable[[], Subject]]


@dataclass(frozen=True, eq=False)
class Case:
    """Two circuits and a claim.

    Attributes:
        name: unique; ends in the claim.
        claim: ``"equal"``, ``"different"``, or ``"tiny"``: different, by less than rounding shows.
        left, right: the circuits.
        n_features: length of ``x``.
        n_parameters: length of ``theta``.
    """

    name: str
    claim: Claim
    left: Natives
    right: Natives
    n_features: int = 2
    n_parameters: int = 2

    @property
    def frameworks(self) -> list[str]:
        """The frameworks that have both sides."""
        return [name for name in self.left if name in self.right]

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes as keywords of ``verify``, ``derive`` and ``neutral``."""
        return {"n_features": self.n_features, "n_parameters": self.n_parameters}


def family(
    name: str, left: Natives, *, sizes: tuple[int, int] = (2, 2), **rights: Any
) -> list[Case]:
    """One left side against right sides of several claims: ``equal=``, ``different=``, ``tiny=``.

    Several right sides of one claim come as a list.
    """
    cases = []
    for claim in CLAIMS:
        given = rights.pop(claim, [])
        several = given if isinstance(given, list) else [given]
        for number, right in enumerate(several):
            title = f"{name}-{claim}" + (f"-{number + 1}" if len(several) > 1 else "")
            cases.append(Case(title, claim, left, right, *sizes))
    if rights:
        msg = f"{name}: no such claim: {', '.join(rights)}"
        raise TypeError(msg)
    return cases


def side(*ops: Op, measure: str | tuple[str, ...] = "Z0") -> Natives:
    """A described circuit in both frameworks.

    Args:
        ops: gates in order of time.
        measure: one observable for each output, such as ``"Z0"``, ``"X0 Z1"`` or
            ``"0.5 Z0 + 2 X1"``; the number after a letter is its wire.
    """
    outputs = (measure,) if isinstance(measure, str) else measure
    return {
        "pennylane": lambda: _qnode(ops, outputs),
        "qiskit": lambda: _quantum_circuit(ops, outputs),
    }


def turned(*angles: AngleOf) -> Natives:
    """RX by each angle, measured in Z and Y: cosine and sine tell their sum modulo 2 pi."""
    return side(*(("RX", 0, angle) for angle in angles), measure=("Z0", "Y0"))


def _on(op: Op) -> tuple[int, ...]:
    return op[1] if isinstance(op[1], tuple) else (op[1],)


def n_wires(ops: tuple[Op, ...], outputs: tuple[str, ...]) -> int:
    """One more than the largest wire that is acted on or measured."""
    measured = {w for text in outputs for _, word in _terms(text) for w in word}
    return 1 + max(measured.union(*(_on(op) for op in ops)))


def _terms(text: str) -> list[tuple[float, dict[int, str]]]:
    """``"0.5 Z0 + X1"`` as ``[(0.5, {0: "Z"}), (1.0, {1: "X"})]``."""
    terms = []
    for part in text.split(" + "):
        first, *rest = part.split()
        weighted = first[0] not in "XYZI"
        letters = rest if weighted else [first, *rest]
        coefficient = float(first) if weighted else 1.0
        terms.append((coefficient, {int(p[1:]): p[0] for p in letters}))
    return terms


def _qnode(ops: tuple[Op, ...], outputs: tuple[str, ...]) -> Subject:
    def measured(text: str) -> Any:
        letters = {"X": qml.X, "Y": qml.Y, "Z": qml.Z, "I": qml.Identity}
        words = [
            qml.s_prod(c, qml.prod(*(letters[p](w) for w, p in word.items())))
            for c, word in _terms(text)
        ]
        return qml.expval(qml.sum(*words) if len(words) > 1 else words[0])

    @qml.qnode(qml.device("default.qubit", wires=n_wires(ops, outputs)))
    def circuit(x, theta):
        for op in ops:
            GATES[op[0]][0](*(angle(x, theta) for angle in op[2:]), wires=_on(op))
        return tuple(measured(text) for text in outputs)

    return Subject(circuit)


def vectors(n_features: int = 2, n_parameters: int = 2) -> tuple[ParameterVector, ParameterVector]:
    """Qiskit's ``x`` and ``theta``."""
    return ParameterVector("x", n_features), ParameterVector("theta", n_parameters)


def _quantum_circuit(ops: tuple[Op, ...], outputs: tuple[str, ...]) -> Subject:
    x, theta = vectors(12, 12)
    wires = n_wires(ops, outputs)
    circuit = QuantumCircuit(wires)
    for op in ops:
        getattr(circuit, GATES[op[0]][1])(*(angle(x, theta) for angle in op[2:]), *_on(op))
    observables = [
        SparsePauliOp.from_sparse_list(
            [("".join(word.values()), list(word), c) for c, word in _terms(text)], wires
        )
        for text in outputs
    ]
    return Subject(circuit, observables)


def qnode(function: Callable[..., Any], wires: Any = 2) -> Callable[[], Subject]:
    """A quantum function on a device with these wires."""
    return lambda: Subject(qml.QNode(function, qml.device("default.qubit", wires=wires)))


def on_x_and_theta(
    gates: Callable[[QuantumCircuit, ParameterVector, ParameterVector], QuantumCircuit | None],
    label: str = "ZX",
    wires: int = 2,
) -> Callable[[], Subject]:
    """A Qiskit circuit of ``gates(circuit, x, theta)``, its observable as a little-endian label."""

    def make() -> Subject:
        circuit = QuantumCircuit(wires)
        changed = gates(circuit, *vectors())
        return Subject(circuit if changed is None else changed, SparsePauliOp(label))

    return make
