"""Comparing numbers: scale, places, what is not finite."""

from __future__ import annotations

import numpy as np
import pytest

from qrun_equiv.certificate import FEATURES, OUTPUTS, Check
from qrun_equiv.checks import Finding, Place, compare
from qrun_equiv.errors import UndecidedError
from qrun_equiv.witness import odd_one_out

THETA = np.zeros(2)


def locate(row, column):
    return Place(np.array([float(row)]), THETA, column)


def test_the_largest_relative_error_is_found_with_its_place():
    one = np.zeros((4, 2))
    two = one.copy()
    two[2, 1], two[3, 0] = 1e-3, 5e-3
    (finding,) = compare(
        "outputs", {"a": one, "b": two}, np.array([1.0, 0.1]), 1e-9, "here", locate
    )
    assert finding.check.error == pytest.approx(1e-2)  # 1e-3 at scale 0.1 outweighs 5e-3 at 1
    assert (finding.place.x[0], finding.place.output) == (2.0, 1)
    assert finding.values == (0.0, 1e-3)
    assert finding.check.status == "failed"
    assert finding.check.evaluations == 4


def test_every_pair_of_sources_is_compared():
    stacks = {name: np.full((1, 1), float(i)) for i, name in enumerate("abc")}
    findings = compare("outputs", stacks, np.ones(1), 0.5, "", locate)
    assert [f.check.between for f in findings] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [f.check.error for f in findings] == [1.0, 2.0, 1.0]


def test_the_bound_is_inclusive_and_no_more():
    for error, status in ((0.5, "passed"), (0.5000001, "failed")):
        stacks = {"a": np.zeros((1, 1)), "b": np.full((1, 1), error)}
        assert compare("outputs", stacks, np.ones(1), 0.5, "", locate)[0].check.status == status


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_undecided(value):
    with pytest.raises(UndecidedError, match=r"b has a non-finite value \(outputs\) at x=\[0.0\]"):
        compare(
            "outputs",
            {"a": np.zeros((1, 1)), "b": np.full((1, 1), value)},
            np.ones(1),
            1,
            "",
            locate,
        )


def finding(name, between, status):
    return Finding(Check(name, between, "", 0.0, 0.0, 1, status))


def test_the_odd_one_out_is_unique_or_nobody():
    a, b, c = ("a", "b"), ("a", "c"), ("b", "c")

    def odd(*statuses):
        made = [finding(OUTPUTS, p, s) for p, s in zip((a, b, c), statuses, strict=True)]
        return odd_one_out(made, OUTPUTS)

    assert odd("failed", "failed", "passed") == "a"
    assert odd("passed", "failed", "failed") == "c"
    assert odd("failed", "failed", "failed") == ""
    assert odd("passed", "passed", "passed") == ""
    assert odd_one_out([finding(OUTPUTS, a, "failed")], OUTPUTS) == ""  # two sources: no majority
    assert odd_one_out([finding(OUTPUTS, a, "failed")], FEATURES) == ""
