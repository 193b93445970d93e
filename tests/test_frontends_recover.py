"""Angles recovered from their values alone: exact where they can be, opaque where they can't."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.frontends.recover import recover_angles

ROUNDING = 1e-12  # relative to the sizes of an angle's terms
EXAMPLES = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=60,
    phases=(Phase.explicit, Phase.generate),  # shrinking takes minutes here
)

X0, X1, T0, T1 = feature(0), feature(1), parameter(0), parameter(1)
VARIABLES = (X0, X1, T0, T1)


def recovered(*functions: Callable[[np.ndarray, np.ndarray], float]) -> list[Angle | None]:
    """Angles of two features and two parameters."""

    def angles(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return np.array([function(x, theta) for function in functions])

    return recover_angles(angles, 2, 2)


simple = st.fractions(-5, 5, max_denominator=100)


@EXAMPLES
@given(coefficients=st.lists(simple, min_size=5, max_size=5))
@example(coefficients=[Fraction(-37, 83), *[Fraction(0)] * 3, Fraction(-93, 41)])
def test_affine_angles_with_simple_coefficients(coefficients: list[Fraction]) -> None:
    floats = [float(c) for c in coefficients]
    (angle,) = recovered(lambda x, t: floats[0] + np.dot(floats[1:], [*x, *t]))
    expected = Angle.constant(coefficients[0])
    for c, variable in zip(coefficients[1:], VARIABLES, strict=True):
        expected = expected + variable * c
    assert angle == expected


@EXAMPLES
@given(
    terms=st.dictionaries(
        st.tuples(*[st.integers(0, 2)] * 4).filter(lambda p: sum(p) <= 4),
        simple.filter(lambda c: c != 0),
        min_size=1,
        max_size=4,
    )
)
# At some lattice points the two terms nearly cancel: the rounding error is that of the terms.
@example(terms={(0, 1, 2, 0): Fraction(-22, 5), (0, 2, 2, 0): Fraction(69, 14)})
def test_polynomials_of_degree_up_to_four(terms: dict[tuple[int, ...], Fraction]) -> None:
    expected = Angle()
    for powers, c in terms.items():
        term = Angle.constant(c)
        for power, variable in zip(powers, VARIABLES, strict=True):
            term = term * variable**power
        expected = expected + term

    def by_hand(x: np.ndarray, theta: np.ndarray) -> float:
        values = np.array([*x, *theta])
        return sum(float(c) * math.prod(values ** np.array(p)) for p, c in terms.items())

    (angle,) = recovered(by_hand)
    assert angle == expected


@EXAMPLES
@given(slope=st.floats(0.01, 100), offset=st.floats(-3, 3))
def test_real_coefficients_are_read_to_rounding(slope: float, offset: float) -> None:
    (angle,) = recovered(lambda x, t: slope * x[0] + offset)
    assert angle is not None
    x = np.array([1.7, 0.0])
    scale = 1 + slope * 2 + abs(offset)
    assert abs(angle.evaluate(x, np.zeros(2)) - (slope * 1.7 + offset)) < ROUNDING * scale


@pytest.mark.parametrize("slope", [0.7390851332151607, math.sqrt(2), math.e, 1 / 7, 2.6180339887])
def test_a_slope_without_offset_is_the_very_constant(slope: float) -> None:
    # Both sides of a comparison read the same float, so it must come back bit for bit.
    (angle,) = recovered(lambda x, t: slope * x[0])
    assert angle == X0 * slope


@pytest.mark.parametrize(("slope", "offset"), [(-844, -171), (672, -210), (947, 129), (300, 50)])
def test_an_offset_does_not_spoil_a_decimal_slope(slope: int, offset: int) -> None:
    # The slope's own rounding comes on top of that of the sums: else 8.44 x and 8.44 x + 1.71 have
    # two slopes, and their frequencies do not merge.
    (angle,) = recovered(lambda x, t: slope / 100 * x[0] + offset / 100)
    assert angle == X0 * Fraction(slope, 100) + Fraction(offset, 100)


def test_several_gates_at_once_keep_their_order() -> None:
    angles = recovered(
        lambda x, t: 0.3,
        lambda x, t: x[0] * x[1],
        lambda x, t: np.sin(x[0]),
        lambda x, t: -t[1],
        lambda x, t: (np.pi - x[0]) * (np.pi - x[1]) / 2,
    )
    assert angles == [
        Angle.constant(0.3),
        X0 * X1,
        None,
        -T1,
        (PI - X0) * (PI - X1) / 2,
    ]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, where there is no value
@pytest.mark.parametrize(
    "function",
    [
        lambda x, t: np.sin(x[0]),
        lambda x, t: np.arccos(x[0]),
        lambda x, t: np.exp(t[0]),
        lambda x, t: abs(x[0]),
        lambda x, t: np.sign(x[0]),
        lambda x, t: x[0] ** 5,
        lambda x, t: 1 / (x[0] - 0.123),
        lambda x, t: np.float64(1.0) / x[0],
        lambda x, t: np.sqrt(x[0]),
        lambda x, t: np.nan,
        lambda x, t: np.inf * x[0],
        lambda x, t: x[0] + 1e-10 * np.sin(9 * x[1]),
        lambda x, t: np.round(x[0], 3),
        lambda x, t: float(np.float32(x[0])),
        lambda x, t: np.clip(x[0], -1, 1),
        lambda x, t: np.clip(x[0], -np.pi, np.pi),
        lambda x, t: max(t[0], -4.0),
    ],
)
def test_what_is_no_polynomial_is_opaque(
    function: Callable[[np.ndarray, np.ndarray], float],
) -> None:
    assert recovered(function, lambda x, t: x[1]) == [None, X1]


def test_zero_on_the_lattice_is_not_taken_for_zero() -> None:
    # It vanishes at every whole number, where the coefficients come from.
    assert recovered(lambda x, t: np.sin(np.pi * x[0])) == [None]


def test_many_variables_cost_as_many_evaluations() -> None:
    calls = []

    def angles(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        calls.append(1)
        return np.array([0.5 * theta[k] * x[0] if k % 2 else theta[k] - x[1] for k in range(60)])

    found = recover_angles(angles, 2, 60)
    expected = [parameter(k) * X0 / 2 if k % 2 else parameter(k) - X1 for k in range(60)]
    assert found == expected
    assert len(calls) < 500  # a full lattice of degree 2 in 62 variables has 2016 points


def test_a_product_of_many_factors_is_refused_quickly() -> None:
    (angle,) = recover_angles(lambda x, t: np.array([np.prod(x)]), 6, 0)
    assert angle is None  # degree 6


def test_the_answer_does_not_depend_on_the_seed() -> None:
    def angles(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return np.array([x[0] * theta[0] + 0.1])

    assert {recover_angles(angles, 1, 1, seed=s)[0] for s in range(4)} == {X0 * T0 + 0.1}


def test_no_variables_at_all() -> None:
    assert recover_angles(lambda x, t: np.array([0.5]), 0, 0) == [Angle.constant(0.5)]
    assert recover_angles(lambda x, t: np.zeros(0), 1, 1) == []
