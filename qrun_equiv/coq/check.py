"""Run Coq on certificates, and refuse what Coq accepts without a proof."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from qrun_equiv.coq.errors import CoqError

LIBRARY = ("Polynomial.v", "Certificate.v")
#: The axioms of the reals and of cos and sin in Coq's standard library: all that may be assumed.
AXIOMS = frozenset({
    "ClassicalDedekindReals.sig_forall_dec",
    "ClassicalDedekindReals.sig_not_dec",
    "Classical_Prop.classic",
    "FunctionalExtensionality.functional_extensionality_dep",
})  # fmt: skip
_FORBIDDEN = re.compile(
    r"\b(Admitted|admit|Axioms?|Parameters?|Conjecture|Hypothes[ie]s|Variables?|Context|Abort|"
    r"Unset|Set|Declare|Load|Redirect|Notation|Infix|Ltac|Fixpoint|Inductive|Record|Module|Section|"
    r"Let|Coercion|Canonical|Instance|Arguments|Local|Global|Export|Drop|bypass_check|Program)\b"
)
_THEOREM = re.compile(r"^Theorem (\w+) :(.*?)^Proof\.", re.MULTILINE | re.DOTALL)
_STATEMENT = re.compile(
    r"forall x theta : N -> R, (?:-1 <= x \d+%N <= 1 -> )*"
    r"counterpart x theta program \d+ = expectation x theta circuit observable_\d+\."
)
_LISTS = (
    r"circuit : list gate|bases : list base|program : list operation|steps_\d+ : list step|"
    r"observable_\d+ : list \(formula \* pauli\)"
)
#: Every sentence of a certificate; nothing else may stand in one, a name made anew in particular.
_SENTENCES = tuple(
    re.compile(pattern)
    for pattern in (
        r"Require Import Reals QArith List",
        r"From QrunEquiv Require Import Polynomial Certificate",
        r"Import ListNotations",
        r"Open Scope [QNR]_scope",
        rf"Definition ({_LISTS}) := \[[\w#\[\](),; -]*\]",
        r"Theorem \w+ : [^.\"]*",
        r"Proof",
        r"intros",
        r"apply certificate_sound with \(bases := bases\) \(steps := steps_\d+\)",
        r"- lazy \[inside bases\]",
        r"tauto",
        r"- vm_compute",
        r"reflexivity",
        r"Qed",
    )
)
_IMPORTS = re.compile(
    r"Require Import Reals QArith List\.\s*From QrunEquiv Require Import Polynomial Certificate\."
    r"\s*Import ListNotations\.\s*"
    r"Open Scope Q_scope\.\s*Open Scope N_scope\.\s*Open Scope R_scope\.\s*Definition circuit"
)


@dataclass(frozen=True)
class Checked:
    """What Coq found.

    Attributes:
        theorems: names of what was proved.
        axioms: what the proofs assume.
        seconds: that Coq took for the certificate.
    """

    theorems: tuple[str, ...]
    axioms: frozenset[str]
    seconds: float


def library_folder() -> Path:
    """Where the Coq sources are: in an installed package or in a source tree.

    Raises:
        CoqError: neither has them.
    """
    here = Path(__file__).resolve().parent
    for folder in (here.parent / "proofs" / "coq", here.parents[1] / "proofs" / "coq"):
        if all((folder / name).is_file() for name in LIBRARY):
            return folder
    msg = f"the Coq sources {', '.join(LIBRARY)} are missing beside {here}; reinstall qrun-equiv"
    raise CoqError(msg)


def compile_library(folder: str | Path) -> Path:
    """Compile the certificate checker into a folder, for several :func:`check`.

    Raises:
        CoqError: Coq is missing, or the sources are damaged.
    """
    target = Path(folder).resolve()  # Coq runs in another folder
    target.mkdir(parents=True, exist_ok=True)
    for name in LIBRARY:
        shutil.copy(library_folder() / name, target / name)
        _coqc(target, target, target / name, 600.0)
    return target


def check(
    path: str | Path, *, library: str | Path | None = None, timeout: float = 600.0
) -> Checked:
    """Have Coq check a certificate, and hold its source and its assumptions to what they may be.

    Theorem: proofs/coq/Certificate.v, certificate_sound.

    Args:
        path: a ``.v`` file that :func:`qrun_equiv.coq.write` wrote.
        library: folder of :func:`compile_library`; compiled for this call where left out.
        timeout: seconds.

    Raises:
        CoqError: Coq is missing or refuses the file, or the file assumes or redefines something.
    """
    source = Path(path)
    theorems = read(source)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        compiled = (
            Path(library).resolve() if library is not None else compile_library(folder / "library")
        )
        copy = folder / source.name
        shutil.copy(source, copy)
        begin = time.perf_counter()
        _coqc(compiled, folder, copy, timeout)
        seconds = time.perf_counter() - begin
        audit = folder / "audit_of_certificate.v"
        lines = [f"Print Assumptions {source.stem}.{name}." for name in theorems]
        audit.write_text("\n".join([f"Require {source.stem}.", *lines, ""]), encoding="utf-8")
        said = _coqc(compiled, folder, audit, timeout)
    axioms = frozenset(re.findall(r"^([\w.]+)\s*:", said, re.MULTILINE)) - {"Axioms"}
    if extra := axioms - AXIOMS:
        msg = f"{source} assumes {', '.join(sorted(extra))}"
        raise CoqError(msg)
    return Checked(theorems, axioms, seconds)


def read(source: Path) -> tuple[str, ...]:
    """The theorems of a certificate's source.

    Raises:
        CoqError: it can't be read, states something else, or has a command that no certificate has.
    """
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"can't read the certificate {source}: {error}"
        raise CoqError(msg) from error
    plain = re.sub(r"\(\*.*?\*\)", " ", text, flags=re.DOTALL)
    if found := _FORBIDDEN.search(plain):
        msg = f"{source} is no certificate as it is written: it contains `{found.group()}`"
        raise CoqError(msg)
    if not _IMPORTS.match(plain.strip()):
        msg = f"{source} is no certificate as it is written: other imports, or no circuit"
        raise CoqError(msg)
    for sentence in re.split(r"\.(?=\s|$)", plain):
        flat = " ".join(sentence.split())
        if flat and not any(known.fullmatch(flat) for known in _SENTENCES):
            msg = f"{source} is no certificate as it is written: it contains `{flat[:80]}`"
            raise CoqError(msg)
    theorems = _THEOREM.findall(plain)
    for name, stated in theorems:
        if not _STATEMENT.fullmatch(" ".join(stated.split())):
            msg = f"{source}: the theorem {name} does not state that counterpart and circuit agree"
            raise CoqError(msg)
    if not theorems or len(theorems) != len(re.findall(r"\bobservable_\d+ :", plain)):
        msg = f"{source} has {len(theorems)} theorems, not one for each output"
        raise CoqError(msg)
    return tuple(name for name, _ in theorems)


def _coqc(library: Path, folder: Path, file: Path, timeout: float) -> str:
    command = shutil.which("coqc")
    if command is None:
        msg = "coqc is missing; on Debian and Ubuntu: apt install coq"
        raise CoqError(msg)
    arguments = [command, "-q", "-Q", str(library), "QrunEquiv"]
    if folder != library:
        arguments += ["-R", str(folder), "Certified"]
    try:
        done = subprocess.run(  # noqa: S603 # a fixed program, no shell
            [*arguments, str(file)], capture_output=True, text=True, timeout=timeout, check=False,
            cwd=folder,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        msg = f"Coq did not finish {file.name} in {timeout:g} s"
        raise CoqError(msg) from None
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        msg = f"Coq refuses {file.name}: {said}"
        raise CoqError(msg)
    return done.stdout
