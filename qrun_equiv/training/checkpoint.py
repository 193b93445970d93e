"""Checkpoints: one safetensors file each, written in one step; no pickle in or out.

Tensors are the module's (``model.*``), the optimizer's (``optimizer.0``, ``optimizer.1``, ...) and
the state of the Q-RUN layers' knots. Everything else is JSON in the file's metadata; there the
optimizer's state is a tree of plain values, whose tensors are named by number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from qrun_equiv.files import write_atomically
from qrun_equiv.qrun import QRUN
from qrun_equiv.training.errors import TrainingError

FORMAT = "qrun-equiv-training-1"
#: What a Knots object remembers from call to call: it decides the next call's grid, hence its bits.
KNOTS_STATE = ("_exponent", "_checked", "_skip", "_wait", "_failed", "_warned")


@dataclass
class Checkpoint:
    """What a file holds.

    Attributes:
        model: how to make the module again, see :mod:`qrun_equiv.training.trained`.
        tensors: its parameters and buffers.
        run: configuration, step and all else that going on needs; empty in exported weights.
        optimizer: the optimizer's ``state_dict``.
        knots: ``[processes, layers, 6]`` int64, see :func:`knots_state`.
    """

    model: dict[str, Any]
    tensors: dict[str, Tensor]
    run: dict[str, Any] = field(default_factory=dict)
    optimizer: dict[str, Any] = field(default_factory=dict)
    knots: Tensor | None = None

    def save(self, path: Path) -> Path:
        """Write it; an older file stays whole until the new one is.

        Raises:
            TrainingError: the disk is full, or the folder can't be written.
        """
        found: list[Tensor] = []
        tree = _flatten(self.optimizer, found)
        tensors = {f"model.{name}": t for name, t in self.tensors.items()}
        tensors |= {f"optimizer.{k}": t for k, t in enumerate(found)}
        if self.knots is not None:
            tensors["knots"] = self.knots
        # copies: safetensors takes no two tensors that share memory
        tensors = {
            name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()
        }
        metadata = {"format": FORMAT, "model": self.model, "run": self.run, "optimizer": tree}
        texts = {name: json.dumps(value) for name, value in metadata.items()}
        return write(path, safetensors.torch.save(tensors, texts))

    @classmethod
    def load(cls, content: bytes, where: Path) -> Checkpoint:
        """Read one from a file's bytes.

        Raises:
            TrainingError: no such format, or damaged.
        """
        try:
            tensors = safetensors.torch.load(content)
            texts = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            metadata = {k: json.loads(v) for k, v in texts["__metadata__"].items()}
            if metadata["format"] != FORMAT:
                raise ValueError(f"its format is {metadata['format']!r}, not {FORMAT!r}")  # noqa: TRY301
            return cls(
                model=metadata["model"],
                tensors={n[6:]: t for n, t in tensors.items() if n.startswith("model.")},
                run=metadata["run"],
                optimizer=_unflatten(metadata["optimizer"], tensors),
                knots=tensors.get("knots"),
            )
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            msg = f"{where} is no checkpoint of qrun-equiv, or damaged: {error}"
            raise TrainingError(msg) from error


def read(path: Path) -> bytes:
    """Bytes of a file.

    Raises:
        TrainingError: it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        msg = f"can't read {path}: {error.strerror or error}"
        raise TrainingError(msg) from error


def write(path: Path, content: str | bytes) -> Path:
    """Write a file of the run in one step.

    Raises:
        TrainingError: the disk is full, or the folder can't be written.
    """
    try:
        return write_atomically(path, content)
    except OSError as error:
        msg = (
            f"can't write {path}: {error.strerror or error}; make room or take another folder; "
            "what was written before is whole, and --resume continues from it"
        )
        raise TrainingError(msg) from error


def knots_state(module: nn.Module) -> Tensor:
    """What the Q-RUN layers' knots remember, ``[layers, 6]`` int64.

    The step between knots follows the calls before. A run that goes on without it gives the same
    numbers only within the knots' tolerance.
    """
    rows = [
        [int(getattr(knots, name)) for name in KNOTS_STATE]
        for knots in (layer._knots for layer in _layers(module))  # noqa: SLF001
    ]
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, len(KNOTS_STATE))


def restore_knots(module: nn.Module, state: Tensor) -> None:
    """Undo :func:`knots_state`."""
    for layer, row in zip(_layers(module), state.tolist(), strict=True):
        knots = layer._knots  # noqa: SLF001
        for name, value in zip(KNOTS_STATE, row, strict=True):
            setattr(knots, name, type(getattr(knots, name))(value))


def _layers(module: nn.Module) -> list[QRUN]:
    return [m for m in module.modules() if isinstance(m, QRUN)]


def _flatten(value: Any, found: list[Tensor]) -> Any:
    """A tree of JSON values; tensors go to ``found`` and leave their number."""
    if isinstance(value, Tensor):
        found.append(value)
        return {"tensor": len(found) - 1}
    if isinstance(value, dict):
        return {"items": [[key, _flatten(item, found)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        items = [_flatten(item, found) for item in value]
        return {"list": items} if isinstance(value, list) else {"tuple": items}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    msg = f"the optimizer's state holds {type(value).__name__}, which can't be saved"
    raise TrainingError(msg)


def _unflatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, items),) = value.items()
    if kind == "tensor":
        return tensors[f"optimizer.{items}"]
    if kind == "items":
        return {key: _unflatten(item, tensors) for key, item in items}
    return {"list": list, "tuple": tuple}[kind](_unflatten(item, tensors) for item in items)
