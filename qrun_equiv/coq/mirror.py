"""What ``Certificate.v`` computes, in Python: to find a certificate before Coq checks it.

Coefficients are taken modulo a prime; nothing here is trusted, a wrong step is refused by Coq.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
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


@dataclass(frozen=True)
class Base:
    """A base angle: ``unit`` times a monomial."""

    unit: Fraction
    monomial: Monomial

    @property
    def arc(self) -> tuple[Var, ...] | None:
        """The power of a feature that its cosine is."""
        if self.unit != 1 or len(self.monomial) != 1:
            return None
        ((symbol, power),) = self.monomial
        if symbol.kind != "acos" or power != 1:
            return None
        return ((0, symbol.index, 0),) * symbol.power


def bases(angles: Iterable[Angle]) -> list[Base]:
    """Base angles of which all given angles are whole multiples, but for multiples of pi/4.

    Other fractions of pi are base angles: their cosines are variables of the proof.
    """
    multiples: dict[Monomial, set[Fraction]] = {}
    for angle in angles:
        for monomial, q in angle.terms:
            if monomial == _PI and (4 * q).denominator == 1:
                continue
            multiples.setdefault(monomial, set()).add(abs(q))
    found = []
    for monomial, values in sorted(multiples.items()):
        units: list[Fraction] = []
        arc = len(monomial) == 1 and monomial[0][0].kind == "acos"
        if arc:
            units.append(Fraction(1))
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
        found += [Base(unit, monomial) for unit in units]
    return found


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
            raise FormalError(msg)
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

    def turn(self, z: tuple[Poly, Poly], w: tuple[Poly, Poly]) -> tuple[Poly, Poly]:
        """Cosine and sine of a sum of angles."""
        (a, b), (c, d) = z, w
        cosine = self.add(self.multiply(a, c), self.negative(self.multiply(b, d)))
        return cosine, self.add(self.multiply(b, c), self.multiply(a, d))

    def multiple(self, z: tuple[Poly, Poly], n: int) -> tuple[Poly, Poly]:
        """Cosine and sine of ``n`` times an angle."""
        out: tuple[Poly, Poly] = ({(): 1}, {})
        for bit in f"{abs(n):b}":
            out = self.turn(out, out)
            out = self.turn(out, z) if bit == "1" else out
        return out if n >= 0 else (out[0], self.negative(out[1]))

    def angle(self, angle: Angle) -> tuple[Poly, Poly]:
        """Cosine and sine of an angle."""
        out: tuple[Poly, Poly] = ({(): 1}, {})
        for monomial, q in angle.terms:
            out = self.turn(out, self._term(monomial, q))
        return out

    def _term(self, monomial: Monomial, q: Fraction) -> tuple[Poly, Poly]:
        if monomial == _PI and (4 * q).denominator == 1:
            eighth: Poly = {(ROOT_TWO,): modular(Fraction(1, 2))}
            return self.multiple((eighth, eighth), int(4 * q))
        for k, base in enumerate(self.bases):
            n = q / base.unit
            if base.monomial == monomial and n.denominator == 1 and abs(n) <= _MOST:
                return self.multiple(({self.cosine(k): 1}, {((6, k, 0),): 1}), int(n))
        msg = f"no base angle for {q} {monomial}"
        raise FormalError(msg)

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
