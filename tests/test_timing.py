"""The ways to take a step: that they are one step, and that the race between them is fair."""

import csv
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from descent.optim import OPTIMIZERS, Adam, _compiled
from descent.training import timing

needs_compiler = pytest.mark.skipif(
    not timing.can_compile("cpu"), reason="there is no C++ compiler here"
)


def test_parameters_are_split_evenly_and_repeat():
    params = timing.parameters(11, 3, "cpu")
    assert [len(param) for param in params] == [4, 4, 3]
    assert all(param.grad is not None and param.is_leaf for param in params)
    again = timing.parameters(11, 3, "cpu")
    assert all(torch.equal(one, two) for one, two in zip(params, again, strict=True))
    assert not torch.equal(params[0], params[1])


@pytest.mark.parametrize(
    ("num_params", "layout", "told"),
    [(2, 3, "num_params"), (3, 0, "layout"), (999, "transformer", "num_params")],
)
def test_tensors_cannot_be_empty(num_params, layout, told):
    with pytest.raises(ValueError, match=told):
        timing.parameters(num_params, layout, "cpu")


@pytest.mark.parametrize("num_params", [1000, 10_000, 300_000, 10_000_000])
def test_a_transformer_has_the_tensors_of_pytorchs_layers(num_params):
    found = timing.sizes(num_params, "transformer")
    width = found[-2]
    layer = torch.nn.TransformerEncoderLayer(width, 1, 4 * width, device="meta")
    theirs = sorted(param.numel() for param in layer.parameters())
    assert sorted(found[: 12 * 12]) == sorted(12 * theirs)
    assert sum(found) == num_params
    assert 0 < found[-1] < max(0.5 * num_params, 400)


needs_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another allocator hands out memory here"
)


FAULTS = """
import torch
from descent.training import timing
large, small = torch.ones(10 * 2**20), torch.ones(2**18)
steps = (lambda: large * 2, lambda: large.mul_(1), lambda: small * 2)
print(*map(timing.page_faults, steps))
"""


@needs_glibc
def test_fresh_memory_is_counted_in_pages():
    # From 32 MiB on glibc asks the kernel each time, unless its heap has a hole of that size, as
    # that of this process may. A page has at most 2 MiB.
    told = subprocess.run(
        [sys.executable, "-c", FAULTS], capture_output=True, check=True, text=True
    )
    fresh, in_place, small = map(float, told.stdout.split())
    assert fresh >= 40 / 2
    assert in_place < 1
    assert small < 1


def test_no_calls_are_not_counted():
    with pytest.raises(ValueError, match="calls"):
        timing.page_faults(lambda: None, calls=0)


def test_a_way_takes_more_hyperparameters(monkeypatch):
    monkeypatch.setattr(timing, "can_compile", lambda device: False)
    kept = {
        momentum: len(way.__self__.state[way.__self__.param_groups[0]["params"][0]])
        for momentum in (0.0, 0.9)
        for way in [timing.ways("SGD", 10, 1, "cpu", momentum=momentum)["eager"]]
    }
    assert kept[0.9] == 1


def test_an_optimizer_that_pytorch_lacks_is_refused():
    with pytest.raises(ValueError, match="'gradient descent'"):
        timing.ways("gradient descent", 10, 1, "cpu")


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "RMSprop"])
def test_fused_is_offered_exactly_where_pytorch_has_it(optimizer, monkeypatch):
    monkeypatch.setattr(timing, "can_compile", lambda device: False)
    ways = timing.ways(optimizer, 10, 2, "cpu")
    fused = {"fused"} if optimizer in timing.FUSED else set()
    assert set(ways) == {"eager", "loop", "foreach"} | fused


@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if hasattr(torch.optim, name)])
def test_the_list_of_fused_optimizers_is_pytorchs(optimizer):
    params = timing.parameters(4, 1, "cpu")
    try:
        getattr(torch.optim, optimizer)(params, fused=True).step()
    except (TypeError, RuntimeError):
        assert optimizer not in timing.FUSED
    else:
        assert optimizer in timing.FUSED


@pytest.mark.parametrize("optimizer", ["SGD", "Adam"])
def test_all_ways_take_the_same_steps(optimizer, monkeypatch):
    made = []
    parameters = timing.parameters

    def remembered(*given):
        made.append(parameters(*given))
        return made[-1]

    monkeypatch.setattr(timing, "parameters", remembered)
    monkeypatch.setattr(timing, "can_compile", lambda device: False)
    ways = timing.ways(optimizer, 60, 3, "cpu")
    for step in ways.values():
        step()
    first, *others = [torch.cat(params).detach() for params in made]
    assert not torch.equal(first, torch.cat(parameters(60, 3, "cpu")))
    assert len(others) == len(ways) - 1
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=1e-6)


@needs_compiler
def test_the_compiled_way_takes_the_same_steps(monkeypatch):
    made = []
    parameters = timing.parameters

    def remembered(*given):
        made.append(parameters(*given))
        return made[-1]

    monkeypatch.setattr(timing, "parameters", remembered)
    ways = timing.ways("Adam", 60, 3, "cpu")
    assert list(ways)[:2] == ["eager", "compiled"]
    eager, compiled = (torch.cat(params).detach() for params in made[:2])
    ways["eager"]()  # which has taken one step, and the compiled one two
    eager = torch.cat(made[0]).detach()
    torch.testing.assert_close(compiled, eager, rtol=0, atol=1e-6)


def test_without_a_compiler_the_compiled_way_is_left_out(monkeypatch):
    monkeypatch.setattr(_compiled.shutil, "which", lambda name: None)
    assert not timing.can_compile("cpu")
    assert "compiled" not in timing.ways("Adam", 10, 1, "cpu")


def test_a_compiler_that_the_environment_names_is_found(monkeypatch):
    monkeypatch.setenv("CXX", "my-compiler")
    monkeypatch.setattr(_compiled.shutil, "which", lambda name: name == "my-compiler" or None)
    assert timing.can_compile("cpu")


def test_compiling_without_a_compiler_is_one_line(monkeypatch):
    monkeypatch.setattr(_compiled.shutil, "which", lambda name: None)
    ours = Adam(timing.parameters(4, 1, "cpu"))
    with pytest.raises(RuntimeError, match=r"^compile needs a C\+\+ compiler, g\+\+ or clang\+\+"):
        ours.compile()


def test_a_gpu_needs_triton(monkeypatch):
    monkeypatch.setattr(_compiled, "find_spec", lambda name: None)
    assert not timing.can_compile("cuda")


def test_a_device_that_the_compiler_makes_no_code_for_is_named():
    assert not timing.can_compile("meta")
    ours = Adam([torch.zeros(3, device="meta", requires_grad=True)])
    with pytest.raises(RuntimeError, match=r"^compile makes no code for a device 'meta'$"):
        ours.compile()


def test_a_race_gives_medians_in_seconds():
    naps = {"short": 0.002, "long": 0.008}
    steps = {name: lambda nap=nap: time.sleep(nap) for name, nap in naps.items()}
    times = timing.race(steps, rounds=3, seconds=0.01)
    assert list(times) == ["short", "long"]
    assert all(naps[name] <= times[name] < naps[name] + 0.05 for name in naps)


def test_the_runners_take_turns():
    order = []
    steps = {name: lambda name=name: order.append(name) or time.sleep(0.01) for name in "ab"}
    timing.race(steps, rounds=3, seconds=0.001)
    turns = [name for place, name in enumerate(order) if not place or order[place - 1] != name]
    assert len(turns) >= 6
    assert turns[-4:] == ["a", "b", "a", "b"]


def test_one_slow_turn_does_not_count(monkeypatch):
    turns = iter([1.0, 2.0, 9.0, 3.0, 100.0])

    class Clock:
        def __init__(self, *_, **__):
            pass

        def timeit(self, number):
            # A single call tells how many make up a turn, here ten.
            return SimpleNamespace(median=0.001 if number == 1 else next(turns))

    monkeypatch.setattr(timing, "Timer", Clock)
    assert timing.race({"step": lambda: None}, rounds=5, seconds=0.0105) == {"step": 3.0}


def test_there_has_to_be_a_round():
    with pytest.raises(ValueError, match="rounds"):
        timing.race({"step": lambda: None}, rounds=0)


def settings():
    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()


def test_all_cores_are_given_back_even_after_an_error():
    before = settings()

    def fail():
        with timing.all_cores():
            assert settings() == (os.cpu_count(), False)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert settings() == before


@pytest.mark.parametrize("stream", [timing.copy, timing.in_place_product])
def test_a_stream_holds_as_many_bytes_as_it_is_told(stream):
    cells = stream(4000, "cpu").__closure__
    assert sum(cell.cell_contents.nbytes for cell in cells) == 4000


def test_a_copy_copies():
    run = timing.copy(80, "cpu")
    assert torch.equal(run(), torch.ones(10))


def passes_of(step):
    with timing.Passes(10) as passes:
        step()
    return passes.count


def test_passes_count_what_is_read_and_written():
    x, y = torch.ones(10), torch.ones(10)
    assert passes_of(lambda: x + y) == 3
    assert passes_of(lambda: x + x) == 2  # it is read once
    assert passes_of(lambda: x + 1) == 2
    assert passes_of(lambda: x.add_(y)) == 3
    assert passes_of(lambda: x.copy_(y)) == 2  # what is overwritten is not read
    assert passes_of(lambda: x.view(2, 5)) == 0
    assert passes_of(lambda: torch.ones(3) + 1) == 0


def test_the_eager_adam_moves_20_numbers():
    optimizer = Adam(timing.parameters(10, 1, "cpu"))
    optimizer.step()
    assert passes_of(optimizer.step) == 20
    theirs = torch.optim.Adam(timing.parameters(10, 1, "cpu"), foreach=False)
    theirs.step()
    assert passes_of(theirs.step) == 18


def test_the_recorder_writes_times_and_what_they_were_taken_on(tmp_path):
    script = Path(__file__).with_name("benchmark_step_cost.py")
    command = [sys.executable, str(script), "--params", "1000", "--rounds", "1"]
    # Without a compiler on its path, since compiling is most of the time; and with one order of
    # sets, since where the allocator puts things depends on what was there before.
    environment = {**os.environ, "PATH": str(tmp_path), "CXX": "", "PYTHONHASHSEED": "0"}
    subprocess.run(
        [*command, "--output", str(tmp_path)], env=environment, check=True, capture_output=True
    )
    head, *rows = csv.reader((tmp_path / "step_cost_cpu.csv").read_text("utf-8").splitlines())
    assert head == ["rule", "tensors", "way", "parameters", "µs", "page faults"]
    took = {" ".join(row[:3]): float(row[4]) for row in rows}
    for rule in ("Adam", "SGD"):
        for layout in ("1", "150", "transformer"):
            assert took[f"{rule} {layout} fused"] > 0
    assert took["Adam 150 loop"] > took["Adam 150 fused"]
    assert took["memory 1 product"] < took["Adam 1 eager"]
    assert took["memory 1 copy"] > 0
    lines = (tmp_path / "step_cost_cpu_fresh.csv").read_text("utf-8").splitlines()
    fresh = {(row["MiB"], row["allocator"]): row for row in csv.DictReader(lines)}
    for allocator in ("as it is", "without mappings"):
        assert float(fresh["8", allocator]["in use, µs"]) > 0
    if platform.libc_ver()[0] == "glibc":
        faults = [
            int(fresh[size, allocator]["page faults, fresh"])
            for size, allocator in [("31", "as it is"), ("64", "without mappings")]
        ]
        assert max(faults) < int(fresh["64", "as it is"]["page faults, fresh"]) / 8
    text = (tmp_path / "step_cost_cpu_facts.csv").read_text("utf-8")
    facts = dict(csv.reader(text.splitlines()))
    assert facts["threads"] == str(os.cpu_count())
    assert facts["versions"].startswith(f"PyTorch {torch.__version__}")
    assert set(facts) >= {"device", "date", "commit", "command"}
