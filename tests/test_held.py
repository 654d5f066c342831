"""What must be true of a test for it to hold an optimizer to its formula."""

import pytest
import torch
from held import COUNTERPARTS, HELD_BY_EQUATION, faults_of, replaced

from descent.optim import OPTIMIZERS, Adam, adam

HEAD = """
import pytest
import torch
from printed import evaluate
from torch.testing import assert_close

from descent.optim import OPTIMIZERS, adam

OPTIONS = OPTIMIZERS["Adam"].complete(lr=0.1, betas=(0.0, 0.0), eps=0.5)
ROOM = {r"\\theta_{t-1}": "before", r"\\theta_t": "after", "g_t": "grad"}


def by_hand(param, grad, state, lr, **options):
    return param - lr * grad / (grad.abs() + 0.5), state
"""
MARKED = '\n\n@pytest.mark.holds("Adam")\n@pytest.mark.equation("adam-sign")\n'
STEP = """def test_step():
    grad = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    after, state = adam(torch.ones_like(grad), grad, {}, **OPTIONS)
    assert evaluate(
        "adam-sign", ROOM, after=after, before=1.0, grad=grad, eta=0.1, epsilon=0.5
    ).equal()
"""
STATE = "    assert_close(state['exp_avg'], grad)\n"


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """Return a function that takes PyTorch's Adam away and asks what holds the book's."""
    monkeypatch.delitem(COUNTERPARTS, Adam)
    folder = tmp_path / "tests" / "chapters" / "one"
    folder.mkdir(parents=True)

    def of(*tests):
        (folder / "test_equations.py").write_text(HEAD + "".join(tests), encoding="utf-8")
        return faults_of("Adam", tmp_path)

    return of


def test_every_row_that_is_held_by_an_equation_is_there():
    assert HELD_BY_EQUATION.keys() <= OPTIMIZERS.keys()


def test_a_test_that_reads_the_equation_and_runs_the_rule_holds_it(faults):
    assert faults(MARKED + STEP + STATE) == []


def test_two_tests_hold_it_together(faults):
    remembers = (STEP + STATE).replace("test_step", "test_state")
    assert faults(MARKED + STEP, MARKED + remembers) == []


def test_an_optimizer_that_nothing_holds_is_told_in_one_line(faults):
    assert faults(STEP) == [
        "Adam is held to no formula: name its counterpart in torch.optim in COUNTERPARTS of "
        'tests/support/held.py, or give a test of its printed equation the mark holds("Adam")'
    ]


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (MARKED.replace('@pytest.mark.equation("adam-sign")\n', "") + STEP, "no mark equation"),
        (MARKED.replace("adam-sign", "adam-m") + STEP + STATE, "does not read the equation"),
        (MARKED + STEP.replace("1.0,", "2.0,", 1), "fails as it stands"),
        (
            MARKED + STEP.replace("adam(", "by_hand("),
            "does not call adam",
        ),
        (
            MARKED + STEP.replace("after=after", "after=1 - 0.1 * grad / (grad.abs() + 0.5)"),
            "fails when the rule goes the other way",
        ),
        (MARKED + STEP, "fails when the rule remembers half of what it should"),
    ],
)  # fmt: skip
def test_a_test_that_only_looks_like_it_is_found_out(faults, test, told):
    assert any(told in fault for fault in faults(test))


def test_a_rule_is_replaced_wherever_it_is_called_and_put_back():
    grad = torch.ones(1)
    usual = adam(grad, grad, {}, lr=0.5)[0]
    with replaced(adam, lambda rule: lambda param, *given, **options: (-param, {})):
        assert adam(grad, grad, {}) == (-grad, {})
        assert Adam.rule(grad, grad, {}) == (-grad, {})
    assert torch.equal(adam(grad, grad, {}, lr=0.5)[0], usual)
