"""Choose the cells of a table so that its certified error meets a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from qrun_equiv.errors import FormalError
from qrun_equiv.scale.certified_pieces import Element, Model
from qrun_equiv.scale.certified_tables import TERMS, UNIT, Kind, built, certified
from qrun_equiv.scale.piecewise import Grid

Choice = Literal["auto", "linear", "cubic", "septic"]
_SHARE = 64  # of the tolerance: what the model may miss
_TURNS = 1024  # of the tolerance: what reducing by a period may add, a quarter of it at most
_LOWEST, _HIGHEST, _DEEPEST = -40, 30, 24  # powers of two: of the first boxes; halvings
_JUMP = 3  # halvings of the step at once
_ROUNDS = 3  # of a closer look at a table that will do


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certified of a table; all of it floats, so that a tensor can keep it.

    Attributes:
        step: width of a cell, a power of two (radians).
        first: number of the first cell, which begins at ``first * step``.
        cells: number of cells.
        period: arguments are reduced by it; 0 for none.
        low: arguments in ``[low, high]`` are covered.
        high: see ``low``.
        bound: of ``|computed - g(x)|``, for every float x in ``[low, high]`` and every output.
        slope: of ``|g'|``, a step further than the covered arguments (everywhere, with a period).
        size: of ``|g|``, likewise.
    """

    step: float
    first: int
    cells: int
    period: float
    low: float
    high: float
    bound: float
    slope: float
    size: float

    @property
    def grid(self) -> Grid:
        """The cells."""
        return Grid(self.step, self.first, self.cells, self.period)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a table is for.

    Attributes:
        dtype: that it is evaluated in, float32 or float64.
        low: smallest argument, a number of that dtype.
        high: largest argument, likewise.
        period: of the function; then ``low`` and ``high`` are half a period from 0.
        fastest: largest scale, radians per radian: it sets the size of the first cells.
        tolerance: largest error allowed.
        kind: of polynomials.
        most: largest number of cells.
    """

    dtype: torch.dtype
    low: float
    high: float
    period: float
    fastest: float
    tolerance: float
    kind: Choice
    most: int


def tabulate(element: Element, demand: Demand) -> tuple[Tensor, Certificate]:
    """A table ``[cells, terms, k]`` of an element, in the dtype asked for, and its certificate.

    Args:
        element: maps ``[n]`` to ``[n, k]`` in float64, each entry by the same function g.
        demand: what is asked of the table.

    Raises:
        ValueError: the tolerance can't be met: in this dtype, or with this many cells.
        FormalError: the element does something that can't be followed, or is too wild.
    """
    level = -math.ceil(math.log2(demand.fastest)) if demand.fastest else 0
    level = min(max(level, _LOWEST), _HIGHEST)
    exponent = level + 1
    grid = _grid(demand, exponent)
    _check_count(grid.cells, demand)
    ends = grid.first * grid.step, (grid.first + grid.cells) * grid.step
    model = Model(element, *ends, level)
    target = demand.tolerance / _SHARE
    model.refine(target, level - 4)
    if not model.kinked:
        model.refine(target, level - _DEEPEST)
    default: Kind = "linear" if model.kinked else "septic"
    kind = default if demand.kind == "auto" else demand.kind
    return _refined(element, model, demand, kind, exponent)


def _refined(
    element: Element, model: Model, demand: Demand, kind: Kind, exponent: int
) -> tuple[Tensor, Certificate]:
    """Halve the step until the bound meets the tolerance."""
    order = 1 if model.kinked else TERMS[kind]
    previous, jump = math.inf, 0
    while True:
        grid = _grid(demand, exponent)
        if model.kinked:  # kinks are never smooth: boxes as small as the cells, and no smaller
            model.refine(demand.tolerance / _SHARE, exponent)
        reach = _reach(demand, _finite(model.slope()))
        coefs = built(element, kind, grid).to(demand.dtype)
        bound = certified(model, coefs, grid, reach)
        if bound <= demand.tolerance:
            return coefs, _tightened(model, coefs, demand, grid, reach, bound)
        # one rounding of the coefficient and one of the sum, and what the model can't know
        floor = 2 * UNIT[demand.dtype] * _finite(model.size())
        floor += 0.0 if model.kinked else model.rest()
        stuck = bound < 32 * floor and bound > 0.75 * previous
        if floor >= demand.tolerance or stuck:
            _refuse_tolerance(demand, max(floor, min(bound, previous)) if stuck else floor)
        excess = (bound - floor) / (demand.tolerance - floor)
        slow = jump > 0 and bound > previous * 2.0 ** (-1.5 * jump)
        jump = math.ceil(math.log2(min(max(excess, 1.5), 2.0**60)) / order)
        needed = _grid(demand, exponent - jump).cells
        previous, jump = bound, min(jump, _JUMP)
        while jump > 1 and _grid(demand, exponent - jump).cells > demand.most:
            jump -= 1
        lost = slow and model.kinked and needed > 4 * demand.most
        _check_count(needed if lost else _grid(demand, exponent - jump).cells, demand, needed)
        exponent -= jump


def _tightened(
    model: Model, coefs: Tensor, demand: Demand, grid: Grid, reach: float, bound: float
) -> Certificate:
    """The certificate, from a model that is much closer to the function than the table is."""
    for _ in range(0 if model.kinked else _ROUNDS):
        model.refine(bound / _SHARE, min(model.levels) - 2)
        before, bound = bound, min(bound, certified(model, coefs, grid, reach))
        if bound > 0.8 * before:
            break
    low, high = (-reach, reach) if demand.period else (demand.low, demand.high)
    facts = (grid.step, grid.first, grid.cells, grid.period, low, high)
    return Certificate(*facts, bound, model.slope(), model.size())


def _finite(bound: float) -> float:
    if not math.isfinite(bound):
        msg = "the function has no finite bound over this range of phases; take a smaller one"
        raise FormalError(msg)
    return bound


def _grid(demand: Demand, exponent: int) -> Grid:
    """Cells over the range, and one more at both ends."""
    step = 2.0**exponent
    first, last = (math.floor(end / step) for end in (demand.low, demand.high))
    return Grid(step, first - 1, last - first + 3, demand.period)


def _reach(demand: Demand, slope: float) -> float:
    """Largest argument that the period reduces without harm; infinite without a period."""
    if not demand.period:
        return math.inf
    reach = demand.tolerance / _TURNS * 2.0**50 / max(slope, 2.0**-50)
    limited = min(max(reach, demand.period), 2.0**40 * demand.period)
    return float(torch.tensor(limited, dtype=demand.dtype))


def _check_count(cells: int, demand: Demand, needed: int = 0) -> None:
    if cells > demand.most:
        width = demand.high - demand.low
        msg = (
            f"a table of tolerance {demand.tolerance:g} over {width:.4g} radians takes about "
            f"{max(needed, cells)} cells, and the limit is {demand.most}: raise the "
            "tolerance or most_cells, or take a smaller range of phases"
        )
        raise ValueError(msg)


def _refuse_tolerance(demand: Demand, floor: float) -> None:
    name = str(demand.dtype).removeprefix("torch.")
    advice = "compile the module in float64, or " if demand.dtype == torch.float32 else ""
    msg = (
        f"tolerance {demand.tolerance:g} is below what {name} reaches for this function, about "
        f"{floor:.2g}; {advice}raise the tolerance"
    )
    raise ValueError(msg)
