"""Change the package a little, one place at a time, and see whether its tests fail.

``make mutants`` runs it; :mod:`code_mutants` says what is changed.

No file is changed. A process that has imported what takes long, PyTorch above all, forks for each
mutant. In most cases the copy has the tests collected, exchanges the code of one function, and runs
the tests that call it; where that code was at work already, as the default of an argument was, the
copy imports the package afresh and runs all tests of the suite. Those that found most mutants run
first, up to the first failure. What tests see only in a process of their own, such as a notebook's
kernel, they do not see of a mutant.
"""

import argparse
import ast
import csv
import gc
import hashlib
import importlib
import importlib.machinery
import inspect
import json
import os
import random
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from functools import cache, partial
from importlib.metadata import packages_distributions
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple, NoReturn

import psutil
import pytest
from code_mutants import Mutant, mutants_of

ROOT = Path(__file__).parents[2]
PACKAGE = "code/descent"

SUITES = {
    "_checks.py": ["test_checks.py", "test_arguments.py"],
    "_files.py": ["test_files.py"],
    "losses": ["test_loss_functions.py", "chapters/losses/test_equations.py"],
    "measure": ["test_curvature.py", "test_statistics.py"],
    "optim": [
        "test_optim_formulas.py",
        "test_optim_torch.py",
        "test_optim_sgd.py",
        "test_optim_adaptive.py",
        "test_optim_signatures.py",
        "test_optim_shapes.py",
        "test_optim.py",
    ],
    "schedules": ["test_schedules.py", "chapters/lr_decay/test_equations.py"],
    "sweeps": ["test_sweeps.py"],
    "tasks": ["test_problems.py", "test_data.py", "test_models.py", "test_sampling.py"],
    "training/follow.py": ["test_training.py"],
    "training/loop.py": ["test_training.py"],
    "training/lr_finder.py": ["test_lr_finder.py"],
}
"""By room or module of the package, the tests that are to notice a change in it."""

TABLE = "tests/mutants.csv"
RESULT = "tests/mutants.json"
SEEN = "build/mutants.jsonl"
"""What became of each mutant so far, so that an interrupted run goes on where it was."""

COUNTED = (
    "made", "killed", "timed out", "survived with a reason", "survived without", "not run",
)  # fmt: skip
"""What the result states, of each module and of all."""
SPARE_SECONDS = 20
"""How much more than three times what the tests take by themselves a mutant may compute."""


class Verdict(NamedTuple):
    """Whether a mutant was ``killed``, ``timed out`` or ``survived``, and the test that failed."""

    word: str
    test: str


def modules_of(root: Path, wanted: Sequence[str], since: str | None) -> dict[str, list[Path]]:
    """Choose the modules to change.

    Args:
        root: the checkout.
        wanted: beginnings of their names; none for all.
        since: a commit, for those alone that were changed after it.

    Returns:
        The module's name to the files of tests that are to notice; none for a module that has no
        suite.
    """
    package = root / PACKAGE
    names = sorted(str(file.relative_to(package)) for file in package.rglob("*.py"))
    if since is not None:
        command = ["git", "diff", "--name-only", "--relative", since, "--", "."]
        changed = subprocess.run(command, cwd=package, capture_output=True, text=True)
        if changed.returncode:
            raise ValueError(changed.stderr.strip())
        names = [name for name in names if name in changed.stdout.splitlines()]
    if wanted:
        names = [name for name in names if name.startswith(tuple(wanted))]
    return {name: _suite(root, name) for name in names}


def _suite(root: Path, module: str) -> list[Path]:
    room = module if module in SUITES else module.partition("/")[0]
    return [root / "tests" / name for name in SUITES.get(room, [])]


def preload(files: Sequence[Path]) -> None:
    """Import what some files import from other projects, so that no mutant has to."""
    foreign = (packages_distributions().keys() | sys.stdlib_module_names) - {"descent"}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            for name in names:
                if name.partition(".")[0] in foreign:
                    with suppress(ImportError):
                        importlib.import_module(name)
    if "torch" in sys.modules:
        importlib.import_module("torch._dynamo")  # the first optimizer would, for a second and more


Place = tuple[str, str, int]
"""Where a function stands: its file, its qualified name, its first line."""


class Tests:
    """What is known of a suite's tests; as a plugin of pytest it puts them in order.

    First come those that have found most mutants, then the quickest.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: dict[str, set[Place]] = defaultdict(set)
        self.finds: Counter[str] = Counter()
        self.failed = ""

    def rank(self, item: pytest.Item) -> tuple[int, float]:
        return -self.finds[item.nodeid], self.seconds[item.nodeid]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=self.rank)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = report.nodeid


class Quick(Tests):
    """Run the tests as they are, and then for each mutant those that call the changed function.

    Only the code of a function is exchanged, in what was imported and collected once. That does
    for no mutant that was at work by then, such as the default of an argument.

    Args:
        root: the checkout.
        mutants: the mutants.
        jobs: how many run side by side.
        note: is told what becomes of each mutant.
    """

    def __init__(
        self, root: Path, mutants: Sequence[Mutant], jobs: int, note: Callable[..., None]
    ) -> None:
        super().__init__()
        self.root, self.mutants, self.jobs, self.note = root, mutants, jobs, note
        self.early: set[Place] = set()

    def _watch(self, calls: set[Place]) -> Callable[..., None]:
        package = str(self.root / PACKAGE)

        def watch(frame: FrameType, *_: object) -> None:  # called as each function is entered
            if frame.f_code.co_filename.startswith(package):
                calls.add(_place(frame.f_code))

        return watch

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> Iterator[None]:
        sys.settrace(self._watch(self.early))
        try:
            return (yield)
        finally:
            sys.settrace(None)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for item in session.items:
            sys.settrace(self._watch(self.calls[item.nodeid]))
            _run(item)
            sys.settrace(None)
            if self.failed:
                return True
        items = sorted(session.items, key=self.rank)
        functions = defaultdict(list)
        for each in gc.get_objects():
            if type(each) is FunctionType:  # some objects answer isinstance with a warning
                functions[_place(each.__code__)].append(each)
        works = []
        for mutant in self.mutants:
            file = self.root / PACKAGE / mutant.module
            old = compile(file.read_text(encoding="utf-8"), str(file), "exec")
            changed = _changed(old, compile(mutant.source, str(file), "exec"))
            if changed and not self.early & {_place(old) for old, _ in changed}:
                works.append((mutant, partial(self._try, changed, functions, items)))
        limit = round(3 * sum(self.seconds.values())) + SPARE_SECONDS
        for mutant, verdict in _in_copies(works, self.jobs, limit):
            self.finds[verdict.test] += 1
            self.note(mutant, verdict)
        return True

    def _try(
        self,
        changed: list[tuple[CodeType, CodeType]],
        functions: dict[Place, list[FunctionType]],
        items: list[pytest.Item],
    ) -> str:
        places = {_place(old) for old, _ in changed}
        for old, new in changed:
            for function in functions[_place(old)]:
                function.__code__ = new
        self.failed = ""
        for item in sorted(items, key=self.rank):
            if self.calls[item.nodeid] & places:
                _run(item)
                if self.failed:
                    break
        return self.failed


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _run(item: pytest.Item) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def _changed(old: CodeType, new: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """Pair the functions whose code differs; None if more does, or what they close over."""
    if old.co_flags & inspect.CO_OPTIMIZED:
        if old.co_freevars != new.co_freevars:
            return None
        return [(old, new)] if _form(old) != _form(new) else []
    if _form(old, whole=False) != _form(new, whole=False):
        return None
    found = []
    for inner, other in zip(old.co_consts, new.co_consts, strict=True):
        if isinstance(inner, CodeType):
            if (pairs := _changed(inner, other)) is None:
                return None
            found += pairs
    return found


def _form(code: CodeType, whole: bool = True) -> list[Any]:
    """What a code object does, wherever it stands."""
    inner = [_form(each) if whole else "" for each in code.co_consts if isinstance(each, CodeType)]
    constants = [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]
    names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
    return [code.co_code, code.co_exceptiontable, constants, *names, inner]


def _in_copies(
    works: Iterable[tuple[Any, Callable[[], str]]], jobs: int, limit: int
) -> Iterator[tuple[Any, Verdict]]:
    """Do each work in a copy of this process, which says which test failed, and yield verdicts."""
    at_work: dict[int, tuple[Any, int]] = {}
    pending = list(works)
    try:
        while pending or at_work:
            while pending and len(at_work) < jobs:
                what, work = pending.pop()
                receiver, sender = os.pipe()
                pid = os.fork()
                if not pid:
                    _work_and_leave(work, sender, limit)
                os.close(sender)
                at_work[pid] = what, receiver
            pid, status = os.wait()
            what, receiver = at_work.pop(pid)
            with open(receiver, encoding="utf-8") as said:
                failed = said.read()
            code = os.waitstatus_to_exitcode(status)
            if code in (-signal.SIGXCPU, -signal.SIGKILL):
                yield what, Verdict("timed out", "")
            else:
                yield what, Verdict("killed" if code or failed else "survived", failed)
    finally:
        for each in map(psutil.Process, at_work):
            for process in [*each.children(recursive=True), each]:
                process.kill()


def _work_and_leave(work: Callable[[], str], sender: int, limit: int) -> NoReturn:
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.write(sender, work().encode())
        status = 0
    finally:
        os._exit(status)


def _pytest(root: Path, suite: Sequence[Path], tests: Tests) -> str:
    """Run a suite's tests as the checkout's own, and say which failed."""
    os.chdir(root)
    sys.path.insert(0, str(root / "code"))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # they take seconds to import
    options = ["-x", "-q", "-s", "-p", "no:cacheprovider"]
    status = pytest.main([*options, *map(str, suite)], plugins=[tests])
    return tests.failed or ("" if status == pytest.ExitCode.OK else f"pytest: {status!r}")


def _exchange(file: Path, source: str) -> None:
    """Let an import of a file take another source."""
    original = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: importlib.machinery.SourceFileLoader, name: str) -> CodeType:
        if Path(loader.get_filename(name)) == file:
            return compile(source, str(file), "exec")
        return original(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code


def run_all(
    root: Path, mutants: Sequence[Mutant], suites: dict[str, list[Path]], jobs: int
) -> dict[Mutant, Verdict]:
    """Run the suites with each mutant, and keep what becomes of it.

    Args:
        root: the checkout.
        mutants: the mutants.
        suites: their modules, with the files of tests.
        jobs: how many run side by side.

    Returns:
        What became of each.

    Raises:
        ValueError: a suite fails without a mutant.
    """
    keys = {each: _key(root, each, suites[each.module]) for each in mutants}
    seen = _seen(root)
    by_suite = defaultdict(list)
    for each in mutants:
        if keys[each] not in seen:
            by_suite[tuple(suites[each.module])].append(each)
    (root / SEEN).parent.mkdir(exist_ok=True)

    def note(mutant: Mutant, verdict: Verdict) -> None:
        with open(root / SEEN, "a", encoding="utf-8") as log:
            print(json.dumps([keys[mutant], *verdict]), file=log)

    def quickly(suite: Sequence[Path], report: Path) -> str:
        tests = Quick(root, by_suite[suite], jobs, note)
        failed = _pytest(root, suite, tests)
        report.write_text(json.dumps([tests.seconds, tests.finds]), encoding="utf-8")
        return failed

    def afresh(mutant: Mutant, suite: Sequence[Path], tests: Tests) -> str:
        _exchange(root / PACKAGE / mutant.module, mutant.source)
        return _pytest(root, suite, tests)

    for suite in sorted(by_suite):
        preload([*suite, *(root / PACKAGE / each.module for each in by_suite[suite])])
        tests = Tests()
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.json")
            for _, verdict in _in_copies([("", partial(quickly, suite, report))], 1, 3600):
                if verdict.word != "survived":
                    raise ValueError(f"without a mutant, too, {verdict.test or suite} fails")
            seconds, finds = json.loads(report.read_text(encoding="utf-8"))
        tests.seconds.update(seconds)
        tests.finds.update(finds)
        seen = _seen(root)
        left = [each for each in by_suite[suite] if keys[each] not in seen]
        works = [(each, partial(afresh, each, suite, tests)) for each in left]
        limit = round(3 * sum(seconds.values())) + SPARE_SECONDS
        for mutant, verdict in _in_copies(works, jobs, limit):
            tests.finds[verdict.test] += 1
            note(mutant, verdict)
    seen = _seen(root)
    return {each: seen[key] for each, key in keys.items()}


def _seen(root: Path) -> dict[str, Verdict]:
    if not (root / SEEN).exists():
        return {}
    lines = (root / SEEN).read_text(encoding="utf-8").splitlines()
    return {key: Verdict(*rest) for key, *rest in map(json.loads, lines)}


def _key(root: Path, mutant: Mutant, suite: Sequence[Path]) -> str:
    return hashlib.sha256(f"{_digest(root, *suite)} {mutant.source}".encode()).hexdigest()


@cache
def _digest(root: Path, *suite: Path) -> str:
    """Name the state of the package and of what a suite runs."""
    tests = root / "tests"
    files = [*(root / PACKAGE).rglob("*.py"), *(tests / "support").rglob("*.py"), *suite]
    files.append(tests / "conftest.py")
    contents = [file.read_bytes() for file in sorted(files) if file.exists()]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def reasons(root: Path) -> dict[tuple[str, str, str], str]:
    """Read the table of mutants that may survive."""
    if not (root / TABLE).exists():
        return {}
    with open(root / TABLE, encoding="utf-8", newline="") as file:
        return {
            (row["module"], row["line"], row["becomes"]): row["why"] for row in csv.DictReader(file)
        }


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run what the command line asks for; print what is wrong and write down what came of it.

    Args:
        arguments: the command line's, by default this process's.
        root: the checkout.

    Returns:
        The exit status: 1 if a mutant without a reason survived, or a reason has no mutant left.
    """
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="beginnings of names below code/descent")
    parser.add_argument("--since", help="only modules changed after this commit")
    parser.add_argument("--sample", type=int, help="draw this many mutants")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many side by side")
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    given = parser.parse_args(arguments)

    try:
        suites = modules_of(root, given.modules, given.since)
    except ValueError as error:
        parser.error(str(error))
    made = {
        module: mutants_of((root / PACKAGE / module).read_text(encoding="utf-8"), module)
        for module in suites
    }
    why = {name: each for name, each in reasons(root).items() if name[0] in suites}
    can_run = [each for module in suites if suites[module] for each in made[module]]
    chosen = can_run
    if given.sample is not None and given.sample < len(can_run):
        chosen = random.Random(given.seed).sample(can_run, given.sample)
        drawn = set(chosen)
        chosen += [each for each in can_run if each.name in why and each not in drawn]
    try:
        verdicts = run_all(root, chosen, suites, given.jobs)
    except ValueError as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 1

    survivors = {each.name for each in chosen if verdicts[each].word == "survived"}
    faults = [f"survived: {_told(name)}" for name in sorted(survivors - why.keys())]
    for name in sorted(why.keys() - survivors):
        exists = any(each.name == name for each in made[name[0]])
        what = "does not survive any more" if exists else "does not exist any more"
        faults.append(f"{what}, take it out of {TABLE}: {_told(name)}")
    told = _result(root, made, suites, verdicts, why)
    told["command"] = shlex.join(["python", "tests/support/run_mutants.py", *map(str, arguments)])
    (root / RESULT).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(", ".join(f"{told[each]} {each}" for each in COUNTED))
    return bool(faults)


def _told(name: tuple[str, str, str]) -> str:
    module, line, becomes = name
    return f"{module}\n    - {line}\n    + {becomes}"


def _result(
    root: Path,
    made: dict[str, list[Mutant]],
    suites: dict[str, list[Path]],
    verdicts: dict[Mutant, Verdict],
    why: dict[tuple[str, str, str], str],
) -> dict[str, Any]:
    """Count what was made, what ran, and what came of it, by module and in all."""
    modules = {}
    for module, mutants in made.items():
        ran = [(each, verdicts[each].word) for each in mutants if each in verdicts]
        words = Counter(word for _, word in ran)
        excused = sum(word == "survived" and each.name in why for each, word in ran)
        modules[module] = {
            "made": len(mutants),
            "killed": words["killed"],
            "timed out": words["timed out"],
            "survived with a reason": excused,
            "survived without": words["survived"] - excused,
            "not run": len(mutants) - len(ran),
        }
    git = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    return {
        "commit": subprocess.run(git, cwd=root, capture_output=True, text=True).stdout.strip(),
        "date": date.today().isoformat(),
        "command": "",
        **{each: sum(counts[each] for counts in modules.values()) for each in COUNTED},
        "without a suite": sorted(module for module, suite in suites.items() if not suite),
        "modules": {name: counts for name, counts in modules.items() if counts["made"]},
    }


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"  # small tensors: a second thread would only wait
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
