"""Piecewise polynomials in place of a module, with the module's own second derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from qrun_equiv.scale.piecewise import Grid, differentiate, evaluate, moments_of, transformed


class Interpolation(torch.autograd.Function):
    """Piecewise polynomials at ``phi [n]``; the module's own second derivatives."""

    @staticmethod
    def forward(
        ctx: Any, phi: Tensor, table: Tensor, grid: Grid, element: nn.Module, *named: Any
    ) -> Tensor:
        """Values ``[n, k]``; ``named`` are names and tensors of the module in turn."""
        ctx.grid, ctx.element, ctx.names = grid, element, named[::2]
        # parameters too, as they are now: the second derivatives need them unchanged
        ctx.save_for_backward(phi, table, *named[1::2])
        return evaluate(phi, table, grid)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Gradients with respect to the arguments and the table."""
        (grad,) = grads
        phi, table, *saved = ctx.saved_tensors
        first, second = ctx.needs_input_grad[:2]
        rest = (None, None, *(None for _ in range(2 * len(saved))))
        if not torch.is_grad_enabled():
            batched = torch._C._functorch.is_legacy_batchedtensor(grad)  # noqa: SLF001 (torch's own question)
            of = transformed if batched else differentiate  # is_grads_batched=True
            slopes, sums = of(phi, table, ctx.grid, grad, slope=first, moments=second)
            return slopes, None if sums is None else sums.to(table.dtype), *rest
        slopes = sums = None
        real = table.dtype
        wide, weights = phi.to(real), grad.to(real)
        if first:
            tensors = {
                name: t.to(real) if t.is_floating_point() else t
                for name, t in zip(ctx.names, saved, strict=True)
            }
            with torch.autocast(phi.device.type, enabled=False):
                values = called(ctx.element, tensors, wide)
            (slopes,) = torch.autograd.grad(values, phi, weights, create_graph=True)
        if second:
            sums = moments_of(wide, ctx.grid, weights).to(real)
        return slopes, sums, *rest


def real_of(phi: Tensor) -> torch.dtype:
    """What is computed in."""
    return torch.float64 if phi.dtype == torch.float64 else torch.float32


def called(module: nn.Module, tensors: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """The module at ``x`` with other parameters and buffers, by name.

    As ``torch.func.functional_call``, which puts them into the module for a while: another thread
    that calls it would find them there.
    """
    own = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    result: Tensor = _with(module, {id(t): tensors[name] for name, t in own.items()})(x)
    return result


def _with(module: nn.Module, other: Mapping[int, Tensor]) -> nn.Module:
    """A copy that shares everything but the tensors, which are given by the identity of the old."""
    made = module.__new__(type(module))
    made.__dict__.update(module.__dict__)
    for kind in ("_parameters", "_buffers"):
        named = module.__dict__[kind].items()
        made.__dict__[kind] = {n: None if t is None else other[id(t)] for n, t in named}
    children = module.__dict__["_modules"].items()
    made.__dict__["_modules"] = {n: None if m is None else _with(m, other) for n, m in children}
    return made
