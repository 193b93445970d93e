"""The ring of trigonometric polynomials with balls, and circuits in it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from flint import acb, arb, ctx

from qrun_equiv.angle import PI, Angle, as_float, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import FormalError
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations
from qrun_equiv.trigonometric import (
    BITS,
    Trigonometric,
    TrigonometricPolynomial,
    ball,
    difference,
    of_circuit,
    precise,
    slopes,
)

ROUNDING = 1e-12  # float64 references, sums of some hundred terms of order one
TIGHT = 2.0 ** (20 - BITS)  # a ball after a few thousand operations on numbers of order one
X0, X1 = feature(0), feature(1)


def values(polynomials, x):
    """Values ``[points, outputs]`` in float64, after a check that the enclosures are tight."""
    columns = [p.enclosures(x) for p in polynomials.ravel()]
    assert all(float(v.rad()) < TIGHT for column in columns for v in column)
    return np.array([[float(v.mid()) for v in column] for column in columns]).T


def affine_circuit(rng, n_features):
    """A random circuit whose angles are affine in the features."""
    while True:
        wires, layers = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        circuit = random_circuit(
            rng, n_wires=wires, layers=layers if wires < 3 else 1, n_features=n_features
        )
        if all(g.angle.degree("x") == 1 for g in circuit.encoding_gates()):
            return circuit


@pytest.mark.parametrize("seed", range(25))
def test_random_circuits_against_simulator_and_series(seed):
    rng = np.random.default_rng(seed)
    circuit = affine_circuit(rng, 1 + seed % 2)
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    x = rng.uniform(-4, 4, (30, circuit.n_features))
    before = ctx.prec
    found = values(of_circuit(circuit, theta), x)
    assert ctx.prec == before
    simulated = expectations(circuit, torch.tensor(x), torch.tensor(theta)).numpy()
    assert np.abs(found - simulated).max() < ROUNDING
    assert np.abs(found - fourier_series(circuit, theta)(x)).max() < ROUNDING


@pytest.mark.parametrize("seed", range(6))
def test_frequencies_are_those_of_the_exact_series(seed):
    rng = np.random.default_rng(100 + seed)
    circuit = replace(affine_circuit(rng, 1), observables=(Observable.of([(1.0, {0: "Z"})]),))
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    (found,) = of_circuit(circuit, theta)
    numeric = {
        round(float(ball(slopes(w).get(0, Angle())).mid()), 9): c for w, c in found.terms.items()
    }
    series = fourier_series(circuit, theta)
    for (w,), (c,) in zip(series.frequencies, series.coefficients, strict=True):
        mine = numeric.get(round(abs(w), 9), acb(0))
        mine = complex(float(mine.real), float(mine.imag))
        assert abs((mine if w >= 0 or round(w, 9) == 0 else mine.conjugate()) - c) < ROUNDING


@pytest.mark.parametrize("seed", range(6))
def test_matrices_of_floats_and_clifford_gates(seed):
    rng = np.random.default_rng(seed)
    k = 1 + seed % 3

    def unitary(wires):
        matrix, _ = np.linalg.qr(
            rng.normal(size=(2**wires,) * 2) + 1j * rng.normal(size=(2**wires,) * 2)
        )
        return tuple(map(tuple, matrix.tolist()))

    wires = tuple(int(w) for w in rng.permutation(3)[:k])
    gates = (
        Gate("RY", (0,), X0),
        Gate("Unitary", wires, matrix=unitary(k)),
        *(Gate(name, (int(rng.integers(3)),)) for name in "HSTXYZ"),
        *(Gate(n, tuple(map(int, rng.permutation(3)[:2]))) for n in ("CNOT", "CZ", "SWAP")),
        Gate("CRX", (2, 1), X0 * 2 + 1),
        Gate("Unitary", (1,), matrix=unitary(1)),
        Gate("PauliRot", (2, 0, 1), X0 - 3, word="XYZ"),
    )
    observables = tuple(
        Observable.of([(0.5, {w: p}), (1.0, {0: "Z", 2: "X"})]) for w, p in enumerate("XYZ")
    )
    circuit = Circuit(3, gates, observables, 1, 0)
    x = rng.uniform(-4, 4, (20, 1))
    simulated = expectations(circuit, torch.tensor(x), torch.zeros(0)).numpy()
    assert np.abs(values(of_circuit(circuit, []), x) - simulated).max() < ROUNDING


def test_four_wire_matrix():
    rng = np.random.default_rng(4)
    matrix, _ = np.linalg.qr(rng.normal(size=(16, 16)) + 1j * rng.normal(size=(16, 16)))
    gates = (Gate("Unitary", (2, 0, 3, 1), matrix=tuple(map(tuple, matrix.tolist()))),)
    circuit = Circuit(4, gates, (Observable.of([(1.0, {0: "X", 3: "Y"}), (1.0, {1: "Z"})]),), 0, 0)
    simulated = expectations(circuit, torch.zeros(1, 0), torch.zeros(0)).numpy()
    assert np.abs(values(of_circuit(circuit, []), np.zeros((1, 0))) - simulated).max() < ROUNDING


def test_exact_where_exact():
    """H T H gives cos(pi/4) to the full precision; RX at pi/2 gives an exact zero."""
    gates = (Gate("H", (0,)), Gate("T", (0,)), Gate("H", (0,)))
    (eighth,) = of_circuit(Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 0, 0), [])
    with precise():
        square = eighth.terms[Angle()].real ** 2
        assert (square - arb(0.5)).contains(0)
        assert float((square - arb(0.5)).rad()) < TIGHT
    quarter = Circuit(
        1, (Gate("RX", (0,), parameter(0)),), (Observable.of([(1.0, {0: "Z"})]),), 0, 1
    )
    assert of_circuit(quarter, [math.pi / 2])[0].terms == {}


def test_parameters_are_read_as_exact_constants():
    gates = (Gate("RX", (0,), parameter(0) * X0), Gate("RX", (0,), X0 * PI + parameter(1)))
    circuit = Circuit(1, gates, (Observable.of([(0.1, {0: "Z"})]),), 1, 2)
    (found,) = of_circuit(circuit, [0.1, 0.7])
    # The two turns are about one axis, so the difference of the scales cancels up to a tiny ball.
    large = {w for w, c in found.terms.items() if float(c.abs_upper()) > TIGHT}
    assert large == {X0 * Fraction(1, 10) + X0 * PI}
    with precise():
        expected = arb(7) / 10
        assert found.terms[X0 * Fraction(1, 10) + X0 * PI].overlaps(
            acb(expected.cos(), expected.sin()) / 20
        )


# --- the algebra ---------------------------------------------------------------------------------


def run(code, n_features=2, **options):
    """``code(algebra, x)`` as polynomials."""
    algebra = Trigonometric(**options)
    return algebra.polynomials(code(algebra, algebra.features(n_features)))


@pytest.mark.parametrize("seed", range(20))
def test_array_operations_against_numpy(seed):
    rng = np.random.default_rng(seed)
    weight, offset = rng.normal(size=(2, 3)), rng.normal(size=3)
    mix, cube = rng.normal(size=(3, 4)), rng.normal(size=(2, 4, 3))
    points = rng.uniform(-3, 3, (7, 2))

    def code(algebra, x):
        phase = algebra.add(algebra.matmul(x, algebra.constant(weight)), algebra.constant(offset))
        waves = algebra.join(
            [algebra.function("cos", phase), algebra.negative(algebra.function("sin", phase))],
            np.stack,
        )  # [2, 3]
        mixed = algebra.matmul(waves, algebra.constant(mix))  # [2, 4]
        turned = algebra.rearrange(mixed, lambda a: a.T)  # [4, 2]
        product = algebra.matmul(algebra.constant(cube), mixed[None, 0, :3, None])  # [2, 4, 1]
        squares = algebra.multiply(turned, algebra.rearrange(product, lambda a: a[..., 0].T))
        inner = algebra.matmul(squares[0], squares[1])
        return algebra.add(algebra.total(squares, (0,)), inner)

    def reference(x):
        phase = x @ weight + offset
        mixed = np.stack([np.cos(phase), -np.sin(phase)]) @ mix
        squares = mixed.T * (cube @ mixed[None, 0, :3, None])[..., 0].T
        return squares.sum(axis=0) + squares[0] @ squares[1]

    expected = np.array([reference(p) for p in points])
    scale = 1 + np.abs(expected).max()
    columns = [p.enclosures(points) for p in run(code)]
    found = np.array([[float(v.mid()) for v in c] for c in columns]).T
    assert np.abs(found - expected).max() < ROUNDING * scale
    assert max(float(v.rad()) for c in columns for v in c) < TIGHT * scale


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3,), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3,)),
        ((5, 2, 3), (3, 4)),
        ((5, 1, 2, 3), (4, 3, 1)),
        ((3,), (5, 3, 2)),
    ],
)
def test_matmul_has_numpys_shapes(left, right):
    rng = np.random.default_rng(0)
    a, b = rng.integers(-3, 4, left).astype(float), rng.integers(-3, 4, right).astype(float)
    algebra = Trigonometric()
    found = algebra.matmul(algebra.constant(a), algebra.constant(b))
    assert algebra.shape(found) == (a @ b).shape
    assert [as_float(n.angle) for n in found.ravel()] == np.ravel(a @ b).tolist()


def test_sums_of_exact_constants_are_exact():
    algebra = Trigonometric()
    row, column = np.array([math.pi, 1 / 3, 0.1, math.pi**2]), np.array([2.0, 3.0, 0.2, 1.0])
    found = algebra.matmul(algebra.constant(row), algebra.constant(column))[()].angle
    assert found == PI * 2 + PI * PI + Fraction(51, 50)
    assert float(ball(found).mid()) == pytest.approx(row @ column, rel=1e-15)


def test_scales_stay_exact():
    """x / 3, 0.1 x and sqrt(4) x keep rational frequencies; sin^2 + cos^2 is 1."""

    def code(algebra, x):
        third = algebra.function("reciprocal", algebra.constant(np.array([3.0])))
        two = algebra.function("sqrt", algebra.constant(np.array([4.0])))
        scales = algebra.join([third, algebra.constant(np.array([0.1])), two], np.concatenate)
        return algebra.function("cos", algebra.multiply(scales, x))

    assert [set(p.terms) for p in run(code, 1)] == [
        {X0 * Fraction(1, 3)},
        {X0 * Fraction(1, 10)},
        {X0 * 2},
    ]

    def one(algebra, x):
        squares = [algebra.multiply(v, v) for v in (algebra.function(n, x) for n in ("cos", "sin"))]
        return algebra.add(*squares)

    (found,) = run(one, 1)
    assert found.terms[Angle()].real.contains(1)
    assert all(float(c.abs_upper()) < TIGHT for w, c in found.terms.items() if w.terms)


def test_constants_may_go_through_any_known_function():
    names = [
        "tanh",
        "exp",
        "sigmoid",
        "erf",
        "abs",
        "relu",
        "log1p",
        "atan",
        "rsqrt",
        "sinc",
        "arccos",
    ]

    def code(algebra, x):
        return algebra.join(
            [
                algebra.function(
                    "cos", algebra.add(x, algebra.function(n, algebra.constant(np.array([0.3]))))
                )
                for n in names
            ],
            np.concatenate,
        )

    points = np.linspace(-2, 2, 5)[:, None]
    names.append("silu")
    at = torch.tensor(0.3, dtype=torch.float64)
    shifts = [getattr(torch, n, torch.nn.functional.silu)(at) for n in names]
    expected = np.stack([np.cos(points[:, 0] + float(s)) for s in shifts], axis=1)
    assert np.abs(values(run(code, 1), points) - expected).max() < ROUNDING


def test_an_overlong_constant_becomes_a_ball():
    algebra = Trigonometric()
    power = algebra.constant(np.array([0.7312348923741]))
    for _ in range(8):
        power = algebra.multiply(power, power)
    (found,) = algebra.polynomials(power)
    assert power[0].series
    assert float(found.terms[Angle()].real.mid()) == pytest.approx(0.7312348923741**256, rel=1e-10)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda a, x: a.multiply(x, a.function("cos", x)), "feature outside cos and sin times"),
        (lambda a, x: a.function("cos", a.multiply(x[:1], x[1:])), "not affine in the features"),
        (lambda a, x: a.function("sin", a.multiply(x, x)), "not affine in the features"),
        (lambda a, x: a.function("cos", a.function("cos", x)), "cos of .* is no angle"),
        (lambda a, x: a.function("tanh", x), "tanh of x0"),
        (lambda a, x: a.function("exp", a.function("sin", x)), "exp of a series"),
        (lambda a, x: a.function("gelu", x), "'gelu'"),
        (
            lambda a, x: a.function("reciprocal", a.constant(np.zeros(1))),
            "reciprocal of the constant 0",
        ),
        (lambda a, x: a.function("log", a.constant(-np.ones(1))), "log of the constant"),
        (lambda a, x: a.constant(np.array([np.nan])), "must be finite"),
        (lambda a, x: a.add(x, a.function("cos", x)), "an output is x0 .*outside cos and sin"),
        (
            lambda a, x: a.function(
                "cos", a.multiply(x, a.function("exp", a.constant(np.ones(2))))
            ),
            "not an exact constant",
        ),
    ],
)
def test_what_leaves_the_ring_is_refused(code, message):
    with pytest.raises(FormalError, match=message):
        run(code)


def test_the_budget_is_named():
    def code(algebra, x):
        product = algebra.function("cos", x)
        for _ in range(8):
            product = algebra.multiply(product, product)
        return product

    assert len(run(code)[0].terms) == 129
    with pytest.raises(FormalError, match="budget=1000 products"):
        run(code, budget=1000)
    circuit = Circuit(5, (), (Observable.of([(1.0, {0: "Z"})]),), 0, 0)
    with pytest.raises(FormalError, match="4\\*\\*5 Pauli words"):
        of_circuit(circuit, [], budget=1000)


def test_bad_arguments():
    circuit = Circuit(
        1, (Gate("RX", (0,), parameter(0)),), (Observable.of([(1.0, {0: "Z"})]),), 0, 1
    )
    with pytest.raises(FormalError, match=r"1 parameter\(s\), got 2"):
        of_circuit(circuit, [0.1, 0.2])
    with pytest.raises(FormalError, match="same shape"):
        difference(of_circuit(circuit, [0.1]), np.empty((2,), dtype=object))
    with pytest.raises(FormalError, match="not constant"):
        ball(X0)


def test_difference_drops_what_cancels_exactly():
    left = np.array([TrigonometricPolynomial({X0: acb(1), X1: acb(2)})], dtype=object)
    right = np.array([TrigonometricPolynomial({X0: acb(1), X0 * 2: acb(0, 3)})], dtype=object)
    (found,) = difference(left, right)
    assert found.terms == {X1: acb(2), X0 * 2: acb(0, -3)}
