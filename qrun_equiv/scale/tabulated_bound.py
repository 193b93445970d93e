"""How far a compiled stack of layers can be from the stack that it was compiled from.

Two networks run side by side: the compiled one in floating point, and the original one as a real
function, its floats being exact constants. The first compiled layer takes the *same* phases in both
(those that were computed: the original layer would round them likewise). Its values differ by at
most its table's bound; from there on an error e of any entry, and every rounding, passes

- ``nn.Linear``: ``|W| e``, the largest absolute row sum, and ``gamma_(n+2) (|W| s + |b|)`` for
  inputs of size s (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1);
- a table: its bound and ``sup |g'|`` times the error of the phase;
- activations: their Lipschitz constants, and a few units in the last place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from qrun_equiv.scale.certified_tables import UNIT
from qrun_equiv.scale.tabulated_layer import TabulatedQRUN

_UP = 1 + 2.0**-30
_ULPS = 16  # allowance for an activation, in units of its dtype; the tests measure it
_GELU = 1.13  # its slope is at most 1.1290 (exact) and 1.1292 (tanh)


@dataclass(frozen=True, slots=True)
class ErrorBound:
    """What is certified of a compiled module.

    Attributes:
        total: bound of the absolute difference of any output, over all inputs whose phases the
            tables cover (``outside`` is 0 after the call); None where there is none.
        reason: why there is none; empty if there is.
        layers: each compiled layer's own bound, by name.
    """

    total: float | None
    reason: str
    layers: dict[str, float]


class _NoBoundError(Exception):
    """The message says why."""


@dataclass(frozen=True, slots=True)
class _State:
    """Entries of a tensor on the way.

    Attributes:
        error: largest difference between the two networks.
        size: largest absolute value; None before the first table.
        unit: rounding unit.
    """

    error: float = 0.0
    size: float | None = None
    unit: float = 0.0


def error_bound(compiled: nn.Module) -> ErrorBound:
    """Bound the error of what :func:`~qrun_equiv.scale.tabulated.compile_for_inference` returned.

    For a compiled layer, or ``nn.Sequential`` (nested ones too) of compiled layers, ``Linear``,
    ``ReLU``, ``Tanh``, ``Sigmoid``, ``GELU``, ``Identity``, ``Flatten`` and, in evaluation mode,
    ``Dropout`` and ``BatchNorm1d``; whatever comes before the first compiled layer. Products are
    taken to be IEEE: no TF32.

    Raises:
        ValueError: there is no compiled layer.
    """
    names = {n: m for n, m in compiled.named_modules() if isinstance(m, TabulatedQRUN)}
    if not names:
        msg = "there is no compiled layer: compile_for_inference makes one"
        raise ValueError(msg)
    layers = {name: layer.bound for name, layer in names.items()}
    state = _State()
    try:
        for module in _chain(compiled):
            if state.size is not None or isinstance(module, TabulatedQRUN):
                state = _passed(module, state)
    except _NoBoundError as error:
        return ErrorBound(None, str(error), layers)
    return ErrorBound(state.error, "", layers)


def _chain(module: nn.Module) -> Iterator[nn.Module]:
    """The modules in the order of their calls."""
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        _check_hooks(module)
        for part in module:
            yield from _chain(part)
    elif not isinstance(module, TabulatedQRUN) and any(
        isinstance(part, TabulatedQRUN) for part in module.modules()
    ):
        msg = f"{type(module).__name__} is no nn.Sequential: the order of its layers is not known"
        raise _NoBoundError(msg)
    else:
        yield module


def _check_hooks(module: nn.Module) -> None:
    if module._forward_hooks or module._forward_pre_hooks:  # noqa: SLF001 (no public question)
        msg = f"{type(module).__name__} has forward hooks, which may do anything"
        raise _NoBoundError(msg)


def _passed(module: nn.Module, state: _State) -> _State:
    rule = _RULES.get(type(module))
    if rule is None:
        msg = f"no Lipschitz constant is known of {type(module).__name__}, after a compiled layer"
        raise _NoBoundError(msg)
    _check_hooks(module)
    return rule(module, state)


def _table(layer: Any, state: _State) -> _State:
    facts, unit = layer.certificate, UNIT[layer.dtype]
    error = 0.0
    if state.size is not None:
        if type(layer.projection) is not nn.Linear:
            msg = f"a projection is a {type(layer.projection).__name__}, no nn.Linear"
            raise _NoBoundError(msg)
        error = _linear(layer.projection, state).error
    if not facts.period and error > facts.step:
        msg = (
            f"the phases of a compiled layer are uncertain by {error:.2g} radians, and its slope "
            f"is known only {facts.step:.2g} beyond the table; compile to a smaller tolerance"
        )
        raise _NoBoundError(msg)
    return _State((facts.bound + facts.slope * error) * _UP, (facts.size + facts.bound) * _UP, unit)


def _linear(module: Any, state: _State) -> _State:
    sums = module.weight.detach().double().abs().sum(dim=1)
    bias = torch.zeros_like(sums) if module.bias is None else module.bias.detach().double().abs()
    gamma = _gamma(module.in_features + 2, module.weight.dtype)
    height = float((sums * state.size + bias).max())
    error = float(sums.max()) * state.error + gamma * height
    return _State(error * _UP, height * (1 + gamma) * _UP, state.unit)


def _norm(module: Any, state: _State) -> _State:
    if module.training or module.running_mean is None:
        msg = "BatchNorm1d computes statistics of the batch: call eval() first"
        raise _NoBoundError(msg)
    assert state.size is not None
    one = torch.ones_like(module.running_var)
    weight, bias = (one, 0 * one) if module.weight is None else (module.weight, module.bias)
    rate = weight.detach().double().abs() / torch.sqrt(module.running_var.double() + module.eps)
    height = rate * (state.size + module.running_mean.double().abs()) + bias.detach().abs()
    rounding = _gamma(_ULPS, module.running_var.dtype) * float(height.max())
    error = float(rate.max()) * state.error + rounding
    return _State(error * _UP, (float(height.max()) + rounding) * _UP, state.unit)


def _gamma(count: int, dtype: torch.dtype) -> float:
    if dtype not in UNIT:
        msg = f"roundings of {dtype} are not followed, only those of float32 and float64"
        raise _NoBoundError(msg)
    return count * UNIT[dtype] / (1 - count * UNIT[dtype])


def _same(module: nn.Module, state: _State) -> _State:
    if isinstance(module, nn.Dropout) and module.training:
        msg = "Dropout draws random numbers: call eval() first"
        raise _NoBoundError(msg)
    return state


def _curve(slope: float, largest: float) -> Callable[[Any, _State], _State]:
    """An activation of this slope at most, ``|f(x)|`` at most ``|x|`` or ``largest``."""

    def rule(_: Any, state: _State) -> _State:
        assert state.size is not None
        height = min(state.size, largest) if slope >= 1 else largest
        error = slope * state.error + _ULPS * state.unit * height
        return _State(error * _UP, height * (1 + _ULPS * state.unit) * _UP, state.unit)

    return rule


_RULES: dict[type[nn.Module], Callable[[Any, _State], _State]] = {
    TabulatedQRUN: _table,
    nn.Linear: _linear,
    nn.BatchNorm1d: _norm,
    nn.ReLU: _same,
    nn.Identity: _same,
    nn.Flatten: _same,
    nn.Dropout: _same,
    nn.Tanh: _curve(1.0, 1.0),
    nn.Sigmoid: _curve(0.25, 1.0),
    nn.GELU: _curve(_GELU, math.inf),
}
