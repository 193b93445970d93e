"""Exact gate angles: polynomials with rational coefficients in features, parameters and pi.

An :class:`Angle` is a finite sum of ``Fraction * monomial``, where a monomial is a product of
powers of the symbols ``x0, x1, ...`` (features), ``theta0, ...`` (parameters), ``pi``, and
``arccos(x0^k)``: a symbol of its own because it is no polynomial (:meth:`Angle.arccos`). So
``x/10 + x/5`` and ``3x/10`` are one angle here, as they are in the mathematics; the floats of a
user's code are read as the simplest rational inside their rounding interval
(:func:`read_constant`).
All angles are in radians.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from qrun_equiv.errors import AngleError

# pi to 60 digits: enough to bracket a double's rounding interval divided by pi squared.
_PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494")
_ROOT_TWO = Fraction("1.41421356237309504880168872420969807856967187537694807317667974")
_TYPED = 0.5  # units in the last place: a float that was rounded once
_PI_BITS = 24  # numerator and denominator of a factor of pi together
_MOST_SHOWN = 40  # bits of a fraction that is shown as one
_MAX_PI_POWER = 2  # ZZ feature maps contain 2 (pi - x0) (pi - x1) = 2 pi^2 - ...


@dataclass(frozen=True, slots=True, order=True)
class Symbol:
    """One variable of an angle: ``kind`` is ``"x"``, ``"theta"``, ``"pi"`` or ``"acos"``.

    ``Symbol("acos", j, k)`` is ``arccos(x_j^k)``, in ``[0, pi]`` for ``|x_j| <= 1``; ``power`` is
    1 for the other kinds.
    """

    kind: str
    index: int = 0
    power: int = 1

    def __str__(self) -> str:
        if self.kind == "acos":
            return f"arccos(x{self.index}{f'^{self.power}' if self.power > 1 else ''})"
        return "pi" if self.kind == "pi" else f"{self.kind}{self.index}"


#: A product of powers, sorted by symbol: ``((Symbol("x", 0), 2), (Symbol("x", 1), 1))`` is x0^2 x1.
Monomial = tuple[tuple[Symbol, int], ...]

_PI_SYMBOL = Symbol("pi")


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for symbol, power in right:
        powers[symbol] = powers.get(symbol, 0) + power
    return tuple(sorted(powers.items()))


@dataclass(frozen=True, slots=True)
class Angle:
    """An exact angle in radians: a sorted tuple of ``(monomial, coefficient)``, none of them zero.

    Build one with :func:`feature`, :func:`parameter`, :data:`PI` and arithmetic; equality and hash
    are those of the polynomial.
    """

    terms: tuple[tuple[Monomial, Fraction], ...] = ()

    @staticmethod
    def of(terms: Mapping[Monomial, Fraction]) -> Angle:
        """Angle of a mapping monomial -> coefficient; zero coefficients are dropped."""
        return Angle(tuple(sorted((m, q) for m, q in terms.items() if q != 0)))

    @staticmethod
    def constant(value: float | Fraction) -> Angle:
        """Constant angle; a float is read by :func:`read_constant`, an int or Fraction exactly."""
        if isinstance(value, float):
            return read_constant(value)
        return Angle.of({(): Fraction(value)})

    def __add__(self, other: Angle | float | Fraction) -> Angle:
        total = dict(self.terms)
        for monomial, coefficient in _angle(other).terms:
            total[monomial] = total.get(monomial, Fraction(0)) + coefficient
        return Angle.of(total)

    __radd__ = __add__

    def __neg__(self) -> Angle:
        return Angle(tuple((m, -q) for m, q in self.terms))

    def __sub__(self, other: Angle | float | Fraction) -> Angle:
        return self + (-_angle(other))

    def __rsub__(self, other: Angle | float | Fraction) -> Angle:
        return _angle(other) - self

    def __mul__(self, other: Angle | float | Fraction) -> Angle:
        product: dict[Monomial, Fraction] = {}
        for left, p in self.terms:
            for right, q in _angle(other).terms:
                monomial = _times(left, right)
                product[monomial] = product.get(monomial, Fraction(0)) + p * q
        return Angle.of(product)

    __rmul__ = __mul__

    def __truediv__(self, other: float | Fraction) -> Angle:
        divisor = _angle(other)
        if len(divisor.terms) != 1 or divisor.symbols():
            msg = f"an angle can be divided by a nonzero rational or multiple of pi, not by {other}"
            raise AngleError(msg)
        ((monomial, coefficient),) = divisor.terms
        quotient: dict[Monomial, Fraction] = {}
        for m, q in self.terms:
            powers = dict(m)
            for symbol, power in monomial:
                powers[symbol] = powers.get(symbol, 0) - power
            if any(power < 0 for power in powers.values()):
                msg = f"({self})/({divisor}) has pi in a denominator: not an exact angle"
                raise AngleError(msg)
            kept = tuple(sorted((s, p) for s, p in powers.items() if p))
            quotient[kept] = quotient.get(kept, Fraction(0)) + q / coefficient
        return Angle.of(quotient)

    def __pow__(self, power: int) -> Angle:
        if not isinstance(power, int) or power < 0:
            msg = f"only whole powers of an angle are exact, not {power}"
            raise AngleError(msg)
        result = Angle.constant(Fraction(1))
        for _ in range(power):
            result = result * self
        return result

    def arccos(self) -> Angle:
        """``arccos`` of a power of one feature, with either sign, or of 0, +-1/2 or +-1.

        Raises:
            AngleError: anything else has no exact form here.
        """
        if len(self.terms) <= 1:
            ((monomial, q),) = self.terms or (((), Fraction(0)),)
            if not monomial and q in _ARCCOS:
                return PI * _ARCCOS[q]
            if len(monomial) == 1 and monomial[0][0].kind == "x" and abs(q) == 1:
                ((symbol, power),) = monomial
                arc = Angle.of({((Symbol("acos", symbol.index, power), 1),): Fraction(1)})
                return arc if q == 1 else PI - arc
        msg = f"arccos({self}): only arccos and arcsin of x_j^k or -x_j^k are exact"
        raise AngleError(msg)

    def arcsin(self) -> Angle:
        """``arcsin``, as ``pi/2 - arccos``; see :meth:`arccos`."""
        return PI / 2 - self.arccos()

    def symbols(self) -> frozenset[Symbol]:
        """The features, parameters and arccosines that occur (``pi`` is a constant, not one)."""
        return frozenset(s for m, _ in self.terms for s, _ in m if s.kind != "pi")

    def features(self) -> frozenset[int]:
        """Indices of the features that occur, also inside an arccos."""
        return frozenset(s.index for s in self.symbols() if s.kind in {"x", "acos"})

    def arcs(self) -> frozenset[Symbol]:
        """The symbols ``arccos(x_j^k)`` that occur."""
        return frozenset(s for s in self.symbols() if s.kind == "acos")

    def degree(self, kind: str) -> int:
        """Total degree in the symbols of one kind (``"x"`` or ``"theta"``)."""
        return max((sum(p for s, p in m if s.kind == kind) for m, _ in self.terms), default=0)

    def degree_in(self, symbol: Symbol) -> int:
        """Degree in one symbol."""
        return max((dict(m).get(symbol, 0) for m, _ in self.terms), default=0)

    def derivative(self, symbol: Symbol) -> Angle:
        """Exact partial derivative with respect to one feature or parameter.

        Raises:
            AngleError: the angle contains an arccos of that feature: the derivative is no angle.
        """
        if symbol.kind == "x" and any(arc.index == symbol.index for arc in self.arcs()):
            msg = f"the derivative of {self} in {symbol} is no polynomial"
            raise AngleError(msg)
        result: dict[Monomial, Fraction] = {}
        for monomial, coefficient in self.terms:
            powers = dict(monomial)
            power = powers.get(symbol, 0)
            if power:
                powers[symbol] = power - 1
                kept = tuple(sorted((s, p) for s, p in powers.items() if p))
                result[kept] = result.get(kept, Fraction(0)) + coefficient * power
        return Angle.of(result)

    def evaluate(self, x: Any, theta: Any) -> Any:
        """Angle in radians at features ``x [..., n_features]`` and parameters ``theta [..., n]``.

        Works on numpy arrays and on torch tensors (differentiably). A constant angle comes back as
        a Python float; an arccos outside [-1, 1] is NaN.
        """
        total: Any = 0.0
        for monomial, coefficient in self.terms:
            factor: Any = 1.0
            constant = float(coefficient)
            for symbol, power in monomial:
                if symbol.kind == "pi":
                    constant = _times_pi(coefficient, power)
                else:
                    values = theta if symbol.kind == "theta" else x
                    value = values[..., symbol.index]
                    if symbol.kind == "acos":
                        value = _arccos(value**symbol.power)
                    factor = factor * value**power
            total = total + constant * factor
        return total

    def magnitude(self, x: Any, theta: Any) -> Any:
        """Sum of the absolute values of the terms: what rounding errors of the angle scale with."""
        x, theta = np.asarray(x), np.asarray(theta)
        return sum((abs(Angle((term,)).evaluate(x, theta)) for term in self.terms), start=0.0)

    def replace(self, mapping: Mapping[Symbol, Angle]) -> Angle:
        """The angle with symbols replaced by angles (used by mutants and re-parametrisation).

        A feature is replaced inside an arccos too.

        Raises:
            AngleError: an arccos of what would come in is not exact.
        """
        result = Angle()
        for monomial, coefficient in self.terms:
            term = Angle.constant(coefficient)
            for symbol, power in monomial:
                term = term * _replaced(symbol, mapping) ** power
            result = result + term
        return result

    def __str__(self) -> str:
        if not self.terms:
            return "0"
        text = " + ".join(_term(m, q) for m, q in sorted(self.terms, key=_reading_order))
        return text.replace("+ -", "- ")


def _replaced(symbol: Symbol, mapping: Mapping[Symbol, Angle]) -> Angle:
    inner = Symbol("x", symbol.index)
    if symbol.kind == "acos" and symbol not in mapping and inner in mapping:
        return (mapping[inner] ** symbol.power).arccos()
    return mapping.get(symbol, Angle.of({((symbol, 1),): Fraction(1)}))


def _arccos(value: Any) -> Any:
    if hasattr(value, "arccos"):  # a tensor
        return value.arccos()
    with np.errstate(invalid="ignore"):
        return np.arccos(value)


def _reading_order(term: tuple[Monomial, Fraction]) -> tuple[bool, Monomial]:
    return not any(s.kind != "pi" for s, _ in term[0]), term[0]


def _term(monomial: Monomial, coefficient: Fraction) -> str:
    factors = [str(s) if p == 1 else f"{s}^{p}" for s, p in monomial]
    if not factors:
        return _shown(coefficient)
    if abs(coefficient) != 1:
        factors.insert(0, _shown(abs(coefficient)))
    return ("-" if coefficient < 0 else "") + "*".join(factors)


def _shown(value: Fraction) -> str:
    """A fraction, or a decimal where the fraction has so many digits that nobody wrote it."""
    return str(value) if _bits(value) <= _MOST_SHOWN else repr(float(value))


def _angle(value: Angle | float | Fraction) -> Angle:
    return value if isinstance(value, Angle) else Angle.constant(value)


def feature(index: int) -> Angle:
    """The feature ``x[index]`` as an angle."""
    return Angle.of({((Symbol("x", index), 1),): Fraction(1)})


def parameter(index: int) -> Angle:
    """The parameter ``theta[index]`` as an angle."""
    return Angle.of({((Symbol("theta", index), 1),): Fraction(1)})


PI = Angle.of({((_PI_SYMBOL, 1),): Fraction(1)})
# Constants whose arccos is a rational multiple of pi (all rational ones, by Niven's theorem).
_ARCCOS = {
    Fraction(n, 2): turn
    for n, turn in zip(
        (2, 1, 0, -1, -2),
        (Fraction(0), Fraction(1, 3), Fraction(1, 2), Fraction(2, 3), Fraction(1)),
        strict=True,
    )
}


def _times_pi(coefficient: Fraction, power: int) -> float:
    """``coefficient * pi**power`` correctly rounded."""
    return float(coefficient * _PI**power)


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The rational with the smallest denominator in the closed interval [low, high]."""
    if low > high:
        msg = f"empty interval: {low} > {high}"
        raise AngleError(msg)
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest_between(-high, -low)
    return Fraction(*_simplest(low.numerator, low.denominator, high.numerator, high.denominator))


def _simplest(a: int, b: int, c: int, d: int) -> tuple[int, int]:
    """Simplest fraction in ``[a/b, c/d]``, both positive, by their continued fractions."""
    floor, rest = divmod(a, b)
    if not rest:
        return floor, 1
    if floor < c // d:
        return floor + 1, 1
    numerator, denominator = _simplest(d, c - floor * d, b, rest)
    return floor * numerator + denominator, numerator


def simplest_rational(value: float) -> Fraction:
    """The simplest rational in a finite float's rounding interval; a whole number is itself."""
    if value.is_integer():  # beyond 2**53 the ends of the interval are other whole numbers
        return Fraction(value)
    return _simplest_near(value, 0.5)


def _bits(value: Fraction) -> int:
    return abs(value.numerator).bit_length() + value.denominator.bit_length()


def read_constant(value: float, *, width: float = 0.5) -> Angle:
    """Exact constant that a float stands for: the simplest ``q``, ``q*pi`` or ``q*pi**2``.

    ``value``: a finite float, in radians. ``width``: half-width of the interval in units in the
    last place; 0.5 is the rounding interval of a float that was typed or computed in one rounding.
    A multiple of pi is read only where its factor is simple (24 bits at most) and the rational
    is not.

    Raises:
        AngleError: ``value`` is not finite.
    """
    if not math.isfinite(value):
        msg = f"a gate angle contains the constant {value}; every constant must be finite"
        raise AngleError(msg)
    whole = value.is_integer() and width <= _TYPED
    best = Fraction(value) if whole else _simplest_near(value, width)
    power = 0
    for k in range(1, _MAX_PI_POWER + 1):
        # pi itself was rounded before the product was: two units more.
        candidate = _simplest_near(value, width + 2.0, _PI**k)
        if _is_simpler(candidate, best):
            best, power = candidate, k
    monomial: Monomial = ((_PI_SYMBOL, power),) if power else ()
    return Angle.of({monomial: best})


def root_two_multiple(value: float) -> Fraction | None:
    """``q`` where a float stands for ``q * sqrt(2)`` with a simple ``q`` (24 bits), else ``None``.

    For numbers such as the amplitudes ``1/sqrt(2)`` of a Hadamard gate; angles are read by
    :func:`read_constant`.
    """
    if not value or not math.isfinite(value):
        return None
    best = simplest_rational(value)
    candidate = _simplest_near(value, 2.5, _ROOT_TWO)
    return candidate if _is_simpler(candidate, best) else None


def _is_simpler(candidate: Fraction, rational: Fraction) -> bool:
    """Whether a factor of pi (or of sqrt 2) is the reading; a number near 0 is no multiple 0."""
    bits = _bits(candidate)
    return candidate != 0 and bits <= _PI_BITS and bits + _PI_BITS // 2 < _bits(rational)


def _simplest_near(value: float, width: float, unit: Fraction = Fraction(1)) -> Fraction:
    slack = Fraction(width) * Fraction(math.ulp(value))
    return simplest_between((Fraction(value) - slack) / unit, (Fraction(value) + slack) / unit)


def to_json(angle: Angle) -> list[list[Any]]:
    """JSON form: ``[[coefficient, {symbol: power}], ...]``, the coefficient as ``"p/q"``."""
    return [[str(q), {str(s): p for s, p in m}] for m, q in angle.terms]


def evaluate_all(angles: Sequence[Angle] | Iterable[Angle], x: Any, theta: Any) -> list[Any]:
    """Values of several angles at the same points; see :meth:`Angle.evaluate`."""
    return [angle.evaluate(x, theta) for angle in angles]


def as_float(angle: Angle) -> float:
    """Value of a constant angle in radians.

    Raises:
        AngleError: the angle depends on features or parameters.
    """
    if angle.symbols():
        msg = f"the angle {angle} is not constant"
        raise AngleError(msg)
    return float(angle.evaluate(np.zeros(0), np.zeros(0)))
