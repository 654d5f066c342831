"""Which samples a step sees: endless iterators of index batches, each with its own seed."""

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from descent._signatures import Count, Seed, checked


@checked
def with_replacement(num_samples: Count, batch_size: Count, seed: Seed) -> Iterator[Tensor]:
    r"""Draw every index of every batch independently, each sample as likely as any other.

    .. math:: i_1, \dots, i_B \sim \mathrm{Uniform}\{0, \dots, N - 1\}

    :math:`N` is ``num_samples``, :math:`B` is ``batch_size``.

    Args:
        num_samples: how many samples there are, at least 1.
        batch_size: indices in a batch, at least 1; it may exceed ``num_samples``.
        seed: of the iterator's own generator, an integer in [0, 2**32).

    Returns:
        An endless iterator of int64 tensors on the CPU, shape ``(batch_size,)``.

    Raises:
        TypeError: an argument is not an integer.
        ValueError: an argument is out of range.

    Example:
        >>> batches = with_replacement(num_samples=10, batch_size=3, seed=0)
        >>> next(batches), next(batches)
        (tensor([4, 9, 3]), tensor([0, 3, 9]))
    """
    generator = _generator(num_samples, batch_size, seed)
    size = (batch_size,)
    return (
        torch.randint(num_samples, size, generator=generator, device="cpu")
        for _ in itertools.count()
    )


@checked
def reshuffled(num_samples: Count, batch_size: Count, seed: Seed) -> Iterator[Tensor]:
    """Go through the samples in a fresh random order each epoch.

    An epoch has ``num_samples // batch_size`` batches; the samples that would not fill another
    are left out of it, as ``torch.utils.data.DataLoader(shuffle=True, drop_last=True)`` does.

    Args:
        num_samples: how many samples there are, at least 1.
        batch_size: indices in a batch, from 1 to ``num_samples``.
        seed: of the iterator's own generator, an integer in [0, 2**32).

    Returns:
        An endless iterator of int64 tensors on the CPU, shape ``(batch_size,)``.

    Raises:
        TypeError: an argument is not an integer.
        ValueError: an argument is out of range.

    Example:
        >>> batches = reshuffled(num_samples=5, batch_size=2, seed=0)
        >>> [next(batches).tolist() for _ in range(4)]
        [[4, 0], [1, 3], [3, 4], [0, 1]]
    """
    generator = _generator(num_samples, batch_size, seed)
    if batch_size > num_samples:
        message = f"batch_size must be at most num_samples = {num_samples}, got {batch_size}"
        raise ValueError(message)
    return _epochs(num_samples, batch_size, generator)


def _generator(num_samples: int, batch_size: int, seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(int(seed))


def _epochs(num_samples: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    while True:
        order = torch.randperm(num_samples, generator=generator, device="cpu")
        # Copies, so that a batch that is kept does not keep its epoch.
        for batch in order.split(batch_size)[: num_samples // batch_size]:
            yield batch.clone()
