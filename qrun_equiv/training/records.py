"""What a run leaves to read: log.csv, TensorBoard events, spectra, and the loss curves drawn."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from qrun_equiv.qrun import QRUN
from qrun_equiv.training.checkpoint import write
from qrun_equiv.training.errors import ConfigError, TrainingError, missing

COLUMNS = (
    "step", "epoch", "loss", "validation_loss", "validation_accuracy", "learning_rate",
    "gradient_norm", "seconds", "samples_per_second",
)  # fmt: skip
_TRAIN, _VALIDATION, _BEST = "#2a6fbb", "#d9730d", "#555555"


def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a log; an entry that is not there is NaN. A torn last line is left out."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        lines = [line for line in stream if line.endswith("\n")]
    return [
        {name: float(text) if text else math.nan for name, text in row.items()}
        for row in csv.DictReader(lines)
    ]


class Log:
    """``log.csv``, and TensorBoard's events where asked for.

    Args:
        folder: of the run.
        tensorboard: whether to write events, too.
        after: a run that goes on: rows of later steps are dropped.

    Raises:
        ConfigError: TensorBoard is not installed.
        TrainingError: the file can't be written.
    """

    def __init__(self, folder: Path, *, tensorboard: bool = False, after: int = 0) -> None:
        self.path = folder / "log.csv"
        kept = [row for row in read_log(self.path) if row["step"] <= after]
        body = "".join(_line(row) for row in kept)
        write(self.path, ",".join(COLUMNS) + "\n" + body)
        self._events: Any = None
        if tensorboard:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise missing("tensorboard", "train.tensorboard") from error
            self._events = SummaryWriter(folder / "tensorboard", purge_step=after + 1)

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row; it is on the disk when this returns."""
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(_line(row))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            msg = f"can't write {self.path}: {error.strerror or error}; --resume continues"
            raise TrainingError(msg) from error
        if self._events is not None:
            for name, value in row.items():
                if name not in {"step", "epoch"} and math.isfinite(value):
                    self._events.add_scalar(name, value, int(row["step"]))
            self._events.flush()

    def close(self) -> None:
        """Close the events."""
        if self._events is not None:
            self._events.close()


class Spectra:
    """How the spectrum of the first Q-RUN layer's function moves: ``spectrum.npz``.

    Args:
        network: one of its layers must be a :class:`~qrun_equiv.qrun.QRUN` with shared scales.
        folder: of the run.
        frequencies: those recorded, per radian of the phase; else all ``|n_1 s_1 + ... + n_L
            s_L|`` with ``n`` in {-1, 0, 1} and the first scales, as of one circuit an element.
        after: a run that goes on: spectra of later steps are dropped.

    Raises:
        ConfigError: no such layer, or so many frequencies that they must be listed.
    """

    def __init__(
        self, network: nn.Module, folder: Path, frequencies: tuple[float, ...], after: int
    ) -> None:
        from qrun_equiv.spectra.recorder import SpectrumRecorder

        layers = [m for m in network.modules() if isinstance(m, QRUN)]
        if not layers or layers[0].reuploading.mode == "per-element":
            msg = "train.spectrum_every needs a qrun layer with shared scales"
            raise ConfigError(msg)
        self.path = folder / "spectrum.npz"
        self._steps: list[int] = []
        self._before: dict[str, Any] = {}
        if after and self.path.exists():
            with np.load(self.path, allow_pickle=False) as body:
                self._before = dict(body)
        wanted: Any = frequencies or self._before.get("frequencies")
        if wanted is None:
            wanted = _sums(layers[0].reuploading.scales.tolist())
        self._recorder = SpectrumRecorder(layers[0], frequencies=wanted)
        if self._before:
            kept = self._before["steps"] <= after
            fixed = {"frequencies", "inside"}
            self._before = {
                name: array if name in fixed else array[kept]
                for name, array in self._before.items()
            }

    def add(self, step: int, loss: float) -> None:
        """Take a spectrum."""
        self._recorder(loss)
        self._steps.append(step)

    def save(self) -> Path | None:
        """Write all of them, see :meth:`qrun_equiv.spectra.recorder.SpectrumRecorder.arrays`."""
        if not self._steps:
            return self.path if self._before else None
        arrays = self._recorder.arrays() | {"steps": np.array(self._steps)}
        for name, array in self._before.items():
            if name not in {"frequencies", "inside"}:
                arrays[name] = np.concatenate([array, arrays[name]])
        body = io.BytesIO()
        np.savez(body, **arrays)  # type: ignore[arg-type]
        return write(self.path, body.getvalue())


def _sums(scales: list[float]) -> list[float]:
    most = 8
    if len(scales) > most:
        msg = f"{len(scales)} scales have too many sums: list train.spectrum_frequencies"
        raise ConfigError(msg)
    sums = {0.0}
    for scale in scales:
        sums |= {s + sign * scale for s in sums for sign in (-1, 1)}
    return sorted({abs(s) for s in sums})


def draw_curves(rows: list[dict[str, float]], best: int, path: Path) -> Path:
    """The losses against the step, as PNG; log scale where all are positive.

    Args:
        rows: of :func:`read_log`.
        best: step of the best validation, marked; 0 for none.
        path: the PNG.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.8), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    steps = np.array([row["step"] for row in rows])
    shown = [("loss", "training", _TRAIN), ("validation_loss", "validation", _VALIDATION)]
    values = {name: np.array([row[name] for row in rows]) for name, _, _ in shown}
    for name, label, colour in shown:
        seen = np.isfinite(values[name])
        if seen.any():
            marker = "o" if seen.sum() == 1 else "none"
            axes.plot(steps[seen], values[name][seen], marker=marker, color=colour, label=label)
    finite = np.concatenate([v[np.isfinite(v)] for v in values.values()])
    if len(finite) and finite.min() > 0:
        axes.set_yscale("log")
    if best:
        axes.axvline(best, color=_BEST, lw=0.8, ls=":", label=f"best (step {best})")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.grid(visible=True, alpha=0.25, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if len(finite):
        axes.legend(frameon=False)
    body = io.BytesIO()
    figure.savefig(body, format="png")
    return write(path, body.getvalue())


def _line(row: Mapping[str, float]) -> str:
    cells = []
    for name in COLUMNS:
        value = row.get(name, math.nan)
        text = str(int(value)) if name == "step" else repr(float(value))
        cells.append("" if math.isnan(value) else text)
    return ",".join(cells) + "\n"
