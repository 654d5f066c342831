"""The chapter on RMSprop: each printed equation against what it is about.

Every test reads the formula from the page, see :mod:`printed`. The rules are judged by PyTorch's
own optimizers, which are fed gradients one by one; closed forms by runs, searches and sums.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import torch
from draws import normal
from printed import Printed, evaluate, expressions
from scipy.optimize import brentq, minimize as search, minimize_scalar
from sympy import Symbol, lambdify
from torch import Tensor
from torch.autograd.functional import hessian, jacobian

from descent.chapters.rmsprop import theory
from descent.optim import OPTIMIZERS
from descent.press.claims import at_most
from descent.tasks import problems
from descent.tasks.problems import value_and_gradient
from descent.training import minimize

STEP = {r"\theta_{t+1}": "after", r"\theta_t": "before", "g_t": "grad"}
LENGTH = {r"|\theta_t - \theta_{t-1}|": "length"}


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@dataclass(frozen=True)
class Run:
    """A run of an optimizer: row ``t`` holds what it was after ``t`` steps.

    Args:
        path: the parameters, shape ``(steps + 1, dim)``.
        states: what the optimizer remembers, name to shape ``(steps + 1, dim)``.
    """

    path: Tensor
    states: dict[str, Tensor]

    @property
    def lengths(self) -> Tensor:
        """The sizes of the steps, shape ``(steps, dim)``."""
        return self.path.diff(dim=0).abs()


def fed(optimizer: type[torch.optim.Optimizer], gradients: Tensor, **options: object) -> Run:
    """Feed an optimizer gradients, whatever its parameters are; they start at 0."""
    theta = torch.zeros_like(gradients[0]).requires_grad_()
    stepper = optimizer([theta], **options)
    path, states = [theta.detach().clone()], []
    for grad in gradients:
        theta.grad = grad.clone()
        stepper.step()
        path.append(theta.detach().clone())
        kept = stepper.state[theta].items()
        states.append({name: value.clone() for name, value in kept if name != "step"})
    rows = {
        name: torch.stack([torch.zeros_like(theta), *(row[name] for row in states)]).detach()
        for name in states[0]
    }
    return Run(torch.stack(path), rows)


def both(name: str) -> tuple[type[torch.optim.Optimizer], type[torch.optim.Optimizer]]:
    """Return PyTorch's optimizer of that name, and the package's."""
    return getattr(torch.optim, name), OPTIMIZERS[name]


# A rate for every parameter


@cache
def two_units() -> dict[str, Tensor]:
    """Run gradient descent in other units, and say what it is in the parameters' own."""
    turned = problems.quadratic([0.5, 3.0, 1.0], angle=0.4)
    scale = column(0.3, 2.0, 5.0)

    def objective(stretched: Tensor) -> Tensor:
        return turned.objective(stretched / scale.sqrt())

    run = minimize(objective, normal(3), OPTIMIZERS["gradient descent"], num_steps=6, lr=0.1)
    theta = run.params / scale.sqrt()
    eye = torch.eye(3, dtype=torch.float64)
    hessians = [
        torch.stack([value_and_gradient(function, row)[1] for row in eye])
        for function in (turned.objective, objective)
    ]
    return {
        "path": theta,
        "grad": turned.gradient(theta),
        "scale": scale,
        "own": hessians[0],
        "other": hessians[1],
    }


@pytest.mark.equation("rms-preconditioned")
def test_descent_in_other_units_is_a_rate_for_every_parameter():
    found = two_units()
    assert evaluate(
        "rms-preconditioned",
        {
            r"\theta_{t+1}": "after",
            r"\theta_t": "before",
            r"D^{-1} \nabla f(\theta_t)": "scaled",
        },
        after=found["path"][1:],
        before=found["path"][:-1],
        scaled=found["grad"][:-1] / found["scale"],
        eta=0.1,
    ).equal()


@pytest.mark.equation("rms-hessian")
def test_hessian_in_other_units():
    found = two_units()
    assert evaluate(
        "rms-hessian",
        {r"\tilde H_{ij}": "other", "H_{ij}": "own", "d_i": "first", "d_j": "second"},
        other=found["other"],
        own=found["own"],
        first=found["scale"][:, None],
        second=found["scale"],
    ).equal()


@pytest.mark.equation("rms-diagonal-kappa")
def test_condition_number_that_a_diagonal_leaves_of_a_diagonal_bowl():
    for seed in range(3):
        curvatures, scale = normal(4, seed=seed).exp(), normal(4, seed=seed + 10).exp()
        other = torch.diag(curvatures) / (scale[:, None] * scale).sqrt()
        ratios = curvatures / scale
        assert evaluate(
            "rms-diagonal-kappa",
            {
                r"\tilde\kappa": "kappa",
                r"\max_i(\lambda_i/d_i)": "largest",
                r"\min_i(\lambda_i/d_i)": "smallest",
            },
            kappa=torch.linalg.cond(other),
            largest=ratios.max(),
            smallest=ratios.min(),
        ).equal()


@pytest.mark.equation("rms-sign")
def test_without_memory_rmsprop_is_sign_descent():
    gradients = normal(6, 4)
    for optimizer in both("RMSprop"):
        run = fed(optimizer, gradients, lr=0.3, alpha=0.0, eps=0.0)
        assert evaluate(
            "rms-sign",
            {r"\theta_{t+1,i}": "after", r"\theta_{t,i}": "before", "g_{t,i}": "grad"},
            after=run.path[1:],
            before=run.path[:-1],
            grad=gradients,
            eta=0.3,
        ).equal()


# AdaGrad


@pytest.mark.equation("rms-adagrad-sum")
def test_adagrad_adds_up_squares():
    gradients = normal(6, 4)
    for optimizer in both("Adagrad"):
        total = fed(optimizer, gradients).states["sum"]
        assert evaluate(
            "rms-adagrad-sum",
            {"s_{t+1}": "after", "s_t": "before", "g_t": "grad"},
            after=total[1:],
            before=total[:-1],
            grad=gradients,
        ).equal()


@pytest.mark.equation("rms-adagrad")
def test_adagrad_divides_by_the_root_of_the_sum():
    gradients = normal(6, 4)
    for optimizer in both("Adagrad"):
        run = fed(optimizer, gradients, lr=0.3, eps=0.2)
        assert evaluate(
            "rms-adagrad",
            STEP | {"s_{t+1}": "total"},
            after=run.path[1:],
            before=run.path[:-1],
            grad=gradients,
            total=run.states["sum"][1:],
            eta=0.3,
            epsilon=0.2,
        ).equal()


@pytest.mark.equation("rms-adagrad-bowl")
def test_curvature_does_not_occur_in_a_run_of_adagrad_along_the_axes():
    problem = problems.quadratic([1.0, 1e4, 0.02])
    start = column(1.0, 1.0, -2.0)
    for eta in (0.2, 1.5):
        theta = start.clone().requires_grad_()
        stepper = torch.optim.Adagrad([theta], lr=eta, eps=0.0)
        path = [start]
        for _ in range(8):
            theta.grad = problem.gradient(theta)
            stepper.step()
            path.append(theta.detach().clone())
        path = torch.stack(path)
        assert evaluate(
            "rms-adagrad-bowl",
            {
                r"\theta_{t+1,i}": "after",
                r"\theta_{t,i}": "before",
                r"\sum_{k \le t} \theta_{k,i}^2": "squares",
            },
            after=path[1:],
            before=path[:-1],
            squares=path[:-1].square().cumsum(0),
            eta=eta,
        ).equal()


@pytest.mark.equation("rms-adagrad-decay")
def test_steps_of_adagrad_on_a_constant_gradient():
    gradients = column(1e-3, 0.7, 40.0).expand(30, 3)
    run = fed(torch.optim.Adagrad, gradients, lr=0.3, eps=0.0)
    t = torch.arange(1, 31)[:, None]
    for lengths in (run.lengths, theory.adagrad_step(0.3, t).expand(30, 3)):
        assert evaluate("rms-adagrad-decay", LENGTH, length=lengths, t=t, eta=0.3).equal()


@pytest.mark.equation("rms-adagrad-distance")
def test_distance_that_adagrad_walks_lies_between_two_roots():
    t = np.arange(100_001)
    walked = np.concatenate([[0.0], np.cumsum(0.3 / np.sqrt(t[1:]))])
    equation = evaluate(
        "rms-adagrad-distance",
        {r"\sum_{k=1}^{t} \frac{\eta}{\sqrt{k}}": "walked"},
        walked=walked,
        t=t,
        eta=0.3,
    )
    assert equation.holds(atol=1e-12).all()
    assert equation.signs == ("≤", "≤")
    assert equation.tight()[0]  # no step, no distance
    # Both gaps tend to a constant; zeta(1/2) is -1.4603545.
    np.testing.assert_allclose((walked - equation.left)[-1] / 0.3, 2 - 1.4603545, atol=5e-3)
    np.testing.assert_allclose((equation.right - walked)[-1] / 0.3, 1.4603545, atol=5e-3)
    np.testing.assert_allclose(equation.right[1:], theory.adagrad_distance(0.3, column(*t[1:])))


def sum_of_quotients(gradients: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the lemma bounds, and the sum of squares it is bounded by."""
    totals = gradients.square().cumsum(0)
    return (gradients.square() / totals.sqrt()).sum(0), totals[-1]


def lemma(quotients: Tensor, total: Tensor) -> Printed:
    return evaluate(
        "rms-lemma",
        {r"\sum_{t=0}^{T-1} \frac{g_t^2}{\sqrt{s_{t+1}}}": "quotients", "s_T": "total"},
        quotients=quotients,
        total=total,
    )


@pytest.mark.equation("rms-lemma")
def test_lemma_holds_and_cannot_be_improved():
    quotients, totals = sum_of_quotients(normal(50, 200))
    nothing = torch.zeros(1, dtype=torch.float64)
    equation = lemma(torch.cat([quotients, nothing]), torch.cat([totals, nothing]))
    assert equation.holds().all()
    assert equation.signs == ("≤",)
    assert not equation.tight()[:-1].any()
    assert equation.tight()[-1]
    equation = lemma(*sum_of_quotients(torch.full((1_000_000,), 0.4, dtype=torch.float64)))
    np.testing.assert_allclose(equation.left, equation.right, rtol=1e-3)


def regret(gradients: Tensor, comparator: Tensor, lr: float) -> tuple[Tensor, Tensor, Tensor]:
    """Run AdaGrad on linear losses; return regret, diameter and sums of squares."""
    path = fed(torch.optim.Adagrad, gradients, lr=lr, eps=0.0).path
    away = path - comparator
    total = (gradients * away[:-1]).sum((0, -1))
    return total, away.abs().amax((0, -1)), gradients.square().sum(0)


def regret_bound(suffered: Tensor, diameter: Tensor, squares: Tensor, lr: float) -> Printed:
    return evaluate(
        "rms-regret",
        {"R_T": "suffered", r"\sum_i \sqrt{s_{T,i}}": "roots"},
        suffered=suffered,
        roots=squares.sqrt().sum(-1),
        Delta=diameter,
        eta=lr,
    )


@pytest.mark.equation("rms-regret")
def test_regret_of_adagrad():
    gradients, comparator = normal(30, 100, 3), 2 * normal(100, 3, seed=1)
    gradients[:, 50:] = gradients[:, 50:].abs() * -comparator[50:].sign()
    for lr in (0.2, 1.0):
        suffered, diameter, squares = regret(gradients, comparator, lr)
        equation = regret_bound(suffered, diameter, squares, lr)
        assert equation.holds().all()
        # The proof bounds two sums, each by its largest value.
        first = diameter**2 / (2 * lr) * squares.sqrt().sum(-1)
        second = lr / 2 * lemma(torch.zeros_like(squares), squares).right.sum(-1)
        in_theory = theory.adagrad_regret_bound(lr, diameter, squares)
        for expected in (in_theory, first + torch.from_numpy(second)):
            np.testing.assert_allclose(equation.right, expected)
        # One step, from as far as hurts most, suffers more than half of the bound.
        lone = regret(torch.full((1, 1, 1), 3.0).double(), column(-math.sqrt(2) * lr), lr)
        assert regret_bound(*lone, lr).holds().all()
        assert regret_bound(*(torch.zeros_like(value) for value in lone), lr).holds().all()


def fixed(suffered: Tensor, diameter: Tensor, squares: Tensor, scale: Tensor, lr: float) -> Printed:
    return evaluate(
        "rms-fixed",
        {"R_T": "suffered", r"\sum_i": "", "d_i": "scale", "s_{T,i}": "squares"},
        suffered=suffered,
        Delta=diameter,
        squares=squares,
        scale=scale,
        eta=lr,
    )


@pytest.mark.equation("rms-fixed")
def test_regret_of_a_fixed_preconditioner():
    gradients, lr = normal(30, 200), 0.3
    comparator, scale = 2 * normal(200, seed=1), normal(200, seed=2).exp()
    # Some take one step, from the farthest place onto the comparator.
    gradients[1:, ::4] = 0
    comparator[::4] = -lr * gradients[0, ::4] / scale[::4]
    steps = torch.cat([torch.zeros(1, 200, dtype=torch.float64), -lr * gradients / scale])
    away = steps.cumsum(0) - comparator
    suffered = (gradients * away[:-1]).sum(0)
    equation = fixed(suffered, away.abs().amax(0), gradients.square().sum(0), scale, lr)
    assert equation.signs == ("≤",)
    assert equation.holds().all()
    assert equation.tight()[::4].all()
    assert not equation.tight()[1::4].any()


@pytest.mark.claim(
    cite="duchi2011adaptive",
    says=r"""The regret that AdaGrad promises is, up to a constant, that of the best diagonal
    preconditioner chosen in hindsight.""",
    conditions=r"""The bounds of this book, where the constant is $\sqrt2$; the same gradients in
    both bounds, and a known diameter.""",
)
def test_adagrad_is_nearly_as_good_as_the_best_diagonal_in_hindsight(record):
    squares, diameter = normal(6).exp(), 1.7

    def promised(log_scale: float, square: Tensor) -> float:
        scale = torch.tensor(math.exp(log_scale), dtype=torch.float64)
        return float(fixed(torch.zeros(1), diameter, square, scale, lr=1.0).right[0])

    best = sum(
        minimize_scalar(promised, bounds=(-9, 9), args=(square,), method="bounded").fun
        for square in squares
    )
    rates = np.linspace(0.1, 5, 500)
    bounds = [float(theory.adagrad_regret_bound(lr, diameter, squares)) for lr in rates]
    record(min(bounds) / best, math.sqrt(2), rel=1e-4)
    np.testing.assert_allclose(rates[np.argmin(bounds)], diameter / math.sqrt(2), atol=0.01)


# Rare features


@pytest.mark.equation("rms-rare")
def test_frequencies_are_the_curvatures():
    frequency = torch.softmax(normal(5), 0)
    weights, best = normal(7, 5, seed=1), normal(5, seed=2)
    features = torch.eye(5, dtype=torch.float64)  # one sample for each feature
    errors = weights @ features.T - features @ best
    equation = evaluate(
        "rms-rare",
        {r"\sum_i": "", "f(w)": "loss", "p_i": "p", "w_i": "w", r"w_i^\star": "best"},
        loss=(0.5 * errors**2 @ frequency)[:, None],
        p=frequency,
        w=weights,
        best=best,
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[:, 0], equation.right.sum(-1))


@pytest.mark.equation("rms-adagrad-burst")
def test_adagrad_does_not_recover_from_a_burst():
    bursts = column(0.5, 3.0, 1000.0)
    gradients = 0.2 * torch.cat([bursts[None], torch.ones(60, 3, dtype=torch.float64)])
    lengths = fed(torch.optim.Adagrad, gradients, lr=0.3, eps=0.0).lengths[1:]
    t = torch.arange(1, 61)[:, None]
    for measured in (lengths, theory.adagrad_step(0.3, t, bursts)):
        assert evaluate(
            "rms-adagrad-burst", LENGTH, length=measured, t=t, r=bursts, eta=0.3
        ).equal()


# RMSprop


@pytest.mark.equation("rms-average")
def test_rmsprop_averages_squares():
    gradients = normal(6, 4)
    for optimizer in both("RMSprop"):
        square_avg = fed(optimizer, gradients, alpha=0.7).states["square_avg"]
        assert evaluate(
            "rms-average",
            {"v_{t+1}": "after", "v_t": "before", "g_t": "grad"},
            after=square_avg[1:],
            before=square_avg[:-1],
            grad=gradients,
            alpha=0.7,
        ).equal()


@pytest.mark.equation("rms-update")
def test_rmsprop_divides_by_the_root_of_the_average():
    gradients = normal(6, 4)
    for optimizer in both("RMSprop"):
        run = fed(optimizer, gradients, lr=0.3, alpha=0.7, eps=0.2)
        assert evaluate(
            "rms-update",
            STEP | {"v_{t+1}": "average"},
            after=run.path[1:],
            before=run.path[:-1],
            grad=gradients,
            average=run.states["square_avg"][1:],
            eta=0.3,
            epsilon=0.2,
        ).equal()


@pytest.mark.equation("rms-weights")
def test_average_is_a_sum_with_fading_weights():
    gradients = normal(12, 1)
    averages = fed(torch.optim.RMSprop, gradients, alpha=0.7).states["square_avg"]
    for t in (1, 2, 7, 12):
        equation = evaluate(
            "rms-weights",
            {r"\sum_{k=0}^{t-1}": "", "v_t": "average", "g_k": "grad"},
            average=averages[t],
            grad=gradients[:t, 0],
            k=torch.arange(t),
            t=t,
            alpha=0.7,
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left[0], equation.right.sum())


@pytest.mark.equation("rms-half-life")
def test_half_life_is_when_an_old_square_counts_half():
    for alpha in (0.5, 0.9, 0.99):
        searched = brentq(lambda steps, alpha=alpha: alpha**steps - 0.5, 0, 1000)
        for half_life in (searched, theory.rmsprop_half_life(alpha)):
            assert evaluate("rms-half-life", h=half_life, alpha=alpha).equal()


@pytest.mark.equation("rms-weight-sum")
def test_weights_do_not_add_up_to_one():
    for t in (1, 2, 7, 12):
        equation = evaluate(
            "rms-weight-sum", {r"\sum_{k=0}^{t-1}": ""}, k=torch.arange(t), t=t, alpha=0.7
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left.sum(), equation.right[0])


def after_burst(alpha: float, burst: float, num_steps: int) -> Tensor:
    """Measure RMSprop's steps on a constant gradient, from an average of ``(burst g)^2``."""
    grad = 0.2
    first = burst * grad / math.sqrt(1 - alpha)  # puts the average there in one step
    gradients = torch.cat([column(first), torch.full((num_steps,), grad, dtype=torch.float64)])
    run = fed(torch.optim.RMSprop, gradients[:, None], lr=0.3, alpha=alpha, eps=0.0)
    return run.lengths[1:, 0]


@pytest.mark.equation("rms-recovery")
def test_rmsprop_recovers_from_a_burst():
    t = torch.arange(1, 61)
    for burst in (0.5, 1.0, 40.0):
        for lengths in (after_burst(0.9, burst, 60), theory.rmsprop_step(0.3, 0.9, t, burst)):
            assert evaluate(
                "rms-recovery", LENGTH, length=lengths, t=t, r=burst, eta=0.3, alpha=0.9
            ).equal()


@pytest.mark.equation("rms-forget")
def test_recovery_is_over_when_the_average_is_twice_the_square():
    for alpha, burst in ((0.99, 100.0), (0.9, 7.0), (0.9, 1.2)):
        equation = evaluate(
            "rms-forget",
            t=theory.rmsprop_recovery_steps(alpha, burst),
            alpha=alpha,
            r=burst,
        )
        assert equation.equal()
        if equation.right > 0:
            lengths = after_burst(alpha, burst, 1000)
            back = int((lengths >= 0.3 / math.sqrt(2)).int().argmax()) + 1
            assert back == math.ceil(equation.right)


# From signs to sizes, and the root


@cache
def mean_step(mean: float, std: float) -> tuple[float, Tensor]:
    """Measure the mean step of many noisy parameters, once the average has settled."""
    gradients = mean + std * normal(9000, 400)
    run = fed(torch.optim.RMSprop, gradients, lr=0.3, alpha=0.999, eps=0.0)
    return float(run.path[7000:].diff(dim=0).mean()), gradients


@pytest.mark.equation("rms-drift")
def test_noise_does_not_turn_the_mean_step():
    for mean, std in ((0.4, 1.0), (-0.2, 0.1)):
        step, gradients = mean_step(mean, std)
        equation = evaluate(
            "rms-drift",
            {
                r"\mathbb{E}[\theta_{t+1} - \theta_t]": "step",
                r"\mathbb{E}[g]": "mean",
                r"\mathbb{E}[g^2]": "square",
            },
            step=step,
            mean=gradients.mean(),
            square=gradients.square().mean(),
            eta=0.3,
        )
        assert equation.signs == ("≈",)
        np.testing.assert_allclose(equation.left, equation.right, rtol=0.01)


@pytest.mark.equation("rms-power")
def test_power_of_the_average_leaves_a_power_of_the_gradient():
    gradients = column(-40.0, 0.7, 1e-3)
    for power in (0.0, 0.3, 0.5, 1.0):
        average, theta = torch.zeros_like(gradients), torch.zeros_like(gradients)
        for _ in range(400):
            average = 0.9 * average + 0.1 * gradients**2
            before, theta = theta, theta - 0.3 * gradients / average**power
        assert evaluate(
            "rms-power",
            {r"|\theta_{t+1} - \theta_t|": "length", "|g|": "size"},
            length=(theta - before).abs(),
            size=gradients.abs(),
            P=power,
            eta=0.3,
        ).equal(rtol=1e-6)


@pytest.mark.claim(
    cite="riedmiller1993direct",
    says="The size of a step depends on the signs of the gradients alone, not on their sizes.",
    conditions="`torch.optim.Rprop` at its defaults, each gradient multiplied by its own number.",
)
def test_rprop_looks_at_signs_alone(record):
    gradients = normal(200, 5)
    scaled = gradients * normal(200, 5, seed=1).exp()
    once, other = (fed(torch.optim.Rprop, each, lr=0.1).path for each in (gradients, scaled))
    record((once - other).abs().max(), 0.0)
    assert once.diff(dim=0).abs().max() > 0


# What a step can and cannot do


@pytest.mark.equation("rms-gap")
def test_steps_of_a_feature_that_comes_now_and_then():
    for gap in (1, 3, 20):
        gradients = torch.zeros(120 * gap + 1, 1, dtype=torch.float64)
        gradients[::gap] = -0.2
        last = fed(torch.optim.RMSprop, gradients, lr=0.3, alpha=0.8, eps=0.0).lengths[-1]
        for length in (last, theory.rmsprop_gap_step(0.3, 0.8, gap)):
            assert evaluate(
                "rms-gap",
                {r"|\theta_{t+1} - \theta_t|": "length"},
                length=length,
                n=gap,
                eta=0.3,
                alpha=0.8,
            ).equal(rtol=1e-6)


def test_adagrad_takes_sparse_gradients_and_rmsprop_does_not():
    table = torch.nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([3])).sum().backward()
    before = table.weight.detach().clone()
    with torch.sparse.check_sparse_tensor_invariants():
        with pytest.raises(RuntimeError, match="does not support sparse gradients"):
            torch.optim.RMSprop(table.parameters()).step()
        torch.optim.Adagrad(table.parameters(), lr=0.1).step()
    moved = (table.weight.detach() - before).abs()
    torch.testing.assert_close(moved[3], torch.full((2,), 0.1))
    assert moved.count_nonzero() == 2


def test_a_lazy_rule_lets_the_average_fade_only_in_rows_that_occur():
    table = torch.nn.Embedding(5, 2, sparse=True)
    stepper = torch.optim.SparseAdam(table.parameters(), betas=(0.0, 0.9))
    for row in (3, 1, 1):
        stepper.zero_grad()
        table(torch.tensor([row])).sum().backward()
        stepper.step()
    average = stepper.state[table.weight]["exp_avg_sq"][:, 0]
    torch.testing.assert_close(average, torch.tensor([0.0, 0.1 * (1 + 0.9), 0.0, 0.1, 0.0]))


@pytest.mark.claim(
    cite="zeiler2012adadelta",
    says="AdaGrad's step has no unit, and so not that of the parameter, as Newton's has.",
    conditions="Each parameter measured in a unit that is 1000 times smaller.",
)
def test_steps_of_adagrad_do_not_know_the_parameters_unit(record):
    problem = problems.quadratic([0.5, 3.0])
    start, unit = column(1.0, -2.0), 1000.0

    def stretched(theta: Tensor) -> Tensor:
        return problem.objective(theta / unit)

    steps = []
    for objective, where in ((problem.objective, start), (stretched, unit * start)):
        run = minimize(objective, where, OPTIMIZERS["Adagrad"], num_steps=1, lr=0.1)
        steps.append(run.params.diff(dim=0))
    record(steps[1] / steps[0], 1.0, rel=1e-6)  # with the unit of the parameter it were 1000
    newton = [
        torch.linalg.solve(hessian(objective, where), jacobian(objective, where))
        for objective, where in ((problem.objective, start), (stretched, unit * start))
    ]
    record(newton[1] / newton[0], unit, rel=1e-6)


@pytest.mark.equation("rms-invariance")
def test_loss_and_eps_scale_together():
    gradients = normal(40, 3)
    options = {"RMSprop": {"lr": 1.0, "alpha": 0.8}, "Adagrad": {"lr": 1.0}}
    for name, settings in options.items():
        for scale in (1e-6, 30.0):
            once, scaled = (
                fed(getattr(torch.optim, name), c * gradients, eps=0.1 * c, **settings)
                for c in (1.0, scale)
            )
            assert evaluate(
                "rms-invariance",
                {r"u_t(c g, c \epsilon)": "scaled", r"u_t(g, \epsilon)": "once"},
                scaled=scaled.lengths,
                once=once.lengths,
            ).equal()


@pytest.mark.equation("rms-bound")
def test_longest_step_comes_after_silence():
    alphas = (0.0, 0.5, 0.99)
    waking = torch.cat([torch.zeros(50, 1), torch.full((1, 1), -3.0)]).double()
    for alpha in alphas:
        # A tiny eps, because PyTorch would divide zero by zero during the silence.
        lone = fed(torch.optim.RMSprop, waking, lr=0.3, alpha=alpha, eps=1e-200).lengths[-1]
        steps = fed(torch.optim.RMSprop, normal(200, 50), lr=0.3, alpha=alpha, eps=0.0).lengths
        equation = evaluate(
            "rms-bound",
            {r"|\theta_{t+1} - \theta_t|": "length"},
            length=torch.cat([lone, steps[1:].flatten()]),
            eta=0.3,
            alpha=alpha,
        )
        assert equation.holds().all()
        assert equation.tight()[0]
        if alpha:
            assert not equation.tight()[1:].any()
        np.testing.assert_allclose(equation.right[0], theory.rmsprop_max_step(0.3, alpha))


@pytest.mark.equation("rms-first")
def test_first_steps_of_rmsprop_are_too_long():
    t = torch.arange(1, 201)
    for alpha in (0.9, 0.99):
        gradients = torch.full((200, 1), -0.2, dtype=torch.float64)
        run = fed(torch.optim.RMSprop, gradients, lr=0.3, alpha=alpha, eps=0.0)
        for lengths in (run.lengths[:, 0], theory.rmsprop_step(0.3, alpha, t)):
            assert evaluate("rms-first", LENGTH, length=lengths, t=t, eta=0.3, alpha=alpha).equal()


@cache
def excess_steps(alpha: float) -> float:
    """Sum, over the steps on a constant gradient, what each is longer than the rate."""
    t = np.arange(1, 40 / (1 - alpha))
    return float((1 / np.sqrt(-np.expm1(t * math.log(alpha))) - 1).sum())


@pytest.mark.equation("rms-extra")
def test_zero_start_carries_two_half_lives_too_far():
    alpha, eta = 1 - 1e-5, 0.3
    equation = evaluate(
        "rms-extra",
        {
            r"\sum_{t=1}^{\infty} \left(\frac{\eta}{\sqrt{1 - \alpha^t}} - \eta\right)": "excess",
        },
        excess=eta * excess_steps(alpha),
        eta=eta,
        alpha=alpha,
    )
    assert equation.signs == ("≈",)
    np.testing.assert_allclose(equation.left, equation.right, rtol=5e-3)
    np.testing.assert_allclose(equation.right, theory.rmsprop_extra_distance(eta, alpha))


# Where epsilon stands

SIZES = column(1e-10, 1e-8, 1e-6, 1e-4, 1e-2)


@pytest.mark.equation("rms-eps-outside")
def test_eps_outside_the_root():
    gradients = -SIZES.expand(100, len(SIZES))
    measured = fed(torch.optim.RMSprop, gradients, lr=1.0, alpha=0.5, eps=1e-8).lengths[-1]
    for factor in (measured, theory.eps_factor(SIZES, 1e-8)):
        assert evaluate("rms-eps-outside", u=factor, g=-SIZES, epsilon=1e-8).equal(rtol=1e-8)


@pytest.mark.equation("rms-eps-inside")
def test_eps_inside_the_root():
    average = torch.zeros_like(SIZES)
    for _ in range(100):
        average = 0.5 * average + 0.5 * SIZES**2
    measured = SIZES / (average + 1e-8).sqrt()
    for factor in (measured, theory.eps_factor(SIZES, 1e-8, inside=True)):
        assert evaluate("rms-eps-inside", u=factor, g=-SIZES, epsilon=1e-8).equal()


# Centered, and with momentum


@pytest.mark.equation("rms-mean")
def test_centered_rmsprop_averages_gradients():
    gradients = normal(6, 4)
    for optimizer in both("RMSprop"):
        grad_avg = fed(optimizer, gradients, alpha=0.7, centered=True).states["grad_avg"]
        assert evaluate(
            "rms-mean",
            {"m_{t+1}": "after", "m_t": "before", "g_t": "grad"},
            after=grad_avg[1:],
            before=grad_avg[:-1],
            grad=gradients,
            alpha=0.7,
        ).equal()


@pytest.mark.equation("rms-centered")
def test_centered_rmsprop_divides_by_the_root_of_a_difference():
    gradients = normal(6, 4)
    for optimizer in both("RMSprop"):
        run = fed(optimizer, gradients, lr=0.3, alpha=0.7, eps=0.2, centered=True)
        assert evaluate(
            "rms-centered",
            STEP | {"v_{t+1}": "average", "m_{t+1}": "mean"},
            after=run.path[1:],
            before=run.path[:-1],
            grad=gradients,
            average=run.states["square_avg"][1:],
            mean=run.states["grad_avg"][1:],
            eta=0.3,
            epsilon=0.2,
        ).equal()


@pytest.mark.equation("rms-centered-identity")
def test_difference_is_a_variance_and_some_of_the_mean():
    gradients = 0.7 + normal(12, 3)
    run = fed(torch.optim.RMSprop, gradients, alpha=0.8, centered=True)
    for t in (1, 2, 12):
        weights = 0.2 * 0.8 ** torch.arange(t - 1, -1, -1, dtype=torch.float64)[:, None]
        sum_of_weights = weights.sum()
        mean = (weights * gradients[:t]).sum(0) / sum_of_weights
        variance = (weights * (gradients[:t] - mean) ** 2).sum(0) / sum_of_weights
        assert evaluate(
            "rms-centered-identity",
            {"v_t": "average", "m_t": "mean", r"\operatorname{var}": "var", r"\bar g": "middle"},
            average=run.states["square_avg"][t],
            mean=run.states["grad_avg"][t],
            var=variance,
            middle=mean,
            W=sum_of_weights,
        ).equal()


@pytest.mark.equation("rms-centered-step")
def test_steps_of_centered_rmsprop_grow_on_a_constant_gradient():
    gradients = torch.full((80, 1), -0.2, dtype=torch.float64)
    t = torch.arange(1, 81)
    run = fed(torch.optim.RMSprop, gradients, lr=0.3, alpha=0.9, eps=0.0, centered=True)
    for lengths in (run.lengths[:, 0], theory.centered_step(0.3, 0.9, t)):
        assert evaluate("rms-centered-step", LENGTH, length=lengths, t=t, eta=0.3, alpha=0.9).equal(
            rtol=1e-6
        )


@pytest.mark.equation("rms-momentum")
def test_momentum_accumulates_scaled_gradients():
    gradients = normal(6, 4)
    for optimizer in both("RMSprop"):
        states = fed(optimizer, gradients, lr=0.3, alpha=0.7, eps=0.2, momentum=0.6).states
        assert evaluate(
            "rms-momentum",
            {"b_{t+1}": "after", "b_t": "before", "g_t": "grad", "v_{t+1}": "average"},
            after=states["momentum_buffer"][1:],
            before=states["momentum_buffer"][:-1],
            grad=gradients,
            average=states["square_avg"][1:],
            beta=0.6,
            epsilon=0.2,
        ).equal()


@pytest.mark.equation("rms-momentum-limit")
def test_momentum_lengthens_steps_along_a_constant_gradient():
    gradients = torch.full((300, 1), -0.2, dtype=torch.float64)
    for beta in (0.5, 0.9):
        run = fed(torch.optim.RMSprop, gradients, lr=0.3, alpha=0.5, eps=0.0, momentum=beta)
        assert evaluate(
            "rms-momentum-limit",
            {r"|\theta_{t+1} - \theta_t|": "length"},
            length=run.lengths[-1],
            eta=0.3,
            beta=beta,
        ).equal()


# It does not converge


def last_hops(curvature: float, eta: float, alpha: float, eps: float) -> Tensor:
    """Run RMSprop down a parabola and return the last two points."""
    run = minimize(
        lambda theta: 0.5 * curvature * theta.square().sum(-1),
        column(1.0),
        OPTIMIZERS["RMSprop"],
        num_steps=2500,
        log_every=2499,
        lr=eta,
        alpha=alpha,
        eps=eps,
    )
    return run.params[-2:, 0]


@cache
def cycles() -> list[tuple[float, float, float, Tensor]]:
    cases = [(1.0, 0.1, 0.9, 0.0), (1e4, 0.3, 0.97, 0.0), (2.0, 0.3, 0.8, 0.04)]
    return [(case[0], case[1], case[3], last_hops(*case)) for case in cases]


@pytest.mark.equation("rms-cycle")
def test_rmsprop_ends_in_a_two_cycle():
    for curvature, eta, eps, (before, last) in cycles():
        assert before * last < 0
        for amplitude in (-before * last.sign(), theory.rmsprop_cycle(eta, curvature, eps)):
            assert evaluate(
                "rms-cycle",
                {"L": "curvature"},
                a=abs(amplitude),
                curvature=curvature,
                eta=eta,
                epsilon=eps,
            ).equal()


@pytest.mark.equation("rms-cycle-rate")
def test_modes_near_the_two_cycle():
    sides, signs = expressions("rms-cycle-rate")
    assert signs == ("=",)
    polynomial = lambdify((Symbol("rho"), Symbol("alpha")), sides[0] - sides[1])
    for alpha in (0.05, 0.3, 0.9, 0.99):
        eta = 0.7

        def after(state: Tensor, alpha: float = alpha, eta: float = eta) -> Tensor:
            distance, average = state
            average = alpha * average + (1 - alpha) * distance**2
            return torch.stack([eta * distance / average.sqrt() - distance, average])

        fixed = column(eta / 2, eta**2 / 4)
        torch.testing.assert_close(after(fixed), fixed)
        modes = torch.linalg.eigvals(jacobian(after, fixed)).numpy()
        np.testing.assert_allclose(polynomial(modes, alpha), 0, atol=1e-12)
        np.testing.assert_allclose(abs(modes).max(), theory.rmsprop_cycle_rate(alpha))


@cache
def settled_loss(curvatures: tuple[float, ...], eta: float) -> float:
    problem = problems.quadratic(curvatures)
    run = minimize(
        lambda theta: problem.objective(theta) + 2.0,
        problem.start,
        OPTIMIZERS["RMSprop"],
        num_steps=2500,
        log_every=2500,
        lr=eta,
        alpha=0.9,
        eps=0.0,
    )
    return float(run.loss[-1])


@pytest.mark.equation("rms-cycle-loss")
def test_loss_stays_above_the_minimum_without_any_noise():
    curvatures, eta = (0.5, 3.0, 40.0), 0.1
    equation = evaluate(
        "rms-cycle-loss",
        {r"f(\theta)": "last", r"f^\star": "lowest", r"\sum_i": "", r"\lambda_i": "curvatures"},
        last=settled_loss(curvatures, eta),
        lowest=2.0,
        curvatures=curvatures,
        eta=eta,
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[0], equation.right.sum())


@cache
def noisy_squares(curvature: float, eta: float, std: float) -> tuple[float, float]:
    """Measure the mean square distance of many noisy runs, with its standard error."""
    run = minimize(
        lambda theta: 0.5 * curvature * theta.square().sum(-1),
        torch.zeros(4000, 1, dtype=torch.float64),
        OPTIMIZERS["RMSprop"],
        num_steps=1200,
        log_every=1200,
        noise=problems.GaussianNoise(std, seed=0),
        lr=eta,
        alpha=0.99,
    )
    squares = run.params[-1].square()
    return float(squares.mean()), float(squares.std()) / math.sqrt(len(squares))


@pytest.mark.equation("rms-noise-floor")
def test_noise_floor_of_rmsprop():
    for curvature, eta, std in ((1.0, 0.01, 1.0), (6.0, 0.006, 3.0)):
        measured, error = noisy_squares(curvature, eta, std)
        equation = evaluate(
            "rms-noise-floor",
            {r"\mathbb{E}[\theta^2]": "square", "L": "curvature", r"\sigma": "std"},
            square=measured,
            curvature=curvature,
            eta=eta,
            std=std,
        )
        assert equation.signs == ("≈",)
        assert abs(equation.left - equation.right) < 3 * error + 0.02 * equation.right


@pytest.mark.claim(
    cite="cohen2022adaptive",
    says="""In training with all data, the largest eigenvalue of the preconditioned Hessian settles
    at the threshold of stability of gradient descent with this preconditioner.""",
    conditions=r"A bowl of three parameters, RMSprop without momentum: the threshold is $2/\eta$.",
    verdict="holds under conditions",
)
def test_rmsprop_settles_at_the_edge_of_stability(record):
    problem, eta = problems.quadratic([0.5, 3.0, 40.0]), 0.05
    theta = problem.start.clone().requires_grad_()
    stepper = torch.optim.RMSprop([theta], lr=eta, alpha=0.9)
    for _ in range(3000):
        theta.grad = problem.gradient(theta.detach())
        stepper.step()
    scale = stepper.state[theta]["square_avg"].sqrt()
    curvatures = hessian(problem.objective, theta.detach())
    preconditioned = curvatures / (scale[:, None] * scale).sqrt()
    record(eta * torch.linalg.eigvalsh(preconditioned).max(), 2.0, rel=1e-3)


@pytest.mark.claim(
    cite="choi2019empirical",
    says="RMSprop with momentum can imitate SGD with momentum as closely as you like.",
    conditions=r"$\epsilon$ far above $\sqrt v$, and the rate $\eta\epsilon$.",
)
def test_rmsprop_with_a_large_eps_is_momentum(record):
    gradients = normal(100, 4)
    momentum = fed(torch.optim.SGD, gradients, lr=0.1, momentum=0.9).path
    apart = [
        (fed(torch.optim.RMSprop, gradients, lr=0.1 * eps, eps=eps, momentum=0.9).path - momentum)
        .abs()
        .max()
        for eps in (1e3, 1e6)
    ]
    record(apart[1], 0.0, abs=1e-4)
    assert apart[0] > 100 * apart[1]


# Turn the bowl


def turned(kappa: float, angle: float) -> Tensor:
    """Return the Hessian of a turned ravine, from its gradients."""
    problem = problems.quadratic([1.0, kappa], angle)
    return problem.gradient(torch.eye(2, dtype=torch.float64))


ANGLES = (0.0, 0.02, 0.5, math.pi / 4, 1.0, 2.0)


@pytest.mark.equation("rms-turned")
def test_mixed_entry_of_a_turned_ravine():
    for kappa in (1.0, 30.0):
        mixed = [abs(float(turned(kappa, angle)[0, 1])) for angle in ANGLES]
        assert evaluate(
            "rms-turned", {"|H_{12}|": "mixed"}, mixed=mixed, kappa=kappa, varphi=ANGLES
        ).equal(atol=1e-12)


def left_by_best_diagonal(matrix: Tensor) -> float:
    """Search the diagonal that leaves the least condition number, and return that."""

    def left(log_scale: float) -> float:
        scale = column(1.0, math.exp(log_scale))
        return float(torch.linalg.cond(scale[:, None] * matrix * scale))

    options = {"xatol": 1e-10}
    return minimize_scalar(left, bounds=(-6.0, 6.0), method="bounded", options=options).fun


@pytest.mark.equation("rms-best-diagonal")
def test_best_diagonal_in_two_dimensions():
    for seed in range(4):
        factor = normal(2, 2, seed=seed)
        matrix = factor @ factor.T
        coupling = abs(matrix[0, 1]) / (matrix[0, 0] * matrix[1, 1]).sqrt()
        for kappa in (left_by_best_diagonal(matrix), theory.best_diagonal_kappa(matrix)):
            assert evaluate(
                "rms-best-diagonal", {r"\tilde\kappa": "kappa"}, kappa=kappa, C=coupling
            ).equal(rtol=1e-6)


@pytest.mark.claim(
    cite="vandersluis1969condition",
    says=r"""With $d_i = H_{ii}$ the condition number is at most $d$ times that of the best
    diagonal preconditioner, in $d$ dimensions.""",
    conditions="""100 random Hessians of three parameters, the best diagonal searched for each: the
    largest ratio of the two condition numbers.""",
)
def test_diagonal_of_the_hessian_is_nearly_the_best(record):
    ratios = []
    for seed in range(100):
        factor = normal(3, 3, seed=seed) * normal(3, seed=seed + 1000).exp()
        matrix = factor @ factor.T

        def left(log_scale: np.ndarray, matrix: Tensor = matrix) -> float:
            scale = torch.from_numpy(np.exp(np.append(log_scale, 0.0)))
            return float(torch.linalg.cond(scale[:, None] * matrix * scale).log())

        jacobi = (-0.5 * matrix.diagonal().log()).numpy()
        jacobi = jacobi[:2] - jacobi[2]
        best = least(left, jacobi)
        ratios.append(math.exp(left(jacobi) - best))
    record(max(ratios), at_most(3))
    assert max(ratios) > 1.1  # it is not always the best


def least(function: Callable[[np.ndarray], float], start: np.ndarray) -> float:
    """Return the least value near a start, found without derivatives."""
    return search(function, start, method="Nelder-Mead", options={"xatol": 1e-6}).fun


@pytest.mark.equation("rms-rotated")
def test_best_diagonal_gains_little_on_a_turned_ravine():
    for kappa in (1.0, 30.0):
        for angle in ANGLES:
            matrix = turned(kappa, angle)
            for left in (left_by_best_diagonal(matrix), theory.rotated_kappa(kappa, angle)):
                assert evaluate(
                    "rms-rotated",
                    {r"\tilde\kappa": "left", "H_{12}": "mixed"},
                    left=left,
                    kappa=kappa,
                    mixed=matrix[0, 1],
                ).equal(rtol=1e-6)


# Weight decay


@pytest.mark.equation("rms-decay")
def test_weight_decay_is_added_to_the_gradient():
    theta, gradients = normal(5), normal(5, seed=1)
    for optimizer in (*both("RMSprop"), *both("Adagrad")):
        moved = theta.clone().requires_grad_()
        stepper = optimizer([moved], lr=1.0, eps=1e9, weight_decay=0.3)
        moved.grad = gradients.clone()
        stepper.step()
        # So large an eps leaves the gradient in the step.
        used = 1e9 * (theta - moved.detach())
        assert evaluate(
            "rms-decay",
            {
                "g_t": "used",
                r"\nabla f(\theta_t)": "grad",
                r"\theta_t": "theta",
                r"\lambda": "decay",
            },
            used=used,
            grad=gradients,
            theta=theta,
            decay=0.3,
        ).equal(rtol=1e-5)


# Digits with the wrong scales


@pytest.mark.equation("rms-inputs")
def test_a_gradient_knows_one_of_the_two_factors_of_a_curvature():
    x, y, factors = normal(50, 4), normal(50, seed=1), normal(4, seed=2).exp()
    zero = torch.zeros(4, dtype=torch.float64)

    def loss(weights: Tensor) -> Tensor:
        return 0.5 * (((x * factors) @ weights - y) ** 2).mean()

    assert evaluate(
        "rms-inputs",
        {
            "H_{ii}": "curvature",
            "g_i": "grad",
            "A_i": "factor",
            r"\mathbb{E}[x_i^2]": "square",
            r"\mathbb{E}[x_i y]": "product",
        },
        curvature=hessian(loss, zero).diagonal(),
        grad=jacobian(loss, zero),
        factor=factors,
        square=(x**2).mean(0),
        product=(x * y[:, None]).mean(0),
    ).equal()


# A layer that normalizes


def normalized(weights: Tensor) -> Tensor:
    """A loss that sees the weights through a normalization of the outputs alone."""
    outputs = normal(20, 4) @ weights
    outputs = (outputs - outputs.mean()) / outputs.std()
    return (outputs - normal(20, seed=1)).square().mean()


@pytest.mark.equation("rms-scale-free")
def test_longer_weights_have_smaller_gradients():
    weights = normal(4, seed=2)
    for c in (0.1, 7.0):
        assert evaluate(
            "rms-scale-free",
            {r"\nabla f(c w)": "scaled", r"\nabla f(w)": "once"},
            scaled=jacobian(normalized, c * weights),
            once=jacobian(normalized, weights),
            c=c,
        ).equal(rtol=1e-6)


@pytest.mark.equation("rms-norm-growth")
def test_each_step_makes_the_weights_longer():
    weights = normal(4, seed=2).requires_grad_()
    stepper = torch.optim.SGD([weights], lr=0.7)
    for _ in range(4):
        before = weights.detach().norm()
        stepper.zero_grad()
        normalized(weights).backward()
        stepper.step()
        assert evaluate(
            "rms-norm-growth",
            {
                r"\|w_{t+1}\|": "after",
                r"\|w_t\|": "before",
                r"\|\nabla f(w_t)\|": "slope",
            },
            after=weights.detach().norm(),
            before=before,
            slope=weights.grad.norm(),
            eta=0.7,
        ).equal()


@pytest.mark.claim(
    cite="arora2019theoretical",
    says="""Behind a normalization, gradient descent comes to a point where the gradient vanishes,
    whatever the constant rate.""",
    conditions="Four weights, full batches, rates from 0.1 to 1000.",
)
def test_a_normalization_tames_every_rate(record):
    for lr in (0.1, 10.0, 1000.0):
        run = minimize(
            normalized,
            normal(4, seed=2),
            torch.optim.SGD,
            num_steps=4000,
            log_every=4000,
            lr=lr,
        )
        last = run.params[-1]
        # Of the direction alone: the gradient itself also shrinks as the weights grow.
        record(last.norm() * jacobian(normalized, last).norm(), 0.0, abs=1e-3)


# The root of v against Newton and Fisher


@cache
def samples() -> tuple[Tensor, Tensor]:
    """Return gradients of single samples, shape ``(samples, dim)``, and their mean."""
    x, y = normal(6, 3), normal(6, seed=1)
    theta = normal(3, seed=2)
    rows = [jacobian(lambda at, i=i: 0.5 * (x[i] @ at - y[i]) ** 2, theta) for i in range(6)]
    return torch.stack(rows), jacobian(lambda at: 0.5 * ((x @ at - y) ** 2).mean(), theta)


@pytest.mark.equation("rms-second-moment")
def test_mean_square_is_the_squared_mean_and_the_noise():
    rows, mean = samples()
    for batch_size in (1, 2, 3):
        # Every batch there is, drawn with replacement.
        batches = torch.cartesian_prod(*[torch.arange(len(rows))] * batch_size)
        grads = rows[batches.reshape(-1, batch_size)].mean(1)
        assert evaluate(
            "rms-second-moment",
            {r"\mathbb{E}[g_i^2]": "square", r"\partial_i f": "mean", r"\Sigma_{ii}": "noise"},
            square=grads.square().mean(0),
            mean=mean,
            noise=rows.var(0, correction=0),
            B=batch_size,
        ).equal()


@cache
def fitting(curvatures: tuple[float, ...]) -> tuple[Tensor, Tensor]:
    """Return Hessian and mean squared gradients of a model that fits, at its minimum.

    Features and noise take all their signs, each combination once.
    """
    signs = torch.cartesian_prod(*[column(-1.0, 1.0)] * (len(curvatures) + 1))
    x, noise = signs[:, :-1] * column(*curvatures).sqrt(), signs[:, -1]
    return x.T @ x / len(x), (noise[:, None] * x).square().mean(0)


@pytest.mark.equation("rms-root-kappa")
def test_near_the_minimum_the_root_of_the_condition_number_is_left():
    for curvatures in ((1.0, 7.0), (0.2, 30.0, 3.0)):
        curvature, squares = fitting(curvatures)
        scale = squares.sqrt()
        assert evaluate(
            "rms-root-kappa",
            {r"\tilde\kappa": "left"},
            left=torch.linalg.cond(curvature / (scale[:, None] * scale).sqrt()),
            kappa=torch.linalg.cond(curvature),
        ).equal()


@pytest.mark.claim(
    cite="kunstner2019limitations",
    says="""The mean of the samples' squared gradients is no curvature in general: away from a good
    fit it does not agree with the Fisher information, which for squared errors is the Hessian.""",
    conditions="""Least squares with two features, their ratio of mean squared gradients against
    that of their curvatures: equal at the minimum of a model that fits, 25 times off where one
    weight is 4.9 away.""",
)
def test_mean_squared_gradients_are_a_curvature_only_where_the_model_fits(record):
    curvature, squares = fitting((1.0, 7.0))
    record(squares / curvature.diagonal(), 1.0, rel=1e-9)
    # One-hot samples: a weight's own error is in its own gradients alone.
    x = torch.eye(2, dtype=torch.float64).repeat(2, 1)
    noise = column(1.0, 1.0, -1.0, -1.0)
    away = column(math.sqrt(24.0), 0.0)
    squares = (x * (x @ away - noise)[:, None]).square().mean(0)
    record(squares[0] / squares[1], 25.0, rel=1e-9)
