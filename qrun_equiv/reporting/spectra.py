"""Spectra: Fourier coefficients of every source along one feature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import tolerances
from qrun_equiv.certificate import SPECTRUM, Verdict
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import fit
from qrun_equiv.frontends.base import Array
from qrun_equiv.reporting.subject import Subject
from qrun_equiv.spectral import Section, sections


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Fourier coefficients of every source along one feature, at frequencies from 0 up.

    Attributes:
        feature: the feature that varies.
        frequencies: ``[n]`` ascending, radians per unit of the feature.
        coefficients: complex ``[n]`` by name of the source; those at ``-w`` are their conjugates.
        tolerance: largest absolute difference that passes.
        output: index of the output.
        where: what is held fixed, in words.
    """

    feature: int
    frequencies: Array
    coefficients: Mapping[str, NDArray[np.complex128]]
    tolerance: float
    output: int
    where: str


def spectrum(what: Subject, verdict: Verdict) -> Spectrum:
    """Coefficients over the accessible frequencies of the spectrum check.

    Raises:
        SpectrumError: the verdict made no spectrum check; the message says why.
    """
    made = [c for c in verdict.checks if c.name == SPECTRUM]
    if what.neutral is None or not any(c.error is not None for c in made):
        reasons = [c.note for c in made if c.note] or [verdict.reason or "the check was not made"]
        raise SpectrumError(reasons[0])
    found = sections(what.neutral, what.theta, what.domain, what.seed)
    section = next((s for s in found if what.feature in s.features), found[0])
    axis = what.feature if what.feature in section.features else section.features[0]
    stacks = {s.name: s.values(section.points, what.theta) for s in what.sources}
    local = section.points[:, list(section.features)]
    coefficients = {}
    for name, values in stacks.items():
        series, _ = fit(section.frequencies, local, values[:, [what.output]])
        frequencies, coefficients[name] = _collapse(
            section, series.frequencies, series.coefficients[:, 0], section.features.index(axis)
        )
    words = (
        [f"the other features fixed at {_values(section.base)}"] if what.sizes.features > 1 else []
    )
    words += [what.where.rpartition("and ")[2]] if what.sizes.parameters else []
    return Spectrum(
        feature=axis,
        frequencies=frequencies,
        coefficients=coefficients,
        tolerance=tolerances.EQUAL * section.condition * float(what.scale(stacks)[what.output]),
        output=what.output,
        where=" and ".join(words),
    )


def _values(base: Array) -> str:
    shown = ", ".join(f"{v:.3g}" for v in base[:4])
    return f"x = [{shown}{', …' if len(base) > 4 else ''}]"


def _collapse(
    section: Section, frequencies: Array, coefficients: NDArray[np.complex128], axis: int
) -> tuple[Array, NDArray[np.complex128]]:
    """A series in several features as one in a single feature, the others at the section's base."""
    others = [k for k in range(len(section.features)) if k != axis]
    rest = section.base[[section.features[k] for k in others]]
    moved = coefficients * np.exp(1j * frequencies[:, others] @ rest)
    along = np.round(frequencies[:, axis], 9) + 0.0
    distinct, index = np.unique(along, return_inverse=True)
    total = np.zeros(len(distinct), dtype=np.complex128)
    np.add.at(total, index, moved)
    return distinct[distinct >= 0], total[distinct >= 0]
