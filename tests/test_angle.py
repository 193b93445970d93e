"""Exact angles: ring arithmetic, reading of floats, and evaluation in both array libraries."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qrun_equiv.angle import (
    PI,
    Angle,
    Symbol,
    as_float,
    evaluate_all,
    feature,
    parameter,
    read_constant,
    simplest_between,
    simplest_rational,
    to_json,
)
from qrun_equiv.errors import AngleError

ROUNDING = 1e-12  # float64, polynomials of degree at most 6 at arguments up to 3
STEP = 1e-5  # central differences: error STEP**2 times a third derivative of order 100
FINITE_DIFFERENCE = 1e-7
PI_ULPS = 2.5  # np.pi is rounded, and so is its product: the width that read_constant documents

X0, X1, T0, T1 = feature(0), feature(1), parameter(0), parameter(1)
EXHAUSTIVE = settings(derandomize=True, database=None, deadline=None, max_examples=150)

fractions = st.fractions(-4, 4, max_denominator=40)


@st.composite
def angles(draw: st.DrawFn) -> Angle:
    total = Angle()
    for _ in range(draw(st.integers(0, 4))):
        term = Angle.constant(draw(fractions))
        for base in (X0, X1, T0, PI):
            term = term * base ** draw(st.integers(0, 2))
        total = total + term
    return total


def numbers(seed: int, batch: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-2, 2, (batch, 2)), rng.uniform(-2, 2, 2)


def size_of(angle: Angle) -> float:
    """Largest magnitude that a sum of the angle's terms passes through, for arguments up to pi."""
    return 1 + sum(abs(float(q)) * 3.2 ** sum(p for _, p in m) for m, q in angle.terms)


# --- arithmetic --------------------------------------------------------------------------------


def test_multiples_of_a_feature_merge_as_rationals() -> None:
    # In floats 0.1 + 0.2 is not 0.3, and a spectrum grows a spurious frequency.
    assert X0 * 0.1 + X0 * 0.2 == X0 * 0.3
    assert hash(X0 * 0.1 + X0 * 0.2) == hash(X0 * 0.3)
    assert X0 / 3 == X0 * (1 / 3) == Fraction(1, 3) * X0


def test_a_sum_that_was_rounded_before_it_was_read_stays_what_it_is() -> None:
    assert (0.1 + 0.2) * X0 != 0.3 * X0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (2 * (X0 + T0), 2 * X0 + 2 * T0),
        ((PI - X0) * (PI - X1), PI * PI - PI * X0 - PI * X1 + X0 * X1),
        (X0 - 0.5, -(Fraction(1, 2) - X0)),
        (X0**2, X0 * X0),
        (1 - X0, -X0 + 1),
        (X0 * 0, Angle()),
        (X0 - X0, Angle()),
        (X1 * X0, X0 * X1),
        (np.float64(0.1) * X0, X0 / 10),
        (np.int64(2) * X0, X0 + X0),
    ],
)
def test_equal_polynomials_are_equal_with_equal_hashes(left: Angle, right: Angle) -> None:
    assert left == right
    assert hash(left) == hash(right)
    assert to_json(left) == to_json(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (X0 - 0.5, X0 + 0.5),  # the sign of a constant
        (X0**2, 2 * X0),
        (T0 * X0, X0),
        (X0, X0 * 1.00003),
        (X0, X0 * (1 + 1e-8)),
        (X0, X1),
        (X0, T0),
        (X0, X0 * PI),
        (X0 + 1e-12, X0),
    ],
)
def test_what_other_tools_confuse_stays_apart(left: Angle, right: Angle) -> None:
    assert left != right


@EXHAUSTIVE
@given(a=angles(), b=angles(), c=angles())
def test_ring_laws_hold_exactly(a: Angle, b: Angle, c: Angle) -> None:
    assert a + b == b + a
    assert a * b == b * a
    assert (a + b) + c == a + (b + c)
    assert a * (b + c) == a * b + a * c
    assert a - a == Angle()
    negative = -a
    assert -negative == a
    assert a - b == -(b - a)
    assert a + 0 == a * 1 == a
    assert hash(a * (b + c)) == hash(a * b + a * c)


@EXHAUSTIVE
@given(a=angles(), b=angles(), seed=st.integers(0, 10**6))
def test_evaluation_is_a_homomorphism(a: Angle, b: Angle, seed: int) -> None:
    x, theta = numbers(seed)
    left, right = a.evaluate(x, theta), b.evaluate(x, theta)
    bound = ROUNDING * size_of(a) * size_of(b)
    np.testing.assert_allclose((a * b).evaluate(x, theta), left * right, rtol=0, atol=bound)
    np.testing.assert_allclose((a + b).evaluate(x, theta), left + right, rtol=0, atol=bound)


@pytest.mark.parametrize("power", range(5))
def test_powers_are_repeated_products(power: int) -> None:
    base, product = X0 - T0 / 3 + PI, Angle.constant(1)
    for _ in range(power):
        product = product * base
    assert base**power == product


@pytest.mark.parametrize("power", [-1, 0.5, 2.0, "2"])
def test_other_powers_are_refused(power: object) -> None:
    with pytest.raises(AngleError, match="whole powers"):
        X0**power  # type: ignore[operator]


@pytest.mark.parametrize(
    ("quotient", "expected"),
    [
        (X0 / 4, X0 * 0.25),
        (X0 / -0.1, -10 * X0),
        (PI / 3, PI * Fraction(1, 3)),
        (PI * X0 / PI, X0),
        (PI**2 * X0 / (2 * PI), PI * X0 / 2),
        (Angle() / 7, Angle()),
    ],
)
def test_division_by_rationals_and_multiples_of_pi(quotient: Angle, expected: Angle) -> None:
    assert quotient == expected


@pytest.mark.parametrize("divisor", [0, 0.0, X0, T0, PI + 1, X0 - X0])
def test_other_divisors_are_refused(divisor: Angle | float) -> None:
    with pytest.raises(AngleError, match="can be divided by"):
        X0 / divisor


def test_pi_in_a_denominator_is_refused() -> None:
    with pytest.raises(AngleError, match="pi in a denominator"):
        (X0 * PI + 1) / PI


# --- calculus and substitution -----------------------------------------------------------------


@EXHAUSTIVE
@given(a=angles(), b=angles(), which=st.sampled_from([Symbol("x", 0), Symbol("theta", 0)]))
def test_derivative_obeys_the_product_rule(a: Angle, b: Angle, which: Symbol) -> None:
    product = a.derivative(which) * b + a * b.derivative(which)
    assert (a * b).derivative(which) == product
    assert (a + b).derivative(which) == a.derivative(which) + b.derivative(which)


def test_derivative_against_differences() -> None:
    angle = 2 * X0**3 * T0 / 7 - PI * X0 * X1 + T1 - 0.25
    (x, theta), step = numbers(3), np.array([STEP, 0.0])
    expected = (angle.evaluate(x + step, theta) - angle.evaluate(x - step, theta)) / (2 * STEP)
    value = angle.derivative(Symbol("x", 0)).evaluate(x, theta)
    np.testing.assert_allclose(value, expected, rtol=0, atol=FINITE_DIFFERENCE)
    assert angle.derivative(Symbol("x", 7)) == Angle()


@EXHAUSTIVE
@given(a=angles(), inner=angles(), seed=st.integers(0, 10**6))
def test_replacing_composes(a: Angle, inner: Angle, seed: int) -> None:
    x, theta = numbers(seed, batch=1)
    moved = x.copy()
    moved[0, 0] = np.squeeze(inner.evaluate(x, theta))
    value = a.replace({Symbol("x", 0): inner}).evaluate(x, theta)
    bound = ROUNDING * size_of(a) * (1 + size_of(inner)) ** 2
    np.testing.assert_allclose(value, a.evaluate(moved, theta), rtol=0, atol=bound)


def test_replacing_leaves_the_other_symbols_and_pi() -> None:
    angle = PI * X0 + T0 * X1 - 1
    assert angle.replace({}) == angle
    assert angle.replace({Symbol("x", 0): X1 + T0}) == PI * X1 + PI * T0 + T0 * X1 - 1
    # Simultaneous, not one after the other: a swap is a swap.
    swap = {Symbol("x", 0): X1, Symbol("x", 1): X0}
    assert (X0 - 2 * X1).replace(swap) == X1 - 2 * X0


def test_symbols_and_degrees() -> None:
    angle = PI * X0**2 * T0 + X1 * T0 * T1 - 3
    assert angle.symbols() == {
        Symbol("x", 0),
        Symbol("x", 1),
        *(Symbol("theta", i) for i in (0, 1)),
    }
    assert angle.features() == {0, 1}
    assert (angle.degree("x"), angle.degree("theta")) == (2, 2)
    assert angle.degree_in(Symbol("x", 0)) == 2
    assert angle.degree_in(Symbol("x", 5)) == 0
    assert Angle().degree("x") == 0
    assert PI.symbols() == frozenset()


# --- evaluation --------------------------------------------------------------------------------

EVALUATED = X0 * X1 * T0 / 3 - PI * X1 / 4 + T1**2 - 0.1


def by_hand(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    one, two = x[..., 0], x[..., 1]
    return one * two * theta[..., 0] / 3 - np.pi * two / 4 + theta[..., 1] ** 2 - 0.1


def test_numpy_and_torch_agree_with_the_formula() -> None:
    x, theta = numbers(1)
    expected = by_hand(x, theta)
    value = EVALUATED.evaluate(x, theta)
    tensor = EVALUATED.evaluate(torch.tensor(x), torch.tensor(theta))
    np.testing.assert_allclose(value, expected, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=ROUNDING)


def test_one_parameter_vector_for_each_row() -> None:
    x, _ = numbers(2, batch=4)
    theta = np.random.default_rng(5).uniform(-2, 2, (4, 2))
    rows = [EVALUATED.evaluate(a, b) for a, b in zip(x, theta, strict=True)]
    np.testing.assert_allclose(EVALUATED.evaluate(x, theta), rows, rtol=0, atol=ROUNDING)


def test_torch_evaluation_is_differentiable() -> None:
    x, theta = numbers(4, batch=3)
    inputs = (torch.tensor(x, requires_grad=True), torch.tensor(theta, requires_grad=True))
    assert torch.autograd.gradcheck(EVALUATED.evaluate, inputs)


def test_constants_come_back_as_floats() -> None:
    value = (PI / 2 - 1).evaluate(np.zeros((3, 2)), np.zeros(0))
    assert isinstance(value, float)
    assert evaluate_all([PI, Angle()], np.zeros(0), np.zeros(0)) == [math.pi, 0.0]


@pytest.mark.parametrize(("part", "power"), [(1, 1), (3, 1), (7, 1), (1, 2), (11, 2), (1, 3)])
def test_powers_of_pi_are_correctly_rounded(part: int, power: int) -> None:
    expected = float(sympy.N(sympy.pi**power / part, 40))
    assert as_float(PI**power / part) == expected


def test_value_of_an_angle_that_is_not_constant_is_refused() -> None:
    with pytest.raises(AngleError, match="x0 is not constant"):
        as_float(X0)


# --- reading of floats -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1, Angle.constant(Fraction(1, 10))),
        (-1 / 3, Angle.constant(Fraction(-1, 3))),
        (3.14, Angle.constant(Fraction(157, 50))),
        (22 / 7, Angle.constant(Fraction(22, 7))),
        (355 / 113, Angle.constant(Fraction(355, 113))),
        (1e-12, Angle.constant(Fraction(1, 10**12))),
        (1.00003, Angle.constant(Fraction(100003, 100000))),
        (math.pi, PI),
        (-math.pi / 2, -PI / 2),
        (2 * math.pi / 3, 2 * PI / 3),
        (math.pi**2, PI**2),
        (-2 * math.pi**2, -2 * PI**2),
        (math.pi / 2**10, PI / 1024),
        (0.0, Angle()),
        (-0.0, Angle()),
    ],
)
def test_typed_constants_are_what_was_typed(value: float, expected: Angle) -> None:
    assert read_constant(value) == expected
    assert Angle.constant(value) == expected


def test_every_simple_rational_is_read_back() -> None:
    for p, q in itertools.product(range(-60, 61), range(1, 50)):
        assert read_constant(p / q) == Angle.constant(Fraction(p, q)), (p, q)


def test_every_simple_multiple_of_pi_is_read_back() -> None:
    for p, q in itertools.product(range(-24, 25), range(1, 41)):
        expected = PI * Fraction(p, q)
        # Three ways to type it, which round differently.
        for value in (math.pi * p / q, math.pi * (p / q), math.pi / q * p):
            assert read_constant(value) == expected, (p, q, value)


@pytest.mark.parametrize("places", [3, 4, 5, 6])
def test_decimals_are_not_taken_for_multiples_of_pi(places: int) -> None:
    rng = np.random.default_rng(places)
    for whole in rng.integers(1, 10**places, 200):
        decimal = Fraction(int(whole), 10**places)
        assert read_constant(float(decimal)) == Angle.constant(decimal)


@EXHAUSTIVE
@given(value=st.floats(-(2.0**53), 2.0**53, allow_nan=False, exclude_min=True, exclude_max=True))
def test_reading_a_float_loses_nothing(value: float) -> None:
    assert float(simplest_rational(value)) == value
    angle = read_constant(value)
    power = max((p for m, _ in angle.terms for _, p in m), default=0)
    allowed = PI_ULPS * math.ulp(value) if power else 0.0
    assert abs(as_float(angle) - value) <= allowed
    assert read_constant(-value) == -angle


@pytest.mark.parametrize("value", [2.0**53, 1e16, -(2.0**70)])
def test_reading_a_large_float_loses_nothing(value: float) -> None:
    # Below a power of two floats lie twice as dense, and the end of the interval is another float.
    assert simplest_rational(value) == Fraction(value)


@pytest.mark.parametrize("value", [5e-324, 2.2e-308, 1.7e308, 1e22])
def test_extreme_floats_are_read_back(value: float) -> None:
    assert float(simplest_rational(value)) == value


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_constants_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(AngleError, match="must be finite"):
        read_constant(value)
    with pytest.raises(AngleError, match="must be finite"):
        X0 * value


def test_width_reads_a_value_with_more_rounding_errors() -> None:
    value = 0.1 + 0.2
    assert read_constant(value) != Angle.constant(Fraction(3, 10))
    assert read_constant(value, width=1.0) == Angle.constant(Fraction(3, 10))


small = st.fractions(-3, 3, max_denominator=50)


@EXHAUSTIVE
@given(low=small, width=st.fractions(0, 1, max_denominator=50))
def test_simplest_rational_has_the_smallest_denominator(low: Fraction, width: Fraction) -> None:
    high = low + width
    found = simplest_between(low, high)
    assert low <= found <= high
    for q in range(1, found.denominator):
        assert math.ceil(low * q) > math.floor(high * q), f"denominator {q} was possible"
    # Of the integers in an interval the one nearest to zero: the fewest bits.
    if found.denominator == 1:
        assert all(abs(n) >= abs(found) for n in range(math.ceil(low), math.floor(high) + 1))


def test_empty_interval_is_refused() -> None:
    with pytest.raises(AngleError, match="empty interval"):
        simplest_between(Fraction(1), Fraction(0))


# --- text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("angle", "text"),
    [
        (Angle(), "0"),
        (X0, "x0"),
        (-X0, "-x0"),
        (X0 - 0.5, "x0 - 1/2"),
        (-PI / 2, "-1/2*pi"),
        (X0**2 * T0 * 0.1, "1/10*theta0*x0^2"),
        (Angle.constant(-3), "-3"),
    ],
)
def test_text_for_people(angle: Angle, text: str) -> None:
    assert str(angle) == text


def test_json_form_is_exact() -> None:
    assert to_json(X0 * PI / 3 - 1) == [["-1", {}], ["1/3", {"pi": 1, "x0": 1}]]


def test_long_fractions_are_shown_as_the_float_that_was_written():
    assert str(feature(0) * math.sqrt(2)) == "1.4142135623730951*x0"
    assert str(Angle.constant(-math.cos(0.4))) == repr(-math.cos(0.4))
    assert str(feature(0) / 3 + Angle.constant(0.125)) in ("1/3*x0 + 1/8", "1/8 + 1/3*x0")
