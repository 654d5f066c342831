"""What a rule's signature says of its hyperparameters: name, default, range, meaning.

A rule annotates each with a type, an interval where it is a number, and a few words::

    lr: Annotated[Number, In("[0, inf)"), "the learning rate"] = 1e-3

and everything else that has to know of them reads it there.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from descent._checks import (
    Number,
    check_flag,
    check_in_interval,
    check_integer_in,
    check_length,
)
from descent._signatures import In, checked

LearningRate = Annotated[
    Number, In("[0, inf)"), r"the learning rate :math:`\eta`, in units of parameter per gradient"
]
StepLength = Annotated[
    Number, In("[0, inf)"), r"the learning rate :math:`\eta`, in units of parameter"
]
Betas = Annotated[
    tuple[Number, Number],
    In("[0, 1)"),
    r":math:`\beta_1, \beta_2`, the parts of both averages that are kept each step",
]
Eps = Annotated[
    Number, In("[0, inf)"), r":math:`\epsilon`, added to the root, in units of gradient"
]
CoupledDecay = Annotated[
    Number,
    In("[0, inf)"),
    r":math:`\lambda`, how much of the parameter is added to its gradient",
]
WeightDecay = Annotated[
    Number,
    In("[0, inf)"),
    r":math:`\lambda`, how much of the parameter is added to its gradient; decoupled, the part of "
    "the parameter, times ``lr``, by which it shrinks before the step",
]
Decoupled = Annotated[bool, "whether the decay leaves the gradient alone, as in AdamW"]
Maximize = Annotated[bool, "whether to climb in place of descending"]


@checked
@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter of a rule.

    Args:
        name: PyTorch's, where PyTorch has it.
        default: what it is when nothing is said.
        kind: ``float``, ``int``, ``bool``, or ``tuple`` for several numbers.
        interval: that each number must lie in; ``""`` for a flag.
        length: how many numbers it holds.
        meaning: a few words, in reStructuredText.
        keyword_only: whether the constructor takes it by name alone.
    """

    name: str
    default: Any
    kind: type
    interval: str
    length: int
    meaning: str
    keyword_only: bool

    @property
    def stacks(self) -> bool:
        """Whether runs that differ in it can be followed as one: numbers yes, choices no."""
        return self.kind in (float, tuple)

    @property
    def allowed(self) -> str:
        """Say what it may be.

        Example:
            >>> from descent.optim import SGD
            >>> SGD.hyperparameters["momentum"].allowed
            'in [0, inf)'
        """
        if self.kind is bool:
            return "True or False"
        each = "each " if self.kind is tuple else "an integer " if self.kind is int else ""
        return f"{each}in {self.interval}"

    def check(self, value: Any) -> None:
        """Raise unless the value is allowed; the error names it."""
        if self.kind is bool:
            check_flag(self.name, value)
        elif self.kind is int:
            check_integer_in(self.name, value, self.interval)
        elif self.kind is tuple:
            check_length(self.name, value, self.length)
            for index, each in enumerate(value):
                check_in_interval(f"{self.name}[{index}]", each, self.interval)
        else:
            check_in_interval(self.name, value, self.interval)


def hyperparameters_of(
    rule: Callable[..., Any], first: tuple[str, ...]
) -> dict[str, Hyperparameter]:
    """Read the hyperparameters from a rule's signature, in its order.

    Args:
        rule: the function.
        first: what its arguments before the hyperparameters are called.

    Raises:
        TypeError: it begins with other arguments, or one of the hyperparameters has no default,
            no range, or no meaning.

    Example:
        >>> from descent.optim import gradient_descent
        >>> found = hyperparameters_of(gradient_descent, ("param", "grad", "state"))
        >>> found["lr"].default, found["lr"].interval
        (0.001, '[0, inf)')
    """
    parameters = list(inspect.signature(rule).parameters.values())
    names = tuple(each.name for each in parameters)
    if names[: len(first)] != first:
        raise TypeError(f"{rule.__name__} must begin with {', '.join(first)}, got {names}")
    if hasattr(rule, "hyperparameters"):
        return rule.hyperparameters
    hints = get_type_hints(rule, include_extras=True)
    own = [each for each in parameters[len(first) :] if each.kind is not each.VAR_KEYWORD]
    return {each.name: _read(rule.__name__, each, hints.get(each.name)) for each in own}


def _read(rule: str, parameter: inspect.Parameter, hint: Any) -> Hyperparameter:
    annotated = get_origin(hint) is Annotated
    base, *notes = get_args(hint) if annotated else (hint,)
    meaning = next((note for note in notes if isinstance(note, str)), None)
    intervals = [note.interval for note in notes if isinstance(note, In)]
    several = get_origin(base) is tuple
    kind = tuple if several else base if base in (bool, int) else float
    lacking = "a default" if parameter.default is parameter.empty else ""
    lacking = lacking or ("words that say what it means" if meaning is None else "")
    lacking = lacking or ("" if intervals or kind is bool else "an interval, In(...)")
    if lacking:
        raise TypeError(f"the hyperparameter {parameter.name!r} of {rule} needs {lacking}")
    return Hyperparameter(
        name=parameter.name,
        default=parameter.default,
        kind=kind,
        interval=intervals[0] if intervals else "",
        length=len(get_args(base)) if several else 1,
        meaning=str(meaning),
        keyword_only=parameter.kind is parameter.KEYWORD_ONLY,
    )


def as_signature(
    first: Iterator[str], hyperparameters: dict[str, Hyperparameter]
) -> inspect.Signature:
    """Write a signature: some arguments without default, then the hyperparameters.

    Example:
        >>> from descent.optim import AdamW
        >>> str(as_signature(("params",), dict(lr=AdamW.hyperparameters["lr"])))
        '(params, lr: float | torch.Tensor = 0.001)'
    """
    kinds = inspect.Parameter
    return inspect.Signature(
        [kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in first]
        + [
            kinds(
                each.name,
                kinds.KEYWORD_ONLY if each.keyword_only else kinds.POSITIONAL_OR_KEYWORD,
                default=each.default,
                annotation=_TYPES.get(each.kind, each.kind),
            )
            for each in sorted(hyperparameters.values(), key=lambda each: each.keyword_only)
        ]
    )


_TYPES = {float: Number, tuple: tuple[Number, ...]}
