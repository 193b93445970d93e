"""Interval bounds against 60-digit arithmetic, and bisection against dense sampling."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import mpmath
import numpy as np
import pytest

from qrun_equiv.bisection import Bound, maximum
from qrun_equiv.errors import FormalError
from qrun_equiv.interval_arithmetic import LIBRARY_ULPS, Interval, cos, sin
from qrun_equiv.intervals import Enclosure, Intervals, boxes, points

ALGEBRA = Intervals()
REAL = {
    "cos": mpmath.cos,
    "sin": mpmath.sin,
    "tanh": mpmath.tanh,
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "sigmoid": lambda v: 1 / (1 + mpmath.exp(-v)),
    "softplus": lambda v: mpmath.log1p(mpmath.exp(v)),
    "relu": lambda v: v if v > 0 else mpmath.mpf(0),
    "abs": abs,
    "erf": mpmath.erf,
    "gelu": lambda v: v * (1 + mpmath.erf(v / mpmath.sqrt(2))) / 2,
    "silu": lambda v: v / (1 + mpmath.exp(-v)),
    "reciprocal": lambda v: 1 / v,
    "sqrt": mpmath.sqrt,
    "square": lambda v: v * v,
}
DERIVATIVE: dict[str, Callable[..., object]] = {
    "relu": lambda v: mpmath.mpf(v > 0),
    "abs": mpmath.sign,
}
POSITIVE = {"log", "sqrt", "reciprocal"}


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(60):
        yield


def real_slope(name: str, value):
    if name in DERIVATIVE:
        return DERIVATIVE[name](value)
    return mpmath.diff(REAL[name], value, h=mpmath.mpf(10) ** -25)


def random_boxes(rng: np.random.Generator, count: int, *, positive: bool):
    """Centres of all sizes, widths from a point to several units."""
    centre = rng.uniform(-1, 1, count) * 10.0 ** rng.uniform(-6, 1.2, count)
    width = 10.0 ** rng.uniform(-18, 0.5, count) * (rng.uniform(size=count) < 0.8)
    if positive:
        centre = np.abs(centre)
        width = np.minimum(width, 0.9 * centre)
    return centre - width, centre + width


@pytest.mark.parametrize("name", REAL)
def test_each_function_and_its_derivative_lie_in_their_bounds(name):
    rng = np.random.default_rng(list(REAL).index(name))
    lo, hi = random_boxes(rng, 300, positive=name in POSITIVE)
    found = ALGEBRA.function(name, boxes(lo, hi))
    for k in range(len(lo)):
        for share in (0.0, 1.0, rng.uniform()):
            t = mpmath.mpf(lo[k]) + share * (mpmath.mpf(hi[k]) - mpmath.mpf(lo[k]))
            assert found.lo[k, 0] <= REAL[name](t) <= found.hi[k, 0], (lo[k], hi[k], share)
            slope = real_slope(name, t)
            error = mpmath.mpf(10) ** -20 * (1 + abs(slope))  # of the numerical derivative
            assert found.dlo[k, 0] - error <= slope <= found.dhi[k, 0] + error, (lo[k], share)
            if name in DERIVATIVE:
                assert found.rough
                continue
            curve = mpmath.diff(REAL[name], t, 2, h=mpmath.mpf(10) ** -20)
            error = mpmath.mpf(10) ** -15 * (1 + abs(curve))
            assert found.curve.lo[k, 0] - error <= curve <= found.curve.hi[k, 0] + error


@pytest.mark.parametrize("name", REAL)
def test_bounds_at_a_point_are_a_few_roundings_wide(name):
    rng = np.random.default_rng(1)
    t = np.abs(rng.uniform(0.1, 5.0, 200))
    found = ALGEBRA.function(name, boxes(t, t))
    width = 4 * (3 * LIBRARY_ULPS + 4) * np.finfo(float).eps
    assert np.all(found.hi - found.lo <= width * (1 + np.abs(found.hi)))
    if name not in DERIVATIVE:
        assert np.all(found.dhi - found.dlo <= width * (1 + np.abs(found.dhi)) * 4)


def test_the_library_is_as_accurate_as_assumed():
    """Also near the zeros and far out, where a careless argument reduction would show."""
    rng = np.random.default_rng(2)
    near = np.arange(1, 400) * np.pi / 2
    far = rng.uniform(-1e8, 1e8, 400)
    usual = rng.uniform(-20, 20, 400)
    t = np.concatenate([near, far, usual, 10.0 ** rng.uniform(-300, 0, 100)])
    for name, f in {"cos": np.cos, "sin": np.sin, "tanh": np.tanh, "expm1": np.expm1}.items():
        arguments = t if name in ("cos", "sin") else t[np.abs(t) < 700]
        values = f(arguments)
        for argument, value in zip(arguments, values, strict=True):
            off = abs(mpmath.mpf(value) - REAL[name](mpmath.mpf(argument)))
            assert off <= 0.5 * LIBRARY_ULPS * np.spacing(abs(value)), (name, argument)


@pytest.mark.parametrize(("bound", "first"), [(cos, 0), (sin, 1)])
def test_extrema_of_waves_are_found_and_only_where_they_are(bound, first):
    quarter = np.arange(-50, 51)
    at = quarter * np.pi / 2
    around = bound(Interval(at - 0.1, at + 0.1))
    phase = (quarter - first) % 4
    assert np.all(around.hi[phase == 0] == 1)
    assert np.all(around.lo[phase == 2] == -1)
    assert np.all(around.hi[phase != 0] < 0.996)
    assert np.all(around.lo[phase != 2] > -0.996)
    whole = bound(Interval(np.array([0.3, -3.0, 2e8, -np.inf]), np.array([7.0, 9.9, 2e8, np.inf])))
    assert np.all(whole.lo == -1)
    assert np.all(whole.hi == 1)


def test_products_and_sums_hold_at_any_cancellation():
    """Exact rational arithmetic on the floats; huge and tiny terms that cancel."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        n = int(rng.integers(1, 40))
        a = rng.standard_normal((2, n)) * 10.0 ** rng.uniform(-12, 12, (2, n))
        b = rng.standard_normal((n, 3)) * 10.0 ** rng.uniform(-12, 12, (n, 3))
        a[:, n // 2 :] = -a[:, : n - n // 2]
        b[n // 2 :] = b[: n - n // 2]
        spread = np.abs(a) * rng.choice([0, 1e-9, 0.1], (2, n))
        left = Interval(a - spread, a + spread)
        for other in (Interval.exact(b), Interval(b - abs(b) * 1e-8, b + abs(b) * 1e-8)):
            product = left @ other
            pick = rng.uniform(size=(2, n))
            x = np.where(pick < 0.4, left.lo, np.where(pick < 0.8, left.hi, a))
            y = np.where(rng.uniform(size=b.shape) < 0.5, other.lo, other.hi)
            for i in range(2):
                for j in range(3):
                    exact = mpmath.fdot(map(mpmath.mpf, x[i]), map(mpmath.mpf, y[:, j]))
                    assert product.lo[i, j] <= exact <= product.hi[i, j]
        total = Interval.exact(a).sum((1,))
        for i in range(2):
            assert total.lo[i] <= mpmath.fsum(map(mpmath.mpf, a[i])) <= total.hi[i]


def test_tiny_products_are_not_lost():
    one = Interval.exact([1e-200])
    product = one * one
    assert product.lo[0] <= 0 < product.hi[0]
    many = Interval.exact(np.full(1000, 1.4e-162))  # each product is rounded to 0
    assert (many @ many).lo <= 1.9e-321 <= (many @ many).hi
    assert (Interval.exact([0.0]) * one).hi[0] == 0


def random_program(rng: np.random.Generator, depth: int):
    """A random composition as (enclosure -> enclosure, number -> number)."""
    if depth == 0:
        return lambda t: t, lambda t: t
    f, real_f = random_program(rng, depth - 1)
    kind = int(rng.integers(4))
    if kind == 0:
        name = str(rng.choice(["cos", "sin", "tanh", "sigmoid", "softplus", "relu", "square"]))
        return lambda t: ALGEBRA.function(name, f(t)), lambda t: REAL[name](real_f(t))
    if kind == 1:
        scale = float(rng.normal(0, 2))
        constant = ALGEBRA.constant(np.array([scale]))
        return lambda t: ALGEBRA.multiply(constant, f(t)), lambda t: scale * real_f(t)
    g, real_g = random_program(rng, depth - 1)
    if kind == 2:
        return lambda t: ALGEBRA.multiply(f(t), g(t)), lambda t: real_f(t) * real_g(t)
    return (
        lambda t: ALGEBRA.add(f(t), ALGEBRA.negative(g(t))),
        lambda t: real_f(t) - real_g(t),
    )


def test_random_programs_hold_their_values_and_difference_quotients():
    for seed in range(150):
        rng = np.random.default_rng(seed)
        f, real = random_program(rng, int(rng.integers(1, 5)))
        lo = rng.uniform(-3, 3, 6)
        hi = lo + 10.0 ** rng.uniform(-12, 0, 6)
        found = f(boxes(lo, hi))
        for k in range(6):
            s, t = (mpmath.mpf(v) for v in np.sort(rng.uniform(lo[k], hi[k], 2)))
            if s == t:
                continue
            at_s, at_t = mpmath.mpf(real(s)), mpmath.mpf(real(t))
            assert found.lo[k, 0] <= at_s <= found.hi[k, 0]
            quotient = (at_t - at_s) / (t - s)  # the mean value theorem, also across corners
            assert found.dlo[k, 0] <= quotient <= found.dhi[k, 0], (seed, k)
            if not found.rough:
                at_m = mpmath.mpf(real((s + t) / 2))
                second = 4 * (at_s - 2 * at_m + at_t) / (t - s) ** 2
                noise = mpmath.mpf(10) ** -20  # of the difference in 60 digits
                assert found.curve.lo[k, 0] - noise <= second <= found.curve.hi[k, 0] + noise


def test_matmul_rearrange_and_join_carry_derivatives():
    t = boxes(np.array([0.5, 1.0]), np.array([0.6, 1.1]))
    parts = [ALGEBRA.function("cos", t), ALGEBRA.constant(np.ones((2, 1))), t]
    row = ALGEBRA.join(parts, lambda arrays: np.concatenate(arrays, axis=1))
    weights = ALGEBRA.constant(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    out = ALGEBRA.rearrange(ALGEBRA.matmul(row, weights), lambda a: a[:, ::-1])
    for share in (0.0, 0.5, 1.0):
        x = np.array([0.5, 1.0]) + 0.1 * share
        value = 2 * np.cos(x) + 4 + 6 * x
        assert np.all((out.lo[:, 0] <= value + 1e-14) & (value - 1e-14 <= out.hi[:, 0]))
        slope = -2 * np.sin(x) + 6
        assert np.all((out.dlo[:, 0] <= slope + 1e-14) & (slope - 1e-14 <= out.dhi[:, 0]))
    assert np.all(out.dhi - out.dlo < 1)
    both = ALGEBRA.matmul(row, ALGEBRA.rearrange(row, lambda a: np.swapaxes(a, 0, 1)))
    x, y = 0.55, 1.05
    slope = -np.sin(x) * np.cos(y) - np.cos(x) * np.sin(y) + x + y
    assert both.dlo[0, 1] < slope < both.dhi[0, 1]
    curve = 2 - 2 * np.cos(x) * np.cos(y) + 2 * np.sin(x) * np.sin(y)
    assert both.curve.lo[0, 1] < curve < both.curve.hi[0, 1] < curve + 1
    summed = ALGEBRA.total(row, (1,))
    assert ALGEBRA.shape(summed) == (2,)
    assert summed.dlo[0] <= 1 - np.sin(0.55) <= summed.dhi[0]


def test_what_is_not_defined_is_refused_or_unbounded():
    zero = boxes(np.array([-1.0]), np.array([1.0]))
    assert ALGEBRA.function("reciprocal", zero).hi[0, 0] == np.inf
    assert ALGEBRA.function("sqrt", zero).lo[0, 0] == -np.inf
    assert ALGEBRA.function("log", zero).lo[0, 0] == -np.inf
    for name, value in {"reciprocal": 0.0, "sqrt": -1.0, "log": -1.0}.items():
        with pytest.raises(FormalError, match="not defined"):
            ALGEBRA.function(name, points(np.array([value])))
    with pytest.raises(FormalError, match="no interval bound for `acos`; there is for cos"):
        ALGEBRA.function("acos", zero)
    huge = points(np.array([800.0]))
    assert ALGEBRA.function("exp", huge).hi[0, 0] == np.inf
    overflowing = ALGEBRA.matmul(huge, ALGEBRA.constant(np.array([[1e308]])))
    assert overflowing.hi[0, 0] == np.inf
    assert overflowing.lo[0, 0] < 1e308


# --- bisection -----------------------------------------------------------------------------------


def layer(a: Enclosure, weight: np.ndarray, bias: np.ndarray) -> Enclosure:
    product = ALGEBRA.matmul(a, ALGEBRA.constant(weight))
    return ALGEBRA.add(product, ALGEBRA.constant(bias))


def random_network(rng: np.random.Generator):
    """A small tanh network on cosines and sines, as enclosure and in numpy."""
    width, count = int(rng.integers(2, 9)), int(rng.integers(1, 4))
    scales = rng.uniform(0.3, 4, count)
    sizes = [2 * count, *[width] * int(rng.integers(1, 3)), int(rng.integers(1, 3))]
    weights = [rng.normal(0, 1.5 / np.sqrt(n), (n, m)) for n, m in pairwise(sizes)]
    biases = [rng.normal(0, 0.5, m) for m in sizes[1:]]

    def enclosed(t: Enclosure) -> Enclosure:
        angle = ALGEBRA.multiply(t, ALGEBRA.constant(scales))
        pair = [ALGEBRA.function("cos", angle), ALGEBRA.function("sin", angle)]
        a = ALGEBRA.join(pair, lambda arrays: np.concatenate(arrays, axis=1))
        for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            a = layer(ALGEBRA.function("tanh", a) if k else a, weight, bias)
        return a

    def sampled(t: np.ndarray) -> np.ndarray:
        angle = t[:, None] * scales
        a = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
        for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            a = (np.tanh(a) if k else a) @ weight + bias
        return a

    return enclosed, sampled


def random_series(rng: np.random.Generator):
    count = int(rng.integers(1, 12))
    frequencies = rng.uniform(0, 12, count)
    c, s = rng.standard_normal((2, count, 1))

    def enclosed(t: Enclosure) -> Enclosure:
        angle = ALGEBRA.multiply(t, ALGEBRA.constant(frequencies))
        cosine = ALGEBRA.matmul(ALGEBRA.function("cos", angle), ALGEBRA.constant(c))
        sine = ALGEBRA.matmul(ALGEBRA.function("sin", angle), ALGEBRA.constant(s))
        return ALGEBRA.add(cosine, sine)

    def sampled(t: np.ndarray) -> np.ndarray:
        angle = t[:, None] * frequencies
        return np.cos(angle) @ c + np.sin(angle) @ s

    return enclosed, sampled


@pytest.mark.parametrize("make", [random_network, random_series])
def test_the_bound_holds_and_is_tight_on_random_functions(make):
    t = np.linspace(-np.pi, np.pi, 20_001)
    for seed in range(130):
        enclosed, sampled = make(np.random.default_rng(seed))
        bound = maximum(enclosed, -np.pi, np.pi)
        observed = np.max(np.abs(sampled(t)))
        assert observed <= bound.upper * (1 + 1e-13), seed
        assert bound.upper <= 1.1 * observed, seed
        assert bound.ended == "relative"
        assert bound.lower <= observed * (1 + 1e-5), seed
        reached = np.max(np.abs(sampled(np.array([bound.at]))))
        assert reached == pytest.approx(bound.lower, rel=1e-9)


@pytest.mark.parametrize("centre", [0.1234567, -1.9999999, np.pi / 7])
@pytest.mark.parametrize("steepness", [1e3, 1e6, 1e9])
def test_a_spike_narrower_than_any_grid_is_found(centre, steepness):
    """``1 - tanh^2(s (t - c))``, of height 1 and width 1/s, on a ripple of 0.01."""

    def spike(t: Enclosure) -> Enclosure:
        shifted = ALGEBRA.add(t, ALGEBRA.constant(np.array([-centre])))
        step = ALGEBRA.function(
            "tanh", ALGEBRA.multiply(shifted, ALGEBRA.constant(np.array([steepness])))
        )
        fall = ALGEBRA.negative(ALGEBRA.function("square", step))
        bump = ALGEBRA.add(fall, ALGEBRA.constant(np.array([1.0])))
        ripple = ALGEBRA.multiply(ALGEBRA.function("cos", t), ALGEBRA.constant(np.array([0.01])))
        return ALGEBRA.add(bump, ripple)

    grid = np.linspace(-np.pi, np.pi, 1000)
    if steepness > 1e4:  # what a dense sample would conclude
        assert np.max(1 - np.tanh(steepness * (grid - centre)) ** 2) < 0.01
    bound = maximum(spike, -np.pi, np.pi)
    assert 0.99 <= bound.upper <= 1.08
    assert bound.lower >= 0.93
    assert abs(bound.at - centre) < 1 / steepness


def cancelling(t: Enclosure) -> Enclosure:
    """``(t + 1e16) - 1e16 - t``, which is 0, though floats say otherwise."""
    big = ALGEBRA.constant(np.array([1e16]))
    shifted = ALGEBRA.add(ALGEBRA.add(t, big), ALGEBRA.negative(big))
    return ALGEBRA.add(shifted, ALGEBRA.negative(t))


def test_cancellation_gives_a_wide_bound_and_never_a_false_one():
    bound = maximum(cancelling, 0.1, 0.9)
    assert bound.lower == 0  # nothing is claimed to be reached
    assert 1 <= bound.upper <= 20
    assert bound.ended == "rounding"
    assert bound.boxes < 5000


def test_without_outward_rounding_cancellation_would_mislead(monkeypatch):
    """The mutant of the arithmetic claims that a function that is 0 reaches a positive value."""
    monkeypatch.setattr("qrun_equiv.interval_arithmetic._down", lambda v: v)
    monkeypatch.setattr("qrun_equiv.interval_arithmetic._up", lambda v: v)
    assert maximum(cancelling, 0.1, 0.9).lower > 0


def test_budget_goal_and_bad_intervals():
    enclosed, sampled = random_network(np.random.default_rng(5))
    observed = np.max(np.abs(sampled(np.linspace(-3, 3, 10_001))))
    short = maximum(enclosed, -3, 3, relative=1e-12, most_boxes=150)
    assert short.ended == "budget"
    assert short.boxes <= 150
    assert short.lower <= observed * (1 + 1e-6) <= short.upper * (1 + 2e-6)
    easy = maximum(enclosed, -3, 3, goal=3 * observed)
    assert easy.ended in ("goal", "relative")
    assert observed <= easy.upper <= 3 * observed
    assert "max" in str(short)
    for low, high in ((1.0, 1.0), (2.0, 1.0), (0.0, np.inf), (np.nan, 1.0)):
        with pytest.raises(FormalError, match="empty or not finite"):
            maximum(enclosed, low, high)


def test_a_pole_gives_an_infinite_bound_or_is_named():
    def pole(t: Enclosure) -> Enclosure:  # at the square root of 2, which is no float
        shifted = ALGEBRA.add(ALGEBRA.multiply(t, t), ALGEBRA.constant(np.array([-2.0])))
        return ALGEBRA.function("reciprocal", shifted)

    bound = maximum(pole, 1, 2, most_boxes=5000)
    assert isinstance(bound, Bound)
    assert bound.upper == np.inf
    assert bound.lower > 1e6
    with pytest.raises(FormalError, match="the reciprocal of 0 to 0 is not defined"):
        maximum(lambda t: ALGEBRA.function("reciprocal", t), -0.5, 63.5)


def test_a_constant_is_bounded_at_once():
    bound = maximum(lambda t: ALGEBRA.constant(np.full((len(t.lo), 2), -0.25)), 0, 1)
    assert bound.lower == bound.upper == 0.25
