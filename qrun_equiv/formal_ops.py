"""What torch functions mean on arrays of an algebra's numbers, real or complex.

:data:`HANDLERS` maps the name of a torch function to a function of :class:`Ops` and the call's
arguments. A handler takes exactly the arguments that it honours: any other (``out=``, ``dtype=``,
``rounding_mode=``) is a ``TypeError``, which :mod:`qrun_equiv.formal` turns into a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
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


# float32 holds whole numbers up to here exactly: torch.zeros and torch.eye without a dtype.
_WHOLE = 2.0**20
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
        floats = array.astype(np.float64)
        rounded = array.dtype.kind == "f" and array.dtype.itemsize < floats.dtype.itemsize
        if rounded and not np.all((floats == np.round(floats)) & (np.abs(floats) <= _WHOLE)):
            msg = f"a {array.dtype} constant: call .double() on the module"
            raise FormalError(msg)
        if not np.all(np.isfinite(floats)):
            msg = "a constant is not finite"
            raise FormalError(msg)
        return self.algebra.constant(floats)

    def shape(self, a: Value) -> tuple[int, ...]:
        """Shape of the array."""
        if isinstance(a, Modulus):
            return self.algebra.shape(a.norm)
        return self.algebra.shape(a.real if isinstance(a, Pair) else a)

    def ndim(self, a: Value) -> int:
        """Number of axes."""
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
        """``a + b``."""
        if isinstance(a, Pair) or isinstance(b, Pair):
            (ar, ai), (br, bi) = self.parts(a), self.parts(b)
            return Pair(self.algebra.add(ar, br), self.algebra.add(ai, bi))
        return self.algebra.add(a, b)

    def multiply(self, a: Value, b: Value) -> Value:
        """``a * b``, elementwise."""
        return self.both(a, b, self.algebra.multiply)

    def matmul(self, a: Value, b: Value) -> Value:
        """``a @ b``."""
        return self.both(a, b, self.algebra.matmul)

    def negative(self, a: Value) -> Value:
        """``-a``."""
        return self.each(a, self.algebra.negative)

    def subtract(self, a: Value, b: Value) -> Value:
        """``a - b``."""
        return self.add(a, self.negative(b))

    def total(self, a: Value, axes: tuple[int, ...]) -> Value:
        """Sum over (non-negative) axes, which disappear."""
        return self.each(a, lambda part: self.algebra.total(part, axes)) if axes else a

    def rearrange(self, a: Value, move: Rearrangement) -> Value:
        """The same entries elsewhere."""
        return self.each(a, lambda part: self.algebra.rearrange(part, move))

    def join(
        self, values: Sequence[Value], put: Callable[[list[NDArray[Any]]], NDArray[Any]]
    ) -> Value:
        """Several arrays as one, complex if one is."""
        if any(isinstance(v, Pair) for v in values):
            split = [self.parts(v) for v in values]
            real, imag = ([s[k] for s in split] for k in (0, 1))
            return Pair(self.algebra.join(real, put), self.algebra.join(imag, put))
        return self.algebra.join(values, put)

    def function(self, name: str, a: Value) -> Value:
        """A function of each real entry."""
        if isinstance(a, Pair):
            msg = f"not {self.algebra.purpose}: `{name}` of complex numbers"
            raise FormalError(msg)
        return self.algebra.function(name, a)

    def reciprocal(self, a: Value) -> Value:
        """``1/a``."""
        if not isinstance(a, Pair):
            return self.algebra.function("reciprocal", a)
        norm = self.algebra.add(
            self.algebra.multiply(a.real, a.real), self.algebra.multiply(a.imag, a.imag)
        )
        return self.multiply(self.conj(a), self.algebra.function("reciprocal", norm))

    def conj(self, a: Value) -> Value:
        """Complex conjugate."""
        return Pair(a.real, self.algebra.negative(a.imag)) if isinstance(a, Pair) else a

    def select(self, condition: NDArray[Any], a: Value, b: Value) -> Value:
        """Entries of ``a`` where a constant condition holds, else of ``b``."""
        return self.join([a, b], lambda parts: np.where(condition, parts[0], parts[1]))

    def slices(self, a: Value, axis: int) -> list[Value]:
        """The array cut along an axis, which disappears."""

        def cut(k: int) -> Rearrangement:
            return lambda m: np.take(m, [k], axis).squeeze(axis)

        return [self.rearrange(a, cut(k)) for k in range(self.shape(a)[axis])]

    def is_zero(self, a: Value) -> bool:
        """Whether every entry is known to be exactly zero."""
        test = getattr(self.algebra, "is_zero", None)
        return bool(test(a)) if test else False

    def axis(self, a: Value, dim: Any, extra: int = 0) -> int:
        """A dimension counted from the front."""
        size = self.ndim(a) + extra
        if (
            isinstance(dim, bool)
            or not isinstance(dim, int)
            or not -max(size, 1) <= dim < max(size, 1)
        ):
            msg = f"dimension {dim!r} of {size}"
            raise TypeError(msg)
        return dim % max(size, 1)

    def axes(self, a: Value, dim: Any) -> tuple[int, ...]:
        """Dimensions of a reduction; all of them where none is given, none of a single number."""
        if dim is None or (isinstance(dim, tuple | list) and not dim):
            return tuple(range(self.ndim(a)))
        dims = dim if isinstance(dim, tuple | list) else (dim,)
        found = tuple(sorted(self.axis(a, d) for d in dims))
        return found if self.ndim(a) else ()


Handler = Callable[..., Any]


class Handlers(dict[str, Handler]):
    """Handlers by the name of their torch function."""

    def of(self, *names: str) -> Callable[[Handler], Handler]:
        """Decorator: register a handler under these names."""

        def register(handler: Handler) -> Handler:
            for name in names:
                if name in self:
                    msg = f"two handlers of {name}"
                    raise KeyError(msg)
                self[name] = handler
            return handler

        return register


def many(args: tuple[Any, ...]) -> list[int]:
    """``f(2, 3)`` and ``f((2, 3))`` are the same."""
    return list(args[0]) if len(args) == 1 and isinstance(args[0], tuple | list) else list(args)
