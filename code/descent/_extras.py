"""What only the extra ``book`` installs: how its absence is told."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def book_extra() -> Iterator[None]:
    """Import inside what the package does without until somebody asks for it.

    Raises:
        ModuleNotFoundError: a library is not installed; the message says what to install.

    Example:
        >>> with book_extra():
        ...     import a_library_that_is_not_there
        Traceback (most recent call last):
        ...
        ModuleNotFoundError: this needs a_library_that_is_not_there: pip install 'descent[book]'
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "descent":
            raise
        message = f"this needs {error.name}: pip install 'descent[book]'"
        raise ModuleNotFoundError(message, name=error.name) from None
