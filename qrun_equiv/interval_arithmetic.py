"""Interval arithmetic on float64 arrays with outward rounding.

Why the bounds hold. ``+ - * / sqrt`` round correctly (IEEE 754), so one float outwards suffices.
Sums and matrix products of n terms, in any order and with or without fused operations, are off by
at most ``n u / (1 - n u)`` times the sum of the absolute values, ``u = 2^-53`` (Higham, Accuracy
and Stability of Numerical Algorithms, 2nd ed., sections 3.1 and 3.5). Matrix products are taken in
centre-radius form (Rump, BIT 39, 534 (1999)). ``cos sin tanh exp expm1 log log1p erf`` are
**assumed** to be right to :data:`LIBRARY_ULPS` units in the last place; the tests measure it. A
bound that overflows, or an interval that leaves a function's domain in part, becomes the whole
line: no statement.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray

from qrun_equiv.algebra import Rearrangement
from qrun_equiv.errors import FormalError

Array = NDArray[np.float64]

#: Allowance for the elementary functions of numpy and torch: about four is the worst documented.
LIBRARY_ULPS = 8
_U = 2.0**-53
_TINY = 1e-300  # far above what underflow loses in one product
_FAR = 1e8  # radians: beyond it cosine and sine are only known to lie in [-1, 1]
_QUIET = np.errstate(all="ignore")  # infinities and NaN are dealt with


def _down(values: Array) -> Array:
    return np.where(np.isnan(values), -np.inf, np.nextafter(values, -np.inf))


def _up(values: Array) -> Array:
    return np.where(np.isnan(values), np.inf, np.nextafter(values, np.inf))


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds ``lo``, ``hi`` of equal shape (infinite: unbounded); ``lo is hi`` for exact floats."""

    lo: Array
    hi: Array

    @staticmethod
    def exact(values: object) -> Interval:
        """Degenerate intervals of floats."""
        array = np.asarray(values, dtype=np.float64)
        return Interval(array, array)

    @staticmethod
    def near(value: float | Fraction) -> Interval:
        """A fraction, or a real number within one unit in the last place of a float."""
        nearest = np.asarray(float(value))
        if isinstance(value, Fraction) and Fraction(float(value)) == value:
            return Interval.exact(nearest)
        return Interval(_down(nearest), _up(nearest))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays."""
        return self.lo.shape

    def move(self, rearrangement: Rearrangement) -> Interval:
        """The same intervals elsewhere."""
        lo = rearrangement(self.lo)
        return Interval(lo, lo if self.hi is self.lo else rearrangement(self.hi))

    def broadcast(self, shape: tuple[int, ...]) -> Interval:
        """Repeated to a shape."""
        return self if self.shape == shape else self.move(lambda a: np.broadcast_to(a, shape))

    def __neg__(self) -> Interval:
        lo = -self.hi
        return Interval(lo, lo if self.hi is self.lo else -self.lo)

    @_QUIET
    def __add__(self, other: Interval) -> Interval:
        lo, hi = self.lo + other.lo, self.hi + other.hi
        # a floating-point sum is zero only where the exact sum is
        return Interval(np.where(lo == 0, lo, _down(lo)), np.where(hi == 0, hi, _up(hi)))

    def __sub__(self, other: Interval) -> Interval:
        return self + (-other)

    @_QUIET
    def __mul__(self, other: Interval) -> Interval:
        first = (self.lo,) if self.hi is self.lo else (self.lo, self.hi)
        second = (other.lo,) if other.hi is other.lo else (other.lo, other.hi)
        products = [p * q for p in first for q in second]
        lo = hi = products[0]
        for product in products[1:]:
            lo, hi = np.minimum(lo, product), np.maximum(hi, product)
        zero = _is_zero(self) | _is_zero(other)
        return Interval(np.where(zero, 0.0, _down(lo)), np.where(zero, 0.0, _up(hi)))

    @_QUIET
    def __matmul__(self, other: Interval) -> Interval:
        (a, ra), (b, rb) = _centre_radius(self), _centre_radius(other)
        n = self.shape[-1]
        size_a, size_b = np.abs(a), np.abs(b)
        radius = 4 * (n + 4) * _U * np.matmul(size_a, size_b)
        if ra is not None:
            radius = radius + np.matmul(ra, size_b if rb is None else size_b + rb)
        if rb is not None:
            radius = radius + np.matmul(size_a, rb)
        # the radius itself was rounded by less than this
        radius = radius * (1 + 4 * (n + 8) * _U) + (n + 1) * _TINY
        centre = np.matmul(a, b)
        return Interval(_down(centre - radius), _up(centre + radius))

    @_QUIET
    def sum(self, axes: tuple[int, ...]) -> Interval:
        """Sum over axes, which disappear."""
        if not axes:
            return self
        n = math.prod(self.shape[axis] for axis in axes)
        ends = []
        for end, sign in ((self.lo, -1), (self.hi, 1)):
            slack = 4 * (n + 4) * _U * np.abs(end).sum(axis=axes)
            ends.append(end.sum(axis=axes) + sign * slack)
        return Interval(_down(ends[0]), _up(ends[1]))

    def intersect(self, other: Interval) -> Interval:
        """What lies in both (both are known to hold, so they do meet)."""
        return Interval(np.maximum(self.lo, other.lo), np.minimum(self.hi, other.hi))

    def magnitude(self) -> Array:
        """Largest absolute value."""
        return np.maximum(np.abs(self.lo), np.abs(self.hi))

    def mignitude(self) -> Array:
        """Smallest absolute value."""
        return np.maximum(np.maximum(self.lo, -self.hi), 0.0)


def _is_zero(a: Interval) -> NDArray[np.bool_]:
    return np.asarray((a.lo == 0) & (a.hi == 0))


def _centre_radius(a: Interval) -> tuple[Array, Array | None]:
    if a.hi is a.lo:
        return a.lo, None
    centre = 0.5 * (a.lo + a.hi)
    gap = np.maximum(a.hi - centre, centre - a.lo)
    return centre, np.where(gap == 0, 0.0, np.nextafter(gap, np.inf))


@_QUIET
def _ends(f: Callable[[Array], Array], a: Interval, ulps: int) -> tuple[Array, Array, Array, Array]:
    """Lower and upper bounds of f at ``lo``, then at ``hi``."""
    found: list[Array] = []
    for end in (a.lo,) if a.hi is a.lo else (a.lo, a.hi):
        value = f(end)
        slack = ulps * np.spacing(np.abs(value))
        found += [_down(value - slack), _up(value + slack)]
    return (*found, *found)[:4]  # type: ignore[return-value]


def monotone(
    f: Callable[[Array], Array], low: float = -np.inf, high: float = np.inf, ulps: int = 1
) -> Callable[[Interval], Interval]:
    """Bounds of an increasing f between ``low`` and ``high``, off by ``ulps`` library errors."""

    def bound(a: Interval) -> Interval:
        lo, _, _, hi = _ends(f, a, ulps * LIBRARY_ULPS)
        return Interval(np.maximum(lo, low), np.minimum(hi, high))

    return bound


def wave(f: Callable[[Array], Array], peak: float) -> Callable[[Interval], Interval]:
    """Bounds of a cosine or sine, whose maxima lie ``peak`` turns behind whole turns."""

    @_QUIET
    def bound(a: Interval) -> Interval:
        at_lo, above_lo, at_hi, above_hi = _ends(f, a, LIBRARY_ULPS)
        turns = (a.lo / (2 * np.pi), a.hi / (2 * np.pi))
        # covers the rounding of 2 pi, of the quotient and of the subtraction of the offset
        slack = 2.0**-50 * (np.maximum(np.abs(turns[0]), np.abs(turns[1])) + 1)
        far = ~(a.magnitude() <= _FAR)

        def passes(offset: float) -> NDArray[np.bool_]:
            low, high = turns[0] - offset - slack, turns[1] - offset + slack
            inside: NDArray[np.bool_] = np.ceil(low) <= np.floor(high)
            return inside | far

        lo = np.where(passes(peak + 0.5), -1.0, np.maximum(np.minimum(at_lo, at_hi), -1.0))
        hi = np.where(passes(peak), 1.0, np.minimum(np.maximum(above_lo, above_hi), 1.0))
        return Interval(lo, hi)

    return bound


def _guarded(
    name: str,
    a: Interval,
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    lo: Array,
    hi: Array,
) -> Interval:
    """Whole line where an interval leaves the domain in part; an error where it does in full."""
    if np.any(outside):
        msg = f"{name} of {a.lo[outside].flat[0]:g} to {a.hi[outside].flat[0]:g} is not defined"
        raise FormalError(msg)
    return Interval(np.where(inside, _down(lo), -np.inf), np.where(inside, _up(hi), np.inf))


@_QUIET
def reciprocal(a: Interval) -> Interval:
    """``1/a``; an interval that holds 0 gives the whole line, and 0 itself a FormalError."""
    inside = (a.lo > 0) | (a.hi < 0)
    return _guarded("the reciprocal", a, inside, _is_zero(a), 1 / a.hi, 1 / a.lo)


@_QUIET
def sqrt(a: Interval) -> Interval:
    """Square root; a FormalError where all of an interval is negative."""
    return _guarded("the square root", a, a.lo >= 0, a.hi < 0, np.sqrt(a.lo), np.sqrt(a.hi))


@_QUIET
def log(a: Interval) -> Interval:
    """Natural logarithm; a FormalError where no number of an interval is positive."""
    lo, _, _, hi = _ends(np.log, a, LIBRARY_ULPS)
    return _guarded("the logarithm", a, a.lo > 0, a.hi <= 0, lo, hi)


def square(a: Interval) -> Interval:
    """``a^2``, never negative."""
    small, large = Interval.exact(a.mignitude()), Interval.exact(a.magnitude())
    return Interval(np.maximum((small * small).lo, 0.0), (large * large).hi)


def absolute(a: Interval) -> Interval:
    """``|a|``."""
    return Interval(a.mignitude(), a.magnitude())


def step(a: Interval, low: float) -> Interval:
    """Slopes of functions with a corner at 0: ``low`` before it and 1 after it."""
    return Interval(np.where(a.lo > 0, 1.0, low), np.where(a.hi < 0, low, 1.0))


def _erf(values: Array) -> Array:
    return np.asarray(torch.erf(torch.tensor(values)).numpy())


ONE, HALF, TWO = Interval.exact(1.0), Interval.exact(0.5), Interval.exact(2.0)
cos, sin = wave(np.cos, 0.0), wave(np.sin, 0.25)
exp = monotone(np.exp, low=0.0)
expm1 = monotone(np.expm1, low=-1.0)
tanh = monotone(np.tanh, -1.0, 1.0)
erf = monotone(_erf, -1.0, 1.0)
relu = monotone(lambda v: np.maximum(v, 0.0), low=0.0, ulps=0)
# the logarithm's relative condition is at most 1: two library errors and one sum
softplus = monotone(lambda v: np.maximum(v, 0) + np.log1p(np.exp(-np.abs(v))), low=0.0, ulps=3)


def sigmoid(a: Interval) -> Interval:
    """``1 / (1 + exp(-a))``."""
    bound = reciprocal(ONE + exp(-a))
    return Interval(np.maximum(bound.lo, 0.0), np.minimum(bound.hi, 1.0))


def bell(y: Interval) -> Interval:
    """``1 - y^2`` for a hyperbolic tangent y."""
    bound = ONE - square(y)
    return Interval(np.maximum(bound.lo, 0.0), np.minimum(bound.hi, 1.0))
