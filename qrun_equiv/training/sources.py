"""Rows from files and from the sets that scikit-learn and scikit-image ship. Nothing is downloaded.

A table is inputs ``x [rows, n]`` and targets ``y [rows, k]``, or labels ``y [rows]``. A grid is
samples of a function: of one variable ``[n]`` or ``[n, channels]`` for a curve or a sound, of two
for an image ``[lines, columns]`` or ``[lines, columns, channels]``.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.errors import DataError
from qrun_equiv.training.errors import missing

Array = NDArray[Any]
T = TypeVar("T")
Columns = Sequence[str | int]
TABLES = ("digits", "iris", "wine", "breast_cancer", "diabetes")
GRIDS = ("camera", "coffee")
_FLAT, _CHANNELS, _IMAGES = 2, 4, (".png", ".jpg", ".jpeg")


def named_table(name: str) -> tuple[Array, Array]:
    """A set of scikit-learn: ``x [rows, n]``, ``y [rows]``.

    Raises:
        DataError: an unknown name.
    """
    if name not in TABLES:
        hint = "; it is a function: set data.task" if name in GRIDS else ""
        msg = f"unknown table {name!r}{hint}; one of {', '.join(TABLES)}"
        raise DataError(msg)
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return np.asarray(x), np.asarray(y)


def named_grid(name: str) -> Array:
    """An image of scikit-image, ``[lines, columns(, channels)]``.

    Raises:
        DataError: an unknown name.
    """
    if name not in GRIDS:
        hint = "; it is a table: set data.task" if name in TABLES else ""
        msg = f"unknown function {name!r}{hint}; one of {', '.join(GRIDS)}"
        raise DataError(msg)
    from skimage import data

    return np.asarray(getattr(data, name)())


def read_table(path: Path, x: Columns, y: Columns, *, labels: bool) -> tuple[Array, Array]:
    """Inputs and targets from .npz, .npy, .csv or .parquet.

    Args:
        path: the file.
        x: columns (array of a .npz); empty: all but y (the array ``x``).
        y: the same; empty: ``y``, of a .npy the last column.
        labels: whether y are labels, which may be texts.

    Returns:
        ``x [rows, n]`` float64, and ``y [rows, k]`` float64 or labels ``[rows]``.

    Raises:
        DataError: the file, a column or a number can't be read.
    """
    readers = {".npz": _npz, ".npy": _npy, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        msg = f"{path} must be one of {', '.join(readers)}"
        raise DataError(msg)
    inputs, targets = _guarded(path, lambda: reader(path, x, y))
    if len(inputs) != len(targets):
        msg = f"{path} has {len(inputs)} rows of x and {len(targets)} of y"
        raise DataError(msg)
    found = numbers(_flat(inputs), f"x of {path}")
    if not labels:
        return found, numbers(_flat(targets), f"y of {path}")
    if targets.size != len(targets):
        msg = f"y of {path}: labels are one column, got {list(targets.shape)}"
        raise DataError(msg)
    return found, _labels(targets.reshape(-1), f"y of {path}")


def read_grid(path: Path) -> tuple[Array, int]:
    """Samples of a function from .npy, .wav, .png or .jpg, and the number of its variables.

    An array ``[n, m]`` is an image, or with m at most 4 and below n a curve of m channels.

    Raises:
        DataError: the file can't be read, or has another shape than a curve or an image.
    """
    suffix = path.suffix.lower()
    if suffix not in (".npy", ".wav", *_IMAGES):
        msg = f"{path} must be .npy, .wav, .png or .jpg to be a function on a grid"
        raise DataError(msg)
    if suffix == ".npy":
        found = _guarded(path, lambda: np.asarray(np.load(path, allow_pickle=False)))
        shape = found.shape
        curve = found.ndim == 1 or (found.ndim == _FLAT and shape[1] <= _CHANNELS < shape[0])
        return found, 1 if curve else 2
    if suffix == ".wav":
        from scipy.io import wavfile

        return _guarded(path, lambda: np.asarray(wavfile.read(path)[1])), 1
    return _guarded(path, lambda: _image(path)), 2


def _image(path: Path) -> Array:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def numbers(values: Array, what: str) -> NDArray[np.float64]:
    """The same as finite float64.

    Raises:
        DataError: texts, complex numbers, NaN or infinity; it says where.
    """
    try:
        if np.iscomplexobj(values):
            raise ValueError("complex numbers")  # noqa: TRY301
        found = np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError) as error:
        msg = f"{what} has entries that are no real numbers: {error}"
        raise DataError(msg) from error
    bad = ~np.isfinite(found)
    if bad.any():
        place = [int(i) for i in np.argwhere(bad)[0]]
        msg = f"{what}: {int(bad.sum())} entries are not finite, the first at {place}; remove them"
        raise DataError(msg)
    return found


def _flat(values: Array) -> Array:
    return values.reshape(len(values), math.prod(values.shape[1:]))


def _labels(values: Array, what: str) -> Array:
    """Whole numbers where all labels are, else texts."""
    if values.dtype.kind == "O" and any(v is None or v != v for v in values.tolist()):
        msg = f"{what}: some labels are missing"
        raise DataError(msg)
    try:
        found = values.astype(np.float64)
    except ValueError:
        return values.astype(str)
    whole = numbers(found, what).astype(np.int64)
    return whole if np.array_equal(whole, found) else found


def _guarded(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except DataError:
        raise
    except OSError as error:
        msg = f"can't read {path}: {error.strerror or error}"
        raise DataError(msg) from error
    except (ValueError, EOFError, KeyError, IndexError, SyntaxError) as error:
        msg = f"can't read {path}: {error}"
        raise DataError(msg) from error
    except Exception as error:  # zip and Arrow have errors of their own
        if type(error).__module__.split(".")[0] not in {"zipfile", "pyarrow", "zlib", "PIL"}:
            raise
        msg = f"{path} is damaged, or no such file: {error}"
        raise DataError(msg) from error


def _npz(path: Path, x: Columns, y: Columns) -> tuple[Array, Array]:
    with np.load(path, allow_pickle=False) as body:
        if not hasattr(body, "files"):
            msg = f"{path} is no .npz archive"
            raise DataError(msg)
        found = []
        for key, asked in (("x", x), ("y", y)):
            names = list(asked) or [key]
            if len(names) != 1 or names[0] not in body.files:
                msg = (
                    f"{path} has the arrays {', '.join(body.files)}; name one of them in data.{key}"
                )
                raise DataError(msg)
            found.append(np.asarray(body[names[0]]))
    if not all(array.ndim for array in found):
        msg = f"{path}: x and y must be arrays of rows"
        raise DataError(msg)
    return found[0], found[1]


def _npy(path: Path, x: Columns, y: Columns) -> tuple[Array, Array]:
    table = np.load(path, allow_pickle=False)
    if table.ndim != _FLAT or table.shape[1] < _FLAT:
        msg = f"{path} must be [rows, columns] with two columns or more, got {list(table.shape)}"
        raise DataError(msg)
    names = list(range(table.shape[1]))
    inputs, targets = _chosen(path, names, x, y or [names[-1]])
    return table[:, inputs], table[:, targets]


def _csv(path: Path, x: Columns, y: Columns) -> tuple[Array, Array]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        lines = list(csv.reader(stream))
    if not lines:
        msg = f"{path} is empty: it needs a line of column names and rows"
        raise DataError(msg)
    names, rows = [name.strip() for name in lines[0]], [line for line in lines[1:] if line]
    inputs, targets = _chosen(path, names, x, y or ["y"])
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            msg = f"{path}, row {number}: {len(row)} entries for {len(names)} columns"
            raise DataError(msg)
    return (
        np.array([[row[k] for k in inputs] for row in rows]).reshape(len(rows), len(inputs)),
        np.array([[row[k] for k in targets] for row in rows]).reshape(len(rows), len(targets)),
    )


def _parquet(path: Path, x: Columns, y: Columns) -> tuple[Array, Array]:
    try:
        from pyarrow import parquet  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise missing("pyarrow", f"reading {path}") from error
    with parquet.ParquetFile(path) as file:
        names = list(file.schema_arrow.names)
        inputs, targets = _chosen(path, names, x, y or ["y"])
        table = file.read([names[k] for k in dict.fromkeys(inputs + targets)])
    pick = [[table.column(names[k]).to_numpy() for k in part] for part in (inputs, targets)]
    return np.stack(pick[0], 1), np.stack(pick[1], 1)


def _chosen(
    path: Path, names: Sequence[Any], x: Columns, y: Columns
) -> tuple[list[int], list[int]]:
    """Places of the columns asked for, by name or by number."""

    def place(column: str | int) -> int:
        if column in names and not isinstance(names[0], int):
            return names.index(column)
        if isinstance(column, int) and -len(names) <= column < len(names):
            return column % len(names)
        shown = (
            ", ".join(map(str, names)) if isinstance(names[0], str) else f"0 to {len(names) - 1}"
        )
        msg = f"{path} has no column {column!r}; its columns are {shown} (data.x, data.y)"
        raise DataError(msg)

    targets = [place(column) for column in y]
    inputs = [place(column) for column in x] or [k for k in range(len(names)) if k not in targets]
    both = sorted(set(inputs) & set(targets))
    if both or not inputs:
        what = f"the column {names[both[0]]!r} is both in x and in y" if both else "no column is x"
        msg = f"{path}: {what} (data.x, data.y)"
        raise DataError(msg)
    return inputs, targets
