"""Change a module of the package a little, in one place after another.

:mod:`run_mutants` sees whether the tests notice. Changes of printed equations are another thing:
:mod:`mutations`.
"""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not"}
COMPARED |= {"is not": "is", "in": "not in", "not in": "in"}
COMPUTED = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "*", "**": "*"}
NAMED = {
    "all": "any",
    "any": "all",
    "amax": "amin",
    "ceil": "floor",
    "cos": "sin",
    "expm1": "exp",
    "floor": "ceil",
    "log1p": "log",
    "max": "min",
    "maximum": "minimum",
    "mean": "sum",
    "min": "max",
    "minimum": "maximum",
    "sqrt": "square",
    "sum": "mean",
}
"""Operators and functions, and what a slip makes of them."""
INTERVAL = re.compile(r"([\[(])(.+, .+)([\])])")


class Mutant(NamedTuple):
    """One module of the package with one place in it changed.

    Args:
        module: its file, below the package's folder.
        line: the line with the place, or its lines in one.
        becomes: what stands there instead.
        source: the changed module.
    """

    module: str
    line: str
    becomes: str
    source: str

    @property
    def name(self) -> tuple[str, str, str]:
        """What the table knows it by; equal lines of a module share their reasons."""
        return self.module, self.line, self.becomes


def mutants_of(source: str, module: str = "") -> list[Mutant]:
    """Change a module in every small way that a slip might.

    Args:
        source: the module.
        module: its file's name.

    Returns:
        The changed modules: an operator, a constant, an end of an interval or a well-known
        function exchanged; a condition turned round; a keyword argument, a statement or a sign
        dropped. Docstrings, annotations, and the words of errors stay.

    Example:
        >>> [each.becomes for each in mutants_of("def half(x):\\n    return x / 2\\n")]
        ['return x * 2', 'return x / 3', 'return None']
    """
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    raw = source.encode()
    found = {}
    for node, text in _changes(ast.parse(source)):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        changed = (raw[:begin] + text.encode() + raw[end:]).decode()
        if changed == source:
            continue
        with suppress(SyntaxError):
            compile(changed, module, "exec")
            first, after = starts[node.lineno - 1], starts[node.end_lineno]
            line = raw[first:after].decode()
            becomes = raw[first:begin].decode() + text + raw[end:after].decode()
            found[changed] = Mutant(module, _in_one(line), _in_one(becomes), changed)
    return list(found.values())


def _in_one(lines: str) -> str:
    return " ".join(lines.split())


def _changes(module: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yield places and what to put there."""
    pending: list[ast.AST] = [module]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield from _changes_of(node)
        pending += reversed(
            [child for child in ast.iter_child_nodes(node) if _computes(child, node)]
        )


def _computes(child: ast.AST, parent: ast.AST) -> bool:
    """Leave out what only readers see: docstrings, types, and what errors say."""
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return False
    if isinstance(parent, ast.Raise | ast.JoinedStr | ast.ImportFrom | ast.Import):
        return False
    if isinstance(parent, ast.Assign) and ast.unparse(parent.targets[0]) == "__all__":
        return False
    if isinstance(parent, ast.FunctionDef) and child is parent.returns:
        return False
    if isinstance(parent, ast.FunctionDef | ast.ClassDef) and child in parent.decorator_list:
        return False
    if isinstance(parent, ast.arg | ast.AnnAssign) and child is parent.annotation:
        return "Annotated" in ast.unparse(child)  # it holds a hyperparameter's interval
    return True


def _changes_of(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            for other in _exchanged(COMPARED, op):
                yield node, f"{ast.unparse(left)} {other} {ast.unparse(right)}"
        case ast.BinOp(left=left, op=op, right=right):
            for other in _exchanged(COMPUTED, op):
                joined = f"{_operand(left)} {other} {_operand(right)}"
                # Products and quotients bind alike, sums and differences too: no bars needed.
                yield node, joined if {other} <= {"*", "/"} or other in "+-" else f"({joined})"
        case ast.AugAssign(target=target, op=op, value=value):
            for other in _exchanged(COMPUTED, op):
                yield node, f"{ast.unparse(target)} {other}= {ast.unparse(value)}"
        case ast.BoolOp(op=op, values=values):
            word = " or " if isinstance(op, ast.And) else " and "
            yield node, "(" + word.join(f"({ast.unparse(each)})" for each in values) + ")"
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield node, _operand(operand)
        case ast.Constant(value=bool(value)):
            yield node, str(not value)
        case ast.Constant(value=int(value)):
            yield node, str(value + 1)
        case ast.Constant(value=float(value)):
            yield node, repr(2 * value if value else 1.0)
        case ast.Constant(value=str(value)):
            if interval := INTERVAL.fullmatch(value):
                low, middle, high = interval.groups()
                yield node, repr({"[": "(", "(": "["}[low] + middle + high)
                yield node, repr(low + middle + {"]": ")", ")": "]"}[high])
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            if isinstance(test, ast.Name | ast.Attribute | ast.Call):
                yield test, f"(not {ast.unparse(test)})"
        case ast.Call(func=func, keywords=keywords):
            name = func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")
            if name in NAMED:
                head = f"{_operand(func.value)}." if isinstance(func, ast.Attribute) else ""
                yield func, head + NAMED[name]
            for dropped in keywords:
                rest = [each for each in keywords if each is not dropped]
                yield node, ast.unparse(ast.Call(func, node.args, rest))
        case ast.Expr(value=ast.Call()):
            yield node, "pass"
        case ast.Raise() | ast.Delete():
            yield node, "pass"
        case ast.Return(value=ast.expr() as value):
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield node, "return None"
        case ast.Break():
            yield node, "continue"
        case ast.Continue():
            yield node, "break"


def _exchanged(others: dict[str, str], op: ast.AST) -> list[str]:
    a, b = ast.Name("a"), ast.Name("b")
    whole = ast.Compare(a, [op], [b]) if isinstance(op, ast.cmpop) else ast.BinOp(a, op, b)
    sign = ast.unparse(whole).removeprefix("a ").removesuffix(" b")
    return [others[sign]] if sign in others else []


def _operand(node: ast.expr) -> str:
    whole = ast.Name | ast.Constant | ast.Call | ast.Attribute | ast.Subscript
    return ast.unparse(node) if isinstance(node, whole) else f"({ast.unparse(node)})"
