"""What one trial of the campaign is, and the random circuits that trials are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pennylane as qml

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.frontends.export import to_pennylane, to_qiskit

EQUAL, MUTANT = "equal", "mutant"


@dataclass(frozen=True)
class Subject:
    """One circuit, one counterpart, and the truth about them.

    Attributes:
        circuit: neutral form of the circuit that runs natively.
        counterpart: the torch side.
        detail: what was done, for a person.
        expected: the status that an equal pair must reach; a mutant must stay below ``certified``.
        options: more arguments for ``verify``.
    """

    circuit: Circuit
    counterpart: Callable[..., Any]
    detail: str
    expected: str = "proved"
    options: dict[str, Any] = field(default_factory=dict)


#: A family draws one subject, or ``None`` where this draw has none (then another draw is made).
Family = Callable[[np.random.Generator], Subject | None]


def native(circuit: Circuit, framework: str) -> tuple[Any, dict[str, Any]]:
    """The circuit in PennyLane or Qiskit, and what ``verify`` must be told about it."""
    sizes = {"n_features": circuit.n_features, "n_parameters": circuit.n_parameters}
    if framework == "qiskit":
        made, observables = to_qiskit(circuit)
        return made, sizes | {"observable": observables}
    device = qml.device("default.qubit", wires=circuit.n_wires)
    return qml.QNode(to_pennylane(circuit), device), sizes


def pick(rng: np.random.Generator, values: Any) -> Any:
    """One of a sequence, kept as it is (``rng.choice`` would make an array of it)."""
    return values[int(rng.integers(len(values)))]


def scale(rng: np.random.Generator) -> Angle:
    """A factor as people write or train it: 2, 1/3, 0.7, 1.8342, pi, a trained float."""
    kind = int(rng.integers(6))
    if kind == 0:
        return Angle.constant(int(rng.integers(1, 4)))
    if kind == 1:
        return Angle.constant(1) / int(rng.integers(2, 8))
    if kind == 2:
        return PI / int(rng.integers(1, 5))
    digits = int(rng.integers(1, 6))
    return Angle.constant(round(float(rng.uniform(0.2, 2.5)), digits) or 1.0)


def encoding(rng: np.random.Generator, n_features: int, n_parameters: int) -> Angle:
    """``s x``, ``s x + b``, ``theta x``, ``x0 x1``, ``s (x - theta)``, offsets such as pi/3."""
    x, kind = feature(int(rng.integers(n_features))), int(rng.integers(6))
    theta = parameter(int(rng.integers(n_parameters))) if n_parameters else Angle.constant(0.4)
    if kind == 0:
        return theta * x
    if kind == 1 and n_features > 1:
        return feature(0) * feature(1) * scale(rng)
    if kind == 2:
        return scale(rng) * (x - theta)
    if kind == 3:
        return x * scale(rng) + PI / int(rng.integers(2, 7))
    return x * scale(rng) + scale(rng) * (kind == 4)


_ONE, _TWO = ("RX", "RY", "RZ", "PhaseShift"), ("CRX", "CRY", "CRZ", "PauliRot")
_FIXED_ONE, _FIXED_TWO = ("H", "S", "T", "X", "Y", "Z"), ("CNOT", "CZ", "SWAP")
_COEFFICIENTS = (1.0, -0.5, 0.25, 0.3, 2.0, 0.5**0.5, 1.37)


def random_gate(rng: np.random.Generator, n_wires: int, angle: Angle | None) -> Gate:
    """A gate with this angle, or a fixed one, on random wires."""
    two = n_wires > 1 and bool(rng.uniform() < 0.4)
    wires = tuple(int(w) for w in rng.choice(n_wires, 1 + two, replace=False))
    if angle is None:
        return Gate(str(rng.choice(_FIXED_TWO if two else _FIXED_ONE)), wires)
    name = str(rng.choice(_TWO if two else _ONE))
    word = "".join(rng.choice(list("XYZ"), 2)) if name == "PauliRot" else ""
    return Gate(name, wires, angle, word)


def observable(rng: np.random.Generator, n_wires: int) -> Observable:
    """A sum of one or two Pauli words with the factors that people write."""
    terms = []
    for _ in range(int(rng.integers(1, 3))):
        letters = {w: str(pick(rng, "IXYZ")) for w in range(n_wires)}
        letters[int(rng.integers(n_wires))] = str(pick(rng, "XYZ"))
        terms.append((float(pick(rng, _COEFFICIENTS)), letters))
    return Observable.of(terms)


def small_circuit(rng: np.random.Generator, *, wires: int | None = None) -> Circuit:
    """One to three wires, one to four re-uploads, one or two features, two or three parameters."""
    n = int(pick(rng, (1, 1, 2, 2, 3))) if wires is None else wires
    n_features, n_parameters = int(rng.integers(1, 3)), int(rng.integers(2, 4))
    gates = [Gate("RY", (w,), parameter(w % n_parameters)) for w in range(n)]
    for _ in range(int(rng.integers(1, 5))):
        gates.append(random_gate(rng, n, encoding(rng, n_features, n_parameters)))
        trained = parameter(int(rng.integers(n_parameters)))
        gates.append(random_gate(rng, n, None if rng.uniform() < 0.5 else trained))
    measured = tuple(observable(rng, n) for _ in range(int(pick(rng, (1, 1, 2)))))
    return Circuit(n, tuple(gates), measured, n_features, n_parameters)
