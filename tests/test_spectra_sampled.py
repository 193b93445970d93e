"""Coefficients of black boxes: right, or refused with the number of points that would do."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from helpers import serial_qiskit, serial_qnode
from hypothesis import given, settings
from hypothesis import strategies as st

from qrun_equiv.angle import parameter
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.spectra.sampled import sample, sample_circuit, signed_sums

THETA = [0.7, -0.4, 1.1]


def wave(x):
    """Degree 5."""
    return np.cos(x[:, 0]) + 0.3 * np.sin(5 * x[:, 0])


def real_series(rng, frequencies, outputs=1):
    """A random real series over 0 and one of each pair."""
    shape = (len(frequencies), outputs)
    positive = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    positive[0] = positive[0].real
    both = np.concatenate([frequencies, -frequencies[1:]])
    return FourierSeries(both, np.concatenate([positive, positive[1:].conj()])).sorted()


def test_the_sign_convention_on_sin():
    series = sample(lambda x: np.sin(x[:, 0]), degree=1).series
    assert series.frequencies[:, 0].tolist() == [-1, 0, 1]
    assert np.allclose(series.coefficients[:, 0], [0.5j, 0, -0.5j], atol=1e-15)


@settings(max_examples=25, deadline=None)
@given(
    degrees=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    base=st.sampled_from([1.0, 0.1, 2 / 3, math.pi, 7.3]),
    extra=st.integers(0, 3),
    seed=st.integers(0, 2**16),
)
def test_any_grid_that_is_large_enough(degrees, base, extra, seed):
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*[np.arange(-k, k + 1) for k in degrees], indexing="ij")
    index = np.stack(axes, axis=-1).reshape(-1, len(degrees))
    half = np.array([[0] * len(degrees), *(r for r in index.tolist() if r > [0] * len(degrees))])
    series = real_series(rng, half * base, outputs=2)
    points = [2 * k + 1 + extra for k in degrees]
    found = sample(series, n_features=len(degrees), degree=degrees, base=base, points=points)
    size = np.abs(series.coefficients).sum()
    assert found.series.frequencies == pytest.approx(series.frequencies)
    assert np.max(np.abs(found.series.coefficients - series.coefficients)) < 1e-13 * size
    assert found.points == math.prod(points)
    assert found.error <= found.bound == pytest.approx(1e-10 * size, rel=1)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16), features=st.integers(1, 2))
def test_unrelated_frequencies_are_fitted(seed, features):
    rng = np.random.default_rng(seed)
    rows = np.sqrt([2, 3, 5, 7])[:, None] * np.linspace(1, 1.7, features)
    series = real_series(rng, np.concatenate([np.zeros((1, features)), rows]))
    given_rows = series.frequencies[rng.permutation(len(series.frequencies))]
    found = sample(series, frequencies=given_rows)
    assert found.method == "least-squares"
    assert found.series.sorted().frequencies == pytest.approx(series.frequencies)
    assert np.max(np.abs(found.series.sorted().coefficients - series.coefficients)) < 1e-12
    assert 1 <= found.condition < 20


def test_thirteen_frequencies_of_three_scales():
    frequencies = signed_sums([0.1, 0.2, 0.3])
    assert len(frequencies) == 13
    found = sample(lambda x: np.prod(np.cos(x * [0.1, 0.2, 0.3]), axis=1), frequencies=frequencies)
    assert found.method == "grid"
    assert found.points == 13
    assert found.series.frequencies[:, 0] == pytest.approx(np.arange(-6, 7) / 10, abs=1e-15)


def test_floats_off_by_rounding_are_merged():
    rough = [0.1 + 0.2 - 0.3, 0.3, 0.1 + 0.2, -0.3, 0.6]
    found = sample(lambda x: np.cos(0.3 * x[:, 0]), frequencies=rough)
    assert found.series.frequencies[:, 0] == pytest.approx([-0.6, -0.3, 0, 0.3, 0.6])


def test_scales_of_two_features_and_with_a_parameter():
    both = signed_sums([[1.0], [0.5, 0.5]])
    assert len(both) == 3 * 5
    trained = signed_sums([parameter(0), 2 * parameter(0)])
    found = sample(
        lambda x: np.cos(0.7341 * x[:, 0]) * np.sin(2 * 0.7341 * x[:, 0]),
        frequencies=trained,
        parameters=[0.7341],
    )
    assert (found.method, found.points) == ("grid", 7)
    with pytest.raises(SpectrumError, match="contain theta0: give its value"):
        sample(wave, frequencies=trained)


def test_trained_scales_that_are_multiples_of_each_other():
    """Floats that no simple number stands for, but of which the others are multiples."""
    base = 0.734_123_456_789_012_3
    found = sample(lambda x: np.cos(3 * base * x[:, 0]), frequencies=base * np.arange(1, 4))
    assert (found.method, found.points) == ("grid", 7)


def test_a_base_smaller_than_every_gap():
    found = sample(lambda x: np.cos(0.4 * x[:, 0]) + np.sin(0.7 * x[:, 0]), frequencies=[0.4, 0.7])
    assert (found.method, found.points) == ("grid", 15)
    assert len(found.series.frequencies) == 5


def test_a_grid_far_larger_than_the_set_is_not_taken():
    def function(x):
        return np.cos(x[:, 0]) + np.cos(10_001 * x[:, 0])

    found = sample(function, frequencies=[1.0, 10_001.0], tolerance=1e-9)
    assert found.method == "least-squares"
    assert found.points < 50
    assert found.series(np.array([[0.3]]))[0, 0] == pytest.approx(function(np.array([[0.3]]))[0])


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_a_degree_too_low_names_the_points_it_needs(degree):
    with pytest.raises(SpectrumError, match="degree 5") as caught:
        sample(wave, degree=degree)
    needed = int(re.search(r"it needs (\d+) points", str(caught.value))[1])
    assert needed == 11
    assert sample(wave, points=needed).error < 1e-14
    with pytest.raises(SpectrumError, match="aliased"):
        sample(wave, points=needed - 1)


def test_each_axis_has_its_own_degree():
    def function(x):
        return torch.cos(x[:, 0]) * torch.sin(3 * x[:, 1])

    with pytest.raises(SpectrumError, match="needs 3 x 7 points"):
        sample(function, n_features=2, degree=(1, 2))
    assert len(sample(function, n_features=2, degree=(1, 3)).series.frequencies) == 21


@pytest.mark.parametrize("points", [1, 9, 10, (10,)])
def test_a_grid_that_aliases_is_refused_before_it_is_evaluated(points):
    def never(x):
        raise AssertionError

    with pytest.raises(SpectrumError, match="need at least 11 points"):
        sample(never, degree=5, points=points)


def test_frequencies_outside_the_set_are_named():
    def function(x):
        return np.cos(0.1 * x[:, 0]) * np.cos(0.2 * x[:, 0]) * np.cos(0.3 * x[:, 0])

    with pytest.raises(SpectrumError, match=r"at \(0\.[46]\), \(0\.[46]\)"):
        sample(function, scales=[0.1, 0.2])
    with pytest.raises(SpectrumError, match="outside the 9 frequencies given"):
        sample(function, scales=[0.1, math.sqrt(2)])


def test_content_that_no_grid_has_is_refused():
    with pytest.raises(SpectrumError, match="more points don't help"):
        sample(lambda x: np.cos(math.sqrt(2) * x[:, 0]), degree=3)
    with pytest.raises(SpectrumError, match="more points don't help"):
        sample(lambda x: np.tanh(x[:, 0]), degree=3)
    with pytest.raises(SpectrumError, match="no common base"):
        sample(wave, scales=[1.0, math.sqrt(2)], points=100)


def test_content_below_the_tolerance_is_in_the_error():
    found = sample(lambda x: np.cos(x[:, 0]) + 1e-12 * np.cos(2 * x[:, 0]), degree=1)
    assert 1e-13 < found.error < 3e-12


def test_single_precision_is_refused_wherever_it_enters():
    short = np.float32
    for arguments in (
        {"scales": [short(0.1)]},
        {"degree": 5, "base": short(0.1)},
        {"frequencies": np.array([0.1], dtype=short)},
        {"frequencies": torch.tensor([0.1])},
    ):
        with pytest.raises(SpectrumError, match="float32 has too few digits"):
            sample(wave, **arguments)
    with pytest.raises(SpectrumError, match="float32 has too few digits"):
        sample(lambda x: short(wave(x)), degree=5)
    with pytest.raises(SpectrumError, match="digits of single precision"):
        sample(lambda x: short(wave(x)).astype(float), degree=5)
    with pytest.raises(SpectrumError, match="float32"):
        sample(torch.nn.Sequential(torch.nn.Flatten(), Cosine(torch.float32)), degree=1)
    assert sample(Cosine(torch.float64), degree=1).error < 1e-15


class Cosine(torch.nn.Module):
    """cos, in a dtype of its own."""

    def __init__(self, dtype):
        super().__init__()
        self.dtype = dtype

    def forward(self, x):
        return torch.cos(x[:, 0].to(self.dtype))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: np.full(len(x), np.nan), "values contains a number that is not finite"),
        (lambda x: np.random.default_rng().normal(size=len(x)), "the function is random"),
        (lambda x: np.exp(1j * x[:, 0]), "real numbers, got complex128"),
        (lambda x: 1.0, r"gave shape \[\] for 24 points"),
        (lambda x: wave(x)[:-1], r"gave shape \[23\]"),
        (lambda x: x[:, 1], "raised IndexError"),
        (lambda x: "cos", "must be real numbers"),
    ],
)
def test_functions_that_are_none(function, message):
    with pytest.raises(SpectrumError, match=message):
        sample(function, degree=5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "give one of"),
        ({"degree": 1, "scales": [1.0]}, "give one of"),
        ({"degree": -1}, "whole numbers from 0 up"),
        ({"degree": 1.5}, "whole numbers from 0 up"),
        ({"degree": True}, "whole numbers"),
        ({"degree": (1, 2)}, "2 numbers for 1 feature"),
        ({"degree": 1, "base": 0.0}, "base must be positive"),
        ({"degree": 1, "base": math.nan}, "base contains a number that is not finite"),
        ({"scales": 3.0}, "scales must be a sequence"),
        ({"scales": [1.0], "n_features": 3}, "n_features=3, but the frequencies have 1"),
        ({"scales": [math.inf]}, "scales contains a number that is not finite"),
        ({"frequencies": np.zeros((2, 0))}, "must have the shape"),
        ({"degree": 1, "tolerance": 0.0}, "tolerance must lie between"),
        ({"frequencies": [1.0, 1.0 + 1e-11, math.sqrt(2)]}, "too close to each other"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(SpectrumError, match=message):
        sample(wave, **arguments)


def test_a_huge_grid_is_refused_at_once():
    with pytest.raises(SpectrumError, match=r"grid of 20000001 points needs about 1\.3 GB"):
        sample(wave, degree=10**7)
    with pytest.raises(SpectrumError, match="GB"):
        sample(wave, n_features=3, degree=300)
    primes = np.sqrt(np.arange(2, 4000) + 0.5)
    with pytest.raises(SpectrumError, match=r"without a common base .* GB"):
        sample(wave, frequencies=primes)


def test_a_qnode_and_a_qiskit_circuit_against_the_neutral_form():
    theta = np.array(THETA)
    circuit, observables = serial_qiskit()
    form = circuit_sources(serial_qnode(), None, None, None)[0][0].lower()
    expected = fourier_series(form, theta)
    for found in (
        sample_circuit(serial_qnode(), THETA),
        sample_circuit(circuit, THETA, observable=observables),
    ):
        assert found.points == 7
        kept = np.isin(np.rint(found.series.frequencies[:, 0]), expected.frequencies[:, 0])
        assert np.max(np.abs(found.series.coefficients[kept] - expected.coefficients)) < 1e-14
        assert np.max(np.abs(found.series.coefficients[~kept]), initial=0.0) < 1e-14


def test_circuits_refuse_bad_parameters():
    with pytest.raises(SpectrumError, match="float32 has too few digits"):
        sample_circuit(serial_qnode(), torch.tensor(THETA))
    with pytest.raises(SpectrumError, match="2 numbers, the circuit has 3"):
        sample_circuit(serial_qnode(), [0.1, 0.2])
    with pytest.raises(SpectrumError, match="not finite"):
        sample_circuit(serial_qnode(), [0.1, math.nan, 0.3])
    with pytest.raises(SpectrumError, match=r"degree 3, at .* it needs 7 points"):
        sample_circuit(serial_qnode(), THETA, degree=1)


def test_a_small_output_beside_a_large_one_is_not_aliased():
    def function(x):
        return np.stack([1e6 * np.cos(x[:, 0]), 1e-5 * np.cos(5 * x[:, 0])], axis=1)

    with pytest.raises(SpectrumError, match=r"aliased.*at \(5\): it needs 11 points"):
        sample(function, degree=1)
    assert sample(function, degree=5).series.coefficients[-1, 1] == pytest.approx(5e-6, rel=1e-3)


def test_a_slow_frequency_is_no_constant():
    with pytest.raises(SpectrumError, match="too close to each other"):
        sample(lambda x: np.cos(1e6 * x[:, 0]) + np.cos(1e-7 * x[:, 0]), frequencies=[1e6, 1e-7])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"degree": 1, "base": [1.0, 2.0]}, r"base has the shape \[2\]"),
        ({"scales": [1, [2]]}, "one sequence of numbers for each feature"),
        ({"frequencies": np.arange(1, 200_001)}, "give degree= and base="),
        ({"frequencies": 3.0}, "frequencies must be"),
    ],
)
def test_malformed_requests(options, reason):
    with pytest.raises(SpectrumError, match=reason):
        sample(lambda x: np.cos(x[:, 0]), **options)


def test_scales_as_an_array_are_those_of_the_list():
    assert signed_sums(np.array([[1.0, 2.0]])) == signed_sums([1, 2])
