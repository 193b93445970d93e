"""Formal tensors, and the runner that carries torch functions out on them.

See :mod:`qrun_equiv.formal`, which calls a user's code with them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from qrun_equiv import formal_elementwise, formal_indexing, formal_products, formal_structure
from qrun_equiv.algebra import Algebra
from qrun_equiv.errors import FormalError, QrunEquivError
from qrun_equiv.formal_ops import Cell, Ops, Value
from qrun_equiv.formal_trace import METADATA, Event, Labels, Trace, name_of, same, tensors

#: Every torch function that can be followed, by name.
HANDLERS = (
    formal_elementwise.HANDLERS
    | formal_products.HANDLERS
    | formal_structure.HANDLERS
    | formal_indexing.HANDLERS
)
# Functions whose result is uninitialised memory: reading it must never look like an agreement.
_UNINITIALISED = frozenset({"empty", "empty_like", "new_empty", "empty_strided"})
# Functions that change what a tensor's memory is, or write where Python can't be watched.
_NEVER = frozenset({"__set__", "set_", "resize_", "resize_as_", "data_ptr", "untyped_storage"})
_IN_PLACE = {
    "__iadd__": "add", "__isub__": "sub", "__imul__": "mul", "__itruediv__": "div",
    "__idiv__": "div", "__ipow__": "pow", "__setitem__": "__setitem__", "copy_": "copy_",
}  # fmt: skip
_DOUBLE = (torch.float64, torch.complex128)


class _Memory:
    """The formal tensors that share one piece of memory."""

    def __init__(self) -> None:
        self.users: list[weakref.ref[Formal]] = []
        self.outside = False  # a weight's: never written to

    def alive(self) -> list[Formal]:
        return [user for ref in self.users if (user := ref()) is not None]

    def take(self, formal: Formal) -> None:
        self.users.append(weakref.ref(formal))
        formal.memory = self


class Formal(Tensor):
    """A tensor whose entries are numbers of an algebra; it has shape and dtype, no data."""

    cell: Cell
    memory: _Memory
    runner: Runner

    @staticmethod
    def __new__(cls: type[Formal], cell: Cell, runner: Runner) -> Formal:
        """A formal tensor of a cell; a constant has the dtype of its tensor."""
        dtype = _DOUBLE[cell.complex] if cell.plain is None else cell.plain.dtype
        made: Formal = Tensor._make_wrapper_subclass(  # noqa: SLF001
            cls, cell.shape, dtype=dtype, device=torch.device("cpu")
        )
        made.cell, made.runner = cell, runner
        _Memory().take(made)
        return made

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        return _runner_of((args, kwargs or {})).call(func, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        del types
        _runner_of((args, kwargs or {})).refuse(
            f"`{func}` reads the data of a tensor that has none"
        )

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Formal({list(self.cell.shape)})"


def _runner_of(given: Any) -> Runner:
    return next(t for t in tensors(given) if isinstance(t, Formal)).runner


class Mode(TorchFunctionMode):
    """Catches torch functions on plain tensors too: ``torch.cos(self.weight)`` stays exact."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.runner = runner

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        return self.runner.call(func, args, kwargs or {})


class Runner:
    """Carries torch functions out in one algebra, in the order of a trace."""

    def __init__(self, algebra: Algebra[Any], trace: Trace) -> None:
        self.ops = Ops(algebra)
        self.trace = trace
        self.done = 0
        self.labels = Labels()
        self.path: list[str] = []
        self.refusal: BaseException | None = None

    def refuse(self, message: str) -> NoReturn:
        """Fail the run, whatever the code does with the exception."""
        error = FormalError(message)
        self.refusal = self.refusal or error
        raise error

    def call(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """One torch function on formal tensors, plain ones and anything else."""
        try:
            name = name_of(func)
            if name in METADATA:
                with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001
                    return func(*args, **kwargs)
            event = self._expected(name, args, kwargs)
            return self._carry_out(func, name, event, args, kwargs)
        except BaseException as error:
            self.refusal = self.refusal or error
            raise

    def _expected(self, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Event:
        """The next event of the trace, if this call is it."""
        given = self.labels.describe([*args, kwargs])
        event = self.trace.events[self.done] if self.done < len(self.trace.events) else None
        if event is None or event.name != name or not same(event.given, given):
            if name not in HANDLERS and any(isinstance(t, Formal) for t in tensors((args, kwargs))):
                raise FormalError(self._outside(name))
            msg = (
                f"`{name}`{self._where()} is not what the code does with plain tensors: it looks "
                "at their type, or changes its own state"
            )
            raise FormalError(msg)
        return event

    def _carry_out(
        self, func: Any, name: str, event: Event, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        if name in _NEVER or kwargs.get("out") is not None:
            raise FormalError(self._outside(name))
        target = _IN_PLACE.get(name)
        if target is None and name.endswith("_") and not name.endswith("__"):
            target = name[:-1]
        if target is not None and name != "requires_grad_":
            out = self._in_place(func, name, target, args, kwargs)
        else:
            cells = _map(args, lambda f: f.cell), _map(kwargs, lambda f: f.cell)
            made = self._make(func, name, *cells)
            out = _map(made, lambda cell: Formal(cell, self), Cell)
            if event.shares:
                _merge(tensors((args, kwargs)), tensors(out))
        self._settle(name, event, out)
        return iter(out) if name == "__iter__" else out

    def _settle(self, name: str, event: Event, out: Any) -> None:
        """Compare what was made with the trace, and name it."""
        made = list(tensors(out))
        found = tuple((tuple(t.shape), t.dtype) for t in made)
        rounded = any(
            isinstance(t, Formal) and t.cell.plain is None and t.dtype not in _DOUBLE for t in made
        )
        if found != event.results or rounded:
            wanted = [f"{list(shape)} {dtype}" for shape, dtype in event.results]
            msg = f"{self._outside(name)}: the code makes {', '.join(wanted) or 'no tensor'} here"
            raise FormalError(msg)
        for position, tensor in enumerate(made):
            self.labels.add(tensor, (self.done, position))
        self.done += 1

    def _make(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Result of a function of cells: cells where it gives real or complex tensors."""
        constant: list[bool] = []
        _each((args, tuple(kwargs.values())), lambda c: constant.append(c.plain is not None), Cell)
        if all(constant):
            return self._constant(func, name, args, kwargs)
        return _cells(self.ops, self._exact(name, args, kwargs))

    def _constant(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Constants through torch itself; their exact value is computed only where it is used."""
        given, options = _map(args, _plain, Cell), _map(kwargs, _plain, Cell)
        before = [t._version for t in tensors((given, options))]  # noqa: SLF001
        native = func(*given, **options)
        if before != [t._version for t in tensors((given, options))]:  # noqa: SLF001
            msg = f"`{name}` changes its arguments{self._where()}"
            raise FormalError(msg)
        native = _noise(native) if name in _UNINITIALISED else native
        exact: list[Any] = []

        def value(index: int, plain: Tensor) -> Value:
            if name not in HANDLERS or plain.dtype not in _DOUBLE:
                return self.ops.lift(plain)
            if not exact:
                try:
                    made = self._exact(name, args, kwargs)
                    exact.append(made if isinstance(made, tuple | list) else [made])
                except (QrunEquivError, TypeError):  # no exact rule: what torch computed is read
                    exact.append(None)
            return self.ops.lift(plain) if exact[0] is None else exact[0][index]

        def cell(index: int, found: Any) -> Any:
            if isinstance(found, Tensor) and (found.is_floating_point() or found.is_complex()):
                shape = tuple(found.shape)
                return Cell(shape, found.is_complex(), lambda: value(index, found), found)
            if isinstance(found, np.ndarray):
                self.labels.describe(found)  # it may share the constant's memory: see changed()
            return found

        native = tuple(native) if name == "__iter__" else native
        if type(native) in (tuple, list):
            return type(native)(cell(k, part) for k, part in enumerate(native))
        return cell(0, native)

    def _exact(self, name: str, args: Any, kwargs: Any) -> Any:
        handler = HANDLERS.get(name)
        if handler is None:
            raise FormalError(self._outside(name))
        try:
            return handler(self.ops, *args, **kwargs)
        except FormalError as error:
            raise FormalError(f"{error}{self._where()}") from error
        except TypeError as error:
            msg = f"{self._outside(name)}: its arguments can't be followed ({error})"
            raise FormalError(msg) from error

    def _outside(self, name: str) -> str:
        return f"not {self.ops.algebra.purpose}: `{name}`{self._where()}"

    def _where(self) -> str:
        return f" at {self.path[-1]}" if self.path else ""

    def _in_place(
        self, func: Any, name: str, target: str, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> Any:
        """``y += ...``: the same object gets a new value, if nothing else shares its memory."""
        changed = args[0]
        if not isinstance(changed, Formal) or changed.memory.outside:
            msg = f"`{name}` writes into a tensor that outlives the call{self._where()}"
            raise FormalError(msg)
        if len(changed.memory.alive()) > 1:
            msg = (
                f"`{name}` writes into a tensor of which a view exists{self._where()}: build the "
                "result with torch.stack or torch.cat"
            )
            raise FormalError(msg)
        before = changed.cell

        def native(first: Tensor, *rest: Any, **options: Any) -> Tensor:
            copied = first.clone()
            func(copied, *rest, **options)
            return copied

        cells = _map(args, lambda f: f.cell), _map(kwargs, lambda f: f.cell)
        made = self._make(native, target, *cells)
        shape = (before.shape, before.complex)
        if not isinstance(made, Cell) or (made.shape, made.complex) != shape:
            msg = f"`{name}` changes the shape or dtype of what it writes into{self._where()}"
            raise FormalError(msg)
        if made.plain is None and changed.dtype not in _DOUBLE:
            msg = f"`{name}` rounds to {changed.dtype}{self._where()}; make the tensor in float64"
            raise FormalError(msg)
        changed.cell = made
        return None if name == "__setitem__" else changed


def _merge(given: Iterator[Tensor], made: Iterator[Tensor]) -> None:
    """All these tensors may share memory from now on."""
    memory, plain = _Memory(), False
    for tensor in (*given, *made):
        if not isinstance(tensor, Formal):
            plain = True
        elif tensor.memory is not memory:
            memory.outside |= tensor.memory.outside
            for user in tensor.memory.alive():
                memory.take(user)
    memory.outside |= plain


def _noise(native: Tensor) -> Tensor:
    noise = np.random.default_rng(native.numel()).uniform(size=native.shape)
    return torch.from_numpy(np.asarray(noise)).to(native.dtype)


def _plain(cell: Cell) -> Tensor:
    assert cell.plain is not None
    return cell.plain


def _each(value: Any, visit: Callable[[Any], object], kind: type = Formal) -> None:
    if isinstance(value, kind):
        visit(value)
    elif isinstance(value, tuple | list):
        for part in value:
            _each(part, visit, kind)


def _map(value: Any, change: Callable[[Any], Any], kind: type = Formal) -> Any:
    if isinstance(value, kind):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(_map(part, change, kind) for part in value)
    if isinstance(value, dict):
        return {key: _map(part, change, kind) for key, part in value.items()}
    return value


def _cells(ops: Ops, made: Any) -> Any:
    if isinstance(made, tuple | list):
        return tuple(Cell.of(ops, part) for part in made)
    return Cell.of(ops, made)
