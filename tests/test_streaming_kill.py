"""Killed at any point and continued: no row lost, none twice, the same bytes."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import sys
import warnings

import numpy as np
import pytest
import torch
from campaign import streaming as campaign
from streaming_cases import THETA, beside, counterpart, forked, kill_when, make_pair, rows

from qrun_equiv.errors import DataError
from qrun_equiv.streaming import BoundError, RunError, journal, run, verify_manifest
from qrun_equiv.streaming import run as run_function
from qrun_equiv.streaming.journal import Journal, Totals
from qrun_equiv.streaming.manifest import manifest_path
from qrun_equiv.streaming.output import Output

ROWS, CHUNK = 200_000, 4096
#: In float32 errors are not 0, so counts say which rows were checked.
OFTEN = {"chunk": CHUNK, "commit_seconds": 0.0, "dtype": "float32"}
SMALL = {"chunk": 100, "commit_seconds": 0.0}


class Killed(BaseException):
    """Stands for SIGKILL, at a place that a signal would hardly hit."""


@pytest.fixture(scope="module")
def pair():
    return make_pair()


@pytest.fixture(scope="module")
def certificate(pair, tmp_path_factory):
    return pair.verify().certificate.save(tmp_path_factory.mktemp("kill") / "c.json")


@pytest.fixture
def data(tmp_path):
    np.save(tmp_path / "in.npy", rows(1000))
    return tmp_path / "in.npy"


@pytest.fixture
def whole(pair, certificate, data, tmp_path):
    """An undisturbed run's output."""
    run(pair, certificate, data, tmp_path / "whole.npy", **SMALL)
    return tmp_path / "whole.npy"


def stop_after(chunks):
    """A progress that ends the run there."""
    left = iter(range(chunks - 1, -1, -1))

    def progress(*_):
        if not next(left):
            raise Killed

    return progress


def interrupted(pair, certificate, data, output, chunks=5, **options):
    with pytest.raises(Killed):
        run(pair, certificate, data, output, **(SMALL | options), progress=stop_after(chunks))


@pytest.mark.parametrize("kind", ["npy", "parquet"])
def test_two_real_kills(pair, certificate, kind, tmp_path):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    data, rng = tmp_path / "in.npy", np.random.default_rng(3)
    np.save(data, rows(ROWS))
    whole, output = tmp_path / f"whole.{kind}", tmp_path / f"killed.{kind}"
    made = run(pair, certificate, data, whole, **OFTEN)
    for part in range(2):
        until = int((part + rng.uniform(0.2, 1)) * ROWS / 3)
        process = forked(pair, certificate, data, output, pause=0.005, **OFTEN)
        kill_when(process, lambda until=until: campaign.rows_done(output) >= until)
        assert until <= campaign.rows_done(output) < ROWS
        assert not output.exists()
    again = run(pair, certificate, data, output, **OFTEN)
    assert output.read_bytes() == whole.read_bytes()
    assert again["resumed"] == 2
    assert again["rows"] == ROWS
    for name in ("check", "rows not finite", "batches", "parameters"):
        assert again[name] == made[name]  # nothing was counted twice
    assert again["output"]["sha256"] == made["output"]["sha256"]
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith("killed")) == [
        output.name, manifest_path(output).name,
    ]  # fmt: skip
    verify_manifest(output)


@pytest.mark.slow
def test_the_campaign_in_small(capsys):
    options = ["--rows", "20000000", "--chunk", "65536", "--commit", "0.05"]
    assert campaign.main(options) == 0
    assert "identical          yes" in capsys.readouterr().out


@pytest.mark.parametrize("chunks", [1, 5, 10])
def test_goes_on_where_it_was(pair, certificate, data, whole, chunks, tmp_path):
    output = tmp_path / "out.npy"
    interrupted(pair, certificate, data, output, chunks)
    assert campaign.rows_done(output) == 100 * chunks
    seen = []
    made = run(pair, certificate, data, output, **SMALL, progress=lambda t, _: seen.append(t.rows))
    assert seen == list(range(100 * chunks + 100, 1001, 100))
    assert output.read_bytes() == whole.read_bytes()
    assert made["resumed"] == 1


def damage(output, what):
    partial, log = beside(output, "partial"), beside(output, "journal")
    data, text = partial.read_bytes(), log.read_bytes()
    if what == "rows beyond the journal":
        partial.write_bytes(data + b"\x55" * 777)
    elif what == "a torn line":
        log.write_bytes(text[:-9])
    elif what == "a line begun":
        log.write_bytes(text + b"0123 {")
    elif what == "a line of other numbers":
        lines = text.split(b"\n")
        lines[-2] = lines[-2].replace(b'"rows":500', b'"rows":501')
        log.write_bytes(b"\n".join(lines))
    elif what == "a shorter output":
        partial.write_bytes(data[:-1])
    elif what == "a wrong byte in the middle":
        partial.write_bytes(data[:2500] + bytes([data[2500] ^ 1]) + data[2501:])
    elif what == "no output":
        partial.unlink()
    elif what == "an empty journal":
        log.write_bytes(b"")
    elif what == "half a first line":
        log.write_bytes(text[:50])


@pytest.mark.parametrize(
    ("what", "stands"),
    [
        ("nothing", 500),
        ("rows beyond the journal", 500),
        ("a torn line", 400),
        ("a line begun", 500),
        ("a line of other numbers", 400),
        ("a shorter output", 400),
        ("a wrong byte in the middle", 100),
        ("no output", 0),
        ("an empty journal", 0),
        ("half a first line", 0),
    ],
)
def test_what_a_crash_leaves(pair, certificate, data, whole, what, stands, tmp_path):
    output = tmp_path / "out.npy"
    interrupted(pair, certificate, data, output)
    damage(output, what)
    interrupted(pair, certificate, data, output, chunks=1)  # and once more, on what was left
    seen = []
    run(pair, certificate, data, output, **SMALL, progress=lambda t, _: seen.append(t.rows))
    assert seen[0] == stands + 200
    assert output.read_bytes() == whole.read_bytes()
    verify_manifest(output)


@pytest.mark.parametrize("kind", ["npy", "parquet"])
@pytest.mark.parametrize("step", ["assemble", "record", "publish", "remove"])
def test_killed_in_the_last_steps(pair, certificate, data, kind, step, tmp_path, monkeypatch):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    whole, output = tmp_path / f"whole.{kind}", tmp_path / f"out.{kind}"
    run(pair, certificate, data, whole, **SMALL)
    module = sys.modules[run_function.__module__]
    place = {"assemble": Output, "publish": Output, "remove": Journal, "record": module}
    for after in (False, True):
        original = getattr(place[step], step)

        def stop(*args, original=original, after=after, **named):
            if after:
                original(*args, **named)
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(place[step], step, stop)
            with pytest.raises(Killed):
                run(pair, certificate, data, output, **SMALL, overwrite=after)
        if step == "remove" and after:
            with pytest.raises(RunError, match="exists"):  # that run was over
                run(pair, certificate, data, output, **SMALL)
        else:
            run(pair, certificate, data, output, **SMALL)
        assert output.read_bytes() == whole.read_bytes()
        verify_manifest(output)
        left = [p.name for p in tmp_path.iterdir() if p.name.startswith(output.name + ".")]
        assert left == [manifest_path(output).name]


def test_a_pipe_goes_on_where_it_was(pair, certificate, data, whole, tmp_path):
    output = tmp_path / "out.npy"
    with data.open("rb") as stream:
        interrupted(pair, certificate, stream, output)
    other = tmp_path / "other.npy"
    changed = np.load(data)
    changed[0, 0] += 1e-9
    np.save(other, changed)
    with other.open("rb") as stream, pytest.raises(DataError, match="first 500 rows differ"):
        run(pair, certificate, stream, output, **SMALL)
    with data.open("rb") as stream:
        made = run(pair, certificate, stream, output, **SMALL)
    assert output.read_bytes() == whole.read_bytes()
    assert (made["resumed"], made["rows"]) == (2, 1000)


def test_a_pipe_that_was_stopped_goes_on(pair, certificate, data, whole, tmp_path):
    """What was read of it is more than what was written."""
    output = tmp_path / "out.npy"

    def broken(x):
        out = counterpart(x, torch.tensor(THETA, dtype=x.dtype))
        return out + (1 if 300 <= written[0] < 400 and len(x) == 100 else 0)

    written, given = [0], {"evaluate": broken, "name": "counterpart", **SMALL}
    with data.open("rb") as stream, pytest.raises(BoundError):
        run(pair, certificate, stream, output, **given,
            progress=lambda t, _: written.__setitem__(0, t.rows))  # fmt: skip
    assert campaign.rows_done(output) == 300
    with data.open("rb") as stream:
        run(pair, certificate, stream, output, **SMALL)
    assert output.read_bytes() == whole.read_bytes()


def test_the_journal_is_of_this_run_only(pair, certificate, data, whole, tmp_path):
    output = tmp_path / "out.npy"
    interrupted(pair, certificate, data, output)
    other = tmp_path / "other.npy"
    np.save(other, rows(1000, seed=1))
    x = {"evaluate": lambda x: counterpart(x, torch.tensor(THETA, dtype=x.dtype)), "name": "other"}
    for changed, name in [
        ({"data": other}, "input sha256"),
        ({"columns": ["1", "0"]}, "input columns"),
        ({"parameters": [0.3, 0.7]}, "parameters"),
        ({"dtype": "float32"}, "dtype"),
        ({"chunk": 200}, "chunk"),
        ({"seed": 1}, "seed"),
        ({"check_fraction": 0.5}, "check fraction"),
        ({"native_rows": 5}, "native rows"),
        ({"tolerance": 1e-8}, "tolerance"),
        ({"unverified": True, "certificate": None}, "certificate"),
        (x, "evaluated by"),
        ({"pair": make_pair("renamed"), "unverified": True}, "pair"),
    ]:
        given = {"pair": pair, "certificate": certificate, "data": data, **SMALL, **changed}
        with pytest.raises(RunError, match=rf"is of another run: its {name} was .*--restart"):
            run(output=output, **given)
    with pytest.raises(RunError, match="with the same input, or begin anew"):
        run(pair, certificate, other, output, **SMALL)
    again = pair.verify(seed=1).certificate.save(tmp_path / "again.json")
    with pytest.raises(RunError, match="its certificate was"):
        run(pair, again, data, output, **SMALL)
    assert campaign.rows_done(output) == 500
    made = run(pair, again, data, output, **SMALL, restart=True)
    assert (made["resumed"], made["rows"]) == (0, 1000)
    assert output.read_bytes() == whole.read_bytes()


def test_nothing_of_a_longer_run_is_left(pair, certificate, data, tmp_path):
    output, few = tmp_path / "out.npy", tmp_path / "few.npy"
    interrupted(pair, certificate, data, output, chunks=9)
    np.save(few, rows(150))
    run(pair, certificate, few, output, **SMALL, restart=True)
    assert np.load(output).shape == (150, 2)
    assert output.stat().st_size == 128 + 150 * 16
    assert verify_manifest(output)["resumed"] == 0


def test_what_may_change(pair, certificate, data, whole, tmp_path):
    """A copy of the input, other commits, the outside allowed: the bytes are the same."""
    output, copy = tmp_path / "out.npy", tmp_path / "copy.npy"
    interrupted(pair, certificate, data, output)
    shutil.copy(data, copy)
    run(pair, certificate, copy, output, chunk=100, commit_seconds=9.0, allow_outside=True)
    assert output.read_bytes() == whole.read_bytes()


def test_the_threads_are_those_it_began_with(pair, certificate, data, tmp_path):
    output, seen = tmp_path / "out.npy", []
    assert torch.get_num_threads() == 1
    interrupted(pair, certificate, data, output)
    torch.set_num_threads(2)
    try:
        made = run(pair, certificate, data, output, **SMALL,
                   progress=lambda *_: seen.append(torch.get_num_threads()))  # fmt: skip
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert set(seen) == {1}
    assert made["threads"] == 1


def test_batches_that_memory_made_smaller_stay_so(pair, certificate, data, tmp_path):
    output, sizes, tight = tmp_path / "out.npy", [], [False]

    def evaluate(x):
        if tight[0] and len(x) > 60:
            raise MemoryError
        sizes.append(len(x))
        return counterpart(x, torch.tensor(THETA, dtype=x.dtype))

    def progress(totals, _):
        tight[0] = totals.rows >= 300
        if totals.rows == 500:
            raise Killed

    with pytest.raises(Killed):
        run(pair, certificate, data, output, **SMALL, evaluate=evaluate, progress=progress)
    tight[0] = False
    sizes.clear()
    made = run(pair, certificate, data, output, **SMALL, evaluate=evaluate)
    assert made["batches"] == [[300, 50]]
    assert set(sizes) == {24, 50}


def test_an_older_output_is_not_taken_for_this_run(pair, certificate, data, whole, tmp_path):
    """The rows of a complete run were lost, and an output of another run stands there."""
    output = tmp_path / "out.npy"
    run(pair, certificate, data, output, **SMALL, parameters=[1.0, 2.0])
    interrupted(pair, certificate, data, output, chunks=10, overwrite=True)
    beside(output, "partial").unlink()
    assert run(pair, certificate, data, output, **SMALL, overwrite=True)["parameters"] == THETA
    assert output.read_bytes() == whole.read_bytes()


def test_an_input_that_changes_meanwhile_stops_the_run(pair, certificate, data, tmp_path):
    def touch(totals, _):
        if totals.rows == 500:
            os.utime(data, ns=(1, 1))

    with pytest.raises(DataError, match="was changed while it was read"):
        run(pair, certificate, data, tmp_path / "out.npy", **SMALL, progress=touch)
    assert campaign.rows_done(tmp_path / "out.npy") == 500
    assert not (tmp_path / "out.npy").exists()


def test_two_runs_with_one_output(pair, certificate, data, tmp_path):
    output = tmp_path / "out.npy"

    def second(*_):
        with pytest.raises(RunError, match="another run is writing the output"):
            run(pair, certificate, data, output, **SMALL)

    run(pair, certificate, data, output, **SMALL, progress=second)
    assert verify_manifest(output)["rows"] == 1000


def test_an_output_of_somebody_else_beside_a_journal(pair, certificate, data, tmp_path):
    output = tmp_path / "out.npy"
    interrupted(pair, certificate, data, output)
    output.write_text("mine")
    for options in (SMALL, {**SMALL, "restart": True}):
        with pytest.raises(RunError, match="exists"):
            run(pair, certificate, data, output, **options)
    assert output.read_text() == "mine"
    assert run(pair, certificate, data, output, **SMALL, overwrite=True)["resumed"] == 1


def test_a_full_disk(pair, certificate, data, whole, tmp_path):
    """A real limit on the size of files, in a process of its own; then there is room again."""
    output = tmp_path / "out.npy"
    number = forked_quietly()
    if not number:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
            run(pair, certificate, data, output, **SMALL)
        except RunError as error:
            said = str(error)
            fits = "can't write" in said and "give the same command again" in said
            code = 3 if fits and isinstance(error.__cause__, OSError) else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(number, 0)
    assert os.waitstatus_to_exitcode(status) == 3
    assert 100 <= campaign.rows_done(output) <= 500
    assert run(pair, certificate, data, output, **SMALL)["resumed"] == 1
    assert output.read_bytes() == whole.read_bytes()


def forked_quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()


@pytest.mark.parametrize("full", range(1, 12))
def test_a_disk_that_is_full_at_any_write(pair, certificate, data, whole, full, tmp_path,
                                          monkeypatch):  # fmt: skip
    output, left = tmp_path / "out.npy", [full]
    original = journal.write_all

    def write(stream, data):
        left[0] -= 1
        if not left[0]:
            original(stream, memoryview(data).cast("B")[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        original(stream, data)

    with monkeypatch.context() as patch:
        patch.setattr(journal, "write_all", write)
        patch.setattr(sys.modules[run_function.__module__], "write_all", write)
        with pytest.raises(RunError, match="No space left on device; what stands is whole"):
            run(pair, certificate, data, output, **SMALL)
    assert not output.exists()
    run(pair, certificate, data, output, **SMALL)
    assert output.read_bytes() == whole.read_bytes()


def test_rows_are_on_the_disk_before_the_line_that_says_so(
    pair, certificate, data, tmp_path, monkeypatch
):
    output, synced, inodes = tmp_path / "out.npy", [], {}

    def fsync(number):
        synced.append(os.fstat(number).st_ino)

    def look(*_):
        inodes.update({beside(output, n).stat().st_ino: n for n in ("partial", "journal")})

    monkeypatch.setattr(os, "fsync", fsync)
    run(pair, certificate, data, output, **SMALL, progress=look)
    order = [inodes[number] for number in synced if number in inodes]
    # A head, then a commit before the first chunk, after each of ten, and at the end.
    assert order == ["journal", *["partial", "journal"] * 12]
    assert len(synced) == len(order) + 2  # the manifest, and the folder


def test_every_line_of_the_journal_is_checked(tmp_path):
    path = tmp_path / "j"
    log = Journal(path)
    log.begin({"a": 1}, {"threads": 1})
    for k in range(3):
        log.commit(Totals(rows=k, bytes=k))
    log.close()
    lines = path.read_bytes().splitlines(keepends=True)
    for k, line in enumerate(lines):
        for at in (0, 20, len(line) - 3):
            wrong = line[:at] + bytes([line[at] ^ 1]) + line[at + 1 :]
            path.write_bytes(b"".join([*lines[:k], wrong, *lines[k + 1 :]]))
            log = Journal(path)
            assert len(log.entries) == max(0, k - 1)
            assert (log.identity is None) == (k == 0)
            log.close()
    assert [json.loads(line.split(b" ", 1)[1])["rows"] for line in lines[1:]] == [0, 1, 2]
