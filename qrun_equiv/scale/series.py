"""Trigonometric sums at many points, in one pass: exact counterparts at fixed parameters.

``f_o(x) = sum_t a_to cos(n_t . p) + b_to sin(n_t . p)`` with phases ``p_j = g_j . x`` (radians),
*generators* ``g_j`` and whole vectors ``n_t``: one feature with frequencies 0, w, .. N w has one
generator, w; unrelated frequencies have one each. Cosine and sine are taken once a generator, and
their multiples by products. Phases are reduced with twice the precision of float64, so that large
arguments cost no digits; all arithmetic is float64, whatever the dtype of ``x``.

On a CPU with a C++ compiler ``series.cpp`` does the work; elsewhere torch operations do.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.scale.compiled import library
from qrun_equiv.scale.paths import watcher
from qrun_equiv.scale.phases import reduced, turns_of

Integers = NDArray[np.int64]

_NAMES = {torch.float32: "f32", torch.float64: "f64"}
_SET, _MUL, _ADD, _ONE = range(4)  # the instructions of series.cpp
_CHUNK = {"cpu": 1 << 18}  # angles a pass of the torch operations: some caches' size
_WIDE = 1 << 26  # elsewhere


@dataclass(frozen=True, eq=False)
class Plan:
    """In which order the terms are gone through.

    Attributes:
        points: the whole vectors, int64 ``[terms, m]``, ascending, the first entry that is not 0
            positive.
        lowest, highest: powers of each generator, int32 ``[m]``.
        code: the instructions, int32 ``[size, 3]``; see ``series.cpp``.
    """

    points: Integers
    lowest: NDArray[np.int32]
    highest: NDArray[np.int32]
    code: NDArray[np.int32]

    @property
    def width(self) -> int:
        """Number of powers in the table."""
        return int((self.highest - self.lowest + 1).sum())


def plan_of(points: Integers) -> tuple[Plan, Integers, NDArray[np.float64]]:
    """The plan for frequencies ``points @ generators``, with those of opposite sign joined.

    Args:
        points: int64 ``[n, m]``, in any order, of either sign, with repeats or not.

    Returns:
        The plan; for each of the ``n`` its term; and the sign, 1 or -1, that its sine gets.
    """
    if not points.shape[1]:
        points = np.zeros((len(points), 1), dtype=np.int64)
    first = (points != 0).argmax(axis=1)
    sign = np.where(points[np.arange(len(points)), first] < 0, -1, 1)
    unique, index = np.unique(points * sign[:, None], axis=0, return_inverse=True)
    lowest = np.minimum(unique.min(axis=0), 0)
    highest = np.maximum(np.maximum(unique.max(axis=0), 0), -lowest)
    starts = np.concatenate([[0], np.cumsum(highest - lowest + 1)[:-1]]) - lowest
    code = np.array(list(_instructions(unique.tolist(), starts.tolist())), dtype=np.int32)
    plan = Plan(unique, lowest.astype(np.int32), highest.astype(np.int32), code)
    return plan, index.reshape(-1), sign.astype(np.float64)


def _instructions(points: list[list[int]], starts: list[int]) -> Iterator[tuple[int, int, int]]:
    """Terms that share all powers but the last are one instruction where they are neighbours."""
    for prefix, rows in groupby(points, key=lambda row: row[:-1]):
        factors = [starts[j] + n for j, n in enumerate(prefix) if n]
        last = [starts[-1] + row[-1] for row in rows]
        if factors and last == [starts[-1]]:
            last = [factors.pop()]  # no power of the last generator
        for k, index in enumerate(factors):
            yield (_MUL if k else _SET, index, 1)
        runs = groupby(enumerate(last), key=lambda entry: entry[1] - entry[0])
        for run in (list(entries) for _, entries in runs):
            yield (_ADD if factors else _ONE, run[0][1], len(run))


@torch.compiler.disable  # type: ignore[untyped-decorator]
def evaluate(x: Tensor, cosines: Tensor, sines: Tensor, generators: Tensor, plan: Plan) -> Tensor:
    """Values of the sum, differentiable in all tensors, to any order.

    Args:
        x: float32 or float64 ``[n, d]``.
        cosines: the coefficients ``a``, float64 ``[terms, o]``.
        sines: the coefficients ``b``, float64 ``[terms, o]``.
        generators: float64 ``[m, d]``, radians per unit of the feature.
        plan: over the same terms and generators.

    Returns:
        ``[n, o]`` in the dtype of ``x``; NaN where a phase is, or beyond
        :data:`qrun_equiv.scale.phases.REACH`.

    Raises:
        ValueError: sizes or dtypes that do not fit.
    """
    sizes = (len(plan.points), *cosines.shape[1:]), (plan.points.shape[1], *x.shape[1:])
    fits = cosines.shape == sines.shape == sizes[0] and generators.shape == sizes[1]
    exact = all(t.dtype == torch.float64 for t in (cosines, sines, generators))
    if not fits or not exact or x.dtype not in _NAMES or x.ndim != 2:
        msg = (
            f"x {list(x.shape)} {x.dtype}, coefficients {list(cosines.shape)} and generators "
            f"{list(generators.shape)} (float64) do not fit a plan of {plan.points.shape} points"
        )
        raise ValueError(msg)
    if watcher(x, cosines, sines, generators):
        return _by_torch(x, cosines, sines, generators, plan)
    values: Tensor = _Sum.apply(x, cosines, sines, generators, plan)  # type: ignore[no-untyped-call]
    return values


def slopes(cosines: Tensor, sines: Tensor, generators: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """Coefficients of the derivatives: ``[terms, o * c]`` for directions ``generators [m, c]``.

    With the generators themselves the directions are the features; with the identity the phases.
    """
    rates = torch.as_tensor(plan.points, device=cosines.device).double() @ generators
    turned = (sines[:, :, None] * rates[:, None]), (-cosines[:, :, None] * rates[:, None])
    return turned[0].flatten(1), turned[1].flatten(1)


class _Sum(torch.autograd.Function):
    """The sum; where ``x`` has a gradient, its slopes in the same pass."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, cosines: Tensor, sines: Tensor, generators: Tensor, plan: Plan
    ) -> Tensor:
        ctx.plan, outputs = plan, cosines.shape[1]
        if not ctx.needs_input_grad[0]:
            ctx.save_for_backward(x, cosines, sines, generators)
            return values_of(x, cosines, sines, generators, plan)
        more = slopes(cosines, sines, generators, plan)
        weights = [torch.cat(pair, 1) for pair in zip((cosines, sines), more, strict=True)]
        found = values_of(x, weights[0], weights[1], generators, plan)
        values = found[:, :outputs].contiguous()
        ctx.save_for_backward(x, cosines, sines, generators, found)
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        x, cosines, sines, generators, *found = ctx.saved_tensors
        plan, wanted = ctx.plan, ctx.needs_input_grad
        result: list[Tensor | None] = [None] * 5
        if wanted[0]:
            if torch.is_grad_enabled():
                jacobian = evaluate(x, *slopes(cosines, sines, generators, plan), generators, plan)
            else:
                jacobian = found[0][:, cosines.shape[1] :]
            result[0] = (grad[:, :, None] * jacobian.reshape(*grad.shape, -1)).sum(1)
        if wanted[1] or wanted[2]:
            result[1], result[2] = _moments(x, grad, generators, plan)
        if wanted[3]:
            identity = torch.eye(len(generators), dtype=torch.float64, device=x.device)
            turning = evaluate(x, *slopes(cosines, sines, identity, plan), generators, plan)
            phases = (grad[:, :, None] * turning.reshape(*grad.shape, -1)).sum(1)
            result[3] = phases.double().T @ x.double()
        return tuple(result)


def values_of(x: Tensor, cosines: Tensor, sines: Tensor, generators: Tensor, plan: Plan) -> Tensor:
    """:func:`evaluate` without derivatives."""
    functions = _library() if x.device.type == "cpu" else None
    if functions is None:
        return _by_torch(x, cosines, sines, generators, plan)
    x = x.contiguous()
    weights = torch.stack([cosines, sines], dim=-1).contiguous()
    width, threads = cosines.shape[1], _threads(x, functions)
    turns, scratch = _turns(generators), _scratch(plan, functions, threads)
    out = x.new_empty((len(x), width))
    call = getattr(functions, f"evaluate_{_NAMES[x.dtype]}")
    call(
        *_arguments(turns, plan), x.data_ptr(), len(x), weights.data_ptr(), width,
        out.data_ptr(), scratch.data_ptr(), threads,
    )  # fmt: skip
    return out


def _by_torch(x: Tensor, cosines: Tensor, sines: Tensor, generators: Tensor, plan: Plan) -> Tensor:
    parts = (_angles(rows, generators, plan) for rows in _chunks(x, plan))
    values = [torch.cos(part) @ cosines + torch.sin(part) @ sines for part in parts]
    return torch.cat(values).to(x.dtype)


def _moments(x: Tensor, grad: Tensor, generators: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """Gradients of the coefficients: sums over the rows of ``grad`` times cosine and sine."""
    functions = _library() if x.device.type == "cpu" else None
    if functions is None or torch.is_grad_enabled():
        cosine = sine = torch.zeros((), dtype=torch.float64, device=x.device)
        weights = _chunks(grad, plan)
        for rows, weight in zip(_chunks(x, plan), weights, strict=True):
            angles = _angles(rows, generators, plan)
            cosine = cosine + torch.cos(angles).T @ weight.double()
            sine = sine + torch.sin(angles).T @ weight.double()
        return cosine, sine
    x, grad = x.contiguous(), grad.contiguous()
    terms, width = len(plan.points), grad.shape[1]
    threads = min(_threads(x, functions), max(1, len(x) // max(1, terms)))
    turns, scratch = _turns(generators), _scratch(plan, functions, threads)
    size = (threads, terms, width, 2, functions.lanes_of_a_register())
    sums = torch.zeros(size, dtype=torch.float64)
    call = getattr(functions, f"moments_{_NAMES[x.dtype]}")
    call(
        *_arguments(turns, plan), x.data_ptr(), len(x), grad.data_ptr(), width, terms,
        sums.data_ptr(), scratch.data_ptr(), threads,
    )  # fmt: skip
    total = sums.sum(dim=(0, 4))
    return total[:, :, 0], total[:, :, 1]


def _angles(x: Tensor, generators: Tensor, plan: Plan) -> Tensor:
    """Angles ``n_t . p`` in radians, up to whole turns: float64 ``[n, terms]``."""
    parts = reduced(x.double(), generators, look=not watcher(x, generators))
    points = torch.as_tensor(plan.points, device=x.device).double()
    return (parts @ points.T) * (math.pi / 2)


def _chunks(rows: Tensor, plan: Plan) -> tuple[Tensor, ...]:
    size = _CHUNK.get(rows.device.type, _WIDE) // len(plan.points)
    return torch.split(rows, max(1, size))


def _threads(x: Tensor, functions: ctypes.CDLL) -> int:
    return max(1, min(torch.get_num_threads(), len(x) // int(functions.lanes_of_a_block())))


def _scratch(plan: Plan, functions: ctypes.CDLL, threads: int) -> Tensor:
    size = threads * plan.width * 2 * functions.lanes_of_a_block()
    return torch.empty(size, dtype=torch.float64)


def _turns(generators: Tensor) -> Tensor:
    return torch.stack(turns_of(generators.detach()), dim=-1).contiguous()


def _arguments(turns: Tensor, plan: Plan) -> tuple[Any, ...]:
    arrays = plan.lowest.ctypes.data, plan.highest.ctypes.data, plan.code.ctypes.data
    return *turns.shape[:2], turns.data_ptr(), *arrays, len(plan.code)


def compiled() -> bool:
    """Whether the compiled functions are used on the CPU; compiles them at the first call."""
    return _library() is not None


@cache
def _library() -> ctypes.CDLL | None:
    functions = library("series.cpp")
    if functions is None:
        return None
    pointer, integer, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    plan = [integer, integer, pointer, pointer, pointer, pointer, integer]
    for name in _NAMES.values():
        call = getattr(functions, f"evaluate_{name}")
        call.argtypes = [*plan, pointer, integer, pointer, integer, pointer, pointer, number]
        call.restype = None
        call = getattr(functions, f"moments_{name}")
        call.argtypes = [
            *plan, pointer, integer, pointer, integer, integer, pointer, pointer, number,
        ]  # fmt: skip
        call.restype = None
    return functions
