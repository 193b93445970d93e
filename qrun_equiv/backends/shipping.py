"""Files that travel with an item: their text and digest, so that each worker uses the same.

A worker that has a file of the same path (a shared folder, or this machine) uses it in place, with
whatever lies beside it, if it is the same byte for byte, and refuses another copy. Where there is
none it unpacks what was sent. Files of the shipped catalogue are looked up in the worker's own.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import shutil
import socket
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qrun_equiv.backends.pools import BackendError

#: Files of more bytes together are not sent: they have to be in a folder that the workers share.
LARGEST = 256 * 1024

_unpacked: dict[str, Path] = {}


@dataclass(frozen=True, slots=True)
class File:
    """One file: its path below the folder, its SHA-256, and its content where it is sent."""

    name: str
    digest: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class Bundle:
    """A file and the ones that it needs.

    Attributes:
        folder: where they lie on the machine that sends them; empty for the shipped catalogue.
        main: the file's path below the folder.
        files: all of them, ``main`` included.
        digest: SHA-256 of their names and contents.
    """

    folder: str
    main: str
    files: tuple[File, ...]
    digest: str

    @property
    def path(self) -> str:
        """Where the file lies at home, for messages."""
        return str(Path(self.folder) / self.main)


def bundle(path: Path, include: Iterable[Path] = (), catalogue: Path | None = None) -> Bundle:
    """Pack a file, the local modules that a Python file imports, and ``include``.

    Args:
        path: the file.
        include: files, or folders of files, that it reads; in or below its folder.
        catalogue: the shipped catalogue's folder here.

    Raises:
        BackendError: a file can't be read, or lies elsewhere.
    """
    path = path.resolve()
    folder = path.parent
    wanted = {path} | (_imports(path, folder) if path.suffix == ".py" else set())
    for extra in include:
        place = extra.resolve()
        wanted |= {f for f in place.rglob("*") if f.is_file()} if place.is_dir() else {place}
    files = tuple(_file(each, folder) for each in sorted(wanted))
    if sum(len(f.content or b"") for f in files) > LARGEST:
        files = tuple(File(f.name, f.digest, None) for f in files)
    whole = hashlib.sha256("".join(f"{f.name}\0{f.digest}\0" for f in files).encode()).hexdigest()
    home = "" if catalogue is not None and folder == catalogue.resolve() else str(folder)
    return Bundle(home, path.name, files, whole)


def _file(path: Path, folder: Path) -> File:
    if not path.is_relative_to(folder):
        msg = (
            f"{path} can't be sent with a file of {folder}: only what lies in or below that folder"
        )
        raise BackendError(msg)
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"can't read {path}, which workers need: {error.strerror or error}"
        raise BackendError(msg) from error
    return File(path.relative_to(folder).as_posix(), _sha256(content), content)


def _imports(path: Path, folder: Path) -> set[Path]:
    """Modules beside the file that it imports, and those that they import."""
    found: set[Path] = set()
    todo = [path]
    while todo:
        tree = ast.parse(todo.pop().read_bytes())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
                 for alias in node.names}  # fmt: skip
        names |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        for top in {name.split(".")[0] for name in names} - {"qrun_equiv"}:
            package, module = folder / top, folder / f"{top}.py"
            is_package = (package / "__init__.py").is_file()
            files = (
                set(package.rglob("*.py")) if is_package else {module} & set(folder.glob("*.py"))
            )
            todo += sorted(files - found - {path})
            found |= files
    return found


def place(files: Bundle, catalogue: Path | None = None) -> Path:
    """Where the file is on this machine; unpacked where it is not.

    Raises:
        BackendError: this machine has another copy of it, or none and it was too large to send.
    """
    home = Path(files.folder) if files.folder else catalogue
    if home is not None and (home / files.main).is_file():
        for file in files.files:
            _same(home / file.name, file)
        return home / files.main
    if any(file.content is None for file in files.files):
        msg = (
            f"{files.path} is not on {socket.gethostname()} and too large to send: put it in a "
            "folder that all machines have at the same path"
        )
        raise BackendError(msg)
    if files.digest not in _unpacked:
        _unpacked[files.digest] = _unpack(files)
    return _unpacked[files.digest] / files.main


def _same(path: Path, file: File) -> None:
    try:
        content = path.read_bytes()
    except OSError:
        content = None
    if content is None or _sha256(content) != file.digest:
        what = "missing" if content is None else "another copy"
        msg = (
            f"{path} on {socket.gethostname()} is {what}, not the file that this run was started "
            "with: make the machines' copies the same, and start it again"
        )
        raise BackendError(msg)


def _unpack(files: Bundle) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="qrun-equiv-"))  # of this process and user alone
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in files.files:
        target = folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content or b"")
    return folder


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
