"""How the book is made: its notebooks, executed, checked and laid out, and the command line."""

import sys

from descent._extras import book_extra


def main() -> int:
    """Run the command ``descent``, or say in one line what it takes to have it.

    Returns:
        The exit status.
    """
    try:
        with book_extra():
            from descent.press import cli

            return cli.main()
    except ModuleNotFoundError as error:
        print(f"descent: {error}", file=sys.stderr)
        return 1
