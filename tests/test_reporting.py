"""The report: page, JSON, figures, replay script, and what happens when something fails."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pennylane as qml
import pytest
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.certificate import FEATURES, OUTPUTS, PARAMETERS, SPECTRUM, Status
from qrun_equiv.errors import ReportError
from qrun_equiv.pair import Pair, load_file
from qrun_equiv.reporting import (
    drawn,
    page,
    render,
    render_index,
    replay_script,
    report,
    section,
    words,
    write_json,
)
from qrun_equiv.reporting.curves import outputs
from qrun_equiv.reporting.hero import main as draw_hero
from qrun_equiv.reporting.network import blocks, formula
from qrun_equiv.reporting.spectra import spectrum
from qrun_equiv.reporting.subject import subject
from qrun_equiv.reporting.svg import SETTINGS, canvas, inline

EQUAL = "equal <b>&amp; one"
VOID = {"meta", "br", "link", "img", "input", "hr"}

PAIR_FILE = """
import pennylane as qml
import torch
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterVector
from qiskit.quantum_info import SparsePauliOp

from qrun_equiv.pair import Pair


def circuit(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    built = QuantumCircuit(1)
    built.ry(theta[0], 0)
    built.rx(x[0], 0)
    return built


def shaped(x, theta):
    qml.RY(theta[0, 1], wires=0)
    qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0)), qml.expval(qml.X(0))


def off(x, theta):
    return 1.25 * torch.cos(theta[0]) * torch.cos(x[:, 0])


def off_shaped(x, theta):
    first = torch.cos(theta[0, 1]) * torch.cos(x[:, 0])
    return torch.stack([first, 0.5 * torch.sin(theta[0, 1]) + 0 * first], dim=1)


def detached(x, theta):
    return torch.cos(theta[0]).detach() * torch.cos(x[:, 0])


both = {"qiskit": qiskit_circuit, "observable": SparsePauliOp("Z"), "n_features": 1}
pairs = [
    Pair(name="off", pennylane=circuit, counterpart=off, n_parameters=1, claim="different", **both),
    Pair(name="only qiskit", counterpart=off, n_parameters=1, claim="different", **both),
    Pair(name="detached", pennylane=circuit, counterpart=detached, n_parameters=1,
         claim="different", **both),
    Pair(name="shaped", pennylane=shaped, counterpart=off_shaped, n_features=1,
         n_parameters=(1, 2), claim="different"),
]
"""


def circuit(x, theta):
    qml.RY(theta[0], wires=0)
    qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0))


def qiskit_circuit():
    x, theta = ParameterVector("x", 1), ParameterVector("theta", 1)
    built = QuantumCircuit(1, global_phase=0.5)
    built.ry(theta[0], 0)
    built.rx(x[0], 0)
    return built


def exact(x, theta):
    return torch.cos(theta[0]) * torch.cos(x[:, 0])


def wrong(x, theta):
    return exact(x, theta) + 0.01 * torch.cos(2 * x[:, 0])


def clipped(x, theta):
    qml.RX(qml.math.arctan(x[0]) + theta[0], wires=0)
    return qml.expval(qml.Z(0))


def two_features(x, theta):
    qml.RX(x[0], wires=0)
    qml.RX(theta[0] * x[1], wires=1)
    qml.CNOT([0, 1])
    return qml.expval(qml.Z(0)), qml.expval(qml.Z(1))


def two_exact(x, theta):
    first = torch.cos(x[:, 0])
    return torch.stack([first, first * torch.cos(theta[0] * x[:, 1])], dim=1)


def equal_pair(**changes):
    keywords = {
        "name": "equal <b>&amp; one",
        "pennylane": circuit,
        "qiskit": qiskit_circuit,
        "observable": SparsePauliOp("Z"),
        "counterpart": exact,
        "n_features": 1,
        "n_parameters": 1,
        "summary": "x < y & 'quoted'",
        "mathematics": "cos t cos x",
        "source": "A. Author, arXiv:2008.08605, and doi:10.1103/PhysRevA.103.032430.",
    }
    return Pair(**(keywords | changes))


@pytest.fixture(scope="module")
def pairs():
    return [
        equal_pair(),
        equal_pair(name="caught", counterpart=wrong, claim="different"),
        equal_pair(name="missed", claim="different"),
        equal_pair(
            name="real rows",
            data=np.linspace(-1, 1, 40)[:, None],
            data_source="forty numbers",
            trained=[0.3],
        ),
        Pair(
            name="no spectrum", pennylane=clipped, n_features=1, n_parameters=1,
            counterpart=lambda x, theta: torch.cos(torch.atan(x[:, 0]) + theta[0]),
        ),
        Pair(name="Equal b amp one", pennylane=two_features, counterpart=two_exact, n_features=2,
             n_parameters=1),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def results(pairs):
    return [(pair, pair.verify(seed=4)) for pair in pairs]


@pytest.fixture(scope="module")
def pages(results):
    return {pair.name: render(pair, verdict, name="one") for pair, verdict in results}


@pytest.fixture(scope="module")
def index(results):
    return render_index(results)


@pytest.fixture(scope="module")
def from_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pairs") / "pairs with 'quotes'.py"
    path.write_text(PAIR_FILE)
    return {pair.name: (pair, pair.verify()) for pair in load_file(path)}


class Reader(HTMLParser):
    """Checks nesting; collects ids, references and texts."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.references, self.text, self.tags = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        values = dict(attributes)
        if "id" in values:
            self.ids.append(values["id"])
        self.references += [
            (tag, k, v) for k, v in attributes if k in {"src", "href", "xlink:href"}
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


# --- pages ---------------------------------------------------------------------------------------


def test_pages_are_self_contained_and_well_formed(pages, index):
    for text in (*pages.values(), index):
        reader = read(text)
        assert "link" not in reader.tags
        assert "@import" not in text
        for tag, key, address in reader.references:
            assert not (tag == "script" and key == "src")
            outside = re.match(r"\w+:|//", address)
            embedded = tag == "image" and address.startswith("data:image/png;base64,")
            assert not outside or embedded or (tag == "a" and address.startswith("https://"))
        assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {
            "https://arxiv.org/abs/2008.08605",
            "https://doi.org/10.1103/PhysRevA.103.032430",
        }
    assert "https://arxiv.org/abs/2008.08605" in pages["caught"]


def test_ids_are_unique_and_every_reference_inside_a_page_resolves(pages):
    for text in pages.values():
        reader = read(text)
        assert len(reader.ids) == len(set(reader.ids))
        inside = [v[1:] for _, _, v in reader.references if v.startswith("#")]
        inside += re.findall(r"url\(#([^)]+)\)", text)
        assert inside
        assert set(inside) <= set(reader.ids)


def test_names_are_there_and_escaped(pages, index, pairs):
    text = "".join(read(index).text)
    for pair in pairs:
        assert pair.name in text
        assert pair.name in "".join(read(pages[pair.name]).text)
    for written in (*pages.values(), index):
        assert "<b>" not in written
    assert any("x &lt; y &amp; &#39;quoted&#39;" in written for written in pages.values())


def test_index_counts_and_names_what_filters_and_sorts_need(index, results):
    text = " ".join("".join(read(index).text).split())
    assert "5 of 6 pairs are as claimed" in text
    assert all(status.meaning in text for status in Status)
    assert len(re.findall(r'<tr data-status="(?:proved|refuted|sampled)"', index)) == len(results)
    assert '<button type="button" class="chip refuted" data-status="refuted"' in index
    assert f'data-value="{results[0][1].seconds}"' in index


def test_each_page_says_claim_and_verdict(pages):
    assert "Claimed different (a mistake that has to be caught), but proved:" in pages["missed"]
    assert "Claimed different (a mistake that has to be caught); refuted:" in pages["caught"]
    assert "<mo>=</mo><mi>g</mi>" in pages[EQUAL]
    assert "<mo>≠</mo><mi>g</mi>" in pages["caught"]


def test_every_pair_has_its_figures(pages):
    counts = {name: text.count("<svg ") for name, text in pages.items()}
    assert counts[EQUAL] == 6  # circuit, network, outputs, spectrum, two derivatives
    assert counts["Equal b amp one"] == 8  # and both features, all outputs
    assert counts["no spectrum"] == 4
    assert not any("could not be drawn" in text for text in pages.values())
    assert "No spectrum: without a neutral form" in pages["no spectrum"]
    assert "No drawing: the circuit has no neutral form" in pages["no spectrum"]
    assert "data rows" in pages["real rows"]
    assert "forty numbers" in pages["real rows"]


def test_witness_and_certificate_are_in_the_page(pages, results):
    pair, verdict = results[1]
    text = pages[pair.name]
    assert repr(verdict.counterexample.features[0]) in text
    assert "replay: Qiskit Operator (full unitary)" in text
    assert "No script to replay it" in text
    for digest in verdict.certificate.digests.values():
        assert digest in text
    for name, number in verdict.certificate.versions.items():
        assert f"{name} {number}" in text
    assert text.count("</td><td>sampled</td>") == sum(
        c.strength == "sampled" and c.error is not None for c in verdict.checks
    )


def test_what_was_proved_certified_and_sampled_is_told_apart(results):
    made = section.section(*results[0], "one")
    assert set(made.strengths) == {"proved", "certified", "sampled"}
    assert all(line.startswith("identity") for line in made.strengths["proved"])
    assert any(line.startswith("outputs") for line in made.strengths["sampled"])
    caught = section.section(*results[1], "one")
    assert not any(line.startswith("outputs: ") and "counterpart" in line
                   for line in caught.strengths["sampled"])  # fmt: skip
    assert "proved" not in caught.strengths


def test_page_is_the_same_twice(results):
    assert render(*results[1]) == render(*results[1])


def test_pages_are_small(pages):
    assert max(map(len, pages.values())) < 400_000


def test_colours_follow_the_theme_of_the_page(pages):
    figures = "".join(re.findall(r"<svg .*?</svg>", pages["caught"], re.DOTALL))
    assert "var(--ink)" in figures
    curves = re.findall(
        r"<svg [^>]*aria-label=\"(?:Outputs|Spectrum|Deriv).*?</svg>", figures, re.DOTALL
    )
    assert len(curves) == 4
    assert re.findall(r"(?:fill|stroke): (#[0-9a-f]+)", "".join(curves)) == []


def test_an_empty_run_has_an_index():
    assert "0 of 0" in read(render_index([])).text


# --- failures ------------------------------------------------------------------------------------


def test_a_figure_that_fails_is_named_and_the_rest_is_there(results, pages, monkeypatch):
    def broken(*_):
        message = "no <ink>\nleft"
        raise RuntimeError(message)

    monkeypatch.setattr(drawn.figures, "spectrum_figure", broken)
    text = render(*results[0])
    assert "This figure could not be drawn: no &lt;ink&gt; left." in text
    assert text.count("<svg ") == pages[EQUAL].count("<svg ") - 1


def test_a_pair_that_cannot_be_evaluated_any_more_keeps_its_verdict(results):
    pair, verdict = results[0]

    def gone(x, theta):
        message = "the data file is gone"
        raise OSError(message)

    text = render(replace(pair, counterpart=gone), verdict)
    assert text.count("the data file is gone") >= 3
    assert text.count("<svg ") == 2  # the circuit and its network
    assert verdict.status.meaning in text


def test_an_interrupted_report_leaves_the_old_one_whole(results, tmp_path, monkeypatch):
    first = report(results[:1], tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(drawn.figures, "spectrum_figure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        report(results[:2], tmp_path)
    assert first.exists()
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("write", [report, write_json])
def test_an_unwritable_place_is_named(results, tmp_path, write):
    (tmp_path / "file").write_text("in the way")
    place = tmp_path / "file" / "report"
    with pytest.raises(ReportError, match="name a folder you may write") as caught:
        write(results[:1], place)
    assert str(place) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_format_is_refused_before_the_work(results, tmp_path):
    with pytest.raises(ReportError, match=r"'gif'.*pdf, png"):
        report(results[:1], tmp_path / "new", exports=["gif"])
    assert not (tmp_path / "new").exists()


def test_a_dead_process_leaves_a_page_with_the_verdict(results, tmp_path, monkeypatch):
    made = []

    def record(pair, task, problem=""):
        made.append((pair.name, problem))

    class Dead:
        def __init__(self, *_, **__): ...

        def submit(self, *_):
            future = page.ProcessPoolExecutor.Future()
            future.set_exception(page.BrokenProcessPool())
            return future

        def shutdown(self, **_): ...

        from concurrent.futures import Future

    monkeypatch.setattr(page, "ProcessPoolExecutor", Dead)
    monkeypatch.setattr(page, "_make", record)
    work = [replace(pair, path=tmp_path / "pairs.py") for pair, _ in results[:4]]
    tasks = [
        page._Task(v, str(k), ("", ""), tmp_path, tmp_path, ()) for k, (_, v) in enumerate(results)
    ]
    page._make_all(work, tasks[:4], 2)
    assert [name for name, _ in made] == [pair.name for pair in work]
    assert all("the process that drew this page died" in problem for _, problem in made)


def test_a_page_without_figures_says_why(results):
    made = section.section(*results[0], "one", problem="the process died")
    assert page._render(made, ("", "")).count("the process died") == 1


def test_no_figure_stays_with_pyplot(results):
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    render(*results[-1])
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


# --- json ----------------------------------------------------------------------------------------


def test_report_writes_page_and_json(results, tmp_path):
    out = report(results[:2], tmp_path / "new" / "folder")
    assert out == tmp_path / "new" / "folder" / "index.html"
    body = json.loads((out.parent / "verdicts.json").read_text())
    assert body["schema"] == 1
    assert [p["name"] for p in body["pairs"]] == [p.name for p, _ in results[:2]]
    equal, different = body["pairs"]
    assert equal["claim"] == "equal"
    assert equal["status"] == "proved"
    assert equal["as_claimed"] is True
    assert equal["counterexample"] is None
    assert equal["seed"] == 4
    assert equal["seconds"] > 0
    for check in equal["checks"]:
        assert {"name", "scope", "error", "bound", "evaluations"} <= set(check)
    assert different["status"] == "refuted"
    assert different["counterexample"]["difference"] > 1e-3


def test_json_has_no_numbers_that_are_not_finite(results, tmp_path):
    pair, verdict = results[1]
    witness = replace(verdict.counterexample, relative=float("inf"))
    broken = replace(verdict, certificate=replace(verdict.certificate, counterexample=witness))
    text = write_json([(pair, broken)], tmp_path / "v.json").read_text()
    body = json.loads(text, parse_constant=pytest.fail)
    assert body["pairs"][0]["counterexample"]["relative"] == "inf"


# --- numbers -------------------------------------------------------------------------------------


def test_curves_pass_through_the_witness(results):
    pair, verdict = results[1]
    what = subject(pair, verdict)
    line = outputs(what, verdict)
    at = int(np.argmin(np.abs(line.grid - line.mark)))
    assert line.grid[at] == line.mark
    for name in verdict.counterexample.between:
        assert line.values[name][at] == pytest.approx(
            verdict.counterexample.values[name], abs=1e-13
        )


def test_spectrum_is_that_of_the_function(results):
    pair, verdict = results[0]
    what = subject(pair, verdict)
    found = spectrum(what, verdict)
    assert found.frequencies == pytest.approx([0, 1])
    for coefficients in found.coefficients.values():
        assert coefficients == pytest.approx([0, np.cos(what.theta[0]) / 2], abs=1e-14)


def test_spectrum_of_two_features_is_taken_along_one(results):
    pair, verdict = results[-1]
    what = replace(subject(pair, verdict), output=1, feature=1)
    found = spectrum(what, verdict)
    assert found.feature == 1
    assert found.frequencies == pytest.approx([0, abs(what.theta[0])])
    for coefficients in found.coefficients.values():
        assert np.abs(coefficients) == pytest.approx([0, abs(np.cos(what.x[0])) / 2], abs=1e-13)


def test_figures_show_the_point_of_the_spectrum_check(results):
    pair, verdict = results[-1]
    assert "the other features fixed at a seeded random point" in subject(pair, verdict).where


# --- replay script -------------------------------------------------------------------------------


def parsed(output):
    return {name: float(value) for name, value in (part.split() for part in output.split(","))}


@pytest.fixture
def run(capsys):
    """Runs a script in this process: imports of the frameworks take seconds in another."""

    def execute(script):
        exec(compile(script, "replay.py", "exec"), {"__name__": "__main__"})
        return parsed(capsys.readouterr().out)

    return execute


def test_script_runs_by_itself(from_file, tmp_path):
    pair, verdict = from_file["off"]
    command = [sys.executable, "-c", replay_script(pair, verdict)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    printed = parsed(ran.stdout)
    assert printed["difference"] == pytest.approx(verdict.counterexample.difference, rel=1e-12)
    assert ran.stderr == ""


@pytest.mark.parametrize(
    ("name", "kind", "holds"),
    [
        ("off", OUTPUTS, "qml.QNode"),
        ("only qiskit", OUTPUTS, "Statevector"),
        ("detached", PARAMETERS, "gradients"),
        ("shaped", OUTPUTS, "reshape((1, 2))"),
    ],
)
def test_script_prints_the_difference_of_the_witness(from_file, run, name, kind, holds):
    pair, verdict = from_file[name]
    witness = verdict.counterexample
    assert witness.kind == kind
    script = replay_script(pair, verdict)
    assert holds in script
    assert len(script.splitlines()) <= 14
    printed = run(script)
    assert printed["difference"] == pytest.approx(witness.difference, rel=1e-9)
    for side in witness.between:
        assert printed[side] == pytest.approx(witness.values[side], abs=1e-12)


def test_script_of_a_spectrum_compares_outputs(from_file, run):
    pair, verdict = from_file["off"]
    witness = replace(
        verdict.counterexample,
        kind=SPECTRUM,
        between=("counterpart", "accessible frequencies"),
        values={"counterpart": 0.0, "accessible frequencies": 1.0},
    )
    other = replace(verdict, certificate=replace(verdict.certificate, counterexample=witness))
    printed = run(replay_script(pair, other))
    assert printed["difference"] == pytest.approx(verdict.counterexample.difference, rel=1e-9)


def test_a_derivative_that_differs_is_drawn(from_file):
    text = render(*from_file["detached"])
    assert "<figcaption>d/dtheta0 of output 0 along x0" in text
    assert "gradients(x, theta).parameters" in text


def test_no_script_without_witness_or_file(results):
    with pytest.raises(ReportError, match="no witness"):
        replay_script(*results[0])
    with pytest.raises(ReportError, match="comes from no file"):
        replay_script(*results[1])


def test_gradients_wrt_features_can_be_replayed(from_file, run):
    pair, verdict = from_file["off"]
    witness = replace(verdict.counterexample, kind=FEATURES, component="d/dx0")
    other = replace(verdict, certificate=replace(verdict.certificate, counterexample=witness))
    printed = run(replay_script(pair, other))
    assert printed["difference"] == pytest.approx(abs(0.25 / 1.25 * printed["counterpart"]))


# --- small things --------------------------------------------------------------------------------


def test_names_give_distinct_short_files():
    names = ["A b", "a-b", "a_b", "ψ", "…", "a/b", "n" * 300, "n" * 301]
    stems = [words.file_stem(name) for name in names]
    assert len(set(stems)) == len(names)
    assert all(len(stem) < 100 and "/" not in stem for stem in stems)
    assert stems[1:4] == ["a-b", "a_b", "ψ"]


def test_links_are_escaped_and_end_before_punctuation():
    text = str(words.linked("see <i>https://x.org/a(b)c. arXiv:quant-ph/9807006; done"))
    assert "&lt;i&gt;" in text
    assert 'href="https://x.org/a(b)c"' in text
    assert 'href="https://arxiv.org/abs/quant-ph/9807006"' in text


def test_an_svg_escapes_its_texts():
    with mpl.rc_context(SETTINGS):
        figure = canvas(2, 2)
        figure.subplots().set_title("a < b & c")
        svg = inline(figure, "one", 'a "label" <b>')
    assert "a &lt; b &amp; c" in svg
    assert 'aria-label="a &quot;label&quot; &lt;b>"' in svg
    assert "xmlns" not in svg


def test_formulas_and_blocks(results):
    assert formula("2*theta12*x0 + pi") == r"2\,\theta_{12}\,x_{0} + \pi"
    first = subject(*results[0]).neutral
    assert [b.encodes for b in blocks(first)] == [False, True]
    with pytest.raises(ReportError, match="one wire"):
        blocks(subject(*results[-1]).neutral)


def test_hero_is_drawn(tmp_path):
    out = tmp_path / "hero.png"
    assert draw_hero([str(out)]) == 0
    data = out.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(data[k : k + 4], "big") for k in (16, 20))
    assert (width, height) == (1600, 800)


def test_hero_names_what_it_cannot_draw(tmp_path, capsys):
    assert draw_hero([str(tmp_path / "hero.png"), "--pair", "zz-feature-map-1"]) == 2
    assert "zz-feature-map-1" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert draw_hero([str(Path(tmp_path) / "file" / "hero.png")]) == 2
    assert "can't write the picture" in capsys.readouterr().err
