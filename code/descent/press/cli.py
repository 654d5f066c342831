"""The command ``descent``: list the labs, run one; check, tabulate and stage what was executed."""

import difflib
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from descent.chapters.parameters import allowed, parameters_of, validate
from descent.press import pages, records


@click.group(no_args_is_help=False, help="How neural networks are trained: run the book's labs.")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    default=pages.ROOT,
    help="The checkout whose labs are meant; by default, the one that holds this package.",
)
@click.pass_context
def descent(context: click.Context, root: Path) -> None:
    """Keep the options that all commands share."""
    context.obj = root


@descent.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the names alone, for a program.")
@click.pass_obj
def list_labs(root: Path, as_json: bool) -> None:
    """List the labs, with the parameters and the profiles of each."""
    if as_json:
        print(json.dumps(pages.labs_in_toc(root)))
        return
    from descent.press import runner  # slow to import, so each command does it when it comes to it

    for lab in pages.labs_in_toc(root):
        model = parameters_of(lab)
        rows = []
        for name, default in runner.defaults_of(pages.notebook_of(lab, root)).items():
            may_be = allowed(model.model_fields[name])
            meaning = default.comment.removesuffix(may_be).rstrip(" ,:;")
            rows.append((name, str(default.value), may_be, meaning))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        print(lab)
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            print("  " + "  ".join(cells).rstrip())
        for profile, values in model.profiles.items():
            changes = [f"{name}={value}" for name, value in values.items()]
            print("  --profile", profile, " ".join(changes) or "(the defaults)")


@descent.command("run")
@click.argument("lab")
@click.option(
    "-p",
    "--parameter",
    "given",
    metavar="NAME VALUE",
    nargs=2,
    multiple=True,
    help="Set a parameter; give the option again for another.",
)
@click.option("--profile", default="book", show_default=True, help="smoke, book or gpu.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default="out",
    show_default=True,
    help="The folder for the executed notepages.",
)
@click.option("--progress/--no-progress", default=None, help="By default, on a terminal only.")
@click.pass_obj
def run(
    root: Path,
    lab: str,
    given: Sequence[tuple[str, str]],
    profile: str,
    output: Path,
    progress: bool | None,
) -> None:
    """Execute the lab named LAB; the output folder gets it whole or not at all."""
    from descent.press import runner

    _check_labs([lab], root)
    profiles = parameters_of(lab).profiles
    if profile not in profiles:
        raise ValueError(f"there is no profile {profile!r}; there are: {', '.join(profiles)}")
    source = pages.notebook_of(lab, root)
    defaults = {name: default.value for name, default in runner.defaults_of(source).items()}
    changed = {**profiles[profile], **dict(given)}
    parameters = validate(lab, {**defaults, **changed}, from_text=True)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # under nohup, SIGHUP is to be ignored
            signal.signal(number, signal.default_int_handler)  # cleans up as Ctrl-C does
    target = output / f"{lab}.ipynb"
    begun = time.monotonic()
    try:
        runner.execute(
            source,
            target,
            {name: getattr(parameters, name) for name in changed},
            profile=profile,
            progress=sys.stderr.isatty() if progress is None else progress,
        )
    except runner.LabFailed as error:
        raise click.exceptions.Exit(_fail(str(error), error.status)) from None
    print(f"{lab}  {time.monotonic() - begun:.1f} s" + ("" if progress is False else f"  {target}"))


@descent.command("stage")
@click.argument("executed", type=click.Path(path_type=Path))
@click.argument("site", type=click.Path(path_type=Path))
@click.option(
    "--claims",
    type=click.Path(path_type=Path, exists=True),
    help="What the tests of claims measured.",
)
@click.pass_obj
def stage(root: Path, executed: Path, site: Path, claims: Path | None) -> None:
    """Check the labs in the folder EXECUTED, and lay out the book with them in SITE."""
    pages.check_executed(executed, root)
    pages.stage(executed, site, root, claims)


@descent.command("device")
@click.argument("name")
def device(name: str) -> None:
    """Check that the device NAME, cpu or cuda, is there and computes; print what it is."""
    import torch

    from descent.runtime import resolve_device, usage

    total = torch.ones(1000, device=resolve_device(name)).sum().item()
    if total != 1000:
        raise ValueError(f"device {name!r} adds a thousand ones up to {total}")
    print(f"{name}: {usage()['device']}, PyTorch {torch.__version__}")


FOLDER = click.argument("folder", type=click.Path(path_type=Path))
SOME_LABS = click.argument("labs", nargs=-1)
DEVICE = click.option(
    "--device",
    type=click.Choice(["cpu", "cuda"]),
    default="cpu",
    show_default=True,
    help="Where the labs' tensors had to be.",
)


@descent.command("verify")
@FOLDER
@SOME_LABS
@DEVICE
@click.pass_obj
def verify(root: Path, folder: Path, labs: Sequence[str], device: str) -> None:
    """Check that LABS, by default all, ran to their end in FOLDER and made the CPU's checks."""
    _check_labs(labs, root)
    records.verify(folder, labs or pages.labs_in_toc(root), device, root)


@descent.command("summary")
@FOLDER
@SOME_LABS
@DEVICE
@click.pass_obj
def summary(root: Path, folder: Path, labs: Sequence[str], device: str) -> None:
    """Print a table in Markdown of the runs of LABS, by default all, in FOLDER."""
    _check_labs(labs, root)
    print(records.table(folder, labs or pages.labs_in_toc(root), device, root))


@descent.command("record")
@FOLDER
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def record(root: Path, folder: Path, file: Path) -> None:
    """Write the records of the labs executed in FOLDER to FILE, for the book's status page."""
    records.write(records.collect(folder, root), file)


def _check_labs(labs: Sequence[str], root: Path) -> None:
    known = pages.labs_in_toc(root)
    for lab in labs:
        if lab not in known:
            nearest = difflib.get_close_matches(lab, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            raise ValueError(f"there is no lab {lab!r}; there are: {', '.join(known)}{hint}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; what can be foreseen to go wrong is told in a line each.

    Args:
        arguments: the command line's, by default this process's.

    Returns:
        The exit status: 0, 1 for an error, 2 for a misuse, 130 for Ctrl-C.
    """
    # click's own main() would turn Ctrl-C and each error into several lines.
    try:
        arguments = sys.argv[1:] if arguments is None else list(arguments)
        with descent.make_context("descent", arguments) as context:
            descent.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "descent"
        return _fail(f"{error.format_message()} (see {command} --help)", error.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except (OSError, ValueError) as error:
        return _fail(str(error), 1)
    return 0


def _fail(message: str, status: int) -> int:
    for line in message.splitlines():
        print(f"descent: {line}", file=sys.stderr)
    return status
