"""Piecewise polynomials of one variable on a uniform grid: values, slopes and moments.

The table ``[cells, 8, k]`` holds k polynomials of degree 7 a cell, by their coefficients in the
place ``t`` in [-1/2, 1/2) within the cell. On a CPU ``piecewise.cpp`` does the work, in one pass
and with one accumulator a thread; it is compiled once a process (half a second) where there is a
C++ compiler. On a GPU Triton kernels do it (:mod:`qrun_equiv.scale.triton_piecewise`). Elsewhere
torch operations do the same. :func:`backend` says which, :func:`obstacle` why no kernel.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor

from qrun_equiv.scale.compiled import library

Backend = Literal["compiled", "triton", "torch"]
TERMS = 8
MOST_OUTPUTS = 16  # of the Triton kernels: wider rows would not fit their registers
INSTALL = "pip install -c constraints.txt 'qrun-equiv[gpu]'"
_TRITON = (3, 3)  # the first whose kernels know tuples
_CHUNK = 1 << 15  # elements a pass of the torch operations, so that what is between stays in cache
_NAMES = {torch.float32: "f32", torch.float64: "f64"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells of one width.

    Attributes:
        step: width of a cell.
        first: cell i is ``[(first + i) step, (first + i + 1) step)``.
        cells: number of cells.
        period: arguments are first reduced to within half a period of 0; 0 means none.
    """

    step: float
    first: int
    cells: int
    period: float = 0.0

    def place(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Cell (int64) and place within it of each argument, by torch operations."""
        exact = x.double()
        if self.period:
            exact = exact - torch.round(exact.detach() / self.period) * self.period
        scaled = exact / self.step
        below = torch.floor(scaled.detach())
        cell = (below.long() - self.first).clamp(0, self.cells - 1)
        # of that cell: reduction may round an end of the range to just outside
        return cell, (scaled - (cell + self.first) - 0.5).to(x.dtype)


def evaluate(x: Tensor, table: Tensor, grid: Grid, *, using: Backend | None = None) -> Tensor:
    """Values of the polynomials, not differentiable.

    Args:
        x: arguments, ``[n]``, of the table's dtype, or float16 or bfloat16 with a float32 table:
            they are then computed in float32 and rounded once.
        table: coefficients, ``[cells, 8, k]``, float32 or float64.
        grid: the cells.
        using: a backend other than :func:`backend` chooses; ``"triton"`` on a CPU needs Triton's
            interpreter.

    Returns:
        ``[n, k]`` in the dtype of ``x``.
    """
    using = using or backend(x.device, table.shape[2])
    if using == "triton":
        values: Tensor = _kernels().evaluate(x, table, grid)
        return values
    if x.dtype != table.dtype:
        return evaluate(x.to(table.dtype), table, grid, using=using).to(x.dtype)
    values = table.new_empty((len(x), table.shape[2]))
    if using == "torch":
        columns = table.permute(2, 1, 0).contiguous()  # gathers of single numbers are quickest
        for at in _chunks(x):
            cell, t = grid.place(x[at])
            values[at] = torch.stack([_horner(column, cell, t) for column in columns], 1)
        return values
    x, table = x.contiguous(), table.contiguous()
    call = getattr(_library(), f"evaluate_{_NAMES[x.dtype]}")
    call(*_arguments(x, table, grid), values.data_ptr(), torch.get_num_threads())
    return values


def differentiate(
    x: Tensor,
    table: Tensor,
    grid: Grid,
    grad: Tensor,
    *,
    slope: bool,
    moments: bool,
    using: Backend | None = None,
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of ``sum(grad * values)``.

    Args:
        x: arguments, ``[n]``; dtypes as in :func:`evaluate`.
        table: coefficients, ``[cells, 8, k]``.
        grid: the cells.
        grad: weights of the values, ``[n, k]``, in the dtype of ``x``.
        slope: whether the gradient with respect to ``x`` is wanted.
        moments: whether the one with respect to the table is.
        using: as in :func:`evaluate`.

    Returns:
        The gradients ``[n]`` and, in float64, ``[cells, 8, k]``; None if not wanted. Both are
        accumulated in float64 and are the same bits at every call, but for moments on a GPU with
        more than 256 cells and without ``torch.use_deterministic_algorithms``: those of float32
        tables are float32 sums of some 256 elements each (about 3e-7 of all), added in float64.
    """
    using = using or backend(x.device, table.shape[2])
    if using == "triton":
        kernel = _kernels().differentiate
        slopes, sums = kernel(x, table, grid, grad, slope=slope, moments=moments)
        return slopes, sums
    if x.dtype != table.dtype:
        wide, weights = x.to(table.dtype), grad.to(table.dtype)
        slopes, sums = differentiate(
            wide, table, grid, weights, slope=slope, moments=moments, using=using
        )
        return None if slopes is None else slopes.to(x.dtype), sums
    if using == "torch":
        slopes = _slopes(x, table, grid, grad) if slope else None
        return slopes, moments_of(x, grid, grad) if moments else None
    slopes = torch.empty_like(x, memory_format=torch.contiguous_format) if slope else None
    x, table, grad = x.contiguous(), table.contiguous(), grad.contiguous()
    # an accumulator a thread costs its size twice: no more of them than the elements are worth
    threads = max(1, min(torch.get_num_threads(), len(x) // grid.cells))
    size = (threads, *table.shape)
    sums = torch.zeros(size, dtype=torch.float64) if moments else None
    call = getattr(_library(), f"differentiate_{_NAMES[x.dtype]}")
    pointers = [None if t is None else t.data_ptr() for t in (grad, slopes, sums)]
    call(*_arguments(x, table, grid), *pointers, threads)
    return slopes, None if sums is None else sums.sum(0)


def transformed(
    x: Tensor, table: Tensor, grid: Grid, grad: Tensor, *, slope: bool, moments: bool
) -> tuple[Tensor | None, Tensor | None]:
    """:func:`differentiate` by operations that a function transform of ``grad`` passes."""
    wide, weights = x.to(table.dtype), grad.to(table.dtype)
    slopes = None
    if slope:
        rows = torch.eye(table.shape[2], dtype=table.dtype, device=x.device).unbind()
        each = torch.stack([_slopes(wide, table, grid, row.expand(len(x), -1)) for row in rows], 1)
        slopes = (each * weights).sum(1).to(x.dtype)
    return slopes, moments_of(wide, grid, weights) if moments else None


def _slopes(x: Tensor, table: Tensor, grid: Grid, grad: Tensor) -> Tensor:
    slopes = torch.empty_like(x, memory_format=torch.contiguous_format)
    powers = torch.arange(1, TERMS, dtype=table.dtype, device=table.device)
    columns = (table[:, 1:].permute(2, 1, 0) * powers[:, None] / grid.step).contiguous()
    for at in _chunks(x):
        cell, t = grid.place(x[at])
        parts = [_horner(column, cell, t) for column in columns]
        slopes[at] = (torch.stack(parts, 1) * grad[at]).sum(1)
    return slopes


def moments_of(x: Tensor, grid: Grid, grad: Tensor) -> Tensor:
    """``sum over the arguments in a cell of grad[e, c] t_e^j``: float64 ``[cells, 8, k]``.

    By torch operations, differentiable with respect to ``x`` and ``grad``.
    """
    total = torch.zeros(
        (grid.cells, TERMS * grad.shape[1]), dtype=torch.float64, device=grad.device
    )
    for at in _chunks(x):
        cell, t = grid.place(x[at])
        powers = [torch.ones_like(t)]
        for _ in range(TERMS - 1):
            powers.append(powers[-1] * t)
        terms = torch.stack(powers, 1)[:, :, None] * grad[at][:, None, :]
        total = total.index_add(0, cell, terms.reshape(len(t), -1).double())
    return total.reshape(grid.cells, TERMS, grad.shape[1])


def backend(device: torch.device | str, outputs: int = 2) -> Backend:
    """What evaluates polynomials with so many outputs on a device.

    ``"compiled"`` is the C++ code (CPU), ``"triton"`` the kernels (GPU), ``"torch"`` torch's own
    operations, where the others can't be used (:func:`obstacle`).
    """
    device = torch.device(device)
    if obstacle(device, outputs):
        return "torch"
    return "compiled" if device.type == "cpu" else "triton"


def obstacle(device: torch.device | str, outputs: int = 2) -> str:
    """Why torch operations are used on a device, in words; empty if they are not."""
    device = torch.device(device)
    if device.type == "cpu":
        return "" if compiled() else "there is no C++ compiler that works"
    if outputs > MOST_OUTPUTS:
        return f"{outputs} outputs are more than the {MOST_OUTPUTS} of the kernels"
    return triton_fault(device)


@cache
def triton_fault(device: torch.device) -> str:
    """What keeps the Triton kernels from a device, found by running one; empty if nothing."""
    if device.type != "cuda":
        return f"there are no kernels for {device.type}"
    if find_spec("triton") is None:
        return "the package triton is missing: " + INSTALL
    try:
        version = import_module("triton").__version__
        if tuple(map(int, version.split(".")[:2])) < _TRITON:
            return f"triton {version} is too old (a newer torch brings a newer one)"
        if not torch.cuda.is_available():
            return f"there is no CUDA device that torch {torch.__version__} can use"
        grid = Grid(0.5, 0, 2)
        x, table = torch.full((1,), 0.25, device=device), torch.ones(2, TERMS, 1, device=device)
        found = evaluate(x, table, grid, using="triton").item()
    except torch.OutOfMemoryError:
        raise  # that may pass
    except Exception as error:  # noqa: BLE001 (drivers, compilers and assemblers raise what they like)
        return f"Triton does not work here: {type(error).__name__}: {error}".partition("\n")[0]
    return "" if found == 1 else f"Triton computes wrong numbers here ({found} for 1)"


def _kernels() -> Any:
    """The module of the Triton kernels: imported when first used, for it imports Triton."""
    try:
        from qrun_equiv.scale import triton_piecewise
    except ImportError as error:
        msg = f"the Triton kernels need the package triton: {INSTALL}"
        raise ImportError(msg) from error
    return triton_piecewise


def compiled() -> bool:
    """Whether the compiled functions are used on the CPU; compiles them at the first call."""
    return _library() is not None


def _horner(columns: Tensor, cell: Tensor, t: Tensor) -> Tensor:
    """Polynomials of the cells, coefficients ``[powers, cells]``, at ``t``."""
    value = columns[-1].index_select(0, cell)
    for column in columns[:-1].flip(0):
        value = torch.addcmul(column.index_select(0, cell), value, t)
    return value


def _chunks(x: Tensor) -> list[slice]:
    size = _CHUNK if x.device.type == "cpu" else max(1, len(x))
    return [slice(start, start + size) for start in range(0, len(x), size)]


def _arguments(x: Tensor, table: Tensor, grid: Grid) -> tuple[Any, ...]:
    scale = (grid.step, grid.period, grid.first, grid.cells, table.shape[2])
    return x.data_ptr(), len(x), table.data_ptr(), *scale


@cache
def _library() -> ctypes.CDLL | None:
    """The compiled functions, or None: no compiler, or it can't."""
    found = library("piecewise.cpp")
    return None if found is None else _declared(found)


def _declared(found: ctypes.CDLL) -> ctypes.CDLL:
    pointer, integer, real = ctypes.c_void_p, ctypes.c_int64, ctypes.c_double
    shared = [pointer, integer, pointer, real, real, integer, integer, ctypes.c_int]
    for name in _NAMES.values():
        for verb, pointers in (("evaluate", 1), ("differentiate", 3)):
            function = getattr(found, f"{verb}_{name}")
            function.argtypes = [*shared, *[pointer] * pointers, ctypes.c_int]
            function.restype = None
    return found
