"""What `make mutants` does, tried on a package of one module."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from code_mutants import mutants_of

SUPPORT = Path(__file__).parent / "support"
MODULE = """
def raised(x, low=0):
    while x < low:
        x += 1
    return x
"""
TESTS = """
from descent.rounding import raised

def test_what_is_too_low_is_raised():
    assert raised(3) == 3
    assert raised(-2) == 0
"""
SURVIVES = "rounding.py,x += 1,x += 2"
KILLED = "rounding.py,return x,return None"
GONE = "rounding.py,x -= 1,x += 1"
RUN = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(SUPPORT)!r})
import run_mutants
run_mutants.SUITES = {{"rounding.py": ["test_rounding.py"]}}
run_mutants.SPARE_SECONDS = 4
sys.exit(run_mutants.main([], Path.cwd()))
"""


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("low <= x and x != high", ["low < x and x != high", "low <= x and x == high",
                                    "((low <= x) or (x != high))"]),
        ("-x", ["x"]),
        ("a * (b + c)", ["a / (b + c)", "a * (b - c)"]),
        ("max(a, 0.5)", ["min(a, 0.5)", "max(a, 1.0)"]),
        ("f(a, b=c, d=e)", ["f(a, d=e)", "f(a, b=c)"]),
        ("a if b else c", ["a if (not b) else c"]),
        ("In('[0, 1)')", ["In('(0, 1)')", "In('[0, 1]')"]),
    ],
)  # fmt: skip
def test_an_expression_is_changed_in_every_small_way(source, changed):
    made = mutants_of(f"y = {source}\n")
    assert {each.becomes for each in made} == {f"y = {each}" for each in changed}
    assert {each.line for each in made} == {f"y = {source}"}


def test_what_only_readers_see_stays():
    source = 'def f(x: "[0, 1)") -> 3:\n    """[0, 1)"""\n    raise ValueError(f"{x + 1} > 0")\n'
    assert [each.becomes for each in mutants_of(source)] == ["pass"]


def checkout(root, tests, table=()):
    for path, text in {
        "code/descent/__init__.py": "",
        "code/descent/rounding.py": MODULE,
        "code/descent/other.py": "x = 1\n",
        "tests/test_rounding.py": tests,
        "tests/mutants.csv": "\n".join(["module,line,becomes,why", *table, ""]),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    command = [sys.executable, "-c", RUN]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


def result_in(root):
    return json.loads((root / "tests/mutants.json").read_text())


def test_a_mutant_that_survives_needs_a_reason(tmp_path):
    done = checkout(tmp_path, TESTS)
    assert (done.returncode, done.stderr) == (
        1,
        "survived: rounding.py\n    - x += 1\n    + x += 2\n",
    )
    result = result_in(tmp_path)
    counts = {"made": 5, "killed": 3, "timed out": 1, "survived with a reason": 0}
    counts |= {"survived without": 1, "not run": 0}
    assert result["modules"]["rounding.py"] == counts
    assert result["modules"]["other.py"] == {**dict.fromkeys(counts, 0), "made": 1, "not run": 1}
    assert result["without a suite"] == ["__init__.py", "other.py"]

    done, result = checkout(tmp_path, TESTS, [f"{SURVIVES},allowed"]), result_in(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (result["survived with a reason"], result["survived without"]) == (1, 0)

    table = [f"{SURVIVES},allowed", f"{KILLED},allowed", f"{GONE},allowed"]
    done = checkout(tmp_path, TESTS, table)
    assert done.returncode == 1
    told = (
        "does not {} any more, take it out of tests/mutants.csv: rounding.py\n    - {}\n    + {}\n"
    )
    assert done.stderr == told.format("survive", "return x", "return None") + told.format(
        "exist", "x -= 1", "x += 1"
    )


def test_tests_that_fail_by_themselves_are_no_judges(tmp_path):
    done = checkout(tmp_path, TESTS.replace("== 3", "== 4"))
    test = "tests/test_rounding.py::test_what_is_too_low_is_raised"
    assert (done.returncode, done.stderr) == (1, f"mutants: without a mutant, too, {test} fails\n")
    assert not (tmp_path / "tests/mutants.json").exists()
