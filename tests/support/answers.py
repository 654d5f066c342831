"""What a checker of an exercise says to an answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Answers:
    """Answers to one exercise, each under a name that says what is particular about it.

    Args:
        right: answers that the checker has to take, written differently from each other.
        wrong: answers that it has to refuse, wrong in different ways, each with words that it
            has to say.
    """

    right: Mapping[str, Callable[..., Any]]
    wrong: Mapping[str, tuple[Callable[..., Any], str]]


def told(capsys: pytest.CaptureFixture[str], checker: Callable[..., bool], answer: Any) -> str:
    """Give a checker a wrong answer, and return the one line that it prints."""
    assert checker(answer) is False
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"not yet: {checker.__name__}")
    return line
