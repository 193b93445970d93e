/* What the page shows: one plain object of settings, its circuit, its permalink and its numbers. */
"use strict";

const Settings = (() => {
  const MOST = 8; // re-uploads of the serial template
  const BLOCKS = { Y: ["RY"], YZ: ["RY", "RZ"], ZYZ: ["RZ", "RY", "RZ"] };
  // Square roots of 1 and of primes: to six places, so that no two signed sums coincide.
  const ROOTS = [1, 1.414214, 1.732051, 2.236068, 2.645751, 3.316625, 3.605551, 4.123106];
  const LISTS = ["scales", "theta", "x"];
  const NUMBERS = ["L", "uploads", "vary", "output", "half"];
  const WORDS = ["subject", "axis", "block"];
  const FLAGS = ["shared", "log"];

  /** W_1 S W_2 S ... S W_(L+1) on one wire, measured in Z, as a circuit's JSON. */
  function serial({ L, axis, block }) {
    const gates = [];
    let used = 0;
    for (let layer = 0; layer <= L; layer++) {
      if (layer) gates.push({ name: `R${axis}`, wires: [0], angle: [["1", { x0: 1 }]] });
      for (const name of BLOCKS[block]) {
        gates.push({ name, wires: [0], angle: [["1", { [`theta${used++}`]: 1 }]] });
      }
    }
    return { n_wires: 1, n_features: 1, n_parameters: used, gates, observables: [[["1.0", [[0, "Z"]]]]] };
  }

  const encodes = (gate) => (gate.angle || []).some(([, powers]) =>
    Object.keys(powers).some((s) => s.startsWith("x") || s.startsWith("arccos")));

  /** The settings a subject starts with: "serial", or the index of an embedded circuit as text. */
  function defaults(data, subject) {
    const shared = { subject, vary: 0, output: 0, half: Math.PI, log: false };
    const own = data.circuits[Number(subject)];
    if (!own) {
      const theta = Array.from({ length: 3 * (MOST + 1) }, (_, k) => Number((2 * Math.sin(1.7 * k + 0.9)).toFixed(2)));
      return { ...shared, subject: "serial", L: 3, axis: "X", block: "YZ", shared: true,
        scales: ROOTS.slice(), theta, x: [0.7], uploads: MOST };
    }
    const count = own.circuit.gates.filter(encodes).length;
    return { ...shared, vary: own.vary, half: own.half, theta: own.theta.slice(), x: own.x.slice(),
      scales: new Array(count).fill(1), uploads: count, L: 3, axis: "X", block: "YZ", shared: false };
  }

  /** Numbers beyond this are typing errors: an angle of them would be all rounding. */
  const usable = (v) => Number.isFinite(v) && Math.abs(v) <= 1e6;

  /** Given settings over the subject's defaults; what makes no sense is left at its default. */
  function complete(data, given) {
    const base = defaults(data, given.subject ?? (data.circuits.length ? "0" : "serial"));
    const out = { ...base };
    for (const key of LISTS) {
      const values = given[key] ?? [];
      out[key] = base[key].map((v, i) => (usable(values[i]) ? values[i] : v));
    }
    for (const key of NUMBERS) if (usable(given[key])) out[key] = given[key];
    for (const key of FLAGS) if (typeof given[key] === "boolean") out[key] = given[key];
    if (["X", "Y", "Z"].includes(given.axis)) out.axis = given.axis;
    if (given.block in BLOCKS) out.block = given.block;
    const within = (v, low, high) => Math.min(Math.max(Math.round(v), low), high);
    out.L = within(out.L, 1, MOST);
    out.uploads = within(out.uploads, 0, base.scales.length);
    const { circuit } = chosen(data, out);
    out.vary = within(out.vary, 0, circuit.n_features - 1);
    out.output = within(out.output, 0, circuit.observables.length - 1);
    if (!(out.half >= 1e-3)) out.half = base.half;
    return out;
  }

  /** The circuit, the scales in use and the parameters in use. */
  function chosen(data, s) {
    if (s.subject === "serial") {
      const circuit = serial(s);
      const scales = Array.from({ length: s.L }, (_, l) => s.scales[s.shared ? 0 : l]);
      return { circuit, scales, theta: s.theta.slice(0, circuit.n_parameters) };
    }
    const { circuit } = data.circuits[Number(s.subject)];
    return { circuit, scales: s.scales.map((v, g) => (g < s.uploads ? v : 0)), theta: s.theta };
  }

  function toModel(data, s) {
    const { circuit, scales, theta } = chosen(data, s);
    return Angles.model(circuit, scales, theta);
  }

  /** The Fourier series at these settings, or {reason} where there is none. */
  function series(data, s, model = toModel(data, s)) {
    try {
      return Lifting.series(model, s.x, s.vary);
    } catch (error) {
      if (error instanceof Lifting.NoSeries) return { reason: error.message };
      throw error;
    }
  }

  /**
   * The page's numbers at any settings (the missing ones are defaults): outputs and network
   * [outputs] at the features x; frequencies [n] along x[vary]; coefficients [n][outputs][re, im].
   */
  function evaluate(data, given) {
    const s = complete(data, given);
    const model = toModel(data, s);
    const found = series(data, s, model);
    return { settings: s, outputs: Maths.circuitFunction(model)(s.x),
      network: Maths.networkFunction(model)(s.x), frequencies: found.frequencies ?? null,
      coefficients: found.coefficients ?? null, ways: found.ways ?? null, reason: found.reason ?? null };
  }

  function toHash(s) {
    const parts = new URLSearchParams();
    for (const key of WORDS) parts.set(key, s[key]);
    for (const key of NUMBERS) parts.set(key, s[key]);
    for (const key of FLAGS) parts.set(key, s[key] ? 1 : 0);
    for (const key of LISTS) parts.set(key, s[key].join(" "));
    return `#${parts}`;
  }

  function fromHash(data, hash) {
    const parts = new URLSearchParams(hash.replace(/^#/, ""));
    const given = {};
    for (const key of WORDS) if (parts.get(key)) given[key] = parts.get(key);
    for (const key of NUMBERS) if (parts.get(key)) given[key] = Number(parts.get(key));
    for (const key of FLAGS) if (parts.get(key)) given[key] = parts.get(key) === "1";
    for (const key of LISTS) {
      if (parts.get(key)) given[key] = parts.get(key).split(" ").map((v) => (v ? Number(v) : NaN));
    }
    return complete(data, given);
  }

  return { BLOCKS, MOST, ROOTS, chosen, complete, defaults, encodes, evaluate, fromHash, series,
    toHash, toModel, usable };
})();
