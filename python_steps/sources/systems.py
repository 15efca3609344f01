"""The source systems and the locations of what they delivered."""

import re
from dataclasses import dataclass, replace

SYSTEMS = {"papers": ("openalex", "tables"), "patents": ("google_patents", "tables")}


# What may be delivered beside documents: it never makes a build of its own.
BESIDES = ("labels", "links")


SAMPLE = {
    ("papers", "openalex"): "seeds/sample/openalex",
    ("patents", "google_patents"): "seeds/sample/google_patents",
    ("labels", "tables"): "seeds/sample/labels.csv",
    ("links", "tables"): "seeds/sample/links.csv",
}


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


def is_address(place: str) -> bool:
    """Whether a place is an address of other storage, such as s3a://bucket/folder."""
    return bool(re.match(r"[A-Za-z][\w+.-]*://", place))
