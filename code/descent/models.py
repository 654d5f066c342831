"""Small networks, with weights that follow from a seed."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from descent._checks import check_positive_int


def mlp(sizes: Sequence[int], *, seed: int, activation: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    """Build a multilayer perceptron.

    The weights are drawn by PyTorch's defaults from a generator seeded with ``seed`` alone: the
    global generator is left as it was, and the device plays no part.

    Args:
        sizes: the width of each layer, input first, at least two of them.
        seed: an integer, 0 or greater.
        activation: between the layers, not after the last.

    Returns:
        The network, on the CPU, in float32.

    Raises:
        ValueError: fewer than two sizes, or one below 1.

    Example:
        >>> mlp([64, 32, 10], seed=0)
        Sequential(
          (0): Linear(in_features=64, out_features=32, bias=True)
          (1): Tanh()
          (2): Linear(in_features=32, out_features=10, bias=True)
        )
    """
    if len(sizes) < 2:
        raise ValueError(f"sizes must hold at least two widths, got {list(sizes)}")
    for size in sizes:
        check_positive_int("sizes", size)
    check_positive_int("seed", seed, at_least=0)
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])
