r"""Read from a page's Markdown which letters its mathematics uses, and which its tables declare.

>>> sorted(letters(r"Let $\hat y_i = \sigma(z)$, and $\mathrm{Var}[m_t] \to 0$."))
['\\hat y', '\\sigma', 'm', 'z']
>>> declared("| $\\theta_t$ | `p` | the parameters |\n| $\\kappa = L/\\mu$ | | a ratio |")
{'\\theta_t': 'the parameters', '\\kappa': 'a ratio'}
"""

import re

MATH = re.compile(
    r"^(?P<fence>`{3,})\{math\} *\n(?P<block>(?:[^\n]*\n)*?)(?P=fence)$"
    r"|\$\$(?P<display>.+?)\$\$|(?<![\\$])\$(?P<inline>[^$]+)\$",
    re.MULTILINE | re.DOTALL,
)
CODE = re.compile(
    r"^(`{3,})(?!\{math\})[^\n]*python[^\n]*\n.*?^\1$|(?<!`)`[^`\n]+`(?!`)", re.M | re.S
)
NAMES = re.compile(
    r"\\(?:text|mathrm|operatorname\*?|mathbb|label|begin|end|texttt|color)\{[^{}]*\}"
)
ACCENTS = r"hat|bar|tilde|dot|ddot|vec|widehat|overline|underline|boldsymbol|mathbf|mathcal"
GREEK = (
    r"(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|phi"
    r"|chi|psi|omega|var(?:epsilon|phi|theta|rho)|ell"
    r"|Gamma|Delta|Theta|Lambda|Xi|Pi|Sigma|Phi|Psi|Omega)(?![A-Za-z])"
)
LETTER = re.compile(
    rf"\\(?P<accent>{ACCENTS})(?:\s*\{{\s*(?P<in>\\?[A-Za-z]+)\s*\}}|\s+(?P<after>\\?[A-Za-z]+)"
    rf"|\s*(?P<command>\\[A-Za-z]+))|\\(?P<greek>{GREEK})|\\[A-Za-z]+|(?P<latin>[A-Za-z])"
)
SUBSCRIPT = re.compile(r"_(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|\\[A-Za-z]+|[A-Za-z0-9])")


def formulas(page: str) -> list[str]:
    """List the formulas of a page, without what is code."""
    found = [
        next(text for text in (m["block"], m["display"], m["inline"]) if text is not None)
        for m in MATH.finditer(CODE.sub("", page))
    ]
    return [re.sub(r"(?m)^:.*$", "", formula) for formula in found]


def letters(page: str) -> set[str]:
    """Collect the letters of a page's formulas, with their accents and without their indices."""
    found = set()
    for formula in formulas(page):
        found |= _letters(SUBSCRIPT.sub("", NAMES.sub(" ", formula)))
    return found


def _letters(formula: str) -> set[str]:
    found = set()
    for match in LETTER.finditer(formula):
        inside = match["in"] or match["after"] or match["command"]
        if match["accent"]:
            found.add(f"\\{match['accent']} {inside}")
        elif match["latin"]:
            found.add(match["latin"])
        elif match["greek"]:
            found.add(f"\\{match['greek']}")
    return found


def declared(page: str) -> dict[str, str]:
    """Read the tables of symbols: each symbol, with its indices, to its meaning."""
    found = {}
    for row in re.findall(r"(?m)^\|(.+)\|$", page):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", row)]
        for formula in re.findall(r"\$([^$]+)\$", cells[0]):
            for symbol in re.split(r",(?![^{(]*[})])", formula):
                name = re.split(r"\s(?:=|\\in)\s", symbol.strip())[0]
                found[name.replace("{", "").replace("}", "") if "_" in name else name] = cells[-1]
    return found


def base(symbol: str) -> set[str]:
    """Collect the letters of a declared symbol, without its indices and arguments."""
    return _letters(SUBSCRIPT.sub("", re.sub(r"\(.*\)", "", NAMES.sub(" ", symbol))))
