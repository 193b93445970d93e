"""Arrays over a random prime field: the :class:`~qrun_equiv.algebra.Algebra` of exact identities.

Every entry is an element of the field and, as long as it is one, also a polynomial in features,
parameters and pi (an :class:`~qrun_equiv.angle.Angle`): ``cos`` and ``sin`` need the polynomial,
everything after them the field. Polynomials are computed only where a cosine asks for them.

Each array carries two bounds for the error probability: its degree in *atoms* (cosines, sines,
symbols) and the bits of its largest coefficient with all denominators cleared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from qrun_equiv.algebra import Rearrangement
from qrun_equiv.angle import (
    Angle,
    Monomial,
    feature,
    parameter,
    read_constant,
    root_two_multiple,
)
from qrun_equiv.errors import FormalError
from qrun_equiv.field import Field

Objects = NDArray[Any]
#: Denominators of an array's coefficients: whole numbers with the power in which they occur.
Denominators = Mapping[int, int]
#: Products of longer polynomials are kept as field elements only.
_MOST_TERMS = 4096
_PURPOSE = "a polynomial identity"


class _Polynomials:
    """Lazily computed polynomials of an array; ``None`` entries are no polynomials."""

    def __init__(self, make: Callable[[], Objects]) -> None:
        self._make = make
        self._made: Objects | None = None

    def get(self) -> Objects:
        if self._made is None:
            self._made = self._make()
        return self._made


@dataclass(frozen=True, slots=True)
class FieldArray:
    """Elements of a field, their polynomials, and what the error probability needs.

    Attributes:
        values: object array of integers modulo the prime.
        polynomials: the same entries as polynomials; ``None`` where none is one.
        atoms: degree in cosines, sines and symbols.
        bits: logarithm of the largest sum of absolute coefficients of an entry.
        denominators: of the coefficients.
    """

    values: Objects
    polynomials: _Polynomials | None
    atoms: int
    bits: float
    denominators: Denominators

    @property
    def height(self) -> float:
        """Bits of the largest coefficient, denominators cleared."""
        return self.bits + sum(n * math.log2(d) for d, n in self.denominators.items())


class FieldAlgebra:
    """Arithmetic of :class:`FieldArray` over one field."""

    purpose = _PURPOSE

    def __init__(self, drawn: Field) -> None:
        self.field = drawn

    # --- inputs ---

    def symbols(self, polynomials: Objects) -> FieldArray:
        """Array of given polynomials, of degree at most 1 each (features, parameters, constants)."""
        values = self._objects([self.field.value(a) for a in polynomials.ravel()], polynomials)
        return FieldArray(values, _Polynomials(lambda: polynomials), 1, *_coefficients(polynomials))

    def features(self, batch: int, n_features: int) -> FieldArray:
        """Formal features ``[batch, n_features]``: row ``b`` has symbols of its own."""
        flat = [feature(k) for k in range(batch * n_features)]
        return self.symbols(self._objects(flat, np.empty((batch, n_features))))

    def parameters(self, shape: tuple[int, ...]) -> FieldArray:
        """Formal parameters of a shape."""
        return self.symbols(self._objects(map(parameter, range(math.prod(shape))), np.empty(shape)))

    def exact(self, values: NDArray[np.float64]) -> FieldArray:
        """Given numbers as exact constants (parameters that are fixed)."""
        return self.constant(values)

    # --- the algebra ---

    def constant(self, values: NDArray[np.float64]) -> FieldArray:
        """Floats as the simplest rational, multiple of pi or of sqrt 2 that each stands for.

        A multiple of sqrt 2 is one as a number only; in an angle it stays rational.
        """
        readings = [_read(float(v)) for v in values.ravel()]
        read = self._objects([r[0] for r in readings], values)
        roots = [r[1] for r in readings]
        numbers = [
            self.field.value(a) if q is None else self.field.number(q) * self.field.root_two
            for a, q in zip(read.ravel(), roots, strict=True)
        ]
        atoms = int(any(m for a in read.ravel() for m, _ in a.terms))  # pi is a formal number
        found = self._objects(n % self.field.prime for n in numbers), *_coefficients(read)
        array = found[0].reshape(values.shape)
        return FieldArray(array, _Polynomials(lambda: read), atoms, found[1] + 1.0, found[2])

    def shape(self, a: FieldArray) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(a.values.shape)

    def add(self, a: FieldArray, b: FieldArray) -> FieldArray:
        """``a + b``."""
        values = _array((a.values + b.values) % self.field.prime)
        return self._sum(values, [a, b], _together(a, b, _plus))

    def _sum(
        self, values: Objects, parts: Sequence[FieldArray], polynomials: _Polynomials | None
    ) -> FieldArray:
        common = _common(*(p.denominators for p in parts))
        bits = max(p.bits + _log(common) - _log(p.denominators) for p in parts)
        atoms = max(p.atoms for p in parts)
        return FieldArray(values, polynomials, atoms, bits + math.log2(max(2, len(parts))), common)

    def multiply(self, a: FieldArray, b: FieldArray) -> FieldArray:
        """``a * b``."""
        values = _array(a.values * b.values % self.field.prime)
        return self._product(values, a, b, _together(a, b, _times), 1)

    def _product(
        self,
        values: Objects,
        a: FieldArray,
        b: FieldArray,
        polynomials: _Polynomials | None,
        terms: int,
    ) -> FieldArray:
        denominators = dict(a.denominators)
        for base, power in b.denominators.items():
            denominators[base] = denominators.get(base, 0) + power
        bits = a.bits + b.bits + math.log2(max(1, terms))
        return FieldArray(values, polynomials, a.atoms + b.atoms, bits, denominators)

    def negative(self, a: FieldArray) -> FieldArray:
        """``-a``."""
        values = _array(-a.values % self.field.prime)
        return FieldArray(values, _apart(a, _minus), a.atoms, a.bits, a.denominators)

    def matmul(self, a: FieldArray, b: FieldArray) -> FieldArray:
        """``a @ b``."""
        values = _array(np.matmul(a.values, b.values) % self.field.prime)
        polynomials = None
        if a.polynomials is not None and b.polynomials is not None:
            first, second = a.polynomials, b.polynomials
            polynomials = _Polynomials(lambda: _matmul(first.get(), second.get()))
        return self._product(values, a, b, polynomials, a.values.shape[-1])

    def total(self, a: FieldArray, axes: tuple[int, ...]) -> FieldArray:
        """Sum over axes."""
        values = _array(np.sum(a.values, axis=axes) % self.field.prime)
        polynomials = None
        if a.polynomials is not None:
            source = a.polynomials
            polynomials = _Polynomials(lambda: _total(source.get(), axes))
        count = math.prod(a.values.shape[k] for k in axes)
        bits = a.bits + math.log2(max(1, count))
        return FieldArray(values, polynomials, a.atoms, bits, a.denominators)

    def rearrange(self, a: FieldArray, move: Rearrangement) -> FieldArray:
        """The same entries elsewhere."""
        polynomials = None
        if a.polynomials is not None:
            source = a.polynomials
            polynomials = _Polynomials(lambda: _array(move(source.get())))
        values = _array(move(a.values))
        return FieldArray(values, polynomials, a.atoms, a.bits, a.denominators)

    def join(
        self, parts: Sequence[FieldArray], put: Callable[[list[Objects]], Objects]
    ) -> FieldArray:
        """Several arrays as one."""
        values = _array(put([p.values for p in parts]))
        sources = [(p.polynomials, p.values.shape) for p in parts]

        def joined() -> Objects:
            none = [np.full(shape, None, dtype=object) for _, shape in sources]
            return _array(put([
                blank if source is None else source.get()
                for (source, _), blank in zip(sources, none, strict=True)
            ]))  # fmt: skip

        some = any(source is not None for source, _ in sources)
        return self._sum(values, parts, _Polynomials(joined) if some else None)

    def function(self, name: str, a: FieldArray) -> FieldArray:
        """``cos`` and ``sin`` of polynomials; ``reciprocal`` and ``sqrt`` of constants."""
        if name in {"cos", "sin"}:
            return self._turn(name, a)
        if name == "reciprocal":
            return self._reciprocal(a)
        if name == "sqrt":
            return self._root(a)
        msg = f"not {_PURPOSE}: `{name}`"
        raise FormalError(msg)

    def is_zero(self, a: FieldArray) -> bool:
        """Whether every entry is exactly zero (by its polynomial)."""
        if a.polynomials is None:
            return False
        return all(p is not None and not p.terms for p in a.polynomials.get().ravel())

    def _turn(self, name: str, a: FieldArray) -> FieldArray:
        angles = [None] if a.polynomials is None else a.polynomials.get().ravel()
        if any(angle is None for angle in angles):
            msg = f"not {_PURPOSE}: `{name}` of something that is no polynomial in x and theta"
            raise FormalError(msg)
        p, half = self.field.prime, (self.field.prime + 1) // 2
        over_i = pow(2 * self.field.i, -1, p)
        values = []
        for angle in angles:
            z = self.field.turn(angle)
            inverse = pow(z, -1, p)
            values.append((z + inverse) * half % p if name == "cos" else (z - inverse) * over_i % p)
        return FieldArray(self._objects(values, a.values), None, 1, 1.0, {2: 1})

    def _reciprocal(self, a: FieldArray) -> FieldArray:
        msg = f"not {_PURPOSE}: a division by something that is no nonzero constant"
        if a.atoms and (a.polynomials is None or any(
            p is None or p.symbols() for p in a.polynomials.get().ravel()
        )):  # fmt: skip
            raise FormalError(msg)
        if any(v % self.field.prime == 0 for v in a.values.ravel()):
            raise FormalError(msg)
        p = self.field.prime
        values = self._objects([pow(v, -1, p) for v in a.values.ravel()], a.values)
        polynomials = None
        if a.polynomials is not None:
            source = a.polynomials
            polynomials = _Polynomials(lambda: _array(_inverse(source.get())))
        # 1/a = D * (the other conjugates of a) / norm(a), all of them below 2**(height * phi)
        height = math.ceil((a.height + 1.0) * int(sympy.totient(self.field.order)))
        return FieldArray(values, polynomials, 2 * a.atoms, float(height), {2: height})

    def _root(self, a: FieldArray) -> FieldArray:
        msg = f"not {_PURPOSE}: `sqrt` of something that is no square, or twice a square, of a rational"
        if a.polynomials is None:
            raise FormalError(msg)
        values = []
        for polynomial in a.polynomials.get().ravel():
            root, twice = _square_root(polynomial)
            if root is None:
                raise FormalError(msg)
            number = self.field.number(root)
            values.append(number * self.field.root_two % self.field.prime if twice else number)
        array = self._objects(values, a.values)
        return FieldArray(array, None, 0, a.height + 1.0, a.denominators)

    def _objects(self, entries: Iterable[Any], like: Any = None) -> Objects:
        flat = list(entries)
        array = np.empty(len(flat), dtype=object)
        for index, entry in enumerate(flat):
            array[index] = entry
        return array if like is None else array.reshape(np.shape(like))


@lru_cache(maxsize=65536)
def _read(value: float) -> tuple[Angle, Fraction | None]:
    return read_constant(value), root_two_multiple(value)


def _square_root(polynomial: Angle | None) -> tuple[Fraction | None, bool]:
    """``(q, twice)`` where the constant is ``q**2`` or ``2 q**2``; ``(None, False)`` otherwise."""
    if polynomial is None or any(m for m, _ in polynomial.terms):
        return None, False
    value = polynomial.terms[0][1] if polynomial.terms else Fraction(0)
    for twice, square in ((False, value), (True, value / 2)):
        if square >= 0:
            top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
            if top * top == square.numerator and bottom * bottom == square.denominator:
                return Fraction(top, bottom), twice
    return None, False


def _array(value: Any) -> Objects:
    """A numpy object array, also where numpy returned a bare entry."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _log(denominators: Denominators) -> float:
    return sum(n * math.log2(d) for d, n in denominators.items())


def _common(*many: Denominators) -> Denominators:
    result: dict[int, int] = {}
    for denominators in many:
        for base, power in denominators.items():
            result[base] = max(power, result.get(base, 0))
    return result


def _coefficients(polynomials: Objects) -> tuple[float, Denominators]:
    """Bits of the largest sum of coefficients over their common denominator, and that."""
    denominator, largest = 1, Fraction(1)
    for polynomial in polynomials.ravel():
        for _, q in polynomial.terms:
            denominator = math.lcm(denominator, q.denominator)
        largest = max(largest, sum((abs(q) for _, q in polynomial.terms), Fraction(0)))
    bits = float(math.ceil(largest * denominator).bit_length())
    return bits, ({denominator: 1} if denominator > 1 else {})


# --- polynomials, entry by entry; None where an entry is none ---


def _plus(a: Angle | None, b: Angle | None) -> Angle | None:
    return None if a is None or b is None else a + b


def _times(a: Angle | None, b: Angle | None) -> Angle | None:
    if (a is not None and not a.terms) or (b is not None and not b.terms):
        return Angle()
    if a is None or b is None or len(a.terms) * len(b.terms) > _MOST_TERMS:
        return None
    return a * b


def _minus(a: Angle | None) -> Angle | None:
    return None if a is None else -a


def _together(a: FieldArray, b: FieldArray, combine: Any) -> _Polynomials | None:
    if a.polynomials is None or b.polynomials is None:
        return None
    first, second = a.polynomials, b.polynomials
    both = np.frompyfunc(combine, 2, 1)
    return _Polynomials(lambda: _array(both(first.get(), second.get())))


def _apart(a: FieldArray, change: Any) -> _Polynomials | None:
    if a.polynomials is None:
        return None
    source, each = a.polynomials, np.frompyfunc(change, 1, 1)
    return _Polynomials(lambda: _array(each(source.get())))


def _inverse(polynomials: Objects) -> Any:
    def one(polynomial: Angle | None) -> Angle | None:
        rational = polynomial is not None and all(not m for m, _ in polynomial.terms)
        if polynomial is None or not rational or not polynomial.terms:
            return None
        return Angle.constant(1 / polynomial.terms[0][1])

    return np.frompyfunc(one, 1, 1)(polynomials)


def _added(entries: Iterable[Angle | None]) -> Angle | None:
    """Sum of many polynomials, in one pass."""
    total: dict[Monomial, Fraction] = {}
    for entry in entries:
        if entry is None:
            return None
        for monomial, coefficient in entry.terms:
            total[monomial] = total.get(monomial, Fraction(0)) + coefficient
    return Angle.of(total)


def _total(polynomials: Objects, axes: tuple[int, ...]) -> Objects:
    kept = [k for k in range(polynomials.ndim) if k not in axes]
    shape = [polynomials.shape[k] for k in kept]
    rows = np.transpose(polynomials, [*kept, *axes]).reshape(math.prod(shape), -1)
    out = np.empty(len(rows), dtype=object)
    for index, row in enumerate(rows):
        out[index] = _added(row)
    return out.reshape(shape)


def _matmul(a: Objects, b: Objects) -> Objects:
    left = a[None, :] if a.ndim == 1 else a
    right = b[:, None] if b.ndim == 1 else b
    shape = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    rows, columns = left.shape[-2], right.shape[-1]
    left = np.broadcast_to(left, (*shape, *left.shape[-2:]))
    right = np.broadcast_to(right, (*shape, *right.shape[-2:]))
    out = np.empty((*shape, rows, columns), dtype=object)
    for where in np.ndindex(*shape):
        for r in range(rows):
            for c in range(columns):
                pairs = zip(left[where][r], right[where][:, c], strict=True)
                out[(*where, r, c)] = _added(_times(x, y) for x, y in pairs)
    if a.ndim == 1:
        out = out[..., 0, :]
    if b.ndim == 1:
        out = out[..., 0]
    return _array(out)
