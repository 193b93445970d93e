"""Taylor polynomials with rigorous remainders: an :class:`~qrun_equiv.algebra.Algebra` of jets.

A :class:`Jet` bounds functions of one real variable over boxes. On a box of centre c and radius r,
with ``tau = (x - c) / r`` in [-1, 1], it holds Taylor coefficients in tau: those of orders 0 to n
at the centre, as thin intervals, and an interval for the one of order n + 1 that holds at every
point of the box. By Taylor's theorem

    f(x) = sum_{k <= n} a_k tau^k + A tau^(n+1),    A in the last interval,

and ``f^(k) r^k / k!`` anywhere in the box is at most ``sum_{j > k} C(j, k) |a_j|`` from ``a_k``.
Products follow Leibniz, functions the recurrences of Griewank and Walther, Evaluating Derivatives,
2nd ed., section 13.2. A ReLU whose argument changes sign in a box has no such polynomial: a share
of the argument is followed, and :attr:`Jet.extra` bounds what is left of the value.

What is enclosed is the real function that the code denotes, its floats being exact constants; see
:mod:`qrun_equiv.interval_arithmetic` for why the intervals hold, and what they assume.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import interval_arithmetic as bounds
from qrun_equiv.algebra import Rearrangement
from qrun_equiv.errors import FormalError
from qrun_equiv.interval_arithmetic import Interval

Array = NDArray[np.float64]

#: Covers the rounding of a sum of up to 4096 products of non-negative floats, and underflow.
UP, TINY = 1 + 2.0**-40, 1e-300


@dataclass(frozen=True, slots=True)
class Jet:
    """Functions over boxes, all of one shape.

    Attributes:
        parts: coefficients ``[n + 2, *shape]``, the last for the whole box; ``[1, *shape]`` for
            constants.
        extra: a bound ``[*shape]`` of what the polynomial and its remainder miss; None is 0.
    """

    parts: Interval
    extra: Array | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of functions."""
        return self.parts.shape[1:]

    @property
    def constant(self) -> bool:
        """Whether it does not vary."""
        return len(self.parts.lo) == 1

    def part(self, k: int) -> Interval:
        """The coefficient of order k."""
        return self.parts.move(lambda a: a[k])

    def box(self) -> Interval:
        """Coefficients ``[n + 2, *shape]`` at every point of the box, ``extra`` aside."""
        if self.constant:
            return self.parts
        sizes = self.parts.magnitude()
        with np.errstate(over="ignore", invalid="ignore"):
            radius = np.tensordot(_choose(len(sizes)), sizes, 1) * UP + TINY
            lo, hi = self.parts.lo - radius, self.parts.hi + radius
            lo, hi = np.nextafter(lo, -np.inf), np.nextafter(hi, np.inf)
        return Interval(np.where(np.isnan(lo), -np.inf, lo), np.where(np.isnan(hi), np.inf, hi))


def variable(centres: Array, radius: float, order: int) -> Jet:
    """The variable itself over boxes: ``[boxes, 1]``, to order ``order``."""
    parts = np.zeros((order + 2, len(centres), 1))
    parts[0, :, 0], parts[1] = centres, radius
    return Jet(Interval.exact(parts))


class Jets:
    """The algebra of jets; see :class:`qrun_equiv.algebra.Algebra` for what each method does.

    ``function`` knows ``cos, sin, tanh, relu``: what the readouts of a Q-RUN layer are made of.
    """

    purpose = "a Taylor polynomial with a bounded remainder"

    def constant(self, values: Array) -> Jet:
        """The floats themselves."""
        return Jet(Interval.exact(np.asarray(values)[None]))

    def shape(self, a: Jet) -> tuple[int, ...]:
        """Shape of the array."""
        return a.shape

    def add(self, a: Jet, b: Jet) -> Jet:
        """``a + b``."""
        left, right = _aligned(a, b)
        if a.constant != b.constant:
            many, one = (right, left) if a.constant else (left, right)
            first = many.move(lambda m: m[:1]) + one
            shape = first.shape[1:]
            rest = many.move(lambda m: np.broadcast_to(m[1:], (len(m) - 1, *shape)))
            parts = _joined(first, rest)
        else:
            parts = left + right
        return Jet(parts, _total(a.extra, b.extra, parts.shape[1:]))

    def multiply(self, a: Jet, b: Jet) -> Jet:
        """``a * b``."""
        left, right = _aligned(a, b)
        if a.constant or b.constant:
            parts = left * right
        else:
            parts = _cauchy(left, right, *_aligned(Jet(a.box()), Jet(b.box())))
        return Jet(parts, _product_extra(a, b, np.multiply))

    def negative(self, a: Jet) -> Jet:
        """``-a``."""
        return Jet(-a.parts, a.extra)

    def matmul(self, a: Jet, b: Jet) -> Jet:
        """``a @ b``.

        Raises:
            FormalError: a vector of functions on the right.
        """
        if len(b.shape) == 1 and not b.constant:
            msg = "there are no certified tables with the product of a matrix and a varying vector"
            raise FormalError(msg)
        if a.constant and b.constant:
            parts = (a.part(0) @ b.part(0)).move(lambda m: m[None])
        elif a.constant or b.constant:
            vector = min(len(a.shape), len(b.shape)) == 1
            drop = (j.part(0) if j.constant else j.parts for j in (a, b))
            left, right = drop if vector else _aligned(a, b)
            parts = left @ right
        else:
            boxes, last = (a.box(), b.box()), len(a.parts.lo) - 1
            rows = [_convolved(a.parts, b.parts, k) for k in range(last)]
            parts = _joined(*(row.move(lambda m: m[None]) for row in rows))
            parts = _joined(parts, _convolved(*boxes, last).move(lambda m: m[None]))
        return Jet(parts, _product_extra(a, b, np.matmul))

    def total(self, a: Jet, axes: tuple[int, ...]) -> Jet:
        """Sum over axes."""
        extra = None if a.extra is None else np.asarray(a.extra.sum(axis=axes) * UP + TINY)
        return Jet(a.parts.sum(tuple(axis + 1 for axis in axes)), extra)

    def rearrange(self, a: Jet, move: Rearrangement) -> Jet:
        """The same entries elsewhere."""
        parts = a.parts.move(lambda m: np.stack([move(part) for part in m]))
        return Jet(parts, None if a.extra is None else move(a.extra))

    def join(self, parts: Sequence[Jet], put: Callable[[list[NDArray[Any]]], NDArray[Any]]) -> Jet:
        """Several arrays as one."""
        count = max(len(jet.parts.lo) for jet in parts)

        def joined(end: Callable[[Interval], Array]) -> Array:
            padded = [_padded(end(jet.parts), count) for jet in parts]
            return np.stack([put([array[k] for array in padded]) for k in range(count)])

        lo = joined(lambda i: i.lo)
        exact = all(jet.parts.hi is jet.parts.lo for jet in parts)
        both = Interval(lo, lo if exact else joined(lambda i: i.hi))
        if all(jet.extra is None for jet in parts):
            return Jet(both)
        known = [np.zeros(j.shape) if j.extra is None else j.extra for j in parts]
        return Jet(both, put(known))

    def function(self, name: str, a: Jet) -> Jet:
        """An elementary function of each entry.

        Raises:
            FormalError: an unknown name.
        """
        if name not in _FUNCTIONS:
            msg = f"there are no certified tables with `{name}`, only with {', '.join(_FUNCTIONS)}"
            raise FormalError(msg)
        if name == "relu":
            return _relu(a)
        rule = _FUNCTIONS[name]
        if a.constant:
            return Jet(rule(a.parts), a.extra)
        # all of them have slopes between -1 and 1, so what a jet misses does not grow
        top = rule(a.box()).move(lambda m: m[-1:])
        return Jet(_joined(rule(a.parts.move(lambda m: m[:-1])), top), a.extra)


@cache
def _choose(count: int) -> Array:
    """Binomials ``C(j, k)`` above the diagonal: ``[k, j]``."""
    return np.array(
        [[math.comb(j, k) * (j > k) for j in range(count)] for k in range(count)], float
    )


def _padded(array: Array, count: int) -> Array:
    if len(array) == count:
        return array
    return np.concatenate([array, np.zeros((count - len(array), *array.shape[1:]))])


def _aligned(a: Jet, b: Jet) -> tuple[Interval, Interval]:
    """Coefficients of both with as many axes, so that shapes broadcast behind the first."""
    ndim = max(len(a.shape), len(b.shape))

    def move(m: NDArray[Any]) -> NDArray[Any]:
        return m.reshape(m.shape[0], *(1,) * (ndim + 1 - m.ndim), *m.shape[1:])

    return a.parts.move(move), b.parts.move(move)


def _joined(*parts: Interval) -> Interval:
    return Interval(np.concatenate([p.lo for p in parts]), np.concatenate([p.hi for p in parts]))


def _total(a: Array | None, b: Array | None, shape: tuple[int, ...]) -> Array | None:
    if a is None or b is None:
        only = b if a is None else a
        return None if only is None else np.broadcast_to(only, shape)
    return np.asarray((a + b) * UP)


def _product_extra(a: Jet, b: Jet, times: Callable[[Array, Array], Array]) -> Array | None:
    """What a bilinear operation misses: ``|a| d(b) + d(a) (|b| + d(b))``."""
    if a.extra is None and b.extra is None:
        return None
    sizes = [jet.box().move(lambda m: m[0]).magnitude() for jet in (a, b)]
    missed = [np.zeros(j.shape) if j.extra is None else j.extra for j in (a, b)]
    first, second = times(sizes[0], missed[1]), times(missed[0], sizes[1] + missed[1])
    return np.asarray((first + second) * UP**2 + TINY)


def _cauchy(a: Interval, b: Interval, box_a: Interval, box_b: Interval) -> Interval:
    """Coefficients of a product."""
    last = len(a.lo) - 1
    rows = [_sum_of(_first(a, k), _reversed(b, k)) for k in range(last)]
    top = _sum_of(_first(box_a, last), _reversed(box_b, last))
    return _joined(*(row.move(lambda m: m[None]) for row in (*rows, top)))


def _convolved(a: Interval, b: Interval, k: int) -> Interval:
    """Order k of a matrix product."""
    terms = [Jet(a).part(i) @ Jet(b).part(k - i) for i in range(k + 1)]
    return _joined(*(term.move(lambda m: m[None]) for term in terms)).sum((0,))


def _first(a: Interval, k: int, start: int = 0) -> Interval:
    """Orders ``start`` to k."""
    return a.move(lambda m: m[start : k + 1])


def _reversed(a: Interval, k: int) -> Interval:
    """Orders k down to 0."""
    return a.move(lambda m: m[: k + 1][::-1])


def _sum_of(a: Interval, b: Interval) -> Interval:
    return (a * b).sum((0,))


def _over(a: Interval, k: int) -> Interval:
    return a if k == 1 else a * Interval.near(Fraction(1, k))


def _weighted(a: Interval) -> Interval:
    """``k a_k``: coefficients of ``tau`` times the derivative."""
    orders = np.arange(len(a.lo), dtype=float).reshape(-1, *(1,) * (len(a.shape) - 1))
    return a * Interval.exact(orders)


class _Series:
    """Coefficients that are found one after the other."""

    def __init__(self, like: Interval, first: Interval) -> None:
        self.lo, self.hi = np.zeros(like.shape), np.zeros(like.shape)
        self[0] = first

    def __setitem__(self, k: int, value: Interval) -> None:
        self.lo[k], self.hi[k] = value.lo, value.hi

    def all(self) -> Interval:
        return Interval(self.lo, self.hi)


def _tanh(u: Interval) -> Interval:
    """``y' = (1 - y^2) u'``."""
    zeroth = bounds.tanh(u.move(lambda m: m[0]))
    y, w, du = _Series(u, zeroth), _Series(u, bounds.bell(zeroth)), _weighted(u)
    for k in range(1, len(u.lo)):
        y[k] = _over(_sum_of(_first(du, k, 1), _reversed(w.all(), k - 1)), k)
        known = y.all()
        w[k] = -_sum_of(_first(known, k), _reversed(known, k))
    return y.all()


def _wave(u: Interval, *, sine: bool) -> Interval:
    """``s' = c u'`` and ``c' = -s u'``."""
    zeroth = u.move(lambda m: m[0])
    s, c, du = _Series(u, bounds.sin(zeroth)), _Series(u, bounds.cos(zeroth)), _weighted(u)
    for k in range(1, len(u.lo)):
        slopes = _first(du, k, 1)
        s[k] = _over(_sum_of(slopes, _reversed(c.all(), k - 1)), k)
        c[k] = -_over(_sum_of(slopes, _reversed(s.all(), k - 1)), k)
    return (s if sine else c).all()


def _relu(a: Jet) -> Jet:
    """The argument, zero, or between where its sign is open.

    ``relu u - c u`` is convex: on [lo, hi] with lo < 0 < hi and 0 <= c <= 1 it lies between 0 and
    the larger of its ends, ``-c lo`` and ``(1 - c) hi``.
    """
    value = a.box().move(lambda m: m[0])
    missed = np.zeros(a.shape) if a.extra is None else a.extra
    lo, hi = (value.lo - missed) * UP, (value.hi + missed) * UP
    share = np.where(hi < 0, 0.0, 1.0)
    open_ = (lo <= 0) & (hi >= 0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = np.where(open_, np.nan_to_num(hi / (hi - lo), nan=0.5), share)
        spread = np.where(open_, np.maximum(-share * lo, (1 - share) * hi) * UP, 0.0)
        extra = (0.5 * spread + share * missed) * UP
    parts = a.parts * Interval.exact(share[None])
    if a.extra is None and not open_.any():
        return Jet(parts)
    first = parts.move(lambda m: m[:1]) + Interval.exact(0.5 * spread[None])
    return Jet(_joined(first, parts.move(lambda m: m[1:])), np.asarray(extra))


_FUNCTIONS: dict[str, Callable[[Interval], Interval]] = {
    "cos": lambda u: _wave(u, sine=False),
    "sin": lambda u: _wave(u, sine=True),
    "tanh": _tanh,
    "relu": bounds.relu,
}
