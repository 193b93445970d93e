"""The spectrum command's page, the spectra of a report, and their files."""

from __future__ import annotations

import io
import json
import math
import re
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from qrun_equiv.errors import FrontendError, ReportError, SpectrumError
from qrun_equiv.pair import load_file
from qrun_equiv.reporting import figures, report
from qrun_equiv.reporting.curves import Line
from qrun_equiv.reporting.drawn import _about_spectrum
from qrun_equiv.reporting.mathematics import angle, formulas
from qrun_equiv.reporting.numbers import to_npz
from qrun_equiv.reporting.spectra import _distinct, plane, spectrum
from qrun_equiv.reporting.spectrum_files import write_spectra
from qrun_equiv.reporting.spectrum_page import _feature, print_spectrum, spectrum_pages
from qrun_equiv.reporting.subject import subject, unverified

PAIRS = """
import pennylane as qml
import torch

from qrun_equiv.pair import Pair


def cancelled(x, theta):
    qml.RX(x[0], wires=0)
    qml.RX(-x[0], wires=0)
    qml.RY(2 * x[0] + theta[0], wires=0)
    qml.RX(x[1], wires=1)
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(0) @ qml.Z(1))


def right(x, theta):
    first = torch.cos(2 * x[:, 0] + theta[0])
    return torch.stack([first, first * torch.cos(x[:, 1])], dim=1)


def halved(x, theta):
    first = torch.cos(x[:, 0] + theta[0])
    return torch.stack([first, first * torch.cos(x[:, 1])], dim=1)


def unread(x, theta):
    qml.RX(theta[0], wires=0)
    return qml.expval(qml.Z(0))


kinds = {"n_features": 2, "n_parameters": 1}
pairs = [
    Pair(name="right", pennylane=cancelled, counterpart=right, **kinds),
    Pair(name="halved", pennylane=cancelled, counterpart=halved, claim="different", **kinds),
    Pair(name="unread", pennylane=unread, counterpart=lambda x, t: torch.cos(t[0]) + 0 * x[:, 0],
         n_features=1, n_parameters=1),
]
"""
QASM = """OPENQASM 3.0;
include "stdgates.inc";
input float[64] x0;
input float[64] theta0;
qubit[2] q;
rx(x0) q[0];
ry(theta0) q[1];
"""
THETA = 0.4


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("spectra") / "pairs.py"
    path.write_text(PAIRS)
    return path


@pytest.fixture(scope="module")
def right(file):
    (page,) = spectrum_pages(file, only="right", parameters=[THETA])
    return page


@pytest.fixture(scope="module")
def halved(file):
    (page,) = spectrum_pages(file, only="halved", parameters=[THETA])
    return page


def test_frequencies_that_cancel_are_accessible_and_not_effective(right):
    first = right.features[0]
    rows = {row.value: row for row in first.rows}
    assert sorted(rows) == pytest.approx([0, 1, 2, 3, 4])
    assert list(first.spectrum.effective) == [False, False, True, False, False]
    assert [rows[w].effective for w in sorted(rows)] == [False, False, True, False, False]
    # RX, RX, RY give (2 + z + 1/z)^2 (2 + z^2 + z^-2): 16 at z^0, ...
    counts = np.polynomial.polynomial.polymul
    one = counts([1, 2, 1], [1, 2, 1])
    every = counts(one, [1, 0, 2, 0, 1])
    assert [rows[w].degeneracy for w in sorted(rows)] == list(every[4:].astype(int))
    assert rows[2.0].magnitudes == pytest.approx({"pennylane": 0.5, "counterpart": 0.5})
    assert first.period == "2*pi radians"


def test_equal_sides_agree_with_each_other_and_with_the_exact_series(right):
    assert right.agree
    (native, exact) = right.features[0].comparisons
    assert native.names == ("pennylane", "counterpart")
    assert exact.names == ("exact", "pennylane")
    assert native.same
    assert exact.same


def test_what_only_the_counterpart_has_is_found_outside(halved):
    first = halved.features[0]
    assert not halved.agree
    rows = {round(row.value): row for row in first.rows}
    assert rows[1].magnitudes["counterpart"] == pytest.approx(0.5)
    assert rows[1].magnitudes["pennylane"] < 1e-12
    assert first.comparisons[0].counts()["missing"] > 0
    assert first.comparisons[-1].same


def test_content_that_the_circuit_cannot_have_is_looked_for(file):
    pairs = {pair.name: pair for pair in load_file(file)}
    pair = replace(
        pairs["right"],
        counterpart=lambda x, theta: (
            pairs["right"].counterpart(x, theta) + 0.01 * torch.cos(5 * x[:, :1])
        ),
    )
    found = spectrum(unverified(pair, parameters=[THETA]))
    extra = ~found.accessible
    assert found.frequencies[extra] == pytest.approx([5])
    assert np.abs(found.coefficients["counterpart"][extra]) == pytest.approx([0.005])
    assert found.outside["counterpart"] < 1e-12


def sizes(shown, name):
    places = [tuple(np.round(w, 9)) for w in shown.frequencies]
    return dict(zip(places, np.abs(shown.coefficients[name]), strict=True))


def test_a_plane_is_the_product_of_its_axes(right):
    at = sizes(right.plane, "counterpart")
    assert at[(2.0, 0.0)] == pytest.approx(0.5)
    shown = plane(replace(right.subject, output=1))
    at = sizes(shown, "pennylane")
    assert at[(2.0, 1.0)] == pytest.approx(0.25)
    assert at[(2.0, 0.0)] == pytest.approx(0, abs=1e-12)


def test_printed_and_written_numbers_are_the_same(right, halved, tmp_path):
    console = Console(file=io.StringIO(), width=140)
    print_spectrum(halved, console)
    text = console.file.getvalue()
    assert "different: " in text
    assert "0.500000" in text
    out = write_spectra([right], tmp_path)
    body = json.loads((tmp_path / "spectrum.json").read_text())
    arrays = np.load(tmp_path / "spectrum.npz")
    assert set(body["arrays"]) == set(arrays.files)
    stored = body["arrays"]["x0/spectrum/pennylane"]
    assert np.array(stored["re"]) + 1j * np.array(stored["im"]) == pytest.approx(
        arrays["x0/spectrum/pennylane"], abs=0
    )
    exact = dict(zip(arrays["x0/exact/frequencies"], arrays["x0/exact/coefficients"], strict=True))
    assert exact[2.0][0] == pytest.approx(np.exp(1j * THETA) / 2, abs=1e-14)
    assert body["features"]["x0"]["exact"] == ["0", "1", "2", "3", "4"]
    assert body["features"]["x0"]["same"] is True
    assert "not effective" not in out.read_text()
    for extension, start in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        assert (tmp_path / f"spectrum-x0.{extension}").read_bytes().startswith(start)
        assert f'href="spectrum-x0.{extension}"' in out.read_text()


def test_several_pairs_have_files_of_their_own(right, halved, tmp_path):
    write_spectra([right, halved], tmp_path, exports=())
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {"spectrum.html", "spectrum-right.json", "spectrum-right.npz",
                     "spectrum-halved.json", "spectrum-halved.npz"}  # fmt: skip


def test_an_openqasm_file_alone(tmp_path):
    path = tmp_path / "circuit.qasm"
    path.write_text(QASM)
    (page,) = spectrum_pages(path)
    assert page.subject.counterpart is None
    assert [row.magnitudes["qasm"] for row in page.features[0].rows] == pytest.approx([0, 0.5])
    assert page.agree
    (other,) = spectrum_pages(
        path, observable="ZI"
    )  # little-endian: qubit 1, which no feature moves
    assert [row.effective for row in other.features[0].rows] == [True, False]
    write_spectra([page], tmp_path / "out", exports=("png",))  # one source: nothing to subtract
    assert (tmp_path / "out" / "spectrum-x0.png").stat().st_size > 1000
    assert "pennylane" not in (tmp_path / "out" / "spectrum.html").read_text()
    figure = figures.spectrum_figure(page.features[0].spectrum)
    assert [axes.get_ylabel() for axes in figure.axes] == ["|c(ω)|"]
    with pytest.raises(FrontendError, match="'QQ' is no Pauli label"):
        spectrum_pages(path, observable="QQ")


def test_what_cannot_be_asked_is_said(file, tmp_path):
    with pytest.raises(SpectrumError, match="no gate reads"):
        spectrum_pages(file, only="unread")
    with pytest.raises(SpectrumError, match="outputs 0 to 1"):
        spectrum_pages(file, only="right", output=2)
    with pytest.raises(ReportError, match=r"with a \.qasm file"):
        spectrum_pages(file, observable="Z")
    with pytest.raises(FrontendError, match="parameters has 2 numbers"):
        spectrum_pages(file, only="right", parameters=[1, 2])
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="name a folder"):
        write_spectra(spectrum_pages(file, only="right"), tmp_path / "file" / "in")


def test_of_several_pairs_those_without_a_spectrum_are_named(file):
    pages = spectrum_pages(file, parameters=[THETA])
    assert [page.name for page in pages] == ["right", "halved"]
    assert pages[-1].problems[-1].startswith("unread has no spectrum: no gate reads")
    assert not pages[0].problems
    with pytest.raises(SpectrumError, match="no gate reads the feature x0"):
        spectrum_pages(file, parameters=[THETA], features=[0])


def test_an_approximation_is_held_to_its_epsilon(file):
    pair = load_file(file)[0]
    shifted = lambda x, theta: pair.counterpart(x, theta) + 1e-3  # noqa: E731
    near = replace(pair, counterpart=shifted, claim="approximates", epsilon=2e-3)
    for epsilon, agree in ((2e-3, True), (1e-5, False)):
        what = unverified(replace(near, epsilon=epsilon), parameters=[THETA])
        assert all(c.same for c in _feature(what).comparisons) is agree


def test_features_that_are_not_there(file, tmp_path):
    with pytest.raises(SpectrumError, match="no feature 3; the circuit has features 0 to 1"):
        spectrum_pages(file, only="right", features=[3])
    path = tmp_path / "still.qasm"
    path.write_text('OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[1] q;\nx q[0];\n')
    with pytest.raises(SpectrumError, match="has no features, so no spectrum"):
        spectrum_pages(path)


def test_legends_end_inside_the_figure(right):
    figure = figures.spectrum_figure(right.features[0].spectrum)
    figure.canvas.draw()
    legends = [figure.axes[0].get_legend(), *figure.legends]
    assert all(legend.get_window_extent().x1 <= figure.bbox.x1 for legend in legends if legend)


def test_the_point_and_the_layout_are_in_the_files(right, tmp_path):
    write_spectra([right], tmp_path, exports=())
    text = (tmp_path / "spectrum.json").read_text()
    body = json.loads(text)
    assert (body["schema"], body["pair"]) == (1, "right")
    assert "-0.0," not in text
    assert body["point"] == list(right.point)
    assert f"theta = [{THETA}]" in right.point
    assert all(line in (tmp_path / "spectrum.html").read_text() for line in right.point)


def test_a_spectrum_too_large_to_draw_is_refused_with_its_size(tmp_path):
    path = tmp_path / "large.qasm"
    turns = "\n".join(f"rx({math.sqrt(p)} * x0) q[0];\nry(theta0) q[0];" for p in range(2, 32, 2))
    head = 'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] x0;\n'
    path.write_text(f"{head}input float[64] theta0;\nqubit[1] q;\n{turns}\n")
    begun = time.process_time()
    with pytest.raises(SpectrumError, match=r"up to 14,348,907 frequencies .* too many to draw"):
        spectrum_pages(path)
    assert time.process_time() - begun < 10


def test_a_plane_of_27_by_27_frequencies_is_drawn(repository):
    (pair,) = load_file(repository / "circuits" / "universal_classifier.py")
    what = unverified(pair)
    assert len(_distinct(what.neutral, (0, 1), what)) == (27 * 27 + 1) / 2
    with pytest.raises(SpectrumError, match=r"up to 19,683 frequencies in 3 .* too many to draw"):
        _distinct(what.neutral, (0, 1, 2), what)


def test_the_page_says_how_many_frequencies_are_effective(right):
    found = right.features[0].spectrum
    words = "can have 9 frequencies; 2 of them (ticks) are effective, and at the others (crosses)"
    assert words in _about_spectrum(found)
    every = replace(found, effective=found.accessible)
    assert "can have 9 frequencies (ticks), all of them effective" in _about_spectrum(every)
    assert "9 frequencies (ticks). Grey" in _about_spectrum(replace(found, effective=None))


# --- marks in the figure -------------------------------------------------------------------------


def labels(found):
    return {line.get_label() for line in figures.spectrum_figure(found).axes[0].lines}


def test_marks_say_what_a_frequency_is(right, halved):
    good, bad = (labels(page.features[0].spectrum) for page in (right, halved))
    assert {"effective", "accessible only"} <= good
    assert not {"missing on one side", "not accessible"} & good
    assert "missing on one side" in bad
    unknown = replace(right.features[0].spectrum, effective=None)
    assert "accessible" in labels(unknown)


def test_stems_are_as_high_as_the_coefficients_on_a_log_axis(right):
    found = right.features[0].spectrum
    axes = figures.spectrum_figure(found).axes[0]
    (up,) = [line for line in axes.lines if line.get_label() == "pennylane"]
    (down,) = [line for line in axes.lines if line.get_label() == "counterpart"]
    ticks = {t.get_text(): y for t, y in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
             if y > 0}  # fmt: skip
    label, height = next(iter(ticks.items()))
    expected = height + np.log10(0.5) - np.log10(float(label))
    assert up.get_ydata() == pytest.approx([expected])
    assert down.get_ydata() == pytest.approx([-expected])


def test_dense_lines_become_pixels(right):
    grid = np.linspace(0, 1, 5000)
    found = replace(right.features[0].spectrum)
    assert found.tolerance > 0
    line = Line(0, grid, {"a": np.sin(grid), "b": np.sin(grid)}, "output 0", 1e-9, None,
                np.zeros(0), "")  # fmt: skip
    above, below = figures.curves_figure(line).axes
    assert all(drawn.get_rasterized() for drawn in (*above.lines, below.lines[0]))
    few = replace(line, grid=grid[:9], values={k: v[:9] for k, v in line.values.items()})
    assert not any(drawn.get_rasterized() for drawn in figures.curves_figure(few).axes[0].lines)


@pytest.mark.parametrize(
    ("value", "tolerance", "low", "high"),
    [
        (0.4976298959, 1e-9, 0.25, 0.75),
        (0.0, 1e-9, -1, 1),
        (0.0, None, -1, 1),
        (-3e4, None, -4.5e4, -1.5e4),
    ],
)
def test_rounding_does_not_fill_the_axis_of_a_constant(value, tolerance, low, high):
    grid = np.linspace(-3, 3, 50)
    noise = max(abs(value), 1.0) * 1e-16 * np.sin(40 * grid)
    line = Line(0, grid, {"a": value + noise, "b": value - noise}, "output 1", tolerance, None,
                np.zeros(0), "")  # fmt: skip
    one, several = figures.curves_figure(line), figures.outputs_figure({0: line, 1: line}, 0)
    for axes in (one.axes[0], several.axes[0]):
        assert axes.get_ylim() == pytest.approx((low, high), abs=0.01)
    one.canvas.draw()
    assert one.axes[0].yaxis.get_offset_text().get_text() == ""
    wave = replace(line, values={"a": value + 1e-3 * (1 + abs(value)) * np.sin(grid)})
    assert np.ptp(figures.curves_figure(wave).axes[0].get_ylim()) < 0.01 * (1 + abs(value))


# --- the report's files ---------------------------------------------------------------------------


def test_numbers_of_a_report_and_its_figures(file, tmp_path):
    (pair, *_) = load_file(file)
    verdict = pair.verify()
    report([(pair, verdict)], tmp_path, exports=("pdf",))
    body = json.loads((tmp_path / "pairs" / "right.json").read_text())
    arrays = np.load(tmp_path / "pairs" / "right.npz")
    assert body["status"] == "proved"
    x = np.tile(arrays["x"], (len(arrays["outputs/grid"]), 1))
    x[:, 0] = arrays["outputs/grid"]
    theta = torch.tensor(arrays["theta"])
    expected = pair.counterpart(torch.tensor(x), theta).numpy()
    for name in ("pennylane", "counterpart"):
        assert arrays[f"outputs/{name}"] == pytest.approx(expected, abs=1e-14)
    slope = -2 * np.sin(2 * arrays["gradient_x/grid"] + arrays["theta"][0])
    assert arrays["gradient_x/counterpart"] == pytest.approx(slope, abs=1e-13)
    assert body["gradient_theta"] == "d/dtheta0 of output 0"
    page = (tmp_path / "pairs" / "right.html").read_text()
    made = {p.name for p in (tmp_path / "figures").iterdir()}
    assert "right-spectrum.pdf" in made
    assert all(f'href="../figures/{name}"' in page for name in made)
    certificate = tmp_path / "certificates" / "right.json"
    assert json.loads(certificate.read_text())["status"] == "proved"
    assert f"qrun-equiv recheck {certificate} --pair {file}" in page


def test_several_processes_make_the_same_report(file, tmp_path):
    results = [(pair, pair.verify(level="sampled")) for pair in load_file(file)]
    results += [(replace(pair, name=f"{pair.name} too"), verdict) for pair, verdict in results[:1]]
    one, two = tmp_path / "one", tmp_path / "two"
    file.write_text(PAIRS + "\nfrom dataclasses import replace\n"
                    "pairs.append(replace(pairs[0], name='right too'))\n")  # fmt: skip
    for folder, jobs in ((one, 1), (two, 2)):
        report(results, folder, jobs=jobs)
    names = {p.relative_to(one) for p in one.rglob("*") if p.is_file()}
    assert names == {p.relative_to(two) for p in two.rglob("*") if p.is_file()}
    for name in names:
        # The certificate's own path stands in the page.
        left = (one / name).read_bytes().replace(bytes(one), b"")
        assert left == (two / name).read_bytes().replace(bytes(two), b"")


def test_the_same_arrays_give_the_same_bytes():
    arrays = {"a": np.arange(3.0)}
    assert to_npz(arrays) == to_npz(arrays)


# --- formulas -------------------------------------------------------------------------------------


def plain(markup):
    return re.sub(r"<[^>]+>", "", str(markup))


def test_the_claim_as_a_formula(file):
    pair = load_file(file)[0]
    verdict = pair.verify(level="sampled")
    what = subject(pair, verdict)
    made = formulas(pair, what.neutral, 2, 1)
    assert plain(made.claim) == "fk(x,θ)=⟨0|U†(x,θ)OkU(x,θ)|0⟩ =gk(x,θ)"
    assert plain(made.named) == "U(x,θ)="
    # A narrow page can break the claim, and no bracket grows with the room around an index.
    assert str(made.claim).count("<math") == 2
    signs = re.findall(r"<mo([^>]*)>[()⟨⟩|]</mo>", "".join(map(str, (made.claim, *made.unitary))))
    assert all('stretchy="false"' in sign for sign in signs)
    assert [plain(factor) for factor in made.unitary] == [
        "RX(1)(x1)", "RY(0)(θ0+2x0)", "RX(0)(−x0)", "RX(0)(x0)",
    ]  # fmt: skip
    assert [plain(o) for o in made.observables] == ["O0=Z0", "O1=Z0Z1"]
    assert "≠" in plain(formulas(replace(pair, claim="different"), None, 2, 1).claim)
    near = replace(pair, claim="approximates", epsilon=2e-5, domain=(-1, 1), parameters=[[0.1]])
    assert plain(formulas(near, None, 1, 1).claim).startswith("|f(x,θ)−g(x,θ)|≤2×10−5")
    assert plain(formulas(near, None, 1, 1).domain) == "x∈[−1,1],θas given"


def test_angles_as_formulas(file):
    pair = load_file(file)[0]
    neutral = unverified(pair).neutral
    turned = neutral.gates[2].angle
    assert plain(angle(turned)) == "θ0+2x0"
    assert "<msup>" in angle(turned * turned)
    long = sum((turned * (k + 1) / 1237 for k in range(3)), turned * turned * turned)
    assert plain(angle(long)) == "α(x,θ)"
