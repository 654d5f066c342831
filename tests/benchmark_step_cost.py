"""Race the ways to take a step of Adam, and write down how long each took, and on what.

Writes ``step_cost_<device>.csv``, a row for each size and number of tensors, and beside it
``step_cost_<device>_facts.csv``. The lab on what a step costs prints those of a GPU. In the race is
a product in place on as many bytes as a step holds; the bound is 28 bytes per parameter at its
bandwidth.

    python tests/benchmark_step_cost.py --device cuda
"""

import argparse
import csv
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import torch

from descent.chapters.step_cost.theory import step_time_bound, step_traffic
from descent.runtime import resolve_device, seed_everything, usage
from descent.training import timing

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["eager", "compiled", "loop", "foreach", "fused", "product"]
LARGEST = {"cpu": 10_000_000, "cuda": 100_000_000}
NUM_TENSORS = [1, 150]
KEPT = 16  # bytes per parameter: itself, its gradient and two states


def main() -> None:
    arguments = parsed()
    seed_everything(0)
    device = resolve_device(arguments.device)
    rows = []
    with timing.all_cores():
        for size in sizes_up_to(arguments.params or LARGEST[device.type]):
            for num_tensors in NUM_TENSORS:
                steps = timing.ways("Adam", size, num_tensors, device)
                steps["product"] = timing.in_place_product(KEPT * size, device)
                times = timing.race(steps, rounds=arguments.rounds)
                rows.append([size, num_tensors, *(told(times, name) for name in NAMES)])
                print(*rows[-1], flush=True)
                if num_tensors == 1:  # the last of these is the largest
                    whole, held = times, KEPT * size
        facts = provenance(device)
    # It reads and writes what it holds.
    bandwidth = 2 * held / whole.pop("product")
    bound = step_time_bound(held / KEPT, step_traffic(2), bandwidth)
    facts = {
        **{f"times the bound, {name}": f"{time / bound:.3g}" for name, time in whole.items()},
        "bandwidth": f"{bandwidth / 1e9:.1f} GB/s, of a product in place",
        **facts,
    }
    table = arguments.output / f"step_cost_{device.type}.csv"
    write(table, [["parameters", "tensors", *(f"{name}, µs" for name in NAMES)], *rows])
    write(table.with_name(f"{table.stem}_facts.csv"), facts.items())


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:<index>")
    parser.add_argument("--output", type=Path, default=ROOT / "book", help="a folder")
    parser.add_argument("--params", type=int, help="the most parameters, at least 1000")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each way")
    arguments = parser.parse_args()
    if arguments.params is not None and arguments.params < 1000:
        parser.error(f"--params must be at least 1000, got {arguments.params}")
    return arguments


def sizes_up_to(largest: int) -> list[int]:
    sizes = [1000]
    while 10 * sizes[-1] < largest:
        sizes.append(10 * sizes[-1])
    return sizes if largest == sizes[-1] else [*sizes, largest]


def told(times: dict[str, float], name: str) -> str:
    return f"{1e6 * times[name]:.3g}" if name in times else ""


def provenance(device: torch.device) -> dict[str, str]:
    used = usage()
    facts = {"device": used["device"]}
    if device.type == "cuda":
        facts |= {"device": torch.cuda.get_device_name(device), "driver": driver()}
    commit = run("git", "rev-parse", "--short", "HEAD") or "unknown"
    if run("git", "status", "--porcelain", "--", "code", "tests"):
        commit += ", with changes"
    script = Path(sys.argv[0]).resolve().relative_to(ROOT)
    return facts | {
        "threads": str(torch.get_num_threads()),
        "versions": f"PyTorch {used['torch']}, Python {used['python']}, {platform.system()}",
        "date": used["date"],
        "commit": commit,
        "command": shlex.join(["python", str(script), *sys.argv[1:]]),
    }


def driver() -> str:
    query = ["--query-gpu=driver_version", "--format=csv,noheader"]
    return run("nvidia-smi", *query).partition("\n")[0] or "unknown"


def run(*command: str) -> str:
    # Without the tool, or outside a repository, a long measurement is not to be lost.
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return done.stdout.strip()


def write(path: Path, rows) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
