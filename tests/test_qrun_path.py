"""The layer's two paths: knots, the default, against the readout at every element."""

from __future__ import annotations

import copy
import math

import pennylane as qml
import pytest
import torch
from torch import nn

import qrun_equiv as qe
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale.paths import exact_paths

BOUNDS = {torch.float32: 1e-6, torch.float64: 1e-10}


def twins(*sizes, **options):
    """A layer on the default path, and the same with the exact one."""
    layer = QRUN(*sizes, **options)
    exact = copy.deepcopy(layer)
    exact.path = "exact"
    return layer, exact


def in_double(layer):
    """The exact layer in float64, from the phases that the layer's own projection rounds to."""
    layer = copy.deepcopy(layer)
    layer.reuploading.double()
    layer.observable.double()
    return layer, lambda x: layer.element(layer.projection(x).double()).flatten(-2)


def gradients(layer, forward, x, weights):
    x = x.clone().requires_grad_()
    layer.zero_grad()
    values = forward(x)
    values.backward(weights.to(values.dtype))
    named = {name: p.grad.clone() for name, p in layer.named_parameters()}
    return {"values": values.detach(), "inputs": x.grad, **named}


def assert_agree(layer, exact, x):
    """Values and every gradient, each relative to its norm in float64."""
    weights = torch.randn(*x.shape[:-1], layer.out_features, dtype=torch.float64)
    ours = gradients(layer, layer, x, weights)
    reference = gradients(*in_double(exact), x, weights)
    for name, wanted in reference.items():
        error = (ours[name].double() - wanted.double()).norm() / wanted.double().norm()
        assert error <= BOUNDS[x.dtype], (name, float(error))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"outer": "sin", "scales": "equal"},
        {"readout": "matrix-product", "initial_scales": [0.5, math.pi, 3.0, 7.1]},
        {"outputs_per_element": 1, "readout": "multilinear", "reuploads": 2},
    ],
)
def test_values_and_gradients_agree(dtype, options):
    torch.manual_seed(1)
    layer, exact = twins(24, 32, dtype=dtype, **options)
    x = torch.randn(2, 600, 24, dtype=dtype)
    assert_agree(layer, exact, x)
    assert layer.route.path == "knots", layer.route
    assert exact.route is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_trained_layers_with_wide_phases_agree(dtype):
    torch.manual_seed(2)
    layer, exact = twins(8, 64, dtype=dtype, hidden=16)
    x = 3 * torch.randn(8000, 8, dtype=dtype)
    target = torch.sin(4 * x.sum(-1, keepdim=True))
    optimizer = torch.optim.Adam(layer.parameters(), lr=3e-2)
    for _ in range(100):
        batch = torch.randint(len(x), (500,))
        optimizer.zero_grad()
        nn.functional.mse_loss(layer(x[batch]).mean(-1, keepdim=True), target[batch]).backward()
        optimizer.step()
    with torch.no_grad():
        layer.projection.weight.mul_(3)
        phases = layer.projection(x)
    assert phases.max() - phases.min() > 40
    exact.load_state_dict(layer.state_dict())
    assert_agree(layer, exact, x)
    assert layer.route.path == "knots", layer.route


def test_training_curves_agree():
    torch.manual_seed(3)
    x = torch.randn(512, 4, dtype=torch.float64)
    target = torch.cos(2 * x[:, :1]) * x[:, 1:2]
    first = nn.Sequential(QRUN(4, 40, hidden=8), nn.Linear(40, 1)).double()
    second = copy.deepcopy(first)
    second[0].path = "exact"
    curves = []
    for model in (first, second):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        curve = []
        for _ in range(100):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), target)
            loss.backward()
            optimizer.step()
            curve.append(loss.item())
        curves.append(torch.tensor(curve))
    assert first[0].route.path == "knots"
    assert curves[0][-1] < 0.5 * curves[0][0]
    assert torch.allclose(curves[0], curves[1], rtol=1e-7, atol=0)


def test_second_derivatives_agree():
    torch.manual_seed(4)
    layer, exact = twins(3, 8, hidden=6, dtype=torch.float64, path="knots")
    x = torch.randn(20, 3, dtype=torch.float64, requires_grad=True)
    found = []
    for each in (layer, exact):
        energy = each(x).square().sum()
        (force,) = torch.autograd.grad(energy, x, create_graph=True)
        found.append(torch.autograd.grad(force.square().sum(), list(each.parameters())))
    assert layer.route.path == "knots"
    for ours, wanted in zip(*found, strict=True):
        assert (ours - wanted).norm() <= 1e-9 * wanted.norm()


def test_a_wild_function_falls_back_and_says_so():
    torch.manual_seed(5)
    layer, exact = twins(4, 64, initial_scales=[1.0, 10.0, 100.0, 1e5], dtype=torch.float64)
    x = torch.randn(4000, 4, dtype=torch.float64)
    with pytest.warns(RuntimeWarning, match="evaluated at every element"):
        found = layer(x)
    assert layer.route.path == "exact"
    assert "knots" in layer.route.reason
    assert torch.equal(found, exact(x))


def test_few_elements_and_scales_per_element_are_exact():
    torch.manual_seed(6)
    layer, exact = twins(4, 8)
    x = torch.randn(10, 4)
    assert torch.equal(layer(x), exact(x))
    assert "few" in layer.route.reason
    each, other = twins(4, 64, scales="per-element")
    x = torch.randn(4000, 4)
    assert torch.equal(each(x), other(x))


def test_the_path_is_checked():
    with pytest.raises(ValueError, match="path"):
        QRUN(4, 4, path="fast")


@pytest.mark.parametrize("shape", [(0, 4), (0, 3, 4), (4,)])
def test_empty_and_single_inputs(shape):
    layer = QRUN(4, 6, path="knots")
    out = layer(torch.zeros(shape, requires_grad=True))
    out.sum().backward()
    assert out.shape == (*shape[:-1], 6)


def test_copies_and_exports_keep_the_numbers():
    torch.manual_seed(7)
    layer, exact = twins(6, 64)
    x = torch.randn(500, 6)
    layer(x)
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))
    exported = torch.export.export(layer, (x,)).module()
    assert torch.allclose(exported(x), exact(x), atol=1e-6)
    assert not set(layer.state_dict()) ^ set(exact.state_dict())


def test_a_verdict_is_about_the_exact_path_and_says_so():
    def circuit(x):
        qml.RX(x[0], wires=0)
        return qml.expval(qml.Z(0))

    layer = QRUN(1, 1, reuploads=1, readout="linear", outputs_per_element=1, dtype=torch.float64)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.projection.weight.fill_(1)
        layer.reuploading.scales.fill_(1)
        layer.observable.readout.weight[..., 0] = 1
    verdict = qe.verify(circuit, layer, n_features=1)
    assert verdict.status is qe.Status.PROVED, verdict
    assert any("exact path of Q-RUN layers" in note for note in verdict.notes)
    layer.path = "exact"
    verdict = qe.verify(circuit, layer, n_features=1)
    assert verdict.status is qe.Status.PROVED
    assert not any("exact path" in note for note in verdict.notes)


def test_a_block_of_exact_paths():
    torch.manual_seed(8)
    layer, exact = twins(6, 64)
    x = torch.randn(500, 6)
    with exact_paths() as choices:
        assert not choices.withheld
        found = layer(x)
    assert choices.withheld
    assert torch.equal(found, exact(x))
    with exact_paths() as choices:
        exact(x)
    assert not choices.withheld
    assert not torch.equal(layer(x), found)
    assert layer.route.path == "knots"
