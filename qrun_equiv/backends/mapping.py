"""``map_unordered``: one function over many items, in processes here or on a cluster.

Why not ``joblib.Parallel``: tried with joblib 1.6, loky gives up all items when one worker dies,
and Ray's backend can't return results as they come. So joblib's loky, Dask and Ray are used through
their futures, which have the same three methods everywhere (:mod:`qrun_equiv.backends.pools`).

An item runs *at least* once (a worker may die after the work and before its result arrived) and is
yielded *exactly* once, so functions must be free of side effects.
"""

from __future__ import annotations

import os
import queue
import random
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from qrun_equiv.backends.clusters import dask, ray
from qrun_equiv.backends.fingerprint import Fingerprint, fingerprint, mismatch
from qrun_equiv.backends.pools import (
    BACKENDS,
    WAIT_S,
    BackendError,
    Pool,
    WorkerDied,
    processes,
)

__all__ = ["ATTEMPTS", "BACKENDS", "BackendError", "Failure", "check_options", "map_unordered"]

T = TypeVar("T")
R = TypeVar("R")

#: How often an item is started before its dying workers are held against it.
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Failure:
    """An item without a result.

    Attributes:
        reason: why, in one line.
        lost: the item itself said nothing (its worker died): another run may give a result.
    """

    reason: str
    lost: bool


@dataclass(frozen=True, slots=True)
class _Flight(Generic[T]):
    """An item on its way: its position, and how many workers died of it."""

    index: int
    item: T
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What comes back from a worker: a value, or why there is none."""

    value: Any = None
    failure: Failure | None = None
    other: str = ""


def check_options(backend: str, jobs: int, scheduler: str | None) -> None:
    """Refuse options that contradict each other, before any work.

    Raises:
        BackendError: an unknown backend, ``jobs`` below 0, a scheduler where there is none.
    """
    if backend not in BACKENDS:
        msg = f"unknown backend {backend!r}; one of {', '.join(BACKENDS)}"
        raise BackendError(msg)
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 0:
        msg = f"jobs must be a whole number from 0 up (0: as many as there are), got {jobs!r}"
        raise BackendError(msg)
    if scheduler is not None and backend not in ("dask", "ray"):
        msg = (
            f"a scheduler ({scheduler}) goes with the backends dask and ray; "
            f"{backend!r} runs processes of this machine: leave it out, or name the backend"
        )
        raise BackendError(msg)


def map_unordered(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    backend: str = "processes",
    jobs: int = 0,
    scheduler: str | None = None,
    attempts: int = ATTEMPTS,
) -> Iterator[tuple[int, R | Failure]]:
    """``(index, function(item))`` for every item, once each, as results are reached.

    Closing the iterator, or an exception such as Ctrl-C in it, ends local workers at once; a
    cluster's workers finish what they are at, and its result is dropped.

    Args:
        function: free of side effects; it and the items are pickled (by cloudpickle).
        items: any number; they are taken as workers become free.
        backend: ``"processes"`` or ``"loky"`` (the same: processes of this machine, by joblib's
            loky), ``"dask"`` or ``"ray"``.
        jobs: items in flight; 0 for one a core, or one a worker of the cluster.
        scheduler: ``tcp://HOST:PORT`` of Dask, ``HOST:PORT`` or ``ray://HOST:PORT`` of Ray; a
            cluster of processes on this machine where left out.
        attempts: an item whose worker died so often is a failure.

    Yields:
        The index of an item, and its result or a :class:`Failure`: the function raised, or its
        worker died in every attempt.

    Raises:
        BackendError: options that contradict each other, a package that is missing, a scheduler
            that does not answer or has no workers, workers with other versions or other code.
    """
    check_options(backend, jobs, scheduler)
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        msg = f"attempts must be a whole number from 1 up, got {attempts!r}"
        raise BackendError(msg)
    return _drive(function, items, backend, jobs, scheduler, attempts)


def _drive(
    function: Callable[[T], R],
    items: Iterable[T],
    backend: str,
    jobs: int,
    scheduler: str | None,
    attempts: int,
) -> Iterator[tuple[int, R | Failure]]:
    source = (_Flight(index, item) for index, item in enumerate(items))
    again: deque[_Flight[T]] = deque()  # items whose worker died, after all others
    flying: dict[Any, _Flight[T]] = {}
    done: queue.SimpleQueue[Any] = queue.SimpleQueue()
    local = backend in ("processes", "loky")  # of this very installation
    own = {} if local else fingerprint()
    pool = _open(backend, jobs, scheduler)
    reached: tuple[int, R | Failure] | None = None
    try:
        while True:
            exhausted = False
            while len(flying) < pool.slots():
                flight = next(source, None) or (again.popleft() if again else None)
                if flight is None:
                    exhausted = True
                    break
                future = pool.submit(_run, function, flight.item, own)
                flying[future] = flight
                future.add_done_callback(done.put)
            if reached is not None:  # only now, so that no worker waits for whoever takes it
                yield reached
                reached = None
                continue
            if exhausted and not flying:
                return
            try:
                future = done.get(timeout=WAIT_S)
            except queue.Empty:
                pool.check()
                continue
            flight = flying.pop(future)
            try:
                reached = flight.index, _answer(pool, future)
            except WorkerDied as death:
                deaths = flight.deaths + 1
                if deaths < attempts:
                    again.append(_Flight(flight.index, flight.item, deaths))
                else:
                    reached = flight.index, Failure(_died(deaths, death), lost=True)
    finally:
        pool.close(list(flying))


def _open(backend: str, jobs: int, scheduler: str | None) -> Pool:
    if backend == "dask":
        return dask(jobs, scheduler)
    return ray(jobs, scheduler) if backend == "ray" else processes(jobs)


def _died(deaths: int, death: WorkerDied) -> str:
    times = "each of the times" if deaths == 1 else f"all {deaths} times"
    text = f"a worker process died with this item, {times} it was started"
    return f"{text} ({death})" if str(death) else text


def _answer(pool: Pool, future: Any) -> Any:
    """An item's value or failure.

    Raises:
        WorkerDied: there is neither.
        BackendError: the worker is not like this process.
    """
    try:
        answer = pool.result(future)
    except (WorkerDied, BackendError):
        raise
    except Exception as error:  # noqa: BLE001 - not picklable, out of memory between machines, ...
        return Failure(f"no answer: {_one_line(error)}", lost=True)
    if answer.other:
        raise BackendError(answer.other)
    return answer.value if answer.failure is None else answer.failure


def _run(function: Callable[[Any], Any], item: Any, expected: Fingerprint) -> _Answer:
    """In the worker: nothing that an item raises may look like trouble of the backend."""
    other = mismatch(expected, fingerprint())
    if other:
        here = f"the worker {socket.gethostname()} (process {os.getpid()})"
        return _Answer(other=f"{here} is not like this process: {other}; install the same there")
    _leave_generator()
    try:
        return _Answer(function(item))
    except BackendError as error:
        return _Answer(failure=Failure(str(error), lost=True))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken item must not end all
        return _Answer(failure=Failure(_one_line(error), lost=False))


class _Own(random.Random):
    """Stands in for the module ``random``."""

    Random = random.Random


def _leave_generator() -> None:
    """Give Dask's modules a generator of their own.

    A Dask worker's other threads draw from Python's (``dask.sizeof`` does), and a check that a
    counterpart draws no random numbers would see that and blame the counterpart.
    """
    for name, module in list(sys.modules.items()):
        dasks = name.partition(".")[0] in {"dask", "distributed", "tornado"}
        if dasks and vars(module).get("random") is random:
            vars(module)["random"] = _Own()


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
