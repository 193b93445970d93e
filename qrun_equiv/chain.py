"""The derivation as a chain: the chapters of ``proofs/``, and the links that each of them checks.

A chapter is two files, ``NN_name.md`` (claim, proof, references) and ``NN_name.py``, whose list
``LINKS`` holds checked instances. A link is a pair of native circuits and a counterpart with the
verdict that it must get, or a function of its own for what is no pair (a bound of a function).
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from pathlib import Path
from typing import Any

from qrun_equiv.certificate import BOUND, IDENTITY, Status, Verdict
from qrun_equiv.comparison import Level
from qrun_equiv.errors import PairError, QrunEquivError, ReportError
from qrun_equiv.files import write_atomically
from qrun_equiv.pair import Pair

_LEVELS: dict[Status, Level] = {
    Status.PROVED: "proved",
    Status.CERTIFIED: "certified",
    Status.REFUTED: "auto",
    Status.UNDECIDED: "proved",  # what must not be proved is asked to be
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a link's check found.

    Attributes:
        status: the verdict.
        rests_on: what it rests on, one line.
    """

    status: Status
    rests_on: str


@dataclass(frozen=True, slots=True)
class Link:
    """One checked step of the derivation.

    Attributes:
        claim: the statement, one line.
        check: a pair, or a function that decides by itself.
        expects: the verdict that the chapter states: ``proved`` or ``certified``; ``refuted`` for a
            mistake; ``undecided`` for what must not be proved.
    """

    claim: str
    check: Pair | Callable[[], Shown]
    expects: Status = Status.PROVED

    def __post_init__(self) -> None:
        if self.expects not in _LEVELS:
            msg = f"link {self.claim!r}: {self.expects} is no verdict that a chapter can rest on"
            raise PairError(msg)

    def run(self) -> Result:
        """Check it now; an error of the project is ``undecided`` with its message."""
        begun = time.perf_counter()
        try:
            if isinstance(self.check, Pair):
                verdict = self.check.verify(level=_LEVELS[self.expects])
                shown = Shown(verdict.status, rests_on(verdict))
            else:
                shown = self.check()
        except QrunEquivError as error:
            shown = Shown(Status.UNDECIDED, f"{type(error).__name__}: {error}")
        return Result(self, shown, time.perf_counter() - begun)


@dataclass(frozen=True, slots=True)
class Result:
    """A link that was run: what it showed, in how many seconds."""

    link: Link
    shown: Shown
    seconds: float

    @property
    def as_claimed(self) -> bool:
        """Whether the verdict is the one that the chapter states, neither weaker nor another."""
        return self.shown.status is self.link.expects

    def to_json(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "claim": self.link.claim,
            "expected": self.link.expects.value,
            "verdict": self.shown.status.value,
            "as_claimed": self.as_claimed,
            "rests_on": self.shown.rests_on,
            "seconds": round(self.seconds, 4),
        }


def rests_on(verdict: Verdict) -> str:
    """What a verdict rests on, one line."""
    if verdict.counterexample is not None:
        w = verdict.counterexample
        what = " ".join(filter(None, (w.kind, w.component)))
        return f"witness replayed: {what} {w.difference:.2g} apart, x={_point(w.features)}"
    if verdict.status is Status.PROVED:
        scope = next(c.scope for c in verdict.checks if c.name == IDENTITY)
        return f"{scope}; wrong with probability <= {_above(verdict.worst(IDENTITY))}"
    if verdict.status is Status.CERTIFIED:
        scope = next(c.scope for c in verdict.checks if c.name == BOUND)
        return f"difference <= {_above(verdict.worst(BOUND))} for {scope}"
    return "; ".join(dict.fromkeys([*verdict.notes, verdict.reason])) or verdict.status.meaning


def _above(value: float | None) -> str:
    """Two digits, rounded up: what is printed is still a bound."""
    assert value is not None
    return f"{Context(prec=2, rounding=ROUND_CEILING).create_decimal(value):.1e}"


def _point(x: Sequence[float]) -> str:
    return "[" + ", ".join(f"{v:.4g}" for v in x) + "]"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter's files, title (the first line of its docstring) and links."""

    number: int
    path: Path
    title: str
    links: tuple[Link, ...]

    def run(self) -> Iterator[Result]:
        """Its links, one after the other."""
        return (link.run() for link in self.links)


def proofs_folder() -> Path:
    """The shipped chapters: inside an installed package, or beside it in a source tree.

    Raises:
        PairError: neither place has them.
    """
    here = Path(__file__).parent
    for folder in (here / "proofs", here.parent / "proofs"):
        if folder.is_dir():
            return folder
    msg = f"the chapters of proofs/ are missing beside {here}; reinstall qrun-equiv"
    raise PairError(msg)


def chapters(folder: Path | None = None, *, only: int | None = None) -> list[Chapter]:
    """The chapters in order, imported.

    Args:
        folder: where they are; the shipped ones where left out.
        only: number of the one chapter that is wanted.

    Raises:
        PairError: there is no such chapter, one lacks its text, can't be imported or has no links.
    """
    place = proofs_folder() if folder is None else folder
    files = {int(p.name[:2]): p for p in sorted(place.glob("[0-9][0-9]_*.py"))}
    if only is not None and only not in files:
        msg = f"no chapter {only} in {place}; there are {', '.join(map(str, files)) or 'none'}"
        raise PairError(msg)
    return [_load(k, p) for k, p in files.items() if only in (None, k)]


def _load(number: int, path: Path) -> Chapter:
    if not path.with_suffix(".md").is_file():
        msg = f"{path} has no text beside it: write {path.with_suffix('.md').name}"
        raise PairError(msg)
    name = f"qrun_equiv_proof_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect.getsource looks here
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        msg = f"{path}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise PairError(msg) from error
    links = tuple(getattr(module, "LINKS", ()))
    if not links or not all(isinstance(link, Link) for link in links):
        msg = f"{path} has no links; end it with LINKS = [Link(...), ...]"
        raise PairError(msg)
    title = re.sub(r"^Chapter \d+: ", "", (module.__doc__ or path.stem).splitlines()[0])
    return Chapter(number, path, title.rstrip("."), links)


def write_json(results: Sequence[tuple[Chapter, Result]], path: Path) -> Path:
    """Write what every link showed.

    Raises:
        ReportError: the file can't be written.
    """
    entries = [{"chapter": c.number, "title": c.title, **r.to_json()} for c, r in results]
    body = {"schema": 1, "kind": "qrun-equiv proofs", "links": entries}
    try:
        return write_atomically(path, json.dumps(body, indent=1) + "\n")
    except OSError as error:
        msg = f"can't write {path}: {error.strerror or error}"
        raise ReportError(msg) from error


def show(links: Sequence[Link]) -> int:
    """Run the links of one chapter and print them, for ``python proofs/NN_name.py``.

    Returns:
        Exit code: 0 where every link got the verdict that it claims, else 1.
    """
    good = True
    for link in links:
        result = link.run()
        good = good and result.as_claimed
        mark = "" if result.as_claimed else f"  NOT AS CLAIMED ({link.expects.value})"
        sys.stdout.write(
            f"{result.shown.status.value:10} {link.claim}{mark}\n"
            f"{'':10} {result.shown.rests_on} ({result.seconds:.1f} s)\n"
        )
        sys.stdout.flush()
    return 0 if good else 1
