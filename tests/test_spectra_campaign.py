"""The spectrum benchmark in small: every way to the coefficients is right before it is timed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from campaign import spectra
from campaign import spectrum_tools as tools

from qrun_equiv.simulate import expectations


@pytest.mark.parametrize(
    "case",
    [tools.serial(4), tools.wide(2, 1, ("RX", "RY"), "two"), tools.wide(3, 1, ("RX",), "three")],
    ids=lambda case: case.name,
)
def test_all_tools_agree_with_the_reference(case):
    exact = tools.reference(case)
    assert exact.shape == case.shape
    found = [spectra.ours(case)[0], tools.torch_loop(case), tools.pennylane(case, broadcast=True)()]
    found += [tools.laurent(case)] if case.qubits == 1 else []
    assert all(np.max(np.abs(f - exact)) < 1e-14 for f in found)
    # The reference itself, at a point off its grid, by the simulator.
    x = np.full((1, len(case.encodings)), 0.321)
    index = np.meshgrid(*[np.fft.fftfreq(n, 1 / n) for n in case.shape], indexing="ij")
    value = np.sum(exact * np.exp(1j * sum(k * 0.321 for k in index)))
    theta = torch.tensor(case.parameters.reshape(-1))
    direct = float(expectations(case.circuit(), torch.tensor(x), theta)[0, 0])
    assert value == pytest.approx(direct, abs=1e-14)
    if case.qubits == 1:
        assert tools.value(case, 0.321) == pytest.approx(direct, abs=1e-14)


def test_one_coefficient_of_unrelated_scales():
    circuit, theta = tools.unrelated(2)
    signs = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    for x in (0.4, -1.7):
        total = sum(
            tools.one_coefficient(theta, s) * np.exp(1j * x * (s @ theta[:2]))
            for s in map(np.array, signs)
        )
        assert total == pytest.approx(tools.unrelated_value(theta, 2, x), abs=1e-15)
        point = torch.tensor([[x]], dtype=torch.float64)
        direct = float(expectations(circuit, point, torch.tensor(theta))[0, 0])
        assert total == pytest.approx(direct, abs=1e-15)


def test_the_command_in_small(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(spectra, "SECONDS", 0.0)
    monkeypatch.setattr(spectra, "CHECKED", 8)
    monkeypatch.setattr(spectra.timed, "__defaults__", (0.0,))
    arguments = ["--most-cases", "1", "--most-layers", "30", "--unrelated", "3"]
    assert spectra.main([*arguments, "--output", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "spectra.json").read_text(encoding="utf-8"))
    assert found["cases"][0]["ours"]["error"] < 1e-14
    assert found["unrelated"]["coefficients"] == 27
    assert found["unrelated"]["error"] < 1e-15
    assert found["growth"]["checked"]["error"] < 1e-14
    text = (tmp_path / "spectra.md").read_text(encoding="utf-8")
    assert "| 1 qubit, L = 8 |" in text
    assert "not installed" in text
    assert (tmp_path / "spectra.png").stat().st_size > 10_000


def test_the_committed_table_is_as_claimed(repository):
    """Every figure that is claimed of the peers and of the depth, in the numbers that were kept."""
    found = json.loads((repository / "reports" / "spectra.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in found["cases"]}
    assert list(rows) == [
        *(f"1 qubit, L = {layers}" for layers in (8, 32, 128)),
        "2 qubits, 2 inputs, degree (6, 6)",
        "4 qubits x 2 layers",
    ]
    deep = rows["1 qubit, L = 128"]
    assert deep[spectra.LOOP]["best"] > 1000 * deep[spectra.OURS]["best"]
    assert deep[spectra.BROADCAST]["best"] > 5 * deep[spectra.OURS]["best"]
    for row in rows.values():
        assert row[spectra.ESSENTIALS]["best"] > row[spectra.OURS]["best"]
        assert row[spectra.OURS]["error"] < 1e-13
    tree = found["growth"]
    assert max(r["first"] for r in tree["rows"] if r["size"] == 10_000) < 2
    assert max(tree["exponent"], tree["exponent, first call"]) < 1.3
    assert (tree["checked"]["size"], tree["checked"]["error"] < 1e-12) == (256, True)
    assert found["unrelated"]["layers"] == 16
    assert max(found["unrelated"]["error"], found["unrelated"]["value error"]) < 1e-12


def test_the_readme_shows_the_table(repository):
    found = json.loads((repository / "reports" / "spectra.json").read_text(encoding="utf-8"))
    readme = (repository / "README.md").read_text(encoding="utf-8")
    shown = [line for line in readme.splitlines() if re.match(r"\| \d qubits?, ", line)]
    kept = {row["name"]: row for row in found["cases"]}
    names = {
        "1 qubit, 8 re-uploads": "1 qubit, L = 8",
        "1 qubit, 128 re-uploads": "1 qubit, L = 128",
        "2 qubits, 2 features, degree (6, 6)": "2 qubits, 2 inputs, degree (6, 6)",
        "4 qubits, 2 layers": "4 qubits x 2 layers",
    }
    checked = 0
    for line in shown:
        name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        row = kept.get(names.get(name, ""))
        if row is None:
            last = next(r for r in found["growth"]["rows"] if r["size"] == 10_000)
            row = {spectra.LAURENT: last[spectra.LAURENT], spectra.OURS: last}
        for tool, cell in zip(spectra.TOOLS, cells, strict=True):
            if cell:
                value = float(cell.removesuffix(" ms"))
                assert value == pytest.approx(1e3 * row[tool]["best"], rel=0.04, abs=0.005)
                checked += 1
    assert checked == 24


def test_the_peers_are_installed_into_an_environment_of_their_own(tmp_path, monkeypatch):
    ran = []
    monkeypatch.setattr(spectra.subprocess, "run", lambda command, **_: ran.append(command))
    python = spectra.installed(tmp_path / "peer")
    assert python == tmp_path / "peer" / "bin" / "python"
    made, filled = ran
    assert made == [sys.executable, "-m", "venv", str(tmp_path / "peer")]
    assert filled[:-1] == [str(python), "-m", "pip", "install", "-q", "-r"]
    assert "qml-essentials==" in Path(filled[-1]).read_text(encoding="utf-8")
    python.parent.mkdir(parents=True)
    python.touch()
    spectra.installed(tmp_path / "peer")
    assert ran[2:] == [filled]


def test_an_interpreter_without_the_peer_is_named(capfd):
    named, rows = spectra.ask_peer(spectra.Path(sys.executable), [tools.serial(2)])
    assert "not installed" in named
    assert rows == [{"error": "not installed"}]
    assert "can't run qml-essentials" in capfd.readouterr().err
