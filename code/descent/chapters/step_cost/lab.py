"""The parameters of the lab on what a step costs."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/step_cost_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["race_params"]
        10000
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {"race_params": 10_000, "race_rounds": 2, "num_weights": 100},
        "book": {},
        "gpu": {"device": "cuda", "race_params": 100_000_000, "race_rounds": 15},
    }

    race_params: Annotated[int, Field(ge=10_000, le=1_000_000_000)]
    num_tensors: Annotated[int, Field(ge=2, le=1000)]
    race_rounds: Annotated[int, Field(ge=2, le=1000)]
    stall_steps: Annotated[int, Field(ge=100, le=100_000)]
    num_weights: Annotated[int, Field(ge=100, le=100_000)]
