"""A program as few stages: one local layer on all wires, then what couples wires or encodes.

Gates move to the earliest stage that their wires allow. The 2x2 matrices of all local layers are
formed together: each wire's run of gates is a product of factors ``cos(a/2) C + sin(a/2) S`` with
constant ``C``, ``S`` (fixed gates are merged into them), so the number of torch operations depends
on the longest run, not on the number of gates. Encoding rotations become diagonal phases.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import Gate
from qrun_equiv.simulate import fixed_matrix, pauli_matrix
from qrun_equiv.spectra.angle_table import AngleTable
from qrun_equiv.spectra.program import FixedGate, Turn
from qrun_equiv.spectra.torus import Vector

Matrix = NDArray[np.complex128]


def _unimodular(matrix: Matrix) -> Matrix:
    """The matrix with determinant 1: a phase of the whole, without effect on outputs."""
    return np.asarray(matrix / cmath.sqrt(complex(np.linalg.det(matrix))))


_HADAMARD = np.array([[1, 1], [1, -1]], dtype=complex) / np.sqrt(2)
#: ``V`` with ``P = V Z V^dagger``.
_BASES = {"X": _unimodular(_HADAMARD), "Y": _unimodular(np.diag([1, 1j]) @ _HADAMARD)}


@dataclass(frozen=True, slots=True)
class Phase:
    """``exp(-i n . t / 2  Z..Z)`` on some wires; ``t`` the phases of the lattice's generators."""

    wires: tuple[int, ...]
    vector: Vector


@dataclass(frozen=True, slots=True)
class Rotate:
    """``exp(-i a P / 2)`` on several wires; ``slot`` is the place of ``a / 2`` in the table."""

    letters: tuple[tuple[int, str], ...]
    slot: int


@dataclass(frozen=True, slots=True)
class Couple:
    """A fixed gate on several wires."""

    gate: Gate


Coupling = Phase | Rotate | Couple


_ZERO = Angle()
_IDENTITY = np.eye(2, dtype=complex)
_GENERATORS = {p: -1j * pauli_matrix(p) for p in "XYZ"}


@dataclass(frozen=True, slots=True)
class _Local:
    """``cos(a/2) C + sin(a/2) S`` on one wire."""

    cosine: Matrix
    sine: Matrix
    offset: Angle = _ZERO
    factor: float = 0.0

    def after(self, fixed: Matrix) -> _Local:
        return _Local(fixed @ self.cosine, fixed @ self.sine, self.offset, self.factor)


class Stages:
    """The stages of some steps.

    Attributes:
        count: number of stages.
        couplings: for each stage, what follows its local layer, in order.
        idle: ``[count, n_wires]``, True where a stage has no local gate on the wire.
    """

    def __init__(self, steps: Sequence[Turn | FixedGate], n_wires: int, n_parameters: int) -> None:
        self.n_wires = n_wires
        self._runs: list[dict[int, list[_Local]]] = [{}]
        self.couplings: list[list[Coupling]] = [[]]
        self._stage = [0] * n_wires
        self._closed = [False] * n_wires
        self._several: list[tuple[Angle, float]] = []
        for step in steps:
            if isinstance(step, FixedGate):
                self._fixed(step.gate)
            else:
                self._turn(step)
        self.count = len(self._runs)
        self.idle = np.array([[w not in r for w in range(n_wires)] for r in self._runs])
        self._tabulate(n_parameters)

    def _local(self, wire: int, gate: _Local | Matrix) -> None:
        if self._closed[wire]:
            self._advance(wire, self._stage[wire] + 1)
            self._closed[wire] = False
        run = self._runs[self._stage[wire]].setdefault(wire, [])
        if isinstance(gate, _Local):
            # A fixed gate that came first waits as a factor without an angle.
            if run and not run[-1].factor:
                first = run.pop().cosine
                gate = _Local(gate.cosine @ first, gate.sine @ first, gate.offset, gate.factor)
            run.append(gate)
        elif run:
            run[-1] = run[-1].after(gate)
        else:
            run.append(_Local(gate, np.zeros((2, 2), dtype=complex)))

    def _advance(self, wire: int, stage: int) -> None:
        self._stage[wire] = stage
        while len(self._runs) <= stage:
            self._runs.append({})
            self.couplings.append([])

    def _couple(self, wires: Sequence[int], coupling: Coupling) -> None:
        stage = max(self._stage[w] for w in wires)
        for wire in wires:
            self._advance(wire, stage)
            self._closed[wire] = True
        self.couplings[stage].append(coupling)

    def _fixed(self, gate: Gate) -> None:
        if len(gate.wires) == 1:
            self._local(gate.wires[0], _unimodular(fixed_matrix(gate)))
        else:
            self._couple(gate.wires, Couple(gate))

    def _turn(self, turn: Turn) -> None:
        wires = [w for w, _ in turn.letters]
        if turn.offset is not None and len(wires) == 1:
            sine = _GENERATORS[turn.letters[0][1]]
            self._local(wires[0], _Local(_IDENTITY, sine, turn.offset, turn.factor / 2))
        elif turn.offset is not None:
            self._couple(wires, Rotate(turn.letters, len(self._several)))
            self._several.append((turn.offset, turn.factor / 2))
        if turn.vector:
            turned = [(w, _BASES[p]) for w, p in turn.letters if p != "Z"]
            for wire, base in turned:
                self._local(wire, base.conj().T)
            self._couple(wires, Phase(tuple(wires), turn.vector))
            for wire, base in turned:
                self._local(wire, base)

    def _tabulate(self, n_parameters: int) -> None:
        longest = max((len(g) for run in self._runs for g in run.values()), default=0) or 1
        shape = (longest, self.count, self.n_wires)
        cosine = np.tile(np.eye(2, dtype=complex), (*shape, 1, 1))
        sine = np.zeros_like(cosine)
        offsets = [_ZERO] * int(np.prod(shape))
        factors = [0.0] * len(offsets)
        for s, run in enumerate(self._runs):
            for wire, gates in run.items():
                for k, gate in enumerate(gates):
                    cosine[k, s, wire], sine[k, s, wire] = gate.cosine, gate.sine
                    place = (k * self.count + s) * self.n_wires + wire
                    offsets[place], factors[place] = gate.offset, gate.factor
        self._shape = shape
        self._cosine, self._sine = torch.as_tensor(cosine), torch.as_tensor(sine)
        offsets += [offset for offset, _ in self._several]
        factors += [factor for _, factor in self._several]
        self._table = AngleTable(offsets, factors, n_parameters)

    def evaluate(self, theta: Tensor, x: Tensor | None) -> tuple[Tensor, Tensor]:
        """All local matrices, and the half angles of the rotations on several wires.

        Args:
            theta: ``[batch, n_parameters]``.
            x: fixed features ``[batch, n_features]``, where an offset reads one.

        Returns:
            complex128 ``[batch, count, n_wires, 2, 2]`` of determinant 1, float64 ``[batch, n]``.
        """
        half = self._table.evaluate(theta, x)
        cut = self._cosine.numel() // 4
        angles = half[:, :cut].reshape(-1, *self._shape, 1, 1)
        factors = torch.cos(angles) * self._cosine + torch.sin(angles) * self._sine
        total = factors[:, 0]
        for k in range(1, self._shape[0]):
            total = factors[:, k] @ total
        return total, half[:, cut:]
