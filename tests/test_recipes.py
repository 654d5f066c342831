"""CONTRIBUTING's recipes, done to the letter in a copy of the repository.

What a recipe writes into files, and the commands it names, are its own code blocks. Two commands
are not run, since they take minutes: ``make book`` and ``make test``. In place of the first, the
new pages are rendered as a book of their own.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).parents[1]
RECIPES = ("Add a chapter", "Add an equation test", "Add an optimizer", "Add a claim")
pytestmark = pytest.mark.xdist_group("recipes")  # all of them have one copy between them
NOT_RUN = {"make book", "make test"}

BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})(?P<language>\w+)\n(?P<body>.*?)^(?P=indent)(?P=fence)$",
    re.M | re.S,
)
PLACE = re.compile(
    r"^ *(?P<verb>Write|Add to the end of|In) `(?P<path>[^`]+)`:\n\n\Z", re.MULTILINE
)


def changed(text: str, hunk: str) -> str:
    """Change a text as a hunk of a diff says, whose lines it holds exactly once."""
    lines = [(line[:1] or " ", line[1:]) for line in hunk.splitlines()]
    old, new = (
        "".join(f"{line}\n" for sign, line in lines if sign in kept) for kept in (" -", " +")
    )
    assert f"\n{text}".count(f"\n{old}") == 1, f"not exactly once there:\n{old}"
    return f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]


def notebook(cells: str) -> str:
    """Make a notebook of its cells, each under a ``# %%`` as editors write it."""
    made = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    for number, cell in enumerate(re.split(r"^# %%", cells, flags=re.M)[1:]):
        head, _, source = cell.rstrip("\n").partition("\n")
        if "[markdown]" in head:
            new = new_markdown_cell(re.sub(r"^# ?", "", source, flags=re.M))
        else:
            new = new_code_cell(source, metadata={"tags": re.findall(r'"(.+?)"', head)})
        new.id = f"cell-{number:02}"
        made.cells.append(new)
    return nbformat.writes(made) + "\n"


def copied(root: Path) -> "Copy":
    """Copy the checkout as it stands, with the environment that runs the tests for its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    venv = root / ".venv"
    venv.mkdir()
    for each in Path(sys.prefix).iterdir():
        if each.name not in (".locked", ".ready"):
            (venv / each.name).symlink_to(each)
    (venv / ".locked").write_text(f"{root.resolve()}\n")  # so that make takes it as it is
    (venv / ".ready").touch()
    return Copy(root)


class Copy:
    """A copy of the checkout, to which recipes are done."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.touched: dict[str, set[str]] = {}
        self.ran: dict[str, list[str]] = {}

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
        env = {name: value for name, value in os.environ.items() if name not in outer}
        # Bytecode would outlive a change of a file within a second that leaves its size.
        env |= {"PYTHONPATH": str(self.root / "code"), "PYTHONDONTWRITEBYTECODE": "1"}
        env["PYTEST_ADDOPTS"] = "-p no:nbval"  # which takes seconds to import, each time
        arguments = shlex.split(command)
        return subprocess.run(arguments, cwd=self.root, env=env, capture_output=True, text=True)

    @contextmanager
    def exchanged(self, path: str, right: str, wrong: str) -> Iterator[None]:
        """Put something wrong in the place of what is right, for the length of a block."""
        file = self.root / path
        text = file.read_text()
        assert right in text
        file.write_text(text.replace(right, wrong))
        yield
        file.write_text(text)

    def write(self, verb: str, path: str, language: str, body: str) -> None:
        file = self.root / path
        if verb == "Write":
            assert not file.exists(), f"{path} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(notebook(body) if file.suffix == ".ipynb" else body)
        elif verb == "Add to the end of":
            file.write_text(file.read_text() + body)
        else:
            assert language == "diff", path
            for hunk in body.split("@@\n"):
                file.write_text(changed(file.read_text(), hunk))

    def follow(self, recipe: str) -> None:
        """Do what a recipe says, and remember the files it touched and the commands it ran."""
        section = re.search(
            rf"^## {recipe}\n(.*?)(?=^## )", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S
        )[1]
        touched, ran, end = set(), [], 0
        for block in BLOCK.finditer(section):
            body = re.sub(rf"^{block['indent']}", "", block["body"], flags=re.M)
            if block["language"] == "sh":
                for command in body.splitlines():
                    if command not in NOT_RUN:
                        done = self.run(command)
                        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
                        ran.append(command)
            else:
                place = PLACE.search(section[end : block.start()])
                assert place, f"{recipe}: no path before\n{body}"
                self.write(place["verb"], place["path"], block["language"], body)
                touched.add(place["path"])
            end = block.end()
        self.touched[recipe], self.ran[recipe] = touched, ran


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Follow the recipes in the order in which they stand."""
    copy = copied(tmp_path_factory.mktemp("a checkout"))
    for recipe in RECIPES:
        copy.follow(recipe)
    return copy


def test_all_that_a_recipe_says_comes_true(done):
    assert list(done.ran) == list(RECIPES)
    assert all(done.ran.values())


def test_an_optimizer_touches_its_file_the_table_its_page_and_its_test(done):
    assert done.touched["Add an optimizer"] == {
        "code/descent/optim/lion.py",
        "code/descent/optim/__init__.py",
        "book/sign_descent.md",
        "tests/chapters/sign_descent/test_equations.py",
    }


PAGE, RULE = "book/sign_descent.md", "code/descent/optim/lion.py"
LENGTH, SIGN, STEP, AVERAGE, CLAIM = (
    "test_a_step_has_the_printed_length",
    "test_lion_takes_the_sign_of_an_average",
    "test_lion_steps_against_the_sign_and_decays",
    "test_lion_moves_its_average_on",
    "test_lion_keeps_half_of_what_adam_keeps",
)
# Two or three at a time, each of which fails tests of its own.
WRONG = {
    "page by a root, rule by its betas, claim": [
        (PAGE, r"\sqrt{d}", "d", {LENGTH}),
        (RULE, "beta1, beta2 = betas", "beta2, beta1 = betas", {SIGN, AVERAGE}),
        (RULE, 'return new, {"exp', 'return new, {"was": exp_avg, "exp', {CLAIM}),
    ],
    "page by a sign, rule by a factor": [
        (PAGE, r"s_t + \lambda", r"s_t - \lambda", {STEP}),
        (RULE, ".sign())", ".sign() * 2)", {SIGN}),
    ],
    "rule by a sign and by its decay": [
        (RULE, "param, lr, average", "param, -lr, average", {SIGN}),
        (RULE, "grad, lr, weight_decay,", "grad, 1.0, weight_decay,", {STEP}),
    ],
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_is_wrong_fails_the_tests_of_the_recipe(done, changes):
    with ExitStack() as stack:
        for path, right, wrong, _ in changes:
            stack.enter_context(done.exchanged(path, right, wrong))
        failed = done.run(".venv/bin/python -m pytest tests/chapters/sign_descent")
    names = re.findall(r"^FAILED \S+::(\w+)", failed.stdout, re.M)
    assert set(names) == set().union(*(tests for *_, tests in changes)), failed.stdout
    assert set(re.findall(r"^\S+\.py:\d+: (\w+)$", failed.stdout, re.M)) == {"AssertionError"}


def test_a_wrong_rule_fails_the_lab_of_the_recipe(done):
    with done.exchanged("code/descent/optim/adam.py", "descend(param, lr", "descend(param, 2 * lr"):
        failed = done.run(".venv/bin/descent run sign_descent_lab --profile smoke -o build/smoke")
    assert failed.returncode != 0
    assert "does not hold: a step is lr times the root of the dimension" in failed.stderr


def test_an_optimizer_that_no_formula_holds_is_told_in_one_line(done):
    with done.exchanged(
        "tests/chapters/sign_descent/test_equations.py", '.holds("Lion")', ".holds"
    ):
        failed = done.run(".venv/bin/python -m pytest -q tests/test_optim.py -k 'lion and formula'")
    assert failed.returncode == pytest.ExitCode.TESTS_FAILED, failed.stdout
    assert "\nLion is held to no formula: name its counterpart in torch.optim in" in failed.stdout


TOC = """\
format: jb-book
root: book/sign_descent
chapters:
  - file: book/sign_descent_lab
  - file: book/gradient_descent
  - file: book/equations
  - file: book/claims
  - file: book/bibliography
"""


def test_the_new_pages_render(done, tmp_path):
    copy = Copy(tmp_path / "checkout")
    shutil.copytree(done.root, copy.root, symlinks=True)
    (copy.root / "_toc.yml").write_text(TOC)
    (copy.root / "book" / "gradient_descent.md").write_text("# Gradient descent\n")
    for folder in (copy.root / "tests" / "chapters").iterdir():
        if folder.is_dir() and folder.name != "sign_descent":
            shutil.rmtree(folder)
    for command in (
        ".venv/bin/descent run sign_descent_lab -o build/labs --no-progress",
        ".venv/bin/descent stage build/labs build/site",
        ".venv/bin/jupyter-book build build/site -n -W --keep-going -q",
    ):
        did = copy.run(command)
        assert did.returncode == 0, f"{command}\n{did.stdout}{did.stderr}"
    html = copy.root / "build" / "site" / "_build" / "html" / "book"
    assert re.search(
        r"stays within\s+<span[^>]*>0\.0\d+</span>", (html / "sign_descent.html").read_text()
    )
    assert "test_a_step_has_the_printed_length" in (html / "equations.html").read_text()
    assert "Lion needs less memory" in (html / "claims.html").read_text()
