"""What executed labs say of themselves: where they ran, for how long, and what held."""

import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_type_hints

from descent._files import replacing
from descent.press import pages

MEMORY = 2**30
"""What a lab may hold at the size of the book, in bytes: services that lend a machine lend two."""


@dataclass(frozen=True)
class Record:
    """One run of one lab.

    Args:
        lab: its name.
        profile: ``"smoke"``, ``"book"`` or ``"gpu"``.
        device: the name of the GPU on which it had tensors, or else of the processor.
        seconds: from the first cell to the last.
        memory: the most that the process held, in bytes.
        device_memory: the most that its tensors held on accelerators, in bytes; 0 if none did.
        torch: PyTorch's version.
        python: Python's version.
        commit: of the checkout, ``""`` where there is none.
        date: the day on which it ended, as ``"2026-01-31"``.
    """

    lab: str
    profile: str
    device: str
    seconds: float
    memory: int
    device_memory: int
    torch: str
    python: str
    commit: str
    date: str


def read(executed: Path) -> Record | None:
    """Read the record that ``descent run`` keeps in an executed notebook.

    Args:
        executed: the notebook's file.

    Returns:
        The record, or ``None`` if the notebook was executed by something else.

    Raises:
        ValueError: the file holds no notebook, or its record is damaged.
    """
    kept = pages.read_notebook(executed)["metadata"].get("descent")
    if kept is None:
        return None
    try:
        return _record(kept)
    except TypeError as error:
        raise ValueError(f"the record in {executed} is damaged: {error}") from None


def collect(folder: Path, root: Path = pages.ROOT) -> list[Record]:
    """Read the records of all labs of the book in a folder, in the order of the book.

    Args:
        folder: of executed notebooks.
        root: the folder that holds ``_toc.yml``.
    """
    files = [folder / f"{lab}.ipynb" for lab in pages.labs_in_toc(root)]
    return [record for file in files if file.is_file() and (record := read(file))]


def write(records: Iterable[Record], file: Path) -> None:
    """Write records as JSON; the file appears, or is replaced, whole.

    Raises:
        ValueError: there are no records.
    """
    rows = [asdict(record) for record in records]
    if not rows:
        raise ValueError(f"there is nothing to write to {file}: no executed lab has a record")
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as draft:
        draft.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def load(file: Path) -> list[Record]:
    """Read back what :func:`write` wrote.

    Raises:
        ValueError: the file holds something else.
    """
    try:
        return [_record(row) for row in json.loads(file.read_text(encoding="utf-8"))]
    except (TypeError, ValueError):
        raise ValueError(f"{file} does not hold the records of runs") from None


def _record(row: Any) -> Record:
    """Make a record of what JSON gave; a TypeError says what is not as it should be."""
    if not isinstance(row, dict):
        raise TypeError(f"a {type(row).__name__} in place of an object")
    record = Record(**row)
    for name, kind in get_type_hints(Record).items():
        value = getattr(record, name)
        kinds = (int, float) if kind is float else kind
        if not isinstance(value, kinds) or isinstance(value, bool):
            wanted = "a number" if kind is float else f"of type {kind.__name__}"
            raise TypeError(f"{name} must be {wanted}, got {value!r}")
    return record


def claims_of(notebook: Path) -> list[str]:
    """List the lines that a notebook's checks printed, as ``"holds: ..."``.

    Args:
        notebook: executed, or a source, which keeps the lines of its run on the CPU.
    """
    cells = pages.read_notebook(notebook)["cells"]
    printed = "".join(
        "".join(output.get("text", ""))
        for cell in cells
        if "nbval-check-output" in cell["metadata"].get("tags", [])
        for output in cell["outputs"]
    )
    return [line for line in printed.splitlines() if line.startswith(("holds: ", "not judged"))]


def faults_of(lab: str, folder: Path, device: str, root: Path = pages.ROOT) -> list[str]:
    """Say in what a lab's run falls short of the run on the CPU that its source keeps.

    Each check states its own tolerance, against theory, and raises where that does not hold. So a
    run agrees with the CPU's if it made the same checks, and judged each that the CPU judged.
    Numbers in their wording may differ, since a larger run has other sizes. At the size of the
    book a lab may hold no more than :data:`MEMORY`.

    Args:
        lab: its name.
        folder: of executed notebooks.
        device: ``"cpu"`` or ``"cuda"``, where its tensors had to be.
        root: the folder that holds ``book/``.

    Returns:
        One line per fault.
    """
    executed = folder / f"{lab}.ipynb"
    if not executed.is_file():
        partial = executed.with_suffix(".partial.ipynb")
        if partial.is_file() and (faults := pages.faults_of(partial)):
            return [faults[0]]
        return ["not executed"]
    if faults := pages.faults_of(executed):
        return faults
    try:
        record = read(executed)
    except ValueError as error:
        return [str(error)]
    if record is None:
        return ["not executed by `descent run`"]
    if record.profile == "book" and record.memory > MEMORY:
        taken, allowed = (f"{size / 2**30:.2f} GiB" for size in (record.memory, MEMORY))
        faults.append(f"held {taken} of memory, more than the {allowed} that a lab may hold")
    if device == "cuda" and not record.device_memory:
        faults.append(f"no tensor was on a CUDA device; it ran on {record.device}")
    kept, found = (claims_of(file) for file in (pages.notebook_of(lab, root), executed))
    if [_wording(line) for line in kept] != [_wording(line) for line in found]:
        faults.append(f"made {len(found)} checks, other than the {len(kept)} that its source keeps")
    else:
        faults += [
            f"did not judge what the CPU judges: {line.partition(': ')[2]}"
            for line, here in zip(kept, found, strict=True)
            if line.startswith("holds") and not here.startswith("holds")
        ]
    return faults


def verify(folder: Path, labs: Sequence[str], device: str, root: Path = pages.ROOT) -> None:
    """Check that labs ran to their end on a device, and made there the checks they make here.

    Args:
        folder: of executed notebooks.
        labs: their names.
        device: ``"cpu"`` or ``"cuda"``.
        root: the folder that holds ``book/``.

    Raises:
        ValueError: something is missing or falls short; one line each.
    """
    _check_that_there_are(folder, labs)
    faults = [f"{lab}: {fault}" for lab in labs for fault in faults_of(lab, folder, device, root)]
    if faults:
        raise ValueError("\n".join(faults))


def table(folder: Path, labs: Sequence[str], device: str, root: Path = pages.ROOT) -> str:
    """Tabulate runs in Markdown: lab, device, seconds, peak memory, and whether all is well.

    Args:
        folder: of executed notebooks.
        labs: their names, a row for each.
        device: as in :func:`verify`.
        root: the folder that holds ``book/``.

    Raises:
        ValueError: there is no such folder, or no lab.
    """
    _check_that_there_are(folder, labs)
    lines = ["| lab | device | seconds | peak memory | result |", "|:--|:--|--:|--:|:--|"]
    for lab in labs:
        faults = faults_of(lab, folder, device, root)
        executed = folder / f"{lab}.ipynb"
        record = read(executed) if executed.is_file() and not faults else None
        facts = (record.device, f"{record.seconds:.1f}", memory(record)) if record else ("", "", "")
        lines.append(" | ".join([f"| {lab}", *facts, f"{faults[0] if faults else 'passed'} |"]))
    return "\n".join(lines)


def _check_that_there_are(folder: Path, labs: Sequence[str]) -> None:
    if not labs:
        raise ValueError("there is no lab in _toc.yml")
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")


def memory(record: Record) -> str:
    """Print the peak memory of a run: that of its device.

    Example:
        >>> facts = dict(lab="a_lab", profile="gpu", device="a GPU", seconds=1.0, torch="2.13.0")
        >>> facts |= dict(python="3.11.7", commit="", date="2026-01-31")
        >>> memory(Record(memory=500_000_000, device_memory=2_340_000_000, **facts))
        '2.34 GB'
        >>> memory(Record(memory=500_000_000, device_memory=0, **facts))
        '0.50 GB'
    """
    return f"{(record.device_memory or record.memory) / 1e9:.2f} GB"


def commit_of(folder: Path) -> str:
    """Name a checkout's commit, with a ``+`` if files were changed since; ``""`` without git."""
    try:
        said = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--exclude", "*", "--dirty=+"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.strip()


def _wording(line: str) -> str:
    claim = line.partition(": ")[2]
    return re.sub(r"[-−]?\d[\d.,]*(e[-+−]?\d+)?", "#", claim)


def from_run(lab: str, profile: str, usage: dict[str, Any], seconds: float, folder: Path) -> Record:
    """Make the record of a run from what :func:`descent.runtime.usage` said in its kernel.

    Args:
        lab: its name.
        profile: the profile's.
        usage: what the kernel said at its end.
        seconds: how long it ran.
        folder: in the checkout.
    """
    return Record(
        lab=lab, profile=profile, seconds=round(seconds, 1), commit=commit_of(folder), **usage
    )
