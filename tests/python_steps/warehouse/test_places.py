"""Claims about looking into a warehouse; the folders are laid out as Spark does it."""

from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from python_steps.command_line import main
from python_steps.warehouse.places import (
    DuckDBFile,
    Elsewhere,
    SparkFolder,
    name_of_address,
    tables_at,
    tables_of,
)


def write(file: Path, sql: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    escaped = str(file).replace("'", "''")
    duckdb.execute(f"copy ({sql}) to '{escaped}' (format parquet)")


@pytest.fixture
def folder(tmp_path: Path) -> SparkFolder:
    """A warehouse as Spark leaves it, with what a killed task leaves beside the tables' files."""
    place = tmp_path / "it's a warehouse.spark"
    (place / "metastore_db").mkdir(parents=True)
    papers = place / "marts.db/papers"
    for part in range(2):
        write(papers / f"part-{part}.snappy.parquet", f"select {part} as id, ['a'] as l")
    write(papers / "_temporary/0/part-2.parquet", "select 2 as id, ['a'] as l")
    (papers / ".part-0.parquet.crc").touch()
    (papers / "_SUCCESS").touch()
    write(place / "marts.db/empty/part-0.parquet", "select 1 as id where false")
    (place / "marts.db/never_written").mkdir()
    write(place / "offices/part-0.parquet", "select 'US' as code")
    (place / "marts.db/in_delta/_delta_log").mkdir(parents=True)
    write(place / "marts.db/in_delta/part-0.parquet", "select 1 as id")
    return SparkFolder(place)


def test_every_table_is_seen_and_nothing_else(folder):
    marts = {"papers", "empty", "never_written", "in_delta"}
    assert folder.relations() == {("marts", name) for name in marts} | {("default", "offices")}


@pytest.mark.parametrize(
    ("table", "rows"), [("papers", 2), ("Papers", 2), ("empty", 0), ("in_delta", None)]
)
def test_rows_are_those_of_files_that_spark_reads(folder, table, rows):
    assert folder.rows("marts", table) == rows


def test_tables_are_read_with_their_columns_also_without_rows(folder):
    with folder.connect() as connection:
        assert connection.sql("select id from marts.papers order by id").fetchall() == [(0,), (1,)]
        assert connection.sql("from marts.empty").columns == ["id"]
        assert connection.sql('from "default".offices').fetchall() == [("US",)]
        with pytest.raises(duckdb.CatalogException):
            connection.sql("from marts.in_delta")


def test_a_query_reads_the_folder(folder):
    asked = ["query", "from papers order by id", "--format", "csv"]
    shown = CliRunner().invoke(main.main, [*asked, "--warehouse", str(folder.path)])
    assert shown.output == 'id,l\n0,"[""a""]"\n1,"[""a""]"\n'


def test_whatever_is_written_changes_the_state_and_the_catalog_alone_does_not(folder):
    before = folder.state()
    (folder.path / "metastore_db/log").touch()
    assert folder.state() == before
    (folder.path / "marts.db/papers/part-9.parquet").touch()
    assert folder.state() != before


def test_a_folder_without_a_catalog_is_no_warehouse(tmp_path):
    assert SparkFolder(tmp_path).state() is None
    assert SparkFolder(tmp_path / "none").state() is None
    assert SparkFolder(tmp_path / "none").relations() == set()


@pytest.mark.parametrize(
    ("place", "environment", "kind"),
    [
        (Path("/w"), {}, SparkFolder),
        (Path("/w"), {"DEEPINNOVATION_SPARK_MASTER": "spark://host:7077"}, SparkFolder),
        (Path("/w"), {"DEEPINNOVATION_SPARK_REMOTE": "sc://host"}, Elsewhere),
        (Path("/w"), {"DEEPINNOVATION_SPARK_CATALOG": "thrift://host:9083"}, Elsewhere),
        ("s3a://bucket/w", {}, Elsewhere),
    ],
)
def test_only_a_folder_with_its_own_catalog_is_looked_into(place, environment, kind):
    assert isinstance(tables_of(place, "spark", environment), kind)
    assert isinstance(tables_of(Path("/w"), "duckdb", environment), DuckDBFile)


def test_what_is_at_a_place_is_seen_by_its_kind(tmp_path):
    assert isinstance(tables_at(tmp_path, {}), SparkFolder)
    assert isinstance(tables_at(Path(__file__), {}), DuckDBFile)
    assert isinstance(tables_at("s3a://bucket/w", {}), Elsewhere)


def test_the_files_of_a_warehouse_elsewhere_have_a_name_here():
    assert name_of_address("s3a://bucket/ai/warehouse/") == "s3a-bucket-ai-warehouse"
