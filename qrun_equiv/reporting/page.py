"""The report: one self-contained page and the same verdicts as JSON, both written atomically."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qrun_equiv import __version__
from qrun_equiv.certificate import KINDS, Status, Verdict
from qrun_equiv.errors import ReportError
from qrun_equiv.files import write_atomically
from qrun_equiv.pair import Pair, verdict_json
from qrun_equiv.reporting import words
from qrun_equiv.reporting.section import section
from qrun_equiv.reporting.svg import SETTINGS, inline
from qrun_equiv.study import draw, read_csv

Results = Sequence[tuple[Pair, Verdict]]
SCHEMA = 1


def report(results: Results, folder: str | Path, *, study: str | Path | None = None) -> Path:
    """Write the report of a run: ``index.html``, and ``verdicts.json`` beside it.

    Args:
        results: pairs and their verdicts, in the order in which they are shown.
        folder: made where it is missing; an older report in it is replaced when the new is whole.
        study: rows of :mod:`qrun_equiv.study` (CSV), drawn at the end of the page.

    Returns:
        Path of ``index.html``.

    Raises:
        ReportError: the folder can't be made or written.
    """
    target = Path(folder)
    _check_writable(target)
    page = render(results, study=study)
    write_json(results, target / "verdicts.json")
    return _write(target / "index.html", page)


def write_json(results: Results, path: str | Path) -> Path:
    """Write every verdict as ``{"schema": 1, "pairs": [...]}``; a number not finite is text.

    Raises:
        ReportError: the file can't be written.
    """
    body = {"schema": SCHEMA, "pairs": [_finite(verdict_json(p, v)) for p, v in results]}
    return _write(Path(path), json.dumps(body, indent=1, allow_nan=False) + "\n")


def render(results: Results, *, study: str | Path | None = None) -> str:
    """The page as text; see :func:`report`. A figure that can't be drawn says so in its place."""
    environment = Environment(
        loader=PackageLoader("qrun_equiv.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "error": words.error,
        "seconds": words.seconds,
        "vector": words.vector,
        "linked": words.linked,
    }
    ids = words.slugs([pair.name for pair, _ in results])
    sections = [section(p, v, i) for (p, v), i in zip(results, ids, strict=True)]
    return environment.get_template("page.html.j2").render(
        sections=sections,
        counts=_counts(results),
        as_claimed=sum(s.as_claimed for s in sections),
        statuses=list(Status),
        signs=words.SIGNS,
        kinds=KINDS,
        versions=_versions(results),
        version=__version__,
        study=None if study is None else _study(study),
    )


def _study(path: str | Path) -> Markup:
    with mpl.rc_context(SETTINGS):
        return Markup(inline(draw(read_csv(path)), "study", "Study of MLP readouts"))  # noqa: S704 - our own SVG


def _counts(results: Results) -> Mapping[Status, int]:
    counted = Counter(verdict.status for _, verdict in results)
    return {status: counted[status] for status in Status}


def _versions(results: Results) -> dict[str, str]:
    """Versions that all certificates agree on; others are with their pair."""
    every = [dict(v.certificate.versions) for _, v in results]
    return every[0] if every and all(v == every[0] for v in every) else {}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _check_writable(folder: Path) -> None:
    """Before the figures, which take seconds."""
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
