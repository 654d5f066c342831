import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from descent.runtime import resolve_device, seed_everything, stream, usage


@pytest.fixture
def cuda_devices(monkeypatch):
    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return pretend


def draws() -> tuple[float, float, list[float]]:
    return random.random(), float(np.random.rand()), torch.rand(3).tolist()  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "count", "device"),
    [
        ("cpu", 0, "cpu"),
        ("cpu", 1, "cpu"),
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda"),
        ("cuda", 1, "cuda"),
        ("cuda:0", 1, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_a_device_that_is_there_is_found(cuda_devices, name, count, device):
    cuda_devices(count)
    assert resolve_device(name) == torch.device(device)


@pytest.mark.parametrize(
    ("name", "count"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1), ("cuda:10", 2)]
)
def test_a_device_that_is_not_there_is_named_with_what_is(cuda_devices, name, count):
    cuda_devices(count)
    message = f"^device '{name}' is not on this machine, which has {count} CUDA devices$"
    with pytest.raises(ValueError, match=message):
        resolve_device(name)


@pytest.mark.parametrize(
    "name",
    ["", "CPU", "cpu:", "cpu:0", "cuda:", "cuda:-1", "cuda:x", "cuda:0:1", "cuda ", "tpu", "nn",
     "cuda:0\n", "meta", "amp"],
)  # fmt: skip
def test_any_other_name_is_refused_with_those_allowed(cuda_devices, name):
    cuda_devices(8)
    with pytest.raises(ValueError, match=r"^device must be 'auto', 'cpu' or an accel") as error:
        resolve_device(name)
    assert repr(name) in str(error.value)


def test_another_accelerator_is_found_where_it_is_named(cuda_devices, monkeypatch):
    cuda_devices(0)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: True)
    monkeypatch.setattr(torch.xpu, "device_count", lambda: 2)
    assert resolve_device("xpu:1") == torch.device("xpu:1")
    assert resolve_device("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"^device 'xpu:2' is not on .* has 2 XPU devices$"):
        resolve_device("xpu:2")
    monkeypatch.setattr(torch.xpu, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"^device 'xpu' is not on .* has 0 XPU devices$"):
        resolve_device("xpu")


def test_usage_names_another_accelerator_that_held_tensors(cuda_devices, monkeypatch):
    cuda_devices(0)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("xpu"))
    monkeypatch.setattr(torch.xpu, "device_count", lambda: 1)
    monkeypatch.setattr(torch.xpu, "max_memory_allocated", lambda index: 7)
    monkeypatch.setattr(torch.xpu, "get_device_name", lambda index: f"XPU {index}")
    used = usage()
    assert (used["device"], used["device_memory"]) == ("XPU 0", 7)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda: torch.device("mps"))
    used = usage()  # it keeps no account, and its chip is the processor's
    assert used["device_memory"] == 0
    assert used["device"].endswith("cores")


@pytest.mark.parametrize("name", [None, 0])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(TypeError, match=f"^name must be of type device or str, got {name}$"):
        resolve_device(name)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, np.int64(7)])
def test_the_same_seed_gives_the_same_draws_from_every_generator(seed):
    seed_everything(seed)
    first = draws()
    seed_everything(seed)
    assert draws() == first


def test_another_seed_gives_other_draws_from_every_generator():
    seed_everything(0)
    first = draws()
    seed_everything(1)
    assert all(one != other for one, other in zip(first, draws(), strict=True))


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (2**32, ValueError), (0.0, TypeError), (True, TypeError)]
)
def test_a_bad_seed_is_refused_before_anything_is_seeded(seed, error):
    seed_everything(0)
    expected = draws()
    seed_everything(0)
    with pytest.raises(error, match="seed must be"):
        seed_everything(seed)
    assert draws() == expected


def test_repeatable_algorithms_on_one_thread_are_asked_for():
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(2)
    seed_everything(0)
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_workspace_that_the_reader_chose_is_kept(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    seed_everything(0)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_usage_names_the_gpu_that_held_tensors(cuda_devices, monkeypatch):
    cuda_devices(3)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda index: [0, 40, 2][index])
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
    used = usage()
    assert (used["device"], used["device_memory"]) == ("GPU 1", 42)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda index: 0)
    used = usage()
    assert used["device_memory"] == 0
    assert "GPU" not in used["device"]
    assert used["device"].endswith("cores")


def test_a_stream_repeats_and_begins_with_the_fewer():
    long = stream(7, "noise").generate_state(5)
    assert stream(7, "noise").generate_state(5).tolist() == long.tolist()
    assert stream(7, "noise").generate_state(2).tolist() == long[:2].tolist()


def test_streams_of_other_seeds_or_names_share_no_number():
    drawn = [
        number
        for seed in range(20)
        for name in ("noise", "start", "noise 1", "noise 2", "", "Noise")
        for number in stream(seed, name).generate_state(10).tolist()
    ]
    assert len(set(drawn)) == len(drawn)


def test_neighbouring_streams_are_uncorrelated():
    drawn = torch.stack(
        [
            torch.randn(
                10_000,
                generator=torch.Generator().manual_seed(int(stream(*each).generate_state(1)[0])),
            )
            for each in [(0, "a"), (1, "a"), (0, "b"), (1, "b")]
        ]
    )
    apart = torch.corrcoef(drawn) - torch.eye(4)
    assert apart.abs().max() < 5 / 10_000**0.5


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_stream_refuses_a_seed_out_of_range(seed):
    with pytest.raises(ValueError, match=r"^seed must be"):
        stream(seed, "noise")


def test_a_device_may_be_one_already(cuda_devices):
    cuda_devices(0)
    assert resolve_device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(ValueError, match=r"^device 'cuda' is not on this machine"):
        resolve_device(torch.device("cuda"))


def test_usage_does_not_count_what_the_process_that_started_it_held():
    held = bytearray(os.urandom(1_000_000)) * 1500
    code = "from descent.runtime import usage; print(usage()['memory'])"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 10_000_000 < int(said.stdout) < len(held)
