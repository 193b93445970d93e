"""Least squares for small torch modules: Levenberg and Marquardt's damped Gauss-Newton steps.

On the readouts here (tens to a thousand weights, one feature) a hundred of these steps reach errors
that tens of thousands of steps of a gradient method don't. Marquardt, J. SIAM 11, 431 (1963).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

_FIRST, _LEAST, _TRIES = 1e-3, 1e-15, 30
_HARDER, _EASIER = 2.0, 8.0  # damping after a step that failed, and after one that helped


def least_squares(module: nn.Module, x: Tensor, y: Tensor, steps: int) -> float:
    """Change the module's weights to make ``sum (module(x) - y)^2`` small.

    Args:
        module: ``[batch, features] -> [batch, outputs]``, rows separate, float64.
        x: ``[batch, features]``.
        y: ``[batch, outputs]``.
        steps: at most as many steps; it stops earlier where none helps any more.

    Returns:
        The mean square that is left.
    """
    named = dict(module.named_parameters())
    sizes = [p.numel() for p in named.values()]

    def weights(flat: Tensor) -> dict[str, Tensor]:
        parts = torch.split(flat, sizes)
        return {n: v.reshape(p.shape) for (n, p), v in zip(named.items(), parts, strict=True)}

    def outputs(flat: Tensor, row: Tensor) -> Tensor:
        values: Tensor = functional_call(module, weights(flat), (row[None],))
        return values[0]

    def residual(flat: Tensor) -> Tensor:
        values: Tensor = functional_call(module, weights(flat), (x,))
        return (values - y).reshape(-1)

    jacobian = vmap(jacrev(outputs), (None, 0))
    with torch.no_grad():
        flat = torch.cat([p.reshape(-1) for p in named.values()])
        rest, damping = residual(flat), _FIRST
        for _ in range(steps):
            slope = jacobian(flat, x).reshape(len(rest), -1)
            found = _step(residual, flat, rest, slope, damping)
            if found is None:
                break
            flat, rest, damping = found
        for name, value in weights(flat).items():
            named[name].copy_(value)
    return float(torch.mean(rest**2))


def _step(
    residual: Callable[[Tensor], Tensor],
    flat: Tensor,
    rest: Tensor,
    slope: Tensor,
    damping: float,
) -> tuple[Tensor, Tensor, float] | None:
    """A step that lowers the residual, with its damping; None where there is none."""
    wide = slope.shape[0] < slope.shape[1]  # the smaller of the two equivalent systems
    gram = slope @ slope.mT if wide else slope.mT @ slope
    right = rest if wide else slope.mT @ rest
    unit = torch.eye(len(gram), dtype=gram.dtype)
    for _ in range(_TRIES):
        factor, failed = torch.linalg.cholesky_ex(gram + damping * unit)
        if not failed:
            solved = torch.cholesky_solve(right[:, None], factor)[:, 0]
            moved = flat - (slope.mT @ solved if wide else solved)
            left = residual(moved)
            if float(left @ left) < float(rest @ rest):
                return moved, left, max(damping / _EASIER, _LEAST)
        damping *= _HARDER
    return None
