"""OpenQASM 3 files from text to verdict, and what is said of those that can't be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from qrun_equiv import neutral, verify
from qrun_equiv.angle import PI, Angle, feature, parameter
from qrun_equiv.errors import FrontendError
from qrun_equiv.frontends.base import Sizes
from qrun_equiv.frontends.qasm import load, qasm_source
from qrun_equiv.simulate import expectations

ROUNDING = 1e-12  # float64, a handful of gates
X0, X1, T0 = feature(0), feature(1), parameter(0)

HEADER = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
INPUTS = "input float[64] x0;\ninput float[64] x1;\ninput float[64] theta0;\nqubit[2] q;\n"
GOOD = (
    HEADER
    + INPUTS
    + "rx(2*x0 - theta0/3) q[0];\ncx q[0], q[1];\nry(-(x1 + pi/2)) q[1];\nrz(theta0*x0) q[0];\n"
    + "ry(0.5) q[0];\n"
)


@pytest.fixture
def write(tmp_path: Path):
    def to_file(content: str | bytes, name: str = "circuit.qasm") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def by_hand(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """<X> of qubit 0 and <Z> of qubit 1: the CNOT leaves two classical bits, and no coherence."""
    first = 2 * x[:, 0] - theta[0] / 3
    cos, sin = torch.cos(first), torch.cos(x[:, 1] + torch.pi / 2)
    half = torch.tensor(0.5, dtype=torch.float64)
    return torch.stack([torch.sin(half) * cos, cos * sin], dim=1)


def test_a_file_end_to_end(write) -> None:
    path = write(GOOD)
    for given in (path, str(path)):
        verdict = verify(given, by_hand, observable=["IX", "ZI"])
        assert verdict.equivalent

    def wrong(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return by_hand(x, -theta)

    assert not verify(path, wrong, observable=["IX", "ZI"]).equivalent


def test_values_and_neutral_form(write) -> None:
    source = qasm_source(write(GOOD), ["IX", "ZI"], Sizes.of(2, 1))
    assert source.name == "qasm"
    rng = np.random.default_rng(0)
    x, theta = rng.uniform(-2, 2, (4, 2)), rng.uniform(-2, 2, 1)
    expected = by_hand(torch.tensor(x), torch.tensor(theta))
    np.testing.assert_allclose(source.values(x, theta), expected, rtol=0, atol=ROUNDING)
    form = source.lower()
    value = expectations(form, torch.tensor(x), torch.tensor(theta))
    torch.testing.assert_close(value, expected, rtol=0, atol=ROUNDING)
    angles = {g.name + str(g.wires): g.angle for g in form.gates if g.angle is not None}
    assert angles == {
        "RX(0,)": 2 * X0 - T0 / 3,
        "RY(1,)": -X1 - PI / 2,
        "RZ(0,)": T0 * X0,
        "RY(0,)": Angle.constant(0.5),
    }


def test_sizes_are_read_off_the_declarations(write) -> None:
    # x1 is declared and not used; theta2 without theta0 and theta1.
    text = HEADER + "input float[64] x0; input float[64] x1; input float[64] theta2;\nqubit q;\n"
    form = neutral(write(text + "rx(x0) q; ry(theta2) q;"), observable="Z")
    assert (form.n_features, form.n_parameters) == (2, 3)


@pytest.mark.parametrize(
    ("line", "gates"),
    [
        ("ctrl @ rx(x0) q[1], q[0];", [("CRX", (1, 0), X0)]),
        ("inv @ rx(x0) q[0];", [("RX", (0,), -X0)]),
        ("cp(x0) q[1], q[0];", []),
        ("negctrl @ ry(x0) q[1], q[0];", []),
        ("pow(2) @ x q[0];", []),
        ("U(x0, 0.1, 2*x1) q[1];", [("RZ", (1,), 2 * X1), ("RY", (1,), X0)]),
    ],
)
def test_gate_modifiers(write, line: str, gates) -> None:
    text = HEADER + INPUTS + "rx(0.4) q[0]; ry(0.7*x1) q[1];\n" + line + "rx(0.9) q[0]; h q[1];"
    source = qasm_source(write(text), ["XY", "IZ", "YI"], Sizes.of(2, 1))
    rng = np.random.default_rng(1)
    x, theta = rng.uniform(-2, 2, (3, 2)), np.zeros(1)
    form = source.lower()
    value = expectations(form, torch.tensor(x), torch.tensor(theta))
    np.testing.assert_allclose(source.values(x, theta), value, rtol=0, atol=ROUNDING)
    assert set(gates) <= {(g.name, g.wires, g.angle) for g in form.gates}


def test_final_measurements_are_taken_off(write) -> None:
    plain = qasm_source(write(GOOD), "ZX", Sizes.of(2, 1))
    with_bits = GOOD + "bit[2] c;\nc = measure q;\n"
    measured = qasm_source(write(with_bits, "measured.qasm"), "ZX", Sizes.of(2, 1))
    x, theta = np.array([[0.3, 0.8]]), np.array([0.5])
    np.testing.assert_array_equal(measured.values(x, theta), plain.values(x, theta))


def test_a_measurement_in_the_middle_is_refused(write) -> None:
    text = GOOD + "bit c;\nc = measure q[0];\nx q[0];\n"
    with pytest.raises(FrontendError, match="contains 'measure'"):
        qasm_source(write(text), "ZX", Sizes.of(2, 1))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + "qubit q\nrx(", "is not OpenQASM 3 that can be read here"),
        (bytes(range(256)), "can't read the OpenQASM file"),
        (b"\x00\x01\x02", "is not OpenQASM 3"),
        (b"", "is not OpenQASM 3"),
        (b"// a comment\n", "is not OpenQASM 3"),
        ('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\n', "is OpenQASM 2, which has no input"),
        (HEADER + "input array[float[64], 3] x;\nqubit q;\n", "only 'float' and 'angle' inputs"),
        (HEADER + "input int[32] x0;\nqubit q;\n", "'input float\\[64\\] x0;'"),
        (HEADER + "qubit q;\nfoo q;\n", "gate 'foo' is not defined"),
        ('OPENQASM 3.0;\ninclude "mine.inc";\nqubit q;\n', "non-stdgates"),
        (HEADER + INPUTS + "rx(sin(x0)) q[0];\n", "FunctionCall"),
        (HEADER + INPUTS + "rx(x0**2) q[0];\n", "unsupported binary operation"),
        (HEADER + INPUTS + "for int i in [0:1] { rx(x0) q[i]; }\n", "is not OpenQASM 3"),
    ],
    ids=[
        "syntax", "binary", "control characters", "empty", "comment", "qasm 2", "array", "int",
        "unknown gate", "include", "sine", "power", "loop",
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_are_refused_in_words(
    write, content: str | bytes, message: str
) -> None:
    with pytest.raises(FrontendError, match=message):
        load(write(content))


def test_a_syntax_error_is_shown_with_its_line(write, capfd) -> None:
    text = HEADER + INPUTS + "rx(x0 q[0];\n"
    line = text[: text.index("rx(x0")].count("\n") + 1
    with pytest.raises(FrontendError, match=rf"can be read here: line {line}:6 .*x0q[^;]*$"):
        load(write(text))
    assert capfd.readouterr().err == ""


def test_a_program_in_place_of_a_path_is_refused() -> None:
    with pytest.raises(FrontendError, match="a path is needed; write the program's text to a file"):
        load(GOOD)


def test_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FrontendError, match=r"can't read the OpenQASM file .*none\.qasm"):
        load(tmp_path / "none.qasm")
    with pytest.raises(FrontendError, match="can't read the OpenQASM file"):
        load(tmp_path)


def test_other_names_and_a_missing_observable_are_refused(write) -> None:
    path = write(HEADER + "input float[64] phi;\nqubit q;\nrx(phi) q;\n")
    with pytest.raises(FrontendError, match=r"'phi' is neither a feature nor .*x0, x1, .*theta0"):
        neutral(path, observable="Z")
    with pytest.raises(FrontendError, match="'qasm' has no observable"):
        neutral(write(GOOD))
