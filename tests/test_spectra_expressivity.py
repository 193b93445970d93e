"""Fourier coefficients over random parameters: closed forms, correlations, standard errors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qrun_equiv.angle import PI, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import numeric
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.spectra.expressivity import (
    coefficient_correlation,
    correlate,
    expressivity,
)

X = feature(0)
A, B = parameter(0), parameter(1)
Z0 = Observable.of([(1.0, {0: "Z"})])
BOTH = Observable.of([(1.0, {0: "Z"}), (1.0, {1: "Z"})])


def two_wires(second, observable=BOTH):
    """``cos(x + a) + cos(second)``: one coefficient for each cosine."""
    return Circuit(2, (Gate("RX", (0,), X + A), Gate("RX", (1,), second)), (observable,), 1, 2)


def test_closed_form_of_two_rotations():
    # cos(x + a) cos b + const: RX(x + a) RY(b), Z: c_1 = exp(ia) cos(b) / 2
    circuit = Circuit(1, (Gate("RX", (0,), X + A), Gate("RY", (0,), B)), (Z0,), 1, 2)
    found = expressivity(circuit, n_samples=4000, seed=3)
    assert [str(w[0]) for w in found.frequencies] == ["0", "1"]
    assert found.variance[0] == pytest.approx(0.0, abs=1e-30)
    assert abs(found.variance[1] - 1 / 8) < 5 * found.variance_error[1]
    assert abs(found.mean[1]) < 5 * found.mean_error[1]
    # E|c|^4 - (E|c|^2)^2 = 3/128 - 1/64 of each sample
    assert found.variance_error[1] == pytest.approx(math.sqrt(1 / 128 / 4000), rel=0.05)
    assert math.isnan(found.fcc)  # only one coefficient varies
    assert "1 of 2 coefficients vary" in found.describe()


@pytest.mark.parametrize(
    ("second", "complex_value", "stacked_value"),
    [
        (2 * X + A, 1.0, 1.0),  # the same coefficient twice
        (2 * X + A + PI / 3, 1.0, 0.5),  # and turned by a phase of 60 degrees
        (2 * X + A + PI, 1.0, 1.0),
        (2 * X - A, 0.0, 0.0),  # the conjugate: E[c^2] = 0
        (2 * X + B, 0.0, 0.0),  # independent
    ],
)
def test_correlation_of_two_cosines(second, complex_value, stacked_value):
    for kind, value in (("complex", complex_value), ("stacked", stacked_value)):
        found = expressivity(two_wires(second), n_samples=3000, correlation=kind)
        assert found.fcc == pytest.approx(value, abs=5 * found.fcc_floor + 1e-12)
        assert found.fingerprint[1, 2] == pytest.approx(found.fcc)
        assert np.isnan(found.fingerprint[0]).all()
        if value == 1.0:
            assert found.fcc == pytest.approx(1.0, abs=1e-12)
            assert found.fcc_error < 1e-12


def test_floor_and_error_against_repeated_runs():
    runs = [expressivity(two_wires(2 * X + B), n_samples=400, seed=s) for s in range(60)]
    values = [r.fcc for r in runs]
    assert np.mean(values) == pytest.approx(runs[0].fcc_floor, rel=0.2)
    partial = Observable.of([(1.0, {0: "Z"}), (0.7, {1: "Z"}), (0.5, {0: "Z", 1: "Z"})])
    circuit = two_wires(X + 0.4 * B, partial)
    runs = [expressivity(circuit, n_samples=400, seed=s) for s in range(40)]
    assert np.median([r.fcc_error for r in runs]) == pytest.approx(
        np.std([r.fcc for r in runs], ddof=1), rel=0.5
    )
    errors = np.median([r.mean_error for r in runs], axis=0)
    spread = np.std([r.mean for r in runs], axis=0, ddof=1)
    np.testing.assert_allclose(errors, spread, rtol=0.5, atol=1e-15)


def test_samples_are_the_circuits_coefficients():
    rng = np.random.default_rng(8)
    circuit = random_circuit(rng, n_wires=2, layers=2, n_features=1)
    theta = rng.uniform(-2, 2, (40, circuit.n_parameters))
    found = expressivity(circuit, parameters=theta, output=circuit.n_outputs - 1)
    assert found.seed is None
    for k in (0, 17, 39):
        reference = fourier_series(circuit, theta[k])
        values = numeric(found.frequencies, np.zeros(1), theta[k])[:, 0]
        for w, c in zip(values, found.samples[k], strict=True):
            near = np.isclose(reference.frequencies[:, 0], w, atol=1e-12)
            assert c == pytest.approx(reference.coefficients[near, -1].sum(), abs=1e-12)


def test_correlation_against_numpy():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(200, 4)) + 1j * rng.normal(size=(200, 4))
    samples[:, 1] += 0.5 * samples[:, 0]
    np.testing.assert_allclose(correlate(samples), np.corrcoef(samples.T).conj(), atol=1e-13)
    stacked = np.concatenate([samples.real, samples.imag])
    np.testing.assert_allclose(correlate(samples, "stacked"), np.corrcoef(stacked.T), atol=1e-13)
    below = np.abs(np.corrcoef(samples.T))[np.tril_indices(4, -1)]
    assert coefficient_correlation(correlate(samples)) == pytest.approx(below.mean())


def test_seeds():
    circuit = two_wires(2 * X + B)
    one, same, other = (expressivity(circuit, n_samples=50, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(one.samples, same.samples)
    assert one.fcc != other.fcc
    assert one.n_samples == 50
    assert one.seed == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": 1}, "output 1 of a circuit with 1"),
        ({"n_samples": 5}, "5 samples are too few"),
        ({"correlation": "spearman"}, "complex"),
        ({"parameters": np.zeros((50, 3))}, r"\[n_samples, 2\] is needed"),
        ({"parameters": np.full((50, 2), np.nan)}, "NaN"),
        ({"features": [4]}, "feature"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(SpectrumError, match=message):
        expressivity(two_wires(2 * X + B), **options)


def test_circuit_without_parameters():
    with pytest.raises(SpectrumError, match="no parameters"):
        expressivity(Circuit(1, (Gate("RX", (0,), X),), (Z0,), 1, 0))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"parameters": np.zeros((50, 1), dtype=np.float32)}, "too few digits"),
        ({"parameters": np.zeros((50, 1)) * 1j}, "real numbers"),
        ({"n_samples": 10**12}, "n_samples must be"),
        ({"n_samples": 50.5}, "n_samples must be"),
    ],
)
def test_samples_that_are_not_real_double_or_too_many(options, reason):
    gates = (Gate("RY", (0,), parameter(0)), Gate("RX", (0,), feature(0)))
    circuit = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 1)
    with pytest.raises(SpectrumError, match=reason):
        expressivity(circuit, **options)
