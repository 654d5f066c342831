"""How long a step of an optimizer takes, in several ways of taking it, side by side."""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.benchmark import Timer

from descent._checks import check_choice, check_positive_int
from descent._signatures import Count, Device, Positive, checked
from descent.optim import OPTIMIZERS, can_compile

Step = Callable[[], object]
Layout = int | str

FUSED = ("SGD", "Adagrad", "Adam", "AdamW")
"""The optimizers of which PyTorch has a fused form."""


@checked
def sizes(num_params: Count, layout: Layout) -> list[int]:
    """Say how many numbers each tensor of a model has.

    Args:
        num_params: how many numbers in all.
        layout: how many tensors, of nearly the same size; or ``"transformer"`` for those of twelve
            layers with biases and norms, a last norm, and an embedding that takes what is left.

    Returns:
        The sizes; they add up to ``num_params``.

    Raises:
        ValueError: there are fewer numbers than tensors.

    Example:
        >>> sizes(7, 2)
        [4, 3]
        >>> model = sizes(10_000_000, "transformer")
        >>> len(model), sum(model), min(model), max(model)
        (147, 10000000, 256, 522368)
    """
    if layout == "transformer":
        check_positive_int("num_params", num_params, at_least=1000)
        # 144 squares of the width, and 158 times it, take 95 of 100 numbers.
        width = int((math.sqrt(158**2 + 4 * 144 * 0.95 * num_params) - 158) / (2 * 144))
        layer = [width] * 4 + [3 * width**2, 3 * width, width**2, width]
        layer += [4 * width**2, 4 * width, 4 * width**2, width]
        model = 12 * layer + 2 * [width]
        return [*model, num_params - sum(model)]
    check_positive_int("layout", layout)
    check_positive_int("num_params", num_params, at_least=layout)
    return [num_params // layout + (part < num_params % layout) for part in range(layout)]


@checked
def parameters(num_params: Count, layout: Layout, device: Device) -> list[Tensor]:
    """Make parameters with gradients.

    Args:
        num_params: how many numbers in all.
        layout: in which tensors, as :func:`sizes` takes it.
        device: where they live.

    Returns:
        float32 leaves, each with its gradient.

    Example:
        >>> [len(param) for param in parameters(7, 2, "cpu")]
        [4, 3]
    """
    generator = torch.Generator().manual_seed(0)
    params = []
    for size in sizes(num_params, layout):
        param, grad = torch.randn(2, size, generator=generator).to(device)
        param = param.clone().requires_grad_()
        param.grad = grad.clone()
        params.append(param)
    return params


@checked
def ways(
    optimizer: str,
    num_params: Count,
    layout: Layout,
    device: Device,
    **options: Any,
) -> dict[str, Step]:
    """Prepare the ways to take a step, each with parameters and states of its own.

    Args:
        optimizer: a name in ``descent.optim.OPTIMIZERS``, also of an optimizer of PyTorch's.
        num_params: how many parameters in all.
        layout: in which tensors, as :func:`sizes` takes it.
        device: where they live.
        **options: hyperparameters beside the rate.

    Returns:
        ``"eager"``, the book's class; ``"compiled"``, the same with its step compiled, where there
        is a compiler; ``"loop"``, ``"foreach"`` and ``"fused"``, PyTorch's, the last where it
        exists. Each has taken its first step.

    Raises:
        ValueError: there is no such optimizer, or fewer parameters than tensors.

    Example:
        >>> list(ways("RMSprop", 10, 2, "cpu"))[-2:]
        ['loop', 'foreach']
    """
    check_choice(
        "optimizer", optimizer, [name for name in OPTIMIZERS if hasattr(torch.optim, name)]
    )

    def made(kind: Callable[..., torch.optim.Optimizer], **more: Any) -> torch.optim.Optimizer:
        return kind(parameters(num_params, layout, device), lr=1e-3, **options, **more)

    theirs = getattr(torch.optim, optimizer)
    steps = {"eager": made(OPTIMIZERS[optimizer]).step}
    if can_compile(device):
        ours = made(OPTIMIZERS[optimizer])
        ours.compile()
        ours.step()
        steps["compiled"] = ours.step
    steps |= {way: made(theirs, foreach=way == "foreach").step for way in ("loop", "foreach")}
    if optimizer in FUSED:
        steps["fused"] = made(theirs, fused=True).step
    for step in steps.values():
        step()
    return steps


@contextmanager
def all_cores() -> Iterator[None]:
    """Let the CPU use all of its cores in a block, and leave fresh memory as it is.

    The compiler settles the number of threads when it compiles, so do that in the block too.

    Example:
        >>> with all_cores():
        ...     torch.get_num_threads() == os.cpu_count()
        True
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(os.cpu_count() or 1)
    torch.use_deterministic_algorithms(False)  # which would fill all fresh memory first
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


@checked
def race(
    steps: Mapping[str, Step], *, rounds: Count = 5, seconds: Positive = 0.05
) -> dict[str, float]:
    """Time several steps in turns, so that what else the machine does meets all of them.

    Args:
        steps: what to time, by name.
        rounds: how often each has its turn, at least 1.
        seconds: about how long a turn takes.

    Returns:
        The median time of one call, in seconds, by name. On a GPU it is the time until the GPU is
        done.

    Example:
        >>> times = race({"short": lambda: sum(range(10)), "long": lambda: sum(range(10**5))})
        >>> times["short"] < times["long"]
        True
    """
    threads = torch.get_num_threads()
    timers = {
        name: Timer("step()", globals={"step": step}, num_threads=threads)
        for name, step in steps.items()
    }
    # The first call may be a slow one, and a turn of too few calls would measure the clock.
    first = {name: min(timer.timeit(1).median for _ in range(3)) for name, timer in timers.items()}
    calls = {name: max(1, int(seconds / each)) for name, each in first.items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer.timeit(calls[name]).median)
    return {name: median(each) for name, each in times.items()}


@checked
def in_place_product(num_bytes: Count, device: Device) -> Step:
    """Prepare a product that reads these bytes and overwrites them, as a step does."""
    buffer = torch.ones(num_bytes // 4, device=device)
    return lambda: buffer.mul_(1.0001)


@checked
def copy(num_bytes: Count, device: Device) -> Step:
    """Prepare a copy that reads half of these bytes and writes the other half."""
    source = torch.ones(num_bytes // 8, device=device)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


@checked
def page_faults(step: Step, *, calls: Count = 9) -> float:
    """Count how often one call touches a page of memory that it has not had before.

    The kernel then finds a page, fills it with zeros and hands it over, which takes longer than to
    read and write it. It counts them for all threads of the process; only Unix tells.

    Args:
        step: what to call. Its first two calls do not count, since they may ask for what later
            ones use again.
        calls: how many calls are counted, at least 1.

    Returns:
        The median over these calls: an allocator may give back memory once in a while.

    Example:
        >>> page_faults(lambda: None)
        0
    """
    import resource

    counts = [resource.getrusage(resource.RUSAGE_SELF).ru_minflt]
    for _ in range(2 + calls):
        step()
        counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
    return median(after - before for before, after in pairwise(counts[2:]))


class Passes(TorchDispatchMode):
    """Counts how many numbers per parameter are read and written by the operations in its block.

    Args:
        num_params: the size of the tensors that count; a tensor that an operation takes twice is
            read once.

    Example:
        >>> x = torch.ones(10)
        >>> with Passes(10) as passes:
        ...     _ = x * x + 1
        >>> passes.count
        4
    """

    @checked
    def __init__(self, num_params: Count) -> None:
        super().__init__()
        self.num_params, self.count = num_params, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Run an operation, and count what it read and wrote."""
        result = func(*args, **(kwargs or {}))
        read = tree_leaves((args, kwargs))
        if func is torch.ops.aten.copy_.default:
            read = read[1:]  # the target is only written
        if not func.is_view:
            self.count += sum(map(self._counts, [*_different(read), *tree_leaves(result)]))
        return result

    def _counts(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.numel() == self.num_params


def _different(values: list[Any]) -> list[Any]:
    return list({id(value): value for value in values}.values())
