"""Frequencies as whole numbers, for fast exact sums.

Every accessible frequency is a whole-number combination of a few independent directions, one for
each pair of a feature and a monomial (1, ``theta0``, ``pi``, ...). :class:`Keys` writes such a
vector as one Python int, ``sum_j n_j B_j`` with the ``B_j`` so large that no two vectors share it
(Kronecker substitution). So adding frequencies is adding ints, ``-w`` is ``-key``, and sorted keys
are sorted frequencies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from qrun_equiv.angle import Angle, Monomial
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Frequency, common_unit, slopes

#: Of each unit of frequency, how many eigenvalues +-1/2 units feed it: see :func:`directions`.
Directions = dict[Frequency, int]


@dataclass(frozen=True, slots=True)
class Axis:
    """One coordinate of a frequency.

    Attributes:
        feature: position of the feature within the chosen ones.
        monomial: what the coordinate is a rational multiple of.
        unit: the rational that every coordinate on this axis is a whole multiple of.
        bound: the largest of those multiples.
        place: what the multiple counts in the key.
    """

    feature: int
    monomial: Monomial
    unit: Fraction
    bound: int
    place: int


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of frequencies of ``n_features`` features; the first axis is the most significant."""

    n_features: int
    axes: tuple[Axis, ...]

    def key(self, frequency: Frequency) -> int:
        """The whole number that stands for a frequency of this set."""
        coordinates = [dict(angle.terms) for angle in frequency]
        return sum(
            int(coordinates[a.feature].get(a.monomial, Fraction(0)) / a.unit) * a.place
            for a in self.axes
        )

    def frequency(self, key: int) -> Frequency:
        """The frequency of a key."""
        terms: list[dict[Monomial, Fraction]] = [{} for _ in range(self.n_features)]
        for axis in reversed(self.axes):
            width = 2 * axis.bound + 1
            digit = (key + axis.bound) % width - axis.bound
            key = (key - digit) // width
            terms[axis.feature][axis.monomial] = digit * axis.unit
        return tuple(Angle.of(t) for t in terms)

    def at_most(self) -> int:
        """Number of vectors within the bounds of all axes."""
        return math.prod(2 * a.bound + 1 for a in self.axes)


def directions(circuit: Circuit, features: Sequence[int]) -> Directions:
    """Units of frequency of the encoding, each with the number of factors that it contributes.

    The ordered pairs of a Pauli rotation's two eigenvalues have the differences ``+1, 0, 0, -1``:
    the coefficients of ``(y^(1/2) + y^(-1/2))^2``. Those of a controlled rotation, whose
    eigenvalues are ``0, 0, 1/2, -1/2``, are the coefficients of the 4th power in halves. So gates
    of one direction just add their powers.

    Raises:
        SpectrumError: the outputs are no Fourier series in these features.
    """
    found: Directions = {}
    for slope, gaps in slopes(circuit, features):
        unit = tuple(s * min(gaps) for s in slope)
        negative = tuple(-u for u in unit)
        unit = negative if negative in found else unit
        found[unit] = found.get(unit, 0) + 2 * len(gaps)
    return found


def keys_of(found: Directions, n_features: int) -> Keys:
    """Keys for all sums of the directions."""
    sizes: dict[tuple[int, Monomial], list[tuple[Fraction, int]]] = {}
    for direction, power in found.items():
        for position, angle in enumerate(direction):
            for monomial, coefficient in angle.terms:
                sizes.setdefault((position, monomial), []).append((abs(coefficient), power // 2))
    axes: list[Axis] = []
    place = 1
    for (position, monomial), multiples in sorted(sizes.items(), reverse=True):
        unit = common_unit(q for q, _ in multiples)
        bound = sum(int(q / unit) * times for q, times in multiples)
        axes.append(Axis(position, monomial, unit, bound, place))
        place *= 2 * bound + 1
    return Keys(n_features, tuple(reversed(axes)))


def count(found: Directions, space: Keys, limit: int) -> dict[int, int]:
    """For each frequency's key the number of pairs of eigenvalues that feed it, ascending keys.

    Raises:
        SpectrumError: more than ``limit`` frequencies; found before memory is filled.
    """
    total = {0: 1}
    for unit, power in found.items():
        step = space.key(unit)
        row = [(step * (k - power // 2), math.comb(power, k)) for k in range(power + 1)]
        grown: dict[int, int] = {}
        for key, ways in total.items():
            for move, times in row:
                grown[key + move] = grown.get(key + move, 0) + ways * times
            if len(grown) > limit:
                raise SpectrumError(_too_many(found, space, limit))
        total = grown
    return dict(sorted(total.items()))


def _too_many(found: Directions, space: Keys, limit: int) -> str:
    most = min(space.at_most(), math.prod(power + 1 for power in found.values()))
    text = f"{most:,}" if most < 10**15 else f"10^{math.log10(most):.0f}"
    return (
        f"the circuit has more than {limit:,} accessible frequencies in {space.n_features} "
        f"feature(s), up to {text}; choose fewer features (features=[0]) or raise limit="
    )
