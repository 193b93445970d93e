"""Forged certificates: each change gets a fresh checksum, and each is refused.

The certificates are real ones of the catalogue (proved, refuted), of a right counterpart that is no
polynomial (sampled) and of an approximation (certified). "Static" forgeries are seen by reading,
the others only by computing again.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pennylane as qml
import pytest
import torch

from qrun_equiv import rechecking
from qrun_equiv.certificate import BOUND, IDENTITY, LINKS, OUTPUTS, SHOTS, SPECTRUM, _checksum
from qrun_equiv.errors import CertificateError
from qrun_equiv.pair import Pair, catalogue_folder, load_pair
from qrun_equiv.rechecking import recheck_pair

NEUTRAL, NATIVE, DEFINITIONS = LINKS
FORMS = ("neutral form of pennylane", "neutral form of qiskit")


def approximated(x, theta):
    qml.RX(x[0], wires=0)
    return qml.expval(qml.Z(0))


def approximation(x, theta):
    return torch.cos(x[:, 0]) + 0.01 * torch.cos(2 * x[:, 0])


def unprovable(x, theta):
    """The catalogue's counterpart, by a detour that leaves the polynomials."""
    return torch.log(torch.exp(CHEBYSHEV.counterpart(x, theta)))


CHEBYSHEV = load_pair(catalogue_folder() / "chebyshev.py", "quantum-circuit-learning")
PAIRS = {
    "proved": load_pair(catalogue_folder() / "rewritings.py", "factored-angle"),
    "sampled": replace(CHEBYSHEV, name="unprovable", counterpart=unprovable),
    "refuted": load_pair(
        catalogue_folder() / "mistake_conjugated_gate.py", "mistake-conjugated-gate"
    ),
    "certified": Pair(
        name="nearly-a-cosine", pennylane=approximated, counterpart=approximation,
        n_features=1, n_parameters=0, claim="approximates", epsilon=0.02, domain=(-3, 3),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def bodies():
    """The JSON of a certificate of each status."""
    return {status: pair.verify().certificate.to_json() for status, pair in PAIRS.items()}


def write(path, body, *, fresh_checksum=True):
    if fresh_checksum:
        body.pop("checksum", None)
        body["checksum"] = _checksum(body)
    path.write_text(json.dumps(body))
    return path


@pytest.mark.parametrize("status", PAIRS)
def test_the_certificates_themselves_are_accepted(bodies, status, tmp_path):
    assert bodies[status]["status"] == status
    path = write(tmp_path / "c.json", copy.deepcopy(bodies[status]))
    assert recheck_pair(path, PAIRS[status]).status == status


def top(**entries):
    """Entries of the certificate itself."""
    return lambda body: body.update(entries)


def setting(**entries):
    return lambda body: body["settings"].update(entries)


def check(name, /, at=0, **entries):
    """Entries of the check of this name (the one at this place among them)."""

    def change(body):
        found = [c for c in body["checks"] if c["name"] == name]
        found[at].update({k: v(found[at][k]) if callable(v) else v for k, v in entries.items()})

    return change


def every(name, /, **entries):
    def change(body):
        for item in body["checks"]:
            if item["name"] == name:
                item.update({k: v(item[k]) if callable(v) else v for k, v in entries.items()})

    return change


def drop(name):
    def change(body):
        body["checks"] = [c for c in body["checks"] if c["name"] != name]

    return change


def add(name, between, **entries):
    item = {"scope": "all features and parameters; 2 random fields of 62 bits or more",
            "error": 1e-30, "bound": 2.0**-80, "evaluations": 2, "status": "passed",
            "note": "error: probability that the sides differ nevertheless"}  # fmt: skip

    def change(body):
        body["checks"].append({"name": name, "between": list(between), **item, **entries})

    return change


def witness(**entries):
    def change(body):
        found = body["counterexample"]
        found.update({k: v(found[k]) if callable(v) else v for k, v in entries.items()})
        left, right = (found["values"].get(name, 0.0) for name in found["between"])
        found["difference"] = entries.get("difference", abs(left - right))

    return change


def both(*changes):
    def change(body):
        for one in changes:
            one(body)

    return change


def reversed_checks(body):
    body["checks"].reverse()


def repeated_check(body):
    body["checks"].append(body["checks"][0])


def swapped_errors(body):
    first, second = (c for c in body["checks"] if c["name"] == NATIVE and "diff" in str(c))
    first["error"], second["error"] = 7e-10, 3e-10


def scaled_witness(body):
    """A smaller difference, told alike in every place."""
    both(
        witness(values=lambda v: {k: 0.5 * n for k, n in v.items()},
                relative=lambda r: 0.5 * r,
                replay=lambda v: {k: 0.5 * n for k, n in v.items()}),
        every(OUTPUTS, error=lambda e: 0.5 * e),
    )(body)  # fmt: skip


def no_refutation(body):
    """Every failed check flipped, and the witness taken out."""
    body.update(status="sampled", counterexample=None)
    for item in body["checks"]:
        if item["status"] == "failed":
            item.update(status="passed", error=2e-16)


def fabricated_refutation(body):
    """A failed check of the outputs, and a witness that it could have found."""
    check(OUTPUTS, status="failed", error=0.5)(body)
    between = next(c["between"] for c in body["checks"] if c["name"] == OUTPUTS)
    found = {
        "kind": OUTPUTS, "between": between, "output": 0, "component": "", "relative": 0.5,
        "features": [0.1] * body["settings"]["n_features"],
        "parameters": [0.1] * sum(body["settings"]["n_parameters"]),
        "values": {between[0]: 0.75, between[1]: 0.25}, "difference": 0.5,
        "replay": {between[1]: 0.25}, "diagnosis": "The outputs differ.",
    }  # fmt: skip
    body.update(status="refuted", counterexample=found)


FABRICATED_PROOF = (
    top(status="proved"),
    drop(IDENTITY),
    *(add(IDENTITY, ("counterpart", form)) for form in FORMS),
)

#: What contradicts itself or the format: no repetition is made. (status, what, change, message)
STATIC = [
    ("proved", "not all circuits proved", drop(IDENTITY), "without a passed check 'identity'"),
    ("proved", "no definitions", drop(DEFINITIONS), "without a passed check 'gate definitions'"),
    ("proved", "no neutral form", drop(NEUTRAL), "without a passed check 'neutral form'"),
    ("proved", "certified", top(status="certified"), "without a passed check 'bound for all x'"),
    ("proved", "refuted", top(status="refuted"), "without a counterexample"),
    ("proved", "undecided", top(status="undecided"), "without a reason"),
    ("proved", "unknown status", top(status="verified"), "status is none of"),
    ("proved", "reason", top(reason="because"), "has a reason for being undecided"),
    ("proved", "negative error", check(IDENTITY, error=-1e-30), "below 0"),
    ("proved", "error above its bound", check(IDENTITY, error=0.5), "passed with the error 0.5"),
    ("proved", "error as text", check(IDENTITY, error="1e-30"), "error"),
    ("proved", "endless error", check(OUTPUTS, error="inf"), "passed with the error inf"),
    ("proved", "no number", check(OUTPUTS, error=float("nan")), "no JSON"),
    ("proved", "true", check(OUTPUTS, evaluations=True), "evaluations"),
    ("proved", "unknown check", check(OUTPUTS, name="faith"), "name is none of"),
    ("proved", "unknown side", check(IDENTITY, between=["counterpart", "qrun"]), "not compared"),
    ("proved", "a check of nobody", check(OUTPUTS, between=["counterpart", "me"]), "not compared"),
    ("proved", "failed identity", check(IDENTITY, status="failed"), "failed with the error"),
    ("proved", "level", setting(level="sampled"), "no verdict at the level"),
    ("proved", "unknown level", setting(level="absolute"), "level is none of"),
    ("proved", "approximation", setting(epsilon=0.1), "approximation can't be proved"),
    ("proved", "negative epsilon", setting(epsilon=-1.0), "epsilon"),
    ("proved", "no shots", setting(shots=0), "shots"),
    ("proved", "a check of shots", add(SHOTS, ("counterpart", "qiskit")), "a number of shots"),
    ("proved", "negative seed", setting(seed=-1), "below 0"),
    ("proved", "fractional seed", setting(seed=0.5), "seed"),
    ("proved", "unknown setting", setting(trust=1), "unknown entry 'trust'"),
    ("proved", "unknown entry", top(signature="x"), "unknown entry 'signature'"),
    ("proved", "seed alone", top(settings={"seed": 0}), "nothing was run"),
    ("proved", "parameters too short", setting(parameters=[[]]), "not vectors of length"),
    ("proved", "data too wide", setting(data=[[0.0] * 9]), "data are not vectors"),
    ("proved", "domain reversed", setting(domain=[[1, -1]]), "domain"),
    ("proved", "schema of later", top(schema=3), "schema 3"),
    ("proved", "schema of earlier", top(schema=1), "earlier version: verify again"),
    ("proved", "another kind", top(kind="recipe"), "not a certificate"),
    ("proved", "digest missing", lambda b: b["digests"].pop("qiskit"), "other sources"),
    ("proved", "digest no hash", lambda b: b["digests"].update(qiskit="x"), "does not match"),
    ("proved", "versions missing", lambda b: b["versions"].pop("torch"), "lacks 'torch'"),
    ("sampled", "proved", top(status="proved"), "without a passed check"),
    ("sampled", "certified", top(status="certified"), "without a passed check"),
    ("sampled", "proof without links", both(*FABRICATED_PROOF, drop(NEUTRAL)), "'neutral form'"),
    ("sampled", "an output comparison dropped", drop(OUTPUTS), "outputs of all sources"),
    ("sampled", "a failed check", check(OUTPUTS, status="failed", error=1.0), "'outputs' failed"),
    ("certified", "proved", top(status="proved"), "can't be proved"),
    ("certified", "no bound", drop(BOUND), "without a passed check 'bound for all x'"),
    ("certified", "bound failed", check(BOUND, error=1.0, status="failed"), "without a passed"),
    ("refuted", "sampled", top(status="sampled"), "can't have a counterexample"),
    ("refuted", "no witness", top(counterexample=None), "without a counterexample"),
    ("refuted", "another check's witness", witness(kind=SPECTRUM), "found this counterexample"),
    ("refuted", "more features", witness(features=lambda x: [*x, 0.0]), "as many features"),
    ("refuted", "fewer parameters", witness(parameters=lambda t: t[:-1]), "as many features"),
    ("refuted", "difference", witness(difference=1.0), "difference is not that of its values"),
    ("refuted", "larger relative", witness(relative=99.0), "found this counterexample"),
    ("refuted", "values of others", witness(values={"a": 1.0, "b": 2.0}), "not those of the two"),
    ("refuted", "no replay", witness(replay={}), "replay"),
    ("refuted", "all passed", every(OUTPUTS, error=0.0, status="passed"), "this counterexample"),
]  # fmt: skip

#: What agrees with itself, and is refused because computing it again gives something else.
FORGED = [
    ("proved", "weaker", top(status="sampled"), "says sampled, the repetition proved"),
    ("proved", "a smaller probability", every(IDENTITY, error=1e-300), "records the error"),
    ("proved", "no error at all", check(IDENTITY, error=0.0), "records the error 0.0"),
    ("proved", "a lower bound", every(IDENTITY, bound=lambda b: b / 2), "records the error"),
    ("proved", "more trials", every(IDENTITY, evaluations=20), "other checks"),
    ("proved", "larger fields", every(IDENTITY, scope=lambda s: s.replace("62", "4096")),
     "other checks"),
    ("proved", "worse outputs", every(OUTPUTS, error=1e-11), "records the error"),
    ("proved", "perfect outputs", every(OUTPUTS, error=0.0), "records the error"),
    ("proved", "outputs finer than rounding", every(OUTPUTS, error=1e-25), "records the error"),
    ("proved", "a wider tolerance", every(OUTPUTS, bound=1e-6), "records the error"),
    ("proved", "more points", every(OUTPUTS, evaluations=10**6), "other checks"),
    ("proved", "a wider scope", check(OUTPUTS, scope="everywhere"), "other checks"),
    ("proved", "a note", check(OUTPUTS, note="peer reviewed"), "other checks"),
    ("proved", "an extra check", add(BOUND, ("counterpart", FORMS[0])), "other checks"),
    ("proved", "a repeated check", repeated_check, "other checks"),
    ("proved", "another order", reversed_checks, "other checks"),
    ("proved", "a check dropped", drop(SPECTRUM), "other checks"),
    ("proved", "errors of two checks", swapped_errors, "records the error"),
    ("proved", "another seed", setting(seed=1), "records the error"),
    ("proved", "a domain", setting(domain=[[-1, 1]]), "another domain"),
    ("proved", "shots", setting(shots=100), "another shots"),
    ("proved", "data", setting(data=[[0.5]]), "another data"),
    ("proved", "gradients", setting(gradients=["features"]), "another gradients"),
    ("proved", "a machine", lambda b: b["settings"]["simulators"].update(qiskit="a real device"),
     "another simulators"),
    ("proved", "a note at the end", top(notes=["checked by hand"]), "reason or notes"),
    ("proved", "another circuit", lambda b: b["digests"].update(qiskit="0" * 64),
     "not of this qiskit"),
    ("proved", "another counterpart", lambda b: b["digests"].update(counterpart="0" * 64),
     "not of this counterpart"),
    ("proved", "another pair", top(pair="trailing-phase"), "is of the pair 'trailing-phase'"),
    ("proved", "a fabricated refutation", fabricated_refutation, "says refuted"),
    ("sampled", "a fabricated proof", both(*FABRICATED_PROOF),
     "says proved, the repetition sampled"),
    ("sampled", "a fabricated bound",
     both(top(status="certified"), *(add(BOUND, ("counterpart", form)) for form in FORMS)),
     "says certified, the repetition sampled"),
    ("sampled", "no reason for no proof", top(notes=[]), "reason or notes"),
    ("sampled", "undecided", top(status="undecided", reason="who knows"), "says undecided"),
    ("sampled", "a skipped check made",
     check(SPECTRUM, status="passed", error=1e-16, bound=1e-9, evaluations=9, scope="all"),
     "other checks"),
    ("sampled", "another data set", setting(trained=None, data=[[0.1]]), "another data"),
    ("certified", "a lower bound", check(BOUND, error=lambda e: 0.9 * e), "records the error"),
    ("certified", "a slightly lower bound", check(BOUND, error=lambda e: 0.999 * e), "records"),
    ("certified", "a larger limit", check(BOUND, bound=1.0), "records the error"),
    ("certified", "another epsilon", setting(epsilon=0.011), "another epsilon"),
    ("certified", "another epsilon everywhere",
     both(setting(epsilon=0.011), every(BOUND, bound=0.011), every(OUTPUTS, bound=0.011)),
     "another epsilon"),
    ("certified", "all reals", check(BOUND, scope="all real features"), "other checks"),
    ("certified", "another enclosure", check(BOUND, note="lies in [0, 0]"), "other checks"),
    ("certified", "a larger domain", setting(domain=[[-9, 9]]), "another domain"),
    ("certified", "weaker", top(status="sampled"), "says sampled"),
    ("refuted", "a flipped check", no_refutation, "says sampled, the repetition refuted"),
    ("refuted", "a smaller difference", scaled_witness, "records the error"),
    ("refuted", "x", witness(features=lambda x: [v + 1e-3 for v in x]), "the counterexample"),
    ("refuted", "theta", witness(parameters=lambda t: [v + 1e-3 for v in t]), "counterexample"),
    ("refuted", "values", witness(values=lambda v: {k: -n for k, n in v.items()}),
     "the counterexample"),
    ("refuted", "replay", witness(replay=lambda r: dict.fromkeys(r, 0.0)), "the counterexample"),
    ("refuted", "a simulator more", witness(replay=lambda r: {**r, "mine": 0.0}),
     "the counterexample"),
    ("refuted", "an output", witness(output=lambda k: k + 1), "the counterexample"),
    ("refuted", "a component", witness(component="d/dx0"), "the counterexample"),
    ("refuted", "a diagnosis", witness(diagnosis="A matter of taste."), "the counterexample"),
    ("refuted", "undecided", both(top(status="undecided", reason="?", counterexample=None)),
     "says undecided"),
]  # fmt: skip


def label(case):
    return f"{case[0]}: {case[1]}"


def test_there_are_enough_of_them():
    assert len({label(c) for c in (*STATIC, *FORGED)}) == len(STATIC) + len(FORGED)
    assert len(STATIC) >= 50
    assert len(FORGED) >= 50


@pytest.mark.parametrize("case", STATIC, ids=label)
def test_a_contradiction_is_refused_before_anything_is_run(bodies, tmp_path, monkeypatch, case):
    status, _, change, message = case
    body = copy.deepcopy(bodies[status])
    change(body)
    monkeypatch.setattr(rechecking, "_attempt", lambda work: pytest.fail("something was run"))
    with pytest.raises(CertificateError, match=message):
        recheck_pair(write(tmp_path / "c.json", body), PAIRS[status])


@pytest.mark.parametrize("case", FORGED, ids=label)
def test_a_consistent_forgery_is_refused_by_computing_again(bodies, tmp_path, case):
    status, _, change, message = case
    body = copy.deepcopy(bodies[status])
    change(body)
    assert body != bodies[status]
    with pytest.raises(CertificateError, match=message):
        recheck_pair(write(tmp_path / "c.json", body), PAIRS[status])


@pytest.mark.parametrize("case", FORGED[::6], ids=label)
def test_without_a_fresh_checksum_the_file_itself_is_refused(bodies, tmp_path, case):
    status, _, change, _ = case
    body = copy.deepcopy(bodies[status])
    change(body)
    with pytest.raises(CertificateError, match="edited or damaged"):
        recheck_pair(write(tmp_path / "c.json", body, fresh_checksum=False), PAIRS[status])


def test_a_name_that_stands_twice_is_refused(bodies, tmp_path):
    """Another reader of the file might take the first one."""
    path = write(tmp_path / "c.json", copy.deepcopy(bodies["proved"]))
    path.write_text(path.read_text().replace('{"schema"', '{"status": "certified", "schema"', 1))
    with pytest.raises(CertificateError, match="twice"):
        recheck_pair(path, PAIRS["proved"])
