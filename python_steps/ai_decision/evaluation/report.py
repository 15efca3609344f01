"""Compare the measures of a classifier with floors, and write them to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from python_steps.ai_decision.evaluation import measures, plots
from python_steps.statistics.report import Floor, Measure, missed

# At the top the classifier, then the baselines.
FIRST = (measures.TOGETHER, measures.OUTER, measures.INNER)


# The one measure that is better where it is smaller: its floor is a ceiling.
SMALLER_IS_BETTER = "calibration_error"


def below(measured: pa.Table, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Return a sentence for each floor, measure and value, that the combined layers miss."""
    rows = [
        row
        for row in measured.to_pylist()
        if row["judge"] == measures.TOGETHER and row["dimension"] == "all"
    ]
    if floors and not rows:
        return ["There are no labelled documents to judge, so no floor is reached."]
    return missed(
        (
            Measure(f"{name} of {measures.TOGETHER} on {row['document_type']}s", row[name]),
            Floor(value, is_ceiling=name == SMALLER_IS_BETTER),
        )
        for row in rows
        for name, value in floors
    )


def write(measured: pa.Table, predictions: pa.Table, folder: Path) -> list[Path]:
    """Write the whole table as CSV and two plots as PNG; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "classifier_evaluation.csv"
    pyarrow.csv.write_csv(measured, table)
    written = [table]
    for name, plot in (
        ("reliability.png", plots.reliability_plot),
        ("precision_recall.png", plots.precision_recall_plot),
    ):
        (folder / name).write_bytes(plot(predictions))
        written.append(folder / name)
    return written


def in_order(measured: pa.Table, kind: str, dimension: str) -> list[dict[str, object]]:
    """Return the rows of a document type and dimension, the classifier before the baselines."""
    rows = [
        row
        for row in measured.to_pylist()
        if row["document_type"] == kind and row["dimension"] == dimension
    ]
    place = {judge: number for number, judge in enumerate(FIRST)}
    return sorted(
        rows, key=lambda row: (row["value"], place.get(row["judge"], len(FIRST)), row["judge"])
    )


def three_digits(value: object) -> str:
    """Return a measure with three digits; nothing where it is missing."""
    return "" if value is None else f"{value:.3f}"
