"""What ``qrun-equiv derive`` does: derive from a pair's first circuit, verify, save the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from qrun_equiv.api import derive
from qrun_equiv.certificate import Verdict
from qrun_equiv.counterpart import FourierCounterpart, MatrixProductCounterpart, Readout
from qrun_equiv.errors import DataError, DerivationError
from qrun_equiv.files import write_atomically
from qrun_equiv.pair import Pair
from qrun_equiv.verification import verify

Parameters = NDArray[np.float64]
_MAX_DENSE_WIRES = 3


def read_parameters(path: Path) -> Parameters:
    """Parameters from a JSON file: a list, or an object with the entry ``parameters``.

    Raises:
        DataError: the file is missing, no JSON, or no list of numbers.
    """
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        values = body["parameters"] if isinstance(body, dict) else body
        return np.asarray(values, dtype=np.float64)
    except OSError as error:
        msg = f"can't read the parameters {path}: {error.strerror or error}"
        raise DataError(msg) from error
    except KeyError as error:
        msg = f'{path} is an object without the entry "parameters"'
        raise DataError(msg) from error
    except (ValueError, TypeError) as error:
        msg = f'{path} must hold a JSON list of numbers, or {{"parameters": [...]}}: {error}'
        raise DataError(msg) from error


def derive_pair(
    pair: Pair, readout: str, parameters: Parameters | None
) -> tuple[MatrixProductCounterpart | FourierCounterpart, Verdict]:
    """The derived module and its verdict against *all* circuits of the pair.

    Raises:
        DerivationError: an unknown readout, too many wires, missing parameters.
    """
    if readout not in get_args(Readout):
        msg = f"unknown --readout {readout!r}; one of {', '.join(get_args(Readout))}"
        raise DerivationError(msg)
    circuits = pair.circuits()
    sizes: dict[str, Any] = {
        "n_features": pair.n_features,
        "n_parameters": pair.n_parameters,
        "observable": pair.observable,
    }
    module = derive(circuits, readout, parameters=parameters, **sizes)  # type: ignore[arg-type]
    fixed = isinstance(module, FourierCounterpart)
    verdict = verify(
        circuits,
        module,
        parameters=parameters,
        gradients=("features",) if fixed else ("features", "parameters"),
        **sizes,
    )
    return module, verdict


def save(
    module: MatrixProductCounterpart | FourierCounterpart,
    parameters: Parameters | None,
    path: Path,
) -> Path:
    """Weights as safetensors: Fourier coefficients, or the dense cores at given parameters.

    Raises:
        DerivationError: a matrix-product counterpart without parameters, or beyond 3 wires.
    """
    if isinstance(module, FourierCounterpart):
        tensors = {name: t.contiguous() for name, t in module.state_dict().items()}
    else:
        if parameters is None or module.circuit.n_wires > _MAX_DENSE_WIRES:
            msg = (
                "the cores of a matrix-product counterpart are numbers only at given parameters "
                f"(--parameters FILE, a JSON list) and are written up to {_MAX_DENSE_WIRES} wires; "
                "the module itself is qrun_equiv.derive(circuit)"
            )
            raise DerivationError(msg)
        left, cores, right = module.cores(torch.as_tensor(parameters))
        tensors = {"left": left, "cores": cores, "right": right}
        tensors = {name: t.detach().contiguous() for name, t in tensors.items()}
    return write_atomically(path, safetensors.torch.save(tensors))
