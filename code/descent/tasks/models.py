"""Small networks, with weights that follow from a seed."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from descent._signatures import Count, Seed, checked


@checked
def mlp(
    sizes: Sequence[Count], *, seed: Seed, activation: type[nn.Module] = nn.Tanh
) -> nn.Sequential:
    """Build a multilayer perceptron.

    The weights are drawn by PyTorch's defaults from a generator seeded with ``seed`` alone: the
    global generator is left as it was, and the device plays no part.

    Args:
        sizes: the width of each layer, input first, at least two of them.
        seed: an integer in [0, 2**32).
        activation: between the layers, not after the last.

    Returns:
        The network, on the CPU, in float32.

    Raises:
        TypeError: a size or the seed is not an integer.
        ValueError: fewer than two sizes, one below 1, or a seed that is out of range.

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
    layers: list[nn.Module] = []
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would reseed the GPUs' as well.
        torch.default_generator.manual_seed(seed)
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out, device="cpu", dtype=torch.float32)]
            layers += [activation()]
    return nn.Sequential(*layers[:-1])
