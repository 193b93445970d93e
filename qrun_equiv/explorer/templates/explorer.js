/* The page: controls, and everything that moves with them. */
"use strict";

(() => {
  const data = JSON.parse(document.getElementById("explorer-data").textContent);
  const { html, shown } = Drawing;
  const { checkbox, select, slider } = Controls;
  const $ = (id) => document.getElementById(id);
  const SUBSCRIPTS = "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089";
  const sub = (n) => [...String(n)].map((d) => SUBSCRIPTS[d]).join("");
  const POINTS = 1601; // points of a curve at most
  let s = Settings.fromHash(data, location.hash);
  let writing = 0;

  // --- controls --------------------------------------------------------------------------------

  const item = (list, i) => ({ get: () => s[list][i], set: (v) => { s[list][i] = v; }, changed });
  const field = (key) => ({ get: () => s[key], set: (v) => { s[key] = v; }, changed });
  const index = (key) => ({ get: () => String(s[key]), set: (v) => { s[key] = Number(v); }, changed });

  function structureControls() {
    if (s.subject !== "serial") return [];
    const blocks = { Y: "RY", YZ: "RY, RZ", ZYZ: "RZ, RY, RZ (any rotation)" };
    return [
      slider("L", "re-uploads L", { low: 1, high: Settings.MOST, step: 1, whole: true, ...field("L") }),
      select("axis", "encoding gate", ["X", "Y", "Z"].map((a) => [a, `R${a}(s x)`]), field("axis")),
      select("block", "trainable block", Object.entries(blocks), field("block")),
      checkbox("shared", "all encoding gates share one scale", field("shared")),
    ];
  }

  function scaleControls() {
    const scale = { low: -4, high: 4, step: 0.01 };
    if (s.subject === "serial") {
      const count = s.shared ? 1 : s.L;
      const rows = Array.from({ length: count }, (_, l) => slider(`scale-${l}`,
        s.shared ? "scale s" : `scale s${sub(l + 1)}`, { ...scale, ...item("scales", l) }));
      if (!s.shared) rows.push(presets());
      return rows;
    }
    const { circuit } = Settings.chosen(data, s);
    const gates = circuit.gates.filter(Settings.encodes);
    return [
      slider("uploads", "re-uploads in use", { low: 0, high: gates.length, step: 1, whole: true, ...field("uploads") }),
      html("p", { class: "hint" }, "The encoding gates after these have scale 0. A scale multiplies what its gate reads: 1 is the circuit as it was given."),
      ...gates.map((gate, g) => slider(`scale-${g}`, `${g + 1}. ${gate.name} on ${gate.wires.join(", ")}`,
        { ...scale, ...item("scales", g) })),
    ];
  }

  function presets() {
    const kinds = { equal: ["equal", () => 1], count: ["1, 2, 3, \u2026", (l) => l + 1],
      double: ["1, 2, 4, \u2026", (l) => 2 ** l], roots: ["unrelated (square roots)", (l) => Settings.ROOTS[l]] };
    return html("div", { class: "buttons" }, ...Object.entries(kinds).map(([key, [text, rule]]) => {
      const made = html("button", { type: "button", id: `preset-${key}` }, text);
      made.addEventListener("click", () => { s.scales = s.scales.map((_, l) => rule(l)); rebuild(); changed(); });
      return made;
    }));
  }

  function featureControls() {
    const { circuit } = Settings.chosen(data, s);
    const rows = [];
    const names = Array.from({ length: circuit.n_features }, (_, j) => [String(j), `x${sub(j)}`]);
    if (names.length > 1) {
      rows.push(select("vary", "feature that varies", names, index("vary")));
    }
    names.forEach(([, name], j) => rows.push(slider(`x-${j}`, j === s.vary ? `marker ${name}` : `${name}, held`,
      { low: -Math.PI, high: Math.PI, step: 0.01, ...item("x", j) })));
    rows.push(slider("half", "half-width of the axis", { low: 0.5, high: 25, step: 0.01, ...field("half"),
      set: (v) => { if (v >= 1e-3) s.half = v; } }));
    if (circuit.observables.length > 1) {
      rows.push(select("output", "output shown", circuit.observables.map((o, k) => [String(k), observableText(o)]), index("output")));
    }
    return rows;
  }

  function parameterControls() {
    const { circuit } = Settings.chosen(data, s);
    return Array.from({ length: circuit.n_parameters }, (_, k) => slider(`theta-${k}`, `\u03b8${sub(k)}`,
      { low: -3.14, high: 3.14, step: 0.01, ...item("theta", k), unit: "rad" }));
  }

  let structure = "";
  function rebuild() {
    const focus = document.activeElement?.id;
    $("scales").replaceChildren(...scaleControls());
    $("features").replaceChildren(...featureControls());
    $("parameters").replaceChildren(...parameterControls());
    $("parameter-count").textContent = `(${$("parameters").children.length})`;
    if (focus) $(focus)?.focus();
    structure = [s.subject, s.L, s.block, s.shared, s.vary].join();
  }

  function restart(next) {
    s = next;
    $("subject").value = s.subject;
    const own = data.circuits[Number(s.subject)];
    $("title").textContent = own ? own.name : "Serial re-uploading, one wire";
    $("summary").textContent = own?.summary ? `The pair says: ${own.summary}` : "";
    $("note").hidden = !own?.verify;
    $("verify").textContent = own?.verify ?? "";
    $("structure").replaceChildren(...structureControls());
    $("log").checked = s.log;
    rebuild();
    changed();
  }

  // --- words -----------------------------------------------------------------------------------

  const observableText = (terms) => terms.map(([c, word]) => {
    const letters = word.map(([w, p]) => `${p}${sub(w)}`).join("") || "1";
    return Number(c) === 1 ? letters : `${shown(Number(c))} ${letters}`;
  }).join(" + ").replace(/\+ \u2212/g, "\u2212 ") || "0";

  const count = (n) => (Number.isSafeInteger(n) ? String(n) : shown(n));

  /** An angle with the parameters' values put in: "1.41x\u2080+0.3". */
  function angleText(angle, digits = 3) {
    const parts = new Map();
    for (const term of angle) {
      let v = term.constant;
      let name = "";
      for (const f of term.factors) {
        if (f.kind === "theta") v *= s.theta[f.index] ** f.power;
        else name += f.text.replace(/x(\d+)/, (_, d) => `x${sub(d)}`) + (f.power > 1 ? `^${f.power}` : "");
      }
      parts.set(name, (parts.get(name) ?? 0) + v);
    }
    const texts = [...parts].sort(([a], [b]) => (b ? 1 : 0) - (a ? 1 : 0)).filter(([name, v]) => v || !name)
      .map(([name, v]) => (name && v === 1 ? name : name && v === -1 ? `\u2212${name}` : `${shown(v, digits)}${name}`));
    return texts.join("+").replace(/\+\u2212/g, "\u2212") || "0";
  }

  // --- what moves ------------------------------------------------------------------------------

  function points(found) {
    const fastest = found.frequencies ? Math.max(...found.frequencies.map(Math.abs)) : 8;
    const wanted = Math.ceil((16 * fastest * s.half) / Math.PI) + 1;
    const size = Math.min(POINTS, Math.max(401, wanted));
    const xs = Array.from({ length: size }, (_, i) => s.half * ((2 * i) / (size - 1) - 1));
    return { xs, coarse: wanted > 4 * POINTS };
  }

  function drawCircuit(model, circuit) {
    const gates = model.gates.map((gate) => ({ ...gate, text: gate.angle ? angleText(gate.angle) : "",
      full: gate.angle ? `${angleText(gate.angle, 6)} rad` : "", off: gate.encodes && !gate.angle.length }));
    const terms = circuit.observables[s.output];
    const measured = Array.from({ length: model.wires }, (_, w) => {
      const letters = new Set(terms.flatMap(([, word]) => word.filter(([v]) => v === w).map(([, p]) => p)));
      return [...letters].sort().join(", ");
    });
    Drawing.circuit($("circuit-drawing"), { gates, wires: model.wires, measured });
    $("measured").textContent = `\u27e8${observableText(terms)}\u27e9`;
  }

  function drawNetwork(model, net) {
    const rest = (v) => Array.from(v).slice(1);
    const size = net.size - 1;
    const cards = [{ kind: "start", title: "start", rows: rest(net.start).map((v) => [v]), lines: ["|0\u20260\u27e9"],
      label: "start vector: Pauli expectation values of the zero state" }];
    let blocks = 0;
    for (const part of net.chain) {
      if (part.kind === "block") {
        const rows = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => part.columns[j + 1][i + 1]));
        const name = `W${sub(++blocks)}`;
        cards.push({ kind: "block", title: name, rows, lines: [`${size} \u00d7 ${size}`], label: `${name}: transfer matrix of ${part.gates.map((g) => g.name).join(", ")}` });
        continue;
      }
      const { gate, factor, table, word } = part.step;
      const angle = factor * Angles.angleAt(gate.angle, s.x, model.theta);
      const [c, d] = [Math.cos(angle), Math.sin(angle)];
      const rows = Array.from({ length: size }, () => new Array(size).fill(0));
      for (let j = 0; j < size; j++) {
        const unit = new Float64Array(net.size);
        unit[j + 1] = 1;
        Maths.turn(unit, table, c, d).forEach((v, i) => { if (i && v) rows[i - 1][j] = v; });
      }
      const text = angleText(gate.angle.map((t) => ({ ...t, constant: t.constant * factor })));
      cards.push({ kind: "feature", title: gate.name, rows, lines: [`cos(${text}) = ${shown(c)}`, `sin(${text}) = ${shown(d)}`],
        label: `core of ${gate.name} turning about ${word}, at the marker` });
    }
    cards.push({ kind: "readout", title: "readout", rows: [rest(net.readout[s.output])], lines: [$("measured").textContent], label: "readout vector of the observable" });
    Drawing.network($("network-drawing"), cards);
  }

  function describe(found, model, distinct, uploads) {
    const terms = [];
    if (found.reason) terms.push(`No spectrum: ${found.reason}.`);
    else {
      const sizes = found.coefficients.map((c) => Math.hypot(...c[s.output]));
      const top = Math.max(...sizes);
      const ways = found.ways.reduce((a, b) => a + b, 0);
      const reached = sizes.filter((v) => v > 1e-12 * top).length;
      terms.push(`${found.frequencies.length} distinct frequencies are accessible${s.x.length > 1 ? " with the other features held" : ""}, ${reached} carry weight in this output; the largest is ${shown(Math.max(...found.frequencies), 6)}.`);
      if (found.frequencies.length > 400) terms.push("Above 400 frequencies the marks are left out.");
      terms.push(`${count(ways)} choices of eigenvalue pairs fall on them.`);
      $("redundancy-now").textContent = `Now: ${uploads} encoding ${uploads === 1 ? "rotation" : "rotations"} by x${sub(s.vary)} with ${distinct} distinct ${distinct === 1 ? "scale" : "scales"}: ${2 * uploads} features, of which a linear map can tell ${2 * distinct} apart.`;
    }
    if (found.reason) $("redundancy-now").textContent = "";
    $("spectrum-words").textContent = terms.join(" ");
  }

  function table(found) {
    const body = $("frequency-rows");
    if (found.reason) { body.replaceChildren(); return; }
    const rows = found.frequencies.map((w, i) => [w, ...found.coefficients[i][s.output], found.ways[i]])
      .filter(([w]) => w >= 0).slice(0, 200);
    body.replaceChildren(...rows.map(([w, re, im, ways]) => html("tr", {}, ...[shown(w, 6), shown(Math.hypot(re, im), 6),
      shown(re, 6), shown(im, 6), count(ways)].map((text) => html("td", {}, text)))));
  }

  /** Number of encoding rotations of the varying feature that are on, and of their distinct scales. */
  function uploadCounts(model) {
    const slopes = [];
    for (const gate of model.gates) {
      if (!gate.encodes) continue;
      const at = (v) => Angles.angleAt(gate.angle, s.x.map((old, j) => (j === s.vary ? v : old)), model.theta);
      const slope = Math.abs(at(1) - at(0));
      const turns = gate.name.startsWith("CR") ? [slope / 2, slope / 2] : [slope];
      if (slope > 1e-12) slopes.push(...turns.map((v) => v.toPrecision(10)));
    }
    return [slopes.length, new Set(slopes).size];
  }

  function update() {
    const { circuit } = Settings.chosen(data, s);
    const model = Settings.toModel(data, s);
    const net = Maths.network(model);
    const [byCircuit, byNetwork] = [Maths.circuitFunction(model), Maths.networkFunction(model, net)];
    const found = Settings.series(data, s, model);
    const { xs, coarse } = points(found);
    const along = (f) => xs.map((t) => f(s.x.map((v, j) => (j === s.vary ? t : v)))[s.output]);
    const [left, right] = [along(byCircuit), along(byNetwork)];
    const gaps = left.map((v, i) => v - right[i]);
    const here = byCircuit(s.x)[s.output];
    const there = byNetwork(s.x)[s.output];
    const xLabel = `feature x${sub(s.vary)} (rad where its scale is 1)`;
    const narrow = matchMedia("(max-width: 760px)").matches;
    Drawing.curves($("curve"), { xs, circuit: left, network: right, at: s.x[s.vary], value: here, xLabel,
      yLabel: "output", height: narrow ? 190 : 300 });
    Drawing.difference($("difference"), { xs, values: gaps, xLabel, height: 130 });
    $("spectrum").toggleAttribute("hidden", Boolean(found.reason));
    if (!found.reason) {
      Drawing.spectrum($("spectrum"), { frequencies: found.frequencies, log: s.log, height: 300,
        sizes: found.coefficients.map((c) => Math.hypot(...c[s.output])), xLabel: `frequency \u03c9 (rad per unit of x${sub(s.vary)})` });
    }
    drawCircuit(model, circuit);
    drawNetwork(model, net);
    const [uploads, distinct] = uploadCounts(model);
    describe(found, model, distinct, uploads);
    table(found);
    const sum = found.reason ? null : Lifting.seriesAt(found, s.output, s.x[s.vary]);
    $("value-circuit").textContent = shown(here, 12);
    $("value-network").textContent = shown(there, 12);
    $("value-series").textContent = sum === null ? "\u2013" : shown(sum, 12);
    $("value-difference").textContent = shown(Math.max(...gaps.map(Math.abs).filter(Number.isFinite), 0), 3);
    $("coarse").toggleAttribute("hidden", !coarse);
  }

  function changed() {
    if (structure !== [s.subject, s.L, s.block, s.shared, s.vary].join()) rebuild();
    update();
    clearTimeout(writing); // browsers limit how often an address may change
    writing = setTimeout(writeHash, 250);
  }

  function writeHash() {
    try {
      history.replaceState(null, "", Settings.toHash(s));
    } catch {
      $("status").textContent = "this browser keeps the link out of the address of a local file";
    }
  }

  // --- start -----------------------------------------------------------------------------------

  $("subject").replaceChildren(...data.circuits.map((c, i) => html("option", { value: i }, c.name)),
    html("option", { value: "serial" }, "serial re-uploading, one wire"));
  $("subject").addEventListener("change", (event) => restart(Settings.defaults(data, event.target.value)));
  $("reset").addEventListener("click", () => restart(Settings.defaults(data, s.subject)));
  $("random").addEventListener("click", () => {
    s.theta = s.theta.map(() => Number(((2 * Math.random() - 1) * Math.PI).toFixed(2)));
    rebuild();
    changed();
  });
  $("link").addEventListener("click", async () => {
    writeHash();
    try {
      await navigator.clipboard.writeText(location.href);
      $("status").textContent = "link copied";
    } catch {
      $("status").textContent = "the address bar holds the link";
    }
  });
  $("log").addEventListener("change", (event) => { s.log = event.target.checked; changed(); });
  addEventListener("resize", update);
  addEventListener("hashchange", () => restart(Settings.fromHash(data, location.hash)));
  addEventListener("themechange", update);

  /** For scripts: the page's numbers at any settings, and the settings that are shown. */
  window.qrunExplorer = { evaluate: (settings = s) => Settings.evaluate(data, settings),
    settings: () => structuredClone(s), data };
  restart(s);
})();
