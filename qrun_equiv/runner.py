"""Verify many pairs: here or in worker processes, one verdict a pair whatever happens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from qrun_equiv.backends.mapping import Failure, check_options, map_unordered
from qrun_equiv.backends.shipping import Bundle, bundle, place
from qrun_equiv.certificate import Certificate, Status, Verdict
from qrun_equiv.comparison import Level
from qrun_equiv.errors import PairError, QrunEquivError
from qrun_equiv.pair import Pair, catalogue_folder, load_file
from qrun_equiv.verification import versions

Result = tuple[Pair, Verdict]


@dataclass(frozen=True, slots=True)
class Task:
    """One verification, as it travels to a worker.

    Attributes:
        files: the pair's file and what it needs.
        pair: its name there.
        level: as for :func:`qrun_equiv.verify`.
        seed: seed of the random points.
        parameters: the parameter vector, in place of the pair's own.
    """

    files: Bundle
    pair: str
    level: Level = "auto"
    seed: int = 0
    parameters: tuple[float, ...] | None = None

    def load(self) -> Pair:
        """The pair, from this machine's copy of its file.

        Raises:
            BackendError: this machine's copy is another one.
            PairError: the file can't be imported here, or has no such pair.
        """
        path = place(self.files, catalogue_folder())
        for pair in load_file(path):
            if pair.name == self.pair:
                own = self.parameters is None
                return pair if own else replace(pair, parameters=list(self.parameters or ()))
        msg = f"{path} has no pair {self.pair!r} here, but had one where the run was started"
        raise PairError(msg)


def pack(pair: Pair, include: Sequence[Path] = ()) -> Bundle:
    """The files that a pair needs on another machine.

    Raises:
        QrunEquivError: it was not collected from a file.
        BackendError: a file is missing, or lies outside the pair file's folder.
    """
    if pair.path is None:
        msg = f"pair {pair.name!r} was not collected from a file, so it runs with jobs=1 only"
        raise QrunEquivError(msg)
    qasm = [] if pair.qasm is None else [Path(pair.qasm)]
    below = [p for p in qasm if p.resolve().is_relative_to(pair.path.parent)]
    return bundle(pair.path, [*below, *include], catalogue_folder())


def run_pair(pair: Pair, level: Level = "auto", seed: int = 0) -> Verdict:
    """Verdict on one pair; an error of the user's code is ``undecided`` with its message."""
    try:
        return pair.verify(level=level, seed=seed)
    except QrunEquivError as error:
        return undecided(pair.name, str(error), seed)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken pair must not end all
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return undecided(pair.name, reason, seed)


def undecided(pair: str, reason: str, seed: int) -> Verdict:
    """A verdict without any check."""
    certificate = Certificate(
        status=Status.UNDECIDED,
        checks=(),
        counterexample=None,
        digests={},
        settings={"seed": seed},
        versions=versions(),
        reason=reason,
        pair=pair,
    )
    return Verdict(Status.UNDECIDED, certificate, 0.0)


def run(
    pairs: Sequence[Pair],
    *,
    level: Level = "auto",
    seed: int = 0,
    jobs: int = 1,
    backend: str = "processes",
    scheduler: str | None = None,
) -> Iterator[Result]:
    """Verdicts as they are reached (in order where ``jobs`` is 1 and no cluster was asked for).

    With several jobs, or on a cluster, each pair is collected again from its file by a worker.

    Raises:
        BackendError: see :func:`qrun_equiv.backends.mapping.map_unordered`.
        QrunEquivError: a pair that was not collected from a file, with several jobs.
    """
    check_options(backend, jobs, scheduler)
    here = backend in ("processes", "loky") and (jobs == 1 or len(pairs) == 1)
    if here:
        for pair in pairs:
            yield pair, run_pair(pair, level, seed)
        return
    tasks = [Task(pack(pair), pair.name, level, seed) for pair in pairs]
    results = map_unordered(
        run_task, tasks, backend=backend, jobs=jobs, scheduler=scheduler, attempts=2
    )
    for index, result in results:
        pair = pairs[index]
        if isinstance(result, Failure):
            result = undecided(pair.name, result.reason, seed)  # noqa: PLW2901
        yield pair, result


def run_task(task: Task) -> Verdict:
    """In a worker: verdict on the pair, on one thread, since there is a worker for each core."""
    torch.set_num_threads(1)
    return run_pair(task.load(), task.level, task.seed)


def exit_code(results: Sequence[Result]) -> int:
    """0 all as claimed, 1 something is not, 3 something is undecided and nothing worse."""
    wrong = [v.status for p, v in results if not p.as_claimed(v.status)]
    if not wrong:
        return 0
    return 3 if all(status is Status.UNDECIDED for status in wrong) else 1
