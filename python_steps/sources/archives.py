"""Unpack delivered zip archives, which DuckDB does not read."""

import hashlib
import re
import shutil
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

from python_steps.errors import InputError
from python_steps.sources.kinds_of_xml import DOCDB
from python_steps.sources.locations import READABLE_IN_WORDS, files_at, matching
from python_steps.sources.systems import Source, Table

UNPACKED_RATIO_LIMIT = 200  # JSON shrinks 10 to 20 times; far more is a bomb, not a delivery
UNPACKED_RATIO_FROM = 1 << 30  # bytes below which a high ratio does no harm


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
    table = source.delivery.table
    locations: list[str] = []
    for location in source.here.locations:
        archives = _archives_at(location)
        others = [f for f in files_at(location, table) if not f.lower().endswith(".zip")]
        if others or not archives:
            locations.append(location)
        locations += [str(_unpack_one(archive, folder, table)) for archive in archives]
    return replace(source, locations=(*locations, *source.elsewhere))


def _archives_at(location: str) -> list[Path]:
    """List the .zip files at a location."""
    found: set[Path] = set()
    for match in matching(location):
        found.update(match.rglob("*.[zZ][iI][pP]") if match.is_dir() else [match])
    return sorted(file for file in found if file.suffix.lower() == ".zip")


def _unpack_one(archive: Path, folder: Path, table: Table) -> Path:
    """Unpack one archive and return its folder."""
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
            _refuse_bulk_data(archive, [info.filename for info in infos])
            members = [info for info in infos if _is_record_file(info.filename, archive, table)]
            if not members:
                held = ", ".join(info.filename for info in infos[:3]) or "nothing"
                raise InputError(
                    f"{archive} contains no readable file, but {held}: files must end in "
                    f"{READABLE_IN_WORDS}. Unpack or convert them, and give the folder."
                )
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
            f"{archive} is damaged or not a .zip file ({error}). "
            "Download it again, or give its unpacked folder."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{archive} cannot be unpacked into {folder}: {reason}.") from error
    return complete


def _refuse_bulk_data(archive: Path, names: list[str]) -> None:
    """Refuse a delivery of the EPO's bulk data: archives of XML, and tables that tell of them."""
    if any(re.match(r"(?i)root/.*[.]zip$", name) for name in names):
        raise InputError(
            f"{archive} is a delivery of the EPO's bulk data (BDDS), archives with XML within an "
            f"archive. XML is not read. {DOCDB}"
        )


def _is_record_file(member: str, archive: Path, table: Table) -> bool:
    """Whether a member of an archive is worth unpacking; a path that leads outside is refused."""
    path = PurePosixPath(member.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in member:
        raise InputError(
            f"{archive} contains the path {member}, which leads outside its folder, so it was not "
            "unpacked. Unpack it yourself if you trust it, and give the folder."
        )
    return not member.endswith("/") and table.holds(f"/{path}", f"/{path}")


def _refuse_unsafe(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Refuse encrypted archives, bombs, and those too large for the disk."""
    if any(member.flag_bits & 0x1 for member in members):
        raise InputError(f"{archive} is encrypted. Unpack it yourself and give the folder.")
    size = sum(member.file_size for member in members)
    growth = size // max(archive.stat().st_size, 1)
    if size > UNPACKED_RATIO_FROM and growth > UNPACKED_RATIO_LIMIT:
        raise InputError(
            f"{archive} would expand {growth}-fold to {size >> 30} GiB, which looks like a zip "
            "bomb. Unpack it yourself if you trust it, and give the folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"{archive} needs {size >> 20} MiB unpacked, and {folder} has {free >> 20} MiB free. "
            "Put the warehouse on a larger disk with --warehouse."
        )
