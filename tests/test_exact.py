"""Exact identity over random prime fields: true identities, near misses, and random mutants."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import UnsupportedCircuitError
from qrun_equiv.exact import identical
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations

# Equal circuits differ by rounding only, a mutant by much more: between lie nine decades.
NUMERICALLY_EQUAL = 1e-12
NUMERICALLY_DIFFERENT = 1e-6
MUTANTS = 200

A, B = feature(0), feature(1)  # the angles of the identities
T = parameter(0)
PREPARE = 2  # features from here on prepare the input state
N_FEATURES, N_PARAMETERS = 8, 2


def g(name: str, *wires: int, angle: Angle | float | None = None, word: str = "") -> Gate:
    return Gate(name, wires, Angle.constant(angle) if isinstance(angle, float) else angle, word)


def rot(word: str, *wires: int, angle: Angle) -> Gate:
    return Gate("PauliRot", wires, angle, word)


def acting(gates: list[Gate]) -> Circuit:
    """The gates on free product states, every Pauli word measured.

    Product states span all density matrices: two sides with equal outputs are equal as unitaries,
    up to a global phase.
    """
    n = 3 if any(2 in gate.wires for gate in gates) else 2
    free = [feature(PREPARE + k) for k in range(2 * n)]
    prepare = [g("RY", w, angle=free[2 * w]) for w in range(n)]
    prepare += [g("RZ", w, angle=free[2 * w + 1]) for w in range(n)]
    words = itertools.product("IXYZ", repeat=n)
    observables = [Observable.of([(1.0, dict(enumerate(word)))]) for word in words]
    return Circuit(n, (*prepare, *gates), tuple(observables), N_FEATURES, N_PARAMETERS)


def padded(left: list[Gate], right: list[Gate]) -> tuple[Circuit, Circuit]:
    """Both sides on as many wires as the wider one."""
    third = [g("Z", 2), g("Z", 2)] if any(2 in x.wires for x in (*left, *right)) else []
    return acting([*third, *left]), acting([*third, *right])


CNOT, BACK, CZ = g("CNOT", 0, 1), g("CNOT", 1, 0), g("CZ", 0, 1)
H0, H1, S0, T0, X0, Y0, Z0 = (g(name, 0) for name in ("H", "H", "S", "T", "X", "Y", "Z"))
H1, X1, Z1 = g("H", 1), g("X", 1), g("Z", 1)
HALF = PI / 2


def toffoli(one: int, two: int, target: int) -> list[Gate]:
    """Seven T gates: Nielsen and Chuang, figure 4.9."""
    back = -PI / 4
    return [
        g("H", target), g("CNOT", two, target), g("PhaseShift", target, angle=back),
        g("CNOT", one, target), g("T", target), g("CNOT", two, target),
        g("PhaseShift", target, angle=back), g("CNOT", one, target), g("T", two), g("T", target),
        g("H", target), g("CNOT", one, two), g("T", one), g("PhaseShift", two, angle=back),
        g("CNOT", one, two),
    ]  # fmt: skip


IDENTITIES: dict[str, tuple[list[Gate], list[Gate]]] = {
    "HZH = X": ([H0, Z0, H0], [X0]),
    "HXH = Z": ([H0, X0, H0], [Z0]),
    "HYH = -Y": ([H0, Y0, H0], [Y0]),
    "SS = Z": ([S0, S0], [Z0]),
    "TT = S": ([T0, T0], [S0]),
    "T^8 = 1": ([T0] * 8, []),
    "XY = iZ": ([Y0, X0], [Z0]),
    "H TTTT H = X": ([H0, T0, T0, T0, T0, H0], [X0]),
    "H = Z RY(-pi/2)": ([g("RY", 0, angle=-HALF), Z0], [H0]),
    "H = X RY(pi/2)": ([g("RY", 0, angle=HALF), X0], [H0]),
    "HSH = sqrt X": ([H0, S0, H0], [g("RX", 0, angle=HALF)]),
    "S = RZ(pi/2)": ([S0], [g("RZ", 0, angle=HALF)]),
    "T = phase(pi/4)": ([T0], [g("PhaseShift", 0, angle=PI / 4)]),
    "X = RX(pi)": ([X0], [g("RX", 0, angle=PI)]),
    "RX(pi/3)^3 = X": ([g("RX", 0, angle=PI / 3)] * 3, [X0]),
    "RY(pi/7)^7 = Y": ([g("RY", 0, angle=PI / 7)] * 7, [Y0]),
    "RZ(2pi/5)^5 = 1": ([g("RZ", 0, angle=2 * PI / 5)] * 5, []),
    "typed pi/7": ([g("RX", 0, angle=np.pi / 7)] * 7, [X0]),
    "RX(2pi) = -1": ([g("RX", 0, angle=2 * PI)], []),
    "phase = RZ": ([g("PhaseShift", 0, angle=A)], [g("RZ", 0, angle=A)]),
    "RX(a) RX(b)": ([g("RX", 0, angle=A), g("RX", 0, angle=B)], [g("RX", 0, angle=A + B)]),
    "RX(a) RX(-a) = 1": ([g("RX", 0, angle=A), g("RX", 0, angle=-A)], []),
    "0.1 and 0.2 make 0.3": (
        [g("RX", 0, angle=A * 0.1), g("RX", 0, angle=A * 0.2)],
        [g("RX", 0, angle=A * 0.3)],
    ),
    "radians: 1.5 - 0.5 = 1": (
        [g("RX", 0, angle=1.5), g("RX", 0, angle=-0.5)],
        [g("RX", 0, angle=1.0)],
    ),
    "2(a + t) = 2a + 2t": (
        [g("RY", 0, angle=2 * (A + T))],
        [g("RY", 0, angle=2 * A), g("RY", 0, angle=2 * T)],
    ),
    "products": (
        [g("RZ", 0, angle=(PI - A) * (PI - B))],
        [g("RZ", 0, angle=A * B), g("RZ", 0, angle=-PI * (A + B)), g("RZ", 0, angle=PI**2)],
    ),
    "scales: t a + a t": ([g("RX", 0, angle=T * A)] * 2, [g("RX", 0, angle=2 * A * T)]),
    "X RZ(a) X = RZ(-a)": ([X0, g("RZ", 0, angle=A), X0], [g("RZ", 0, angle=-A)]),
    "H RX(a) H = RZ(a)": ([H0, g("RX", 0, angle=A), H0], [g("RZ", 0, angle=A)]),
    "H RY(a) H = RY(-a)": ([H0, g("RY", 0, angle=A), H0], [g("RY", 0, angle=-A)]),
    "S RX(a) S+ = RY(a)": (
        [g("RZ", 0, angle=-HALF), g("RX", 0, angle=A), S0],
        [g("RY", 0, angle=A)],
    ),
    "RX by RZ RY RZ": (
        [g("RZ", 0, angle=HALF), g("RY", 0, angle=A), g("RZ", 0, angle=-HALF)],
        [g("RX", 0, angle=A)],
    ),
    "CNOT copies X": ([CNOT, X0, CNOT], [X0, X1]),
    "CNOT copies Z back": ([CNOT, Z1, CNOT], [Z0, Z1]),
    "CNOT spreads RX": ([CNOT, g("RX", 0, angle=A), CNOT], [rot("XX", 0, 1, angle=A)]),
    "CNOT spreads RZ": ([CNOT, g("RZ", 1, angle=A), CNOT], [rot("ZZ", 0, 1, angle=A)]),
    "CNOT leaves RZ": ([CNOT, g("RZ", 0, angle=A)], [g("RZ", 0, angle=A), CNOT]),
    "CNOT leaves RX": ([CNOT, g("RX", 1, angle=A)], [g("RX", 1, angle=A), CNOT]),
    "H turns CNOT": ([H0, H1, CNOT, H0, H1], [BACK]),
    "CZ = H CNOT H": ([H1, CNOT, H1], [CZ]),
    "CZ is symmetric": ([g("CZ", 1, 0)], [CZ]),
    "SWAP = 3 CNOT": ([CNOT, BACK, CNOT], [g("SWAP", 0, 1)]),
    "SWAP moves": ([g("SWAP", 0, 1), g("RX", 0, angle=A), g("SWAP", 0, 1)], [g("RX", 1, angle=A)]),
    "CNOT through a middle wire": (
        [g("CNOT", 0, 1), g("CNOT", 1, 2), g("CNOT", 0, 1), g("CNOT", 1, 2)],
        [g("CNOT", 0, 2)],
    ),
    "CRZ by CNOTs": (
        [g("RZ", 1, angle=A / 2), CNOT, g("RZ", 1, angle=-A / 2), CNOT],
        [g("CRZ", 0, 1, angle=A)],
    ),
    "CRY by CNOTs": (
        [g("RY", 1, angle=A / 2), CNOT, g("RY", 1, angle=-A / 2), CNOT],
        [g("CRY", 0, 1, angle=A)],
    ),
    "CRX by H and CRZ": ([H1, g("CRZ", 0, 1, angle=A), H1], [g("CRX", 0, 1, angle=A)]),
    "CRX by words": (
        [g("RX", 1, angle=A / 2), rot("ZX", 0, 1, angle=-A / 2)],
        [g("CRX", 0, 1, angle=A)],
    ),
    "CRX(pi) = CNOT and a phase": (
        [g("CRX", 0, 1, angle=PI), S0],
        [CNOT],
    ),
    "CRX(2pi) = Z on the control": ([g("CRX", 0, 1, angle=2 * PI)], [Z0]),
    "CRX(4pi) = 1": ([g("CRX", 0, 1, angle=4 * PI)], []),
    "words on swapped wires": ([rot("XY", 0, 1, angle=A)], [rot("YX", 1, 0, angle=A)]),
    "commuting words": (
        [rot("XX", 0, 1, angle=A), rot("ZZ", 0, 1, angle=B)],
        [rot("ZZ", 0, 1, angle=B), rot("XX", 0, 1, angle=A)],
    ),
    "Toffoli's controls may be swapped": (toffoli(0, 1, 2), toffoli(1, 0, 2)),
    "Toffoli is its own inverse": (toffoli(2, 0, 1) * 2, []),
    "three-letter word by a ladder": (
        [g("CNOT", 0, 1), g("CNOT", 1, 2), g("RZ", 2, angle=A), g("CNOT", 1, 2), g("CNOT", 0, 1)],
        [rot("ZZZ", 0, 1, 2, angle=A)],
    ),
}

RX_A = g("RX", 0, angle=A)
NEAR_MISSES: dict[str, tuple[list[Gate], list[Gate]]] = {
    "1.00003 x": ([RX_A], [g("RX", 0, angle=A * 1.00003)]),
    "weights 1e-8 apart": ([g("RX", 0, angle=A * 0.7)], [g("RX", 0, angle=A * (0.7 + 1e-8))]),
    "sign of an offset": ([g("RX", 0, angle=A - 0.5)], [g("RX", 0, angle=A + 0.5)]),
    "a constant of 1e-12": ([RX_A], [g("RX", 0, angle=A + 1e-12)]),
    "T off by 1e-12": ([T0], [g("RZ", 0, angle=PI / 4 + 1e-12)]),
    "0.1 + 0.2 summed in floats": (
        [g("RX", 0, angle=A * (0.1 + 0.2))],
        [g("RX", 0, angle=A * 0.3)],
    ),
    "x^2 is not 2x": ([g("RX", 0, angle=A**2)], [g("RX", 0, angle=2 * A)]),
    "theta x is not x": ([g("RX", 0, angle=T * A)], [RX_A]),
    "pi x is not 22/7 x": ([g("RX", 0, angle=PI * A)], [g("RX", 0, angle=A * (22 / 7))]),
    "only at theta != 0": ([g("RX", 0, angle=A), g("RY", 0, angle=T)], [RX_A]),
    "only at theta0 theta1 != 0": ([g("RY", 0, angle=T * parameter(1))], []),
    "sign of an angle": ([RX_A], [g("RX", 0, angle=-A)]),
    "another feature": ([RX_A], [g("RX", 0, angle=B)]),
    "S is not its inverse": ([S0], [g("RZ", 0, angle=-HALF)]),
    "X is not Y": ([X0], [Y0]),
    "six sevenths": ([g("RY", 0, angle=PI / 7)] * 6, [Y0]),
    "RX and RY do not commute": ([RX_A, g("RY", 0, angle=B)], [g("RY", 0, angle=B), RX_A]),
    "a phase on the control": ([g("CRX", 0, 1, angle=PI)], [CNOT]),
    "minus one on the control": ([g("CRX", 0, 1, angle=2 * PI)], []),
    "CRZ is no RZ ladder": ([g("CRZ", 0, 1, angle=A)], [rot("ZZ", 0, 1, angle=-A / 2)]),
    "control and target": ([CNOT], [BACK]),
    "CRY back to front": ([g("CRY", 0, 1, angle=A)], [g("CRY", 1, 0, angle=A)]),
    "word back to front": ([rot("XY", 0, 1, angle=A)], [rot("YX", 0, 1, angle=A)]),
    "half an angle": ([CNOT, g("RZ", 1, angle=A), CNOT], [rot("ZZ", 0, 1, angle=A / 2)]),
    "CNOT does not leave RX": ([CNOT, RX_A], [RX_A, CNOT]),
    "Toffoli's target": (toffoli(0, 1, 2), toffoli(0, 2, 1)),
    "Toffoli with one T inverted": (
        toffoli(0, 1, 2),
        [*toffoli(0, 1, 2)[:-2], g("T", 1), g("CNOT", 0, 1)],
    ),
    "one CNOT of three": ([CNOT, BACK], [g("SWAP", 0, 1)]),
}


@pytest.mark.parametrize(("left", "right"), IDENTITIES.values(), ids=IDENTITIES)
def test_true_identities_are_found(left: list[Gate], right: list[Gate]) -> None:
    assert identical(*padded(left, right))


@pytest.mark.parametrize(("left", "right"), NEAR_MISSES.values(), ids=NEAR_MISSES)
def test_near_misses_are_told_apart(left: list[Gate], right: list[Gate]) -> None:
    for seed in range(3):
        assert not identical(*padded(left, right), seed=seed)


@pytest.mark.parametrize(("left", "right"), IDENTITIES.values(), ids=IDENTITIES)
def test_the_identities_hold_numerically(left: list[Gate], right: list[Gate]) -> None:
    # Else the table above would test nothing but itself.
    one, two = padded(left, right)
    assert difference(one, two) < NUMERICALLY_EQUAL


def difference(one: Circuit, two: Circuit, points: int = 8) -> float:
    rng = np.random.default_rng(3)
    x = torch.tensor(rng.uniform(-3, 3, (points, one.n_features)))
    theta = torch.tensor(rng.uniform(-3, 3, (points, one.n_parameters)))
    return float(torch.max(torch.abs(expectations(one, x, theta) - expectations(two, x, theta))))


# --- what is measured --------------------------------------------------------------------------


def measured(gates: list[Gate], *terms: tuple[float, dict[int, str]]) -> Circuit:
    return Circuit(2, tuple(gates), (Observable.of(terms),), 2, 1)


def test_a_final_turn_about_the_measured_axis_changes_nothing() -> None:
    # A comparison of unitaries calls these two different.
    gates = [H0, g("RX", 0, angle=A)]
    with_turn = [*gates, g("RZ", 0, angle=B)]
    assert identical(measured(gates, (1.0, {0: "Z"})), measured(with_turn, (1.0, {0: "Z"})))
    assert not identical(measured(gates, (1.0, {0: "Y"})), measured(with_turn, (1.0, {0: "Y"})))


def test_gates_outside_the_light_cone_change_nothing() -> None:
    gates = [RX_A, CNOT]
    more = [*gates, g("RY", 1, angle=B), g("H", 1)]
    assert identical(measured(gates, (1.0, {0: "Z"})), measured(more, (1.0, {0: "Z"})))
    assert not identical(measured(gates, (1.0, {1: "Z"})), measured(more, (1.0, {1: "Z"})))


def test_an_observable_may_be_moved_through_the_circuit() -> None:
    assert identical(measured([RX_A, CNOT], (1.0, {1: "Z"})), measured([RX_A], (1.0, {0: "Z"})))
    assert identical(measured([RX_A, H0], (0.3, {0: "Z"})), measured([RX_A], (0.3, {0: "X"})))


def test_coefficients_count() -> None:
    one = measured([RX_A], (0.5, {0: "Z"}), (0.25, {}))
    assert identical(one, measured([RX_A], (0.25, {}), (0.5, {0: "Z"})))
    assert not identical(one, measured([RX_A], (0.5, {0: "Z"}), (0.25 + 1e-12, {})))
    assert not identical(one, measured([RX_A], (-0.5, {0: "Z"}), (0.25, {})))


def test_outputs_are_compared_one_by_one_and_in_order() -> None:
    z, x = Observable.of([(1.0, {0: "Z"})]), Observable.of([(1.0, {0: "Y"})])
    one = Circuit(1, (RX_A,), (z, x), 1, 0)
    assert identical(one, one)
    assert not identical(one, dataclasses.replace(one, observables=(x, z)))
    assert not identical(one, dataclasses.replace(one, observables=(z,)))


def test_matrices_of_floats_are_refused() -> None:
    matrix = ((0j, 1 + 0j), (1 + 0j, 0j))
    with pytest.raises(UnsupportedCircuitError, match="no exact form"):
        identical(measured([g("X", 0)], (1.0, {0: "Z"})), measured(
            [Gate("Unitary", (0,), matrix=matrix)], (1.0, {0: "Z"})))  # fmt: skip


def test_many_denominators_of_pi_leave_room_for_a_prime() -> None:
    # Roots of unity of order 8 * 10007 * 10009 * ... need a prime beyond 64 bits.
    gates = [g("RX", 0, angle=PI / q) for q in (10007, 10009, 10037, 10039, 10061)]
    total = g("RX", 0, angle=sum((gate.angle for gate in gates), start=Angle()))
    one, two = measured(gates, (1.0, {0: "Z"})), measured([total], (1.0, {0: "Z"}))
    assert identical(one, two)
    assert not identical(one, measured(gates[:-1], (1.0, {0: "Z"})))


@pytest.mark.parametrize("seed", range(5))
def test_a_long_circuit_equals_itself_and_not_itself_with_one_constant_moved(seed: int) -> None:
    circuit = random_circuit(np.random.default_rng(seed), n_wires=2, layers=25)
    assert identical(circuit, circuit, seed=seed)
    index = next(i for i, gate in enumerate(circuit.gates) if gate.name == "RX" and gate.angle)
    moved = with_gate(circuit, index, angle=circuit.gates[index].angle + 1e-9)
    assert not identical(circuit, moved, seed=seed)


# --- random mutants ----------------------------------------------------------------------------


def with_gate(circuit: Circuit, index: int, **changes: object) -> Circuit:
    gates = list(circuit.gates)
    gates[index] = dataclasses.replace(gates[index], **changes)
    return dataclasses.replace(circuit, gates=tuple(gates))


def rewritten(gate: Gate) -> list[Gate]:
    """Other gates with the same meaning."""
    wires = gate.wires
    if gate.name in {"RX", "RY", "RZ"}:
        return [dataclasses.replace(gate, angle=gate.angle * Fraction(1, 3))] * 3
    if gate.name == "PhaseShift":
        return [Gate("RZ", wires, gate.angle)]
    if gate.name == "PauliRot":
        return [Gate("PauliRot", wires[::-1], gate.angle, gate.word[::-1])]
    if gate.name == "CNOT":
        return [Gate("H", wires[1:]), Gate("CZ", wires), Gate("H", wires[1:])]
    if gate.name == "CRZ":
        half = Gate("RZ", wires[1:], gate.angle / 2)
        cnot = Gate("CNOT", wires)
        return [half, cnot, dataclasses.replace(half, angle=-half.angle), cnot]
    return [gate, Gate("X", wires[:1]), Gate("X", wires[:1])]


def mutant(circuit: Circuit, rng: np.random.Generator) -> Circuit:
    """One random change: half of the kinds keep the meaning, some do so by chance."""
    gates = list(circuit.gates)
    index = int(rng.integers(len(gates)))
    gate, kind = gates[index], int(rng.integers(7))
    if kind <= 1:
        gates[index : index + 1] = rewritten(gate)
    elif kind == 2 and gate.angle is not None:
        gates[index] = dataclasses.replace(gate, angle=gate.angle + float(rng.choice([0.1, -1.5])))
    elif kind == 3 and gate.angle is not None:
        gates[index] = dataclasses.replace(gate, angle=-gate.angle)
    elif kind == 4 and index + 1 < len(gates):
        gates[index], gates[index + 1] = gates[index + 1], gates[index]
    elif kind == 5:
        del gates[index]
    else:
        turn = Gate("RZ", (int(rng.integers(circuit.n_wires)),), feature(0) * 2)
        gates.insert(int(rng.choice([0, len(gates)])), turn)
    return dataclasses.replace(circuit, gates=tuple(gates))


def test_verdicts_on_random_mutants_agree_with_the_numbers() -> None:
    rng = np.random.default_rng(17)
    verdicts = []
    for trial in range(MUTANTS):
        circuit = random_circuit(rng, n_wires=1 + trial % 3, layers=1 + trial % 2)
        other = mutant(circuit, rng)
        gap = difference(circuit, other)
        assert gap < NUMERICALLY_EQUAL or gap > NUMERICALLY_DIFFERENT, "no clear reference"
        same = identical(circuit, other, seed=trial)
        assert same == (gap < NUMERICALLY_EQUAL), (trial, circuit, other)
        verdicts.append(same)
    # Both answers occur often enough to mean something.
    assert MUTANTS / 5 < sum(verdicts) < 4 * MUTANTS / 5
