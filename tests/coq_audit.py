"""The audit of the Coq proofs: what `coqc` accepts is not yet what a reader may believe.

``Admitted``, an axiom or a weakened definition leave ``coqc`` at exit code 0. The audit compiles a
copy of ``proofs/coq`` from scratch and holds against it

- the source: no command that leaves a proof open, assumes something or turns a check off;
- ``Print Assumptions`` of every theorem of ``Headlines.v`` against ``axioms.txt``, name by name;
- every section of the report of ``coqchk``, the independent checker of compiled files;
- ``Headlines.v`` itself: its statements are those whose digest ``axioms.txt`` holds, and every
  definition that they rest on is repeated there.

``python tests/coq_audit.py`` runs it and prints the theorems, what they assume and the times.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "proofs" / "coq"
LIBRARY = "QrunEquiv"
PACKAGES = "apt install coq libcoq-coquelicot"
TOOLS = ("coqc", "coqchk")

# Words that no sentence may hold, wherever they stand.
FORBIDDEN = (
    "Admitted", "admit", "Admit", "give_up", "Axiom", "Axioms", "Parameter", "Parameters",
    "Conjecture", "Conjectures", "Unset", "bypass_check", "Declare", "Extract", "Extraction",
    "Primitive", "Register", "Load", "Redirect", "Coercion", "Canonical", "Infix", "Module",
    "Include", "Export", "vm_cast_no_check", "exact_no_check", "native_cast_no_check",
)  # fmt: skip
# Commands that are harmless inside a section only, where they become arguments of what is proved.
SECTION_ONLY = ("Hypothesis", "Hypotheses", "Variable", "Variables", "Context")
ROOTS = ("Coq", "Coquelicot", LIBRARY)
SECTIONS = {
    "Theory": "Set is predicative",
    "Constants/Inductives relying on type-in-type": "<none>",
    "Constants/Inductives relying on unsafe (co)fixpoints": "<none>",
    "Inductives whose positivity is assumed": "<none>",
}
_NAME = r"[A-Za-z_][\w']*"


class AuditError(Exception):
    """Coq stopped with an error, or something that the audit needs is missing."""


@dataclass
class Report:
    """What the audit found; it is green where ``problems`` is empty."""

    problems: list[str] = field(default_factory=list)
    assumptions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    proved_by: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


# --- source ---------------------------------------------------------------------------------------


def stripped(text: str) -> str:
    """Coq source without comments (they nest) and with empty strings, line breaks kept."""
    out, depth, place, quoted = [], 0, 0, False
    while place < len(text):
        pair = text[place : place + 2]
        if text[place] == '"':
            quoted = not quoted
            out.append('"' if not depth else "")
        elif quoted or depth or pair == "(*":
            step = 0 if quoted else (pair == "(*") - (pair == "*)")
            depth += step
            out.append("\n" if text[place] == "\n" else "")
            place += abs(step)
        else:
            out.append(text[place])
        place += 1
    return "".join(out)


def sentences(text: str) -> list[str]:
    """The sentences of Coq source, each on one line, without leading bullets and braces."""
    parts = re.split(r"\.(?=\s|$)", stripped(text))
    flat = (re.sub(r"\s+", " ", part).strip() for part in parts)
    return [re.sub(r"^(?:[-+*]+ ?|[{}] ?)+", "", part) for part in flat if part]


def scan(folder: Path) -> list[str]:
    """What the source may not hold, one line each."""
    found = []
    for path in sorted(folder.glob("*.v")):
        found += [f"{path.name}: {problem}" for problem in _scan(path.read_text())]
    return found + _scan_project(folder)


def _scan(text: str) -> Iterable[str]:
    depth = 0
    for sentence in sentences(text):
        short = sentence[:80]
        words = set(re.findall(_NAME, sentence))
        for word in FORBIDDEN:
            if word in words:
                yield f"{word!r} in: {short}"
        bare = re.sub(r"^(?:#\[[^]]*\] ?|(?:Local|Global|Polymorphic|Program) )+", "", sentence)
        command = (re.findall(_NAME, bare) or [""])[0]
        depth += (command == "Section") - (command == "End")
        if command in SECTION_ONLY and depth < 1:
            yield f"{command!r} outside a section: {short}"
        if command == "Set" or (command == "Notation" and '"' in bare) or "#[" in sentence:
            yield f"an option, attribute or symbolic notation: {short}"
        # A name without a dot can only be one of Coq's own library.
        if command in ("Require", "Import") and "." in bare:
            yield f"import without 'From': {short}"
        if command == "From" and not re.match(rf"From (?:{'|'.join(ROOTS)}) Require", bare):
            yield f"a library outside {', '.join(ROOTS)}: {short}"


def project(folder: Path) -> list[str]:
    """The files of ``_CoqProject``."""
    return re.findall(r"(?m)^(\w+\.v)$", (folder / "_CoqProject").read_text())


def _scan_project(folder: Path) -> list[str]:
    lines = (folder / "_CoqProject").read_text().split("\n")
    odd = [x for x in lines if x and x != f"-Q . {LIBRARY}" and not re.fullmatch(r"\w+\.v", x)]
    listed, there = set(project(folder)), {p.name for p in folder.glob("*.v")}
    return [f"_CoqProject: {line!r} is neither the library's name nor a file" for line in odd] + [
        f"_CoqProject and the folder do not agree on {name}" for name in sorted(listed ^ there)
    ]


# --- compiling ------------------------------------------------------------------------------------


def missing() -> list[str]:
    """The tools that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def coq(folder: Path, *command: str, both: bool = False) -> tuple[str, float]:
    """Standard output (with standard error) of a command in a folder, and its seconds."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        error = done.stderr[done.stderr.rfind("\nFile ") + 1 :] if done.stderr else done.stdout
        msg = f"{' '.join(command[-1:])}: {error.strip()[:600]}"
        raise AuditError(msg)
    printed = done.stdout + done.stderr if both else done.stdout
    return printed, time.perf_counter() - begun


def compiled(folder: Path, name: str) -> tuple[str, float]:
    """Compile one file."""
    return coq(folder, "coqc", "-q", "-Q", ".", LIBRARY, name)


def needs(folder: Path, name: str) -> set[str]:
    """The files of the library that a file imports."""
    found = set()
    for sentence in sentences((folder / name).read_text()):
        if sentence.startswith(f"From {LIBRARY} "):
            modules = re.sub(rf"^From {LIBRARY} Require(?: Import)?", "", sentence)
            found |= {f"{module}.v" for module in modules.split()}
    return found


def build(folder: Path, names: Sequence[str], jobs: int) -> dict[str, float]:
    """Compile files in an order that fits their imports; seconds of each."""
    waiting = {name: needs(folder, name) & set(names) for name in names}
    running: dict[Future[tuple[str, float]], str] = {}
    seconds: dict[str, float] = {}
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            for name in [n for n, imports in waiting.items() if imports <= seconds.keys()]:
                del waiting[name]
                running[pool.submit(compiled, folder, name)] = name
            if not running:
                msg = f"the imports of {', '.join(waiting)} go in a circle, or a file is missing"
                raise AuditError(msg)
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(done)
                seconds[name] = done.result()[1]
    return seconds


# --- assumptions ----------------------------------------------------------------------------------


def headlines(folder: Path) -> list[str]:
    """The names of the theorems of ``Headlines.v``."""
    return re.findall(r"(?m)^Theorem (\w+)", (folder / "Headlines.v").read_text())


def without_printing(folder: Path) -> None:
    """Drop the printing from ``Headlines.v``, so that the audit can do it in parallel."""
    path = folder / "Headlines.v"
    path.write_text(re.sub(r"(?m)^Print Assumptions \w+\.$", "", path.read_text()))


def assumptions(folder: Path, names: Sequence[str], shard: str = "0") -> dict[str, tuple[str, ...]]:
    """What each theorem rests on, as Coq prints it."""
    marks = [f"Print Assumptions {name}." for name in names]
    text = f"From {LIBRARY} Require Import Headlines.\n" + "\n".join(marks)
    path = folder / f"printed_{shard}.v"
    path.write_text(text + "\n")
    try:
        printed = compiled(folder, path.name)[0]
    finally:
        path.unlink()
    blocks = re.split(r"(?m)^(?=Axioms:|Closed under)", printed)[1:]
    if len(blocks) != len(names):
        msg = f"{len(names)} theorems, but Coq printed the assumptions of {len(blocks)}"
        raise AuditError(msg)
    return {name: _axioms(block) for name, block in zip(names, blocks, strict=True)}


def _axioms(block: str) -> tuple[str, ...]:
    """Entries stand at the beginning of a line, their types are indented."""
    entries = [x for x in block.split("\n")[1:] if x.strip() and not x[0].isspace()]
    named = [re.match(rf"({_NAME}(?:\.{_NAME})*)(?: :|$)", entry) for entry in entries]
    return tuple(sorted(m[1] if m else e for m, e in zip(named, entries, strict=True)))


@dataclass(frozen=True)
class Allowed:
    """``axioms.txt``: the axioms, which of them each headline rests on, the statements' digest."""

    axioms: dict[str, str]
    headlines: dict[str, tuple[str, ...]]
    digest: str

    @staticmethod
    def read(folder: Path) -> Allowed:
        """Read the committed list."""
        axioms, by_name, digest = {}, {}, ""
        for line in (folder / "axioms.txt").read_text().split("\n"):
            kind, *rest = line.split("#")[0].split() or [""]
            if kind == "axiom":
                axioms[rest[0]] = rest[1]
            elif kind == "statements":
                digest = rest[0]
            elif kind:
                by_name[kind] = tuple(sorted(axioms.get(x, x) for x in rest))
        return Allowed(axioms, by_name, digest)


def against(allowed: Allowed, found: dict[str, tuple[str, ...]]) -> list[str]:
    """Where printed assumptions and the committed list differ."""
    out = []
    for name, axioms in found.items():
        listed = allowed.headlines.get(name)
        if listed is None:
            out.append(f"axioms.txt does not list {name}")
        elif axioms != listed:
            more = sorted(set(axioms) - set(listed))
            text = f"assumes {', '.join(more)}" if more else "assumes less than axioms.txt says"
            out.append(f"{name} {text}")
    return out


def checked(folder: Path, allowed: Allowed) -> list[str]:
    """What the independent checker reports that it should not."""
    names = [f"{LIBRARY}.{name[:-2]}" for name in project(folder)]
    printed = coq(folder, "coqchk", "-silent", "-o", "-Q", ".", LIBRARY, *names, both=True)[0]
    found: dict[str, list[str]] = {}
    for title, body in re.findall(r"(?ms)^\* ([^:\n]+):(.*?)(?=^\* |\Z)", printed):
        found[title] = [line.strip() for line in body.split("\n") if line.strip()]
    out = []
    for title, wanted in SECTIONS.items():
        if found.pop(title, None) != [wanted]:
            out.append(f"coqchk: section {title!r} is not {wanted!r}")
    suffixes = tuple(f".{axiom}" for axiom in allowed.axioms.values())
    axioms = found.pop("Axioms", ["no such section"])
    out += [f"coqchk: axiom {axiom}" for axiom in axioms if not axiom.endswith(suffixes)]
    return out + [f"coqchk: a section that the audit does not know, {title!r}" for title in found]


# --- statements -----------------------------------------------------------------------------------


def digest(folder: Path) -> str:
    """Digest of all that ``Headlines.v`` states: without comments, proofs and printing."""
    kept = [
        s
        for s in sentences((folder / "Headlines.v").read_text())
        if re.match(r"(?:Theorem|Lemma|From|Import|Local Open Scope) ", s)
    ]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()[:16]


def defined(folder: Path) -> dict[str, set[str]]:
    """For each name that the library makes, the files that make it; a theorem may be one, too.

    A name of Coq's own library that is made anew (another ``cos``) is found in this way as well.
    """
    found: dict[str, set[str]] = {}
    kinds = "Definition|(?:Co)?Fixpoint|Inductive|Variant|Record|Structure|Class|Instance|Notation"
    kinds += "|Function|Theorem|Lemma|Corollary|Fact|Remark|Proposition|Example|Ltac|Let"
    for name in project(folder):
        if name != "Headlines.v":
            for sentence in sentences((folder / name).read_text()):
                bare = re.sub(r"^(?:(?:Local|Global|Polymorphic|Program) )+", "", sentence)
                made = re.findall(rf"^(?:{kinds}) ({_NAME})", bare)
                if re.match("Inductive|Variant|Record|Structure|Class", bare):
                    made += re.findall(rf"(?::=|\||;|{{) ?({_NAME})", bare)
                if re.match("(?:Co)?Fixpoint|Inductive|Function", bare):
                    made += re.findall(rf" with ({_NAME}) .*?:=", bare)
                for one in made:
                    found.setdefault(one, set()).add(name[:-2])
    return found


def unrepeated(folder: Path) -> list[str]:
    """Definitions that the statements of ``Headlines.v`` use and that it does not repeat."""
    text = sentences((folder / "Headlines.v").read_text())
    stated = " ".join(s for s in text if s.startswith(("Theorem", "Lemma")))
    used = set(re.findall(rf"{_NAME}(?:\.{_NAME})?", stated))
    there = set(re.findall(r"definition_of_([\w']+)", stated))
    known, visible, out = defined(folder), imported(folder, "Headlines.v"), set()
    for name in used:
        *module, last = name.split(".")
        if known.get(last, set()) & (set(module) or visible):
            wanted = name.removeprefix("SchwartzZippel.")
            if wanted.replace(".", "_") not in there and wanted not in UNREPEATED:
                out.add(f"Headlines.v does not repeat the definition of {wanted}")
    return sorted(out)


def imported(folder: Path, name: str) -> set[str]:
    """The modules of the library of which a file uses names without the module's."""
    opening = f"From {LIBRARY} Require Import "
    text = sentences((folder / name).read_text())
    return {m for s in text if s.startswith(opening) for m in s.removeprefix(opening).split()}


# What needs no repetition of its own: [fp_dec] decides an equality, whatever way; the letters are
# told apart by [value] and [Universality.feature], the parts of a core by [Universality.core_at];
# the symbols, gates, Pauli matrices and operations of a certificate by [symbol_value],
# [gate_matrix], [pauli_matrix] and [operation_value]. The theorem about [Certificate.check] holds
# for what it accepts, whatever it computes from the steps.
UNREPEATED = {"fp_dec", "One", "Cos", "Sin", "Universality.Core"}
UNREPEATED |= {f"Universality.{letter}" for letter in ("One", "Cos", "Sin")}
UNREPEATED |= {f"Polynomial.{s}" for s in ("Feature", "Theta", "PiNumber", "RootTwo", "Arccos")}
UNREPEATED |= {f"Certificate.{gate}" for gate in ("RX", "RY", "RZ", "PhaseShift", "Hadamard")}
UNREPEATED |= {f"Certificate.{gate}" for gate in ("PhaseS", "PhaseT", "Pauli")}
UNREPEATED |= {f"Certificate.{p}" for p in ("IdentityOp", "SigmaX", "SigmaY", "SigmaZ")}
UNREPEATED |= {f"Certificate.{o}" for o in ("Number", "Cos", "Sin", "Sqrt", "Inv", "Opp")}
UNREPEATED |= {f"Certificate.{o}" for o in ("Add", "Mul", "check", "step", "Gate", "Compute")}


# --- all of it ------------------------------------------------------------------------------------


def copied(source: Path, folder: Path) -> Path:
    """A copy of the source alone, or of a folder that was built before with what was built."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_file() and (path.suffix in (".v", ".vo", ".txt") or path.name == "_CoqProject"):
            shutil.copy2(path, folder)
    return folder


def audit(folder: Path, *, jobs: int = 2) -> Report:
    """Audit a copy of the proofs, from scratch; it is changed by this."""
    for path in folder.glob("*.vo"):
        path.unlink()
    report, allowed = _before(folder), Allowed.read(folder)
    names = headlines(folder)
    without_printing(folder)
    try:
        report.seconds |= build(folder, project(folder), jobs)
        with ThreadPoolExecutor(jobs) as pool:
            chk = pool.submit(_timed, checked, folder, allowed)
            parts = [names[k::jobs] for k in range(jobs)]
            found = [
                pool.submit(_timed, assumptions, folder, part, str(k))
                for k, part in enumerate(parts)
            ]
            for done in found:
                report.assumptions |= done.result()[0]
            problems, report.seconds["coqchk"] = chk.result()
        report.seconds["Print Assumptions"] = sum(done.result()[1] for done in found)
    except AuditError as error:
        report.problems.append(str(error))
        return report
    report.assumptions = {name: report.assumptions[name] for name in names}
    report.problems += [*problems, *against(allowed, report.assumptions)]
    return report


def reaudit(folder: Path, changed: Sequence[str], names: Sequence[str]) -> Report:
    """Audit a built copy after a change: compile what changed, look at some of the headlines."""
    report, allowed = _before(folder), Allowed.read(folder)
    without_printing(folder)
    try:
        report.seconds |= build(folder, [*dict.fromkeys([*changed, "Headlines.v"])], 1)
        report.assumptions = assumptions(folder, names)
    except AuditError as error:
        report.problems.append(str(error))
        return report
    report.problems += against(allowed, report.assumptions)
    return report


def _before(folder: Path) -> Report:
    """What needs no Coq."""
    report, allowed = Report(scan(folder) + unrepeated(folder)), Allowed.read(folder)
    for name in sorted(allowed.headlines.keys() - set(headlines(folder))):
        report.problems.append(f"axioms.txt lists {name}, which Headlines.v does not state")
    if digest(folder) != allowed.digest:
        report.problems.append(
            f"the statements of Headlines.v have the digest {digest(folder)}, another one than in "
            "axioms.txt: read what changed, then write it there"
        )
    text = (folder / "Headlines.v").read_text()
    proofs = re.findall(r"(?s)\nTheorem (\w+).*?\nProof\.(.*?)Qed\.", text)
    report.proved_by = {name: _origin(folder, proof) for name, proof in proofs}
    return report


def _origin(folder: Path, proof: str) -> str:
    """File and name of the theorem that a headline is taken from."""
    for name in re.findall(_NAME, proof):
        for path in sorted(folder.glob("*.v")):
            if path.name != "Headlines.v" and states(path, name):
                return f"{path.name}, {name}"
    return "-"


def states(path: Path, name: str) -> bool:
    """Whether a file has a theorem of this name."""
    kinds = "Theorem|Lemma|Corollary|Example"
    return re.search(rf"(?m)^(?:{kinds}) {re.escape(name)}\b", path.read_text()) is not None


def _timed(function: Callable[..., Any], *arguments: object) -> tuple[Any, float]:
    begun = time.perf_counter()
    return function(*arguments), time.perf_counter() - begun


def say(line: str = "") -> None:
    """Write a line."""
    sys.stdout.write(line + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the audit, print what it found; 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="Compile and audit the Coq proofs.")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    jobs = parser.parse_args(arguments).jobs
    if missing():
        say(f"{' and '.join(missing())} not found; on Debian and Ubuntu: {PACKAGES}")
        return 1
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = copied(SOURCE, Path(scratch) / "coq")
        report = audit(folder, jobs=jobs)
    width = max(map(len, report.assumptions), default=0)
    for name, axioms in report.assumptions.items():
        say(f"{name:{width}}  {report.proved_by.get(name, '-')}")
        say(f"{'':{width}}  assumes {', '.join(a.split('.')[-1] for a in axioms) or 'nothing'}")
    say()
    for name, seconds in report.seconds.items():
        say(f"{name:20}{seconds:8.1f} s")
    say(f"{'in total':20}{time.perf_counter() - begun:8.1f} s\n")
    for problem in report.problems:
        say(f"NOT ACCEPTED: {problem}")
    if not report.problems:
        say(f"{len(report.assumptions)} theorems, nothing assumed that axioms.txt does not list")
    return min(1, len(report.problems))


if __name__ == "__main__":
    sys.exit(main())
