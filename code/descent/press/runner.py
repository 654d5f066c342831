"""Executing a lab's notebook: what it takes, and running it whole or not at all."""

import ast
import contextlib
import errno
import fcntl
import glob
import json
import logging
import os
import shutil
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import papermill

from descent.press import pages, records

USAGE = """
import json, sys

if "torch" in sys.modules:
    from descent.runtime import usage

    print(json.dumps(usage()))
"""
"""A last cell, in which the kernel says what it used; it is taken out again."""
LOCK = "lock"
"""The file in a scratch folder that is locked for as long as its run lives."""


class Default(NamedTuple):
    """What a parameters cell says of a parameter: its value, and the comment beside it."""

    value: Any
    comment: str


class LabFailed(Exception):
    """A lab did not run to its end.

    Args:
        cause: one line.
        status: what the command that ran it should exit with.
    """

    def __init__(self, cause: str, status: int) -> None:
        super().__init__(cause)
        self.status = status


def defaults_of(notebook: Path) -> dict[str, Default]:
    """Read a lab's parameters from the cell that is tagged ``parameters``.

    Args:
        notebook: the notebook's file.

    Returns:
        Parameter name to its default, in the cell's order.

    Raises:
        ValueError: there is no notebook, or a default is not a plain literal.

    Example:
        >>> defaults_of(pages.notebook_of("gradient_descent_lab"))["seed"].value
        0
    """
    if not notebook.is_file():
        raise ValueError(f"there is no notebook {notebook}")
    try:
        found = papermill.inspect_notebook(_literal(notebook))
        return {
            name: Default(ast.literal_eval(each["default"]), each["help"])
            for name, each in found.items()
        }
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"cannot read {notebook}: {_first_line(error)}") from None


def execute(
    source: Path,
    target: Path,
    parameters: dict[str, Any],
    *,
    profile: str = "book",
    progress: bool = False,
) -> None:
    """Execute a notebook; ``target`` appears, or is replaced, once every cell has run.

    The executed notebook's metadata hold a record of the run, see :mod:`descent.press.records`. Of
    a run that ends early, what could be saved is kept beside ``target`` as ``.partial.ipynb``; the
    next run removes that.

    Args:
        source: the notebook to execute; its own folder is the working directory.
        target: the executed notebook.
        parameters: what to inject after the parameters cell.
        profile: the profile that they belong to, for the record.
        progress: draw a progress bar on the standard error.

    Raises:
        ValueError: ``target`` cannot be written; no kernel was started.
        LabFailed: a cell raised, the kernel died or did not start, the disk is full, or Ctrl-C was
            pressed.
    """
    partial = target.with_suffix(".partial.ipynb")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        _clear_what_a_killed_run_left(target)
        scratch = tempfile.TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent)
    except OSError as error:
        raise ValueError(f"{target.stem}: cannot write {target}: {error.strerror}") from None

    with scratch as folder, open(Path(folder, "unlocked"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.rename(lock.name, Path(folder, LOCK))  # a neighbour never sees it there and not locked
        draft = Path(folder, target.name)
        status = 1
        try:
            cause = _run(source, draft, parameters, profile, progress)
        except KeyboardInterrupt:
            cause, status = "interrupted", 130
        if cause is None:
            draft.replace(target)
            return
        if _keep(draft, partial):
            cause += f"; what ran is in {partial}"
        raise LabFailed(f"{target.stem}: {cause}", status)


def _clear_what_a_killed_run_left(target: Path) -> None:
    """Remove the scratch folders of runs into ``target`` that no process works in any more."""
    for folder in target.parent.glob(f".{glob.escape(target.stem)}-*/"):
        try:
            with open(folder / LOCK, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
        except OSError:  # in use, or just being made
            continue


def _run(
    source: Path, draft: Path, parameters: dict[str, Any], profile: str, progress: bool
) -> str | None:
    """Execute into ``draft`` and say why it failed, if it did."""
    # What they log is also raised to us, and asyncio logs the task that Ctrl-C cuts off.
    for noisy in ("papermill", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    try:
        longer = nbformat.read(source, as_version=4)
        longer.cells.append(nbformat.v4.new_code_cell(USAGE))
        prepared = draft.with_suffix(".source.ipynb")
        nbformat.write(longer, prepared)
        begun = time.monotonic()
        executed = papermill.execute_notebook(
            _literal(prepared),
            _literal(draft),
            parameters,
            progress_bar={"desc": draft.stem} if progress else False,
            cwd=source.parent,
            # A kernel that is done has nothing to save; asking it to leave takes a second.
            shutdown_kernel="immediate",
            # At each start it warns that its messages, which stay on this machine, are in clear.
            extra_arguments=["--log-level=ERROR"],
        )
        for path in ("input_path", "output_path"):  # this machine's: not for a published notebook
            del executed.metadata.papermill[path]
        seconds = time.monotonic() - begun
        # A line may come in several messages. What was computed is worth more than its record.
        said = executed.cells.pop().outputs
        usage = "".join(each.text for each in said if each.get("name") == "stdout")
        with contextlib.suppress(TypeError, ValueError):
            record = records.from_run(
                source.stem, profile, json.loads(usage), seconds, source.parent
            )
            executed.metadata["descent"] = asdict(record)
        nbformat.write(executed, draft)
    except papermill.PapermillExecutionError as error:
        return pages.raised(error.exec_count, error.ename, error.evalue)
    except OSError as error:
        return f"{error.strerror}: {error.filename or draft.parent.parent}"
    # How nbclient says that the kernel died, and jupyter_client that there is none of its name.
    except (RuntimeError, KeyError) as error:
        return _first_line(error)
    faults = pages.faults_of(draft)  # papermill takes sys.exit(0) for a success
    return faults[0] if faults else None


def _keep(draft: Path, partial: Path) -> bool:
    """Put what ran in its place, and say whether there was a whole notebook to put there."""
    try:
        notebook = nbformat.read(draft, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if cell.source != USAGE]
        nbformat.write(notebook, draft)
        draft.replace(partial)
    except (OSError, ValueError):  # absent, or cut off by a full disk
        return False
    return True


def _literal(path: Path) -> str:
    # papermill fills in what stands in braces.
    return str(path.absolute()).replace("{", "{{").replace("}", "}}")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
