"""Judge linking by known pairs, from a warehouse's own build or from a file."""

from __future__ import annotations

import csv
import glob
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from python_steps import tables
from python_steps.building.project_sql import StagingSql
from python_steps.errors import InputError
from python_steps.linking import measures, ranking
from python_steps.linking.report import Judged
from python_steps.sources.archives import unpack
from python_steps.sources.findings import form_of
from python_steps.sources.locations import absolute, list_files
from python_steps.sources.preview import read_head, records_of
from python_steps.sources.systems import Source, source_of
from python_steps.warehouse.opening import opened

if TYPE_CHECKING:
    import duckdb

    from python_steps.warehouse.places import Tables


# What a build without links leaves empty, and one of an older version does not know.
OF_A_BUILD = {
    "given": ("marts", "links_given"),
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
    :func:`python_steps.linking.ranking.rank` says.

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

    needs = tuple(OF_A_BUILD.values()) if links is None else READ
    with (
        opened(tables_of_warehouse, needs) as connection,
        tempfile.TemporaryDirectory(prefix="deepinnovation") as folder,
    ):
        try:
            if links is None:
                return _judged_in_build(connection, variables)
            source = unpack(source_of(project, "links", "tables", (absolute(links),)), Path(folder))
            names = tables_of_warehouse.relations()
            return _judge_file(connection, names, source, links, project, variables)
        except duckdb.CatalogException as error:
            raise InputError(
                "The warehouse lacks what --vars ask for: give those that it was built with, or "
                f"build it again. DuckDB says: {str(error).splitlines()[0]}"
            ) from error
        except duckdb.Error as error:
            remedy = (
                "What the warehouse knows of its links cannot be read: build it again."
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
    given = connection.sql(f"from {names['given']} order by all").to_arrow_table()
    baseline = variables["compared_space"]
    if measured.num_rows:
        # The fusion of all has the longest name, and there the vectors of the pairs come first.
        *spaces, _ = max(measured.column("method").to_pylist(), key=len).split("+")
        if baseline not in spaces:
            raise _of_other_variables(spaces, [baseline])
        baseline = spaces[0]
    return Judged(given, ranked, measured, baseline, calibration)


def _of_other_variables(present: Iterable[str], asked: Iterable[str]) -> InputError:
    present, asked = (" and ".join(sorted(spaces)) for spaces in (present, asked))
    return InputError(
        f"The warehouse holds vectors of {present}, and the variables ask for {asked}: give those "
        "that it was built with, as --vars '{compared_space: keywords}'."
    )


def _judge_file(
    connection: duckdb.DuckDBPyConnection,
    names: set[tuple[str, str]],
    source: Source,
    links: str,
    project: Path,
    variables: Mapping[str, Any],
) -> Judged:
    head = read_head(source, project)
    files = list_files(source).files
    is_empty = not (head.rows_read or head.breaking)
    missing = _missing_in_headers(connection, source, files) if is_empty else head.missing
    problems = [f"{name} is missing, but required." for name in missing]
    if is_empty:
        raise InputError(" ".join([f"{links} contains no links.", *problems]))
    if problems or head.breaking:
        raise InputError(f"{links}: {' '.join([*problems, *head.breaking])}")
    sql = StagingSql(project, variables)
    relations = {name: f"{schema}.{name}" for schema, name in names if schema == "intermediate"}
    documents = f"select * from ({sql.over('int_documents_searched', relations)})"
    # Both spaces where both are asked for, that of the pairs first.
    spaces = [variables["compared_space"], variables["published_space"]]
    spaces = list(dict.fromkeys(spaces))
    found = connection.execute(f"select distinct space from ({documents})").fetchall()
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
    ranked = ranking.rank(
        connection.sql(f"from {relations['int_links_judged']}"),
        connection.sql(documents),
        connection.sql(f"from {relations['int_pairs_ranked']}"),
        stop_words=_stop_words(project),
        spaces=spaces,
        published_space=variables["published_space"],
        minimum_lag=variables["minimum_lag_years"],
        maximum_lag=variables["maximum_lag_years"],
    )
    given = connection.sql(f"from ({sql.over('links_given', relations)}) order by all")
    measured = measures.measure(ranked, baseline=spaces[0], draws=variables["bootstrap_draws"])
    return Judged(given.to_arrow_table(), ranked, measured, spaces[0])


def _keep(
    connection: duckdb.DuckDBPyConnection, relations: dict[str, str], name: str, sql: str
) -> None:
    """Compute a relation into a table of this connection alone, and say where it is."""
    relations[name] = f"temp.given_{name}"
    connection.execute(f"create temp table given_{name} as {sql}")


def _missing_in_headers(
    connection: duckdb.DuckDBPyConnection, source: Source, files: Iterable[Path]
) -> list[str]:
    """Return what CSV files without rows lack to be ones of links; nothing of other formats."""
    tables_of_csv = [glob.escape(str(file)) for file in files if form_of(file) == "csv"]
    if not tables_of_csv:
        return []
    names = connection.read_csv(tables_of_csv, header=True, all_varchar=True).columns
    return [name for (name,) in source.delivery.required if name not in names]


def _kinds(connection: duckdb.DuckDBPyConnection, project: Path) -> str:
    path = str(project / "seeds" / "reference" / "link_kinds.csv").replace("'", "''")
    return f"select kind, kind_priority, is_same from read_csv('{path}')"


def _stop_words(project: Path) -> list[str]:
    path = project / "seeds" / "reference" / "stop_words.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return sorted({row["stop_word"] for row in csv.DictReader(lines)})
