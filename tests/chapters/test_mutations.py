"""The tests of the equation tests: each must notice small changes of the formula it reads."""

import doctest
from collections.abc import Callable

import mutations
import numpy as np
import printed
import pytest
from mutations import EQUIVALENT, Audit, labelled_tests
from printed import equations, evaluate


@pytest.mark.parametrize("label", equations())
def test_a_changed_formula_fails_the_tests_of_its_label(label):
    audit = Audit(label)
    assert audit.faults == []
    assert len(audit.verdicts) >= 10


def test_every_label_has_a_test_and_every_test_a_label():
    assert labelled_tests().keys() == equations().keys()


def test_equivalents_belong_to_equations_of_the_book():
    assert EQUIVALENT.keys() <= equations().keys()


# Tests that are worth nothing, and how each is found out

SIDES = np.array([1.5, 2.0, 4.0])
WHOLE = {"s^2": "right"}
TABLE = [(1.0, 1.0), (4.0, 2.0), (9.0, 3.0)]


def squares():
    """Measure the areas of some squares, by counting smaller ones."""
    return np.array([np.ones((int(8 * side), int(8 * side))).sum() / 64 for side in SIDES])


def honest():
    assert evaluate("square", A=squares(), s=SIDES).equal()


def ignores_what_it_reads():
    evaluate("square", A=squares(), s=SIDES).equal()


def compares_something_else():
    evaluate("square", A=squares(), s=SIDES)
    assert squares()[1] == 4.0


def compares_the_signs_alone():
    assert evaluate("square", A=squares(), s=SIDES).signs == ("=",)


def compares_the_shapes_alone():
    assert evaluate("square", A=squares(), s=SIDES).right.shape == SIDES.shape


def never_reads():
    assert squares()[1] == 4.0


def reads_the_text_alone():
    assert equations()["square"] == "A = s^2"


def compares_a_formula_with_itself():
    formula = evaluate("square", A=0.0, s=SIDES).right
    assert evaluate("square", A=formula, s=SIDES).equal()


def compares_one_side():
    np.testing.assert_allclose(evaluate("square", A=0.0, s=SIDES).right, squares())


def replaces_both_sides_by_one_value():
    area = squares()
    assert evaluate("square", WHOLE, A=area, right=area).equal()


def replaces_both_sides_by_a_copy():
    area = squares()
    assert evaluate("square", WHOLE, A=area, right=area.copy()).equal()


def replaces_both_sides_by_one_constant():
    assert evaluate("square", WHOLE, A=4.0, right=4.0).equal()


def puts_in_what_is_written():
    assert evaluate("square", A=[1.0, 4.0, 9.0], s=[1.0, 2.0, 3.0]).equal()


def puts_in_a_table():
    for area, side in TABLE:
        assert evaluate("square", A=area, s=side).equal()


def takes_squares_of_side_one():
    assert evaluate("square", A=squares()[1] / 4, s=SIDES[1] / 2).equal()


def fails():
    assert evaluate("square", A=squares(), s=2 * SIDES).equal()


def cannot_read():
    assert evaluate("square", {"B": "area"}, area=squares(), s=SIDES).equal()


def skips():
    assert evaluate("square", A=squares(), s=SIDES).equal()
    pytest.skip()


@pytest.mark.skip
def is_skipped():
    honest()


@pytest.mark.xfail
def is_expected_to_fail():
    honest()


def always_raises():
    evaluate("square", A=squares(), s=SIDES)
    raise AssertionError


@pytest.fixture
def square(monkeypatch):
    """Print an equation of its own, and return a function that audits tests of it."""
    monkeypatch.setitem(equations(), "square", "A = s^2")
    return lambda *tests, listed=(): Audit("square", tests, listed)


def test_an_honest_test_is_accepted(square):
    audit = square(honest)
    assert audit.faults == []
    assert audit.verdicts["A = s^3"] == "wrong"
    assert audit.verdicts["A = 2s^2"] == "wrong"
    assert audit.verdicts[r"A \le  s^2"] == "relation"
    assert audit.verdicts[" = s^2"] == "unreadable"
    assert "survived" not in audit.verdicts.values()


@pytest.mark.parametrize(
    ("worthless", "fault"),
    [
        (ignores_what_it_reads, "ignores_what_it_reads passes whatever the sides"),
        (compares_something_else, "compares_something_else passes whatever the sides"),
        (compares_the_signs_alone, "compares_the_signs_alone passes whatever the sides"),
        (compares_the_shapes_alone, "no change was found wrong by its numbers"),
        (never_reads, "never_reads never reads the formula"),
        (reads_the_text_alone, "reads_the_text_alone never reads the formula"),
        (compares_a_formula_with_itself, "no test notices what side 2 of the formula is"),
        (compares_one_side, "no test notices what side 1 of the formula is"),
        (replaces_both_sides_by_one_value, "compares a value with itself"),
        (replaces_both_sides_by_a_copy, "compares a value with itself"),
        (replaces_both_sides_by_one_constant, "compares a value with itself"),
        (puts_in_what_is_written, "puts in nothing but numbers written in it"),
        (puts_in_a_table, "puts in nothing but numbers written in it"),
        (takes_squares_of_side_one, "survived: A = s^3"),
        (fails, "fails fails on the printed formula: AssertionError"),
        (cannot_read, "cannot_read fails on the printed formula: Misprint"),
        (skips, "skips fails on the printed formula: Skipped"),
        (is_skipped, "is_skipped is marked skip"),
        (is_expected_to_fail, "is_expected_to_fail is marked xfail"),
        (always_raises, "always_raises fails on the printed formula: AssertionError"),
    ],
)
def test_a_test_that_would_pass_anyway_is_refused(square, worthless, fault):
    assert any(fault in found for found in square(worthless).faults)


def test_a_worthless_test_does_not_hide_behind_an_honest_one(square):
    (fault,) = square(honest, ignores_what_it_reads).faults
    assert fault.startswith("ignores_what_it_reads passes")


def test_a_label_needs_a_test(square):
    assert square().faults == ["no test is marked with this label"]


# Changes


@pytest.mark.parametrize("module", [mutations, printed])
def test_the_examples_are_right(module):
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


# Changes that are no mistakes


def audit_of(latex: str, test: Callable[[], None], monkeypatch, listed=()) -> Audit:
    monkeypatch.setitem(equations(), "rectangle", latex)
    return Audit("rectangle", [test], listed)


def rectangles():
    width, height = SIDES, SIDES[::-1] + 1
    cells = [np.ones((int(8 * w), int(8 * h))).sum() for w, h in zip(width, height, strict=True)]
    return {"A": np.array(cells) / 64, "w": width, "h": height}


def is_product():
    assert evaluate("rectangle", **rectangles()).equal()


def is_largest():
    sizes = rectangles()
    sizes["A"] = np.maximum(sizes["w"], sizes["h"])
    assert evaluate("rectangle", **sizes).equal()


def is_at_most():
    sizes = rectangles()
    for fraction, expected in ((0.999, True), (1.0, True), (1.001, False)):
        relation = evaluate("rectangle", **sizes | {"A": fraction * sizes["A"]})
        assert relation.signs in [("≤",), ("≥",)]
        assert relation.holds().all() == expected


def test_a_table_may_hold_where_the_relation_is_true_and_where_it_is_not(monkeypatch):
    def knows_both():
        for area, side in [(1.0, 2.0), (3.9, 2.0), (4.1, 2.0), (6.3, 2.5), (6.2, 2.5)]:
            small = np.ones(int(1000 * area)).sum() < 1000 * np.ones((1, 1)).item() * side * side
            assert (
                evaluate("rectangle", {"A": "area", "w": "side"}, area=area, side=side).holds()
                == small
            )

    audit = audit_of("A < w^2", knows_both, monkeypatch)
    assert "puts in nothing" not in " ".join(audit.faults)


@pytest.mark.parametrize(
    ("latex", "test", "same"),
    [
        ("A = w h", is_product, ["A = h w"]),
        (r"A = \max(w, h)", is_largest, [r"A = \max(h, w)"]),
        (r"h = \frac{A}{w}", is_product, [r"w = \frac{A}{h}", r"A = \frac{h}{w}"]),
        (r"w \ge \frac{A}{h}", is_at_most, [r"h \ge \frac{A}{w}"]),
    ],
)
def test_sympy_knows_which_changes_are_no_mistakes(monkeypatch, latex, test, same):
    audit = audit_of(latex, test, monkeypatch)
    assert audit.faults == []
    found = [changed for changed, verdict in audit.verdicts.items() if verdict == "equivalent"]
    assert set(found) <= set(same)
    assert same[0] in found


def test_one_name_for_two_things_does_not_make_them_the_same(monkeypatch):
    def cannot_tell():
        names = {"w": "side", "h": "side"}
        assert evaluate("rectangle", names, A=np.sqrt(squares()), side=SIDES).equal()

    audit = audit_of("A = 2w - h", cannot_tell, monkeypatch)
    assert "survived: A = 2h - w" in audit.faults


def test_what_sympy_knows_is_not_listed(monkeypatch):
    (fault,) = audit_of("A = w h", is_product, monkeypatch, ["A = h w"]).faults
    assert fault == "SymPy knows that this is no mistake, so do not list it: A = h w"


@pytest.mark.parametrize("stale", ["A = 2w h", "A = h^7"])
def test_what_is_listed_must_pass(monkeypatch, stale):
    (fault,) = audit_of("A = w h", is_product, monkeypatch, [stale]).faults
    assert fault == f"listed as no mistake, but not tried or not passed: {stale}"


# The command


def test_the_command_counts_by_label(monkeypatch, capsys):
    monkeypatch.setattr(mutations, "labelled_tests", lambda: {"square": [honest]})
    monkeypatch.setitem(equations(), "square", "A = s^2")
    assert mutations.main(["square"]) == 0
    header, row, total = capsys.readouterr().out.splitlines()
    assert header.split() == list(mutations.COLUMNS)
    name, *counts = row.split()
    assert name == "square"
    assert int(counts[0]) == sum(map(int, counts[1:])) == len(Audit("square").verdicts)
    assert total.split() == ["all", *counts]


def test_the_command_says_what_is_wrong_with_a_test(monkeypatch, capsys):
    monkeypatch.setattr(mutations, "labelled_tests", lambda: {"square": [never_reads]})
    monkeypatch.setitem(equations(), "square", "A = s^2")
    assert mutations.main(["square"]) == 1
    assert "    never_reads never reads the formula\n" in capsys.readouterr().out


def test_the_command_knows_no_such_label(capsys):
    assert mutations.main(["adam-m", "gd-updat"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("mutations: no equation is labelled 'gd-updat'; did you mean gd-update")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("sd-m", ["test_one", "test_two"]), ("[sd-m]", ["test_one"]), ("sd-mean", ["test_two"])],
)
def test_the_option_k_knows_the_labels(request, tmp_path, expression, expected):
    file = tmp_path / "test_sign_descent.py"
    file.write_text(
        "import pytest\n"
        "@pytest.mark.equation('sd-m')\ndef test_one(): pass\n"
        "@pytest.mark.equation('sd-mean')\ndef test_two(): pass\n"
        "def test_three(): pass\n"
    )
    selected = []

    class Inner:
        def pytest_itemcollected(self, item):
            request.config.hook.pytest_itemcollected(item=item)

        def pytest_collection_finish(self, session):
            selected.extend(item.name for item in session.items)

    apart = ["-p", "no:cacheprovider", "--import-mode=importlib", f"--rootdir={tmp_path}"]
    options = ["--collect-only", "-q", "-o", "markers=equation", "-k", expression]
    pytest.main([str(file), *apart, *options], [Inner()])
    assert selected == expected
