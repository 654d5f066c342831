import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from descent.optim import OPTIMIZERS
from descent.playground import (
    FIGURES,
    microscope,
    momentum,
    noise_floor,
    ravine,
    schedule,
    script,
    turned_bowl,
    write_modules,
    write_scripts,
)
from descent.playground._bundle import SHARED, shared
from descent.playground._description import SCALES, description
from descent.playground._figure import HEIGHTS
from descent.playground._gradients import GRADIENTS, LENGTH
from descent.plotting import STYLES

BOOK = Path(__file__).resolve().parent.parent / "book"
BUDGET = 80_000
"""Bytes that all figures together may take, compressed."""


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"surface": "volcano"}, ValueError, "surface must be one of 'bowl', .*, got 'volcano'"),
        ({"kappa": float("nan")}, ValueError, r"kappa must be in \[1, 100\], got nan"),
        ({"kappa": "ten"}, TypeError, r"kappa must be a number in \[1, 100\], got 'ten'"),
        ({"angle": 91}, ValueError, r"angle must be in \[-90, 90\], got 91"),
        ({"num_steps": 0}, ValueError, r"num_steps must be in \[1, 500\], got 0"),
        ({"num_steps": 2.5}, TypeError, r"num_steps must be an integer in \[1, 500\], got 2.5"),
        ({"seed": -1}, ValueError, r"seed must be in \[0, 4294967295\], got -1"),
        ({"start": (1.0,)}, ValueError, r"start must be 2 numbers, got \(1.0,\)"),
        ({"start": (9.0, 0.0)}, ValueError, r"start\[0\] must be in \[-2.4, 2.4\], got 9.0"),
        ({"racers": {}}, ValueError, "racers must be one to 3 optimizers, got 0"),
        ({"racers": [("SGD", {})] * 4}, ValueError, "racers must be one to 3 optimizers, got 4"),
        ({"racers": {"Sophia": {}}}, ValueError, "racers must be one of .*, got 'Sophia'"),
        ({"racers": {"Adam": {"lr": -1}}}, ValueError, r"lr must be in \[0, inf\), got -1"),
        ({"racers": {"Adam": {"beta": 1}}}, TypeError, "Adam has no hyperparameter 'beta'"),
        ({"racers": {"SGD": {"nesterov": True}}}, ValueError, "nesterov=True needs momentum"),
        ({"racers": {"Adam": {"lr": float("inf")}}}, ValueError, r"lr must be in \[0, inf\)"),
        ({"racers": ["Adam"]}, TypeError, "racers must be optimizers, each with its"),
        ({"racers": 3}, TypeError, "racers must be of type Mapping or Sequence, got 3"),
    ],
)
def test_a_bad_argument_gets_one_clear_error(arguments, error, message):
    with pytest.raises(error, match=message):
        ravine(**arguments)


@pytest.mark.parametrize("arguments", [{"product": 5}, {"momentum": 1.0}, {"momentum": -0.1}])
def test_momentum_refuses_what_is_out_of_range(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        momentum(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"lr": 2.0}, ValueError),
        ({"batch_size": 0}, ValueError),
        ({"batch_size": 1.5}, TypeError),
        ({"noise": float("inf")}, ValueError),
        ({"drop": 201}, ValueError),
        ({"average": 1}, TypeError),
    ],
)
def test_the_noise_floor_refuses_what_is_out_of_range(arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        noise_floor(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"gradients": "none"}, ValueError, "gradients must be one of 'constant', .*, got 'none'"),
        ({"gradients": [1.0]}, ValueError, r"gradients must be 60 numbers, got \[1.0\]"),
        (
            {"gradients": [2.0] * LENGTH},
            ValueError,
            r"gradients\[0\] must be in \[-1, 1\], got 2.0",
        ),
        ({"gradients": 1}, TypeError, "gradients must be of type str or Sequence, got 1"),
        ({"silence": 10_001}, ValueError, r"silence must be in \[0, 10000\], got 10001"),
        ({"beta1": 1.0}, ValueError, r"beta1 must be in \[0, 1\), got 1.0"),
        ({"beta2": float("nan")}, ValueError, r"beta2 must be in \[0, 1\), got nan"),
        ({"other": "Sophia"}, ValueError, "other must be one of .*, got 'Sophia'"),
    ],
)
def test_the_microscope_refuses_what_is_out_of_range(arguments, error, message):
    with pytest.raises(error, match=message):
        microscope(**arguments)


def test_sequences_by_name_come_with_their_silence():
    for name, (silence, values) in GRADIENTS.items():
        made = microscope(name).state
        assert (made["silence"], made["gradients"]) == (silence, list(values))
    assert microscope("constant", silence=7).state["silence"] == 7


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"angle": 91}, ValueError),
        ({"kappa": 0.5}, ValueError),
        ({"adam_lr": 0.0}, ValueError),
        ({"rmsprop_lr": "fast"}, TypeError),
        ({"num_steps": 20.5}, TypeError),
    ],
)
def test_the_turned_bowl_refuses_what_is_out_of_range(arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        turned_bowl(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"shape": "step"}, ValueError),
        ({"lr": 0.6}, ValueError),
        ({"warmup_steps": 251}, ValueError),
        ({"decay_start": 24}, ValueError),
        ({"end_factor": 0.0}, ValueError),
        ({"noise": float("inf")}, ValueError),
    ],
)
def test_the_composer_refuses_what_is_out_of_range(arguments, error):
    with pytest.raises(error, match=next(iter(arguments))):
        schedule(**arguments)


def test_room_is_kept_for_every_figure():
    assert HEIGHTS.keys() == FIGURES.keys()
    three = ravine(racers=[("SGD", {})] * 3)
    assert "--wide: 74rem; --narrow: 160rem" in three.host("page")


def test_a_state_is_whole_and_plain():
    made = ravine(racers={"Adam": {"lr": 0.1, "betas": (0.8, 0.99)}}).state
    assert json.loads(json.dumps(made))["racers"] == [
        {"optimizer": "Adam", "lr": 0.1, "betas": [0.8, 0.99]}
    ]
    assert made.keys() == {*description()["figures"]["ravine"], "start", "racers"}


def test_what_a_state_holds_cannot_leave_its_attribute():
    host = ravine(racers={"Adam": {}}).host("page", proof='"><script>alert(1)</script>')
    assert host.count("<") == 2
    assert '"><script' not in host


def test_the_browser_is_told_of_every_optimizer():
    told = description()["optimizers"]
    assert told.keys() == OPTIMIZERS.keys()
    for name, optimizer in OPTIMIZERS.items():
        assert told[name]["color"] == STYLES[name][0]
        for each in told[name]["hyperparameters"]:
            declared = optimizer.hyperparameters[each["name"]]
            default = declared.default
            assert each["default"] == (list(default) if isinstance(default, tuple) else default)
            if declared.interval:
                ends = (each["low"], each["high"])
                shown = [str(end) for end in ends if end is not None]
                numbers = re.findall(r"-?\d+", declared.interval)
                assert [float(end) for end in shown] == [float(end) for end in numbers]
                assert each["low_included"] == (declared.interval[0] == "[")
                assert each["high_included"] == (declared.interval[-1] == "]")


def test_every_slider_shows_a_part_of_its_range():
    hyperparameters = [
        each
        for optimizer in description()["optimizers"].values()
        for each in optimizer["hyperparameters"]
        if each["kind"] != "flag"
    ]
    figures = description()["figures"]
    numbers = [each for of in figures.values() for each in of.values() if "low" in each]
    for each in hyperparameters + numbers:
        assert each["first"] < each["last"], each
        assert each["low"] is None or each["first"] >= each["low"], each
        assert each["high"] is None or each["last"] <= each["high"], each
    names = {each["name"] for each in hyperparameters}
    assert SCALES.keys() <= names.union(*figures.values())


def test_a_script_is_made_of_every_module_it_needs(tmp_path):
    write_modules(tmp_path)
    for figure in FIGURES:
        made = script(figure)
        assert not re.search(r"^\s*(import|export) ", made, re.MULTILINE)
        assert "</" not in made  # which would end a script that stands in a page
        assert (tmp_path / f"{figure}.js").is_file()
        assert made.count("const module_elements = ") == 1


def test_no_module_asks_for_another_host():
    texts = "".join(script(figure) for figure in FIGURES)
    assert set(re.findall(r"https?://[\w./]+", texts)) == {"http://www.w3.org/2000/svg"}


def test_pages_share_what_several_figures_need(tmp_path):
    write_scripts(tmp_path)
    texts = {file.stem: file.read_text() for file in tmp_path.iterdir()}
    assert texts.keys() == {SHARED, *FIGURES}
    for text in texts.values():
        assert not re.search(r"^\s*(import|export) ", text, re.MULTILINE)
    for module in shared():
        name = f"const module_{module.removesuffix('.js')} = "
        assert [stem for stem, text in texts.items() if name in text] == [SHARED]
    for figure in FIGURES:
        needed = re.findall(r"const (module_\w+) = \(", script(figure))
        found = re.findall(r"const (module_\w+) = \(", texts[SHARED] + texts[figure])
        assert set(needed) <= set(found)


def test_all_figures_together_are_small(tmp_path):
    write_scripts(tmp_path)
    sizes = {file.stem: len(gzip.compress(file.read_bytes())) for file in tmp_path.iterdir()}
    assert sum(sizes.values()) < BUDGET, sizes


def test_a_still_figure_stands_for_each_in_the_book():
    found = set()
    for file in BOOK.glob("*.md"):
        lines = file.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if "{playground}" not in line:
                continue
            found.add(line.split()[1])
            # A longer fence holds another block; else there is one above.
            if not line.startswith("````"):
                assert lines[number - 2] == "```", (file.name, number)
                above = [each for each in lines[: number - 2] if each.startswith("```")]
                assert above[-1].startswith("```{lab-figure}"), (file.name, number)
    assert found == FIGURES.keys()


def test_the_modules_come_with_an_installation():
    code = (
        "from importlib.resources import files; "
        "print((files('descent.playground') / 'web' / 'rules.js').is_file())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "True\n"
