"""``qrun-equiv run``: what is written, counted, checked and refused."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shlex

import numpy as np
import pytest
import torch
from rich.console import Console
from streaming_cases import THETA, beside, counterpart, expected, make_pair, rows

from qrun_equiv import points, tolerances
from qrun_equiv.errors import CounterpartError, DataError
from qrun_equiv.streaming import (
    BoundError,
    RunError,
    check_command,
    command,
    run,
    run_command,
    verify_manifest,
)
from qrun_equiv.streaming import evaluation as evaluation_module
from qrun_equiv.streaming.evaluation import Evaluator, choose_device, choose_dtype
from qrun_equiv.streaming.journal import Totals
from qrun_equiv.streaming.manifest import manifest_path, read_manifest
from qrun_equiv.streaming.options import Options
from qrun_equiv.streaming.subsample import TOLERANCES


@pytest.fixture(scope="module")
def pair():
    return make_pair()


@pytest.fixture(scope="module")
def certificate(pair, tmp_path_factory):
    return pair.verify().certificate.save(tmp_path_factory.mktemp("gate") / "c.json")


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "in.npy"
    np.save(path, rows(1000))
    return path


def leftovers(output):
    return [p.name for p in output.parent.iterdir() if p.name.startswith(output.name + ".")]


def test_writes_every_row_and_records_it(pair, certificate, data, tmp_path):
    output = tmp_path / "out.npy"
    made = run(pair, certificate, data, output, chunk=128, seed=5, command="as it was typed")
    found = np.load(output)
    assert found.shape == (1000, 2)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected(np.load(data)), rtol=0, atol=1e-15)
    assert made == verify_manifest(output) == read_manifest(output)
    assert leftovers(output) == [manifest_path(output).name]
    assert made["status"] == "complete"
    assert made["rows"] == 1000
    assert made["output"]["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
    assert made["input"]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert made["input"]["size"] == data.stat().st_size
    assert made["certificate"]["status"] == "proved"
    assert made["certificate"]["sha256"] == hashlib.sha256(certificate.read_bytes()).hexdigest()
    assert made["parameters"] == THETA
    assert made["command"] == "as it was typed"
    assert (made["dtype"], made["chunk"], made["resumed"]) == ("float64", 128, 0)
    # 8 chunks of at least 16 rows and the two ends; natively in the chunks 1, 2, 4 and 8
    assert 8 * 16 <= made["check"]["rows in float64"] <= 8 * 18
    assert made["check"]["rows by the circuit"] == 4 * 4
    assert "UNVERIFIED" not in made


def test_parquet_in_and_out(pair, certificate, tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    x = rows(1000)
    table = pyarrow.table({"b": x[:, 1], "note": ["text"] * 1000, "a": x[:, 0]})
    parquet.write_table(table, tmp_path / "in.parquet", row_group_size=300)
    output = tmp_path / "out.parquet"
    options = {"columns": ["a", "b"], "chunk": 128}
    made = run(pair, certificate, tmp_path / "in.parquet", output, **options)
    found = parquet.read_table(output)
    assert found.column_names == ["output0", "output1"]
    assert parquet.ParquetFile(output).metadata.num_row_groups == 8
    values = np.stack([c.to_numpy() for c in found.columns], axis=1)
    np.testing.assert_allclose(values, expected(x), rtol=0, atol=1e-15)
    assert made["output"]["sha256"] == hashlib.sha256(output.read_bytes()).hexdigest()
    assert leftovers(output) == [manifest_path(output).name]
    again = tmp_path / "again.parquet"
    run(pair, certificate, tmp_path / "in.parquet", again, **options)
    assert again.read_bytes() == output.read_bytes()


def test_a_pipe(pair, certificate, data, tmp_path):
    run(pair, certificate, data, tmp_path / "a.npy", chunk=100)
    with data.open("rb") as stream:
        made = run(pair, certificate, stream, tmp_path / "b.npy", chunk=100)
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()
    assert made["input"]["read"] == hashlib.sha256(np.load(data).tobytes()).hexdigest()
    assert made["input"]["path"] == "standard input"


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129])
def test_numbers_of_rows_around_a_chunk(pair, certificate, count, tmp_path):
    np.save(tmp_path / "in.npy", rows(count))
    made = run(pair, certificate, tmp_path / "in.npy", tmp_path / "out.npy", chunk=128)
    found = np.load(tmp_path / "out.npy")
    assert found.shape == (count, 2)
    np.testing.assert_allclose(found, expected(rows(count)), rtol=0, atol=1e-15)
    assert made["check"]["rows in float64"] >= min(count, 16)


def test_rows_that_are_no_numbers_stay_in_place(pair, certificate, tmp_path):
    x = rows(500)
    x[[0, 130, 499], [0, 1, 0]] = np.nan, np.inf, -np.inf
    np.save(tmp_path / "in.npy", x)

    def look(x):
        assert torch.isfinite(x).all()  # it is never asked about them
        return counterpart(x, torch.tensor(THETA, dtype=x.dtype))

    options = {"chunk": 128, "evaluate": look}
    made = run(pair, certificate, tmp_path / "in.npy", tmp_path / "out.npy", **options)
    found = np.load(tmp_path / "out.npy")
    bad = [0, 130, 499]
    assert np.isnan(found[bad]).all()
    good = np.setdiff1d(np.arange(500), bad)
    np.testing.assert_allclose(found[good], expected(x[good]), rtol=0, atol=1e-15)
    assert made["rows not finite"] == 3


def test_a_chunk_of_nan_only(pair, certificate, tmp_path):
    np.save(tmp_path / "in.npy", np.full((10, 2), np.nan))
    made = run(pair, certificate, tmp_path / "in.npy", tmp_path / "out.npy")
    assert np.isnan(np.load(tmp_path / "out.npy")).all()
    assert (made["rows not finite"], made["check"]["rows in float64"]) == (10, 0)


def test_float32_and_bfloat16_are_near_and_say_how_near(pair, certificate, data, tmp_path):
    exact = expected(np.load(data))
    for dtype in ("float32", "bfloat16"):
        output = tmp_path / f"{dtype}.npy"
        made = run(pair, certificate, data, output, dtype=dtype, check_fraction=1.0)
        found = np.load(output)
        assert found.dtype == np.float32
        error = np.abs(found - exact).max()
        assert 1e-9 < error < 2e-6
        assert made["check"]["worst error"] == pytest.approx(error, rel=1e-6)
        assert made["check"]["rows in float64"] == 1000
        assert 1e-9 < made["check"]["worst difference from the circuit"] <= error + 1e-14
        bound = made["tolerance"] * np.array(made["check"]["scales"])
        ratio = (np.abs(found - exact) / bound).max()
        assert made["check"]["worst part of its bound"] == pytest.approx(ratio, rel=1e-6)


def test_the_seed_says_which_rows_are_checked(pair, certificate, data, tmp_path):
    options = {"dtype": "float32", "overwrite": True}
    made = [
        run(pair, certificate, data, tmp_path / "out.npy", seed=seed, **options)["check"]
        for seed in (0, 0, 1)
    ]
    assert made[0] == made[1] != made[2]


def test_rows_too_large_for_float32_stop_the_run(pair, certificate, tmp_path):
    x = rows(1000)
    x[300:] *= 1e5
    np.save(tmp_path / "in.npy", x)
    output = tmp_path / "out.npy"
    with pytest.raises(BoundError, match=r"rows leave the bound .*row 3\d\d, output") as caught:
        run(pair, certificate, tmp_path / "in.npy", output, dtype="float32", chunk=100)
    assert "instead of" in str(caught.value)
    assert "--dtype float64" in str(caught.value)
    assert not output.exists()
    made = read_manifest(output)
    assert (made["status"], made["rows"]) == ("stopped", 300)
    assert "row 3" in made["reason"]
    assert beside(output, "partial").stat().st_size == 128 + 300 * 2 * 4
    with pytest.raises(RunError, match="is stopped"):
        verify_manifest(output)
    made = run(pair, certificate, tmp_path / "in.npy", output, dtype="float64", restart=True)
    assert made["status"] == "complete"


def test_one_wrong_output_of_a_device_is_noticed(pair, certificate, data, tmp_path):
    def broken(x):
        out = counterpart(x, torch.tensor(THETA, dtype=x.dtype))
        out[-1, 1] += 1e-6  # the last row of a batch
        return out

    with pytest.raises(BoundError, match="row 127, output 1"):
        run(pair, certificate, data, tmp_path / "out.npy", evaluate=broken, chunk=128)


def test_what_the_circuit_does_not_say_is_noticed(tmp_path, data):
    """A counterpart that is consistently wrong: only the native circuit can tell."""
    wrong = make_pair(counterpart=lambda x, theta: counterpart(x, 1.001 * theta))
    with pytest.raises(BoundError, match=r"against the circuit \(pennylane\)"):
        run(wrong, None, data, tmp_path / "out.npy", unverified=True)
    made = run(wrong, None, data, tmp_path / "out.npy", unverified=True, native_rows=0,
               restart=True)  # fmt: skip
    assert made["UNVERIFIED"].startswith("NO CERTIFICATE COVERS THIS OUTPUT")
    assert made["check"]["rows by the circuit"] == 0


def test_an_approximation_is_held_to_its_epsilon(tmp_path, data):
    near = make_pair(
        counterpart=lambda x, theta: counterpart(x, theta) + 1e-3,
        claim="approximates",
        epsilon=2e-3,
        parameters=THETA,
    )
    certificate = near.verify().certificate.save(tmp_path / "c.json")
    made = run(near, certificate, data, tmp_path / "out.npy")
    assert made["covers"]["epsilon"] == 2e-3
    assert made["check"]["rows by the circuit"] == 4


def test_a_value_that_is_not_finite_stops_the_run(pair, certificate, data, tmp_path):
    def broken(x):
        out = counterpart(x, torch.tensor(THETA, dtype=x.dtype))
        if len(x) == 100:
            out[61] = torch.nan
        return out

    with pytest.raises(BoundError, match="row 61: the counterpart gives"):
        run(pair, certificate, data, tmp_path / "out.npy", evaluate=broken, chunk=100)


def test_rows_outside_the_domain(tmp_path):
    pair = make_pair(domain=(-2, 3))
    certificate = pair.verify(level="sampled").certificate.save(tmp_path / "c.json")
    x = np.clip(rows(400), -2, 3)
    x[222, 1] = 3.0000001
    np.save(tmp_path / "in.npy", x)
    output = tmp_path / "out.npy"
    with pytest.raises(DataError, match=r"row 222 has x1 = 3\.0000001; .* \[-2\.0, 3\.0\] only"):
        run(pair, certificate, tmp_path / "in.npy", output, chunk=64)
    made = run(pair, certificate, tmp_path / "in.npy", output, chunk=64, allow_outside=True)
    assert (made["rows outside"], made["resumed"], made["rows"]) == (1, 1, 400)
    np.testing.assert_allclose(np.load(output), expected(x), rtol=0, atol=1e-15)


def test_the_circuit_is_not_asked_outside_the_domain(tmp_path):
    bent = make_pair(
        counterpart=lambda x, theta: counterpart(x.clamp(-2, 3), theta), domain=(-2, 3)
    )
    certificate = bent.verify(level="sampled").certificate.save(tmp_path / "c.json")
    x = np.clip(rows(400), -2, 3)
    x[:250] = 5.0
    np.save(tmp_path / "in.npy", x)
    made = run(bent, certificate, tmp_path / "in.npy", tmp_path / "out.npy", chunk=100,
               allow_outside=True)  # fmt: skip
    assert made["rows outside"] == 250
    assert made["check"]["rows by the circuit"] == 4  # of the chunks 1, 2 and 4, the last


def test_values_outside_the_domain_need_not_be_numbers(tmp_path):
    def root(x):
        return torch.stack([torch.acos(x[:, 0]), x[:, 1]], dim=1)

    pair = make_pair(counterpart=root, domain=(-1, 1))
    x = np.clip(rows(300), -1, 1)
    x[[0, 50]] = [[1.5, 0.0], [0.5, 2.0]]
    np.save(tmp_path / "in.npy", x)
    options = {"unverified": True, "allow_outside": True, "native_rows": 0, "check_fraction": 1.0}
    made = run(pair, None, tmp_path / "in.npy", tmp_path / "out.npy", evaluate=root, **options)
    found = np.load(tmp_path / "out.npy")
    assert np.argwhere(np.isnan(found)).tolist() == [[0, 0]]
    assert (made["rows outside"], made["rows not finite"]) == (2, 0)
    assert made["check"]["rows in float64"] == 299
    assert made["evaluated by"].endswith("root")


def test_memory_that_does_not_hold_a_chunk_halves_the_batch(pair, certificate, data, tmp_path):
    sizes = []

    def tight(x):
        sizes.append(len(x))
        if len(x) > 100:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return counterpart(x, torch.tensor(THETA, dtype=x.dtype))

    said = []
    made = run(
        pair, certificate, data, tmp_path / "out.npy", evaluate=tight, chunk=300,
        progress=lambda totals, _: said.append(totals.batch),
    )  # fmt: skip
    assert made["batches"] == [[0, 75]]
    assert made["batch"] == 75
    assert said == [75] * 4
    assert max(s for s in sizes if s <= 100) == 75
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), expected(np.load(data)), rtol=0, atol=1e-15
    )

    def never(x):
        if len(x) != points.ROWS:  # the probe
            raise MemoryError("no room")
        return counterpart(x, torch.tensor(THETA, dtype=x.dtype))

    with pytest.raises(RunError, match="out of memory for a single row on cpu: no room"):
        run(pair, certificate, data, tmp_path / "none.npy", evaluate=never)


def test_weights_of_functions_and_modules_in_float32(tmp_path, data):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(THETA, dtype=torch.float64))

        def forward(self, x):
            return counterpart(x, self.weight)

    net = Net()
    constant = torch.tensor(THETA, dtype=torch.float64)
    held = [net, lambda x: counterpart(x, constant), lambda x: 1.0 * net(x)]
    for number, one in enumerate(held):
        pair = make_pair(counterpart=one, parameters=THETA)
        output = tmp_path / f"{number}.npy"
        run(pair, None, data, output, unverified=True, parameters=THETA, dtype="float32")
        found = np.load(output)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected(np.load(data)), rtol=0, atol=2e-6)
    assert net.weight.dtype == torch.float64  # the user's own module is as it was


def test_a_counterpart_that_differentiates_inside(tmp_path, data):
    def by_derivative(x, theta):
        leaf = x.detach().requires_grad_()
        values = torch.sin(leaf[:, 0]) * torch.cos(theta[0]) + torch.sin(theta[1] + leaf[:, 1])
        return torch.autograd.grad(values.sum(), leaf)[0]

    pair = make_pair(counterpart=by_derivative)
    made = run(pair, None, data, tmp_path / "out.npy", unverified=True)
    assert made["check"]["worst error"] < 1e-12
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), expected(np.load(data)), rtol=0, atol=1e-14
    )


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: counterpart(x, x[0])[:5], r"returned \(5, 2\) for 24 row"),
        (lambda x: x.numpy(), "returned ndarray for 24 row"),
        (lambda x: counterpart(x, x[0]).float(), "returned torch.float32"),
        (lambda x: x @ x, "raised RuntimeError on 24 row"),
        (lambda x: x.nothing, "raised AttributeError on 24 row"),
    ],
)
def test_functions_that_break_their_contract(pair, certificate, data, tmp_path, function, message):
    with pytest.raises(CounterpartError, match=message):
        run(pair, certificate, data, tmp_path / "out.npy", evaluate=function)
    assert leftovers(tmp_path / "out.npy") == []


def test_another_number_of_outputs_is_refused(pair, certificate, data, tmp_path):
    def three(x):
        return torch.zeros(len(x), 3, dtype=x.dtype)

    with pytest.raises(BoundError, match=r"3 output\(s\), .* has 2"):
        run(pair, certificate, data, tmp_path / "out.npy", evaluate=three)


def test_no_cuda_here(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("cuda", "cuda:1"):
        with pytest.raises(RunError, match=r"sees 0 CUDA device\(s\).*--device cpu"):
            choose_device(name)
    assert choose_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("auto") == choose_device("cuda") == torch.device("cuda")
    with pytest.raises(RunError, match="sees 1 CUDA"):
        choose_device("cuda:1")
    for name in ("meta", "gpu"):
        with pytest.raises(RunError, match="one of auto, cpu, cuda"):
            choose_device(name)


def test_dtypes():
    assert choose_dtype("auto", torch.device("cpu")) == "float64"
    assert choose_dtype("auto", torch.device("cuda")) == "float32"
    assert choose_dtype("bfloat16", torch.device("cpu")) == "bfloat16"
    with pytest.raises(RunError, match="one of auto, float64"):
        choose_dtype("float16", torch.device("cpu"))
    assert TOLERANCES["float64"] == tolerances.EQUAL


def test_bfloat16_is_for_matrix_products_only(pair):
    source = pair.sources()["counterpart"]
    seen = {}

    def look(x):
        seen["x"], seen["product"] = x.dtype, (x @ x.T).dtype
        return (x @ x.T)[:, :2]

    evaluator = Evaluator(source, np.array(THETA), torch.device("cpu"), "bfloat16", look)
    assert evaluator(rows(3)).dtype == np.float32
    assert seen == {"x": torch.float32, "product": torch.bfloat16}


def test_a_module_that_cannot_be_copied_runs_as_it_is_only(pair, monkeypatch):
    monkeypatch.setattr(evaluation_module, "copied", lambda function: function)
    net = torch.nn.Linear(2, 2, dtype=torch.float64)
    source = make_pair(counterpart=net).sources()["counterpart"]
    cpu = torch.device("cpu")
    with pytest.raises(RunError, match="can't be copied"):
        Evaluator(source, np.array(THETA), cpu, "float32")
    assert net.weight.dtype == torch.float64
    assert Evaluator(source, np.array(THETA), cpu, "float64")(rows(3)).shape == (3, 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"chunk": 0}, "chunk must be a whole number from 1 up"),
        ({"chunk": True}, "chunk must be"),
        ({"seed": -1}, "seed must be"),
        ({"native_rows": 1.5}, "native_rows must be"),
        ({"check_fraction": 1.5}, "check_fraction is a part"),
        ({"columns": "ab"}, "columns is a list of names"),
        ({"tolerance": 0.0}, "tolerance must be a positive"),
        ({"tolerance": float("nan")}, "tolerance must be a positive"),
    ],
)
def test_options_out_of_range(changed, message):
    with pytest.raises(RunError, match=message):
        Options(**changed)


def test_rows_of_a_chunk():
    assert Options().rows_of_chunk(1) == 2**18
    assert Options().rows_of_chunk(100) == 2**14
    assert Options().rows_of_chunk(10**9) == 2**8
    assert Options(chunk=5).rows_of_chunk(100) == 5


def test_outputs_that_are_refused(pair, certificate, data, tmp_path):
    output = tmp_path / "out.npy"
    for name, message in [
        ("out.txt", "neither .npy nor .parquet"),
        ("missing/out.npy", "no folder"),
        ("in.npy", "would overwrite"),
    ]:
        with pytest.raises(RunError, match=message):
            run(pair, certificate, data, tmp_path / name)
    journal = tmp_path / "x.npy"
    np.save(beside(journal, "partial").with_suffix(".npy"), rows(3))
    linked = beside(journal, "partial")
    linked.symlink_to(data)
    with pytest.raises(RunError, match="would overwrite"):
        run(pair, certificate, data, journal)
    (tmp_path / "link.npy").symlink_to(data)
    with pytest.raises(RunError, match="would overwrite"):
        run(pair, certificate, tmp_path / "link.npy", data, overwrite=True)
    (tmp_path / "folder.npy").mkdir()
    with pytest.raises(RunError, match="is a folder"):
        run(pair, certificate, data, tmp_path / "folder.npy")
    output.write_text("mine")
    with pytest.raises(RunError, match=r"exists; .*--overwrite"):
        run(pair, certificate, data, output)
    assert output.read_text() == "mine"
    assert leftovers(output) == []
    run(pair, certificate, data, output, overwrite=True)
    assert len(np.load(output)) == 1000


def test_a_disk_that_is_too_small_is_found_first(pair, certificate, data, tmp_path, monkeypatch):
    from qrun_equiv.streaming import output as output_module

    usage = type("Usage", (), {"free": 128 + 1000 * 16 - 1})
    monkeypatch.setattr(output_module.shutil, "disk_usage", lambda _: usage)
    output = tmp_path / "out.npy"
    with pytest.raises(RunError, match="GB free, the output needs"):
        run(pair, certificate, data, output)
    assert leftovers(output) == []
    usage.free += 1
    run(pair, certificate, data, output)


def test_the_manifest_finds_damage(pair, certificate, data, tmp_path):
    output = tmp_path / "out.npy"
    with pytest.raises(RunError, match="can't read the manifest"):
        verify_manifest(output)
    run(pair, certificate, data, output)
    good, manifest = output.read_bytes(), manifest_path(output)
    output.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(RunError, match="SHA-256 differs"):
        verify_manifest(output)
    output.write_bytes(good[:-1])
    with pytest.raises(RunError, match="not as long"):
        verify_manifest(output)
    output.write_bytes(good)
    text = manifest.read_text()
    manifest.write_text(text.replace('"rows": 1000', '"rows": 1001', 1))
    with pytest.raises(RunError, match="edited or damaged"):
        verify_manifest(output)
    for other, message in [("{", "is no JSON"), ("[]", "no manifest"), ('{"kind": 1}', "no man")]:
        manifest.write_text(other)
        with pytest.raises(RunError, match=message):
            verify_manifest(output)


def test_the_command_says_what_happened(pair, certificate, data, tmp_path, capsys, monkeypatch):
    console = Console(file=io.StringIO(), width=300)
    output = tmp_path / "out.npy"
    line = shlex.join(["qrun-equiv", "run"])
    code = run_command(pair, certificate, str(data), output, console=console, columns="1, 0",
                       command=line)  # fmt: skip
    assert code == 0
    np.testing.assert_allclose(np.load(output), expected(np.load(data)[:, ::-1]), atol=1e-15)
    text = console.file.getvalue()
    assert "1,000 rows, float64" in text
    assert "worst error 0.0e+00" in text
    apart = float(re.search(r"default.qubit: (\S+)", text)[1])
    assert 0 < apart < 1e-14  # another program: its rounding differs
    assert "(proved)" in text
    assert check_command(output, console) == 0
    assert console.file.getvalue() == text * 2
    assert capsys.readouterr().err == ""  # quicker than ten seconds: silent
    big = tmp_path / "big.npy"
    np.save(big, 1e6 * rows(100))
    stopped = tmp_path / "stopped.npy"
    assert run_command(pair, certificate, str(big), stopped, dtype="float32") == 1
    said = capsys.readouterr().err
    assert "stopped: " in said
    assert "stopped.npy.manifest.json" in said
    with data.open("rb") as stream:
        stdin = type("Stdin", (), {"buffer": stream, "isatty": lambda _: terminal})
        monkeypatch.setattr("sys.stdin", stdin())
        terminal = True
        with pytest.raises(RunError, match="is a terminal"):
            run_command(pair, None, "-", tmp_path / "p.npy", unverified=True)
        terminal = False
        run_command(pair, None, "-", tmp_path / "p.npy", console=console, unverified=True)
    assert "UNVERIFIED NO CERTIFICATE COVERS THIS OUTPUT" in console.file.getvalue()
    assert json.loads(manifest_path(tmp_path / "p.npy").read_text())["unverified"] is True


def test_a_run_that_no_certificate_covers_rests_on_none(pair, certificate, data, tmp_path):
    """A stale one is named in the manifest; the outcome must not read as if it held."""
    console = Console(file=io.StringIO(), width=200)
    output = tmp_path / "out.npy"
    given = {"parameters": [0.1, 0.2], "unverified": True, "at_least": "proved"}
    renamed = make_pair("renamed")
    assert run_command(renamed, certificate, str(data), output, console=console, **given) == 0
    said = console.file.getvalue()
    assert "UNVERIFIED" in said
    assert "rests on" not in said
    run_command(pair, certificate, str(data), tmp_path / "b.npy", console=console)
    assert "rests on" in console.file.getvalue()


def test_an_interrupted_run_says_how_it_goes_on(pair, certificate, data, tmp_path, monkeypatch,
                                                capsys):  # fmt: skip
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("qrun_equiv.streaming.command.run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_command(pair, certificate, str(data), tmp_path / "out.npy")
    assert "the same command (with the same input) goes on" in capsys.readouterr().err


def test_a_line_every_ten_seconds_without_a_terminal(pair, certificate, data, tmp_path,
                                                     monkeypatch, capsys):  # fmt: skip
    clock = iter(range(0, 10**6, 4))
    monkeypatch.setattr(command.time, "monotonic", lambda: next(clock))
    run_command(pair, certificate, str(data), tmp_path / "out.npy", chunk=100)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3  # 10 chunks, 4 seconds each
    assert lines[0].startswith("300 of 1,000 rows, ")
    assert "rows/s" in lines[0]
    assert "s left" in lines[0]


def test_the_speed_of_a_resumed_run_is_that_of_its_new_rows(monkeypatch):
    clock = iter([0.0, 100.0, 120.0])
    monkeypatch.setattr(command.time, "monotonic", lambda: next(clock))
    reporter = command.Reporter(Console(file=io.StringIO(), width=200))
    reporter(Totals(rows=1000, resumes=1), 2000)
    reporter(Totals(rows=1100, resumes=1), 2000)
    last = reporter.console.file.getvalue().splitlines()[-1]
    assert last.startswith("1,100 of 2,000 rows, 5 rows/s")
    assert last.endswith("180 s left")
