"""What code may do on formal numbers: nothing that it would not do on tensors.

Every function here stands against the circuit ``cos(x0) cos(theta0)``. An honest one is identical
to it; an attack is natively another function (for some input, mode or type), and must never be
called identical.
"""

from __future__ import annotations

import functools
import math
import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import FormalError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.proving import identity

CIRCUIT = Circuit(
    1,
    (Gate("RX", (0,), feature(0)), Gate("RY", (0,), parameter(0))),
    (Observable.of([(1.0, {0: "Z"})]),),
    1,
    1,
)
COS = torch.cos


def proved(function) -> bool:
    """Whether the function is called identical to the circuit; ``False`` where it is refused."""
    source = CounterpartSource(function, Sizes(1, (1,)))
    try:
        return identity(CIRCUIT, source).equal
    except FormalError:
        return False


def right(x, theta):
    return COS(x[:, 0]) * COS(theta[0])


# --- honest code ---

HONEST: dict[str, object] = {"right": right}
ATTACKS: dict[str, object] = {}


def honest(function):
    HONEST[function.__name__] = function
    return function


def attack(function):
    ATTACKS[function.__name__] = function
    return function


@honest
def a_buffer(x, theta):
    out = torch.zeros(x.shape[0], 1, dtype=x.dtype)
    out[:, 0] = COS(x[:, 0])
    out *= COS(theta)
    return out


@honest
def a_default_buffer_of_whole_numbers(x, theta):
    return torch.zeros(x.shape[0]) + right(x, theta) * torch.ones(1)


@honest
def a_loop_over_rows(x, theta):
    return torch.stack([COS(row[0]) * COS(theta[0]) for row in x])


@honest
def without_gradients(x, theta):
    with torch.no_grad():
        return right(x, theta).detach()


@honest
@torch.no_grad()
def decorated(x, theta):
    return right(x, theta)


@honest
def complex_amplitudes(x, theta):
    state = torch.stack([COS(x[:, 0] / 2) + 0j, -1j * torch.sin(x[:, 0] / 2)], 1)
    c, s = COS(theta[0] / 2), torch.sin(theta[0] / 2)
    turn = torch.stack([torch.stack([c, -s]), torch.stack([s, c])]).to(torch.complex128)
    turned = state @ turn.T
    return (turned.abs() ** 2) @ torch.tensor([1.0, -1.0], dtype=torch.float64)


@honest
def addition_theorem(x, theta):
    return (COS(x[:, 0] + theta[0]) + COS(x[:, 0] - theta[0])) / 2


@functools.lru_cache
def _signs(n):
    return torch.ones(n, dtype=torch.float64)


@honest
def a_cache_of_constants(x, theta):
    return right(x, theta) * _signs(1)


@honest
def branches_on_shapes_and_weights(x, theta):
    weight = torch.tensor([1.0, 0.0], dtype=torch.float64)
    out = right(x, theta) if x.shape[1] == 1 and weight[0] > 0 else x[:, 0]
    return out * float(weight.sum()) if bool(weight[1] == 0) else out


class Linear(nn.Module):
    def __init__(self, *, normed: bool = False) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1, bias=False).double()
        nn.init.ones_(self.linear.weight)
        if normed:
            self.linear = nn.utils.parametrizations.weight_norm(self.linear)

    def forward(self, x, theta):
        return COS(self.linear(x))[:, 0] * COS(theta[0])


_MODULE = Linear()
HONEST["a module"] = _MODULE
HONEST["a compiled module"] = torch.compile(Linear(), backend="eager")
HONEST["a compiled function"] = torch.compile(right, backend="eager")


class Sequence(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.Sequential(nn.Identity(), nn.Dropout(0.3), nn.Flatten(1))

    def forward(self, x, theta):
        return COS(self.steps(x)) * COS(theta)


HONEST["sequential in eval mode"] = Sequence().eval()


@honest
def functional(x, theta):
    weights = {"linear.weight": torch.ones(1, 1, dtype=torch.float64)}
    return torch.func.functional_call(_MODULE, weights, (x, theta))


# --- attacks: natively another function ---


@attack
def swallows_a_refusal(x, theta):
    try:
        return torch.from_numpy(np.cos(2 * x.detach().numpy()))[:, 0] * COS(theta[0])
    except Exception:  # noqa: BLE001
        return right(x, theta)


@attack
def swallows_everything(x, theta):
    try:
        return right(x, theta) + (x.max() > 0.5).double() * 0
    except BaseException:  # noqa: BLE001
        return right(x, theta)


@attack
def swallows_a_comparison_far_out(x, theta):
    try:
        far = bool((x > 1e6).any())
    except Exception:  # noqa: BLE001
        far = False
    return right(x, theta) * 2 if far else right(x, theta)


@attack
def looks_at_the_type(x, theta):
    return right(x, theta) * (2.0 if type(x) is torch.Tensor else 1.0)


@attack
def returns_by_type(x, theta):
    wrong = COS(2 * x[:, 0]) * COS(theta[0])
    good = right(x, theta)
    return wrong if type(x) is torch.Tensor else good


@attack
def wires_by_type(x, theta):
    c, s = COS(x[:, 0]), torch.sin(x[:, 0])
    return (s if type(x) is torch.Tensor else c) * COS(theta[0])


@attack
def looks_at_the_class_name(x, theta):
    return right(x, theta) + ("Formal" not in type(x).__name__)


@attack
def looks_at_its_text(x, theta):
    return right(x, theta) * (1.0 if "Formal" in repr(x) else 2.0)


@attack
def looks_at_attributes(x, theta):
    return right(x, theta) * (1.0 if hasattr(x, "cell") else 2.0)


@attack
def views_share_memory(x, theta):
    y = COS(x)
    z = y[:, 0]
    y += 1
    return (z - 0) * COS(theta[0])


@attack
def reshaped_views_share_memory(x, theta):
    y = COS(x).clone()
    z = y.reshape(-1)
    y.mul_(2)
    return z * COS(theta[0])


@attack
def aliases(x, theta):
    y = COS(x[:, 0])
    z = y
    y *= 2
    return z * COS(theta[0])


@attack
def a_view_of_a_constant(x, theta):
    c = torch.ones(1, dtype=torch.float64)
    (g,) = torch.meshgrid(c, indexing="ij")
    c[0] = 2.0
    return right(x, theta) * g


@attack
def a_constant_seen_by_numpy(x, theta):
    c = np.ones(1)
    t = torch.from_numpy(c)
    first = right(x, theta) * t
    c[0] = 3.0
    return first * 0 + right(x, theta) * t


@attack
def a_constant_changed_before_it_is_read(x, theta):
    c = np.full(1, 2.0)
    k = torch.from_numpy(c) * 1
    c[0] = 1.0
    return right(x, theta) * k


@attack
def a_constant_written_through_numpy(x, theta):
    c = torch.ones(1, dtype=torch.float64)
    c.numpy()[0] = 3.0
    return right(x, theta) * c


@attack
def writes_through_data(x, theta):
    y = right(x, theta)
    y.data.mul_(2)
    return y


@attack
def writes_out(x, theta):
    c = torch.ones(1, dtype=torch.float64)
    torch.mul(c, 3.0, out=c)
    return right(x, theta) * c


@attack
def a_float32_buffer(x, theta):
    out = torch.zeros(x.shape[0])
    out[:] = right(x, theta)
    return out.double()


@attack
def a_float32_step(x, theta):
    return right(x.float().double(), theta)


@attack
def whole_numbers(x, theta):
    return right(x, theta) * (1 + x[:, 0].long().clamp(0, 0)) + x[:, 0].int() * 0


@attack
def random_choice(x, theta):
    return right(x, theta) * (2.0 if torch.rand(1).item() > 1 - 1e-6 else 1.0)


@attack
def random_choice_of_python(x, theta):
    return right(x, theta) * (2.0 if random.random() > 1 - 1e-6 else 1.0)


@attack
def dropout(x, theta):
    return nn.functional.dropout(right(x, theta), 0.5)


ATTACKS["sequential in train mode"] = Sequence().train()


@attack
def row_position(x, theta):
    return right(x, theta) * (1 + torch.arange(len(x), dtype=x.dtype))


@attack
def batch_size(x, theta):
    return right(x, theta) * len(x)


@attack
def centred(x, theta):
    return COS(x[:, 0] - x[:, 0].mean()) * COS(theta[0])


@attack
def other_rows(x, theta):
    return right(x.flip(0), theta)


@attack
def batch_norm(x, theta):
    return nn.functional.batch_norm(right(x, theta)[:, None], None, None, training=True)


@attack
def by_row_of_three(x, theta):
    return right(x, theta) * (2.0 if len(x) == 2 else 1.0)


VALUES = {
    "abs": lambda x: x.abs(), "clamp": lambda x: x.clamp(-100, 100),
    "floor": lambda x: x + x.floor(),
    "round": lambda x: x + (x.round() - x.round()), "remainder": lambda x: x % (2 * math.pi),
    "fmod": lambda x: torch.fmod(x, 2 * math.pi), "sign": lambda x: x * x.sign(),
    "max": lambda x: x.max(1, keepdim=True).values, "amin": lambda x: x.amin(1, keepdim=True),
    "sort": lambda x: x.sort(1).values, "relu": lambda x: x.relu() - (-x).relu(),
    "where": lambda x: torch.where(x > 100, 2 * x, x), "maximum": lambda x: torch.maximum(x, x),
    "compare": lambda x: x * (x < 100), "topk": lambda x: x.topk(1).values,
    "nan_to_num": lambda x: x.nan_to_num(), "hardtanh": lambda x: x.clip(-50, 50),
    "bool": lambda x: 2 * x if x[0, 0] > 100 else x, "item": lambda x: x * (x[0, 0].item() < 100),
    "float": lambda x: x if float(x[0, 0]) < 100 else 2 * x,
    "tolist": lambda x: torch.tensor(x.tolist()),
    "numpy": lambda x: torch.from_numpy(x.numpy().copy()),
    "array": lambda x: torch.tensor(np.array(x)),
    "np.cos": lambda x: torch.tensor(np.arccos(np.cos(x))), "isnan": lambda x: x * ~torch.isnan(x),
    "deepcopy": lambda x: torch.tensor(__import__("copy").deepcopy(x).tolist()),
    "storage": lambda x: torch.tensor(list(x.untyped_storage())).double()[None],
    "nonzero": lambda x: x[torch.nonzero(x[:, 0])[:, 0]], "mask": lambda x: x[x[:, 0] > -9],
    "searchsorted": lambda x: x * (torch.searchsorted(torch.tensor([1e9]).double(), x) + 1),
    "nan": lambda x: x + float("nan") * 0, "inf": lambda x: x + 1 / float("inf") * float("inf"),
    "aten": lambda x: torch.ops.aten.floor(x) * 0 + x, "eq": lambda x: x * (x == x),
    "allclose": lambda x: x if not torch.allclose(x, x + 100) else 2 * x,
    "in": lambda x: x if 5.0 not in x else 2 * x,
    "equal": lambda x: 2 * x if torch.equal(x, 0 * x) else x,
    "layer norm": lambda x: x + nn.functional.layer_norm(x, (1,)) * 0,
}  # fmt: skip


def _after(change):
    return lambda x, theta: right(change(x), theta)


ATTACKS |= {f"value: {name}": _after(change) for name, change in VALUES.items()}


class Remembers(nn.Module):
    """Computes once and returns the same ever after."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = None

    def forward(self, x, theta):
        if self.kept is None or self.kept.shape[0] != x.shape[0]:
            self.kept = right(x, theta)
        return self.kept


class Counts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(1, dtype=torch.float64))

    def forward(self, x, theta):
        self.calls += 1
        return right(x, theta) * self.calls / self.calls.detach()


class Alternates(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.odd = False

    def forward(self, x, theta):
        self.odd = not self.odd
        return right(x, theta) if self.odd else torch.sin(x[:, 0])


ATTACKS |= {"remembers": Remembers(), "counts": Counts(), "alternates": Alternates()}
_GLOBAL = {"scale": 1.0}


@attack
def changes_a_global(x, theta):
    _GLOBAL["scale"] += 1.0
    return right(x, theta) * _GLOBAL["scale"]


_ARRAY = np.array([1.0])


@attack
def changes_a_captured_array(x, theta):
    _ARRAY[0] *= 1.5
    return right(x, theta) * torch.from_numpy(_ARRAY)


@attack
def a_wrong_scale(x, theta):
    return right(x, theta) * (1 + 1e-12)


@attack
def a_wrong_scale_inside(x, theta):
    return COS(x[:, 0] * (1 - 1e-12)) * COS(theta[0])


@attack
def a_wrong_offset(x, theta):
    return COS(x[:, 0] + 1e-12) * COS(theta[0])


@attack
def a_wrong_period(x, theta):
    return COS(x[:, 0] + 2 * math.pi + 1e-12) * COS(theta[0])


@attack
def a_tiny_term(x, theta):
    return right(x, theta) + 1e-12 * torch.sin(x[:, 0])


def _far(x):
    if float(x[0, 0]) > 1e6:
        return torch.sin(x[:, 0])
    return torch.cos(x[:, 0])


@attack
def scripted(x, theta):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(_far)
    return script(x) * COS(theta[0])


@attack
def traced(x, theta):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.trace(_far, torch.zeros(2, 1, dtype=torch.float64))
    return script(x) * COS(theta[0])


@attack
def mapped(x, theta):
    return torch.vmap(lambda row: COS(row[0]) + torch.where(row[0] > 1e6, 1.0, 0.0))(x) * COS(theta)


@attack
def a_gradient(x, theta):
    leaf = x.detach().requires_grad_()
    return torch.autograd.grad(torch.sin(leaf).sum(), leaf)[0][:, 0] * torch.floor(theta[0] + 1e9)


class _Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return COS(x) if type(x) is not torch.Tensor else torch.sin(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


@attack
def a_function_of_autograd(x, theta):
    return _Square.apply(x[:, 0]) * COS(theta[0])


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_is_proved(name):
    assert proved(HONEST[name])


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_not_proved(name):
    assert not proved(ATTACKS[name])
