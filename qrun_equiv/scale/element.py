"""The exact path of a Q-RUN layer's one function, fused on a GPU: re-upload and MLP readout.

In torch an element takes ``2 L`` features and as many activations as the MLP has units through
memory, several times. The kernels of :mod:`qrun_equiv.scale.triton_element` keep them in registers
and compute them again in the backward pass. Where they can't serve, plain torch operations do the
same; :func:`obstacle` says why. Second derivatives always are those of the torch operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from qrun_equiv.scale.piecewise import INSTALL, triton_fault

Precision = Literal["ieee", "tf32x3", "tf32", "bf16"]
MOST_REUPLOADS, MOST_HIDDEN, MOST_DEPTH, MOST_OUTPUTS = 16, 64, 3, 16
_WIDEST_FLOAT64 = 32  # more do not fit the shared memory of most devices
_DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class Parts:
    """What one element computes: ``MLP(cos s_1 phi, sin s_1 phi, cos s_2 phi, ...)``.

    Attributes:
        scales: ``[L]``, shared by all elements.
        layers: weight ``[out, in]`` and bias ``[out]`` of each affine layer, from ``2 L`` inputs
            to the values.
        activation: between the layers.
        sine: whether the sine of the values is taken.
    """

    scales: Tensor
    layers: tuple[tuple[Tensor, Tensor], ...]
    activation: Literal["tanh", "relu"] = "tanh"
    sine: bool = False

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The scales, then weight and bias of each layer."""
        return self.scales, *(tensor for layer in self.layers for tensor in layer)

    def replaced(self, tensors: tuple[Tensor, ...]) -> Parts:
        """The same with other :attr:`tensors`."""
        layers = tuple(zip(tensors[1::2], tensors[2::2], strict=True))
        return Parts(tensors[0], layers, self.activation, self.sine)


def parts_of(layer: nn.Module) -> Parts:
    """The parts of a ``QRUN`` layer.

    Raises:
        TypeError: it is no such layer.
        ValueError: its scales differ from element to element, or its readout is no MLP.
    """
    reuploading = getattr(layer, "reuploading", None)
    readout = getattr(getattr(layer, "observable", None), "readout", None)
    if reuploading is None or readout is None:
        msg = f"expected a QRUN layer, got {type(layer).__name__}"
        raise TypeError(msg)
    if reuploading.scales.ndim != 1:
        msg = "the scales differ from element to element: call the layer itself"
        raise ValueError(msg)
    stack = getattr(readout, "layers", None)
    if not isinstance(stack, nn.Sequential):
        msg = f"the readout {type(readout).__name__} is no MLP: call the layer itself"
        raise ValueError(msg)  # noqa: TRY004 (a layer of another kind, not of another type)
    affine = tuple((m.weight, m.bias) for m in stack if isinstance(m, nn.Linear))
    sine = getattr(layer, "outer", "none") == "sin"
    return Parts(reuploading.scales, affine, readout.activation, sine)


def plain_element(parts: Parts, phi: Tensor) -> Tensor:
    """Values ``[..., k]`` at phases ``[...]`` (radians) by torch operations."""
    angles = phi[..., None] * parts.scales
    values = torch.stack((torch.cos(angles), torch.sin(angles)), -1).flatten(-2)
    activate = torch.tanh if parts.activation == "tanh" else torch.relu
    for weight, bias in parts.layers[:-1]:
        values = activate(nn.functional.linear(values, weight, bias))
    values = nn.functional.linear(values, *parts.layers[-1])
    return torch.sin(values) if parts.sine else values


def fused_element(
    element: Parts | nn.Module,
    phi: Tensor,
    *,
    precision: Precision = "ieee",
    using: Literal["triton", "torch"] | None = None,
) -> Tensor:
    """The layer's one function at every phase, by kernels where they can serve.

    Args:
        element: the parts, or a ``QRUN`` layer.
        phi: phases (radians), ``[...]``: float32 or float64 like the parameters, or bfloat16 or
            float16: these are computed in float32 and rounded at the end.
        precision: how float32 products are taken: ``"ieee"`` as they are; ``"tf32x3"``, ``"tf32"``
            and ``"bf16"`` on tensor cores, good to about 1e-6, 1e-3 and 1e-2 of the values.
        using: ``"torch"`` for the plain operations, ``"triton"`` for the kernels or an error; None
            chooses (:func:`obstacle`).

    Returns:
        ``[..., k]`` in the dtype of ``phi``, differentiable twice with respect to the phases and
        all parts.

    Raises:
        TypeError: ``phi`` is not real floating point.
        ValueError: an unknown precision, or kernels asked for where they can't serve.
    """
    parts = element if isinstance(element, Parts) else parts_of(element)
    if not phi.is_floating_point():
        msg = f"phases must be real floating point, got {phi.dtype}; cast them: phi.float()"
        raise TypeError(msg)
    if precision not in get_args(Precision):
        choices = ", ".join(map(repr, get_args(Precision)))
        msg = f"unknown precision {precision!r}; choose one of {choices}"
        raise ValueError(msg)
    reason = _unfit(parts, phi) if using == "triton" else obstacle(parts, phi)
    if using == "triton" and reason:
        msg = f"the kernels can't serve: {reason}"
        raise ValueError(msg)
    if using == "torch" or reason:
        return _in_dtype(parts, phi)
    flat: Tensor = _Fused.apply(phi.reshape(-1), parts, precision, *parts.tensors)  # type: ignore[no-untyped-call]
    return flat.reshape(*phi.shape, flat.shape[-1])


def obstacle(element: Parts | nn.Module, phi: Tensor) -> str:
    """Why torch operations serve these phases instead of the kernels; empty if kernels do."""
    parts = element if isinstance(element, Parts) else parts_of(element)
    if torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():  # noqa: SLF001
        return "the code is being compiled, exported or transformed"
    return _unfit(parts, phi) or triton_fault(phi.device)


def _unfit(parts: Parts, phi: Tensor) -> str:
    """What about the sizes and dtypes the kernels were not written for; empty if nothing."""
    widths = [len(bias) for _, bias in parts.layers]
    sizes = (
        ("re-uploads", len(parts.scales), MOST_REUPLOADS),
        ("hidden units", max(widths[:-1], default=0), MOST_HIDDEN),
        ("hidden layers", len(widths) - 1, MOST_DEPTH),
        ("outputs", widths[-1], MOST_OUTPUTS),
    )
    for name, found, most in sizes:
        if not 1 <= found <= most:
            return f"{found} {name}, the kernels take 1 to {most}"
    if len(set(widths[:-1])) > 1:
        return f"hidden layers of different widths {widths[:-1]}"
    real = _real(phi)
    if real == torch.float64 and max(widths[:-1]) > _WIDEST_FLOAT64:
        return f"float64 with more than {_WIDEST_FLOAT64} hidden units"
    if phi.dtype not in _DTYPES or any(t.dtype not in _DTYPES for t in parts.tensors):
        return f"phases of {phi.dtype} and parameters of {parts.scales.dtype}"
    if real == torch.float32 and any(t.dtype == torch.float64 for t in parts.tensors):
        return "parameters are float64 and phases are not"
    if any(t.device != phi.device for t in parts.tensors):
        return "phases and parameters are on different devices"
    return ""


def _real(phi: Tensor) -> torch.dtype:
    """What is computed in."""
    return torch.float64 if phi.dtype == torch.float64 else torch.float32


def _in_dtype(parts: Parts, phi: Tensor) -> Tensor:
    """The plain operations, short types in float32 as the kernels do."""
    real = _real(phi)
    wide = parts.replaced(tuple(t.to(real) for t in parts.tensors))
    return plain_element(wide, phi.to(real)).to(phi.dtype)


class _Fused(torch.autograd.Function):
    """Kernels for values and first derivatives at ``phi [n]``; torch operations for second ones."""

    @staticmethod
    def forward(ctx: Any, phi: Tensor, parts: Parts, precision: str, *tensors: Tensor) -> Tensor:
        ctx.parts, ctx.precision = parts, precision
        ctx.save_for_backward(phi, *tensors)
        values: Tensor = _kernels().forward(phi, parts.replaced(tensors), precision)
        return values

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        phi, *tensors = ctx.saved_tensors
        parts = ctx.parts.replaced(tuple(tensors))
        wanted = [ctx.needs_input_grad[0], *ctx.needs_input_grad[3:]]
        if not torch.is_grad_enabled():
            found = _kernels().backward(phi, parts, ctx.precision, grad, slope=wanted[0])
        else:
            given = [t for t, wants in zip((phi, *tensors), wanted, strict=True) if wants]
            values = _in_dtype(parts, phi)
            results = iter(torch.autograd.grad(values, given, grad, create_graph=True))
            found = [next(results) if wants else None for wants in wanted]
        kept = [f if wants else None for f, wants in zip(found, wanted, strict=True)]
        return kept[0], None, None, *kept[1:]


def _kernels() -> Any:
    """The module of the kernels: imported when first used, for it imports Triton."""
    try:
        from qrun_equiv.scale import triton_element
    except ImportError as error:
        msg = f"the fused kernels need the package triton: {INSTALL}"
        raise ImportError(msg) from error
    return triton_element
