"""Run a sweep's items into a folder, and sum up what the folder has."""

from __future__ import annotations

import hashlib
import io
import json
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qrun_equiv import points
from qrun_equiv.backends.fingerprint import fingerprint
from qrun_equiv.backends.journal import Journal, JournalError
from qrun_equiv.backends.mapping import Failure, check_options, map_unordered
from qrun_equiv.backends.shipping import place
from qrun_equiv.certificate import KINDS, OUTPUTS, Status, Verdict
from qrun_equiv.files import write_atomically
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.runner import run_pair
from qrun_equiv.sweep.items import Array, Item, read_rows, sizes_of

Line = dict[str, Any]
#: How an item ended that was evaluated; verified ones have their verdict's status.
EVALUATED = "evaluated"


def sweep(
    items: Iterable[Item],
    folder: Path,
    *,
    backend: str = "processes",
    jobs: int = 0,
    scheduler: str | None = None,
) -> Iterator[Line]:
    """Run what the folder's journal does not have yet; lines as they are written.

    An item that was lost (its worker died in every attempt) is in the journal, and runs again at
    the next call; any other line is final. Equal items are one.

    Args:
        items: see :func:`make_items`.
        folder: of the journal and the results; made where it is missing.
        backend: as for :func:`qrun_equiv.backends.mapping.map_unordered`, as the next two.
        jobs: items in flight.
        scheduler: address of a cluster.

    Raises:
        JournalError: the folder is in use, of other versions, damaged, or can't be written.
        BackendError: see :func:`qrun_equiv.backends.mapping.map_unordered`.
    """
    check_options(backend, jobs, scheduler)
    wanted = {item.key: item for item in items}
    with Journal(folder / "journal.jsonl", fingerprint()) as journal:
        done = {key for key, line in journal.lines.items() if not line["lost"]}
        todo = [(key, item) for key, item in wanted.items() if key not in done]
        results = map_unordered(
            measure, [item for _, item in todo], backend=backend, jobs=jobs, scheduler=scheduler
        )
        for index, result in results:
            key, item = todo[index]
            line = _line(key, item, result, folder)
            journal.append(line)
            yield line


@dataclass(frozen=True, slots=True)
class Measured:
    """What a worker sends back: a verdict, or values ``[rows, n_outputs]``; wall seconds."""

    verdict: Verdict | None
    as_claimed: bool
    values: Array | None
    seconds: float


def measure(item: Item) -> Measured:
    """In a worker: verify the pair, or evaluate its counterpart on the rows.

    Raises:
        QrunEquivError: this machine's files are other ones, or the pair can't be evaluated.
    """
    torch.set_num_threads(1)  # there is a worker for each core
    begun = time.perf_counter()
    pair = item.task.load()
    if item.rows is None:
        verdict = run_pair(pair, item.task.level, item.task.seed)
        return Measured(verdict, pair.as_claimed(verdict.status), None, verdict.seconds)
    sizes = sizes_of(pair)
    theta = np.zeros(0) if pair.parameters is None else np.asarray(pair.parameters)
    theta = points.vector(theta, sizes.parameters, "parameters")
    source = CounterpartSource(pair.counterpart, sizes)
    values = source.values(read_rows(place(item.rows), sizes), theta)
    return Measured(None, True, values, time.perf_counter() - begun)


def _line(key: str, item: Item, result: Measured | Failure, folder: Path) -> Line:
    """Write an item's files, and give its line."""
    task = item.task
    line: dict[str, Any] = {"key": key, "pair": task.pair, "claim": item.claim, "seed": task.seed}
    line |= {"set": item.number, "lost": False, "as_claimed": False, "reason": "", "seconds": 0.0}
    if isinstance(result, Failure):
        status = Status.UNDECIDED.value
        return line | {"status": status, "lost": result.lost, "reason": result.reason}
    line |= {"as_claimed": result.as_claimed, "seconds": round(result.seconds, 4)}
    try:
        if result.verdict is not None:
            return line | _verified(key, result.verdict, folder)
        assert result.values is not None
        return line | _evaluated(key, result.values, folder)
    except OSError as error:
        msg = f"can't write to {folder}: {error.strerror or error}; make room, and start it again"
        raise JournalError(msg) from error


def _verified(key: str, verdict: Verdict, folder: Path) -> Line:
    name = f"certificates/{key}.json"
    verdict.certificate.save(folder / name)
    worst = {kind: verdict.worst(kind) for kind in KINDS}
    errors = {k: v if math.isfinite(v) else str(v) for k, v in worst.items() if v is not None}
    reason = verdict.reason
    return {"status": verdict.status.value, "errors": errors, "reason": reason, "file": name}


def _evaluated(key: str, values: Array, folder: Path) -> Line:
    name, stream = f"values/{key}.npy", io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    write_atomically(folder / name, stream.getvalue())
    digest = hashlib.sha256(stream.getvalue()).hexdigest()
    return {"status": EVALUATED, "shape": list(values.shape), "sha256": digest, "file": name}


def summary(items: Iterable[Item], folder: Path) -> dict[str, Any]:
    """Counts by pair, from the journal; also written to ``summary.json``.

    Returns:
        ``items``, ``done``, ``as_claimed`` and ``lost``: counts; ``pairs``: by name, the number of
        items by status, the worst relative error of outputs, and the seconds.

    Raises:
        JournalError: as for :func:`sweep`.
    """
    keys = {item.key: item.task.pair for item in items}
    lines = _lines(keys, folder)
    pairs = {
        name: _sum([line for line in lines if line["pair"] == name])
        for name in dict.fromkeys(keys.values())
    }
    counts = {
        "items": len(keys),
        "done": sum(not line["lost"] for line in lines),
        "as_claimed": sum(bool(line["as_claimed"]) for line in lines),
        "lost": sum(bool(line["lost"]) for line in lines),
    }
    body = {**counts, "pairs": pairs}
    try:
        write_atomically(folder / "summary.json", json.dumps(body, indent=1) + "\n")
    except OSError as error:
        msg = f"can't write {folder / 'summary.json'}: {error.strerror or error}"
        raise JournalError(msg) from error
    return body


def exit_code(items: Iterable[Item], folder: Path) -> int:
    """0 all as claimed, 1 something is not, 3 something is undecided or missing, nothing worse."""
    keys = {item.key for item in items}
    lines = _lines(keys, folder)
    wrong = [line["status"] for line in lines if not line["as_claimed"]]
    if any(status != Status.UNDECIDED.value for status in wrong):
        return 1
    return 3 if wrong or len(lines) < len(keys) else 0


def _lines(keys: Iterable[str], folder: Path) -> list[Line]:
    with Journal(folder / "journal.jsonl", fingerprint()) as journal:
        return [dict(journal.lines[key]) for key in keys if key in journal.lines]


def _sum(lines: Sequence[Line]) -> dict[str, Any]:
    errors = [float(x["errors"][OUTPUTS]) for x in lines if OUTPUTS in x.get("errors", {})]
    return {
        "statuses": dict(Counter(line["status"] for line in lines)),
        "worst_output_error": max((e for e in errors if math.isfinite(e)), default=None),
        "seconds": round(sum(line["seconds"] for line in lines), 3),
    }
