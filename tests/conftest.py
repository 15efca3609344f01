"""What tests of every folder share."""

import importlib.util
import os
import signal
from pathlib import Path

import pytest

# The longest files, in the order in which two workers best take them: each takes the next one when
# it is free, and the second comes to the sample on Spark when the first has built the sample.
LONGEST = (
    "end_to_end/test_build.py",
    "python_steps/building/test_build_on_spark.py",
    "end_to_end/test_spark.py",
    "python_steps/building/test_build.py",
    "end_to_end/test_classify.py",
    "end_to_end/test_refresh.py",
    "end_to_end/test_delivered_records.py",
    "macros/test_macros.py",
    "end_to_end/test_linking.py",
)


# What of this project's configuration is meant for the tests themselves.
OF_TESTS = ("DEEPINNOVATION_REAL_DATA", "DEEPINNOVATION_SPARK_TESTS")


def pytest_configure() -> None:
    """Set what every process of the tests inherits, and nothing of anybody's configuration."""
    for name in os.environ.keys() - OF_TESTS:
        if name.startswith("DEEPINNOVATION_"):
            del os.environ[name]
    # xdist's workers ignore Ctrl-C, and so would the programs that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ["SPARK_CONF_DIR"] = str(Path(__file__).with_name("spark"))
    # Threads that wait would else burn the time of the other worker's: half of it, in torch.
    os.environ["OMP_WAIT_POLICY"] = "passive"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no worker is left alone with one at the end."""
    places = {Path(__file__).parent / name: place for place, name in enumerate(LONGEST)}
    assert all(path.exists() for path in places), "LONGEST names a file that is not there"
    items.sort(key=lambda item: places.get(item.path, len(places)))


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
