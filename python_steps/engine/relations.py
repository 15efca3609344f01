"""
Work with a relation of either engine: a lazy DuckDB relation, or a Spark DataFrame.

With `shards`, the only modules of the steps that know which engine runs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation
    from pyspark.sql import DataFrame, SparkSession

    Session = DuckDBPyConnection | SparkSession
    Result = pa.RecordBatchReader | DataFrame
    Relation = TypeVar("Relation", DuckDBPyRelation, DataFrame)

ROWS_PER_BATCH = 8192


def without(relation: Relation, done: Relation, on: Sequence[str]) -> Relation:
    """
    Return the rows of a relation that have no equal in another.

    Parameters
    ----------
    relation
        What is wanted.
    done
        What is there already.
    on
        Columns that must be equal, none of them null.
    """
    if is_spark(relation):
        return relation.join(done.select(*on), on=list(on), how="left_anti")
    condition = " and ".join(f'wanted."{name}" = done."{name}"' for name in on)
    return relation.set_alias("wanted").join(done.set_alias("done"), condition, how="anti")


def select(relation: Relation, columns: Sequence[str]) -> Relation:
    """Return some columns of a relation."""
    return relation.select(*columns) if is_spark(relation) else relation.project(_quoted(columns))


def semi_join(relation: Relation, others: Relation, on: Mapping[str, str]) -> Relation:
    """
    Return the rows of a relation that have an equal in another, each once.

    Parameters
    ----------
    relation
        What is wanted a part of.
    others
        What says which part.
    on
        Columns of `relation` that must be equal, by name, to columns of `others`.
    """
    if is_spark(relation):
        renamed = others.select(*(others[other].alias(name) for name, other in on.items()))
        return relation.join(renamed, on=list(on), how="left_semi")
    condition = " and ".join(f'wanted."{name}" = others."{other}"' for name, other in on.items())
    return relation.set_alias("wanted").join(others.set_alias("others"), condition, how="semi")


def collect(relation: Relation, *, columns: Sequence[str], order: Sequence[str]) -> pa.Table:
    """Return columns of a small relation whole, in an order."""
    if is_spark(relation):
        return relation.orderBy(*order).select(*columns).toArrow()
    return relation.order(_quoted(order)).project(_quoted(columns)).to_arrow_table()


def table(relation: Relation, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema of a small relation, ordered by all of them."""
    return collect(relation, columns=schema.names, order=schema.names).cast(schema)


def count(relation: Relation) -> int:
    """Return the number of rows."""
    return relation.count() if is_spark(relation) else relation.count("*").fetchall()[0][0]


def count_by(relation: Relation, column: str) -> dict[object, int]:
    """Return the number of rows of each value of a column that has few; nulls are left out."""
    if is_spark(relation):
        counted = relation.groupBy(column).count().collect()
    else:
        counted = relation.aggregate(f'"{column}", count(*)', f'"{column}"').fetchall()
    return {value: rows for value, rows in counted if value is not None}


def any_value(relation: Relation, column: str) -> object:
    """Return a value of a column, whichever comes first; None without rows."""
    one = relation.limit(1)
    rows = one.select(column).collect() if is_spark(one) else one.select(f'"{column}"').fetchall()
    return rows[0][0] if rows else None


def union(results: Iterable[Result], schema: pa.Schema) -> Result:
    """Return the rows of all that several calls of :func:`map_shards` give, one after another."""
    results = list(results)
    if is_spark(results[0]):
        return reduce(lambda some, more: some.unionAll(more), results)
    return pa.RecordBatchReader.from_batches(schema, itertools.chain.from_iterable(results))


def whole(result: Result) -> pa.Table:
    """Return all that :func:`map_shards` gives, for results that are small."""
    return result.toArrow() if is_spark(result) else result.read_all()


def batches(result: Result) -> Iterator[pa.RecordBatch]:
    """Yield all that :func:`map_shards` gives; of Spark, which hands it over whole, at once."""
    return iter(result.toArrow().to_batches() if is_spark(result) else result)


def stream(relation: Relation, *, key: str, order: str) -> Iterator[pa.RecordBatch]:
    """
    Return the rows of a large relation in batches, ordered by `key` and then `order`.

    No more than the rows of one key are held at a time: Spark hands over a result only whole, so
    it is asked for one key after another.
    """
    if not is_spark(relation):
        yield from relation.order(_quoted([key, order])).to_arrow_reader(ROWS_PER_BATCH)
        return
    for value in sorted(row[0] for row in relation.select(key).distinct().collect()):
        rows = relation.filter(relation[key] == value).orderBy(order)
        yield from rows.toArrow().to_batches(ROWS_PER_BATCH)


def as_relation(session: Session, table: pa.Table) -> pa.Table | DataFrame:
    """Return a table in the form in which dbt takes it from a Python model."""
    if is_spark(session):
        return session.createDataFrame(table.cast(portable_schema(table.schema)))
    return table


def is_spark(thing: object) -> bool:
    """Whether a relation or a session is Spark's, of a driver or of Spark Connect."""
    return type(thing).__module__.startswith("pyspark.")


def _quoted(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def portable_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema with lists of fixed size, which Spark has not, as plain lists."""
    return pa.schema(
        [
            field.with_type(pa.list_(field.type.value_type))
            if pa.types.is_fixed_size_list(field.type)
            else field
            for field in schema
        ]
    )
