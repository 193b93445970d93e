"""The classical counterpart as a source: a torch callable, held to its contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qrun_equiv import tolerances
from qrun_equiv.errors import CounterpartError, UndecidedError
from qrun_equiv.frontends.base import Array, Gradient, Sizes
from qrun_equiv.frontends.digest import fingerprint, weights


class CounterpartSource:
    """A callable ``(x [batch, n_features], theta) -> [batch]`` or ``[batch, n_outputs]``.

    Both arguments are float64 tensors and so must the result be; a module that takes ``x`` alone
    (weights of its own) is called with ``x``.

    Raises:
        CounterpartError: not callable, or its signature takes neither ``x`` nor ``(x, theta)``.
    """

    def __init__(self, counterpart: Any, sizes: Sizes, *, name: str = "counterpart") -> None:
        if not callable(counterpart):
            msg = f"the counterpart must be callable, got {type(counterpart).__name__}"
            raise CounterpartError(msg)
        self.name = name
        self.sizes = sizes
        self.counterpart: Callable[..., Any] = counterpart
        self._takes_theta = _takes_theta(counterpart)
        if isinstance(counterpart, torch.nn.Module):
            _refuse_single_precision(counterpart)

    @property
    def simulator(self) -> str:
        """Torch version."""
        return f"torch {torch.__version__}"

    def _call(self, x: Tensor, theta: Tensor) -> Tensor:
        theta = theta.reshape(self.sizes.parameter_shape)
        try:
            out = self.counterpart(x, theta) if self._takes_theta else self.counterpart(x)
        except Exception as error:
            msg = (
                f"the counterpart raised {type(error).__name__} on x {tuple(x.shape)} and theta "
                f"{tuple(theta.shape)}: {' '.join(str(error).split())[:300]}"
            )
            raise CounterpartError(msg) from error
        return _checked(out, x.shape[0])

    def values(self, x: Array, theta: Array) -> Array:
        """Outputs ``[batch, n_outputs]``; see :class:`Source`."""
        # A counterpart may use autograd inside, so gradients stay enabled.
        return self._call(torch.tensor(x), torch.tensor(theta)).detach().numpy().copy()

    def gradients(self, x: Array, theta: Array) -> Gradient:
        """Autograd of each row's outputs; see :class:`Source`. A detached input counts as 0."""
        features, parameters = [], []
        for row in x:
            leaf = torch.tensor(row[None], requires_grad=True)
            weights = torch.tensor(theta, requires_grad=True)
            out = self._call(leaf, weights)
            gx, gt = [], []
            for k in range(out.shape[1]):
                pair: tuple[Tensor | None, ...] = (None, None)
                if out.requires_grad:
                    pair = torch.autograd.grad(
                        out[0, k], (leaf, weights), retain_graph=True, allow_unused=True
                    )
                gx.append(torch.zeros_like(leaf) if pair[0] is None else pair[0])
                gt.append(torch.zeros_like(weights) if pair[1] is None else pair[1])
            features.append(torch.cat(gx).detach().numpy())
            parameters.append(torch.stack(gt).detach().numpy())
        return Gradient(np.stack(features), np.stack(parameters))

    def check_is_function(self, x: Array, theta: Array) -> None:
        """Refuse a counterpart whose rows are no function of (x, theta) alone.

        Raises:
            UndecidedError: two calls differ (random, or it changes state), or a row's output
                depends on the other rows of the batch, or a number is not finite.
        """
        first, again = self.values(x, theta), self.values(x, theta)
        if not np.all(np.isfinite(first)):
            row = int(np.argwhere(~np.isfinite(first))[0, 0])
            msg = f"the counterpart gives a non-finite value at x={x[row].tolist()}"
            raise UndecidedError(msg)
        size = tolerances.REPEAT * max(1.0, float(np.max(np.abs(first), initial=0.0)))
        if np.max(np.abs(first - again), initial=0.0) > size:
            msg = (
                "the counterpart is not deterministic: two calls on the same rows differ. Call "
                ".eval(), fix its seed, or keep it from changing its own state"
            )
            raise UndecidedError(msg)
        rows = np.concatenate([self.values(row[None], theta) for row in x])
        if np.max(np.abs(first - rows), initial=0.0) > size:
            msg = (
                "an output of the counterpart depends on the other rows of its batch (batch "
                "normalisation in training mode?): call .eval() or treat rows separately"
            )
            raise UndecidedError(msg)

    def weights(self) -> str:
        """Digest of the tensors it holds: they must not change while it is evaluated."""
        return weights(self.counterpart)

    def fingerprint(self) -> str:
        """Source text, closure and weights."""
        return fingerprint(self.counterpart)


def _checked(out: Any, batch: int) -> Tensor:
    if not isinstance(out, Tensor):
        msg = f"the counterpart must return a torch.Tensor, got {type(out).__name__}"
        raise CounterpartError(msg)
    if out.dtype != torch.float64:
        msg = (
            f"the counterpart returned {out.dtype}; checks run in float64: compute in the dtype of "
            "x, or call .double() on the module"
        )
        raise CounterpartError(msg)
    if out.ndim not in (1, 2) or out.shape[0] != batch:
        msg = (
            f"the counterpart returned shape {tuple(out.shape)} for {batch} row(s); expected "
            f"({batch},) or ({batch}, n_outputs)"
        )
        raise CounterpartError(msg)
    return out[:, None] if out.ndim == 1 else out


def _refuse_single_precision(module: torch.nn.Module) -> None:
    for name, weight in module.named_parameters():
        if weight.is_floating_point() and weight.dtype != torch.float64:
            msg = f"the counterpart's weight {name!r} is {weight.dtype}; call .double() on it"
            raise CounterpartError(msg)


def _takes_theta(counterpart: Callable[..., Any]) -> bool:
    target = counterpart.forward if isinstance(counterpart, torch.nn.Module) else counterpart
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return True
    positional = [p for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    if any(p.kind == p.VAR_POSITIONAL for p in parameters) or len(positional) >= 2:
        return True
    if len(positional) == 1:
        return False
    msg = f"the counterpart takes no argument; it must take (x, theta) or x ({counterpart})"
    raise CounterpartError(msg)
