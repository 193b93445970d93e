"""The benchmark: its tables, formulas, errors and files. Sizes are tiny; no time is asserted."""

from __future__ import annotations

import importlib.metadata
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from qrun_equiv import bench
from qrun_equiv.benchmarks import circuits, layers, paper, roofline, timing
from qrun_equiv.benchmarks.roofline import Ceilings
from qrun_equiv.benchmarks.tables import Column, Table
from qrun_equiv.benchmarks.timing import Times
from qrun_equiv.errors import QrunEquivError, ReportError
from qrun_equiv.qrun import QRUN
from qrun_equiv.scale import cost
from qrun_equiv.simulate import expectations

CPU = torch.device("cpu")


def test_steps_take_turns_and_a_failure_stops_only_its_own() -> None:
    calls: list[str] = []

    def fails() -> None:
        calls.append("b")
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB\nmore")

    steps = {"a": lambda: calls.append("a"), "b": fails, "c": lambda: calls.append("c")}
    told: list[str] = []
    times = timing.interleaved(steps, CPU, repeats=2, warmup=1, progress=told.append)
    assert calls == ["a", "b", "c", "a", "c", "a", "c"]
    assert times["b"] == "out of memory"
    assert isinstance(times["a"], Times)
    assert 0 < times["a"].best <= times["a"].median
    assert told[0] == "a, warm-up"
    assert told[-1] == "c, 2/2"


def test_median_and_best(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([9.0, 1.0, 5.0, 2.0])
    monkeypatch.setattr(timing, "clocked", lambda step, device: next(clock))
    times = timing.interleaved({"a": lambda: None}, CPU, repeats=3, warmup=1)
    assert times["a"] == Times(median=2.0, best=1.0)


def test_a_failure_in_one_line() -> None:
    assert timing.why(RuntimeError("first\nsecond")) == "first"
    assert timing.why(MemoryError()) == "out of memory"
    assert timing.why(RuntimeError()) == "RuntimeError"


def test_saved_bytes_are_those_of_the_activations() -> None:
    module = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
    x = torch.ones(10, 8, requires_grad=True)
    assert timing.saved_bytes(module, x) == 4 * (10 * 8 + 10 * 16)  # the input and the output


def test_layers_table() -> None:
    told: list[str] = []
    table = layers.layers(64, 256, CPU, repeats=1, progress=told.append)
    base = table.row(layers.BASE)
    assert base["train_ratio"] == base["infer_ratio"] == base["saved_ratio"] == 1.0
    assert base["saved"] == 4 * 2 * 256 * 64 / 2**20
    for name in (layers.KNOTS, layers.WIDE, layers.EXACT):
        row = table.row(name)
        assert 1e-9 < row["values"] < 1e-5
        assert 1e-9 < row["gradients"] < 1e-4
        assert 1e-9 < row["own"] < 1e-4
        assert row["train_ratio"] == row["train"] / base["train"]
        assert row["train_best"] <= row["train"]
        assert row["gelu_ratio"] == row["infer"] / table.row(layers.GELU)["infer"]
    assert "knots" in table.row(layers.KNOTS)["note"]
    assert table.row(layers.WIDE)["note"] != table.row(layers.KNOTS)["note"]
    assert table.row(layers.EXACT)["saved_ratio"] > 5
    assert any("training step: Q-RUN exact" in text for text in told)
    assert "train_ratio" not in table.row(layers.TABLE)


def test_the_layer_by_fused_kernels_is_the_layer() -> None:
    """Here by torch operations; the table has it on a GPU."""
    layer = QRUN(8, 8, path="exact")
    x = torch.randn(5, 8)
    torch.testing.assert_close(layers._Fused(layer)(x), layer(x))


def test_errors_see_a_wrong_gradient_and_a_wrong_value() -> None:
    """A layer whose weights differ by a millionth; a twin has only rounding."""
    torch.manual_seed(0)
    layer = QRUN(16, 16, path="exact")
    twin = QRUN(16, 16, path="exact").double()
    twin.load_state_dict(layer.state_dict())
    x, weights = torch.randn(32, 16), torch.randn(32, 16)
    right = layers.errors(layer, twin, x, weights)
    assert right["values"] < 2e-6
    assert right["gradients"] < 2e-5
    with torch.no_grad():
        twin.projection.weight.mul_(1 + 1e-3)
    wrong = layers.errors(layer, twin, x, weights)
    assert 1e-4 < wrong["values"] < 1e-2
    assert 1e-4 < wrong["gradients"] < 1e-1


# --- circuits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [circuits.serial_circuit, circuits.parallel_circuit])
@pytest.mark.parametrize("tool", list(circuits.evaluators()))
def test_every_tool_evaluates_the_same_circuit(make, tool) -> None:
    circuit = make(layers=2)
    rng = np.random.default_rng(0)
    theta = rng.uniform(-3, 3, circuit.n_parameters)
    x = rng.uniform(-3, 3, 5)
    function = circuits.evaluators()[tool](circuit, theta)
    expected = expectations(circuit, torch.as_tensor(x[:, None]), torch.as_tensor(theta))[:, 0]
    exact = tool.startswith(("PennyLane", "Qiskit")) or "float64" in tool
    np.testing.assert_allclose(function(x), expected, rtol=0, atol=1e-12 if exact else 2e-6)
    again = function(x[::-1].copy())
    np.testing.assert_allclose(again, expected.flip(0), rtol=0, atol=1e-12 if exact else 2e-6)


def test_degrees_of_the_two_circuits() -> None:
    from qrun_equiv.spectra.frequencies import frequencies

    for circuit, degree in zip(
        (circuits.serial_circuit(), circuits.parallel_circuit()), circuits.DEGREES, strict=True
    ):
        assert frequencies(circuit).largest().tolist() == [degree]


def test_circuit_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "qiskit-aer":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(circuits, "_MOST", 4096)
    torch.set_num_threads(2)
    try:
        tables = circuits.circuits(seconds=0.002, repeats=1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert [t.title.split(":")[0] for t in tables] == ["Circuits", "Circuits"]
    for table in tables:
        ours = table.row("counterpart, float32")
        for row in table.rows:
            if row["name"] == "Qiskit Aer":
                assert row["note"] == "not installed: pip install -c constraints.txt qiskit-aer"
                assert "rate" not in row
                continue
            assert 1 <= row["batch"] <= 4096
            assert row["error"] < (1e-13 if "Qiskit" in row["name"] else 2e-6)
        simulator = table.row("Qiskit Statevector")
        assert simulator["ratio"] == ours["rate"] / simulator["rate"]


def test_batches_are_sized_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def clocked(step, device) -> float:
        return 1e-3 * step()  # a millisecond a sample

    def prepare(x: np.ndarray) -> int:
        seen.append(len(x))
        return len(x)

    function = circuits.Evaluator(prepare, lambda count: count)
    monkeypatch.setattr(circuits, "clocked", clocked)
    assert circuits._sized(function, np.zeros(1 << 12), 2.0) == 2000
    assert seen == [64, 256]
    assert circuits._sized(function, np.zeros(1 << 12), 1e9) == circuits._MOST


# --- roofline -------------------------------------------------------------------------------------


def test_ceilings_are_measured() -> None:
    found = roofline.ceilings(CPU, repeats=1, shrink=32)
    assert found.bandwidth > 1e8
    assert set(found.rates) == {"float32", "float64"}
    assert all(rate > 1e8 for rate in found.rates.values())
    other = Ceilings(1.0, {"float32": math.inf, "float64": 0.0})
    best = found.best(other)
    assert best.bandwidth == found.bandwidth
    assert best.rates == {"float32": math.inf, "float64": found.rates["float64"]}


def test_ceilings_from_known_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def interleaved(steps, device, **options) -> dict[str, Times | str]:
        return {name: Times(2.0, 0.5) for name in steps} | {"float64": "out of memory"}

    monkeypatch.setattr(roofline, "interleaved", interleaved)
    found = roofline.ceilings(CPU, shrink=2)
    assert found.bandwidth == 2 * 4 * (1 << 24) / 0.5
    assert found.rates == {"float32": 2 * 1024**3 / 0.5}


def test_roofline_tables() -> None:
    measured = Ceilings(1e9, {"float32": 2e9, "float64": 1e9})
    columns = Column("name", "layer"), Column("train_best", "ms")
    rows = [
        {"name": layers.BASE, "train_best": 40.0},
        {"name": layers.EXACT, "infer_best": "no"},
        {"name": layers.KNOTS, "train_best": 40.0},
        {"name": layers.COMPILED, "infer_best": 20.0},
        {"name": layers.GELU, "infer_best": 10.0},
    ]
    found = roofline.roofline(Table("", columns, rows), 16, 100, measured).rows
    shape = cost.Shape(16, 16, 100)
    for row, (path, training, time) in zip(
        found, (("knots", True, 40.0), ("exact", False, 20.0), ("gelu", False, 10.0)), strict=True
    ):
        seconds = cost.seconds(shape, path, bandwidth=1e9, rate=2e9, training=training)
        assert row["bound"] == 1e3 * seconds
        assert row["fraction"] == row["bound"] / time
        assert row["bytes"] == cost.bytes_moved(shape, path, training=training) / 2**20
        assert row["operations"] == cost.operations(shape, path, training=training) / 1e9
    sums = Table("t", columns, [{"name": "counterpart, float32", "best": 2.0}])
    (row,) = roofline.sums_roofline({8: sums}, measured).rows
    assert row["operations"] == 8 + 40 + 6 * 7 + 4 * 8 + 2
    assert row["bound"] == pytest.approx(1e3 / row["operations"])
    assert row["fraction"] == pytest.approx(2.0 / row["bound"])


# --- output ---------------------------------------------------------------------------------------


def test_table_as_text() -> None:
    columns = Column("name", "layer"), Column("ms", "training\nms", ".1f"), Column("note", "how")
    table = Table(
        "Title", columns, [{"name": "a|b", "ms": 1.25}, {"name": "c", "note": "x"}], ["N."]
    )
    assert table.cells() == [["a|b", "1.2", "-"], ["c", "-", "x"]]
    assert table.markdown().splitlines() == [
        "## Title", "", "| layer | training ms | how |", "|---|--:|--:|",
        "| a\\|b | 1.2 | - |", "| c | - | x |", "", "N.",
    ]  # fmt: skip
    assert json.loads(json.dumps(table.to_json()))["rows"][0] == {"name": "a|b", "ms": 1.25}
    with pytest.raises(KeyError, match="d"):
        table.row("d")


def test_command_writes_and_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench, "_QUICK", {"cpu": ((32, 64),)})
    monkeypatch.setattr(circuits, "_MOST", 1024)
    shrunk = roofline.ceilings
    monkeypatch.setattr(bench, "ceilings", lambda d, **o: shrunk(d, repeats=1, shrink=32))
    json_file, page = tmp_path / "new" / "bench.json", tmp_path / "bench.md"
    assert bench.command("cpu", quick=True, json_file=json_file, markdown=page) == 0
    body = json.loads(json_file.read_text())
    titles = [table["title"] for table in body["tables"]]
    starts = ["Layers: 32", "Roofline: 32", "Circuits: 1", "Circuits: 4", "Roofline: e", "Ceilings"]
    assert [t.startswith(s) for t, s in zip(titles, starts, strict=True)] == [True] * 6
    assert (
        body["machine"]["torch"] == torch.__version__.partition("+")[0]
        or "+" in body["machine"]["torch"]
    )
    assert body["machine"]["device"].startswith("cpu (")
    printed = capsys.readouterr().out
    assert all(title in printed for title in titles)
    assert all(f"## {title}" in page.read_text() for title in titles)


def test_result_finds_its_tables() -> None:
    table = Table("Layers: 1", (Column("name", "layer"),), [])
    result = bench.BenchResult({"device": "cpu"}, [table])
    assert result.table("Layers") is table
    assert result.markdown().startswith("# Benchmark\n")
    with pytest.raises(KeyError, match="Circuits"):
        result.table("Circuits")


def test_bad_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(QrunEquivError, match="unknown device 'gpu'"):
        bench.run("gpu")
    with pytest.raises(QrunEquivError, match="not on 'meta'"):
        bench.run("meta")
    with pytest.raises(ReportError, match="it is a folder"):
        bench.command("cpu", json_file=tmp_path)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ReportError, match="name another file"):
        bench.command("cpu", markdown=blocked / "bench.md")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA")
def test_no_cuda_here() -> None:
    with pytest.raises(QrunEquivError, match=r"no device 'cuda' here .* take --device cpu"):
        bench.run("cuda")
    assert bench.chosen("auto") == CPU


def test_the_roofline_on_paper(repository) -> None:
    """The page shows what the command prints; a row of it by hand."""
    table = paper.on_paper()
    assert table.markdown().partition("\n\n")[2] in (repository / "docs/gpu.md").read_text()
    (row,) = [r for r in table.rows if r["device"] == "H100" and "512 -> 512" in r["layer"]
              and "float32" in r["layer"]]  # fmt: skip
    elements = 65536 * 256
    product = 2 * elements * 512
    # both passes of an inference: the product is bound by its operations, the other by its bytes
    linear, element = (product + elements) / 67e12, 12 * elements / 3.35e12
    assert row["knots_infer"] == pytest.approx(1e3 * (linear + element), rel=1e-3)
    assert row["saved"] == 0.75
