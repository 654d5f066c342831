"""The modules in ``web/``, as they are or as one script.

A browser takes no modules from a file on disk, and a notebook has no place to serve them from, so
both get one script, made here: each module a function, in the order of their imports.
"""

import json
import re
from functools import cache
from pathlib import Path

from descent._signatures import checked
from descent.playground._description import description

WEB = Path(__file__).parent / "web"
DESCRIPTION = "description.js"

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./([\w.]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)


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
    texts = modules()
    ordered = _in_order(f"{figure}.js", texts)
    functions = [_as_function(name, texts[name]) for name in ordered]
    return f'(() => {{\n"use strict";\n{"".join(functions)}}})();\n'


def _in_order(entry: str, texts: dict[str, str]) -> list[str]:
    """Name a module and all that it imports, each after what it imports itself."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        for _, needed in _IMPORT.findall(texts[name]):
            if needed not in ordered:
                visit(needed)
        ordered[name] = None

    visit(entry)
    return list(ordered)


def _as_function(name: str, text: str) -> str:
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(lambda found: _taken(*found.groups()), text))
    return f"const {_variable(name)} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"


def _taken(names: str, module: str) -> str:
    return f"const {names} = {_variable(module)};\n"


def _variable(module: str) -> str:
    return f"module_{module.removesuffix('.js')}"
