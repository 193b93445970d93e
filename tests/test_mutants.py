"""Pairs broken on purpose: every mutant is refuted, or shown by exact arithmetic to be no mistake.

Two things are shown: that the mutant is the same function (``identical``), or that a perturbation
of 1e-6 has no first-order effect (by the parameter-shift rule, also exactly), so that it changes
outputs by 1e-12 at most and no tolerance above rounding can see it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pennylane as qml
import pytest

import qrun_equiv as qe
from qrun_equiv.angle import PI, Symbol, feature, parameter
from qrun_equiv.certificate import Status
from qrun_equiv.circuit import GATES
from qrun_equiv.errors import UnsupportedCircuitError
from qrun_equiv.exact import identical
from qrun_equiv.frontends.counterpart import _takes_theta
from qrun_equiv.frontends.export import to_pennylane, to_qiskit
from qrun_equiv.mutants import RULES, counterpart_mutants, mutants
from qrun_equiv.pair import catalogue_folder, collect

EQUAL = {p.name: p for p in collect([catalogue_folder()]) if p.claim == "equal"}
WANTED = 8
TALLY = {"refuted": 0, "equivalent": 0, "second order": 0}


def sizes(pair):
    return {"n_features": pair.n_features, "n_parameters": pair.n_parameters}


def neutral_of(pair):
    try:
        return qe.neutral(pair.circuits(), observable=pair.observable, **sizes(pair))
    except UnsupportedCircuitError:
        return None


def native(circuit, place):
    """Every other mutant runs in Qiskit, so that both simulators refute."""
    if place % 2:
        native_circuit, observable = to_qiskit(circuit)
        return {"qiskit": native_circuit}, observable
    device = qml.device("default.qubit", wires=circuit.n_wires)
    return {"pennylane": qml.QNode(to_pennylane(circuit), device)}, None


@pytest.mark.parametrize("name", EQUAL)
def test_mutants_of_the_circuit_are_refuted(name):
    pair = EQUAL[name]
    circuit = neutral_of(pair)
    if circuit is None:
        pytest.skip("an opaque encoding has no neutral form; its counterpart is mutated below")
    found = mutants(circuit, WANTED, seed=1)
    assert len(found) >= WANTED
    survivors = []
    for place, mutant in enumerate(found):
        circuits, observable = native(mutant.circuit, place)
        verdict = qe.verify(
            circuits, pair.counterpart, observable=observable, domain=pair.domain,
            gradients=pair.gradients, seed=place, n_features=pair.n_features or circuit.n_features,
            n_parameters=pair.n_parameters or circuit.n_parameters,
        )  # fmt: skip
        if verdict.status is Status.REFUTED:
            TALLY["refuted"] += 1
            continue
        if identical(circuit, mutant.circuit):
            assert verdict.equivalent, f"{mutant.kind} {mutant.where}: {verdict}"
            TALLY["equivalent"] += 1
            continue
        assert verdict.status is Status.SAMPLED, f"{mutant.kind} {mutant.where}: {verdict}"
        if is_stationary(circuit, mutant):
            TALLY["second order"] += 1
        else:
            survivors.append(f"{mutant.kind}: {mutant.where}")
    assert not survivors


def is_stationary(circuit, mutant):
    """f(a + pi/2) = f(a - pi/2) for the perturbed angle: its derivative vanishes identically."""
    if not mutant.kind.startswith("perturbed"):
        return False
    pairs = zip(circuit.gates, mutant.circuit.gates, strict=True)
    (place,) = [i for i, (one, two) in enumerate(pairs) if one != two]
    gate = circuit.gates[place]
    if GATES[gate.name].gaps != (1,) or gate.angle.symbols():
        return False
    shifted = [
        replace(
            circuit,
            gates=(
                *circuit.gates[:place],
                replace(gate, angle=gate.angle + PI * sign / 2),
                *circuit.gates[place + 1 :],
            ),
        )
        for sign in (1, -1)
    ]
    return identical(*shifted)


@pytest.mark.parametrize("name", EQUAL)
def test_mutants_of_the_counterpart_are_refuted(name):
    """Sign, factor 2, 1e-6, permutation and detached gradients, on the classical side."""
    pair = EQUAL[name]
    native_circuits, circuit = list(pair.circuits().items()), neutral_of(pair)
    options = {"observable": pair.observable, "domain": pair.domain, **sizes(pair)}
    call = pair.counterpart
    parameters = int(np.prod(pair.n_parameters or 0))
    takes_theta = _takes_theta(call, parameters)
    ours = call if takes_theta else lambda x, theta: call(x)
    parameters = parameters if takes_theta else 0
    broken_ones = counterpart_mutants(ours, pair.n_features, parameters)
    for place, (kind, broken) in enumerate(broken_ones):
        if "detached" in kind and kind.split()[1] not in pair.gradients:
            continue  # the pair does not claim that gradient
        circuits = dict([native_circuits[place % len(native_circuits)]])
        verdict = qe.verify(circuits, broken, gradients=pair.gradients, **options)
        if verdict.status is Status.REFUTED:
            TALLY["refuted"] += 1
        else:
            assert verdict.equivalent, f"{kind}: {verdict}"
            assert is_symmetry(kind, circuit), f"{kind}: {verdict}"
            TALLY["equivalent"] += 1


def is_symmetry(kind, circuit):
    """Whether the circuit itself does not change under the mutation: by exact arithmetic."""
    if circuit is None:
        return False
    read = {s for g in circuit.gates if g.angle is not None for s in g.angle.symbols()}
    if kind == "detached parameters":
        return not any(s.kind == "theta" for s in read)
    last = circuit.n_features - 1
    maps = {
        "permuted features": {Symbol("x", i): feature(last - i) for i in range(last + 1)},
        "permuted parameters": {Symbol("theta", i): parameter(1 - i) for i in range(2)},
    }
    if kind not in maps:
        return False
    gates = tuple(
        g if g.angle is None else replace(g, angle=g.angle.replace(maps[kind]))
        for g in circuit.gates
    )
    return identical(circuit, replace(circuit, gates=gates))


def test_the_count_is_printed(capsys):
    with capsys.disabled():
        print(f"\nmutants: {TALLY}")  # noqa: T201 - the count is this test's result
    assert TALLY["refuted"] >= WANTED * len(EQUAL)


def test_every_kind_of_mistake_occurs():
    kinds = set()
    for pair in EQUAL.values():
        circuit = neutral_of(pair)
        if circuit is not None:
            kinds |= {m.kind for m in mutants(circuit, WANTED, seed=1)}
    assert kinds == set(RULES)


def test_mutants_are_seeded_and_distinct():
    circuit = neutral_of(EQUAL["serial-3"])
    one, two = mutants(circuit, 20, seed=4), mutants(circuit, 20, seed=4)
    assert one == two
    digests = {m.circuit.digest() for m in one}
    assert len(digests) == len(one)
    assert circuit.digest() not in digests
