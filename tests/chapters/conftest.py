from collections import defaultdict
from pathlib import Path

import pytest

from descent.press import claims

MEASURED = defaultdict(list)


def pytest_addoption(parser):
    parser.addoption("--claims", metavar="FILE", help="write what the tests of claims measured")


@pytest.fixture
def record(request):
    """Return a function that asserts a measurement, and records it for the page of claims."""
    test = request.node.nodeid.partition("[")[0]
    found = []

    def record(measured, expected=True, *, rel=0.0, abs=0.0):
        fault = claims.fault(measured, expected, rel=rel, abs=abs)
        assert fault is None, fault
        found.append(claims.Measurement.of(measured, expected, rel=rel, abs=abs))

    yield record
    assert found, "a test of a claim records what it measured"
    MEASURED[test] += found


def pytest_sessionfinish(session, exitstatus):
    file = session.config.getoption("claims", None)
    if file and exitstatus == 0:
        claims.write(MEASURED, Path(file))
