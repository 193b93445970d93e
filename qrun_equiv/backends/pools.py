"""Where items run: what the loop needs of a backend, and processes of this machine (joblib's loky).

Each pool hands out futures of its library. One item at a time is given to a worker process, so that
a death is held against the item that was running, and against no other.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from typing import Any, NoReturn, Protocol

from qrun_equiv.errors import QrunEquivError

BACKENDS = ("processes", "loky", "dask", "ray")
#: Seconds until an unreachable scheduler is given up, and until a cluster without workers is.
CONNECT_S, WORKERS_S = 10.0, 60.0
#: Seconds between two looks at a cluster that has nothing to say.
WAIT_S = 1.0
_PARENT_S = 0.5
_HANDED_S = 1.0  # at most, until an item is with its worker: it takes milliseconds


class BackendError(QrunEquivError):
    """A backend can't be used as asked: missing, unreachable, without workers, or unlike here."""


class WorkerDied(Exception):  # noqa: N818 - an event, handled by the loop
    """A worker process ended while it ran an item."""


class Pool(Protocol):
    """What the loop needs of a backend."""

    def slots(self) -> int:
        """Items that may be in flight now."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Start a call; returns a hashable future with ``add_done_callback``."""

    def result(self, future: Any) -> Any:
        """Result of a finished future; raises ``WorkerDied``, or what the backend raised."""

    def check(self) -> None:
        """Raise ``BackendError`` where nothing will ever be done."""

    def close(self, flying: Sequence[Any]) -> None:
        """End what is in flight, and what the pool started."""


def processes(jobs: int) -> Pool:
    """Processes of this machine, by joblib's loky."""
    return _Processes(jobs)


class _Processes:
    """Loky executors of one worker each: a death breaks its own executor only."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs or os.cpu_count() or 1
        self._idle: list[Any] = []
        self._busy: dict[Any, Any] = {}

    def slots(self) -> int:
        return self._jobs

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        while True:
            executor = self._idle.pop() if self._idle else _executor()
            try:
                future = executor.submit(function, *arguments)
            except BrokenProcessPool:  # its idle worker was killed: no item was in it
                executor.shutdown(kill_workers=True)
                continue
            self._busy[future] = executor
            return future

    def result(self, future: Any) -> Any:
        self._idle.append(self._busy.pop(future))  # a broken one is replaced at its next turn
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise WorkerDied from error

    def check(self) -> None:
        return

    def close(self, flying: Sequence[Any]) -> None:
        # loky's own thread fails on an item that it has not handed to its worker yet
        end = time.monotonic() + _HANDED_S
        while time.monotonic() < end and not all(f.running() or f.done() for f in flying):
            time.sleep(0.005)
        for executor in (*self._idle, *self._busy.values()):
            executor.shutdown(kill_workers=True)


def _executor() -> Any:
    loky = package("joblib", "joblib.externals.loky")
    return loky.ProcessPoolExecutor(max_workers=1, initializer=_start, initargs=(os.getpid(),))


def _start(parent: int) -> None:
    """In a new local worker: Ctrl-C is the parent's business, and it ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_S)
    os._exit(1)


def package(name: str, module: str) -> Any:
    """Import what only this backend needs."""
    try:
        return import_module(module)
    except ImportError as error:
        msg = (
            f"this backend needs the package {name}: "
            "pip install -c constraints.txt 'qrun-equiv[scale]'"
        )
        raise BackendError(msg) from error


def no_answer(where: str, error: BaseException) -> NoReturn:
    """Refuse a cluster that could not be reached."""
    reason = " ".join(str(error).split())[:300]
    msg = f"{where} does not answer ({reason or type(error).__name__}): is the address right?"
    raise BackendError(msg) from error


def gone(where: str, error: BaseException | None) -> NoReturn:
    """Stop: the cluster is no longer there."""
    msg = f"{where} went away in the middle: start it again, and then the same command"
    raise BackendError(msg) from error
