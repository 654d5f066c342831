"""The pretend accelerator refuses what CUDA refuses, and computes what the CPU computes."""

import json
import subprocess
import sys

import accelerated
import nbformat
import pytest
from checkout import LAB, Nursery, write_lab

from descent.press import records

pytestmark = pytest.mark.xdist_group("pretend")

TWO = "Expected all tensors to be on the same device, but found at least two devices"
GENERATOR = "Expected a 'pretend' device type for generator but found 'cpu'"
INDEX = "indices should be either on cpu or on the same device as the indexed tensor"
NUMPY = "can't convert pretend:0 device type tensor to numpy"

REFUSED = {
    "here + there": TWO,
    "here * there[0]": TWO,
    "torch.cat([here, there])": TWO,
    "torch.stack([here.sum(), there.sum()])": TWO,
    "here.index_select(1, torch.tensor([0]))": TWO,
    "here.masked_fill(there > 0, 0.0)": TWO,
    "here @ torch.ones(3)": TWO,
    "there.sum().add_(here.sum())": TWO,
    "here.sum() + there": TWO,
    "torch.equal(here, there)": TWO,
    "there[:, torch.tensor([0, 2], device=device)]": INDEX,
    "torch.randn(3, device=device, generator=torch.Generator())": GENERATOR,
    "torch.rand_like(here).uniform_(generator=torch.Generator())": GENERATOR,
    "torch.randn(3, generator=torch.Generator(device))": (
        "Expected a 'cpu' device type for generator but found 'pretend'"
    ),
    "here.numpy()": NUMPY,
    "np.asarray(here)": NUMPY,
    "np.mean([here.sum(), here.sum()])": NUMPY,
}
"""As CUDA does, with ``cuda`` for ``pretend``."""

ALLOWED = {
    "here + torch.tensor(1.0)": "there + 1",
    "torch.where(here > 2, here, torch.tensor(0.0))": "torch.where(there > 2, there, 0.0)",
    "here[:, torch.tensor([0, 2])]": "there[:, [0, 2]]",
    "here.clone().index_put_((torch.tensor([0]),), torch.tensor(9.0))": (
        "there.clone().index_put_((torch.tensor([0]),), torch.tensor(9.0))"
    ),
    "here.t()[1:].clone().add_(1)": "there.t()[1:] + 1",
    "torch.linspace(0, 1, 5, device=device)": "torch.linspace(0, 1, 5)",
    "torch.quantile(here, 0.3)": "torch.quantile(there, 0.3)",
    "torch.linalg.svdvals(here)": "torch.linalg.svdvals(there)",
    "torch.complex(here, here).conj().resolve_conj().imag": "-there",
    "torch.nn.functional.mse_loss(here, here + 1)": "torch.tensor(1.0)",
    "torch.add(here, 1, out=torch.empty(0, device=device))": "there + 1",
    "torch.func.vmap(torch.func.grad(lambda row: (row**3).sum()))(here)": "3 * there**2",
    "trained(device)": "trained('cpu')",
    "torch.rand(2, generator=torch.Generator(device).manual_seed(3), device=device)": (
        "torch.rand(2, generator=torch.Generator().manual_seed(3))"
    ),
    "seeded(device)": "seeded(device)",
    "swept(device)": "swept('cpu')",
    "torch.ones(1000, device=device).sum() * 0 + (torch.ops.pretend.peak() >= 4000)": "1.0",
}

TRY = """
import json, sys
import numpy as np
import torch
from descent.optim import OPTIMIZERS
from descent.sweeps import at_end, grid, sweep
from descent.tasks.data import Dataset
from descent.tasks.models import mlp

device = torch.device("pretend")
there = torch.arange(6.0).reshape(2, 3) + 1
here = there.to(device)

def trained(device):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    model.to(device)
    for optimizer in (torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
                      torch.optim.Adam(model.parameters(), fused=True)):
        for _ in range(3):
            optimizer.zero_grad()
            model(there.to(device)).square().mean().backward()
            optimizer.step()
    return torch.cat([param.detach().flatten() for param in model.parameters()])

def swept(device):
    input, target = torch.ones(4, 3) * torch.arange(1, 5)[:, None], torch.tensor([0, 1, 0, 1])
    loss_fn = torch.nn.functional.cross_entropy
    tables = [
        sweep(grid(optimizer=name, lr=[0.01, 0.02], seed=[0]), dataset=Dataset(input, target),
              model=lambda seed: mlp([3, 2], seed=seed), loss_fn=loss_fn,
              num_steps=3, log_every=1, device=device)
        for name in OPTIMIZERS
    ]
    return torch.stack([at_end(table, "loss") for table in tables]).to(device)

def seeded(device):
    torch.manual_seed(5)
    return torch.rand(3, device=device)

def said(text):
    try:
        return None, eval(text)
    except (RuntimeError, TypeError) as error:
        return str(error), None

refused, allowed = json.load(sys.stdin)
told = {text: said(text)[0] for text in refused}
for text, expected in allowed.items():
    fault, found = said(text)
    if not fault and found.device != torch.device("pretend:0"):
        fault = f"is on {found.device}"
    wanted = torch.as_tensor(eval(expected)).cpu()
    told[text] = fault or (None if torch.allclose(found.cpu(), wanted) else f"is {found}")
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told():
    accelerated.build()
    done = subprocess.run(
        [sys.executable, "-c", TRY],
        input=json.dumps([list(REFUSED), ALLOWED]),
        env=accelerated.environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("misplaced", REFUSED)
def test_what_cuda_refuses_is_refused(misplaced, told):
    assert (told[misplaced] or "").startswith(REFUSED[misplaced])


@pytest.mark.parametrize("placed", ALLOWED)
def test_what_cuda_computes_is_what_the_cpu_computes(placed, told):
    assert told[placed] is None


BEGIN = """
import torch
from descent.runtime import resolve_device

device = resolve_device("pretend")
grad = torch.ones(3, device=device)
"""
CELLS = {
    "right": "noise = torch.randn(3, generator=torch.Generator().manual_seed(0)).to(device)",
    "a generator": "noise = torch.randn(3, generator=torch.Generator(), device=device)",
    "an index": "noise = torch.ones(3)[torch.randperm(3, device=device)]",
    "a constant": "noise = grad * torch.tensor([1.0, 2.0, 3.0])",
    "an array": "noise = grad.numpy()",
}
FAULTS = {"a generator": GENERATOR, "an index": INDEX, "a constant": TWO, "an array": NUMPY}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """One lab, right and with each of the faults, through the runner; what became of it."""
    accelerated.build()
    folder = tmp_path_factory.mktemp("pretend")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in accelerated.environment(folder / "counts").items():
            patch.setenv(name, value)
        with Nursery(folder) as nursery:
            started = {
                name: nursery.start(write_lab(folder / name, BEGIN, cell))
                for name, cell in CELLS.items()
            }
            return folder, {name: nursery.end(run) for name, run in started.items()}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_lab_with_a_tensor_in_the_wrong_place_is_refused(fault, runs):
    status, said = runs[1][fault]
    assert status == 1
    assert (
        f"raised {'TypeError' if fault == 'an array' else 'RuntimeError'}: {FAULTS[fault]}" in said
    )


def test_a_lab_with_all_in_place_runs_and_says_where(runs):
    folder, ended = runs
    assert ended["right"][0] == 0, ended["right"][1]
    executed = folder / "right" / "out" / f"{LAB}.ipynb"
    assert all(cell.execution_count for cell in nbformat.read(executed, 4).cells)
    record = records.read(executed)
    assert (record.device, record.device_memory > 0) == ("a pretend accelerator", True)
    counted = accelerated.operations(folder / "counts")
    assert counted.here >= len(CELLS)
    assert 0 < counted.share < 1
