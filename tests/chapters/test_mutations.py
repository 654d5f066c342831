"""The test of the equation tests: each must notice small changes of the formula it reads."""

import pytest
from mutations import EQUIVALENT, labelled_tests, mutants, survivors
from printed import equations


@pytest.mark.parametrize("label", equations())
def test_a_changed_formula_fails_the_tests_of_its_label(label):
    assert len(mutants(equations()[label])) >= 10
    assert set(survivors(label)) == EQUIVALENT.get(label, {}).keys()


def test_every_label_has_a_test_and_every_test_a_label():
    assert labelled_tests().keys() == equations().keys()


def test_equivalents_belong_to_equations_of_the_book():
    assert EQUIVALENT.keys() <= equations().keys()
