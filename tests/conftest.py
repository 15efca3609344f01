"""What tests of every folder share."""

import importlib.util
import os
import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Heed Ctrl-C: xdist's workers ignore it, and so would the programs that tests interrupt."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["SPARK_CONF_DIR"] = str(Path(__file__).with_name("spark"))


@pytest.fixture(scope="session")
def spark_is_possible():
    """Skip, saying what is missing, where Spark cannot run; fail where it is required."""
    stop = (
        pytest.fail if os.environ.get("DEEPINNOVATION_SPARK_TESTS") == "required" else pytest.skip
    )
    if not importlib.util.find_spec("pyspark"):
        stop("Spark is not installed: pip install '.[spark]'")
    from dbt.adapters.sparksession import check_java
    from dbt_common.exceptions import DbtRuntimeError

    try:
        check_java()
    except DbtRuntimeError as error:
        stop(str(error))


@pytest.fixture(scope="session")
def spark(spark_is_possible, tmp_path_factory):
    """The Spark session of the profile's target, on this machine: two workers, four tries."""
    from dbt.adapters.sparksession import SparkSessionCredentials, open_session

    warehouse = tmp_path_factory.mktemp("spark")
    session = open_session(
        SparkSessionCredentials(master="local[2,4]", warehouse=str(warehouse), memory="2GB")
    )
    yield session
    session.stop()
