"""Tapes of many points as one broadcast tape, and results as torch tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pennylane as qml
import torch
from pennylane.measurements import ExpectationMP, ProbabilityMP
from torch import Tensor

from qrun_equiv.errors import FrontendError
from qrun_equiv.frontends.base import Gradient


@contextmanager
def double_precision() -> Iterator[None]:
    """Some devices make tensors of torch's default dtype: float32 loses eight digits."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def standard_order(wires: Sequence[Any]) -> list[Any]:
    """The order that PennyLane gives wires on a device without: 0 to n-1, else the tape's."""
    return list(range(len(wires))) if set(wires) == set(range(len(wires))) else list(wires)


def check_measurements(tape: qml.tape.QuantumScript, title: str) -> None:
    """Refuse what has no exact expectation value.

    Raises:
        FrontendError: finite shots, no measurement, or one that is no expectation or probability.
    """
    if tape.shots.total_shots is not None:
        msg = f"the QNode {title} has shots={tape.shots.total_shots}: set shots=None, exact values"
        raise FrontendError(msg)
    if not tape.measurements:
        msg = f"the QNode {title} has no observable: return qml.expval(...), a tuple, or qml.probs"
        raise FrontendError(msg)
    for measurement in tape.measurements:
        if not isinstance(measurement, ExpectationMP | ProbabilityMP):
            msg = (
                f"the QNode {title} returns {type(measurement).__name__}, which has no observable: "
                "return qml.expval(...), a tuple of them, or qml.probs(...)"
            )
            raise FrontendError(msg)


def stack(tapes: Sequence[qml.tape.QuantumScript]) -> qml.tape.QuantumScript | None:
    """One broadcast tape of many tapes of the same structure; None where they differ."""
    first = tapes[0]
    if any(len(t.operations) != len(first.operations) for t in tapes) or not same_observables(
        tapes
    ):
        return None
    operations = []
    try:
        for column in zip(*(t.operations for t in tapes), strict=True):
            operation = column[0]
            if any(not alike(o, operation) for o in column):
                return None
            if operation.num_params:
                parameters = [
                    torch.stack([double(o.parameters[k]) for o in column])
                    for k in range(operation.num_params)
                ]
                operation = qml.ops.functions.bind_new_parameters(operation, parameters)
            operations.append(operation)
    except Exception:  # noqa: BLE001 - an operation that can't be broadcast: loop over rows
        return None
    return qml.tape.QuantumScript(operations, first.measurements)


def plain(tape: qml.tape.QuantumScript) -> qml.tape.QuantumScript:
    """The tape without the names that ``qml.fourier.mark`` puts around gates.

    PennyLane 0.45 decomposes and differentiates no marked gate.
    """
    gates = [o.base if type(o).__name__ == "MarkedOp" else o for o in tape.operations]
    return tape.copy(operations=gates)


@qml.transform  # type: ignore[untyped-decorator]
def unmarked(tape: qml.tape.QuantumScript) -> tuple[list[qml.tape.QuantumScript], Any]:
    """:func:`plain` of a QNode's tape."""
    return [plain(tape)], lambda results: results[0]


def alike(one: qml.operation.Operator, other: qml.operation.Operator) -> bool:
    """The same gate but for its numbers: a Pauli word or control values are part of its name."""
    words = [o.hyperparameters.get("pauli_word") for o in (one, other)]
    values = [getattr(o, "control_values", None) for o in (one, other)]
    return (
        one.name == other.name
        and one.wires == other.wires
        and words[0] == words[1]
        and values[0] == values[1]
    )


def double(parameter: Any) -> Tensor:
    """A gate's parameter in double precision: torch reads a Python float as float32."""
    if isinstance(parameter, Tensor):
        return parameter
    array = np.asarray(parameter)
    return torch.as_tensor(array if np.iscomplexobj(array) else array.astype(np.float64))


def same_observables(tapes: Sequence[qml.tape.QuantumScript]) -> bool:
    """Whether all tapes measure the same: an observable may depend on x or theta."""
    data = [[p for m in t.measurements if m.obs is not None for p in m.obs.data] for t in tapes]
    if any(isinstance(p, Tensor) and p.requires_grad for one in data for p in one):
        return False
    first = data[0]
    return all(
        len(one) == len(first)
        and all(
            np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(one, first, strict=True)
        )
        for one in data[1:]
    )


def flatten(result: Any, batch: int | None) -> Tensor:
    """Results of one execution as ``[batch, n_outputs]`` (batch 1 where ``batch`` is None)."""
    if isinstance(result, dict):
        msg = (
            "the QNode returns a dictionary, no observable: return qml.expval(...), a tuple of "
            "them, or qml.probs(...)"
        )
        raise FrontendError(msg)
    parts = result if isinstance(result, tuple | list) else (result,)
    rows = 1 if batch is None else batch
    columns = []
    for part in parts:
        tensor = torch.as_tensor(np.asarray(part) if not isinstance(part, Tensor) else part)
        if tensor.ndim == 0 and rows > 1:  # an output that no broadcast gate reaches
            tensor = tensor.expand(rows)
        elif tensor.ndim == 1 and rows > 1 and tensor.shape[0] != rows:
            tensor = tensor.expand(rows, -1)
        columns.append(tensor.reshape(rows, -1))
    return torch.cat([c.real.to(torch.float64) for c in columns], dim=1)


def backward(values: Tensor, x: Tensor, theta: Tensor) -> Gradient:
    """Row-wise gradients; rows are independent, so one backward pass a column is enough."""
    features, parameters = [], []
    for k in range(values.shape[1]):
        column = values[:, k].sum()
        pair: tuple[Tensor | None, ...] = (None, None)
        if column.requires_grad:
            pair = torch.autograd.grad(column, (x, theta), retain_graph=True, allow_unused=True)
        gx, gt = pair
        features.append(torch.zeros_like(x) if gx is None else gx)
        parameters.append(torch.zeros_like(theta) if gt is None else gt)
    return Gradient(
        torch.stack(features, dim=1).detach().numpy(),
        torch.stack(parameters, dim=1).detach().numpy(),
    )


def rounded(parameter: Any) -> str:
    """Ten digits: what another machine's rounding leaves alone."""
    return np.array2string(np.asarray(qml.math.unwrap(parameter)), precision=10, threshold=10**6)


def one_line(error: object) -> str:
    """An error's message as one line of at most 200 characters."""
    return " ".join(str(error).split())[:200] or type(error).__name__
