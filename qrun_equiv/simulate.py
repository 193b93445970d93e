"""A small batched state-vector simulator of the neutral form, in torch.

It is *not* what the numeric checks run (they run the native circuit in its own simulator): it ties
the neutral form to the native circuits, and serves as reference for derived counterparts.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.circuit import GATES, Circuit, Gate, Observable

_PAULI = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]], dtype=complex),
    "Z": np.array([[1, 0], [0, -1]], dtype=complex),
}
_FIXED = {
    "H": np.array([[1, 1], [1, -1]], dtype=complex) / math.sqrt(2),
    "S": np.diag([1, 1j]),
    "T": np.diag([1, complex(math.sqrt(0.5), math.sqrt(0.5))]),
    "X": _PAULI["X"],
    "Y": _PAULI["Y"],
    "Z": _PAULI["Z"],
    "SWAP": np.eye(4, dtype=complex)[[0, 2, 1, 3]],
}


@lru_cache(maxsize=4096)
def pauli_matrix(word: str) -> np.ndarray:
    """Dense matrix of a Pauli word such as ``"XIZ"`` (first letter: most significant wire)."""
    matrix = np.eye(1, dtype=complex)
    for letter in word:
        matrix = np.kron(matrix, _PAULI[letter])
    return matrix


def fixed_matrix(gate: Gate) -> np.ndarray:
    """Matrix of a gate without an angle, shape ``[2**k, 2**k]`` complex128."""
    if gate.name == "Unitary":
        return np.array(gate.matrix, dtype=complex)
    if GATES[gate.name].controlled:
        matrix = np.eye(4, dtype=complex)
        matrix[2:, 2:] = _PAULI["X" if gate.name == "CNOT" else "Z"]
        return matrix
    return _FIXED[gate.name]


def rotation_blocks(gate: Gate) -> list[tuple[np.ndarray, float]]:
    """A gate with an angle as commuting Pauli rotations ``exp(-i f angle P / 2)``: ``[(P, f)]``.

    Up to a global phase: PhaseShift is RZ, and CRP(a) = exp(-i a/4 P) exp(+i a/4 Z P).
    """
    if gate.name == "PauliRot":
        return [(pauli_matrix(gate.word), 1.0)]
    if gate.name == "PhaseShift":
        return [(pauli_matrix("Z"), 1.0)]
    letter = gate.name[-1]
    if GATES[gate.name].controlled:
        return [(pauli_matrix("I" + letter), 0.5), (pauli_matrix("Z" + letter), -0.5)]
    return [(pauli_matrix(letter), 1.0)]


def gate_matrix(gate: Gate, angle: Tensor | float) -> Tensor:
    """Matrix of a gate, up to global phase; ``angle`` [...] in radians -> ``[..., 2**k, 2**k]``."""
    if gate.angle is None:
        return torch.as_tensor(fixed_matrix(gate))
    half = torch.as_tensor(angle, dtype=torch.float64)[..., None, None] / 2
    result = torch.eye(2 ** len(gate.wires), dtype=torch.complex128)
    for pauli, factor in rotation_blocks(gate):
        identity = torch.eye(len(pauli), dtype=torch.complex128)
        turn = torch.cos(factor * half) * identity
        result = result @ (turn - 1j * torch.sin(factor * half) * torch.as_tensor(pauli))
    return result


def apply(state: Tensor, matrix: Tensor, wires: tuple[int, ...]) -> Tensor:
    """Apply ``matrix [..., 2**k, 2**k]`` to ``state [batch, 2, ..., 2]`` on the given wires."""
    k = len(wires)
    rest = [axis for axis in range(state.ndim - 1) if axis not in wires]
    order = [0, *(w + 1 for w in wires), *(r + 1 for r in rest)]
    moved = state.permute(order)
    flat = moved.reshape(state.shape[0], 2**k, 2 ** len(rest))
    out = (matrix @ flat).reshape(moved.shape)
    return out.permute([order.index(axis) for axis in range(state.ndim)])


def expectations(circuit: Circuit, x: Tensor, theta: Tensor) -> Tensor:
    """Expectation values of a neutral circuit, differentiable in features and parameters.

    Args:
        circuit: the circuit.
        x: features, float64 ``[batch, n_features]``, radians where they enter angles unscaled.
        theta: parameters, float64 ``[n_parameters]`` or ``[batch, n_parameters]``.

    Returns:
        float64 ``[batch, n_outputs]``.
    """
    batch = x.shape[0]
    state = torch.zeros((batch, *(2,) * circuit.n_wires), dtype=torch.complex128)
    state.flatten(1)[:, 0] = 1.0
    for gate in circuit.gates:
        angle = gate.angle.evaluate(x, theta) if gate.angle is not None else 0.0
        state = apply(state, gate_matrix(gate, angle), gate.wires)
    columns = [_expectation(state, observable) for observable in circuit.observables]
    return torch.stack(columns, dim=-1)


def _expectation(state: Tensor, observable: Observable) -> Tensor:
    total = torch.zeros(state.shape[0], dtype=torch.float64)
    for coefficient, word in observable.terms:
        bra = state
        for wire, letter in word:
            bra = apply(bra, torch.as_tensor(_PAULI[letter]), (wire,))
        overlap = (state.conj() * bra).flatten(1).sum(-1)
        total = total + coefficient * overlap.real
    return total
