/* Exact angles: polynomials with rational coefficients in features, parameters and pi, in radians.
 *
 * A decimal is the rational that it says, so that equal frequencies are found equal.
 */
"use strict";

const Angles = (() => {
  // --- exact rationals: {n, d} of BigInt, d > 0, reduced ---------------------------------------

  const gcd = (a, b) => {
    while (b) [a, b] = [b, a % b];
    return a < 0n ? -a : a;
  };
  const reduce = (n, d) => {
    const g = gcd(n, d) || 1n;
    return { n: n / g, d: d / g };
  };
  const times = (p, q) => reduce(p.n * q.n, p.d * q.d);
  const plus = (p, q) => reduce(p.n * q.d + q.n * p.d, p.d * q.d);

  /** "3/7", "-1.25e-3" or a number (its shortest decimal) as an exact rational. */
  function rational(value) {
    const text = String(value);
    const [top, bottom] = text.split("/");
    if (bottom) return reduce(BigInt(top), BigInt(bottom));
    const match = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
    if (!match || !(match[2] + match[3])) throw new RangeError(`not a finite number: ${text}`);
    const digits = BigInt(match[1] + match[2] + match[3]);
    const power = Number(match[4] || 0) - match[3].length;
    return power < 0 ? reduce(digits, 10n ** BigInt(-power)) : { n: digits * 10n ** BigInt(power), d: 1n };
  }

  /** Quotient of two BigInts as a double, also where they are too large for one. */
  function quotient(n, d) {
    const size = Math.max(n.toString(2).length, d.toString(2).length);
    const shift = BigInt(Math.max(0, size - 1000));
    return Number(n >> shift) / Number(d >> shift);
  }

  // --- angles: [{coefficient, constant, factors: [{kind, index, power, arc}], feature}] ----------

  function symbol(text, power) {
    const arc = /^arccos\(x(\d+)(?:\^(\d+))?\)$/.exec(text);
    if (arc) return { kind: "acos", index: Number(arc[1]), inner: Number(arc[2] || 1), power, text };
    if (text === "pi") return { kind: "pi", index: 0, power, text };
    const [, kind, index] = /^(x|theta)(\d+)$/.exec(text);
    return { kind, index: Number(index), power, text };
  }

  /** Angle of the circuit's JSON, its feature terms times `scale`. */
  function parseAngle(terms, scale) {
    return terms.map(([coefficient, powers]) => {
      const factors = Object.entries(powers).map(([text, power]) => symbol(text, power));
      const feature = factors.some((f) => f.kind === "x" || f.kind === "acos");
      const exact = feature ? times(rational(coefficient), rational(scale)) : rational(coefficient);
      let constant = quotient(exact.n, exact.d);
      for (const f of factors) if (f.kind === "pi") constant *= Math.PI ** f.power;
      return { exact, constant, factors: factors.filter((f) => f.kind !== "pi"), feature,
        pi: factors.find((f) => f.kind === "pi")?.power || 0 };
    }).filter((term) => term.exact.n !== 0n);
  }

  function value(factor, x, theta) {
    if (factor.kind === "theta") return theta[factor.index];
    return factor.kind === "x" ? x[factor.index] : Math.acos(x[factor.index] ** factor.inner);
  }

  function angleAt(angle, x, theta) {
    let total = 0;
    for (const term of angle) {
      let product = term.constant;
      for (const f of term.factors) product *= value(f, x, theta) ** f.power;
      total += product;
    }
    return total;
  }

  // --- models: the circuit's JSON, scales of its encoding gates, parameters ---------------------

  /** Gates with parsed angles; `scales[g]` multiplies what the g-th encoding gate reads. */
  function model(circuit, scales, theta) {
    let encoding = 0;
    const gates = circuit.gates.map((gate) => {
      if (!gate.angle) return { ...gate, encodes: false };
      const encodes = gate.angle.some(([, powers]) =>
        Object.keys(powers).some((s) => s[0] === "x" || s[0] === "a"));
      const scale = encodes ? scales[encoding] ?? 1 : 1;
      const number = encodes ? encoding++ : -1;
      return { ...gate, encodes, number, angle: parseAngle(gate.angle, scale) };
    });
    return { wires: circuit.n_wires, gates, observables: circuit.observables, theta, encoding };
  }

  return { angleAt, gcd, model, plus, quotient, rational, symbol, times, value };
})();
