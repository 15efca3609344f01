"""Looking into a warehouse without the engine that wrote it.

DuckDB keeps a warehouse in one file. Spark keeps it in a folder, as Parquet files below
`SCHEMA.db/TABLE`, beside a catalog that only Spark reads; DuckDB reads the files all the same, so
that queries and the summary of a build wait for no Spark. A warehouse on other storage, on a Spark
Connect server or in a catalog of its own cannot be looked into from here.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from python_steps.errors import InputError

if TYPE_CHECKING:
    import duckdb


DEFAULT_NAME = {"duckdb": "warehouse.duckdb", "spark": "warehouse.spark"}
CATALOG = "metastore_db"  # folder in which Spark keeps the names of tables
OF_OTHER_FORMATS = ("_delta_log", "metadata", ".hoodie")  # their Parquet files are not all current


@dataclass(frozen=True)
class DuckDBFile:
    """A warehouse in a DuckDB file."""

    path: Path
    address: ClassVar[str] = ""
    holds_views: ClassVar[bool] = True

    def state(self) -> list[int] | None:
        """Size and time of change: DuckDB changes neither unless something is written."""
        if not self.path.exists():
            return None
        facts = self.path.stat()
        return [facts.st_size, facts.st_mtime_ns]

    def relations(self) -> set[tuple[str, str]]:
        """Return schema and name of every table and view, in lower case."""
        with self.connect() as connection:
            names = "select lower(table_schema), lower(table_name) from information_schema.tables"
            return set(connection.execute(names).fetchall())

    def rows(self, schema: str, table: str) -> int | None:
        """Rows of a table while dbt builds, as DuckDB's catalogue counts them at no cost."""
        import duckdb
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        sizes = "from duckdb_tables() where schema_name = ? and table_name = ?"
        # Through dbt's connection: the file is open there, and can be nowhere else.
        handle = DuckDBConnectionManager.env().handle()
        try:
            query = f"select estimated_size {sizes}"
            row = handle.cursor().execute(query, [schema, table]).fetchone()
        except duckdb.Error:
            return None
        finally:
            handle.close()
        return row[0] if row else None

    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size

    def connect(self) -> "duckdb.DuckDBPyConnection":
        """Open it for reading."""
        import duckdb

        return _of_tables_only(duckdb.connect(str(self.path), read_only=True))


@dataclass(frozen=True)
class SparkFolder:
    """A warehouse in a folder of this machine, as Spark writes it."""

    path: Path
    address: ClassVar[str] = ""
    holds_views: ClassVar[bool] = False  # of a view only the catalog knows

    def state(self) -> str | None:
        """Hash of the names, sizes and times of the tables' files; None without a catalog."""
        if not (self.path / CATALOG).is_dir():
            return None
        digest = hashlib.sha256()
        for schema, table in sorted(self.relations()):
            for file in sorted(self._folder(schema, table).rglob("*")):
                facts = file.stat()
                digest.update(f"{file} {facts.st_size} {facts.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def relations(self) -> set[tuple[str, str]]:
        """Return schema and name of every table, in lower case."""
        databases = {file for file in self.path.glob("*.db") if file.is_dir()}
        named = {
            (database.stem, table.name)
            for database in databases
            for table in database.iterdir()
            if table.is_dir() and not _is_hidden(table.name)
        }
        # The schema `default` has no folder of its own.
        others = set(self.path.iterdir()) - databases if self.path.is_dir() else set()
        return named | {
            ("default", table.name)
            for table in others
            if table.is_dir() and table.name != CATALOG and not _is_hidden(table.name)
        }

    def rows(self, schema: str, table: str) -> int | None:
        """Rows of a table, from the metadata of its files; None of another format than Parquet."""
        import duckdb

        files = self.files(schema, table)
        if not files:
            return None if files is None else 0
        with duckdb.connect() as connection:
            try:
                row = connection.execute(f"select count(*) from {_read(files)}").fetchone()
            except duckdb.Error:
                return None
        return row[0]

    def files(self, schema: str, table: str) -> list[Path] | None:
        """Return the Parquet files of a table; None of a table in another format."""
        folder = self._folder(schema, table)
        if any((folder / name).exists() for name in OF_OTHER_FORMATS):
            return None
        return sorted(
            file
            for file in folder.rglob("*.parquet")
            if not any(map(_is_hidden, file.relative_to(folder).parts))
        )

    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def connect(self) -> "duckdb.DuckDBPyConnection":
        """Open a DuckDB in memory with a view of every table that has files."""
        import duckdb

        connection = _of_tables_only(duckdb.connect())
        for schema, table in sorted(self.relations()):
            files = self.files(schema, table)
            if files:
                connection.execute(f'create schema if not exists "{schema}"')
                view = f'create view "{schema}"."{table}" as select * from {_read(files)}'
                connection.execute(view)
        return connection

    def _folder(self, schema: str, table: str) -> Path:
        # Spark writes names in lower case.
        database = self.path if schema == "default" else self.path / f"{schema.lower()}.db"
        return database / table.lower()


@dataclass(frozen=True)
class Elsewhere:
    """A warehouse that only Spark reaches; what the journal says of it is trusted."""

    address: str
    holds_views: ClassVar[bool] = True

    def state(self) -> str:
        """Return what never changes."""
        return self.address

    def relations(self) -> None:
        """Return nothing: they cannot be seen."""

    def rows(self, schema: str, table: str) -> None:
        """Return nothing: they cannot be counted without a job of Spark's."""

    def size(self) -> None:
        """Return nothing."""

    def connect(self) -> "duckdb.DuckDBPyConnection":
        """Say how to ask it.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"The warehouse is at {self.address}, where DuckDB does not read. Ask it with Spark, "
            'as spark-sql -e "select * from marts.papers limit 5".'
        )


Tables = DuckDBFile | SparkFolder | Elsewhere


def tables_of(place: Path | str, target: str, environment: Mapping[str, str]) -> Tables:
    """Return the warehouse that a build on a target writes.

    Parameters
    ----------
    place
        A file, a folder, or an address such as s3a://bucket/warehouse.
    target
        dbt target.
    environment
        Variables as in `os.environ`.
    """
    if target == "duckdb":
        return DuckDBFile(Path(place))
    remote = environment.get("DEEPINNOVATION_SPARK_REMOTE", "")
    catalog = environment.get("DEEPINNOVATION_SPARK_CATALOG", "")
    if remote or catalog or isinstance(place, str):
        return Elsewhere(remote or (f"{place} (catalog {catalog})" if catalog else str(place)))
    return SparkFolder(place)


def tables_at(place: Path | str, environment: Mapping[str, str]) -> Tables:
    """Return the warehouse at a place, whichever engine wrote it.

    Raises
    ------
    InputError
        If there is none.
    """
    if isinstance(place, str):
        return Elsewhere(place)
    if place.exists():
        return SparkFolder(place) if place.is_dir() else DuckDBFile(place)
    remote = environment.get("DEEPINNOVATION_SPARK_REMOTE")
    if remote:
        return Elsewhere(remote)
    raise InputError(
        f"There is no warehouse at {place}. Build one with `deepinnovation build`, or name "
        "another with --warehouse."
    )


def name_of_address(address: str) -> str:
    """Return a name for the files that lie on this machine for a warehouse elsewhere."""
    return re.sub(r"\W+", "-", address).strip("-")


def _is_hidden(name: str) -> bool:
    """Whether Spark itself would not read a file or folder of this name."""
    return name.startswith(("_", "."))


def _read(files: list[Path]) -> str:
    """Return SQL that reads Parquet files."""
    quoted = ", ".join("'{}'".format(str(file).replace("'", "''")) for file in files)
    return f"read_parquet([{quoted}])"


def _of_tables_only(connection: "duckdb.DuckDBPyConnection") -> "duckdb.DuckDBPyConnection":
    """Return a connection that never takes an object of Python for a table that is not there."""
    connection.execute("set python_enable_replacements = false")
    return connection
