"""From executed labs to the rendered book: which labs there are, whether they ran, staging."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import yaml
from sphinx_external_toc.api import SiteMap
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
    return [name for name in map(_name, _sitemap(root)) if name.endswith("_lab")]


def chapters_in_toc(root: Path = ROOT) -> dict[str, list[str]]:
    """List the pages of each chapter's derivation, in the order in which they are read.

    A chapter is a page that has a lab, and whatever else ``_toc.yml`` nests under that page.

    Args:
        root: the folder that holds ``_toc.yml``.

    Returns:
        The names of the pages by the name of the chapter, which is that of its first page.

    Raises:
        ValueError: the table of contents is missing or malformed.

    Example:
        >>> chapters_in_toc()["momentum"]
        ['momentum', 'momentum_limits']
    """
    chapters = {}
    for page, document in _sitemap(root).items():
        nested = [_name(child) for child in document.child_files()]
        lab = f"{_name(page)}_lab"
        if lab in nested:
            chapters[_name(page)] = [_name(page), *(name for name in nested if name != lab)]
    return chapters


def chapter_of(page: str, root: Path = ROOT) -> str | None:
    """Say to which chapter a page belongs.

    Args:
        page: its name.
        root: the folder that holds ``_toc.yml``.

    Returns:
        The name of the chapter; None if the page is of none.

    Example:
        >>> chapter_of("momentum_limits")
        'momentum'
    """
    chapters = chapters_in_toc(root)
    return next((name for name, pages in chapters.items() if page in pages), None)


def _sitemap(root: Path) -> SiteMap:
    toc = root / "_toc.yml"
    if not toc.is_file():
        raise ValueError(f"there is no _toc.yml in {root}; the labs are part of a checkout")

    try:
        return parse_toc_yaml(toc)
    except (MalformedError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read {toc}: {_first_line(str(error))}") from None


def _name(page: str) -> str:
    return Path(page).name


def notebook_of(lab: str, root: Path = ROOT) -> Path:
    """Say where a lab's notebook is.

    Example:
        >>> notebook_of("gradient_descent_lab", Path()).as_posix()
        'book/gradient_descent_lab.ipynb'
    """
    return root / "book" / f"{lab}.ipynb"


def read_notebook(file: Path) -> dict[str, Any]:
    """Read a notebook's JSON, without a check of more than its outline.

    Raises:
        ValueError: the file holds no notebook.

    Example:
        >>> list(read_notebook(notebook_of("losses_lab")))
        ['cells', 'metadata', 'nbformat', 'nbformat_minor']
    """
    try:
        notebook = json.loads(file.read_text(encoding="utf-8"))
        parts = [notebook, *notebook["cells"]]
        whole = all(isinstance(part["metadata"], dict) for part in parts)
        for cell in notebook["cells"]:
            outputs = cell["outputs"] if cell["cell_type"] == "code" else []
            whole &= all(isinstance(output, dict) for output in outputs)
    except (KeyError, TypeError, ValueError):
        whole = False
    if not whole:
        raise ValueError(f"{file} does not hold a whole notebook")
    return notebook


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
        read_notebook(executed)
    except ValueError as error:
        return [str(error)]
    notebook = nbformat.read(executed, as_version=4)
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


def unsaid(lab: str, root: Path = ROOT) -> list[str]:
    """Say where a lab's figures and their captions disagree about what a figure shows.

    A lab hands over each figure of its chapter, on whichever page, with
    ``lab.figure(name, fig, says={...})``, and so asserts every sentence of their alternative texts
    and captions.

    Args:
        lab: its name.
        root: the folder that holds ``_toc.yml`` and ``book/``.

    Returns:
        One line for each sentence that one of the two lacks, and for each figure.
    """
    pages = chapters_in_toc(root).get(lab.removesuffix("_lab"), [])
    files = [root / "book" / f"{page}.md" for page in pages]
    printed = {}
    for file in files:
        if file.is_file():
            printed |= sentences_of(file.read_text(encoding="utf-8"))
    said = _said(notebook_of(lab, root))
    faults = []
    for figure, sentences in printed.items():
        asserted = said.get(figure)
        if asserted is None:
            faults.append(f"{lab}: nothing is asserted of {figure}")
            continue
        faults += [f"{lab}: {figure}: not asserted: {each}" for each in sentences - asserted]
        faults += [f"{lab}: {figure}: not printed: {each}" for each in asserted - sentences]
    return faults + [f"{lab}: {figure}: not printed" for figure in said.keys() - printed.keys()]


def sentences_of(page: str) -> dict[str, set[str]]:
    """Read what a page says of its figures: the sentences of alternative texts and captions.

    Args:
        page: the page's text.

    Returns:
        The sentences of each figure of a lab, by the figure's name.

    Example:
        >>> page = "```{lab-figure} gd-fig\\n:alt: It falls.\\n\\nOne run. Dashed: theory.\\n```"
        >>> sorted(sentences_of(page)["gd-fig"])
        ['Dashed: theory.', 'It falls.', 'One run.']
    """
    found = {}
    for name, body in re.findall(r"(?ms)^```\{lab-figure\} (\S+)\n(.*?)^```$", page):
        alt, caption = re.fullmatch(
            r"(?s)(?:.*?:alt: ([^\n]*)\n)?(?::[^\n]*\n)*(.*)", body
        ).groups()
        text = f"{alt or ''} {caption}"
        found[name] = set(re.split(r"(?<=[.?!])\s+(?=[A-Z$])", " ".join(text.split())))
    return found


def _said(notebook: Path) -> dict[str, set[str]]:
    """Read from a lab which sentences it asserts, figure by figure."""
    cells = read_notebook(notebook)["cells"]
    said = {}
    for source in ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"):
        if "lab.figure(" not in source:
            continue
        for call in ast.walk(ast.parse(source)):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "lab.figure":
                (says,) = (each.value for each in call.keywords if each.arg == "says")
                said[call.args[0].value] = {key.value for key in says.keys}
    return said


def stage(executed: Path, site: Path, root: Path = ROOT, claims: Path | None = None) -> None:
    """Lay out the book's sources with the executed labs in place of the bare ones.

    Args:
        executed: the folder of executed notebooks, already checked.
        site: the folder to fill; files in it that the book no longer has are removed.
        root: the folder that holds ``_config.yml``, ``_toc.yml`` and ``book/``.
        claims: the file with what the tests of claims measured, if there is one.

    Raises:
        ValueError: a chapter says something of a figure that its lab does not assert.
    """
    labs = labs_in_toc(root)
    faults = [fault for lab in labs for fault in unsaid(lab, root)]
    if faults:
        raise ValueError("\n".join(faults))
    sources = {Path("_toc.yml"): root / "_toc.yml"}
    for file in sorted((root / "book").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            sources[file.relative_to(root)] = file
    if claims:
        sources[Path("claims.json")] = claims
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
