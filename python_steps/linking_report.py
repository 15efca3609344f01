"""What `deepinnovation evaluate linking` reads from a warehouse, tells, plots and writes."""

from __future__ import annotations

import csv
import glob
import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from python_steps import confidence, linking, tables
from python_steps.heads import FORMS, read_head, records_of
from python_steps.sources import InputError, Source, absolute, list_files, unpack
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
    ("intermediate", "int_documents_compared"),
    ("intermediate", "int_documents_decided"),
    ("intermediate", "int_documents_unioned"),
    ("intermediate", "int_pairs_ranked"),
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
    linking.NOT_DRAWN: "there are enough of its kind (judged_links)",
}
HEADINGS = {"hit_at_1": "hit@1", "hit_at_10": "hit@10", "mean_reciprocal_rank": "MRR"}
MOST_EXAMPLES = 3
PLOTTED_RANKS = 50
PLOTTED_KINDS = 6

# One row per link as it was given: whether it is judged, and why not.
GIVEN = """
    select distinct
        links.record_file,
        links.row_of_file as record_row,
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
    from (
        select *, record_row - min(record_row) over (partition by record_file) + 1 as row_of_file
        from {links}
    ) as links
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
        Each link: `record_file`, `record_row` (in its file, from 1), `paper_record_id`,
        `patent_record_id`, `kind`, `paper_id`, `patent_id`, and `reason`, null where it is judged.
    ranked
        Rows of :data:`tables.LINKS_RANKED`.
    measured
        Rows of :data:`tables.LINKING_QUALITY`.
    baseline
        The method that others are held against, and floors are about: the vectors that pairs are
        found by.
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
        Those that the warehouse was built with. Of its own links, what it was built with counts.

    Raises
    ------
    InputError
        When the links or the warehouse cannot be read, there are no links, or the warehouse lacks
        what is needed or was built with other variables.
    """
    import duckdb

    from python_steps.failures import explain_warehouse

    try:
        there = tables_of_warehouse.relations()
        needed = OF_A_BUILD.values() if links is None else READ
        lacking = [".".join(each) for each in needed if there is not None and each not in there]
        if lacking:
            raise InputError(
                f"The warehouse holds no {lacking[0]}: build it, by `deepinnovation build`."
            )
        connection = tables_of_warehouse.connect()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), tables_of_warehouse.path)) from error
    with connection, tempfile.TemporaryDirectory(prefix="deepinnovation") as folder:
        try:
            if links is None:
                return _judged_in_build(connection, variables)
            source = unpack(Source("links", "tables", (absolute(links),)), Path(folder))
            return _judge_file(connection, there, source, links, project, variables)
        except duckdb.CatalogException as error:
            raise InputError(
                "The warehouse lacks what --vars ask for: give those that it was built with, or "
                f"build it anew. DuckDB says: {str(error).splitlines()[0]}"
            ) from error
        except duckdb.Error as error:
            remedy = (
                "What the warehouse knows of its links cannot be read: build it anew."
                if links is None
                else f"The links of {links} cannot be judged: see that every file there is one of "
                "links, and that --vars are those that the warehouse was built with."
            )
            raise InputError(f"{remedy} DuckDB says: {str(error).splitlines()[0]}") from error


def _judged_in_build(connection: duckdb.DuckDBPyConnection, variables: Mapping[str, Any]) -> Judged:
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
    baseline = variables["embedding_text"]
    if measured.num_rows:
        # The fusion of all has the longest name, and there the vectors of the pairs come first.
        *spaces, _ = max(measured.column("method").to_pylist(), key=len).split("+")
        if baseline not in spaces:
            raise _of_other_variables(spaces, [baseline])
        baseline = spaces[0]
    return Judged(given, ranked, measured, baseline, calibration)


def _of_other_variables(there: Iterable[str], asked: Iterable[str]) -> InputError:
    there, asked = (" and ".join(sorted(spaces)) for spaces in (there, asked))
    return InputError(
        f"The warehouse holds vectors of {there}, and the variables ask for {asked}: give those "
        "that it was built with, as --vars '{embedding_text: keywords}'."
    )


def _judge_file(
    connection: duckdb.DuckDBPyConnection,
    there: set[tuple[str, str]],
    source: Source,
    links: str,
    project: Path,
    variables: Mapping[str, Any],
) -> Judged:
    head = read_head(source, project)
    files = list_files(source).files
    is_empty = not (head.rows_read or head.breaking)
    missing = _missing_in_headers(connection, files) if is_empty else head.missing
    told = [f"{name}, which every link needs, is missing." for name in missing]
    if is_empty:
        raise InputError(" ".join([f"{links} holds no links.", *told]))
    if told or head.breaking:
        raise InputError(f"{links}: {' '.join([*told, *head.breaking])}")
    sql = StagingSql(project, variables)
    relations = {name: f"{schema}.{name}" for schema, name in there if schema == "intermediate"}
    documents = f"select * from ({sql.over('int_documents_searched', relations)})"
    # Both spaces where both are asked for, that of the pairs first.
    spaces = [variables["embedding_text"], variables["published_embedding_text"]]
    spaces = list(dict.fromkeys(spaces))
    found = connection.execute(f"select distinct embedding_text from ({documents})").fetchall()
    if found and {space for (space,) in found} != set(spaces):
        raise _of_other_variables((space for (space,) in found), spaces)
    # In the order of reading; each a table, so that it is computed once.
    _keep(connection, relations, "link_kinds", _kinds(connection, project))
    _keep(connection, relations, "delivered", records_of(sql, files))
    _keep(
        connection,
        relations,
        "stg_tables__links",
        sql.model("stg_tables__links", relations["delivered"]),
    )
    for name in ("int_links_imported", "int_links_resolved", "int_links_judged"):
        _keep(connection, relations, name, sql.over(name, relations))
    ranked = linking.rank(
        connection.sql(f"from {relations['int_links_judged']}"),
        connection.sql(documents),
        connection.sql(f"from {relations['int_pairs_ranked']}"),
        stop_words=_stop_words(project),
        spaces=spaces,
        published_space=variables["published_embedding_text"],
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


def _missing_in_headers(connection: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> list[str]:
    """Return what CSV files without rows lack to be ones of links; nothing of other formats."""
    tables_of_csv = [glob.escape(str(file)) for file in files if ".csv" in file.suffixes]
    if not tables_of_csv:
        return []
    names = connection.read_csv(tables_of_csv, header=True, all_varchar=True).columns
    return [name for (name,) in FORMS["links", "tables"].required if name not in names]


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
        Rows of :data:`tables.LINKS_RANKED`; a panel for all that are the same where these are of
        two kinds or more, and one for each of the largest kinds; a line for each way of comparing
        that ranks all patents. Equal rows give equal bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [row for row in ranked.to_pylist() if row["reranked_candidates"] is None]
    panels = _panels(rows)
    methods = list(dict.fromkeys(row["method"] for row in sorted(rows, key=_place)))
    figure = Figure(figsize=(4 * len(panels) + 2.5, 4), layout="constrained")
    canvas = FigureCanvasAgg(figure)
    places = range(1, PLOTTED_RANKS + 1)
    for number, (kind, members) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), number)
        for method in methods:
            ranks = [row["rank"] for row in members if row["method"] == method]
            held = Counter(rank for rank in ranks if rank is not None)
            shares = [sum(held[each] for each in range(1, k + 1)) / len(ranks) for k in places]
            axes.step(list(places), shares, where="post", label=method)
        # A kind is anybody's text, and what stands between two dollar signs need not be a formula.
        title = f"{kind}: {len(ranks):,} pairs"
        axes.set_title(title, fontsize="medium", parse_math=False)
        axes.set(xscale="log", xlim=(1, PLOTTED_RANKS), ylim=(0, 1.02), xlabel="patents looked at")
        axes.set_xticks([1, 2, 5, 10, 20, PLOTTED_RANKS], ["1", "2", "5", "10", "20", "50"])
        if number == 1:
            axes.set_ylabel("right patent among them")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    picture = io.BytesIO()
    canvas.print_png(picture, metadata={"Software": None})
    return picture.getvalue()


def _panels(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each panel, by the name of it."""
    counts = Counter(row["kind"] for row in rows)
    largest = sorted(counts, key=lambda kind: (-counts[kind], kind))[:PLOTTED_KINDS]
    same = [row for row in rows if row["is_same"]]
    together = {linking.ALL_SAME: same} if len({row["kind"] for row in same}) > 1 else {}
    return together | {
        kind: [row for row in rows if row["kind"] == kind] for kind in sorted(largest)
    }


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
