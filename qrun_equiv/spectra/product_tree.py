"""Product tree: wires that never meet, one generator. Cost ``O(L log^2 L)`` for ``L`` re-uploads.

On one wire ``U = W_L D(t) .. W_1 D(t) W_0`` with ``D(t) = exp(-i n t Z / 2)``. It has determinant
1, so two functions say all: ``U = [[a, -b*], [b, a*]]``, and with ``z = exp(i t)`` and ``m`` the
sum of the ``|n|``, ``A = z^(m/2) a`` and ``B = z^(m/2) b`` are polynomials of degree ``m`` in
``z``. Two blocks multiply as

    A = A2 A1 - z^m2 conj(B2) B1,    B = B2 A1 + z^m2 conj(A2) B1        on |z| = 1.

Blocks are kept as values at ``N > m`` points and multiplied in pairs, all pairs of a level at once;
where the degree outgrows ``N``, an FFT goes over to more points. The outputs ``|A|^2 - |B|^2`` (Z),
``2 conj(A) B`` (X + iY) are multiplied over the wires of a word, and one FFT gives coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.spectra.program import FixedGate, Program, Turn
from qrun_equiv.spectra.stages import Phase, Stages

_SHALLOW = 160  # up to so many points calls cost more than work: fewer transforms
_FIRST = (32, 8)  # points of the leaves, shallow and deep
_GROWTH = 2  # points a transform gives, for each that the degree needs


def separable(program: Program) -> bool:
    """Whether the method applies: no gate on two wires, and at most one generator."""
    if len(program.lattice.degrees) > 1:
        return False
    return all(len(s.letters if isinstance(s, Turn) else s.gate.wires) == 1 for s in program.steps)


def fast_size(least: int) -> int:
    """The smallest even ``2^a 3^b 5^c`` that is at least ``least``: quick to transform."""
    best = 2
    while best < least:
        best *= 2
    five = 1
    while five < best:
        three = five
        while three < best:
            size = three * 2
            while size < least:
                size *= 2
            best = min(best, size)
            three *= 3
        five *= 5
    return best


class _Wire:
    """The tree of one wire."""

    def __init__(self, program: Program, wire: int, points: int) -> None:
        steps = [s for s in program.steps if _wire_of(s) == wire]
        placed = [_on_first(s) for s in steps]
        self.stages = Stages(placed, 1, program.n_parameters)
        powers = [
            sum(p.vector[0] for p in c if isinstance(p, Phase)) for c in self.stages.couplings
        ]
        self._pad = (1 << (len(powers) - 1).bit_length()) - len(powers)
        degrees = np.abs(powers + [0] * self._pad)
        first = _FIRST[points > _SHALLOW]
        size = min(points, fast_size(max(first, int(degrees.max()) + 1)))
        self._leaf = _leaf_factors(np.array(powers), size)
        self._levels: list[tuple[int | None, Tensor]] = []
        while len(degrees) > 1:
            joint = degrees[0::2] + degrees[1::2]
            grown = None
            last = len(joint) == 1
            if int(joint.max()) + 1 > size or (last and size < points):
                size = points if last else min(points, fast_size(_GROWTH * int(joint.max())))
                grown = size
            self._levels.append((grown, _twist(degrees[1::2], size)))
            degrees = joint
        self._last = points if size < points else None

    def columns(self, theta: Tensor, x: Tensor | None) -> tuple[Tensor, Tensor]:
        """``A`` and ``B`` at all points, ``[batch, points]``."""
        local, _ = self.stages.evaluate(theta, x)
        values = local[:, :, 0, :, :1] * self._leaf  # [batch, blocks, 2, size]
        if self._pad:
            rest = values.new_zeros((values.shape[0], self._pad, 2, values.shape[-1]))
            rest[:, :, 0] = 1.0
            values = torch.cat([values, rest], dim=1)
        for grown, twist in self._levels:
            if grown is not None:
                values = _resampled(values, grown)
            first, second = values[:, 0::2], values[:, 1::2]
            crossed = second.flip(2).conj() * twist
            values = second * first[:, :, :1] + crossed * first[:, :, 1:]
        if self._last is not None:
            values = _resampled(values, self._last)
        return values[:, 0, 0], values[:, 0, 1]

    def memory(self) -> int:
        """Bytes of one level for one set of parameters, about."""
        sizes = [self._leaf.shape[-1] * (self._leaf.shape[0] + self._pad)]
        sizes += [2 * t.shape[0] * t.shape[-1] for _, t in self._levels]
        return 32 * max(sizes)


def _resampled(values: Tensor, size: int) -> Tensor:
    coefficients: Tensor = torch.fft.fft(values, norm="forward")
    moved: Tensor = torch.fft.ifft(coefficients, n=size, norm="forward")
    return moved


def _wire_of(step: Turn | FixedGate) -> int:
    return step.letters[0][0] if isinstance(step, Turn) else step.gate.wires[0]


def _on_first(step: Turn | FixedGate) -> Turn | FixedGate:
    if isinstance(step, Turn):
        return Turn(((0, step.letters[0][1]),), step.offset, step.factor, step.vector)
    gate = step.gate
    return FixedGate(type(gate)(gate.name, (0,), matrix=gate.matrix))


def _roots(powers: np.ndarray, size: int) -> Tensor:
    """``exp(2 pi i j p / size)``, ``[len(powers), size]``; the exponent is reduced exactly."""
    turns = (powers[:, None] % size) * np.arange(size) % size
    return torch.as_tensor(np.exp(2j * np.pi * turns / size))


def _leaf_factors(powers: np.ndarray, size: int) -> Tensor:
    """What the first column of a local matrix is multiplied by: ``[blocks, 2, size]``."""
    unique, inverse = np.unique(powers, return_inverse=True)
    upper, lower = _roots(np.maximum(-unique, 0), size), _roots(np.maximum(unique, 0), size)
    return torch.stack([upper, lower], dim=1)[torch.as_tensor(inverse.reshape(-1))]


def _twist(degrees: np.ndarray, size: int) -> Tensor:
    """``z^m2 (-1, 1)``, ``[pairs or 1, 2, size]``: equal pairs share one row."""
    shared = degrees[:1] if np.all(degrees == degrees[0]) else degrees
    roots = _roots(shared, size)
    return torch.stack([-roots, roots], dim=1)


class ProductTree:
    """Coefficients of a separable program on one generator.

    Attributes:
        memory: bytes for one set of parameters, about.
    """

    def __init__(self, program: Program) -> None:
        degree = sum(program.lattice.degrees)
        self._degree = degree
        self._points = fast_size(2 * degree + 1)
        self._trees = [_Wire(program, w, self._points) for w in range(program.n_wires)]
        self._words = [o.terms for o in program.observables]
        self.memory = sum(t.memory() for t in self._trees) + 16 * self._points * (
            3 * program.n_wires + len(self._words)
        )

    def box(self, theta: Tensor, x: Tensor | None) -> Tensor:
        """Coefficients ``[batch, 2 K + 1, n_outputs]`` at ``theta [batch, n_parameters]``."""
        bloch: dict[tuple[int, str], Tensor] = {}
        wanted = {letter for terms in self._words for _, word in terms for letter in word}
        for wire, tree in enumerate(self._trees):
            letters = {p for w, p in wanted if w == wire}
            if letters:
                _expectations(bloch, wire, letters, *tree.columns(theta, x))
        outputs = [self._output(terms, bloch, theta) for terms in self._words]
        values = torch.stack(outputs, dim=1)
        half = torch.fft.rfft(values, norm="forward")[..., : self._degree + 1]
        half = half.transpose(1, 2)
        return torch.cat([half[:, 1:].flip(1).conj(), half], dim=1).resolve_conj()

    def _output(
        self,
        terms: Sequence[tuple[float, tuple[tuple[int, str], ...]]],
        bloch: dict[tuple[int, str], Tensor],
        theta: Tensor,
    ) -> Tensor:
        total: Tensor | None = None
        for coefficient, word in terms:
            product = theta.new_ones(()) if not word else bloch[word[0]]
            for letter in word[1:]:
                product = product * bloch[letter]
            part = product if coefficient == 1.0 else coefficient * product
            total = part if total is None else total + part
        nothing = theta.new_zeros(()) if total is None else total
        return nothing.expand(theta.shape[0], self._points)


def _expectations(
    bloch: dict[tuple[int, str], Tensor], wire: int, letters: set[str], a: Tensor, b: Tensor
) -> None:
    if "Z" in letters:
        bloch[wire, "Z"] = a.real.square() + a.imag.square() - b.real.square() - b.imag.square()
    if letters - {"Z"}:
        flip = 2 * a.conj() * b
        bloch[wire, "X"], bloch[wire, "Y"] = flip.real, flip.imag
