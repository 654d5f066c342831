"""Running a rule into a trace: from points of an objective, or on a network and its data."""

from descent.training.follow import follow
from descent.training.loop import Trace, fit, minimize

__all__ = ["Trace", "fit", "follow", "minimize"]
