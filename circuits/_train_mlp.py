"""Train the networks of ``mlp_approximation.py``: ``python circuits/_train_mlp.py``.

Least squares against the circuit's exact Fourier series at the pair's parameters, from a fixed
seed; the result goes to ``trained/<name>.json`` with the bound of its error over a period.
"""

import json

import mlp_approximation as pairs
from _trained import FOLDER
from torch import nn

import qrun_equiv as qe
from qrun_equiv.approximation import approximate
from qrun_equiv.files import write_atomically

SEED, HIDDEN, STEPS = 2024, 6, 60


def train(name, circuit, parameters):
    form = qe.neutral(circuit, n_features=1, n_parameters=len(parameters))
    model = approximate(
        form, parameters=parameters, interval="period", scales=[1.0],
        hidden=HIDDEN, steps=STEPS, seed=SEED,
    )  # fmt: skip
    linear = [m for m in model.readout.layers if isinstance(m, nn.Linear)]
    result = {
        "layers": [[m.weight.tolist(), m.bias.tolist()] for m in linear],
        "error_lower": model.bound.lower,
        "error_upper": model.bound.upper,
        "leakage": model.leakage,
        "seed": SEED,
        "steps": STEPS,
    }
    write_atomically(FOLDER / f"{name}.json", json.dumps(result, indent=1) + "\n")
    print(f"{name}: {model.bound}")  # noqa: T201 - a script's only output


if __name__ == "__main__":
    train("mlp-serial", pairs.serial, pairs.SERIAL)
    train("mlp-entangled", pairs.entangled, pairs.ENTANGLED)
