"""Delivered files through the project's own SQL models, on either engine, without dbt.

A whole build of a few files takes a minute; their staging and document models alone take a second.
So every input of tests/cases can have a test of its own, on DuckDB and on Spark. Only models in SQL
are there: what a Python model adds, and that dbt builds the same, is for the tests of whole builds.
"""

import csv
import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import yaml

from python_steps.building.project_sql import StagingSql
from python_steps.building.settings import project_variables
from python_steps.sources.findings import form_of
from python_steps.sources.locations import list_files
from python_steps.sources.systems import Delivery, Source, deliveries

PROJECT = Path(__file__).parents[1]
CASES = Path(__file__).with_name("cases")

ONE_OF = {"entities": "organisation"}

_names = itertools.count()


class _Answer:
    """Rows as dbt's `run_query` gives them."""

    def __init__(self, rows: list[tuple]) -> None:
        self.rows = rows

    @property
    def columns(self) -> list[SimpleNamespace]:
        columns = zip(*self.rows, strict=True) if self.rows else [()]
        return [SimpleNamespace(values=lambda column=column: column) for column in columns]


class SmallWarehouse:
    """Models over delivered files, each made when it is first asked for.

    Parameters
    ----------
    delivered
        Path by system of papers and of patents, of `labels` and of `links`:
        ``{"papers openalex": path, "labels": path}``.
    spark
        A Spark session; without one, DuckDB in memory is the engine.
    last_build
        Rows that an earlier build left, as SQL by table: ``{"document_numbers": "select 'W1' as
        document_id"}``.
    variables
        Variables of dbt_project.yml with another value.
    """

    def __init__(
        self,
        delivered: Mapping[str, Path | str],
        spark: Any = None,
        last_build: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> None:
        self.spark = spark
        self.last_build = last_build or {}
        self.duckdb = None if spark else duckdb.connect()
        self.prefix = f"small_{next(_names)}_"
        self.made: dict[str, str] = {}
        self.files = dict(self._delivered_files(delivered))
        values = project_variables(PROJECT) | variables
        self.sql = StagingSql(
            PROJECT,
            values,
            "spark" if spark else "duckdb",
            {
                "run_query": lambda sql: _Answer(self._run(sql)),
                "modules": SimpleNamespace(re=re),
                "local_md5": lambda text: hashlib.md5(text.encode()).hexdigest(),
                "ref": self._relation,
                "config": lambda **_: "",
                "is_incremental": lambda: False,
                "execute": True,
                "flags": SimpleNamespace(FULL_REFRESH=True),  # there is no last build
            },
        )
        self.sql.macros["as_of_last_build"] = self._last_build
        named = [
            [delivery.system, delivery.table.name, ONE_OF.get(entity, entity[:-1])]
            for entity, delivery in map(_delivery, delivered)
        ]
        self.sql.macros["delivered_sources"] = lambda: named

    def rows(self, sql: str) -> list[tuple]:
        """Return the rows of a query; `{name}` in it is the model or seed of that name."""
        return self._run(sql.format_map(_Relations(self)))

    def _run(self, sql: str) -> list[tuple]:
        if self.spark:
            return [tuple(row) for row in self.spark.sql(sql).collect()]
        return self.duckdb.execute(sql).fetchall()

    def _relation(self, name: str) -> str:
        if name not in self.made:
            seed = next((PROJECT / "seeds").rglob(f"{name}.csv"), None)
            select = self._seed(seed) if seed else self._model(name)
            self._make(self.prefix + name, select)
            self.made[name] = self.prefix + name
        return self.made[name]

    def _last_build(self, table: str, columns: Mapping[str, str], **_: object) -> str:
        if table in self.last_build:
            return f"select {', '.join(columns)} from ({self.last_build[table]}) as last_build"
        nulls = (f"cast(null as {type_}) as {name}" for name, type_ in columns.items())
        return f"select {', '.join(nulls)} where 1 = 0"

    def _model(self, name: str) -> str:
        file = next((PROJECT / "models").rglob(f"{name}.sql"), None)
        assert file, f"there is no model or seed {name} in SQL"
        template = self.sql.template(file.read_text(encoding="utf-8"))
        return template.render(delivered_records=self._delivered_records)

    def _make(self, name: str, select: str) -> None:
        if self.spark:
            self.spark.sql(select).createOrReplaceTempView(name)
            self.spark.catalog.cacheTable(name)
        else:
            self.duckdb.execute(f"create table {name} as {select}")

    def _seed(self, file: Path) -> str:
        with file.open(encoding="utf-8", newline="") as opened:
            header = next(csv.reader(opened))
        described = yaml.safe_load(file.with_name("_seeds.yml").read_text(encoding="utf-8"))
        types = next(s for s in described["seeds"] if s["name"] == file.stem)
        types = types.get("config", {}).get("column_types", {})
        columns = ", ".join(
            f"cast(nullif({name}, '') as {types.get(name, 'string')}) as {name}" for name in header
        )
        if self.spark:
            view = f"{self.prefix}{file.stem}_text"
            reader = self.spark.read.option("header", True).option("escape", '"')
            reader.csv(str(file)).createOrReplaceTempView(view)
            return f"select {columns} from {view}"
        return f"select {columns} from read_csv('{file}', all_varchar = true, header = true)"

    def _delivered_files(
        self, delivered: Mapping[str, Path | str]
    ) -> Iterator[tuple[tuple[str, str], list[Path]]]:
        for named, path in delivered.items():
            _, delivery = _delivery(named)
            listing = list_files(Source(delivery, (str(Path(path).resolve()),)))
            yield (delivery.system, delivery.table.name), listing.files
            for table, files in listing.beside.items():
                yield (delivery.system, table), files

    def _delivered_records(self, system: str, table: str) -> str:
        by_form: dict[str, list[str]] = {"lines": [], "documents": [], "parquet": [], "csv": []}
        for file in self.files.get((system, table), ()):
            by_form[form_of(file)].append(str(file))
        return self.sql._dispatch("read_records")(by_form)


def _delivery(named: str) -> tuple[str, Delivery]:
    entity, _, system = named.partition(" ")
    return entity, deliveries(PROJECT)[entity, system or "tables"]


class _Relations(dict):
    def __init__(self, warehouse: SmallWarehouse) -> None:
        super().__init__()
        self.warehouse = warehouse

    def __missing__(self, name: str) -> str:
        return self.warehouse._relation(name)
