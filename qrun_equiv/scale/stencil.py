"""Polynomials of degree 7 through eight knots, and how far they are from the function.

With step h, between the two middle knots, to leading order

    values  are off by at most 1.07e-3 h^8 max |g^(8)|,    slopes  by h^7 max |g^(8)| / 280:

the node polynomial over 8! in the middle of the cell, and its derivative at the ends (Hildebrand,
Introduction to Numerical Analysis, chapters 2 and 3). ``h^8 g^(8)`` is measured: it is the eighth
difference of the knot values.
"""

from __future__ import annotations

import math
from fractions import Fraction

import torch
from torch import Tensor

from qrun_equiv.scale.piecewise import TERMS, Grid

NOISE = 1e-12  # of eighth differences in float64, over max |g|
_ROUNDING = 2.0**-50  # of first differences
_VALUE, _SLOPE = 43.07 / 40320, 1 / 280  # errors over the eighth difference
_SAFETY = 2.0


def knots_of(grid: Grid, device: torch.device) -> Tensor:
    """The knots (radians): those of the cells, and three more at both ends."""
    start, count = grid.first - TERMS // 2 + 1, grid.cells + TERMS - 1
    return torch.arange(start, start + count, dtype=torch.float64, device=device) * grid.step


def coefficients(values: Tensor) -> tuple[Tensor, float, float]:
    """Polynomials through knot values ``[cells + 7, k]``: ``[cells, 8, k]``.

    Also estimates their relative error, and what rounding adds to it in slopes (more with smaller
    steps, nothing for constants, whose slopes have no size to compare with).
    """
    stencil = torch.tensor(_STENCIL, dtype=torch.float64, device=values.device)
    table = torch.einsum("nki,ji->njk", values.unfold(0, TERMS, 1), stencil)
    with torch.no_grad():
        eighth = torch.diff(table[:, -1], dim=0).abs().amax() * math.factorial(TERMS - 1)
        size, first = values.abs().amax(), torch.diff(values, dim=0).abs().amax()
        largest, scale, slope = torch.stack((eighth, size, first)).tolist()
    rounding = _ROUNDING * scale / slope if slope else 0.0
    largest = max(0.0, largest - NOISE * scale)
    if not largest:
        return table, 0.0 if math.isfinite(scale) else math.inf, rounding
    error = _SAFETY * max(_VALUE * largest / scale, _SLOPE * largest / slope)
    return table, error if math.isfinite(error) else math.inf, rounding


def _lagrange() -> list[list[float]]:
    """Coefficient of ``t^j`` in the polynomial that is 1 at knot i and 0 at the others: [j][i]."""
    nodes = [Fraction(2 * i + 1 - TERMS, 2) for i in range(TERMS)]
    columns = []
    for node in nodes:
        poly = [Fraction(1)]
        for other in nodes:
            if other != node:
                shifted, scaled = [Fraction(0), *poly], [other * c for c in poly] + [Fraction(0)]
                poly = [(a - b) / (node - other) for a, b in zip(shifted, scaled, strict=True)]
        columns.append(poly)
    return [[float(poly[j]) for poly in columns] for j in range(TERMS)]


_STENCIL = _lagrange()
