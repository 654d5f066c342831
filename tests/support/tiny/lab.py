"""The parameters of the throw-away lab that the tests of the runner write and run."""

from typing import Annotated

from pydantic import Field

from descent.chapters.parameters import LabParameters


class Parameters(LabParameters):
    """Two of the parameters that all labs have, and a rate."""

    lr: Annotated[float, Field(gt=0, le=2.5)]
