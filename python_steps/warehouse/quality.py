"""What a warehouse tells of its delivery: warnings, and what was rejected."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from python_steps.ai_decision.folders import packaged_languages
from python_steps.errors import InputError
from python_steps.sources.plausibility import Warned
from python_steps.warehouse.places import Tables

# Whose country: most papers say it of authors; all patents have an office.
COUNTED_ROLE = {"paper": "author", "patent": "office"}
UNDECIDED = """
    select document_type, count(*), count(*) filter (where is_ai is null) as missing
    from marts.documents
    group by document_type
    having missing > 0
    order by document_type
"""
REASONS = """
    select replace(decision_reason, '_', ' ') as reason, count(*) as missing
    from marts.documents
    where is_ai is null and document_type = $1
    group by reason
    order by missing desc, reason
    limit 5
"""
UNDECIDED_LANGUAGES = """
    select distinct split_part(decision_reason, ': ', 2)
    from marts.documents
    where is_ai is null and document_type = $1 and decision_reason like 'language_not_supported: %'
"""
COUNTRIES = """
    select country_code, sum(undecided_documents)::bigint as missing, sum(documents)::bigint
    from marts.decision_counts
    where document_type = $1 and role = $2 and country_code is not null
    group by country_code
    having missing > 0
    order by missing desc, country_code
    limit 5
"""


@dataclass(frozen=True)
class Rejection:
    """Records that were rejected for one reason.

    Attributes
    ----------
    entity
        paper, patent, label, link or code.
    """

    entity: str
    reason: str
    records: int
    is_by_design: bool
    remedy: str


def delivery_warnings(tables: Tables) -> list[Warned]:
    """Return the rows of marts.delivery_warnings, the gravest first; none without such a table."""
    rows = _rows(
        tables, "select warning, severity, message from marts.delivery_warnings order by place"
    )
    return [Warned(*row) for row in rows]


def rejections(tables: Tables) -> list[Rejection]:
    """Return what was rejected of all sources, by entity and the largest number first."""
    rows = _rows(
        tables,
        "select entity, reason, sum(records)::bigint, bool_and(is_by_design), min(remedy) "
        "from marts.rejection_counts group by entity, reason order by entity, 3 desc, reason",
    )
    return [Rejection(*row) for row in rows]


def undecided(tables: Tables) -> list[str]:
    """
    Return sentences on documents that are neither AI nor not, one for each type that has some.

    Each names the commonest reasons, and the countries that miss most: where documents are not
    decided, counts by country are too low.
    """
    sentences = []
    for kind, documents, missing in _rows(tables, UNDECIDED):
        role = COUNTED_ROLE[kind]
        reasons = _rows(tables, REASONS, kind)
        told = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        sentence = f"{missing:,} of {documents:,} {kind}s are undecided, neither AI nor not: {told}"
        countries = _rows(tables, COUNTRIES, kind, role)
        if countries:
            told = ", ".join(f"{part:,} of {whole:,} of {code}" for code, part, whole in countries)
            sentence += f". By country of the {role}: {told}"
        languages = {language for (language,) in _rows(tables, UNDECIDED_LANGUAGES, kind)}
        further = sorted(languages & packaged_languages("all"))
        if further:
            sentence += f". --vars '{{languages: all}}' judges those in {' and '.join(further)}"
        sentences.append(f"{sentence}. All of them: marts.decision_counts.")
    return sentences


def _rows(tables: Tables, sql: str, *parameters: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a query; none where a table is not there, or not to be read from here."""
    import duckdb

    try:
        with tables.connect() as connection:
            return connection.execute(sql, parameters).fetchall()
    except (duckdb.CatalogException, InputError):
        return []
