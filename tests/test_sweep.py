"""Sweeps: what travels to workers, the journal, and a killed run that goes on."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import PAIR_FILE
from test_backends import dask_scheduler, gone, processes, starts, worker_command

from qrun_equiv.backends import shipping
from qrun_equiv.backends.journal import Journal, JournalError
from qrun_equiv.backends.mapping import BackendError, Failure, map_unordered
from qrun_equiv.backends.shipping import bundle, place
from qrun_equiv.certificate import Certificate
from qrun_equiv.errors import DataError, PairError, QrunEquivError
from qrun_equiv.pair import catalogue_folder, collect
from qrun_equiv.runner import Task, pack, run
from qrun_equiv.sweep import cost, running
from qrun_equiv.sweep.command import sweep_command
from qrun_equiv.sweep.items import make_items, read_parameter_sets
from qrun_equiv.sweep.running import EVALUATED, exit_code, measure, summary, sweep

VERSIONS = {"Python": "3", "torch": "2"}
HELPED = PAIR_FILE.replace("import torch\n", "import torch\nfrom _factor import FACTOR\n").replace(
    "theta[0])\n\n\ndef wrong", "FACTOR * theta[0])\n\n\ndef wrong"
)


@pytest.fixture
def file(tmp_path):
    """A pair file with a helper beside it, in a folder of its own."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / "_factor.py").write_text("FACTOR = 1\n")
    (folder / "mine.py").write_text(HELPED)
    return folder / "mine.py"


@pytest.fixture
def here(monkeypatch):
    """Run items in this process, so that a test of the sweep itself starts no workers."""
    calls = []

    def map_here(function, items, **options):
        for index, item in enumerate(items):
            calls.append((item, options))
            yield index, function(item)

    monkeypatch.setattr(running, "map_unordered", map_here)
    return calls


# --- what travels --------------------------------------------------------------------------------


def test_a_file_is_used_in_place_where_it_is_the_same(file):
    files = bundle(file)
    assert [f.name for f in files.files] == ["_factor.py", "mine.py"]
    assert place(files) == file
    (file.parent / "_factor.py").write_text("FACTOR = 2\n")
    with pytest.raises(BackendError, match=r"_factor\.py on .* is another copy"):
        place(files)
    (file.parent / "_factor.py").unlink()
    with pytest.raises(BackendError, match=r"_factor\.py on .* is missing"):
        place(files)
    assert bundle(file).digest != files.digest


def test_where_there_is_no_such_file_what_was_sent_is_used(file):
    files = pack(collect([file])[0])
    shutil.rmtree(file.parent)
    placed = place(files)
    assert placed.parent != file.parent
    assert placed.read_text() == HELPED
    assert place(files) == placed
    assert placed.parent.stat().st_mode & 0o077 == 0  # what is executed is this user's alone
    assert Task(files, "mine").load().name == "mine"
    with pytest.raises(PairError, match="no pair 'other'"):
        Task(files, "other").load()


def test_modules_beside_the_file_travel_with_it_and_others_do_not(tmp_path):
    (tmp_path / "a.py").write_text("import b.c, torch, json\nfrom d import e\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "__init__.py").write_text("")
    (tmp_path / "b" / "c.py").write_text("def f():\n    import g\n")
    (tmp_path / "d.py").write_text("import a\n")
    for other in ("e", "g", "unused"):
        (tmp_path / f"{other}.py").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.json").write_text("[]")
    names = [f.name for f in bundle(tmp_path / "a.py").files]
    assert names == ["a.py", "b/__init__.py", "b/c.py", "d.py", "g.py"]
    more = bundle(tmp_path / "a.py", [tmp_path / "data"])
    assert "data/x.json" in [f.name for f in more.files]
    with pytest.raises(BackendError, match="in or below that folder"):
        bundle(tmp_path / "b" / "c.py", [tmp_path / "d.py"])
    with pytest.raises(BackendError, match="can't read"):
        bundle(tmp_path / "a.py", [tmp_path / "nothing.json"])


def test_a_file_that_is_too_large_to_send_has_to_be_shared(tmp_path, monkeypatch):
    monkeypatch.setattr(shipping, "LARGEST", 10)
    (tmp_path / "rows.npy").write_bytes(b"0123456789")
    assert bundle(tmp_path / "rows.npy").files[0].content is not None
    (tmp_path / "rows.npy").write_bytes(b"0123456789a")
    files = bundle(tmp_path / "rows.npy")
    assert files.files[0].content is None
    assert place(files) == tmp_path / "rows.npy"
    (tmp_path / "rows.npy").unlink()
    with pytest.raises(BackendError, match=r"too large to send.*same path"):
        place(files)


def test_the_catalogue_is_looked_up_in_the_worker_s_own():
    pair = next(p for p in collect([catalogue_folder()]) if p.qasm is not None)
    files = pack(pair)
    assert files.folder == ""
    assert any(f.name.endswith(".qasm") for f in files.files)
    assert place(files, catalogue_folder()) == pair.path


def test_a_worker_s_other_copy_is_a_loss_and_no_verdict(file):
    files = pack(collect([file])[0])
    (file.parent / "_factor.py").write_text("FACTOR = 2\n")
    ((_, bad),) = map_unordered(place, [files], jobs=1)
    assert bad.lost
    assert "another copy" in bad.reason


# --- the journal ---------------------------------------------------------------------------------


def test_a_journal_keeps_what_was_written_and_drops_a_torn_line(tmp_path):
    path = tmp_path / "new" / "journal.jsonl"
    with Journal(path, VERSIONS) as journal:
        journal.append({"key": "a", "n": 1})
        journal.append({"key": "b", "n": 2})
        journal.append({"key": "a", "n": 3})
    whole = path.read_bytes()
    for cut in range(1, len('{"key":"a","n":3}\n')):
        path.write_bytes(whole[:-cut])
        with Journal(path, VERSIONS) as journal:
            assert [line["n"] for line in journal.lines.values()] == [1, 2]
            journal.append({"key": "c", "n": 4})
        with Journal(path, VERSIONS) as journal:
            assert [line["n"] for line in journal.lines.values()] == [1, 2, 4]
    path.write_bytes(whole)
    with Journal(path, VERSIONS) as journal:
        assert {k: line["n"] for k, line in journal.lines.items()} == {"a": 3, "b": 2}


def test_a_journal_torn_in_its_first_line_begins_anew(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_text('{"kind":"qrun-eq')
    with Journal(path, VERSIONS) as journal:
        assert journal.lines == {}
    assert json.loads(path.read_text())["versions"] == VERSIONS


def test_a_journal_is_refused_where_it_can_not_be_trusted(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path, VERSIONS) as journal:
        journal.append({"key": "a"})
        with pytest.raises(JournalError, match="another process is writing"):
            Journal(path, VERSIONS)
    with pytest.raises(JournalError, match=r"other versions \(torch 2 then, 3 now\)"):
        Journal(path, {**VERSIONS, "torch": "3"})
    good = path.read_text()
    for bad in ('{"key":\n', "[]\n", '{"n":1}\n'):
        path.write_text(good + bad + '{"key":"b"}\n')
        with pytest.raises(JournalError, match="line 3, is damaged: remove that line"):
            Journal(path, VERSIONS)
    path.write_text('{"something": "else"}\n')
    with pytest.raises(JournalError, match="no journal"):
        Journal(path, VERSIONS)
    with pytest.raises(JournalError, match="can't write"):
        Journal(path / "below", VERSIONS)


def test_a_full_disk_is_said_and_what_was_written_is_kept(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path, VERSIONS) as journal:
        journal.append({"key": "a"})
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 9, old[1]))
            with pytest.raises(JournalError, match="make room, and start the same command"):
                journal.append({"key": "b" * 20})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
            signal.signal(signal.SIGXFSZ, ignored)
    with Journal(path, VERSIONS) as journal:
        assert list(journal.lines) == ["a"]
        journal.append({"key": "c"})
    with Journal(path, VERSIONS) as journal:
        assert list(journal.lines) == ["a", "c"]


# --- items ---------------------------------------------------------------------------------------


def test_items_are_pairs_times_seeds_times_parameter_sets(file):
    pairs = collect([file])
    items = make_items(pairs, parameter_sets=3, seed=5, seeds=2)
    assert [(i.task.pair, i.task.seed, i.number) for i in items] == [
        (name, seed, n) for name in ("mine", "mine-doubled") for seed in (5, 6) for n in range(3)
    ]
    assert len({item.key for item in items}) == 12
    longer = make_items(pairs, parameter_sets=7, seed=5, seeds=2)
    assert {item.key for item in items} < {item.key for item in longer}
    assert items[0].task.parameters != items[1].task.parameters
    assert all(abs(v) <= np.pi for item in longer for v in item.task.parameters)
    given = np.array([[0.25], [0.5]])
    assert [i.task.parameters for i in make_items(pairs[:1], parameter_sets=given)] == [
        (0.25,),
        (0.5,),
    ]


def test_a_key_tells_apart_all_that_a_result_depends_on(file, tmp_path):
    (item,) = make_items(collect([file])[:1], parameter_sets=1)
    np.save(tmp_path / "rows.npy", np.zeros((2, 1)))
    task = item.task
    others = [
        replace(item, rows=bundle(tmp_path / "rows.npy")),
        *(
            replace(item, task=replace(task, **change))
            for change in (
                {"pair": "other"},
                {"level": "sampled"},
                {"seed": 1},
                {"parameters": (np.nextafter(task.parameters[0], 4),)},
                {"parameters": None},
            )
        ),
    ]
    (file.parent / "_factor.py").write_text("FACTOR = 2\n")
    others.append(replace(item, task=replace(task, files=bundle(file))))
    assert len({one.key for one in [item, *others]}) == 8
    assert replace(item, number=9).key == item.key


def test_bad_parameter_sets_and_rows_are_refused(file, tmp_path):
    pairs, path = collect([file]), tmp_path / "x.npy"
    with pytest.raises(DataError, match=r"needs parameter sets \[sets, 1\], got \[4, 2\]"):
        make_items(pairs, parameter_sets=np.zeros((4, 2)))
    for bad in (np.zeros(3), np.array([[np.nan]]), np.zeros((0, 1)), np.array([["a"]])):
        np.save(path, bad)
        with pytest.raises(QrunEquivError, match=r"x\.npy|real numbers"):
            read_parameter_sets(path)
    path.write_bytes(b"no numbers")
    with pytest.raises(DataError, match="no NPY file"):
        read_parameter_sets(path)
    with pytest.raises(DataError, match="can't read"):
        read_parameter_sets(tmp_path / "none.npy")
    np.save(path, np.zeros((4, 2)))
    with pytest.raises(DataError, match=r"finite rows \[rows, 1\], got \[4, 2\]"):
        make_items(pairs, rows=path, parameter_sets=1)
    np.save(path, np.zeros((4, 1)))
    with pytest.raises(DataError, match="at which parameters"):
        make_items(pairs, rows=path)
    fixed = PAIR_FILE.replace("n_parameters=1", "n_parameters=0").replace("theta[0]", "0.3")
    file.write_text(fixed.replace("torch.cos(0.3)", "0.5").replace("torch.cos(2 * 0.3)", "0.5"))
    with pytest.raises(DataError, match="has no parameters"):
        make_items(collect([file]), parameter_sets=2)


# --- sweeps --------------------------------------------------------------------------------------


def test_a_sweep_writes_a_line_and_a_certificate_an_item(file, tmp_path, here):
    items = make_items(collect([file]), parameter_sets=2, level="sampled")
    lines = list(sweep(items, tmp_path / "out"))
    assert [line["key"] for line in lines] == [item.key for item in items]
    assert [line["status"] for line in lines] == ["sampled", "sampled", "refuted", "refuted"]
    assert [line["set"] for line in lines] == [0, 1, 0, 1]
    assert all(line["as_claimed"] for line in lines)
    for item, line in zip(items, lines, strict=True):
        certificate = Certificate.load(tmp_path / "out" / line["file"])
        assert certificate.status.value == line["status"]
        assert np.ravel(certificate.settings["parameters"]).tolist() == list(item.task.parameters)
        assert line["errors"]["outputs"] <= 1e-9 or line["status"] == "refuted"
    body = summary(items, tmp_path / "out")
    assert (body["items"], body["done"], body["as_claimed"], body["lost"]) == (4, 4, 4, 0)
    assert body["pairs"]["mine"]["statuses"] == {"sampled": 2}
    assert body == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert exit_code(items, tmp_path / "out") == 0
    count = len(here)
    assert list(sweep(items, tmp_path / "out")) == []
    assert len(here) == count


def test_a_lost_item_is_recorded_and_runs_again_and_a_failed_one_does_not(
    file, tmp_path, here, monkeypatch
):
    items = make_items(collect([file])[:1], parameter_sets=3, level="sampled")
    answers = {0: Failure("its worker died", lost=True), 1: Failure("ValueError: no", lost=False)}

    def failing(item):
        return answers.get(item.number) or measure(item)

    with monkeypatch.context() as patch:
        patch.setattr(running, "measure", failing)
        first = list(sweep(items, tmp_path))
    assert [(line["status"], line["lost"]) for line in first] == [
        ("undecided", True),
        ("undecided", False),
        ("sampled", False),
    ]
    assert first[0]["reason"] == "its worker died"
    body = summary(items, tmp_path)
    assert (body["done"], body["lost"], exit_code(items, tmp_path)) == (2, 1, 3)
    assert [line["key"] for line in sweep(items, tmp_path)] == [items[0].key]
    body = summary(items, tmp_path)
    assert (body["done"], body["lost"], body["as_claimed"]) == (3, 0, 2)


def test_the_exit_code_is_of_the_worst(file, tmp_path, here):
    unclaimed = file.with_name("unclaimed.py")
    unclaimed.write_text(HELPED.replace('    claim="different",\n', ""))
    items = make_items(collect([unclaimed]), level="sampled")
    assert exit_code(items, tmp_path) == 3  # nothing is done yet
    lines = list(sweep(items, tmp_path))
    assert [line["as_claimed"] for line in lines] == [True, False]
    assert exit_code(items, tmp_path) == 1
    assert exit_code(items[:1], tmp_path) == 0


def test_rows_are_evaluated(file, tmp_path, here):
    x = np.linspace(-3, 3, 7)[:, None]
    np.save(tmp_path / "rows.npy", x)
    items = make_items(collect([file])[:1], parameter_sets=2, rows=tmp_path / "rows.npy")
    for item, line in zip(items, sweep(items, tmp_path / "out"), strict=True):
        values = np.load(tmp_path / "out" / line["file"])
        assert values.dtype == np.float64
        expected = np.cos(x) * np.cos(item.task.parameters[0])
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-15)
        assert (line["status"], line["shape"]) == (EVALUATED, [7, 1])
    assert exit_code(items, tmp_path / "out") == 0


def test_equal_items_are_one(file, tmp_path, here):
    items = make_items(collect([file])[:1], parameter_sets=np.full((3, 1), 0.5), level="sampled")
    assert len(list(sweep(items, tmp_path))) == 1
    assert summary(items, tmp_path)["items"] == 1


def sweep_process(path, output, count):
    """A sweep of ``count`` parameter sets in a process of its own, which notes each start."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_sweep as t; t.noted_sweep(*sys.argv[2:4], int(sys.argv[4]))\n"
    )
    tests = str(Path(__file__).parent)
    return [sys.executable, "-c", script, tests, str(path), str(output), str(count)]


def noted_sweep(path, output, count):
    items = make_items(collect([path])[:1], parameter_sets=count, level="sampled")
    list(sweep(items, Path(output), jobs=1))


def test_a_killed_sweep_goes_on_and_nothing_is_lost_or_done_twice(file, tmp_path):
    notes, output, count = tmp_path / "notes", tmp_path / "out", 30
    notes.mkdir()
    # The pair notes each time it is loaded by a worker, so that the workers are known.
    file.write_text(
        HELPED + "import os, time, pathlib\n"
        f"pathlib.Path({str(notes)!r}, f'0-{{os.getpid()}}-{{time.time_ns()}}').touch()\n"
    )
    journal = output / "journal.jsonl"
    with processes(sweep_process(file, output, count)) as (process,):
        end = time.monotonic() + 100
        while not journal.exists() or len(journal.read_text().splitlines()) < 4:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        process.kill()
        process.wait()
        assert gone({pid for _, pid in starts(notes)})
    before = journal.read_bytes()
    done = len(before[: before.rfind(b"\n") + 1].splitlines()) - 1
    assert 3 <= done < count
    items = make_items(collect([file])[:1], parameter_sets=count, level="sampled")
    keys = {item.key for item in items}
    new = [line["key"] for line in sweep(items, output, jobs=1)]
    lines = [json.loads(text) for text in journal.read_text().splitlines()[1:]]
    assert Counter(line["key"] for line in lines) == dict.fromkeys(keys, 1)
    assert len(new) == count - done
    assert exit_code(items, output) == 0
    files = {path.stem for path in (output / "certificates").iterdir() if path.suffix == ".json"}
    assert files == keys


@pytest.mark.slow
def test_a_sweep_over_dask_sends_the_files_and_outlives_a_worker(file, tmp_path):
    with (
        dask_scheduler(tmp_path) as (address, _),
        processes(*[worker_command(address)] * 2),
    ):
        items = make_items(collect([file]), parameter_sets=6, level="sampled")
        shutil.rmtree(file.parent)  # as on a machine that does not have it
        killed = False
        lines = []
        for line in sweep(items, tmp_path / "out", backend="dask", scheduler=address):
            lines.append(line)
            if not killed:
                killed = True
                distributed = pytest.importorskip("distributed")
                with distributed.Client(address, set_as_default=False) as client:
                    pids = client.run(os.getpid)
                os.kill(next(iter(pids.values())), signal.SIGKILL)
        assert sorted(line["key"] for line in lines) == sorted(item.key for item in items)
        assert Counter(line["status"] for line in lines) == {"sampled": 6, "refuted": 6}
        assert exit_code(items, tmp_path / "out") == 0


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "dask"])
def test_verify_on_a_backend_gives_each_pair_its_verdict(file, tmp_path, backend):
    pairs = collect([file])
    with dask_scheduler(tmp_path) as (address, _), processes(worker_command(address)):
        options = {} if backend == "loky" else {"scheduler": address}
        found = run(pairs, jobs=2, backend=backend, **options)
        statuses = {pair.name: verdict.status.value for pair, verdict in found}
    assert statuses == {"mine": "proved", "mine-doubled": "refuted"}


def test_verify_refuses_a_backend_that_there_is_not(file):
    with pytest.raises(BackendError, match="unknown backend"):
        list(run(collect([file]), backend="cloud"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "cloud"}, "unknown backend"),
        ({"scheduler": "tcp://a:1"}, "goes with"),
        ({"level": "maybe"}, "unknown --level"),
        ({"seeds": 0}, "--seeds must be 1 or more"),
        ({"parameter_sets": "0"}, "1 or more sets"),
        ({"parameter_sets": "-3"}, "1 or more sets"),
        ({"parameter_sets": "none.npy"}, "can't read"),
    ],
)
def test_the_command_refuses_before_it_works(file, tmp_path, options, message):
    with pytest.raises(QrunEquivError, match=message):
        sweep_command(collect([file]), tmp_path / "out", **options)


def test_the_command_prints_what_it_found(file, tmp_path, here, capsys):
    np.save(tmp_path / "sets.npy", [[0.1], [0.2]])
    options = {"parameter_sets": str(tmp_path / "sets.npy"), "level": "sampled"}
    assert sweep_command(collect([file]), tmp_path / "out", **options) == 0
    text = capsys.readouterr().out
    assert "4 items run, 0 of 4 were there already" in text
    assert "2 sampled" in text
    assert "4 of 4 items as claimed" in text
    assert sweep_command(collect([file]), tmp_path / "out", **options) == 0
    assert "0 items run, 4 of 4 were there already" in capsys.readouterr().out
    unclaimed = file.with_name("unclaimed.py")
    unclaimed.write_text(HELPED.replace('    claim="different",\n', ""))
    assert sweep_command(collect([unclaimed]), tmp_path / "bad", **options) == 1
    assert "mine-doubled (seed 0, set 1): refuted  NOT AS CLAIMED" in capsys.readouterr().out


# --- what it costs -------------------------------------------------------------------------------


def test_the_cost_is_of_workers_or_of_storage_whichever_is_slower():
    job = cost.Job("a", file_bytes=8, memory_bytes=8, operations=100, rate=1e6)
    assert cost.seconds(job, 1e9, 10, storage=1e12) == pytest.approx(100)
    assert cost.seconds(job, 1e9, 10, storage=1e6) == pytest.approx(8000)
    for bad in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
        with pytest.raises(DataError, match="must be positive"):
            cost.seconds(job, *bad)
    lines = list(cost.table([job], [10, 1000], 1e9))
    assert lines[2] == "| a | 1e+09 | 8.0e+09 | 8.0e+09 | 1.0e+11 | 100.0 s | 8.0 s |"
    assert lines[3].endswith("| 27.8 h | 2.2 h |")


def test_rates_are_measured():
    layer, series = cost.measured(repeats=1, rows=4096, batch=64)
    assert layer.rate > 100
    assert series.rate > 1000
    assert (layer.file_bytes, series.file_bytes) == (4096, 8)
    assert layer.operations > 2 * 512 * 256  # the matrix product alone
