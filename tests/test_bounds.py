"""Bounds over all features: never below what is seen, and not far above it."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from flint import acb, arb, ctx, fmpq

from qrun_equiv import bounds
from qrun_equiv.angle import PI, Angle, Symbol, feature
from qrun_equiv.bounds import attained, bernstein, ehlich_zeller, round_down, round_up, sup_bound
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import SpectrumError
from qrun_equiv.trigonometric import (
    Trigonometric,
    TrigonometricPolynomial,
    difference,
    of_circuit,
    precise,
)

ROUNDING = 1e-12  # relative, of the float64 reference: sums of some ten waves
X0, X1 = feature(0), feature(1)


def polynomial(terms):
    """From ``{frequency: complex}``; of each pair of opposite frequencies give either."""
    exact = {}
    for w, c in terms.items():
        flipped = bool(w.terms) and w.terms[0][1] < 0
        exact[-w if flipped else w] = acb(c.real, -c.imag if flipped else c.imag)
    return TrigonometricPolynomial(exact)


def random_polynomial(rng, *, whole):
    """1 to 3 features, degrees 1 to 12, 1 to 20 waves; ``whole`` or unrelated real frequencies."""
    n, degree = int(rng.integers(1, 4)), int(rng.integers(1, 13))
    terms = {}
    for _ in range(int(rng.integers(1, 21))):
        scales = rng.uniform(-degree, degree, n)
        scales = np.rint(scales) if whole else scales
        w = Angle.of({((Symbol("x", j), 1),): Fraction(float(q)) for j, q in enumerate(scales)})
        terms[w] = complex(rng.normal(), rng.normal() if w.terms else 0.0) * 10.0 ** rng.uniform(
            -2, 0
        )
    return polynomial(terms), n


def numeric(p, n):
    """Frequencies ``[waves, n]`` and weights such that the value is ``Re sum weights e^(iwx)``."""
    monomials = [((Symbol("x", j), 1),) for j in range(n)]
    frequencies = [[float(dict(w.terms).get(m, 0)) for m in monomials] for w in p.terms]
    weights = [
        complex(float(c.real), float(c.imag)) * (2 if w.terms else 1) for w, c in p.terms.items()
    ]
    return np.array(frequencies).reshape(-1, n), np.array(weights)


def observed(p, n, x):
    """Largest value and largest partial derivative at the points ``x``, in float64."""
    frequencies, weights = numeric(p, n)
    waves = np.exp(1j * x @ frequencies.T)
    slopes = waves @ (1j * frequencies * weights[:, None])
    return np.abs((waves @ weights).real).max(), np.abs(slopes.real).max()


@lru_cache(maxsize=1)
def campaign():
    """500 random cases: ``(bound, largest value seen, largest slope seen, whole)``."""
    rng = np.random.default_rng(0)
    rows = []
    for k in range(500):
        p, n = random_polynomial(rng, whole=k % 2 == 0)
        span = np.pi if k % 2 == 0 else 300.0
        value, slope = observed(p, n, rng.uniform(-span, span, (2000, n)))
        rows.append((sup_bound(p), value, slope, k % 2 == 0))
    return rows


def test_upper_bounds_hold_on_500_random_cases():
    for bound, value, slope, _ in campaign():
        assert value <= bound.upper * (1 + ROUNDING)
        assert slope <= bound.gradient_upper * (1 + ROUNDING)
        assert bound.radius is None


def test_upper_bounds_are_within_a_factor_of_three_on_average():
    rows = campaign()
    assert np.mean([b.upper / v for b, v, _, _ in rows]) < 1.3
    assert np.mean([b.gradient_upper / s for b, _, s, _ in rows if s > 0]) < 3
    assert max(b.upper / v for b, v, _, _ in rows) < 3


def test_lower_bounds_on_500_random_cases():
    rows = campaign()
    assert all(0 < b.lower <= b.upper for b, _, _, _ in rows)
    assert np.mean([b.lower / b.upper for b, _, _, _ in rows]) > 0.85
    assert sum(b.points > 0 for b, _, _, whole in rows if whole) > 200


def test_lower_bound_against_a_fine_grid():
    """One feature, whole degrees: 4096 points find the supremum to ``cos(12 pi/4096)``."""
    rng = np.random.default_rng(1)
    grid = (2 * np.pi * np.arange(4096) / 4096)[:, None]
    cases = [p for p, n in (random_polynomial(rng, whole=True) for _ in range(150)) if n == 1]
    assert len(cases) > 30
    for p in cases:
        seen, _ = observed(p, 1, grid)
        bound = sup_bound(p)
        assert bound.lower <= seen / math.cos(math.pi * 12 / 4096) * (1 + ROUNDING)
        assert bound.upper <= seen * 1.02 * (1 + ROUNDING)  # 16 points a degree: 1/cos(pi/16)


# --- the parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("degree", [1, 3, 12])
def test_ehlich_zeller_is_attained_at_four_points_a_degree(degree):
    x = 2 * np.pi * np.arange(4 * degree) / (4 * degree)
    assert ehlich_zeller(np.cos(degree * x - np.pi / 4), [degree]) == pytest.approx(1, abs=1e-14)
    one = np.ones((4 * degree, 8 * degree))
    expected = math.sqrt(2) / math.cos(math.pi / 8)
    assert ehlich_zeller(one, [degree, degree]) == pytest.approx(expected, rel=1e-14)
    assert ehlich_zeller(-one, [0, 0]) == 1


def test_ehlich_zeller_says_how_many_points_it_needs():
    with pytest.raises(SpectrumError, match=r"10 points .* degree 5: at least 11 are needed"):
        ehlich_zeller(np.ones(10), [5])
    assert ehlich_zeller(np.ones(11), [5]) > 1
    with pytest.raises(SpectrumError, match=r"2 variable\(s\), but 1 degree"):
        ehlich_zeller(np.ones((11, 11)), [5])


def test_bernstein():
    assert bernstein(2.0, 3.0) == 6
    assert Fraction(bernstein(0.1, 0.3)) >= Fraction(0.1) * Fraction(0.3)
    assert bernstein(math.inf, 1.0) == math.inf
    with pytest.raises(SpectrumError, match="not negative"):
        bernstein(-1.0, 2.0)


@pytest.mark.parametrize(
    "value", [Fraction(1, 3), Fraction(-1, 3), Fraction(7, 10**40), Fraction(5)]
)
def test_rounding_is_outward_and_no_further(value):
    with precise():
        enclosed = arb(fmpq(value.numerator, value.denominator))
    up, down = round_up(enclosed), round_down(enclosed)
    assert Fraction(down) <= value <= Fraction(up)
    assert up == down == value or math.nextafter(down, math.inf) == up


def test_rounding_of_what_is_not_finite():
    assert round_up(arb("nan")) == math.inf
    assert round_down(arb("inf")) == -math.inf
    assert round_up(arb(2) ** 2000) == math.inf
    assert round_up(arb(2) ** -2000) == math.nextafter(0, 1)


def test_grid_values_are_within_their_error():
    rng = np.random.default_rng(3)
    for _ in range(20):
        m = int(rng.integers(1, 4))
        steps = np.unique(rng.integers(-9, 10, (15, m)), axis=0).astype(object)
        weights = rng.normal(size=len(steps)) + 1j * rng.normal(size=len(steps))
        shape = tuple(int(n) for n in rng.integers(3, 12, m))
        values, relative = bounds._evaluate(weights, steps, shape)
        assert values.shape == shape
        assert float(relative) < 1e-13
        error = round_up(relative) * np.abs(weights).sum()
        for _ in range(10):
            place = tuple(int(rng.integers(n)) for n in shape)
            with precise():
                exact = arb(0)
                for row, c in zip(steps, weights, strict=True):
                    turn = sum(
                        Fraction(2 * k * j, n) for k, j, n in zip(row, place, shape, strict=True)
                    )
                    sine, cosine = arb.sin_cos_pi_fmpq(fmpq(turn.numerator, turn.denominator))
                    exact += arb(c.real) * cosine - arb(c.imag) * sine
                assert abs(arb(float(values[place])) - exact) <= error


# --- differences ---------------------------------------------------------------------------------


def test_a_difference_of_1e_12_in_one_coefficient_is_enclosed():
    rng = np.random.default_rng(5)
    for _ in range(20):
        p, _ = random_polynomial(rng, whole=True)
        w = max(p.terms, key=str)
        changed = dict(p.terms)
        changed[w] = changed[w] + acb("1e-12")
        (delta,) = difference(np.array([TrigonometricPolynomial(changed)]), np.array([p]))
        bound = sup_bound(delta)
        assert bound.lower >= 0.9e-12
        assert bound.upper <= 3e-12
        assert bound.coefficient_upper == pytest.approx(1e-12, rel=1e-3)


@pytest.mark.parametrize("points", [4, 16, 64, 1000])
def test_what_vanishes_on_a_grid_does_not_vanish(points):
    """``1e-6 sin(N x)`` is zero at all ``N`` and ``2N`` equispaced points."""
    delta = polynomial({X0 * points: complex(0, -0.5e-6)})
    grid = (np.pi * np.arange(2 * points) / points)[:, None]
    assert observed(delta, 1, grid)[0] < 1e-15
    bound = sup_bound(delta)
    assert 0.75e-6 < bound.lower <= 1e-6 <= bound.upper < 1.0001e-6
    assert bound.gradient_upper == pytest.approx(1e-6 * points, rel=1e-3)


def test_equal_circuits_differ_by_nothing():
    """Two turns about one axis are one turn: only the balls' radii remain."""
    z = (Observable.of([(1.0, {0: "Z"})]),)
    before, after = Gate("RY", (0,), Angle.constant(0.3)), Gate("RY", (0,), X1 * 2)
    one = Circuit(1, (before, Gate("RX", (0,), X0 * 3), after), z, 2, 0)
    two = Circuit(1, (before, Gate("RX", (0,), X0), Gate("RX", (0,), X0 * 2), after), z, 2, 0)
    precision = ctx.prec
    (delta,) = difference(of_circuit(one, []), of_circuit(two, []))
    bound = sup_bound(delta)
    assert ctx.prec == precision
    assert bound.lower == 0
    assert bound.upper < 1e-35
    assert bound.gradient_upper < 1e-34


def test_one_value_and_nothing():
    assert sup_bound(polynomial({})).upper == 0
    constant = sup_bound(polynomial({Angle(): complex(-0.25, 0)}))
    assert (constant.lower, constant.upper, constant.gradient_upper) == (0.25, 0.25, 0)


def test_multiples_of_pi_are_a_variable_of_their_own():
    """``cos x + cos(pi x)`` comes as near to -2 as one likes, with no common period."""
    bound = sup_bound(polynomial({X0: complex(0.5, 0), X0 * PI: complex(0.5, 0)}))
    assert bound.points > 0
    assert 1.9 < bound.lower <= 2 <= bound.upper < 2.001
    assert bound.gradient_upper == pytest.approx(1 + math.pi, rel=1e-9)


def test_a_grid_beyond_the_limit_is_not_used():
    waves = [(7, 5), (7, -5), (3, -2), (3, 2), (1, 0), (2, 1), (0, 1), (4, 4)]
    p = polynomial({X0 * a + X1 * b: complex(1, b - k) for k, (a, b) in enumerate(waves)})
    small, full = sup_bound(p, grid_points=100), sup_bound(p)
    assert "needs at least 315 points (limit 100)" in small.method
    assert small.points == 0
    assert full.points > 0
    assert full.upper < small.upper
    assert small.lower <= full.upper


def test_negligible_waves_do_not_spoil_the_grid():
    waves = {X0 * k: complex(1, k) for k in range(1, 6)}
    p = polynomial({**waves, X0 * Fraction(123456789, 10**7): complex(1e-13, 0)})
    bound = sup_bound(p)
    assert bound.points == 80
    assert bound.upper == pytest.approx(sup_bound(polynomial(waves)).upper, rel=1e-11)
    uppers = []
    for q in (p, polynomial(waves)):
        with precise():
            upper, _, points = bounds._grid_bound(q, {w: abs(c) for w, c in q.terms.items()}, 1000)
        assert points == 80
        uppers.append(upper)
    with precise():
        assert abs(uppers[0] - uppers[1] - arb(2e-13)) < arb(1e-20)  # they are added in full


# --- frequencies that differ by a rounding -------------------------------------------------------


def near_polynomial(rng):
    """Pairs of waves whose frequencies differ by roundings, with nearly opposite coefficients."""
    n = int(rng.integers(1, 3))
    terms = {}
    for _ in range(int(rng.integers(1, 6))):
        scales = rng.integers(-4, 5, n) / 2
        moved = scales + rng.uniform(-1, 1, n) * 10.0 ** rng.uniform(-16, -9.5)
        c = complex(*rng.normal(size=2))
        off = complex(*rng.normal(size=2)) * 10.0 ** rng.uniform(-12, -7)
        for values, v in ((scales, c), (moved, -c + off)):
            w = sum((feature(j) * Fraction(float(q)) for j, q in enumerate(values)), start=Angle())
            terms[w] = v if w.terms else complex(v.real, 0)
    return polynomial(terms), n


def test_near_frequencies_over_a_bounded_domain():
    rng = np.random.default_rng(7)
    merged, ratios = 0, []
    for _ in range(60):
        p, n = near_polynomial(rng)
        box = tuple(10.0 ** rng.uniform(0, 3, n))
        bound = sup_bound(p, radius=box)
        merged += bound.radius == box
        x = np.array(box) * rng.uniform(-1, 1, (100, n))
        seen = max(round_down(abs(v)) for v in p.enclosures(x))
        assert seen <= bound.upper
        assert bound.lower <= bound.upper
        ratios.append(bound.lower / seen)
        for j in range(n):
            slope = {
                w: acb(0, 1) * c * acb(fmpq(q.numerator, q.denominator))
                for w, c in p.terms.items()
                for _, q in w.derivative(Symbol("x", j)).terms
            }
            steep = max(
                (abs(v) for v in TrigonometricPolynomial(slope).enclosures(x)), key=round_down
            )
            assert round_down(steep) <= bound.gradient_upper
    assert merged > 40
    assert min(ratios) > 0
    assert np.median(ratios) > 0.8


def test_signs_of_opposite_frequencies_are_matched():
    """``cos(x1 - 1e-16 x0)`` is stored under ``1e-16 x0 - x1``."""
    tiny = Fraction(1, 10**16)
    c = complex(0.3, 0.4)
    p = polynomial({X1: c, X1 - X0 * tiny: -c})
    assert sup_bound(p).lower > 0.9
    bound = sup_bound(p, radius=(100.0, 5.0))
    assert 0.9e-14 < bound.upper < 1.1e-14
    assert bound.radius == (100.0, 5.0)
    near_zero = polynomial({X0 * tiny: c, Angle(): complex(-0.6, 0), X0: complex(1e-9, 0)})
    assert sup_bound(near_zero, radius=1.0).upper == pytest.approx(2e-9, rel=1e-3)


def test_no_radius_where_none_is_needed():
    p = polynomial({X0: 1 + 0j, X0 * 2: 1j})
    assert sup_bound(p, radius=3.0) == sup_bound(p)


def test_a_float_series_of_a_circuit_with_unrelated_scales():
    """Its frequencies are rounded sums: far apart over all reals, alike over the domain."""
    turn = Gate("RY", (0,), Angle.constant(0.4))
    gates = [turn]
    for scale in (1.2345678912345, 0.7182818284590, 0.1, 0.3):
        gates += [Gate("RX", (0,), X0 * scale), turn]
    circuit = Circuit(1, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 1, 0)
    series = fourier_series(circuit, np.zeros(0))

    def outputs(weights):
        algebra = Trigonometric()
        phase = algebra.matmul(
            algebra.features(1), algebra.constant(np.ascontiguousarray(series.frequencies.T))
        )
        cosine = algebra.matmul(algebra.function("cos", phase), algebra.constant(weights.real))
        sine = algebra.matmul(algebra.function("sin", phase), algebra.constant(-weights.imag))
        return algebra.polynomials(algebra.add(cosine, sine))

    (delta,) = difference(of_circuit(circuit, []), outputs(series.coefficients))
    everywhere, inside = sup_bound(delta), sup_bound(delta, radius=(30.0,))
    assert everywhere.lower > 0.01
    assert everywhere.radius is None
    assert inside.upper < 1e-13
    assert inside.gradient_upper < 1e-13
    assert inside.radius == (30.0,)
    wrong = series.coefficients.copy()
    wrong[np.argmax(series.frequencies[:, 0])] += 1e-6
    (delta,) = difference(of_circuit(circuit, []), outputs(wrong))
    found = sup_bound(delta, radius=(30.0,))
    assert 0.9e-6 < found.lower <= found.upper < 1.2e-6


def test_a_point_where_the_difference_is_large():
    """In the box that is asked for, and truly that large there."""
    rng = np.random.default_rng(8)
    for _ in range(30):
        p, n = random_polynomial(rng, whole=bool(rng.integers(2)))
        low = rng.uniform(-5, 5, n)
        box = [(a, a + w) for a, w in zip(low, 10.0 ** rng.uniform(-1, 1, n), strict=True)]
        value, at = attained(p, box)
        assert at.shape == (n,)
        assert all(a <= v <= b for v, (a, b) in zip(at, box, strict=True))
        seen, _ = observed(p, n, at[None])
        assert value == pytest.approx(seen, rel=1e-9)
        around, _ = observed(p, n, rng.uniform(*np.array(box).T, (2000, n)))
        assert value > 0.95 * around
    value, at = attained(polynomial({X1: 0.5 + 0j}))
    assert 0.999 < value <= 1
    assert attained(polynomial({}))[0] == 0


@pytest.mark.parametrize("radius", [-1.0, math.inf, math.nan, (1.0,)])
def test_bad_radius(radius):
    p = polynomial({X0: 1 + 0j, X1: 1j})
    with pytest.raises(SpectrumError, match=r"half-width for each of 2 feature\(s\)"):
        sup_bound(p, radius=radius)


def test_a_coefficient_that_is_not_finite():
    with pytest.raises(SpectrumError, match="not finite"):
        sup_bound(TrigonometricPolynomial({X0: acb("nan")}))


def test_wide_balls_widen_the_bounds():
    """A coefficient known to 1e-3 only: the interval covers all that it may be."""
    exact = polynomial({X0: 1 + 0j, X0 * 2: 0.5j})
    vague = TrigonometricPolynomial({**exact.terms, X0: acb(arb(1, 1e-3), arb(0, 1e-3))})
    sharp, wide = sup_bound(exact), sup_bound(vague)
    for shift in (1e-3, -1e-3, 1e-3j):
        moved = sup_bound(polynomial({X0: 1 + shift, X0 * 2: 0.5j}))
        assert wide.lower <= moved.upper
        assert moved.lower <= wide.upper
    assert wide.upper > sharp.upper + 1e-3
    assert wide.lower < sharp.lower - 1e-3
    assert replace(wide, method="") != replace(sharp, method="")
