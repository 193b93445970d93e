"""What arrays of unusual numbers must offer so that torch code can be run on them unmodified.

:mod:`qrun_equiv.formal` runs a torch callable on any :class:`Algebra`: elements of a prime field
(identity), trigonometric polynomials with ball coefficients (certified differences), intervals
(bounds of a network). Each algebra has its own array type ``N``, a struct of numpy arrays of one
shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

N = TypeVar("N")

#: A structural operation: a function of a numpy array that only moves, repeats or drops entries.
Rearrangement = Callable[[NDArray[Any]], NDArray[Any]]


class Algebra(Protocol[N]):
    """Arithmetic on arrays ``N`` of one kind of number; shapes broadcast as numpy's do."""

    #: For messages: "a polynomial identity", "an interval bound".
    purpose: str

    def constant(self, values: NDArray[np.float64]) -> N:
        """Array of constants. Exact algebras read each float as they read gate angles."""
        ...

    def shape(self, a: N) -> tuple[int, ...]:
        """Shape of the array."""
        ...

    def add(self, a: N, b: N) -> N:
        """``a + b``."""
        ...

    def multiply(self, a: N, b: N) -> N:
        """``a * b``, elementwise."""
        ...

    def negative(self, a: N) -> N:
        """``-a``."""
        ...

    def matmul(self, a: N, b: N) -> N:
        """``a @ b`` as ``numpy.matmul`` has it, both of at least one axis."""
        ...

    def total(self, a: N, axes: tuple[int, ...]) -> N:
        """Sum over (non-negative) axes, which disappear."""
        ...

    def rearrange(self, a: N, move: Rearrangement) -> N:
        """The same entries elsewhere: reshape, index, transpose, repeat."""
        ...

    def join(self, parts: Sequence[N], put: Callable[[list[NDArray[Any]]], NDArray[Any]]) -> N:
        """Several arrays as one: stack, concatenate, where."""
        ...

    def function(self, name: str, a: N) -> N:
        """``cos``, ``sin``, ``reciprocal``, ``sqrt``, ``tanh``, ... of each entry.

        Raises:
            FormalError: the function leaves the algebra there.
        """
        ...
