"""A series with frequencies that are equal as numbers merged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.fourier import FourierSeries

# Of the largest frequency: values closer are one frequency, rounded differently. No more, or scales
# 1e6 and 1e-7 would lose the slow one, which is everything at x = 1e7.
SAME = 2.0**-46


def collected(series: FourierSeries) -> FourierSeries:
    """Ascending; frequencies that are equal at these parameters merged; rows that are 0 dropped."""
    w, c = series.frequencies, series.coefficients
    labels = [_clusters(w[:, j]) for j in range(w.shape[1])]
    if any(label.max() + 1 < len(w) for label in labels):
        _, first, inverse = np.unique(
            np.stack(labels, axis=1), axis=0, return_index=True, return_inverse=True
        )
        if len(first) < len(w):
            w = np.stack([_snapped(w[:, j], label) for j, label in enumerate(labels)], axis=1)
            total = np.zeros((len(first), c.shape[1]), dtype=complex)
            np.add.at(total, inverse.reshape(-1), c)
            w, c = w[first], total
    reached = np.any(c != 0, axis=1)
    if not np.any(reached):
        reached[np.argmin(np.abs(w).sum(axis=1))] = True
    return FourierSeries(w[reached], c[reached]).sorted()


def _snapped(values: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each cluster the value nearest 0: so 0 stays 0, and ``w`` and ``-w`` stay opposite."""
    order = np.argsort(np.abs(values), kind="stable")
    return np.asarray(values[order[np.unique(label[order], return_index=True)[1]]][label])


def _clusters(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Which values are equal up to rounding: a number for each."""
    order = np.argsort(values)
    gaps = np.diff(values[order]) > SAME * float(np.abs(values).max(initial=0.0))
    labels = np.empty(len(values), dtype=np.int64)
    labels[order] = np.concatenate([[0], np.cumsum(gaps)])
    return labels
