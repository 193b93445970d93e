"""While a run goes on: a seeded part of its rows, again in float64, and some by the circuit itself.

A result is off by what the dtype allows, or the run stops. The bound of a row is ``tolerance``
times the scale of the output (:mod:`qrun_equiv.scaling`), and never less than what a certificate
holds an exact pair to: 1e-9 of the scale, or 64 roundings of the row's angles in float64. Rows that
are too large for float32 are therefore found, not excused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import points, tolerances
from qrun_equiv.frontends.base import Array, CircuitSource
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.links import lower
from qrun_equiv.scaling import Scale
from qrun_equiv.streaming.errors import BoundError

#: Largest error relative to the output's scale, by dtype.
TOLERANCES = {"float64": tolerances.EQUAL, "float32": 5e-5, "bfloat16": 5e-2}
#: Rows of a chunk that are checked at least.
LEAST = 16
_SHOWN = 5  # rows of a stopped run that are shown
_STREAM = 11  # of the seed's random numbers


@dataclass(frozen=True)
class Found:
    """What the check of one chunk found.

    Attributes:
        checked: rows held to float64.
        native: rows held to the native circuit.
        error: the largest error.
        ratio: the largest error as a part of its bound; at most 1.
        row: where that was.
        native_error: largest difference from the native circuit.
    """

    checked: int = 0
    native: int = 0
    error: float = 0.0
    ratio: float = 0.0
    row: int = -1
    native_error: float = 0.0


@dataclass(frozen=True)
class Bound:
    """How far results may be off.

    Attributes:
        tolerance: relative to the scale of the outputs.
        scale: the scales.
        epsilon: what the circuit and the counterpart may differ by, absolute.
    """

    tolerance: float
    scale: Scale
    epsilon: float

    def allowed(self, x: Array, theta: Array) -> Array:
        """Largest absolute error of a result at rows ``x``, ``[rows, n_outputs]``."""
        exact = tolerances.EQUAL * self.scale.at(x, theta)
        return np.maximum(exact, self.tolerance * self.scale.outputs)


@dataclass(frozen=True)
class Subsample:
    """The check of a run's chunks.

    Attributes:
        counterpart: in float64, on the CPU, as it was verified.
        circuit: the native circuit.
        theta: parameters ``[n_parameters]``.
        bound: how far results may be off.
        fraction: part of a chunk's rows that is checked, :data:`LEAST` rows at least.
        native: rows that the native circuit evaluates, in each of the chunks 1, 2, 4, 8, ...
        seed: which rows.
        probes: a few seeded rows that the certificate covers, ``[rows, n_features]``.
    """

    counterpart: CounterpartSource
    circuit: CircuitSource
    theta: Array
    bound: Bound
    fraction: float
    native: int
    seed: int
    probes: Array

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return len(self.bound.scale.outputs)

    def check(
        self,
        number: int,
        first: int,
        x: Array,
        out: NDArray[Any],
        finite: NDArray[np.bool_],
        inside: NDArray[np.bool_],
    ) -> Found:
        """Hold a chunk's results to their bound.

        Args:
            number: of the chunk, from 0.
            first: the run's row that is row 0 of ``x``.
            x: features ``[rows, n_features]``.
            out: results ``[rows, n_outputs]``.
            finite: rows whose features are numbers.
            inside: rows that the certificate covers.

        Raises:
            BoundError: a result is not finite, or off by more than its bound.
        """
        defined = np.all(np.isfinite(out), axis=1)  # outside of what is covered it need not be
        usable = np.flatnonzero(finite & (inside | defined))
        wrong = usable[~defined[usable]]
        if len(wrong):
            k = int(wrong[0])
            msg = f"row {first + k}: the counterpart gives {out[k].tolist()} at {x[k].tolist()}"
            raise BoundError(msg)
        rows = self._choose(number, usable)
        if not len(rows):
            return Found()
        allowed = self.bound.allowed(x[rows], self.theta)
        found = out[rows].astype(np.float64)
        exact = self.counterpart.values(x[rows], self.theta)
        self._hold("the counterpart in float64", first, rows, x, found, exact, allowed)
        errors = np.abs(found - exact)
        ratio = errors / allowed
        at = int(np.argmax(ratio.max(axis=1)))
        native, apart = self._natively(number, first, rows, x, out, inside)
        worst, row = float(errors.max()), first + int(rows[at])
        return Found(len(rows), native, worst, float(ratio.max()), row, apart)

    def _choose(self, number: int, usable: NDArray[np.int64]) -> NDArray[np.int64]:
        """Seeded rows, and the two ends, where a kernel's blocks begin and end."""
        if not len(usable):
            return usable
        count = min(len(usable), max(LEAST, math.ceil(self.fraction * len(usable))))
        rng = np.random.default_rng([self.seed, _STREAM, number])
        drawn = rng.choice(len(usable), count, replace=False, shuffle=False)
        return np.asarray(usable[np.unique(np.append(drawn, [0, len(usable) - 1]))])

    def _natively(
        self,
        number: int,
        first: int,
        rows: NDArray[np.int64],
        x: Array,
        out: NDArray[Any],
        inside: NDArray[np.bool_],
    ) -> tuple[int, float]:
        """Some of the rows by the circuit, in ever fewer chunks: it is slow."""
        if (number + 1) & number:
            return 0, 0.0
        covered = rows[inside[rows]][: self.native]
        if not len(covered):
            return 0, 0.0
        allowed = self.bound.allowed(x[covered], self.theta) + self.bound.epsilon
        values = self.circuit.values(x[covered], self.theta)
        found = out[covered].astype(np.float64)
        self._hold(f"the circuit ({self.circuit.name})", first, covered, x, found, values, allowed)
        return len(covered), float(np.abs(found - values).max())

    def _hold(
        self,
        against: str,
        first: int,
        rows: NDArray[np.int64],
        x: Array,
        found: Array,
        expected: Array,
        allowed: Array,
    ) -> None:
        if found.shape != expected.shape:
            msg = f"results have {found.shape[1]} output(s), {against} has {expected.shape[1]}"
            raise BoundError(msg)
        wrong = np.flatnonzero(~np.all(np.abs(found - expected) <= allowed, axis=1))
        if not len(wrong):
            return
        shown = []
        for k in wrong[:_SHOWN]:
            j = int(np.nanargmax(np.abs(found[k] - expected[k]) / allowed[k]))
            shown.append(
                f"row {first + int(rows[k])}, output {j}, x={x[rows[k]].tolist()}: "
                f"{found[k, j]:.9g} instead of {expected[k, j]:.9g} (may be off by "
                f"{allowed[k, j]:.1e})"
            )
        msg = (
            f"{len(wrong)} of {len(rows)} checked rows leave the bound against {against}: "
            + "; ".join(shown)
        )
        if self.bound.tolerance > tolerances.EQUAL:
            msg += ". Run in float64 (--dtype float64), or state a larger --tolerance"
        raise BoundError(msg)


def make(
    counterpart: CounterpartSource,
    circuit: CircuitSource,
    theta: Array,
    box: Array,
    *,
    tolerance: float,
    epsilon: float,
    fraction: float,
    native: int,
    seed: int,
) -> Subsample:
    """The check of a run; the scales are the circuit's at seeded rows inside the box.

    Args:
        counterpart: in float64.
        circuit: the native circuit.
        theta: parameters ``[n_parameters]``.
        box: features that are covered, ``[n_features, 2]``.
        tolerance: relative to the scale of the outputs.
        epsilon: what the circuit and the counterpart may differ by, absolute.
        fraction: see :class:`Subsample`.
        native: see :class:`Subsample`.
        seed: see :class:`Subsample`.
    """
    bounded = bool(np.all(np.isfinite(box)))
    domain = tuple((low, high) for low, high in box.tolist()) if bounded else None
    rng = np.random.default_rng([seed, _STREAM])
    rows = points.random_rows(rng, points.ROWS, domain, len(box))
    rows = np.clip(rows, box[:, 0], box[:, 1])
    scale = Scale.of([circuit.values(rows, theta)], lower(circuit, [], []))
    bound = Bound(tolerance, scale, epsilon)
    return Subsample(counterpart, circuit, theta, bound, fraction, native, seed, rows)
