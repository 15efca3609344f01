"""Compare the evaluation of novelty with floors, warn, and write it to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from python_steps.novelty.evaluation import options
from python_steps.novelty.evaluation.options import BLOCK, LEAD, PMI, Row, corpora_of
from python_steps.novelty.evaluation.plots import area_plot, field_plot, size_plot
from python_steps.statistics.report import Floor, Measure, missed

ALARM = 0.03  # by which the block model may be behind the mean PMI before a warning
PREFERRED = {
    "content": "Use mean_pmi of document_novelty.",
    "context": "Read context_novelty with care.",
}


WAYS_IN_WORDS = {
    options.DEGREE_MATCHED: "keywords dealt again",
    options.ONE_REPLACED: "one keyword replaced",
    options.UNIFORM: "any known keywords",
    options.PLANTED: "halves of two fields",
    options.SHUFFLED: "control: all shuffled",
}
MEASURES_IN_WORDS = {
    options.REPRODUCED: "scores of the warehouse that came out again, to the bit",
    options.REPEATED: "earlier scores that the last two years do not change",
    options.SIZE_CORRELATION: "rank correlation with known keywords",
    options.BY_SIZE: "mean novelty, known keywords",
    options.HIGHLY_CITED: "most cited tenth less others of venue and year",
    options.AWARDED: "awarded less others of venue and year",
}


@dataclass(frozen=True)
class Bound:
    """
    What a floor is held against.

    Attributes
    ----------
    measure, scorer, group
        Of the figure, over all years.
    is_ceiling
        Whether the figure, without its sign, must not be above the value.
    centre
        What is taken off the figure first.
    lowest
        The least value that a floor may have.
    """

    measure: str
    scorer: str | None = BLOCK
    group: str | None = None
    is_ceiling: bool = False
    centre: float = 0.0
    lowest: float = 0.0


BOUNDS = {
    "degree_matched": Bound(options.DEGREE_MATCHED),
    "planted": Bound(options.PLANTED),
    "lead": Bound(options.DEGREE_MATCHED, LEAD, lowest=-1.0),
    "shuffled": Bound(options.SHUFFLED, is_ceiling=True, centre=0.5),
    "share_scored": Bound(options.SCORED, None, "scored"),
    "size_correlation": Bound(options.SIZE_CORRELATION, options.NOVELTY, is_ceiling=True),
    "reproduced": Bound(options.REPRODUCED, options.SURPRISE),
    "without_last_years": Bound(options.REPEATED, options.SURPRISE),
}


def below(measured: pa.Table, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Return a sentence for each floor, name and value, that a corpus misses."""
    if floors and not measured.num_rows:
        return ["There are no hyperedges to judge, so no floor is reached."]
    rows = measured.to_pylist()
    checked = []
    for corpus in corpora_of(measured):
        for name, value in floors:
            bound = BOUNDS[name]
            row = _figure(rows, corpus, bound.measure, bound.scorer, bound.group)
            measure = Measure(f"{name} of {corpus}", row and row["value"])
            checked.append((measure, Floor(value, bound.is_ceiling, bound.centre)))
    return missed(checked)


def alarms(measured: pa.Table) -> list[str]:
    """Return a sentence for each corpus where a simpler score wins or the test is unsound."""
    sentences = []
    rows = measured.to_pylist()
    for corpus in corpora_of(measured):
        lead = _figure(rows, corpus, options.DEGREE_MATCHED, LEAD)
        if lead is not None and lead["value"] < -ALARM:
            sentences.append(
                f"{corpus}: the block model is {-lead['value']:.3f} behind the mean PMI: keyword "
                "pairs predict better than communities here. "
                f"{PREFERRED[corpus.partition('_')[2]]}"
            )
        control = _figure(rows, corpus, options.SHUFFLED, BLOCK)
        if control is not None and not control["low"] - 0.02 <= 0.5 <= control["high"] + 0.02:
            sentences.append(
                f"{corpus}: the control on shuffled keywords is {control['value']:.3f} where .5 is "
                "right, so the other figures mislead."
            )
        same = _figure(rows, corpus, options.REPRODUCED, options.SURPRISE)
        if same is not None and same["value"] < 1:
            sentences.append(
                f"{corpus}: {1 - same['value']:.0%} of the warehouse's scores did not come out "
                "again. Give the --vars that they were built with, or build again."
            )
        repeated = _figure(rows, corpus, options.REPEATED, options.SURPRISE)
        if repeated is not None and repeated["value"] < 1:
            sentences.append(
                f"{corpus}: {1 - repeated['value']:.0%} of the scores of earlier years change with "
                "the last two years, which is a defect: please report it."
            )
    return sentences


def _figure(
    rows: Sequence[Row], corpus: str, measure: str, scorer: str | None, group: str | None = None
) -> Row | None:
    """Return the row of a figure over all years."""
    key = (corpus, measure, scorer, group, None)
    names = ("corpus", "measure", "scorer", "group", "year")
    return next((row for row in rows if tuple(row[name] for name in names) == key), None)


def three_values(rows: Sequence[Row], *, year: int | None) -> tuple[str, ...]:
    """Return the documents and the figures of the block model, its rival, and the lead."""
    of_year = {row["scorer"]: row for row in rows if row["year"] == year}
    figures = (with_interval(of_year[scorer], "\n") for scorer in (BLOCK, PMI, LEAD))
    return f"{of_year[BLOCK]['documents']:,}", *figures


def with_interval(row: Row, between: str) -> str:
    """Return a value with three digits, and its interval where it has one."""
    value = f"{row['value']:.3f}"
    if row["low"] is None:
        return value
    return f"{value}{between}({row['low']:.3f} to {row['high']:.3f})"


def write(measured: pa.Table, folder: Path) -> list[Path]:
    """Write the whole table as CSV, and as PNG each plot that has something to show."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "novelty_evaluation.csv"
    pyarrow.csv.write_csv(measured, table)
    written = [table]
    for name, plot in (
        ("auc_by_year.png", area_plot),
        ("novelty_by_size.png", size_plot),
        ("highly_cited.png", field_plot),
    ):
        drawn = plot(measured)
        if drawn is not None:
            (folder / name).write_bytes(drawn)
            written.append(folder / name)
    return written
