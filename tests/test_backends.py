"""Items over processes and clusters: each result once, whatever dies; nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from qrun_equiv.backends import clusters, pools
from qrun_equiv.backends.fingerprint import fingerprint, mismatch
from qrun_equiv.backends.mapping import BackendError, Failure, map_unordered

TESTS = Path(__file__).parent


def noting(folder, seconds=0.1, deadly=(), hangs=()):
    """A function of whole numbers that notes each start with its process.

    Items of ``deadly`` kill their process; those of ``hangs`` never end when first started.
    """
    # Defined here, so that it is pickled by value: a cluster's workers don't have the tests.
    folder = str(folder)

    def work(i):
        import os
        import signal
        import time
        from pathlib import Path

        first = not list(Path(folder).glob(f"{i}-*"))
        Path(folder, f"{i}-{os.getpid()}-{time.time_ns()}").touch()
        if i in deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(600 if first and i in hangs else seconds)
        return i * i

    return work


def starts(folder):
    """``(item, process)`` of every start, in order."""
    found = sorted((p.name.split("-") for p in folder.iterdir()), key=lambda parts: int(parts[2]))
    return [(int(item), int(pid)) for item, pid, _ in found]


def gone(pids, seconds=10.0):
    """Whether all processes end within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.05)
    return False


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def worker_command(scheduler, *options):
    command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler]
    return [*command, "--nthreads", "1", "--no-dashboard", *options]


@contextmanager
def processes(*commands, **options):
    """Run commands in sessions of their own; all their processes are killed at the end."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    started = []
    try:
        started.extend(subprocess.Popen(command, **quiet, **options) for command in commands)
        yield started
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def dask_scheduler(folder):
    """A Dask scheduler in a process of its own: its address."""
    file = folder / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    command += ["--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    with processes(command) as (process,):
        end = time.monotonic() + 30
        while not file.exists() or not file.read_text():
            assert time.monotonic() < end, "the scheduler does not start"
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], process.kill


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A Dask scheduler with two workers, each a process that its nanny starts again."""
    with (
        dask_scheduler(tmp_path_factory.mktemp("cluster")) as (address, _),
        processes(*[worker_command(address)] * 2),
    ):
        yield address


def kill_one_in_the_middle(folder, **options):
    """Map items over two workers, and kill the one that is at item 3 with others to come."""
    results, killed = [], None
    for index, result in map_unordered(noting(folder, hangs={3}), range(12), jobs=2, **options):
        results.append((index, result))
        at = dict(starts(folder))
        if killed is None and 3 in at:
            killed = at[3]
            os.kill(killed, signal.SIGKILL)
    assert sorted(results) == [(i, i * i) for i in range(12)]  # nothing lost, nothing twice
    counts = Counter(item for item, _ in starts(folder))
    assert counts.pop(3) == 2
    assert set(counts.values()) == {1}
    assert sum(pid == killed for _, pid in starts(folder)) < 7  # it was one worker of several


def test_a_killed_process_loses_nothing(tmp_path):
    kill_one_in_the_middle(tmp_path, backend="loky")


def test_a_killed_dask_worker_loses_nothing(tmp_path, cluster):
    kill_one_in_the_middle(tmp_path, backend="dask", scheduler=cluster)


@pytest.mark.slow
def test_a_killed_ray_worker_loses_nothing(tmp_path):
    # In a process of its own: Ray leaves threads and warnings behind.
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path; import test_backends as t\n"
        "t.kill_one_in_the_middle(Path(sys.argv[2]), backend='ray')\n"
    )
    subprocess.run([sys.executable, "-c", script, str(TESTS), str(tmp_path)], check=True)


def test_dask_leaves_the_generator_that_proofs_watch(cluster):
    """Its threads measure objects by a random sample: a counterpart would be blamed for it."""

    def drawn(i):
        import random

        from dask.sizeof import sizeof

        before = random.getstate()
        sizeof([str(k) for k in range(1000 + i)])
        return random.getstate() != before

    found = dict(map_unordered(drawn, range(4), backend="dask", scheduler=cluster))
    assert found == dict.fromkeys(range(4), False)


@pytest.mark.parametrize("backend", ["processes", "dask"])
def test_a_deadly_item_is_a_failure_and_the_others_are_done(tmp_path, cluster, backend):
    scheduler = cluster if backend == "dask" else None
    work = noting(tmp_path, 0.0, deadly={2})
    found = dict(map_unordered(work, range(6), backend=backend, jobs=2, scheduler=scheduler))
    bad = found.pop(2)
    assert found == {i: i * i for i in (0, 1, 3, 4, 5)}
    assert bad.lost
    counts = Counter(item for item, _ in starts(tmp_path))
    assert counts.pop(2) == 3
    assert "with this item, all 3 times it was started" in bad.reason
    assert set(counts.values()) == {1}  # no other item was held up or run again


def test_attempts_bound_the_deaths(tmp_path):
    ((_, bad),) = map_unordered(noting(tmp_path, 0.0, {0}), [0], jobs=1, attempts=1)
    assert bad.lost
    assert len(starts(tmp_path)) == 1
    with pytest.raises(BackendError, match="attempts"):
        map_unordered(abs, [1], attempts=0)


def test_what_an_item_raises_is_its_failure():
    def work(i):
        if i == 1:
            raise ValueError("two\nlines")
        if i == 2:
            raise SystemExit("over")
        return (lambda: i) if i == 3 else i

    found = dict(map_unordered(work, range(5), jobs=1))
    assert found[0] == 0
    assert found[1] == Failure("ValueError: two lines", lost=False)
    assert found[2] == Failure("SystemExit: over", lost=False)
    assert found[3]() == 3  # cloudpickle takes what pickle does not
    assert found[4] == 4


def test_what_can_not_be_sent_back_is_no_result():
    def work(i):
        import threading

        return threading.Lock() if i == 1 else i

    found = dict(map_unordered(work, range(3), jobs=1))
    assert found.pop(1).lost
    assert found == {0: 0, 2: 2}


def test_results_come_as_they_are_reached_and_items_are_taken_as_needed():
    taken = []

    def items():
        for i in range(6):
            taken.append(i)
            yield i

    def work(i):
        import time

        time.sleep(1.5 if i == 0 else 0.05)
        return i

    results = map_unordered(work, items(), jobs=2)
    first = next(results)
    assert first == (1, 1)
    assert len(taken) <= 3
    assert [index for index, _ in results] == [2, 3, 4, 5, 0]
    assert list(map_unordered(work, [], jobs=2)) == []


def test_an_idle_process_that_is_killed_costs_no_attempt(tmp_path):
    work = noting(tmp_path, 0.0)

    def items():
        yield 0
        while not starts(tmp_path):
            time.sleep(0.05)
        time.sleep(0.5)  # the first item is done, and its process waits
        os.kill(starts(tmp_path)[0][1], signal.SIGKILL)
        time.sleep(0.5)
        yield 1

    found = dict(map_unordered(work, items(), jobs=1, attempts=1))
    assert found == {0: 0, 1: 1}


def test_closing_ends_the_processes(tmp_path):
    results = map_unordered(noting(tmp_path, 0.3), range(100), jobs=2)
    next(results)
    results.close()
    pids = {pid for _, pid in starts(tmp_path)}
    assert gone(pids, 3.0)
    count = len(starts(tmp_path))
    time.sleep(0.5)
    assert len(starts(tmp_path)) == count < 10


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_with_the_process_that_started_them(tmp_path, ending):
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_backends import noting; from qrun_equiv.backends.mapping import map_unordered\n"
        "list(map_unordered(noting(sys.argv[2], 60), range(9), jobs=2))\n"
    )
    command = [sys.executable, "-c", script, str(TESTS), str(tmp_path)]
    with processes(command) as (process,):
        end = time.monotonic() + 60
        while len(starts(tmp_path)) < 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        pids = {pid for _, pid in starts(tmp_path)}
        assert all(map(alive, pids))
        process.send_signal(ending)
        process.wait(20)
        assert gone(pids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "threads"}, "unknown backend 'threads'; one of processes, loky, dask, ray"),
        ({"jobs": -1}, "jobs must be a whole number from 0 up"),
        ({"jobs": True}, "jobs"),
        ({"scheduler": "tcp://a:1"}, "goes with the backends dask and ray"),
        ({"scheduler": "tcp://a:1", "backend": "loky"}, "goes with the backends dask and ray"),
    ],
)
def test_options_that_make_no_sense_are_refused_at_the_call(options, message):
    with pytest.raises(BackendError, match=message):
        map_unordered(abs, [1], **options)


@pytest.mark.parametrize(
    ("backend", "module"), [("dask", "distributed"), ("ray", "ray"), ("loky", "joblib.externals")]
)
def test_a_missing_package_is_named_with_its_command(monkeypatch, backend, module):
    for name in [m for m in sys.modules if m == module or m.startswith(f"{module}.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendError, match=r"pip install .*qrun-equiv\[scale\]"):
        next(map_unordered(abs, [1], backend=backend))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.mark.parametrize("backend", ["dask", "ray"])
@pytest.mark.parametrize("host", ["127.0.0.1", "nosuchhost.invalid"])
def test_a_scheduler_that_is_not_there_is_named(backend, host, monkeypatch):
    assert pools.CONNECT_S == 10.0
    monkeypatch.setattr(clusters, "CONNECT_S", 0.5)
    address = f"{host}:{free_port()}"
    begun = time.monotonic()
    with pytest.raises(BackendError, match=f"{address} does not answer"):
        next(map_unordered(abs, [1], backend=backend, scheduler=address))
    assert time.monotonic() - begun < 4


def test_what_answers_is_no_scheduler(monkeypatch):
    class Page(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

    monkeypatch.setattr(clusters, "CONNECT_S", 1.0)
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.server_port}"
        with pytest.raises(BackendError, match="does not answer"):
            next(map_unordered(abs, [1], backend="dask", scheduler=address))
        server.shutdown()


def test_a_scheduler_without_workers_is_given_up_and_one_that_dies_is_noticed(
    tmp_path, monkeypatch
):
    with dask_scheduler(tmp_path) as (address, stop):
        with monkeypatch.context() as patch:
            patch.setattr(clusters, "WORKERS_S", 0.5)
            with pytest.raises(BackendError, match="no workers for"):
                next(map_unordered(abs, [1], backend="dask", scheduler=address))
        several = [*worker_command(address)[:-3], "--nthreads", "2", "--no-dashboard"]
        with (
            processes(several),
            pytest.raises(BackendError, match=r"has 2 threads.*--nthreads 1"),
        ):
            next(map_unordered(abs, [1], backend="dask", scheduler=address))
        (tmp_path / "notes").mkdir()
        work = noting(tmp_path / "notes")
        with processes(worker_command(address)):
            results = map_unordered(work, range(50), backend="dask", scheduler=address)
            next(results)
            stop()
            with pytest.raises(BackendError, match="went away in the middle"):
                list(results)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("raise ImportError('none here')", "can't import qrun_equiv .none here.: install it there"),
        (
            "changed = 1",
            "the Dask worker tcp.* is not like this process: code of qrun-equiv .* here, .* there",
        ),
    ],
)
def test_workers_with_other_code_are_refused(tmp_path, change, message):
    package = tmp_path / "qrun_equiv"
    shutil.copytree(Path(pools.__file__).parent.parent, package)
    with (package / "__init__.py").open("a") as text:
        text.write(f"\n{change}\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with (
        dask_scheduler(tmp_path) as (address, _),
        processes(worker_command(address), env=environment, cwd=tmp_path),
        pytest.raises(BackendError, match=message),
    ):
        next(map_unordered(abs, [1], backend="dask", scheduler=address))


def test_a_worker_that_joins_later_is_checked_with_its_item(cluster, monkeypatch):
    other = {**fingerprint(), "torch": "1.0"}
    monkeypatch.setattr("qrun_equiv.backends.mapping.fingerprint", lambda: other)
    with pytest.raises(BackendError, match=r"not like this process: torch 1\.0 here"):
        next(map_unordered(abs, [1], backend="dask", scheduler=cluster))


def test_the_fingerprint_is_of_versions_and_code():
    own = fingerprint()
    assert {"Python", "qrun-equiv", "torch", "pennylane", "qiskit", "numpy"} < set(own)
    assert mismatch(own, dict(own)) == ""
    assert "torch" in mismatch(own, {k: v for k, v in own.items() if k != "torch"})
    changed = {**own, "code of qrun-equiv": "0" * 64}
    assert "code of qrun-equiv" in mismatch(own, changed)
