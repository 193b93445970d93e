"""Training: what a file may say, the networks it names, and the rows it reads."""

from __future__ import annotations

import dataclasses
import math
import struct

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from qrun_equiv import QRUN, cli
from qrun_equiv.errors import DataError, QrunEquivError
from qrun_equiv.training import ConfigError, build, layers, make_config, read_config, sources
from qrun_equiv.training.batches import Batches
from qrun_equiv.training.config import DataConfig, TrainConfig
from qrun_equiv.training.data import Scaler, Split, prepare
from qrun_equiv.training.layers import OPTIONS, FourierFeatures, Siren
from qrun_equiv.training.optimizers import learning_rate, make_optimizer

F64 = torch.float64


def body(data=None, model=None, train=None):
    return {
        "data": {"name": "iris", **(data or {})},
        "model": {"layers": ["qrun:4", "linear"], **(model or {})},
        "train": {"epochs": 1, **(train or {})},
    }


# --- what a file may say -------------------------------------------------------------------------


def test_the_example_is_read_and_written_back_the_same(tmp_path, repository):
    example = repository / "qrun_equiv" / "training" / "example.toml"
    config = read_config(example, ["model.layers=['qrun:4', {layer='linear'}]", "data.rows=[1, 9]"])
    copy = tmp_path / "copy.toml"
    copy.write_text(config.toml())
    assert read_config(copy) == config
    assert config.model["hidden"] == 9
    assert config.data.rows == (1, 9)


def test_the_page_on_training_names_every_key_layer_and_set(repository):
    page = (repository / "docs" / "training.md").read_text()
    keys = {f.name for kind in (DataConfig, TrainConfig) for f in dataclasses.fields(kind)}
    for name in keys | OPTIONS.keys():
        assert f"`{name}`" in page, name
    for name in (*sources.TABLES, *sources.GRIDS, *layers._KINDS):
        assert name in page, name


def test_an_example_is_printed_and_a_missing_file_says_so(repository):
    done = CliRunner().invoke(cli.app, ["train", "--example"])
    assert done.exit_code == 0
    assert done.output == (repository / "qrun_equiv/training/example.toml").read_text()
    with pytest.raises(QrunEquivError, match="--example"):
        CliRunner().invoke(cli.app, ["train"], catch_exceptions=False)


def test_overrides_are_toml_or_plain_text_and_paths_are_beside_the_file(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('[data]\nfile="a.csv"\n[model]\nlayers=["linear"]\n[train]\nepochs=2\n')
    config = read_config(file, ["train.optimizer=sgd", "train.clip=1e-1", "data.x=['a', 'b']"])
    assert config.data.file == str(tmp_path / "a.csv")
    assert (config.train.optimizer, config.train.clip, config.train.lr) == ("sgd", 0.1, 1e-2)
    assert config.data.x == ("a", "b")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"data": {"nam": "x"}}, "unknown key data.nam; the nearest is data.name"),
        ({"data": {"lr": 1}}, "the nearest is train.lr"),
        ({"model": {"hiden": 1}}, "the nearest is model.hidden"),
        ({"train": {"lr": -1}}, "train.lr must be a number above 0, got -1"),
        ({"train": {"lr": math.inf}}, "train.lr must be a number above 0"),
        ({"train": {"lr": True}}, "train.lr must be a number above 0"),
        ({"train": {"momentum": 1.0, "optimizer": "sgd"}}, "of at least 0 and below 1"),
        ({"train": {"batch": 1.5}}, "train.batch must be a whole number of at least 0"),
        ({"train": {"tensorboard": 1}}, "must be true or false"),
        ({"train": {"optimizer": "adm"}}, "did you mean 'adam'"),
        ({"train": {"spectrum_frequencies": [-1]}}, "must be a list of numbers of at least 0"),
        ({"train": {"steps": 5}}, "either epochs or steps"),
        ({"train": {"schedule": "step"}}, "needs train.decay_every"),
        ({"train": {"lr_min": 1.0}}, "is above train.lr"),
        ({"train": {"warmup": 1}}, "leaves nothing"),
        ({"train": {"patience": 1}}, "set data.validation"),
        ({"train": {"momentum": 0.5}}, "goes with 'sgd'"),
        ({"train": {"optimizer": "lbfgs", "weight_decay": 1}}, "'lbfgs' has none"),
        ({"train": {"optimizer": "lbfgs", "precision": "bf16-mixed"}}, "bfloat16"),
        ({"data": {"file": "x.csv"}}, "either file or name"),
        ({"data": {"name": ""}}, "data.name must be a text"),
        ({"data": {"validation": 0.5, "test": 0.5}}, "leave no rows"),
        ({"data": {"x": [True]}}, "a list of different columns"),
        ({"data": {"x": ["a", "a"]}}, "a list of different columns"),
        ({"data": {"x": "a"}}, "data.name has its own"),
        ({"data": {"test_x": "a"}}, "go with data.file"),
        ({"data": {"rows": [3, 3]}}, "0 <= first < end"),
        ({"data": {"stride": 2}}, "goes with data.task='function'"),
        ({"data": {"task": "classification", "scale_y": "unit"}}, "are not scaled"),
        ({"model": {"layers": []}}, "must be a list such as"),
        ({"model": {"layers": ["quantum:4"]}}, "unknown layer 'quantum'"),
        ({"model": {"layers": ["linear", "linear"]}}, "needs a width"),
        ({"model": {"layers": ["linear:0"]}}, "the width must be a whole number"),
        ({"model": {"layers": [4]}}, "must be a text"),
        ({"model": {"layers": [{"layer": "linear", "wide": 4}]}}, "has no option 'wide'"),
        ({"model": {"layers": ["linear:4", "dropout:0.5"]}}, "ends with dropout"),
        ({"model": {"layers": ["dropout:1", "linear"]}}, "a share from 0 to below 1"),
        ({"model": {"layers": ["qrun:5", "linear"]}}, "no multiple of outputs_per_element"),
        ({"model": {"hidden": "many"}}, "hidden must be an integer"),
        ({"model": {"layers": ["rff:5", "linear"]}}, "take an even number"),
        ({"model": {"layers": ["siren:5", "linear"], "omega": 0}}, "omega must be a positive"),
    ],
)
def test_a_mistake_is_named_before_anything_is_read(wrong, says):
    with pytest.raises(ConfigError) as caught:
        make_config(body(**wrong))
    assert says in str(caught.value)


def test_files_and_tables_that_are_not_there(tmp_path):
    with pytest.raises(ConfigError, match="can't read"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[data\n")
    with pytest.raises(ConfigError, match="is no TOML"):
        read_config(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match=r"table \[train\] is missing"):
        make_config({"data": {}, "model": {}})
    with pytest.raises(ConfigError, match="'modle' is no table"):
        make_config(body() | {"modle": {}})
    for override in ("train.lr", "lr=1"):
        with pytest.raises(ConfigError, match=r"write table\.key=value"):
            read_config(_minimal(tmp_path), [override])
    copied = make_config(body()).flat()
    assert copied["train.lr"] == 1e-3  # Adam's


def _minimal(folder):
    path = folder / "minimal.toml"
    path.write_text('[data]\nname="iris"\n[model]\nlayers=["linear"]\n[train]\nepochs=1\n')
    return path


# --- networks ------------------------------------------------------------------------------------


def test_layers_have_the_widths_and_options_asked_for():
    model = {"layers": ["rff:6", {"layer": "qrun:8", "reuploads": 2}, "linear+gelu:5", "qrun"]}
    network = build({**model, "hidden": 7, "path": "exact"}, 3, 4, F64)
    kinds = [type(m).__name__ for m in network]
    assert kinds == ["FourierFeatures", "QRUN", "Linear", "GELU", "QRUN"]
    assert [network[1].reuploading.reuploads, network[4].reuploading.reuploads] == [2, 4]
    assert network[1].path == "exact"
    assert (
        network[1].observable.readout.extra_repr()
        == QRUN(1, 2, reuploads=2, hidden=7).observable.readout.extra_repr()
    )
    assert network(torch.randn(2, 3, dtype=F64)).shape == (2, 4)
    with pytest.raises(ConfigError, match="the data need 3"):
        build({"layers": ["linear:2"]}, 4, 3, F64)


def test_the_same_seed_starts_every_precision_from_the_same_numbers():
    found = {}
    for dtype in (torch.float32, F64):
        torch.manual_seed(5)
        found[dtype] = build({"layers": ["qrun:8", "siren:6", "linear"]}, 3, 2, dtype)
    for single, double in zip(
        found[torch.float32].parameters(), found[F64].parameters(), strict=True
    ):
        assert single.dtype == torch.float32
        assert torch.equal(single, double.float())


def test_siren_is_the_papers():
    """First layer uniform in 1/n, others in sqrt(6/n)/omega; signals keep their size in depth."""
    torch.manual_seed(0)
    layers = ["siren:256", "siren:256", "siren:256", "dropout:0.5", "linear:256"]
    network = build({"layers": layers, "omega": 20.0, "omega_first": 40.0}, 3, 256, F64)
    first, second, third = (m for m in network if isinstance(m, Siren))
    assert (first.omega, second.omega) == (40.0, 20.0)
    bound = math.sqrt(6 / 256) / 20
    for weight, expected in (
        (first.linear.weight, 1 / 3), (second.linear.weight, bound),
        (third.linear.weight, bound), (network[-1].weight, bound),
    ):  # fmt: skip
        assert 0.95 * expected < float(weight.detach().abs().max()) <= expected
        assert float(weight.detach().std()) == pytest.approx(expected / math.sqrt(3), rel=0.05)
    x = torch.rand(500, 3, dtype=F64) * 2 - 1
    y = first(x)
    assert torch.allclose(y, torch.sin(40 * (x @ first.linear.weight.T + first.linear.bias)))
    for layer in (second, third):  # the paper's theorem 1.8: arcsine distributed, deviation 0.71
        y = layer(y)
        assert float(y.detach().std()) == pytest.approx(math.sqrt(0.5), rel=0.05)
    plain = build({"layers": ["linear:64"]}, 64, 64, F64)[0]
    assert (
        float(plain.weight.detach().abs().max()) > 0.1
    )  # nn.Linear's own 1/8 where no sine is before


def test_fourier_features_are_fixed_cosines_and_sines():
    torch.manual_seed(0)
    layer = FourierFeatures(2, 4000, sigma=3.0, dtype=F64)
    assert list(layer.parameters()) == []
    assert "frequencies" in layer.state_dict()
    assert float(layer.frequencies.std()) == pytest.approx(3.0, rel=0.05)
    x = torch.rand(5, 2, dtype=F64)
    y = layer(x)
    angles = 2 * math.pi * x @ layer.frequencies.T
    assert torch.allclose(y, torch.cat([angles.cos(), angles.sin()], 1))


def test_options_are_those_of_the_layer():
    assert {"reuploads", "readout", "hidden", "scales", "path", "omega", "sigma"} <= OPTIONS.keys()
    layer = QRUN(2, 4)
    assert (OPTIONS["path"], OPTIONS["reuploads"]) == (layer.path, layer.reuploading.reuploads)
    assert "dtype" not in OPTIONS


# --- rows ----------------------------------------------------------------------------------------


def rows_of(**keys):
    return prepare(DataConfig(**keys), F64)


def test_the_same_table_from_every_format(tmp_path):
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    table = np.column_stack([x, y])
    np.save(tmp_path / "t.npy", table)
    np.savez(tmp_path / "t.npz", x=x, y=y, other=x)
    lines = "\n".join(",".join(map(repr, row.tolist())) for row in table)
    (tmp_path / "t.csv").write_text("a, b,y\n" + lines + "\n")
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = dict(zip(("a", "b", "y"), table.T, strict=True))
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
    found = [
        rows_of(file=str(tmp_path / f"t.{kind}"), validation=0.2)
        for kind in ("npy", "npz", "csv", "parquet")
    ]
    for one in found:
        assert torch.equal(one.train.x, found[0].train.x)
        assert torch.equal(one.validation.y, found[0].validation.y)
    swapped = rows_of(
        file=str(tmp_path / "t.csv"), x=("b",), y=("a",), scale_x="none", scale_y="none"
    )
    assert torch.equal(swapped.train.x[:, 0], torch.as_tensor(x[:, 1]))
    assert torch.equal(swapped.train.y[:, 0], torch.as_tensor(x[:, 0]))
    by_number = rows_of(
        file=str(tmp_path / "t.npy"), x=(1,), y=(0,), scale_x="none", scale_y="none"
    )
    assert torch.equal(by_number.train.x, swapped.train.x)


def test_parts_are_disjoint_complete_seeded_and_scaled_by_the_training_rows():
    keys = {"name": "wine", "task": "classification", "validation": 0.2, "test": 0.1}
    data, again, other = rows_of(**keys), rows_of(**keys), rows_of(**keys, seed=1)
    sizes = [len(part) for part in (data.train, data.validation, data.test)]
    assert sizes == [178 - 36 - 18, 36, 18]
    assert torch.equal(data.train.x, again.train.x)
    assert not torch.equal(data.train.x, other.train.x)
    assert data.digest == again.digest
    raw = rows_of(name="wine", task="classification", scale_x="none")
    together = torch.cat([p.x for p in (data.train, data.validation, data.test)])
    back = together.numpy() / data.scale_x.factor + data.scale_x.shift
    every = {tuple(row) for row in np.round(raw.train.x.numpy(), 6).tolist()}
    assert {tuple(row) for row in np.round(back, 6).tolist()} == every
    assert torch.allclose(data.train.x.mean(0), torch.zeros(13, dtype=F64), atol=1e-9)
    assert torch.allclose(data.train.x.std(0, correction=0), torch.ones(13, dtype=F64))
    assert float(data.validation.x.mean(0).abs().max()) > 1e-3  # not scaled by its own rows
    assert data.classes == (0, 1, 2)
    assert (data.inputs, data.outputs) == (13, 3)


@pytest.mark.parametrize(("how", "low", "high"), [("unit", -1, 1), ("angles", -np.pi, np.pi)])
def test_ranges(how, low, high):
    rows = np.array([[1.0, 7.0], [3.0, 7.0], [2.0, 7.0]])
    scaled = Scaler.fitted(rows, how)(rows)
    assert scaled[:, 0].tolist() == pytest.approx([low, high, (low + high) / 2])
    assert scaled[:, 1].tolist() == [0, 0, 0]
    standard = Scaler.fitted(rows + 1e9, "standard")(rows + 1e9)
    assert standard[:, 1].tolist() == [0, 0, 0]


def test_labels_may_be_texts_and_a_test_set_a_file_of_its_own(tmp_path):
    (tmp_path / "a.csv").write_text("u,kind\n1,cat\n2,dog\n3,cat\n")
    (tmp_path / "b.csv").write_text("u,kind\n9,dog\n")
    keys = {"task": "classification", "y": ("kind",), "scale_x": "none"}
    data = rows_of(file=str(tmp_path / "a.csv"), test_file=str(tmp_path / "b.csv"), **keys)
    assert data.classes == ("cat", "dog")
    assert data.train.y.tolist() == [0, 1, 0]
    assert (data.test.x.tolist(), data.test.y.tolist()) == ([[9.0]], [1])
    (tmp_path / "b.csv").write_text("u,kind\n9,cow\n")
    with pytest.raises(DataError, match="the label 'cow'"):
        rows_of(file=str(tmp_path / "a.csv"), test_file=str(tmp_path / "b.csv"), **keys)
    images, labels = np.zeros((4, 2, 3), dtype=np.uint8), np.array([3, 5, 3, 5])
    np.savez(
        tmp_path / "c.npz", x_train=images, y_train=labels, x_test=images[:2], y_test=labels[:2]
    )
    data = rows_of(
        file=str(tmp_path / "c.npz"), task="classification",
        x=("x_train",), y=("y_train",), test_x=("x_test",), test_y=("y_test",),
    )  # fmt: skip
    assert (data.classes, data.inputs, len(data.test)) == ((3, 5), 6, 2)


def test_functions_are_sampled_on_a_grid_of_coordinates(tmp_path):
    np.save(tmp_path / "curve.npy", np.arange(5.0))
    keys = {"task": "function", "scale_y": "none"}
    curve = rows_of(file=str(tmp_path / "curve.npy"), **keys)
    assert curve.train.x[:, 0].tolist() == [-1, -0.5, 0, 0.5, 1]
    assert curve.train.y[:, 0].tolist() == [0, 1, 2, 3, 4]
    image = np.arange(24.0).reshape(4, 6)
    np.save(tmp_path / "image.npy", image)
    data = rows_of(file=str(tmp_path / "image.npy"), stride=2, rows=(1, 4), **keys)
    assert data.train.y[:, 0].tolist() == image[1::2, ::2].ravel().tolist()
    assert data.train.x.tolist()[1] == pytest.approx([-1, -0.2])  # line 1 of 3, column 2 of 6
    coffee = rows_of(name="coffee", stride=50, task="function")
    assert (coffee.inputs, coffee.outputs) == (2, 3)
    assert float(coffee.train.y.abs().max()) == 1
    wav = tmp_path / "tone.wav"
    samples = np.array([[0, 1], [100, -3], [-5, 7]] * 3, dtype="<i2")
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + samples.nbytes, b"WAVE", b"fmt ", 16,
                       1, 2, 8000, 32000, 4, 16, b"data", samples.nbytes)  # fmt: skip
    wav.write_bytes(head + samples.tobytes())
    tone = rows_of(file=str(wav), rows=(1, 3), **keys)
    assert tone.train.y.tolist() == [[100, -3], [-5, 7]]
    assert tone.train.x.tolist() == [[-1], [1]]


@pytest.mark.parametrize(
    ("name", "content", "keys", "says"),
    [
        ("none.csv", None, {}, "can't read"),
        ("a.txt", "x", {}, "must be one of .npz"),
        ("a.csv", "", {}, "is empty"),
        ("a.csv", "a,y\n", {}, "has no rows"),
        ("a.csv", "a,y\n1,2,3\n", {}, "row 1: 3 entries for 2 columns"),
        ("a.csv", "a,b\n1,2\n", {}, "no column 'y'; its columns are a, b"),
        ("a.csv", "a,y\n1,two\n", {}, "y of .* no real numbers"),
        ("a.csv", "a,y\n1,\n", {}, "no real numbers"),
        ("a.csv", "a,y\n1,2\nnan,3\n", {}, r"1 entries are not finite, the first at \[1, 0\]"),
        ("a.csv", "y\n1\n", {}, "no column is x"),
        ("a.csv", "a,y\n1,2\n", {"x": ("y",)}, "both in x and in y"),
        ("a.csv", "a,y\n1,2\n", {"validation": 0.1}, "of 1 rows is none"),
        ("a.csv", "a,y\n1,2\n", {"validation": 0.9}, "no rows are left to train on"),
        ("a.csv", "a,y\n1,2\n1,2\n", {"task": "classification"}, "needs two or more"),
        ("a.csv", "a,y\n1,2\n", {"task": "function"}, "to be a function on a grid"),
        ("a.npz", "no zip", {}, "can't read|is damaged"),
        ("a.npy", "no array", {}, "can't read"),
        ("a.parquet", "no parquet", {}, "can't read|is damaged"),
        ("a.wav", "no sound", {"task": "function"}, "can't read"),
        ("a.png", "no image", {"task": "function"}, "can't read|is damaged"),
    ],
)
def test_rows_that_cannot_be_had(tmp_path, name, content, keys, says):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=says):
        rows_of(file=str(tmp_path / name), **keys)


def test_shipped_names():
    with pytest.raises(DataError, match="unknown table 'camera'; it is a function"):
        rows_of(name="camera")
    with pytest.raises(DataError, match="it is a table"):
        rows_of(name="iris", task="function")
    assert rows_of(name="diabetes").outputs == 1


# --- steps ---------------------------------------------------------------------------------------


def test_every_epoch_sees_every_row_once_whatever_the_processes():
    x = torch.arange(23, dtype=F64)[:, None]
    split = Split(x, x)
    single = Batches(split, 5, 7, 0, 1)
    ranks = [Batches(split, 5, 7, rank, 3) for rank in range(3)]
    assert single.per_epoch == 5
    epochs = []
    for step in range(10):
        whole, y, rows = single.at(step)
        parts = [b.at(step) for b in ranks]
        assert torch.equal(whole, torch.cat([part[0] for part in parts]))
        assert torch.equal(whole, y)
        assert rows == len(whole) == parts[0][2] == (3 if step % 5 == 4 else 5)
        epochs.append(whole[:, 0].tolist())
    first, second = ([row for part in epochs[k : k + 5] for row in part] for k in (0, 5))
    assert sorted(first) == sorted(second) == list(range(23))
    assert first != second
    assert torch.equal(Batches(split, 5, 7, 0, 1).at(6)[0], x[[int(i) for i in epochs[6]]])
    assert not torch.equal(Batches(split, 5, 8, 0, 1).at(6)[0], x[[int(i) for i in epochs[6]]])
    assert torch.equal(Batches(split, 23, 7, 0, 1).at(3)[0], x)


def test_learning_rates():
    def rates(per_epoch=1, **keys):
        train = make_config(body(train=keys)).train
        return [learning_rate(train, step, per_epoch) for step in range(8)]

    assert rates(lr=0.5) == [0.5] * 8
    stepped = rates(lr=1.0, schedule="step", decay=0.5, decay_every=2, per_epoch=2, epochs=4)
    assert stepped == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    cosine = rates(lr=1.0, schedule="cosine", lr_min=0.2, epochs=8)
    assert cosine == pytest.approx([0.6 + 0.4 * math.cos(math.pi * k / 8) for k in range(8)])
    warm = rates(lr=1.0, schedule="cosine", warmup=3, epochs=7)
    assert warm[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert warm[5] == pytest.approx(0.5)


def test_optimizers_take_their_settings():
    weight = [nn.Parameter(torch.zeros(2))]
    found = make_optimizer(
        make_config(body(train={"optimizer": "sgd", "momentum": 0.5, "weight_decay": 0.1})).train,
        weight,
    )
    group = found.param_groups[0]
    assert (type(found), group["momentum"], group["weight_decay"]) == (torch.optim.SGD, 0.5, 0.1)
    for name, cls in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW)):
        keys = {"optimizer": name, "weight_decay": 0.2, "lr": 0.3}
        found = make_optimizer(make_config(body(train=keys)).train, weight)
        assert type(found) is cls
        assert (found.param_groups[0]["weight_decay"], found.param_groups[0]["lr"]) == (0.2, 0.3)
    lbfgs = make_optimizer(make_config(body(train={"optimizer": "lbfgs"})).train, weight)
    assert lbfgs.param_groups[0]["line_search_fn"] == "strong_wolfe"
