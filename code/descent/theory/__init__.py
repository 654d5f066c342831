"""Closed forms that the book derives: the oracle its experiments are judged by.

One module per chapter. Nothing here runs an optimizer, and nothing here is used by one.
"""

from descent.theory.gradient_descent import (
    central_difference_best,
    central_difference_bound,
    forward_difference_best,
    forward_difference_bound,
    gradient_descent_best_lr,
    gradient_descent_best_rate,
    gradient_descent_convex_bound,
    gradient_descent_distance,
    gradient_descent_linear_bound,
    gradient_descent_max_lr,
    gradient_descent_rate,
    gradient_descent_stationary_bound,
    gradient_descent_steps,
    gradient_descent_worst_case,
    saddle_escape_steps,
)
from descent.theory.losses import (
    double_softmax_floor,
    gaussian_entropy,
    huber_efficiency,
    huber_outlier_bias,
    label_smoothing_gap,
    mean_outlier_bias,
    median_outlier_bias,
    saturation_logit,
)

__all__ = [
    "central_difference_best",
    "central_difference_bound",
    "double_softmax_floor",
    "forward_difference_best",
    "forward_difference_bound",
    "gaussian_entropy",
    "gradient_descent_best_lr",
    "gradient_descent_best_rate",
    "gradient_descent_convex_bound",
    "gradient_descent_distance",
    "gradient_descent_linear_bound",
    "gradient_descent_max_lr",
    "gradient_descent_rate",
    "gradient_descent_stationary_bound",
    "gradient_descent_steps",
    "gradient_descent_worst_case",
    "huber_efficiency",
    "huber_outlier_bias",
    "label_smoothing_gap",
    "mean_outlier_bias",
    "median_outlier_bias",
    "saddle_escape_steps",
    "saturation_logit",
]
