"""What errors are relative to: the size of what is compared, and never less than its rounding.

The scale of an output is its largest deviation from its constant part, seen on the *circuits*
(never on the counterpart), and at least ``SCALE_FLOOR`` of the observable's one-norm, so that an
identically zero output is not noise. A derivative has its own scale, component by component. Where
the angles are large, rounding them alone moves the outputs; the neutral form says by how much, and
no error is held to less than ``ROUNDING`` times that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.angle import Angle, Symbol
from qrun_equiv.circuit import Circuit, Observable
from qrun_equiv.frontends.base import Array

_EPS = float(np.finfo(np.float64).eps)
_CONSTANT = ()


@dataclass(frozen=True)
class Scale:
    """Scales of one comparison.

    Attributes:
        outputs: scale of each output ``[n_outputs]``, without rounding.
        offsets: size of each output's constant part ``[n_outputs]``.
        norms: one-norm of each observable without its constant ``[n_outputs]``.
        neutral: the neutral form, or ``None`` where rounding is unknown.
    """

    outputs: Array
    offsets: Array
    norms: Array
    neutral: Circuit | None

    @staticmethod
    def of(circuits: Sequence[Array], neutral: Circuit | None) -> Scale:
        """From the circuits' values ``[points, n_outputs]`` and the neutral form."""
        stacked = np.concatenate(list(circuits))
        if neutral is None:
            offsets = stacked.mean(axis=0)
            seen = np.max(np.abs(stacked - offsets), axis=0)
            whole = float(np.max(np.abs(stacked), initial=0.0))
            norms = np.full(stacked.shape[1], whole or 1.0)
        else:
            offsets = np.array([_constant(o) for o in neutral.observables])
            seen = np.max(np.abs(stacked - offsets), axis=0)
            norms = np.array([o.norm - abs(_constant(o)) for o in neutral.observables])
        norms = np.where(norms > 0, norms, np.maximum(np.abs(offsets), _EPS))
        floor = tolerances.SCALE_FLOOR * norms
        return Scale(np.maximum(seen, floor), np.abs(offsets), norms, neutral)

    def at(self, x: Array, theta: Array) -> Array:
        """Scale of the outputs at points ``x [points, n_features]``: ``[points, n_outputs]``."""
        least = np.outer(self._rounding(x, theta), self.norms) + _EPS * self.offsets
        return np.maximum(self.outputs, least * tolerances.ROUNDING / tolerances.EQUAL)

    def of_gradient(self, x: Array, theta: Array, kind: str, peak: Array) -> Array:
        """Scale of derivatives ``[points, n_outputs, size]``.

        Args:
            x: points ``[points, n_features]``.
            theta: parameters.
            kind: ``"x"`` or ``"theta"``.
            peak: largest magnitude seen, ``[n_outputs, size]``.
        """
        size = peak.shape[1]
        slopes = self._slopes(x, theta, kind, size)
        floor = tolerances.SCALE_FLOOR * self.outputs[None, :, None] * slopes[:, None, :]
        least = self._rounding(x, theta)[:, None, None] * self.norms[None, :, None]
        noise = least * slopes[:, None, :] * tolerances.ROUNDING / tolerances.EQUAL
        return np.maximum(np.maximum(peak[None], floor), noise)

    def _rounding(self, x: Array, theta: Array) -> Array:
        """Rounding of an output of norm 1: eps for each gate and for each unit of its angle."""
        if self.neutral is None:
            return np.full(len(x), _EPS)
        total = np.full(len(x), 1.0 + len(self.neutral.gates))
        for gate in self.neutral.gates:
            if gate.angle is not None:
                total = total + gate.angle.magnitude(x, theta)
        return _EPS * total

    def _slopes(self, x: Array, theta: Array, kind: str, size: int) -> Array:
        """Sum over the gates of ``|d angle / d v|`` for each variable: ``[points, size]``."""
        if self.neutral is None:
            return np.ones((len(x), size))
        total = np.zeros((len(x), size))
        for angle in self._angles():
            for symbol in angle.symbols():
                if symbol.kind == kind and not (kind == "x" and _bent(angle, symbol.index)):
                    slope = angle.derivative(symbol).magnitude(x, theta)
                    total[:, symbol.index] += slope
        return np.where(total > 0, total, 1.0)  # a variable that no gate reads

    def _angles(self) -> list[Angle]:
        if self.neutral is None:
            return []
        return [g.angle for g in self.neutral.gates if g.angle is not None]


def _bent(angle: Angle, index: int) -> bool:
    """Whether an arccos of the feature makes the slope (1 and more) no polynomial."""
    return any(arc.index == index for arc in angle.arcs())


def _constant(observable: Observable) -> float:
    return sum(c for c, word in observable.terms if word == _CONSTANT)


def smallest_slopes(neutral: Circuit, theta: Array) -> Array:
    """For each feature the smallest nonzero ``|d angle / d x|`` of a gate, ``[n_features]``.

    Taken at features of size one; 1 for a feature that no gate reads.
    """
    ones = np.ones(neutral.n_features)
    found = np.full(neutral.n_features, np.inf)
    for gate in neutral.encoding_gates():
        if gate.angle is None:
            continue
        for index in gate.angle.features():
            if _bent(gate.angle, index):
                continue
            slope = abs(float(gate.angle.derivative(Symbol("x", index)).evaluate(ones, theta)))
            if slope > 0:
                found[index] = min(found[index], slope)
    return np.where(np.isfinite(found), found, 1.0)
