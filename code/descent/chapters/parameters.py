"""The parameters that each lab takes, with their types and ranges; one ``lab`` per chapter.

The defaults stand in the notebook's own parameters cell, where a reader sees and changes them.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, ClassVar

from descent._extras import book_extra

with book_extra():
    from pydantic import BaseModel, ConfigDict, Field, ValidationError
    from pydantic.fields import FieldInfo


class LabParameters(BaseModel):
    """What every lab takes; a lab's own parameters are the fields of its subclass.

    ``profiles`` names sets of values that replace the notebook's defaults: ``smoke`` runs
    through in seconds, ``book`` is what the rendered book shows, ``gpu`` is the lab at full size.

    Example:
        >>> LabParameters(seed=0, device="auto")
        LabParameters(seed=0, device='auto')
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {},
        "book": {},
        "gpu": {"device": "cuda"},
    }

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    device: Annotated[
        str,
        Field(pattern=r"^[a-z]+(:\d+)?$", description="auto, cpu, cuda, cuda:1, xpu, ..."),
    ]


def parameters_of(lab: str) -> type[LabParameters]:
    """Find the parameters model of a lab.

    Args:
        lab: the lab's name, such as ``"gradient_descent_lab"``.

    Returns:
        The subclass of :class:`LabParameters` that holds its types and ranges.

    Raises:
        ValueError: there is no such lab.

    Example:
        >>> parameters_of("gradient_descent_lab").model_fields["seed"].annotation
        <class 'int'>
    """
    module = f"{__package__}.{lab.removesuffix('_lab')}.lab"
    try:
        found = lab.isidentifier() and lab.endswith("_lab") and find_spec(module)
    except ModuleNotFoundError:  # there is no such chapter
        found = None
    if not found:
        raise ValueError(f"there is no lab {lab!r} in {__package__}")
    return import_module(module).Parameters


def allowed(field: FieldInfo) -> str:
    """Say what a parameter may be, in words.

    Example:
        >>> allowed(LabParameters.model_fields["seed"])
        'an integer in [0, 4294967296)'
        >>> allowed(LabParameters.model_fields["device"])
        'auto, cpu, cuda, cuda:1, xpu, ...'
    """
    if field.description:
        return field.description
    low, high, opening, closing = "-inf", "inf", "(", ")"
    for bound in field.metadata:
        if hasattr(bound, "gt"):
            low = bound.gt
        if hasattr(bound, "ge"):
            low, opening = bound.ge, "["
        if hasattr(bound, "lt"):
            high = bound.lt
        if hasattr(bound, "le"):
            high, closing = bound.le, "]"
    kind = {int: "an integer", float: "a number"}[field.annotation]
    return f"{kind} in {opening}{low}, {high}{closing}"


def validate(lab: str, values: Mapping[str, Any], *, from_text: bool = False) -> LabParameters:
    """Check a lab's parameters: names, types, ranges, and that the device is there.

    Args:
        lab: the lab's name.
        values: parameter name to value, for all of the lab's parameters.
        from_text: read numbers out of strings, as they come from a command line.

    Returns:
        The parameters, with their types.

    Raises:
        ValueError: something is wrong; one line names each parameter, its value and what is
            allowed.

    Example:
        >>> validate("gradient_descent_lab", {"lr": -1.0, "seed": 0, "device": "cpu"})
        Traceback (most recent call last):
        ...
        ValueError: gradient_descent_lab: lr must be a number in ..., got -1.0...
    """
    model = parameters_of(lab)
    try:
        parameters = model.model_validate(dict(values), strict=not from_text)
    except ValidationError as error:
        problems = "; ".join(_problem(model, fault) for fault in error.errors())
        raise ValueError(f"{lab}: {problems}") from None
    if parameters.device not in ("auto", "cpu"):
        from descent.runtime import resolve_device  # torch is slow to import, and seldom needed

        try:
            resolve_device(parameters.device)
        except ValueError as error:
            raise ValueError(f"{lab}: {error}") from None
    return parameters


def _problem(model: type[LabParameters], fault: Mapping[str, Any]) -> str:
    name = str(fault["loc"][0])
    if name not in model.model_fields:
        return f"there is no parameter {name!r}; there are: {', '.join(model.model_fields)}"
    if fault["type"] == "missing":
        return f"{name} is missing"
    return f"{name} must be {allowed(model.model_fields[name])}, got {fault['input']!r}"
