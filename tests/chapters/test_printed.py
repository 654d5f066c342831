import numpy as np
import printed
import pytest
from printed import Misprint, Printed, equations, evaluate, expressions


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Return a function that makes a text the only page of the book."""

    def write(text: str) -> None:
        (tmp_path / "page.md").write_text(text, encoding="utf-8")
        monkeypatch.setattr(printed, "BOOK", tmp_path)
        monkeypatch.setattr(printed, "equations", printed.equations.__wrapped__)

    return write


def formula(latex: str) -> str:
    return f"```{{math}}\n:label: one\n\n{latex}\n```\n"


def test_labelled_equations_are_found_wherever_they_stand(page):
    page(
        "Text\n\n:::{prf:theorem} Name\n:label: not-an-equation\n\n"
        "```{math}\n:nowrap:\n:label: first\n\na = b,\n```\n:::\n\n"
        "```{math}\nunlabelled = 1\n```\n\n"
        "::::{math}\n:label: second\nc\n  \\le d.\n::::\n"
    )
    assert printed.equations() == {"first": "a = b,", "second": r"c \le d."}


def test_two_equations_of_one_label_are_refused(page):
    page(formula("a = b") + "\n" + formula("a = c"))
    with pytest.raises(Misprint, match=r"two equations are labelled 'one', one in page\.md"):
        printed.equations()


def test_the_book_has_equations():
    assert "gd-update" in equations()
    assert len(equations()) >= 30


def test_unknown_label():
    with pytest.raises(Misprint, match="no equation labelled 'gd-nothing' in book/"):
        evaluate("gd-nothing")


def test_fragment_that_is_not_printed(page):
    page(formula(r"y = 2 \theta_t"))
    with pytest.raises(Misprint, match=r"one: there is no '.*theta_0' left in 'y = 2 "):
        evaluate("one", {r"\theta_0": "start"}, y=1.0, start=1.0)


def test_fragment_that_a_longer_one_has_used_up(page):
    page(formula(r"y = f(\theta)"))
    with pytest.raises(Misprint, match="left in"):
        evaluate("one", {r"f(\theta)": "value", r"\theta": "theta"}, y=1.0, value=1.0, theta=1.0)


def test_longer_fragments_go_first(page):
    page(formula(r"y = f(\theta) - \theta"))
    assert evaluate(
        "one", {r"\theta": "theta", r"f(\theta)": "value"}, y=3.0, value=5.0, theta=2.0
    ).equal()


@pytest.mark.parametrize("latex", ["y = x +", r"y = \frac{x}", "y = (x", "y = x)", "y =", "= x"])
def test_latex_that_cannot_be_read(page, latex):
    page(formula(latex))
    with pytest.raises(Misprint, match="one: SymPy cannot read"):
        expressions("one")


def test_formula_without_a_relation(page):
    page(formula("x + 1"))
    with pytest.raises(Misprint, match="one: no relation in"):
        evaluate("one", x=1.0)


def test_symbol_without_a_value_and_value_without_a_symbol(page):
    page(formula("y = a x + b"))
    with pytest.raises(Misprint, match="one: no value for a, b"):
        evaluate("one", x=1.0, y=1.0)
    with pytest.raises(Misprint, match="one: c, d does not occur"):
        evaluate("one", a=1.0, b=1.0, x=1.0, y=1.0, d=0.0, c=0.0)


def test_derivative_that_reads_as_a_function(page):
    page(formula("y = f'(x)"))
    with pytest.raises(Misprint, match=r"one: f'\(x\) reads as a function"):
        evaluate("one", f=1.0, x=1.0, y=1.0)


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"y = \mu (x + 1)", 15.0),
        (r"y = \mu\left(x + 1\right)^2 (x - 1)", 225.0),
        (r"y = \max(x, \mu) - \min(x, \mu)", 1.0),
        (r"y = \ln(x / 2) x", 4 * np.log(2)),
        (r"y = \left|\mu - x\right|", 1.0),
        (r"y = \mu^{2x}", 3.0**8),
        (r"y = \sqrt[3]{\frac{\mu x}{2} + 2}", 2.0),
    ],
)
def test_scalar_formulas_have_the_value_of_what_is_printed(page, latex, expected):
    page(formula(latex))
    used = {"x": 4.0, "mu": 3.0} if r"\mu" in latex else {"x": 4.0}
    assert evaluate("one", **used, y=expected).equal()
    assert not evaluate("one", **used, y=expected + 0.1).equal()


def test_arrays_act_elementwise_and_sides_broadcast(page):
    page(formula(r"f(\theta_t) = \sum_i \lambda_i c_{t,i}^2"))
    equation = evaluate(
        "one",
        {r"f(\theta_t)": "loss", r"\sum_i": "", r"\lambda_i": "eigenvalues", r"c_{t,i}": "c"},
        loss=14.0,
        eigenvalues=[1.0, 2.0],
        c=[2.0, 3.0],
    )
    np.testing.assert_array_equal(equation.left, [14.0, 14.0])
    np.testing.assert_array_equal(equation.right, [4.0, 18.0])


def test_expressions_are_sympys(page):
    page(formula(r"y^2 \le 2 \mu x."))
    (left, right), signs = expressions("one", {"y": "height"})
    assert (str(left), str(right), signs) == ("height**2", "2*mu*x", ("≤",))


def test_a_chain_holds_where_all_of_it_does(page):
    page(formula(r"0 < x \leq 2"))
    equation = evaluate("one", x=[-1.0, 0.0, 1.0, 2.0, 3.0])
    assert equation.holds().tolist() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("sign", "expected"),
    [
        ("=", [False, True, False]),
        ("≤", [True, True, False]),
        ("<", [True, False, False]),
        ("≥", [False, True, True]),
        (">", [False, False, True]),
    ],
)
def test_what_rounding_leaves_counts_as_equal(sign, expected):
    sides = (np.array([0.9, 1 - 1e-13, 1.1]), np.ones(3))
    relation = Printed("one", sides, (sign,))
    assert relation.holds().tolist() == expected
    assert relation.tight().tolist() == [False, True, False]
    assert relation.holds(atol=0.2).all() == (sign in "=≤≥")
    assert relation.equal(atol=0.2) == (sign == "=")


def test_about_equal_is_neither_true_nor_false():
    with pytest.raises(Misprint, match="one: ≈ is neither true nor false"):
        Printed("one", (np.ones(1), np.ones(1)), ("≈",)).holds()
