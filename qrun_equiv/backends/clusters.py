"""Dask and Ray behind the interface of :class:`qrun_equiv.backends.pools.Pool`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from typing import Any
from urllib.parse import urlsplit

from qrun_equiv.backends.fingerprint import Fingerprint, fingerprint, mismatch
from qrun_equiv.backends.pools import (
    CONNECT_S,
    WAIT_S,
    WORKERS_S,
    BackendError,
    Pool,
    WorkerDied,
    gone,
    no_answer,
    package,
)

#: Seconds between two looks at a cluster that has no workers yet.
_START_S = 0.1


def dask(jobs: int, scheduler: str | None) -> Pool:
    """Workers of a Dask scheduler, or of a cluster of processes on this machine."""
    return _Dask(jobs, scheduler)


def ray(jobs: int, scheduler: str | None) -> Pool:
    """Workers of a Ray cluster, or of one started on this machine."""
    return _Ray(jobs, scheduler)


class _Dask:
    """A Dask cluster, each item given to one worker by name.

    Left to itself, Dask gives a worker several items and holds its death against all of them.
    """

    def __init__(self, jobs: int, scheduler: str | None) -> None:
        distributed = package("distributed", "distributed")
        self._jobs, self._cluster = jobs, None
        self._busy: dict[Any, str] = {}  # worker's address by future
        self._free: set[str] = set()
        self._known: set[str] = set()
        self._lost: set[Any] = set()  # futures whose worker is gone
        self._asked = float("-inf")
        self._seen = time.monotonic()
        self._where = f"the Dask scheduler {scheduler}"
        if scheduler is None:
            self._where = "the Dask cluster of this machine"
            self._cluster = distributed.LocalCluster(
                n_workers=jobs or os.cpu_count() or 1,
                threads_per_worker=1,
                dashboard_address=None,
            )
        else:
            _dask_answers(scheduler, self._where)
        try:
            self._client = distributed.Client(
                self._cluster or scheduler, timeout=CONNECT_S, set_as_default=False
            )
        except (OSError, TimeoutError, ValueError) as error:
            self._end()
            no_answer(self._where, error)

    def slots(self) -> int:
        self._look()
        every = len(self._busy) + len(self._free)
        return min(self._jobs or every, every)

    def _look(self) -> None:
        """See, now and then, which workers there are; each must be like this process."""
        if self._client.status != "running":
            gone(self._where, None)
        now = time.monotonic()
        if now - self._asked < (WAIT_S if self._known else _START_S):
            return
        threads = self._client.nthreads()
        self._asked = now
        fresh = set(threads) - self._known
        if fresh:
            self._check_workers({address: threads[address] for address in fresh})
        self._known = set(threads)
        self._free = self._known - set(self._busy.values())
        if threads:
            self._seen = now
        for future, address in self._busy.items():
            if address not in threads and future not in self._lost:
                self._lost.add(future)
                future.cancel()  # which finishes it

    def _check_workers(self, threads: dict[str, int]) -> None:
        for address, count in threads.items():
            if count != 1:
                msg = (
                    f"the Dask worker {address} has {count} threads, and an item uses one of them: "
                    "start a process a core, dask worker ADDRESS --nworkers N --nthreads 1"
                )
                raise BackendError(msg)

        def there() -> Fingerprint:  # a local function, which is sent by value
            from qrun_equiv.backends.fingerprint import fingerprint

            return fingerprint()

        answers = self._client.run(there, workers=list(threads), on_error="return")
        for address, found in answers.items():
            where = f"the Dask worker {address}"
            if isinstance(found, ImportError):
                msg = f"{where} can't import qrun_equiv ({found}): install it there"
                raise BackendError(msg)
            if isinstance(found, Exception):  # it left in between
                continue
            other = mismatch(fingerprint(), found)
            if other:
                msg = f"{where} is not like this process: {other}; install the same there"
                raise BackendError(msg)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        address = self._free.pop()
        future = self._client.submit(function, *arguments, pure=False, workers=[address])
        self._busy[future] = address
        return future

    def result(self, future: Any) -> Any:
        address = self._busy.pop(future)
        try:
            value = future.result(timeout=CONNECT_S)
        except (CancelledError, TimeoutError) as error:
            # No answer in time: the worker died between its work and its answer.
            if future in self._lost or isinstance(error, TimeoutError):
                self._lost.discard(future)
                raise WorkerDied from error
            gone(self._where, error)
        finally:
            if address in self._known:
                self._free.add(address)
        return value

    def check(self) -> None:
        self._look()
        if time.monotonic() - self._seen > WORKERS_S:
            msg = (
                f"{self._where} has had no workers for {WORKERS_S:.0f} s: start some "
                "(dask worker ADDRESS --nworkers N --nthreads 1)"
            )
            raise BackendError(msg)

    def close(self, flying: Sequence[Any]) -> None:
        with contextlib.suppress(Exception):  # a scheduler that is gone can't be told
            self._client.cancel(list(flying), force=True)
        with contextlib.suppress(Exception):
            self._client.close(timeout=CONNECT_S)
        self._end()

    def _end(self) -> None:
        if self._cluster is not None:
            self._cluster.close()


class _Ray:
    """A Ray cluster, one CPU an item; Ray's own retries are off, so that ours count the deaths."""

    def __init__(self, jobs: int, scheduler: str | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to its makers
        self._ray = package("ray", "ray")
        self._jobs, self._where = jobs, f"the Ray cluster {scheduler or 'of this machine'}"
        self._started = not self._ray.is_initialized()
        if self._started:
            self._connect(scheduler)
        self._references: dict[Any, Any] = {}
        self._cores, self._asked = 0, float("-inf")
        self._seen = time.monotonic()

    def _connect(self, scheduler: str | None) -> None:
        options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
        if scheduler is None:
            options |= {"num_cpus": self._jobs or os.cpu_count() or 1, "include_dashboard": False}
        else:
            options["address"] = scheduler
            _listens(scheduler, self._where)
        try:
            self._ray.init(**options)
        except (OSError, RuntimeError, ValueError) as error:
            if "AuthToken" in f"{error} {error.__cause__}":
                msg = f"{self._where} asks for a token, see RAY_AUTH_MODE in Ray's documentation"
                raise BackendError(msg) from error
            no_answer(self._where, error)

    def slots(self) -> int:
        now = time.monotonic()
        if not self._cores or now - self._asked > WAIT_S:
            self._cores = int(self._ray.cluster_resources().get("CPU", 0))
            self._asked = now
        if self._cores:
            self._seen = now
        return min(self._jobs or self._cores, self._cores)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        remote = self._ray.remote(num_cpus=1, max_retries=0)(function)
        reference = remote.remote(*arguments)
        future = reference.future()
        self._references[future] = reference
        return future

    def result(self, future: Any) -> Any:
        errors = self._ray.exceptions
        self._references.pop(future)
        try:
            return future.result()
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError) as error:
            raise WorkerDied from error
        except errors.RayTaskError as error:
            if isinstance(error.cause, ImportError):
                msg = f"a worker of {self._where} can't import qrun_equiv ({error.cause})"
                raise BackendError(msg) from error
            raise

    def check(self) -> None:
        if not self._ray.is_initialized():
            gone(self._where, None)
        self.slots()
        if time.monotonic() - self._seen > WORKERS_S:
            msg = f"{self._where} has had no CPUs for {WORKERS_S:.0f} s: start some (ray start)"
            raise BackendError(msg)

    def close(self, flying: Sequence[Any]) -> None:
        for future in flying:
            with contextlib.suppress(Exception):
                self._ray.cancel(self._references[future], force=True)
        if self._started:
            self._ray.shutdown()


def _dask_answers(scheduler: str, where: str) -> None:
    """Refuse an address where no Dask scheduler answers; ``Client`` would wait for minutes."""
    connect = package("distributed", "distributed.comm.core").connect

    async def greet() -> None:
        comm = await asyncio.wait_for(connect(scheduler, timeout=CONNECT_S), CONNECT_S)
        await comm.close()

    try:
        asyncio.run(greet())
    except (OSError, ValueError, MemoryError) as error:  # MemoryError: what answers is no Dask
        no_answer(where, error)


def _listens(scheduler: str, where: str) -> None:
    """Refuse an address that nothing listens at; Ray would try for a minute, then abort."""
    if scheduler == "auto":
        return
    try:
        parts = urlsplit(scheduler if "://" in scheduler else f"ray://{scheduler}")
        address = (parts.hostname or "", parts.port or 6379)
        with socket.create_connection(address, timeout=CONNECT_S):
            return
    except (OSError, ValueError) as error:
        no_answer(where, error)
