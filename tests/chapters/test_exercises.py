"""What every checker of every chapter's exercises says, whatever the exercise is."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
from answers import told

from descent import chapters


def checkers_of(chapter):
    found = vars(import_module(f"descent.chapters.{chapter}.exercises"))
    return [
        each
        for name, each in found.items()
        if inspect.isfunction(each) and each.__module__ == found["__name__"] and name[0] != "_"
    ]


CHECKERS = {
    f"{chapter}: {checker.__name__}": checker
    for chapter in sorted(
        file.parent.name for file in Path(*chapters.__path__).glob("*/exercises.py")
    )
    for checker in checkers_of(chapter)
}
EACH = pytest.mark.parametrize("checker", CHECKERS.values(), ids=CHECKERS)


@EACH
def test_an_empty_body(checker, capsys):
    assert "returned None: write its body first" in told(capsys, checker, lambda *_: None)


@EACH
def test_an_answer_of_the_wrong_kind(checker, capsys):
    line = told(capsys, checker, lambda *_: "many")
    assert re.search(r" returned (a str where|'many', not) ", line)


@EACH
def test_the_readers_own_error_comes_through(checker):
    def answer(*_):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        checker(answer)
