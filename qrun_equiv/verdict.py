"""A verdict, as it is asked and printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from qrun_equiv.conclusions import (
    EQUIVALENT,
    KINDS,
    LINKS,
    SHOTS,
    STRENGTHS,
    Check,
    Counterexample,
    Status,
)

if TYPE_CHECKING:
    from qrun_equiv.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison concluded.

    Attributes:
        status: the strength; see :class:`Status`.
        certificate: what it rests on.
        seconds: wall time of the comparison.
    """

    status: Status
    certificate: Certificate
    seconds: float

    @property
    def equivalent(self) -> bool:
        """True for ``proved``, ``certified`` and ``sampled``."""
        return self.status in EQUIVALENT

    def __bool__(self) -> NoReturn:
        msg = "a Verdict has no truth value: ask verdict.equivalent or verdict.status"
        raise TypeError(msg)

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that were made."""
        return self.certificate.checks

    @property
    def counterexample(self) -> Counterexample | None:
        """The witness of a refutation."""
        return self.certificate.counterexample

    @property
    def reason(self) -> str:
        """Why undecided; empty otherwise."""
        return self.certificate.reason

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a reader has to know."""
        return self.certificate.notes

    @property
    def seed(self) -> int:
        """Seed of the random points."""
        return int(self.certificate.settings.get("seed", 0))

    def worst(self, name: str) -> float | None:
        """Largest error of one kind of check over all pairs of sources; ``None`` if not made."""
        errors = [c.error for c in self.checks if c.name == name and c.error is not None]
        return max(errors, default=None)

    def __str__(self) -> str:
        lines = [f"{self.status.value}: {self.status.meaning}"]
        # a stronger level that was tried and not reached is no fault of the pair
        missed = "open" if self.equivalent else "FAIL"
        for name in (*STRENGTHS, *KINDS, SHOTS, *LINKS):
            lines += [f"  {line}" for line in _summary(self.checks, name, missed)]
        if self.counterexample is not None:
            lines.append(f"  witness: {self.counterexample}")
        if self.reason:
            lines.append(f"  reason: {self.reason}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)


def _summary(checks: Sequence[Check], name: str, missed: str) -> list[str]:
    lines = []
    for check in checks:
        if check.name != name:
            continue
        who = " vs ".join(check.between)
        if check.status == "skipped":
            lines.append(f"{name:24} {who}: not made ({check.note})")
        else:
            mark = "ok  " if check.status == "passed" else missed
            lines.append(f"{name:24} {mark} {check.error:.1e} <= {check.bound:.0e}  {who}")
    return lines
