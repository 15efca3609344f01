"""What `deepinnovation evaluate novelty` reads from a warehouse, tells, plots and writes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from python_steps import novelty
from python_steps import novelty_evaluation as evaluation
from python_steps.novelty_evaluation import BLOCK, LEAD, PMI, Options, Report, Row
from python_steps.sources import InputError
from python_steps.warehouse import Tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Console

HYPEREDGES = ("intermediate", "int_hyperedges")
SCORES = ("intermediate", "int_documents_novelty_ranked")
PAPERS = ("marts", "papers")

# Words among a paper's categories or in its type by which venues name what they honoured.
AWARDS = "(?i)\\b(award|best (student )?paper|outstanding paper|distinguished paper)"

ALARM = 0.03  # by which the block model may be behind the mean PMI before it is told
PREFERRED = {
    "content": "Prefer mean_pmi of document_novelty.",
    "context": "Read context_novelty with care.",
}
MOST_VENUES_IN_A_PLOT = 40

WAYS_IN_WORDS = {
    evaluation.DEGREE_MATCHED: "keywords dealt anew",
    evaluation.ONE_REPLACED: "one keyword replaced",
    evaluation.UNIFORM: "any known keywords",
    evaluation.PLANTED: "halves of two fields",
    evaluation.SHUFFLED: "control: all shuffled",
}
MEASURES_IN_WORDS = {
    evaluation.REPRODUCED: "scores of the warehouse that came out again, to the bit",
    evaluation.REPEATED: "earlier scores that the last two years do not change",
    evaluation.SIZE_CORRELATION: "rank correlation with known keywords",
    evaluation.BY_SIZE: "mean novelty, known keywords",
    evaluation.HIGHLY_CITED: "most cited tenth less others of venue and year",
    evaluation.AWARDED: "awarded less others of venue and year",
}


# ---------------------------------------------------------------- floors


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

    def missed(self, found: Row | None, value: float) -> str | None:
        """Return how a figure misses the value, or nothing; a missing figure does."""
        if found is None:
            return "is missing"
        figure = found["value"] - self.centre
        if self.is_ceiling:
            return f"is {found['value']:.3f}" if abs(figure) > value else None
        return f"is {found['value']:.3f}" if figure < value else None


BOUNDS = {
    "degree_matched": Bound(evaluation.DEGREE_MATCHED),
    "planted": Bound(evaluation.PLANTED),
    "lead": Bound(evaluation.DEGREE_MATCHED, LEAD, lowest=-1.0),
    "shuffled": Bound(evaluation.SHUFFLED, is_ceiling=True, centre=0.5),
    "share_scored": Bound(evaluation.SCORED, None, "scored"),
    "size_correlation": Bound(evaluation.SIZE_CORRELATION, evaluation.NOVELTY, is_ceiling=True),
    "reproduced": Bound(evaluation.REPRODUCED, evaluation.SURPRISE),
    "without_last_years": Bound(evaluation.REPEATED, evaluation.SURPRISE),
}


def below(measured: pa.Table, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Tell, in a sentence each, what the corpora miss of floors, each a name and its value."""
    if floors and not measured.num_rows:
        return ["There are no hyperedges to judge, so no floor is reached."]
    told = []
    rows = measured.to_pylist()
    for corpus in _corpora(measured):
        for name, value in floors:
            bound = BOUNDS[name]
            found = _figure(rows, corpus, bound.measure, bound.scorer, bound.group)
            missed = bound.missed(found, value)
            if missed:
                away = f" away from {bound.centre:g}" if bound.centre else ""
                most = f"at most {value:g}{away}" if bound.is_ceiling else f"at least {value:g}"
                told.append(f"{name} of {corpus} {missed}, and must be {most}.")
    return told


def alarms(measured: pa.Table) -> list[str]:
    """Tell, in a sentence each, where a simpler score does better or the test itself is unsound."""
    told = []
    rows = measured.to_pylist()
    for corpus in _corpora(measured):
        lead = _figure(rows, corpus, evaluation.DEGREE_MATCHED, LEAD)
        if lead is not None and lead["value"] < -ALARM:
            told.append(
                f"{corpus}: the block model is {-lead['value']:.3f} behind the mean PMI: pairs "
                f"tell more here than communities do. {PREFERRED[corpus.partition('_')[2]]}"
            )
        control = _figure(rows, corpus, evaluation.SHUFFLED, BLOCK)
        if control is not None and not control["low"] - 0.02 <= 0.5 <= control["high"] + 0.02:
            told.append(
                f"{corpus}: the control on shuffled keywords is {control['value']:.3f} where .5 is "
                "right, so the other figures mislead."
            )
        same = _figure(rows, corpus, evaluation.REPRODUCED, evaluation.SURPRISE)
        if same is not None and same["value"] < 1:
            told.append(
                f"{corpus}: {1 - same['value']:.0%} of the warehouse's scores did not come out "
                "again. Give the --vars that they were built with, or build anew."
            )
        repeated = _figure(rows, corpus, evaluation.REPEATED, evaluation.SURPRISE)
        if repeated is not None and repeated["value"] < 1:
            told.append(
                f"{corpus}: {1 - repeated['value']:.0%} of the scores of earlier years change with "
                "the last two, which must not be: please report it."
            )
    return told


def _figure(
    rows: Sequence[Row], corpus: str, measure: str, scorer: str | None, group: str | None = None
) -> Row | None:
    """Return the row of a figure over all years."""
    key = (corpus, measure, scorer, group, None)
    names = ("corpus", "measure", "scorer", "group", "year")
    return next((row for row in rows if tuple(row[name] for name in names) == key), None)


# ---------------------------------------------------------------- reading


def settings_of(variables: Mapping[str, Any]) -> novelty.Settings:
    """
    Return the settings that a build with variables of dbt_project.yml scores with.

    Raises
    ------
    ValueError
        When one is no number or out of range.
    """
    named = {
        field.name: variables[f"novelty_{field.name}"]
        for field in fields(novelty.Settings)
        if f"novelty_{field.name}" in variables
    }
    if named["communities"] == "auto":
        named["communities"] = None
    for name, value in named.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            message = f"novelty_{name} must be a number, not {value!r}"
            raise ValueError(message)
    return novelty.Settings(**named)


def measure(
    tables: Tables,
    corpora: Sequence[str],
    settings: novelty.Settings,
    options: Options,
    console: Console,
) -> pa.Table:
    """
    Evaluate the scores of corpora in a warehouse, one after another.

    Returns
    -------
    pa.Table
        Rows of :data:`novelty_evaluation.EVALUATION`.

    Raises
    ------
    InputError
        When the warehouse cannot be read or was built without novelty.
    """
    relations = tables.relations() or set()
    for schema, table in (HYPEREDGES, SCORES, PAPERS):
        if (schema, table) not in relations:
            message = (
                f"The warehouse holds no {schema}.{table}: build it with novelty, by "
                "`deepinnovation build`."
            )
            raise InputError(message)
    measured = [evaluation.EVALUATION.empty_table()]
    with tables.connect() as connection, _progress(console) as report:
        for corpus in corpora:
            hyperedges, scores, papers = (
                connection.sql(query, params=params).to_arrow_table()
                for query, params in _queries(corpus)
            )
            measured.append(
                evaluation.evaluate(
                    hyperedges, scores, papers, settings=settings, options=options, report=report
                )
            )
    return pa.concat_tables(measured)


def _queries(corpus: str) -> Iterator[tuple[str, list[str]]]:
    """Yield what reads the hyperedges of a corpus, their scores, and the facts of papers."""
    yield (
        f"select corpus, hyperedge_id, year, nodes, weight from {'.'.join(HYPEREDGES)} "
        "where corpus = ? order by hyperedge_id",
        [corpus],
    )
    yield (
        "select hyperedge_id, document_id, year, known_nodes, surprise, novelty, "
        f"novelty_percentile, reason from {'.'.join(SCORES)} where corpus = ? "
        "order by hyperedge_id",
        [corpus],
    )
    yield (
        "select document_id, venue, cited_by_count, "
        "len(list_filter(coalesce(categories, []), lambda each: regexp_matches(each, $1))) > 0 "
        f"or coalesce(regexp_matches(work_type, $1), false) as is_awarded from {'.'.join(PAPERS)} "
        "where starts_with($2, 'paper_') order by document_id",
        [AWARDS, corpus],
    )


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Report]:
    """Yield what shows how many years are done of what."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TextColumn("years"), console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def report(what: str, done: int, of_all: int) -> None:
            progress.update(task, description=what, completed=done, total=of_all)

        yield report


# ---------------------------------------------------------------- telling


def show(measured: pa.Table, console: Console) -> None:
    """Print three tables for each corpus, 95 % intervals below or beside the values."""
    if not measured.num_rows:
        console.print("No document has a keyword or class and a year: nothing to judge.")
    rows = measured.to_pylist()
    for corpus in _corpora(measured):
        of_corpus = [row for row in rows if row["corpus"] == corpus]
        _show_ways(corpus, of_corpus, console)
        _show_years(corpus, of_corpus, console)
        _show_scores(corpus, of_corpus, console)


def _show_ways(corpus: str, rows: Sequence[Row], console: Console) -> None:
    found = {name: [row for row in rows if row["measure"] == name] for name in WAYS_IN_WORDS}
    lines = [
        (words, *_three(found[way], year=None))
        for way, words in WAYS_IN_WORDS.items()
        if found[way]
    ]
    if lines:
        title = f"{corpus}: how often a real document surprises less than a made-up one (AUC)"
        _print(
            console, title, ["made up by", "documents", "block model", "mean PMI", "lead"], lines
        )
    else:
        console.print(f"{corpus}: no year is scored, all are burn-in.", highlight=False)


def _show_years(corpus: str, rows: Sequence[Row], console: Console) -> None:
    found = [row for row in rows if row["measure"] == evaluation.DEGREE_MATCHED]
    years = sorted({row["year"] for row in found if row["year"] is not None})
    lines = [(str(year), *_three(found, year=year)) for year in years]
    if lines:
        title = f"{corpus} by year: real against {WAYS_IN_WORDS[evaluation.DEGREE_MATCHED]} (AUC)"
        _print(console, title, ["year", "documents", "block model", "mean PMI", "lead"], lines)


def _show_scores(corpus: str, rows: Sequence[Row], console: Console) -> None:
    lines = []
    for row in rows:
        measure, group, scorer = row["measure"], row["group"], row["scorer"]
        is_field_check = measure in (evaluation.HIGHLY_CITED, evaluation.AWARDED)
        if measure in WAYS_IN_WORDS or (is_field_check and group is not None):
            continue
        if measure == evaluation.SCORED:
            words = "scored" if group == "scored" else f"not scored: {group.replace('_', ' ')}"
        elif measure == evaluation.BY_SIZE:
            words = f"{MEASURES_IN_WORDS[measure]}: {group}"
        elif measure in (evaluation.REPRODUCED, evaluation.REPEATED):
            words = MEASURES_IN_WORDS[measure]
        else:
            words = f"{scorer.replace('_', ' ')}: {MEASURES_IN_WORDS[measure]}"
        of_all = "" if row["others"] is None else f" of {row['documents'] + row['others']:,}"
        lines.append((words, f"{row['documents']:,}{of_all}", _with_interval(row, " ")))
    _print(console, f"{corpus}: the scores", ["what", "documents", "figure"], lines)


def _three(rows: Sequence[Row], *, year: int | None) -> tuple[str, ...]:
    """Return the documents and the figures of the block model, its rival, and the lead."""
    of_year = {row["scorer"]: row for row in rows if row["year"] == year}
    figures = (_with_interval(of_year[scorer], "\n") for scorer in (BLOCK, PMI, LEAD))
    return f"{of_year[BLOCK]['documents']:,}", *figures


def _print(
    console: Console, title: str, names: Sequence[str], lines: Sequence[Sequence[str]]
) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", padding=(0, 0, 0, 1))
    table.add_column(names[0], overflow="fold")
    for name in names[1:]:
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    console.print(table, highlight=False, markup=False)


def _with_interval(row: Row, between: str) -> str:
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


def _corpora(measured: pa.Table) -> list[str]:
    found = set(measured.column("corpus").to_pylist())
    return [corpus for corpus in evaluation.CORPORA if corpus in found]


# ---------------------------------------------------------------- plots


def area_plot(measured: pa.Table) -> bytes | None:
    """
    Plot how often a real document surprises less than one of keywords dealt anew, by year, as PNG.

    Parameters
    ----------
    measured
        Rows of :data:`novelty_evaluation.EVALUATION`; a panel for each corpus. Equal rows give
        equal bytes.

    Returns
    -------
    bytes | None
        None where there is nothing to show.
    """
    lines = (
        (evaluation.DEGREE_MATCHED, BLOCK, "tab:blue", "block model"),
        (evaluation.DEGREE_MATCHED, PMI, "tab:orange", "mean PMI"),
        (evaluation.SHUFFLED, BLOCK, "0.6", "block model, keywords shuffled"),
    )

    def draw(axes: Axes, rows: list[Row]) -> None:
        for measure, scorer, colour, label in lines:
            line = [row for row in rows if (row["measure"], row["scorer"]) == (measure, scorer)]
            years, values, low, high = (
                [row[name] for row in line] for name in ("year", "value", "low", "high")
            )
            axes.plot(years, values, marker="o", markersize=3, color=colour, label=label)
            axes.fill_between(years, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.axhline(0.5, color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel="year", ylabel="AUC", ylim=(0.4, 1.0))
        axes.locator_params(axis="x", integer=True)
        axes.legend(fontsize="small", loc="best")

    measures = pa.array([evaluation.DEGREE_MATCHED, evaluation.SHUFFLED])
    is_shown = pc.is_in(measured.column("measure"), measures)
    return _panels(measured.filter(pc.and_(is_shown, pc.is_valid(measured.column("year")))), draw)


def size_plot(measured: pa.Table) -> bytes | None:
    """Plot the mean novelty by number of known keywords, as :func:`area_plot` does."""

    def draw(axes: Axes, rows: list[Row]) -> None:
        places = range(len(rows))
        axes.errorbar(places, _values(rows), yerr=_errors(rows), fmt="o", markersize=4, capsize=2)
        labels = [f"{row['group']}\n{row['documents']:,}" for row in rows]
        axes.set_xticks(places, labels, fontsize="small")
        axes.axhline(0.5, color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel="known keywords, and documents", ylabel="mean novelty", ylim=(0, 1))

    return _panels(measured.filter(pc.equal(measured.column("measure"), evaluation.BY_SIZE)), draw)


def field_plot(measured: pa.Table) -> bytes | None:
    """Plot how much more novel the most cited tenth is, by venue, as :func:`area_plot` does."""

    def draw(axes: Axes, rows: list[Row]) -> None:
        overall, *venues = rows
        venues = sorted(venues, key=lambda row: (-row["documents"] - row["others"], row["group"]))
        venues = sorted(venues[:MOST_VENUES_IN_A_PLOT], key=lambda row: row["group"])
        shown = [*reversed(venues), overall]
        places = range(len(shown))
        axes.errorbar(_values(shown), places, xerr=_errors(shown), fmt="o", markersize=4, capsize=2)
        labels = [
            f"{row['group'] or 'all venues'} ({row['documents'] + row['others']:,})"
            for row in shown
        ]
        axes.set_yticks(places, labels, fontsize="small")
        axes.axvline(0, color="0.8", linewidth=1, zorder=0)
        axes.set(xlabel="novelty percentile, most cited tenth less others")

    is_shown = pc.and_(
        pc.equal(measured.column("measure"), evaluation.HIGHLY_CITED),
        pc.equal(measured.column("scorer"), evaluation.PERCENTILE),
    )
    rows = measured.filter(is_shown)
    most = max(rows.column("corpus").value_counts().field("counts").to_pylist(), default=0)
    return _panels(rows, draw, height=1.5 + 0.2 * min(most, MOST_VENUES_IN_A_PLOT + 1))


def _values(rows: Sequence[Row]) -> list[float]:
    return [row["value"] for row in rows]


def _errors(rows: Sequence[Row]) -> list[list[float]]:
    """Return how far intervals reach to either side; nothing where there is none."""
    return [
        [0.0 if row[end] is None else abs(row[end] - row["value"]) for row in rows]
        for end in ("low", "high")
    ]


def _panels(
    rows: pa.Table, draw: Callable[[Axes, list[Row]], None], *, height: float = 4.0
) -> bytes | None:
    """Return a PNG with a panel for each corpus; None without rows."""
    # Not pyplot: it keeps figures, and looks for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    corpora = _corpora(rows)
    if not corpora:
        return None
    columns = min(2, len(corpora))
    lines = -(-len(corpora) // columns)
    figure = Figure(figsize=(6 * columns, height * lines), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel in panels[len(corpora) :]:
        panel.set_axis_off()
    for panel, corpus in zip(panels, corpora, strict=False):
        draw(panel, [row for row in rows.to_pylist() if row["corpus"] == corpus])
        panel.set_title(corpus.replace("_", " "))
    written = io.BytesIO()
    # Without the version of the library, which would differ where nothing else does.
    canvas.print_png(written, metadata={"Software": None})
    return written.getvalue()
