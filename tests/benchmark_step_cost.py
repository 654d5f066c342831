"""Race the ways to take a step, and write down how long each took, and on what.

Writes three tables to ``book/``, which the chapter on what a step costs and its lab read:

- ``step_cost_<device>.csv``: the time of a step in each way; of Adam for several sizes in one
  tensor and in 150, and for the largest size in the tensors of a transformer; of SGD with momentum
  for the largest size. On a CPU also the pages that a step takes fresh.
- ``step_cost_<device>_fresh.csv``, on a CPU: a product whose result needs memory, against one that
  has it, as the allocator is and with its mappings turned off.
- ``step_cost_<device>_facts.csv``: what was raced, on what.

    python tests/benchmark_step_cost.py --device cuda
"""

import argparse
import csv
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from descent.runtime import resolve_device, seed_everything, usage
from descent.training import timing

ROOT = Path(__file__).resolve().parent.parent
LARGEST = {"cpu": 10_000_000, "cuda": 100_000_000}
RULES = {"Adam": {}, "SGD": {"momentum": 0.9}}
KEPT = 16  # bytes per parameter: itself, its gradient and Adam's two states
FRESH = (1, 4, 8, 15, 24, 31, 33, 38, 64)  # MiB; glibc's limit is at 32
UNMAPPED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}


def main() -> None:
    arguments = parsed()
    if arguments.products:
        csv.writer(sys.stdout).writerows(products(arguments.rounds))
        return
    seed_everything(0)
    device = resolve_device(arguments.device)
    # Code that was compiled for one thread would be taken again for all.
    torch.compiler.config.force_disable_caches = True
    rows = []
    with timing.all_cores():
        for size, steps in races(arguments.params or LARGEST[device.type], device):
            times = timing.race(steps, rounds=arguments.rounds)
            for name, seconds in times.items():
                faults = round(timing.page_faults(steps[name])) if device.type == "cpu" else ""
                rows.append([*name.split(), size, f"{1e6 * seconds:.3g}", faults])
                print(*rows[-1], flush=True)
        facts = provenance(device)
    table = arguments.output / f"step_cost_{device.type}.csv"
    write(table, [["rule", "tensors", "way", "parameters", "µs", "page faults"], *rows])
    write(table.with_name(f"{table.stem}_facts.csv"), facts.items())
    if device.type == "cpu":
        names = "MiB", "allocator", "fresh, µs", "in use, µs", "page faults, fresh"
        write(table.with_name(f"{table.stem}_fresh.csv"), [names, *fresh(arguments.rounds)])


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:<index>")
    parser.add_argument("--output", type=Path, default=ROOT / "book", help="a folder")
    parser.add_argument("--params", type=int, help="the most parameters, at least 1000")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each way")
    parser.add_argument("--products", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.params is not None and arguments.params < 1000:
        parser.error(f"--params must be at least 1000, got {arguments.params}")
    return arguments


def races(largest: int, device: torch.device) -> Iterator[tuple[int, dict[str, timing.Step]]]:
    """Prepare one race for each size, so that what disturbs it disturbs all that is compared."""
    sizes = [1000]
    while 10 * sizes[-1] < largest:
        sizes.append(10 * sizes[-1])
    for size in sizes if largest == sizes[-1] else [*sizes, largest]:
        layouts = [1, 150, "transformer"][: 3 if size == largest else 2]
        steps = {
            f"{rule} {layout} {way}": step
            for rule in (RULES if size == largest else ["Adam"])
            for layout in layouts
            for way, step in timing.ways(rule, size, layout, device, **RULES[rule]).items()
        }
        # They move as many bytes as there are in the tensors of Adam.
        steps["memory 1 product"] = timing.in_place_product(KEPT * size, device)
        steps["memory 1 copy"] = timing.copy(KEPT * size, device)
        yield size, steps


def fresh(rounds: int) -> list[list[str]]:
    """Run :func:`products` in a process of its own, since the allocator is set up at its start."""
    found = []
    for name, settings in (("as it is", {}), ("without mappings", UNMAPPED)):
        done = subprocess.run(
            [sys.executable, __file__, "--products", "--rounds", str(rounds)],
            env={**os.environ, **settings}, check=True, capture_output=True, text=True,
        )  # fmt: skip
        found += [[mib, name, *rest] for mib, *rest in csv.reader(done.stdout.splitlines())]
    return found


def products(rounds: int) -> list[list[object]]:
    """Race products whose results need memory against those whose results have a place."""
    found = []
    with timing.all_cores():
        # The largest first: what is left over from smaller results would serve the larger ones.
        for mib in sorted(FRESH, reverse=True):
            source = torch.ones(mib * 2**18)
            steps = {"fresh": partial(torch.mul, source, 1.0001)}
            steps["in use"] = partial(torch.mul, source, 1.0001, out=torch.empty_like(source))
            times = timing.race(steps, rounds=rounds)
            faults = round(timing.page_faults(steps["fresh"]))
            found.append([mib, *(f"{1e6 * each:.3g}" for each in times.values()), faults])
    return found[::-1]


def provenance(device: torch.device) -> dict[str, str]:
    used = usage()
    facts = {"device": used["device"]}
    if device.type == "cuda":
        facts |= {"device": torch.cuda.get_device_name(device), "driver": driver()}
    else:
        facts |= {"allocator": " ".join(platform.libc_ver())}
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
