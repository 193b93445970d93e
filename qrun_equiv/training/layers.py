"""Networks from a list of layers such as ``["qrun:64", "linear"]``, and the baselines beside them.

======================  ========================================================================
``qrun:64``             a Q-RUN layer of 64 outputs
``linear:64``           ``nn.Linear``; the last layer may leave its width out
``linear+gelu:64``      the same and an activation: ``relu``, ``tanh`` or ``gelu``
``siren:64``            ``sin(omega (W x + b))``, Sitzmann et al., arXiv:2006.09661
``rff:64``              32 random frequencies, Tancik et al., arXiv:2006.10739
``dropout:0.1``         ``nn.Dropout``
======================  ========================================================================

A table in place of a text gives one layer options of its own: ``{layer = "qrun:64", hidden = 9}``.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from qrun_equiv.qrun import QRUN
from qrun_equiv.training.errors import ConfigError

_SINE = {"omega": 30.0, "omega_first": 30.0}
_FOURIER = {"sigma": 1.0}
_QRUN = {
    name: parameter.default
    for name, parameter in inspect.signature(QRUN.__init__).parameters.items()
    if parameter.kind is parameter.KEYWORD_ONLY and name not in {"device", "dtype"}
}
#: Every option of a layer and its default: QRUN's own, SIREN's and the Fourier features'.
OPTIONS: dict[str, Any] = {**_QRUN, **_SINE, **_FOURIER}
_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}
_KINDS = ("qrun", "linear", "siren", "rff", "dropout", *(f"linear+{a}" for a in _ACTIVATIONS))


class Siren(nn.Module):
    """``sin(omega (W x + b))``, ``[..., n]`` to ``[..., m]``: a layer of a SIREN.

    Weights are uniform in ``+-1/n`` in the first layer and in ``+-sqrt(6/n)/omega`` in the others
    (arXiv:2006.09661, section 3.2), biases as in ``nn.Linear`` (as in the authors' code). Drawn
    from torch's global generator.

    Args:
        in_features: n.
        out_features: m.
        omega: the frequency factor, in radians per unit of ``W x + b``.
        first: whether it is the first of the network's sines.
        dtype: of the weights.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        omega: float = 30.0,
        first: bool = False,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.omega = _positive("omega", omega)
        self.linear = nn.Linear(in_features, out_features, dtype=dtype)
        bound = 1 / in_features if first else math.sqrt(6 / in_features) / self.omega
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        return torch.sin(self.omega * self.linear(x))

    def extra_repr(self) -> str:
        """Name the factor, for printing."""
        return f"omega={self.omega:g}"


class FourierFeatures(nn.Module):
    """``(cos 2 pi B x, sin 2 pi B x)``, ``[..., n]`` to ``[..., m]``, with fixed random ``B``.

    ``B [m/2, n]`` has entries from ``N(0, sigma^2)``, in periods per unit of x (arXiv:2006.10739,
    equation 5), drawn from torch's global generator. It is a buffer: saved, not trained.

    Args:
        in_features: n.
        out_features: m, even.
        sigma: deviation of the frequencies.
        dtype: of the frequencies.

    Raises:
        ValueError: an odd number of features, or a deviation that is not positive.
    """

    frequencies: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        sigma: float = 1.0,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if out_features % 2:
            msg = f"{out_features} features are no cosines and sines: take an even number"
            raise ValueError(msg)
        drawn = torch.randn(out_features // 2, in_features, dtype=dtype)
        self.register_buffer("frequencies", drawn * _positive("sigma", sigma))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        angles = nn.functional.linear(x, 2 * math.pi * self.frequencies)
        return torch.cat([torch.cos(angles), torch.sin(angles)], -1)

    def extra_repr(self) -> str:
        """Name the sizes, for printing."""
        half, features = self.frequencies.shape
        return f"in_features={features}, out_features={2 * half}"


@dataclass(frozen=True, slots=True)
class Layer:
    """One entry of ``model.layers``.

    Attributes:
        kind: such as ``"qrun"`` or ``"linear+gelu"``.
        width: number of outputs; None: the data's.
        rate: of dropout.
        options: those of this layer alone.
    """

    kind: str
    width: int | None
    rate: float
    options: dict[str, Any]


def parse_layers(entries: object) -> list[Layer]:
    """Read ``model.layers``.

    Raises:
        ConfigError: an entry that is no layer.
    """
    if not isinstance(entries, list | tuple) or not entries:
        msg = f'model.layers must be a list such as ["qrun:64", "linear"], got {entries!r}'
        raise ConfigError(msg)
    layers = [_layer(entry, f"model.layers[{k}]") for k, entry in enumerate(entries)]
    for k, layer in enumerate(layers):
        if layer.width is None and layer.kind != "dropout" and k < len(layers) - 1:
            msg = f"model.layers[{k}]={entries[k]!r} needs a width, as in {layer.kind}:64"
            raise ConfigError(msg)
    if layers[-1].kind == "dropout":
        msg = "model.layers ends with dropout, which has no outputs of its own: end with linear"
        raise ConfigError(msg)
    return layers


def build(model: Mapping[str, Any], inputs: int, outputs: int, dtype: torch.dtype) -> nn.Sequential:
    """The network of ``[model]``: ``[..., inputs]`` to ``[..., outputs]``.

    Weights are drawn in float64 from torch's global generator, whatever ``dtype`` is: the same seed
    starts every precision from the same numbers, up to rounding.

    Args:
        model: ``layers`` and the options of :data:`OPTIONS`.
        inputs: number of input features.
        outputs: number of outputs, which the last layer must have.
        dtype: of the weights.

    Raises:
        ConfigError: a layer can't be made as asked for, or the last one has another width.
    """
    layers = parse_layers(model["layers"])
    if layers[-1].width not in (None, outputs):
        msg = (
            f"the last of model.layers has {layers[-1].width} outputs and the data need {outputs}: "
            f"leave its width out, or end with linear:{outputs}"
        )
        raise ConfigError(msg)
    made: list[nn.Module] = []
    width = inputs
    for k in range(len(layers)):
        made += _modules(model, layers, k, (width, outputs), made)
        width = layers[k].width or width
    return nn.Sequential(*made).to(dtype)


def rehearse(model: Mapping[str, Any]) -> None:
    """Find wrong options before there are data: each layer is made once, with one input.

    Raises:
        ConfigError: as for :func:`build`.
    """
    layers = parse_layers(model["layers"])
    made: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        for k, layer in enumerate(layers):
            outputs = {**OPTIONS, **model, **layer.options}["outputs_per_element"]
            made += _modules(model, layers, k, (1, outputs), made)


def _modules(
    model: Mapping[str, Any],
    layers: list[Layer],
    k: int,
    sizes: tuple[int, int],
    before: list[nn.Module],
) -> list[nn.Module]:
    """Layer k, of ``sizes`` inputs and, where it does not tell its width, outputs."""
    layer = layers[k]
    if layer.kind == "dropout":
        return [nn.Dropout(layer.rate)]
    options = {**OPTIONS, **{n: model[n] for n in OPTIONS if n in model}, **layer.options}
    try:
        return _made(layer.kind, sizes[0], layer.width or sizes[1], options, before)
    except (TypeError, ValueError) as error:
        msg = f"model.layers[{k}]={model['layers'][k]!r}: {error}"
        raise ConfigError(msg) from error


def _made(
    kind: str, inputs: int, outputs: int, options: dict[str, Any], before: list[nn.Module]
) -> list[nn.Module]:
    dtype = torch.float64
    if kind == "qrun":
        return [QRUN(inputs, outputs, dtype=dtype, **{name: options[name] for name in _QRUN})]
    if kind == "siren":
        first = not any(isinstance(m, Siren) for m in before)
        omega = options["omega_first" if first else "omega"]
        return [Siren(inputs, outputs, omega=omega, first=first, dtype=dtype)]
    if kind == "rff":
        return [FourierFeatures(inputs, outputs, sigma=options["sigma"], dtype=dtype)]
    linear = nn.Linear(inputs, outputs, dtype=dtype)
    if isinstance(next((m for m in before[::-1] if not isinstance(m, nn.Dropout)), None), Siren):
        # as in the authors' code
        bound = math.sqrt(6 / inputs) / _positive("omega", options["omega"])
        nn.init.uniform_(linear.weight, -bound, bound)
    _, _, activation = kind.partition("+")
    return [linear, _ACTIVATIONS[activation]()] if activation else [linear]


def _layer(entry: object, where: str) -> Layer:
    own: dict[str, Any] = {}
    text = entry
    if isinstance(entry, Mapping):
        own = {str(name): value for name, value in entry.items() if name != "layer"}
        text = entry.get("layer")
        unknown = sorted(own.keys() - OPTIONS.keys())
        if unknown:
            msg = f"{where} has no option {unknown[0]!r}; options are {', '.join(OPTIONS)}"
            raise ConfigError(msg)
    if not isinstance(text, str):
        msg = f'{where} must be a text such as "qrun:64", or a table with the key layer'
        raise ConfigError(msg)
    kind, colon, size = (part.strip() for part in text.partition(":"))
    if kind not in _KINDS:
        msg = f"{where}={text!r}: unknown layer {kind!r}; one of {', '.join(_KINDS)}"
        raise ConfigError(msg)
    if kind == "dropout":
        return Layer(kind, None, _rate(size, where), own)
    if colon and not (size.isdecimal() and int(size) > 0):
        msg = f"{where}={text!r}: the width must be a whole number of at least 1"
        raise ConfigError(msg)
    return Layer(kind, int(size) if colon else None, 0.0, own)


def _rate(text: str, where: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < 1:
        msg = f"{where}: dropout needs a share from 0 to below 1, as in dropout:0.1"
        raise ConfigError(msg)
    return rate


def _positive(name: str, value: object) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 < value < math.inf:  # type: ignore[operator]
        msg = f"{name} must be a positive number, got {value!r}"
        raise ValueError(msg)
    return float(value)  # type: ignore[arg-type]
