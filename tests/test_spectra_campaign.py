"""The spectrum benchmark in small: every way to the coefficients is right before it is timed."""

from __future__ import annotations

import json
import sys

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


def test_an_interpreter_without_the_peer_is_named(capfd):
    named, rows = spectra.ask_peer(spectra.Path(sys.executable), [tools.serial(2)])
    assert "not installed" in named
    assert rows == [{"error": "not installed"}]
    assert "can't run qml-essentials" in capfd.readouterr().err
