"""For a user's own test suite: ``assert_equivalent`` in place of ``allclose`` at some points."""

from __future__ import annotations

from typing import Any

from qrun_equiv.certificate import Status, Verdict
from qrun_equiv.verification import verify


def assert_equivalent(circuit: Any, counterpart: Any, **options: Any) -> Verdict:
    """Assert that a counterpart is what a circuit is; arguments as for :func:`qrun_equiv.verify`.

    Example::

        def test_my_layer():
            assert_equivalent(my_qnode, MyLayer().double(), n_features=1, n_parameters=9)

    Returns:
        The verdict, for further assertions.

    Raises:
        AssertionError: refuted (with the witness) or undecided (with the reason).
    """
    __tracebackhide__ = True  # pytest: point at the test's line
    verdict = verify(circuit, counterpart, **options)
    if not verdict.equivalent:
        raise AssertionError(f"not equivalent\n{verdict}")
    return verdict


def assert_different(circuit: Any, counterpart: Any, **options: Any) -> Verdict:
    """Assert that a counterpart is refuted: a mistake that must be caught.

    Raises:
        AssertionError: the verdict is another one.
    """
    __tracebackhide__ = True
    verdict = verify(circuit, counterpart, **options)
    if verdict.status is not Status.REFUTED:
        raise AssertionError(f"not refuted\n{verdict}")
    return verdict
