"""Names of delivered fields, as far as they are the same to a reader."""

import re


def normalised(name: str) -> str:
    """Return a field's name without regard to case and to blanks, dots and dashes in it."""
    return re.sub(r"[\s.\-/]+", "_", name.strip().strip("\ufeff").lower()).strip("_")
