"""The soundness campaign: ``python tests/campaign/soundness.py --seed 0``.

Random equal pairs and random mutants through ``qrun_equiv.verify``. A verdict is wrong where an
equal pair is refuted, an equal polynomial pair is not proved, or a mutant is proved or certified.
Rows are written as they come (``soundness.csv``), the table at the end or when interrupted
(``soundness.md``, ``soundness.json``). Exit code 1 where a verdict was wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent))  # tests/

from campaign import blackbox, broken, equal
from campaign.subjects import EQUAL, MUTANT, Subject, native
from qrun_equiv.files import write_atomically
from qrun_equiv.verification import verify, versions

FAMILIES = {EQUAL: equal.FAMILIES, MUTANT: {**broken.FAMILIES, **blackbox.FAMILIES}}
STATUSES = ("proved", "certified", "sampled", "refuted", "undecided", "error")
_ORDER = {"refuted": 0, "undecided": 0, "error": 0, "sampled": 1, "certified": 2, "proved": 3}
_DRAWS = 500
TABLE = "soundness.csv"


@dataclass(frozen=True)
class Row:
    """One trial: what was compared, and what came out."""

    kind: str
    index: int
    family: str
    framework: str
    given: bool
    detail: str
    status: str
    wrong: str
    seconds: float


def subject(kind: str, index: int, seed: int) -> tuple[str, Subject, np.random.Generator]:
    """The trial of this number; families take turns."""
    families = FAMILIES[kind]
    name = list(families)[index % len(families)]
    rng = np.random.default_rng([seed, kind == MUTANT, index])
    for _ in range(_DRAWS):
        found = families[name](rng)
        if found is not None:
            return name, found, rng
    msg = f"the family {name!r} gave nothing in {_DRAWS} draws"
    raise RuntimeError(msg)


def trial(kind: str, index: int, seed: int) -> Row:
    """Run one trial."""
    torch.set_num_threads(1)
    name, made, rng = subject(kind, index, seed)
    framework = "qiskit" if rng.uniform() < 0.5 else "pennylane"
    circuit, options = native(made.circuit, framework)
    options |= {"seed": index} | made.options
    begun = time.perf_counter()
    detail = made.detail
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            status = verify(circuit, made.counterpart, **options).status.value
    except Exception as error:  # noqa: BLE001 - an error is a result of the campaign
        status, detail = "error", f"{detail}: {type(error).__name__}: {error}"
    seconds = round(time.perf_counter() - begun, 3)
    given = "parameters" in made.options
    wrong = judge(kind, made.expected, status)
    return Row(kind, index, name, framework, given, detail, status, wrong, seconds)


def judge(kind: str, expected: str, status: str) -> str:
    """What is wrong with a verdict; empty where nothing is."""
    if kind == MUTANT:
        return f"a mutant was {status}" if status in {"proved", "certified"} else ""
    if _ORDER[status] < _ORDER["sampled"]:
        return f"an equal pair was {status}"
    return f"{status} is less than {expected}" if _ORDER[status] < _ORDER[expected] else ""


def run(tasks: Sequence[tuple[str, int, int]], jobs: int) -> Iterator[Row]:
    """All trials, in the order in which they end."""
    if jobs == 1:
        yield from (trial(*task) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        try:
            for done in as_completed([pool.submit(trial, *task) for task in tasks]):
                yield done.result()
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def summary(rows: Iterable[Row]) -> dict[str, dict[str, dict[str, int]]]:
    """Counts by kind, family and status; ``wrong`` and ``all`` beside them."""
    counts: dict[str, dict[str, Counter[str]]] = {
        kind: {name: Counter() for name in families} for kind, families in FAMILIES.items()
    }
    for row in rows:
        counts[row.kind][row.family].update([row.status, "all", *["wrong"] * bool(row.wrong)])
    return {
        kind: {name: {c: found[c] for c in ("all", *STATUSES, "wrong")}
               for name, found in families.items() if found["all"]}
        for kind, families in counts.items()
    }  # fmt: skip


def markdown(rows: Sequence[Row], seed: int, command: str, total: int) -> str:
    """The report."""
    counts, wrong = summary(rows), [r for r in rows if r.wrong]
    parts = [_head(rows, seed, command, total)]
    for kind, title in ((EQUAL, "Equal pairs"), (MUTANT, "Mutants")):
        parts.append(f"## {title}\n\n{_table(counts[kind])}\n")
    if wrong:
        lines = ["| trial | family | detail | what |", "|---|---|---|---|"]
        lines += [f"| {r.kind} {r.index} | {r.family} | {r.detail} | {r.wrong} |" for r in wrong]
        again = "Run one of them again with `--only KIND INDEX`."
        parts.append("## Wrong verdicts\n\n" + "\n".join(lines) + f"\n\n{again}\n")
    used = ", ".join(f"{k} {v}" for k, v in versions().items())
    parts.append(f"## How the truth is known\n\n{_TRUTH}\n")
    parts.append(f"## What running code can not exclude\n\n{_LIMITS}\n\nVersions: {used}.\n")
    return "\n".join(parts)


def _head(rows: Sequence[Row], seed: int, command: str, total: int) -> str:
    seconds = [r.seconds for r in rows] or [0.0]
    cut = "" if len(rows) == total else f", cut after {len(rows)} of {total} trials"
    native_qiskit = sum(r.framework == "qiskit" for r in rows)
    return (
        f"# Soundness campaign\n\n{sum(r.kind == EQUAL for r in rows)} equal pairs and "
        f"{sum(r.kind == MUTANT for r in rows)} mutants through `qrun_equiv.verify`, seed {seed}: "
        f"**{sum(bool(r.wrong) for r in rows)} wrong verdicts**.\n\n"
        f"Command: `{command}`{cut}. Time of a verdict: median {np.median(seconds):.2f} s, longest "
        f"{max(seconds):.1f} s. {native_qiskit} circuits ran in Qiskit, the others in PennyLane; "
        f"{sum(r.given for r in rows)} comparisons were at given parameters.\n\n{_WRONG}\n"
    )


_WRONG = (
    "A verdict is wrong where an equal pair is refuted or undecided, an equal polynomial pair is "
    "not `proved`, or a mutant is `proved` or `certified`. A mutant may be `sampled`: that word "
    "claims no more than agreement at the points that were looked at."
)
_TRUTH = (
    "Whether a mutated circuit differs is decided by ball arithmetic of 200 bits at rational "
    "points, which shares no code with the exact engine; mutations that change nothing that is "
    "measured are drawn again. A mutated counterpart is the correct one plus a term that is not "
    "zero. At given parameters a mutant differs by more than the bound that `certified` may let "
    "pass. *Constants rounded in floats* and *float coefficients* are no identities of the numbers "
    "that the code holds: there `sampled` is a right answer."
)
_LIMITS = (
    "Outputs are proved, gradients are sampled: a backward pass that is wrong on a small set of "
    "inputs only is not seen. Code that counts its calls and changes later, that looks at the "
    "interpreter's stack, or that does something else for one number of rows is another function "
    "than the one that was run; the last kind is in the table above (*code: hides ...*, `rows`)."
)


def _table(counts: dict[str, dict[str, int]]) -> str:
    columns = ("all", *STATUSES, "wrong")
    total = {c: sum(found[c] for found in counts.values()) for c in columns}
    lines = [f"| family | pairs | {' | '.join(columns[1:])} |", "|---" + "|--:" * 8 + "|"]
    for name, found in counts.items():
        lines.append(f"| {name} | {' | '.join(str(found[c]) for c in columns)} |")
    lines.append(f"| **all** | {' | '.join(f'**{total[c]}**' for c in columns)} |")
    return "\n".join(lines)


def write(folder: Path, rows: Sequence[Row], seed: int, command: str, total: int) -> None:
    """Table, report and counts."""
    ordered = sorted(rows, key=lambda r: (r.kind, r.index))
    wrong = [asdict(r) for r in ordered if r.wrong]
    body = {"seed": seed, "counts": summary(ordered), "wrong": wrong}
    write_atomically(folder / "soundness.json", (json.dumps(body, indent=1) + "\n").encode())
    write_atomically(folder / "soundness.md", markdown(ordered, seed, command, total).encode())


def collect(rows: Iterable[Row], folder: Path, total: int, kept: list[Row]) -> list[Row]:
    """Write rows as they come, after those kept; an interrupt keeps those that came."""
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [f.name for f in fields(Row)], lineterminator="\n")
        table.writeheader()
        table.writerows(asdict(row) for row in kept)
        try:
            for row in rows:
                kept.append(row)
                table.writerow(asdict(row))
                file.flush()
                if row.wrong or len(kept) % 50 == 0:
                    note = f": {row.family}: {row.wrong} ({row.detail})" if row.wrong else ""
                    sys.stderr.write(f"{len(kept)}/{total}{note}\n")
        except KeyboardInterrupt:
            sys.stderr.write("interrupted: the report is about what was done\n")
    return kept


def read(path: Path) -> list[Row]:
    """Rows of an earlier run."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(
                **row
                | {
                    "index": int(row["index"]),
                    "given": row["given"] == "True",
                    "seconds": float(row["seconds"]),
                }
            )
            for row in csv.DictReader(file)
        ]


def interleaved(n_equal: int, n_mutants: int, seed: int) -> list[tuple[str, int, int]]:
    """Equal pairs and mutants in turn, so that a cut run has both."""
    tasks = [(k / n_equal, EQUAL, k, seed) for k in range(n_equal)]
    tasks += [(k / n_mutants, MUTANT, k, seed) for k in range(n_mutants)]
    return [task[1:] for task in sorted(tasks)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--equal", type=int, default=1000, help="equal pairs")
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--output", type=Path, default=Path("reports"))
    parser.add_argument("--resume", action="store_true", help="keep the rows of a cut run")
    parser.add_argument("--only", nargs=2, metavar=("KIND", "INDEX"), help="one trial again")
    given: Any = parser.parse_args(arguments)
    if given.only:
        row = trial(given.only[0], int(given.only[1]), given.seed)
        sys.stdout.write(json.dumps(asdict(row), indent=1) + "\n")
        return int(bool(row.wrong))
    given.output.mkdir(parents=True, exist_ok=True)
    tasks = interleaved(given.equal, given.mutants, given.seed)
    kept = read(given.output / TABLE) if given.resume else []
    done = {(row.kind, row.index) for row in kept}
    left = [task for task in tasks if task[:2] not in done]
    command = (
        f"python tests/campaign/soundness.py --seed {given.seed} --equal {given.equal} "
        f"--mutants {given.mutants} --jobs {given.jobs}"
    )
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # a report of what was done
    try:
        rows = collect(run(left, given.jobs), given.output, len(tasks), kept)
    finally:
        signal.signal(signal.SIGTERM, before)
    write(given.output, rows, given.seed, command, len(tasks))
    return int(any(r.wrong for r in rows))


if __name__ == "__main__":
    sys.exit(main())
