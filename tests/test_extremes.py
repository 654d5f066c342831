"""Losses, optimizers and schedules at the ends of what they take: what PyTorch gives, they give.

The rows are those of the tables of counterparts. Hyperparameters are drawn from what the signatures
declare: the ends of each interval and numbers next to them, next to 0 and beyond float32. Tensors
hold zeros of both signs, subnormal, huge and infinite numbers and NaN, without axes, empty, of one
element, transposed, strided and expanded, in four types.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from types import SimpleNamespace as Case
from typing import Annotated, Any, get_args, get_origin

import pytest
import torch
from declared import allowed, ends
from held import COUNTERPARTS
from hypothesis import HealthCheck, Phase, find, given, settings, strategies as st
from loss_rows import CASES, Numbers
from schedule_rows import NUM_STEPS, PAIRS, optimizer_of, rates_of
from torch import Tensor
from torch.optim import lr_scheduler

from descent import schedules
from descent._checks import Number
from descent._signatures import In, OneOf
from descent.optim import (
    SGD,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    GradientDescent,
    NAdam,
    RAdam,
    RMSprop,
    clip_grad_norm,
    clipped,
)
from descent.schedules import PlateauScheduler, Scheduler

FIXED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
MODERATE = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, -2.5, 20.5, 0.3, -1.7]
FINITE = [
    *MODERATE,
    5e-324,
    1e-45,
    1e-40,
    1e-30,
    1e-8,
    -30.0,
    100.0,
    -750.0,
    1e4,
    -1e4,
    1e10,
    -1e30,
]
ANY = [*FINITE, 1e38, -1e300, math.inf, -math.inf, math.nan]
POOLS = [MODERATE, FINITE, ANY]


def at_the_ends(hint: Any) -> st.SearchStrategy[Any] | None:
    """Generate what a type allows, and often its ends; ``None`` for one that says no range."""
    base, *notes = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    for note in notes:
        if isinstance(note, OneOf):
            return st.sampled_from(note.choices)
        if isinstance(note, In) and base is int:
            low = int(note.interval[1:-1].split(",")[0])
            return st.sampled_from([low, low + 1, NUM_STEPS - 1, NUM_STEPS, NUM_STEPS + 1, 10**6])
        if isinstance(note, In) and base in (float, Number):
            return st.sampled_from(ends(note.interval))
    return st.booleans() if base is bool else None


@dataclass(frozen=True)
class Difference:
    """Where we differ from PyTorch, and may."""

    reason: str
    rows: tuple[Any, ...]
    when: Callable[[Case], bool]


def apart(name: str, mine: Tensor, right: Tensor, slack: Tensor | float = 0.0) -> str:
    """Say how two tensors differ, by more than rounding at the size of the number and of slack."""
    if (mine.dtype, mine.shape) != (right.dtype, right.shape):
        return f"{name} is {mine.dtype} {mine.shape}, not {right.dtype} {right.shape}"
    mine, right = (torch.view_as_real(x) if x.is_complex() else x for x in (mine, right))
    eps = torch.finfo(mine.dtype).eps
    mine, right = mine.detach().double(), right.detach().double()
    within = right.isfinite() & ((mine - right).abs() <= eps * slack)
    if not (within | (mine == right) | (mine.isnan() & right.isnan())).all():
        return f"{name} is {mine}, not {right}"
    return ""


# Losses

ROUNDINGS = 4
"""How many units in the last place of its own type a loss, or a gradient, may be off."""


class Extreme(Numbers):
    """Moderate tensors, tensors of one number, and those that hold anything."""

    def __init__(self, seed: int, dtype: torch.dtype) -> None:
        super().__init__(seed, dtype, "grid")

    def real(self, shape):
        kind = self.below(5, ()).item()
        pool = POOLS[kind % 3]
        if kind == 4:
            return self.among(pool, ()).repeat(shape)
        noise = torch.randn(shape, generator=self.generator, dtype=torch.float64).to(self.dtype)
        return torch.where(self.below(2, shape) == 0, noise, self.among(pool, shape))

    def positive(self, shape):
        return self.among([0.0, 1e-45, 1e-8, 0.5, 1.0, 1.0, 3.0, 1e4], shape)

    def among(self, values, shape):
        held = torch.tensor(values, dtype=torch.float64).to(self.dtype)
        return held[self.below(len(values), shape)]


def laid_out(tensor: Any, layout: str) -> Any:
    """Keep a tensor's numbers, those of an expanded one aside, and lay them out in another way."""
    if not isinstance(tensor, Tensor) or tensor.ndim == 0:
        return tensor
    laid = tensor.detach()
    if layout == "transposed" and tensor.ndim > 1:
        laid = laid.mT.contiguous().mT
    elif layout == "strided":
        laid = torch.stack([laid, laid], -1)[..., 0]
    elif layout == "expanded" and tensor.ndim > 1:
        laid = laid[:1].expand_as(laid)
    return laid.requires_grad_(tensor.requires_grad)


LAYOUTS = st.sampled_from(["as it is", "transposed", "strided", "expanded"])


@st.composite
def calls(draw, row):
    """Generate arguments of the row's loss, with its own options at their ends."""
    ours, theirs, arguments, reductions = CASES[row]
    dtype = draw(st.sampled_from(DTYPES))
    args, options = arguments(draw, Extreme(draw(st.integers(0, 2**32 - 1)), dtype))
    for name, hint in ours.hints.items():
        values = None if name in ("reduction", "return") else at_the_ends(hint)
        flag = isinstance(options.get(name), bool)  # by which the row has chosen the target
        if values is not None and not flag and draw(st.booleans()):
            options[name] = draw(values)
    if reductions:
        choices = next(n.choices for n in get_args(ours.hints["reduction"]) if isinstance(n, OneOf))
        options["reduction"] = draw(st.sampled_from(["none", *choices]))
    layout = draw(LAYOUTS)
    return Case(
        row=row,
        ours=ours,
        theirs=theirs,
        dtype=dtype,
        args=[laid_out(each, layout) for each in args],
        options={name: laid_out(each, layout) for name, each in options.items()},
    )


def outcome(loss: Callable[..., Tensor], case: Case) -> tuple[str, list[Tensor]]:
    """Return what the loss raised, if it did, and its value and gradients."""
    compared = [x for x in case.args if isinstance(x, Tensor) and x.requires_grad]
    generator = torch.Generator().manual_seed(0)
    try:
        value = loss(*case.args, **case.options)
        upstream = torch.rand(value.shape, generator=generator).bfloat16().to(value.dtype)
        return "", [value, *torch.autograd.grad(value, compared, upstream)]
    except (RuntimeError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}", []


def disagreement(case: Case) -> str:
    """Say how our value or gradient differs from PyTorch's, or that one of them is refused."""
    (our_error, ours), (their_error, theirs) = outcome(case.ours, case), outcome(case.theirs, case)
    if our_error or their_error:
        both = our_error and their_error
        return "" if both else f"we: {our_error or 'nothing'}; PyTorch: {their_error or 'nothing'}"
    info = torch.finfo(case.dtype)
    names = ["the value", *(f"gradient {index}" for index in range(len(ours) - 1))]
    for name, mine, right in zip(names, ours, theirs, strict=True):
        size = right.detach().abs().double() + SLACK.get(case.row, lambda _: 0.0)(case)
        # Among the subnormal numbers PyTorch rounds once, in a wider type, and we at each step.
        told = apart(name, mine, right, ROUNDINGS * (size + info.smallest_normal))
        if told:
            return told
    return ""


def largest_weight(case: Case) -> float:
    """Return the largest factor of a loss's terms."""
    weights = [case.options[name] for name in ("weight", "pos_weight") if name in case.options]
    return math.prod(max(1.0, w.max().item()) for w in weights if w.numel())


def cancelled(case: Case) -> float:
    """Return how large the two terms are that PyTorch subtracts for a negative logit."""
    logits = case.args[0].detach().double().clamp(-40, 0).nan_to_num()
    return largest_weight(case) * (1 - logits.min().item() if logits.numel() else 1)


def underflown(case: Case) -> float:
    """Return what PyTorch loses where a square that is no number any more is divided by beta."""
    beta, least = case.options.get("beta", 1.0), torch.finfo(case.dtype).smallest_normal
    return least / beta if beta > least else 0.0


SLACK: dict[str, Callable[[Case], float]] = {
    "log_softmax": lambda case: 1.0,
    "logsumexp": lambda case: 1.0,
    "cross_entropy, indices": largest_weight,
    "cross_entropy, probabilities": largest_weight,
    "binary_cross_entropy_with_logits": cancelled,
    "smooth_l1_loss": underflown,
}
"""Where terms of this size are subtracted, or too small ones scaled up, and rounding is left."""


def is_there(value: Any, test: Callable[[Tensor], Tensor]) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and bool(test(value).any())


def beyond(case: Case, *names: str) -> bool:
    """Say whether an option is a number that the tensors' type does not hold."""
    return any(case.options.get(name, 0) > torch.finfo(case.dtype).max for name in names)


LOSSES = [
    Difference(
        "a probability that is NaN is refused",
        ("cross_entropy, probabilities",),
        lambda case: is_there(case.args[1], torch.isnan),
    ),
    Difference(
        "an infinite rate, or one that is NaN, is refused",
        ("poisson_nll_loss",),
        lambda case: (
            not case.options["log_input"] and is_there(case.args[0], lambda x: ~x.isfinite())
        ),
    ),
    Difference(
        "the mean over a batch is refused where there is none",
        ("kl_div",),
        lambda case: case.options["reduction"] == "batchmean" and case.args[0].ndim == 0,
    ),
    Difference(
        "PyTorch subtracts infinity from infinity",
        ("binary_cross_entropy_with_logits",),
        lambda case: is_there(case.args[0], torch.isneginf),
    ),
    Difference(
        "PyTorch takes the exponential as it stands, which overflows",
        ("soft_margin_loss",),
        lambda case: case.dtype == torch.float16 and is_there(case.args[0], lambda x: x.abs() > 11),
    ),
    Difference(
        "PyTorch has no code for half precision, and takes a NaN for no loss",
        ("multi_margin_loss",),
        lambda case: case.dtype.itemsize == 2 or is_there(case.args[0], lambda x: ~x.isfinite()),
    ),
    Difference(
        "PyTorch refuses a margin that the type does not hold",
        ("hinge_embedding_loss", "multi_margin_loss"),
        lambda case: beyond(case, "margin"),
    ),
    Difference(
        "the slope of a square beyond all numbers is infinite, and times a weight of 0 it is NaN",
        ("multi_margin_loss",),
        lambda case: case.options["p"] == 2 and case.options["margin"] > 1e300,
    ),
    Difference(
        "PyTorch takes a threshold that the type does not hold for infinite",
        ("huber_loss",),
        lambda case: beyond(case, "delta") and any(is_there(x, torch.isinf) for x in case.args),
    ),
    Difference(
        "by a threshold that the type does not hold, PyTorch's slope is 0 and not next to it",
        ("smooth_l1_loss",),
        lambda case: beyond(case, "beta"),
    ),
]

WITH_COUNTERPART = [
    row for row, (ours, *_) in CASES.items() if "PyTorch has no such loss" not in ours.__doc__
]


def excused(table: list[Difference], case: Case) -> bool:
    return any(case.row in each.rows and each.when(case) for each in table)


@pytest.mark.parametrize("row", WITH_COUNTERPART)
def test_a_loss_is_pytorchs(row):
    @settings(FIXED, max_examples=60)
    @given(case=calls(row))
    def holds(case):
        assert excused(LOSSES, case) or not disagreement(case), disagreement(case)

    holds()


# Optimizers


@st.composite
def runs(draw, optimizer):
    """Generate hyperparameters at their ends, parameters, and the gradients of several steps."""

    def option(name, interval):
        default = optimizer.hyperparameters[name].default
        if interval is bool:
            return draw(st.booleans())
        if isinstance(interval, tuple):
            return tuple(
                draw(st.sampled_from([value, *ends(each)])) if draw(st.booleans()) else value
                for each, value in zip(interval, default, strict=True)
            )
        return draw(st.sampled_from(ends(interval))) if draw(st.booleans()) else default

    options = {name: option(name, each) for name, each in allowed(optimizer).items()}
    dtype = draw(st.sampled_from([*DTYPES, torch.complex64, torch.complex128]))
    shape = draw(st.sampled_from([(), (0,), (1,), (3,), (2, 2)]))
    layout = draw(st.sampled_from(["as it is", "transposed", "strided"]))
    numbers = Extreme(draw(st.integers(0, 2**32 - 1)), dtype.to_real())
    complex_too = (2,) if dtype.is_complex else ()
    drawn = [numbers.real((*shape, *complex_too)) for _ in range(4)]
    first, *grads = map(torch.view_as_complex, drawn) if complex_too else drawn
    return Case(
        row=optimizer,
        options=options,
        dtype=dtype,
        first=laid_out(first, layout),
        grads=[None if draw(st.integers(0, 9)) == 0 else laid_out(g, draw(LAYOUTS)) for g in grads],
        closure=draw(st.booleans()),
    )


def attempt(optimizer: torch.optim.Optimizer, closure: bool) -> str:
    try:
        assert (optimizer.step(lambda: 3.5) if closure else optimizer.step()) in (3.5, None)
    except (RuntimeError, ZeroDivisionError) as error:
        return str(error)
    return ""


def parting(case: Case) -> str:
    """Say where our step leaves PyTorch's; each step begins where PyTorch's last one ended."""
    try:
        case.row.check(**case.options)
    except ValueError:
        return ""
    mine, right = (case.first.clone(memory_format=torch.preserve_format) for _ in range(2))
    frozen = torch.full((2,), math.nan)
    ours = case.row([mine.requires_grad_(), frozen], **case.options)
    try:
        theirs = COUNTERPARTS[case.row](
            [right.requires_grad_(), frozen], foreach=False, **case.options
        )
    except RuntimeError as error:
        return f"PyTorch: {error}"
    for grad in case.grads:
        before = {"param": right.detach().clone(), **copy.deepcopy(theirs.state.get(right, {}))}
        mine.grad, right.grad = (None if grad is None else grad.clone() for _ in range(2))
        errors = attempt(ours, case.closure), attempt(theirs, case.closure)
        if any(errors):
            return "" if all(errors) else f"we: {errors[0]}; PyTorch: {errors[1]}"
        state, expected = ours.state[mine], theirs.state[right]
        if frozen.requires_grad or state.keys() != expected.keys():
            return f"the state has {sorted(state)}, not {sorted(expected)}"
        after = {"param": right, **expected}
        rounded = ROUNDED.get(case.row, of_complex if case.dtype.is_complex else lambda *_: {})
        slack = rounded(case.options, before, after)
        pairs = {"param": (mine, right)}
        pairs |= {name: (state[name], each) for name, each in expected.items() if each is not None}
        for name, (one, other) in pairs.items():
            told = apart(name, one, other, slack.get(name, 0.0))
            if told:
                return told
            one.data.copy_(other)
    return ""


def moved(before: dict[str, Tensor], after: dict[str, Tensor]) -> Tensor:
    """Return how large the numbers are from whose difference a parameter's step comes."""
    ends = (
        torch.view_as_real(x) if x.is_complex() else x for x in (before["param"], after["param"])
    )
    return sum(x.detach().double().abs().nan_to_num(posinf=0.0) for x in ends)


def of_sgd(options, before, after):
    """PyTorch rounds what is left of the buffer, and then the sum."""
    buffer = before.get("momentum_buffer")
    if buffer is None:
        return {}
    buffer = torch.view_as_real(buffer) if buffer.is_complex() else buffer
    kept = 2 * options["momentum"] * buffer.double().abs().nan_to_num(posinf=0.0)
    step = options["lr"] * (1 + options["momentum"]) * kept
    return {"momentum_buffer": kept, "param": step + moved(before, after)}


def of_nadam(options, before, after):
    """PyTorch keeps the product of the momenta, and 1 less that, in float32."""
    if "mu_product" not in after:
        return {}
    param = after["param"]
    coarser = torch.finfo(torch.float32).eps / torch.finfo(param.dtype).eps
    lost = max(coarser, 1.0) / (1 - after["mu_product"].item() or 1.0)
    return {
        "mu_product": 2 * after["mu_product"].double(),
        "param": 4 * lost * moved(before, after),
    }


def of_radam(options, before, after):
    """PyTorch rounds after each of four factors."""
    return {"param": 4 * moved(before, after)}


def of_complex(options, before, after):
    """PyTorch adds a product of complex numbers, and rounds the terms that are 0 with it."""
    states = {
        name: 4 * torch.view_as_real(x).double().abs()
        for name, x in after.items()
        if x.is_complex()
    }
    return states | {"param": 4 * moved(before, after)}


ROUNDED = {SGD: of_sgd, NAdam: of_nadam, RAdam: of_radam}
"""The optimizers that round elsewhere; all others agree to the last bit, in real numbers."""


def wild(case: Case) -> bool:
    """Say whether something is large enough, or small enough, to be infinite or 0 on the way."""
    tensors = [case.first, *(grad for grad in case.grads if grad is not None)]
    usual = [((x.abs() < 1e4) & ((x == 0) | (x.abs() > 1e-4))).all() for x in tensors]
    return not all(usual) or any(x and not 1e-6 < abs(x) < 1e6 for x in flat(case))


def flat(case: Case) -> list[float]:
    return [x for v in case.options.values() for x in (v if isinstance(v, tuple) else (v,))]


def unheld(case: Case) -> bool:
    """Say whether a factor is a number that the type does not hold."""
    first, *_ = case.options.get("betas", (0.0,))
    factors = [*flat(case), case.options["lr"] / (1 - first)]
    most = torch.finfo(torch.float32 if case.row is Adagrad else case.dtype).max
    return max(map(abs, factors)) > min(most, torch.finfo(case.dtype).max) / 1e4


OPTIMIZERS = [
    Difference(
        "PyTorch multiplies complex numbers, so that one infinite part makes both NaN",
        (GradientDescent, SGD, Adagrad, RMSprop, Adam, AdamW, Adamax),
        lambda case: case.dtype.is_complex and wild(case),
    ),
    Difference(
        "a factor that the type does not hold is refused, by PyTorch or here",
        (SGD, Adagrad, RAdam),
        unheld,
    ),
    Difference(
        "PyTorch's product of momenta rounds to 1, and divides by 0",
        (NAdam,),
        lambda case: case.options["betas"][0] > 0.99 and case.options["momentum_decay"] > 1,
    ),
    Difference(
        "beyond all numbers the order of the products decides between infinite and NaN",
        (SGD,),
        lambda case: case.options["momentum"] > 1e20 and case.options["weight_decay"] > 1e200,
    ),
]


@pytest.mark.parametrize("row", COUNTERPARTS, ids=lambda each: each.__name__)
def test_an_optimizer_is_pytorchs(row):
    @settings(FIXED, max_examples=80)
    @given(case=runs(row))
    def holds(case):
        assert excused(OPTIMIZERS, case) or not parting(case), parting(case)

    holds()


# Schedules

RATES = st.sampled_from([0.0, 1e-8, 1e-3, 0.3, 1.0, 1e4])


@st.composite
def courses(draw, row):
    """Generate settings of the row's schedule at their ends, and the rates it starts from."""
    chosen, our, _ = PAIRS[row]
    settings = draw(chosen)
    for name, hint in our(settings).func.hints.items():
        values = at_the_ends(hint)
        if name in settings and values is not None and draw(st.booleans()):
            settings[name] = draw(values)
    lrs = draw(st.lists(RATES, min_size=1, max_size=2))
    return Case(row=row, settings=settings, lrs=lrs, pause=draw(st.sampled_from([0, 1, NUM_STEPS])))


def detour(case: Case) -> str:
    """Say where our rates leave PyTorch's, ours resumed on the way from a state."""
    _, our, their = PAIRS[case.row]
    right = optimizer_of(case.lrs)
    try:
        expected = rates_of(right, their(right, case.settings), NUM_STEPS)
    except (ValueError, ArithmeticError) as error:
        return f"PyTorch: {error}"
    mine, again = optimizer_of(case.lrs), optimizer_of(case.lrs)
    try:
        scheduler = Scheduler(mine, our(case.settings))
        begun = rates_of(mine, scheduler, case.pause)
        resumed = Scheduler(again, our(case.settings))
        again.load_state_dict(mine.state_dict())
        resumed.load_state_dict(scheduler.state_dict())
        used = torch.cat([begun, rates_of(again, resumed, NUM_STEPS - case.pause)])
    except (ValueError, OverflowError) as error:
        refused = "the schedule's rate at step" in str(error) and not expected.isfinite().all()
        return "" if refused else f"we: {error}"
    # PyTorch goes from rate to rate, and rounds at each step; a factor may be subnormal.
    lrs = torch.tensor(case.lrs, dtype=torch.float64)
    others = sum(case.settings.get(name, 0.0) for name in ("eta_min", "max_lr"))
    others += lrs / (case.settings.get("div_factor", 1) * case.settings.get("final_div_factor", 1))
    heights = [lrs, expected.abs().amax(0) + others] if case.row in BETWEEN else []
    subnormal = 5e-324 * (1 + lrs) / torch.finfo(torch.float64).eps
    return apart("the rate", used, expected, NUM_STEPS * (expected + sum(heights)) + subnormal)


BETWEEN = (
    "linear",
    "cosine",
    "cosine with restarts",
    "cyclic",
    "one cycle",
    "warmup, then cosine",
    "warmup, stable, decay",
    "warmup times decay",
)
"""What goes from one rate to another, and rounds at the size of the larger."""

SCHEDULES = [
    Difference(
        "over 0 steps PyTorch keeps the factor for ever, and a factor of 0 or next to it divides",
        ("constant",),
        lambda case: case.settings["num_steps"] == 0 or case.settings["factor"] < 1e-300,
    ),
    Difference(
        "PyTorch refuses factors above 1, or of 0 at the start, and divides by the smallest",
        ("linear", "warmup, stable, decay"),
        lambda case: (
            not 1e-300 < case.settings["start_factor"] <= 1
            or case.settings.get("end_factor", 0.0) > 1
        ),
    ),
    Difference(
        "PyTorch goes by differences of rates, of which the largest are infinite",
        ("cosine",),
        lambda case: case.settings["eta_min"] > 1e307,
    ),
    Difference(
        "a power that is beyond all numbers is refused",
        ("step", "multi-step", "exponential"),
        lambda case: case.settings["gamma"] > 1e7,
    ),
    Difference(
        "PyTorch goes by ratios of rates, and what has underflowed does not come back",
        ("polynomial",),
        lambda case: case.settings["power"] > 1e3,
    ),
    Difference(
        "PyTorch refuses a step beyond the last",
        ("one cycle",),
        lambda case: case.settings["num_steps"] < NUM_STEPS,
    ),
]


@pytest.mark.parametrize("row", PAIRS)
def test_a_schedule_is_pytorchs(row):
    @settings(FIXED, max_examples=40)
    @given(case=courses(row))
    def holds(case):
        assert excused(SCHEDULES, case) or not detour(case), detour(case)

    holds()


@st.composite
def plateaus(draw):
    """Generate settings of the plateau at their ends, and what it measures."""
    hints = schedules.reduce_on_plateau.hints
    own = {name: at_the_ends(hint) for name, hint in hints.items() if name not in ("lr", "return")}
    chosen = {n: draw(v) for n, v in own.items() if v is not None and draw(st.booleans())}
    return chosen, draw(st.lists(st.sampled_from(ANY), min_size=4, max_size=12)), draw(RATES)


@settings(FIXED, max_examples=100)
@given(plateaus())
def test_the_plateau_is_pytorchs(drawn):
    chosen, metrics, lr = drawn
    mine, right = optimizer_of([lr]), optimizer_of([lr])
    scheduler = PlateauScheduler(mine, **chosen)
    their = lr_scheduler.ReduceLROnPlateau(right, **chosen)
    for metric in metrics:
        scheduler.step(metric)
        their.step(metric)
        assert mine.param_groups[0]["lr"] == right.param_groups[0]["lr"]


@settings(FIXED, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from(DTYPES), st.sampled_from(ends("(0, inf)")))
def test_clipping_is_pytorchs(seed, dtype, max_norm):
    numbers = Extreme(seed, dtype)
    grads = [numbers.real(shape) for shape in [(), (3,), (0,), (2, 2)]]
    params = [torch.zeros_like(grad) for grad in grads]
    for param, grad in zip(params, grads, strict=True):
        param.grad = grad.clone()
    torch.nn.utils.clip_grad_norm_(params, max_norm, foreach=False)
    ours = clip_grad_norm(tuple(grads), max_norm)
    moved = [torch.zeros_like(grad) for grad in grads]
    for param, grad in zip(moved, grads, strict=True):
        param.grad = grad.clone()
    clipped(GradientDescent)(moved, lr=1.0, max_norm=max_norm).step()
    for mine, param, other in zip(ours, params, moved, strict=True):
        assert not apart("the gradient", mine, param.grad)
        assert not apart("the step", other, -param.grad)


# The tables above

KINDS = [(LOSSES, calls, disagreement), (OPTIMIZERS, runs, parting), (SCHEDULES, courses, detour)]
ENTRIES = [
    pytest.param(each, row, cases, differs, id=f"{each.reason}-{getattr(row, '__name__', row)}")
    for table, cases, differs in KINDS
    for each in table
    for row in each.rows
]


@pytest.mark.parametrize(("each", "row", "cases", "differs"), ENTRIES)
def test_a_difference_is_still_one(each, row, cases, differs):
    others = [
        other for table, *_ in KINDS for other in table if other is not each and row in other.rows
    ]

    def needed(case):
        return each.when(case) and not any(other.when(case) for other in others) and differs(case)

    # What is drawn depends on the modules that are loaded, so the limit is far above the 10,636
    # draws that the rarest difference needed.
    find(cases(row), needed, settings=settings(FIXED, max_examples=100_000), random=Random(0))
