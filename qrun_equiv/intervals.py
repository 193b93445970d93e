"""Bounds of values and derivatives: an :class:`~qrun_equiv.algebra.Algebra` of intervals.

An :class:`Enclosure` bounds functions of one real variable t over boxes of t: their values, and
their first and second derivatives (forward mode; boxes go along an axis, each with its own range of
t). What is enclosed is the *real* function that the code denotes, its floats being exact constants,
not the code's floating-point evaluation. :mod:`qrun_equiv.interval_arithmetic` says why the bounds
hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import interval_arithmetic as bounds
from qrun_equiv.algebra import Rearrangement
from qrun_equiv.errors import FormalError
from qrun_equiv.interval_arithmetic import HALF, TWO, Interval

Array = NDArray[np.float64]

_GAUSS = Interval.near(1.1283791670955126)  # 2 / sqrt(pi)
_QUARTER = Interval.exact(0.25)

_Value = Callable[[Interval], Interval]
_Slope = Callable[[Interval, Interval], Interval]  # of the argument and of the value

#: Name: bounds of the function; then of its first and second derivative from argument and value.
_FUNCTIONS: dict[str, tuple[_Value, _Slope, _Slope | None]] = {
    "cos": (bounds.cos, lambda a, _: -bounds.sin(a), lambda _, y: -y),
    "sin": (bounds.sin, lambda a, _: bounds.cos(a), lambda _, y: -y),
    "tanh": (bounds.tanh, lambda _, y: bounds.bell(y), lambda _, y: -(TWO * y * bounds.bell(y))),
    "exp": (bounds.exp, lambda _, y: y, lambda _, y: y),
    "expm1": (bounds.expm1, lambda a, _: bounds.exp(a), lambda a, _: bounds.exp(a)),
    "log": (
        bounds.log,
        lambda a, _: bounds.reciprocal(a),
        lambda a, _: -bounds.square(bounds.reciprocal(a)),
    ),
    "sigmoid": (bounds.sigmoid, lambda a, _: _logistic(a), lambda a, _: _logistic_slope(a)),
    "softplus": (bounds.softplus, lambda a, _: bounds.sigmoid(a), lambda a, _: _logistic(a)),
    "relu": (bounds.relu, lambda a, _: bounds.step(a, 0.0), None),
    "abs": (bounds.absolute, lambda a, _: bounds.step(a, -1.0), None),
    "erf": (bounds.erf, lambda a, _: _gauss(a), lambda a, _: -(TWO * a * _gauss(a))),
    "reciprocal": (
        bounds.reciprocal,
        lambda _, y: -bounds.square(y),
        lambda _, y: TWO * y * bounds.square(y),
    ),
    "sqrt": (
        bounds.sqrt,
        lambda _, y: HALF * bounds.reciprocal(y),
        lambda _, y: -(_QUARTER * bounds.reciprocal(y * bounds.square(y))),
    ),
    "square": (bounds.square, lambda a, _: TWO * a, lambda a, _: TWO.broadcast(a.shape)),
}


def _gauss(a: Interval) -> Interval:
    return _GAUSS * bounds.exp(-bounds.square(a))


def _logistic(a: Interval) -> Interval:
    """Derivative of the sigmoid."""
    return _QUARTER * bounds.bell(bounds.tanh(HALF * a))


def _logistic_slope(a: Interval) -> Interval:
    t = bounds.tanh(HALF * a)
    return -(_QUARTER * t * bounds.bell(t))


@dataclass(frozen=True, slots=True)
class Enclosure:
    """Bounds of functions of t over boxes of t, all of one shape.

    Attributes:
        value: bounds of the values.
        slope: of the derivatives; None for constants.
        curve: of the second derivatives; None where they are not known (a corner) or not followed.
    """

    value: Interval
    slope: Interval | None = None
    curve: Interval | None = None

    @property
    def rough(self) -> bool:
        """Whether it varies, and its second derivative is not known."""
        return self.slope is not None and self.curve is None

    @property
    def lo(self) -> Array:
        """Lower bounds of the values."""
        return self.value.lo

    @property
    def hi(self) -> Array:
        """Upper bounds of the values."""
        return self.value.hi

    @property
    def dlo(self) -> Array:
        """Lower bounds of the derivatives."""
        return np.zeros(self.lo.shape) if self.slope is None else self.slope.lo

    @property
    def dhi(self) -> Array:
        """Upper bounds of the derivatives."""
        return np.zeros(self.lo.shape) if self.slope is None else self.slope.hi


def boxes(lo: Array, hi: Array) -> Enclosure:
    """The variable t itself over boxes ``[lo_k, hi_k]``: ``[boxes, 1]``, derivative 1."""
    one = Interval.exact(np.ones((len(lo), 1)))
    zero = Interval.exact(np.zeros((len(lo), 1)))
    return Enclosure(Interval(lo[:, None], hi[:, None]), one, zero)


def points(t: Array) -> Enclosure:
    """The variable t at exact points, second derivatives not followed: ``[points, 1]``."""
    return Enclosure(Interval.exact(t[:, None]), Interval.exact(np.ones((len(t), 1))))


class Intervals:
    """The algebra of enclosures; see :class:`qrun_equiv.algebra.Algebra` for what each method does.

    All methods give valid bounds at any shape. ``function`` knows ``cos, sin, tanh, exp, expm1,
    log, sigmoid, softplus, relu, abs, erf, gelu, silu, reciprocal, sqrt, square``.
    """

    purpose = "an interval bound"

    def constant(self, values: NDArray[np.float64]) -> Enclosure:
        """The floats themselves."""
        return Enclosure(Interval.exact(values))

    def shape(self, a: Enclosure) -> tuple[int, ...]:
        """Shape of the array."""
        return a.value.shape

    def add(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """``a + b``."""
        value = a.value + b.value
        varying = [e for e in (a, b) if e.slope is not None]
        slope = _sum([e.slope.broadcast(value.shape) for e in varying if e.slope is not None])
        if a.rough or b.rough:
            return Enclosure(value, slope)
        curves = [e.curve.broadcast(value.shape) for e in varying if e.curve is not None]
        return Enclosure(value, slope, _sum(curves))

    def multiply(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """``a * b``; an array times itself is a square."""
        if a is b:
            return self.function("square", a)
        return _product(a, b, lambda p, q: p * q)

    def negative(self, a: Enclosure) -> Enclosure:
        """``-a``."""
        return _each(a, lambda part: -part)

    def matmul(self, a: Enclosure, b: Enclosure) -> Enclosure:
        """``a @ b``."""
        return _product(a, b, lambda p, q: p @ q)

    def total(self, a: Enclosure, axes: tuple[int, ...]) -> Enclosure:
        """Sum over axes."""
        return _each(a, lambda part: part.sum(axes))

    def rearrange(self, a: Enclosure, move: Rearrangement) -> Enclosure:
        """The same entries elsewhere."""
        return _each(a, lambda part: part.move(move))

    def join(
        self, parts: Sequence[Enclosure], put: Callable[[list[NDArray[Any]]], NDArray[Any]]
    ) -> Enclosure:
        """Several arrays as one."""

        def joined(column: Sequence[Interval | None]) -> Interval:
            zero = [Interval.exact(np.zeros(p.value.shape)) for p in parts]
            found = [z if c is None else c for c, z in zip(column, zero, strict=True)]
            lo = put([c.lo for c in found])
            exact = all(c.hi is c.lo for c in found)
            return Interval(lo, lo if exact else put([c.hi for c in found]))

        value = joined([p.value for p in parts])
        if all(p.slope is None for p in parts):
            return Enclosure(value)
        slope = joined([p.slope for p in parts])
        if any(p.rough for p in parts):
            return Enclosure(value, slope)
        return Enclosure(value, slope, joined([p.curve for p in parts]))

    def function(self, name: str, a: Enclosure) -> Enclosure:
        """An elementary function of each entry.

        Raises:
            FormalError: an unknown name, or an entry wholly outside the function's domain.
        """
        if name == "silu":
            return self.multiply(a, self.function("sigmoid", a))
        if name == "gelu":  # a (1 + bounds.erf(a / sqrt 2)) / 2
            root = Enclosure(bounds.sqrt(HALF))
            bell = self.function("erf", self.multiply(a, root))
            half = Enclosure(HALF)
            return self.multiply(a, self.add(half, self.multiply(half, bell)))
        if name not in _FUNCTIONS:
            known = ", ".join([*_FUNCTIONS, "gelu", "silu"])
            msg = f"there is no interval bound for `{name}`; there is for {known}"
            raise FormalError(msg)
        bound, first, second = _FUNCTIONS[name]
        value = bound(a.value)
        if a.slope is None:
            return Enclosure(value)
        rate = first(a.value, value)
        if a.curve is None or second is None:
            return Enclosure(value, rate * a.slope)
        curve = second(a.value, value) * bounds.square(a.slope) + rate * a.curve
        return Enclosure(value, rate * a.slope, curve)


def _each(a: Enclosure, change: Callable[[Interval], Interval]) -> Enclosure:
    """A linear operation on all parts."""
    parts = (None if p is None else change(p) for p in (a.slope, a.curve))
    return Enclosure(change(a.value), *parts)


def _product(
    a: Enclosure, b: Enclosure, times: Callable[[Interval, Interval], Interval]
) -> Enclosure:
    """Leibniz' rule for a bilinear operation."""
    slopes, curves = [], []
    if a.slope is not None:
        slopes.append(times(a.slope, b.value))
    if b.slope is not None:
        slopes.append(times(a.value, b.slope))
    value, slope = times(a.value, b.value), _sum(slopes)
    if a.rough or b.rough:
        return Enclosure(value, slope)
    if a.curve is not None:
        curves.append(times(a.curve, b.value))
    if b.curve is not None:
        curves.append(times(a.value, b.curve))
    if a.slope is not None and b.slope is not None:
        curves.append(TWO * times(a.slope, b.slope))
    return Enclosure(value, slope, _sum(curves))


def _sum(terms: Sequence[Interval]) -> Interval | None:
    total = terms[0] if terms else None
    for term in terms[1:]:
        total = term if total is None else total + term
    return total
