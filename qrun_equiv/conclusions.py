"""What a comparison concludes in words and numbers: its status, its checks and the witness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """How strong a verdict is."""

    PROVED = "proved"
    CERTIFIED = "certified"
    SAMPLED = "sampled"
    REFUTED = "refuted"
    UNDECIDED = "undecided"

    @property
    def meaning(self) -> str:
        """One sentence for a person."""
        return _MEANING[self]


_MEANING = {
    Status.PROVED: "an identity for all features and parameters, by exact arithmetic",
    Status.CERTIFIED: "a bound on the difference for all features of the domain, rounding included",
    Status.SAMPLED: "agreement at seeded random points of features and parameters; no proof",
    Status.REFUTED: "they differ: there is a witness, replayed in a second simulator",
    Status.UNDECIDED: "no conclusion; the reason is given",
}

EQUIVALENT = frozenset({Status.PROVED, Status.CERTIFIED, Status.SAMPLED})

#: The kinds of comparison, in the order in which they are made and reported.
OUTPUTS = "outputs"
FEATURES = "gradient wrt features"
PARAMETERS = "gradient wrt parameters"
SPECTRUM = "spectrum"
KINDS = (OUTPUTS, FEATURES, PARAMETERS, SPECTRUM)
#: Stands for the second source where a source is held to the circuit's own frequencies.
OUTSIDE = "accessible frequencies"
#: What holds for every input: an identity by exact arithmetic, a bound on the difference.
IDENTITY = "identity"
BOUND = "bound for all x"
STRENGTHS = (IDENTITY, BOUND)
#: Sampled expectation values, where shots were asked for.
SHOTS = "shots"
#: Links between one circuit's own representations: neutral form, second differentiation method,
#: the gates' definitions in PennyLane and Qiskit.
LINKS = ("neutral form", "native gradients", "gate definitions")
# A gate's definition is compared at enough angles for all of them: a bound, not a sample.
_STRENGTH = {IDENTITY: "proved", BOUND: "certified", LINKS[2]: "certified"}


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison of two sources.

    Attributes:
        name: one of :data:`STRENGTHS`, :data:`KINDS`, :data:`SHOTS` or :data:`LINKS`.
        between: names of the two sources.
        scope: what was covered, for a person.
        error: largest relative error measured (``None`` where the check was skipped).
        bound: the tolerance it was held to.
        evaluations: number of points.
        status: ``"passed"``, ``"failed"`` or ``"skipped"``.
        note: why it was skipped, or what to know.
    """

    name: str
    between: tuple[str, str]
    scope: str
    error: float | None
    bound: float
    evaluations: int
    status: str
    note: str = ""

    @property
    def strength(self) -> str:
        """How strong this link is if it passed: proved, certified or sampled."""
        return _STRENGTH.get(self.name, "sampled")

    @staticmethod
    def skipped(name: str, between: tuple[str, str], note: str) -> Check:
        """A check that could not be made, and why."""
        return Check(name, between, "not made", None, 0.0, 0, "skipped", note)


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A witness of a difference.

    Attributes:
        kind: which comparison failed, one of :data:`KINDS`.
        between: the two sources that differ.
        features: ``x`` at the witness, radians where unscaled.
        parameters: ``theta`` at the witness, flattened.
        output: index of the output.
        component: which derivative or Fourier coefficient, for a person; empty for outputs.
        values: what each of the two sources gives there.
        relative: the difference, relative to the scale of what is compared.
        replay: the same quantity from other simulators or methods, by name.
        diagnosis: one sentence on what differs.
    """

    kind: str
    between: tuple[str, str]
    features: tuple[float, ...]
    parameters: tuple[float, ...]
    output: int
    component: str
    values: Mapping[str, float]
    relative: float
    replay: Mapping[str, float] = field(default_factory=dict)
    diagnosis: str = ""

    @property
    def difference(self) -> float:
        """Absolute difference of the two values."""
        left, right = (self.values[name] for name in self.between)
        return abs(left - right)

    def __str__(self) -> str:
        left, right = self.between
        what = f"{self.kind}{' ' + self.component if self.component else ''}, output {self.output}"
        return (
            f"{what}: {left} {self.values[left]:+.12g}, {right} {self.values[right]:+.12g} "
            f"(difference {self.difference:.3g}) at x={_short(self.features)}, "
            f"theta={_short(self.parameters)}. {self.diagnosis}"
        ).rstrip()


def _short(values: Sequence[float], most: int = 4) -> str:
    shown = ", ".join(f"{v:.6g}" for v in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
