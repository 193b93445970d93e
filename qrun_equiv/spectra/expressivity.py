"""What a circuit's Fourier coefficients do over random parameters: spread and correlations.

The *Fourier fingerprint* of a circuit is the matrix of absolute correlations between its Fourier
coefficients over random parameters, and its *Fourier coefficient correlation* (FCC) their mean over
all pairs of different coefficients: near 0 where coefficients can be trained one by one, near 1
where they move together. Strobl et al., "Fourier Fingerprints of Ansatzes in Quantum Machine
Learning", arXiv:2508.20868. How much each coefficient varies at all: Schuld, Sweke, Meyer,
Phys. Rev. A 103, 032430 (2021).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array, Frequency, half
from qrun_equiv.spectra.black_box import double
from qrun_equiv.spectra.engine import SpectrumEngine

Complex = NDArray[np.complex128]
#: ``"complex"``: ``E[conj(a) b] / sqrt(E|a|^2 E|b|^2)``, centred: a common phase makes no
#: difference. ``"stacked"``: Pearson's coefficient of real parts and imaginary parts in one list.
Correlation = Literal["complex", "stacked"]

# A coefficient whose spread is less, relative to the largest coefficient, is a constant.
_CONSTANT = 1e-12
_GROUPS = 20  # of the jackknife
_FEWEST = 2 * _GROUPS
_MOST = 10_000_000  # samples that are drawn


@dataclass(frozen=True, repr=False)
class Expressivity:
    """Distribution of one output's Fourier coefficients over random parameters.

    Attributes:
        features: the features that vary.
        frequencies: exact; 0 first, then one of each pair ``w, -w`` (the coefficient of the other
            is the conjugate), without those of gates outside the light cone.
        samples: complex128 ``[n_samples, n]``, the coefficients.
        mean, mean_error: complex128 and float64 ``[n]``, with standard error.
        variance, variance_error: float64 ``[n]``, ``E|c - mean|^2`` with standard error.
        correlation: ``[n, n]``, complex128 or float64; NaN where a coefficient is constant.
        fcc: mean of the absolute correlations of different coefficients; NaN where fewer than two
            of them vary.
        fcc_error: its standard error, by a jackknife of groups.
        fcc_floor: what uncorrelated coefficients would show with this many samples (normal
            approximation): an ``fcc`` near it is none.
        seed: of the parameters; ``None`` where they were given.
    """

    features: tuple[int, ...]
    frequencies: tuple[Frequency, ...]
    samples: Complex
    mean: Complex
    mean_error: Array
    variance: Array
    variance_error: Array
    correlation: NDArray[np.inexact]
    fcc: float
    fcc_error: float
    fcc_floor: float
    seed: int | None

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}(fcc={self.fcc:.4g}, n={len(self.frequencies)}, n_samples={self.n_samples})"

    @property
    def n_samples(self) -> int:
        """Number of parameter vectors."""
        return len(self.samples)

    @property
    def fingerprint(self) -> Array:
        """The Fourier fingerprint: absolute correlations, float64 ``[n, n]``, 1 on the diagonal."""
        return np.asarray(np.abs(self.correlation), dtype=np.float64)

    def describe(self) -> str:
        """One line for a person."""
        varying = int(np.count_nonzero(np.isfinite(np.diagonal(self.correlation))))
        return (
            f"{varying} of {len(self.frequencies)} coefficients vary over {self.n_samples} "
            f"parameter vectors; FCC {self.fcc:.4f} +- {self.fcc_error:.4f} "
            f"({self.fcc_floor:.4f} would be none)"
        )


def expressivity(
    circuit: Circuit,
    features: Sequence[int] | None = None,
    *,
    output: int = 0,
    n_samples: int = 1000,
    parameters: ArrayLike | None = None,
    x: ArrayLike | None = None,
    correlation: Correlation = "complex",
    seed: int = 0,
) -> Expressivity:
    """Sample a circuit's Fourier coefficients over random parameters.

    Args:
        circuit: neutral form.
        features: the features that vary; all of them where left out.
        output: which output.
        n_samples: number of parameter vectors, each uniform on ``[0, 2 pi)`` (radians; scales that
            are parameters too: give samples where that is not what is meant).
        parameters: samples ``[n_samples, n_parameters]`` instead.
        x: fixed features ``[n_features]``, where not all vary.
        correlation: see :data:`Correlation`.
        seed: of the random parameters.

    Raises:
        SpectrumError: no such output, no parameters, fewer than 40 samples, samples that are not
            finite or of the wrong shape, or no Fourier series in these features.
    """
    if correlation not in {"complex", "stacked"}:
        msg = f'correlation is "complex" or "stacked", not {correlation!r}'
        raise SpectrumError(msg)
    if not 0 <= output < circuit.n_outputs:
        msg = f"output {output} of a circuit with {circuit.n_outputs} output(s), counted from 0"
        raise SpectrumError(msg)
    theta = _parameters(circuit, n_samples, parameters, seed)
    engine = SpectrumEngine(circuit, features)
    fixed = None if x is None else torch.as_tensor(double(x, "x"))
    with torch.no_grad():
        found = engine.coefficients(torch.as_tensor(theta), fixed)[..., output].numpy()
    every = engine.frequencies
    position = {w: k for k, w in enumerate(every)}
    kept = sorted(half(every), key=lambda w: tuple(a.terms for a in w))
    samples = found[:, [position[w] for w in kept]]
    mean, mean_error, variance, variance_error = _moments(samples)
    matrix = correlate(samples, correlation)
    n = len(samples)
    floor = math.sqrt(math.pi / (4 * n) if correlation == "complex" else 1 / (math.pi * n))
    return Expressivity(
        features=tuple(engine.features),
        frequencies=tuple(kept),
        samples=samples,
        mean=mean,
        mean_error=mean_error,
        variance=variance,
        variance_error=variance_error,
        correlation=matrix,
        fcc=coefficient_correlation(matrix),
        fcc_error=_jackknife(samples, correlation),
        fcc_floor=floor,
        seed=seed if parameters is None else None,
    )


def correlate(samples: Complex, kind: Correlation = "complex") -> NDArray[np.inexact]:
    """Correlation matrix of coefficients ``[n_samples, n]`` -> ``[n, n]``.

    NaN in the rows and columns of coefficients that do not vary (their spread is below 1e-12 of the
    largest coefficient).
    """
    rows: NDArray[np.inexact] = samples
    if kind == "stacked":
        rows = np.concatenate([samples.real, samples.imag])
    centred = rows - rows.mean(axis=0)
    spread = np.sqrt(np.mean(np.abs(centred) ** 2, axis=0))
    largest = float(np.abs(samples).max(initial=0.0))
    varies = spread > _CONSTANT * largest
    unit = centred / np.where(varies, spread, 1.0)
    matrix = np.asarray(unit.conj().T @ unit / len(rows))
    matrix /= np.maximum(np.abs(matrix), 1.0)  # rounding: no correlation is above 1
    matrix[~varies] = matrix[:, ~varies] = np.nan
    return matrix


def coefficient_correlation(matrix: NDArray[np.inexact]) -> float:
    """FCC: mean absolute entry below the diagonal, those of constant coefficients left out."""
    below = np.abs(matrix[np.tril_indices(len(matrix), -1)])
    finite = below[np.isfinite(below)]
    return float(finite.mean()) if len(finite) else math.nan


def _parameters(
    circuit: Circuit, n_samples: int, given: ArrayLike | None, seed: int
) -> NDArray[np.float64]:
    if not circuit.n_parameters:
        msg = "the circuit has no parameters, so its coefficients have no distribution"
        raise SpectrumError(msg)
    if given is None:
        if not isinstance(n_samples, int) or not 0 <= n_samples <= _MOST:
            msg = f"n_samples must be a whole number from {_FEWEST} to {_MOST}, got {n_samples!r}"
            raise SpectrumError(msg)
        shape = (n_samples, circuit.n_parameters)
        theta = np.random.default_rng(seed).uniform(0.0, 2 * math.pi, shape)
    else:
        theta = double(given, "parameters", finite=False)
        if theta.ndim != 2 or theta.shape[1] != circuit.n_parameters:
            msg = (
                f"parameters of shape {theta.shape}: [n_samples, {circuit.n_parameters}] is needed"
            )
            raise SpectrumError(msg)
        if not np.all(np.isfinite(theta)):
            msg = "the parameters contain NaN or infinity; give finite samples"
            raise SpectrumError(msg)
    if len(theta) < _FEWEST:
        msg = f"{len(theta)} samples are too few for standard errors; take at least {_FEWEST}"
        raise SpectrumError(msg)
    return theta


def _moments(samples: Complex) -> tuple[Complex, Array, Array, Array]:
    """Means and variances with standard errors."""
    n = len(samples)
    mean = samples.mean(axis=0)
    square = np.abs(samples - mean) ** 2
    variance = square.sum(axis=0) / (n - 1)
    return mean, np.sqrt(variance / n), variance, square.std(axis=0, ddof=1) / math.sqrt(n)


def _jackknife(samples: Complex, kind: Correlation) -> float:
    """Standard error of the FCC: what leaving out one group of samples after another changes."""
    group = np.arange(len(samples)) % _GROUPS
    values = np.array(
        [coefficient_correlation(correlate(samples[group != g], kind)) for g in range(_GROUPS)]
    )
    return float(np.sqrt((_GROUPS - 1) * np.mean((values - values.mean()) ** 2)))
