"""Where the delivered files are: options and environment to locations, locations to files.

A location is a file, a folder or a glob. dbt receives it through an environment variable
(`Source.variable`) and lists its files by the same rule as `list_files` does here
(macros/delivered_records.sql). Archives are unpacked first, because DuckDB does not read them.
On Spark a location may also be the address of other storage (s3a://bucket/folder), which is handed
on as it is: only Spark can list what lies there.
"""

import contextlib
import csv
import glob
import gzip
import hashlib
import os
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

SYSTEMS = {"papers": ("openalex", "tables"), "patents": ("google_patents", "tables")}

# What may be delivered beside documents: it never makes a build of its own.
BESIDES = ("labels", "links")

SAMPLE = {
    ("papers", "openalex"): "seeds/sample/openalex",
    ("patents", "google_patents"): "seeds/sample/google_patents",
    ("labels", "tables"): "seeds/sample/labels.csv",
    ("links", "tables"): "seeds/sample/links.csv",
}

READABLE = re.compile(r"(\.(gz|jsonl|ndjson|json|parquet|csv)|/part_[^/]*)$")
READABLE_IN_WORDS = ".jsonl, .ndjson, .json, .csv, .parquet or .gz, or be named part_*"

# What an OpenAlex delivery holds, by the folders of its files.
TABLES = ("works", "merged_ids", "deleted_ids", "others")

# Between locations; not the colon of an address such as hdfs://host:9000/folder.
SEPARATOR = re.compile(rf"{re.escape(os.pathsep)}(?!//|\d+(?:[/:]|$))")

UNPACKED_RATIO_LIMIT = 200  # JSON shrinks 10 to 20 times; far more is a bomb, not a delivery
UNPACKED_RATIO_FROM = 1 << 30  # bytes below which a high ratio does no harm


class InputError(Exception):
    """Input that cannot be read or is refused; the message says where it is and what to do."""


def explain_reading(message: str) -> str | None:
    """Say what is wrong with the file that DuckDB's message is about; None of other messages."""
    file = re.search(r"file (?:= (.+)|'([^']+)'|\"([^\"]+)\")", message)
    name = next(filter(None, file.groups())).strip() if file else "A delivered file"
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if re.search("not utf-8 encoded|as valid UTF-8", message):
        where = f" (line {line[1]})" if line else ""
        return (
            f"{name} is not UTF-8{where}: convert it, for example with "
            "`iconv -f latin1 -t utf8 FILE > NEW`."
        )
    if not re.search("CSV Error on Line|Error when sniffing file", message):
        return None
    irregular = _first_irregular_line(Path(name)) if file else None
    where = irregular or (line and line[1])
    return (
        f"{name}{f', line {where}' if where else ''}: the row has more or fewer fields than the "
        "header, or a quote in it is never closed. Mend the row: a field that holds a comma, a "
        "quote or a line break stands in double quotes."
    )


def _first_irregular_line(path: Path) -> int | None:
    """Return the line at which the first CSV row begins that is not of the header's length."""
    begins = 1
    with contextlib.suppress(OSError, UnicodeDecodeError):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            try:
                fields = len(next(rows))
                begins = rows.line_num + 1
                for row in rows:
                    if row and len(row) != fields:
                        return begins
                    begins = rows.line_num + 1
            except (csv.Error, StopIteration):
                return begins
    return None


@dataclass(frozen=True)
class Source:
    """A source system and the absolute locations of what it delivered."""

    entity: str  # papers, patents, labels or links
    system: str  # one of SYSTEMS
    locations: tuple[str, ...]

    @property
    def variable(self) -> str:
        """Name of the environment variable that tells dbt the locations."""
        if self.entity in BESIDES:
            return f"DEEPINNOVATION_{self.entity}".upper()
        return f"DEEPINNOVATION_{self.entity}_{self.system}".upper()

    @property
    def name(self) -> str:
        """How messages call the source."""
        return self.entity if self.entity in BESIDES else f"{self.entity} {self.system}"

    @property
    def here(self) -> "Source":
        """The source without its addresses of other storage."""
        return replace(self, locations=tuple(p for p in self.locations if not is_address(p)))

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Its addresses of other storage."""
        return tuple(place for place in self.locations if is_address(place))

    @property
    def option(self) -> str:
        """How the command line names the source."""
        named = "PATH" if self.entity in BESIDES else f"{self.system}=PATH"
        return f"--{self.entity} {named}"


ALL_SOURCES = (
    *(Source(entity, system, ()) for entity, systems in SYSTEMS.items() for system in systems),
    *(Source(entity, "tables", ()) for entity in BESIDES),
)


@dataclass
class Listing:
    """The files of a source.

    Attributes
    ----------
    files
        What is read as records, in the order of the locations, sorted within each.
    merged, deleted
        OpenAlex's lists of merged and of deleted records, of works among others.
    notes
        What a reader should know of the choice, as sentences.
    """

    files: list[Path] = field(default_factory=list)
    merged: list[Path] = field(default_factory=list)
    deleted: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


# ---------------------------------------------------------------- options to locations


def configured(
    papers: Iterable[tuple[str, str]],
    patents: Iterable[tuple[str, str]],
    besides: Mapping[str, str | None],
    environment: Mapping[str, str],
    *,
    takes_addresses: bool = False,
) -> list[Source]:
    """Return the sources that options name; where they name none, those of the environment.

    Parameters
    ----------
    papers, patents
        Pairs of a system and a path, as given on the command line.
    besides
        Paths of imported labels and links, by their names.
    environment
        Variables as in `os.environ`; those of an entity hold where no option names that entity.
    takes_addresses
        Whether a location may be an address of other storage.

    Returns
    -------
    list of Source
        Without documents where none are configured: then dbt reads the bundled sample.

    Raises
    ------
    InputError
        If a path cannot be handed on.
    """
    options = {"papers": list(papers), "patents": list(patents)}
    for entity in BESIDES:
        path = besides.get(entity)
        options[entity] = [("tables", path)] if path else []
    sources = []
    for source in ALL_SOURCES:
        if options[source.entity]:
            paths = [path for system, path in options[source.entity] if system == source.system]
        else:
            joined = environment.get(source.variable, "")
            paths = [path for path in SEPARATOR.split(joined) if path]
        if paths:
            found = (absolute(path, takes_addresses=takes_addresses) for path in paths)
            locations = tuple(dict.fromkeys(found))
            sources.append(Source(source.entity, source.system, locations))
    return sources


def is_sample(sources: Iterable[Source]) -> bool:
    """Whether no documents are configured, so that the bundled sample is read."""
    return all(source.entity in BESIDES for source in sources)


def sample(project: Path) -> list[Source]:
    """Return the bundled sample in the project folder."""
    return [
        Source(entity, system, (str(project / path),)) for (entity, system), path in SAMPLE.items()
    ]


def is_address(place: str) -> bool:
    """Whether a place is an address of other storage, such as s3a://bucket/folder."""
    return bool(re.match(r"[A-Za-z][\w+.-]*://", place))


def absolute(path: str, *, takes_addresses: bool = False) -> str:
    """Absolute form of a path or glob; what SQL and the environment cannot carry is refused."""
    if is_address(path) and not takes_addresses:
        raise InputError(
            f"{path} is on other storage, which DuckDB is not told to read. Copy it to this "
            "machine first (for S3: aws s3 sync) and give the folder, or build on Spark "
            "(--target spark)."
        )
    for is_held, character, use in (
        (len(SEPARATOR.split(path)) > 1, os.pathsep, "separates locations"),
        ("'" in path, "'", "ends a text in SQL"),
    ):
        if is_held:
            raise InputError(
                f"{path} holds a {character}, which {use}. Rename the folder, or give a link to it."
            )
    return path if is_address(path) else str(Path(path).expanduser().resolve())


# ---------------------------------------------------------------- locations to files


def list_files(source: Source) -> Listing:
    """List the files of a source on this machine: the one place in Python that knows which count.

    Of a folder: everything below it that ends as READABLE says and is not called manifest…; of
    `part_0` and `part_0.gz` only the latter.

    An OpenAlex snapshot holds many tables. Which one a file belongs to shows in its path below the
    location (below a glob's last folder without wildcard), never in the folders above: they may be
    called anything. Lists of merged and deleted records lie in `/merged_ids/` and `/deleted_ids…`.
    Of the other files, those in a folder `/works/` are works; a location that has none, such as
    the folder of works itself or a single file, holds works only.

    Raises
    ------
    InputError
        If a location does not exist or holds no readable file.
    """
    tables: dict[str, dict[str, None]] = {name: {} for name in TABLES}
    twins: list[str] = []
    for location in source.here.locations:
        here = _files_at(location)
        if not here:
            raise InputError(_nothing_at(location, source))
        there = set(here)
        named = _tables(here, location) if source.system == "openalex" else {}
        for file in here:
            if f"{file}.gz" in there:
                twins.append(file)
            else:
                tables[named.get(file, "works")][file] = None
    files, merged, deleted, others = (list(map(Path, tables[name])) for name in TABLES)
    listing = Listing(files, merged, deleted)
    if twins:
        listing.notes.append(
            f"{len(twins)} of the files are there both plain and as .gz; the .gz are read. "
            f"The first: {twins[0]}"
        )
    unread = len(set(others) - set(files))
    if unread:
        listing.notes.append(f"{unread} files outside works/ (authors, sources …) are not read.")
    if {".parquet"} < {file.suffix for file in listing.files}:
        listing.notes.append(
            "Parquet files lie beside others. If both hold the same records, give only one folder."
        )
    return listing


def _tables(files: list[str], location: str) -> dict[str, str]:
    """Name the table of each file of an OpenAlex location, by the rule of `list_files`."""
    tables = {}
    root = len(_fixed(location).rstrip("/"))
    for file in files:
        below = file[root:]
        if "/merged_ids/" in below:
            tables[file] = "merged_ids"
        elif "/deleted_ids" in below:
            tables[file] = "deleted_ids"
        else:
            tables[file] = "works" if "/works/" in below else "others"
    if "works" not in tables.values():
        tables = {file: table.replace("others", "works") for file, table in tables.items()}
    return tables


def _fixed(location: str) -> str:
    """Part of a location that is a path and not a pattern, with `/` as separator."""
    location = location.replace(os.sep, "/")
    if Path(location).exists() or not glob.has_magic(location):
        return location
    return re.split(r"[*?\[]", location)[0].rpartition("/")[0]


def matching(pattern: str) -> list[Path]:
    """Return what lies at an absolute path or matches an absolute glob, sorted."""
    path = Path(pattern)
    if path.exists():
        return [path]
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def _files_at(location: str) -> list[str]:
    """Readable files at a location: itself, below it, or matching it; with `/` in paths."""
    files = set()
    for match in matching(location):
        if match.is_dir():
            files.update(str(file) for file in match.rglob("*") if file.is_file())
        else:
            files.add(str(match))
    files = {file.replace(os.sep, "/") for file in files}
    return sorted(file for file in files if _is_readable(file) or file == location)


def _is_readable(file: str) -> bool:
    return bool(READABLE.search(file)) and not PurePosixPath(file).name.startswith("manifest")


def _nothing_at(location: str, source: Source) -> str:
    """Why a location gives no file, and the remedy."""
    if Path(location).is_dir():
        return (
            f"No readable file of {source.name} below {location}. Files must end in "
            f"{READABLE_IN_WORDS}; give another folder with {source.option}."
        )
    if glob.has_magic(location):
        return (
            f"Nothing that could be read as {source.name} matches {location}. "
            f"Check the glob given with {source.option}, and quote it."
        )
    return f"{location} ({source.name}) does not exist. Check the path given with {source.option}."


# ---------------------------------------------------------------- archives


def unpack(source: Source, folder: Path) -> Source:
    """Replace .zip archives among a source's locations by folders with their content.

    Each archive is unpacked once, into `folder/<name>-<hash of its table of contents>`; a folder
    appears under that name only when complete, so an interrupted run leaves nothing half unpacked.

    Parameters
    ----------
    source
        Its locations may be archives, or folders and globs with archives among their files.
    folder
        Where to unpack; made if needed.

    Raises
    ------
    InputError
        If an archive is damaged, encrypted, unsafe, or larger than the free disk.
    """
    locations: list[str] = []
    for location in source.here.locations:
        archives = _archives_at(location)
        others = [file for file in _files_at(location) if not file.endswith(".zip")]
        if others or not archives:
            locations.append(location)
        locations += [str(_unpack_one(archive, folder)) for archive in archives]
    return replace(source, locations=(*locations, *source.elsewhere))


def _archives_at(location: str) -> list[Path]:
    """List the .zip files at a location."""
    found: set[Path] = set()
    for match in matching(location):
        found.update(match.rglob("*.zip") if match.is_dir() else [match])
    return sorted(file for file in found if file.suffix == ".zip")


def _unpack_one(archive: Path, folder: Path) -> Path:
    """Unpack one archive and return its folder."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if _is_record_file(m.filename, archive)]
            _refuse_unsafe(archive, members, folder)
            contents = "".join(f"{m.filename}|{m.file_size}|{m.CRC}\n" for m in members)
            name = f"{archive.stem}-{hashlib.sha256(contents.encode()).hexdigest()[:12]}"
            complete = folder / name
            if complete.is_dir():
                return complete
            partial = folder / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            for member in members:
                opened.extract(member, partial)
            partial.rename(complete)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise InputError(
            f"{archive} is damaged or no .zip file ({error}). "
            "Download it again, or give its unpacked folder."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{archive} cannot be unpacked into {folder}: {reason}.") from error
    return complete


def _is_record_file(member: str, archive: Path) -> bool:
    """Whether a member of an archive is worth unpacking; a path that leads outside is refused."""
    path = PurePosixPath(member.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member:
        raise InputError(
            f"{archive} holds the path {member}, which leads outside its folder, so it is not "
            "unpacked. Unpack it yourself if you trust it, and give the folder."
        )
    is_hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return not member.endswith("/") and not is_hidden and bool(READABLE.search(f"/{path}"))


def _refuse_unsafe(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Refuse archives without records, encrypted ones, bombs, and those too large for the disk."""
    if not members:
        raise InputError(f"{archive} holds no readable file: they must end in {READABLE_IN_WORDS}.")
    if any(member.flag_bits & 0x1 for member in members):
        raise InputError(f"{archive} is encrypted. Unpack it yourself and give the folder.")
    size = sum(member.file_size for member in members)
    growth = size // max(archive.stat().st_size, 1)
    if size > UNPACKED_RATIO_FROM and growth > UNPACKED_RATIO_LIMIT:
        raise InputError(
            f"{archive} would grow {growth}-fold to {size >> 30} GiB, which no delivery does. "
            "Unpack it yourself if you trust it, and give the folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"{archive} needs {size >> 20} MiB unpacked, and {folder} has {free >> 20} MiB free. "
            "Put the warehouse on a larger disk with --warehouse."
        )
