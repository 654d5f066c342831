"""Random numbers in double precision, the same in every run, and what is made of them."""

import torch
from torch import Tensor

from descent.tasks.problems import Objective


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64)


def uniform(low: float, high: float, *shape: int, seed: int = 0) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=generator(seed), dtype=torch.float64)


def turned(eigenvalues: list[float], seed: int = 0) -> Tensor:
    """Return a symmetric matrix with these eigenvalues and random axes."""
    axes = torch.linalg.qr(normal(len(eigenvalues), len(eigenvalues), seed=seed)).Q
    return axes @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ axes.T


def bowl(matrix: Tensor) -> Objective:
    """Return the quadratic with this Hessian and its minimum at 0."""
    return lambda theta: 0.5 * ((theta @ matrix) * theta).sum(-1)
