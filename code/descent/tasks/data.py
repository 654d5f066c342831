"""Real data that ships inside scikit-learn or beside this file, so that no lab needs a network."""

from collections.abc import Sequence
from importlib import resources
from typing import Annotated, NamedTuple

import numpy as np
import torch
from torch import Tensor

from descent._extras import book_extra
from descent._signatures import Count, Device, FloatingType, OneOf, checked


class Dataset(NamedTuple):
    """Samples and what is to be predicted from them.

    ``input`` has shape ``(num_samples, dim)``, ``target`` shape ``(num_samples,)``.
    """

    input: Tensor
    target: Tensor


@checked
def split(dataset: Dataset, sizes: Sequence[Count], generator: torch.Generator) -> list[Dataset]:
    """Deal samples out at random, none of them twice.

    Args:
        dataset: whose samples are dealt out.
        sizes: how many each part gets, each at least 1, together at most all there are.
        generator: on the CPU, so that the parts are the same on every device.

    Returns:
        The parts, on the device of the whole.

    Raises:
        TypeError: a size is not an integer.
        ValueError: a size is below 1, or there are not so many samples.

    Example:
        >>> ten = Dataset(torch.arange(10.0)[:, None], torch.arange(10))
        >>> seen, unseen = split(ten, [7, 3], torch.Generator().manual_seed(0))
        >>> torch.cat([seen.target, unseen.target]).sort().values
        tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    if sum(sizes) > len(dataset.target):
        raise ValueError(f"sizes must add up to at most {len(dataset.target)}, got {list(sizes)}")
    order = torch.randperm(len(dataset.target), generator=generator)[: sum(sizes)]
    parts = order.to(dataset.target.device).split(list(sizes))
    return [Dataset(dataset.input[part], dataset.target[part]) for part in parts]


@checked
def digits(device: Device = "cpu", dtype: FloatingType = torch.float32) -> Dataset:
    """Load 1797 handwritten digits, 8 by 8 pixels each, in ten classes.

    Args:
        device: where the tensors live.
        dtype: the floating-point type of ``input``.

    Returns:
        ``input`` of shape ``(1797, 64)``, the pixels centred and scaled to unit variance over
        the whole set; ``target`` of shape ``(1797,)``, the digit, as int64.

    Raises:
        ValueError: ``dtype`` is not one of floating-point numbers.

    Example:
        >>> data = digits()
        >>> data.input.shape, data.target[:4]
        (torch.Size([1797, 64]), tensor([0, 1, 2, 3]))

    References:
        Optical Recognition of Handwritten Digits, UCI Machine Learning Repository; shipped
        with scikit-learn as ``load_digits``.
    """
    with book_extra():
        from sklearn.datasets import load_digits

    raw = load_digits()
    # Scaled in float64 before it is rounded, so that the data are the same on every machine.
    pixels = (raw.data - raw.data.mean()) / raw.data.std()
    return Dataset(
        torch.tensor(pixels, dtype=dtype, device=device), torch.tensor(raw.target, device=device)
    )


@checked
def diabetes(device: Device = "cpu", dtype: FloatingType = torch.float64) -> Dataset:
    """Load 442 patients: ten measurements each, and the disease's progression after a year.

    Args:
        device: where the tensors live.
        dtype: their floating-point type.

    Returns:
        ``input`` of shape ``(442, 10)``, each column centred and scaled to unit variance;
        ``target`` of shape ``(442,)``, the disease score, centred and scaled likewise.

    Raises:
        ValueError: ``dtype`` is not one of floating-point numbers.

    Example:
        >>> data = diabetes()
        >>> data.input.shape, round(data.input.std(correction=0).item(), 6)
        (torch.Size([442, 10]), 1.0)

    References:
        Efron, Hastie, Johnstone and Tibshirani, Least angle regression, Annals of Statistics
        32 (2004); shipped with scikit-learn as ``load_diabetes``.
    """
    with book_extra():
        from sklearn.datasets import load_diabetes

    raw = load_diabetes(scaled=False)
    standardized = [(values - values.mean(0)) / values.std(0) for values in (raw.data, raw.target)]
    return Dataset(*(torch.tensor(values, dtype=dtype, device=device) for values in standardized))


@checked
def published(table: Annotated[str, OneOf(("goyal2017",))]) -> dict[str, Tensor]:
    """Load numbers that a paper reports, column by column.

    Each table is a file of comma-separated values beside this module, whose first lines say
    where the numbers come from.

    Args:
        table: ``"goyal2017"``, the validation error of ResNet-50 on ImageNet, in per cent, for
            batch sizes from 128 to 65536.

    Returns:
        Column name to values, shape ``(rows,)``, in float64.

    Raises:
        ValueError: there is no such table.

    Example:
        >>> reported = published("goyal2017")
        >>> list(reported), reported["error"][1].item()
        (['batch_size', 'lr', 'error', 'std'], 23.6)

    References:
        Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour,
        arXiv:1706.02677 (2017), Figure 3 and Table 2(a).
    """
    with resources.files(__package__).joinpath(f"{table}.csv").open(encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("#")]
    values = torch.from_numpy(np.loadtxt(lines[1:], delimiter=","))
    return dict(zip(lines[0].strip().split(","), values.T.contiguous(), strict=True))
