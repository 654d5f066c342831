"""A sweep from its runs to its table: in chunks, on one machine or on many, from a file or anew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from descent._extras import book_extra
from descent._signatures import Count, Device, checked
from descent.runtime import resolve_device
from descent.sweeps._batch import Experiment, Loss, Measure, logged_steps, train
from descent.sweeps._runs import RESERVED, Run, Sampler, chunks, read_runs
from descent.sweeps._table import FORMATS, join, read, rows_of, settings_table, write
from descent.tasks.data import Dataset
from descent.tasks.sampling import reshuffled

if TYPE_CHECKING:
    import pandas as pd


@checked
def sweep(
    runs: Sequence[Mapping[str, Any]],
    *,
    model: Callable[..., nn.Module],
    loss_fn: Loss,
    dataset: Dataset,
    num_steps: Count,
    log_every: Count = 1,
    measure: dict[str, Measure] | None = None,
    sampler: Sampler = reshuffled,
    device: Device = "cpu",
    chunk: Count | None = None,
    n_jobs: int | None = None,
    path: str | Path | None = None,
) -> "pd.DataFrame":
    """Train many networks at once, each as :func:`~descent.training.fit` would train it alone.

    Runs that differ in seed or in hyperparameters that are numbers are stacked along a leading
    axis and trained as one: one gradient, by ``torch.func.vmap``, and one call of the update
    rule for all of them. Runs that differ in anything else, in optimizer, batch size, flags or
    the model's own settings, are trained one such batch after another. A run that diverges ends
    in infinities or NaN in its own rows, and leaves the others alone.

    Args:
        runs: the settings of each run, as :func:`grid` makes them. ``seed`` is that of the
            initial weights and of the order of the samples. ``optimizer`` is a class, or a name
            in :data:`~descent.optim.OPTIMIZERS`. ``batch_size`` may be left out: every step then
            sees all samples. The optimizer's hyperparameters go by their names; each may be a
            function of the step 0, 1, 2, ..., and is its default where it is left out.
            Everything else goes to ``model``.
        model: builds a network, ``model(seed=seed, ...)``, with weights that follow from the seed.
        loss_fn: maps the model's output and a target to a scalar.
        dataset: what is trained on; its tensors share their first dimension.
        num_steps: the number of updates, at least 1.
        log_every: steps between rows, at least 1; the last step is always logged.
        measure: further columns, name to a function that maps the model to a scalar tensor. It is
            called once for all runs, inside ``vmap``: tensors yes, ``.item()`` no.
        sampler: ``sampler(num_samples, batch_size, seed)`` yields batches of indices.
        device: ``"cpu"``, ``"cuda"``, ``"auto"`` or a :class:`torch.device`; tensors that a
            measure uses must be there.
        chunk: how many runs are trained as one at most; all that can be, by default.
        n_jobs: how many chunks are trained at a time, as in ``joblib.Parallel``. By default
            one, unless ``joblib.parallel_config`` says otherwise: inside
            ``parallel_config(backend="dask")`` the chunks go to the workers of a Dask cluster.
        path: a file that ends with ``.parquet`` or ``.csv``. It is replaced by a longer one
            whenever a chunk is done, and a sweep that finds it there does only what it lacks.

    Returns:
        One row per run and logged step, in the order of the runs: ``run``, the number of the run,
        its settings, ``step``, the ``loss`` and ``grad_norm`` of the batch that the next step
        uses, at the parameters reached, and what was measured there.

    Raises:
        TypeError: a setting is unknown, missing or of a wrong type.
        ValueError: a setting has a wrong value, or the file at ``path`` is of another sweep or
            of none.

    Example:
        >>> from torch.nn.functional import mse_loss
        >>> from descent.tasks.data import Dataset
        >>> from descent.tasks.models import mlp
        >>> from descent.sweeps import grid
        >>> runs = grid(optimizer="gradient descent", lr=[0.1, 0.3], seed=0)
        >>> table = sweep(runs, model=lambda seed: mlp([1, 1], seed=seed), loss_fn=mse_loss,
        ...               dataset=Dataset(torch.ones(4, 1), torch.zeros(4, 1)), num_steps=50,
        ...               log_every=25)
        >>> table[["run", "lr", "step"]].to_numpy().tolist()
        [[0.0, 0.1, 0.0], [0.0, 0.1, 25.0], [0.0, 0.1, 50.0],
         [1.0, 0.3, 0.0], [1.0, 0.3, 25.0], [1.0, 0.3, 50.0]]
        >>> bool(table.loss.iloc[-1] < 1e-9)
        True
    """
    if len(dataset.input) != len(dataset.target) or len(dataset.input) == 0:
        raise ValueError(
            "dataset must have as many targets as inputs, and at least one, got"
            f" {len(dataset.target)} and {len(dataset.input)}"
        )
    measure = {} if measure is None else measure
    all_runs = read_runs(runs, model, sampler, len(dataset.input))
    settings = settings_table(all_runs)
    for name in measure:
        if name in (*RESERVED, *settings):
            raise ValueError(f"measure must not be named {name!r}, another column of the table is")
    on = resolve_device(device)
    experiment = Experiment(model, loss_fn, dataset, num_steps, log_every, measure, sampler, on)

    tables, done = [], set()
    if path is not None:
        path = Path(path)
        _check_place(path)
        if path.exists():
            tables = [_finished(path, settings, experiment, all_runs)]
            done = set(tables[0]["run"])
    left = chunks([run for run in all_runs if run.index not in done], chunk)
    for part, logged in _train_all(experiment, left, n_jobs):
        tables.append(rows_of(settings.iloc[[run.index for run in part]], logged))
        if path is not None:
            write(join(tables), path)
    return join(tables)


def _train_all(
    experiment: Experiment, parts: list[list[Run]], n_jobs: int | None
) -> Iterator[tuple[list[Run], dict[str, Tensor]]]:
    """Yield chunks as they are done, in any order."""
    with book_extra():
        from joblib import Parallel, delayed

    threads = torch.get_num_threads()
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    return parallel(delayed(_train_part)(experiment, part, threads) for part in parts)


def _train_part(
    experiment: Experiment, part: list[Run], threads: int
) -> tuple[list[Run], dict[str, Tensor]]:
    # Sums in the same order in every process, hence the same last digit.
    torch.set_num_threads(threads)
    return part, train(experiment, part, experiment.num_steps)


def _check_place(path: Path) -> None:
    if path.suffix not in FORMATS:
        raise ValueError(f"path must end with {' or '.join(FORMATS)}, got {str(path)!r}")
    if not path.parent.is_dir():
        raise ValueError(f"the folder of path must exist, got {str(path.parent)!r}")


def _finished(
    path: Path, settings: "pd.DataFrame", experiment: Experiment, runs: list[Run]
) -> "pd.DataFrame":
    try:
        table = read(path, settings)
    except ValueError as error:
        what = str(error).partition("\n")[0]
        raise ValueError(
            f"{str(path)!r} holds no table of a sweep, {what}: move it away, or choose another path"
        ) from None
    differences = _differences(table, settings, experiment, runs)
    if differences:
        raise ValueError(
            f"{str(path)!r} holds another sweep, which differs in {', '.join(differences)}: "
            "move it away, or choose another path"
        )
    return table


def _differences(
    table: "pd.DataFrame", settings: "pd.DataFrame", experiment: Experiment, runs: list[Run]
) -> list[str]:
    """Name the columns in which a table could not have come from this sweep."""
    columns = [*settings.columns, "step", "loss", "grad_norm", *experiment.measure]
    found = [name for name in columns if name not in table]
    found += [name for name in table if name not in columns]
    if found:
        return found
    done = table["run"].unique()
    if not set(done) <= set(settings["run"]):
        return ["run"]
    steps = logged_steps(experiment.num_steps, experiment.log_every)
    expected = rows_of(settings.iloc[done], {"step": torch.tensor(steps)})
    if len(expected) != len(table):
        return ["step"]
    found = [name for name in expected if not expected[name].equals(table[name])]
    if found:
        return found
    # What no column shows, such as the data or the model's code, shows in the first row's numbers.
    first = train(experiment, [runs[done[0]]], num_steps=0)
    return [
        name
        for name, values in first.items()
        if not np.isclose(values.flatten()[0], table[name][0], rtol=1e-3, equal_nan=True)
    ]
