"""What a build reports while it runs; the command line decides what that looks like."""

from collections.abc import Sequence
from typing import Protocol


class Reporter(Protocol):
    """Takes what a build reports."""

    def say(self, sentence: str) -> None:
        """Take a sentence about the build as a whole."""

    def running(self, node: str) -> None:
        """Take the name of the node that starts."""

    def finished(self, node: str, place: str, rows: int | None, seconds: float) -> None:
        """Take a finished relation, its place among all (``3/90``, or empty), and its rows."""

    def tests_passed(self, count: int, seconds: float) -> None:
        """Take how many tests passed since the last line, and how long they took together."""

    def failed(self, node: str) -> None:
        """Take the name of a node that failed."""

    def explain(self, failures: Sequence[tuple[str, Sequence[str]]], advice: Sequence[str]) -> None:
        """Take, at the end, each failure as its kind and lines, and sentences on what to do."""

    def close(self) -> None:
        """Take that no node runs any more."""


class FailuresOnly:
    """Hands on why a build failed, and nothing else."""

    def __init__(self, reporter: Reporter) -> None:
        self.explain = reporter.explain

    def say(self, sentence: str) -> None:
        """Drop it."""

    def running(self, node: str) -> None:
        """Drop it."""

    def finished(self, node: str, place: str, rows: int | None, seconds: float) -> None:
        """Drop it."""

    def tests_passed(self, count: int, seconds: float) -> None:
        """Drop it."""

    def failed(self, node: str) -> None:
        """Drop it."""

    def close(self) -> None:
        """Do nothing."""
