import os
import random
import signal
from collections import defaultdict
from pathlib import Path

# On small tensors a second thread costs more than it gives, and much more on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
import torch

# A shell lets what it starts in the background ignore these, and so would every process of a test.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)

MEASURED = {}


def pytest_addoption(parser):
    parser.addoption("--claims", metavar="FILE", help="write what the tests of claims measured")


def pytest_runtest_logreport(report):
    # Where several processes test, each sends its reports to the one that writes.
    found = [each for name, each in report.user_properties if name == "measured"]
    if report.when == "teardown" and found:
        MEASURED[report.nodeid] = found


def pytest_sessionfinish(session, exitstatus):
    file = session.config.getoption("claims")
    if file and exitstatus == 0 and not hasattr(session.config, "workerinput"):
        from descent.press import claims  # few sessions write, and each has to import this

        tests = defaultdict(list)
        for case, found in sorted(MEASURED.items()):
            tests[case.partition("[")[0]] += [claims.Measurement(**each) for each in found]
        claims.write(tests, Path(file))


def pytest_itemcollected(item):
    # So that `-k LABEL` selects the tests of an equation, and `-k '[LABEL]'` those of no other
    # whose label begins alike.
    for mark in item.iter_markers("equation"):
        item.extra_keyword_matches.add(f"[{mark.args[0]}]")


@pytest.fixture
def tiny_lab_is_known(monkeypatch):
    import checkout  # it and papermill take seconds to import, and few tests need them

    from descent import chapters

    monkeypatch.setattr(chapters, "__path__", [*chapters.__path__, checkout.HERE])


@pytest.fixture
def no_kernel(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a kernel was about to be started")

    monkeypatch.setattr("papermill.execute_notebook", refuse)


@pytest.fixture(autouse=True)
def _process_state_is_put_back(monkeypatch):
    # Registered with monkeypatch so that a value set by the code under test is undone.
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    deterministic = torch.are_deterministic_algorithms_enabled()
    threads = torch.get_num_threads()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng():
        yield
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
