/* Fourier series by lifting: sum_w c_w exp(+i w x), for any scales, without a grid.
 *
 * An encoding gate's cosine and sine are exponentials of its angle, so each term of frequency w goes
 * to w, w + a and w - a. Schuld, Sweke, Meyer, Phys. Rev. A 103, 032430 (2021).
 */
"use strict";

const Lifting = (() => {
  const { angleAt, gcd, plus, quotient, rational, symbol, times, value } = Angles;
  const { applyStep, dot } = Maths;
  const LIMIT = 10000; // frequencies held at once

  class NoSeries extends Error {}

  /** How an angle grows with x[vary], exact: a Map from monomials in pi (and arccosines) to rationals. */
  function slope(gate, vary, x, theta) {
    const total = new Map();
    for (const { exact, factors, pi } of gate.angle) {
      const own = factors.find((f) => f.kind === "x" && f.index === vary);
      if (factors.some((f) => f.kind === "acos" && f.index === vary) || own?.power > 1) {
        throw new NoSeries(`the angle of a ${gate.name} gate is not affine in x${vary}, so there is no Fourier series`);
      }
      if (!own) continue;
      let coefficient = exact;
      let name = `pi^${pi}`;
      for (const f of factors) {
        if (f === own) continue;
        if (f.kind === "acos") name += ` ${f.text}^${f.power}`;
        else for (let k = 0; k < f.power; k++) coefficient = times(coefficient, rational(value(f, x, theta)));
      }
      total.set(name, plus(total.get(name) || { n: 0n, d: 1n }, coefficient));
    }
    for (const [name, q] of total) if (!q.n) total.delete(name);
    return total;
  }

  /** Slopes as vectors of BigInts over common units, and the units' values. */
  function commonUnits(slopes, x) {
    const names = [...new Set(slopes.flatMap((s) => [...s.keys()]))];
    const denominator = 2n * slopes.flatMap((s) => [...s.values()])
      .reduce((d, q) => (d / gcd(d, q.d)) * q.d, 1n); // twice: half angles of controlled gates
    const units = names.map((name) => name.split(" ").reduce((product, part) => {
      const [, text, power] = /^(.*)\^(\d+)$/.exec(part);
      return product * (text === "pi" ? Math.PI : value(symbol(text, 1), x, [])) ** Number(power);
    }, 1));
    const vectors = slopes.map((s) => names.map((name) =>
      s.has(name) ? (s.get(name).n * denominator) / s.get(name).d : 0n));
    const toNumber = (key) => key.reduce((sum, n, i) => sum + quotient(n, denominator) * units[i], 0);
    return { vectors, toNumber, zero: names.map(() => 0n) };
  }

  /**
   * Fourier series in x[vary], the other features held at x.
   *
   * Equal frequencies are merged exactly as they arise, at the numbers that are shown: a decimal is
   * the rational that it says. Returns {frequencies, coefficients [n][outputs][re, im], ways}: `ways`
   * counts the choices of an eigenvalue pair in every encoding gate that add up to the frequency.
   * Throws NoSeries with the reason where there is none, or too many frequencies.
   */
  function series(m, x, vary) {
    const all = Maths.steps(m);
    const split = all.filter((s) => s.gate.encodes);
    const raw = split.map((s) => slope(s.gate, vary, x, m.theta));
    const { vectors, toNumber, zero } = commonUnits(raw, x);
    const origin = x.slice();
    origin[vary] = 0;
    const start = Maths.startVector(m.wires);
    let terms = new Map([[zero.join(), { key: zero, re: start, im: new Float64Array(start.length), ways: 1 }]]);
    let index = 0;
    for (const step of all) {
      const vector = step.gate.encodes ? vectors[index++].map((v) => scaled(v, step.factor)) : zero;
      if (vector.every((v) => v === 0n)) {
        for (const t of terms.values()) {
          t.re = applyStep(step, t.re, origin, m.theta);
          t.im = applyStep(step, t.im, origin, m.theta);
        }
      } else terms = splitTerms(terms, step, vector, step.factor * angleAt(step.gate.angle, origin, m.theta));
      if (terms.size > LIMIT) {
        throw new NoSeries(`more than ${LIMIT} distinct frequencies at these scales: use fewer re-uploads or equal scales`);
      }
    }
    const readout = Maths.readoutVectors(m);
    const rows = [...terms.values()].map((t) => ({ frequency: toNumber(t.key), ways: t.ways,
      coefficient: readout.map((column) => [dot(column, t.re), dot(column, t.im)]) }));
    rows.sort((a, b) => a.frequency - b.frequency);
    return { frequencies: rows.map((r) => r.frequency), coefficients: rows.map((r) => r.coefficient),
      ways: rows.map((r) => r.ways) };
  }

  const scaled = (v, factor) => (Math.abs(factor) === 1 ? v : v / 2n) * (factor < 0 ? -1n : 1n);

  /** cos and sin of (slope x + offset) as exponentials: each term goes to w, w + slope, w - slope. */
  function splitTerms(terms, step, vector, offset) {
    const { size, sign, source } = step.table;
    const [c, s] = [Math.cos(offset), Math.sin(offset)];
    const grown = new Map();
    const into = (term, direction) => {
      const key = term.key.map((v, i) => v + BigInt(direction) * vector[i]);
      const name = key.join();
      let target = grown.get(name);
      if (!target) {
        target = { key, re: new Float64Array(size), im: new Float64Array(size), ways: 0 };
        grown.set(name, target);
      }
      return target;
    };
    for (const term of terms.values()) {
      const [stay, up, down] = [into(term, 0), into(term, 1), into(term, -1)];
      stay.ways += 2 * term.ways;
      up.ways += term.ways;
      down.ways += term.ways;
      for (let q = 0; q < size; q++) {
        if (!sign[q]) {
          stay.re[q] += term.re[q];
          stay.im[q] += term.im[q];
          continue;
        }
        const [a, b] = [term.re[q] / 2, term.im[q] / 2]; // cos = (e^+ + e^-) / 2
        const k = source[q];
        const [d, e] = [(sign[q] * term.im[k]) / 2, (-sign[q] * term.re[k]) / 2]; // sin = (e^+ - e^-) / 2i
        up.re[q] += (a + d) * c - (b + e) * s;
        up.im[q] += (a + d) * s + (b + e) * c;
        down.re[q] += (a - d) * c + (b - e) * s;
        down.im[q] += (b - e) * c - (a - d) * s;
      }
    }
    return grown;
  }

  /** Value of a series at one point, for one output. */
  function seriesAt({ frequencies, coefficients }, output, at) {
    return frequencies.reduce((sum, w, i) => {
      const [re, im] = coefficients[i][output];
      return sum + re * Math.cos(w * at) - im * Math.sin(w * at);
    }, 0);
  }

  return { NoSeries, series, seriesAt };
})();
