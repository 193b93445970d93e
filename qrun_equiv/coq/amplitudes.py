"""Cuts at amplitudes: for counterparts that compute with half angles what a circuit's state is.

Where no number of the program is a component of the Bloch vector, some may be amplitudes of the
state, or the coefficients of amplitudes as sums of exp(i k x). They are found here, gate by gate.
Coq is told the amplitudes as polynomials in these numbers, and checks that the circuit's Bloch
vector is theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from qrun_equiv.angle import PI, Angle
from qrun_equiv.circuit import Circuit, Gate
from qrun_equiv.coq.cuts import Planner, Step, angles, literal
from qrun_equiv.coq.mirror import PRIME, Poly, TooLargeError, bases, modular
from qrun_equiv.coq.record import Tape

_MOST_TERMS = 400  # of the amplitudes of one state; Coq multiplies them with each other
_HALF = modular(Fraction(1, 2))
Complex = tuple[Poly, Poly]
Harmonic = tuple[int, ...]
#: A sum of waves exp(i h . angles) with coefficients: ``h`` is 0 at base angles without a feature.
Waves = Mapping[Harmonic, Complex]
State = tuple[Waves, Waves]


def rotations(gate: Gate) -> list[tuple[str, Angle]]:
    """A gate as rotations about X, Y and Z and phases P of the second amplitude.

    One phase of both amplitudes is left out.
    """
    fixed = {"H": [("P", PI), ("Y", PI / 2)], "S": [("P", PI / 2)], "T": [("P", PI / 4)],
             "Z": [("P", PI)]}  # fmt: skip
    if gate.angle is None:
        return fixed.get(gate.name, [(gate.name, PI)])
    axis = {"PhaseShift": "P", "PauliRot": gate.word}.get(gate.name, gate.name[-1])
    return [(axis, gate.angle)]


class AmplitudePlanner(Planner):
    """Lists the steps of a certificate for one output.

    Args:
        waves: compare the coefficients of exp(i k x) and leave the phase exp(-i x / 2) of RZ out;
            else the amplitudes that the textbook's matrices give.
    """

    def __init__(self, tape: Tape, circuit: Circuit, *, waves: bool) -> None:
        turns = [turn for gate in circuit.gates for turn in rotations(gate)]
        halves = [angle / 2 for axis, angle in turns if axis in ("XY" if waves else "XYZ")]
        given = bases([*angles(tape, circuit), *halves])
        super().__init__(tape, circuit, given, cut=True)
        self.waves = waves
        self.features = [k for k, b in enumerate(given) if waves and b.has_feature]
        self.still: Harmonic = (0,) * len(given)

    def plan(self, output: int) -> list[Step]:
        """The steps that compare a node with the circuit's output; the last check is Coq's."""
        places = self._places(output)
        state: State = ({self.still: ({(): 1}, {})}, {})
        for gate in self.circuit.gates:
            self.steps.append(("Gate",))
            for axis, angle in rotations(gate):
                state = self._rotated(axis, angle, state)
            state = self._cut(state, places)
        self._expand(output)
        return self.steps

    # --- the state ----------------------------------------------------------------------------

    def _plus(self, a: Waves, b: Waves) -> Waves:
        out = dict(a)
        for h, (re, im) in b.items():
            had = out.get(h, ({}, {}))
            out[h] = (self.ring.add(had[0], re), self.ring.add(had[1], im))
        return {h: z for h, z in out.items() if z[0] or z[1]}

    def _times(self, a: Waves, b: Waves) -> Waves:
        out: Waves = {}
        for h, z in a.items():
            for g, w in b.items():
                out = self._plus(out, {_moved(h, g, 1): self.ring.product(z, w)})
        return out

    def _by(self, re: int, im: int, a: Waves) -> Waves:
        return self._times({self.still: ({(): re} if re else {}, {(): im} if im else {})}, a)

    def _wave(self, angle: Angle) -> Waves:
        """exp(i angle)."""
        _, parts = self.ring.split(angle)
        h = tuple(parts.get(k, 0) * (k in self.features) for k in range(len(self.still)))
        for k in self.features:
            angle = angle - Angle.of(dict(self.ring.bases[k].terms)) * Fraction(h[k])
        return {h: self.ring.angle(angle)}

    def _rotated(self, axis: str, angle: Angle, state: State) -> State:
        a, b = state
        if axis == "P" or (axis == "Z" and self.waves):
            return a, self._times(self._wave(angle), b)
        up = self._wave(angle / 2)
        down = {
            _moved(self.still, h, -1): (re, self.ring.negative(im)) for h, (re, im) in up.items()
        }
        if axis == "Z":
            return self._times(down, a), self._times(up, b)
        cosine = self._by(_HALF, 0, self._plus(up, down))
        i_sine = self._by(_HALF, 0, self._plus(up, self._by(PRIME - 1, 0, down)))
        lower = self._by(0, PRIME - 1, i_sine) if axis == "Y" else self._by(PRIME - 1, 0, i_sine)
        upper = self._by(0, 1, i_sine) if axis == "Y" else lower
        return (
            self._plus(self._times(cosine, a), self._times(upper, b)),
            self._plus(self._times(lower, a), self._times(cosine, b)),
        )

    # --- cuts ---------------------------------------------------------------------------------

    def _cut(self, state: State, places: Mapping[int, list[int]]) -> State:
        """The state with numbers of the program as variables, where they are its coefficients."""
        named: dict[int, list[tuple[int, int]]] = {}
        a, b = (
            {h: (self._named(z[0], places, named), self._named(z[1], places, named))
             for h, z in part.items()}
            for part in state
        )  # fmt: skip
        if sum(len(p) for part in (a, b) for z in part.values() for p in z) > _MOST_TERMS:
            msg = f"its formulas grow too large: amplitudes of over {_MOST_TERMS} terms"
            raise TooLargeError(msg)
        if named:
            polynomials = [p for part in (a, b) for p in self._written_out(part)]
            self.steps.append(("Amplitudes", *map(literal, polynomials)))
        for node, others in named.items():
            self._identify(node, others)
            self.steps.append(("Keep", str(node)))
            self._variable(node)
        return a, b

    def _named(
        self, p: Poly, places: Mapping[int, list[int]], named: dict[int, list[tuple[int, int]]]
    ) -> Poly:
        if all(not m or (len(m) == 1 and m[0][0] == 7) for m in p):
            return p
        agree = self._agreeing(p, self.numbers.at(p).get((), 0), places)
        if not agree:
            return p
        (sign, node), *others = agree
        named.setdefault(node, [(sign * other, k) for other, k in others])
        return {((7, node, 0),): sign % PRIME}

    def _written_out(self, part: Waves) -> Complex:
        """Real and imaginary part, with the sines and cosines of the waves."""
        total: Complex = ({}, {})
        for h, z in part.items():
            wave: Complex = ({(): 1}, {})
            for k in self.features:
                wave = self.ring.turn(wave, self.ring.multiple(self.ring.cis(k), h[k]))
            re, im = self.ring.product(z, wave)
            total = (self.ring.add(total[0], re), self.ring.add(total[1], im))
        return total


def _moved(h: Harmonic, g: Harmonic, sign: int) -> Harmonic:
    return tuple(m + sign * n for m, n in zip(h, g, strict=True))
