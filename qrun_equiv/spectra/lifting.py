"""Lifting: Pauli words times frequencies, for scales that share no period.

The state is ``r[n, Q]``: the part of ``<Q>`` that oscillates with the integer vector ``n`` over the
lattice's generators. A rotation by ``s . x + b`` leaves the words that commute with it, and splits
the others: ``cos`` and ``sin`` move them by ``+s`` and ``-s``. Equal frequencies fall onto the same
place of the box as they arise, so cost follows distinct frequencies. Only Pauli words are carried
that ``|0..0>`` reaches and that reach an observable (Heisenberg picture: Rudolph et al.,
arXiv:2308.09109; the pruning is exact).

Where the generators of the first gates and of the last ones differ, both ends are propagated to the
middle, and one matrix product gives all coefficients: ``3**16`` of them from two tables of
``3**8``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.spectra.angle_table import AngleTable
from qrun_equiv.spectra.program import FixedGate, Program, Turn
from qrun_equiv.spectra.torus import Vector, shifted
from qrun_equiv.transfer import Fixed, readout, rotation_tables, start
from qrun_equiv.transfer import steps as transfer_steps

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Array = NDArray[np.float64]

#: 4**n Pauli words are too many beyond.
MAX_WIRES = 6

_GATHERED = 4  # a fixed gate that feeds words from more words is a matrix


_NONE = torch.zeros(0)


@dataclass(frozen=True)
class _Move:
    """One step in one direction on words ``in -> out``.

    ``out[q] = keep[q] in[own[q]] + turn[q] cos in[own[q]] + cross[q] sin in[source[q]]``; a fixed
    gate is ``in @ matrix``, or the sum of its ``feeds`` (places and weights).
    """

    own: Tensor = _NONE
    source: Tensor = _NONE
    keep: Tensor = _NONE
    turn: Tensor = _NONE
    cross: Tensor = _NONE
    vector: Vector = ()
    slot: int = 0
    matrix: Tensor | None = None
    feeds: tuple[tuple[Tensor, Tensor], ...] = ()


class _Step:
    """A step on all words: what reaches what, and its two moves."""

    def __init__(self, step: Turn | FixedGate, n: int, slot: int) -> None:
        self.slot = slot
        self.vector: Vector = step.vector if isinstance(step, Turn) else ()
        self.fixed: Fixed | None = None
        if isinstance(step, FixedGate):
            self.fixed = _transfer(step.gate, n)
        else:
            letters = dict(step.letters)
            word = "".join(letters.get(w, "I") for w in range(n))
            self.anticommuting, self.partner, self.sign = rotation_tables(word)

    def reach(self, words: Flags, *, backward: bool) -> Flags:
        if self.fixed is None:
            return np.asarray(words | (words[self.partner] & (self.anticommuting > 0)))
        matrix = self.fixed.matrix.abs()
        sizes = Fixed(matrix.T if backward else matrix, self.fixed.wires, self.fixed.n_wires)
        row = torch.as_tensor(words.astype(float))[None]
        return np.asarray(sizes.apply(row)[0].numpy() > 0)

    def move(self, inside: Integers, outside: Integers, *, backward: bool) -> _Move:
        place = np.full(len(self.sign) if self.fixed is None else 4**self.fixed.n_wires, -1)
        place[inside] = np.arange(len(inside))
        if self.fixed is not None:
            words, weights = _links(self.fixed, outside, backward=backward)
            return _fixed_move(place[words], weights, len(inside))
        own, partner = place[outside], place[self.partner[outside]]
        anti = self.anticommuting[outside]
        sign = self.sign[self.partner[outside]] if backward else self.sign[outside]
        there, other = (own >= 0).astype(float), (partner >= 0).astype(float)
        return _Move(
            torch.as_tensor(np.maximum(own, 0)),
            torch.as_tensor(np.maximum(partner, 0)),
            torch.as_tensor(there * (1 - anti)),
            torch.as_tensor(there * anti),
            torch.as_tensor(other * anti * sign),
            self.vector,
            self.slot,
        )


def _links(fixed: Fixed, outside: Integers, *, backward: bool) -> tuple[Integers, Array]:
    """For each word, the words that feed it through a fixed gate and how: two ``[4**k, words]``."""
    matrix = fixed.matrix.numpy().T if backward else fixed.matrix.numpy()
    steps = [4 ** (fixed.n_wires - 1 - w) for w in fixed.wires]
    digits = np.indices((4,) * len(steps)).reshape(len(steps), -1)
    local, rest = np.zeros_like(outside), outside.copy()
    for step in steps:
        digit = outside // step % 4
        local, rest = 4 * local + digit, rest - digit * step
    words = rest[None, :] + (np.array(steps) @ digits)[:, None]
    return words, np.asarray(matrix[local].T)


def _fixed_move(places: Integers, weights: Array, size: int) -> _Move:
    """A fixed gate from the places that feed each word; those below 0 are not carried."""
    feeds = (places >= 0) & (weights != 0)
    count = int(feeds.sum(axis=0).max())
    if count > _GATHERED:
        matrix = np.zeros((size, places.shape[1]))
        rows, columns = np.nonzero(feeds)
        matrix[places[rows, columns], columns] = weights[rows, columns]
        return _Move(matrix=torch.as_tensor(matrix))
    first = np.argsort(~feeds, axis=0, kind="stable")[: max(count, 1)]
    kept = np.where(feeds, weights, 0.0)
    pairs = zip(
        np.take_along_axis(np.maximum(places, 0), first, axis=0),
        np.take_along_axis(kept, first, axis=0),
        strict=True,
    )
    return _Move(feeds=tuple((torch.as_tensor(p), torch.as_tensor(w)) for p, w in pairs))


def _transfer(gate: Gate, n: int) -> Fixed:
    alone = Circuit(n, (gate,), (Observable.of([(1.0, {0: "Z"})]),), 0, 0)
    (found,) = transfer_steps(alone)
    assert isinstance(found, Fixed)
    return found


class Lifting:
    """Coefficients of a program by propagating Pauli words.

    Attributes:
        memory: bytes for one set of parameters, about.
        work: nanoseconds for one set of parameters, about (measured on one core).

    Raises:
        SpectrumError: more than :data:`MAX_WIRES` wires in the light cone.
    """

    def __init__(self, program: Program) -> None:
        n = program.n_wires
        if n > MAX_WIRES:
            msg = (
                f"lifting carries 4**{n} Pauli words; it takes at most {MAX_WIRES} wires: use the "
                "grid, or fewer wires"
            )
            raise SpectrumError(msg)
        self._rank = len(program.lattice.degrees)
        self._shape = program.lattice.shape
        steps = [_Step(s, n, k) for k, s in enumerate(program.steps)]
        turns = [s if isinstance(s, Turn) else None for s in program.steps]
        offsets = [Angle() if t is None or t.offset is None else t.offset for t in turns]
        factors = [0.0 if t is None else t.factor for t in turns]
        self._table = AngleTable(offsets, factors, program.n_parameters)
        state, columns = start(n).numpy(), readout(program.observables, n)
        alive = _alive(steps, state != 0, np.any(columns.numpy() != 0, axis=1))
        cut, operations, largest = self._cut(steps, alive, len(program.observables))
        self._forward = [
            s.move(a, b, backward=False)
            for s, a, b in zip(steps[:cut], alive[:cut], alive[1 : cut + 1], strict=True)
        ]
        self._backward = [
            s.move(b, a, backward=True)
            for s, a, b in zip(steps[cut:], alive[cut:-1], alive[cut + 1 :], strict=True)
        ][::-1]
        self._first = torch.as_tensor(state[alive[0]])
        self._last = columns[torch.as_tensor(alive[-1])].T.contiguous()
        before = [
            a for a in range(self._rank) if any(m.vector and m.vector[a] for m in self._forward)
        ]
        after = [a for a in range(self._rank) if a not in before]
        order = [*before, *after]
        self._order = (
            None if order == sorted(order) else [order.index(a) for a in range(self._rank)]
        )
        self._split_shape = [self._shape[a] for a in order]
        self.memory = 16 * largest
        self.work = 2.5e4 * len(steps) + 3.0 * operations

    def _cut(
        self, steps: Sequence[_Step], alive: Sequence[Integers], outputs: int
    ) -> tuple[int, float, int]:
        """The cheapest step at which the two ends meet: no generator may be on both sides."""
        forward = _work(steps, [len(a) for a in alive[1:]], self._rank, 1)
        backward = _work(steps[::-1], [len(a) for a in alive[-2::-1]], self._rank, outputs)
        choices = []
        for t in range(len(steps) + 1):
            f, b = forward[t], backward[len(steps) - t]
            if any(p > 1 and q > 1 for p, q in zip(f[1], b[1], strict=True)):
                continue
            final = prod(f[1]) * prod(b[1]) * outputs
            cost = f[0] + b[0] + final * len(alive[t])
            choices.append((cost, t, final + 4 * int(max(f[2], b[2]))))
        cost, cut, largest = min(choices)
        return cut, cost, largest

    def box(self, theta: Tensor, x: Tensor | None) -> Tensor:
        """Coefficients ``[batch, box, n_outputs]`` at ``theta [batch, n_parameters]``."""
        angles = self._table.evaluate(theta, x)
        turns = torch.cos(angles), torch.sin(angles)
        batch, ones = theta.shape[0], (1,) * self._rank
        state = self._first.to(torch.complex128).expand(batch, *ones, 1, -1)
        for move in self._forward:
            state = _moved(state, move, *turns)
        seen = self._last.to(torch.complex128).expand(batch, *ones, *self._last.shape)
        for move in self._backward:
            seen = _moved(seen, move, *turns)
        words, outputs = state.shape[-1], seen.shape[-2]
        right = seen.reshape(batch, -1, words).transpose(1, 2)
        found = state.reshape(batch, -1, words) @ right
        if self._order is not None:
            found = found.reshape(batch, *self._split_shape, outputs)
            found = found.permute(0, *(a + 1 for a in self._order), -1)
        return found.reshape(batch, -1, outputs)


def _alive(steps: Sequence[_Step], first: Flags, last: Flags) -> list[Integers]:
    """Before each step, and at the end: the words that are reached and that reach an observable."""
    reached = [first]
    for step in steps:
        reached.append(step.reach(reached[-1], backward=False))
    needed = [last]
    for step in reversed(steps):
        needed.append(step.reach(needed[-1], backward=True))
    found = [np.flatnonzero(a & b) for a, b in zip(reached, needed[::-1], strict=True)]
    # Nothing left: keep one word, so that shapes stay and the result is 0.
    return found if all(map(len, found)) else [np.zeros(1, dtype=np.int64)] * len(found)


def _work(
    steps: Sequence[_Step], words: Sequence[int], rank: int, outputs: int
) -> list[tuple[float, list[int], float]]:
    """After each number of steps: work so far, shape of the box, largest table."""
    shape, total, largest = [1] * rank, 0.0, float(outputs)
    found = [(total, list(shape), largest)]
    for step, count in zip(steps, words, strict=True):
        shape = [s + 2 * abs(n) for s, n in zip(shape, step.vector or [0] * rank, strict=True)]
        table = float(prod(shape)) * count * outputs
        total, largest = total + 4 * table, max(largest, table)
        found.append((total, list(shape), largest))
    return found


def _moved(state: Tensor, move: _Move, cosine: Tensor, sine: Tensor) -> Tensor:
    """One step on ``state [batch, *box, rows, words]``."""
    if move.matrix is not None:
        return state @ move.matrix.to(torch.complex128)
    if move.feeds:
        return reduce(torch.add, [state[..., place] * weight for place, weight in move.feeds])
    own, other = state[..., move.own], state[..., move.source]
    each = (-1, *(1,) * (state.ndim - 1))
    cos, sin = cosine[:, move.slot].reshape(each), sine[:, move.slot].reshape(each)
    if not move.vector:
        return own * (move.keep + cos * move.turn) + other * (sin * move.cross)
    turned, crossed = own * (0.5 * move.turn), other * (-0.5j * move.cross)
    phase = torch.complex(cos, sin)
    shape = state.shape[1:-2]
    grown = [s + 2 * abs(n) for s, n in zip(shape, move.vector, strict=True)]
    new = own.new_zeros((state.shape[0], *grown, *own.shape[-2:]))
    parts = (
        (0, own * move.keep),
        (1, (turned + crossed) * phase),
        (-1, (turned - crossed) * phase.conj()),
    )
    for sign, part in parts:
        new[(slice(None), *shifted(shape, move.vector, sign))] += part
    return new
