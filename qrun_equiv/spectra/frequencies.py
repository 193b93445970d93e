"""Exact frequency sets: which frequencies a circuit can have, how often, and which it has.

*Accessible* are the signed sums of the encoding gates' eigenvalue differences (Schuld, Sweke,
Meyer, Phys. Rev. A 103, 032430 (2021), eq. (9) to (13)), each with its *degeneracy*: how many pairs
of eigenvalues feed it (Peters and Schuld, Quantum 7, 1210 (2023), call it the redundancy).
*Effective* are those whose coefficient is not identically zero in the parameters: cancellations
such as ``RX(x) RX(-x)`` and features outside the light cone are seen exactly.

    >>> from qrun_equiv.angle import feature
    >>> from qrun_equiv.circuit import Circuit, Gate, Observable
    >>> gates = (Gate("RX", (0,), feature(0)), Gate("RX", (0,), feature(0) * 2))
    >>> found = frequencies(Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0))
    >>> [str(w) for (w,) in found.accessible], found.degeneracy
    (['-3', '-2', '-1', '0', '1', '2', '3'], (1, 2, 3, 4, 3, 2, 1))
    >>> [str(w) for (w,) in found.of("effective")]
    ['-3', '3']
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from qrun_equiv.angle import PI, Angle, Symbol
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import MAX_FREQUENCIES, Array, Frequency, common_base, multiple, numeric
from qrun_equiv.spectra.black_box import double
from qrun_equiv.spectra.choice import whole
from qrun_equiv.spectra.collecting import SAME
from qrun_equiv.spectra.effective import effective
from qrun_equiv.spectra.keys import count, directions, keys_of

Kind = Literal["accessible", "effective"]

# A base that the largest frequency is more than this many times is rounding: two floats such as
# sqrt(2) and 0.1 always have a common measure, and nobody can see a period that long.
_MOST_MULTIPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Period:
    """The common period of all frequencies of one feature.

    Attributes:
        base: the largest angle (radians per unit of the feature) of which all frequencies are whole
            multiples; 0 where the outputs do not depend on the feature.
    """

    base: Angle

    def length(self, theta: ArrayLike = (), x: ArrayLike = ()) -> float:
        """``2 pi / |base|`` at given parameters and fixed features; ``inf`` where the base is 0."""
        base = abs(float(_evaluate([(self.base,)], theta, x)[0, 0]))
        return 2 * math.pi / base if base else math.inf

    def __str__(self) -> str:
        if not self.base.terms:
            return "constant"
        unit, q = self.base.terms[0]
        if len(self.base.terms) == 1 and not unit:  # a rational: 1/10 has the period 20*pi
            return str(PI * (2 / abs(q)))
        if len(self.base.terms) == 1 and unit == PI.terms[0][0]:
            return str(Angle.constant(2 / abs(q)))
        return f"2*pi/({self.base})"


@dataclass(frozen=True, slots=True)
class FrequencySet:
    """The frequencies of a circuit in some of its features.

    Attributes:
        features: the features that vary, the others held fixed.
        accessible: the frequencies, one :class:`~qrun_equiv.angle.Angle` a feature, in radians per
            unit of it; ascending, and ``accessible[-1 - k]`` is minus ``accessible[k]``.
        degeneracy: for each, the ordered pairs of eigenvalues of the encoding that have this
            difference. Of each gate the eigenvalues of its generator are taken once: a Pauli
            rotation on any number of wires has +-1/2 (differences 1, 0, 0, -1), a controlled one
            0, 0, +-1/2. Their multiplicities in the whole space multiply all counts alike.
        effective: ``[frequency][output]``, whether the coefficient is not identically zero.
        failure: probability that any coefficient that is not identically zero was called zero, at
            most (over the random choice of fields); the others are certain.
    """

    features: tuple[int, ...]
    accessible: tuple[Frequency, ...]
    degeneracy: tuple[int, ...]
    effective: tuple[tuple[bool, ...], ...]
    failure: float

    def of(self, kind: Kind = "accessible", output: int | None = None) -> tuple[Frequency, ...]:
        """The accessible frequencies, or the effective ones of one output or of any.

        Raises:
            SpectrumError: another kind, or no such output.
        """
        if kind not in {"accessible", "effective"}:
            msg = f'frequencies are "accessible" or "effective", not {kind!r}'
            raise SpectrumError(msg)
        n_outputs = len(self.effective[0])
        if output is not None and not 0 <= output < n_outputs:
            msg = f"output {output} of a circuit with {n_outputs} output(s), counted from 0"
            raise SpectrumError(msg)
        if kind == "accessible":
            return self.accessible
        marks = (any(row) if output is None else row[output] for row in self.effective)
        return tuple(w for w, kept in zip(self.accessible, marks, strict=True) if kept)

    def values(
        self, theta: ArrayLike = (), x: ArrayLike | None = None, *, kind: Kind = "accessible"
    ) -> Array:
        """Frequencies in radians per unit, float64 ``[n_frequencies, n_features chosen]``.

        Args:
            theta: the parameters ``[n_parameters]``; needed where scales are trained.
            x: all features ``[n_features]``, of which the fixed ones are read; needed where scales
                are products with them.
            kind: ``"accessible"`` (in that order) or ``"effective"``.

        Raises:
            SpectrumError: a value that is needed is missing or not finite.
        """
        return _evaluate(self.of(kind), theta, () if x is None else x, len(self.features))

    def largest(
        self, theta: ArrayLike = (), x: ArrayLike | None = None, *, kind: Kind = "accessible"
    ) -> Array:
        """The largest frequency of each feature, float64 ``[n_features chosen]``; see values."""
        values = self.values(theta, x, kind=kind)
        return np.asarray(np.abs(values).max(axis=0, initial=0.0))

    def gaps(
        self, theta: ArrayLike = (), x: ArrayLike | None = None, *, kind: Kind = "accessible"
    ) -> tuple[Array, ...]:
        """For each feature the distinct gaps between neighbouring frequencies, ascending.

        Frequencies, and gaps, that differ by less than 2^-46 of the largest frequency are one: at
        given scales different angles may have the same value. See :meth:`values`.
        """
        values = self.values(theta, x, kind=kind)
        result = []
        for column in values.T:
            slack = SAME * float(np.abs(column).max(initial=0.0))
            result.append(_distinct(np.diff(_distinct(column, slack)), 2 * slack))
        return tuple(result)

    def period(self, *, kind: Kind = "accessible") -> tuple[Period | None, ...]:
        """For each feature the common period, exact, or ``None`` where there is none.

        There is one where all frequencies of the feature are rational multiples of one angle: for
        scales 1/3 and 1/2, or for ``theta0`` and ``2*theta0``, not for 1 and pi. Floats such as
        ``sqrt(2)``, whose nearest rationals have many digits, share none: a period of more than a
        million of the shortest waves counts as none.
        """
        return tuple(_period([w[k] for w in self.of(kind)]) for k in range(len(self.features)))

    def describe(self) -> str:
        """A few lines for a person."""
        names = ", ".join(f"x{i}" for i in self.features)
        counts = [len(self.of("effective", k)) for k in range(len(self.effective[0]))]
        which = " (for each output: " + ", ".join(map(str, counts)) + ")" if counts[1:] else ""
        first = f"{len(self.accessible)} accessible frequencies in {names}, "
        lines = [first + f"{len(self.of('effective'))} of them effective{which}"]
        for k, period in enumerate(self.period()):
            angles = [w[k] for w in self.accessible]
            text = f"x{self.features[k]}: {len(set(angles))} frequencies"
            if period is not None:
                top = max(abs(multiple(a, period.base) or Fraction(0)) for a in angles)
                text += f", the largest {period.base * top}, period {period}"
            else:
                if not any(a.symbols() for a in angles):
                    text += f", the largest {self.largest()[k]:.6g}"
                text += ", no common period"
            lines.append(text)
        return "\n".join(lines)


def frequencies(
    circuit: Circuit,
    features: Sequence[int] | None = None,
    *,
    limit: int = MAX_FREQUENCIES,
    seed: int = 0,
) -> FrequencySet:
    """The exact frequencies of a circuit: accessible, their degeneracies, and effective.

    Theorem: proofs/coq/FourierForm.v, fourier_form_features.

    Args:
        circuit: neutral form, any number of wires.
        features: the features that vary jointly, the others held fixed; all where left out.
        limit: refuse beyond this many accessible frequencies.
        seed: of the random fields that decide which coefficients vanish identically.

    Raises:
        SpectrumError: no features, a feature that is out of range or that no gate reads, angles
            that give no Fourier series, too many frequencies, or a gate given by a matrix of floats
            (which has no exact form).
    """
    chosen = choose(circuit, features)
    found = directions(circuit, chosen)
    space = keys_of(found, len(chosen))
    counted = count(found, space, limit)
    keys = list(counted)
    marks, failure = effective(circuit, chosen, space, keys, seed=seed)
    return FrequencySet(
        features=chosen,
        accessible=tuple(space.frequency(key) for key in keys),
        degeneracy=tuple(counted.values()),
        effective=tuple(tuple(bool(v) for v in row) for row in marks),
        failure=failure,
    )


def choose(circuit: Circuit, features: Sequence[int] | None) -> tuple[int, ...]:
    """The features to vary, checked: all of them where left out.

    Raises:
        SpectrumError: none, one twice, one out of range, or one that no gate reads.
    """
    if not circuit.n_features:
        msg = "a circuit without features has no spectrum; let a gate read x"
        raise SpectrumError(msg)
    chosen = tuple(range(circuit.n_features)) if features is None else whole(features)
    if not chosen or len(set(chosen)) != len(chosen):
        msg = f"features {list(chosen)}: name at least one, each of them once"
        raise SpectrumError(msg)
    read = {i for g in circuit.encoding_gates() if g.angle is not None for i in g.angle.features()}
    for i in chosen:
        if not 0 <= i < circuit.n_features:
            msg = f"there is no feature x{i}: the circuit has x0 to x{circuit.n_features - 1}"
            raise SpectrumError(msg)
        if i not in read:
            msg = f"no gate reads the feature x{i}; choose others, features={sorted(read)}"
            raise SpectrumError(msg)
    return chosen


def _evaluate(
    found: Sequence[Frequency], theta: ArrayLike, x: ArrayLike, n_features: int = 1
) -> Array:
    symbols: set[Symbol] = {s for w in found for a in w for s in a.symbols()}
    given = {"theta": double(theta, "theta", finite=False).reshape(-1),
             "x": double(x, "x", finite=False).reshape(-1)}  # fmt: skip
    for symbol in sorted(symbols):
        name = "theta" if symbol.kind == "theta" else "x"
        values = given[name]
        if symbol.index >= len(values):
            msg = f"frequencies depend on {symbol}: pass {name} with its value"
            raise SpectrumError(msg)
        if not math.isfinite(values[symbol.index]):
            msg = f"{name}{symbol.index} is {values[symbol.index]}; frequencies need finite values"
            raise SpectrumError(msg)
        if symbol.kind == "acos" and abs(values[symbol.index]) > 1:
            msg = f"frequencies depend on {symbol}, which needs x{symbol.index} in [-1, 1]"
            raise SpectrumError(msg)
    return numeric(found, given["x"], given["theta"]).reshape(len(found), n_features)


def _distinct(values: Array, slack: float) -> Array:
    """Ascending values, those within ``slack`` of the one before left out."""
    ordered = np.sort(values)
    return ordered[np.concatenate([[True], np.diff(ordered) > slack])] if len(ordered) else ordered


def _period(angles: Sequence[Angle]) -> Period | None:
    if not any(a.terms for a in angles):
        return Period(Angle())
    found = common_base(angles)
    if found is None or found[1] > _MOST_MULTIPLE:
        return None
    return Period(found[0])
