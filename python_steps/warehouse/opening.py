"""Explain why a warehouse cannot be opened."""

import re
from pathlib import Path

from python_steps.building.messages import shortened


def explain_warehouse(message: str, warehouse: Path | str) -> str:
    """Say in words why a warehouse cannot be opened."""
    holder = re.search(r"\(PID (\d+)\)", message)
    if "lock on file" in message or "Another instance of Derby" in message:
        who = f"process {holder[1]}" if holder else "another program"
        return (
            f"{warehouse} is open in {who}. Close it there and try again: "
            "while something writes to a warehouse, nothing else can open it."
        )
    if "not a valid DuckDB database" in message or "version number" in message:
        return (
            f"{warehouse} is no warehouse that this DuckDB can read. Build into another file with "
            "--warehouse, or remove it."
        )
    return f"{warehouse} cannot be opened: {shortened(message, 1)[0]}"
