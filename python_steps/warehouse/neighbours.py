"""Find the papers or patents of a warehouse nearest to a document of it, or to any text."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from python_steps.building.project_sql import StagingSql
from python_steps.embeddings.encoder import AUTO, MODELS, load_encoder
from python_steps.errors import InputError
from python_steps.similarity.relatedness import Relatedness
from python_steps.warehouse.opening import opened

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    import pyarrow as pa

    from python_steps.warehouse.places import Tables


PAPER, PATENT = "paper", "patent"
CALIBRATIONS = "seeds/reference/relatedness_calibrations.csv"
READ = (("marts", "documents_to_match"), ("marts", "model_versions"))
REMEDY = "`deepinnovation build --select '+documents_to_match +model_versions'`"


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
# The ids of documents, and publication numbers without their kind, in the order that they count in.
NAMES = """
    select document_id, document_id as document_name, 0 as place from marts.documents_to_match
    union all
    select document_id, lower(doi), 1 from marts.documents_to_match where doi is not null
    union all
    select document_id, publication_number, 1 from marts.documents_to_match
    where publication_number is not null
    union all
    select document_id, regexp_extract(publication_number, '^(.*[0-9].*)-[A-Z][0-9]?$', 1), 2
    from marts.documents_to_match
    where publication_number is not null
"""
# Every id of every merged record, where the warehouse was built as a whole.
IDENTIFIED = """
    select 1 as is_there from information_schema.tables
    where table_schema = 'marts' and table_name = 'document_identifiers'
"""
OTHER_NAMES = """
    union all
    select
        document_id,
        case when identifier_kind = 'arxiv' then 'arXiv:' else '' end || identifier,
        1
    from marts.document_identifiers
    semi join marts.documents_to_match using (document_id)
"""
NAMED = """
    with forms as (
        {forms}
        union all
        select
            name,
            lower(regexp_replace(name, '^(https?://(dx[.])?doi[.]org/|doi:)', '', 'i')),
            2
        from (select $name as name)
    ),
    matches as (
        select document_id, place * 10 + form_rank as match_rank
        from ({names}) as names
        inner join forms using (document_name)
    )
    select distinct document_id from matches
    where match_rank = (select min(match_rank) from matches)
    order by document_id
"""
DOCUMENT = """
    select document_id, document_type, year, title, abstract, embedding
    from marts.documents_to_match
    where document_id = $document_id
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
        `rank` (from 1), `similarity` (float32, cosine), `relatedness` (float64: the probability
        that readers would call it related, by similarity alone; null among documents of one kind,
        and where the encoder has no calibration), `document_id`, `year`, `is_ai`, `title`, from the
        nearest to the farthest, equals by id.
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
    project: Path,
    count: int,
    document_type: str | None = None,
    from_year: int | None = None,
    to_year: int | None = None,
    embedding_model: str | None = None,
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
        A `document_id`, an id of OpenAlex or arXiv, a DOI or a publication number of the warehouse,
        in any form that links and labels may have; any other text is embedded, if it has a blank
        or no digit.
    project
        Folder of dbt_project.yml.
    count
        Most documents to find.
    document_type
        What to look among. Of a paper patents, of a patent papers, and of a text patents, unless
        given.
    from_year, to_year
        Years to look in, both included. Patents for a paper are of its year or later and papers
        for a patent of its year or earlier, unless either is given.
    embedding_model, device
        See :func:`encoder.load_encoder`. The model is loaded for a text, and for a document that
        has no vector; it must be the one that the warehouse was embedded by. None takes the
        packaged one that the warehouse names.

    Raises
    ------
    InputError
        When the warehouse has no vectors or no such document, when several have the name, or when
        it was embedded by another model.
    ModelError
        When the model cannot be loaded.
    """
    with opened(tables, READ, REMEDY) as connection:
        document = _document(connection, query.strip(), project)
        if document_type is None:
            is_patent = document is not None and document["document_type"] == PATENT
            document_type = PAPER if is_patent else PATENT
        if document and from_year is None and to_year is None:
            from_year, to_year = _years(document, document_type)
        vector = document and document["embedding"]
        if vector is None:
            texts = [document["title"], document["abstract"]] if document else [query]
            text = ". ".join(part for part in texts if part)
            vector = _embedded(connection, text, embedding_model, device)
        rows = connection.sql(
            NEAREST,
            params={
                "vector": [float(number) for number in vector],
                "document_id": document["document_id"] if document else "",
                "document_type": document_type,
                "from_year": from_year,
                "to_year": to_year,
                "count": count,
            },
        ).to_arrow_table()
        is_between_kinds = document is None or document["document_type"] != document_type
        calibration = _calibration(connection, project) if is_between_kinds else None
    rows = rows.add_column(2, "relatedness", _relatedness(rows, calibration))
    names = ("document_id", "document_type", "year", "title")
    facts = document and {name: document[name] for name in names}
    return Neighbours(facts, document_type, from_year, to_year, rows)


def _calibration(connection: duckdb.DuckDBPyConnection, project: Path) -> Relatedness | None:
    """Return how similarity alone becomes relatedness; None if the encoder is not calibrated."""
    facts = _first(connection, "from marts.model_versions where role = 'encoder'")
    with (project / CALIBRATIONS).open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            is_of_encoder = facts and f"/{row['encoder_hash']}/" in facts["model_version"]
            if is_of_encoder and (row["basis"], row["level"]) == ("similarity", "related"):
                return Relatedness(float(row["intercept"]), float(row["similarity_slope"]), 0.0)
    return None


def _relatedness(rows: pa.Table, calibration: Relatedness | None) -> pa.Array:
    """Return the relatedness of rows: float64, null without a calibration."""
    import pyarrow as pa

    if calibration is None:
        return pa.nulls(rows.num_rows, pa.float64())
    similarity = rows.column("similarity").to_numpy()
    return pa.array(calibration.probabilities(similarity, 0 * similarity), pa.float64())


def _document(
    connection: duckdb.DuckDBPyConnection, name: str, project: Path
) -> dict[str, Any] | None:
    """Return the document of a name, or None where the name is a text."""
    forms_of_name = StagingSql(project, {}).macro("forms_of_name", "asked", "name")
    is_identified = _first(connection, IDENTIFIED) is not None
    names = NAMES + (OTHER_NAMES if is_identified else "")
    forms = f"from (with asked as (select $name as name) {forms_of_name})"
    named = connection.execute(NAMED.format(forms=forms, names=names), {"name": name}).fetchall()
    if len(named) > 1:
        several = ", ".join(document_id for (document_id,) in named[:5])
        raise InputError(f"Several documents have the name {name}: {several}. Name one of them.")
    if not named and _looks_like_a_name(name):
        message = (
            f"No document of the warehouse has the id, DOI or publication number {name}. "
            "To search for a text, write more than one word, or a word without digits."
        )
        raise InputError(message)
    return _first(connection, DOCUMENT, document_id=named[0][0]) if named else None


def _years(document: dict[str, Any], document_type: str) -> tuple[int | None, int | None]:
    """Return the first and last year to look in: patents are not before, nor papers after."""
    kinds = (document["document_type"], document_type)
    from_year = document["year"] if kinds == (PAPER, PATENT) else None
    to_year = document["year"] if kinds == (PATENT, PAPER) else None
    return from_year, to_year


def _first(
    connection: duckdb.DuckDBPyConnection, sql: str, **values: object
) -> dict[str, Any] | None:
    """Return the first row of a query by the names of its columns; None without any."""
    rows = connection.sql(sql, params=values).to_arrow_table().to_pylist()
    return rows[0] if rows else None


def _looks_like_a_name(query: str) -> bool:
    return not any(each.isspace() for each in query) and any(each.isdigit() for each in query)


def _embedded(
    connection: duckdb.DuckDBPyConnection, text: str, model: str | None, device: str
) -> list[float]:
    """Return the vector of a text, by the encoder of the warehouse."""
    facts = _first(connection, "from marts.model_versions where role = 'encoder'")
    if facts is None:
        raise InputError("The warehouse does not say which model made its vectors: build it again.")
    named = facts["model_version"].rsplit("/", 3)[0]
    encoder = load_encoder(
        model or (named if named in MODELS.values() else AUTO),
        precision=facts["numeric_precision"],
        device=device,
        maximum_tokens=facts["maximum_tokens"],
    )
    if encoder.model_version != facts["model_version"]:
        raise InputError(
            f"The warehouse was embedded by {facts['model_version']}, and a text would be by "
            f"{encoder.model_version}: name the model of the warehouse with --embedding-model."
        )
    return encoder.encode([text])[0].tolist()
