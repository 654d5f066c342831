"""What the labs that were just executed for the book say of their runs."""

import pytest

from descent.press import pages, records


@pytest.mark.parametrize("lab", pages.labs_in_toc())
def test_a_lab_of_the_book_ran_as_it_should_and_in_little_memory(lab):
    assert records.faults_of(lab, pages.ROOT / "build" / "labs", "cpu") == []
