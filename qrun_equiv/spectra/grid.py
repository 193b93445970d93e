"""Sampling on a grid that can't alias, all points at once, then one FFT.

On the torus of the lattice's generators the output is a trigonometric polynomial of degree ``K_i``
in the phase of generator ``i``, known from the circuit. ``N_i >= 2 K_i + 1`` equispaced phases give
its coefficients exactly (unisolvence). Encoding gates are constant phase tables on the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.circuit import GATES, Gate, Observable, Word
from qrun_equiv.simulate import fixed_matrix
from qrun_equiv.spectra.product_tree import fast_size
from qrun_equiv.spectra.program import Program, Turn
from qrun_equiv.spectra.stages import Couple, Coupling, Phase, Rotate, Stages

Complex = NDArray[np.complex128]
Integers = NDArray[np.int64]
#: On ``state [batch, 2**n, points or 1]`` and half angles ``[batch, n]``.
_Op = Callable[[Tensor, Tensor], Tensor]

_AXES = 4  # transformed at once: the library refuses eight and more
_QUICK = 15  # up to so many points every length is quick to transform
_POWERS = np.array([1, 1j, -1, -1j])


def sizes(degrees: Sequence[int]) -> tuple[int, ...]:
    """Points of each axis for degrees ``K_i``: at least ``2 K_i + 1``."""
    return tuple(2 * k + 1 if 2 * k < _QUICK else fast_size(2 * k + 1) for k in degrees)


def memory(plan: Program) -> int:
    """Bytes that sampling takes for one set of parameters, about: states and phase tables."""
    tables = {s.vector for s in plan.steps if isinstance(s, Turn) and s.vector}
    states = (3 + len(tables)) * 2**plan.n_wires + 2 * len(plan.observables)
    return int(16 * prod(sizes(plan.lattice.degrees)) * states)


def work(plan: Program) -> float:
    """Nanoseconds for one set of parameters, about (measured on one core)."""
    stages = 1 + sum(isinstance(s, Turn) and bool(s.vector) for s in plan.steps)
    amplitudes = prod(sizes(plan.lattice.degrees)) << plan.n_wires
    return 1e5 + stages * (1e4 + 3.5 * amplitudes)


class Grid:
    """Coefficients of a program by sampling.

    Attributes:
        memory: bytes for one set of parameters, about.
    """

    def __init__(self, program: Program) -> None:
        self._n = n = program.n_wires
        self._sizes = sizes(program.lattice.degrees)
        self._stages = Stages(program.steps, n, program.n_parameters)
        points = prod(self._sizes)
        self._points = points
        widest = 4 if points <= 256 else 3
        self._groups = [range(a, min(a + widest, n)) for a in range(0, n, widest)]
        tables: dict[tuple[Phase, ...], Tensor] = {}
        self._ops = [self._couplings(c, tables) for c in self._stages.couplings]
        self._readout = _readout(program.observables, n)
        self._flat = _box_places(program.lattice.degrees, self._sizes)
        self.memory = memory(program)

    def box(self, theta: Tensor, x: Tensor | None) -> Tensor:
        """Coefficients ``[batch, box, n_outputs]`` at ``theta [batch, n_parameters]``."""
        local, half = self._stages.evaluate(theta, x)
        columns = [local[:, 0, w, :, 0] for w in range(self._n)]
        state = reduce(_outer, columns)[..., None]
        matrices = [_kron(local, group) for group in self._groups]
        for stage, ops in enumerate(self._ops):
            if stage:
                state = self._apply_local(state, matrices, stage)
            for op in ops:
                state = op(state, half)
        values = self._expectations(state).expand(-1, -1, self._points)
        shaped = values.reshape(*values.shape[:2], *self._sizes)
        for first in range(2, shaped.ndim, _AXES):
            dims = tuple(range(first, min(first + _AXES, shaped.ndim)))
            shaped = torch.fft.fftn(shaped, dim=dims, norm="forward")
        return (
            shaped.reshape(*values.shape[:2], -1)[..., self._flat]
            .transpose(1, 2)
            .to(torch.complex128)
        )

    def _apply_local(self, state: Tensor, matrices: Sequence[Tensor], stage: int) -> Tensor:
        shape = state.shape
        for group, matrix in zip(self._groups, matrices, strict=True):
            if self._stages.idle[stage, group].all():
                continue
            before = 2**group.start
            block = state.reshape(shape[0], before, 2 ** len(group), -1)
            if before == 1:
                state = (matrix[:, stage] @ block[:, 0]).reshape(shape)
            else:
                state = (matrix[:, stage, None] @ block).reshape(shape)
        return state

    def _expectations(self, state: Tensor) -> Tensor:
        parts = []
        for index, weight in self._readout:
            if index is None:
                parts.append(weight.real @ (state.real.square() + state.imag.square()))
            else:
                parts.append((weight @ (state.conj() * state[:, index])).real)
        return reduce(torch.add, parts)

    def _couplings(
        self, couplings: Sequence[Coupling], tables: dict[tuple[Phase, ...], Tensor]
    ) -> list[_Op]:
        ops: list[_Op] = []
        phases: list[Phase] = []
        moved: _Gather | None = None
        for coupling in [*couplings, None]:
            if isinstance(coupling, Couple) and _is_gather(coupling.gate):
                if phases:
                    ops.append(self._phase(tuple(phases), tables))
                    phases = []
                gather = _gather(coupling.gate, self._n)
                moved = gather if moved is None else moved.then(gather)
                continue
            if moved is not None:
                ops.append(moved.compiled())
                moved = None
            if isinstance(coupling, Phase):
                phases.append(coupling)
                continue
            if phases:
                ops.append(self._phase(tuple(phases), tables))
                phases = []
            if isinstance(coupling, Rotate):
                ops.append(_rotation(coupling, self._n))
            elif coupling is not None:
                ops.append(_dense(coupling.gate, self._n))
        return ops

    def _phase(self, phases: tuple[Phase, ...], tables: dict[tuple[Phase, ...], Tensor]) -> _Op:
        if phases not in tables:
            tables[phases] = torch.as_tensor(_phase_table(phases, self._n, self._sizes))
        table = tables[phases]
        return lambda state, _: state * table


def _outer(left: Tensor, right: Tensor) -> Tensor:
    return (left[:, :, None] * right[:, None, :]).flatten(1)


def _kron(local: Tensor, group: range) -> Tensor:
    """``[batch, stages, 2**g, 2**g]`` from ``[batch, stages, wires, 2, 2]``."""
    total = local[:, :, group.start]
    for wire in group[1:]:
        size = 2 * total.shape[-1]
        total = total[..., :, None, :, None] * local[:, :, wire, None, :, None, :]
        total = total.reshape(*total.shape[:2], size, size)
    return total


def _parity(mask: int, bits: Integers) -> Integers:
    folded = bits & mask
    for shift in (16, 8, 4, 2, 1):
        folded = folded ^ (folded >> shift)
    return np.asarray(folded & 1)


def _mask(wires: Sequence[int], n: int) -> int:
    return sum(1 << (n - 1 - w) for w in wires)


def _word_action(word: Word, n: int) -> tuple[Integers, Complex]:
    """``(P psi)[b] = phase[b] psi[source[b]]`` for a Pauli word on ``n`` wires."""
    bits = np.arange(2**n)
    source = bits ^ _mask([w for w, p in word if p in "XY"], n)
    # Z and Y give (-1)^bit of what comes in, Y = i X Z.
    signs = _parity(_mask([w for w, p in word if p in "YZ"], n), source)
    return source, _POWERS[(2 * signs + sum(p == "Y" for _, p in word)) % 4]


def _phase_table(phases: Sequence[Phase], n: int, points: Sequence[int]) -> Complex:
    """``[2**n, points]``: the phases of each basis state on the grid."""
    bits = np.arange(2**n)
    exponents = np.zeros((2**n, len(points)), dtype=np.int64)
    for phase in phases:
        sign = 1 - 2 * _parity(_mask(phase.wires, n), bits)
        exponents += sign[:, None] * np.array(phase.vector, dtype=np.int64)
    table = np.ones((2**n, 1), dtype=complex)
    for axis, size in enumerate(points):
        turns = exponents[:, axis, None] * np.arange(size) % (2 * size)  # reduced exactly
        wave = np.exp(-1j * np.pi * turns / size)
        table = (table[:, :, None] * wave[:, None, :]).reshape(2**n, -1)
    return table


class _Gather:
    """Moves amplitudes and multiplies them by constant phases."""

    def __init__(self, index: Integers, phase: Complex) -> None:
        self.index, self.phase = index, phase

    def then(self, later: _Gather) -> _Gather:
        return _Gather(self.index[later.index], later.phase * self.phase[later.index])

    def compiled(self) -> _Op:
        moves = not np.array_equal(self.index, np.arange(len(self.index)))
        index = torch.as_tensor(self.index) if moves else None
        phase = torch.as_tensor(self.phase)[:, None] if np.any(self.phase != 1) else None

        def run(state: Tensor, _: Tensor) -> Tensor:
            placed = state if index is None else state[:, index]
            return placed if phase is None else placed * phase

        return run


def _is_gather(gate: Gate) -> bool:
    return gate.name == "SWAP" or GATES[gate.name].controlled


def _gather(gate: Gate, n: int) -> _Gather:
    bits = np.arange(2**n)
    first, second = (1 << (n - 1 - w) for w in gate.wires)
    ones = np.ones(2**n, dtype=complex)
    if gate.name == "CZ":
        return _Gather(bits, np.where((bits & first > 0) & (bits & second > 0), -1.0, ones))
    if gate.name == "CNOT":
        return _Gather(np.where(bits & first, bits ^ second, bits), ones)
    differ = (bits & first > 0) != (bits & second > 0)
    return _Gather(np.where(differ, bits ^ first ^ second, bits), ones)


def _rotation(rotate: Rotate, n: int) -> _Op:
    source, phase = (torch.as_tensor(a) for a in _word_action(rotate.letters, n))
    factor = -1j * phase[:, None]
    slot = rotate.slot

    def run(state: Tensor, half: Tensor) -> Tensor:
        angle = half[:, slot, None, None]
        return torch.cos(angle) * state + torch.sin(angle) * (factor * state[:, source])

    return run


def _dense(gate: Gate, n: int) -> _Op:
    """A fixed unitary on several wires."""
    k = len(gate.wires)
    matrix = torch.as_tensor(fixed_matrix(gate))
    rest = [w for w in range(n) if w not in gate.wires]
    order = [0, *(w + 1 for w in gate.wires), *(w + 1 for w in rest), n + 1]
    back = [order.index(axis) for axis in range(n + 2)]

    def run(state: Tensor, _: Tensor) -> Tensor:
        shaped = state.reshape(state.shape[0], *(2,) * n, state.shape[-1]).permute(order)
        out = matrix @ shaped.reshape(state.shape[0], 2**k, -1)
        return out.reshape(shaped.shape).permute(back).reshape(state.shape)

    return run


def _readout(observables: Sequence[Observable], n: int) -> list[tuple[Tensor | None, Tensor]]:
    """``<O_k> = Re sum_b weight[k, b] conj(psi[b]) psi[index[b]]``, one index for each flip."""
    weights: dict[int, Complex] = {}
    for k, observable in enumerate(observables):
        for coefficient, word in observable.terms:
            source, phase = _word_action(word, n)
            row = weights.setdefault(int(source[0]), np.zeros((len(observables), 2**n), complex))
            row[k] += coefficient * phase
    if not weights:
        weights[0] = np.zeros((len(observables), 2**n), complex)
    bits = np.arange(2**n)
    return [
        (torch.as_tensor(bits ^ flip) if flip else None, torch.as_tensor(w))
        for flip, w in weights.items()
    ]


def _box_places(degrees: Sequence[int], points: Sequence[int]) -> Tensor:
    """Where the box ``-K_i .. K_i`` lies in the flat transform."""
    flat = np.zeros(1, dtype=np.int64)
    for k, size in zip(degrees, points, strict=True):
        flat = (flat[:, None] * size + np.arange(-k, k + 1) % size).reshape(-1)
    return torch.as_tensor(flat)
