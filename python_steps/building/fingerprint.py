"""The fingerprint of a build: a hash of everything that decides its result."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from python_steps.sources.locations import list_files
from python_steps.sources.systems import Source, deliveries

PROJECT_FILES = ("dbt_project.yml", "profiles.yml", "packages.yml", "dependencies.yml")
PROJECT_FOLDERS = ("models", "macros", "seeds", "snapshots", "tests/warehouse")


# Parts of python_steps that run a build or show it: a changed message must not rebuild anything.
# The dbt project, which a wheel carries there, is hashed by itself.
PACKAGES_WITHOUT_EFFECT = frozenset(
    {"building", "command_line", "project", "warehouse", "__main__.py"}
)

PACKAGES = ("dbt-core", "duckdb", "numpy", "pyarrow", "torch", "transformers", "usearch")
PACKAGES_OF_TARGET = {
    "duckdb": ("dbt-duckdb",),
    "spark": ("dbt-spark", "pandas", "pyspark", "pyspark-client"),
}


# Variables of ours that change how a build runs, not what it makes, and those that locate it; what
# locates sources is added to them. Who computes is one of them: the same folder is the same
# warehouse for every master of Spark.
IGNORED_VARIABLES = frozenset(
    f"DEEPINNOVATION_{name}"
    for name in (
        *("CHECKPOINTS", "MEMORY", "PROGRESS", "PROJECT", "PUBLICATION", "REAL_DATA", "WAREHOUSE"),
        *("NOVELTY_STATES", "SPARK_MASTER", "SPARK_REMOTE", "SPARK_CATALOG"),
        *("LLM_BASE_URL", "LLM_MODEL", "LLM_API_KEY"),
    )
)


def fingerprint(
    project: Path,
    sources: Iterable[Source],
    variables: Mapping[str, Any],
    target: str,
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Hash everything that decides what a build makes.

    Parameters
    ----------
    project
        Folder of dbt_project.yml.
    sources
        Delivered files count by path, size and time of change: reading them would take too long.
        Of other storage only the address counts: Spark alone can look there, and it is not yet
        started when this is asked.
    variables
        dbt variables; files that they name, relative to the project or absolute, count by size
        and time of change.
    target
        dbt target.
    environment
        Variables as in `os.environ`.

    Returns
    -------
    dict
        Part of the fingerprint, named in words, to a hash. The year is part of it because a
        document of the next year but one is rejected as impossible.
    """
    locating = {delivery.variable for delivery in deliveries(project).values()}
    names = (*PACKAGES, *PACKAGES_OF_TARGET.get(target, ()))
    packages = [f"{name} {package_version(name)}" for name in names]
    settings = {
        name: value
        for name, value in environment.items()
        if name.startswith("DEEPINNOVATION_")
        and name not in IGNORED_VARIABLES | locating
        and (target == "spark" or not name.startswith("DEEPINNOVATION_SPARK_"))
    }
    return {
        "source files": _hash(source_lines(sources)),
        "project files": _hash(_project_lines(project)),
        "settings": _hash(
            [
                json.dumps([variables, settings, target], sort_keys=True, default=str),
                *_lines_of_named_files(project, variables),
            ]
        ),
        "package versions": _hash([platform.python_version(), platform.machine(), *packages]),
        "the year": str(datetime.now(UTC).year),
    }


def _hash(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def package_version(package: str) -> str:
    """Return the version of an installed package, or `absent`."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def source_lines(sources: Iterable[Source]) -> Iterator[str]:
    """Yield a line for each delivered file: path, size and time of change."""
    for source in sources:
        listing = list_files(source)
        for file in (*listing.files, *chain(*listing.beside.values())):
            facts = file.stat()
            yield f"{source.variable} {file} {facts.st_size} {facts.st_mtime_ns}"
        for address in source.elsewhere:
            yield f"{source.variable} {address}"


def _project_lines(project: Path) -> Iterator[str]:
    files = [project / name for name in PROJECT_FILES]
    for folder in (project / name for name in PROJECT_FOLDERS):
        files += sorted(folder.rglob("*"))
    for file in (*files, *step_files()):
        if file.is_file() and "__pycache__" not in file.parts:
            yield f"{file.name} {file.parent.name} {hash_file(file)}"


def step_files() -> list[Path]:
    """Return the files of this package that decide what a build makes: steps, not their telling."""
    package = Path(__file__).parents[1]
    return [
        path
        for path in sorted(package.rglob("*"))
        if path.relative_to(package).parts[0] not in PACKAGES_WITHOUT_EFFECT
    ]


def _lines_of_named_files(project: Path, variables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the state of files and folders that variables name, as that of an encoder."""
    for value in variables.values():
        named = project / value if isinstance(value, str) and value else None
        if named and named != project and named.exists():
            for file in sorted([named, *named.rglob("*")]):
                facts = file.stat()
                yield f"{file} {facts.st_size} {facts.st_mtime_ns}"


def hash_file(file: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
