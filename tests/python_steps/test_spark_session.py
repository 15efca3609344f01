"""The dbt adapter that runs Python models in Spark's session."""

import json
import stat
from pathlib import Path

import duckdb
import pytest

pytest.importorskip("dbt.adapters.spark", reason="Spark is not installed: pip install '.[spark]'")

from dbt.adapters.sparksession import (
    SparkSessionColumn,
    SparkSessionCredentials,
    check_java,
    open_session,
)
from dbt.cli.main import dbtRunner
from dbt_common.exceptions import DbtRuntimeError

NOTES = [("1", None), ("2", "it's"), ("3", 'a "quoted" word'), ("4", "back\\slash"), ("5", "100 %")]


@pytest.fixture(scope="module")
def project(tmp_path_factory, spark):
    """A dbt project in the session of the other tests."""
    folder = tmp_path_factory.mktemp("project")
    warehouse = spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:")
    files = {
        "dbt_project.yml": {
            "name": "small",
            "profile": "small",
            "flags": {"send_anonymous_usage_stats": False},
            "models": {
                "+file_format": "parquet",
                "+schema": "small",
                "+materialized": "table",
            },
            "seeds": {
                "+file_format": "parquet",
                "+column_types": {"id": "string", "note": "string"},
            },
        },
        "profiles.yml": {
            "small": {
                "target": "spark",
                "outputs": {
                    "spark": {"type": "sparksession", "warehouse": warehouse, "memory": "2GB"}
                },
            }
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
    for name in ["models", "seeds"]:
        (folder / name).mkdir()
    quoted = ('"' + note.replace('"', '""') + '"' if note else "" for _, note in NOTES)
    lines = [f"{number},{note}" for (number, _), note in zip(NOTES, quoted, strict=True)]
    (folder / "seeds" / "notes.csv").write_text("\n".join(["id,note", *lines]) + "\n")
    (folder / "models" / "doubled.py").write_text(
        "def model(dbt, session):\n"
        "    dbt.config(materialized='incremental', incremental_strategy='append')\n"
        "    numbers = session.range(3)\n"
        "    if dbt.is_incremental:\n"
        "        numbers = session.range(3, 5)\n"
        "    return numbers.selectExpr('id', '2 * id as twice')\n"
    )
    (folder / "models" / "broken.py").write_text(
        "def model(dbt, session):\n    return session.nothing_of_the_kind\n"
    )
    (folder / "models" / "plain.sql").write_text("select 1 as one")
    return folder


def dbt(project, *arguments):
    folder = str(project)
    options = ["--project-dir", folder, "--profiles-dir", folder, "--quiet"]
    return dbtRunner().invoke([*arguments, *options])


def test_seeds_keep_nulls_quotes_and_backslashes(project, spark):
    assert dbt(project, "seed").success
    rows = spark.table("default.notes").orderBy("id").collect()
    assert [tuple(row) for row in rows] == NOTES


def test_python_models_run_in_the_session_and_append(project, spark):
    spark.sql("drop table if exists default_small.doubled")
    for expected in [[0, 2, 4], [0, 2, 4, 6, 8]]:
        assert dbt(project, "run", "--select", "doubled").success
        rows = spark.table("default_small.doubled").orderBy("id").collect()
        assert [row.twice for row in rows] == expected


def test_an_error_in_a_python_model_is_told(project):
    result = dbt(project, "run", "--select", "broken")
    assert not result.success
    assert "nothing_of_the_kind" in result.result.results[0].message


def test_what_a_driver_killed_in_a_refresh_left_is_no_hindrance(project, spark):
    assert dbt(project, "run", "--select", "doubled", "--full-refresh").success
    folder = Path(spark.catalog.getDatabase("default_small").locationUri.removeprefix("file:"))
    leftover = folder / "doubled__dbt_tmp" / "_temporary" / "0" / "part-0.parquet"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")
    assert dbt(project, "run", "--select", "doubled").success
    assert spark.table("default_small.doubled").count() == 5


@pytest.mark.parametrize("name", ["plain", "doubled"])
def test_what_a_killed_driver_left_is_no_hindrance(project, spark, name):
    assert dbt(project, "run", "--select", name).success
    folder = (
        Path(spark.catalog.getDatabase("default_small").locationUri.removeprefix("file:")) / name
    )
    spark.sql(f"drop table default_small.{name}")
    leftover = folder / "_temporary" / "0" / "part-0.parquet"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half a file")
    assert dbt(project, "run", "--select", name).success
    assert not leftover.exists()


def test_a_file_is_written_as_duckdb_writes_it(project, spark, tmp_path):
    query = (
        "select * from (values (2, 'b \"quoted\", too', cast(0.1 as float), date '2020-02-29'),"
        " (1, null, cast(1e-7 as float), null), (3, 'line\nbreak', cast(16777217 as float), null))"
        " as published(id, title, similarity, published_on)"
    )
    spark.sql(
        f"create or replace view default.published as {query} order by id".replace("\n", "\\n")
    )
    options = "format csv, header, delimiter ','"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query} order by id) to '{tmp_path}/duckdb.csv' ({options})")
    (project / "macros").mkdir(exist_ok=True)
    (project / "macros" / "publish.sql").write_text(
        "{% macro publish(file, options) %}"
        "{% do adapter.write_file(api.Relation.create(schema='default', identifier='published'),"
        " file, options) %}{% endmacro %}"
    )
    arguments = json.dumps({"file": f"{tmp_path}/new/spark.csv", "options": options})
    assert dbt(project, "run-operation", "publish", "--args", arguments).success
    assert (tmp_path / "new" / "spark.csv").read_bytes() == (tmp_path / "duckdb.csv").read_bytes()


@pytest.mark.parametrize(
    ("of_contract", "of_spark"),
    [
        ("integer", "int"),
        ("string[]", "array<string>"),
        ("integer[]", "array<int>"),
        ("float[]", "array<float>"),
        ("double", "double"),
    ],
)
def test_types_of_contracts_have_names_of_spark(of_contract, of_spark):
    assert SparkSessionColumn.translate_type(of_contract) == of_spark


def test_a_second_connection_is_the_same_session(spark):
    assert open_session(SparkSessionCredentials(master="local[2,4]")) is spark


class TestSettings:
    """From the profile's few settings to Spark's many."""

    def test_a_laptop_needs_none(self, tmp_path):
        settings = SparkSessionCredentials(warehouse=str(tmp_path)).server_side_parameters
        assert settings["spark.master"] == "local[*,4]"
        assert settings["spark.driver.bindAddress"] == "127.0.0.1"
        assert str(tmp_path) in settings["spark.hadoop.javax.jdo.option.ConnectionURL"]

    def test_a_server_of_spark_connect_keeps_its_own(self):
        settings = SparkSessionCredentials(remote="sc://host:15002").server_side_parameters
        assert settings["spark.remote"] == "sc://host:15002"
        assert not {"spark.master", "spark.sql.warehouse.dir"} & settings.keys()

    def test_a_cluster_keeps_the_settings_of_its_machines(self):
        settings = SparkSessionCredentials(
            master="spark://host:7077", warehouse="s3a://bucket/w", catalog="thrift://host:9083"
        ).server_side_parameters
        assert settings["spark.sql.warehouse.dir"] == "s3a://bucket/w"
        assert settings["spark.hadoop.hive.metastore.uris"] == "thrift://host:9083"
        assert "spark.driver.host" not in settings

    def test_a_warehouse_elsewhere_needs_a_catalog(self):
        with pytest.raises(DbtRuntimeError, match="DEEPINNOVATION_SPARK_CATALOG"):
            SparkSessionCredentials(warehouse="s3a://bucket/w")

    def test_the_profile_has_the_last_word(self):
        given = {"spark.sql.shuffle.partitions": "7"}
        settings = SparkSessionCredentials(server_side_parameters=given).server_side_parameters
        assert settings["spark.sql.shuffle.partitions"] == "7"


class TestJava:
    """Spark's one need that pip cannot meet."""

    def test_none_is_named_with_the_remedy(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        with pytest.raises(DbtRuntimeError, match=r"needs Java.*JAVA_HOME.*SPARK_REMOTE"):
            check_java()

    @pytest.mark.parametrize(("told", "version"), [("1.8.0_402", "8"), ("11.0.2", "11")])
    def test_one_too_old_is_named(self, monkeypatch, tmp_path, told, version):
        java = tmp_path / "bin" / "java"
        java.parent.mkdir()
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{told}\"' >&2\n")
        java.chmod(java.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        with pytest.raises(DbtRuntimeError, match=f"is Java {version}"):
            check_java()
