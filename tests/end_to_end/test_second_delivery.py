"""A refresh by a second delivery gives what a build of it from nothing gives, on both engines.

Of the sample, the second delivery holds new records (5 %), changed ones (2 %, with shorter texts
too) and lacks deleted ones (1 %).
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from python_steps.command_line.options import project_folder
from tests.end_to_end.conftest import Built, build

SAMPLE = project_folder() / "seeds/sample"
NEW, CHANGED, DELETED = 20, 50, 100  # one record in so many

# They remember: a number is never given to another document, and what was matched is carried over.
MEMORIES = {"marts.document_numbers", "marts.matching_audit"}


def records(file: Path) -> list[dict | str]:
    """Return the records of a file of lines; broken lines as they are."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            found.append(line)
    return found


def write(file: Path, kept: list[dict | str]) -> None:
    lines = (r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in kept)
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def shorter_work(work: dict) -> dict:
    """Return a work with half of its abstract, changed later."""
    index = work.get("abstract_inverted_index") or {}
    middle = max((max(places) for places in index.values()), default=0) // 2
    shorter = {word: [p for p in places if p <= middle] for word, places in index.items()}
    return work | {
        "abstract_inverted_index": {word: places for word, places in shorter.items() if places},
        "updated_date": "2026-11-30",
    }


def shorter_publication(publication: dict) -> dict:
    """Return a publication with half of its abstract."""
    texts = publication.get("abstract_localized") or []
    return publication | {
        "abstract_localized": [t | {"text": t["text"][: len(t["text"]) // 2]} for t in texts]
    }


def deliver(folder: Path, *, is_second: bool) -> Path:
    """Write the first or the second delivery of the sample."""
    shutil.copytree(SAMPLE, folder)
    files: list[tuple[Path, Callable[[dict], dict]]] = [
        (file, shorter_work) for file in folder.glob("openalex/data/jsonl/works/*/*.jsonl")
    ]
    files += [(file, shorter_publication) for file in folder.glob("google_patents/*.jsonl")]
    for file, shorter in files:
        kept = []
        for place, record in enumerate(records(file)):
            is_new, is_deleted = place % NEW == 7, place % DELETED == 3
            if (is_deleted and is_second) or (is_new and not is_second):
                continue
            is_changed = is_second and place % CHANGED == 11 and isinstance(record, dict)
            kept.append(shorter(record) if is_changed else record)
        write(file, kept)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_a_second_delivery_gives_what_a_build_from_nothing_gives(engine, request, tmp_path):
    if engine == "spark":
        request.getfixturevalue("spark_is_possible")
    refreshed = place(tmp_path / "refreshed", engine)
    said = []
    for number in (1, 2):
        shutil.rmtree(tmp_path / "delivered", ignore_errors=True)
        folder = deliver(tmp_path / "delivered", is_second=number == 2)
        said.append(built(refreshed, folder, engine).said)
    assert "Changed since the last build: source files" in said[1]
    anew = place(tmp_path / "anew", engine)
    built(anew, folder, engine)
    assert refreshed.published() == anew.published()
    if engine == "duckdb":
        assert tables_that_differ(refreshed, anew) == set()


def place(folder: Path, engine: str) -> Built:
    return Built(folder / f"warehouse.{engine}", folder / "publication")


def built(place: Built, folder: Path, engine: str) -> Built:
    return build(
        place,
        *("--papers", f"openalex={folder}/openalex", "--labels", f"{folder}/labels.csv"),
        *("--patents", f"google_patents={folder}/google_patents", "--target", engine),
        DEEPINNOVATION_SPARK_MASTER="local[2,4]",
        DEEPINNOVATION_MEMORY="2GB",
    )


def tables_that_differ(one: Built, other: Built) -> set[str]:
    """Return the marts that do not hold the same rows."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one.warehouse}' as one (read_only)")
        connection.execute(f"attach '{other.warehouse}' as other (read_only)")
        marts = connection.execute(
            "select table_name from duckdb_tables() where database_name = 'one' "
            "and schema_name = 'marts' union select view_name from duckdb_views() "
            "where database_name = 'one' and schema_name = 'marts'"
        ).fetchall()
        names = {f"marts.{name}" for (name,) in marts} - MEMORIES
        both = "select * from {}.{} except all select * from {}.{}"
        return {
            name
            for name in names
            for first, second in (("one", "other"), ("other", "one"))
            if connection.execute(both.format(first, name, second, name)).fetchone()
        }
