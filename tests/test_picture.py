"""A figure as HTML: its text, its colours, its size, and the same each time."""

import re
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex, to_rgb

from descent import plotting
from descent.press import picture
from descent.press.pages import ROOT

STEPS = torch.arange(300)


def two_panels():
    figure, (left, right) = plotting.figure(2, width=8.4)
    plotting.measured(left, STEPS, 0.98**STEPS, label="loss 0.123456", color=plotting.PALETTE[4])
    plotting.theory(left, STEPS, 0.98**STEPS)
    for place, color in enumerate(plotting.series(5)):
        right.plot(STEPS, STEPS + place, color=color, marker="o", label=f"run {place}")
    left.set(title="one", xlabel="step $t$", ylabel=r"$\eta\lambda$", yscale="log")
    right.set(title="two")
    right.legend()
    return figure


def one_panel():
    figure, ax = plotting.figure()
    ax.plot(STEPS, STEPS, marker="o", color=plotting.INK)
    return figure


@pytest.fixture(scope="module")
def figures():
    with mpl.rc_context():
        mpl.use("agg")
        plotting.use_style()
        yield two_panels(), two_panels(), one_panel()
    plt.close("all")


@pytest.fixture(scope="module")
def drawings(figures):
    return [picture.html(figure) for figure in figures]


@pytest.fixture(scope="module")
def layouts(drawings):
    """The wide and the narrow layout of the two panels."""
    return list(ElementTree.fromstring(drawings[0]))


def test_a_drawing_has_two_layouts_of_which_a_bare_page_shows_the_first(layouts):
    assert [layout.get("style") for layout in layouts] == [None, "display: none"]
    wide, narrow = ([float(each) for each in layout.get("viewBox").split()] for layout in layouts)
    assert wide == pytest.approx([0, 0, 72 * 8.4, 72 * 3.6])
    assert narrow == pytest.approx([0, 0, 72 * 4.1, 72 * 5.76], rel=1e-3)
    assert (layouts[0].get("width"), layouts[0].get("height")) == ("756", "324")


def test_text_is_text_and_no_number_in_it_is_rounded(layouts):
    for layout in layouts:
        found = ["".join(text.itertext()).strip() for text in layout.iter("text")]
        expected = {"one", "two", "loss 0.123456", "run 4", "step\N{NO-BREAK SPACE}t", "ηλ"}
        assert expected <= set(found)


def test_every_colour_is_one_that_a_page_can_set(drawings):
    bare = re.sub(r"var\(--descent-[a-z0-9]+, [^)]*\)", "", drawings[0])
    assert re.findall(r"(?:fill|stroke|color): ?(?!none|color-mix)[^;\"]+", bare) == []
    found = set(re.findall(r"var\([^)]*\)", drawings[0]))
    assert {"var(--descent-4, #cf4747)", "var(--descent-ink, currentColor)"} <= found
    assert drawings[0].count("color-mix(in srgb, ") >= 2 * 3


@pytest.mark.parametrize("color", plotting.series(4))
def test_a_colour_of_a_series_is_mixed_from_those_of_the_palette(color):
    before, after, part = plotting.mixtures()[color]
    mixed = (1 - part) * np.array(to_rgb(before)) + part * np.array(to_rgb(after))
    assert mixed == pytest.approx(to_rgb(color), abs=1 / 255)


def test_the_same_figure_gives_the_same_drawing_and_is_left_as_it_was(figures, drawings):
    assert drawings[0] == drawings[1]
    assert figures[0].get_size_inches().tolist() == [8.4, 3.6]
    assert [list(ax.get_subplotspec().colspan) for ax in figures[0].axes] == [[0], [1]]


def test_no_two_drawings_share_an_identifier_and_each_that_is_meant_is_there(drawings):
    both = [drawings[0], drawings[2]]
    ids = [re.findall(r' id="([^"]*)"', drawing) for drawing in both]
    assert len({*ids[0], *ids[1]}) == len(ids[0]) + len(ids[1])
    for found, drawing in zip(ids, both, strict=True):
        assert set(re.findall(r'(?:href="|url\()#([^")]+)', drawing)) == set(found)


def test_a_narrow_layout_has_its_panels_below_each_other(layouts):
    places = {
        (layout.get("style"), text.text): (float(text.get("x")), float(text.get("y")))
        for layout in layouts
        for text in layout.iter("text")
        if text.text in {"one", "two"}
    }
    assert places[None, "one"][1] == pytest.approx(places[None, "two"][1])
    assert places["display: none", "one"][1] < places["display: none", "two"][1] - 100
    assert abs(places["display: none", "one"][0] - places["display: none", "two"][0]) < 40


def test_small_text_is_large_enough_on_a_phone(layouts):
    scale = 326 / float(layouts[1].get("viewBox").split()[2])
    sizes = re.findall(r"font-size:([\d.]+)px", ElementTree.tostring(layouts[1], "unicode"))
    assert len(sizes) > 20
    # The exponent of a power of ten is 7 points.
    assert {size for size in sizes if float(size) * scale < 9} == {"7"}


CSS = Path(ROOT, "book/_static/descent.css").read_text(encoding="utf-8")
SET = dict(re.findall(r"(--descent-[a-z0-9]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\);", CSS))


def test_the_page_sets_every_colour():
    meant = re.findall(r"var\((--descent-[a-z0-9]+)", " ".join(picture.variables().values()))
    assert set(meant) == SET.keys()


def linear_light(color):
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """Compute WCAG 2's contrast ratio, from 1 (the same) to 21 (black on white)."""
    low, high = sorted(linear_light(color) @ [0.2126, 0.7152, 0.0722] for color in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("theme", "ground"), enumerate(["#ffffff", "#121212"]))
def test_lines_and_their_labels_stand_out_from_a_light_and_a_dark_page(theme, ground):
    page = {name: pair.split(", ")[theme] for name, pair in SET.items()}
    of = {color: page[f"--descent-{number}"] for number, color in enumerate(plotting.PALETTE)}
    mixed = [
        to_hex((1 - part) * np.array(to_rgb(of[before])) + part * np.array(to_rgb(of[after])))
        for before, after, part in plotting.mixtures().values()
    ]
    low = {color: contrast(color, ground) for color in [*of.values(), *mixed]}
    assert min(low.values()) >= 4.5, low
    assert contrast(page["--descent-ink"], ground) >= 7
    assert contrast(page["--descent-grey"], ground) >= 4
