from dataclasses import asdict

import pytest

from descent.press import claims


@pytest.fixture
def record(request):
    """Return a function that asserts a measurement, and records it for the page of claims."""
    found = []

    def record(measured, expected=True, *, rel=0.0, abs=0.0):
        fault = claims.fault(measured, expected, rel=rel, abs=abs)
        assert fault is None, fault
        found.append(claims.Measurement.of(measured, expected, rel=rel, abs=abs))

    yield record
    assert found, "a test of a claim records what it measured"
    request.node.user_properties += [("measured", asdict(each)) for each in found]
