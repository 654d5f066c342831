r"""The closed forms of the chapter on Adam.

Steps are counted from 1, as the state ``step`` of the optimizers counts them, and lengths of steps
are in units of the learning rate, unless said otherwise. Epsilon is 0 throughout.
"""

import math
from typing import Annotated

import torch
from torch import Tensor

from descent._checks import Number, check_in_interval
from descent._signatures import (
    Count,
    Finite,
    Fraction,
    Fractions,
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

TRUSTED_LENGTH = 5
r"""The window :math:`\rho_t` above which PyTorch's RAdam uses its denominator."""


@checked
def ema_mass(beta: Fractions, step: NonNegatives) -> Number:
    r"""Return :math:`1 - \beta^t`, the sum of the weights of an average that started at 0.

    Args:
        beta: how slowly the average forgets, in [0, 1).
        step: :math:`t`, how many values it has taken in, in [0, inf).

    Returns:
        What the average is of a constant: the divisor of the bias correction.

    Example:
        >>> ema_mass(0.5, 2)
        0.75

    References:
        The chapter on Adam, equation ``adam-mass``.
    """
    return 1 - beta**step


@checked
def ema_lag(beta: Fractions, step: FromOne) -> Number:
    r"""Return the mean age, in steps, of what a bias-corrected average is made of.

    .. math:: \frac{\beta}{1 - \beta} - \frac{t \beta^t}{1 - \beta^t}

    :math:`\beta` is ``beta``, :math:`t` is ``step``.

    Args:
        beta: how slowly the average forgets, in [0, 1).
        step: how many values it has taken in, in [1, inf).

    Returns:
        The lag: the newest value has age 0.

    Example:
        >>> ema_lag(0.5, 1), ema_lag(0.5, 2)
        (0.0, 0.33333333333333337)

    References:
        The chapter on Adam, equation ``adam-lag``.
    """
    return beta / (1 - beta) - step * beta**step / (1 - beta**step)


@checked
def adam_uncorrected_step(beta1: Fractions, beta2: Fractions, step: FromOne) -> Number:
    r"""Return :math:`(1 - \beta_1^t)/\sqrt{1 - \beta_2^t}`: Adam without its bias correction.

    Args:
        beta1: of the average of gradients, in [0, 1).
        beta2: of the average of squares, in [0, 1).
        step: :math:`t`, the number of the step, in [1, inf).

    Returns:
        The length of the step under a constant gradient.

    Example:
        >>> round(adam_uncorrected_step(0.9, 0.999, 1), 3)
        3.162

    References:
        The chapter on Adam, equation ``adam-uncorrected``.
    """
    return ema_mass(beta1, step) / ema_mass(beta2, step) ** 0.5


@checked
def adam_burst_step(
    beta1: Fractions, beta2: Fractions, silence: NonNegatives, repeats: FromOne = 1
) -> Number:
    r"""Return the length of a step after a long silence.

    .. math::
        \frac{1 - \beta_1^k}{\sqrt{1 - \beta_2^k}} \cdot
        \frac{\sqrt{1 - \beta_2^{n+k}}}{1 - \beta_1^{n+k}}

    :math:`n` is ``silence``, :math:`k` is ``repeats``.

    Args:
        beta1: of the average of gradients, in [0, 1).
        beta2: of the average of squares, in [0, 1).
        silence: how many gradients were 0, in [0, inf).
        repeats: how many equal ones have come since, in [1, inf).

    Returns:
        The length of the last step, bias correction included.

    Example:
        >>> adam_burst_step(0.9, 0.999, silence=0)
        1.0
        >>> round(adam_burst_step(0.9, 0.999, silence=5000), 3)
        3.152

    References:
        The chapter on Adam, equation ``adam-burst``.
    """
    after = adam_uncorrected_step(beta1, beta2, repeats)
    return after / adam_uncorrected_step(beta1, beta2, silence + repeats)


@checked
def adam_max_step(
    beta1: Fractions,
    beta2: Annotated[Number, In("(0, 1)")],
    step: Annotated[Number, In("[1, inf]")] = math.inf,
) -> Number:
    r"""Return the longest step that any gradients can make Adam take.

    .. math::
        \frac{1 - \beta_1}{1 - \beta_1^t} \sqrt{\frac{1 - \beta_2^t}{1 - \beta_2} \cdot
        \frac{1 - \omega^t}{1 - \omega}}, \quad \omega = \frac{\beta_1^2}{\beta_2}

    :math:`t` is ``step``.

    Args:
        beta1: of the average of gradients, in [0, 1), and below the root of ``beta2``.
        beta2: of the average of squares, in (0, 1).
        step: the number of the step, in [1, inf]; infinity is the bound for all steps.

    Returns:
        The length; it is reached when the gradient grows by ``beta2 / beta1`` each step.

    Raises:
        ValueError: ``beta1**2`` is not below ``beta2``.

    Example:
        >>> round(adam_max_step(0.9, 0.999), 2), round(adam_max_step(0.9, 0.9), 2)
        (7.27, 1.0)

    References:
        The chapter on Adam, equation ``adam-worst``.
    """
    ratio = beta1**2 / beta2
    check_in_interval("beta1**2 / beta2", ratio, "[0, 1)")
    squares = (1 - beta2**step) * (1 - ratio**step) / ((1 - beta2) * (1 - ratio))
    return (1 - beta1) / (1 - beta1**step) * squares**0.5


@checked
def adam_noise_step(beta1: Fractions) -> Number:
    r"""Return :math:`\sqrt{(1 - \beta_1)/(1 + \beta_1)}`, the usual length of a step in pure noise.

    Args:
        beta1: of the average of gradients, in [0, 1).

    Returns:
        The root mean square, for independent gradients of mean 0 and a ``beta2`` close to 1.

    Example:
        >>> round(adam_noise_step(0.9), 3)
        0.229

    References:
        The chapter on Adam, equation ``adam-noise-step``.
    """
    return ((1 - beta1) / (1 + beta1)) ** 0.5


@checked
def reddi_drift(
    scale: Annotated[float, In("[1, inf)")],
    beta2: Fraction,
    period: Several = 3,
    *,
    amsgrad: bool = False,
) -> float:
    r"""Return how far one period of Reddi's gradients moves Adam without momentum.

    .. math::
        \sum_{k=1}^{P-1} \frac{1}{\sqrt{v_k}} - \frac{C}{\sqrt{v_0}}, \quad
        v_k = 1 + \beta_2^k (v_0 - 1)

    The gradient is :math:`C`, ``scale``, once in a ``period`` :math:`P`, and otherwise -1.
    :math:`v_0` stands right after the large one, when earlier periods have settled.

    Args:
        scale: the large gradient, in [1, inf).
        beta2: of the average of squares, in [0, 1).
        period: at least 2.
        amsgrad: whether every step divides by the largest average so far.

    Returns:
        The displacement; above 0 where Adam walks up the mean slope, if ``scale > period - 1``.

    Example:
        >>> round(reddi_drift(3.0, 0.1), 3), round(reddi_drift(3.0, 0.1, amsgrad=True), 3)
        (0.681, -0.349)

    References:
        The chapter on Adam, equations ``adam-reddi-drift`` and ``adam-amsgrad-drift``.
    """
    top = (beta2 - beta2**period + (1 - beta2) * scale**2) / (1 - beta2**period)
    if amsgrad:
        return (period - 1 - scale) / top**0.5
    averages = [1 + beta2**k * (top - 1) for k in range(1, period)]
    return sum(average**-0.5 for average in averages) - scale / top**0.5


@checked
def adamw_shrink(lr: NonNegatives, weight_decay: NonNegatives, step: NonNegatives) -> Number:
    r"""Return :math:`(1 - \eta\lambda)^t`, what decoupled decay leaves of a weight on average.

    Args:
        lr: :math:`\eta`, in [0, inf).
        weight_decay: :math:`\lambda`, in [0, inf).
        step: :math:`t`, how many steps were made, in [0, inf).

    Returns:
        The fraction that is left, whatever the size of the noise in the gradient.

    Example:
        >>> round(adamw_shrink(1e-3, 0.5, 1000), 4)
        0.6065

    References:
        The chapter on Adam, equation ``adam-shrink``.
    """
    return (1 - lr * weight_decay) ** step


@checked
def adamw_noise_floor(lr: Positives, weight_decay: Positives, beta1: Fractions) -> Number:
    r"""Return the mean square of a weight that only noise and decoupled decay act on.

    .. math:: \frac{\eta^2 (1 - \beta_1)(1 + a\beta_1)}{(1 + \beta_1)(1 - a^2)(1 - a\beta_1)}

    :math:`a = 1 - \eta\lambda`, where :math:`\eta` is ``lr`` and :math:`\lambda` is
    ``weight_decay``.

    Args:
        lr: the learning rate, in (0, inf).
        weight_decay: in (0, inf), with a product with ``lr`` in (0, 2).
        beta1: of the average of gradients, in [0, 1).

    Returns:
        The mean square after many steps, for a ``beta2`` close to 1; about
        :math:`\eta/2\lambda`.

    Example:
        >>> round(adamw_noise_floor(1e-3, 0.5, 0.9) / (1e-3 / 0.5 / 2), 3)
        0.996

    References:
        The chapter on Adam, equation ``adam-floor``.
    """
    check_in_interval("lr * weight_decay", lr * weight_decay, "(0, 2)")
    keep = 1 - lr * weight_decay
    above = (1 - beta1) * (1 + keep * beta1)
    return lr**2 * above / ((1 + beta1) * (1 - keep**2) * (1 - keep * beta1))


@checked
def coupled_shrink(
    start: Finite,
    lr: Positive,
    weight_decay: NonNegative,
    noise: Positive,
    num_steps: Count,
    betas: Annotated[tuple[float, float], In("[0, 1)")] = (0.9, 0.999),
) -> Tensor:
    r"""Return the mean of a weight under Adam whose gradient is noise plus :math:`\lambda\theta`.

    Adam's own recursion, on the means of gradient and square: :math:`\lambda\theta` and
    :math:`\sigma^2 + \lambda^2\theta^2`.

    Args:
        start: the first weight, in (-inf, inf).
        lr: the learning rate, in (0, inf).
        weight_decay: :math:`\lambda`, added to the gradient as an L2 penalty, in [0, inf).
        noise: :math:`\sigma`, the gradient's standard deviation, in (0, inf).
        num_steps: at least 1.
        betas: both in [0, 1).

    Returns:
        The mean before the first and after every step, shape ``(num_steps + 1,)``.

    Example:
        >>> coupled_shrink(1.0, 1e-3, 0.5, noise=10.0, num_steps=1000)[-1]
        tensor(0.9513, dtype=torch.float64)

    References:
        The chapter on Adam, equation ``adam-coupled-late``.
    """
    beta1, beta2 = betas
    mean, average, square, path = start, 0.0, 0.0, [start]
    for step in range(1, num_steps + 1):
        slope = weight_decay * mean
        average = beta1 * average + (1 - beta1) * slope
        square = beta2 * square + (1 - beta2) * (noise**2 + slope**2)
        denom = (square / ema_mass(beta2, step)) ** 0.5
        mean -= lr * average / ema_mass(beta1, step) / denom
        path.append(mean)
    return torch.tensor(path, dtype=torch.float64)


@checked
def radam_length(beta2: Fractions, step: FromOne) -> Number:
    r"""Return :math:`\rho_t`, the plain window that is as old on average as Adam's squares.

    .. math:: \rho_t = \frac{2}{1 - \beta_2} - 1 - \frac{2 t \beta_2^t}{1 - \beta_2^t}

    Args:
        beta2: of the average of squares, in [0, 1).
        step: :math:`t`, in [1, inf).

    Returns:
        The length of the window, in steps.

    Example:
        >>> radam_length(0.999, 1)
        1.0
        >>> round(radam_length(0.999, 10), 2)
        9.98

    References:
        The chapter on Adam, equation ``adam-window``.
    """
    return 1 + 2 * ema_lag(beta2, step)


@checked
def radam_rectifier(beta2: Annotated[float, In(f"({2 / 3}, 1)")], step: StepsFromOne) -> Tensor:
    r"""Return RAdam's factor on the step.

    .. math::
        r_t = \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\rho_\infty}
        {(\rho_\infty - 4)(\rho_\infty - 2)\rho_t}}

    :math:`\rho_t` is :func:`radam_length`.

    Args:
        beta2: of the average of squares, in (2/3, 1), so that the longest window is above 5.
        step: :math:`t`, in [1, inf), any shape.

    Returns:
        The factors; NaN where the window is not above 5, and PyTorch's RAdam has no denominator.

    Example:
        >>> radam_rectifier(0.999, torch.tensor([5, 6, 100]))
        tensor([   nan, 0.0258, 0.2153], dtype=torch.float64)

    References:
        The chapter on Adam, equation ``adam-rectifier``.
    """
    length = radam_length(beta2, step.double())
    longest = (1 + beta2) / (1 - beta2)
    square = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    return torch.where(length > TRUSTED_LENGTH, square, torch.nan).sqrt()


@checked
def adamax_max_step(beta1: NonNegatives, beta2: Annotated[Number, In("(0, 1)")]) -> Number:
    r"""Return :math:`\beta_2 (1 - \beta_1)/(\beta_2 - \beta_1)`: no step of Adamax is longer.

    Args:
        beta1: of the average of gradients, in [0, beta2).
        beta2: of the maximum, in (0, 1).

    Returns:
        The length; it is approached when the gradient shrinks by ``beta2`` each step.

    Example:
        >>> round(adamax_max_step(0.9, 0.999), 4)
        1.0091

    References:
        The chapter on Adam, equation ``adam-max-bound``.
    """
    check_in_interval("beta1 / beta2", beta1 / beta2, "[0, 1)")
    return beta2 * (1 - beta1) / (beta2 - beta1)


@checked
def wilson_scores(num_positive: FromOne, num_negative: FromOne) -> tuple[Number, Number]:
    r"""Return what gradient descent, fitted to Wilson's data, says of new samples.

    .. math::
        \frac{8 N_+ N_- + 15 N_+ - N_-}{M}, \quad
        -\frac{8 N_+ N_- - 5 N_+ + 3 N_-}{M}, \quad M = 8 N_+ N_- + 15 N_+ + 3 N_- + 5

    Args:
        num_positive: :math:`N_+`, how many of the training samples are positive, in [1, inf).
        num_negative: :math:`N_-`, in [1, inf).

    Returns:
        The scores of a new positive and of a new negative sample, for least squares from 0.

    Example:
        >>> wilson_scores(1.0, 1.0)
        (0.7096774193548387, -0.1935483870967742)

    References:
        The chapter on Adam, equations ``adam-wilson-positive`` and ``adam-wilson-negative``.
    """
    both = 8 * num_positive * num_negative
    below = both + 15 * num_positive + 3 * num_negative + 5
    positive = (both + 15 * num_positive - num_negative) / below
    negative = -(both - 5 * num_positive + 3 * num_negative) / below
    return positive, negative


@checked
def class_time(
    margin: NonNegatives,
    frequency: Annotated[Number, In("(0, 1]")],
    num_classes: Several,
    lr: Positive,
) -> Number:
    r"""Return the steps in which slow gradient descent learns a class that has its own feature.

    .. math:: t = \frac{(K - 1) \zeta + e^\zeta - 1}{K \eta \pi}

    :math:`\zeta` is ``margin``, :math:`\pi` is ``frequency``, :math:`K` is ``num_classes``.

    Args:
        margin: how far the right logit is to be above the others, in [0, inf).
        frequency: the share of the class in the data, in (0, 1].
        num_classes: at least 2.
        lr: :math:`\eta`, in (0, inf); the form is exact as it goes to 0.

    Returns:
        The number of steps, from logits that are all 0.

    Example:
        >>> class_time(0.0, 0.5, num_classes=2, lr=0.1)
        0.0

    References:
        The chapter on Adam, equation ``adam-class-time``.
    """
    grown = margin.exp() if isinstance(margin, Tensor) else math.exp(margin)
    return ((num_classes - 1) * margin + grown - 1) / (num_classes * lr * frequency)


@checked
def sign_class_loss(step: Steps, num_classes: Several, lr: Positive) -> Tensor:
    r"""Return the loss of a class with its own feature under sign descent.

    .. math:: \ln(1 + (K - 1) e^{-2\eta t})

    :math:`t` is ``step``, :math:`K` is ``num_classes``, :math:`\eta` is ``lr``.

    Args:
        step: from 0, any shape.
        num_classes: at least 2.
        lr: the learning rate, in (0, inf).

    Returns:
        The cross-entropy, from logits that are all 0, the same for every frequency.

    Example:
        >>> sign_class_loss(torch.tensor([0]), num_classes=2, lr=0.1)
        tensor([0.6931], dtype=torch.float64)

    References:
        The chapter on Adam, equation ``adam-class-sign``.
    """
    return ((num_classes - 1) * (-2 * lr * step.double()).exp()).log1p()
