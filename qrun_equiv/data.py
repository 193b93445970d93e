"""Real data for pairs: sets that scikit-learn and scikit-image ship, features scaled to angles.

Nothing is downloaded. Origins: iris (R. A. Fisher, 1936), breast cancer (Wisconsin diagnostic;
Wolberg, Street, Mangasarian, CC BY 4.0), digits (optical recognition of handwritten digits;
Alpaydin, Kaynak, CC BY 4.0), all by the UCI repository as shipped in scikit-learn (BSD-3); camera
(photograph by Lav Varshney, CC0) as shipped in scikit-image (BSD-3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import DataError

Array = NDArray[np.float64]

NAMES = ("iris", "breast_cancer", "digits", "camera")
_CAMERA_STEP = 8


@dataclass(frozen=True, slots=True)
class Dataset:
    """Features as angles in radians ``[rows, n_features]``, and a target in [-1, 1] ``[rows]``."""

    name: str
    features: Array
    target: Array


def to_angles(rows: Array, *, low: float = -np.pi, high: float = np.pi) -> Array:
    """Min-max scaling of each column to ``[low, high]`` radians; a constant column becomes 0.

    The range is that of the given rows: for a training/test split, scale with the training rows.
    """
    smallest, largest = rows.min(axis=0), rows.max(axis=0)
    span = np.where(largest > smallest, largest - smallest, 1.0)
    scaled = low + (high - low) * (rows - smallest) / span
    return np.where(largest > smallest, scaled, 0.0)


def load(name: str, *, columns: Sequence[int] | None = None) -> Dataset:
    """A bundled data set.

    Args:
        name: one of :data:`NAMES`. ``camera``: pixel coordinates (row, column) of every eighth
            pixel as features, intensity as target. The others: measured columns as features, the
            class number as target.
        columns: which columns to keep, in this order; all where left out.

    Raises:
        DataError: an unknown name or column.
    """
    if name not in NAMES:
        msg = f"unknown data set {name!r}; one of {', '.join(NAMES)}"
        raise DataError(msg)
    rows, target = _camera() if name == "camera" else _tabular(name)
    chosen = list(range(rows.shape[1])) if columns is None else list(columns)
    if not chosen or min(chosen) < 0 or max(chosen) >= rows.shape[1]:
        msg = f"{name} has columns 0 to {rows.shape[1] - 1}, got {chosen}"
        raise DataError(msg)
    features = to_angles(rows[:, chosen].astype(np.float64))
    return Dataset(name, features, to_angles(target[:, None].astype(float), low=-1, high=1)[:, 0])


def angles(name: str, *, columns: Sequence[int] | None = None) -> Array:
    """Features alone, ``[rows, n_columns]`` in radians; see :func:`load`."""
    return load(name, columns=columns).features


def _tabular(name: str) -> tuple[Array, Array]:
    from sklearn import datasets

    loaders = {
        "iris": datasets.load_iris,
        "breast_cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
    }
    rows, target = loaders[name](return_X_y=True)
    return np.asarray(rows), np.asarray(target)


def _camera() -> tuple[Array, Array]:
    from skimage.data import camera

    image = np.asarray(camera())[::_CAMERA_STEP, ::_CAMERA_STEP]  # type: ignore[no-untyped-call]
    grid = np.indices(image.shape).reshape(2, -1).T
    return grid.astype(np.float64), image.reshape(-1).astype(np.float64)
