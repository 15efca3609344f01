"""What the first records of a source show, before hours are spent on all of them.

Used by `deepinnovation check`. Records are read by DuckDB in memory in the same way as
macros/delivered_records.sql reads them, and judged by the same reasons as macros/clean.sql.
"""

import glob
import os
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.sources import Listing, Source, list_files

if TYPE_CHECKING:
    import duckdb

HEAD_ROWS = 1000
HEAD_FILES = 10
READ_FULLY_BELOW = 32 << 20  # bytes of all files of a source together
LONGEST_RECORD = 32 << 20  # bytes, as in macros/delivered_records.sql


@dataclass(frozen=True)
class Form:
    """What a system's records look like: the fields that matter, and SQL over a record `j`.

    SQL gives text. It is a shorter form of what the system's staging model does.
    """

    required: tuple[tuple[str, ...], ...]  # of each group, one field must be there
    optional: tuple[str, ...]
    identifier: str
    title: str
    abstract: str
    year: str
    language: str
    also_rejected: tuple[tuple[str, str], ...] = ()  # reason, condition


def _publication_number(number: str) -> str:
    compact = f"upper(regexp_replace({number}, '[^A-Za-z0-9]', '', 'g'))"
    return f"regexp_extract({compact}, '^[A-Z]{{2}}[A-Z]{{0,2}}[0-9]+([A-Z][0-9]?)?$')"


_TABLES = {
    "title": "j ->> 'title'",
    "abstract": "j ->> 'abstract'",
    "language": "j ->> 'language'",
}

FORMS = {
    ("papers", "openalex"): Form(
        required=(("id",), ("title", "display_name"), ("publication_year",)),
        optional=(
            *("abstract_inverted_index", "doi", "language", "authorships", "primary_location"),
            *("type", "cited_by_count", "keywords", "topics", "publication_date"),
        ),
        identifier="regexp_extract(j ->> 'id', "
        "'^(https?://openalex[.]org/)?(works/)?[Ww]?([0-9]+)$', 3)",
        title="coalesce(j ->> 'title', j ->> 'display_name')",
        abstract="nullif(j ->> 'abstract_inverted_index', '{}')",
        year="j ->> 'publication_year'",
        language="j ->> 'language'",
        also_rejected=(("paratext", "j ->> 'is_paratext' = 'true'"),),
    ),
    ("papers", "tables"): Form(
        required=(("id",), ("title",), ("publication_year",)),
        optional=(
            *("abstract", "doi", "language", "keywords", "authors", "institutions", "country"),
            *("venue", "work_type", "cited_by_count", "categories", "source"),
            *("label_is_ai", "label_source"),
        ),
        identifier="j ->> 'id'",
        year="j ->> 'publication_year'",
        **_TABLES,
    ),
    ("patents", "google_patents"): Form(
        required=(
            ("publication_number",),
            ("title_localized",),
            ("filing_date", "priority_date", "publication_date", "grant_date"),
        ),
        optional=(
            *("abstract_localized", "application_number", "family_id", "ipc", "cpc"),
            *("filing_date", "priority_date", "publication_date", "grant_date"),
            *("assignee_harmonized", "inventor_harmonized"),
        ),
        identifier=_publication_number("j ->> 'publication_number'"),
        title="j ->> '$.title_localized[0].text'",
        abstract="j ->> '$.abstract_localized[0].text'",
        year="nullif(substring(j ->> 'filing_date', 1, 4), '0')",
        language="j ->> '$.title_localized[0].language'",
    ),
    ("patents", "tables"): Form(
        required=(("publication_number", "id"), ("title",), ("year",)),
        optional=(
            *("abstract", "ipc", "cpc", "application_number", "family_id", "applicant"),
            *("inventors", "country", "language", "year_basis", "source"),
            *("label_is_ai", "label_source"),
        ),
        identifier=_publication_number("coalesce(j ->> 'publication_number', j ->> 'id')"),
        year="j ->> 'year'",
        **_TABLES,
    ),
    ("labels", "tables"): Form(
        required=(("source_record_id",), ("is_ai",)),
        optional=("label_source",),
        identifier="j ->> 'source_record_id'",
        title="'-'",  # labels have none
        abstract="cast(null as varchar)",
        year="cast(null as varchar)",
        language="cast(null as varchar)",
        also_rejected=(("missing_label", "try_cast(j ->> 'is_ai' as boolean) is null"),),
    ),
}


@dataclass
class Head:
    """What the first records of a source show.

    Attributes
    ----------
    size
        Bytes of all files of the source.
    formats
        Number of files by format, in words.
    rows, is_exact
        Records of the whole source, counted or estimated from the size of those read.
    rows_read
        Records looked at; the attributes below are of these.
    fields
        Field name to the number of records where it is not null.
    missing
        Required fields that no record has (alternatives joined by ` or `).
    absent
        Optional fields that no record has.
    rejected
        Reason to number of records that a build would refuse, named as in rejected_records.
    languages
        Language to number of records.
    years
        First and last year of accepted records; None where there is none.
    abstracts
        Records with an abstract.
    bytes_of_record
        Mean length of a record as JSON text.
    problems
        Sentences about what cannot be read, each with its file.
    """

    source: Source
    listing: Listing
    size: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    is_exact: bool = True
    rows_read: int = 0
    fields: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    abstracts: int = 0
    bytes_of_record: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        """Whether a build can start from this source."""
        return not self.problems and not self.missing


def read_head(source: Source, earliest_year: int) -> Head:
    """Read the first records of a source, all of them where they are few.

    Parameters
    ----------
    source
        Its archives must be unpacked.
    earliest_year
        Documents said to be older count as rejected (`vars: earliest_year` in dbt_project.yml).

    Raises
    ------
    InputError
        If a location gives no file.
    """
    import duckdb

    listing = list_files(source)
    head = Head(source, listing, size=sum(file.stat().st_size for file in listing.files))
    head.formats = Counter(_format_in_words(file) for file in listing.files)
    reads_all = head.size <= READ_FULLY_BELOW
    chosen = listing.files if reads_all else _spread(listing.files, HEAD_FILES)
    rows_of_file = None if reads_all else -(-HEAD_ROWS // len(chosen))
    for file in set(listing.files) - set(chosen):
        if file.suffix == ".gz" and not _begins_as_gzip(file):
            head.problems.append(_damaged(file, "it does not begin as a gzip file does"))
    with duckdb.connect() as connection:
        connection.execute("create table head (file varchar, row_number bigint, record varchar)")
        for file in chosen:
            head.problems += _read_file(connection, file, rows_of_file)
        _describe(connection, head, FORMS[source.entity, source.system], earliest_year)
        if reads_all:
            head.is_exact = not head.problems
        else:
            head.rows, head.is_exact = _estimate_rows(connection, listing.files)
    return head


# ---------------------------------------------------------------- reading


def _spread(files: list[Path], count: int) -> list[Path]:
    """At most `count` files, evenly taken, the first and the last among them."""
    if len(files) <= count:
        return files
    return [files[round(i * (len(files) - 1) / (count - 1))] for i in range(count)]


def _form(file: Path | str) -> str:
    """How a file is read: lines, documents, parquet or csv."""
    name = str(file)
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith((".csv", ".csv.gz")):
        return "csv"
    return "documents" if name.endswith(".json") else "lines"


def _format_in_words(file: Path) -> str:
    words = {"lines": "JSON lines", "documents": "JSON", "parquet": "Parquet", "csv": "CSV"}
    return words[_form(file)] + (" (gzip)" if file.suffix == ".gz" else "")


def _begins_as_gzip(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(2) == b"\x1f\x8b"


def _damaged(file: Path, reason: str) -> str:
    return f"{file} cannot be read: {reason}. Download or export it again."


READ = {
    "lines": f"""
        select line from read_csv(?, delim = chr(1), quote = '', escape = '', header = false,
            auto_detect = false, columns = {{'line': 'VARCHAR'}},
            max_line_size = {LONGEST_RECORD}, buffer_size = {2 * LONGEST_RECORD})
    """,
    "documents": """
        select unnest(case
            when not json_valid(content) then string_split(content, chr(10))
            when json_type(content) = 'ARRAY' then from_json(content, '["JSON"]')
            when json_type(content, '$.results') = 'ARRAY'
                then from_json(json_extract(content, '$.results'), '["JSON"]')
            else [content]
        end) from read_text(?)
    """,
    "parquet": "select to_json(delivered) from read_parquet(?) as delivered",
    "csv": """
        select to_json(delivered)
        from read_csv(?, all_varchar = true, header = true) as delivered
    """,
}


def _read_file(connection: "duckdb.DuckDBPyConnection", file: Path, limit: int | None) -> list[str]:
    """Append the first records of a file to the table `head`; return the problem, if any."""
    import duckdb

    first = READ[_form(file)] + ("" if limit is None else f" limit {limit}")
    try:
        connection.execute(
            f"insert into head select '{file}', row_number() over (), record from ({first}) "
            "as read(record)",
            [glob.escape(str(file))],
        )
    except duckdb.Error as error:
        return [_damaged(file, str(error).strip().splitlines()[0].rstrip("."))]
    return []


def _estimate_rows(connection: "duckdb.DuckDBPyConnection", files: list[Path]) -> tuple[int, bool]:
    """Rows of all files, and whether that is exact: Parquet tells, others are judged by size."""
    parquet = [glob.escape(str(file)) for file in files if _form(file) == "parquet"]
    others = [file for file in files if _form(file) != "parquet"]
    exact = 0
    if parquet:
        (exact,) = connection.execute(
            "select sum(num_rows) from parquet_file_metadata(?)", [parquet]
        ).fetchone()
    if not others:
        return int(exact), True
    (mean,) = connection.execute(
        "select coalesce(avg(strlen(record)), 0) from head where file not like '%.parquet'"
    ).fetchone()
    return int(exact) + round(sum(map(_unpacked_size, others)) / (mean + 1)), False


def _unpacked_size(file: Path) -> int:
    """Bytes of a file's content; for gzip its last four bytes tell them, modulo 4 GiB."""
    packed = file.stat().st_size
    if file.suffix != ".gz" or packed < 20:
        return packed
    with file.open("rb") as opened:
        opened.seek(-4, os.SEEK_END)
        told = int.from_bytes(opened.read(4), "little")
    # Less than the packed size cannot be: 4 GiB were passed, or the file holds several members.
    return told if told > packed else 5 * packed


# ---------------------------------------------------------------- describing


def _describe(
    connection: "duckdb.DuckDBPyConnection", head: Head, form: Form, earliest_year: int
) -> None:
    """Fill a head from the table `head`."""
    reasons = "".join(f"when {condition} then '{name}' " for name, condition in form.also_rejected)
    latest_year = datetime.now(UTC).year + 1
    connection.execute(f"""
        create table judged as
        with parsed as (
            select
                file, row_number, record,
                try_cast(record as json) as valid,
                coalesce(json_type(valid) = 'OBJECT', false) as is_parsed,
                case when is_parsed then valid end as j
            from head
            where trim(record) <> ''
        )
        select
            *,
            nullif(trim({form.language}), '') as language,
            nullif(trim({form.abstract}), '') as abstract,
            {form.year} as delivered_year,
            try_cast(delivered_year as integer) as year,
            case
                when not is_parsed then 'malformed_record'
                when coalesce(trim({form.identifier}), '') = '' then 'missing_identifier'
                {reasons}
                when coalesce(trim({form.title}), '') = '' then 'missing_title'
                when delivered_year is not null
                    and coalesce(year not between {earliest_year} and {latest_year}, true)
                    then 'impossible_year'
            end as reason
        from parsed
    """)
    head.rows, head.abstracts, head.bytes_of_record, first, last = connection.execute("""
        select
            count(*), count(abstract), coalesce(avg(strlen(record)), 0),
            min(year) filter (reason is null), max(year) filter (reason is null)
        from judged
    """).fetchone()
    head.rows_read = head.rows
    head.years = None if first is None else (first, last)
    head.rejected = _counts(connection, "reason from judged where reason is not null")
    head.languages = _counts(connection, "language from judged where language is not null")
    present = """
        key from (select j, unnest(json_keys(j)) as key from judged where is_parsed)
        where case when contains(key, '"') then true
            else json_type(j, '$."' || key || '"') <> 'NULL' end
    """
    head.fields = _counts(connection, present)
    if head.fields:
        head.missing = [" or ".join(g) for g in form.required if not set(g) & set(head.fields)]
        head.absent = [name for name in form.optional if name not in head.fields]
    _explain_broken(connection, head)


def _counts(connection: "duckdb.DuckDBPyConnection", values: str) -> dict[str, int]:
    """Count values (`column from …`), the most frequent first."""
    counted = f"select value, count(*) from (select {values}) as v(value) group by 1"
    return dict(connection.execute(f"{counted} order by 2 desc, 1").fetchall())


def _explain_broken(connection: "duckdb.DuckDBPyConnection", head: Head) -> None:
    """Say where the first broken record is."""
    broken = connection.execute("""
        select file, row_number, coalesce(json_type(valid) = 'ARRAY', false)
        from judged where not is_parsed order by file, row_number limit 1
    """).fetchone()
    if broken is None:
        return
    file, row, is_array = broken
    if is_array:
        head.problems.append(
            f"{file} holds a JSON array where one record a line is expected. "
            "Unpack it and name it .json."
        )
    else:
        unit = "record" if _form(file) == "documents" else "line"
        head.listing.notes.append(f"The first broken record is {unit} {row} of {file}.")
