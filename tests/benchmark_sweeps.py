"""Race many runs trained as one against the same runs trained one by one.

Writes the two tables that ``book/api/sweeps.md`` shows: how long either way took, and on what.
A time is that of the one processor core in use, and the least of several races, since what else
the machine does only adds to it. The two ways take turns in this one process.

    python tests/benchmark_sweeps.py
"""

import csv
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from descent.optim import SGD
from descent.runtime import seed_everything
from descent.sweeps import grid, sweep
from descent.tasks.data import digits
from descent.tasks.models import mlp
from descent.tasks.sampling import reshuffled
from descent.training import fit

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "book" / "api"
SIZES = [1, 2, 3, 4, 6, 8, 16, 32, 64, 128]
NUM_STEPS = 100
RACES = 4
WIDTHS = [64, 32, 10]
DATA = digits()


def network(seed: int) -> torch.nn.Module:
    return mlp(WIDTHS, seed=seed)


def as_one(runs: list[dict]) -> None:
    sweep(runs, model=network, loss_fn=cross_entropy, dataset=DATA, num_steps=NUM_STEPS,
          log_every=NUM_STEPS)  # fmt: skip


def one_by_one(runs: list[dict]) -> None:
    for run in runs:
        model = network(run["seed"])
        order = reshuffled(len(DATA.input), run["batch_size"], run["seed"])
        batches = ((DATA.input[index], DATA.target[index]) for index in order)
        optimizer = SGD(model.parameters(), lr=run["lr"], momentum=run["momentum"])
        fit(model, cross_entropy, batches, optimizer, num_steps=NUM_STEPS, log_every=NUM_STEPS)


def seconds(way, runs: list[dict]) -> float:
    start = time.process_time()
    way(runs)
    return time.process_time() - start


def main() -> None:
    seed_everything(0)  # which also sets the number of threads to one
    lrs = torch.linspace(0.02, 0.3, 8)
    every = grid(lr=lrs, seed=range(16), optimizer=SGD, momentum=0.9, batch_size=32)
    for way in (as_one, one_by_one):
        way(every[:1])  # imports and first calls are no part of the race
    rows = []
    for size in SIZES:
        races = [(seconds(as_one, every[:size]), seconds(one_by_one, every[:size]))
                 for _ in range(RACES)]  # fmt: skip
        together, alone = (min(times) for times in zip(*races, strict=True))
        rows.append([size, f"{together:.2f}", f"{alone:.2f}", f"{alone / together:.1f}"])
        print(*rows[-1], flush=True)
    break_even = next(row[0] for row in rows if float(row[3]) > 1)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    facts = {
        "break-even": f"{break_even} runs",
        "network": f"digits, {'-'.join(map(str, WIDTHS))}, tanh",
        "training": f"SGD with momentum, {NUM_STEPS} steps, batches of {every[0]['batch_size']}",
        "processor": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, one of "
        f"{os.cpu_count()} cores",
        "versions": f"PyTorch {torch.__version__}, Python {platform.python_version()}",
        "commit": commit.stdout.strip(),
        "command": f"python {Path(sys.argv[0]).resolve().relative_to(ROOT)}",
    }
    write("sweeps_speed.csv", rows)
    write("sweeps_speed_facts.csv", facts.items())


def write(name: str, rows) -> None:
    with open(FOLDER / name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
