"""Spectral leakage: how much of a module's output lies outside a circuit's frequencies.

Numerical estimates, not bounds. Where all frequencies have a common period, its FFT separates them;
else they are fitted over a long window at random points, and what the fit leaves is outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.angle import Symbol, read_constant
from qrun_equiv.circuit import Circuit
from qrun_equiv.fourier import accessible, common_base, design

Array = NDArray[np.float64]

_LONGEST = 512  # fastest frequency over the common one; beyond it there is no short period
_FEWEST, _WINDOW, _SEED = 4096, 100, 20
_MOST = 512  # frequencies of one sign that are fitted


@dataclass(frozen=True, slots=True)
class Period:
    """A common period of a circuit and of scales.

    Attributes:
        base: the largest frequency of which all are whole multiples, radians per unit.
        fastest: the fastest accessible frequency or scale over ``base``.
        exact: whether the scales' floats *are* these multiples, so that the real function of a
            module with these scales has the period too.
    """

    base: float
    fastest: int
    exact: bool

    @property
    def upper(self) -> float:
        """A float just above the period."""
        return 2 * math.pi / self.base * (1 + 2.0**-49)

    def covered_by(self, low: float, high: float) -> bool:
        """Whether ``[low, high]`` provably covers a period."""
        return self.exact and (high - low) * (1 - 2.0**-52) >= 2 * math.pi / self.base * (
            1 + 2.0**-51
        )


def common_period(circuit: Circuit, theta: Array, scales: Sequence[float]) -> Period | None:
    """Common period of a one-feature circuit's accessible frequencies and of scales, if short.

    Raises:
        SpectrumError: the output is no Fourier series in the feature, or it has too many terms.
    """
    known = {Symbol("theta", k): read_constant(float(v)) for k, v in enumerate(theta)}
    found = [w.replace(known) for (w,) in accessible(circuit)] + [read_constant(s) for s in scales]
    shared = common_base(found)
    if shared is None:
        return None
    unit, fastest = shared
    if fastest > _LONGEST:
        return None
    ((monomial, base),) = unit.terms
    exact = not monomial and all((Fraction(s) / base).denominator == 1 for s in scales)
    return Period(float(unit.evaluate(np.zeros(1), theta)), fastest, exact)


def leakage(
    module: Callable[[Tensor], Tensor], frequencies: Array, period: Period | None
) -> float | None:
    """Share of the output's energy (mean square, all outputs) outside the frequencies.

    Args:
        module: ``x [batch, 1] -> [batch, n_outputs]``.
        frequencies: of both signs, ``[n]``, radians per unit of x.
        period: a common period, or None: a fit over 100 periods of the smallest frequency or gap.

    Returns:
        The share, 0 to 1; None where there is no period and more than 512 frequencies to fit.
    """
    if period is None:
        return _by_fit(module, frequencies)
    count = 2 ** math.ceil(math.log2(max(_FEWEST, 32 * period.fastest)))
    x = np.arange(count) * (2 * math.pi / period.base / count)
    energy = np.sum(np.abs(np.fft.fft(_values(module, x), axis=0)) ** 2, axis=1)
    inside = np.zeros(count, dtype=bool)
    inside[np.rint(frequencies / period.base).astype(int) % count] = True
    return _share(float(energy[~inside].sum()), float(energy.sum()))


def _by_fit(module: Callable[[Tensor], Tensor], frequencies: Array) -> float | None:
    positive = np.unique(np.abs(frequencies))
    positive = positive[np.concatenate([[True], np.diff(positive) > 1e-9])]
    rates = np.concatenate([[0.0], positive[positive > 0]])
    if len(rates) > _MOST:
        return None
    width = 2 * math.pi * _WINDOW / float(np.min(np.diff(rates), initial=math.inf))
    rng = np.random.default_rng(_SEED)
    x = rng.uniform(-width / 2, width / 2, max(_FEWEST, 8 * len(rates)))
    values = _values(module, x)
    matrix = design(rates[:, None], x[:, None])
    rest = values - matrix @ np.linalg.lstsq(matrix, values, rcond=None)[0]
    unbiased = len(x) / (len(x) - matrix.shape[1])  # a fit also follows some of what is outside
    return _share(float(np.sum(rest**2)) * unbiased, float(np.sum(values**2)))


def _values(module: Callable[[Tensor], Tensor], x: Array) -> Array:
    with torch.no_grad():
        return np.asarray(module(torch.tensor(x[:, None])).numpy())


def _share(part: float, whole: float) -> float:
    return min(part / whole, 1.0) if whole > 0 else 0.0
