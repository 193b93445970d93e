"""What ``Certificate.v`` computes, in Python: to find a certificate before Coq checks it.

Coefficients are taken modulo a prime; nothing here is trusted, a wrong step is refused by Coq.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from qrun_equiv.angle import Angle, Monomial, Symbol
from qrun_equiv.circuit import Gate
from qrun_equiv.errors import FormalError

#: 2**61 - 1, in which 2 is the square of 2**31.
PRIME = (1 << 61) - 1
_MOST = 4096  # largest multiple of a base angle that the checker takes
_MOST_PRODUCTS = 60_000  # terms of one product
_PLAIN = 64  # from here on a multiple gets a base angle of its own
#: A variable as Certificate.v sorts it: kind, index, power.
Var = tuple[int, int, int]
ROOT_TWO: Var = (3, 0, 0)
_PI: Monomial = ((Symbol("pi"), 1),)
_KINDS = {"x": 0, "theta": 1, "pi": 2, "acos": 4}
Poly = Mapping[tuple[Var, ...], int]


class TooLargeError(FormalError):
    """A formula that Coq can't be expected to write out."""


def var(symbol: Symbol) -> Var:
    """A symbol as a variable."""
    power = symbol.power if symbol.kind == "acos" else 0
    return (_KINDS[symbol.kind], symbol.index, power)


def mono(monomial: Monomial) -> tuple[Var, ...]:
    """A monomial as a sorted tuple, powers written out."""
    return tuple(sorted(var(s) for s, power in monomial for _ in range(power)))


def modular(q: Fraction) -> int:
    """A rational modulo the prime."""
    return q.numerator * pow(q.denominator, -1, PRIME) % PRIME


def rational(value: int) -> Fraction:
    """The rational of small numerator and denominator that a number modulo the prime is.

    The remainders of Euclid's algorithm; the first that is small enough is the numerator.
    """
    above, below = (PRIME, 0), (value % PRIME, 1)
    while below[0] > 1 << 30:
        n = above[0] // below[0]
        above, below = below, (above[0] - n * below[0], above[1] - n * below[1])
    return Fraction(*below)


@dataclass(frozen=True)
class Base:
    """A base angle by its terms, the leading one first."""

    terms: tuple[tuple[Monomial, Fraction], ...]

    @property
    def arc(self) -> tuple[Var, ...] | None:
        """The power of a feature that its cosine is."""
        ((monomial, unit), *more) = self.terms
        if more or unit != 1 or len(monomial) != 1:
            return None
        ((symbol, power),) = monomial
        if symbol.kind != "acos" or power != 1:
            return None
        return ((0, symbol.index, 0),) * symbol.power

    @property
    def has_feature(self) -> bool:
        """Whether it depends on the features."""
        return any(s.kind in {"x", "acos"} for m, _ in self.terms for s, _ in m)

    def within(self, terms: Mapping[Monomial, Fraction]) -> int:
        """How often an angle contains it, by its leading term."""
        monomial, unit = self.terms[0]
        return _whole(terms.get(monomial, Fraction(0)) / unit)


def _whole(n: Fraction) -> int:
    return int(n) if n.denominator == 1 and abs(n) <= _MOST else 0


def bases(angles: Iterable[Angle]) -> list[Base]:
    """Base angles of which all given angles are sums of whole multiples, but for those of pi/4.

    Terms that stand in one proportion wherever they occur are one base angle: the cosine of a
    sum is then not written out. Other fractions of pi are base angles: their cosines are variables
    of the proof.
    """
    columns: dict[Monomial, dict[int, Fraction]] = {}
    for k, angle in enumerate(dict.fromkeys(angles)):
        for monomial, q in angle.terms:
            if monomial != _PI or (4 * q).denominator != 1:
                columns.setdefault(monomial, {})[k] = q
    groups: dict[Hashable, list[tuple[Monomial, Fraction]]] = {}
    for monomial, column in sorted(columns.items(), key=lambda item: mono(item[0])):
        first = next(iter(column.values()))
        proportion = tuple((k, q / first) for k, q in column.items())
        groups.setdefault(monomial if _arc(monomial) else proportion, []).append((monomial, first))
    found = []
    for group in groups.values():
        leading, first = group[0]
        found += [
            Base(tuple((m, q / first * unit) for m, q in group))
            for unit in _units({abs(q) for q in columns[leading].values()}, arc=_arc(leading))
        ]
    return found


def _arc(monomial: Monomial) -> bool:
    return len(monomial) == 1 and monomial[0][0].kind == "acos"


def _units(values: Iterable[Fraction], *, arc: bool) -> list[Fraction]:
    units = [Fraction(1)] if arc else []
    for q in sorted(values, key=lambda q: (q.denominator, q)):
        for k, unit in enumerate(units):
            common = _common(unit, q)
            if max(unit / common, q / common) <= _PLAIN and not arc:
                units[k] = common
                break
            if (q / unit).denominator == 1 and q / unit <= _PLAIN:
                break
        else:
            units.append(q)
    return units


def _common(a: Fraction, b: Fraction) -> Fraction:
    bottom = math.lcm(a.denominator, b.denominator)
    return Fraction(math.gcd(int(a * bottom), int(b * bottom)), bottom)


class Ring:
    """Polynomials modulo the prime, reduced as Certificate.v reduces them."""

    def __init__(self, given: Sequence[Base]) -> None:
        self.bases = given

    def square(self, v: Var) -> Poly | None:
        """What the square of a variable is replaced by."""
        if v == ROOT_TWO:
            return {(): 2}
        if v[0] == 6:
            return {(): 1, self.cosine(v[1]) * 2: PRIME - 1}
        return None

    def cosine(self, k: int) -> tuple[Var, ...]:
        """The cosine of a base angle as a monomial."""
        return self.bases[k].arc or ((5, k, 0),)

    def add(self, p: Poly, r: Poly) -> Poly:
        """``p + r``."""
        out = dict(p)
        for m, q in r.items():
            out[m] = (out.get(m, 0) + q) % PRIME
        return {m: q for m, q in out.items() if q}

    def scale(self, p: Poly, q: int) -> Poly:
        """``q p``."""
        return {m: c * q % PRIME for m, c in p.items()}

    def negative(self, p: Poly) -> Poly:
        """``-p``."""
        return self.scale(p, PRIME - 1)

    def multiply(self, p: Poly, r: Poly) -> Poly:
        """``p r``."""
        if len(p) * len(r) > _MOST_PRODUCTS:
            msg = f"its formulas grow too large: a product of {len(p)} and {len(r)} terms"
            raise TooLargeError(msg)
        out: dict[tuple[Var, ...], int] = {}
        for m, a in p.items():
            for n, b in r.items():
                for joint, q in self._reduced(tuple(sorted(m + n))).items():
                    out[joint] = (out.get(joint, 0) + a * b * q) % PRIME
        return {m: q for m, q in out.items() if q}

    def _reduced(self, m: tuple[Var, ...]) -> Poly:
        for k in range(len(m) - 1):
            if m[k] == m[k + 1]:
                by = self.square(m[k])
                if by is not None:
                    rest = m[:k] + m[k + 2 :]
                    out: Poly = {}
                    for n, q in by.items():
                        part = self._reduced(tuple(sorted(rest + n)))
                        out = self.add(out, self.scale(part, q))
                    return out
        return {m: 1}

    def product(self, z: tuple[Poly, Poly], w: tuple[Poly, Poly]) -> tuple[Poly, Poly]:
        """Real and imaginary part of a product."""
        (a, b), (c, d) = z, w
        real = self.add(self.multiply(a, c), self.negative(self.multiply(b, d)))
        return real, self.add(self.multiply(b, c), self.multiply(a, d))

    def turn(self, z: tuple[Poly, Poly], w: tuple[Poly, Poly]) -> tuple[Poly, Poly]:
        """Cosine and sine of a sum of angles."""
        return self.product(z, w)

    def multiple(self, z: tuple[Poly, Poly], n: int) -> tuple[Poly, Poly]:
        """Cosine and sine of ``n`` times an angle."""
        out: tuple[Poly, Poly] = ({(): 1}, {})
        for bit in f"{abs(n):b}":
            out = self.turn(out, out)
            out = self.turn(out, z) if bit == "1" else out
        return out if n >= 0 else (out[0], self.negative(out[1]))

    def angle(self, angle: Angle) -> tuple[Poly, Poly]:
        """Cosine and sine of an angle.

        Raises:
            FormalError: it is no sum of whole multiples of base angles, or they are too large.
        """
        out: tuple[Poly, Poly] = ({(): 1}, {})
        eighth: Poly = {(ROOT_TWO,): modular(Fraction(1, 2))}
        quarters, parts = self.split(angle)
        for z, n in [((eighth, eighth), quarters), *((self.cis(k), n) for k, n in parts.items())]:
            if n:
                out = self.turn(out, self.multiple(z, n))
        return out

    def cis(self, k: int) -> tuple[Poly, Poly]:
        """Cosine and sine of a base angle."""
        return {self.cosine(k): 1}, {((6, k, 0),): 1}

    def split(self, angle: Angle) -> tuple[int, dict[int, int]]:
        """How many times pi/4 an angle contains, and each base angle.

        Raises:
            FormalError: something is left.
        """
        left = dict(angle.terms)
        quarters = _whole(4 * left.get(_PI, Fraction(0)))
        if quarters:
            del left[_PI]
        found = {}
        for k, base in enumerate(self.bases):
            if left and (n := base.within(left)):
                found[k] = n
                for m, q in base.terms:
                    left[m] = left.get(m, Fraction(0)) - n * q
                left = {m: q for m, q in left.items() if q}
        if left:
            msg = f"no base angles for {Angle.of(left)}"
            raise FormalError(msg)
        return quarters, found

    def rotate(self, gate: Gate, b: dict[str, Poly]) -> dict[str, Poly]:
        """The Bloch vector after a gate."""
        fixed = {
            "H": {"X": b["Z"], "Y": self.negative(b["Y"]), "Z": b["X"]},
            "S": {"X": self.negative(b["Y"]), "Y": b["X"], "Z": b["Z"]},
        }
        if gate.name in fixed:
            return fixed[gate.name]
        if gate.name in {"X", "Y", "Z"}:
            return {p: v if p == gate.name else self.negative(v) for p, v in b.items()}
        axis = "Z" if gate.name in {"PhaseShift", "T"} else gate.name[-1]
        quarter = Angle.of({((Symbol("pi"), 1),): Fraction(1, 4)})
        c, s = self.angle(quarter if gate.angle is None else gate.angle)
        first, second = {"X": ("Y", "Z"), "Y": ("Z", "X"), "Z": ("X", "Y")}[axis]
        u, v = b[first], b[second]
        turned = self.add(self.multiply(c, u), self.negative(self.multiply(s, v)))
        return {
            **b,
            first: turned,
            second: self.add(self.multiply(s, u), self.multiply(c, v)),
        }
