"""A throw-away checkout with one lab, which the tests of the command line write and run."""

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

import nbformat
import psutil

from descent.press import pages

LAB = "tiny_lab"
HERE = str(Path(__file__).parent)  # where its parameters are
RUN = "import sys; from descent import chapters; from descent.press import cli; "
RUN += f"chapters.__path__.append({HERE!r}); sys.exit(cli.main())"
COMMAND = [sys.executable, "-c", RUN]


def write_lab(root: Path, *cells: str) -> Path:
    """Make a checkout whose one lab runs ``cells`` after its parameters; return its folder."""
    parameters = 'lr = 0.1  # step length, a number in (0, 2.5]\nseed = 3\ndevice = "cpu"'
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *map(nbformat.v4.new_code_cell, cells),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}},
    )
    (root / "book").mkdir(parents=True, exist_ok=True)
    toc = f"format: jb-book\nroot: book/index\nchapters: [file: book/{LAB}]\n"
    (root / "_toc.yml").write_text(toc)
    nbformat.write(notebook, pages.notebook_of(LAB, root))
    return root


def printed(file: Path) -> str:
    """Join what an executed notebook's cells printed."""
    cells = nbformat.read(file, as_version=4).cells
    return "".join(output.text for cell in cells for output in cell.outputs if "text" in output)


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def wait_for(condition: Callable[[], object], what: str) -> None:
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"no {what} after a minute")


def at_work(root: Path) -> set[int]:
    """Find the kernels of a checkout, by the folder in which they work, and their runners."""
    found = set()
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd() == f"{root}/book":
                found.add(process.pid)
        except psutil.Error:  # gone by now, or another user's
            continue
    return found


NURSERY = f"""
import json, os, sys
from descent import chapters
from descent.press import cli, runner

chapters.__path__.append({HERE!r})
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        _, status = os.waitpid(asked["wait"], 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
        continue
    child = os.fork()
    if not child:
        said = os.open(asked["said"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        exec(asked["first"])
        sys.exit(cli.main(asked["arguments"]))
    print(child, flush=True)
"""


class Started(NamedTuple):
    """A run at work, and the file that holds what it says."""

    pid: int
    said: Path


class Nursery:
    """Runs of ``descent run``, side by side, that need not import again what takes seconds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = itertools.count()

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", NURSERY]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def _ask(self, **what: object) -> int:
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def start(self, root: Path, out: Path | None = None, first: str = "") -> Started:
        """Run a checkout's lab.

        Args:
            root: the checkout.
            out: the folder for the result, by default ``out`` in the checkout.
            first: Python to run before, in the same process.
        """
        said = self.folder / f"said {next(self.number)}"
        arguments = ["--root", str(root), "run", LAB, "-o", str(out or root / "out")]
        return Started(self._ask(arguments=arguments, said=str(said), first=first), said)

    def end(self, run: Started) -> tuple[int, str]:
        """Wait for a run to end; return its status, and what it said."""
        return self._ask(wait=run.pid), run.said.read_text()
