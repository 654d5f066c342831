import pytest
import torch
from torch import nn

from descent.tasks.models import mlp


def weights(model):
    return torch.cat([param.flatten() for param in model.parameters()])


def test_the_layers_are_those_of_a_perceptron():
    model = mlp([3, 5, 4, 2], seed=0, activation=nn.ReLU)
    assert [type(layer) for layer in model] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert [tuple(layer.weight.shape) for layer in model[::2]] == [(5, 3), (4, 5), (2, 4)]
    assert model(torch.zeros(7, 3)).shape == (7, 2)
    assert model[1] is not model[3]


def test_two_widths_are_a_linear_model():
    assert [type(layer) for layer in mlp([3, 2], seed=0)] == [nn.Linear]


def test_the_weights_are_those_that_pytorch_draws_by_default():
    with torch.random.fork_rng():
        torch.manual_seed(5)
        expected = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))
    assert torch.equal(weights(mlp([4, 6, 2], seed=5)), weights(expected))


def test_the_weights_follow_from_the_seed_alone():
    with torch.random.fork_rng():
        first = weights(mlp([4, 6, 2], seed=3))
        torch.rand(7)
        assert torch.equal(weights(mlp([4, 6, 2], seed=3)), first)
    assert not torch.equal(weights(mlp([4, 6, 2], seed=4)), first)


def test_no_global_generator_is_moved(monkeypatch):
    def reseeded(seed):
        raise AssertionError("the GPUs' generators were seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", reseeded)
    before = torch.get_rng_state()
    mlp([4, 6, 2], seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_network_is_in_float32_on_the_cpu_whatever_the_defaults():
    expected = weights(mlp([4, 6, 2], seed=3))
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"):
            found = weights(mlp([4, 6, 2], seed=3))
    finally:
        torch.set_default_dtype(default)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("sizes", "seed", "error", "message"),
    [
        ([], 0, ValueError, r"sizes must hold at least two widths, got \[\]"),
        ([3], 0, ValueError, r"sizes must hold at least two widths, got \[3\]"),
        ([3, 0], 0, ValueError, r"sizes\[\d\] must be .* got 0"),
        ([3, 2.0], 0, TypeError, r"sizes\[\d\] must be .* got 2.0"),
        ([3, 2], -1, ValueError, "seed must be .* got -1"),
        ([3, 2], 2**32, ValueError, "seed must be .* got 4294967296"),
        ([3, 2], None, TypeError, "seed must be .* got None"),
    ],
)
def test_bad_arguments_are_named(sizes, seed, error, message):
    with pytest.raises(error, match=f"^{message}"):
        mlp(sizes, seed=seed)
