"""Seed and device, what a run needs before its first tensor; and what it used, at its end."""

import datetime
import hashlib
import os
import platform
import random
import re
import resource
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from descent._signatures import Device, Seed, checked


@checked
def resolve_device(name: Device) -> torch.device:
    """Turn ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"cuda:1"`` into a device that is there.

    Args:
        name: ``"auto"`` takes the first CUDA device, or the CPU where there is none. Every other
            accelerator that PyTorch finds, such as ``"xpu"``, has to be named. It may be a
            :class:`torch.device` as well.

    Returns:
        The device.

    Raises:
        TypeError: ``name`` is neither a string nor a device.
        ValueError: PyTorch knows no accelerator of this name, or it is not on this machine.

    Example:
        >>> resolve_device("cpu")
        device(type='cpu')
    """
    name = str(name) if isinstance(name, torch.device) else name
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    module = getattr(torch, kind, None)
    known = kind != "cpu" and hasattr(module, "device_count")
    if not (known and re.fullmatch(r"[a-z]+(:[0-9]+)?", name)):
        raise ValueError(
            f"device must be 'auto', 'cpu' or an accelerator, as 'cuda' or 'cuda:1', got {name!r}"
        )
    count = module.device_count() if module.is_available() else 0
    if int(index or 0) >= count:
        raise ValueError(
            f"device {name!r} is not on this machine, which has {count} {kind.upper()} devices"
        )
    return torch.device(name)


@checked
def seed_everything(seed: Seed) -> None:
    """Seed Python, NumPy and PyTorch, and ask PyTorch for algorithms that repeat.

    One CPU thread is used: the book's tensors are small, so more threads cost more than they
    give, and a sum then has the same order, hence the same last digit, on every machine.

    Args:
        seed: an integer in [0, 2**32).

    Raises:
        TypeError: ``seed`` is not an integer.
        ValueError: ``seed`` is negative, or 2**32 or more.

    Example:
        >>> seed_everything(0)
        >>> first = torch.rand(3)
        >>> seed_everything(0)
        >>> torch.equal(first, torch.rand(3))
        True
    """
    random.seed(int(seed))
    np.random.seed(seed)  # noqa: NPY002 - libraries that draw from the global generator
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    # cuBLAS repeats its sums only with a fixed workspace, which it reads from the environment.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)


@checked
def stream(seed: Seed, name: str) -> np.random.SeedSequence:
    """Return the source of one of the random streams that a single seed feeds.

    Two generators with one seed draw the same numbers, and ``seed``, ``seed + 1``, ... are those
    of another run that was given ``seed + 1``. Streams that differ in seed or in name have
    nothing in common.

    Args:
        seed: an integer in [0, 2**32).
        name: what the numbers are for. The same name gives the same stream, in every process.

    Returns:
        A sequence whose ``generate_state(count)`` gives integers in [0, 2**32), each the seed of
        a generator. More of them begin with the fewer.

    Raises:
        TypeError: ``seed`` is not an integer, or ``name`` no string.
        ValueError: ``seed`` is negative, or 2**32 or more.

    Example:
        >>> stream(0, "noise").generate_state(2).tolist()
        [4248926844, 4043300684]
        >>> stream(0, "start").generate_state(2).tolist()
        [145915549, 3670591357]
    """
    digest = hashlib.sha256(name.encode()).digest()
    key = tuple(np.frombuffer(digest, dtype="<u4").tolist())
    return np.random.SeedSequence(int(seed), spawn_key=key)


def usage() -> dict[str, Any]:
    """Say on what this process has run, and how much memory it took.

    Returns:
        ``device``, the name of the first accelerator if tensors were on any, or else of the
        processor; ``memory`` and ``device_memory``, the most that the process and its tensors on
        accelerators held, in bytes; ``torch`` and ``python``, versions; ``date``, today's.

    Example:
        >>> used = usage()
        >>> used["memory"] > 10_000_000, used["python"] == platform.python_version()
        (True, True)
    """
    accelerator = _accelerator()
    indices = range(accelerator.device_count() if accelerator else 0)
    held = {index: accelerator.max_memory_allocated(index) for index in indices}
    first = next((index for index, size in held.items() if size), None)
    return {
        "device": _processor() if first is None else accelerator.get_device_name(first),
        "memory": _peak_memory(),
        "device_memory": sum(held.values()),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "date": datetime.date.today().isoformat(),
    }


def _peak_memory() -> int:
    # What Linux gives as `ru_maxrss` is at least what the parent held when it started this process.
    status = Path("/proc/self/status")
    told = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.is_file() else None
    if told:
        return int(told[1]) * 1024
    # macOS counts in bytes, others in KiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _accelerator() -> ModuleType | None:
    """Find the accelerator of this machine that keeps accounts of its memory: CUDA, mostly."""
    if torch.cuda.is_available():
        return torch.cuda
    found = torch.accelerator.current_accelerator()
    module = found and getattr(torch, found.type)
    return module if hasattr(module, "get_device_name") else None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as facts:
            models = [line.partition(":")[2].strip() for line in facts if "model name" in line]
    except OSError:
        models = []
    name = models[0] if models else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
