"""`deepinnovation query`: run one SQL query on a warehouse."""

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from python_steps.command_line.console import print_table
from python_steps.command_line.options import (
    Documented,
    chosen_warehouse,
    debug_option,
    warehouse_option,
)
from python_steps.errors import InputError
from python_steps.warehouse.places import Tables, tables_at

if TYPE_CHECKING:
    import duckdb

MOST_ROWS_ON_SCREEN = 40
READABLE_SCHEMAS = ("marts", "publication", "reference")  # need no prefix in a query


class QueryError(click.ClickException):
    """SQL that DuckDB refuses."""

    exit_code = 2


@click.command(cls=Documented)
@click.argument("sql")
@warehouse_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    help="json: one object a line.  [default: the ending of --output, else table]",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write instead of the screen.",
)
@click.option("--limit", type=click.IntRange(min=0), help="Rows at most.")
@debug_option
def query_command(
    sql: str, warehouse: str | None, form: str | None, output: Path | None, limit: int | None
) -> None:
    """Ask the warehouse in SQL; nothing can be changed.

    Tables of the schemas marts, publication and reference need no prefix. A folder
    that Spark has built is asked without Spark; its views are not there.

    For example:
      deepinnovation query "select year, count(*) from papers group by all"
      deepinnovation query "from paper_patent_pairs" --format csv > pairs.csv
      deepinnovation query "from papers where is_ai" --format parquet --output ai.parquet
      deepinnovation query "from papers limit 5" --warehouse warehouse.spark
    """
    import duckdb

    if output is not None and form is None:
        form = output.suffix.lower().removeprefix(".")
        form = form if form in ("csv", "json", "parquet") else "table"
    form = form or "table"
    if output is not None and form == "table":
        raise click.UsageError("--output needs --format csv, json or parquet.")
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs --output FILE.")
    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    with _open(tables) as connection:
        try:
            _refuse_all_but_one_query(sql)
            relation = connection.sql(sql)
            if relation is None:
                raise QueryError("Only queries that give rows are run, such as select.")
            relation = relation if limit is None else relation.limit(limit)
            if form == "table":
                _print_first(relation, MOST_ROWS_ON_SCREEN if limit is None else limit)
            else:
                _copy(connection, relation, form, output)
        except duckdb.Error as error:
            raise QueryError(_explain(error, connection, tables)) from error


def _refuse_all_but_one_query(sql: str) -> None:
    """Refuse what could write files, as COPY and EXPORT can even where the warehouse cannot."""
    import duckdb

    kinds = duckdb.StatementType
    statements = duckdb.extract_statements(sql)
    reads = (kinds.SELECT, kinds.EXPLAIN, kinds.PRAGMA, kinds.MULTI)
    if len(statements) != 1 or statements[0].type not in reads:
        raise QueryError(
            "One query that gives rows is run, such as select; nothing can be changed, and files "
            "are written with --format and --output."
        )


def _open(tables: Tables) -> "duckdb.DuckDBPyConnection":
    """Open a warehouse for reading, its readable schemas on the search path."""
    import duckdb

    from python_steps.warehouse.opening import explain_warehouse

    try:
        connection = tables.connect()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), tables.path)) from error
    there = {
        name
        for (name,) in connection.execute("from duckdb_schemas() select schema_name").fetchall()
    }
    schemas = [name for name in READABLE_SCHEMAS if name in there]
    if schemas:
        connection.execute(f"set search_path = '{','.join(schemas)}'")
    return connection


def _print_first(relation: "duckdb.DuckDBPyRelation", most: int) -> None:
    """Print rows as a table; of many only the first, and say so."""
    rows = relation.limit(most + 1).fetchall()
    print_table(relation.columns, rows[:most])
    if len(rows) > most:
        click.echo(f"The first {most} rows; --format csv gives all of them.", err=True)


def _copy(
    connection: "duckdb.DuckDBPyConnection",
    relation: "duckdb.DuckDBPyRelation",
    form: str,
    output: Path | None,
) -> None:
    """Let DuckDB write rows to a file, or stream them to the standard output."""
    options = {"csv": "format csv, header", "json": "format json", "parquet": "format parquet"}
    if form == "csv":  # lists as JSON, as in the published files
        columns = [
            f"to_json({name}) as {name}" if kind.id in ("list", "array", "struct", "map") else name
            for name, kind in zip(
                (f'"{column.replace(chr(34), chr(34) * 2)}"' for column in relation.columns),
                relation.types,
                strict=True,
            )
        ]
        relation = relation.project(", ".join(columns))

    def copy(target: str) -> None:
        escaped = target.replace("'", "''")
        connection.execute(f"copy ({relation.sql_query()}) to '{escaped}' ({options[form]})")

    if output is not None:
        copy(str(output.expanduser().resolve()))
        return
    # Through a pipe and not /dev/stdout, which would empty a file that `>>` adds to.
    reading, writing = os.pipe()
    failures: list[Exception] = []

    def write() -> None:
        try:
            copy(f"/dev/fd/{writing}")
        except Exception as error:
            failures.append(error)
        finally:
            os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with os.fdopen(reading, "rb") as rows:
            shutil.copyfileobj(rows, click.get_binary_stream("stdout"))
    finally:
        writer.join()
    if failures:
        raise failures[0]


def _explain(error: Exception, connection: "duckdb.DuckDBPyConnection", tables: Tables) -> str:
    """Return DuckDB's message in one line; of a missing table, with the tables there are."""
    import duckdb

    message = str(error).strip().splitlines()[0]
    if isinstance(error, duckdb.CatalogException) and message.startswith("Catalog Error: Table"):
        found = connection.execute(
            "select table_schema, string_agg(table_name, ', ' order by table_name) "
            "from information_schema.tables group by all order by table_schema"
        ).fetchall()
        named = [f"of {schema}: {names}" for schema, names in found if schema in READABLE_SCHEMAS]
        others = [schema for schema, _ in found if schema not in READABLE_SCHEMAS]
        message += f" Tables {'; '.join(named) or 'of marts: none'}."
        if others:
            message += f" Other schemas: {', '.join(others)} (`show all tables` lists them)."
        if not tables.holds_views:
            message += " Views, as those of publication, only Spark can read here."
    return message
