"""What holds for the checkout as a whole: its notebooks, its pins, its metadata."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import descent
from descent.chapters.parameters import allowed, parameters_of
from descent.press.pages import labs_in_toc, notebook_of, unsaid

ROOT = Path(__file__).parents[1]
LABS = labs_in_toc()
MIN_CHECKS = 3
DISTRIBUTIONS = packages_distributions()


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def direct_pins() -> list[str]:
    lines = text("requirements.txt").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-e"))]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_folder_code_does_not_hide_the_module_of_that_name():
    import code

    assert hasattr(code, "InteractiveConsole")
    assert not (ROOT / "code" / "__init__.py").exists()


@pytest.fixture(params=LABS)
def lab(request):
    return request.param


@pytest.fixture
def cells(lab):
    return nbformat.read(notebook_of(lab), as_version=4).cells


def tagged(cells, tag):
    return [cell for cell in cells if tag in cell.metadata.get("tags", [])]


def test_a_lab_keeps_the_outputs_of_its_checks_and_no_others(cells):
    for cell in cells:
        if cell.cell_type == "code" and "keep_output" not in cell.metadata.get("tags", []):
            assert not cell.outputs, cell.source
    assert tagged(cells, "keep_output") == tagged(cells, "nbval-check-output")


def test_a_lab_has_checks_for_nbval_to_compare(cells):
    # nbval passes over a cell that was never run.
    kept = [
        cell
        for cell in tagged(cells, "nbval-check-output")
        if cell.outputs and cell.execution_count
    ]
    assert len(kept) >= MIN_CHECKS
    for cell in kept:
        assert {output.output_type for output in cell.outputs} == {"stream"}, cell.source


def test_a_lab_states_its_parameters_as_its_model_does(lab, cells):
    (cell,) = tagged(cells, "parameters")
    fields = parameters_of(lab).model_fields
    names = [statement.targets[0].id for statement in ast.parse(cell.source).body]
    assert sorted(names) == sorted(fields)
    for name, line in zip(names, cell.source.splitlines(), strict=True):
        assert line.startswith(f"{name} = ")
        assert line.endswith(allowed(fields[name])), f"{name}: {allowed(fields[name])}"


def test_requirements_are_exact_pins_and_end_with_the_package():
    assert text("requirements.txt").splitlines()[-1] == "-e .[book]"
    for pin in direct_pins():
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", pin), pin


def test_the_lock_holds_every_pin_by_its_hash_but_pytorch():
    blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^#.*\n", "", text("requirements.lock")).strip())
    locked = {canonical(block.split("==")[0]): block for block in blocks}
    for name, block in locked.items():
        assert "--hash=sha256:" in block, name
        assert not name.startswith(("torch", "triton", "nvidia", "cuda")), name
    for pin in direct_pins():
        name, version = pin.split("==")
        if name != "torch":
            assert re.match(rf"[^=]+=={re.escape(version)}[ ;]", locked[canonical(name)]), pin


def declared(requirements: list[str]) -> set[str]:
    return {canonical(re.split(r"[\[<>=]", line)[0]) for line in requirements}


def distributions_of(statements: Iterable[ast.stmt]) -> set[str]:
    """Name what the imports anywhere in some statements need installed."""
    imported = set()
    for node in (node for statement in statements for node in ast.walk(statement)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.partition(".")[0])
    names = {canonical(name) for module in imported for name in DISTRIBUTIONS.get(module, [])}
    return names - {"descent"}


def package() -> dict[Path, ast.Module]:
    files = (ROOT / "code").rglob("*.py")
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}


def test_what_the_package_imports_is_declared_and_pinned():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    base = declared(project["dependencies"])
    book = declared(project["optional-dependencies"]["book"])
    assert not base & book
    assert distributions_of(package().values()) == base | book
    assert base | book <= {canonical(pin.split("==")[0]) for pin in direct_pins()}


COLAB = {
    "python": "3.13",
    "torch": "2.11.0",
    "ipython": "7.34.0",
    "ipykernel": "6.17.1",
    "traitlets": "5.7.1",
}
"""What the freeze of Colab's image of 2026-08-19 holds of what others ask for by version."""

NEW_ON_COLAB = ["jedi", "jupyter-cache", "myst-nb", "myst-parser", "papermill"]


def test_colab_can_install_the_package_beside_what_it_brings():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    assert COLAB["python"] in SpecifierSet(project["requires-python"])
    asked = project["dependencies"] + project["optional-dependencies"]["book"]
    asked += [each for name in NEW_ON_COLAB for each in requires(name)]
    for requirement in map(Requirement, asked):
        if not requirement.marker or requirement.marker.evaluate():
            version = COLAB.get(canonical(requirement.name))
            assert version is None or version in requirement.specifier, requirement


def test_without_the_extra_the_package_imports_what_it_declares():
    base = declared(tomllib.loads(text("pyproject.toml"))["project"]["dependencies"])
    needed = set()
    for file, module in package().items():
        if "press" in file.parts or file.name == "lab.py":
            continue
        plain = [each for each in module.body if isinstance(each, ast.Import | ast.ImportFrom)]
        needed |= distributions_of(plain)
        guarded = [
            node
            for node in ast.walk(module)
            if isinstance(node, ast.With | ast.If)
            and re.match(r"(with book_extra\(\)|if TYPE_CHECKING):", ast.unparse(node))
        ]
        assert distributions_of([module]) - distributions_of(guarded) <= base, file
    assert needed == base


WITHOUT_THE_EXTRA = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
{code}
"""


@pytest.mark.parametrize(
    ("code", "lacks"),
    [
        ("from descent.tasks.data import digits; digits()", "sklearn"),
        ("from descent.tasks.data import diabetes; diabetes()", "sklearn"),
        ("import descent.plotting", "matplotlib"),
        ("import descent.press.notebook", "matplotlib"),
        ("import descent.chapters.parameters", "pydantic"),
        (
            "import torch\nfrom descent.sweeps import sweep\n"
            "from descent.tasks.data import Dataset\n"
            "data = Dataset(torch.zeros(4, 2), torch.zeros(4, 1))\n"
            "runs = [dict(optimizer='SGD', lr=0.1, seed=0)]\n"
            "sweep(runs, model=lambda seed: torch.nn.Linear(2, 1), loss_fn=torch.nn.MSELoss(),"
            " dataset=data, num_steps=1)",
            "pandas",
        ),
        ("from descent.press import main; sys.exit(main())", "click"),
    ],
)
def test_without_the_extra_one_line_says_what_to_install(code, lacks):
    extra = tomllib.loads(text("pyproject.toml"))["project"]["optional-dependencies"]["book"]
    absent = {
        module
        for module, names in DISTRIBUTIONS.items()
        if declared(extra) & {canonical(name) for name in names}
    }
    script = WITHOUT_THE_EXTRA.format(absent=absent, code=code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.endswith(f"this needs {lacks}: pip install 'descent[book]'")
    assert last == done.stderr.strip() or "press import main" not in code


def test_without_the_extra_rules_and_training_run():
    lines = re.search(r"```python\n(.*?)```", text("README.md"), re.DOTALL)[1]
    absent = {"matplotlib", "pandas", "sklearn", "pydantic", "click", "yaml", "IPython"}
    script = WITHOUT_THE_EXTRA.format(absent=absent, code=lines)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("tensor(")


def test_one_version_is_stated_everywhere():
    project = tomllib.loads(text("pyproject.toml"))["project"]
    newest = re.search(r"(?m)^## \[(\d[^\]]*)\] - (\S+)$", text("CHANGELOG.md"))
    citation = yaml.safe_load(text("CITATION.cff"))
    page = re.search(r"version += \{(.*)\}", text("book/cite.md"))
    book = citation["preferred-citation"]
    stated = {project["version"], newest[1], citation["version"], book["version"], page[1]}
    assert stated == {descent.__version__}
    assert citation["date-released"] == newest[2]


def test_no_file_names_a_machine_or_a_package_registry():
    homes = ["/" + folder + "/" for folder in ("work", "tmp", "root", "home", "Users", "opt")]
    hosts = ["pypi." + "org", "python" + "hosted", "pytorch." + "org/whl", "registry." + "npmjs"]
    found = re.compile("|".join([rf"(?<![\w.~)}}/]){re.escape(home)}\w" for home in homes] + hosts))
    for file in tracked():
        try:
            content = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture
            continue
        match = found.search(content)
        assert match is None, f"{file.relative_to(ROOT)}: {match[0]}"


LONGEST_CELL = 40  # lines, as many as a page shows at once
LONE_BRACKETS = 5  # lines of a lab that hold closing brackets alone


def test_a_lab_has_no_long_cell_and_no_column_of_brackets(cells):
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    for source in code:
        assert len(source.splitlines()) <= LONGEST_CELL, source
    lone = [line for source in code for line in source.splitlines()
            if re.fullmatch(r"\s*[])}][])},:;\s]*", line)]  # fmt: skip
    assert len(lone) <= LONE_BRACKETS, lone


def test_a_lab_draws_from_streams_whose_names_differ(cells):
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    names = re.findall(r"lab\.(?:seeds?|generator)\(\s*(f?\"[^\"]*\")", code)
    assert len(set(names)) == len(names), sorted(names)
    # All that is random draws from such a stream, and none from the seed itself.
    assert not re.search(r"manual_seed\(|\bseed \+|GaussianNoise\([^)]*seed=seed", code)


def test_what_a_chapter_says_of_a_figure_its_lab_asserts(lab):
    assert unsaid(lab) == []


def test_chapters_assert_what_they_say_of_figures():
    said = [lab for lab in LABS if "lab.figure(" in text(f"book/{lab}.ipynb")]
    assert "adam_lab" in said
