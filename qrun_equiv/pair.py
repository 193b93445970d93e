"""A pair: one circuit family, its counterpart, the claim about them, and the file it stands in."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from qrun_equiv.certificate import EQUIVALENT, Status, Verdict
from qrun_equiv.comparison import Level
from qrun_equiv.errors import PairError
from qrun_equiv.frontends.base import Source
from qrun_equiv.frontends.counterpart import CounterpartSource
from qrun_equiv.frontends.sources import circuit_sources
from qrun_equiv.verification import GRADIENTS, verify

Claim = Literal["equal", "approximates", "different"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A circuit and its classical counterpart, with a claim that the harness checks.

    Attributes:
        name: unique, as it stands in tables.
        counterpart: ``(x, theta) -> outputs`` in torch; see :func:`qrun_equiv.verify`.
        pennylane: QNode or quantum function ``f(x, theta)``.
        qiskit: ``QuantumCircuit``, or a function that returns one.
        qasm: path to an OpenQASM 3 file.
        observable: for Qiskit and OpenQASM, a ``SparsePauliOp`` or a list of them.
        n_features: length of ``x``; read off the circuit where it can be.
        n_parameters: length (or shape) of ``theta``.
        claim: ``"equal"``; ``"approximates"`` within ``epsilon``; or ``"different"``: a mistake
            that must come out refuted.
        epsilon: largest absolute difference of an output that counts as an approximation.
        parameters: the parameters that the claim is about; all of them where left out.
        source: where it comes from (paper, equation).
        summary: one sentence for a person.
        mathematics: the identity in formulas.
        domain: as for :func:`qrun_equiv.verify`.
        data: rows ``[rows, n_features]`` that are also checked, or a function that returns them.
        data_source: what the rows are, and how they became angles.
        trained: parameters trained on that data.
        gradients: which gradients are compared.
        path: the file it was collected from.
    """

    name: str
    counterpart: Callable[..., Any]
    pennylane: Any = None
    qiskit: Any = None
    qasm: str | Path | None = None
    observable: Any = None
    n_features: int | None = None
    n_parameters: int | Sequence[int] | None = None
    claim: Claim = "equal"
    epsilon: float | None = None
    parameters: Any = None
    source: str = ""
    summary: str = ""
    mathematics: str = ""
    domain: Any = None
    data: Any = None
    data_source: str = ""
    trained: Any = None
    gradients: Sequence[str] = GRADIENTS
    path: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            msg = f"a Pair needs a name, got {self.name!r}"
            raise PairError(msg)
        if self.claim not in get_args(Claim):
            msg = f"pair {self.name!r}: claim {self.claim!r} is none of {get_args(Claim)}"
            raise PairError(msg)
        if self.claim == "approximates" and self.epsilon is None:
            msg = f"pair {self.name!r} claims an approximation: how close? give epsilon="
            raise PairError(msg)
        if self.claim == "equal" and self.epsilon is not None:
            msg = f"pair {self.name!r}: epsilon goes with the claim 'approximates', not 'equal'"
            raise PairError(msg)
        if self.pennylane is None and self.qiskit is None and self.qasm is None:
            msg = f"pair {self.name!r} has no circuit: give pennylane=, qiskit= or qasm="
            raise PairError(msg)
        if not callable(self.counterpart):
            msg = f"pair {self.name!r}: counterpart must be callable, got {self.counterpart!r}"
            raise PairError(msg)

    def circuits(self) -> dict[str, Any]:
        """The native circuits by framework; a Qiskit function is called."""
        found: dict[str, Any] = {}
        if self.pennylane is not None:
            found["pennylane"] = self.pennylane
        if self.qiskit is not None:
            found["qiskit"] = self.qiskit_circuit()
        if self.qasm is not None:
            found["qasm"] = self.qasm
        return found

    def qiskit_circuit(self) -> Any:
        """The Qiskit circuit itself."""
        is_builder = callable(self.qiskit) and not hasattr(self.qiskit, "num_qubits")
        return self.qiskit() if is_builder else self.qiskit

    def sources(self) -> dict[str, Source]:
        """Everything that is compared, by name: ``.values(x, theta)`` and ``.gradients(x, theta)``.

        ``x [batch, n_features]`` and ``theta [n_parameters]`` are float64 arrays.
        """
        circuits, sizes = circuit_sources(
            self.circuits(), self.observable, self.n_features, self.n_parameters
        )
        every: list[Source] = [*circuits, CounterpartSource(self.counterpart, sizes)]
        return {source.name: source for source in every}

    def rows(self) -> Any:
        """The data rows, loaded; ``None`` where the pair names no data."""
        return self.data() if callable(self.data) else self.data

    def verify(self, *, level: Level = "auto", seed: int = 0) -> Verdict:
        """Verdict on this pair; see :func:`qrun_equiv.verify` for what it raises."""
        verdict = verify(
            self.circuits(),
            self.counterpart,
            n_features=self.n_features,
            n_parameters=self.n_parameters,
            observable=self.observable,
            domain=self.domain,
            data=self.rows(),
            parameters=self.parameters,
            trained=self.trained,
            gradients=self.gradients,
            epsilon=self.epsilon,
            level=level,
            seed=seed,
        )
        return replace(verdict, certificate=replace(verdict.certificate, pair=self.name))

    def as_claimed(self, status: Status) -> bool:
        """Whether a status is what the pair claims."""
        return status is Status.REFUTED if self.claim == "different" else status in EQUIVALENT


def catalogue_folder() -> Path:
    """The shipped pair files: inside an installed package, or beside it in a source tree.

    Raises:
        PairError: neither place has them.
    """
    here = Path(__file__).parent
    for folder in (here / "circuits", here.parent / "circuits"):
        if folder.is_dir():
            return folder
    msg = f"the shipped circuits are missing beside {here}; reinstall qrun-equiv"
    raise PairError(msg)


def collect(paths: Iterable[str | Path]) -> list[Pair]:
    """Pairs of files and folders, in order; folders give every ``*.py`` that names ``Pair``.

    Files named ``_*.py`` are helpers. Other files of a folder are not imported: they may be scripts
    that do something.

    Raises:
        PairError: a path is missing, a file can't be imported or holds no pair, two pairs have the
            same name.
    """
    pairs: dict[str, Pair] = {}
    for path in paths:
        for file in _files(Path(path)):
            if file.name.startswith("_"):  # a helper, from a shell's *.py
                continue
            for pair in load_file(file):
                if pair.name in pairs:
                    msg = (
                        f"two pairs are named {pair.name!r}: in {pairs[pair.name].path} and {file}"
                    )
                    raise PairError(msg)
                pairs[pair.name] = pair
    if not pairs:
        msg = "only helper files (_*.py) were named; name the pair files"
        raise PairError(msg)
    return list(pairs.values())


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted(p for p in path.glob("*.py") if not p.name.startswith("_") and defines(p))
        if not files:
            msg = f"the folder {path} has no pair files (*.py that call Pair of qrun_equiv)"
            raise PairError(msg)
        return files
    if not path.exists():
        msg = f"no such pair file: {path}"
        raise PairError(msg)
    if path.suffix != ".py":
        msg = f"{path} is no pair file: a pair file is Python (*.py) and defines a Pair"
        raise PairError(msg)
    return [path]


def defines(path: Path) -> bool:
    """Whether a file looks as if it defined a pair, by its text alone."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return "qrun_equiv" in text and "Pair(" in text


def load_file(path: Path) -> list[Pair]:
    """The pairs that a file defines at its top level.

    Raises:
        PairError: it can't be imported (with the line), or defines no pair.
    """
    module = _import(path.resolve())
    pairs = [v for v in vars(module).values() if isinstance(v, Pair)]
    pairs += [p for v in vars(module).values() if isinstance(v, list | tuple) for p in v
              if isinstance(p, Pair)]  # fmt: skip
    unique = list({id(p): p for p in pairs}.values())
    if not unique:
        msg = f"{path} defines no Pair; end it with: pair = Pair(name=..., counterpart=..., ...)"
        raise PairError(msg)
    return [replace(p, path=path.resolve()) for p in unique]


def load_pair(path: str | Path, name: str) -> Pair:
    """One pair of a file by its name.

    Raises:
        PairError: the file is missing or broken, or has no pair of this name.
    """
    pairs = collect([path])
    for pair in pairs:
        if pair.name == name:
            return pair
    msg = f"{path} has no pair {name!r}, but {', '.join(p.name for p in pairs)}"
    raise PairError(msg)


def _import(path: Path) -> ModuleType:
    name = f"qrun_equiv_pair_{abs(hash(str(path))):x}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path} can't be imported as Python"
        raise PairError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # inspect.getsource and pickling look here
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        msg = f"{path}, line {error.lineno}: syntax error: {error.msg}"
        raise PairError(msg) from error
    except PairError as error:
        msg = f"{path}: {error}"
        raise PairError(msg) from error
    except (Exception, SystemExit) as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__)
                 if f.filename == str(path)]  # fmt: skip
        where = f", line {lines[-1]}" if lines else ""
        msg = f"{path}{where}: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise PairError(msg) from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def select(pairs: Sequence[Pair], pattern: str | None) -> list[Pair]:
    """Pairs whose name contains the pattern.

    Raises:
        PairError: none does.
    """
    if not pattern:
        return list(pairs)
    chosen = [p for p in pairs if pattern.lower() in p.name.lower()]
    if not chosen:
        msg = f"no pair's name contains {pattern!r}; see: qrun-equiv list"
        raise PairError(msg)
    return chosen


def verdict_json(pair: Pair, verdict: Verdict) -> Mapping[str, Any]:
    """One entry of the ``--json`` file."""
    body = verdict.certificate.to_json()
    return {
        "name": pair.name,
        "claim": pair.claim,
        "status": verdict.status.value,
        "as_claimed": pair.as_claimed(verdict.status),
        "reason": verdict.reason,
        "notes": list(verdict.notes),
        "checks": body["checks"],
        "counterexample": body["counterexample"],
        "seconds": round(verdict.seconds, 4),
        "seed": verdict.seed,
    }
