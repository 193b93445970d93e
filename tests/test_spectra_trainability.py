"""Gradient variances: closed forms of product circuits, plateaus, fits, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.simulate import expectations
from qrun_equiv.spectra import trainability as module
from qrun_equiv.spectra.trainability import (
    GradientVariance,
    decay,
    global_family,
    gradient_variance,
    gradients,
    local_family,
    trainability,
)


def rotations(letters):
    """``RY(theta_k)`` on each wire: the product of ``cos theta_k`` over the measured wires."""

    def family(n_wires, layers):
        gates = [Gate("RY", (w,), parameter(w)) for w in range(n_wires)]
        word = {w: "Z" for w in range(n_wires) if w in letters(n_wires)}
        return Circuit(n_wires, tuple(gates), (Observable.of([(1.0, word)]),), 0, n_wires)

    return family


global_product = rotations(range)
local_product = rotations(lambda n_wires: [0])


def test_closed_form_of_a_product_of_cosines():
    for n in (1, 2, 4):  # Var(sin a cos b ...) = (1/2)^n
        found = gradient_variance(global_product(n, 1), n_samples=4000, parameter_index=None)
        assert abs(found.variance - 0.5**n) < 5 * found.error
        assert found.largest >= found.variance
        assert found.n_parameters == n


def test_standard_error_against_repeated_runs():
    circuit = global_product(3, 1)
    runs = [gradient_variance(circuit, n_samples=100, parameter_index=None, seed=s)
            for s in range(60)]  # fmt: skip
    spread = np.std([r.variance for r in runs], ddof=1)
    assert np.mean([r.error for r in runs]) == pytest.approx(spread, rel=0.3)


def test_global_product_decays_and_local_does_not():
    found = trainability(global_product, wires=(1, 2, 3, 4), layers=(1,), n_samples=2000)
    (rate,) = found.decays
    assert abs(rate.rate - math.log(2)) < 5 * rate.error
    assert rate.error < 0.05
    local = trainability(local_product, wires=(1, 2, 3, 4), layers=(1,), n_samples=500)
    assert abs(local.decays[0].rate) < 5 * local.decays[0].error + 1e-9
    mean = gradient_variance(local_product(4, 1), n_samples=2000, parameter_index=None)
    assert abs(mean.variance - 0.5 / 4) < 5 * mean.error  # the other three are outside the cone


def test_hardware_efficient_families():
    options = {"wires": (2, 4, 6), "layers": (1,), "n_samples": 150}
    local, wide = trainability(local_family, **options), trainability(global_family, **options)
    assert wide.decays[0].rate > 0.4  # a plateau, at one layer already
    assert abs(local.decays[0].rate) < 0.15
    assert wide.decays[0].rate - local.decays[0].rate > 3 * wide.decays[0].error
    assert "6       1          18" in wide.table()
    assert wide.table().splitlines()[-1].startswith("1 layer(s): variance ~ exp(-(")


def test_deep_circuits_lose_their_gradient_with_a_local_observable():
    found = trainability(wires=(2, 4, 6), layers=(1, 12), n_samples=250)
    shallow, deep = found.decays
    assert [d.layers for d in found.decays] == [1, 12]
    assert deep.rate - shallow.rate > 4 * math.hypot(deep.error, shallow.error)
    assert deep.rate > 0.2


def test_gradients_against_parameter_shift(monkeypatch):
    circuit = global_family(3, 2)
    whole = gradients(circuit, 12, seed=4)
    monkeypatch.setattr(module, "_MEMORY", 1)  # one point a batch
    np.testing.assert_allclose(gradients(circuit, 12, seed=4), whole, atol=1e-14)
    rng = np.random.default_rng(4)
    theta = torch.as_tensor(rng.uniform(0, 2 * math.pi, (12, circuit.n_parameters)))
    x = torch.as_tensor(rng.uniform(0, 2 * math.pi, (12, 1)))
    for k in range(circuit.n_parameters):
        shift = torch.zeros(circuit.n_parameters).double()
        shift[k] = math.pi / 2
        both = [expectations(circuit, x, theta + s * shift)[:, 0] for s in (1, -1)]
        np.testing.assert_allclose(whole[:, k], (both[0] - both[1]).numpy() / 2, atol=1e-13)
    assert np.abs(whole).max(axis=0).min() > 1e-3  # every parameter of the family matters


def test_parameters_that_no_gate_reads_have_gradient_zero():
    circuit = Circuit(1, (Gate("RX", (0,), feature(0)),), (Observable.of([(1.0, {0: "Z"})]),), 1, 2)
    assert gradients(circuit, 10, seed=0).tolist() == [[0.0, 0.0]] * 10


def test_fit_of_an_exact_line():
    rows = [GradientVariance(n, 2, n, math.exp(1.0 - 0.7 * n), 0.0, 1.0) for n in (2, 3, 5)]
    found = decay(rows)
    assert found.rate == pytest.approx(0.7)
    assert found.error == pytest.approx(0.0, abs=1e-12)
    noisy = [GradientVariance(n, 2, n, 0.1, 0.01, 1.0) for n in (2, 4)]
    assert decay(noisy).error == pytest.approx(0.1 * math.sqrt(2) / 2)  # two errors of 10 percent
    bent = [GradientVariance(n, 2, n, math.exp(y), 0.0, 1.0) for n, y in ((1, 0), (2, 1), (3, 0))]
    assert decay(bent).error == pytest.approx(math.sqrt(1 / 3))  # residuals -1/3, 2/3, -1/3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wires": ()}, "at least one"),
        ({"layers": (0,)}, "positive"),
        ({"n_samples": 3}, "3 samples are too few"),
        ({"parameter_index": 99}, "no parameter 99"),
        ({"family": rotations(lambda n: []), "wires": (1, 2)}, "0 everywhere"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(SpectrumError, match=message):
        trainability(**options)


def test_bad_circuit_and_fit():
    with pytest.raises(SpectrumError, match="without parameters"):
        gradient_variance(Circuit(1, (Gate("H", (0,)),), (Observable.of([(1.0, {0: "Z"})]),), 0, 0))
    row = GradientVariance(2, 1, 2, 0.1, 0.0, 0.1)
    with pytest.raises(SpectrumError, match="two or more"):
        decay([row, row])


def test_too_many_wires_are_refused_before_memory_is_filled():
    with pytest.raises(SpectrumError, match="take fewer wires"):
        trainability(wires=(40,), n_samples=20)
