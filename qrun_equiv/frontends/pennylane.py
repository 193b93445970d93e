"""PennyLane QNodes: native values and gradients, and translation to the neutral form.

Native evaluation executes the QNode's own tapes on the QNode's own device. Tapes of many points are
stacked into one broadcast tape where their structure allows (each call is compared with the plain
QNode on two of its rows, and falls back to a loop over rows).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import torch
from pennylane.measurements import ProbabilityMP
from torch import Tensor

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import FrontendError
from qrun_equiv.frontends.base import Array, Gradient, Sizes
from qrun_equiv.frontends.digest import fingerprint
from qrun_equiv.frontends.pennylane_tapes import (
    backward,
    check_measurements,
    double_precision,
    flatten,
    one_line,
    rounded,
    stack,
    standard_order,
    unmarked,
)

_CHUNK = 1024
_BATCH_AGREEMENT = 1e-10
_LOST = 1e-3  # relative, of central differences with these steps, where they agree:
_STEPS = (1e-6, 1e-8)
_STEEP = 1e4  # beyond it the larger step is no longer small


class PennyLaneSource:
    """A QNode ``f(x, theta)`` (or a quantum function, then run on ``default.qubit``).

    Args:
        circuit: the QNode; ``x`` arrives as a vector ``[n_features]`` (as a scalar where the
            circuit uses it as one), ``theta`` in the shape of ``sizes``.
        sizes: numbers of features and parameters.
        name: name of this source in verdicts.

    Raises:
        FrontendError: no observable, finite shots, wrong sizes, or the function raises.
    """

    def __init__(
        self, circuit: Callable[..., Any], sizes: Sizes, *, name: str = "pennylane"
    ) -> None:
        self.name = name
        self.sizes = sizes
        self.qnode: qml.QNode = (
            circuit
            if isinstance(circuit, qml.QNode)
            else qml.QNode(circuit, qml.device("default.qubit"))
        )
        self._takes_theta = _takes_theta(self.qnode.func, sizes)
        self._scalars, self._torch = self._calling_convention()
        self.n_outputs = self.values(*self._probe(1)).shape[1]

    @property
    def simulator(self) -> str:
        """Device and version."""
        return f"PennyLane {qml.version()} {self.qnode.device.name}"

    # --- native tapes ------------------------------------------------------------------------

    def _probe(self, rows: int) -> tuple[Array, Array]:
        rng = np.random.default_rng(7)
        return (
            rng.uniform(0.1, 0.9, (rows, self.sizes.features)),
            rng.uniform(0.1, 0.9, self.sizes.parameters),
        )

    def _calling_convention(self) -> tuple[tuple[bool, bool], bool]:
        """Whether x and theta are scalars, and whether the function needs torch tensors."""
        one_x, one_theta = self.sizes.features == 1, self.sizes.parameter_shape == (1,)
        options = [(False, False), (one_x, False), (False, one_theta), (one_x, one_theta)]
        x, theta = self._probe(1)
        failure: Exception | None = None
        broadcast = False
        for scalars in dict.fromkeys(options):
            for as_torch in (False, True):
                try:
                    tape = self._tape(x[0], theta, scalars=scalars, as_torch=as_torch)
                except FrontendError:
                    raise
                except Exception as error:  # noqa: BLE001 - any failure of the user's function
                    failure = error if failure is None else failure
                    continue
                if tape.batch_size is None:
                    return scalars, as_torch
                broadcast = True
        if broadcast:
            msg = (
                f"the QNode {self._title()} broadcasts over x or theta: index them (x[0], "
                "theta[0]) so that each gate gets one angle"
            )
            raise FrontendError(msg)
        msg = (
            f"the QNode {self._title()} fails on x of shape ({self.sizes.features},) and theta of "
            f"shape {self.sizes.parameter_shape}: {one_line(failure)}. Give the right n_features "
            "and n_parameters (a length, or a shape such as (2, 3))"
        )
        raise FrontendError(msg) from failure

    def _title(self) -> str:
        return getattr(self.qnode.func, "__name__", "circuit")

    def _arguments(
        self, x: Any, theta: Any, *, scalars: tuple[bool, bool], as_torch: bool
    ) -> tuple[Any, ...]:
        if as_torch and not isinstance(x, Tensor):
            x, theta = torch.as_tensor(x), torch.as_tensor(theta)
        x = x[0] if scalars[0] else x
        theta = theta[0] if scalars[1] else theta.reshape(self.sizes.parameter_shape)
        return (x, theta) if self._takes_theta else (x,)

    def _tape(
        self,
        x: Any,
        theta: Any,
        *,
        scalars: tuple[bool, bool] | None = None,
        as_torch: bool | None = None,
    ) -> qml.tape.QuantumScript:
        args = self._arguments(
            x,
            theta,
            scalars=self._scalars if scalars is None else scalars,
            as_torch=self._torch if as_torch is None else as_torch,
        )
        try:
            tape = qml.workflow.construct_tape(self.qnode, level="user")(*args)
        except qml.exceptions.QuantumFunctionError as error:
            msg = (
                f"the QNode {self._title()} has no observable: return qml.expval(...), a tuple "
                f"of them, or qml.probs(...) ({one_line(error)})"
            )
            raise FrontendError(msg) from error
        check_measurements(tape, self._title())
        return tape

    def tape(self, x: Array, theta: Array) -> qml.tape.QuantumScript:
        """The user's tape at one point, with numbers for angles."""
        return self._tape(np.asarray(x), np.asarray(theta))

    # --- values --------------------------------------------------------------------------------

    def values(self, x: Array, theta: Array) -> Array:
        """Outputs ``[batch, n_outputs]`` by the QNode's device; see :class:`Source`."""
        chunks = [
            self._chunk(x[start : start + _CHUNK], theta) for start in range(0, len(x), _CHUNK)
        ]
        return np.concatenate(chunks) if chunks else np.zeros((0, self.n_outputs))

    def _chunk(self, x: Array, theta: Array) -> Array:
        if len(x) > 2:
            stacked = stack([self.tape(row, theta) for row in x])
            if stacked is not None:
                values = self._execute(stacked, len(x))
                if values is not None:
                    batch = values.detach().numpy()
                    check = self._loop(x[[0, -1]], theta)
                    if np.allclose(batch[[0, -1]], check, rtol=0, atol=_BATCH_AGREEMENT):
                        return batch
        return self._loop(x, theta)

    def _loop(self, x: Array, theta: Array) -> Array:
        rows = []
        for row in x:
            args = self._arguments(row, theta, scalars=self._scalars, as_torch=self._torch)
            with double_precision():
                rows.append(flatten(self.qnode(*args), None)[0].detach().numpy())
        return np.stack(rows).astype(np.float64)

    def _execute(self, tape: qml.tape.QuantumScript, batch: int) -> Tensor | None:
        """Run one broadcast tape with backpropagation; None where the device can't."""
        try:
            with double_precision():
                (result,) = qml.execute(
                    [tape], self.qnode.device, diff_method="backprop", interface="torch"
                )
            return flatten(result, batch)
        except Exception:  # noqa: BLE001 - a loop over rows is the answer to any failure here
            return None

    # --- gradients -----------------------------------------------------------------------------

    def gradients(self, x: Array, theta: Array) -> Gradient:
        """Backpropagation through the native simulator; see :class:`Source`."""
        leaves = torch.tensor(x, requires_grad=True)
        weights = torch.tensor(np.tile(theta, (len(x), 1)), requires_grad=True)
        stacked = None
        if len(x) > 1:
            try:
                tapes = [self._tape(a, b) for a, b in zip(leaves, weights, strict=True)]
                stacked = stack(tapes)
            except FrontendError:
                raise
            except Exception:  # noqa: BLE001 - the user's function may know numpy only
                stacked = None
        values = self._execute(stacked, len(x)) if stacked is not None else None
        if values is not None and self._batch_is_right(values, x, theta):
            gradient = backward(values, leaves, weights)
        else:
            gradient = self._row_gradients(x, theta)
        self._refuse_lost_gradient(gradient, x, theta)
        return self._mended(gradient, x, theta)

    def _refuse_lost_gradient(self, gradient: Gradient, x: Array, theta: Array) -> None:
        """Hold the gradient to the values along one direction, at the first and last rows.

        A number that is taken out of its tensor (``float(x[0])``) loses its share without an error.

        Raises:
            FrontendError: the slope of the values is another.
        """
        rng = np.random.default_rng(3)
        for k in sorted({0, len(x) - 1}):
            dx, dt = rng.uniform(0.5, 1.0, x.shape[1]), rng.uniform(0.5, 1.0, len(theta))
            slope = gradient.features[k] @ dx + gradient.parameters[k] @ dt
            ends = [
                self._loop((x[k] + h * dx)[None], theta + h * dt)[0]
                for s in _STEPS
                for h in (s, -s)
            ]
            found, finer = ((ends[2 * i] - ends[2 * i + 1]) / (2 * s) for i, s in enumerate(_STEPS))
            size = 1.0 + np.abs(gradient.features[k]) @ dx + np.abs(gradient.parameters[k]) @ dt
            smooth = np.all(np.abs(found - finer) <= _LOST * size) and np.all(size < _STEEP)
            if smooth and np.any(np.abs(slope - found) > _LOST * size):
                msg = (
                    f"the QNode {self._title()} can't be differentiated: its values move by "
                    f"{found.tolist()} along a direction, its gradient says {slope.tolist()}. Does "
                    "it convert x or theta (float(), .item(), numpy)? Use functions that torch "
                    "follows (qml.math), or gradients=()"
                )
                raise FrontendError(msg)

    def _row_gradients(self, x: Array, theta: Array) -> Gradient:
        """Row by row by the device's best method, whatever the QNode was set to."""
        try:
            return self._loop_gradients(self._differentiable("best"), x, theta)
        except FrontendError:
            return self._autograd_gradients(x, theta)

    def _differentiable(self, method: str) -> qml.QNode:
        return unmarked(self.qnode.update(diff_method=method, interface="torch"))

    def _mended(self, gradient: Gradient, x: Array, theta: Array) -> Gradient:
        """Rows where backpropagation gave no number (a square root at 0), by the second method."""
        finite = [np.isfinite(part).reshape(len(x), -1).all(axis=1) for part in gradient]
        rows = np.flatnonzero(~(finite[0] & finite[1]))
        if not len(rows):
            return gradient
        try:
            _, again = self.second_gradient(x[rows], theta)
        except FrontendError:
            return gradient
        features, parameters = (part.copy() for part in gradient)
        features[rows], parameters[rows] = again
        return Gradient(features, parameters)

    def _autograd_gradients(self, x: Array, theta: Array) -> Gradient:
        """By PennyLane's autograd interface: circuits that call numpy functions on x or theta."""
        qnode = self.qnode.update(diff_method="best", interface="autograd")

        def flat(row: Any, weights: Any) -> Any:
            args = self._arguments(row, weights, scalars=self._scalars, as_torch=False)
            result = qnode(*args)
            parts = result if isinstance(result, tuple | list) else (result,)
            return qml.numpy.hstack([qml.numpy.reshape(part, (-1,)) for part in parts])

        features: list[Array] = []
        parameters: list[Array] = []
        for row in x:
            point = (
                qml.numpy.array(row, requires_grad=True),
                qml.numpy.array(theta, requires_grad=True),
            )
            try:
                for into, place, size in ((features, 0, len(row)), (parameters, 1, len(theta))):
                    made = qml.jacobian(flat, argnums=place)(*point) if size else ()
                    into.append(np.asarray(made, dtype=float).reshape(self.n_outputs, size))
            except Exception as error:
                msg = (
                    f"the QNode {self._title()} can't be differentiated: {one_line(error)}. Use "
                    "functions that torch or autograd follow (qml.math), or leave gradients out "
                    "with gradients=()"
                )
                raise FrontendError(msg) from error
        return Gradient(np.stack(features), np.stack(parameters))

    def _batch_is_right(self, values: Tensor, x: Array, theta: Array) -> bool:
        rows = [0, len(x) - 1]
        check = self._loop(x[rows], theta)
        return np.allclose(values.detach().numpy()[rows], check, rtol=0, atol=_BATCH_AGREEMENT)

    def _loop_gradients(self, qnode: qml.QNode, x: Array, theta: Array) -> Gradient:
        parts = []
        for row in x:
            leaf = torch.tensor(row[None], requires_grad=True)
            weight = torch.tensor(theta[None], requires_grad=True)
            args = self._arguments(leaf[0], weight[0], scalars=self._scalars, as_torch=True)
            try:
                with double_precision():
                    values = flatten(qnode(*args), None)
                    parts.append(backward(values, leaf, weight))
            except Exception as error:
                msg = (
                    f"the QNode {self._title()} can't be differentiated: {one_line(error)}. Use "
                    "functions that accept torch tensors (qml.math) in it"
                )
                raise FrontendError(msg) from error
        return Gradient(*(np.concatenate(p) for p in zip(*parts, strict=True)))

    def second_gradient(self, x: Array, theta: Array) -> tuple[str, Gradient]:
        """The adjoint method, or parameter shift where it does not apply.

        Theorem: proofs/coq/Gradients.v, parameter_shift_shared.
        """
        failure: FrontendError | None = None
        # PennyLane 0.45's adjoint Jacobian of probs is wrong if the first gate is not on wire 0.
        tape = self.tape(x[0], theta)
        probabilities = any(isinstance(m, ProbabilityMP) for m in tape.measurements)
        for method in ("parameter-shift",) if probabilities else ("adjoint", "parameter-shift"):
            try:
                gradient = self._loop_gradients(self._differentiable(method), x, theta)
                self._refuse_lost_gradient(gradient, x, theta)
            except (FrontendError, qml.exceptions.QuantumFunctionError, ValueError) as error:
                failure = FrontendError(one_line(error))
            else:
                return f"pennylane {method}", gradient
        raise failure or FrontendError("no second differentiation method")

    def replay(self, x: Array, theta: Array) -> tuple[str, Array]:
        """The same QNode on PennyLane's C++ simulator (``default.mixed`` where that can't)."""
        tape = self.tape(x, theta)
        wires = standard_order(tape.wires)
        args = self._arguments(x, theta, scalars=self._scalars, as_torch=self._torch)
        failure: Exception | None = None
        for device in ("lightning.qubit", "default.mixed"):
            try:
                other = self.qnode.update(
                    device=qml.device(device, wires=self.qnode.device.wires or wires),
                    diff_method="best",
                )
                with double_precision():
                    values = flatten(other(*args), None)[0].detach().numpy()
            except Exception as error:  # noqa: BLE001 - the next simulator may do it
                failure = error
            else:
                return f"PennyLane {device}", values
        msg = f"no second simulator runs {self._title()}: {one_line(failure)}"
        raise FrontendError(msg) from failure

    # --- neutral form --------------------------------------------------------------------------

    def lower(self) -> Circuit:
        """Neutral form, its angles recovered from tapes and verified at random points."""
        from qrun_equiv.frontends.pennylane_lowering import lower
        from qrun_equiv.frontends.pennylane_tracing import symbols

        def trace() -> qml.tape.QuantumScript:
            return self._tape(*symbols(self.sizes), as_torch=False)

        return lower(self.tape, self.sizes, self.qnode.device.wires, trace)

    def fingerprint(self) -> str:
        """Source text of the quantum function, the device, and the tape at one point.

        The tape shows what the source does not: transforms of the QNode, functions of a library.
        """
        x, theta = self._probe(1)
        tape = self.tape(x[0], theta)
        gates = [
            (o.name, [str(w) for w in o.wires], [rounded(p) for p in o.parameters])
            for o in (*tape.operations, *(m.obs for m in tape.measurements if m.obs is not None))
        ]
        text = fingerprint(self.qnode.func)
        device = self.qnode.device
        wires = None if device.wires is None else [str(w) for w in device.wires]
        return f"{text}|{device.name}|{wires}|{self.sizes}|{gates}"


def _takes_theta(function: Callable[..., Any], sizes: Sizes) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    positional = [p for p in signature.parameters.values() if p.kind in kinds]
    if not sizes.parameters:  # a default is the user's own value
        positional = [p for p in positional if p.default is p.empty]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
    if len(positional) >= 2 or variadic:
        return True
    if len(positional) == 1 and sizes.parameters == 0:
        return False
    msg = (
        f"{getattr(function, '__name__', 'the circuit')}{signature} must take (x, theta): the "
        "features first, then the parameters (x alone only with n_parameters=0)"
    )
    raise FrontendError(msg)
