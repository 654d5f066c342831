"""The update rules, each written once, and the optimizers made from them."""

from descent.optim._base import Rule, RuleOptimizer, State
from descent.optim.adam import Adam, adam
from descent.optim.gradient_descent import GradientDescent, gradient_descent
from descent.optim.rmsprop import RMSprop, rmsprop
from descent.optim.sgd import SGD, sgd

OPTIMIZERS: dict[str, type[RuleOptimizer]] = {
    "gradient descent": GradientDescent,
    "SGD": SGD,
    "RMSprop": RMSprop,
    "Adam": Adam,
}
"""Every optimizer of the book under the name that figures print, in the order of the chapters.

A row here is all that the figures need to give an optimizer its colour and its dash.
"""

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "GradientDescent",
    "RMSprop",
    "Rule",
    "RuleOptimizer",
    "State",
    "adam",
    "gradient_descent",
    "rmsprop",
    "sgd",
]
