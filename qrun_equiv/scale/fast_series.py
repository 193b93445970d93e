"""Trigonometric sums as modules: a Fourier series of any number of features, at full speed."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.scale import series

Array = NDArray[np.float64]
Backend = Literal["c++", "torch"]

_ROUNDING = 2.0**-52  # of a frequency: so far from a whole multiple it may be
_LARGEST = 64  # denominators of ratios of frequencies
_MOST = 4096  # unrelated frequencies: each takes a cosine and a sine
_NEGLIGIBLE = 2.0**-64  # of the largest coefficient: a million such are below rounding


class FastSeries(nn.Module):
    """A trigonometric sum: ``forward(x [batch, n_features]) -> [batch, n_outputs]``.

    Phases beyond 4e14 radians, and features that are not finite, give NaN. Large ``x`` cost no
    digits: the error is a few 1e-16 of the sum of the coefficients' sizes, rounding to ``dtype``
    aside.

    Attributes:
        dtype: of inputs and outputs.
        backend: ``"c++"`` or ``"torch"``: by what it is computed.
    """

    def __init__(
        self,
        generators: Tensor,
        points: NDArray[np.int64],
        coefficients: Tensor,
        *,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Sum over the rows of ``points [n, m]`` of Re c exp(i n . p), p = generators @ x.

        Args:
            generators: float64 ``[m, n_features]``, radians per unit of the feature.
            points: whole multiples of the generators.
            coefficients: complex128 ``[n, n_outputs]``.
            dtype: of inputs and outputs.
        """
        super().__init__()
        self.dtype = dtype
        kept = np.flatnonzero(_matters(coefficients.detach()))
        self._plan, index, sign = series.plan_of(points[kept])
        cosines, sines = folded(coefficients[kept], self._plan, index, sign)
        if not points.shape[1]:
            generators = generators.new_zeros((1, generators.shape[1]))
        self.register_buffer("generators", generators)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)

    @staticmethod
    def of(found: FourierSeries, *, dtype: torch.dtype = torch.float32) -> FastSeries:
        """The sum of a Fourier series.

        Frequencies that are whole multiples of one, to the last digit, are taken as such.

        Raises:
            SpectrumError: thousands of frequencies that are not.
        """
        points, generators = _multiples(found.frequencies)
        coefficients = torch.as_tensor(found.coefficients)
        return FastSeries(torch.as_tensor(generators), points, coefficients, dtype=dtype)

    @property
    def backend(self) -> Backend:
        """By what it is computed on its device."""
        return backend_of(self.get_buffer("cosines").device)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]``; see the class.

        Raises:
            TypeError: another dtype than :attr:`dtype`; or the module was cast.
            ValueError: another shape than ``[batch, n_features]``.
        """
        cosines, sines = self.get_buffer("cosines"), self.get_buffer("sines")
        generators = self.get_buffer("generators")
        if cosines.dtype != torch.float64:
            msg = f"the series was cast to {cosines.dtype}: make it with fast_counterpart(dtype=..)"
            raise TypeError(msg)
        check_rows(x, self.dtype, generators.shape[1])
        values: Tensor = series.evaluate(x, cosines, sines, generators, self._plan)
        return values

    def extra_repr(self) -> str:
        """Sizes."""
        terms, outputs = self.get_buffer("cosines").shape
        return f"{terms} terms, {outputs} output(s), {self.dtype}, backend={self.backend!r}"


def backend_of(device: torch.device) -> Backend:
    """By what sums are computed there."""
    return "c++" if device.type == "cpu" and series.compiled() else "torch"


def folded(
    coefficients: Tensor, plan: series.Plan, index: NDArray[np.int64], sign: Array
) -> tuple[Tensor, Tensor]:
    """Weights ``[terms, outputs]`` of cosine and sine: Re c exp(i a) = Re c cos a - Im c sin a."""
    device = coefficients.device
    where = torch.as_tensor(index, device=device)
    turned = -coefficients.imag * torch.as_tensor(sign, device=device)[:, None]
    empty = coefficients.real.new_zeros((len(plan.points), coefficients.shape[1]))
    return empty.index_add(0, where, coefficients.real), empty.index_add(0, where, turned)


def _matters(coefficients: Tensor) -> NDArray[np.bool_]:
    sizes = coefficients.abs().amax(dim=1)
    kept: NDArray[np.bool_] = (sizes > _NEGLIGIBLE * sizes.amax()).numpy()
    return kept if kept.any() else np.arange(len(kept)) == 0


def _multiples(frequencies: Array) -> tuple[NDArray[np.int64], Array]:
    """Frequencies ``[n, d]`` as whole multiples ``[n, m]`` of generators ``[m, d]``."""
    n, d = frequencies.shape
    columns = [_whole(frequencies[:, j]) for j in range(d)]
    found = [c for c in columns if c is not None]
    if len(found) == d:
        points = np.stack([p for p, _ in found], axis=1) if d else np.zeros((n, 0), np.int64)
        return points, np.diag([base for _, base in found])
    first = (frequencies != 0).argmax(axis=1)
    sign = np.where(frequencies[np.arange(n), first] < 0, -1, 1)
    generators, index = np.unique(frequencies * sign[:, None], axis=0, return_inverse=True)
    if len(generators) > _MOST:
        msg = (
            f"{len(generators)} frequencies that are no multiples of few are more than the {_MOST} "
            "that a list may have: give the circuit itself instead of its series"
        )
        raise SpectrumError(msg)
    points = np.zeros((n, len(generators)), dtype=np.int64)
    points[np.arange(n), index.reshape(-1)] = sign * frequencies.any(axis=1)
    return points, generators


def _whole(values: Array) -> tuple[NDArray[np.int64], float] | None:
    """Whole multiples of one base, which is one of the values where one is 1 times it; or None."""
    sizes = np.unique(np.abs(values[values != 0]))
    if not len(sizes):
        return np.zeros(len(values), dtype=np.int64), 0.0
    ratios = [Fraction(s / sizes[0]).limit_denominator(_LARGEST) for s in sizes]
    parts = math.lcm(*(q.denominator for q in ratios))
    base = float(sizes[0] / parts)
    multiples = np.rint(values / base)
    near = np.abs(multiples * base - values) <= _ROUNDING * np.abs(values)
    if not near.all() or np.abs(multiples).max() > 4 * len(values) + _LARGEST:
        return None
    return multiples.astype(np.int64), base


def check_rows(x: Tensor, dtype: torch.dtype, features: int) -> None:
    """Raise a TypeError or ValueError unless ``x`` is ``[batch, features]`` of that dtype."""
    if not isinstance(x, Tensor) or x.dtype != dtype:
        given = x.dtype if isinstance(x, Tensor) else type(x).__name__
        msg = (
            f"x is {given}, this counterpart takes {dtype}: cast it, or pass dtype= when making it"
        )
        raise TypeError(msg)
    if x.ndim != 2 or x.shape[1] != features:
        msg = f"x has the shape {list(x.shape)}; [batch, {features}] is needed"
        raise ValueError(msg)
