"""Floors: values that measures must reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """
    A measured value.

    Attributes
    ----------
    name
        In words.
    value
        None where there is nothing to measure.
    basis
        What it was measured on, as "300 papers"; may be empty.
    """

    name: str
    value: float | None
    basis: str = ""


@dataclass(frozen=True)
class Floor:
    """
    What a measure must reach.

    Attributes
    ----------
    value
        The least value, or the most where it is a ceiling.
    is_ceiling
        Whether the measure must stay below the value, whatever its sign.
    centre
        Subtracted from the measure first.
    """

    value: float
    is_ceiling: bool = False
    centre: float = 0.0

    def is_missed_by(self, measured: float | None) -> bool:
        """Whether a measure is worse than the floor; a missing one is."""
        if measured is None:
            return True
        distance = measured - self.centre
        return abs(distance) > self.value if self.is_ceiling else distance < self.value

    def __str__(self) -> str:
        away = f" away from {self.centre:g}" if self.centre else ""
        return f"at {'most' if self.is_ceiling else 'least'} {self.value:g}{away}"


def missed(measured: Iterable[tuple[Measure, Floor]], *, digits: int = 3) -> list[str]:
    """
    Return a sentence for each measure that misses its floor.

    Parameters
    ----------
    measured
        Each measure and its floor.
    digits
        Decimal places of values.
    """
    sentences = []
    for measure, floor in measured:
        if floor.is_missed_by(measure.value):
            value = "missing" if measure.value is None else f"{measure.value:.{digits}f}"
            basis = f" on {measure.basis}" if measure.basis else ""
            sentences.append(f"{measure.name} is {value}{basis}, and must be {floor}.")
    return sentences
