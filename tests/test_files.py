"""Atomic writes: the whole new file or the old one, and nothing beside it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from qrun_equiv.files import write_atomically


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("content", ["", "α ≤ β\nline\r\n", b"\x00\xff\n", "x" * 10**6])
def test_content_arrives_byte_for_byte(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "file.json"
    assert write_atomically(path, content) == path
    expected = content.encode() if isinstance(content, str) else content
    assert path.read_bytes() == expected
    assert list(tmp_path.iterdir()) == [path]


def test_text_paths_and_missing_folders(tmp_path: Path) -> None:
    written = write_atomically(str(tmp_path / "a" / "b" / "c.txt"), "here")
    assert written == tmp_path / "a" / "b" / "c.txt"
    assert written.read_text() == "here"


def test_a_file_name_alone_is_written_here(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically("plain.txt", "here")
    assert (tmp_path / "plain.txt").read_text() == "here"


def test_an_old_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old and longer than the new one")
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_files_follow_the_umask(tmp_path: Path, mask: int) -> None:
    # A temporary file is readable by its owner only: the result must not be.
    before = os.umask(mask)
    try:
        path = write_atomically(tmp_path / "file", "x")
        assert mode_of(path) == 0o666 & ~mask
        assert os.umask(mask) == mask
    finally:
        os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_old_permissions_are_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    write_atomically(path, "new")
    assert mode_of(path) == mode


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), ValueError("x")])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_keeps_the_old_file_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, step: str
) -> None:
    def fail(*arguments: object) -> None:
        raise error

    path = tmp_path / "file"
    path.write_text("old")
    if step == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(type(error)):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_an_error_without_leftovers(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_atomically(tmp_path / "taken", "x")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_a_file_where_a_folder_is_needed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(OSError, match="file"):
        write_atomically(tmp_path / "file" / "inside.txt", "x")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_writable_is_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(PermissionError):
        write_atomically(folder / "file", "x")
    folder.chmod(0o700)
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder where nobody can write")
def test_a_folder_where_nobody_can_write_is_an_error() -> None:
    with pytest.raises(OSError, match="/proc"):
        write_atomically("/proc/qrun-equiv.json", "x")
