"""What every source of numbers offers: values and gradients at given points, run natively."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FrontendError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many features and parameters, and the shape in which a circuit wants its parameters.

    Attributes:
        features: length of ``x``.
        parameter_shape: shape of ``theta`` as the circuit and the counterpart see it; checks work
            on the flattened vector.
    """

    features: int
    parameter_shape: tuple[int, ...]

    @staticmethod
    def of(n_features: Any, n_parameters: Any) -> Sizes:
        """Validated sizes; ``n_parameters`` is a length or a shape: ``(layers, wires, 3)``."""
        many = isinstance(n_parameters, Sequence) and not isinstance(n_parameters, str)
        shape = tuple(n_parameters) if many else (n_parameters,)
        for name, size in (("n_features", n_features), *(("n_parameters", s) for s in shape)):
            if isinstance(size, bool) or not isinstance(size, Integral) or size < 0:
                msg = f"{name} must be a whole number from 0 up (or a shape of such), got {size!r}"
                raise FrontendError(msg)
        return Sizes(int(n_features), tuple(int(size) for size in shape))

    @property
    def parameters(self) -> int:
        """Number of parameters, flattened."""
        return math.prod(self.parameter_shape)


class Gradient(NamedTuple):
    """Derivatives at ``batch`` points, in units of output per radian (or per unit of the feature).

    ``features``: ``[batch, n_outputs, n_features]``; ``parameters``:
    ``[batch, n_outputs, n_parameters]``.
    """

    features: Array
    parameters: Array


class Source(Protocol):
    """A function of features and parameters that can be evaluated and differentiated."""

    name: str

    @property
    def simulator(self) -> str:
        """What runs it, for a person."""
        ...

    def values(self, x: Array, theta: Array) -> Array:
        """``x [batch, n_features]``, ``theta [n_parameters]`` -> ``[batch, n_outputs]``."""
        ...

    def gradients(self, x: Array, theta: Array) -> Gradient:
        """Derivatives with respect to every feature and parameter at each row of ``x``."""
        ...


class CircuitSource(Source, Protocol):
    """A source that is a quantum circuit: it has a neutral form and a second simulator."""

    def lower(self) -> Circuit:
        """The neutral form; raises ``UnsupportedCircuitError`` where there is none."""
        ...

    def replay(self, x: Array, theta: Array) -> tuple[str, Array]:
        """Outputs ``[n_outputs]`` at one point by a second simulator, and its name."""
        ...

    def second_gradient(self, x: Array, theta: Array) -> tuple[str, Gradient]:
        """Gradient at the rows of ``x`` by a second differentiation method, and its name."""
        ...

    def fingerprint(self) -> str:
        """Text that identifies the native circuit; its digest goes into certificates."""
        ...
