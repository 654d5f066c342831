import pytest

from opening import reading_minutes

EQUATION = "```{math}\n:label: a-b\n\na = b.\n```\n"


@pytest.mark.parametrize(
    ("page", "minutes"),
    [
        ("word " * 2000, 10),
        ("word " * 2000 + EQUATION.join("\n" * 11), 15),
        (
            "word " * 2000 + "\n````{dropdown} Proof\n" + "word " * 2000 + EQUATION * 20 + "````\n",
            10,
        ),
        ("word " * 2000 + "\n```python\n" + "word\n" * 2000 + "```\n", 10),
        ("a few words", 5),
    ],
)
def test_the_time_to_read_counts_words_and_equations_outside_folds(page, minutes):
    assert reading_minutes(page) == minutes
