"""The items of a sweep: pairs, seeds and parameter sets, each with a key."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import points
from qrun_equiv.backends.shipping import Bundle, bundle
from qrun_equiv.comparison import Level
from qrun_equiv.errors import DataError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.pair import Pair
from qrun_equiv.runner import Task, pack

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a sweep.

    Attributes:
        task: the pair, level, seed and parameters.
        claim: the pair's claim, which is checked.
        number: which parameter set; ``None`` where there are none.
        rows: the NPY file of rows ``[rows, n_features]``, where the counterpart is evaluated.
    """

    task: Task
    claim: str
    number: int | None = None
    rows: Bundle | None = None

    @property
    def key(self) -> str:
        """Digest of all that its result depends on, versions aside."""
        task = self.task
        vector = None if task.parameters is None else [value.hex() for value in task.parameters]
        rows = None if self.rows is None else self.rows.digest
        parts = (task.files.digest, task.pair, task.level, task.seed, vector, rows)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def make_items(
    pairs: Sequence[Pair],
    *,
    parameter_sets: int | Array | None = None,
    seed: int = 0,
    seeds: int = 1,
    level: Level = "auto",
    rows: Path | None = None,
    include: Sequence[Path] = (),
) -> list[Item]:
    """The items of a sweep: each pair at each seed and each parameter set.

    Args:
        pairs: collected from files.
        parameter_sets: float64 ``[sets, n_parameters]``, radians; or a number of random ones,
            uniform in [-pi, pi), where set k depends on ``seed`` and k alone.
        seed: the first seed.
        seeds: how many seeds, one after the other.
        level: as for :func:`qrun_equiv.verify`.
        rows: NPY file ``[rows, n_features]``: evaluate the counterparts there, verify nothing.
        include: files or folders that the pair files read, to be sent along.

    Raises:
        DataError: parameter sets or rows that do not fit a pair.
        BackendError: a file that can't be sent.
    """
    shipped = None if rows is None else bundle(rows)
    items: list[Item] = []
    for pair in pairs:
        files, sizes = pack(pair, include), sizes_of(pair)
        if rows is not None:
            read_rows(rows, sizes)
        vectors = _vectors(pair, sizes, parameter_sets, seed)
        if rows is not None and parameter_sets is None and pair.parameters is None:
            _has_none(pair, sizes)
        for one in range(seed, seed + seeds):
            for number, vector in vectors:
                task = Task(files, pair.name, level, one, vector)
                items.append(Item(task, pair.claim, number, shipped))
    return items


def _has_none(pair: Pair, sizes: Sizes) -> None:
    if sizes.parameters:
        msg = f"pair {pair.name!r} is evaluated at which parameters? give parameter sets"
        raise DataError(msg)


def sizes_of(pair: Pair) -> Sizes:
    """How many features and parameters a pair has."""
    return circuit_sources(pair.circuits(), pair.observable, pair.n_features, pair.n_parameters)[1]


def _vectors(
    pair: Pair, sizes: Sizes, sets: int | Array | None, seed: int
) -> list[tuple[int | None, tuple[float, ...] | None]]:
    if sets is None:
        return [(None, None)]
    if not sizes.parameters:
        msg = f"pair {pair.name!r} has no parameters: leave the parameter sets out"
        raise DataError(msg)
    if isinstance(sets, int):
        drawn = [
            np.random.default_rng([seed, number]).uniform(-math.pi, math.pi, sizes.parameters)
            for number in range(sets)
        ]
        sets = np.stack(drawn)
    if sets.ndim != 2 or sets.shape[1] != sizes.parameters or not len(sets):
        msg = (
            f"pair {pair.name!r} needs parameter sets [sets, {sizes.parameters}], got "
            f"{list(sets.shape)}"
        )
        raise DataError(msg)
    return [(number, tuple(vector.tolist())) for number, vector in enumerate(sets)]


def read_parameter_sets(path: Path) -> Array:
    """Parameter sets float64 ``[sets, n_parameters]`` of an NPY file.

    Raises:
        DataError: no such file, no NPY, not two axes of finite real numbers.
    """
    sets = points.numbers(_load(path), str(path))
    if sets.ndim != 2 or not sets.size or not np.all(np.isfinite(sets)):
        msg = f"{path} must hold finite numbers [sets, n_parameters], got {list(sets.shape)}"
        raise DataError(msg)
    return sets


def read_rows(path: Path, sizes: Sizes) -> Array:
    """Rows float64 ``[rows, n_features]`` of an NPY file.

    Raises:
        DataError: no such file, no NPY, another width, numbers that are not finite.
    """
    rows = points.numbers(_load(path), str(path))
    if rows.ndim != 2 or rows.shape[1] != sizes.features or not np.all(np.isfinite(rows)):
        msg = f"{path} must hold finite rows [rows, {sizes.features}], got {list(rows.shape)}"
        raise DataError(msg)
    return rows


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except OSError as error:
        msg = f"can't read {path}: {error.strerror or error}"
        raise DataError(msg) from error
    except (ValueError, EOFError) as error:
        msg = f"{path} is no NPY file of numbers: {error}"
        raise DataError(msg) from error
