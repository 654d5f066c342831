"""The parameters of labs: what is allowed, how it is said, and that the book's labs obey."""

from typing import Annotated

import pytest
import torch
from pydantic import Field, ValidationError, create_model

from descent.chapters import parameters
from descent.press import pages, runner

GOOD = {"lr": 0.1, "seed": 0, "device": "cpu"}


@pytest.fixture
def lab(monkeypatch):
    """Make the model of a lab known under the name ``made_up_lab``."""
    rate = Annotated[float, Field(gt=0)]
    model = create_model("Parameters", __base__=parameters.LabParameters, lr=rate)
    monkeypatch.setattr(parameters, "parameters_of", lambda _: model)
    return "made_up_lab"


@pytest.mark.parametrize(
    ("kind", "bounds", "words"),
    [
        (float, {}, "a number in (-inf, inf)"),
        (float, {"gt": 0}, "a number in (0, inf)"),
        (float, {"ge": 0, "lt": 0.5}, "a number in [0, 0.5)"),
        (int, {"gt": -1, "le": 9}, "an integer in (-1, 9]"),
        (str, {"description": "red or green"}, "red or green"),
    ],
)
def test_allowed_says_the_range(kind, bounds, words):
    model = create_model("Model", value=Annotated[kind, Field(**bounds)])
    assert parameters.allowed(model.model_fields["value"]) == words


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"lr": 0}, "lr must be a number in (0, inf), got 0"),
        ({"lr": float("inf")}, "lr must be a number in (0, inf), got inf"),
        ({"lr": float("nan")}, "lr must be a number in (0, inf), got nan"),
        ({"lr": "1e-3"}, "lr must be a number in (0, inf), got '1e-3'"),
        ({"lr": True}, "lr must be a number in (0, inf), got True"),
        ({"seed": 1.0}, "seed must be an integer in [0, 4294967296), got 1.0"),
        ({"seed": 2**32}, "seed must be an integer in [0, 4294967296), got 4294967296"),
        ({"device": "GPU"}, "device must be auto, cpu, cuda, cuda:1, xpu, ..., got 'GPU'"),
        (
            {"device": "gpu"},
            "device must be 'auto', 'cpu' or an accelerator, as 'cuda' or 'cuda:1', got 'gpu'",
        ),
        ({"lrr": 0.1}, "there is no parameter 'lrr'; there are: seed, device, lr"),
        (
            {"lr": -1, "seed": -1},
            "seed must be an integer in [0, 4294967296), got -1; "
            "lr must be a number in (0, inf), got -1",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(values, told, lab):
    with pytest.raises(ValueError, match="made_up_lab") as refused:
        parameters.validate(lab, GOOD | values)
    assert str(refused.value) == f"made_up_lab: {told}"


def test_a_parameter_that_was_left_out_is_named(lab):
    with pytest.raises(ValueError, match="made_up_lab: lr is missing"):
        parameters.validate(lab, {"seed": 0, "device": "cpu"})


def test_a_whole_number_is_a_number(lab):
    assert parameters.validate(lab, GOOD | {"lr": 1}).lr == 1


def test_text_is_read_as_the_type_of_the_parameter(lab):
    read = parameters.validate(lab, {"lr": "1e-3", "seed": "7", "device": "cpu"}, from_text=True)
    assert (read.lr, read.seed, read.device) == (0.001, 7, "cpu")
    for text in ("nan", "inf", "1e999", "-1", "many", ""):
        with pytest.raises(ValueError, match="lr must be a number in"):
            parameters.validate(lab, GOOD | {"lr": text}, from_text=True)


def test_a_device_must_be_there(lab, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert parameters.validate(lab, GOOD | {"device": "cuda:0"}).device == "cuda:0"
    with pytest.raises(ValueError, match="'cuda:1' is not on this machine, which has 1"):
        parameters.validate(lab, GOOD | {"device": "cuda:1"})


def test_parameters_do_not_change_during_a_run(lab):
    with pytest.raises(ValidationError):
        parameters.validate(lab, GOOD).seed = 1


@pytest.mark.parametrize("name", ["no_such_lab", "../labs", "os.path", ""])
def test_there_is_no_such_lab(name):
    with pytest.raises(ValueError, match="there is no lab"):
        parameters.parameters_of(name)


@pytest.mark.parametrize("name", pages.labs_in_toc())
def test_every_profile_of_every_lab_is_allowed(name):
    values = {key: each.value for key, each in runner.defaults_of(pages.notebook_of(name)).items()}
    profiles = parameters.parameters_of(name).profiles
    assert list(profiles) == ["smoke", "book", "gpu"]
    assert profiles["gpu"]["device"] == "cuda"
    for profile in profiles.values():
        parameters.validate(name, values | profile | {"device": "auto"})
