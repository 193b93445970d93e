"""What a callable *is*: its source and everything of its own module that it refers to.

The digest of this text goes into a certificate, so that a certificate of yesterday's function is
refused for today's.
"""

from __future__ import annotations

import hashlib
import functools
import inspect
import sysconfig
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import torch


_LIBRARIES = tuple({sysconfig.get_path(k) for k in ("stdlib", "purelib", "platlib")})


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
    seen: dict[int, str] = {}
    return _walk(thing, seen)


def _walk(thing: Any, seen: dict[int, str]) -> str:
    if isinstance(thing, torch.nn.Module):
        return _module(thing, seen)
    if isinstance(thing, np.ndarray | torch.Tensor):
        return _array(thing)
    if isinstance(thing, types.MethodType):
        return f"{_walk(thing.__func__, seen)}@{_walk(thing.__self__, seen)}"
    if isinstance(thing, types.FunctionType):
        return _function(thing, seen)
    if isinstance(thing, type | types.ModuleType | types.BuiltinFunctionType):
        return getattr(thing, "__qualname__", thing.__name__)
    if isinstance(thing, int | float | complex | str | bytes | bool | type(None)):
        return repr(thing)
    if isinstance(thing, tuple | list):
        return "[" + ",".join(_walk(item, seen) for item in thing) + "]"
    if isinstance(thing, dict):
        return "{" + ",".join(f"{k!r}:{_walk(v, seen)}" for k, v in sorted(thing.items())) + "}"
    if isinstance(thing, functools.partial):
        inner = (thing.func, thing.args, thing.keywords)
        return f"partial({','.join(_walk(part, seen) for part in inner)})"
    function = getattr(thing, "func", None)
    if function is not None and callable(function):  # a QNode
        return f"{type(thing).__qualname__}({_walk(function, seen)})"
    return type(thing).__qualname__


def _function(function: types.FunctionType, seen: dict[int, str]) -> str:
    if id(function) in seen:
        return f"<{function.__qualname__}>"
    seen[id(function)] = function.__qualname__
    parts = [_source(function)]
    for cell_name, cell in zip(
        function.__code__.co_freevars, function.__closure__ or (), strict=True
    ):
        parts.append(f"{cell_name}={_walk(cell.cell_contents, seen)}")
    for name in sorted(_global_names(function.__code__)):
        if name in function.__globals__:
            value = function.__globals__[name]
            if not _is_library(value):
                parts.append(f"{name}={_walk(value, seen)}")
    parts.append(_walk(function.__defaults__ or (), seen))
    return "\n".join(parts)


def _is_library(value: Any) -> bool:
    """Installed code is identified by its version, recorded beside the digest."""
    if isinstance(value, types.FunctionType):
        return value.__code__.co_filename.startswith(_LIBRARIES)
    return isinstance(value, types.ModuleType | type | types.BuiltinFunctionType)


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names


def _source(thing: Callable[..., Any] | type) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):  # typed at a prompt, or made by exec
        code = getattr(thing, "__code__", None)
        return f"{code.co_code.hex()}{code.co_consts!r}" if code else repr(type(thing))


def _module(module: torch.nn.Module, seen: dict[int, str]) -> str:
    kinds = sorted({type(m) for m in module.modules()}, key=lambda k: k.__qualname__)
    sources = [_source(kind) for kind in kinds if not kind.__module__.startswith("torch.")]
    weights = [f"{name}={_walk(value, seen)}" for name, value in module.state_dict().items()]
    return "\n".join([repr(module), *sources, *weights])


def _array(array: np.ndarray | torch.Tensor) -> str:
    values = array.detach().cpu() if isinstance(array, torch.Tensor) else array
    if isinstance(values, torch.Tensor):
        raw = values.contiguous().view(torch.uint8).numpy().tobytes() if values.numel() else b""
    else:
        raw = np.ascontiguousarray(values).tobytes()
    return f"{values.dtype}{tuple(values.shape)}{hashlib.sha256(raw).hexdigest()}"
