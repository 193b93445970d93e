"""Training runs: what they leave, how they stop, and that they go on to the same bits."""

from __future__ import annotations

import csv
import errno
import io
import json
import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from rich.console import Console
from safetensors import safe_open

from qrun_equiv import QRUN
from qrun_equiv.scale.knots import Knots
from qrun_equiv.training import (
    ConfigError,
    TrainingError,
    load,
    make_config,
    read_config,
    train,
    train_command,
)
from qrun_equiv.training.checkpoint import KNOTS_STATE, Checkpoint
from qrun_equiv.training.records import draw_curves, read_log

pytest.importorskip("lightning_fabric")
TIMED = {"seconds", "samples_per_second"}


@pytest.fixture
def rows(tmp_path):
    """49 rows of a smooth function of two variables: with a batch of 16 the last one has one."""
    x = np.random.default_rng(0).uniform(-2, 2, (49, 2))
    np.savez(tmp_path / "rows.npz", x=x, y=np.sin(2 * x[:, :1]) * np.cos(x[:, 1:]) + 5)
    return str(tmp_path / "rows.npz")


def config_of(rows, *, data=None, model=None, **train_keys):
    return make_config(
        {
            "data": {"file": rows, "validation": 0.1, **(data or {})},
            "model": {
                "layers": ["qrun:8", "linear"], "hidden": 5, "path": "knots", **(model or {}),
            },
            "train": {
                "steps": 20, "batch": 16, "lr": 0.02, "clip": 0.5, "precision": "64-true",
                "log_every": 4, **train_keys,
            },
        }
    )  # fmt: skip


def same_bits(one, other):
    found, wanted = (load(folder).state_dict() for folder in (one, other))
    return found.keys() == wanted.keys() and all(torch.equal(found[k], wanted[k]) for k in wanted)


def curve(folder):
    rows = read_log(folder / "log.csv")
    return [tuple(str(row[k]) for k in row if k not in TIMED) for row in rows]


def interrupted_at(step, number=signal.SIGTERM):
    def watch(now, total, row):
        if now == step - 1:  # while the step before is being finished
            os.kill(os.getpid(), number)

    return watch


# --- what a run leaves ---------------------------------------------------------------------------


def test_a_run_leaves_its_configuration_log_checkpoints_scores_and_weights(tmp_path, rows):
    config = config_of(rows, data={"test": 0.1}, steps=60)
    seen = []
    outcome = train(config, tmp_path / "run", device="cpu", watch=lambda *a: seen.append(a))
    folder = tmp_path / "run"
    assert (outcome.stopped, outcome.step, outcome.main) == ("completed", 60, True)
    assert read_config(folder / "config.toml") == config
    log = read_log(folder / "log.csv")
    assert [row["step"] for row in log] == list(range(4, 64, 4))
    assert [row["epoch"] for row in log][:2] == [4 / 3, 8 / 3]
    assert log[-1]["loss"] < 0.5 * log[0]["loss"]
    assert all(row["samples_per_second"] > 0 and row["gradient_norm"] > 0 for row in log)
    assert [now for now, _, _ in seen] == list(range(1, 61))
    assert seen[-1][1] == 60
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics == outcome.metrics
    assert metrics["rows"] == {"train": 39, "validation": 5, "test": 5}
    best = min(log, key=lambda row: row["validation_loss"])
    assert metrics["weights_of_step"] == best["step"]
    assert metrics["validation"]["loss"] == best["validation_loss"]
    module = load(folder)
    assert metrics["parameters"] == sum(p.numel() for p in module.parameters())
    with (folder / "curves.png").open("rb") as picture:
        assert picture.read(8) == b"\x89PNG\r\n\x1a\n"
    # the scores once more, from the file alone and in the units of the data
    with np.load(rows) as body:
        x, y = (torch.as_tensor(body[k]) for k in "xy")
    order = np.random.default_rng([0, 0x5917]).permutation(49)
    test = torch.as_tensor(np.sort(order[5:10]))
    error = (module(x[test]) - y[test]).square().mean().item()
    assert error == pytest.approx(metrics["test"]["mean_squared_error"], rel=1e-9)
    variance = y[test].var(correction=0).item()
    assert metrics["test"]["r2"] == pytest.approx(1 - error / variance, rel=1e-9)
    assert not same_weights(load(folder, "last"), load(folder, "best")) or best["step"] == 60
    assert same_weights(load(folder / "model.safetensors"), load(folder, "best"))


def same_weights(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(p, q) for p, q in pairs)


def test_a_step_is_the_one_written_by_hand(tmp_path, rows):
    """Two epochs of SGD with momentum and clipping, against ten lines of torch."""
    config = config_of(rows, optimizer="sgd", momentum=0.9, steps=6, data={"validation": 0.0})
    train(config, tmp_path / "run", device="cpu")
    from qrun_equiv.training.batches import Batches
    from qrun_equiv.training.data import prepare
    from qrun_equiv.training.trained import Trained

    data = prepare(config.data, torch.float64)
    with torch.random.fork_rng():
        torch.manual_seed(config.train.seed)
        mine = Trained.of(config.model, data, torch.float64).network
    optimizer = torch.optim.SGD(mine.parameters(), lr=0.02, momentum=0.9)
    batches, norms, losses = Batches(data.train, 16, 0, 0, 1), [], []
    for step in range(6):
        x, y, _ = batches.at(step)
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(mine(x), y)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(mine.parameters(), 0.5).item())
        optimizer.step()
        losses += [loss.item()] * len(x)
    for p, q in zip(load(tmp_path / "run").network.parameters(), mine.parameters(), strict=True):
        assert torch.allclose(p, q, rtol=1e-12, atol=1e-14)
    row = read_log(tmp_path / "run" / "log.csv")
    assert row[0]["gradient_norm"] == pytest.approx(norms[3], rel=1e-9)
    assert max(norms) > 0.5  # the clipping did something
    assert row[0]["loss"] == pytest.approx(np.mean(losses[: 16 * 2 + 12 + 16 + 5]), rel=0.3)
    assert math.isnan(row[0]["validation_loss"])


def test_a_classifier_learns_and_tells_labels(tmp_path):
    config = make_config(
        {
            "data": {"name": "iris", "task": "classification", "validation": 0.2},
            "model": {"layers": ["qrun:16", "linear"], "hidden": 8},
            "train": {"epochs": 40, "batch": 40, "lr": 0.02, "optimizer": "adamw"},
        }
    )
    outcome = train(config, tmp_path / "run", device="cpu")
    assert outcome.metrics["train"]["accuracy"] > 0.9
    assert read_log(tmp_path / "run" / "log.csv")[-1]["validation_accuracy"] > 0.8
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    module = load(tmp_path / "run")
    assert next(module.parameters()).dtype == torch.float32
    found = module.predict(torch.as_tensor(x))
    assert np.mean(np.array(found) == y) > 0.9
    with pytest.raises(TrainingError, match="can't read"):
        load(tmp_path / "nothing")
    with pytest.raises(TrainingError, match="one of 'final'"):
        load(tmp_path / "run", "first")
    (tmp_path / "run" / "checkpoints" / "best.safetensors").unlink(missing_ok=True)
    with pytest.raises(TrainingError, match="no best weights, only the last: nothing was valid"):
        load(tmp_path / "run", "best")


@pytest.mark.parametrize(
    "layers",
    [
        ["linear+tanh:16", "linear"], ["siren:16", "linear"], ["rff:16", "linear+relu:8", "linear"],
        ["qrun:8", "linear+gelu:8", "linear:1"],
    ],
)  # fmt: skip
def test_every_kind_of_layer_learns(tmp_path, rows, layers):
    options = {"layers": layers, "omega": 3.0, "omega_first": 3.0, "sigma": 0.2}
    config = config_of(rows, model=options, steps=90, log_every=30, clip=0.0, lr=0.05)
    log = (train(config, tmp_path / "run", device="cpu"), read_log(tmp_path / "run" / "log.csv"))[1]
    assert log[-1]["loss"] < 0.8 * log[0]["loss"]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_short_precisions_follow_float64(tmp_path, rows, precision):
    options = {"steps": 8, "log_every": 1, "optimizer": "sgd"}
    for kind in ("64-true", precision):
        train(config_of(rows, precision=kind, **options), tmp_path / kind, device="cpu")
    exact, found = (read_log(tmp_path / kind / "log.csv") for kind in ("64-true", precision))
    gaps = [abs(a["loss"] / b["loss"] - 1) for a, b in zip(found, exact, strict=True)]
    limits = {"32-true": (1e-9, 1e-5), "bf16-mixed": (1e-5, 3e-2)}[precision]
    assert limits[0] < max(gaps) < limits[1]
    assert torch.get_default_dtype() == torch.float32
    assert load(tmp_path / "64-true").network[1].weight.dtype == torch.float64


def test_the_callers_random_numbers_are_left_alone(tmp_path, rows):
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    train(config_of(rows, steps=2), tmp_path / "run", device="cpu")
    load(tmp_path / "run")
    assert torch.equal(torch.rand(2), wanted)
    train(config_of(rows, steps=2, seed=1), tmp_path / "other", device="cpu")
    assert not same_bits(tmp_path / "run", tmp_path / "other")


def test_early_stop_keeps_the_best(tmp_path, rows):
    config = config_of(
        rows,
        steps=400,
        lr=0.3,
        model={"path": "exact"},
        optimizer="sgd",
        clip=0.0,
        log_every=1,
        patience=3,
        batch=4,
    )
    outcome = train(config, tmp_path / "run", device="cpu")
    log = read_log(tmp_path / "run" / "log.csv")
    best = min(log, key=lambda row: row["validation_loss"])["step"]
    assert outcome.stopped == "early stop"
    assert outcome.metrics["weights_of_step"] == best == outcome.step - 3
    assert outcome.metrics["validation"]["loss"] == min(row["validation_loss"] for row in log)
    assert same_weights(load(tmp_path / "run"), load(tmp_path / "run", "best"))
    assert not same_weights(load(tmp_path / "run"), load(tmp_path / "run", "last"))


def test_events_and_spectra_where_asked_for(tmp_path, rows):
    pytest.importorskip("tensorboard")
    config = config_of(
        rows,
        steps=6,
        log_every=3,
        tensorboard=True,
        spectrum_every=2,
        model={"scales": "shared-fixed"},
    )
    folder = tmp_path / "run"
    stopped = train(config, folder, device="cpu", watch=interrupted_at(3))
    assert stopped.stopped == "interrupted"
    train(config, folder, device="cpu", resume=True)
    assert list((folder / "tensorboard").glob("events.out.*"))
    with np.load(folder / "spectrum.npz") as found:
        assert found["steps"].tolist() == [0, 2, 4, 6]
        assert found["frequencies"].tolist() == list(range(11))  # of the scales 1, 2, 3, 4
        assert found["scales"][0].tolist() == [1, 2, 3, 4]
        last = load(folder, "last").network[0].reuploading.scales
        assert found["scales"][-1].tolist() == last.tolist()
        assert len(found["amplitudes"]) == 4
    bad = config_of(rows, spectrum_every=1, model={"layers": ["linear"]})
    with pytest.raises(ConfigError, match="needs a qrun layer"):
        train(bad, tmp_path / "none", device="cpu")


def test_curves_are_drawn_for_odd_logs_too(tmp_path):
    one = {"step": 1.0, "loss": 0.5, "validation_loss": math.nan}
    flat = [{"step": float(k), "loss": 0.0, "validation_loss": 1.0} for k in range(3)]
    sizes = []
    for number, rows in enumerate(([], [one], flat)):
        path = draw_curves(rows, number, tmp_path / f"{number}.png")
        sizes.append(path.stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2]


# --- going on ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "step"),
    [
        ({"optimizer": "adam", "schedule": "cosine", "warmup": 3}, 10),
        ({"optimizer": "adamw", "weight_decay": 0.1, "precision": "32-true"}, 3),
        ({"optimizer": "sgd", "momentum": 0.9, "schedule": "step", "decay_every": 4}, 10),
        ({"optimizer": "lbfgs", "lr": 0.5, "batch": 0, "clip": 0.0, "steps": 6}, 3),
    ],
    ids=lambda value: value["optimizer"] if isinstance(value, dict) else str(value),
)
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, rows, keys, step):
    layers = ["qrun:8", "dropout:0.2", "linear"]
    config = config_of(rows, model={"layers": layers if "lr" not in keys else layers[::2]}, **keys)
    train(config, tmp_path / "whole", device="cpu")
    number = signal.SIGTERM if step == 3 else signal.SIGINT
    halted = train(config, tmp_path / "cut", device="cpu", watch=interrupted_at(step, number))
    assert (halted.stopped, halted.step) == ("interrupted", step)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    outcome = train(config, tmp_path / "cut", device="cpu", resume=True)
    assert outcome.stopped == "completed"
    assert same_bits(tmp_path / "cut", tmp_path / "whole")
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    last = [(tmp_path / name / "checkpoints/last.safetensors") for name in ("cut", "whole")]
    assert states(last[0]) == states(last[1])
    again = train(config, tmp_path / "cut", device="cpu", resume=True)  # finished already
    assert again.metrics["train"] == outcome.metrics["train"]
    assert again.step == outcome.step


def states(path):
    """Every tensor of a checkpoint, byte by byte, and its metadata but for the time."""
    with safe_open(path, "pt") as body:
        tensors = {name: body.get_tensor(name).numpy().tobytes() for name in body.keys()}  # noqa: SIM118
        run = json.loads(body.metadata()["run"])
        run["progress"].pop("seconds")
        return tensors, run, body.metadata()["optimizer"]


def test_all_that_knots_remember_is_saved():
    layer = QRUN(1, 4, path="knots")
    fixed = {"tolerance", "most", "always", "last", "_begun", "_returned"}  # of one pass at most
    assert set(vars(layer._knots)) == set(vars(Knots())) == fixed | set(KNOTS_STATE)


def test_knots_go_on_from_where_they_were(tmp_path, rows):
    """Their step follows the calls before: with one of 2^-13 they need some calls to widen it."""
    config = config_of(rows, steps=2, log_every=1)
    train(config, tmp_path / "run", device="cpu", watch=interrupted_at(2))
    last = tmp_path / "run" / "checkpoints" / "last.safetensors"
    saved = Checkpoint.load(last.read_bytes(), last)
    assert saved.knots.shape == (1, 1, len(KNOTS_STATE))
    assert saved.knots[0, 0, 0] > -11
    saved.knots[0, 0, 0] = -13
    saved.run["progress"] |= {"step": 1, "stopped": ""}
    saved.save(last)
    train(config, tmp_path / "run", device="cpu", resume=True)
    assert Checkpoint.load(last.read_bytes(), last).knots[0, 0, 0] <= -11  # two calls since


DRIVER = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from qrun_equiv.training import train_command
train_command(Path(sys.argv[1]), device="cpu", out=Path(sys.argv[2]))
"""


def test_a_run_killed_with_sigkill_goes_on_to_the_same_bits(tmp_path, rows):
    config = config_of(
        rows, steps=320, batch=13, log_every=25, checkpoint_every=9, schedule="cosine",
        model={"layers": ["qrun:8", "dropout:0.1", "linear"], "path": "knots"},
    )  # fmt: skip
    (tmp_path / "run.toml").write_text(config.toml())
    command = [sys.executable, "-c", DRIVER, str(tmp_path / "run.toml"), str(tmp_path / "cut")]
    last = tmp_path / "cut" / "checkpoints" / "last.safetensors"
    with subprocess.Popen(command) as process:
        while process.poll() is None and _saved_step(last) < 100:
            time.sleep(0.005)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    step = _saved_step(last)
    assert 100 <= step < 320
    log = tmp_path / "cut" / "log.csv"
    with log.open("a") as stream:  # as if the kill had come in the middle of a later row
        stream.write(f"{step + 1},0.5,0.5,0.5,,0.1,0.1,1.0,1.0\n{step + 2},0.1")
    train(config, tmp_path / "cut", device="cpu", resume=True)
    train(config, tmp_path / "whole", device="cpu")
    assert same_bits(tmp_path / "cut", tmp_path / "whole")
    assert curve(tmp_path / "cut") == curve(tmp_path / "whole")
    assert len(read_log(log)) == 13


def _saved_step(path):
    if not path.exists():
        return -1
    return Checkpoint.load(path.read_bytes(), path).run["progress"]["step"]


# --- several processes ---------------------------------------------------------------------------

WORKER = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from qrun_equiv.training import train_command
for path in ("exact", "knots"):
    train_command(
        Path(sys.argv[1]), [f"model.path={path}"], device="cpu", out=Path(sys.argv[2]) / path
    )
"""


def test_two_processes_give_the_curve_of_one(tmp_path, rows):
    """49 rows in batches of 16: of the last one, the first process has no row at all.

    With knots each process chooses its own for its own phases: the curve agrees as well as they do.
    """
    keys = {"steps": 24, "log_every": 3, "data": {"validation": 0.0}}
    (tmp_path / "run.toml").write_text(config_of(rows, **keys).toml())
    (tmp_path / "worker.py").write_text(WORKER)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        str(tmp_path / "worker.py"), str(tmp_path / "run.toml"), str(tmp_path / "two"),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            said, complaints = process.communicate(timeout=240)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, complaints
    assert said.count("completed at step 24") == 2  # once a run: the main process tells
    for path, tolerance in (("exact", 1e-13), ("knots", 1e-10)):
        train(config_of(rows, model={"path": path}, **keys), tmp_path / path, device="cpu")
        one, two = (read_log(f / "log.csv") for f in (tmp_path / path, tmp_path / "two" / path))
        assert len(one) == len(two) == 8
        for row, other in zip(one, two, strict=True):
            for name in ("loss", "gradient_norm", "learning_rate"):
                assert other[name] == pytest.approx(row[name], rel=tolerance)
        metrics = json.loads((tmp_path / "two" / path / "metrics.json").read_text())
        assert metrics["processes"] == 2
        found, wanted = (load(f).state_dict() for f in (tmp_path / "two" / path, tmp_path / path))
        for name, tensor in wanted.items():
            assert torch.allclose(found[name], tensor, rtol=0, atol=10 * tolerance)


# --- refusals ------------------------------------------------------------------------------------


def test_a_folder_with_a_run_is_not_overwritten_and_one_without_not_resumed(tmp_path, rows):
    config = config_of(rows, steps=2)
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(config, tmp_path / "run", device="cpu", resume=True)
    train(config, tmp_path / "run", device="cpu")
    with pytest.raises(TrainingError, match="has a run already: continue it with --resume"):
        train(config, tmp_path / "run", device="cpu")


def test_another_configuration_or_other_rows_are_not_gone_on_with(tmp_path, rows):
    train(config_of(rows, steps=2), tmp_path / "run", device="cpu")
    other = config_of(rows, steps=2, lr=0.5, model={"hidden": 6})
    with pytest.raises(TrainingError) as caught:
        train(other, tmp_path / "run", device="cpu", resume=True)
    assert "model.hidden was 5, is 6; train.lr was 0.02, is 0.5" in str(caught.value)
    assert "another run (--out) without --resume" in str(caught.value)
    moved = str(tmp_path / "moved.npz")
    os.rename(rows, moved)  # noqa: PTH104
    train(config_of(moved, steps=2), tmp_path / "run", device="cpu", resume=True)
    with np.load(moved) as body:
        np.savez(moved, x=body["x"], y=body["y"] + 1e-12)
    with pytest.raises(TrainingError, match="rows are not those"):
        train(config_of(moved, steps=2), tmp_path / "run", device="cpu", resume=True)


def test_a_damaged_checkpoint_is_named(tmp_path, rows):
    config = config_of(rows, steps=2)
    train(config, tmp_path / "run", device="cpu")
    last = tmp_path / "run" / "checkpoints" / "last.safetensors"
    whole = last.read_bytes()
    for damaged in (b"", whole[:-40], whole.replace(b"training-1", b"training-9"), b"x" * 200):
        last.write_bytes(damaged)
        with pytest.raises(TrainingError, match="or damaged"):
            train(config, tmp_path / "run", device="cpu", resume=True)
    model = tmp_path / "run" / "model.safetensors"
    saved = Checkpoint.load(model.read_bytes(), model)
    saved.tensors.pop("network.1.bias")
    saved.save(model)
    with pytest.raises(TrainingError, match="don't fit its description"):
        load(tmp_path / "run")
    model.rename(last)
    with pytest.raises(TrainingError, match="no run to go on with"):
        train(config, tmp_path / "run", device="cpu", resume=True)


@pytest.mark.parametrize(("optimizer", "step"), [("sgd", 2), ("lbfgs", 1)])
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, rows, optimizer, step):
    """The step is named (L-BFGS overflows in its line search); the last good weights are kept."""
    keys = {"optimizer": optimizer, "lr": 1e200, "clip": 0.0, "batch": 0, "checkpoint_every": 50}
    config = config_of(rows, model={"layers": ["linear+relu:8", "linear"]}, log_every=50, **keys)
    with pytest.raises(
        TrainingError, match=rf"not finite at step {step}; lower train\.lr"
    ) as caught:
        train(config, tmp_path / "run", device="cpu")
    assert "the checkpoint of step 0 is in" in str(caught.value)
    kept = load(tmp_path / "run", "last")
    assert all(bool(p.isfinite().all()) for p in kept.parameters())


def test_a_validation_loss_that_is_not_finite_stops_the_run(tmp_path, rows):
    config = config_of(
        rows, model={"layers": ["linear+relu:8", "linear"]}, optimizer="sgd", lr=1e200, clip=0.0,
        batch=0, log_every=1,
    )  # fmt: skip
    with pytest.raises(TrainingError, match=r"validation loss is (inf|nan) at step 1"):
        train(config, tmp_path / "run", device="cpu")
    assert _saved_step(tmp_path / "run" / "checkpoints" / "last.safetensors") == 0


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path, rows, monkeypatch):
    config = config_of(rows, checkpoint_every=4)
    real, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 9:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TrainingError, match=r"No space left on device.*--resume continues"):
            train(config, tmp_path / "run", device="cpu")
    step = _saved_step(tmp_path / "run" / "checkpoints" / "last.safetensors")
    assert 0 < step < 20
    train(config, tmp_path / "run", device="cpu", resume=True)
    train(config, tmp_path / "whole", device="cpu")
    assert same_bits(tmp_path / "run", tmp_path / "whole")


def test_places_devices_and_batches_that_cannot_be(tmp_path, rows, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match="can't write"):
        train(config_of(rows), tmp_path / "file" / "run", device="cpu")
    with pytest.raises(TrainingError, match="batch=50 is larger than the 44 training rows"):
        train(config_of(rows, batch=50), tmp_path / "run", device="cpu")
    with pytest.raises(ConfigError, match="unknown device 'gpu'"):
        train(config_of(rows), tmp_path / "run", device="gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="no CUDA device here"):
        train(config_of(rows), tmp_path / "run", device="cuda")
    nothing = config_of(rows, data={"y": "x"}, model={"layers": ["rff:2"]})
    with pytest.raises(TrainingError, match="no weights to train"):
        train(nothing, tmp_path / "run", device="cpu")


@pytest.mark.parametrize(
    ("package", "keys"),
    [("lightning_fabric", {}), ("torch.utils.tensorboard", {"tensorboard": True})],
)
def test_a_package_that_is_not_there_is_named_with_its_command(
    tmp_path, rows, monkeypatch, package, keys
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=r"qrun-equiv\[scale\]") as caught:
        train(config_of(rows, **keys), tmp_path / "run", device="cpu")
    assert package.split(".")[-1].replace("_", "-") in str(caught.value)


# --- the command ---------------------------------------------------------------------------------


def test_the_command_tells_where_things_are_and_how_to_go_on(tmp_path, rows):
    (tmp_path / "mine.toml").write_text(config_of(rows).toml())
    text = io.StringIO()
    console = Console(file=text, width=40)
    outcome = train_command(
        tmp_path / "mine.toml", ["train.steps=8"], device="cpu", out=tmp_path / "r", console=console
    )
    assert outcome.step == 8
    said = text.getvalue()
    assert "completed at step 8" in said
    assert str(tmp_path / "r" / "model.safetensors") in said
    assert "validation loss" in said
    assert "\r" not in said  # no progress bar where nobody looks
    assert len(said.splitlines()) == 5


def test_an_interrupted_command_tells_how_to_go_on(tmp_path, rows, monkeypatch):
    (tmp_path / "mine.toml").write_text(config_of(rows).toml())
    monkeypatch.chdir(tmp_path)
    text = io.StringIO()
    import qrun_equiv.training.command as command

    real = command.train

    def interrupting(config, folder, *, watch, **rest):
        return real(config, folder, watch=interrupted_at(5), **rest)

    monkeypatch.setattr(command, "train", interrupting)
    outcome = train_command(
        tmp_path / "mine.toml", ["train.lr=0.01"], device="cpu", console=Console(file=text)
    )
    assert (outcome.stopped, outcome.step) == ("interrupted", 5)
    again = f"qrun-equiv train {tmp_path / 'mine.toml'} --set train.lr=0.01 --resume --out mine-run"
    assert again in text.getvalue()
    monkeypatch.setattr(command, "train", real)
    done = train_command(
        tmp_path / "mine.toml",
        ["train.lr=0.01"],
        device="cpu",
        resume=True,
        console=Console(file=text),
    )
    assert done.step == 20
    with (tmp_path / "mine-run" / "log.csv").open() as stream:
        assert [row["step"] for row in csv.DictReader(stream)] == ["4", "8", "12", "16", "20"]
