"""The largest absolute value of a function over an interval: a rigorous bound by bisection.

Each box is bounded by the natural interval extension, by the mean value form ``f(m) + f'(box) (box
- m)``, whose excess shrinks with the square of the width, and where f is smooth by the Taylor form
``f(m) + f'(m) (box - m) + f''(box) (box - m)^2 / 2``, whose excess shrinks with the cube (Moore,
Kearfott and Cloud, Introduction to Interval Analysis, sections 6.3 and 6.4). Boxes that can no
longer hold the maximum, or are bounded well enough, are settled; of the others the worst are halved
first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import FormalError
from qrun_equiv.interval_arithmetic import HALF, Interval, square
from qrun_equiv.intervals import Enclosure, boxes, points

Array = NDArray[np.float64]
Ended = Literal["relative", "goal", "rounding", "budget"]
_FIRST, _CHUNK, _SHARE = 64, 2048, 0.5


@dataclass(frozen=True, slots=True)
class Bound:
    """``lower <= max |h(t)| <= upper`` over ``[low, high]``.

    Attributes:
        lower: a value that ``|h|`` provably reaches, at ``at``.
        upper: a value that it provably never exceeds.
        at: the worst point found.
        boxes: number of boxes evaluated.
        ended: ``"relative"``: the two are as close as asked; ``"goal"``: the upper one is below the
            goal; ``"rounding"``: what is left is the rounding of h itself; ``"budget"``: the boxes
            were spent. The bound holds in all four cases.
    """

    lower: float
    upper: float
    at: float
    boxes: int
    ended: Ended

    def __str__(self) -> str:
        return f"{self.lower:.3g} <= max <= {self.upper:.3g} (worst at {self.at:.6g})"


def maximum(
    h: Callable[[Enclosure], Enclosure],
    low: float,
    high: float,
    *,
    relative: float = 0.05,
    goal: float = 0.0,
    most_boxes: int = 200_000,
) -> Bound:
    """Bound ``max |h(t)|`` for t in ``[low, high]``, and over all outputs of h.

    Args:
        h: maps ``t [boxes, 1]`` to ``[boxes]`` or ``[boxes, n_outputs]`` in the arithmetic of
            :class:`~qrun_equiv.intervals.Intervals`; a box's result may depend on its row alone.
        low: left end, a finite float.
        high: right end, above ``low``.
        relative: stop when ``upper <= (1 + relative) lower``.
        goal: stop when ``upper <= goal``.
        most_boxes: evaluate no more boxes than this (or the first 64).

    Raises:
        FormalError: the interval is empty or not finite, or h leaves its domain on a whole box.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        msg = f"the interval [{low}, {high}] is empty or not finite; give two ends low < high"
        raise FormalError(msg)
    edges = np.linspace(low, high, _FIRST + 1)
    edges[0], edges[-1] = low, high
    pool = _evaluate(h, edges[:-1], edges[1:])
    best, at, settled, spent = 0.0, low, 0.0, _FIRST
    while True:
        top = int(np.argmax(pool.reached)) if len(pool) else 0
        if len(pool) and pool.reached[top] > best:
            best, at = float(pool.reached[top]), float(pool.middle[top])
        # halving can't push a box's bound below that at its middle, rounding included
        fine = pool.upper <= np.maximum(max(goal, (1 + relative) * best), (1 + relative) * pool.own)
        fine |= (pool.middle <= pool.lo) | (pool.middle >= pool.hi)
        settled = max(settled, pool.cut(fine).highest())
        pool = pool.cut(~fine)
        room = (most_boxes - spent) // 2
        if not len(pool) or room < 1:
            break
        # the worst first: where nothing high was reached yet, they lead there
        worst = pool.upper >= _SHARE * pool.highest()
        if np.count_nonzero(worst) > room:
            worst = np.zeros(len(pool), dtype=bool)
            worst[np.argpartition(pool.upper, -room)[-room:]] = True
        halves = _halve(h, pool.cut(worst))
        spent += len(halves)
        pool = pool.cut(~worst).join(halves)
    upper = max(settled, pool.highest())
    return Bound(best, upper, at, spent, _ended(best, upper, relative, goal, len(pool)))


def _ended(best: float, upper: float, relative: float, goal: float, left: int) -> Ended:
    if upper <= (1 + relative) * best:
        return "relative"
    if upper <= goal:
        return "goal"
    return "budget" if left else "rounding"


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Boxes ``[lo, hi]`` with their middles, and bounds of ``|h|``.

    ``upper`` holds on the whole box; ``reached`` and ``own`` are below and above at its middle.
    """

    lo: Array
    middle: Array
    hi: Array
    upper: Array
    reached: Array
    own: Array

    def __len__(self) -> int:
        return len(self.lo)

    def columns(self) -> tuple[Array, ...]:
        return self.lo, self.middle, self.hi, self.upper, self.reached, self.own

    def highest(self) -> float:
        return float(np.max(self.upper, initial=0.0))

    def cut(self, mask: NDArray[np.bool_]) -> _Boxes:
        return _Boxes(*(column[mask] for column in self.columns()))

    def join(self, other: _Boxes) -> _Boxes:
        pairs = zip(self.columns(), other.columns(), strict=True)
        return _Boxes(*(np.concatenate(pair) for pair in pairs))


def _halve(h: Callable[[Enclosure], Enclosure], parents: _Boxes) -> _Boxes:
    halves = _evaluate(
        h,
        np.concatenate([parents.lo, parents.middle]),
        np.concatenate([parents.middle, parents.hi]),
    )
    return replace(halves, upper=np.minimum(halves.upper, np.tile(parents.upper, 2)))


def _evaluate(h: Callable[[Enclosure], Enclosure], lo: Array, hi: Array) -> _Boxes:
    middle = np.clip(lo + 0.5 * (hi - lo), lo, hi)
    parts = []
    for k in range(0, len(lo), _CHUNK):
        cut = slice(k, k + _CHUNK)
        parts.append(_chunk(h, lo[cut], middle[cut], hi[cut]))
    return _Boxes(lo, middle, hi, *(np.concatenate(p) for p in zip(*parts, strict=True)))


def _chunk(
    h: Callable[[Enclosure], Enclosure], lo: Array, middle: Array, hi: Array
) -> tuple[Array, Array, Array]:
    """Upper bounds on the boxes; lower and upper bounds at the middles."""
    box, point = h(boxes(lo, hi)), h(points(middle))
    bound = box.value
    if box.slope is None:  # a constant
        bound = bound.intersect(point.value)
    else:
        shape = (len(lo),) + (1,) * (len(bound.shape) - 1)
        ends = (Interval.exact(end) - Interval.exact(middle) for end in (lo, hi))
        offset = Interval(next(ends).lo, next(ends).hi).move(lambda a: a.reshape(shape))
        bound = bound.intersect(point.value + box.slope * offset)
        if point.slope is not None and box.curve is not None:
            rest = HALF * (box.curve * square(offset))
            bound = bound.intersect(point.value + point.slope * offset + rest)

    def rows(values: Array) -> Array:
        return np.asarray(values.reshape(len(lo), -1).max(axis=1))

    return rows(bound.magnitude()), rows(point.value.mignitude()), rows(point.value.magnitude())
