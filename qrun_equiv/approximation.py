"""The published readout as an approximation: fit a shared MLP to a circuit, then bound its error.

An MLP of Q-RUN features equals no circuit exactly (its spectrum is unbounded), so it is never an
identity. But with one feature both sides are functions of one variable, and the largest difference
over a whole interval can be bounded rigorously: :func:`bound_difference`. The fit itself carries
no guarantee and needs none.

Both sides are read as real functions: the floats of the module are exact constants, the angles of
the circuit are exact as :mod:`qrun_equiv.angle` reads them. Evaluating them in float64 adds its
rounding, about 1e-15. The circuit's Fourier coefficients enter as balls, so their rounding is part
of the bound; what it assumes is said in :mod:`qrun_equiv.interval_arithmetic`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from qrun_equiv import formal, trigonometric
from qrun_equiv.bisection import Bound, maximum
from qrun_equiv.bounds import round_down, round_up
from qrun_equiv.circuit import Circuit
from qrun_equiv.counterpart import FourierCounterpart, derive
from qrun_equiv.errors import DerivationError
from qrun_equiv.fitting import least_squares
from qrun_equiv.fourier import accessible, numeric, slopes
from qrun_equiv.interval_arithmetic import Interval
from qrun_equiv.intervals import Enclosure, Intervals
from qrun_equiv.leakage import common_period, leakage
from qrun_equiv.readout import MLP, positive_integer
from qrun_equiv.reuploading import DataReuploading

Array = NDArray[np.float64]
_ALGEBRA = Intervals()
_DEFAULT_REUPLOADS = 3


class Approximation(nn.Module):
    """A Q-RUN element with an MLP readout that approximates a circuit of one feature.

    ``forward(x [batch, 1]) -> [batch, n_outputs]`` in float64, x in the units of the circuit's
    feature.

    Attributes:
        bound: rigorous bound of the largest difference from the circuit over ``interval``.
        interval: ``(low, high)``.
        everywhere: whether the bound holds for all x: both sides are periodic, and the interval
            covers a period.
        leakage: share of the output's energy (mean square) outside the circuit's accessible
            frequencies; estimated in floating point. None where they are too many to estimate.
        leakage_over: ``"period"``: by FFT over a common period; ``"window"``: by a least-squares
            fit over a long window, where frequencies have no common period.
        epsilon: the error that was asked for, if any.
    """

    bound: Bound
    leakage: float | None

    def __init__(self, reuploading: DataReuploading, readout: MLP) -> None:
        super().__init__()
        self.reuploading = reuploading
        self.readout = readout
        self.interval = (-math.pi, math.pi)
        self.everywhere = False
        self.leakage_over: Literal["period", "window"] = "period"
        self.epsilon: float | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]`` at ``x [batch, 1]``."""
        values: Tensor = self.readout(self.reuploading(x[:, 0]))
        return values

    @property
    def within(self) -> bool | None:
        """Whether the error is at most ``epsilon``: proved, disproved, or None (not known)."""
        if self.epsilon is None:
            return None
        if self.bound.upper <= self.epsilon:
            return True
        return False if self.bound.lower > self.epsilon else None

    def extra_repr(self) -> str:
        """The bound, where there is one."""
        return str(getattr(self, "bound", "not bounded yet"))


def approximate(
    circuit: Circuit,
    *,
    readout: str = "mlp",
    parameters: object = (),
    interval: tuple[float, float] | Literal["period"] = (-math.pi, math.pi),
    hidden: int = 16,
    depth: int = 2,
    reuploads: int | None = None,
    scales: Sequence[float] | None = None,
    steps: int = 100,
    seed: int = 0,
    epsilon: float | None = None,
    relative: float = 0.05,
    most_boxes: int = 200_000,
) -> Approximation:
    """Fit the shared MLP readout to a circuit of one feature, and bound its error.

    Args:
        circuit: neutral form with one feature.
        readout: only ``"mlp"``; all others are exact, see :func:`qrun_equiv.derive`.
        parameters: ``theta [n_parameters]``, radians.
        interval: ``(low, high)`` in units of the feature, or ``"period"``: one common period of
            circuit and features, so that the bound holds for all x.
        hidden: width of the MLP.
        depth: its number of hidden layers.
        reuploads: L, for the scales 1, 2, ..., L.
        scales: the scales themselves, radians per unit of the feature. Where both are left out:
            the distinct frequencies of the circuit's encoding gates at these parameters.
        steps: at most as many Levenberg-Marquardt steps.
        seed: of the MLP's initial weights; torch's global generator is left as it was.
        epsilon: the error wanted: the bound stops being refined below it, and
            :attr:`Approximation.within` says whether it holds.
        relative: how close upper and lower bound should come otherwise.
        most_boxes: effort of the bound, see :func:`qrun_equiv.bisection.maximum`.

    Raises:
        DerivationError: more than one feature, another readout, an empty interval, no period.
        SpectrumError: the output is no Fourier series in the feature.
        FormalError: the circuit is too large for exact coefficients.
    """
    _check(circuit, readout, scales, reuploads, epsilon)
    theta = _vector(parameters, circuit.n_parameters)
    exact = derive(circuit, "fourier", parameters=theta)
    assert isinstance(exact, FourierCounterpart)
    chosen = _scales(circuit, theta, reuploads, scales)
    period = common_period(circuit, theta, chosen)
    low, high = _ends(interval, period)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _model(chosen, hidden, depth, circuit.n_outputs)
    _fit(model, exact, low, high, positive_integer("steps", steps))
    model.interval, model.epsilon = (low, high), epsilon
    model.everywhere = period is not None and period.covered_by(low, high)
    model.bound = bound_difference(
        model, circuit, theta, low, high,
        goal=epsilon or 0.0, relative=relative, most_boxes=most_boxes,
    )  # fmt: skip
    frequencies = numeric(accessible(circuit), np.zeros(1), theta)[:, 0]
    model.leakage = leakage(model, frequencies, period)
    model.leakage_over = "window" if period is None else "period"
    return model


def bound_difference(
    module: Callable[..., Any],
    circuit: Circuit,
    parameters: object,
    low: float,
    high: float,
    *,
    goal: float = 0.0,
    relative: float = 0.05,
    most_boxes: int = 200_000,
) -> Bound:
    """Bound ``max |module(x) - circuit(x)|`` over ``[low, high]`` and all outputs.

    Args:
        module: torch callable ``x [batch, 1] -> [batch]`` or ``[batch, n_outputs]``; it is run in
            interval arithmetic, so it may use what :class:`~qrun_equiv.intervals.Intervals` knows.
        circuit: neutral form with one feature.
        parameters: ``theta [n_parameters]``, radians.
        low: left end, in units of the feature.
        high: right end.
        goal: see :func:`qrun_equiv.bisection.maximum`.
        relative: as there.
        most_boxes: as there.

    Raises:
        DerivationError: more than one feature.
        FormalError: the module can't be followed, or the circuit is too large.
    """
    _one_feature(circuit)
    theta = _vector(parameters, circuit.n_parameters)
    exact = enclosed_circuit(circuit, theta)

    def difference(t: Enclosure) -> Enclosure:
        middles = t.lo + 0.5 * (t.hi - t.lo)
        found = formal.run(module, [t], _ALGEBRA, batch=len(t.lo), points=[middles])
        wanted = exact(t)
        if _ALGEBRA.shape(found) != _ALGEBRA.shape(wanted):
            got, n = _ALGEBRA.shape(found)[1], circuit.n_outputs
            msg = f"the module has {got} output(s), and the circuit {n}"
            raise DerivationError(msg)
        return _ALGEBRA.add(found, _ALGEBRA.negative(wanted))

    return maximum(difference, low, high, goal=goal, relative=relative, most_boxes=most_boxes)


def enclosed_circuit(circuit: Circuit, theta: Array) -> Callable[[Enclosure], Enclosure]:
    """A circuit of one feature in interval arithmetic: ``t [boxes, 1] -> [boxes, n_outputs]``.

    It is its Fourier series ``sum_w a_w cos(w t) + b_w sin(w t)``; frequencies and coefficients are
    intervals around exact values (balls of :mod:`qrun_equiv.trigonometric`).
    """
    outputs = list(trigonometric.of_circuit(circuit, theta.tolist()))
    found = sorted({w for p in outputs for w in p.terms}, key=str)
    cosines = np.zeros((len(found), len(outputs)), dtype=object)
    sines = cosines.copy()
    with trigonometric.precise():
        balls = [trigonometric.ball(trigonometric.slopes(w)[0]) if w.terms else 0 for w in found]
        for k, output in enumerate(outputs):
            for row, w in enumerate(found):
                if w in output.terms:
                    pair = 2 if w.terms else 1  # the coefficients of w and -w
                    cosines[row, k] = output.terms[w].real * pair
                    sines[row, k] = output.terms[w].imag * -pair
    a, b = Enclosure(_interval(cosines)), Enclosure(_interval(sines))
    frequencies = Enclosure(_interval(np.array([balls], dtype=object)))

    def enclosed(t: Enclosure) -> Enclosure:
        angles = _ALGEBRA.multiply(t, frequencies)
        cosine = _ALGEBRA.matmul(_ALGEBRA.function("cos", angles), a)
        return _ALGEBRA.add(cosine, _ALGEBRA.matmul(_ALGEBRA.function("sin", angles), b))

    return enclosed


def _interval(balls: NDArray[np.object_]) -> Interval:
    """Array of balls (or the number 0) as floats rounded outwards."""
    ends = [
        [0.0 if b == 0 else rounded(b) for b in balls.ravel()] for rounded in (round_down, round_up)
    ]
    lo, hi = (np.array(e, dtype=np.float64).reshape(balls.shape) for e in ends)
    return Interval(lo, hi)


def _one_feature(circuit: Circuit) -> None:
    if circuit.n_features != 1:
        msg = (
            f"the circuit has {circuit.n_features} features, and an error is bounded over an "
            "interval of one; fix the others as parameters"
        )
        raise DerivationError(msg)


def _vector(parameters: object, count: int) -> Array:
    array = np.asarray(parameters, dtype=np.float64).reshape(-1)
    if len(array) != count or not np.all(np.isfinite(array)):
        msg = f"parameters: the circuit has {count}, all finite; got {array.tolist()}"
        raise DerivationError(msg)
    return array


def _check(
    circuit: Circuit,
    readout: str,
    scales: Sequence[float] | None,
    reuploads: int | None,
    epsilon: float | None,
) -> None:
    _one_feature(circuit)
    if readout != "mlp":
        msg = f'readout {readout!r} is no approximation; only "mlp" is. For exact ones call derive'
        raise DerivationError(msg)
    if scales is not None and reuploads is not None and len(scales) != reuploads:
        msg = f"{len(scales)} scales for reuploads={reuploads}; leave reuploads out"
        raise DerivationError(msg)
    if epsilon is not None and not 0 < epsilon < math.inf:
        msg = f"epsilon must be a positive number, got {epsilon}"
        raise DerivationError(msg)


def _scales(
    circuit: Circuit, theta: Array, reuploads: int | None, scales: Sequence[float] | None
) -> list[float]:
    if scales is not None:
        return [float(s) for s in scales]
    if reuploads is None:
        found = {
            abs(float(slope.evaluate(np.zeros(1), theta))) * gap
            for (slope,), gaps in slopes(circuit, [0])
            for gap in gaps
        } - {0.0}
        if found:
            return sorted(found)
    count = _DEFAULT_REUPLOADS if reuploads is None else positive_integer("reuploads", reuploads)
    return [float(k + 1) for k in range(count)]


def _ends(interval: tuple[float, float] | Literal["period"], period: Any) -> tuple[float, float]:
    if interval == "period":
        if period is None:
            msg = "the frequencies have no (short) common period; give interval=(low, high)"
            raise DerivationError(msg)
        half = 0.5 * float(period.upper)
        return -half, half
    low, high = (float(end) for end in interval)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        msg = f"interval must be two finite numbers low < high, got {interval}"
        raise DerivationError(msg)
    return low, high


def _model(scales: list[float], hidden: int, depth: int, outputs: int) -> Approximation:
    reuploading = DataReuploading(
        len(scales), scales="shared-fixed", initial_scales=scales, dtype=torch.float64
    )
    readout = MLP(len(scales), hidden=hidden, depth=depth, outputs=outputs, dtype=torch.float64)
    return Approximation(reuploading, readout)


def _fit(
    model: Approximation, exact: FourierCounterpart, low: float, high: float, steps: int
) -> None:
    """Least squares on an even grid."""
    fastest = float(np.max(np.abs(exact.series.frequencies), initial=1.0))
    count = int(min(max(256, 4 * fastest * (high - low)), 4096))
    x = torch.linspace(low, high, count, dtype=torch.float64)[:, None]
    least_squares(model, x, exact(x), steps)
