"""Which records of a table of papers or patents are about AI, without a warehouse of one's own.

The nodes of the project that lead to a decision are built, by the machinery of every build, into a
warehouse that is gone once the decisions are written. So a record is decided as any build decides
it, and what was stopped or killed goes on where it was.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from python_steps.engine.files import written_whole
from python_steps.engine.progress import silenced
from python_steps.errors import WRONG_USAGE, BuildError, InputError
from python_steps.sources.archives import unpack
from python_steps.sources.locations import READABLE_IN_WORDS, absolute, list_files, matching
from python_steps.sources.preview import Head, read_head
from python_steps.sources.systems import deliveries, source_of

if TYPE_CHECKING:
    import duckdb

    from python_steps.building.reporting import Reporter
    from python_steps.building.settings import Settings


ENTITIES = {"paper": "papers", "patent": "patents"}


COPY_OPTIONS = {
    ".csv": "format csv, header",
    ".jsonl": "format json",
    ".parquet": "format parquet, compression zstd",
}


NODES = "+record_decisions"


# Shards are what is in memory, reported and kept at a time. A power of 16: macros/shard.sql.
RECORDS_PER_SHARD = 4096
NUMBERS_OF_SHARDS = (1, 16, 256, 4096)


# Columns that people give papers and patents alike.
COLUMNS_OF_BOTH = {"year", "keywords"}


DECISIONS = """
    select
        source_name as source,
        source_record_id,
        document_id,
        is_ai,
        outer_probability,
        inner_probability,
        decided_by,
        decision_reason as reason,
        model_version
    from marts.record_decisions
    where document_type = '{document_type}'
    order by record_file, record_row
"""


COUNTS = """
    select
        case
            when is_ai then 'AI'
            when not is_ai then 'not AI'
            when reason like 'rejected: %' then reason
            else split_part(reason, ':', 1)
        end as verdict,
        count(*) as records
    from ({decisions})
    group by verdict
    order by records desc, verdict
"""


SHARING = """
    select count(document_id) - count(distinct document_id) from ({decisions})
"""


# What makes several records one document.
SHARED = {"papers": "an id, DOI or title", "patents": "a publication number or id"}


@dataclass(frozen=True)
class Request:
    """What is to be decided, and by whom.

    Attributes
    ----------
    project
        Folder of dbt_project.yml.
    location
        File, folder or glob of a table of papers or patents, as a user names it.
    output
        Absolute path of the file to write; its ending tells the format.
    document_type
        ``paper``, ``patent``, or None: guessed from the columns.
    classifiers
        Absolute path of trained classifiers; None for those that the project names.
    languages, precision, device
        The variables of these names; None for what the project says.
    is_quiet
        Whether to say nothing unless something fails.
    """

    project: Path
    location: str
    output: Path
    document_type: str | None = None
    classifiers: Path | None = None
    languages: str | None = None
    precision: str | None = None
    device: str | None = None
    is_quiet: bool = False

    @property
    def working_folder(self) -> Path:
        """Where everything lies until the output is complete."""
        return self.output.with_name(f"{self.output.name}.partial")


def decide(request: Request, reporter: "Reporter") -> int:
    """Write a decision for every record of a table.

    The output appears, or replaces an older one, when it is complete. Memory does not grow with
    the number of records: tables lie on disk, and a shard of texts is judged at a time.

    Returns
    -------
    int
        Exit code, as of a build.

    Raises
    ------
    InputError
        If the table cannot be read, or the output would be part of it.
    BuildError
        If it is unclear what the records are, a named classifier is for others, or the build
        cannot go on.
    """
    from python_steps.building.build import build

    if request.output.suffix.lower() not in COPY_OPTIONS:
        raise BuildError(
            f"{request.output} must end in {', '.join(COPY_OPTIONS)}: the ending sets the format.",
            WRONG_USAGE,
        )
    location = absolute(request.location)
    if not matching(location):
        raise InputError(f"{request.location} does not exist or matches nothing. Check the path.")
    _refuse_to_overwrite_input(request, location)
    with _working_folder(request):
        settings, head, entity = prepare(request, location)
    if not request.is_quiet:
        reporter.say(_announcement(request, head, entity))
    with silenced() if request.is_quiet else contextlib.nullcontext():
        outcome = build(settings, reporter)
    if outcome.exit_code == 0:
        counts, sharing = write_decisions(request, settings, entity)
        _clear(request, settings)
        if not request.is_quiet:
            reporter.say(f"{_in_words(counts, entity)} Written to {request.output}")
            if sharing:
                reporter.say(_sharing_in_words(sharing, entity))
    return outcome.exit_code


def _refuse_to_overwrite_input(request: Request, location: str) -> None:
    """Refuse an output that would be read as a part of the input, now or when it is there."""
    place = Path(location)
    if place.exists():
        is_part = place == request.output or place in request.output.parents
    else:
        written = (request.output, request.working_folder)
        before_wildcards = Path(location.partition("**")[0])
        is_part = any(path.match(location) for path in written) or (
            "**" in location and before_wildcards in request.output.parents
        )
    if is_part:
        raise BuildError(
            f"{request.output} would become part of the input {request.location}. Name a file "
            "elsewhere with --output.",
            WRONG_USAGE,
        )


def prepare(request: Request, location: str) -> tuple["Settings", Head, str]:
    """Look into the table, and settle what is to be built."""
    from python_steps.building.settings import Settings, project_variables

    # Of its own name: finished shards of several warehouses may lie in one folder.
    warehouse = request.working_folder / f"{request.output.name}.duckdb"
    asked = ENTITIES.get(request.document_type or "", "papers")
    source = source_of(request.project, asked, "tables", (location,))
    source = unpack(source, warehouse.with_name(f"{warehouse.name}.unpacked"))
    try:
        list_files(source)
    except InputError as error:
        raise InputError(
            f"{request.location} contains no readable file. Files must end in {READABLE_IN_WORDS}."
        ) from error
    head = read_head(source, request.project)
    _refuse_unreadable(request, head)
    entity = (
        asked if request.document_type or not head.rows_read else _guessed_entity(request, head)
    )
    _refuse_incomplete(request, head, entity)
    _refuse_useless_classifiers(request, entity)
    variables = {
        name: value
        for name, value in (
            ("classifiers", str(request.classifiers) if request.classifiers else None),
            ("languages", request.languages),
            ("precision", request.precision),
            ("device", request.device),
            ("shards", _shards(head.rows, project_variables(request.project)["shards"])),
        )
        if value is not None
    }
    settings = Settings(
        project=request.project,
        warehouse=warehouse,
        publication=request.working_folder / "publication",
        sources=(source_of(request.project, entity, "tables", source.locations),),
        select=NODES,
        command="classify",
        variables=variables,
        is_quiet=True,  # a line for each node says nothing about one table
        with_tests=False,
    )
    return settings, head, entity


def _refuse_unreadable(request: Request, head: Head) -> None:
    if head.breaking:
        raise InputError(" ".join(head.breaking))
    if head.rows_read and head.rejected.get("malformed_record") == head.rows_read:
        hints = " ".join(sentence for sentence in head.problems[1:] if "JSON array" in sentence)
        raise InputError(
            f"No record in {request.location} can be read. "
            + (hints or "Records are rows of .csv or .parquet, or objects in .jsonl, one per line.")
        )


def _guessed_entity(request: Request, head: Head) -> str:
    """Return `papers` or `patents` by the columns that only one of them has."""
    columns = {
        entity: deliveries(request.project)[entity, "tables"].fields for entity in ENTITIES.values()
    }
    telling = {
        "papers": columns["papers"] - columns["patents"] - COLUMNS_OF_BOTH,
        "patents": columns["patents"] - columns["papers"] - COLUMNS_OF_BOTH,
    }
    filled = {name for name, values in head.fields.items() if values}
    for there in (filled, set(head.fields)):  # a table of both kinds leaves columns empty
        kinds = [entity for entity, names in telling.items() if names & there]
        if len(kinds) == 1:
            return kinds[0]
        if kinds:
            break
    raise BuildError(
        f"{request.location} could be papers or patents; its columns ({_listed(head)}) fit "
        "both. Add --document-type paper or --document-type patent.",
        WRONG_USAGE,
    )


def _refuse_incomplete(request: Request, head: Head, entity: str) -> None:
    """Refuse a table without a column that every record needs."""
    missing = [
        " or ".join(names)
        for names in deliveries(request.project)[entity, "tables"].required
        if head.fields and not set(names) & set(head.fields)
    ]
    if missing:
        raise InputError(
            f"{request.location} has no column {' and none '.join(missing)}, which is required for "
            f"{entity}. Its columns: {_listed(head)}. Files as delivered by OpenAlex or Google "
            "Patents are read by `deepinnovation build` only."
        )


def _listed(head: Head) -> str:
    names = sorted(head.fields)
    return ", ".join(names[:20]) + (" …" if names[20:] else "")


def _refuse_useless_classifiers(request: Request, entity: str) -> None:
    """Refuse a folder without a classifier for these records: the packaged ones would decide."""
    if request.classifiers is None:
        return
    from python_steps.ai_decision.folders import classifier_folders, read_description

    kinds = {
        kind
        for folder in classifier_folders(request.classifiers)
        for kind in read_description(folder)["document_types"]
    }
    if not any(ENTITIES.get(kind) == entity for kind in kinds):
        raise BuildError(
            f"{request.classifiers} has no classifier for {entity}, only of "
            f"{' and '.join(ENTITIES[kind] for kind in sorted(kinds))}.",
            WRONG_USAGE,
        )


def _shards(records: int, named: int) -> int | None:
    """Return more shards than the project names where these would be too large, else None."""
    needed = next(
        (n for n in NUMBERS_OF_SHARDS if records <= n * RECORDS_PER_SHARD), NUMBERS_OF_SHARDS[-1]
    )
    return needed if needed > named else None


@contextlib.contextmanager
def _working_folder(request: Request) -> Iterator[None]:
    """Make the working folder; one that was not there goes again where the input is refused."""
    folder = request.working_folder
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(
            f"{folder} cannot be created ({error.strerror}). Name a file elsewhere with --output."
        ) from error
    try:
        yield
    except BaseException:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _announcement(request: Request, head: Head, entity: str) -> str:
    count = f"{'' if head.is_exact else 'about '}{head.rows:,} {_named(entity, head.rows)}"
    return f"Reading {count} from {request.location}"


def write_decisions(
    request: Request, settings: "Settings", entity: str
) -> tuple[dict[str, int], int]:
    """Put the output in place and count records: by verdict, and with another's decision."""
    import duckdb

    decisions = DECISIONS.format(document_type=entity.removesuffix("s"))
    options = COPY_OPTIONS[request.output.suffix.lower()]
    try:
        with written_whole(request.output) as partial, settings.tables.connect() as connection:
            memory = os.environ.get("DEEPINNOVATION_MEMORY") or "3GB"
            connection.execute("set memory_limit = ?", [memory])
            target = str(partial).replace("'", "''")
            copied = _one(connection, f"copy ({decisions}) to '{target}' ({options})")
            delivered = _one(connection, f"select count(*) from staging.stg_tables__{entity}")
            counts = connection.execute(COUNTS.format(decisions=decisions)).fetchall()
            sharing = _one(connection, SHARING.format(decisions=decisions))
            if copied != delivered:
                raise BuildError(
                    f"{delivered:,} records were read and {copied:,} decided; nothing was written "
                    f"to {request.output}. Please report this, with the folder "
                    f"{request.working_folder}."
                )
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise BuildError(f"{request.output} cannot be written: {reason}") from error
    except OSError as error:
        raise BuildError(f"{request.output} cannot be written ({error.strerror}).") from error
    return dict(counts), sharing


def _one(connection: "duckdb.DuckDBPyConnection", sql: str) -> Any:  # noqa: ANN401
    """Return the first value of the first row."""
    return connection.execute(sql).fetchone()[0]


def _clear(request: Request, settings: "Settings") -> None:
    from python_steps.engine.checkpoints import clear_checkpoints

    clear_checkpoints(settings.checkpoints)
    shutil.rmtree(request.working_folder, ignore_errors=True)


def _in_words(counts: dict[str, int], entity: str) -> str:
    """Return one sentence on the records of each verdict."""
    total = sum(counts.values())
    judged = {name: counts.get(name, 0) for name in ("AI", "not AI")}
    others = {name: count for name, count in counts.items() if name not in judged}
    parts = [f"{count:,} {name}" for name, count in judged.items()]
    left = f"{sum(others.values()):,} not judged"
    if others:
        reasons = (f"{count:,} {name.replace('_', ' ')}" for name, count in others.items())
        left += f" ({', '.join(reasons)})"
    return f"{total:,} {_named(entity, total)}: {', '.join([*parts, left])}."


def _sharing_in_words(count: int, entity: str) -> str:
    """Return one sentence on the records that are one document with another."""
    shares, has = ("record shares", "has") if count == 1 else ("records share", "have")
    return f"{count:,} {shares} {SHARED[entity]} with another one and {has} its decision."


def _named(entity: str, count: int) -> str:
    return entity.removesuffix("s") if count == 1 else entity
