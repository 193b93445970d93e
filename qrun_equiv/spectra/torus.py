"""Frequencies as integer vectors: a circuit's slopes over few exact generators.

Each Pauli rotation that reads a feature turns by ``s . x + b`` with an exact slope ``s``. Slopes
are written as integer combinations of *generators* ``g_1 .. g_r``; then a frequency is
``n_1 g_1 + .. + n_r g_r`` with ``|n_i| <= K_i``, the output is a trigonometric polynomial on the
``r``-torus of the phases ``g_i . x``, and no common period in ``x`` is needed. Two choices of
generators are compared, the one with the smaller box ``prod (2 K_i + 1)`` is taken:

- *axes*: one for each feature and monomial of the scales. Distinct vectors are distinct
  frequencies.
- *classes*: slopes in rational ratio are joined where that makes the box smaller. Unrelated scales
  (0.7318 and 1.2219 are rational, but no small multiples of anything) keep one generator each.
  Distinct vectors may then be one frequency: they are found exactly and merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import prod

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.angle import Angle, Monomial
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Frequency
from qrun_equiv.spectra.coincidence import MAX_JOINED, Row, common, independent, joined

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Vector = tuple[int, ...]

#: Exact frequencies are listed up to this many; beyond, values and integers are at hand.
MAX_LISTED = MAX_JOINED

_SHORT, _LONGER = 4096, 16  # an axis that a serial circuit may have, at all and for its box


@dataclass(frozen=True)
class Lattice:
    """Generators, and which integer vectors over them are frequencies.

    Attributes:
        generators: exact, each with one entry a feature.
        vectors: of each slope that the lattice was made for, in the same order.
        degrees: ``K_i``, the largest multiple of each generator.
        n_features: length of a frequency.
        kept: flat positions in the box ``[2 K_1 + 1, ..]``, one for each frequency; ``None`` where
            every position is one.
        sources: the accessible flat positions, where several are one frequency; else ``None``.
        merged: for each of ``sources``, the index of its frequency.
    """

    generators: tuple[Frequency, ...]
    vectors: tuple[Vector, ...]
    degrees: Vector
    n_features: int
    kept: Integers | None = None
    sources: Integers | None = None
    merged: Integers | None = None

    @property
    def shape(self) -> Vector:
        """Shape of the box."""
        return tuple(2 * k + 1 for k in self.degrees)

    @property
    def size(self) -> int:
        """Number of points of the box."""
        return prod(self.shape)

    def __len__(self) -> int:
        return self.size if self.kept is None else len(self.kept)

    def integers(self) -> Integers:
        """The frequencies over the generators, ``[n, r]``."""
        flat = np.arange(self.size) if self.kept is None else self.kept
        if not self.shape:
            return np.zeros((len(flat), 0), dtype=np.int64)
        columns = np.stack(np.unravel_index(flat, self.shape), axis=1)
        return np.asarray(columns - np.array(self.degrees))

    def highest(self, feature: int) -> int | None:
        """Largest whole frequency in one of the features; ``None`` where some are not whole."""
        entries = [g[feature] for g in self.generators]
        terms = [term for e in entries for term in e.terms]
        if any(monomial or q.denominator > 1 for monomial, q in terms):
            return None
        whole = np.array([[float(e.terms[0][1]) if e.terms else 0.0] for e in entries])
        return int(np.abs(self.values(whole.reshape(-1, 1))).max())

    @cached_property
    def frequencies(self) -> tuple[Frequency, ...]:
        """Exact frequencies, in the order of the coefficients.

        Raises:
            SpectrumError: more than :data:`MAX_LISTED`; their values are arrays of floats.
        """
        if len(self) > MAX_LISTED:
            msg = (
                f"{len(self)} exact frequencies would fill memory; use their values, or the "
                "integers over the generators"
            )
            raise SpectrumError(msg)
        multiples = [
            {n: tuple(a * n for a in g) for n in range(-k, k + 1)}
            for g, k in zip(self.generators, self.degrees, strict=True)
        ]
        found = []
        for row in self.integers().tolist():
            total: Frequency = (Angle(),) * self.n_features
            for axis, n in enumerate(row):
                step = multiples[axis][n]
                total = tuple(map(Angle.__add__, total, step)) if axis else step
            found.append(total)
        return tuple(found)

    def values(self, generators: Array) -> Array:
        """Frequencies in radians per unit from the generators' values ``[..., r, d]``.

        Returns:
            ``[..., n, d]``.
        """
        total = np.zeros((*generators.shape[:-2], 1, generators.shape[-1]))
        for i, k in enumerate(self.degrees):
            steps = np.arange(-k, k + 1)[:, None] * generators[..., i, None, :]
            total = total[..., :, None, :] + steps[..., None, :, :]
            count = total.shape[-3] * total.shape[-2]
            total = total.reshape(*total.shape[:-3], count, total.shape[-1])
        return total if self.kept is None else np.asarray(total[..., self.kept, :])


def lattice(
    slopes: Sequence[tuple[Frequency, int]], n_features: int, limit: int, *, serial: bool = False
) -> Lattice:
    """The lattice of a circuit's slopes.

    Args:
        slopes: distinct slopes, none zero, and how many rotations have each.
        n_features: length of a slope.
        limit: the most frequencies.
        serial: no gate is on two wires: one generator is worth a longer axis.

    Raises:
        SpectrumError: more than ``limit`` frequencies.
    """
    rows = [{(j, m): q for j, a in enumerate(slope) for m, q in a.terms} for slope, _ in slopes]
    counts = [count for _, count in slopes]
    options = [_axes(rows), _classes(rows, counts)]
    boxes = [(prod(2 * k + 1 for k in _degrees(v, counts)), g, v) for g, v in options]
    size, generators, vectors = min(boxes, key=lambda box: box[0])
    if serial and len(boxes[0][1]) == 1 and boxes[0][0] <= max(_SHORT, _LONGER * size):
        size, generators, vectors = boxes[0]
    if size > max(limit, MAX_LISTED):
        raise _too_many(size, n_features, limit)
    degrees = _degrees(vectors, counts)
    exact = tuple(
        tuple(Angle.of({m: q for (i, m), q in g.items() if i == j}) for j in range(n_features))
        for g in generators
    )
    kept = _accessible(vectors, counts, degrees)
    found = Lattice(exact, tuple(vectors), degrees, n_features, kept)
    if not independent(generators, degrees):
        flat = np.arange(found.size) if kept is None else kept
        first, merged = joined(generators, degrees, flat, found.integers())
        if len(first) < len(flat):
            found = replace(found, kept=flat[first], sources=flat, merged=merged)
    if len(found) > limit:
        raise _too_many(len(found), n_features, limit)
    return found


def _too_many(size: int, n_features: int, limit: int) -> SpectrumError:
    count = str(size) if size < 10**9 else f"about 10^{len(str(size)) - 1}"
    memory = f"{16 * size / 2**20:.3g} MiB" if size < 2**50 else "more than any memory"
    return SpectrumError(
        f"the circuit has more than {limit} distinct frequencies in {n_features} feature(s): up to "
        f"{count}, whose coefficients take {memory} an output; restrict the features, or raise "
        "limit="
    )


def _degrees(vectors: Sequence[Vector], counts: Sequence[int]) -> Vector:
    axes = zip(*vectors, strict=True)
    return tuple(sum(abs(v) * c for v, c in zip(axis, counts, strict=True)) for axis in axes)


def _axes(rows: Sequence[Row]) -> tuple[list[Row], list[Vector]]:
    keys = sorted({key for row in rows for key in row})
    base = {key: common([row[key] for row in rows if key in row]) for key in keys}
    vectors = [tuple(int(row.get(key, 0) / base[key]) for key in keys) for row in rows]
    return [{key: base[key]} for key in keys], vectors


def _classes(rows: Sequence[Row], counts: Sequence[int]) -> tuple[list[Row], list[Vector]]:
    """Generators of slopes in rational ratio, in order of their first slope."""
    lines: dict[tuple[tuple[tuple[int, Monomial], Fraction], ...], list[tuple[Fraction, int]]] = {}
    for index, row in enumerate(rows):
        first = row[min(row)]
        line = tuple(sorted((key, q / first) for key, q in row.items()))
        lines.setdefault(line, []).append((first, index))
    found = [
        (min(i for _, i in group), common([q for q, _ in group]), line, group)
        for line, members in lines.items()
        for group in _groups(members, counts)
    ]
    found.sort(key=lambda entry: entry[0])
    vectors = [[0] * len(found) for _ in rows]
    for k, (_, base, _, group) in enumerate(found):
        for q, index in group:
            vectors[index][k] = int(q / base)
    generators = [{key: q * base for key, q in line} for _, base, line, _ in found]
    return generators, [tuple(v) for v in vectors]


def _groups(
    members: Sequence[tuple[Fraction, int]], counts: Sequence[int]
) -> list[list[tuple[Fraction, int]]]:
    """Members joined, small ones first, where one axis is no longer than the product of two."""
    groups: list[tuple[Fraction, Fraction, list[tuple[Fraction, int]]]] = []  # gcd, sum, members
    for q, index in sorted(members, key=lambda member: abs(member[0])):
        weight = abs(q) * counts[index]
        for k, (base, total, group) in enumerate(groups):
            joint = common([base, q])
            apart = (2 * total / base + 1) * (2 * counts[index] + 1)
            if 2 * (total + weight) / joint + 1 <= apart:
                groups[k] = (joint, total + weight, [*group, (q, index)])
                break
        else:
            groups.append((abs(q), weight, [(q, index)]))
    return [group for _, _, group in groups]


def shifted(shape: Sequence[int], vector: Sequence[int], sign: int) -> tuple[slice, ...]:
    """Where a box of this shape lies in the one grown by ``vector``, moved by ``sign * vector``."""
    starts = [abs(n) + sign * n for n in vector]
    return tuple(slice(b, b + s) for b, s in zip(starts, shape, strict=True))


def _accessible(
    vectors: Sequence[Vector], counts: Sequence[int], degrees: Vector
) -> Integers | None:
    """Flat positions in the box that signed sums of the vectors reach; ``None`` for all."""
    if all(sum(map(abs, v)) == 1 for v in vectors):
        return None
    reached = np.ones((1,) * len(degrees), dtype=bool)
    for vector, count in zip(vectors, counts, strict=True):
        covered = 0  # multiples -covered .. covered are in: three copies cover thrice as many
        while covered < count:
            leap = min(2 * covered + 1, count - covered)
            step = [leap * n for n in vector]
            shape = reached.shape
            grown = np.zeros([s + 2 * abs(n) for s, n in zip(shape, step, strict=True)], bool)
            for sign in (-1, 0, 1):
                grown[shifted(shape, step, sign)] |= reached
            reached, covered = grown, covered + leap
    return None if reached.all() else np.flatnonzero(reached)
