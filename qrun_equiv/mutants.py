"""Break a circuit or a counterpart on purpose: what a check must refute.

Every mutant of a neutral circuit is one small change, drawn from a seed; some are equivalent to the
original (a rotation about Z right before Z is measured), which :func:`qrun_equiv.exact.identical`
decides. Mutants of a counterpart are wrappers around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from qrun_equiv.angle import Angle, Symbol, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable

PERTURBATION = 1e-6


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken circuit: which kind of mistake, where, and the result."""

    kind: str
    where: str
    circuit: Circuit


Rule = Callable[[Circuit, np.random.Generator], tuple[str, Circuit] | None]


def mutants(circuit: Circuit, count: int = 8, *, seed: int = 0) -> list[Mutant]:
    """At least ``count`` distinct mutants if the circuit has as many, cycling through the kinds."""
    rng = np.random.default_rng(seed)
    found: dict[str, Mutant] = {}
    for _ in range(4):
        for kind, rule in RULES.items():
            changed = rule(circuit, rng)
            if changed is None or changed[1].digest() == circuit.digest():
                continue
            found.setdefault(changed[1].digest(), Mutant(kind, *changed))
        if len(found) >= count:
            break
    return list(found.values())


def _pick(circuit: Circuit, rng: np.random.Generator, *, angled: bool) -> int | None:
    places = [i for i, g in enumerate(circuit.gates) if (g.angle is not None) or not angled]
    return int(rng.choice(places)) if places else None


def _with_gate(circuit: Circuit, place: int, *gates: Gate) -> Circuit:
    kept = (*circuit.gates[:place], *gates, *circuit.gates[place + 1 :])
    return replace(circuit, gates=kept)


def _angle_rule(change: Callable[[Angle], Angle], note: str) -> Rule:
    def rule(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
        place = _pick(circuit, rng, angled=True)
        if place is None:
            return None
        gate = circuit.gates[place]
        if gate.angle is None:
            return None
        wrong = replace(gate, angle=change(gate.angle))
        where = f"gate {place} {gate.name}({gate.angle}) on {gate.wires}: {note}"
        return where, _with_gate(circuit, place, wrong)

    return rule


def _dropped(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
    place = _pick(circuit, rng, angled=False)
    if place is None:
        return None
    gate = circuit.gates[place]
    return f"gate {place} {gate.name} on {gate.wires} dropped", _with_gate(circuit, place)


def _wire(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
    if circuit.n_wires < 2:
        return None
    place = _pick(circuit, rng, angled=False)
    if place is None:
        return None
    gate = circuit.gates[place]
    if len(gate.wires) > 1:
        wires = gate.wires[::-1]
    else:
        others = [w for w in range(circuit.n_wires) if w not in gate.wires]
        wires = (int(rng.choice(others)),)
    where = f"gate {place} {gate.name} on {gate.wires}: moved to {wires}"
    return where, _with_gate(circuit, place, replace(gate, wires=wires))


def _axis(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
    """RX for RY and the like, controlled or not."""
    places = [i for i, g in enumerate(circuit.gates) if g.name.lstrip("C") in {"RX", "RY", "RZ"}]
    if not places:
        return None
    place = int(rng.choice(places))
    gate = circuit.gates[place]
    other = str(rng.choice([letter for letter in "XYZ" if letter != gate.name[-1]]))
    wrong = replace(gate, name=gate.name[:-1] + other)
    return f"gate {place} {gate.name} became {wrong.name}", _with_gate(circuit, place, wrong)


def _permuted(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
    """Two parameters (or, where there are none, two features) change places everywhere."""
    used = {s for g in circuit.gates if g.angle is not None for s in g.angle.symbols()}
    for kind, build in (("theta", parameter), ("x", feature)):
        names = sorted(s for s in used if s.kind == kind)
        if len(names) >= 2:
            one, two = (names[i] for i in rng.choice(len(names), 2, replace=False))
            mapping: dict[Symbol, Angle] = {one: build(two.index), two: build(one.index)}
            gates = tuple(
                g if g.angle is None else replace(g, angle=g.angle.replace(mapping))
                for g in circuit.gates
            )
            return f"{one} and {two} permuted", replace(circuit, gates=gates)
    return None


def _swapped_order(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
    if len(circuit.gates) < 2:
        return None
    place = int(rng.integers(len(circuit.gates) - 1))
    gates = list(circuit.gates)
    gates[place], gates[place + 1] = gates[place + 1], gates[place]
    where = f"gates {place} and {place + 1} in the other order"
    return where, replace(circuit, gates=tuple(gates))


def _observable(circuit: Circuit, rng: np.random.Generator) -> tuple[str, Circuit] | None:
    """One letter of one Pauli word becomes another."""
    output = int(rng.integers(circuit.n_outputs))
    observable = circuit.observables[output]
    words = [i for i, (_, word) in enumerate(observable.terms) if word]
    if not words:
        return None
    chosen = int(rng.choice(words))
    terms = []
    for index, (coefficient, word) in enumerate(observable.terms):
        letters = dict(word)
        if index == chosen:
            wire = int(rng.choice(sorted(letters)))
            letters[wire] = str(rng.choice([p for p in "XYZ" if p != letters[wire]]))
        terms.append((coefficient, letters))
    wrong = Observable.of(terms)
    kept = (*circuit.observables[:output], wrong, *circuit.observables[output + 1 :])
    return f"observable {observable} became {wrong}", replace(circuit, observables=kept)


#: Kinds of mistakes, each a seeded rule.
RULES: dict[str, Rule] = {
    "sign": _angle_rule(lambda a: -a, "angle negated"),
    "factor 2": _angle_rule(lambda a: a * 2, "angle doubled"),
    "perturbed constant": _angle_rule(lambda a: a + PERTURBATION, f"angle + {PERTURBATION}"),
    "perturbed scale": _angle_rule(lambda a: a * (1 + PERTURBATION), f"angle (1 + {PERTURBATION})"),
    "dropped gate": _dropped,
    "swapped wire": _wire,
    "wrong axis": _axis,
    "permuted parameter": _permuted,
    "swapped order": _swapped_order,
    "wrong observable": _observable,
}


def counterpart_mutants(
    counterpart: Callable[..., Tensor], n_features: int, n_parameters: int
) -> Iterator[tuple[str, Callable[[Tensor, Tensor], Tensor]]]:
    """Broken wrappers around a counterpart that is called as ``(x, theta)``."""
    yield "negated output", lambda x, theta: -counterpart(x, theta)
    yield "perturbed output", lambda x, theta: counterpart(x, theta) * (1 + PERTURBATION)
    if n_features:
        yield "detached features", lambda x, theta: counterpart(x.detach(), theta)
        yield "perturbed features", lambda x, theta: counterpart(x * (1 + PERTURBATION), theta)
        yield "halved features", lambda x, theta: counterpart(x / 2, theta)
    if n_features > 1:
        yield "permuted features", lambda x, theta: counterpart(x.flip(1), theta)
    if n_parameters:
        yield "detached parameters", lambda x, theta: counterpart(x, theta.detach())
        yield "perturbed parameter", lambda x, theta: counterpart(x, theta + PERTURBATION)
    if n_parameters > 1:
        yield "permuted parameters", lambda x, theta: counterpart(x, _swap(theta))


def _swap(theta: Tensor) -> Tensor:
    flat = theta.reshape(-1)
    order: Any = [1, 0, *range(2, len(flat))]
    return flat[order].reshape(theta.shape)
