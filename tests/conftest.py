import os
import random
import signal

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
