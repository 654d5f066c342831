"""Measure the frames of the ravine while it plays: three racers, 500 steps.

Prints the median and the 95th percentile of what the browser's main thread did for a frame, script,
style, layout and paint together, from the browser's own trace.

    python tests/benchmark_playground.py
"""

import json
import sys
import tempfile
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

import chromium  # noqa: E402
from figures import served, write_page  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from descent.playground import ravine  # noqa: E402

RACERS = {"gradient descent": {"lr": 0.18}, "SGD": {"lr": 0.02}, "Adam": {"lr": 0.02}}
CATEGORIES = "devtools.timeline,toplevel,disabled-by-default-devtools.timeline"


def frames(events: list[dict], of: str) -> list[float]:
    """List the milliseconds of each task that drew a frame; ``tdur`` is that of the processor."""
    fired = [each for each in events if each["name"] == "FireAnimationFrame"]
    threads = {(each["pid"], each["tid"]) for each in fired}
    tasks = [
        each
        for each in events
        if each["name"].endswith("RunTask")
        and each.get("ph") == "X"
        and (each["pid"], each["tid"]) in threads
    ]
    drew = [
        task
        for task in tasks
        if any(task["ts"] <= each["ts"] <= task["ts"] + task["dur"] for each in fired)
    ]
    return [task[of] / 1000 for task in drew if of in task]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as base:
        write_page(Path(folder), "race.html", ravine(num_steps=500, racers=RACERS))
        with sync_playwright() as playwright:
            browser = chromium.launch(playwright)
            page = browser.new_page(viewport={"width": 1440, "height": 1200})
            page.goto(base + "race.html")
            trace = Path(folder) / "trace.json"
            browser.start_tracing(page=page, path=trace, categories=CATEGORIES.split(","))
            page.locator("[data-name=play]").click()
            page.wait_for_timeout(6_000)
            browser.stop_tracing()
            events = json.loads(trace.read_text())["traceEvents"]
            browser.close()
    for of, meaning in {"tdur": "on the processor", "dur": "with waiting"}.items():
        durations = torch.tensor(frames(events, of), dtype=torch.float64)
        half, most = durations.quantile(torch.tensor([0.5, 0.95], dtype=torch.float64)).tolist()
        print(f"{len(durations)} frames, {meaning}: median {half:.1f} ms, 95 % below {most:.1f} ms")


if __name__ == "__main__":
    main()
