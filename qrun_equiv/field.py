"""Random prime fields in which features, parameters and constants are formal.

``exp(i m)`` of a monomial ``m`` (a feature, a parameter, a product of them, one radian) is a free
point of the circle; over a field that contains ``i`` the circle is a multiplicative group, so each
monomial gets a random element ``z`` of a subgroup of prime order ``r``. There ``z**q`` exists for
every rational ``q`` (its denominator is invertible modulo ``r``), so half angles and ``x/3`` need
no preparation. Multiples of pi are roots of unity, which exist because the prime is chosen ``1``
modulo their order. A constant of ``q`` radians is ``q`` times a formal unit angle: complete by
Lindemann's theorem, as ``exp(i q)`` is transcendental for rational ``q != 0``.
``exp(i arccos(x^k))`` is algebraic over ``x``: such features are drawn first (:meth:`Field.arcs`).

The error probability of a test is accounted for here (:meth:`Field.error`). Two sides that differ
as polynomials agree at a random point with probability at most ``degree / r`` (Schwartz, J. ACM 27,
701 (1980)). A nonzero algebraic coefficient of height ``h`` bits vanishes modulo at most
``h phi(n) / bits`` of the primes that are drawn from, ``n`` the order of the roots of unity.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import sympy

from qrun_equiv import field_arcs
from qrun_equiv.angle import Angle, Monomial, Symbol
from qrun_equiv.errors import FormalError

#: Bits of the smallest subgroup that is drawn.
BITS = 62
_PI: Monomial = ((Symbol("pi"), 1),)


class NeedsRootError(Exception):
    """A multiple of pi whose root of unity this field lacks; carries the order that would do."""

    def __init__(self, order: int) -> None:
        super().__init__(f"roots of unity of order {order}")
        self.order = order


@dataclass
class Usage:
    """What a field's random points were used for: the largest exponents, for the degree bound.

    Attributes:
        denominators: for each monomial the common denominator of its multiples.
        multiples: for each monomial the largest multiple in absolute value.
        roots: of each feature inside an arccos, the square roots that its point took.
        root_bits: bits by which one factor of the degree can raise a coefficient with those.
    """

    denominators: dict[Monomial, int] = field(default_factory=dict)
    multiples: dict[Monomial, Fraction] = field(default_factory=dict)
    roots: list[int] = field(default_factory=list)
    root_bits: float = 0.0

    def note(self, monomial: Monomial, multiple: Fraction) -> None:
        """Record ``exp(i multiple * monomial)``."""
        old = self.denominators.get(monomial, 1)
        self.denominators[monomial] = math.lcm(old, multiple.denominator)
        size = abs(multiple)
        if size > self.multiples.get(monomial, 0):
            self.multiples[monomial] = size

    def degree(self) -> int:
        """Degree of one ``exp(i angle)``, all monomials together, denominators cleared."""
        return sum(math.ceil(self.multiples[m] * d) for m, d in self.denominators.items())


@dataclass
class Field:
    """One random prime field and one random point for every monomial and symbol.

    Attributes:
        prime: order of the field.
        subgroup: prime order ``r`` of the subgroup that points are drawn from.
        generator: generates that subgroup.
        order: order of ``root``: angles ``2 pi / order`` are its powers.
        root: a primitive root of unity.
        bits: size of ``subgroup``.
        sign: 1, or -1 in the conjugate field, where every point of the circle is inverted.
    """

    prime: int
    subgroup: int
    generator: int
    order: int
    root: int
    bits: int
    rng: np.random.Generator
    sign: int = 1
    usage: Usage = field(default_factory=Usage)
    _logs: dict[Monomial, int] = field(default_factory=dict)
    _numbers: dict[Symbol, int] = field(default_factory=dict)
    _halves: dict[Monomial, int] = field(default_factory=dict)

    @staticmethod
    def random(rng: np.random.Generator, *, order: int = 8, bits: int = BITS) -> Field:
        """A random field with roots of unity of the given order (a multiple of 8).

        ``subgroup`` is a random prime of ``bits`` bits, ``prime`` the first prime ``1 mod
        order * subgroup``, which belongs to no other subgroup of that size.
        """
        order = math.lcm(order, 8)
        low = 1 << (bits - 1)
        while True:
            subgroup = low + _below(rng, low)
            if sympy.isprime(subgroup) and order % subgroup:
                break
        step = order * subgroup
        prime = step + 1
        while not sympy.isprime(prime):
            prime += step
        root = _of_order(rng, prime, order)
        while (generator := pow(_unit(rng, prime), (prime - 1) // subgroup, prime)) == 1:
            pass
        return Field(prime, subgroup, generator, order, root, bits, rng)

    def conjugate(self) -> Field:
        """The same points with every number on the circle inverted: the bra's constants."""
        return Field(
            self.prime, self.subgroup, self.generator, self.order, self.root, self.bits, self.rng,
            -self.sign, self.usage, self._logs, self._numbers, self._halves,
        )  # fmt: skip

    def arcs(self, symbols: Iterable[Symbol]) -> None:
        """Draw the features inside the given ``arccos(x_j^k)`` before anything else is drawn.

        Where a feature occurs as ``arccos(x_j)`` only, ``z = exp(i arccos x_j)`` is a free point of
        the circle like any other, and ``x_j = (z + 1/z) / 2``. Else ``x_j`` is drawn such that the
        half angles exist (:mod:`qrun_equiv.field_arcs`), and other fractions are refused. Either
        way ``x_j`` stands for a feature in [-1, 1].

        Raises:
            FormalError: too many powers of one feature.
        """
        assert not self._numbers
        assert not self._logs
        assert self.sign == 1
        powers: dict[int, set[int]] = {}
        for symbol in sorted(symbols):
            powers.setdefault(symbol.index, set()).add(symbol.power)
            # The degree of cos and sin in z or x, of which x itself has 1.
            self.usage.note(((symbol, 1),), Fraction(symbol.power))
        for index, found in powers.items():
            if found == {1}:
                one: Monomial = ((Symbol("acos", index), 1),)
                self._logs[one] = 1 + _below(self.rng, self.subgroup - 1)
                z = pow(self.generator, self._logs[one], self.prime)
                x = (z + pow(z, -1, self.prime)) * (self.prime + 1) // 2 % self.prime
                self.usage.root_bits += 2.0  # two terms over 2
            else:
                point = field_arcs.draw(
                    found, self.prime, self.i, self.root_two, lambda n: _below(self.rng, n)
                )
                for k, half in point.halves.items():
                    self._halves[((Symbol("acos", index, k), 1),)] = half
                x = point.x
                self.usage.roots.append(point.roots)
                self.usage.root_bits += point.bits
            self._numbers[Symbol("x", index)] = x

    def has_arc(self, symbol: Symbol) -> bool:
        """Whether an ``arccos(x_j^k)`` was drawn by :meth:`arcs`."""
        return ((symbol, 1),) in self._halves or ((symbol, 1),) in self._logs

    def turn(self, angle: Angle) -> int:
        """``exp(i * angle)``.

        Raises:
            NeedsRootError: a multiple of pi outside this field's roots of unity.
            FormalError: an arccos that :meth:`arcs` was not asked for, or a fraction of it that
                this field lacks.
        """
        exponent, result = 0, 1
        for monomial, multiple in angle.terms:
            if monomial == _PI:
                result = result * self.root_of_unity(multiple) % self.prime
                continue
            if _is_arc(monomial) and monomial not in self._logs:
                result = result * self._arc(monomial, multiple) % self.prime
                continue
            self.usage.note(monomial, multiple)
            if monomial not in self._logs:
                self._logs[monomial] = 1 + _below(self.rng, self.subgroup - 1)
            inverse = pow(multiple.denominator, -1, self.subgroup)
            exponent += self._logs[monomial] * multiple.numerator * inverse
        if exponent:
            exponent = self.sign * exponent % self.subgroup
            result = result * pow(self.generator, exponent, self.prime) % self.prime
        return result

    def _arc(self, monomial: Monomial, multiple: Fraction) -> int:
        arc = monomial[0][0]
        if monomial not in self._halves:
            msg = f"{arc} on one side only: exact arithmetic needs it in a gate of the circuit"
            raise FormalError(msg)
        exponent = 2 * multiple
        if exponent.denominator != 1:
            msg = f"exp(i {multiple} {arc}): exact arithmetic has whole multiples of {arc}/2 only"
            raise FormalError(msg)
        self.usage.note(monomial, multiple * arc.power)
        return pow(self._halves[monomial], self.sign * int(exponent), self.prime)

    def root_of_unity(self, half_turns: Fraction) -> int:
        """``exp(i pi * half_turns)``."""
        power = half_turns * self.order / 2
        if power.denominator != 1:
            raise NeedsRootError(math.lcm(self.order, 2 * half_turns.denominator))
        return pow(self.root, self.sign * int(power) % self.order, self.prime)

    def number(self, value: Fraction) -> int:
        """A rational."""
        return value.numerator * pow(value.denominator, -1, self.prime) % self.prime

    def value(self, polynomial: Angle) -> int:
        """The polynomial itself as a number: every symbol (pi too) is a random element."""
        total = 0
        for monomial, coefficient in polynomial.terms:
            term = self.number(coefficient)
            for symbol, power in monomial:
                if symbol not in self._numbers:
                    self._numbers[symbol] = _below(self.rng, self.prime)
                term = term * pow(self._numbers[symbol], power, self.prime) % self.prime
            total += term
        return total % self.prime

    @property
    def i(self) -> int:
        """The imaginary unit."""
        return self.root_of_unity(Fraction(1, 2))

    @property
    def root_two(self) -> int:
        """The square root of 2, ``2 cos(pi/4)``."""
        eighth = self.root_of_unity(Fraction(1, 4))
        return (eighth + pow(eighth, -1, self.prime)) % self.prime

    def error(self, atoms: int, height: float) -> float:
        """Probability that sides which differ agree here, at most.

        Theorem: proofs/coq/SchwartzZippel.v, schwartz_zippel_prime_field.

        Args:
            atoms: degree of the difference in cosines, sines and symbols.
            height: bits of its largest coefficient, denominators cleared.
        """
        # Cosines and 1/pi are Laurent polynomials: exponents of both signs, cleared at the end.
        degree = 2 * atoms * (self.usage.degree() + 1)
        height += degree * self.usage.root_bits
        roots = self.usage.roots
        cover = 1 << (sum(roots) + max(roots, default=0))  # see qrun_equiv.field_arcs
        bad = degree * cover + 2 * math.ceil(height) * int(sympy.totient(self.order))
        return min(1.0, float(Fraction(bad, 1 << (self.bits - 1))))


def _is_arc(monomial: Monomial) -> bool:
    return len(monomial) == 1 and monomial[0][0].kind == "acos" and monomial[0][1] == 1


def _below(rng: np.random.Generator, bound: int) -> int:
    """A random integer below a bound of any size (bias below 2**-64)."""
    return int.from_bytes(rng.bytes((bound.bit_length() + 71) // 8), "big") % bound


def _unit(rng: np.random.Generator, prime: int) -> int:
    return 1 + _below(rng, prime - 1)


def _of_order(rng: np.random.Generator, prime: int, order: int) -> int:
    factors = list(sympy.factorint(order))
    while True:
        root = pow(_unit(rng, prime), (prime - 1) // order, prime)
        if all(pow(root, order // q, prime) != 1 for q in factors):
            return root
