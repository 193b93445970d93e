"""What ``qrun-equiv train`` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from qrun_equiv.training.config import read_config
from qrun_equiv.training.run import Outcome, train


def train_command(
    file: Path,
    overrides: Sequence[str] = (),
    *,
    device: str = "auto",
    resume: bool = False,
    out: Path | None = None,
    console: Console | None = None,
) -> Outcome:
    """Train as a TOML file says, with progress on a terminal.

    Args:
        file: the TOML file.
        overrides: ``"table.key=value"``, each in place of what the file says.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        resume: go on from the folder's last checkpoint.
        out: the run's folder; ``<file>-run`` in the current folder where left out.
        console: where to print.

    Raises:
        QrunEquivError: see :func:`qrun_equiv.training.train`.
    """
    console = console or Console(highlight=False)
    config = read_config(file, overrides)
    folder = out or Path(f"{file.stem}-run")
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task("training", total=None)

        def watch(step: int, total: int, row: dict[str, float]) -> None:
            bar.update(task, completed=step, total=total, description=_losses(row))

        outcome = train(config, folder, device=device, resume=resume, watch=watch)
    if outcome.main:
        _tell(console, outcome, file, overrides)
    return outcome


def _losses(row: dict[str, float]) -> str:
    if not row:
        return "training"
    text = f"loss {row['loss']:.3e}"
    return text + (f"  validation {row['validation_loss']:.3e}" if "validation_loss" in row else "")


def _tell(console: Console, outcome: Outcome, file: Path, overrides: Sequence[str]) -> None:
    def say(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False)

    if outcome.stopped == "interrupted":
        again = "".join(f" --set {override}" for override in overrides)
        say(f"interrupted at step {outcome.step}, which is saved; to go on:")
        say(f"qrun-equiv train {file}{again} --resume --out {outcome.folder}")
        return
    made = outcome.metrics
    say(f"{outcome.stopped} at step {outcome.step}, {made['seconds']:.1f} s on {made['device']}")
    for name in ("train", "validation", "test"):
        scores: dict[str, Any] = made.get(name, {})
        if scores:
            say(f"{name:<11}" + "  ".join(f"{key} {value:.4g}" for key, value in scores.items()))
    best = made["weights_of_step"]
    say(
        f"weights    {outcome.folder / 'model.safetensors'} (step {best}); qrun_equiv.training.load"
    )
    say(f"log        {outcome.folder / 'log.csv'}, curves.png, metrics.json")
