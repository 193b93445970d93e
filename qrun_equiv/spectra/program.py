"""A circuit as Pauli rotations and fixed gates, with exact slopes in the chosen features.

Only what lies in the light cone of the observables is kept. Every gate with an angle becomes one
or two rotations ``exp(-i (s . x + b) P / 2)``: the slope ``s`` goes to the lattice, the offset
``b`` to a table. Global phases are dropped: outputs don't see them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from qrun_equiv.angle import Angle, Monomial, Symbol
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import Frequency
from qrun_equiv.spectra.torus import Lattice, Vector, lattice

_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Turn:
    """``exp(-i (s . x + b) P / 2)``.

    Attributes:
        letters: the word ``P``: wire -> one of XYZ.
        offset: the gate's own angle without the chosen features; ``None`` where it is 0.
        factor: ``b`` is this times the offset.
        vector: ``s`` over the lattice's generators; empty where the gate reads no chosen feature.
    """

    letters: tuple[tuple[int, str], ...]
    offset: Angle | None
    factor: float
    vector: Vector


@dataclass(frozen=True, slots=True)
class FixedGate:
    """A gate without an angle, on the program's wires."""

    gate: Gate


@dataclass(frozen=True)
class Program:
    """What the methods work on.

    Attributes:
        n_wires: wires in the light cone, renumbered from 0; at least 1.
        steps: in order of time.
        observables: over the renumbered wires.
        lattice: of the slopes.
        n_parameters: length of theta.
        reads: features held fixed that an offset or a scale reads.
    """

    n_wires: int
    steps: tuple[Turn | FixedGate, ...]
    observables: tuple[Observable, ...]
    lattice: Lattice
    n_parameters: int
    reads: frozenset[int]


def program(circuit: Circuit, features: Sequence[int], limit: int) -> Program:
    """Compile a circuit for the chosen features.

    Raises:
        SpectrumError: no Fourier series in these features, or more than ``limit`` frequencies.
    """
    gates, wires = _light_cone(circuit)
    number = {wire: k for k, wire in enumerate(wires)}
    drafts = _drafts(gates, number)
    places = {Symbol("x", i): k for k, i in enumerate(features)}
    split: dict[Angle, tuple[Frequency, Angle | None]] = {}
    slopes: dict[Frequency, int] = {}
    found: list[tuple[_Draft, Frequency | None, int, Angle | None]] = []
    for draft in drafts:
        angle, slope, sign, offset = draft.angle, None, 1, draft.angle
        if angle is not None and _reads(angle, features):
            if angle not in split:
                split[angle] = _affine(draft.gate, angle, places)
            whole, offset = split[angle]
            slope, sign = _signed(whole, draft.factor)
            slopes[slope] = slopes.get(slope, 0) + 1
        found.append((draft, slope, sign, offset))
    serial = all(len(d.letters or d.gate.wires) == 1 for d in drafts)
    box = lattice(list(slopes.items()), len(features), limit, serial=serial)
    vectors = dict(zip(slopes, box.vectors, strict=True))
    steps: list[Turn | FixedGate] = []
    reads = {i for slope in slopes for a in slope for i in a.features()}
    for draft, slope, sign, offset in found:
        if draft.angle is None:
            moved = tuple(number[w] for w in draft.gate.wires)
            steps.append(FixedGate(replace(draft.gate, wires=moved)))
        elif draft.angle.terms:
            vector = () if slope is None else tuple(sign * n for n in vectors[slope])
            steps.append(Turn(draft.letters, offset, float(draft.factor), vector))
            reads |= frozenset() if offset is None else offset.features()
    observables = tuple(_renumbered(o, number) for o in circuit.observables)
    n_wires = max(len(wires), 1)
    n_parameters = circuit.n_parameters
    return Program(n_wires, tuple(steps), observables, box, n_parameters, frozenset(reads))


@dataclass(slots=True)
class _Draft:
    """A fixed gate, or a rotation about one word by ``factor * angle``."""

    gate: Gate
    letters: tuple[tuple[int, str], ...] = ()
    factor: Fraction = Fraction(1)
    angle: Angle | None = None


def _drafts(gates: Sequence[Gate], number: Mapping[int, int]) -> list[_Draft]:
    """Rotations about one word in a row are one: ``RX(x) RX(-x)`` reads no feature."""
    drafts: list[_Draft] = []
    last = [-1] * len(number)
    for gate in gates:
        if gate.angle is None:
            for wire in gate.wires:
                last[number[wire]] = len(drafts)
            drafts.append(_Draft(gate))
            continue
        for word, factor in _words(gate):
            letters = tuple(
                (number[w], p) for w, p in zip(gate.wires, word, strict=True) if p != "I"
            )
            before = {last[w] for w, _ in letters}
            earlier = drafts[before.pop()] if len(before) == 1 and -1 not in before else None
            if (
                earlier is not None
                and earlier.angle is not None
                and earlier.factor == factor
                and sorted(earlier.letters) == sorted(letters)
            ):
                earlier.angle = earlier.angle + gate.angle
                continue
            for wire, _ in letters:
                last[wire] = len(drafts)
            drafts.append(_Draft(gate, letters, factor, gate.angle))
    return drafts


def _light_cone(circuit: Circuit) -> tuple[list[Gate], list[int]]:
    cone = {w for o in circuit.observables for w in o.wires()}
    kept = []
    for gate in reversed(circuit.gates):
        if cone & set(gate.wires):
            cone |= set(gate.wires)
            kept.append(gate)
    return kept[::-1], sorted(cone)


def _renumbered(observable: Observable, number: dict[int, int]) -> Observable:
    return Observable.of((c, {number[w]: p for w, p in word}) for c, word in observable.terms)


def _reads(angle: Angle, chosen: Collection[int]) -> bool:
    for monomial, _ in angle.terms:
        for symbol, _ in monomial:
            if symbol.index in chosen and symbol.kind in {"x", "acos"}:
                return True
    return False


def _affine(
    gate: Gate, angle: Angle, places: Mapping[Symbol, int]
) -> tuple[Frequency, Angle | None]:
    """An angle as slope and offset in the chosen features."""
    slope: list[dict[Monomial, Fraction]] = [{} for _ in places]
    offset = {}
    for monomial, q in angle.terms:
        one = Angle(((monomial, q),))
        if not _reads(one, {s.index for s in places}):
            offset[monomial] = q
            continue
        chosen = [s for s, _ in monomial if s in places]
        powers = dict(monomial)
        if one.arcs() or len(chosen) != 1 or powers.pop(chosen[0]) > 1:
            names = ", ".join(map(str, places))
            arc = " (an arccos has none)" if one.arcs() else ""
            msg = f"{gate.name} has the angle {angle}: no Fourier series in {names} together{arc}"
            raise SpectrumError(msg)
        slope[places[chosen[0]]][tuple(sorted(powers.items()))] = q
    return tuple(map(Angle.of, slope)), Angle.of(offset) if offset else None


def _words(gate: Gate) -> list[tuple[str, Fraction]]:
    """Words on the gate's wires, with the factor of its angle: see ``transfer``."""
    if gate.name == "PauliRot":
        return [(gate.word, Fraction(1))]
    if gate.name == "PhaseShift":
        return [("Z", Fraction(1))]
    letter = gate.name[-1]
    if GATES[gate.name].controlled:
        return [("I" + letter, _HALF), ("Z" + letter, -_HALF)]
    return [(letter, Fraction(1))]


def _signed(slope: Frequency, factor: Fraction) -> tuple[Frequency, int]:
    """``factor * slope`` up to sign, with a positive first term, and the sign."""
    scaled = slope if factor == 1 else tuple(a * factor for a in slope)
    first = next(a for a in scaled if a.terms).terms[0][1]
    return (scaled, 1) if first > 0 else (tuple(-a for a in scaled), -1)
