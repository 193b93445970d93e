"""Reshaping, reordering, cutting tensors on an algebra's numbers (:mod:`qrun_equiv.formal_ops`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.algebra import Rearrangement
from qrun_equiv.errors import FormalError
from qrun_equiv.formal_ops import Cell, Handlers, Ops, Pair, Value, many

HANDLERS = Handlers()


@HANDLERS.of("detach", "double", "cpu", "data", "positive", "resolve_conj", "resolve_neg")
def _identity(ops: Ops, a: Any) -> Value:
    return ops.lift(a)


@HANDLERS.of("clone", "contiguous")
def _clone(ops: Ops, a: Any, *, memory_format: Any = None) -> Value:
    del memory_format
    return ops.lift(a)


@HANDLERS.of("requires_grad_")
def _requires_grad(ops: Ops, a: Any, requires_grad: bool = True) -> Value:  # noqa: FBT001, FBT002
    del requires_grad
    return ops.lift(a)


@HANDLERS.of("to", "type", "as_tensor", "asarray")
def _to(ops: Ops, a: Any, *targets: Any, **options: Any) -> Value:
    value = ops.lift(a)
    for target in (*targets, *options.values()):
        device = isinstance(target, str | torch.device) and str(target).startswith("cpu")
        wanted = torch.complex128 if isinstance(value, Pair) else torch.float64
        if isinstance(target, Cell):
            target = torch.complex128 if target.complex else torch.float64  # noqa: PLW2901
        if target is torch.complex128 and not isinstance(value, Pair):
            value = Pair(*ops.parts(value))
        elif not (device or target is None or isinstance(target, bool) or target is wanted):
            msg = f"not {ops.algebra.purpose}: a cast to {target}"
            raise FormalError(msg)
    return value


@HANDLERS.of("type_as")
def _type_as(ops: Ops, a: Any, other: Any) -> Value:
    return _to(ops, a, other.dtype if isinstance(other, Tensor) else other)


@HANDLERS.of("reshape", "view")
def _reshape(ops: Ops, a: Any, *shape: Any, **named: Any) -> Value:
    sizes = many(shape or tuple(named.pop("shape", ())))
    if named or any(not isinstance(n, int) for n in sizes):
        msg = "a view as another dtype"
        raise TypeError(msg)
    return ops.rearrange(ops.lift(a), lambda m: m.reshape(sizes))


@HANDLERS.of("view_as", "reshape_as")
def _reshape_as(ops: Ops, a: Any, other: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: m.reshape(tuple(other.shape)))


@HANDLERS.of("flatten")
def _flatten(ops: Ops, a: Any, start_dim: int = 0, end_dim: int = -1) -> Value:
    value = ops.lift(a)
    shape = ops.shape(value)
    if not shape:
        return ops.rearrange(value, lambda m: m.reshape(1))
    first, last = ops.axis(value, start_dim), ops.axis(value, end_dim)
    merged = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return ops.rearrange(value, lambda m: m.reshape(merged))


@HANDLERS.of("ravel")
def _ravel(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: m.reshape(-1))


@HANDLERS.of("unflatten")
def _unflatten(ops: Ops, a: Any, dim: int, sizes: Sequence[int]) -> Value:
    value = ops.lift(a)
    axis, shape, given = ops.axis(value, dim), ops.shape(value), list(sizes)
    if -1 in given:
        known = math.prod(n for n in given if n != -1)
        given[given.index(-1)] = shape[axis] // known
    return ops.rearrange(value, lambda m: m.reshape(*shape[:axis], *given, *shape[axis + 1 :]))


@HANDLERS.of("permute")
def _permute(ops: Ops, a: Any, *dims: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.transpose(m, many(dims)))


@HANDLERS.of("transpose", "swapaxes", "swapdims")
def _transpose(ops: Ops, a: Any, dim0: int, dim1: int) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.swapaxes(m, dim0, dim1))


@HANDLERS.of("t", "T")
def _t(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), np.transpose)


@HANDLERS.of("mT")
def _mt(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.swapaxes(m, -1, -2))


@HANDLERS.of("H", "mH", "adjoint")
def _adjoint(ops: Ops, a: Any) -> Value:
    return ops.conj(_mt(ops, a))


@HANDLERS.of("movedim", "moveaxis")
def _movedim(ops: Ops, a: Any, source: Any, destination: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.moveaxis(m, source, destination))


@HANDLERS.of("squeeze")
def _squeeze(ops: Ops, a: Any, dim: Any = None) -> Value:
    value = ops.lift(a)
    shape = ops.shape(value)
    axes = tuple(k for k in ops.axes(value, dim) if shape[k] == 1)
    return ops.rearrange(value, lambda m: m.squeeze(axes))


@HANDLERS.of("unsqueeze")
def _unsqueeze(ops: Ops, a: Any, dim: int) -> Value:
    value = ops.lift(a)
    axis = ops.axis(value, dim, extra=1)
    return ops.rearrange(value, lambda m: np.expand_dims(m, axis))


@HANDLERS.of("expand", "broadcast_to")
def _expand(ops: Ops, a: Any, *sizes: Any) -> Value:
    value = ops.lift(a)
    wanted, shape = many(sizes), ops.shape(value)
    old = (1,) * (len(wanted) - len(shape)) + shape
    full = tuple(o if w == -1 else w for w, o in zip(wanted, old, strict=True))
    return ops.rearrange(value, lambda m: np.broadcast_to(m, full))


@HANDLERS.of("expand_as")
def _expand_as(ops: Ops, a: Any, other: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.broadcast_to(m, tuple(other.shape)))


@HANDLERS.of("broadcast_tensors")
def _broadcast_tensors(ops: Ops, *tensors: Any) -> list[Value]:
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    values = [ops.lift(v) for v in given]
    shape = np.broadcast_shapes(*(ops.shape(v) for v in values))
    return [ops.rearrange(v, lambda m: np.broadcast_to(m, shape)) for v in values]


@HANDLERS.of("repeat", "tile")
def _repeat(ops: Ops, a: Any, *sizes: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.tile(m, many(sizes)))


@HANDLERS.of("repeat_interleave")
def _repeat_interleave(ops: Ops, a: Any, repeats: int, dim: Any = None) -> Value:
    if not isinstance(repeats, int):
        msg = "repeats that differ"
        raise TypeError(msg)
    return ops.rearrange(ops.lift(a), lambda m: np.repeat(m, repeats, dim))


@HANDLERS.of("flip")
def _flip(ops: Ops, a: Any, *dims: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.flip(m, tuple(many(dims))))


@HANDLERS.of("fliplr")
def _fliplr(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.flip(m, 1))


@HANDLERS.of("roll")
def _roll(ops: Ops, a: Any, shifts: Any, dims: Any = None) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.roll(m, shifts, dims))


@HANDLERS.of("unbind", "__iter__")
def _unbind(ops: Ops, a: Any, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    return ops.slices(value, ops.axis(value, dim))


def _pieces(ops: Ops, value: Value, ends: Sequence[int], axis: int) -> list[Value]:
    index: tuple[Any, ...] = (slice(None),) * axis

    def cut(i: int, j: int) -> Rearrangement:
        return lambda m: m[(*index, slice(i, j))]

    return [ops.rearrange(value, cut(i, j)) for i, j in pairwise(ends)]


@HANDLERS.of("split", "split_with_sizes")
def _split(ops: Ops, a: Any, split_size_or_sections: Any, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    axis = ops.axis(value, dim)
    size, step = ops.shape(value)[axis], split_size_or_sections
    if isinstance(step, int):
        ends = [*range(0, size, step), size] if size else [0, 0]
    else:
        ends = [0, *np.cumsum(step).tolist()]
    return _pieces(ops, value, ends, axis)


@HANDLERS.of("chunk")
def _chunk(ops: Ops, a: Any, chunks: int, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    size = ops.shape(value)[ops.axis(value, dim)]
    pieces: list[Value] = _split(ops, a, max(1, -(-size // chunks)), dim)
    return pieces


@HANDLERS.of("tensor_split")
def _tensor_split(ops: Ops, a: Any, indices_or_sections: int, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    axis = ops.axis(value, dim)
    sizes = [len(p) for p in np.array_split(np.arange(ops.shape(value)[axis]), indices_or_sections)]
    return _pieces(ops, value, [0, *np.cumsum(sizes).tolist()], axis)


@HANDLERS.of("hsplit")
def _hsplit(ops: Ops, a: Any, sections: int) -> list[Value]:
    value = ops.lift(a)
    pieces: list[Value] = _tensor_split(ops, a, sections, min(1, ops.ndim(value) - 1))
    return pieces


@HANDLERS.of("narrow")
def _narrow(ops: Ops, a: Any, dim: int, start: int, length: int) -> Value:
    value = ops.lift(a)
    axis = ops.axis(value, dim)
    first = start % max(ops.shape(value)[axis], 1) if start < 0 else start
    return _pieces(ops, value, [first, first + length], axis)[0]


@HANDLERS.of("select")
def _select_index(ops: Ops, a: Any, dim: int, index: int) -> Value:
    value = ops.lift(a)
    return ops.slices(value, ops.axis(value, dim))[index]


@HANDLERS.of("index_select")
def _index_select(ops: Ops, a: Any, dim: int, index: Tensor) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.take(m, index.numpy(), dim))


@HANDLERS.of("take_along_dim")
def _take_along_dim(ops: Ops, a: Any, indices: Tensor, dim: Any = None) -> Value:
    if dim is None:
        return ops.rearrange(ops.lift(a), lambda m: m.reshape(-1)[indices.numpy().reshape(-1)])
    return ops.rearrange(
        ops.lift(a), lambda m: np.take_along_axis(*_broadcast(m, indices.numpy(), dim), dim)
    )


def _broadcast(m: NDArray[Any], index: NDArray[Any], dim: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both with equal sizes but for one axis."""
    axis = dim % m.ndim
    shapes = [tuple(1 if k == axis else n for k, n in enumerate(v.shape)) for v in (m, index)]
    common = np.broadcast_shapes(*shapes)
    full = [
        tuple(v.shape[axis] if k == axis else n for k, n in enumerate(common)) for v in (m, index)
    ]
    return np.broadcast_to(m, full[0]), np.broadcast_to(index, full[1])


@HANDLERS.of("gather")
def _gather(ops: Ops, a: Any, dim: int, index: Tensor) -> Value:
    def pick(m: NDArray[Any]) -> NDArray[Any]:
        corner = tuple(
            slice(None) if k == dim % m.ndim else slice(n) for k, n in enumerate(index.shape)
        )
        return np.take_along_axis(m[corner], index.numpy(), dim)

    return ops.rearrange(ops.lift(a), pick)
