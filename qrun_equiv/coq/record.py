"""Torch code as a straight-line program: an :class:`~qrun_equiv.algebra.Algebra` that records.

Every arithmetic operation that the counterpart's code makes becomes one line of a program over the
real numbers. Constants are read as the other exact algebras read them. A sum with 0 and a product
with 0 or 1 are not recorded, and no operation is recorded twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import field_polynomials as poly
from qrun_equiv.algebra import Rearrangement
from qrun_equiv.angle import Angle, feature, parameter, read_constant, root_two_multiple
from qrun_equiv.errors import FormalError

Objects = NDArray[Any]
_FUNCTIONS = {"cos": "Cos", "sin": "Sin", "sqrt": "Sqrt", "reciprocal": "Inv"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One line: ``Number`` with its value, or an operation on earlier lines.

    ``root`` of a number: it is that multiple of sqrt 2 (``number`` is then what it reads as inside
    an angle, a rational).
    """

    name: str
    arguments: tuple[int, ...] = ()
    number: Angle = field(default_factory=Angle)
    root: Fraction | None = None


class Tape:
    """The program so far."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._known: dict[Operation, int] = {}
        self._polynomials: dict[int, Angle | None] = {}

    def put(self, operation: Operation) -> Node:
        """The node of an operation, new or as it stands already."""
        index = self._known.get(operation)
        if index is None:
            index = len(self.operations)
            self.operations.append(operation)
            self._known[operation] = index
        return Node(self, index)

    def number(self, value: Angle, root: Fraction | None = None) -> Node:
        """A constant or a symbol."""
        return self.put(Operation("Number", (), value, root))

    def polynomial(self, index: int) -> Angle | None:
        """A node as a polynomial in features, parameters and pi; ``None`` if it is none."""
        for k in range(index + 1):
            if k not in self._polynomials:
                self._polynomials[k] = self._polynomial(self.operations[k])
        return self._polynomials[index]

    def _polynomial(self, o: Operation) -> Angle | None:
        given = [self._polynomials[k] for k in o.arguments]
        if o.name == "Number":
            return None if o.root is not None else o.number
        if o.name == "Add":
            return poly.plus(given[0], given[1])
        if o.name == "Mul":
            return poly.times(given[0], given[1])
        if o.name == "Opp":
            return poly.minus(given[0])
        if o.name == "Inv" and given[0] is not None and given[0].terms:
            ((monomial, q), *rest) = given[0].terms
            return None if monomial or rest else Angle.constant(1 / q)
        return None

    def in_angle(self, index: int) -> int:
        """The node with every multiple of sqrt 2 as the rational that its float is read as."""
        o = self.operations[index]
        if o.root is not None:
            return self.number(o.number).index
        changed = tuple(self.in_angle(k) for k in o.arguments)
        if changed == o.arguments:
            return index
        return self.put(Operation(o.name, changed)).index


@dataclass(frozen=True, slots=True)
class Node:
    """A number that the program computes; numpy's object arrays add and multiply it."""

    tape: Tape
    index: int

    @property
    def constant(self) -> Fraction | None:
        """0 or 1 where it is recorded as such."""
        o = self.tape.operations[self.index]
        if o.name != "Number" or o.root is not None:
            return None
        return next((Fraction(k) for k in (0, 1) if o.number == Angle.constant(Fraction(k))), None)

    def __add__(self, other: Node) -> Node:
        if self.constant == 0:
            return other
        if other.constant == 0:
            return self
        return self.tape.put(Operation("Add", (self.index, other.index)))

    def __mul__(self, other: Node) -> Node:
        if self.constant == 0 or other.constant == 1:
            return self
        if other.constant == 0 or self.constant == 1:
            return other
        return self.tape.put(Operation("Mul", (self.index, other.index)))

    def __neg__(self) -> Node:
        return self if self.constant == 0 else self.tape.put(Operation("Opp", (self.index,)))


class Recorder:
    """The algebra of object arrays of :class:`Node`."""

    purpose = "a straight-line program"

    def __init__(self) -> None:
        self.tape = Tape()

    def features(self, n: int) -> Objects:
        """One row of formal features."""
        return _objects([self.tape.number(feature(k)) for k in range(n)], (1, n))

    def parameters(self, shape: tuple[int, ...]) -> Objects:
        """Formal parameters."""
        size = int(np.prod(shape, dtype=int))
        return _objects([self.tape.number(parameter(k)) for k in range(size)], shape)

    def constant(self, values: NDArray[np.float64]) -> Objects:
        """Floats as the simplest rational, multiple of pi or of sqrt 2 that each stands for."""
        read = [
            self.tape.number(read_constant(float(v)), root_two_multiple(float(v)))
            for v in values.ravel()
        ]
        return _objects(read, values.shape)

    def shape(self, a: Objects) -> tuple[int, ...]:
        """Shape of the array."""
        return tuple(a.shape)

    def add(self, a: Objects, b: Objects) -> Objects:
        """``a + b``."""
        return poly.array(a + b)

    def multiply(self, a: Objects, b: Objects) -> Objects:
        """``a * b``."""
        return poly.array(a * b)

    def negative(self, a: Objects) -> Objects:
        """``-a``."""
        return poly.array(-a)

    def matmul(self, a: Objects, b: Objects) -> Objects:
        """``a @ b``."""
        return poly.array(np.matmul(a, b))

    def total(self, a: Objects, axes: tuple[int, ...]) -> Objects:
        """Sum over axes."""
        zero = self.tape.number(Angle())
        return poly.array(np.add.reduce(a, axis=axes, initial=zero))

    def rearrange(self, a: Objects, move: Rearrangement) -> Objects:
        """The same entries elsewhere."""
        return poly.array(move(a))

    def join(self, parts: Sequence[Objects], put: Callable[[list[Objects]], Objects]) -> Objects:
        """Several arrays as one."""
        return poly.array(put(list(parts)))

    def function(self, name: str, a: Objects) -> Objects:
        """``cos``, ``sin``, ``sqrt`` and ``reciprocal``.

        Raises:
            FormalError: another function, or a cosine of what is no polynomial.
        """
        if name not in _FUNCTIONS:
            msg = f"a Coq certificate has no `{name}`"
            raise FormalError(msg)
        return _objects([self._apply(_FUNCTIONS[name], n) for n in a.ravel()], a.shape)

    def _apply(self, name: str, node: Node) -> Node:
        index = node.index
        if name in {"Cos", "Sin"}:
            index = self.tape.in_angle(index)
            if self.tape.polynomial(index) is None:
                msg = f"a Coq certificate can't have the {name} of what is no polynomial"
                raise FormalError(msg)
        return self.tape.put(Operation(name, (index,)))


def _objects(entries: Sequence[Node], shape: tuple[int, ...]) -> Objects:
    out = np.empty(len(entries), dtype=object)
    for index, entry in enumerate(entries):
        out[index] = entry
    return out.reshape(shape)
