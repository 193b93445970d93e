"""pytest plugin: pair files are collected as tests, one a pair.

A file named ``pair_*.py`` or ``*_pair.py`` that uses qrun_equiv is collected where pytest finds it;
any pair file can be named on the command line with ``--qrun-pairs``. The test passes where the pair
comes out as claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATTERNS = ("pair_*.py", "*_pair.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the plugin."""
    group = parser.getgroup("qrun-equiv")
    group.addoption(
        "--qrun-pairs",
        action="append",
        default=[],
        metavar="PATH",
        help="pair file, or folder of pair files, to verify as tests",
    )
    group.addoption("--qrun-seed", type=int, default=0, help="seed of the random points")


def pytest_configure(config: pytest.Config) -> None:
    """Add the named pair files to what is collected."""
    for path in config.getoption("--qrun-pairs"):
        if not Path(path).exists():
            raise pytest.UsageError(f"--qrun-pairs: no such file or folder: {path}")
        if str(path) not in config.args:
            config.args.append(str(path))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a pair file by its name, or because it was asked for."""
    if file_path.suffix != ".py" or file_path.name.startswith("_"):
        return None
    if _asked_for(file_path, parent.config) or _is_pair_file(file_path):
        return PairFile.from_parent(parent, path=file_path)
    return None


def _is_pair_file(path: Path) -> bool:
    """By name and content: other projects have files named ``pair_*.py`` too."""
    if path.name.startswith("test_") or not any(path.match(p) for p in PATTERNS):
        return False
    from qrun_equiv.pair import defines

    return defines(path)


def _asked_for(path: Path, config: pytest.Config) -> bool:
    for named in config.getoption("--qrun-pairs"):
        place = Path(named).resolve()
        if path.resolve() == place or path.resolve().parent == place:
            return True
    return False


class PairFile(pytest.File):
    """A file of pairs."""

    def collect(self) -> Iterator[PairItem]:
        """One item a pair."""
        from qrun_equiv.pair import load_file

        for pair in load_file(self.path):
            yield PairItem.from_parent(self, name=pair.name, pair=pair)


class NotAsClaimed(Exception):  # noqa: N818 - its name is what pytest shows
    """A pair did not come out as claimed."""


class PairItem(pytest.Item):
    """One pair as a test."""

    def __init__(self, *, pair: Any, **options: Any) -> None:
        super().__init__(**options)
        self.pair = pair

    def runtest(self) -> None:
        """Verify the pair; fail where it is not as claimed."""
        from qrun_equiv.runner import run_pair

        verdict = run_pair(self.pair, seed=self.config.getoption("--qrun-seed"))
        if not self.pair.as_claimed(verdict.status):
            raise NotAsClaimed(f"claimed {self.pair.claim}\n{verdict}")

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The verdict in words; a traceback only for what is no verdict."""
        if isinstance(excinfo.value, NotAsClaimed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the pair stands."""
        return self.path, None, f"pair {self.name}"
