"""The source systems, and the locations of what they delivered.

The `meta` of a system's yml (models/staging/<system>/_<system>__sources.yml) says what it delivers,
which environment variable locates it, which fields it must hold and which files belong to which
table; dbt_project.yml says what all share. dbt reads the same (macros/delivered_records.sql).
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from python_steps.errors import InputError


@dataclass(frozen=True)
class Table:
    """A delivered table: its staging model, and the patterns by which its files are found.

    Attributes
    ----------
    model
        The staging model.
    record_files
        Pattern of the paths that can be read.
    ignored_files
        Pattern of the paths below a location, from `/`, that are left out all the same.
    unread_files
        Pattern of the paths that may hold records but cannot be read as they are.
    files
        Where a location holds several tables: the files of this one are those of the first of these
        patterns that any path below the location matches.
    rejects
        Why records whose id the table lists are rejected; None where it lists none.
    """

    name: str
    model: str
    record_files: str
    ignored_files: str
    unread_files: str = "$^"
    files: tuple[str, ...] = ("",)
    rejects: str | None = None

    def holds(self, path: str, below: str) -> bool:
        """Whether a file can be read, by its path and its path below the location."""
        is_record_file = re.search(self.record_files, path) and not self.leaves_unread(path)
        return bool(is_record_file) and not re.search(self.ignored_files, below)

    def leaves_unread(self, path: str) -> bool:
        """Whether a file may hold records but cannot be read as it is."""
        return bool(re.search(self.unread_files, path))

    def among(self, files: Mapping[str, str]) -> list[str]:
        """Return the files of this table, of those at a location with their paths below it."""
        for pattern in self.files:
            found = [file for file, below in files.items() if re.search(pattern, below)]
            if found:
                return found
        return []


@dataclass(frozen=True)
class Delivery:
    """What a source system delivers for an entity.

    Attributes
    ----------
    entity
        papers, patents, labels, links or entities (organisations of a register).
    system
        Name of the system.
    table
        What holds the records.
    variable
        Environment variable that tells dbt the locations.
    beside
        Other tables at the same locations.
    holds_documents
        False for what may be delivered beside documents and makes no build of its own.
    sample
        Where the bundled sample lies, from the project's folder; None where it holds none.
    required
        Fields that records need; of each group, one must be there.
    optional
        Further fields that are read.
    project
        Folder of its dbt_project.yml.
    """

    entity: str
    system: str
    table: Table
    variable: str
    beside: tuple[Table, ...] = ()
    holds_documents: bool = True
    sample: str | None = None
    required: tuple[tuple[str, ...], ...] = ()
    optional: tuple[str, ...] = ()
    project: Path = Path()

    @property
    def fields(self) -> set[str]:
        """Every field that is read."""
        return {name for group in self.required for name in group} | set(self.optional)

    @property
    def is_of_a_system(self) -> bool:
        """Whether its entity comes from several systems, so that options name the system."""
        return self.holds_documents or self.entity == "entities"


Deliveries = Mapping[tuple[str, str], Delivery]


@functools.cache
def deliveries(project: Path) -> Deliveries:
    """Read what the systems of a project deliver, by entity and system.

    Raises
    ------
    InputError
        If a source's yml lacks a key or has one too many.
    """
    import yaml

    def read(file: Path) -> dict[str, Any]:
        return yaml.load(file.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}

    described = read(project / "dbt_project.yml")
    common = described.get("sources", {}).get(described["name"], {}).get("+meta", {})
    found = []
    for file in sorted(project.glob("models/staging/*/_*__sources.yml")):
        for source in read(file)["sources"]:
            try:
                found += [replace(one, project=project) for one in _deliveries_of(source, common)]
            except (KeyError, TypeError) as error:
                raise InputError(
                    f"{file}: the meta of {source['name']} is not as CONTRIBUTING.md says: {error}."
                ) from error
    # Documents first, each entity with its systems by name.
    found.sort(
        key=lambda delivery: (not delivery.holds_documents, delivery.entity, delivery.system)
    )
    return {(delivery.entity, delivery.system): delivery for delivery in found}


def _deliveries_of(source: Mapping[str, Any], common: Mapping[str, Any]) -> list[Delivery]:
    """Return what one source of a yml file delivers."""
    system = source["name"]
    metas = {
        table["name"]: {**common, **_meta(source), **_meta(table)} for table in source["tables"]
    }
    tables = {
        name: Table(
            name,
            f"stg_{system}__{name}",
            meta["record_files"],
            meta["ignored_files"],
            meta.get("unread_files", "$^"),
            tuple(meta.get("files", ("",))),
            meta.get("rejects"),
        )
        for name, meta in metas.items()
    }
    of_table = {"record_files", "ignored_files", "unread_files", "files", "rejects"}
    found = []
    for name, meta in metas.items():
        if "entity" not in meta:
            continue
        own = {key: value for key, value in meta.items() if key not in of_table}
        own["required"] = tuple(map(tuple, own.get("required", ())))
        own["optional"] = tuple(own.get("optional", ()))
        beside = tuple(
            tables[other]
            for other, of_other in metas.items()
            if "entity" not in of_other and of_other["variable"] == meta["variable"]
        )
        found.append(Delivery(system=system, table=tables[name], beside=beside, **own))
    return found


def _meta(described: Mapping[str, Any]) -> Mapping[str, Any]:
    return described.get("config", {}).get("meta", {})


@dataclass(frozen=True)
class Source:
    """A delivery and its absolute locations."""

    delivery: Delivery
    locations: tuple[str, ...]

    @property
    def entity(self) -> str:
        """What its records are, as in Delivery."""
        return self.delivery.entity

    @property
    def variable(self) -> str:
        """Name of the environment variable that tells dbt the locations."""
        return self.delivery.variable

    @property
    def name(self) -> str:
        """How messages call the source."""
        entity = self.delivery.entity
        return f"{entity} {self.delivery.system}" if self.delivery.is_of_a_system else entity

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
        named = f"{self.delivery.system}=PATH" if self.delivery.is_of_a_system else "PATH"
        return f"--{self.entity} {named}"


def source_of(project: Path, entity: str, system: str, locations: tuple[str, ...]) -> Source:
    """Return a source of a project by the names of its entity and its system."""
    return Source(deliveries(project)[entity, system], locations)


def is_address(place: str) -> bool:
    """Whether a place is an address of other storage, such as s3a://bucket/folder."""
    return bool(re.match(r"[A-Za-z][\w+.-]*://", place))
