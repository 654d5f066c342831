"""The closed forms of the chapter on stochastic gradient descent.

Most are about one parabola, :math:`f(\\theta) = \\tfrac12\\lambda\\theta^2`, whose gradient
comes with noise of mean 0 and variance :math:`\\sigma^2/B`.
"""

from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number, check_in_interval, check_shape
from descent._signatures import (
    Count,
    Finite,
    Finites,
    FromOne,
    In,
    NonNegative,
    NonNegatives,
    Positive,
    Positives,
    Several,
    Steps,
    StepsFromOne,
    checked,
)

FACTORS = 10_000
"""How many factors of a product are multiplied one by one; the rest follow a power law."""


@checked
def sgd_gradient_variance(
    variance: NonNegatives, batch_size: FromOne, num_samples: Several | None = None
) -> Number:
    r"""Return the variance of a batch's gradient.

    .. math:: \frac{\sigma^2}{B} \quad\text{or}\quad \frac{\sigma^2}{B} \cdot \frac{N - B}{N - 1}

    :math:`\sigma^2` is ``variance``, :math:`B` is ``batch_size``, :math:`N` is ``num_samples``.

    Args:
        variance: of the gradient of one sample, in [0, inf).
        batch_size: in [1, inf); at most ``num_samples``, if that is given.
        num_samples: the size of the data that the batch is drawn from without replacement, at
            least 2; ``None`` if it is drawn with replacement.

    Returns:
        The expected squared distance from the full gradient.

    Example:
        >>> sgd_gradient_variance(9.0, 4), sgd_gradient_variance(9.0, 4, num_samples=10)
        (2.25, 1.5)

    References:
        The chapter on stochastic gradient descent, equations ``sgd-replaced`` and
        ``sgd-unreplaced``.
    """
    if num_samples is None:
        check_in_interval("batch_size", batch_size, "[1, inf)")
        return variance / batch_size
    check_in_interval("batch_size", batch_size, f"[1, {num_samples}]")
    return variance / batch_size * (num_samples - batch_size) / (num_samples - 1)


@checked
def sgd_floor(
    lr: Positives, curvature: Positives, variance: NonNegatives, batch_size: FromOne = 1
) -> Number:
    r"""Return :math:`\eta\sigma^2/(\lambda B(2-\eta\lambda))`, the noise floor of a constant rate.

    Args:
        lr: :math:`\eta`, in (0, 2 / curvature).
        curvature: :math:`\lambda`, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The expected squared distance to the minimum, after many steps.

    Example:
        >>> sgd_floor(lr=1.0, curvature=1.0, variance=3.0)
        3.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-floor``.
    """
    _check_stable(lr, curvature)
    return lr * variance / (curvature * batch_size * (2 - lr * curvature))


@checked
def sgd_mean_square(
    start: Finites,
    lr: Positives,
    curvature: Positives,
    variance: NonNegatives,
    step: Steps,
    batch_size: FromOne = 1,
) -> Tensor:
    r"""Return the expected squared distance to the minimum after ``step`` steps.

    .. math:: \mathbb{E}\,\theta_t^2 = F + (1 - \eta\lambda)^{2t} (\theta_0^2 - F)

    :math:`F` is :func:`sgd_floor`, :math:`\theta_0` is ``start``, :math:`t` is ``step``.

    Args:
        start: the first distance, in (-inf, inf).
        lr: :math:`\eta`, in (0, 2 / curvature).
        curvature: :math:`\lambda`, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        step: from 0; it broadcasts against the others.
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The expected squares.

    Example:
        >>> sgd_mean_square(4.0, lr=0.5, curvature=1.0, variance=3.0, step=torch.tensor([0, 1, 90]))
        tensor([16.0000,  4.7500,  1.0000], dtype=torch.float64)

    References:
        The chapter on stochastic gradient descent, equation ``sgd-transient``.
    """
    floor = sgd_floor(lr, curvature, variance, batch_size)
    return floor + (1 - lr * curvature) ** (2 * step.double()) * (start**2 - floor)


@checked
def sgd_schedule_mean_square(
    start: Finite,
    lr: Annotated[Tensor, In("[0, inf)")],
    curvature: Positive,
    variance: NonNegative,
    batch_size: Annotated[float, In("[1, inf)")] = 1,
) -> Tensor:
    r"""Return the expected squared distances under any schedule of rates.

    .. math:: \mathbb{E}\,\theta_{t+1}^2 = (1 - \eta_t\lambda)^2\, \mathbb{E}\,\theta_t^2
        + \eta_t^2 \sigma^2/B

    Args:
        start: :math:`\theta_0`, in (-inf, inf).
        lr: :math:`\eta_0, \eta_1, \dots`, each in [0, inf), shape ``(steps,)``.
        curvature: :math:`\lambda`, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The expected squares from :math:`\theta_0^2` on, in float64, shape ``(steps + 1,)``.

    Example:
        >>> sgd_schedule_mean_square(1.0, torch.tensor([1.0, 0.5]), curvature=1.0, variance=4.0)
        tensor([1., 4., 2.], dtype=torch.float64)

    References:
        The chapter on stochastic gradient descent, equation ``sgd-schedule``.
    """
    check_shape("lr", lr, (None,))
    noise = variance / batch_size
    squares = [start**2]
    for rate in lr.tolist():
        squares.append((1 - rate * curvature) ** 2 * squares[-1] + rate**2 * noise)
    return torch.tensor(squares, dtype=torch.float64)


@checked
def harmonic_remainder(curvature: Positive, scale: Positive, step: Steps) -> Tensor:
    r"""Return what is left of the start under :math:`\eta_s = c/s`, without noise.

    .. math:: \frac{\theta_t}{\theta_0} = \prod_{s=1}^{t} \left(1 - \frac{c\lambda}{s}\right)

    :math:`\lambda` is ``curvature``, :math:`c` is ``scale``, :math:`t` is ``step``.

    Args:
        curvature: in (0, inf).
        scale: in (0, 10 / curvature].
        step: from 0, any shape.

    Returns:
        The products, in float64, with a relative error below 1e-6.

    Example:
        >>> harmonic_remainder(0.5, scale=1.0, step=torch.tensor([0, 1, 2]))
        tensor([1.0000, 0.5000, 0.3750], dtype=torch.float64)

    References:
        The chapter on stochastic gradient descent, equation ``sgd-harmonic``.
    """
    check_in_interval("scale * curvature", scale * curvature, "(0, 10]")
    power = scale * curvature
    factors = 1 - power / torch.arange(1, FACTORS + 1, dtype=torch.float64)
    products = torch.cat([torch.ones(1, dtype=torch.float64), factors.cumprod(0)])
    step = step.double()
    first = step.clamp(max=FACTORS)
    # A ratio of Gamma functions of t + 1 - power and t + 1 is a power of the point half-way.
    middle = (1 - power) / 2
    return products[first.long()] * ((step + middle) / (first + middle)) ** -power


@checked
def sgd_average_mean_square(
    start: Finites,
    lr: Positives,
    curvature: Positives,
    variance: NonNegatives,
    step: StepsFromOne,
    batch_size: FromOne = 1,
) -> Tensor:
    r"""Return the expected squared distance of the average of the first ``step`` iterates.

    With :math:`a = 1 - \eta\lambda` and the average :math:`\bar\theta_T` of
    :math:`\theta_0, \dots, \theta_{T-1}`,

    .. math:: \mathbb{E}\,\bar\theta_T^2 = \left(\frac{\theta_0 (1 - a^T)}{\eta\lambda T}\right)^2
        + \frac{\sigma^2}{\lambda^2 B T^2}
        \left(T - 2\,\frac{1 - a^T}{1 - a} + \frac{1 - a^{2T}}{1 - a^2}\right)

    Args:
        start: :math:`\theta_0`, in (-inf, inf).
        lr: :math:`\eta`, in (0, 2 / curvature).
        curvature: :math:`\lambda`, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        step: :math:`T`, from 1; it broadcasts against the others.
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The expected squares.

    Example:
        >>> sgd_average_mean_square(3.0, 0.5, 1.0, variance=16.0, step=torch.tensor([1, 2]))
        tensor([9.0000, 6.0625], dtype=torch.float64)

    References:
        The chapter on stochastic gradient descent, equation ``sgd-average-square``.
    """
    _check_stable(lr, curvature)
    num_steps = step.double()
    factor = 1 - lr * curvature
    bias = start * (1 - factor**num_steps) / (lr * curvature * num_steps)
    first = (1 - factor**num_steps) / (1 - factor)
    second = (1 - factor ** (2 * num_steps)) / (1 - factor**2)
    spread = variance / (curvature**2 * batch_size * num_steps**2)
    return bias**2 + spread * (num_steps - 2 * first + second)


@checked
def average_bias(
    lr: Positives,
    curvature: Positives,
    third: Finites,
    variance: NonNegatives,
    batch_size: FromOne = 1,
) -> Number:
    r"""Return where the average of a constant rate settles beside the minimum, for small rates.

    .. math:: \mathbb{E}\,\theta \approx -\frac{f'''\,\eta\sigma^2}{4\lambda^2 B}

    Args:
        lr: :math:`\eta`, in (0, 2 / curvature).
        curvature: :math:`\lambda`, at the minimum, in (0, inf).
        third: :math:`f'''`, the third derivative at the minimum, in (-inf, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The expected distance, to leading order in the rate; 0 on a parabola.

    Example:
        >>> average_bias(lr=0.5, curvature=1.0, third=2.0, variance=4.0)
        -1.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-average-bias``.
    """
    _check_stable(lr, curvature)
    return -third * lr * variance / (4 * curvature**2 * batch_size)


@checked
def convex_bound(
    distance: NonNegatives, lr: Positives, length: NonNegatives, num_steps: FromOne
) -> Number:
    r"""Return how far above the minimum the mean loss of a run can be, on any convex function.

    .. math:: \frac{D^2}{2\eta T} + \frac{\eta S^2}{2}

    Args:
        distance: :math:`D`, from the start to the minimum, in [0, inf).
        lr: :math:`\eta`, in (0, inf).
        length: :math:`S`, the largest root mean square length of a batch's gradient, in [0, inf).
        num_steps: :math:`T`, in [1, inf).

    Returns:
        The bound on the mean over the first :math:`T` iterates, and on their average's loss.

    Example:
        >>> convex_bound(distance=4.0, lr=0.5, length=2.0, num_steps=16)
        2.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-convex``.
    """
    return distance**2 / (2 * lr * num_steps) + lr * length**2 / 2


@checked
def gradient_bound(
    drop: NonNegatives,
    lr: Positives,
    smoothness: Positives,
    variance: NonNegatives,
    num_steps: FromOne,
    batch_size: FromOne = 1,
) -> Number:
    r"""Return how large the mean squared gradient of a run can be, on any smooth function.

    .. math:: \frac{2}{2 - \eta L}
        \left(\frac{f(\theta_0) - f^\star}{\eta T} + \frac{\eta L \sigma^2}{2 B}\right)

    Args:
        drop: :math:`f(\theta_0) - f^\star`, in [0, inf).
        lr: :math:`\eta`, in (0, 2 / smoothness).
        smoothness: :math:`L`, the largest curvature anywhere, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        num_steps: :math:`T`, in [1, inf).
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The bound on the mean of :math:`\|\nabla f\|^2` over the first :math:`T` iterates.

    Example:
        >>> gradient_bound(drop=2.0, lr=1.0, smoothness=1.0, variance=4.0, num_steps=2)
        6.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-nonconvex``.
    """
    check_in_interval("lr * smoothness", lr * smoothness, "(0, 2)")
    noise = lr * smoothness * variance / (2 * batch_size)
    return 2 / (2 - lr * smoothness) * (drop / (lr * num_steps) + noise)


@checked
def sgd_scaled_lr(
    target: Positives, curvature: Positives, variance: Positives, batch_size: FromOne
) -> Number:
    r"""Return the rate whose noise floor is ``target``, for any batch size.

    .. math:: \eta(B) = \frac{2\lambda B F}{\sigma^2 + \lambda^2 B F}

    Args:
        target: :math:`F`, the floor of the squared distance, in (0, inf).
        curvature: :math:`\lambda`, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in (0, inf).
        batch_size: :math:`B`, in [1, inf).

    Returns:
        The learning rate, below :math:`2/\lambda`.

    Example:
        >>> sgd_scaled_lr(target=1.0, curvature=1.0, variance=3.0, batch_size=1)
        0.5

    References:
        The chapter on stochastic gradient descent, equation ``sgd-scaled``.
    """
    product = curvature * batch_size * target
    return 2 * product / (variance + curvature * product)


@checked
def noise_scale(grad: Tensor, hessian: Tensor, covariance: Tensor) -> float:
    r"""Return the batch size at which one step's noise costs as much as its curvature.

    .. math:: B_{\mathrm{crit}} = \frac{\operatorname{tr}(H\Sigma)}{g^\top H g}

    Args:
        grad: :math:`g`, the full gradient, shape ``(dim,)``.
        hessian: :math:`H`, shape ``(dim, dim)``.
        covariance: :math:`\Sigma`, of the gradient of one sample, shape ``(dim, dim)``.

    Returns:
        The critical batch size.

    Raises:
        ValueError: the shapes do not fit each other, or :math:`g^\top H g` is not positive.

    Example:
        >>> noise_scale(torch.tensor([2.0]), torch.eye(1), torch.tensor([[12.0]]))
        3.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-noise-scale``.
    """
    check_shape("grad", grad, (None,))
    check_shape("hessian", hessian, (len(grad), len(grad)))
    check_shape("covariance", covariance, (len(grad), len(grad)))
    bend = (grad @ hessian @ grad).item()
    check_in_interval("the curvature along the gradient", bend, "(0, inf)")
    return (hessian * covariance.T).sum().item() / bend


@checked
def critical_steps(
    batch_size: FromOne, least_steps: Positives, critical_batch: NonNegatives
) -> Number:
    r"""Return :math:`T_{\min}(1 + B_{\mathrm{crit}}/B)`, the steps that a target takes.

    Args:
        batch_size: :math:`B`, in [1, inf).
        least_steps: :math:`T_{\min}`, with the exact gradient, in (0, inf).
        critical_batch: :math:`B_{\mathrm{crit}}`, in [0, inf).

    Returns:
        The number of steps.

    Example:
        >>> critical_steps(10, least_steps=100, critical_batch=30)
        400.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-steps``.
    """
    return least_steps * (1 + critical_batch / batch_size)


@checked
def critical_samples(
    batch_size: FromOne, least_steps: Positives, critical_batch: NonNegatives
) -> Number:
    r"""Return :math:`T_{\min}(B + B_{\mathrm{crit}})`, the samples that a target takes.

    Args:
        batch_size: :math:`B`, in [1, inf).
        least_steps: :math:`T_{\min}`, with the exact gradient, in (0, inf).
        critical_batch: :math:`B_{\mathrm{crit}}`, in [0, inf).

    Returns:
        The number of samples.

    Example:
        >>> critical_samples(10, least_steps=100, critical_batch=30)
        4000.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-samples``.
    """
    return batch_size * critical_steps(batch_size, least_steps, critical_batch)


@checked
def fastest_batch(
    critical_batch: NonNegatives, overhead: Positives, per_sample: Positives
) -> Number:
    r"""Return the batch size that reaches a target soonest, in seconds.

    .. math:: B^\star = \sqrt{B_{\mathrm{crit}} \cdot \tau_0/\tau_1}

    Args:
        critical_batch: :math:`B_{\mathrm{crit}}`, in [0, inf).
        overhead: :math:`\tau_0`, the time of a step that does not depend on the batch, in (0, inf).
        per_sample: :math:`\tau_1`, the time that each sample adds, in (0, inf).

    Returns:
        The batch size, which need not be a whole number.

    Example:
        >>> fastest_batch(critical_batch=100, overhead=8.0, per_sample=2.0)
        20.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-fastest-batch``.
    """
    return (critical_batch * overhead / per_sample) ** 0.5


@checked
def reshuffled_floor(
    lr: Positives,
    curvature: Positive,
    variance: NonNegative,
    num_samples: Several,
    batch_size: Count = 1,
) -> Tensor:
    r"""Return the floor at the ends of epochs, when each epoch shuffles the data anew.

    The samples are parabolas of one curvature: their gradients are :math:`\lambda\theta - r_n`.
    With :math:`a = 1 - \eta\lambda`, :math:`M = N/B` batches an epoch, and :math:`\sigma_B^2` the
    variance of a batch without replacement (:func:`sgd_gradient_variance`),

    .. math:: \mathbb{E}\,\theta^2 = \frac{\eta^2 \sigma_B^2}{1 - a^{2M}} \cdot \frac{M}{M - 1}
        \left(\frac{1 - a^{2M}}{1 - a^2} - \frac{(1 - a^M)^2}{M (1 - a)^2}\right)

    Args:
        lr: :math:`\eta`, in (0, 2 / curvature), any shape.
        curvature: :math:`\lambda`, in (0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample, in [0, inf).
        num_samples: :math:`N`, at least 2.
        batch_size: :math:`B`, which divides ``num_samples``.

    Returns:
        The expected squares, in float64, of the shape of ``lr``.

    Raises:
        ValueError: the batches do not come out even, or an argument is out of range.

    Example:
        >>> reshuffled_floor(0.5, curvature=1.0, variance=3.0, num_samples=2)
        tensor(0.2000, dtype=torch.float64)

    References:
        The chapter on stochastic gradient descent, equation ``sgd-reshuffled``.
    """
    _check_stable(lr, curvature)
    noise = sgd_gradient_variance(variance, batch_size, num_samples)
    num_batches, rest = divmod(num_samples, batch_size)
    if rest:
        raise ValueError(f"batch_size must divide num_samples = {num_samples}, got {batch_size}")
    lr = torch.as_tensor(lr, dtype=torch.float64)
    if num_batches == 1:
        return torch.zeros_like(lr)
    factor = (1 - lr * curvature).unsqueeze(-1)
    # How much each batch of an epoch still counts at its end. Equal weights would cancel.
    weights = factor ** torch.arange(num_batches, dtype=torch.float64)
    left = 1 - factor.squeeze(-1) ** (2 * num_batches)
    return lr**2 * noise * num_batches * weights.var(-1) / left


@checked
def reshuffled_bias(
    lr: Positives,
    curvature: Positives,
    covariance: Finites,
    num_samples: Several,
    batch_size: FromOne = 1,
) -> Number:
    r"""Return where the ends of reshuffled epochs settle beside the minimum, for small rates.

    The gradient of sample :math:`n` is :math:`\lambda_n\theta - r_n`.

    .. math:: \mathbb{E}\,\theta \approx \frac{\eta C}{2\lambda B} \cdot \frac{N - B}{N - 1}

    Args:
        lr: :math:`\eta`, in (0, 2 / curvature).
        curvature: :math:`\lambda`, the mean of the :math:`\lambda_n`, in (0, inf).
        covariance: :math:`C`, of :math:`\lambda_n` and :math:`r_n`, in (-inf, inf).
        num_samples: :math:`N`, at least 2.
        batch_size: :math:`B`, in [1, ``num_samples``].

    Returns:
        The expected distance to the minimum, to leading order in the rate.

    Example:
        >>> reshuffled_bias(0.5, curvature=1.0, covariance=2.0, num_samples=5, batch_size=2)
        0.1875

    References:
        The chapter on stochastic gradient descent, equation ``sgd-reshuffled-bias``.
    """
    _check_stable(lr, curvature)
    return lr * sgd_gradient_variance(1.0, batch_size, num_samples) * covariance / (2 * curvature)


@checked
def sgd_random_curvature_floor(
    lr: Positives,
    curvature: Positives,
    curvature_variance: NonNegatives,
    variance: NonNegatives,
    batch_size: FromOne = 1,
) -> Number:
    r"""Return the noise floor when the samples differ in curvature too.

    .. math:: \mathbb{E}\,\theta^2
        = \frac{\eta\sigma^2}{2\lambda B - \eta(\lambda^2 B + \sigma_\lambda^2)}

    Args:
        lr: :math:`\eta`, in (0, :func:`sgd_random_curvature_max_lr`).
        curvature: :math:`\lambda`, the mean over the samples, in (0, inf).
        curvature_variance: :math:`\sigma_\lambda^2`, in [0, inf).
        variance: :math:`\sigma^2`, of the gradient of one sample at the minimum, in [0, inf).
        batch_size: :math:`B`, in [1, inf), drawn with replacement.

    Returns:
        The expected squared distance to the minimum, after many steps.

    Example:
        >>> sgd_random_curvature_floor(0.5, 1.0, curvature_variance=1.0, variance=3.0)
        1.5

    References:
        The chapter on stochastic gradient descent, equation ``sgd-random-floor``.
    """
    limit = sgd_random_curvature_max_lr(curvature, curvature_variance, batch_size)
    check_in_interval("lr / largest lr", lr / limit, "(0, 1)")
    slack = 2 * curvature * batch_size - lr * (curvature**2 * batch_size + curvature_variance)
    return lr * variance / slack


@checked
def sgd_random_curvature_max_lr(
    curvature: Positives, curvature_variance: NonNegatives, batch_size: FromOne = 1
) -> Number:
    r"""Return the rate from which on the mean square grows for ever.

    .. math:: \frac{2\lambda}{\lambda^2 + \sigma_\lambda^2/B}

    Args:
        curvature: :math:`\lambda`, the mean over the samples, in (0, inf).
        curvature_variance: :math:`\sigma_\lambda^2`, in [0, inf).
        batch_size: :math:`B`, in [1, inf), drawn with replacement.

    Returns:
        The learning rate.

    Example:
        >>> sgd_random_curvature_max_lr(1.0, curvature_variance=1.0, batch_size=1)
        1.0

    References:
        The chapter on stochastic gradient descent, equation ``sgd-random-stable``.
    """
    return 2 * curvature / (curvature**2 + curvature_variance / batch_size)


def _check_stable(lr: Number, curvature: Number) -> None:
    check_in_interval("lr * curvature", lr * curvature, "(0, 2)")
