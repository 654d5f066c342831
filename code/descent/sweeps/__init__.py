"""Many networks trained as one: a list of runs in, a tidy table out."""

from descent.sweeps._runs import Named, grid
from descent.sweeps._sweep import sweep
from descent.sweeps._table import at_end

__all__ = ["Named", "at_end", "grid", "sweep"]
