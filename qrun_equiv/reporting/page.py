"""The report: an index, a page a pair, and their numbers, moved into place when all is whole."""

from __future__ import annotations

import json
import math
import tempfile
import webbrowser
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import matplotlib as mpl
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qrun_equiv import __version__
from qrun_equiv.certificate import KINDS, Status, Verdict
from qrun_equiv.errors import ReportError
from qrun_equiv.files import write_atomically
from qrun_equiv.pair import Pair, load_pair, verdict_json
from qrun_equiv.reporting import numbers, words
from qrun_equiv.reporting.script import shown_path
from qrun_equiv.reporting.section import Summary, section, summary
from qrun_equiv.reporting.svg import FORMATS, SETTINGS, inline
from qrun_equiv.study import draw, read_csv

Results = Sequence[tuple[Pair, Verdict]]
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class _Task:
    """One pair's page, for this process or another.

    Attributes:
        verdict: on the pair.
        name: of the page.
        around: names of the pages before and after, empty at the ends.
        target: the report's folder, for paths that a person reads.
        staging: where the files are made.
        exports: formats of exported figures.
    """

    verdict: Verdict
    name: str
    around: tuple[str, str]
    target: Path
    staging: Path
    exports: tuple[str, ...]


def report(
    results: Results,
    folder: str | Path,
    *,
    study: str | Path | None = None,
    exports: Sequence[str] = (),
    jobs: int = 1,
) -> Path:
    """Write the report of a run.

    In ``folder``: ``index.html``, ``pairs/NAME.html`` with ``NAME.json`` and ``NAME.npz``,
    ``certificates/NAME.json``, ``verdicts.json``, and ``figures/`` where figures are exported. All
    is made in a hidden folder beside and moved when it is whole, the index last.

    Args:
        results: pairs and their verdicts, in the order in which they are shown.
        folder: made where it is missing; pages of other pairs in it stay.
        study: rows of :mod:`qrun_equiv.study` (CSV), drawn at the end of the index.
        exports: ``"pdf"``, ``"png"`` or both: each figure as a file for papers.
        jobs: processes that draw; pairs that come from no file are drawn in this one.

    Returns:
        Path of ``index.html``.

    Raises:
        ReportError: the folder can't be made or written, or an unknown format.
    """
    target = Path(folder)
    check_formats(exports)
    check_writable(target)
    names = [words.file_stem(pair.name) for pair, _ in results]
    with staged(target) as staging:
        ends = ["", *names, ""]
        tasks = [
            _Task(verdict, name, (ends[k], ends[k + 2]), target, staging, tuple(exports))
            for k, ((_, verdict), name) in enumerate(zip(results, names, strict=True))
        ]
        _make_all([pair for pair, _ in results], tasks, jobs)
        index = render_index(results, study=study)
        write_json(results, staging / "verdicts.json")
        move(staging, target)
    return _write(target / "index.html", index)


def open_page(path: str | Path) -> bool:
    """Open a page in the default browser; whether a browser was found."""
    return webbrowser.open(Path(path).resolve().as_uri())


def write_json(results: Results, path: str | Path) -> Path:
    """Write every verdict as ``{"schema": 1, "pairs": [...]}``; a number not finite is text.

    Raises:
        ReportError: the file can't be written.
    """
    body = {"schema": SCHEMA, "pairs": [_finite(verdict_json(p, v)) for p, v in results]}
    return _write(Path(path), json.dumps(body, indent=1, allow_nan=False) + "\n")


# --- pages ---------------------------------------------------------------------------------------


def render_index(results: Results, *, study: str | Path | None = None) -> str:
    """The index as text; see :func:`report`."""
    names = [words.file_stem(pair.name) for pair, _ in results]
    rows = [summary(p, v, n) for (p, v), n in zip(results, names, strict=True)]
    return environment().get_template("index.html.j2").render(
        rows=rows,
        counts=_counts(rows),
        as_claimed=sum(r.as_claimed for r in rows),
        statuses=list(Status),
        kinds=KINDS,
        seconds=sum(r.verdict.seconds for r in rows),
        versions=_versions(results),
        study=None if study is None else _study(study),
    )  # fmt: skip


def render(pair: Pair, verdict: Verdict, *, name: str = "pair") -> str:
    """One pair's page as text. A figure that can't be drawn says so in its place."""
    return _render(section(pair, verdict, name), ("", ""), standalone=True)


def _render(made: Any, around: tuple[str, str], *, standalone: bool = False) -> str:
    template = environment().get_template("pair.html.j2")
    return template.render(
        s=made,
        before=around[0],
        after=around[1],
        standalone=standalone,
        stem=words.file_stem(made.pair.name),
    )


def environment() -> Environment:
    """The templates, with the filters and names that they share."""
    made = Environment(
        loader=PackageLoader("qrun_equiv.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "error": words.error,
        "method": words.method,
        "seconds": words.seconds,
        "vector": words.vector,
        "linked": words.linked,
    }
    made.globals |= {"signs": words.SIGNS, "version": __version__}
    return made


def _study(path: str | Path) -> Markup:
    with mpl.rc_context(SETTINGS):
        return Markup(inline(draw(read_csv(path)), "study", "Study of MLP readouts"))  # noqa: S704 - our own SVG


def _counts(rows: Sequence[Summary]) -> Mapping[Status, int]:
    counted = Counter(row.verdict.status for row in rows)
    return {status: counted[status] for status in Status}


def _versions(results: Results) -> dict[str, str]:
    """Versions that all certificates agree on."""
    every = [dict(v.certificate.versions) for _, v in results]
    return every[0] if every and all(v == every[0] for v in every) else {}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# --- making them ---------------------------------------------------------------------------------


def _make_all(pairs: Sequence[Pair], tasks: Sequence[_Task], jobs: int) -> None:
    """Every page, those of files in several processes."""
    work = list(zip(pairs, tasks, strict=True))
    shared = [one for one in work if one[0].path is not None] if jobs > 1 else []
    if len(shared) < 2 * jobs:  # starting a process takes as long as some pages
        shared = []
    elsewhere = {task.name for _, task in shared}
    if shared:
        context = get_context("spawn")
        pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_one_thread)
        try:
            futures = [
                (pair, task, pool.submit(_make_of_file, pair.path, pair.name, task))
                for pair, task in shared
            ]
            for pair, task, future in futures:
                try:
                    future.result()
                except BrokenProcessPool:  # killed for memory, or it crashed
                    _make(pair, task, "the process that drew this page died; try --jobs 1")
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    for pair, task in work:
        if task.name not in elsewhere:
            _make(pair, task)


def _one_thread() -> None:
    torch.set_num_threads(1)


def _make_of_file(path: Path | None, name: str, task: _Task) -> None:
    assert path is not None
    _make(load_pair(path, name), task)


def _make(pair: Pair, task: _Task, problem: str = "") -> None:
    """One pair's page, numbers and certificate in the staging folder."""
    stem = words.file_stem(pair.name)
    certificate = task.target.absolute() / "certificates" / f"{stem}.json"
    made = section(
        pair,
        task.verdict,
        task.name,
        certificate=shown_path(certificate),
        exports=task.exports,
        folder=task.staging,
        problem=problem,
    )
    base = task.staging / "pairs" / task.name
    write_atomically(base.with_suffix(".html"), _render(made, task.around))
    write_atomically(
        base.with_suffix(".json"), numbers.to_json(pair, task.verdict, made.arrays, made.about)
    )
    write_atomically(base.with_suffix(".npz"), numbers.to_npz(made.arrays))
    task.verdict.certificate.save(task.staging / "certificates" / f"{stem}.json")


# --- files ---------------------------------------------------------------------------------------


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A hidden folder inside the target; it goes, whatever happens."""
    with tempfile.TemporaryDirectory(
        dir=target, prefix=".report.", ignore_cleanup_errors=True
    ) as made:
        try:
            yield Path(made)
        except OSError as error:
            raise _refusal(target, error) from error


def move(staging: Path, target: Path) -> None:
    """Every file to its place, each in one step."""
    for path in sorted(p for p in staging.rglob("*") if p.is_file()):
        place = target / path.relative_to(staging)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def check_formats(exports: Sequence[str]) -> None:
    """Raise a ``ReportError`` for a format that figures are not written in."""
    unknown = [e for e in exports if e not in FORMATS]
    if unknown:
        msg = f"figures can't be written as {unknown[0]!r}; the formats are {', '.join(FORMATS)}"
        raise ReportError(msg)


def check_writable(folder: Path) -> None:
    """Make a folder and try to write in it, before the figures, which take seconds.

    Raises:
        ReportError: it can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _refusal(folder, error) from error


def _write(path: Path, text: str) -> Path:
    try:
        return write_atomically(path, text)
    except OSError as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> ReportError:
    reason = error.strerror or str(error)
    return ReportError(f"can't write the report to {path} ({reason}); name a folder you may write")
