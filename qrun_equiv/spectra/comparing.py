"""Two Fourier spectra side by side: which frequencies agree, differ, are missing or are extra.

Frequencies are matched within rounding (2^-46 of the largest one), and each difference is held to a
bound of its own: the errors of both spectra, and the rounding of their coefficients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array, FourierSeries
from qrun_equiv.spectra.sample_grid import labels

Kind = Literal["same", "differs", "missing", "extra"]
Complex = NDArray[np.complex128]

_ROUNDING = 64 * float(np.finfo(float).eps)  # of the root mean square, times the root of the number
_ROWS = 40  # of a printed table
#: Most coefficients that are compared: each becomes a row of half a kilobyte.
MAX_ROWS = 1_000_000
_UNLIKE: tuple[Kind, ...] = ("missing", "extra", "differs")


class HasSeries(Protocol):
    """A spectrum with an error estimate, of its values: ``SpectrumResult``, ``SampledSpectrum``."""

    @property
    def series(self) -> FourierSeries:
        """The series."""
        ...

    @property
    def error(self) -> float:
        """Largest error of a value, absolute."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One coefficient of both spectra.

    Attributes:
        frequency: ``[n_features]``, radians per unit of the feature.
        output: which output.
        left: coefficient on the left; 0 where the frequency is not there.
        right: coefficient on the right.
        difference: ``|left - right|``.
        bound: what the difference is held to.
        kind: ``"same"`` within the bound; ``"missing"``: on the left alone; ``"extra"``: on the
            right alone; ``"differs"``: on both sides.
    """

    frequency: tuple[float, ...]
    output: int
    left: complex
    right: complex
    difference: float
    bound: float
    kind: Kind

    def to_json(self) -> dict[str, Any]:
        """JSON form; complex numbers as ``[real, imaginary]``."""
        pair = {"left": self.left, "right": self.right}
        return asdict(self) | {k: [v.real, v.imag] for k, v in pair.items()}


@dataclass(frozen=True, slots=True)
class SpectrumComparison:
    """All rows, ordered by frequency, then output.

    Attributes:
        rows: one for each frequency of either side and each output.
        names: of the left and the right side.
        energy: share of the left side's mean square that the difference has (can exceed 1).
    """

    rows: tuple[Row, ...]
    names: tuple[str, str]
    energy: float

    @property
    def same(self) -> bool:
        """Whether every difference is within its bound."""
        return all(row.kind == "same" for row in self.rows)

    @property
    def worst(self) -> Row:
        """The row with the largest difference over its bound."""
        return max(self.rows, key=lambda row: row.difference / row.bound if row.bound else 0.0)

    def counts(self) -> dict[Kind, int]:
        """Number of rows of each kind."""
        found = Counter(row.kind for row in self.rows)
        return {kind: found[kind] for kind in ("same", *_UNLIKE)}

    @property
    def verdict(self) -> str:
        """One line for a person."""
        left, right = self.names
        row = self.worst
        if self.same:
            return (
                f"same: {len(self.rows)} coefficients of {left} and {right}, largest difference "
                f"{max(r.difference for r in self.rows):.1e} (bound there {row.bound:.1e})"
            )
        counts = self.counts()
        words = ", ".join(f"{counts[kind]} {kind.rstrip('s')}" for kind in _UNLIKE if counts[kind])
        largest = max(self.rows, key=lambda r: r.difference)
        return (
            f"different: {words} of {len(self.rows)} coefficients of {left} and {right}; largest "
            f"difference {largest.difference:.3g} (bound {largest.bound:.1e}) at frequency "
            f"{_frequency(largest.frequency)}, output {largest.output}"
        )

    def __str__(self) -> str:
        """The verdict and a table; of each pair ``w, -w`` one, unlike rows first where many."""
        shown = [row for row in self.rows if row.frequency >= (0.0,) * len(row.frequency)]
        left_out = len(shown) - _ROWS
        if left_out > 0:
            shown = sorted(shown, key=lambda row: (row.kind == "same", -row.difference))[:_ROWS]
        heads = ["frequency", "output", *self.names, "difference", "bound", ""]
        cells = [heads, *(_cells(row) for row in shown)]
        widths = [max(len(line[k]) for line in cells) for k in range(len(heads))]
        lines = [
            "  ".join(c.rjust(w) if c else c for c, w in zip(line, widths, strict=True)).rstrip()
            for line in cells
        ]
        if left_out > 0:
            lines.append(f"... and {left_out} rows with smaller differences")
        return "\n".join([self.verdict, *lines])

    def to_json(self) -> dict[str, Any]:
        """JSON form, rows included."""
        return {
            "names": list(self.names),
            "same": self.same,
            "verdict": self.verdict,
            "counts": self.counts(),
            "energy": self.energy,
            "rows": [row.to_json() for row in self.rows],
        }


def compare_spectra(
    left: FourierSeries | HasSeries,
    right: FourierSeries | HasSeries,
    *,
    names: tuple[str, str] = ("left", "right"),
    tolerance: float = 0.0,
) -> SpectrumComparison:
    """Compare two spectra coefficient by coefficient.

    A coefficient is a mean of values, so an error of the values bounds its error: exactly for a
    grid, times the condition of the fit for least squares (a spectrum's ``condition``).

    Args:
        left: the spectrum that is expected; a bare series counts as exact but for rounding.
        right: the one that is compared with it.
        names: of the two, for people.
        tolerance: absolute, added to every bound; finite, not negative.

    Raises:
        SpectrumError: other numbers of features or outputs, numbers that are not finite, or more
            than :data:`MAX_ROWS` coefficients.
    """
    one, two = _series(left, names[0]), _series(right, names[1])
    if not (isinstance(tolerance, float | int) and 0 <= tolerance < np.inf):
        msg = f"tolerance must be a number from 0 up, finite, got {tolerance!r}"
        raise SpectrumError(msg)
    for what, axis in (("features", one.frequencies.shape), ("outputs", one.coefficients.shape)):
        other = (two.frequencies if what == "features" else two.coefficients).shape
        if axis[1] != other[1]:
            msg = f"{names[0]} has {axis[1]} {what}, and {names[1]} {other[1]}: nothing to compare"
            raise SpectrumError(msg)
    largest = max(one.coefficients.size, two.coefficients.size)
    if largest > MAX_ROWS:
        msg = (
            f"{largest:,} coefficients are more than the {MAX_ROWS:,} of a comparison, which would "
            f"take about {5e-7 * largest:.2g} GB: compare single features or outputs"
        )
        raise SpectrumError(msg)
    frequencies, a, b = _matched(one, two)
    size = np.sqrt(np.maximum(np.sum(np.abs(a) ** 2, axis=0), np.sum(np.abs(b) ** 2, axis=0)))
    bounds = size * (_ROUNDING * max(1, len(a)) ** 0.5) + _error(left) + _error(right) + tolerance
    rows = tuple(
        _row(tuple(w), output, complex(a[k, output]), complex(b[k, output]), float(bounds[output]))
        for k, w in enumerate(frequencies.tolist())
        for output in range(a.shape[1])
    )
    whole = float(np.sum(np.abs(a) ** 2))
    rest = float(np.sum(np.abs(a - b) ** 2))
    return SpectrumComparison(rows, names, rest / whole if whole else float(rest > 0))


def _series(spectrum: FourierSeries | HasSeries, name: str) -> FourierSeries:
    series = spectrum if isinstance(spectrum, FourierSeries) else getattr(spectrum, "series", None)
    if not isinstance(series, FourierSeries) or not series.coefficients.shape[1]:
        msg = f"{name} is no spectrum with an output: give a FourierSeries, or a result with one"
        raise SpectrumError(msg)
    finite = np.all(np.isfinite(series.frequencies)) and np.all(np.isfinite(series.coefficients))
    if not finite or not 0 <= _error(spectrum) < np.inf:
        msg = f"{name} contains a number that is not finite, or a negative error"
        raise SpectrumError(msg)
    if not len(series.frequencies):
        msg = f"{name} has no frequency: a spectrum holds at least the mean, at frequency 0"
        raise SpectrumError(msg)
    return series


def _error(spectrum: FourierSeries | HasSeries) -> float:
    if isinstance(spectrum, FourierSeries):
        return 0.0
    return float(spectrum.error) * float(getattr(spectrum, "condition", 1.0))


def _matched(one: FourierSeries, two: FourierSeries) -> tuple[Array, Complex, Complex]:
    """All frequencies of both, ascending, and both sides' coefficients there (0 where absent)."""
    both = np.concatenate([one.frequencies, two.frequencies])
    axes = [labels(axis) for axis in both.T]
    places = np.stack([np.zeros(len(both), np.int64), *axes], axis=1)  # a constant has no axis
    _, first, inverse = np.unique(places, axis=0, return_index=True, return_inverse=True)
    inverse = inverse.reshape(-1)
    sides = []
    for series, index in zip((one, two), np.split(inverse, [len(one.frequencies)]), strict=True):
        total = np.zeros((len(first), series.coefficients.shape[1]), dtype=np.complex128)
        np.add.at(total, index, series.coefficients)
        sides.append(total)
    return both[first], sides[0], sides[1]


def _row(w: tuple[float, ...], output: int, left: complex, right: complex, bound: float) -> Row:
    difference = abs(left - right)
    kind: Kind = "differs"
    if difference <= bound:
        kind = "same"
    elif abs(right) <= bound:
        kind = "missing"
    elif abs(left) <= bound:
        kind = "extra"
    return Row(w, output, left, right, difference, bound, kind)


def _cells(row: Row) -> list[str]:
    values = [
        f"{round(v.real, 6) + 0.0:+.6f}{round(v.imag, 6) + 0.0:+.6f}i"
        for v in (row.left, row.right)
    ]
    kind = "" if row.kind == "same" else row.kind
    numbers = [f"{row.difference:.1e}", f"{row.bound:.1e}"]
    return [_frequency(row.frequency), str(row.output), *values, *numbers, kind]


def _frequency(w: Sequence[float]) -> str:
    text = ", ".join(f"{v:.6g}" for v in w)
    return f"({text})" if len(w) > 1 else text
