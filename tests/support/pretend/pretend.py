"""A pretend accelerator for PyTorch, on any machine: a tensor in the wrong place is refused.

With this folder on ``PYTHONPATH``, PyTorch finds the device ``pretend`` as it finds any maker's,
by the entry point in ``pretend-1.dist-info``. This file, run as a program, builds it first.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import torch

SOURCE = Path(__file__).with_name("pretend.cpp")
BUILD = Path(__file__).parents[3] / "build" / "pretend"


def library() -> Path:
    """Say where the device is when it is built: a place for each source and PyTorch."""
    made_of = SOURCE.read_bytes() + Path(__file__).read_bytes() + torch.__version__.encode()
    return BUILD / f"{hashlib.sha256(made_of).hexdigest()[:16]}.so"


def build() -> Path:
    """Build the device, if it is not there."""
    target = library()
    if target.exists():
        return target
    from torch.utils import cpp_extension

    named = os.environ.get("CXX")
    compiler = next(filter(None, map(shutil.which, [named] if named else ["g++", "clang++"])), None)
    if compiler is None:
        raise SystemExit(f"pretend: needs a C++ compiler, {named or 'g++ or clang++'}, to be built")
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        Path(folder, "takes_numbers.inc").write_text(
            "".join(f'"aten::{name}",\n' for name in take_numbers())
        )
        command = [compiler, "-std=c++20", "-O2", "-shared", "-fPIC", "-w", SOURCE, "-I", folder]
        command += [f"-I{path}" for path in cpp_extension.include_paths()]
        command += [f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}"]
        command += [f"-L{path}" for path in cpp_extension.library_paths()]
        command += ["-ltorch_cpu", "-lc10", "-o", Path(folder, "made.so")]
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            raise SystemExit(f"pretend: {compiler} failed:\n{made.stderr[-4000:]}")
        Path(folder, "made.so").replace(target)
    return target


def take_numbers() -> list[str]:
    """List the operations that CUDA does not refuse a tensor of the CPU outright."""
    import torchgen

    table = Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml"
    entries = table.read_text(encoding="utf-8").split("\n- func: ")[1:]
    return [
        re.match(r"[\w.]+", entry)[0] for entry in entries if "\n  device_check: NoCheck" in entry
    ]


def load() -> None:
    """Register the device; PyTorch calls it at the end of its import."""
    if sys.modules.get("__main__") and getattr(sys.modules["__main__"], "__file__", "") == __file__:
        return  # it is being built
    if not library().exists():
        raise FileNotFoundError(f"it is not built: {sys.executable} {__file__} builds it")
    torch.ops.load_library(library())
    torch.utils.rename_privateuse1_backend("pretend")
    torch._register_device_module("pretend", _module())
    torch.utils.generate_methods_for_privateuse1_backend()


def _module() -> ModuleType:
    """Make what PyTorch asks for as ``torch.pretend``."""
    module = ModuleType("torch.pretend")
    module.is_available = lambda: True
    module.device_count = lambda: 1
    module.current_device = lambda: 0
    module.get_device_name = lambda device=None: "a pretend accelerator"
    module.max_memory_allocated = lambda device=None: torch.ops.pretend.peak()
    module.get_amp_supported_dtype = lambda: [torch.bfloat16, torch.float16]
    module._is_in_bad_fork = lambda: False
    module.manual_seed_all = torch.ops.pretend.seed
    return module


if __name__ == "__main__":
    print(build())
