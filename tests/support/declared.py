"""What an optimizer's signature allows, in the form that the tests draw values from."""

from descent.optim import RuleOptimizer

Allowed = str | tuple[str, ...] | type


def allowed(optimizer: type[RuleOptimizer]) -> dict[str, Allowed]:
    """Return each hyperparameter's interval, or intervals, or ``bool`` or ``int``."""
    found: dict[str, Allowed] = {}
    for name, each in optimizer.hyperparameters.items():
        many = (each.interval,) * each.length
        found[name] = {float: each.interval, tuple: many}.get(each.kind, each.kind)
    return found
