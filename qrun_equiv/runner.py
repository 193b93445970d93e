"""Verify many pairs: in this process or in several, one verdict a pair whatever happens."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import torch

from qrun_equiv.certificate import Certificate, Status, Verdict
from qrun_equiv.comparison import Level
from qrun_equiv.errors import QrunEquivError
from qrun_equiv.pair import Pair, load_file
from qrun_equiv.verification import versions

Result = tuple[Pair, Verdict]


def run_pair(pair: Pair, level: Level = "auto", seed: int = 0) -> Verdict:
    """Verdict on one pair; an error of the user's code is ``undecided`` with its message."""
    try:
        return pair.verify(level=level, seed=seed)
    except QrunEquivError as error:
        return _undecided(pair, str(error), seed)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken pair must not end all
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return _undecided(pair, reason, seed)


def _undecided(pair: Pair, reason: str, seed: int) -> Verdict:
    certificate = Certificate(
        status=Status.UNDECIDED,
        checks=(),
        counterexample=None,
        digests={},
        settings={"seed": seed},
        versions=versions(),
        reason=reason,
        pair=pair.name,
    )
    return Verdict(Status.UNDECIDED, certificate, 0.0)


def run(
    pairs: Sequence[Pair], *, level: Level = "auto", seed: int = 0, jobs: int = 1
) -> Iterator[Result]:
    """Verdicts as they are reached (in order where ``jobs`` is 1).

    With several jobs each pair is collected again from its file in a fresh process.
    """
    if jobs == 1 or len(pairs) == 1:
        for pair in pairs:
            yield pair, run_pair(pair, level, seed)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(pairs)), mp_context=context, initializer=_one_thread)
    try:
        waiting = {pool.submit(_run_file, p.path, p.name, level, seed): p for p in pairs}
        for done in as_completed(waiting):
            yield waiting[done], _result(done, waiting[done], seed)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(done: Future[Verdict], pair: Pair, seed: int) -> Verdict:
    try:
        return done.result()
    except BrokenProcessPool:  # killed for memory, or it crashed: every pair in flight is lost
        reason = "a worker process died while this pair was in flight; try --jobs 1"
        return _undecided(pair, reason, seed)


def _one_thread() -> None:
    torch.set_num_threads(1)


def _run_file(path: Path | None, name: str, level: Level, seed: int) -> Verdict:
    if path is None:
        msg = f"pair {name!r} was not collected from a file, so it runs with jobs=1 only"
        raise QrunEquivError(msg)
    (pair,) = [p for p in load_file(path) if p.name == name]
    return run_pair(pair, level, seed)


def exit_code(results: Sequence[Result]) -> int:
    """0 all as claimed, 1 something is not, 3 something is undecided and nothing worse."""
    wrong = [v.status for p, v in results if not p.as_claimed(v.status)]
    if not wrong:
        return 0
    return 3 if all(status is Status.UNDECIDED for status in wrong) else 1
