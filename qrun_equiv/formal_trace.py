"""The torch functions that a call makes on plain tensors, to hold a formal run to.

Code may behave otherwise on formal numbers than on tensors: it may look at ``type(x)``, or fall
back to something else where a formal number refuses. So it first runs on plain random tensors while
every torch function is written down, with its arguments: results of earlier functions by name, all
else by value. The formal run must make the same calls on the same arguments. Python sees a tensor's
data only through functions that formal numbers refuse (``.item()``, ``bool``, ``.numpy()``), so a
run that made none of them makes these calls on every input of these shapes.
"""

from __future__ import annotations

import hashlib
import random
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from qrun_equiv.errors import FormalError

#: Questions about a tensor that its shape and dtype answer; they are not written down.
METADATA = frozenset({
    "shape", "size", "dim", "ndim", "ndimension", "dtype", "device", "numel", "nelement", "layout",
    "is_floating_point", "is_complex", "is_cuda", "requires_grad", "is_leaf", "__len__", "names",
    "is_sparse", "is_quantized", "is_meta", "element_size", "get_device", "is_contiguous",
    "_has_symbolic_sizes_strides", "__hash__", "result_type", "is_tensor", "is_nested", "is_mkldnn",
})  # fmt: skip
_SEED = 20
_SCALARS = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), slice, np.generic)
_NAMED = (torch.dtype, torch.device, torch.layout, torch.memory_format)

#: Number of a call and position among its results; inputs have the call -1.
Label = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Event:
    """One call of a torch function on plain tensors.

    Attributes:
        name: of the function.
        given: description of its arguments.
        results: shapes and dtypes of the tensors that it returned.
        shares: whether one of them shares memory with an argument.
    """

    name: str
    given: Any
    results: tuple[tuple[tuple[int, ...], torch.dtype], ...]
    shares: bool


class Labels:
    """Names of tensors: which call returned them."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Tensor], frozenset[Label]]] = {}
        self._outside: dict[int, tuple[Any, Any]] = {}

    def add(self, tensor: Tensor, label: Label) -> None:
        """Give a tensor one more name."""
        self._known[id(tensor)] = (weakref.ref(tensor), self.of(tensor) | {label})

    def of(self, tensor: Tensor) -> frozenset[Label]:
        """All names of a tensor; none where it comes from outside."""
        known, names = self._known.get(id(tensor), (None, frozenset()))
        return names if known is not None and known() is tensor else frozenset()

    def describe(self, value: Any) -> Any:
        """An argument: names of tensors, all else by type and value."""
        if isinstance(value, Tensor):
            return self.of(value) or self._note(value, ("tensor", _digest(value)))
        if isinstance(value, tuple | list):
            return [self.describe(part) for part in value]
        if isinstance(value, dict):
            return [(str(k), self.describe(part)) for k, part in value.items()]
        if isinstance(value, np.ndarray):
            return self._note(value, ("array", str(value.dtype), value.shape, value.tobytes()))
        plain = isinstance(value, (*_SCALARS, *_NAMED))
        return (type(value).__qualname__, repr(value) if plain else "")

    def _note(self, value: Any, description: Any) -> Any:
        self._outside.setdefault(id(value), (value, description))
        return description

    def changed(self) -> bool:
        """Whether a tensor or array from outside is not what it was when it was first seen."""
        return any(self.describe(value) != was for value, was in list(self._outside.values()))


def same(native: Any, formal: Any) -> bool:
    """Whether two descriptions agree; a tensor has all the names that its object ever had."""
    if isinstance(native, frozenset) and isinstance(formal, frozenset):
        return bool(native & formal)
    if isinstance(native, list) and isinstance(formal, list):
        return len(native) == len(formal) and all(map(same, native, formal))
    if isinstance(native, tuple) and isinstance(formal, tuple):
        return len(native) == len(formal) and all(map(same, native, formal))
    return type(native) is type(formal) and bool(native == formal)


def name_of(func: Any) -> str:
    """Name of a torch function; a property's getter has the property's."""
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        owner = func.__self__  # a slot of C, or a property written in Python
        return str(getattr(owner, "__name__", "") or owner.fget.__name__)
    return str(name)


def tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from tensors(part)
    elif isinstance(value, dict):
        yield from tensors(tuple(value.values()))


@dataclass(frozen=True)
class Trace:
    """What a call on plain tensors did.

    Attributes:
        events: the torch functions in order.
        result: description of what it returned.
    """

    events: tuple[Event, ...]
    result: Any


class _Recorder(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.labels = Labels()
        self.events: list[Event] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        name, options = name_of(func), kwargs or {}
        if name in METADATA:
            return func(*args, **options)
        given = self.labels.describe([*args, options])
        sources = {_storage(t) for t in tensors((args, options))} - {None}
        arrays = [a for a in args if isinstance(a, np.ndarray)]
        out = func(*args, **options)
        if name == "__iter__":
            out = tuple(out)
        made = list(tensors(out))
        for position, tensor in enumerate(made):
            self.labels.add(tensor, (len(self.events), position))
        shares = any(_storage(t) in sources for t in made) or any(
            np.shares_memory(a, t.detach().numpy()) for a in arrays for t in made
        )
        results = tuple((tuple(t.shape), t.dtype) for t in made)
        self.events.append(Event(name, given, results, shares))
        return iter(out) if name == "__iter__" else out


def random_points(shapes: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
    """Arrays of these shapes with entries between -1 and 1, always the same."""
    rng = np.random.default_rng(_SEED)
    return [np.asarray(rng.uniform(-1.0, 1.0, shape)) for shape in shapes]


def record(function: Callable[..., Any], points: Sequence[NDArray[np.float64]]) -> Trace:
    """Call a function on plain tensors of these numbers and write down what it does.

    Raises:
        FormalError: it raised.
    """
    inputs = [torch.tensor(point) for point in points]
    recorder = _Recorder()
    for position, tensor in enumerate(inputs):
        recorder.labels.add(tensor, (-1, position))
    try:
        with recorder:
            out = function(*inputs)
    except (Exception, SystemExit) as error:
        msg = f"the code raised {type(error).__name__} on plain tensors: {error}"
        raise FormalError(msg) from error
    return Trace(tuple(recorder.events), recorder.labels.describe(out))


def random_states() -> tuple[bytes, str]:
    """States of the generators that code may draw from."""
    others = (random.getstate(), np.random.get_state())  # noqa: NPY002
    return torch.get_rng_state().numpy().tobytes(), repr(others)


def _storage(tensor: Tensor) -> int | None:
    if tensor.layout is not torch.strided or not tensor.numel():
        return None
    return tensor.untyped_storage().data_ptr()


def _digest(tensor: Tensor) -> str:
    if tensor.layout is not torch.strided or tensor.is_meta:
        return str(tensor.layout)
    data = tensor.detach().cpu().resolve_conj().resolve_neg().numpy()
    text = f"{tensor.dtype}{tuple(tensor.shape)}".encode()
    return hashlib.sha256(text + data.tobytes()).hexdigest()
