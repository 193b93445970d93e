"""Every case in every framework that has it: the exact test, and the verdict with its witness."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import pytest

import qrun_equiv as qe
from conformance.building import Case, Subject
from conformance.suite import CASES, recorded
from qrun_equiv.certificate import Status, Verdict
from qrun_equiv.circuit import Circuit
from qrun_equiv.exact import identical

#: What an equal pair must reach at least.
STRONGEST = Status.PROVED

ORDER = (Status.SAMPLED, Status.CERTIFIED, Status.PROVED)
EVERY = 4  # one case in so many has its gradients compared too

IN_EACH = [(number, case, name) for number, case in enumerate(CASES) for name in case.frameworks]
each = pytest.mark.parametrize(
    ("number", "case", "framework"), IN_EACH, ids=[f"{c.name}-{name}" for _, c, name in IN_EACH]
)


def assert_equal_verdict(verdict: Verdict) -> None:
    """Equivalent, and at least as strong as :data:`STRONGEST`."""
    assert verdict.equivalent, str(verdict)
    assert ORDER.index(verdict.status) >= ORDER.index(STRONGEST), str(verdict)


@cache
def neutral(case: Case, side: Literal["left", "right"], framework: str) -> Circuit:
    made: Subject = getattr(case, side)[framework]()
    return qe.neutral(made.circuit, observable=made.observable, **case.sizes)


def compare(case: Case, framework: str, gradients: Sequence[str] = ()) -> Verdict:
    """The left circuit against the matrix-product counterpart of the right one."""
    left = case.left[framework]()
    counterpart = qe.derive(neutral(case, "right", framework))
    return qe.verify(
        left.circuit, counterpart, observable=left.observable, gradients=gradients, **case.sizes
    )


@each
def test_the_exact_test_agrees_with_the_claim(number: int, case: Case, framework: str) -> None:
    left, right = neutral(case, "left", framework), neutral(case, "right", framework)
    assert identical(left, right) is (case.claim == "equal")


@each
def test_the_verdict_agrees_with_the_claim(number: int, case: Case, framework: str) -> None:
    gradients = ("features", "parameters") if number % EVERY == 0 else ()
    verdict = compare(case, framework, gradients)
    if case.claim == "equal":
        assert_equal_verdict(verdict)
    elif case.claim == "different":
        assert verdict.status is Status.REFUTED, str(verdict)
        assert verdict.certificate.counterexample is not None
    else:  # a difference that no witness shows: neither refuted nor more than sampled
        assert verdict.status is Status.SAMPLED, str(verdict)


@pytest.mark.parametrize(
    "case", [c for c in CASES if len(c.frameworks) > 1], ids=lambda case: case.name
)
def test_both_frameworks_mean_the_same_circuits(case: Case) -> None:
    one, other = case.frameworks
    assert identical(neutral(case, "left", one), neutral(case, "left", other))
    assert identical(neutral(case, "right", one), neutral(case, "right", other))


def test_the_suite_is_as_large_as_it_says() -> None:
    both = [c for c in CASES if len(c.frameworks) > 1]
    unequal = [c for c in both if c.claim != "equal"]
    assert len({c.name for c in CASES}) == len(CASES)
    assert len(both) >= 60
    assert 2 * len(unequal) >= len(both)


def test_what_the_other_tool_answers_is_recorded_for_every_case() -> None:
    # After a change of the cases: python tests/conformance/peers.py --write
    assert list(recorded()) == [c.name for c in CASES if "qiskit" in c.frameworks]
