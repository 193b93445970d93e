"""The committed JSON Schema of certificates, and the keywords of JSON Schema that it uses.

Certificates are held to the very file that other programs are given, so the two can't drift apart;
the general validator (the package ``jsonschema``) is not needed at run time. Draft 2020-12,
https://json-schema.org/draft/2020-12/json-schema-validation. Two rules are stricter here: a whole
number is not written with a point (``1.0``), and a number is one that a float64 can hold.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

_LARGEST = sys.float_info.max
_ANNOTATIONS = frozenset({"$schema", "$id", "$defs", "title", "description"})

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: isinstance(v, int) and not _is_bool(v),
    "number": lambda v: _is_number(v) and -_LARGEST <= v <= _LARGEST,
    "null": lambda v: v is None,
}

#: A keyword, the type that it is about, whether a value obeys, and what is wrong if not.
_RULES: Mapping[str, tuple[str, Callable[[Any, Any], bool], str]] = {
    "minimum": ("number", lambda v, least: v >= least, "is below {}"),
    "exclusiveMinimum": ("number", lambda v, least: v > least, "is not above {}"),
    "minLength": ("string", lambda v, least: len(v) >= least, "is shorter than {}"),
    "pattern": ("string", lambda v, p: re.search(p, v) is not None, "does not match {}"),
    "minItems": ("array", lambda v, least: len(v) >= least, "has fewer than {} entries"),
    "maxItems": ("array", lambda v, most: len(v) <= most, "has more than {} entries"),
    "minProperties": ("object", lambda v, least: len(v) >= least, "has fewer than {} entries"),
}


@cache
def certificate_schema() -> dict[str, Any]:
    """The JSON Schema of certificates, as committed in ``qrun_equiv/schema``."""
    text = (
        resources.files("qrun_equiv").joinpath("schema/certificate.schema.json").read_text("utf-8")
    )
    schema: dict[str, Any] = json.loads(text)
    return schema


def faults(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any] | None = None,
           where: str = "the certificate") -> Iterator[str]:  # fmt: skip
    """What is wrong with a JSON value, in words; nothing where it fits the schema.

    Args:
        value: as from :func:`json.loads`.
        schema: a JSON Schema, or a part of one.
        root: the whole schema, which ``$ref`` looks into; ``schema`` where left out.
        where: name of the value.

    Raises:
        NotImplementedError: the schema has a keyword that is not known here.
    """
    root = schema if root is None else root
    for keyword, want in schema.items():
        if keyword in _ANNOTATIONS or keyword in {"required", "additionalProperties"}:
            continue
        if keyword == "$ref":
            yield from faults(value, _resolve(want, root), root, where)
        elif keyword == "anyOf":
            yield from _none_fits(value, want, root, where)
        elif keyword == "properties":
            yield from _members(value, schema, root, where)
        elif keyword == "items":
            for k, item in enumerate(value if isinstance(value, list) else ()):
                yield from faults(item, want, root, f"{where}[{k}]")
        elif not _obeys(keyword, value, want):
            yield f"{where} {_complaint(keyword, want)}"


def _is_bool(value: Any) -> bool:  # a number in Python, none in JSON
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not _is_bool(value)


def _resolve(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _none_fits(value: Any, forms: list[Any], root: Mapping[str, Any], where: str) -> Iterator[str]:
    first = [next(faults(value, form, root, where), None) for form in forms]
    if None not in first:
        yield " or ".join(dict.fromkeys(str(f) for f in first))


def _members(
    value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str
) -> Iterator[str]:
    """``properties``, ``required`` and ``additionalProperties``, which stand together."""
    if not isinstance(value, dict):
        return
    known, others = schema["properties"], schema.get("additionalProperties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{where} lacks {name!r}"
    for name, item in value.items():
        if name in known:
            yield from faults(item, known[name], root, f"{where}: {name}")
        elif others is False:
            yield f"{where} has the unknown entry {name!r}"
        else:
            yield from faults(item, others, root, f"{where}: {name}")


def _obeys(keyword: str, value: Any, want: Any) -> bool:
    if keyword == "type":
        return any(_TYPES[name](value) for name in ([want] if isinstance(want, str) else want))
    if keyword in {"const", "enum"}:
        return any(value == w and _is_bool(value) is _is_bool(w) for w in _allowed(keyword, want))
    if keyword not in _RULES:
        msg = f"the JSON Schema keyword {keyword!r}"
        raise NotImplementedError(msg)
    about, rule, _ = _RULES[keyword]
    return not _TYPES[about](value) or rule(value, want)


def _allowed(keyword: str, want: Any) -> list[Any]:
    return [want] if keyword == "const" else list(want)


def _complaint(keyword: str, want: Any) -> str:
    if keyword == "type":
        return f"is not of type {want if isinstance(want, str) else ' or '.join(want)}"
    if keyword in {"const", "enum"}:
        return f"is none of {', '.join(map(repr, _allowed(keyword, want)))}"
    return _RULES[keyword][2].format(repr(want))
