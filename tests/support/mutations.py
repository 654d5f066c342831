"""Change every printed equation a little, and see whether its own tests fail.

``python tests/support/mutations.py LABEL...`` prints what was tried, without a label for all;
:mod:`test_mutations` asserts it.
"""

import difflib
import inspect
import re
import runpy
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import combinations, pairwise
from pathlib import Path
from types import CodeType

import numpy as np
import pytest
import sympy
import torch
from printed import LENSES, Call, Misprint, Sides, equations, evaluate
from sympy.core.function import AppliedUndef

from descent.press import claims

Test = Callable[..., None]

TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|[0-9]+|\S|\s+")
SYMBOL = re.compile(
    r"[a-zA-Z]|\\(?!(?:left|right|frac|sqrt|star|top|nabla|sum|max|min|ln|le|ge|approx)\b)[a-zA-Z]+"
)
OTHERS = {
    "+": ["-"],
    "-": ["+"],
    "=": [r"\le ", r"\ge "],
    "<": [">", r"\le "],
    r"\le": [r"\ge", "<", "="],
    r"\ge": [r"\le", ">", "="],
    r"\approx": ["=", r"\le"],
    r"\max": [r"\min"],
    r"\min": [r"\max"],
}
DROPPED = {"-", r"\ln", r"\nabla", r"\top", r"\star", r"\sum"}

EQUIVALENT: dict[str, dict[str, str]] = {
    "gd-rate": {
        r"\rho(\eta) = \max\left(1 - \eta\mu, |1 - \eta L|\right).": (
            "where 1 - eta mu is negative, 1 - eta L is more so, and its bars decide the maximum"
        ),
    },
    "mom-cycle": {
        r"\theta_{t+1} = \frac{8}{3} s_t^2 - \frac{4}{3} \theta_t - \frac{4}{9} \theta_{t-1},": (
            "0 and 1 are their own squares"
        ),
        r"\theta_{t+1} = \frac{8}{3} {s_t}^2 - \frac{4}{3} \theta_t - \frac{4}{9} \theta_{t-1},": (
            "0 and 1 are their own squares"
        ),
    },
    "sgd-far": {
        r"\sum_{t=0}^{\infty} 2\eta_t = \infty": "twice a sum is infinite where the sum is",
    },
    "sgd-rate-half": {
        r"\mathbb{E}[\theta_t^2] \approx \frac{c^2\sigma^2 \ln 2t}{B t}"
        r" \quad\text{for } c\lambda = \tfrac12.": (
            "the logarithm of twice t has the same leading term"
        ),
    },
    "sgd-quiet": {
        r"\sum_{t=0}^{\infty} 2\eta_t^2 < \infty.": "twice a sum is finite where the sum is",
    },
    "ls-huber-slope": {
        r"\ell_\delta'(r) = \max(-\delta, \min(\ell_\delta'(r), r)).": (
            "the slope has this property, too"
        ),
    },
    "rms-sign": {
        r"\theta_{t+1,i} = \theta_{t,i} - \eta \frac{|g_{t,i}|}{g_{t,i}}.": (
            "a sign is its own reciprocal"
        ),
    },
}
"""By label, the changed formulas that are no mistakes though SymPy cannot tell, with the reason."""


def mutants(latex: str, readings: Iterable[Mapping[str, str]] = ()) -> list[str]:
    r"""Change a formula in every small way that a slip of the pen might.

    Args:
        latex: the formula.
        readings: LaTeX fragments to names, as the tests read the formula. For each of these there
            are changes in which a fragment counts as one symbol, which the tests can read, too.

    Returns:
        The changed formulas, each once: a sign, a relation or a numeral changed; a factor, an
        exponent, a root, a pair of bars or half of a fraction dropped; a fraction turned over; a
        symbol doubled, squared or put in place of another; two symbols exchanged.

    Example:
        >>> mutants(r"a = 2b")[:6]
        [' = 2b', 'b = 2b', '2a = 2b', 'a^2 = 2b', 'a \\le  2b', 'a \\ge  2b']
        >>> mutants(r"a = f(b)", [{"f(b)": "height"}])[-3:]
        ['a = a', 'a = {f(b)}^2', 'f(b) = a']
    """
    changes = [*_token_changes(latex), *_structure_changes(latex)]
    for fragments in readings:
        changes += _token_changes(latex, fragments)
    found = dict.fromkeys(changes)
    return [mutant for mutant in found if mutant.split() != latex.split()]


def _token_changes(latex: str, fragments: Mapping[str, str] | None = None) -> Iterator[str]:
    fragments = fragments or {}
    whole = [re.escape(fragment) for fragment in sorted(fragments, key=len, reverse=True)]
    tokens = re.findall("|".join([*whole, TOKEN.pattern]), latex)
    symbols = [token for token in tokens if fragments.get(token) or SYMBOL.fullmatch(token)]
    symbols = list(dict.fromkeys(symbols))
    left_out = [token for token in dict.fromkeys(tokens) if fragments.get(token) == ""]

    def put(index: int, token: str) -> str:
        return "".join([*tokens[:index], _closed(token), *tokens[index + 1 :]])

    for index, token in enumerate(tokens):
        changed = list(OTHERS.get(token, []))
        if token.isdigit():
            changed += [str(int(token) + 1), str(int(token) - 1)]
        if token in symbols or token in DROPPED:
            changed += [""]
        if token in symbols:
            changed += [symbol for symbol in symbols if symbol != token]
            changed += [f"2{token}", f"{{{token}}}^2" if token in fragments else f"{token}^2"]
        for other in changed:
            yield put(index, other)
    for bar in ("|", r"\|"):
        bars = [index for index, token in enumerate(tokens) if token == bar]
        for first, second in pairwise(bars):
            yield "".join(t for index, t in enumerate(tokens) if index not in (first, second))
    for one, two in (*combinations(symbols, 2), *combinations(left_out, 2)):
        exchanged = {one: _closed(two), two: _closed(one)}
        yield "".join(exchanged.get(token, token) for token in tokens)


def _structure_changes(latex: str) -> Iterator[str]:
    group = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
    changes = [
        (rf"\^(?:{group}|\\?\w)", ""),
        (rf"\\frac{group}{group}", r"{\1}"),
        (rf"\\frac{group}{group}", r"\\frac{1}{\2}"),
        (rf"\\frac{group}{group}", r"\\frac{\2}{\1}"),
        (rf"\\sqrt(?:\[3\])?{group}", r"{\1}"),
        (r"\\sqrt\[3\]", r"\\sqrt"),
        (r"\\sqrt\{", r"\\sqrt[3]{"),
    ]
    for pattern, replacement in changes:
        for match in re.finditer(pattern, latex):
            yield latex[: match.start()] + match.expand(replacement) + latex[match.end() :]


def _closed(token: str) -> str:
    # A command takes a letter right after it for a part of its name.
    return f"{token} " if re.search(r"\\[a-zA-Z]+$", token) else token


@cache
def labelled_tests() -> dict[str, list[Test]]:
    """Collect the equation tests of all chapters, by label."""
    found = defaultdict(list)
    for file in sorted(Path(__file__).parents[1].glob("chapters/*/test_equations.py")):
        for test in runpy.run_path(str(file)).values():
            for mark in getattr(test, "pytestmark", []):
                if mark.name == "equation":
                    found[mark.args[0]].append(test)
    return dict(found)


@contextmanager
def printed_as(label: str, latex: str) -> Iterator[None]:
    """Pretend that the book prints something else under this label."""
    original = equations().get(label)
    equations()[label] = latex
    try:
        yield
    finally:
        if original is None:
            del equations()[label]
        else:
            equations()[label] = original


@contextmanager
def seen_through(lens: Callable[[Call, Sides], Sides]) -> Iterator[None]:
    """Let the tests see the sides of the equations as this function gives them."""
    LENSES.append(lens)
    try:
        yield
    finally:
        LENSES.remove(lens)


class Audit:
    """What the tests of one label notice, and why they cannot be trusted, if so.

    Args:
        label: the equation's.
        tests: those of this label; by default those that are marked with it.
        listed: the changed formulas that are known to be no mistakes.

    Attributes:
        verdicts: what became of each changed formula:

            - ``wrong``: the relation is as printed, and a comparison of numbers failed,
            - ``relation``: another relation is printed, and a comparison failed,
            - ``unreadable``: the tests came to no comparison,
            - ``equivalent``: all passed, and this is no mistake,
            - ``survived``: all passed, and this is one.
        faults: what is wrong with the tests, one sentence each.
    """

    def __init__(
        self,
        label: str,
        tests: Sequence[Test] | None = None,
        listed: Collection[str] | None = None,
    ) -> None:
        self.label = label
        self.tests = labelled_tests().get(label, []) if tests is None else tests
        self.listed = EQUIVALENT.get(label, {}).keys() if listed is None else listed
        self.calls: dict[Test, list[Call]] = {}
        self.verdicts: dict[str, str] = {}
        self.faults: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # as pytest is told to
            self._run()

    def _run(self) -> None:
        if not self.tests:
            self.faults.append("no test is marked with this label")
        for test in self.tests:
            self._listen(test)
            marks = [*getattr(test, "pytestmark", []), *test.__globals__.get("pytestmark", [])]
            if names := {mark.name for mark in marks} & {"skip", "skipif", "xfail"}:
                self.faults.append(f"{test.__name__} is marked {' and '.join(sorted(names))}")
        if self.faults:
            return
        self._check_that_sides_matter()
        self._check_where_values_come_from()
        self._change()

    def _listen(self, test: Test) -> None:
        """Keep what a test asks of the equation, and see that it passes as it is."""
        calls = self.calls[test] = []

        def listen(call: Call, sides: Sides) -> Sides:
            if call.label == self.label:
                calls.append(call)
            return sides

        with seen_through(listen):
            error = failure(test)
        if error is not None:
            (reason, *_) = f"{type(error).__name__}: {error}".splitlines()
            self.faults.append(f"{test.__name__} fails on the printed formula: {reason}")
        elif not calls:
            self.faults.append(f"{test.__name__} never reads the formula")

    def _notices(self, test: Test, change: Callable[[Sides], Sides]) -> bool:
        """Say whether a comparison of the test fails when it gets other sides."""

        def distort(call: Call, sides: Sides) -> Sides:
            return change(sides) if call.label == self.label else sides

        with seen_through(distort):
            return isinstance(failure(test), AssertionError)

    def _check_that_sides_matter(self) -> None:
        """See that every side is compared, and that every test compares one."""
        sides, _ = self.calls[self.tests[0]][0].read()
        num_sides = len(sides)
        blind = {(test, side) for test in self.tests for side in range(num_sides)}
        for test, side in sorted(blind, key=lambda pair: pair[1]):
            if any(self._notices(test, partial(_put, side, other)) for other in DISTORTIONS):
                blind.remove((test, side))
        for test in self.tests:
            if all((test, side) in blind for side in range(num_sides)):
                self.faults.append(f"{test.__name__} passes whatever the sides of the formula are")
        for side in range(num_sides):
            if all((test, side) in blind for test in self.tests):
                self.faults.append(f"no test notices what side {side + 1} of the formula is")

    def _check_where_values_come_from(self) -> None:
        """See that the formula is held against something else than itself or a constant."""
        for test in self.tests:
            calls = self.calls[test]
            if any(call.values is None for call in calls):
                continue
            if self._notices(test, lambda sides: tuple(2 * side for side in sides)):
                continue  # it compares the sides with something of its own
            if _outcomes(calls) == {True, False}:
                continue  # and this one knows where the relation holds, and where it does not
            if all(_is_written(value, test) for call in calls for value in call.values.values()):
                self.faults.append(f"{test.__name__} puts in nothing but numbers written in it")
            if all(_compares_a_value_with_itself(call) for call in calls):
                self.faults.append(f"{test.__name__} compares a value with itself")

    def _change(self) -> None:
        for latex in mutants(equations()[self.label], self._readings()):
            verdict = self._verdict(latex)
            if verdict == "survived" and (latex in self.listed or self._is_same(latex)):
                verdict = "equivalent"
            self.verdicts[latex] = verdict
            if verdict == "survived":
                self.faults.append(f"survived: {latex}")
        if "wrong" not in self.verdicts.values():
            self.faults.append("no change was found wrong by its numbers")
        for latex in self.listed:
            if self.verdicts.get(latex) != "equivalent":
                self.faults.append(f"listed as no mistake, but not tried or not passed: {latex}")
            elif self._is_same(latex):
                self.faults.append(
                    f"SymPy knows that this is no mistake, so do not list it: {latex}"
                )

    def _verdict(self, latex: str) -> str:
        _, signs = self.calls[self.tests[0]][0].read()
        with printed_as(self.label, latex):
            for test, calls in self.calls.items():
                # Up to its first look at the formula the test does what it did before.
                try:
                    _, changed = calls[0].read()
                except Misprint:
                    return "unreadable"
                error = failure(test)
                if isinstance(error, AssertionError):
                    return "wrong" if changed == signs else "relation"
                if error is not None:
                    return "unreadable"
        return "survived"

    def _is_same(self, latex: str) -> bool:
        """Say whether SymPy finds no difference, however the tests read the formula."""
        return all(self._is_same_in(reading, latex) for reading in self._readings())

    def _is_same_in(self, fragments: Mapping[str, str], latex: str) -> bool:
        # Two fragments that a test gives one name, or none, are not the same thing.
        parts = {fragment: f"part{i}" for i, fragment in enumerate(fragments)}
        call = Call(self.label, parts)
        try:
            before, signs = call.read()
            with printed_as(self.label, latex):
                after, changed = call.read()
        except Misprint:
            return False
        if changed != signs:
            return False
        names = {part: fragments[fragment] for fragment, part in parts.items()}
        symbols = {
            symbol: sympy.Symbol(symbol.name, positive=True)
            for side in (*before, *after)
            for symbol in side.free_symbols
            if self._is_positive(names.get(symbol.name, symbol.name))
        }
        before, after = ([side.xreplace(symbols) for side in sides] for sides in (before, after))
        return _same_relation(before, after, signs)

    def _is_positive(self, name: str) -> bool:
        """Say whether all that the tests put in for a name is greater than 0."""
        calls = [call for calls in self.calls.values() for call in calls]
        given = [call.values[name] for call in calls if call.values and name in call.values]
        return bool(given) and all((np.asarray(value) > 0).all() for value in given)

    def _readings(self) -> list[Mapping[str, str]]:
        calls = [call for calls in self.calls.values() for call in calls]
        return list({tuple(call.fragments.items()): call.fragments for call in calls}.values())


DISTORTIONS: list[Callable[[sympy.Expr], sympy.Expr]] = [
    lambda side: side * sympy.Rational(101, 100),
    lambda side: side * sympy.Rational(99, 100),
    lambda side: side + 1,
    lambda side: side - 1,
    lambda side: -side,
    lambda side: sympy.Integer(7),
]
"""What one side of a formula may become; a test that looks at it notices some of it."""


def failure(test: Test) -> BaseException | None:
    """Run a test; return what kept it from passing."""
    given = {"record": _asserted} if "record" in inspect.signature(test).parameters else {}
    try:
        test(**given)
    except pytest.fail.Exception as error:
        return AssertionError(str(error))
    except (Exception, pytest.skip.Exception) as error:
        return error
    return None


def _asserted(*measurement: object, **tolerance: float) -> None:
    """Stand in for the fixture that records what a test of a claim measures."""
    assert claims.fault(*measurement, **tolerance) is None


def _put(index: int, change: Callable[[sympy.Expr], sympy.Expr], sides: Sides) -> Sides:
    return (*sides[:index], change(sides[index]), *sides[index + 1 :])


def _same_relation(
    before: Sequence[sympy.Expr], after: Sequence[sympy.Expr], signs: Sequence[str]
) -> bool:
    """Say whether two relations hold for the same numbers, if that is easy to see."""
    if all(map(_same, before, after)):
        return True
    if len(signs) > 1:
        return False
    swaps = signs[0] in "=≈"
    if swaps and all(map(_same, before, reversed(after))):
        return True
    # Terms may change sides, and so may positive factors; in an equality, any but 0.
    (left, right), (other_left, other_right) = before, after
    if _same(left - right, other_left - other_right):
        return True
    if swaps and _same(left - right, other_right - other_left):
        return True
    if any(side == 0 or side.is_infinite for side in (left, right, other_left, other_right)):
        return False
    if not swaps and not all(side.is_positive for side in (left, right, other_left, other_right)):
        return False
    return _same(left * other_right, right * other_left) or (
        swaps and _same(left * other_left, right * other_right)
    )


def _same(one: sympy.Expr, two: sympy.Expr) -> bool:
    one, two = (side.replace(_is_extreme, _extreme) for side in (one, two))
    return one == two or sympy.simplify(one - two) == 0


def _is_extreme(expression: sympy.Expr) -> bool:
    return isinstance(expression, AppliedUndef)


def _extreme(function: sympy.Expr) -> sympy.Expr:
    return {"max": sympy.Max, "min": sympy.Min}[function.func.__name__](*function.args)


def _outcomes(calls: Sequence[Call]) -> set[bool]:
    """Say whether the relation holds, in all that a test puts in."""
    relations = [evaluate(call.label, call.fragments, **call.values) for call in calls]
    with suppress(Misprint):  # ≈ is neither true nor false
        return {bool(holds) for relation in relations for holds in relation.holds().flat}
    return set()


def _is_written(value: object, test: Test) -> bool:
    """Say whether all numbers of a value stand in the test, or in a table beside it."""
    tables = [test.__globals__.get(name) for name in test.__code__.co_names]
    written = {*_numbers(test.__code__), *_numbers(tables)}
    return {float(number) for number in np.asarray(value).flat} <= written


def _numbers(constant: object) -> Iterator[float]:
    if isinstance(constant, CodeType):
        for each in constant.co_consts:
            yield from _numbers(each)
    elif isinstance(constant, dict):
        yield from _numbers([*constant.values()])
    elif isinstance(constant, tuple | list | frozenset):
        for each in constant:
            yield from _numbers(each)
    elif isinstance(constant, int | float):
        yield float(constant)


def _compares_a_value_with_itself(call: Call) -> bool:
    sides, _ = call.read()
    if not all(side.is_Symbol or side.is_number for side in sides):
        return False
    values = [call.values[side.name] if side.is_Symbol else float(side) for side in sides]
    first = np.asarray(values[0])
    return all(np.array_equal(first, value) for value in values[1:])


COLUMNS = ("tried", "wrong", "relation", "unreadable", "equivalent", "survived")


def main(labels: Sequence[str] = ()) -> int:
    """Print, by label, how many changes were tried and what became of them.

    Args:
        labels: those to try; by default all of the book.

    Returns:
        0 if the tests of these labels can be trusted, 1 if not, 2 if there is no such label.
    """
    if unknown := [label for label in labels if label not in equations()]:
        for label in unknown:
            near = difflib.get_close_matches(label, equations(), n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            print(f"mutations: no equation is labelled {label!r}{hint}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)  # faster, on tensors this small
    labels = list(dict.fromkeys(labels)) or list(equations())
    width = max(len(label) for label in [*labels, "all"])
    print(" ".join([" " * width, *(f"{column:>10}" for column in COLUMNS)]))
    total: Counter[str] = Counter()
    faults = 0
    for label in labels:
        audit = Audit(label)
        count = Counter(audit.verdicts.values())
        total += count
        faults += len(audit.faults)
        print(_row(label, count, width), flush=True)
        for fault in audit.faults:
            print(f"    {fault}", flush=True)
    print(_row("all", total, width))
    return min(faults, 1)


def _row(name: str, count: Counter[str], width: int) -> str:
    cells = [count.total(), *(count[column] for column in COLUMNS[1:])]
    return " ".join([f"{name:<{width}}", *(f"{cell:>10}" for cell in cells)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
