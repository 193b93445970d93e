"""Which features vary, and which method is the cheapest that fits into memory."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Literal, Protocol

from torch import Tensor

from qrun_equiv.circuit import Circuit
from qrun_equiv.errors import SpectrumError
from qrun_equiv.spectra import grid
from qrun_equiv.spectra.lifting import MAX_WIRES, Lifting
from qrun_equiv.spectra.product_tree import ProductTree, separable
from qrun_equiv.spectra.program import Program

Method = Literal["auto", "grid", "lifting", "product-tree"]

_MOST = 2**33  # bytes for one set of parameters
_QUICK = 4e5  # nanoseconds: below, nothing is gained by looking further


class Coefficients(Protocol):
    """A method: coefficients on the box of the lattice, and the memory that they take."""

    memory: int

    def box(self, theta: Tensor, x: Tensor | None) -> Tensor:
        """``[batch, box, n_outputs]`` at ``theta [batch, n_parameters]``."""
        ...


def chosen_features(circuit: Circuit, features: Sequence[int] | None) -> tuple[int, ...]:
    """The features that vary: those asked for, or all.

    Raises:
        SpectrumError: there are none, or one that does not exist, that no gate reads, or twice.
    """
    if circuit.n_features == 0:
        msg = "the circuit has no features: there is nothing that a spectrum could be over"
        raise SpectrumError(msg)
    if features is None:
        return tuple(range(circuit.n_features))
    chosen = whole(features)
    read = {i for g in circuit.encoding_gates() if g.angle for i in g.angle.features()}
    for i in chosen:
        if not 0 <= i < circuit.n_features:
            msg = f"feature x{i} does not exist: the circuit has {circuit.n_features}"
            raise SpectrumError(msg)
        if i not in read:
            msg = f"no gate reads feature x{i}: choose among {sorted(read)}"
            raise SpectrumError(msg)
    if len(set(chosen)) != len(chosen) or not chosen:
        msg = f"features {list(chosen)}: each once, and at least one"
        raise SpectrumError(msg)
    return chosen


def whole(features: Sequence[int]) -> tuple[int, ...]:
    """Indices of features as Python ints.

    Raises:
        SpectrumError: no sequence of whole numbers.
    """
    try:
        return tuple(index(i) for i in features)
    except TypeError as error:
        msg = f"features must be a sequence of whole numbers such as [0], got {features!r}"
        raise SpectrumError(msg) from error


def choose(plan: Program, method: Method) -> tuple[str, Coefficients]:
    """The method by its name; for ``"auto"`` the cheapest.

    Raises:
        SpectrumError: it does not apply, or needs too much memory.
    """
    if method not in {"auto", "grid", "lifting", "product-tree"}:
        msg = f"unknown method {method!r}: auto, grid, lifting or product-tree"
        raise SpectrumError(msg)
    tree = separable(plan)
    if method == "product-tree" and not tree:
        msg = (
            "the product tree needs wires that never meet and one base frequency of small "
            f"multiples; this circuit has {plan.n_wires} wire(s) and {len(plan.lattice.degrees)} "
            "base frequencies: use auto"
        )
        raise SpectrumError(msg)
    if tree and method in {"auto", "product-tree"}:
        return "product-tree", ProductTree(plan)
    sampling, memory = grid.work(plan), grid.memory(plan)
    fits = memory <= _MOST
    if method == "lifting" or (
        method == "auto" and plan.n_wires <= MAX_WIRES and (sampling > _QUICK or not fits)
    ):
        lifted = Lifting(plan)
        if method == "lifting" or lifted.work < sampling or not fits:
            _check(lifted.memory, plan, "lifting")
            return "lifting", lifted
    _check(memory, plan, "the grid")
    return "grid", grid.Grid(plan)


def _check(memory: int, plan: Program, name: str) -> None:
    if memory > _MOST:
        msg = (
            f"{name} needs about {memory / 2**30:.3g} GiB for one set of parameters "
            f"({len(plan.lattice)} frequencies, {plan.n_wires} wire(s)), more than "
            f"{_MOST // 2**30} GiB: restrict the features, or measure fewer wires"
        )
        raise SpectrumError(msg)
