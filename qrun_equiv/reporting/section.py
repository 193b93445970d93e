"""What a page says about one pair: words, figures, numbers, and how to check them again."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from markupsafe import Markup

from qrun_equiv.certificate import KINDS, STRENGTHS, Check, Counterexample, Verdict
from qrun_equiv.errors import PairError
from qrun_equiv.pair import Pair, catalogue_folder
from qrun_equiv.reporting import numbers, words
from qrun_equiv.reporting.drawn import Drawing, PairFigures, reason
from qrun_equiv.reporting.mathematics import Formulas
from qrun_equiv.reporting.script import replay_script, shown_path

#: Most lines of a counterpart's source that are shown.
LINES = 70


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of the index."""

    id: str
    name: str
    claim: str
    verdict: Verdict
    as_claimed: bool
    summary: str
    worst: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Section:
    """One pair: everything that its page shows, and its numbers."""

    row: Summary
    pair: Pair
    sentence: str
    formulas: Formulas | None
    file: str
    groups: Mapping[str, tuple[Drawing, ...]]
    arrays: numbers.Arrays
    about: Mapping[str, Any]
    code: str
    witness_words: str
    script: str
    no_script: str
    data_rows: int
    settings: Mapping[str, Any]
    recheck: str

    @property
    def verdict(self) -> Verdict:
        """The verdict."""
        return self.row.verdict

    @property
    def witness(self) -> Counterexample | None:
        """The witness of a refutation."""
        return self.verdict.counterexample

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that were made, what holds for every input first."""
        return tuple(sorted(self.verdict.checks, key=lambda c: c.name not in STRENGTHS))

    @property
    def strengths(self) -> Mapping[str, list[str]]:
        """What was proved, certified and sampled, in words; what was not made is left out."""
        found: dict[str, list[str]] = {"proved": [], "certified": [], "sampled": []}
        for check in self.checks:
            if check.status != "passed":
                continue
            line = f"{check.name}: {check.scope}"
            if line not in found[check.strength]:
                found[check.strength].append(line)
        return {strength: lines for strength, lines in found.items() if lines}


def summary(pair: Pair, verdict: Verdict, name: str) -> Summary:
    """The pair's row in the index; ``name`` is that of its page."""
    return Summary(
        id=name,
        name=pair.name,
        claim=pair.claim,
        verdict=verdict,
        as_claimed=pair.as_claimed(verdict.status),
        summary=pair.summary,
        worst={kind: verdict.worst(kind) for kind in KINDS},
    )


def section(
    pair: Pair,
    verdict: Verdict,
    name: str,
    *,
    certificate: str = "",
    exports: Sequence[str] = (),
    folder: Path | None = None,
    problem: str = "",
) -> Section:
    """Everything about one pair.

    Args:
        pair: the pair.
        verdict: on it.
        name: of its page, and prefix of all ids in it.
        certificate: path of the certificate as a person would type it; empty where there is none.
        exports: formats in which every figure is also written, of :data:`.svg.FORMATS`.
        folder: where the exported figures go, in ``figures/``.
        problem: if given, no figure is tried and this is said in their place.
    """
    script, no_script = _script(pair, verdict)
    settings = verdict.certificate.settings
    made = PairFigures(pair, verdict, name, tuple(exports), folder)
    groups = {"Figures": (Drawing(Markup(), "", problem),)} if problem else made.groups()
    return Section(
        row=summary(pair, verdict, name),
        pair=pair,
        sentence=words.verdict(pair, verdict),
        formulas=made.formulas(),
        file=shown_path(pair.path) if pair.path is not None else "",
        groups=groups,
        arrays=made.arrays,
        about=made.about,
        code=_code(pair.counterpart),
        witness_words=words.witness(verdict.counterexample) if verdict.counterexample else "",
        script=script,
        no_script=no_script,
        data_rows=len(settings.get("data") or ()),
        settings=settings,
        recheck=_recheck(pair, certificate),
    )


def _script(pair: Pair, verdict: Verdict) -> tuple[str, str]:
    if verdict.counterexample is None:
        return "", ""
    try:
        return replay_script(pair, verdict), ""
    except Exception as error:  # noqa: BLE001 - it runs the user's code; the page says so
        return "", reason(error)


def _recheck(pair: Pair, certificate: str) -> str:
    """The command that checks the certificate again."""
    if not certificate:
        return ""
    command = f"qrun-equiv recheck {shlex.quote(certificate)}"
    if pair.path is None or _shipped(pair.path):
        return command
    return f"{command} --pair {shlex.quote(shown_path(pair.path))}"


def _shipped(path: Path) -> bool:
    try:
        return path.parent == catalogue_folder().resolve()
    except PairError:
        return False


def _code(counterpart: Any) -> str:
    """The classical side as text: a module's layers, a function's source."""
    if isinstance(counterpart, torch.nn.Module):
        return str(counterpart)
    try:
        lines = inspect.getsource(inspect.unwrap(counterpart)).splitlines()
    except (OSError, TypeError):
        return ""
    more = [f"# … {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    return inspect.cleandoc("\n".join(lines[:LINES] + more))
