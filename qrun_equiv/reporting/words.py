"""Numbers and verdicts in words, and citations as links."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from qrun_equiv.certificate import Counterexample, Status, Verdict
from qrun_equiv.frontends.base import Array
from qrun_equiv.pair import Pair

#: A sign beside each verdict's name, so that colour alone says nothing.
SIGNS = {
    Status.PROVED: "∎",
    Status.CERTIFIED: "≤",
    Status.SAMPLED: "≈",
    Status.REFUTED: "≠",
    Status.UNDECIDED: "?",
}

_CITATION = re.compile(
    r"(?P<url>https?://[^\s<>\"']*[^\s<>\"'.,;)])"
    r"|arXiv:(?P<arxiv>\d{4}\.\d{4,5}(?:v\d+)?|[a-z-]+/\d{7})"
    r"|(?:doi:\s?)(?P<doi>10\.\d{4,9}/[^\s<>\"']*[^\s<>\"'.,;)])",
    re.IGNORECASE,
)


def error(value: float | None) -> str:
    """An error for a table: two digits, an en dash where there is none."""
    if value is None:
        return "–"
    return "0" if value == 0 else f"{value:.1e}"


def method(name: str) -> str:
    """How exact coefficients were computed."""
    return {
        "grid": "a grid over one turn of each independent angle, then an FFT",
        "lifting": "Pauli words, followed frequency by frequency",
        "product-tree": "a tree of products, with FFT convolutions",
    }[name]


def seconds(value: float) -> str:
    """A duration in seconds."""
    return f"{value:.2f} s" if value < 10 else f"{value:.0f} s"


def vector(values: Sequence[float]) -> str:
    """Full-precision numbers in brackets."""
    return f"[{', '.join(map(repr, values))}]"


def shortened(values: Array, most: int = 8) -> str:
    """Numbers to six digits in brackets; of many the first ones, and how many there are."""
    shown = [f"{v:.6g}" for v in values[:most]]
    rest = len(values) - len(shown)
    return f"[{', '.join(shown)}{f', … {rest} more' if rest > 0 else ''}]"


def verdict(pair: Pair, result: Verdict) -> str:
    """The claim and the verdict on it, as one sentence."""
    claim = {
        "equal": "Claimed equal",
        "approximates": f"Claimed to approximate within {pair.epsilon}",
        "different": "Claimed different (a mistake that has to be caught)",
    }[pair.claim]
    status = f"{result.status.value}: {result.status.meaning}"
    joint = "; " if pair.as_claimed(result.status) else ", but "
    sentence = f"{claim}{joint}{status}."
    return f"{sentence} Reason: {result.reason}." if result.reason else sentence


def witness(found: Counterexample) -> str:
    """What differs at the witness, and by how much."""
    left, right = found.between
    what = f"the {found.kind}" if found.component else f"output {found.output}"
    part = f" {found.component} of output {found.output}" if found.component else ""
    return (
        f"At the point below, {what}{part} is {found.values[left]:+.12g} by {left} and "
        f"{found.values[right]:+.12g} by {right}: a difference of {found.difference:.3g}, which is "
        f"{found.relative:.3g} of its scale. {found.diagnosis}"
    ).rstrip()


def linked(text: str) -> Markup:
    """Escaped text with addresses, ``arXiv:`` numbers and ``doi:`` names as links."""
    parts, start = [], 0
    for match in _CITATION.finditer(text):
        address = match["url"]
        if match["arxiv"]:
            address = f"https://arxiv.org/abs/{match['arxiv']}"
        elif match["doi"]:
            address = f"https://doi.org/{match['doi']}"
        parts += [escape(text[start : match.start()])]
        parts += [Markup('<a href="{}" rel="noreferrer">{}</a>').format(address, match[0])]
        start = match.end()
    return Markup("").join([*parts, escape(text[start:])])


#: Longest name of a pair's files.
_LONGEST = 80


def file_stem(name: str) -> str:
    """A file name for a pair; one that had to be changed gets a hash, so that no two are alike."""
    plain = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)[:_LONGEST]
    if plain == name:
        return name
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
