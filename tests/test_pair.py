"""Pairs, and the collection of pair files."""

from __future__ import annotations

import pytest
from helpers import PAIR_FILE, serial_counterpart, serial_qiskit, serial_qnode

from qrun_equiv import Pair
from qrun_equiv.certificate import Status
from qrun_equiv.errors import PairError
from qrun_equiv.pair import catalogue_folder, collect, load_file, load_pair, select, verdict_json


@pytest.fixture
def pair_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(PAIR_FILE)
    return path


def test_collects_and_verifies_a_users_file(pair_file):
    pairs = collect([pair_file])
    assert [p.name for p in pairs] == ["mine", "mine-doubled"]
    for pair in pairs:
        assert pair.path == pair_file
        verdict = pair.verify()
        assert pair.as_claimed(verdict.status)
        assert verdict.certificate.pair == pair.name
        entry = verdict_json(pair, verdict)
        assert entry["as_claimed"] is True
        assert {"name", "claim", "status", "checks", "counterexample", "seconds", "seed"} <= set(
            entry
        )


def test_a_folder_gives_its_files_but_not_helpers(pair_file):
    (pair_file.parent / "_helper.py").write_text("raise RuntimeError")
    assert len(collect([pair_file.parent])) == 2


def test_pairs_in_a_list_are_found_once(tmp_path):
    path = tmp_path / "many.py"
    path.write_text(PAIR_FILE + "\npairs = [pair, mistake]\n")
    assert len(load_file(path)) == 2


def test_a_file_can_import_its_neighbour(tmp_path):
    (tmp_path / "_neighbour_for_test.py").write_text("SCALE = 1\n")
    path = tmp_path / "mine.py"
    path.write_text("from _neighbour_for_test import SCALE\n" + PAIR_FILE)
    assert len(load_file(path)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\n", "defines no Pair"),
        ("def f(:\n", r"line 1: syntax error"),
        ("import numpy\n\nnumpy.no_such_thing\n", r"line 3: AttributeError"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
        ("from qrun_equiv import Pair\npair = Pair(name='a', counterpart=len)\n", "has no circuit"),
        ("from qrun_equiv import Pair\npair = Pair(name='', counterpart=len)\n", "needs a name"),
        (
            "from qrun_equiv import Pair\nPair(name='a', counterpart=3, pennylane=len)\n",
            "must be callable",
        ),
        (
            "import qrun_equiv as qe\nqe.Pair(name='a', counterpart=len, pennylane=len, claim='x')",
            "claim 'x'",
        ),
        ("from qrun_equiv import Pair\nPair(nam='a')\n", "TypeError"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "broken.py"
    path.write_text(content)
    with pytest.raises(PairError, match=message) as caught:
        collect([path])
    assert "broken.py" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_that_are_no_pair_files(tmp_path):
    with pytest.raises(PairError, match="no such pair file"):
        collect([tmp_path / "none.py"])
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(PairError, match="no pair file"):
        collect([tmp_path / "notes.txt"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(PairError, match="no pair files"):
        collect([tmp_path / "empty"])


def test_helpers_of_a_shell_pattern_are_passed_over(pair_file):
    helper = pair_file.parent / "_helper.py"
    helper.write_text("raise RuntimeError")
    assert len(collect([helper, pair_file])) == 2
    with pytest.raises(PairError, match="helper files"):
        collect([helper])


def test_one_pair_by_name(pair_file):
    pair = load_pair(pair_file, "mine-doubled")
    assert set(pair.sources()) == {"pennylane", "counterpart"}
    with pytest.raises(PairError, match="has no pair 'other', but mine, mine-doubled"):
        load_pair(pair_file, "other")


def test_names_are_unique(pair_file, tmp_path):
    other = tmp_path / "other.py"
    other.write_text(PAIR_FILE)
    with pytest.raises(PairError, match="two pairs are named 'mine'"):
        collect([pair_file, other])


def test_select(pair_file):
    pairs = collect([pair_file])
    assert [p.name for p in select(pairs, "DOUBLED")] == ["mine-doubled"]
    assert select(pairs, None) == pairs
    with pytest.raises(PairError, match="no pair's name contains"):
        select(pairs, "zzz")


@pytest.mark.parametrize(
    ("claim", "right"),
    [("equal", {Status.PROVED, Status.CERTIFIED, Status.SAMPLED}), ("different", {Status.REFUTED})],
)
def test_as_claimed(claim, right):
    pair = Pair(name="a", pennylane=len, counterpart=len, claim=claim)
    assert {s for s in Status if pair.as_claimed(s)} == right


def test_a_qiskit_circuit_or_its_builder():
    circuit, observable = serial_qiskit()
    for given in (circuit, lambda: circuit):
        pair = Pair(
            name="a", qiskit=given, pennylane=serial_qnode(), observable=observable,
            counterpart=serial_counterpart,
        )  # fmt: skip
        assert pair.circuits()["qiskit"] is circuit
        assert pair.verify().status is Status.PROVED


def test_data_is_loaded_when_it_is_needed():
    calls = []

    def rows():
        calls.append(1)
        return [[0.5], [1.0]]

    pair = Pair(name="a", pennylane=serial_qnode(), counterpart=serial_counterpart, data=rows)
    assert not calls
    verdict = pair.verify()
    assert calls
    assert any("2 rows of data" in c.scope for c in verdict.checks)


def test_the_catalogue_is_found():
    assert any(catalogue_folder().glob("*.py"))
