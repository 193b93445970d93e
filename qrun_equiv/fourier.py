"""Fourier spectra: exact accessible frequencies, and series with one sign convention.

The convention, everywhere: ``f(x) = sum_w c_w exp(+i w . x)`` with ``w`` in radians per unit of the
feature. So ``sin(x)`` has ``c_1 = -i/2`` and ``c_{-1} = +i/2``.

Frequencies are exact: each is a tuple (one entry a feature) of :class:`~qrun_equiv.angle.Angle`
polynomials in the parameters and the features held fixed, so scales 0.1, 0.2, 0.3 give 13
frequencies, and trained scales merge where the mathematics says so.
Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021), eq. (9) to (13).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.angle import Angle, Symbol
from qrun_equiv.circuit import GATES, Circuit
from qrun_equiv.errors import SpectrumError

Array = NDArray[np.float64]
Frequency = tuple[Angle, ...]

_SINGULAR = 1e12  # condition number

#: Beyond this many frequencies a set is refused before it fills memory.
MAX_FREQUENCIES = 20_000


def slopes(circuit: Circuit, features: Sequence[int]) -> list[tuple[Frequency, tuple[float, ...]]]:
    """For each encoding gate: how its angle depends on the chosen features, and its gaps.

    Raises:
        SpectrumError: an angle is not affine in the chosen features together (a product of two of
            them, a square, an arccos), so the output is no Fourier series in them.
    """
    chosen = {Symbol("x", i) for i in features}
    result = []
    for gate in circuit.encoding_gates():
        angle = gate.angle
        if angle is None:
            continue
        if any(arc.index in features for arc in angle.arcs()):
            msg = f"{gate.name} has the angle {angle}: with arccos there is no Fourier series in x"
            raise SpectrumError(msg)
        slope = tuple(angle.derivative(Symbol("x", i)) for i in features)
        if any(s.symbols() & chosen for s in slope):
            names = ", ".join(f"x{i}" for i in features)
            msg = f"{gate.name} has the angle {angle}: no Fourier series in {names} together"
            raise SpectrumError(msg)
        if any(s.terms for s in slope):
            result.append((slope, tuple(float(g) for g in GATES[gate.name].gaps)))
    return result


def accessible(
    circuit: Circuit, features: Sequence[int] | None = None, *, limit: int = MAX_FREQUENCIES
) -> tuple[Frequency, ...]:
    """Accessible frequencies: signed sums of the encoding gates' gaps, exact, without repeats.

    Theorem: proofs/coq/FourierForm.v, fourier_form_features.

    Args:
        circuit: neutral form.
        features: the features that vary, the others held fixed; all of them where left out.
        limit: refuse beyond this many.

    Returns:
        Tuples of angles, one entry for each chosen feature; closed under negation, 0 included.

    Raises:
        SpectrumError: not a Fourier series in these features, or more than ``limit`` frequencies.
    """
    chosen = list(range(circuit.n_features)) if features is None else list(features)
    found: set[Frequency] = {tuple(Angle() for _ in chosen)}
    encodings = slopes(circuit, chosen)
    for slope, gaps in encodings:
        steps = [tuple(s * (sign * gap) for s in slope) for gap in gaps for sign in (1, -1)]
        grown = set(found)
        for step in steps:
            grown |= {tuple(a + b for a, b in zip(w, step, strict=True)) for w in found}
        found = grown
        if len(found) > limit:
            msg = (
                f"the circuit has more than {limit:,} accessible frequencies in {len(chosen)} "
                f"feature(s), up to {most(encodings)}: choose fewer features, or raise limit= "
                "(a SpectrumEngine needs no list)"
            )
            raise SpectrumError(msg)
    return tuple(sorted(found, key=lambda w: tuple(a.terms for a in w)))


def most(encodings: Sequence[tuple[Frequency, tuple[float, ...]]]) -> str:
    """How many frequencies the gates of :func:`slopes` have at most, in words.

    ``n`` gates of one slope share theirs: ``-n .. n`` times the smallest gap.
    """
    alike = Counter(
        (max(s, tuple(-a for a in s), key=lambda v: tuple(a.terms for a in v)), gaps)
        for s, gaps in encodings
    )
    count = math.prod(1 + 2 * n * round(max(g) / min(g)) for (_, g), n in alike.items())
    return f"{count:,}" if count < 10**15 else f"10^{math.log10(count):.0f}"


def common_unit(values: Iterable[Fraction]) -> Fraction:
    """The largest rational that all values are whole multiples of; 0 where all are 0."""
    result = Fraction(0)
    for value in values:
        denominator = result.denominator * value.denominator
        result = Fraction(
            math.gcd(result.numerator * value.denominator, value.numerator * result.denominator),
            denominator,
        )
    return result


def multiple(angle: Angle, base: Angle) -> Fraction | None:
    """``q`` where ``angle`` is ``q * base``; ``base`` is not 0."""
    q = angle.terms[0][1] / base.terms[0][1] if angle.terms else Fraction(0)
    return q if base * q == angle else None


def common_base(angles: Sequence[Angle]) -> tuple[Angle, int] | None:
    """The largest angle of which all are whole multiples, and the largest multiple.

    ``None`` where there is none, or all are 0.
    """
    nonzero = [a for a in angles if a.terms]
    if not nonzero:
        return None
    first = nonzero[0] if nonzero[0].terms[0][1] > 0 else -nonzero[0]
    multiples = [multiple(a, first) for a in nonzero]
    sizes = [abs(m) for m in multiples if m is not None]
    if len(sizes) < len(multiples):
        return None
    unit = common_unit(sizes)
    return first * unit, int(max(sizes) / unit)


def numeric(frequencies: Sequence[Frequency], x: Array, theta: Array) -> Array:
    """Values ``[n_frequencies, n_features]`` at given parameters and fixed features."""
    rows = [[float(a.evaluate(x, theta)) for a in w] for w in frequencies]
    return np.array(rows, dtype=np.float64).reshape(len(frequencies), -1)


def half(frequencies: Sequence[Frequency]) -> list[Frequency]:
    """Zero first, then one of each pair ``w, -w`` (a real function needs no more)."""
    kept: list[Frequency] = []
    seen: set[Frequency] = set()
    for w in frequencies:
        negative = tuple(-a for a in w)
        if w == negative:
            continue
        if negative not in seen:
            seen.add(w)
            kept.append(max(w, negative, key=lambda v: tuple(a.terms for a in v)))
    zero = tuple(Angle() for _ in frequencies[0]) if frequencies else ()
    return [zero, *kept]


@dataclass(frozen=True, slots=True)
class FourierSeries:
    """A finite Fourier series ``f_k(x) = sum_w c_wk exp(i w . x)``.

    Attributes:
        frequencies: float64 ``[n_frequencies, n_features]``.
        coefficients: complex128 ``[n_frequencies, n_outputs]``.
    """

    frequencies: Array
    coefficients: NDArray[np.complex128]

    def __post_init__(self) -> None:
        if self.frequencies.ndim != 2 or self.coefficients.ndim != 2:
            msg = "a FourierSeries needs frequencies [n, features] and coefficients [n, outputs]"
            raise SpectrumError(msg)
        if len(self.frequencies) != len(self.coefficients):
            msg = (
                f"{len(self.frequencies)} frequencies but {len(self.coefficients)} coefficients: "
                "they must be as many"
            )
            raise SpectrumError(msg)

    def __call__(self, x: Array) -> Array:
        """Values ``[batch, n_outputs]`` at ``x [batch, n_features]``, real part."""
        return (np.exp(1j * x @ self.frequencies.T) @ self.coefficients).real

    def sorted(self) -> FourierSeries:
        """The same series with ascending frequencies."""
        if not self.frequencies.shape[1]:
            return self
        order = np.lexsort(self.frequencies.T[::-1])
        return FourierSeries(self.frequencies[order], self.coefficients[order])


def design(frequencies: Array, x: Array) -> Array:
    """Real design matrix ``[points, 2n-1]``: 1, then cos and sin of ``w . x`` for ``w != 0``."""
    phase = x @ frequencies[1:].T
    return np.concatenate([np.ones((len(x), 1)), np.cos(phase), np.sin(phase)], axis=1)


def fit(
    frequencies: Array, x: Array, values: Array, *, inverse: Array | None = None
) -> tuple[FourierSeries, Array]:
    """Least-squares Fourier series of real samples.

    Args:
        frequencies: ``[n, n_features]``: 0 first, then one of each pair ``w, -w``.
        x: sample points ``[points, n_features]``, at least ``2n-1``.
        values: ``[points, n_outputs]``.
        inverse: pseudo-inverse of ``design(frequencies, x)``, where it is at hand.

    Returns:
        The full series (both signs), and the residual ``[points, n_outputs]``.

    Raises:
        SpectrumError: fewer points than unknowns (the answer would be aliased).
    """
    matrix = design(frequencies, x)
    if matrix.shape[0] < matrix.shape[1]:
        msg = (
            f"{len(x)} points can't give {len(frequencies)} frequencies without aliasing: at least "
            f"{matrix.shape[1]} are needed"
        )
        raise SpectrumError(msg)
    if inverse is None and np.linalg.cond(matrix) > _SINGULAR:
        msg = "these points can't tell two of the frequencies apart: choose other points"
        raise SpectrumError(msg)
    solver = np.linalg.pinv(matrix) if inverse is None else inverse
    solution = solver @ values
    solution = solution + solver @ (values - matrix @ solution)  # one step of refinement
    n = len(frequencies) - 1
    positive = (solution[1 : n + 1] - 1j * solution[n + 1 :]) / 2
    coefficients = np.concatenate([solution[:1].astype(complex), positive, positive.conj()])
    both = np.concatenate([frequencies, -frequencies[1:]])
    return FourierSeries(both, coefficients), values - matrix @ solution
