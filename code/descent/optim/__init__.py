"""The update rules, each written once, and the optimizers made from them."""

from descent.optim._base import RuleOptimizer
from descent.optim._compiled import can_compile
from descent.optim._describe import describe
from descent.optim._hyperparameters import Hyperparameter, In
from descent.optim._lifted import from_model_rule, from_oracle_rule, from_rule
from descent.optim._parts import State
from descent.optim._runs import Runs
from descent.optim._shapes import ModelState, Oracle, Params, Rule
from descent.optim.adagrad import Adagrad, adagrad
from descent.optim.adam import Adam, adam
from descent.optim.adamax import Adamax, adamax
from descent.optim.adamw import AdamW, adamw
from descent.optim.clipping import clip_grad_norm, clipped
from descent.optim.gradient_descent import GradientDescent, gradient_descent
from descent.optim.nadam import NAdam, nadam
from descent.optim.radam import RAdam, radam
from descent.optim.rmsprop import RMSprop, rmsprop
from descent.optim.sgd import SGD, sgd

OPTIMIZERS: dict[str, type[RuleOptimizer]] = {
    "gradient descent": GradientDescent,
    "SGD": SGD,
    "Adagrad": Adagrad,
    "RMSprop": RMSprop,
    "Adam": Adam,
    "AdamW": AdamW,
    "NAdam": NAdam,
    "RAdam": RAdam,
    "Adamax": Adamax,
}
"""Every optimizer of the book under the name that figures print, in the order of the chapters.

A row here is all that the figures need to give an optimizer its colour and its dash.
"""

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "GradientDescent",
    "Hyperparameter",
    "In",
    "ModelState",
    "NAdam",
    "Oracle",
    "Params",
    "RAdam",
    "RMSprop",
    "Rule",
    "RuleOptimizer",
    "Runs",
    "State",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "can_compile",
    "clip_grad_norm",
    "clipped",
    "describe",
    "from_model_rule",
    "from_oracle_rule",
    "from_rule",
    "gradient_descent",
    "nadam",
    "radam",
    "rmsprop",
    "sgd",
]
