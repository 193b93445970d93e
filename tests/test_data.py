"""Bundled data as angles."""

from __future__ import annotations

import numpy as np
import pytest

from qrun_equiv import data
from qrun_equiv.errors import DataError

SHAPES = {"iris": (150, 4), "breast_cancer": (569, 30), "digits": (1797, 64), "camera": (4096, 2)}


@pytest.mark.parametrize("name", data.NAMES)
def test_features_are_angles_and_targets_are_scaled(name):
    loaded = data.load(name)
    assert loaded.features.shape == SHAPES[name]
    assert loaded.features.dtype == np.float64
    assert loaded.target.shape == (SHAPES[name][0],)
    assert loaded.features.min() == pytest.approx(-np.pi)
    assert loaded.features.max() == pytest.approx(np.pi)
    assert (loaded.target.min(), loaded.target.max()) == (-1.0, 1.0)


def test_each_column_is_scaled_by_its_own_range():
    rows = np.array([[0.0, 5.0, 7.0], [1.0, 10.0, 7.0]])
    scaled = data.to_angles(rows, low=-1, high=1)
    assert scaled.tolist() == [[-1.0, -1.0, 0.0], [1.0, 1.0, 0.0]]


def test_columns_are_chosen_in_order():
    both = data.angles("iris")
    assert np.array_equal(data.angles("iris", columns=(2, 0)), both[:, [2, 0]])


@pytest.mark.parametrize(("name", "columns"), [("mnist", None), ("iris", [4]), ("iris", [])])
def test_what_is_not_there_is_named(name, columns):
    with pytest.raises(DataError, match=r"one of|columns 0 to 3"):
        data.load(name, columns=columns)
