"""The command line as a person meets it: what is printed, exit codes, what lies on disk after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from helpers import PAIR_FILE
from safetensors.torch import load_file
from typer.testing import CliRunner

from qrun_equiv import _version, cli
from qrun_equiv.certificate import Certificate

UNDECIDED = PAIR_FILE.replace("return torch.cos(x[:, 0]) * torch.cos(theta[0])\n", "return x / 0\n")
UNCLAIMED = PAIR_FILE.replace('    claim="different",\n', "")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(PAIR_FILE)
    (tmp_path / "unclaimed.py").write_text(UNCLAIMED)
    (tmp_path / "undecided.py").write_text(UNDECIDED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(monkeypatch, *args):
    """Run ``main`` in this process: exit code and everything printed."""
    out = CliRunner().invoke(cli.app, list(args))
    if out.exception is not None and not isinstance(out.exception, SystemExit):
        # What main() turns into one line.
        from qrun_equiv.errors import QrunEquivError

        assert isinstance(out.exception, QrunEquivError), out.exception
        return cli.USAGE, f"error: {out.exception}"
    return out.exit_code, out.output


def run(*args, cwd=None, timeout=120):
    """Run the command as a process."""
    command = [sys.executable, "-m", "qrun_equiv.cli", *args]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False
    )


def test_verify_prints_a_table_and_writes_everything(folder, monkeypatch):
    code, text = call(monkeypatch, "verify", "mine.py", "--json", "out/verdicts.json")
    assert code == 0, text
    assert "2 of 2 pairs as claimed" in text
    assert "[1/2] mine: proved" in text
    for heading in ("pair", "claim", "verdict", "outputs", "d/dx", "d/dtheta", "spectrum"):
        assert heading in text
    body = json.loads((folder / "out" / "verdicts.json").read_text())
    assert body["schema"] == 1
    assert [p["name"] for p in body["pairs"]] == ["mine", "mine-doubled"]
    for entry in body["pairs"]:
        assert entry["as_claimed"] is True
        for check in entry["checks"]:
            assert {"name", "scope", "error", "bound", "evaluations"} <= set(check)
        assert (entry["counterexample"] is None) == (entry["status"] != "refuted")
    report = folder / "qrun-equiv-report"
    assert "mine-doubled" in (report / "index.html").read_text()
    assert {p.stem for p in (report / "certificates").iterdir()} == {"mine", "mine-doubled"}
    assert str(report.name) in text


@pytest.mark.parametrize(
    ("name", "code"), [("mine.py", 0), ("unclaimed.py", 1), ("undecided.py", 3)]
)
def test_exit_codes(folder, monkeypatch, name, code):
    found, text = call(monkeypatch, "verify", name, "--no-report", "-k", "mine")
    assert found == code, text
    assert not (folder / "qrun-equiv-report").exists()
    assert ("witness: " in text) == (code == 1)
    assert ("reason: " in text) == (code == 3)


def test_refuted_outweighs_undecided(folder, monkeypatch):
    (folder / "undecided.py").write_text(UNDECIDED.replace('"mine', '"other'))
    assert call(monkeypatch, "verify", "unclaimed.py", "undecided.py", "--no-report")[0] == 1


def test_verbose_shows_every_check(folder, monkeypatch):
    _, text = call(monkeypatch, "verify", "mine.py", "--no-report", "-v")
    assert "neutral form vs pennylane" in text


def test_list(folder, monkeypatch):
    code, text = call(monkeypatch, "list", "mine.py")
    assert code == 0
    assert "mine-doubled" in text
    assert "different" in text


def test_a_level_that_is_out_of_reach(folder, monkeypatch):
    code, text = call(
        monkeypatch, "verify", "mine.py", "-k", "doubled", "--level", "proved", "--no-report"
    )
    assert code == 0, text  # refuted as claimed, at any level
    right = PAIR_FILE.split("mistake = ")[0]
    (folder / "one.py").write_text(right)
    code, text = call(monkeypatch, "verify", "one.py", "--level", "proved", "--no-report")
    assert code == 0, text
    opaque = right.replace("gradients=", "").replace(
        "def counterpart(x, theta):\n", "def counterpart(x, theta):\n    x[0, 0].item()\n"
    )
    (folder / "one.py").write_text(opaque)
    code, text = call(monkeypatch, "verify", "one.py", "--level", "proved", "--no-report")
    assert code == 3
    assert "'proved' was asked for" in text


def test_jobs_give_the_same_verdicts(folder, monkeypatch):
    code, text = call(monkeypatch, "verify", "mine.py", "--no-report", "--jobs", "2")
    assert code == 0, text
    assert "2 of 2 pairs as claimed" in text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("verify", "none.py"), "no such pair file: none.py"),
        (("verify", "empty.py"), "defines no Pair"),
        (("verify", "broken.py"), "line 1: syntax error"),
        (("verify", "mine.py", "-k", "zzz"), "no pair's name contains 'zzz'"),
        (("verify", "mine.py", "--level", "sure"), "unknown --level 'sure'"),
        (("verify", "mine.py", "--report", "mine.py"), "can't write to mine.py"),
        (
            ("verify", "mine.py", "--no-report", "--json", "mine.py/x.json"),
            "can't write to mine.py",
        ),
        (("recheck", "none.json"), "can't read the certificate none.json"),
        (("recheck", "mine.py"), "not a certificate"),
        (("derive", "mine.py", "--readout", "magic"), "unknown --readout 'magic'"),
        (("derive", "mine.py", "--parameters", "none.json"), "none.json: No such file"),
        (("derive", "mine.py", "--parameters", "keyless.json"), 'without the entry "parameters"'),
        (("derive", "mine.py", "--parameters", "empty.py"), "empty.py must hold a JSON list"),
        (("derive", "mine.py", "-o", "w.safetensors"), "2 pairs; name the one"),
        (("report", "mine.py", "--figures", "svg"), "can't be written as 'svg'"),
        (("spectrum", "mine.py", "--figures", "pdf,jpg"), "can't be written as 'jpg'"),
        (("spectrum", "mine.py", "-o", "mine.py"), "name another place with --output"),
        (("explore", "mine.py"), "name one of them with --only"),
        (("verify", "scripts"), "has no pair files"),
        (("derive", "mine.py", "-k", "doubled", "-o", "w.safetensors"), "FILE, a JSON list"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(folder, monkeypatch, args, message):
    (folder / "empty.py").write_text("x = 1\n")
    (folder / "broken.py").write_text("def f(:\n")
    (folder / "keyless.json").write_text("{}")
    (folder / "scripts").mkdir()
    (folder / "scripts" / "script.py").write_text("raise RuntimeError('it was run')\n")
    code, text = call(monkeypatch, *args)
    assert code == 2, text
    assert message in text
    assert "Traceback" not in text


def test_the_process_itself_prints_one_line(folder):
    done = run("verify", "none.py", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.strip() == "error: no such pair file: none.py"
    assert done.stdout == ""
    assert run("verify", "--no-such-option", cwd=folder).returncode == 2


def test_errors_of_a_pair_are_its_verdict_and_not_the_end(folder, monkeypatch):
    """What a user gets wrong in one circuit does not stop the others."""
    (folder / "wrong.py").write_text("""
import pennylane as qml
from qrun_equiv import Pair
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp


def no_observable(x, theta):
    qml.RX(x[0], wires=0)


def state(x, theta):
    qml.RX(x[0], wires=0)
    return qml.state()


def right(x, theta):
    return x[:, 0]


odd = QuantumCircuit(1)
odd.rx(Parameter("phi"), 0)
sizes = {"n_features": 1, "n_parameters": 1}
z = SparsePauliOp("Z")
pairs = [
    Pair(name="no observable", pennylane=no_observable, counterpart=right, **sizes),
    Pair(name="state", pennylane=state, counterpart=right, **sizes),
    Pair(name="unnamed", qiskit=odd, observable=z, counterpart=right, **sizes),
    Pair(name="no qiskit observable", qiskit=QuantumCircuit(1), counterpart=right, **sizes),
    Pair(name="too many wires", qiskit=QuantumCircuit(1), observable=SparsePauliOp("ZZ"),
         counterpart=right, **sizes),
    Pair(name="raises", pennylane=lambda x, theta: 1 / 0, counterpart=right, **sizes),
    Pair(name="no qasm", qasm="none.qasm", observable=z, counterpart=right, **sizes),
]
""")
    code, text = call(monkeypatch, "verify", "wrong.py", "mine.py", "--no-report")
    assert code == 3
    for message in (
        "has no observable: return qml.expval",
        "StateMP",
        "'phi' is neither a feature nor a trainable parameter",
        "pass observable=SparsePauliOp",
        "is on 2 wires",
        "ZeroDivisionError" if "ZeroDivisionError" in text else "division by zero",
        "can't read the OpenQASM file none.qasm",
        "[9/9]",
    ):
        assert message in text, message
    assert "Traceback" not in text


def test_report_and_recheck(folder, monkeypatch):
    code, text = call(monkeypatch, "report", "mine.py", "--output", "page")
    assert code == 0, text
    certificates = sorted(str(p) for p in (folder / "page" / "certificates").iterdir())
    code, text = call(monkeypatch, "recheck", *certificates, "--pair", "mine.py")
    assert code == 0, text
    assert text.count("ok") == 2
    (folder / "mine.py").write_text(PAIR_FILE.replace("theta[0], wires=0", "2 * theta[0], wires=0"))
    code, text = call(monkeypatch, "recheck", *certificates, "--pair", "mine.py")
    assert code == 1
    assert text.count("refused") == 2
    named = [c for c in certificates if c.endswith("mine.json")]
    code, text = call(monkeypatch, "recheck", *named, "--pair", "undecided.py")
    assert code == 1
    replace(Certificate.load(named[0]), pair="").save(folder / "python.json")
    code, text = call(monkeypatch, "recheck", "python.json", "--pair", "mine.py")
    assert code == 1
    assert "a verify() in Python made it: qrun_equiv.recheck(FILE, circuit, network)" in text
    (folder / "other.py").write_text(PAIR_FILE.replace('name="mine"', 'name="other"'))
    code, text = call(monkeypatch, "recheck", *named, "--pair", "other.py")
    assert code == 1
    assert "is not in other.py; name its file with --pair" in text
    code, text = call(monkeypatch, "recheck", certificates[0])
    assert code == 1
    assert "is not in the catalogue; name its file with --pair" in text


def test_a_corrupt_certificate_is_refused(folder, monkeypatch):
    call(monkeypatch, "report", "mine.py", "--output", "page")
    path = next((folder / "page" / "certificates").iterdir())
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    code, text = call(monkeypatch, "recheck", str(path), "--pair", "mine.py")
    assert code == 2
    assert "edited or damaged" in text


def test_derive(folder, monkeypatch):
    code, text = call(monkeypatch, "derive", "mine.py", "-k", "doubled")
    assert code == 0, text
    assert "MatrixProductCounterpart" in text
    assert "proved" in text
    (folder / "theta.json").write_text('{"parameters": [0.3]}')
    for readout, names in (
        ("fourier", {"frequencies", "cosines", "sines"}),
        ("matrix-product", {"left", "cores", "right"}),
    ):
        args = (
            "-k",
            "doubled",
            "--readout",
            readout,
            "--parameters",
            "theta.json",
            "-o",
            "w.safetensors",
        )
        code, text = call(monkeypatch, "derive", "mine.py", *args)
        assert code == 0, text
        assert set(load_file("w.safetensors")) == names


def test_doctor(monkeypatch):
    code, text = call(monkeypatch, "doctor")
    assert code == 0, text
    for name in ("qrun-equiv", "pennylane", "torch", "catalogue", "device"):
        assert name in text


def test_doctor_names_what_is_missing(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    from qrun_equiv import doctor

    def version(name):
        if name == "qiskit":
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(doctor, "version", version)
    code, text = call(monkeypatch, "doctor")
    assert code == 1
    assert "pip install -c constraints.txt qiskit" in text


def test_version(monkeypatch):
    code, text = call(monkeypatch, "--version")
    assert code == 0
    assert _version.__version__ in text


def test_interrupted_in_the_middle_everything_written_is_whole(folder):
    """Ctrl-C after the first pair: exit code 130, whole certificates, the old report untouched."""
    slow = PAIR_FILE.replace(
        "def counterpart(x, theta):\n", "def counterpart(x, theta):\n    time.sleep(0.2)\n"
    )
    slow = slow.replace("import torch\n", "import time\nimport torch\n")
    others = "".join(
        f'p{i} = Pair(name="z{i}", pennylane=circuit, counterpart=counterpart, n_features=1,'
        " n_parameters=1)\n"
        for i in range(20)
    )
    (folder / "slow.py").write_text(slow + others)
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text("the old report")
    command = [
        sys.executable,
        "-u",
        "-m",
        "qrun_equiv.cli",
        "verify",
        "slow.py",
        "--report",
        "page",
        "-j",
        "1",
    ]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        assert first.startswith("[1/22]"), first
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in complaints
    assert "Traceback" not in complaints
    assert (folder / "page" / "index.html").read_text() == "the old report"
    written = list((folder / "page" / "certificates").iterdir())
    assert written
    for path in written:
        Certificate.load(path)


def test_an_interrupt_that_user_code_swallows_still_ends_the_command(folder):
    deaf = PAIR_FILE.replace(
        "def counterpart(x, theta):\n",
        "def counterpart(x, theta):\n"
        "    try:\n        signal.raise_signal(signal.SIGINT)\n"
        "    except KeyboardInterrupt:\n        pass\n",
    )
    (folder / "deaf.py").write_text(deaf.replace("import torch\n", "import signal\nimport torch\n"))
    command = [sys.executable, "-m", "qrun_equiv.cli", "verify", "deaf.py", "--report", "page"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr
    assert "[2/2]" not in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_an_unwritable_folder(folder, monkeypatch):
    (folder / "locked").mkdir(mode=0o500)
    code, text = call(monkeypatch, "verify", "mine.py", "--report", "locked/page")
    assert code == 2
    assert "can't write to" in text


def test_a_file_that_exits_is_no_success(folder, monkeypatch):
    (folder / "leaves.py").write_text("import sys\nsys.exit(0)\n")
    code, text = call(monkeypatch, "verify", "leaves.py", "--no-report")
    assert code == 2
    assert "leaves.py, line 2: SystemExit" in text
    leaving = PAIR_FILE.replace("return torch.cos(x[:, 0]) * torch.cos(theta[0])\n", "exit(0)\n")
    (folder / "leaves.py").write_text(leaving.split("mistake = ")[0])
    code, text = call(monkeypatch, "verify", "leaves.py", "--no-report")
    assert code == 3
    assert "SystemExit" in text


def test_names_that_look_alike_as_files_keep_their_certificates(folder, monkeypatch):
    names = ["a b", "a-b", "a/b", "n" * 300]
    pairs = "\n".join(
        f'p{i} = Pair(name="{name}", pennylane=circuit, counterpart=counterpart, n_features=1, '
        "n_parameters=1)"
        for i, name in enumerate(names)
    )
    (folder / "names.py").write_text(PAIR_FILE.split("pair = ")[0] + pairs)
    code, text = call(monkeypatch, "verify", "names.py", "--report", "page")
    assert code == 0, text
    written = [Certificate.load(p).pair for p in (folder / "page" / "certificates").iterdir()]
    assert sorted(written) == sorted(names)


def test_a_worker_that_dies_loses_no_verdict(folder, monkeypatch):
    dying = PAIR_FILE.replace(
        "def counterpart(x, theta):\n", "def counterpart(x, theta):\n    os._exit(9)\n"
    )
    (folder / "dying.py").write_text("import os\n" + dying.replace('"mine', '"dying'))
    code, text = call(monkeypatch, "verify", "dying.py", "mine.py", "--no-report", "-j", "2")
    assert code == 3, text
    assert "[4/4]" in text
    assert "a worker process died" in text
    assert "Traceback" not in text


def test_a_folder_as_json_file_is_seen_before_the_work(folder, monkeypatch):
    code, text = call(monkeypatch, "verify", "mine.py", "--no-report", "--json", ".")
    assert code == 2
    assert "it is a folder" in text
    assert "[1/2]" not in text


def test_a_pair_of_several_in_a_file_is_explored(folder, monkeypatch):
    page = folder / "page.html"
    code, text = call(monkeypatch, "explore", "mine.py", "--only", "doubled", "-o", str(page))
    assert code == 0, text
    assert "doubled" in page.read_text()


def test_no_figures_are_none(folder, monkeypatch):
    call(monkeypatch, "spectrum", "mine.py", "-k", "doubled", "--figures", "none", "-o", "out")
    assert {p.suffix for p in (folder / "out").iterdir()} == {".html", ".json", ".npz"}
