"""The chapter on momentum: each printed equation against what it is about.

Every test reads the formula from the page, see :mod:`printed`, and takes no argument, so that
:mod:`mutations` can call it again with the formula changed. What is slow is measured once.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from draws import bowl, normal, turned
from printed import evaluate
from scipy.linalg import solve_discrete_lyapunov
from scipy.optimize import minimize_scalar
from torch import Tensor

from descent.chapters.momentum import theory
from descent.optim import SGD
from descent.press.claims import at_least, at_most
from descent.tasks import problems
from descent.tasks.problems import Problem, value_and_gradient
from descent.training import minimize

EXCESS = {r"f(x_t)": "now", r"f^\star": "lowest"}
DISTANCE = {r"\|\theta_0 - \theta^\star\|": "distance"}
ROUNDING = 1e-12
"""What rounding may leave of a loss that is 0."""


def sgd_of_torch(
    problem: Problem, num_steps: int, lr: Callable[[int], float], **options: float
) -> dict[str, Tensor]:
    """Run PyTorch's SGD; the rows are before each step and after the last, ``b`` 0 at first."""
    theta = problem.start.clone().requires_grad_()
    sgd = torch.optim.SGD([theta], lr=lr(0), **options)
    rows = []
    for step in range(num_steps + 1):
        sgd.zero_grad()
        problem.objective(theta).backward()
        buffer = sgd.state[theta].get("momentum_buffer")
        buffer = torch.zeros_like(theta) if buffer is None else buffer
        rows.append((theta.detach().clone(), theta.grad.clone(), buffer.clone()))
        sgd.param_groups[0]["lr"] = lr(step)
        sgd.step()
    columns = (torch.stack(column) for column in zip(*rows, strict=True))
    return dict(zip(("theta", "grad", "b"), columns, strict=True))


def constant(value: float) -> Callable[[int], float]:
    return lambda step: value


@cache
def valley_run(**options: float) -> dict[str, Tensor]:
    """Run PyTorch's SGD in Rosenbrock's valley, where no two gradients are alike."""
    return sgd_of_torch(problems.rosenbrock(), 30, constant(2e-4), momentum=0.8, **options)


# A step that remembers

NOW = {r"b_{t+1}": "after", r"b_t": "before", r"\nabla f(\theta_t)": "grad"}
MOVE = {r"\theta_{t+1}": "after", r"\theta_t": "before"}
BALL = {**MOVE, r"\nabla f(\theta_t)": "grad", r"\theta_{t-1}": "earlier"}


@pytest.mark.equation("mom-buffer")
def test_buffer_is_that_of_torch():
    run = valley_run()
    assert evaluate(
        "mom-buffer", NOW, after=run["b"][1:], before=run["b"][:-1], grad=run["grad"][:-1], beta=0.8
    ).equal()


@pytest.mark.equation("mom-update")
def test_update_is_that_of_torch_and_of_the_package():
    problem = problems.rosenbrock()
    run = valley_run()
    ours = minimize(problem.objective, problem.start, SGD, num_steps=30, lr=2e-4, momentum=0.8)
    for path in (run["theta"], ours.params):
        assert evaluate(
            "mom-update",
            {**MOVE, r"b_{t+1}": "buffer"},
            after=path[1:],
            before=path[:-1],
            buffer=run["b"][1:],
            eta=2e-4,
        ).equal(rtol=1e-12)


@pytest.mark.equation("mom-sum")
def test_buffer_is_the_fading_sum_of_all_gradients():
    run = valley_run()
    for t in (0, 1, 7, 20):
        equation = evaluate(
            "mom-sum",
            {r"b_{t+1}": "after", r"\sum_{s=0}^{t}": "", r"\nabla f(\theta_s)": "grads"},
            after=run["b"][t + 1],
            grads=run["grad"][: t + 1],
            beta=0.8,
            t=t,
            s=torch.arange(t + 1)[:, None],
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left[0], equation.right.sum(0), rtol=1e-10)


@pytest.mark.equation("mom-heavy-ball")
def test_momentum_is_a_part_of_the_last_step_once_more():
    run = valley_run()
    theta = torch.cat([run["theta"][:1], run["theta"]])  # at rest before the first step
    assert evaluate(
        "mom-heavy-ball",
        BALL,
        after=theta[2:],
        before=theta[1:-1],
        earlier=theta[:-2],
        grad=run["grad"][:-1],
        eta=2e-4,
        beta=0.8,
    ).equal(rtol=1e-9, atol=1e-12)


def slope(steepness: float) -> Problem:
    """Return a straight line, whose gradient is the same everywhere."""
    start = torch.zeros(1, dtype=torch.float64)
    return Problem("slope", lambda theta: steepness * theta.sum(-1), start, None)


@pytest.mark.equation("mom-constant")
def test_buffer_under_a_constant_gradient():
    for steepness, momentum in ((1.0, 0.9), (-3.0, 0.5), (2.0, 0.99)):
        run = sgd_of_torch(slope(steepness), 200, constant(0.1), momentum=momentum)
        equation = evaluate(
            "mom-constant",
            {r"b_t": "buffer"},
            buffer=run["b"][:, 0],
            beta=momentum,
            g=steepness,
            t=torch.arange(201),
        )
        assert equation.equal()


@pytest.mark.equation("mom-effective")
def test_effective_rate_is_the_step_that_is_reached_and_what_one_gradient_does():
    for lr, momentum in ((0.1, 0.9), (0.02, 0.5), (1.0, 0.0)):
        run = sgd_of_torch(slope(1.0), 400, constant(lr), momentum=momentum)["theta"][:, 0]
        theta, buffer, once = 0.0, 0.0, torch.zeros(400)
        once[0] = 1.0
        for grad in once.tolist():
            buffer = momentum * buffer + grad
            theta -= lr * buffer
        for reached in (
            run[-2] - run[-1],
            -theta,
            theory.momentum_effective_lr(lr, momentum),
        ):
            equation = evaluate(
                "mom-effective",
                {r"\eta_{\text{eff}}": "reached"},
                reached=reached,
                eta=lr,
                beta=momentum,
            )
            assert equation.equal(rtol=1e-9)


@pytest.mark.equation("mom-time")
def test_a_gradient_fades_to_an_eth_in_its_time_constant():
    momentum = np.array([0.9, 0.99, 0.999])
    searched = []
    for beta in momentum:
        weights = beta ** np.arange(20_000.0)
        after = np.argmax(weights < 1 / math.e)
        # Between the two whole steps the logarithm of a power is a straight line.
        above, below = np.log(weights[after - 1]), np.log(weights[after])
        searched.append(after - 1 + (above + 1) / (above - below))
    equation = evaluate("mom-time", k=searched, beta=momentum)
    assert equation.signs == ("=", "≈")
    in_theory = [theory.momentum_time_constant(beta) for beta in momentum]
    np.testing.assert_allclose(equation.sides[0], equation.sides[1])
    np.testing.assert_allclose(equation.sides[1], in_theory)
    error = np.abs(equation.sides[2] - equation.sides[1])
    np.testing.assert_allclose(error, 0.5, rtol=0.05)  # so the relative error goes to 0


REST = {r"u_t": "rest", r"\theta_t": "theta", r"\theta_{t-1}": "earlier"}


@cache
def resting() -> dict[str, Tensor]:
    """Cut the gradient off at each step of a run, and let the ball coast to where it rests."""
    run = valley_run()
    theta = torch.cat([run["theta"][:1], run["theta"]])  # at rest before the first step
    ball, last = theta[1:], theta[1:] - theta[:-1]
    rest = ball.clone()
    for _ in range(400):
        last = 0.8 * last
        rest = rest + last
    return {"rest": rest, "theta": ball, "earlier": theta[:-1], "grad": run["grad"]}


@pytest.mark.equation("mom-rest")
def test_ball_without_gradients_coasts_to_its_resting_point():
    run = resting()
    values = {name: run[name][1:] for name in ("rest", "theta", "earlier")}
    assert evaluate("mom-rest", REST, beta=0.8, **values).equal(rtol=1e-12)


@pytest.mark.equation("mom-rest-step")
def test_resting_point_takes_plain_steps_with_the_effective_rate():
    run = resting()
    assert evaluate(
        "mom-rest-step",
        {r"u_{t+1}": "after", r"u_t": "rest", r"\nabla f(\theta_t)": "grad"},
        after=run["rest"][1:],
        rest=run["rest"][:-1],
        grad=run["grad"][:-1],
        eta=2e-4,
        beta=0.8,
    ).equal(rtol=1e-9, atol=1e-12)


# One parameter


def factors(rule: str, product: Tensor, momentum: Tensor) -> Tensor:
    """Return the eigenvalues of one step on a parabola, from the step itself.

    The step is linear in the last two positions, so it is applied to each of the two alone.
    """
    product, momentum = torch.broadcast_tensors(product.double(), momentum.double())

    def step(now: float, before: float) -> Tensor:
        ahead = now + momentum * (now - before)
        if rule == "nesterov":
            return ahead - product * ahead
        return ahead - product * now

    columns = [
        torch.stack([step(1.0, 0.0), torch.ones_like(product)], -1),
        torch.stack([step(0.0, 1.0), torch.zeros_like(product)], -1),
    ]
    return torch.linalg.eigvals(torch.stack(columns, -1))


def grid() -> tuple[Tensor, Tensor]:
    """Return a grid of rate times curvature and of momentum, off the lines that matter."""
    product = torch.linspace(0.0137, 4.5, 60, dtype=torch.float64)[:, None]
    momentum = torch.linspace(0.0071, 0.993, 40, dtype=torch.float64)
    return product, momentum


@pytest.mark.equation("mom-parabola")
def test_distance_on_a_parabola_follows_from_the_last_two():
    for lr, momentum, curvature in ((0.3, 0.5, 1.0), (0.02, 0.95, 7.0), (1.9, 0.3, 1.1)):
        run = sgd_of_torch(problems.quadratic([curvature]), 30, constant(lr), momentum=momentum)[
            "theta"
        ][:, 0]
        c = torch.cat([run[:1], run])
        assert evaluate(
            "mom-parabola",
            {r"c_{t+1}": "after", r"c_t": "now", r"c_{t-1}": "before", r"\lambda": "curvature"},
            after=c[2:],
            now=c[1:-1],
            before=c[:-2],
            eta=lr,
            beta=momentum,
            curvature=curvature,
        ).equal(rtol=1e-9, atol=1e-12)
        in_theory = theory.heavy_ball_distance(
            torch.tensor([curvature], dtype=torch.float64), run[:1], lr, momentum, torch.arange(31)
        )
        np.testing.assert_allclose(in_theory, run.abs(), rtol=1e-9, atol=1e-13)


@pytest.mark.equation("mom-char")
def test_factors_of_a_step_solve_the_quadratic_equation():
    product, momentum = grid()
    roots = factors("heavy ball", product, momentum)
    real = roots.imag.abs().amax(-1) < 1e-12
    assert 0.1 < real.double().mean() < 0.9
    equation = evaluate(
        "mom-char",
        {r"\lambda": "curvature"},
        r=roots.real[real],
        eta=(product / 2).expand(60, 40)[real][:, None],
        beta=momentum.expand(60, 40)[real][:, None],
        curvature=2.0,
    )
    assert equation.equal(atol=1e-11)
    in_theory = theory.heavy_ball_rate(2.0, product / 2, momentum)
    np.testing.assert_allclose(in_theory, roots.abs().amax(-1), atol=1e-7)


def settles(rule: str, product: Tensor, momentum: Tensor) -> Tensor:
    """Say for which settings SGD goes to the minimum of a parabola."""
    product, momentum = torch.broadcast_tensors(product, momentum)
    run = minimize(
        # A hill where the product is negative, for no rate is; and flat where all is lost.
        lambda theta: 0.5 * product.sign() * (theta.clamp(-1e6, 1e6) ** 2).sum(-1),
        torch.ones(*product.shape, 1, dtype=torch.float64),
        SGD,
        num_steps=4000,
        log_every=4000,
        lr=product.abs()[..., None],
        momentum=momentum[..., None],
        nesterov=rule == "nesterov",
    )
    return run.params[-1, ..., 0].abs() < 1e-3


@cache
def settled(rule: str) -> tuple[Tensor, Tensor, Tensor]:
    limits = {
        "heavy ball": theory.heavy_ball_max_lr,
        "nesterov": theory.nesterov_max_lr,
    }
    momentum = torch.tensor([0.05, 0.3, 0.75, 0.9], dtype=torch.float64)
    limit = torch.tensor([limits[rule](1.0, beta) for beta in momentum.tolist()])
    multiples = torch.tensor([-0.5, -0.01, 0.02, 0.5, 0.99, 1.01, 1.5, 2.5, 4.0])[:, None]
    fixed = torch.tensor([0.4, 1.3, 2.2, 3.3, 3.9])[:, None].expand(5, 4)
    product = torch.cat([multiples * limit, fixed]).double()
    return product, momentum, settles(rule, product, momentum)


@pytest.mark.equation("mom-stable")
def test_ball_settles_exactly_inside_the_interval():
    product, momentum, ran = settled("heavy ball")
    equation = evaluate("mom-stable", {r"\eta\lambda": "product"}, product=product, beta=momentum)
    assert equation.signs == ("<", "<")
    np.testing.assert_array_equal(equation.holds(), ran)
    edge = evaluate("mom-stable", {r"\eta\lambda": "product"}, product=0.0, beta=0.5)
    assert not edge.holds()
    limits = [theory.heavy_ball_max_lr(1.0, beta) for beta in momentum.tolist()]
    np.testing.assert_allclose(equation.right[0], limits)


@pytest.mark.equation("mom-swing")
def test_ball_swings_exactly_inside_the_range():
    product, momentum = grid()
    swings = factors("heavy ball", product, momentum).imag.abs().amax(-1) > 1e-12
    equation = evaluate(
        "mom-swing", {r"\lambda": "curvature"}, eta=product / 2, beta=momentum, curvature=2.0
    )
    np.testing.assert_array_equal(equation.holds(), swings)
    assert equation.signs == ("<", "<")
    for low in (True, False):  # at either end the two roots are one, and real
        end = equation.left if low else equation.right
        both = factors("heavy ball", torch.from_numpy(end[0].copy()), momentum)
        np.testing.assert_allclose(both[:, 0].abs(), both[:, 1].abs(), atol=1e-6)


@pytest.mark.equation("mom-modulus")
def test_every_swing_shrinks_by_the_same_factor():
    product, momentum = grid()
    roots = factors("heavy ball", product, momentum)
    swings = roots.imag.abs().amax(-1) > 1e-9
    assert evaluate(
        "mom-modulus",
        {r"|r|": "modulus"},
        modulus=roots[swings].abs(),
        beta=momentum.expand(60, 40)[swings][:, None],
    ).equal()


@pytest.mark.equation("mom-slow-root")
def test_flat_directions_see_the_effective_rate():
    def error(product: float, beta: float) -> float:
        root = factors("heavy ball", torch.tensor(product), torch.tensor(beta)).abs().amax()
        equation = evaluate(
            "mom-slow-root",
            {r"\lambda": "curvature"},
            r=root,
            eta=product / 3,
            beta=beta,
            curvature=3.0,
        )
        assert equation.signs == ("≈",)
        return abs(float(equation.left - equation.right))

    for beta in (0.2, 0.5, 0.9):
        scale = (1 - beta) ** 2
        assert error(1e-2 * scale, beta) / error(1e-3 * scale, beta) == pytest.approx(100, rel=0.1)


@pytest.mark.equation("mom-squeeze")
def test_rate_times_curvature_lies_between_two_squares():
    product, momentum = grid()
    modulus = factors("heavy ball", product, momentum).abs().amax(-1)
    equation = evaluate(
        "mom-squeeze",
        {r"\lambda": "curvature"},
        rho=modulus,
        eta=product / 2,
        curvature=2.0,
    )
    assert equation.signs == ("≤", "≤")
    assert equation.holds(atol=1e-9)[(modulus < 1).numpy()].all()
    slow = torch.tensor(0.25)  # both ends are reached, each at a momentum of its own
    for product, rho in ((slow, 0.5), (1 / slow * 0.5625, 0.5)):
        damped = factors("heavy ball", product, slow).abs().amax()
        np.testing.assert_allclose(damped, rho, atol=1e-6)
        ends = evaluate(
            "mom-squeeze", {r"\lambda": "curvature"}, rho=damped, eta=product / 2, curvature=2.0
        )
        left, middle, right = (float(side) for side in ends.sides)
        assert min(middle - left, right - middle) == pytest.approx(0, abs=1e-5)


@pytest.mark.equation("mom-spring")
def test_ball_with_short_steps_is_a_spring_with_friction():
    problem = problems.rosenbrock()
    errors = []
    for time in (1e-3, 5e-4):  # of one step; friction is 1.5 in both
        run = sgd_of_torch(problem, round(0.5 / time), constant(time**2), momentum=1 - 1.5 * time)
        theta = run["theta"]
        equation = evaluate(
            "mom-spring",
            {r"\ddot\theta": "acceleration", r"\dot\theta": "speed", r"\nabla f(\theta)": "grad"},
            acceleration=(theta[2:] - 2 * theta[1:-1] + theta[:-2]) / time**2,
            speed=(theta[2:] - theta[:-2]) / (2 * time),
            grad=run["grad"][1:-1],
            beta=1 - 1.5 * time,
            eta=time**2,
        )
        assert equation.signs == ("=",)
        scale = run["grad"].abs().amax()
        errors.append(float(np.abs(equation.left - equation.right).max() / scale))
    assert errors[0] < 0.01
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)  # so the limit is exact


@cache
def best_momenta() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search the best momentum for some products of rate and curvature, and its factor."""
    products = np.array([0.03, 0.3, 0.8, 1.7, 3.2])
    found = []
    for product in products:
        best = minimize_scalar(
            lambda beta, product=product: float(
                factors("heavy ball", torch.tensor(product), torch.tensor(beta)).abs().amax()
            ),
            bounds=(0, 1),
            method="bounded",
            options={"xatol": 1e-10},
        )
        found.append((best.x, best.fun))
    return products, *np.array(found).T


@pytest.mark.equation("mom-critical")
def test_critical_damping_is_the_best_momentum_that_a_search_finds():
    products, best, _ = best_momenta()
    in_theory = [theory.heavy_ball_critical_momentum(product / 2, 2.0) for product in products]
    for momentum in (best, in_theory):
        equation = evaluate(
            "mom-critical",
            {r"\beta_c": "best", r"\lambda": "curvature"},
            best=momentum,
            eta=products / 2,
            curvature=2.0,
        )
        assert equation.equal(rtol=1e-4)


@pytest.mark.equation("mom-critical-rate")
def test_factor_at_critical_damping_is_the_least_that_a_search_finds():
    products, _, least = best_momenta()
    equation = evaluate(
        "mom-critical-rate",
        {r"\lambda": "curvature"},
        rho=least,
        eta=products / 2,
        curvature=2.0,
    )
    assert equation.equal(rtol=1e-3)


# Many parameters


@cache
def best_settings() -> list[tuple[float, float, float, float, float]]:
    """Search rate and momentum for some bowls; return (L, mu, rate, momentum, factor)."""
    found = []
    for smallest, largest in ((0.1, 3.0), (1.0, 100.0), (2.0, 5.0)):
        curvatures = torch.linspace(smallest, largest, 7, dtype=torch.float64)

        def factor(lr: float, momentum: float, curvatures: Tensor = curvatures) -> float:
            roots = factors("heavy ball", lr * curvatures, torch.tensor(momentum))
            return float(roots.abs().amax())

        def inner(lr: float, factor: Callable = factor) -> tuple[float, float]:
            best = minimize_scalar(
                lambda momentum: factor(lr, momentum),
                bounds=(0, 1),
                method="bounded",
                options={"xatol": 1e-9},
            )
            return best.fun, best.x

        outer = minimize_scalar(
            lambda lr, inner=inner: inner(lr)[0],
            bounds=(0, 4 / largest),
            method="bounded",
            options={"xatol": 1e-9},
        )
        found.append((largest, smallest, outer.x, inner(outer.x)[1], outer.fun))
    return found


@pytest.mark.equation("mom-best-lr")
def test_best_rate_is_the_one_that_a_search_finds():
    for largest, smallest, searched, _, _ in best_settings():
        for lr in (searched, theory.heavy_ball_best(largest, smallest)[0]):
            equation = evaluate("mom-best-lr", {r"\eta^\star": "lr"}, lr=lr, L=largest, mu=smallest)
            assert equation.equal(rtol=1e-3)


@pytest.mark.equation("mom-best-momentum")
def test_best_momentum_is_the_one_that_a_search_finds():
    for largest, smallest, _, searched, _ in best_settings():
        for momentum in (searched, theory.heavy_ball_best(largest, smallest)[1]):
            equation = evaluate(
                "mom-best-momentum",
                {r"\beta^\star": "best"},
                best=momentum,
                kappa=largest / smallest,
            )
            assert equation.equal(rtol=2e-3)


@pytest.mark.equation("mom-best-rate")
def test_best_factor_is_the_one_that_a_search_finds():
    for largest, smallest, _, _, searched in best_settings():
        for rate in (searched, theory.heavy_ball_best_rate(largest / smallest)):
            equation = evaluate(
                "mom-best-rate", {r"\rho^\star": "rate"}, rate=rate, kappa=largest / smallest
            )
            assert equation.equal(rtol=1e-3)


@pytest.mark.claim(
    cite="polyak1964some",
    says=r"""With the right constant rate and momentum, the heavy ball's error on a quadratic falls
    by $(\sqrt\kappa - 1)/(\sqrt\kappa + 1)$ a step in the long run.""",
    conditions=r"three curvatures, $\kappa = 10$, $100$ and $1000$, a factor $t$ divided out",
)
def test_heavy_ball_needs_the_square_root_of_the_steps(record):
    for kappa in (10.0, 100.0, 1000.0):
        lr, momentum = theory.heavy_ball_best(kappa, 1.0)
        steps = int(30 * math.sqrt(kappa))
        middle = (1 + kappa) / 2
        run = minimize(
            bowl(turned([1.0, middle, kappa])),
            normal(3),
            SGD,
            num_steps=steps,
            lr=lr,
            momentum=momentum,
        )
        distance = run.params.norm(dim=-1)
        # Dividing by the factor t of the double roots leaves the power alone.
        late = distance[steps // 2 :: steps // 2] / run.step[steps // 2 :: steps // 2]
        measured = float(late[1] / late[0]) ** (1 / (steps // 2))
        record(measured, theory.heavy_ball_best_rate(kappa), rel=2e-3)


@pytest.mark.equation("mom-steps-kappa")
def test_steps_grow_like_the_square_root_of_the_condition_number():
    for kappa, fraction in ((1e4, 1e-6), (1e5, 0.5), (4e4, 1e-3)):
        lr, momentum = theory.heavy_ball_best(kappa, 1.0)
        # A hair inside the best settings, where the eigenvalues can be told apart.
        roots = factors("heavy ball", lr * torch.tensor([1.0, kappa]), torch.tensor(momentum))
        steps = math.log(fraction) / math.log(float(roots.abs().mean()))
        equation = evaluate("mom-steps-kappa", t=steps, epsilon=fraction, kappa=kappa)
        assert equation.signs == ("≈",)
        np.testing.assert_allclose(equation.left, equation.right, rtol=1e-3)


@cache
def hardest_bowl(kappa: float, steps: int) -> tuple[Tensor, Tensor, float]:
    """Return curvatures, a start, and how near the best combination of gradients comes to 0.

    The curvatures are where Chebyshev's polynomial is largest; the weights of the start make it
    the best of all polynomials that are 1 at 0.
    """
    angles = torch.arange(steps + 1, dtype=torch.float64) * math.pi / steps
    curvatures = (1 + kappa) / 2 + (kappa - 1) / 2 * torch.cos(angles)
    powers = (curvatures / kappa)[:, None] ** torch.arange(1, steps + 1)
    signs = (-1.0) ** torch.arange(steps + 1)
    balance = torch.cat([(signs[:, None] * powers).T, torch.ones(1, steps + 1)])
    one = torch.zeros(steps + 1, dtype=torch.float64)
    one[-1] = 1
    weights = torch.linalg.solve(balance, one)
    assert (weights > 0).all()
    start = 3 * weights.sqrt()
    combined = torch.linalg.lstsq(start[:, None] * powers, -start[:, None]).solution
    left = start * (1 + (powers @ combined)[:, 0])
    return curvatures, start, float(left.norm())


@pytest.mark.equation("mom-chebyshev")
def test_no_combination_of_gradients_comes_nearer_on_the_hardest_bowl():
    fragments = {r"\|\theta_t - \theta^\star\|": "now", **DISTANCE}
    for kappa, steps in ((9.0, 3), (30.0, 7), (4.0, 5)):
        curvatures, start, least = hardest_bowl(kappa, steps)
        lr, momentum = theory.heavy_ball_best(kappa, 1.0)
        values = {"rho": theory.heavy_ball_best_rate(kappa), "t": steps, "distance": start.norm()}
        best = evaluate("mom-chebyshev", fragments, now=least, **values)
        assert best.holds(rtol=1e-7)
        assert best.tight(rtol=1e-7)
        for options in (
            {"lr": lr, "momentum": momentum},
            {"lr": 1 / kappa, "momentum": theory.nesterov_momentum(kappa), "nesterov": True},
            {"lr": 2 / (1 + kappa)},
        ):
            run = minimize(bowl(torch.diag(curvatures)), start, SGD, num_steps=steps, **options)
            reached = run.params[-1].norm()
            assert evaluate("mom-chebyshev", fragments, now=reached, **values).holds()


@cache
def critically_damped() -> dict[str, Tensor | float]:
    """Run the best heavy ball along the axes of a bowl, one of them the steepest."""
    curvatures = torch.tensor([1.0, 2.0, 20.0, 47.0, 100.0], dtype=torch.float64)
    lr, momentum = theory.heavy_ball_best(100.0, 1.0)
    run = minimize(
        lambda theta: 0.5 * (curvatures * theta**2).sum(-1),
        torch.tensor([0.7, -1.0, 2.0, 1.0, -1.5], dtype=torch.float64),
        SGD,
        num_steps=80,
        lr=lr,
        momentum=momentum,
    )
    return {
        "c": run.params,
        "t": run.step,
        "rho": math.sqrt(momentum),
        "angle": torch.arccos((1 + momentum - lr * curvatures) / (2 * math.sqrt(momentum))),
    }


END = {r"c_t": "now", r"c_0": "first"}


@pytest.mark.equation("mom-flat")
def test_flat_end_pays_a_factor_that_grows_with_the_steps():
    run = critically_damped()
    c = run["c"][:, 0]
    equation = evaluate("mom-flat", END, now=c, first=c[0], rho=run["rho"], t=run["t"])
    assert equation.equal(rtol=1e-6)


@pytest.mark.equation("mom-steep")
def test_steep_end_pays_more():
    run = critically_damped()
    c = run["c"][:, -1]
    equation = evaluate("mom-steep", END, now=c, first=c[0], rho=run["rho"], t=run["t"])
    assert equation.equal(rtol=1e-6)


@pytest.mark.equation("mom-swinging")
def test_what_lies_between_swings():
    run = critically_damped()
    c = run["c"][:, 1:-1]
    equation = evaluate(
        "mom-swinging",
        {**END, r"\varphi": "angle"},
        now=c,
        first=c[0],
        rho=run["rho"],
        t=run["t"][:, None],
        angle=run["angle"][1:-1],
    )
    assert equation.equal(rtol=1e-6, atol=1e-12)


@pytest.mark.equation("mom-prefactor")
def test_distance_stays_below_that_of_the_steep_end():
    run = critically_damped()
    fragments = {r"\|\theta_t - \theta^\star\|": "now", **DISTANCE}
    values = {"rho": run["rho"], "t": run["t"]}
    norms = run["c"].norm(dim=-1)
    mixed = evaluate("mom-prefactor", fragments, now=norms, distance=norms[0], **values)
    assert mixed.holds().all()
    assert not mixed.tight(rtol=0.1)[5:].any()
    steep = run["c"][:, -1].abs()
    alone = evaluate("mom-prefactor", fragments, now=steep, distance=steep[0], **values)
    assert alone.holds(rtol=1e-6).all()
    assert alone.tight(rtol=1e-6).all()


# What the options of SGD do


def dropping(step: int) -> float:
    return (4e-4, 1e-4, 3e-4)[step // 10 % 3]


@pytest.mark.equation("mom-velocity")
def test_velocity_of_the_papers_is_the_step_of_torch():
    run = valley_run()
    steps = run["theta"].diff(dim=0)
    velocity = torch.cat([torch.zeros_like(steps[:1]), steps])
    assert evaluate(
        "mom-velocity",
        {r"V_{t+1}": "after", r"V_t": "before", r"\nabla f(\theta_t)": "grad"},
        after=velocity[1:],
        before=velocity[:-1],
        grad=run["grad"][:-1],
        eta=2e-4,
        beta=0.8,
    ).equal(rtol=1e-9, atol=1e-12)


LAG = {
    r"\theta^{\text{paper}} - \theta^{\text{torch}}": "lag",
    r"\eta'": "after",
    r"\eta": "before",
}


@pytest.mark.equation("mom-lag")
def test_papers_form_coasts_after_the_rate_has_changed():
    for before, after, momentum in ((0.1, 0.01, 0.9), (0.02, 0.3, 0.7), (1.0, 0.5, 0.99)):
        grads = normal(60, seed=3)
        paper = torch_form = velocity = buffer = 0.0
        lags, at_change = [], None
        for step, grad in enumerate(grads.tolist()):
            lr = before if step < 25 else after
            if step == 25:
                at_change = buffer
            velocity = momentum * velocity - lr * grad
            buffer = momentum * buffer + grad
            paper, torch_form = paper + velocity, torch_form - lr * buffer
            lags.append(paper - torch_form)
        np.testing.assert_allclose(lags[:25], 0, atol=1e-14)
        k = torch.arange(1, 36)
        equation = evaluate(
            "mom-lag",
            LAG,
            lag=lags[25:],
            before=before,
            after=after,
            beta=momentum,
            k=k,
            b=at_change,
        )
        assert equation.equal(rtol=1e-9, atol=1e-13)
        in_theory = theory.velocity_lag(before, after, momentum, at_change, k)
        np.testing.assert_allclose(equation.right, in_theory)


@pytest.mark.equation("mom-rate-ratio")
def test_torch_scales_the_last_step_when_the_rate_changes():
    run = sgd_of_torch(problems.rosenbrock(), 30, dropping, momentum=0.8)
    lr = torch.tensor([dropping(step) for step in range(31)], dtype=torch.float64)[:, None]
    theta = run["theta"]
    assert evaluate(
        "mom-rate-ratio",
        {**BALL, r"\eta_t": "lr", r"\eta_{t-1}": "last"},
        after=theta[2:],
        before=theta[1:-1],
        earlier=theta[:-2],
        grad=run["grad"][1:-1],
        lr=lr[1:-1],
        last=lr[:-2],
        beta=0.8,
    ).equal(rtol=1e-9, atol=1e-12)


@pytest.mark.claim(
    cite="goyal2017accurate",
    says="""A velocity that holds the learning rate follows the form that does not, if the velocity
    is multiplied by the ratio of the rates whenever the rate changes.""",
    conditions="""Rosenbrock's valley, three rates in turn: how far apart the paths come, with the
    ratio and without""",
)
def test_momentum_correction_gives_the_path_of_torch(record):
    problem = problems.rosenbrock()
    by_torch = sgd_of_torch(problem, 30, dropping, momentum=0.8)["theta"]
    for corrected in (True, False):
        theta, velocity, last = problem.start, torch.zeros(2, dtype=torch.float64), dropping(0)
        path = [theta]
        for step in range(30):
            lr = dropping(step)
            ratio = lr / last if corrected else 1.0
            velocity = 0.8 * ratio * velocity - lr * problem.gradient(theta)
            theta, last = theta + velocity, lr
            path.append(theta)
        apart = (torch.stack(path) - by_torch).abs().amax()
        if corrected:
            record(apart, 0.0, abs=1e-12)
        else:
            record(apart, at_least(1e-3))


@pytest.mark.equation("mom-dampened")
def test_dampened_buffer_is_that_of_torch_but_for_its_first():
    run = valley_run(dampening=0.6)
    torch.testing.assert_close(run["b"][1], run["grad"][0])
    assert evaluate(
        "mom-dampened",
        NOW,
        after=run["b"][2:],
        before=run["b"][1:-1],
        grad=run["grad"][1:-1],
        beta=0.8,
        tau=0.6,
    ).equal()
    level = sgd_of_torch(slope(2.0), 20, constant(0.1), momentum=0.9, dampening=0.9)
    torch.testing.assert_close(level["b"][1:, 0], torch.full((20,), 2.0, dtype=torch.float64))
    rate = (level["theta"][-2] - level["theta"][-1]) / 2.0
    assert rate.item() == pytest.approx(theory.momentum_effective_lr(0.1, 0.9, 0.9))


@cache
def decayed() -> dict[str, np.ndarray]:
    """Let PyTorch's SGD with weight decay come to rest; return where, mode by mode."""
    eigenvalues = torch.tensor([0.1, 1.0, 5.0], dtype=torch.float64)
    minimizer = torch.tensor([2.0, -1.0, 3.0], dtype=torch.float64)
    problem = Problem(
        "shifted bowl",
        lambda theta: 0.5 * (eigenvalues * (theta - minimizer) ** 2).sum(-1),
        torch.zeros(3, dtype=torch.float64),
        minimizer,
    )
    run = sgd_of_torch(problem, 3000, constant(0.1), momentum=0.9, weight_decay=0.3)
    return {"rest": run["theta"][-1], "eigenvalues": eigenvalues, "minimizer": minimizer}


@pytest.mark.equation("mom-decay")
def test_weight_decay_pulls_flat_directions_to_zero():
    run = decayed()
    equation = evaluate(
        "mom-decay",
        {
            r"\theta_i": "rest",
            r"\theta^\star_i": "minimizer",
            r"\lambda_i": "eigenvalues",
            r"\lambda_{\text{wd}}": "decay",
        },
        decay=0.3,
        **run,
    )
    assert equation.equal(rtol=1e-8)


@cache
def decayed_outside() -> tuple[float, float]:
    """Search the decay outside the gradient that rests nearest to there, and how near."""
    inside = decayed()

    def apart(decay: float) -> float:
        theta = buffer = torch.zeros(3, dtype=torch.float64)
        for _ in range(2000):
            buffer = 0.9 * buffer + inside["eigenvalues"] * (theta - inside["minimizer"])
            theta = (1 - 0.1 * decay) * theta - 0.1 * buffer
        return float((theta - inside["rest"]).norm())

    best = minimize_scalar(apart, bounds=(0.1, 10), method="bounded", options={"xatol": 1e-6})
    return best.x, best.fun


@pytest.mark.equation("mom-decoupled")
def test_decay_outside_the_gradient_rests_there_if_it_is_as_much_larger():
    outside, apart = decayed_outside()
    assert apart < 1e-5
    equation = evaluate(
        "mom-decoupled",
        {r"\lambda'_{\text{wd}}": "outside", r"\lambda_{\text{wd}}": "inside"},
        outside=outside,
        inside=0.3,
        beta=0.9,
    )
    assert equation.equal(rtol=1e-4)


# Noise


@cache
def stationary() -> dict[str, np.ndarray]:
    """Solve the Lyapunov equation for some settings; return them with the second moments."""
    rows = []
    for lr, momentum, curvature, variance in (
        (0.01, 0.9, 1.0, 1.0),
        (0.1, 0.0, 1.0, 1.0),
        (0.7, 0.4, 3.0, 2.5),
        (1.8, 0.6, 1.5, 0.3),
    ):
        matrix = np.array([[1 + momentum - lr * curvature, -momentum], [1.0, 0.0]])
        noise = np.diag([lr**2 * variance, 0.0])
        spread = solve_discrete_lyapunov(matrix, noise)
        rows.append((lr, momentum, curvature, variance, spread[0, 0], spread[0, 1]))
    names = ("eta", "beta", "curvature", "variance", "P", "Q")
    return dict(zip(names, np.array(rows).T, strict=True))


NOISE = {r"\lambda": "curvature", r"\sigma^2": "variance"}


@pytest.mark.equation("mom-second")
def test_mean_square_reproduces_itself():
    assert evaluate("mom-second", NOISE, **stationary()).equal(rtol=1e-9)


@pytest.mark.equation("mom-cross")
def test_mean_product_reproduces_itself():
    moments = {name: value for name, value in stationary().items() if name != "variance"}
    equation = evaluate("mom-cross", {r"\lambda": "curvature"}, **moments)
    assert equation.equal(rtol=1e-9)


@cache
def noisy_runs() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Simulate SGD on a noisy parabola; return settings, mean squares and their half-widths."""
    settings = stationary()
    lr, momentum, curvature, variance = (
        torch.from_numpy(settings[name])[:, None, None]
        for name in ("eta", "beta", "curvature", "variance")
    )
    runs, steps = 2000, 700
    start = torch.zeros(len(lr), runs, 1, dtype=torch.float64)
    noise = problems.GaussianNoise(1.0, seed=0)
    trace = minimize(
        lambda theta: 0.5 * (curvature * theta**2).sum(-1),
        start,
        SGD,
        num_steps=steps,
        log_every=20,
        noise=lambda theta: variance.sqrt() * noise(theta),
        lr=lr,
        momentum=momentum,
    )
    squares = trace.params[-10:, ..., 0].square().mean(0)  # runs are independent, rows are not
    half = 1.96 * squares.std(-1) / math.sqrt(runs)
    return settings, squares.mean(-1).numpy(), half.numpy()


@pytest.mark.equation("mom-floor")
def test_noise_floor_is_that_of_the_lyapunov_equation_and_of_a_simulation():
    settings, measured, half = noisy_runs()
    values = {name: settings[name] for name in ("eta", "beta", "curvature", "variance")}
    fragments = {r"\mathbb{E}[c^2]": "floor", **NOISE}
    exact = evaluate("mom-floor", fragments, floor=settings["P"], **values)
    assert exact.equal(rtol=1e-9)
    assert (half < 0.06 * measured).all()
    assert (np.abs(exact.right - measured) < 2 * half).all()
    in_theory = theory.momentum_noise_floor(
        *(torch.from_numpy(values[name]) for name in ("eta", "beta", "curvature", "variance"))
    )
    np.testing.assert_allclose(exact.right, in_theory)


@pytest.mark.equation("mom-floor-matched")
def test_noise_floor_in_terms_of_the_effective_rate():
    settings = stationary()
    assert evaluate(
        "mom-floor-matched",
        {r"\mathbb{E}[c^2]": "floor", r"\eta_{\text{eff}}": "effective", **NOISE},
        floor=settings["P"],
        effective=settings["eta"] / (1 - settings["beta"]),
        beta=settings["beta"],
        curvature=settings["curvature"],
        variance=settings["variance"],
    ).equal(rtol=1e-9)


def steps_to_target(batch_size: float, momentum: np.ndarray, effective: np.ndarray) -> np.ndarray:
    """Count the steps until the expected loss of a noisy bowl is a twentieth of the first.

    The second moments are carried exactly, one set per momentum and effective rate.
    """
    curvature = 1 / np.arange(1.0, 101.0)
    variance = curvature / batch_size
    beta = momentum[:, None, None]
    lr = effective[None, :, None] * (1 - beta)
    a = 1 + beta - lr * curvature
    p = q = r = np.ones(np.broadcast_shapes(a.shape))
    steps = np.full(p.shape[:2], np.inf)
    target = 0.05 * curvature.sum()
    for step in range(1, 1301):
        after = a**2 * p - 2 * a * beta * q + beta**2 * r + lr**2 * variance
        p, q, r = np.minimum(after, 1e9), np.clip(a * p - beta * q, -1e9, 1e9), p
        reached = (curvature * p).sum(-1) < target
        steps[reached & np.isinf(steps)] = step
    return steps


@pytest.mark.claim(
    cite="zhang2019which",
    says="""On a noisy quadratic, momentum saves next to no steps at small batches, and many at
    large ones.""",
    conditions="""100 curvatures from 1 to 1/100, noise of that spectrum, steps to a twentieth of
    the first loss, rate and momentum tuned, batches of 1 and of a million: the steps without
    momentum over those with it""",
)
def test_momentum_saves_steps_at_large_batches_only(record):
    momentum = np.array([0.0, 0.3, 0.5, 0.7, 0.9])
    effective = np.geomspace(1e-2, 30, 50)
    saved = {}
    for batch_size in (1.0, 1e6):
        best = steps_to_target(batch_size, momentum, effective).min(axis=1)
        saved[batch_size] = best[0] / best.min()
    record(saved[1.0], 1.0, abs=0.05)
    record(saved[1e6], at_least(2))


# Nesterov


def nesterov(
    problem: Problem, lr: float, momentum: Callable[[int], float], num_steps: int
) -> dict[str, Tensor]:
    """Run the papers' form: gradients at y, results in x."""
    x = y = problem.start
    rows = [(x, y)]
    for step in range(num_steps):
        after = y - lr * problem.gradient(y)
        y = after + momentum(step) * (after - x)
        x = after
        rows.append((x, y))
    columns = (torch.stack(column) for column in zip(*rows, strict=True))
    return dict(zip(("x", "y"), columns, strict=True))


AHEAD = {r"x_{t+1}": "after", r"x_t": "before", r"y_{t+1}": "ahead"}


@pytest.mark.equation("mom-nesterov")
def test_results_of_nesterov_are_one_gradient_step_behind_the_parameters_of_torch():
    problem, run = problems.rosenbrock(), valley_run(nesterov=True)
    x = nesterov(problem, 2e-4, constant(0.8), 30)["x"]
    assert evaluate(
        "mom-nesterov",
        {r"x_{t+1}": "after", r"y_t": "here", r"\nabla f(y_t)": "grad"},
        after=x[1:],
        here=run["theta"][:-1],
        grad=run["grad"][:-1],
        eta=2e-4,
    ).equal(rtol=1e-11)


@pytest.mark.equation("mom-ahead")
def test_parameters_of_torch_lie_ahead_of_its_results():
    run = valley_run(nesterov=True)
    after = run["theta"][:-1] - 2e-4 * run["grad"][:-1]
    before = torch.cat([run["theta"][:1], after[:-1]])
    assert evaluate(
        "mom-ahead", AHEAD, ahead=run["theta"][1:], after=after, before=before, beta=0.8
    ).equal(rtol=1e-11)


@pytest.mark.equation("mom-sutskever")
def test_step_of_nesterov_is_a_velocity_whose_gradient_comes_after_it():
    problem = problems.rosenbrock()
    x = nesterov(problem, 2e-4, constant(0.8), 30)["x"]
    steps = x.diff(dim=0)
    before = torch.cat([torch.zeros_like(steps[:1]), steps[:-1]])
    assert evaluate(
        "mom-sutskever",
        {
            r"V_{t+1}": "after",
            r"\nabla f(x_t + \beta V_t)": "grad",
            r"V_t": "before",
        },
        after=steps,
        before=before,
        grad=problem.gradient(x[:-1] + 0.8 * before),
        eta=2e-4,
        beta=0.8,
    ).equal(rtol=1e-9, atol=1e-12)


@pytest.mark.equation("mom-back")
def test_results_come_back_from_the_parameters_of_torch():
    problem, run = problems.rosenbrock(), valley_run(nesterov=True)
    x = nesterov(problem, 2e-4, constant(0.8), 30)["x"]
    assert evaluate(
        "mom-back",
        {r"x_t": "result", r"y_t": "here", r"b_t": "buffer"},
        result=x,
        here=run["theta"],
        buffer=run["b"],
        eta=2e-4,
        beta=0.8,
    ).equal(rtol=1e-11)


@pytest.mark.equation("mom-torch-nesterov")
def test_nesterov_of_torch_is_that_of_the_papers():
    problem, run = problems.rosenbrock(), valley_run(nesterov=True)
    ours = minimize(
        problem.objective, problem.start, SGD, num_steps=30, lr=2e-4, momentum=0.8, nesterov=True
    )
    for path in (run["theta"], ours.params, nesterov(problem, 2e-4, constant(0.8), 30)["y"]):
        assert evaluate(
            "mom-torch-nesterov",
            {r"y_{t+1}": "after", r"y_t": "here", r"\nabla f(y_t)": "grad", r"b_{t+1}": "buffer"},
            after=path[1:],
            here=path[:-1],
            grad=problem.gradient(path[:-1]),
            buffer=run["b"][1:],
            eta=2e-4,
            beta=0.8,
        ).equal(rtol=1e-11)


@pytest.mark.claim(
    cite="sutskever2013importance",
    says=r"""Nesterov's method is momentum whose gradient is taken after the velocity:
    $V_{t+1} = \beta V_t - \eta\nabla f(\theta_t + \beta V_t)$,
    $\theta_{t+1} = \theta_t + V_{t+1}$.""",
    conditions="the largest distance from this chapter's form, 30 steps in Rosenbrock's valley",
)
def test_gradient_after_the_velocity_is_nesterov(record):
    problem = problems.rosenbrock()
    theta, velocity, path = problem.start, torch.zeros(2, dtype=torch.float64), [problem.start]
    for _ in range(30):
        velocity = 0.8 * velocity - 2e-4 * problem.gradient(theta + 0.8 * velocity)
        theta = theta + velocity
        path.append(theta)
    expected = nesterov(problem, 2e-4, constant(0.8), 30)["x"]
    record((torch.stack(path) - expected).abs().max(), 0.0, abs=1e-12)


def rising(step: int) -> float:
    return (step + 1) / (step + 4)


def scheduled_in_torch(problem: Problem, num_steps: int, *, rescaled: bool) -> dict[str, Tensor]:
    """Schedule ``momentum`` in PyTorch's SGD, with the buffer rescaled before each step or not."""
    theta = problem.start.clone().requires_grad_()
    sgd = torch.optim.SGD([theta], lr=2e-4, momentum=rising(0), nesterov=True)
    rows = []
    for step in range(num_steps):
        sgd.zero_grad()
        problem.objective(theta).backward()
        buffer = sgd.state[theta].get("momentum_buffer", torch.zeros_like(theta))
        rows.append((theta.detach().clone(), theta.grad.clone(), buffer.clone()))
        if rescaled and step:
            buffer.mul_(rising(step - 1) / rising(step))
        sgd.param_groups[0]["momentum"] = rising(step)
        sgd.step()
    columns = (torch.stack(column) for column in zip(*rows, strict=True))
    return dict(zip(("y", "grad", "b"), columns, strict=True))


@pytest.mark.equation("mom-scheduled")
def test_rescaled_buffer_lets_torch_follow_the_papers_schedule():
    problem = problems.rosenbrock()
    paper = nesterov(problem, 2e-4, rising, 30)["y"][:30]
    exact = scheduled_in_torch(problem, 30, rescaled=True)
    torch.testing.assert_close(exact["y"], paper, rtol=1e-12, atol=1e-13)
    beta = torch.tensor([rising(step) for step in range(30)], dtype=torch.float64)[:, None]
    assert evaluate(
        "mom-scheduled",
        {
            r"y_{t+1}": "after",
            r"y_t": "here",
            r"\nabla f(y_t)": "grad",
            r"b_t": "buffer",
            r"\beta_t": "last",
            r"\beta_{t+1}": "beta",
        },
        after=paper[2:],
        here=paper[1:-1],
        grad=exact["grad"][1:-1],
        buffer=exact["b"][1:-1],
        last=beta[:-2],
        beta=beta[1:-1],
        eta=2e-4,
    ).equal(rtol=1e-11)
    as_it_is = scheduled_in_torch(problem, 30, rescaled=False)["y"]
    assert (as_it_is - paper).norm(dim=-1)[5:].min() > 1e-3


@pytest.mark.equation("mom-nesterov-char")
def test_factors_of_a_step_of_nesterov_solve_their_equation():
    product, momentum = grid()
    roots = factors("nesterov", product, momentum)
    real = roots.imag.abs().amax(-1) < 1e-12
    assert 0.1 < real.double().mean() < 0.99
    equation = evaluate(
        "mom-nesterov-char",
        {r"\lambda": "curvature"},
        r=roots.real[real],
        eta=(product / 2).expand(60, 40)[real][:, None],
        beta=momentum.expand(60, 40)[real][:, None],
        curvature=2.0,
    )
    assert equation.equal(atol=1e-11)
    in_theory = theory.nesterov_rate(2.0, product / 2, momentum)
    np.testing.assert_allclose(in_theory, roots.abs().amax(-1), atol=1e-7)


@pytest.mark.equation("mom-nesterov-modulus")
def test_steeper_swings_of_nesterov_shrink_faster():
    product, momentum = grid()
    roots = factors("nesterov", product, momentum)
    swings = roots.imag.abs().amax(-1) > 1e-9
    assert swings.sum() > 20
    assert evaluate(
        "mom-nesterov-modulus",
        {r"|r|": "modulus", r"\lambda": "curvature"},
        modulus=roots[swings].abs(),
        beta=momentum.expand(60, 40)[swings][:, None],
        eta=(product / 2).expand(60, 40)[swings][:, None],
        curvature=2.0,
    ).equal()


@pytest.mark.equation("mom-nesterov-stable")
def test_nesterov_settles_exactly_inside_its_narrower_interval():
    product, momentum, ran = settled("nesterov")
    fragments = {r"\eta\lambda": "product"}
    equation = evaluate("mom-nesterov-stable", fragments, product=product, beta=momentum)
    assert equation.signs == ("<", "<")
    np.testing.assert_array_equal(equation.holds(), ran)
    assert not evaluate("mom-nesterov-stable", fragments, product=0.0, beta=0.5).holds()
    limits = [theory.nesterov_max_lr(1.0, beta) for beta in momentum.tolist()]
    np.testing.assert_allclose(equation.right[0], limits)


@cache
def fastest_nesterov() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search the best momentum of Nesterov on bowls at the rate 1/L, and its factor."""
    kappas = np.array([3.0, 30.0, 500.0])
    found = []
    for kappa in kappas:
        curvatures = torch.linspace(1 / kappa, 1, 9, dtype=torch.float64)
        best = minimize_scalar(
            lambda beta, curvatures=curvatures: float(
                factors("nesterov", curvatures, torch.tensor(beta)).abs().amax()
            ),
            bounds=(0, 1),
            method="bounded",
            options={"xatol": 1e-10},
        )
        found.append((best.x, best.fun))
    return kappas, *np.array(found).T


@pytest.mark.equation("mom-nesterov-momentum")
def test_momentum_of_nesterov_is_the_best_on_a_bowl():
    kappas, best, _ = fastest_nesterov()
    for momentum in (best, [theory.nesterov_momentum(kappa) for kappa in kappas]):
        assert evaluate("mom-nesterov-momentum", beta=momentum, kappa=kappas).equal(rtol=1e-4)


@pytest.mark.equation("mom-nesterov-rate")
def test_factor_of_nesterov_on_a_bowl():
    kappas, _, least = fastest_nesterov()
    assert evaluate("mom-nesterov-rate", rho=least, kappa=kappas).equal(rtol=1e-4)


def logistic(strong_convexity: float) -> tuple[Problem, float]:
    """Return a regularized logistic regression and its smoothness."""
    input = normal(60, 5, seed=7) * torch.tensor([3.0, 1.0, 0.5, 0.2, 0.1])
    label = 1 - 2 * (input @ normal(5, seed=8) + normal(60, seed=9) > 0).double()

    def objective(theta: Tensor) -> Tensor:
        fit = torch.nn.functional.softplus(label * (theta @ input.T)).mean(-1)
        return fit + 0.5 * strong_convexity * theta.square().sum(-1)

    curvature = torch.linalg.eigvalsh(input.T @ input / 240)[-1].item()
    theta = torch.zeros(5, dtype=torch.float64)
    for _ in range(100):  # Newton's method, for a minimizer good to rounding
        grad = value_and_gradient(objective, theta)[1]
        hessian = torch.autograd.functional.hessian(objective, theta)
        theta = theta - torch.linalg.solve(hessian, grad)
    start = 2 * normal(5, seed=10)
    return Problem("logistic", objective, start, theta), curvature + strong_convexity


@cache
def smooth_problems() -> list[tuple[Problem, float, float]]:
    """Return convex problems with their smoothness and strong convexity, 0 for none."""
    input, target = normal(20, 4, seed=1), normal(20, seed=2)
    squares = problems.least_squares(input, target)
    spectrum = torch.linalg.eigvalsh(2 / 20 * input.T @ input)
    return [
        (problems.quadratic([0.02, 0.3, 1.0]), 1.0, 0.02),
        (squares, spectrum[-1].item(), spectrum[0].item()),
        (*logistic(0.01), 0.01),
        (problems.lessard(), 25.0, 1.0),
        (problems.chain(101), 1.0, 0.0),
        (problems.quadratic([0.0, 0.001, 1.0]), 1.0, 0.0),
    ]


BOUND = {r"f(\theta_0)": "first", **EXCESS, **DISTANCE}


@cache
def strongly_convex_runs() -> list[dict]:
    runs = []
    for problem, smoothness, strong_convexity in smooth_problems():
        if not strong_convexity:
            continue
        kappa = smoothness / strong_convexity
        momentum = theory.nesterov_momentum(kappa)
        x = nesterov(problem, 1 / smoothness, constant(momentum), 300)["x"]
        lowest = problem.objective(problem.minimizer)
        runs.append(
            {
                "x": x,
                "now": problem.objective(x) - lowest + 0.9,
                "first": problem.objective(x[0]) - lowest + 0.9,
                "distance": (x[0] - problem.minimizer).norm(),
                "mu": strong_convexity,
                "kappa": kappa,
            }
        )
    return runs


@pytest.mark.equation("mom-nesterov-bound")
def test_strongly_convex_losses_keep_the_promise():
    ratios = []
    for run in strongly_convex_runs():
        values = {name: value for name, value in run.items() if name != "x"}
        t = torch.arange(301)
        equation = evaluate("mom-nesterov-bound", BOUND, t=t, lowest=0.9, **values)
        assert equation.holds(atol=ROUNDING).all()
        in_theory = theory.nesterov_linear_bound(
            run["kappa"] * run["mu"], run["mu"], run["first"] - 0.9, run["distance"], t
        )
        np.testing.assert_allclose(equation.right, in_theory)
        ratios.append((equation.left / equation.right)[:20].max())
    assert max(ratios) > 0.9
    at_rest = {"now": -1.0, "first": -1.0, "lowest": -1.0, "distance": 0.0}
    equation = evaluate("mom-nesterov-bound", BOUND, **at_rest, t=0, mu=1.0, kappa=4.0)
    assert equation.holds()


def test_potential_of_nesterov_falls_by_the_factor_of_the_proof():
    worst = []
    for (problem, _, strong), run in zip(
        [each for each in smooth_problems() if each[2]], strongly_convex_runs(), strict=True
    ):
        q = 1 / math.sqrt(run["kappa"])
        x = torch.cat([run["x"][:1], run["x"]])
        z = x[1:] + (1 - q) / q * x.diff(dim=0)
        potential = run["now"] - 0.9 + strong / 2 * (z - problem.minimizer).square().sum(-1)
        alive = potential[:-1] > 1e-9
        ratio = (potential[1:] / potential[:-1])[alive] / (1 - q)
        assert (ratio <= 1 + 1e-6).all()
        worst.append(ratio.max())
    assert max(worst) > 0.97  # the factor is all but reached


@pytest.mark.equation("mom-schedule")
def test_schedule_is_that_of_the_proof():
    problem = problems.chain(9)
    x = z = problem.start
    rows = []
    for step in range(20):
        weight = 2 / (step + 2)
        y = (1 - weight) * x + weight * z
        rows.append((x, y))
        grad = problem.gradient(y)
        x, z = y - grad, z - grad / weight
    x, y = (torch.stack(column) for column in zip(*rows, strict=True))
    assert evaluate(
        "mom-schedule",
        AHEAD,
        ahead=y[1:],
        after=x[1:],
        before=x[:-1],
        t=torch.arange(19)[:, None],
    ).equal(rtol=1e-10, atol=1e-14)


def scheduled(problem: Problem, smoothness: float, num_steps: int) -> Tensor:
    return nesterov(problem, 1 / smoothness, lambda t: t / (t + 3), num_steps)["x"]


@pytest.mark.equation("mom-nesterov-convex")
def test_convex_losses_keep_the_promise():
    ratios = []
    for problem, smoothness, _ in smooth_problems():
        x = scheduled(problem, smoothness, 300)
        excess = problem.objective(x) - problem.objective(problem.minimizer)
        distance = (x[0] - problem.minimizer).norm()
        t = torch.arange(1, 301)
        equation = evaluate(
            "mom-nesterov-convex",
            {**EXCESS, **DISTANCE},
            now=excess[1:] + 0.5,
            lowest=0.5,
            distance=distance,
            L=smoothness,
            t=t,
        )
        assert equation.holds(atol=ROUNDING).all()
        in_theory = theory.nesterov_convex_bound(smoothness, distance, t)
        np.testing.assert_allclose(equation.right, in_theory)
        ratios.append(float((equation.left / equation.right).max()))
    assert max(ratios) > 0.05
    at_rest = {"now": -1.0, "lowest": -1.0, "distance": 0.0}
    equation = evaluate("mom-nesterov-convex", {**EXCESS, **DISTANCE}, **at_rest, L=1.0, t=1)
    assert equation.holds()


def least_within_reach(dim: int, steps: Tensor, smoothness: float) -> np.ndarray:
    """Return the least excess of the chain over points whose later coordinates are 0."""
    problem = problems.chain(dim, smoothness)
    hessian = torch.autograd.functional.hessian(problem.objective, problem.start)
    slope = problem.gradient(problem.start)
    found = []
    for t in steps.tolist():
        theta = torch.zeros(dim, dtype=torch.float64)
        if t:
            theta[:t] = torch.linalg.solve(hessian[:t, :t], -slope[:t])
        found.append(problem.objective(theta) - problem.objective(problem.minimizer))
    return np.array(found)


@pytest.mark.equation("mom-chain-floor")
def test_nothing_within_reach_of_t_gradients_is_lower():
    dim, smoothness, t = 30, 2.5, torch.arange(31)
    values = {"lowest": 2.0, "L": smoothness, "d": dim, "t": t}
    best = evaluate(
        "mom-chain-floor", EXCESS, now=least_within_reach(dim, t, smoothness) + 2, **values
    )
    assert best.holds(atol=ROUNDING).all()
    np.testing.assert_allclose(best.left, best.right, atol=1e-12)
    np.testing.assert_allclose(best.right, theory.chain_lower_bound(smoothness, dim, t))
    problem = problems.chain(dim, smoothness)
    for x in (scheduled(problem, smoothness, 30), nesterov(problem, 0.4, constant(0.7), 30)["x"]):
        excess = problem.objective(x) - problem.objective(problem.minimizer)
        assert evaluate("mom-chain-floor", EXCESS, now=excess + 2, **values).holds().all()


LOWER = {**EXCESS, **DISTANCE}


@pytest.mark.equation("mom-lower")
def test_no_method_has_a_better_order():
    for t, smoothness in ((3, 1.0), (40, 2.0), (200, 1.0)):
        dim = 2 * t + 1
        distance = problems.chain(dim).minimizer.norm()
        best = evaluate(
            "mom-lower",
            LOWER,
            now=least_within_reach(dim, torch.tensor([t]), smoothness) + 2,
            lowest=2.0,
            distance=distance,
            L=smoothness,
            t=t,
        )
        assert best.holds().all()
    np.testing.assert_allclose(best.left, best.right, rtol=0.01)  # and it is nearly reached
    assert best.left[0] > 1e-5
    at_rest = {"now": 1.0, "lowest": 1.0, "distance": 0.0}
    assert evaluate("mom-lower", LOWER, **at_rest, L=1.0, t=1).holds()


@pytest.mark.claim(
    cite="nesterov2004introductory",
    says=r"""There is a convex $L$-smooth function on which no method that combines gradients has an
    excess loss below $3L\|\theta_0 - \theta^\star\|^2/(32(t+1)^2)$ after $t \le (d-1)/2$ steps.""",
    where="Theorem 2.1.7",
    conditions="""Nesterov's momentum, gradient descent and the heavy ball twice on its chain, 60
    steps: the excess over the bound, and the least of the four""",
)
def test_methods_of_this_chapter_stay_above_the_lower_bound(record):
    t = 60
    problem = problems.chain(2 * t + 1)
    lowest, radius = problem.objective(problem.minimizer), problem.minimizer.norm()
    limit = 3 * radius**2 / (32 * (t + 1) ** 2)
    lr, momentum = theory.heavy_ball_best(1.0, 1e-3)
    runs = [scheduled(problem, 1.0, t)]
    for options in ({"lr": 1.0}, {"lr": lr, "momentum": momentum}, {"lr": 0.5, "momentum": 0.9}):
        run = minimize(problem.objective, problem.start, SGD, num_steps=t, **options)
        runs.append(run.params)
    excess = torch.stack([problem.objective(run[-1]) - lowest for run in runs])
    record(excess / limit, at_least(1))
    record(excess.min() / limit, at_most(6))  # so the bound is not an idle one


# The heavy ball beyond bowls


@cache
def convex_losses() -> list[tuple[Problem, float]]:
    """Return convex losses that are no bowls, or flat ones, with their smoothness."""
    ridge = Problem(
        "logarithm of cosh",
        lambda theta: torch.log(torch.cosh(theta)).sum(-1),
        torch.tensor([3.0, -8.0], dtype=torch.float64),
        torch.zeros(2, dtype=torch.float64),
    )
    return [(problems.chain(120, 2.0), 2.0), (ridge, 1.0), (problems.lessard(), 25.0)]


AVERAGE = {
    r"f(\bar\theta_T)": "now",
    r"f^\star": "lowest",
    r"f(\theta_0)": "first",
    r"\eta_{\text{eff}}": "effective",
    **DISTANCE,
}


def average_excess(problem: Problem, lr: float, momentum: float, steps: Tensor) -> Tensor:
    run = minimize(problem.objective, problem.start, SGD, num_steps=300, lr=lr, momentum=momentum)
    count = torch.arange(1, 302, dtype=torch.float64)[:, None]
    means = run.params.cumsum(0) / count
    return (problem.objective(means) - problem.objective(problem.minimizer))[steps - 1]


@pytest.mark.equation("mom-average")
def test_mean_of_the_ball_comes_down_like_gradient_descent():
    steps, ratios = torch.tensor([1, 2, 10, 50, 300]), []
    for problem, smoothness in convex_losses():
        first = problem.objective(problem.start) - problem.objective(problem.minimizer)
        distance = (problem.start - problem.minimizer).norm()
        for momentum in (0.0, 0.5, 0.95):
            lr = (1 - momentum) / smoothness
            values = {"effective": 1 / smoothness, "beta": momentum, "distance": distance}
            equation = evaluate(
                "mom-average",
                AVERAGE,
                now=average_excess(problem, lr, momentum, steps) + 2,
                lowest=2.0,
                first=first + 2,
                T=steps,
                **values,
            )
            assert equation.holds().all()
            in_theory = theory.heavy_ball_average_bound(
                1 / smoothness, momentum, first.item(), distance.item(), steps
            )
            np.testing.assert_allclose(equation.right, in_theory)
            ratios.append(float((equation.left / equation.right).max()))
    assert max(ratios) > 0.3
    for lowest in (-1.0, 0.5, 2.0):  # at rest in the minimum
        equation = evaluate(
            "mom-average", AVERAGE,
            now=lowest, lowest=lowest, first=lowest, effective=1.0, beta=0.5, distance=0.0, T=1,
        )  # fmt: skip
        assert equation.holds()


@pytest.mark.claim(
    cite="ghadimi2015global",
    says="""On a smooth convex loss the mean of the heavy ball's iterates has an excess loss of the
    order $1/T$.""",
    conditions=r"""Nesterov's chain of 4000 beads, $\beta = 0.9$, $\eta/(1 - \beta) = 1/L$: the
    largest excess over the bound of the chapter, and the slope between $T = 200$ and $2000$ on
    logarithmic axes""",
)
def test_mean_of_the_ball_converges_on_a_convex_loss(record):
    problem = problems.chain(4000)
    run = minimize(problem.objective, problem.start, SGD, num_steps=2000, lr=0.1, momentum=0.9)
    means = run.params.cumsum(0) / torch.arange(1, 2002, dtype=torch.float64)[:, None]
    excess = problem.objective(means[199::200]) - problem.objective(problem.minimizer)
    first = problem.objective(problem.start) - problem.objective(problem.minimizer)
    steps = torch.arange(200, 2001, 200)
    bound = theory.heavy_ball_average_bound(
        1.0, 0.9, first.item(), problem.minimizer.norm().item(), steps
    )
    record((excess / bound).max(), at_most(1))
    record((excess[-1] / excess[0]).log10(), at_most(-0.5))


TRAP = {r"\psi": "angle"}


def goes_round_inside_out(lr: float, momentum: float, strong: float, corners: int) -> bool:
    """Say whether the paper's own function, of curvature 7 in its polygon, keeps the ball at 1.

    Its gradient is `strong` times the point and `7 - strong` times the point of the polygon next to
    it, so a cycle asks that this is the corner that the step needs.
    """
    turn = complex(math.cos(2 * math.pi / corners), math.sin(2 * math.pi / corners))
    pull = (1 + momentum - momentum / turn - turn) / lr
    corner = (pull - strong) / (7.0 - strong)
    nearest = abs(1 - corner)
    parts = np.linspace(0, 1, 2001)
    for neighbour in (corner * turn, corner / turn):
        nearest = min(nearest, np.abs(1 - corner - parts * (neighbour - corner)).min())
    return bool(nearest > abs(1 - corner) - 1e-12)


@pytest.mark.equation("mom-trap")
def test_ball_goes_round_the_polygon_exactly_where_the_inequality_holds():
    generator = torch.Generator().manual_seed(0)
    settings, rounds, inside_out = [], [], []
    for _ in range(250):
        a, b, c, d = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
        momentum, strong, corners = b, 7 * 10 ** (-0.5 - 2 * c), 3 + int(4 * d * d)
        lr = (0.6 + 0.4 * a) * theory.heavy_ball_max_lr(7.0, momentum)
        problem = problems.goujaud(lr, momentum, 7.0, strong, corners)
        angle = 2 * math.pi / corners
        turns = angle * torch.arange(-1, 2, dtype=torch.float64)
        before, now, expected = torch.stack([turns.cos(), turns.sin()], -1)
        after = now - lr * problem.gradient(now) + momentum * (now - before)
        settings.append((lr, momentum, strong, angle, corners))
        rounds.append(bool((after - expected).norm() < 1e-9))
        inside_out.append(goes_round_inside_out(lr, momentum, strong, corners))
    lr, momentum, strong, angle, corners = np.array(settings).T
    values = {"eta": lr, "beta": momentum, "mu": strong, "angle": angle}
    equation = evaluate("mom-trap", TRAP, **values, L=7.0)
    assert equation.signs == ("≤",)
    assert 0.1 < np.mean(rounds) < 0.9
    np.testing.assert_array_equal(equation.holds(), rounds)
    np.testing.assert_array_equal(inside_out, rounds)
    in_theory = theory.heavy_ball_trapped(
        *(torch.from_numpy(each) for each in (lr, momentum)), 7.0, torch.from_numpy(strong),
        torch.from_numpy(corners),
    )  # fmt: skip
    np.testing.assert_array_equal(in_theory, rounds)


@pytest.mark.claim(
    cite="goujaud2025provable",
    says=r"""Whatever its rate and momentum, the heavy ball either gains no more than a constant
    over $\kappa$ per step on quadratics, or goes round for ever on some smooth strongly convex
    function.""",
    conditions=r"""a grid of 250 rates and 400 momenta, polygons of up to 60 corners, at
    $\kappa = 100$, $1000$ and $10^4$: $\kappa$ times what the fastest pair that no polygon traps
    gains on a bowl, and how many polygons trap the pair that is best there""",
)
def test_pairs_that_no_polygon_traps_are_not_accelerated(record):
    lr = torch.logspace(-2.5, 0.6, 250, dtype=torch.float64)[:, None]
    momentum = 1 - torch.logspace(0, -4, 400, dtype=torch.float64)
    for kappa in (100.0, 1000.0, 10_000.0):
        ends = torch.tensor([1.0 / kappa, 1.0], dtype=torch.float64)[:, None, None]
        rate = theory.heavy_ball_rate(ends, lr, momentum).amax(0)
        trapped = torch.zeros_like(rate, dtype=torch.bool)
        for corners in range(3, 61):
            trapped |= theory.heavy_ball_trapped(lr, momentum, 1.0, 1 / kappa, corners)
        best = (1 - rate[~trapped].min()) * kappa
        record(best, 15.0, abs=5.0)
        caught = theory.heavy_ball_trapped(
            *theory.heavy_ball_best(1.0, 1 / kappa), 1.0, 1 / kappa, torch.arange(3, 61)
        )
        record(caught.sum(), at_least(1))


@cache
def cycling() -> Tensor:
    problem = problems.lessard()
    run = minimize(problem.objective, problem.start, SGD, num_steps=300, lr=1 / 9, momentum=4 / 9)
    return run.params[:, 0]


@pytest.mark.equation("mom-cycle")
def test_ball_on_lessards_function_follows_the_printed_recursion():
    path = cycling()[4:]
    assert not ((path >= 1) & (path < 2)).any()
    values = {
        "after": path[2:],
        "now": path[1:-1],
        "before": path[:-2],
        "high": (path[1:-1] >= 2).double(),
    }
    fragments = {
        r"\theta_{t+1}": "after",
        r"\theta_t": "now",
        r"\theta_{t-1}": "before",
        r"s_t": "high",
    }
    assert evaluate("mom-cycle", fragments, **values).equal(atol=1e-12)
    p, q, r = theory.heavy_ball_cycle()
    for before, now, after in ((r, p, q), (p, q, r), (q, r, p)):
        equation = evaluate(
            "mom-cycle", fragments, before=before, now=now, after=after, high=float(now >= 2)
        )
        assert equation.equal()


@pytest.mark.claim(
    cite="lessard2016analysis",
    says="""The heavy ball, at the settings that are best for a quadratic, has a cycle of three
    points on a smooth strongly convex function.""",
    where="Section 4.6",
    conditions="their function of curvatures 25, 1 and 25; Nesterov's momentum arrives there",
)
def test_heavy_ball_goes_in_circles(record):
    last = cycling()[-3:].sort().values
    expected = torch.tensor(theory.heavy_ball_cycle(), dtype=torch.float64).sort().values
    record(last, expected, rel=1e-12)
    assert theory.heavy_ball_best(25.0, 1.0) == pytest.approx((1 / 9, 4 / 9))
    problem = problems.lessard()
    arrives = nesterov(problem, 1 / 25, constant(theory.nesterov_momentum(25.0)), 300)["x"]
    record(arrives[-1], 0.0, abs=1e-10)
