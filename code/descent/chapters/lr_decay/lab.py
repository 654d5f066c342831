"""The parameters of the lab on learning-rate decay."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/lr_decay_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["num_steps"]
        100
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {
            "num_runs": 50,
            "num_steps": 100,
            "warmup_seeds": 2,
            "digits_seeds": 2,
            "digits_steps": 40,
        },
        "book": {},
        "gpu": {
            "device": "cuda",
            "num_runs": 4000,
            "warmup_seeds": 20,
            "digits_seeds": 40,
        },
    }

    noise_std: Annotated[float, Field(gt=0, le=1)]
    num_runs: Annotated[int, Field(ge=50, le=100_000)]
    num_steps: Annotated[int, Field(ge=100, le=10_000)]
    warmup_seeds: Annotated[int, Field(ge=2, le=100)]
    digits_seeds: Annotated[int, Field(ge=2, le=100)]
    digits_width: Annotated[int, Field(ge=8, le=1024)]
    digits_steps: Annotated[int, Field(ge=40, le=100_000)]
