"""What holds of every lab as it is written: its first screen, its exercises, its figures."""

import ast
import re
from itertools import pairwise

import pytest

from descent.press.pages import ROOT, chapters_in_toc, labs_in_toc, notebook_of, read_notebook
from lab_page import shown_by_the_chapter, source_of

LABS = labs_in_toc()
KNOB = r"(\w+) = \S+  # change this number: (from|above) \S+ (and )?up to \S+"
DRAWN = {"output_type": "display_data", "data": {"text/html": '<div class="drawing">'}}
MOST_EXERCISES = 3  # in a row, at the end of a section


@pytest.fixture(params=LABS)
def lab(request):
    return request.param


@pytest.fixture
def cells(lab):
    return read_notebook(notebook_of(lab))["cells"]


def tags_of(cell):
    return cell["metadata"].get("tags", [])


def tree_of(cell):
    lines = source_of(cell).splitlines()
    return ast.parse("\n".join(line for line in lines if not line.lstrip().startswith("%")))


def alt_of(cell):
    return cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")


def draws(source):
    return "plotting.figure(" in source or "plotting.multiples(" in source


def code_in(cells):
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_a_lab_opens_with_a_number_to_change_and_a_figure(cells):
    code = code_in(cells)
    (place,) = [index for index, cell in enumerate(code) if "knob" in tags_of(cell)]
    for before in code[:place]:
        assert "hide-input" in tags_of(before), source_of(before)
    number, call = source_of(code[place]).splitlines()
    assert re.fullmatch(KNOB, number), number
    (drawing,) = [
        definition
        for definition in tree_of(code[place - 1]).body
        if isinstance(definition, ast.FunctionDef) and call.startswith(f"{definition.name}(")
    ]
    assert draws(ast.unparse(drawing))
    assert "return" not in ast.unparse(drawing), "what it returns would be printed"
    assert len(alt_of(code[place]).split()) > 10


def test_nothing_in_a_lab_depends_on_the_number_to_change(cells):
    code = code_in(cells)
    (place,) = [index for index, cell in enumerate(code) if "knob" in tags_of(cell)]
    name = re.match(KNOB, source_of(code[place]))[1]
    for later in code[place + 1 :]:
        uses = [node for node in ast.walk(tree_of(later)) if isinstance(node, ast.Name)]
        stores = [use for use in uses if use.id == name and isinstance(use.ctx, ast.Store)]
        assert stores or name not in {use.id for use in uses}, source_of(later)
        if stores:
            return


def test_exercises_stand_after_the_sections_that_they_belong_to(cells):
    text = "\n".join(source_of(cell) for cell in cells if cell["cell_type"] == "markdown")
    numbers = [int(number) for number in re.findall(r"(?m)^### Exercise (\d+)\. \S", text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5
    counts = []
    for section in re.split(r"(?m)^## ", text)[1:]:
        before, *exercises = re.split(r"(?m)^### Exercise ", section)
        counts.append(len(exercises))
        assert not exercises or len(before.split()) > 50, section.splitlines()[0]
    assert max(counts) <= MOST_EXERCISES
    assert len([count for count in counts if count]) >= 4


def test_each_exercise_has_a_task_and_a_solution_at_once_or_is_open(cells):
    for place, cell in enumerate(cells):
        if not source_of(cell).startswith("### Exercise"):
            continue
        if ". Open" in source_of(cell).splitlines()[0]:
            assert "no checker" in " ".join(source_of(cell).split())
            continue
        task, solution = cells[place + 1 : place + 3]
        (checker,) = set(re.findall(r"exercise\.(\w+)\(", source_of(task)))
        assert f"exercise.{checker}(" in source_of(solution)
        assert solution["metadata"]["mystnb"]["code_prompt_show"] == "Show a solution"


def test_a_figure_has_the_words_that_the_chapter_has_for_it(lab, cells):
    words = {}
    for page in chapters_in_toc()[lab.removesuffix("_lab")]:
        text = (ROOT / f"book/{page}.md").read_text(encoding="utf-8")
        found = re.findall(r"(?m)^```\{lab-figure\} (\S+)\n(?::name: .*\n)?:alt: (.*)$", text)
        words |= dict(found)
    # As if the lab had run: what draws a figure has words for it.
    ran = [{**cell, "outputs": [DRAWN] if alt_of(cell) else []} for cell in cells]
    shown = shown_by_the_chapter(ran)
    assert {name: alt_of(cells[place]) for place, name in shown.items()} == words


def test_every_cell_that_draws_says_what_it_shows(cells):
    code = code_in(cells)
    for cell, after in pairwise(code):
        if draws(source_of(cell)) and "knob" not in tags_of(after):
            assert alt_of(cell), source_of(cell)


def test_a_figure_goes_with_the_next_that_is_kept():
    def cell(source, drawn=False):
        return {"source": [source], "outputs": [DRAWN] if drawn else []}

    kept = 'lab.figure("{}", fig, says={{}})'
    cells = [
        cell("show(1)", drawn=True),
        cell("draw()", drawn=True),
        cell("1 + 1"),
        cell(kept.format("a-fig-one")),
        cell("draw()\n" + kept.format("a-fig-two"), drawn=True),
        cell(kept.format("a-fig-nowhere")),
    ]
    assert shown_by_the_chapter(cells) == {1: "a-fig-one", 4: "a-fig-two"}
