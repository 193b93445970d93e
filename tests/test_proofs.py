"""The chain of proofs/: every link gets the verdict that its chapter claims, and the texts fit."""

from __future__ import annotations

import json
import re
import runpy
from functools import cache
from importlib import import_module

import pytest
from typer.testing import CliRunner

from qrun_equiv import chain, cli
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, Shown, chapters, proofs_folder, show
from qrun_equiv.errors import FormalError, PairError
from qrun_equiv.pair import Pair

pytestmark = pytest.mark.proofs

FOLDER = proofs_folder()
FILES = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
TEXTS = sorted(FOLDER.glob("*.md"))
README = (FOLDER / "README.md").read_text()

TINY = '''"""Chapter 3: a chapter of a test."""
from qrun_equiv.certificate import Status
from qrun_equiv.chain import Link, Shown

LINKS = [
    Link("this holds", lambda: Shown(Status.PROVED, "a reason")),
    Link("this is a bound", lambda: Shown(Status.CERTIFIED, "another"), Status.CERTIFIED),
]
'''


@cache
def chapter(number):
    (found,) = chapters(only=number)
    return found


def stated(number):
    """The verdicts in a chapter's section "What the check does", item by item."""
    text = chapter(number).path.with_suffix(".md").read_text()
    section = text.split("## What the check does")[1].split("\n## ")[0]
    items = re.split(r"(?m)^\d+\. ", section)[1:]
    return [re.findall(r"`(proved|certified|refuted|undecided)`", item) for item in items]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_link_gets_the_verdict_that_its_chapter_claims(path):
    results = list(chapter(int(path.name[:2])).run())
    wrong = [f"{r.link.claim}: {r.shown}" for r in results if not r.as_claimed]
    assert not wrong
    assert all(r.shown.rests_on for r in results)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_text_states_the_verdicts_of_the_links_in_order(path):
    number = int(path.name[:2])
    assert stated(number) == [[link.expects.value] for link in chapter(number).links]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_pairs_are_native_in_both_frameworks(path):
    links = chapter(int(path.name[:2])).links
    pairs = [link.check for link in links if isinstance(link.check, Pair)]
    assert pairs
    for link in links:
        if isinstance(link.check, Pair):
            refuted = link.expects is Status.REFUTED
            assert (link.check.claim == "different") == refuted, link.claim
    for pair in pairs:
        assert set(pair.circuits()) == {"pennylane", "qiskit"}, pair.name
    assert any(link.expects in (Status.PROVED, Status.CERTIFIED) for link in links)


def test_each_chapter_has_a_text_and_a_file():
    assert [int(p.name[:2]) for p in FILES] == list(range(1, 10))
    assert {p.stem for p in FILES} == {p.stem for p in TEXTS} - {"README"}


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.stem)
def test_texts_are_readable_where_markdown_meets_mathematics(path):
    text = path.read_text()
    sections = {re.sub(r"[^a-z0-9 ]", "", h.lower()).replace(" ", "-")
                for h in re.findall(r"(?m)^#+ (.*)", text)}  # fmt: skip
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in sections, target
        elif not target.startswith("https://"):
            assert (FOLDER / target).is_file(), target
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
    assert text.count("$") % 2 == 0
    assert not re.search(r"\\[,;{}!]", text), "Markdown eats a backslash before punctuation"
    if path.stem != "README":
        for heading in ("## Claim", "## Proof", "## What the check does", "## What this does not"):
            assert heading in text, heading
        assert "## References" in text


def test_the_index_names_every_chapter_and_functions_that_exist():
    for path in FILES:
        assert f"({path.stem}.md)" in README
    names = re.findall(r"`(qrun_equiv\.[\w.]+)`", README)
    assert len(names) >= len(FILES)
    for name in names:
        assert callable(resolve(name)), name


def resolve(name):
    """The object of a dotted name: a module, then attributes."""
    parts = name.split(".")
    found = import_module(".".join(parts[:2]))
    for part in parts[2:]:
        found = getattr(found, part)
    return found


def test_a_chapter_runs_on_its_own(capsys):
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(FOLDER / "02_features.py"), run_name="__main__")
    assert stop.value.code == 0
    assert capsys.readouterr().out.count("proved  ") == 3


def test_a_link_with_another_verdict_fails_the_chain(capsys):
    shown = Shown(Status.PROVED, "a reason")
    assert Link("stronger than stated", lambda: shown, Status.CERTIFIED).run().as_claimed is False
    assert show([Link("holds", lambda: shown)]) == 0
    assert show([Link("holds", lambda: shown), Link("not", lambda: shown, Status.REFUTED)]) == 1
    assert "NOT AS CLAIMED (refuted)" in capsys.readouterr().out


def test_an_error_of_a_check_is_undecided_with_its_message():
    def fails():
        msg = "tanh is no polynomial"
        raise FormalError(msg)

    result = Link("fails", fails).run()
    assert result.shown.status is Status.UNDECIDED
    assert "tanh is no polynomial" in result.shown.rests_on
    assert not result.as_claimed


def test_sampled_agreement_is_no_link():
    with pytest.raises(PairError, match="no verdict that a chapter can rest on"):
        Link("only sampled", lambda: Shown(Status.SAMPLED, ""), Status.SAMPLED)


@pytest.mark.parametrize("value", [3.41e-31, 2.27e-16, 0.0011, 1.0, 0.0])
def test_printed_bounds_are_rounded_up(value):
    assert value <= float(chain._above(value)) <= 1.1 * value


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    (tmp_path / "03_tiny.py").write_text(TINY)
    (tmp_path / "03_tiny.md").write_text("# 3. Tiny\n")
    monkeypatch.setattr(chain, "proofs_folder", lambda: tmp_path)
    return tmp_path


def test_the_command_prints_each_link_and_writes_json(tiny):
    out = CliRunner().invoke(cli.app, ["proofs", "--json", str(tiny / "out" / "chain.json")])
    assert out.exit_code == 0, out.output
    for words in ("a chapter of a test", "this holds", "a reason", "2 of 2 links as claimed"):
        assert words in out.output
    body = json.loads((tiny / "out" / "chain.json").read_text())
    assert [link["verdict"] for link in body["links"]] == ["proved", "certified"]
    assert all(link["as_claimed"] and link["chapter"] == 3 for link in body["links"])


def test_the_command_fails_where_a_link_is_not_as_claimed(tiny):
    text = TINY.replace("Shown(Status.CERTIFIED", "Shown(Status.SAMPLED")
    (tiny / "03_tiny.py").write_text(text)
    out = CliRunner().invoke(cli.app, ["proofs", "--chapter", "3"])
    assert out.exit_code == 1
    assert "NOT AS CLAIMED (certified)" in " ".join(out.output.split())
    assert "1 of 2 links as claimed" in out.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "03_tiny.md").unlink(), "write 03_tiny.md"),
        (lambda folder: (folder / "03_tiny.py").write_text("LINKS = []"), "has no links"),
        (lambda folder: (folder / "03_tiny.py").write_text("1 / 0"), "ZeroDivisionError"),
    ],
)
def test_a_broken_chapter_is_named(tiny, change, message):
    change(tiny)
    with pytest.raises(PairError, match=message):
        chapters()


def test_an_unknown_chapter_is_named(tiny):
    with pytest.raises(PairError, match=r"no chapter 7 in .*; there are 3"):
        chapters(only=7)
