"""Recover how a gate's angle depends on features and parameters from its values alone.

A PennyLane tape holds numbers, not expressions. The angle of each gate is evaluated on the lattice
points 0, e_i (and, where it is not affine, on the principal lattice of degree 2 to 4), which gives
the coefficients by forward differences; each is then read as the simplest rational (or multiple of
pi) within its rounding error, and the whole is verified at random points. What fails is reported as
opaque: never guessed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np

from qrun_equiv import tolerances
from qrun_equiv.angle import Angle, Symbol, feature, parameter, read_constant
from qrun_equiv.frontends.base import Array

_EPS = float(np.finfo(np.float64).eps)
#: Verification points, a third each of these sizes: clipping and wrapping show far out.
_VERIFY_POINTS, _REACH = 9, (2.0, 40.0, 1000.0)

#: ``f(x, theta) -> angles [n_gates]`` in radians.
AngleFunction = Callable[[Array, Array], Array]


def recover_angles(
    function: AngleFunction, n_features: int, n_parameters: int, *, seed: int = 0
) -> list[Angle | None]:
    """Exact angles of all gates at once; ``None`` where one is no polynomial of low degree.

    Args:
        function: angles of all gates at one point, ``([n_features], [n_parameters]) -> [n_gates]``.
        n_features: length of ``x``.
        n_parameters: length of ``theta``.
        seed: seed of the random points of the verification.
    """
    names = [Symbol("x", i) for i in range(n_features)]
    names += [Symbol("theta", i) for i in range(n_parameters)]
    sample = _Sampler(function, n_features, len(names))
    rng = np.random.default_rng(seed)
    reach = np.repeat(_REACH, _VERIFY_POINTS // len(_REACH))
    probes = rng.uniform(-1.0, 1.0, (len(reach), len(names))) * reach[:, None]
    truth = np.stack([sample.at(p) for p in probes])
    angles = _affine(sample, names)
    curved = [i for i, a in enumerate(angles) if not _agrees(a, names, probes, truth[:, i])]
    supports = _supports(sample, probes[0], curved) if curved else {}
    for i in curved:
        angles[i] = None
        for degree in _degrees(len(supports[i])):
            candidate = _polynomial(sample, names, i, supports[i], degree)
            if _agrees(candidate, names, probes, truth[:, i]):
                angles[i] = candidate
                break
    return angles


def _degrees(support: int) -> range:
    """Degrees to try: fewer where there are many variables."""
    return range(2, (4 if support <= 4 else 3 if support <= 8 else 2) + 1)


class _Sampler:
    """The angle function on flat points, with lattice points remembered."""

    def __init__(self, function: AngleFunction, n_features: int, size: int) -> None:
        self._function = function
        self._split = n_features
        self._size = size
        self._memory: dict[tuple[tuple[int, int], ...], Array] = {}

    def at(self, point: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(self._function(point[: self._split], point[self._split :]), float)

    def lattice(self, steps: Iterable[tuple[int, int]]) -> Array:
        key = tuple((i, k) for i, k in steps if k)
        if key not in self._memory:
            point = np.zeros(self._size)
            for index, value in key:
                point[index] = value
            self._memory[key] = self.at(point)
        return self._memory[key]


def _read(value: float, error: float) -> Fraction | Angle | None:
    """Exact constant within ``error`` of ``value``; None where the value is not finite."""
    if not math.isfinite(value):
        return None
    if abs(value) <= error:
        return Fraction(0)
    return read_constant(value, width=0.5 + error / math.ulp(value))


def _affine(sample: _Sampler, names: Sequence[Symbol]) -> list[Angle | None]:
    origin = sample.lattice(())
    units = [sample.lattice(((i, 1),)) for i in range(len(names))]
    angles: list[Angle | None] = []
    for gate, start in enumerate(origin):
        total: Angle | None = _as_angle(_read(float(start), 0.0))
        for name, unit in zip(names, units, strict=True):
            # A difference of two rounded numbers; exact where the angle is 0 at the origin.
            error = _EPS * max(abs(unit[gate]), abs(start)) if start else 0.0
            slope = _read(float(unit[gate] - start), float(error))
            if total is None or slope is None:
                total = None
                break
            total = total + _variable(name) * slope
        angles.append(total)
    return angles


def _as_angle(value: Fraction | Angle | None) -> Angle | None:
    return Angle.constant(value) if isinstance(value, Fraction) else value


def _variable(name: Symbol) -> Angle:
    return feature(name.index) if name.kind == "x" else parameter(name.index)


def _supports(sample: _Sampler, base: Array, gates: Sequence[int]) -> dict[int, list[int]]:
    start = sample.at(base)
    found: dict[int, list[int]] = {gate: [] for gate in gates}
    for index in range(len(base)):
        moved = base.copy()
        moved[index] += 0.37
        change = sample.at(moved) != start
        for gate in gates:
            if change[gate]:
                found[gate].append(index)
    return found


def _polynomial(
    sample: _Sampler, names: Sequence[Symbol], gate: int, support: Sequence[int], degree: int
) -> Angle | None:
    """Newton's forward differences on the principal lattice of the gate's own variables."""
    orders = _orders(len(support), degree)
    coefficients: dict[tuple[int, ...], tuple[float, float]] = {}
    for order in orders:
        difference, size = 0.0, 0.0
        for below in itertools.product(*(range(k + 1) for k in order)):
            weight = math.prod(math.comb(k, j) for k, j in zip(order, below, strict=True))
            value = float(sample.lattice(zip(support, below, strict=True))[gate])
            difference += (-1) ** (sum(order) - sum(below)) * weight * value
            size += weight * abs(value)
        for powers, factor in _falling(order).items():
            old = coefficients.get(powers, (0.0, 0.0))
            coefficients[powers] = (
                old[0] + float(factor) * difference,
                old[1] + abs(float(factor)) * size,
            )
    total = Angle()
    for powers, (value, size) in coefficients.items():
        # One nonzero sample: its own rounding. Several: the rounding of their sum.
        exact = _read(value, 0.0 if size == abs(value) else 2 * _EPS * size)
        if exact is None:
            return None
        if exact == Fraction(0):  # most of them
            continue
        term = Angle.constant(Fraction(1))
        for index, power in zip(support, powers, strict=True):
            term = term * _variable(names[index]) ** power
        total = total + term * exact
    return total


def _orders(size: int, degree: int) -> list[tuple[int, ...]]:
    orders = []
    for total in range(degree + 1):
        for chosen in itertools.combinations_with_replacement(range(size), total):
            order = [0] * size
            for index in chosen:
                order[index] += 1
            orders.append(tuple(order))
    return orders


def _falling(order: tuple[int, ...]) -> dict[tuple[int, ...], Fraction]:
    """``prod_i C(v_i, k_i)`` as a polynomial: exponents -> coefficient."""
    result: dict[tuple[int, ...], Fraction] = {(0,) * len(order): Fraction(1)}
    for axis, k in enumerate(order):
        for step in range(k):
            grown: dict[tuple[int, ...], Fraction] = {}
            for powers, value in result.items():
                up = (*powers[:axis], powers[axis] + 1, *powers[axis + 1 :])
                grown[up] = grown.get(up, Fraction(0)) + value / (step + 1)
                grown[powers] = grown.get(powers, Fraction(0)) - value * step / (step + 1)
            result = grown
    return result


def _agrees(angle: Angle | None, names: Sequence[Symbol], probes: Array, truth: Array) -> bool:
    if angle is None or not np.all(np.isfinite(truth)):
        return False
    split = sum(name.kind == "x" for name in names)
    value = angle.evaluate(probes[:, :split], probes[:, split:])
    size = 1.0 + angle.magnitude(probes[:, :split], probes[:, split:])
    return bool(np.all(np.abs(value - truth) <= tolerances.ANGLE * size))
