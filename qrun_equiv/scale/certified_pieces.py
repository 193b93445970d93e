"""Where a function of one variable lies: Taylor polynomials on boxes, with rigorous remainders.

A :class:`Model` covers an interval by boxes and halves those whose remainder is too large. Boxes
are dyadic, ``[i, i + 1] 2^level``, so they fit the cells of a table whose step is a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv import formal
from qrun_equiv.errors import FormalError
from qrun_equiv.intervals import Enclosure, Intervals, boxes
from qrun_equiv.scale.certified_jets import TINY, UP, Array, Jet, Jets, variable

Element = Callable[[Tensor], Tensor]

ORDER = 12  # of the Taylor polynomials: cheap to raise, and remainders fall like width^13
_U = 2.0**-53
_CHUNK = 128  # boxes at once: arrays that fit a cache
_MOST_BOXES = 1 << 14
_ALGEBRA, _INTERVALS = Jets(), Intervals()


@dataclass(frozen=True, slots=True)
class Pieces:
    """Polynomials ``sum_j coefs_j tau^j`` on boxes of one width, ``tau`` from -1 to 1 in each.

    Attributes:
        index: box i is ``[i, i + 1] 2^level``, ``[n]``.
        coefs: ``[n, ORDER + 1, k]``.
        rest: bound of what they miss, ``[n, k]``.
        missed: the part of ``rest`` that smaller boxes have less of.
        steep: bound of what the derivative in ``tau`` misses, ``[n, k]``.
        kinked: whether a ReLU switches in the box, ``[n]``; then ``steep`` is not known.
    """

    index: NDArray[np.int64]
    coefs: Array
    rest: Array
    missed: Array
    steep: Array
    kinked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.index)

    def cut(self, mask: NDArray[np.bool_]) -> Pieces:
        """Some of them."""
        return Pieces(*(getattr(self, f.name)[mask] for f in fields(self)))

    def size(self) -> Array:
        """Bound of the function's absolute value, ``[n, k]``."""
        return np.asarray((highest(self.coefs) + self.rest) * UP)

    def slope(self) -> Array:
        """Bound of the derivative in ``tau`` where there are no kinks, ``[n, k]``."""
        rates = self.coefs[:, 1:] * np.arange(1, ORDER + 1)[:, None]
        padded = np.concatenate([rates, np.zeros_like(rates[:, :1])], axis=1)
        return np.asarray((highest(padded) * UP + self.steep) * UP + TINY)

    def halves(self) -> Pieces:
        """The same polynomials on boxes of half the width."""
        # 2 (n + 4) roundings at most of each term, and |a_j| terms add to sum |a_j|
        sizes = np.abs(self.coefs).sum(axis=1)
        rest = (self.rest + 2 * (ORDER + 4) * _U * sizes) * UP + TINY
        coefs = np.einsum("hkj,njc->nhkc", _halving(), self.coefs).reshape(
            -1, *self.coefs.shape[1:]
        )
        index = (2 * self.index[:, None] + np.arange(2)).reshape(-1)
        twice = (np.repeat(a, 2, axis=0) for a in (rest, self.missed, self.steep, self.kinked))
        return Pieces(index, coefs, *twice)


def joined(parts: list[Pieces]) -> Pieces:
    """Several as one."""
    names = [f.name for f in fields(Pieces)]
    return Pieces(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


class Model:
    """Boxes over an interval, each as small as it has to be.

    Attributes:
        levels: the pieces of each width ``2^level``; together they cover the interval once.
    """

    def __init__(self, element: Element, low: float, high: float, level: int) -> None:
        """Cover ``[low, high]`` by boxes of width ``2^level``.

        Raises:
            FormalError: the element does something that jets can't follow, or too many boxes.
        """
        self._element = element
        first, last = (math.floor(end / 2.0**level) for end in (low, high))
        self._slope: float | None = None
        self.levels = {level: self._expand(np.arange(first, last + 1), level)}

    def refine(self, target: float, finest: int) -> None:
        """Halve boxes, down to width ``2^finest``, while they miss more than ``target``."""
        for level in range(max(self.levels), finest, -1):
            pieces = self.levels.get(level)
            if pieces is None:
                continue
            fine = np.all(pieces.missed <= target, axis=1)
            if fine.all():
                continue
            index = (2 * pieces.index[~fine, None] + np.arange(2)).reshape(-1)
            halves = self._expand(index, level - 1)
            below, self._slope = self.levels.get(level - 1), None
            self.levels[level] = pieces.cut(fine)
            self.levels[level - 1] = halves if below is None else joined([below, halves])

    @property
    def kinked(self) -> bool:
        """Whether a ReLU switches anywhere."""
        return any(bool(pieces.kinked.any()) for pieces in self.levels.values())

    def slope(self) -> float:
        """Bound of the derivative's absolute value, over all boxes and outputs.

        Raises:
            FormalError: as above.
        """
        if self._slope is None:
            self._slope = self._steepest()
        return self._slope

    def _steepest(self) -> float:
        found = [0.0]
        for level, pieces in self.levels.items():
            smooth = pieces.cut(~pieces.kinked).slope()
            found.append(float(smooth.max(initial=0.0)) * 2.0 ** (1 - level))
            index = pieces.index[pieces.kinked].astype(float)
            for at in _chunks(len(index)):
                lo, hi = index[at] * 2.0**level, (index[at] + 1) * 2.0**level
                box = self._run(boxes(lo, hi), _INTERVALS, lo)
                slope = box.slope
                found.append(0.0 if slope is None else float(slope.magnitude().max()))
        return max(found)

    def size(self) -> float:
        """Bound of the function's absolute value, over all boxes and outputs."""
        return max(float(p.size().max(initial=0.0)) for p in self.levels.values())

    def rest(self) -> float:
        """Largest bound of what a polynomial misses."""
        return max(float(p.rest.max(initial=0.0)) for p in self.levels.values())

    def _run(self, x: Enclosure | Jet, algebra: Intervals | Jets, points: Array) -> Any:
        element = self._element
        return formal.run(
            lambda x: element(x[:, 0]), [x], algebra, batch=len(points), points=[points[:, None]]
        )

    def _expand(self, index: NDArray[np.int64], level: int) -> Pieces:
        known = sum(map(len, getattr(self, "levels", {}).values()))
        if len(index) + known > _MOST_BOXES:
            msg = (
                f"a certified bound takes more than {_MOST_BOXES} boxes: the function is too wild "
                "over this range; take a smaller range of phases, or a larger tolerance"
            )
            raise FormalError(msg)
        return joined([self._chunk(index[at], level) for at in _chunks(len(index))])

    @np.errstate(over="ignore")  # infinite bounds are bounds
    def _chunk(self, index: NDArray[np.int64], level: int) -> Pieces:
        radius = 2.0 ** (level - 1)
        centres = (2 * index + 1).astype(np.float64) * radius
        jet = self._run(variable(centres, radius, ORDER), _ALGEBRA, centres)
        parts = jet.parts.move(lambda m: _filled(np.moveaxis(m, 0, 1), len(index)))
        # where a box is too wide for any bound: the polynomial 0, which misses everything
        finite = np.isfinite(parts.lo) & np.isfinite(parts.hi)
        open_ = ~finite.all(axis=1, keepdims=True)
        lo, hi = (np.where(open_, 0.0, end) for end in (parts.lo, parts.hi))
        coefs = 0.5 * (lo + hi)
        radii = np.maximum(hi - coefs, coefs - lo) * UP
        top = np.where(open_[:, 0], np.inf, np.maximum(np.abs(lo[:, -1]), np.abs(hi[:, -1])))
        extra = np.zeros_like(top) if jet.extra is None else np.broadcast_to(jet.extra, top.shape)
        rounding, missed = radii[:, :-1].sum(axis=1), (top + extra) * UP
        coefs, orders = coefs[:, :-1], np.arange(ORDER + 1)[:, None]
        steep = ((orders * radii[:, :-1]).sum(axis=1) + (ORDER + 1) * top) * UP
        kinked = np.any(extra > 0, axis=1)
        return Pieces(index, coefs, (rounding + missed) * UP + TINY, missed, steep, kinked)


def chebyshev_sum(coefs: Array) -> Array:
    """Bound of ``|sum_j coefs_j tau^j|`` for ``|tau| <= 1``: ``[n, terms, k]`` to ``[n, k]``.

    The sum of the coefficients' absolute values in Chebyshev polynomials, none of which exceeds 1.
    """
    count = coefs.shape[1]
    waves = np.abs(np.einsum("mj,njc->nmc", _chebyshev(count), coefs)).sum(axis=1)
    return np.asarray(waves + 4 * (count + 2) * _U * np.abs(coefs).sum(axis=1))


def highest(coefs: Array) -> Array:
    """The same for ``ORDER + 1`` terms, on 32 parts of the box: closer."""
    parts, sizes = coefs, np.abs(coefs).sum(axis=1)
    for _ in range(5):
        parts = np.einsum("hkj,njc->nhkc", _halving(), parts).reshape(-1, *coefs.shape[1:])
    found = chebyshev_sum(parts).reshape(len(coefs), 32, coefs.shape[2]).max(axis=1)
    return np.asarray(found + 16 * (ORDER + 4) * _U * sizes)


def _filled(parts: Array, count: int) -> Array:
    """Coefficients ``[count, ORDER + 2, k]``; those of a constant, or of one box, repeated."""
    zeros = np.zeros((len(parts), ORDER + 2 - parts.shape[1], parts.shape[2]))
    full = np.concatenate([parts, zeros], axis=1)
    return np.broadcast_to(full, (count, *full.shape[1:]))


def _chunks(count: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, count, _CHUNK)]


@cache
def _chebyshev(count: int) -> Array:
    """``tau^j`` in Chebyshev polynomials, ``[m, j]``; all dyadic, hence exact."""
    matrix = np.zeros((count, count))
    for j in range(count):
        for m in range(j % 2, j + 1, 2):
            matrix[m, j] = math.comb(j, (j - m) // 2) * 2.0 ** ((1 if m else 0) - j)
    return matrix


@cache
def _halving() -> Array:
    """Coefficients on the left and right half from those on the whole: ``[2, k, j]``."""
    count = ORDER + 1
    matrix = np.zeros((2, count, count))
    for half, sign in enumerate((-1.0, 1.0)):
        for k in range(count):
            for j in range(k, count):
                matrix[half, k, j] = math.comb(j, k) * sign ** (j - k) * 2.0**-j
    return matrix
