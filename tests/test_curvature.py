import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from descent.measure.curvature import sharpness
from descent.tasks.models import mlp


def data(dtype, classes=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    input = torch.randn(16, 4, dtype=dtype, generator=generator)
    return input, torch.randint(classes, (16,), generator=generator)


def eigenvalues(model, loss_fn, input, target):
    """Compute all eigenvalues of the Hessian, from the whole matrix in float64."""
    shapes = {name: param.shape for name, param in model.named_parameters()}

    def loss(vector):
        parts = vector.split([shape.numel() for shape in shapes.values()])
        named = {name: part.view(shapes[name]) for name, part in zip(shapes, parts, strict=True)}
        return loss_fn(torch.func.functional_call(model, named, (input.double(),)), target)

    vector = torch.cat([param.detach().flatten().double() for param in model.parameters()])
    return torch.linalg.eigvalsh(torch.func.hessian(loss)(vector))


class Point(nn.Module):
    """A model that is nothing but its parameters."""

    def __init__(self, *values):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(values, dtype=torch.float64))


@pytest.mark.parametrize(
    "sizes", [[4, 3], [4, 5, 3], [4, 6, 5, 3]], ids=lambda sizes: "-".join(map(str, sizes))
)
@pytest.mark.parametrize("activation", [nn.Tanh, nn.Softplus])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("dtype", "rel"), [(torch.float32, 1e-3), (torch.float64, 1e-6)], ids=str)
def test_sharpness_is_the_largest_eigenvalue_of_the_whole_hessian(
    sizes, activation, seed, dtype, rel
):
    model = mlp(sizes, seed=seed, activation=activation).to(dtype)
    input, target = data(dtype, seed=seed)
    tol = 1e-3 if dtype == torch.float32 else 1e-8
    found = sharpness(model, lambda: cross_entropy(model(input), target), tol=tol)
    expected = eigenvalues(model.double(), cross_entropy, input, target)[-1].item()
    assert found == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("seed", range(4))
def test_the_most_positive_eigenvalue_is_found_beside_larger_negative_ones(seed):
    model = mlp([4, 6, 3], seed=seed).double()
    input, target = data(torch.float64, seed=seed)

    def loss_fn(output, target):
        return -cross_entropy(output, target)

    spectrum = eigenvalues(model, loss_fn, input, target)
    assert spectrum[-1] > 0
    assert spectrum[0] < -1.2 * spectrum[-1]
    found = sharpness(model, lambda: loss_fn(model(input), target), tol=1e-6)
    assert found == pytest.approx(spectrum[-1].item(), rel=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 30])
def test_sharpness_of_a_negative_definite_hessian_is_its_least_negative_eigenvalue(size):
    model = Point(*[0.5] * size)
    curvature = torch.linspace(1, 2, size, dtype=torch.float64)
    found = sharpness(model, lambda: -0.5 * (curvature * model.theta**2).sum())
    assert found == pytest.approx(-1, rel=1e-3)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_small_models_have_a_sharpness_too(size):
    model = Point(*[1.0] * size)
    found = sharpness(model, lambda: (model.theta**4).sum())
    assert found == pytest.approx(12, rel=1e-6)


@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-6, 1e-9])
def test_the_tolerance_is_kept(tol):
    size = 300
    model = Point(*[0.0] * size)
    # The top eigenvalues crowd together, so that Lanczos needs many steps to part them.
    curvature = 1 - torch.linspace(0, 1, size, dtype=torch.float64) ** 2 / 2
    found = sharpness(model, lambda: 0.5 * (curvature * model.theta**2).sum(), tol=tol)
    assert abs(found - 1) <= tol


def test_a_looser_tolerance_costs_fewer_products(monkeypatch):
    calls = []
    grad = torch.autograd.grad
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: calls.append(1) or grad(*a, **k))
    model = Point(*[0.0] * 300)
    curvature = 1 - torch.linspace(0, 1, 300, dtype=torch.float64) ** 2 / 2
    counts = []
    for tol in (0.3, 1e-9):
        calls.clear()
        sharpness(model, lambda: 0.5 * (curvature * model.theta**2).sum(), tol=tol)
        counts.append(len(calls))
    assert counts[0] < counts[1]


def test_the_model_is_left_as_it_was():
    model = mlp([4, 5, 3], seed=0)
    input, target = data(torch.float32)
    before = [param.detach().clone() for param in model.parameters()]
    generator = torch.get_rng_state()
    sharpness(model, lambda: cross_entropy(model(input), target))
    for param, kept in zip(model.parameters(), before, strict=True):
        assert torch.equal(param, kept)
        assert param.grad is None
        assert param.requires_grad
    assert torch.equal(torch.get_rng_state(), generator)


def test_gradients_that_were_there_stay():
    model = mlp([4, 5, 3], seed=0)
    input, target = data(torch.float32)
    cross_entropy(model(input), target).backward()
    before = [param.grad.clone() for param in model.parameters()]
    sharpness(model, lambda: cross_entropy(model(input), target))
    for param, kept in zip(model.parameters(), before, strict=True):
        assert torch.equal(param.grad, kept)


def test_the_result_repeats_and_the_loss_is_computed_once():
    model = mlp([4, 5, 3], seed=0)
    input, target = data(torch.float32)
    calls = []

    def loss():
        calls.append(1)
        return cross_entropy(model(input), target)

    assert sharpness(model, loss) == sharpness(model, loss)
    assert len(calls) == 2


def test_parameters_that_are_frozen_or_unused_do_not_count():
    model = Point(1.0, 2.0, 3.0)
    model.unused = nn.Parameter(torch.ones(4, dtype=torch.float64))
    model.frozen = nn.Parameter(torch.ones(2, dtype=torch.float64), requires_grad=False)

    def loss():
        return (model.theta**2).sum() + 50 * (model.frozen**2).sum()

    assert sharpness(model, loss) == pytest.approx(2, rel=1e-6)


def test_a_loss_that_does_not_curve_has_sharpness_zero():
    model = nn.Linear(4, 1)
    input = torch.ones(2, 4)
    assert sharpness(model, lambda: model(input).sum()) == 0
    assert sharpness(model, lambda: 0 * mse_loss(model(input), torch.ones(2, 1))) == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_has_blown_up_has_no_sharpness(bad):
    model = nn.Linear(4, 1)
    assert math.isnan(sharpness(model, lambda: bad * (model.weight**2).sum()))


@pytest.mark.parametrize("tol", [0.0, 1.0, -1e-3, math.nan, "a"])
def test_a_bad_tolerance_is_named(tol):
    model = nn.Linear(2, 1)
    with pytest.raises((TypeError, ValueError), match=r"^tol must be .*\(0, 1\), got"):
        sharpness(model, lambda: (model.weight**2).sum(), tol=tol)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (lambda model: 3.0, r"^the loss must be a tensor, got 3\.0$"),
        (
            lambda model: model.weight,
            r"^the loss must be one number, got a .* \(1, 2\)$",
        ),
    ],
)
def test_what_is_no_loss_is_named(value, told):
    model = nn.Linear(2, 1)
    with pytest.raises((TypeError, ValueError), match=told):
        sharpness(model, lambda: value(model))


def test_a_curvature_beyond_the_floats_is_nan():
    # The gradient is 2e20 everywhere; the second derivative, 2e50, is no float32.
    model = nn.Linear(4, 1, bias=False)
    nn.init.constant_(model.weight, 1e-30)
    assert math.isnan(sharpness(model, lambda: (1e25 * model.weight).pow(2).sum()))
