"""Object arrays of polynomials (:class:`~qrun_equiv.angle.Angle`), entry by entry.

``None`` stands where an entry is no polynomial: what it is combined with is none either, but for a
product with zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.angle import Angle, Monomial, Symbol

Objects = NDArray[Any]
#: Products of longer polynomials are kept as field elements only.
_MOST_TERMS = 4096


class Polynomials:
    """Lazily computed polynomials of an array; ``None`` entries are no polynomials."""

    def __init__(self, make: Callable[[], Objects]) -> None:
        self._make = make
        self._made: Objects | None = None

    def get(self) -> Objects:
        """The polynomials, computed now if they were not before."""
        if self._made is None:
            self._made = self._make()
        return self._made


def array(value: Any) -> Objects:
    """A numpy object array, also where numpy returned a bare entry."""
    if isinstance(value, np.ndarray):
        return value
    single = np.empty((), dtype=object)
    single[()] = value
    return single


def total_degree(polynomial: Angle) -> int:
    """Total degree in all symbols, pi among them."""
    return max((sum(power for _, power in m) for m, _ in polynomial.terms), default=0)


def split_sine(polynomial: Angle | None) -> tuple[Angle | None, Symbol | None]:
    """``(q, arccos(x_j^k))`` of ``q (1 - x_j^(2k))``, which is ``q sin(..)^2``; else itself."""
    if polynomial is not None and len(polynomial.terms) == 2:
        ((one, q), (monomial, other)) = sorted(polynomial.terms)
        if not one and q == -other and len(monomial) == 1:
            ((symbol, power),) = monomial
            if symbol.kind == "x" and power % 2 == 0:
                return Angle.constant(q), Symbol("acos", symbol.index, power // 2)
    return polynomial, None


def square_root(polynomial: Angle | None) -> tuple[Fraction | None, bool]:
    """``(q, twice)`` where the constant is ``q**2`` or ``2 q**2``; ``(None, False)`` otherwise."""
    if polynomial is None or any(m for m, _ in polynomial.terms):
        return None, False
    value = polynomial.terms[0][1] if polynomial.terms else Fraction(0)
    for twice, square in ((False, value), (True, value / 2)):
        if square >= 0:
            top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
            if top * top == square.numerator and bottom * bottom == square.denominator:
                return Fraction(top, bottom), twice
    return None, False


def plus(a: Angle | None, b: Angle | None) -> Angle | None:
    """``a + b``."""
    return None if a is None or b is None else a + b


def times(a: Angle | None, b: Angle | None) -> Angle | None:
    """``a * b``."""
    if (a is not None and not a.terms) or (b is not None and not b.terms):
        return Angle()
    if a is None or b is None or len(a.terms) * len(b.terms) > _MOST_TERMS:
        return None
    for scale, other in ((a, b), (b, a)):  # a weight times features: by far the most frequent
        if len(scale.terms) == 1 and not scale.terms[0][0]:
            q = scale.terms[0][1]
            return other if q == 1 else Angle(tuple((m, c * q) for m, c in other.terms))
    return a * b


def minus(a: Angle | None) -> Angle | None:
    """``-a``."""
    return None if a is None else -a


def inverse(polynomials: Objects) -> Any:
    """``1/a`` of nonzero rationals, ``None`` for all else."""

    def one(polynomial: Angle | None) -> Angle | None:
        rational = polynomial is not None and all(not m for m, _ in polynomial.terms)
        if polynomial is None or not rational or not polynomial.terms:
            return None
        return Angle.constant(1 / polynomial.terms[0][1])

    return np.frompyfunc(one, 1, 1)(polynomials)


def added(entries: Iterable[Angle | None]) -> Angle | None:
    """Sum of many polynomials, in one pass."""
    terms: dict[Monomial, Fraction] = {}
    for entry in entries:
        if entry is None:
            return None
        for monomial, coefficient in entry.terms:
            held = terms.get(monomial)
            terms[monomial] = coefficient if held is None else held + coefficient
    return Angle.of(terms)


def total(polynomials: Objects, axes: tuple[int, ...]) -> Objects:
    """Sum over axes."""
    kept = [k for k in range(polynomials.ndim) if k not in axes]
    shape = [polynomials.shape[k] for k in kept]
    rows = np.transpose(polynomials, [*kept, *axes]).reshape(math.prod(shape), -1)
    out = np.empty(len(rows), dtype=object)
    for index, row in enumerate(rows):
        out[index] = added(row)
    return out.reshape(shape)


def matmul(a: Objects, b: Objects) -> Objects:
    """``a @ b`` as ``numpy.matmul`` has it."""
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    shape = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    rows, columns = left.shape[-2], right.shape[-1]
    left = np.broadcast_to(left, (*shape, *left.shape[-2:]))
    right = np.broadcast_to(right, (*shape, *right.shape[-2:]))
    out = np.empty((*shape, rows, columns), dtype=object)
    for where in np.ndindex(*shape):
        for r in range(rows):
            for c in range(columns):
                pairs = zip(left[where][r], right[where][:, c], strict=True)
                out[(*where, r, c)] = added(times(x, y) for x, y in pairs)
    if a.ndim == 1:
        out = out[..., 0, :]
    if b.ndim == 1:
        out = out[..., 0]
    return array(out)
