"""Knots in what torch does with a layer beyond calling it: they serve, or the exact path does."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import prune
from torch.utils.checkpoint import checkpoint

from qrun_equiv.qrun import QRUN


def twins(*sizes: int, **options) -> tuple[QRUN, QRUN]:
    """A layer on the default path, and the same with the exact one."""
    torch.manual_seed(0)
    layer = QRUN(*sizes, **options)
    exact = copy.deepcopy(layer)
    exact.path = "exact"
    return layer, exact


def rows(*shape: int, seed: int = 1, dtype=torch.float32) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def apart(found: Tensor, wanted: Tensor) -> float:
    found, wanted = found.detach().double(), wanted.detach().double()
    return float((found - wanted).norm() / wanted.norm())


# gradient checkpointing


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradient_checkpointing_repeats_a_call_as_it_went(reentrant) -> None:
    """The step follows the calls before, and a repeated call must save the same tensors."""
    layer, _ = twins(16, 128)
    plain = copy.deepcopy(layer)
    steps = set()
    for spread, factor in ((0.3, 1.0), (1.0, 3.0), (1.0, 0.1), (1.0, 0.3), (0.1, 1.0)):
        with torch.no_grad():  # wilder, then smoother
            for each in (layer, plain):
                each.reuploading.scales.mul_(factor)
        x = (spread * rows(512, 16)).requires_grad_()
        found = checkpoint(layer, x, use_reentrant=reentrant)
        steps.add(layer.route.step)
        found.square().mean().backward()
        assert layer.route.path == "knots"
        plain(x).square().mean().backward()
    assert len(steps) > 2, steps
    for ours, wanted in zip(layer.parameters(), plain.parameters(), strict=True):
        assert apart(ours.grad, wanted.grad) < 1e-5


def test_checkpoints_in_checkpoints_and_a_layer_called_twice() -> None:
    layer, exact = twins(64, 64, dtype=torch.float64)
    x = rows(512, 64, dtype=torch.float64)

    def twice(each: nn.Module, x: Tensor) -> Tensor:
        return checkpoint(each, each(x), use_reentrant=False)

    for each in (layer, exact):
        for _ in range(3):
            checkpoint(twice, each, x, use_reentrant=False).square().mean().backward()
    for ours, wanted in zip(layer.parameters(), exact.parameters(), strict=True):
        assert apart(ours.grad, wanted.grad) < 1e-9


@pytest.mark.filterwarnings("ignore:.*evaluated at every element instead:RuntimeWarning")
def test_a_wild_function_under_checkpointing() -> None:
    layer, _ = twins(8, 128, initial_scales=[200.0, 400.0, 800.0, 1600.0])
    nn.init.zeros_(layer.projection.bias)
    paths = set()
    for k in range(8):
        x = (1.0 if k % 3 == 1 else 0.01) * rows(512, 8)
        checkpoint(layer, x, use_reentrant=False).square().mean().backward()
        paths.add(layer.route.path)
    assert paths == {"knots", "exact"}


# other derivatives


def test_several_gradients_at_once() -> None:
    layer, exact = twins(16, 64)
    weights = rows(3, 512, 64)
    found = []
    for each in (layer, exact):
        x = rows(512, 16).requires_grad_()
        inputs = [x, *each.parameters()]
        found.append(torch.autograd.grad(each(x), inputs, weights, is_grads_batched=True))
    assert layer.route.path == "knots"
    for ours, wanted in zip(*found, strict=True):
        assert apart(ours, wanted) < 1e-5


def test_vectorized_jacobians_and_hessians() -> None:
    layer, exact = twins(3, 8, path="knots", dtype=torch.float64)
    x = rows(4, 3, dtype=torch.float64)
    functional = torch.autograd.functional
    found = [functional.jacobian(each, x, vectorize=True) for each in (layer, exact)]
    assert layer.route.path == "knots"
    assert apart(*found) < 1e-9
    found = [
        functional.hessian(lambda x, each=each: each(x).square().sum(), x, vectorize=True)
        for each in (layer, exact)
    ]
    assert apart(*found) < 1e-9


# threads


def test_threads_share_a_layer() -> None:
    """Whoever serves a model from several threads: no call may see what another one is doing."""
    layer, exact = twins(16, 128)
    inputs = [(1 + k % 4) * rows(512, 16, seed=k) for k in range(48)]
    keys = list(layer.state_dict())

    def call(x: Tensor) -> Tensor:
        assert list(layer.state_dict()) == keys
        assert all(p.dtype == torch.float32 for p in layer.parameters())
        with torch.no_grad():
            return layer(x)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(call, inputs))
    assert layer.route.path == "knots"
    for ours, x in zip(found, inputs, strict=True):
        assert apart(ours, exact(x)) < 1e-5


def test_tied_weights_and_parametrizations() -> None:
    layer, _ = twins(16, 64, depth=3)
    second, third = (m for m in layer.observable.readout.layers[2:5] if isinstance(m, nn.Linear))
    third.weight = second.weight
    nn.utils.parametrizations.weight_norm(layer.observable.readout.layers[0])
    prune.l1_unstructured(layer.observable.readout.layers[-1], "weight", 0.3)
    x, found = rows(512, 16), []
    for path in ("auto", "exact"):
        layer.path = path
        layer.zero_grad()
        layer(x).square().sum().backward()
        found.append([p.grad.clone() for p in layer.parameters()])
    assert layer.route.path == "knots"
    for ours, wanted in zip(*found, strict=True):
        assert apart(ours, wanted) < 1e-4


# autocast


@pytest.mark.parametrize("short", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("readout", ["mlp", "linear", "product", "multilinear", "matrix-product"])
def test_autocast_returns_the_same_dtype_on_both_paths(readout, short) -> None:
    layer, exact = twins(16, 64, readout=readout)
    x = rows(512, 16)
    with torch.autocast("cpu", dtype=short):
        found, wanted, few = layer(x), exact(x), layer(x[:2])
    assert layer.route.path == "exact"
    assert found.dtype == wanted.dtype == few.dtype
    found.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.dtype == p.dtype for p in layer.parameters())


def test_autocast_keeps_the_gradients_of_a_later_call() -> None:
    """A weight that is cast where gradients are off must not be used again where they are on."""
    layer, exact = twins(16, 64)
    for each in (layer, exact):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            total = each(rows(512, 16)).float().sum() + each(rows(2, 16)).float().sum()
        total.backward()
    for ours, wanted in zip(layer.parameters(), exact.parameters(), strict=True):
        assert apart(ours.grad, wanted.grad) < 0.1
    layer.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        layer(rows(512, 16))
        layer(rows(2, 16)).float().sum().backward()
    assert all(float(p.grad.abs().sum()) > 0 for p in layer.parameters())


# what goes the exact way


def replica_of(module: nn.Module) -> nn.Module:
    """As ``nn.DataParallel`` makes them: parameters are plain attributes."""
    made = module._replicate_for_data_parallel()
    for name, child in module._modules.items():
        made._modules[name] = replica_of(child)
    for name, parameter in module._parameters.items():
        setattr(made, name, None if parameter is None else 1 * parameter)
    return made


def test_a_replica_is_exact() -> None:
    layer, exact = twins(16, 64)
    x = rows(512, 16)
    replica = replica_of(layer)
    found = replica(x)
    assert "replica" in replica.route.reason
    assert torch.equal(found, exact(x))
    found.sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


def test_tracing_by_dispatch_is_exact() -> None:
    layer, exact = twins(16, 64)
    traced = make_fx(layer)(rows(512, 16))
    other = rows(512, 16, seed=2)
    assert apart(traced(other), exact(other)) < 1e-6


def test_the_capture_of_a_cuda_graph_is_exact(monkeypatch) -> None:
    layer, exact = twins(16, 64)
    for name in ("is_initialized", "is_current_stream_capturing"):
        monkeypatch.setattr(torch.cuda, name, lambda: True)
    assert torch.equal(layer(rows(512, 16)), exact(rows(512, 16)))
    assert "CUDA graph" in layer.route.reason
