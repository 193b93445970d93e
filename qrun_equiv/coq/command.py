"""What ``qrun-equiv verify PAIR --coq FOLDER`` does after the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from qrun_equiv.certificate import Status, Verdict
from qrun_equiv.coq.check import check, compile_library
from qrun_equiv.coq.emit import write
from qrun_equiv.coq.errors import CoqError
from qrun_equiv.pair import Pair

NOT_SO, UNDECIDED = 1, 3


def certify(
    results: Sequence[tuple[Pair, Verdict]], folder: Path, say: Callable[[str], None]
) -> int:
    """Write Coq certificates of the proved pairs into a folder, and have Coq check them.

    Beside them, in ``library``, is the checker that they import: ``coqc -Q library QrunEquiv
    PAIR.v``, run in the folder, checks one without this program.

    Args:
        results: pairs and their verdicts.
        folder: made if it is missing.
        say: prints a line.

    Returns:
        the exit code: 0, 1 where Coq refuses a pair that was proved, 3 where no pair has a
        certificate.

    Raises:
        CoqError: Coq is missing; the certificates are written by then.
        OSError: the folder can't be written.
    """
    written: list[Path] = []
    for pair, verdict in results:
        if verdict.status is not Status.PROVED:
            say(f"coq      {pair.name}: none, it is {verdict.status.value}")
            continue
        try:
            written.append(write(pair, folder))
        except CoqError as error:
            say(f"coq      {error}")
    if not written:
        return UNDECIDED
    say(f"coq      {len(written)} written to {folder}")
    library = compile_library(folder / "library")
    refused = 0
    for path in written:
        try:
            found = check(path, library=library)
        except CoqError as error:
            refused += 1
            say(f"coq      {path}: NOT PROVED: {error}")
        else:
            theorems = ", ".join(found.theorems)
            say(f"coq      {path}: proved by Coq ({found.seconds:.1f} s): {theorems}")
    return NOT_SO if refused else 0
