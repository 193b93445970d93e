"""Torch's elementwise functions on an algebra's numbers: see :mod:`qrun_equiv.formal_ops`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.errors import FormalError
from qrun_equiv.formal_ops import Cell, Handler, Handlers, Modulus, Ops, Pair, Value

HANDLERS = Handlers()


@HANDLERS.of("add", "__add__", "__radd__")
def _add(ops: Ops, a: Any, b: Any, *, alpha: Any = 1) -> Value:
    right = ops.lift(b)
    return ops.add(ops.lift(a), right if alpha == 1 else ops.multiply(right, ops.lift(alpha)))


@HANDLERS.of("sub", "subtract", "__sub__")
def _sub(ops: Ops, a: Any, b: Any, *, alpha: Any = 1) -> Value:
    right = ops.lift(b)
    return ops.subtract(ops.lift(a), right if alpha == 1 else ops.multiply(right, ops.lift(alpha)))


@HANDLERS.of("__rsub__", "rsub")
def _rsub(ops: Ops, a: Any, b: Any) -> Value:
    return ops.subtract(ops.lift(b), ops.lift(a))


@HANDLERS.of("mul", "multiply", "__mul__", "__rmul__")
def _mul(ops: Ops, a: Any, b: Any) -> Value:
    return ops.multiply(ops.lift(a), ops.lift(b))


@HANDLERS.of("div", "divide", "true_divide", "__truediv__")
def _div(ops: Ops, a: Any, b: Any) -> Value:
    return ops.multiply(ops.lift(a), ops.reciprocal(ops.lift(b)))


@HANDLERS.of("__rdiv__")
def _rdiv(ops: Ops, a: Any, b: Any) -> Value:
    return _div(ops, b, a)


@HANDLERS.of("reciprocal")
def _reciprocal(ops: Ops, a: Any) -> Value:
    return ops.reciprocal(ops.lift(a))


@HANDLERS.of("neg", "negative")
def _neg(ops: Ops, a: Any) -> Value:
    return ops.negative(ops.lift(a))


@HANDLERS.of("square")
def _square(ops: Ops, a: Any) -> Value:
    if isinstance(a, Cell) and isinstance(a.value, Modulus):
        return a.value.norm
    value = ops.lift(a)
    return ops.multiply(value, value)


@HANDLERS.of("pow", "float_power")
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
        result = made if result is None else ops.select(where, made, result)
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


@HANDLERS.of("__rpow__")
def _rpow(ops: Ops, a: Any, base: Any) -> Value:
    return _pow(ops, base, a)


def _elementwise(name: str) -> Handler:
    def apply(ops: Ops, a: Any, *, inplace: bool = False) -> Value:
        if inplace:
            msg = f"`{name}` in place; leave out inplace=True"
            raise FormalError(msg)
        return ops.function(name, ops.lift(a))

    return apply


for _name in (
    "cos", "sin", "tan", "tanh", "sigmoid", "relu", "softplus", "sqrt", "rsqrt",
    "log", "sinh", "cosh", "atan", "arctan", "asin", "arcsin", "acos", "arccos", "sinc", "erf",
    "silu", "log1p", "expm1", "sign",
):  # fmt: skip
    HANDLERS[_name] = _elementwise(_name)


@HANDLERS.of("abs", "absolute")
def _abs(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    if not isinstance(value, Pair):
        return ops.function("abs", value)
    real, imag = ops.multiply(value.real, value.real), ops.multiply(value.imag, value.imag)
    return Modulus(ops.add(real, imag))


@HANDLERS.of("exp")
def _exp(ops: Ops, a: Any) -> Value:
    value = ops.lift(a)
    if not isinstance(value, Pair):
        return ops.function("exp", value)
    turned = Pair(ops.function("cos", value.imag), ops.function("sin", value.imag))
    size = a.plain.real if isinstance(a, Cell) and a.plain is not None else None
    if size is not None and not bool(torch.any(size)):
        return turned
    return (
        turned if ops.is_zero(value.real) else ops.multiply(turned, ops.function("exp", value.real))
    )


@HANDLERS.of("deg2rad")
def _deg2rad(ops: Ops, a: Any) -> Value:
    return ops.multiply(ops.lift(a), ops.lift(math.pi / 180))


@HANDLERS.of("polar")
def _polar(ops: Ops, size: Any, angle: Any) -> Value:
    turn = ops.lift(angle)
    return ops.multiply(ops.lift(size), Pair(ops.function("cos", turn), ops.function("sin", turn)))


@HANDLERS.of("complex")
def _complex(ops: Ops, real: Any, imag: Any) -> Value:
    return Pair(ops.lift(real), ops.lift(imag))


@HANDLERS.of("real")
def _real(ops: Ops, a: Any) -> Value:
    return ops.parts(ops.lift(a))[0]


@HANDLERS.of("imag")
def _imag(ops: Ops, a: Any) -> Value:
    return ops.parts(ops.lift(a))[1]


@HANDLERS.of("conj", "conj_physical")
def _conj_of(ops: Ops, a: Any) -> Value:
    return ops.conj(ops.lift(a))


@HANDLERS.of("addcmul")
def _addcmul(ops: Ops, a: Any, left: Any, right: Any, *, value: Any = 1) -> Value:
    product = ops.multiply(ops.multiply(ops.lift(left), ops.lift(right)), ops.lift(value))
    return ops.add(ops.lift(a), product)


@HANDLERS.of("lerp")
def _lerp(ops: Ops, start: Any, end: Any, weight: Any) -> Value:
    first = ops.lift(start)
    return ops.add(first, ops.multiply(ops.lift(weight), ops.subtract(ops.lift(end), first)))


@HANDLERS.of("where")
def _where(ops: Ops, condition: Any, a: Any, b: Any) -> Value:
    if isinstance(a, Tensor) and a.dtype == torch.bool:  # a.where(condition, b)
        condition, a = a, condition
    if not isinstance(condition, Tensor) or condition.dtype != torch.bool:
        msg = f"not {ops.algebra.purpose}: `where` on values"
        raise FormalError(msg)
    return ops.select(condition.numpy(), ops.lift(a), ops.lift(b))


@HANDLERS.of("masked_fill")
def _masked_fill(ops: Ops, a: Any, mask: Any, value: Any) -> Value:
    return _where(ops, mask, value, a)


@HANDLERS.of("dropout")
def _dropout(
    ops: Ops,
    a: Any,
    p: float = 0.5,
    training: bool = True,  # noqa: FBT001, FBT002
    inplace: bool = False,  # noqa: FBT001, FBT002
) -> Value:
    if (training and p) or inplace:
        msg = f"not {ops.algebra.purpose}: `dropout` in training mode; call .eval()"
        raise FormalError(msg)
    return ops.lift(a)
