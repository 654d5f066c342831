"""Files that are at all times whole, the old one or the new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft beside ``path``, which takes its place once all is written.

    Of a draft that fails nothing is left, and ``path`` stays as it was.

    Args:
        path: the file to write.

    Yields:
        The draft, a hidden file in the same folder and with the same suffix, not yet there.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     table = Path(folder, "table.csv")
        ...     with replacing(table) as draft:
        ...         length = draft.write_text("step,loss")
        ...     table.read_text(), draft.exists()
        ('step,loss', False)
    """
    draft = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
