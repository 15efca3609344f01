"""Options that several commands share, and the types of their values."""

import contextlib
import difflib
import functools
import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from python_steps.building.settings import PACKAGED_PROJECT, folder_of_results
from python_steps.errors import MissingExtraError
from python_steps.sources.systems import deliveries, is_address
from python_steps.warehouse.places import DEFAULT_NAME

if TYPE_CHECKING:
    from python_steps.sources.systems import Source

MAY_NAME_A_FOLDER = ("embedding_model", "classifiers")  # variables of dbt_project.yml


Command = TypeVar("Command", bound=Callable[..., Any])


class SystemPath(click.ParamType):
    """`SYSTEM=PATH`, as in `openalex=/data/works`."""

    name = "SYSTEM=PATH"

    def __init__(self, entity: str) -> None:
        self.entity = entity

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split at the equals sign; an unknown system is wrong usage."""
        system, separator, path = value.partition("=")
        project = project_folder()
        known = [s for entity, s in deliveries(project) if entity == self.entity]
        if not known:
            self.fail(
                f"the project in {project} has no source system of {self.entity}.", param, ctx
            )
        if not separator or not path or system not in known:
            self.fail(
                f"'{value}' must be SYSTEM=PATH, where SYSTEM is one of {', '.join(known)}: "
                f"--{self.entity} {known[0]}=PATH",
                param,
                ctx,
            )
        return system, path


class YamlMapping(click.ParamType):
    """A mapping as YAML, as in `{top_k: 5}`.

    Parameters
    ----------
    example
        A value that is right, for messages.
    check
        Returns the value of the option for a mapping, or raises a ValueError that says what is
        wrong with it.
    """

    name = "YAML"

    def __init__(self, example: str, check: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.example = example
        self.check = check

    def convert(
        self,
        value: str | dict[str, Any],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> dict[str, Any]:
        """Parse and check; anything but a mapping is wrong usage."""
        import yaml

        try:
            given = yaml.safe_load(value) if isinstance(value, str) else value
        except yaml.YAMLError as error:
            self.fail(f"'{value}' is not valid YAML: {str(error).splitlines()[0]}", param, ctx)
        if not isinstance(given, dict):
            self.fail(f"'{value}' must be like '{self.example}'.", param, ctx)
        try:
            return self.check(given)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def checked_variables(given: dict[str, Any]) -> dict[str, Any]:
    """Return variables of dbt_project.yml, folders as absolute paths; refuse unknown names."""
    from python_steps.building.settings import project_variables

    known = project_variables(project_folder())
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            message = f"dbt_project.yml declares no variable '{name}'. {hint}"
            raise ValueError(message)
    # dbt runs in the project's folder, where a relative path would mean another place.
    for name in MAY_NAME_A_FOLDER:
        named = Path(str(given.get(name) or "")).expanduser()
        # `packaged` is the only name of classifiers: any other value is a folder, there or not.
        is_folder = name == "classifiers" and named != Path("packaged")
        if named.parts and (is_folder or named.exists()):
            given = given | {name: str(named.resolve())}
    return given


VARIABLES = YamlMapping("{top_k: 5}", checked_variables)


def project_folder() -> Path:
    """Return the folder of dbt_project.yml: installed, in a checkout, or DEEPINNOVATION_PROJECT."""
    named = os.environ.get("DEEPINNOVATION_PROJECT")
    if named:
        folder = Path(named).expanduser().resolve()
    else:
        is_installed = (PACKAGED_PROJECT / "dbt_project.yml").exists()
        folder = PACKAGED_PROJECT if is_installed else PACKAGED_PROJECT.parents[1]
    if not (folder / "dbt_project.yml").exists():
        raise click.UsageError(
            f"{folder} contains no dbt_project.yml. Set DEEPINNOVATION_PROJECT to the project's "
            "folder."
        )
    return folder


def results_folder() -> Path:
    """Return where results go by default."""
    return folder_of_results(project_folder())


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


@dataclass(frozen=True)
class Delivered:
    """The files that a command is given: each system with its path, labels and known pairs."""

    papers: tuple[tuple[str, str], ...]
    patents: tuple[tuple[str, str], ...]
    labels: str | None
    links: str | None
    entities: tuple[tuple[str, str], ...] = ()

    def sources(self, *, takes_addresses: bool) -> "list[Source]":
        """Return what to read; the environment names what the options do not."""
        from python_steps.sources.locations import configured

        tables = {"labels": self.labels, "links": self.links}
        return configured(
            project_folder(),
            self.papers,
            self.patents,
            tables,
            os.environ,
            entities=self.entities,
            takes_addresses=takes_addresses,
        )


SOURCE_OPTIONS = (
    click.option(
        "--papers",
        type=SystemPath("papers"),
        multiple=True,
        help="Papers to read, as openalex=FOLDER or tables=FILE (repeatable). With "
        "--target spark also on other storage, as openalex=s3a://BUCKET/works.",
    ),
    click.option(
        "--patents",
        type=SystemPath("patents"),
        multiple=True,
        help="Patents to read, as google_patents=FOLDER or tables=FILE (repeatable).",
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
    click.option(
        "--entities",
        type=SystemPath("entities"),
        multiple=True,
        help="Register of organisations, as ror=FILE: ROR's data dump (zip, JSON or CSV).",
    ),
)


def source_options(command: Command) -> Command:
    """Add the options that name delivered files; the command gets them as `delivered`."""

    @functools.wraps(command)
    def collected(
        *arguments: object,
        papers: tuple[tuple[str, str], ...],
        patents: tuple[tuple[str, str], ...],
        labels: str | None,
        links: str | None,
        entities: tuple[tuple[str, str], ...],
        **others: object,
    ) -> object:
        delivered = Delivered(papers, patents, labels, links, entities)
        return command(*arguments, delivered=delivered, **others)

    for option in reversed(SOURCE_OPTIONS):
        collected = option(collected)
    return collected


def require(need: str, extra: str, module: str) -> None:
    """Refuse to start what needs a package that is not installed.

    Raises
    ------
    MissingExtraError
        With the command that installs the extra.
    """
    try:
        found = importlib.util.find_spec(module)
    except ValueError:  # hidden by a test
        found = None
    if found is None:
        raise MissingExtraError(need, module, extra)


def location(
    option: Path | None, variable: str, default: str, folder: Callable[[], Path] = results_folder
) -> Path:
    """Return an absolute path: from the option, else the environment, else in a default folder."""
    named = option or os.environ.get(variable)
    return Path(named).expanduser().resolve() if named else folder() / default


warehouse_option = click.option(
    "--warehouse",
    metavar="PLACE",
    help="DuckDB file, or folder of Spark tables.  [default: $DEEPINNOVATION_WAREHOUSE, else "
    "warehouse.duckdb in the project (in the current folder if installed from a wheel); with "
    "--target spark warehouse.spark]",
)


format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="csv and json (one object per line) print all rows and columns.",
)


def chosen_warehouse(option: str | None, target: str = "duckdb") -> Path | str:
    """Return an absolute path, or an address of other storage unchanged."""
    named = option or os.environ.get("DEEPINNOVATION_WAREHOUSE") or ""
    named = named.removeprefix("file://")
    if is_address(named):
        return named
    return location(Path(named) if named else None, "", DEFAULT_NAME[target])


def warehouse_to_build(option: str | None, target: str) -> Path | str:
    """Return the warehouse; refuse a kind of place that the target cannot write."""
    place = chosen_warehouse(option, target)
    if target == "duckdb" and (isinstance(place, str) or place.is_dir()):
        what = "on other storage" if isinstance(place, str) else "a folder"
        raise click.UsageError(
            f"The warehouse {place} is {what}, but a DuckDB warehouse is a file. Name a file with "
            "--warehouse, or build on Spark with --target spark."
        )
    is_path = isinstance(place, Path)
    if target == "spark" and is_path and (place.is_file() or place.suffix == ".duckdb"):
        raise click.UsageError(
            f"The warehouse {place} is a DuckDB file, but a Spark warehouse is a folder. Name a "
            "folder with --warehouse, for example --warehouse warehouse.spark."
        )
    return place


class FloorOption(click.ParamType):
    """`NAME=VALUE`, as in `f1=0.8`; `lowest` returns each name with its lowest possible value."""

    name = "NAME=VALUE"

    def __init__(self, lowest: Callable[[], dict[str, float]]) -> None:
        self.lowest = lowest

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        """Split at the equals sign; an unknown name or impossible value is wrong usage."""
        lowest = self.lowest()
        measure, _, number = value.partition("=")
        with contextlib.suppress(ValueError):
            if measure in lowest and lowest[measure] <= float(number) <= 1:
                return measure, float(number)
        self.fail(
            f"'{value}' must be NAME=VALUE, for example {next(iter(lowest))}=0.8, where NAME is "
            f"one of {', '.join(lowest)}.",
            param,
            ctx,
        )
