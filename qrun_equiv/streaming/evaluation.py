"""The counterpart on a device, in a dtype, in batches that fit its memory."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from qrun_equiv.errors import CounterpartError
from qrun_equiv.formal import copied
from qrun_equiv.frontends.base import Array
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.streaming.errors import RunError

#: ``x [rows, n_features]`` in the dtype and on the device to ``[rows]`` or ``[rows, n_outputs]``.
Evaluate = Callable[[Tensor], Tensor]

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16}
_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def choose_device(name: str) -> torch.device:
    """``cpu``, ``cuda`` (or ``cuda:1``, ...), or ``auto``: CUDA where there is one.

    Raises:
        RunError: CUDA was asked for and there is none, or another name.
    """
    available = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if available else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        msg = f"unknown --device {name!r}; one of auto, cpu, cuda"
        raise RunError(msg) from error
    if device.type not in {"cpu", "cuda"}:
        msg = f"--device {name} is not supported; one of auto, cpu, cuda"
        raise RunError(msg)
    if device.type == "cuda" and not (
        available and (device.index or 0) < torch.cuda.device_count()
    ):
        count = torch.cuda.device_count() if available else 0
        msg = (
            f"--device {name}, but torch {torch.__version__} sees {count} CUDA device(s) here; run "
            "with --device cpu, or install a CUDA build of torch and the driver"
        )
        raise RunError(msg)
    return device


def choose_dtype(name: str, device: torch.device) -> str:
    """A name out of :data:`DTYPES`; ``auto``: float64 on the CPU, float32 on a GPU.

    Raises:
        RunError: another name.
    """
    if name == "auto":
        return "float64" if device.type == "cpu" else "float32"
    if name not in DTYPES:
        msg = f"unknown --dtype {name!r}; one of auto, {', '.join(DTYPES)}"
        raise RunError(msg)
    return name


def device_name(device: torch.device) -> str:
    """The device and its kind of arithmetic: results may differ in their last bits on another."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {torch.backends.cpu.get_cpu_capability()}"


class _Casting(TorchFunctionMode):
    """Every tensor of real numbers that a torch function is given, in one dtype on one device."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self._device, self._dtype = device, dtype

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Cast, then call."""
        del types
        return func(*self._cast(args), **self._cast(kwargs or {}))

    def _cast(self, value: Any) -> Any:
        if type(value) in (tuple, list):
            return type(value)(self._cast(item) for item in value)
        if isinstance(value, dict):
            return {name: self._cast(item) for name, item in value.items()}
        if not isinstance(value, Tensor):
            return value
        wide = value.dtype is torch.float64
        return value.to(device=self._device, dtype=self._dtype if wide else value.dtype)


class Evaluator:
    """The counterpart at given parameters, rows in and outputs out as arrays.

    ``float64`` and ``float32`` cast rows, parameters and a module's weights. In ``bfloat16`` matrix
    products take bfloat16 factors (autocast) and everything else, angles above all, is float32:
    an angle in bfloat16 would be off by up to 0.4 % of itself. Outputs are float64 or float32.
    """

    def __init__(
        self,
        source: CounterpartSource,
        theta: Array,
        device: torch.device,
        dtype: str,
        evaluate: Evaluate | None = None,
    ) -> None:
        """Prepare; with ``evaluate``, a faster equivalent instead of the counterpart itself.

        Raises:
            RunError: the module can't be copied to the device and dtype.
        """
        self.device, self.dtype = device, dtype
        self.compute = torch.float64 if dtype == "float64" else torch.float32
        self.output = np.dtype(np.float64 if dtype == "float64" else np.float32)
        self._moved = device.type != "cpu" or dtype != "float64"
        self._function = evaluate or self._counterpart(source, theta)
        self._grad = self._casting = False

    def _counterpart(self, source: CounterpartSource, theta: Array) -> Evaluate:
        function: Any = copied(source.counterpart)
        if isinstance(function, nn.Module):
            if self._moved and function is source.counterpart:
                msg = "the counterpart can't be copied (deepcopy), so it runs as it is only: "
                raise RunError(msg + "--device cpu --dtype float64")
            function = function.to(device=self.device, dtype=self.compute)
        fixed = torch.tensor(theta).reshape(source.sizes.parameter_shape)
        fixed = fixed.to(device=self.device, dtype=self.compute)
        if source.takes_theta:
            return lambda x: function(x, fixed)
        return cast("Evaluate", function)

    def probe(self, x: Array) -> None:
        """Find out on a few rows how the counterpart can be called.

        Without recording gradients, unless it differentiates inside; with its own numbers (weights
        of a function, constants) cast as well, unless it needs none.

        Raises:
            CounterpartError: it can't be called in this dtype, on this device.
        """
        casts = (False, True) if self._moved else (False,)
        first: CounterpartError | None = None
        for self._grad, self._casting in itertools.product((False, True), casts):
            try:
                self(x)
            except CounterpartError as error:
                first = first or error
            else:
                return
        assert first is not None
        raise first

    def __call__(self, x: Array) -> NDArray[Any]:
        """Rows ``[rows, n_features]`` to ``[rows, n_outputs]``, all at once.

        Raises:
            CounterpartError: the counterpart raises or gives another shape or dtype.
            MemoryError: the device's memory does not hold it.
        """
        try:
            given = torch.tensor(x, dtype=self.compute, device=self.device)
            with torch.enable_grad() if self._grad else torch.no_grad(), self._modes():
                out = self._function(given)
            return self._checked(out, len(x))
        except (MemoryError, RuntimeError) as error:
            if _is_memory(error):
                raise MemoryError(str(error).partition("\n")[0][:200]) from None
            raise self._complaint(error, len(x)) from error
        except Exception as error:
            if isinstance(error, CounterpartError):
                raise
            raise self._complaint(error, len(x)) from error

    def _modes(self) -> ExitStack:
        modes = ExitStack()
        if self.dtype == "bfloat16":
            modes.enter_context(torch.autocast(self.device.type, dtype=torch.bfloat16))
        if self._casting:
            modes.enter_context(_Casting(self.device, self.compute))
        return modes

    def _complaint(self, error: Exception, rows: int) -> CounterpartError:
        text = " ".join(str(error).split())[:300]
        return CounterpartError(
            f"the counterpart raised {type(error).__name__} on {rows} row(s) in {self.dtype} on "
            f"{self.device}: {text}{self._remedy()}"
        )

    def _remedy(self) -> str:
        if self.device.type == "cpu" and self.dtype == "float64":
            return ""
        return (
            "; it may hold numbers of its own in another dtype or on another device: "
            "run with --device cpu --dtype float64"
        )

    def _checked(self, out: Any, rows: int) -> NDArray[Any]:
        if not isinstance(out, Tensor) or out.ndim not in (1, 2) or len(out) != rows:
            shape = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
            msg = f"the counterpart returned {shape} for {rows} row(s), not [rows, n_outputs]"
            raise CounterpartError(msg)
        allowed = {self.compute} | ({torch.bfloat16} if self.dtype == "bfloat16" else set())
        allowed |= {torch.float64} if self._casting else set()
        if out.dtype not in allowed:
            msg = f"the counterpart returned {out.dtype} for rows in {self.compute}{self._remedy()}"
            raise CounterpartError(msg)
        values = out.detach().reshape(rows, -1).to(self.compute).cpu().numpy()
        return np.ascontiguousarray(values)

    def in_batches(self, x: Array, batch: int) -> tuple[NDArray[Any], int]:
        """A whole chunk, in batches of at most ``batch`` rows, halved as often as needed.

        Returns:
            the outputs, and the batch that the device's memory held.

        Raises:
            RunError: not even one row fits.
        """
        while True:
            try:
                parts = [self(x[k : k + batch]) for k in range(0, len(x), batch)]
                return np.concatenate(parts), batch
            except MemoryError as error:
                reason = str(error)
            if min(batch, len(x)) <= 1:
                msg = f"out of memory for a single row on {self.device}: {reason}"
                raise RunError(msg)
            batch = (min(batch, len(x)) + 1) // 2
            if self.device.type == "cuda":
                gc.collect()
                torch.cuda.empty_cache()


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(text in str(error) for text in _MEMORY)
