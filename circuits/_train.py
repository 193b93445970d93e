"""Train the pairs that carry trained parameters: ``python circuits/_train.py``.

Each is trained through its classical counterpart, in float64 with Adam on the squared error, from
a fixed seed; targets are in [-1, 1]. Classifiers are trained on 70 % of the rows (a seeded choice)
and their accuracy is that on the other 30 %: the nearest class value counts. The result goes to
``trained/<name>.json``, which the pair file loads. Angles are scaled by the range of all rows.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _trained import FOLDER

from qrun_equiv.data import load
from qrun_equiv.files import write_atomically
from qrun_equiv.pair import Pair, collect

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Job:
    """What to train: a pair, its data set, and how long."""

    pair: str
    file: str
    data: str
    columns: tuple[int, ...] | None
    steps: int
    rate: float
    spread: float  # standard deviation of the initial parameters
    classes: tuple[float, ...] = ()  # none: a regression


JOBS = (
    Job("universal-classifier", "universal_classifier.py", "breast_cancer", (22, 24, 27),
        400, 0.05, 0.5, (-1.0, 1.0)),
    Job("single-gate-classifier", "single_gate_classifier.py", "breast_cancer", None,
        400, 0.01, 0.05, (-1.0, 1.0)),
    Job("real-amplitudes", "real_amplitudes.py", "iris", None, 600, 0.03, 0.5, (-1.0, 0.0, 1.0)),
    Job("implicit-image", "trainable_frequencies.py", "camera", None, 600, 0.03, 0.7),
)  # fmt: skip
SEED = 2024


def mean_square(pair: Pair, x: torch.Tensor, theta: torch.Tensor, y: torch.Tensor):
    return torch.mean((pair.counterpart(x, theta) - y) ** 2)


def train(job: Job) -> dict:
    """Parameters and what they achieve, as written to the file."""
    (pair,) = [p for p in collect([HERE / job.file]) if p.name == job.pair]
    data = load(job.data, columns=job.columns)
    rng = np.random.default_rng(SEED)
    order = rng.permutation(len(data.features))
    cut = int(0.7 * len(order)) if job.classes else len(order)
    x, y = torch.tensor(data.features[order]), torch.tensor(data.target[order])
    theta = torch.tensor(job.spread * rng.standard_normal(pair.n_parameters), requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=job.rate)
    before = mean_square(pair, x[:cut], theta, y[:cut]).item()
    for _ in range(job.steps):
        optimizer.zero_grad()
        mean_square(pair, x[:cut], theta, y[:cut]).backward()
        optimizer.step()
    theta = theta.detach()
    after = mean_square(pair, x[:cut], theta, y[:cut]).item()
    result = {
        "parameters": theta.tolist(),
        "loss_before": before,
        "loss_after": after,
        "seed": SEED,
        "steps": job.steps,
        "data": f"{job.data}, columns {'all' if job.columns is None else list(job.columns)}",
        "rows": cut,
    }
    if not job.classes:
        variance = torch.var(y, correction=0).item()
        return result | {"mse": after, "mse_on": "the rows trained on", "variance": variance}
    classes = torch.tensor(job.classes, dtype=torch.float64)

    def classify(values):
        return classes[torch.argmin(torch.abs(values[:, None] - classes), dim=1)]

    right = classify(pair.counterpart(x[cut:], theta)) == classify(y[cut:])
    return result | {
        "accuracy": right.double().mean().item(),
        "accuracy_on": f"{len(order) - cut} rows held out",
    }


def main() -> None:
    """Train all and write the files."""
    for job in JOBS:
        begun = time.perf_counter()
        result = train(job)
        path = write_atomically(FOLDER / f"{job.pair}.json", json.dumps(result, indent=1) + "\n")
        score = result.get("accuracy", result.get("mse"))
        seconds = time.perf_counter() - begun
        print(  # noqa: T201 - a script's only output
            f"{path.name}: loss {result['loss_before']:.4f} -> {result['loss_after']:.4f}, "
            f"{'accuracy' if job.classes else 'mse'} {score:.4f}, {seconds:.1f} s"
        )


if __name__ == "__main__":
    main()
