"""`deepinnovation build`, and the summary of its result."""

import contextlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from python_steps.building.settings import Outcome, Settings
from python_steps.command_line.console import (
    BuildReporter,
    near_path,
    output_console,
    program_name,
    size_in_words,
)
from python_steps.command_line.options import (
    VARIABLES,
    Delivered,
    debug_option,
    location,
    project_folder,
    source_options,
    warehouse_option,
    warehouse_to_build,
)
from python_steps.command_line.warnings import show_warnings
from python_steps.engine.progress import silenced
from python_steps.sources.locations import is_sample
from python_steps.warehouse.places import DEFAULT_NAME
from python_steps.warehouse.quality import Rejection, delivery_warnings, rejections, undecided

if TYPE_CHECKING:
    from rich.console import Console


def show_build(settings: Settings, outcome: Outcome, console: "Console") -> None:
    """Print the main counts of a finished build, its files, and what to type next."""
    from rich.table import Table

    if outcome.unchanged_since:
        console.print(f"Nothing changed since {outcome.unchanged_since}: nothing to do.")
    for warning in outcome.warnings:
        console.print(f"[yellow]Warning:[/] {warning}", highlight=False)
    refused = rejections(settings.tables)
    measures = _with_reasons(_measures(settings), refused)
    if measures:
        table = Table("measure", title="The warehouse", title_justify="left")
        table.add_column("value", justify="right")
        for measure, value in measures:
            table.add_row(measure, value)
        console.print(table)
    files = Table("file", title="Files", title_justify="left")
    files.add_column("size", justify="right")
    made = sorted(f for f in settings.publication.glob("*") if f.suffix in (".csv", ".parquet"))
    size = settings.tables.size()
    place = settings.tables.address or near_path(settings.warehouse)
    files.add_row(place, "unknown" if size is None else size_in_words(size))
    for file in (*made, outcome.log):
        if file.exists():
            files.add_row(near_path(file), size_in_words(file.stat().st_size))
    console.print(files)
    show_warnings(
        delivery_warnings(settings.tables), console, " in the table marts.delivery_warnings"
    )
    _show_remedies(refused, console)
    for sentence in undecided(settings.tables):
        console.print(sentence, markup=False, highlight=False, soft_wrap=True)
    for file in made:
        if file.suffix == ".csv" and _is_empty(file):
            console.print(
                f"[red]Published without a row:[/] {file.name}. {EMPTY.get(file.name, '')}",
                highlight=False,
                soft_wrap=True,
            )
    _show_next(settings, console)


EMPTY = {
    "DeepDiveAI.csv": "No paper was decided to be AI.",
    "DeepPatentAI.csv": "No patent was decided to be AI.",
    "DeepCosineAI.csv": "No AI paper has an AI patent of its year or later.",
}


def _is_empty(file: Path) -> bool:
    """Whether a table in a file has a header and nothing else."""
    with file.open("rb") as opened:
        opened.readline()
        return not opened.read(1)


def _with_reasons(
    measures: list[tuple[str, str]], refused: list[Rejection]
) -> list[tuple[str, str]]:
    """Return the measures, below those of rejected records their reasons."""
    lines = []
    for measure, value in measures:
        lines.append((measure, value))
        entity = measure.removesuffix(" records rejected").removesuffix("s rejected")
        lines += [
            (f"  {one.reason.replace('_', ' ')}", f"{one.records:,}")
            for one in refused
            if measure.endswith(" rejected") and one.entity == entity
        ]
    return lines


def _show_remedies(refused: list[Rejection], console: "Console") -> None:
    """Print what to do about the commonest reason of each kind of record."""
    told = set()
    for one in refused:
        if not one.is_by_design and one.entity not in told:
            told.add(one.entity)
            console.print(
                f"{one.records:,} {one.entity}{'' if one.records == 1 else 's'} rejected as "
                f"{one.reason.replace('_', ' ')}: {one.remedy}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )


def _show_next(settings: Settings, console: "Console") -> None:
    """Print what to type next, as it runs in the current folder."""
    console.print("Next:")
    for command, purpose in next_commands(settings):
        console.print(
            f"  {command}   # {purpose}", highlight=False, markup=False, soft_wrap=True, emoji=False
        )


def next_commands(settings: Settings) -> list[tuple[str, str]]:
    """Return commands for after a build, with what each is for.

    Options name the warehouse and the folder of published files unless these are the defaults.
    """
    program = program_name()
    warehouse = ["--warehouse", near_path(settings.warehouse)]
    if settings.warehouse == settings.files / DEFAULT_NAME["duckdb"]:
        warehouse = []
    sql = "select title, year from papers"
    query = shlex.join(["query", sql, *warehouse])
    commands = [(f"{program} {query}", "query it")]
    if settings.tables.address:
        query = shlex.join(["-e", sql.replace("papers", "marts.papers")])
        commands = [(f"spark-sql {query}", "query it")]
    if (settings.project / "Makefile").exists():
        folder = [] if settings.project == Path.cwd() else ["-C", near_path(settings.project)]
        make = shlex.join(["make", *folder, "docs"])
        if warehouse and settings.target == "duckdb":
            make = f"DEEPINNOVATION_WAREHOUSE={shlex.quote(str(settings.warehouse))} {make}"
        commands.append((make, "what every table and column means"))
    build = ["build", "--papers", "openalex=FOLDER", "--patents", "google_patents=FOLDER"]
    if settings.target != "duckdb":
        build += ["--target", settings.target]
    if settings.warehouse != settings.files / DEFAULT_NAME[settings.target]:
        build += warehouse
    if settings.publication != settings.files / "publication":
        build += ["--publication", near_path(settings.publication)]
    return [*commands, (f"{program} {shlex.join(build)}", "build it from your own data")]


def _measures(settings: Settings) -> list[tuple[str, str]]:
    """Read marts.build_summary; an empty list if the build has none."""
    import duckdb

    if settings.tables.address:
        return []
    with settings.tables.connect() as connection:
        try:
            rows = connection.execute(
                "select measure, figure from marts.build_summary order by place"
            ).fetchall()
        except duckdb.CatalogException:
            return []
    return [(measure, _value(measure, value)) for measure, value in rows]


def _value(measure: str, value: float | None) -> str:
    """Return a count with separators, a recall with four decimals."""
    if value is None:
        return "none"
    return f"{value:.4f}" if "recall" in measure else f"{value:,.0f}"


@click.command()
@source_options
@warehouse_option
@click.option(
    "--publication",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the published files.  [default: $DEEPINNOVATION_PUBLICATION, else publication "
    "beside the default warehouse]",
)
@click.option(
    "--select", metavar="S", help="Run only these nodes, in dbt's syntax: 'papers+' or tag:x."
)
@click.option(
    "--full-refresh", "is_full_refresh", is_flag=True, help="Recompute everything, vectors too."
)
@click.option(
    "--target",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="Engine: DuckDB on this machine, or Spark on one machine or many.",
)
@click.option(
    "--vars",
    "variables",
    type=VARIABLES,
    default="{}",
    help="Override variables of dbt_project.yml, as '{top_k: 5}'.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Nodes to run at a time; each uses every core.  [default: as in profiles.yml]",
)
@click.option("--quiet", "is_quiet", is_flag=True, help="Print nothing unless something fails.")
@debug_option
@click.pass_context
def build_command(
    context: click.Context,
    delivered: Delivered,
    warehouse: str | None,
    publication: Path | None,
    target: str,
    is_quiet: bool,
    **options: Any,  # noqa: ANN401
) -> None:
    """Build the warehouse and the published files.

    A build that was stopped or killed continues where it left off; if nothing
    changed, it ends at once. Paths are files, folders or globs (in quotes); .zip
    archives are unpacked beside the warehouse.

    With --target spark the warehouse is a folder of Parquet tables that every
    worker must reach. Spark runs on this machine unless
    DEEPINNOVATION_SPARK_MASTER or DEEPINNOVATION_SPARK_REMOTE names a cluster
    (see .env.example). If sources are on other storage, every build runs in
    full, because changes there cannot be detected beforehand; vectors of
    unchanged texts are kept.

    Exit codes: 1 a step or test failed, 2 an option or variable is wrong, 3 input
    cannot be read, 4 quality is below its floor, 130 stopped by Ctrl-C.

    \b
    For example:
      deepinnovation build
      deepinnovation build --papers tables=papers.parquet --vars '{top_k: 5}'
      deepinnovation build --papers openalex=~/works \\
          --patents google_patents=~/patents \\
          --warehouse ~/ai.duckdb --publication ~/published
      deepinnovation build --target spark --papers openalex=/shared/works \\
          --warehouse /shared/warehouse.spark
    """
    from python_steps.building.build import build

    project = project_folder()
    place = warehouse_to_build(warehouse, target)
    sources = delivered.sources(takes_addresses=target == "spark")
    settings = Settings(
        project=project,
        warehouse=place,
        publication=location(publication, "DEEPINNOVATION_PUBLICATION", "publication"),
        sources=tuple(sources),
        target=target,
        is_quiet=is_quiet,
        **options,
    )
    console = output_console()
    if is_sample(sources) and not is_quiet:
        console.print(
            f"No --papers or --patents: reading the bundled sample in {project}/seeds/sample.",
            highlight=False,
            soft_wrap=True,
        )
    with silenced() if is_quiet else contextlib.nullcontext():
        outcome = build(settings, BuildReporter(console))
    if outcome.exit_code == 0 and not is_quiet:
        show_build(settings, outcome, console)
    context.exit(outcome.exit_code)
