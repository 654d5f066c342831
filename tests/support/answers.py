"""What a checker of an exercise says to an answer."""

from collections.abc import Callable
from typing import Any

import pytest


def told(capsys: pytest.CaptureFixture[str], checker: Callable[..., bool], answer: Any) -> str:
    """Give a checker a wrong answer, and return the one line that it prints."""
    assert checker(answer) is False
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"not yet: {checker.__name__}")
    return line
