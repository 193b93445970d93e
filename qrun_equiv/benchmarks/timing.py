"""Times of alternatives taken in turn, and what autograd keeps for the backward pass."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Step = Callable[[], object]
Progress = Callable[[str], None]


def silent(message: str) -> None:
    """Tell nobody."""
    del message


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of one step, over its repeats; interruptions only ever add."""

    median: float
    best: float


def clocked(step: Step, device: torch.device) -> float:
    """Seconds of one call: by events where the device works on its own, after it has caught up."""
    if device.type == "cuda":
        start = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        torch.cuda.synchronize(device)
        start.record()
        step()
        end.record()
        torch.cuda.synchronize(device)
        return float(start.elapsed_time(end)) / 1e3
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def interleaved(
    steps: Mapping[str, Step],
    device: torch.device,
    *,
    repeats: int,
    warmup: int = 2,
    progress: Progress = silent,
) -> dict[str, Times | str]:
    """Times of several steps that take turns, so that a busy machine slows them alike.

    Args:
        steps: name -> what is timed.
        device: where the work is done.
        repeats: timed calls of each.
        warmup: calls of each before.
        progress: told what runs.

    Returns:
        For each step its times, or why it failed: out of memory, or not possible here.
    """
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    failed: dict[str, Times | str] = {}
    for turn in range(warmup + repeats):
        for name, step in steps.items():
            if name in failed:
                continue
            progress(f"{name}, {'warm-up' if turn < warmup else f'{turn - warmup + 1}/{repeats}'}")
            try:
                found = clocked(step, device)
            except (RuntimeError, MemoryError) as error:
                failed[name] = why(error)
                release(device)
                continue
            if turn >= warmup:
                seconds[name].append(found)
    return {
        name: failed.get(name) or Times(statistics.median(found), min(found))
        for name, found in seconds.items()
    }


def why(error: BaseException) -> str:
    """One line about a failure."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "alloc" in str(error):
        return "out of memory"
    return str(error).strip().splitlines()[0][:100] if str(error) else type(error).__name__


def release(device: torch.device) -> None:
    """Give memory back that only a cache holds."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def saved_bytes(module: nn.Module, x: Tensor) -> int:
    """Bytes of distinct storages that autograd saves in one forward pass, parameters aside."""
    parameters = {p.untyped_storage().data_ptr() for p in module.parameters()}
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = module(x)
    del result
    return sum(storages.values())
