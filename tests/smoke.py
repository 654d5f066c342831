"""Every lab on the pretend accelerator, with its smallest parameters and with its checks.

CI has no GPU, and a tensor in the wrong place is no fault on a CPU. Here it is one. Each run leaves
in ``build/smoke``, beside the executed lab, how many operations it made on the device.
"""

import json
import subprocess
import sys
from pathlib import Path

import accelerated
import pytest

from descent.press import pages, records

SMOKE = pages.ROOT / "build" / "smoke"
DESCENT = [sys.executable, "-c", "from descent.press import main; raise SystemExit(main())"]

# The share of all operations that is made on the device, at least. The rest is the CPU's by intent:
# closed forms, the simulations that they are held against, the drawing of numbers, and figures.
SHARES = {
    "gradient_descent_lab": 0.28,
    "losses_lab": 0.04,
    "sgd_lab": 0.18,
    "momentum_lab": 0.02,
    "rmsprop_lab": 0.006,
    "adam_lab": 0.03,
    "lr_decay_lab": 0.4,
    "step_cost_lab": 0.3,
}


@pytest.mark.parametrize("lab", pages.labs_in_toc())
def test_a_lab_does_its_work_on_the_device(lab, tmp_path):
    accelerated.build()
    run = ["run", lab, "--profile", "smoke", "-p", "device", "pretend", "-o", SMOKE]
    ended = subprocess.run(
        [*DESCENT, *run, "--no-progress"],
        env=accelerated.environment(tmp_path / "counts"),
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    executed = SMOKE / f"{lab}.ipynb"
    record = records.read(executed)
    assert record.device == "a pretend accelerator"
    assert len(records.claims_of(executed)) == len(records.claims_of(pages.notebook_of(lab)))
    made = accelerated.operations(tmp_path / "counts")
    facts = {"seconds": record.seconds, "here": made.here, "elsewhere": made.elsewhere}
    Path(SMOKE, f"{lab}.json").write_text(json.dumps(facts | {"share": round(made.share, 3)}))
    assert made.share >= SHARES[lab]
