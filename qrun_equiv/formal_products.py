"""Torch's reductions and products on an algebra's numbers: see :mod:`qrun_equiv.formal_ops`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from qrun_equiv.errors import FormalError
from qrun_equiv.formal_ops import Handlers, Ops, Value

HANDLERS = Handlers()


def _kept(ops: Ops, value: Value, axes: tuple[int, ...], *, keep: bool) -> Value:
    if not keep:
        return value
    return ops.rearrange(value, lambda m: np.expand_dims(m, axes))


@HANDLERS.of("sum")
def _sum(
    ops: Ops,
    a: Any,
    dim: Any = None,
    keepdim: bool = False,  # noqa: FBT001, FBT002
    *,
    axis: Any = None,
) -> Value:
    value = ops.lift(a)
    axes = ops.axes(value, dim if axis is None else axis)
    return _kept(ops, ops.total(value, axes), axes, keep=keepdim)


@HANDLERS.of("mean")
def _mean(
    ops: Ops,
    a: Any,
    dim: Any = None,
    keepdim: bool = False,  # noqa: FBT001, FBT002
    *,
    axis: Any = None,
) -> Value:
    value = ops.lift(a)
    axes = ops.axes(value, dim if axis is None else axis)
    count = math.prod(ops.shape(value)[k] for k in axes)
    mean = ops.multiply(ops.total(value, axes), ops.reciprocal(ops.lift(float(count))))
    return _kept(ops, mean, axes, keep=keepdim)


def _folded(
    ops: Ops, value: Value, axis: int, combine: Callable[[Value, Value], Value]
) -> list[Value]:
    """Running results along an axis."""
    parts = ops.slices(value, axis)
    for k in range(1, len(parts)):
        parts[k] = combine(parts[k - 1], parts[k])
    return parts


@HANDLERS.of("prod")
def _prod(ops: Ops, a: Any, dim: Any = None, keepdim: bool = False) -> Value:  # noqa: FBT001, FBT002
    value = ops.lift(a)
    if dim is None:
        value, dim = ops.rearrange(value, lambda m: m.reshape(-1)), 0
    axis = ops.axis(value, dim)
    shape = ops.shape(value)
    if not shape:
        return value
    if not shape[axis]:
        return ops.lift(np.ones(shape[:axis] + shape[axis + 1 :]))
    product = _folded(ops, value, axis, ops.multiply)[-1]
    return _kept(ops, product, (axis,), keep=keepdim)


@HANDLERS.of("cumsum")
def _cumsum(ops: Ops, a: Any, dim: int) -> Value:
    return _running(ops, ops.lift(a), dim, ops.add)


@HANDLERS.of("cumprod")
def _cumprod(ops: Ops, a: Any, dim: int) -> Value:
    return _running(ops, ops.lift(a), dim, ops.multiply)


def _running(ops: Ops, value: Value, dim: int, combine: Callable[[Value, Value], Value]) -> Value:
    axis = ops.axis(value, dim)
    if not ops.ndim(value):
        return value
    parts = _folded(ops, value, axis, combine)
    return ops.join(parts, lambda arrays: np.stack(arrays, axis)) if parts else value


# --- products ------------------------------------------------------------------------------------


@HANDLERS.of("matmul", "__matmul__", "mm", "bmm", "mv")
def _matmul(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.lift(a), ops.lift(b))


@HANDLERS.of("__rmatmul__")
def _rmatmul(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.lift(b), ops.lift(a))


@HANDLERS.of("dot")
def _dot(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.lift(a), ops.lift(b))


@HANDLERS.of("vdot")
def _vdot(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.conj(ops.lift(a)), ops.lift(b))


@HANDLERS.of("linalg_vecdot")
def _vecdot(ops: Ops, a: Any, b: Any, *, dim: int = -1) -> Value:
    product = ops.multiply(ops.conj(ops.lift(a)), ops.lift(b))
    return ops.total(product, (ops.axis(product, dim),))


@HANDLERS.of("inner")
def _inner(ops: Ops, a: Any, b: Any) -> Value:
    left, right = ops.lift(a), ops.lift(b)
    if not ops.ndim(left) or not ops.ndim(right):
        return ops.multiply(left, right)
    shape = ops.shape(left)[:-1] + ops.shape(right)[:-1]
    flat = [ops.rearrange(v, lambda m: m.reshape(-1, m.shape[-1])) for v in (left, right)]
    product = ops.matmul(flat[0], ops.rearrange(flat[1], np.transpose))
    return ops.rearrange(product, lambda m: m.reshape(shape))


@HANDLERS.of("outer", "ger")
def _outer(ops: Ops, a: Any, b: Any) -> Value:
    return ops.multiply(
        ops.rearrange(ops.lift(a), lambda m: m[:, None]),
        ops.rearrange(ops.lift(b), lambda m: m[None, :]),
    )


@HANDLERS.of("linear")
def _linear(ops: Ops, a: Any, weight: Any, bias: Any = None) -> Value:
    product = ops.matmul(ops.lift(a), ops.rearrange(ops.lift(weight), np.transpose))
    return product if bias is None else ops.add(product, ops.lift(bias))


@HANDLERS.of("addmm", "baddbmm", "addmv")
def _addmm(ops: Ops, a: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1) -> Value:
    product = ops.multiply(ops.matmul(ops.lift(left), ops.lift(right)), ops.lift(alpha))
    return ops.add(ops.multiply(ops.lift(a), ops.lift(beta)), product)


@HANDLERS.of("linalg_multi_dot")
def _multi_dot(ops: Ops, *matrices: Any) -> Value:
    given = matrices[0] if len(matrices) == 1 else matrices
    result = ops.lift(given[0])
    for matrix in given[1:]:
        result = ops.matmul(result, ops.lift(matrix))
    return result


@HANDLERS.of("matrix_power", "linalg_matrix_power")
def _matrix_power(ops: Ops, a: Any, n: int) -> Value:
    if n < 0:
        msg = f"not {ops.algebra.purpose}: a negative power of a matrix"
        raise FormalError(msg)
    value = ops.lift(a)
    result = ops.lift(np.broadcast_to(np.eye(ops.shape(value)[-1]), ops.shape(value)).copy())
    for _ in range(n):
        result = ops.matmul(result, value)
    return result


@HANDLERS.of("kron")
def _kron(ops: Ops, a: Any, b: Any) -> Value:
    left, right = ops.lift(a), ops.lift(b)
    ndim = max(ops.ndim(left), ops.ndim(right))
    shapes = [(1,) * (ndim - ops.ndim(v)) + ops.shape(v) for v in (left, right)]

    def spread(value: Value, shape: tuple[int, ...], *, first: bool) -> Value:
        wide = [n for size in shape for n in ((size, 1) if first else (1, size))]
        return ops.rearrange(value, lambda m: m.reshape(wide))

    product = ops.multiply(
        spread(left, shapes[0], first=True), spread(right, shapes[1], first=False)
    )
    out = tuple(m * n for m, n in zip(*shapes, strict=True))
    return ops.rearrange(product, lambda m: m.reshape(out))


@HANDLERS.of("einsum")
def _einsum(ops: Ops, equation: str, *operands: Any) -> Value:
    packed = len(operands) == 1 and isinstance(operands[0], list | tuple)
    given = operands[0] if packed else operands
    values = [ops.lift(v) for v in given]
    inputs, output = _parse(equation, [ops.ndim(v) for v in values])
    terms = [_diagonals(ops, v, names) for v, names in zip(values, inputs, strict=True)]
    value, names = terms[0]
    for position in range(1, len(terms)):
        other, more = terms[position]
        later = set(output).union(*(n for _, n in terms[position + 1 :]))
        value, names = _contract(ops, value, names, other, more, later)
    gone = tuple(k for k, n in enumerate(names) if n not in output)
    value, names = ops.total(value, gone), [n for n in names if n in output]
    order = [names.index(n) for n in output]
    return ops.rearrange(value, lambda m: np.transpose(m, order))


def _parse(equation: str, ndims: Sequence[int]) -> tuple[list[list[str]], list[str]]:
    """Index names of the operands and of the output; an ellipsis becomes names of its own."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        msg = f"{equation!r} names {len(terms)} operands of {len(ndims)}"
        raise TypeError(msg)
    widths = [n - len(t.replace("...", "")) for t, n in zip(terms, ndims, strict=True)]
    widest = max((w for t, w in zip(terms, widths, strict=True) if "..." in t), default=0)

    def names(term: str, width: int) -> list[str]:
        if "..." not in term:
            if width:
                msg = f"{term!r} in {equation!r} has other axes than its operand"
                raise TypeError(msg)
            return list(term)
        before, _, after = term.partition("...")
        return [*before, *(f".{k}" for k in range(widest - width, widest)), *after]

    inputs = [names(t, w) for t, w in zip(terms, widths, strict=True)]
    if arrow:
        return inputs, names(right, widest if "..." in right else 0)
    every = [n for term in inputs for n in term]
    free = sorted(n for n in set(every) if every.count(n) == 1 and not n.startswith("."))
    return inputs, [*(f".{k}" for k in range(widest)), *free]


def _diagonals(ops: Ops, value: Value, names: list[str]) -> tuple[Value, list[str]]:
    """Take diagonals where an index is repeated within one operand."""
    names = list(names)
    while (twice := next((n for n in names if names.count(n) > 1), None)) is not None:
        first = names.index(twice)
        second = names.index(twice, first + 1)
        value = ops.rearrange(value, partial(np.diagonal, axis1=first, axis2=second))
        names = [n for k, n in enumerate(names) if k not in (first, second)] + [twice]
    return value, names


def _contract(
    ops: Ops, a: Value, first: list[str], b: Value, second: list[str], later: set[str]
) -> tuple[Value, list[str]]:
    """Product of two operands, summed over the indices that nothing later needs, as one matmul."""
    sizes = dict(zip(first, ops.shape(a), strict=True))
    for name, size in zip(second, ops.shape(b), strict=True):
        sizes[name] = max(size, sizes.get(name, 1))
    shared = [n for n in first if n in second]
    summed = [n for n in shared if n not in later]
    batch = [n for n in shared if n in later]
    left = [n for n in first if n not in shared]
    right = [n for n in second if n not in shared]

    def shaped(value: Value, names: list[str], order: list[list[str]]) -> Value:
        flat = [n for group in order for n in group]
        permutation = [names.index(n) for n in flat]
        full = [sizes[n] for n in flat]
        shape = [math.prod(sizes[n] for n in group) for group in order]
        return ops.rearrange(
            value, lambda m: np.broadcast_to(np.transpose(m, permutation), full).reshape(shape)
        )

    product = ops.matmul(
        shaped(a, first, [batch, left, summed]), shaped(b, second, [batch, summed, right])
    )
    names = [*batch, *left, *right]
    return ops.rearrange(product, lambda m: m.reshape([sizes[n] for n in names])), names


@HANDLERS.of("tensordot")
def _tensordot(ops: Ops, a: Any, b: Any, dims: Any = 2, out: None = None) -> Value:
    del out  # a tensor to write to is refused before
    left, right = ops.lift(a), ops.lift(b)
    n = ops.ndim(left)
    if isinstance(dims, int):
        pairs = [(n - dims + k, k) for k in range(dims)]
    else:
        pairs = [(ops.axis(left, i), ops.axis(right, j)) for i, j in zip(*dims, strict=True)]
    first = [f"a{k}" for k in range(n)]
    second = [f"b{k}" for k in range(ops.ndim(right))]
    for i, j in pairs:
        second[j] = first[i]
    kept = {name for name in [*first, *second] if name not in {first[i] for i, _ in pairs}}
    return _contract(ops, left, first, right, second, kept)[0]


@HANDLERS.of("trace")
def _trace(ops: Ops, a: Any) -> Value:
    return ops.total(ops.rearrange(ops.lift(a), np.diagonal), (0,))
