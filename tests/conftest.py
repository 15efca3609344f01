"""What tests of every folder share."""

import pytest


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """The Spark session of the profile's target, on this machine: two workers, four tries."""
    pytest.importorskip("pyspark", reason="Spark is not installed: pip install '.[spark]'")
    from dbt.adapters.sparksession import SparkSessionCredentials, check_java, open_session
    from dbt_common.exceptions import DbtRuntimeError

    try:
        check_java()
    except DbtRuntimeError as error:
        pytest.skip(str(error))
    warehouse = tmp_path_factory.mktemp("spark")
    session = open_session(
        SparkSessionCredentials(master="local[2,4]", warehouse=str(warehouse), memory="2GB")
    )
    yield session
    session.stop()
