import json

import nbformat
import pytest
import torch

from descent.chapters.parameters import LabParameters
from descent.press import claims
from descent.press.claims import Claim, Measurement, at_least, at_most
from descent.press.notebook import Lab


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"verdict": "corrected here"}, "the verdict 'corrected here' on 'so' needs but"),
        (
            {"verdict": "holds under conditions"},
            "'holds under conditions' on 'so' needs conditions",
        ),
        ({"but": "not so"}, "'so' has but, so its verdict is 'corrected here'"),
        (
            {"verdict": "true"},
            "verdict must be one of 'holds', 'holds under conditions', 'corrected here', 'read",
        ),
    ],
)
def test_a_claim_without_what_its_verdict_needs_is_refused(options, told):
    with pytest.raises(ValueError, match=told):
        Claim("paper", "so", **options)


@pytest.mark.parametrize(
    ("measured", "expected", "tolerance", "texts"),
    [
        (0.123456, 0.12, {"rel": 0.05}, ("0.1235", "0.12", "±5 %")),
        (torch.tensor([1.0, 2.0]), 1.5, {"abs": 0.5}, ("1, 2", "1.5", "±0.5")),
        (torch.arange(9), 0, {"abs": 9, "rel": 0.1}, ("0, 1, 2, …, 8", "0", "±10 % ±9")),
        (torch.tensor([True, True]), True, {}, ("yes", "yes", "")),
        (237.4, at_least(100), {}, ("237.4", "at least 100", "")),
        (torch.tensor([0.9, 0.5]), at_most([1.0, 0.6]), {}, ("0.9, 0.5", "at most 1, 0.6", "")),
    ],
)
def test_a_measurement_is_text(measured, expected, tolerance, texts):
    assert Measurement.of(measured, expected, **tolerance) == Measurement(*texts)


@pytest.mark.parametrize(
    ("measured", "bound", "told"),
    [
        (2.0, at_least(2.0), None),
        (2.0, at_most(2.0), None),
        (1.9, at_least(2.0), "measured 1.9, expected at least 2"),
        (2.1, at_most(2.0), "measured 2.1, expected at most 2"),
        (float("nan"), at_least(2.0), "measured nan, expected at least 2"),
        (float("nan"), at_most(2.0), "measured nan, expected at most 2"),
        (torch.tensor([3.0, 1.0]), at_least(2.0), "measured 1, expected at least 2 at [1]"),
        (
            torch.tensor([1.0, 1.0]),
            at_most([2.0, 0.5]),
            "measured 1, expected at most 2, 0.5 at [1]",
        ),
    ],
)
def test_a_bound_is_kept_to_on_one_side(measured, bound, told):
    assert claims.fault(measured, bound) == told


def test_claims_of_a_lab_come_back_from_its_notebook(tmp_path, monkeypatch, capsys):
    lab, glued = Lab("a_lab", LabParameters(seed=0, device="cpu")), {}
    monkeypatch.setattr(lab, "glue", glued.__setitem__)
    lab.claim("one", 'it is "so", $\\alpha$', 1.0, 1.01, rel=0.1, conditions="always")
    lab.claim("two", "it is so", 2.0, 2.0, verdict="corrected here", but="it is 'thus'")
    lab.claim("three", "it is so", 2.0, 3.0, when=False)
    with pytest.raises(AssertionError, match="does not hold: it is so"):
        lab.claim("four", "it is so", 2.0, 3.0)
    assert "holds: it is 'thus'\n" in capsys.readouterr().out
    lab.keep_claims()

    output = nbformat.v4.new_output(
        "display_data",
        data={"application/papermill.record/text/plain": repr(glued["a_lab-claims"])},
        metadata={"scrapbook": {"name": "a_lab-claims"}},
    )
    cell = nbformat.v4.new_code_cell("lab.keep_claims()", outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "a_lab.ipynb")
    assert claims.of_lab(tmp_path / "a_lab.ipynb") == [
        (
            Claim("one", 'it is "so", $\\alpha$', conditions="always"),
            Measurement("1", "1.01", "±10 %"),
        ),
        (
            Claim("two", "it is so", "corrected here", but="it is 'thus'"),
            Measurement("2", "2", ""),
        ),
    ]


def test_measurements_of_tests_come_back_from_their_file(tmp_path):
    file = tmp_path / "build" / "claims.json"
    assert claims.load(file) == {}
    measured = {
        "b::test": [Measurement("1", "2", "±1")] * 2,
        "a::test": [Measurement("yes", "yes", "")],
    }
    claims.write(measured, file)
    assert claims.load(file) == measured
    assert list(json.loads(file.read_text())) == ["a::test", "b::test"]


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (torch.zeros(0), 1.0),
        (torch.zeros(0), torch.zeros(0)),
        (1.0, torch.zeros(0, 2)),
        (torch.zeros(3, 1), torch.zeros(3)),
    ],
)
def test_a_comparison_of_nothing_or_of_shapes_that_do_not_fit_is_refused(measured, expected):
    with pytest.raises(ValueError, match=r"nothing to compare|expands to the other"):
        claims.fault(measured, expected)


FAILING = """
import pytest
@pytest.mark.claim(cite="paper", says="so")
def test_{name}(record):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "told"),
    [("record(1.0, 2.0)", "measured 1, expected 2"), ("pass", "records what it measured")],
)
def test_a_claim_that_fails_or_is_silent_writes_nothing(pytester, body, told):
    conftest = claims_conftest()
    pytester.makeconftest(conftest)
    pytester.makepyfile(FAILING.format(name="bad", body=body))
    result = pytester.runpytest("--claims", "found.json")
    assert result.ret == 1
    assert told in result.stdout.str()
    assert not (pytester.path / "found.json").exists()


def test_what_claims_measure_is_written(pytester):
    pytester.makeconftest(claims_conftest())
    name = pytester.makepyfile(FAILING.format(name="good", body="record(1.0, 1.1, abs=0.2)")).name
    assert pytester.runpytest("--claims", "found.json").ret == 0
    found = claims.load(pytester.path / "found.json")
    assert found == {f"{name}::test_good": [Measurement("1", "1.1", "±0.2")]}


def claims_conftest():
    from descent.press.pages import ROOT

    # The one's fixture records, the other's hooks write.
    files = ("tests/chapters/conftest.py", "tests/conftest.py")
    return "\n".join((ROOT / file).read_text("utf-8") for file in files)
