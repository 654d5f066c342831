"""The chapter on gradient descent: each printed equation against what it is about.

Every test reads the formula from the page, see :mod:`printed`, and takes no argument, so that
:mod:`mutations` can call it again with the formula changed. What is slow is measured once.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import sympy
import torch
from draws import bowl, normal, turned, uniform
from printed import Printed, evaluate, expressions
from scipy.optimize import linprog, minimize_scalar
from torch import Tensor
from torch.autograd.functional import hessian
from torch.nn.functional import mse_loss, one_hot

from descent.chapters.gradient_descent import theory
from descent.measure.curvature import sharpness
from descent.optim import GradientDescent, gradient_descent
from descent.press.claims import at_least, at_most
from descent.press.pages import ROOT
from descent.tasks import data, models, problems
from descent.tasks.problems import Objective, value_and_gradient
from descent.training import Trace, fit, minimize

START = {r"f(\theta_0)": "first", r"f^\star": "lowest"}
EXCESS = {r"f(\theta_t)": "last", r"f^\star": "lowest"}
ROUNDING = 1e-12
"""What rounding may leave of a loss that is 0."""


def straight_arms(smoothness: float, reach: Tensor | float) -> Objective:
    """Return a parabola up to the distance ``reach`` from 0, and straight lines beyond."""

    def objective(theta: Tensor) -> Tensor:
        distance = theta.abs().squeeze(-1)
        parabola = 0.5 * smoothness * distance**2
        return torch.where(
            distance <= reach, parabola, smoothness * reach * (distance - 0.5 * reach)
        )

    return objective


def rippled(theta: Tensor) -> Tensor:
    return (theta**2 + 3 * theta.sin() ** 2).sum(-1)


@dataclass(frozen=True)
class Smooth:
    """An L-smooth function whose least value is 0, taken at 0."""

    objective: Objective
    smoothness: float
    dim: int
    convex: bool = True
    pl: float = 0.0  # its constant in the Polyak-Łojasiewicz inequality

    def points(self, seed: int = 0) -> Tensor:
        """Draw points near and far; the last one is the minimizer."""
        points = normal(30, self.dim, seed=seed) * torch.logspace(-2, 1, 30)[:, None]
        return torch.cat([points, torch.zeros(1, self.dim)])


@cache
def smooth_functions() -> list[Smooth]:
    matrix = normal(4, 3, seed=5)
    top = float(torch.linalg.eigvalsh(matrix.T @ matrix)[-1])
    return [
        Smooth(bowl(3.0 * torch.eye(1, dtype=torch.float64)), 3.0, 1, pl=3.0),
        Smooth(bowl(turned([0.2, 1.0, 5.0])), 5.0, 3, pl=0.2),
        Smooth(lambda theta: (theta @ matrix.T).cosh().log().sum(-1), top, 3),
        Smooth(straight_arms(2.0, 0.3), 2.0, 1),
        Smooth(lambda theta: 4.0 * (1 - theta.cos()).sum(-1), 4.0, 2, convex=False),
        Smooth(rippled, 8.0, 1, convex=False, pl=0.175),
    ]


def gather(function: Callable[[Smooth], dict[str, Tensor]], cases: list[Smooth]) -> dict:
    """Join what ``function`` measures on each case into one array per name."""
    rows = [function(case) for case in cases]
    return {name: torch.cat([row[name].flatten() for row in rows]) for name in rows[0]}


def assert_sharp_bound(equation: Printed, size: Tensor) -> None:
    """Assert that it holds everywhere, and is reached in some but not all cases of some size."""
    assert equation.holds(atol=ROUNDING).all()
    tight = equation.tight()[size > 0.1]
    assert tight.any()
    assert not tight.all()


# Which way is down?


@pytest.mark.equation("gd-linear")
def test_linear_model_errs_by_the_square_of_the_step():
    def objective(theta: Tensor) -> Tensor:
        return (theta.sin() * theta.roll(1, -1).exp()).sum(-1)

    here, direction = normal(20, 3), normal(20, 3, seed=1)
    value, grad = value_and_gradient(objective, here)

    def error(length: float) -> np.ndarray:
        delta = length * direction
        equation = evaluate(
            "gd-linear",
            {
                r"f(\theta + \delta)": "moved",
                r"f(\theta)": "value",
                r"\nabla f(\theta)^\top \delta": "slope",
            },
            moved=objective(here + delta),
            value=value,
            slope=(grad * delta).sum(-1),
        )
        assert equation.signs == ("≈",)
        return np.abs(equation.left - equation.right)

    np.testing.assert_allclose(error(1e-4) / error(1e-5), 100, rtol=0.01)


@pytest.mark.equation("gd-steepest")
def test_no_step_of_that_length_lowers_the_linear_model_more():
    angles = torch.linspace(0, 2 * math.pi, 100_001, dtype=torch.float64)
    circle = torch.stack([angles.cos(), angles.sin()], -1)
    for grad, length in zip(normal(5, 2), uniform(0.1, 3.0, 5), strict=True):
        best = length * circle[(circle @ grad).argmin()]
        equation = evaluate(
            "gd-steepest",
            {
                r"\nabla f(\theta)": "grad",
                r"\|\nabla f(\theta)\|": "grad_norm",
                r"\delta": "delta",
            },
            grad=grad,
            grad_norm=grad.norm(),
            delta=best,
            r=length,
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left, equation.right, atol=1e-4 * float(length))


@pytest.mark.equation("gd-update")
def test_update_is_the_rule_of_the_package_and_of_torch():
    problem, lr = problems.rosenbrock(), 1e-3
    by_rule = minimize(problem.objective, problem.start, GradientDescent, num_steps=5, lr=lr)
    theta = problem.start.clone().requires_grad_()
    sgd = torch.optim.SGD([theta], lr=lr)
    by_torch = [theta.detach().clone()]
    for _ in range(5):
        sgd.zero_grad()
        problem.objective(theta).backward()
        sgd.step()
        by_torch.append(theta.detach().clone())
    for path in (by_rule.params, torch.stack(by_torch)):
        assert evaluate(
            "gd-update",
            {r"\theta_{t+1}": "after", r"\theta_t": "before", r"\nabla f(\theta_t)": "grad"},
            after=path[1:],
            before=path[:-1],
            grad=problem.gradient(path[:-1]),
            eta=lr,
        ).equal(rtol=1e-12)


# How far? One parameter


@pytest.mark.equation("gd-scalar")
def test_every_step_on_the_parabola_multiplies_the_distance():
    curvature, lr = uniform(0.5, 2.0, 6), torch.linspace(0.1, 1.5, 6, dtype=torch.float64)
    trace = minimize(
        lambda theta: 0.5 * curvature * (theta.squeeze(-1) - 0.7) ** 2,
        normal(6, 1),
        GradientDescent,
        num_steps=12,
        lr=lr[:, None],
    )
    path = trace.params.squeeze(-1)
    assert evaluate(
        "gd-scalar",
        {
            r"\theta_t": "theta",
            r"\theta_0": "start",
            r"\theta^\star": "minimizer",
            r"\lambda": "curvature",
        },
        theta=path,
        start=path[0],
        minimizer=0.7,
        curvature=curvature,
        eta=lr,
        t=trace.step[:, None],
    ).equal()


@pytest.mark.equation("gd-stable")
def test_descent_on_the_parabola_converges_exactly_inside_the_interval():
    # Powers of two, so that the rate 2/curvature is met without rounding.
    curvature = torch.tensor([0.25, 1.0, 8.0], dtype=torch.float64)[:, None]
    multiples = [-0.5, -0.01, 0.0, 0.01, 0.5, 1.0, 1.5, 1.99, 2.0, 2.01, 3.0, 4.0]
    lr = torch.tensor(multiples, dtype=torch.float64) / curvature
    theta = torch.ones_like(lr)
    for _ in range(2000):
        theta, _ = gradient_descent(theta, curvature * theta, {}, lr=lr)
        theta = theta.clamp(-1e6, 1e6)
    converged = (theta.abs() < 1e-6).numpy()
    equation = evaluate("gd-stable", {r"\lambda": "curvature"}, curvature=curvature, eta=lr)
    np.testing.assert_array_equal(equation.holds(), converged)
    limits = [theory.gradient_descent_max_lr(value) for value in curvature.flatten().tolist()]
    np.testing.assert_allclose(equation.right[:, 0], limits)


# Many parameters


@cache
def bowl_run() -> dict[str, Tensor]:
    """Measure a run on a turned bowl, one of whose curvatures is negative, mode by mode."""
    eigenvalues = [-0.3, 0.2, 1.0, 3.2, 4.0]
    matrix = turned(eigenvalues)
    minimizer = normal(5, seed=1)
    curvatures, axes = torch.linalg.eigh(matrix)
    trace = minimize(
        lambda theta: 2.0 + bowl(matrix)(theta - minimizer),
        normal(5, seed=2),
        GradientDescent,
        num_steps=10,
        lr=0.45,
    )
    coordinates = (trace.params - minimizer) @ axes
    return {
        "now": coordinates,
        "start": coordinates[0],
        "curvatures": curvatures,
        "t": trace.step[:, None],
        "loss": trace.loss,
    }


@pytest.mark.equation("gd-modes")
def test_each_coordinate_of_a_bowl_goes_its_own_way():
    run = bowl_run()
    equation = evaluate(
        "gd-modes",
        {r"c_{t,i}": "now", r"c_{0,i}": "start", r"\lambda_i": "curvatures"},
        **{name: run[name] for name in ("now", "start", "curvatures", "t")},
        eta=0.45,
    )
    assert equation.equal()
    in_theory = theory.gradient_descent_distance(
        run["curvatures"], run["start"], 0.45, run["t"].flatten()
    )
    np.testing.assert_allclose(np.linalg.norm(equation.right, axis=-1), in_theory)


@pytest.mark.equation("gd-loss")
def test_loss_of_a_bowl_is_the_sum_over_its_modes():
    run = bowl_run()
    equation = evaluate(
        "gd-loss",
        {
            r"f(\theta_t)": "last",
            r"f^\star": "lowest",
            r"\sum_i": "",
            r"\lambda_i": "curvatures",
            r"c_{0,i}": "start",
        },
        **{name: run[name] for name in ("start", "curvatures", "t")},
        last=run["loss"][:, None],
        lowest=2.0,
        eta=0.45,
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[:, 0], equation.right.sum(-1), rtol=1e-9)


def contraction(matrix: Tensor, lr: float) -> float:
    """Return the most by which one step stretches a distance, by linear algebra alone."""
    step = torch.eye(len(matrix), dtype=torch.float64) - lr * matrix
    return float(torch.linalg.matrix_norm(step, 2))


@pytest.mark.equation("gd-rate")
def test_slowest_coordinate_sets_the_pace():
    eigenvalues = [0.4, 0.9, 2.0, 3.1]
    matrix = turned(eigenvalues)
    lr = np.linspace(0.02, 1.2, 40)
    measured = [contraction(matrix, rate) for rate in lr]
    in_theory = [theory.gradient_descent_rate(eigenvalues, rate) for rate in lr]
    for rho in (measured, in_theory):
        equation = evaluate(
            "gd-rate", {r"\rho(\eta)": "rho"}, rho=rho, eta=lr, mu=eigenvalues[0], L=eigenvalues[-1]
        )
        assert equation.equal()


@cache
def best_rates() -> list[tuple[float, float, float, float]]:
    """Search the best rate for some bowls; return (L, mu, rate, factor per step)."""
    found = []
    for smallest, largest in ((0.1, 3.0), (1.0, 100.0), (2.0, 2.5), (1.5, 1.5)):
        matrix = turned([smallest, (smallest + largest) / 2, largest])
        best = minimize_scalar(
            lambda lr, matrix=matrix: contraction(matrix, lr),
            bounds=(0.0, 2 / smallest),
            method="bounded",
            options={"xatol": 1e-12},
        )
        found.append((largest, smallest, best.x, best.fun))
    return found


@pytest.mark.equation("gd-best-lr")
def test_best_rate_is_the_one_that_a_search_finds():
    for largest, smallest, searched, _ in best_rates():
        for lr in (searched, theory.gradient_descent_best_lr(largest, smallest)):
            equation = evaluate("gd-best-lr", {r"\eta^\star": "lr"}, lr=lr, L=largest, mu=smallest)
            assert equation.equal(rtol=1e-6)


@pytest.mark.equation("gd-best-rate")
def test_best_factor_is_the_one_that_a_search_finds_and_a_run_measures():
    for largest, smallest, lr, searched in best_rates():
        kappa = largest / smallest
        run = minimize(
            bowl(turned([smallest, largest])), normal(2), GradientDescent, num_steps=50, lr=lr
        )
        distance = run.params.norm(dim=-1)
        measured = float(distance[50] / distance[49])
        for rate in (searched, theory.gradient_descent_best_rate(kappa)):
            equation = evaluate(
                "gd-best-rate", {r"\rho^\star": "rate"}, rate=max(rate, 1e-300), kappa=kappa
            )
            assert equation.signs == ("=",)
            np.testing.assert_allclose(equation.left, equation.right, rtol=1e-6, atol=1e-8)
        if kappa > 1:
            np.testing.assert_allclose(equation.right, measured, rtol=1e-6)


@pytest.mark.equation("gd-steps")
def test_steps_are_those_after_which_a_run_has_come_close_enough():
    for rate, fraction in ((0.5, 0.125), (0.5, 0.1), (0.9, 1e-6), (0.98, 1e-3), (0.25, 2**-14)):
        run = minimize(  # a rate and a curvature with this factor per step
            lambda theta: 0.5 * theta.square().sum(-1),
            torch.ones(1, dtype=torch.float64),
            GradientDescent,
            num_steps=400,
            lr=1 - rate,
        )
        close = (run.params[:, 0] <= fraction * (1 + 1e-12)).numpy()
        equation = evaluate("gd-steps", t=run.step, s=fraction, rho=rate)
        np.testing.assert_array_equal(equation.holds(), close)
        assert theory.gradient_descent_steps(rate, fraction) == close.argmax()


@pytest.mark.equation("gd-steps-kappa")
def test_steps_at_the_best_rate_grow_like_the_condition_number():
    for kappa, fraction in ((10.0, 1e-6), (100.0, 1e-6), (100.0, 0.5), (400.0, 1e-3)):
        problem = problems.ravine(kappa)
        lr = theory.gradient_descent_best_lr(kappa, 1.0)
        steps = math.ceil(kappa / 2 * math.log(1 / fraction)) + 20
        run = minimize(problem.objective, problem.start, GradientDescent, num_steps=steps, lr=lr)
        distance = run.params.norm(dim=-1)
        measured = run.first_step(distance <= fraction * distance[0])
        equation = evaluate("gd-steps-kappa", t=measured, s=fraction, kappa=kappa)
        assert equation.signs == ("≈",)
        assert abs(equation.left - equation.right) <= 1  # a whole number of steps


# Beyond the bowl


def tangent_values(case: Smooth, **constant: float) -> dict[str, Tensor]:
    theta, phi = case.points(), case.points(seed=1).flip(0)
    value, grad = value_and_gradient(case.objective, theta)
    return {
        "here": value,
        "there": case.objective(phi),
        "slope": (grad * (phi - theta)).sum(-1),
        "distance": (phi - theta).norm(dim=-1),
        **{name: torch.full_like(value, number) for name, number in constant.items()},
    }


TANGENT = {
    r"f(\phi)": "there",
    r"f(\theta)": "here",
    r"\nabla f(\theta)^\top (\phi - \theta)": "slope",
    r"\|\phi - \theta\|": "distance",
}


@pytest.mark.equation("gd-upper")
def test_bowl_on_top_lies_above_and_touches_where_the_curvature_is_full():
    values = gather(lambda case: tangent_values(case, L=case.smoothness), smooth_functions())
    assert_sharp_bound(evaluate("gd-upper", TANGENT, **values), values["distance"])


STEP = {
    r"f(\theta_{t+1})": "after",
    r"f(\theta_t)": "before",
    r"\|\nabla f(\theta_t)\|": "grad_norm",
}


@pytest.mark.equation("gd-descent")
def test_descent_lemma_holds_and_is_reached_on_the_parabola():
    multiples = torch.linspace(0.1, 2.5, 9, dtype=torch.float64)[:, None, None]

    def one_step(case: Smooth) -> dict[str, Tensor]:
        lr = multiples / case.smoothness
        start = case.points().expand(9, -1, -1)
        trace = minimize(case.objective, start, GradientDescent, num_steps=1, lr=lr)
        return {
            "after": trace.loss[1],
            "before": trace.loss[0],
            "grad_norm": trace.grad_norm[0],
            "eta": trace.lr[1],
            "L": torch.full_like(trace.loss[0], case.smoothness),
        }

    values = gather(one_step, smooth_functions())
    equation = evaluate("gd-descent", STEP, **values)
    assert_sharp_bound(equation, values["grad_norm"])


@cache
def runs_at_one_over_smoothness() -> dict[Smooth, Trace]:
    """Run 40 steps with the rate 1/L from every point of every smooth function."""
    return {
        case: minimize(
            case.objective, case.points(), GradientDescent, num_steps=40, lr=1 / case.smoothness
        )
        for case in smooth_functions()
    }


@pytest.mark.equation("gd-progress")
def test_progress_of_a_step_at_the_safest_rate():
    # The parabola lands on its minimum, 0, which leaves nothing to compare: lift all by 1.
    values = gather(
        lambda case: {
            "after": (run := runs_at_one_over_smoothness()[case]).loss[1:] + 1,
            "before": run.loss[:-1] + 1,
            "grad_norm": run.grad_norm[:-1],
            "L": torch.full_like(run.loss[1:], case.smoothness),
        },
        smooth_functions(),
    )
    assert_sharp_bound(evaluate("gd-progress", STEP, **values), values["grad_norm"])


# What can be promised


@pytest.mark.equation("gd-stationary")
def test_some_gradient_of_the_first_steps_is_as_small_as_promised():
    fragments = {r"\min_{j < t} \|\nabla f(\theta_j)\|": "smallest", **START}
    for case, run in runs_at_one_over_smoothness().items():
        equation = evaluate(
            "gd-stationary",
            fragments,
            smallest=run.grad_norm[:-1].cummin(0).values,
            first=run.loss[0],
            lowest=0.0,
            L=case.smoothness,
            t=run.step[1:, None],
        )
        assert equation.holds(atol=ROUNDING).all()
    parabola, run = next(iter(runs_at_one_over_smoothness().items()))
    one_step = evaluate(
        "gd-stationary",
        fragments,
        smallest=run.grad_norm[0],
        first=run.loss[0] + 2,
        lowest=2.0,
        L=parabola.smoothness,
        t=1,
    )
    assert one_step.holds().all()
    assert one_step.tight(rtol=1e-6).all()
    # On an arm that t steps just walk down, the bound is 2 - 1/t times too large, and no more.
    t, smoothness = torch.arange(1, 30, dtype=torch.float64), 2.0
    run = minimize(
        straight_arms(smoothness, 1.0),
        t[:, None],
        GradientDescent,
        num_steps=29,
        lr=1 / smoothness,
    )
    smallest = torch.stack([run.grad_norm[: int(n), i].min() for i, n in enumerate(t)])
    arms = evaluate(
        "gd-stationary",
        fragments,
        smallest=smallest,
        first=run.loss[0],
        lowest=0.0,
        L=smoothness,
        t=t,
    )
    np.testing.assert_allclose(arms.right / arms.left, 2 - 1 / t)
    in_theory = theory.gradient_descent_stationary_bound(smoothness, run.loss[0], t)
    np.testing.assert_allclose(arms.right, in_theory)


@cache
def worst_case() -> dict[str, Tensor]:
    """Measure, for t = 1, 2, ..., the loss after t steps on the function built against them."""
    smoothness, radius = 2.0, 3.0
    t = torch.arange(1, 31)
    run = minimize(
        straight_arms(smoothness, radius / (2 * t + 1)),
        torch.full((30, 1), radius, dtype=torch.float64),
        GradientDescent,
        num_steps=30,
        lr=1 / smoothness,
    )
    return {"last": run.loss[t, t - 1], "t": t, "L": smoothness, "R": radius}


@pytest.mark.equation("gd-worst")
def test_straight_arms_are_as_slow_as_printed():
    worst = worst_case()
    in_theory = theory.gradient_descent_worst_case(worst["L"], worst["R"], worst["t"])
    for last in (worst["last"], in_theory):
        lifted = worst | {"last": last + 1.5, "lowest": 1.5}
        assert evaluate("gd-worst", EXCESS, **lifted).equal()


@pytest.mark.equation("gd-convex")
def test_convex_functions_keep_the_promise_and_the_worst_misses_it_by_a_known_factor():
    fragments = {**EXCESS, r"\|\theta_0 - \theta^\star\|": "distance"}
    for case, run in runs_at_one_over_smoothness().items():
        if case.convex:
            equation = evaluate(
                "gd-convex",
                fragments,
                last=run.loss[1:] + 0.5,
                lowest=0.5,
                distance=run.params[0].norm(dim=-1),
                L=case.smoothness,
                t=run.step[1:, None],
            )
            assert equation.holds(atol=ROUNDING).all()
    worst = worst_case()
    equation = evaluate(
        "gd-convex",
        fragments,
        last=worst["last"] + 0.5,
        lowest=0.5,
        distance=worst["R"],
        L=worst["L"],
        t=worst["t"],
    )
    np.testing.assert_allclose(equation.right / equation.left, 2 + 1 / worst["t"].double())
    in_theory = theory.gradient_descent_convex_bound(worst["L"], worst["R"], worst["t"])
    np.testing.assert_allclose(equation.right, in_theory)


PL = {r"\|\nabla f(\theta)\|": "grad_norm", r"f(\theta)": "value", r"f^\star": "lowest"}


@pytest.mark.equation("gd-pl")
def test_the_higher_you_are_the_steeper_it_is():
    def slopes(case: Smooth) -> dict[str, Tensor]:
        value, grad = value_and_gradient(case.objective, case.points())
        return {
            "value": value + 0.5,
            "grad_norm": grad.norm(dim=-1),
            "mu": torch.full_like(value, case.pl),
        }

    values = gather(slopes, [case for case in smooth_functions() if case.pl])
    assert_sharp_bound(evaluate("gd-pl", PL, **values, lowest=0.5), values["grad_norm"])


LINEAR_RATE = {**EXCESS, **START}


@pytest.mark.equation("gd-linear-rate")
def test_excess_falls_by_a_constant_factor():
    for case, run in runs_at_one_over_smoothness().items():
        if case.pl:
            equation = evaluate(
                "gd-linear-rate",
                LINEAR_RATE,
                last=run.loss,
                first=run.loss[0],
                lowest=0.0,
                mu=case.pl,
                L=case.smoothness,
                t=run.step[:, None],
            )
            assert equation.holds(atol=ROUNDING).all()
            in_theory = theory.gradient_descent_linear_bound(
                case.smoothness, case.pl, run.loss[0], run.step[:, None]
            )
            np.testing.assert_allclose(equation.right, in_theory)


@pytest.mark.equation("gd-linear-rate")
def test_linear_rate_is_what_follows_from_the_printed_inequalities():
    g, lowest, first, mu, top, t = sympy.symbols("grad_norm lowest first mu L t")
    steep, _ = expressions("gd-pl", PL)
    (squared,) = sympy.solve((steep[0] - steep[1]).subs(g**2, sympy.Symbol("s")), "s")
    progress, _ = expressions(
        "gd-progress",
        {
            r"f(\theta_{t+1})": "after",
            r"f(\theta_t)": "value",
            r"\|\nabla f(\theta_t)\|": "grad_norm",
        },
    )
    after = progress[1].subs(g**2, squared)
    (excess, bound), signs = expressions("gd-linear-rate", LINEAR_RATE)
    assert signs == ("≤",)
    assert excess == sympy.Symbol("last") - lowest
    height = first
    for steps in range(4):
        assert sympy.simplify(bound.subs(t, steps) - (height - lowest)) == 0
        height = after.subs(sympy.Symbol("value"), height)
    assert bound.free_symbols == {first, lowest, mu, top, t}


@pytest.mark.equation("gd-strong")
def test_bowl_below_lies_below_and_touches_where_the_curvature_is_least():
    parabola, ravine, soft = smooth_functions()[:3]
    cases = [
        parabola,
        ravine,
        Smooth(
            lambda theta: theta.square().sum(-1) + soft.objective(theta),
            soft.smoothness + 2,
            3,
            pl=2.0,
        ),
    ]
    values = gather(lambda case: tangent_values(case, mu=case.pl), cases)
    assert_sharp_bound(evaluate("gd-strong", TANGENT, **values), values["distance"])


@pytest.mark.claim(
    cite="karimi2016linear",
    says=r"""$f(\theta) = \theta^2 + 3\sin^2\theta$ is not convex, and satisfies the
    Polyak–Łojasiewicz inequality with $\mu = 1/32$.""",
    conditions="""the least curvature, and the best $\\mu$, on a grid from -20 to 20; beyond, the
    slope alone is enough""",
    verdict="holds",
)
def test_ripples_are_not_convex_and_still_steep_enough(record):
    # Beyond 20 the slope is more than 2 theta - 3, and half its square more than the loss.
    theta = torch.linspace(-20, 20, 400_001, dtype=torch.float64)[:, None]
    value, grad = value_and_gradient(rippled, theta)
    away = value > 1e-9
    constant = (0.5 * grad[away, 0] ** 2 / value[away]).min()
    record((2 + 6 * (2 * theta).cos()).min(), at_most(-3.9))
    record(constant, at_least(1 / 32))
    assert constant == pytest.approx(0.175, rel=0.01)  # so there is room
    crossings = (grad[1:, 0] > 0) != (grad[:-1, 0] > 0)
    assert crossings.sum() == 1  # the minimum is the only place where the slope changes its sign


def bent_at_random(num_functions: int) -> tuple[Objective, float]:
    """Return convex functions of curvature 0 to 1 with their minimum, 0, at 0, and L = 1.

    The gradient at x is the integral of the curvature from 0 to x; 50 cells of random curvature
    make one function. Half of them have a parabola in the middle and arms that barely bend.
    """
    cells, width = 50, 1 / 50
    curvature = uniform(0, 1, num_functions, cells)
    edge = uniform(0, 0.5, num_functions, 1, seed=1)
    arms = (torch.arange(cells) * width < edge).double() + 0.01 * curvature
    curvature[::2] = arms[::2].clamp(max=1)
    slope = torch.nn.functional.pad(curvature.cumsum(-1) * width, (1, 0))
    height = (slope[:, :-1] * width + curvature * width**2 / 2).cumsum(-1)
    height = torch.nn.functional.pad(height, (1, 0))

    def objective(theta: Tensor) -> Tensor:
        distance = theta.abs()
        cell = (distance.detach() / width).long().clamp(max=cells - 1)
        inside = distance - cell * width
        parts = [part.gather(-1, cell) for part in (height, slope, curvature)]
        return (parts[0] + parts[1] * inside + parts[2] * inside**2 / 2).squeeze(-1)

    return objective, 1.0


@pytest.mark.claim(
    cite="drori2014performance",
    says=r"""With $\eta = 1/L$, $L R^2/(4t+2)$ is exactly the worst case over all convex $L$-smooth
    functions: it is reached, and never exceeded.""",
    conditions="""the excess loss as a share of it: on the chapter's own function, and the largest
    of 4000 random convex functions of one parameter, in 12 steps""",
    verdict="holds",
)
def test_no_convex_function_is_slower_than_the_straight_arms(record):
    reached = worst_case()
    limit = theory.gradient_descent_worst_case(reached["L"], reached["R"], reached["t"])
    record(reached["last"] / limit, 1.0, rel=1e-7)

    objective, smoothness = bent_at_random(4000)
    start = torch.ones(4000, 1, dtype=torch.float64)
    run = minimize(objective, start, GradientDescent, num_steps=12, lr=1 / smoothness)
    limit = theory.gradient_descent_worst_case(smoothness, 1.0, run.step)
    ratio = run.loss / limit[:, None]
    record(ratio.max(), at_most(1 + 1e-12))
    assert (ratio[1:].amax(-1) > 0.9).all()  # the search came close, so it would have seen more
    for case, run in runs_at_one_over_smoothness().items():
        if case.convex:
            distance = run.params[0].norm(dim=-1)
            limit = theory.gradient_descent_worst_case(case.smoothness, 1.0, run.step)
            assert (run.loss <= limit[:, None] * distance**2 * (1 + 1e-9) + ROUNDING).all()


@pytest.mark.claim(
    cite="nesterov2004introductory",
    says=r"""On an $L$-smooth and $\mu$-strongly convex function, each step with
    $\eta = 2/(L + \mu)$ multiplies the distance to the minimum by at most
    $(\kappa - 1)/(\kappa + 1)$.""",
    where="Theorem 2.1.15",
    conditions="three strongly convex functions of each convex one of the chapter, 20 steps",
    verdict="holds",
)
def test_best_rate_of_a_bowl_serves_strongly_convex_functions(record):
    worst = []
    for case in smooth_functions():
        for mu in (0.1, 1.0, 10.0):
            if not case.convex:
                continue
            smoothness = case.smoothness + mu
            run = minimize(
                lambda theta, case=case, mu=mu: (
                    case.objective(theta) + 0.5 * mu * theta.square().sum(-1)
                ),
                case.points()[:-1],
                GradientDescent,
                num_steps=20,
                lr=theory.gradient_descent_best_lr(smoothness, mu),
            )
            distance = run.params.norm(dim=-1)
            rate = theory.gradient_descent_best_rate(smoothness / mu)
            assert (distance[1:] <= rate * distance[:-1] * (1 + 1e-9) + ROUNDING).all()
            worst.append(float((distance[1] / distance[0]).max() / rate))
    record(max(worst), 1.0, rel=1e-3)  # the factor is reached


# Saddles and plateaus


@pytest.mark.equation("gd-escape")
def test_time_to_leave_a_saddle():
    curvature, lr, starts = -0.7, 0.3, torch.tensor([[1e-8], [-1e-5]], dtype=torch.float64)
    run = minimize(
        lambda theta: 0.5 * curvature * theta.square().sum(-1),
        starts,
        GradientDescent,
        num_steps=60,
        lr=lr,
    )
    reached = run.params.abs().squeeze(-1)
    equation = evaluate(
        "gd-escape",
        {r"c_0": "start", r"\lambda": "curvature"},
        t=run.step[1:, None],
        r=reached[1:],
        start=starts.squeeze(-1),
        eta=lr,
        curvature=curvature,
    )
    assert equation.equal()
    in_theory = theory.saddle_escape_steps(-curvature, lr, 1e-8, reached[60, 0].item())
    np.testing.assert_allclose(equation.right[-1, 0], in_theory)


# The edge of stability


def product_of_two(theta: Tensor) -> Tensor:
    a, b = theta.unbind(-1)
    return 0.5 * (a * b - 1) ** 2


@pytest.mark.equation("gd-valley")
def test_sharpness_along_the_valley():
    for a in (1.0, -1.0, 0.4, 3.0):
        top = torch.linalg.eigvalsh(hessian(product_of_two, torch.tensor([a, 1 / a])))[-1]
        equation = evaluate("gd-valley", {r"\lambda_{\max}": "top"}, top=top, a=a, b=1 / a)
        assert equation.equal(rtol=1e-5)


def test_descent_is_thrown_out_of_a_sharp_minimum_and_settles_in_a_flatter_one():
    lr = 0.2
    sharp = 2 / lr * torch.tensor([1.1, 1.5, 1.9], dtype=torch.float64)
    a = ((sharp + (sharp**2 - 4).sqrt()) / 2).sqrt()  # a^2 + 1/a^2 is as sharp as that
    start = torch.stack([a + 1e-3, 1 / a], -1)
    run = minimize(product_of_two, start, GradientDescent, num_steps=1500, lr=lr)
    assert (run.loss[-1] < 1e-15).all()
    assert (run.params[-1].square().sum(-1) < 2 / lr).all()


@pytest.mark.parametrize("lr", [0.1, 0.5, 0.95])
def test_a_start_more_than_twice_too_sharp_diverges(lr):
    for times, far in ((1.99, False), (2.01, True), (3.0, True)):
        for residual in (1e-3, -1e-3):
            start = torch.tensor([residual], dtype=torch.float64)
            run = two_weights(start, 2 / lr * torch.tensor([times]).double(), lr, 1000)
            assert bool(run.params.abs().max() > 1e6 or run.params.isnan().any()) == far


def swung(theta: Tensor) -> Tensor:
    """Return the value of a function of four parameters with a simple largest eigenvalue."""
    weight = normal(4, 4, seed=3)
    return ((theta @ weight).tanh() * theta.cos()).sum(-1) + 3 * (theta[..., 0] - 0.2).sin() ** 2


@pytest.mark.equation("gd-stabilize")
def test_a_swing_along_the_sharpest_axis_descends_on_the_sharpness():
    for here in normal(3, 4, seed=4):
        eigenvalues, axes = torch.linalg.eigh(hessian(swung, here))
        assert eigenvalues[-1] > eigenvalues[-2] + 0.1
        swing = 0.01 * axes[:, -1]
        h, basis = 1e-4, torch.eye(4, dtype=torch.float64)
        top = [
            [torch.linalg.eigvalsh(hessian(swung, here + s * h * each))[-1] for each in basis]
            for s in (1, -1)
        ]
        slope = (torch.stack(top[0]) - torch.stack(top[1])) / (2 * h)
        up, down, middle = (
            value_and_gradient(swung, point)[1] for point in (here + swing, here - swing, here)
        )
        equation = evaluate(
            "gd-stabilize",
            {
                r"\nabla f(\theta + r u)": "up",
                r"\nabla f(\theta - r u)": "down",
                r"\nabla f(\theta)": "middle",
                r"\nabla\lambda_{\max}": "slope",
            },
            up=up,
            down=down,
            middle=middle,
            slope=slope,
            r=0.01,
        )
        assert equation.signs == ("≈",)
        size = 0.5 * 0.01**2 * float(slope.norm())
        np.testing.assert_allclose(equation.left, equation.right, rtol=0, atol=0.02 * size)
        assert np.linalg.norm(equation.left - middle.numpy()) > 0.9 * size


def two_weights(residual: Tensor, trace: Tensor | float, lr: float, num_steps: int) -> Trace:
    """Run from a b = 1 + residual and a^2 + b^2 = trace."""
    total, apart = (trace + 2 * (1 + residual)).sqrt(), (trace - 2 * (1 + residual)).sqrt()
    start = torch.stack([(total + apart) / 2, (total - apart) / 2], -1)
    return minimize(product_of_two, start, GradientDescent, num_steps=num_steps, lr=lr)


@pytest.mark.equation("gd-throw")
def test_a_step_of_two_weights_changes_the_trace_as_printed():
    run = two_weights(uniform(-0.5, 0.5, 20), 7.0, 0.25, 5)
    residual, trace = run.params.prod(-1) - 1, run.params.square().sum(-1)
    assert evaluate(
        "gd-throw",
        {"S_{t+1}": "after", "S_t": "now", "D_t": "residual"},
        after=trace[1:],
        now=trace[:-1],
        residual=residual[:-1],
        eta=0.25,
    ).equal()


@pytest.mark.equation("gd-two-steps")
def test_a_swing_at_the_edge_lowers_the_trace_whichever_way_it_begins():
    for lr in (0.2, 0.4, 0.8):
        residual = torch.tensor([2e-4, -2e-4, 1e-4], dtype=torch.float64)
        run = two_weights(residual, 2 / lr, lr, 2)
        trace = run.params.square().sum(-1)
        equation = evaluate(
            "gd-two-steps",
            {"S_{t+2}": "after", "S_t": "now", "D_t": "residual"},
            after=trace[2],
            now=trace[0],
            residual=residual,
            eta=lr,
        )
        assert equation.signs == ("≈",)
        np.testing.assert_allclose(equation.left, equation.right, rtol=0.01)


@pytest.mark.claim(
    cite="damian2023selfstabilization",
    says=r"""Above $2/\eta$ the run diverges along the sharpest axis; the cubic term of the loss's
    expansion then lowers the sharpness until gradient descent is stable again.""",
    conditions=r"""two weights in a row, $\eta = 0.25$, 10, 40 and 80 % too sharp at the start: the
    widest swing over the first, the last sharpness over $2/\eta$, the last swing, and the factor of
    a step without the cubic term""",
    verdict="holds",
)
def test_the_swing_lowers_the_sharpness_until_it_is_stable(record):
    lr, too_sharp = 0.25, torch.tensor([1.1, 1.4, 1.8], dtype=torch.float64)
    run = two_weights(torch.full_like(too_sharp, 1e-4), 2 / lr * too_sharp, lr, 2000)
    swing, trace = (run.params.prod(-1) - 1).abs(), run.params.square().sum(-1)
    record(swing.amax(0) / swing[0], at_least(100))
    record(trace[-1] * lr / 2, at_most(0.999))
    record(swing[-1], 0.0, abs=1e-9)
    # Without the cubic term, on the quadratic at the minimum, it would swing ever wider.
    record(abs(1 - lr * trace[0]), at_least(1.1))


@pytest.mark.equation("gd-fades")
def test_trace_of_cross_entropys_hessian_in_the_logits():
    for scale in (0.1, 1.0, 5.0):
        logits = scale * normal(6)
        by_autograd = hessian(lambda z: z.logsumexp(-1) - z[2], logits)
        p = logits.softmax(-1)
        equation = evaluate(
            "gd-fades",
            {r"\sum_k p_k (1 - p_k)": "trace", r"\sum_k p_k^2": "squares"},
            trace=by_autograd.trace(),
            squares=p.square().sum(),
        )
        assert equation.equal()
        top = float(torch.linalg.eigvalsh(by_autograd)[-1])
        assert top <= equation.right + 1e-12
        assert equation.right <= 2 * (1 - float(p.max())) + 1e-12


@cache
def digits_run() -> dict[str, np.ndarray]:
    """Train a small network on full batches of digits, and measure its sharpness on the way."""
    raw = data.digits()
    input, target = raw.input[:500], one_hot(raw.target[:500], 10).float()
    model, lr = models.mlp([64, 48, 48, 48, 10], seed=0), 2 / 3
    optimizer = GradientDescent(model.parameters(), lr=lr)
    batches = itertools.repeat((input, target))
    trace = fit(model, mse_loss, batches, optimizer, num_steps=1200)
    measured = {}
    for step in (0, 1000, 1050, 1100, 1150, 1200):
        torch.nn.utils.vector_to_parameters(trace.params[step], model.parameters())
        measured[step] = sharpness(model, lambda: mse_loss(model(input), target))
    return {
        "first": np.array(measured.pop(0)),
        "late": np.array(list(measured.values())),
        "loss": trace.loss.numpy(),
        "lr": np.array(lr),
    }


@pytest.mark.equation("gd-edge")
def test_network_trains_at_the_edge_of_stability():
    run = digits_run()
    equation = evaluate("gd-edge", {r"\lambda_{\max}": "top"}, top=run["late"], eta=run["lr"])
    assert equation.signs == ("≈",)
    np.testing.assert_allclose(equation.left, equation.right, rtol=0.08)


@pytest.mark.claim(
    cite="cohen2021gradient",
    says=r"""Under full-batch gradient descent a network's sharpness rises from below to $2/\eta$,
    and then hovers at or just above it.""",
    conditions=r"""squared error, a tanh network on 500 digits, $2/\eta = 3$: the sharpness over
    $2/\eta$, first and on average later; not under cross-entropy, and not for a rate whose
    threshold is never reached""",
    verdict="holds under conditions",
)
def test_sharpness_rises_and_then_hovers_at_or_just_above_the_threshold(record):
    run = digits_run()
    threshold = 2 / run["lr"]
    record(run["first"] / threshold, at_most(0.5))
    record(run["late"].mean() / threshold, 1.05, abs=0.05)
    assert (run["late"] > 0.97 * threshold).all()
    assert (run["late"] < 1.1 * threshold).all()


@pytest.mark.claim(
    cite="cohen2021gradient",
    says="""At the edge of stability the loss rises and falls over short stretches, and still goes
    down over long ones.""",
    conditions=r"""squared error, a tanh network on 500 digits, $2/\eta = 3$: the share of steps
    that raise the loss, and the largest ratio of its means over 200 steps and the 200 before""",
    verdict="holds",
)
def test_loss_at_the_edge_falls_in_the_long_run_only(record):
    late = digits_run()["loss"][400:]
    rises = np.mean(np.diff(late) > 0)
    record(rises, 0.3, abs=0.2)
    means = late[:800].reshape(4, 200).mean(axis=1)
    record((means[1:] / means[:-1]).max(), at_most(0.99))


# The gradient, three ways


@cache
def regression() -> tuple[problems.Problem, np.ndarray, np.ndarray, Tensor]:
    """Return a least-squares problem, its X and y, and some weights."""
    input, target = normal(12, 3), normal(12, seed=1)
    return problems.least_squares(input, target), input.numpy(), target.numpy(), normal(3, seed=2)


@pytest.mark.equation("gd-ls-gradient")
def test_gradient_of_least_squares_by_hand_is_that_by_autograd():
    problem, x, y, w = regression()
    assert evaluate(
        "gd-ls-gradient",
        {r"\nabla f(w)": "grad", r"X^\top (X w - y)": "product"},
        grad=problem.gradient(w),
        product=x.T @ (x @ w.numpy() - y),
        N=len(x),
    ).equal()


@pytest.mark.equation("gd-ls-hessian")
def test_hessian_of_least_squares_by_hand_is_that_by_autograd():
    problem, x, _, w = regression()
    by_autograd = hessian(problem.objective, w).numpy()
    equation = evaluate(
        "gd-ls-hessian", {r"X^\top X": "product"}, H=by_autograd, product=x.T @ x, N=len(x)
    )
    assert equation.equal()
    np.testing.assert_array_equal(equation.left, by_autograd)


BOUNDS = {"M_0": "size", "M_2": "bend"}
CENTRAL_BOUNDS = {"M_0": "size", "M_3": "bend"}
FORWARD = {"f(x + h)": "up", "f(x)": "here", "f'(x)": "slope", **BOUNDS}
CENTRAL = {"f(x + h)": "up", "f(x - h)": "down", "f'(x)": "slope", **CENTRAL_BOUNDS}


def float32_exp(x: np.ndarray) -> np.ndarray:
    return np.exp(x.astype(np.float32)).astype(np.float64)


@pytest.mark.equation("gd-forward")
def test_forward_difference_errs_by_no_more_and_sometimes_by_as_much():
    h = 2.0 ** -np.arange(2, 22)
    x, bend, rounding, size = 0.3, 1.7, 1e-6, 2.5
    for sign in (1, -1):  # constant curvature, and rounding that pushes the same way
        worst = evaluate(
            "gd-forward",
            FORWARD,
            up=sign * (bend / 2 * (x + h) ** 2 + rounding * size),
            here=sign * (bend / 2 * x**2 - rounding * size),
            slope=sign * bend * x,
            bend=bend,
            varepsilon=rounding,
            size=size,
            h=h,
        )
        assert worst.holds(rtol=1e-7).all()
        assert worst.tight(rtol=1e-7).all()
    in_theory = theory.forward_difference_bound(torch.from_numpy(h), rounding, size, bend)
    np.testing.assert_allclose(worst.right, in_theory)
    real = evaluate(  # against the derivative in float64
        "gd-forward",
        FORWARD,
        up=float32_exp(1 + h),
        here=float32_exp(np.ones(1)),
        slope=math.e,
        bend=np.exp(1 + h),
        varepsilon=np.finfo(np.float32).eps,
        size=np.exp(1 + h),
        h=h,
    )
    assert real.holds(rtol=0).all()
    assert not real.tight(rtol=0.01).all()


@pytest.mark.equation("gd-central")
def test_central_difference_errs_by_no_more_and_sometimes_by_as_much():
    h = 2.0 ** -np.arange(2, 22)
    x, bend, rounding, size = 0.3, 1.7, 1e-6, 2.5
    for sign in (1, -1):  # a constant third derivative, and rounding that pushes the same way
        worst = evaluate(
            "gd-central",
            CENTRAL,
            up=sign * (bend / 6 * (x + h) ** 3 + rounding * size),
            down=sign * (bend / 6 * (x - h) ** 3 - rounding * size),
            slope=sign * bend / 2 * x**2,
            bend=bend,
            varepsilon=rounding,
            size=size,
            h=h,
        )
        assert worst.holds(rtol=1e-7).all()
        assert worst.tight(rtol=1e-7).all()
    in_theory = theory.central_difference_bound(torch.from_numpy(h), rounding, size, bend)
    np.testing.assert_allclose(worst.right, in_theory)
    real = evaluate(  # against the derivative in float64
        "gd-central",
        CENTRAL,
        up=float32_exp(1 + h),
        down=float32_exp(1 - h),
        slope=math.e,
        bend=np.exp(1 + h),
        varepsilon=np.finfo(np.float32).eps,
        size=np.exp(1 + h),
        h=h,
    )
    assert real.holds(rtol=0).all()
    assert not real.tight(rtol=0.01).all()


def least(label: str, fragments: dict[str, str], **values: float) -> tuple[float, float]:
    """Search the h for which the printed bound is least; return it and the bound there."""
    h = np.logspace(-10, 0, 200_001)
    nothing = dict.fromkeys({"up", "here", "down", "slope"} & set(fragments.values()), 0.0)
    bound = evaluate(label, fragments, **nothing, **values, h=h).right
    return h[bound.argmin()], bound.min()


BEST_STEPS = ((1e-16, 1.0, 1.0), (1e-7, 2.0, 5.0), (1e-10, 3.0, 0.1))


@pytest.mark.equation("gd-forward-best")
def test_best_forward_step_is_where_the_bound_is_least():
    for rounding, size, bend in BEST_STEPS:
        values = {"varepsilon": rounding, "size": size, "bend": bend}
        h, _ = least("gd-forward", FORWARD, **values)
        equation = evaluate("gd-forward-best", {r"h^\star": "best", **BOUNDS}, best=h, **values)
        assert equation.equal(rtol=2e-4)
        in_theory = theory.forward_difference_best(rounding, size, bend)
        np.testing.assert_allclose(equation.right, in_theory)


@pytest.mark.equation("gd-central-best")
def test_best_central_step_is_where_the_bound_is_least():
    for rounding, size, bend in BEST_STEPS:
        values = {"varepsilon": rounding, "size": size, "bend": bend}
        h, _ = least("gd-central", CENTRAL, **values)
        equation = evaluate(
            "gd-central-best", {r"h^\star": "best", **CENTRAL_BOUNDS}, best=h, **values
        )
        assert equation.equal(rtol=2e-4)
        in_theory = theory.central_difference_best(rounding, size, bend)
        np.testing.assert_allclose(equation.right, in_theory)


def check_least(label: str, of: str, fragments: dict[str, str], bounds: dict[str, str]) -> None:
    for rounding, size, bend in BEST_STEPS:
        values = {"varepsilon": rounding, "size": size, "bend": bend}
        h, error = least(of, fragments, **values)
        equation = evaluate(label, {r"{h^\star}": "best", **bounds}, best=h, **values)
        assert equation.equal(rtol=1e-6)
        np.testing.assert_allclose(equation.right, error, rtol=1e-6)


@pytest.mark.equation("gd-forward-least")
def test_least_bound_on_a_forward_difference():
    check_least("gd-forward-least", "gd-forward", FORWARD, BOUNDS)


@pytest.mark.equation("gd-central-least")
def test_least_bound_on_a_central_difference():
    check_least("gd-central-least", "gd-central", CENTRAL, CENTRAL_BOUNDS)


# A real regression


@pytest.mark.equation("gd-normal")
def test_normal_equations_give_the_minimizer():
    for problem, x, y in (
        regression()[:3],
        (problems.least_squares(*data.diabetes()), *(part.numpy() for part in data.diabetes())),
    ):
        equation = evaluate(
            "gd-normal",
            {r"X^\top X w^\star": "left", r"X^\top y": "right"},
            left=x.T @ (x @ problem.minimizer.numpy()),
            right=x.T @ y,
        )
        assert equation.equal(rtol=1e-8)


# Can any method do better?


def searched(objective: Objective, theta: Tensor, direction: Tensor, most: float) -> float:
    """Search the rate after which the loss is least."""
    found = minimize_scalar(
        lambda lr: float(objective(theta - lr * direction)),
        bounds=(0.0, most),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return found.x


@pytest.mark.equation("gd-exact")
def test_exact_line_search_on_a_bowl():
    matrix = turned([0.3, 1.0, 4.0])
    for theta in normal(5, 3):
        grad = problems.value_and_gradient(bowl(matrix), theta)[1]
        equation = evaluate(
            "gd-exact",
            {r"\eta_t": "lr", r"g_t^\top g_t": "square", r"g_t^\top H g_t": "bend"},
            lr=searched(bowl(matrix), theta, grad, 10.0),
            square=grad @ grad,
            bend=grad @ matrix @ grad,
        )
        assert equation.equal(rtol=1e-6)


@pytest.mark.claim(
    cite="deklerk2017worst",
    says=r"""On every $L$-smooth and $\mu$-strongly convex function an exact line search lowers the
    excess loss by the factor $\left(\frac{\kappa - 1}{\kappa + 1}\right)^2$ a step or more, and a
    quadratic shows that there is no better bound.""",
    conditions="""strongly convex functions of one to three parameters: the largest factor of a
    step, over the bound; and ravines with $\\kappa = 3$ and $100$: the mean factor of 20 steps""",
    verdict="holds",
)
def test_exact_line_search_is_no_faster_than_the_best_constant_rate(record):
    ratios = []
    for case in smooth_functions():
        for mu in (0.1, 1.0):
            if not case.convex:
                continue

            def objective(theta: Tensor, case: Smooth = case, mu: float = mu) -> Tensor:
                return case.objective(theta) + 0.5 * mu * theta.square().sum(-1)

            rate = theory.gradient_descent_best_rate((case.smoothness + mu) / mu)
            for theta in case.points()[:-1:3]:
                before, grad = value_and_gradient(objective, theta)
                lr = searched(objective, theta, grad, 1.01 / mu)
                ratios.append(float(objective(theta - lr * grad) / before) / rate**2)
    record(max(ratios), at_most(1 + 1e-6))
    for kappa in (3.0, 100.0):
        problem = problems.ravine(kappa)
        theta, rate = torch.tensor([kappa, 1.0]).double(), theory.gradient_descent_best_rate(kappa)
        losses = [problem.objective(theta)]
        for _ in range(20):
            grad = problem.gradient(theta)
            theta = theta - searched(problem.objective, theta, grad, 2.0) * grad
            losses.append(problem.objective(theta))
        record((losses[20] / losses[0]) ** (1 / 20), rate**2, rel=1e-4)


@pytest.mark.equation("gd-backtrack")
def test_backtracking_ends_before_the_rate_is_too_small():
    rows = []
    for case in smooth_functions():
        for first in (0.01 / case.smoothness, 0.9 / case.smoothness, 1.001 / case.smoothness, 8.0):
            for theta in case.points()[:-1]:
                value, grad = value_and_gradient(case.objective, theta)
                lr, promise = first, 0.5 * grad @ grad
                while case.objective(theta - lr * grad) > value - lr * promise + 1e-15:
                    lr /= 2
                rows.append((lr, first, case.smoothness))
    lr, first, smoothness = np.array(rows).T
    equation = evaluate(
        "gd-backtrack", {r"\eta_0": "first", r"\eta": "lr"}, lr=lr, first=first, L=smoothness
    )
    assert equation.holds().all()
    halved = lr < first
    assert equation.tight(rtol=2e-3)[halved].any()
    assert equation.tight(rtol=1e-9)[~halved].any()
    assert not equation.tight(rtol=2e-3).all()


def polynomial_rate(lrs: Tensor, smallest: float, largest: float) -> float:
    """Measure the most that steps with these rates leave, on a fine grid of curvatures."""
    curvature = torch.linspace(smallest, largest, 100_001, dtype=torch.float64)
    left = torch.ones_like(curvature)
    for lr in lrs:
        left, _ = gradient_descent(left, curvature * left, {}, lr=lr)
    return float(left.abs().max())


def hardest(smallest: float, largest: float, num_steps: int) -> tuple[Tensor, Tensor]:
    """Return the curvatures and the start, at distance 1, that the proof of optimality builds."""
    angle = torch.arange(num_steps + 1).double() * math.pi / num_steps
    curvature = (largest + smallest) / 2 + (largest - smallest) / 2 * angle.cos()
    others = curvature.expand(num_steps + 1, -1)
    factors = torch.where(torch.eye(num_steps + 1).bool(), 1.0, others / (others - others.T))
    weights = factors.prod(-1).abs()
    return curvature, (weights / weights.sum()).sqrt()


def least_by_gradients(curvature: Tensor, start: Tensor, num_steps: int) -> float:
    """Return the least distance that a combination of the first gradients leaves."""
    spanned = torch.zeros(len(start), 0, dtype=torch.float64)
    vector = start
    for _ in range(num_steps):
        vector = curvature * vector
        for _ in range(2):
            vector = vector - spanned @ (spanned.T @ vector)
        vector = vector / vector.norm()
        spanned = torch.cat([spanned, vector[:, None]], -1)
    return float((start - spanned @ (spanned.T @ start)).norm())


def test_two_rates_of_the_example_leave_what_the_page_says():
    text = (ROOT / "book/gradient_descent_rates.md").read_text("utf-8")
    lrs = theory.chebyshev_lrs(9.0, 1.0, 2).sort().values.tolist()
    assert r"(1 - {:.4f}\lambda)(1 - {:.4f}\lambda)".format(*lrs) in text
    assert lrs[1] > 2 * theory.gradient_descent_max_lr(9.0)
    assert f"{polynomial_rate(torch.tensor(lrs), 1.0, 9.0):.2f}" == "0.47"
    printed = [round(lr, 4) for lr in lrs]
    for curvature, left in ((1.0, 0.47), (9.0, 0.47), (5.0, -0.47)):
        found = math.prod(1 - lr * curvature for lr in printed)
        assert round(found, 2) == left


@pytest.mark.equation("gd-root")
def test_long_run_factor_of_the_best_rates():
    for kappa in (4.0, 9.0, 30.0):
        fractions = [
            polynomial_rate(theory.chebyshev_lrs(kappa, 1.0, num), 1.0, kappa) for num in (32, 64)
        ]
        measured = (fractions[1] / fractions[0]) ** (1 / 32)
        for rate in (measured, theory.accelerated_rate(kappa)):
            assert evaluate("gd-root", rho=rate, kappa=kappa).equal(rtol=1e-5)


@pytest.mark.equation("gd-chebyshev-lr")
def test_best_rates_are_those_that_a_linear_program_finds():
    largest, smallest, num_steps = 12.0, 1.5, 4
    grid = np.linspace(smallest, largest, 4001)
    powers = (grid[:, None] / largest) ** np.arange(1, num_steps + 1)
    bound = np.ones((len(grid), 1))
    found = linprog(  # the least m with |1 + a polynomial without constant term| <= m
        [0.0] * num_steps + [1.0],
        A_ub=np.block([[powers, -bound], [-powers, -bound]]),
        b_ub=np.concatenate([-np.ones(len(grid)), np.ones(len(grid))]),
        bounds=[(None, None)] * num_steps + [(0, None)],
    )
    roots = np.roots([*found.x[num_steps - 1 :: -1], 1.0]).real * largest
    in_theory = theory.chebyshev_lrs(largest, smallest, num_steps).sort().values
    for lrs, rtol in ((np.sort(1 / roots), 1e-3), (in_theory, 1e-9)):
        assert evaluate(
            "gd-chebyshev-lr",
            {r"\eta_t": "lr"},
            lr=lrs,
            t=np.arange(num_steps),
            T=num_steps,
            L=largest,
            mu=smallest,
            pi=math.pi,
        ).equal(rtol=rtol)


CHEBYSHEV = {
    r"\|\theta_T - \theta^\star\|": "last",
    r"\|\theta_0 - \theta^\star\|": "first",
}


@pytest.mark.equation("gd-chebyshev")
def test_best_rates_leave_what_is_printed_and_no_combination_of_gradients_less():
    rows = []
    for kappa, num_steps in ((9.0, 1), (9.0, 2), (9.0, 8), (100.0, 16), (100.0, 64)):
        rho, lrs = theory.accelerated_rate(kappa), theory.chebyshev_lrs(kappa, 1.0, num_steps)
        curvature, start = hardest(1.0, kappa, num_steps)
        least_possible = least_by_gradients(curvature, start, num_steps)
        rows.append((least_possible, 1.0, rho, num_steps, True))
        for begin, scale in ((start, 3.0), (normal(num_steps + 1, seed=num_steps), 1.0)):
            theta = scale * begin
            for lr in lrs:
                theta, _ = gradient_descent(theta, curvature * theta, {}, lr=lr)
            rows.append((theta.norm(), scale * begin.norm(), rho, num_steps, True))
        inside = torch.linspace(1.0, kappa, 30).double()
        theta = torch.ones(30, dtype=torch.float64)
        for lr in lrs:
            theta, _ = gradient_descent(theta, inside * theta, {}, lr=lr)
        rows.append((theta.norm(), 30**0.5, rho, num_steps, False))
        np.testing.assert_allclose(
            least_possible, theory.best_polynomial_rate(kappa, num_steps), rtol=1e-6
        )
    last, first, rho, num_steps, reached = np.array(rows, dtype=float).T
    equation = evaluate("gd-chebyshev", CHEBYSHEV, last=last, first=first, rho=rho, T=num_steps)
    assert equation.holds(rtol=1e-6).all()
    # Where the polynomial is 1 or -1 times its largest value, at all curvatures of the hardest
    # bowl, it is reached from every start.
    np.testing.assert_array_equal(equation.tight(rtol=1e-6), reached)


@pytest.mark.equation("gd-steps-root")
def test_gradients_needed_grow_like_the_root_of_the_condition_number():
    for kappa, num_steps in ((100.0, 64), (100.0, 16), (400.0, 128), (900.0, 64)):
        left = polynomial_rate(theory.chebyshev_lrs(kappa, 1.0, num_steps), 1.0, kappa)
        equation = evaluate("gd-steps-root", s=left, kappa=kappa, T=num_steps)
        assert equation.signs == ("≈",)
        np.testing.assert_allclose(equation.left, equation.right, rtol=0.01)


@pytest.mark.claim(
    cite="nesterov2004introductory",
    says=r"""Over all $L$-smooth and $\mu$-strongly convex functions, no method that adds up
    multiples of gradients can promise a distance below
    $\left(\frac{\sqrt\kappa - 1}{\sqrt\kappa + 1}\right)^t$ times the first.""",
    conditions=r"""on a bowl built for each number of gradients, the best combination of them: its
    distance over that bound, and against the polynomial that is best; $\kappa = 9$, $100$ and
    $1000$""",
    verdict="holds",
)
def test_no_combination_of_gradients_beats_the_root_of_the_condition_number(record):
    for kappa, num_steps in ((9.0, 10), (100.0, 30), (100.0, 60), (1000.0, 100)):
        possible = least_by_gradients(*hardest(1.0, kappa, num_steps), num_steps)
        record(possible / theory.accelerated_rate(kappa) ** num_steps, at_least(1))
        record(possible, theory.best_polynomial_rate(kappa, num_steps), rel=1e-5)


def test_as_many_gradients_as_parameters_are_enough():
    curvature, start = torch.tensor([0.5, 1.0, 3.0, 7.0, 20.0]).double(), normal(5)
    assert least_by_gradients(curvature, start, 5) < 1e-9 < least_by_gradients(curvature, start, 4)


@pytest.mark.equation("gd-newton")
def test_newton_reaches_the_minimum_of_a_bowl_from_anywhere():
    matrix, minimizer = turned([0.01, 1.0, 50.0]), normal(3, seed=1)
    before = normal(6, 3, seed=2)
    grad = value_and_gradient(lambda theta: bowl(matrix)(theta - minimizer), before)[1]
    assert evaluate(
        "gd-newton",
        {
            r"\theta_{t+1}": "after",
            r"\theta_t": "before",
            r"H^{-1} \nabla f(\theta_t)": "solved",
        },
        after=minimizer.expand(6, 3),
        before=before,
        solved=torch.linalg.solve(matrix, grad.T).T,
    ).equal(rtol=1e-8)


def test_newton_does_not_depend_on_the_units_and_gradient_descent_does():
    objective, units = problems.rosenbrock().objective, torch.tensor([[2.0, 1.0], [0.0, 30.0]])
    units, theta = units.double(), torch.tensor([0.3, -0.2]).double()

    def step(objective: Objective, theta: Tensor) -> tuple[Tensor, Tensor]:
        grad = value_and_gradient(objective, theta)[1]
        return torch.linalg.solve(hessian(objective, theta), grad), grad

    newton, grad = step(objective, theta)
    phi = torch.linalg.solve(units, theta)
    newton_in_units, grad_in_units = step(lambda phi: objective(units @ phi), phi)
    torch.testing.assert_close(units @ newton_in_units, newton)
    torch.testing.assert_close(units @ grad_in_units, units @ units.T @ grad)
