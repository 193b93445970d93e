"""Spectrum of a Q-RUN layer, leakage, and how both move in training."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch

from qrun_equiv.angle import feature, parameter
from qrun_equiv.approximation import approximate
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fitting import least_squares
from qrun_equiv.qrun import QRUN
from qrun_equiv.spectra.layer_spectrum import layer_spectrum
from qrun_equiv.spectra.recorder import SpectrumRecorder

CIRCUIT = Circuit(
    1,
    (
        Gate("RX", (0,), feature(0)),
        Gate("RY", (0,), parameter(0)),
        Gate("RX", (0,), 2 * feature(0)),
    ),
    (Observable.of([(1.0, {0: "Z"})]),),
    1,
    1,
)
ROOT = math.sqrt(2)


def layer(initial, readout="mlp", dtype=torch.float64, **options):
    torch.manual_seed(1)
    return QRUN(
        3, 4, reuploads=len(initial), initial_scales=initial, readout=readout, hidden=8,
        dtype=dtype, **options,
    )  # fmt: skip


@pytest.mark.parametrize("scales", [[1.0, 2.0, 3.0], [0.1, 0.2, 0.3], [2.0, 3.0]])
def test_one_period_of_a_multilinear_readout_is_exact(scales):
    module = layer(scales, "multilinear")
    found = layer_spectrum(module)
    assert found.over == "period"
    base = math.gcd(*(round(10 * s) for s in scales)) / 10
    assert found.period == pytest.approx(2 * math.pi / base)
    top = np.max(found.series.frequencies)
    assert top == pytest.approx(sum(scales))
    assert found.rest < 1e-28
    assert found.leakage is None
    assert not np.any(found.inside)


def test_the_series_is_the_function():
    module = layer([1.0, 2.0])
    found = layer_spectrum(module)
    phi = np.random.default_rng(4).uniform(-50, 50, 30)
    values = module.element(torch.tensor(phi)).detach().numpy()
    assert np.max(np.abs(found.series(phi[:, None]) - values)) < 1e-10
    assert found.error < 1e-10
    assert found.rest < 1e-22
    # Parseval: the energy of the coefficients is the mean square over the period.
    grid = np.arange(4096) * 2 * math.pi / 4096
    square = np.mean(module.element(torch.tensor(grid)).detach().numpy() ** 2) * 2
    assert np.sum(np.abs(found.series.coefficients) ** 2) == pytest.approx(square, rel=1e-12)


def test_unrelated_scales_are_fitted_over_a_window():
    module = layer([1.0, ROOT], "multilinear")
    found = layer_spectrum(module, frequencies=[0, 1])
    assert (found.over, found.period) == ("window", None)
    assert found.rest < 1e-22
    expected = [0, 1, ROOT, ROOT - 1, ROOT + 1]
    size = np.max(np.abs(found.series.coefficients), axis=1)
    reached = np.abs(found.series.frequencies[size > 1e-9, 0])
    assert np.unique(np.round(reached, 9)) == pytest.approx(np.sort(expected), abs=1e-8)
    inside = np.abs(found.series.coefficients[found.inside]) ** 2
    whole = np.abs(found.series.coefficients) ** 2
    assert found.leakage == pytest.approx(1 - inside.sum() / whole.sum(), rel=0.05)


def test_an_mlp_of_unrelated_scales_has_a_rest_that_is_measured():
    module = layer([1.0, ROOT])
    found = layer_spectrum(module)
    phi = np.random.default_rng(5).uniform(-100, 100, (4000, 1))
    values = module.element(torch.tensor(phi[:, 0])).detach().numpy()
    rest = np.sum((found.series(phi) - values) ** 2) / np.sum(values**2)
    assert 1e-9 < rest < 1e-2
    assert found.rest == pytest.approx(rest, rel=3)


def test_the_taper_keeps_distant_frequencies_out():
    """Content at 20.3, which no listed frequency has, must not move the coefficients."""
    found = layer_spectrum(
        lambda x: torch.sin(x[:, 0]) + torch.cos(20.3 * x[:, 0]), scales=[1.0], frequencies=[ROOT]
    )
    assert found.over == "window"
    assert found.at(np.array([1.0, 0.0, ROOT]))[:, 0] == pytest.approx([-0.5j, 0, 0], abs=1e-7)
    assert found.rest == pytest.approx(0.5, rel=0.3)


def test_relu_decays_slowly_and_that_is_said():
    found = layer_spectrum(layer([1.0], activation="relu"))
    assert found.error > 1e-10
    assert found.rest < 1e-6


def test_leakage_is_the_share_outside_the_circuit():
    theta = [0.4]
    module = layer([1.0, 2.0], "multilinear")
    found = layer_spectrum(module, circuit=CIRCUIT, parameters=theta)
    assert found.leakage == pytest.approx(0, abs=1e-15)  # frequencies up to 3, as the circuit has
    assert np.all(found.inside)
    found = layer_spectrum(layer([1.0, 2.0, 3.0], "multilinear"), circuit=CIRCUIT, parameters=theta)
    energy = np.sum(np.abs(found.series.coefficients) ** 2, axis=1)
    outside = np.abs(found.series.frequencies[:, 0]) > 3.5
    assert np.array_equal(found.inside, ~outside)
    assert found.leakage == pytest.approx(energy[outside].sum() / energy.sum(), rel=1e-9)
    assert found.leakage > 0.01


def test_an_approximation_has_the_leakage_that_it_reports():
    model = approximate(CIRCUIT, parameters=[0.4], hidden=4, steps=20, most_boxes=50, relative=0.5)
    found = layer_spectrum(model, circuit=CIRCUIT, parameters=[0.4])
    assert found.leakage == pytest.approx(model.leakage, rel=1e-6)
    exact = fourier_series(CIRCUIT, np.array([0.4]))
    near = found.at(exact.frequencies[:, 0])
    assert np.max(np.abs(near - exact.coefficients)) < 2 * model.bound.upper


def test_single_precision_layers_are_computed_in_double():
    module = layer([1.0, 2.0], dtype=torch.float32)
    twin = copy.deepcopy(module).double()
    found, expected = layer_spectrum(module), layer_spectrum(twin)
    assert np.array_equal(found.series.coefficients, expected.series.coefficients)
    assert next(module.parameters()).dtype == torch.float32


def test_any_function_with_scales():
    found = layer_spectrum(lambda x: torch.sin(2 * x[:, 0]), scales=[2.0], frequencies=[2.0])
    assert found.at(np.array([2.0, -2.0, 9.0]))[:, 0] == pytest.approx([-0.5j, 0.5j, 0])
    assert found.leakage == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layer_spectrum(torch.nn.Linear(1, 1)), "no scales of its own"),
        (lambda: layer_spectrum(layer([1.0], scales="per-element")), "scales per element"),
        (lambda: layer_spectrum(3, scales=[1.0]), "must be a torch module or a function"),
        (lambda: layer_spectrum(layer([1.0]), circuit=CIRCUIT), "parameters=\\[\\]"),
        (lambda: layer_spectrum(layer([1.0]), circuit=CIRCUIT, frequencies=[1]), "not both"),
        (lambda: layer_spectrum(layer([1.0]), frequencies=[math.nan]), "not finite"),
        (
            lambda: layer_spectrum(layer([1.0]), frequencies=[1, 1 + 1e-9, ROOT]),
            "too close to each other, or too far apart, for a window",
        ),
        (lambda: layer_spectrum(torch.cos, scales=[1.0, 1e6]), "too far apart, for a window"),
        (lambda: layer_spectrum(torch.cos, scales=[]), "scales is empty"),
        (lambda: layer_spectrum(lambda x: x * math.nan, scales=[1.0]), "not finite"),
        (lambda: SpectrumRecorder(layer([1.0])), "needs a circuit"),
        (lambda: SpectrumRecorder(layer([1.0]), frequencies=[1.0], every=0), "every >= 1"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(SpectrumError, match=message):
        make()


def trained(scales, **options):
    """A torch loop on the circuit's values over one period, recorded every 50 steps."""
    target = fourier_series(CIRCUIT, np.array([0.4]))
    model = layer([1.0, 2.0], scales=scales, outputs_per_element=1)
    x = torch.linspace(-math.pi, math.pi, 64, dtype=torch.float64)
    y = torch.tensor(target(x[:, None].numpy()))
    recorder = SpectrumRecorder(model, circuit=CIRCUIT, parameters=[0.4], every=50, **options)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(301):
        loss = torch.mean((model.element(x) - y) ** 2)
        recorder(loss)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return recorder, target


def test_training_moves_the_spectrum_to_the_circuits():
    recorder, target = trained("shared-fixed", watch=[4.0])
    arrays = recorder.arrays()
    assert len(recorder) == 7
    assert arrays["steps"].tolist() == [0, 50, 100, 150, 200, 250, 300]
    assert arrays["frequencies"].tolist() == [0, 1, 2, 3, 4]
    assert arrays["inside"].tolist() == [True, True, True, True, False]
    assert arrays["coefficients"].shape == (7, 5, 1)
    goal = [target.coefficients[target.frequencies[:, 0] == w].sum() for w in range(5)]
    distance = np.linalg.norm(arrays["coefficients"][:, :, 0] - np.array(goal), axis=1)
    assert distance[-1] < 0.1 * distance[0]
    assert arrays["leakage"][-1] < 0.1 * arrays["leakage"][0]
    assert arrays["losses"][-1] < 0.1 * arrays["losses"][0]
    assert arrays["amplitudes"] == pytest.approx(np.abs(arrays["coefficients"][:, :, 0]))
    assert np.all(arrays["rest"] < 1e-20)


def test_trained_scales_leave_the_circuits_frequencies():
    recorder, _ = trained("shared-trainable", watch=[4.5])
    arrays = recorder.arrays()
    assert arrays["scales"][0].tolist() == [1, 2]
    assert not np.allclose(arrays["scales"][-1], [1, 2], atol=1e-3)
    assert arrays["leakage"][-1] > 10 * arrays["losses"][-1]
    assert np.all(arrays["amplitudes"][1:] > 0)  # each was fitted, the one watched too


@pytest.mark.parametrize("moved", [1e-4, 1e-6, 1e-9])
def test_the_first_steps_of_a_trained_scale_stop_no_training(moved):
    """No window tells 1 from 1.000001: the layer has its own frequency, and not the other."""
    scales = torch.tensor([1.0 + moved, 2.0], dtype=torch.float64)

    def function(x):
        return torch.cos(x * scales[0])[:, 0] + 0.25 * torch.sin(x * scales[1])[:, 0]

    recorder = SpectrumRecorder(function, frequencies=[0, 1, 2, 3], scales=scales)
    recorder()
    arrays = recorder.arrays()
    assert arrays["amplitudes"][0, [0, 2, 3]] == pytest.approx([0, 0.125, 0], abs=1e-9)
    assert arrays["amplitudes"][0, 1] < 1e-9
    assert arrays["rest"][0] < 1e-12
    found = layer_spectrum(function, frequencies=[0, 1, 2, 3], scales=scales)
    assert abs(found.at(np.array([1.0 + moved]))[0, 0]) == pytest.approx(0.5, abs=1e-9)


def test_a_layer_as_it_comes_can_be_recorded():
    """QRUN starts at the scales 1, 2, 3, 4 and trains them."""
    torch.manual_seed(0)
    model = QRUN(4, 4)
    recorder = SpectrumRecorder(model, frequencies=[0, 1, 2, 3, 4])
    optimizer = torch.optim.SGD(model.parameters(), 1e-2)
    for _ in range(3):
        recorder()
        optimizer.zero_grad()
        model(torch.rand(8, 4)).square().mean().backward()
        optimizer.step()
    arrays = recorder.arrays()
    assert arrays["scales"][0].tolist() == [1, 2, 3, 4]
    assert 0 < np.abs(arrays["scales"][1] - [1, 2, 3, 4]).max() < 1e-2
    assert np.all(np.isfinite(arrays["leakage"]))


def test_around_least_squares():
    model = approximate(CIRCUIT, parameters=[0.4], hidden=4, steps=1, most_boxes=50, relative=0.5)
    x = torch.linspace(-math.pi, math.pi, 64, dtype=torch.float64)[:, None]
    y = torch.tensor(fourier_series(CIRCUIT, np.array([0.4]))(x.numpy()))
    recorder = SpectrumRecorder(model, circuit=CIRCUIT, parameters=[0.4])
    weights = copy.deepcopy(model.state_dict())
    recorder()
    assert all(torch.equal(v, weights[k]) for k, v in model.state_dict().items())
    for _ in range(4):
        recorder(least_squares(model, x, y, 5))
    arrays = recorder.arrays()
    assert math.isnan(arrays["losses"][0])
    assert arrays["leakage"][-1] < 1e-2 * arrays["leakage"][0]
