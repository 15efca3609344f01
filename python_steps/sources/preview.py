"""What the first records of a source show, before hours are spent on all of them.

Used by `deepinnovation check`. Records are read and judged by the SQL of the build itself (see
staging.py), in a DuckDB in memory. Only what takes all records together is not foreseen: which
of them are one document, and classes that are none.
"""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.building.project_sql import StagingSql
from python_steps.sources.examination import Examination, examine
from python_steps.sources.exports import export_of
from python_steps.sources.findings import form_of, is_gzip
from python_steps.sources.locations import Listing, list_files
from python_steps.sources.plausibility import Counted, counted
from python_steps.sources.reading_errors import explain_reading
from python_steps.sources.systems import Source

if TYPE_CHECKING:
    import duckdb


HEAD_ROWS = 1000
HEAD_FILES = 10
READ_FULLY_BELOW = 32 << 20  # bytes of all files of a source together


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
        Name of every field to the number of records where it is not null.
    missing
        Required fields that no record has (alternatives joined by ` or `).
    absent
        Optional fields that no record has.
    unread
        Delivered fields of a table that nothing reads.
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
    counted
        What the records hold, to judge whether it is plausible.
    breaking
        Those of them that would stop a build; of the others it would make rejected records.
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
    unread: list[str] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    languages: dict[str, int] = field(default_factory=dict)
    years: tuple[int, int] | None = None
    abstracts: int = 0
    bytes_of_record: float = 0.0
    problems: list[str] = field(default_factory=list)
    counted: Counted = field(default_factory=Counted)
    breaking: list[str] = field(default_factory=list)

    @property
    def is_readable(self) -> bool:
        """Whether a build can start from this source."""
        return not self.problems and not self.missing


def read_head(source: Source, project: Path) -> Head:
    """Read the first records of a source, all of them where they are few.

    Parameters
    ----------
    source
        Its archives must be unpacked.
    project
        Folder of dbt_project.yml, whose staging models judge the records.

    Raises
    ------
    InputError
        If a location gives no file.
    """
    import duckdb

    from python_steps.building.settings import project_variables

    sql = StagingSql(project, project_variables(project))
    listing = list_files(source)
    head = Head(source, listing, size=sum(file.stat().st_size for file in listing.files))
    head.formats = Counter(_format_in_words(file) for file in listing.files)
    reads_all = head.size <= READ_FULLY_BELOW
    examination = examine(source, listing)
    head.problems += examination.problems
    listing.notes += examination.notes
    readable = [file for file in listing.files if file not in examination.refused]
    chosen = readable if reads_all else _spread(readable, HEAD_FILES)
    rows_of_file = None if reads_all else -(-HEAD_ROWS // max(len(chosen), 1))
    with duckdb.connect() as connection:
        for table, files, limit in (
            ("head", chosen, rows_of_file),
            *((name, files, None) for name, files in listing.beside.items()),
        ):
            connection.execute(f"create table {table} ({RECORD})")
            for file in files:
                if file not in examination.refused:
                    head.problems += _read_file(connection, sql, table, file, limit)
        head.breaking = list(head.problems)
        _describe(connection, sql, head)
        if reads_all:
            head.is_exact = not head.problems
            listing.notes += _short_of_promise(connection, examination)
        else:
            head.rows, head.is_exact = _estimate_rows(connection, readable)
    return head


def _short_of_promise(
    connection: "duckdb.DuckDBPyConnection", examination: Examination
) -> Iterator[str]:
    """Say which files hold fewer records than their manifest says."""
    counted = dict(
        connection.execute("select record_file, count(*) from head group by record_file").fetchall()
    )
    short = [
        (file, counted.get(file.as_posix(), 0), promised)
        for file, promised in examination.promised.items()
        if counted.get(file.as_posix(), 0) < promised
    ]
    if short:
        file, found, promised = short[0]
        yield (
            f"{len(short):,} files hold fewer records than the manifest says: download them again. "
            f"The first: {file} with {found:,} of {promised:,}."
        )


def _spread(files: list[Path], count: int) -> list[Path]:
    """At most `count` files, evenly taken, the first and the last among them."""
    if len(files) <= count:
        return files
    return [files[round(i * (len(files) - 1) / (count - 1))] for i in range(count)]


def _format_in_words(file: Path) -> str:
    words = {"lines": "JSON lines", "documents": "JSON", "parquet": "Parquet", "csv": "CSV"}
    return words[form_of(file)] + (" (gzip)" if is_gzip(file) else "")


def _damaged(file: Path, reason: str) -> str:
    return f"{file} cannot be read: {reason}. Download or export it again."


# Of staged records, by entity: the year, the abstract, the language and the fields not read.
COLUMNS = {
    "papers": ("publication_year", "abstract", "language"),
    "patents": ("year", "abstract", "language"),
}
NO_COLUMNS = ("null::integer", "null::varchar", "null::varchar")

RECORD = "record_file varchar, record_row bigint, record_text varchar"


def _read_file(
    connection: "duckdb.DuckDBPyConnection",
    sql: StagingSql,
    table: str,
    file: Path,
    limit: int | None,
) -> list[str]:
    """Append the first records of a file to a table; return the problem, if any."""
    import duckdb

    first = "" if limit is None else f" limit {limit}"
    try:
        records = sql.records(form_of(file), [str(file)])
        connection.execute(f"insert into {table} select * from ({records}){first}")
    except duckdb.Error as error:
        first_line = str(error).strip().splitlines()[0].rstrip(".")
        return [explain_reading(str(error)) or _damaged(file, first_line)]
    return []


def records_of(sql: StagingSql, files: Iterable[Path]) -> str:
    """Return SQL of all records in files of any formats."""
    by_form: dict[str, list[str]] = {}
    for file in files:
        by_form.setdefault(form_of(file), []).append(str(file))
    return " union all ".join(
        f"select * from ({sql.records(form, found)})" for form, found in by_form.items()
    )


def _estimate_rows(connection: "duckdb.DuckDBPyConnection", files: list[Path]) -> tuple[int, bool]:
    """Rows of all files, and whether that is exact: Parquet tells, others are judged by size."""
    parquet = [file for file in files if form_of(file) == "parquet"]
    others = [file for file in files if form_of(file) != "parquet"]
    exact = 0
    if parquet:
        (exact,) = connection.execute(
            "select sum(num_rows) from parquet_file_metadata(?)",
            [[glob.escape(str(file)) for file in parquet]],
        ).fetchone()
    if not others:
        return int(exact), True
    (mean,) = connection.execute(
        "select coalesce(avg(strlen(record_text)), 0) from head "
        "where record_file not ilike '%.parquet'"
    ).fetchone()
    return int(exact) + round(sum(map(_unpacked_size, others)) / (mean + 1)), False


def _unpacked_size(file: Path) -> int:
    """Bytes of a file's content; for gzip its last four bytes tell them, modulo 4 GiB."""
    packed = file.stat().st_size
    if not is_gzip(file) or packed < 20:
        return packed
    with file.open("rb") as opened:
        opened.seek(-4, os.SEEK_END)
        told = int.from_bytes(opened.read(4), "little")
    # Less than the packed size cannot be: 4 GiB were passed, or the file holds several members.
    return told if told > packed else 5 * packed


def _describe(connection: "duckdb.DuckDBPyConnection", sql: StagingSql, head: Head) -> None:
    """Fill a head from the table `head` and those beside it."""
    import duckdb

    try:
        _judge(connection, sql, head)
    except duckdb.Error as error:
        head.problems.append(f"A build would stop: {str(error).strip().splitlines()[0]}")
        head.breaking.append(head.problems[-1])
        return
    head.rows_read = head.rows = connection.execute("select count(*) from head").fetchone()[0]
    (head.bytes_of_record,) = connection.execute(
        "select coalesce(avg(strlen(record_text)), 0) from head"
    ).fetchone()
    head.abstracts, first, last = connection.execute("""
        select
            count(abstract),
            min(year) filter (reason is null), max(year) filter (reason is null)
        from judged
    """).fetchone()
    head.years = None if first is None else (first, last)
    head.rejected = _counts(connection, "reason from judged where reason is not null")
    head.languages = _counts(connection, "language from judged where language is not null")
    head.fields = _fields(connection)
    if head.fields:
        _compare_fields(head, sql)
    if sum(head.rejected.values()) == head.rows_read:
        reasons = ", ".join(reason.replace("_", " ") for reason in head.rejected)
        if head.rows_read:
            export = export_of(head.fields) if head.missing else None  # as Parquet is not told by
            head.problems.append(
                f"Every record would be rejected ({reasons}). "
                + (
                    f"The records are {export[0]}. {export[1]}"
                    if export
                    else f"Is {head.source.name} the right system for these files?"
                )
            )
        elif not head.problems:
            head.problems.append(f"{head.source.name} has no records.")
    _explain_broken(connection, head)


def _compare_fields(head: Head, sql: StagingSql) -> None:
    """Tell missing required fields, absent optional ones, and delivered ones that nobody reads."""
    delivery = head.source.delivery
    read = sql.fields_read(delivery.system, delivery.entity, head.fields)
    head.missing = [" or ".join(group) for group in delivery.required if not set(group) & {*read}]
    head.absent = [name for name in delivery.optional if name not in read]
    renamed = [f"{given} as {name}" for name, given in read.items() if given != name]
    if renamed:
        head.listing.notes.append(f"Columns are read by similar names: {', '.join(renamed)}.")
    if delivery.system == "tables":
        head.unread = sorted({*head.fields} - {*read.values()})
    elif any(form_of(file) == "csv" for file in head.listing.files):
        head.unread = sorted(
            name for name in head.fields if name.split(".")[0] not in delivery.fields
        )


def _judge(connection: "duckdb.DuckDBPyConnection", sql: StagingSql, head: Head) -> None:
    """Make the table `judged`: the year, abstract and language of records, and why one fails."""
    delivery = head.source.delivery
    year, abstract, language = COLUMNS.get(delivery.entity, NO_COLUMNS)
    rejected = "".join(
        f"when source_record_id in (select source_record_id "
        f"from ({sql.model(table.model, table.name)})) then '{table.rejects}' "
        for table in delivery.beside
        if table.rejects
    )
    connection.execute(
        f"create table staged as select * from ({sql.model(delivery.table.model, 'head')})"
    )
    connection.execute(f"""
        create table judged as
        select
            record_file, record_row, {year} as year,
            {abstract} as abstract, {language} as language,
            case when rejection_reason is not null then rejection_reason {rejected}end as reason
        from staged
    """)
    head.counted = counted(connection, sql, head.source, "staged")


def _fields(connection: "duckdb.DuckDBPyConnection") -> dict[str, int]:
    """Count the records in which each field has a value, the most frequent field first."""
    present = """
        select key, count(*) filter (
            where case when contains(key, '"') then true
                else json_type(j, '$."' || key || '"') <> 'NULL' end
        )
        from (
            select j, unnest(json_keys(j)) as key
            from (
                select case when json_valid(record_text) then json(record_text) end as j from head
            )
            where json_type(j) = 'OBJECT'
        )
        where key <> 'record_file'
        group by key
        order by 2 desc, 1
    """
    return dict(connection.execute(present).fetchall())


def _counts(connection: "duckdb.DuckDBPyConnection", values: str) -> dict[str, int]:
    """Count values (`column from …`), the most frequent first."""
    counted = f"select value, count(*) from (select {values}) as v(value) group by 1"
    return dict(connection.execute(f"{counted} order by 2 desc, 1").fetchall())


def _explain_broken(connection: "duckdb.DuckDBPyConnection", head: Head) -> None:
    """Say where the first broken record is."""
    broken = connection.execute("""
        select
            record_file, record_row,
            case when json_valid(record_text) then json_type(record_text) = 'ARRAY' else false end
        from judged inner join head using (record_file, record_row)
        where reason = 'malformed_record' order by all limit 1
    """).fetchone()
    if broken is None:
        return
    file, row, is_array = broken
    if is_array:
        head.problems.append(
            f"{file} contains a JSON array, but one record per line is expected. "
            "Unpack it and name it .json."
        )
    else:
        unit = "line" if form_of(file) == "lines" else "record"
        head.listing.notes.append(f"The first broken record is {unit} {row} of {file}.")
