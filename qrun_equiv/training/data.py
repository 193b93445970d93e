"""A run's rows: read, split by a seed, scaled by what the training rows alone say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.errors import DataError
from qrun_equiv.training.config import DataConfig
from qrun_equiv.training.sources import named_grid, named_table, numbers, read_grid, read_table

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaler:
    """An affine map of each column: ``(value - shift) * factor``.

    Attributes:
        shift: ``[columns]``.
        factor: ``[columns]``.
    """

    shift: Floats
    factor: Floats

    @classmethod
    def fitted(cls, rows: Floats, how: str) -> Scaler:
        """Fitted to ``rows [n, columns]``; a constant column is shifted only."""
        columns = rows.shape[1]
        if how == "none":
            return cls(np.zeros(columns), np.ones(columns))
        if how == "standard":
            shift, spread = rows.mean(0), rows.std(0)
            varies, size = spread > 1e-12 * np.abs(shift), 1.0
        else:
            low, high = rows.min(0), rows.max(0)
            shift, spread = (low + high) / 2, (high - low) / 2
            varies, size = high > low, np.pi if how == "angles" else 1.0
        factor = np.divide(size, spread, out=np.ones(columns), where=varies)
        return cls(shift, factor)

    def __call__(self, rows: Floats) -> Floats:
        """Scaled ``rows [n, columns]``."""
        return (rows - self.shift) * self.factor


@dataclass(frozen=True, slots=True)
class Split:
    """One part, scaled: ``x [rows, inputs]``, ``y [rows, outputs]`` or classes ``[rows]``."""

    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Data:
    """Everything that a run needs to know of its rows.

    Attributes:
        train: rows to train on.
        validation: rows to validate on, or None.
        test: rows scored once at the end, or None.
        scale_x: of the inputs.
        scale_y: of the targets; of labels, the identity.
        classes: labels in the order of the network's outputs; empty for a regression.
        digest: SHA-256 of all rows as read, their order included.
    """

    train: Split
    validation: Split | None
    test: Split | None
    scale_x: Scaler
    scale_y: Scaler
    classes: tuple[Any, ...]
    digest: str

    @property
    def inputs(self) -> int:
        """Number of input columns."""
        return int(self.train.x.shape[1])

    @property
    def outputs(self) -> int:
        """Number of outputs: target columns, or classes."""
        return len(self.classes) or int(self.train.y.shape[1])


def prepare(config: DataConfig, dtype: torch.dtype) -> Data:
    """Read, split and scale.

    Raises:
        DataError: rows that can't be read, none at all, or none left in a part.
    """
    labels = config.task == "classification"
    x, y = _read(config, labels)
    apart = _read_test(config, labels)
    digest = hashlib.sha256()
    for array in (x, y, *(apart or ())):
        digest.update(repr((array.shape, array.dtype.str)).encode() + array.tobytes())
    if not len(x):
        msg = f"{config.file or config.name} has no rows"
        raise DataError(msg)
    classes: tuple[Any, ...] = ()
    if labels:
        found, y = np.unique(y, return_inverse=True)
        classes = tuple(found.tolist())
        if len(classes) < 2:
            msg = f"all labels are {classes[0]!r}: a classification needs two or more"
            raise DataError(msg)
    parts = _parts(config, len(x))
    rows = {name: (x[index], y[index]) for name, index in parts.items()}
    if apart is not None:
        rows["test"] = _matching(apart, x.shape[1], y, classes)
    return _scaled(config, rows, classes, dtype, digest.hexdigest())


def _scaled(
    config: DataConfig,
    rows: dict[str, tuple[Any, Any]],
    classes: tuple[Any, ...],
    dtype: torch.dtype,
    digest: str,
) -> Data:
    function = config.task == "function"
    x, y = rows["train"]
    scale_x = Scaler.fitted(x, config.scale_x or ("none" if function else "standard"))
    how = "none" if classes else config.scale_y or ("unit" if function else "standard")
    scale_y = Scaler.fitted(np.zeros((1, 1)) if classes else y, how)

    def split(name: str) -> Split | None:
        if name not in rows:
            return None
        x, y = rows[name]
        targets = torch.as_tensor(y) if classes else torch.as_tensor(scale_y(y)).to(dtype)
        return Split(torch.as_tensor(scale_x(x)).to(dtype), targets)

    train = split("train")
    assert train is not None
    return Data(train, split("validation"), split("test"), scale_x, scale_y, classes, digest)


def _read(config: DataConfig, labels: bool) -> tuple[Any, Any]:  # noqa: FBT001
    first, end = config.rows or (0, None)
    if config.task == "function":
        grid, axes = read_grid(Path(config.file)) if config.file else (named_grid(config.name), 2)
        return _on_grid(numbers(grid, config.file or config.name)[first:end], axes, config.stride)
    if config.file:
        x, y = read_table(Path(config.file), config.x, config.y, labels=labels)
    else:
        x, y = named_table(config.name)
        y = y if labels else y.reshape(len(y), -1).astype(np.float64)
    return x[first:end], y[first:end]


def _read_test(config: DataConfig, labels: bool) -> tuple[Any, Any] | None:  # noqa: FBT001
    if not (config.test_file or config.test_x or config.test_y):
        return None
    path = Path(config.test_file or config.file)
    columns = (config.test_x or config.x, config.test_y or config.y)
    x, y = read_table(path, *columns, labels=labels)
    if not len(x):
        msg = f"{path} has no rows to test on"
        raise DataError(msg)
    return x, y


def _matching(
    apart: tuple[Any, Any], inputs: int, y: Any, classes: tuple[Any, ...]
) -> tuple[Any, Any]:
    """Test rows, with labels as class numbers."""
    x, targets = apart
    if x.shape[1] != inputs:
        msg = f"the test set has {x.shape[1]} input columns, the training set {inputs}"
        raise DataError(msg)
    if not classes:
        if targets.shape[1] != y.shape[1]:
            msg = f"the test set has {targets.shape[1]} target columns, not {y.shape[1]}"
            raise DataError(msg)
        return x, targets
    number = {label: k for k, label in enumerate(classes)}
    unknown = [label for label in targets.tolist() if label not in number]
    if unknown:
        msg = f"the test set has the label {unknown[0]!r}, which the training set has not"
        raise DataError(msg)
    return x, np.array([number[label] for label in targets.tolist()], dtype=np.int64)


def _on_grid(grid: Floats, axes: int, stride: int) -> tuple[Floats, Floats]:
    """Coordinates ``[n, axes]`` in [-1, 1] and samples ``[n, channels]``."""
    shape = grid.shape
    if grid.ndim not in (axes, axes + 1) or 0 in shape:
        msg = f"samples of a function are [n], [n, channels] or an image, got {list(shape)}"
        raise DataError(msg)
    kept = grid[(slice(None, None, stride),) * axes]
    lines = [np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in shape[:axes]]
    mesh = np.meshgrid(*(line[::stride] for line in lines), indexing="ij")
    coordinates = np.stack([m.reshape(-1) for m in mesh], 1)
    return coordinates, kept.reshape(len(coordinates), -1)


def _parts(config: DataConfig, count: int) -> dict[str, NDArray[np.int64]]:
    """Rows of each part: a seeded permutation, cut; the training rows keep their order."""
    order = np.random.default_rng([config.seed, 0x5917]).permutation(count)
    parts, start = {}, 0
    for name in ("validation", "test"):
        share = getattr(config, name)
        size = round(share * count)
        if share and not size:
            msg = f"data.{name}={share:g} of {count} rows is none: use more rows, or a larger share"
            raise DataError(msg)
        if size:
            parts[name] = np.sort(order[start : start + size])
        start += size
    if start >= count:
        msg = f"no rows are left to train on: {count} rows, data.validation={config.validation:g}"
        raise DataError(msg)
    return {"train": np.sort(order[start:]), **parts}
