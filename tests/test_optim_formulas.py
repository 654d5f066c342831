"""Slips of the pen in a rule's formula: each must take the rule away from what it is held by."""

import importlib
import itertools
import sys
from types import ModuleType

import pytest
import torch
from held import COUNTERPARTS

from descent.optim import OPTIMIZERS, RuleOptimizer

SETTINGS = {
    "lr": 0.03,
    "momentum": 0.7,
    "dampening": 0.4,
    "betas": (0.6, 0.85),
    "alpha": 0.8,
    "eps": 0.05,
    "weight_decay": 0.3,
    "lr_decay": 0.2,
    "initial_accumulator_value": 0.4,
    "momentum_decay": 0.3,
}
"""Values that are all on and all different, so that one in place of another shows."""

PARTS = {
    "the decay without the rate": ("1 - lr * weight_decay", "1 - weight_decay"),
    "the decay with the wrong sign": ("1 - lr * weight_decay", "1 + lr * weight_decay"),
    "coupled decay left out": ("grad = blend(grad, weight_decay, param)", "pass"),
    "maximize that descends": ("grad = -grad", "pass"),
    "an average that keeps what it should add": ("weight = 1 - keep", "weight = keep"),
    "squares that are not weighted": ("value=1 - keep)", "value=1.0)"),
    "a correction that corrects nothing": (
        "return 1 - as_number(keep) ** as_number(step)",
        "return 1.0",
    ),
    "a step uphill": ("alpha=-lr", "alpha=lr"),
    "a scaled step uphill": ("value=-lr", "value=lr"),
    "a step without the rate": ("alpha=-lr", "alpha=-1.0"),
    "a scaled step without the rate": ("value=-lr", "value=-1.0"),
}
"""What may go wrong in the parts that rules share: each must show in some rule that uses it."""

MUTANTS = {
    "gradient_descent": [("lr, grad)", "2 * lr, grad)"), ("param, lr, grad", "grad, lr, param")],
    "sgd": [
        ("blend(fresh, momentum, buffer)", "blend(fresh, 1 - momentum, buffer)"),
        ("blend(fresh, momentum, buffer)", "blend(fresh, dampening, buffer)"),
        ("(1 - dampening) * grad", "dampening * grad"),
        ("buffer = grad.clone()", "buffer = (1 - dampening) * grad"),
        ("blend(grad, momentum, buffer) if nesterov", "blend(buffer, momentum, grad) if nesterov"),
    ],
    "adagrad": [
        ("as_number(step) - 1", "as_number(step)"),
        ("lr / (1 +", "lr * (1 +"),
        ("sum_of_squares.sqrt() + eps", "(sum_of_squares + eps).sqrt()"),
        ("sum_of_squares.sqrt() + eps", "sum_of_squares + eps"),
        ('torch.addcmul(state["sum"], grad, grad)', 'state["sum"] + grad'),
        ("value * parts", "0 * value * parts"),
    ],
    "rmsprop": [
        ("square_avg.sqrt() + eps", "(square_avg + eps).sqrt()"),
        ('state["square_avg"], grad, alpha)', 'state["square_avg"], grad, 1 - alpha)'),
        ('state["grad_avg"], grad, alpha)', 'state["grad_avg"], grad, momentum)'),
        ("grad_avg, grad_avg, value=-1", "grad_avg, grad_avg, value=1"),
        ("], grad, denom)", "], grad, torch.ones_like(denom))"),
        ("descend(param, lr, buffer)", "descend(param, lr, buffer, denom)"),
    ],
    "adam": [
        ("beta1, beta2 = betas", "beta2, beta1 = betas"),
        ("exp_avg_sq.sqrt() / bias_correction(beta2, count) ** 0.5", "exp_avg_sq.sqrt()"),
        ("lr / bias_correction(beta1, count)", "lr"),
        ("lr / bias_correction(beta1, count)", "lr / bias_correction(beta2, count)"),
        ("bias_correction(beta2, count) ** 0.5", "bias_correction(beta2, count)"),
        (
            "exp_avg_sq.sqrt() / bias_correction(beta2, count) ** 0.5 + eps",
            "(exp_avg_sq.sqrt() + eps) / bias_correction(beta2, count) ** 0.5",
        ),
        ("torch.maximum(", "torch.minimum("),
        ("decoupled=decoupled_weight_decay", "decoupled=not decoupled_weight_decay"),
        ('state["step"] + 1', 'state["step"] + 2'),
    ],
    "adamw": [
        ("decoupled_weight_decay=True", "decoupled_weight_decay=False"),
        ("lr, betas, eps, weight_decay, amsgrad,", "lr, betas, eps, 0.0, amsgrad,"),
        ("lr, betas, eps, weight_decay, amsgrad,", "lr, betas[::-1], eps, weight_decay, amsgrad,"),
        ("maximize=maximize", "maximize=False"),
    ],
    "adamax": [
        ("beta1, beta2 = betas", "beta2, beta1 = betas"),
        ("lr / bias_correction(beta1, step)", "lr"),
        ("grad.abs() + eps", "grad.abs()"),
        ("torch.maximum(beta2 *", "torch.maximum("),
    ],
    "nadam": [
        ("beta1, beta2 = betas", "beta2, beta1 = betas"),
        ("mu_next = _momentum(step + 1,", "mu_next = _momentum(step,"),
        ("lr * (1 - mu) / (1 - mu_product)", "lr * (1 - mu)"),
        ("(1 - mu_product * mu_next)", "(1 - mu_product)"),
        ("exp_avg_sq / bias_correction(beta2, step)", "exp_avg_sq"),
        ("1 - 0.5 * 0.96", "1 - 0.96"),
        ("step * momentum_decay", "momentum_decay"),
    ],
    "radam": [
        ("beta1, beta2 = betas", "beta2, beta1 = betas"),
        ("rho <= 5", "rho <= 6"),
        ("(rho - 4) * (rho - 2) * rho_inf", "(rho - 4) * rho_inf"),
        ("(rectified * correction2) ** 0.5", "rectified**0.5"),
        ("(rectified * correction2) ** 0.5", "correction2**0.5"),
        ("lr / bias_correction(beta1, step)", "lr"),
        ("2 / (1 - beta2) - 1", "2 / (1 - beta2)"),
    ],
}
"""By rule, slips of the pen: what stands in its source, and what might stand there instead."""


def mutated(module: str, old: str, new: str, monkeypatch) -> ModuleType:
    """Run a module of ``descent.optim`` with something else written in it, and make it count."""
    name = f"descent.optim.{module}"
    file = importlib.import_module(name).__file__
    with open(file, encoding="utf-8") as source:
        text = source.read()
    assert old in text, f"there is no {old!r} in {module}.py any more"
    changed = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, changed)
    exec(compile(text.replace(old, new), file, "exec"), changed.__dict__)
    return changed


def choices(optimizer: type[RuleOptimizer]) -> list[dict[str, bool]]:
    """Combine the flags of an optimizer that it takes together."""
    flags = [name for name, each in optimizer.hyperparameters.items() if each.kind is bool]
    values = itertools.product([False, True], repeat=len(flags))
    return [dict(zip(flags, each, strict=True)) for each in values]


def agrees(optimizer: type[RuleOptimizer], counterpart: type[torch.optim.Optimizer]) -> bool:
    """Say whether an optimizer goes where its counterpart goes, with all settings on."""
    numbers = {n: v for n, v in SETTINGS.items() if n in optimizer.hyperparameters}
    for flags in choices(optimizer):
        settings = numbers | flags | ({"dampening": 0.0} if flags.get("nesterov") else {})
        generator = torch.Generator().manual_seed(0)
        start = torch.randn(4, dtype=torch.float64, generator=generator)
        params = [start.clone().requires_grad_() for _ in range(2)]
        theirs = counterpart([params[1]], **settings)
        try:
            ours = optimizer([params[0]], **settings)
            for _ in range(15):
                grad = torch.randn(4, dtype=torch.float64, generator=generator)
                for param, each in zip(params, (ours, theirs), strict=True):
                    param.grad = grad.clone()
                    each.step()
        except (ArithmeticError, RuntimeError, TypeError):
            return False
        if not torch.allclose(params[0], params[1], rtol=1e-6, atol=1e-9):
            return False
    return True


def rule_of(optimizer: type[RuleOptimizer]) -> str:
    return optimizer.__module__.rpartition(".")[2]


@pytest.mark.parametrize("optimizer", COUNTERPARTS, ids=lambda each: each.__name__)
def test_a_rule_goes_where_its_counterpart_goes(optimizer):
    assert agrees(optimizer, COUNTERPARTS[optimizer])


@pytest.mark.parametrize("optimizer", COUNTERPARTS, ids=lambda each: each.__name__)
def test_a_module_run_again_as_it_is_still_goes_there(optimizer, monkeypatch):
    changed = mutated(rule_of(optimizer), "import", "import", monkeypatch)
    found = getattr(changed, optimizer.__name__)
    assert found is not optimizer
    assert agrees(found, COUNTERPARTS[optimizer])


@pytest.mark.parametrize(
    ("optimizer", "old", "new"),
    [
        (optimizer, old, new)
        for optimizer in COUNTERPARTS
        for old, new in MUTANTS[rule_of(optimizer)]
    ],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_a_slip_in_a_rule_shows(optimizer, old, new, monkeypatch):
    changed = mutated(rule_of(optimizer), old, new, monkeypatch)
    assert not agrees(getattr(changed, optimizer.__name__), COUNTERPARTS[optimizer])


@pytest.mark.parametrize("slip", PARTS)
def test_a_slip_in_a_part_that_rules_share_shows(slip, monkeypatch):
    old, new = PARTS[slip]
    mutated("_parts", old, new, monkeypatch)
    noticed = []
    for optimizer, counterpart in COUNTERPARTS.items():
        name = rule_of(optimizer)
        changed = mutated(name, "import", "import", monkeypatch)
        if not agrees(getattr(changed, optimizer.__name__), counterpart):
            noticed.append(name)
    assert noticed, f"no rule goes elsewhere with {slip}"


def test_every_rule_that_pytorch_holds_has_slips():
    held = {rule_of(each) for each in OPTIMIZERS.values() if each in COUNTERPARTS}
    assert held == MUTANTS.keys()
    assert all(len(slips) >= 2 for slips in MUTANTS.values())
