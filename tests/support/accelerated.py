"""Processes that have the pretend accelerator: see ``pretend/pretend.py``."""

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("pretend")


def build() -> None:
    """Build the device, if it is not there; where it cannot be, say in a line why not."""
    built = subprocess.run([sys.executable, FOLDER / "pretend.py"], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr


def environment(counts: Path | None = None) -> dict[str, str]:
    """Make the environment of a process that has the device.

    Args:
        counts: the file that is to hold how many operations were made there and elsewhere.
    """
    path = os.pathsep.join(filter(None, [str(FOLDER), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path} | ({"PRETEND_COUNTS": str(counts)} if counts else {})


class Operations(NamedTuple):
    """How many operations gave a tensor of the device, and how many one of the CPU."""

    here: int
    elsewhere: int

    @property
    def share(self) -> float:
        return self.here / max(1, self.here + self.elsewhere)


def operations(counts: Path) -> Operations:
    return Operations(*struct.unpack("qq", counts.read_bytes()))
