"""The command line, run on throw-away labs in a throw-away checkout."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch
from checkout import COMMAND, LAB, at_work, names_in, printed, write_lab

from descent.chapters import parameters
from descent.press import pages, records, runner
from descent.press.cli import main

pytestmark = pytest.mark.usefixtures("tiny_lab_is_known")


def run(root, *arguments):
    return main(["--root", str(root), "run", LAB, "-o", str(root / "out"), *arguments])


# list


def test_list_shows_default_range_and_meaning(tmp_path, capsys):
    assert main(["--root", str(write_lab(tmp_path)), "list"]) == 0
    assert capsys.readouterr().out == (
        "tiny_lab\n"
        "  lr      0.1  a number in (0, 2.5]               step length\n"
        "  seed    3    an integer in [0, 4294967296)\n"
        "  device  cpu  auto, cpu, cuda, cuda:1, xpu, ...\n"
        "  --profile smoke (the defaults)\n"
        "  --profile book (the defaults)\n"
        "  --profile gpu device=cuda\n"
    )


def test_list_does_not_wait_for_torch():
    code = "import sys; from descent.press import cli; cli.main(['list']); "
    code += "print('torch' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.endswith("False\n")


# refusals, each before a kernel is started


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["list", "extra"], 2, "unexpected extra argument (extra) (see descent list --help)"),
        (["run"], 2, "Missing argument 'LAB'. (see descent run --help)"),
        (["run", LAB, "--bogus"], 2, "No such option '--bogus'"),
        (["run", LAB, "-p", "lr"], 2, "'-p' requires 2 arguments"),
        (["fly"], 2, "No such command 'fly'"),
        ([], 2, "Missing command. (see descent --help)"),
        (["--root", "nowhere", "list"], 1, "there is no _toc.yml in nowhere"),
        (["run", "tyni_lab"], 1, f"there are: {LAB}; did you mean {LAB}?"),
        (["run", "zzz"], 1, f"there is no lab 'zzz'; there are: {LAB}\n"),
        (["run", LAB, "--profile", "big"], 1, "no profile 'big'; there are: smoke, book, gpu"),
        (["run", LAB, "-p", "lrr", "0.1"], 1, "there is no parameter 'lrr'; there are: "),
        (["run", LAB, "-p", "seed", "many"], 1, "seed must be an integer in "),
        (["run", LAB, "-p", "seed", "0.5"], 1, ", got '0.5'"),
        (["run", LAB, "-p", "lr", "-1"], 1, ", got '-1'"),
        (["run", LAB, "-p", "lr", "nan"], 1, "lr must be a number in "),
        (["run", LAB, "-p", "lr", "inf"], 1, ", got 'inf'"),
        (["run", LAB, "-p", "device", "GPU 0"], 1, "device must be auto, cpu, cuda, cuda:1, xpu, "),
        (["run", LAB, "-p", "device", "tpu"], 1, "device must be 'auto', 'cpu' or an accelerator"),
        (["run", LAB, "-p", "device", "cuda"], 1, "device 'cuda' is not on this machine"),
        (["run", LAB, "--profile", "gpu"], 1, "device 'cuda' is not on this machine"),
    ],
)
def test_bad_input_is_one_line_and_no_kernel(
    arguments, status, told, tmp_path, capsys, monkeypatch, no_kernel
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.chdir(write_lab(tmp_path))
    if arguments and "--root" not in arguments:
        arguments = ["--root", ".", *arguments]
    assert main(arguments) == status
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("descent: ")
    assert told in shown.err
    assert shown.err.count("\n") == 1
    assert not Path("out").exists()


def test_missing_notebook(tmp_path, capsys, no_kernel):
    pages.notebook_of(LAB, write_lab(tmp_path)).unlink()
    assert run(tmp_path) == 1
    assert capsys.readouterr().err.startswith("descent: there is no notebook ")


@pytest.mark.parametrize("content", ['{"cells": [', b"\xff\xfe"])
def test_unreadable_notebook(content, tmp_path, capsys, no_kernel):
    file = pages.notebook_of(LAB, write_lab(tmp_path))
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert run(tmp_path) == 1
    assert re.fullmatch(r"descent: cannot read .*\.ipynb: .+\n", capsys.readouterr().err)


def test_default_that_is_no_literal(tmp_path, capsys, no_kernel):
    file = pages.notebook_of(LAB, write_lab(tmp_path))
    file.write_text(file.read_text().replace("seed = 3", "seed = max(0, 1)"))
    assert run(tmp_path) == 1
    assert re.fullmatch(r"descent: cannot read .*\.ipynb: .+\n", capsys.readouterr().err)


# a run that succeeds


def test_run_leaves_the_executed_notebook_and_prints_one_line(tmp_path, capsys):
    write_lab(tmp_path, "print(lr)")
    assert run(tmp_path, "--no-progress", "-p", "lr", "1e-3") == 0
    shown = capsys.readouterr()
    assert re.fullmatch(rf"{LAB}  \d+\.\d s\n", shown.out)
    assert shown.err == ""
    assert names_in(tmp_path / "out") == [f"{LAB}.ipynb"]
    executed = tmp_path / "out" / f"{LAB}.ipynb"
    assert printed(executed) == "0.001\n"
    assert str(tmp_path) not in executed.read_text()


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("print('ran')", ""),
        ("import os; os.kill(os.getpid(), 9)", f"descent: {LAB}: Kernel died; [^\n]*\n"),
    ],
)
def test_libraries_and_kernel_add_no_noise(cell, told, tmp_path):
    # Within pytest their logs go to pytest, and the kernel's standard error past it.
    root = write_lab(tmp_path, cell)
    command = [*COMMAND, "--root", root, "run", LAB, "-o", root / "out", "--no-progress"]
    shown = subprocess.run(command, capture_output=True, text=True)
    assert re.fullmatch(told, shown.stderr)


def test_progress_names_the_lab_and_the_place(tmp_path, capsys):
    write_lab(tmp_path)
    assert run(tmp_path, "--progress") == 0
    shown = capsys.readouterr()
    assert f"{LAB}: 100%" in shown.err
    assert shown.out.endswith(f"{tmp_path}/out/{LAB}.ipynb\n")


@pytest.mark.parametrize(
    ("arguments", "seed"),
    [
        ([], 3),
        (["--profile", "smoke"], 5),
        (["--profile", "smoke", "-p", "seed", "6", "-p", "seed", "7"], 7),
    ],
)
def test_option_beats_profile_beats_default(arguments, seed, tmp_path, monkeypatch):
    monkeypatch.setitem(parameters.parameters_of(LAB).profiles, "smoke", {"seed": 5})
    write_lab(tmp_path, "print(seed)")
    assert run(tmp_path, *arguments) == 0
    assert printed(tmp_path / "out" / f"{LAB}.ipynb") == f"{seed}\n"


def test_output_folder_may_have_braces_in_its_name(tmp_path):
    write_lab(tmp_path)
    assert main(["--root", str(tmp_path), "run", LAB, "-o", str(tmp_path / "out{1}")]) == 0
    assert names_in(tmp_path / "out{1}") == [f"{LAB}.ipynb"]


def test_run_leaves_a_record_and_no_trace_of_how_it_was_made(tmp_path):
    write_lab(tmp_path, "import torch; print(lr)")
    assert run(tmp_path, "--profile", "smoke") == 0
    executed = tmp_path / "out" / f"{LAB}.ipynb"
    (record,) = records.collect(tmp_path / "out", tmp_path)
    assert (record.lab, record.profile, record.commit) == (LAB, "smoke", "")
    assert record.torch == torch.__version__
    assert (record.device_memory > 0) == torch.cuda.is_available() or not record.device_memory
    assert record.memory > 50_000_000
    assert 0 < record.seconds < 100
    assert printed(executed) == "0.1\n"
    assert "usage" not in executed.read_text()


SPLIT = """
import json, sys, time, torch
from descent.runtime import usage

for part in (json.dumps(usage())[:20], json.dumps(usage())[20:], "\\n"):
    sys.stdout.write(part)
    sys.stdout.flush()
    time.sleep(0.2)
print("a warning", file=sys.stderr)
"""


def test_a_record_that_comes_in_pieces_is_put_together(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "USAGE", SPLIT)
    assert run(write_lab(tmp_path, "print(lr)")) == 0
    (record,) = records.collect(tmp_path / "out", tmp_path)
    assert record.torch == torch.__version__


@pytest.mark.parametrize("usage", ["print('{')", "print(3)", "print('{}')", "pass"])
def test_a_record_that_cannot_be_read_does_not_cost_the_notebook(usage, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "USAGE", usage)
    assert run(write_lab(tmp_path, "print(lr)")) == 0
    assert printed(tmp_path / "out" / f"{LAB}.ipynb") == "0.1\n"
    assert records.collect(tmp_path / "out", tmp_path) == []


def test_a_lab_without_torch_leaves_no_record(tmp_path):
    write_lab(tmp_path)
    assert run(tmp_path) == 0
    assert records.collect(tmp_path / "out", tmp_path) == []


def test_what_ran_of_a_failed_lab_has_no_trace_of_the_record(tmp_path, capsys):
    write_lab(tmp_path, "1 / 0")
    assert run(tmp_path) == 1
    assert "usage" not in (tmp_path / "out" / f"{LAB}.partial.ipynb").read_text()


# a run that fails


@pytest.mark.parametrize(
    ("cell", "cause"),
    [
        ("raise ValueError('first\\nsecond')", "cell [2] raised ValueError: first"),
        ("assert False", "cell [2] raised AssertionError"),
        ("import sys; sys.exit(0)", "cell [2] raised SystemExit: 0"),
        ("import os; os.kill(os.getpid(), 9)", "Kernel died"),
    ],
)
def test_failure_keeps_the_last_result_and_what_ran(cell, cause, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(write_lab(tmp_path, "print('good')")) == 0
    good = (out / f"{LAB}.ipynb").read_bytes()
    capsys.readouterr()

    write_lab(tmp_path, cell, "print('later')")
    assert run(tmp_path) == 1
    partial = out / f"{LAB}.partial.ipynb"
    told = f"descent: {LAB}: {cause}; what ran is in {partial}\n"
    assert capsys.readouterr() == ("", told)
    assert names_in(out) == [f"{LAB}.ipynb", f"{LAB}.partial.ipynb"]
    assert (out / f"{LAB}.ipynb").read_bytes() == good
    assert cell in [each.source for each in nbformat.read(partial, as_version=4).cells]
    assert not at_work(tmp_path)

    assert run(write_lab(tmp_path, "print('good')")) == 0
    assert names_in(out) == [f"{LAB}.ipynb"]


# stage


def test_stage_refuses_what_did_not_run_with_a_line_for_each_fault(tmp_path, capsys):
    write_lab(tmp_path, "first = 1\nsecond = 2")
    (tmp_path / "_config.yml").write_text("title: t\n")
    bare, site = str(tmp_path / "book"), tmp_path / "site"
    assert main(["--root", str(tmp_path), "stage", bare, str(site)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1] == f"descent: {LAB}: a cell did not run: first = 1"
    assert not site.exists()


def test_stage_takes_what_run_left(tmp_path):
    write_lab(tmp_path, "print('ran')")
    (tmp_path / "_config.yml").write_text("title: t\n")
    assert run(tmp_path) == 0
    site = tmp_path / "site"
    assert main(["--root", str(tmp_path), "stage", str(tmp_path / "out"), str(site)]) == 0
    assert printed(site / "book" / f"{LAB}.ipynb") == "ran\n"


# what became of the runs


def test_list_gives_the_names_to_a_program(tmp_path, capsys):
    assert main(["--root", str(write_lab(tmp_path)), "list", "--json"]) == 0
    assert capsys.readouterr().out == f'["{LAB}"]\n'


def test_runs_are_verified_tabulated_and_recorded(tmp_path, capsys):
    write_lab(tmp_path, "import torch")
    out, file = str(tmp_path / "out"), tmp_path / "runs" / "here.json"
    root = ["--root", str(tmp_path)]
    for command in ("verify", "summary"):
        assert main([*root, command, out]) == 1
        assert capsys.readouterr().err == f"descent: there is no folder {out}\n"
    (tmp_path / "out").mkdir()
    assert main([*root, "verify", out]) == 1
    assert capsys.readouterr().err == f"descent: {LAB}: not executed\n"
    assert run(tmp_path, "--no-progress") == 0
    assert main([*root, "verify", out]) == 0
    assert main([*root, "verify", out, LAB, "--device", "cpu"]) == 0
    capsys.readouterr()
    assert main([*root, "summary", out]) == 0
    assert re.fullmatch(
        rf"\| lab .*\n\|:.*\n\| {LAB} \| .* \| \d+\.\d \| \d\.\d\d GB \| passed \|\n",
        capsys.readouterr().out,
    )
    assert main([*root, "record", out, str(file)]) == 0
    assert [each.lab for each in records.load(file)] == [LAB]
    assert main([*root, "verify", out, "--device", "cuda"]) == 1
    assert "no tensor was on a CUDA device" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["verify", "summary"])
def test_an_unknown_lab_is_named(command, tmp_path, capsys):
    write_lab(tmp_path)
    assert main(["--root", str(tmp_path), command, str(tmp_path), "tiny_lap"]) == 1
    assert "there is no lab 'tiny_lap'; there are: tiny_lab; did you" in capsys.readouterr().err


def test_a_device_says_what_it_is(capsys):
    assert main(["device", "cpu"]) == 0
    assert re.fullmatch(r"cpu: .+, PyTorch .+\n", capsys.readouterr().out)


def test_a_device_that_is_missing_or_miscounts_is_an_error(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["device", "cuda"]) == 1
    assert capsys.readouterr().err.startswith("descent: device 'cuda' is not on this machine")
    monkeypatch.setattr(torch, "ones", torch.zeros)
    assert main(["device", "cpu"]) == 1
    assert capsys.readouterr().err == "descent: device 'cpu' adds a thousand ones up to 0.0\n"
