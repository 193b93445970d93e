"""The spectrum check's grid: fine enough by construction, random where there is no period."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from qrun_equiv import tolerances
from qrun_equiv.angle import PI, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import fit
from qrun_equiv.scaling import Scale
from qrun_equiv.simulate import expectations
from qrun_equiv.spectral import MAX_POINTS, check_spectrum, sections

Z = Observable.of([(1.0, {0: "Z"})])


def serial(*angles, n_features=1, name="RX"):
    """RY(0.3) between encoding gates, so that every signed sum occurs."""
    gates = []
    for angle in angles:
        wires = (0,) if len(name) == 2 else (1, 0)
        gates += [Gate("RY", (0,), PI / 3), Gate("H", (1,)), Gate(name, wires, angle)]
    return Circuit(2, (*gates, Gate("RY", (0,), PI / 5)), (Z,), n_features, 3)


def distances(points):
    """Sorted gaps between neighbouring sample points of one period."""
    return np.diff(np.sort(points))


@pytest.mark.parametrize(
    ("angles", "count"),
    [
        ([feature(0)] * 3, 4),
        ([feature(0), feature(0) * 3, feature(0) * 9], 14),
        ([feature(0) * 0.1, feature(0) * 0.2, feature(0) * 0.3], 7),
        ([feature(0) * PI], 2),
        ([feature(0) * parameter(0)] * 2, 3),
        ([feature(0) * 2, feature(0) * 4], 4),  # the base is 2: half the points of base 1
    ],
    ids=["equal", "1-3-9", "0.1-0.2-0.3", "pi", "trained", "even"],
)
def test_a_common_base_gives_a_grid_that_can_not_alias(angles, count):
    circuit = serial(*angles)
    theta = np.array([0.37, 1.0, 1.0])
    (section,) = sections(circuit, theta, None, seed=0)
    assert len(section.frequencies) == count
    top = np.abs(section.frequencies).max()
    period = 2 * np.pi / np.abs(section.frequencies[1:]).min()
    grid = section.points[:-6, 0]  # the last six are off the grid
    assert len(grid) >= 2 * round(top * period / (2 * np.pi)) + 1
    assert np.allclose(distances(grid), period / len(grid))
    assert section.condition < 5
    # The fitted series is the circuit at points that were not sampled.
    x = np.random.default_rng(1).uniform(-50, 50, (40, 1))
    values = expectations(circuit, torch.tensor(section.points), torch.tensor(theta)).numpy()
    series, residual = fit(section.frequencies, section.points, values, inverse=section.inverse)
    truth = expectations(circuit, torch.tensor(x), torch.tensor(theta)).numpy()
    assert np.abs(series(x) - truth).max() < 1e-12
    assert np.abs(residual).max() < 1e-12


def test_unrelated_scales_are_fitted_at_random_points():
    circuit = serial(feature(0), feature(0) * math.sqrt(2), feature(0) * math.e)
    (section,) = sections(circuit, np.ones(3), None, seed=0)
    assert len(section.frequencies) == 14  # (3^3 + 1) / 2
    assert len(np.unique(distances(section.points[:, 0]).round(9))) > 20
    values = expectations(circuit, torch.tensor(section.points), torch.ones(3).double()).numpy()
    series, residual = fit(section.frequencies, section.points, values)
    x = np.random.default_rng(1).uniform(-9, 9, (40, 1))
    truth = expectations(circuit, torch.tensor(x), torch.ones(3).double()).numpy()
    assert np.abs(series(x) - truth).max() < 1e-11
    assert np.abs(residual).max() < 1e-11


def test_half_frequencies_of_controlled_rotations():
    (section,) = sections(serial(feature(0), name="CRX"), np.ones(3), None, seed=0)
    assert sorted(np.abs(section.frequencies[:, 0])) == [0.0, 0.5, 1.0]


def test_small_circuits_are_taken_in_all_features_together():
    gates = (Gate("RX", (0,), feature(0)), Gate("RY", (0,), feature(1)))
    circuit = Circuit(1, gates, (Z,), 2, 0)
    (section,) = sections(circuit, np.zeros(0), None, seed=0)
    assert section.features == (0, 1)


def test_products_of_features_are_taken_one_at_a_time():
    gates = (Gate("RX", (0,), feature(0) * feature(1)), Gate("RY", (0,), feature(1)))
    circuit = Circuit(1, gates, (Z,), 2, 0)
    found = sections(circuit, np.zeros(0), None, seed=0)
    assert [s.features for s in found] == [(0,), (1,)]
    fixed = found[0].points[:, 1]
    assert np.all(fixed == fixed[0])
    assert np.abs(found[0].frequencies).max() == pytest.approx(abs(fixed[0]))


@pytest.mark.parametrize(
    ("circuit", "message"),
    [
        (serial(PI), "no gate reads a feature"),
        (serial(feature(0) * feature(0)), "no Fourier series"),
        (serial(*[feature(0) * 3**k for k in range(6)]), "more than|are too many"),
        (serial(feature(0), feature(0) * (1 + 1e-7)), "too close|than the"),
    ],
    ids=["constant", "square", "many", "close"],
)
def test_what_has_no_spectrum_says_why(circuit, message):
    with pytest.raises(SpectrumError, match=message):
        sections(circuit, np.ones(3), None, seed=0)


def test_a_domain_bounds_the_points():
    (section,) = sections(serial(feature(0)), np.ones(3), ((-1.5, 1.5),), seed=0)
    assert np.abs(section.points).max() <= 1.5
    assert section.condition < tolerances.CONDITION


class Fixed:
    """A source with given values."""

    def __init__(self, name, function):
        self.name, self.function = name, function

    def values(self, x, theta):
        return self.function(x)


def test_each_difference_is_named():
    circuit = serial(feature(0))
    found = sections(circuit, np.ones(3), None, seed=0)
    right = Fixed("right", np.cos)
    sources = {
        "other coefficient": Fixed("wrong", lambda x: np.cos(x) + 1e-7 * np.sin(x)),
        "outside": Fixed("wrong", lambda x: np.cos(x) + 1e-7 * np.sin(2 * x)),
    }
    for kind, wrong in sources.items():
        findings = check_spectrum([wrong, right], found, Scale.of([np.ones((1, 1))], circuit))
        failed = {f.check.between for f in findings if f.check.status == "failed"}
        outside = ("wrong", "accessible frequencies")
        assert (outside in failed) == (kind == "outside")
        assert (("wrong", "right") in failed) or kind == "outside"
        assert ("right", "accessible frequencies") not in failed
    assert len(found[0].points) <= MAX_POINTS
