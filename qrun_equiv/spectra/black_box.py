"""A function that can only be evaluated: in double precision, checked at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array, FourierSeries

_ROWS = 2**16  # evaluated at a time
_ROUNDING = 2.0**-46  # of the largest output: noise of an output that is 0


def double(values: Any, name: str, *, finite: bool = True) -> Array:
    """Float64 array of finite numbers; whole numbers are exact, shorter floats are refused.

    Numbers that are not finite pass with ``finite=False``.

    Raises:
        SpectrumError: not real numbers, not finite, or rounded to less than double precision: 0.7
            in single precision is 0.699999988.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu()
        short = values.is_floating_point() and values.dtype != torch.float64
        dtype = str(values.dtype)
        values = values if short else values.numpy()
    else:
        try:
            values = np.asarray(values)
        except (TypeError, ValueError) as error:
            msg = f"{name} must be an array of numbers: {error}"
            raise SpectrumError(msg) from error
        short = values.dtype.kind == "f" and values.dtype.itemsize < 8
        dtype = str(values.dtype)
    if short:
        msg = (
            f"{name}: {dtype} has too few digits (0.7 becomes 0.699999988): make it float64 before "
            "any arithmetic (module.double(), dtype=float64)"
        )
        raise SpectrumError(msg)
    if values.dtype.kind not in "fiu":
        msg = f"{name} must be real numbers, got {dtype}"
        raise SpectrumError(msg)
    if finite and not np.all(np.isfinite(values)):
        msg = f"{name} contains a number that is not finite"
        raise SpectrumError(msg)
    return np.array(values, dtype=np.float64)


class BlackBox:
    """A function ``[batch, n_features] -> [batch]`` or ``[batch, n_outputs]`` and how it is held.

    Args:
        function: takes a float64 numpy array, or (a torch module always) a float64 tensor.
        n_features: width of its input.
        off: points ``[count, n_features]`` that no series is computed from.
        tolerance: what counts as rounding, as a part of the largest value.
        limit: most float64 numbers held at a time.

    Raises:
        SpectrumError: it raises, or gives other shapes, short floats, or other values twice.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        n_features: int,
        off: Array,
        tolerance: float,
        limit: int,
    ) -> None:
        self._function = function
        self._as_tensor = isinstance(function, torch.nn.Module)
        self._off, self._limit, self._tolerance = off, limit, tolerance
        self._n_features, self._n_outputs = n_features, 0
        self._sizes = np.zeros(1)  # largest value of each output so far
        self._expected = self(off)
        again = self(off)
        if np.any(np.abs(again - self._expected) > self.bounds):
            msg = (
                "two calls at the same points differ: the function is random (finite shots? "
                "dropout?), and a spectrum of it would be noise"
            )
            raise SpectrumError(msg)

    @property
    def bound(self) -> float:
        """What counts as rounding, absolute."""
        return float(np.max(self.bounds, initial=0.0))

    @property
    def bounds(self) -> Array:
        """The same for each output, ``[n_outputs]``: a small one is not lost beside a large one."""
        noise = _ROUNDING * np.max(self._sizes, initial=0.0)
        return np.asarray(np.maximum(self._tolerance * self._sizes, noise))

    @property
    def room(self) -> int:
        """Most points whose values fit."""
        return self._limit // self._each

    @property
    def _each(self) -> int:
        """Numbers a point: itself, its frequency, values, their transform and coefficients."""
        return 2 * self._n_features + 6 * max(1, self._n_outputs)

    def check_size(self, points: int, what: str) -> None:
        """Refuse too many points before they take memory."""
        if points > self.room:
            gigabytes = 8e-9 * points * self._each
            msg = (
                f"{what} needs about {gigabytes:.2g} GB, and {self.room} points fit: restrict the "
                "features, fix some of them, or raise limit="
            )
            raise SpectrumError(msg)

    def __call__(self, x: Array) -> Array:
        """Values ``[batch, n_outputs]``."""
        parts = [self._evaluate(x[k : k + _ROWS]) for k in range(0, len(x), _ROWS)]
        values = np.concatenate(parts)
        self._sizes = np.maximum(self._sizes, np.max(np.abs(values), axis=0, initial=0.0))
        return values

    def residuals(self, series: FourierSeries) -> Array:
        """Largest difference from a series at the points off the samples, ``[n_outputs]``."""
        rest = self._expected.copy()
        for k in range(0, len(series.frequencies), _ROWS):
            part = slice(k, k + _ROWS)
            rest -= FourierSeries(series.frequencies[part], series.coefficients[part])(self._off)
        return np.asarray(np.max(np.abs(rest), axis=0, initial=0.0))

    def single_precision(self) -> str:
        """A reason, where all values are numbers of single precision and not simple ones."""
        rounded = self._expected.astype(np.float32)
        simple = np.all(self._expected * 2**10 == np.rint(self._expected * 2**10))
        if np.array_equal(rounded.astype(np.float64), self._expected) and not simple:
            return "all its values have the digits of single precision: compute in float64"
        return ""

    def _evaluate(self, x: Array) -> Array:
        values = double(self._called(x), "the function's values")
        given = list(values.shape)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or len(values) != len(x) or not values.shape[1]:
            msg = (
                f"the function gave shape {given} for {len(x)} points [batch, "
                f"{self._n_features}]; it must give [batch] or [batch, n_outputs]"
            )
            raise SpectrumError(msg)
        if self._n_outputs not in (0, values.shape[1]):
            msg = f"the function gave {self._n_outputs} outputs, then {values.shape[1]}"
            raise SpectrumError(msg)
        self._n_outputs = values.shape[1]
        return values

    def _called(self, x: Array) -> Any:
        try:
            if not self._as_tensor:
                try:
                    return self._function(x.copy())
                except TypeError:  # torch functions take no numpy array
                    out = self._function(torch.tensor(x))
                    self._as_tensor = True
                    return out
            return self._function(torch.tensor(x))  # not no_grad: it may differentiate inside
        except SpectrumError:
            raise
        except Exception as error:
            msg = (
                f"the function raised {type(error).__name__} on x {list(x.shape)}: "
                f"{' '.join(str(error).split())[:300]}"
            )
            raise SpectrumError(msg) from error
