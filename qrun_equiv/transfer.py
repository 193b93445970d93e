"""Pauli transfer matrices: circuits as real linear maps on Pauli expectation values.

A state of ``n`` wires is the real vector ``r_Q = <Q>`` over the ``4**n`` Pauli words ``Q`` (letters
I, X, Y, Z as digits 0 to 3, wire 0 first). A rotation ``exp(-i a P / 2)`` acts as

    Q -> Q                          where P and Q commute,
    Q -> cos(a) Q + sin(a) (-i P Q)  where they anticommute  (Heisenberg: conjugated),

so every core is affine in ``(1, cos a, sin a)``: this is why a data re-uploading circuit equals a
matrix-product readout of the Q-RUN features ``(cos a_g, sin a_g)`` of its encoding gates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.simulate import fixed_matrix, pauli_matrix

LETTERS = "IXYZ"
_ROUNDING = 1e-14


@dataclass(frozen=True)
class Rotation:
    """``exp(-i angle P / 2)`` on all wires: what it does to ``r``.

    Attributes:
        gate_angle: exact angle of the gate, in radians.
        factor: what the rotation turns by is this times the gate's angle.
        anticommuting: float64 ``[4**n]``, 1 where the word anticommutes with ``P``.
        source: int64 ``[4**n]``, the word whose value enters with the sine.
        sign: float64 ``[4**n]``, with which sign (0 where it commutes).
    """

    gate_angle: Angle
    factor: float
    anticommuting: Tensor
    source: Tensor
    sign: Tensor

    @property
    def angle(self) -> Angle:
        """Exact angle of the rotation, in radians."""
        return self.gate_angle * self.factor

    def evaluate(self, x: Any, theta: Any) -> Any:
        """The rotation's angle at points, from the gate's own constants.

        Half of a rational constant would be rounded anew, and then be another constant.
        """
        return self.gate_angle.evaluate(x, theta) * self.factor

    def apply(self, r: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """``r [..., 4**n]`` after the rotation; ``cosine``, ``sine`` broadcast as ``[..., 1]``."""
        turned = self.anticommuting * (cosine - 1.0) * r
        return r + turned + sine * (self.sign * r[..., self.source])


@dataclass(frozen=True)
class Fixed:
    """A gate without an angle: ``matrix [4**k, 4**k]`` on ``wires`` of ``n``."""

    matrix: Tensor
    wires: tuple[int, ...]
    n_wires: int

    def apply(self, r: Tensor) -> Tensor:
        """``r [batch, 4**n]`` after the gate."""
        batch, n, k = r.shape[0], self.n_wires, len(self.wires)
        rest = [w for w in range(n) if w not in self.wires]
        order = [0, *(w + 1 for w in self.wires), *(w + 1 for w in rest)]
        moved = r.reshape(batch, *(4,) * n).permute(order)
        out = self.matrix.to(r.dtype) @ moved.reshape(batch, 4**k, -1)
        back = [order.index(axis) for axis in range(n + 1)]
        return out.reshape(moved.shape).permute(back).reshape(batch, 4**n)


Step = Rotation | Fixed


def steps(circuit: Circuit) -> list[Step]:
    """The circuit as transfer steps in order of time; controlled rotations become two.

    Theorem: proofs/coq/Multilinear.v, matrix_product_readout.
    """
    result: list[Step] = []
    for gate in circuit.gates:
        if gate.angle is None:
            matrix = torch.as_tensor(_transfer_matrix(gate))
            result.append(Fixed(matrix, gate.wires, circuit.n_wires))
        else:
            for word, factor in _words(gate, circuit.n_wires):
                tables = (torch.as_tensor(t) for t in rotation_tables(word))
                result.append(Rotation(gate.angle, factor, *tables))
    return result


def _words(gate: Gate, n: int) -> list[tuple[str, float]]:
    """Pauli words over all wires, with the factor of the gate's angle."""

    def place(letters: str) -> str:
        word = ["I"] * n
        for wire, letter in zip(gate.wires, letters, strict=True):
            word[wire] = letter
        return "".join(word)

    if gate.name == "PauliRot":
        return [(place(gate.word), 1.0)]
    if gate.name == "PhaseShift":
        return [(place("Z"), 1.0)]
    letter = gate.name[-1]
    if GATES[gate.name].controlled:
        return [(place("I" + letter), 0.5), (place("Z" + letter), -0.5)]
    return [(place(letter), 1.0)]


@lru_cache(maxsize=1024)
def rotation_tables(word: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tables of :class:`Rotation` for a Pauli word over all wires.

    Theorem: proofs/coq/Multilinear.v, part_commuting, part_anticommuting.
    """
    n = len(word)
    digits = np.indices((4,) * n).reshape(n, -1)
    phase = np.zeros(4**n, dtype=np.int64)  # power of i in  P Q = i^phase R
    product = np.zeros(4**n, dtype=np.int64)
    for axis, letter in enumerate(word):
        p = LETTERS.index(letter)
        q = digits[axis]
        product = product * 4 + _PRODUCT[p, q]
        phase += _PHASE[p, q]
    anticommuting = (phase % 2).astype(np.float64)
    # U Q U^dagger = cos Q + sin (-i P Q) = cos Q + sin i^(phase-1) R, so r_Q' = <U^dagger Q U>
    # = cos r_Q - sin i^(phase-1) r_R: the state turns the other way round than its observable.
    sign = np.where(phase % 2 == 1, -np.real(1j ** ((phase - 1) % 4)), 0.0)
    return anticommuting, product, sign


# Letter products P Q = i^phase R with I, X, Y, Z = 0..3.
_PRODUCT = np.array([[p ^ q for q in range(4)] for p in range(4)])
_PHASE = np.array([[0, 0, 0, 0], [0, 0, 1, 3], [0, 3, 0, 1], [0, 1, 3, 0]])


def _transfer_matrix(gate: Gate) -> np.ndarray:
    """``R_ij = Tr(P_i U P_j U^dagger) / 2**k`` of a gate without an angle."""
    k = len(gate.wires)
    unitary = fixed_matrix(gate)
    words = ["".join(LETTERS[d] for d in digits) for digits in np.ndindex(*(4,) * k)]
    basis = np.stack([pauli_matrix(w) for w in words])
    moved = unitary @ basis @ unitary.conj().T
    flat = basis.conj().reshape(4**k, -1)
    matrix = np.ascontiguousarray((flat @ moved.reshape(4**k, -1).T).real / 2**k)
    return matrix if gate.name == "Unitary" else _snapped(matrix)


def _snapped(matrix: np.ndarray) -> np.ndarray:
    """The entries of a Clifford or T gate without the rounding of the product above."""
    for value in (0.0, 1.0, -1.0, math.sqrt(0.5), -math.sqrt(0.5)):
        matrix[np.abs(matrix - value) < _ROUNDING] = value
    return matrix


def start(n_wires: int) -> Tensor:
    """The state ``|0...0>``: 1 for every word of I and Z, else 0; float64 ``[4**n]``."""
    r = torch.ones(1, dtype=torch.float64)
    for _ in range(n_wires):
        r = torch.kron(r, torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64))
    return r


def readout(observables: Sequence[Observable], n_wires: int) -> Tensor:
    """Observables as columns, float64 ``[4**n, n_outputs]``."""
    columns = torch.zeros((4**n_wires, len(observables)), dtype=torch.float64)
    for k, observable in enumerate(observables):
        for coefficient, word in observable.terms:
            index = 0
            letters = dict(word)
            for wire in range(n_wires):
                index = index * 4 + LETTERS.index(letters.get(wire, "I"))
            columns[index, k] += coefficient
    return columns
