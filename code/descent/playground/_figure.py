"""A figure with the state that it starts from, as HTML."""

import json
from dataclasses import dataclass
from html import escape
from typing import Any

from descent.playground._bundle import script

HEIGHTS = {
    "microscope": [(48, 87)],
    "momentum": [(59, 73)],
    "noise_floor": [(50, 61)],
    "ravine": [(51, 100), (66, 125), (74, 160)],
    "schedule": [(59, 102)],
    "turned_bowl": [(46, 80)],
}
"""The room, in rem, that a figure first takes in a wide and in a narrow column, by its racers."""


@dataclass(frozen=True)
class Playground:
    """A figure that answers back; a notebook shows it where it is a cell's last value.

    Args:
        figure: its name.
        state: what it starts from, as the browser's part takes it.

    Example:
        >>> from descent.playground import ravine
        >>> ravine(kappa=30)
        <playground ravine>
    """

    figure: str
    state: dict[str, Any]

    def host(self, place: str, *, proof: str = "") -> str:
        """Return the element that the figure is built in.

        Args:
            place: ``"page"``, or ``"notebook"``, which has no address to keep the state in.
            proof: the address of the page where what the figure shows is proved.

        Example:
            >>> from descent.playground import ravine
            >>> ravine().host("page")[:47]
            '<div class="playground" data-playground="ravine'
        """
        state = escape(json.dumps(self.state), quote=True)
        wide, narrow = HEIGHTS[self.figure][len(self.state.get("racers", "1")) - 1]
        return (
            f'<div class="playground" data-playground="{self.figure}" data-place="{place}"'
            f' data-proof="{escape(proof, quote=True)}" data-state="{state}"'
            f' style="--wide: {wide}rem; --narrow: {narrow}rem"></div>'
        )

    def _repr_html_(self) -> str:
        return f"{self.host('notebook')}<script>{script(self.figure)}</script>"

    def __repr__(self) -> str:
        return f"<playground {self.figure}>"
