"""What every checker of every chapter's exercises says, whatever the exercise is."""

import inspect
import re
import runpy
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
ANSWERS = {
    checker: answers
    for file in sorted(Path(__file__).parent.glob("*/answered.py"))
    for checker, answers in runpy.run_path(str(file))["ANSWERS"].items()
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


@EACH
def test_there_are_three_right_answers_and_four_wrong_ones(checker):
    assert checker in ANSWERS, "no row in the chapter's answered.py"
    answers = ANSWERS[checker]
    assert len(answers.right) >= 3
    assert len(answers.wrong) >= 4


def named(kind):
    return [
        pytest.param(checker, answer, id=f"{checker.__name__}: {name}")
        for checker, answers in ANSWERS.items()
        for name, answer in getattr(answers, kind).items()
    ]


@pytest.mark.parametrize(("checker", "answer"), named("right"))
def test_a_right_answer_is_taken_however_it_is_written(checker, answer, capsys):
    assert checker(answer) is True, capsys.readouterr().out


@pytest.mark.parametrize(("checker", "answer"), named("wrong"))
def test_a_wrong_answer_is_refused_with_words_that_help(checker, answer, capsys):
    answer, words = answer
    assert words in told(capsys, checker, answer)
