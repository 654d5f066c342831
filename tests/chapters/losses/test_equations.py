"""The chapter on losses: each printed equation against what it is about.

Every test reads the formula from the page, see :mod:`printed`, and takes no argument, so that
:mod:`mutations` can call it again with the formula changed. What is slow is measured once. An
interval of a simulation is four standard errors to each side.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from draws import normal, uniform
from printed import Printed, evaluate
from scipy.integrate import quad
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import expon, gmean, norm
from sklearn.metrics import mean_pinball_loss
from torch import Tensor
from torch.autograd.functional import hessian
from torch.distributions import Categorical, Exponential, Laplace, Normal, Poisson, kl_divergence
from torch.nn import functional

from descent import losses
from descent.chapters.losses import theory
from descent.press.claims import at_least


def slope(function: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """Differentiate what acts on each element by itself."""
    at = at.clone().requires_grad_()
    return torch.autograd.grad(function(at).sum(), at)[0]


def lowest(loss: Callable[[Tensor], Tensor], *shape: int) -> Tensor:
    """Return where a convex loss of float64 parameters is least, searched from zero."""
    found = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [found],
        max_iter=500,
        tolerance_grad=1e-12,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        search.zero_grad()
        value = loss(found)
        value.backward()
        return value

    search.step(closure)
    return found.detach()


def logits_and_target(num_samples: int = 40, num_classes: int = 5) -> tuple[Tensor, Tensor]:
    return 3 * normal(num_samples, num_classes), torch.arange(num_samples) % num_classes


def assert_in_interval(equation: Printed, margin: object) -> None:
    assert equation.signs == ("=",)
    assert (np.abs(equation.left - equation.right) <= np.asarray(margin)).all()


# Where does a loss come from?


@pytest.mark.equation("ls-gaussian")
def test_squared_error_is_the_density_of_gaussian_noise():
    input, y, deviation = normal(20), normal(20, seed=1), uniform(0.2, 3, 20)
    assert evaluate(
        "ls-gaussian",
        {r"\ln p(y)": "log_prob", r"\hat y": "input"},
        log_prob=Normal(input, deviation).log_prob(y),
        input=input,
        y=y,
        s=deviation,
        pi=math.pi,
    ).equal()


@pytest.mark.equation("ls-laplace")
def test_absolute_error_is_the_density_of_laplace_noise():
    input, y, b = normal(20), normal(20, seed=1), uniform(0.2, 3, 20)
    assert evaluate(
        "ls-laplace",
        {r"\ln p(y)": "log_prob", r"\hat y": "input"},
        log_prob=Laplace(input, b).log_prob(y),
        input=input,
        y=y,
        b=b,
    ).equal()


@pytest.mark.equation("ls-poisson")
def test_poisson_loss_is_the_probability_of_a_count():
    z, y = normal(20), torch.arange(20, dtype=torch.float64) % 6
    values = {"z": z, "y": y, "log_factorial": torch.lgamma(y + 1), "e": math.e}
    names = {r"\ln p(y)": "log_prob", r"\ln y!": "log_factorial"}
    assert evaluate("ls-poisson", names, log_prob=Poisson(z.exp()).log_prob(y), **values).equal()
    in_torch = functional.poisson_nll_loss(z, y, reduction="none") + values["log_factorial"]
    assert evaluate("ls-poisson", names, log_prob=-in_torch, **values).equal()
    by_autograd = slope(lambda z: functional.poisson_nll_loss(z, y, reduction="none"), z)
    torch.testing.assert_close(by_autograd, z.exp() - y)


@pytest.mark.equation("ls-waiting")
def test_loss_of_a_waiting_time_is_the_density_of_an_exponential():
    z, y = normal(20), uniform(0.1, 5, 20)
    log_prob = Exponential((-z).exp()).log_prob(y)
    assert evaluate(
        "ls-waiting", {r"\ln p(y)": "log_prob"}, log_prob=log_prob, z=z, y=y, e=math.e
    ).equal()
    relative = slope(lambda z: -Exponential((-z).exp()).log_prob(y), z)
    torch.testing.assert_close(relative, (z.exp() - y) / z.exp())


@pytest.mark.equation("ls-decay")
def test_weight_decay_is_the_belief_that_parameters_are_small():
    x, noise = normal(40, 3), normal(40, seed=1)
    target = x @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64) + 0.7 * noise
    for num_samples in (10, 40):
        for belief in (0.3, 2.0):

            def nll(theta: Tensor, n: int = num_samples) -> Tensor:
                return -Normal(x[:n] @ theta, 0.7).log_prob(target[:n]).mean()

            def posterior(
                theta: Tensor, nll: Callable = nll, n: int = num_samples, belief: float = belief
            ) -> Tensor:
                return n * nll(theta) - Normal(0.0, belief).log_prob(theta).sum()

            best = lowest(posterior, 3)
            # Where PyTorch's SGD stands still, decay times the parameters cancels the gradient.
            decay = -(slope(nll, best) @ best) / (best @ best)
            assert evaluate(
                "ls-decay",
                {r"\lambda": "decay", r"s_0": "belief"},
                decay=decay,
                N=num_samples,
                belief=belief,
            ).equal(rtol=1e-6)
            param = best.clone().requires_grad_()
            optimizer = torch.optim.SGD([param], lr=0.01, weight_decay=float(decay))
            nll(param).backward()
            optimizer.step()
            torch.testing.assert_close(param.detach(), best, rtol=1e-6, atol=1e-7)


# Which number does it want?


@pytest.mark.equation("ls-mean")
def test_squared_error_is_the_variance_and_the_distance_to_the_mean():
    y = normal(30).exp()
    for c in (-1.0, 0.5, 2.0):
        assert evaluate(
            "ls-mean",
            {
                r"\frac{1}{N} \sum_i (c - y_i)^2": "loss",
                r"\bar y": "mean",
                r"s^2": "variance",
            },
            loss=functional.mse_loss(torch.full_like(y, c), y),
            mean=y.mean(),
            variance=y.var(correction=0),
            c=c,
        ).equal()


@pytest.mark.equation("ls-pinball")
def test_pinball_loss_is_that_of_scikit_learn():
    r, tau = normal(30), uniform(0.05, 0.95, 30)
    loss = [
        mean_pinball_loss([0.0], [residual], alpha=level)
        for residual, level in zip(r.tolist(), tau.tolist(), strict=True)
    ]
    assert evaluate("ls-pinball", {r"\ell_\tau(r)": "loss"}, loss=loss, r=r, tau=tau).equal()
    in_package = [
        float(losses.quantile_loss(residual, torch.zeros_like(residual), quantile=float(level)))
        for residual, level in zip(r, tau, strict=True)
    ]
    np.testing.assert_allclose(in_package, loss)


@pytest.mark.equation("ls-pinball-slope")
def test_slope_of_the_expected_pinball_loss_is_how_far_below_the_quantile():
    def expected(c: float, tau: float) -> float:
        below = quad(lambda y: (1 - tau) * (c - y) * expon.pdf(y), 0, c, epsabs=1e-13)[0]
        above = quad(lambda y: tau * (y - c) * expon.pdf(y), c, np.inf, epsabs=1e-13)[0]
        return below + above

    h = 1e-4
    for c in (0.2, 0.7, 2.0):
        for tau in (0.1, 0.5, 0.9):
            assert evaluate(
                "ls-pinball-slope",
                {r"\frac{d}{dc} \mathbb{E}[\ell_\tau(c - y)]": "slope", r"P(y \le c)": "below"},
                slope=(expected(c + h, tau) - expected(c - h, tau)) / (2 * h),
                below=expon.cdf(c),
                tau=tau,
            ).equal(rtol=1e-6)


@pytest.mark.claim(
    cite="koenker1978regression",
    says="""The sample quantile of a level is where the pinball loss of that level is least: as a
    linear program over residuals, it generalizes to regression.""",
    conditions="101 log-normal samples; the levels 0.1, 0.5 and 0.9",
    verdict="holds",
)
def test_pinball_loss_of_a_sample_is_least_at_its_quantile(record):
    y = np.sort(normal(101).exp().numpy())
    for tau in (0.1, 0.5, 0.9):
        loss = [mean_pinball_loss(y, np.full_like(y, c), alpha=tau) for c in y]
        record(y[np.argmin(loss)], np.quantile(y, tau, method="inverted_cdf"))


# One bad target


@pytest.mark.equation("ls-huber")
def test_huber_loss_is_that_of_torch():
    r = torch.cat([3 * normal(30), torch.zeros(1)])
    for delta in (0.3, 1.0, 2.5):
        loss = functional.huber_loss(r, torch.zeros_like(r), reduction="none", delta=delta)
        assert evaluate(
            "ls-huber", {r"\ell_\delta(r)": "loss"}, loss=loss, r=r, delta=delta
        ).equal()
        smooth = functional.smooth_l1_loss(r, torch.zeros_like(r), reduction="none", beta=delta)
        torch.testing.assert_close(smooth, loss / delta)


@pytest.mark.equation("ls-huber-slope")
def test_slope_of_huber_loss_is_the_clipped_residual():
    r = 3 * normal(30)
    for delta in (0.3, 1.0, 2.5):
        by_autograd = slope(
            lambda r, delta=delta: functional.huber_loss(
                r, torch.zeros_like(r), reduction="sum", delta=delta
            ),
            r,
        )
        assert evaluate(
            "ls-huber-slope", {r"\ell_\delta'(r)": "slope"}, slope=by_autograd, r=r, delta=delta
        ).equal()


def huber_centre(samples: Tensor, delta: float) -> Tensor:
    """Return Huber's estimate of each row's centre, by steps that average clipped residuals."""
    centre = samples.median(-1, keepdim=True).values
    for _ in range(60):
        centre = centre + (samples - centre).clamp(-delta, delta).mean(-1, keepdim=True)
    return centre.squeeze(-1)


@cache
def simulated_efficiency(delta: float) -> tuple[float, float]:
    """Return the variance of the mean over that of Huber's estimate, and four standard errors."""
    parts = []
    for seed in range(10):
        samples = normal(1000, 100, seed=seed)
        parts.append(float(samples.mean(-1).var() / huber_centre(samples, delta).var()))
    return float(np.mean(parts)), float(4 * np.std(parts, ddof=1) / math.sqrt(len(parts)))


def gaussian_mean(function: Callable[[float], float], kinks: tuple[float, ...]) -> float:
    """Integrate a function against the standard normal density."""
    return quad(
        lambda u: function(u) * norm.pdf(u), -12, 12, points=kinks, epsabs=1e-13, epsrel=1e-12
    )[0]


def efficiency(delta: float, measured: float) -> Printed:
    return evaluate(
        "ls-efficiency",
        {
            r"\mathrm{eff}(\delta)": "efficiency",
            r"\Phi(\delta)": "below",
            r"\varphi(\delta)": "density",
        },
        efficiency=measured,
        below=norm.cdf(delta),
        density=norm.pdf(delta),
        delta=delta,
    )


@pytest.mark.equation("ls-efficiency")
def test_efficiency_of_huber_is_that_of_the_integrals():
    for delta in (0.3, 1.0, 1.345, 2.5):
        squared = gaussian_mean(lambda u, d=delta: np.clip(u, -d, d) ** 2, (-delta, delta))
        inside = gaussian_mean(lambda u, d=delta: abs(u) <= d, (-delta, delta))
        for value in (inside**2 / squared, theory.huber_efficiency(delta)):
            assert efficiency(delta, value).equal(rtol=1e-7)


@pytest.mark.claim(
    cite="huber1964robust",
    says=r"""For many samples, the variance of the estimate is
    $\mathbb{E}[\psi^2] / (N\,\mathbb{E}[\psi']^2)$.""",
    conditions=r"10,000 samples of 100 standard normal numbers, $\delta$ of 0.3 and 1.345",
    verdict="holds",
)
@pytest.mark.equation("ls-efficiency")
def test_efficiency_of_huber_is_that_of_a_simulation(record):
    for delta in (0.3, 1.345):
        measured, margin = simulated_efficiency(delta)
        assert margin < 0.03
        printed = efficiency(delta, measured)
        assert_in_interval(printed, margin)
        record(float(printed.left), float(printed.right), abs=margin)


@pytest.mark.claim(
    cite="holland1977robust",
    says=r"At $\delta = 1.345$, Huber's estimate is 95 % efficient under Gaussian noise.",
    conditions="10,000 samples of 100 numbers",
    verdict="holds",
)
def test_huber_is_95_percent_efficient_at_its_usual_constant(record):
    measured, margin = simulated_efficiency(1.345)
    record(measured, 0.95, abs=margin)
    assert theory.huber_efficiency(1.345) == pytest.approx(0.95, abs=1e-5)
    assert theory.huber_efficiency(1e-6) == pytest.approx(2 / math.pi, abs=1e-5)


@cache
def contaminated(fraction: float, distance: float) -> Tensor:
    """Draw a million standard normal samples, and put a fraction of them at a distance."""
    samples = normal(1_000_000)
    samples[: round(fraction * len(samples))] = distance
    return samples


@pytest.mark.equation("ls-outlier-median")
def test_median_moves_as_far_as_the_outliers_are_many():
    for fraction in (0.1, 0.3, 0.45):
        median = brentq(lambda c, a=fraction: (1 - a) * norm.cdf(c) - 0.5, -1, 5, xtol=1e-14)
        for c in (median, theory.median_outlier_bias(fraction)):
            equation = evaluate(
                "ls-outlier-median", {r"\Phi(c)": "below"}, below=norm.cdf(c), a=fraction
            )
            assert equation.equal()
        for distance in (10.0, 1000.0):
            drawn = float(contaminated(fraction, distance).median())
            deviation = 0.5 / ((1 - fraction) * norm.pdf(median)) / 1000
            assert abs(drawn - median) <= 4 * deviation


@cache
def balance(fraction: float, delta: float) -> dict[str, float]:
    """Find by quadrature where the pulls balance; return what the printed equation is made of."""

    def pull(c: float) -> float:
        clipped = gaussian_mean(lambda u: np.clip(c - u, -delta, delta), (c - delta, c + delta))
        return (1 - fraction) * clipped - fraction * delta

    def integral(x: float) -> float:
        return quad(norm.cdf, -40, x, points=(0,), epsabs=1e-13)[0]

    c = brentq(pull, 0, 3, xtol=1e-13)
    return {"c": c, "upper": integral(c + delta), "lower": integral(c - delta)}


@pytest.mark.equation("ls-outlier-huber")
def test_huber_moves_to_where_the_pulls_balance():
    for fraction, delta in ((0.1, 1.345), (0.3, 0.5), (0.2, 2.0)):
        found = balance(fraction, delta)
        assert evaluate(
            "ls-outlier-huber",
            {r"G(c + \delta)": "upper", r"G(c - \delta)": "lower"},
            upper=found["upper"],
            lower=found["lower"],
            a=fraction,
            delta=delta,
        ).equal(rtol=1e-8)
        assert found["c"] == pytest.approx(theory.huber_outlier_bias(fraction, delta), rel=1e-8)


def test_drawn_outliers_drag_the_mean_and_huber_as_far_as_predicted():
    for distance in (10.0, 1000.0):
        for fraction, delta in ((0.1, 1.345), (0.3, 0.5)):
            samples = contaminated(fraction, distance)
            centre = huber_centre(samples, delta)
            inside = ((samples - centre).abs() < delta).double().mean()
            deviation = (samples - centre).clamp(-delta, delta).std() / inside / 1000
            assert abs(float(centre) - balance(fraction, delta)["c"]) <= 4 * float(deviation)
        mean = float(contaminated(0.1, distance).mean())
        assert mean == pytest.approx(theory.mean_outlier_bias(0.1, distance), abs=0.004)


# A classifier that does not move


@pytest.mark.equation("ls-mse-sigmoid")
def test_squared_error_through_a_sigmoid_saturates():
    z, y = 4 * normal(30), uniform(0, 1, 30)
    assert evaluate(
        "ls-mse-sigmoid",
        {r"\frac{d}{dz} (\sigma(z) - y)^2": "slope", r"\sigma(z)": "p"},
        slope=slope(lambda z: functional.mse_loss(z.sigmoid(), y, reduction="sum"), z),
        p=z.sigmoid(),
        y=y,
    ).equal()


@pytest.mark.equation("ls-bce-logits")
def test_binary_cross_entropy_of_logits_is_that_of_torch():
    z = torch.cat([4 * normal(30), torch.tensor([0.0, 300.0, -300.0])])
    y = uniform(0, 1, 33)
    assert evaluate(
        "ls-bce-logits",
        {r"\ell": "loss"},
        loss=functional.binary_cross_entropy_with_logits(z, y, reduction="none"),
        z=z,
        y=y,
        e=math.e,
    ).equal(atol=1e-15)
    y = y.round()
    torch.testing.assert_close(
        functional.soft_margin_loss(z, 2 * y - 1),
        functional.binary_cross_entropy_with_logits(z, y),
    )


def test_soft_margin_loss_of_torch_overflows_where_the_chapter_says():
    for dtype, fails, fine in ((torch.float32, -89.0, -88.0), (torch.float16, -12.0, -11.0)):
        for z, expected in ((fails, (math.inf, math.nan)), (fine, (-fine, -1.0))):
            z = torch.tensor([z], dtype=dtype)
            one = torch.ones_like(z)
            loss = functional.soft_margin_loss(z, one)
            found = loss.item(), slope(lambda z, y=one: functional.soft_margin_loss(z, y), z).item()
            np.testing.assert_equal(found, expected)
            ours = slope(lambda z, y=one: losses.soft_margin_loss(z, y), z)
            assert losses.soft_margin_loss(z, one) == -z
            assert ours == -1


def test_cross_entropy_of_a_probability_goes_deaf_where_the_chapter_says():
    def pull(z: float, y: float) -> float:
        at = torch.tensor([z], dtype=torch.float32)
        target = torch.full_like(at, y)
        return slope(lambda z: functional.binary_cross_entropy(z.sigmoid(), target), at).item()

    edge = math.log(1e-12)
    assert edge == pytest.approx(-27.6, abs=0.05)
    assert pull(edge + 0.2, 1.0) == pytest.approx(-1, abs=1e-3)
    for z in (-28.0, -30.0, -35.0):
        assert pull(z, 1.0) == pytest.approx(-math.exp(z - edge), rel=1e-3)
    assert pull(16.6, 0.0) == pytest.approx(1, abs=1e-3)
    assert pull(16.7, 0.0) == 0


@pytest.mark.equation("ls-bce-gradient")
def test_slope_of_binary_cross_entropy_is_prediction_minus_target():
    z, y = 4 * normal(30), uniform(0, 1, 30)
    assert evaluate(
        "ls-bce-gradient",
        {r"\frac{d\ell}{dz}": "slope", r"\sigma(z)": "p"},
        slope=slope(
            lambda z: functional.binary_cross_entropy_with_logits(z, y, reduction="sum"), z
        ),
        p=z.sigmoid(),
        y=y,
    ).equal()


@pytest.mark.equation("ls-saturation")
def test_a_sigmoid_is_rounded_to_one_from_there_on():
    for dtype, bits in (
        (torch.bfloat16, 8),
        (torch.float16, 11),
        (torch.float32, 24),
        (torch.float64, 53),
    ):
        limit = theory.saturation_logit(bits)
        # Nearer to the limit the rounding of z and of its exponential decides.
        z = (limit * torch.tensor([0.1, 0.5, 0.97, 1.03, 1.5, 2.0], dtype=torch.float64)).to(dtype)
        is_one = 1 / (1 + torch.exp(-z)) == 1
        equation = evaluate("ls-saturation", z=z.double(), n=bits)
        np.testing.assert_array_equal(equation.holds(), is_one.numpy())
        np.testing.assert_allclose(equation.right, limit)
        # At the limit itself the exponential is this power of two.
        at_limit = bool(1 + torch.tensor(2.0**-bits, dtype=dtype) == 1)
        assert evaluate("ls-saturation", z=limit, n=bits).holds() == at_limit


# Many classes


@pytest.mark.equation("ls-cross-entropy")
def test_cross_entropy_is_that_of_torch():
    z, y = logits_and_target()
    assert evaluate(
        "ls-cross-entropy",
        {r"\ell": "loss", r"\sum_j e^{z_j}": "total", r"z_y": "right"},
        loss=functional.cross_entropy(z, y, reduction="none"),
        total=z.exp().sum(-1),
        right=z[torch.arange(len(z)), y],
    ).equal()


@pytest.mark.equation("ls-logsumexp")
def test_a_shift_leaves_the_log_sum_exp_as_it_is():
    z, _ = logits_and_target()
    z = torch.cat([z, 1e4 * z])
    largest = z.amax(-1)
    for m in (largest, largest - 3.0, largest + 5.0):
        assert evaluate(
            "ls-logsumexp",
            {r"\ln \sum_j e^{z_j}": "logsumexp", r"\sum_j e^{z_j - m}": "shifted"},
            logsumexp=torch.logsumexp(z, -1),
            shifted=(z - m[:, None]).exp().sum(-1),
            m=m,
        ).equal()


@pytest.mark.claim(
    cite="blanchard2021accurately",
    says="The shift that keeps a log-sum-exp from overflowing costs hardly any accuracy.",
    where="Section 4",
    conditions="float32, 2000 times 100 logits between -30 and 30, where both forms are finite",
    verdict="holds",
)
def test_the_shift_costs_no_accuracy(record):
    z = uniform(-30, 30, 2000, 100).float()
    exact = torch.logsumexp(z.double(), -1)
    largest = z.amax(-1, keepdim=True)
    shifted = largest[:, 0] + (z - largest).exp().sum(-1).log()
    worst = [
        float(((each - exact) / exact).abs().max()) for each in (shifted, z.exp().sum(-1).log())
    ]
    eps = torch.finfo(torch.float32).eps
    record(max(worst[0] - worst[1], 0.0), 0.0, abs=eps)
    assert worst[0] < 2 * eps


@pytest.mark.equation("ls-ce-gradient")
def test_gradient_of_cross_entropy_is_prediction_minus_target():
    z, y = logits_and_target()
    soft = normal(*z.shape, seed=1).softmax(-1)
    for in_torch, target in ((y, functional.one_hot(y).double()), (soft, soft)):
        assert evaluate(
            "ls-ce-gradient",
            {r"\frac{\partial \ell}{\partial z_k}": "grad", r"p_k": "p", r"y_k": "target"},
            grad=slope(lambda z, y=in_torch: functional.cross_entropy(z, y, reduction="sum"), z),
            p=z.softmax(-1),
            target=target,
        ).equal()


@cache
def curvature() -> tuple[Tensor, Tensor]:
    """Return some probabilities, and the Hessian of the cross-entropy there by autograd."""
    z = normal(5)
    return z.softmax(-1), hessian(lambda z: functional.cross_entropy(z, torch.tensor(2)), z)


@pytest.mark.equation("ls-ce-hessian")
def test_hessian_of_cross_entropy_is_that_by_autograd():
    p, by_autograd = curvature()
    assert evaluate(
        "ls-ce-hessian",
        {r"\nabla^2 \ell": "hessian", r"\mathrm{diag}(p)": "diagonal", r"p p^\top": "outer"},
        hessian=by_autograd,
        diagonal=p.diag(),
        outer=p.outer(p),
    ).equal()


@pytest.mark.equation("ls-ce-convex")
def test_curvature_of_cross_entropy_is_a_variance():
    p, by_autograd = curvature()
    h = normal(20, 5, seed=1)
    equation = evaluate(
        "ls-ce-convex",
        {
            r"h^\top \nabla^2 \ell h": "curvature",
            r"\sum_k": "",
            r"p_k": "p",
            r"h_k": "entry",
            r"\bar h": "mean",
        },
        curvature=((h @ by_autograd) * h).sum(-1, keepdim=True),
        p=p,
        entry=h,
        mean=(h @ p)[:, None],
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[:, 0], equation.right.sum(-1), rtol=1e-9)


@pytest.mark.equation("ls-init")
def test_first_loss_of_small_logits_is_a_little_above_that_of_chance():
    for num_classes, deviation in ((2, 0.3), (10, 0.3), (10, 0.1), (100, 0.2)):
        z = deviation * normal(20_000, num_classes)
        # The right logit averages to zero, and so does the mean of all, which scatters less.
        loss = z.logsumexp(-1) - z.mean(-1)
        equation = evaluate(
            "ls-init",
            {r"\mathbb{E}[\ell]": "loss"},
            loss=loss.mean(),
            K=num_classes,
            s=deviation,
        )
        assert equation.signs == ("≈",)
        margin = 4 * float(loss.std()) / math.sqrt(len(loss)) + deviation**4 / 4
        assert abs(equation.left - equation.right) <= margin
    assert math.log(10) == pytest.approx(2.303, abs=5e-4)


@pytest.mark.equation("ls-double-softmax")
def test_a_second_softmax_puts_a_floor_under_the_loss():
    for num_classes in (2, 3, 10):
        certain = torch.eye(num_classes, dtype=torch.float64)
        p = torch.cat([certain, (3 * normal(50, num_classes)).softmax(-1)])
        loss = functional.cross_entropy(p, torch.zeros(len(p), dtype=torch.long), reduction="none")
        equation = evaluate(
            "ls-double-softmax", {r"\ell": "loss"}, loss=loss, K=num_classes, e=math.e
        )
        assert equation.holds().all()
        np.testing.assert_array_equal(equation.tight(), p[:, 0] == 1)
        np.testing.assert_allclose(equation.right, theory.double_softmax_floor(num_classes))


@pytest.mark.equation("ls-multi-label")
def test_loss_of_several_labels_is_that_of_torch():
    z, y = normal(20, 4), uniform(0, 1, 20, 4)
    loss = functional.multilabel_soft_margin_loss(z, y, reduction="none")
    equation = evaluate(
        "ls-multi-label",
        {r"\ell": "loss", r"\sum_k": "", r"z_k": "z", r"y_k": "y"},
        loss=loss[:, None],
        K=4,
        z=z,
        y=y,
        e=math.e,
    )
    assert equation.signs == ("=",)
    np.testing.assert_allclose(equation.left[:, 0], equation.right.sum(-1), rtol=1e-9)
    in_torch = functional.binary_cross_entropy_with_logits(z, y)
    torch.testing.assert_close(loss.mean(), in_torch)


@pytest.mark.equation("ls-perplexity")
def test_perplexity_is_the_geometric_mean_of_one_over_the_probabilities():
    z, y = logits_and_target(num_samples=7)
    right = z.softmax(-1).gather(1, y[:, None])[:, 0]
    for count in (1, 4, 7):
        assert evaluate(
            "ls-perplexity",
            {r"\mathrm{PPL}": "perplexity", r"\prod_i \frac{1}{p_{y_i}}": "product"},
            perplexity=gmean(1 / right[:count]),
            L=functional.cross_entropy(z[:count], y[:count]),
            product=(1 / right[:count]).prod(),
            N=count,
            e=math.e,
        ).equal()
    even = functional.cross_entropy(torch.zeros(1, 4), torch.zeros(1, dtype=torch.long))
    assert even.item() == pytest.approx(1.386, abs=5e-4)
    assert even.exp().item() == pytest.approx(4)


# What does cross-entropy estimate?


@pytest.mark.equation("ls-kl")
def test_cross_entropy_is_the_entropy_and_the_divergence():
    q, log_p = normal(20, 4).softmax(-1), normal(20, 4, seed=1).log_softmax(-1)
    divergence = kl_divergence(Categorical(q), Categorical(logits=log_p))
    assert evaluate(
        "ls-kl",
        {r"H(q, p)": "cross_entropy", r"H(q)": "entropy", r"\mathrm{KL}(q \| p)": "divergence"},
        cross_entropy=functional.cross_entropy(log_p, q, reduction="none"),
        entropy=Categorical(q).entropy(),
        divergence=divergence,
    ).equal()
    assert (divergence > 0).all()
    in_torch = functional.kl_div(log_p, q, reduction="batchmean")
    torch.testing.assert_close(in_torch, divergence.mean())


@pytest.mark.equation("ls-temperature")
def test_slope_in_the_temperature_compares_the_logit_expected_with_that_of_the_right_class():
    z, y = logits_and_target(num_samples=12)
    right = z.gather(1, y[:, None])[:, 0]
    for temperature in (0.5, 1.0, 3.0):
        cold = torch.tensor([1 / temperature], dtype=torch.float64)
        by_autograd = slope(lambda cold: functional.cross_entropy(cold * z, y), cold)
        equation = evaluate(
            "ls-temperature",
            {
                r"\frac{dL}{d(1/\mathcal{T})}": "slope",
                r"\sum_i": "",
                r"\bar z_i": "mean",
                r"z_{i,y_i}": "right",
            },
            slope=by_autograd,
            N=len(z),
            mean=((z / temperature).softmax(-1) * z).sum(-1),
            right=right,
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left[0], equation.right.sum(), rtol=1e-9)


@cache
def forward_fit(distance: float, deviation: float) -> tuple[float, float]:
    """Search the Gaussian that gives two humps the highest likelihood; return mean and variance."""
    y = np.linspace(-30, 30, 6001)
    humps = norm.pdf(y, -distance, deviation) + norm.pdf(y, distance, deviation)
    weights = humps / humps.sum()
    best = minimize(
        lambda fit: -(weights * norm.logpdf(y, fit[0], math.exp(fit[1]))).sum(),
        (0.5, 0.0),
        method="BFGS",
        options={"gtol": 1e-9},
    )
    return best.x[0], math.exp(2 * best.x[1])


@pytest.mark.equation("ls-moments")
def test_forward_divergence_covers_both_humps():
    for distance, deviation in ((2.0, 0.5), (1.0, 1.5), (3.0, 1.0)):
        mean, variance = forward_fit(distance, deviation)
        assert abs(mean) < 1e-5
        equation = evaluate(
            "ls-moments", {"v": "variance"}, variance=variance, s=deviation, D=distance
        )
        assert equation.equal(rtol=1e-5)


# A noise that varies


@pytest.mark.equation("ls-gaussian-nll")
def test_gaussian_loss_is_that_of_torch():
    input, y, v = normal(20), normal(20, seed=1), uniform(0.1, 3, 20)
    assert evaluate(
        "ls-gaussian-nll",
        {r"\ell": "loss", r"\hat y": "input"},
        loss=functional.gaussian_nll_loss(input, y, v, reduction="none"),
        input=input,
        y=y,
        v=v,
    ).equal()


@pytest.mark.equation("ls-variance-slope")
def test_slope_in_the_variance_compares_it_with_the_squared_residual():
    input, y, v = normal(20), normal(20, seed=1), uniform(0.1, 3, 20)
    assert evaluate(
        "ls-variance-slope",
        {r"\frac{\partial \ell}{\partial v}": "slope", r"\hat y": "input"},
        slope=slope(lambda v: functional.gaussian_nll_loss(input, y, v, reduction="sum"), v),
        input=input,
        y=y,
        v=v,
    ).equal()


@pytest.mark.equation("ls-gaussian-entropy")
def test_least_gaussian_loss_is_an_entropy_and_may_be_negative():
    for deviation in (0.1, 1.0, 3.0):
        loss = -Normal(0.0, deviation).log_prob(deviation * normal(100_000))
        values = {"s": deviation, "pi": math.pi}
        names = {r"\mathbb{E}[-\ln p(y)]": "loss"}
        assert_in_interval(
            evaluate("ls-gaussian-entropy", names, loss=loss.mean(), **values),
            4 * float(loss.std()) / math.sqrt(len(loss)),
        )
        assert evaluate(
            "ls-gaussian-entropy", names, loss=theory.gaussian_entropy(deviation), **values
        ).equal()
    zero = 1 / math.sqrt(2 * math.pi * math.e)
    assert zero == pytest.approx(0.242, abs=5e-4)
    assert theory.gaussian_entropy(0.99 * zero) < 0 < theory.gaussian_entropy(1.01 * zero)


@pytest.mark.equation("ls-pull")
def test_pull_of_a_sample_whose_variance_has_adapted():
    r, y = normal(20), normal(20, seed=1)
    for power in (0.0, 0.5, 1.0):
        v = r**2
        pull = slope(
            lambda input, v=v, power=power: (
                v**power * functional.gaussian_nll_loss(input, y, v, eps=1e-12, reduction="none")
            ),
            y + r,
        ).abs()
        assert evaluate(
            "ls-pull",
            {
                r"\left|\frac{\partial}{\partial \hat y} v^\omega \ell\right|": "pull",
                "|r|": "size",
            },
            pull=pull,
            size=r.abs(),
            omega=power,
        ).equal()


def test_torch_refuses_a_negative_variance_and_passes_the_gradient_of_one_too_small():
    zero = torch.zeros(1)
    with pytest.raises(ValueError, match="negative"):
        functional.gaussian_nll_loss(zero, zero, torch.tensor([-1.0]))
    tiny = torch.tensor([1e-9])
    for residual, sign in ((1e-4, 1), (1e-2, -1)):
        pull = slope(lambda v, r=residual: functional.gaussian_nll_loss(zero + r, zero, v), tiny)
        assert pull.sign() == sign


# Bending the loss


@pytest.mark.equation("ls-weights")
def test_weights_move_the_estimate_to_other_frequencies():
    q = torch.tensor([0.7, 0.25, 0.05], dtype=torch.float64)
    weight = torch.tensor([1.0, 2.0, 14.0], dtype=torch.float64)
    z = lowest(lambda z: functional.cross_entropy(z, q, weight=weight), 3)
    assert evaluate(
        "ls-weights",
        {r"p_k": "p", r"\sum_j w_j q_j": "total", r"w_k": "weight", r"q_k": "q"},
        p=z.softmax(-1),
        weight=weight,
        q=q,
        total=weight @ q,
    ).equal(rtol=1e-6)
    z = lowest(
        lambda z: functional.binary_cross_entropy_with_logits(z, q[:1], pos_weight=weight[1]), 1
    )
    torch.testing.assert_close(z, q[:1].logit() + weight[1].log(), rtol=1e-6, atol=0)


def test_weighted_mean_has_the_denominator_that_the_chapter_states():
    z, y = logits_and_target(num_classes=3)
    weight = torch.tensor([1.0, 2.0, 14.0], dtype=torch.float64)
    total = (weight[y] * functional.cross_entropy(z, y, reduction="none")).sum()
    by_index = functional.cross_entropy(z, y, weight=weight)
    by_probability = functional.cross_entropy(z, functional.one_hot(y).double(), weight=weight)
    torch.testing.assert_close(by_index, total / weight[y].sum())
    torch.testing.assert_close(by_probability, total / len(y))
    assert functional.cross_entropy(z, torch.full_like(y, -100)).isnan()


def smoothed_gaps(label_smoothing: float, num_classes: int) -> Tensor:
    """Return by how much the right logit leads each other one where the loss is least."""
    z = lowest(
        lambda z: functional.cross_entropy(z, torch.tensor(0), label_smoothing=label_smoothing),
        num_classes,
    )
    return z[0] - z[1:]


@pytest.mark.claim(
    cite="muller2019does",
    says=r"""With label smoothing, training moves all wrong classes equally far away, to a distance
    that depends on $\varepsilon$.""",
    where="Section 2",
    conditions="free logits, at the minimum of the smoothed loss",
    verdict="holds",
)
@pytest.mark.equation("ls-smoothing-gap")
def test_smoothed_labels_ask_for_a_finite_gap(record):
    for label_smoothing, num_classes in ((0.1, 10), (0.1, 2), (0.5, 3)):
        searched = smoothed_gaps(label_smoothing, num_classes)
        record(searched, searched.mean(), rel=1e-5)
        for gap in (searched, theory.label_smoothing_gap(label_smoothing, num_classes)):
            assert evaluate(
                "ls-smoothing-gap",
                {r"z_y - z_k": "gap", r"\varepsilon": "epsilon"},
                gap=gap,
                K=num_classes,
                epsilon=label_smoothing,
            ).equal(rtol=1e-5)


@pytest.mark.claim(
    cite="szegedy2016rethinking",
    says="""Label smoothing keeps the largest logit from becoming much larger than all others;
    without it, training drives them apart without end.""",
    where="Section 7",
    conditions="""ten free logits, 4000 steps of gradient descent at the rate 1: by how much the
    gap still changes after 2000 with smoothing, and by how much it grows in each further thousand
    without""",
    verdict="holds",
)
def test_only_smoothing_stops_the_logits_from_drifting_apart(record):
    gaps = {}
    for label_smoothing in (0.0, 0.1):
        z = torch.zeros(10, dtype=torch.float64)
        gaps[label_smoothing] = []
        for _ in range(4):
            for _ in range(1000):
                z = z - slope(
                    lambda z, e=label_smoothing: functional.cross_entropy(
                        z, torch.tensor(0), label_smoothing=e
                    ),
                    z,
                )
            gaps[label_smoothing].append(float(z[0] - z[1]))
    record(np.ptp(gaps[0.1][1:]), 0.0, abs=1e-6)
    record(np.diff(gaps[0.0]), at_least(0.2))
    assert gaps[0.0][0] > max(gaps[0.1])


def focal(p: Tensor, gamma: float) -> Tensor:
    return -((1 - p) ** gamma) * p.log()


@pytest.mark.claim(
    cite="lin2017focal",
    says=r"""With an exponent of 2, a sample with $p = 0.9$ has a loss 100 times lower than its
    cross-entropy, and one with $p \approx 0.968$ a loss 1000 times lower.""",
    where="Section 3.2",
    verdict="holds",
)
def test_focal_loss_turns_easy_samples_down(record):
    p = torch.tensor([0.9, 0.968], dtype=torch.float64)
    ratio = focal(p, 0) / focal(p, 2)
    record(ratio, torch.tensor([100.0, 1000.0]), rel=0.03)


@pytest.mark.equation("ls-focal-gradient")
def test_gradient_of_focal_loss_is_that_by_autograd():
    z = 2 * normal(20)
    for gamma in (0.0, 1.0, 2.0, 3.5):
        assert evaluate(
            "ls-focal-gradient",
            {r"\frac{d\ell}{dz}": "slope"},
            slope=slope(lambda z, gamma=gamma: focal(z.sigmoid(), gamma), z),
            p=z.sigmoid(),
            nu=gamma,
        ).equal()
        pair = torch.stack([z, torch.zeros_like(z)], -1)  # p is the softmax of the first
        first = torch.zeros(len(z), dtype=torch.long)
        in_package = losses.focal_loss(pair, first, gamma=gamma, reduction="none")
        torch.testing.assert_close(in_package, focal(z.sigmoid(), gamma))


@cache
def focal_optimum(q: float, gamma: float) -> float:
    """Search the probability at which the expected focal loss is least."""
    return minimize_scalar(
        lambda p: -q * (1 - p) ** gamma * math.log(p) - (1 - q) * p**gamma * math.log(1 - p),
        bounds=(1e-9, 1 - 1e-9),
        method="bounded",
        options={"xatol": 1e-12},
    ).x


@pytest.mark.equation("ls-focal-optimum")
def test_focal_loss_wants_the_probability_that_a_search_finds():
    for gamma in (0.0, 0.5, 2.0, 5.0):
        for q in (0.1, 0.5, 0.6, 0.9, 0.99):
            equation = evaluate("ls-focal-optimum", q=q, p=focal_optimum(q, gamma), nu=gamma)
            assert equation.equal(rtol=1e-5)


@pytest.mark.claim(
    cite="charoenphakdee2021focal",
    says="""Where focal loss is least the most probable class is still ranked first, but the
    probability is not the true one.""",
    conditions="""two classes, four true probabilities, exponents of 1, 2 and 5: how many of the 12
    are ranked rightly, and the least distance of the two probabilities""",
    verdict="holds",
)
def test_focal_loss_ranks_rightly_and_estimates_wrongly(record):
    pairs = [(q, focal_optimum(q, gamma)) for q in (0.05, 0.3, 0.6, 0.9) for gamma in (1, 2, 5)]
    record(sum((p > 0.5) == (q > 0.5) for q, p in pairs), 12)
    record(min(abs(p - q) for q, p in pairs), at_least(0.02))
    for q, _ in pairs:
        assert focal_optimum(q, 0.0) == pytest.approx(q, abs=1e-6)


# Margins


@pytest.mark.equation("ls-hinge-slope")
def test_expected_hinge_loss_is_a_straight_line_between_the_margins():
    def expected(z: Tensor, q: Tensor) -> Tensor:
        return q * (1 - z).relu() + (1 - q) * (1 + z).relu()

    z, q = uniform(-1, 1, 30), uniform(0, 1, 30, seed=1)
    assert evaluate(
        "ls-hinge-slope",
        {r"\frac{d}{dz} \mathbb{E}[\ell]": "slope"},
        slope=slope(lambda z: expected(z, q), z),
        q=q,
    ).equal()
    grid = torch.linspace(-3, 3, 601, dtype=torch.float64)
    for probability, best in ((0.2, -1.0), (0.49, -1.0), (0.51, 1.0), (0.99, 1.0)):
        found = grid[expected(grid, torch.tensor(probability)).argmin()]
        assert float(found) == pytest.approx(best)


@pytest.mark.equation("ls-multi-margin")
def test_multi_margin_loss_is_that_of_torch():
    z, y = logits_and_target()
    right = z.gather(-1, y[:, None])
    others = z[functional.one_hot(y) == 0].view(len(z), -1)
    for margin in (0.5, 2.0):
        loss = functional.multi_margin_loss(z, y, margin=margin, reduction="none")
        equation = evaluate(
            "ls-multi-margin",
            {r"\ell": "loss", r"\sum_{j \ne y}": "", r"z_y": "right", r"z_j": "other"},
            loss=loss[:, None],
            right=right,
            other=others,
            K=z.shape[-1],
            Delta=margin,
        )
        assert equation.signs == ("=",)
        np.testing.assert_allclose(equation.left[:, 0], equation.right.sum(-1), rtol=1e-9)
        squared = functional.multi_margin_loss(z, y, p=2, margin=margin, reduction="none")
        terms = equation.right * z.shape[-1]
        np.testing.assert_allclose(squared, (terms**2).sum(-1) / z.shape[-1])


# Sum or mean?


@pytest.mark.equation("ls-sum")
def test_sum_has_a_gradient_as_many_times_larger_as_there_are_samples():
    input, target = normal(12), normal(12, seed=1)
    gradient = {
        reduction: slope(
            lambda input, reduction=reduction: functional.mse_loss(
                input, target, reduction=reduction
            ),
            input,
        )
        for reduction in ("sum", "mean")
    }
    assert evaluate(
        "ls-sum",
        {r"\nabla L_{\mathrm{sum}}": "total", r"\nabla L_{\mathrm{mean}}": "mean"},
        total=gradient["sum"],
        mean=gradient["mean"],
        B=12,
    ).equal()
