"""Each quick answer leads somewhere, and the cheat sheet is what the package and PyTorch say."""

import inspect
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

import quick
from descent import schedules
from descent.optim import OPTIMIZERS

BOOK = Path(__file__).parents[1] / "book"
LINK = re.compile(r"\{(eq|ref|doc)\}`|\]\([\w-]+\.md")
CHAPTERS = sorted(page for page in BOOK.glob("*.md") if f"\n{quick.HEADING}" in page.read_text())


def answers():
    """List the rows of the page, and the points of its lists that have none below them."""
    lines = (BOOK / "quick_answers.md").read_text(encoding="utf-8").splitlines()
    points = [line for line in lines if re.match(r" *(- |\d\. )", line)]
    depth = [len(point) - len(point.lstrip()) for point in points]
    for point, own, following in zip(points, depth, [*depth[1:], 0], strict=True):
        if following <= own:
            yield point
    yield from [line for line in lines if line.startswith("| ")][1:]


ANSWERS = list(answers())


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_leads_to_its_proof(answer):
    assert LINK.search(answer)


def test_there_are_answers():
    assert len(ANSWERS) > 40


@pytest.mark.parametrize("name", quick.rules())
def test_the_line_of_a_rule_builds_pytorchs_optimizer_as_it_is_by_default(name):
    line = next(line for line in quick.construction(name) if line.startswith("torch.optim."))
    model = torch.nn.Linear(2, 1)
    built = eval(line, {"torch": torch, "model": model})
    assert built.defaults == getattr(torch.optim, name)(model.parameters()).defaults


@pytest.mark.parametrize("name", quick.rules())
def test_what_a_rule_remembers_is_what_it_keeps(name):
    theta = torch.zeros(3, requires_grad=True)
    flags = (
        {"momentum": 0.9} if "momentum" in inspect.signature(OPTIMIZERS[name]).parameters else {}
    )
    flags |= {"centered": True} if name == "RMSprop" else {}
    flags |= {"amsgrad": True} if name in ("Adam", "AdamW") else {}
    optimizer = OPTIMIZERS[name]([theta], **flags)
    theta.sum().backward()
    optimizer.step()
    kept = {key for key, value in optimizer.state[theta].items() if value.shape == theta.shape}
    (line, _) = quick.remembered(name)
    assert set(re.findall(r"`(\w+)`", line)) - set(flags) == kept
    assert all(isinstance(value, Tensor) for value in optimizer.state[theta].values())


@pytest.mark.parametrize(
    ("sheet", "cards"), [("optimizers", quick.rules), ("schedules", quick.rates)]
)
def test_every_rule_has_its_card_and_its_proof(sheet, cards):
    text = (BOOK / "cheat_sheet.md").read_text(encoding="utf-8")
    listed = re.search(rf"```\{{cheat-sheet\}} {sheet}\n(.*?)```", text, re.S)[1].splitlines()
    assert [line.split(":")[0] for line in listed] == list(cards())
    assert all(LINK.search(line) for line in listed)
    assert all(len(card) > 2 and "$$" in card for card in cards().values())


@pytest.mark.parametrize("name", quick.rates())
def test_a_schedule_names_pytorchs_class(name):
    line = next(line for line in quick.rates()[name] if "·" in line)
    (torchs, ours) = re.fullmatch(r"(.+) · `descent\.schedules\.(\w+)`", line).groups()
    assert hasattr(schedules, ours)
    if name in ("inverse_sqrt", "inverse_time"):
        assert torchs.startswith("no class")
    else:
        assert hasattr(torch.optim.lr_scheduler, torchs.strip("`"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda page: page.stem)
def test_the_advice_of_a_chapter_is_there_whole(chapter):
    section = re.split(rf"(?m)^{quick.HEADING}.*$", chapter.read_text(encoding="utf-8"))[1]
    section = re.split(r"(?m)^## ", section)[0]
    points = re.findall(r"(?m)^(?:- |\d\. |\| ).*$", re.sub(r"(?ms)^`{3,}.*?^`{3,}$", "", section))
    assert points
    assert [line for line in quick.on_monday(chapter.read_text()) if line in points] == points


def test_every_chapter_with_a_lab_advises():
    labs = {page.stem.removesuffix("_lab") for page in BOOK.glob("*_lab.ipynb")}
    assert {page.stem for page in CHAPTERS} == labs
