"""Many networks trained as one: a list of runs in, a tidy table out."""

from descent.sweeps._runs import Named, grid
from descent.sweeps._sweep import sweep

__all__ = ["Named", "grid", "sweep"]
