"""Figures that answer back: in a page of the book and as a notebook's output, from one source.

Each function takes where its figure starts, and returns what a notebook shows as the figure. What
runs in the browser stands beside this file, in ``web/``.
"""

from descent.playground._bundle import script, write_modules
from descent.playground._figure import Playground
from descent.playground._momentum import momentum
from descent.playground._noise_floor import noise_floor
from descent.playground._ravine import ravine
from descent.playground._registry import FIGURES

__all__ = ["FIGURES", "Playground", "momentum", "noise_floor", "ravine", "script", "write_modules"]
