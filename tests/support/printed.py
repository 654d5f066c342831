r"""Read the numbered equations as they are printed, and evaluate them.

A test names the equation by its label, says which LaTeX fragments stand for which values, and
gets the printed formula's own numbers, so that a change of the formula fails its test:

>>> square = evaluate("gd-valley", {r"\lambda_{\max}": "sharpness"}, sharpness=5.0, a=1.0, b=2.0)
>>> square.equal()
True

SymPy reads what is scalar. A vector expression is replaced whole, fragment and all, by one name;
its value may be an array, on which the rest of the formula acts elementwise.
"""

import re
import string
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import sympy
from antlr4 import PredictionMode
from sympy.core.function import AppliedUndef
from sympy.parsing.latex import parse_latex
from sympy.parsing.latex._antlr import latexparser
from sympy.parsing.latex.errors import LaTeXParsingError

BOOK = Path(__file__).resolve().parents[2] / "book"

DIRECTIVE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{math\} *\n(?P<options>(?::.*\n)*)(?P<latex>(?:.*\n)*?)(?P=fence)",
    re.MULTILINE,
)
SIGNS = {
    "=": "=",
    "<": "<",
    ">": ">",
    r"\le": "≤",
    r"\leq": "≤",
    r"\ge": "≥",
    r"\geq": "≥",
    r"\approx": "≈",
}
SIGN = re.compile(r"([=<>]|\\(?:leq?|geq?|approx)(?![a-zA-Z]))")
EXTREMES = {"max": np.maximum, "min": np.minimum}
WORD = re.compile(r"\\([a-zA-Z]+)|([a-zA-Z])")
APPLIED = {"ln", "exp", "sin", "cos", "max", "min", "cdot"}
"""What may stand before a parenthesis without being a factor."""
OPERATORS = {"left", "right", "frac", "sqrt", "infty", *(sign[1:] for sign in SIGNS)}
"""What else is no symbol."""


Sides = tuple[sympy.Expr, ...]


class Misprint(ValueError):
    """A printed equation that cannot be read as its test expects."""


@dataclass(frozen=True)
class Call:
    """What a test asked of an equation.

    Args:
        label: the equation's.
        fragments: as in :func:`expressions`.
        values: as in :func:`evaluate`; None if the test asked for the expressions.
    """

    label: str
    fragments: Mapping[str, str]
    values: Mapping[str, object] | None = None

    def read(self) -> tuple[Sides, tuple[str, ...]]:
        """Read the equation, as it is printed now.

        Raises:
            Misprint: it cannot be read, or its symbols are not those with a value.
        """
        if self.label not in equations():
            raise Misprint(f"there is no equation labelled {self.label!r} in {BOOK.name}/")
        latex, names = _replaced(self.label, self.fragments)
        if self.values is not None and "_" not in latex:  # an index is part of a symbol's name
            # Reading takes long, and most of what cannot be evaluated shows without it.
            words = {command or letter for command, letter in WORD.findall(latex)}
            self._match({names.get(word, word) for word in words - APPLIED - OPERATORS})
        first, *rest = SIGN.split(latex)
        if not rest:
            raise Misprint(f"{self.label}: no relation in {latex!r}")
        renamed = {sympy.Symbol(slot): sympy.Symbol(name) for slot, name in names.items() if name}
        sides = tuple(_read(self.label, side).xreplace(renamed) for side in (first, *rest[1::2]))
        if self.values is not None:
            self._match({symbol.name for side in sides for symbol in side.free_symbols})
        return sides, tuple(SIGNS[sign] for sign in rest[::2])

    def _match(self, symbols: set[str]) -> None:
        if leftover := symbols - self.values.keys():
            raise Misprint(f"{self.label}: no value for {', '.join(sorted(leftover))}")
        if unused := self.values.keys() - symbols:
            raise Misprint(f"{self.label}: {', '.join(sorted(unused))} does not occur")


LENSES: list[Callable[[Call, Sides], Sides]] = []
"""Each sees every call, and gives the sides that the test is to get."""


@dataclass(frozen=True)
class Printed:
    """A printed relation, or chain of them, with the values of its sides.

    Args:
        label: the equation's.
        sides: the values from left to right, broadcast against each other.
        signs: the relations between them: ``=``, ``<``, ``>``, ``≤``, ``≥`` or ``≈``.
    """

    label: str
    sides: tuple[np.ndarray, ...]
    signs: tuple[str, ...]

    @property
    def left(self) -> np.ndarray:
        """The value of the first side."""
        return self.sides[0]

    @property
    def right(self) -> np.ndarray:
        """The value of the last side."""
        return self.sides[-1]

    def holds(self, rtol: float = 1e-9, atol: float = 0.0) -> np.ndarray:
        """Say, element by element, where the whole chain holds.

        Args:
            rtol: sides that differ by no more than this fraction of the larger one count as
                equal, so ``<`` asks for more than that.
            atol: as much is added to what may differ.

        Raises:
            Misprint: an ``≈`` is printed, which is neither true nor false.
        """
        if "≈" in self.signs:
            raise Misprint(f"{self.label}: ≈ is neither true nor false; compare the sides")
        verdict = np.full(self.left.shape, True)
        for left, sign, right in zip(self.sides, self.signs, self.sides[1:], strict=False):
            margin = atol + rtol * np.maximum(np.abs(left), np.abs(right))
            verdict &= {
                "=": np.abs(left - right) <= margin,
                "≤": left <= right + margin,
                "≥": left >= right - margin,
                "<": left < right - margin,
                ">": left > right + margin,
            }[sign]
        return verdict

    def equal(self, rtol: float = 1e-9, atol: float = 0.0) -> bool:
        """Say whether equality is printed, and holds in every element."""
        return set(self.signs) == {"="} and bool(self.holds(rtol, atol).all())

    def tight(self, rtol: float = 1e-9) -> np.ndarray:
        """Say, element by element, where the first and the last side all but agree."""
        return np.isclose(self.left, self.right, rtol=rtol, atol=0)


@cache
def equations() -> dict[str, str]:
    """Collect the LaTeX of every labelled ``{math}`` directive of the book, by label.

    Raises:
        Misprint: two equations have the same label.
    """
    found: dict[str, str] = {}
    for page in sorted(BOOK.rglob("*.md")):
        for directive in DIRECTIVE.finditer(page.read_text(encoding="utf-8")):
            label = re.search(r"^:label: *(\S+)", directive["options"], re.MULTILINE)
            if label is None:
                continue
            if label[1] in found:
                raise Misprint(f"two equations are labelled {label[1]!r}, one in {page.name}")
            found[label[1]] = " ".join(directive["latex"].split())
    return found


def expressions(
    label: str, fragments: Mapping[str, str] | None = None
) -> tuple[Sides, tuple[str, ...]]:
    r"""Read a printed equation into SymPy.

    Args:
        label: the equation's.
        fragments: LaTeX, exactly as printed up to spaces, to the name of the symbol that replaces
            it; longer fragments go first. An empty name leaves the fragment out, as for a
            ``\sum_i`` that the test does itself.

    Returns:
        The sides, and the signs between them. What no fragment replaces keeps its LaTeX name,
        without the backslash.

    Raises:
        Misprint: the label is unknown, a fragment does not occur, or the rest cannot be read.
    """
    return _answer(Call(label, dict(fragments or {})))


def evaluate(label: str, fragments: Mapping[str, str] | None = None, **values: object) -> Printed:
    """Evaluate a printed equation.

    Args:
        label: the equation's.
        fragments: as in :func:`expressions`.
        **values: a number or an array for every symbol of the equation, by name.

    Raises:
        Misprint: the equation cannot be read, or its symbols are not those with a value.
    """
    sides, signs = _answer(Call(label, dict(fragments or {}), values))
    names = tuple(sorted(values))
    arrays = [np.asarray(values[name], dtype=np.float64) for name in names]
    numbers = [np.asarray(_function(side, names)(*arrays), dtype=np.float64) for side in sides]
    return Printed(label, tuple(np.broadcast_arrays(*numbers)), signs)


def _answer(call: Call) -> tuple[Sides, tuple[str, ...]]:
    sides, signs = call.read()
    for lens in LENSES:
        sides = lens(call, sides)
    return sides, signs


def _replaced(label: str, fragments: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    latex = equations()[label].rstrip(" .,;")
    names = {}
    for fragment in sorted(fragments, key=len, reverse=True):
        if fragment not in latex:
            raise Misprint(f"{label}: there is no {fragment!r} left in {latex!r}")
        placeholder = f"slot{string.ascii_lowercase[len(names)]}"
        names[placeholder] = fragments[fragment]
        latex = latex.replace(fragment, f" \\{placeholder} " if fragments[fragment] else " ")
    return latex, names


def _read(label: str, latex: str) -> sympy.Expr:
    plain = re.sub(r"\\(?:left|right)(?![a-zA-Z])", "", latex)
    # SymPy takes a symbol before a parenthesis for a function of what is in it.
    explicit = re.sub(
        r"(\\?[a-zA-Z]+)\s*\(",
        lambda found: (
            found[0] if found[1].removeprefix("\\") in APPLIED else rf"{found[1]} \cdot ("
        ),
        plain,
    )
    expression = _parse(explicit)
    if expression is None:
        raise Misprint(f"{label}: SymPy cannot read {latex.strip()!r}")
    for function in expression.atoms(AppliedUndef):
        if function.func.__name__ not in EXTREMES:
            raise Misprint(f"{label}: {function} reads as a function; replace it by a name")
    return expression


class _QuickParser(latexparser.LaTeXParser):
    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self._interp.predictionMode = PredictionMode.SLL


@cache
def _parse(latex: str) -> sympy.Expr | None:
    # With the quick parser ANTLR reads the same several times as fast, or nothing.
    for parser in (_QuickParser, latexparser.LaTeXParser):
        with patch.object(latexparser, "LaTeXParser", parser), suppress(LaTeXParsingError):
            return parse_latex(latex, strict=True).doit()
    return None


@cache
def _function(expression: sympy.Expr, names: tuple[str, ...]) -> Callable[..., np.ndarray]:
    return sympy.lambdify([sympy.Symbol(name) for name in names], expression, [EXTREMES, "numpy"])
