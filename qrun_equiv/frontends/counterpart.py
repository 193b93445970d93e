"""The classical counterpart as a source: a torch callable, held to its contract."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from qrun_equiv import formal, formal_rows, tolerances
from qrun_equiv.algebra import Algebra
from qrun_equiv.errors import CounterpartError, UndecidedError
from qrun_equiv.frontends.base import Array, Gradient, Sizes
from qrun_equiv.frontends.digest import digest, fingerprint, weights

_BATCH = 4
_GRADIENT = 1e-10


class CounterpartSource:
    """A callable ``(x [batch, n_features], theta) -> [batch]`` or ``[batch, n_outputs]``.

    Both arguments are float64 tensors and so must the result be; a module that takes ``x`` alone
    (weights of its own) is called with ``x``.

    Raises:
        CounterpartError: not callable, or its signature takes neither ``x`` nor ``(x, theta)``.
    """

    def __init__(self, counterpart: Any, sizes: Sizes, *, name: str = "counterpart") -> None:
        if not callable(counterpart):
            msg = f"the counterpart must be callable, got {type(counterpart).__name__}"
            raise CounterpartError(msg)
        self.name = name
        self.sizes = sizes
        #: Rows ``[rows, n_features]`` and parameters inside the domain, where it may be called.
        self.sample: tuple[Array, Array] | None = None
        self.counterpart: Callable[..., Any] = counterpart
        #: Whether it is called with the parameters; else its numbers are its own.
        self.takes_theta = _takes_theta(counterpart, sizes.parameters)
        if isinstance(counterpart, torch.nn.Module):
            _refuse_single_precision(counterpart)

    @property
    def simulator(self) -> str:
        """Torch version."""
        return f"torch {torch.__version__}"

    def _call(self, x: Tensor, theta: Tensor) -> Tensor:
        theta = theta.reshape(self.sizes.parameter_shape)
        before = x.detach().clone()
        try:
            out = self.counterpart(x, theta) if self.takes_theta else self.counterpart(x)
        except (Exception, SystemExit) as error:
            msg = (
                f"the counterpart raised {type(error).__name__} on x {tuple(x.shape)} and theta "
                f"{tuple(theta.shape)}: {' '.join(str(error).split())[:300]}"
            )
            raise CounterpartError(msg) from error
        if not torch.equal(before, x.detach()):
            msg = "the counterpart changes its input x in place; work on a copy"
            raise CounterpartError(msg)
        return _checked(out, x.shape[0])

    def values(self, x: Array, theta: Array) -> Array:
        """Outputs ``[batch, n_outputs]``; see :class:`Source`."""
        # A counterpart may use autograd inside, so gradients stay enabled.
        return self._call(torch.tensor(x), torch.tensor(theta)).detach().numpy().copy()

    def gradients(self, x: Array, theta: Array) -> Gradient:
        """Autograd of each row's outputs; see :class:`Source`. A detached input counts as 0."""
        features, parameters = [], []
        for row in x:
            leaf = torch.tensor(row[None], requires_grad=True)
            weights = torch.tensor(theta, requires_grad=True)
            out = self._call(leaf, weights)
            gx, gt = [], []
            for k in range(out.shape[1]):
                pair: tuple[Tensor | None, ...] = (None, None)
                if out.requires_grad:
                    pair = torch.autograd.grad(
                        out[0, k], (leaf, weights), retain_graph=True, allow_unused=True
                    )
                gx.append(torch.zeros_like(leaf) if pair[0] is None else pair[0])
                gt.append(torch.zeros_like(weights) if pair[1] is None else pair[1])
            features.append(torch.cat(gx).detach().numpy())
            parameters.append(torch.stack(gt).detach().numpy())
        return Gradient(np.stack(features), np.stack(parameters))

    def check_is_function(self, x: Array, theta: Array, gradients: Sequence[str]) -> None:
        """Refuse a counterpart whose rows are no function of (x, theta) alone.

        Args:
            x: rows ``[rows, n_features]``; batches of several sizes are cut from them.
            theta: parameters ``[n_parameters]``.
            gradients: which gradients of a whole batch are compared with those of single rows.

        Raises:
            UndecidedError: two calls differ (random, or it changes state), a row's output depends
                on the other rows or on how it is called, a batch's gradient is not the sum of its
                rows', or a number is not finite.
        """
        states = _random_states()
        first, again = self.values(x, theta), self.values(x, theta)
        if not np.all(np.isfinite(first)):
            row = int(np.argwhere(~np.isfinite(first))[0, 0])
            msg = (
                f"the counterpart gives a non-finite value at x={x[row].tolist()}; if such "
                "features don't occur, bound them with domain="
            )
            raise UndecidedError(msg)
        size = tolerances.REPEAT * max(1.0, float(np.max(np.abs(first), initial=0.0)))
        if states != _random_states() or np.max(np.abs(first - again), initial=0.0) > size:
            msg = (
                "the counterpart is not deterministic: it draws random numbers, or two calls on "
                "the same rows differ. Call .eval(), and keep it from changing its own state"
            )
            raise UndecidedError(msg)
        self._check_batches(x, theta, first, size)
        if gradients:
            self._check_batch_gradient(x[:_BATCH], theta, first[:_BATCH], size, gradients)

    def _check_batches(self, x: Array, theta: Array, first: Array, size: float) -> None:
        """Rows alone, and batches as long as there are features, parameters or outputs."""
        lengths = {1, 2, 3, x.shape[1], len(theta), first.shape[1]}
        for length in sorted(n for n in lengths if 0 < n <= len(x)):
            rows = len(x) if length == 1 else length
            given = x[:rows].copy()
            parts = [self.values(given[k : k + length], theta) for k in range(0, rows, length)]
            if np.max(np.abs(np.concatenate(parts) - first[:rows]), initial=0.0) > size:
                msg = (
                    "an output of the counterpart depends on the other rows of its batch or on "
                    f"their number (batches of {length} against {len(x)}): treat rows separately, "
                    "and call .eval() where there is batch normalisation"
                )
                raise UndecidedError(msg)

    def _check_batch_gradient(
        self, x: Array, theta: Array, first: Array, size: float, gradients: Sequence[str]
    ) -> None:
        """One backward pass of a batch, as training makes it, against the sum over its rows."""
        leaf = torch.tensor(x, requires_grad=True)
        weights = torch.tensor(theta, requires_grad=True)
        out = self._call(leaf, weights)
        if np.max(np.abs(out.detach().numpy() - first), initial=0.0) > size:
            msg = "the counterpart's outputs change when a gradient is asked for (requires_grad)"
            raise UndecidedError(msg)
        if not out.requires_grad:
            return
        rng = np.random.default_rng(len(x))
        cotangent = rng.uniform(0.5, 1.0, first.shape)
        whole = torch.autograd.grad(
            out, (leaf, weights), torch.tensor(cotangent), allow_unused=True
        )
        rows = self.gradients(x, theta)
        single = (
            np.einsum("bk,bkf->bf", cotangent, rows.features),
            np.einsum("bk,bkp->p", cotangent, rows.parameters),
        )
        for kind, batch, one in zip(("features", "parameters"), whole, single, strict=True):
            found = np.zeros_like(one) if batch is None else batch.detach().numpy()
            off = np.max(np.abs(found - one), initial=0.0)
            if kind in gradients and not off <= _GRADIENT * max(
                1.0, np.max(np.abs(one), initial=0)
            ):
                msg = (
                    f"the counterpart's gradient wrt {kind} over a batch is not the sum of its "
                    f"rows' gradients (they differ by {off:.1e}): a custom backward that averages, "
                    "or rows that are not separate"
                )
                raise UndecidedError(msg)

    def formal(self, algebra: Algebra[Any], x: Any, theta: Any, batch: int) -> Any:
        """Outputs on numbers of an algebra, ``[batch, n_outputs]``; see :func:`formal.run`.

        Args:
            algebra: the numbers' arithmetic.
            x: features ``[batch, n_features]``.
            theta: parameters in the shape that the counterpart sees.
            batch: number of rows.

        Raises:
            FormalError: the code does something that can't be followed.
        """
        inputs = [x, theta] if self.takes_theta else [x]
        points = None
        if self.sample is not None and len(self.sample[0]) >= batch:
            rows, vector = self.sample
            points = [rows[:batch], vector.reshape(self.sizes.parameter_shape)][: len(inputs)]
        return formal.run(self.counterpart, inputs, algebra, batch=batch, points=points)

    def check_rows(self) -> None:
        """Refuse code that decides by the number of rows; see :mod:`qrun_equiv.formal_rows`.

        Raises:
            FormalError: it does.
        """
        rows, vector = self.sample or (
            np.zeros((1, self.sizes.features)), np.zeros(self.sizes.parameters),
        )  # fmt: skip
        many = np.resize(rows, (formal_rows.ROWS, self.sizes.features))
        points = [many, vector.reshape(self.sizes.parameter_shape)]
        formal_rows.check(formal.copied(self.counterpart), points[: 2 if self.takes_theta else 1])

    def at(self, theta: Array) -> Callable[[Any], Any]:
        """The counterpart as a function of ``x`` alone, at given parameters."""
        fixed = torch.tensor(theta).reshape(self.sizes.parameter_shape)
        return lambda x: self.counterpart(x, fixed) if self.takes_theta else self.counterpart(x)

    def weights(self) -> str:
        """Digest of the tensors it holds: they must not change while it is evaluated."""
        return weights(self.counterpart)

    def fingerprint(self) -> str:
        """Source text, closure and weights."""
        return fingerprint(self.counterpart)


def _checked(out: Any, batch: int) -> Tensor:
    if not isinstance(out, Tensor):
        msg = f"the counterpart must return a torch.Tensor, got {type(out).__name__}"
        raise CounterpartError(msg)
    if out.dtype != torch.float64:
        msg = (
            f"the counterpart returned {out.dtype}; checks run in float64: compute in the dtype of "
            "x, or call .double() on the module"
        )
        raise CounterpartError(msg)
    if out.ndim not in (1, 2) or out.shape[0] != batch:
        msg = (
            f"the counterpart returned shape {tuple(out.shape)} for {batch} row(s); expected "
            f"({batch},) or ({batch}, n_outputs)"
        )
        raise CounterpartError(msg)
    return out[:, None] if out.ndim == 1 else out


def _refuse_single_precision(module: torch.nn.Module) -> None:
    for name, weight in module.named_parameters():
        if weight.is_floating_point() and weight.dtype != torch.float64:
            msg = f"the counterpart's weight {name!r} is {weight.dtype}; call .double() on it"
            raise CounterpartError(msg)


def _random_states() -> str:
    """Digest of the states of the three generators that a module may draw from."""
    states = (torch.get_rng_state().numpy().tobytes(), np.random.get_state(), random.getstate())  # noqa: NPY002
    return digest(*(repr(state) for state in states))


def _takes_theta(counterpart: Callable[..., Any], n_parameters: int) -> bool:
    target: Any = getattr(counterpart, "_orig_mod", counterpart)  # torch.compile
    target = target.forward if isinstance(target, torch.nn.Module) else target
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):  # a built-in such as torch.cos
        return n_parameters > 0
    if any(p.kind == p.KEYWORD_ONLY and p.default is p.empty for p in parameters) or any(
        p.kind == p.KEYWORD_ONLY and p.name == "theta" for p in parameters
    ):
        msg = "the counterpart has keyword-only arguments; it must take (x, theta) or x by position"
        raise CounterpartError(msg)
    positional = [p for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    needed = [p for p in positional if p.default is p.empty]
    if any(p.kind == p.VAR_POSITIONAL for p in parameters) or len(needed) >= 2:
        return True
    if not positional:
        msg = f"the counterpart takes no argument; it must take (x, theta) or x ({counterpart})"
        raise CounterpartError(msg)
    # A second argument with a default is theta only where there are parameters.
    return len(positional) >= 2 and n_parameters > 0
