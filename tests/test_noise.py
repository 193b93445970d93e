"""Noise: the closed form of the damping against qiskit-aer and against mathematics."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest

from qrun_equiv import noise
from qrun_equiv.angle import Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import FrontendError, SpectrumError
from qrun_equiv.fourier import FourierSeries, accessible
from qrun_equiv.noise import Damping, damping, model_damping, native_damping, noisy_verdict
from qrun_equiv.random_circuits import random_circuit

CHANNELS = ("depolarizing", "amplitude-damping")
Z0 = Observable.of([(1.0, {0: "Z"})])


def aer():
    return pytest.importorskip("qiskit_aer", reason='needs qiskit-aer: pip install ".[aer]"')


def serial(*observables):
    """One wire, seven gates, four of them encoding with scales 1, 2, 1/2 and theta3."""
    x = feature(0)
    gates = (
        Gate("RY", (0,), parameter(0)),
        Gate("RX", (0,), x),
        Gate("H", (0,)),
        Gate("RZ", (0,), x * 2 + 0.3),
        Gate("RY", (0,), parameter(1) + x / 2),
        Gate("PhaseShift", (0,), parameter(2)),
        Gate("RX", (0,), parameter(3) * x),
    )
    return Circuit(1, gates, observables or (Z0, Observable.of([(0.5, {0: "X"}), (2.0, {})])), 1, 4)


THETA = np.array([0.3, -1.2, 0.8, 1.5])


def random_one_feature(seed, n_wires):
    """A random circuit that depends on its one feature; scales have no common period."""
    rng = np.random.default_rng([seed, n_wires])
    for _ in range(100):
        circuit = random_circuit(rng, n_wires=n_wires, layers=4 - n_wires, n_features=1)
        theta = rng.uniform(-2, 2, circuit.n_parameters)
        if len(accessible(circuit)) <= 150:  # few enough to be fitted
            series = fourier_series(circuit, theta)
            if np.max(np.abs(series.coefficients[series.frequencies[:, 0] != 0]), initial=0) > 0.05:
                return circuit, theta
    pytest.fail("no such circuit in 100 draws")


def same_function(left, right, tolerance):
    """Two dampings as functions: coefficients of merged frequencies have no unique order."""
    x = np.random.default_rng(0).uniform(-9, 9, (40, left.frequencies.shape[1]))
    for one, other in ((left.ideal, right.ideal), (left.noisy, right.noisy)):
        a = FourierSeries(left.frequencies, one)(x)
        b = FourierSeries(right.frequencies, other)(x)
        assert np.max(np.abs(a - b)) < tolerance
    for w, ideal, noisy in zip(left.frequencies, left.ideal, left.noisy, strict=True):
        place = np.flatnonzero(np.max(np.abs(right.frequencies - w), axis=1) < 1e-9)
        assert len(place) == 1
        assert np.max(np.abs(right.ideal[place[0]] - ideal)) < tolerance
        assert np.max(np.abs(right.noisy[place[0]] - noisy)) < tolerance


# --- closed form against mathematics -----------------------------------------------------------


@pytest.mark.parametrize("p", [0.001, 0.1, 0.7])
def test_one_wire_damps_every_coefficient_by_one_minus_p_for_each_gate(p):
    found = damping(serial(), THETA, p)
    ratio = found.ratio[~found.constant]
    known = ~np.isnan(ratio)
    assert known.sum() >= 20
    assert np.max(np.abs(ratio[known] - (1 - p) ** 7)) < 1e-12
    assert not np.any(found.appearing)
    # The identity in the second observable is no coefficient of a word: it stays.
    mean = found.noisy[found.constant][0] - [0, 2.0]
    ideal = found.ideal[found.constant][0] - [0, 2.0]
    assert np.max(np.abs(mean - (1 - p) ** 7 * ideal)) < 1e-12


def test_ideal_coefficients_are_the_derived_series():
    for seed in range(4):
        circuit, theta = random_one_feature(seed, 1 + seed % 3)
        found = damping(circuit, theta, 0.2)
        x = np.random.default_rng(1).uniform(-5, 5, (20, 1))
        exact = fourier_series(circuit, theta)(x)
        assert np.max(np.abs(FourierSeries(found.frequencies, found.ideal)(x) - exact)) < 1e-12


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_noise_is_the_ideal_circuit(channel):
    circuit, theta = random_one_feature(3, 3)
    found = damping(circuit, theta, 0.0, channel)
    assert np.array_equal(found.noisy, found.ideal)
    low, high = found.difference()
    assert low == high == 0.0
    assert "still the ideal counterpart" in noisy_verdict(found)


def test_full_depolarising_leaves_the_identity_only():
    found = damping(serial(), THETA, 1.0)
    assert np.max(np.abs(found.noisy[~found.constant])) == 0.0
    assert found.noisy[found.constant][0] == pytest.approx([0.0, 2.0])


def test_wires_that_a_word_does_not_meet_are_not_damped():
    """cos x on wire 0 and cos 2x on wire 1: each sees its own gates, their product all of them."""
    gates = (Gate("RX", (0,), feature(0)), Gate("RX", (1,), feature(0) * 2), Gate("X", (1,)))
    words = [{0: "Z"}, {1: "Z"}, {0: "Z", 1: "Z"}]
    circuit = Circuit(2, gates, tuple(Observable.of([(1.0, w)]) for w in words), 1, 0)
    found = damping(circuit, [], 0.1)
    for output, (frequency, gates_met) in enumerate([(1.0, 1), (2.0, 2), (3.0, 3)]):
        (row,) = np.flatnonzero(found.frequencies[:, 0] == frequency)
        assert found.ratio[row, output] == pytest.approx(0.9**gates_met, abs=1e-14)


def test_two_wire_gates_have_one_joint_channel():
    gates = (Gate("RX", (0,), feature(0)), Gate("CNOT", (0, 1)))
    words = [{0: "Z"}, {0: "Z", 1: "Z"}, {1: "Z"}]
    circuit = Circuit(2, gates, tuple(Observable.of([(1.0, w)]) for w in words), 1, 0)
    found = damping(circuit, [], 0.2)
    (row,) = np.flatnonzero(found.frequencies[:, 0] == 1.0)
    # Backwards through the CNOT: Z0 -> Z0, Z0 Z1 -> Z1, Z1 -> Z0 Z1.
    assert found.ratio[row, 0] == pytest.approx(0.8**2)
    assert found.ratio[row, 2] == pytest.approx(0.8**2)
    assert np.isnan(found.ratio[row, 1])
    assert found.noisy[found.constant][0, 1] == pytest.approx(0.8)


def test_amplitude_damping_of_one_rotation_by_hand():
    """<Z> = (1 - p) cos x + p: the mean moves; <Y> is damped by sqrt(1 - p)."""
    observables = (Z0, Observable.of([(1.0, {0: "Y"})]))
    circuit = Circuit(1, (Gate("RX", (0,), feature(0)),), observables, 1, 0)
    found = damping(circuit, [], 0.3, "amplitude-damping")
    ratio = found.ratio[~found.constant]
    assert ratio[:, 0] == pytest.approx([0.7, 0.7])
    assert ratio[:, 1] == pytest.approx([np.sqrt(0.7)] * 2)
    assert found.noisy[found.constant][0] == pytest.approx([0.3, 0.0])
    assert found.appearing[found.constant].tolist() == [[True, False]]
    assert "The mean moves by up to 0.3" in noisy_verdict(found)


def test_equal_frequencies_merge_whatever_they_are_written_as():
    """theta0 x with theta0 = 2 is 2 x."""
    gates = (
        Gate("RX", (0,), parameter(0) * feature(0)),
        Gate("H", (0,)),
        Gate("RX", (0,), feature(0) * 2),
    )
    found = damping(Circuit(1, gates, (Z0,), 1, 1), [2.0], 0.1)
    values = found.frequencies[:, 0]
    assert sorted(values) == sorted(set(values))
    assert set(values) <= {-4.0, -2.0, 0.0, 2.0, 4.0}


def test_two_features_keep_their_own_frequencies():
    gates = (Gate("RX", (0,), feature(0)), Gate("RX", (1,), feature(1) / 3), Gate("CZ", (0, 1)))
    observable = Observable.of([(1.0, {0: "Z", 1: "Z"})])
    found = damping(Circuit(2, gates, (observable,), 2, 0), [], 0.1)
    live = found.frequencies[np.abs(found.ideal[:, 0]) > 1e-12]
    assert np.allclose(np.abs(live), [1.0, 1 / 3])
    assert np.allclose(found.ratio[np.abs(found.ideal) > 1e-12], 0.9**3)


def test_difference_encloses_the_largest():
    for seed in range(5):
        circuit, theta = random_one_feature(seed, 2)
        found = damping(circuit, theta, 0.15)
        low, high = found.difference()
        x = np.linspace(-60, 60, 20_001)[:, None]
        seen = np.max(np.abs(FourierSeries(found.frequencies, found.noisy - found.ideal)(x)))
        assert seen <= high * (1 + 1e-12)
        assert low <= high
        assert low > seen / 3


def test_verdict_in_words():
    text = noisy_verdict(damping(serial(Z0), THETA, 0.1))
    assert "With depolarizing noise of 0.1 after each gate" in text
    assert "is not the ideal counterpart" in text
    assert "multiplied by 0.4783 in size" in text  # 0.9**7
    circuit, theta = random_one_feature(1, 2)
    found = damping(circuit, theta, 0.05)
    assert " to " in str(found)
    assert str(found) == noisy_verdict(found)


def test_coefficients_that_only_noise_brings():
    frequencies = np.array([[0.0], [1.0], [-1.0]])
    ideal = np.array([[0.5], [0.0], [0.0]], dtype=complex)
    noisy = np.array([[0.5], [0.1], [0.1]], dtype=complex)
    found = Damping(frequencies, ideal, noisy, "some noise")
    assert np.isnan(found.ratio[1:]).all()
    assert found.appearing[:, 0].tolist() == [False, True, True]
    assert "2 coefficients appear" in noisy_verdict(found)
    assert found.difference()[1] == pytest.approx(0.2)


# --- against qiskit-aer ------------------------------------------------------------------------


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("n_wires", [1, 2, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_closed_form_is_what_aer_simulates(seed, n_wires, channel):
    aer()
    circuit, theta = random_one_feature(seed, n_wires)
    exact = damping(circuit, theta, 0.08, channel)
    native = native_damping(circuit, theta, 0.08, channel)
    assert exact.difference()[0] > 1e-3
    same_function(exact, native, 1e-10)


def test_every_gate_of_the_neutral_form_is_followed_by_its_channel():
    aer()
    x = feature(0)
    hadamard = tuple(tuple(complex(v) for v in row) for row in np.array([[1, 1], [1, -1]]) / 2**0.5)
    gates = [Gate(name, (0,), x + 0.2) for name in ("RX", "RY", "RZ", "PhaseShift")]
    gates += [Gate(name, (1, 0), x * 0.5 + 0.1) for name in ("CRX", "CRY", "CRZ")]
    gates += [Gate(name, (1,)) for name in ("H", "S", "T", "X", "Y", "Z")]
    gates += [Gate(name, (0, 1)) for name in ("CNOT", "CZ", "SWAP")]
    gates += [Gate("PauliRot", (1, 0), x, "XY"), Gate("Unitary", (1,), matrix=hadamard)]
    observable = Observable.of([(1.0, {0: "Z"}), (0.5, {0: "X", 1: "Y"}), (0.1, {})])
    circuit = Circuit(2, tuple(gates), (observable,), 1, 0)
    for channel in CHANNELS:
        exact = damping(circuit, [], 0.05, channel)
        same_function(exact, native_damping(circuit, [], 0.05, channel), 1e-10)


def test_one_wire_natively():
    aer()
    found = native_damping(serial(), THETA, 0.1)
    ratio = found.ratio[~found.constant]
    assert np.nanmax(np.abs(ratio - 0.9**7)) < 1e-9
    same_function(damping(serial(), THETA, 0.1), found, 1e-10)


def test_a_noise_model_on_the_gates_is_the_same_convention():
    aer()
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    x = feature(0)
    gates = (
        Gate("RY", (0,), parameter(0)),
        Gate("RX", (0,), x),
        Gate("RX", (1,), x * 3),
        Gate("CNOT", (0, 1)),
        Gate("RY", (1,), x + 0.2),
    )
    observable = Observable.of([(1.0, {1: "Z"}), (0.3, {0: "X", 1: "X"})])
    circuit = Circuit(2, gates, (observable,), 1, 1)
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.05, 1), ["rx", "ry"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.05, 2), ["cx"])
    found = model_damping(circuit, [0.7], model)
    same_function(damping(circuit, [0.7], 0.05), found, 1e-10)
    assert "rx" in found.noise
    silent = model_damping(circuit, [0.7], NoiseModel())
    assert silent.difference()[1] < 1e-12


def test_a_noise_model_of_basis_gates_reaches_transpiled_gates():
    """RX(x) is RZ SX RZ SX RZ in that basis: noise on sx meets the word twice."""
    aer()
    from qiskit_aer.noise import NoiseModel, depolarizing_error

    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["sx"])
    circuit = Circuit(1, (Gate("RX", (0,), feature(0)),), (Z0,), 1, 0)
    ratio = model_damping(circuit, [], model).ratio
    assert ratio[~np.isnan(ratio)] == pytest.approx([0.81, 0.81])


def test_features_that_no_gate_reads():
    aer()
    circuit = replace(serial(), n_features=2)
    same_function(damping(circuit, THETA, 0.1), native_damping(circuit, THETA, 0.1), 1e-10)


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [-0.1, 1.5, float("nan"), True, "0.1", None])
def test_bad_parameter_of_the_channel(p):
    with pytest.raises(FrontendError, match="p must be a number from 0 to 1"):
        damping(serial(), THETA, p)


def test_unknown_channel():
    with pytest.raises(FrontendError, match="one of depolarizing, amplitude-damping"):
        damping(serial(), THETA, 0.1, "dephasing")


def test_wrong_parameters():
    with pytest.raises(FrontendError, match="3 numbers, the circuit has 4"):
        damping(serial(), THETA[:3], 0.1)


def test_no_fourier_series():
    circuit = Circuit(1, (Gate("RX", (0,), feature(0) ** 2),), (Z0,), 1, 0)
    with pytest.raises(SpectrumError, match="no Fourier series"):
        damping(circuit, [], 0.1)


def test_too_many_wires():
    circuit = Circuit(6, (Gate("RX", (0,), feature(0)),), (Z0,), 1, 0)
    with pytest.raises(SpectrumError, match="6 wires are too many"):
        damping(circuit, [], 0.1)


def test_too_many_frequencies_to_sample():
    aer()
    rng = np.random.default_rng(0)
    gates = []
    for i in range(3):
        for _ in range(3):
            gates += [
                Gate("RX", (0,), feature(i) * Angle.constant(float(rng.uniform(1, 2)))),
                Gate("RY", (0,), Angle.constant(0.4)),
            ]
    circuit = Circuit(1, tuple(gates), (Z0,), 3, 0)
    with pytest.raises(SpectrumError, match="too many frequencies in all features"):
        native_damping(circuit, [], 0.1)


def test_aer_missing_names_the_remedy(monkeypatch):
    real = importlib.import_module

    def without(name, *args):
        if name.startswith("qiskit_aer"):
            raise ModuleNotFoundError(name)
        return real(name, *args)

    monkeypatch.setattr(noise.importlib, "import_module", without)
    remedy = r'pip install -c constraints\.txt "qrun-equiv\[aer\]"'
    with pytest.raises(FrontendError, match=remedy):
        native_damping(serial(), THETA, 0.1)
    with pytest.raises(FrontendError, match=remedy):
        model_damping(serial(), THETA, None)
    assert damping(serial(), THETA, 0.1).noise  # the closed form needs no simulator


def test_not_a_noise_model():
    aer()
    with pytest.raises(FrontendError, match=r"must be a qiskit_aer\.noise\.NoiseModel, got float"):
        model_damping(serial(), THETA, 0.1)


def test_readout_errors_are_refused():
    aer()
    from qiskit_aer.noise import NoiseModel, ReadoutError

    model = NoiseModel()
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.1, 0.9]]))
    with pytest.raises(FrontendError, match="readout errors"):
        model_damping(serial(), THETA, model)
