"""Figures that answer back: in a page of the book and as a notebook's output, from one source.

Each function takes where its figure starts, and returns what a notebook shows as the figure. What
runs in the browser stands beside this file, in ``web/``.
"""

from descent.playground._bundle import script, write_modules, write_scripts
from descent.playground._figure import Playground
from descent.playground._microscope import microscope
from descent.playground._momentum import momentum
from descent.playground._noise_floor import noise_floor
from descent.playground._ravine import ravine
from descent.playground._registry import FIGURES
from descent.playground._schedule import schedule
from descent.playground._turned_bowl import turned_bowl

__all__ = [
    "FIGURES",
    "Playground",
    "microscope",
    "momentum",
    "noise_floor",
    "ravine",
    "schedule",
    "script",
    "turned_bowl",
    "write_modules",
    "write_scripts",
]
