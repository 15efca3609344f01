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


class ModelError(RuntimeError):
    """A model cannot be loaded, or is not the one it claims to be."""

    exit_code = 2


class TrainingError(ValueError):
    """Examples or settings that no classifier can be trained with; says why and what to do."""

    exit_code = 3


class AnnotationError(Exception):
    """An annotation that cannot go on; the message says why and what to do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code
