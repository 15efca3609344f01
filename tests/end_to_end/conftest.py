"""The bundled sample, built once for all end-to-end tests, whichever process runs them."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from filelock import FileLock

from python_steps.command_line import options


@dataclass(frozen=True)
class Built:
    """A warehouse and what was published from it."""

    warehouse: Path
    publication: Path
    said: str = ""

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def published(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in sorted(self.publication.iterdir())}


def place_in(folder: Path) -> Built:
    return Built(folder / "warehouse.duckdb", folder / "publication")


def command(place: Built, *arguments: str) -> list[str]:
    """Return the command that builds into a place, to be run in a process of its own."""
    return [
        *(sys.executable, "-m", "python_steps", "build"),
        *("--warehouse", str(place.warehouse), "--publication", str(place.publication)),
        *arguments,
    ]


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that is started in any folder."""
    return os.environ | {"DEEPINNOVATION_PROJECT": str(options.project_folder())} | more


def build(place: Built, *arguments: str, **variables: str) -> Built:
    """Build into a place, from a folder that is not the project's."""
    place.warehouse.parent.mkdir(parents=True, exist_ok=True)
    run = subprocess.run(
        command(place, *arguments),
        env=environment(**variables),
        cwd=place.warehouse.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return Built(place.warehouse, place.publication, run.stdout)


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the sample, or wait for the worker that does; tests change copies of it alone."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # all workers'
    place = place_in(folder / "sample")
    said = folder / "sample.log"
    with FileLock(folder / "sample.lock"):
        if not said.exists():
            said.write_text(build(place).said, encoding="utf-8")
    return Built(place.warehouse, place.publication, said.read_text(encoding="utf-8"))
