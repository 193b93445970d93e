"""Run a torch callable, unmodified, on numbers that torch does not know.

``run(function, inputs, algebra)`` hands the function tensors of shape and dtype but no data
(:class:`~qrun_equiv.formal_runner.Formal`). Every torch function that is called on them, and every
torch function that makes or combines constants meanwhile, is carried out in an
:class:`~qrun_equiv.algebra.Algebra` instead: a prime field, trigonometric polynomials, intervals.
What the algebra can't follow (``tanh`` over a field, a comparison of values, ``.item()``) raises
:class:`~qrun_equiv.errors.FormalError` with the name of the function and the module it was called
in; a refusal that the code catches fails the run all the same. The calls must be those that the
code makes on plain tensors (:mod:`qrun_equiv.formal_trace`).

Constants keep their tensor beside the exact reading, so code that branches on weights or computes
indices runs as usual. In-place writes are followed where no view of the tensor is alive, else
refused. ``detach`` and ``no_grad`` change no output: what they do to gradients is a numeric check's
business.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules import module as hooks

from qrun_equiv.algebra import Algebra
from qrun_equiv.errors import FormalError
from qrun_equiv.field import NeedsRootError
from qrun_equiv.formal_ops import Cell, Ops, Value
from qrun_equiv.formal_runner import Formal, Mode, Runner
from qrun_equiv.formal_trace import random_points, random_states, record, same


@contextmanager
def _watch(root: Any, runner: Runner) -> Iterator[None]:
    """Keep the path of the module that is running, for messages."""
    names = {id(m): n for n, m in root.named_modules()} if isinstance(root, nn.Module) else {}

    def enter(module: nn.Module, _: Any) -> None:
        runner.path.append(names.get(id(module), type(module).__name__) or type(module).__name__)

    def leave(_: nn.Module, __: Any, ___: Any) -> None:
        runner.path.pop()

    handles = (
        hooks.register_module_forward_pre_hook(enter),
        hooks.register_module_forward_hook(leave),
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def run(
    function: Callable[..., Any],
    inputs: Sequence[Value],
    algebra: Algebra[Any],
    *,
    batch: int,
    points: Sequence[NDArray[np.float64]] | None = None,
) -> Value:
    """Call a torch function on numbers of an algebra.

    Args:
        function: a callable or ``nn.Module``; it is copied where it can be, so that a cache of its
            own never holds formal tensors.
        inputs: one array of numbers for each positional argument.
        algebra: the numbers' arithmetic.
        batch: rows of the first input.
        points: numbers of the inputs' shapes, at which the code is called natively to see what it
            does; random ones between -1 and 1 where left out.

    Returns:
        Numbers ``[batch, n_outputs]``.

    Raises:
        FormalError: the code does something that the algebra can't follow; the message names it.
    """
    # A refusal inside no_grad() must not leave gradients off for the caller.
    with torch.set_grad_enabled(torch.is_grad_enabled()):
        return _run(function, inputs, algebra, batch, points)


def _run(
    function: Callable[..., Any],
    inputs: Sequence[Value],
    algebra: Algebra[Any],
    batch: int,
    points: Sequence[NDArray[np.float64]] | None,
) -> Value:
    function = copied(function)
    ops = Ops(algebra)
    given_points = random_points([ops.shape(v) for v in inputs]) if points is None else points
    record(function, given_points)  # fills the code's own caches
    runner = Runner(algebra, record(function, given_points))
    given = [Formal(Cell.of(ops, value), runner) for value in inputs]
    for position, formal in enumerate(given):
        runner.labels.add(formal, (-1, position))
    before = [formal.cell for formal in given]
    state = random_states()
    try:
        with _watch(function, runner), Mode(runner):
            out = function(*given)
    except (Exception, SystemExit) as error:  # noqa: BLE001 # told below
        runner.refusal = runner.refusal or error
    if runner.refusal is not None:
        raise _refusal(runner.refusal) from runner.refusal
    if runner.labels.changed():
        msg = "the code writes, past torch, into memory that a tensor has"
        raise FormalError(msg)
    if any(formal.cell is not cell for formal, cell in zip(given, before, strict=True)):
        msg = "the code writes into its input"
        raise FormalError(msg)
    result = runner.labels.describe(out)
    if runner.done != len(runner.trace.events) or not same(runner.trace.result, result):
        msg = "the code returns something else for plain tensors: it looks at their type"
        raise FormalError(msg)
    if state != random_states():
        msg = "the code draws random numbers"
        raise FormalError(msg)
    return _result(ops, out, batch)


def _refusal(error: BaseException) -> Exception:
    if isinstance(error, FormalError | NeedsRootError):
        return error
    text = " ".join(str(error).split())[:200]
    return FormalError(f"the code can't be followed: {type(error).__name__}: {text}")


def copied(function: Any) -> Any:
    """A module's copy, what was compiled as it was before; anything else as it is."""
    function = getattr(function, "_orig_mod", function)  # torch.compile of a module
    function = getattr(function, "_torchdynamo_orig_callable", function)  # and of a function
    if isinstance(function, nn.Module):
        try:
            return copy.deepcopy(function)
        except Exception:  # noqa: BLE001 # what can't be copied is run as it is
            return function
    return function


def _result(ops: Ops, out: Any, batch: int) -> Value:
    if isinstance(out, Formal):
        value, shape, is_complex = out.cell.value, out.cell.shape, out.cell.complex
    elif isinstance(out, Tensor):
        value, shape, is_complex = ops.lift(out), tuple(out.shape), out.is_complex()
    else:
        msg = f"the code returned {type(out).__name__}, not a tensor"
        raise FormalError(msg)
    if is_complex or len(shape) not in (1, 2) or shape[0] != batch:
        msg = f"the code returned shape {shape} for {batch} row(s), or complex numbers"
        raise FormalError(msg)
    if len(shape) == 1:
        return ops.rearrange(value, lambda a: a.reshape(-1, 1))
    return value
