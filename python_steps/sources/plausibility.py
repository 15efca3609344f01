"""Whether a delivery is plausible, by the rules of a build (macros/delivery_warnings.sql)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_steps.building.project_sql import StagingSql

if TYPE_CHECKING:
    import duckdb

    from python_steps.sources.systems import Source

ERROR = "error"

MEASURES = (
    "source_system varchar, source_name varchar, document_type varchar, measure varchar, "
    "item varchar, records bigint"
)
UNREAD = (
    "source_system varchar, source_name varchar, document_type varchar, kind varchar, "
    "field varchar, value varchar, records bigint"
)
MERGED = (
    "source_system varchar, source_name varchar, document_type varchar, "
    "accepted_records bigint, merged_records bigint"
)


@dataclass(frozen=True)
class Warned:
    """Something implausible about a delivery.

    Attributes
    ----------
    warning
        What it is, in a word.
    severity
        `error` where a build stops before publication, else `warning`.
    message
        What is wrong and what to do, as a sentence.
    """

    warning: str
    severity: str
    message: str

    @property
    def is_grave(self) -> bool:
        """Whether documents lose their pairs or their decision by it."""
        return self.severity == ERROR or self.warning == "no_year"


@dataclass(frozen=True)
class Counted:
    """What records of sources hold.

    Attributes
    ----------
    measures
        Rows as the macro source_measures gives them.
    unread
        Rows as the mart values_not_understood has them.
    """

    measures: list[tuple] = field(default_factory=list)
    unread: list[tuple] = field(default_factory=list)

    @property
    def filled(self) -> dict[str, float]:
        """Share of accepted records with a value, by field."""
        accepted = sum(row[5] for row in self.measures if row[3] == "accepted")
        shares: dict[str, float] = {}
        for *_, measure, item, records in self.measures:
            if measure == "filled" and accepted:
                shares[item] = shares.get(item, 0.0) + records / accepted
        return shares


def counted(
    connection: "duckdb.DuckDBPyConnection", sql: StagingSql, source: "Source", staged: str
) -> Counted:
    """Count what staged records hold.

    Parameters
    ----------
    staged
        Relation of the columns of the source's staging model.
    """
    if not source.delivery.holds_documents:
        return Counted()
    of = (staged, source.delivery.system, source.entity.removesuffix("s"))
    return Counted(
        connection.execute(sql.macro("source_measures", *of)).fetchall(),
        _not_understood(connection, sql, sql.macro("unread_values", *of), _as_unioned(sql, *of)),
    )


def _as_unioned(sql: StagingSql, staged: str, system: str, document_type: str) -> dict[str, str]:
    """Return staged records as the models of a build know them: those of the other type are none.

    Only the columns are there that tell of countries.
    """
    columns = {
        "paper": {
            "country": "cast(null as string)",
            "authors": sql.macro("staged_authors"),
            "institutions": sql.macro("staged_institutions"),
        },
        "patent": {
            "inventors": sql.macro("staged_authors"),
            "applicants": sql.macro("staged_applicants"),
        },
    }
    unioned = {}
    for kind, lists in columns.items():
        if kind == document_type:
            rows = f"select '{system}' as source_system, * from {staged}"
        else:
            nulls = [f"{null} as {name}" for name, null in lists.items()]
            nulls += [f"'' as {n}" for n in ("source_system", "source_name", "rejection_reason")]
            rows = f"select {', '.join(nulls)} where false"
        unioned[f"int_{kind}s_unioned"] = f"({rows})"
    return unioned


def _not_understood(
    connection: "duckdb.DuckDBPyConnection",
    sql: StagingSql,
    unread: str,
    relations: Mapping[str, str],
) -> list[tuple]:
    """Return the rows of the mart values_not_understood for staged records.

    Countries travel as delivered out of staging: the models that a build reads them with do it
    here, too.
    """
    forms = str(sql.project / "seeds/reference/country_forms.csv").replace("'", "''")
    relations = {**relations, "int_values_not_understood": f"({unread})"}
    relations["country_forms"] = f"read_csv('{forms}', header = true, all_varchar = true)"
    for name in ("int_country_mentions", "int_country_texts"):  # which others read twice
        made = sql.over(name, relations)
        connection.execute(f"create or replace temp table {name} as {made}")
        relations[name] = f"temp.{name}"
    return connection.execute(sql.over("values_not_understood", relations)).fetchall()


def warnings(sql: StagingSql, sources: Iterable[Counted]) -> list[Warned]:
    """Return what is implausible about sources together, the gravest first."""
    import duckdb

    sources = list(sources)
    with duckdb.connect() as connection:
        for name, columns, rows in (
            ("measures_now", MEASURES, [row for one in sources for row in one.measures]),
            ("measures_before", MEASURES, []),
            ("unread_now", UNREAD, [row for one in sources for row in one.unread]),
            ("merged_now", MERGED, []),
        ):
            connection.execute(f"create table {name} ({columns})")
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                connection.executemany(f"insert into {name} values ({marks})", rows)
        reasons = sql.project / "seeds/reference/rejection_reasons.csv"
        connection.execute(
            "create table reasons as from read_csv(?, header = true)", [str(reasons)]
        )
        judged = sql.macro(
            "delivery_warnings",
            *("measures_now", "measures_before", "unread_now", "merged_now", "reasons"),
        )
        rows = connection.execute(
            f"select warning, severity, message from ({judged}) order by place"
        ).fetchall()
    return [Warned(*row) for row in rows]
