"""Every schedule beside PyTorch's scheduler, and what draws settings for both."""

from functools import partial

import torch
from hypothesis import strategies as st
from torch.optim import lr_scheduler as theirs

from descent import schedules

NUM_STEPS = 40
counts = st.integers(1, 30)
gammas = st.floats(0.1, 1.1)
factors = st.floats(0.01, 1.0)
rates = st.lists(st.floats(1e-3, 10.0), min_size=1, max_size=3)


def optimizer_of(lrs, optimizer=torch.optim.SGD, **options):
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in lrs]
    return optimizer(groups, lr=1.0, **options)


def rates_of(optimizer, scheduler, num_steps):
    """Return the rates that the optimizer uses at each step, one row per step."""
    used = []
    for _ in range(num_steps):
        used.append([float(group["lr"]) for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return torch.tensor(used, dtype=torch.float64)


# One row per schedule: what makes our schedule and PyTorch's scheduler from the same settings.
PAIRS = {
    "constant": (
        st.fixed_dictionaries({"factor": factors, "num_steps": counts}),
        lambda s: partial(schedules.constant, **s),
        lambda opt, s: theirs.ConstantLR(opt, factor=s["factor"], total_iters=s["num_steps"]),
    ),
    "step": (
        st.fixed_dictionaries({"step_size": counts, "gamma": gammas}),
        lambda s: partial(schedules.step_decay, **s),
        lambda opt, s: theirs.StepLR(opt, **s),
    ),
    "multi-step": (
        st.fixed_dictionaries({"milestones": st.lists(counts, max_size=4), "gamma": gammas}),
        lambda s: partial(schedules.multi_step, **s),
        lambda opt, s: theirs.MultiStepLR(opt, **s),
    ),
    "exponential": (
        st.fixed_dictionaries({"gamma": gammas}),
        lambda s: partial(schedules.exponential, **s),
        lambda opt, s: theirs.ExponentialLR(opt, **s),
    ),
    "inverse time": (
        st.fixed_dictionaries({"timescale": st.floats(0.1, 100)}),
        lambda s: partial(schedules.inverse_time, **s),
        lambda opt, s: theirs.LambdaLR(opt, lambda t: 1 / (1 + t / s["timescale"])),
    ),
    "inverse square root": (
        st.fixed_dictionaries({"timescale": st.floats(0.1, 100)}),
        lambda s: partial(schedules.inverse_sqrt, **s),
        lambda opt, s: theirs.LambdaLR(opt, lambda t: (1 + t / s["timescale"]) ** -0.5),
    ),
    "linear": (
        st.fixed_dictionaries(
            {"num_steps": counts, "start_factor": factors, "end_factor": factors}
        ),
        lambda s: partial(schedules.linear, **s),
        lambda opt, s: theirs.LinearLR(
            opt,
            start_factor=s["start_factor"],
            end_factor=s["end_factor"],
            total_iters=s["num_steps"],
        ),
    ),
    "polynomial": (
        st.fixed_dictionaries({"num_steps": counts, "power": st.floats(0.5, 3)}),
        lambda s: partial(schedules.polynomial, **s),
        lambda opt, s: theirs.PolynomialLR(opt, total_iters=s["num_steps"], power=s["power"]),
    ),
    "cosine": (
        st.fixed_dictionaries(
            {"num_steps": st.integers(NUM_STEPS, 100), "eta_min": st.floats(0, 1e-3)}
        ),
        lambda s: partial(schedules.cosine, **s),
        lambda opt, s: theirs.CosineAnnealingLR(opt, T_max=s["num_steps"], eta_min=s["eta_min"]),
    ),
    "cosine with restarts": (
        st.fixed_dictionaries(
            {"period": counts, "growth": st.integers(1, 3), "eta_min": st.floats(0, 1e-3)}
        ),
        lambda s: partial(schedules.cosine_restarts, **s),
        lambda opt, s: theirs.CosineAnnealingWarmRestarts(
            opt, T_0=s["period"], T_mult=s["growth"], eta_min=s["eta_min"]
        ),
    ),
    "cyclic": (
        st.fixed_dictionaries(
            {
                "max_lr": st.floats(1e-3, 10),
                "step_size_up": counts,
                "step_size_down": st.none() | counts,
                "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
                "gamma": st.floats(0.1, 1.0),
            }
        ),
        lambda s: partial(schedules.cyclic, **s),
        lambda opt, s: theirs.CyclicLR(
            opt, [g["lr"] for g in opt.param_groups], cycle_momentum=False, **s
        ),
    ),
    "one cycle": (
        st.fixed_dictionaries(
            {
                "num_steps": st.integers(NUM_STEPS, 100),
                "pct_start": st.floats(0.1, 0.5),
                "anneal_strategy": st.sampled_from(["cos", "linear"]),
                "div_factor": st.floats(1.5, 50),
                "final_div_factor": st.floats(1.5, 1e4),
                "three_phase": st.booleans(),
            }
        ),
        lambda s: partial(schedules.one_cycle, **s),
        lambda opt, s: theirs.OneCycleLR(
            opt,
            [g["lr"] for g in opt.param_groups],
            total_steps=s["num_steps"],
            cycle_momentum=False,
            **{name: value for name, value in s.items() if name != "num_steps"},
        ),
    ),
    "warmup, then cosine": (
        st.fixed_dictionaries({"warmup": counts, "start_factor": factors}),
        lambda s: partial(
            schedules.sequential,
            schedules=[
                partial(
                    schedules.linear,
                    num_steps=s["warmup"],
                    start_factor=s["start_factor"],
                    end_factor=1.0,
                ),
                partial(schedules.cosine, num_steps=NUM_STEPS),
            ],
            milestones=[s["warmup"]],
        ),
        lambda opt, s: theirs.SequentialLR(
            opt,
            [
                theirs.LinearLR(opt, start_factor=s["start_factor"], total_iters=s["warmup"]),
                theirs.CosineAnnealingLR(opt, T_max=NUM_STEPS),
            ],
            milestones=[s["warmup"]],
        ),
    ),
    "warmup, stable, decay": (
        st.fixed_dictionaries(
            {
                "warmup_steps": st.integers(1, 15),
                "stable_steps": st.integers(1, 15),
                "decay_steps": counts,
                "start_factor": factors,
            }
        ),
        lambda s: partial(schedules.warmup_stable_decay, **s),
        lambda opt, s: theirs.SequentialLR(
            opt,
            [
                theirs.LinearLR(opt, s["start_factor"], total_iters=s["warmup_steps"]),
                theirs.ConstantLR(opt, factor=1.0),
                theirs.LinearLR(opt, 1.0, end_factor=0.0, total_iters=s["decay_steps"]),
            ],
            milestones=[s["warmup_steps"], s["warmup_steps"] + s["stable_steps"]],
        ),
    ),
    "warmup times decay": (
        st.fixed_dictionaries({"warmup": counts, "gamma": gammas}),
        lambda s: partial(
            schedules.chained,
            schedules=[
                partial(schedules.linear, num_steps=s["warmup"], start_factor=0.1, end_factor=1.0),
                partial(schedules.exponential, gamma=s["gamma"]),
            ],
        ),
        lambda opt, s: theirs.ChainedScheduler(
            [
                theirs.LinearLR(opt, start_factor=0.1, total_iters=s["warmup"]),
                theirs.ExponentialLR(opt, gamma=s["gamma"]),
            ]
        ),
    ),
}
