"""The error accounting of random prime fields, against counts in deliberately tiny fields."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from qrun_equiv import exact, formal
from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import FormalError
from qrun_equiv.exact import Outcome
from qrun_equiv.field import Field, NeedsRootError
from qrun_equiv.field_arrays import FieldAlgebra
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.proving import identity

TINY_BITS = 8
DRAWS = 1500
SIGMAS = 4.0


def run(function, drawn, *, parameters=1):
    algebra = FieldAlgebra(drawn)
    inputs = [algebra.features(1, 2), algebra.parameters((parameters,))]
    return formal.run(function, inputs, algebra, batch=1)


def rates(function, draws=DRAWS):
    """How often a false identity ``function = 0`` passes, and the largest bound that was stated."""
    rng = np.random.default_rng(5)
    passed, bound = 0, 0.0
    for _ in range(draws):
        drawn = Field.random(rng, bits=TINY_BITS)
        algebra = FieldAlgebra(drawn)
        out = function(algebra, algebra.features(1, 2))
        passed += not any(out.values.ravel())
        bound += drawn.error(out.atoms, out.height) / draws
    return passed / draws, bound


def cos(algebra, a):
    return algebra.function("cos", a)


def sin(algebra, a):
    return algebra.function("sin", a)


def entry(algebra, x, k):
    return algebra.rearrange(x, lambda m: m[:, k])


def number(algebra, value):
    return algebra.constant(np.asarray([value]))


def minus(algebra, a, b):
    return algebra.add(a, algebra.negative(b))


def two_cosines(algebra, x):
    return minus(algebra, cos(algebra, entry(algebra, x, 0)), cos(algebra, entry(algebra, x, 1)))


def wrong_half_angle(algebra, x):
    """cos(x/2)^2 + sin(y/2)^2 - 1."""
    a, b = (algebra.multiply(entry(algebra, x, k), number(algebra, 0.5)) for k in (0, 1))
    c, s = cos(algebra, a), sin(algebra, b)
    whole = algebra.add(algebra.multiply(c, c), algebra.multiply(s, s))
    return minus(algebra, whole, number(algebra, 1.0))


def many_roots(algebra, x):
    """x0 (x0 - 1) ... (x0 - 11): a polynomial with as many roots as its degree."""
    value = entry(algebra, x, 0)
    out = value
    for k in range(1, 12):
        out = algebra.multiply(out, minus(algebra, value, number(algebra, float(k))))
    return out


def pi_is_no_rational(algebra, x):
    """(pi^2 - 10) (pi - 3): zero for some elements that pi may become."""
    pi = number(algebra, math.pi)
    square = minus(algebra, number(algebra, math.pi**2), number(algebra, 10.0))
    return algebra.multiply(square, minus(algebra, pi, number(algebra, 3.0)))


def one_over_pi(algebra, x):
    """(1/pi - 1) (1/pi - 2) ... (1/pi - 12): a Laurent polynomial in pi."""
    inverse = algebra.function("reciprocal", number(algebra, math.pi))
    out = minus(algebra, inverse, number(algebra, 1.0))
    for k in range(2, 13):
        out = algebra.multiply(out, minus(algebra, inverse, number(algebra, float(k))))
    return out


@pytest.mark.parametrize(
    "false", [two_cosines, wrong_half_angle, many_roots, pi_is_no_rational, one_over_pi]
)
def test_a_false_identity_passes_no_more_often_than_stated(false):
    rate, bound = rates(false)
    assert rate > 0  # the field is small enough for the test to mean something
    assert rate <= bound + SIGMAS * math.sqrt(bound / DRAWS)


def test_a_constant_vanishes_in_fields_of_its_prime_divisors_only():
    rng = np.random.default_rng(5)
    primes = {Field.random(rng, bits=TINY_BITS).prime for _ in range(200)}
    one = float(min(primes))
    rate, bound = rates(lambda algebra, _: number(algebra, one), draws=600)
    assert 0 < rate <= bound


def test_the_prime_is_the_first_that_has_the_roots_and_the_subgroup():
    rng = np.random.default_rng(7)
    for order in (8, 24, 40):
        drawn = Field.random(rng, order=order, bits=20)
        step = order * drawn.subgroup
        assert (drawn.prime - 1) % step == 0
        assert all(_composite(k * step + 1) for k in range(1, (drawn.prime - 1) // step))
        assert pow(drawn.generator, drawn.subgroup, drawn.prime) == 1
        assert drawn.generator != 1
        assert len({pow(drawn.root, k, drawn.prime) for k in range(order)}) == order


def _composite(n):
    return any(n % k == 0 for k in range(2, math.isqrt(n) + 1))


def test_the_height_holds_for_rational_arithmetic():
    rng = np.random.default_rng(11)
    algebra = FieldAlgebra(Field.random(rng))
    for _ in range(200):
        tops, bottoms = rng.integers(1, 60, 5), rng.integers(1, 60, 5)
        exactly = [Fraction(int(p), int(q)) for p, q in zip(tops, bottoms, strict=True)]
        held = algebra.constant(tops / bottoms)
        choice = rng.integers(4)
        if choice == 0:
            made, true = algebra.total(held, (0,)), [sum(exactly)]
        elif choice == 1:
            made, true = algebra.matmul(held, held), [sum(q * q for q in exactly)]
        elif choice == 2:
            inverse = algebra.function("reciprocal", held)
            made, true = algebra.total(inverse, (0,)), [sum(1 / q for q in exactly)]
        else:
            squares = algebra.function("sqrt", algebra.multiply(held, held))
            made, true = algebra.add(squares, held), [2 * q for q in exactly]
        for value in true:
            assert math.log2(abs(value.numerator)) + math.log2(value.denominator) <= made.height
        wanted = [algebra.field.number(q) for q in true]
        assert [int(v) for v in made.values.ravel()] == wanted


@pytest.mark.parametrize("shape", [(40, 30, 20), (1, 200, 200), (3, 0, 4)])
def test_a_large_matrix_product_is_the_small_one(shape):
    rng = np.random.default_rng(3)
    algebra = FieldAlgebra(Field.random(rng))
    n, m, k = shape
    a, b = (algebra.constant(rng.integers(-99, 99, s) / 7) for s in ((n, m), (m, k)))
    wanted = np.matmul(a.values, b.values) % algebra.field.prime if m else np.zeros((n, k), int)
    found = algebra.matmul(a, b).values
    assert found.shape == (n, k)
    assert (found == wanted).all()


def test_reciprocals_of_roots_of_two_are_counted_apart():
    algebra = FieldAlgebra(Field.random(np.random.default_rng(1)))
    a = algebra.constant(np.array([1.0, 3.0]) / math.sqrt(2.0))
    one = algebra.function("reciprocal", a)
    both = algebra.add(one, algebra.function("reciprocal", algebra.constant(np.sqrt([2.0, 2.0]))))
    root = algebra.field.root_two
    assert int(one.values[0]) == root
    assert both.height >= 2 * one.bits  # no common denominator is assumed


def test_a_sum_over_pi_with_unlike_denominators_is_refused():
    algebra = FieldAlgebra(Field.random(np.random.default_rng(1)))
    pi = number(algebra, math.pi)
    with pytest.raises(FormalError, match="division"):
        algebra.function("reciprocal", algebra.add(pi, number(algebra, 1.0)))


def test_missing_roots_of_unity_restart_with_a_larger_order():
    orders = []

    def trial(drawn):
        orders.append(drawn.order)
        drawn.turn(PI * Fraction(1, 3))
        drawn.turn(PI * Fraction(2, 7))
        return Outcome(None, 2, 4.0)

    found = exact.decide(trial)
    assert found.equal
    assert orders == [8, 24, 168, 168]


def test_endless_fractions_of_pi_are_refused():
    def trial(drawn):
        for prime in (p for p in itertools.count(101, 2) if not _composite(p)):
            drawn.turn(PI * Fraction(1, prime))
        return Outcome(None, 1, 1.0)

    with pytest.raises(FormalError, match="fractions of pi"):
        exact.decide(trial)


def test_a_hard_comparison_is_made_in_a_larger_field():
    sizes = []

    def trial(drawn):
        sizes.append(drawn.bits)
        return Outcome(None, 10**9, 1e9)

    found = exact.decide(trial)
    assert found.error <= exact.PER_TRIAL**exact.TRIALS
    assert sizes[0] < sizes[-1] == found.bits


def test_the_conjugate_field_inverts_the_circle_and_keeps_numbers():
    drawn = Field.random(np.random.default_rng(2))
    other = drawn.conjugate()
    angle = feature(0) * parameter(0) * Fraction(3, 7) + PI / 4 + Angle.constant(Fraction(1, 3))
    assert drawn.turn(angle) * other.turn(angle) % drawn.prime == 1
    assert drawn.value(angle) == other.value(angle)
    assert (drawn.i + other.i) % drawn.prime == 0
    assert drawn.root_two == other.root_two
    assert pow(drawn.root_two, 2, drawn.prime) == 2


def test_a_missing_root_is_named():
    drawn = Field.random(np.random.default_rng(2))
    with pytest.raises(NeedsRootError) as caught:
        drawn.root_of_unity(Fraction(1, 5))
    assert caught.value.order == 40


# --- identities with constants ---


def z_of(*gates):
    return Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 1)


X, T = feature(0), parameter(0)
COSINE = z_of(Gate("RX", (0,), X))
IDENTITIES = {
    "value and angle": (z_of(Gate("RX", (0,), X)), lambda x, t: torch.cos(x[:, 0]) + 0 * x[:, 0]),
    "0.1 + 0.2": (z_of(Gate("RX", (0,), X * Fraction(3, 10))),
                  lambda x, t: torch.cos(0.1 * x[:, 0] + 0.2 * x[:, 0])),
    "a third": (z_of(Gate("RX", (0,), X * Fraction(1, 3))), lambda x, t: torch.cos(x[:, 0] / 3)),
    "pi squared": (z_of(Gate("RX", (0,), PI * PI - X)), lambda x, t: torch.cos(x[:, 0] - np.pi**2)),
    "radians": (z_of(Gate("RX", (0,), X + Angle.constant(Fraction(1)))),
                lambda x, t: torch.cos(x[:, 0]) * np.cos(0) * torch.cos(torch.ones(1).double())
                - torch.sin(x[:, 0]) * torch.sin(torch.ones(1).double())),
    "root two": (z_of(Gate("H", (0,)), Gate("RY", (0,), X)),
                 lambda x, t: -torch.sin(x[:, 0]) * (2**0.5 / 2) * 2**0.5),
    "scale": (z_of(Gate("RX", (0,), X * T)), lambda x, t: torch.cos(t[0] * x[:, 0])),
    "normalised": (COSINE, lambda x, t: torch.cos(x[:, 0])
                   / torch.sqrt(torch.tensor(4.0, dtype=torch.float64)) * 2),
}  # fmt: skip
FALSE = {
    "x as a value": (COSINE, lambda x, t: torch.cos(x[:, 0]) + 1e-12 * x[:, 0]),
    "a constant off by 1e-12": (COSINE, lambda x, t: torch.cos(x[:, 0]) * (1 - 1e-12)),
    "0.3 off by 1e-12": (z_of(Gate("RX", (0,), X * Fraction(3, 10))),
                         lambda x, t: torch.cos((0.3 + 1e-12) * x[:, 0])),
    "pi off by 1e-12": (z_of(Gate("RX", (0,), PI + X)),
                        lambda x, t: torch.cos(x[:, 0] + np.pi + 1e-12)),
    "pi squared off": (z_of(Gate("RX", (0,), PI * PI - X)),
                       lambda x, t: torch.cos(x[:, 0] - np.pi**2 - 1e-12)),
    "root two off": (z_of(Gate("H", (0,)), Gate("RY", (0,), X)),
                     lambda x, t: -torch.sin(x[:, 0]) * (2**0.5 / 2 + 1e-12) * 2**0.5),
    "only at x = 0": (COSINE, lambda x, t: torch.cos(x[:, 0]) + 0 * x[:, 0] + t[0] * x[:, 0]),
    "on a grid": (COSINE, lambda x, t: torch.cos(x[:, 0]) + torch.sin(64 * x[:, 0])),
    "at theta = 0": (COSINE, lambda x, t: torch.cos(x[:, 0]) + torch.sin(t[0])),
}  # fmt: skip


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_with_constants_is_proved(name):
    circuit, function = IDENTITIES[name]
    assert identity(circuit, CounterpartSource(function, Sizes(1, (1,)))).equal


@pytest.mark.parametrize("name", FALSE)
def test_a_near_miss_is_not(name):
    circuit, function = FALSE[name]
    assert not identity(circuit, CounterpartSource(function, Sizes(1, (1,)))).equal


@pytest.mark.parametrize("theta", [0.3, 2**-0.5, np.pi / 7, 0.7390851332151607])
def test_fixed_parameters_are_read_alike_on_both_sides(theta):
    circuit = z_of(Gate("RX", (0,), X * T + T))
    given = np.array([theta])
    right = CounterpartSource(lambda x, t: torch.cos(x[:, 0] * t[0] + t[0]), Sizes(1, (1,)))
    wrong = CounterpartSource(
        lambda x, t: torch.cos(x[:, 0] * t[0] + t[0] * (1 + 1e-12)), Sizes(1, (1,))
    )
    assert identity(circuit, right, theta=given).equal
    assert not identity(circuit, wrong, theta=given).equal
