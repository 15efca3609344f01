"""Errors with a message for the user and the exit code of the command, and those codes."""

from __future__ import annotations


class InputError(Exception):
    """Input that cannot be read or is refused; the message says where it is and what to do."""


FAILED, WRONG_USAGE, UNREADABLE, BELOW_FLOOR, STOPPED = 1, 2, 3, 4, 130


class BuildError(Exception):
    """A build that cannot go on; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class MissingExtraError(Exception):
    """A package of an extra is not installed; the message says how to install it."""

    exit_code = WRONG_USAGE

    def __init__(self, need: str, module: str, extra: str) -> None:
        super().__init__(
            f"{need} needs a package that is not installed ({module}): {install_command(extra)}"
        )


def install_command(extra: str) -> str:
    """Return how to install an extra of this program, from where the program was installed."""
    import importlib.metadata
    import json
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    name = "deepinnovation"
    try:
        origin = json.loads(importlib.metadata.distribution(name).read_text("direct_url.json"))
    except (importlib.metadata.PackageNotFoundError, TypeError):  # not from a folder or file
        return f"pip install '{name}[{extra}]'"
    parts = urlsplit(origin["url"])
    place = f"{name}[{extra}] @ {origin['url']}"
    if parts.scheme == "file":
        place = f"{url2pathname(parts.path)}[{extra}]"
    editable = "--editable " if origin.get("dir_info", {}).get("editable") else ""
    return f"pip install {editable}'{place}'"


class ModelError(RuntimeError):
    """A model cannot be loaded, or is not the one it claims to be."""

    exit_code = WRONG_USAGE


class TrainingError(ValueError):
    """Examples or settings that no classifier can be trained with; says why and what to do."""

    exit_code = UNREADABLE


class AnnotationError(Exception):
    """An annotation that cannot go on; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
