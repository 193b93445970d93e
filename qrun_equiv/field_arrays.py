"""Arrays over a random prime field: the :class:`~qrun_equiv.algebra.Algebra` of exact identities.

Every entry is an element of the field and, as long as it is one, also a polynomial in features,
parameters and pi (an :class:`~qrun_equiv.angle.Angle`): ``cos`` and ``sin`` need the polynomial,
everything after them the field. Polynomials are computed only where a cosine asks for them.

Each array carries two bounds for the error probability: its degree in *atoms* (cosines, sines,
symbols) and the bits of its largest coefficient with all denominators cleared.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import numpy as np
import sympy
from numpy.typing import NDArray

from qrun_equiv import field_polynomials as poly
from qrun_equiv.algebra import Rearrangement
from qrun_equiv.angle import (
    Angle,
    Symbol,
    feature,
    parameter,
    read_constant,
    root_two_multiple,
)
from qrun_equiv.errors import AngleError, FormalError
from qrun_equiv.field import Field
from qrun_equiv.field_polynomials import Objects, Polynomials, array

#: Denominators of an array's coefficients: whole numbers with the power in which they occur.
Denominators = Mapping[int, int]
# Multiplications from which FLINT's matrices pay for their making.
_LARGE = 20_000
_PURPOSE = "a polynomial identity"


@dataclass(frozen=True, slots=True)
class FieldArray:
    """Elements of a field, their polynomials, and what the error probability needs.

    Attributes:
        values: object array of integers modulo the prime.
        polynomials: the same entries as polynomials; ``None`` where none is one.
        atoms: degree in cosines, sines and symbols.
        bits: logarithm of the largest sum of absolute coefficients of an entry.
        denominators: of the coefficients.
        rational: whether every entry that has a polynomial is it; a multiple of sqrt 2 is read as
            a rational where it is used as an angle.
    """

    values: Objects
    polynomials: Polynomials | None
    atoms: int
    bits: float
    denominators: Denominators
    rational: bool = True

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
        """Array of given polynomials (features, parameters, constants)."""
        atoms = max((poly.total_degree(a) for a in polynomials.ravel()), default=0)
        values = self._objects([self.field.value(a) for a in polynomials.ravel()], polynomials)
        return FieldArray(
            values, Polynomials(lambda: polynomials), atoms, *_coefficients(polynomials)
        )

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
        atoms = max(
            (poly.total_degree(a) for a in read.ravel()), default=0
        )  # pi is a formal number
        exact = [
            a if q is None else Angle.constant(q) for a, q in zip(read.ravel(), roots, strict=True)
        ]
        bits, denominators = _coefficients(self._objects(exact))
        array = self._objects((n % self.field.prime for n in numbers), values)
        rational = all(q is None for q in roots)
        return FieldArray(
            array, Polynomials(lambda: read), atoms, bits + 1.0, denominators, rational=rational
        )

    def shape(self, a: FieldArray) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(a.values.shape)

    def add(self, a: FieldArray, b: FieldArray) -> FieldArray:
        """``a + b``."""
        values = array((a.values + b.values) % self.field.prime)
        return self._sum(values, [a, b], _together(a, b, poly.plus))

    def _sum(
        self, values: Objects, parts: Sequence[FieldArray], polynomials: Polynomials | None
    ) -> FieldArray:
        common = _common(*(p.denominators for p in parts))
        bits = max(p.bits + _log(common) - _log(p.denominators) for p in parts)
        atoms = max(p.atoms for p in parts)
        bits += math.log2(max(2, len(parts)))
        rational = all(p.rational for p in parts)
        return FieldArray(values, polynomials, atoms, bits, common, rational=rational)

    def multiply(self, a: FieldArray, b: FieldArray) -> FieldArray:
        """``a * b``."""
        values = array(a.values * b.values % self.field.prime)
        return self._product(values, a, b, _together(a, b, poly.times), 1)

    def _product(
        self,
        values: Objects,
        a: FieldArray,
        b: FieldArray,
        polynomials: Polynomials | None,
        terms: int,
    ) -> FieldArray:
        denominators = dict(a.denominators)
        for base, power in b.denominators.items():
            denominators[base] = denominators.get(base, 0) + power
        bits = a.bits + b.bits + math.log2(max(1, terms))
        rational = a.rational and b.rational
        return FieldArray(
            values, polynomials, a.atoms + b.atoms, bits, denominators, rational=rational
        )

    def negative(self, a: FieldArray) -> FieldArray:
        """``-a``."""
        values = array(-a.values % self.field.prime)
        return replace(a, values=values, polynomials=_apart(a, poly.minus))

    def matmul(self, a: FieldArray, b: FieldArray) -> FieldArray:
        """``a @ b``."""
        values = self._matmul(a.values, b.values)
        polynomials = None
        if a.polynomials is not None and b.polynomials is not None:
            first, second = a.polynomials, b.polynomials
            polynomials = Polynomials(lambda: poly.matmul(first.get(), second.get()))
        return self._product(values, a, b, polynomials, a.values.shape[-1])

    def _matmul(self, a: Objects, b: Objects) -> Objects:
        """Large products of two matrices by FLINT, ten times faster; all else by numpy."""
        if a.ndim != 2 or b.ndim != 2 or a.size * b.shape[1] < _LARGE:
            return array(np.matmul(a, b) % self.field.prime)
        ring = flint.fmpz_mod_ctx(self.field.prime)
        left, right = (
            flint.fmpz_mod_mat(len(m), m.shape[1], m.ravel().tolist(), ring) for m in (a, b)
        )
        return self._objects(map(int, (left * right).entries()), np.empty((len(a), b.shape[1])))

    def total(self, a: FieldArray, axes: tuple[int, ...]) -> FieldArray:
        """Sum over axes."""
        values = array(np.sum(a.values, axis=axes) % self.field.prime)
        polynomials = None
        if a.polynomials is not None:
            source = a.polynomials
            polynomials = Polynomials(lambda: poly.total(source.get(), axes))
        count = math.prod(a.values.shape[k] for k in axes)
        bits = a.bits + math.log2(max(1, count))
        return replace(a, values=values, polynomials=polynomials, bits=bits)

    def rearrange(self, a: FieldArray, move: Rearrangement) -> FieldArray:
        """The same entries elsewhere."""
        polynomials = None
        if a.polynomials is not None:
            source = a.polynomials
            polynomials = Polynomials(lambda: array(move(source.get())))
        values = array(move(a.values))
        return replace(a, values=values, polynomials=polynomials)

    def join(
        self, parts: Sequence[FieldArray], put: Callable[[list[Objects]], Objects]
    ) -> FieldArray:
        """Several arrays as one."""
        values = array(put([p.values for p in parts]))
        sources = [(p.polynomials, p.values.shape) for p in parts]

        def joined() -> Objects:
            none = [np.full(shape, None, dtype=object) for _, shape in sources]
            return array(put([
                blank if source is None else source.get()
                for (source, _), blank in zip(sources, none, strict=True)
            ]))  # fmt: skip

        some = any(source is not None for source, _ in sources)
        return self._sum(values, parts, Polynomials(joined) if some else None)

    def function(self, name: str, a: FieldArray) -> FieldArray:
        """``cos`` and ``sin`` of polynomials; ``reciprocal`` and ``sqrt`` of constants.

        Where the circuit has ``arccos(x_j^k)``, also that and ``arcsin(x_j^k)``, and the root of
        ``1 - x_j^(2k)``: the non-negative one, for ``|x_j| <= 1``.
        """
        if name in {"cos", "sin"}:
            return self._turn(name, a)
        if name == "reciprocal":
            return self._reciprocal(a)
        if name == "sqrt":
            return self._root(a)
        if name in {"acos", "arccos", "asin", "arcsin"}:
            return self._arc(name, a)
        msg = f"not {_PURPOSE}: `{name}`"
        raise FormalError(msg)

    def _arc(self, name: str, a: FieldArray) -> FieldArray:
        msg = f"not {_PURPOSE}: `{name}` of what is inside no arccos or arcsin of the circuit"
        if a.polynomials is None or not a.rational:
            raise FormalError(msg)
        angles = []
        for polynomial in a.polynomials.get().ravel():
            if polynomial is None:
                raise FormalError(msg)
            try:
                angle = polynomial.arccos() if name.endswith("cos") else polynomial.arcsin()
            except AngleError as error:
                raise FormalError(msg) from error
            if not all(map(self.field.has_arc, angle.arcs())):
                raise FormalError(msg)
            angles.append(angle)
        return self.symbols(self._objects(angles, a.values))

    def is_zero(self, a: FieldArray) -> bool:
        """Whether every entry is exactly zero (by its polynomial)."""
        if a.polynomials is None:
            return False
        return all(p is not None and not p.terms for p in a.polynomials.get().ravel())

    def _turn(self, name: str, a: FieldArray) -> FieldArray:
        angles: list[Any] = [None]
        if a.polynomials is not None:
            angles = list(a.polynomials.get().ravel())
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
        """``1/a`` of constants: rationals, algebraic numbers, multiples of a power of pi."""
        msg = f"not {_PURPOSE}: a division by something that is no nonzero constant"
        found = None if a.polynomials is None else list(a.polynomials.get().ravel())
        # 1/(pi + 1) and 1/(pi + 2) have no common denominator of bounded degree: only monomials.
        if a.atoms and (found is None or any(
            p is None or p.symbols() or len(p.terms) != 1 for p in found
        )):  # fmt: skip
            raise FormalError(msg)
        p = self.field.prime
        if any(v % p == 0 for v in a.values.ravel()):
            raise FormalError(msg)
        values = self._objects([pow(v, -1, p) for v in a.values.ravel()], a.values)
        polynomials = None
        if a.polynomials is not None:
            source = a.polynomials
            polynomials = Polynomials(lambda: array(poly.inverse(source.get())))
        if a.rational and found is not None:
            ones = [Angle.constant(1 / q) for p in found if p is not None for _, q in p.terms]
            bits, denominators = _coefficients(self._objects(ones))
        else:
            # 1/a = D * (the other conjugates of D a) / norm(D a), all of them below 2**height;
            # no two entries need have the same norm, and no other array these.
            height = math.ceil((a.height + 1.0) * int(sympy.totient(self.field.order)))
            bits = float(height * max(1, a.values.size))
            denominators = {(1 << int(bits)) + next(_unlike): 1}
        return FieldArray(values, polynomials, a.atoms, bits, denominators, rational=a.rational)

    def _root(self, a: FieldArray) -> FieldArray:
        msg = (
            f"not {_PURPOSE}: `sqrt` of something that is no (or twice a) square of a rational, "
            "and no 1 - x^(2k) with arccos(x^k) in the circuit"
        )
        if a.polynomials is None or not a.rational:
            raise FormalError(msg)
        values, roots, atoms = [], [], 0
        for polynomial in a.polynomials.get().ravel():
            factor, arc = poly.split_sine(polynomial)
            root, twice = poly.square_root(factor)
            if root is None or not (arc is None or self.field.has_arc(arc)):
                raise FormalError(msg)
            number = self.field.number(root) * (self.field.root_two if twice else 1)
            values.append(number * (1 if arc is None else self._sine(arc)) % self.field.prime)
            roots.append(None if twice or arc is not None else Angle.constant(root))
            atoms = max(atoms, int(arc is not None))
        array, rooted = self._objects(values, a.values), self._objects(roots, a.values)
        rational = None not in roots
        return FieldArray(
            array,
            Polynomials(lambda: rooted),
            atoms,
            a.height + 1.0 + atoms,
            {**a.denominators, 2: a.denominators.get(2, 0) + atoms},
            rational=rational,
        )

    def _sine(self, arc: Symbol) -> int:
        """``sqrt(1 - x^(2k))``, the sine of ``arccos(x^k)``."""
        p, z = self.field.prime, self.field.turn(Angle.of({((arc, 1),): Fraction(1)}))
        return (z - pow(z, -1, p)) * pow(2 * self.field.i, -1, p) % p

    def _objects(self, entries: Iterable[Any], like: Any = None) -> Objects:
        flat = list(entries)
        array = np.empty(len(flat), dtype=object)
        for index, entry in enumerate(flat):
            array[index] = entry
        return array if like is None else array.reshape(np.shape(like))


#: Denominators that are known by their size only are never taken for one another.
_unlike = itertools.count(1)


@lru_cache(maxsize=65536)
def _read(value: float) -> tuple[Angle, Fraction | None]:
    return read_constant(value), root_two_multiple(value)


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


def _together(a: FieldArray, b: FieldArray, combine: Any) -> Polynomials | None:
    if a.polynomials is None or b.polynomials is None:
        return None
    first, second = a.polynomials, b.polynomials
    both = np.frompyfunc(combine, 2, 1)
    return Polynomials(lambda: array(both(first.get(), second.get())))


def _apart(a: FieldArray, change: Any) -> Polynomials | None:
    if a.polynomials is None:
        return None
    source, each = a.polynomials, np.frompyfunc(change, 1, 1)
    return Polynomials(lambda: array(each(source.get())))
