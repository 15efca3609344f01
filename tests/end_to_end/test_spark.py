"""The bundled sample on Spark: every table, view and published file as on DuckDB."""

import math
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.conftest import Built, build, environment

TOLERANCE = 1e-6

# A view is in no file: a second process writes its rows down.
WRITE_VIEWS = """
import sys
from dbt.adapters.sparksession import SparkSessionCredentials, open_session

warehouse, folder = sys.argv[1:]
spark = open_session(SparkSessionCredentials(master="local[2,4]", warehouse=warehouse))
for database in spark.catalog.listDatabases():
    for table in spark.catalog.listTables(database.name):
        if table.tableType == "VIEW":
            frame = spark.table(f"{database.name}.{table.name}")
            frame.coalesce(1).write.parquet(f"{folder}/{database.name}.db/{table.name}")
"""


@pytest.fixture(scope="module")
def spark_build(spark_is_possible, tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("sample_on_spark")
    return build(
        Built(folder / "made" / "warehouse.spark", folder / "made" / "publication"),
        *("--target", "spark"),
        DEEPINNOVATION_SPARK_MASTER="local[2,4]",
        DEEPINNOVATION_MEMORY="2GB",
        # Rows that are those of DuckDB pass what those have passed. That the tests run on Spark too
        # is seen in test_spark_cluster.py, which takes longer than a gate should.
        DBT_EXCLUDE_RESOURCE_TYPES="test",
    )


@pytest.fixture(scope="module")
def spark_tables(spark_build) -> dict[str, Path]:
    """Return the folder of every table and view, by schema and name in lower case."""
    views = spark_build.warehouse.with_name("views")
    subprocess.run(
        [sys.executable, "-c", WRITE_VIEWS, spark_build.warehouse, views],
        env=environment(),
        cwd=views.parent,
        check=True,
    )
    folders = [*spark_build.warehouse.glob("*.db/*"), *views.glob("*.db/*")]
    return {f"{folder.parent.stem}.{folder.name}": folder for folder in folders}


def are_equal(one: object, other: object) -> bool:
    """Whether two values are the same, floats nearly."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=0, abs_tol=TOLERANCE)
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and are_equal([*one.values()], [*other.values()])
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(are_equal, one, other))
    return one == other


def without_floats(value: object) -> str:
    """Return a value as text to sort by, without what may differ a little."""
    if isinstance(value, list | tuple):
        return str([without_floats(element) for element in value])
    return "" if isinstance(value, float) else str(value)


def rows_of(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[list[str], list[tuple]]:
    """Return the columns and the rows of a relation, in an order of their own."""
    read = connection.execute(f"select * from {relation}")
    columns = [column[0] for column in read.description]
    return columns, sorted(read.fetchall(), key=without_floats)


def differences(built: Built, tables: dict[str, Path]) -> dict[str, object]:
    """Return what differs, by the names of tables on Spark, from those of a build on DuckDB."""
    different = {}
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        for relation, folder in tables.items():
            columns, rows = rows_of(connection, relation)
            columns_on_spark, rows_on_spark = rows_of(
                connection, f"read_parquet('{folder}/*.parquet')"
            )
            if columns != columns_on_spark or len(rows) != len(rows_on_spark):
                different[relation] = columns, columns_on_spark, len(rows), len(rows_on_spark)
                continue
            for row, row_on_spark in zip(rows, rows_on_spark, strict=True):
                if not are_equal(row, row_on_spark):
                    different[relation] = row, row_on_spark
                    break
    return different


def test_every_table_and_view_is_as_on_duckdb(sample_build, spark_tables):
    relations = sample_build.rows(
        """
        select schema_name || '.' || table_name from duckdb_tables() where not internal
        union all
        select schema_name || '.' || view_name from duckdb_views() where not internal
        """
    )
    assert {relation.lower() for (relation,) in relations} == set(spark_tables)
    assert not differences(sample_build, spark_tables)


def test_every_published_csv_is_byte_for_byte_as_on_duckdb(sample_build, spark_build):
    expected, published = sample_build.published(), spark_build.published()
    assert list(published) == list(expected)
    for name in expected:
        if name.endswith(".csv"):
            assert published[name] == expected[name]


def test_every_published_parquet_has_the_rows_of_duckdb_s(sample_build, spark_build):
    with duckdb.connect() as connection:
        for file in sorted(sample_build.publication.glob("*.parquet")):
            columns, rows = rows_of(connection, f"'{file}'")
            twin = rows_of(connection, f"'{spark_build.publication / file.name}'")
            assert twin[0] == columns
            assert are_equal(twin[1], rows)
