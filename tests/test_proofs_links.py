"""A factor 2 or a sign in the code that a theorem names breaks a link of an executable chapter."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from qrun_equiv import bounds, counterpart, field, qrun, readout, transfer
from qrun_equiv.chain import chapters
from qrun_equiv.frontends import qiskit

pytestmark = pytest.mark.proofs


def doubled_input(original):
    return lambda self, values: original(self, 2 * values)


def negated_input(original):
    return lambda self, values: original(self, -values)


def doubled_output(original):
    return lambda *arguments: 2 * original(*arguments)


def negated_output(original):
    return lambda *arguments: -original(*arguments)


def other_sine(factor):
    """The tables of a rotation with another factor at its sine."""

    def mutated(original):
        def tables(word):
            anticommuting, source, sign = original(word)
            return anticommuting, source, factor * sign

        return tables

    return mutated


def not_random(original):
    """Every point of the circle is 1: the hypothesis of Schwartz and Zippel is gone."""
    return staticmethod(lambda rng, **sizes: replace(original(rng, **sizes), generator=1))


# theorem, object, attribute, mutation, chapter, link (from 1)
MUTATIONS = [
    ("1 element, factor", qrun.DataReuploading, "forward", doubled_input, 3, 2),
    ("1 element, sign", qrun.DataReuploading, "forward", negated_input, 3, 2),
    ("2 Fourier form, factor", counterpart.FourierCounterpart, "forward", doubled_input, 1, 4),
    ("2 Fourier form, sign", counterpart.FourierCounterpart, "forward", negated_input, 1, 4),
    ("3 chain, sign", transfer, "rotation_tables", other_sine(-1), 5, 3),
    ("3 chain, factor", transfer, "rotation_tables", other_sine(2), 5, 3),
    ("3 matrix product, factor", readout, "matrix_product", doubled_output, 5, 1),
    ("3 matrix product, sign", readout, "matrix_product", negated_output, 5, 2),
    ("4 linear, factor", readout.Linear, "_read", doubled_input, 3, 2),
    ("4 linear, sign", readout.Linear, "_read", negated_input, 3, 2),
    ("4 dense, factor", readout.Multilinear, "_read", doubled_input, 4, 2),
    ("4 dense, sign", readout.Multilinear, "_read", negated_input, 4, 2),
    ("5 equal scales, factor", qrun.DataReuploading, "forward", doubled_input, 7, 2),
    ("5 equal scales, sign", qrun.DataReuploading, "forward", negated_input, 7, 2),
    ("6 shift rule, factor", qiskit.QiskitSource, "_shifted", doubled_output, 8, 1),
    ("6 shift rule, sign", qiskit.QiskitSource, "_shifted", negated_output, 8, 1),
    ("7 Ehlich-Zeller, factor", bounds, "_factor", lambda f: lambda *a: f(*a) / 2, 9, 6),
    ("7 Bernstein, factor", bounds, "bernstein", lambda f: lambda *a: f(*a) / 2, 9, 7),
    ("7 random points", field.Field, "random", not_random, 9, 3),
]


@pytest.mark.parametrize(
    ("where", "name", "mutation", "chapter", "number"),
    [m[1:] for m in MUTATIONS],
    ids=[m[0].replace(" ", "-") for m in MUTATIONS],
)
def test_a_mutation_of_the_code_breaks_the_link(
    monkeypatch, where, name, mutation, chapter, number
):
    monkeypatch.setattr(where, name, mutation(getattr(where, name)))
    (loaded,) = chapters(only=chapter)
    result = loaded.links[number - 1].run()
    assert not result.as_claimed, result.shown


# Where the statement is a formula that the chapter writes itself: its counterpart, mutated.
FORMULAS = [(1, 1), (1, 2), (2, 1), (2, 3), (3, 1), (4, 4), (7, 1), (7, 4), (8, 1), (8, 2), (8, 3)]


@pytest.mark.parametrize("factor", [2, -1])
@pytest.mark.parametrize(("chapter", "number"), FORMULAS)
def test_a_mutation_of_the_formula_breaks_the_link(chapter, number, factor):
    (loaded,) = chapters(only=chapter)
    link = loaded.links[number - 1]
    formula = link.check.counterpart
    mutated = replace(link.check, counterpart=lambda x, theta=None: factor * of(formula, x, theta))
    assert not replace(link, check=mutated).run().as_claimed


def of(formula, x, theta):
    return formula(x) if theta is None else formula(x, theta)


# --- universality: no chapter has it, so its constructions are run here ---------------------------

DEGREE = 5


def series(a, b, x):
    """A real trigonometric polynomial, term by term."""
    k = torch.arange(DEGREE + 1, dtype=torch.float64)
    return torch.cos(x * k) @ a + torch.sin(x * k) @ b


def by_scales(a, b, x):
    """The scales 1 to L and a linear readout: ``universality_linear``."""
    element = qrun.DataReuploading(DEGREE, dtype=torch.float64)
    linear = readout.Linear(DEGREE, outputs=1, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(torch.stack((a[1:], b[1:]), -1))
        linear.bias.copy_(a[0])
        return linear(element(x[:, 0]))[:, 0]


def by_matrices(a, b, x):
    """Equal scales and Horner's scheme as 3 x 3 cores: ``universality_matrix_product``."""
    cores = torch.zeros(DEGREE, 3, 3, 3, dtype=torch.float64)
    cores[:, 0, 0, 0] = 1
    cores[:, 0, 1, 0], cores[:, 0, 2, 0] = a[:-1], -b[:-1]
    cores[:, 1, 1, 1] = cores[:, 1, 2, 2] = cores[:, 2, 2, 1] = 1
    cores[:, 2, 1, 2] = -1
    left, right = torch.tensor([0.0, 1, 0]), torch.stack((torch.ones(()), a[-1], -b[-1]))
    element = qrun.DataReuploading(DEGREE, scales="equal", dtype=torch.float64)
    columns = right.double()[:, None]
    return readout.matrix_product(element(x[:, 0]), left.double(), cores, columns)[:, 0]


def largest_error(construction):
    generator = torch.Generator().manual_seed(8)
    a, b = torch.randn(2, DEGREE + 1, dtype=torch.float64, generator=generator)
    x = 7 * torch.randn(40, 1, dtype=torch.float64, generator=generator)
    return float((construction(a, b, x) - series(a, b, x)).abs().max())


@pytest.mark.parametrize("construction", [by_scales, by_matrices])
def test_a_trigonometric_polynomial_is_a_qrun_element(construction):
    assert largest_error(construction) < 1e-12


@pytest.mark.parametrize(
    ("construction", "where", "name", "mutation"),
    [
        (by_scales, qrun.DataReuploading, "forward", doubled_input),
        (by_scales, qrun.DataReuploading, "forward", negated_input),
        (by_scales, readout.Linear, "_read", negated_input),
        (by_matrices, qrun.DataReuploading, "forward", negated_input),
        (by_matrices, readout, "matrix_product", doubled_output),
    ],
)
def test_a_mutation_breaks_universality(monkeypatch, construction, where, name, mutation):
    monkeypatch.setattr(where, name, mutation(getattr(where, name)))
    assert largest_error(construction) > 0.1
