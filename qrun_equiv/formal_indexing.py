"""Indexing, joining and filling tensors on an algebra's numbers (:mod:`qrun_equiv.formal_ops`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.algebra import Rearrangement
from qrun_equiv.errors import FormalError
from qrun_equiv.formal_ops import Cell, Handler, Handlers, Ops, Pair, Value, many

HANDLERS = Handlers()


def _array_index(part: Any) -> Any:
    """One part of an index: whole numbers and slices as they are, what selects entries as array."""
    if isinstance(part, Tensor):
        part = part.numpy()
    if isinstance(part, list | tuple | range):
        part = np.asarray(part)
        part = part.astype(np.int64) if not part.size else part
    if isinstance(part, np.ndarray):
        if part.dtype == np.uint8 or part.dtype.kind not in "iub":
            msg = f"an index of type {part.dtype}; use whole numbers or bool"
            raise TypeError(msg)
        return int(part) if part.ndim == 0 and part.dtype.kind in "iu" else part
    if isinstance(part, bool | np.bool_):
        return np.asarray(part)
    known = part is None or part is Ellipsis or isinstance(part, int | np.integer | slice)
    if not known:
        msg = "an index that is no constant"
        raise FormalError(msg)
    return part


def _indexed(index: Any) -> Rearrangement:
    """A torch index as a rearrangement.

    Torch takes whole numbers and slices first and arrays of indices from what is left; numpy counts
    a whole number among the arrays. So the two steps are made one after the other.
    """
    parts = [_array_index(p) for p in (index if isinstance(index, tuple) else (index,))]
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    basic: list[Any] = []
    arrays: list[Any] = []
    for part in parts:
        if isinstance(part, np.ndarray):
            basic += [slice(None)] * (part.ndim if part.dtype == np.bool_ else 1)
            arrays.append(part)
        else:
            basic.append(part)
            if part is Ellipsis:
                arrays.append(part)
            elif part is None or isinstance(part, slice):
                arrays.append(slice(None))
    first, second = tuple(basic), tuple(arrays)
    return lambda m: m[first][second]


@HANDLERS.of("__getitem__")
def _getitem(ops: Ops, a: Any, index: Any) -> Value:
    return ops.rearrange(ops.lift(a), _indexed(index))


@HANDLERS.of("__setitem__")
def _setitem(ops: Ops, a: Any, index: Any, value: Any) -> Value:
    target, given = ops.lift(a), ops.lift(value)
    if isinstance(given, Pair) and not isinstance(target, Pair):
        msg = "complex numbers written into a real tensor"
        raise FormalError(msg)
    shape = ops.shape(target)
    where = np.asarray(_indexed(index)(np.arange(math.prod(shape)).reshape(shape)))
    if np.unique(where).size < where.size:
        msg = "an entry written twice at once"
        raise FormalError(msg)

    def put(parts: list[NDArray[Any]]) -> NDArray[Any]:
        out = parts[0].reshape(-1).copy()
        out[where] = parts[1]
        return out.reshape(shape)

    return ops.join([target, given], put)


@HANDLERS.of("copy_")
def _copy(ops: Ops, a: Any, source: Any) -> Value:
    shape = ops.shape(ops.lift(a))
    return ops.rearrange(ops.lift(source), lambda m: np.broadcast_to(m, shape))


def _all_lifted(ops: Ops, tensors: Any) -> list[Value]:
    return [ops.lift(t) for t in tensors]


@HANDLERS.of("stack")
def _stack(ops: Ops, tensors: Any, dim: int = 0) -> Value:
    values = _all_lifted(ops, tensors)
    axis = ops.axis(values[0], dim, extra=1)
    return ops.join(values, lambda parts: np.stack(parts, axis))


@HANDLERS.of("cat", "concat", "concatenate")
def _cat(ops: Ops, tensors: Any, dim: int = 0, *, axis: Any = None) -> Value:
    chosen = dim if axis is None else axis
    return ops.join(_all_lifted(ops, tensors), lambda parts: np.concatenate(parts, chosen))


def _stacker(put: Callable[..., Any]) -> Handler:
    return lambda ops, tensors: ops.join(_all_lifted(ops, tensors), put)


HANDLERS |= {
    "hstack": _stacker(np.hstack),
    "vstack": _stacker(np.vstack),
    "row_stack": _stacker(np.vstack),
    "dstack": _stacker(np.dstack),
    "column_stack": _stacker(np.column_stack),
}


@HANDLERS.of("atleast_1d")
def _atleast_1d(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), np.atleast_1d)


@HANDLERS.of("atleast_2d")
def _atleast_2d(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), np.atleast_2d)


@HANDLERS.of("diagonal")
def _diagonal(ops: Ops, a: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.diagonal(m, offset, dim1, dim2))


@HANDLERS.of("diag_embed", "diag")
def _diag(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    if ops.ndim(value) != 1:
        msg = "`diag` of more than one axis; use torch.diagonal"
        raise FormalError(msg)
    size = ops.shape(value)[0]
    return ops.multiply(ops.rearrange(value, lambda m: m[:, None]), ops.lift(np.eye(size)))


@HANDLERS.of("tril")
def _tril(ops: Ops, a: Any, diagonal: int = 0) -> Value:
    value = ops.lift(a)
    return ops.multiply(value, ops.lift(np.tril(np.ones(ops.shape(value)), diagonal)))


@HANDLERS.of("triu")
def _triu(ops: Ops, a: Any, diagonal: int = 0) -> Value:
    value = ops.lift(a)
    return ops.multiply(value, ops.lift(np.triu(np.ones(ops.shape(value)), diagonal)))


@HANDLERS.of("view_as_real")
def _view_as_real(ops: Ops, a: Any) -> Value:
    return ops.join(list(ops.parts(ops.lift(a))), lambda parts: np.stack(parts, -1))


@HANDLERS.of("view_as_complex")
def _view_as_complex(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    return Pair(*ops.slices(value, ops.ndim(value) - 1))


def _like(ops: Ops, a: Any, values: NDArray[Any]) -> Value:
    """Constants of the dtype of a tensor."""
    value = ops.lift(values)
    return Pair(*ops.parts(value)) if isinstance(a, Cell) and a.complex else value


def _filled(number: float) -> Handler:
    def make(ops: Ops, a: Any, **options: Any) -> Value:
        if any(v is not None and v is not torch.float64 for v in options.values()):
            msg = "options"
            raise TypeError(msg)
        return _like(ops, a, np.full(tuple(a.shape), number))

    return make


HANDLERS |= {"zeros_like": _filled(0.0), "ones_like": _filled(1.0)}


@HANDLERS.of("full_like")
def _full_like(ops: Ops, a: Any, fill_value: float) -> Value:
    return _like(ops, a, np.full(tuple(a.shape), fill_value))


def _new(number: float) -> Handler:
    def make(ops: Ops, a: Any, *size: Any, dtype: Any = None) -> Value:
        if dtype not in (None, torch.float64):
            msg = "dtype"
            raise TypeError(msg)
        return _like(ops, a, np.full(many(size), number))

    return make


HANDLERS |= {"new_zeros": _new(0.0), "new_ones": _new(1.0)}


@HANDLERS.of("new_tensor")
def _new_tensor(ops: Ops, a: Any, data: Any) -> Value:
    return _like(ops, a, np.asarray(data, dtype=np.float64))


@HANDLERS.of("new_full")
def _new_full(ops: Ops, a: Any, size: Any, fill_value: float) -> Value:
    return _like(ops, a, np.full(tuple(size), fill_value))
