"""Where to cut: which numbers of a program are components of the circuit's Bloch vector.

A formula that is written out grows exponentially with the circuit. So the certificate lists places
where both sides have one value; Coq checks each as a small identity of polynomials, and takes the
common value as a variable from there on. Candidates are numbers that agree at a random point.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction

from qrun_equiv.angle import Angle, Symbol
from qrun_equiv.circuit import Circuit
from qrun_equiv.coq.mirror import PRIME, ROOT_TWO, Base, Poly, Ring, modular, mono, rational, var
from qrun_equiv.coq.record import Operation, Tape
from qrun_equiv.errors import FormalError

Step = tuple[str, ...]


class Numbers(Ring):
    """The same arithmetic at a random point: a polynomial is one number."""

    def __init__(self, given: Sequence[Base], seed: int) -> None:
        super().__init__(given)
        rng = random.Random(seed)  # noqa: S311 # nothing secret
        self.point: dict[tuple[int, int, int], int] = {ROOT_TWO: 1 << 31}
        self._rng = rng
        for k, base in enumerate(given):
            if base.arc is None:
                t = rng.randrange(1, PRIME)
                below = pow(1 + t * t, -1, PRIME)
                self.point[5, k, 0] = (1 - t * t) * below % PRIME
                self.point[6, k, 0] = 2 * t * below % PRIME
        self._arcs()

    def _arcs(self) -> None:
        """Features of which all the roots exist."""
        arcs = {k: base.arc for k, base in enumerate(self.bases) if base.arc}
        for feature in sorted({arc[0] for arc in arcs.values()}):
            own = {k: len(arc) for k, arc in arcs.items() if arc[0] == feature}
            while True:
                x = self._rng.randrange(2, PRIME)
                squares = {k: (1 - pow(x, 2 * n, PRIME)) % PRIME for k, n in own.items()}
                roots = {k: pow(s, (PRIME + 1) // 4, PRIME) for k, s in squares.items()}
                if all(r * r % PRIME == squares[k] for k, r in roots.items()):
                    break
            self.point[feature] = x
            for k, root in roots.items():
                self.point[6, k, 0] = root

    def at(self, p: Poly) -> Poly:
        """A polynomial's value, as a polynomial."""
        total = 0
        for m, q in p.items():
            value = q
            for v in m:
                if v not in self.point:
                    self.point[v] = self._rng.randrange(2, PRIME)
                value = value * self.point[v] % PRIME
            total += value
        return {(): total % PRIME}

    def turn(self, z: tuple[Poly, Poly], w: tuple[Poly, Poly]) -> tuple[Poly, Poly]:
        """Cosine and sine of a sum of angles."""
        return super().turn((self.at(z[0]), self.at(z[1])), (self.at(w[0]), self.at(w[1])))


def number(o: Operation) -> Poly:
    """A constant or symbol as a polynomial."""
    if o.root is not None:
        return {(ROOT_TWO,): modular(o.root)}
    return {mono(m): modular(q) for m, q in o.number.terms}


def compute(ring: Ring, tape: Tape, index: int, known: Mapping[int, Poly]) -> Poly:
    """One operation of the program on polynomials."""
    o = tape.operations[index]
    given = [known[k] for k in o.arguments]
    if o.name in {"Cos", "Sin"}:
        angle = tape.polynomial(o.arguments[0])
        return ring.angle(angle or Angle())[o.name == "Sin"]
    if o.name == "Add":
        return ring.add(given[0], given[1])
    if o.name == "Mul":
        return ring.multiply(given[0], given[1])
    if o.name == "Opp":
        return ring.negative(given[0])
    if o.name == "Number":
        return ring.at(number(o)) if isinstance(ring, Numbers) else number(o)
    if o.name == "Inv":
        if set(given[0]) != {()}:
            msg = "a Coq certificate divides by nonzero rational constants only"
            raise FormalError(msg)
        return {(): pow(given[0][()], -1, PRIME)}
    return _root(ring, given[0])


def _root(ring: Ring, p: Poly) -> Poly:
    for k in range(len(ring.bases)):
        square = ring.square((6, k, 0))
        if ring.bases[k].arc is None or square is None:
            continue
        at = ring.at(square) if isinstance(ring, Numbers) else square
        if p == at:
            sine: Poly = {((6, k, 0),): 1}
            return ring.at(sine) if isinstance(ring, Numbers) else sine
    msg = "a Coq certificate has the root of 1 - x^(2k) only, with arccos(x^k) in the circuit"
    raise FormalError(msg)


def angles(tape: Tape, circuit: Circuit) -> list[Angle]:
    """Every angle of both sides."""
    own = [tape.polynomial(o.arguments[0]) for o in tape.operations if o.name in {"Cos", "Sin"}]
    return [a for a in own if a] + [g.angle for g in circuit.gates if g.angle is not None]


class Planner:
    """Lists the steps of a certificate for one output."""

    def __init__(self, tape: Tape, circuit: Circuit, given: Sequence[Base], *, cut: bool) -> None:
        self.tape, self.circuit, self.cut = tape, circuit, cut
        self.ring = Ring(given)
        self.numbers = Numbers(given, 1)
        self.steps: list[Step] = []
        self.known: dict[int, Poly] = {}

    def plan(self, output: int) -> list[Step]:
        """The steps that compare a node with the circuit's output; the last check is Coq's."""
        places = self._places(output) if self.cut else {}
        bloch: dict[str, Poly] = {"X": {}, "Y": {}, "Z": {(): 1}}
        spot = dict(bloch)
        for gate in self.circuit.gates:
            self.steps.append(("Gate",))
            bloch = self.ring.rotate(gate, bloch)
            spot = {p: self.numbers.at(v) for p, v in self.numbers.rotate(gate, spot).items()}
            for axis in "XYZ":
                bloch[axis] = self._match(axis, bloch[axis], spot[axis].get((), 0), places)
        self._expand(output)
        return self.steps

    def _places(self, output: int) -> dict[int, list[int]]:
        """The numbers that the program computes, by their values at the random point."""
        places: dict[int, list[int]] = {}
        values: dict[int, Poly] = {}
        for k in self._needed(output):
            values[k] = compute(self.numbers, self.tape, k, values)
            self.numbers.point[7, k, 0] = values[k].get((), 0)
            if self.tape.operations[k].name != "Number":
                places.setdefault(values[k].get((), 0), []).append(k)
        return places

    def _needed(self, output: int) -> list[int]:
        found, waiting = set(), [output]
        while waiting:
            k = waiting.pop()
            if k not in found:
                found.add(k)
                waiting += self.tape.operations[k].arguments
        return sorted(found)

    def _expand(self, output: int) -> None:
        for k in self._missing(output):
            self.known[k] = compute(self.ring, self.tape, k, self.known)
            self.steps.append(("Compute", str(k)))

    def _missing(self, output: int) -> list[int]:
        found, waiting = set(), [output]
        while waiting:
            k = waiting.pop()
            if k not in found and k not in self.known:
                found.add(k)
                waiting += self.tape.operations[k].arguments
        return sorted(found)

    def _match(self, axis: str, p: Poly, value: int, places: Mapping[int, list[int]]) -> Poly:
        """The component, or the node that it equals as a variable."""
        if len(p) < 2:  # a single product does not grow
            return p
        agree = self._agreeing(p, value, places)
        if not agree:
            return p
        (sign, node), *others = agree
        self._identify(node, [(sign * other, k) for other, k in others])
        self._variable(node)
        self.steps.append(("Match", f"Sigma{axis}", str(node), f"({sign}#1)"))
        return {((7, node, 0),): sign % PRIME}

    def _agreeing(
        self, p: Poly, value: int, places: Mapping[int, list[int]]
    ) -> list[tuple[int, int]]:
        """The nodes, with signs, that are a polynomial with a value."""
        agree = []
        for sign in (1, -1):
            for k in places.get(sign * value % PRIME, []):
                self._expand(k)
                if self.ring.scale(self.known[k], sign % PRIME) == p:
                    agree.append((sign, k))
        return agree

    def _identify(self, node: int, others: Sequence[tuple[int, int]]) -> None:
        """Nodes that are plus or minus another one."""
        for sign, k in others:
            self.steps.append(("Same", str(node), str(k), f"({sign}#1)"))
            self.known[k] = {((7, node, 0),): sign % PRIME}

    def _variable(self, node: int) -> None:
        """From here on a node is a variable."""
        self.known[node] = {((7, node, 0),): 1}


_VARIABLES = {
    0: "Symbol (Feature {})", 1: "Symbol (Theta {})", 2: "Symbol PiNumber", 3: "Symbol RootTwo",
    4: "Symbol (Arccos {} {})", 5: "Cosine {}", 6: "Sine {}", 7: "Node {}",
}  # fmt: skip


def literal(p: Poly) -> str:
    """A polynomial as Coq's ``poly``."""
    terms = []
    for m, value in sorted(p.items()):
        q = rational(value)
        variables = "; ".join(_VARIABLES[kind].format(k, n) for kind, k, n in m)
        terms.append(f"({q.numerator}#{q.denominator}, [{variables}])")
    return f"[{'; '.join(terms)}]"


def coefficient(value: Angle, root: Fraction | None) -> list[tuple[Fraction, list[Symbol | None]]]:
    """A number as Coq's ``formula``; ``None`` stands for sqrt 2."""
    if root is not None:
        return [(root, [None])]
    found: list[tuple[Fraction, list[Symbol | None]]] = []
    for monomial, q in sorted(value.terms, key=lambda t: mono(t[0])):
        symbols = [s for s, n in monomial for _ in range(n)]
        found.append((q, [*sorted(symbols, key=var)]))
    return found
