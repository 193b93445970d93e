"""Rewrite a circuit into an equal one by identities: the opposite of :mod:`qrun_equiv.mutants`.

Every rule is one textbook identity (Nielsen and Chuang, chapter 4), applied at a random place. The
result measures the same values for all features and parameters, though its unitary may be another:
gates outside the light cone, gates that commute with what is measured, and gates that do nothing
to the initial state come and go too. Circuits are read in order of time, first gate first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.errors import CircuitError

#: A rule gives the rewritten circuit, or ``None`` where it has no place to act.
Rule = Callable[[Circuit, np.random.Generator], Circuit | None]

_HALF = Fraction(1, 2)
_QUARTER = PI / 2
# The Pauli letter that a gate acts by on each of its wires: gates that share letters on all shared
# wires commute. Gates without one letter a wire (H, SWAP) are left out.
_LETTERS = {
    "RX": "X", "RY": "Y", "RZ": "Z", "PhaseShift": "Z", "S": "Z", "T": "Z", "X": "X", "Y": "Y",
    "Z": "Z", "CNOT": "ZX", "CZ": "ZZ", "CRX": "ZX", "CRY": "ZY", "CRZ": "ZZ",
}  # fmt: skip
_ROTATIONS = ("RX", "RY", "RZ")


def rewrite(
    circuit: Circuit, steps: int = 8, *, seed: int = 0, rules: Sequence[str] | None = None
) -> tuple[Circuit, tuple[str, ...]]:
    """An equal circuit, ``steps`` random identities away.

    Args:
        circuit: neutral form; gates given by a matrix stay as they are.
        steps: number of identities to apply.
        seed: of rules and places.
        rules: names out of :data:`RULES`, :data:`UNITARY` for instance; all where left out.

    Returns:
        The rewritten circuit, and the names of the rules in the order in which they were applied.

    Raises:
        CircuitError: an unknown rule, or none that has a place to act.
    """
    rng = np.random.default_rng(seed)
    names = list(RULES if rules is None else rules)
    unknown = sorted(set(names) - set(RULES))
    if unknown or not names:
        msg = f"unknown rules {unknown}; some of {', '.join(RULES)}"
        raise CircuitError(msg)
    applied: list[str] = []
    while len(applied) < steps:
        for name in rng.permutation(names):
            made = RULES[name](circuit, rng)
            if made is not None:
                circuit = made
                applied.append(str(name))
                break
        else:
            msg = f"none of the rules {', '.join(names)} has a place to act in this circuit"
            raise CircuitError(msg)
    return circuit, tuple(applied)


def letters(gate: Gate) -> dict[int, str] | None:
    """The Pauli letter that a gate acts by on each wire; ``None`` where it has no such form.

    A gate is a function of the Pauli operators so named (``CNOT`` of Z on its control and X on its
    target), so gates that agree on every wire that they share commute.
    """
    word = gate.word if gate.name == "PauliRot" else _LETTERS.get(gate.name)
    return None if word is None else dict(zip(gate.wires, word, strict=True))


def commute(one: Gate, two: Gate) -> bool:
    """Whether two gates commute because they share no wire, or act alike on those they share."""
    shared = set(one.wires) & set(two.wires)
    a, b = letters(one), letters(two)
    return not shared or (
        a is not None and b is not None and all(a[wire] == b[wire] for wire in shared)
    )


def _exchange(circuit: Circuit, place: int, gates: Sequence[Gate], *, drop: int = 1) -> Circuit:
    kept = (*circuit.gates[:place], *gates, *circuit.gates[place + drop :])
    return replace(circuit, gates=kept)


def _local(meaning: Callable[[Gate, np.random.Generator], Sequence[Gate] | None]) -> Rule:
    """A rule that writes one gate as others."""

    def rule(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
        for place in rng.permutation(len(circuit.gates)):
            gates = meaning(circuit.gates[int(place)], rng)
            if gates is not None:
                return _exchange(circuit, int(place), gates)
        return None

    return rule


def _some_angle(circuit: Circuit, rng: np.random.Generator) -> Angle:
    """A feature, a parameter or a constant."""
    symbols = [feature(k) for k in range(circuit.n_features)]
    symbols += [parameter(k) for k in range(circuit.n_parameters)]
    symbols += [PI / 3, Angle.constant(Fraction(int(rng.integers(1, 100)), 40))]
    return symbols[int(rng.integers(len(symbols)))]


def _split(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """``R(a) = R(b) R(a - b)``."""
    places = [k for k, g in enumerate(circuit.gates) if g.angle is not None]
    if not places:
        return None
    place = int(rng.choice(places))
    gate, part = circuit.gates[place], _some_angle(circuit, rng)
    assert gate.angle is not None
    return _exchange(
        circuit, place, (replace(gate, angle=part), replace(gate, angle=gate.angle - part))
    )


def _merge(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """``R(a) R(b) = R(a + b)``."""
    for k in rng.permutation(max(0, len(circuit.gates) - 1)):
        one, two = circuit.gates[k], circuit.gates[k + 1]
        same = (one.name, one.wires, one.word) == (two.name, two.wires, two.word)
        if same and one.angle is not None and two.angle is not None:
            merged = replace(one, angle=one.angle + two.angle)
            return _exchange(circuit, int(k), (merged,), drop=2)
    return None


def _insert_pair(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """``1 = U^-1 U`` anywhere."""
    wire = int(rng.integers(circuit.n_wires))
    a = _some_angle(circuit, rng)
    name = str(rng.choice(_ROTATIONS))
    pairs = [
        (Gate("H", (wire,)), Gate("H", (wire,))),
        (Gate("Y", (wire,)), Gate("Y", (wire,))),
        (Gate("S", (wire,)), Gate("PhaseShift", (wire,), -_QUARTER)),
        (Gate("RZ", (wire,), -PI / 4), Gate("T", (wire,))),
        (Gate(name, (wire,), a), Gate(name, (wire,), -a)),
    ]
    if circuit.n_wires > 1:
        two = tuple(int(w) for w in rng.choice(circuit.n_wires, 2, replace=False))
        pairs += [
            (Gate("CNOT", two), Gate("CNOT", two)),
            (Gate("CZ", two), Gate("CZ", two[::-1])),
            (Gate("CR" + name[-1], two, a), Gate("CR" + name[-1], two, -a)),
        ]
    place = int(rng.integers(len(circuit.gates) + 1))
    return _exchange(circuit, place, pairs[int(rng.integers(len(pairs)))], drop=0)


def _by_hadamard(gate: Gate, _: np.random.Generator) -> Sequence[Gate] | None:
    """``H X H = Z``, ``H RX(a) H = RZ(a)``, ``H RY(a) H = RY(-a)``."""
    if gate.name not in {"X", "Z", *_ROTATIONS}:
        return None
    h = Gate("H", gate.wires)
    if gate.name in {"X", "Z"}:
        return h, Gate("Z" if gate.name == "X" else "X", gate.wires), h
    if gate.name in {"RX", "RZ"}:
        return h, replace(gate, name="RZ" if gate.name == "RX" else "RX"), h
    assert gate.angle is not None
    return h, replace(gate, angle=-gate.angle), h


def _by_quarter_turn(gate: Gate, rng: np.random.Generator) -> Sequence[Gate] | None:
    """ZYZ to XYX and back: a turn about one axis, seen after a quarter turn about another.

    ``R_a(t) = R_c(pi/2) R_b(t) R_c(-pi/2)`` where ``c x b = a``, as rotations of the Bloch vector.
    """
    if gate.name not in _ROTATIONS:
        return None
    axis = "XYZ".index(gate.name[-1])
    by = int(rng.choice([1, 2]))
    # (c, b, a) cyclic gives a quarter turn forwards, the other order backwards.
    c, b = (axis + by) % 3, (axis + 3 - by) % 3
    turn = _QUARTER if by == 1 else -_QUARTER
    name = "R" + "XYZ"[c]
    return (
        Gate(name, gate.wires, -turn),
        replace(gate, name="R" + "XYZ"[b]),
        Gate(name, gate.wires, turn),
    )


def _by_pauli(gate: Gate, rng: np.random.Generator) -> Sequence[Gate] | None:
    """``P R(a) P = R(-a)`` for a Pauli operator that anticommutes with the axis."""
    acting = letters(gate)
    if gate.angle is None or acting is None or gate.name not in {*_ROTATIONS, "PauliRot"}:
        return None
    wire = int(rng.choice(gate.wires))
    flip = Gate(str(rng.choice([p for p in "XYZ" if p != acting[wire]])), (wire,))
    return flip, replace(gate, angle=-gate.angle), flip


def _full_turn(gate: Gate, rng: np.random.Generator) -> Sequence[Gate] | None:
    """An angle plus 4 pi, or 2 pi where that is a global phase."""
    if gate.angle is None:
        return None
    turn = 4 * PI if GATES[gate.name].controlled else 2 * PI
    return (replace(gate, angle=gate.angle + turn * int(rng.choice([-1, 1]))),)


def _in_parts(gate: Gate, _: np.random.Generator) -> Sequence[Gate] | None:
    """Two-wire gates from smaller ones, and other names for one gate."""
    wires, target = gate.wires, gate.wires[1:]
    if gate.name == "CNOT":
        return Gate("H", target), Gate("CZ", wires), Gate("H", target)
    if gate.name == "CZ":
        return Gate("H", target), Gate("CNOT", wires), Gate("H", target)
    if gate.name == "SWAP":
        return Gate("CNOT", wires), Gate("CNOT", wires[::-1]), Gate("CNOT", wires)
    if gate.name in {"S", "T"}:
        return (Gate("RZ", wires, PI / (2 if gate.name == "S" else 4)),)
    if gate.angle is None:
        return None
    if gate.name == "PhaseShift":
        return (replace(gate, name="RZ"),)
    if gate.name == "PauliRot":
        return _ladder(gate)
    if GATES[gate.name].controlled:  # a rotation half forwards, half by the control's sign
        turn = Gate("R" + gate.name[-1], target, gate.angle * _HALF)
        word = "Z" + gate.name[-1]
        return turn, Gate("PauliRot", wires, gate.angle * -_HALF, word)
    return None


def _ladder(gate: Gate) -> Sequence[Gate]:
    """A Pauli rotation as a rotation about Z between two ladders of CNOTs."""
    into = []
    for wire, letter in zip(gate.wires, gate.word, strict=True):
        if letter == "X":
            into.append((Gate("H", (wire,)), Gate("H", (wire,))))
        elif letter == "Y":
            into.append((Gate("RX", (wire,), _QUARTER), Gate("RX", (wire,), -_QUARTER)))
    steps = [Gate("CNOT", gate.wires[k : k + 2]) for k in range(len(gate.wires) - 1)]
    turn = Gate("RZ", gate.wires[-1:], gate.angle)
    return *(a for a, _ in into), *steps, turn, *steps[::-1], *(b for _, b in into)


def _reordered(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """Neighbours that commute change places."""
    for k in rng.permutation(max(0, len(circuit.gates) - 1)):
        one, two = circuit.gates[k], circuit.gates[k + 1]
        if one != two and commute(one, two):
            return _exchange(circuit, int(k), (two, one), drop=2)
    return None


def _unmeasured(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """A last gate that commutes with everything measured, or that nothing measured depends on."""
    for _ in range(4):
        gate = _some_gate(circuit, rng)
        acting = letters(gate)
        words = [dict(word) for o in circuit.observables for _, word in o.terms]
        if acting and all(w.get(k, p) == p for w in words for k, p in acting.items()):
            return _exchange(circuit, len(circuit.gates), (gate,), drop=0)
    return None


def _unprepared(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """A first gate that leaves ``|0...0>`` alone."""
    for _ in range(4):
        gate = _some_gate(circuit, rng)
        acting = letters(gate) or {}
        if acting.get(gate.wires[0]) == "Z" and (
            GATES[gate.name].controlled or set(acting.values()) == {"Z"}
        ):
            return _exchange(circuit, 0, (gate,), drop=0)
    return None


def _some_gate(circuit: Circuit, rng: np.random.Generator) -> Gate:
    names = [*_ROTATIONS, "S", "Z", "X"] + ["CNOT", "CRY", "CRZ"] * (circuit.n_wires > 1)
    name = str(rng.choice(names))
    two = GATES[name].wires == 2
    wires = tuple(int(w) for w in rng.choice(circuit.n_wires, 1 + two, replace=False))
    return Gate(name, wires, _some_angle(circuit, rng) if GATES[name].gaps else None)


def _measured_after_hadamard(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """A last H on one wire, and the observables that it turns: X to Z, Z to X, Y to -Y."""
    wire = int(rng.integers(circuit.n_wires))
    turned = []
    for observable in circuit.observables:
        terms = []
        for coefficient, word in observable.terms:
            now = dict(word)
            sign = -1.0 if now.get(wire) == "Y" else 1.0
            if wire in now:
                now[wire] = {"X": "Z", "Z": "X", "Y": "Y"}[now[wire]]
            terms.append((sign * coefficient, now))
        turned.append(Observable.of(terms))
    longer = _exchange(circuit, len(circuit.gates), (Gate("H", (wire,)),), drop=0)
    return replace(longer, observables=tuple(turned))


#: The identities by name.
RULES: dict[str, Rule] = {
    "split": _split,
    "merge": _merge,
    "inverse pair": _insert_pair,
    "Hadamard": _local(_by_hadamard),
    "quarter turn": _local(_by_quarter_turn),
    "Pauli": _local(_by_pauli),
    "full turn": _local(_full_turn),
    "in parts": _local(_in_parts),
    "commuting neighbours": _reordered,
    "commutes with the observable": _unmeasured,
    "acts on zeros": _unprepared,
    "measured after H": _measured_after_hadamard,
}

#: Those that keep the unitary up to a global phase, not only what is measured.
UNITARY = tuple(
    name
    for name in RULES
    if name not in {"commutes with the observable", "acts on zeros", "measured after H"}
)
