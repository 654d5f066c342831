"""The pictures on the first page."""

import re

import pytest

import sketches
from descent.press.pages import chapters_in_toc


def test_every_chapter_has_one():
    assert list(sketches.SKETCHES) == list(chapters_in_toc())


@pytest.mark.parametrize("chapter", sketches.SKETCHES)
def test_it_fills_its_frame_and_does_not_leave_it(chapter):
    drawn = sketches.svg(chapter)
    points = [tuple(map(float, point)) for point in re.findall(r"(-?[\d.]+),(-?[\d.]+)", drawn)]
    for side, length in zip(
        zip(*points, strict=True), (sketches.WIDTH, sketches.HEIGHT), strict=True
    ):
        assert min(side) == pytest.approx(sketches.MARGIN, abs=0.06)
        assert max(side) == pytest.approx(length - sketches.MARGIN, abs=0.06)
    assert len(re.findall("class=.first", drawn)) == 1
    assert len(drawn) < 6000
