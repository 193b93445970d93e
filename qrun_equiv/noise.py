"""What noise does to a circuit's Fourier coefficients: a channel after each gate.

A depolarising channel of parameter ``p`` follows each gate on the wires that it acts on,

    rho -> (1 - p) rho + p (I / 2**k) x Tr_wires(rho),     k wires,

which is the convention of ``qiskit_aer.noise.depolarizing_error(p, k)``. (A Pauli error happens
with probability ``p (1 - 4**-k)``.) In the Pauli-transfer picture it multiplies every word that is
not the identity on those wires by ``1 - p`` and leaves the others. So each Fourier coefficient
remains a sum over the same paths of Pauli words, each damped by ``1 - p`` for every gate that meets
it. On one wire every gate meets every word but the identity: with ``G`` gates each coefficient of
a traceless observable is damped by exactly ``(1 - p)**G``, and the spectrum keeps its shape.

:func:`damping` is that closed form; :func:`native_damping` simulates the same circuit with
qiskit-aer's density matrices, and :func:`model_damping` takes any ``NoiseModel``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qrun_equiv import tolerances, transfer
from qrun_equiv.angle import Angle, Symbol
from qrun_equiv.circuit import Circuit
from qrun_equiv.counterpart import MAX_WIRES
from qrun_equiv.errors import FrontendError, SpectrumError
from qrun_equiv.fourier import MAX_FREQUENCIES, FourierSeries, Frequency, fit, slopes
from qrun_equiv.points import DEFAULT_RANGE, vector
from qrun_equiv.spectral import Section, sections
from qrun_equiv.transfer import Fixed, Rotation, Step

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
Channel = Literal["depolarizing", "amplitude-damping"]
_PROBES = 512


@dataclass(frozen=True, slots=True)
class Damping:
    """Fourier coefficients of a circuit without and with noise.

    Attributes:
        frequencies: ``[n, n_features]``, radians per unit of the feature, both signs.
        ideal: coefficients ``[n, n_outputs]`` without noise.
        noisy: coefficients ``[n, n_outputs]`` with it.
        noise: the noise, for a person.
    """

    frequencies: Array
    ideal: Complex
    noisy: Complex
    noise: str

    @property
    def ratio(self) -> Complex:
        """``noisy / ideal``; ``nan`` where the ideal coefficient is zero (to 1e-9 of the largest).

        Paths that interfere can be damped differently, so a ratio may be complex, above 1 even.
        """
        empty = self._zero(self.ideal)
        return np.asarray(np.where(empty, np.nan, self.noisy / np.where(empty, 1.0, self.ideal)))

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which row is frequency zero, ``[n]``."""
        return np.asarray(~np.any(self.frequencies != 0, axis=1))

    @property
    def appearing(self) -> NDArray[np.bool_]:
        """Coefficients that only the noisy circuit has, ``[n, n_outputs]``."""
        return self._zero(self.ideal) & ~self._zero(self.noisy)

    def _zero(self, coefficients: Complex) -> NDArray[np.bool_]:
        size = np.maximum(np.abs(self.ideal), np.abs(self.noisy)).max(axis=0)
        return np.asarray(np.abs(coefficients) <= tolerances.EQUAL * size)

    def difference(self) -> tuple[float, float]:
        """Enclosure of ``max |noisy - ideal|`` over all features and outputs.

        Below: the largest of the coefficients' differences and of the outputs' at seeded points.
        Above: the sum of the coefficients' differences.
        """
        change = self.noisy - self.ideal
        x = np.random.default_rng(0).uniform(*DEFAULT_RANGE, (_PROBES, self.frequencies.shape[1]))
        seen = np.abs(FourierSeries(self.frequencies, change)(x))
        lower = max(float(np.max(seen)), float(np.max(np.abs(change))))
        return lower, max(lower, float(np.max(np.abs(change).sum(axis=0))))

    def __str__(self) -> str:
        return noisy_verdict(self)


def noisy_verdict(found: Damping) -> str:
    """In words: whether the noisy circuit is the ideal counterpart, and how coefficients change."""
    low, high = found.difference()
    if high <= tolerances.EQUAL * max(1.0, float(np.abs(found.ideal).sum(axis=0).max())):
        return f"With {found.noise} the circuit is still the ideal counterpart."
    ratio = np.abs(found.ratio[~found.constant])
    ratio = ratio[~np.isnan(ratio)]
    text = (
        f"With {found.noise} the circuit is not the ideal counterpart: the largest "
        f"difference of their outputs lies between about {low:.3g} and {high:.3g}."
    )
    if ratio.size:
        least, most = float(ratio.min()), float(ratio.max())
        how = f"{least:.4g}" if most - least <= 1e-9 else f"{least:.4g} to {most:.4g}"
        text += f" Each Fourier coefficient is multiplied by {how} in size."
    shift = float(np.abs((found.noisy - found.ideal)[found.constant]).max(initial=0.0))
    if shift > tolerances.EQUAL:
        text += f" The mean moves by up to {shift:.3g}."
    if np.any(found.appearing):
        text += f" {int(found.appearing.sum())} coefficients appear that the ideal has not."
    return text


# --- closed form -----------------------------------------------------------------------------


def _depolarizing(p: float, wires: int) -> Array:
    """Transfer matrix ``[4**wires, 4**wires]``: the identity stays, other words shrink."""
    return np.diag([1.0, *[1.0 - p] * (4**wires - 1)])


def _amplitude_damping(p: float, wires: int) -> Array:
    """``|1>`` decays with probability ``p``, on each wire (Nielsen and Chuang, 8.3.5)."""
    one = np.diag([1.0, np.sqrt(1 - p), np.sqrt(1 - p), 1 - p])
    one[3, 0] = p
    return np.asarray(reduce(np.kron, [one] * wires))


_CHANNELS: Mapping[str, Callable[[float, int], Array]] = {
    "depolarizing": _depolarizing,
    "amplitude-damping": _amplitude_damping,
}


def damping(
    circuit: Circuit, parameters: Any, p: float, channel: Channel = "depolarizing"
) -> Damping:
    """Coefficients without and with a channel after each gate: exact, by Pauli transfer.

    Args:
        circuit: neutral form, up to 5 wires, angles affine in the features.
        parameters: ``theta [n_parameters]``.
        p: the channel's parameter, from 0 to 1; see the module for the convention.
        channel: ``"depolarizing"``, jointly on the gate's wires, or ``"amplitude-damping"``, on
            each of them.

    Raises:
        FrontendError: ``p``, the channel or the parameters do not fit.
        SpectrumError: too many wires or frequencies, or no Fourier series in the features.
    """
    circuit = _bound(circuit, parameters, p, channel)
    ideal, noisy = _series(circuit, None), _series(circuit, lambda k: _CHANNELS[channel](p, k))
    none = np.zeros(circuit.n_outputs, dtype=np.complex128)
    origin, no_parameters = np.zeros(circuit.n_features), np.zeros(circuit.n_parameters)
    keys = sorted({*ideal, *noisy}, key=lambda w: tuple(a.terms for a in w))
    rows = [[float(a.evaluate(origin, no_parameters)) for a in w] for w in keys]
    return Damping(
        np.array(rows, dtype=np.float64).reshape(len(keys), circuit.n_features),
        np.array([ideal.get(k, none) for k in keys]),
        np.array([noisy.get(k, none) for k in keys]),
        _describe(p, channel),
    )


def _describe(p: float, channel: str) -> str:
    return f"{channel.replace('-', ' ')} noise of {p:g} after each gate"


def _bound(circuit: Circuit, parameters: Any, p: float, channel: str) -> Circuit:
    """The circuit with numbers for parameters, so that equal frequencies are equal angles."""
    if channel not in _CHANNELS:
        msg = f"unknown channel {channel!r}; one of {', '.join(_CHANNELS)}"
        raise FrontendError(msg)
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        msg = f"the channel's parameter p must be a number from 0 to 1, got {p!r}"
        raise FrontendError(msg)
    if circuit.n_wires > MAX_WIRES:
        msg = f"{circuit.n_wires} wires are too many for a noise study: at most {MAX_WIRES}"
        raise SpectrumError(msg)
    slopes(circuit, range(circuit.n_features))  # raises where there is no series
    theta = vector(parameters, circuit.n_parameters, "parameters")
    numbers = {Symbol("theta", i): Angle.constant(float(t)) for i, t in enumerate(theta)}
    gates = tuple(
        g if g.angle is None else replace(g, angle=g.angle.replace(numbers)) for g in circuit.gates
    )
    return replace(circuit, gates=gates)


def _series(circuit: Circuit, noise: Callable[[int], Array] | None) -> dict[Frequency, Complex]:
    """Coefficients ``[n_outputs]`` by exact frequency; ``noise``: transfer matrix on k wires."""
    zero: Frequency = (Angle(),) * circuit.n_features
    terms: dict[Frequency, Tensor] = {zero: transfer.start(circuit.n_wires).to(torch.complex128)}
    for gate in circuit.gates:
        after: list[Step] = transfer.steps(replace(circuit, gates=(gate,)))
        if noise is not None:
            matrix = torch.as_tensor(noise(len(gate.wires)))
            after.append(Fixed(matrix, gate.wires, circuit.n_wires))
        for step in after:
            terms = _advance(step, terms, circuit.n_features)
        if len(terms) > MAX_FREQUENCIES:
            msg = f"more than {MAX_FREQUENCIES} distinct frequencies; fix some features"
            raise SpectrumError(msg)
    columns = transfer.readout(circuit.observables, circuit.n_wires).to(torch.complex128)
    return {w: (row @ columns).numpy() for w, row in terms.items()}


def _advance(
    step: Step, terms: dict[Frequency, Tensor], n_features: int
) -> dict[Frequency, Tensor]:
    """One step; an encoding rotation, affine in cos and sin, splits ``w`` into ``w, w +- a``."""
    rows = torch.stack(list(terms.values()))
    if isinstance(step, Fixed):
        return dict(zip(terms, step.apply(rows), strict=True))
    origin = np.zeros(n_features)
    offset = torch.tensor(float(step.angle.evaluate(origin, None)), dtype=torch.float64)
    slope = tuple(step.angle.derivative(Symbol("x", i)) for i in range(n_features))
    if not any(a.terms for a in slope):
        turned = step.apply(rows, torch.cos(offset), torch.sin(offset))
        return dict(zip(terms, turned, strict=True))
    grown: dict[Frequency, Tensor] = {}
    for sign, part in _parts(step, rows, offset):
        for w, row in zip(terms, part, strict=True):
            if bool(torch.any(row != 0)):
                key = tuple(a + s * sign for a, s in zip(w, slope, strict=True))
                grown[key] = grown[key] + row if key in grown else row
    return grown


def _parts(step: Rotation, rows: Tensor, offset: Tensor) -> list[tuple[int, Tensor]]:
    """``rows`` after the rotation as ``sum_sign part exp(i sign angle)``."""
    half = torch.tensor(0.5, dtype=torch.complex128)
    still = step.apply(rows, 0 * half, 0 * half)  # cos = (e + 1/e) / 2, sin = (e - 1/e) / 2i
    phase = torch.exp(1j * offset)
    plus = (step.apply(rows, half, -1j * half) - still) * phase
    minus = (step.apply(rows, half, 1j * half) - still) / phase
    return [(0, still), (1, plus), (-1, minus)]


# --- native ----------------------------------------------------------------------------------


def native_damping(
    circuit: Circuit,
    parameters: Any,
    p: float,
    channel: Channel = "depolarizing",
    *,
    seed: int = 0,
) -> Damping:
    """The same as :func:`damping` from qiskit-aer's density matrices, its channels, and a fit.

    The outputs are sampled on a grid above Nyquist's rate, or at random points where the scales
    have no common period, and fitted over the circuit's accessible frequencies.

    Raises:
        FrontendError: qiskit-aer is not installed, or an argument does not fit.
        SpectrumError: too many wires or frequencies, or no Fourier series in the features.
    """
    circuit = _bound(circuit, parameters, p, channel)
    ideal, noisy = _interleaved(circuit, None), _interleaved(circuit, (p, channel))
    return _fitted(circuit, ideal, noisy, None, _describe(p, channel), seed)


def model_damping(circuit: Circuit, parameters: Any, noise_model: Any, *, seed: int = 0) -> Damping:
    """Coefficients without noise and under a ``qiskit_aer.noise.NoiseModel``.

    The circuit is transpiled to the model's basis gates (optimisation level 0), as Qiskit does
    for a device, so that the model's errors find their gates.

    Raises:
        FrontendError: qiskit-aer is not installed, not a noise model, or one with readout errors
            (expectation values from a density matrix have no readout).
        SpectrumError: as for :func:`native_damping`.
    """
    kind = _aer("qiskit_aer.noise").NoiseModel
    if not isinstance(noise_model, kind):
        msg = f"noise_model must be a qiskit_aer.noise.NoiseModel, got {type(noise_model).__name__}"
        raise FrontendError(msg)
    errors = noise_model.to_dict(serializable=True).get("errors", [])
    if any(error["type"] == "roerror" for error in errors):
        msg = "the noise model has readout errors, which expectation values do not see: remove them"
        raise FrontendError(msg)
    circuit = _bound(circuit, parameters, 0.0, "depolarizing")
    native = _interleaved(circuit, None)
    name = f"the noise model on {', '.join(noise_model.noise_instructions) or 'no gate'}"
    return _fitted(circuit, native, native, noise_model, name, seed)


def _aer(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        msg = (
            "native noise needs qiskit-aer, which is not installed: "
            'pip install -c constraints.txt "qrun-equiv[aer]"'
        )
        raise FrontendError(msg) from error


def _interleaved(circuit: Circuit, noise: tuple[float, str] | None) -> Any:
    """Qiskit's circuit of the gates, qiskit-aer's channel after each on its wires."""
    from qiskit import QuantumCircuit

    from qrun_equiv.frontends.export import to_qiskit

    errors = _aer("qiskit_aer.noise")
    whole, _ = to_qiskit(circuit)
    native = QuantumCircuit(circuit.n_wires)
    features = {p.name: p for p in whole.parameters}
    for gate in circuit.gates:
        part, _ = to_qiskit(replace(circuit, gates=(gate,)))
        # Each call makes symbols of its own: those of the whole take their place.
        part = part.assign_parameters({p: features[p.name] for p in part.parameters})
        native.compose(part, inplace=True)
        if noise is not None and noise[1] == "depolarizing":
            error = errors.depolarizing_error(noise[0], len(gate.wires))
            native.append(error.to_instruction(), list(gate.wires))
        elif noise is not None:
            error = errors.amplitude_damping_error(noise[0])
            for wire in gate.wires:
                native.append(error.to_instruction(), [wire])
    return native


def _fitted(
    circuit: Circuit, ideal: Any, noisy: Any, noise_model: Any, noise: str, seed: int
) -> Damping:
    section = _section(circuit, seed)
    local = section.points[:, list(section.features)]
    series = [
        fit(
            section.frequencies,
            local,
            _values(circuit, native, section.points, model),
            inverse=section.inverse,
        )[0]
        for native, model in ((ideal, None), (noisy, noise_model))
    ]
    frequencies = np.zeros((len(series[0].frequencies), circuit.n_features))
    frequencies[:, list(section.features)] = series[0].frequencies
    return Damping(frequencies, series[0].coefficients, series[1].coefficients, noise)


def _section(circuit: Circuit, seed: int) -> Section:
    """Points and frequencies of all features that a gate reads, jointly."""
    found = sections(circuit, np.zeros(circuit.n_parameters), None, seed)
    if len(found) > 1 or {
        i for g in circuit.encoding_gates() for i in (g.angle or Angle()).features()
    } != set(found[0].features):
        msg = "too many frequencies in all features together to sample: use damping, or fix some"
        raise SpectrumError(msg)
    return found[0]


def _values(circuit: Circuit, native: Any, x: Array, noise_model: Any) -> Array:
    """Outputs ``[points, n_outputs]`` from density matrices."""
    from qiskit import transpile

    from qrun_equiv.frontends.export import to_qiskit
    from qrun_equiv.frontends.qiskit import bind

    simulator = _aer("qiskit_aer").AerSimulator(method="density_matrix", noise_model=noise_model)
    native = native.copy()
    native.save_density_matrix()
    native = transpile(native, simulator, optimization_level=0)
    theta = np.zeros(circuit.n_parameters)
    result = simulator.run([bind(native, row, theta) for row in x]).result()
    if not result.success:
        msg = f"qiskit-aer can't simulate the circuit: {result.status[:200]}"
        raise FrontendError(msg)
    operators = [o.to_matrix() for o in to_qiskit(circuit)[1]]
    states = [np.asarray(result.data(k)["density_matrix"]) for k in range(len(x))]
    return np.array([[np.sum(o.T * rho).real for o in operators] for rho in states])
