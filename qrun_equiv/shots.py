"""Finite shots: exact confidence intervals for sampled expectation values.

Every output is affine in the probabilities of a few *events* that shots count: a Pauli word ``P``
comes out ``+1`` (``<P> = 2 p - 1``), a bit string is read (``p`` itself). The number of hits is
binomial, so the interval of Clopper and Pearson (Biometrika 26, 404, 1934) covers ``p`` with at
least the stated probability for *every* ``p`` and number of shots. It is the default because it
inverts the binomial tails themselves: it always lies inside Hoeffding's (JASA 58, 13, 1963), which
bounds the same tails. The kind is chosen before the shots are drawn; taking the better of two
afterwards would spoil the error rate.

All intervals of a check hold together: each gets ``alpha`` divided by their number (Bonferroni),
which needs no independence, so words that are measured in the same shots may share them. An
output's interval is the sum of its events' intervals.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from qrun_equiv import tolerances
from qrun_equiv.certificate import Check
from qrun_equiv.checks import Finding, Place
from qrun_equiv.errors import CounterpartError, FrontendError, UndecidedError
from qrun_equiv.frontends.base import Array, CircuitSource, Source
from qrun_equiv.points import Batch

#: Name of the check.
SHOTS = "shots"
#: Largest probability that a check of shots refutes an equal pair.
ALPHA = 1e-6

Counts = NDArray[np.int64]
Kind = Literal["clopper-pearson", "hoeffding"]
#: A Pauli word as its frontend writes it -> coefficient; an empty word is the identity.
Words = Mapping[Any, float]


def clopper_pearson(hits: Counts, trials: Counts, alpha: float) -> tuple[Array, Array]:
    """Two-sided interval of each binomial probability, ``alpha / 2`` for each side.

    Args:
        hits: successes, any shape.
        trials: shots, same shape; 0 gives ``[0, 1]``.
        alpha: error rate of one interval.
    """
    from scipy.stats import beta

    hits, trials = np.asarray(hits), np.asarray(trials)
    misses = trials - hits
    # Where there are no hits (misses) the limit is 0 (1); the 1s only keep ppf inside its domain.
    low = beta.ppf(alpha / 2, np.maximum(hits, 1), misses + 1)
    high = beta.isf(alpha / 2, hits + 1, np.maximum(misses, 1))
    return np.where(hits > 0, low, 0.0), np.where(misses > 0, high, 1.0)


def hoeffding(hits: Counts, trials: Counts, alpha: float) -> tuple[Array, Array]:
    """``hits / trials +- sqrt(ln(2 / alpha) / (2 trials))``, cut to ``[0, 1]``; as above."""
    hits, trials = np.asarray(hits), np.asarray(trials)
    some = np.maximum(trials, 1)
    half = np.where(trials > 0, np.sqrt(np.log(2 / alpha) / (2 * some)), 1.0)
    return np.clip(hits / some - half, 0.0, 1.0), np.clip(hits / some + half, 0.0, 1.0)


_KINDS: Mapping[str, Callable[[Counts, Counts, float], tuple[Array, Array]]] = {
    "clopper-pearson": clopper_pearson,
    "hoeffding": hoeffding,
}


@dataclass(frozen=True, slots=True)
class Tally:
    """The shots of one circuit at one point: ``outputs = constant + p @ weights``.

    Attributes:
        hits: how often each event was seen, ``[events]``.
        trials: of how many shots, ``[events]``.
        weights: ``[events, n_outputs]``.
        constant: ``[n_outputs]``.
    """

    hits: Counts
    trials: Counts
    weights: Array
    constant: Array

    def estimate(self) -> Array:
        """Sampled outputs ``[n_outputs]``; an event without shots counts as one half."""
        seen = np.where(self.trials > 0, self.hits / np.maximum(self.trials, 1), 0.5)
        return np.asarray(self.constant + seen @ self.weights)

    def interval(self, alpha: float, kind: Kind = "clopper-pearson") -> tuple[Array, Array]:
        """Limits ``[n_outputs]`` that hold together if each event's interval does.

        Args:
            alpha: error rate of *each event's* interval.
            kind: which interval.

        They are widened by 1e-9 of the output's size for rounding: a value of exactly 1 has an
        interval that ends there.
        """
        low, high = _KINDS[kind](self.hits, self.trials, alpha)
        ends = low[:, None] * self.weights, high[:, None] * self.weights
        slack = tolerances.EQUAL * (np.abs(self.constant) + np.abs(self.weights).sum(axis=0))
        return (
            self.constant + np.minimum(*ends).sum(axis=0) - slack,
            self.constant + np.maximum(*ends).sum(axis=0) + slack,
        )


def check_shots(
    circuits: Sequence[CircuitSource],
    counterpart: Source,
    batches: Sequence[Batch],
    *,
    shots: int,
    alpha: float = ALPHA,
    seed: int = 0,
    kind: Kind = "clopper-pearson",
) -> list[Finding]:
    """Is the counterpart inside every confidence interval of every circuit's sampled outputs?

    A finding's ``error`` is the distance of the counterpart's value from the middle of the
    interval and its ``bound`` is the half width, both in units of the output, at the place where
    their ratio is largest: it fails where the error is above the bound. An equal pair fails with
    probability at most ``alpha``, over all circuits, points and outputs together. A pair that
    passes is *consistent*: the note says up to which difference, at the same confidence.

    Args:
        circuits: sources that are sampled natively.
        counterpart: the source of exact values.
        batches: points.
        shots: shots for each event and point (words that commute wire by wire share theirs).
        alpha: error rate of a refutation.
        seed: seed of the shots.
        kind: ``"clopper-pearson"`` or ``"hoeffding"``; choose before looking.

    Raises:
        FrontendError: bad ``shots``, ``alpha`` or ``kind``, or a circuit that can't be sampled.
        CounterpartError: it has another number of outputs.
        UndecidedError: its value is not finite.
    """
    _check_options(shots, alpha, kind)
    rng = np.random.default_rng([seed, 5])
    drawn = {c.name: draw(c, batches, shots, rng) for c in circuits}
    # How many intervals there are depends on the circuits and points, not on what was drawn.
    count = sum(len(t.hits) for tallies in drawn.values() for t in tallies)
    places = [(row, b.theta) for b in batches for row in b.x]
    values = [counterpart.values(b.x, b.theta) for b in batches]
    findings = []
    for name, tallies in drawn.items():
        limits = np.array([t.interval(alpha / max(count, 1), kind) for t in tallies])
        exact = _checked(counterpart.name, values, limits[:, 0].shape)
        middle, half = limits.mean(axis=1), (limits[:, 1] - limits[:, 0]) / 2
        off = np.abs(exact - middle)
        ratio = off / np.maximum(half, np.finfo(float).tiny)
        row, column = (int(i) for i in np.unravel_index(np.argmax(ratio), ratio.shape))
        error, bound = float(off[row, column]), float(half[row, column])
        passed = error <= bound
        conclusion = (
            f"differences up to {_digits(float(np.max(off + half)), math.ceil)} are not excluded"
            if passed
            else f"they differ by at least {_digits(error - bound, math.floor)}"
        )
        note = (
            f"{count} {kind} intervals hold together except with probability {alpha:g} "
            f"({alpha / max(count, 1):.1g} each); widest half width {np.max(half):.2g}; "
            f"{conclusion}"
        )
        check = Check(
            SHOTS,
            (counterpart.name, name),
            f"{len(places)} points, {shots} shots for each measured word",
            error,
            bound,
            len(places),
            "passed" if passed else "failed",
            note,
        )
        pair = (float(exact[row, column]), float(tallies[row].estimate()[column]))
        findings.append(Finding(check, Place(*places[row], output=column), pair))
    return findings


def _digits(value: float, outward: Callable[[float], int]) -> str:
    """Two digits of a number from 0 up, rounded so that what is said of it stays true."""
    if value <= 0:
        return "0"
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{outward(value / unit) * unit:.2g}"


def _check_options(shots: Any, alpha: Any, kind: Any) -> None:
    if isinstance(shots, bool) or not isinstance(shots, Integral) or shots < 1:
        msg = f"shots must be a whole number from 1 up, got {shots!r}"
        raise FrontendError(msg)
    if not isinstance(alpha, Real) or not 0 < float(alpha) < 1:
        msg = f"alpha, the error rate of a refutation, must lie between 0 and 1, got {alpha!r}"
        raise FrontendError(msg)
    if kind not in _KINDS:
        msg = f"unknown kind of interval {kind!r}; one of {', '.join(_KINDS)}"
        raise FrontendError(msg)


def _checked(name: str, values: Sequence[Array], shape: tuple[int, ...]) -> Array:
    exact = np.concatenate(values)
    if exact.shape != shape:
        msg = f"{name} has {exact.shape[1]} output(s), the sampled circuit has {shape[1]}"
        raise CounterpartError(msg)
    if not np.all(np.isfinite(exact)):
        msg = f"{name} has a non-finite value ({SHOTS})"
        raise UndecidedError(msg)
    return exact


# --- drawing shots from the native circuits --------------------------------------------------


def draw(
    source: CircuitSource, batches: Sequence[Batch], shots: int, rng: np.random.Generator
) -> list[Tally]:
    """One tally a point, in the order of the batches, drawn by the circuit's own framework.

    Raises:
        FrontendError: a source of another kind, or its simulator can't draw shots.
    """
    from qrun_equiv.frontends.pennylane import PennyLaneSource
    from qrun_equiv.frontends.qiskit import QiskitSource

    points = [(row, b.theta) for b in batches for row in b.x]
    try:
        if isinstance(source, QiskitSource):
            return _draw_qiskit(source, points, shots, rng)
        if isinstance(source, PennyLaneSource):
            return _draw_pennylane(source, points, shots, rng)
    except FrontendError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        msg = f"{source.name} can't be sampled with shots={shots}: {reason}. Leave shots out"
        raise FrontendError(msg) from error
    msg = f"shots are drawn from PennyLane, Qiskit and OpenQASM circuits, not from {source.name}"
    raise FrontendError(msg)


def _affine(outputs: Sequence[Words], words: Sequence[Any]) -> tuple[Array, Array]:
    """Weights ``[words, outputs]`` and constant ``[outputs]`` of Pauli sums in ``p(+1)``."""
    weights = np.array([[2 * o.get(w, 0.0) for o in outputs] for w in words], dtype=np.float64)
    weights = weights.reshape(len(words), len(outputs))
    identity = np.array([sum(c for w, c in o.items() if w not in words) for o in outputs])
    return weights, identity - weights.sum(axis=0) / 2


def _draw_qiskit(
    source: Any, points: Sequence[tuple[Array, Array]], shots: int, rng: np.random.Generator
) -> list[Tally]:
    """By Qiskit's ``StatevectorSampler``: a circuit for each measured basis, all points at once."""
    from qiskit.primitives import StatevectorSampler
    from qiskit.quantum_info import PauliList

    outputs: list[dict[str, float]] = []
    for observable in source.observables:
        terms: dict[str, float] = {}
        for label, coefficient in observable.to_list():
            terms[label] = terms.get(label, 0.0) + float(np.real(coefficient))
        outputs.append(terms)
    labels = sorted({w for o in outputs for w in o if set(w) != {"I"}})
    groups = PauliList(labels).group_commuting(qubit_wise=True) if labels else []
    values = {
        p: np.array([float((x if kind == "x" else theta)[i]) for x, theta in points])
        for p, (kind, i) in source.places.items()
    }
    hits: dict[str, Counts] = {}
    for group in groups:
        words = [str(word) for word in group]
        circuit = _measured(source.circuit, words)
        # Symbols broadcast over the points; a circuit without any runs once a point.
        jobs: list[Any] = [(circuit, values)] if values else [(circuit,)] * len(points)
        data = [r.data[_BITS] for r in StatevectorSampler(seed=rng).run(jobs, shots=shots).result()]
        for word in words:
            parity = word.translate(str.maketrans("XY", "ZZ"))
            means = np.concatenate([np.ravel(d.expectation_values(parity)) for d in data])
            hits[word] = np.rint((1 + means) / 2 * shots).astype(np.int64)
    weights, constant = _affine(outputs, labels)
    table = np.array([hits[w] for w in labels], dtype=np.int64).reshape(len(labels), len(points))
    trials = np.full(len(labels), shots, dtype=np.int64)
    return [Tally(column, trials, weights, constant) for column in table.T]


_BITS = "bits_of_words"


def _measured(circuit: Any, words: Sequence[str]) -> Any:
    """A copy that ends in a measurement of every qubit in the words' common basis."""
    from qiskit import ClassicalRegister

    copy = circuit.copy()
    bits = ClassicalRegister(copy.num_qubits, _BITS)
    copy.add_register(bits)
    for qubit in range(copy.num_qubits):
        letters = {word[-1 - qubit] for word in words}
        if "Y" in letters:
            copy.sdg(qubit)
        if letters & {"X", "Y"}:
            copy.h(qubit)
    copy.measure(range(copy.num_qubits), bits)
    return copy


def _draw_pennylane(
    source: Any, points: Sequence[tuple[Array, Array]], shots: int, rng: np.random.Generator
) -> list[Tally]:
    """The QNode's own tapes with shots on a seeded device of its kind, counting outcomes."""
    import pennylane as qml

    device = _seeded(source.qnode.device, int(rng.integers(2**32)))
    plans = [_blocks(source.tape(x, theta), device.wires, shots) for x, theta in points]
    tapes = [block.tape for plan in plans for block in plan if block.tape is not None]
    results = iter(qml.execute(tapes, device, diff_method=None))
    return [
        _joined(plan, [None if b.tape is None else next(results) for b in plan]) for plan in plans
    ]


def _seeded(device: Any, seed: int) -> Any:
    """A fresh device like the QNode's whose shots follow the seed."""
    import pennylane as qml

    options: dict[str, Any] = {}
    if device.name == "default.mixed":
        options["readout_prob"] = device.readout_err
    elif device.name not in {"default.qubit", "lightning.qubit"}:
        msg = (
            f"shots on the device {device.name} can't be seeded: use default.qubit, "
            "lightning.qubit or default.mixed"
        )
        raise FrontendError(msg)
    return qml.device(device.name, wires=device.wires, seed=seed, **options)


@dataclass(frozen=True, slots=True)
class _Block:
    """One measurement of a tape with shots: the tape that counts its events (None: constant).

    ``width``: number of wires whose bit strings are the events; 0 where they are Pauli words.
    """

    tape: Any
    width: int
    weights: Array
    constant: Array

    def read(self, counts: Any) -> tuple[list[int], list[int]]:
        """Hits and trials of the events. Postselection leaves fewer trials than shots."""
        if self.width:
            strings = [format(k, f"0{self.width}b") for k in range(2**self.width)]
            total = sum(int(n) for n in counts.values())
            return [int(counts.get(s, 0)) for s in strings], [total] * len(strings)
        words = counts if isinstance(counts, tuple | list) else [] if counts is None else [counts]
        hits = [sum(int(n) for value, n in word.items() if value > 0) for word in words]
        return hits, [sum(int(n) for n in word.values()) for word in words]


def _blocks(tape: Any, wires: Any, shots: int) -> list[_Block]:
    import pennylane as qml

    from qrun_equiv.frontends.pennylane_tapes import standard_order

    (tape,), _ = qml.defer_measurements(tape)  # else every shot is simulated on its own
    blocks = []
    for measurement in tape.measurements:
        gates = list(tape.operations)
        if isinstance(measurement, qml.measurements.ExpectationMP):
            terms = _pauli_sum(measurement.obs)
            words = [w for w in terms if len(w)]
            weights, constant = _affine([terms], words)
            counted, width = [qml.counts(w.operation()) for w in words], 0
        else:
            gates += measurement.diagonalizing_gates()
            read = measurement.wires or wires or standard_order(tape.wires)
            counted, width = [qml.counts(wires=read)], len(read)
            weights, constant = np.eye(2**width), np.zeros(2**width)
        counting = qml.tape.QuantumScript(gates, counted, shots=shots) if counted else None
        blocks.append(_Block(counting, width, weights, constant))
    return blocks


def _pauli_sum(observable: Any) -> dict[Any, float]:
    """The observable as Pauli words; a matrix or projector is decomposed."""
    import pennylane as qml

    sentence = observable.pauli_rep
    if sentence is None:
        matrix = qml.matrix(observable, wire_order=observable.wires)
        sentence = qml.pauli_decompose(matrix, wire_order=observable.wires, pauli=True)
    return {word: float(np.real(qml.math.unwrap(c))) for word, c in sentence.items()}


def _joined(blocks: Sequence[_Block], results: Sequence[Any]) -> Tally:
    from scipy.linalg import block_diag

    counts = [block.read(result) for block, result in zip(blocks, results, strict=True)]
    return Tally(
        np.array([n for hits, _ in counts for n in hits], dtype=np.int64),
        np.array([n for _, trials in counts for n in trials], dtype=np.int64),
        np.asarray(block_diag(*(b.weights for b in blocks)), dtype=np.float64),
        np.concatenate([b.constant for b in blocks]),
    )
