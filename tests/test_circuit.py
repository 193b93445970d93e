"""The neutral form: what is well formed, what is refused, and what the digest sees."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from qrun_equiv.angle import PI, feature, parameter
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.errors import AngleError, CircuitError, QrunEquivError
from qrun_equiv.random_circuits import random_circuit

X0, T0 = feature(0), parameter(0)
Z = Observable.of([(1.0, {0: "Z"})])
IDENTITY = ((1 + 0j, 0j), (0j, 1 + 0j))
SWAP = tuple(tuple(complex(v) for v in row) for row in np.eye(4)[[0, 2, 1, 3]])


def circuit(**changes: Any) -> Circuit:
    """An asymmetric circuit; any field may be replaced."""
    gates = (
        Gate("RX", (0,), X0 * 0.1),
        Gate("CRY", (1, 0), T0 - 0.5),
        Gate("PauliRot", (0, 1), X0 * T0, "XY"),
        Gate("Unitary", (1, 0), matrix=SWAP),
    )
    observable = Observable.of([(0.5, {0: "Z", 1: "X"}), (-1.0, {1: "Y"})])
    return dataclasses.replace(Circuit(2, gates, (observable,), 1, 1), **changes)


# --- gates -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("RXX", (0, 1), X0), "unknown gate 'RXX'"),
        (("rx", (0,), X0), "unknown gate 'rx'"),
        (("CNOT", (1, 1)), "wires must be distinct"),
        (("H", ()), "wires must be distinct and at least one"),
        (("H", (0, 1)), "acts on 1 wire"),
        (("CRX", (0,), X0), "acts on 2 wire"),
        (("RX", (0,)), "RX needs an angle"),
        (("H", (0,), X0), "H has no angle"),
        (("PauliRot", (0, 1), X0, "X"), "needs one of X, Y, Z a wire"),
        (("PauliRot", (0, 1), X0, "XI"), "needs one of X, Y, Z a wire"),
        (("PauliRot", (0, 1), X0), "needs one of X, Y, Z a wire"),
        (("Unitary", (0, 1), None, "", IDENTITY), "must have shape"),
        (("Unitary", (0,), None, "", ()), "must have shape"),
        (("Unitary", (0,), None, "", ((1, 0), (0, 1.001))), "not unitary"),
        (("Unitary", tuple(range(5)), None, "", ()), "on 5 wires: at most 4"),
    ],
)
def test_gates_that_are_not_well_formed_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        Gate(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [("RX", (0,), X0, "X"), ("H", (0,), None, "", IDENTITY), ("CNOT", (0, 1), None, "Z")],
)
def test_a_gate_carries_nothing_that_its_name_ignores(arguments: tuple) -> None:
    # Two equal circuits would have two digests.
    with pytest.raises(CircuitError):
        Gate(*arguments)


def test_every_gate_of_the_table_can_be_made() -> None:
    for name, spec in GATES.items():
        wires = tuple(range(spec.wires or 1))
        angle = X0 if spec.gaps else None
        word, matrix = "X" * (name == "PauliRot"), IDENTITY if name == "Unitary" else ()
        assert Gate(name, wires, angle, word, matrix).wires == wires


def test_values_are_frozen() -> None:
    for thing in (Gate("H", (0,)), Z, circuit(), X0):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, dataclasses.fields(thing)[0].name, None)


# --- observables -------------------------------------------------------------------------------


def test_equal_words_merge_and_identities_drop_out() -> None:
    observable = Observable.of(
        [(0.5, {1: "Z", 0: "X"}), (0.25, {0: "X", 2: "I", 1: "Z"}), (2.0, {0: "I"})]
    )
    assert observable.terms == ((2.0, ()), (0.75, ((0, "X"), (1, "Z"))))
    assert observable.wires() == {0, 1}
    assert observable.norm == 2.75


def test_cancelling_words_leave_the_zero_observable() -> None:
    zero = Observable.of([(0.5, {0: "Z"}), (-0.5, {0: "Z"})])
    assert zero.terms == ()
    assert (str(zero), zero.norm, zero.wires()) == ("0", 0.0, frozenset())


def test_text_of_an_observable() -> None:
    observable = Observable.of([(1.0, {2: "Z", 0: "X"}), (-0.5, {1: "Y"}), (3.0, {})])
    assert str(observable) == "3 I + X0 Z2 + -0.5 Y1"


@pytest.mark.parametrize("letter", ["A", "z", "XZ", ""])
def test_other_letters_are_refused(letter: str) -> None:
    with pytest.raises(CircuitError, match="Pauli letters"):
        Observable.of([(1.0, {0: letter})])


@pytest.mark.parametrize("coefficient", [float("nan"), float("inf")])
def test_coefficients_that_are_not_finite_are_refused(coefficient: float) -> None:
    with pytest.raises(CircuitError):
        Observable.of([(coefficient, {0: "Z"})])


# --- circuits ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, (), (Z,), 0, 0), "at least one wire"),
        ((1, (), (), 0, 0), "measures nothing"),
        ((1, (Gate("H", (1,)),), (Z,), 0, 0), "H on wires"),
        ((2, (Gate("CNOT", (0, -1)),), (Z,), 0, 0), "CNOT on wires"),
        ((1, (Gate("RX", (0,), feature(2)),), (Z,), 2, 0), "reads x2, but there are 2 features"),
        ((1, (Gate("RX", (0,), T0),), (Z,), 1, 0), "reads theta0, but there are 0 parameters"),
        ((1, (), (Observable.of([(1.0, {1: "X"})]),), 0, 0), "acts on wire"),
        ((1, (), (Observable.of([(1.0, {-1: "X"})]),), 0, 0), "acts on wire"),
    ],
)
def test_circuits_that_are_not_well_formed_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        Circuit(*arguments)


@pytest.mark.parametrize("sizes", [(-1, 0), (0, -1)])
def test_negative_sizes_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(CircuitError):
        Circuit(1, (), (Z,), *sizes)


def test_errors_are_value_errors() -> None:
    assert issubclass(CircuitError, QrunEquivError)
    assert issubclass(AngleError, QrunEquivError)
    assert issubclass(QrunEquivError, ValueError)


def test_features_that_no_gate_reads_are_allowed() -> None:
    assert circuit(n_features=5, n_parameters=7).n_features == 5


def test_encoding_gates_are_those_that_read_a_feature() -> None:
    assert [g.name for g in circuit().encoding_gates()] == ["RX", "PauliRot"]
    constant = Gate("RX", (0,), PI / 2 + T0)
    assert circuit(gates=(constant, Gate("H", (0,)))).encoding_gates() == ()


def test_one_line_for_a_person() -> None:
    expected = "2 wire(s), 4 gates (2 encoding), 1 feature(s), 1 parameter(s), 1 output(s)"
    assert circuit().describe() == expected


def test_equal_circuits_have_equal_digests() -> None:
    assert circuit() == circuit()
    assert circuit().digest() == circuit().digest()
    # 0.1 x is x/10 and 0.05 x + 0.05 x: one angle, one digest.
    gates = (Gate("RX", (0,), X0 / 20 + X0 * 0.05), *circuit().gates[1:])
    assert circuit(gates=gates).digest() == circuit().digest()


def test_the_canonical_form_is_json() -> None:
    form = circuit().to_json()
    assert json.loads(json.dumps(form)) == form


FIRST, *REST = circuit().gates
CHANGES: dict[str, dict[str, Any]] = {
    "more wires": {"n_wires": 3},
    "more features": {"n_features": 2},
    "more parameters": {"n_parameters": 2},
    "another gate": {"gates": (Gate("RY", (0,), FIRST.angle), *REST)},
    "another wire": {"gates": (Gate("RX", (1,), FIRST.angle), *REST)},
    "an angle off by 1e-12": {"gates": (Gate("RX", (0,), X0 * 0.1 + 1e-12), *REST)},
    "an angle's sign": {"gates": (Gate("RX", (0,), X0 * -0.1), *REST)},
    "another word": {"gates": (FIRST, REST[0], Gate("PauliRot", (0, 1), X0 * T0, "YX"), REST[2])},
    "another matrix": {"gates": (FIRST, *REST[:2], Gate("Unitary", (1, 0), matrix=tuple(
        tuple(v * 1j for v in row) for row in SWAP)))},
    "swapped wires": {"gates": (FIRST, Gate("CRY", (0, 1), T0 - 0.5), *REST[1:])},
    "another order": {"gates": (*REST, FIRST)},
    "one gate fewer": {"gates": (FIRST, *REST[:-1])},
    "a coefficient off by one ulp": {"observables": (
        Observable.of([(np.nextafter(0.5, 1), {0: "Z", 1: "X"}), (-1.0, {1: "Y"})]),)},
    "another letter": {"observables": (
        Observable.of([(0.5, {0: "X", 1: "Z"}), (-1.0, {1: "Y"})]),)},
    "one output more": {"observables": (*circuit().observables, Z)},
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_digest_sees_every_change(change: dict[str, Any]) -> None:
    assert circuit(**change).digest() != circuit().digest()


# --- random circuits ---------------------------------------------------------------------------


def test_random_circuits_come_from_their_seed() -> None:
    def make(seed: int) -> Circuit:
        return random_circuit(np.random.default_rng(seed), n_wires=2, layers=3)

    assert make(1) == make(1)
    assert len({make(seed).digest() for seed in range(20)}) == 20


@pytest.mark.parametrize("n_wires", [1, 2, 3])
@pytest.mark.parametrize("n_features", [1, 2])
def test_random_circuits_cover_the_gate_set(n_wires: int, n_features: int) -> None:
    rng = np.random.default_rng(3)
    made = [
        random_circuit(rng, n_wires=n_wires, layers=3, n_features=n_features) for _ in range(60)
    ]
    names = {gate.name for c in made for gate in c.gates}
    missing = {"Unitary"} if n_wires > 1 else {n for n, s in GATES.items() if s.wires != 1}
    assert names == set(GATES) - missing
    assert all(c.n_features == n_features for c in made)
    # Every parameter that was counted is read.
    for c in made:
        read = {s.index for g in c.gates if g.angle for s in g.angle.symbols() if s.kind == "theta"}
        assert read == set(range(c.n_parameters))
