"""Trigonometric polynomials with rigorous coefficients: both sides of a certified difference.

A number here is ``angle + sum_w c_w exp(i w . x)``: an exact polynomial in the features (an
:class:`~qrun_equiv.angle.Angle`; what cosines are taken of) plus a real trigonometric polynomial
whose coefficients are complex balls (``flint.acb``: Arb, Johansson, IEEE Trans. Comput. 66, 1281
(2017)) and whose frequencies are exact. So every rounding is inside a ball.

Parameters are numbers here. Each float constant, parameters included, stands for the simplest
rational (or multiple of pi) in its rounding interval, as gate angles do
(:func:`~qrun_equiv.angle.read_constant`): a bound found here is one for those constants. The matrix
of a ``Unitary`` gate alone is taken as the very floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from flint import acb, acb_mat, arb, ctx, fmpq
from numpy.typing import NDArray

from qrun_equiv import transfer
from qrun_equiv.algebra import Rearrangement
from qrun_equiv.angle import PI, Angle, Monomial, Symbol, feature, read_constant
from qrun_equiv.circuit import Circuit, Gate
from qrun_equiv.errors import FormalError
from qrun_equiv.simulate import fixed_matrix, pauli_matrix

#: Working precision of the balls, in bits; float64 has 53.
BITS = 128

#: Products of two coefficients in one computation: some ten seconds.
BUDGET = 5_000_000

_LONGEST = 4096  # bits of an exact constant; a longer one becomes a ball
_NOTHING, _ONE = Angle(), Angle.constant(1)

Series = dict[int, acb]
Array = NDArray[np.object_]


def precise() -> AbstractContextManager[None]:
    """Context in which balls are computed with :data:`BITS`; the caller's precision returns."""
    context: AbstractContextManager[None] = ctx.workprec(BITS)
    return context


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def ball(constant: Angle) -> arb:
    """Enclosure of a constant angle (no features, no parameters)."""
    if constant.symbols():
        msg = f"the angle {constant} is not constant"
        raise FormalError(msg)
    with precise():
        total = arb(0)
        for monomial, q in constant.terms:
            power = sum(p for _, p in monomial)
            total += arb(_fmpq(q)) * arb.pi() ** power
        return total


@dataclass(frozen=True)
class TrigonometricPolynomial:
    """A real trigonometric polynomial in the features, each coefficient enclosed.

    Attributes:
        terms: frequency -> coefficient of ``exp(i w . x)``, of each pair ``w, -w`` the one whose
            first term is positive; the other one's coefficient is the conjugate. A frequency is an
            :class:`Angle` of degree one in the features, such as ``2*x0 - pi*x1``. The empty angle
            is the mean. Distinct frequencies are distinct as real vectors (pi is transcendental).
    """

    terms: Mapping[Angle, acb]

    def __sub__(self, other: TrigonometricPolynomial) -> TrigonometricPolynomial:
        with precise():
            rest = dict(self.terms)
            for w, c in other.terms.items():
                rest[w] = rest[w] - c if w in rest else -c
            return TrigonometricPolynomial({w: c for w, c in rest.items() if not c.is_zero()})

    def enclosures(self, x: NDArray[np.float64]) -> list[arb]:
        """Enclosures of the values at ``x [points, n_features]``, taken as exactly these floats."""
        with precise():
            waves = [
                ({j: ball(q) for j, q in slopes(w).items()}, c if not w.terms else 2 * c)
                for w, c in self.terms.items()
            ]
            return [sum((_wave_at(s, c, row) for s, c in waves), start=arb(0)) for row in x]


def slopes(frequency: Angle) -> dict[int, Angle]:
    """A frequency as a vector: feature -> constant angle, in radians per unit of the feature.

    Theorem: proofs/coq/Gradients.v, fourier_derivative.
    """
    return {
        j: frequency.derivative(Symbol("x", j)) for j in sorted(frequency.features())
    }  # of degree one: the derivative is constant


def _wave_at(slope: Mapping[int, arb], c: acb, row: NDArray[np.float64]) -> arb:
    sine, cosine = sum((s * float(row[j]) for j, s in slope.items()), start=arb(0)).sin_cos()
    value: arb = c.real * cosine - c.imag * sine
    return value


class Number:
    """One entry of an array: ``angle`` plus the series; see the module. Not to be changed."""

    __slots__ = ("_ball", "angle", "exact", "rational", "series", "varies")

    def __init__(self, angle: Angle = _NOTHING, series: Series | None = None) -> None:
        self.angle = angle
        self.series = series or {}
        self.varies = any(s.kind != "pi" for m, _ in angle.terms for s, _ in m)
        self.exact = not self.series and not self.varies
        self.rational: fmpq | None = None  # of a nonzero rational constant: quicker than Angle
        if self.exact and len(angle.terms) == 1 and not angle.terms[0][0]:
            self.rational = _fmpq(angle.terms[0][1])
        self._ball: arb | None = None

    @property
    def ball(self) -> arb:
        """The constant ``angle`` as a ball."""
        if self._ball is None:
            self._ball = ball(self.angle)
        return self._ball

    def is_zero(self) -> bool:
        """Whether it is exactly zero."""
        return not self.series and not self.angle.terms

    def full(self) -> Series:
        """Everything as one series; the angle must be constant."""
        if not self.angle.terms:
            return self.series
        mean = self.series.get(0, acb(0)) + self.ball
        return {**self.series, 0: mean}

    def __str__(self) -> str:
        waves = f"a series of {len(self.series)} frequencies" if self.series else ""
        return " + ".join(filter(None, [str(self.angle) if self.angle.terms else "", waves])) or "0"


class _Frequencies:
    """Frequencies as small integers, 0 for the mean; of ``w, -w`` only one has a number.

    The one whose first term is positive: a set that is closed under addition.
    """

    def __init__(self) -> None:
        self.angles = [_NOTHING]
        self.numbers = {_NOTHING: 0}
        self.sums: dict[tuple[int, int], int] = {}
        self.gaps: dict[tuple[int, int], tuple[int, bool]] = {}

    def of(self, angle: Angle) -> tuple[int, bool]:
        """Number of ``angle`` or of ``-angle``, and whether it is the latter's."""
        flipped = bool(angle.terms) and angle.terms[0][1] < 0
        kept = -angle if flipped else angle
        if kept not in self.numbers:
            self.numbers[kept] = len(self.angles)
            self.angles.append(kept)
        return self.numbers[kept], flipped

    def plus(self, u: int, v: int) -> int:
        key = (u, v)
        if key not in self.sums:
            self.sums[key] = self.of(self.angles[u] + self.angles[v])[0]
        return self.sums[key]

    def minus(self, u: int, v: int) -> tuple[int, bool]:
        key = (u, v)
        if key not in self.gaps:
            self.gaps[key] = self.of(self.angles[u] - self.angles[v])
        return self.gaps[key]


def _accumulate(series: Series, w: int, c: acb) -> None:
    series[w] = series[w] + c if w in series else c


#: Functions of constants, by torch's names; ``cos``, ``sin``, ``sqrt``, ``reciprocal`` stand apart.
_CONSTANT_FUNCTIONS: Mapping[str, Callable[[arb], arb]] = {
    **{name: getattr(arb, name) for name in ("acos", "asin", "atan", "cosh", "erf", "exp")},
    **{"arc" + name: getattr(arb, "a" + name) for name in ("cos", "sin", "tan")},
    **{name: getattr(arb, name) for name in ("expm1", "log", "log1p", "rsqrt", "sinh", "sqrt")},
    "tan": arb.tan,
    "tanh": arb.tanh,
    "abs": abs,
    "reciprocal": lambda v: 1 / v,
    "relu": lambda v: v.max(arb(0)),
    "sigmoid": lambda v: 1 / (1 + (-v).exp()),
    "sign": arb.sgn,
    "silu": lambda v: v / (1 + (-v).exp()),
    "sinc": arb.sinc_pi,
}


class Trigonometric:
    """The :class:`~qrun_equiv.algebra.Algebra` of trigonometric polynomials in the features.

    Arrays are numpy object arrays of :class:`Number`. Arrays of different instances do not mix:
    the frequencies are numbered in each.

    Args:
        budget: products of two coefficients that may be spent; beyond it a
            :class:`~qrun_equiv.errors.FormalError` names it.
    """

    purpose = "a trigonometric polynomial"

    def __init__(self, *, budget: int = BUDGET) -> None:
        self.budget = budget
        self.spent = 0
        self._frequencies = _Frequencies()
        self._read = lru_cache(maxsize=None)(_read)

    def features(self, n: int) -> Array:
        """The features ``x0 ... x(n-1)`` as numbers, shape ``[n]``."""
        return _array([Number(feature(j)) for j in range(n)], (n,))

    def constant(self, values: NDArray[np.float64]) -> Array:
        """Constants, each read as the simplest rational (or multiple of pi) that it stands for.

        Raises:
            FormalError: one is not finite.
        """
        values = np.asarray(values, dtype=np.float64)
        return _array([self._read(float(v)) for v in values.ravel()], values.shape)

    def shape(self, a: Array) -> tuple[int, ...]:
        """Shape of the array."""
        return a.shape

    def add(self, a: Array, b: Array) -> Array:
        """``a + b``."""
        return self._each(lambda p, q: self._sum((p, q)), a, b)

    def multiply(self, a: Array, b: Array) -> Array:
        """``a * b``, elementwise.

        Raises:
            FormalError: a feature outside cos and sin times something that is not a constant known
                exactly, or the budget is spent.
        """
        return self._each(lambda p, q: self._dot([(p, q)]), a, b)

    def negative(self, a: Array) -> Array:
        """``-a``."""
        return self._each(
            lambda p: Number(-p.angle, {w: -c for w, c in p.series.items()}), a
        )  # negation is exact

    def matmul(self, a: Array, b: Array) -> Array:
        """``a @ b`` as ``numpy.matmul`` has it, both of at least one axis."""
        left = a[None, :] if a.ndim == 1 else a
        right = np.swapaxes(b[:, None] if b.ndim == 1 else b, -1, -2)
        batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
        left = np.broadcast_to(left, batch + left.shape[-2:])
        right = np.broadcast_to(right, batch + right.shape[-2:])
        out = np.empty((*batch, left.shape[-2], right.shape[-2]), dtype=object)
        with precise():
            for where in np.ndindex(*out.shape):
                row, column = left[where[:-1]], right[(*where[:-2], where[-1])]
                out[where] = self._dot(zip(row, column, strict=True))
        gone = tuple(axis for axis, v in ((-2, a), (-1, b)) if v.ndim == 1)
        return np.squeeze(out, axis=gone)

    def total(self, a: Array, axes: tuple[int, ...]) -> Array:
        """Sum over (non-negative) axes, which disappear."""
        kept = [k for k in range(a.ndim) if k not in axes]
        shape = tuple(a.shape[k] for k in kept)
        moved = a.transpose([*kept, *axes]).reshape(math.prod(shape), -1)
        with precise():
            return _array([self._sum(row) for row in moved], shape)

    def rearrange(self, a: Array, move: Rearrangement) -> Array:
        """The same entries elsewhere."""
        return _as_array(move(a))

    def join(self, parts: Sequence[Array], put: Callable[[list[NDArray[Any]]], Any]) -> Array:
        """Several arrays as one: stack, concatenate, where."""
        return _as_array(put(list(parts)))

    def function(self, name: str, a: Array) -> Array:
        """``cos`` and ``sin`` of angles affine in the features; other functions of constants only.

        Raises:
            FormalError: anything else, a function that is not known, or that has no value there.
        """
        if name in ("cos", "sin"):
            return self._each(lambda p: self._wave(name, p), a)
        if name not in _CONSTANT_FUNCTIONS:
            msg = f"{name!r} leaves the trigonometric polynomials, and is not known for constants"
            raise FormalError(msg)
        return self._each(lambda p: _of_constant(name, p), a)

    def polynomials(self, a: Array) -> Array:
        """The entries as :class:`TrigonometricPolynomial`, same shape.

        Raises:
            FormalError: a feature stands outside cos and sin in one of them.
        """
        return self._each(self._polynomial, a)

    def _polynomial(self, p: Number) -> TrigonometricPolynomial:
        if p.varies:
            msg = (
                f"an output is {p}: a feature outside cos and sin, so it is not a trigonometric "
                "polynomial in x"
            )
            raise FormalError(msg)
        angles = self._frequencies.angles
        found = {angles[w]: c for w, c in p.full().items() if not c.is_zero()}
        return TrigonometricPolynomial(found)

    def _each(self, function: Callable[..., Any], *arrays: Array) -> Array:
        with precise():
            return _as_array(np.frompyfunc(function, len(arrays), 1)(*arrays))

    def _charge(self, products: int) -> None:
        self.spent += products
        if self.spent > self.budget:
            msg = (
                f"more than budget={self.budget} products of Fourier coefficients; raise budget= "
                "or certify a smaller circuit"
            )
            raise FormalError(msg)

    def _sum(self, parts: Iterable[Number]) -> Number:
        angle, series = _NOTHING, Series()
        for p in parts:
            if p.angle.terms:
                angle = angle + p.angle if angle.terms else p.angle
            for w, c in p.series.items():
                _accumulate(series, w, c)
        return _number(angle, series)

    def _dot(self, pairs: Iterable[tuple[Number, Number]]) -> Number:
        """Sum of products."""
        angle, series, rational = _NOTHING, Series(), fmpq(0)
        for a, b in pairs:
            if a.is_zero() or b.is_zero():
                continue
            self._charge(max(len(a.series), 1) * max(len(b.series), 1))
            if a.rational is not None and b.rational is not None:
                rational += a.rational * b.rational
            elif not a.series and not b.series:
                angle += a.angle * b.angle
            elif a.exact or b.exact:
                factor, other = (a, b) if a.exact else (b, a)
                if other.angle.terms:
                    angle += factor.angle * other.angle
                for w, c in other.series.items():
                    _accumulate(series, w, c * factor.ball)
            elif a.varies or b.varies:
                msg = (
                    f"({a}) * ({b}): a feature outside cos and sin times a number that is not an "
                    "exact constant is not a trigonometric polynomial in x"
                )
                raise FormalError(msg)
            else:
                self._convolve(series, a.full(), b.full())
        if rational != 0:
            angle += Angle.constant(Fraction(int(rational.p), int(rational.q)))
        return _number(angle, series)

    def _convolve(self, out: Series, left: Series, right: Series) -> None:
        """``out += left * right``; of each pair of opposite frequencies one is stored."""
        plus, minus = self._frequencies.plus, self._frequencies.minus
        columns = [(v, b, b.conjugate()) for v, b in right.items()]
        for u, a in left.items():
            for v, b, conjugate in columns:
                if u == 0 or v == 0:
                    _accumulate(out, u or v, a * b)
                    continue
                _accumulate(out, plus(u, v), a * b)
                w, flipped = minus(u, v)
                c = a * conjugate
                mean = acb(2 * c.real) if w == 0 else c  # w and -w both fall on 0
                _accumulate(out, w, mean.conjugate() if flipped else mean)

    def _wave(self, name: str, p: Number) -> Number:
        if any(p.series):
            msg = f"{name} of {p}, which is no angle: not a trigonometric polynomial in x"
            raise FormalError(msg)
        linear, constant = _split(name, p.angle)
        sine, cosine = _sin_cos(constant, p.series)
        value, quarter = (cosine, -sine) if name == "cos" else (sine, cosine)
        if not linear.terms:
            if value.is_exact() and value.is_integer():  # keeps cos(0) x an exact angle
                return Number(_ONE * Fraction(int(float(value))))
            return _number(_NOTHING, {0: acb(value)})
        # cos(wx + c) = Re exp(i(wx + c)); sin likewise with -i exp: half of each on w, half on -w.
        w, flipped = self._frequencies.of(linear)
        half = acb(value, -quarter) / 2
        return Number(_NOTHING, {w: half.conjugate() if flipped else half})


def _read(value: float) -> Number:
    if not math.isfinite(value):
        msg = f"the code computes with the constant {value}; every constant must be finite"
        raise FormalError(msg)
    return Number(read_constant(value))


def _array(entries: Sequence[Any], shape: tuple[int, ...]) -> Array:
    out = np.empty(len(entries), dtype=object)
    out[:] = entries
    return out.reshape(shape)


def _as_array(result: Any) -> Array:
    if isinstance(result, np.ndarray):
        return result
    return _array([result], ())  # numpy gives the bare entry of an array without axes


def _number(angle: Angle, series: Series) -> Number:
    """Number without exact zeros; overlong exact constants become balls."""
    kept = {w: c for w, c in series.items() if not c.is_zero()}
    long = [t for t in angle.terms if _is_long(t)]
    if long:
        _accumulate(kept, 0, acb(ball(Angle.of(dict(long)))))
        angle = Angle(tuple(t for t in angle.terms if t not in long))
    return Number(angle, kept)


def _is_long(term: tuple[Monomial, Fraction]) -> bool:
    monomial, q = term
    bits = q.numerator.bit_length() + q.denominator.bit_length()
    return bits > _LONGEST and all(s.kind == "pi" for s, _ in monomial)


def _split(name: str, angle: Angle) -> tuple[Angle, Angle]:
    """The part of degree one in the features, and the constant part."""
    parts: tuple[list[Any], list[Any]] = ([], [])
    for monomial, q in angle.terms:
        degree = sum(p for s, p in monomial if s.kind != "pi")
        if degree > 1 or any(s.kind == "acos" for s, _ in monomial):
            msg = f"{name}({angle}): the angle is not affine in the features, so there is no series"
            raise FormalError(msg)
        parts[degree == 0].append((monomial, q))
    return Angle(tuple(parts[0])), Angle(tuple(parts[1]))


def _sin_cos(constant: Angle, shift: Series) -> tuple[arb, arb]:
    """Sine and cosine of ``constant + shift``; exact where they are, at multiples of pi/2."""
    monomials = [m for m, _ in constant.terms]
    both: tuple[arb, arb]
    if not shift and monomials in ([], [PI.terms[0][0]]):
        turns = constant.terms[0][1] if monomials else Fraction(0)
        both = arb.sin_cos_pi_fmpq(_fmpq(turns))
    else:
        both = (ball(constant) + (shift[0].real if shift else 0)).sin_cos()
    return both


def _of_constant(name: str, p: Number) -> Number:
    if p.varies or any(p.series):
        msg = f"{name} of {p}, which depends on x: not a trigonometric polynomial in x"
        raise FormalError(msg)
    if p.exact and len(p.angle.terms) <= 1 and all(not m for m, _ in p.angle.terms):
        exact = _rational(name, p.angle.terms[0][1] if p.angle.terms else Fraction(0))
        if exact is not None:
            return Number(Angle.constant(exact))
    value = _CONSTANT_FUNCTIONS[name](p.full()[0].real if p.full() else arb(0))
    if not value.is_finite():
        msg = f"{name} of the constant {p.full()[0].real if p.full() else 0} has no finite value"
        raise FormalError(msg)
    return _number(_NOTHING, {0: acb(value)})


def _rational(name: str, q: Fraction) -> Fraction | None:
    """The function's value where it is an obvious rational: scales of features must stay exact."""
    if name == "reciprocal" and q:
        return 1 / q
    if name in ("abs", "relu"):
        return abs(q) if name == "abs" else max(q, Fraction(0))
    if name == "sqrt" and q >= 0:
        root = Fraction(math.isqrt(q.numerator), math.isqrt(q.denominator))
        return root if root * root == q else None
    return None


def difference(left: Array, right: Array) -> Array:
    """Differences of two arrays of :class:`TrigonometricPolynomial`, entry by entry.

    Raises:
        FormalError: the shapes differ.
    """
    if left.shape != right.shape:
        msg = f"outputs of shape {left.shape} and {right.shape}: they must have the same shape"
        raise FormalError(msg)
    return _array([p - q for p, q in zip(left.ravel(), right.ravel(), strict=True)], left.shape)


def of_circuit(circuit: Circuit, theta: Sequence[float], *, budget: int = BUDGET) -> Array:
    """Outputs of a circuit at given parameters as trigonometric polynomials in all features.

    Evolves the ``4**n_wires`` Pauli expectation values gate by gate (see
    :mod:`qrun_equiv.transfer`).

    Theorem: proofs/coq/FourierForm.v, fourier_form_features.

    Args:
        circuit: neutral form.
        theta: parameters ``[n_parameters]``, each read as an exact constant.
        budget: see :class:`Trigonometric`.

    Returns:
        Object array ``[n_outputs]`` of :class:`TrigonometricPolynomial`.

    Raises:
        FormalError: wrong number of parameters, an angle that is not affine in the features, or the
            budget is spent.
    """
    values = np.asarray(theta, dtype=np.float64).reshape(-1)
    if len(values) != circuit.n_parameters:
        msg = f"the circuit has {circuit.n_parameters} parameter(s), got {len(values)} value(s)"
        raise FormalError(msg)
    n = circuit.n_wires
    if 4**n > budget:
        msg = f"{n} wires have 4**{n} Pauli words, more than budget={budget}; raise budget="
        raise FormalError(msg)
    algebra = Trigonometric(budget=budget)
    known = {Symbol("theta", k): _read(float(v)).angle for k, v in enumerate(values)}
    gates = tuple(_as_rotation(g) for g in circuit.gates)
    state = algebra.constant(transfer.start(n).numpy())
    for gate, step in _steps(replace(circuit, gates=gates)):
        if isinstance(step, transfer.Rotation):
            angle = _array([Number(step.angle.replace(known))], (1,))
            state = _rotate(algebra, state, step, angle)
        else:
            state = _fix(algebra, state, _transfer_matrix(algebra, gate), gate.wires)
    columns = algebra.constant(transfer.readout(circuit.observables, n).numpy())
    return algebra.polynomials(algebra.matmul(state, columns))


def _as_rotation(gate: Gate) -> Gate:
    """T as the rotation that it is up to a phase: all other named gates are Clifford."""
    return Gate("RZ", gate.wires, PI * Fraction(1, 4)) if gate.name == "T" else gate


def _steps(circuit: Circuit) -> Iterable[tuple[Gate, transfer.Step]]:
    for gate in circuit.gates:
        for step in transfer.steps(replace(circuit, gates=(gate,))):
            yield gate, step


def _rotate(algebra: Trigonometric, r: Array, step: transfer.Rotation, angle: Array) -> Array:
    turned = np.flatnonzero(step.anticommuting.numpy())
    source, sign = step.source.numpy()[turned], step.sign.numpy()[turned]
    crossed = algebra.multiply(algebra.function("sin", angle), algebra.constant(sign))
    cosine = np.broadcast_to(algebra.function("cos", angle), crossed.shape)
    out = r.copy()
    factors, values = np.stack([cosine, crossed], -1), np.stack([r[turned], r[source]], -1)
    out[turned] = algebra.matmul(factors[:, None, :], values[:, :, None])[:, 0, 0]
    return out


def _fix(algebra: Trigonometric, r: Array, matrix: Array, wires: tuple[int, ...]) -> Array:
    n, k = (len(r).bit_length() - 1) // 2, len(wires)
    moved = np.moveaxis(r.reshape((4,) * n), wires, range(k))
    out = algebra.matmul(matrix, moved.reshape(4**k, -1)).reshape(moved.shape)
    return np.moveaxis(out, range(k), wires).reshape(-1)


def _transfer_matrix(algebra: Trigonometric, gate: Gate) -> Array:
    """``R_ij = Tr(P_i U P_j U^dagger) / 2**k``: integers for Clifford gates, else balls."""
    k = len(gate.wires)
    unitary = fixed_matrix(gate)
    words = ["".join("IXYZ"[d] for d in digits) for digits in np.ndindex(*(4,) * k)]
    paulis = [pauli_matrix(word) for word in words]
    if gate.name != "Unitary":
        flat = np.stack(paulis).reshape(4**k, -1)
        moved = (unitary @ np.stack(paulis) @ unitary.conj().T).reshape(4**k, -1)
        return algebra.constant(np.rint((flat.conj() @ moved.T).real / 2**k))
    with precise():
        rows = acb_mat([[acb(v.real, v.imag) for v in row] for row in unitary.tolist()])
        adjoint = rows.transpose().conjugate()
        out = np.empty((4**k, 4**k), dtype=object)
        for j, pauli in enumerate(paulis):
            image = (rows * acb_mat(pauli.tolist()) * adjoint).tolist()
            for i, other in enumerate(paulis):
                places = zip(*np.nonzero(other), strict=True)  # one entry in each row
                trace = sum((image[c][r] * complex(other[r, c]) for r, c in places), start=acb(0))
                out[i, j] = _number(_NOTHING, {0: acb(trace.real / 2**k)})
    return out
