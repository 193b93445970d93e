"""Exact identity of two neutral circuits, by evaluation over a random prime field.

Every angle is an integer combination of base angles (one for each monomial of the circuits'
angles); ``exp(i * base / 2)`` is a free point of the circle, and over a field with ``i`` the circle
is the multiplicative group: a random nonzero element ``z``. Multiples of pi are roots of unity,
which exist because the prime is chosen ``1`` modulo their order. The bra is evolved with conjugated
constants (``i -> -i``, ``z -> 1/z``), never by complex conjugation. Two outputs that differ as
polynomials agree at a random point with probability at most ``degree / p`` (Schwartz, J. ACM 27,
701 (1980)).

A constant of ``r`` radians is ``r`` times a formal unit angle: complete by Lindemann's theorem, as
``exp(i r)`` is transcendental for rational ``r != 0``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import sympy

from qrun_equiv.angle import Angle, Monomial, Symbol, simplest_rational
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.errors import UnsupportedCircuitError

_BITS = 62
_PI: Monomial = ((Symbol("pi"), 1),)
Matrix = list[list[int]]


def identical(first: Circuit, second: Circuit, *, trials: int = 2, seed: int = 0) -> bool:
    """Whether two circuits have the same outputs for all features and parameters.

    ``False`` is certain (up to the algebraic independence of the base angles); ``True`` is wrong
    with probability at most ``(degree / 2**61) ** trials``, the degree being twice the number of
    gates times the largest integer multiple of a base angle.

    Raises:
        UnsupportedCircuitError: a gate given by a matrix of floats has no exact form.
    """
    if first.n_outputs != second.n_outputs:
        return False
    gates = [*first.gates, *second.gates]
    rng = np.random.default_rng(seed)
    for _ in range(trials):
        point = _random_point(gates, rng)
        if evaluate(first, point) != evaluate(second, point):
            return False
    return True


@dataclass(frozen=True)
class Point:
    """A random prime field, and a random point of the circle for each base angle.

    Attributes:
        prime: the field's order.
        order: order of ``root``; multiples of ``2 pi / order`` are its powers.
        root: a primitive root of unity of that order.
        bases: for each monomial the denominator ``D`` and ``exp(i * monomial / D)``.
    """

    prime: int
    order: int
    root: int
    bases: Mapping[Monomial, tuple[int, int]] = field(default_factory=dict)

    def conjugate(self) -> Point:
        """The same point with every number on the circle inverted: the bra's constants."""
        flipped = {m: (d, pow(z, -1, self.prime)) for m, (d, z) in self.bases.items()}
        return Point(self.prime, self.order, pow(self.root, -1, self.prime), flipped)

    def turn(self, angle: Angle) -> int:
        """``exp(i * angle)`` in the field."""
        result = 1
        for monomial, coefficient in angle.terms:
            if monomial == _PI:
                power = coefficient * self.order / 2
                result = result * pow(self.root, int(power), self.prime) % self.prime
            else:
                denominator, z = self.bases[monomial]
                result = result * pow(z, int(coefficient * denominator), self.prime) % self.prime
        return result

    def unit(self, part: int) -> int:
        """``exp(2 pi i / part)``: ``part`` 4 is i, 8 is a square root of i."""
        return pow(self.root, self.order // part, self.prime)

    def number(self, value: Fraction) -> int:
        """A rational in the field."""
        return value.numerator * pow(value.denominator, -1, self.prime) % self.prime


def _random_point(gates: Sequence[Gate], rng: np.random.Generator) -> Point:
    denominators: dict[Monomial, int] = {}
    order = 8
    for gate in gates:
        for monomial, coefficient in gate.angle.terms if gate.angle is not None else ():
            quarter = (coefficient / 4).denominator  # controlled rotations use a quarter
            if monomial == _PI:
                order = math.lcm(order, 2 * quarter)
            else:
                denominators[monomial] = math.lcm(denominators.get(monomial, 1), quarter)
    prime = _random_prime(order, rng)
    bases = {m: (d, _random(rng, prime)) for m, d in denominators.items()}
    return Point(prime, order, _root_of_unity(prime, order, rng), bases)


def _random(rng: np.random.Generator, prime: int) -> int:
    return 1 + int.from_bytes(rng.bytes(16), "big") % (prime - 1)


def _random_prime(order: int, rng: np.random.Generator) -> int:
    bits = max(_BITS, order.bit_length() + _BITS // 2)  # room for many primes = 1 mod order
    low, high = 2 ** (bits - 1) // order, 2**bits // order
    while True:
        candidate = (low + int.from_bytes(rng.bytes(16), "big") % (high - low)) * order + 1
        if sympy.isprime(candidate):
            return int(candidate)


def _root_of_unity(prime: int, order: int, rng: np.random.Generator) -> int:
    factors = list(sympy.factorint(order))
    while True:
        root = pow(_random(rng, prime), (prime - 1) // order, prime)
        if all(pow(root, order // q, prime) != 1 for q in factors):
            return root


def evaluate(circuit: Circuit, point: Point) -> list[int]:
    """The circuit's outputs as elements of the field at a point."""
    ket = _evolve(circuit, point)
    bra = _evolve(circuit, point.conjugate())
    return [_expectation(o, bra, ket, point) for o in circuit.observables]


def _evolve(circuit: Circuit, point: Point) -> np.ndarray:
    state = np.zeros((2,) * circuit.n_wires, dtype=object)
    state[(0,) * circuit.n_wires] = 1
    for gate in circuit.gates:
        for wires, matrix in _matrices(gate, point):
            state = _apply(state, matrix, wires, point.prime)
    return state


def _apply(state: np.ndarray, matrix: Matrix, wires: tuple[int, ...], prime: int) -> np.ndarray:
    k = len(wires)
    moved = np.moveaxis(state, wires, range(k)).reshape(2**k, -1)
    rows = [
        sum((value * moved[j] for j, value in enumerate(row) if value), start=0 * moved[0]) % prime
        for row in matrix
    ]
    shape = (2,) * state.ndim
    return np.moveaxis(np.stack(rows).reshape(shape), range(k), wires)


def _matrices(gate: Gate, point: Point) -> list[tuple[tuple[int, ...], Matrix]]:
    """A gate as small matrices over the field, up to a global phase."""
    if gate.name == "Unitary":
        msg = "a gate given by a matrix of floats has no exact form; write it with named gates"
        raise UnsupportedCircuitError(msg)
    if gate.angle is None:
        return [(gate.wires, _fixed(gate.name, point))]
    if gate.name == "PauliRot":
        return [(gate.wires, _rotation(gate.word, gate.angle, point))]
    letter = "Z" if gate.name == "PhaseShift" else gate.name[-1]
    if GATES[gate.name].controlled:
        return [
            (gate.wires[1:], _rotation(letter, gate.angle * Fraction(1, 2), point)),
            (gate.wires, _rotation("Z" + letter, gate.angle * Fraction(-1, 2), point)),
        ]
    return [(gate.wires, _rotation(letter, gate.angle, point))]


def _pauli(letter: str, point: Point) -> Matrix:
    i, p = point.unit(4), point.prime
    return {
        "X": [[0, 1], [1, 0]],
        "Y": [[0, p - i], [i, 0]],
        "Z": [[1, 0], [0, p - 1]],
    }[letter]


def _kron(left: Matrix, right: Matrix, prime: int) -> Matrix:
    return [[a * b % prime for a in row for b in other] for row in left for other in right]


def _rotation(word: str, angle: Angle, point: Point) -> Matrix:
    """``cos(angle/2) - i sin(angle/2) P``."""
    p = point.prime
    z = point.turn(angle * Fraction(1, 2))
    inverse, half = pow(z, -1, p), pow(2, -1, p)
    cosine = (z + inverse) * half % p
    i_sine = (z - inverse) * half % p  # i sin, so no division by i is needed
    pauli: Matrix = [[1]]
    for letter in word:
        pauli = _kron(pauli, _pauli(letter, point), p)
    return [
        [((cosine if r == c else 0) - i_sine * value) % p for c, value in enumerate(row)]
        for r, row in enumerate(pauli)
    ]


def _fixed(name: str, point: Point) -> Matrix:
    p, i, eighth = point.prime, point.unit(4), point.unit(8)
    root_half = pow(eighth + pow(eighth, -1, p), -1, p)  # 1 / (2 cos(pi/4))
    table: dict[str, Matrix] = {
        "H": [[root_half, root_half], [root_half, p - root_half]],
        "S": [[1, 0], [0, i]],
        "T": [[1, 0], [0, eighth]],
        "CNOT": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]],
        "CZ": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, p - 1]],
        "SWAP": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    }
    return table[name] if name in table else _pauli(name, point)


def _expectation(observable: Observable, bra: np.ndarray, ket: np.ndarray, point: Point) -> int:
    total = 0
    for coefficient, word in observable.terms:
        moved = ket
        for wire, letter in word:
            moved = _apply(moved, _pauli(letter, point), (wire,), point.prime)
        overlap = int(np.sum(bra * moved)) % point.prime
        value = simplest_rational(coefficient)
        total = (total + point.number(value) * overlap) % point.prime
    return total
