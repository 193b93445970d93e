"""Counterparts as people write them by hand, in several styles of torch code."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from qrun_equiv.angle import Angle
from qrun_equiv.circuit import GATES, Circuit, Gate
from qrun_equiv.readout import Readout
from qrun_equiv.simulate import fixed_matrix

#: Quarter and eighth turns that fixed gates are on the Bloch sphere: (axis, angle) one by one.
_TURNS = {
    "S": (("Z", math.pi / 2),),
    "T": (("Z", math.pi / 4),),
    "X": (("X", math.pi),),
    "Y": (("Y", math.pi),),
    "Z": (("Z", math.pi),),
    "H": (("Y", math.pi / 2), ("X", math.pi)),
}


def values(angle: Angle, x: Tensor, theta: Tensor) -> Tensor:
    """An angle for each row, ``[batch]``."""
    return torch.as_tensor(angle.evaluate(x, theta), dtype=torch.float64).expand(x.shape[0])


def bloch_rotation(axis: str, a: Tensor) -> Tensor:
    """Rotation of Bloch vectors, ``[batch, 3, 3]``."""
    c, s, o, z = torch.cos(a), torch.sin(a), torch.ones_like(a), torch.zeros_like(a)
    rows = {
        "X": [[o, z, z], [z, c, -s], [z, s, c]],
        "Y": [[c, z, s], [z, o, z], [-s, z, c]],
        "Z": [[c, -s, z], [s, c, z], [z, z, o]],
    }[axis]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


class Bloch(nn.Module):
    """A one-wire circuit as a chain of rotations of the Bloch vector."""

    STYLES = ("matmul", "einsum", "heisenberg")

    def __init__(self, circuit: Circuit, style: str) -> None:
        super().__init__()
        self.circuit, self.style = circuit, style
        rows, bias = [], []
        for observable in circuit.observables:
            found = {dict(word).get(0, "I"): c for c, word in observable.terms}
            rows.append([found.get(letter, 0.0) for letter in "XYZ"])
            bias.append(found.get("I", 0.0))
        self.register_buffer("weight", torch.tensor(rows, dtype=torch.float64))
        self.register_buffer("bias", torch.tensor(bias, dtype=torch.float64))

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]``."""
        matrices = []
        for gate in self.circuit.gates:
            for axis, angle in self._turns(gate, x, theta):
                matrices.append(bloch_rotation(axis, angle))
        weight, bias = self.get_buffer("weight"), self.get_buffer("bias")
        up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
        if self.style == "heisenberg":
            back = weight.expand(x.shape[0], -1, -1)
            for matrix in reversed(matrices):
                back = back @ matrix
            return (back * up).sum(-1) + bias
        r = up.repeat(x.shape[0], 1)
        for matrix in matrices:
            if self.style == "einsum":
                r = torch.einsum("bij,bj->bi", matrix, r)
            else:
                r = torch.matmul(matrix, r.unsqueeze(-1)).squeeze(-1)
        return nn.functional.linear(r, weight, bias)

    def _turns(self, gate: Gate, x: Tensor, theta: Tensor) -> list[tuple[str, Tensor]]:
        if gate.angle is None:
            fixed = _TURNS[gate.name]
            return [(p, torch.full((x.shape[0],), a, dtype=torch.float64)) for p, a in fixed]
        return [("Z" if gate.name == "PhaseShift" else gate.name[-1], values(gate.angle, x, theta))]


class StateVector(nn.Module):
    """A simulation in complex torch tensors, as in a tutorial."""

    STYLES = ("exp", "complex", "polar")

    def __init__(self, circuit: Circuit, style: str) -> None:
        super().__init__()
        self.circuit, self.style = circuit, style

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]``."""
        n = self.circuit.n_wires
        state = torch.zeros((x.shape[0], 2**n), dtype=torch.complex128)
        state = (state + torch.eye(2**n, dtype=torch.complex128)[0]).reshape(-1, *(2,) * n)
        for gate in self.circuit.gates:
            state = self._apply(state, self._matrix(gate, x, theta), gate.wires)
        flat = state.reshape(x.shape[0], -1)
        outputs = []
        for observable in self.circuit.observables:
            total = 0.0
            for coefficient, word in observable.terms:
                turned = state
                for wire, letter in word:
                    pauli = torch.as_tensor(fixed_matrix(Gate(letter, (wire,))))
                    turned = self._apply(turned, pauli, (wire,))
                overlap = (flat.conj() * turned.reshape(x.shape[0], -1)).sum(-1)
                total = total + coefficient * overlap.real
            outputs.append(total)
        return torch.stack(outputs, dim=1)

    def _apply(self, state: Tensor, matrix: Tensor, wires: Sequence[int]) -> Tensor:
        k = len(wires)
        moved = state.movedim([w + 1 for w in wires], list(range(1, k + 1)))
        shape = moved.shape
        made = matrix @ moved.reshape(shape[0], 2**k, -1)
        return made.reshape(shape).movedim(list(range(1, k + 1)), [w + 1 for w in wires])

    def _phase(self, a: Tensor) -> Tensor:
        if self.style == "exp":
            return torch.exp(1j * a)
        if self.style == "polar":
            return torch.polar(torch.ones_like(a), a)
        return torch.complex(torch.cos(a), torch.sin(a))

    def _matrix(self, gate: Gate, x: Tensor, theta: Tensor) -> Tensor:
        if gate.angle is None:
            return torch.as_tensor(fixed_matrix(gate))
        a = values(gate.angle, x, theta)
        if gate.name == "PhaseShift":
            zero, one = torch.zeros_like(self._phase(a)), torch.ones_like(self._phase(a))
            return torch.stack([one, zero, zero, self._phase(a)], -1).reshape(-1, 2, 2)
        word = gate.word or gate.name[-1]
        pauli = torch.eye(1, dtype=torch.complex128)
        for letter in word:
            pauli = torch.kron(pauli, torch.as_tensor(fixed_matrix(Gate(letter, (0,)))))
        one = torch.eye(len(pauli), dtype=torch.complex128)
        forward = self._phase(-0.5 * a).reshape(-1, 1, 1)  # exp(-i a/2) on P = 1, exp(i a/2) else
        turn = forward * ((one + pauli) / 2) + forward.conj() * ((one - pauli) / 2)
        if not GATES[gate.name].controlled:
            return turn
        off = torch.diag(torch.tensor([1.0, 0.0], dtype=torch.complex128))
        on = torch.diag(torch.tensor([0.0, 1.0], dtype=torch.complex128))
        idle = torch.kron(off, torch.eye(2, dtype=torch.complex128))
        return idle + torch.einsum("ij,bkl->bikjl", on, turn).reshape(-1, 4, 4)


class Signs(nn.Module):
    """``c prod_l cos(a_l)`` as a Fourier series: a mean of cosines over all choices of signs."""

    def __init__(self, angles: Sequence[Angle], coefficient: float) -> None:
        super().__init__()
        self.angles, self.coefficient = angles, coefficient

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs ``[batch]``."""
        a = [values(angle, x, theta) for angle in self.angles]
        signs = list(itertools.product((1, -1), repeat=len(a) - 1))
        total = torch.zeros_like(a[0])
        for choice in signs:
            total = total + torch.cos(a[0] + sum(s * b for s, b in zip(choice, a[1:], strict=True)))
        return self.coefficient * total / len(signs)


class Read(nn.Module):
    """Q-RUN features of some angles, then a readout of the library."""

    def __init__(self, angles: Sequence[Angle], readout: Readout) -> None:
        super().__init__()
        self.angles, self.readout = angles, readout

    def forward(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs ``[batch, n_outputs]``."""
        a = torch.stack([values(angle, x, theta) for angle in self.angles], dim=1)
        return self.readout(torch.stack([torch.cos(a), torch.sin(a)], dim=-1))
