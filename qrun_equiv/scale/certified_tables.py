"""Tables of piecewise polynomials, and a rigorous bound of how far they are from the function.

The bound is of what runs: the table as stored, float32 or float64, evaluated by
:func:`qrun_equiv.scale.piecewise.evaluate`. For an argument x in cell i, with place t, table
polynomial p_i and function g,

    |computed - g(x)| <= max over cell i of |p_i - g|    exact algebra, from a model of g
                       + sum_j gamma_(2j+1) |p_ij| |t|^j  Horner's rounding (Higham, Accuracy and
                                                          Stability, 2nd ed., section 5.1)
                       + d max |p_i'|                     the place, rounded to the table's dtype
                       + 2 d' (max |p_i'| + h max |g'|)   the place in float64, with the period's

with ``gamma_n = n u / (1 - n u)``. The places are those of
:class:`~qrun_equiv.scale.piecewise.Grid`: float64 arithmetic, then one cast. With or without fused
multiply-add, on any device.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.scale.certified_jets import TINY, UP, Array
from qrun_equiv.scale.certified_pieces import Element, Model, Pieces, chebyshev_sum, highest
from qrun_equiv.scale.piecewise import Grid

Kind = Literal["linear", "cubic", "septic"]
TERMS: dict[str, int] = {"linear": 2, "cubic": 4, "septic": 8}

_U = 2.0**-53
UNIT = {torch.float32: 2.0**-24, torch.float64: _U}
_SMALLEST = {torch.float32: 2.0**-120, torch.float64: TINY}  # above what underflow loses
#: Error of a place once it is cast; float32 places computed without float64 have less than it.
_CAST = {torch.float32: 2.0**-25, torch.float64: 2.0**-52}
_PLACE = 2.0**-51  # error of a place in float64
_REDUCED = 2.0**-50  # error of a reduced argument, over the argument before
_CHUNK = 1 << 13
_LARGE = 0.25  # of the largest distance: these are looked at more closely


def built(element: Element, kind: Kind, grid: Grid) -> Tensor:
    """Coefficients in float64, ``[cells, terms, k]``, from values of g at points of each cell.

    ``"linear"`` takes the ends, ``"cubic"`` (Hermite) the slopes there, too, and ``"septic"`` the
    eight Chebyshev points from end to end. All are continuous.
    """
    ends = torch.arange(grid.first, grid.first + grid.cells + 1, dtype=torch.float64) * grid.step
    if kind == "septic":
        points = torch.from_numpy(-np.cos(np.pi * np.arange(8) / 7))
        x = (ends[:-1] + 0.5 * grid.step)[:, None] + 0.5 * grid.step * points
        values = torch.cat([element(part.reshape(-1)) for part in torch.split(x, _CHUNK)])
        return torch.einsum("jp,npc->njc", _septic(), values.reshape(len(x), 8, -1))
    if kind == "linear":
        values = torch.cat([element(part) for part in torch.split(ends, _CHUNK)])
        return torch.stack(((values[:-1] + values[1:]) / 2, values[1:] - values[:-1]), 1)
    pairs = [_with_slope(element, part) for part in torch.split(ends, _CHUNK)]
    values, slopes = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    v, s = (values[:-1], values[1:]), (slopes[:-1] * grid.step, slopes[1:] * grid.step)
    rise = v[1] - v[0]
    rows = (
        (v[0] + v[1]) / 2 + (s[0] - s[1]) / 8,
        1.5 * rise - (s[0] + s[1]) / 4,
        (s[1] - s[0]) / 2,
        s[0] + s[1] - 2 * rise,
    )
    return torch.stack(rows, 1)


def certified(model: Model, coefs: Tensor, grid: Grid, reach: float) -> float:
    """Bound ``|computed - g(x)|`` over all cells, from a model that covers them.

    Args:
        model: of the function; its boxes need not be the cells.
        coefs: the table as it will be evaluated, ``[cells, terms, k]``, float32 or float64.
        grid: its cells; the step is a power of two.
        reach: largest absolute argument, where there is a period.
    """
    table = coefs.double().cpu().numpy()
    rounding = _rounding(table, grid, reach, model.slope(), coefs.dtype)
    exponent = round(math.log2(grid.step))
    worst, covered = 0.0, 0.0
    for level, pieces in model.levels.items():
        for start in range(0, len(pieces), _CHUNK):
            some = np.zeros(len(pieces), dtype=bool)
            some[start : start + _CHUNK] = True
            shares = _Shares(pieces.cut(some), level, exponent, grid)
            covered += len(shares.cell) * shares.width
            if len(shares.cell):
                found = shares.distance(table) + rounding[shares.cell]
                worst = max(worst, float(np.max(found)) if not np.isnan(found).any() else np.inf)
    if covered != grid.cells:
        msg = f"the model covers {covered} of {grid.cells} cells"  # a mistake of the caller
        raise AssertionError(msg)
    return worst * UP


class _Shares:
    """Boxes of one level, each within one cell: the finer of the two grids."""

    def __init__(self, pieces: Pieces, level: int, exponent: int, grid: Grid) -> None:
        while level > exponent:
            pieces, level = pieces.halves(), level - 1
        ratio = 2 ** (exponent - level)  # boxes a cell
        cell = pieces.index // ratio - grid.first
        inside = (cell >= 0) & (cell < grid.cells)
        self.pieces, self.cell = pieces.cut(inside), cell[inside]
        self.width = 1.0 / ratio
        #: Place of each box's middle in its cell.
        self.middle = (self.pieces.index % ratio + 0.5) * self.width - 0.5

    def distance(self, table: Array) -> Array:
        """Bound of ``|p - g|`` on each box, ``[n, k]``."""
        rows = table[self.cell]
        moved = np.einsum("nkj,njc->nkc", _shift(rows.shape[1], self.middle, self.width), rows)
        gap = self.pieces.coefs.copy()
        gap[:, : rows.shape[1]] -= moved
        # each is a sum of at most 8 terms of at most 10 roundings, then one difference
        halved = np.abs(rows) * 0.5 ** np.arange(rows.shape[1])[:, None]
        slack = 40 * _U * halved.sum(axis=1) + 4 * _U * np.abs(self.pieces.coefs).sum(axis=1)
        sums = chebyshev_sum(gap)
        if self.width < 1 or rows.shape[1] > 4:  # lines and cubics on whole cells are close
            large = np.any(sums > _LARGE * sums.max(), axis=1)
            sums[large] = np.minimum(sums[large], highest(gap[large]))
        return np.asarray((sums + self.pieces.rest + slack) * UP + TINY)


def _rounding(table: Array, grid: Grid, reach: float, slope: float, dtype: torch.dtype) -> Array:
    """The last three lines of the bound, ``[cells, k]``."""
    terms, unit = table.shape[1], UNIT[dtype]
    order = np.arange(terms)[:, None]
    gamma = (2 * order + 1) * unit / (1 - (2 * order + 1) * unit)
    slack = 1 + 2.0**-20  # places computed are up to 1/2 + _CAST
    horner = (gamma * np.abs(table) * 0.5**order * slack).sum(axis=1)
    steep = (order[1:] * np.abs(table[:, 1:]) * 0.5 ** (order[1:] - 1) * slack).sum(axis=1)
    place = _PLACE + (_REDUCED * reach / grid.step if grid.period else 0.0)
    moved = _CAST[dtype] * steep + 2 * place * (steep + grid.step * slope)
    return np.asarray((horner + moved) * UP + terms * _SMALLEST[dtype])


def _shift(terms: int, middle: Array, width: float) -> Array:
    """``t^j`` in powers of ``tau``, ``t = middle + tau width / 2``: ``[n, k, j]``."""
    matrix = np.zeros((len(middle), terms, terms))
    for k in range(terms):
        for j in range(k, terms):
            matrix[:, k, j] = math.comb(j, k) * middle ** (j - k) * (width / 2) ** k
    return matrix


def _with_slope(element: Element, x: Tensor) -> tuple[Tensor, Tensor]:
    """Values and derivatives, ``[n, k]`` both."""
    with torch.enable_grad():
        x = x.clone().requires_grad_(True)
        values = element(x)
        columns = [
            torch.autograd.grad(column.sum(), x, retain_graph=True)[0]
            for column in values.unbind(-1)
        ]
    return values.detach(), torch.stack(columns, -1)


def _septic() -> Tensor:
    """Coefficients in ``t`` from values at the eight Chebyshev points: ``[8, 8]``."""
    angles = np.pi * np.arange(8) / 7
    ends = np.where(np.isin(np.arange(8), (0, 7)), 0.5, 1.0)
    # discrete cosine transform; points ascend, so T_m takes the sign (-1)^m
    waves = 2 / 7 * ends[:, None] * ends * np.cos(np.outer(np.arange(8), angles))
    waves *= (-1.0) ** np.arange(8)[:, None]
    powers = np.zeros((8, 8))  # [j, m]: T_m in powers of tau
    powers[0, 0] = powers[1, 1] = 1.0
    for m in range(2, 8):
        powers[1:, m] = 2 * powers[:-1, m - 1]
        powers[:, m] -= powers[:, m - 2]
    return torch.from_numpy(2.0 ** np.arange(8)[:, None] * (powers @ waves))
