"""The manifest beside an output: where it is from, what admitted it, what was checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qrun_equiv.files import write_atomically
from qrun_equiv.streaming.errors import RunError
from qrun_equiv.streaming.journal import writing

SCHEMA = 1
_KIND = "qrun-equiv run"


def manifest_path(output: Path) -> Path:
    """``out.npy`` has its manifest in ``out.npy.manifest.json``."""
    return output.with_name(output.name + ".manifest.json")


def write_manifest(output: Path, body: Mapping[str, Any]) -> dict[str, Any]:
    """Write the manifest of an output, atomically, with a checksum over the rest.

    Raises:
        RunError: it can't be written.
    """
    whole: dict[str, Any] = {"schema": SCHEMA, "kind": _KIND, **body}
    whole["checksum"] = _checksum(whole)
    path = manifest_path(output)
    with writing(path):
        write_atomically(path, json.dumps(whole, indent=1) + "\n")
    return whole


def read_manifest(output: Path) -> dict[str, Any]:
    """The manifest of an output.

    Raises:
        RunError: it is missing, damaged, or none.
    """
    path = manifest_path(output)
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"can't read the manifest {path}: {error.strerror or error}"
        raise RunError(msg) from error
    except ValueError as error:
        msg = f"{path} is no JSON: {error}"
        raise RunError(msg) from error
    if not isinstance(body, dict) or (body.get("kind"), body.get("schema")) != (_KIND, SCHEMA):
        msg = f"{path} is no manifest of qrun-equiv run (schema {SCHEMA})"
        raise RunError(msg)
    checksum = body.pop("checksum", None)
    if checksum != _checksum(body):
        msg = f"{path} was edited or damaged: its checksum does not fit"
        raise RunError(msg)
    return {**body, "checksum": checksum}


def verify_manifest(output: str | Path) -> dict[str, Any]:
    """Hold an output file to its manifest.

    Returns:
        The manifest.

    Raises:
        RunError: the manifest is missing or damaged, the run did not end well, or the file is not
            the one that the run wrote.
    """
    path = Path(output)
    body = read_manifest(path)
    if body["status"] != "complete":
        msg = f"the run of {path} is {body['status']}: {body['reason']}"
        raise RunError(msg)
    if not path.is_file() or path.stat().st_size != body["output"]["bytes"]:
        msg = f"{path} is missing, or not as long as its manifest says"
        raise RunError(msg)
    if file_digest(path) != body["output"]["sha256"]:
        msg = f"{path} is not the file that its manifest describes: its SHA-256 differs"
        raise RunError(msg)
    return body


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _checksum(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
