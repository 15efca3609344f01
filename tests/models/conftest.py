"""Small warehouses on both engines."""

from collections.abc import Callable

import pytest

from tests.small_warehouse import SmallWarehouse


# Spark takes ten seconds or more to plan a staging model; the gate compares the whole sample on it.
@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.slow)])
def warehouse(request: pytest.FixtureRequest) -> Callable[..., SmallWarehouse]:
    """Make a warehouse of deliveries, once for each engine: see SmallWarehouse."""
    session = None
    if request.param == "spark":
        session = request.getfixturevalue("spark")
        session.conf.set("spark.sql.shuffle.partitions", "1")
        session.conf.set("spark.sql.adaptive.enabled", "false")

    def made(delivered: dict, **variables: object) -> SmallWarehouse:
        return SmallWarehouse(delivered, session, **variables)

    yield made
    if session:
        session.catalog.clearCache()


@pytest.fixture
def on_duckdb() -> Callable[..., SmallWarehouse]:
    """Make a warehouse on DuckDB alone, where a table is the same by another test on both."""
    return lambda delivered, **variables: SmallWarehouse(delivered, **variables)
