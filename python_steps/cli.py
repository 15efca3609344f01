"""The command `deepinnovation`.

Imports are kept to the functions that need them: help, and a build with nothing to do, must not
wait for dbt and torch.
"""

import contextlib
import difflib
import inspect
import json
import os
import shlex
import shutil
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

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
    import pyarrow as pa
    from rich.console import Console

UNREADABLE = 3
BELOW_FLOOR = 4
MAY_NAME_A_FOLDER = ("embedding_model", "classifiers")  # variables of dbt_project.yml
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
            # Classifiers have no names besides the packaged ones': a folder that is not there is
            # told of where the user meant it.
            is_folder = name == "classifiers" and named != Path("packaged")
            if named.parts and (is_folder or named.exists()):
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
            click.option(
                "--links",
                metavar="PATH",
                help="Table of known pairs: paper_id, patent_id, kind.",
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


_format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="csv and json, one object a line, give everything.",
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
    links: str | None,
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
    besides = {"labels": labels, "links": links}
    sources = configured(papers, patents, besides, os.environ, takes_addresses=target == "spark")
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
    links: str | None,
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
    besides = {"labels": labels, "links": links}
    sources = configured(papers, patents, besides, os.environ, takes_addresses=True)
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
                _print_first(relation, MOST_ROWS_ON_SCREEN if limit is None else limit)
            else:
                _copy(connection, relation, form, output)
        except duckdb.Error as error:
            raise QueryError(_explain(error, connection, tables)) from error


@main.command(cls=Documented)
@click.option(
    "--query",
    required=True,
    help="Id, DOI or publication number of a document of the warehouse, or any text.",
)
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Documents.")
@click.option(
    "--among",
    type=click.Choice(["papers", "patents"]),
    help="What to look among.  [default: papers for a patent, else patents]",
)
@click.option("--from-year", type=int, help="First year to look in.")
@click.option("--to-year", type=int, help="Last year to look in.")
@click.option(
    "--embedding-model",
    help="Model of the warehouse's vectors.  [default: all-MiniLM-L6-v2]",
)
@_warehouse_option
@_format_option
@_debug_option
def match(
    query: str,
    k: int,
    among: str | None,
    from_year: int | None,
    to_year: int | None,
    embedding_model: str | None,
    warehouse: str | None,
    form: str,
) -> None:
    """Find the documents nearest to a document of the warehouse, or to a text.

    Compares title and abstract with those of all documents that have a vector; by
    default these are the AI papers and patents. For a paper patents of its year or
    later are found, and for a patent papers of its year or earlier, by the year that
    documents have; --from-year and --to-year replace that rule. The order is that of
    similarity, as similarity_rank in paper_patent_pairs.

    For example:
      deepinnovation match --query W2741809807
      deepinnovation match --query US-9824690-B2 --k 3
      deepinnovation match --query 10.1038/nature14539 --among papers --format csv
      deepinnovation match --query "robots that learn to grasp" --from-year 2020
    """
    from python_steps import neighbours, transformer

    if from_year is not None and to_year is not None and from_year > to_year:
        raise click.UsageError("--from-year is after --to-year.")
    if not query.strip():
        raise click.UsageError("--query is empty.")
    found = neighbours.nearest(
        tables_at(_warehouse(warehouse), os.environ),
        query,
        count=k,
        document_type=among and among.removesuffix("s"),
        from_year=from_year,
        to_year=to_year,
        embedding_model=embedding_model or transformer.PACKAGED_MODEL,
    )
    if form != "table":
        _pour(found.rows, form)
        return
    years = [f"from {found.from_year}" if found.from_year is not None else ""]
    years += [f"to {found.to_year}" if found.to_year is not None else ""]
    asked = found.query
    what = f"{asked['title']} ({asked['document_id']}, {asked['year']})" if asked else query.strip()
    console = _console()
    told = " ".join([f"{found.document_type.capitalize()}s", *filter(None, years)])
    console.print(f"{told} nearest to: {what}", highlight=False, markup=False, soft_wrap=True)
    similarities = found.rows.column("similarity").to_pylist()
    shown = found.rows.set_column(1, "similarity", [[f"{value:.3f}" for value in similarities]])
    _print_table(shown.column_names, zip(*shown.to_pydict().values(), strict=True))


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


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.table import Table

    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    _console().print(table, markup=False)


def _pour(table: "pa.Table", form: str) -> None:
    """Write all rows to the standard output, as ``csv`` or as ``json``, one object a line."""
    import pyarrow.csv

    stream = click.get_binary_stream("stdout")
    if form == "csv":
        pyarrow.csv.write_csv(table, stream)
        return
    for row in table.to_pylist():
        stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")


def _print_first(relation: "duckdb.DuckDBPyRelation", most: int) -> None:
    """Print rows as a table; of many only the first, and say so."""
    rows = relation.limit(most + 1).fetchall()
    _print_table(relation.columns, rows[:most])
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


class SampleSize(click.ParamType):
    """A number of documents, or a share of them: `500`, `10%`."""

    name = "N|SHARE"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return documents as an int, a share as a float."""
        is_share = value.endswith("%")
        with contextlib.suppress(ValueError):
            size = float(value[:-1]) / 100 if is_share else int(value)
            if size > 0 and (size <= 1 or not is_share):
                return size
        self.fail(f"'{value}' must be documents, as 500, or a share of them, as 10%.", param, ctx)


class RequestFields(click.ParamType):
    """Fields of a request as YAML, as in `{temperature: 0}`."""

    name = "YAML"

    def convert(
        self,
        value: str | dict[str, Any],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> dict[str, Any]:
        """Parse; what the command itself says in a request is wrong usage."""
        import yaml

        try:
            given = yaml.safe_load(value) if isinstance(value, str) else value
        except yaml.YAMLError as error:
            self.fail(f"'{value}' is no YAML: {str(error).splitlines()[0]}", param, ctx)
        if not isinstance(given, dict):
            self.fail(f"'{value}' must be like '{{temperature: 0}}'.", param, ctx)
        for name in ("model", "messages", "response_format", "stream", "n"):
            if name in given:
                self.fail(f"'{name}' is not for --parameters to say.", param, ctx)
        for name, content in given.items():
            # YAML knows dates, sets and numbers that no request can hold.
            try:
                json.dumps({name: content}, allow_nan=False, ensure_ascii=False).encode()
            except (TypeError, ValueError, RecursionError) as error:
                self.fail(f"'{name}' of --parameters is no JSON: {error}.", param, ctx)
        return given


@main.command(cls=Documented)
@_warehouse_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of labels to write: .csv, .jsonl or .parquet. Needed unless --dry-run.",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to which every answer is added.  [default: .answers.jsonl beside --output]",
)
@click.option(
    "--sample",
    type=SampleSize(),
    default="10%",
    show_default=True,
    help="Documents, or share of them, to draw from what the outer layer accepts.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another one draws others.")
@click.option("--limit", type=click.IntRange(min=1), help="Texts asked about in this run, at most.")
@click.option("--dry-run", is_flag=True, help="Only say what it would cost; nothing is sent.")
@click.option(
    "--base-url", metavar="URL", help="The endpoint.  [default: $DEEPINNOVATION_LLM_BASE_URL]"
)
@click.option("--model", help="Its model to ask.  [default: $DEEPINNOVATION_LLM_MODEL]")
@click.option(
    "--response-format",
    type=click.Choice(["json_schema", "json_object"]),
    default="json_schema",
    show_default=True,
    help="How the endpoint is held to JSON; older ones know json_object only.",
)
@click.option(
    "--parameters",
    type=RequestFields(),
    default="{temperature: 0, max_tokens: 1000}",
    show_default=True,
    help="Further fields of each request. Models that think refuse these two.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    help="Requests at a time.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="Seconds to wait for an answer.",
)
@click.option(
    "--retries",
    type=click.IntRange(min=0),
    default=6,
    show_default=True,
    help="Further tries after a rate limit, an error of the server, or no answer.",
)
@click.option("--price-in", type=click.FloatRange(min=0), help="Price of a million tokens read.")
@click.option(
    "--price-out", type=click.FloatRange(min=0), help="Price of a million tokens written."
)
@_debug_option
def annotate(
    warehouse: str | None,
    output: Path | None,
    log: Path | None,
    sample: int | float,
    seed: int,
    limit: int | None,
    dry_run: bool,
    base_url: str | None,
    model: str | None,
    response_format: str,
    parameters: dict[str, Any],
    concurrency: int,
    timeout: float,
    retries: int,
    price_in: float | None,
    price_out: float | None,
) -> None:
    """Have a language model label a sample of what the outer layer accepts.

    Titles and abstracts are sent to an endpoint that speaks OpenAI's chat
    completions: a server of your own or a supplier, named by --base-url or
    DEEPINNOVATION_LLM_BASE_URL; there is no default. A key is taken from
    DEEPINNOVATION_LLM_API_KEY only. The sample is stratified by document type,
    years and probability; a larger one holds the smaller. What was answered is
    not asked again, so a run that was stopped goes on, and failures are retried.
    The exit code is 1 if it was stopped by failures or nothing was answered, 2 if
    an option is wrong, 3 if the warehouse or log cannot be read, 130 after Ctrl-C.

    For example:
      deepinnovation annotate --dry-run --price-in 0.15 --price-out 0.6
      deepinnovation annotate --output labels.csv --base-url http://localhost:8000/v1
          --model NAME --sample 500
      deepinnovation build --labels labels.csv
    """
    from python_steps import annotation

    if (price_in is None) != (price_out is None):
        raise click.UsageError("Give both --price-in and --price-out, or neither.")
    base_url = base_url or os.environ.get("DEEPINNOVATION_LLM_BASE_URL") or ""
    model = model or os.environ.get("DEEPINNOVATION_LLM_MODEL") or ""
    if not dry_run:
        _refuse_unclear_endpoint(base_url, model)
    if output is None and not dry_run:
        raise click.UsageError("--output FILE is missing: where the labels go, as labels.csv.")
    if output is not None and output.suffix not in (".csv", ".jsonl", ".parquet"):
        raise click.UsageError(f"--output {output} must end in .csv, .jsonl or .parquet.")
    output = (output or Path("labels.csv")).expanduser().resolve()
    log = (log or output.with_suffix(".answers.jsonl")).expanduser().resolve()
    if output == log:
        raise click.UsageError("--output and --log must be two files.")
    if output.exists() and not log.exists() and not dry_run:
        raise click.UsageError(
            f"{output} is there, but not the log {log}: it would be lost. Name another --output, "
            "or the --log that it was made from."
        )
    settings = annotation.Settings(
        output=output,
        log=log,
        sample=sample,
        seed=seed,
        limit=limit,
        base_url=base_url,
        model=model,
        key=_key_of_endpoint(),
        response_format=response_format,
        parameters=parameters,
        concurrency=concurrency,
        timeout=timeout,
        retries=retries,
        prices=None if price_in is None else (price_in, price_out),
    )
    tables = tables_at(_warehouse(warehouse), os.environ)
    annotation.annotate(tables, settings, is_dry_run=dry_run, console=_console())


@main.command(cls=Documented)
@_warehouse_option
@click.option(
    "--layer", type=click.Choice(["outer", "inner"]), required=True, help="Layer to train."
)
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent", "both"]),
    required=True,
    help="What the classifier is for.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your classifiers; this one goes into a folder below.  [default: classifiers in "
    "the project]",
)
@click.option("--source", "sources", multiple=True, help="Learn from this source; may be repeated.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    default=("en",),
    show_default=True,
    help="Learn from texts in this language, or `all`; may be repeated.",
)
@click.option(
    "--most-per-source", type=click.IntRange(min=1), help="Learn from at most so many of a source."
)
@click.option(
    "--start-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Go on from this classifier.  [default: an inner layer from the outer one that it reads]",
)
@click.option(
    "--base-model",
    default="all-MiniLM-L6-v2",
    show_default=True,
    help="BERT to start from, by name or folder.",
)
@click.option(
    "--method",
    type=click.Choice(["adapters", "full"]),
    default="adapters",
    show_default=True,
    help="Train low-rank adapters, small to store, or all weights of the trained layers.",
)
@click.option("--adapter-rank", type=click.IntRange(min=1), default=8, show_default=True)
@click.option(
    "--trained-layers",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Upper layers that are trained; 0: all.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--batch-size", type=click.IntRange(min=1), default=32, show_default=True)
@click.option(
    "--learning-rate",
    type=click.FloatRange(min=0, min_open=True),
    help="[default: .001 for adapters, .00005 for full]",
)
@click.option(
    "--category-weight",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Weight of learning, beside the label, to tell the categories of papers and the "
    "subclasses of patents; .2 does for texts whose label follows from categories.",
)
@click.option("--maximum-tokens", type=click.IntRange(min=8), default=256, show_default=True)
@click.option(
    "--recall",
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of AI documents that the layer is to keep.  [default: .98 in the outer one; in the "
    "inner one what gives the best expected F1]",
)
@click.option(
    "--precision", type=click.Choice(["auto", "f32", "bf16"]), default="auto", show_default=True
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True)
@_debug_option
def train(
    warehouse: str | None,
    layer: str,
    document_type: str,
    output: Path | None,
    sources: tuple[str, ...],
    languages: tuple[str, ...],
    most_per_source: int | None,
    start_from: Path | None,
    precision: str,
    device: str,
    **settings: Any,  # noqa: ANN401
) -> None:
    """Train a layer of the classifier on the labels of a warehouse.

    Learns from the split `train` of int_classifier_examples, and stops, calibrates
    and chooses the threshold on `validation`; the split `test` is left for
    `deepinnovation evaluate classifier`. Train the outer layer first: the inner one
    learns from what it accepts. A training that was stopped goes on where it was.
    The folder holds weights as safetensors, a calibration, and a card that says
    what it was trained on.

    For example:
      deepinnovation build --papers tables=papers.parquet --labels labels.csv
          --select +int_classifier_examples
      deepinnovation train --layer outer --document-type paper --output mine
      deepinnovation train --layer inner --document-type paper --output mine
      deepinnovation build --papers tables=papers.parquet --vars '{classifiers: mine}'
    """
    from python_steps import training
    from python_steps.examples import read_examples

    types = ("paper", "patent") if document_type == "both" else (document_type,)
    output = (output or project_folder() / "classifiers").expanduser().resolve()
    examples = read_examples(
        tables_at(_warehouse(warehouse), os.environ),
        layer=layer,
        document_types=types,
        sources=sources,
        languages=() if "all" in languages else languages,
        most_per_source=most_per_source,
    )
    training.train_and_tell(
        examples,
        output / f"{layer}_{document_type}",
        training.Settings(layer=layer, document_types=types, **settings),
        start_from=start_from,
        precision=precision,
        device=device,
        command=f"deepinnovation {shlex.join(sys.argv[1:])}",
        console=_console(),
    )


@main.command(cls=Documented)
@click.argument("location", metavar="INPUT")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File of decisions to write: .csv, .jsonl or .parquet.",
)
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent"]),
    help="What the records are.  [default: told from the columns]",
)
@click.option(
    "--classifiers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that `deepinnovation train` wrote to.  [default: the packaged classifiers]",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "f32", "bf16"]),
    help="What the classifiers compute in.  [default: auto]",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    help="What they compute on.  [default: auto]",
)
@click.option("--quiet", is_flag=True, help="Say nothing unless something fails.")
@_debug_option
@click.pass_context
def classify(
    context: click.Context,
    location: str,
    output: Path,
    document_type: str | None,
    classifiers: Path | None,
    precision: str | None,
    device: str | None,
    quiet: bool,
) -> None:
    """Decide which papers or patents of a table are about AI; no warehouse is needed.

    INPUT is a file, folder or glob (in quotes) of .parquet, .csv or .jsonl, with
    the columns id and title, and best an abstract; all columns are described with
    stg_tables__papers and stg_tables__patents. The output has one row a record, in
    the order of the input: source, source_record_id (its id), document_id, is_ai,
    outer_probability, inner_probability, decided_by, reason, model_version. is_ai is
    empty, and the reason says why, where a record is rejected, has no text, or is in
    a language that the classifiers do not read. Records that share an id, DOI or
    title are one document, and so have one decision, on the text of the fullest.

    Work in progress lies in a folder OUTPUT.partial: a run that was stopped or
    killed goes on from there. The exit code is 1 if a step failed, 2 if an option is
    wrong or missing, 3 if the input cannot be read, 130 after Ctrl-C.

    For example:
      deepinnovation classify papers.csv --output decisions.csv
      deepinnovation classify "patents/*.parquet" --output decisions.parquet
          --document-type patent
      deepinnovation classify papers.jsonl --output decisions.jsonl --classifiers mine
    """
    from python_steps import decisions

    request = decisions.Request(
        project=project_folder(),
        location=location,
        output=output.expanduser().resolve(),
        document_type=document_type,
        classifiers=classifiers and classifiers.expanduser().resolve(),
        precision=precision,
        device=device,
        is_quiet=quiet,
    )
    context.exit(decisions.decide(request, _console()))


class DocumentedGroup(click.Group):
    """A group whose help is its docstring as it stands."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        _write_as_it_stands(self, formatter)


class FloorOption(click.ParamType):
    """`NAME=VALUE`, as in `f1=0.8`, of names and the lowest value each may have."""

    name = "NAME=VALUE"

    def __init__(self, lowest: Callable[[], dict[str, float]]) -> None:
        self.lowest = lowest

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        """Part the measure from its value."""
        lowest = self.lowest()
        measure, _, number = value.partition("=")
        with contextlib.suppress(ValueError):
            if measure in lowest and lowest[measure] <= float(number) <= 1:
                return measure, float(number)
        self.fail(
            f"'{value}' must be NAME=VALUE, as {next(iter(lowest))}=0.8, where NAME is one of "
            f"{', '.join(lowest)}.",
            param,
            ctx,
        )


def _floors_of_classifier() -> dict[str, float]:
    from python_steps.evaluation import MEASURES

    return dict.fromkeys(("f1", *MEASURES), 0.0)


def _floors_of_linking() -> dict[str, float]:
    from python_steps.linking import MEASURES

    return dict.fromkeys(MEASURES, 0.0)


def _floors_of_matching() -> dict[str, float]:
    from python_steps.matching_report import MEASURES

    return dict.fromkeys(MEASURES, 0.0)


def _floors_of_novelty() -> dict[str, float]:
    from python_steps.novelty_report import BOUNDS

    return {name: bound.lowest for name, bound in BOUNDS.items()}


# What decides a training: those options of `train` that have the name of a setting, or say where.
_OPTIONS_OF_TRAINING = (
    *("base_model", "method", "adapter_rank", "trained_layers", "epochs", "batch_size"),
    *("learning_rate", "category_weight", "maximum_tokens", "recall", "seed", "precision"),
    "device",
)


def _with_training_options(command: click.Command) -> click.Command:
    """Give a command the options of `train` that decide a training."""
    command.params += [each for each in train.params if each.name in _OPTIONS_OF_TRAINING]
    return command


def _refuse_options_of_folds(context: click.Context) -> None:
    """Raise where options are given that decide how folds are trained, and there are none."""
    only = {"sources", "languages", "start_from", *_OPTIONS_OF_TRAINING}
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name in only
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{', '.join(given)} need{'s' * (len(given) == 1)} --folds.")


@main.group(cls=DocumentedGroup)
def evaluate() -> None:
    """Judge what the steps decide, by documents of which the answer is known.

    For example:
      deepinnovation evaluate classifier
      deepinnovation evaluate novelty
      deepinnovation evaluate matching
      deepinnovation evaluate linking --links pairs.csv
      deepinnovation evaluate novelty --help
    """


@_with_training_options
@evaluate.command(cls=Documented)
@_warehouse_option
@click.option(
    "--document-type",
    type=click.Choice(["paper", "patent", "both"]),
    default="both",
    show_default=True,
    help="What is judged.",
)
@click.option(
    "--by",
    "dimensions",
    type=click.Choice(["source_name", "label_source", "stratum", "language", "year_band"]),
    multiple=True,
    help="Part the documents by this; may be repeated.",
)
@_format_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the table as CSV and two plots as PNG.",
)
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_classifier),
    multiple=True,
    help="Exit with 4 where two layers together are worse, as f1=0.8; of calibration_error the "
    "most that may be.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    help="Train anew in so many folds, each judged by the others, instead of reading the "
    "warehouse's figures. Needs --output.",
)
@click.option("--source", "sources", multiple=True, help="Fold this source; may be repeated.")
@click.option(
    "--language",
    "languages",
    multiple=True,
    help="Fold texts in this language; may be repeated.  [default: all]",
)
@click.option(
    "--start-from",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Let the outer layer of each fold go on from this classifier, trained on other sources.",
)
@_debug_option
@click.pass_context
def classifier(
    context: click.Context,
    warehouse: str | None,
    document_type: str,
    dimensions: tuple[str, ...],
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
    folds: int | None,
    sources: tuple[str, ...],
    languages: tuple[str, ...],
    start_from: Path | None,
    precision: str,
    device: str,
    **settings: Any,  # noqa: ANN401
) -> None:
    """Judge the classifier and its baselines by labelled documents that did not train it.

    Tells precision, recall, F1, average precision and calibration error (ECE), with
    95 % intervals by bootstrap, on the split `test`. With --folds, the classifiers
    are trained anew instead, without the fold that they judge: the options of
    `deepinnovation train` apply to both layers, --recall to the outer one, and what
    is finished lies in the folder --output, so that a run that was stopped goes on.
    The exit code is 2 if an option is wrong, 3 if the warehouse cannot be read, 4
    below a floor.

    For example:
      deepinnovation evaluate classifier --by source_name --by language
      deepinnovation evaluate classifier --floor f1=0.8 --output evaluation
      deepinnovation evaluate classifier --folds 5 --source arxiv --document-type paper
          --output folds
    """
    from python_steps import classifier_evaluation, training
    from python_steps.evaluation import DIMENSIONS

    if folds is None:
        _refuse_options_of_folds(context)
    if folds is not None and output is None:
        raise click.UsageError("--folds needs --output FOLDER: where finished folds are kept.")
    kinds = ("paper", "patent") if document_type == "both" else (document_type,)
    tables = tables_at(_warehouse(warehouse), os.environ)
    console = _console() if form == "table" else _console_beside_data()
    output = output and output.expanduser().resolve()
    if folds is None:
        measured, predictions = classifier_evaluation.read(
            tables, kinds, with_predictions=output is not None
        )
    else:
        asked = classifier_evaluation.CrossValidation(
            folds=folds,
            settings=training.Settings(layer="outer", document_types=kinds, **settings),
            sources=sources,
            languages=() if "all" in languages else languages,
            start_from=start_from and start_from.resolve(),
            precision=precision,
            device=device,
        )
        measured, predictions = classifier_evaluation.cross_validate(
            tables, kinds, asked, output, console
        )
    if form == "table":
        shown = [name for name in DIMENSIONS if name in dimensions] or ["all"]
        classifier_evaluation.show(measured, shown, console)
    else:
        _pour(measured, form)
    if output is not None:
        for path in classifier_evaluation.write(measured, predictions, output):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    wanted = [classifier_evaluation.Floor(*floor) for floor in floors]
    _conclude(context, classifier_evaluation.below(measured, wanted))


@evaluate.command("novelty", cls=Documented)
@_warehouse_option
@click.option(
    "--corpus",
    "corpora",
    # As novelty_evaluation.CORPORA has them, which help must not wait for.
    type=click.Choice(["paper_content", "patent_content", "paper_context", "patent_context"]),
    multiple=True,
    help="Judge keywords (content) or classes and topics (context) of papers or patents; may be "
    "repeated.  [default: all]",
)
@click.option(
    "--vars",
    "variables",
    type=Variables(),
    default="{}",
    help="Those that the warehouse was built with, as '{novelty_communities: 128}'.",
)
@click.option(
    "--most-per-year",
    type=click.IntRange(min=20),
    default=5000,
    show_default=True,
    help="Hold at most so many documents of a year against made-up ones.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@_format_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the figures as CSV and plots as PNG.",
)
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_novelty),
    multiple=True,
    help="Exit with 4 where a corpus is worse, as degree_matched=0.7 or lead=-0.03; of "
    "size_correlation, and of the distance of shuffled from .5, the most that may be.",
)
@_debug_option
@click.pass_context
def evaluate_novelty(
    context: click.Context,
    warehouse: str | None,
    corpora: tuple[str, ...],
    variables: dict[str, Any],
    most_per_year: int,
    seed: int,
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Judge the novelty scores of a warehouse by what they should be able to tell.

    Learns the model anew, year by year, and tells how often the documents of the
    next year surprise it less than made-up ones of the same size (AUC), beside the
    mean PMI of pairs; the same on shuffled keywords, where .5 is right; how many
    documents are scored; whether scores follow the number of keywords; whether they
    come out again to the bit, with and without the last two years; and how much more
    novel the most cited tenth of a venue and year is, or what it awarded. Intervals
    hold 95 %. The exit code is 2 if an option is wrong, 3 if the warehouse cannot be
    read, 4 below a floor.

    For example:
      deepinnovation evaluate novelty
      deepinnovation evaluate novelty --corpus paper_content --output evaluation
      deepinnovation evaluate novelty --floor share_scored=0.5 --floor shuffled=0.02
      deepinnovation evaluate novelty --vars '{novelty_burn_in_documents: 20000}'
    """
    from python_steps import novelty_report
    from python_steps.build import project_variables
    from python_steps.novelty_evaluation import CORPORA, Options

    try:
        settings = novelty_report.settings_of(project_variables(project_folder()) | variables)
    except ValueError as error:
        raise click.UsageError(f"--vars: {error}.") from error
    measured = novelty_report.measure(
        tables_at(_warehouse(warehouse), os.environ),
        [corpus for corpus in CORPORA if corpus in corpora or not corpora],
        settings,
        Options(documents_a_year=most_per_year, seed=seed),
        _console_beside_data(),
    )
    console = _console() if form == "table" else _console_beside_data()
    if form == "table":
        novelty_report.show(measured, console)
    else:
        _pour(measured, form)
    if output is not None:
        for path in novelty_report.write(measured, output.expanduser().resolve()):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    for sentence in novelty_report.alarms(measured):
        click.echo(sentence, err=True)
    _conclude(context, novelty_report.below(measured, floors))


@evaluate.command("matching", cls=Documented)
@_warehouse_option
@_format_option
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_matching),
    multiple=True,
    help="Exit with 4 where matching as a whole is below it, as recall_at_1=0.995.",
)
@_debug_option
@click.pass_context
def evaluate_matching(
    context: click.Context,
    warehouse: str | None,
    form: str,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Tell how far the matches agree with comparing everything.

    Every build matches a sample of papers of every year once more, with all
    patents; this shows what it found: the share of papers whose nearest patent was
    found (recall at 1), the share of their k nearest, and the similarity lost, in
    all and by year. Intervals hold 95 %. The exit code is 2 if an option is wrong, 3
    if the warehouse cannot be read, 4 below a floor.

    For example:
      deepinnovation evaluate matching
      deepinnovation evaluate matching --floor recall_at_1=0.995 --format csv
    """
    from python_steps import matching_report

    audit = matching_report.read(tables_at(_warehouse(warehouse), os.environ))
    if form == "table":
        matching_report.show(audit, _console())
    else:
        _pour(audit, form)
    _conclude(context, matching_report.below(audit, floors))


@evaluate.command("linking", cls=Documented)
@_warehouse_option
@click.option(
    "--links",
    metavar="PATH",
    help="Table of known pairs: paper_id, patent_id, kind.  [default: those that the warehouse was "
    "built with]",
)
@click.option(
    "--vars",
    "variables",
    type=Variables(),
    default="{}",
    help="Those that the warehouse was built with, as '{embedding_text: keywords}'.",
)
@_format_option
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the figures, the rank of each pair and what was not judged as CSV, and plots "
    "as PNG; of the links of a build also how far confidences are to be believed.",
)
@click.option(
    "--floor",
    "floors",
    type=FloorOption(_floors_of_linking),
    multiple=True,
    help="Exit with 4 where known pairs of the same invention are found less often by vectors of "
    "embedding_text alone, as hit_at_10=0.8.",
)
@_debug_option
@click.pass_context
def evaluate_linking(
    context: click.Context,
    warehouse: str | None,
    links: str | None,
    variables: dict[str, Any],
    form: str,
    output: Path | None,
    floors: tuple[tuple[str, float], ...],
) -> None:
    """Judge by known pairs how often a paper's right patent is found.

    Tells how often the patent of a known pair comes first (hit@1) or among ten
    (hit@10) of all AI patents that its paper may be matched to, and the mean
    reciprocal rank (MRR), by kind of pair: by vectors, by common words (BM25), by
    both fused, and with only the nearest by vectors put into another order. Says
    which pairs could not be judged, and why. A paper or patent is named as its
    source does, or by document_id; kind is free text, and near_miss or related is
    another invention (seeds/reference/link_kinds.csv). Intervals hold 95 %. The exit
    code is 2 if an option is wrong, 3 if the links or the warehouse cannot be read,
    4 below a floor.

    For example:
      deepinnovation evaluate linking
      deepinnovation evaluate linking --links pairs.csv --output evaluation
      deepinnovation evaluate linking --links citations.parquet --floor hit_at_10=0.5
    """
    from python_steps import linking_report
    from python_steps.build import project_variables
    from python_steps.staging import StagingSql

    if links == "":
        raise click.UsageError("--links names no file.")
    project = project_folder()
    variables = project_variables(project) | variables
    try:
        StagingSql(project, variables).check_variables()
    except ValueError as error:
        raise click.UsageError(f"--vars: {error}") from error
    beside = _console_beside_data()
    with linking_report.progress(beside):
        judged = linking_report.judge(
            tables_at(_warehouse(warehouse), os.environ),
            links,
            project=project,
            variables=variables,
        )
    console = _console() if form == "table" else beside
    if form == "table":
        linking_report.show(judged, console)
    else:
        _pour(judged.measured, form)
        for sentence in linking_report.refused(judged):
            click.echo(sentence, err=True)
    if output is not None:
        for path in linking_report.write(judged, output.expanduser().resolve()):
            console.print(f"Written: {path}", highlight=False, soft_wrap=True)
    _conclude(context, linking_report.below(judged, floors))


def _conclude(context: click.Context, missed: Sequence[str]) -> None:
    """Tell what misses a floor, and exit with 4 if anything does."""
    for sentence in missed:
        click.echo(sentence, err=True)
    if missed:
        context.exit(BELOW_FLOOR)


def _console_beside_data() -> "Console":
    """Return a console on the standard error, where the standard output holds data."""
    from rich.console import Console

    return Console(stderr=True)


def _refuse_unclear_endpoint(base_url: str, model: str) -> None:
    """Refuse to guess where texts are sent."""
    if not base_url:
        raise click.UsageError(
            "No endpoint is named, and there is no default. Set DEEPINNOVATION_LLM_BASE_URL or "
            "--base-url, as http://localhost:8000/v1; --dry-run needs none."
        )
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # urlsplit itself does not look whether it is one
    except ValueError as error:
        raise click.UsageError(
            f"--base-url must be like http://localhost:8000/v1: {error}."
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"--base-url must be like http://localhost:8000/v1, not {base_url}.")
    if parts.username or parts.password or parts.query:
        raise click.UsageError(
            "--base-url must hold no name, password or query: a key goes into "
            "DEEPINNOVATION_LLM_API_KEY."
        )
    if not model:
        raise click.UsageError("No model is named: set DEEPINNOVATION_LLM_MODEL or --model.")


def _key_of_endpoint() -> str:
    """Return the key; one that no header can hold was pasted wrongly."""
    key = (os.environ.get("DEEPINNOVATION_LLM_API_KEY") or "").strip()
    if not all(33 <= ord(character) <= 126 for character in key):
        raise click.UsageError(
            "DEEPINNOVATION_LLM_API_KEY holds blanks or letters that no key has. Set it anew."
        )
    return key
