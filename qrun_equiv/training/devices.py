"""Where a run takes place: one process, or all those that ``torchrun`` started."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from typing import Any

import torch

from qrun_equiv.training.errors import ConfigError, missing

DEVICES = ("auto", "cpu", "cuda")


def make_fabric(device: str, precision: str) -> Any:
    """A launched Fabric: a single device, or under ``torchrun`` data parallel over its processes.

    Args:
        device: ``"cpu"``, ``"cuda"``, or ``"auto"``: CUDA where there is one.
        precision: as Fabric names it.

    Raises:
        ConfigError: no such device, too few of them, or Fabric is not installed.
    """
    if device not in DEVICES:
        msg = f"unknown device {device!r}; one of {', '.join(DEVICES)}"
        raise ConfigError(msg)
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "cuda" and not found:
        msg = "there is no CUDA device here (or torch was built without CUDA): --device cpu or auto"
        raise ConfigError(msg)
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment
        from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    except ImportError as error:
        raise missing("lightning-fabric", "training") from error
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    mode: Any = precision
    accelerator = "cuda" if found and device != "cpu" else "cpu"
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if not TorchElasticEnvironment.detect() or processes == 1:
        # named, so that a batch system around this process is not taken for a launcher
        plugins: list[Any] = [LightningEnvironment()]
        sizes: dict[str, Any] = {"devices": 1, "num_nodes": 1, "strategy": "auto"}
    else:
        plugins = [TorchElasticEnvironment()]
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        if accelerator == "cuda" and here > found:
            msg = f"torchrun started {here} processes for {found} CUDA devices: --nproc-per-node"
            raise ConfigError(msg)
        sizes = {"devices": here, "num_nodes": processes // here, "strategy": "ddp"}
    fabric = Fabric(accelerator=accelerator, precision=mode, plugins=plugins, **sizes)
    fabric.launch()
    return fabric


@contextlib.contextmanager
def session(device: str, precision: str) -> Iterator[Any]:
    """A Fabric for one run; default dtype and random generators are left as they were.

    Fabric hands outputs back in torch's default dtype: in double precision it must be float64.
    """
    before = torch.get_default_dtype()
    with contextlib.ExitStack() as generators:
        generators.enter_context(torch.random.fork_rng(devices=[]))
        try:
            fabric = make_fabric(device, precision)
            if fabric.device.type == "cuda":  # this process's own device, no other
                own = torch.random.fork_rng(devices=[fabric.device.index])
                generators.enter_context(own)
            torch.set_default_dtype(dtype_of(precision))
            yield fabric
        finally:
            torch.set_default_dtype(before)
            if torch.distributed.is_initialized():
                # Kept for the next run and for the exit. Gloo's thread drops the last tensors under
                # Python's lock: it must get it once, or the exit can wait for ever.
                time.sleep(0.05)


def dtype_of(precision: str) -> torch.dtype:
    """The dtype of weights and data."""
    return torch.float64 if precision == "64-true" else torch.float32
