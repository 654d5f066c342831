"""The status page: where each lab was executed, how long it took, and how much memory.

``{runs}`` tabulates the records in the executed labs of this build, and those of other machines
that are kept in ``book/runs/*.json``, by machine.
"""

from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from descent.press import records
from descent.press.records import Record

PENDING = (
    "No run on a GPU has been recorded. On a machine with CUDA, `make gpu` makes one, and "
    "`descent record build/gpu book/runs/NAME.json` keeps it for this page."
)


class Runs(SphinxDirective):
    """List the runs, machine by machine."""

    def run(self) -> list[nodes.Node]:
        """Write the tables in MyST, and parse them."""
        source = Path(self.env.srcdir)
        runs = records.collect(source / "book", source)
        for file in sorted((source / "book" / "runs").glob("*.json")):
            runs += [run for run in records.load(file) if run not in runs]
        lines = []
        if not any(run.device_memory for run in runs):
            lines += [PENDING, ""]
        for machine, group in groupby(sorted(runs, key=machine_of), machine_of):
            lines += [*table(machine, list(group)), ""]
        box = nodes.container()
        self.state.nested_parse(StringList(lines, source="runs"), 0, box)
        return box.children


def machine_of(run: Record) -> tuple[str, ...]:
    """Say what the runs of one table have in common; those on a GPU come first."""
    return ("" if run.device_memory else "CPU", run.device, run.torch, run.python, run.profile)


def table(machine: tuple[str, ...], runs: list[Record]) -> list[str]:
    """Write the runs on one machine as a table in MyST."""
    _, device, torch, python, profile = machine
    dates = sorted({run.date for run in runs})
    when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
    commits = ", ".join(sorted({f"`{run.commit}`" for run in runs if run.commit}))
    facts = [f"PyTorch {torch}", f"Python {python}", f"profile `{profile}`", when]
    facts += [f"commit {commits}"] if commits else []
    rows = [f"| {{doc}}`{run.lab}` | {run.seconds:.1f} | {records.memory(run)} |" for run in runs]
    return [
        f"**{device}**",
        "",
        " · ".join(facts),
        "",
        "| lab | seconds | peak memory |",
        "|:--|--:|--:|",
        *rows,
    ]


def read_again(app: Sphinx, env: BuildEnvironment, *changes: object) -> list[str]:
    """Name the page made from the runs, which may have changed without it."""
    return [docname for docname in ("book/status",) if docname in env.found_docs]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("runs", Runs)
    app.connect("env-get-outdated", read_again)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
