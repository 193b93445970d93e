"""Spectra: Fourier coefficients of every source along one feature, or over two of them.

Frequencies are the circuit's accessible ones (:func:`qrun_equiv.fourier.accessible`); every source
is sampled natively and fitted over them. What a source holds besides shows as a residual, and is
then looked for at multiples of half the circuit's base frequency, up to twice its largest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import tolerances
from qrun_equiv.certificate import SPECTRUM, Verdict
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import accessible, design, fit, half, most, numeric, slopes
from qrun_equiv.frontends.base import Array
from qrun_equiv.reporting.subject import Subject

Complex = NDArray[np.complex128]

#: Most frequencies (one of each pair ``w, -w``) of one feature and of two; most sample points.
MOST_FREQUENCIES, MOST_OF_PLANE, MOST_POINTS = 220, 400, 900
#: Frequencies nearer than this, relative to the largest, are drawn as one.
_SAME = 1e-9
_OFF_GRID = 6


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Fourier coefficients of every source along one feature, at frequencies from 0 up.

    Attributes:
        feature: the feature that varies.
        frequencies: ``[n]`` ascending, radians per unit of the feature.
        coefficients: complex ``[n]`` of the shown output, by name of the source; those at ``-w``
            are their conjugates.
        every: the same of all outputs, ``[n, n_outputs]``.
        accessible: ``[n]``: whether the circuit can have the frequency at all.
        effective: ``[n]``: whether its coefficient is not zero for all parameters; ``None`` where
            not known.
        outside: by source, the largest value of its output that these frequencies do not explain.
        tolerance: largest absolute difference that passes, and what counts as zero.
        claimed: largest absolute difference that the pair claims: the tolerance, or what follows
            from its epsilon: a coefficient is a weighted sum of values, each within epsilon.
        output: index of the shown output.
        where: what is held fixed, in words.
        note: why ``effective`` is not known.
    """

    feature: int
    frequencies: Array
    coefficients: Mapping[str, Complex]
    every: Mapping[str, Complex]
    accessible: NDArray[np.bool_]
    effective: NDArray[np.bool_] | None
    outside: Mapping[str, float]
    tolerance: float
    claimed: float
    output: int
    where: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plane:
    """Fourier coefficients of the shown output over two features.

    Attributes:
        features: the two features.
        frequencies: ``[n, 2]``, both signs.
        coefficients: complex ``[n]`` by name of the source.
        tolerance: largest absolute difference that passes.
        output: index of the output.
        where: what is held fixed, in words.
    """

    features: tuple[int, int]
    frequencies: Array
    coefficients: Mapping[str, Complex]
    tolerance: float
    output: int
    where: str


@dataclass(frozen=True, slots=True)
class _Fit:
    """Series of all sources over the same frequencies (``[n, d]``, both signs)."""

    frequencies: Array
    coefficients: Mapping[str, Complex]
    outside: Mapping[str, Array]
    tolerance: float
    condition: float


def spectrum(what: Subject, verdict: Verdict | None = None) -> Spectrum:
    """Coefficients along the subject's feature; a verdict says what is claimed about them.

    Raises:
        SpectrumError: the circuit has no neutral form, is no Fourier series in the feature, or has
            too many frequencies; the message says why.
    """
    circuit = _neutral(what, verdict)
    known = _distinct(circuit, (what.feature,), what)
    found = _fit(what, known, (what.feature,))
    epsilon = _epsilon(verdict) or what.epsilon or 0.0
    if _content(found, what.output) > max(found.tolerance, epsilon):
        found = _wider(what, known, found)
    order = np.argsort(found.frequencies[:, 0], kind="stable")
    order = order[found.frequencies[order, 0] >= 0]
    large = [np.abs(c[order, what.output]) > found.tolerance for c in found.coefficients.values()]
    order = order[_among(found.frequencies[order, 0], known[:, 0]) | np.any(large, axis=0)]
    frequencies = found.frequencies[order, 0]
    effective, note = _effective(circuit, what, frequencies)
    return Spectrum(
        feature=what.feature,
        frequencies=frequencies,
        coefficients={n: c[order, what.output] for n, c in found.coefficients.items()},
        every={n: c[order] for n, c in found.coefficients.items()},
        accessible=_among(frequencies, known[:, 0]),
        effective=effective,
        outside={n: float(r[what.output]) for n, r in found.outside.items()},
        tolerance=found.tolerance,
        claimed=max(found.tolerance, epsilon * found.condition),
        output=what.output,
        where=what.where,
        note=note,
    )


def plane(what: Subject, verdict: Verdict | None = None) -> Plane:
    """Coefficients over the subject's feature and the next one that a gate reads.

    Raises:
        SpectrumError: as :func:`spectrum`, or fewer than two features are read.
    """
    circuit = _neutral(what, verdict)
    read = sorted({i for g in circuit.encoding_gates() if g.angle for i in g.angle.features()})
    others = [i for i in read if i != what.feature]
    if not others:
        msg = "one feature only"
        raise SpectrumError(msg)
    features = (what.feature, others[0])
    found = _fit(what, _distinct(circuit, features, what), features)
    return Plane(
        features=features,
        frequencies=found.frequencies,
        coefficients={n: c[:, what.output] for n, c in found.coefficients.items()},
        tolerance=found.tolerance,
        output=what.output,
        where=what.where,
    )


def _neutral(what: Subject, verdict: Verdict | None) -> Circuit:
    if what.neutral is not None:
        return what.neutral
    checks, reason = ((), "") if verdict is None else (verdict.checks, verdict.reason)
    made = [c.note for c in checks if c.name == SPECTRUM and c.note]
    raise SpectrumError(made[0] if made else reason or "the circuit has no neutral form")


def _epsilon(verdict: Verdict | None) -> float | None:
    return None if verdict is None else verdict.certificate.settings.get("epsilon")


# --- fits ----------------------------------------------------------------------------------------


def _distinct(circuit: Circuit, features: tuple[int, ...], what: Subject) -> Array:
    """Numerically distinct accessible frequencies ``[n, d]``, 0 first, one of each pair."""
    drawn = MOST_FREQUENCIES if len(features) == 1 else MOST_OF_PLANE
    encodings = slopes(circuit, features)
    try:
        exact = half(accessible(circuit, features, limit=8 * drawn))
    except SpectrumError:
        msg = (
            f"up to {most(encodings)} frequencies in {len(features)} feature(s) are too many to "
            "draw; qrun_equiv.spectrum_engine(circuit, limit=...) computes them"
        )
        raise SpectrumError(msg) from None
    values = numeric(exact, what.x, what.theta)
    size = max(float(np.max(np.abs(values), initial=0.0)), np.finfo(float).tiny)
    signs = np.where(np.any(values < -_SAME * size, axis=1) & _leads_negative(values, size), -1, 1)
    values = values * signs[:, None] + 0.0
    _, kept = np.unique(np.round(values / (_SAME * size)), axis=0, return_index=True)
    kept = np.sort(kept)
    if len(kept) > drawn:
        msg = f"{2 * len(kept) - 1} frequencies in {len(features)} feature(s) are too many to draw"
        raise SpectrumError(msg)
    return np.asarray(values[kept])


def _leads_negative(values: Array, size: float) -> NDArray[np.bool_]:
    """Rows whose first entry that is not zero is negative."""
    large = np.abs(values) > _SAME * size
    first = np.argmax(large, axis=1)
    return np.asarray(values[np.arange(len(values)), first] < 0)


def _fit(what: Subject, frequencies: Array, features: tuple[int, ...]) -> _Fit:
    rng = np.random.default_rng([what.seed, 7])
    box = None if what.domain is None else [what.domain[i] for i in features]
    local = _points(frequencies, box, rng)
    matrix = design(frequencies, local)
    inverse = np.asarray(np.linalg.pinv(matrix), dtype=np.float64)
    if np.linalg.norm(inverse, 2) * np.linalg.norm(matrix, 2) > tolerances.CONDITION:
        msg = "some frequencies are too close to each other to be told apart in this domain"
        raise SpectrumError(msg)
    points = np.tile(what.x, (len(local), 1))
    points[:, list(features)] = local
    stacks = {s.name: s.values(points, what.theta) for s in what.sources}
    made = {n: fit(frequencies, local, v, inverse=inverse) for n, v in stacks.items()}
    condition = max(1.0, float(np.max(np.sum(np.abs(inverse), axis=1))))
    scale = float(what.scale(stacks)[what.output])
    return _Fit(
        frequencies=next(iter(made.values()))[0].frequencies,
        coefficients={n: series.coefficients for n, (series, _) in made.items()},
        outside={n: np.max(np.abs(residual), axis=0) for n, (_, residual) in made.items()},
        tolerance=tolerances.EQUAL * condition * scale,
        condition=condition,
    )


def _content(found: _Fit, output: int) -> float:
    return max(float(r[output]) for r in found.outside.values())


def _wider(what: Subject, known: Array, found: _Fit) -> _Fit:
    """A fit over more frequencies than the circuit's, where that explains more."""
    unit = _unit(known[:, 0])
    if unit is None:
        return found
    base, top = unit
    for parts in (2, 1):  # in a bounded domain half steps may be too close to each other
        wider: Array = np.arange(2.0 * top * parts + 1)[:, None] * (base / parts)
        if len(wider) > MOST_FREQUENCIES:
            continue
        try:
            tried = _fit(what, wider, (what.feature,))
        except SpectrumError:
            continue
        if _content(tried, what.output) < 0.1 * _content(found, what.output):
            return tried
    return found


def _points(
    frequencies: Array, box: Sequence[tuple[float, float]] | None, rng: np.random.Generator
) -> Array:
    """A shifted Nyquist grid and some points off it; scattered points where there is no grid."""
    units = [_unit(axis) for axis in frequencies.T]
    if box is None and all(u is not None for u in units):
        found = [u for u in units if u is not None]
        counts = [2 * top + 2 for _, top in found]
        if math.prod(counts) <= MOST_POINTS:
            widths = np.array([2 * np.pi / base for base, _ in found])
            axes = [
                (rng.uniform() + np.arange(count)) * (width / count)
                for count, width in zip(counts, widths, strict=True)
            ]
            grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
            return np.concatenate([grid, rng.uniform(size=(_OFF_GRID, len(axes))) * widths])
    count = 2 * (2 * len(frequencies) - 1) + _OFF_GRID
    if box is not None:
        low, high = np.array(box, dtype=np.float64).T
        return np.asarray(rng.uniform(low, high, (count, len(low))))
    spread = []
    for axis in frequencies.T:
        distinct = np.unique(np.round(np.concatenate([axis, -axis]), 9))
        gap = float(np.min(np.diff(distinct))) if len(distinct) > 1 else 1.0
        spread.append(min(2e3, 8 * np.pi / gap))
    return np.asarray(rng.uniform(-0.5, 0.5, (count, len(spread))) * np.array(spread))


def _unit(values: Array) -> tuple[float, int] | None:
    """The base that all are whole multiples of, and the largest multiple; ``None`` without one."""
    sizes = np.abs(values)
    largest = float(np.max(sizes, initial=0.0))
    if not largest:
        return 1.0, 0
    smallest = float(np.min(sizes[sizes > _SAME * largest]))
    for parts in range(1, 9):
        base = smallest / parts
        multiples = sizes / base
        if np.max(np.abs(multiples - np.round(multiples))) < 1e-8 * largest / base:
            top = round(largest / base)
            return (largest / top, top) if top <= MOST_POINTS else None
    return None


# --- what the circuit can have -------------------------------------------------------------------


def _among(values: Array, others: Array) -> NDArray[np.bool_]:
    size = max(1e-300, float(np.max(np.abs(others), initial=0.0)))
    others = np.concatenate([others, -others])
    near = np.abs(values[:, None] - others[None, :]) <= 1e-8 * size
    return np.asarray(np.any(near, axis=1))


def _effective(
    circuit: Circuit, what: Subject, frequencies: Array
) -> tuple[NDArray[np.bool_] | None, str]:
    """Which of the frequencies have a coefficient that is not zero for all parameters."""
    try:
        from qrun_equiv.spectra.frequencies import frequencies as exact

        found = exact(circuit, (what.feature,))
    except (ImportError, SpectrumError) as error:
        return None, f"which frequencies are effective is not known: {error}"
    flags = np.array([row[what.output] for row in found.effective], dtype=bool)
    values = np.asarray(found.values(what.theta, what.x))[:, 0]
    if not np.any(flags):
        return np.zeros(len(frequencies), dtype=bool), ""
    size = float(np.max(np.abs(values), initial=0.0)) or 1.0
    near = np.abs(frequencies[:, None] - values[flags][None, :]) <= 1e-8 * size
    return np.asarray(np.any(near, axis=1)), ""
