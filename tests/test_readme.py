"""What the README promises: its code runs, its commands exist, its test command is the one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from qrun_equiv import cli
from qrun_equiv.certificate import Status
from qrun_equiv.pair import collect


@pytest.fixture(scope="module")
def readme(repository):
    return (repository / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_example_runs_and_prints_what_is_shown(readme, tmp_path):
    example, calls, approximation, spectra, scale, _ = blocks(readme, "python")
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 10
    calls = calls.replace('"mine.json"', repr(str(tmp_path / "mine.json")))
    spectra += "\nassert bound.status == qe.Status.CERTIFIED and shots.status == qe.Status.PROVED\n"
    program = "\n".join((example, calls, approximation, spectra, scale))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    shown = next(b for b in blocks(readme, "text") if b.startswith("proved"))
    for line in shown.splitlines():
        words = re.split(r"\s+\d\.\de-\d+", line)[0]
        if words.strip() != "...":
            assert words in done.stdout
    out = done.stdout.splitlines()
    at = out.index("certified")  # the approximation's status, then the spectra
    assert out[at + 1].startswith("7 accessible frequencies in x0, 4 of them effective")
    assert out[at + 2].endswith("period 2*pi")
    assert out[-3].startswith("different: 4 differ of 4 coefficients")
    assert 0 < float(out[-2]) <= 1e-5
    assert out[-1] == "torch.Size([1000, 1])"


def test_the_pair_file_is_verified(readme, tmp_path):
    path = tmp_path / "my_pair.py"
    path.write_text(blocks(readme, "python")[5])
    (pair,) = collect([path])
    assert pair.verify().status is Status.PROVED


def test_every_command_of_the_table_exists(readme):
    named = set(re.findall(r"^\| `qrun-equiv (\w+)", readme, flags=re.MULTILINE))
    help_text = CliRunner().invoke(cli.app, ["--help"]).output
    assert named == {c.name or c.callback.__name__ for c in cli.app.registered_commands}
    for name in named:
        assert name in help_text
    options = re.findall(r"`(--\w+)", readme.split("## Commands")[1].split("##")[0])
    known = "".join(CliRunner().invoke(cli.app, [c, "--help"]).output for c in named)
    for option in options:
        assert option in known


def test_links_lead_somewhere(readme, repository):
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        if not target.startswith("http"):
            assert (repository / target).exists(), target


def test_the_test_command_is_one_and_the_same(readme, repository):
    command = "python -m pytest -n 2 --dist loadfile"
    assert readme.count(f".venv/bin/{command}") == 2
    makefile = (repository / "Makefile").read_text()
    assert f"$(BIN)/{command}\n" in makefile
    assert "make test" in (repository / ".ci" / "run").read_text()
