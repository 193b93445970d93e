"""Circuits over random prime fields: their outputs as exact numbers, and identity of two circuits.

The state vector is evolved over the field of :mod:`qrun_equiv.field`, the bra with conjugated
constants (``i -> -i``, ``z -> 1/z``), never by complex conjugation. :mod:`qrun_equiv.proving` does
the same with a torch counterpart on the other side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from qrun_equiv.angle import Angle, Symbol, read_constant, root_two_multiple
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.errors import FormalError, UnsupportedCircuitError
from qrun_equiv.field import BITS, Field, NeedsRootError

Matrix = list[list[int]]
T = TypeVar("T")

#: Independent primes and points of one identity test.
TRIALS = 2
#: The error probability that one trial must reach; larger fields are drawn until it does.
PER_TRIAL = 2.0**-40
# Bits by which one gate can raise the largest coefficient (numerator, denominator and a sum).
_BITS_A_GATE = 6
# Roots of unity of larger order make the primes large and slow to find.
_MOST_ORDER_BITS = 256


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity test found.

    Attributes:
        equal: whether the two sides are one function. ``False`` is certain.
        error: if ``equal``, the probability that they differ nevertheless, at most.
        trials: independent primes and points.
        bits: size of the fields' subgroups.
        output: index of an output that differs.
        fixed: whether it is about given parameters only.
    """

    equal: bool
    error: float
    trials: int
    bits: int
    output: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """One evaluation of both sides in a field.

    Attributes:
        differs: index of an output that differs, ``None`` where all agree.
        atoms: degree of the difference in cosines, sines and symbols.
        height: bits of its largest coefficient.
    """

    differs: int | None
    atoms: int
    height: float


def decide(
    trial: Callable[[Field], Outcome], *, trials: int = TRIALS, seed: int | None = 0
) -> Identity:
    """Run a comparison in random fields until its error probability is small enough.

    Theorem: proofs/coq/SchwartzZippel.v, schwartz_zippel_prime_field.

    Args:
        trial: evaluates both sides in a field.
        trials: independent fields.
        seed: of the fields; ``None`` for fresh entropy.
    """
    rng = np.random.default_rng(seed)
    order, bits, error = 8, BITS, 1.0
    done = 0
    while done < trials:
        drawn = Field.random(rng, order=order, bits=bits)
        try:
            outcome = trial(drawn)
        except NeedsRootError as missing:
            order = missing.order
            if order.bit_length() > _MOST_ORDER_BITS:
                msg = "too many unrelated fractions of pi for exact arithmetic"
                raise FormalError(msg) from None
            continue
        if outcome.differs is not None:
            return Identity(False, 1.0, done + 1, bits, outcome.differs)
        chance = drawn.error(outcome.atoms, outcome.height)
        if chance > PER_TRIAL:  # many unrelated scales or a deep circuit: a larger field
            bits += 1 + max(8, math.ceil(math.log2(max(chance, 2.0**-60) / PER_TRIAL)))
            if chance >= 1.0:
                bits *= 2
            done, error = 0, 1.0
            continue
        error *= chance
        done += 1
    return Identity(True, error, trials, bits)


def compare(first: Circuit, second: Circuit, *, seed: int | None = 0) -> Identity:
    """Whether two circuits have the same outputs for all features and parameters.

    Raises:
        UnsupportedCircuitError: a gate given by a matrix of floats has no exact form, or they have
            different numbers of outputs.
        FormalError: the angles are too many unrelated fractions of pi.
    """
    if first.n_outputs != second.n_outputs:
        msg = f"the circuits have {first.n_outputs} and {second.n_outputs} outputs"
        raise UnsupportedCircuitError(msg)

    def trial(drawn: Field) -> Outcome:
        drawn.arcs(arcs(first, second))
        left, right = evaluate(first, drawn), evaluate(second, drawn)
        differs = next((k for k, pair in enumerate(zip(left, right, strict=True))
                        if pair[0] != pair[1]), None)  # fmt: skip
        atoms = max(degree(first), degree(second))
        return Outcome(differs, atoms, height(first) + height(second) + 1.0)

    return decide(trial, seed=seed)


def identical(first: Circuit, second: Circuit, *, seed: int | None = 0) -> bool:
    """:func:`compare` as a yes or no; circuits with other numbers of outputs are different."""
    return first.n_outputs == second.n_outputs and compare(first, second, seed=seed).equal


def arcs(*circuits: Circuit) -> frozenset[Symbol]:
    """All ``arccos(x_j^k)`` of the circuits: a field needs them first (:meth:`Field.arcs`)."""
    angles = [g.angle for circuit in circuits for g in circuit.gates if g.angle is not None]
    return frozenset(arc for angle in angles for arc in angle.arcs())


def degree(circuit: Circuit) -> int:
    """Degree of the outputs in ``exp(i angle/2)`` of the gates: bra and ket, two for a control.

    And in pi, of which an observable's coefficient may have the power 2.
    """
    gates = sum(2 if GATES[g.name].controlled else 1 for g in circuit.gates if g.angle is not None)
    return 2 * gates + 2


def height(circuit: Circuit) -> float:
    """Bits of the outputs' largest coefficient, denominators cleared, at most."""
    terms = [c for o in circuit.observables for c, _ in o.terms]
    weights = sum(_size(read_constant(c)) for c in terms)
    return 2.0 * _BITS_A_GATE * len(circuit.gates) + circuit.n_wires + weights + 1.0


def _size(angle: Angle) -> float:
    return sum(
        1.0 + q.denominator.bit_length() + abs(q.numerator).bit_length() for _, q in angle.terms
    )


def evaluate(circuit: Circuit, drawn: Field) -> list[int]:
    """The circuit's outputs as elements of a field.

    Raises:
        UnsupportedCircuitError: a gate is given by a matrix of floats.
        NeedsRootError: an angle is a multiple of pi outside the field's roots of unity.
    """
    ket = _evolve(circuit, drawn)
    bra = _evolve(circuit, drawn.conjugate())
    return [_expectation(o, bra, ket, drawn) for o in circuit.observables]


def replace(circuit: Circuit, theta: Sequence[float]) -> Circuit:
    """The circuit at given parameters, each read as an exact constant."""
    mapping = {Symbol("theta", k): read_constant(float(v)) for k, v in enumerate(theta)}
    gates = tuple(
        g if g.angle is None else Gate(g.name, g.wires, g.angle.replace(mapping), g.word, g.matrix)
        for g in circuit.gates
    )
    return Circuit(circuit.n_wires, gates, circuit.observables, circuit.n_features, 0)


def _evolve(circuit: Circuit, drawn: Field) -> np.ndarray:
    state = np.zeros((2,) * circuit.n_wires, dtype=object)
    state[(0,) * circuit.n_wires] = 1
    for gate in circuit.gates:
        for wires, matrix in _matrices(gate, drawn):
            state = _apply(state, matrix, wires, drawn.prime)
    return state


def _apply(state: np.ndarray, matrix: Matrix, wires: tuple[int, ...], prime: int) -> np.ndarray:
    k = len(wires)
    moved = np.moveaxis(state, wires, range(k)).reshape(2**k, -1)
    rows = [_row(row, moved, prime) for row in matrix]
    shape = (2,) * state.ndim
    return np.moveaxis(np.stack(rows).reshape(shape), range(k), wires)


def _row(row: Sequence[int], moved: np.ndarray, prime: int) -> np.ndarray:
    entries = [(value, moved[j]) for j, value in enumerate(row) if value]
    if len(entries) == 1 and entries[0][0] == 1:
        return np.asarray(entries[0][1])
    return np.asarray(sum(value * part for value, part in entries) % prime)


def _matrices(gate: Gate, drawn: Field) -> list[tuple[tuple[int, ...], Matrix]]:
    """A gate as small matrices over the field, up to a global phase."""
    if gate.name == "Unitary":
        msg = "a gate given by a matrix of floats has no exact form; write it with named gates"
        raise UnsupportedCircuitError(msg)
    if gate.angle is None:
        return [(gate.wires, _fixed(gate.name, drawn))]
    if gate.name == "PauliRot":
        return [(gate.wires, _rotation(gate.word, gate.angle, drawn))]
    letter = "Z" if gate.name == "PhaseShift" else gate.name[-1]
    if GATES[gate.name].controlled:
        return [
            (gate.wires[1:], _rotation(letter, gate.angle * Fraction(1, 2), drawn)),
            (gate.wires, _rotation("Z" + letter, gate.angle * Fraction(-1, 2), drawn)),
        ]
    return [(gate.wires, _rotation(letter, gate.angle, drawn))]


def _pauli(letter: str, drawn: Field) -> Matrix:
    i, p = drawn.i, drawn.prime
    return {
        "X": [[0, 1], [1, 0]],
        "Y": [[0, p - i], [i, 0]],
        "Z": [[1, 0], [0, p - 1]],
    }[letter]


def _kron(left: Matrix, right: Matrix, prime: int) -> Matrix:
    return [[a * b % prime for a in row for b in other] for row in left for other in right]


def _rotation(word: str, angle: Angle, drawn: Field) -> Matrix:
    """``cos(angle/2) - i sin(angle/2) P``."""
    p = drawn.prime
    z = drawn.turn(angle * Fraction(1, 2))
    inverse, half = pow(z, -1, p), (p + 1) // 2
    cosine = (z + inverse) * half % p
    i_sine = (z - inverse) * half % p  # i sin, so no division by i is needed
    pauli: Matrix = [[1]]
    for letter in word:
        pauli = _kron(pauli, _pauli(letter, drawn), p)
    return [
        [((cosine if r == c else 0) - i_sine * value) % p for c, value in enumerate(row)]
        for r, row in enumerate(pauli)
    ]


def _fixed(name: str, drawn: Field) -> Matrix:
    p = drawn.prime
    if name == "H":
        root_half = pow(drawn.root_two, -1, p)
        return [[root_half, root_half], [root_half, p - root_half]]
    if name == "T":
        return [[1, 0], [0, drawn.root_of_unity(Fraction(1, 4))]]
    table: dict[str, Matrix] = {
        "S": [[1, 0], [0, drawn.i]],
        "CNOT": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]],
        "CZ": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, p - 1]],
        "SWAP": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    }
    return table[name] if name in table else _pauli(name, drawn)


def _expectation(observable: Observable, bra: np.ndarray, ket: np.ndarray, drawn: Field) -> int:
    total = 0
    for coefficient, word in observable.terms:
        moved = ket
        for wire, letter in word:
            moved = _apply(moved, _pauli(letter, drawn), (wire,), drawn.prime)
        overlap = int(np.sum(bra * moved)) % drawn.prime
        total += constant(coefficient, drawn) * overlap
    return total % drawn.prime


def constant(value: float, drawn: Field) -> int:
    """A float used as a number: the simplest rational, multiple of pi or of sqrt 2 it may be."""
    root = root_two_multiple(value)
    if root is not None:
        return drawn.number(root) * drawn.root_two % drawn.prime
    return drawn.value(read_constant(value))
