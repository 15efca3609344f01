"""Names of delivered fields, as far as they are the same to a reader."""

import re


def normalised(name: str) -> str:
    """Return a field's name without regard to case and to signs that are no letters in it."""
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")
