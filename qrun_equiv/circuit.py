"""The neutral form: frozen, validated circuits that know no framework.

A :class:`Circuit` is a list of :class:`Gate` on numbered wires, all starting in ``|0>``, and one or
more :class:`Observable` (real Pauli sums) whose expectation values are its outputs. It serves the
exact arguments and the derivation of counterparts; numeric checks run the *native* circuit instead.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from qrun_equiv.angle import Angle, to_json
from qrun_equiv.errors import CircuitError

_HALF, _ONE, _ZERO = Fraction(1, 2), Fraction(1), Fraction(0)


@dataclass(frozen=True, slots=True)
class GateSpec:
    """What a gate name means.

    Attributes:
        wires: number of wires; 0 where the Pauli word or the matrix says it.
        gaps: positive differences of the generator's eigenvalues: expectation values depend on the
            gate's angle with these frequencies (and 0). Empty for gates without an angle.
        controlled: the first wire is a control.
    """

    wires: int
    gaps: tuple[Fraction, ...] = ()
    controlled: bool = False


#: The gate set. Rotations are ``exp(-i angle P / 2)``; PhaseShift is ``diag(1, exp(i angle))``.
GATES: Mapping[str, GateSpec] = {
    "RX": GateSpec(1, (_ONE,)),
    "RY": GateSpec(1, (_ONE,)),
    "RZ": GateSpec(1, (_ONE,)),
    "PhaseShift": GateSpec(1, (_ONE,)),
    "PauliRot": GateSpec(0, (_ONE,)),
    "CRX": GateSpec(2, (_HALF, _ONE), controlled=True),
    "CRY": GateSpec(2, (_HALF, _ONE), controlled=True),
    "CRZ": GateSpec(2, (_HALF, _ONE), controlled=True),
    "H": GateSpec(1),
    "S": GateSpec(1),
    "T": GateSpec(1),
    "X": GateSpec(1),
    "Y": GateSpec(1),
    "Z": GateSpec(1),
    "CNOT": GateSpec(2, controlled=True),
    "CZ": GateSpec(2, controlled=True),
    "SWAP": GateSpec(2),
    "Unitary": GateSpec(0),
}

MAX_UNITARY_WIRES = 4


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: a name of :data:`GATES`, its wires, and what the name needs.

    Attributes:
        angle: exact angle in radians, for gates that have one.
        word: for ``PauliRot``, one of ``XYZ`` for each wire.
        matrix: for ``Unitary``, the rows as nested tuples of complex numbers (first wire is the
            most significant bit).
    """

    name: str
    wires: tuple[int, ...]
    angle: Angle | None = None
    word: str = ""
    matrix: tuple[tuple[complex, ...], ...] = ()

    def __post_init__(self) -> None:
        spec = GATES.get(self.name)
        if spec is None:
            msg = f"unknown gate {self.name!r}; the neutral form has {', '.join(GATES)}"
            raise CircuitError(msg)
        if len(set(self.wires)) != len(self.wires) or not self.wires:
            msg = f"{self.name} on wires {self.wires}: wires must be distinct and at least one"
            raise CircuitError(msg)
        if spec.wires and len(self.wires) != spec.wires:
            msg = f"{self.name} acts on {spec.wires} wire(s), got wires {self.wires}"
            raise CircuitError(msg)
        if bool(spec.gaps) != (self.angle is not None):
            msg = f"{self.name} {'needs an' if spec.gaps else 'has no'} angle"
            raise CircuitError(msg)
        if (self.word and self.name != "PauliRot") or (self.matrix and self.name != "Unitary"):
            msg = f"{self.name} takes neither a Pauli word nor a matrix"
            raise CircuitError(msg)
        if self.name == "PauliRot" and (
            len(self.word) != len(self.wires) or set(self.word) - set("XYZ")
        ):
            msg = f"PauliRot on wires {self.wires} needs one of X, Y, Z a wire, got {self.word!r}"
            raise CircuitError(msg)
        if self.name == "Unitary":
            _check_unitary(np.array(self.matrix, dtype=complex), len(self.wires))


def _check_unitary(matrix: np.ndarray, wires: int) -> None:
    if wires > MAX_UNITARY_WIRES:
        msg = f"a fixed unitary on {wires} wires: at most {MAX_UNITARY_WIRES}; decompose it first"
        raise CircuitError(msg)
    if matrix.shape != (2**wires, 2**wires):
        msg = f"a unitary on {wires} wire(s) must have shape {(2**wires,) * 2}, got {matrix.shape}"
        raise CircuitError(msg)
    if not np.allclose(matrix @ matrix.conj().T, np.eye(2**wires), atol=1e-10):
        msg = "the matrix of a Unitary gate is not unitary (checked to 1e-10)"
        raise CircuitError(msg)


#: A Pauli word: ``((wire, "X"), ...)`` sorted by wire; the empty word is the identity.
Word = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Observable:
    """A Hermitian observable as a real sum of Pauli words: ``((coefficient, word), ...)``."""

    terms: tuple[tuple[float, Word], ...]

    @staticmethod
    def of(terms: Iterable[tuple[float, Mapping[int, str]]]) -> Observable:
        """Observable from ``(coefficient, {wire: "X" | "Y" | "Z" | "I"})``; equal words merge."""
        total: dict[Word, float] = {}
        for coefficient, letters in terms:
            if set(letters.values()) - set("IXYZ"):
                msg = f"Pauli letters are I, X, Y, Z, got {dict(letters)}"
                raise CircuitError(msg)
            if not math.isfinite(coefficient):
                msg = f"a coefficient of the observable is {coefficient}; it must be finite"
                raise CircuitError(msg)
            word = tuple(sorted((w, p) for w, p in letters.items() if p != "I"))
            total[word] = total.get(word, 0.0) + float(coefficient)
        kept = sorted((w, c) for w, c in total.items() if c != 0.0)
        return Observable(tuple((c, w) for w, c in kept))

    @property
    def norm(self) -> float:
        """Sum of absolute coefficients: no expectation value is larger."""
        return float(sum(abs(c) for c, _ in self.terms))

    def wires(self) -> frozenset[int]:
        """Wires that the observable acts on."""
        return frozenset(w for _, word in self.terms for w, _ in word)

    def __str__(self) -> str:
        def letters(word: Word) -> str:
            return " ".join(f"{p}{w}" for w, p in word) or "I"

        parts = [letters(w) if c == 1.0 else f"{c:g} {letters(w)}" for c, w in self.terms]
        return " + ".join(parts) or "0"


@dataclass(frozen=True, slots=True)
class Circuit:
    """A neutral circuit: gates in order of time on ``n_wires`` wires from ``|0...0>``.

    Attributes:
        n_wires: number of wires.
        gates: the gates, first applied first.
        observables: one for each output.
        n_features: length of ``x``; features that no gate reads are allowed.
        n_parameters: length of ``theta``.

    Raises:
        CircuitError: a wire, feature or parameter is out of range, or there is no observable.
    """

    n_wires: int
    gates: tuple[Gate, ...]
    observables: tuple[Observable, ...]
    n_features: int
    n_parameters: int

    def __post_init__(self) -> None:
        if self.n_wires < 1:
            msg = f"a circuit needs at least one wire, got {self.n_wires}"
            raise CircuitError(msg)
        if self.n_features < 0 or self.n_parameters < 0:
            msg = f"negative sizes: {self.n_features} features, {self.n_parameters} parameters"
            raise CircuitError(msg)
        if not self.observables:
            msg = "the circuit measures nothing; give it at least one observable"
            raise CircuitError(msg)
        sizes = {"x": self.n_features, "acos": self.n_features, "theta": self.n_parameters}
        for gate in self.gates:
            if max(gate.wires) >= self.n_wires or min(gate.wires) < 0:
                msg = f"{gate.name} on wires {gate.wires} of a circuit with {self.n_wires} wire(s)"
                raise CircuitError(msg)
            for symbol in gate.angle.symbols() if gate.angle else ():
                if symbol.index >= sizes[symbol.kind]:
                    what = "parameters" if symbol.kind == "theta" else "features"
                    msg = f"{gate.name} reads {symbol}, but there are {sizes[symbol.kind]} {what}"
                    raise CircuitError(msg)
        for observable in self.observables:
            outside = sorted(w for w in observable.wires() if not 0 <= w < self.n_wires)
            if outside:
                msg = (
                    f"the observable {observable} acts on wire(s) {outside}, but the circuit has "
                    f"wires 0 to {self.n_wires - 1}"
                )
                raise CircuitError(msg)

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return len(self.observables)

    def encoding_gates(self) -> tuple[Gate, ...]:
        """Gates whose angle depends on a feature."""
        return tuple(g for g in self.gates if g.angle is not None and g.angle.features())

    def describe(self) -> str:
        """One line for a person."""
        return (
            f"{self.n_wires} wire(s), {len(self.gates)} gates ({len(self.encoding_gates())} "
            f"encoding), {self.n_features} feature(s), {self.n_parameters} parameter(s), "
            f"{self.n_outputs} output(s)"
        )

    def to_json(self) -> dict[str, Any]:
        """Canonical JSON form: the digest is taken over it."""
        return {
            "n_wires": self.n_wires,
            "n_features": self.n_features,
            "n_parameters": self.n_parameters,
            "gates": [_gate_json(g) for g in self.gates],
            "observables": [
                [[repr(c), [[w, p] for w, p in word]] for c, word in o.terms]
                for o in self.observables
            ],
        }

    def digest(self) -> str:
        """SHA-256 of the canonical form, in hex."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _gate_json(gate: Gate) -> dict[str, Any]:
    out: dict[str, Any] = {"name": gate.name, "wires": list(gate.wires)}
    if gate.angle is not None:
        out["angle"] = to_json(gate.angle)
    if gate.word:
        out["word"] = gate.word
    if gate.matrix:
        out["matrix"] = [[[repr(v.real), repr(v.imag)] for v in row] for row in gate.matrix]
    return out
