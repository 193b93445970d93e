"""Spectrum of a Q-RUN layer: of its one function ``g: R -> R^k``, and of how training moves it.

With shared scales a layer is ``g(W x + b)``, see :mod:`qrun_equiv.qrun`. With an MLP readout ``g``
contains all whole combinations ``n_1 s_1 + ... + n_L s_L`` of its scales, infinitely many. Where
they have a common period, an FFT over it gives the coefficients, on a grid that is doubled until
the last ones have died out. Scales without a period are fitted over a long window: least squares
over the combinations of low order, with a Kaiser taper that keeps distant frequencies out of each
other. What no listed frequency holds is reported as ``rest``.

All numbers here are estimates of floating point, no bounds.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from qrun_equiv.angle import read_constant
from qrun_equiv.approximation import Approximation
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array, FourierSeries, accessible, common_base, design, numeric
from qrun_equiv.leakage import Period, leakage
from qrun_equiv.qrun import QRUN
from qrun_equiv.reuploading import DataReuploading
from qrun_equiv.spectra.black_box import double
from qrun_equiv.spectra.sample_grid import distinct, labels

_LONGEST = 512  # fastest scale or frequency over the common one: beyond it there is no short period
_FIRST, _LAST, _GONE = 64, 2**15, 1e-13  # points of a period; coefficients that count as zero
_RATES, _ORDER, _ENTRIES = 128, 12, 2**23  # of a fit: frequencies, order, size of its matrix
_LOBES, _BETA = 12, 14.0  # window in periods of the smallest gap; Kaiser: -100 dB beyond 9 of them
_OFF = 64


@dataclass(frozen=True, slots=True)
class LayerSpectrum:
    """Coefficients of ``g``, and what lies outside a circuit's frequencies.

    Attributes:
        series: frequencies ``[n, 1]``, both signs, per unit of the phase (or of the feature), and
            coefficients ``[n, k]``.
        inside: ``[n]``: whether a frequency is one of the circuit's; all False without a circuit.
        scales: ``[L]``, as they are now.
        period: of ``g``, or None.
        over: ``"period"`` (FFT) or ``"window"`` (fit).
        leakage: share of the energy (mean square of all outputs) outside the circuit's frequencies;
            None without a circuit, or where there are too many to fit.
        rest: share of the energy that ``series`` lacks, at points it was not computed from.
        error: largest ``|series - g|`` there, absolute.
        note: the samples in words.
    """

    series: FourierSeries
    inside: NDArray[np.bool_]
    scales: Array
    period: float | None
    over: Literal["period", "window"]
    leakage: float | None
    rest: float
    error: float
    note: str

    def at(self, frequencies: Array) -> NDArray[np.complex128]:
        """Coefficients ``[m, k]`` at frequencies ``[m]``; 0 where the series has none."""
        own = self.series.frequencies[:, 0]
        place = labels(np.concatenate([own, frequencies]))
        where = {int(p): k for k, p in enumerate(place[: len(own)])}
        found = np.zeros((len(frequencies), self.series.coefficients.shape[1]), dtype=complex)
        for row, p in enumerate(place[len(own) :]):
            if int(p) in where:
                found[row] = self.series.coefficients[where[int(p)]]
        return found


def layer_spectrum(
    layer: Any,
    *,
    circuit: Circuit | None = None,
    parameters: Any = (),
    frequencies: Any = None,
    also: Any = (),
    scales: Sequence[float] | Tensor | None = None,
    seed: int = 0,
) -> LayerSpectrum:
    """Spectrum of a layer's one function.

    Args:
        layer: a :class:`~qrun_equiv.qrun.QRUN` with shared scales (its function of the phase), an
            :class:`~qrun_equiv.approximation.Approximation`, or a module ``[batch, 1] -> [batch,
            k]`` with ``scales`` given. Weights in single precision are converted: the spectrum is
            that of their exact values, computed in float64.
        circuit: a circuit of one feature that the layer should follow.
        parameters: its ``theta [n_parameters]``, radians.
        frequencies: instead of a circuit, ``[n]``, radians per unit of the phase.
        also: other frequencies ``[m]`` to look at, where scales have no period.
        scales: of a layer that is neither a QRUN nor an Approximation.
        seed: of the points off the samples.

    Raises:
        SpectrumError: no scales, scales per element, a circuit with several features, numbers that
            are not finite, or frequencies too close for a window.
    """
    function, known = _function(layer, scales)
    wanted = wanted_frequencies(circuit, parameters, frequencies)
    period = _period(known, wanted)
    rng = np.random.default_rng([seed, 7])
    if period is not None:
        series, count = _over_period(function, period)
        width = 2 * math.pi / period.base
        note = f"FFT of {count} points over the period {width:.6g}"
    else:
        more = double(also, "also").reshape(-1)
        rates = _rates(known, more if wanted is None else np.concatenate([wanted, more]))
        series, count, width = _over_window(function, rates)
        note = f"tapered fit of {len(rates)} frequencies to {count} points over {width:.4g}"
    x = rng.uniform(-0.5, 0.5, (_OFF, 1)) * width
    values = _values(function, x)
    left = values - series(x)
    leak = None
    if wanted is not None:
        both = np.concatenate([wanted, -wanted[wanted > 0]])
        leak = leakage(lambda t: torch.as_tensor(_values(function, t.numpy())), both, period)
    total = float(np.sum(values**2))
    return LayerSpectrum(
        series,
        inside_of(series.frequencies[:, 0], wanted),
        known,
        None if period is None else width,
        "window" if period is None else "period",
        leak,
        float(np.sum(left**2)) / total if total else 0.0,
        float(np.max(np.abs(left))),
        note,
    )


def _function(layer: Any, scales: Any) -> tuple[Callable[[Tensor], Tensor], Array]:
    """``g`` on ``[batch, 1]`` in float64, and its scales ``[L]``."""
    module = copy.deepcopy(layer).double().eval() if isinstance(layer, nn.Module) else layer
    given = getattr(module, "reuploading", None)
    if isinstance(given, DataReuploading):
        if given.mode == "per-element":
            msg = "scales per element make one function an element: share the scales"
            raise SpectrumError(msg)
        known = double(given.scales, "scales")
    elif scales is not None:
        known = double(scales, "scales").reshape(-1)
    else:
        msg = "this layer has no scales of its own (no QRUN, no Approximation): give scales="
        raise SpectrumError(msg)
    if not len(known):
        msg = "scales is empty: a layer has one scale a re-upload"
        raise SpectrumError(msg)
    if isinstance(module, QRUN):
        return lambda x: module.element(x[:, 0]), known
    if isinstance(module, Approximation) or callable(module):
        return module, known
    msg = f"a layer must be a torch module or a function, got {type(layer).__name__}"
    raise SpectrumError(msg)


def wanted_frequencies(circuit: Circuit | None, parameters: Any, frequencies: Any) -> Array | None:
    """The circuit's frequencies from 0 up, or None; arguments as for :func:`layer_spectrum`.

    Raises:
        SpectrumError: as there.
    """
    if circuit is not None and frequencies is not None:
        msg = "give a circuit or its frequencies, not both"
        raise SpectrumError(msg)
    if circuit is None and frequencies is None:
        return None
    if circuit is not None:
        theta = double(parameters, "parameters").reshape(-1)
        if circuit.n_features != 1 or len(theta) != circuit.n_parameters:
            msg = (
                f"the circuit has {circuit.n_features} feature(s) and {circuit.n_parameters} "
                f"parameter(s); a layer's function has one feature, and parameters={theta.tolist()}"
            )
            raise SpectrumError(msg)
        frequencies = numeric(accessible(circuit), np.zeros(1), theta)[:, 0]
    return distinct(double(frequencies, "frequencies").reshape(-1, 1))[:, 0]


def _period(scales: Array, wanted: Array | None) -> Period | None:
    values = [*scales.tolist(), *(() if wanted is None else wanted.tolist())]
    shared = common_base([read_constant(v) for v in values])
    if shared is None or shared[1] > _LONGEST:
        return None
    base = float(shared[0].evaluate(np.zeros(0), np.zeros(0)))
    return Period(base, shared[1], exact=False)


def _over_period(function: Callable[[Tensor], Tensor], period: Period) -> tuple[FourierSeries, int]:
    """Twice as many points until the upper half of the coefficients is gone."""
    count = max(_FIRST, 2 ** math.ceil(math.log2(8 * period.fastest)))
    while True:
        x = np.arange(count)[:, None] * (2 * math.pi / period.base / count)
        table = np.fft.fft(_values(function, x), axis=0, norm="forward")
        size = np.max(np.abs(table), axis=1)[: count // 2]
        floor = _GONE * max(float(size.max()), np.finfo(float).tiny)
        if np.all(size[count // 4 :] <= floor) or 2 * count > _LAST:
            break
        count *= 2
    top = max(int(np.max(np.nonzero(size > floor)[0], initial=0)), period.fastest)
    index = np.arange(-top, top + 1)
    frequencies = np.asarray(index[:, None] * period.base, dtype=np.float64)
    return FourierSeries(frequencies, table[index % count]), count


def _rates(scales: Array, given: Array) -> Array:
    """Whole combinations of the scales, of rising order, and the frequencies given.

    A given frequency beside one of the layer's own, too near for any window (a scale on its first
    steps away from the circuit's), is left out: the layer has nothing there.
    """
    own = distinct(scales[:, None])
    for what, found in (("scales", own), ("frequencies", distinct(given[:, None]))):
        if _entries(found) > _ENTRIES:
            msg = (
                f"the {len(found) - 1} {what} are too close to each other, or too far apart, for a "
                "window of finite length"
            )
            raise SpectrumError(msg)
    rates = own
    for rate in given:
        merged = distinct(np.concatenate([rates, [[rate]]]))
        if _entries(merged) <= _ENTRIES:
            rates = merged
    combinations = np.zeros((1, 1))
    for _ in range(_ORDER):
        steps = [combinations, *(combinations + sign * s for s in scales for sign in (1, -1))]
        grown = distinct(np.concatenate(steps))
        merged = distinct(np.concatenate([rates, grown]))
        if (
            len(merged) > _RATES
            or _entries(merged) > _ENTRIES
            or 2 * len(grown) - 1 == len(combinations)
        ):
            break
        combinations, rates = np.concatenate([grown, -grown[1:]]), merged
    return rates[:, 0]


def _window(rates: Array) -> tuple[float, int]:
    """Width of the window, and points that resolve four times the fastest frequency."""
    gap = float(np.min(np.diff(rates), initial=math.inf))
    if not math.isfinite(gap):
        return 2 * math.pi, _FIRST
    return 2 * math.pi * _LOBES / gap, max(_FIRST, math.ceil(8 * _LOBES * rates[-1] / gap))


def _entries(rates: Array) -> int:
    return _window(rates[:, 0])[1] * 2 * len(rates)


def _over_window(
    function: Callable[[Tensor], Tensor], rates: Array
) -> tuple[FourierSeries, int, float]:
    width, count = _window(rates)
    x = np.linspace(-width / 2, width / 2, count)[:, None]
    taper = np.sqrt(np.kaiser(count, _BETA))[:, None]
    matrix = design(rates[:, None], x)
    left, values = taper * matrix, taper * _values(function, x)
    gram = left.T @ left  # well conditioned: the window is wide against every gap
    solution = np.linalg.solve(gram, left.T @ values)
    solution += np.linalg.solve(gram, left.T @ (values - left @ solution))
    n = len(rates) - 1
    positive = (solution[1 : n + 1] - 1j * solution[n + 1 :]) / 2
    coefficients = np.concatenate([solution[:1].astype(complex), positive, positive.conj()])
    both = np.concatenate([rates, -rates[1:]])[:, None]
    return FourierSeries(both, coefficients).sorted(), count, width


def _values(function: Callable[[Tensor], Tensor], x: Array) -> Array:
    with torch.no_grad():
        values = double(function(torch.tensor(x)), "the layer's values")
    return values[:, None] if values.ndim == 1 else values


def inside_of(own: Array, wanted: Array | None) -> NDArray[np.bool_]:
    """Which of a layer's frequencies ``[n]`` are among those of the circuit."""
    if wanted is None:
        return np.zeros(len(own), dtype=bool)
    place = labels(np.concatenate([np.abs(own), wanted]))
    return np.isin(place[: len(own)], place[len(own) :])
