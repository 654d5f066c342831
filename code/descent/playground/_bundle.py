"""The modules in ``web/``, as they are or as scripts.

A browser takes no modules from a file on disk, and a notebook has no place to serve them from, so
both get scripts, made here: each module a function, in the order of their imports. A notebook's
output holds all that its figure needs; the pages of the book share what several figures need.
"""

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

from descent._signatures import checked
from descent.playground._description import description
from descent.playground._registry import FIGURES

WEB = Path(__file__).parent / "web"
DESCRIPTION = "description.js"
SHARED = "shared"
HOLDER = "globalThis.descentPlayground"

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)


@cache
def modules() -> dict[str, str]:
    """Return the text of each module, with that of the description, which Python writes.

    Example:
        >>> modules()["description.js"][:26]
        'export const DESCRIPTION ='
    """
    found = {file.name: file.read_text(encoding="utf-8") for file in sorted(WEB.glob("*.js"))}
    # In a script `</` could end it, and in JSON `<\\/` says the same.
    data = json.dumps(description(), allow_nan=False).replace("</", "<\\/")
    return found | {DESCRIPTION: f"export const DESCRIPTION = {data};\n"}


@checked
def write_modules(folder: Path) -> None:
    """Write the modules into a folder, for a page that a server hands out.

    Args:
        folder: is made if it is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_modules(Path(folder))
        ...     (Path(folder) / "rules.js").exists()
        True
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in modules().items():
        (folder / name).write_text(text, encoding="utf-8")


@cache
def script(figure: str) -> str:
    """Return the script that starts every figure of one kind that stands in the document.

    Args:
        figure: its name, that of its module.

    Example:
        >>> script("ravine").startswith('"use strict"')
        False
    """
    return f"{_called(_functions(_needed(figure)))};\n"


@checked
def write_scripts(folder: Path) -> None:
    """Write the scripts of the book's pages: one that all share, and one for each figure.

    Args:
        folder: is made if it is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_scripts(Path(folder))
        ...     len((Path(folder) / "ravine.js").read_text()) < len(script("ravine"))
        True
    """
    folder.mkdir(parents=True, exist_ok=True)
    common = shared()
    variables = "{ " + ", ".join(map(_variable, common)) + " }"
    # A page with two kinds of figures has its element twice.
    made = _called(f"{_functions(common)}return {variables};\n")
    (folder / f"{SHARED}.js").write_text(f"{HOLDER} ??= {made};\n", encoding="utf-8")
    for figure in FIGURES:
        own = [name for name in _needed(figure) if name not in common]
        made = _called(f"const {variables} = {HOLDER};\n{_functions(own)}")
        (folder / f"{figure}.js").write_text(f"{made};\n", encoding="utf-8")


def shared() -> list[str]:
    """Name the modules that more than one figure needs, each after what it imports itself.

    Example:
        >>> "elements.js" in shared(), "ravine.js" in shared()
        (True, False)
    """
    found = [name for figure in FIGURES for name in _needed(figure)]
    return [name for name, times in Counter(found).items() if times > 1]


def _needed(figure: str) -> list[str]:
    """Name a figure's module and all that it imports, each after what it imports itself."""
    texts = modules()
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        for _, needed in _IMPORT.findall(texts[name]):
            if needed not in ordered:
                visit(needed)
        ordered[name] = None

    visit(f"{figure}.js")
    return list(ordered)


def _called(body: str) -> str:
    return f'(() => {{\n"use strict";\n{body}}})()'


def _functions(names: list[str]) -> str:
    texts = modules()
    return "".join(_as_function(name, texts[name]) for name in names)


def _as_function(name: str, text: str) -> str:
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(lambda found: _taken(*found.groups()), text))
    return f"const {_variable(name)} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _taken(names: str, module: str) -> str:
    return f"const {names} = {_variable(module)};\n"


def _variable(module: str) -> str:
    return f"module_{module.removesuffix('.js')}"
