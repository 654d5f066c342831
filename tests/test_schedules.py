"""Each schedule against PyTorch's, alone and attached, from the start and resumed."""

import io
import math
import re
from functools import partial

import pytest
import torch
from hypothesis import given, settings, strategies as st
from schedule_rows import NUM_STEPS, PAIRS, optimizer_of, rates, rates_of
from torch.optim import lr_scheduler as theirs

from descent import schedules
from descent.optim import SGD, Adam, GradientDescent
from descent.schedules import PlateauScheduler, Scheduler
from descent.tasks.problems import quadratic
from descent.training import minimize

ROWS = pytest.mark.parametrize(("chosen", "our", "their"), PAIRS.values(), ids=PAIRS)
close = partial(torch.testing.assert_close, rtol=1e-12, atol=1e-12)


@ROWS
@settings(deadline=None, max_examples=40)
@given(data=st.data(), lrs=rates)
def test_the_rates_used_are_pytorchs_and_those_plotted(chosen, our, their, data, lrs):
    chosen = data.draw(chosen)
    schedule = our(chosen)
    ours, reference = optimizer_of(lrs, SGD), optimizer_of(lrs)
    used = rates_of(ours, Scheduler(ours, schedule), NUM_STEPS)
    close(used, rates_of(reference, their(reference, chosen), NUM_STEPS))
    plotted = [[schedule(step, lr) for lr in lrs] for step in range(NUM_STEPS)]
    close(used, torch.tensor(plotted, dtype=torch.float64), rtol=0, atol=0)


@ROWS
@settings(deadline=None, max_examples=15)
@given(data=st.data(), lrs=rates, pause=st.integers(0, NUM_STEPS))
def test_a_run_resumed_from_a_checkpoint_goes_on_as_if_nothing_had_been(
    chosen, our, their, data, lrs, pause
):
    chosen = data.draw(chosen)
    first = optimizer_of(lrs)
    scheduler = Scheduler(first, our(chosen))
    begun = rates_of(first, scheduler, pause)
    file = io.BytesIO()
    torch.save([first.state_dict(), scheduler.state_dict()], file)
    file.seek(0)
    resumed = optimizer_of([7.0] * len(lrs))
    again = Scheduler(resumed, our(chosen))
    of_optimizer, of_scheduler = torch.load(file)
    resumed.load_state_dict(of_optimizer)
    again.load_state_dict(of_scheduler)
    whole = torch.cat([begun, rates_of(resumed, again, NUM_STEPS - pause)])
    reference = optimizer_of(lrs)
    close(whole, rates_of(reference, their(reference, chosen), NUM_STEPS))


@ROWS
@settings(deadline=None, max_examples=15)
@given(data=st.data(), lrs=rates)
def test_rates_in_a_tensor_have_a_schedule_each(chosen, our, their, data, lrs):
    schedule = our(data.draw(chosen))
    column = torch.tensor(lrs, dtype=torch.float64)
    for step in range(NUM_STEPS):
        close(
            torch.as_tensor(schedule(step, column)),
            torch.tensor([schedule(step, lr) for lr in lrs], dtype=torch.float64),
        )


def test_a_run_without_a_checkpoint_can_be_taken_up_at_a_step():
    schedule = partial(schedules.exponential, gamma=0.5)
    optimizer = optimizer_of([0.5])
    with pytest.raises(KeyError, match="initial_lr"):
        Scheduler(optimizer, schedule, last_epoch=6)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    assert Scheduler(optimizer, schedule, last_epoch=6).get_last_lr() == [0.5**8]


@pytest.mark.parametrize("anneal_strategy", ["cos", "linear"])
@pytest.mark.parametrize("three_phase", [False, True])
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.Adam, {"betas": (0.9, 0.99)})],
)
def test_one_cycle_moves_the_momentum_as_pytorch_does(
    anneal_strategy, three_phase, optimizer, options
):
    shape = {"anneal_strategy": anneal_strategy, "three_phase": three_phase, "pct_start": 0.3}
    moved = []
    for ours in (True, False):
        used = optimizer_of([0.1, 0.5], optimizer, **options)
        if ours:
            scheduler = Scheduler(
                used,
                partial(schedules.one_cycle, num_steps=NUM_STEPS, **shape),
                momentum=partial(
                    schedules.one_cycle_momentum,
                    num_steps=NUM_STEPS,
                    base_momentum=0.7,
                    max_momentum=0.96,
                    **shape,
                ),
            )
        else:
            scheduler = theirs.OneCycleLR(
                used,
                [0.1, 0.5],
                total_steps=NUM_STEPS,
                base_momentum=0.7,
                max_momentum=0.96,
                **shape,
            )
        rows = []
        for _ in range(NUM_STEPS):
            rows.append(
                [
                    [group["lr"], *group.get("betas", (group.get("momentum"), 0.99))]
                    for group in used.param_groups
                ]
            )
            used.step()
            scheduler.step()
        moved.append(torch.tensor(rows, dtype=torch.float64))
    close(*moved)
    assert moved[0][..., 1].min() < 0.75


SAWTOOTH = {"step_size_up": 3, "step_size_down": 5}


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [(torch.optim.SGD, {"momentum": 0.9}), (torch.optim.Adam, {"betas": (0.9, 0.99)})],
)
def test_cyclic_moves_the_momentum_and_each_groups_rate_as_pytorch_does(mode, optimizer, options):
    ours, reference = (optimizer_of([0.1, 0.5], optimizer, **options) for _ in range(2))
    shape = SAWTOOTH | {"mode": mode, "gamma": 0.95}
    scheduler = Scheduler(
        ours,
        lambda step, lr: schedules.cyclic(step, lr, max_lr=10 * lr, **shape),
        momentum=partial(schedules.cyclic, lr=0.9, max_lr=0.8, **shape),
    )
    their = theirs.CyclicLR(
        reference, [0.1, 0.5], [1.0, 5.0], base_momentum=0.8, max_momentum=0.9, **shape
    )
    least = 1.0
    for _ in range(NUM_STEPS):
        for one, other in zip(ours.param_groups, reference.param_groups, strict=True):
            momenta = [group.get("momentum", group.get("betas")) for group in (one, other)]
            close(torch.tensor(momenta[0]), torch.tensor(momenta[1]))
            close(one["lr"], other["lr"])
            least = min(least, torch.tensor(momenta[0]).min().item())
        for each in (ours, scheduler, reference, their):
            each.step()
    assert least < 0.85


def test_an_optimizer_without_momentum_has_none_to_schedule():
    optimizer = optimizer_of([0.1], GradientDescent)
    momentum = partial(schedules.one_cycle_momentum, num_steps=10)
    with pytest.raises(ValueError, match=r"^GradientDescent has neither momentum nor betas"):
        Scheduler(optimizer, schedules.constant, momentum=momentum)


def test_past_its_end_a_one_cycle_stays_and_a_cosine_climbs():
    last = schedules.one_cycle(9, 1.0, num_steps=10)
    assert last == pytest.approx(1 / 25e4, rel=1e-12)
    assert schedules.one_cycle(50, 1.0, num_steps=10) == last
    assert schedules.cosine(20, 1.0, num_steps=10) == pytest.approx(1.0)


def test_a_schedule_serves_as_the_rate_of_minimize():
    bowl = quadratic([1.0, 4.0])
    schedule = partial(schedules.cosine, lr=0.3, num_steps=20)
    trace = minimize(bowl.objective, bowl.start, GradientDescent, num_steps=20, lr=schedule)
    assert trace.lr[1:].tolist() == [schedule(step) for step in range(20)]


# Attaching


def test_a_schedule_that_refuses_its_settings_leaves_the_optimizer_alone():
    optimizer = optimizer_of([0.1])
    before = dict(optimizer.param_groups[0])
    with pytest.raises(ValueError, match=r"^num_steps must be an integer of at least 1, got 0$"):
        Scheduler(optimizer, partial(schedules.cosine, num_steps=0))
    assert optimizer.param_groups[0] == before


@pytest.mark.parametrize(
    ("lr", "told"),
    [
        (-1.0, "the schedule's rate at step 0 must be in [0, inf), got -1.0"),
        (math.nan, "the schedule's rate at step 0 must be in [0, inf), got nan"),
        ("0.1", "the schedule's rate at step 0 must be a number in [0, inf), got '0.1'"),
        ([0.1, 0.2], "the schedule's rate at step 0 must be a number in [0, inf), got [0.1, 0.2]"),
        (torch.tensor([0.1, 0.2]),
         "the schedule's rate at step 0 must be one number, got a tensor of shape (2,)"),
    ],
)  # fmt: skip
def test_a_schedule_that_returns_no_rate_leaves_the_optimizer_alone(lr, told):
    optimizer = optimizer_of([0.5])
    before = dict(optimizer.param_groups[0])
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(told) + "$"):
        Scheduler(optimizer, lambda step, _: lr)
    assert optimizer.param_groups[0] == before
    if not isinstance(lr, torch.Tensor):  # which may be the rates of several runs
        for schedule in (
            partial(schedules.chained, schedules=[lambda step, _: lr]),
            partial(schedules.sequential, schedules=[lambda step, _: lr] * 2, milestones=[3]),
        ):
            with pytest.raises((TypeError, ValueError), match="^" + re.escape(told) + "$"):
                schedule(0, 0.5)


@pytest.mark.parametrize("momentum", [-0.1, math.nan, "0.5", None, 1.0])
@pytest.mark.parametrize(
    ("optimizer", "options", "least"),
    [(SGD, {"momentum": 0.9}, "[0, inf)"), (Adam, {"betas": (0.9, 0.99)}, "[0, 1)")],
)
def test_a_schedule_that_returns_no_momentum_leaves_the_optimizer_alone(
    optimizer, options, least, momentum
):
    made = optimizer_of([0.5], optimizer, **options)
    before = dict(made.param_groups[0])
    if optimizer is SGD and momentum == 1.0:
        Scheduler(made, schedules.constant, momentum=lambda step: momentum)
        return
    with pytest.raises((TypeError, ValueError), match=r"^the schedule's momentum at step 0 "):
        Scheduler(made, schedules.constant, momentum=lambda step: momentum)
    assert made.param_groups[0] == before


OF_PYTORCH = {
    "one-cycle": lambda opt: theirs.OneCycleLR(opt, 1.0, total_steps=9, cycle_momentum=False),
    "cyclic": lambda opt: theirs.CyclicLR(opt, 0.1, 1.0, cycle_momentum=False),
    "restarts": lambda opt: theirs.CosineAnnealingWarmRestarts(opt, 4),
    "plateau": lambda opt: theirs.ReduceLROnPlateau(opt),
    "step": lambda opt: theirs.StepLR(opt, 3),
    "sequential": lambda opt: theirs.SequentialLR(
        opt, [theirs.StepLR(opt, 3), theirs.StepLR(opt, 3)], milestones=[2]
    ),
}


@pytest.mark.parametrize("their", OF_PYTORCH.values(), ids=OF_PYTORCH)
@pytest.mark.parametrize("ours", [lambda opt: Scheduler(opt, schedules.constant), PlateauScheduler])
def test_a_state_of_pytorchs_schedulers_is_refused(ours, their):
    scheduler = ours(optimizer_of([0.5]))
    before = scheduler.state_dict()
    foreign = their(optimizer_of([0.5])).state_dict()
    told = rf"^the state is not one of {type(scheduler).__name__}: it must have \['base_lrs', 'las"
    with pytest.raises(ValueError, match=told):
        scheduler.load_state_dict(foreign)
    assert scheduler.state_dict() == before


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: schedules.cyclic(0, [0.1, 0.2], max_lr=1.0, step_size_up=3), "lr"),
        (lambda: schedules.cyclic(0, 0.1, max_lr=[1.0, 2.0], step_size_up=3), "max_lr"),
        (lambda: schedules.one_cycle(0, [1.0, 2.0], num_steps=9), "lr"),
        (lambda: PlateauScheduler(optimizer_of([0.1]), min_lr=[1.0, 2.0]), "min_lr"),
    ],
)
def test_a_list_of_rates_is_refused(call, name):
    with pytest.raises(TypeError, match=rf"^{name} must be a number in \[0, inf\), got \["):
        call()


def test_with_no_steps_pytorchs_constant_keeps_its_factor_for_ever_and_this_one_never_has_it():
    reference = optimizer_of([1.0])
    their = theirs.ConstantLR(reference, factor=0.5, total_iters=0)
    assert rates_of(reference, their, 9).flatten().tolist() == [0.5] * 9
    assert [schedules.constant(step, 1.0, factor=0.5) for step in range(9)] == [1.0] * 9


@pytest.mark.parametrize(
    ("schedule", "settings"),
    [
        (schedules.exponential, {}),
        (schedules.step_decay, {"step_size": 1}),
        (schedules.multi_step, {"milestones": list(range(2000))}),
    ],
)
def test_a_factor_that_grows_beyond_the_floats_is_named(schedule, settings):
    with pytest.raises(ValueError, match=r"^gamma must have a finite power 2000, got 1\.5$"):
        schedule(2000, 0.1, gamma=1.5, **settings)


def test_what_is_no_optimizer_is_refused():
    for scheduler in (Scheduler, lambda optimizer, _: PlateauScheduler(optimizer)):
        with pytest.raises(TypeError, match=r"^optimizer must be of type Optimizer, got \[\]$"):
            scheduler([], schedules.constant)


def test_the_state_holds_numbers_and_no_functions():
    scheduler = Scheduler(
        optimizer_of([0.1], momentum=0.9), schedules.constant, momentum=lambda step: 0.5
    )
    plateau = PlateauScheduler(optimizer_of([0.1]))
    for each in (scheduler, plateau):
        assert not any(callable(value) for value in each.state_dict().values())


def test_a_rate_in_a_tensor_stays_the_same_tensor():
    for attach, advance in (
        (lambda opt: Scheduler(opt, partial(schedules.exponential, gamma=0.5)), lambda s: s.step()),
        (lambda opt: PlateauScheduler(opt, factor=0.5, patience=0), lambda s: s.step(1.0)),
    ):
        lr = torch.tensor(1.0, dtype=torch.float64)
        optimizer = optimizer_of([lr])
        scheduler = attach(optimizer)
        for _ in range(2):
            optimizer.step()
            advance(scheduler)
        assert optimizer.param_groups[0]["lr"] is lr
        assert lr in (0.25, 0.5)


# Reduce on plateau


@settings(deadline=None, max_examples=200)
@given(
    metrics=st.lists(
        st.sampled_from([0.0, 0.5, 0.9999, 1.0, 1.0001, 2.0, -1.0, math.nan, math.inf]),
        min_size=1,
        max_size=30,
    ),
    lrs=rates,
    chosen=st.fixed_dictionaries(
        {
            "mode": st.sampled_from(["min", "max"]),
            "factor": st.floats(0.05, 0.95),
            "patience": st.integers(0, 4),
            "threshold": st.sampled_from([0.0, 1e-4, 0.1]),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 3),
            "min_lr": st.sampled_from([0.0, 0.01, 1.0]),
            "eps": st.sampled_from([0.0, 1e-8, 0.1]),
        }
    ),
    pause=st.integers(0, 30),
)
def test_the_plateau_is_pytorchs_also_when_resumed(metrics, lrs, chosen, pause):
    ours, reference = optimizer_of(lrs), optimizer_of(lrs)
    scheduler = PlateauScheduler(ours, **chosen)
    their = theirs.ReduceLROnPlateau(reference, **chosen)
    for index, metric in enumerate(metrics):
        if index == pause:
            resumed = optimizer_of([9.0] * len(lrs))
            again = PlateauScheduler(resumed, **chosen)
            resumed.load_state_dict(ours.state_dict())
            again.load_state_dict(scheduler.state_dict())
            ours, scheduler = resumed, again
        scheduler.step(torch.tensor(metric, dtype=torch.float64))
        their.step(metric)
        assert scheduler.get_last_lr() == [group["lr"] for group in ours.param_groups]
        close(
            torch.tensor([float(group["lr"]) for group in ours.param_groups]),
            torch.tensor([float(group["lr"]) for group in reference.param_groups]),
        )


@pytest.mark.parametrize(
    ("mode", "threshold_mode", "below", "above"),
    [
        ("min", "rel", 1.81, 1.79),
        ("max", "rel", 2.19, 2.21),
        ("min", "abs", 1.91, 1.89),
        ("max", "abs", 2.09, 2.11),
    ],
)
def test_the_threshold_says_how_much_better_counts(mode, threshold_mode, below, above):
    options = {"mode": mode, "threshold_mode": threshold_mode, "threshold": 0.1}
    _, state = schedules.reduce_on_plateau(2.0, 1.0, {}, **options)
    assert schedules.reduce_on_plateau(below, 1.0, state, **options)[1]["num_bad_epochs"] == 1
    assert schedules.reduce_on_plateau(above, 1.0, state, **options)[1]["num_bad_epochs"] == 0


# Bad settings

CYCLE = {"num_steps": 10}
BAD = [
    (schedules.constant, {"factor": 1.5}, "factor must be in [0, 1], got 1.5"),
    (schedules.constant, {"num_steps": -1}, "num_steps must be an integer of at least 0, got -1"),
    (schedules.step_decay, {"step_size": 0}, "step_size must be an integer of at least 1, got 0"),
    (schedules.step_decay, {"step_size": 3, "gamma": -1.0}, "gamma must be in [0, inf), got -1.0"),
    (schedules.multi_step, {"milestones": [-1]}, "milestones[0] must be an integer of at least 0"),
    (schedules.multi_step, {"milestones": [1], "gamma": -1.0}, "gamma must be in [0, inf)"),
    (schedules.exponential, {"gamma": -0.5}, "gamma must be in [0, inf), got -0.5"),
    (schedules.inverse_time, {"timescale": 0.0}, "timescale must be in (0, inf), got 0.0"),
    (schedules.inverse_sqrt, {"timescale": 0.0}, "timescale must be in (0, inf), got 0.0"),
    (schedules.linear, {"num_steps": 0}, "num_steps must be an integer of at least 1, got 0"),
    (schedules.linear, CYCLE | {"start_factor": -1.0}, "start_factor must be in [0, inf)"),
    (schedules.linear, CYCLE | {"end_factor": -1.0}, "end_factor must be in [0, inf)"),
    (schedules.polynomial, {"num_steps": 0}, "num_steps must be an integer of at least 1"),
    (schedules.polynomial, CYCLE | {"power": 0.0}, "power must be in (0, inf), got 0.0"),
    (schedules.cosine, {"num_steps": 0}, "num_steps must be an integer of at least 1"),
    (schedules.cosine, CYCLE | {"eta_min": -1.0}, "eta_min must be in [0, inf), got -1.0"),
    (schedules.cosine_restarts, {"period": 0}, "period must be an integer of at least 1"),
    (schedules.cosine_restarts, {"period": 2, "growth": 0}, "growth must be an integer of at"),
    (schedules.cyclic, {"max_lr": -1.0, "step_size_up": 2}, "max_lr must be in [0, inf)"),
    (schedules.cyclic, {"max_lr": 1.0, "step_size_up": 0}, "step_size_up must be an integer"),
    (
        schedules.cyclic,
        {"max_lr": 1.0, "step_size_up": 2, "step_size_down": 0},
        "step_size_down must be an integer",
    ),
    (
        schedules.cyclic,
        {"max_lr": 1.0, "step_size_up": 2, "mode": "square"},
        "mode must be one of",
    ),
    (
        schedules.cyclic,
        {"max_lr": 1.0, "step_size_up": 2, "gamma": -1.0},
        "gamma must be in [0, 1]",
    ),
    (schedules.one_cycle, {"num_steps": 1}, "num_steps must be an integer of at least 2, got 1"),
    (schedules.one_cycle, CYCLE | {"pct_start": 1.0}, "pct_start must be in (0, 1), got 1.0"),
    (schedules.one_cycle, CYCLE | {"pct_start": 0.05}, "pct_start * num_steps must be in (1, inf)"),
    (
        schedules.one_cycle,
        CYCLE | {"pct_start": 0.6, "three_phase": True},
        "pct_start must be in (0, 0.5], got 0.6",
    ),
    (schedules.one_cycle, CYCLE | {"anneal_strategy": "log"}, "anneal_strategy must be one of"),
    (schedules.one_cycle, CYCLE | {"div_factor": 0.0}, "div_factor must be in (0, inf)"),
    (schedules.one_cycle, CYCLE | {"final_div_factor": 0.0}, "final_div_factor must be in"),
    (
        schedules.sequential,
        {"schedules": [schedules.constant] * 2, "milestones": []},
        "milestones must be one fewer than the 2 schedules, got []",
    ),
    (
        schedules.sequential,
        {"schedules": [schedules.constant] * 3, "milestones": [5, 5]},
        "milestones must grow, got [5, 5]",
    ),
    (
        schedules.sequential,
        {"schedules": [schedules.constant] * 2, "milestones": [0]},
        "milestones[0] must be an integer of at least 1, got 0",
    ),
    (schedules.chained, {"schedules": []}, "schedules must hold at least one, got none"),
    *(
        (
            schedules.warmup_stable_decay,
            {"warmup_steps": 2, "stable_steps": 2, "decay_steps": 2} | {name: 0},
            f"{name} must be an integer of at least 1, got 0",
        )
        for name in ("warmup_steps", "stable_steps", "decay_steps")
    ),
    (
        schedules.warmup_stable_decay,
        {"warmup_steps": 2, "stable_steps": 2, "decay_steps": 2, "start_factor": 2.0},
        "start_factor must be in [0, 1], got 2.0",
    ),
]


@pytest.mark.parametrize(("schedule", "bad", "message"), BAD)
def test_a_bad_setting_is_named(schedule, bad, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        schedule(0, 0.1, **bad)


GOOD = {
    schedules.constant: {},
    schedules.step_decay: {"step_size": 2},
    schedules.multi_step: {"milestones": [2]},
    schedules.exponential: {"gamma": 0.5},
    schedules.inverse_time: {},
    schedules.inverse_sqrt: {},
    schedules.linear: CYCLE,
    schedules.polynomial: CYCLE,
    schedules.cosine: CYCLE,
    schedules.cosine_restarts: {"period": 3},
    schedules.cyclic: {"max_lr": 1.0, "step_size_up": 2},
    schedules.one_cycle: CYCLE,
    schedules.sequential: {"schedules": [schedules.constant], "milestones": []},
    schedules.chained: {"schedules": [schedules.constant]},
    schedules.warmup_stable_decay: {"warmup_steps": 2, "stable_steps": 2, "decay_steps": 2},
}


@pytest.mark.parametrize("schedule", GOOD, ids=lambda each: each.__name__)
def test_a_step_or_rate_below_zero_is_named(schedule):
    with pytest.raises(ValueError, match=r"^step must be an integer of at least 0, got -1$"):
        schedule(-1, 0.1, **GOOD[schedule])
    with pytest.raises(ValueError, match=r"^lr must be in \[0, inf\), got -0.1$"):
        schedule(0, -0.1, **GOOD[schedule])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"mode": "less"}, "mode must be one of"),
        ({"factor": 1.0}, "factor must be in (0, 1), got 1.0"),
        ({"patience": -1}, "patience must be an integer of at least 0, got -1"),
        ({"threshold": -1.0}, "threshold must be in [0, inf), got -1.0"),
        ({"threshold_mode": "part"}, "threshold_mode must be one of"),
        ({"cooldown": -1}, "cooldown must be an integer of at least 0, got -1"),
        ({"min_lr": -1.0}, "min_lr must be in [0, inf), got -1.0"),
        ({"eps": -1.0}, "eps must be in [0, inf), got -1.0"),
    ],
)
def test_a_bad_setting_of_the_plateau_is_named_when_it_is_attached(bad, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        PlateauScheduler(optimizer_of([0.1]), **bad)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"base_momentum": 1.0}, "base_momentum must be in [0, 1), got 1.0"),
        ({"max_momentum": -0.1}, "max_momentum must be in [0, 1), got -0.1"),
    ],
)
def test_a_bad_momentum_is_named(bad, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        schedules.one_cycle_momentum(0, num_steps=10, **bad)
