"""Which way layers with a choice compute: their quick path, or the exact one inside a block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad


@dataclass(slots=True)
class Choices:
    """What happened in a block of :func:`exact_paths`.

    Attributes:
        withheld: whether a layer was kept from its quick path (it might have taken it).
    """

    withheld: bool = False


_BLOCK: ContextVar[Choices | None] = ContextVar("exact paths", default=None)


@contextmanager
def exact_paths() -> Iterator[Choices]:
    """Every Q-RUN layer called in the block evaluates its readout at every element.

    Verification does so: verdicts are about the exact path, and say so.
    """
    choices = Choices()
    token = _BLOCK.set(choices)
    try:
        yield choices
    finally:
        _BLOCK.reset(token)


def quick_path_allowed() -> bool:
    """Whether no such block is open; asked by a layer that has the choice."""
    choices = _BLOCK.get()
    if choices is not None:
        choices.withheld = True
    return choices is None


def obstacle(module: nn.Module, x: Tensor, tensors: Mapping[str, Tensor]) -> str:
    """Why an eager quick path can't serve, whatever the values are; empty if it can.

    Args:
        module: what is evaluated.
        x: its argument.
        tensors: its parameters and buffers.
    """
    begun = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    if begun and torch.cuda.is_current_stream_capturing():
        return "a CUDA graph is captured"
    if any(getattr(part, "_is_replica", False) for part in module.modules()):
        return "the module is a replica (nn.DataParallel), which has no parameters"
    return watcher(x, *tensors.values())


def watcher(x: Tensor, *more: Tensor) -> str:
    """Who has to see every operation, which compiled code would hide; empty if nobody."""
    if torch.compiler.is_compiling() or torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
        return "the code is being compiled or exported"
    # torch has no public questions of the next kinds
    proxy = torch._C._TorchDispatchModeKey.PROXY  # noqa: SLF001
    if torch._C._get_dispatch_mode(proxy) is not None:  # noqa: SLF001
        return "the code is being traced"
    if type(x) not in {Tensor, nn.Parameter} or x.device.type not in {"cpu", "cuda"}:
        return "the arguments are no plain tensor on a CPU or a CUDA device"
    if torch._C._are_functorch_transforms_active():  # noqa: SLF001
        return "a function transform is active"
    duals = (forward_ad.unpack_dual(t) for t in (x, *more))  # type: ignore[no-untyped-call]
    if any(dual.tangent is not None for dual in duals):
        return "derivatives are taken forward"
    return ""
