"""The documentation of rules and optimizers, as far as their signatures already say it."""

import inspect
import re
from collections.abc import Callable, Mapping
from textwrap import indent
from typing import TYPE_CHECKING, Any

from descent.optim._hyperparameters import Hyperparameter, as_signature

if TYPE_CHECKING:
    from descent.optim._base import RuleOptimizer

FIRST = {
    "param": "the parameters, of any shape.",
    "grad": "the gradient of the loss at ``param``, of the same shape.",
    "params": "the parameters, a tuple of tensors.",
    "grads": "the gradient of the loss at ``params``, tensor by tensor.",
    "oracle": "``oracle(params) -> (loss, grads)``, the loss and its gradient anywhere.",
    "state": "what the rule remembers; empty before the first step.",
}
RETURNS = "The new parameters, shaped as the old ones, and the new state."
RAISES = {
    "TypeError": "a hyperparameter is of another type, or a group sets one that is unknown.",
    "ValueError": "a number is outside its interval, or there are no parameters.",
}


def document_rule(rule: Callable[..., Any], hyperparameters: Mapping[str, Hyperparameter]) -> None:
    """Add to a rule's docstring what its arguments are, and write its signature short.

    Example:
        >>> from descent.optim import gradient_descent
        >>> print(gradient_descent.__doc__.partition("Args:")[2].partition("Returns:")[0].strip())
        param: the parameters, of any shape.
            grad: the gradient of the loss at ``param``, of the same shape.
            state: what the rule remembers; empty before the first step.
            lr: the learning rate ... per gradient, in [0, inf).
    """
    first = list(inspect.signature(rule).parameters)[:3]
    sections = _sections(rule)
    if "Args" in sections:
        return
    sections["Args"] = _items({name: FIRST[name] for name in first} | _meanings(hyperparameters))
    sections["Returns"] = RETURNS
    rule.__doc__ = _join(sections)
    rule.__signature__ = as_signature(first, hyperparameters)
    # What reads annotations to show them needs the types alone; the rest is kept beside them.
    rule.hyperparameters = dict(hyperparameters)
    types = {each.name: each.annotation for each in rule.__signature__.parameters.values()}
    rule.__annotations__ |= {name: types[name] for name in hyperparameters if name in types}


def document(optimizer: "type[RuleOptimizer[...]]") -> str:
    """Write an optimizer's docstring: its own, with its rule's equations and arguments.

    Example:
        >>> from descent.optim import Adam
        >>> Adam.__doc__.splitlines()[0]
        'Adam as an optimizer; ``torch.optim.Adam`` from its equation.'
    """
    own, of_rule = _sections(optimizer), _sections(optimizer.rule)
    equations = re.findall(r"^\.\. math::.*\n(?:(?: .*)?\n)*", of_rule[""] + "\n", re.MULTILINE)
    own[""] = "\n\n".join([own[""], *(each.strip("\n") for each in equations)])
    own["Args"] = _items(
        {"params": "tensors, or groups of them, to optimize."}
        | _meanings(optimizer.hyperparameters)
    )
    raises = _items(RAISES)
    own["Raises"] = "\n".join(filter(None, [raises, own.get("Raises")]))
    return _join(own | {"References": of_rule["References"]} if "References" in of_rule else own)


def _meanings(hyperparameters: Mapping[str, Hyperparameter]) -> dict[str, str]:
    return {
        name: each.meaning + ("." if each.kind is bool else f", {each.allowed}.")
        for name, each in hyperparameters.items()
    }


ORDER = ("", "Args", "Returns", "Raises", "Example", "References")


def _sections(thing: Any) -> dict[str, str]:
    """Split a docstring at its headings; what comes before the first has the name ``""``."""
    parts = re.split(rf"^({'|'.join(ORDER[1:])}):\n", inspect.cleandoc(thing.__doc__), flags=re.M)
    bodies = [inspect.cleandoc(part) for part in parts[2::2]]
    return {"": parts[0].strip()} | dict(zip(parts[1::2], bodies, strict=True))


def _join(sections: Mapping[str, str]) -> str:
    parts = [
        f"{name}:\n{indent(sections[name], '    ')}" if name else sections[name]
        for name in ORDER
        if name in sections
    ]
    return "\n\n".join(parts) + "\n"


def _items(meanings: Mapping[str, str]) -> str:
    return "\n".join(_wrapped(f"{name}: {meaning}") for name, meaning in meanings.items())


def _wrapped(text: str) -> str:
    # The standard library's takes ten times as long, which every import would pay.
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > 90:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(lines)
