"""Two spectra side by side."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qrun_equiv.errors import SpectrumError
from qrun_equiv.fourier import FourierSeries
from qrun_equiv.spectra.comparing import compare_spectra
from qrun_equiv.spectra.sampled import SampledSpectrum, sample


def series(**coefficients):
    """``w1=0.5`` is the coefficient of frequency 1, and ``w_1`` that of -1."""
    rates = [float(name[1:].replace("_", "-")) for name in coefficients]
    values = np.array(list(coefficients.values()), dtype=complex)
    return FourierSeries(np.array(rates)[:, None], values[:, None])


LEFT = series(w_2=0.1j, w_1=0.5, w0=0.2, w1=0.5, w2=-0.1j)


def kinds(comparison):
    return {row.frequency[0]: row.kind for row in comparison.rows}


def test_each_kind_of_row():
    right = series(w_3=0.3, w_1=0.51, w0=0.2, w1=0.51, w3=0.3)
    found = compare_spectra(LEFT, right)
    assert kinds(found) == {
        -3: "extra", -2: "missing", -1: "differs", 0: "same", 1: "differs", 2: "missing", 3: "extra"
    }  # fmt: skip
    assert not found.same
    assert found.counts() == {"same": 1, "missing": 2, "extra": 2, "differs": 2}
    bound = found.rows[0].bound
    assert 1e-15 < bound < 1e-13
    assert found.verdict == (
        "different: 2 missing, 2 extra, 2 differ of 7 coefficients of left and right; largest "
        f"difference 0.3 (bound {bound:.1e}) at frequency -3, output 0"
    )
    assert found.energy == pytest.approx((2 * 0.09 + 2 * 0.01 + 2 * 0.01**2) / 0.56)


def test_the_table_shows_one_of_each_pair():
    text = str(compare_spectra(LEFT, series(w0=0.2), names=("circuit", "network")))
    assert text.splitlines()[1].split() == [
        "frequency", "output", "circuit", "network", "difference", "bound"
    ]  # fmt: skip
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["0", "1", "2"]
    assert "-0.100000i" in text
    assert text.count("missing") == 3


def test_long_tables_show_what_differs():
    rates = np.arange(-100.0, 101.0)[:, None]
    left = FourierSeries(rates, np.ones((201, 1), dtype=complex))
    changed = left.coefficients.copy()
    changed[195] += 0.5
    text = str(compare_spectra(left, FourierSeries(rates, changed)))
    lines = text.splitlines()
    assert lines[2].split()[0] == "95"
    assert lines[-1] == "... and 61 rows with smaller differences"


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    features=st.integers(1, 3),
    outputs=st.integers(1, 2),
    shift=st.sampled_from([0.0, 1e-15, 3e-16]),
)
def test_order_and_rounding_do_not_matter(seed, features, outputs, shift):
    rng = np.random.default_rng(seed)
    rates = rng.permutation(np.unique(rng.integers(-4, 5, (12, features)), axis=0) * 0.3)
    values = rng.normal(size=(len(rates), outputs, 2)) @ np.array([1, 1j])
    left = FourierSeries(rates, values)
    order = rng.permutation(len(rates))
    right = FourierSeries(rates[order] * (1 + shift), values[order])
    found = compare_spectra(left, right)
    assert found.same
    assert len(found.rows) == values.size
    changed = values.copy()
    changed[0, 0] += 1e-9
    assert compare_spectra(left, FourierSeries(rates, changed)).counts()["differs"] == 1


def test_equal_frequencies_of_one_side_are_added():
    split = series(w_2=0.1j, w_1=0.5, w0=0.2, w1=0.3, w2=-0.1j)
    rest = FourierSeries(np.array([[1 + 2e-16]]), np.array([[0.2 + 0j]]))
    both = FourierSeries(
        np.concatenate([split.frequencies, rest.frequencies]),
        np.concatenate([split.coefficients, rest.coefficients]),
    )
    assert compare_spectra(LEFT, both).same


def test_a_phase_is_a_difference():
    turned = FourierSeries(LEFT.frequencies, LEFT.coefficients.conj())
    assert compare_spectra(LEFT, turned).counts() == {
        "same": 3, "missing": 0, "extra": 0, "differs": 2
    }  # fmt: skip


def test_near_frequencies_are_not_the_same_one():
    near = FourierSeries(LEFT.frequencies * (1 + 1e-9), LEFT.coefficients)
    assert compare_spectra(LEFT, near).counts() == {
        "same": 1, "missing": 4, "extra": 4, "differs": 0
    }  # fmt: skip


def test_the_bound_adds_both_errors():
    def wide(error, condition=1.0):
        return SampledSpectrum(LEFT, error, 1.0, condition, 5, "grid", "")

    bound = compare_spectra(wide(1e-3), wide(2e-3, 2.0), tolerance=0.01).rows[0].bound
    assert bound == pytest.approx(1e-3 + 4e-3 + 0.01)
    other = FourierSeries(LEFT.frequencies, LEFT.coefficients + 0.0049)
    assert compare_spectra(wide(1e-3), SampledSpectrum(other, 4e-3, 1, 1, 5, "grid", "")).same
    assert not compare_spectra(wide(1e-3), SampledSpectrum(other, 3e-3, 1, 1, 5, "grid", "")).same


def test_sampled_spectra_of_other_grids_agree():
    def function(x):
        return np.stack([np.cos(x[:, 0]), np.sin(2 * x[:, 0])], axis=1)

    found = compare_spectra(sample(function, degree=2), sample(function, degree=9))
    assert found.same
    assert found.verdict.startswith("same: 38 coefficients of left and right, largest difference")
    assert found.energy < 1e-28


def test_json():
    form = compare_spectra(LEFT, series(w0=0.2 + 1e-3)).to_json()
    form = json.loads(json.dumps(form))
    assert form["counts"] == {"same": 0, "missing": 4, "extra": 0, "differs": 1}
    assert form["rows"][2]["frequency"] == [0.0]
    assert form["rows"][2]["right"] == [0.201, 0.0]


def test_what_cannot_be_compared():
    two = FourierSeries(np.zeros((1, 2)), np.ones((1, 1), dtype=complex))
    with pytest.raises(SpectrumError, match="1 features, and right 2"):
        compare_spectra(LEFT, two)
    with pytest.raises(SpectrumError, match="1 outputs, and b 2"):
        compare_spectra(
            LEFT, FourierSeries(np.zeros((1, 1)), np.ones((1, 2), dtype=complex)), names=("a", "b")
        )
    with pytest.raises(SpectrumError, match="left contains a number that is not finite"):
        compare_spectra(series(w0=np.nan), LEFT)
    empty = FourierSeries(np.zeros((0, 1)), np.zeros((0, 1), dtype=complex))
    with pytest.raises(SpectrumError, match="right has no frequency"):
        compare_spectra(LEFT, empty)


def test_too_many_rows_are_refused_at_once():
    many = FourierSeries(np.arange(1_000_001.0)[:, None], np.zeros((1_000_001, 1), dtype=complex))
    with pytest.raises(SpectrumError, match=r"1,000,001 coefficients .* 0\.5 GB"):
        compare_spectra(LEFT, many)


def test_zero_against_zero_and_against_something():
    assert compare_spectra(series(w0=0.0), series(w1=0.0, w_1=0.0)).same
    found = compare_spectra(series(w0=0.0), series(w0=1e-300))
    assert found.energy == 0.0 or not found.same
    assert compare_spectra(series(w0=0.0), series(w0=0.1)).energy == 1.0


def test_constants_can_be_compared():
    def constant(value):
        return FourierSeries(np.zeros((1, 0)), np.array([[value + 0j]]))

    assert compare_spectra(constant(0.5), constant(0.5)).same
    assert not compare_spectra(constant(0.5), constant(0.4)).same


def test_a_slow_frequency_and_a_constant_differ():
    w = np.array([[0.0], [1e-7], [1e6]])
    left, right = np.array([[1.0], [0.0], [0.1]]) + 0j, np.array([[0.0], [1.0], [0.1]]) + 0j
    assert not compare_spectra(FourierSeries(w, left), FourierSeries(w, right)).same


@pytest.mark.parametrize("tolerance", [float("nan"), float("inf"), -1.0, "a"])
def test_a_tolerance_that_is_no_bound_is_refused(tolerance):
    one = FourierSeries(np.zeros((1, 1)), np.ones((1, 1)) + 0j)
    with pytest.raises(SpectrumError, match="tolerance must be"):
        compare_spectra(one, one, tolerance=tolerance)


def test_what_is_no_spectrum_is_refused():
    one = FourierSeries(np.zeros((1, 1)), np.ones((1, 1)) + 0j)
    for other in (3, FourierSeries(np.zeros((1, 1)), np.zeros((1, 0), complex))):
        with pytest.raises(SpectrumError, match="no spectrum"):
            compare_spectra(one, other)
