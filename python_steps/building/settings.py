"""What a build is asked to do, and what it reports."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_steps.sources.systems import Source
from python_steps.warehouse.places import Tables, name_of_address, tables_of

# Where a wheel carries the dbt project (pyproject.toml); a checkout has it at its root.
PACKAGED_PROJECT = Path(__file__).parents[1] / "project"

FINISHED = frozenset({"success", "pass", "warn", "no-op"})


@dataclass(frozen=True)
class Settings:
    """What a build is asked to do; every path absolute.

    The warehouse is a file for DuckDB, and for Spark a folder or an address of other storage. Only
    a build that selects nodes can be one without tests.
    """

    project: Path
    warehouse: Path | str
    publication: Path
    sources: tuple[Source, ...] = ()
    select: str | None = None
    is_full_refresh: bool = False
    target: str = "duckdb"
    command: str = "build"  # which command builds, for messages
    variables: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    is_quiet: bool = False
    with_tests: bool = True
    files: Path = field(init=False)
    checkpoints: Path = field(init=False)
    novelty_states: Path = field(init=False)

    def __post_init__(self) -> None:
        """Settle where steps keep files, which all machines of a cluster must share."""
        object.__setattr__(self, "files", folder_of_results(self.project))
        shared = os.environ.get("DEEPINNOVATION_CHECKPOINTS")
        # A folder of the warehouse's own, since a build that ends clears it.
        self._place("checkpoints", ".checkpoints", shared)
        # Kept when a build ends: the next one learns only years that changed, and those after.
        self._place(
            "novelty_states", ".novelty", os.environ.get("DEEPINNOVATION_NOVELTY_STATES") or shared
        )

    def _place(self, name: str, ending: str, named: str | None) -> None:
        """Settle a folder of the warehouse's own, in the one that the user names, if any."""
        own = self.beside(ending)
        folder = Path(named).absolute() / own.name if named else own
        object.__setattr__(self, name, folder)

    @property
    def tables(self) -> Tables:
        """The warehouse, to look into."""
        return tables_of(self.warehouse, self.target, os.environ)

    def beside(self, ending: str) -> Path:
        """Path beside the warehouse, named after it; for one on other storage, where results go."""
        if isinstance(self.warehouse, str):
            return self.files / (name_of_address(self.warehouse) + ending)
        return self.warehouse.with_name(self.warehouse.name + ending)

    @property
    def artifacts(self) -> Path:
        """Folder for dbt's target/ and logs/: the project's, or one beside the warehouse."""
        is_own = self.project != PACKAGED_PROJECT and os.access(self.project, os.W_OK)
        return self.project if is_own else self.beside(".dbt")


def folder_of_results(project: Path) -> Path:
    """Return where results go by default: the project, or the current folder if it is installed."""
    return Path.cwd() if project == PACKAGED_PROJECT else project


@dataclass
class Outcome:
    """What a build did.

    Attributes
    ----------
    exit_code
        0, or one of the codes above.
    unchanged_since
        When the finished build ended that this one found nothing to add to; None if anything ran.
    log
        dbt's full log.
    warnings
        What should be known of the delivered files, and tests that found something and only warn,
        each with its message.
    """

    exit_code: int
    log: Path
    unchanged_since: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """How one node ended."""

    node: str
    status: str
    message: str
    failures: int = 0


def project_variables(project: Path) -> dict[str, Any]:
    """Read the variables and their values from dbt_project.yml."""
    import yaml

    read = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(read.get("vars") or {})
