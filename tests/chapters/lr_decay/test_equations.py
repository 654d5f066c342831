"""The chapter on learning-rate decay: each printed equation against what it is about.

Every test reads the formula from the page, see :mod:`printed`, and takes no argument, so that
:mod:`mutations` can call it again with the formula changed. What is slow is measured once.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
import pytest
import torch
from printed import evaluate
from scipy.optimize import minimize
from scipy.special import gamma as gamma_function
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from descent import schedules
from descent.optim import SGD, Adam, AdamW, adam, sgd
from descent.schedules import Scheduler
from descent.tasks import data
from descent.tasks.models import mlp
from descent.training.lr_finder import lr_range_test

RATES = [0.7, 0.3, 0.5, 0.2, 0.05]


def descend(theta: Tensor, grad: Tensor, lr: float | Tensor) -> Tensor:
    """Take one step of the book's SGD."""
    return sgd(theta, grad, {}, **SGD.complete(lr=lr))[0]


def mean_squares(
    rates: Sequence[float | Tensor], curvature: float, noise: float, square: float
) -> list[Tensor]:
    """Return the expected square before the first step and after each of them.

    The noise is plus or minus ``noise``, so that all that can happen is followed, and the
    expectation is exact.
    """
    theta = torch.tensor([square], dtype=torch.float64).sqrt()
    result = [theta.square().mean()]
    for lr in rates:
        grads = torch.stack([curvature * theta + sign * noise for sign in (-1, 1)])
        theta = descend(theta.expand(2, -1), grads, lr).flatten()
        result.append(theta.square().mean())
    return result


def vertex(parabola: Callable[[float], Tensor]) -> float:
    """Return where a parabola is least."""
    low, middle, high = (float(parabola(x)) for x in (0.0, 0.5, 1.0))
    return 0.5 + 0.25 * (low - high) / (low - 2 * middle + high)


def greedy_run(
    steps: int, curvature: float, noise: float, square: float
) -> tuple[list[float], list[float]]:
    """Search for the best next rate in each step; return the rates and the squares."""
    rates, squares = [], [square]
    for _ in range(steps):
        best = vertex(lambda lr: mean_squares([lr], curvature, noise, squares[-1])[-1])
        rates.append(best)
        squares.append(mean_squares([best], curvature, noise, squares[-1])[-1].item())
    return rates, squares


# Two jobs, two rates


@pytest.mark.equation("lrd-recursion")
def test_mean_square_after_a_step():
    squares = mean_squares(RATES, curvature=1.3, noise=0.6, square=2.0)
    assert evaluate(
        "lrd-recursion",
        {r"u_{t+1}": "after", r"u_t": "before", r"\eta_t": "lr", r"\lambda": "curvature"},
        after=squares[1:],
        before=squares[:-1],
        lr=RATES,
        curvature=1.3,
        sigma=0.6,
    ).equal()


@pytest.mark.equation("lrd-unrolled")
def test_mean_square_at_the_end():
    curvature, noise, start = 1.3, 0.6, 2.0
    factors = (1 - curvature * np.array(RATES)) ** 2
    equation = evaluate(
        "lrd-unrolled",
        {
            r"u_T": "end",
            r"u_0": "start",
            r"\prod_{t=0}^{T-1} (1 - \eta_t\lambda)^2": "shrunk",
            r"\sum_{s=0}^{T-1}": "",
            r"\eta_s": "lr",
            r"\prod_{t=s+1}^{T-1} (1 - \eta_t\lambda)^2": "later",
        },
        end=mean_squares(RATES, curvature, noise, start)[-1],
        start=start / len(RATES),  # the sum over s is over all of the right side
        shrunk=factors.prod(),
        lr=RATES,
        later=[factors[step + 1 :].prod() for step in range(len(RATES))],
        sigma=noise,
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[0], equation.right.sum())


# The best rate for the next step


@pytest.mark.equation("lrd-greedy")
def test_the_greedy_rate_is_found_by_search():
    for curvature, noise, square in ((1.0, 1.0, 1.0), (0.4, 1.5, 3.0), (2.0, 0.3, 0.1)):
        found = vertex(lambda lr: mean_squares([lr], curvature, noise, square)[-1])  # noqa: B023
        assert evaluate(
            "lrd-greedy",
            {r"\eta_t": "lr", r"u_t": "square", r"\lambda": "curvature"},
            lr=found,
            square=square,
            curvature=curvature,
            sigma=noise,
        ).equal()


@pytest.mark.equation("lrd-precision")
def test_each_gradient_adds_the_same_precision():
    _, squares = greedy_run(6, curvature=0.7, noise=1.2, square=2.5)
    assert evaluate(
        "lrd-precision",
        {r"u_{t+1}": "after", r"u_t": "before", r"\lambda": "curvature"},
        after=squares[1:],
        before=squares[:-1],
        curvature=0.7,
        sigma=1.2,
    ).equal()


@pytest.mark.equation("lrd-greedy-tail")
def test_the_greedy_rate_falls_like_one_over_the_step():
    rates, _ = greedy_run(6, curvature=0.7, noise=1.2, square=2.5)
    assert evaluate(
        "lrd-greedy-tail",
        {r"\eta_t": "lr", r"u_0": "square", r"\lambda": "curvature"},
        lr=rates,
        t=range(6),
        square=2.5,
        curvature=0.7,
        sigma=1.2,
    ).equal()


def test_no_rates_end_below_the_greedy_ones_on_a_parabola():
    _, squares = greedy_run(4, curvature=0.7, noise=1.2, square=2.5)

    def end(rates):
        return float(mean_squares(list(rates), 0.7, 1.2, 2.5)[-1])

    found = minimize(end, [0.3] * 4, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-14})
    assert found.fun == pytest.approx(squares[-1], rel=1e-9)


CURVATURES = (0.05, 0.3, 1.0)
NOISE = 0.4


def expected_loss(rates: Sequence[Tensor], squares: Sequence[Tensor]) -> Tensor:
    """Return the expected loss at the end of a bowl, from squares along its axes."""
    return sum(
        0.5 * curvature * moved_square(rates, curvature, square)
        for curvature, square in zip(CURVATURES, squares, strict=True)
    )


def moved_square(rates: Sequence[Tensor], curvature: float, square: Tensor) -> Tensor:
    for lr in rates:
        # The mean over the two signs of the noise, as in mean_squares but without their number.
        square = sum((1 - lr * curvature) ** 2 * square + (sign * lr * NOISE) ** 2
                     for sign in (-1, 1)) / 2  # fmt: skip
    return square


def test_the_bowl_is_followed_as_each_parabola_is():
    for curvature in CURVATURES:
        assert float(moved_square(RATES, curvature, torch.tensor(2.0, dtype=torch.float64))) == (
            pytest.approx(mean_squares(RATES, curvature, NOISE, 2.0)[-1].item())
        )


@pytest.mark.equation("lrd-greedy-bowl")
def test_the_greedy_rate_of_a_bowl_is_found_by_search():
    squares = (0.9, 0.2, 1.5)
    found = vertex(lambda lr: expected_loss([lr], squares))
    curvatures, squares = np.array(CURVATURES), np.array(squares)
    top = (curvatures**2 * squares).sum()
    bottom = (curvatures * (curvatures**2 * squares + NOISE**2)).sum()
    assert found == pytest.approx(top / bottom)
    fragments = {
        r"\eta_t": "lr",
        r"\sum_i \lambda_i^2 u_{i,t}": "top",
        r"\sum_i \lambda_i (\lambda_i^2 u_{i,t} + \sigma^2)": "bottom",
    }
    assert evaluate("lrd-greedy-bowl", fragments, lr=found, top=top, bottom=bottom).equal()


@cache
def best_run() -> dict[str, np.ndarray]:
    """Search for the best rates of a bowl, and differentiate the end by what was before it."""
    start, steps = (1.0, 0.8, 1.2), 6

    def end(log_rates):
        rates = torch.tensor(log_rates, dtype=torch.float64, requires_grad=True)
        loss = expected_loss(list(rates.exp()), start)
        loss.backward()
        return loss.item(), rates.grad.numpy()

    found = minimize(end, np.full(steps, -1.0), jac=True, method="BFGS", options={"gtol": 1e-13})
    rates = torch.tensor(np.exp(found.x))
    squares = [
        [float(mean_squares(rates[:step], c, NOISE, u)[-1]) for step in range(steps + 1)]
        for c, u in zip(CURVATURES, start, strict=True)
    ]
    costs = []
    for step in range(steps + 1):
        here = torch.tensor([each[step] for each in squares], requires_grad=True)
        (cost,) = torch.autograd.grad(expected_loss(list(rates[step:]), here), here)
        costs.append(cost.double().numpy())
    return {"lr": rates.numpy(), "square": np.array(squares).T, "cost": np.array(costs)}


@pytest.mark.equation("lrd-cost")
def test_what_a_square_costs_at_the_end_is_its_derivative():
    run = best_run()
    np.testing.assert_allclose(run["cost"][-1], 0.5 * np.array(CURVATURES))
    assert evaluate(
        "lrd-cost",
        {r"c_{i,t+1}": "later", r"c_{i,t}": "cost", r"\eta_t": "lr", r"\lambda_i": "curvature"},
        cost=run["cost"][:-1],
        later=run["cost"][1:],
        lr=run["lr"][:, None],
        curvature=np.array(CURVATURES),
    ).equal(rtol=1e-6)


@pytest.mark.equation("lrd-best")
def test_the_best_rates_are_found_by_search():
    run, curvatures = best_run(), np.array(CURVATURES)
    later, square = run["cost"][1:], run["square"][:-1]
    top = (later * curvatures * square).sum(1)
    bottom = (later * (curvatures**2 * square + NOISE**2)).sum(1)
    fragments = {
        r"\eta_t": "lr",
        r"\sum_i c_{i,t+1} \lambda_i u_{i,t}": "top",
        r"\sum_i c_{i,t+1} (\lambda_i^2 u_{i,t} + \sigma^2)": "bottom",
    }
    equation = evaluate("lrd-best", fragments, lr=run["lr"], top=top, bottom=bottom)
    assert equation.equal(rtol=1e-5)


# How far can a falling rate travel?


@pytest.mark.equation("lrd-reach")
def test_no_run_goes_further_than_its_rates_add_up_to():
    def moved(gradient):
        theta = start = torch.tensor([3.0, -1.0], dtype=torch.float64)
        for lr in RATES:
            theta = descend(theta, gradient(theta), lr)
        return (theta - start).norm()

    fragments = {r"\|\theta_T - \theta_0\|": "moved", r"\sum_{t=0}^{T-1} \eta_t": "budget"}
    budget = sum(RATES)
    bent = moved(lambda theta: theta / (1 + theta.square().sum()).sqrt())
    equation = evaluate("lrd-reach", fragments, moved=bent, G=1.0, budget=budget)
    assert equation.signs == ("≤",)
    assert equation.holds()
    assert not equation.tight()
    slope = torch.tensor([1.2, -0.5], dtype=torch.float64)
    straight = moved(lambda theta: slope)
    assert evaluate("lrd-reach", fragments, moved=straight, G=1.3, budget=budget).tight()


@pytest.mark.equation("lrd-reach-exponential")
def test_rates_of_an_exponential_decay_add_up_to_no_more_than_this():
    for gamma, steps in ((0.5, 3), (0.9, 40), (0.5, 60)):
        rates = [schedules.exponential(step, 0.3, gamma=gamma) for step in range(steps)]
        equation = evaluate(
            "lrd-reach-exponential",
            {r"\sum_{t=0}^{T-1} \eta\gamma^t": "total"},
            total=sum(rates),
            eta=0.3,
            gamma=gamma,
            T=steps,
        )
        assert equation.signs == ("=", "<")
        left, middle, right = equation.sides
        np.testing.assert_allclose(left, middle)
        assert middle < right or steps == 60
    np.testing.assert_allclose(middle, right)


# The shapes


STEPS = np.arange(12)


def rates_of(schedule: Callable[..., float], **settings: object) -> list[float]:
    return [schedule(int(step), 0.3, **settings) for step in STEPS]


def prints(
    label: str, lr: Sequence[float], fragments: dict[str, str] | None = None, **values: object
) -> bool:
    """Say whether these are the printed rates."""
    return evaluate(label, {r"\eta_t": "lr"} | (fragments or {}), lr=lr, **values).equal()


@pytest.mark.equation("lrd-step")
def test_step_decay():
    ours = rates_of(schedules.step_decay, step_size=5, gamma=0.4)
    count = {r"\lfloor t/P \rfloor": "count"}
    assert prints("lrd-step", ours, count, eta=0.3, gamma=0.4, count=STEPS // 5)


@pytest.mark.equation("lrd-inverse")
def test_inverse_time():
    ours = rates_of(schedules.inverse_time, timescale=4.0)
    assert prints("lrd-inverse", ours, eta=0.3, t=STEPS, tau=4.0)


@pytest.mark.equation("lrd-inverse-sqrt")
def test_inverse_square_root():
    ours = rates_of(schedules.inverse_sqrt, timescale=4.0)
    assert prints("lrd-inverse-sqrt", ours, eta=0.3, t=STEPS, tau=4.0)


@pytest.mark.equation("lrd-polynomial")
def test_polynomial():
    for power in (1.0, 2.5):
        ours = rates_of(schedules.polynomial, num_steps=13, power=power)
        assert prints("lrd-polynomial", ours, eta=0.3, t=STEPS, T=13.0, p=power)
    np.testing.assert_allclose(
        rates_of(schedules.polynomial, num_steps=13), rates_of(schedules.linear, num_steps=13)
    )


@pytest.mark.equation("lrd-cosine")
def test_cosine():
    ours = rates_of(schedules.cosine, num_steps=13)
    assert prints("lrd-cosine", ours, {r"\pi": "pi"}, eta=0.3, t=STEPS, T=13.0, pi=math.pi)


@pytest.mark.equation("lrd-area-linear")
def test_area_of_linear():
    for steps in (1, 2, 7, 50):
        equation = evaluate(
            "lrd-area-linear", {r"\sum_{t=0}^{T-1}": ""}, t=np.arange(steps), T=float(steps)
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left.sum(), equation.right[0])


@pytest.mark.equation("lrd-area-cosine")
def test_area_of_cosine():
    for steps in (1, 2, 7, 50):
        equation = evaluate(
            "lrd-area-cosine",
            {r"\sum_{t=0}^{T-1}": "", r"\pi": "pi"},
            t=np.arange(steps),
            T=float(steps),
            pi=math.pi,
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left.sum(), equation.right[0])


@pytest.mark.equation("lrd-area-polynomial")
def test_area_of_a_polynomial_lies_between_its_integral_and_one_more():
    low_tight = high_tight = False
    for power, steps in itertools.product((1e-9, 0.5, 1.0, 3.0, 1e5), (2, 9, 100, 10**5)):
        equation = evaluate(
            "lrd-area-polynomial",
            {r"\sum_{t=0}^{T-1}": ""},
            t=np.arange(steps),
            T=float(steps),
            p=power,
        )
        assert equation.signs == ("≤", "≤")
        low, area, high = equation.sides[0][0], equation.sides[1].sum(), equation.sides[2][0]
        assert low <= area * (1 + 1e-12)
        assert area <= high * (1 + 1e-12)
        low_tight |= area - low < 1e-6
        high_tight |= high - area < 1e-2
        if steps == 10**5 and power < 10:
            np.testing.assert_allclose([low, high], area, rtol=1e-4)
    assert low_tight
    assert high_tight


@pytest.mark.equation("lrd-polynomial-limit")
def test_a_polynomial_of_high_power_is_an_exponential():
    t, tau = np.linspace(0, 40, 30), 10.0
    off = []
    for power in (100.0, 1000.0):
        equation = evaluate(
            "lrd-polynomial-limit", {r"e^{-t/\tau}": "decay"}, t=t, tau=tau, p=power,
            decay=np.exp(-t / tau),
        )  # fmt: skip
        assert equation.signs == ("≈",)
        off.append(np.abs(equation.left - equation.right).max())
    assert off[0] < 0.003
    assert off[1] < 0.11 * off[0]


# The end is the noise


@cache
def end_of(power: float, steps: int, lr: float, curvature: float, noise: float) -> float:
    """Return the mean square at the end of a polynomial decay, by the recursion."""
    square = 0.5 * lr * noise**2 / curvature
    for step in range(steps):
        now = schedules.polynomial(step, lr, num_steps=steps, power=power)
        square = (1 - now * curvature) ** 2 * square + now**2 * noise**2
    return square


@pytest.mark.equation("lrd-linear-end")
def test_noise_that_a_linear_decay_leaves():
    for lr, curvature, noise in ((0.02, 1.0, 1.4), (0.03, 0.5, 2.3)):
        steps = 20000
        equation = evaluate(
            "lrd-linear-end",
            {r"u_T": "end", r"\pi": "pi", r"\lambda": "curvature", r"\eta": "lr"},
            end=end_of(1.0, steps, lr, curvature, noise),
            pi=math.pi,
            lr=lr,
            curvature=curvature,
            sigma=noise,
            T=float(steps),
        )
        assert equation.signs == ("≈",)
        np.testing.assert_allclose(equation.left, equation.right, rtol=0.01)


@pytest.mark.equation("lrd-power-end")
def test_noise_that_a_polynomial_leaves():
    for power, lr, curvature, noise in ((1.0, 0.02, 1.0, 1.4), (2.0, 0.03, 0.5, 2.3)):
        steps = 20000
        equation = evaluate(
            "lrd-power-end",
            {
                r"u_T": "end",
                r"\Gamma\left(\frac{2p + 1}{p + 1}\right)": "integral",
                r"\lambda": "curvature",
                r"\eta": "lr",
            },
            end=end_of(power, steps, lr, curvature, noise),
            integral=gamma_function((2 * power + 1) / (power + 1)),
            p=power,
            lr=lr,
            curvature=curvature,
            sigma=noise,
            T=float(steps),
        )
        assert equation.signs == ("≈",)
        np.testing.assert_allclose(equation.left, equation.right, rtol=0.01)


@pytest.mark.parametrize(("power", "slope"), [(1.0, -1 / 2), (2.0, -2 / 3), (9.0, -9 / 10)])
def test_the_noise_that_is_left_falls_with_the_budget_to_this_power(power, slope):
    ends = [end_of(power, steps, 0.05, 1.0, 1.0) for steps in (2000, 20000)]
    assert math.log10(ends[1] / ends[0]) == pytest.approx(slope, abs=0.01)


def test_a_cosine_ends_like_a_square():
    def end(steps):
        square = 1.0
        for step in range(steps):
            now = schedules.cosine(step, 0.05, num_steps=steps)
            square = (1 - now) ** 2 * square + now**2
        return square

    assert math.log10(end(20000) / end(2000)) == pytest.approx(-2 / 3, abs=0.01)


@pytest.mark.equation("lrd-average")
def test_the_mean_of_the_iterates_weighs_gradients_like_a_linear_decay():
    noise = torch.Generator().manual_seed(0)
    theta = start = torch.tensor([2.0, -1.0, 0.5], dtype=torch.float64)
    lr, steps, grads, iterates = 0.3, 7, [], []
    for _ in range(steps):
        grads.append(theta + torch.randn(3, generator=noise, dtype=torch.float64))
        theta = descend(theta, grads[-1], lr)
        iterates.append(theta)
    equation = evaluate(
        "lrd-average",
        {
            r"\sum_{t=1}^{T} \theta_t": "total",
            r"\theta_0": "start",
            r"\sum_{s=0}^{T-1}": "",
            r"g_s": "grad",
        },
        total=torch.stack(iterates).sum(0),
        start=start / steps,  # the sum over s is over all of the right side
        eta=lr,
        s=np.arange(steps)[:, None],
        T=float(steps),
        grad=torch.stack(grads),
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[0], equation.right.sum(0))


# Why a line? The worst case


class Resisting:
    """The largest coordinate, which answers each step along a coordinate that was not touched.

    Args:
        steps: as many can be made before it runs out of coordinates.
        bound: the length of its gradients.
        distance: from the start, 0, to its minimum.
    """

    def __init__(self, steps: int, bound: float, distance: float) -> None:
        self.bound, self.least = bound, -bound * distance / math.sqrt(steps + 1)
        self.start = torch.zeros(steps + 1, dtype=torch.float64)
        self.minimizer = self.start - distance / math.sqrt(steps + 1)

    def value(self, theta: Tensor) -> float:
        return max(self.bound * theta.max().item(), self.least)

    def gradient(self, theta: Tensor) -> Tensor:
        """Differentiate along the first of the largest coordinates."""
        grad = torch.zeros_like(theta)
        grad[theta.argmax()] = self.bound
        return grad

    def follow(self, rates: Sequence[float]) -> Tensor:
        """Return all iterates, the last included."""
        iterates = [self.start]
        for lr in rates:
            iterates.append(descend(iterates[-1], self.gradient(iterates[-1]), lr))
        return torch.stack(iterates)

    def gap(self, rates: Sequence[float]) -> float:
        """Return how far above the minimum the last iterate is."""
        return self.value(self.follow(rates)[-1]) - self.least


def weights_of_the_mean(steps: int) -> np.ndarray:
    """Return what each of ``steps`` gradients weighs in the mean of the iterates 0 to ``steps``."""
    grads = torch.eye(steps, dtype=torch.float64)
    theta = torch.zeros(steps, dtype=torch.float64)
    iterates = [theta]
    for grad in grads:
        theta = descend(theta, grad, 1.0)
        iterates.append(theta)
    return -torch.stack(iterates).mean(0).numpy()


CASES = ((1, 1.3, 0.7), (4, 0.6, 2.0), (9, 2.5, 1.1))
"""Numbers of steps, bounds of the gradient and distances."""
GAP = {r"f(\theta_T) - f^\star": "gap"}


@pytest.mark.equation("lrd-line-any")
def test_what_a_line_promises_with_any_peak():
    for steps, bound, distance in CASES:
        function = Resisting(steps, bound, distance)
        shape = weights_of_the_mean(steps)
        found = minimize(
            lambda log_lr: distance**2 / math.exp(log_lr[0]) + steps_cost(log_lr[0], steps, bound),  # noqa: B023
            [0.0], method="Nelder-Mead", options={"xatol": 1e-12, "fatol": 1e-15},
        )  # fmt: skip
        best = math.exp(found.x[0])
        for lr in (0.3 * best, best, 4 * best):
            values = {"D": distance, "G": bound, "eta": lr, "T": float(steps)}
            equation = evaluate("lrd-line-any", GAP, gap=function.gap(lr * shape), **values)
            assert equation.signs == ("≤",)
            assert equation.holds(rtol=1e-7)
            assert equation.tight(rtol=1e-7) == (lr == best)


def steps_cost(log_lr: float, steps: int, bound: float) -> float:
    """Return what the squared distance of a constant run grows by, over its rate."""
    lr = math.exp(log_lr)
    grads = torch.full((steps + 1,), bound, dtype=torch.float64)
    moved = descend(torch.zeros(steps + 1, dtype=torch.float64), grads, lr)
    return moved.square().sum().item() / lr


@pytest.mark.equation("lrd-line-rate")
def test_the_line_that_is_best_in_the_worst_case():
    for steps, bound, distance in CASES:
        # What a gradient weighs in a mean, times the rate of a constant run that just arrives at
        # the minimum of the function that resists it.
        function = Resisting(steps, bound, distance)
        arrive = -function.minimizer[0].item() / bound
        assert evaluate(
            "lrd-line-rate",
            {r"\eta_t": "lr"},
            lr=arrive * weights_of_the_mean(steps),
            D=distance,
            G=bound,
            T=float(steps),
            t=np.arange(steps),
        ).equal()


@pytest.mark.equation("lrd-line-bound")
def test_what_the_best_line_promises():
    for steps, bound, distance in CASES:
        function = Resisting(steps, bound, distance)
        arrive = -function.minimizer[0].item() / bound
        gap = function.gap(arrive * weights_of_the_mean(steps))
        values = {"D": distance, "G": bound, "T": float(steps)}
        equation = evaluate("lrd-line-bound", GAP, gap=gap, **values)
        assert equation.signs == ("≤",)
        assert equation.tight()


def bumpy(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rates and losses of some points, as they come."""
    noise = np.random.default_rng(0)
    return noise.uniform(0.1, 1.0, count), noise.normal(size=count)


@pytest.mark.equation("lrd-tail-mean")
def test_how_the_mean_of_the_tail_changes():
    rates, losses = bumpy(6)

    def mean(first):
        return np.average(losses[first:], weights=rates[first:])

    for first in range(5):
        tail = slice(first, None)
        assert evaluate(
            "lrd-tail-mean",
            {
                r"A_{t+1}": "later",
                r"A_t": "now",
                r"\eta_t": "lr",
                r"S_{t+1}": "next",
                r"S_t": "total",
                r"\sum_{s=t}^{T} \eta_s (f(\theta_s) - f(\theta_t))": "over",
            },
            later=mean(first + 1),
            now=mean(first),
            lr=rates[first],
            total=rates[tail].sum(),
            next=rates[first + 1 :].sum(),
            over=(rates[tail] * (losses[tail] - losses[first])).sum(),
        ).equal()


@pytest.mark.equation("lrd-tail-sum")
def test_losses_of_the_tail_add_up_to_no_more_than_this():
    rates, bound = [0.7, 0.3, 0.5, 0.2], 1.3
    fragments = {
        r"\sum_{s=t}^{T} \eta_s (f(\theta_s) - f(\theta))": "total",
        r"\|\theta_t - \theta\|": "distance",
        r"Q_t": "squares",
    }

    def printed(function, gradient, point, start):
        theta, total = torch.tensor([start], dtype=torch.float64), 0.0
        for lr in rates:
            total += lr * (function(theta) - function(point)).item()
            theta = descend(theta, gradient(theta), lr)
        squares = sum(lr**2 for lr in rates)
        return evaluate(
            "lrd-tail-sum", fragments,
            total=total, distance=abs(start - point.item()), squares=squares, G=bound,
        )  # fmt: skip

    # A straight line, compared with the very point at which its run arrives.
    for start in (2.0, -0.7):
        point = torch.tensor([start - bound * sum(rates)], dtype=torch.float64)
        straight = printed(lambda x: bound * x, lambda x: torch.full_like(x, bound), point, start)
        assert straight.signs == ("≤",)
        assert straight.tight()
    kink = torch.zeros(1, dtype=torch.float64)
    bent = printed(lambda x: bound * x.abs(), lambda x: bound * x.sign(), kink, 0.9)
    assert bent.holds()
    assert not bent.tight()


def last_iterate_bound(rates: Sequence[float], bound: float, distance: float) -> float:
    """Add up what the two equations above promise of the last iterate."""
    rates = np.array([*rates, rates[-1]])
    sums, squares = (each[::-1].cumsum()[::-1] for each in (rates, rates**2))
    price = (rates[:-1] * squares[:-1] / (sums[:-1] * sums[1:])).sum()
    return (distance**2 + bound**2 * squares[0]) / (2 * sums[0]) + bound**2 / 2 * price


def test_no_run_ends_above_what_the_tails_promise():
    noise = np.random.default_rng(1)
    for steps, bound, distance in CASES:
        function = Resisting(steps, bound, distance)
        for rates in noise.uniform(0.1, 2.0, (20, steps)) * distance / bound:
            assert function.gap(rates) <= last_iterate_bound(rates, bound, distance)
            theta = torch.tensor(distance, dtype=torch.float64)
            for lr in rates:
                theta = descend(theta, bound * theta.sign(), lr)
            assert bound * theta.abs() <= last_iterate_bound(rates, bound, distance)


# Why warm up?


@pytest.mark.equation("lrd-warmup")
def test_warmup():
    for steps in (2, 5, 9):
        line = partial(
            schedules.linear, num_steps=steps - 1, start_factor=1 / steps, end_factor=1.0
        )
        t = range(steps)
        ours = [line(step, 0.3) for step in t]
        condition = {r"\quad\text{for } t < W": ""}
        assert prints("lrd-warmup", ours, condition, eta=0.3, t=t, W=float(steps))
        assert ours[-1] == pytest.approx(0.3)


@cache
def young_squares(beta1: float, steps: int) -> float:
    """Return the mean square of Adam's last step over all signs and orders of some gradients."""
    sizes = [0.2, 1.0, 7.0, 3.0][:steps]
    options = Adam.complete(lr=0.5, betas=(beta1, 1 - 1e-9), eps=0.0)
    grads = torch.tensor(
        [
            [sign * size for sign, size in zip(signs, order, strict=True)]
            for order in itertools.permutations(sizes)
            for signs in itertools.product((-1, 1), repeat=steps)
        ],
        dtype=torch.float64,
    )
    theta, state = torch.zeros(len(grads), dtype=torch.float64), {}
    for grad in grads.T:
        before = theta
        theta, state = adam(theta, grad, state, **options)
    return (theta - before).square().mean().item()


@pytest.mark.equation("lrd-young")
def test_adams_first_steps_under_symmetric_noise():
    for beta1, steps in itertools.product((0.9, 0.5), (1, 2, 3, 4)):
        assert evaluate(
            "lrd-young",
            {
                r"\mathbb{E}[\Delta_t^2]": "square",
                r"\eta": "lr",
                r"\beta_1": "beta",
            },
            square=young_squares(beta1, steps),
            lr=0.5,
            beta=beta1,
            t=float(steps),
        ).equal(rtol=1e-5)


# Is the rate that was used the rate that you plotted?


@pytest.mark.equation("lrd-by-hand")
def test_decay_by_hand_is_one_decay_ahead():
    lr, used = 0.3, []
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    for epoch in range(31):
        used.append(optimizer.param_groups[0]["lr"])
        if epoch % 10 == 0:
            for group in optimizer.param_groups:
                group["lr"] *= 0.1
    count = [math.ceil(epoch / 10) for epoch in range(31)]
    fragments = {r"\eta_n": "used", r"\lceil n/P \rceil": "count", r"\eta": "lr"}
    assert evaluate("lrd-by-hand", fragments, used=used, lr=lr, gamma=0.1, count=count).equal()
    planned = [schedules.step_decay(epoch, lr, step_size=10) for epoch in range(31)]
    agree = np.isclose(used, planned)
    assert agree.tolist() == [epoch % 10 == 0 for epoch in range(31)]
    np.testing.assert_allclose(np.array(used)[~agree], 0.1 * np.array(planned)[~agree])


@pytest.mark.equation("lrd-weight-decay")
def test_the_area_of_the_schedule_is_what_decays_a_weight():
    steps, lr, decay = 200, 0.02, 0.1
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    optimizer = AdamW([weight], lr=lr, weight_decay=decay)
    scheduler = Scheduler(optimizer, partial(schedules.cosine, num_steps=steps))
    used = []
    for _ in range(steps):
        weight.grad = torch.zeros_like(weight)
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    equation = evaluate(
        "lrd-weight-decay",
        {
            r"\prod_{t=0}^{T-1}": "",
            r"\sum_{t=0}^{T-1} \eta_t": "area",
            r"\eta_t": "lr",
            r"\lambda_w": "decay",
        },
        lr=used,
        area=sum(used),
        decay=decay,
    )
    assert equation.signs == ("≈",)
    np.testing.assert_allclose(equation.left.prod(), weight.item(), rtol=1e-12)
    np.testing.assert_allclose(equation.right, weight.item(), rtol=1e-3)


# Find the peak


@pytest.mark.equation("lrd-range")
def test_rates_of_the_range_test():
    batch = torch.ones(4, 1), torch.zeros(4, 1)
    model = mlp([1, 1], seed=0)
    found = lr_range_test(
        model,
        mse_loss,
        itertools.repeat(batch),
        torch.optim.SGD(model.parameters(), lr=0.1),
        min_lr=1e-3,
        max_lr=0.2,
        num_steps=9,
    )
    assert len(found.lr) == 9
    assert evaluate(
        "lrd-range",
        {r"\eta_t": "lr", r"\eta_{\min}": "low", r"\eta_{\max}": "high"},
        lr=found.lr,
        low=1e-3,
        high=0.2,
        t=np.arange(9),
        T=9.0,
    ).equal()


# Claims


@cache
def bowl_ends(shape: Callable[[int, float], float], steps: int) -> float:
    """Return the expected loss at the end on the lab's bowl, at the best peak of a fine grid."""
    curvatures = np.logspace(-2, 0, 10)
    peaks = 0.02 * 2 ** (np.arange(40) / 6)
    squares = np.ones((len(peaks), len(curvatures)))
    for step in range(steps):
        lr = np.array([shape(step, peak) for peak in peaks])[:, None]
        squares = (1 - lr * curvatures) ** 2 * squares + (0.3 * lr) ** 2
    ends = 0.5 * (curvatures * squares).sum(1)
    assert 0 < ends.argmin() < len(peaks) - 1
    return ends.min()


@pytest.mark.claim(
    cite="hu2024minicpm",
    says="""A cosine is good only at the end that it was planned for. A constant rate with a short
    decay at the end, which may be begun at any time, comes close to it: one long run serves every
    budget.""",
    conditions="the bowl of the lab, a linear decay over a fifth of 500, 1000 and 2000 steps",
    verdict="holds",
)
def test_a_decay_can_be_begun_when_the_end_is_known(record):
    for steps in (500, 1000, 2000):
        wsd = partial(
            schedules.warmup_stable_decay,
            warmup_steps=steps // 20,
            stable_steps=steps - steps // 20 - steps // 5,
            decay_steps=steps // 5,
        )
        planned, stopped = (
            bowl_ends(partial(schedules.cosine, num_steps=end), steps) for end in (steps, 2 * steps)
        )
        kept_open = bowl_ends(wsd, steps)
        assert stopped > kept_open > planned
        record(kept_open / planned, 1.1, abs=0.1)


@pytest.mark.claim(
    cite="goyal2017accurate",
    says="""A large rate that ruins a fresh network trains it, if the rate is raised to it
    gradually.""",
    conditions="digits, full batches, momentum 0.9, a rate of 6.4 after a warmup over 40 steps",
    verdict="holds",
)
def test_a_warmup_makes_a_large_rate_usable(record):
    digits = data.digits()
    input, target = digits.input[:1400], digits.target[:1400]

    def end(schedule, seed):
        model = mlp([64, 32, 10], seed=seed)
        optimizer = SGD(model.parameters(), lr=6.4, momentum=0.9)
        scheduler = Scheduler(optimizer, schedule)
        for _ in range(120):
            optimizer.zero_grad()
            loss = cross_entropy(model(input), target)
            loss.backward()
            optimizer.step()
            scheduler.step()
        return loss.item()

    gradual = partial(schedules.linear, num_steps=39, start_factor=1 / 40, end_factor=1.0)
    for seed in range(3):
        assert end(schedules.constant, seed) > 0.1
        record(end(gradual, seed), 0.0, abs=1e-3)


@pytest.mark.claim(
    cite="defazio2023optimal",
    says=r"""In the worst case over convex functions a linear decay is the best schedule for the
    last iterate: it ends no more than $DG/\sqrt{T + 1}$ above the minimum.""",
    conditions="""the function that resists every method, where nothing ends lower, with 9, 99 and
    999 steps; and the absolute value""",
    verdict="holds",
)
def test_a_line_is_best_in_the_worst_case(record):
    for steps in (9, 99, 999):
        function = Resisting(steps, bound=2.0, distance=3.0)
        promise = 6.0 / math.sqrt(steps + 1)
        line = 3.0 / (2.0 * math.sqrt(steps + 1)) * weights_of_the_mean(steps)
        record(function.gap(line), promise, rel=1e-9)
        theta = torch.tensor(3.0, dtype=torch.float64)
        for lr in line:
            theta = descend(theta, 2.0 * theta.sign(), lr)
        assert 2.0 * theta.abs() <= promise


@pytest.mark.claim(
    cite="attia2025benefits",
    says="""A schedule that goes down to zero forgives a peak that is too large: what it loses grows
    more slowly with the peak than what a constant rate loses.""",
    conditions="""a parabola that has forgotten its start, peaks 4 and 16 times as large: the
    expected loss of a line against that of a constant rate, as the square root against the first
    power""",
    verdict="holds",
)
def test_a_line_forgives_a_peak_that_is_too_large(record):
    for power, growth in ((1.0, 0.5), (1e-9, 1.0)):
        ends = [end_of(power, 20000, lr, 1.0, 1.0) for lr in (0.002, 0.008, 0.032)]
        record(np.diff(np.log(ends)) / math.log(4), growth, abs=0.02)
