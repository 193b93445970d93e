"""The readouts against independent formulas, against each other and against a simulated circuit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from qrun_equiv.readout import (
    MLP,
    Linear,
    MatrixProduct,
    Multilinear,
    Product,
    Readout,
    matrix_product,
)

EXACT: dict[str, Callable[..., Readout]] = {
    "linear": Linear,
    "product": Product,
    "matrix-product": MatrixProduct,
    "multilinear": Multilinear,
}
ALL: dict[str, Callable[..., Readout]] = {**EXACT, "mlp": MLP}
ROUNDING = 1e-12  # float64, sums of at most a few hundred terms of order one


def features_of(angles: Tensor) -> Tensor:
    return torch.stack((angles.cos(), angles.sin()), -1)


def random_features(*shape: int, seed: int = 0) -> Tensor:
    """Features of unrelated random angles, float64."""
    generator = torch.Generator().manual_seed(seed)
    return features_of(6 * torch.randn(shape, generator=generator, dtype=torch.float64))


def explicit_sum(coefficients: Tensor, features: Tensor) -> Tensor:
    """The definition of T, term by term, for features [batch, L, 2]."""
    outputs, reuploads = coefficients.shape[0], features.shape[1]
    result = torch.zeros(features.shape[0], outputs, dtype=features.dtype)
    for b, k in itertools.product(range(features.shape[0]), range(outputs)):
        for t in itertools.product(range(3), repeat=reuploads):
            factors = [(1.0, *features[b, i].tolist())[t_i] for i, t_i in enumerate(t)]
            result[b, k] += coefficients[(k, *t)].item() * math.prod(factors)
    return result


def make(name: str, reuploads: int, **options: int) -> Readout:
    torch.manual_seed(reuploads)
    if name == "mlp":
        options["hidden"] = 3
    return ALL[name](reuploads, dtype=torch.float64, **options)


@pytest.mark.parametrize("reuploads", [1, 2, 3, 4, 5])
def test_multilinear_is_the_explicit_sum(reuploads: int) -> None:
    readout, features = make("multilinear", reuploads, outputs=3), random_features(4, reuploads)
    expected = explicit_sum(readout.coefficients().detach(), features)
    torch.testing.assert_close(readout(features), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("reuploads", [1, 3])
def test_linear_is_its_formula(reuploads: int) -> None:
    readout, features = Linear(reuploads, dtype=torch.float64), random_features(5, reuploads)
    torch.nn.init.normal_(readout.bias)
    for b, k in itertools.product(range(5), range(2)):
        expected = readout.bias[k].item()
        for i in range(reuploads):
            (b_ki, c_ki), (cos, sin) = readout.weight[k, i].tolist(), features[b, i].tolist()
            expected += b_ki * cos + c_ki * sin
        assert readout(features)[b, k].item() == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("reuploads", [1, 3])
def test_product_is_its_formula(reuploads: int) -> None:
    readout, features = Product(reuploads, dtype=torch.float64), random_features(5, reuploads)
    for b, k in itertools.product(range(5), range(2)):
        expected = 1.0
        for i in range(reuploads):
            (b_ki, c_ki), (cos, sin) = readout.weight[k, i].tolist(), features[b, i].tolist()
            expected *= b_ki * cos + c_ki * sin
        assert readout(features)[b, k].item() == pytest.approx(expected, abs=ROUNDING)


def test_matrix_product_multiplies_its_matrices_in_order() -> None:
    readout, features = MatrixProduct(3, bond=5, dtype=torch.float64), random_features(4, 3)
    for b, k in itertools.product(range(4), range(2)):
        product = torch.eye(5, dtype=torch.float64)
        for i in range(3):
            cos, sin = features[b, i].tolist()
            product = product @ torch.tensordot(
                torch.tensor([1, cos, sin], dtype=torch.float64), readout.cores[i], 1
            )
        expected = readout.left @ product @ readout.right[:, k]
        torch.testing.assert_close(readout(features)[b, k], expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("reuploads", [1, 2, 4])
def test_every_exact_readout_is_a_multilinear_one(name: str, reuploads: int) -> None:
    readout, features = make(name, reuploads, outputs=3), random_features(7, reuploads)
    dense = Multilinear(reuploads, outputs=3, dtype=torch.float64)
    with torch.no_grad():
        dense.weight.copy_(readout.coefficients())
    torch.testing.assert_close(readout(features), dense(features), rtol=0, atol=ROUNDING)


def test_coefficients_of_the_linear_and_product_readouts_stand_where_they_should() -> None:
    linear, product = make("linear", 2), make("product", 2)
    (b1, c1), (b2, c2) = linear.get_parameter("weight")[1].tolist()
    expected = torch.tensor([[0, b2, c2], [b1, 0, 0], [c1, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(linear.coefficients()[1], expected, rtol=0, atol=ROUNDING)
    (b1, c1), (b2, c2) = product.get_parameter("weight")[1].tolist()
    expected = torch.tensor([[0, 0, 0], [0, b1 * b2, b1 * c2], [0, c1 * b2, c1 * c2]])
    torch.testing.assert_close(product.coefficients()[1], expected.double(), rtol=0, atol=1e-6)


def test_coefficients_are_differentiable() -> None:
    readout = make("matrix-product", 2)
    loss = readout.coefficients().square().sum()
    (gradient,) = torch.autograd.grad(loss, [readout.get_parameter("cores")])
    assert gradient.abs().min() > 0


def test_a_matrix_product_of_bond_one_is_a_product_with_constants() -> None:
    readout, features = (
        MatrixProduct(3, bond=1, outputs=1, dtype=torch.float64),
        random_features(4, 3),
    )
    expected = readout.left * readout.right[0]
    for i in range(3):
        a, b, c = readout.cores[i].flatten().tolist()
        expected = expected * (a + b * features[:, i, 0] + c * features[:, i, 1])
    torch.testing.assert_close(readout(features)[:, 0], expected, rtol=0, atol=ROUNDING)


def test_matrix_product_takes_cores_of_different_bonds() -> None:
    torch.manual_seed(0)
    features = random_features(5, 3)
    cores = [torch.randn(3, *bonds, dtype=torch.float64) for bonds in ((1, 4), (4, 2), (2, 3))]
    left, right = torch.ones(1, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    rows = left.expand(5, 1)
    for i, core in enumerate(cores):
        triple = torch.cat((torch.ones(5, 1), features[:, i]), 1)
        rows = torch.einsum("bd,bt,tde->be", rows, triple, core)
    result = matrix_product(features, left, cores, right)
    torch.testing.assert_close(result, rows @ right, rtol=0, atol=ROUNDING)


def test_matrix_product_without_cores_is_constant() -> None:
    left, right = torch.tensor([1.0, 2.0]), torch.tensor([[3.0], [4.0]])
    result = matrix_product(torch.zeros(5, 6, 0, 2), left, torch.zeros(0, 3, 2, 2), right)
    assert torch.equal(result, torch.full((5, 6, 1), 11.0))


def test_matrix_product_wants_one_core_an_angle() -> None:
    left, right = torch.ones(2), torch.ones(2, 1)
    with pytest.raises(ValueError, match="2 cores for features of 3 angles"):
        matrix_product(torch.zeros(3, 2), left, torch.zeros(2, 3, 2, 2), right)


def paulis(qubits: int) -> list[Tensor]:
    """The 4^n Pauli words as matrices; the first is the identity."""
    single = [[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]
    matrices = [torch.tensor(m, dtype=torch.complex128) for m in single]
    words = matrices
    for _ in range(qubits - 1):
        words = [torch.kron(word, m) for word in words for m in matrices]
    return words


@pytest.mark.parametrize("qubits", [1, 2])
def test_a_circuit_is_a_matrix_product_of_its_pauli_transfer_matrices(qubits: int) -> None:
    torch.manual_seed(qubits)
    words, reuploads = paulis(qubits), 3
    basis = torch.stack(words)
    dimension = basis.shape[-1]
    random = torch.randn(reuploads + 1, dimension, dimension, dtype=torch.complex128)
    blocks, _ = torch.linalg.qr(random)
    generators = [words[5 % len(words)], words[2], words[-1]]
    angles = 3 * torch.randn(6, reuploads, dtype=torch.float64)
    observable = words[3] + 0.5 * words[1]

    def rotation(generator: Tensor, angle: float) -> Tensor:
        return math.cos(angle / 2) * basis[0] - 1j * math.sin(angle / 2) * generator

    def transfer(unitary: Tensor) -> Tensor:
        images = unitary @ basis @ unitary.mH
        return torch.einsum("iab,jba->ij", basis, images).real / dimension

    expected = []
    for row in angles.tolist():
        state = blocks[0][:, 0]
        for angle, generator, block in zip(row, generators, blocks[1:], strict=True):
            state = block @ (rotation(generator, angle) @ state)
        expected.append((state.conj() @ observable @ state).real)

    cores = []
    for generator, block in zip(generators, blocks[1:], strict=True):
        at_0, at_pi = transfer(rotation(generator, 0)), transfer(rotation(generator, math.pi))
        constant = (at_0 + at_pi) / 2
        sine = transfer(rotation(generator, math.pi / 2)) - constant
        terms = torch.stack((constant, (at_0 - at_pi) / 2, sine))
        cores.append((transfer(block) @ terms).mT)
    left = transfer(blocks[0]) @ basis[:, 0, 0].real  # of the state |0...0>
    right = torch.einsum("iab,ba->i", basis, observable).real / dimension
    result = matrix_product(features_of(angles), left, cores, right.unsqueeze(-1))
    torch.testing.assert_close(result[:, 0], torch.stack(expected), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_mlp_is_its_formula(depth: int, activation: str) -> None:
    torch.manual_seed(0)
    readout = MLP(3, hidden=5, depth=depth, activation=activation, dtype=torch.float64)  # type: ignore[arg-type]
    features = random_features(4, 3)
    parameters = list(readout.parameters())
    assert [tuple(p.shape) for p in parameters[::2]] == [(5, 6), *[(5, 5)] * (depth - 1), (2, 5)]
    values = features.reshape(4, 6)  # cos_1, sin_1, cos_2, ...
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        torch.nn.init.normal_(bias)
        values = values @ weight.mT + bias
        values = values.tanh() if activation == "tanh" else values.clamp(min=0)
    expected = values @ parameters[-2].mT + parameters[-1]
    torch.testing.assert_close(readout(features), expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("leading", [(), (3,), (0,), (2, 0, 4), (2, 3, 4)])
@pytest.mark.parametrize("reuploads", [1, 3])
def test_any_leading_shape(name: str, leading: tuple[int, ...], reuploads: int) -> None:
    readout, features = make(name, reuploads, outputs=5), random_features(*leading, reuploads)
    result = readout(features)
    assert result.shape == (*leading, 5)
    assert result.dtype == torch.float64
    flat = readout(features.reshape(math.prod(leading), reuploads, 2))
    torch.testing.assert_close(result.reshape(-1, 5) if flat.numel() else flat, flat)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("reuploads", [1, 3])
def test_first_and_second_gradients(name: str, reuploads: int) -> None:
    readout = make(name, reuploads)
    features = random_features(3, reuploads).requires_grad_()
    names, values = zip(*readout.named_parameters(), strict=True)

    def call(features: Tensor, *parameters: Tensor) -> Tensor:
        result: Tensor = functional_call(
            readout, dict(zip(names, parameters, strict=True)), (features,)
        )
        return result

    assert torch.autograd.gradcheck(call, (features, *values))
    assert torch.autograd.gradgradcheck(call, (features, *values))


def test_product_has_gradients_where_a_factor_vanishes() -> None:
    readout = Product(3, outputs=1, dtype=torch.float64)
    with torch.no_grad():
        readout.weight.copy_(torch.tensor([1.0, 0.0]).expand(1, 3, 2))
    features = torch.tensor([[0.0, 1.0], [0.5, 0.5], [2.0, 0.0]], dtype=torch.float64)
    features.requires_grad_()
    (gradient,) = torch.autograd.grad(readout(features).sum(), [features])
    assert gradient[:, 0].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("reuploads", [1, 4])
def test_second_moment_is_one_over_the_draw_at_any_angles(name: str, reuploads: int) -> None:
    torch.manual_seed(0)
    for seed in range(2):
        features = random_features(reuploads, seed=seed).float()
        draws = [EXACT[name](reuploads, outputs=8)(features) for _ in range(1500)]
        moment = torch.stack(draws).square().mean().item()
        # draws of the matrix product share their cores, and products are heavy-tailed
        assert 0.88 < moment < 1.12


@pytest.mark.parametrize(
    ("readout", "expected"),
    [
        (Linear(4), 2 * 9),
        (Linear(3, outputs=1), 7),
        (Product(4, outputs=3), 3 * 8),
        (MatrixProduct(5, bond=3), 3 + 5 * 3 * 9 + 3 * 2),
        (Multilinear(4), 2 * 81),
        (MLP(2, hidden=9), 155),
        (MLP(4), 8 * 32 + 32 + 32 * 32 + 32 + 32 * 2 + 2),
        (MLP(3, depth=1), 6 * 32 + 32 + 32 * 2 + 2),
    ],
)
def test_parameter_counts(readout: Readout, expected: int) -> None:
    assert sum(p.numel() for p in readout.parameters()) == expected


def test_printed_form_names_the_sizes() -> None:
    assert repr(MatrixProduct(3, bond=2)) == "MatrixProduct(reuploads=3, outputs=2, bond=2)"
    assert repr(Linear(3, outputs=1)) == "Linear(reuploads=3, outputs=1)"
    assert "Tanh()" in repr(MLP(3))


@pytest.mark.parametrize("name", ALL)
def test_device_and_dtype_reach_every_parameter(name: str) -> None:
    readout = ALL[name](3, device="meta", dtype=torch.bfloat16)
    assert {p.device.type for p in readout.parameters()} == {"meta"}
    assert {p.dtype for p in ALL[name](3, dtype=torch.bfloat16).parameters()} == {torch.bfloat16}


def test_a_dense_form_that_is_too_large_is_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"3\^11 = 177147 .* matrix-product readout"):
        Multilinear(11)
    with pytest.raises(ValueError, match="matrix-product readout"):
        MatrixProduct(11).coefficients()
    Multilinear(10, outputs=1)
    with pytest.raises(TypeError, match="not multilinear"):
        MLP(2).coefficients()


@pytest.mark.parametrize("name", ALL)
def test_wrong_arguments_are_refused(name: str) -> None:
    kind = ALL[name]
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"reuploads must be at least 1, got {wrong}"):
            kind(wrong)
    for wrong_type in (2.0, "2", True, None):
        with pytest.raises(TypeError, match="reuploads must be an integer"):
            kind(wrong_type)
    with pytest.raises(ValueError, match="outputs must be at least 1"):
        kind(2, outputs=0)
    with pytest.raises(TypeError, match=r"real floating point, got torch\.int64"):
        kind(2, dtype=torch.int64)
    with pytest.raises(TypeError, match="unexpected keyword argument 'detype'"):
        kind(2, detype=torch.float32)


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown activation 'gelu'; choose one of 'tanh', 'relu'"):
        MLP(2, activation="gelu")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="hidden must be at least 1"):
        MLP(2, hidden=0)
    with pytest.raises(ValueError, match="depth must be at least 1"):
        MLP(2, depth=0)
    with pytest.raises(ValueError, match="bond must be at least 1"):
        MatrixProduct(2, bond=0)


@pytest.mark.parametrize("name", ALL)
def test_wrong_features_are_refused(name: str) -> None:
    readout = ALL[name](3)
    for shape in ((4, 2, 2), (4, 3, 1), (3,), ()):
        with pytest.raises(ValueError, match=r"expected shape \[\.\.\., 3, 2\], got"):
            readout(torch.zeros(shape))
    with pytest.raises(TypeError, match=r"real floating point, got torch\.int64"):
        readout(torch.zeros(3, 2, dtype=torch.int64))
    with pytest.raises(TypeError, match=r"must be a torch\.Tensor, got list"):
        readout([[1.0, 0.0]])
