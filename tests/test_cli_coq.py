"""`qrun-equiv verify --coq`: certificates are written and checked, or it says why not."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from qrun_equiv import cli, coq
from qrun_equiv.coq import command

needs_coq = pytest.mark.skipif(
    shutil.which("coqc") is None, reason="needs coqc (Debian and Ubuntu: apt install coq)"
)


def verify(*arguments):
    done = CliRunner().invoke(cli.app, ["verify", "--no-report", *map(str, arguments)])
    return done.exit_code, done.output


@needs_coq
def test_a_certificate_is_written_checked_and_can_be_checked_by_hand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out = verify("--only", "serial-1", "--coq", "proved")  # a relative folder
    assert code == 0, out
    assert "proved/serial_1.v: proved by Coq" in out
    assert "serial_1_output_0" in out
    by_hand = ["coqc", "-Q", "library", "QrunEquiv", "serial_1.v"]
    assert subprocess.run(by_hand, cwd=tmp_path / "proved", check=False).returncode == 0


@needs_coq
def test_where_coq_refuses_the_exit_code_is_1(tmp_path, monkeypatch):
    def broken(pair, folder):
        path = coq.write(pair, folder)
        text = path.read_text()
        assert "RX [(1#1, [Feature 0])]" in text
        path.write_text(text.replace("RX [(1#1, [Feature 0])]", "RX [(2#1, [Feature 0])]", 1))
        return path

    monkeypatch.setattr(command, "write", broken)
    code, out = verify("--only", "serial-1", "--coq", tmp_path)
    assert code == 1
    assert "NOT PROVED" in out


def test_where_there_is_none_the_reason_is_said_and_the_exit_code_is_3(tmp_path):
    code, out = verify("--only", "ghz-parity", "--coq", tmp_path)
    assert code == 3
    assert "one wire; this one has 3" in out
    code, out = verify("--only", "mistake-half-angle", "--coq", tmp_path)
    assert code == 3
    assert "none, it is refuted" in out
    assert list(tmp_path.iterdir()) == []


def test_without_coq_the_certificates_are_written_and_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    done = CliRunner().invoke(
        cli.app, ["verify", "--no-report", "--only", "serial-1", "--coq", str(tmp_path)]
    )
    assert "apt install coq" in str(done.exception)
    assert (tmp_path / "serial_1.v").is_file()
