"""`deepinnovation query`: run one SQL query on a warehouse."""

import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from python_steps.command_line.console import print_rows
from python_steps.command_line.options import (
    chosen_warehouse,
    debug_option,
    warehouse_option,
)
from python_steps.errors import WRONG_USAGE
from python_steps.warehouse.opening import opened
from python_steps.warehouse.places import Tables, tables_at

if TYPE_CHECKING:
    import duckdb

MOST_ROWS_ON_SCREEN = 40
READABLE_SCHEMAS = ("marts", "publication", "reference")  # need no prefix in a query


class QueryError(click.ClickException):
    """SQL that DuckDB refuses."""

    exit_code = WRONG_USAGE


def _form_of_output(context: click.Context, _: click.Parameter, form: str | None) -> str:
    """Return the format, by default that of the ending of --output."""
    output = context.params.get("output")
    if output is not None and form is None:
        ending = output.suffix.lower().removeprefix(".")
        form = ending if ending in ("csv", "json", "parquet") else "table"
    form = form or "table"
    if output is not None and form == "table":
        raise click.UsageError("--output needs --format csv, json or parquet.")
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs --output FILE.")
    return form


@click.command()
@click.argument("sql")
@warehouse_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    help="File to write instead of the screen.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    callback=_form_of_output,
    help="json: one object per line.  [default: the ending of --output, else table]",
)
@click.option("--limit", type=click.IntRange(min=0), help="Maximum number of rows.")
@debug_option
def query_command(
    sql: str, warehouse: str | None, form: str, output: Path | None, limit: int | None
) -> None:
    """Run one SQL query on the warehouse, read-only.

    Tables of the schemas marts, publication and reference need no prefix. A
    folder built by Spark is read without Spark, but its views are not available.
    Rows too wide for the screen are printed as records, one column per line, with
    long values cut; csv, json and parquet hold everything.

    \b
    For example:
      deepinnovation query "from papers limit 2"
      deepinnovation query \\
          "select year, count(*) from papers group by all"
      deepinnovation query "from paper_patent_pairs" --format csv > pairs.csv
      deepinnovation query "from papers where is_ai" --output ai.parquet
      deepinnovation query "from papers limit 5" --warehouse warehouse.spark
    """
    import duckdb

    tables = tables_at(chosen_warehouse(warehouse), os.environ)
    with opened(tables) as connection:
        _search_readable_schemas(connection)
        try:
            _refuse_all_but_one_query(sql)
            relation = connection.sql(sql)
            if relation is None:
                raise QueryError("Only a query that returns rows is allowed, such as select.")
            relation = relation if limit is None else relation.limit(limit)
            if form == "table":
                _print_first(relation, MOST_ROWS_ON_SCREEN if limit is None else limit)
            else:
                _copy(connection, relation, form, output)
        except duckdb.Error as error:
            raise QueryError(_explain(error, connection, tables)) from error


def _refuse_all_but_one_query(sql: str) -> None:
    """Refuse COPY and EXPORT, which write files even from a read-only warehouse."""
    import duckdb

    kinds = duckdb.StatementType
    statements = duckdb.extract_statements(sql)
    reads = (kinds.SELECT, kinds.EXPLAIN, kinds.PRAGMA, kinds.MULTI)
    if len(statements) != 1 or statements[0].type not in reads:
        raise QueryError(
            "One query that returns rows is allowed, such as select: the warehouse is read-only. "
            "To write a file, use --output."
        )


def _search_readable_schemas(connection: "duckdb.DuckDBPyConnection") -> None:
    """Let tables of the readable schemas go without a prefix."""
    there = {
        name
        for (name,) in connection.execute("from duckdb_schemas() select schema_name").fetchall()
    }
    schemas = [name for name in READABLE_SCHEMAS if name in there]
    if schemas:
        connection.execute(f"set search_path = '{','.join(schemas)}'")


def _print_first(relation: "duckdb.DuckDBPyRelation", most: int) -> None:
    """Print the first rows, and say so if there are more or values are cut."""
    rows = relation.limit(most + 1).fetchall()
    is_cut = print_rows(relation.columns, rows[:most])
    if len(rows) > most:
        click.echo(f"Only the first {most} rows; --format csv prints all of them.", err=True)
    if is_cut:
        click.echo("Long values are cut (…); --format json prints them in full.", err=True)


def _copy(
    connection: "duckdb.DuckDBPyConnection",
    relation: "duckdb.DuckDBPyRelation",
    form: str,
    output: Path | None,
) -> None:
    """Let DuckDB write rows to a file, or stream them to the standard output."""
    options = {"csv": "format csv, header", "json": "format json", "parquet": "format parquet"}
    if form == "csv":
        relation = _with_lists_as_json(relation)

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


def _with_lists_as_json(relation: "duckdb.DuckDBPyRelation") -> "duckdb.DuckDBPyRelation":
    """Return rows with lists and structs as JSON text, as in the published files."""
    names = (f'"{column.replace(chr(34), chr(34) * 2)}"' for column in relation.columns)
    columns = [
        f"to_json({name}) as {name}" if kind.id in ("list", "array", "struct", "map") else name
        for name, kind in zip(names, relation.types, strict=True)
    ]
    return relation.project(", ".join(columns))


def _explain(error: Exception, connection: "duckdb.DuckDBPyConnection", tables: Tables) -> str:
    """Return DuckDB's message in one line, for a missing table with the names of the others."""
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
            message += " Views, such as those of publication, can be read by Spark only."
    return message
