"""The parameters of the lab on momentum."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/momentum_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["noise_runs"]
        500
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {"num_steps": 200, "noise_runs": 500, "sweep_seeds": 2, "sweep_steps": 20},
        "book": {},
        "gpu": {
            "device": "cuda",
            "noise_runs": 100_000,
            "sweep_seeds": 20,
            "sweep_steps": 300,
            "sweep_width": 64,
        },
    }

    kappa: Annotated[float, Field(ge=4, le=1000)]
    num_steps: Annotated[int, Field(ge=100, le=20_000)]
    noise_runs: Annotated[int, Field(ge=100, le=1_000_000)]
    sweep_seeds: Annotated[int, Field(ge=2, le=100)]
    sweep_steps: Annotated[int, Field(ge=10, le=100_000)]
    sweep_width: Annotated[int, Field(ge=8, le=1024)]
