/* The circuit as state vectors, and the classical network as a chain of Pauli transfer matrices.
 *
 * The two share nothing but the circuit's description and its angles (radians). Wire 0 is the most
 * significant bit of an index; Pauli words have the digits I, X, Y, Z = 0 to 3, wire 0 first.
 */
"use strict";

const Maths = (() => {
  const { angleAt } = Angles;
  const LETTERS = "IXYZ";

  // --- complex matrices: {size, re, im}, row by row --------------------------------------------

  function matrix(rows) {
    const size = rows.length;
    const re = new Float64Array(size * size);
    const im = new Float64Array(size * size);
    rows.forEach((row, i) => row.forEach((entry, j) => {
      const [a, b] = Array.isArray(entry) ? entry : [entry, 0];
      re[i * size + j] = Number(a);
      im[i * size + j] = Number(b);
    }));
    return { size, re, im };
  }

  function kron(a, b) {
    const size = a.size * b.size;
    const out = { size, re: new Float64Array(size * size), im: new Float64Array(size * size) };
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const p = Math.floor(i / b.size) * a.size + Math.floor(j / b.size);
        const q = (i % b.size) * b.size + (j % b.size);
        out.re[i * size + j] = a.re[p] * b.re[q] - a.im[p] * b.im[q];
        out.im[i * size + j] = a.re[p] * b.im[q] + a.im[p] * b.re[q];
      }
    }
    return out;
  }

  const h = Math.SQRT1_2;
  const PAULI = {
    I: matrix([[1, 0], [0, 1]]),
    X: matrix([[0, 1], [1, 0]]),
    Y: matrix([[0, [0, -1]], [[0, 1], 0]]),
    Z: matrix([[1, 0], [0, -1]]),
  };
  const FIXED = {
    H: matrix([[h, h], [h, -h]]),
    S: matrix([[1, 0], [0, [0, 1]]]),
    T: matrix([[1, 0], [0, [h, h]]]),
    X: PAULI.X,
    Y: PAULI.Y,
    Z: PAULI.Z,
    CNOT: matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]),
    CZ: matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, -1]]),
    SWAP: matrix([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]),
  };
  const pauli = (word) => [...word].map((p) => PAULI[p]).reduce(kron);

  /** Matrix of a gate at an angle, on its own wires. */
  function gateMatrix(gate, angle) {
    if (gate.name === "Unitary") return matrix(gate.matrix);
    if (!gate.angle) return FIXED[gate.name];
    const c = Math.cos(angle / 2);
    const s = Math.sin(angle / 2);
    if (gate.name === "PauliRot") {
      const p = pauli(gate.word);
      const out = { size: p.size, re: p.im.map((v) => s * v), im: p.re.map((v) => -s * v) };
      for (let i = 0; i < p.size; i++) out.re[i * p.size + i] += c;
      return out;
    }
    const turn = {
      RX: [[c, [0, -s]], [[0, -s], c]],
      RY: [[c, -s], [s, c]],
      RZ: [[[c, -s], 0], [0, [c, s]]],
      PhaseShift: [[1, 0], [0, [Math.cos(angle), Math.sin(angle)]]],
    };
    if (gate.name[0] !== "C") return matrix(turn[gate.name]);
    const [[a, b], [d, e]] = turn[gate.name.slice(1)];
    return matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, a, b], [0, 0, d, e]]);
  }

  // --- the circuit: state vectors --------------------------------------------------------------

  /** Index offsets of the gate's basis states, and the indices with 0 on all of its wires. */
  function places(wires, n) {
    const bits = wires.map((w) => 1 << (n - 1 - w));
    const offsets = Array.from({ length: 1 << wires.length }, (_, k) =>
      bits.reduce((sum, bit, i) => sum + (k & (1 << (wires.length - 1 - i)) ? bit : 0), 0));
    const mask = bits.reduce((a, b) => a | b, 0);
    const bases = Array.from({ length: 1 << n }, (_, k) => k).filter((k) => !(k & mask));
    return { offsets, bases };
  }

  function applyGate(state, m, { offsets, bases }) {
    const { re, im } = state;
    const a = new Float64Array(m.size);
    const b = new Float64Array(m.size);
    for (const base of bases) {
      for (let k = 0; k < m.size; k++) {
        a[k] = re[base + offsets[k]];
        b[k] = im[base + offsets[k]];
      }
      for (let i = 0; i < m.size; i++) {
        let p = 0;
        let q = 0;
        for (let k = 0; k < m.size; k++) {
          const u = m.re[i * m.size + k];
          const v = m.im[i * m.size + k];
          p += u * a[k] - v * b[k];
          q += u * b[k] + v * a[k];
        }
        re[base + offsets[i]] = p;
        im[base + offsets[i]] = q;
      }
    }
  }

  /** x -> expectation values of all outputs, by simulating the circuit. */
  function circuitFunction(m) {
    const size = 1 << m.wires;
    const zero = new Array(64).fill(0);
    const gates = m.gates.map((gate) => ({ gate, at: places(gate.wires, m.wires),
      fixed: gate.encodes ? null
        : gateMatrix(gate, gate.angle ? angleAt(gate.angle, zero, m.theta) : 0) }));
    const readings = m.observables.map((terms) => terms.map(([c, letters]) => ({ c: Number(c),
      letters: letters.map(([w, p]) => [PAULI[p], places([w], m.wires)]) })));
    return (x) => {
      const state = { re: new Float64Array(size), im: new Float64Array(size) };
      state.re[0] = 1;
      for (const { gate, at, fixed } of gates) {
        applyGate(state, fixed || gateMatrix(gate, angleAt(gate.angle, x, m.theta)), at);
      }
      return readings.map((terms) => {
        let total = 0;
        for (const { c, letters } of terms) {
          const bra = { re: state.re.slice(), im: state.im.slice() };
          for (const [p, at] of letters) applyGate(bra, p, at);
          for (let k = 0; k < size; k++) {
            total += c * (state.re[k] * bra.re[k] + state.im[k] * bra.im[k]);
          }
        }
        return total;
      });
    };
  }

  // --- the network: Pauli transfer matrices ----------------------------------------------------
  // A state is the real vector of the 4^n Pauli expectation values. A rotation exp(-i a P / 2)
  // leaves words that commute with P and turns the others: r_Q -> cos(a) r_Q + sin(a) sign r_PQ.

  const PHASE = [[0, 0, 0, 0], [0, 0, 1, 3], [0, 3, 0, 1], [0, 1, 3, 0]]; // P Q = i^phase R

  function turnTable(word) {
    const n = word.length;
    const size = 4 ** n;
    const sign = new Float64Array(size);
    const source = new Int32Array(size);
    for (let q = 0; q < size; q++) {
      let phase = 0;
      for (let w = 0; w < n; w++) {
        const p = LETTERS.indexOf(word[w]);
        const digit = (q >> (2 * (n - 1 - w))) & 3;
        phase += PHASE[p][digit];
        source[q] = source[q] * 4 + (p ^ digit);
      }
      sign[q] = phase % 2 ? (phase % 4 === 1 ? -1 : 1) : 0;
    }
    return { size, sign, source };
  }

  function turn(r, { size, sign, source }, cos, sin) {
    const out = new Float64Array(size);
    for (let q = 0; q < size; q++) {
      out[q] = sign[q] ? cos * r[q] + sin * sign[q] * r[source[q]] : r[q];
    }
    return out;
  }

  /** Pauli words over all wires by which a gate turns, each with its factor of the gate's angle. */
  function words(gate, n) {
    const place = (letters) => {
      const word = new Array(n).fill("I");
      gate.wires.forEach((w, i) => { word[w] = letters[i]; });
      return word.join("");
    };
    if (gate.name === "PauliRot") return [[place(gate.word), 1]];
    if (gate.name === "PhaseShift") return [[place("Z"), 1]];
    const letter = gate.name.at(-1);
    if (gate.name[0] !== "C") return [[place(letter), 1]];
    return [[place("I" + letter), 0.5], [place("Z" + letter), -0.5]];
  }

  /** R_ij = Tr(P_i U P_j U^dagger) / 2^k of a gate without an angle, as dense columns over n wires. */
  function fixedTable(gate, n) {
    const u = gateMatrix(gate, 0);
    const k = gate.wires.length;
    const all = Array.from({ length: 4 ** k }, (_, j) =>
      pauli(Array.from({ length: k }, (_, w) => LETTERS[(j >> (2 * (k - 1 - w))) & 3]).join("")));
    const at = places(Array.from({ length: k }, (_, w) => w), k);
    const local = all.map((p) => {
      const columns = []; // U P e_c for each c, then M = (U P) U^dagger, traced with every P_i
      for (let c = 0; c < u.size; c++) {
        const state = { re: new Float64Array(u.size), im: new Float64Array(u.size) };
        for (let i = 0; i < u.size; i++) {
          state.re[i] = p.re[i * u.size + c];
          state.im[i] = p.im[i * u.size + c];
        }
        applyGate(state, u, at);
        columns.push(state);
      }
      return all.map((q) => {
        let trace = 0; // sum over a, b, c of q[a,b] (UP)[b,c] conj(U[a,c])
        for (let a = 0; a < u.size; a++) {
          for (let b = 0; b < u.size; b++) {
            const [x, y] = [q.re[a * u.size + b], q.im[a * u.size + b]];
            if (!x && !y) continue;
            for (let c = 0; c < u.size; c++) {
              const [v, w] = [u.re[a * u.size + c], -u.im[a * u.size + c]];
              const [s, t] = [columns[c].re[b], columns[c].im[b]];
              trace += x * (s * v - t * w) - y * (s * w + t * v);
            }
          }
        }
        return trace / u.size;
      });
    });
    const shifts = gate.wires.map((w) => 2 * (n - 1 - w));
    const digits = (q) => shifts.reduce((sum, s) => sum * 4 + ((q >> s) & 3), 0);
    const spread = (j) => shifts.reduce((sum, s, i) => sum + (((j >> (2 * (k - 1 - i))) & 3) << s), 0);
    const mask = spread(4 ** k - 1);
    return (r) => {
      const out = new Float64Array(r.length);
      for (let q = 0; q < r.length; q++) {
        if (!r[q]) continue;
        const rest = q & ~mask;
        local[digits(q)].forEach((entry, i) => { out[rest + spread(i)] += entry * r[q]; });
      }
      return out;
    };
  }

  /** The circuit as steps: {turn, factor, gate} for rotations, {fixed, gate} for the other gates. */
  function steps(m) {
    return m.gates.flatMap((gate) => gate.angle
      ? words(gate, m.wires).map(([word, factor]) => ({ gate, factor, table: turnTable(word), word }))
      : [{ gate, fixed: fixedTable(gate, m.wires) }]);
  }

  function applyStep(step, r, x, theta) {
    if (step.fixed) return step.fixed(r);
    const angle = step.factor * angleAt(step.gate.angle, x, theta);
    return turn(r, step.table, Math.cos(angle), Math.sin(angle));
  }

  function startVector(n) {
    return Float64Array.from({ length: 4 ** n }, (_, q) => {
      for (let w = 0; w < n; w++) if ([1, 2].includes((q >> (2 * w)) & 3)) return 0;
      return 1;
    });
  }

  function readoutVectors(m) {
    return m.observables.map((terms) => {
      const column = new Float64Array(4 ** m.wires);
      for (const [c, letters] of terms) {
        const index = letters.reduce((sum, [w, p]) =>
          sum + LETTERS.indexOf(p) * 4 ** (m.wires - 1 - w), 0);
        column[index] += Number(c);
      }
      return column;
    });
  }

  const dot = (a, b) => a.reduce((sum, v, i) => sum + v * b[i], 0);

  /** The network as a chain: start vector, dense blocks (columns) and feature cores, readout. */
  function network(m) {
    const size = 4 ** m.wires;
    const chain = [];
    let run = [];
    const close = () => {
      if (!run.length) return;
      const columns = Array.from({ length: size }, (_, j) => run.reduce(
        (r, step) => applyStep(step, r, [], m.theta), Float64Array.from({ length: size }, (_, i) => +(i === j))));
      chain.push({ kind: "block", columns, gates: run.map((s) => s.gate) });
      run = [];
    };
    for (const step of steps(m)) {
      if (step.gate.encodes) {
        close();
        chain.push({ kind: "feature", step });
      } else run.push(step);
    }
    close();
    return { size, start: startVector(m.wires), chain, readout: readoutVectors(m) };
  }

  function multiply(columns, r) {
    const out = new Float64Array(r.length);
    for (let j = 0; j < r.length; j++) {
      const v = r[j];
      if (v) for (let i = 0; i < r.length; i++) out[i] += columns[j][i] * v;
    }
    return out;
  }

  /** x -> outputs of the network. */
  function networkFunction(m, net = network(m)) {
    return (x) => {
      let r = net.start;
      for (const part of net.chain) {
        r = part.kind === "block" ? multiply(part.columns, r) : applyStep(part.step, r, x, m.theta);
      }
      return net.readout.map((column) => dot(column, r));
    };
  }

  return { applyStep, circuitFunction, dot, network, networkFunction, readoutVectors, startVector,
    steps, turn };
})();
