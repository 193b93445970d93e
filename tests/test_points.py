"""Where a comparison looks."""

from __future__ import annotations

import numpy as np

from qrun_equiv import points
from qrun_equiv.frontends.base import Sizes

OPTIONS = {"domain": None, "parameters": None, "data": None, "trained": None, "seed": 3}


def test_points_are_seeded_off_any_grid_and_include_the_origin():
    sizes = Sizes.of(2, 3)
    batches = points.choose(sizes, **OPTIONS)
    again = points.choose(sizes, **OPTIONS)
    assert all(np.array_equal(a.x, b.x) for a, b in zip(batches, again, strict=True))
    assert len({b.theta.tobytes() for b in batches}) == points.THETAS
    x = np.concatenate([b.x for b in batches])
    assert np.any(np.all(x == 0, axis=1))
    inside = x[np.any(x != 0, axis=1)]
    assert len(np.unique(inside.round(9))) == inside.size  # no coordinate repeats, as on a grid
    assert np.abs(x).max() > 4 * np.pi  # a quarter reaches beyond two periods
    assert np.abs(x).max() <= 8 * np.pi


def test_a_domain_without_the_origin_leaves_it_out():
    batches = points.choose(Sizes.of(1, 0), **{**OPTIONS, "domain": ((1.0, 2.0),)})
    x = np.concatenate([b.x for b in batches])
    assert x.min() >= 1
    assert x.max() <= 2
    assert len(batches) == 1
    assert len(batches[0].x) == points.ROWS * points.THETAS


def test_data_rows_are_a_seeded_choice_in_order():
    rows = np.arange(1000.0)[:, None]
    chosen = points.pick_rows(rows, 1)
    assert len(chosen) == points.DATA_ROWS
    assert np.all(np.diff(chosen[:, 0]) > 0)
    assert not np.array_equal(chosen, points.pick_rows(rows, 2))
    assert np.array_equal(points.pick_rows(chosen, 9), chosen)  # what a recheck starts from


def test_domains():
    assert points.read_domain(None, 2) is None
    assert points.read_domain((0, 1), 2) == ((0.0, 1.0), (0.0, 1.0))
    assert points.read_domain([(0, 1), (2, 3)], 2) == ((0.0, 1.0), (2.0, 3.0))
