"""What a sampled spectrum is asked to contain: degrees, encoding scales or frequencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from qrun_equiv.angle import Angle, Symbol, feature
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array, Frequency, accessible, numeric
from qrun_equiv.spectra.black_box import double
from qrun_equiv.spectra.sample_grid import Multiples, distinct, multiples_of

# A grid is taken up to this many points a frequency, or up to this many altogether.
_SPARSE, _SMALL_GRID = 8, 4096
_MOST = 100_000  # frequencies that are listed one by one


def signed_sums(scales: Sequence[Any]) -> tuple[Frequency, ...]:
    """Exact frequencies of encoding scales: all sums of ``-s, 0, +s``, without repeats.

    Args:
        scales: one number (or :class:`~qrun_equiv.angle.Angle`) a re-upload, radians per unit of
            the one feature; or one such sequence for each of several features. Floats are read as
            the simplest rational (or multiple of pi) within their rounding: 0.1, 0.2 and 0.3 have
            13 sums.

    Raises:
        SpectrumError: a scale that is not finite or not in double precision; too many sums.
    """
    if not isinstance(scales, Iterable) or isinstance(scales, str):
        msg = f"scales must be a sequence of numbers, one a re-upload, got {scales!r}"
        raise SpectrumError(msg)
    if isinstance(scales, np.ndarray | Tensor):
        scales = double(scales, "scales").tolist()
    scales = list(scales)
    nested = bool(scales) and all(isinstance(s, Sequence) for s in scales)
    rows = list(scales) if nested else [scales]
    gates = [
        Gate("RX", (0,), feature(k) * (s if isinstance(s, Angle) else _read(s)))
        for k, row in enumerate(rows)
        for s in row
    ]
    known = [s for gate in gates if gate.angle for s in gate.angle.symbols()]
    size = max((s.index + 1 for s in known if s.kind == "theta"), default=0)
    observable = Observable.of([(1.0, {0: "Z"})])
    return accessible(Circuit(1, tuple(gates), (observable,), len(rows), size))


def _read(scale: Any) -> Angle:
    value = double(scale, "scales")
    if value.ndim:
        msg = f"scales must be numbers, or one sequence of numbers for each feature, got {scale!r}"
        raise SpectrumError(msg)
    return Angle.constant(float(value))


def wanted(
    n_features: int | None,
    degree: int | Sequence[int] | None,
    base: float | Sequence[float],
    scales: Sequence[Any] | None,
    frequencies: Any,
    parameters: Any,
    points: int | Sequence[int] | None,
) -> Multiples | Array:
    """What :func:`qrun_equiv.spectra.sampled.sample` is asked for; arguments as there.

    Returns:
        Multiples of a base, or frequencies ``[n, n_features]``: 0, then one of each pair.

    Raises:
        SpectrumError: contradictory or malformed arguments.
    """
    given = [v is not None for v in (degree, scales, frequencies)]
    if sum(given) > 1 or (not any(given) and points is None):
        msg = "give one of degree=, scales= and frequencies= (or points= alone)"
        raise SpectrumError(msg)
    if scales is not None or frequencies is not None:
        exact = signed_sums(scales) if scales is not None else frequencies
        found = distinct(_values(exact, parameters))
        if n_features not in (None, found.shape[1]):
            msg = f"n_features={n_features}, but the frequencies have {found.shape[1]} feature(s)"
            raise SpectrumError(msg)
        lattice = multiples_of(found)
        if lattice is None or lattice.size > max(_SPARSE * len(found), _SMALL_GRID):
            return found
        return lattice
    features = 1 if n_features is None else n_features
    if degree is None:
        degrees = tuple((n - 1) // 2 for n in _whole(points, features, "points"))
    else:
        degrees = _whole(degree, features, "degree")
    steps = double(base, "base")
    if steps.shape not in {(), (len(degrees),)}:
        msg = f"base has the shape {list(steps.shape)} for {len(degrees)} feature(s): give one each"
        raise SpectrumError(msg)
    steps = np.broadcast_to(steps, (len(degrees),))
    if not np.all(steps > 0):
        msg = f"base must be positive (radians per unit of the feature), got {base}"
        raise SpectrumError(msg)
    return Multiples(steps.copy(), degrees, None)


def _values(frequencies: Any, parameters: Any) -> Array:
    frequencies = getattr(frequencies, "accessible", frequencies)  # a FrequencySet
    if np.ndim(frequencies) == 0:
        msg = f"frequencies must be [n] or [n, n_features], got {frequencies!r}"
        raise SpectrumError(msg)
    if len(frequencies) > _MOST:
        msg = (
            f"{len(frequencies)} frequencies are more than the {_MOST} that are fitted one by one: "
            "where they are all multiples of a base, give degree= and base="
        )
        raise SpectrumError(msg)
    if (
        len(frequencies)
        and isinstance(frequencies[0], tuple)
        and isinstance(frequencies[0][0], Angle)
    ):
        return _exact_values(frequencies, double(parameters, "parameters").reshape(-1))
    values = double(frequencies, "frequencies")
    return values[:, None] if values.ndim == 1 else values


def _exact_values(frequencies: Sequence[Frequency], theta: Array) -> Array:
    symbols = {s for w in frequencies for a in w for s in a.symbols()}
    missing = sorted(s for s in symbols if s not in {Symbol("theta", k) for k in range(len(theta))})
    if missing:
        msg = f"the frequencies contain {missing[0]}: give its value in parameters="
        raise SpectrumError(msg)
    return numeric(frequencies, np.zeros(0), theta)


def _whole(value: Any, n_features: int, name: str) -> tuple[int, ...]:
    many = tuple(value) if isinstance(value, Sequence) else (value,) * n_features
    least = 1 if name == "points" else 0
    if len(many) != n_features or n_features < 1:
        msg = f"{name} has {len(many)} numbers for {n_features} feature(s): give one each, or one"
        raise SpectrumError(msg)
    for n in many:
        if isinstance(n, bool) or not hasattr(n, "__index__") or n < least:
            msg = f"{name} must be whole numbers from {least} up, got {value!r}"
            raise SpectrumError(msg)
    return tuple(int(n) for n in many)


def counts_of(points: Any, degrees: tuple[int, ...]) -> tuple[int, ...]:
    """Points on each axis: the fewest, or those given where they are enough.

    Raises:
        SpectrumError: fewer than ``2 K + 1``.
    """
    if points is None:
        return tuple(2 * k + 1 for k in degrees)
    counts = _whole(points, len(degrees), "points")
    for axis, (n, k) in enumerate(zip(counts, degrees, strict=True)):
        if n <= 2 * k:
            msg = (
                f"{n} points alias in x{axis}: frequencies up to {k} times the base need at least "
                f"{2 * k + 1} points"
            )
            raise SpectrumError(msg)
    return counts
