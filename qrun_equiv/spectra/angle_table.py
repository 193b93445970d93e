"""Many exact angles evaluated at once, in few torch operations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from qrun_equiv.angle import Angle, Monomial, Symbol
from qrun_equiv.errors import SpectrumError


class AngleTable:
    """Angles ``factor * (constant + sum of coefficient * monomial)``, in radians.

    A table of ``n`` polynomials in parameters and fixed features. An angle without terms is 0.
    Each constant is rounded once, from its exact value.

    Attributes:
        reads_features: whether a feature occurs in an angle.
    """

    def __init__(
        self, angles: Sequence[Angle], factors: Sequence[float], n_parameters: int
    ) -> None:
        monomials: dict[Monomial, int] = {}
        constants = np.zeros(len(angles))
        rows = [_row(angle, k, constants, monomials) for k, angle in enumerate(angles)]
        width = max(1, max(map(len, rows), default=1))
        index = np.array(
            [[m for m, _ in row] + [0] * (width - len(row)) for row in rows], dtype=int
        )
        weight = np.array([[v for _, v in row] + [0.0] * (width - len(row)) for row in rows])
        index, weight = index.reshape(-1, width), weight.reshape(-1, width)
        scale = np.array(list(factors), dtype=float)
        self._constant = torch.as_tensor(constants * scale)
        self._varies = bool(monomials)
        self.reads_features = any(s.kind != "theta" for m in monomials for s, _ in m)
        self._arcs = sorted({s for m in monomials for s, _ in m if s.kind == "acos"})
        places = [_places(m, n_parameters, self._arcs) for m in monomials]
        degree = max(map(len, places), default=1)
        self._places: Tensor | None = None  # [monomials, degree] in (arcs, theta, x, 1)
        if degree > 1:
            self._places = torch.tensor([p + [-1] * (degree - len(p)) for p in places])
        elif places:
            index = np.array([p[0] for p in places])[index]
        weight = weight * scale[:, None]
        self._index = torch.as_tensor(index[:, 0] if width == 1 else index)
        self._weight = torch.as_tensor(weight[:, 0] if width == 1 else weight)

    def evaluate(self, theta: Tensor, x: Tensor | None) -> Tensor:
        """Values in radians.

        Args:
            theta: float64 ``[batch, n_parameters]``.
            x: float64 ``[batch, n_features]``; needed where :attr:`reads_features`.

        Returns:
            float64 ``[batch, n]``.

        Raises:
            SpectrumError: an arccos is asked of a number outside [-1, 1].
        """
        if not self._varies:
            return self._constant.expand(theta.shape[0], -1)
        values = theta
        if self.reads_features and x is not None:
            values = torch.cat([*(_arccos(x, s) for s in self._arcs), theta, x], dim=1)
        if self._places is not None:
            # The appended 1 fills up monomials of lower degree.
            values = torch.cat([values, values.new_ones((values.shape[0], 1))], dim=1)
            places = torch.where(self._places < 0, values.shape[1] - 1, self._places)
            values = values[:, places].prod(dim=-1)
        terms = values[:, self._index] * self._weight
        return (terms.sum(dim=-1) if self._index.ndim == 2 else terms) + self._constant


def _row(
    angle: Angle, k: int, constants: np.ndarray, monomials: dict[Monomial, int]
) -> list[tuple[int, float]]:
    """Monomials and coefficients of one angle; its constant goes to ``constants[k]``."""
    row = []
    for monomial, q in angle.terms:
        free, value = monomial, float(q)
        if any(s.kind == "pi" for s, _ in monomial):
            fixed = tuple(p for p in monomial if p[0].kind == "pi")
            value = float(Angle(((fixed, q),)).evaluate((), ()))
            free = tuple(p for p in monomial if p[0].kind != "pi")
        if free:
            row.append((monomials.setdefault(free, len(monomials)), value))
        else:
            constants[k] += value
    return row


def _arccos(x: Tensor, arc: Symbol) -> Tensor:
    inside = x[:, arc.index : arc.index + 1]
    if bool((inside.abs() > 1).any()):
        msg = f"an angle reads {arc}, which needs x{arc.index} in [-1, 1]: give x within it"
        raise SpectrumError(msg)
    return torch.arccos(inside**arc.power)


def _places(monomial: Monomial, n_parameters: int, arcs: Sequence[Symbol]) -> list[int]:
    found = []
    for symbol, power in monomial:
        if symbol.kind == "acos":
            place = arcs.index(symbol)
        else:
            place = len(arcs) + symbol.index + (symbol.kind == "x") * n_parameters
        found += [place] * power
    return found
