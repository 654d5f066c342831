"""Fonts cut down to the characters that pages use, as rules for a style sheet.

The font stands in the style sheet itself: the first thing that a reader sees is already set in it,
and nothing moves when it arrives.
"""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont


def cut(file: Path, characters: set[str]) -> TTFont:
    """Read a font, and keep what is needed to set these characters.

    Example:
        >>> from matplotlib import get_data_path
        >>> cut(Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf"), {"x"}).getBestCmap()
        {120: 'x'}
    """
    font = TTFont(file, recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=["*"], name_IDs=["*"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(characters))
    subsetter.subset(font)
    return font


def face(family: str, font: TTFont, descriptors: str = "") -> str:
    """Write the rule that brings a font into a page."""
    file = BytesIO()
    font.flavor = "woff2"
    font.save(file)
    data = b64encode(file.getvalue()).decode()
    return (
        f'@font-face {{font-family: "{family}"; {descriptors}'
        f'src: url("data:font/woff2;base64,{data}") format("woff2")}}\n'
    )
