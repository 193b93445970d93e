"""Run a torch callable, unmodified, on numbers that torch does not know.

``run(function, inputs, algebra)`` hands the function tensors of shape and dtype but no data
(:class:`Formal`). Every torch function that is called on them, and every torch function that makes
or combines constants meanwhile, is carried out in an :class:`~qrun_equiv.algebra.Algebra` instead:
a prime field, trigonometric polynomials, intervals. What the algebra can't follow (``tanh`` over a
field, a comparison of values, ``.item()``) raises :class:`~qrun_equiv.errors.FormalError` with the
name of the function and the module it was called in.

Constants keep their tensor beside the exact reading, so code that branches on weights or computes
indices runs as usual. In-place writes are followed where no view of the tensor exists, else refused.
``detach`` and ``no_grad`` change no output: what they do to gradients is a numeric check's business.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.overrides import TorchFunctionMode

from qrun_equiv.algebra import Algebra
from qrun_equiv.errors import FormalError, QrunEquivError
from qrun_equiv.field import NeedsRootError
from qrun_equiv.formal_ops import HANDLERS, METADATA, VIEWS, Cell, Ops, Value

# Functions whose result is uninitialised memory: reading it must never look like an agreement.
_UNINITIALISED = frozenset({"empty", "empty_like", "new_empty", "empty_strided"})
_IN_PLACE = {
    "__iadd__": "add", "__isub__": "sub", "__imul__": "mul", "__itruediv__": "div",
    "__idiv__": "div", "__ipow__": "pow", "__setitem__": "__setitem__", "copy_": "copy_",
}  # fmt: skip


class Formal(Tensor):
    """A tensor whose entries are numbers of an algebra; it has shape and dtype, no data."""

    cell: Cell
    aliases: list[int]
    runner: _Runner

    @staticmethod
    def __new__(cls, cell: Cell, runner: _Runner, aliases: list[int] | None = None) -> Formal:
        dtype = torch.complex128 if cell.complex else torch.float64
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined] # noqa: SLF001
            cls, cell.shape, dtype=dtype, device="cpu"
        )
        made.cell, made.runner = cell, runner
        made.aliases = [0] if aliases is None else aliases
        made.aliases[0] += 1
        return made  # type: ignore[no-any-return]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        found: list[Formal] = []
        _each(args, found.append)
        _each(tuple((kwargs or {}).values()), found.append)
        return found[0].runner.call(func, args, kwargs or {})

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types, args, kwargs
        msg = f"`{func}` reads the data of a tensor that has none"
        raise FormalError(msg)

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Formal({list(self.cell.shape)})"


class _Mode(TorchFunctionMode):
    """Catches torch functions on plain tensors too: ``torch.cos(self.weight)`` stays exact."""

    def __init__(self, runner: _Runner) -> None:
        super().__init__()
        self.runner = runner

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        return self.runner.call(func, args, kwargs or {})


class _Runner:
    """Carries torch functions out in one algebra."""

    def __init__(self, algebra: Algebra[Any]) -> None:
        self.ops = Ops(algebra)
        self.path: list[str] = []

    def formal(self, value: Value) -> Formal:
        return Formal(Cell.of(self.ops, value), self)

    def call(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        name = _name(func)
        if name in METADATA:
            with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001
                return func(*args, **kwargs)
        target = _IN_PLACE.get(name)
        if target is None and name.endswith("_") and not name.endswith("__"):
            target = name[:-1]
        if target is not None and name != "requires_grad_":
            return self._in_place(func, name, target, args, kwargs)
        cells = _map(args, lambda f: f.cell), _map(kwargs, lambda f: f.cell)
        made = self._make(func, name, *cells)
        if name in VIEWS:
            source = next((a for a in args if isinstance(a, Formal)), None)
            shared = any(isinstance(a, Tensor) for a in args)  # of a weight: never written to
            aliases = source.aliases if source is not None else [int(shared)]
            return _map_cells(made, lambda cell: Formal(cell, self, aliases))
        return _map_cells(made, lambda cell: Formal(cell, self))

    def _make(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Result of a function of cells: cells where it gives real or complex tensors."""
        constant: list[bool] = []
        _each((args, tuple(kwargs.values())), lambda c: constant.append(c.plain is not None), Cell)
        if all(constant):
            plains = _map(args, _plain, Cell), _map(kwargs, _plain, Cell)
            return self._constant(func, name, plains, (args, kwargs))
        return _cells(self.ops, self._exact(name, args, kwargs))

    def _constant(self, func: Any, name: str, plains: Any, cells: Any) -> Any:
        """Constants through torch itself; their exact value is computed only where it is used."""
        given, options = plains
        native = func(*given, **options)
        if name in _UNINITIALISED:
            native = torch.rand_like(native) if native.is_floating_point() else native
        exact: list[Any] = []

        def value(index: int, plain: Tensor) -> Value:
            if name not in HANDLERS:
                return self.ops.lift(plain)
            if not exact:
                try:
                    made = self._exact(name, *cells)
                    exact.append(made if isinstance(made, tuple | list) else [made])
                except (QrunEquivError, TypeError):  # no exact rule: what torch computed is read
                    exact.append(None)
            return self.ops.lift(plain) if exact[0] is None else exact[0][index]

        def cell(index: int, found: Any) -> Any:
            if isinstance(found, Tensor) and (found.is_floating_point() or found.is_complex()):
                shape = tuple(found.shape)
                return Cell(shape, found.is_complex(), lambda: value(index, found), found)
            return found

        if isinstance(native, tuple | list):
            return (
                type(native)(cell(k, part) for k, part in enumerate(native))
                if type(native) in (tuple, list)
                else native
            )
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
        if not isinstance(changed, Formal):
            msg = f"`{name}` writes into a tensor that outlives the call{self._where()}"
            raise FormalError(msg)
        if changed.aliases[0] > 1:
            msg = (
                f"`{name}` writes into a tensor of which a view exists{self._where()}: build the "
                "result with torch.stack or torch.cat"
            )
            raise FormalError(msg)
        before = changed.cell
        source = before.plain

        def native(first: Tensor, *rest: Any, **options: Any) -> Tensor:
            copied = first.clone()
            func(copied, *rest, **options)
            return copied

        runs = native if source is not None else func
        cells = _map(args, lambda f: f.cell), _map(kwargs, lambda f: f.cell)
        made = self._make(runs, target, *cells)
        if not isinstance(made, Cell) or (made.shape, made.complex) != (
            before.shape, before.complex,
        ):  # fmt: skip
            msg = f"`{name}` changes the shape or dtype of what it writes into{self._where()}"
            raise FormalError(msg)
        changed.cell = made
        return None if name == "__setitem__" else changed


def _name(func: Any) -> str:
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        return str(func.__self__.__name__)
    return str(name)


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


def _map_cells(made: Any, change: Callable[[Cell], Formal]) -> Any:
    return _map(made, change, Cell)


def _cells(ops: Ops, made: Any) -> Any:
    if isinstance(made, tuple | list):
        return tuple(Cell.of(ops, part) for part in made)
    return Cell.of(ops, made)


@contextmanager
def _watch(root: Any, runner: _Runner) -> Iterator[None]:
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
    function: Callable[..., Any], inputs: Sequence[Value], algebra: Algebra[Any], *, batch: int
) -> Value:
    """Call a torch function on numbers of an algebra.

    Args:
        function: a callable or ``nn.Module``; it is copied where it can be, so that a cache of its
            own never holds formal tensors.
        inputs: one array of numbers for each positional argument.
        algebra: the numbers' arithmetic.
        batch: rows of the first input.

    Returns:
        Numbers ``[batch, n_outputs]``.

    Raises:
        FormalError: the code does something that the algebra can't follow; the message names it.
    """
    function = _copied(function)
    runner = _Runner(algebra)
    given = [runner.formal(value) for value in inputs]
    before = [formal.cell for formal in given]
    try:
        with _watch(function, runner), _Mode(runner):
            out = function(*given)
    except (FormalError, NeedsRootError):
        raise
    except (Exception, SystemExit) as error:
        msg = (
            f"the code can't be followed: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}"
        )
        raise FormalError(msg) from error
    if any(formal.cell is not cell for formal, cell in zip(given, before, strict=True)):
        msg = "the code writes into its input"
        raise FormalError(msg)
    return _result(runner.ops, out, batch)


def _copied(function: Any) -> Any:
    function = getattr(function, "_orig_mod", function)  # torch.compile
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
