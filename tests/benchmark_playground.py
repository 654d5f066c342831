"""Measure the frames of the figures while they move: the ravine with three racers and 500 steps.

The ravine, the noise floor and the turned bowl play; in the others a slider is moved at each frame.
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
from playwright.sync_api import Page, sync_playwright  # noqa: E402

from descent.playground import (  # noqa: E402
    microscope,
    momentum,
    noise_floor,
    ravine,
    schedule,
    turned_bowl,
)

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


MOVE = """([name, frames]) => new Promise((done) => {
  const root = document.querySelector(".playground").shadowRoot;
  const moved = root.querySelector(`[data-name=${name}]`);
  const next = (left) => {
    moved.value = (Number(moved.value) + 7) % 1000;
    moved.dispatchEvent(new Event("input"));
    if (left) requestAnimationFrame(() => next(left - 1));
    else done();
  };
  next(frames);
})"""
FIGURES = {
    "ravine": (ravine(num_steps=500, racers=RACERS), None),
    "noise_floor": (noise_floor(), None),
    "turned_bowl": (turned_bowl(num_steps=200), None),
    "momentum": (momentum(), "product"),
    "microscope": (microscope("one outlier", other="NAdam"), "silence"),
    "schedule": (schedule(), "noise"),
}


def traced(page: Page, url: str, moved: str | None, file: Path) -> list[dict]:
    """Return the browser's trace of a figure that moves for some seconds."""
    page.goto(url)
    if moved:
        page.locator("[data-name=check]").click()
    elif page.locator("[data-name=at]").input_value() != "0":
        page.locator("[data-name=reset]").click()
    page.context.browser.start_tracing(page=page, path=file, categories=CATEGORIES.split(","))
    if moved:
        page.evaluate(MOVE, [moved, 200])
    else:
        page.locator("[data-name=play]").click()
        page.wait_for_timeout(5_000)
    page.context.browser.stop_tracing()
    return json.loads(file.read_text())["traceEvents"]


def main() -> None:
    quantiles = torch.tensor([0.5, 0.95], dtype=torch.float64)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as base,
        sync_playwright() as playwright,
    ):
        browser = chromium.launch(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 1200})
        for name, (figure, moved) in FIGURES.items():
            write_page(Path(folder), f"{name}.html", figure)
            events = traced(page, f"{base}{name}.html", moved, Path(folder) / "trace.json")
            for of, meaning in {"tdur": "on the processor", "dur": "with waiting"}.items():
                durations = torch.tensor(frames(events, of), dtype=torch.float64)
                half, most = durations.quantile(quantiles).tolist()
                print(
                    f"{name}: {len(durations)} frames, {meaning}: "
                    f"median {half:.1f} ms, 95 % below {most:.1f} ms"
                )
        browser.close()


if __name__ == "__main__":
    main()
