"""Numeric frequencies that are whole multiples of a base on each axis, and grids to sample them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.angle import read_constant
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Array, common_base
from qrun_equiv.spectra.collecting import SAME

T = TypeVar("T", np.float64, np.int64)

_MULTIPLE = 1e-12  # of the largest frequency: how far a whole multiple of a base may be off
_ROUNDED = 8.0  # units in the last place within which a frequency is read as a simple number


@dataclass(frozen=True, slots=True)
class Multiples:
    """Frequencies ``index * base``, axis by axis.

    Attributes:
        base: ``[n_features]``, radians per unit of the feature.
        degrees: largest multiple on each axis.
        chosen: the multiples themselves ``[n, n_features]``, or None: all up to the degrees.
    """

    base: Array
    degrees: tuple[int, ...]
    chosen: NDArray[np.int64] | None

    @property
    def size(self) -> int:
        """Number of points of the smallest grid."""
        return math.prod(2 * k + 1 for k in self.degrees)

    def index(self) -> NDArray[np.int64]:
        """Multiples of the base, both signs, ``[n, n_features]``, ascending."""
        if self.chosen is not None:
            return self.chosen
        return _tensor([np.arange(-k, k + 1) for k in self.degrees])

    def grid(self, counts: Sequence[int], check: Callable[[int], None]) -> Array:
        """Tensor grid ``[points, n_features]`` over one period; ``check`` may refuse its size."""
        check(math.prod(counts))
        pairs = zip(counts, self.base, strict=True)
        return _tensor([np.arange(n) * (2 * math.pi / step / n) for n, step in pairs])

    def off_grid(self, count: int, seed: int) -> Array:
        """Random points ``[count, n_features]`` in three periods around 0."""
        rng = np.random.default_rng([seed, 0])
        return rng.uniform(-3 * math.pi, 3 * math.pi, (count, len(self.base))) / self.base


def _tensor(axes: Sequence[NDArray[T]]) -> NDArray[T]:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def labels(values: Array) -> NDArray[np.int64]:
    """Numbers from 0 up, ``[n]``: equal for entries within rounding of each other."""
    order = np.argsort(values)
    slack = SAME * float(np.max(np.abs(values), initial=0.0))
    found = np.empty(len(values), dtype=np.int64)
    found[order] = np.cumsum(np.diff(values[order], prepend=values[order[:1]]) > slack)
    return found


def distinct(frequencies: Array) -> Array:
    """Zero first, then one of each pair ``w, -w``; equal ones within rounding merged.

    Raises:
        SpectrumError: not a matrix ``[n, n_features]``.
    """
    if frequencies.ndim != 2 or not frequencies.shape[1]:
        msg = f"frequencies must have the shape [n, n_features], got {list(frequencies.shape)}"
        raise SpectrumError(msg)
    zero = np.zeros((1, frequencies.shape[1]))
    both = np.concatenate([zero, frequencies, -frequencies])
    axes = np.stack([labels(axis) for axis in both.T], axis=1)
    snapped = np.empty_like(both)
    for k, axis in enumerate(axes.T):
        first = np.unique(axis, return_index=True)[1]
        snapped[:, k] = np.where(axis == axis[0], 0.0, both[first, k][axis])
    kept = np.unique(axes, axis=0, return_index=True)[1]
    rows = [tuple(row) for row in snapped[kept].tolist()]
    origin = tuple(zero[0].tolist())
    return np.array([origin, *sorted(row for row in rows if row > origin)])


def multiples_of(frequencies: Array) -> Multiples | None:
    """Distinct frequencies (of one sign) as multiples; None where an axis has no common base."""
    bases, columns = [], []
    for axis in frequencies.T:
        step = _base(np.unique(np.abs(axis[axis != 0.0])))
        if step is None:
            return None
        bases.append(step)
        columns.append(np.rint(axis / step).astype(np.int64))
    index = np.stack(columns, axis=1)
    both = np.unique(np.concatenate([index, -index]), axis=0)
    return Multiples(np.array(bases), tuple(int(k) for k in both.max(axis=0)), both)


def _base(values: Array) -> float | None:
    """Largest number of which all are whole multiples within rounding; 1 where there are none."""
    if not len(values):
        return 1.0
    found = common_base([read_constant(float(v), width=_ROUNDED) for v in values])
    exact = float(found[0].evaluate(np.zeros(0), np.zeros(0))) if found else 0.0
    gap = min(b - a for a, b in itertools.pairwise([0.0, *values.tolist()]))
    largest = float(values[-1])
    for step in (exact, gap):
        # More than 2^31 multiples are no period, and would pass the test below by chance.
        if step * 2**31 < largest:
            continue
        refined = largest / round(largest / step)  # the smallest gap has lost digits
        if np.all(np.abs(values - np.rint(values / refined) * refined) <= _MULTIPLE * largest):
            return refined
    return None
