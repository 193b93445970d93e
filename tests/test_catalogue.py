"""The shipped pairs: each as claimed, exact ones to 1e-9 in everything against both simulators."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from qrun_equiv.certificate import FEATURES, KINDS, LINKS, OUTPUTS, SPECTRUM, Status
from qrun_equiv.pair import catalogue_folder, collect
from qrun_equiv.reporting.script import replay_script

PAIRS = {p.name: p for p in collect([catalogue_folder()])}
EQUAL = [name for name, p in PAIRS.items() if p.claim == "equal"]
DIFFERENT = [name for name, p in PAIRS.items() if p.claim == "different"]
REAL_DATA = [name for name, p in PAIRS.items() if p.data is not None]
TRAINED = [name for name, p in PAIRS.items() if p.trained is not None]

#: Encodings that are no polynomial of the features have no spectrum: the pair says so.
OPAQUE = {"quantum-circuit-learning", "chebyshev-tower"}


@cache
def verdict(name):
    return PAIRS[name].verify()


def test_the_catalogue_is_as_large_as_it_says():
    assert len(EQUAL) >= 14
    assert len(DIFFERENT) >= 6
    assert len(REAL_DATA) >= 4
    assert len(TRAINED) >= 2
    for pair in PAIRS.values():
        assert pair.pennylane is not None
        assert pair.qiskit is not None or pair.qasm is not None
        assert pair.source
        assert pair.summary
        assert pair.data is None or pair.data_source


@pytest.mark.parametrize("name", EQUAL)
def test_equal_pairs_agree_in_everything_with_both_simulators(name):
    result = verdict(name)
    assert result.status is Status.PROVED, str(result)
    made = {(c.name, b) for c in result.checks if c.status == "passed" for b in c.between}
    for circuit in PAIRS[name].circuits():
        assert (OUTPUTS, circuit) in made
        assert (FEATURES, circuit) in made
        assert (SPECTRUM, circuit) in made or name in OPAQUE
    for kind in (*KINDS, *LINKS[:1]):
        assert (result.worst(kind) or 0.0) < 1e-9


@pytest.mark.parametrize("name", DIFFERENT)
def test_mistakes_are_refuted_and_replayed_by_a_short_script(name, tmp_path):
    result = verdict(name)
    assert result.status is Status.REFUTED, str(result)
    witness = result.counterexample
    assert witness.replay
    script = replay_script(PAIRS[name], result)
    path = tmp_path / "replay.py"
    path.write_text(script)
    code = [line for line in script.splitlines() if line.strip() and not line.startswith("#")]
    assert len(code) <= 12  # five of them imports
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(path)], capture_output=True, text=True, check=True
    )
    printed = float(done.stdout.split()[-1])
    assert printed == pytest.approx(witness.difference, rel=1e-6)


@pytest.mark.parametrize("name", EQUAL)
def test_a_second_seed_gives_the_same_verdict(name):
    assert PAIRS[name].verify(seed=20_251).status is Status.PROVED


@pytest.mark.parametrize("name", TRAINED)
def test_trained_parameters_are_finite_and_of_the_right_size(name):
    pair = PAIRS[name]
    parameters = np.asarray(pair.trained, dtype=float)
    size = np.prod(pair.n_parameters)
    assert parameters.size == size
    assert np.all(np.isfinite(parameters))
    assert pair.data is not None
