"""What a training run is told: a TOML file of three tables, checked before anything starts.

``[data]`` says where the rows are, ``[model]`` lists the layers, ``[train]`` says how. A key that
does not exist, a value of the wrong kind and two that contradict each other are errors here.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qrun_equiv.training import check
from qrun_equiv.training.errors import ConfigError
from qrun_equiv.training.layers import OPTIONS, rehearse

_RATES = {"adam": 1e-3, "adamw": 1e-3, "sgd": 1e-2, "lbfgs": 1.0}
SCALES = ("standard", "unit", "angles", "none")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """``[data]``: where the rows are and how they are split and scaled.

    Attributes:
        task: ``"regression"``, ``"classification"`` (y are labels), or ``"function"``: samples on
            a grid (a curve, a sound, an image), x are coordinates in [-1, 1].
        file: .npz, .npy, .csv or .parquet; for functions also .wav, .png or .jpg.
        name: instead of a file, a set that scikit-learn or scikit-image ships.
        x: columns of the inputs, or an array's name in a .npz; else all but y (.npz: ``x``).
        y: the same for the targets; else the column ``y`` (.npy: the last one).
        test_file: rows of the test set, with the same columns; the same file where left out.
        test_x: columns or array of the test set's inputs, where they differ.
        test_y: of its targets.
        validation: share of the rows held out to validate on.
        test: share held out and scored once, at the end.
        scale_x: ``"standard"`` (mean 0, deviation 1), ``"unit"`` ([-1, 1]), ``"angles"`` ([-pi,
            pi]) or ``"none"``, fitted on the training rows; else standard, for functions none.
        scale_y: the same for the targets of a regression; else standard, for functions unit.
        rows: ``[first, end]``: only these rows (samples, image lines).
        stride: of a function: every so many-th sample, along each axis.
        seed: of the split.
    """

    task: str = check.key("regression", check.choice("regression", "classification", "function"))
    file: str = check.key("", check.text)
    name: str = check.key("", check.text)
    x: tuple[str | int, ...] = check.key((), check.columns)
    y: tuple[str | int, ...] = check.key((), check.columns)
    test_file: str = check.key("", check.text)
    test_x: tuple[str | int, ...] = check.key((), check.columns)
    test_y: tuple[str | int, ...] = check.key((), check.columns)
    validation: float = check.key(0.0, check.number(0, 1))
    test: float = check.key(0.0, check.number(0, 1))
    scale_x: str = check.key("", check.choice(*SCALES))
    scale_y: str = check.key("", check.choice(*SCALES))
    rows: tuple[int, ...] = check.key((), check.interval)
    stride: int = check.key(1, check.whole(1))
    seed: int = check.key(0, check.whole(0))


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """``[train]``: how the weights are found, and what is recorded.

    Attributes:
        epochs: passes over the training rows; or
        steps: optimizer steps. One of the two.
        batch: rows a step, over all processes together; 0: all rows.
        optimizer: ``"adam"``, ``"adamw"``, ``"sgd"`` or ``"lbfgs"`` (strong Wolfe line search).
        lr: learning rate; else 1e-3, 1e-3, 1e-2 or 1.
        weight_decay: as in torch's optimizer of that name.
        momentum: of ``"sgd"``.
        schedule: ``"constant"``, ``"cosine"`` (to ``lr_min``) or ``"step"`` (times ``decay`` every
            ``decay_every``).
        lr_min: where the cosine ends.
        decay: factor of the schedule ``"step"``.
        decay_every: its interval, in epochs where ``epochs`` is given, else in steps.
        warmup: linear start, in the same unit.
        clip: largest norm of the gradient; 0: not clipped.
        seed: of the initial weights, the order of the rows and dropout.
        precision: ``"32-true"``, ``"64-true"`` or ``"bf16-mixed"``.
        patience: stop after so many validations without a better one; 0: never.
        log_every: steps between rows of the log, each with a validation; 0: once an epoch, at
            most 200 in all.
        checkpoint_every: steps between checkpoints; 0: as ``log_every``.
        tensorboard: also write TensorBoard's events.
        spectrum_every: steps between spectra of the first Q-RUN layer's function; 0: none.
        spectrum_frequencies: those recorded, per radian; else the sums of the first scales.
    """

    epochs: int = check.key(0, check.whole(1))
    steps: int = check.key(0, check.whole(1))
    batch: int = check.key(0, check.whole(0))
    optimizer: str = check.key("adam", check.choice(*_RATES))
    lr: float = check.key(0.0, check.number(0, above=True))
    weight_decay: float = check.key(0.0, check.number(0))
    momentum: float = check.key(0.0, check.number(0, 1))
    schedule: str = check.key("constant", check.choice("constant", "cosine", "step"))
    lr_min: float = check.key(0.0, check.number(0))
    decay: float = check.key(0.1, check.number(0, above=True))
    decay_every: int = check.key(0, check.whole(1))
    warmup: int = check.key(0, check.whole(0))
    clip: float = check.key(0.0, check.number(0))
    seed: int = check.key(0, check.whole(0))
    precision: str = check.key("32-true", check.choice("32-true", "64-true", "bf16-mixed"))
    patience: int = check.key(0, check.whole(0))
    log_every: int = check.key(0, check.whole(0))
    checkpoint_every: int = check.key(0, check.whole(0))
    tensorboard: bool = check.key(False, check.flag)
    spectrum_every: int = check.key(0, check.whole(0))
    spectrum_frequencies: tuple[float, ...] = check.key((), check.frequencies)


@dataclass(frozen=True, kw_only=True)
class Config:
    """A whole run.

    Attributes:
        data: where the rows are.
        model: ``layers`` and the options of all Q-RUN, SIREN and Fourier layers.
        train: how.
    """

    data: DataConfig
    model: Mapping[str, Any]
    train: TrainConfig

    def flat(self) -> dict[str, Any]:
        """All keys that are set, as ``"train.lr"``, in plain JSON types."""
        tables = {
            "data": dataclasses.asdict(self.data),
            "model": dict(self.model),
            "train": dataclasses.asdict(self.train),
        }
        return {
            f"{table}.{key}": list(value) if isinstance(value, tuple) else value
            for table, values in tables.items()
            for key, value in values.items()
            if value not in ("", ())
        }

    def toml(self) -> str:
        """The run as a file that :func:`read_config` reads back."""
        lines: list[str] = []
        for name, value in self.flat().items():
            table, key = name.split(".")
            if f"[{table}]" not in lines:
                lines += ["", f"[{table}]"] if lines else [f"[{table}]"]
            unset = key in {"epochs", "steps", "decay_every"} and value == 0
            lines += [] if unset else [f"{key} = {_toml(value)}"]
        return "\n".join(lines) + "\n"


def read_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """A run from a TOML file; relative files in it are beside it.

    Args:
        path: the file.
        overrides: ``"table.key=value"``, each in place of what the file says.

    Raises:
        ConfigError: no such file, no TOML, or a key or value that can't be.
    """
    path = Path(path)
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"can't read {path}: {error.strerror or error}"
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is no TOML: {error}"
        raise ConfigError(msg) from error
    for override in overrides:
        _override(body, override)
    data = body.get("data")
    for key in ("file", "test_file"):
        if isinstance(data, dict) and isinstance(data.get(key), str) and data[key]:
            data[key] = str(path.parent.absolute() / data[key])
    return make_config(body)


def make_config(body: Mapping[str, Any]) -> Config:
    """A run from the three tables.

    Raises:
        ConfigError: a key or value that can't be.
    """
    known = {f.name for f in dataclasses.fields(Config)}
    for table, values in body.items():
        if table not in known or not isinstance(values, Mapping):
            msg = f"{table!r} is no table of a training file: it has [data], [model] and [train]"
            raise ConfigError(msg)
    missing = sorted(known - body.keys())
    if missing:
        msg = f"the table [{missing[0]}] is missing"
        raise ConfigError(msg)
    train = _table("train", TrainConfig, body["train"])
    if not train.lr:
        train = dataclasses.replace(train, lr=_RATES[train.optimizer])
    config = Config(
        data=_table("data", DataConfig, body["data"]), model=_model(body["model"]), train=train
    )
    for wrong, remedy in _contradictions(config):
        if wrong:
            raise ConfigError(remedy)
    return config


def _contradictions(config: Config) -> Iterator[tuple[bool, str]]:
    data, train = config.data, config.train
    yield bool(data.file) == bool(data.name), "[data] needs either file or name"
    yield (
        data.validation + data.test >= 1,
        f"data.validation={data.validation} and data.test={data.test} leave no rows to train on",
    )
    apart = bool(data.test_file or data.test_x or data.test_y)
    yield apart and data.test > 0, "data.test splits rows off; leave it out beside test_file/_x/_y"
    yield bool(data.name) and apart, "data.test_file, test_x and test_y go with data.file"
    yield (
        bool(data.name) and bool(data.x or data.y),
        "data.x and data.y name columns of data.file; data.name has its own",
    )
    function = data.task == "function"
    yield (
        function and (apart or bool(data.x or data.y)),
        ("data.task='function' has coordinates as inputs: leave x, y, test_file/_x/_y out"),
    )
    yield not function and data.stride > 1, "data.stride goes with data.task='function'"
    yield (
        data.task == "classification" and data.scale_y not in ("", "none"),
        ("data.scale_y: the labels of a classification are not scaled"),
    )
    yield bool(train.epochs) == bool(train.steps), "[train] needs either epochs or steps"
    yield (
        train.schedule == "step" and not train.decay_every,
        ("train.schedule='step' needs train.decay_every"),
    )
    yield train.lr_min > train.lr, f"train.lr_min={train.lr_min:g} is above train.lr={train.lr:g}"
    yield (
        train.warmup >= (train.epochs or train.steps),
        (f"train.warmup={train.warmup} leaves nothing of the training"),
    )
    yield (
        train.patience > 0 and not data.validation,
        ("train.patience needs rows to validate on: set data.validation"),
    )
    yield train.momentum > 0 and train.optimizer != "sgd", "train.momentum goes with 'sgd'"
    lbfgs = train.optimizer == "lbfgs"
    yield lbfgs and train.weight_decay > 0, "train.weight_decay: 'lbfgs' has none"
    yield (
        lbfgs and train.precision == "bf16-mixed",
        (
            "train.optimizer='lbfgs' needs gradients that bfloat16 can't give: use '32-true' or "
            "'64-true'"
        ),
    )


def _table(name: str, cls: type[Any], values: Mapping[str, Any]) -> Any:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    found = {}
    for key, value in values.items():
        if key not in fields:
            raise ConfigError(_unknown(name, key))
        try:
            found[key] = fields[key].metadata["check"](value)
        except ValueError as error:
            msg = f"{name}.{key} {error}, got {value!r}"
            raise ConfigError(msg) from error
    return cls(**found)


def _model(values: Mapping[str, Any]) -> dict[str, Any]:
    for key in values:
        if key != "layers" and key not in OPTIONS:
            raise ConfigError(_unknown("model", key))
    if "layers" not in values:
        msg = 'model.layers is missing: a list such as ["qrun:64", "linear"]'
        raise ConfigError(msg)
    model = {"layers": values["layers"]} | OPTIONS | {k: values[k] for k in OPTIONS if k in values}
    rehearse(model)
    return model


def _unknown(table: str, key: str) -> str:
    names = [f"data.{f.name}" for f in dataclasses.fields(DataConfig)]
    names += [f"model.{name}" for name in ("layers", *OPTIONS)]
    names += [f"train.{f.name}" for f in dataclasses.fields(TrainConfig)]
    same = [name for name in names if name.split(".")[1] == key]  # right key, wrong table
    close = same or difflib.get_close_matches(f"{table}.{key}", names, 1, 0.0)
    return f"unknown key {table}.{key}; the nearest is {close[0]}"


def _override(body: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    table, dot, key = name.strip().partition(".")
    if not equals or not dot:
        msg = f"--set {override}: write table.key=value, as in train.lr=0.01"
        raise ConfigError(msg)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a text without its quotes
    place = body.setdefault(table, {})
    if not isinstance(place, dict):
        msg = f"--set {override}: {table!r} is no table"
        raise ConfigError(msg)
    place[key] = value


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)  # texts, whole numbers and booleans are the same in TOML
