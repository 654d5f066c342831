"""The parameters of the lab on stochastic gradient descent."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/sgd_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["digits_seeds"]
        2
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {
            "first_epochs": 1,
            "num_runs": 100,
            "num_steps": 200,
            "decay_steps": 200,
            "num_epochs": 20,
            "digits_seeds": 2,
            "digits_epochs": 1,
            "digits_steps": 10,
        },
        "book": {},
        "gpu": {
            "device": "cuda",
            "first_epochs": 20,
            "num_runs": 20_000,
            "decay_steps": 10_000,
            "num_epochs": 400,
            "digits_seeds": 32,
            "digits_width": 128,
            "digits_epochs": 20,
            "digits_steps": 200,
        },
    }

    lr: Annotated[float, Field(gt=0, le=0.5)]
    first_epochs: Annotated[int, Field(ge=1, le=1000)]
    num_runs: Annotated[int, Field(ge=50, le=100_000)]
    num_steps: Annotated[int, Field(ge=100, le=10_000)]
    decay_steps: Annotated[int, Field(ge=200, le=1_000_000)]
    num_epochs: Annotated[int, Field(ge=20, le=10_000)]
    digits_seeds: Annotated[int, Field(ge=2, le=1000)]
    digits_width: Annotated[int, Field(ge=4, le=1024)]
    digits_epochs: Annotated[int, Field(ge=1, le=1000)]
    digits_steps: Annotated[int, Field(ge=10, le=100_000)]
