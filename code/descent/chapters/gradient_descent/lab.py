"""The parameters of the lab on gradient descent."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/gradient_descent_lab.ipynb`` for what each means.

    Example:
        >>> Parameters.profiles["smoke"]["edge_steps"]
        40
    """

    profiles: ClassVar[dict[str, dict[str, Any]]] = {
        "smoke": {"num_steps": 60, "edge_steps": 40, "edge_seeds": 1, "edge_samples": 100},
        "book": {},
        "gpu": {
            "device": "cuda",
            "edge_steps": 4000,
            "edge_seeds": 8,
            "edge_width": 64,
            "edge_samples": 1797,
        },
    }

    lr: Annotated[float, Field(gt=0, lt=2)]
    kappa: Annotated[float, Field(ge=2, le=1000)]
    num_steps: Annotated[int, Field(ge=50, le=20_000)]
    edge_steps: Annotated[int, Field(ge=20, le=100_000)]
    edge_seeds: Annotated[int, Field(ge=1, le=100)]
    edge_width: Annotated[int, Field(ge=8, le=256)]
    edge_samples: Annotated[int, Field(ge=50, le=1797)]
