"""The first part of a Q-RUN element: phases to cosines and sines, under shared scales."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Unpack, get_args

import torch
from torch import Tensor, nn

from qrun_equiv.readout import Factory, check_factory, check_name, check_tensor, positive_integer

ScaleMode = Literal["shared-trainable", "shared-fixed", "per-element", "equal"]
InitialScales = Literal["harmonic", "normal", "exponential"]


def _checked_scales(
    mode: ScaleMode, initial: InitialScales | Sequence[float], reuploads: int
) -> str | tuple[float, ...]:
    """Validate ``initial_scales``: one of its names, or ``reuploads`` finite numbers."""
    check_name("scales", mode, get_args(ScaleMode))
    if isinstance(initial, str):
        check_name("initial_scales", initial, get_args(InitialScales))
    if mode == "equal" and initial != "harmonic":
        message = "scales='equal' sets every scale to 1: leave initial_scales out, or set them "
        raise ValueError(message + "with scales='shared-fixed'")
    if isinstance(initial, str):
        return initial
    if not isinstance(initial, Sequence):
        message = f"initial_scales must be a name or a sequence of numbers, got {initial!r}"
        raise TypeError(message)
    values = tuple(float(value) for value in initial)
    if len(values) != reuploads or not all(map(math.isfinite, values)):
        message = f"initial_scales must be {reuploads} finite numbers, one a re-upload, got "
        raise ValueError(message + repr(initial))
    return values


class DataReuploading(nn.Module):
    """Phases (radians) to features: ``[...]`` to ``[..., L, 2]``, ``(cos s_l phi, sin s_l phi)``.

    The modes of ``scales``:

    - ``"shared-trainable"``: L trainable scales, the same for all elements;
    - ``"shared-fixed"``: the same, not trained (a buffer, saved with the module);
    - ``"per-element"``: L trainable scales for each of the ``elements`` on the last axis;
    - ``"equal"``: all scales are 1, L identical copies, as in most of the published code. Before an
      affine layer (the MLP's first, or the linear readout) copies are redundant: it equals an
      affine layer on one copy with its columns summed, so they add parameters and no functions.
      The other readouts multiply the copies, which gives harmonics up to L.

    Theorem: proofs/coq/Redundancy.v, equal_scales_redundant.

    Attributes:
        scales: the scales, ``[L]``, or ``[elements, L]`` in the mode ``"per-element"``.
    """

    scales: Tensor

    def __init__(
        self,
        reuploads: int,
        *,
        scales: ScaleMode = "shared-trainable",
        initial_scales: InitialScales | Sequence[float] = "harmonic",
        elements: int | None = None,
        **factory: Unpack[Factory],
    ) -> None:
        """Make the module; ``device`` and ``dtype`` as in torch.

        Args:
            reuploads: L, the number of scales of an element.
            scales: one of the modes above.
            initial_scales: ``"harmonic"`` 1, 2, .., L; ``"exponential"`` 1, 3, 9, ..;
                ``"normal"``, drawn from N(0, 1) by torch's global generator; or L numbers.
            elements: number of elements, for ``"per-element"`` only.
            **factory: ``device`` and ``dtype``.

        Raises:
            TypeError: an argument of the wrong type.
            ValueError: an argument out of range, or two that contradict each other.
        """
        super().__init__()
        check_factory(factory)
        self.reuploads = positive_integer("reuploads", reuploads)
        self.initial_scales = _checked_scales(scales, initial_scales, self.reuploads)
        self.mode = scales
        if (elements is not None) != (scales == "per-element"):
            message = "elements is needed with scales='per-element', and has no use otherwise"
            raise ValueError(message)
        leading = () if elements is None else (positive_integer("elements", elements),)
        values = torch.empty(*leading, self.reuploads, **factory)
        if scales in ("shared-trainable", "per-element"):
            self.scales = nn.Parameter(values)
        else:
            self.register_buffer("scales", values)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the scales, fixed ones too, to their initial values."""
        named = {
            "harmonic": [step + 1.0 for step in range(self.reuploads)],
            "exponential": [3.0**step for step in range(self.reuploads)],
        }
        with torch.no_grad():
            if self.mode == "equal":
                self.scales.fill_(1)
            elif self.initial_scales == "normal":
                self.scales.normal_()
            elif isinstance(self.initial_scales, str):
                self.scales.copy_(self.scales.new_tensor(named[self.initial_scales]))
            else:
                self.scales.copy_(self.scales.new_tensor(self.initial_scales))

    def forward(self, phi: Tensor) -> Tensor:
        """Features of each phase: ``[...]`` to ``[..., L, 2]``.

        An angle is off by about its rounding, ``eps |s_l phi|`` radians: large scales are not for
        bfloat16.

        Theorem: proofs/coq/Element.v, element_expectations.
        """
        check_tensor(phi, tuple(self.scales.shape[:-1]), "phases")
        angles = torch.unsqueeze(phi, -1) * self.scales
        return torch.stack((torch.cos(angles), torch.sin(angles)), -1)

    def extra_repr(self) -> str:
        """Name the mode and the sizes, for printing."""
        shape = list(self.scales.shape)
        return f"scales={self.mode!r} {shape}, initial_scales={self.initial_scales!r}"
