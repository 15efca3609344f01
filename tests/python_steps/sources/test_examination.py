"""Claims about looking at delivered files before they are read, and about manifests."""

import bz2
import gzip
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_steps.command_line.options import project_folder
from python_steps.errors import InputError
from python_steps.sources import preview
from python_steps.sources.archives import unpack
from python_steps.sources.examination import examine
from python_steps.sources.locations import list_files
from python_steps.sources.systems import source_of
from tests import real_data
from tests.small_warehouse import CASES

WORK = b'{"id": "W1", "title": "A"}\n'


def write(file: Path, content: bytes = WORK) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
    return file


def examined(location: Path, entity: str = "papers", system: str = "openalex"):
    source = source_of(project_folder(), entity, system, (str(location),))
    return examine(source, list_files(source))


def head_of(location: Path, entity: str = "papers", system: str = "openalex") -> preview.Head:
    source = source_of(project_folder(), entity, system, (str(location),))
    return preview.read_head(source, project_folder())


# ---------------------------------------------------------------- files


def test_packed_records_beside_others_are_refused_and_other_files_told(tmp_path):
    write(tmp_path / "a.jsonl")
    write(tmp_path / "b.jsonl.bz2", bz2.compress(WORK))
    write(tmp_path / "c.xlsx", b"PK\x03\x04[Content_Types].xml")
    write(tmp_path / "d.txt", b"a remark")
    write(tmp_path / ".e.tar", b"hidden")
    found = examined(tmp_path)
    assert [("b.jsonl.bz2" in p, "bunzip2" in p) for p in found.problems] == [(True, True)]
    assert [("c.xlsx" in note, "CSV" in note) for note in found.notes] == [(True, True)]


def test_what_many_files_have_in_common_is_said_once(tmp_path):
    for number in range(20):
        write(tmp_path / f"{number:02}.jsonl", "[{}, {}]".encode("utf-16"))
    write(tmp_path / "a.jsonl")
    (problem,) = examined(tmp_path).problems
    assert problem.startswith("20 files are each UTF-16, not UTF-8.")
    assert "iconv -f UTF-16" in problem and str(tmp_path / "00.jsonl") in problem


def test_a_refused_file_is_not_read_and_the_others_are(tmp_path):
    write(tmp_path / "a.jsonl")
    write(tmp_path / "b.jsonl", b'{\n "id": "W2",\n "title": "B"\n}\n')
    head = head_of(tmp_path)
    assert head.rows == 1 and head.rejected == {}
    assert not head.is_readable and head.breaking == head.problems
    assert "jq -c" in head.problems[0]


def test_a_folder_of_nothing_that_can_be_read_names_what_is_there(tmp_path):
    write(tmp_path / "savedrecs.txt", b"FN Clarivate Analytics Web of Science\n")
    with pytest.raises(Exception, match=r"savedrecs\.txt is a plain-text export of Web of Science"):
        list_files(source_of(project_folder(), "papers", "tables", (str(tmp_path),)))


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("36_separators/backslash.csv", r"quotes are written as \" there"),
        ("36_separators/google_search.csv", "`tail -n +2 "),
        ("36_separators/latin1_semicolon.csv", "latin1_semicolon.csv > NEW`"),
        ("36_separators/sep_line.csv", "(`sep=`)"),
        ("36_separators/utf16.csv", "`iconv -f UTF-16 -t utf8 /"),
        ("37_compression/truncated", "is a gzip file that was cut"),
        ("37_compression/empty", "is empty (no bytes)"),
        ("37_compression/not_gzip", "is not a gzip file"),
        ("37_compression/trailing", "other bytes after its end"),
        ("37_compression/pretty", "JSON over several lines"),
        ("53_other_entities/semantic_scholar.jsonl", "records of Semantic Scholar"),
    ],
)
def test_the_true_cause_is_named_once(case, says):
    problems = head_of(CASES / case, system="tables").problems
    assert len(problems) == 1 and says in problems[0] and str(CASES / case) in problems[0]


@pytest.mark.parametrize(
    ("header", "entity"),
    [
        ("Authors,Title,Year,Source title,DOI,Abstract,Document Type,EID", "papers"),
        ("Authors,Article Title,Source Title,Publication Year,UT (Unique WOS ID)", "papers"),
        ("Lens ID,Title,Publication Year,Source Title,Author/s", "papers"),
        ("#,Jurisdiction,Kind,Display Key,Lens ID,Publication Date,Title", "patents"),
    ],
)
def test_an_export_that_the_guide_calls_readable_is_read_as_tables(tmp_path, header, entity):
    row = ",".join("2018" for _ in header.split(","))
    file = write(tmp_path / "export.csv", f"{header}\n{row}\n".encode())
    source = source_of(project_folder(), entity, "tables", (str(file),))
    head = preview.read_head(source, project_folder())
    assert head.is_readable and head.rejected == {}
    if entity == "papers":
        assert "is an export of" in " ".join(head_of(file, system="openalex").problems)


def test_one_table_of_several_is_named_though_it_has_an_id(tmp_path):
    file = write(tmp_path / "g_patent.csv", b"patent_id,patent_title\n9824690,Sorting\n")
    source = source_of(project_folder(), "patents", "tables", (str(file),))
    problems = preview.read_head(source, project_folder()).problems
    assert "PatentsView" in " ".join(problems)


def test_tables_of_parquet_that_lack_what_is_needed_are_named_by_their_columns(tmp_path):
    publications = {"pat_publn_id": [1], "publn_auth": ["EP"], "publn_nr": ["1"], "appln_id": [1]}
    pq.write_table(pa.table(publications), tmp_path / "tls211.parquet")
    source = source_of(project_folder(), "patents", "tables", (str(tmp_path),))
    (problem,) = preview.read_head(source, project_folder()).problems
    assert "tls211_pat_publn of PATSTAT" in problem and "docs/guides/deliveries.md" in problem


def test_archives_of_the_bulk_data_of_the_epo_are_named(tmp_path):
    file = tmp_path / "docdb_xml_202607_Amend_001.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("Root/DOC/DOCDB-202607-001.zip", "x")
        archive.writestr("Root/DOC/data_coverage.csv", "country,from\nEP,1978\n")
    source = source_of(project_folder(), "patents", "tables", (str(file),))
    with pytest.raises(InputError, match=r"EPO's bulk data.*docs/guides/deliveries\.md"):
        unpack(source, tmp_path / "unpacked")


def test_a_page_of_another_kind_is_told_once_each():
    head = head_of(CASES / "52_error_page")
    told = [note for note in head.listing.notes if " is a" in note]
    assert [note.split("/")[-1].split(" is")[0] for note in told] == [
        "page_2.json",
        "page_3.json",
        "page_5.json",
    ]
    assert head.is_readable
    assert (head.rows, head.rejected) == (6, {"malformed_record": 2, "missing_identifier": 1})


# ---------------------------------------------------------------- columns


def test_columns_that_nothing_reads_are_named(tmp_path):
    write(tmp_path / "a.csv", b"id,title,Publication Year,DOI number,notes\n1,A,2018,,x\n")
    head = head_of(tmp_path, system="tables")
    assert head.unread == ["DOI number", "notes"]
    assert "publication_year" not in head.absent
    assert any("Publication Year as publication_year" in note for note in head.listing.notes)


def test_of_json_of_a_known_system_no_field_is_said_to_be_unread(tmp_path):
    write(tmp_path / "a.jsonl", b'{"id": "W1", "title": "A", "counts_by_year": []}\n')
    assert head_of(tmp_path).unread == []


# ---------------------------------------------------------------- manifests


def snapshot(folder: Path, name: str, key: str, ending: str = ".gz", **meta: int) -> Path:
    """Make a folder of works with one file of the two that its manifest names."""
    file = write(folder / f"works/updated_date=2024-01-01/part_000{ending}")
    size = file.stat().st_size + meta.get("more", 0)
    prefix = "s3://openalex/data/works"
    entries = [
        {
            "url": f"{prefix}/updated_date=2024-01-01/part_000{ending}",
            "meta": {"content_length": size, "record_count": meta.get("records", 1)},
        },
        {
            "url": f"{prefix}/updated_date=2024-02-01/part_000{ending}",
            "meta": {"content_length": 9, "record_count": 41},
        },
    ][: meta.get("entries", 2)]
    write(folder / "works" / name, json.dumps({"meta": {}, key: entries}).encode())
    return folder


@pytest.mark.parametrize(("name", "key"), [("manifest", "entries"), ("manifest.json", "files")])
@pytest.mark.parametrize("below", ["", "works"])
def test_what_a_manifest_promises_and_is_not_there_is_told(tmp_path, name, key, below):
    snapshot(tmp_path, name, key)
    (note,) = examined(tmp_path / below).notes
    assert note.startswith("1 of 2 files that ") and f"works/{name} names" in note
    assert "41 records" in note and "updated_date=2024-02-01/part_000.gz" in note


def test_a_manifest_beside_the_folders_of_tables_counts_for_those_that_are_read(tmp_path):
    write(tmp_path / "data/works/updated_date=2024-01-01/part_000.gz")
    urls = [
        f"s3://openalex/data/{table}/updated_date=2024-0{month}-01/part_000.gz"
        for table in ("works", "authors")
        for month in (1, 2)
    ]
    entries = [{"url": url, "meta": {"record_count": 1}} for url in urls]
    write(tmp_path / "data/manifest", json.dumps({"entries": entries}).encode())
    (note,) = examined(tmp_path).notes
    assert note.startswith("1 of 2 files that ") and urls[1] in note


def test_of_a_part_of_a_snapshot_nothing_is_missing(tmp_path):
    snapshot(tmp_path, "manifest", "entries")
    assert examined(tmp_path / "works/updated_date=2024-01-01").notes == []
    assert examined(Path(f"{tmp_path}/works/updated_date=2024*")).notes == []


def test_a_whole_snapshot_is_as_its_manifest_says(tmp_path):
    snapshot(tmp_path, "manifest", "entries", entries=1)
    assert examined(tmp_path).notes == []
    assert head_of(tmp_path).listing.notes == []


def test_a_file_that_is_shorter_than_its_manifest_says_is_told(tmp_path):
    snapshot(tmp_path, "manifest", "entries", entries=1, more=100)
    (note,) = examined(tmp_path).notes
    assert "1 files are smaller than" in note and "part_000.gz" in note


def test_records_that_are_fewer_than_promised_are_told(tmp_path):
    snapshot(tmp_path, "manifest", "entries", entries=1, records=27)
    (note,) = head_of(tmp_path).listing.notes
    assert "fewer records than the manifest says" in note and "1 of 27" in note


@pytest.mark.parametrize("content", [b"no json", b"[]", b'{"entries": [{"no": 1}]}', b"{}"])
def test_a_manifest_that_cannot_be_read_stops_nothing(tmp_path, content):
    write(tmp_path / "works/part_000")
    write(tmp_path / "works/manifest", content)
    assert all("manifest cannot be read" in note for note in examined(tmp_path).notes)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("raw/openalex_layouts/legacy_2025-10", 0),
        ("raw/openalex_layouts/walden_2026-05/data/jsonl", 0),
        ("raw/openalex_layouts/walden_2026-05/data/parquet", 0),
        ("raw/openalex_snapshot", 464),
    ],
)
def test_manifests_of_genuine_layouts_are_understood(name, missing):
    notes = [note for note in examined(real_data.path_of(name)).notes if "manifest" in note]
    assert len(notes) == bool(missing)
    assert all(f"{missing} of 465 files" in note for note in notes)
