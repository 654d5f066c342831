"""What a user's tools see of an optimizer: its arguments, as its rule declares them."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import torch

from descent.optim import OPTIMIZERS, SGD, Adam, adam, from_rule
from descent.optim._hyperparameters import In

USER = '''
import torch

from descent.optim import SGD, Adam, AdamW, clipped, from_rule

model = torch.nn.Linear(2, 2)
optimizer = Adam(model.parameters(), 1e-3, betas=(0.9, 0.99), maximize=True)
again: SGD = SGD(model.parameters(), lr=torch.tensor(0.1), momentum=0.9, nesterov=True)
optimizer.step()
short = clipped(AdamW)(model.parameters(), lr=1e-3, max_norm=1.0)


class Mine(from_rule(SGD.rule)):
    """A base of any rule."""


Adam(model.parameters(), learning_rate=0.1)  # wrong: no such argument
Adam(model.parameters(), lr="0.1")  # wrong: not a number
Adam(model.parameters(), 1e-3, (0.9, 0.99), 1e-8, 0.0, False, True)  # wrong: one too many
SGD(model.parameters(), nesterov=0.5)  # wrong: not a flag
AdamW(model.parameters(), betas=0.9)  # wrong: not a pair
'''


def test_a_type_checker_sees_the_arguments_and_their_types(tmp_path):
    file = tmp_path / "user.py"
    file.write_text(USER, encoding="utf-8")
    checker = Path(sys.executable).with_name("basedpyright")
    command = [checker, "--pythonpath", sys.executable, "--outputjson", "--level", "error", file]
    said = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=tmp_path)
    found = json.loads(said.stdout)["generalDiagnostics"]
    lines = {each["range"]["start"]["line"] for each in found if each["severity"] == "error"}
    wrong = {n for n, line in enumerate(USER.splitlines()) if "# wrong" in line}
    assert lines == wrong, [each["message"] for each in found]


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_the_signature_is_the_rules(optimizer):
    seen = list(inspect.signature(optimizer).parameters.values())[1:]
    declared = list(inspect.signature(optimizer.rule).parameters.values())[3:]
    assert [(each.name, each.default, each.kind) for each in seen] == [
        (each.name, each.default, each.kind) for each in declared
    ]
    theirs = getattr(torch.optim, optimizer.__name__, None)
    if theirs is not None:  # positions mean the same in PyTorch
        positional = [
            [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
            for parameters in (seen, list(inspect.signature(theirs).parameters.values())[1:])
        ]
        assert positional[0] == positional[1][: len(positional[0])]


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_help_says_what_each_argument_means_and_may_be(optimizer):
    for documented in (optimizer.__doc__, optimizer.rule.__doc__):
        arguments = documented.partition("Args:\n")[2].partition("\n\n")[0]
        flat = " ".join(arguments.split())
        for each in optimizer.hyperparameters.values():
            assert f"{each.name}: {' '.join(each.meaning.split())}" in flat
            assert not each.interval or each.interval in flat
    assert ".. math::" in optimizer.__doc__
    assert "References:" in optimizer.__doc__


def test_the_arguments_come_by_position_as_in_pytorch():
    theta = torch.ones(1, requires_grad=True)
    ours, theirs = (
        Adam([theta], 0.1, (0.5, 0.6), 1e-3),
        torch.optim.Adam([theta], 0.1, (0.5, 0.6), 1e-3),
    )
    for name in ("lr", "betas", "eps"):
        assert ours.param_groups[0][name] == theirs.param_groups[0][name]


def test_one_argument_too_many_is_one_line():
    theta = torch.ones(1, requires_grad=True)
    with pytest.raises(TypeError, match=r"^SGD: too many positional arguments; it has: lr, "):
        SGD([theta], 0.1, 0.9, 0.0, 0.0, False, True)


def _without_default(param, grad, state, lr: Annotated[float, In("[0, 1]"), "the rate"]):
    return param, state


def _without_words(param, grad, state, lr: Annotated[float, In("[0, 1]")] = 0.1):
    return param, state


def _without_range(param, grad, state, lr: Annotated[float, "the rate"] = 0.1):
    return param, state


def _without_state(param, grad, lr: Annotated[float, In("[0, 1]"), "the rate"] = 0.1):
    return param


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (_without_default, "the hyperparameter 'lr' of _without_default needs a default"),
        (_without_words, "the hyperparameter 'lr' of _without_words needs words that say"),
        (_without_range, "the hyperparameter 'lr' of _without_range needs an interval"),
        (_without_state, "_without_state must begin with param, grad, state"),
    ],
)
def test_a_rule_that_leaves_something_unsaid_is_refused(rule, message):
    with pytest.raises(TypeError, match=f"^{message}"):
        from_rule(rule)


def test_a_rule_with_defaults_can_be_called_as_a_function():
    param, state = adam(torch.ones(2), torch.ones(2), {})
    assert set(state) == {"step", "exp_avg", "exp_avg_sq"}
    assert torch.allclose(param, torch.full((2,), 1 - 1e-3))
