"""What `deepinnovation evaluate linking` reads from a warehouse, tells, plots and writes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from python_steps import confidence, linking, tables
from python_steps.heads import read_head, records_of
from python_steps.sources import InputError, Source, absolute, list_files
from python_steps.staging import StagingSql

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

    from python_steps.warehouse import Tables

# What a build without links leaves empty, and one of an older version does not know.
OF_A_BUILD = {
    "links": ("staging", "stg_tables__links"),
    "imported": ("intermediate", "int_links_imported"),
    "judged": ("intermediate", "int_links_judged"),
    "ranked": ("intermediate", "int_links_ranked"),
    "measured": ("marts", "linking_quality"),
    "calibration": ("marts", "similarity_calibration"),
}
# What the links of a file are judged by.
READ = (
    ("intermediate", "int_documents_decided"),
    ("intermediate", "int_documents_unioned"),
    ("intermediate", "int_encoders_loaded"),
    ("intermediate", "int_papers_identified"),
    ("intermediate", "int_patents_identified"),
)

# Why pairs are not judged, with what may be done.
REASONS = {
    "malformed_record": "the row cannot be read",
    "missing_identifier": "the row lacks a paper_id or a patent_id",
    "unknown_paper": "the warehouse has no such paper",
    "unknown_patent": "the warehouse has no such patent",
    "paper_not_ai": "the paper is not AI, or was not assessed",
    "patent_not_ai": "the patent is not AI, or was not assessed",
    "paper_without_year": "the paper has no year",
    "patent_without_year": "the patent has no year",
    "paper_without_vector": "the paper has no vector",
    "patent_without_vector": "the patent has no vector",
    "patent_too_early": "the patent is earlier than the paper, or than the least lag",
    "patent_too_late": "the patent is later than the largest lag",
    "not_drawn": "there are enough of its kind (judged_links)",
}
HEADINGS = {"hit_at_1": "hit@1", "hit_at_10": "hit@10", "mean_reciprocal_rank": "MRR"}
MOST_EXAMPLES = 3
PLOTTED_RANKS = 50

# One row per link as it was given: whether it is judged, and why not.
GIVEN = """
    select distinct
        links.record_file,
        links.record_row,
        links.paper_record_id,
        links.patent_record_id,
        links.kind,
        imported.paper_id,
        imported.patent_id,
        coalesce(
            links.rejection_reason,
            case
                when imported.paper_id is null then 'unknown_paper'
                when imported.patent_id is null then 'unknown_patent'
            end,
            judged.reason
        ) as reason
    from {links} as links
    left join {imported} as imported using (record_file, record_row)
    left join {judged} as judged
        on imported.paper_id = judged.paper_id and imported.patent_id = judged.patent_id
    order by all
"""


@dataclass(frozen=True)
class Judged:
    """
    What known pairs say of the linking of a warehouse.

    Attributes
    ----------
    given
        Each link: `record_file`, `record_row` (among all rows), `paper_record_id`,
        `patent_record_id`, `kind`, `paper_id`, `patent_id`, and `reason`, null where it is judged.
    ranked
        Rows of :data:`tables.LINKS_RANKED`.
    measured
        Rows of :data:`tables.LINKING_QUALITY`.
    baseline
        The method that others are held against, and floors are about.
    calibration
        Rows of :data:`tables.CALIBRATION_CHECK`, which a build makes; None of a file's links.
    """

    given: pa.Table
    ranked: pa.Table
    measured: pa.Table
    baseline: str
    calibration: pa.Table | None = None


# ---------------------------------------------------------------- reading


def judge(
    tables_of_warehouse: Tables,
    links: str | None,
    *,
    project: Path,
    variables: Mapping[str, Any],
) -> Judged:
    """
    Judge the linking of a warehouse by known pairs.

    Those of the warehouse were judged when it was built: that is read. Those of a file are named,
    chosen, ranked and measured by the same SQL and the same steps as in a build; that costs what
    :func:`linking.rank` says.

    Parameters
    ----------
    tables_of_warehouse
        The warehouse.
    links
        A file, folder or glob of links, as a build takes them; None: those of the warehouse.
    project
        Folder of dbt_project.yml.
    variables
        Those that the warehouse was built with.

    Raises
    ------
    InputError
        When the links or the warehouse cannot be read, or the latter lacks what is needed.
    """
    import duckdb

    from python_steps.failures import explain_warehouse

    baseline = variables["embedding_text"]
    try:
        there = tables_of_warehouse.relations()
        needed = READ if links else OF_A_BUILD.values()
        lacking = [".".join(each) for each in needed if there is not None and each not in there]
        if lacking:
            raise InputError(
                f"The warehouse holds no {lacking[0]}: build it, by `deepinnovation build`."
            )
        connection = tables_of_warehouse.connect()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), tables_of_warehouse.path)) from error
    with connection:
        if links is None:
            return _judged_in_build(connection, baseline)
        try:
            return _judge_file(connection, there, links, project, variables)
        except duckdb.CatalogException as error:
            raise InputError(
                "The warehouse lacks what --vars ask for: give those that it was built with, or "
                f"build it anew. DuckDB says: {str(error).splitlines()[0]}"
            ) from error
        except duckdb.Error as error:
            raise InputError(
                f"The links of {links} cannot be judged: see that every file there is one of "
                "links, and that --vars are those that the warehouse was built with. DuckDB says: "
                f"{str(error).splitlines()[0]}"
            ) from error


def _judged_in_build(connection: duckdb.DuckDBPyConnection, baseline: str) -> Judged:
    names = {name: ".".join(relation) for name, relation in OF_A_BUILD.items()}
    ranked, measured, calibration = (
        connection.sql(f"select {', '.join(schema.names)} from {names[name]} order by all")
        .to_arrow_table()
        .cast(schema)
        for name, schema in (
            ("ranked", tables.LINKS_RANKED),
            ("measured", tables.LINKING_QUALITY),
            ("calibration", tables.CALIBRATION_CHECK),
        )
    )
    given = connection.sql(GIVEN.format(**names)).to_arrow_table()
    methods = set(measured.column("method").to_pylist())
    if methods and baseline not in methods:
        raise InputError(
            f"The warehouse was not built with vectors of {baseline}: give the variables that it "
            "was built with, as --vars '{embedding_text: keywords}'."
        )
    return Judged(given, ranked, measured, baseline, calibration)


def _judge_file(
    connection: duckdb.DuckDBPyConnection,
    there: set[tuple[str, str]],
    links: str,
    project: Path,
    variables: Mapping[str, Any],
) -> Judged:
    source = Source("links", "tables", (absolute(links),))
    head = read_head(source, project)
    told = [f"{name}, which every link needs, is missing." for name in head.missing]
    if told or head.breaking:
        raise InputError(f"{links}: {' '.join([*told, *head.breaking])}")
    sql = StagingSql(project, variables)
    relations = {name: f"{schema}.{name}" for schema, name in there if schema == "intermediate"}
    # The views of a warehouse read its own links: read through their SQL, they read these.
    for name in ("int_papers_linked", "int_links_judged", "int_links_resolved"):
        relations.pop(name, None)
    # In the order of reading; each a table, so that it is computed once.
    _keep(connection, relations, "link_kinds", _kinds(connection, project))
    _keep(connection, relations, "delivered", records_of(sql, list_files(source).files))
    _keep(
        connection,
        relations,
        "stg_tables__links",
        sql.model("stg_tables__links", relations["delivered"]),
    )
    for name in ("int_links_imported", "int_links_resolved", "int_links_judged"):
        _keep(connection, relations, name, sql.over(name, relations))
    # Both spaces where both are asked for, that of the pairs first.
    spaces = [variables["embedding_text"], variables["published_embedding_text"]]
    spaces = list(dict.fromkeys(spaces))
    _keep(connection, relations, "papers", sql.over("int_papers_linked", relations))
    documents = f"select * from ({sql.over('int_documents_searched', relations)})"
    ranked = linking.rank(
        connection.sql(f"from {relations['int_links_judged']} where reason is null"),
        connection.sql(f"from {relations['papers']}"),
        connection.sql(f"{documents} where document_type = 'patent'"),
        stop_words=_stop_words(project),
        spaces=spaces,
        minimum_lag=variables["minimum_lag_years"],
        maximum_lag=variables["maximum_lag_years"],
    )
    names = {"links": "stg_tables__links"}
    names |= {name: f"int_links_{name}" for name in ("imported", "judged")}
    given = GIVEN.format(**{name: relations[model] for name, model in names.items()})
    measured = linking.measure(ranked, baseline=spaces[0], draws=variables["bootstrap_draws"])
    return Judged(connection.sql(given).to_arrow_table(), ranked, measured, spaces[0])


def _keep(
    connection: duckdb.DuckDBPyConnection, relations: dict[str, str], name: str, sql: str
) -> None:
    """Compute a relation into a table of this connection alone, and say where it is."""
    relations[name] = f"temp.given_{name}"
    connection.execute(f"create temp table given_{name} as {sql}")


def _kinds(connection: duckdb.DuckDBPyConnection, project: Path) -> str:
    path = str(project / "seeds" / "reference" / "link_kinds.csv").replace("'", "''")
    return f"select kind, kind_priority, is_same from read_csv('{path}')"


def _stop_words(project: Path) -> list[str]:
    path = project / "seeds" / "reference" / "stop_words.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return sorted({row["stop_word"] for row in csv.DictReader(lines)})


# ---------------------------------------------------------------- telling


def refused(judged: Judged) -> list[str]:
    """Tell, in a sentence for each reason, which links could not be judged, and the first few."""
    by_reason: dict[str, list[dict[str, Any]]] = {}
    for row in judged.given.to_pylist():
        if row["reason"]:
            by_reason.setdefault(row["reason"], []).append(row)
    told = []
    for reason, rows in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        first = ", ".join(
            f"{row['paper_record_id'] or '?'} – {row['patent_record_id'] or '?'} "  # noqa: RUF001
            f"({Path(row['record_file']).name}, row {row['record_row']})"
            for row in rows[:MOST_EXAMPLES]
        )
        more = ", …" if len(rows) > MOST_EXAMPLES else ""
        told.append(f"{len(rows):,} not judged, {REASONS[reason]}: {first}{more}.")
    return told


def below(judged: Judged, floors: Sequence[tuple[str, float]]) -> list[str]:
    """Tell, in a sentence each, what known pairs of the same invention miss of floors."""
    found = [
        row
        for row in judged.measured.to_pylist()
        if row["kind"] == linking.ALL_SAME
        and row["method"] == judged.baseline
        and row["reranked_candidates"] is None
    ]
    if floors and not found:
        return ["There are no known pairs of the same invention to judge, so no floor is reached."]
    return [
        f"{name} of {judged.baseline} is {found[0][name]:.3f} on {found[0]['pairs']:,} pairs, and "
        f"must be at least {value:g}."
        for name, value in floors
        if found[0][name] < value
    ]


def show(judged: Judged, console: Console) -> None:
    """Print a table for each kind, 95 % intervals below the values, and what was not judged."""
    from rich.table import Table

    given = judged.given.num_rows
    if not given:
        console.print(
            "No known pairs: name a file with --links FILE, or build with it.", soft_wrap=True
        )
    for kind in _kinds_in_order(judged.measured):
        rows = [row for row in judged.measured.to_pylist() if row["kind"] == kind]
        some = rows[0]
        what = "all that are the same" if kind == linking.ALL_SAME else kind.replace("_", " ")
        meaning = {True: "", False: ", another invention: lower is better"}
        title = (
            f"{what}{meaning.get(some['is_same'], ', the same or not')}: {some['pairs']:,} pairs "
            f"of {some['papers']:,} papers, each among {some['eligible_patents']:,.0f} patents"
        )
        table = Table(title=title, title_justify="left", show_lines=True, padding=(0, 0, 0, 1))
        table.add_column("ranked by", overflow="fold")
        for heading in (*HEADINGS.values(), f"MRR less that\nof {judged.baseline}"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in sorted(rows, key=lambda row: _place(row, judged.baseline)):
            gain = "" if row["method"] == judged.baseline else _number(row, _GAIN, "+.3f")
            values = (_number(row, name, ".3f") for name in HEADINGS)
            table.add_row(_in_words(row), *values, gain)
        console.print(table, highlight=False, markup=False)
    for sentence in refused(judged):
        console.print(sentence, highlight=False, markup=False, soft_wrap=True)


_GAIN = "mean_reciprocal_rank_gain"


def write(judged: Judged, folder: Path) -> list[Path]:
    """Write figures, ranks and what was not judged as CSV, and plots as PNG; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    not_judged = judged.given.filter(pc.is_valid(judged.given.column("reason")))
    files = {
        "linking_quality.csv": judged.measured,
        "linking_ranks.csv": judged.ranked,
        "links_not_judged.csv": not_judged,
    }
    plots = {"linking.png": plot(judged.ranked) if judged.ranked.num_rows else None}
    if judged.calibration is not None:
        files["similarity_calibration.csv"] = judged.calibration
        plots["similarity_calibration.png"] = confidence.calibration_plot(judged.calibration)
    for name, table in files.items():
        pyarrow.csv.write_csv(table, folder / name)
    for name, picture in plots.items():
        if picture:
            (folder / name).write_bytes(picture)
    return [folder / name for name in (*files, *(name for name in plots if plots[name]))]


def plot(ranked: pa.Table) -> bytes:
    """
    Plot the share of patents found among the first so many, as PNG.

    Parameters
    ----------
    ranked
        Rows of :data:`tables.LINKS_RANKED`; a panel for each kind, a line for each way of comparing
        that ranks all patents. Equal rows give equal bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in ranked.to_pylist() if row["reranked_candidates"] is None]
    kinds = sorted({row["kind"] for row in rows})
    methods = list(dict.fromkeys(row["method"] for row in sorted(rows, key=_place)))
    figure = Figure(figsize=(4 * len(kinds) + 2.5, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    places = range(1, PLOTTED_RANKS + 1)
    for number, kind in enumerate(kinds, start=1):
        axes = figure.add_subplot(1, len(kinds), number)
        for method in methods:
            ranks = [r["rank"] for r in rows if r["kind"] == kind and r["method"] == method]
            held = Counter(rank for rank in ranks if rank is not None)
            shares = [sum(held[each] for each in range(1, k + 1)) / len(ranks) for k in places]
            axes.step(list(places), shares, where="post", label=method)
        axes.set_title(f"{kind}: {len(ranks):,} pairs", fontsize="medium")
        axes.set(xscale="log", xlim=(1, PLOTTED_RANKS), ylim=(0, 1.02), xlabel="patents looked at")
        axes.set_xticks([1, 2, 5, 10, 20, PLOTTED_RANKS], ["1", "2", "5", "10", "20", "50"])
        if number == 1:
            axes.set_ylabel("right patent among them")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    picture = io.BytesIO()
    canvas.print_png(picture, metadata={"Software": None})
    return picture.getvalue()


@contextmanager
def progress(console: Console) -> Iterator[None]:
    """Show that work is under way."""
    with console.status("Ranking the patents of known pairs"):
        yield


def _kinds_in_order(measured: pa.Table) -> list[str]:
    """Return the kinds by name, at the top all that are the same where these are of two or more."""
    same = measured.filter(pc.fill_null(measured.column("is_same"), False))
    count = len(set(same.column("kind").to_pylist()) - {linking.ALL_SAME})
    kinds = sorted(set(measured.column("kind").to_pylist()) - {linking.ALL_SAME})
    return [linking.ALL_SAME, *kinds] if count > 1 else kinds


def _place(row: Mapping[str, Any], baseline: str | None = None) -> tuple[object, ...]:
    """Order ways of comparing: the baseline, single ones, fused ones, those in another order."""
    method = row["method"]
    reranked = row["reranked_candidates"] or 0
    return reranked > 0, method != baseline, method.count("+"), method, reranked


def _in_words(row: Mapping[str, Any]) -> str:
    reranked = row["reranked_candidates"]
    words = row["method"].replace("_", " ").replace("+", " + ")
    return words if reranked is None else f"{words}, nearest {reranked} only"


def _number(row: Mapping[str, Any], name: str, form: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    between = " to " if form.startswith("+") else "–"  # noqa: RUF001
    return f"{row[name]:{form}}\n{low:{form}}{between}{high:{form}}"
