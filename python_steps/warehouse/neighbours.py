"""Find the papers or patents of a warehouse nearest to a document of it, or to any text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from python_steps.embeddings.encoder import load_encoder
from python_steps.errors import InputError
from python_steps.transformer import weights

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from python_steps.warehouse.places import Tables


PAPER, PATENT = "paper", "patent"
READ = (("marts", "documents_to_match"), ("marts", "model_versions"))


# Products of two float32 are exact in double precision and the sum is rounded once, as the pairs of
# the warehouse are compared: the same pair has the same similarity here.
NEAREST = """
    select
        cast(row_number() over (order by similarity desc, document_id) as integer) as rank,
        similarity,
        document_id,
        year,
        is_ai,
        title
    from (
        select
            document_id,
            year,
            title,
            is_ai,
            cast(
                list_inner_product(cast(embedding as double[]), cast($vector as double[])) as float
            ) as similarity
        from marts.documents_to_match
        where
            embedding is not null
            and document_type = $document_type
            and document_id <> $document_id
            and ($from_year is null or year >= $from_year)
            and ($to_year is null or year <= $to_year)
    )
    order by rank
    limit $count
"""
DOCUMENT = """
    select document_id, document_type, year, title, abstract, embedding
    from marts.documents_to_match
    where
        document_id = $name
        or lower(doi) = lower(regexp_replace($name, '^(https?://(dx[.])?doi[.]org/|doi:)', '', 'i'))
        or publication_number = upper($name)
    order by document_id = $name desc, document_id
    limit 1
"""


@dataclass(frozen=True)
class Neighbours:
    """
    What is nearest to a query.

    Attributes
    ----------
    query
        `document_id`, `document_type`, `year` and `title` of the document that was asked for; None
        of a text.
    document_type
        ``paper`` or ``patent``: what was looked among.
    from_year, to_year
        Years that were looked in, both included; None: without end.
    rows
        `rank` (from 1), `similarity` (float32, cosine), `document_id`, `year`, `is_ai`, `title`,
        from the nearest to the farthest, equals by id.
    """

    query: dict[str, Any] | None
    document_type: str
    from_year: int | None
    to_year: int | None
    rows: pa.Table


def nearest(
    tables: Tables,
    query: str,
    *,
    count: int,
    document_type: str | None = None,
    from_year: int | None = None,
    to_year: int | None = None,
    embedding_model: str = weights.PACKAGED_MODEL,
    device: str = "auto",
) -> Neighbours:
    """
    Find what is nearest to a document of the warehouse, or to a text, by title and abstract.

    Compares with every vector of the warehouse in one query of DuckDB: linear in their number,
    about 10 seconds of processor time a million vectors of 384 numbers, in bounded memory.

    Parameters
    ----------
    tables
        The warehouse.
    query
        A `document_id`, DOI or publication number of the warehouse; any other text is embedded, if
        it has a blank or no digit.
    count
        Most documents to find.
    document_type
        What to look among. Of a paper patents, of a patent papers, and of a text patents, unless
        given.
    from_year, to_year
        Years to look in, both included. Patents for a paper are of its year or later and papers
        for a patent of its year or earlier, unless either is given.
    embedding_model, device
        See :func:`embedding.load_encoder`. The model is loaded for a text, and for a document that
        has no vector; it must be the one that the warehouse was embedded by.

    Raises
    ------
    InputError
        When the warehouse has no vectors or no such document, or was embedded by another model.
    ModelError
        When the model cannot be loaded.
    """
    import duckdb

    with _open(tables) as connection:
        try:
            found = _first(connection, DOCUMENT, name=query.strip())
            if found is None and _looks_like_a_name(query.strip()):
                message = (
                    f"No document of the warehouse has the id, DOI or publication number "
                    f"{query.strip()}. What is to be read as text has a blank or no digit."
                )
                raise InputError(message)
            if document_type is None:
                document_type = PAPER if found and found["document_type"] == PATENT else PATENT
            if found and from_year is None and to_year is None:
                before = found["document_type"] == PATENT and document_type == PAPER
                after = found["document_type"] == PAPER and document_type == PATENT
                from_year = found["year"] if after else None
                to_year = found["year"] if before else None
            vector = found and found["embedding"]
            if vector is None:
                texts = [found["title"], found["abstract"]] if found else [query]
                text = ". ".join(part for part in texts if part)
                vector = _embedded(connection, text, embedding_model, device)
            rows = connection.sql(
                NEAREST,
                params={
                    "vector": [float(number) for number in vector],
                    "document_id": found["document_id"] if found else "",
                    "document_type": document_type,
                    "from_year": from_year,
                    "to_year": to_year,
                    "count": count,
                },
            ).to_arrow_table()
        except duckdb.CatalogException as error:
            raise InputError(f"{_incomplete(tables)} DuckDB says: {error}") from error
    return Neighbours(
        found and {name: found[name] for name in ("document_id", "document_type", "year", "title")},
        document_type,
        from_year,
        to_year,
        rows,
    )


def _open(tables: Tables) -> duckdb.DuckDBPyConnection:
    import duckdb

    from python_steps.warehouse.opening import explain_warehouse

    try:
        there = tables.relations()
        if there is not None and not set(READ) <= there:
            raise InputError(_incomplete(tables))
        return tables.connect()
    except duckdb.Error as error:
        raise InputError(explain_warehouse(str(error), tables.path)) from error


def _incomplete(tables: Tables) -> str:
    return (
        f"The warehouse {tables.path} holds no vectors of documents: build it as far as them, with "
        "`deepinnovation build --select +documents_to_match +model_versions`."
    )


def _first(
    connection: duckdb.DuckDBPyConnection, sql: str, **values: object
) -> dict[str, Any] | None:
    """Return the first row of a query by the names of its columns; None without any."""
    rows = connection.sql(sql, params=values).to_arrow_table().to_pylist()
    return rows[0] if rows else None


def _looks_like_a_name(query: str) -> bool:
    return not any(each.isspace() for each in query) and any(each.isdigit() for each in query)


def _embedded(
    connection: duckdb.DuckDBPyConnection, text: str, model: str, device: str
) -> list[float]:
    """Return the vector of a text, by the encoder of the warehouse."""
    there = _first(connection, "from marts.model_versions where role = 'encoder'")
    if there is None:
        raise InputError("The warehouse does not say which model made its vectors: build it again.")
    encoder = load_encoder(
        model,
        precision=there["numeric_precision"],
        device=device,
        maximum_tokens=there["maximum_tokens"],
    )
    if encoder.model_version != there["model_version"]:
        raise InputError(
            f"The warehouse was embedded by {there['model_version']}, and a text would be by "
            f"{encoder.model_version}: name the model of the warehouse with --embedding-model."
        )
    return encoder.encode([text])[0].tolist()
