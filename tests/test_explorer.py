"""The explorer page: its own arithmetic, in headless Chromium, against the Python engine."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from qrun_equiv import explorer
from qrun_equiv.angle import PI, Angle, Symbol, feature, parameter
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.counterpart import fourier_series
from qrun_equiv.errors import FrontendError, ReportError
from qrun_equiv.pair import Pair, load_pair
from qrun_equiv.random_circuits import random_circuit
from qrun_equiv.simulate import expectations

TOLERANCE = 1e-9
SETTINGS = 50
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH")

COLLECTOR = """<script>window.errors = [];
addEventListener("error", (e) => errors.push(String(e.message)));
addEventListener("unhandledrejection", (e) => errors.push(String(e.reason)));
for (const kind of ["error", "warn"]) console[kind] = (...all) => errors.push(all.join(" "));
</script>"""
SENDER = """<script>{
const result = {};
try { (() => { %s })(); } catch (error) { errors.push(String(error.stack)); }
result.errors = errors;
if (parent !== window) parent.postMessage(JSON.stringify(result), "*");
else {
  const place = document.createElement("pre");
  place.id = "harness";
  place.textContent = JSON.stringify(result);
  document.body.append(place);
}
}</script>"""
FRAME = """<!DOCTYPE html><html><body><pre id="harness"></pre>
<script>addEventListener("message", (e) => {
document.getElementById("harness").textContent = e.data; });</script>
<iframe src="page.html%s" width="390" height="844"></iframe></body></html>"""


# --- circuits ------------------------------------------------------------------------------------


def handmade() -> Circuit:
    """Three wires: every gate name, pi, trainable frequencies, products, two features."""
    x, y = feature(0), feature(1)
    swap = np.eye(4, dtype=complex)[[0, 2, 1, 3]] * np.exp(0.3j)
    mixed = np.linalg.qr(np.arange(16).reshape(4, 4) % 5 + 1j * (np.arange(16).reshape(4, 4) % 3))
    unitary = tuple(tuple(complex(v) for v in row) for row in mixed.Q @ swap)
    gates = (
        *(Gate("H", (w,)) for w in range(3)),
        Gate("CRX", (2, 0), x * 2 + PI / 3),
        Gate("Unitary", (2, 0), matrix=unitary),
        Gate("PauliRot", (0, 2, 1), x * parameter(0) + 0.5, word="XYZ"),
        Gate("PauliRot", (2, 1), y - parameter(1), word="ZX"),
        *(Gate(name, (k % 3,)) for k, name in enumerate("STXYZ")),
        Gate("PhaseShift", (1,), x * y * Fraction(1, 3) + parameter(1) * parameter(2)),
        Gate("CRY", (0, 1), parameter(1)),
        Gate("CNOT", (1, 2)),
        Gate("CZ", (2, 0)),
        Gate("SWAP", (0, 2)),
        Gate("CRZ", (1, 2), y + PI * x),
        Gate("RX", (0,), parameter(2) * x),
        Gate("RY", (1,), Angle.constant(0.7)),
        Gate("RZ", (2,), x * Fraction(5, 2)),
        Gate("H", (1,)),
    )
    observables = (
        Observable.of([(0.5, {0: "Z"}), (-1.25, {0: "X", 1: "Y", 2: "Z"}), (0.125, {})]),
        Observable.of([(1.0, {2: "X"})]),
    )
    return Circuit(3, gates, observables, 2, 3)


def with_arccos() -> Circuit:
    """Chebyshev encoding: a curve on [-1, 1] and no Fourier series."""
    gates = (Gate("RY", (0,), feature(0).arccos() * 3), Gate("RX", (0,), parameter(0)))
    return Circuit(1, gates, (Observable.of([(1.0, {0: "Z"})]),), 1, 1)


def small() -> Circuit:
    """RX(2 x) RY(theta) on one wire, measured in Z and in X."""
    gates = (Gate("RX", (0,), feature(0) * 2), Gate("RY", (0,), parameter(0)))
    observables = (Observable.of([(1.0, {0: "Z"})]), Observable.of([(1.0, {0: "X"})]))
    return Circuit(1, gates, observables, 1, 1)


def circuits() -> list[Circuit]:
    rng = np.random.default_rng(20)
    return [
        random_circuit(rng, n_wires=2, layers=2),
        random_circuit(rng, n_wires=3, layers=1, n_features=1),
        handmade(),
        with_arccos(),
    ]


BLOCKS = {"Y": ["RY"], "YZ": ["RY", "RZ"], "ZYZ": ["RZ", "RY", "RZ"]}


def serial(settings: dict) -> Circuit:
    """The page's template, written again: W_1 S W_2 ... S W_(L+1)."""
    gates: list[Gate] = []
    used = 0
    for layer in range(settings["L"] + 1):
        if layer:
            gates.append(Gate(f"R{settings['axis']}", (0,), feature(0)))
        for name in BLOCKS[settings["block"]]:
            gates.append(Gate(name, (0,), parameter(used)))
            used += 1
    return Circuit(1, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 1, used)


def decimals(rng: np.random.Generator, count: int, reach: float, digits: int = 3) -> list[float]:
    return rng.uniform(-reach, reach, count).round(digits).tolist()


def random_settings() -> list[dict]:
    rng = np.random.default_rng(8)
    found = []
    for k in range(SETTINGS):
        if k < SETTINGS // 2:
            scales = decimals(rng, 8, 3.0)
            if k % 5 == 1:
                scales = [float(2**i) for i in range(8)]
            if k % 5 == 2:
                scales = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.4, 0.1]
            found.append(
                {
                    "subject": "serial",
                    "L": int(rng.integers(1, 7)) if k % 5 > 2 else 1 + k % 8,
                    "axis": str(rng.choice(list("XYZ"))),
                    "block": str(rng.choice(list(BLOCKS))),
                    "shared": k % 5 == 0,
                    "scales": scales,
                    "theta": decimals(rng, 27, np.pi),
                    "x": decimals(rng, 1, 4.0),
                }
            )
            continue
        index = k % 4
        circuit = circuits()[index]
        count = len(circuit.encoding_gates())
        found.append(
            {
                "subject": str(index),
                "scales": decimals(rng, count, 2.0) if k % 3 else [1.0] * count,
                "uploads": count if k % 2 else int(rng.integers(1, count + 1)),
                "theta": decimals(rng, circuit.n_parameters, np.pi),
                "x": decimals(rng, circuit.n_features, 0.9 if index == 3 else 4.0),
                "vary": k // 4 % circuit.n_features,
            }
        )
    return found


# --- the reference: the same numbers in Python ---------------------------------------------------


def scaled(circuit: Circuit, scales: list[float]) -> Circuit:
    """The circuit with what each encoding gate reads multiplied by its scale."""
    remaining = iter(scales)
    gates = []
    for gate in circuit.gates:
        if gate.angle is not None and gate.angle.features():
            scale = Fraction(str(next(remaining)))
            parts = [Angle((t,)) for t in gate.angle.terms]
            angle = sum((p * scale if p.features() else p for p in parts), start=Angle())
            gates.append(Gate(gate.name, gate.wires, angle, gate.word))
        else:
            gates.append(gate)
    sizes = circuit.n_features, circuit.n_parameters
    return Circuit(circuit.n_wires, tuple(gates), circuit.observables, *sizes)


def along(circuit: Circuit, vary: int, x: list[float]) -> Circuit:
    """The circuit as one of a single feature, the others put in as constants."""
    mapping = {
        Symbol("x", j): feature(0) if j == vary else Angle.constant(Fraction(str(v)))
        for j, v in enumerate(x)
    }
    gates = tuple(
        g if g.angle is None else Gate(g.name, g.wires, g.angle.replace(mapping), g.word)
        for g in circuit.gates
    )
    return Circuit(circuit.n_wires, gates, circuit.observables, 1, circuit.n_parameters)


def reference(settings: dict) -> dict:
    if settings["subject"] == "serial":
        circuit = serial(settings)
        scales = settings["scales"]
        scales = [scales[0 if settings["shared"] else k] for k in range(settings["L"])]
    else:
        circuit = circuits()[int(settings["subject"])]
        scales = [s if k < settings["uploads"] else 0 for k, s in enumerate(settings["scales"])]
    circuit = scaled(circuit, scales)
    theta = torch.tensor(settings["theta"][: circuit.n_parameters], dtype=torch.float64)
    x = torch.tensor([settings["x"]], dtype=torch.float64)
    out = {"outputs": expectations(circuit, x, theta)[0].numpy(), "series": None}
    if not any(g.angle.arcs() for g in circuit.encoding_gates()):
        single = along(circuit, settings.get("vary", 0), settings["x"])
        out["series"] = fourier_series(single, theta.numpy())
    return out


def worst(found: dict, expected: dict) -> float:
    """Largest error of the outputs, the network and the spectrum; infinite where one is missing."""
    sides = [np.array(found[key], dtype=float) for key in ("outputs", "network")]
    errors = [float(np.max(np.abs(side - expected["outputs"]))) for side in sides]
    series = expected["series"]
    if series is None:
        errors.append(0.0 if found["frequencies"] is None and found["reason"] else np.inf)
    elif found["frequencies"] is None:
        errors.append(np.inf)
    else:
        w = np.array(found["frequencies"])
        c = np.array(found["coefficients"]) @ np.array([1.0, 1j])
        if np.any(np.diff(w) < TOLERANCE):
            return np.inf  # frequencies are merged
        nearest = np.argmin(np.abs(series.frequencies - w), axis=1)
        missed = np.abs(w[nearest] - series.frequencies[:, 0])
        weight = np.max(np.abs(series.coefficients), axis=1)
        errors.append(float(np.max(missed[weight > TOLERANCE], initial=0.0)))
        merged = np.zeros_like(c)
        np.add.at(merged, nearest, series.coefficients)
        errors.append(float(np.max(np.abs(merged - c))))
    return np.inf if np.any(np.isnan(errors)) else max(errors)


# --- the browser ---------------------------------------------------------------------------------


def embedded(page: str) -> dict:
    return json.loads(re.search(r'id="explorer-data">(.*?)</script>', page, re.DOTALL)[1])


def run(page: str, script: str, folder: Path, *, width: int = 1440, anchor: str = "") -> dict:
    """Load the page, run the script after it (``result`` is its own), give what it found."""
    text = page.replace("<head>", "<head>" + COLLECTOR, 1)
    text = text.replace("</body>", (SENDER % script) + "</body>", 1)
    file = folder / "page.html"
    file.write_text(text, "utf-8")
    if width < 500:  # narrower than Chromium's windows
        file = folder / "frame.html"
        file.write_text(FRAME % anchor, "utf-8")
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--v=0", f"--user-data-dir={folder / 'profile'}", f"--window-size={width},1000",
        "--virtual-time-budget=5000", "--dump-dom", f"{file.as_uri()}{anchor}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in done.stderr, done.stderr
    found = re.search(r'<pre id="harness">(.+?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.fixture(scope="module")
def page() -> str:
    """One page with all circuits: the pages' own data in one list."""
    pages = [explorer.render(c) for c in circuits()]
    data = {"circuits": [embedded(p)["circuits"][0] for p in pages]}
    old = re.search(r'id="explorer-data">(.*?)</script>', pages[0], re.DOTALL)[1]
    return pages[0].replace(old, json.dumps(data))


@browser
def test_numbers_agree_with_the_engine(page: str, tmp_path: Path) -> None:
    chosen = random_settings()
    script = f"result.all = {json.dumps(chosen)}.map(qrunExplorer.evaluate);"
    found = run(page, script, tmp_path)
    assert found["errors"] == []
    errors = [worst(f, reference(s)) for f, s in zip(found["all"], chosen, strict=True)]
    assert len(errors) == SETTINGS
    assert max(errors) < TOLERANCE, errors
    assert {s["subject"] for s in chosen} == {"serial", "0", "1", "2", "3"}
    counts = [len(f["frequencies"] or []) for f in found["all"]]
    assert max(counts) > 3**5  # unrelated scales are among them
    assert all(sum(f["ways"]) == 4 ** s["L"] for f, s in zip(found["all"], chosen, strict=True)
               if s["subject"] == "serial")  # fmt: skip


#: One changed sign, factor or index each: (file, text that occurs once, what it becomes).
MUTANTS = [
    ("maths", "const c = Math.cos(angle / 2);", "const c = Math.cos(angle);"),
    ("maths", "RX: [[c, [0, -s]], [[0, -s], c]],", "RX: [[c, [0, s]], [[0, s], c]],"),
    ("maths", "RY: [[c, -s], [s, c]],", "RY: [[c, s], [-s, c]],"),
    ("maths", "im: p.re.map((v) => -s * v)", "im: p.re.map((v) => s * v)"),
    ("maths", "total += c * (state.re[k]", "total += 2 * c * (state.re[k]"),
    ("maths", "phase % 4 === 1 ? -1 : 1", "phase % 4 === 1 ? 1 : -1"),
    ("maths", '[place("Z" + letter), -0.5]', '[place("Z" + letter), 0.5]'),
    ("maths", "return trace / u.size;", "return -trace / u.size;"),
    ("lifting", "stay.ways += 2 * term.ways;", "stay.ways += 2 * term.ways; stay.re[0] += 1;"),
    ("lifting", "(-sign[q] * term.re[k]) / 2", "(sign[q] * term.re[k]) / 2"),
    ("lifting", "up.re[q] += (a + d) * c - (b + e) * s;", "up.re[q] += (a + d) * c + (b + e) * s;"),
    ("lifting", "const denominator = 2n *", "const denominator = 4n *"),
    ("lifting", "toNumber(t.key), ways", "2 * toNumber(t.key), ways"),
    ("lifting", "(factor < 0 ? -1n : 1n)", "(factor < 0 ? 1n : 1n)"),
    ("angles", "constant *= Math.PI ** f.power", "constant *= Math.PI ** -f.power"),
    ("settings", "s.scales[s.shared ? 0 : l]", "s.scales[s.shared ? l : 0]"),
    ("settings", "layer <= L; layer++", "layer < L; layer++"),
    ("settings", "(g < s.uploads ? v : 0)", "(g <= s.uploads ? v : 0)"),
]
#: Changes that have no effect on the numbers: the method must not find fault with them.
HARMLESS = {"const denominator = 2n *"}


@browser
def test_a_changed_sign_or_factor_is_found(page: str, tmp_path: Path) -> None:
    chosen = [s for s in random_settings() if s["subject"] != "serial" or s["L"] < 5]
    sources = {
        name: (Path(explorer.__file__).parent / "templates" / f"{name}.js").read_text("utf-8")
        for name in ("angles", "maths", "lifting", "settings")
    }
    changed = []
    for name, old, new in MUTANTS:
        assert sources[name].count(old) == 1, old
        changed.append("".join((sources | {name: sources[name].replace(old, new)}).values()))
    listed = json.dumps(changed).replace("</", "<\\/")
    script = f"""
    const chosen = {json.dumps(chosen)};
    result.mutants = {listed}.map((source) => {{
      const mutant = new Function(source + "; return Settings;")();
      return chosen.map((s) => {{
        try {{ return mutant.evaluate(qrunExplorer.data, s); }} catch {{ return null; }}
      }});
    }});"""
    found = run(page, script, tmp_path)
    assert found["errors"] == []
    expected = [reference(s) for s in chosen]
    for (_, old, new), results in zip(MUTANTS, found["mutants"], strict=True):
        errors = [np.inf if f is None else worst(f, e)
                  for f, e in zip(results, expected, strict=True)]  # fmt: skip
        assert (max(errors) < TOLERANCE) == (old in HARMLESS), (new, max(errors))


LOOK = """
const $ = (id) => document.getElementById(id);
const look = () => ({ settings: qrunExplorer.settings(), numbers: qrunExplorer.evaluate(),
  shown: $("value-circuit").textContent, network: $("value-network").textContent,
  curve: $("curve").innerHTML, spectrum: $("spectrum").innerHTML,
  circuit: $("circuit-drawing").innerHTML, cards: $("network-drawing").textContent,
  words: $("spectrum-words").textContent, difference: $("value-difference").textContent });
const put = (id, value) => {
  $(id).value = value;
  $(id).dispatchEvent(new Event("input", { bubbles: true }));
  result[id] = look();
};
const click = (id) => { $(id).click(); result[id] = look(); };
"""


LINK = "#subject=2&vary=1&output=1&uploads=4&log=1&theta=0.25+-1+3&scales=2+1+.5+1+1+-1+3&x=.1+.2"


def number(text: str) -> float:
    return float(text.replace("\u2212", "-"))


@browser
def test_sliders_move_everything(tmp_path: Path) -> None:
    script = (
        LOOK
        + """
    result.start = look();
    put("theta-0", 2.5); put("theta-3-number", 7.25); put("scale-0", 1.7); put("x-0", -1.2);
    put("L", 5); click("shared"); put("scale-4-number", 6.5); click("preset-double");
    put("theta-1-number", ""); click("random"); click("reset");"""
    )
    script += """
    result.roots = [1, 4, 8].map((L) => qrunExplorer.evaluate({ L, shared: false }).ways.length);"""
    found = run(explorer.render(None), script, tmp_path)
    assert found.pop("errors") == []
    assert found.pop("roots") == [3, 3**4, 3**8]
    order = list(found)
    for before, after in pairwise(order):
        old, new = found[before], found[after]
        if after == "theta-1-number":  # an emptied field changes nothing
            assert new == old
            continue
        assert old["shown"] != new["shown"], after
        assert (old["curve"], old["cards"]) != (new["curve"], new["cards"]), after
        if after != "x-0":
            assert old["circuit"] != new["circuit"], after
            assert old["spectrum"] != new["spectrum"], after
    for name, state in found.items():
        expected = reference(state["settings"])
        assert worst(state["numbers"], expected) < TOLERANCE, name
        assert abs(number(state["shown"]) - expected["outputs"][0]) < 1e-11, name
        assert abs(number(state["network"]) - expected["outputs"][0]) < 1e-11, name
        assert number(state["difference"]) < 1e-13
    assert found["theta-3-number"]["settings"]["theta"][3] == 7.25
    assert found["L"]["words"].startswith("11 distinct frequencies are accessible")
    assert found["reset"]["settings"] == found["start"]["settings"]
    assert found["shared"]["settings"]["shared"] is False


@browser
def test_narrow_page_permalink_and_no_series(page: str, tmp_path: Path) -> None:
    """At 390 px nothing is wider than the window; a link restores; an arccos has a curve only."""
    script = (
        LOOK
        + """
    result.width = [innerWidth, document.documentElement.scrollWidth,
      document.documentElement.clientWidth];
    const labelled = [...document.querySelectorAll("input, select")].filter((e) =>
      e.labels.length === 0 && !e.getAttribute("aria-label"));
    result.unlabelled = labelled.map((e) => e.id);
    const data = qrunExplorer.data;
    result.opened = look();
    result.again = Settings.fromHash(data, Settings.toHash(qrunExplorer.settings()));
    result.bad = Settings.fromHash(data,
      "#subject=99&L=x&theta=nan+1&scales=&vary=7&half=-1&x=1e9");
    $("subject").value = "3";
    $("subject").dispatchEvent(new Event("change"));
    result.arccos = look();
    result.hidden = $("spectrum").hasAttribute("hidden");"""
    )
    found = run(page, script, tmp_path, width=390, anchor=LINK)
    assert found["errors"] == []
    inner, needed, offered = found["width"]
    assert inner == 390
    assert needed <= offered
    assert found["unlabelled"] == []
    opened = found["opened"]["settings"]
    assert opened == found["again"]
    chosen = [opened[key] for key in ("subject", "vary", "output", "uploads", "log", "theta")]
    assert chosen == ["2", 1, 1, 4, True, [0.25, -1, 3]]
    value = reference(opened)["outputs"][1]
    assert abs(number(found["opened"]["shown"]) - value) < 1e-11
    bad = found["bad"]
    assert (bad["subject"], bad["L"], bad["vary"]) == ("serial", 3, 0)
    assert bad["half"] == pytest.approx(np.pi)
    assert bad["theta"][1] == 1
    assert bad["x"] == [0.7]
    assert found["hidden"]
    assert found["arccos"]["words"].startswith("No spectrum: the angle of a RY gate is not affine")
    assert abs(number(found["arccos"]["shown"]) - np.cos(3 * np.arccos(0.5)) * np.cos(
        found["arccos"]["settings"]["theta"][0])) < 1e-11  # fmt: skip


DRAWN = """
const $ = (id) => document.getElementById(id);
const inside = (a, b) => a.left >= b.left && a.right <= b.right &&
  a.top >= b.top && a.bottom <= b.bottom;
const apart = (label, tick) => label.right + 6 <= tick.left || tick.right <= label.left ||
  label.bottom <= tick.top || tick.bottom <= label.top;
const place = (e) => e.getBoundingClientRect();
result.gates = [...$("circuit-drawing").querySelectorAll("g:has(> rect)")].map((g) => ({
  fits: [...g.querySelectorAll("text")].every((t) =>
    inside(place(t), place(g.querySelector("rect")))),
  texts: [...g.querySelectorAll(".gate-angle")].map((t) => t.textContent),
  tip: g.querySelector("title").textContent }));
result.axes = ["curve", "difference", "spectrum"].map((id) =>
  [...$(id).querySelectorAll(".label")].every((label) =>
  [...$(id).querySelectorAll(".tick")].every((tick) => apart(place(label), place(tick)))));
const stroke = (kind) => getComputedStyle($("curve").querySelector(kind));
result.lines = ["strokeWidth", "strokeOpacity"].map((key) =>
  [".circuit-line", ".network-line"].map((kind) => parseFloat(stroke(kind)[key])));
result.order = [...$("curve").querySelectorAll("path")].map((e) => e.getAttribute("class"));
"""


@browser
def test_texts_fit_and_lines_are_told_apart(tmp_path: Path) -> None:
    """No angle leaves its box, no axis label meets a number, dashes lie on a wide line."""
    x, y = feature(0), feature(1)
    angles = [
        x * Fraction(-29, 20) - Fraction(231, 100),
        x * y * Fraction(-1234, 1000) + x * Fraction(-1414, 1000) + y * Fraction(-2236, 1000) - 3,
        x * x * y * y * x * y * Fraction(-1234, 1000),
        x * Fraction(1, 100000) - 1,
    ]
    gates = tuple(Gate("RX", (0,), angle) for angle in angles)
    circuit = Circuit(1, gates, small().observables, 2, 0)
    found = run(explorer.render(circuit), DRAWN, tmp_path)
    assert found["errors"] == []
    first, second, third, fourth = found["gates"]
    assert all(gate["fits"] for gate in found["gates"])
    assert first["texts"] == ["\u22121.45x\u2080", "\u22122.31"]
    assert first["tip"] == "RX \u22121.45x\u2080\u22122.31 rad"
    assert len(second["texts"]) == 2
    assert len(third["texts"]) == 1
    assert fourth["texts"] == ["1.0e\u22125x\u2080", "\u22121"]  # an exponent's sign is no term's
    assert all(
        gate["tip"].endswith(" rad") and "\u2026" not in gate["tip"] for gate in found["gates"]
    )
    assert found["axes"] == [True, True, True]
    (wide, thin), (pale, full) = found["lines"]
    assert wide >= 3 * thin
    assert (pale < 0.5, full) == (True, 1)
    assert found["order"] == ["circuit-line", "network-line"]


@browser
def test_light_and_dark(tmp_path: Path) -> None:
    """The button exchanges all colours, those of the canvases too, and the choice is kept."""
    script = """
    const button = document.getElementById("theme");
    const look = () => ({ name: button.textContent, theme: document.documentElement.dataset.theme,
      paper: getComputedStyle(document.body).backgroundColor,
      cells: document.querySelector("#network-drawing .feature canvas").toDataURL() });
    result.looks = [look()];
    for (let k = 0; k < 2; k++) { button.click(); result.looks.push(look()); }
    button.click();
    result.kept = localStorage.getItem("theme");"""
    found = run(explorer.render(small()), script, tmp_path)
    assert found["errors"] == []
    first, other, again = found["looks"]
    assert first == again
    assert {first["theme"], other["theme"]} == {"light", "dark"}
    assert {first["name"], other["name"]} == {"Light", "Dark"}
    assert all(first[key] != other[key] for key in ("paper", "cells"))
    assert found["kept"] == other["theme"]
    for theme in ("light", "dark"):
        choice = f"<script>localStorage.setItem('theme', '{theme}');</script>"
        chosen = explorer.render(small()).replace("<head>", "<head>" + choice, 1)
        opened = run(chosen, "result.theme = document.documentElement.dataset.theme;", tmp_path)
        assert opened == {"theme": theme, "errors": []}


@browser
def test_print_is_light(tmp_path: Path) -> None:
    """Paper is white: the dark page is printed in light colours, its canvases too, and comes back.

    The choice of the reader is not touched.
    """
    script = """
    const look = () => [document.documentElement.dataset.theme,
      document.querySelector("#network-drawing .feature canvas").toDataURL()];
    result.looks = [look()];
    for (const kind of ["beforeprint", "afterprint"]) {
      dispatchEvent(new Event(kind));
      result.looks.push(look());
    }
    result.kept = localStorage.getItem("theme");"""
    choice = "<script>localStorage.setItem('theme', 'dark');</script>"
    page = explorer.render(small()).replace("<head>", "<head>" + choice, 1)
    found = run(page, script, tmp_path)
    assert found["errors"] == []
    screen, paper, again = found["looks"]
    assert (screen[0], paper[0]) == ("dark", "light")
    assert screen[1] != paper[1]
    assert again == screen
    assert found["kept"] == "dark"


@browser
def test_the_pair_s_counterpart_is_not_spoken_for(tmp_path: Path) -> None:
    """A pair's page says that it derives its network; the serial template has no counterpart."""
    file = tmp_path / "wrong pair.py"
    file.write_text(
        "import pennylane as qml\nimport torch\nfrom qrun_equiv import Pair\n"
        "def circuit(x, theta):\n    qml.RX(x[0], wires=0)\n    return qml.expval(qml.Z(0))\n"
        "pair = Pair(name='wrong', pennylane=circuit, n_features=1, n_parameters=0,\n"
        "            counterpart=lambda x, theta: torch.sin(x[:, 0]), summary='A sine.')\n"
    )
    script = """
    const $ = (id) => document.getElementById(id);
    const look = () => ({ hidden: $("note").hidden, note: $("note").innerText,
      summary: $("summary").textContent });
    result.pair = look();
    $("subject").value = "serial";
    $("subject").dispatchEvent(new Event("change"));
    result.serial = look();"""
    text = explorer.render(load_pair(file, "wrong"))
    found = run(text, script, tmp_path)
    assert found["errors"] == []
    assert found["pair"]["hidden"] is False
    assert " ".join(found["pair"]["note"].split()) == (
        "The network here is derived from the circuit. The pair's own counterpart is not run in "
        "this page: qrun-equiv verify 'wrong pair.py' compares it."
    )
    assert found["pair"]["summary"] == "The pair says: A sine."
    assert found["serial"]["hidden"] is True
    assert found["serial"]["summary"] == ""
    assert str(tmp_path) not in text
    assert embedded(explorer.render(small()))["circuits"][0]["verify"] == ""


# --- without a browser ---------------------------------------------------------------------------


def test_the_page_is_self_contained(tmp_path: Path) -> None:
    written = explorer.write(small(), tmp_path / "deep" / "page.html", title="a </script> <b>")
    text = written.read_text("utf-8")
    assert not re.search(r"(?:src|href)=|url\(|@import|fetch\(|XMLHttpRequest|import\(", text)
    assert set(re.findall(r"https?://[^\"\s]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "a &lt;/script&gt; &lt;b&gt;" in text
    (own,) = embedded(text)["circuits"]
    assert own["name"] == "a </script> <b>"
    assert own["circuit"] == json.loads(json.dumps(small().to_json()))
    assert text == explorer.render(small(), title="a </script> <b>")


def test_a_pair_starts_at_its_parameters(repository: Path) -> None:
    pair = load_pair(repository / "circuits" / "serial_reuploading.py", "serial-3")
    (own,) = embedded(explorer.render(pair))["circuits"]
    assert own["name"] == "serial-3"
    assert own["summary"] == pair.summary
    given = np.linspace(-1, 1, 12)
    (own,) = embedded(explorer.render(pair, parameters=given))["circuits"]
    assert own["theta"] == given.tolist()
    with pytest.raises(FrontendError, match="parameters has 2 numbers"):
        explorer.render(pair, parameters=[1.0, 2.0])


def test_the_axis_fits_the_slowest_gate() -> None:
    slow = Circuit(1, (Gate("RX", (0,), feature(0) / 5),), small().observables, 1, 0)
    (own,) = embedded(explorer.render(slow))["circuits"]
    assert own["half"] == pytest.approx(5 * np.pi, abs=0.01)
    (own,) = embedded(explorer.render(with_arccos()))["circuits"]
    assert own["half"] == 1.0


def test_what_can_not_be_explored_is_refused(tmp_path: Path) -> None:
    z = (Observable.of([(1.0, {0: "Z"})]),)
    wide = Circuit(4, (Gate("RX", (0,), feature(0)),), z, 1, 0)
    with pytest.raises(ReportError, match="the circuit has 4 wires; the explorer shows up to 3"):
        explorer.render(wide)
    with pytest.raises(ReportError, match="reads no feature"):
        explorer.render(Circuit(1, (Gate("RX", (0,), parameter(0)),), z, 1, 1))
    many = Circuit(1, tuple(Gate("RX", (0,), feature(0)) for _ in range(150)), z, 1, 0)
    with pytest.raises(ReportError, match="would need 151 sliders"):
        explorer.render(many)
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="can't write the page to"):
        explorer.write(small(), tmp_path / "file" / "page.html")


def test_a_pair_without_neutral_form_is_refused() -> None:
    import pennylane as qml

    def circuit(x, theta):
        qml.RX(qml.math.sin(x[0]), wires=0)
        return qml.expval(qml.Z(0))

    pair = Pair(name="sine", pennylane=circuit, counterpart=lambda x, theta: torch.cos(
        torch.sin(x[:, 0])), n_features=1, n_parameters=0)  # fmt: skip
    with pytest.raises(ReportError, match="pair 'sine' can't be explored: no exact neutral form"):
        explorer.render(pair)
