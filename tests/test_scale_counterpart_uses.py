"""Fast counterparts where every operation has to be seen: transforms, tracing, export."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.fx.experimental.proxy_tensor import make_fx

from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.scale.fast import fast_counterpart

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning"),  # torch's own
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),  # sizes, which stay
]

THETA = [0.1, -0.7, 1.3]
CLOSE = 1e-12


class Rows(nn.Module):
    """Parameters that could differ from row to row: a chain of rotations."""

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.fast = fast_counterpart(circuit, dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        theta = torch.tensor(THETA, dtype=torch.float64).expand(len(x), 3)
        values: Tensor = self.fast(x, theta)
        return values


@pytest.fixture(params=["sum", "chain"])
def fast(request) -> nn.Module:
    gates = []
    for k in range(3):
        gates += [Gate("RY", (0,), parameter(k)), Gate("RX", (0,), (k + 1) * feature(0))]
    circuit = Circuit(1, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 2, 3)
    if request.param == "chain":
        return Rows(circuit)
    return fast_counterpart(circuit, THETA, dtype=torch.float64)


def rows(count: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 2, generator=generator, dtype=torch.float64)


def assert_close(found: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(found, wanted, rtol=CLOSE, atol=CLOSE)


def test_function_transforms(fast) -> None:
    x = rows()
    slope = torch.autograd.functional.jacobian(lambda x: fast(x).sum(0), x)[0]
    assert_close(torch.vmap(lambda row: fast(row[None])[0])(x), fast(x))
    assert_close(torch.func.jacrev(lambda x: fast(x).sum(0))(x)[0], slope)
    assert_close(torch.func.grad(lambda x: fast(x).sum())(x), slope)
    along = torch.func.jvp(fast, (x,), (torch.ones_like(x),))[1]
    assert_close(along[:, 0], slope.sum(1))


def test_forward_derivatives(fast) -> None:
    x = rows()
    slope = torch.autograd.functional.jacobian(lambda x: fast(x).sum(0), x)[0]
    with forward_ad.dual_level():
        out = forward_ad.unpack_dual(fast(forward_ad.make_dual(x, torch.ones_like(x))))
        assert_close(out.tangent[:, 0], slope.sum(1))


def test_several_gradients_at_once(fast) -> None:
    x = rows().requires_grad_()
    weights = torch.randn(3, 5, 1, dtype=torch.float64)
    values = fast(x)
    (found,) = torch.autograd.grad(values, x, weights, is_grads_batched=True, retain_graph=True)
    for one, weight in zip(found, weights, strict=True):
        assert_close(one, torch.autograd.grad(values, x, weight, retain_graph=True)[0])


def by_export(fast: nn.Module, x: Tensor) -> Callable[[Tensor], Tensor]:
    return torch.export.export(fast, (x,)).module()


def by_jit(fast: nn.Module, x: Tensor) -> Callable[[Tensor], Tensor]:
    return torch.jit.trace(fast, x)


@pytest.mark.parametrize("trace", [by_export, by_jit, lambda fast, x: make_fx(fast)(x)])
def test_traces_hold_the_operations_and_no_numbers(fast, trace) -> None:
    traced = trace(fast, rows())
    x = rows(seed=1)
    assert_close(traced(x), fast(x))


def test_a_feature_that_is_not_read_may_be_no_number_in_a_trace(fast) -> None:
    traced = make_fx(fast)(rows())
    x = rows(seed=1)
    x[0, 1] = torch.nan
    assert_close(traced(x), fast(x))
