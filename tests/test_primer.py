"""Every number of the primer, computed and looked for on its page."""

import re

import pytest
import torch
from torch.autograd.functional import hessian

from descent.press.pages import ROOT

PAGE = " ".join((ROOT / "book/primer.md").read_text("utf-8").split())
START = torch.tensor([3.0, 1.0], dtype=torch.float64)


def bowl(theta):
    return theta[0] ** 2 + theta[0] * theta[1] + theta[1] ** 2


def saddle(theta):
    return theta[0] ** 2 - theta[1] ** 2


def vector(*entries):
    return torch.tensor(entries, dtype=torch.float64)


def slope(theta):
    theta = theta.clone().requires_grad_()
    return torch.autograd.grad(bowl(theta), theta)[0]


def text(value):
    """Write a number, or a vector, as the page does."""
    entries = [f"{round(each, 4):g}" for each in torch.as_tensor(value).flatten().tolist()]
    return entries[0] if len(entries) == 1 else f"({', '.join(entries)})"


def stands(*sentence):
    """Whether the page says it, with each value written as :func:`text` writes it."""
    words = "".join(each if isinstance(each, str) else text(each) for each in sentence)
    return words in PAGE


def test_the_function_and_its_gradient():
    assert stands("At $\\theta = ", START, "$ it is $9 + 3 + 1 = ", bowl(START), "$")
    for index, name in enumerate(("$\\theta_1$ from 3 to 3.01", "1 to 1.01")):
        moved = START.clone()
        moved[index] += 0.01
        rise = bowl(moved) - bowl(START)
        assert stands("grows by ", rise, ": about ", slope(START)[index], " per unit")
        assert name in PAGE
        assert rise / 0.01 == pytest.approx(float(slope(START)[index]), rel=0.01)
    assert stands("(2\\theta_1 + \\theta_2, \\theta_1 + 2\\theta_2) = ", slope(START), "$")


def test_the_two_steps():
    for lr in (0.1, 0.7):
        after = START - lr * slope(START)
        assert stands("With $\\eta = ", lr, "$")
        assert stands(after, "$, where $f = ", bowl(after), "$")
    assert stands("$(3 - 0.7, 1 - 0.5) = ", START - 0.1 * slope(START), "$")


def test_the_hessian_and_its_eigenvalues():
    matrix = hessian(bowl, START)
    for index, row in enumerate(matrix):
        step = torch.zeros(2, dtype=torch.float64)
        step[index] = 1
        torch.testing.assert_close(slope(START + step) - slope(START), row)
        assert stands("$\\theta_", str(index + 1), "$ and it grows by $", row, "$")
    for direction, factor in ((vector(1, 1), 3), (vector(1, -1), 1)):
        assert stands("$H ", direction, " = ", matrix @ direction, "$")
        torch.testing.assert_close(matrix @ direction, factor * direction)
        torch.testing.assert_close(slope(0.7 * direction), factor * 0.7 * direction)
    torch.testing.assert_close(torch.linalg.eigvalsh(matrix), vector(1, 3))
    assert stands("$\\eta = 0.1$ these factors are ", 1 - 0.1 * 3, " and ", 1 - 0.1 * 1, ".")
    assert stands("$\\eta = 0.7$ they are $", 1 - 0.7 * 3, "$ and ", 1 - 0.7 * 1, ":")


def test_the_chords():
    one, other = START, vector(-1, 1)
    chord, middle = (bowl(one) + bowl(other)) / 2, (one + other) / 2
    assert stands("$f$ is ", bowl(one), " and ", bowl(other), " at the ends")
    assert stands("the chord is at ", chord, " in the middle, and $f", middle, " = ", bowl(middle))
    assert bowl(middle) < chord
    assert torch.linalg.eigvalsh(hessian(saddle, START)).tolist() == [-2, 2]
    chord = (saddle(vector(0, 1)) + saddle(vector(0, -1))) / 2
    assert stands("its chord is at $", chord, "$, and in the middle the function is 0")
    assert saddle(vector(0, 0)) == 0 > chord


def test_the_die():
    sides = torch.arange(1.0, 7.0)
    variance = ((sides - sides.mean()) ** 2).mean()
    assert stands("= ", sides.mean(), "$. The")
    assert f"= {variance:.2f}$" in PAGE
    assert f"{variance.sqrt():.2f}, is the standard deviation" in PAGE

    assert "ten dice has the same expectation and a tenth of the variance" in PAGE
    one = chances = torch.full((6,), 1 / 6, dtype=torch.float64)
    for _ in range(9):  # of the sum of one more die: a polynomial times another
        chances = sum(
            torch.nn.functional.pad(chances * each, (side, 5 - side))
            for side, each in enumerate(one)
        )
    mean = torch.arange(10, 61) / 10
    assert chances @ mean.double() == pytest.approx(float(sides.mean()))
    assert chances @ (mean.double() - 3.5) ** 2 == pytest.approx(float(variance) / 10)


def test_the_program():
    program = re.search(r"```python\n(.*?)```", (ROOT / "book/primer.md").read_text("utf-8"), re.S)
    names = {"torch": torch}
    exec(program[1], names)
    torch.testing.assert_close(names["theta"].detach(), torch.tensor([2.3, 0.5]))
    assert names["theta"].grad.tolist() == [7, 5]
