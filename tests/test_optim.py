"""The contract that every optimizer keeps: a row of ``OPTIMIZERS`` is tested by being there."""

import copy
import inspect
import io
import math
import pickle
import re
from typing import Annotated

import pytest
import torch
from declared import allowed
from held import faults_of
from torch import nn

from descent.optim import (
    OPTIMIZERS,
    SGD,
    Adam,
    NAdam,
    RAdam,
    RuleOptimizer,
    State,
    from_rule,
    gradient_descent,
)
from descent.optim._hyperparameters import In
from descent.tasks.problems import plateau, quadratic, ravine, rosenbrock, saddle
from descent.training import minimize

SHAPES = [(), (3,), (2, 3), (0,), (0, 2), (1, 1, 4)]


def _remembering(
    param: torch.Tensor,
    grad: torch.Tensor,
    state: State,
    lr: Annotated[float, In("[0, inf)"), "the rate"] = 1e-3,
    momentum: Annotated[float, In("[0, 1)"), "what is kept"] = 0.9,
) -> tuple[torch.Tensor, State]:
    """Step by a buffer that is divided by the number of steps."""
    buffer = momentum * state.get("momentum_buffer", 0.0) + grad
    step = state.get("step", torch.tensor(0.0)) + 1
    return param - lr * buffer / step.to(param.dtype), {"momentum_buffer": buffer, "step": step}


class Remembering(from_rule(_remembering)):
    """A rule with a state of both kinds, a tensor like the parameter and a count of steps."""


# The base class promises more than the rules of the first chapters use, so one more stands in.
TABLE = {**OPTIMIZERS, "a rule that remembers": Remembering}
ROWS = pytest.mark.parametrize("optimizer", TABLE.values(), ids=TABLE)
HYPERPARAMETERS = pytest.mark.parametrize(
    ("optimizer", "name"),
    [(optimizer, name) for optimizer in TABLE.values() for name in optimizer.hyperparameters],
    ids=[
        f"{row}: {name}" for row, optimizer in TABLE.items() for name in optimizer.hyperparameters
    ],
)
NEEDED = {
    (SGD, "dampening"): {"momentum": 0.9},
    (SGD, "nesterov"): {"momentum": 0.9},
    (Adam, "decoupled_weight_decay"): {"weight_decay": 0.1},
    (NAdam, "decoupled_weight_decay"): {"weight_decay": 0.1},
    (RAdam, "decoupled_weight_decay"): {"weight_decay": 0.1},
}
"""What must be set besides before a hyperparameter changes anything, or is allowed to."""

PROBLEMS = {
    "quadratic": quadratic([1.0, 3.0, 10.0], angle=0.5),
    "ravine": ravine(100.0),
    "saddle": saddle(),
    "plateau": plateau(),
    "Rosenbrock": rosenbrock(),
}
PROBLEM = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


def bounds(interval):
    return (float(end) for end in interval[1:-1].split(","))


def inside(allowed):
    """Give values that are allowed: both flags, or three numbers or tuples, small ones."""
    if allowed is bool:
        return [False, True]
    if isinstance(allowed, tuple):
        return list(zip(*(inside(each) for each in allowed), strict=True))
    low, high = bounds(allowed)
    low = max(low, 0.0)
    return [low + part * min(high - low, 0.02) for part in (0.1, 0.5, 0.9)]


def defaults(optimizer, **changes):
    """Read what the constructor sets when it is told nothing, and change some of it."""
    group = optimizer([torch.zeros(1)]).param_groups[0]
    return {name: group[name] for name in optimizer.hyperparameters} | changes


def parameters(shapes=SHAPES, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, dtype=dtype, generator=generator).requires_grad_() for shape in shapes
    ]


def gradients(params, step):
    generator = torch.Generator().manual_seed(1000 + step)
    return [torch.randn(p.shape, dtype=p.dtype, generator=generator) for p in params]


def bowl(theta):
    return (theta**2).sum(-1)


def advance(optimizer, params, steps):
    """Take the steps with these numbers, each with gradients that follow from its number."""
    for step in steps:
        for param, grad in zip(params, gradients(params, step), strict=True):
            param.grad = grad
        optimizer.step()


def same(ones, others):
    return all(torch.equal(one, other) for one, other in zip(ones, others, strict=True))


# The rule


@pytest.mark.parametrize("row", OPTIMIZERS)
def test_the_rule_is_held_to_its_formula(row):
    if faults := faults_of(row):
        pytest.fail("\n".join(faults), pytrace=False)


@ROWS
def test_the_names_of_the_hyperparameters_agree(optimizer):
    keywords = inspect.signature(optimizer.rule).parameters.values()
    of_rule = [each.name for each in keywords][3:]
    of_class = list(inspect.signature(optimizer).parameters)
    assert sorted(of_rule) == sorted(optimizer.hyperparameters)
    assert of_class == ["params", *optimizer.hyperparameters]
    assert list(optimizer([torch.zeros(1)]).defaults) == list(optimizer.hyperparameters)


@ROWS
def test_the_rule_is_pure(optimizer):
    hyperparameters = defaults(optimizer)
    (param,), state = parameters([(2, 3)]), {}
    param = param.detach()
    for step in range(3):
        (grad,) = gradients([param], step)
        inputs = {"param": param, "grad": grad, **state}
        kept, keys = copy.deepcopy(inputs), list(state)
        first, first_state = optimizer.rule(param, grad, state, **hyperparameters)
        again, again_state = optimizer.rule(param, grad, state, **hyperparameters)
        assert torch.equal(first, again)
        assert same(first_state.values(), again_state.values())
        assert list(state) == keys
        assert same(inputs.values(), kept.values())
        assert first.data_ptr() != param.data_ptr()
        param, state = first, first_state


@ROWS
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_rule_keeps_shape_and_dtype(optimizer, shape, dtype):
    (param,), state = parameters([shape], dtype), {}
    for step in range(2):
        (grad,) = gradients([param], step)
        param, state = optimizer.rule(param.detach(), grad, state, **defaults(optimizer))
        assert param.shape == shape
        assert param.dtype == dtype
        counts = {"step", "mu_product"}  # in float32 whatever the parameter, as in PyTorch
        assert {each.dtype for name, each in state.items() if name not in counts} <= {dtype}


@ROWS
@PROBLEM
def test_the_rule_goes_downhill(optimizer, problem):
    hyperparameters = defaults(optimizer, lr=1e-3)
    trace = minimize(problem.objective, problem.start, optimizer, num_steps=50, **hyperparameters)
    assert trace.loss[-1] < trace.loss[0]


# The class is the rule


@ROWS
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_a_step_of_the_class_is_the_rule_applied_to_each_parameter(optimizer, dtype):
    params = parameters(dtype=dtype)
    expected, states = [param.detach().clone() for param in params], [{} for _ in params]
    ours = optimizer(params)
    for step in range(4):
        advance(ours, params, [step])
        for index, grad in enumerate(gradients(params, step)):
            expected[index], states[index] = optimizer.rule(
                expected[index], grad, states[index], **defaults(optimizer)
            )
    assert same(params, expected)
    for param, state in zip(params, states, strict=True):
        assert ours.state[param].keys() == state.keys()
        assert same(ours.state[param].values(), state.values())


@ROWS
@PROBLEM
def test_the_trajectory_of_minimize_is_that_of_the_class(optimizer, problem):
    hyperparameters = defaults(optimizer, lr=1e-3)
    trace = minimize(problem.objective, problem.start, optimizer, num_steps=20, **hyperparameters)
    theta = problem.start.clone().requires_grad_()
    ours = optimizer([theta], **hyperparameters)
    for row in range(20):
        assert torch.equal(trace.params[row], theta)
        ours.zero_grad()
        problem.objective(theta).backward()
        assert trace.grad_norm[row] == theta.grad.norm()
        ours.step()
    assert torch.equal(trace.params[-1], theta)


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (optimizer, name)
        for optimizer in TABLE.values()
        for name, interval in allowed(optimizer).items()
        if interval is not bool  # a flag is the same for all runs of a batch
    ],
)
@PROBLEM
def test_runs_in_a_batch_are_the_runs_one_by_one(optimizer, name, problem):
    values = inside(allowed(optimizer)[name])
    column = torch.tensor(values, dtype=torch.float64)[:, None]
    if column.ndim == 3:
        column = column.unbind(-1)
    starts = torch.stack([problem.start, 0.9 * problem.start, 1.1 * problem.start])
    needed = NEEDED.get((optimizer, name), {})
    hyperparameters = defaults(optimizer, lr=1e-3, **needed) | {name: column}
    batch = minimize(problem.objective, starts, optimizer, num_steps=10, **hyperparameters)
    for run, start in enumerate(starts):
        hyperparameters[name] = values[run]
        alone = minimize(problem.objective, start, optimizer, num_steps=10, **hyperparameters)
        for batched, single in [
            (batch.params, alone.params),
            (batch.loss, alone.loss),
            (batch.grad_norm, alone.grad_norm),
            (batch.lr, alone.lr),
        ]:
            torch.testing.assert_close(
                batched[:, run], single, rtol=1e-11, atol=1e-11, equal_nan=True
            )


@ROWS
def test_a_complex_parameter_moves_as_its_real_and_imaginary_parts_would(optimizer):
    (one,) = parameters([(3,)], torch.complex128)
    two = torch.view_as_real(one.detach().clone()).requires_grad_()
    ours, parts = optimizer([one], lr=0.1), optimizer([two], lr=0.1)
    for step in range(3):
        (grad,) = gradients([one], step)
        one.grad, two.grad = grad, torch.view_as_real(grad)
        ours.step()
        parts.step()
    torch.testing.assert_close(torch.view_as_real(one), two, rtol=1e-12, atol=0)


@ROWS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_rate_in_a_tensor_is_the_same_rate(optimizer, dtype):
    params, others = parameters(dtype=dtype), parameters(dtype=dtype)
    advance(optimizer(params, lr=0.25), params, range(3))
    advance(optimizer(others, lr=torch.tensor(0.25, dtype=torch.float64)), others, range(3))
    assert same(params, others)
    assert {param.dtype for param in others} == {dtype}


# PyTorch's conventions


@ROWS
def test_parameters_without_a_gradient_are_left_alone(optimizer):
    first, second = parameters([(2,), (2,)])
    kept = second.detach().clone()
    ours = optimizer([first, second])
    begun = ours.state.get(second)
    (first.grad,) = gradients([first], 0)
    ours.step()
    assert torch.equal(second, kept)
    assert ours.state.get(second) is begun
    assert not torch.equal(first, parameters([(2,)])[0])


@ROWS
def test_a_parameter_whose_first_gradient_comes_late_starts_fresh(optimizer):
    late, fresh = parameters([(2,)])[0], parameters([(2,)])[0]
    (other,) = parameters([(2,)], seed=1)
    ours = optimizer([other, late])
    advance(optimizer([other]), [other], range(3))
    for _ in range(3):
        ours.step()
    (late.grad,) = gradients([late], 0)
    ours.step()
    advance(optimizer([fresh]), [fresh], [0])
    assert torch.equal(late, fresh)


@ROWS
def test_a_closure_is_called_once_with_gradients_on_and_its_loss_returned(optimizer):
    (theta,) = parameters([(3,)])
    ours, losses = optimizer([theta]), []

    def closure():
        assert torch.is_grad_enabled()
        ours.zero_grad()
        losses.append((theta**2).sum())
        losses[-1].backward()
        return losses[-1]

    before = theta.detach().clone()
    with torch.no_grad():
        loss = ours.step(closure)
    assert len(losses) == 1
    assert loss is losses[0]
    assert loss == (before**2).sum()
    expected, _ = optimizer.rule(before, 2 * before, {}, **defaults(optimizer))
    assert torch.equal(theta, expected)


@ROWS
def test_a_step_without_a_closure_returns_nothing_and_records_no_graph(optimizer):
    params = parameters()
    ours = optimizer(params)
    for param, grad in zip(params, gradients(params, 0), strict=True):
        param.grad = grad
    assert ours.step() is None
    assert all(param.is_leaf and param.requires_grad for param in params)
    tensors = [each for state in ours.state.values() for each in state.values()]
    assert not any(each.requires_grad for each in tensors)


@HYPERPARAMETERS
def test_groups_with_their_own_hyperparameters_are_optimizers_of_their_own(optimizer, name):
    first, second = parameters([(2,), (3,)])
    usual = defaults(optimizer)[name]
    changed = next(value for value in inside(allowed(optimizer)[name]) if value != usual)
    own = NEEDED.get((optimizer, name), {}) | {name: changed}
    ours = optimizer([{"params": [first]}, {"params": second, **own}])
    advance(ours, [first, second], range(4))

    alone, other = parameters([(2,), (3,)])
    optimizers = [optimizer([alone]), optimizer([other], **own)]
    for step in range(4):
        for param, grad in zip([alone, other], gradients([alone, other], step), strict=True):
            param.grad = grad
        for each in optimizers:
            each.step()
    assert same([first, second], [alone, other])


@ROWS
@pytest.mark.parametrize("reloaded", [False, True])
def test_a_group_that_comes_late_joins_with_the_defaults(optimizer, reloaded):
    first, second = parameters([(2,), (3,)])
    ours = optimizer([first], lr=0.5)
    advance(ours, [first], range(2))
    if reloaded:
        ours.load_state_dict(ours.state_dict())
    ours.add_param_group({"params": [second]})
    assert ours.param_groups[1]["lr"] == 0.5
    advance(ours, [first, second], [2])
    fresh = parameters([(2,), (3,)])[1]
    grad = gradients([first, fresh], 2)[1]
    expected, _ = optimizer.rule(fresh.detach(), grad, {}, **defaults(optimizer, lr=0.5))
    assert torch.equal(second, expected)


@ROWS
def test_parameters_come_as_a_list_a_generator_or_with_their_names(optimizer):
    ways = {
        "list": lambda model: list(model.parameters()),
        "generator": lambda model: model.parameters(),
        "names": lambda model: model.named_parameters(),
        "groups": lambda model: [{"params": [each]} for each in model.parameters()],
    }
    models = {}
    for way, params_of in ways.items():
        torch.manual_seed(0)
        models[way] = nn.Linear(2, 3)
        advance(optimizer(params_of(models[way]), lr=0.1), [*models[way].parameters()], range(2))
    for model in models.values():
        assert same(model.parameters(), models["list"].parameters())


@ROWS
def test_names_are_kept_and_groups_can_be_handed_on(optimizer):
    first = optimizer(nn.Linear(2, 3).named_parameters(), lr=0.5)
    second = optimizer(first.param_groups)
    for each in (first, second):
        (group,) = each.state_dict()["param_groups"]
        assert group["param_names"] == ["weight", "bias"]
        assert group["lr"] == 0.5


# Errors


@ROWS
@pytest.mark.parametrize("params", [[], iter([]), {}.values()], ids=["list", "iterator", "view"])
def test_no_parameters_at_all_are_an_error(optimizer, params):
    with pytest.raises(ValueError, match="empty parameter list"):
        optimizer(params)


@ROWS
def test_a_group_that_is_no_dictionary_is_an_error(optimizer):
    (theta,) = parameters([(2,)])
    with pytest.raises(TypeError, match="param_group must be a dict"):
        optimizer([{"params": []}, [theta]])


@ROWS
def test_an_unknown_hyperparameter_is_named_with_those_there_are(optimizer):
    params = parameters([(2,), (2,)])
    with pytest.raises(TypeError, match="'learning_rate'"):
        optimizer(params, learning_rate=0.1)
    known = ", ".join(optimizer.hyperparameters)
    message = f"^{optimizer.__name__} has no hyperparameter 'learning_rate'; it has: {known}$"
    with pytest.raises(TypeError, match=message):
        optimizer([{"params": params, "learning_rate": 0.1}])
    with pytest.raises(TypeError, match=message):
        minimize(bowl, torch.ones(2), optimizer, num_steps=1, learning_rate=0.1)


def refusals(allowed, name):
    """List what a hyperparameter cannot be, with the error that says so, and what it names."""
    wrong = ["0.1", None, 1j]
    if allowed is bool:
        return [(TypeError, value, name) for value in (*wrong, 1, 0.0)]
    if isinstance(allowed, tuple):
        right = inside(allowed)[0]
        longer = [(ValueError, value, name) for value in ((), right[1:], (*right, 0.5), [])]
        return (
            [(TypeError, value, name) for value in (*wrong, True, 0.5)]
            + [
                (error, (*right[:index], value, *right[index + 1 :]), entry)
                for index, interval in enumerate(allowed)
                for error, value, entry in refusals(interval, f"{name}[{index}]")
            ]
            + longer
        )
    low, high = bounds(allowed)
    beyond = [low - 1, high + 1 if math.isfinite(high) else math.inf]
    ends = [low] * (allowed[0] == "(") + [high] * (allowed[-1] == ")")
    numbers = [*beyond, *ends, math.nan]
    return (
        [(ValueError, number, name) for number in numbers]
        + [(ValueError, torch.tensor(number), name) for number in numbers]
        + [(TypeError, value, name) for value in (*wrong, True, [0.1])]
    )


@HYPERPARAMETERS
def test_a_bad_value_is_one_line_that_names_it_wherever_it_is_given(optimizer, name):
    first, second = parameters([(2,), (2,)])
    ours = optimizer([first])
    for error, value, entry in refusals(allowed(optimizer)[name], name):
        for attempt in (
            lambda value=value: optimizer([first], **{name: value}),
            lambda value=value: optimizer([{"params": [first], name: value}]),
            lambda value=value: ours.add_param_group({"params": [second], name: value}),
            lambda value=value: minimize(
                bowl, torch.ones(2), optimizer, num_steps=1, **{"lr": 0.1, name: value}
            ),
        ):
            with pytest.raises(error, match=f"^{re.escape(entry)} must be ") as caught:
                attempt()
            assert "\n" not in str(caught.value)
    assert len(ours.param_groups) == 1


@ROWS
def test_a_state_that_is_not_of_this_optimizer_is_refused_before_anything_changes(optimizer):
    params = parameters([(2,)])
    ours = optimizer(params, lr=0.5)
    advance(ours, params, range(2))
    kept = copy.deepcopy(ours.state_dict())
    foreign, bad = copy.deepcopy(kept), copy.deepcopy(kept)
    del foreign["param_groups"][0]["lr"]
    bad["param_groups"][0]["lr"] = -1.0
    with pytest.raises(
        ValueError, match=rf"^the state is not one of {optimizer.__name__}: .* \['lr'\]$"
    ):
        ours.load_state_dict(foreign)
    with pytest.raises(ValueError, match=r"^lr must be in \[0, inf\), got -1.0$"):
        ours.load_state_dict(bad)
    assert ours.state_dict()["param_groups"] == kept["param_groups"]
    assert ours.state_dict()["state"].keys() == kept["state"].keys()


@ROWS
def test_a_state_of_another_optimizer_is_refused_before_anything_changes(optimizer):
    """Of one that keeps nothing, or the same under the same names, it may be taken."""
    params = parameters([(2,)])
    ours = optimizer(params, lr=0.5)
    advance(ours, params, range(2))
    kept, own = copy.deepcopy(ours.state_dict()), set(ours.state[params[0]])
    for other in OPTIMIZERS.values():
        strange = other(parameters([(2,)]), **({"momentum": 0.9} if other is SGD else {}))
        advance(strange, strange.param_groups[0]["params"], range(2))
        foreign = strange.state_dict()
        names = set(foreign["state"].get(0, {}))
        foreign["param_groups"][0] |= kept["param_groups"][0]
        if names <= own:
            continue
        with pytest.raises(ValueError, match=f"^the state is not one of {optimizer.__name__}: for"):
            ours.load_state_dict(foreign)
        assert ours.state_dict()["state"].keys() == kept["state"].keys()
        assert set(ours.state[params[0]]) == own


@ROWS
def test_a_hyperparameter_is_one_number_for_a_group(optimizer):
    param = torch.zeros(2, requires_grad=True)
    made = optimizer([param])
    state = made.state_dict()
    for name, each in optimizer.hyperparameters.items():
        if not each.stacks:
            continue
        two = torch.tensor([0.25, 0.5])
        value = (two,) * each.length if each.kind is tuple else two
        told = rf"^{name}(\[0\])? must be one number, got a tensor of shape \(2,\)$"
        for give in (
            lambda given: optimizer([param], **given),
            lambda given: optimizer([{"params": [param], **given}]),
            lambda given: made.add_param_group({"params": [torch.zeros(2)], **given}),
            lambda given: made.load_state_dict(
                state | {"param_groups": [state["param_groups"][0] | given]}
            ),
        ):
            with pytest.raises(ValueError, match=told):
                give({name: value})
        assert made.state_dict() == state


@ROWS
def test_a_rate_in_a_tensor_of_one_number_is_that_number(optimizer):
    ends = []
    for lr in (0.25, torch.tensor(0.25), torch.tensor([0.25]), torch.tensor([[0.25]])):
        params = [torch.tensor(1.0, requires_grad=True), torch.ones(3, requires_grad=True)]
        made = optimizer(params, lr=lr)

        def closure(params=params, made=made):
            made.zero_grad()
            loss = sum((param**2).sum() for param in params)
            loss.backward()
            return loss

        for _ in range(2):
            closure()
            made.step(closure)
        ends.append([param.detach() for param in params])
    for end in ends[1:]:
        torch.testing.assert_close(end, ends[0], rtol=0.0, atol=0.0)


@ROWS
def test_a_sparse_gradient_is_refused(optimizer):
    table = nn.Embedding(5, 2, sparse=True)
    kept = table.weight.detach().clone()
    table(torch.tensor([1, 3])).sum().backward()
    with pytest.raises(
        RuntimeError, match=f"^{optimizer.__name__} does not take sparse gradients$"
    ):
        optimizer(table.parameters()).step()
    assert torch.equal(table.weight, kept)


# Going on after a pause


def through_state_dict(optimizer, params):
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    fresh = [param.detach().clone().requires_grad_() for param in params]
    other = type(optimizer)(fresh, lr=123.0)
    other.load_state_dict(torch.load(file))
    return other, fresh


def through_pickle(optimizer, params):
    return pickle.loads(pickle.dumps((optimizer, params)))


def through_deepcopy(optimizer, params):
    return copy.deepcopy((optimizer, params))


@ROWS
@pytest.mark.parametrize("way", [through_state_dict, through_pickle, through_deepcopy])
def test_a_copy_made_in_mid_run_goes_on_identically(optimizer, way):
    params = parameters()
    ours = optimizer(params, lr=0.1)
    advance(ours, params, range(3))
    kept = [param.detach().clone() for param in params]
    other, copies = way(ours, params)
    advance(other, copies, range(3, 6))
    assert same(params, kept), "the copy moved the original"
    advance(ours, params, range(3, 6))
    assert same(params, copies)
    for param, copied in zip(params, copies, strict=True):
        assert ours.state[param].keys() == other.state[copied].keys()
        assert same(ours.state[param].values(), other.state[copied].values())


@ROWS
@pytest.mark.parametrize("kind", [float, torch.tensor])
def test_a_scheduler_attaches_and_sets_the_rate(optimizer, kind):
    params, others = parameters(dtype=torch.float32), parameters(dtype=torch.float32)
    ours = optimizer(params, lr=kind(0.5))
    scheduler = torch.optim.lr_scheduler.StepLR(ours, step_size=2, gamma=0.5)
    by_hand = optimizer(others, lr=0.5)
    for step in range(5):
        by_hand.param_groups[0]["lr"] = 0.5 ** (1 + step // 2)
        assert float(ours.param_groups[0]["lr"]) == by_hand.param_groups[0]["lr"]
        advance(ours, params, [step])
        advance(by_hand, others, [step])
        scheduler.step()
    assert same(params, others)


@ROWS
def test_a_scheduler_takes_up_a_run_that_was_paused(optimizer):
    (theta,) = parameters([(2,)])
    ours = optimizer([{"params": [theta], "initial_lr": 0.4}], lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(ours, step_size=2, gamma=0.5, last_epoch=3)
    assert scheduler.base_lrs == [0.4]


def test_gradient_descent_remembers_nothing():
    param, state = gradient_descent(torch.ones(2), torch.ones(2), {}, lr=0.5)
    assert state == {}
    assert torch.equal(param, torch.full((2,), 0.5))


def test_the_table_lists_each_optimizer_once():
    assert len(set(OPTIMIZERS.values())) == len(OPTIMIZERS)
    assert all(issubclass(optimizer, RuleOptimizer) for optimizer in OPTIMIZERS.values())
