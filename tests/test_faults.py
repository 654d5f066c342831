"""The runner under faults: whatever happens, a result is whole, and no process is left behind."""

import contextlib
import errno
import fcntl
import os
import random
import re
import resource
import signal
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import papermill
import pytest
from checkout import LAB, Nursery, at_work, names_in, printed, wait_for, write_lab

from descent.press import pages, runner
from descent.press.cli import main

pytestmark = pytest.mark.usefixtures("tiny_lab_is_known")

LONG = "import pathlib, time\npathlib.Path('began').touch()\ntime.sleep(600)"


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    with Nursery(tmp_path_factory.mktemp("nursery")) as nursery:
        yield nursery


def with_good(root, *cells):
    """Write a checkout whose lab has a result from before."""
    out = write_lab(root, *cells) / "out"
    out.mkdir(exist_ok=True)
    (out / f"{LAB}.ipynb").write_text("from before")
    return root


def partial_of(root):
    return root / "out" / f"{LAB}.partial.ipynb"


def assert_only_told(root, ended, status, cause):
    """Assert that a run failed for a cause, in one line, and left what was there and no process."""
    out = root / "out"
    kept = f"; what ran is in {partial_of(root)}" if partial_of(root).exists() else ""
    assert ended == (status, f"descent: {LAB}: {cause}{kept}\n")
    assert (out / f"{LAB}.ipynb").read_text() == "from before"
    assert set(names_in(out)) <= {f"{LAB}.ipynb", partial_of(root).name}
    # A kernel that was starting when its runner was interrupted ends by itself, a second later.
    wait_for(lambda: not at_work(root), "end of the kernel")


# the kernel

DOOMED = """
import os, signal

signal.signal(signal.SIGPROF, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
signal.setitimer(signal.ITIMER_PROF, {seconds})
"""
"""Run at the start of a kernel: it is killed when it has computed for so long."""
BUSY = "for step in range(10):\n    print(step, sum(range(100_000)), flush=True)"
ENDLESS = "while True: pass"


def test_a_kernel_killed_at_any_moment_costs_no_result(nursery, tmp_path):
    draw, runs = random.Random(0), {}
    for number in range(10):
        root = with_good(tmp_path / str(number), BUSY, BUSY, BUSY, ENDLESS)
        (root / "sitecustomize.py").write_text(DOOMED.format(seconds=draw.uniform(0.01, 1)))
        path = f"{root}:{os.environ.get('PYTHONPATH', '')}"
        first = f"os.environ['PYTHONPATH'] = {path!r}"
        runs[root] = nursery.start(root, first=first)
    for root, run in runs.items():
        ended = nursery.end(run)
        cause = re.match(rf"descent: {LAB}: (Kernel died[^;\n]*)", ended[1])
        assert_only_told(root, ended, 1, cause and cause[1])


def test_a_kernel_that_cannot_be_started_is_one_line(tmp_path, capsys):
    file = pages.notebook_of(LAB, with_good(tmp_path))
    file.write_text(file.read_text().replace("python3", "nowhere"))
    status = main(["--root", str(tmp_path), "run", LAB, "-o", str(tmp_path / "out")])
    ended = (status, capsys.readouterr().err)
    assert_only_told(tmp_path, ended, 1, "No such kernel named nowhere")


# interruption


def test_interruption_ends_the_kernel_and_keeps_what_ran(nursery, tmp_path):
    runs = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        root = with_good(tmp_path / number.name, LONG)
        runs[number, root] = nursery.start(root)
    for (number, root), run in runs.items():
        wait_for((root / "book" / "began").exists, "cell at work")
        os.kill(run.pid, number)
    for (_, root), run in runs.items():
        assert_only_told(root, nursery.end(run), 130, "interrupted")
        assert "began" in partial_of(root).read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_is_to_be_ignored_stays_so(number, tmp_path, capsys, monkeypatch):
    # As nohup asks for; and in a notebook server's child, say.
    def execute(*_, **__):
        os.kill(os.getpid(), number)

    monkeypatch.setattr(runner, "execute", execute)
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert main(["--root", str(write_lab(tmp_path)), "run", LAB, "-o", str(tmp_path)]) == 0
    finally:
        signal.signal(number, before)


def test_interruption_before_the_kernel(tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "defaults_of", interrupt)
    with_good(tmp_path)
    assert main(["--root", str(tmp_path), "run", LAB, "-o", str(tmp_path / "out")]) == 130
    assert capsys.readouterr() == ("", "descent: interrupted\n")


def test_a_killed_run_leaves_no_kernel_and_the_next_one_clears_what_it_left(nursery, tmp_path):
    root = with_good(tmp_path, LONG)
    out = root / "out"
    others = [f".{LAB}-neighbour", ".other_lab-killed"]
    for name in others:
        (out / name).mkdir()
        (out / name / runner.LOCK).touch()
    with open(out / f".{LAB}-neighbour" / runner.LOCK, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        killed = nursery.start(root)
        wait_for((root / "book" / "began").exists, "cell at work")
        os.kill(killed.pid, signal.SIGKILL)
        assert nursery.end(killed) == (-signal.SIGKILL, "")
        assert (out / f"{LAB}.ipynb").read_text() == "from before"
        (scratch,) = set(names_in(out)) - {*others, f"{LAB}.ipynb"}
        assert scratch.startswith(f".{LAB}-")
        wait_for(lambda: not at_work(root), "end of the kernel")

        # Meanwhile the clock was set back: all of it is from the future.
        write_lab(root, "print('ran')")
        for file in root.rglob("*"):
            os.utime(file, (time.time() + 86400,) * 2)
        assert nursery.end(nursery.start(root))[0] == 0
    assert set(names_in(out)) == {*others, f"{LAB}.ipynb"}
    assert printed(out / f"{LAB}.ipynb") == "ran\n"


# neighbours


def test_two_runs_into_one_place_leave_one_whole_result(nursery, tmp_path):
    out = tmp_path / "out"
    roots = [write_lab(tmp_path / name, f"print({name!r})") for name in ("left", "right")]
    ended = [nursery.end(run) for run in [nursery.start(root, out) for root in roots]]
    assert [status for status, _ in ended] == [0, 0]
    assert names_in(out) == [f"{LAB}.ipynb"]
    assert pages.faults_of(out / f"{LAB}.ipynb") == []
    assert printed(out / f"{LAB}.ipynb") in ("left\n", "right\n")


def test_a_neighbour_that_is_just_starting_is_left_alone(tmp_path, monkeypatch):
    target = tmp_path / "out" / f"{LAB}.ipynb"
    lock = fcntl.flock

    def flock(file, operation):
        if not operation & fcntl.LOCK_NB:  # a run locks its scratch: another one clears up
            runner._clear_what_a_killed_run_left(target)
        lock(file, operation)

    def execute(_, draft, *__, **___):
        assert Path(draft).parent.is_dir()
        raise RuntimeError("Kernel died")

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(papermill, "execute_notebook", execute)
    with pytest.raises(runner.LabFailed, match=f"^{LAB}: Kernel died$"):
        runner.execute(pages.notebook_of(LAB, write_lab(tmp_path)), target, {})


# the disk


def run_out_of_space(root, out, nursery, first=""):
    """Run a lab that prints 300 kB; a notebook from before must survive, and nothing else stay."""
    write_lab(root, "print('x' * 300_000)")
    out.mkdir(exist_ok=True)
    before = out / f"{LAB}.ipynb"
    before.write_text("from before")
    status, said = nursery.end(nursery.start(root, out, first))
    assert status == 1
    assert names_in(out) == [before.name]
    assert before.read_text() == "from before"
    return said


def test_file_that_may_not_grow(nursery, tmp_path):
    limit = (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    first = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, {limit})"
    told = run_out_of_space(tmp_path, tmp_path / "out", nursery, first)
    assert told == f"descent: {LAB}: File too large: {tmp_path / 'out'}\n"


@contextlib.contextmanager
def mounted(folder, *options):
    """Mount something where the machine lets us: as root, on Linux."""
    folder.mkdir()
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(["mount", *options, str(folder)], capture_output=True)
        if done.returncode == 0:
            try:
                yield
            finally:
                subprocess.run(["umount", str(folder)], check=True)
            return
    pytest.skip("needs the right to mount a file system (Linux, root)")


def test_full_disk(nursery, tmp_path):
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=128k", "tmpfs"):
        told = run_out_of_space(tmp_path, disk, nursery)
    assert told == f"descent: {LAB}: No space left on device: {disk}\n"


@pytest.mark.parametrize("writes", range(2))
def test_a_disk_that_is_full_at_any_write(writes, tmp_path, capsys, monkeypatch):
    # As a full disk does: a part arrives, then the error. No kernel is needed for it.
    root, write = with_good(tmp_path, "print('ran')"), runner.nbformat.write
    left = iter(range(writes))

    def cut_off(notebook, path):
        if next(left, None) is None:
            Path(path).write_text("{")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(notebook, path)

    def execute(source, draft, *_, **__):
        notebook = runner.nbformat.read(source, as_version=4)
        notebook.metadata["papermill"] = {"input_path": source, "output_path": draft}
        return notebook

    monkeypatch.setattr(papermill, "execute_notebook", execute)
    monkeypatch.setattr(runner.nbformat, "write", cut_off)
    status = main(["--root", str(root), "run", LAB, "-o", str(root / "out")])
    ended = (status, capsys.readouterr().err)
    assert_only_told(root, ended, 1, f"No space left on device: {root / 'out'}")


# places that cannot be written


def test_unwritable_output_is_one_line_and_no_kernel(tmp_path, capsys, monkeypatch, no_kernel):
    monkeypatch.chdir(write_lab(tmp_path))
    Path("a_file").touch()
    Path("taken", f"{LAB}.ipynb").mkdir(parents=True)
    places = {
        "a_file": "File exists",
        "a_file/below": "Not a directory",
        "taken": "Is a directory",
    }
    if Path("/proc").is_dir():
        places["/proc/out"] = "No such file or directory"
    for output, why in places.items():
        assert main(["--root", ".", "run", LAB, "-o", output]) == 1
        told = f"descent: {LAB}: cannot write {output}/{LAB}.ipynb: {why}\n"
        assert capsys.readouterr().err == told


def test_a_read_only_file_system(tmp_path, capsys, no_kernel):
    root, out = write_lab(tmp_path), tmp_path / "disk"
    with mounted(out, "-t", "tmpfs", "-o", "size=128k,ro", "tmpfs"):
        assert main(["--root", str(root), "run", LAB, "-o", str(out)]) == 1
    told = f"descent: {LAB}: cannot write {out}/{LAB}.ipynb: Read-only file system\n"
    assert capsys.readouterr().err == told


def test_a_folder_that_is_another_users(capsys, no_kernel):
    root = os.geteuid() == 0
    # pytest's folders can be entered by their owner alone.
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        out = with_good(Path(folder)) / "out"
        out.chmod(0o555)
        if root:  # who may write anywhere, and so becomes nobody for a while
            os.seteuid(65534)
        try:
            assert main(["--root", folder, "run", LAB, "-o", str(out)]) == 1
        finally:
            if root:
                os.seteuid(0)
            out.chmod(0o755)
        told = f"descent: {LAB}: cannot write {out}/{LAB}.ipynb: Permission denied\n"
        assert capsys.readouterr().err == told
        assert names_in(out) == [f"{LAB}.ipynb"]
