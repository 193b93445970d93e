"""Checks of single values of a training file: each returns the value or says what it must be."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import field
from typing import Any

Check = Callable[[Any], Any]


def key(default: Any, check: Check) -> Any:
    """A field of a table: its default, and the check of what a file says."""
    return field(default=default, metadata={"check": check})


def choice(*names: str) -> Check:
    """One of several names."""

    def check(value: Any) -> Any:
        if value not in names or not isinstance(value, str):
            close = difflib.get_close_matches(str(value), names, 1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"must be one of {', '.join(map(repr, names))}{hint}")
        return value

    return check


def whole(low: int) -> Check:
    """A whole number of at least ``low``."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"must be a whole number of at least {low}")
        return value

    return check


def number(low: float, high: float = math.inf, *, above: bool = False) -> Check:
    """A finite number from ``low`` to below ``high``; ``above``: not ``low`` itself."""
    words = f"{'above' if above else 'of at least'} {low:g}"
    words += f" and below {high:g}" if high < math.inf else ""

    def check(value: Any) -> float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value < high or (above and value == low):
            raise ValueError(f"must be a number {words}")
        return float(value)

    return check


def text(value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ValueError("must be a text")
    return value


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 (the caller makes the message)
    return value


def columns(value: Any) -> tuple[str | int, ...]:
    """One column or several, by name or by number from 0."""
    listed = value if isinstance(value, list | tuple) else [value]
    good = all(isinstance(v, str | int) and not isinstance(v, bool) for v in listed)
    if not good or not listed or len(set(listed)) < len(listed):
        raise ValueError("must be a column or a list of different columns, by name or by number")
    return tuple(listed)


def interval(value: Any) -> tuple[int, int]:
    """``[first, end]`` of rows."""
    numbers = isinstance(value, list | tuple) and all(type(v) is int for v in value)
    if not numbers or len(value) != 2 or not 0 <= value[0] < value[1]:
        raise ValueError("must be [first, end] with 0 <= first < end")
    return value[0], value[1]


def frequencies(value: Any) -> tuple[float, ...]:
    """A list of frequencies."""
    numbers = isinstance(value, list | tuple) and all(type(v) in {int, float} for v in value)
    if not numbers or not all(0 <= v < math.inf for v in value):
        raise ValueError("must be a list of numbers of at least 0")
    return tuple(float(v) for v in value)
