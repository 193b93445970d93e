"""What a callable *is*: its source and everything of the user's that it refers to.

The digest of this text goes into a certificate, so that a certificate of yesterday's function is
refused for today's. Installed libraries (and this project) are identified by their versions,
recorded beside it.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import sys
import sysconfig
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

_OWN = str(Path(__file__).parents[1])
_CATALOGUE = str(Path(_OWN, "circuits", "_"))[:-1]  # with the separator at the end
_PATHS = (*(sysconfig.get_path(k) for k in ("stdlib", "purelib", "platlib")), _OWN)
_LIBRARIES = tuple({str(Path(path, "_"))[:-1] for path in _PATHS})
# What was met already, by identity: its name, and itself, so that no identity is used twice.
Seen = dict[int, tuple[str, Any]]

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_BUILT_IN = (types.ModuleType, types.BuiltinFunctionType, types.WrapperDescriptorType)


def digest(*texts: str) -> str:
    """SHA-256 (hex) of texts, each with its length."""
    state = hashlib.sha256()
    for text in texts:
        data = text.encode()
        state.update(f"{len(data)}:".encode())
        state.update(data)
    return state.hexdigest()


def fingerprint(thing: Any) -> str:
    """Text that changes when the function's source, closure, globals or weights change."""
    return _walk(thing, {})


def weights(thing: Any) -> str:
    """Text that changes when a tensor or module that the function holds changes.

    Lists and dicts are left out: a cache or a log is no state that decides an output.
    """
    if isinstance(thing, torch.nn.Module):
        named = (*thing.named_parameters(), *thing.named_buffers())
        return ";".join(f"{name}={_array(value)}" for name, value in named)
    if isinstance(thing, torch.Tensor | np.ndarray):
        return _array(thing)
    if isinstance(thing, types.MethodType):
        return weights(thing.__self__)
    if isinstance(thing, types.FunctionType):
        held = [cell.cell_contents for cell in thing.__closure__ or ()]
        names = sorted(_global_names(thing.__code__) & set(thing.__globals__))
        held += [thing.__globals__[name] for name in names]
        tensors = (torch.nn.Module, torch.Tensor, np.ndarray)
        return "|".join(weights(value) for value in held if isinstance(value, tensors))
    return ""


def _walk(thing: Any, seen: Seen) -> str:
    if isinstance(thing, _PLAIN):
        return repr(thing)
    if isinstance(thing, np.ndarray | torch.Tensor):
        return _array(thing)
    if isinstance(thing, types.FunctionType):
        return _function(thing, seen)
    if isinstance(thing, types.MethodType):
        return f"{_walk(thing.__func__, seen)}@{_walk(thing.__self__, seen)}"
    if isinstance(thing, functools.partial):
        return f"partial{_walk((thing.func, thing.args, thing.keywords), seen)}"
    if isinstance(thing, type):
        return _class(thing, seen)
    if isinstance(thing, types.ModuleType):
        return thing.__name__ if _is_library(thing) else _module_text(thing)
    if isinstance(thing, _BUILT_IN):
        return str(getattr(thing, "__qualname__", thing.__name__))
    wrapped = getattr(thing, "__wrapped__", None)  # functools.lru_cache and other decorators
    if isinstance(wrapped, types.FunctionType):
        return _function(wrapped, seen)
    return _container(thing, seen)


def _class(kind: type, seen: Seen) -> str:
    """Sources of the user's classes, inherited ones included, and what their methods refer to."""
    if _is_library(kind):
        return kind.__qualname__
    if id(kind) in seen:
        return f"<{kind.__qualname__}>"
    seen[id(kind)] = (kind.__qualname__, kind)
    parts = []
    for base in (b for b in kind.__mro__ if not _is_library(b)):
        parts.append(_source(base))
        for value in vars(base).values():
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(function, types.FunctionType):
                parts.append(_function(function, seen))
    return "\n".join(parts)


def _module_text(module: types.ModuleType) -> str:
    """The whole file of a module of the user's."""
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return module.__name__


def _container(thing: Any, seen: Seen) -> str:
    """Sequences, mappings, modules, and instances by their attributes."""
    if id(thing) in seen:
        return f"<{seen[id(thing)][0]}>"
    kind = type(thing)
    seen[id(thing)] = (kind.__qualname__, thing)
    if isinstance(thing, tuple | list):
        return "[" + ",".join(_walk(item, seen) for item in thing) + "]"
    if isinstance(thing, set | frozenset):
        return "{" + ",".join(sorted(_walk(item, seen) for item in thing)) + "}"
    if isinstance(thing, Mapping):
        entries = sorted((str(k), _walk(v, seen)) for k, v in thing.items())
        return "{" + ",".join(f"{k}:{v}" for k, v in entries) + "}"
    if isinstance(thing, torch.nn.Module):
        return _module(thing, seen)
    function = getattr(thing, "func", None)
    if callable(function):  # a QNode
        return f"{kind.__qualname__}({_walk(function, seen)})"
    if _is_library(kind):
        return _ADDRESS.sub("", repr(thing))
    return f"{_class(kind, seen)}{_walk(_attributes(thing), seen)}"


def _attributes(thing: Any) -> dict[str, Any]:
    slots = [name for c in type(thing).__mro__ for name in getattr(c, "__slots__", ())]
    found = {name: getattr(thing, name) for name in slots if hasattr(thing, name)}
    return found | dict(getattr(thing, "__dict__", {}))


def _module(module: torch.nn.Module, seen: Seen) -> str:
    """Sources of the classes, weights, buffers, and plain attributes (``training`` included)."""
    parts = [repr(module)]
    kinds = sorted({type(m) for m in module.modules()}, key=lambda k: k.__qualname__)
    parts += [_class(kind, seen) for kind in kinds if not _is_library(kind)]
    parts += [f"{name}={_array(value)}" for name, value in module.named_parameters()]
    parts += [f"{name}={_array(value)}" for name, value in module.named_buffers()]
    for name, part in module.named_modules():
        own = {k: v for k, v in vars(part).items() if not k.startswith("_") or "hooks" in k}
        parts.append(f"{name}:{_walk(own, seen)}")
    return "\n".join(parts)


def _function(function: types.FunctionType, seen: Seen) -> str:
    if id(function) in seen:
        return f"<{function.__qualname__}>"
    seen[id(function)] = (function.__qualname__, function)
    parts = [_source(function)]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    parts += [f"{name}={_walk(cell.cell_contents, seen)}" for name, cell in cells]
    names = sorted(_global_names(function.__code__))
    for name in names:
        value = function.__globals__.get(name)
        if name not in function.__globals__ or _is_library(value):
            continue
        parts.append(f"{name}={_walk(value, seen)}")
        if isinstance(value, types.ModuleType):
            used = [n for n in names if hasattr(value, n)]
            parts += [f"{name}.{n}={_walk(getattr(value, n), seen)}" for n in used]
    parts.append(_walk((function.__defaults__, function.__kwdefaults__), seen))
    return "\n".join(parts)


def _is_library(value: Any) -> bool:
    if isinstance(value, types.FunctionType):
        return _in_library(value.__code__.co_filename)
    if isinstance(value, type):
        module = sys.modules.get(value.__module__)
        file = getattr(module, "__file__", None)
        return file is None or _in_library(file)
    if isinstance(value, types.ModuleType):
        file = getattr(value, "__file__", None)
        return file is None or _in_library(file)
    return isinstance(value, _BUILT_IN)


def _in_library(file: str) -> bool:
    """The shipped pair files are no library, wherever they lie."""
    return file.startswith(_LIBRARIES) and not file.startswith(_CATALOGUE)


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names


def _source(thing: Callable[..., Any] | type) -> str:
    if not isinstance(thing, types.FunctionType):
        return _source_text(thing)
    # The code object, as getsource() follows decorators to what they wrap; its constants and
    # names, as a line may hold several functions, and a file may have changed since it was read.
    code = thing.__code__
    constants = [c for c in code.co_consts if not isinstance(c, types.CodeType)]
    body = code.co_code.hex() if code.co_name == "<lambda>" else ""
    return f"{_source_text(code)}{constants!r}{code.co_names}{body}"


@functools.lru_cache(maxsize=1024)  # inspect parses the whole file each time
def _source_text(thing: Any) -> str:
    try:
        return str(inspect.getsource(thing))
    except (OSError, TypeError):  # typed at a prompt, or made by exec
        if isinstance(thing, types.CodeType):
            return thing.co_code.hex()
        return str(thing.__qualname__)


def _array(array: np.ndarray | torch.Tensor) -> str:
    if isinstance(array, torch.Tensor):
        values = array.detach().cpu().contiguous()
        raw = values.reshape(-1).view(torch.uint8).numpy().tobytes()
    else:
        raw = np.ascontiguousarray(array).tobytes()
    return f"{array.dtype}{tuple(array.shape)}{hashlib.sha256(raw).hexdigest()}"
