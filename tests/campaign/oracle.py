"""Ground truth for circuits: outputs in ball arithmetic of 200 bits at random rational points.

It shares no code with the exact engine that the campaign tests: own gate matrices, complex balls
instead of residues. Two circuits differ for certain where the ball of a difference leaves out 0.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce

import numpy as np
from flint import acb, arb, ctx, fmpq

from qrun_equiv.angle import Angle, read_constant, root_two_multiple
from qrun_equiv.circuit import GATES, Circuit, Gate

PRECISION, POINTS = 200, 3
SAME = 1e-40  # what rounding of 200 bits leaves of two equal circuits; no mutant is so close
_RANGE, _STEPS = 6, 10**6

Point = dict[str, list[Fraction]]


def random_point(circuit: Circuit, rng: np.random.Generator) -> Point:
    """Rational features and parameters between -6 and 6, none of them special."""

    def draw(count: int) -> list[Fraction]:
        steps = rng.integers(-_RANGE * _STEPS, _RANGE * _STEPS, count)
        return [Fraction(int(s), _STEPS) + Fraction(1, 7 * _STEPS) for s in steps]

    return {"x": draw(circuit.n_features), "theta": draw(circuit.n_parameters)}


def differ(first: Circuit, second: Circuit, *, seed: int, theta: np.ndarray | None = None) -> bool:
    """Whether two circuits measure different values, at the given parameters or at random ones.

    Raises:
        AssertionError: the balls are too wide to tell (never seen).
    """
    gaps = [gap(first, second, seed=seed + k, theta=theta) for k in range(POINTS)]
    if any(low > 0 for low, _ in gaps):
        return True
    assert all(high < SAME for _, high in gaps), gaps
    return False


def gap(
    first: Circuit, second: Circuit, *, seed: int, theta: np.ndarray | None = None
) -> tuple[float, float]:
    """Bounds of the largest difference of the outputs at one random point."""
    point = random_point(first, np.random.default_rng([seed, 7]))
    if theta is not None:
        point["theta"] = [Fraction(float(v)) for v in theta]
    ctx.prec = PRECISION
    left, right = outputs(first, point), outputs(second, point)
    balls = [abs(a - b) for a, b in zip(left, right, strict=True)]
    low = max(max(0.0, float(b.lower())) for b in balls)
    return low, max(float(b.upper()) for b in balls)


def outputs(circuit: Circuit, point: Point) -> list[arb]:
    """Expectation values as real balls."""
    n = circuit.n_wires
    state = np.full((2,) * n, acb(0), dtype=object)
    state[(0,) * n] = acb(1)
    for gate in circuit.gates:
        state = _apply(state, _matrix(gate, point), gate.wires)
    values = []
    for observable in circuit.observables:
        total = acb(0)
        for coefficient, word in observable.terms:
            turned = state
            for wire, letter in word:
                turned = _apply(turned, PAULI[letter], (wire,))
            overlap = sum(a.conjugate() * b for a, b in zip(state.flat, turned.flat, strict=True))
            total += _number(coefficient) * overlap
        values.append(total.real)
    return values


def _number(value: float) -> arb:
    root = root_two_multiple(value)
    if root is not None:
        return _rational(root) * arb(2).sqrt()
    return _angle(read_constant(value), {"x": [], "theta": []})


def _rational(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


def _angle(angle: Angle, point: Point) -> arb:
    total = arb(0)
    for monomial, coefficient in angle.terms:
        term = _rational(coefficient)
        for symbol, power in monomial:
            base = arb.pi() if symbol.kind == "pi" else _rational(point[symbol.kind][symbol.index])
            term *= base**power
        total += term
    return total


def _array(rows: list[list[complex]]) -> np.ndarray:
    return np.array(
        [[acb(v.real, v.imag) for v in map(complex, row)] for row in rows], dtype=object
    )


PAULI = {
    "X": _array([[0, 1], [1, 0]]),
    "Y": _array([[0, -1j], [1j, 0]]),
    "Z": _array([[1, 0], [0, -1]]),
}
_CNOT = _array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
_SWAP = _array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def _phase(angle: arb) -> acb:
    return acb(angle.cos(), angle.sin())


def _diagonal(*entries: acb) -> np.ndarray:
    matrix = np.full((len(entries),) * 2, acb(0), dtype=object)
    for k, entry in enumerate(entries):
        matrix[k, k] = entry
    return matrix


def _rotation(word: str, angle: arb) -> np.ndarray:
    matrix = reduce(np.kron, [PAULI[letter] for letter in word])
    one = _diagonal(*[acb(1)] * len(matrix))
    return one * acb((angle / 2).cos()) - matrix * acb(0, (angle / 2).sin())


def _matrix(gate: Gate, point: Point) -> np.ndarray:
    angle = arb(0) if gate.angle is None else _angle(gate.angle, point)
    one = acb(1)
    if gate.name == "PauliRot":
        return _rotation(gate.word, angle)
    if gate.name == "PhaseShift":
        return _diagonal(one, _phase(angle))
    if gate.name in {"S", "T"}:
        return _diagonal(one, _phase(arb.pi() / (2 if gate.name == "S" else 4)))
    if gate.name == "H":
        return _array([[1, 1], [1, -1]]) / acb(2).sqrt()
    if gate.name == "CZ":
        return _diagonal(one, one, one, -one)
    if gate.name in {"CNOT", "SWAP"}:
        return _CNOT if gate.name == "CNOT" else _SWAP
    if gate.name in PAULI:
        return PAULI[gate.name]
    turn = _rotation(gate.name[-1], angle)
    if not GATES[gate.name].controlled:
        return turn
    matrix = _diagonal(*[one] * 4)
    matrix[2:, 2:] = turn
    return matrix


def _apply(state: np.ndarray, matrix: np.ndarray, wires: tuple[int, ...]) -> np.ndarray:
    k = len(wires)
    moved = np.moveaxis(state, wires, range(k)).reshape(2**k, -1)
    made = np.full(moved.shape, acb(0), dtype=object)
    for row in range(2**k):
        for column in range(2**k):
            if matrix[row, column] != 0:
                made[row] = made[row] + moved[column] * matrix[row, column]
    return np.moveaxis(made.reshape((2,) * state.ndim), range(k), wires)
