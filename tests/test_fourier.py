"""Spectra: exact accessible frequencies, and series with one sign convention."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qrun_equiv import spectrum
from qrun_equiv.angle import PI, Angle, as_float, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import FrontendError, SpectrumError
from qrun_equiv.fourier import FourierSeries, accessible, fit, half, numeric, slopes
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations

ROUNDING = 1e-12  # float64, sums of some hundred terms of order one
FITTED = 1e-9  # times a condition number of at most some hundred
EXAMPLES = settings(derandomize=True, database=None, deadline=None, max_examples=40)

X0, X1, T0, T1 = feature(0), feature(1), parameter(0), parameter(1)
NAMES = {"X": "RX", "Y": "RY", "Z": "RZ"}


def circuit(*encoding: Gate, letter: str = "Z", n_features: int = 1, n_parameters: int = 0):
    """Encoding gates on up to two wires, between turns that keep every frequency alive."""
    n_wires = 1 + max(w for gate in encoding for w in gate.wires)
    turns = [Gate("RY", (w,), Angle.constant(0.7 + 0.2 * w)) for w in range(n_wires)]
    gates = [*turns]
    for gate in encoding:
        gates += [gate, *turns]
    observable = Observable.of([(1.0, dict.fromkeys(range(n_wires), letter))])
    return Circuit(n_wires, tuple(gates), (observable,), n_features, n_parameters)


def rotations(*angles: Angle) -> list[Gate]:
    return [Gate("RX" if k % 2 else "RZ", (0,), angle) for k, angle in enumerate(angles)]


def values(form: Circuit, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return expectations(form, torch.tensor(x), torch.tensor(theta)).numpy()


# --- accessible frequencies --------------------------------------------------------------------


def test_scales_of_one_two_and_three_tenths_give_thirteen_frequencies() -> None:
    # In floats 0.1 + 0.2 and 0.3 are two frequencies: 21 of them, most of them spurious.
    found = accessible(circuit(*rotations(X0 * 0.1, X0 * 0.2, X0 * 0.3)))
    assert {w[0] for w in found} == {Angle.constant(Fraction(k, 10)) for k in range(-6, 7)}
    assert len(found) == 13


@pytest.mark.parametrize(
    ("gates", "expected"),
    [
        ([Gate("RX", (0,), X0)], [0, 1]),
        ([Gate("PhaseShift", (0,), -2 * X0)], [0, 2]),
        ([Gate("PauliRot", (0, 1), X0 / 3, "XY")], [0, 1 / 3]),
        ([Gate("CRX", (0, 1), X0)], [0, 0.5, 1]),
        ([Gate("CRZ", (1, 0), X0 * 3)], [0, 1.5, 3]),
        (rotations(X0, 3 * X0), [0, 1, 2, 3, 4]),
        (rotations(X0, -X0), [0, 1, 2]),
        (rotations(X0 + T0, X0 - 0.25), [0, 1, 2]),
        (rotations(PI * X0), [0, np.pi]),
        ([Gate("RX", (0,), T0)], [0]),
    ],
)
def test_frequencies_of_each_gate(gates: list[Gate], expected: list[float]) -> None:
    found = accessible(circuit(*gates, n_parameters=1))
    both = sorted({sign * w for w in expected for sign in (1, -1)})
    assert sorted(as_float(w[0]) for w in found) == pytest.approx(both, abs=ROUNDING)


def test_trainable_scales_merge_where_the_algebra_says_so() -> None:
    shared = accessible(circuit(*rotations(T0 * X0, X0 * T0), n_parameters=1))
    assert {w[0] for w in shared} == {T0 * k for k in range(-2, 3)}
    free = accessible(circuit(*rotations(T0 * X0, T1 * X0), n_parameters=2))
    assert {w[0] for w in free} == {T0 * j + T1 * k for j in (-1, 0, 1) for k in (-1, 0, 1)}
    # theta0 x + theta1 x in one gate is one frequency.
    assert len(accessible(circuit(*rotations(T0 * X0 + T1 * X0), n_parameters=2))) == 3


def test_frequencies_of_two_features_are_vectors() -> None:
    found = accessible(circuit(*rotations(X0 + 2 * X1, X1), n_features=2))
    expected = {(a, 2 * a + b) for a in (-1, 0, 1) for b in (-1, 0, 1)}
    assert {tuple(map(as_float, w)) for w in found} == expected


def test_a_feature_held_fixed_may_enter_a_product() -> None:
    form = circuit(*rotations(X0 * X1, X1**2), n_features=2)
    assert {w[0] for w in accessible(form, [0])} == {X1 * k for k in (-1, 0, 1)}
    for features in ([0, 1], None, [1]):
        with pytest.raises(SpectrumError, match="no Fourier series in"):
            accessible(form, features)


@pytest.mark.parametrize("angle", [X0**2, X0 * X1, (PI - X0) * (PI - X1), T0 * X0**2 + X0])
def test_curved_angles_are_no_series(angle: Angle) -> None:
    form = circuit(*rotations(angle), n_features=2, n_parameters=1)
    with pytest.raises(SpectrumError, match="no Fourier series in x0, x1 together"):
        accessible(form)
    with pytest.raises(SpectrumError, match="no Fourier series"):
        spectrum(form, [0.3])


def test_too_many_frequencies_are_refused_before_they_fill_memory() -> None:
    # Powers of three: no two sums agree.
    form = circuit(*rotations(*(X0 * 3**k for k in range(9))))
    assert len(accessible(form, limit=3**9)) == 3**9
    with pytest.raises(
        SpectrumError, match=r"more than 19,682 accessible frequencies.*up to 19,683: "
    ):
        accessible(form, limit=3**9 - 1)
    with pytest.raises(SpectrumError, match="more than 100 distinct frequencies"):
        fourier_series(form, np.zeros(0), limit=100)


@pytest.mark.parametrize("seed", range(6))
def test_a_series_over_the_accessible_frequencies_is_the_function(seed: int) -> None:
    # With trainable scales: the numbers come in after the exact merging.
    rng = np.random.default_rng(seed)
    scales = [X0 * float(rng.uniform(0.5, 3)), T0 * X0, T0 * X0 + 0.3 * X0]
    form = circuit(*rotations(*scales), n_parameters=1)
    theta = rng.uniform(1, 2, 1)
    frequencies = numeric(half(accessible(form)), np.zeros(1), theta)
    x = rng.uniform(-30, 30, (300, 1))
    series, residual = fit(frequencies, x, values(form, x, theta))
    assert np.max(np.abs(residual)) < FITTED
    fresh = rng.uniform(-30, 30, (20, 1))
    np.testing.assert_allclose(series(fresh), values(form, fresh, theta), rtol=0, atol=FITTED)


def test_slopes_skip_the_gates_that_do_not_read_the_chosen_features() -> None:
    form = circuit(*rotations(X0 * 2, X1, T0), n_features=2, n_parameters=1)
    assert slopes(form, [0]) == [((Angle.constant(2),), (1.0,))]
    assert slopes(form, [1]) == [((Angle.constant(1),), (1.0,))]


def test_half_keeps_one_of_each_pair_and_zero_first() -> None:
    found = accessible(circuit(*rotations(X0 + 2 * X1, T0 * X1), n_features=2, n_parameters=1))
    kept = half(found)
    assert kept[0] == (Angle(), Angle())
    assert len(kept) == (len(found) + 1) // 2
    assert set(kept) | {tuple(-a for a in w) for w in kept} == set(found)


# --- the sign convention, and series -----------------------------------------------------------


def coefficient(series: FourierSeries, frequency: float) -> complex:
    (row,) = np.flatnonzero(np.abs(series.frequencies[:, 0] - frequency) < ROUNDING)
    return complex(series.coefficients[row, 0])


def test_sine_has_minus_half_i_at_plus_one() -> None:
    form = Circuit(1, (Gate("RY", (0,), X0),), (Observable.of([(1.0, {0: "X"})]),), 1, 0)
    x = np.linspace(-3, 3, 7)[:, None]
    np.testing.assert_allclose(values(form, x, np.zeros(0)), np.sin(x), rtol=0, atol=ROUNDING)
    series = spectrum(form)
    assert coefficient(series, 1) == pytest.approx(-0.5j, abs=ROUNDING)
    assert coefficient(series, -1) == pytest.approx(0.5j, abs=ROUNDING)
    fitted, _ = fit(np.array([[0.0], [1.0]]), x, np.sin(x))
    assert coefficient(fitted, 1) == pytest.approx(-0.5j, abs=FITTED)


def test_offsets_turn_the_coefficients() -> None:
    # cos(x + b) has c_1 = exp(i b) / 2: a sign of b that is dropped shows here.
    form = Circuit(1, (Gate("RX", (0,), X0 - 0.4),), (Observable.of([(1.0, {0: "Z"})]),), 1, 0)
    assert coefficient(spectrum(form), 1) == pytest.approx(np.exp(-0.4j) / 2, abs=ROUNDING)


def test_a_series_needs_matrices_of_one_length() -> None:
    with pytest.raises(SpectrumError, match=r"frequencies \[n, features\]"):
        FourierSeries(np.zeros(3), np.zeros((3, 1), dtype=complex))
    with pytest.raises(SpectrumError, match="3 frequencies but 2 coefficients"):
        FourierSeries(np.zeros((3, 1)), np.zeros((2, 1), dtype=complex))


def test_sorting_changes_the_order_only() -> None:
    rng = np.random.default_rng(1)
    series = FourierSeries(rng.integers(-3, 4, (9, 2)).astype(float), rng.normal(size=(9, 1)) + 0j)
    x = rng.uniform(-3, 3, (5, 2))
    ordered = series.sorted()
    np.testing.assert_allclose(ordered(x), series(x), rtol=0, atol=ROUNDING)
    rows = [tuple(row) for row in ordered.frequencies]
    assert rows == sorted(rows)


# --- fitting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 3, 6])
def test_too_few_points_are_refused_with_the_number_that_is_needed(degree: int) -> None:
    frequencies = np.arange(degree + 1.0)[:, None]
    needed = 2 * degree + 1
    x = 2 * np.pi * np.arange(needed - 1)[:, None] / (needed - 1)
    with pytest.raises(SpectrumError, match=f"at least {needed} are needed"):
        fit(frequencies, x, np.cos(degree * x))
    enough = 2 * np.pi * np.arange(needed)[:, None] / needed
    series, residual = fit(frequencies, enough, np.cos(degree * enough))
    assert coefficient(series, degree) == pytest.approx(0.5, abs=FITTED)
    assert np.max(np.abs(residual)) < FITTED


def test_what_the_refusal_prevents_is_a_wrong_answer() -> None:
    # cos(3x) on four points is cos(x): an FFT there would name the wrong frequency.
    x = 2 * np.pi * np.arange(4)[:, None] / 4
    np.testing.assert_allclose(np.cos(3 * x), np.cos(x), rtol=0, atol=ROUNDING)
    with pytest.raises(SpectrumError, match="aliasing"):
        fit(np.array([[0.0], [1.0], [3.0]]), x, np.cos(3 * x))


def test_points_that_cannot_tell_two_frequencies_apart_are_refused() -> None:
    # Enough in number, yet at 0, 2 pi/3, 4 pi/3, ... cos(3x) is the constant 1.
    x = 2 * np.pi * np.arange(6)[:, None] / 3
    with pytest.raises(SpectrumError):
        fit(np.array([[0.0], [3.0]]), x, np.cos(3 * x))


def test_fit_of_a_random_series_of_two_features_and_outputs() -> None:
    rng = np.random.default_rng(2)
    frequencies = np.concatenate([np.zeros((1, 2)), rng.uniform(0.5, 3, (4, 2))])
    positive = rng.normal(size=(4, 2)) + 1j * rng.normal(size=(4, 2))
    constant = rng.normal(size=(1, 2)).astype(complex)
    truth = FourierSeries(
        np.concatenate([frequencies, -frequencies[1:]]),
        np.concatenate([constant, positive, positive.conj()]),
    )
    x = rng.uniform(-20, 20, (80, 2))
    series, residual = fit(frequencies, x, truth(x))
    np.testing.assert_allclose(series.coefficients, truth.coefficients, rtol=0, atol=FITTED)
    assert residual.shape == (80, 2)
    assert np.max(np.abs(residual)) < FITTED


def test_a_missing_frequency_shows_in_the_residual() -> None:
    x = np.random.default_rng(4).uniform(-9, 9, (60, 1))
    _, residual = fit(np.array([[0.0], [1.0]]), x, np.cos(x) + 0.1 * np.sin(2.5 * x))
    assert np.max(np.abs(residual)) > 0.05


# --- properties of every series ----------------------------------------------------------------


def integer_circuit(seed: int) -> tuple[Circuit, np.ndarray]:
    """A random circuit of one or two wires with whole scales 1 to 3 and random offsets."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 3))
    gates: list[Gate] = []
    for k in range(int(rng.integers(1, 4))):
        for wire in range(n):
            name = str(rng.choice(["RX", "RY"]))
            gates.append(Gate(name, (wire,), Angle.constant(float(rng.uniform(-3, 3)))))
        if n == 2:
            gates.append(Gate("CNOT", (k % 2, 1 - k % 2)))
        angle = X0 * int(rng.integers(1, 4)) + T0 * float(rng.uniform(-1, 1))
        gates.append(Gate(str(rng.choice(["RY", "RZ"])), (int(rng.integers(n)),), angle))
    letters = {w: str(rng.choice(list("XYZ"))) for w in range(n)}
    observable = Observable.of([(1.5, letters), (-0.5, {0: "X"})])
    return Circuit(n, tuple(gates), (observable,), 1, 1), rng.uniform(-2, 2, 1)


@EXAMPLES
@given(seed=st.integers(0, 10**6))
def test_parseval(seed: int) -> None:
    form, theta = integer_circuit(seed)
    series = spectrum(form, theta)
    highest = int(np.max(np.abs(series.frequencies))) if len(series.frequencies) else 0
    points = 4 * highest + 3  # the square has twice the degree
    x = 2 * np.pi * np.arange(points)[:, None] / points
    power = np.mean(values(form, x, theta) ** 2)
    assert np.sum(np.abs(series.coefficients) ** 2) == pytest.approx(power, abs=ROUNDING)


@EXAMPLES
@given(seed=st.integers(0, 10**6))
def test_coefficients_of_opposite_frequencies_are_conjugate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scales = [X0 * float(rng.uniform(0.2, 3)) + X1 * float(rng.uniform(0.2, 3)) for _ in range(3)]
    form = circuit(*rotations(*scales), n_features=2, letter="Y")
    series = spectrum(form)
    table = {
        tuple(np.round(w, 9)): c
        for w, c in zip(series.frequencies, series.coefficients, strict=True)
    }
    for w, c in table.items():
        np.testing.assert_allclose(
            table[tuple(-v + 0.0 for v in w)], c.conj(), rtol=0, atol=ROUNDING
        )


@EXAMPLES
@given(seed=st.integers(0, 10**6))
def test_the_series_is_the_function(seed: int) -> None:
    form, theta = integer_circuit(seed)
    x = np.random.default_rng(seed).uniform(-50, 50, (5, 1))
    got = spectrum(form, theta)(x)
    np.testing.assert_allclose(got, values(form, x, theta), rtol=0, atol=50 * ROUNDING)


@pytest.mark.parametrize("seed", range(3))
def test_reached_frequencies_are_accessible(seed: int) -> None:
    rng = np.random.default_rng(seed)
    form = random_circuit(rng, n_wires=2, layers=1, n_features=1)
    theta = rng.uniform(-2, 2, form.n_parameters)
    allowed = numeric(accessible(form), np.zeros(1), theta)
    for w in spectrum(form, theta).frequencies:
        assert np.min(np.abs(allowed - w).max(axis=1)) < ROUNDING


# --- only what is reached ----------------------------------------------------------------------


def test_turning_back_collapses_the_spectrum() -> None:
    gates = (Gate("RX", (0,), X0 + 0.3), Gate("RX", (0,), 0.7 - X0))
    form = Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0)
    series = spectrum(form)
    assert series.frequencies.tolist() == [[0.0]]
    assert series.coefficients[0, 0] == pytest.approx(np.cos(1.0), abs=ROUNDING)


def test_features_outside_the_light_cone_have_no_frequencies() -> None:
    gates = (Gate("RX", (0,), X0), Gate("RX", (1,), X1))
    form = Circuit(2, gates, (Observable.of([(1.0, {0: "Z"})]),), 2, 0)
    reached = {tuple(w) for w in spectrum(form).frequencies if np.any(w)}
    assert reached == {(-1.0, 0.0), (1.0, 0.0)}


def test_a_circuit_without_features_has_no_spectrum() -> None:
    form = Circuit(1, (Gate("RX", (0,), T0),), (Observable.of([(1.0, {0: "Z"})]),), 0, 1)
    with pytest.raises(SpectrumError, match="no features"):
        spectrum(form, [0.3])


@pytest.mark.parametrize("theta", [[], [0.1, 0.2], [np.nan], [np.inf]])
def test_parameters_that_do_not_fit_are_refused(theta: list[float]) -> None:
    with pytest.raises(FrontendError, match="parameters"):
        spectrum(circuit(*rotations(X0 * T0), n_parameters=1), theta)
