"""Which Fourier coefficients are identically zero, decided over random prime fields.

Observables are evolved backwards (:mod:`qrun_equiv.spectra.heisenberg`) as sums of Pauli words,
whose coefficients are Fourier series in the features: an encoding gate moves them to the
frequencies ``w +- slope``. Everything but the features is a random element of a field
(:mod:`qrun_equiv.field`). A coefficient that is not 0 there is not identically 0, which is certain;
one that is 0 in all fields is identically 0 but for the probability that is returned (Schwartz,
J. ACM 27, 701 (1980)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from qrun_equiv import exact
from qrun_equiv.angle import PI, Monomial
from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import QrunEquivError, SpectrumError
from qrun_equiv.field import Field
from qrun_equiv.spectra.heisenberg import Plan, Turn, plan, rotations
from qrun_equiv.spectra.keys import Keys

#: The probability that any coefficient is wrongly called zero stays below this.
FAILURE = 2.0**-80
_MOST_ORDER_BITS = 256
# With primes below 2**31 two products fit into an int64. Such a field is small, so several are
# needed; where one decides less than this, a single field of large integers is cheaper.
_INT64_PRIME = 2**31
_SMALL_CHANCE = 2.0**-6
_ENOUGH_BITS = 62


def effective(
    circuit: Circuit, features: Sequence[int], space: Keys, keys: Sequence[int], *, seed: int = 0
) -> tuple[NDArray[np.bool_], float]:
    """Which coefficients are not identically zero in parameters and fixed features.

    Args:
        circuit: neutral form.
        features: the features that vary.
        space: the keys of its frequencies.
        keys: ascending keys of the accessible frequencies.
        seed: of the random fields.

    Returns:
        bool ``[n_frequencies, n_outputs]``, and a bound on the probability that any coefficient
        that is not identically zero was called zero.

    Raises:
        SpectrumError: a gate is given by a matrix of floats, or words times frequencies are too
            many for memory.
    """
    turns = rotations(circuit, features, space)
    plans = [plan(turns, observable, len(keys)) for observable in circuit.observables]
    arcs = exact.arcs(circuit)
    order, degree, height = _sizes(circuit, turns)
    bad = degree + 2 * math.ceil(height) * int(sympy.totient(order))
    bits = 26 - order.bit_length()
    if arcs or bits < 8 or math.log2(bad) - (bits - 1) > math.log2(_SMALL_CHANCE):
        wanted = math.log2(bad * len(keys) * len(plans)) - math.log2(FAILURE)
        bits = max(_ENOUGH_BITS, math.ceil(wanted) + 2)
    moved = shifts(keys, {t.step for t in turns if t.step})
    found = np.zeros((len(keys), len(plans)), dtype=bool)
    rng, error = np.random.default_rng(seed), 1.0
    while not np.all(found) and error * np.count_nonzero(~found) > FAILURE:
        drawn = Field.random(rng, order=order, bits=bits)
        drawn.arcs(arcs)
        try:
            values = [coefficients(p, drawn, moved, len(keys)) for p in plans]
        except QrunEquivError:
            raise
        except ValueError:  # a denominator is 0 in this field: such fields count as bad ones
            continue
        found |= np.stack([v != 0 for v in values], axis=1)
        chance = float(Fraction(bad, 2 ** (bits - 1)))
        if arcs:  # points inside an arccos have an error bound of their own
            chance = drawn.error(exact.degree(circuit), exact.height(circuit))
        if chance > _SMALL_CHANCE:
            bits *= 2
        else:
            error *= chance
    undecided = int(np.count_nonzero(~found))
    return found, undecided * error if undecided else 0.0


def shifts(
    keys: Sequence[int], steps: set[int]
) -> dict[int, tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """For each step, the column that each frequency is reached from, upwards and downwards."""
    column = {key: k for k, key in enumerate(keys)}
    none = len(keys)  # a column that stays 0

    def source(step: int) -> NDArray[np.intp]:
        return np.array([column.get(key - step, none) for key in keys] + [none], dtype=np.intp)

    return {step: (source(step), source(-step)) for step in steps}


def coefficients(
    path: Plan, drawn: Field, sources: dict[int, tuple[NDArray[np.intp], NDArray[np.intp]]],
    columns: int,
) -> NDArray[Any]:  # fmt: skip
    """Coefficients of one output in a field, ``[n_frequencies]``, int64 or Python ints.

    Args:
        path: of the output's observable.
        drawn: the field, with its random parameters.
        sources: of :func:`shifts`.
        columns: number of frequencies.
    """
    p, i = drawn.prime, drawn.i
    rows = np.zeros((path.rows, columns + 1), dtype=np.int64 if p < _INT64_PRIME else object)
    for row, coefficient in path.start:  # of frequency 0, which is in the middle
        rows[row, columns // 2] = exact.constant(coefficient, drawn)
    half = (p + 1) // 2
    for move in path.moves:
        sign = move.sign.astype(rows.dtype)
        up = drawn.turn(move.turn.offset)
        down, up = pow(up, -1, p) * half % p, up * half % p  # exp(-+ia) / 2
        one, two = rows[move.first], rows[move.second]
        if move.turn.step:
            plus, minus = sources[move.turn.step]
            j = sign * i % p
            above = ((up * one - up * j % p * two) % p)[:, plus]
            below = ((down * one + down * j % p * two) % p)[:, minus]
            rows[move.first], rows[move.second] = (above + below) % p, j * (above - below) % p
        else:
            cosine, sine = (up + down) % p, sign * ((down - up) * i % p) % p
            rows[move.first] = (cosine * one + sine * two) % p
            rows[move.second] = (cosine * two - sine * one) % p
    last, signs = path.finish
    total = (rows[last] * signs[:, None].astype(rows.dtype) % p).sum(axis=0) % p
    return np.asarray(total[:-1])


def _sizes(circuit: Circuit, turns: Sequence[Turn]) -> tuple[int, int, float]:
    """Order of the roots of unity, and degree and height of the coefficients.

    A coefficient is a Laurent polynomial in one formal point of the circle for each monomial: a
    turn by ``q`` times the monomial adds exponents up to ``+-q``, times the common denominator of
    all ``q``. An observable's coefficient may be a multiple of ``pi**2``: degree 2. Denominators
    cleared, one turn raises the sum of all absolute coefficients (of all words and exponents) at
    most fourfold: two bits.
    """
    order = 8
    denominators: dict[Monomial, int] = {}
    for turn in turns:
        for monomial, q in turn.offset.terms:
            if monomial == PI.terms[0][0]:
                order = math.lcm(order, 2 * q.denominator)
            else:
                denominators[monomial] = math.lcm(denominators.get(monomial, 1), q.denominator)
    if order.bit_length() > _MOST_ORDER_BITS:
        msg = "too many unrelated fractions of pi to decide exactly which coefficients vanish"
        raise SpectrumError(msg)
    degree = 2 + sum(
        2 * int(abs(q) * denominators[m]) for t in turns for m, q in t.offset.terms
        if m in denominators
    )  # fmt: skip
    bare = Circuit(circuit.n_wires, (), circuit.observables, 0, 0)
    height = exact.height(bare) + 2.0 * len(turns)
    return order, degree, height + sum(d.bit_length() for d in denominators.values())
