"""The Coq proofs, audited: green as they are, red where something is left open or weakened."""

from __future__ import annotations

import re
from pathlib import Path

import coq_audit
import pytest

import qrun_equiv

FOLDER = coq_audit.SOURCE
PACKAGE = Path(qrun_equiv.__file__).parent
README = FOLDER.parent / "README.md"
CHAPTERS = sorted(FOLDER.parent.glob("0*.md"))
IN_TEXT = r"proofs/coq/(\w+\.v), ((?:`\w+`(?:,? and |, )?)+)"
IN_CODE = r"Theorem: proofs/coq/(\w+\.v), ((?:\w+(?:, )?)+)\."

needs_coq = pytest.mark.skipif(
    bool(coq_audit.missing()), reason=f"Coq is not installed: {coq_audit.PACKAGES}"
)


@pytest.fixture(scope="session")
def audited(tmp_path_factory):
    """The audit of a copy, and the folder with what it compiled."""
    folder = coq_audit.copied(FOLDER, tmp_path_factory.mktemp("coq"))
    return folder, coq_audit.audit(folder)


@pytest.fixture
def tamper(audited, tmp_path):
    """Change a file of a built copy and audit it again."""

    def changed(name, old, new, *, headline="headline_5_redundancy"):
        folder = coq_audit.copied(audited[0], tmp_path / "coq")
        text, count = re.subn(old, new, (folder / name).read_text(), count=1, flags=re.DOTALL)
        assert count == 1, "nothing was changed"
        (folder / name).write_text(text)
        return coq_audit.reaudit(folder, [name], [headline]).problems

    return changed


@needs_coq
def test_the_proofs_are_accepted(audited):
    _, report = audited
    assert not report.problems
    assert {name[:10] for name in report.assumptions} == {f"headline_{k}" for k in range(1, 10)}
    assert all(origin != "-" for origin in report.proved_by.values())


# --- what must turn it red ------------------------------------------------------------------------

STATEMENT = (
    "forall (L F : nat) (A : nat -> nat -> R) (b h : nat -> R) (i : nat), "
    "affine (L * F) A b (copies F h) i = affine F (summed L F A) b h i"
)
PROOF = r"(Theorem redundancy .*?)\nProof\..*?Qed\."


@needs_coq
def test_an_unchanged_copy_stays_green(tamper):
    assert tamper("Redundancy.v", r"\Z", "\n") == []


@needs_coq
def test_an_admitted_theorem_is_found(tamper):
    problems = tamper("Redundancy.v", PROOF, r"\1\nAdmitted.")
    assert any("'Admitted' in" in p for p in problems)
    assert any("headline_5_redundancy assumes" in p and "redundancy" in p for p in problems)


@needs_coq
def test_an_admitted_soundness_of_certificates_is_found(tamper):
    proof = r"(Theorem certificate_sound .*?)\nProof\..*?Qed\."
    headline = "headline_9_certificate"
    problems = tamper("Certificate.v", proof, r"\1\nAdmitted.", headline=headline)
    assert any("'Admitted' in" in p for p in problems)
    assert any(f"{headline} assumes" in p and "certificate_sound" in p for p in problems)


@needs_coq
@pytest.mark.parametrize(
    "command", ["Axiom cheat : ", "Parameter cheat : ", "Context (cheat : ", "Variable cheat : "]
)
def test_an_assumption_is_found(tamper, command):
    closing = ")." if "(" in command else "."
    assumed = rf"{command}{STATEMENT}{closing}\n\n\1\nProof. exact (cheat L F A b h i). Qed."
    problems = tamper("Redundancy.v", PROOF, assumed)
    word = command.split()[0]
    assert any(f"'{word}'" in p for p in problems)
    assert any(re.search(r"headline_5_redundancy assumes .*cheat", p) for p in problems)


@needs_coq
def test_a_weakened_theorem_is_found(tamper):
    """The theorem for one feature only: its own file compiles, the headline does not."""
    problems = tamper(
        "Redundancy.v",
        r"(Theorem redundancy_converse .*?\) :\n)(.*?\nProof\.)",
        r"\1  F = 1%nat ->\n\2 intros _.",
    )
    assert any("Headlines.v" in p for p in problems), problems


@needs_coq
def test_a_changed_definition_is_found(tamper):
    """A factor of 2 at the bias: the theorem holds all the same, and says something else."""
    problems = tamper(
        "Redundancy.v",
        r"  b i \+ Rsum m(.*?)\n\(\*\* \* Q-RUN elements \*\).*\Z",
        r"  2 * b i + Rsum m\1\n",
    )
    assert any("Headlines.v" in p and "Unable to unify" in p for p in problems), problems


def copied_source(tmp_path, name="", old="", new=""):
    folder = coq_audit.copied(FOLDER, tmp_path / "coq")
    for path in folder.glob("*.vo"):
        path.unlink()
    if name:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))
    return folder


def test_a_weakened_headline_is_found(tmp_path):
    """Read from the text alone: the digest of the statements is another one."""
    folder = copied_source(
        tmp_path, "Headlines.v", "(2 * K < N)%nat ->", "(2 * K < N)%nat -> (K = 1)%nat ->"
    )
    assert coq_audit.digest(folder) != coq_audit.digest(FOLDER)
    assert any("digest" in p for p in coq_audit._before(folder).problems)


def test_a_comment_or_a_proof_of_a_headline_may_change(tmp_path):
    folder = copied_source(tmp_path, "Headlines.v", "(** * 5. Redundancy *)", "(* five *)")
    assert coq_audit.digest(folder) == coq_audit.digest(FOLDER)


def test_a_headline_that_is_gone_is_found(tmp_path):
    folder = copied_source(tmp_path, "Headlines.v", "Theorem headline_8_linear", "Lemma other")
    assert any("headline_8_linear" in p for p in coq_audit._before(folder).problems)


@pytest.mark.parametrize(
    "name",
    [
        "rotation", "trig_poly", "pauli_x", "Universality_words", "eval",
        "Certificate_gate_matrix", "Certificate_inside",
    ],
)  # fmt: skip
def test_a_definition_that_is_not_repeated_is_found(tmp_path, name):
    folder = copied_source(tmp_path, "Headlines.v", f"definition_of_{name}", "something_else")
    problems = coq_audit.unrepeated(folder)
    shown = re.sub("^(Universality|Certificate)_", r"\1.", name)
    assert problems == [f"Headlines.v does not repeat the definition of {shown}"]


@pytest.mark.parametrize(
    "text",
    [
        "Definition cos (x : R) : R := 0.",
        "Notation cos := sin.",
        "Inductive two : Set := cos | sin.",
        "Program Fixpoint cos (n : nat) : R := 0.",
        "Lemma cos : R -> R. Proof. exact (fun _ => 0). Defined.",
    ],
)
def test_a_name_of_the_library_that_is_made_anew_is_found(tmp_path, text):
    """It would change what a statement of ``Headlines.v`` says, and leave its text alone."""
    folder = copied_source(tmp_path, "Redundancy.v", "(** Row i", f"{text}\n(** Row i")
    assert "Headlines.v does not repeat the definition of cos" in coq_audit.unrepeated(folder)


@pytest.mark.parametrize(
    "text",
    [
        "Lemma x : False. Admitted.",
        "Lemma x : False. Proof. admit. Admitted.",
        "Lemma x : False. Proof. give_up. Qed.",
        "Axiom x : False.",
        "#[local] Axiom x : False.",
        "Local Axiom x : False.",
        "Parameters x y : nat.",
        "Conjecture x : False.",
        "Hypothesis x : False.",
        "Section S. End S. Variable x : nat.",
        "Context (x : False).",
        "Unset Guard Checking.",
        "Unset Positivity Checking.",
        "Unset Universe Checking.",
        "#[bypass_check(guard)] Fixpoint f (n : nat) : False := f n.",
        "Set Bullet Behavior \"None\".",
        "Declare ML Module \"plugin\".",
        "Module Type T. Parameter x : False. End T.",
        "Require Import Elsewhere.Library.",
        "From mathcomp Require Import all_ssreflect.",
        'Notation "x + y" := (x - y).',
        "Extract Constant x => \"y\".",
        "Primitive x := #int63_add.",
        "Load other.",
        "Obligation Tactic := idtac. Admit Obligations.",
    ],
)  # fmt: skip
def test_a_forbidden_command_is_found(tmp_path, text):
    folder = copied_source(tmp_path)
    assert coq_audit.scan(folder) == coq_audit.scan(FOLDER)
    (folder / "Redundancy.v").write_text((folder / "Redundancy.v").read_text() + text + "\n")
    assert len(coq_audit.scan(folder)) > len(coq_audit.scan(FOLDER))


def test_the_source_holds_no_forbidden_command():
    assert coq_audit.scan(FOLDER) == []
    assert coq_audit.unrepeated(FOLDER) == []


def test_comments_and_sections_are_no_mistake():
    text = """(* Admitted (* nested Axiom *) "string *)" *)
    Section S. Variable x : nat. Hypothesis positive : x <> 0. Context (y : nat). End S.
    Definition admitted_angle := 1. Lemma axiom_free : True. Proof. exact I. Qed."""
    assert list(coq_audit._scan(text)) == []


def test_an_option_of_the_project_file_is_found(tmp_path):
    folder = copied_source(tmp_path, "_CoqProject", "Matrix.v", "-arg -type-in-type\nMatrix.v")
    assert any("type-in-type" in p for p in coq_audit.scan(folder))


def test_a_file_that_is_not_checked_is_found(tmp_path):
    folder = copied_source(tmp_path, "_CoqProject", "Gradients.v\n", "")
    assert any("Gradients.v" in p for p in coq_audit.scan(folder))


@pytest.mark.parametrize(
    ("printed", "problem"),
    [
        ("* Axioms:\n    My.cheat\n", "axiom My.cheat"),
        ("* Constants/Inductives relying on type-in-type:\n    My.x\n", "type-in-type"),
        ("* Constants/Inductives relying on unsafe (co)fixpoints:\n    My.x\n", "fixpoints"),
        ("* Inductives whose positivity is assumed:\n    My.x\n", "positivity"),
        ("* Something new: yes\n", "Something new"),
    ],
)
def test_every_section_of_the_independent_checker_counts(monkeypatch, printed, problem):
    good = {
        "Theory": " Set is predicative\n",
        "Axioms": "\n    Coq.Logic.Classical_Prop.classic\n",
        "Constants/Inductives relying on type-in-type": " <none>\n",
        "Constants/Inductives relying on unsafe (co)fixpoints": " <none>\n",
        "Inductives whose positivity is assumed": " <none>\n",
    }

    def run(parts):
        text = "CONTEXT SUMMARY\n===\n\n" + "".join(f"* {k}:{v}  \n" for k, v in parts.items())
        monkeypatch.setattr(coq_audit, "coq", lambda *_, **__: (text, 0.0))
        return coq_audit.checked(FOLDER, coq_audit.Allowed.read(FOLDER))

    assert run(good) == []
    title, body = printed.removeprefix("* ").split(":", 1)
    assert any(problem in p for p in run({**good, title: body}))


# --- links to the code and the texts --------------------------------------------------------------


def references(text, pattern):
    """``(file, theorem)`` of each reference in a docstring or a chapter."""
    for name, theorems in re.findall(pattern, re.sub(r"\s+", " ", text)):
        for theorem in re.findall(r"\w+", re.sub(r"\band\b", " ", theorems)):
            yield name, theorem


def in_code():
    return {
        (path.relative_to(PACKAGE).as_posix(), *found)
        for path in PACKAGE.rglob("*.py")
        for found in references(path.read_text(), IN_CODE)
    }


def test_every_reference_names_a_theorem():
    found = [(p.name, *r) for p in CHAPTERS for r in references(p.read_text(), IN_TEXT)]
    assert {name[:2] for name, *_ in found} == {f"0{k}" for k in (1, 2, 3, 4, 5, 7, 8, 9)}
    found += in_code()
    assert len(found) > 40
    for where, file, theorem in found:
        assert coq_audit.states(FOLDER / file, theorem), (where, file, theorem)


def test_each_theorem_is_named_by_a_function_that_relies_on_it():
    named = {f"{file}, {theorem}" for _, file, theorem in in_code()}
    origins = coq_audit._before(FOLDER).proved_by
    for number in range(1, 10):
        ours = {o for h, o in origins.items() if h.startswith(f"headline_{number}_")}
        assert ours & named, f"no docstring names a theorem of headline {number}"


def test_the_index_lists_every_headline_theorem():
    text = README.read_text()
    for headline, origin in coq_audit._before(FOLDER).proved_by.items():
        assert f"`{origin.split(', ')[1]}`" in text, headline
