"""Knots under ``torch.compile``: one opaque operator, so that compiled models keep the quick path.

:class:`~qrun_equiv.scale.knots.Knots` looks at the phases to choose its grid, which no compiler can
trace. The operator ``qrun_equiv::knots`` hides that: a graph holds a call of it, with the phases,
the tensors of the layer's function, and a recipe from which the function is built again. Its
backward pass evaluates the knots anew. Second derivatives are not offered (compiled graphs have
none); :func:`~qrun_equiv.scale.paths.exact_paths` is obeyed when the graph runs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

from qrun_equiv.scale.knots import Knots, common_period
from qrun_equiv.scale.paths import quick_path_allowed

#: Builds a layer's function from a recipe, on the device "meta"; its first parameter is the scales.
Builder = Callable[[str], nn.Module]
_BUILDERS: list[Builder] = []
#: What is dispatched on outside of all operators; inside of one nothing is recorded for autograd.
_RECORDING = torch._C._dispatch_tls_local_include_set(), torch._C._dispatch_tls_local_exclude_set()  # noqa: SLF001


def built_by(builder: Builder) -> Builder:
    """Name the builder of all recipes (a decorator)."""
    _BUILDERS[:] = [builder]
    return builder


@torch.library.custom_op("qrun_equiv::knots", mutates_args=())
def knots(phi: Tensor, tensors: Sequence[Tensor], recipe: str, outputs: int, flags: str) -> Tensor:
    """Values ``[..., outputs]`` at phases (radians), by knots where they can serve.

    Args:
        phi: phases, ``[...]``.
        tensors: the parameters of the function that the recipe builds, in their order.
        recipe: what the builder takes.
        outputs: values a phase.
        flags: words; ``trained`` where derivatives with respect to the scales are wanted,
            ``always`` where few phases are to go by knots, too.
    """
    with torch.no_grad():
        values = _evaluated(_bound(recipe, tensors), phi, recipe, flags)
    return values.reshape(*phi.shape, outputs)


@torch.library.custom_op("qrun_equiv::knots_backward", mutates_args=())
def knots_backward(
    grad: Tensor, phi: Tensor, tensors: Sequence[Tensor], recipe: str, flags: str
) -> list[Tensor]:
    """Gradients of ``sum(grad * values)``: of the phases, then of the tensors."""
    element, leaf = _bound(recipe, tensors), phi.detach().requires_grad_()
    with torch._C._ForceDispatchKeyGuard(*_RECORDING), torch.enable_grad():  # noqa: SLF001
        values = _evaluated(element, leaf, recipe, flags)
        found = torch.autograd.grad(values, [leaf, *element.parameters()], grad)
    return [gradient.contiguous() for gradient in found]


@knots.register_fake
def _(phi: Tensor, tensors: Any, recipe: str, outputs: int, flags: str) -> Tensor:
    del tensors, recipe, flags
    return phi.new_empty((*phi.shape, outputs))


@knots_backward.register_fake
def _(grad: Tensor, phi: Tensor, tensors: Any, recipe: str, flags: str) -> list[Tensor]:
    del grad, recipe, flags
    return [phi.new_empty(t.shape, dtype=t.dtype) for t in (phi, *tensors)]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    del output
    phi, tensors, recipe, _, flags = inputs
    ctx.constants = recipe, flags
    ctx.save_for_backward(phi, *tensors)


def _backward(ctx: Any, grad: Tensor) -> tuple[Any, ...]:
    phi, *tensors = ctx.saved_tensors
    slopes, *rest = knots_backward(grad, phi, tensors, *ctx.constants)
    return slopes, rest, None, None, None


knots.register_autograd(_backward, setup_context=_remember)


def _evaluated(element: nn.Module, phi: Tensor, recipe: str, flags: str) -> Tensor:
    def period() -> float:
        scales = next(element.parameters())
        return 0.0 if "trained" in flags else common_period(scales.tolist())

    quick = _state(recipe, phi.dtype, phi.device, flags)
    with torch.autocast(phi.device.type, enabled=False):
        values = quick(element, phi, period) if quick_path_allowed() else element(phi)
        return values.to(phi.dtype).contiguous()


def _bound(recipe: str, tensors: Sequence[Tensor]) -> nn.Module:
    """The function with these tensors as its parameters."""
    element = copy.deepcopy(_template(recipe))
    for name, tensor in zip(dict(element.named_parameters()), tensors, strict=True):
        where, _, last = name.rpartition(".")
        element.get_submodule(where).register_parameter(last, nn.Parameter(tensor.detach()))
    return element


@lru_cache(maxsize=256)
def _template(recipe: str) -> nn.Module:
    return _BUILDERS[0](recipe)


@lru_cache(maxsize=256)
def _state(recipe: str, dtype: torch.dtype, device: torch.device, flags: str) -> Knots:
    """The step that a function of this kind needed last."""
    del recipe, dtype, device
    return Knots(always="always" in flags)
