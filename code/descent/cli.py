"""The command ``descent``: list the labs, run one, and check and stage what was executed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from descent import book

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command("run")
def run(
    lab: str,
    output: Annotated[Path, typer.Option("--output", "-o")] = Path("out"),
) -> None:
    """Execute a lab."""
    import papermill

    output.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(
        book.ROOT / "book" / f"{lab}.ipynb", output / f"{lab}.ipynb", progress_bar=False
    )


@app.command("stage")
def stage(executed: Path, site: Path) -> None:
    """Check the executed labs, and lay out the book's sources with them in place."""
    book.check_executed(executed)
    book.stage(executed, site)


def main() -> None:
    """Run the command line; a foreseen error is one line and a non-zero status."""
    try:
        app()
    except ValueError as error:
        print(f"descent: {error}", file=sys.stderr)
        sys.exit(1)
