import gzip
import json
import re
import subprocess
import sys

import pytest

from descent.optim import OPTIMIZERS
from descent.playground import FIGURES, momentum, noise_floor, ravine, script, write_modules
from descent.playground._description import SCALES, description
from descent.plotting import STYLES

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


def test_all_figures_together_are_small():
    sizes = [len(gzip.compress(script(figure).encode())) for figure in FIGURES]
    assert sum(sizes) < BUDGET, sizes


def test_the_modules_come_with_an_installation():
    code = (
        "from importlib.resources import files; "
        "print((files('descent.playground') / 'web' / 'rules.js').is_file())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "True\n"
