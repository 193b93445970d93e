"""Trained networks: in the units of the data, and read back from a run's folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qrun_equiv.training.checkpoint import Checkpoint, read
from qrun_equiv.training.data import Data, Scaler
from qrun_equiv.training.errors import TrainingError
from qrun_equiv.training.layers import build

_FILES = {
    "final": "model.safetensors",
    "best": "checkpoints/best.safetensors",
    "last": "checkpoints/last.safetensors",
}


class Trained(nn.Module):
    """A network between two scalings: ``[..., inputs]`` to ``[..., outputs]`` in the data's units.

    For a classification the outputs are logits, one a class. Scaling is done in float64, outputs
    have the input's dtype.

    Attributes:
        network: what was trained, on scaled numbers; of ``float32`` or ``float64`` weights.
        classes: labels in the order of the outputs; empty for a regression.
        description: what :func:`load` makes the module from, JSON types.
    """

    shift_x: Tensor
    factor_x: Tensor
    shift_y: Tensor
    factor_y: Tensor

    def __init__(
        self, network: nn.Module, description: Mapping[str, Any], scalers: Sequence[Scaler]
    ) -> None:
        super().__init__()
        self.network = network
        self.description = dict(description)
        self.classes: tuple[Any, ...] = tuple(description["classes"])
        for name, scaler in zip("xy", scalers, strict=True):
            self.register_buffer(f"shift_{name}", torch.as_tensor(scaler.shift))
            self.register_buffer(f"factor_{name}", torch.as_tensor(scaler.factor))

    @classmethod
    def of(cls, model: Mapping[str, Any], data: Data, dtype: torch.dtype) -> Trained:
        """A network not trained yet; weights from torch's global generator."""
        description = {
            "model": dict(model),
            "inputs": data.inputs,
            "outputs": data.outputs,
            "dtype": str(dtype).removeprefix("torch."),
            "classes": list(data.classes),
        }
        network = build(model, data.inputs, data.outputs, dtype)
        return cls(network, description, (data.scale_x, data.scale_y))

    def forward(self, x: Tensor) -> Tensor:
        """Predictions at ``x [..., inputs]``, floating."""
        weight = next(self.network.parameters())
        scaled = (x.double() - self.shift_x) * self.factor_x
        values: Tensor = self.network(scaled.to(weight.dtype))
        if self.classes:
            return values.to(x.dtype)
        return (values.double() / self.factor_y + self.shift_y).to(x.dtype)

    def predict(self, x: Tensor) -> list[Any]:
        """The likeliest label of each row of ``x [n, inputs]``.

        Raises:
            TrainingError: the network is no classifier.
        """
        if not self.classes:
            msg = "the network was trained on numbers, not labels: call it"
            raise TrainingError(msg)
        with torch.no_grad():
            return [self.classes[k] for k in self(x).argmax(-1).tolist()]


def load(folder: str | Path, which: str = "final") -> Trained:
    """The module of a training run, on the CPU, in evaluation mode.

    Args:
        folder: the run's folder, or a weights file of one.
        which: ``"final"`` (the best by validation, where there was one, else the last), ``"best"``
            or ``"last"``.

    Raises:
        TrainingError: no such file, or damaged.
    """
    if which not in _FILES:
        msg = f"which={which!r}: one of {', '.join(map(repr, _FILES))}"
        raise TrainingError(msg)
    place = Path(folder)
    path = place / _FILES[which] if place.is_dir() or not place.suffix else place
    if which == "best" and place.is_dir() and not path.exists():
        msg = f"{place} has no best weights, only the last: nothing was validated (data.validation)"
        raise TrainingError(msg)
    return restored(Checkpoint.load(read(path), path), path)


def restored(checkpoint: Checkpoint, where: Path) -> Trained:
    """The module that a checkpoint describes.

    Raises:
        TrainingError: its tensors don't fit.
    """
    said = checkpoint.model
    try:
        dtype = getattr(torch, said["dtype"])
        with torch.random.fork_rng(devices=[]):
            network = build(said["model"], said["inputs"], said["outputs"], dtype)
        zero = Scaler.fitted(torch.zeros(1, said["inputs"]).numpy(), "none")
        wide = 1 if said["classes"] else said["outputs"]
        module = Trained(network, said, (zero, Scaler.fitted(torch.zeros(1, wide).numpy(), "none")))
        module.load_state_dict(checkpoint.tensors)
    except (KeyError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        msg = f"{where}: its weights don't fit its description: {error}"
        raise TrainingError(msg) from error
    return module.eval()
