"""Frequency sets: hand-computed cases, all paths by brute force, cancellations, periods, errors."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qrun_equiv import exact, fourier
from qrun_equiv.angle import PI, Angle, Symbol, feature, parameter
from qrun_equiv.circuit import GATES, Circuit, Gate, Observable
from qrun_equiv.errors import SpectrumError
from qrun_equiv.field import Field
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations, fixed_matrix, gate_matrix
from qrun_equiv.spectra import effective as effective_module
from qrun_equiv.spectra.frequencies import FrequencySet, Period, frequencies
from qrun_equiv.spectra.heisenberg import plan, rotations, words
from qrun_equiv.spectra.keys import count, directions, keys_of

X, Y = feature(0), feature(1)
A, B = parameter(0), parameter(1)
Z0 = Observable.of([(1.0, {0: "Z"})])
X0 = Observable.of([(1.0, {0: "X"})])


def circuit(*gates, wires=1, observables=(Z0,), features=1, parameters=2):
    return Circuit(wires, gates, tuple(observables), features, parameters)


def one(name, angle, *wires):
    return Gate(name, wires or (0,), angle)


def effective_texts(found: FrequencySet, output=None):
    return {str(w[0]) for w in found.of("effective", output)}


def brute_force(neutral, features, rng):
    """Coefficients at a random point, by giving each encoding gate an angle of its own.

    The outputs are sampled on the grid of all these angles and transformed, one entry a path; the
    paths of one frequency are added up. Knows nothing of Pauli words or fields.
    """
    theta = rng.uniform(-3, 3, neutral.n_parameters)
    x = rng.uniform(-0.9, 0.9, neutral.n_features)
    chosen = {Symbol("x", i): Angle() for i in features}
    gates, slopes, degrees = [], [], []
    for gate in neutral.gates:
        angle = gate.angle
        if angle is not None and angle.symbols() & set(chosen):
            own = parameter(neutral.n_parameters + len(slopes))
            gates.append(Gate(gate.name, gate.wires, angle.replace(chosen) + own, gate.word))
            slopes.append(tuple(angle.derivative(s) for s in chosen))
            degrees.append(2 if GATES[gate.name].controlled else 1)
        else:
            gates.append(gate)
    lifted = Circuit(
        neutral.n_wires, tuple(gates), neutral.observables, neutral.n_features,
        neutral.n_parameters + len(slopes),
    )  # fmt: skip
    axes = [2 * math.pi * d * np.arange(2 * d + 1) / (2 * d + 1) for d in degrees]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    points = np.concatenate([np.tile(theta, (len(grid), 1)), grid], axis=1)
    values = expectations(
        lifted, torch.as_tensor(np.tile(x, (len(grid), 1))), torch.as_tensor(points)
    )
    shape = [2 * d + 1 for d in degrees]
    tensor = np.fft.fftn(values.numpy().reshape(*shape, -1), axes=range(len(shape))) / len(grid)
    total = {}
    for index in itertools.product(*(range(-d, d + 1) for d in degrees)):
        frequency = tuple(
            sum((s[k] * Fraction(n, d) for n, s, d in zip(index, slopes, degrees, strict=True)),
                start=Angle())
            for k in range(len(features))
        )  # fmt: skip
        total[frequency] = total.get(frequency, 0) + tensor[index]
    return total


# --- by hand ---


@pytest.mark.parametrize(
    ("gates", "accessible", "effective", "degeneracy"),
    [
        ([one("RX", X)], "-1 0 1", "-1 1", (1, 2, 1)),
        ([one("RX", X), one("RX", -X)], "-2 -1 0 1 2", "0", (1, 4, 6, 4, 1)),
        # sin^2 x + cos^2 x cos a
        ([one("RX", X), one("RY", A), one("RX", -X)], "-2 -1 0 1 2", "-2 0 2", (1, 4, 6, 4, 1)),
        ([Gate("H", (0,)), one("RZ", X), Gate("H", (0,))], "-1 0 1", "-1 1", (1, 2, 1)),
        ([one("RZ", X), one("RX", A)], "-1 0 1", "0", (1, 2, 1)),
        ([one("RX", X), one("RX", 2 * X)], "-3 -2 -1 0 1 2 3", "-3 3", (1, 2, 3, 4, 3, 2, 1)),
        ([one("RY", X / 3), Gate("T", (0,)), Gate("S", (0,))], "-1/3 0 1/3", "-1/3 1/3", (1, 2, 1)),
        # cos x cos a: the angle's constant part only shifts phases
        ([one("RX", X + 1.5), one("RY", A)], "-1 0 1", "-1 1", (1, 2, 1)),
    ],
)
def test_hand_computed(gates, accessible, effective, degeneracy):
    found = frequencies(circuit(*gates))
    assert [str(w[0]) for w in found.accessible] == accessible.split()
    assert effective_texts(found) == set(effective.split())
    assert found.degeneracy == degeneracy
    assert found.failure < 1e-23


def test_superposed_wire_that_z_rotations_do_not_move():
    found = frequencies(circuit(one("RZ", X), Gate("H", (0,)), one("RZ", X), observables=[X0, Z0]))
    assert effective_texts(found, 0) == {"-1", "1"}  # cos x: the first RZ acts on |0>
    assert found.of("effective", 1) == ()


def test_controlled_rotation_has_half_frequencies():
    gates = [Gate("H", (0,)), one("CRX", X, 0, 1)]
    z1 = Observable.of([(1.0, {1: "Z"})])
    found = frequencies(circuit(*gates, wires=2, observables=[z1, X0]))
    assert [str(w[0]) for w in found.accessible] == ["-1", "-1/2", "0", "1/2", "1"]
    assert found.degeneracy == (1, 4, 6, 4, 1)
    assert effective_texts(found, 0) == {"-1", "0", "1"}  # (1 + cos x) / 2
    assert effective_texts(found, 1) == {"-1/2", "1/2"}  # cos(x/2)


def test_feature_outside_the_light_cone():
    gates = [one("RX", X), one("RY", Y, 1), Gate("CNOT", (1, 2))]
    found = frequencies(circuit(*gates, wires=3, features=2), [1])
    assert effective_texts(found) == {"0"}
    joint = frequencies(circuit(*gates, wires=3, features=2))
    assert len(joint.accessible) == 9
    assert {tuple(map(str, w)) for w in joint.of("effective")} == {("1", "0"), ("-1", "0")}


def test_cancellation_between_terms_of_the_observable():
    tilt = Gate("RY", (0,), PI / 3)  # <Z0> = 1/2
    o = Observable.of([(1.0, {0: "Z", 1: "Z"}), (-0.5, {1: "Z"})])
    found = frequencies(circuit(tilt, one("RX", X, 1), wires=2, observables=[o]))
    assert found.of("effective") == ()
    o = Observable.of([(1.0, {0: "Z", 1: "Z"}), (-0.5000000001, {1: "Z"})])
    found = frequencies(circuit(tilt, one("RX", X, 1), wires=2, observables=[o]))
    assert effective_texts(found) == {"-1", "1"}


def test_what_floats_can_not_see_is_effective():
    found = frequencies(circuit(one("RY", Angle.constant(1e-200)), one("RZ", X), observables=[X0]))
    assert effective_texts(found) == {"-1", "1"}  # sin(1e-200) cos x


def test_trained_scales_keep_exact_keys():
    gates = [one("RX", A * X), one("RY", B), one("RX", A * X + X * Fraction(1, 2))]
    found = frequencies(circuit(*gates))
    assert set(found.accessible) == set(fourier.accessible(circuit(*gates)))
    assert "2*theta0 + 1/2" in effective_texts(found)
    np.testing.assert_allclose(found.largest([0.25, 0.0]), [1.0])
    with pytest.raises(SpectrumError, match="pass theta"):
        found.values()
    with pytest.raises(SpectrumError, match="theta0 is nan"):
        found.values([math.nan, 0.0])


def test_product_of_features_with_one_held_fixed():
    found = frequencies(circuit(one("RX", X * Y), features=2), [0])
    assert [str(w[0]) for w in found.accessible] == ["-x1", "0", "x1"]
    np.testing.assert_allclose(found.values(x=[0.0, 0.7])[:, 0], [-0.7, 0.0, 0.7])
    with pytest.raises(SpectrumError, match="x1: pass x"):
        found.values()
    with pytest.raises(SpectrumError, match="no Fourier series in x0, x1"):
        frequencies(circuit(one("RX", X * Y), features=2))


def test_fixed_feature_inside_an_arccos():
    gates = [one("RY", Y.arccos()), one("RX", X), one("RY", -Y.arccos())]
    found = frequencies(circuit(*gates, features=2), [0])
    assert effective_texts(found) == {"-1", "0", "1"}
    found = frequencies(circuit(one("RX", X), one("RX", Y.arccos()), features=2), [0])
    assert effective_texts(found) == {"-1", "1"}
    with pytest.raises(SpectrumError, match="arccos"):
        frequencies(circuit(*gates, features=2), [1])


# --- against other ways ---


@pytest.mark.parametrize("features", [[0], [1], [0, 1]])
def test_against_all_paths_by_brute_force(features):
    compared = vanishing = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        neutral = random_circuit(rng, n_wires=1 + seed % 3, layers=2 if seed % 3 < 2 else 1)
        read = {i for g in neutral.encoding_gates() for i in g.angle.features()}
        product = any(len(g.angle.features()) > 1 for g in neutral.encoding_gates())
        if not set(features) <= read or (product and len(features) > 1):
            continue
        found = frequencies(neutral, features)
        points = [brute_force(neutral, features, rng) for _ in range(3)]
        assert set(found.accessible) == set(points[0])
        for w, marks in zip(found.accessible, found.effective, strict=True):
            sizes = np.max([np.abs(np.atleast_1d(p[w])) for p in points], axis=0)
            np.testing.assert_array_equal(sizes > 1e-11, marks, err_msg=f"{seed}: {w}")
            vanishing += marks.count(False)
        compared += 1
    assert compared >= 8
    assert vanishing >= 50


@pytest.mark.parametrize("bits", [20, 62])
def test_series_over_a_field_is_the_circuit(bits):
    """The sum of all ``c_w exp(i w . x)`` is what the state vector gives, exactly."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        fixed = [Gate("S", (0,)), Gate("T", (0,)), Gate("H", (0,)), one("RY", PI / 2),
                 one("RX", PI / -2), one("RY", PI / 4), one("RX", PI)]  # fmt: skip
        gates = [*random_layers(rng, 2, 3), *(fixed[k] for k in rng.permutation(len(fixed)))]
        gates += [one("CRY", X * A + B, 1, 0), *random_layers(rng, 2, 1)]
        gates += [Gate("PauliRot", (0, 1), X + A, "".join(rng.choice(list("XYZ"), 2)))]
        word = {w: str(rng.choice(list("XYZ"))) for w in range(2)}
        observable = Observable.of([(0.75, word), (-2.0, {0: "Y"})])
        neutral = circuit(*gates, wires=2, parameters=40, observables=[observable])
        found = directions(neutral, [0])
        space = keys_of(found, 1)
        keys = list(count(found, space, 1000))
        turns = rotations(neutral, [0], space)
        drawn = Field.random(rng, order=16, bits=bits)
        steps = effective_module.shifts(keys, {t.step for t in turns if t.step})
        path = plan(turns, observable, len(keys))
        coefficients = effective_module.coefficients(path, drawn, steps, len(keys))
        phases = [drawn.turn(space.frequency(key)[0] * X) for key in keys]
        total = sum(int(c) * z for c, z in zip(coefficients, phases, strict=True)) % drawn.prime
        assert [total] == exact.evaluate(neutral, drawn)


def test_small_and_large_fields_agree(monkeypatch):
    rng = np.random.default_rng(5)
    for _ in range(4):
        gates = random_layers(rng, 3, 3)
        neutral = circuit(*gates, wires=3, parameters=len(gates))
        small = frequencies(neutral)
        with monkeypatch.context() as patch:
            patch.setattr(effective_module, "_SMALL_CHANCE", 2.0**-40)
            large = frequencies(neutral, seed=9)
        assert small.effective == large.effective
        assert max(small.failure, large.failure) < 1e-23


def random_layers(rng, wires, layers):
    gates = []
    for _ in range(layers):
        for w in range(wires):
            gates.append(one(str(rng.choice(["RX", "RY", "RZ"])), parameter(len(gates)), w))
            gates.append(one(str(rng.choice(["RX", "RZ"])), X, w))
        gates.append(Gate("CNOT", tuple(int(v) for v in rng.permutation(wires)[:2])))
    return gates


@pytest.mark.parametrize("name", [n for n, s in GATES.items() if not s.gaps and n != "Unitary"])
def test_fixed_gates_as_rotations(name):
    gate = Gate(name, tuple(range(2 if name in {"CNOT", "CZ", "SWAP"} else 1)))
    matrix = np.eye(2 ** len(gate.wires))
    for word, angle in words(gate):
        letters = [(w, p) for w, p in zip(gate.wires, word, strict=True) if p != "I"]
        turn = Gate("PauliRot", tuple(w for w, _ in letters), angle, "".join(p for _, p in letters))
        small = gate_matrix(turn, float(angle.evaluate(np.zeros(0), np.zeros(0)))).numpy()
        if len(gate.wires) == 2 and len(letters) == 1:
            small = np.kron(small, np.eye(2)) if letters[0][0] == 0 else np.kron(np.eye(2), small)
        matrix = small @ matrix
    overlap = np.trace(matrix.conj().T @ fixed_matrix(gate)) / len(matrix)
    assert abs(overlap) == pytest.approx(1.0, abs=1e-12)


scales = st.lists(
    st.tuples(
        st.sampled_from([Fraction(1), Fraction(2), Fraction(-1), Fraction(1, 3), Fraction(-3, 2)]),
        st.sampled_from([Angle.constant(1), PI, A]),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(scales)
def test_degeneracies_count_pairs_of_eigenvalues(drawn):
    gates, spectra = [], []
    for q, unit, controlled in drawn:
        gates.append(one("CRY", X * unit * q, 0, 1) if controlled else one("RX", X * unit * q))
        half = Fraction(1, 2)
        spectra.append([(unit * q) * e for e in ([0, 0, half, -half] if controlled
                                                 else [half, -half])])  # fmt: skip
    found = frequencies(circuit(*gates, wires=2))
    sums = Counter({Angle(): 1})
    for spectrum in spectra:
        grown = Counter()
        for (w, ways), a, b in itertools.product(sums.items(), spectrum, spectrum):
            grown[w + a - b] += ways
        sums = grown
    assert dict(zip([w[0] for w in found.accessible], found.degeneracy, strict=True)) == sums
    assert sum(found.degeneracy) == math.prod(len(s) ** 2 for s in spectra)
    assert [w[0] for w in found.accessible] == [-w[0] for w in found.accessible[::-1]]
    assert set(found.accessible) == set(fourier.accessible(circuit(*gates, wires=2)))
    marks = list(found.effective)
    assert marks == marks[::-1]  # c(-w) is the conjugate of c(w)


# --- mutants: a changed circuit changes the set ---


@pytest.mark.parametrize(
    ("mutant", "effective"),
    [
        ([one("RX", X), one("RX", X)], "-2 2"),  # a sign
        ([one("RX", X)], "-1 1"),  # a gate dropped
        ([one("RX", X), one("RX", -2 * X)], "-1 1"),  # a factor 2
        ([one("RX", X), one("RY", -X)], "-2 0 2"),  # another axis
        ([one("RX", X), one("RX", -X - A)], "0"),  # a phase moves no frequency
    ],
)
def test_mutants_of_a_cancellation(mutant, effective):
    original = frequencies(circuit(one("RX", X), one("RX", -X)))
    assert effective_texts(original) == {"0"}
    assert effective_texts(frequencies(circuit(*mutant))) == set(effective.split())


# --- what is computed from the set ---


def test_values_largest_and_gaps_of_commensurate_scales():
    gates = [one("RX", X * 0.1), one("RY", A), one("RX", X * 0.2), one("RY", B), one("RX", X * 0.3)]
    found = frequencies(circuit(*gates))
    assert len(found.accessible) == 13  # floats give 21
    np.testing.assert_allclose(found.values()[:, 0], np.arange(-6, 7) / 10)
    np.testing.assert_allclose(found.largest(), [0.6])
    np.testing.assert_allclose(found.gaps()[0], [0.1])
    assert found.period() == (Period(Angle.constant(Fraction(1, 10))),)
    assert found.period()[0].length() == pytest.approx(20 * math.pi)
    assert "period 20*pi" in found.describe()


@pytest.mark.parametrize(
    ("base", "text"),
    [(Angle.constant(2), "pi"), (Angle.constant(Fraction(3, 2)), "4/3*pi"), (PI, "2"),
     (A, "2*pi/(theta0)"), (Angle(), "constant")],
)  # fmt: skip
def test_a_period_is_written_as_a_number_where_it_is_one(base, text):
    assert str(Period(base)) == text


def test_gaps_and_period_of_the_effective_ones():
    found = frequencies(circuit(one("RX", X), one("RY", A), one("RX", -X)))
    np.testing.assert_allclose(found.gaps(kind="effective")[0], [2.0])
    assert found.period(kind="effective")[0].length() == pytest.approx(math.pi)
    assert str(found.period()[0]) == "2*pi"
    constant = frequencies(circuit(one("RX", X), one("RX", -X))).period(kind="effective")[0]
    assert str(constant) == "constant"
    assert constant.length() == math.inf


def test_no_common_period():
    found = frequencies(circuit(one("RX", X), one("RY", A), one("RX", X * PI)))
    assert found.period() == (None,)
    assert "no common period" in found.describe()
    assert "the largest 4.14159" in found.describe()
    np.testing.assert_allclose(found.gaps()[0], [1.0, math.pi - 2])


def test_trained_period_and_scales_that_meet():
    found = frequencies(circuit(one("RX", A * X), one("RY", A * X * 2)))
    assert found.period()[0].length([0.5]) == pytest.approx(4 * math.pi)
    assert "the largest 3*theta0, period 2*pi/(theta0)" in found.describe()
    two = frequencies(circuit(one("RX", A * X), one("RY", B * X)))
    assert two.period() == (None,)
    np.testing.assert_allclose(two.gaps([1.0, 1.0])[0], [1.0])
    np.testing.assert_allclose(two.gaps([1.0, 0.25])[0], [0.25, 0.5])


def test_two_features_have_their_own_periods():
    gates = [one("RX", X / 2), one("RY", Y * PI)]
    found = frequencies(circuit(*gates, features=2))
    assert [p.length() for p in found.period()] == pytest.approx([4 * math.pi, 2.0])
    np.testing.assert_allclose(found.largest(), [0.5, math.pi])
    assert found.values().shape == (9, 2)
    assert found.describe().count("\n") == 2


# --- sizes ---


def test_many_equal_reuploads_are_quick():
    gates = []
    for k in range(400):
        gates += [one("RY", parameter(k)), one("RX", X)]
    start = time.perf_counter()
    found = frequencies(circuit(*gates, parameters=400))
    assert time.perf_counter() - start < 8.0
    assert found.degeneracy == tuple(math.comb(800, k) for k in range(801))
    assert all(marks[0] for marks in found.effective)


def test_ten_million_frequencies_are_refused_at_once():
    gates = [one("RX", X * (0.1 + math.sqrt(k + 2))) for k in range(15)]
    start = time.perf_counter()
    with pytest.raises(SpectrumError, match=r"more than 20,000 .* up to 14,348,907; choose fewer"):
        frequencies(circuit(*gates))
    assert time.perf_counter() - start < 5.0
    many = [one("RX", X * parameter(k)) for k in range(700)]
    with pytest.raises(SpectrumError, match=r"up to 10\^334"):
        frequencies(circuit(*many, parameters=700))


def test_many_wires_outside_the_light_cone_cost_nothing():
    gates = [one("RX", X, w) for w in range(30)] + [Gate("CNOT", (w, w + 1)) for w in range(3, 29)]
    found = frequencies(circuit(*gates, wires=30))
    assert len(found.accessible) == 61
    assert effective_texts(found) == {"-1", "1"}


def test_too_many_pauli_words_are_refused(monkeypatch):
    monkeypatch.setattr("qrun_equiv.spectra.heisenberg._MOST_ENTRIES", 100)
    rng = np.random.default_rng(0)
    with pytest.raises(SpectrumError, match="Pauli words"):
        frequencies(circuit(*random_layers(rng, 3, 4), wires=3, parameters=40))


# --- bad input ---


@pytest.mark.parametrize(
    ("features", "message"),
    [([], "at least one"), ([0, 0], "each of them once"), ([5], "no feature x5"),
     ([-1], "no feature x-1"), ([1], r"no gate reads the feature x1; .*features=\[0\]"),
     (None, "no gate reads the feature x1")],
)  # fmt: skip
def test_bad_features(features, message):
    with pytest.raises(SpectrumError, match=message):
        frequencies(circuit(one("RX", X), features=2), features)


def test_circuit_without_features():
    with pytest.raises(SpectrumError, match="without features"):
        frequencies(circuit(one("RX", A), features=0))


def test_gate_given_by_floats():
    matrix = ((1 + 0j, 0j), (0j, 1 + 0j))
    with pytest.raises(SpectrumError, match="Unitary on wires"):
        frequencies(circuit(Gate("Unitary", (0,), matrix=matrix), one("RX", X)))


def test_unknown_kind_and_output():
    found = frequencies(circuit(one("RX", X)))
    with pytest.raises(SpectrumError, match="accessible"):
        found.of("all")
    with pytest.raises(SpectrumError, match="output 3"):
        found.of("effective", 3)


def test_values_at_scales_that_are_arccosines_complex_or_short():
    gates = (Gate("RX", (0,), feature(0) * feature(1).arccos()),)
    found = frequencies(Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 2, 0), [0])
    assert found.values(x=[0.0, 0.5])[-1, 0] == pytest.approx(math.acos(0.5))
    with pytest.raises(SpectrumError, match=r"x1 in \[-1, 1\]"):
        found.values(x=[0.0, 2.0])
    with pytest.raises(SpectrumError, match="real numbers"):
        found.values(x=[0.0, 0.5j])
    with pytest.raises(SpectrumError, match="too few digits"):
        found.values(x=np.float32([0.0, 0.7]))


def test_gaps_of_scales_far_apart():
    gates = (
        Gate("RX", (0,), feature(0) * 10**6),
        Gate("RY", (0,), feature(0) * Angle.constant(1e-7)),
    )
    found = frequencies(Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0))
    assert found.gaps()[0][0] == pytest.approx(1e-7, rel=1e-2)


def test_floats_of_all_digits_share_no_period():
    scaled = lambda s: Gate("RX", (0,), feature(0) * s)  # noqa: E731
    for scales, periodic in (((1, math.sqrt(2)), False), ((1, 0.3), True), ((1, 1e-3), True)):
        gates = tuple(scaled(s) for s in scales)
        found = frequencies(Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 0))
        assert (found.period()[0] is not None) is periodic
        assert ("no common period" in found.describe()) is not periodic
