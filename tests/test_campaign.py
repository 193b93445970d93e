"""The soundness campaign in small, its ground truth, and the identities that it rewrites by."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from campaign import broken, oracle, soundness
from campaign.subjects import EQUAL, MUTANT, small_circuit

from qrun_equiv.angle import feature
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.errors import CircuitError
from qrun_equiv.exact import identical
from qrun_equiv.rewriting import RULES, UNITARY, commute, rewrite


def test_a_small_campaign_has_no_wrong_verdict(tmp_path, monkeypatch):
    folder = str(tmp_path)
    options = ["--seed", "1", "--equal", "3", "--mutants", "3", "--jobs", "1", "--output", folder]
    assert soundness.main(options) == 0
    text = (tmp_path / "soundness.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [r["status"] for r in rows if r["kind"] == EQUAL] == ["proved"] * 3
    assert [r["status"] for r in rows if r["kind"] == MUTANT] == ["refuted"] * 3
    body = json.loads((tmp_path / "soundness.json").read_text(encoding="utf-8"))
    assert body["wrong"] == []
    assert "3 equal pairs and 3 mutants" in (tmp_path / "soundness.md").read_text(encoding="utf-8")
    monkeypatch.setattr(soundness, "trial", None)  # nothing is left to do
    assert soundness.main([*options, "--resume"]) == 0
    assert (tmp_path / "soundness.csv").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("kind", "expected", "status", "wrong"),
    [
        (EQUAL, "proved", "proved", False),
        (EQUAL, "proved", "sampled", True),
        (EQUAL, "sampled", "sampled", False),
        (EQUAL, "sampled", "refuted", True),
        (EQUAL, "sampled", "undecided", True),
        (EQUAL, "sampled", "error", True),
        (MUTANT, "proved", "proved", True),
        (MUTANT, "proved", "certified", True),
        (MUTANT, "proved", "sampled", False),
        (MUTANT, "proved", "undecided", False),
    ],
)
def test_what_counts_as_wrong(kind, expected, status, wrong):
    assert bool(soundness.judge(kind, expected, status)) == wrong


def test_a_wrong_verdict_is_reported_and_ends_with_code_1(tmp_path, monkeypatch):
    _, made, rng = soundness.subject(EQUAL, 0, 0)
    monkeypatch.setattr(soundness, "subject", lambda *_: (next(iter(broken.FAMILIES)), made, rng))
    options = ["--equal", "0", "--mutants", "1", "--jobs", "1", "--output", str(tmp_path)]
    assert soundness.main(options) == 1
    assert "a mutant was proved" in (tmp_path / "soundness.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", RULES)
def test_each_identity_keeps_what_is_measured(name):
    rng, made = np.random.default_rng(4), 0
    while made < 6:
        circuit = small_circuit(rng)
        other = RULES[name](circuit, rng)
        if other is None:
            continue
        made += 1
        assert other != circuit
        assert not oracle.differ(circuit, other, seed=made)
        assert identical(circuit, other)


@pytest.mark.parametrize("name", UNITARY)
def test_identities_of_unitaries_keep_every_pauli_word(name):
    rng, made = np.random.default_rng(5), 0
    while made < 3:
        circuit = small_circuit(rng, wires=2)
        words = [{0: a, 1: b} for a in "IXYZ" for b in "IXYZ"]
        tilt = [Gate(n, (w,), feature(0) * s) for w in (0, 1) for n, s in (("RY", 1.3), ("RZ", 2))]
        every = tuple(Observable.of([(1.0, word)]) for word in words)
        whole = Circuit(2, circuit.gates, every, circuit.n_features, circuit.n_parameters)
        other = RULES[name](whole, rng)
        if other is None:
            continue
        made += 1
        prepared = [
            Circuit(2, (*tilt, *c.gates), every, c.n_features, c.n_parameters)
            for c in (whole, other)
        ]
        assert not oracle.differ(*prepared, seed=made)


def test_rewriting_is_seeded_and_says_what_it_did():
    circuit = small_circuit(np.random.default_rng(1), wires=2)
    one, rules = rewrite(circuit, 9, seed=3)
    assert (one, rules) == rewrite(circuit, 9, seed=3)
    assert len(rules) == 9
    assert one != rewrite(circuit, 9, seed=4)[0]
    assert set(rewrite(circuit, 5, rules=["Hadamard"])[1]) == {"Hadamard"}


def test_rewriting_refuses_what_it_can_not_do():
    circuit = Circuit(1, (Gate("S", (0,)),), (Observable.of([(1.0, {0: "Z"})]),), 0, 0)
    with pytest.raises(CircuitError, match="unknown rules"):
        rewrite(circuit, rules=["magic"])
    with pytest.raises(CircuitError, match="none of the rules"):
        rewrite(circuit, rules=["merge"])


def test_gates_that_commute():
    x = feature(0)
    cnot, cz, h = Gate("CNOT", (0, 1)), Gate("CZ", (0, 1)), Gate("H", (0,))
    assert commute(Gate("RZ", (0,), x), cnot)
    assert commute(Gate("RX", (1,), x), cnot)
    assert commute(h, Gate("RX", (1,), x))
    assert not commute(Gate("RX", (0,), x), cnot)
    assert not commute(h, cz)


def test_the_ball_arithmetic_tells_1e_12_from_rounding():
    def circuit(offset):
        gate = Gate("RX", (0,), feature(0) + offset)
        return Circuit(1, (gate,), (Observable.of([(1.0, {0: "Z"})]),), 1, 0)

    low, high = oracle.gap(circuit(0.5), circuit(0.5 + 1e-12), seed=0)
    assert 1e-14 < low <= high < 1.1e-12
    assert not oracle.differ(circuit(0.5), circuit(0.5), seed=0)
