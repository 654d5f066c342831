import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    # On small tensors a second thread costs more than it gives, and much more on a busy machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
