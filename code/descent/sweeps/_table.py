"""The table of a sweep, and its file."""

import math
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from descent._checks import check_choice, check_positive_int
from descent._extras import book_extra
from descent._files import replacing
from descent._signatures import checked
from descent.sweeps._runs import Run

if TYPE_CHECKING:  # pandas takes half a second, and most labs sweep nothing
    import pandas as pd

FORMATS = (".csv", ".parquet")


def settings_table(runs: Sequence[Run]) -> "pd.DataFrame":
    """Tabulate the settings, one row per run; a column that mixes kinds of values holds words."""
    pd = _pandas()
    table = pd.DataFrame([{"run": run.index, **run.labels} for run in runs])
    for name, column in table.items():
        if column.dtype == object:
            table[name] = column.map(str, na_action="ignore").astype("str")
    return table


def rows_of(settings: "pd.DataFrame", logged: dict[str, Tensor]) -> "pd.DataFrame":
    """Tabulate what some runs logged, one row per run and step, behind their settings."""
    pd = _pandas()
    steps = logged["step"].numpy()
    table = settings.loc[settings.index.repeat(len(steps))].reset_index(drop=True)
    columns = {
        name: values.T.flatten().numpy() for name, values in logged.items() if name != "step"
    }
    columns = {"step": np.tile(steps, len(settings)), **columns}
    return pd.concat([table, pd.DataFrame(columns)], axis=1)


def join(tables: "Sequence[pd.DataFrame]") -> "pd.DataFrame":
    """Put the tables of chunks together, in the order of the runs."""
    return _pandas().concat(tables).sort_values(["run", "step"], ignore_index=True)


@checked
def at_end(table: "pd.DataFrame", column: str, *shape: int) -> Tensor:
    """Return what a column of a sweep's table says of each run after its last step.

    Args:
        table: as :func:`sweep` returns it.
        column: the column's name, such as ``"loss"``.
        *shape: of the result, whose entries are the runs in their order; by default one axis.

    Returns:
        The numbers, in float64 on the CPU.

    Raises:
        TypeError: ``table`` is no table.
        ValueError: there is no such column, or ``shape`` has room for more or fewer runs.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"run": [0, 0, 1, 1], "step": [0, 9, 0, 9],
        ...                       "loss": [4.0, 1.0, 4.0, 2.0]})
        >>> at_end(table, "loss", 2, 1)
        tensor([[1.],
                [2.]], dtype=torch.float64)
    """
    if not isinstance(table, _pandas().DataFrame):
        raise TypeError(f"table must be a DataFrame, got {table!r}")
    check_choice("column", column, list(table))
    for size in shape:
        check_positive_int("shape", size)
    ends = table[column][table["step"] == table["step"].max()]
    found = torch.tensor(ends.to_numpy(), dtype=torch.float64)
    if shape and math.prod(shape) != len(found):
        raise ValueError(f"shape must have room for {len(found)} runs, got {shape}")
    return found.reshape(shape or -1)


def write(table: "pd.DataFrame", path: Path) -> None:
    """Write the table so that the file is at all times a whole one, the old or the new."""
    with replacing(path) as draft:
        if path.suffix == ".csv":
            table.to_csv(draft, index=False)
        else:
            table.to_parquet(draft, index=False)


def read(path: Path, settings: "pd.DataFrame") -> "pd.DataFrame":
    """Read a table back, its settings in the types that they have in ``settings``."""
    pd = _pandas()
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    kinds = settings.dtypes.to_dict()
    return pd.read_csv(
        path, dtype=kinds, float_precision="round_trip", keep_default_na=False, na_values=[""]
    )


def _pandas() -> ModuleType:
    with book_extra():
        import pandas
    return pandas
