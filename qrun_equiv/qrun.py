"""The Q-RUN layer: a classical bank of data re-uploading circuits, a drop-in for ``nn.Linear``.

A layer from ``in_features`` to ``out_features`` (arXiv:2512.20654) has three parts:

1. projection: ``phi = W x + b``, one phase (radians) an element, ``m = out_features / 2`` elements;
2. data re-uploading: ``L`` angles ``s_l phi_j`` an element, with scales ``s_l`` shared by all
   elements, as features ``(cos s_l phi_j, sin s_l phi_j)``;
3. element-wise observable: one readout ``R^(2L) -> R^2`` shared by all elements, flattened to
   ``out_features``.

So each element is a circuit of ``L`` encoding gates, all with the same observable, and with shared
scales the layer is ``nn.Linear`` followed by one function ``g: R -> R^2`` of one variable
(:meth:`QRUN.element`).

The published code varies from task to task: in most, the scales are all 1 (``scales="equal"``, two
to four copies); only its density task trains shared scales, drawn from a normal distribution. The
MLP is 2L-h-h-2 with tanh and h = 9 (implicit representation), 32 (density, energy, images) or 64
(time series), and 6-32-2 with ReLU for language; sines follow the layers of the implicit
representation and density tasks; the low-rank fine-tuning has one output an element (4-16-16-1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict, get_args

import torch
from torch import Tensor, nn

from qrun_equiv.readout import (
    MLP,
    Activation,
    Factory,
    Linear,
    MatrixProduct,
    Multilinear,
    Product,
    Readout,
    check_name,
    check_tensor,
    positive_integer,
)
from qrun_equiv.reuploading import DataReuploading, InitialScales, ScaleMode
from qrun_equiv.scale import knots_op
from qrun_equiv.scale.knots import FEWEST, Knots, Route, common_period
from qrun_equiv.scale.paths import quick_path_allowed

ReadoutName = Literal["mlp", "linear", "product", "matrix-product", "multilinear"]
Outer = Literal["none", "sin"]
Path = Literal["auto", "exact", "knots"]


class _MLPOptions(TypedDict):
    hidden: int
    depth: int
    activation: Activation


class ElementwiseObservable(nn.Module):
    """One readout for all elements: features ``[..., m, L, 2]`` to ``[..., m * outputs]``.

    Flattened element by element: value k of element j is output ``outputs * j + k``.
    """

    def __init__(self, readout: Readout) -> None:
        """Share ``readout``, which maps ``[..., L, 2]`` to ``[..., outputs]``."""
        super().__init__()
        if not isinstance(readout, Readout):
            message = f"readout must be a qrun_equiv.readout.Readout, got {readout!r}"
            raise TypeError(message)
        self.readout = readout

    def forward(self, features: Tensor) -> Tensor:
        """Read all elements out and flatten: ``[..., m, L, 2]`` to ``[..., m * outputs]``."""
        return torch.flatten(self.readout(features), -2)


def _make_readout(
    name: str, reuploads: int, outputs: int, mlp: _MLPOptions, bond: int, factory: Factory
) -> Readout:
    check_name("readout", name, get_args(ReadoutName))
    if name == "mlp":
        return MLP(reuploads, outputs=outputs, **mlp, **factory)
    if name == "matrix-product":
        return MatrixProduct(reuploads, outputs=outputs, bond=bond, **factory)
    if name == "linear":
        return Linear(reuploads, outputs=outputs, **factory)
    if name == "product":
        return Product(reuploads, outputs=outputs, **factory)
    return Multilinear(reuploads, outputs=outputs, **factory)


class Element(nn.Module):
    """A layer's one function, with no other parameters than its own."""

    def __init__(self, layer: QRUN) -> None:
        super().__init__()
        self.reuploading, self.readout = layer.reuploading, layer.observable.readout
        self.sine = layer.outer == "sin"

    def forward(self, phi: Tensor) -> Tensor:
        """Of phases ``[...]`` (radians): ``[..., outputs]``."""
        values: Tensor = self.readout(self.reuploading(phi))
        return torch.sin(values) if self.sine else values


_NAMES: dict[type[Readout], ReadoutName] = {
    MLP: "mlp",
    MatrixProduct: "matrix-product",
    Linear: "linear",
    Product: "product",
    Multilinear: "multilinear",
}


def _recipe(readout: Readout, *, sine: bool) -> str:
    """What :func:`_from_recipe` builds the same function from; empty for other readouts."""
    name = _NAMES.get(type(readout))
    if name is None:
        return ""
    mlp = (readout.hidden, readout.depth, readout.activation) if name == "mlp" else (1, 1, "tanh")
    bond = readout.bond if name == "matrix-product" else 1
    outer = "sin" if sine else "none"
    return f"{name} {readout.reuploads} {readout.outputs} {mlp[0]} {mlp[1]} {mlp[2]} {bond} {outer}"


@knots_op.built_by
def _from_recipe(recipe: str) -> Element:
    name, reuploads, outputs, hidden, depth, activation, bond, outer = recipe.split()
    choices: Any = {"readout": name, "activation": activation, "outer": outer}
    return Element(
        QRUN(
            1, int(outputs), outputs_per_element=int(outputs), reuploads=int(reuploads),
            hidden=int(hidden), depth=int(depth), bond=int(bond), device="meta", **choices,
        )
    )  # fmt: skip


class QRUN(nn.Module):
    """A Q-RUN layer, ``[..., in_features]`` to ``[..., out_features]`` for any leading shape.

    Takes the place of ``nn.Linear`` and its activation. The published layer is ``readout="mlp"``.
    Value k of element j is output ``outputs_per_element * j + k``.

    At initialisation the projection is that of ``nn.Linear``: inputs of unit variance give phases
    of standard deviation 0.58 radians. Outputs have second moment 1 over the draw (the MLP about
    1). Measured over 200 draws, 64 to 64 features, defaults: their standard deviation over the
    inputs is 0.84 to 0.95, whatever the readout. All elements share one readout, so single layers
    differ: 5 to 95 % of them have 0.45 to 1.4, matrix-product 0.25 to 1.55. Angles that vary less
    (one re-upload, equal or normal scales) give less: 0.35 to 0.7.

    Attributes:
        in_features: as in ``nn.Linear``.
        out_features: as in ``nn.Linear``.
        projection: the ``nn.Linear`` from features to phases.
        reuploading: the :class:`DataReuploading`.
        observable: the :class:`ElementwiseObservable`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        reuploads: int = 4,
        readout: ReadoutName = "mlp",
        hidden: int = 32,
        depth: int = 2,
        activation: Activation = "tanh",
        bond: int = 4,
        scales: ScaleMode = "shared-trainable",
        initial_scales: InitialScales | Sequence[float] = "harmonic",
        outputs_per_element: int = 2,
        outer: Outer = "none",
        bias: bool = True,
        path: Path = "auto",
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        """Make the layer.

        Args:
            in_features: number of input features.
            out_features: number of outputs, a multiple of ``outputs_per_element``.
            reuploads: L, the number of re-uploads.
            readout: see :mod:`qrun_equiv.readout`.
            hidden: width of the MLP readout.
            depth: number of hidden layers of the MLP readout.
            activation: of the MLP readout, ``"tanh"`` or ``"relu"``.
            bond: bond dimension of the matrix-product readout.
            scales: see :class:`DataReuploading`; ``"equal"`` is redundant with the readouts
                ``"mlp"`` and ``"linear"``.
            initial_scales: see :class:`DataReuploading`.
            outputs_per_element: 2 in the published layer, 1 in its low-rank variant.
            outer: ``"sin"`` takes the sine of the outputs, as some of the published tasks do.
            bias: whether the projection has a bias.
            path: ``"exact"`` evaluates the readout at every element. ``"auto"`` evaluates it at
                knots and interpolates where that is quicker (thousands of elements; not with
                scales per element): values and gradients within about 1e-7 (float32) or 1e-11
                (float64) of the largest, second derivatives exact, bfloat16 and float16 rounded
                once; see :mod:`qrun_equiv.scale.knots`. ``"knots"`` does so for few elements,
                too. Both hold under ``torch.compile``, too; exported graphs are exact. Inside
                :func:`~qrun_equiv.scale.paths.exact_paths` all layers are exact.
            device: as in ``nn.Linear``.
            dtype: as in ``nn.Linear``.

        Raises:
            TypeError: an argument of the wrong type.
            ValueError: an argument out of range, an unknown name, or ``out_features`` that does
                not divide into elements.
        """
        super().__init__()
        self.in_features = positive_integer("in_features", in_features)
        self.out_features = positive_integer("out_features", out_features)
        outputs = positive_integer("outputs_per_element", outputs_per_element)
        elements, rest = divmod(self.out_features, outputs)
        if rest:
            message = (
                f"out_features={out_features} is no multiple of outputs_per_element={outputs}: "
                f"take out_features={self.out_features + outputs - rest}, or outputs_per_element=1"
            )
            raise ValueError(message)
        check_name("outer", outer, get_args(Outer))
        self.outer = outer
        check_name("path", path, get_args(Path))
        self.path = path
        self._knots = Knots(always=path == "knots")
        factory: Factory = {"device": device, "dtype": dtype}
        self.reuploading = DataReuploading(
            reuploads,
            scales=scales,
            initial_scales=initial_scales,
            elements=elements if scales == "per-element" else None,
            **factory,
        )
        self.projection = nn.Linear(self.in_features, elements, bias=bias, **factory)
        mlp: _MLPOptions = {"hidden": hidden, "depth": depth, "activation": activation}
        self.observable = ElementwiseObservable(
            _make_readout(readout, reuploads, outputs, mlp, bond, factory)
        )

    def reset_parameters(self) -> None:
        """Draw all parameters anew, from torch's global generator."""
        self.projection.reset_parameters()
        self.reuploading.reset_parameters()
        self.observable.readout.reset_parameters()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to ``x [..., in_features]``; returns ``[..., out_features]``.

        Raises:
            TypeError: ``x`` is not real floating point.
            ValueError: its last axis is not ``in_features``.
        """
        check_tensor(x, (self.in_features,), "input (last axis: in_features)")
        phi = self.projection(x)
        if self.path != "exact" and self.reuploading.mode != "per-element":
            if torch.compiler.is_compiling():
                values = self._in_a_graph(phi)
            else:
                quick = quick_path_allowed()
                values = self._knots(Element(self), phi, self._period) if quick else None
            if values is not None:
                return torch.flatten(values, -2)
        return self._outer(self.observable(self.reuploading(phi)))

    def _in_a_graph(self, phi: Tensor) -> Tensor | None:
        """By knots under ``torch.compile``, where they may serve; graphs are exported exact."""
        readout, scales = self.observable.readout, self.reuploading.scales
        recipe = _recipe(readout, sine=self.outer == "sin")
        few = phi.numel() < FEWEST and self.path != "knots"
        if torch.compiler.is_exporting() or not recipe or few:
            return None
        flags = "always" if self.path == "knots" else ""
        if scales.requires_grad and torch.is_grad_enabled():
            flags += " trained"
        tensors = [scales, *readout.parameters()]
        values: Tensor = knots_op.knots(phi, tensors, recipe, readout.outputs, flags)
        return values

    @property
    def route(self) -> Route | None:
        """How the last call was computed, by knots or exactly and why; None if never by choice."""
        return self._knots.last

    def _period(self) -> float:
        scales = self.reuploading.scales
        if scales.requires_grad and torch.is_grad_enabled():
            return 0.0  # derivatives with respect to the scales have no period
        return common_period(scales.tolist())

    def element(self, phi: Tensor) -> Tensor:
        """The layer's one function g of one variable: phases ``[...]`` (radians) to ``[..., k]``.

        The layer is ``flatten(g(W x + b))``, the outer sine included; k = outputs_per_element.

        Theorem: proofs/coq/Universality.v, universality_multilinear.

        Raises:
            ValueError: scales per element, so that g differs from element to element.
        """
        if self.reuploading.mode == "per-element":
            message = "scales='per-element' has one function an element; share the scales"
            raise ValueError(message)
        return self._outer(self.observable.readout(self.reuploading(phi)))

    def _outer(self, values: Tensor) -> Tensor:
        return torch.sin(values) if self.outer == "sin" else values

    def parameter_count(self) -> int:
        """Number of trainable parameters.

        With n = in_features, k = outputs_per_element, m = out_features / k elements, L reuploads:
        ``(n + 1) m`` for the projection (``n m`` without bias), plus ``L`` (shared-trainable),
        ``L m`` (per-element) or 0 for the scales, plus for the readout

        - mlp, of width h and depth d: ``(2L + 1) h + (d - 1)(h + 1) h + (h + 1) k``;
        - linear: ``(2L + 1) k``;
        - product: ``2 L k``;
        - matrix-product of bond D: ``D + 3 L D^2 + D k``;
        - multilinear: ``3^L k``.
        """
        return sum(parameter.numel() for parameter in self.parameters())

    def extra_repr(self) -> str:
        """Name the sizes and the outer function, for printing."""
        sizes = f"in_features={self.in_features}, out_features={self.out_features}"
        path = "" if self.path == "auto" else f", path={self.path!r}"
        return f"{sizes}, outer={self.outer!r}{path}"
