"""The circuits of the spectrum benchmark, and every way to their coefficients but ours.

A case is ``layers`` times (Rot on each wire, CNOT from each wire to the next, the encodings on each
wire), then Rot and CNOTs once more, and ``<Z>`` of wire 0 is measured.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import flint
import numpy as np
import pennylane as qml
import torch
from flint import acb, arb

from qrun_equiv.angle import feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable

_BITS = 160


@dataclass(frozen=True)
class Case:
    """A circuit at given parameters ``[layers + 1, qubits, 3]`` (RZ, RY, RZ of each Rot)."""

    name: str
    qubits: int
    layers: int
    encodings: tuple[str, ...]
    parameters: np.ndarray

    @property
    def degree(self) -> int:
        """Largest frequency in each feature."""
        return self.qubits * self.layers

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the coefficients."""
        return (2 * self.degree + 1,) * len(self.encodings)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Of the CNOTs."""
        return list(itertools.pairwise(range(self.qubits)))

    def circuit(self) -> Circuit:
        """Neutral form; the parameters flattened."""
        gates: list[Gate] = []
        numbers = itertools.count()
        for layer in range(self.layers + 1):
            for wire in range(self.qubits):
                gates += [
                    Gate(name, (wire,), parameter(next(numbers))) for name in ("RZ", "RY", "RZ")
                ]
            gates += [Gate("CNOT", pair) for pair in self.pairs]
            if layer < self.layers:
                gates += [
                    Gate(name, (wire,), feature(k))
                    for wire in range(self.qubits)
                    for k, name in enumerate(self.encodings)
                ]
        z = Observable.of([(1.0, {0: "Z"})])
        return Circuit(self.qubits, tuple(gates), (z,), len(self.encodings), self.parameters.size)

    def qnode(self) -> Any:
        """PennyLane: ``f(x)`` at the case's parameters, ``x [n_features]`` or ``[.., batch]``."""
        gates = {"RX": qml.RX, "RY": qml.RY}

        @qml.qnode(qml.device("default.qubit", wires=self.qubits), interface=None)
        def function(x):
            for layer in range(self.layers + 1):
                for wire in range(self.qubits):
                    qml.Rot(*self.parameters[layer, wire], wires=wire)
                for pair in self.pairs:
                    qml.CNOT(wires=pair)
                if layer < self.layers:
                    for wire in range(self.qubits):
                        for k, name in enumerate(self.encodings):
                            gates[name](x[k], wires=wire)
            return qml.expval(qml.Z(0))

        return function


def serial(layers: int, seed: int = 5) -> Case:
    """One qubit, one feature."""
    rng = np.random.default_rng([seed, layers])
    turns = rng.uniform(0, 2 * np.pi, (layers + 1, 1, 3))
    return Case(f"1 qubit, L = {layers}", 1, layers, ("RX",), turns)


def wide(qubits: int, layers: int, encodings: tuple[str, ...], name: str) -> Case:
    """Several qubits."""
    rng = np.random.default_rng([7, qubits, layers])
    turns = rng.uniform(0, 2 * np.pi, (layers + 1, qubits, 3))
    return Case(name, qubits, layers, encodings, turns)


# --- a reference in ball arithmetic --------------------------------------------------------------


def reference(case: Case) -> np.ndarray:
    """Coefficients in the order of numpy's FFT: states at a grid of points and a plain DFT.

    All in balls, whose radii are checked: every digit of the result is right.
    """
    before = flint.ctx.prec
    flint.ctx.prec = _BITS + 4 * case.layers  # radii grow by a factor a layer
    try:
        count = 2 * case.degree + 1
        root = [acb(2 * k) / count for k in range(count)]
        waves = [r.exp_pi_i() for r in root]
        values = {
            point: _expectation(case, [arb(2 * p) / count * arb.pi() for p in point])
            for point in itertools.product(range(count), repeat=len(case.encodings))
        }
        for axis in range(len(case.encodings)):
            values = _transformed(values, axis, count, waves)
        found = np.empty(case.shape, dtype=complex)
        for index, ball in values.items():
            assert float(ball.real.rad()) + float(ball.imag.rad()) < 1e-20
            found[index] = complex(float(ball.real.mid()), float(ball.imag.mid()))
        return found
    finally:
        flint.ctx.prec = before


def _transformed(values: dict, axis: int, count: int, waves: list) -> dict:
    rows: dict[tuple[int, ...], list] = {}
    for point in sorted(values):
        rows.setdefault(point[:axis] + point[axis + 1 :], []).append(values[point])
    return {
        (*rest[:axis], k, *rest[axis:]): sum(
            (v * waves[-k * j % count] for j, v in enumerate(row)), acb(0)
        ) / count
        for rest, row in rows.items()
        for k in range(count)
    }  # fmt: skip


def _expectation(case: Case, x: list[arb]) -> acb:
    state = [acb(1)] + [acb(0)] * (2**case.qubits - 1)
    encode = [_turn(name, angle) for name, angle in zip(case.encodings, x, strict=True)]
    for layer in range(case.layers + 1):
        for wire in range(case.qubits):
            state = _applied(case, state, _rot(tuple(case.parameters[layer, wire])), wire)
        for control, target in case.pairs:
            c, t = 1 << (case.qubits - 1 - control), 1 << (case.qubits - 1 - target)
            state = [state[k ^ t] if k & c else state[k] for k in range(len(state))]
        if layer < case.layers:
            for wire, matrix in itertools.product(range(case.qubits), encode):
                state = _applied(case, state, matrix, wire)
    top = len(state) // 2
    total = arb(0)
    for k, v in enumerate(state):
        size = v.real**2 + v.imag**2
        total += size if k < top else -size
    return acb(total)


def _applied(case: Case, state: list, m: tuple, wire: int) -> list:
    bit = 1 << (case.qubits - 1 - wire)
    out = list(state)
    for k in range(len(state)):
        if not k & bit:
            a, b = state[k], state[k | bit]
            out[k], out[k | bit] = m[0] * a + m[1] * b, m[2] * a + m[3] * b
    return out


def _turn(name: str, angle: arb) -> tuple:
    c, s = acb((angle / 2).cos()), acb((angle / 2).sin())
    if name == "RZ":
        phase = (acb(0, 1) * angle / 2).exp()
        return (1 / phase, acb(0), acb(0), phase)
    off = s if name == "RY" else acb(0, 1) * s
    return (c, -off, off if name == "RY" else -off, c)


_KNOWN: dict[tuple, tuple] = {}


def _rot(angles: tuple[float, ...]) -> tuple:
    """RZ(c) RY(b) RZ(a): computed once for all points."""
    key = (*angles, flint.ctx.prec)
    if key not in _KNOWN:
        a, b, c = (arb(float(v)) for v in angles)
        total = _turn("RZ", a)
        for m in (_turn("RY", b), _turn("RZ", c)):
            total = (
                m[0] * total[0] + m[1] * total[2], m[0] * total[1] + m[1] * total[3],
                m[2] * total[0] + m[3] * total[2], m[2] * total[1] + m[3] * total[3],
            )  # fmt: skip
        _KNOWN[key] = total
    return _KNOWN[key]


# --- the other ways, written here ----------------------------------------------------------------


def pennylane(case: Case, *, broadcast: bool) -> Any:
    """A call of ``qml.fourier.coefficients`` on a QNode that is ready."""
    return partial(
        qml.fourier.coefficients,
        case.qnode(),
        len(case.encodings),
        case.degree,
        use_broadcasting=broadcast,
    )


def _rotations(angles: np.ndarray) -> np.ndarray:
    """``RZ(c) RY(b) RZ(a)`` for ``angles [..., 3]``, complex ``[..., 2, 2]``."""
    a, b, c = np.moveaxis(angles, -1, 0)
    cos, sin = np.cos(b / 2), np.sin(b / 2)
    plus, minus = np.exp(0.5j * (a + c)), np.exp(0.5j * (a - c))
    rows = [np.stack([cos / plus, -sin * minus], -1), np.stack([sin / minus, cos * plus], -1)]
    return np.stack(rows, -2)


def torch_loop(case: Case) -> np.ndarray:
    """A plain loop over the gates for all points of the grid at once, and an FFT."""
    n, d = case.qubits, len(case.encodings)
    count = 2 * case.degree + 1
    axis = torch.arange(count, dtype=torch.float64) * (2 * math.pi / count)
    x = torch.stack(torch.meshgrid(*[axis] * d, indexing="ij"), -1).reshape(-1, d)
    cos, sin = torch.cos(x / 2).to(torch.complex128), torch.sin(x / 2).to(torch.complex128)
    encode = []
    for k, name in enumerate(case.encodings):
        off = sin[:, k] if name == "RY" else 1j * sin[:, k]
        below = off if name == "RY" else -off
        rows = [torch.stack([cos[:, k], -off], -1), torch.stack([below, cos[:, k]], -1)]
        encode.append(torch.stack(rows, -2))
    rotations = torch.as_tensor(_rotations(case.parameters))
    state = torch.zeros((len(x), 2**n), dtype=torch.complex128)
    state[:, 0] = 1
    for layer in range(case.layers + 1):
        for wire in range(n):
            state = _on(state, rotations[layer, wire], wire, n)
        for control, target in case.pairs:
            state = state[:, _swapped(n, control, target)]
        if layer < case.layers:
            for wire, matrix in itertools.product(range(n), encode):
                state = _on(state, matrix[:, None], wire, n)
    size = state.real**2 + state.imag**2
    half = 2 ** (n - 1)
    values = size[:, :half].sum(1) - size[:, half:].sum(1)
    return torch.fft.fftn(values.reshape(case.shape), norm="forward").numpy()


def _on(state: torch.Tensor, matrix: torch.Tensor, wire: int, n: int) -> torch.Tensor:
    parts = state.reshape(len(state), 2**wire, 2, 2 ** (n - 1 - wire))
    return (matrix @ parts).reshape(state.shape)


def _swapped(n: int, control: int, target: int) -> list[int]:
    c, t = 1 << (n - 1 - control), 1 << (n - 1 - target)
    return [k ^ t if k & c else k for k in range(2**n)]


def laurent(case: Case) -> np.ndarray:
    """One qubit: the state as a vector of two polynomials in ``exp(ix)``, layer by layer.

    ``RX(x) = H diag(1, exp(ix)) H`` up to a phase, so a layer is a 2 x 2 matrix and a shift; the
    coefficients of ``<Z>`` are a cross-correlation.
    """
    h = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    turns = _rotations(case.parameters[:, 0])
    inner = h @ turns @ h
    inner[0], inner[-1] = h @ turns[0], turns[-1] @ h
    state = np.zeros((2, case.layers + 1), dtype=complex)
    state[0, 0] = 1
    for k, turn in enumerate(inner[:-1]):
        state[:, : k + 1] = turn @ state[:, : k + 1]
        state[1, 1 : k + 2] = state[1, : k + 1]
        state[1, 0] = 0
    up, down = inner[-1] @ state
    series = np.correlate(up, up, "full") - np.correlate(down, down, "full")
    return np.fft.ifftshift(series)


# --- scales without a common period --------------------------------------------------------------


def unrelated(layers: int) -> tuple[Circuit, np.ndarray]:
    """One qubit, RX of ``theta_l x`` between turns, with scales that have no common period."""
    rng = np.random.default_rng([11, layers])
    gates = []
    for k in range(layers):
        turns = [Gate(n, (0,), parameter(layers + 2 * k + i)) for i, n in enumerate(("RY", "RZ"))]
        gates += [*turns, Gate("RX", (0,), parameter(k) * feature(0))]
    gates.append(Gate("RY", (0,), parameter(3 * layers)))
    primes = [p for p in range(2, 200) if all(p % q for q in range(2, p))][:layers]
    theta = np.concatenate([np.sqrt(primes), rng.uniform(0, 2 * np.pi, 2 * layers + 1)])
    z = Observable.of([(1.0, {0: "Z"})])
    return Circuit(1, tuple(gates), (z,), 1, len(theta)), theta


def one_coefficient(theta: np.ndarray, signs: tuple[int, ...]) -> complex:
    """Coefficient of ``sum_l signs_l s_l``: a product of Bloch matrices, in balls of 160 bits.

    RX(a) turns (y, z) by ``a``: its part in ``exp(+-ia)`` is half of (identity -+ i times the
    quarter turn) there, and its constant part keeps x.
    """
    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        layers = len(signs)
        x, y, z = acb(0), acb(0), acb(1)
        for k, sign in enumerate(signs):
            z, x = _turned(z, x, theta[layers + 2 * k])  # RY
            x, y = _turned(x, y, theta[layers + 2 * k + 1])  # RZ
            i = acb(0, int(sign))
            x, y, z = (
                (x, acb(0), acb(0)) if not sign else (acb(0), (y + i * z) / 2, (z - i * y) / 2)
            )
        z, x = _turned(z, x, theta[3 * layers])
        return complex(float(z.real.mid()), float(z.imag.mid()))
    finally:
        flint.ctx.prec = before


def _turned(first: acb, second: acb, angle: Any) -> tuple[acb, acb]:
    exact = angle if isinstance(angle, arb) else arb(float(angle))
    c, s = exact.cos(), exact.sin()
    return c * first - s * second, s * first + c * second


def unrelated_value(theta: np.ndarray, layers: int, x: float) -> float:
    """``<Z>`` of :func:`unrelated` at one point: Bloch rotations in balls of 160 bits."""
    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        bx, by, bz = acb(0), acb(0), acb(1)
        for k in range(layers):
            bz, bx = _turned(bz, bx, theta[layers + 2 * k])
            bx, by = _turned(bx, by, theta[layers + 2 * k + 1])
            by, bz = _turned(by, bz, arb(float(theta[k])) * arb(x))
        bz, bx = _turned(bz, bx, theta[3 * layers])
        return float(bz.real.mid())
    finally:
        flint.ctx.prec = before


def value(case: Case, x: float) -> float:
    """``<Z>`` of a serial case at one point, in 160-bit arithmetic (midpoints, not balls)."""
    before, flint.ctx.prec = flint.ctx.prec, _BITS
    try:
        encode = _turn("RX", arb(x))
        state = [acb(1), acb(0)]
        for layer in range(case.layers + 1):
            state = _applied(case, state, _rot(tuple(case.parameters[layer, 0])), 0)
            if layer < case.layers:
                state = _applied(case, state, encode, 0)
            # Radii grow by a factor a layer, errors don't: keep the middles.
            state = [acb(v.real.mid(), v.imag.mid()) for v in state]
        up, down = (v.real**2 + v.imag**2 for v in state)
        return float((up - down).mid())
    finally:
        flint.ctx.prec = before
