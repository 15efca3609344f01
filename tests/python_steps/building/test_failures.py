"""Claims about what is left of messages of Spark's.

The messages are real, provoked on Spark 4.3 in one process and through Spark Connect; of the calls
that led to each only a few are kept here.
"""

from pathlib import Path

import pytest

from python_steps.building.failures import remedies
from python_steps.building.messages import shortened
from python_steps.building.settings import Settings

CALLS = (
    "\n\tat org.apache.spark.sql.errors.QueryExecutionErrors$.raiseError(QueryErrors.scala:920)"
    "\n\tat scala.collection.Iterator$$anon$9.hasNext(Iterator.scala:593)"
    "\n\tat org.apache.spark.sql.execution.SparkPlan.$anonfun$getRdd$2(SparkPlan.scala:418)"
    "\n\tat java.base/java.lang.Thread.run(Thread.java:840)"
)

MESSAGES = {
    "column": (
        "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name "
        "`nonsense` cannot be resolved. Did you mean one of the following? [`id`]. SQLSTATE: 42703;"
        " line 1 pos 7;\n'Project ['nonsense]\n+- Range (0, 1, step=1)\n",
        [
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with "
            "name `nonsense` cannot be resolved. Did you mean one of the following? [`id`]. "
            "line 1 pos 7;"
        ],
        "",
    ),
    "syntax": (
        "\n[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'. SQLSTATE: 42601 (line 1, pos 0)"
        "\n\n== SQL ==\nselec 1\n^^^\n\n\nJVM stacktrace:\n"
        f"org.apache.spark.sql.catalyst.parser.ParseException{CALLS}",
        ["[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'. (line 1, pos 0)"],
        "",
    ),
    "rows of a subquery": (
        "An error occurred while calling o108.collectToPython.\n: org.apache.spark.SparkException: "
        "[SCALAR_SUBQUERY_TOO_MANY_ROWS] More than one row returned by a subquery used as an "
        "expression. SQLSTATE: 21000\n== SQL (line 1, position 8) ==\nselect (select id from "
        f"range(2))\n       ^^^^^^^^^^^^^^^^^^^^^^^^^\n{CALLS}\n",
        [
            "[SCALAR_SUBQUERY_TOO_MANY_ROWS] More than one row returned by a subquery used as an "
            "expression.",
            "== SQL (line 1, position 8) ==",
            "select (select id from range(2))",
            "^^^^^^^^^^^^^^^^^^^^^^^^^",
        ],
        "",
    ),
    "exception of a worker": (
        "\nAn exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
        '  File "/home/user/python_steps/embedding.py", line 22, in step\n'
        '    raise ValueError("bad abstract in shard 3")\nValueError: bad abstract in shard 3',
        ["ValueError: bad abstract in shard 3"],
        "",
    ),
    "exception of a worker, through Spark Connect": (
        "\n  An exception was thrown from the Python worker. Please see the stack trace below.\n"
        "[PYTHON_EXCEPTION] An exception was thrown from the Python worker: Traceback (most recent "
        'call last):\n  File "/home/user/python_steps/embedding.py", line 13, in step\n'
        "ValueError: bad abstract in shard 3\n SQLSTATE: 38000",
        ["ValueError: bad abstract in shard 3"],
        "",
    ),
    "memory of a worker": (
        "\nAn exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
        '  File "/home/user/python_steps/embedding.py", line 37, in step\n'
        "    raise MemoryError()\nMemoryError",
        ["MemoryError"],
        "DEEPINNOVATION_SPARK_MASTER=local[1,4]",
    ),
    "worker that was killed": (
        "An error occurred while calling o169.collectToPython.\n: org.apache.spark.SparkException: "
        "Job aborted due to stage failure: Task 0 in stage 4.0 failed 1 times, most recent failure:"
        " Lost task 0.0 in stage 4.0 (TID 4) (192.0.2.2 executor driver): "
        "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed). Consider "
        "setting 'spark.python.worker.faulthandler.enabled' configuration to 'true'."
        f"{CALLS}\nCaused by: java.io.EOFException{CALLS}\n\t... 21 more\n\nDriver stacktrace:"
        f"{CALLS}\nCaused by: org.apache.spark.SparkException: Python worker exited unexpectedly "
        "(crashed). Consider setting 'spark.python.worker.faulthandler.enabled' configuration to "
        f"'true'.{CALLS}\n\t... 1 more\nCaused by: java.io.EOFException{CALLS}\n\t... 21 more\n",
        [
            "SparkException: Python worker exited unexpectedly (crashed). Consider setting "
            "'spark.python.worker.faulthandler.enabled' configuration to 'true'."
        ],
        "DEEPINNOVATION_SPARK_MASTER=local[1,4]",
    ),
    "memory of the driver": (
        "An error occurred while calling o43.collectToPython.\n"
        f": java.lang.OutOfMemoryError: Java heap space{CALLS}\n",
        ["OutOfMemoryError: Java heap space"],
        "DEEPINNOVATION_MEMORY=8GB",
    ),
    "too much for the driver": (
        "An error occurred while calling o44.collectToPython.\n: org.apache.spark.SparkException: "
        "Job aborted due to stage failure: Total size of serialized results of 1 tasks (9.7 MiB) is"
        f" bigger than spark.driver.maxResultSize (1024.0 KiB){CALLS}\n",
        [
            "SparkException: Total size of serialized results of 1 tasks (9.7 MiB) is bigger than "
            "spark.driver.maxResultSize (1024.0 KiB)"
        ],
        "DEEPINNOVATION_MEMORY=8GB",
    ),
    "driver that is gone": (
        "An error occurred while calling o48.collectToPython.\n: java.lang.NullPointerException: "
        'Cannot invoke "org.apache.spark.scheduler.DAGScheduler.cleanupQueryJobs(long)" because '
        'the return value of "org.apache.spark.SparkContext.dagScheduler()" is null'
        f"{CALLS}\n",
        [
            'NullPointerException: Cannot invoke "org.apache.spark.scheduler.DAGScheduler.'
            'cleanupQueryJobs(long)" because the return value of "org.apache.spark.SparkContext.'
            'dagScheduler()" is null'
        ],
        "DEEPINNOVATION_MEMORY=8GB",
    ),
    "full disk": (
        "An error occurred while calling o56.parquet.\n: org.apache.spark.SparkException: "
        "[TASK_WRITE_FAILED] Task failed while writing rows to file:/data/marts.db/papers/"
        f"part-00000.snappy.parquet. SQLSTATE: 58030{CALLS}\nCaused by: org.apache.hadoop.fs."
        f"FSError: java.io.IOException: No space left on device{CALLS}\n\t... 1 more\nCaused by: "
        f"java.io.IOException: No space left on device{CALLS}\n\t... 53 more\n",
        [
            "[TASK_WRITE_FAILED] Task failed while writing rows to file:/data/marts.db/papers/"
            "part-00000.snappy.parquet.",
            "IOException: No space left on device",
        ],
        "SPARK_LOCAL_DIRS",
    ),
    "broken file": (
        "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///data/part_0.gz.  "
        f"SQLSTATE: KD001\n\nJVM stacktrace:\norg.apache.spark.SparkException{CALLS}\nCaused by: "
        f"java.io.EOFException: Unexpected end of input stream{CALLS}\n",
        [
            "/data/part_0.gz is a gzip file that was cut or is damaged. Download or export it "
            "again.",
        ],
        "",
    ),
    "storage without its package": (
        "An error occurred while calling o53.parquet.\n: java.lang.RuntimeException: java.lang."
        f"ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found{CALLS}\n",
        ["ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found"],
        "spark.jars.packages",
    ),
    "format without its package": (
        "An error occurred while calling o40.sql.\n: org.apache.spark.SparkClassNotFoundException: "
        "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: delta. Make sure the provider name"
        " is correct and the package is properly registered and compatible with your Spark version."
        f" SQLSTATE: 42K02{CALLS}\n",
        [
            "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: delta. Make sure the provider "
            "name is correct and the package is properly registered and compatible with your Spark "
            "version."
        ],
        "spark.jars.packages",
    ),
}


def in_dbt(message: str) -> str:
    """Return a message as dbt hands it on."""
    indented = "\n".join(f"  {line}" for line in message.splitlines())
    return f"Runtime Error in model papers (models/marts/papers.sql)\n{indented}"


@pytest.mark.parametrize("name", MESSAGES)
def test_the_cause_alone_is_left_of_a_page_of_java(name):
    message, cause, _ = MESSAGES[name]
    assert shortened(in_dbt(message)) == cause


@pytest.mark.parametrize("name", MESSAGES)
def test_the_remedy_is_told_where_there_is_one(name):
    message, _, remedy = MESSAGES[name]
    place = Path("/data/warehouse.spark")
    settings = Settings(Path("/project"), place, Path("/publication"), target="spark")
    advice = " ".join(remedies(in_dbt(message), settings))
    assert remedy in advice and bool(advice) == bool(remedy)


@pytest.mark.parametrize(
    ("command", "advised"),
    [
        ("classify", "DEEPINNOVATION_MEMORY=8GB deepinnovation classify …"),
        ("build", "DEEPINNOVATION_MEMORY=8GB deepinnovation build --target duckdb …"),
    ],
)
def test_more_memory_is_advised_for_the_command_that_was_run(command, advised):
    settings = Settings(
        Path("/project"), Path("/data/w.duckdb"), Path("/publication"), command=command
    )
    message = "Out of Memory Error: could not allocate block of size 296.0 KiB"
    assert remedies(message, settings)[0].endswith(advised)


def test_a_message_that_is_not_of_java_keeps_its_lines():
    message = "Database Error in model papers\n  Binder Error: at first (sight) it is\n  wrong"
    assert shortened(message) == ["Binder Error: at first (sight) it is", "wrong"]
