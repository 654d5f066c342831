"""The parameters of the lab on gradient descent."""

from typing import Annotated

from pydantic import Field

from descent.labs import LabParameters


class Parameters(LabParameters):
    """See the parameters cell of ``book/gradient_descent_lab.ipynb`` for what each means."""

    lr: Annotated[float, Field(gt=0, le=2.5)]
