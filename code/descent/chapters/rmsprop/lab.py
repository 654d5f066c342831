"""The parameters of the lab on RMSprop."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/rmsprop_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["digits_seeds"]
        2
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {
            "bowl_steps": 1000,
            "rare_runs": 3,
            "rare_steps": 100,
            "noise_runs": 100,
            "digits_seeds": 2,
            "digits_steps": 10,
        },
        "book": {},
        "gpu": {
            "device": "cuda",
            "bowl_steps": 200_000,
            "rare_runs": 200,
            "rare_steps": 20_000,
            "noise_runs": 50_000,
            "digits_seeds": 32,
            "digits_width": 128,
            "digits_steps": 2000,
        },
    }

    bowl_steps: Annotated[int, Field(ge=1000, le=1_000_000)]
    rare_runs: Annotated[int, Field(ge=2, le=10_000)]
    rare_steps: Annotated[int, Field(ge=100, le=1_000_000)]
    noise_runs: Annotated[int, Field(ge=50, le=1_000_000)]
    digits_seeds: Annotated[int, Field(ge=2, le=1000)]
    digits_steps: Annotated[int, Field(ge=10, le=100_000)]
    digits_width: Annotated[int, Field(ge=4, le=1024)]
