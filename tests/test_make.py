"""What `make` runs again after a change, tried on a small tree with a stand-in for `descent`."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[1]
BOTH = {"first_lab", "second_lab"}

SOURCES = [
    "_config.yml",
    "_toc.yml",
    "README.md",
    "book/first.md",
    "book/first_lab.ipynb",
    "book/second_lab.ipynb",
    "code/descent/press/pages.py",
    "code/descent/chapters/parameters.py",
    "code/descent/chapters/verdict.py",
    "code/descent/chapters/first/exercises.py",
    "code/descent/chapters/first/lab.py",
    "code/descent/chapters/second/lab.py",
    "code/descent/chapters/second/theory.py",
    "code/descent/plotting.py",
    "code/descent/tasks/models.py",
    "pyproject.toml",
    "requirements.lock",
    "requirements.txt",
]

# As `descent run LAB --output FOLDER` does, it puts a result in place only if the lab succeeds.
# Where there is a file `meet`, the two labs succeed only while both are running.
DESCENT = """#!/bin/sh
echo "$2" >>ran
if [ -e "$2.fails" ]; then exit 1; fi
touch "$2.began"
for wait in 1 2 3 4 5 6 7 8 9 10; do
    if [ ! -e meet ] || [ -e first_lab.began -a -e second_lab.began ]; then break; fi
    if [ $wait = 10 ]; then exit 1; fi
    sleep 0.2
done
mkdir -p "$4"
echo "result of $2" >"$4/$2.ipynb"
"""


class Tree:
    """A checkout with two labs, set up, and built some time ago."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copy(ROOT / "Makefile", root)
        shutil.copytree(ROOT / ".ci", root / ".ci")
        for source in SOURCES:
            self.write(source)
        self.write(".venv/bin/descent", DESCENT).chmod(0o755)
        self.write(".venv/.locked", f"{root.resolve()}\n")
        self.write(".venv/.ready")
        self.make("labs")
        self.grow_older()

    def write(self, path: str, text: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def grow_older(self) -> None:
        """Set sources before the set-up, and the set-up before the results, by whole seconds."""
        for file in self.root.rglob("*"):
            depth = {"build": 100, ".venv": 200}.get(file.relative_to(self.root).parts[0], 300)
            os.utime(file, (time.time() - depth,) * 2)
        for file in [self.root / "ran", *self.root.glob("*.began")]:
            file.unlink(missing_ok=True)

    def change(self, path: str) -> None:
        os.utime(self.root / path)
        if path.startswith("requirements"):  # of which the set-up has taken note
            os.utime(self.root / ".venv/.locked")
            os.utime(self.root / ".venv/.ready")

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        outer = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
        env = {name: value for name, value in os.environ.items() if name not in outer}
        return subprocess.run(
            ["make", *arguments], cwd=self.root, env=env, capture_output=True, text=True
        )

    def ran(self) -> set[str]:
        log = self.root / "ran"
        return set(log.read_text().split()) if log.exists() else set()

    def result(self, lab: str) -> Path:
        return self.root / "build" / "labs" / f"{lab}.ipynb"


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "a checkout"
    folder.mkdir()
    return Tree(folder)


def test_a_fresh_tree_runs_every_lab(tree):
    shutil.rmtree(tree.root / "build")
    done = tree.make("labs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tree.ran() == BOTH


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "_config.yml",
        "_toc.yml",
        "book/first.md",
        "code/descent/press/pages.py",
        "pyproject.toml",
    ],
)
def test_prose_and_settings_run_no_lab(tree, path):
    tree.change(path)
    if path == "pyproject.toml":
        tree.change(".venv/.ready")
    assert tree.make("labs").returncode == 0
    assert tree.ran() == set()


@pytest.mark.parametrize(
    ("path", "lab"),
    [
        ("book/first_lab.ipynb", "first_lab"),
        ("code/descent/chapters/first/lab.py", "first_lab"),
        ("code/descent/chapters/first/exercises.py", "first_lab"),
        ("book/second_lab.ipynb", "second_lab"),
        ("code/descent/chapters/second/lab.py", "second_lab"),
    ],
)
def test_a_changed_lab_runs_alone(tree, path, lab):
    tree.change(path)
    assert tree.make("labs").returncode == 0
    assert tree.ran() == {lab}


@pytest.mark.parametrize(
    "path",
    [
        "code/descent/plotting.py",
        "code/descent/tasks/models.py",
        "code/descent/chapters/parameters.py",
        "code/descent/chapters/verdict.py",
        "code/descent/chapters/second/theory.py",
        "requirements.txt",
        "requirements.lock",
    ],
)
def test_a_changed_package_or_lock_runs_every_lab(tree, path):
    tree.change(path)
    assert tree.make("labs").returncode == 0
    assert tree.ran() == BOTH


def test_a_failing_lab_fails_make_and_keeps_the_last_result(tree):
    tree.write("first_lab.fails")
    tree.change("code/descent/tasks/models.py")
    assert tree.make("labs", "JOBS=1").returncode != 0
    assert tree.ran() == BOTH, "the other labs must still run"
    assert tree.result("first_lab").read_text() == "result of first_lab\n"

    tree.root.joinpath("first_lab.fails").unlink()
    tree.root.joinpath("ran").unlink()
    assert tree.make("labs").returncode == 0
    assert tree.ran() == {"first_lab"}


def test_a_lab_that_left_the_book_leaves_the_build(tree):
    tree.root.joinpath("book/second_lab.ipynb").unlink()
    partial = tree.write("build/labs/first_lab.partial.ipynb")
    assert tree.make("labs").returncode == 0
    assert tree.result("first_lab").exists()
    assert not tree.result("second_lab").exists()
    assert not partial.exists()


@pytest.mark.parametrize("options", [["JOBS=2"], ["-j2"], ["-j"]])
def test_labs_run_side_by_side(tree, options):
    tree.change("code/descent/tasks/models.py")
    tree.write("meet")
    done = tree.make(*options, "labs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_one_job_is_one_lab_at_a_time(tree):
    tree.change("code/descent/tasks/models.py")
    tree.write("meet")
    assert tree.make("JOBS=1", "labs").returncode != 0


def test_the_tests_stop_at_the_first_failing_stage(tree):
    tree.write(".venv/bin/ruff", "#!/bin/sh\necho fault; exit 1\n").chmod(0o755)
    done = tree.make("-j4", "test")
    assert done.returncode != 0
    assert done.stdout == "test: lint\n"
    assert done.stderr.startswith("fault\n")


def test_a_set_up_is_ready_only_when_it_came_to_its_end_here(tree):
    assert tree.make("-q", "setup").returncode == 0
    locked = tree.root / ".venv" / ".locked"
    locked.write_text("/another/checkout\n")
    tree.change(".venv/.ready")
    assert tree.make("-q", "setup").returncode == 1, "a moved checkout must be set up anew"
    locked.unlink()
    assert tree.make("-q", "setup").returncode == 1


@pytest.mark.parametrize("python", ["python-too-old", "python-not-there"])
def test_an_unfit_python_is_named_in_one_line(tree, python):
    old = tree.write("bin/python-too-old", "#!/bin/sh\ncase $2 in *version_info*) exit 1;; esac")
    old.chmod(0o755)
    tree.change("requirements.lock")
    tree.root.joinpath(".venv/.locked").unlink()
    done = tree.make("setup", f"PYTHON={tree.root}/bin/{python}")
    assert done.returncode != 0
    first = done.stderr.splitlines()[0]
    assert first == f"setup: needs Python 3.11 or newer; tried: {tree.root}/bin/{python}"
    assert tree.root.joinpath(".venv/bin/descent").exists(), "nothing may be removed before"


def test_a_python_without_venv_is_told_apart(tree):
    python = tree.write(
        "bin/python",
        "#!/bin/sh\ncase $2 in *ensurepip*) exit 1;; *print*) echo python3.11-venv;; esac",
    )
    python.chmod(0o755)
    user = tree.write("bin/id", "#!/bin/sh\necho 1000\n")
    user.chmod(0o755)
    tree.root.joinpath(".venv/.locked").unlink()
    done = tree.make("setup", f"PYTHON={python}", f"PATH={tree.root}/bin:{os.environ['PATH']}")
    assert done.returncode != 0
    assert "has no venv module" in done.stderr.splitlines()[0]
    assert "python3.11-venv" in done.stderr.splitlines()[0]


def test_a_python_that_has_torch_keeps_it(tree):
    python = tree.write(
        "bin/python",
        '#!/bin/sh\ncase "$*" in *venv*clear*) echo "$@";; *torch*) echo 2.11.0;; esac',
    )
    python.chmod(0o755)
    for given in (True, False):
        env = {**os.environ, "PYTHON": str(python) if given else ""}
        env["PATH"] = f"{tree.root}/bin:{env['PATH']}"
        python.with_name("python3").unlink(missing_ok=True)
        python.with_name("python3").symlink_to(python)
        done = subprocess.run(
            ["sh", ".ci/venv", "there"], cwd=tree.root, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(
            "with the PyTorch 2.11.0 that is there\n-m venv --clear --system-site-packages there\n"
            if given
            else "into there\n-m venv --clear there\n"
        )


# As `descent` does: `device` fails without CUDA, `run` with a lab that is broken, and `verify`
# where a lab is missing.
GPU = """#!/bin/sh
echo "$@" >>said
case $1 in
device) test ! -e no-cuda;;
run) test ! -e "$2.fails" && echo "$2 ran" && touch "$6/$2.ipynb";;
verify) for lab in first_lab second_lab; do
    case " $* " in *" $lab "*) test -e "$2/$lab.ipynb" || exit 1;; esac
done;;
esac
"""


@pytest.fixture
def gpu(tree):
    tree.write(".venv/bin/descent", GPU).chmod(0o755)
    return tree


def said(tree):
    return (tree.root / "said").read_text().splitlines()


def test_gpu_runs_every_lab_and_verifies_them(gpu):
    assert gpu.make("gpu").returncode == 0
    assert said(gpu) == [
        "device cuda",
        "run first_lab --profile gpu --output build/gpu --no-progress",
        "run second_lab --profile gpu --output build/gpu --no-progress",
        "verify build/gpu first_lab second_lab --device cuda",
    ]
    assert (gpu.root / "build/gpu/first_lab.log").read_text() == "first_lab ran\n"


def test_gpu_runs_nothing_without_cuda(gpu):
    gpu.write("no-cuda")
    assert gpu.make("gpu").returncode != 0
    assert said(gpu) == ["device cuda"]


def test_gpu_goes_on_after_a_lab_that_fails_and_fails(gpu):
    gpu.write("first_lab.fails")
    assert gpu.make("gpu").returncode != 0
    assert "second_lab ran\n" in (gpu.root / "build/gpu/second_lab.log").read_text()
    assert said(gpu)[-1].startswith("verify ")


def test_gpu_runs_one_lab_alone(gpu):
    gpu.write("first_lab.fails")
    assert gpu.make("gpu", "LABS=second_lab").returncode == 0
    assert [line.split()[:2] for line in said(gpu)] == [
        ["device", "cuda"],
        ["run", "second_lab"],
        ["verify", "build/gpu"],
    ]


@pytest.fixture
def rendered(tree):
    tree.write(".venv/bin/descent", "#!/bin/sh\n").chmod(0o755)
    tree.write(".venv/bin/jupyter-book", "#!/bin/sh\n").chmod(0o755)
    tree.root.joinpath(".venv/bin/python").symlink_to(sys.executable)
    tree.write("build/claims.json", "{}")
    tree.write("build/site/_build/html/index.html", "the book")
    return tree


def test_serve_shows_the_book(rendered):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**os.environ, "BROWSER": "true", "MAKEFLAGS": ""}
    command = ["make", "serve", f"PORT={port}"]
    server = subprocess.Popen(command, cwd=rendered.root, env=env, start_new_session=True)
    try:
        for _ in range(100):
            try:
                with urlopen(f"http://localhost:{port}/") as page:
                    assert page.read() == b"the book"
                    break
            except URLError:
                time.sleep(0.1)
        else:
            raise AssertionError("nothing is served after 10 s")
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait()


def test_pdf_prints_the_rendered_book(rendered):
    rendered.write("book/_ext/pdf.py", "import sys; print(*sys.argv[1:])")
    done = rendered.make("pdf")
    assert done.stdout.splitlines()[-1] == "build/site/_build/html build/descent.pdf"


@pytest.mark.parametrize("port", ["taken", "0", "65536", "http"])
def test_serve_asks_for_a_free_port(rendered, port):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1]) if port == "taken" else port
        done = rendered.make("serve", f"PORT={port}")
    assert done.returncode != 0
    first = done.stderr.splitlines()[0]
    assert first == f"serve: PORT must be a free port in [1, 65535], got {port}"


def test_new_pins_are_resolved_by_the_environment_there_is(tree):
    resolver = tree.write(".venv/bin/uv", "#!/bin/sh\n")
    os.utime(tree.root / "requirements.txt")
    assert tree.make("-q", "setup").returncode == 1
    assert tree.make("-n", "lock").stdout == "sh .ci/lock\n"
    resolver.unlink()
    assert "pip install" in tree.make("-n", "lock").stdout
