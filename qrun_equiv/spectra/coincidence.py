"""Integer vectors over generators that are one and the same frequency.

Generators in rational ratio (or sums of each other) have integer relations. Hashes that respect
addition propose which vectors coincide; exact arithmetic decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm, prod

import numpy as np
from numpy.typing import NDArray

from qrun_equiv.angle import Monomial
from qrun_equiv.errors import SpectrumError

Integers = NDArray[np.int64]

#: A frequency: its coefficient for each feature and monomial of the scale.
Row = dict[tuple[int, Monomial], Fraction]

#: More vectors are not joined.
MAX_JOINED = 2_000_000


def common(values: Iterable[Fraction]) -> Fraction:
    """The largest number that all values are whole multiples of."""
    found = list(values)
    below = lcm(*(v.denominator for v in found))
    return Fraction(gcd(*(int(v * below) for v in found)), below)


def _whole(generators: Sequence[Mapping[tuple[int, Monomial], Fraction]]) -> list[list[int]]:
    """The generators over all columns, each column in units of its common measure."""
    keys = sorted({key for row in generators for key in row})
    base = {key: common(row[key] for row in generators if key in row) for key in keys}
    return [[int(row.get(key, 0) / base[key]) for key in keys] for row in generators]


def _hashes(rows: Sequence[Sequence[int]], seed: int) -> list[int]:
    """A homomorphism to the integers modulo 2^64: equal frequencies have equal hashes."""
    rng = np.random.default_rng(seed)
    random = [int(v) | 1 for v in rng.integers(0, 2**63, len(rows[0]))]
    return [sum(r * v for r, v in zip(random, row, strict=True)) % 2**64 for row in rows]


def _box(hashes: Sequence[int], degrees: Sequence[int]) -> NDArray[np.uint64]:
    """Hashes of all vectors with entries up to ``degrees``, in the order of the box."""
    total = np.zeros(1, dtype=np.uint64)
    for h, k in zip(hashes, degrees, strict=True):
        steps = np.array([n * h % 2**64 for n in range(-k, k + 1)], dtype=np.uint64)
        total = (total[:, None] + steps).ravel()  # modulo 2^64
    return total


def independent(generators: Sequence[Row], degrees: Sequence[int]) -> bool:
    """Whether distinct vectors of the box are certainly distinct frequencies.

    They are unless an integer relation exists with entries up to ``2 K_i``; it would show as a
    common hash of multiples of the first and of the second half of the generators.
    """
    rows = _whole(generators)
    if len(rows) < 2 or all(sum(map(bool, column)) <= 1 for column in zip(*rows, strict=True)):
        return True
    hashes, wide, half = _hashes(rows, 0), [2 * k for k in degrees], len(rows) // 2
    if max(prod(2 * k + 1 for k in p) for p in (wide[:half], wide[half:])) > MAX_JOINED:
        return False
    parts = [np.sort(_box(hashes[s], wide[s])) for s in (slice(half), slice(half, None))]
    if any(np.any(part[1:] == part[:-1]) for part in parts):
        return False
    return len(np.intersect1d(parts[0], parts[1], assume_unique=True)) == 1


def joined(
    generators: Sequence[Row], degrees: Sequence[int], flat: Integers, vectors: Integers
) -> tuple[Integers, Integers]:
    """Which vectors are one frequency.

    Args:
        generators: exact.
        degrees: ``K_i``, the box.
        flat: positions in the box, ascending.
        vectors: the integers of each, ``[n, r]``.

    Returns:
        The first place in ``flat`` of each frequency, ascending, and for each place the index of
        its frequency.

    Raises:
        SpectrumError: too many vectors, or hashes that can't tell frequencies apart.
    """
    if len(flat) > MAX_JOINED:
        msg = f"{len(flat)} frequencies may coincide: too many to join; restrict the features"
        raise SpectrumError(msg)
    rows = _whole(generators)
    for seed in range(4):
        keys = _box(_hashes(rows, seed), degrees)[flat]
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        gaps = np.unique(vectors - vectors[first[inverse]], axis=0)
        if all(_vanishes(gap, rows) for gap in gaps.tolist()):
            order = np.argsort(first)
            return first[order], np.argsort(order)[inverse]
    msg = "frequencies could not be told apart; restrict the features"
    raise SpectrumError(msg)


def _vanishes(gap: Sequence[int], rows: Sequence[Sequence[int]]) -> bool:
    columns = zip(*rows, strict=True)
    return all(sum(n * v for n, v in zip(gap, column, strict=True)) == 0 for column in columns)
