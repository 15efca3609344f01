"""
The dbt adapter `sparksession`: dbt-spark, with Python models.

dbt-spark sends Python models to Databricks and nowhere else. Here they run in the session that it
already holds: in this process, under spark-submit, or through Spark Connect. What else differs from
dbt-spark is settings with defaults for a laptop, and mends for what it gets wrong on open Spark
(nulls, quotes and many rows in seeds, folders that a killed build leaves behind). Users of
Databricks take dbt-databricks, which runs Python models by itself.

Installed as `dbt.adapters.sparksession`, where dbt looks for it.
"""

from __future__ import annotations

import importlib.util
import linecache
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from multiprocessing import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
from dbt.adapters.base import AdapterPlugin, PythonJobHelper, available
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.spark import (
    SparkAdapter,
    SparkColumn,
    SparkConnectionManager,
    SparkCredentials,
)
from dbt.adapters.spark import session as dbt_spark_session
from dbt.adapters.spark.connections import SparkConnectionMethod
from dbt_common.exceptions import DbtRuntimeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OLDEST_JAVA = 17
ROWS_PER_BATCH = 8192


@dataclass
class SparkSessionCredentials(SparkCredentials):
    """
    Where the session is, and what it is told.

    Attributes
    ----------
    master
        `local[CORES,TRIES]`, `spark://HOST:7077`, `yarn` or `k8s://…`: a driver in this process.
    remote
        `sc://HOST:15002`: a server that speaks Spark Connect; `master` is then left aside.
    warehouse
        Folder of the tables, on storage that every worker reaches. A Connect server has its own.
    catalog
        What keeps the names of tables: blank for a file in the warehouse folder, the address
        of a Hive metastore (`thrift://HOST:9083`), or `spark` for what spark-defaults.conf says.
    memory
        Of the driver, where this process starts it: `3GB`.
    """

    schema: str | None = "default"
    master: str = "local[*,4]"
    remote: str = ""
    warehouse: str = "warehouse.spark"
    catalog: str = ""
    memory: str = "3GB"
    server_side_parameters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Turn the few settings into Spark's many."""
        self.method = SparkConnectionMethod.SESSION
        self.host = self.remote or self.master
        given = self.server_side_parameters
        self.server_side_parameters = {**self._settings(), **given}
        super().__post_init__()

    @property
    def type(self) -> str:
        """Return the adapter's name."""
        return "sparksession"

    def _connection_keys(self) -> tuple[str, ...]:
        return "host", "warehouse", "catalog", "schema"

    def _settings(self) -> dict[str, str]:
        # Dates and times are the same whoever's clock the driver has.
        common = {
            "spark.sql.session.timeZone": "UTC",
            # Each function within a function takes turns of the analyser, and lists hold lists.
            "spark.sql.analyzer.maxIterations": "1000",
        }
        if self.remote:
            return {**common, "spark.remote": self.remote}
        folder = str(Path(self.warehouse).absolute()) if "://" not in self.warehouse else ""
        logging_file = Path(__file__).with_name("log4j2.properties")
        java_options = [f"-Dlog4j2.configurationFile={logging_file}"]
        settings = {
            **common,
            "spark.master": self.master,
            "spark.app.name": "deepinnovation",
            "spark.sql.warehouse.dir": folder or self.warehouse,
            "spark.driver.memory": re.sub("[bB]$", "", self.memory),
            # Its bar would write over the lines that tell which model runs.
            "spark.ui.showConsoleProgress": "false",
        }
        if not self.catalog and not folder:
            raise DbtRuntimeError(
                f"The warehouse {self.warehouse} is no folder of this machine, where a file could "
                "keep the names of its tables. Set DEEPINNOVATION_SPARK_CATALOG to the address of "
                "a Hive metastore (thrift://HOST:9083), or to `spark` where spark-defaults.conf "
                "names one."
            )
        if not self.catalog:
            database = f"jdbc:derby:;databaseName={folder}/metastore_db;create=true"
            settings["spark.hadoop.javax.jdo.option.ConnectionURL"] = database
            java_options.append(f"-Dderby.stream.error.file={folder}/derby.log")
        elif self.catalog != "spark":
            settings["spark.hadoop.hive.metastore.uris"] = self.catalog
        if self.master.startswith("local"):
            settings |= {
                # Nothing outside this machine has a part in it.
                "spark.driver.host": "localhost",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.ui.enabled": "false",
                # Spark's 200 pieces cost more than they bring where there are few cores.
                "spark.sql.shuffle.partitions": str(2 * cpu_count()),
            }
        settings["spark.driver.extraJavaOptions"] = " ".join(java_options)
        return settings


class SparkSessionColumn(SparkColumn):
    """Spark's columns, with the names of types that the models' contracts use."""

    TYPE_LABELS: ClassVar[dict[str, str]] = {"INTEGER": "int"}

    @classmethod
    def translate_type(cls, dtype: str) -> str:
        """Return Spark's name of a type."""
        if dtype.endswith("[]"):
            return f"array<{cls.translate_type(dtype[:-2])}>"
        return cls.TYPE_LABELS.get(dtype.upper(), dtype)


class SparkSessionConnectionManager(SparkConnectionManager):
    """Opens the one session of a build."""

    TYPE = "sparksession"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Find Java where it is needed, start the session, and hand it to dbt."""
        if connection.state == ConnectionState.OPEN:
            return connection
        credentials = connection.credentials
        if not credentials.remote:
            check_java()
            if "://" not in credentials.warehouse:
                Path(credentials.warehouse).mkdir(parents=True, exist_ok=True)
        open_session(credentials)
        handle = dbt_spark_session.Connection(
            server_side_parameters=credentials.server_side_parameters
        )
        connection.handle = dbt_spark_session.SessionConnectionWrapper(handle)
        connection.state = ConnectionState.OPEN
        return connection


class SessionJob(PythonJobHelper):
    """Runs a Python model in the session."""

    def __init__(self, parsed_model: dict[str, Any], credentials: SparkSessionCredentials) -> None:
        self.name = parsed_model["alias"]
        self.credentials = credentials

    def submit(self, compiled_code: str) -> None:
        """Run the code that dbt made of a model."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{self.name}.py"
            path.write_text(compiled_code, encoding="utf-8")
            # Not among sys.modules: what it defines then travels to the workers by value.
            spec = importlib.util.spec_from_file_location(f"model_{self.name}", path)
            module = importlib.util.module_from_spec(spec)
            module.spark = open_session(self.credentials)
            linecache.getlines(str(path))  # for tracebacks, after the folder is gone
            spec.loader.exec_module(module)


class SparkSessionAdapter(SparkAdapter):
    """dbt-spark's adapter, with Python models in its own session."""

    ConnectionManager = SparkSessionConnectionManager
    Column = SparkSessionColumn

    @property
    def default_python_submission_method(self) -> str:
        """Return where Python models run unless they say otherwise."""
        return "session"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        """Return all places where Python models can run."""
        return {"session": SessionJob}

    @available
    def clear_leftovers(self, relation: Any) -> None:  # noqa: ANN401 - a name to dbt
        """
        Remove the folder of a table that the catalog does not know.

        A killed driver leaves one, and Spark refuses to create a table over it. Through Spark
        Connect no folder can be removed; a server ends what it began, unless it is killed itself:
        then Spark names the folder (LOCATION_ALREADY_EXISTS) and a person must remove it.
        """
        session = open_session(self.config.credentials)
        if self.config.credentials.remote or session.catalog.tableExists(relation.render()):
            return
        parent = session.catalog.getDatabase(relation.schema).locationUri
        path = session._jvm.org.apache.hadoop.fs.Path(f"{parent}/{relation.identifier}")
        path.getFileSystem(session._jsparkSession.sessionState().newHadoopConf()).delete(path, True)

    @available
    def insert_rows(self, relation: Any, rows: Any) -> None:  # noqa: ANN401 - a name, an agate table
        """Insert the rows of a seed into its table, whose types they are cast to."""
        session = open_session(self.config.credentials)
        table = session.table(relation.render())
        texts = pa.Table.from_pydict(
            {
                name: pa.array([None if v is None else str(v) for v in column.values()], "string")
                for name, column in zip(rows.column_names, rows.columns, strict=True)
            }
        )
        given = session.createDataFrame(texts)
        typed = [given[field.name].cast(field.dataType) for field in table.schema]
        given.select(*typed).coalesce(1).write.insertInto(relation.render())

    @available
    def write_file(self, relation: Any, file: str, options: str) -> None:  # noqa: ANN401
        """
        Write a relation to one local file, rows in its order, by DuckDB's COPY.

        DuckDB writes what Spark computed, so that the bytes are those of a build on DuckDB.
        """
        import duckdb
        from pyspark.sql.pandas.types import to_arrow_schema

        frame = open_session(self.config.credentials).table(relation.render())
        schema = to_arrow_schema(frame.schema)

        def batches():  # noqa: ANN202
            rows = []
            for row in frame.toLocalIterator():
                rows.append(row.asDict(recursive=True))
                if len(rows) == ROWS_PER_BATCH:
                    yield pa.RecordBatch.from_pylist(rows, schema)
                    rows = []
            yield pa.RecordBatch.from_pylist(rows, schema)

        Path(file).parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            rows = connection.from_arrow(pa.RecordBatchReader.from_batches(schema, batches()))
            rows.query("published", f"copy (select * from published) to '{file}' ({options})")


def open_session(credentials: SparkSessionCredentials) -> SparkSession:
    """Return the session of this process; start it where there is none."""
    from pyspark.sql import SparkSession

    # It prints every error that Python raises as well, with the whole plan and trace of Java.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    if not credentials.remote and credentials.master.startswith("local"):
        # Spark would take the first python3 on the PATH. Elsewhere the workers' machines decide.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in credentials.server_side_parameters.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def check_java() -> None:
    """
    Find Java.

    Raises
    ------
    DbtRuntimeError
        When there is none, or it is too old for Spark.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin" if home else None)
    remedy = (
        f"Install Java {OLDEST_JAVA} or newer (the package openjdk-{OLDEST_JAVA}-jre-headless) "
        "and name its folder in JAVA_HOME if it is not on the PATH, or reach a server that has it "
        "through DEEPINNOVATION_SPARK_REMOTE=sc://HOST:15002."
    )
    if java is None:
        place = f"in {home}/bin (JAVA_HOME)" if home else "on the PATH"
        raise DbtRuntimeError(f"Spark needs Java, and there is none {place}. {remedy}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr)
    if not found or int(found[1]) < OLDEST_JAVA:
        version = found[1] if found else "of unknown version"
        raise DbtRuntimeError(f"{java} is Java {version}. {remedy}")


Plugin = AdapterPlugin(
    adapter=SparkSessionAdapter,
    credentials=SparkSessionCredentials,
    include_path=str(Path(__file__).parent),
    dependencies=["spark"],
    project_name="dbt_sparksession",
)
