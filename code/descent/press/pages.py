"""From executed labs to the rendered book: which labs there are, whether they ran, staging."""

from pathlib import Path

import yaml
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

ROOT = Path(__file__).resolve().parents[3]
"""The checkout that holds ``_toc.yml``, ``book/`` and this package."""


def labs_in_toc(root: Path = ROOT) -> list[str]:
    """List the labs of the book, in the order in which it is read.

    Args:
        root: the folder that holds ``_toc.yml``.

    Returns:
        Their names, such as ``"gradient_descent_lab"``.

    Raises:
        ValueError: the table of contents is missing or malformed.

    Example:
        >>> "gradient_descent_lab" in labs_in_toc()
        True
    """
    toc = root / "_toc.yml"
    if not toc.is_file():
        raise ValueError(f"there is no _toc.yml in {root}; the labs are part of a checkout")

    try:
        names = [Path(page).name for page in parse_toc_yaml(toc)]
    except (MalformedError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read {toc}: {_first_line(str(error))}") from None
    return [name for name in names if name.endswith("_lab")]


def notebook_of(lab: str, root: Path = ROOT) -> Path:
    """Say where a lab's notebook is.

    Example:
        >>> notebook_of("gradient_descent_lab", Path()).as_posix()
        'book/gradient_descent_lab.ipynb'
    """
    return root / "book" / f"{lab}.ipynb"


def faults_of(executed: Path) -> list[str]:
    """Say why an executed notebook cannot be published.

    Args:
        executed: the notebook's file.

    Returns:
        One line for each code cell that did not run or that ended in an error; empty if the
        notebook ran to its end.
    """
    import nbformat  # takes a second, and only the gate needs it

    try:
        notebook = nbformat.read(executed, as_version=4)
    except ValueError:
        return ["not a whole notebook"]
    faults = []
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        if cell.execution_count is None:
            faults.append(f"a cell did not run: {_first_line(cell.source)}")
        errors = [output for output in cell.outputs if output.output_type == "error"]
        faults += [raised(cell.execution_count, error.ename, error.evalue) for error in errors]
    return faults


def raised(execution_count: int, name: str, value: str) -> str:
    """Say in one line that a cell raised an error.

    Example:
        >>> raised(3, "ValueError", "must be positive\\nand it is not")
        'cell [3] raised ValueError: must be positive'
    """
    return f"cell [{execution_count}] raised {name}: {_first_line(value)}".removesuffix(": ")


def check_executed(executed: Path, root: Path = ROOT) -> None:
    """Check that every lab of the book, and nothing else, has been executed to its end.

    Args:
        executed: the folder of executed notebooks.
        root: the folder that holds ``_toc.yml``.

    Raises:
        ValueError: something is missing, left over or failed; one line each.
    """
    labs = labs_in_toc(root)
    found = {file.stem: file for file in sorted(executed.glob("*.ipynb"))}
    faults = [f"{lab}: not executed" for lab in labs if lab not in found]
    for name, file in found.items():
        if name in labs:
            faults += [f"{name}: {fault}" for fault in faults_of(file)]
        elif name.endswith(".partial"):
            faults.append(f"{name.removesuffix('.partial')}: its last run failed, see {file}")
        else:
            faults.append(f"{name}: not in _toc.yml; remove {file}")
    if faults:
        raise ValueError("\n".join(faults))


def stage(executed: Path, site: Path, root: Path = ROOT) -> None:
    """Lay out the book's sources with the executed labs in place of the bare ones.

    Args:
        executed: the folder of executed notebooks, already checked.
        site: the folder to fill; files in it that the book no longer has are removed.
        root: the folder that holds ``_config.yml``, ``_toc.yml`` and ``book/``.
    """
    labs = labs_in_toc(root)
    sources = {Path("_toc.yml"): root / "_toc.yml"}
    for file in sorted((root / "book").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            sources[file.relative_to(root)] = file
    for lab in labs:
        sources[notebook_of(lab, Path())] = executed / f"{lab}.ipynb"

    config = yaml.safe_load((root / "_config.yml").read_text())
    config["execute"] = {"execute_notebooks": "off"}
    site.mkdir(parents=True, exist_ok=True)
    _write_if_changed(site / "_config.yml", yaml.safe_dump(config, sort_keys=False).encode())
    for relative, source in sources.items():
        _write_if_changed(site / relative, source.read_bytes())
    for file in sorted((site / "book").rglob("*")):
        if file.is_file() and file.relative_to(site) not in sources:
            file.unlink()


def _write_if_changed(file: Path, content: bytes) -> None:
    # Sphinx reads again what has a new time stamp.
    if not file.is_file() or file.read_bytes() != content:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
