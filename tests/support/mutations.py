"""Change every printed equation a little, and see whether its own tests fail.

``python tests/support/mutations.py`` prints what was tried; :mod:`test_mutations` asserts it.
"""

import re
import runpy
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path

import torch
from printed import Misprint, equations

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
    "gd-scalar": {
        r"\theta_t - \theta^\star = (1 - \lambda \eta )^t (\theta_0 - \theta^\star).": (
            "same product"
        ),
    },
    "gd-rate": {
        r"\rho(\eta) = \max\left(1 - \eta\mu, |1 - \eta L|\right).": (
            "where 1 - eta mu is negative, 1 - eta L is more so, and its bars decide the maximum"
        ),
    },
    "gd-best-lr": {r"\eta^\star = \frac{2}{\mu  + L},": "same sum"},
    "gd-valley": {r"\lambda_{\max} = b^2 + a^2.": "same sum"},
    "gd-forward": {
        r"\left|\frac{f(x + h) - f(x)}{h} - f'(x)\right|"
        r" \le \frac{M_2 h}{2} + \frac{2 F \varepsilon }{h}.": "same product",
    },
    "gd-forward-best": {r"h^\star = 2 \sqrt{\frac{F \varepsilon }{M_2}},": "same product"},
    "gd-central": {
        r"\left|\frac{f(x + h) - f(x - h)}{2h} - f'(x)\right|"
        r" \le \frac{M_3 h^2}{6} + \frac{F \varepsilon }{h},": "same product",
    },
    "gd-central-best": {r"h^\star = \sqrt[3]{\frac{3 F \varepsilon }{M_3}}.": "same product"},
    "ls-moments": {r"\sigma^2 = d^2 + s^2.": "same sum"},
    "sgd-unreplaced": {
        r"\mathbb{E}\|g - \nabla f(\theta)\|^2 = \frac{\sigma^2}{B}  \frac{N - B}{N - 1}.": (
            "a product needs no dot"
        ),
    },
    "sgd-floor": {
        r"B = \frac{\eta\sigma^2}{\lambda F (2 - \eta\lambda)}.": "the same, solved for B",
    },
    "sgd-transient": {
        r"\mathbb{E}[\theta_t^2] = F + (1 - \lambda \eta )^{2t} (\theta_0^2 - F).": "same product",
    },
    "sgd-far": {
        r"\sum_{t=0}^{\infty} \eta_t = 2\infty ": "same infinity",
        r"\sum_{t=0}^{\infty} \eta_t = \infty^2": "same infinity",
    },
    "sgd-quiet": {
        r"\sum_{t=0}^{\infty} \eta_t^2 < 2\infty .": "same infinity",
        r"\sum_{t=0}^{\infty} \eta_t^2 < \infty^2.": "same infinity",
    },
    "sgd-average-square": {
        r"\mathbb{E}[\bar\theta_T^2] = \left(\frac{\theta_0 (1 - a^T)}{\eta\lambda T}\right)^2"
        r" + \frac{\sigma^2}{\lambda^2 B T^2}"
        r" \left(T - 2  \frac{1 - a^T}{1 - a} + \frac{1 - a^{2T}}{1 - a^2}\right).": (
            "a product needs no dot"
        ),
    },
    "sgd-tradeoff": {
        r"\left(\frac{n}{n_{\min}} - 1\right) \left(\frac{s}{s_{\min}} - 1\right) = 1.": (
            "same product"
        ),
    },
    "sgd-reshuffled": {
        r"\mathbb{E}[\theta^2] = \frac{\eta^2 \sigma_B^2}{1 - a^{2M}}  \frac{M}{M - 1}"
        r" \left(\frac{1 - a^{2M}}{1 - a^2} - \frac{(1 - a^M)^2}{M (1 - a)^2}\right).": (
            "a product needs no dot"
        ),
    },
    "mom-parabola": {
        r"c_{t+1} = (1 + \beta - \lambda \eta ) c_t - \beta c_{t-1}.": "same product",
    },
    "mom-char": {
        r"z^2 - (1 + \beta - \lambda \eta ) z + \beta = 0.": "same product",
    },
    "mom-swing": {
        r"(1 - \sqrt{\beta})^2 < \lambda \eta  < (1 + \sqrt{\beta})^2.": "same product",
    },
    "mom-slow-root": {
        r"z \approx 1 - \frac{\lambda }{1 - \beta} \eta ,": "same product",
    },
    "mom-critical": {
        r"\beta_c = (1 - \sqrt{\lambda \eta })^2,": "same product",
    },
    "mom-critical-rate": {
        r"\rho = |1 - \sqrt{\lambda \eta }|.": "same product",
    },
    "mom-best-lr": {
        r"\eta^\star = \left(\frac{2}{\sqrt{\mu } + \sqrt{L}}\right)^2": "same sum",
    },
    "mom-cross": {
        r"q = (1 + \beta - \lambda \eta ) p - \beta q.": "same product",
    },
    "mom-nesterov-char": {
        r"z^2 - (1 + \beta)(1 - \lambda \eta ) z + \beta (1 - \lambda \eta ) = 0.": "same product",
    },
    "mom-nesterov-modulus": {
        r"|z| = \sqrt{\beta (1 - \lambda \eta )},": "same product",
    },
    "mom-back": {
        r"x_t = y_t + \beta  \eta  b_t,": "same product",
    },
    "mom-cycle": {
        r"\theta_{t+1} = \frac{8}{3} s_t^2 - \frac{4}{3} \theta_t - \frac{4}{9} \theta_{t-1},": (
            "0 and 1 are their own squares"
        ),
    },
    "rms-sign": {
        r"\theta_{t+1,i} = \theta_{t,i} - \eta \frac{|g_{t,i}|}{g_{t,i}}.": (
            "a sign is its own reciprocal"
        ),
    },
    "rms-noise-floor": {
        r"\mathbb{E}[\theta^2] \approx \frac{\sigma \eta }{2\lambda}.": "same product",
    },
    "adam-shrink": {
        r"\mathbb{E}[\theta_t] = (1 - \lambda  \eta )^t \theta_0"
        r" \approx e^{-\lambda  \eta  t} \theta_0.": "same product",
    },
    "lrd-linear-end": {
        r"u_T \approx \frac{\sqrt{\eta }}{4} \frac{\sigma^2}{\lambda}"
        r" \sqrt{\frac{\pi }{\lambda T}}.": "same product",
    },
    "adam-class-sign": {
        r"\ell_k = \ln\left(1 + (K - 1) e^{-2 t \eta }\right),": "same product",
    },
    "cost-bound": {r"R \ge \frac{q d}{\tau }.": "the same, solved for R"},
    "cost-ridge": {
        r"\frac{A}{S} < \frac{q}{R}.": "both sides times q/S",
        r"\frac{R}{q} < \frac{S}{A}.": "both sides times R/A",
    },
    "cost-launch-serial": {r"\tau = a n + \frac{q d}{R}.": "same product"},
    "cost-launch-overlap": {
        r"\tau \approx \max\left(a n, \frac{q d}{R}\right).": "same product",
    },
    "cost-crossover": {
        r"d^\star = \frac{a n R}{q}.": "same product",
        r"d^\star = \frac{R a n}{q}.": "same product",
        r"d^\star = \frac{n R a}{q}.": "same product",
    },
    "cost-batch": {r"B^\star = \frac{S q}{6 R}.": "same product"},
    "cost-stall-decay": {r"\lambda \eta  \le 2^{-(p + 1)}.": "same product"},
}
"""By label, the changed formulas that are no mistakes, each with the reason."""


def mutants(latex: str) -> list[str]:
    r"""Change a formula in every small way that a slip of the pen might.

    Args:
        latex: the formula.

    Returns:
        The changed formulas, each once: a sign, a relation or a numeral changed; a factor, an
        exponent, a root, a pair of bars or half of a fraction dropped; a fraction turned over; a
        symbol doubled, squared or put in place of another; two symbols exchanged.

    Example:
        >>> mutants(r"a = 2b")[:6]
        ['a \\le  2b', 'a \\ge  2b', 'a = 3b', 'a = 1b', ' = 2b', 'b = 2b']
    """
    found = dict.fromkeys([*_token_changes(latex), *_structure_changes(latex)])
    return [mutant for mutant in found if mutant.split() != latex.split()]


def _token_changes(latex: str) -> Iterator[str]:
    tokens = TOKEN.findall(latex)
    symbols = list(dict.fromkeys(token for token in tokens if SYMBOL.fullmatch(token)))

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
            changed += [f"2{token}", f"{token}^2"]
        for other in changed:
            yield put(index, other)
    for bar in ("|", r"\|"):
        bars = [index for index, token in enumerate(tokens) if token == bar]
        for first, second in pairwise(bars):
            yield "".join(t for index, t in enumerate(tokens) if index not in (first, second))
    for index, one in enumerate(symbols):
        for two in symbols[:index]:
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
def labelled_tests() -> dict[str, list[Callable[[], None]]]:
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
    original = equations()[label]
    equations()[label] = latex
    try:
        yield
    finally:
        equations()[label] = original


def verdict(label: str, latex: str) -> str:
    """Run the label's tests on another formula.

    Returns:
        ``"unreadable"`` if the tests could not read it, ``"wrong"`` if they found it wrong, and
        ``"survived"`` if they all passed.
    """
    with printed_as(label, latex), warnings.catch_warnings():
        warnings.simplefilter("error")  # as pytest is told to
        for test in labelled_tests()[label]:
            try:
                test()
            except Misprint:
                return "unreadable"
            except Exception:  # whatever makes a test fail
                return "wrong"
    return "survived"


def survivors(label: str) -> list[str]:
    """List the changed formulas that the label's tests do not notice."""
    return [latex for latex in mutants(equations()[label]) if verdict(label, latex) == "survived"]


def main() -> int:
    """Print, by label, how many changes were tried and what became of them."""
    torch.set_num_threads(1)  # faster, on tensors this small
    total: dict[str, int] = defaultdict(int)
    unexplained = 0
    for label, original in equations().items():
        count: dict[str, int] = defaultdict(int)
        for latex in mutants(original):
            result = verdict(label, latex)
            if result == "survived" and latex in EQUIVALENT.get(label, {}):
                result = "equivalent"
            count[result] += 1
            if result == "survived":
                unexplained += 1
                print(f"{label} survived: {latex}")
        print(f"{label}: {sum(count.values())} tried,", dict(count))
        for result, number in count.items():
            total[result] += number
    print(f"all: {sum(total.values())} tried,", dict(total))
    return min(unexplained, 1)


if __name__ == "__main__":
    sys.exit(main())
