"""Many pairs: one verdict each whatever happens, and the exit code."""

from __future__ import annotations

import pytest
from helpers import serial_counterpart, serial_qnode

from qrun_equiv import Pair
from qrun_equiv.certificate import Certificate, Status, Verdict
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.runner import exit_code, run, run_pair


def pair(**options):
    given = {"name": "a", "pennylane": serial_qnode(), "counterpart": serial_counterpart}
    return Pair(**{**given, **options})


def test_an_error_of_the_user_is_a_verdict():
    def broken(x, theta):
        raise RuntimeError("two\nlines")

    verdict = run_pair(pair(counterpart=broken))
    assert verdict.status is Status.UNDECIDED
    assert "RuntimeError" in verdict.reason
    assert "two lines" in verdict.reason

    def no_data():
        raise OSError("gone")

    assert "OSError: gone" in run_pair(pair(data=no_data)).reason


def test_an_interrupt_is_not_swallowed():
    def interrupted(x, theta):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_pair(pair(counterpart=interrupted))


def test_pairs_that_come_from_no_file_run_here_only():
    pairs = [pair(), pair(name="b")]
    assert [v.status for _, v in run(pairs)] == [Status.PROVED] * 2
    with pytest.raises(QrunEquivError, match="jobs=1"):
        list(run(pairs, jobs=2))


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["sampled", "proved"], 0),
        (["sampled", "undecided"], 3),
        (["undecided", "refuted"], 1),
        (["refuted"], 1),
        ([], 0),
    ],
)
def test_exit_codes(statuses, code):
    def verdict(status):
        certificate = Certificate(Status(status), (), None, {}, {}, {})
        return Verdict(Status(status), certificate, 0.0)

    assert exit_code([(pair(), verdict(s)) for s in statuses]) == code
    if statuses == ["refuted"]:
        assert exit_code([(pair(claim="different"), verdict("refuted"))]) == 0
        assert exit_code([(pair(claim="different"), verdict("sampled"))]) == 1
