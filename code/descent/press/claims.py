"""Claims of papers, and what the book found when it measured them again."""

import json
from ast import literal_eval
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from descent._files import replacing
from descent._signatures import checked

Verdict = Literal["holds", "holds under conditions", "corrected here", "read from published data"]


@checked
@dataclass(frozen=True)
class Bound:
    """What is expected of a number that has only to keep to one side; see :func:`at_least`."""

    side: Literal["at least", "at most"]
    value: Any

    def __str__(self) -> str:
        """Write it down as the page of claims prints it."""
        return f"{self.side} {_text(self.value)}"

    def nearest(self, found: Tensor) -> Tensor:
        """Return what is allowed and nearest to each number that was found."""
        limit = _numbers(self.value)
        return found.maximum(limit) if self.side == "at least" else found.minimum(limit)


@checked
def at_least(value: Any) -> Bound:
    """Expect a measurement to be this or larger.

    Args:
        value: a number, or a tensor with a bound for each number measured.

    Example:
        >>> fault(99.0, at_least(100.0))
        'measured 99, expected at least 100'
        >>> Measurement.of(230.0, at_least(100.0))
        Measurement(measured='230', expected='at least 100', tolerance='')
    """
    return Bound("at least", value)


@checked
def at_most(value: Any) -> Bound:
    """Expect a measurement to be this or smaller.

    Args:
        value: a number, or a tensor with a bound for each number measured.

    Example:
        >>> fault(torch.tensor([0.9, 0.7]), at_most([1.0, 0.6]))
        'measured 0.7, expected at most 1, 0.6 at [1]'
    """
    return Bound("at most", value)


@checked
@dataclass(frozen=True)
class Measurement:
    """What was measured, as text: the number, what it should be, and how far off it may be.

    Example:
        >>> Measurement.of(0.3334, 1 / 3, rel=1e-3)
        Measurement(measured='0.3334', expected='0.3333', tolerance='±0.1 %')
        >>> Measurement.of(torch.ones(3) > 0)
        Measurement(measured='yes', expected='yes', tolerance='')
    """

    measured: str
    expected: str
    tolerance: str

    @classmethod
    def of(
        cls, measured: Any, expected: Any = True, *, rel: float = 0.0, abs: float = 0.0
    ) -> "Measurement":
        """Write down a measurement; the arguments are those of :func:`fault`."""
        parts = [f"±{100 * rel:.3g} %"] if rel else []
        parts += [f"±{abs:.3g}"] if abs else []
        return cls(_text(measured), _text(expected), " ".join(parts))


@checked
@dataclass(frozen=True)
class Claim:
    """What a paper says, and how far it is true.

    Args:
        cite: the paper's key in the bibliography.
        says: what the paper says, in Markdown.
        verdict: what became of it.
        conditions: the set-up in which it was measured, or the conditions under which it holds.
        but: what is true instead, if it had to be corrected.
        where: the place in the paper.

    Raises:
        ValueError: the verdict is none of those that there are, or it needs ``conditions`` or
            ``but`` and lacks it.

    Example:
        >>> Claim("paper2020", "It is faster.", "perhaps")
        Traceback (most recent call last):
        ...
        ValueError: verdict must be one of 'holds', ..., got 'perhaps'
    """

    cite: str
    says: str
    verdict: Verdict = "holds"
    conditions: str = ""
    but: str = ""
    where: str = ""

    def __post_init__(self) -> None:
        """Refuse a verdict that lacks what it needs."""
        for verdict, name in {
            "corrected here": "but",
            "holds under conditions": "conditions",
        }.items():
            if self.verdict == verdict and not getattr(self, name):
                raise ValueError(f"the verdict {verdict!r} on {self.says!r} needs {name}")
        if self.but and self.verdict != "corrected here":
            raise ValueError(f"{self.says!r} has but, so its verdict is 'corrected here'")

    @property
    def found(self) -> str:
        """What is true: the claim, or its correction."""
        return self.but or self.says


@checked
def fault(measured: Any, expected: Any = True, *, rel: float = 0.0, abs: float = 0.0) -> str | None:
    """Say where a measurement misses what it should be, or ``None`` if it does not.

    Args:
        measured: a number, a boolean or a tensor.
        expected: what it should be, or its :func:`at_least` or :func:`at_most`.
        rel: relative tolerance, at least 0.
        abs: absolute tolerance, at least 0.

    Raises:
        ValueError: there is nothing to compare, or neither shape expands to the other.

    Example:
        >>> fault(torch.tensor([1.0, 3.0]), 1.0, rel=0.1)
        'measured 3, expected 1 at [1]'
        >>> fault(float("nan"), 1.0, abs=10.0)
        'measured nan, expected 1'
    """
    found, bounded = _numbers(measured), isinstance(expected, Bound)
    wanted = _numbers(expected.value if bounded else expected)
    shapes = tuple(found.shape), tuple(wanted.shape)
    if not found.numel() or not wanted.numel():
        raise ValueError(f"there is nothing to compare in shapes {shapes[0]} and {shapes[1]}")
    if tuple(torch.broadcast_shapes(*shapes)) not in shapes:
        raise ValueError(f"neither of the shapes {shapes[0]} and {shapes[1]} expands to the other")
    wanted = expected.nearest(found) if bounded else wanted
    found, wanted = torch.broadcast_tensors(found, wanted)
    excess = (found - wanted).abs() - (abs + rel * wanted.abs())
    if (excess <= 0).all():
        return None
    # NaN sorts above every number, so a comparison that failed by NaN is named first.
    worst = torch.unravel_index(excess.argmax(), excess.shape)
    place = f" at {[int(index) for index in worst]}" if worst else ""
    named = expected if bounded else f"{wanted[worst]:.6g}"
    return f"measured {found[worst]:.6g}, expected {named}{place}"


@checked
def of_lab(executed: Path) -> list[tuple[Claim, Measurement]]:
    """Read the claims that a lab measured when it was executed, in its order.

    Args:
        executed: the notebook's file; one that was not executed has none.
    """
    cells = json.loads(executed.read_text(encoding="utf-8"))["cells"]
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if output.get("metadata", {}).get("scrapbook", {}).get("name") == f"{executed.stem}-claims":
            (text,) = output["data"].values()
            rows = json.loads(literal_eval("".join(text)))
            return [(Claim(**row["claim"]), Measurement(**row["measurement"])) for row in rows]
    return []


@checked
def as_text(claims: Iterable[tuple[Claim, Measurement]]) -> str:
    """Write the claims of a lab as the text that :func:`of_lab` reads."""
    return json.dumps(
        [
            {"claim": asdict(claim), "measurement": asdict(measurement)}
            for claim, measurement in claims
        ]
    )


@checked
def write(measured: dict[str, list[Measurement]], file: Path) -> None:
    """Write what the tests measured, test by test; the file appears, or is replaced, whole."""
    rows = {test: [asdict(each) for each in found] for test, found in sorted(measured.items())}
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as draft:
        draft.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


@checked
def load(file: Path) -> dict[str, list[Measurement]]:
    """Read back what :func:`write` wrote; empty if there is no such file."""
    if not file.is_file():
        return {}
    rows = json.loads(file.read_text(encoding="utf-8"))
    return {test: [Measurement(**each) for each in found] for test, found in rows.items()}


def _numbers(value: Any) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float64).detach().cpu()


def _text(value: Any) -> str:
    if isinstance(value, Bound):
        return str(value)
    numbers = torch.as_tensor(value).detach().cpu()
    if numbers.dtype == torch.bool:
        return "yes" if numbers.all() else "no"
    shown = [f"{each:.4g}" for each in numbers.flatten().tolist()]
    if len(shown) > 6:
        shown[3:-1] = ["…"]
    return ", ".join(shown)
