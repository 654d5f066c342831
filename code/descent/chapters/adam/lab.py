"""The parameters of the lab on Adam."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/adam_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["noise_runs"]
        200
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {
            "num_steps": 1000,
            "silence": 1000,
            "noise_runs": 200,
            "imbalance_groups": 4,
            "imbalance_dim": 40,
            "imbalance_steps": 10,
            "imbalance_repeats": 2,
            "digits_seeds": 2,
            "digits_steps": 10,
        },
        "book": {},
        "gpu": {
            "device": "cuda",
            "noise_runs": 20_000,
            "imbalance_groups": 9,
            "imbalance_dim": 1000,
            "imbalance_steps": 60,
            "imbalance_repeats": 10,
            "digits_seeds": 20,
            "digits_steps": 300,
            "digits_width": 64,
        },
    }

    num_steps: Annotated[int, Field(ge=1000, le=100_000)]
    silence: Annotated[int, Field(ge=1000, le=100_000)]
    noise_runs: Annotated[int, Field(ge=100, le=100_000)]
    reddi_steps: Annotated[int, Field(ge=2000, le=1_000_000)]
    imbalance_groups: Annotated[int, Field(ge=3, le=10)]
    imbalance_dim: Annotated[int, Field(ge=10, le=10_000)]
    imbalance_steps: Annotated[int, Field(ge=10, le=10_000)]
    imbalance_repeats: Annotated[int, Field(ge=2, le=100)]
    digits_seeds: Annotated[int, Field(ge=2, le=100)]
    digits_steps: Annotated[int, Field(ge=10, le=100_000)]
    digits_width: Annotated[int, Field(ge=8, le=1024)]
