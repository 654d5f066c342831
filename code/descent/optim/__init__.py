"""The update rules, each written once, and the optimizers made from them."""

from descent.optim._base import Rule, RuleOptimizer, State
from descent.optim.gradient_descent import GradientDescent, gradient_descent
from descent.optim.sgd import SGD, sgd

OPTIMIZERS: dict[str, type[RuleOptimizer]] = {
    "gradient descent": GradientDescent,
    "SGD": SGD,
}
"""Every optimizer of the book under the name that figures print, in the order of the chapters.

A row here is all that the figures need to give an optimizer its colour and its dash.
"""

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "GradientDescent",
    "Rule",
    "RuleOptimizer",
    "State",
    "gradient_descent",
    "sgd",
]
