"""What torch functions mean on arrays of an algebra's numbers, real or complex.

:data:`HANDLERS` maps the name of a torch function to a function of :class:`Ops` and the call's
arguments. A handler takes exactly the arguments that it honours: any other (``out=``, ``dtype=``,
``rounding_mode=``) is a ``TypeError``, which :mod:`qrun_equiv.formal` turns into a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.algebra import Algebra, Rearrangement
from qrun_equiv.errors import FormalError


@dataclass(frozen=True, slots=True)
class Pair:
    """Complex numbers: real and imaginary parts, arrays of one shape."""

    real: Any
    imag: Any


@dataclass(frozen=True, slots=True)
class Modulus:
    """Absolute values of complex numbers, of which only the squares are followed."""

    norm: Any


#: An array of an algebra's numbers, or a pair of them.
Value = Any


@dataclass(slots=True)
class Cell:
    """What a formal tensor holds, computed when it is first used, never changed.

    Attributes:
        shape: of the tensor.
        complex: whether the entries are complex.
        make: computes the value.
        plain: the tensor itself, for constants.
    """

    shape: tuple[int, ...]
    complex: bool
    make: Callable[[], Value]
    plain: Tensor | None = None
    _value: list[Value] = field(default_factory=list)

    @property
    def value(self) -> Value:
        """The numbers."""
        if not self._value:
            self._value.append(self.make())
        return self._value[0]

    @staticmethod
    def of(ops: Ops, value: Value) -> Cell:
        """Cell of numbers at hand."""
        cell = Cell(ops.shape(value), isinstance(value, Pair), lambda: value)
        cell._value.append(value)
        return cell


class Ops:
    """Arithmetic on real and complex arrays of one algebra's numbers."""

    def __init__(self, algebra: Algebra[Any]) -> None:
        self.algebra = algebra

    def lift(self, value: Any) -> Value:
        """Numbers of what a torch function was given: a cell, a tensor, a Python number."""
        if isinstance(value, Cell):
            if isinstance(value.value, Modulus):
                msg = f"not {self.algebra.purpose}: `abs` of complex numbers, but for its square"
                raise FormalError(msg)
            return value.value
        if isinstance(value, Tensor):
            value = value.detach().cpu().numpy()
        if not isinstance(value, bool | int | float | complex | np.ndarray | np.generic):
            msg = f"{type(value).__name__} is no number"
            raise TypeError(msg)
        array = np.asarray(value)
        if np.iscomplexobj(array):
            return Pair(self.lift(array.real.copy()), self.lift(array.imag.copy()))
        if array.dtype == np.float32:
            msg = "a float32 constant: call .double() on the module"
            raise FormalError(msg)
        floats = array.astype(np.float64)
        if not np.all(np.isfinite(floats)):
            msg = "a constant is not finite"
            raise FormalError(msg)
        return self.algebra.constant(floats)

    def shape(self, a: Value) -> tuple[int, ...]:
        if isinstance(a, Modulus):
            return self.algebra.shape(a.norm)
        return self.algebra.shape(a.real if isinstance(a, Pair) else a)

    def ndim(self, a: Value) -> int:
        return len(self.shape(a))

    def parts(self, a: Value) -> tuple[Value, Value]:
        """Real and imaginary part."""
        if isinstance(a, Pair):
            return a.real, a.imag
        return a, self.algebra.constant(np.zeros(self.shape(a)))

    def each(self, a: Value, change: Callable[[Any], Any]) -> Value:
        """A real-linear operation on both parts."""
        return Pair(change(a.real), change(a.imag)) if isinstance(a, Pair) else change(a)

    def both(self, a: Value, b: Value, combine: Callable[[Any, Any], Any]) -> Value:
        """A bilinear operation."""
        algebra = self.algebra
        if not isinstance(a, Pair) and not isinstance(b, Pair):
            return combine(a, b)
        if not isinstance(b, Pair):
            return Pair(combine(a.real, b), combine(a.imag, b))
        if not isinstance(a, Pair):
            return Pair(combine(a, b.real), combine(a, b.imag))
        real = algebra.add(combine(a.real, b.real), algebra.negative(combine(a.imag, b.imag)))
        return Pair(real, algebra.add(combine(a.real, b.imag), combine(a.imag, b.real)))

    def add(self, a: Value, b: Value) -> Value:
        if isinstance(a, Pair) or isinstance(b, Pair):
            (ar, ai), (br, bi) = self.parts(a), self.parts(b)
            return Pair(self.algebra.add(ar, br), self.algebra.add(ai, bi))
        return self.algebra.add(a, b)

    def multiply(self, a: Value, b: Value) -> Value:
        return self.both(a, b, self.algebra.multiply)

    def matmul(self, a: Value, b: Value) -> Value:
        return self.both(a, b, self.algebra.matmul)

    def negative(self, a: Value) -> Value:
        return self.each(a, self.algebra.negative)

    def subtract(self, a: Value, b: Value) -> Value:
        return self.add(a, self.negative(b))

    def total(self, a: Value, axes: tuple[int, ...]) -> Value:
        return self.each(a, lambda part: self.algebra.total(part, axes)) if axes else a

    def rearrange(self, a: Value, move: Rearrangement) -> Value:
        return self.each(a, lambda part: self.algebra.rearrange(part, move))

    def join(
        self, values: Sequence[Value], put: Callable[[list[NDArray[Any]]], NDArray[Any]]
    ) -> Value:
        if any(isinstance(v, Pair) for v in values):
            split = [self.parts(v) for v in values]
            real, imag = ([s[k] for s in split] for k in (0, 1))
            return Pair(self.algebra.join(real, put), self.algebra.join(imag, put))
        return self.algebra.join(values, put)

    def function(self, name: str, a: Value) -> Value:
        if isinstance(a, Pair):
            msg = f"not {self.algebra.purpose}: `{name}` of complex numbers"
            raise FormalError(msg)
        return self.algebra.function(name, a)

    def reciprocal(self, a: Value) -> Value:
        if not isinstance(a, Pair):
            return self.algebra.function("reciprocal", a)
        norm = self.algebra.add(
            self.algebra.multiply(a.real, a.real), self.algebra.multiply(a.imag, a.imag)
        )
        return self.multiply(_conj(self, a), self.algebra.function("reciprocal", norm))

    def axis(self, a: Value, dim: Any, extra: int = 0) -> int:
        """A dimension counted from the front."""
        size = self.ndim(a) + extra
        if isinstance(dim, bool) or not isinstance(dim, int) or not -size <= dim < max(size, 1):
            msg = f"dimension {dim!r} of {size}"
            raise TypeError(msg)
        return dim % max(size, 1)

    def axes(self, a: Value, dim: Any) -> tuple[int, ...]:
        """Dimensions of a reduction; all of them where none is given."""
        if dim is None or (isinstance(dim, tuple | list) and not dim):
            return tuple(range(self.ndim(a)))
        many = dim if isinstance(dim, tuple | list) else (dim,)
        return tuple(sorted(self.axis(a, d) for d in many))


Handler = Callable[..., Any]
HANDLERS: dict[str, Handler] = {}


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a handler under the names of torch functions."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = handler
        return handler

    return register


# --- elementwise ---------------------------------------------------------------------------------


@handles("add", "__add__", "__radd__")
def _add(ops: Ops, a: Any, b: Any, *, alpha: Any = 1) -> Value:
    right = ops.lift(b)
    return ops.add(ops.lift(a), right if alpha == 1 else ops.multiply(right, ops.lift(alpha)))


@handles("sub", "subtract", "__sub__")
def _sub(ops: Ops, a: Any, b: Any, *, alpha: Any = 1) -> Value:
    right = ops.lift(b)
    return ops.subtract(ops.lift(a), right if alpha == 1 else ops.multiply(right, ops.lift(alpha)))


@handles("__rsub__", "rsub")
def _rsub(ops: Ops, a: Any, b: Any) -> Value:
    return ops.subtract(ops.lift(b), ops.lift(a))


@handles("mul", "multiply", "__mul__", "__rmul__")
def _mul(ops: Ops, a: Any, b: Any) -> Value:
    return ops.multiply(ops.lift(a), ops.lift(b))


@handles("div", "divide", "true_divide", "__truediv__")
def _div(ops: Ops, a: Any, b: Any) -> Value:
    return ops.multiply(ops.lift(a), ops.reciprocal(ops.lift(b)))


@handles("__rtruediv__", "__rdiv__")
def _rdiv(ops: Ops, a: Any, b: Any) -> Value:
    return _div(ops, b, a)


@handles("reciprocal")
def _reciprocal(ops: Ops, a: Any) -> Value:
    return ops.reciprocal(ops.lift(a))


@handles("neg", "negative", "__neg__")
def _neg(ops: Ops, a: Any) -> Value:
    return ops.negative(ops.lift(a))


@handles("square")
def _square(ops: Ops, a: Any) -> Value:
    if isinstance(a, Cell) and isinstance(a.value, Modulus):
        return a.value.norm
    value = ops.lift(a)
    return ops.multiply(value, value)


@handles("pow", "__pow__", "float_power")
def _pow(ops: Ops, a: Any, exponent: Any) -> Value:
    if isinstance(exponent, int | float) and exponent == 2:
        return _square(ops, a)
    if isinstance(exponent, Cell):
        exponent = exponent.plain if exponent.plain is not None else exponent
    if isinstance(exponent, Cell):
        msg = f"not {ops.algebra.purpose}: a power whose exponent is no constant"
        raise FormalError(msg)
    base = ops.lift(a)
    powers = np.asarray(exponent.detach().numpy() if isinstance(exponent, Tensor) else exponent)
    shape = np.broadcast_shapes(ops.shape(base), powers.shape)
    result: Value = None
    for power in sorted({float(p) for p in powers.ravel()}):
        made = ops.rearrange(_power(ops, base, power), lambda m: np.broadcast_to(m, shape))
        where = np.broadcast_to(powers == power, shape)
        result = made if result is None else _select(ops, where, made, result)
    return result


def _power(ops: Ops, base: Value, power: float) -> Value:
    if power == 0.5:
        return ops.function("sqrt", base)
    if not power.is_integer() or abs(power) > 4096:
        msg = f"not {ops.algebra.purpose}: the power {power}"
        raise FormalError(msg)
    if power < 0:
        return ops.reciprocal(_power(ops, base, -power))
    whole, result = int(power), ops.lift(np.ones(ops.shape(base)))
    first = True
    while whole:
        if whole & 1:
            result, first = (base if first else ops.multiply(result, base)), False
        whole >>= 1
        if whole:
            base = ops.multiply(base, base)
    return result


@handles("__rpow__")
def _rpow(ops: Ops, a: Any, base: Any) -> Value:
    return _pow(ops, base, a)


def _elementwise(name: str) -> Handler:
    return lambda ops, a: ops.function(name, ops.lift(a))


for _name in (
    "cos", "sin", "tan", "tanh", "exp", "sigmoid", "relu", "softplus", "sqrt", "rsqrt", "abs",
    "log", "sinh", "cosh", "atan", "arctan", "asin", "arcsin", "acos", "arccos", "sinc", "erf",
    "silu", "log1p", "expm1", "sign",
):  # fmt: skip
    HANDLERS[_name] = _elementwise(_name)


@handles("abs", "absolute", "__abs__")
def _abs(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    if not isinstance(value, Pair):
        return ops.function("abs", value)
    real, imag = ops.multiply(value.real, value.real), ops.multiply(value.imag, value.imag)
    return Modulus(ops.add(real, imag))


@handles("exp")
def _exp(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    if not isinstance(value, Pair):
        return ops.function("exp", value)
    turned = Pair(ops.function("cos", value.imag), ops.function("sin", value.imag))
    size = a.plain.real if isinstance(a, Cell) and a.plain is not None else None
    if size is not None and not bool(torch.any(size)):
        return turned
    return (
        turned
        if _is_zero(ops, value.real)
        else ops.multiply(turned, ops.function("exp", value.real))
    )


def _is_zero(ops: Ops, a: Value) -> bool:
    test = getattr(ops.algebra, "is_zero", None)
    return bool(test(a)) if test else False


@handles("deg2rad")
def _deg2rad(ops: Ops, a: Any) -> Value:
    return ops.multiply(ops.lift(a), ops.lift(math.pi / 180))


@handles("polar")
def _polar(ops: Ops, size: Any, angle: Any) -> Value:
    turn = ops.lift(angle)
    return ops.multiply(ops.lift(size), Pair(ops.function("cos", turn), ops.function("sin", turn)))


@handles("complex")
def _complex(ops: Ops, real: Any, imag: Any) -> Value:
    return Pair(ops.lift(real), ops.lift(imag))


@handles("real")
def _real(ops: Ops, a: Any) -> Value:
    return ops.parts(ops.lift(a))[0]


@handles("imag")
def _imag(ops: Ops, a: Any) -> Value:
    return ops.parts(ops.lift(a))[1]


@handles("conj", "conj_physical", "resolve_conj", "resolve_neg")
def _conj_of(ops: Ops, a: Any) -> Value:
    return _conj(ops, ops.lift(a))


def _conj(ops: Ops, a: Value) -> Value:
    return Pair(a.real, ops.algebra.negative(a.imag)) if isinstance(a, Pair) else a


HANDLERS["resolve_conj"] = HANDLERS["resolve_neg"] = lambda ops, a: ops.lift(a)


@handles("addcmul")
def _addcmul(ops: Ops, a: Any, left: Any, right: Any, *, value: Any = 1) -> Value:
    product = ops.multiply(ops.multiply(ops.lift(left), ops.lift(right)), ops.lift(value))
    return ops.add(ops.lift(a), product)


@handles("lerp")
def _lerp(ops: Ops, start: Any, end: Any, weight: Any) -> Value:
    first = ops.lift(start)
    return ops.add(first, ops.multiply(ops.lift(weight), ops.subtract(ops.lift(end), first)))


@handles("where")
def _where(ops: Ops, condition: Any, a: Any, b: Any) -> Value:
    if not isinstance(condition, Tensor) or condition.dtype != torch.bool:
        msg = f"not {ops.algebra.purpose}: `where` on values"
        raise FormalError(msg)
    return _select(ops, condition.numpy(), ops.lift(a), ops.lift(b))


def _select(ops: Ops, condition: NDArray[Any], a: Value, b: Value) -> Value:
    return ops.join([a, b], lambda parts: np.where(condition, parts[0], parts[1]))


@handles("masked_fill")
def _masked_fill(ops: Ops, a: Any, mask: Any, value: Any) -> Value:
    return _where(ops, mask, value, a)


@handles("dropout")
def _dropout(
    ops: Ops,
    a: Any,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,  # noqa: FBT001, FBT002
) -> Value:
    if (training and p) or inplace:
        msg = f"not {ops.algebra.purpose}: `dropout` in training mode; call .eval()"
        raise FormalError(msg)
    return ops.lift(a)


# --- reductions ----------------------------------------------------------------------------------


def _kept(ops: Ops, value: Value, axes: tuple[int, ...], *, keep: bool) -> Value:
    if not keep:
        return value
    return ops.rearrange(value, lambda m: np.expand_dims(m, axes))


@handles("sum")
def _sum(
    ops: Ops,
    a: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,  # noqa: FBT001, FBT002
) -> Value:
    value = ops.lift(a)
    axes = ops.axes(value, dim if axis is None else axis)
    return _kept(ops, ops.total(value, axes), axes, keep=keepdim)


@handles("mean")
def _mean(
    ops: Ops,
    a: Any,
    dim: Any = None,
    keepdim: bool = False,
    *,
    axis: Any = None,  # noqa: FBT001, FBT002
) -> Value:
    value = ops.lift(a)
    axes = ops.axes(value, dim if axis is None else axis)
    count = math.prod(ops.shape(value)[k] for k in axes)
    mean = ops.multiply(ops.total(value, axes), ops.reciprocal(ops.lift(float(count))))
    return _kept(ops, mean, axes, keep=keepdim)


def _slices(ops: Ops, value: Value, axis: int) -> list[Value]:
    return [
        ops.rearrange(value, lambda m, k=k: np.take(m, [k], axis).squeeze(axis))
        for k in range(ops.shape(value)[axis])
    ]


def _folded(
    ops: Ops, value: Value, axis: int, combine: Callable[[Value, Value], Value]
) -> list[Value]:
    """Running results along an axis."""
    parts = _slices(ops, value, axis)
    for k in range(1, len(parts)):
        parts[k] = combine(parts[k - 1], parts[k])
    return parts


@handles("prod")
def _prod(ops: Ops, a: Any, dim: Any = None, keepdim: bool = False) -> Value:  # noqa: FBT001, FBT002
    value = ops.lift(a)
    if dim is None:
        value, dim = ops.rearrange(value, lambda m: m.reshape(-1)), 0
    axis = ops.axis(value, dim)
    shape = ops.shape(value)
    if not shape[axis]:
        return ops.lift(np.ones(shape[:axis] + shape[axis + 1 :]))
    product = _folded(ops, value, axis, ops.multiply)[-1]
    return _kept(ops, product, (axis,), keep=keepdim)


@handles("cumsum")
def _cumsum(ops: Ops, a: Any, dim: int) -> Value:
    return _running(ops, ops.lift(a), dim, ops.add)


@handles("cumprod")
def _cumprod(ops: Ops, a: Any, dim: int) -> Value:
    return _running(ops, ops.lift(a), dim, ops.multiply)


def _running(ops: Ops, value: Value, dim: int, combine: Callable[[Value, Value], Value]) -> Value:
    axis = ops.axis(value, dim)
    parts = _folded(ops, value, axis, combine)
    return ops.join(parts, lambda arrays: np.stack(arrays, axis)) if parts else value


# --- products ------------------------------------------------------------------------------------


@handles("matmul", "__matmul__", "mm", "bmm", "mv")
def _matmul(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.lift(a), ops.lift(b))


@handles("__rmatmul__")
def _rmatmul(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.lift(b), ops.lift(a))


@handles("dot")
def _dot(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(ops.lift(a), ops.lift(b))


@handles("vdot")
def _vdot(ops: Ops, a: Any, b: Any) -> Value:
    return ops.matmul(_conj(ops, ops.lift(a)), ops.lift(b))


@handles("vecdot", "linalg_vecdot")
def _vecdot(ops: Ops, a: Any, b: Any, *, dim: int = -1) -> Value:
    product = ops.multiply(_conj(ops, ops.lift(a)), ops.lift(b))
    return ops.total(product, (ops.axis(product, dim),))


@handles("inner")
def _inner(ops: Ops, a: Any, b: Any) -> Value:
    left, right = ops.lift(a), ops.lift(b)
    if not ops.ndim(left) or not ops.ndim(right):
        return ops.multiply(left, right)
    shape = ops.shape(left)[:-1] + ops.shape(right)[:-1]
    flat = [ops.rearrange(v, lambda m: m.reshape(-1, m.shape[-1])) for v in (left, right)]
    product = ops.matmul(flat[0], ops.rearrange(flat[1], np.transpose))
    return ops.rearrange(product, lambda m: m.reshape(shape))


@handles("outer", "ger")
def _outer(ops: Ops, a: Any, b: Any) -> Value:
    return ops.multiply(
        ops.rearrange(ops.lift(a), lambda m: m[:, None]),
        ops.rearrange(ops.lift(b), lambda m: m[None, :]),
    )


@handles("linear")
def _linear(ops: Ops, a: Any, weight: Any, bias: Any = None) -> Value:
    product = ops.matmul(ops.lift(a), ops.rearrange(ops.lift(weight), np.transpose))
    return product if bias is None else ops.add(product, ops.lift(bias))


@handles("addmm", "baddbmm", "addmv")
def _addmm(ops: Ops, a: Any, left: Any, right: Any, *, beta: Any = 1, alpha: Any = 1) -> Value:
    product = ops.multiply(ops.matmul(ops.lift(left), ops.lift(right)), ops.lift(alpha))
    return ops.add(ops.multiply(ops.lift(a), ops.lift(beta)), product)


@handles("multi_dot", "linalg_multi_dot", "chain_matmul")
def _multi_dot(ops: Ops, *matrices: Any) -> Value:
    given = matrices[0] if len(matrices) == 1 else matrices
    result = ops.lift(given[0])
    for matrix in given[1:]:
        result = ops.matmul(result, ops.lift(matrix))
    return result


@handles("matrix_power", "linalg_matrix_power")
def _matrix_power(ops: Ops, a: Any, n: int) -> Value:
    if n < 0:
        msg = f"not {ops.algebra.purpose}: a negative power of a matrix"
        raise FormalError(msg)
    value = ops.lift(a)
    result = ops.lift(np.broadcast_to(np.eye(ops.shape(value)[-1]), ops.shape(value)).copy())
    for _ in range(n):
        result = ops.matmul(result, value)
    return result


@handles("kron")
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


@handles("einsum")
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
        value = ops.rearrange(value, lambda m, i=first, j=second: np.diagonal(m, 0, i, j))
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


@handles("tensordot")
def _tensordot(ops: Ops, a: Any, b: Any, dims: Any = 2) -> Value:
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


@handles("trace")
def _trace(ops: Ops, a: Any) -> Value:
    return ops.total(ops.rearrange(ops.lift(a), lambda m: np.diagonal(m)), (0,))


# --- structure -----------------------------------------------------------------------------------


def _many(args: tuple[Any, ...]) -> list[int]:
    """``f(2, 3)`` and ``f((2, 3))`` are the same."""
    return list(args[0]) if len(args) == 1 and isinstance(args[0], tuple | list) else list(args)


def _identity(ops: Ops, a: Any) -> Value:
    return ops.lift(a)


for _name in ("clone", "detach", "double", "cpu", "requires_grad_", "data", "positive", "__pos__"):
    HANDLERS[_name] = _identity


@handles("clone", "contiguous")
def _clone(ops: Ops, a: Any, *, memory_format: Any = None) -> Value:
    del memory_format
    return ops.lift(a)


@handles("requires_grad_")
def _requires_grad(ops: Ops, a: Any, requires_grad: bool = True) -> Value:  # noqa: FBT001, FBT002
    del requires_grad
    return ops.lift(a)


@handles("to", "type", "as_tensor", "asarray")
def _to(ops: Ops, a: Any, *targets: Any, **options: Any) -> Value:
    value = ops.lift(a)
    for target in (*targets, *options.values()):
        device = isinstance(target, str | torch.device) and str(target).startswith("cpu")
        wanted = torch.complex128 if isinstance(value, Pair) else torch.float64
        if isinstance(target, Cell) and target.complex == isinstance(value, Pair):
            continue
        if target is torch.complex128 and not isinstance(value, Pair):
            value = Pair(*ops.parts(value))
        elif not (device or target is None or isinstance(target, bool) or target is wanted):
            msg = f"not {ops.algebra.purpose}: a cast to {target}"
            raise FormalError(msg)
    return value


@handles("type_as")
def _type_as(ops: Ops, a: Any, other: Any) -> Value:
    return _to(ops, a, other.dtype if isinstance(other, Tensor) else other)


@handles("reshape", "view")
def _reshape(ops: Ops, a: Any, *shape: Any, **named: Any) -> Value:
    sizes = _many(shape or tuple(named.pop("shape", ())))
    if named or any(not isinstance(n, int) for n in sizes):
        msg = "a view as another dtype"
        raise TypeError(msg)
    return ops.rearrange(ops.lift(a), lambda m: m.reshape(sizes))


@handles("view_as", "reshape_as")
def _reshape_as(ops: Ops, a: Any, other: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: m.reshape(tuple(other.shape)))


@handles("flatten")
def _flatten(ops: Ops, a: Any, start_dim: int = 0, end_dim: int = -1) -> Value:
    value = ops.lift(a)
    shape = ops.shape(value)
    if not shape:
        return ops.rearrange(value, lambda m: m.reshape(1))
    first, last = ops.axis(value, start_dim), ops.axis(value, end_dim)
    merged = (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])
    return ops.rearrange(value, lambda m: m.reshape(merged))


@handles("ravel")
def _ravel(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: m.reshape(-1))


@handles("unflatten")
def _unflatten(ops: Ops, a: Any, dim: int, sizes: Sequence[int]) -> Value:
    value = ops.lift(a)
    axis, shape, given = ops.axis(value, dim), ops.shape(value), list(sizes)
    if -1 in given:
        known = math.prod(n for n in given if n != -1)
        given[given.index(-1)] = shape[axis] // known
    return ops.rearrange(value, lambda m: m.reshape(*shape[:axis], *given, *shape[axis + 1 :]))


@handles("permute")
def _permute(ops: Ops, a: Any, *dims: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.transpose(m, _many(dims)))


@handles("transpose", "swapaxes", "swapdims")
def _transpose(ops: Ops, a: Any, dim0: int, dim1: int) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.swapaxes(m, dim0, dim1))


@handles("t", "T", "numpy_T")
def _t(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), np.transpose)


@handles("mT")
def _mt(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.swapaxes(m, -1, -2))


@handles("H", "mH", "adjoint")
def _adjoint(ops: Ops, a: Any) -> Value:
    return _conj(ops, _mt(ops, a))


@handles("movedim", "moveaxis")
def _movedim(ops: Ops, a: Any, source: Any, destination: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.moveaxis(m, source, destination))


@handles("squeeze")
def _squeeze(ops: Ops, a: Any, dim: Any = None) -> Value:
    value = ops.lift(a)
    shape = ops.shape(value)
    axes = tuple(k for k in ops.axes(value, dim) if shape[k] == 1)
    return ops.rearrange(value, lambda m: m.squeeze(axes))


@handles("unsqueeze")
def _unsqueeze(ops: Ops, a: Any, dim: int) -> Value:
    value = ops.lift(a)
    axis = ops.axis(value, dim, extra=1)
    return ops.rearrange(value, lambda m: np.expand_dims(m, axis))


@handles("expand", "broadcast_to")
def _expand(ops: Ops, a: Any, *sizes: Any) -> Value:
    value = ops.lift(a)
    wanted, shape = _many(sizes), ops.shape(value)
    old = (1,) * (len(wanted) - len(shape)) + shape
    full = tuple(o if w == -1 else w for w, o in zip(wanted, old, strict=True))
    return ops.rearrange(value, lambda m: np.broadcast_to(m, full))


@handles("expand_as")
def _expand_as(ops: Ops, a: Any, other: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.broadcast_to(m, tuple(other.shape)))


@handles("broadcast_tensors")
def _broadcast_tensors(ops: Ops, *tensors: Any) -> list[Value]:
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    values = [ops.lift(v) for v in given]
    shape = np.broadcast_shapes(*(ops.shape(v) for v in values))
    return [ops.rearrange(v, lambda m: np.broadcast_to(m, shape)) for v in values]


@handles("repeat", "tile")
def _repeat(ops: Ops, a: Any, *sizes: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.tile(m, _many(sizes)))


@handles("repeat_interleave")
def _repeat_interleave(ops: Ops, a: Any, repeats: int, dim: Any = None) -> Value:
    if not isinstance(repeats, int):
        msg = "repeats that differ"
        raise TypeError(msg)
    return ops.rearrange(ops.lift(a), lambda m: np.repeat(m, repeats, dim))


@handles("flip")
def _flip(ops: Ops, a: Any, *dims: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.flip(m, tuple(_many(dims))))


@handles("fliplr")
def _fliplr(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.flip(m, 1))


@handles("roll")
def _roll(ops: Ops, a: Any, shifts: Any, dims: Any = None) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.roll(m, shifts, dims))


@handles("unbind", "__iter__")
def _unbind(ops: Ops, a: Any, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    return _slices(ops, value, ops.axis(value, dim))


def _pieces(ops: Ops, value: Value, ends: Sequence[int], axis: int) -> list[Value]:
    index: tuple[Any, ...] = (slice(None),) * axis
    return [
        ops.rearrange(value, lambda m, i=i, j=j: m[(*index, slice(i, j))])
        for i, j in pairwise(ends)
    ]


@handles("split", "split_with_sizes")
def _split(ops: Ops, a: Any, split_size_or_sections: Any, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    axis = ops.axis(value, dim)
    size, step = ops.shape(value)[axis], split_size_or_sections
    if isinstance(step, int):
        ends = [*range(0, size, step), size] if size else [0, 0]
    else:
        ends = [0, *np.cumsum(step).tolist()]
    return _pieces(ops, value, ends, axis)


@handles("chunk")
def _chunk(ops: Ops, a: Any, chunks: int, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    size = ops.shape(value)[ops.axis(value, dim)]
    return _split(ops, a, max(1, -(-size // chunks)), dim)


@handles("tensor_split", "hsplit")
def _tensor_split(ops: Ops, a: Any, indices_or_sections: int, dim: int = 0) -> list[Value]:
    value = ops.lift(a)
    axis = ops.axis(value, dim)
    sizes = [len(p) for p in np.array_split(np.arange(ops.shape(value)[axis]), indices_or_sections)]
    return _pieces(ops, value, [0, *np.cumsum(sizes).tolist()], axis)


@handles("narrow")
def _narrow(ops: Ops, a: Any, dim: int, start: int, length: int) -> Value:
    value = ops.lift(a)
    return _pieces(ops, value, [start, start + length], ops.axis(value, dim))[0]


@handles("select")
def _select_index(ops: Ops, a: Any, dim: int, index: int) -> Value:
    value = ops.lift(a)
    return _slices(ops, value, ops.axis(value, dim))[index]


@handles("index_select")
def _index_select(ops: Ops, a: Any, dim: int, index: Tensor) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.take(m, index.numpy(), dim))


@handles("gather", "take_along_dim")
def _gather(ops: Ops, a: Any, dim: int, index: Tensor) -> Value:
    def pick(m: NDArray[Any]) -> NDArray[Any]:
        corner = tuple(
            slice(None) if k == dim % m.ndim else slice(n) for k, n in enumerate(index.shape)
        )
        return np.take_along_axis(m[corner], index.numpy(), dim)

    return ops.rearrange(ops.lift(a), pick)


def _index(index: Any) -> Any:
    """A torch index as numpy's; an ellipsis is added so that entries stay arrays."""
    many = index if isinstance(index, tuple) else (index,)
    plain = []
    for part in many:
        if isinstance(part, Tensor):
            part = part.numpy()  # noqa: PLW2901
            if part.dtype == np.uint8:
                msg = "an index of type uint8; use bool"
                raise TypeError(msg)
        elif isinstance(part, Cell):
            msg = "an index that is no constant"
            raise FormalError(msg)
        plain.append(part)
    if not any(part is Ellipsis for part in plain):
        plain.append(Ellipsis)
    return tuple(plain)


@handles("__getitem__")
def _getitem(ops: Ops, a: Any, index: Any) -> Value:
    where = _index(index)
    return ops.rearrange(ops.lift(a), lambda m: m[where])


@handles("__setitem__")
def _setitem(ops: Ops, a: Any, index: Any, value: Any) -> Value:
    where, target, given = _index(index), ops.lift(a), ops.lift(value)
    if isinstance(given, Pair) and not isinstance(target, Pair):
        msg = "complex numbers written into a real tensor"
        raise FormalError(msg)

    def put(parts: list[NDArray[Any]]) -> NDArray[Any]:
        out = parts[0].copy()
        out[where] = parts[1]
        return out

    return ops.join([target, given], put)


@handles("copy_")
def _copy(ops: Ops, a: Any, source: Any) -> Value:
    shape = ops.shape(ops.lift(a))
    return ops.rearrange(ops.lift(source), lambda m: np.broadcast_to(m, shape))


def _all_lifted(ops: Ops, tensors: Any) -> list[Value]:
    return [ops.lift(t) for t in tensors]


@handles("stack")
def _stack(ops: Ops, tensors: Any, dim: int = 0) -> Value:
    values = _all_lifted(ops, tensors)
    axis = ops.axis(values[0], dim, extra=1)
    return ops.join(values, lambda parts: np.stack(parts, axis))


@handles("cat", "concat", "concatenate")
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


@handles("atleast_1d")
def _atleast_1d(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), np.atleast_1d)


@handles("atleast_2d")
def _atleast_2d(ops: Ops, a: Any) -> Value:
    return ops.rearrange(ops.lift(a), np.atleast_2d)


@handles("diagonal")
def _diagonal(ops: Ops, a: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    return ops.rearrange(ops.lift(a), lambda m: np.diagonal(m, offset, dim1, dim2))


@handles("diag_embed", "diag")
def _diag(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    if ops.ndim(value) != 1:
        msg = "`diag` of more than one axis; use torch.diagonal"
        raise FormalError(msg)
    size = ops.shape(value)[0]
    return ops.multiply(ops.rearrange(value, lambda m: m[:, None]), ops.lift(np.eye(size)))


@handles("tril")
def _tril(ops: Ops, a: Any, diagonal: int = 0) -> Value:
    value = ops.lift(a)
    return ops.multiply(value, ops.lift(np.tril(np.ones(ops.shape(value)), diagonal)))


@handles("triu")
def _triu(ops: Ops, a: Any, diagonal: int = 0) -> Value:
    value = ops.lift(a)
    return ops.multiply(value, ops.lift(np.triu(np.ones(ops.shape(value)), diagonal)))


@handles("view_as_real")
def _view_as_real(ops: Ops, a: Any) -> Value:
    return ops.join(list(ops.parts(ops.lift(a))), lambda parts: np.stack(parts, -1))


@handles("view_as_complex")
def _view_as_complex(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    return Pair(*(ops.rearrange(value, lambda m, k=k: m[..., k]) for k in (0, 1)))


def _filled(number: float) -> Handler:
    def make(ops: Ops, a: Any, **options: Any) -> Value:
        if any(v is not None and v is not torch.float64 for v in options.values()):
            msg = "options"
            raise TypeError(msg)
        return ops.lift(np.full(tuple(a.shape), number))

    return make


HANDLERS |= {"zeros_like": _filled(0.0), "ones_like": _filled(1.0)}


@handles("full_like")
def _full_like(ops: Ops, a: Any, fill_value: Any) -> Value:
    shape = tuple(a.shape)
    return ops.rearrange(ops.lift(fill_value), lambda m: np.broadcast_to(m, shape))


def _new(number: float) -> Handler:
    def make(ops: Ops, a: Any, *size: Any, dtype: Any = None) -> Value:
        del a
        if dtype not in (None, torch.float64):
            msg = "dtype"
            raise TypeError(msg)
        return ops.lift(np.full(_many(size), number))

    return make


HANDLERS |= {"new_zeros": _new(0.0), "new_ones": _new(1.0)}


@handles("new_tensor")
def _new_tensor(ops: Ops, a: Any, data: Any) -> Value:
    del a
    return ops.lift(np.asarray(data, dtype=np.float64))


@handles("new_full")
def _new_full(ops: Ops, a: Any, size: Any, fill_value: float) -> Value:
    del a
    return ops.lift(np.full(tuple(size), fill_value))


#: Questions about a tensor that its shape and dtype answer.
METADATA = frozenset({
    "shape", "size", "dim", "ndim", "ndimension", "dtype", "device", "numel", "nelement", "layout",
    "is_floating_point", "is_complex", "is_cuda", "requires_grad", "is_leaf", "__len__", "names",
    "is_sparse", "is_quantized", "is_meta", "element_size", "get_device", "is_contiguous",
    "_has_symbolic_sizes_strides", "__hash__", "result_type", "is_tensor", "is_nested", "is_mkldnn",
})  # fmt: skip

#: Functions whose result may share its memory with their argument.
VIEWS = frozenset({
    "detach", "double", "cpu", "requires_grad_", "data", "contiguous", "to", "type", "as_tensor",
    "asarray", "type_as", "reshape", "view", "view_as", "reshape_as", "flatten", "ravel",
    "unflatten", "permute", "transpose", "swapaxes", "swapdims", "t", "T", "numpy_T", "mT", "H",
    "mH", "adjoint", "movedim", "moveaxis", "squeeze", "unsqueeze", "expand", "broadcast_to",
    "expand_as", "broadcast_tensors", "unbind", "__iter__", "split", "split_with_sizes", "chunk",
    "tensor_split", "hsplit", "narrow", "select", "__getitem__", "atleast_1d", "atleast_2d",
    "diagonal", "real", "imag", "conj", "resolve_conj", "resolve_neg", "view_as_real",
    "view_as_complex", "positive", "__pos__", "dropout", "where",
})  # fmt: skip
