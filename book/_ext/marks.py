"""Read the marks of the equation tests from their source, without importing it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from descent.press.claims import Claim

FOLDER = "tests/chapters"


@dataclass(frozen=True)
class Test:
    """A test function: its name, its file relative to the root, and the line of its ``def``."""

    name: str
    file: str
    line: int


def equations(root: Path) -> list[tuple[str, Test]]:
    """List ``(label, test)`` for every ``@pytest.mark.equation("label")``.

    Args:
        root: the folder that holds ``tests/chapters``.

    Raises:
        ValueError: a mark's argument is not a literal string.
    """
    return [(_text(mark, 0, "label", test), test) for mark, test in _marks(root, "equation")]


def claims(root: Path) -> list[tuple[Claim, Test]]:
    """List the claim and its test for every ``@pytest.mark.claim(cite="...", says="...", ...)``.

    Args:
        root: the folder that holds ``tests/chapters``.

    Raises:
        ValueError: an argument is missing, unknown or not a literal string, or they do not make
            a :class:`~descent.press.claims.Claim`.
    """
    found = []
    for mark, test in _marks(root, "claim"):
        names = {"cite", "says"} | {keyword.arg for keyword in mark.keywords}
        texts = {name: _text(mark, None, name, test) for name in sorted(names)}
        try:
            found.append((Claim(**texts), test))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{test.file}:{test.line}: {error}") from None
    return found


def holders(root: Path) -> list[tuple[str, Test]]:
    """List ``(optimizer, test)`` for every ``@pytest.mark.holds("optimizer")``.

    Args:
        root: the folder that holds ``tests/chapters``.

    Raises:
        ValueError: a mark's argument is not a literal string.
    """
    return [(_text(mark, 0, "optimizer", test), test) for mark, test in _marks(root, "holds")]


def _marks(root: Path, name: str) -> Iterator[tuple[ast.Call, Test]]:
    for file in sorted((root / FOLDER).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            test = Test(node.name, file.relative_to(root).as_posix(), node.lineno)
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and (
                    ast.unparse(decorator.func) == f"pytest.mark.{name}"
                ):
                    yield decorator, test


def _text(mark: ast.Call, position: int | None, name: str, test: Test) -> str:
    keywords = {keyword.arg: keyword.value for keyword in mark.keywords}
    if position is not None and position < len(mark.args):
        keywords[name] = mark.args[position]
    value = keywords.get(name)
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
        found = "nothing" if value is None else ast.unparse(value)
        raise ValueError(
            f"{test.file}:{test.line}: {name} must be a literal string in the mark of {test.name},"
            f" got {found}"
        )
    return value.value
