"""Observables evolved backwards through a circuit, as sums of Pauli words (Heisenberg picture).

For a word ``Q`` that anticommutes with ``P``, and ``P Q = j R`` with ``j = +-i``,

    Q  ->  exp(+i a)/2 (Q + j R)  +  exp(-i a)/2 (Q - j R)      under exp(-i a P / 2).

A :class:`Plan` lists which words mix at which gate, for coefficients of any kind. Words that never
arise (what lies outside the light cone) cost nothing, quarter turns (Clifford gates) only rename.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.angle import PI, Angle, Symbol
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable, Word
from qrun_equiv.errors import SpectrumError
from qrun_equiv.spectra.keys import Keys

# Words times frequencies: beyond this the arrays are refused.
_MOST_ENTRIES = 2**24

# Gates without an angle as Pauli rotations by multiples of pi, up to a global phase.
_FIXED: dict[str, tuple[tuple[str, Fraction], ...]] = {
    "X": (("X", Fraction(1)),),
    "Y": (("Y", Fraction(1)),),
    "Z": (("Z", Fraction(1)),),
    "S": (("Z", Fraction(1, 2)),),
    "T": (("Z", Fraction(1, 4)),),
    "H": (("Z", Fraction(1, 2)), ("X", Fraction(1, 2)), ("Z", Fraction(1, 2))),
    "CNOT": (("ZI", Fraction(1, 2)), ("IX", Fraction(1, 2)), ("ZX", Fraction(-1, 2))),
    "CZ": (("ZI", Fraction(1, 2)), ("IZ", Fraction(1, 2)), ("ZZ", Fraction(-1, 2))),
    "SWAP": (("XX", Fraction(1, 2)), ("YY", Fraction(1, 2)), ("ZZ", Fraction(1, 2))),
}

#: A Pauli word as two bit masks: where it has X or Y, and where it has Z or Y.
Masks = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Turn:
    """``exp(-i a P / 2)`` with ``a = slope . x + offset``: one rotation of the circuit.

    Attributes:
        pauli: the word ``P``.
        step: key of the slope in the chosen features, 0 where it depends on none.
        offset: the rest of the angle, in radians.
    """

    pauli: Masks
    step: int
    offset: Angle


@dataclass(frozen=True, slots=True)
class Move:
    """What a :class:`Turn` does to the rows of one observable: it mixes pairs of words.

    Attributes:
        turn: the rotation.
        first, second: rows of the words ``Q`` and ``R`` of each pair.
        sign: int64 ``[pairs, 1]``: ``P Q = i sign R``, the rows' own signs included.
    """

    turn: Turn
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    sign: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """The backward evolution of one observable.

    Attributes:
        rows: number of words that arise.
        start: row and coefficient of each term of the observable.
        moves: in the order in which they apply.
        finish: rows and signs of the words whose value in ``|0...0>`` is 1.
    """

    rows: int
    start: tuple[tuple[int, float], ...]
    moves: tuple[Move, ...]
    finish: tuple[NDArray[np.intp], NDArray[np.int64]]


def rotations(circuit: Circuit, features: Sequence[int], space: Keys) -> list[Turn]:
    """The circuit as Pauli rotations in order of time, up to a global phase.

    Raises:
        SpectrumError: a gate is given by a matrix of floats.
    """
    split: dict[Angle, tuple[int, Angle]] = {}
    result = []
    for gate in circuit.gates:
        for word, angle in words(gate):
            if angle not in split:
                split[angle] = _split(angle, features, space)
            pauli = masks(tuple(zip(gate.wires, word, strict=True)))
            result.append(Turn(pauli, *split[angle]))
    return result


def words(gate: Gate) -> list[tuple[str, Angle]]:
    """A gate as commuting or successive Pauli rotations: words over its wires, and angles.

    Raises:
        SpectrumError: the gate is given by a matrix of floats.
    """
    if gate.angle is None:
        if gate.name not in _FIXED:
            msg = (
                f"{gate.name} on wires {gate.wires} is given by a matrix of floats, so it can't be "
                "decided exactly which coefficients vanish; write it with named gates, or use "
                "fourier.accessible for the accessible frequencies alone"
            )
            raise SpectrumError(msg)
        return [(word, PI * turn) for word, turn in _FIXED[gate.name]]
    if gate.name == "PauliRot":
        return [(gate.word, gate.angle)]
    letter = "Z" if gate.name == "PhaseShift" else gate.name[-1]
    if GATES[gate.name].controlled:
        half = gate.angle * Fraction(1, 2)
        return [("I" + letter, half), ("Z" + letter, -half)]
    return [(letter, gate.angle)]


def masks(word: Word) -> Masks:
    """Bit masks of a Pauli word."""
    x = sum(1 << wire for wire, letter in word if letter in "XY")
    z = sum(1 << wire for wire, letter in word if letter in "YZ")
    return x, z


def _split(angle: Angle, features: Sequence[int], space: Keys) -> tuple[int, Angle]:
    """Key of an angle's slope in the chosen features, and the angle where they are 0."""
    chosen = [Symbol("x", i) for i in features]
    if not angle.symbols() & set(chosen):
        return 0, angle
    slope = tuple(angle.derivative(symbol) for symbol in chosen)
    return space.key(slope), angle.replace(dict.fromkeys(chosen, Angle()))


def plan(turns: Sequence[Turn], observable: Observable, columns: int) -> Plan:
    """The backward evolution of an observable; ``columns`` is the number of frequencies.

    Theorem: proofs/coq/Multilinear.v, part_commuting, part_anticommuting.

    Raises:
        SpectrumError: words times frequencies are too many for memory.
    """
    terms = [(c, masks(word)) for c, word in observable.terms]
    rows = [word for _, word in terms]
    index = {word: row for row, word in enumerate(rows)}
    signs = [1] * len(rows)
    moves = []
    for turn in reversed(turns):
        touched = [row for row, word in enumerate(rows) if _anticommute(turn.pauli, word)]
        quarters = _quarters(turn)
        if quarters is None and touched:
            moves.append(_mix(turn, touched, rows, index, signs))
        elif quarters is not None:
            _relabel(turn.pauli, quarters, touched, rows, index, signs)
        if len(rows) * (columns + 1) > _MOST_ENTRIES:
            msg = (
                f"{len(rows):,} Pauli words or more times {columns:,} frequencies are too many to "
                f"decide which coefficients vanish (at most {_MOST_ENTRIES:,} numbers are held); "
                "choose fewer features or outputs"
            )
            raise SpectrumError(msg)
    last = [row for row, (x, _) in enumerate(rows) if not x]
    finish = (np.array(last, dtype=np.intp), np.array([signs[r] for r in last], dtype=np.int64))
    start = tuple((row, c) for row, (c, _) in enumerate(terms))
    return Plan(len(rows), start, tuple(moves), finish)


def _quarters(turn: Turn) -> int | None:
    """How often the turn's angle contains a quarter turn, where it is a whole number of them."""
    quarters = (turn.offset * 2).terms
    if turn.step or len(quarters) > 1 or (quarters and quarters[0][0] != PI.terms[0][0]):
        return None
    times = quarters[0][1] if quarters else Fraction(0)
    return int(times) % 4 if times.denominator == 1 else None


def _relabel(
    pauli: Masks, quarters: int, touched: list[int], rows: list[Masks], index: dict[Masks, int],
    signs: list[int],
) -> None:  # fmt: skip
    """Quarter turns only rename words: ``Q -> cos a Q + i sin a P Q``."""
    for row in touched:
        old = rows[row]
        if quarters % 2:
            sign, rows[row] = _product(pauli, old)  # i P Q = -sign R
            signs[row] *= -sign if quarters == 1 else sign
        elif quarters == 2:
            signs[row] = -signs[row]
    if quarters % 2:  # words that anticommute with P are renamed among themselves
        index.clear()
        index.update({word: row for row, word in enumerate(rows)})


def _mix(
    turn: Turn, touched: list[int], rows: list[Masks], index: dict[Masks, int], signs: list[int]
) -> Move:
    pairs = []
    done: set[int] = set()
    for row in touched:
        if row in done:
            continue
        sign, partner = _product(turn.pauli, rows[row])
        if partner not in index:
            index[partner] = len(rows)
            rows.append(partner)
            signs.append(1)
        other = index[partner]
        done.add(other)
        pairs.append((row, other, sign * signs[row] * signs[other]))
    first, second, sign_of = (np.array(column) for column in zip(*pairs, strict=True))
    return Move(turn, first, second, sign_of[:, None].astype(np.int64))


def _anticommute(p: Masks, q: Masks) -> bool:
    return bool(((p[0] & q[1]).bit_count() + (p[1] & q[0]).bit_count()) % 2)


def _product(p: Masks, q: Masks) -> tuple[int, Masks]:
    """``P Q = i sign R`` of anticommuting words; a word is ``i^|x & z| X^x Z^z``."""
    r = (p[0] ^ q[0], p[1] ^ q[1])
    power = sum((x & z).bit_count() for x, z in (p, q)) - (r[0] & r[1]).bit_count()
    power += 2 * (p[1] & q[0]).bit_count()
    return 1 if power % 4 == 1 else -1, r
