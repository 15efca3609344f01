"""`deepinnovation build`, and the summary of its result."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from python_steps.building.settings import Outcome, Settings
from python_steps.command_line.console import near_path, output_console, program_name, size_in_words
from python_steps.command_line.options import (
    Documented,
    Variables,
    debug_option,
    location,
    project_folder,
    source_options,
    warehouse_option,
    warehouse_to_build,
)
from python_steps.sources.locations import configured, is_sample
from python_steps.warehouse.places import DEFAULT_NAME

if TYPE_CHECKING:
    from rich.console import Console


def show_build(settings: Settings, outcome: Outcome, console: "Console") -> None:
    """Print what a finished build holds, where it is, and what to type next."""
    from rich.table import Table

    if outcome.unchanged_since:
        console.print(f"Nothing changed since {outcome.unchanged_since}: nothing was run.")
    for warning in outcome.warnings:
        console.print(f"[yellow]Warning:[/] {warning}", highlight=False)
    measures = _measures(settings)
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
    files.add_row(place, "not known" if size is None else size_in_words(size))
    for file in (*made, outcome.log):
        if file.exists():
            files.add_row(near_path(file), size_in_words(file.stat().st_size))
    console.print(files)
    _show_next(settings, console)


def _show_next(settings: Settings, console: "Console") -> None:
    """Print what to type next, with the options without which it would be about another place."""
    named = f" --warehouse {near_path(settings.warehouse)}"
    option = "" if settings.warehouse == settings.project / DEFAULT_NAME["duckdb"] else named
    elsewhere = "" if settings.target == "duckdb" else f" --target {settings.target}"
    if settings.warehouse != settings.project / DEFAULT_NAME[settings.target]:
        elsewhere += named
    folder = settings.publication
    if folder != settings.project / "publication":
        elsewhere += f" --publication {near_path(folder)}"
    console.print("Next:")
    program = program_name()
    asking = "select title, publication_year from papers"
    query = f'{program} query "{asking}"{option}'
    if settings.tables.address:
        query = f'spark-sql -e "{asking.replace("papers", "marts.papers")}"'
    for command, purpose in (
        (query, "ask it"),
        ("make docs", "what every table and column means"),
        (
            f"{program} build --papers openalex=FOLDER --patents google_patents=FOLDER{elsewhere}",
            "the same from your data",
        ),
    ):
        console.print(
            f"  {command}   [dim]# {purpose}[/]", highlight=False, soft_wrap=True, emoji=False
        )


def _measures(settings: Settings) -> list[tuple[str, str]]:
    """Read marts.build_summary; nothing where the build left none."""
    import duckdb

    if settings.tables.address:
        return []
    with settings.tables.connect() as connection:
        try:
            rows = connection.execute(
                "select measure, value from marts.build_summary order by place"
            ).fetchall()
        except duckdb.CatalogException:
            return []
    return [(measure, _value(measure, value)) for measure, value in rows]


def _value(measure: str, value: float | None) -> str:
    """Return a count with separators, a recall with four decimals."""
    if value is None:
        return "none"
    return f"{value:.4f}" if "recall" in measure else f"{value:,.0f}"


@click.command(cls=Documented)
@source_options
@warehouse_option
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
@debug_option
@click.pass_context
def build_command(
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
    from python_steps.building import build as building_build
    from python_steps.building import settings as building_settings

    project = project_folder()
    place = warehouse_to_build(warehouse, target)
    besides = {"labels": labels, "links": links}
    sources = configured(
        project, papers, patents, besides, os.environ, takes_addresses=target == "spark"
    )
    settings = building_settings.Settings(
        project=project,
        warehouse=place,
        publication=location(publication, "DEEPINNOVATION_PUBLICATION", "publication"),
        sources=tuple(sources),
        select=select,
        is_full_refresh=full_refresh,
        target=target,
        variables=variables or {},
        threads=threads,
        is_quiet=quiet,
    )
    console = output_console()
    if is_sample(sources) and not quiet:
        console.print(
            f"No --papers or --patents: reading the bundled sample in {project}/seeds/sample.",
            highlight=False,
            soft_wrap=True,
        )
    outcome = building_build.build(settings, console)
    if outcome.exit_code == 0 and not quiet:
        pass

        show_build(settings, outcome, console)
    context.exit(outcome.exit_code)
