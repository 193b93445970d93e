"""Whether torch code lets the number of rows decide what it does.

An identity is shown for batches of a few rows; it holds for every batch only where the code does
the same for any number of rows. So the code runs once on a batch of :data:`ROWS` plain rows whose
number, wherever it asks for a shape, a size or a length, is a :class:`Rows`: an integer to compute
and to index with, which notes when it is compared with another, hashed, or used as a truth value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from qrun_equiv.errors import FormalError
from qrun_equiv.formal_trace import name_of

#: A number of rows that is no size of anything else.
ROWS = 37
_SIZES = frozenset({"shape", "size", "numel", "nelement"})


class Rows(int):
    """A multiple of the number of rows, known as such."""

    decisions: list[str]

    def __new__(cls, value: int, decisions: list[str]) -> Rows:
        """The number, and where to note what it decides."""
        made = super().__new__(cls, value)
        made.decisions = decisions
        return made

    def __bool__(self) -> bool:
        self.decisions.append("used as a truth value")
        return int(self) != 0

    def __hash__(self) -> int:
        self.decisions.append("hashed")
        return hash(int(self))


def _comparison(name: str) -> Callable[[Rows, Any], Any]:
    plain = getattr(int, name)

    def compare(self: Rows, other: Any) -> Any:
        if not isinstance(other, Rows):
            self.decisions.append(f"compared with {other!r}")
        return plain(int(self), other)

    return compare


def _arithmetic(name: str) -> Callable[[Rows, Any], Any]:
    plain = getattr(int, name)

    def compute(self: Rows, other: Any) -> Any:
        found = plain(int(self), other)
        return Rows(found, self.decisions) if isinstance(found, int) else found

    return compute


for _name in ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"):
    setattr(Rows, _name, _comparison(_name))
for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "floordiv", "rfloordiv", "mod", "rmod"):
    setattr(Rows, f"__{_name}__", _arithmetic(f"__{_name}__"))


class _Watch(TorchFunctionMode):
    """Gives sizes that are multiples of the number of rows as :class:`Rows`."""

    def __init__(self) -> None:
        super().__init__()
        self.decisions: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        name, out = name_of(func), func(*args, **(kwargs or {}))
        if name == "__len__" and out and out % ROWS == 0:  # Python makes it a plain number
            self.decisions.append("taken by len(x): write x.shape[0]")
        return self._marked(out) if name in _SIZES else out

    def _marked(self, out: Any) -> Any:
        if isinstance(out, torch.Size):
            return torch.Size([self._marked(n) for n in out])
        if isinstance(out, int) and out and out % ROWS == 0:
            return Rows(out, self.decisions)
        return out


def check(function: Callable[..., Any], points: Sequence[NDArray[np.float64]]) -> None:
    """Refuse code that decides by the number of rows.

    Args:
        function: the torch code.
        points: its arguments as numbers; the first has :data:`ROWS` rows.

    Raises:
        FormalError: the number of rows was compared, hashed or used as a truth value.
    """
    watch = _Watch()
    try:
        with torch.set_grad_enabled(torch.is_grad_enabled()), watch:
            out = function(*(torch.tensor(point) for point in points))
    except (Exception, SystemExit) as error:
        msg = f"the code raised {type(error).__name__} on a batch of {ROWS} rows: {error}"
        raise FormalError(msg) from error
    rows = out.size(0) if isinstance(out, Tensor) and out.ndim else 0
    if watch.decisions or rows != ROWS:
        how = watch.decisions[0] if watch.decisions else "not that of the result"
        msg = (
            f"the code looks at the number of rows ({how} for a batch of {ROWS}), so that what is "
            "shown for one batch need not hold for another"
        )
        raise FormalError(msg)
