"""Samples a second of two circuits: their exact counterparts beside simulators."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qrun_equiv.angle import feature, parameter
from qrun_equiv.benchmarks.tables import Cell, Column, Table
from qrun_equiv.benchmarks.timing import Progress, Times, clocked, interleaved, silent, why
from qrun_equiv.circuit import Circuit, Gate, Observable
from qrun_equiv.scale.fast import fast_counterpart
from qrun_equiv.simulate import expectations

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A circuit in one tool.

    Attributes:
        prepare: samples of the one feature ``x [n]`` as the tool takes them; not timed.
        outputs: ``[n]`` numbers at those.
    """

    prepare: Callable[[Array], Any]
    outputs: Callable[[Any], Any]

    def __call__(self, x: Array) -> Array:
        """Outputs at ``x``."""
        return np.asarray(self.outputs(self.prepare(x)), dtype=np.float64).reshape(-1)

    def step(self, x: Array) -> Callable[[], object]:
        """What is timed."""
        ready = self.prepare(x)
        return lambda: self.outputs(ready)


#: Of the two circuits, in order.
DEGREES = (8, 16)
_CPU = torch.device("cpu")
_MOST = 1 << 22  # samples a call
_CHECKED = 64
_SIMULATORS = ("PennyLane, broadcasting", "PennyLane lightning", "Qiskit Statevector", "Qiskit Aer")

COLUMNS = (
    Column("name", "tool"),
    Column("rate", "million\nsamples/s", ".4g"),
    Column("best", "best\ncall", ".4g"),
    Column("ratio", "counterpart\nis faster by", ".3g"),
    Column("batch", "samples\na call", "d"),
    Column("error", "largest\nerror", ".1e"),
    Column("note", "how"),
)

_NOTES = (
    "One thread. Rates are medians of calls taken in turn.",
    "A training step gives values and the gradient of shared parameters, in float32.",
    "Errors are against a float64 simulation of its own.",
)


def serial_circuit(layers: int = 8) -> Circuit:
    """One wire: RY, RZ trained and RX(x), ``layers`` times, then RY, RZ; measured in Z."""
    gates: list[Gate] = []
    for k in range(layers + 1):
        gates += [Gate("RY", (0,), parameter(2 * k)), Gate("RZ", (0,), parameter(2 * k + 1))]
        gates += [Gate("RX", (0,), feature(0))] * (k < layers)
    return Circuit(1, tuple(gates), (Observable.of([(1.0, {0: "Z"})]),), 1, 2 * layers + 2)


def parallel_circuit(wires: int = 4, layers: int = 4) -> Circuit:
    """RY, RZ trained on each wire, a ring of CZ, RX(x) on each wire; measured in Z Z Z Z."""
    gates: list[Gate] = []
    for k in range(layers):
        for w in range(wires):
            at = 2 * (k * wires + w)
            gates += [Gate("RY", (w,), parameter(at)), Gate("RZ", (w,), parameter(at + 1))]
        gates += [Gate("CZ", (w, (w + 1) % wires)) for w in range(wires)]
        gates += [Gate("RX", (w,), feature(0)) for w in range(wires)]
    parity = Observable.of([(1.0, dict.fromkeys(range(wires), "Z"))])
    return Circuit(wires, tuple(gates), (parity,), 1, 2 * wires * layers)


def circuits(
    *, seconds: float = 1.0, repeats: int = 3, seed: int = 0, progress: Progress = silent
) -> list[Table]:
    """Both circuits, one thread, one feature, parameters drawn once.

    Args:
        seconds: about what each tool's batch takes; sized beforehand.
        repeats: timed calls of each; the tools take turns.
        seed: of parameters and samples.
        progress: told what runs.
    """
    named = {
        "1 qubit, 8 re-uploads": serial_circuit(),
        "4 qubits, 4 layers, degree 16": parallel_circuit(),
    }
    with one_thread():
        return [
            _table(name, circuit, seconds, repeats, seed, progress)
            for name, circuit in named.items()
        ]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and, where it can be told, for the linear algebra below numpy."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


def _table(
    name: str, circuit: Circuit, seconds: float, repeats: int, seed: int, progress: Progress
) -> Table:
    rng = np.random.default_rng(seed)
    # numbers that float32 holds, so that all tools get the same
    theta, x = (
        rng.uniform(-np.pi, np.pi, size).astype(np.float32).astype(np.float64)
        for size in (circuit.n_parameters, _MOST)
    )
    rows: dict[str, dict[str, Cell]] = {}
    steps: dict[str, Callable[[], object]] = {}
    exact = expectations(circuit, torch.as_tensor(x[:_CHECKED, None]), torch.as_tensor(theta))
    for tool, make in evaluators().items():
        progress(f"{name}: {tool}")
        rows[tool] = {"name": tool}
        try:
            function = make(circuit, theta)
            found = function(x[:_CHECKED])
            count = _sized(function, x, seconds)
        except ImportError as error:
            rows[tool]["note"] = str(error)
            continue
        except RuntimeError as error:
            rows[tool]["note"] = why(error)
            continue
        rows[tool] |= {"batch": count, "error": float(np.abs(found - exact.numpy()[:, 0]).max())}
        steps[tool] = function.step(x[:count])
    times = interleaved(
        steps, _CPU, repeats=repeats, warmup=1, progress=lambda text: progress(f"{name}: {text}")
    )
    return _finished(name, rows, times)


def _finished(name: str, rows: dict[str, dict[str, Cell]], times: dict[str, Times | str]) -> Table:
    for tool, found in times.items():
        if isinstance(found, str):
            rows[tool]["note"] = found
            continue
        count = rows[tool]["batch"]
        assert isinstance(count, int)
        rows[tool] |= {"rate": count / found.median / 1e6, "best": count / found.best / 1e6}
    ours = rows["counterpart, float32"].get("rate")
    for tool in _SIMULATORS:
        rate = rows[tool].get("rate")
        if isinstance(ours, float) and isinstance(rate, float):
            rows[tool]["ratio"] = ours / rate
    return Table(f"Circuits: {name}", COLUMNS, list(rows.values()), _NOTES)


def _sized(function: Evaluator, x: Array, seconds: float) -> int:
    """A batch that takes about so long."""
    count = _CHECKED
    while count < _MOST:
        taken = clocked(function.step(x[:count]), _CPU)
        if taken >= seconds / 8:
            return max(1, min(_MOST, int(count * seconds / taken)))
        count *= 4
    return _MOST


def evaluators() -> dict[str, Callable[[Circuit, Array], Evaluator]]:
    """Tool -> makes an evaluator of a circuit at given parameters.

    The makers raise ImportError, with the command that helps, where a package is missing.
    """
    return {
        "counterpart, float32": lambda c, theta: _fixed(c, theta, torch.float32),
        "counterpart, float64": lambda c, theta: _fixed(c, theta, torch.float64),
        "counterpart, training step": _training,
        "counterpart, parameters by row": _by_row,
        _SIMULATORS[0]: lambda c, theta: _pennylane(c, theta, "default.qubit"),
        _SIMULATORS[1]: lambda c, theta: _pennylane(c, theta, "lightning.qubit"),
        _SIMULATORS[2]: _statevector,
        _SIMULATORS[3]: _aer,
    }


def _column(dtype: torch.dtype) -> Callable[[Array], torch.Tensor]:
    return lambda x: torch.as_tensor(x[:, None]).to(dtype)


def _same(x: Array) -> Array:
    return x


def _fixed(circuit: Circuit, theta: Array, dtype: torch.dtype) -> Evaluator:
    return Evaluator(_column(dtype), fast_counterpart(circuit, theta, dtype=dtype))


def _training(circuit: Circuit, theta: Array) -> Evaluator:
    """Values and gradients of shared parameters, float32."""
    module = fast_counterpart(circuit, dtype=torch.float32)
    shared = torch.as_tensor(theta).requires_grad_()

    def outputs(x: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = module(x, shared)
        torch.autograd.grad(values.sum(), shared)
        return values.detach()

    return Evaluator(_column(torch.float32), outputs)


def _by_row(circuit: Circuit, theta: Array) -> Evaluator:
    """Every sample with parameters of its own, float32; equal ones here, which it can't know."""
    module = fast_counterpart(circuit, dtype=torch.float32)

    def prepare(x: Array) -> tuple[torch.Tensor, torch.Tensor]:
        rows = torch.as_tensor(theta).float().expand(len(x), -1).contiguous()
        return _column(torch.float32)(x), rows

    return Evaluator(prepare, lambda pair: module(*pair))


def _pennylane(circuit: Circuit, theta: Array, device: str) -> Evaluator:
    _needs("pennylane-lightning" if device.startswith("lightning") else "pennylane")
    import pennylane as qml

    def outputs(x: Array) -> Any:
        for gate in circuit.gates:
            angle = () if gate.angle is None else (gate.angle.evaluate(x[..., None], theta),)
            getattr(qml, gate.name)(*angle, wires=gate.wires)
        ((_, word),) = circuit.observables[0].terms
        return qml.expval(qml.prod(*(getattr(qml, letter)(wire) for wire, letter in word)))

    wires = qml.device(device, wires=circuit.n_wires)
    return Evaluator(_same, qml.QNode(outputs, wires, diff_method=None))


def _qiskit(circuit: Circuit, theta: Array) -> tuple[Any, Any, Any]:
    """Circuit, its parameter x, and its observable."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter
    from qiskit.quantum_info import SparsePauliOp

    x, native = Parameter("x"), QuantumCircuit(circuit.n_wires)
    for gate in circuit.gates:
        angle = () if gate.angle is None else (gate.angle.evaluate(np.array([x]), theta),)
        getattr(native, gate.name.lower())(*angle, *gate.wires)
    ((_, word),) = circuit.observables[0].terms
    letters = "".join(letter for _, letter in word)
    wires = [wire for wire, _ in word]
    return native, x, SparsePauliOp.from_sparse_list([(letters, wires, 1.0)], circuit.n_wires)


def _statevector(circuit: Circuit, theta: Array) -> Evaluator:
    _needs("qiskit")
    from qiskit.quantum_info import Statevector

    native, symbol, observable = _qiskit(circuit, theta)

    def outputs(x: Array) -> Any:
        states = (Statevector(native.assign_parameters({symbol: v})) for v in x)
        return [state.expectation_value(observable).real for state in states]

    return Evaluator(_same, outputs)


def _aer(circuit: Circuit, theta: Array) -> Evaluator:
    _needs("qiskit-aer")
    from qiskit_aer import AerSimulator  # type: ignore[import-untyped]

    native, symbol, observable = _qiskit(circuit, theta)
    native.save_expectation_value(observable, range(circuit.n_wires))
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)

    def outputs(binds: Any) -> Any:
        result = simulator.run(native, parameter_binds=binds, shots=1).result()
        return [result.data(k)["expectation_value"] for k in range(len(result.results))]

    return Evaluator(lambda x: [{symbol: x.tolist()}], outputs)


def _needs(package: str) -> None:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        msg = f"not installed: pip install -c constraints.txt {package}"
        raise ImportError(msg) from error
