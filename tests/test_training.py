import itertools
import math
import re
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from descent.optim import SGD, Adam, GradientDescent, RMSprop
from descent.tasks.models import mlp
from descent.tasks.problems import quadratic, ravine, rosenbrock
from descent.training import Trace, fit, follow, minimize


def bowl(theta):
    return (theta**2).sum(-1)


def batches_of(model, count=None, seed=0):
    """Yield batches for a model of three inputs and two classes, for ever if not told when."""
    generator = torch.Generator().manual_seed(seed)
    dtype = next(model.parameters()).dtype
    for _ in itertools.count() if count is None else range(count):
        input = torch.randn(8, 3, dtype=dtype, generator=generator)
        yield input, (input.sum(1) > 0).long()


def network(seed=0):
    return mlp([3, 4, 2], seed=seed).double()


def flat(model):
    return torch.cat([param.detach().flatten() for param in model.parameters()])


# minimize


def test_row_zero_is_the_start():
    problem = rosenbrock()
    trace = minimize(problem.objective, problem.start, GradientDescent, num_steps=3, lr=1e-3)
    assert trace.step.tolist() == [0, 1, 2, 3]
    assert torch.equal(trace.params[0], problem.start)
    assert trace.loss[0] == problem.objective(problem.start)
    assert trace.grad_norm[0] == problem.gradient(problem.start).norm()
    assert math.isnan(trace.lr[0])
    assert trace.lr[1:].tolist() == [1e-3] * 3


def test_every_row_belongs_to_its_own_parameters():
    problem = quadratic([1.0, 7.0], angle=0.4)
    trace = minimize(problem.objective, problem.start, GradientDescent, num_steps=5, lr=0.1)
    for row, theta in enumerate(trace.params):
        torch.testing.assert_close(trace.loss[row], problem.objective(theta), rtol=1e-14, atol=0)
        norm = problem.gradient(theta).norm()
        torch.testing.assert_close(trace.grad_norm[row], norm, rtol=1e-14, atol=0)
        if row:
            before = trace.params[row - 1]
            assert torch.equal(theta, before - 0.1 * problem.gradient(before))


@pytest.mark.parametrize("runs", [(), (1,), (4,), (2, 3), (0,)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_trace_has_the_shape_of_its_runs_and_the_dtype_of_its_start(runs, dtype):
    start = torch.ones(*runs, 5, dtype=dtype)
    trace = minimize(bowl, start, GradientDescent, num_steps=2, lr=0.1)
    assert len(trace) == 3
    assert trace.params.shape == (3, *runs, 5)
    for column in (trace.loss, trace.grad_norm, trace.lr):
        assert column.shape == (3, *runs)
        assert column.dtype == dtype
    assert trace.params.dtype == dtype
    assert trace.step.dtype == torch.int64
    assert trace.measured == {}


@pytest.mark.parametrize(
    ("start", "lr"),
    [((2, 3, 4), (3, 1)), ((2, 3, 4), (2, 1, 1)), ((2, 3, 4), (2, 3, 1)), ((2, 3, 4), (1,)),
     ((2, 3, 4), ()), ((4,), (1,)), ((4,), ())],
)  # fmt: skip
def test_rates_that_broadcast_are_logged_run_by_run(start, lr):
    rates = torch.linspace(0.1, 0.3, math.prod(lr), dtype=torch.float32).reshape(lr)
    trace = minimize(bowl, torch.ones(start).double(), GradientDescent, num_steps=2, lr=rates)
    expected = (rates if rates.dim() else rates[None]).squeeze(-1).expand(start[:-1]).double()
    assert torch.equal(trace.lr[1], expected)
    assert torch.equal(trace.lr[2], expected)
    assert trace.lr[0].isnan().all()
    assert trace.params.dtype == torch.float64
    torch.testing.assert_close(trace.params[2, ..., 0], (1 - 2 * expected) ** 2)


@pytest.mark.parametrize(
    ("start", "lr"),
    [((2, 4), (3, 1)), ((4,), (4,)), ((4,), (2, 1)), ((2, 4), (2,)), ((2, 4), (2, 4))],
)
def test_rates_that_do_not_fit_the_runs_are_refused(start, lr):
    with pytest.raises(ValueError, match=r"^lr must broadcast to shape") as error:
        minimize(bowl, torch.ones(start), GradientDescent, num_steps=1, lr=torch.full(lr, 0.1))
    assert str(error.value) == f"lr must broadcast to shape {(*start[:-1], 1)}, got {lr}"


def test_rates_in_another_dtype_do_not_change_that_of_the_run():
    rates = torch.tensor([[0.1], [0.2]], dtype=torch.float64)
    trace = minimize(bowl, torch.ones(2, 3), GradientDescent, num_steps=2, lr=rates)
    assert trace.params.dtype == torch.float32
    single = minimize(bowl, torch.ones(2, 3), GradientDescent, num_steps=2, lr=rates.float())
    assert torch.equal(trace.params, single.params)


def test_minimize_leaves_its_arguments_alone():
    start, rates = torch.ones(2, 3), torch.full((2, 1), 0.1)
    kept = start.clone(), rates.clone()
    minimize(bowl, start.requires_grad_(), GradientDescent, num_steps=2, lr=rates)
    assert torch.equal(start, kept[0])
    assert torch.equal(rates, kept[1])
    assert start.grad is None


def test_a_trace_holds_numbers_and_no_graph():
    trace = minimize(bowl, torch.ones(2, requires_grad=True), GradientDescent, num_steps=2, lr=0.1)
    columns = (trace.params, trace.loss, trace.grad_norm, trace.lr)
    assert not any(column.requires_grad for column in columns)


def test_a_run_that_diverges_is_logged_to_its_end():
    trace = minimize(bowl, torch.ones(1), GradientDescent, num_steps=200, lr=10.0)
    assert trace.loss[1] == 361
    assert not trace.loss[-1].isfinite()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"num_steps": 0}, ValueError, "num_steps must be an integer of at least 1, got 0"),
        ({"num_steps": 2.0}, TypeError, "num_steps must be an integer of at least 1, got 2.0"),
        ({"lr": -0.1}, ValueError, r"lr must be in \[0, inf\), got -0.1"),
        ({"lr": torch.tensor([[0.1], [math.nan]])}, ValueError, r"lr must be .* got nan"),
        ({"momentum": 0.9}, TypeError, "GradientDescent has no hyperparameter 'momentum'"),
        ({"start": torch.ones(2).long()}, ValueError, "start must be .* got torch.int64"),
        ({"objective": lambda x: x**2}, ValueError, r"the objective's value .* \(2,\)"),
    ],
)
def test_bad_arguments_of_minimize_are_named(changes, error, message):
    arguments = {"objective": bowl, "start": torch.ones(2), "optimizer": GradientDescent,
                 "num_steps": 1, "lr": 0.1, **changes}  # fmt: skip
    with pytest.raises(error, match=f"^{message}"):
        minimize(**arguments)


def test_a_missing_rate_is_named():
    with pytest.raises(TypeError, match=r"^GradientDescent needs the hyperparameter 'lr'$"):
        minimize(bowl, torch.ones(2), GradientDescent, num_steps=1)


# fit

OPTIMIZERS = {
    "gradient descent": lambda params: GradientDescent(params, lr=0.1),
    "torch's SGD with momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    "torch's Adam": lambda params: torch.optim.Adam(params, lr=0.01),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_fit_is_the_loop_one_writes_by_hand(optimizer):
    ours, theirs = network(), network()
    trace = fit(ours, cross_entropy, batches_of(ours), optimizer(ours.parameters()), num_steps=6)
    by_hand = optimizer(theirs.parameters())
    for row, (input, target) in enumerate(batches_of(theirs, count=7)):
        loss = cross_entropy(theirs(input), target)
        by_hand.zero_grad()
        loss.backward()
        assert torch.equal(trace.params[row], flat(theirs))
        assert trace.loss[row] == loss
        norm = torch.cat([param.grad.flatten() for param in theirs.parameters()]).norm()
        assert trace.grad_norm[row] == norm
        if row < 6:
            by_hand.step()
    assert torch.equal(flat(ours), flat(theirs))
    assert torch.equal(flat(ours), trace.params[-1])


@pytest.mark.parametrize(
    ("num_steps", "log_every", "steps"),
    [
        (6, 1, [0, 1, 2, 3, 4, 5, 6]),
        (6, 2, [0, 2, 4, 6]),
        (7, 3, [0, 3, 6, 7]),
        (1, 1, [0, 1]),
        (3, 10, [0, 3]),
    ],
)
def test_rows_are_logged_at_every_so_many_steps_and_at_the_last(num_steps, log_every, steps):
    model = network()
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    some = fit(model, cross_entropy, batches_of(model), optimizer,
               num_steps=num_steps, log_every=log_every)  # fmt: skip
    assert some.step.tolist() == steps
    assert some.lr.isnan().tolist() == [True] + [False] * (len(steps) - 1)

    model = network()
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    every = fit(model, cross_entropy, batches_of(model), optimizer, num_steps=num_steps)
    for column in ("params", "loss", "grad_norm"):
        assert torch.equal(getattr(some, column), getattr(every, column)[steps])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_columns_of_fit_have_the_shapes_and_types_it_states(dtype):
    model = mlp([3, 4, 2], seed=0).to(dtype)
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    trace = fit(model, cross_entropy, batches_of(model), optimizer, num_steps=3,
                measure={"two": lambda: 2.0})  # fmt: skip
    assert trace.params.shape == (4, len(flat(model)))
    assert trace.params.dtype == dtype
    assert trace.step.dtype == torch.int64
    for column in (trace.loss, trace.grad_norm, trace.lr, trace.measured["two"]):
        assert column.shape == (4,)
        assert column.dtype == torch.float64


def test_the_rate_logged_is_that_of_the_update_that_led_there():
    model = network()
    optimizer = GradientDescent(model.parameters())
    rates = iter([0.5, 0.25, 0.125, 0.0])

    def set_next_rate():
        optimizer.param_groups[0]["lr"] = next(rates)
        return 0.0

    trace = fit(model, cross_entropy, batches_of(model), optimizer, num_steps=3,
                measure={"a schedule": set_next_rate})  # fmt: skip
    assert trace.lr[1:].tolist() == [0.5, 0.25, 0.125]


def test_quantities_are_measured_at_the_parameters_of_their_row():
    model = network()
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    measure = {"first": lambda: flat(model)[0], "size": lambda: flat(model).norm().item()}
    trace = fit(model, cross_entropy, batches_of(model), optimizer, num_steps=5, log_every=2,
                measure=measure)  # fmt: skip
    assert list(trace.measured) == ["first", "size"]
    assert torch.equal(trace.measured["first"], trace.params[:, 0])
    assert torch.equal(trace.measured["size"], trace.params.norm(dim=-1))


def test_the_rows_of_a_model_with_one_parameter_are_not_one_and_the_same():
    model = nn.Linear(1, 1, bias=False).double()
    batch = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    optimizer = GradientDescent(model.parameters(), lr=0.25)
    trace = fit(model, mse_loss, itertools.repeat(batch), optimizer, num_steps=2)
    torch.testing.assert_close(trace.params[1:], trace.params[:-1] / 2)


def test_layers_outside_the_optimizer_stay_and_their_gradients_do_not_pile_up():
    model = network()
    batch = next(batches_of(model))
    first = model[0].weight.detach().clone()
    trace = fit(model, cross_entropy, itertools.repeat(batch),
                GradientDescent(model[2].parameters(), lr=0.0), num_steps=3)  # fmt: skip
    assert torch.equal(model[0].weight, first)
    assert trace.grad_norm.unique().numel() == 1


def test_parameters_of_the_loss_are_trained_with_the_model():
    model = nn.Linear(3, 2).double()
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    batch = next(batches_of(model))
    optimizer = GradientDescent([*model.parameters(), scale], lr=0.1)
    fit(model, lambda output, target: cross_entropy(scale * output, target),
        itertools.repeat(batch), optimizer, num_steps=2)  # fmt: skip
    (expected,) = torch.autograd.grad(cross_entropy(scale * model(batch[0]), batch[1]), scale)
    torch.testing.assert_close(scale.grad, expected)


def test_batches_that_run_dry_say_so_after_the_steps_that_they_allowed():
    ours, theirs = network(), network()
    optimizer = GradientDescent(ours.parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"^batches must yield 6 times, ran dry after 4$"):
        fit(ours, cross_entropy, batches_of(ours, count=4), optimizer, num_steps=5)
    optimizer = GradientDescent(theirs.parameters(), lr=0.1)
    for input, target in batches_of(theirs, count=4):
        optimizer.zero_grad()
        cross_entropy(theirs(input), target).backward()
        optimizer.step()
    assert torch.equal(flat(ours), flat(theirs))


def test_exactly_one_batch_more_than_steps_is_drawn():
    model = network()
    batches = batches_of(model, count=10)
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    fit(model, cross_entropy, batches, optimizer, num_steps=5)
    assert len(list(batches)) == 4


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"num_steps": 0}, ValueError, "num_steps must be an integer of at least 1, got 0"),
        ({"num_steps": True}, TypeError, "num_steps must be an integer of at least 1, got True"),
        ({"log_every": 0}, ValueError, "log_every must be an integer of at least 1, got 0"),
        ({"log_every": 0.5}, TypeError, "log_every must be an integer of at least 1, got 0.5"),
    ],
)
def test_bad_arguments_of_fit_are_named_before_the_model_moves(changes, error, message):
    model = network()
    before = flat(model)
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    with pytest.raises(error, match=f"^{message}$"):
        fit(model, cross_entropy, batches_of(model), optimizer, **{"num_steps": 1, **changes})
    assert torch.equal(flat(model), before)


@pytest.mark.parametrize(
    ("loss_fn", "measure", "told"),
    [
        (lambda input, target: 3.0, None, "the loss must be a tensor, got 3.0"),
        (partial(cross_entropy, reduction="none"), None, "the loss must be one number, got a tens"),
        (cross_entropy, {"a": lambda: "3"}, "measure['a'] must return a number, got '3'"),
        (cross_entropy, {"a": 3}, "measure['a'] must be a function, got 3"),
        (cross_entropy, {"a": lambda: None}, "measure['a'] must return a number, got None"),
    ],
)
def test_what_is_no_loss_or_no_measure_is_named(loss_fn, measure, told):
    model = network()
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(told)):
        fit(model, loss_fn, batches_of(model), optimizer, num_steps=1, measure=measure)


# Trace


@pytest.fixture
def trace():
    problem = ravine(10.0)
    return minimize(problem.objective, problem.start, GradientDescent, num_steps=20, lr=0.05)


def test_the_first_step_is_that_of_the_first_row_that_holds(trace):
    step = trace.first_step(trace.loss < 0.1)
    assert trace.loss[step] < 0.1 <= trace.loss[step - 1]
    assert trace.first_step(trace.loss > 0) == 0
    assert trace.first_step(trace.loss < 0) is None


def test_the_first_step_counts_updates_not_rows():
    step = torch.tensor([0, 10, 20])
    other = Trace(step, *[torch.zeros(3)] * 4)
    assert other.first_step(torch.tensor([False, True, True])) == 10


@pytest.mark.parametrize("shape", [(20,), (21, 1), ()])
def test_the_first_step_needs_one_answer_per_row(trace, shape):
    with pytest.raises(ValueError, match=r"^reached must have shape \(21,\), got"):
        trace.first_step(torch.ones(shape, dtype=torch.bool))


@pytest.mark.parametrize(
    ("reached", "error", "told"),
    [
        (torch.ones(21), ValueError, "reached must have dtype torch.bool, got torch.float32"),
        ([True] * 21, TypeError, "reached must be a tensor, got [True, "),
    ],
)
def test_the_first_step_needs_answers(trace, reached, error, told):
    with pytest.raises(error, match="^" + re.escape(told)):
        trace.first_step(reached)


def test_traces_and_problems_are_equal_to_themselves_alone(trace):
    assert trace == trace
    other = Trace(trace.step, trace.params, trace.loss, trace.grad_norm, trace.lr)
    assert trace != other
    assert ravine(10.0) != ravine(10.0)


def test_a_slice_of_a_trace_takes_the_same_rows_of_every_column():
    batch = (torch.ones(3, 1), torch.zeros(3, 1))
    model = nn.Linear(1, 1)
    optimizer = GradientDescent(model.parameters(), lr=0.1)
    trace = fit(
        model,
        mse_loss,
        itertools.repeat(batch),
        optimizer,
        num_steps=5,
        measure={"bias": lambda: model.bias.item()},
    )
    part = trace[1:4]
    for name in ("step", "params", "loss", "grad_norm", "lr"):
        assert torch.equal(getattr(part, name), getattr(trace, name)[1:4])
    assert torch.equal(part.measured["bias"], trace.measured["bias"][1:4])
    assert len(part) == 3


# What changes during a run, and noise


@pytest.mark.parametrize("log_every", [1, 3, 4, 100])
def test_minimize_logs_every_so_many_steps_and_the_last(log_every):
    problem = ravine(10.0)
    options = {"num_steps": 10, "lr": 0.05}
    whole = minimize(problem.objective, problem.start, GradientDescent, **options)
    some = minimize(
        problem.objective, problem.start, GradientDescent, log_every=log_every, **options
    )
    kept = sorted({*range(0, 11, log_every), 10})
    assert some.step.tolist() == kept
    for name in ("params", "loss", "grad_norm", "lr"):
        torch.testing.assert_close(
            getattr(some, name), getattr(whole, name)[kept], rtol=0, atol=0, equal_nan=True
        )


def test_a_hyperparameter_may_be_a_function_of_the_step():
    problem, asked = quadratic([1.0, 3.0]), []

    def rate(step):
        asked.append(step)
        return 0.3 / (step + 1)

    trace = minimize(problem.objective, problem.start, GradientDescent, num_steps=4, lr=rate)
    theta = problem.start
    for step in range(4):
        theta = theta - 0.3 / (step + 1) * problem.gradient(theta)
        torch.testing.assert_close(trace.params[step + 1], theta, rtol=1e-14, atol=0)
    assert trace.lr[1:].tolist() == [0.3, 0.15, 0.3 / 3, 0.075]
    assert sorted(set(asked)) == [0, 1, 2, 3]


def test_a_function_of_the_step_may_give_each_run_its_own_value():
    problem = quadratic([1.0])
    momenta = torch.tensor([[0.2], [0.8]], dtype=torch.float64)
    batch = minimize(
        problem.objective,
        problem.start.expand(2, 1),
        SGD,
        num_steps=5,
        lr=0.1,
        momentum=lambda step: momenta if step < 3 else momenta / 2,
    )
    for run, momentum in enumerate([0.2, 0.8]):
        alone = minimize(
            problem.objective,
            problem.start,
            SGD,
            num_steps=5,
            lr=0.1,
            momentum=lambda step, kept=momentum: kept if step < 3 else kept / 2,
        )
        torch.testing.assert_close(batch.params[:, run], alone.params, rtol=1e-12, atol=0)


def test_a_function_that_leaves_the_interval_is_stopped_there():
    with pytest.raises(ValueError, match=r"^lr must be in \[0, inf\), got -1$"):
        minimize(bowl, torch.ones(2), GradientDescent, num_steps=5, lr=lambda step: 1 - step)


def test_noise_is_added_to_the_gradient_and_kept_out_of_the_trace():
    problem = quadratic([1.0, 3.0])
    trace = minimize(
        problem.objective,
        problem.start,
        GradientDescent,
        num_steps=3,
        lr=0.1,
        noise=lambda theta: torch.full_like(theta, 0.5),
    )
    theta = problem.start
    for row in range(4):
        torch.testing.assert_close(trace.params[row], theta, rtol=1e-14, atol=0)
        torch.testing.assert_close(trace.loss[row], problem.objective(theta), rtol=1e-14, atol=0)
        norm = problem.gradient(theta).norm()
        torch.testing.assert_close(trace.grad_norm[row], norm, rtol=1e-14, atol=0)
        theta = theta - 0.1 * (problem.gradient(theta) + 0.5)


def test_noise_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"^noise must have shape \(2,\), got \(1,\)$"):
        minimize(
            bowl,
            torch.ones(2),
            GradientDescent,
            num_steps=1,
            lr=0.1,
            noise=lambda theta: torch.zeros(1),
        )


def test_a_bad_distance_between_rows_is_named():
    with pytest.raises(ValueError, match=r"^log_every must be an integer of at least 1, got 0$"):
        minimize(bowl, torch.ones(2), GradientDescent, num_steps=1, lr=0.1, log_every=0)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_follow_goes_where_the_rule_goes(shape):
    grads = torch.randn(5, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    path = follow(Adam, grads, lr=0.1)
    assert path.shape == (6, *shape)
    theta, state = torch.zeros_like(grads[0]), {}
    for row, grad in enumerate(grads, start=1):
        theta, state = Adam.rule(theta, grad, state, **Adam.complete(lr=0.1))
        torch.testing.assert_close(path[row], theta, rtol=1e-14, atol=0)


@pytest.mark.parametrize(
    ("ours", "options"),
    [(SGD, {"momentum": 0.9, "nesterov": True}), (Adam, {"amsgrad": True}), (RMSprop, {})],
)
def test_follow_and_minimize_take_pytorchs_optimizers_too(ours, options):
    theirs = getattr(torch.optim, ours.__name__)
    start = torch.tensor([1.0, -2.0], dtype=torch.float64)
    grads = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def falling(step):
        return 0.1 / (step + 1)

    paths = [
        follow(each, list(grads), start=start, lr=falling, **options) for each in (ours, theirs)
    ]
    assert torch.equal(paths[1][0], start)
    torch.testing.assert_close(*paths, rtol=1e-10, atol=1e-14)
    traces = [
        minimize(rosenbrock().objective, start, each, num_steps=20, log_every=7, lr=falling,
                 noise=lambda theta: torch.full_like(theta, 0.1), **options)
        for each in (ours, theirs)
    ]  # fmt: skip
    for column in ("step", "params", "loss", "grad_norm", "lr"):
        one, other = (getattr(trace, column) for trace in traces)
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-12, equal_nan=True)


def test_follow_leaves_start_and_gradients_as_they_were():
    start, grads = torch.ones(2), torch.ones(3, 2)
    for optimizer in (GradientDescent, torch.optim.SGD):
        follow(optimizer, grads, start=start, lr=0.5)
        assert torch.equal(start, torch.ones(2))
        assert torch.equal(grads, torch.ones(3, 2))


@pytest.mark.parametrize("optimizer", [GradientDescent, torch.optim.SGD])
def test_follow_refuses_what_cannot_be(optimizer):
    with pytest.raises(TypeError, match="needs the hyperparameter 'lr'"):
        follow(optimizer, torch.ones(3, 2))
    with pytest.raises(ValueError, match=r"^start must have shape \(2,\), got \(3,\)$"):
        follow(optimizer, torch.ones(3, 2), start=torch.ones(3), lr=0.1)
    with pytest.raises(TypeError):
        follow(optimizer, torch.ones(3, 2), lr=0.1, typo=1)


def test_follow_refuses_a_rule_that_asks_for_gradients():
    class Asking(GradientDescent):
        asks = True

    with pytest.raises(TypeError, match="asks for gradients itself"):
        follow(Asking, torch.ones(3, 2), lr=0.1)
