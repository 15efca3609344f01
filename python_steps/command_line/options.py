"""Options that several commands share, and the types of their values."""

import contextlib
import difflib
import inspect
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from python_steps.sources.systems import deliveries, is_address
from python_steps.warehouse.places import DEFAULT_NAME

MAY_NAME_A_FOLDER = ("embedding_model", "classifiers")  # variables of dbt_project.yml


Command = TypeVar("Command", bound=Callable[..., Any])


class Documented(click.Command):
    """A command whose help is its docstring as it stands, so that examples keep their lines."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        write_as_it_stands(self, formatter)


def write_as_it_stands(command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write a command's docstring as the help text, line for line."""
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
        known = [s for entity, s in deliveries(project_folder()) if entity == self.entity]
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

        from python_steps.building.settings import project_variables

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
    folder = Path(told).expanduser().resolve() if told else Path(__file__).resolve().parents[2]
    if not (folder / "dbt_project.yml").exists():
        raise click.UsageError(
            f"{folder} holds no dbt_project.yml. Set DEEPINNOVATION_PROJECT to the folder of the "
            "project, or install it with `pip install --editable`."
        )
    return folder


def debug_option(command: Command) -> Command:
    """Add `--debug`, which shows the traceback of an error."""

    def remember(context: click.Context, _: click.Parameter, value: bool) -> None:
        context.meta["debug"] = value

    return click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show the traceback of an error.",
    )(command)


def source_options(command: Command) -> Command:
    """Add the options that name delivered files."""
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


def location(
    option: Path | None, variable: str, default: str, project: Callable[[], Path] = project_folder
) -> Path:
    """Absolute path from an option, else the environment, else in the project folder."""
    told = option or os.environ.get(variable)
    return Path(told).expanduser().resolve() if told else project() / default


warehouse_option = click.option(
    "--warehouse",
    metavar="PLACE",
    help="DuckDB file, or folder of Spark's tables.  [default: $DEEPINNOVATION_WAREHOUSE, else "
    "warehouse.duckdb in the project; with --target spark warehouse.spark]",
)


format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="csv and json, one object a line, give everything.",
)


def chosen_warehouse(option: str | None, target: str = "duckdb") -> Path | str:
    """Return an absolute path, or an address of other storage as it is."""
    told = option or os.environ.get("DEEPINNOVATION_WAREHOUSE") or ""
    told = told.removeprefix("file://")
    if is_address(told):
        return told
    return location(Path(told) if told else None, "", DEFAULT_NAME[target])


def warehouse_to_build(option: str | None, target: str) -> Path | str:
    """Return the warehouse, if it is such as the target writes."""
    place = chosen_warehouse(option, target)
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


class DocumentedGroup(click.Group):
    """A group whose help is its docstring as it stands."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the docstring."""
        write_as_it_stands(self, formatter)


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
