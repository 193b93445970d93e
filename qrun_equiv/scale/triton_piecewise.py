"""Triton kernels for :mod:`qrun_equiv.scale.piecewise`: values, slopes and moments on a GPU.

**Place.** With a step that is a power of two and no period, ``x / step`` and its fraction are exact
in float32 (up to 2^-25 of a cell), so float32 arguments stay in float32, which consumer GPUs do 32
or 64 times faster than float64. A period or another step takes float64.

**Table.** An element needs all coefficients of its cell: 8 k numbers in a row. They are read as one
row of a tile, ``[elements, 8 k]``, 16 bytes a thread, and multiplied by powers of ``t``: a quarter
of the loads that one number at a time would take, and no two threads wait for the same line.

**Moments.** Two ways:

- up to :data:`DENSE` cells, and where ``torch.use_deterministic_algorithms`` asks for it: ``sum_e
  [cell_e = i] grad_e t_e^j`` is a product of a matrix of zeros and ones with ``grad t^j``, done by
  tensor cores a block of elements at a time. float32 is split into three bfloat16 parts, 3 x 8
  bits, so every product is exact; blocks are added in float64, in an accumulator a program, and
  programs in a fixed order: the same bits at every run. Its cost grows with the number of cells.
- otherwise the rows of a tile are added atomically to one of many private copies. Devices from
  compute capability 9 on add 16 bytes at once. Copies of float32 tables are in float32 and so many
  that about :data:`_FILL` elements meet in a number; they are added in float64.

A fused bias is not offered: ``nn.Linear`` adds it in the epilogue of its matrix product, for free.
"""

# Kernels are no Python functions: their arguments have the types that a launch gives them.
# mypy: disable-error-code="no-untyped-def,untyped-decorator,import-untyped,no-untyped-call"
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

import math
import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from qrun_equiv.scale.triton_functions import INTERPRETED, short

if TYPE_CHECKING:
    from qrun_equiv.scale.piecewise import Grid

DENSE = 256  # most cells of one-hot moments, unless they must be deterministic
_TILE, _ENTRIES = 128, 2048  # most cells and numbers of one program's accumulator
_TILED, _BLOCK = 2048, 64  # numbers of a program's tile; elements a step of one-hot moments
_PARTIAL = 1 << 26  # bytes of all accumulators, about
_FILL = 256  # elements that a float32 accumulator takes, about: their rounding is 2^-24 each
_ONE_HOT, _ATOMIC = 1, 2


@triton.jit
def _locate(x, rate, period, inverse, first, cells, WIDE: tl.constexpr, PERIODIC: tl.constexpr):
    """Cell (int32) and place in [-1/2, 1/2) of each argument; float64 comes as its 64 bits."""
    rate = rate.to(tl.int64).to(tl.float64, bitcast=True)
    if WIDE:
        exact = x.to(tl.float64)
        if PERIODIC:
            turn = period.to(tl.int64).to(tl.float64, bitcast=True)
            turns = tl.floor(exact * inverse.to(tl.int64).to(tl.float64, bitcast=True) + 0.5)
            exact = tl.fma(-turns, turn, exact)
        scaled = exact * rate
    else:
        scaled = x * rate.to(tl.float32)
    start = tl.cast(first, tl.int64)  # a launch makes a constant of 1
    # NaN and what is far out have no integer: first into range loosely, then exactly
    low, high = start.to(scaled.dtype) - 1, (start + cells).to(scaled.dtype)
    below = tl.minimum(tl.maximum(tl.floor(scaled), low), high)
    cell = tl.minimum(tl.maximum(below.to(tl.int64) - start, 0), cells - 1)
    place = scaled - (cell + start).to(scaled.dtype) - 0.5
    return cell.to(tl.int32), place


@triton.jit
def _sums(member, terms, EMULATE: tl.constexpr):
    """``member @ terms`` for zeros and ones ``member``, exact products."""
    if terms.dtype == tl.float64:
        return tl.dot(member.to(tl.float64), terms, out_dtype=tl.float64)
    ones = short(member.to(tl.float32), EMULATE)
    high = short(terms, EMULATE)
    rest = terms - high.to(tl.float32)
    middle = short(rest, EMULATE)
    low = short(rest - middle.to(tl.float32), EMULATE)
    total = tl.dot(ones, low)
    total = tl.dot(ones, middle, acc=total)
    return tl.dot(ones, high, acc=total).to(tl.float64)


@triton.jit
def _powers(t, exponent):
    """``t [B]`` to each exponent from 0 to 7: ``[B, 8]``."""
    once, square = t[:, None], (t * t)[:, None]
    result = tl.where((exponent & 1) != 0, once, 1.0) * tl.where((exponent & 2) != 0, square, 1.0)
    return result * tl.where((exponent & 4) != 0, square * square, 1.0)


@triton.jit
def _column(K: tl.constexpr, WIDTH: tl.constexpr):
    """Where a tile's columns ``[1, 8 WIDTH]`` are in a row of 8 K numbers, and which are there."""
    column = tl.arange(0, 8 * WIDTH)[None, :]
    place, there = column, column >= 0
    if WIDTH != K:
        place, there = column // WIDTH * K + column % WIDTH, column % WIDTH < K
    return place, there


@triton.jit
def _rows(table, cell, K: tl.constexpr, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    """Coefficients of each element's cell: ``[B, 8, WIDTH]``."""
    place, there = _column(K, WIDTH)
    start = table + cell.to(tl.int64)[:, None] * (8 * K)
    return tl.reshape(tl.load(start + place, mask=there, other=0.0), (BLOCK, 8, WIDTH))


@triton.jit
def _evaluate(
    x_pointer, table, out, count, rate, period, inverse, first, cells,
    K: tl.constexpr, WIDTH: tl.constexpr, WIDE: tl.constexpr, PERIODIC: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Values ``[count, K]`` at ``x [count]``; WIDTH is K rounded up to a power of two."""
    real = table.dtype.element_ty
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < count
    x = tl.load(x_pointer + at, mask=inside, other=0.0, eviction_policy="evict_first").to(real)
    cell, place = _locate(x, rate, period, inverse, first, cells, WIDE, PERIODIC)
    t = tl.where(inside, place.to(real), 0.0)
    powers = _powers(t, tl.arange(0, 8)[None, :])
    values = tl.sum(_rows(table, cell, K, WIDTH, BLOCK) * powers[:, :, None], 1)
    output = tl.arange(0, WIDTH)[None, :]
    keep = inside[:, None] & (output < K)
    tl.store(out + at[:, None] * K + output, values.to(out.dtype.element_ty), mask=keep)


@triton.jit
def _differentiate(
    x_pointer, table, grad, slopes, moments, count, rate, period, inverse, first, cells,
    steps, copies,
    K: tl.constexpr, WIDTH: tl.constexpr, WIDE: tl.constexpr, PERIODIC: tl.constexpr,
    SLOPE: tl.constexpr, MOMENTS: tl.constexpr, TILE: tl.constexpr, EMULATE: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """``sum_c grad p_c'`` an element, and moments: MOMENTS is 0 none, 1 one-hot, 2 atomic.

    Program (p, q) takes blocks p, p + programs, ... for the moments of cells q TILE and on, and
    writes them to copy p of ``moments [programs, cells, 8, K]``, float64; atomic ones are added
    to copy ``p % copies``, in the table's type.
    """
    real = table.dtype.element_ty
    program, tile = tl.program_id(0), tl.program_id(1)
    output = tl.arange(0, WIDTH)[None, :]
    power = tl.arange(0, 8)[None, :]
    column, there = _column(K, WIDTH)
    if MOMENTS == 1:
        member = tile * TILE + tl.arange(0, TILE)[:, None]
        total = tl.zeros((TILE, 8 * WIDTH), tl.float64)
    start, stride = program.to(tl.int64) * BLOCK, tl.num_programs(0).to(tl.int64) * BLOCK
    for step in range(steps):
        at = start + step * stride + tl.arange(0, BLOCK)
        inside = at < count
        x = tl.load(x_pointer + at, mask=inside, other=0.0).to(real)
        cell, place = _locate(x, rate, period, inverse, first, cells, WIDE, PERIODIC)
        t = tl.where(inside, place.to(real), 0.0)
        keep = inside[:, None] & (output < K)
        weight = tl.load(grad + at[:, None] * K + output, mask=keep, other=0.0).to(real)
        if SLOPE:  # noqa: SIM102 (one is known when compiling, the other when running)
            if tile == 0:
                lowered = _powers(t, (power - 1) & 7) * power  # those of the derivative
                rows = _rows(table, cell, K, WIDTH, BLOCK) * lowered[:, :, None]
                scale = rate.to(tl.int64).to(tl.float64, bitcast=True).to(real)
                result = tl.sum(tl.sum(rows, 1) * weight, 1) * scale
                tl.store(slopes + at, result.to(slopes.dtype.element_ty), mask=inside)
        if MOMENTS:
            terms = _powers(t, power)[:, :, None] * weight[:, None, :]
            terms = tl.reshape(terms, (BLOCK, 8 * WIDTH))
            if MOMENTS == 1:
                total += _sums(cell[None, :] == member, terms, EMULATE)
            else:
                entry = (program % copies).to(tl.int64) * cells + cell[:, None]
                target = moments + entry * (8 * K) + column
                tl.atomic_add(target, terms, mask=inside[:, None] & there, sem="relaxed")
    if MOMENTS == 1:
        entry = program.to(tl.int64) * cells + member
        target = moments + entry * (8 * K) + column
        tl.store(target, total, mask=(member < cells) & there)


def evaluate(x: Tensor, table: Tensor, grid: Grid) -> Tensor:
    """Values ``[n, k]`` at ``x [n]``, in its dtype; see ``piecewise.evaluate``."""
    x, count = x.contiguous(), len(x)
    values = x.new_empty((count, table.shape[2]))
    if count:
        variant = _variant(table, grid)
        block = _TILED // (8 * variant["WIDTH"])
        with torch.cuda.device_of(x):
            _evaluate[(triton.cdiv(count, block),)](
                x, table.contiguous(), values, count, *_numbers(grid),
                **variant, BLOCK=block, enable_fp_fusion=True,
            )  # fmt: skip
    return values


def differentiate(
    x: Tensor, table: Tensor, grid: Grid, grad: Tensor, *, slope: bool, moments: bool
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of ``sum(grad * values)``; see ``piecewise.differentiate``."""
    x, grad, count = x.contiguous(), grad.contiguous(), len(x)
    variant = _variant(table, grid)
    mode = 0
    if moments:
        dense = grid.cells <= DENSE or torch.are_deterministic_algorithms_enabled()
        mode = _ONE_HOT if dense else _ATOMIC
    shape = _shape(variant, grid.cells, mode)
    programs, tiles, copies = triton.cdiv(count, shape["BLOCK"]), 1, 1
    sums = None
    if mode == _ONE_HOT:
        most = max(1, min(_programs(x.device), _PARTIAL // (8 * table.numel())))
        programs = copies = min(most, programs)
        tiles = triton.cdiv(grid.cells, shape["TILE"])
        # every number is stored
        sums = torch.empty((copies, *table.shape), dtype=torch.float64, device=x.device)
    elif mode == _ATOMIC:
        most = _PARTIAL // (table.element_size() * table.numel())
        copies = max(1, min(programs, most, triton.cdiv(count, _FILL * grid.cells)))
        sums = table.new_zeros((copies, *table.shape))
    slopes = torch.empty_like(x) if slope else None
    if count:
        steps = triton.cdiv(count, programs * shape["BLOCK"])
        with torch.cuda.device_of(x):
            _differentiate[programs, tiles](
                x, table.contiguous(), grad, slopes, sums, count, *_numbers(grid), steps, copies,
                **variant, **shape, SLOPE=slope, MOMENTS=mode, EMULATE=INTERPRETED,
                enable_fp_fusion=True,
            )  # fmt: skip
    return slopes, None if sums is None else sums.sum(0, dtype=torch.float64)


def _shape(variant: dict[str, Any], cells: int, mode: int) -> dict[str, int]:
    """Elements a step, cells a tile and warps, so that nothing spills from registers."""
    columns = 8 * variant["WIDTH"]
    tile = min(_TILE, max(16, triton.next_power_of_2(cells)), max(16, _ENTRIES // columns))
    wide = mode == _ONE_HOT and tile * columns > _ENTRIES // 2
    block = _BLOCK if mode == _ONE_HOT else _TILED // columns
    return {"BLOCK": block, "TILE": tile, "num_warps": 8 if wide else 4}


def _bits(number: float) -> int:
    """A float64 as the integer of the same 64 bits: Triton would pass it as float32."""
    return int(struct.unpack("<q", struct.pack("<d", number))[0])


def _numbers(grid: Grid) -> tuple[int, ...]:
    inverse = 1 / grid.period if grid.period else 0.0
    scale = (_bits(1 / grid.step), _bits(grid.period), _bits(inverse))
    return *scale, grid.first, grid.cells


def _variant(table: Tensor, grid: Grid) -> dict[str, Any]:
    """What a kernel is compiled for."""
    binary = math.frexp(grid.step)[0] == 0.5 and 2.0**-64 <= grid.step <= 2.0**64
    outputs = table.shape[2]
    return {
        "K": outputs,
        "WIDTH": triton.next_power_of_2(outputs),
        "WIDE": table.dtype == torch.float64 or bool(grid.period) or not binary,
        "PERIODIC": bool(grid.period),
    }


@cache
def _programs(device: torch.device) -> int:
    """Programs that accumulate: four a multiprocessor."""
    if device.type != "cuda":
        return 3  # the interpreter: enough to test the sum over programs
    return 4 * int(torch.cuda.get_device_properties(device).multi_processor_count)
