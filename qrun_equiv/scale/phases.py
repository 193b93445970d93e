"""Phases in quarter turns with twice the precision of float64, by torch operations.

A phase ``g . x`` of 10^4 radians, rounded to float64, is known to 10^-12 only. Here ``2 g / pi`` is
kept as a sum of two numbers and whole turns are taken off before anything is rounded, so that the
rest has all its digits (Dekker, Numer. Math. 18, 224, 1971). ``lanes.hpp`` does so in C++.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Phases of more quarter turns give NaN: one rounding of a product is a visible angle there.
REACH = 2.0**48

_SPLIT = 134217729.0  # 2^27 + 1: halves a float64's digits
_QUARTERS = (0.6366197723675814, -3.935735335036497e-17)  # 2 / pi, rounded, and what is missing


def reduced(x: Tensor, generators: Tensor, *, look: bool = True) -> Tensor:
    """Phases in quarter turns, less whole turns: ``[n, m]``, differentiable.

    The product of two halves of a float64's digits is exact, and so is the difference of what is
    nearly equal: the last digits are those of ``high`` and ``low`` together. Features that no phase
    reads are left out where numbers may be looked at (``look``).
    """
    high, low = turns_of(generators)
    high, low = high / 4, low / 4  # whole turns
    total = x.new_zeros((len(x), len(generators)))
    for j in range(x.shape[1]):
        used = generators[:, j] != 0
        if look and not bool(used.any()):
            continue  # a feature that is not read may be NaN
        column, h, e = x[:, j, None], high[:, j], low[:, j]
        whole = torch.round((column * h).detach())
        (a, b), (c, d) = _halves(column), _halves(h)
        part = (((a * c - whole) + a * d) + b * c) + b * d + column * e
        total = total + torch.where(used, part, 0.0)
        far = ~((column * h).detach().abs() < REACH / 4) & used
        total = torch.where(far, torch.nan, total)
    return 4 * (total - torch.round(total.detach()))


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """``x`` as a sum of two numbers of 26 digits; the derivative goes with the first."""
    exact = x.detach()
    shifted = exact * _SPLIT
    low = exact - (shifted - (shifted - exact))
    return x - low, low


def turns_of(generators: Tensor) -> tuple[Tensor, Tensor]:
    """``2 g / pi``: quarter turns per unit, as a rounded float64 and what is missing to it."""
    high = generators * _QUARTERS[0]
    exact = generators.detach()
    (a, b), (c, d) = _halves(exact), _halves(torch.full_like(exact, _QUARTERS[0]))
    rest = ((a * c - high.detach()) + a * d + b * c) + b * d
    return high, rest + exact * _QUARTERS[1]
