"""The spectrum check: Fourier coefficients over the circuit's own accessible frequencies.

The frequencies come from the generators of the neutral form; the samples from every source itself.
A grid is used only where all frequencies are multiples of one base, with more points than twice the
largest multiple, so nothing aliases; unrelated scales are fitted at random points. Points off the
grid are added, so that content outside the accessible set shows as a residual.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.certificate import OUTSIDE, SPECTRUM, Check
from qrun_equiv.checks import Finding, Place, compare
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Frequency, accessible, common_base, design, fit, half, numeric
from qrun_equiv.frontends.base import Array, Source
from qrun_equiv.points import DEFAULT_RANGE, Domain
from qrun_equiv.scaling import Scale

#: Most sample points of one section, most frequencies, and most features that get a section.
MAX_POINTS, MAX_FREQUENCIES, MAX_SECTIONS = 420, 200, 4
_OFF_GRID = 6
_MERGE = 1e-9


@dataclass(frozen=True, slots=True)
class Section:
    """Where one spectrum is taken: these features vary, the others are fixed.

    Attributes:
        features: indices of the features that vary.
        base: a full point ``[n_features]``; the fixed features' values.
        theta: the parameters.
        frequencies: ``[n, len(features)]``: 0, then one of each pair ``w, -w``.
        points: ``[points, n_features]``.
        inverse: pseudo-inverse of the design matrix at the points.
    """

    features: tuple[int, ...]
    base: Array
    theta: Array
    frequencies: Array
    points: Array
    inverse: Array

    @property
    def condition(self) -> float:
        """Factor from errors in the outputs to errors in the coefficients, at most."""
        return max(1.0, float(np.max(np.sum(np.abs(self.inverse), axis=1))))

    def describe(self) -> str:
        """What varies, for a person."""
        names = ", ".join(f"x{i}" for i in self.features)
        fixed = "" if len(self.features) == len(self.base) else ", other features fixed"
        count = 2 * len(self.frequencies) - 1
        return f"{count} frequencies in {names}{fixed}, {len(self.points)} points"


def sections(circuit: Circuit, theta: Array, domain: Domain, seed: int) -> list[Section]:
    """Sections for the check: all features jointly where that is small, else one by one.

    Raises:
        SpectrumError: no section is possible; the message says why.
    """
    rng = np.random.default_rng([seed, 2])
    box = np.array(domain or [DEFAULT_RANGE] * circuit.n_features).reshape(-1, 2)
    base = rng.uniform(box[:, 0], box[:, 1])
    read = sorted({i for g in circuit.encoding_gates() if g.angle for i in g.angle.features()})
    if not read:
        msg = "no gate reads a feature: there is no spectrum"
        raise SpectrumError(msg)
    if len(read) > 1:
        try:
            return [_section(circuit, tuple(read), base, theta, domain, rng)]
        except SpectrumError:
            pass  # too large, or products of features: sections along one feature each
    found, reasons = [], []
    for feature in read[:MAX_SECTIONS]:
        try:
            found.append(_section(circuit, (feature,), base, theta, domain, rng))
        except SpectrumError as error:
            reasons.append(str(error))
    if not found:
        raise SpectrumError("; ".join(dict.fromkeys(reasons)))
    return found


def _section(
    circuit: Circuit,
    features: tuple[int, ...],
    base: Array,
    theta: Array,
    domain: Domain,
    rng: np.random.Generator,
) -> Section:
    exact = half(accessible(circuit, features, limit=4 * MAX_FREQUENCIES))
    values = numeric(exact, base, theta)
    kept = _distinct(values)
    if len(kept) > MAX_FREQUENCIES:
        msg = f"{2 * len(kept) - 1} frequencies in {len(features)} feature(s) are too many to fit"
        raise SpectrumError(msg)
    local = None if domain else _grid([exact[i] for i in kept], base, theta, rng)
    frequencies = values[kept]
    if local is None:
        local = _scattered(frequencies, [domain[i] for i in features] if domain else None, rng)
    if len(local) > MAX_POINTS:
        msg = f"a grid of {len(local)} points is more than the {MAX_POINTS} of a spectrum check"
        raise SpectrumError(msg)
    matrix = design(frequencies, local)
    inverse = np.asarray(np.linalg.pinv(matrix), dtype=np.float64)
    if np.linalg.norm(inverse, 2) * np.linalg.norm(matrix, 2) > tolerances.CONDITION:
        msg = "some frequencies are too close to each other to be told apart in this domain"
        raise SpectrumError(msg)
    points = np.tile(base, (len(local), 1))
    points[:, list(features)] = local
    return Section(features, base, theta, frequencies, points, inverse)


def _distinct(values: Array) -> list[int]:
    """Indices of numerically distinct frequencies up to sign, the zero first."""
    kept: list[int] = [0]
    size = np.maximum(np.abs(values).max(axis=0), np.finfo(float).tiny)  # of each axis
    relative = values / size
    for index in range(1, len(values)):
        w, others = relative[index], relative[kept]
        gap = min(np.abs(others - w).max(axis=1).min(), np.abs(others + w).max(axis=1).min())
        if gap > _MERGE:
            kept.append(index)
    return kept


def _grid(
    frequencies: Sequence[Frequency], base: Array, theta: Array, rng: np.random.Generator
) -> Array | None:
    """Shifted Nyquist tensor grid plus points off it; None without a common base on each axis."""
    axes = []
    for axis in range(len(frequencies[0])):
        unit = common_base([w[axis] for w in frequencies])
        if unit is None:
            return None
        angle, top = unit
        step = abs(float(angle.evaluate(base, theta)))
        if not 1e-3 < step < 1e3:
            return None
        count = 2 * top + 2
        period = 2 * np.pi / step
        axes.append((rng.uniform() + np.arange(count)) * period / count)
    size = math.prod(len(a) for a in axes)
    if size > MAX_POINTS:
        msg = f"a grid of {size} points is more than the {MAX_POINTS} of a spectrum check"
        raise SpectrumError(msg)
    grid = np.array(list(itertools.product(*axes)))
    spread = np.array([a[-1] - a[0] + (a[1] - a[0]) for a in axes])
    return np.concatenate([grid, rng.uniform(size=(_OFF_GRID, len(axes))) * spread])


def _scattered(
    frequencies: Array, box: Sequence[tuple[float, float]] | None, rng: np.random.Generator
) -> Array:
    """Twice as many random points as unknowns, over several periods of the smallest gap."""
    count = 2 * (2 * len(frequencies) - 1) + _OFF_GRID
    if box is not None:
        low, high = np.array(box).T
        return np.asarray(rng.uniform(low, high, (count, len(low))))
    both = np.concatenate([frequencies, -frequencies[1:]])
    widths = []
    for axis in range(frequencies.shape[1]):
        values = np.unique(np.round(both[:, axis], 9))
        gap = float(np.min(np.diff(values))) if len(values) > 1 else 1.0
        widths.append(min(2e3, 8 * np.pi / gap))
    return np.asarray(rng.uniform(-0.5, 0.5, (count, len(widths))) * np.array(widths))


def check_spectrum(
    sources: Sequence[Source], found: Sequence[Section], scale: Scale
) -> list[Finding]:
    """Coefficients of all sources over the sections' frequencies, against each other.

    A coefficient's error is held to ``EQUAL`` times the section's condition; content outside the
    accessible frequencies is a failure of its own.
    """
    findings: list[Finding] = []
    for section in found:
        samples = {s.name: s.values(section.points, section.theta) for s in sources}
        local = section.points[:, list(section.features)]
        series, residuals = {}, {}
        for name, values in samples.items():
            fitted, residual = fit(section.frequencies, local, values, inverse=section.inverse)
            series[name] = np.concatenate([fitted.coefficients.real, fitted.coefficients.imag])
            residuals[name] = residual
        size = scale.at(section.points, section.theta).max(axis=0)
        findings += _coefficients(section, series, samples, size)
        findings += _support(section, residuals, samples, size)
    return _worst_of_each(findings)


def _coefficients(
    section: Section, series: Mapping[str, Array], samples: Mapping[str, Array], scale: Array
) -> list[Finding]:
    count = 2 * len(section.frequencies) - 1
    both = np.concatenate([section.frequencies, -section.frequencies[1:]])

    def locate(row: int, column: int) -> Place:
        part, index = divmod(row, count)
        w = ", ".join(f"{v:.6g}" for v in both[index])
        names = ", ".join(f"x{i}" for i in section.features)
        component = f"{'Im' if part else 'Re'} c at frequency ({w}) in {names}"
        point = _furthest(section, samples, column)
        return Place(point, section.theta, column, component, index)

    bound = tolerances.EQUAL * section.condition
    count_points = len(section.points)
    return compare(
        SPECTRUM, series, scale, bound, section.describe(), locate, evaluations=count_points
    )


def _furthest(section: Section, samples: Mapping[str, Array], column: int) -> Array:
    """The sample point where the sources' outputs are furthest apart."""
    stack = np.stack([v[:, column] for v in samples.values()])
    spread = np.max(stack, axis=0) - np.min(stack, axis=0)
    return np.asarray(section.points[int(np.argmax(spread))])


def _support(
    section: Section, residuals: Mapping[str, Array], samples: Mapping[str, Array], scale: Array
) -> list[Finding]:
    """Each source against its own series: what is left lies outside the accessible set."""
    findings = []
    for name, residual in residuals.items():
        relative = np.abs(residual) / scale
        row, column = (int(i) for i in np.unravel_index(np.argmax(relative), relative.shape))
        error, bound = float(relative[row, column]), tolerances.EQUAL * section.condition
        passed = error <= bound
        check = Check(
            SPECTRUM,
            (name, OUTSIDE),
            section.describe(),
            error,
            bound,
            len(section.points),
            "passed" if passed else "failed",
            "" if passed else "content outside the circuit's frequencies",
        )
        value = float(samples[name][row, column])
        place = Place(section.points[row], section.theta, column, "residual of the fitted series")
        pair = (value, value - float(residual[row, column]))
        findings.append(Finding(check, place, pair, float(scale[column])))
    return findings


def _worst_of_each(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each pair of sources: the section with the largest error over bound."""
    worst: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = finding.check.between
        old = worst.get(key)
        if old is None or _excess(finding) > _excess(old):
            worst[key] = finding
    return list(worst.values())


def _excess(finding: Finding) -> float:
    check = finding.check
    return (check.error or 0.0) / check.bound if check.bound else 0.0
