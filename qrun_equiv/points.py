"""Where a comparison looks: seeded random points off any grid, the origin, and rows of data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from qrun_equiv.errors import DataError, FrontendError
from qrun_equiv.frontends.base import Array, Sizes

#: Random parameter vectors, rows of features for each, and rows where gradients are compared.
THETAS, ROWS, GRADIENT_ROWS = 3, 24, 4
#: Rows far out, where the neutral form says what rounding does there: some of log-uniform size up
#: to REACH (or several of the slowest periods), and one more parameter vector of sizes up to FAR.
WIDE_ROWS, REACH, FAR = 6, 1e4, 1e3
#: Most rows of a data set (a seeded choice of them, if it has more).
DATA_ROWS = 32
#: Default range, in radians: half-angle encodings have period 4 pi.
DEFAULT_RANGE = (-2 * np.pi, 2 * np.pi)

Domain = tuple[tuple[float, float], ...] | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of features at one parameter vector.

    Attributes:
        x: ``[rows, n_features]``.
        theta: ``[n_parameters]``.
        gradient_rows: how many of the first rows also have their gradients compared.
        origin: ``"random"`` or ``"data"``.
    """

    x: Array
    theta: Array
    gradient_rows: int
    origin: str


def read_domain(domain: Any, n_features: int) -> Domain:
    """``(low, high)`` for all features, or one pair for each; ``None``: all reals.

    Raises:
        FrontendError: not pairs of finite numbers with low < high, or not one for each feature.
    """
    if domain is None:
        return None
    try:
        array = np.asarray(domain, dtype=float)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.shape == (2,):
        array = np.tile(array, (n_features, 1))
    fits = array.shape == (n_features, 2)
    if not fits or not np.all(np.isfinite(array)) or np.any(array[:, 0] >= array[:, 1]):
        msg = f"domain must be (low, high) or {n_features} such pairs with low < high: {domain!r}"
        raise FrontendError(msg)
    return tuple((float(a), float(b)) for a, b in array)


def numbers(values: Any, name: str) -> Array:
    """Real numbers as a float64 array; tensors are detached.

    Raises:
        FrontendError: not real numbers, or rows of several lengths.
    """
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    msg = f"{name} must be real numbers in rows of one length, got {type(values).__name__}"
    try:
        array = np.asarray(values)
        real = None if np.iscomplexobj(array) else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise FrontendError(msg) from error
    if real is None:
        raise FrontendError(msg)
    return real


def vector(values: Any, size: int, name: str) -> Array:
    """A finite float64 vector of the given size.

    Raises:
        FrontendError: another size, or a number that is not finite.
    """
    array = numbers(values, name).reshape(-1)
    if array.size != size:
        msg = f"{name} has {array.size} numbers, the circuit has {size} parameters"
        raise FrontendError(msg)
    if not np.all(np.isfinite(array)):
        msg = f"{name} contains a number that is not finite"
        raise FrontendError(msg)
    return array


def read_rows(data: Any, n_features: int) -> Array:
    """Data rows as float64 ``[rows, n_features]``.

    Raises:
        DataError: another width, no rows, or numbers that are not finite.
    """
    rows = numbers(data, "data")
    if rows.ndim == 1 and n_features == 1:
        rows = rows[:, None]
    if rows.ndim != 2 or rows.shape[1] != n_features or not len(rows):
        msg = f"data has shape {rows.shape}; expected (rows, {n_features}) with at least one row"
        raise DataError(msg)
    if not np.all(np.isfinite(rows)):
        bad = int(np.argwhere(~np.isfinite(rows))[0, 0])
        msg = f"row {bad} of the data is not finite; drop or impute it first"
        raise DataError(msg)
    return rows


def check_inside(rows: Array, domain: Domain) -> None:
    """Refuse data that the domain leaves out.

    Raises:
        DataError: a row lies outside; the message names it.
    """
    if domain is None:
        return
    low, high = np.array(domain).T
    outside = np.flatnonzero(np.any((rows < low) | (rows > high), axis=1))
    if len(outside):
        msg = f"row {outside[0]} of the data lies outside the domain; widen it or drop the row"
        raise DataError(msg)


def pick_rows(rows: Array, seed: int) -> Array:
    """At most :data:`DATA_ROWS` rows, a seeded choice in their own order."""
    chosen = np.random.default_rng([seed, 3]).permutation(len(rows))[:DATA_ROWS]
    return rows[np.sort(chosen)]


def random_rows(rng: np.random.Generator, rows: int, domain: Domain, n_features: int) -> Array:
    """Uniform rows; where the domain is all reals, a quarter of them from four times the range."""
    if domain is not None:
        low, high = np.array(domain).reshape(n_features, 2).T
        return rng.uniform(low, high, (rows, n_features))
    x = rng.uniform(*DEFAULT_RANGE, (rows, n_features))
    x[: rows // 4] *= 4.0
    return rng.permutation(x)


def wide_rows(rng: np.random.Generator, reach: Array) -> Array:
    """Rows of either sign: two in the outer half of ``reach [n_features]``, others log-uniform."""
    outer = rng.uniform(0.5, 1.0, (2, len(reach))) * reach
    size = np.exp(rng.uniform(0.0, 1.0, (WIDE_ROWS - 2, len(reach))) * np.log(reach))
    rows = np.concatenate([outer, size])
    return np.asarray(rng.choice([-1.0, 1.0], rows.shape) * rows)


def choose(
    sizes: Sizes,
    *,
    domain: Domain,
    parameters: Sequence[Array] | None,
    data: Array | None,
    trained: Array | None,
    seed: int,
    slopes: Array | None = None,
) -> list[Batch]:
    """All points of one comparison, from one seed.

    ``parameters``: compare at these vectors only, else at random ones; ``trained``: one more
    vector, for the rows of ``data`` (which else are taken at the first vector); ``slopes``: the
    smallest slope of an angle in each feature, where a neutral form gives it: then rows far out are
    added.
    """
    rng = np.random.default_rng(seed)
    if parameters is not None:
        thetas = list(parameters)
    else:
        count = THETAS if sizes.parameters else 1
        thetas = [rng.uniform(*DEFAULT_RANGE, sizes.parameters) for _ in range(count)]
    if trained is not None:
        thetas.append(trained)
    rows = ROWS * (THETAS if len(thetas) == 1 else 1)
    batches = []
    for theta in thetas:
        x = random_rows(rng, rows, domain, sizes.features)
        batches.append(Batch(x, theta, GRADIENT_ROWS, "random"))
    if domain is None or all(low <= 0 <= high for low, high in domain):
        origin = np.zeros((1, sizes.features))
        batches.append(Batch(origin, thetas[0], 1, "random"))
    if slopes is not None and domain is None:
        x = wide_rows(rng, np.maximum(REACH, 8 * np.pi / slopes))
        batches.append(Batch(x, thetas[0], 2, "random"))
        if parameters is None and sizes.parameters:
            signs = rng.choice([-1.0, 1.0], sizes.parameters)
            far = signs * np.exp(rng.uniform(0.0, np.log(FAR), sizes.parameters))
            x = random_rows(rng, WIDE_ROWS, domain, sizes.features)
            batches.append(Batch(x, far, 2, "random"))
    if data is not None:
        at = trained if trained is not None else thetas[0]
        batches.append(Batch(data, at, GRADIENT_ROWS, "data"))
    return batches
