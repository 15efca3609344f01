"""The command `deepinnovation`.

Imports are kept to the functions that need them: help, and a build with nothing to do, must not
wait for dbt and torch.
"""

import difflib
import inspect
import os
import shutil
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from python_steps.sources import (
    SYSTEMS,
    InputError,
    configured,
    is_address,
    is_sample,
    sample,
    unpack,
)
from python_steps.warehouse import DEFAULT_NAME, Tables, tables_at

if TYPE_CHECKING:
    import duckdb
    from rich.console import Console

UNREADABLE = 3
MAY_NAME_A_FOLDER = ("embedding_model",)  # variables of dbt_project.yml
MOST_ROWS_ON_SCREEN = 40
READABLE_SCHEMAS = ("marts", "publication", "reference")  # need no prefix in a query

Command = TypeVar("Command", bound=Callable[..., Any])


# ---------------------------------------------------------------- shared by the commands


class Workflow(click.Group):
    """The group of commands: tells a user's mistakes in a sentence, without a traceback."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        _write_as_it_stands(self, formatter)

    def invoke(self, context: click.Context) -> object:
        """Run a command; `--debug` shows the traceback of whatever goes wrong."""
        try:
            return super().invoke(context)
        except Exception as error:
            is_told = isinstance(error, InputError) or hasattr(error, "exit_code")
            is_click = isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort)
            if is_click or context.meta.get("debug") or not is_told:
                raise
            click.echo(f"Error: {error}", err=True)
            context.exit(getattr(error, "exit_code", UNREADABLE))


class QueryError(click.ClickException):
    """SQL that DuckDB refuses."""

    exit_code = 2


class Documented(click.Command):
    """A command whose help is its docstring as it stands, so that examples keep their lines."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        _write_as_it_stands(self, formatter)


def _write_as_it_stands(command: click.Command, formatter: click.HelpFormatter) -> None:
    formatter.write(f"\n{textwrap.indent(inspect.cleandoc(command.help or ''), '  ')}\n")


class SystemPath(click.ParamType):
    """`SYSTEM=PATH`, as in `openalex=/data/works`."""

    name = "SYSTEM=PATH"

    def __init__(self, entity: str) -> None:
        self.entity = entity

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Part the system from the path; an unknown system is wrong usage."""
        system, separator, path = value.partition("=")
        known = SYSTEMS[self.entity]
        if not separator or not path or system not in known:
            self.fail(
                f"'{value}' must be SYSTEM=PATH, where SYSTEM is one of {', '.join(known)}: "
                f"--{self.entity} {known[0]}=PATH",
                param,
                ctx,
            )
        return system, path


class Variables(click.ParamType):
    """Variables of dbt_project.yml as YAML, as in `{top_k: 5}`."""

    name = "YAML"

    def convert(
        self,
        value: str | dict[str, Any],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> dict[str, Any]:
        """Parse; a name that dbt_project.yml does not declare is wrong usage."""
        import yaml

        from python_steps.build import project_variables

        try:
            given = yaml.safe_load(value) if isinstance(value, str) else value
        except yaml.YAMLError as error:
            self.fail(f"'{value}' is no YAML: {str(error).splitlines()[0]}", param, ctx)
        if not isinstance(given, dict):
            self.fail(f"'{value}' must be like '{{top_k: 5}}'.", param, ctx)
        known = project_variables(project_folder())
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(str(name), known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
                self.fail(f"dbt_project.yml declares no variable '{name}'. {hint}", param, ctx)
        # dbt runs in the project's folder, from where a relative path would lead elsewhere.
        for name in MAY_NAME_A_FOLDER:
            named = Path(str(given.get(name) or "")).expanduser()
            if named.parts and named.exists():
                given = given | {name: str(named.resolve())}
        return given


def project_folder() -> Path:
    """Folder that holds dbt_project.yml: beside this package, or DEEPINNOVATION_PROJECT."""
    told = os.environ.get("DEEPINNOVATION_PROJECT")
    folder = Path(told).expanduser().resolve() if told else Path(__file__).resolve().parent.parent
    if not (folder / "dbt_project.yml").exists():
        raise click.UsageError(
            f"{folder} holds no dbt_project.yml. Set DEEPINNOVATION_PROJECT to the folder of the "
            "project, or install it with `pip install --editable`."
        )
    return folder


def _debug_option(command: Command) -> Command:
    def remember(context: click.Context, _: click.Parameter, value: bool) -> None:
        context.meta["debug"] = value

    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show the traceback of an error.",
    )(command)


def _source_options(command: Command) -> Command:
    for option in reversed(
        (
            click.option(
                "--papers",
                type=SystemPath("papers"),
                multiple=True,
                help="Where papers lie, as openalex=FOLDER or tables=FILE. May be repeated. With "
                "--target spark also on other storage, as openalex=s3a://BUCKET/works.",
            ),
            click.option(
                "--patents",
                type=SystemPath("patents"),
                multiple=True,
                help="Where patents lie, as google_patents=FOLDER or tables=FILE.",
            ),
            click.option(
                "--labels",
                metavar="PATH",
                help="Table of labels: source_record_id, is_ai, label_source.",
            ),
        )
    ):
        command = option(command)
    return command


def _location(
    option: Path | None, variable: str, default: str, project: Callable[[], Path] = project_folder
) -> Path:
    """Absolute path from an option, else the environment, else in the project folder."""
    told = option or os.environ.get(variable)
    return Path(told).expanduser().resolve() if told else project() / default


_warehouse_option = click.option(
    "--warehouse",
    metavar="PLACE",
    help="DuckDB file, or folder of Spark's tables.  [default: $DEEPINNOVATION_WAREHOUSE, else "
    "warehouse.duckdb in the project; with --target spark warehouse.spark]",
)


def _warehouse(option: str | None, target: str = "duckdb") -> Path | str:
    """Return an absolute path, or an address of other storage as it is."""
    told = option or os.environ.get("DEEPINNOVATION_WAREHOUSE") or ""
    told = told.removeprefix("file://")
    if is_address(told):
        return told
    return _location(Path(told) if told else None, "", DEFAULT_NAME[target])


def _warehouse_to_build(option: str | None, target: str) -> Path | str:
    """Return the warehouse, if it is such as the target writes."""
    place = _warehouse(option, target)
    if target == "duckdb" and (isinstance(place, str) or place.is_dir()):
        what = "on other storage" if isinstance(place, str) else "a folder"
        raise click.UsageError(
            f"The warehouse {place} is {what}, and DuckDB keeps a warehouse in a file. Name a file "
            "with --warehouse, or build on Spark with --target spark."
        )
    is_path = isinstance(place, Path)
    if target == "spark" and is_path and (place.is_file() or place.suffix == ".duckdb"):
        raise click.UsageError(
            f"The warehouse {place} is a file of DuckDB's, and Spark keeps a warehouse in a "
            "folder. Name a folder with --warehouse, as --warehouse warehouse.spark."
        )
    return place


def _console() -> "Console":
    from rich.console import Console

    class SteadyConsole(Console):
        """A console that lets a build go on when nobody reads any more, as after `| head`."""

        def on_broken_pipe(self) -> None:
            """Fall silent; rich would end the program."""
            self.quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    # Files and pipes have no width of their own.
    return SteadyConsole(width=None if sys.stdout.isatty() else 120)


# ---------------------------------------------------------------- commands


@click.group(cls=Workflow, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    package_name="deepinnovation",
    prog_name="deepinnovation",
    message="%(prog)s %(version)s",
)
def main() -> None:
    """Build, check and query a dataset of AI papers, AI patents and their links.

    1. deepinnovation check --papers openalex=FOLDER --patents google_patents=FOLDER
    2. deepinnovation build --papers openalex=FOLDER --patents google_patents=FOLDER
    3. deepinnovation query "select * from papers limit 5"

    Without --papers and --patents the bundled sample is used, as in
    `deepinnovation build`.
    """


@main.command(cls=Documented)
@_source_options
@_warehouse_option
@click.option(
    "--publication",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the published files.  [default: $DEEPINNOVATION_PUBLICATION, else publication "
    "in the project]",
)
@click.option(
    "--select", metavar="S", help="Run only these nodes, in dbt's words, as 'papers+' or tag:x."
)
@click.option("--full-refresh", is_flag=True, help="Compute everything anew, vectors too.")
@click.option(
    "--target",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What builds: DuckDB on this machine, or Spark on one or many.",
)
@click.option(
    "--vars", "variables", type=Variables(), help="Settings of dbt_project.yml, as '{top_k: 5}'."
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Nodes that run at a time; each uses every core.  [default: that of profiles.yml]",
)
@click.option("--quiet", is_flag=True, help="Say nothing unless something fails.")
@_debug_option
@click.pass_context
def build(
    context: click.Context,
    papers: tuple[tuple[str, str], ...],
    patents: tuple[tuple[str, str], ...],
    labels: str | None,
    warehouse: str | None,
    publication: Path | None,
    select: str | None,
    full_refresh: bool,
    target: str,
    variables: dict[str, Any] | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Build the warehouse and the published files.

    A build that was stopped or killed goes on where it was; one with nothing new
    to do ends at once. Paths are files, folders or globs (in quotes); .zip
    archives are unpacked beside the warehouse. The exit code is 1 if a step or
    test failed, 2 if an option or variable is wrong, 3 if input cannot be read,
    4 if the result is below its floor, 130 if it was stopped by Ctrl-C.

    With --target spark the warehouse is a folder of Parquet tables, which every
    worker must reach. Spark runs on this machine unless DEEPINNOVATION_SPARK_MASTER
    or DEEPINNOVATION_SPARK_REMOTE names a cluster (.env.example). A finished build
    whose sources are on other storage runs again in full: what has changed there
    is not known beforehand. Vectors of unchanged texts are kept.

    For example:
      deepinnovation build
      deepinnovation build --papers tables=papers.parquet --vars '{top_k: 5}'
      deepinnovation build --papers openalex=~/works --patents google_patents=~/patents
          --warehouse ~/ai.duckdb --publication ~/published
      deepinnovation build --target spark --papers openalex=/shared/works
          --warehouse /shared/warehouse.spark
    """
    from python_steps import build as building

    project = project_folder()
    place = _warehouse_to_build(warehouse, target)
    sources = configured(papers, patents, labels, os.environ, takes_addresses=target == "spark")
    settings = building.Settings(
        project=project,
        warehouse=place,
        publication=_location(publication, "DEEPINNOVATION_PUBLICATION", "publication"),
        sources=tuple(sources),
        select=select,
        is_full_refresh=full_refresh,
        target=target,
        variables=variables or {},
        threads=threads,
        is_quiet=quiet,
    )
    console = _console()
    if is_sample(sources) and not quiet:
        console.print(
            f"No --papers or --patents: reading the bundled sample in {project}/seeds/sample.",
            highlight=False,
            soft_wrap=True,
        )
    outcome = building.build(settings, console)
    if outcome.exit_code == 0 and not quiet:
        from python_steps.summary import show_build

        show_build(settings, outcome, console)
    context.exit(outcome.exit_code)


@main.command(cls=Documented)
@_source_options
@_warehouse_option
@_debug_option
@click.pass_context
def check(
    context: click.Context,
    papers: tuple[tuple[str, str], ...],
    patents: tuple[tuple[str, str], ...],
    labels: str | None,
    warehouse: str | None,
) -> None:
    """Look at the first records of every source, before hours are spent on all.

    Tells files, formats, records, fields, what would be rejected and why,
    languages and years, and roughly the disk that a build needs. Small sources
    are read in full. Nothing is built. Locations on other storage (s3a://…, hdfs://…)
    are not looked into; `build --target spark` reads them. The exit code is 3 if
    something cannot be read, a field that every record needs is missing, or no
    record is good.

    For example:
      deepinnovation check --papers openalex=~/works --patents google_patents=~/patents
    """
    from python_steps.heads import read_head
    from python_steps.summary import show_heads

    project = project_folder()
    place = _warehouse(warehouse)
    console = _console()
    sources = configured(papers, patents, labels, os.environ, takes_addresses=True)
    if is_sample(sources):
        named = {source.entity for source in sources}
        sources += [source for source in sample(project) if source.entity not in named]
    for source in sources:
        for address in source.elsewhere:
            console.print(
                f"Not looked into: {address} ({source.name}) is on other storage.",
                highlight=False,
                soft_wrap=True,
            )
    here = [source.here for source in sources if source.here.locations]
    with tempfile.TemporaryDirectory(prefix="deepinnovation") as folder:
        heads = [read_head(unpack(source, Path(folder)), project) for source in here]
    show_heads(heads, place, console)
    bad = [head.source.name for head in heads if not head.is_readable]
    if bad:
        raise InputError(
            f"A build would fail on {', '.join(bad)}: see the lines in red. "
            "Mend or leave out what they name."
        )


@main.command(cls=Documented)
@click.argument("sql")
@_warehouse_option
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
@_debug_option
def query(
    sql: str, warehouse: str | None, form: str | None, output: Path | None, limit: int | None
) -> None:
    """Ask the warehouse in SQL; nothing can be changed.

    Tables of the schemas marts, publication and reference need no prefix. A folder
    that Spark has built is asked without Spark; its views are not there.

    For example:
      deepinnovation query "select publication_year, count(*) from papers group by all"
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
    tables = tables_at(_warehouse(warehouse), os.environ)
    with _open(tables) as connection:
        try:
            _refuse_all_but_one_query(sql)
            relation = connection.sql(sql)
            if relation is None:
                raise QueryError("Only queries that give rows are run, such as select.")
            relation = relation if limit is None else relation.limit(limit)
            if form == "table":
                _print_table(relation, MOST_ROWS_ON_SCREEN if limit is None else limit)
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

    from python_steps.failures import explain_warehouse

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


def _print_table(relation: "duckdb.DuckDBPyRelation", most: int) -> None:
    """Print rows as a table; of many only the first, and say so."""
    from rich.table import Table

    rows = relation.limit(most + 1).fetchall()
    table = Table(*relation.columns)
    for row in rows[:most]:
        table.add_row(*("" if value is None else str(value) for value in row))
    console = _console()
    console.print(table, markup=False)
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
