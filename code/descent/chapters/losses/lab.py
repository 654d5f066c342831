"""The parameters of the lab on losses."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/losses_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["num_networks"]
        2
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {"num_repeats": 100, "num_splits": 3, "num_networks": 2, "train_steps": 30},
        "book": {},
        "gpu": {
            "device": "cuda",
            "num_repeats": 20_000,
            "num_splits": 100,
            "num_networks": 20,
            "train_steps": 1000,
        },
    }

    num_samples: Annotated[int, Field(ge=50, le=20_000)]
    num_repeats: Annotated[int, Field(ge=20, le=20_000)]
    outlier_fraction: Annotated[float, Field(gt=0, le=0.3)]
    num_splits: Annotated[int, Field(ge=2, le=1000)]
    rare_count: Annotated[int, Field(ge=1, le=80)]
    num_networks: Annotated[int, Field(ge=2, le=1000)]
    train_steps: Annotated[int, Field(ge=10, le=100_000)]
