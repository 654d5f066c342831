"""What must hold between the pages, the tests and the package; no build is needed to see it."""

import ast
import json
import re

import pytest
import torch
import yaml
from printed import equations
from sphinx_external_toc.parsing import parse_toc_yaml

import marks
from descent.chapters.parameters import parameters_of
from descent.press.claims import Claim
from descent.press.pages import ROOT, chapters_in_toc, labs_in_toc, notebook_of, unsaid

BOOK = ROOT / "book"
PROSE = {page.relative_to(BOOK).as_posix(): page.read_text("utf-8") for page in BOOK.rglob("*.md")}
# What a reader does not import.
INTERNAL = {f"descent.press.{name}" for name in ("cli", "pages", "picture", "records", "runner")}
INTERNAL |= {"descent.chapters.verdict"}


def test_every_page_has_its_place_in_the_book():
    placed = set(parse_toc_yaml(ROOT / "_toc.yml"))
    assert {f"book/{page}".removesuffix(".md") for page in PROSE} <= placed


def test_every_equation_has_a_test_and_every_test_an_equation():
    assert {label for label, _ in marks.equations(ROOT)} == set(equations())


def code_of(lab):
    cells = json.loads(notebook_of(lab).read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def claims_in(lab):
    return [
        node
        for source in code_of(lab)
        if "lab.claim(" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "lab.claim"
    ]


@pytest.mark.parametrize("lab", labs_in_toc())
def test_a_lab_keeps_the_claims_that_it_measures(lab):
    *before, last = code_of(lab)
    assert not any("keep_claims" in source for source in before)
    assert bool(claims_in(lab)) == (last == "lab.keep_claims()")


def test_every_test_of_a_claim_records_what_it_measures():
    silent = [
        f"{test.file}::{test.name}"
        for _, test in marks.claims(ROOT)
        if not re.search(
            rf"def {test.name}\([^)]*\brecord\b", (ROOT / test.file).read_text("utf-8")
        )
    ]
    assert silent == []


@pytest.mark.parametrize("page", [name for name in PROSE if "{dropdown}" in PROSE[name]])
def test_a_fold_is_one(page):
    """A fence of backticks has none in its title, and what begins with a colon is an option."""
    for title, below in re.findall(r"^`+\{dropdown\}(.*)\n(.*)$", PROSE[page], re.M):
        assert "`" not in title
        assert not below.startswith(":::"), f"no empty line below{title}"


@pytest.mark.parametrize("lab", labs_in_toc())
def test_a_cell_that_draws_a_figure_prints_nothing_beside_it(lab):
    cells = json.loads(notebook_of(lab).read_text("utf-8"))["cells"]
    for cell in cells:
        source = "".join(cell["source"])
        if "image" not in cell["metadata"].get("mystnb", {}) or source.rstrip().endswith(";"):
            continue
        if "knob" in cell["metadata"]["tags"]:  # its function returns nothing
            continue
        last = ast.parse(source).body[-1]
        if isinstance(last, ast.Expr):
            assert ast.unparse(last).startswith(("lab.figure(", "lab.glue(")), ast.unparse(last)


def test_every_claim_cites_an_entry_of_the_bibliography():
    entries = set(re.findall(r"^@\w+\{(\S+),$", (BOOK / "references.bib").read_text("utf-8"), re.M))
    cited = {claim.cite for claim, _ in marks.claims(ROOT)}
    cited |= {call.args[0].value for lab in labs_in_toc() for call in claims_in(lab)}
    assert cited
    assert cited <= entries


def test_every_term_is_in_the_glossary():
    defined = set(re.findall(r"^(?! |:|`|#)(.+)$", PROSE["glossary.md"], re.M))
    used = {
        match["target"] or match["text"]
        for text in PROSE.values()
        for match in re.finditer(r"\{term\}`(?P<text>[^`<]+?)(?:\s*<(?P<target>[^>]+)>)?`", text)
    }
    assert used
    assert used <= defined


def test_the_first_page_maps_every_chapter():
    (lines,) = re.findall(r"(?ms)^```\{chapter-map\}\n(.*?)^```$", PROSE["index.md"])
    assert re.findall(r"(?m)^(\w+): .", lines) == list(chapters_in_toc())


def test_the_commands_on_the_first_page_name_real_parameters():
    commands = re.findall(r"(\w+_lab)\S*(?: \S+\.ipynb)? -p (\w+)", PROSE["index.md"])
    assert len(commands) == 2
    for lab, parameter in commands:
        assert parameter in parameters_of(lab).model_fields


def test_the_table_of_rules_states_defaults_and_states_as_pytorch_has_them():
    page = (ROOT / "book/adam.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| \$[^|]*\$: (\d)[^|]*\|.*\| (0\.\d+) \|", page, re.MULTILINE)
    assert len(rows) == 9
    for name, state, lr in rows:
        options = {"SGD": {"momentum": 0.9}, "AMSGrad": {"amsgrad": True}}.get(name, {})
        param = torch.ones(3, requires_grad=True)
        optimizer = getattr(torch.optim, {"AMSGrad": "Adam"}.get(name, name))([param], **options)
        param.sum().backward()
        optimizer.step()
        held = optimizer.state[param].values()
        assert sum(each.shape == param.shape for each in held) == int(state), name
        assert optimizer.defaults["lr"] == float(lr), name


def test_every_module_has_its_place_in_the_reference():
    package = ROOT / "code/descent"
    modules, packages, handed_on = set(), set(), set()
    for path in package.rglob("*.py"):
        parts = ("descent", *path.relative_to(package).with_suffix("").parts)
        if parts[-1] == "__init__":
            inside = ".".join(parts[:-1])
            tree = ast.walk(ast.parse(path.read_text("utf-8")))
            taken = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
            if taken := {name for name in taken if name.startswith(f"{inside}.")}:
                packages.add(inside)
                handed_on |= taken
        elif not parts[-1].startswith("_"):
            modules.add(".".join(parts))
    shown = set(re.findall(r"automodule:: (\S+)", "".join(PROSE.values())))
    assert shown == packages | (modules - handed_on - INTERNAL)


@pytest.fixture
def tests_of(tmp_path):
    """Return a function that makes a text the only file of equation tests."""

    def write(source):
        folder = tmp_path / marks.FOLDER / "one"
        folder.mkdir(parents=True)
        (folder / "test_equations.py").write_text(source, encoding="utf-8")
        return tmp_path

    return write


def test_marks_are_read_from_the_source(tests_of):
    root = tests_of(
        "class TestGroup:\n"
        "    @pytest.mark.equation('one')\n"
        "    @pytest.mark.equation(label='two')\n"
        "    @pytest.mark.parametrize('x', [1])\n"
        "    def test_both(self, x): pass\n"
        "@pytest.mark.claim(cite='paper', says='so ' 'it is')\n"
        "def test_it(): pass\n"
    )
    both = marks.Test("test_both", "tests/chapters/one/test_equations.py", 5)
    assert marks.equations(root) == [("one", both), ("two", both)]
    it = marks.Test("test_it", "tests/chapters/one/test_equations.py", 7)
    assert marks.claims(root) == [(Claim(cite="paper", says="so it is"), it)]


@pytest.mark.parametrize(
    ("decorator", "problem"),
    [
        ("equation(LABEL)", "label must be a literal string in the mark of test_it, got LABEL"),
        ("equation()", "label must be a literal string in the mark of test_it, got nothing"),
        (
            "claim(cite='paper')",
            "says must be a literal string in the mark of test_it, got nothing",
        ),
        ("claim(cite='paper', says='so', why='')", "Claim.__init__() got an unexpected keyword"),
        ("claim(cite='paper', says='so', verdict='no')", "verdict must be one of"),
    ],
)
def test_a_mark_that_cannot_be_read_is_refused(tests_of, decorator, problem):
    root = tests_of(f"@pytest.mark.{decorator}\ndef test_it(): pass\n")
    place = "tests/chapters/one/test_equations.py:2"
    with pytest.raises(ValueError, match=f"{place}: .*{re.escape(problem)}"):
        marks.equations(root), marks.claims(root)


PAGE = """# A chapter

```{lab-figure} a-fig
:alt: It rises. Then it falls, by $2$.

One run. Dashed: {eq}`a-b`.
```
"""
SAYS = ("It rises.", "Then it falls, by $2$.", "One run.", "Dashed: {eq}`a-b`.")


def lab_that_says(root, *sentences, name="a-fig", page="a"):
    says = ", ".join(f"{each!r}: True" for each in sentences)
    source = [f'lab.figure("{name}", fig, says={{{says}}})']
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": source}
    (root / "book").mkdir(exist_ok=True)
    pages = {"a": "# A chapter\n", page: PAGE}
    for each, text in pages.items():
        (root / "book" / f"{each}.md").write_text(text)
    nested = [{"file": f"book/{each}"} for each in (*pages, "a_lab")]
    toc = {"root": "book/index", "chapters": [nested[0] | {"sections": nested[1:]}]}
    (root / "_toc.yml").write_text(yaml.safe_dump({"format": "jb-book"} | toc))
    (root / "book" / "a_lab.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))


@pytest.mark.parametrize("page", ["a", "a_further"])
def test_sentences_that_a_page_and_its_lab_share_are_no_fault(tmp_path, page):
    lab_that_says(tmp_path, *SAYS, page=page)
    assert unsaid("a_lab", tmp_path) == []


@pytest.mark.parametrize("left_out", SAYS)
def test_a_sentence_that_the_lab_does_not_assert_is_a_fault(tmp_path, left_out):
    lab_that_says(tmp_path, *(each for each in SAYS if each != left_out))
    assert unsaid("a_lab", tmp_path) == [f"a_lab: a-fig: not asserted: {left_out}"]


def test_a_sentence_that_the_page_does_not_print_is_a_fault(tmp_path):
    lab_that_says(tmp_path, *SAYS, "It is blue.")
    assert unsaid("a_lab", tmp_path) == ["a_lab: a-fig: not printed: It is blue."]


def test_a_lab_that_asserts_nothing_at_all_is_a_fault(tmp_path):
    lab_that_says(tmp_path)
    notebook = tmp_path / "book" / "a_lab.ipynb"
    notebook.write_text(notebook.read_text().replace("lab.figure", "lab.glue"))
    assert unsaid("a_lab", tmp_path) == ["a_lab: nothing is asserted of a-fig"]


def test_a_figure_of_which_nothing_is_asserted_is_a_fault(tmp_path):
    lab_that_says(tmp_path, *SAYS, name="b-fig")
    assert unsaid("a_lab", tmp_path) == [
        "a_lab: nothing is asserted of a-fig",
        "a_lab: b-fig: not printed",
    ]
