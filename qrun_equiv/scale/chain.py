"""Chains of 3 x 3 rotations: one-wire circuits whose parameters differ from row to row.

A state of one wire is its Bloch vector, a rotation ``exp(-i a P / 2)`` turns it about the axis of
``P`` by ``a``. Angles are linear in *columns* of given tables: ``[n, w]``, or ``[w]`` where all
rows share one. The backward pass runs the chain to its end and undoes it, since the inverse of a
rotation is its transpose: nothing is saved but the tables. All arithmetic is float64.

On a CPU with a C++ compiler ``chain.cpp`` does the work; elsewhere torch operations do, and they do
for second derivatives.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.scale.compiled import library
from qrun_equiv.scale.paths import watcher
from qrun_equiv.scale.phases import reduced, turns_of

#: Kind of a step that is a fixed matrix; 0, 1, 2 are rotations about X, Y, Z.
FIXED = 3

_NAMES = {torch.float32: "f32", torch.float64: "f64"}
_ENTRY = np.dtype([("column", "i8"), ("rate", "f8"), ("high", "f8"), ("low", "f8")])
_COLUMN = np.dtype([("rows", "u8"), ("stride", "i8"), ("shared", "f8")])


@dataclass(frozen=True, eq=False)
class Chain:
    """What is done to the Bloch vector (0, 0, 1).

    Attributes:
        columns: of each column its table and its position there, int64 ``[columns, 2]``.
        rates: how each angle depends on the columns, float64 ``[angles, columns]``, radians.
        steps: int32 ``[steps, 2]``: axis and angle, or :data:`FIXED` and matrix.
        matrices: of the fixed steps, orthogonal, float64 ``[.., 3, 3]``.
        observables: weights of 1, X, Y, Z, float64 ``[outputs, 4]``.
    """

    columns: NDArray[np.int64]
    rates: NDArray[np.float64]
    steps: NDArray[np.int32]
    matrices: NDArray[np.float64]
    observables: NDArray[np.float64]
    starts: NDArray[np.int64]
    entries: NDArray[Any]

    @staticmethod
    def of(
        columns: Sequence[tuple[int, int]],
        rates: NDArray[np.float64],
        steps: Sequence[tuple[int, int]],
        matrices: Sequence[NDArray[np.float64]],
        observables: NDArray[np.float64],
    ) -> Chain:
        """Lay the arrays out as ``chain.cpp`` reads them."""
        angles, read = np.nonzero(rates)
        entries = np.zeros(len(angles), dtype=_ENTRY)
        entries["column"], entries["rate"] = read, rates[angles, read]
        high, low = turns_of(torch.as_tensor(entries["rate"].copy()))
        entries["high"], entries["low"] = high.numpy(), low.numpy()
        starts = np.searchsorted(angles, np.arange(len(rates) + 1)).astype(np.int64)
        return Chain(
            np.array(columns, dtype=np.int64).reshape(-1, 2),
            np.ascontiguousarray(rates),
            np.array(steps, dtype=np.int32).reshape(-1, 2),
            np.array(matrices, dtype=np.float64).reshape(-1, 3, 3),
            np.ascontiguousarray(observables),
            starts,
            entries,
        )


@torch.compiler.disable  # type: ignore[untyped-decorator]
def evaluate(chain: Chain, tables: Sequence[Tensor], like: Tensor) -> Tensor:
    """Outputs ``[n, outputs]``, differentiable in the tables, to any order.

    Args:
        chain: the rotations.
        tables: each ``[n, w]``, in the dtype of ``like``, or ``[w]``, float64, shared by all rows.
        like: tells ``n``, dtype (float32 or float64) and device: any tensor ``[n, ..]``.

    Raises:
        ValueError: sizes or dtypes that do not fit.
    """
    for table, position in chain.columns.tolist():
        t = tables[table]
        rows = t.dtype == like.dtype and t.ndim == 2 and len(t) == len(like)
        shared = t.dtype == torch.float64 and t.ndim == 1
        if not (rows or shared) or position >= t.shape[-1] or like.dtype not in _NAMES:
            msg = (
                f"table {table}, {list(t.shape)} {t.dtype}, does not fit {len(like)} rows of "
                f"{like.dtype}, or has no column {position}"
            )
            raise ValueError(msg)
    if watcher(like, *tables):
        return by_torch(chain, tables, like)
    values: Tensor = _Turns.apply(chain, like.detach(), *tables)  # type: ignore[no-untyped-call]
    return values


def by_torch(chain: Chain, tables: Sequence[Tensor], like: Tensor) -> Tensor:
    """:func:`evaluate` by torch operations."""
    angles = _angles(chain, tables, like)
    one = torch.ones(len(like), dtype=torch.float64, device=like.device)
    r = [torch.zeros_like(one), torch.zeros_like(one), one]
    for kind, index in chain.steps.tolist():
        if kind == FIXED:
            m = chain.matrices[index].tolist()
            r = [m[i][0] * r[0] + m[i][1] * r[1] + m[i][2] * r[2] for i in range(3)]
            continue
        first, second = (kind + 1) % 3, (kind + 2) % 3
        cos, sin = torch.cos(angles[index]), torch.sin(angles[index])
        a, b = r[first], r[second]
        r[first], r[second] = cos * a - sin * b, sin * a + cos * b
    weights = torch.as_tensor(chain.observables, device=like.device)
    return (torch.stack([one, *r], dim=1) @ weights.T).to(like.dtype)


def _angles(chain: Chain, tables: Sequence[Tensor], like: Tensor) -> list[Tensor]:
    """Angles in radians up to whole turns, each ``[n]``."""
    parts = [table.double().unbind(-1) for table in tables]
    columns = [parts[t][c].expand(len(like)) for t, c in chain.columns.tolist()]
    angles = []
    for rates in chain.rates:
        used = np.flatnonzero(rates)
        if not len(used):
            angles.append(torch.zeros(len(like), dtype=torch.float64, device=like.device))
            continue
        rows = torch.stack([columns[c] for c in used], dim=1)
        generator = torch.as_tensor(rates[used], device=like.device)[None]
        angles.append(reduced(rows, generator)[:, 0] * (math.pi / 2))
    return angles


class _Turns(torch.autograd.Function):
    """A chain at tables; what is saved is the tables."""

    @staticmethod
    def forward(ctx: Any, chain: Chain, like: Tensor, *tables: Tensor) -> Tensor:
        ctx.chain = chain
        ctx.save_for_backward(like, *tables)
        functions = _library() if like.device.type == "cpu" else None
        if functions is None:
            return by_torch(chain, tables, like)
        out = like.new_empty((len(like), len(chain.observables)))
        threads, scratch = _scratch(chain, like, functions, backward=False)
        call = getattr(functions, f"evaluate_{_NAMES[like.dtype]}")
        values = _values(chain, tables)
        call(*_arguments(chain, values, like), out.data_ptr(), scratch.data_ptr(), threads)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        like, *tables = ctx.saved_tensors
        chain, wanted = ctx.chain, ctx.needs_input_grad[2:]
        functions = _library() if like.device.type == "cpu" else None
        batched = torch._C._functorch.is_legacy_batchedtensor(grad)  # noqa: SLF001 (is_grads_batched)
        if functions is None or torch.is_grad_enabled() or batched:
            return None, None, *_by_torch(chain, tables, like, grad, wanted)
        return None, None, *_gradients(chain, tables, like, grad.contiguous(), wanted, functions)


def _by_torch(
    chain: Chain, tables: Sequence[Tensor], like: Tensor, grad: Tensor, wanted: Sequence[bool]
) -> list[Tensor | None]:
    """Gradients by torch operations, differentiable where gradients are recorded."""
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        # copies end the graph where it is not needed
        ends = [t if again else t.detach().requires_grad_() for t in tables]
        inputs = [t for t, want in zip(ends, wanted, strict=True) if want]
        values = by_torch(chain, ends, like)
        found = torch.autograd.grad(values, inputs, grad, create_graph=again, allow_unused=True)
    rest = iter(found)
    return [next(rest) if want else None for want in wanted]


def _gradients(
    chain: Chain,
    tables: Sequence[Tensor],
    like: Tensor,
    grad: Tensor,
    wanted: Sequence[bool],
    functions: ctypes.CDLL,
) -> list[Tensor | None]:
    made = [torch.zeros_like(t, memory_format=torch.contiguous_format) for t in tables]
    threads, scratch = _scratch(chain, like, functions, backward=True)
    size = (threads, len(chain.columns), functions.lanes_of_a_register())
    sums = torch.zeros(size, dtype=torch.float64)
    call = getattr(functions, f"differentiate_{_NAMES[like.dtype]}")
    values, to = _values(chain, tables), _values(chain, made)
    call(
        *_arguments(chain, values, like), grad.data_ptr(), to.ctypes.data, sums.data_ptr(),
        scratch.data_ptr(), threads,
    )  # fmt: skip
    for (table, position), total in zip(chain.columns, sums.sum(dim=(0, 2)), strict=True):
        if made[table].ndim == 1:
            made[table][position] = total
    return [t if want else None for t, want in zip(made, wanted, strict=True)]


def _values(chain: Chain, tables: Sequence[Tensor]) -> NDArray[Any]:
    values = np.zeros(len(chain.columns), dtype=_COLUMN)
    for value, (table, position) in zip(values, chain.columns, strict=True):
        source = tables[table]
        if source.ndim == 1:
            value["shared"] = float(source.detach()[position])
            continue
        offset = int(position) * source.stride(1) * source.element_size()
        value["rows"], value["stride"] = source.data_ptr() + offset, source.stride(0)
    return values


def _arguments(chain: Chain, values: NDArray[Any], like: Tensor) -> tuple[Any, ...]:
    c = chain
    return (
        len(c.rates), c.starts.ctypes.data, c.entries.ctypes.data, len(c.steps),
        c.steps.ctypes.data, c.matrices.ctypes.data, c.observables.ctypes.data,
        len(c.observables), len(values), values.ctypes.data, len(like),
    )  # fmt: skip


def _scratch(
    chain: Chain, like: Tensor, functions: ctypes.CDLL, *, backward: bool
) -> tuple[int, Tensor]:
    lanes = functions.lanes_of_a_block()
    threads = max(1, min(torch.get_num_threads(), len(like) // lanes))
    each = len(chain.rates) + backward * (len(chain.rates) + len(chain.columns))
    return threads, torch.empty(threads * each * 2 * lanes, dtype=torch.float64)


def compiled() -> bool:
    """Whether the compiled functions are used on the CPU; compiles them at the first call."""
    return _library() is not None


@cache
def _library() -> ctypes.CDLL | None:
    functions = library("chain.cpp")
    if functions is None:
        return None
    pointer, integer, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    shared = [
        integer, pointer, pointer, integer, pointer, pointer, pointer, integer, integer, pointer,
        integer,
    ]  # fmt: skip
    for name in _NAMES.values():
        for verb, pointers in (("evaluate", 2), ("differentiate", 4)):
            call = getattr(functions, f"{verb}_{name}")
            call.argtypes = [*shared, *[pointer] * pointers, number]
            call.restype = None
    return functions
