"""Points of a random prime field at which ``x`` and ``exp(i arccos(x^k))`` fit together.

With ``a = arccos(x^k)`` in ``[0, pi]`` and ``|x| <= 1``, both of ::

    cos(a/2) = sqrt((1 + x^k) / 2),    sin(a/2) = sqrt((1 - x^k) / 2)

are non-negative. Over the rationals ``1 - x^k`` is the product of ``psi_d(x)`` over the divisors
``d`` of ``k``, and ``1 + x^k`` that over the divisors of ``2k`` which don't divide ``k``;
``psi_1 = 1 - x``, and ``psi_d`` is the cyclotomic polynomial for ``d > 1``. On (-1, 1) each is
positive. So every half angle is a product of the positive roots ``rho_d = sqrt(psi_d(x))``, which
several powers share: ``sin(arccos(x^2)/2) = sin(arccos x)/sqrt 2`` holds here because both contain
``rho_1 rho_2``, whatever signs the roots have in the field.

The ``psi_d`` have no common and no repeated zeros, over the complex numbers and modulo every prime
above ``2k``. So no product of some of them is a square, the roots generate an extension of degree
``2^n`` of the rational functions (``n`` roots), and a point of its curve has every combination of
signs. A nonzero polynomial in ``x`` and the roots has a nonzero norm, the product of its ``2^n``
conjugates: a polynomial of ``2^n`` times its degree. It vanishes at that many of the points ``x``
where all ``psi_d(x)`` are squares, and those are more than ``p / 2^(n+1)`` (Weil's bound; ``n`` is
at most :data:`MOST_ROOTS`, degrees are below 105 and the primes above ``2^60``). ``p`` is at least
eight times the subgroup, so ``degree 2^(2n) / r`` bounds the probability, for several features the
product of the ``2^n``, once more the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import sympy
from sympy.ntheory import sqrt_mod

from qrun_equiv.errors import FormalError

#: Square roots of one feature; a point takes ``2**MOST_ROOTS`` tries.
MOST_ROOTS = 8
#: Up to here the cyclotomic polynomials of order ``2k`` have coefficients -1, 0 and 1 only.
MOST_POWER = 52


@dataclass(frozen=True, slots=True)
class Point:
    """A random point of one feature's curve.

    Attributes:
        x: the feature.
        halves: ``exp(i arccos(x^k) / 2)`` by ``k``.
        roots: number of square roots.
        bits: by which one factor ``exp(i arccos(x^k) / 2)`` raises the height of a coefficient.
    """

    x: int
    halves: dict[int, int]
    roots: int
    bits: float


def draw(
    powers: Iterable[int], prime: int, i: int, root_two: int, below: Callable[[int], int]
) -> Point:
    """A random point at which all the powers' half angles exist.

    Args:
        powers: the ``k`` that occur.
        prime: order of the field.
        i: its imaginary unit.
        root_two: its square root of 2.
        below: a random integer below a bound.

    Raises:
        FormalError: a power above :data:`MOST_POWER`, or more than :data:`MOST_ROOTS` square roots.
    """
    powers = sorted(set(powers))
    divisors = sorted({d for k in powers for d in sympy.divisors(2 * k)})
    if powers[-1] > MOST_POWER or len(divisors) > MOST_ROOTS:
        msg = f"too many square roots for exact arithmetic: arccos of the powers {powers} of x"
        raise FormalError(msg)
    while True:
        x = below(prime)
        squares = {d: _psi(d, x, prime) for d in divisors}
        if all(pow(s, (prime - 1) // 2, prime) == 1 for s in squares.values()):
            break
    signs = (1 - 2 * below(2) for _ in divisors)
    roots = {d: s * int(sqrt_mod(squares[d], prime)) for d, s in zip(divisors, signs, strict=True)}
    scale = pow(root_two, -1, prime)
    halves = {}
    for k in powers:
        cosine = math.prod(roots[d] for d in sympy.divisors(2 * k) if k % d)
        sine = math.prod(roots[d] for d in sympy.divisors(k))
        halves[k] = (cosine + i * sine) * scale % prime
    # A factor is a sum of two products of roots over sqrt 2; a root that was there already turns
    # the product into psi_d, whose at most phi(d) + 1 coefficients are 1 or -1.
    bits = 2.0 + sum(math.log2(int(sympy.totient(d)) + 1) for d in divisors)
    return Point(x, halves, len(divisors), bits)


def _psi(d: int, x: int, prime: int) -> int:
    value = 0
    for coefficient in _coefficients(d):
        value = (value * x + coefficient) % prime
    return value


@cache
def _coefficients(d: int) -> tuple[int, ...]:
    """Of ``psi_d``, the highest power first."""
    if d == 1:
        return -1, 1
    t = sympy.Symbol("t")
    return tuple(int(c) for c in sympy.Poly(sympy.cyclotomic_poly(d, t), t).all_coeffs())
