"""One function of one variable at many arguments: evaluate it at knots, interpolate elsewhere.

A Q-RUN layer with shared scales is ``nn.Linear`` followed by one function g: R -> R^k of the phase.
A batch has millions of phases, and g is smooth: it is evaluated at a few hundred or thousand knots,
in float64, and between them by the polynomial of degree 7 through the eight nearest knots. With
step h the error of the values is of order h^8 and that of the slopes h^7
(:mod:`qrun_equiv.scale.stencil`). It is estimated at every call, and the step follows it; at every
new step g itself is compared between the knots. These are estimates, no bounds.

Gradients flow to the phases by the interpolant's slope, and to the knot values, from there through
g at the knots alone, by summing moments a cell. Second derivatives with respect to the phases are
those of g itself, at every phase.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import torch
from torch import Tensor, nn

from qrun_equiv.scale.interpolation import Interpolation, called, real_of
from qrun_equiv.scale.paths import obstacle
from qrun_equiv.scale.piecewise import TERMS, Grid, evaluate
from qrun_equiv.scale.stencil import NOISE, coefficients, knots_of

MOST_KNOTS = 1 << 17
#: Largest relative error of values and slopes asked for by default, by the dtype of the arguments;
#: for the short ones it is well below their rounding.
TOLERANCES = {
    torch.float32: 3e-7, torch.float64: 3e-11, torch.bfloat16: 1e-4, torch.float16: 3e-5,
}  # fmt: skip
_SHORT = (torch.bfloat16, torch.float16)
FEWEST = 1 << 13  # elements; below, evaluating g at all of them is as fast
#: Elements a knot, at least: a knot is evaluated in float64, and its graph is kept.
_SHARE = {torch.float64: 2}
_SHARE_SHORTER = 4
_START, _WIDEST = -4, 0  # powers of two: the first step, and the widest (radians)
_LONGEST = 512  # fastest scale over the common one; beyond it there is no short period
_REMEMBERED = 1 << 10  # calls that may be repeated by the backward pass
_State = tuple[int, bool, int, int, int]
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Route:
    """How one call was computed.

    Attributes:
        path: by knots, or g at every element.
        reason: why, in words.
        knots: number of knots, 0 on the exact path.
        step: their distance, radians.
        error: estimated largest relative error of values and slopes, rounding aside.
    """

    path: Literal["knots", "exact"]
    reason: str
    knots: int = 0
    step: float = 0.0
    error: float = 0.0


class _NoKnotsError(Exception):
    """Knots can't serve here; the message says why."""


def common_period(scales: Sequence[float]) -> float:
    """Period of all functions of ``cos s x, sin s x``, exactly these floats; 0 if none is short.

    Not for the derivatives with respect to the scales themselves, which are not periodic.
    """
    found = [abs(Fraction(s)) for s in scales if s]
    if not found:
        return 0.0
    unit = Fraction(
        math.gcd(*(q.numerator for q in found)), math.lcm(*(q.denominator for q in found))
    )
    return 2 * math.pi / float(unit) if max(found) <= _LONGEST * unit else 0.0


class Knots:
    """Evaluates a pointwise module at many arguments; the step is kept from call to call.

    Where knots can't serve, the module itself is called, and :attr:`last` says why: few elements,
    non-finite arguments, more knots than allowed (a wild function, or arguments far apart: it warns
    once), tracing and export (``torch.compile`` has :mod:`~qrun_equiv.scale.knots_op`), function
    transforms, forward-mode derivatives, replicas of ``nn.DataParallel``, the capture of CUDA
    graphs. Gradient checkpointing and threads that share a layer may go by knots.

    Arguments in bfloat16 or float16, under autocast too, are computed with in float32, and values
    and their gradients rounded once.

    Attributes:
        tolerance: largest relative error of values and slopes, as estimated; None is
            :data:`TOLERANCES` of the dtype.
        most: largest number of knots.
        always: use knots for few elements, too.
        last: how the last call was computed.
    """

    def __init__(
        self, *, tolerance: float | None = None, most: int = MOST_KNOTS, always: bool = False
    ) -> None:
        """Start with a step of 1/16 radians.

        Raises:
            ValueError: the tolerance is below 1e-12, or ``most`` below 16.
        """
        if tolerance is not None and not 1e-12 <= tolerance < 1:
            msg = f"tolerance must be at least 1e-12 and below 1, got {tolerance!r}"
            raise ValueError(msg)
        if most < 2 * TERMS:
            msg = f"most must be at least {2 * TERMS} knots, got {most!r}"
            raise ValueError(msg)
        self.tolerance, self.most, self.always = tolerance, most, always
        self.last: Route | None = None
        self._exponent, self._checked = _START, False
        self._skip = self._wait = self._failed = 0
        self._warned = False
        self._begun: dict[tuple[Any, ...], _State] = {}
        self._returned: dict[tuple[Any, ...], torch.dtype] = {}

    def __call__(
        self, element: nn.Module, phi: Tensor, period: float | Callable[[], float] = 0.0
    ) -> Tensor:
        """Values of the module at arguments of any shape.

        Args:
            element: maps ``[...]`` to ``[..., k]``, each entry by the same function g.
            phi: arguments (radians), ``[...]``.
            period: a period of g and of its derivatives with respect to every parameter that is
                trained, used where the arguments spread further; 0 for none. Or a function that
                tells it, asked only where knots may serve.

        Returns:
            ``[..., k]``, differentiable like ``element(phi)``.
        """
        tensors = {**dict(element.named_parameters()), **dict(element.named_buffers())}
        reason = obstacle(element, phi, tensors) or self._unfit(phi)
        if not reason:
            phi = self._as_returned(element, tensors, phi)
            seen = _looked_at(phi)
            one, repeated = self._begin((phi.numel(), phi.dtype, *seen))
            try:
                known = period() if callable(period) else period
                grid, table = one._tabulate(element, tensors, phi, known, *seen[:2])  # noqa: SLF001 (a copy)
            except _NoKnotsError as error:
                reason = str(error)
                self._warn(reason)
            self.last = one.last
            if not repeated:
                self._go_on_from(one._state())  # noqa: SLF001 (a copy)
        if reason:
            self.last = Route("exact", reason)
            result: Tensor = element(phi)
            return result
        named = [part for item in tensors.items() for part in item]
        flat: Tensor = Interpolation.apply(phi.reshape(-1), table, grid, element, *named)  # type: ignore[no-untyped-call]
        return flat.reshape(*phi.shape, -1)

    def _unfit(self, phi: Tensor) -> str:
        if phi.dtype not in TOLERANCES:
            return f"the arguments are {phi.dtype}"
        few = not phi.numel() or (phi.numel() < FEWEST and not self.always)
        return f"{phi.numel()} elements are few" if few else ""

    def _as_returned(self, element: nn.Module, tensors: dict[str, Tensor], phi: Tensor) -> Tensor:
        """Short arguments in the dtype of the module's values: autocast leaves some in float32."""
        if phi.dtype not in _SHORT:
            return phi
        kind = phi.device.type
        casts, to = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)
        call = (phi.dtype, casts, to, frozenset(t.dtype for t in tensors.values()))
        if call not in self._returned:
            # not cached: weights cast here would have no gradient later on
            cast = torch.autocast(kind, dtype=to, enabled=casts, cache_enabled=False)
            with torch.no_grad(), cast:
                self._returned[call] = element(phi.detach().reshape(-1)[:1]).dtype
        return phi.to(self._returned[call])

    def _begin(self, call: tuple[Any, ...]) -> tuple[Knots, bool]:
        """What makes one call: a copy, since threads may share a layer; and whether it repeats one.

        The step follows the calls before. A call that a backward pass repeats (gradient
        checkpointing) begins where it did the first time, so that it saves the same tensors.
        """
        made = copy.copy(self)
        inside = torch._C._current_graph_task_id() != -1  # noqa: SLF001 (no public question)
        begun = self._begun.get(call) if inside else None
        if begun is not None:
            made._go_on_from(begun)  # noqa: SLF001 (a copy)
        elif torch.is_grad_enabled() and not inside:
            self._begun.pop(call, None)
            self._begun[call] = self._state()
            if len(self._begun) > _REMEMBERED:
                self._begun.pop(next(iter(self._begun)), None)
        return made, begun is not None

    def _state(self) -> _State:
        return self._exponent, self._checked, self._skip, self._wait, self._failed

    def _go_on_from(self, state: _State) -> None:
        self._exponent, self._checked, self._skip, self._wait, self._failed = state

    def _tabulate(
        self,
        element: nn.Module,
        tensors: dict[str, Tensor],
        phi: Tensor,
        period: float,
        low: float,
        high: float,
    ) -> tuple[Grid, Tensor]:
        if not math.isfinite(high - low):
            msg = "some arguments are not finite"
            raise _NoKnotsError(msg)
        tolerance = self.tolerance or TOLERANCES[phi.dtype]
        if self._skip and phi.numel() <= self._failed:
            self._skip -= 1
            msg = "the function was too wild when last tried"
            raise _NoKnotsError(msg)
        # reducing large arguments rounds: by about 2^-52 of them, in radians
        reducible = 2.0**-52 * max(abs(low), abs(high)) <= tolerance / 64
        wrap = 0.0 < period < high - low and reducible
        ends = (-period / 2, period / 2) if wrap else (low, high)
        exact = {name: t.double() if t.is_floating_point() else t for name, t in tensors.items()}
        start, turns = self._exponent, period if wrap else 0.0
        while True:
            grid = self._grid(ends, turns, phi, refined=self._exponent < start)
            values = called(element, exact, knots_of(grid, phi.device))
            table, error, rounding = coefficients(values)
            if rounding > tolerance:
                msg = "the function varies too little beside its size"
                raise _NoKnotsError(msg)
            if error <= tolerance and self._confirmed(element, exact, grid, table, tolerance):
                break
            ratio = max(2.0, error / tolerance)
            if not math.isfinite(error):
                msg = "the function is not finite at some knots"
                raise _NoKnotsError(msg)
            # beyond the eighth order's promise nothing is known: at most three halvings at once
            self._exponent -= min(3, math.ceil(math.log2(ratio) / TERMS))
            self._checked = False
        self._wait = 0
        reason = "the function is smooth enough"
        self.last = Route("knots", reason, grid.cells + TERMS - 1, grid.step, error)
        if error < tolerance * 2.0 ** -(TERMS + 2) and self._exponent < _WIDEST:
            # wider next time, with room to stay there
            self._exponent, self._checked = self._exponent + 1, False
        return grid, table.to(real_of(phi))

    def _grid(
        self, ends: tuple[float, float], period: float, phi: Tensor, *, refined: bool
    ) -> Grid:
        """Cells over a range at the present step, if they are not too many."""
        step = 2.0**self._exponent
        first, last = (math.floor(end / step) for end in ends)
        if period:  # reducing an argument may round it past an end
            first, last = first - 1, last + 1
        cells = max(2, last - first + 1)  # one eighth difference, at least
        count, width = cells + TERMS - 1, ends[1] - ends[0]
        worth = count if self.always else phi.numel() // _SHARE.get(phi.dtype, _SHARE_SHORTER)
        if count <= min(self.most, worth):
            return Grid(step, first, cells, period)
        if refined:  # in vain: try again later, from the start
            self._wait = min(1000, 2 * self._wait + 1)
            self._skip, self._failed = self._wait, phi.numel()
            self._exponent, self._checked = _START, False
        if count > self.most:
            msg = f"{count} knots over {width:.3g} radians are more than the {self.most} allowed"
            raise _NoKnotsError(msg)
        msg = f"{count} knots over {width:.3g} radians are many for {phi.numel()} elements"
        raise _NoKnotsError(msg)

    def _confirmed(
        self,
        element: nn.Module,
        exact: dict[str, Tensor],
        grid: Grid,
        table: Tensor,
        tolerance: float,
    ) -> bool:
        """Whether g agrees between the knots; asked at a new step (aliases fool differences)."""
        if self._checked:
            return True
        with torch.no_grad():
            index = torch.arange(grid.cells, dtype=torch.float64, device=table.device)
            # one place a cell, spread evenly: multiples of the golden section
            x = (grid.first + index + torch.frac(index * _GOLDEN)) * grid.step
            wanted = called(element, exact, x)
            found = evaluate(x, table.detach(), Grid(grid.step, grid.first, grid.cells))
            scale = float(wanted.abs().amax())
            self._checked = float((found - wanted).abs().amax()) <= (tolerance + NOISE) * scale
        return self._checked

    def _warn(self, reason: str) -> None:
        if not self._warned and "allowed" in reason:
            self._warned = True
            advice = "evaluated at every element instead, which is slower"
            warnings.warn(f"{reason}; {advice}", RuntimeWarning, stacklevel=4)


def _looked_at(phi: Tensor) -> tuple[float, ...]:
    """Smallest and largest argument, and eight others that tell calls apart; a GPU waits once."""
    flat = phi.detach().reshape(-1)
    some = flat[:: max(1, len(flat) // 8)][:8]
    return tuple(torch.cat((torch.stack(torch.aminmax(flat)), some)).tolist())
