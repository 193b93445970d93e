"""What :func:`qrun_equiv.scale.tabulated.compile_for_inference` puts in a Q-RUN layer's place."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from qrun_equiv.readout import check_tensor
from qrun_equiv.scale.certified_choice import Certificate
from qrun_equiv.scale.piecewise import TERMS, evaluate

DTYPES = (torch.float32, torch.float64)


class TabulatedQRUN(nn.Module):
    """A compiled Q-RUN layer, ``[..., in_features]`` to ``[..., out_features]``; no gradients.

    Attributes:
        projection: the layer's ``nn.Linear``.
        exact: its function g, in float64.
        table: coefficients ``[cells, terms, k]``: 2 terms are linear, 4 cubic, 8 of degree 7.
        certificate: what is certified of the table; see
            :class:`~qrun_equiv.scale.certified_choice.Certificate`.
        outside: number of phases of the last call that the table did not cover.
    """

    table: Tensor
    padded: Tensor

    def __init__(
        self, projection: nn.Linear, exact: nn.Module, table: Tensor, certificate: Certificate
    ) -> None:
        super().__init__()
        self.projection, self.exact = projection, exact
        self.certificate, self.dtype, self.outside = certificate, table.dtype, 0
        self.in_features = projection.in_features
        self._install(table)

    def _install(self, table: Tensor) -> None:
        self.register_buffer("table", table)
        rows = (table.shape[0], TERMS - table.shape[1], table.shape[2])
        self.register_buffer(
            "padded", torch.cat((table, table.new_zeros(rows)), 1), persistent=False
        )

    @property
    def bound(self) -> float:
        """Certified bound of ``|output - g(phase)|``, the phases as computed and covered."""
        return self.certificate.bound

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to ``x [..., in_features]``; returns ``[..., out_features]``.

        Raises:
            TypeError: ``x`` or the module is of another dtype than it was compiled for.
            ValueError: the last axis of ``x`` is not ``in_features``.
            RuntimeError: gradients are asked for, or a function transform is active.
        """
        check_tensor(x, (self.in_features,), "input (last axis: in_features)")
        self._check(x.dtype, self.table.dtype)
        phi: Tensor = self.projection(x)
        self._check(phi.dtype)
        if phi.requires_grad or forward_ad.unpack_dual(phi).tangent is not None:  # type: ignore[no-untyped-call]
            msg = (
                "a compiled layer has no gradients: call it under torch.no_grad(), or take the "
                "original layer, whose gradients are exact"
            )
            raise RuntimeError(msg)
        flat = phi.reshape(-1)
        values = self._traced(flat) if _traced(phi) else self._evaluated(flat)
        return values.reshape(*phi.shape[:-1], phi.shape[-1] * values.shape[-1])

    def _check(self, *dtypes: torch.dtype) -> None:
        for found in dtypes:
            if found != self.dtype:
                msg = (
                    f"the table's bound holds for {self.dtype}, and this is {found}: cast the "
                    "input back, leave autocast, or compile the layer in the other dtype"
                )
                raise TypeError(msg)

    def _evaluated(self, phi: Tensor) -> Tensor:
        values = evaluate(phi, self.padded, self.certificate.grid)
        self.outside = 0
        if phi.numel():
            low, high = (float(end) for end in torch.aminmax(phi))
            if not (low >= self.certificate.low and high <= self.certificate.high):
                outside = self._outside(phi)
                self.outside = int(outside.sum())
                values[outside] = self._exactly(phi[outside])
        return values

    def _traced(self, phi: Tensor) -> Tensor:
        """The same by torch operations on tensors alone, for export and compilation."""
        cell, place = self.certificate.grid.place(phi)
        rows, t = self.table[cell], place.unsqueeze(-1)
        values = rows[:, -1]
        for j in range(rows.shape[1] - 2, -1, -1):
            values = values * t + rows[:, j]
        (outside,) = torch.nonzero(self._outside(phi), as_tuple=True)
        return torch.index_put(values, (outside,), self._exactly(phi[outside]))

    def _outside(self, phi: Tensor) -> Tensor:
        return ~((phi >= self.certificate.low) & (phi <= self.certificate.high))  # NaN, too

    def _exactly(self, phi: Tensor) -> Tensor:
        values: Tensor = self.exact(phi.double())
        return values.to(phi.dtype)

    def get_extra_state(self) -> Tensor:
        """The certificate, as a float64 tensor, so that any format of tensors keeps it."""
        numbers = (*astuple(self.certificate), float(DTYPES.index(self.dtype)))
        return torch.tensor(numbers, dtype=torch.float64)

    def set_extra_state(self, state: Any) -> None:
        """Read the certificate back.

        Raises:
            ValueError: the state is not that of a compiled layer.
        """
        count = len(fields(Certificate)) + 1
        if not isinstance(state, Tensor) or state.shape != (count,) or state.dtype != torch.float64:
            msg = f"the state of a compiled layer holds a float64 tensor [{count}], got {state!r}"
            raise ValueError(msg)
        *numbers, code = state.tolist()
        step, first, cells, *rest = numbers
        self.certificate = Certificate(step, int(first), int(cells), *rest)
        self.dtype = DTYPES[int(code)]

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        table = state_dict.get(f"{prefix}table")
        if isinstance(table, Tensor):
            self._install(table.to(self.table.device).clone())
        super()._load_from_state_dict(state_dict, prefix, *args)

    def extra_repr(self) -> str:
        """The table and its bound, for printing."""
        c = self.certificate
        range_ = f"period={c.period:.6g}" if c.period else f"phases=[{c.low:.4g}, {c.high:.4g}]"
        return f"cells={c.cells}, terms={self.table.shape[1]}, {range_}, bound={c.bound:.3g}"


def _traced(phi: Tensor) -> bool:
    """Whether operations are being written down."""
    proxy = torch._C._TorchDispatchModeKey.PROXY  # noqa: SLF001 (there are no public questions)
    tracing = torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    tracing = tracing or torch._C._get_dispatch_mode(proxy) is not None  # noqa: SLF001
    if not tracing and (type(phi) is not Tensor or torch._C._are_functorch_transforms_active()):  # noqa: SLF001
        msg = "function transforms do not pass a table: call the compiled layer on whole batches"
        raise RuntimeError(msg)
    return bool(tracing)
