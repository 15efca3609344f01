"""What the manifest of a delivery promises, and what lies beside it.

A snapshot of OpenAlex has one in the folder of each table: `manifest` with `entries`, or
`manifest.json` with `files`; each names a file by its address, with its bytes and its records.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

NAMES = ("manifest", "manifest.json")


def compare(locations: Iterable[str], files: Iterable[Path]) -> tuple[list[str], dict[Path, int]]:
    """Compare what manifests at locations promise with the files that are there.

    Parameters
    ----------
    locations
        Only manifests at these count: a part of a snapshot may be all that is wanted.
    files
        The files that are read.

    Returns
    -------
    tuple of list of str and dict
        Sentences about what is missing, and the records promised for each file that is there.
    """
    files = list(files)
    sentences: list[str] = []
    promised: dict[Path, int] = {}
    for manifest, tables in _manifests(locations, files).items():
        try:
            entries = dict(_entries(json.loads(manifest.read_bytes()), tables))
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            sentences.append(
                f"{manifest} cannot be read, so whether all files are here is unknown."
            )
            continue
        missing, cut = [], []
        for url, (size, records) in entries.items():
            file = _file_of(url, manifest.parent)
            if file is None:
                missing.append(url)
                continue
            if file.name == PurePosixPath(url).name and file.stat().st_size < (size or 0):
                cut.append(file)
            if records is not None:
                promised[file] = records
        sentences += _told(manifest, entries, missing, cut)
    return sentences, promised


def _told(
    manifest: Path,
    entries: Mapping[str, tuple[int | None, int | None]],
    missing: list[str],
    cut: list[Path],
) -> Iterator[str]:
    if missing:
        records = sum(entries[url][1] or 0 for url in missing)
        yield (
            f"{len(missing):,} of {len(entries):,} files that {manifest} names, with {records:,} "
            f"records, are not here. The first: {missing[0]}"
        )
    if cut:
        yield (
            f"{len(cut):,} files are smaller than {manifest} says: download them again. "
            f"The first: {cut[0]}"
        )


def _manifests(locations: Iterable[str], files: Iterable[Path]) -> dict[Path, set[str]]:
    """Return the manifests at locations, in the folders of files and in the two above.

    Of the uppermost, which may tell of other tables, with the folders of tables that are read.
    """
    tops = [Path(location) for location in locations]
    folders: dict[Path, set[str]] = {}
    for file in files:
        below, table, above = (*file.parents, *[file.parent] * 3)[:3]
        folders.setdefault(below, set())
        folders.setdefault(table, set())
        folders.setdefault(above, set()).add(table.name)
    return {
        folder / name: tables
        for folder, tables in sorted(folders.items())
        for name in NAMES
        if any(folder.is_relative_to(top) for top in tops) and (folder / name).is_file()
    }


def _entries(
    manifest: Mapping[str, list[dict]], tables: set[str]
) -> Iterator[tuple[str, tuple[int | None, int | None]]]:
    """Yield the address of each file of a manifest with its bytes and its records."""
    for entry in manifest.get("entries") or manifest.get("files") or ():
        meta = entry.get("meta") or entry
        if not tables or tables & set(PurePosixPath(entry["url"]).parts):
            yield entry["url"], (meta.get("content_length"), meta.get("record_count"))


def _file_of(url: str, folder: Path) -> Path | None:
    """Return the file of an address below the folder of its manifest, also if it was unpacked."""
    parts = PurePosixPath(url).parts
    # `part_000.gz` alone would be that of any date.
    fewest = 2 if "=" in "".join(parts[-2:-1]) else 1
    for count in range(fewest, min(len(parts), 4) + 1):
        path = folder.joinpath(*parts[-count:])
        for file in (path, path.with_suffix("") if path.suffix == ".gz" else path):
            if file.is_file():
                return file
    return None
