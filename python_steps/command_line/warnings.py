"""Print what is implausible about a delivery."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from python_steps.sources.plausibility import Warned

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 10


def show_warnings(warned: Sequence[Warned], console: "Console", more: str = "") -> None:
    """Print warnings, the gravest in red.

    Parameters
    ----------
    warned
        The gravest first.
    more
        Where the others are told that are too many to print.
    """
    for one in warned[:SHOWN]:
        style = "[red]Problem:[/]" if one.is_grave else "[yellow]Warning:[/]"
        console.print(style, end=" ")
        console.print(one.message, markup=False, highlight=False, soft_wrap=True)
    left = len(warned) - SHOWN
    if left > 0:
        console.print(f"{left} more warnings{more}.", markup=False, highlight=False)
