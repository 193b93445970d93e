"""``assert_equivalent`` and the pytest plugin, as a user's own suite meets them."""

from __future__ import annotations

import pytest
from helpers import PAIR_FILE, serial_counterpart, serial_qnode

from qrun_equiv.testing import assert_different, assert_equivalent

pytest_plugins = ["pytester"]


def test_assert_equivalent_returns_the_verdict():
    assert assert_equivalent(serial_qnode(), serial_counterpart).status == "proved"


def test_assert_equivalent_fails_with_the_witness():
    with pytest.raises(AssertionError, match="witness: outputs"):
        assert_equivalent(serial_qnode(), lambda x, t: -serial_counterpart(x, t))
    with pytest.raises(AssertionError, match="reason: "):
        assert_equivalent(serial_qnode(), lambda x, t: serial_counterpart(x, t) / 0)


def test_assert_different():
    assert_different(serial_qnode(), lambda x, t: -serial_counterpart(x, t))
    with pytest.raises(AssertionError, match="not refuted"):
        assert_different(serial_qnode(), serial_counterpart)


def outcomes(pytester, *args):
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *args)
    return result.parseoutcomes(), result


def test_the_plugin_collects_pair_files_by_name(pytester):
    pytester.makepyfile(pair_mine=PAIR_FILE, other=PAIR_FILE.replace('"mine', '"other'))
    counts, _ = outcomes(pytester, "-v")
    assert counts == {"passed": 2}


def test_the_plugin_collects_named_files_and_folders(pytester):
    pytester.makepyfile(mine=PAIR_FILE)
    assert outcomes(pytester, "--qrun-pairs", "mine.py")[0] == {"passed": 2}
    assert outcomes(pytester, "--qrun-pairs", ".", "--qrun-seed", "4")[0] == {"passed": 2}
    result = pytester.runpytest_subprocess("--qrun-pairs", "none.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no such file or folder: none.py*"])


def test_a_pair_that_is_not_as_claimed_fails_with_its_verdict(pytester):
    wrong = PAIR_FILE.replace("counterpart=wrong", "counterpart=counterpart")
    pytester.makepyfile(pair_mine=wrong)
    counts, result = outcomes(pytester)
    assert counts == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["*claimed different*", "proved:*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_broken_pair_file_is_an_error(pytester):
    pytester.makepyfile(pair_mine="x = 1")
    counts, result = outcomes(pytester, "--qrun-pairs", "pair_mine.py")
    assert counts == {"errors": 1}
    result.stdout.fnmatch_lines(["*defines no Pair*"])


def test_files_of_other_projects_are_left_alone(pytester):
    pytester.makepyfile(pair_sorting="x = 1", test_pair="def test_it(): pass")
    assert outcomes(pytester)[0] == {"passed": 1}
