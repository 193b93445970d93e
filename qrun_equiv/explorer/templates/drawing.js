/* Drawings: functions of numbers and a place to draw into. Sizes are in pixels. */
"use strict";

const Drawing = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  /** An SVG element with attributes and children (elements or text). */
  function node(tag, attributes = {}, ...children) {
    const made = document.createElementNS(SVG, tag);
    for (const [key, v] of Object.entries(attributes)) made.setAttribute(key, v);
    made.append(...children);
    return made;
  }

  /** An HTML element. */
  function html(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, v] of Object.entries(attributes)) made.setAttribute(key, v);
    made.append(...children);
    return made;
  }

  /** A number for people: about `digits` digits, a real minus sign. */
  function shown(v, digits = 3) {
    if (!Number.isFinite(v)) return "not a number";
    if (v === 0) return "0";
    const size = Math.abs(v);
    const text = size < 1e-3 || size >= 1e5 ? v.toExponential(Math.max(0, digits - 2))
      : String(Number(v.toFixed(Math.max(0, digits - Math.max(0, Math.floor(Math.log10(size)))))));
    return text.replace(/-/g, "\u2212");
  }

  function niceTicks(low, high, count) {
    const raw = (high - low) / Math.max(count, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].find((m) => m * power >= raw * 0.999) * power;
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
    return ticks;
  }

  /** Frame with axes: returns {x, y, plot} where x and y map data to pixels. */
  function axes(svg, { xRange, yRange, xLabel, yLabel, height, yTicks, yText = shown }) {
    const width = Math.max(240, svg.parentElement.clientWidth);
    const box = { left: 74, right: width - 10, top: 8, bottom: height - 40 };
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const x = (v) => box.left + ((v - xRange[0]) / (xRange[1] - xRange[0])) * (box.right - box.left);
    const y = (v) => box.bottom - ((v - yRange[0]) / (yRange[1] - yRange[0])) * (box.bottom - box.top);
    const plot = node("g");
    for (const t of niceTicks(...xRange, width / 90)) {
      plot.append(node("line", { x1: x(t), x2: x(t), y1: box.top, y2: box.bottom, class: "grid" }));
      plot.append(node("text", { x: x(t), y: box.bottom + 16, "text-anchor": "middle", class: "tick" }, shown(t)));
    }
    for (const t of yTicks || niceTicks(...yRange, height / 55)) {
      plot.append(node("line", { x1: box.left, x2: box.right, y1: y(t), y2: y(t), class: "grid" }));
      plot.append(node("text", { x: box.left - 6, y: y(t) + 4, "text-anchor": "end", class: "tick" }, yText(t)));
    }
    plot.append(node("text", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle", class: "label" }, xLabel));
    const middle = (box.top + box.bottom) / 2;
    plot.append(node("text", { x: 11, y: middle, "text-anchor": "middle", class: "label",
      transform: `rotate(-90 11 ${middle})` }, yLabel));
    svg.replaceChildren(plot);
    return { x, y, plot, box };
  }

  function path(xs, ys, x, y) {
    let text = "";
    let up = true;
    ys.forEach((v, i) => {
      if (!Number.isFinite(v)) { up = true; return; }
      text += `${up ? "M" : "L"}${x(xs[i]).toFixed(1)} ${y(v).toFixed(1)}`;
      up = false;
    });
    return text;
  }

  /** Circuit and network over each other, and the marker. */
  function curves(svg, { xs, circuit, network, at, value, xLabel, yLabel, height }) {
    const finite = [...circuit, ...network].filter(Number.isFinite);
    const [low, high] = [Math.min(...finite, Infinity), Math.max(...finite, -Infinity)];
    const margin = high - low > 1e-9 ? 0.08 * (high - low) : 0.1; // rounding is no shape
    const yRange = finite.length ? [low - margin, high + margin] : [-1, 1];
    const { x, y, plot, box } = axes(svg, { xRange: [xs[0], xs.at(-1)], yRange, xLabel, yLabel, height });
    plot.append(node("path", { d: path(xs, circuit, x, y), class: "circuit-line" }));
    plot.append(node("path", { d: path(xs, network, x, y), class: "network-line" }));
    if (at >= xs[0] && at <= xs.at(-1)) {
      plot.append(node("line", { x1: x(at), x2: x(at), y1: box.top, y2: box.bottom, class: "marker-line" }));
      if (Number.isFinite(value)) plot.append(node("circle", { cx: x(at), cy: y(value), r: 5, class: "marker" }));
    }
  }

  const FLOOR = -18;

  /** |circuit - network| on a logarithmic axis; what is exactly 0 lies on the floor. */
  function difference(svg, { xs, values, xLabel, height }) {
    const logs = values.map((v) => (Number.isFinite(v) ? Math.max(FLOOR, Math.log10(Math.abs(v))) : NaN));
    const { x, y, plot } = axes(svg, { xRange: [xs[0], xs.at(-1)], yRange: [FLOOR, 0], xLabel, height,
      yLabel: "|difference|", yTicks: [-18, -12, -6, 0], yText: (t) => (t === FLOOR ? "0" : t ? `1e\u2212${-t}` : "1") });
    plot.append(node("path", { d: path(xs, logs, x, y), class: "difference-line" }));
  }

  /** Mirrored stems |c_w|; hollow marks are frequencies that are accessible but not reached. */
  function spectrum(svg, { frequencies, sizes, log, height, xLabel }) {
    const top = Math.max(...sizes, 1e-3);
    const reach = Math.max(...frequencies.map(Math.abs), 1) * 1.06;
    const floor = -8;
    const level = (v) => (log ? Math.max(floor, Math.log10(v)) : v);
    const { x, y, plot } = axes(svg, { xRange: [-reach, reach], height, xLabel,
      yRange: log ? [floor, Math.max(0, Math.ceil(Math.log10(top)))] : [0, top * 1.1],
      yLabel: "|coefficient|", yTicks: log ? [-8, -6, -4, -2, 0] : undefined,
      yText: log ? (t) => (t ? `1e\u2212${-t}` : "1") : shown });
    const base = y(log ? floor : 0);
    const stems = frequencies.map((w, i) => `M${x(w).toFixed(1)} ${base.toFixed(1)}V${y(level(sizes[i])).toFixed(1)}`).join("");
    plot.append(node("path", { d: stems, class: "stem" }));
    if (frequencies.length > 400) return;
    const radius = frequencies.length > 80 ? 2.5 : 4.5;
    frequencies.forEach((w, i) => {
      const reached = sizes[i] > 1e-12 * top;
      plot.append(node("circle", { cx: x(w), cy: reached ? y(level(sizes[i])) : base, r: radius, class: reached ? "dot" : "dot hollow" },
        node("title", {}, `frequency ${shown(w, 6)}, size ${shown(sizes[i], 6)}`)));
    });
  }

  // --- the quantum circuit ---------------------------------------------------------------------

  const COLUMN = 76;
  const LINE = 58;

  /** Each gate's column: as early as its wires (and those between them) are free. */
  function columns(gates, wires) {
    const free = new Array(wires).fill(0);
    return gates.map((gate) => {
      const [low, high] = [Math.min(...gate.wires), Math.max(...gate.wires)];
      const column = Math.max(...free.slice(low, high + 1));
      free.fill(column + 1, low, high + 1);
      return column;
    });
  }

  const TEXT = { room: 62, size: 11.5, least: 8 };
  const pen = document.createElement("canvas").getContext("2d");

  /** Width of a text in the drawings' font at the usual size. */
  function widthOf(text) {
    pen.font = `${TEXT.size}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
    return pen.measureText(text).width;
  }

  /** A line at the largest size that fits a box; at the least size it is cut, and the tooltip has it all. */
  function fitted(text) {
    const size = Math.min(TEXT.size, (TEXT.size * TEXT.room) / widthOf(text));
    if (size >= TEXT.least) return [text, Number(size.toFixed(2))];
    let kept = text;
    while ((widthOf(`${kept}\u2026`) * TEXT.least) / TEXT.size > TEXT.room) kept = kept.slice(0, -1);
    return [`${kept}\u2026`, TEXT.least];
  }

  /** [text, size] of one line or two: an angle that is too long breaks before the sign of a term. */
  function inBox(text) {
    const terms = text.split(/(?<=[^e])(?=[+\u2212])/);
    if (widthOf(text) <= TEXT.room || terms.length < 2) return [fitted(text)];
    const breaks = terms.slice(1).map((_, k) => [terms.slice(0, k + 1).join(""), terms.slice(k + 1).join("")]);
    const widest = (lines) => Math.max(...lines.map(widthOf));
    return breaks.reduce((best, lines) => (widest(lines) < widest(best) ? lines : best)).map(fitted);
  }

  function gateBox(g, x, y, title, detail, style) {
    const lines = detail ? inBox(detail) : [];
    g.append(node("rect", { x: x - 35, y: y - 25, width: 70, height: 50, rx: 5, class: style }));
    g.append(node("text", { x, y: y + [5, -4, -9][lines.length], "text-anchor": "middle", class: "gate-name" }, title));
    lines.forEach(([text, size], i) => g.append(node("text", { x, y: y + [0, 14, 6][lines.length] + 13 * i,
      "text-anchor": "middle", class: "gate-angle", style: `font-size: ${size}px` }, text)));
  }

  function drawGate(gate, x, yOf, style) {
    const g = node("g", {}, node("title", {}, `${gate.name} ${gate.full || ""}`.trim()));
    const ys = gate.wires.map(yOf);
    if (ys.length > 1) g.append(node("line", { x1: x, x2: x, y1: Math.min(...ys), y2: Math.max(...ys), class: "wire" }));
    const dot = (y) => g.append(node("circle", { cx: x, cy: y, r: 5, class: "control" }));
    if (gate.name === "CNOT") {
      dot(ys[0]);
      g.append(node("circle", { cx: x, cy: ys[1], r: 12, class: "target" }),
        node("path", { d: `M${x - 12} ${ys[1]}h24M${x} ${ys[1] - 12}v24`, class: "wire" }));
    } else if (gate.name === "CZ") ys.forEach(dot);
    else if (gate.name === "SWAP") ys.forEach((y) => g.append(node("path", { d: `M${x - 8} ${y - 8}l16 16m0 -16l-16 16`, class: "wire" })));
    else if (gate.name === "PauliRot") ys.forEach((y, i) => gateBox(g, x, y, `R${gate.word}`.length > 5 ? gate.word[i] : `R${gate.word}`, gate.text, style));
    else if (/^CR/.test(gate.name)) {
      dot(ys[0]);
      gateBox(g, x, ys[1], gate.name.slice(1), gate.text, style);
    } else ys.forEach((y) => gateBox(g, x, y, gate.name === "PhaseShift" ? "Phase" : gate.name === "Unitary" ? "U" : gate.name, gate.text, style));
    return g;
  }

  /** gates: {name, wires, word, text, full, encodes, off}; measured: a letter for each wire, or "". */
  function circuit(svg, { gates, wires, measured }) {
    const width = Math.max(240, svg.parentElement.clientWidth);
    const at = columns(gates, wires);
    const total = Math.max(0, ...at.map((c) => c + 1)) + 1;
    const perRow = Math.max(1, Math.floor((width - 46) / COLUMN));
    const rows = Math.ceil(total / perRow);
    const rowHeight = wires * LINE + (wires > 1 ? 16 : 4);
    const size = { width, height: rows * rowHeight };
    svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    svg.setAttribute("width", size.width);
    svg.setAttribute("height", size.height);
    svg.replaceChildren();
    const xOf = (c) => 40 + (c % perRow) * COLUMN + COLUMN / 2;
    const yOf = (c) => (w) => Math.floor(c / perRow) * rowHeight + w * LINE + LINE / 2;
    for (let row = 0; row < rows; row++) {
      const end = row === rows - 1 ? xOf(total - 1) : 40 + perRow * COLUMN;
      for (let w = 0; w < wires; w++) {
        const y = yOf(row * perRow)(w);
        svg.append(node("line", { x1: 32, x2: end, y1: y, y2: y, class: "wire" }));
        svg.append(node("text", { x: 26, y: y + 5, "text-anchor": "end", class: "gate-name" }, row ? "\u2026" : "|0\u27e9"));
      }
    }
    gates.forEach((gate, i) => {
      const style = gate.encodes ? `box encoding${gate.off ? " off" : ""}` : "box";
      svg.append(drawGate(gate, xOf(at[i]), yOf(at[i]), style));
    });
    measured.forEach((letter, w) => {
      if (letter) gateBox(svg, xOf(total - 1), yOf(total - 1)(w), letter, "measured", "box readout");
    });
  }

  // --- the classical network -------------------------------------------------------------------

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const rgb = (name) => style.getPropertyValue(name).trim().match(/[0-9a-f]{2}/gi).map((v) => parseInt(v, 16));
    return { zero: rgb("--cell"), positive: rgb("--circuit"), negative: rgb("--network") };
  }

  /** rows by columns of numbers in [-peak, peak] as coloured cells. */
  function heat(rows, cell, peak, label) {
    const palette = colours();
    const canvas = html("canvas", { role: "img", "aria-label": label, width: rows[0].length, height: rows.length });
    canvas.style.width = `${Math.max(10, rows[0].length * cell)}px`; // a vector is no hairline
    canvas.style.height = `${Math.max(10, rows.length * cell)}px`;
    const context = canvas.getContext("2d");
    const image = context.createImageData(rows[0].length, rows.length);
    rows.flat().forEach((v, i) => {
      const share = Math.min(1, Math.abs(v) / peak) || 0;
      const target = v < 0 ? palette.negative : palette.positive;
      for (let k = 0; k < 3; k++) image.data[4 * i + k] = palette.zero[k] + share * (target[k] - palette.zero[k]);
      image.data[4 * i + 3] = 255;
    });
    context.putImageData(image, 0, 0);
    return canvas;
  }

  /** cards: {kind, title, lines, rows, label}, in the order of the chain. */
  function network(place, cards) {
    place.replaceChildren(...cards.map((card) => {
      const size = Math.max(card.rows.length, card.rows[0].length);
      const cell = size <= 3 ? 22 : size <= 15 ? 6 : 2;
      const peak = Math.max(1e-300, card.kind === "readout" ? Math.max(...card.rows.flat().map(Math.abs)) : 1);
      const figure = html("li", { class: `card ${card.kind}` }, html("strong", {}, card.title),
        heat(card.rows, cell, peak, card.label));
      card.lines.forEach((line) => figure.append(html("span", {}, line)));
      return figure;
    }));
  }

  return { circuit, curves, difference, html, network, shown, spectrum };
})();
