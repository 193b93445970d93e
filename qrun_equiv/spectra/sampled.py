"""Fourier coefficients of any function, from samples that are shown to be enough.

A native QNode, a torch module or a numpy function is a black box: its coefficients can only be
sampled, and samples alias. So every spectrum here is held to points that it was not computed from,
and a residual above rounding is an error that says how many points would do.

Where all frequencies of a feature are multiples of one base, the samples are a tensor grid of
``2 K + 1`` points an axis or more and an FFT solves them (Shannon; the grid of Nyquist); otherwise
a least-squares fit at random points does. The sign convention is that of
:mod:`qrun_equiv.fourier`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import (
    Array,
    FourierSeries,
    accessible,
    design,
    fit,
)
from qrun_equiv.spectra.asked import counts_of, signed_sums, wanted
from qrun_equiv.spectra.black_box import BlackBox, double
from qrun_equiv.spectra.sample_grid import Multiples

__all__ = ["SampledSpectrum", "sample", "sample_circuit", "signed_sums"]

#: Residual off the samples, as a part of the largest value, that still counts as rounding.
TOLERANCE = 1e-10
#: Most numbers (float64, 8 bytes each) that one spectrum may hold at a time: 512 MiB.
MAX_NUMBERS = 2**26
_OFF, _TRIAL, _SHOWN, _CONDITION = 24, 2**13, 4, 1e6


@dataclass(frozen=True, slots=True)
class SampledSpectrum:
    """A Fourier series that was sampled, and what shows that it is the function's.

    Attributes:
        series: frequencies ``[n, n_features]`` (radians per unit of the feature), both signs, and
            coefficients ``[n, n_outputs]``.
        error: largest ``|series - function|`` at points that the series was not computed from.
        bound: what ``error`` was held to: rounding, as a part of the largest value; each output was
            held to a bound of its own, and this is the largest.
        condition: factor from errors of the samples to errors of the coefficients, at most.
        points: number of samples that the series was computed from.
        method: ``"grid"`` or ``"least-squares"``.
        note: the samples in words.
    """

    series: FourierSeries
    error: float
    bound: float
    condition: float
    points: int
    method: Literal["grid", "least-squares"]
    note: str


def sample(
    function: Callable[..., Any],
    *,
    n_features: int | None = None,
    degree: int | Sequence[int] | None = None,
    base: float | Sequence[float] = 1.0,
    scales: Sequence[Any] | None = None,
    frequencies: Any = None,
    parameters: Any = (),
    points: int | Sequence[int] | None = None,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    limit: int = MAX_NUMBERS,
) -> SampledSpectrum:
    """Fourier series of a real function ``x [batch, n_features] -> [batch]`` or ``[batch, k]``.

    Exactly one of ``degree``, ``scales`` and ``frequencies`` says what the function may contain;
    ``points`` alone stands for the largest degree that so many points can tell.

    Args:
        function: takes and returns float64 numpy arrays, or torch tensors.
        n_features: d; where left out, that of the frequencies, or 1.
        degree: largest multiple of ``base``, for all features or one each.
        base: radians per unit of the feature, for all features or one each.
        scales: encoding scales, see :func:`signed_sums`.
        frequencies: exact ones (or a ``FrequencySet``), or floats ``[n]`` or ``[n, n_features]``;
            ``-w`` is added to ``w``.
        parameters: values of the parameters in exact frequencies.
        points: points an axis; where left out, as many as are needed.
        tolerance: what counts as rounding, as a part of the largest value.
        seed: of the points off the grid and of random samples.
        limit: most float64 numbers held at a time.

    Raises:
        SpectrumError: the samples alias, the function has other content (the message says which and
            how many points it needs), it is not deterministic, not finite, or not in double
            precision; too many points for the limit.
    """
    if not 0 < tolerance < 1:
        msg = f"tolerance must lie between 0 and 1 (the default is {TOLERANCE:g}), got {tolerance}"
        raise SpectrumError(msg)
    found = wanted(n_features, degree, base, scales, frequencies, parameters, points)
    if isinstance(found, Multiples):
        counts = counts_of(points, found.degrees)
        box = BlackBox(function, len(found.base), found.off_grid(_OFF, seed), tolerance, limit)
        return _on_grid(box, found, counts)
    if points is not None:
        msg = (
            "these frequencies have no common base, so no grid of any size is free of aliasing: "
            "leave points= out, and they are fitted at random points"
        )
        raise SpectrumError(msg)
    return _at_random(function, found, tolerance, seed, limit)


def sample_circuit(
    circuit: Any,
    parameters: Any = (),
    *,
    n_features: int | None = None,
    n_parameters: int | Sequence[int] | None = None,
    observable: Any = None,
    **options: Any,
) -> SampledSpectrum:
    """Series of a native circuit, sampled in its own simulator, over its own exact frequencies.

    Args:
        circuit: QNode, Qiskit circuit or OpenQASM 3 file, as for :func:`qrun_equiv.verify`.
        parameters: ``theta [n_parameters]``, radians, in double precision.
        n_features: as for :func:`qrun_equiv.verify`.
        n_parameters: as for :func:`qrun_equiv.verify`.
        observable: as for :func:`qrun_equiv.verify`.
        options: of :func:`sample`; ``degree``, ``scales`` or ``frequencies`` take the place of the
            circuit's own.

    Raises:
        SpectrumError: as for :func:`sample`.
        UnsupportedCircuitError: there is no neutral form to read frequencies from; give them.
        FrontendError: the circuit can't be evaluated as given.
    """
    from qrun_equiv.frontends.sources import circuit_sources

    sources, sizes = circuit_sources(circuit, observable, n_features, n_parameters)
    theta = double(parameters, "parameters").reshape(-1)
    if len(theta) != sizes.parameters:
        msg = f"parameters has {len(theta)} numbers, the circuit has {sizes.parameters} parameters"
        raise SpectrumError(msg)
    if not options.keys() & {"degree", "scales", "frequencies"}:
        if not sizes.features:
            msg = "the circuit has no features, so it has no spectrum"
            raise SpectrumError(msg)
        options["frequencies"] = accessible(sources[0].lower())
        options["parameters"] = theta
    options.setdefault("n_features", sizes.features)
    return sample(lambda x: sources[0].values(x, theta), **options)


# --- the two methods -----------------------------------------------------------------------------


def _on_grid(box: BlackBox, asked: Multiples, counts: tuple[int, ...]) -> SampledSpectrum:
    series = _transformed(box, asked, counts)
    errors = box.residuals(series)
    error = float(errors.max())
    if not np.all(errors <= box.bounds):
        raise SpectrumError(_diagnosis(box, asked, counts, error))
    sizes = " x ".join(str(n) for n in counts)
    note = f"grid of {sizes} points over a period, {_OFF} points off it"
    return SampledSpectrum(series, error, box.bound, 1.0, math.prod(counts), "grid", note)


def _transformed(box: BlackBox, asked: Multiples, counts: tuple[int, ...]) -> FourierSeries:
    """The discrete Fourier transform, at the frequencies asked for."""
    values = box(asked.grid(counts, lambda n: box.check_size(n, f"a grid of {n} points")))
    table = np.fft.fftn(values.reshape(*counts, -1), axes=tuple(range(len(counts))), norm="forward")
    index = asked.index()
    coefficients = table[tuple((index % np.array(counts)).T)]
    return FourierSeries(index * asked.base, coefficients)


def _diagnosis(box: BlackBox, asked: Multiples, counts: tuple[int, ...], error: float) -> str:
    """Why the residual is not rounding: double the degree until it is, up to a limit."""
    start = f"aliased: off the {math.prod(counts)} sample points the series is wrong by {error:.2g}"
    reason = box.single_precision()
    if reason:
        return f"{start}; {reason}"
    degrees = tuple((n - 1) // 2 for n in counts)
    while math.prod(4 * k + 5 for k in degrees) <= min(_TRIAL, box.room):
        wider = Multiples(asked.base, degrees, None)
        series = _transformed(box, wider, tuple(2 * k + 1 for k in degrees))
        if np.all(box.residuals(series) <= box.bounds):
            return f"{start}; {_content(series, asked, box.bounds)}"
        degrees = tuple(2 * k + 2 for k in degrees)
    reached = ", ".join(str(k // 2 - 1) for k in degrees)
    return (
        f"{start}; more points don't help up to {reached} times the base: the function has content "
        "at other frequencies, or infinitely many (other scales? no Fourier series?). Give scales= "
        "or frequencies="
    )


def _content(series: FourierSeries, asked: Multiples, bounds: Array) -> str:
    """What was found beyond the frequencies asked for, and the grid that it needs."""
    index = np.rint(series.frequencies / asked.base).astype(int)
    size = np.max(np.abs(series.coefficients), axis=1)
    seen = np.any(np.abs(series.coefficients) > bounds, axis=1)
    top = np.max(np.abs(index[seen]), axis=0, initial=0)
    known = {tuple(row) for row in asked.index().tolist()}
    beyond = [k for k in np.argsort(-size) if seen[k] and tuple(index[k].tolist()) not in known]
    names = [
        "(" + ", ".join(f"{v:.6g}" for v in series.frequencies[k]) + ")"
        for k in beyond if tuple(index[k]) > tuple(-index[k])
    ]  # fmt: skip
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    needed = " x ".join(str(2 * k + 1) for k in top)
    return (
        f"the function has content up to degree {', '.join(str(k) for k in top)}, at "
        f"{', '.join(names[:_SHOWN])}{more}: it needs {needed} points and these frequencies"
    )


def _at_random(
    function: Callable[..., Any], frequencies: Array, tolerance: float, seed: int, limit: int
) -> SampledSpectrum:
    rng = np.random.default_rng([seed, 1])
    unknowns = 2 * len(frequencies) - 1
    count = 2 * unknowns + _OFF
    if 4 * count * unknowns > limit:
        msg = (
            f"{unknowns} frequencies without a common base need {count} points and a fit of about "
            f"{32e-9 * count * unknowns:.2g} GB; restrict the features, or raise limit="
        )
        raise SpectrumError(msg)
    widths = _widths(frequencies)
    off = rng.uniform(-0.5, 0.5, (_OFF, len(widths))) * widths
    box = BlackBox(function, len(widths), off, tolerance, limit)
    x = rng.uniform(-0.5, 0.5, (count, len(widths))) * widths
    inverse = np.asarray(np.linalg.pinv(design(frequencies, x)), dtype=np.float64)
    condition = float(max(1.0, np.max(np.sum(np.abs(inverse), axis=1))))
    if condition > _CONDITION:
        msg = (
            f"some of the {unknowns} frequencies are too close to each other to be told apart "
            f"(condition {condition:.1g}): merge them"
        )
        raise SpectrumError(msg)
    series, _ = fit(frequencies, x, box(x), inverse=inverse)
    errors = box.residuals(series)
    error = float(errors.max())
    if not np.all(errors <= box.bounds):
        reason = box.single_precision() or (
            f"the function has content outside the {unknowns} frequencies given; give all of them "
            "(those of its circuit, or of its scales)"
        )
        msg = f"aliased: off the {count} sample points the series is wrong by {error:.2g}; {reason}"
        raise SpectrumError(msg)
    note = f"{count} random points for {unknowns} frequencies without a common base, {_OFF} others"
    return SampledSpectrum(series, error, box.bound, condition, count, "least-squares", note)


def _widths(frequencies: Array) -> Array:
    """Eight periods of the smallest gap on each axis, so that neighbours can be told apart."""
    both = np.concatenate([frequencies, -frequencies[1:]])
    widths = []
    for axis in both.T:
        size = float(np.max(np.abs(axis), initial=0.0))
        gaps = np.diff(np.unique(axis))
        gap = np.min(gaps[gaps > 1e-9 * size], initial=math.inf)
        widths.append(16 * math.pi / gap if math.isfinite(gap) else 2 * math.pi)
    return np.array(widths)
