"""The classical side: what a counterpart may be, and how one that is no function is caught."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qrun_equiv.errors import CounterpartError, UndecidedError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource

ROUNDING = 1e-12  # float64, a few operations
SIZES = Sizes.of(2, (2, 2))
ROWS = np.random.default_rng(0).uniform(-2, 2, (5, 2))
THETA = np.array([0.3, -0.7, 1.1, 0.5])
BOTH = ("features", "parameters")


def formula(x: Tensor, theta: Tensor) -> Tensor:
    return torch.stack([torch.cos(x[:, 0] * theta[0, 1]), x[:, 1] * theta[1, 0] ** 2], dim=1)


def expected(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(x[:, 0] * theta[1]), x[:, 1] * theta[2] ** 2], axis=1)


class Method:
    def counterpart(self, x: Tensor, theta: Tensor) -> Tensor:
        return formula(x, theta)


class Module(nn.Module):
    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        return formula(x, theta)


def variadic(*arguments: Tensor) -> Tensor:
    return formula(*arguments)


def with_option(x: Tensor, theta: Tensor, *, option: float = 1.0) -> Tensor:
    return option * formula(x, theta)


@pytest.mark.parametrize(
    "counterpart",
    [
        formula,
        Method().counterpart,
        Module(),
        functools.partial(formula),
        variadic,
        with_option,
    ],
)
def test_callables_of_all_kinds(counterpart) -> None:
    source = CounterpartSource(counterpart, SIZES)
    np.testing.assert_allclose(
        source.values(ROWS, THETA), expected(ROWS, THETA), rtol=0, atol=ROUNDING
    )
    assert source.simulator.startswith("torch ")
    source.check_is_function(ROWS, THETA, BOTH)


def test_gradients_of_every_row() -> None:
    gradient = CounterpartSource(formula, SIZES).gradients(ROWS, THETA)
    assert gradient.features.shape == (5, 2, 2)
    assert gradient.parameters.shape == (5, 2, 4)
    features, parameters = np.zeros((5, 2, 2)), np.zeros((5, 2, 4))
    sine = np.sin(ROWS[:, 0] * THETA[1])
    features[:, 0, 0], parameters[:, 0, 1] = -sine * THETA[1], -sine * ROWS[:, 0]
    features[:, 1, 1], parameters[:, 1, 2] = THETA[2] ** 2, 2 * ROWS[:, 1] * THETA[2]
    np.testing.assert_allclose(gradient.features, features, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(gradient.parameters, parameters, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize(
    "counterpart",
    [
        lambda x, theta: formula(x.detach(), theta.detach()),
        lambda x, theta: torch.ones(len(x), 2, dtype=torch.float64),
    ],
    ids=["detached", "constant"],
)
def test_what_does_not_depend_on_its_inputs_has_zero_gradients(counterpart) -> None:
    gradient = CounterpartSource(counterpart, SIZES).gradients(ROWS, THETA)
    assert gradient.features.shape == (5, 2, 2)
    assert not gradient.features.any()
    assert not gradient.parameters.any()


def test_a_detached_parameter_counts_as_zero_and_the_rest_is_kept() -> None:
    source = CounterpartSource(lambda x, theta: formula(x, theta.detach()), SIZES)
    gradient = source.gradients(ROWS, THETA)
    assert gradient.features.any()
    assert not gradient.parameters.any()


def test_a_counterpart_of_x_alone_with_weights_of_its_own() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    source = CounterpartSource(module, Sizes.of(2, 0))
    with torch.no_grad():
        np.testing.assert_allclose(
            source.values(ROWS, np.zeros(0)), module(torch.tensor(ROWS)), rtol=0, atol=ROUNDING
        )
    assert source.gradients(ROWS, np.zeros(0)).parameters.shape == (5, 1, 0)


def test_a_vector_is_one_output() -> None:
    source = CounterpartSource(lambda x, theta: x[:, 0], SIZES)
    assert source.values(ROWS, THETA).shape == (5, 1)
    assert source.gradients(ROWS, THETA).features.shape == (5, 1, 2)


def test_gradients_inside_the_counterpart_are_allowed() -> None:
    def derivative(x: Tensor, theta: Tensor) -> Tensor:
        x = x if x.requires_grad else x.clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(torch.sin(x).sum(), x, create_graph=True)
        return slope

    source = CounterpartSource(derivative, SIZES)
    np.testing.assert_allclose(source.values(ROWS, THETA), np.cos(ROWS), rtol=0, atol=ROUNDING)
    slopes = source.gradients(ROWS, THETA).features
    diagonal = np.stack([slopes[:, 0, 0], slopes[:, 1, 1]], axis=1)
    np.testing.assert_allclose(diagonal, -np.sin(ROWS), rtol=0, atol=ROUNDING)


def test_inputs_changed_in_place_are_refused_and_the_callers_kept() -> None:
    before = ROWS.copy(), THETA.copy()
    with pytest.raises(CounterpartError, match="changes its input x in place"):
        CounterpartSource(lambda x, theta: x.mul_(2.0), SIZES).values(ROWS, THETA)
    CounterpartSource(lambda x, theta: x + theta.zero_()[0], SIZES).values(ROWS, THETA)
    np.testing.assert_array_equal(ROWS, before[0])
    np.testing.assert_array_equal(THETA, before[1])


def test_a_default_is_theta_only_where_there_are_parameters() -> None:
    def scaled(x: Tensor, scale: Tensor | float = 3.0) -> Tensor:
        return x * scale

    alone = CounterpartSource(scaled, Sizes.of(2, 0))
    np.testing.assert_array_equal(alone.values(ROWS, np.zeros(0)), 3 * ROWS)
    given = CounterpartSource(scaled, Sizes.of(2, 1))
    np.testing.assert_array_equal(given.values(ROWS, np.array([2.0])), 2 * ROWS)


# --- what breaks the contract ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counterpart", "message"),
    [
        (lambda x, t: x.numpy(), "must return a torch.Tensor, got ndarray"),
        (lambda x, t: None, "must return a torch.Tensor, got NoneType"),
        (lambda x, t: (x, x), "must return a torch.Tensor, got tuple"),
        (lambda x, t: x.float(), r"returned torch.float32; checks run in float64.*\.double\(\)"),
        (lambda x, t: x.to(torch.complex128), "returned torch.complex128"),
        (lambda x, t: x.sum(), r"returned shape \(\) for 5 row"),
        (lambda x, t: x.T, r"returned shape \(2, 5\) for 5 row.*expected \(5,\) or \(5, n_out"),
        (lambda x, t: x[None], r"returned shape \(1, 5, 2\)"),
        (lambda x, t: x[:1], r"returned shape \(1, 2\)"),
        (lambda x, t: x @ x, r"raised RuntimeError on x \(5, 2\) and theta \(2, 2\)"),
        (lambda x, t: t[7], "raised IndexError"),
    ],
)
def test_results_that_do_not_fit_are_refused(counterpart, message: str) -> None:
    with pytest.raises(CounterpartError, match=message):
        CounterpartSource(counterpart, SIZES).values(ROWS, THETA)


@pytest.mark.parametrize(
    ("counterpart", "message"),
    [
        (3, "must be callable, got int"),
        (lambda x, *, theta: x, "keyword-only arguments"),
        (lambda x, *, theta=None: x, "keyword-only arguments"),
        (lambda: 0, r"takes no argument; it must take \(x, theta\) or x"),
        (nn.Linear(2, 1), r"weight 'weight' is torch.float32; call \.double\(\)"),
        (nn.Linear(2, 1).half(), "weight 'weight' is torch.float16"),
    ],
)
def test_counterparts_that_cannot_be_called_are_refused(counterpart, message: str) -> None:
    with pytest.raises(CounterpartError, match=message):
        CounterpartSource(counterpart, SIZES)


def test_whole_number_buffers_are_no_single_precision() -> None:
    module = nn.Linear(2, 1).double()
    module.register_buffer("count", torch.tensor(3))
    CounterpartSource(module, Sizes.of(2, 0)).values(ROWS, np.zeros(0))


# --- what is no function -----------------------------------------------------------------------


class Averaging(torch.autograd.Function):
    """Right for one row; over a batch its gradient is the mean, not the sum."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * torch.cos(x) / len(x)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        self.calls += 1
        return x + self.calls


@pytest.mark.parametrize(
    ("counterpart", "message"),
    [
        (lambda x, t: x + torch.rand_like(x), "not deterministic"),
        (Counting(), "not deterministic"),
        (nn.Sequential(nn.Dropout(0.5)), r"not deterministic.*\.eval\(\)"),
        (lambda x, t: x - x.mean(dim=0), "depends on the other rows of its batch"),
        (lambda x, t: x * (1 + (len(x) == 2)), "on their number"),
        (lambda x, t: x * (1 + x.requires_grad), "change when a gradient is asked for"),
        (lambda x, t: Averaging.apply(x), "not the sum of its rows' gradients"),
        (lambda x, t: torch.sqrt(x), "non-finite value at x=.*bound them with domain="),
        (lambda x, t: 1 / (0 * x), "non-finite value"),
    ],
    ids=[
        "random",
        "counting",
        "dropout",
        "centred",
        "length",
        "mode",
        "averaging",
        "nan",
        "infinite",
    ],
)
def test_what_is_no_function_of_its_row_is_undecided(counterpart, message: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(UndecidedError, match=message):
        CounterpartSource(counterpart, SIZES).check_is_function(ROWS, THETA, BOTH)


def test_rounding_of_a_batched_product_is_no_difference() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 2)).double()
    rows = np.random.default_rng(1).uniform(-2, 2, (200, 2))
    CounterpartSource(module, Sizes.of(2, 0)).check_is_function(rows, np.zeros(0), BOTH)


# --- identity ----------------------------------------------------------------------------------


def test_fingerprint_and_weights_follow_the_module() -> None:
    module = nn.Linear(2, 1).double()
    source = CounterpartSource(module, Sizes.of(2, 0))
    fingerprint, weights = source.fingerprint(), source.weights()
    assert (source.fingerprint(), source.weights()) == (fingerprint, weights)
    with torch.no_grad():
        module.weight[0, 1] += 1e-15
    assert source.fingerprint() != fingerprint
    assert source.weights() != weights


def test_evaluation_leaves_the_weights_alone() -> None:
    module = nn.Linear(2, 1).double()
    source = CounterpartSource(module, Sizes.of(2, 0))
    before = source.weights()
    source.check_is_function(ROWS, np.zeros(0), BOTH)
    source.gradients(ROWS, np.zeros(0))
    assert source.weights() == before
    assert all(p.grad is None for p in module.parameters())
