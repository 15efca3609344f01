"""Claims about locations, the files that count, archives, and the heads that `check` shows."""

import gzip
import json
import os
import zipfile
from functools import partial
from pathlib import Path

import duckdb
import pytest

from python_steps.building import fingerprint
from python_steps.command_line.options import project_folder
from python_steps.errors import InputError
from python_steps.sources import archives, locations, preview, reading_errors
from python_steps.sources.locations import Listing, absolute, is_sample, list_files
from python_steps.sources.systems import source_of

configured = partial(locations.configured, project_folder())
source_at = partial(source_of, project_folder())


def write(file: Path, content: str = "") -> Path:
    """Write a file, packed if its name says so, with its folders."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".gz":
        file.write_bytes(gzip.compress(content.encode()))
    else:
        file.write_text(content)
    return file


def listed(folder: Path, system: str, *, location: str | None = None) -> Listing:
    entity = "patents" if system == "google_patents" else "papers"
    return list_files(source_at(entity, system, (location or str(folder),)))


def names(listing: Listing, folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in listing.files]


def work(number: int, **fields: object) -> str:
    """Return one OpenAlex work as a line of JSON."""
    delivered = {
        "id": f"https://openalex.org/W{number}",
        "title": f"Title {number}",
        "publication_year": 2000 + number,
        "language": "en",
        "abstract_inverted_index": {"word": [0]},
    }
    return json.dumps(delivered | fields)


# ---------------------------------------------------------------- options


def test_options_take_the_place_of_the_environment_for_their_entity_only(tmp_path):
    environment = {
        "DEEPINNOVATION_PAPERS_TABLES": "/elsewhere/papers.csv",
        "DEEPINNOVATION_PATENTS_TABLES": os.pathsep.join(["/a.csv", "/b.csv"]),
    }
    found = configured([("openalex", str(tmp_path))], [], {}, environment)
    assert [(s.variable, s.locations) for s in found] == [
        ("DEEPINNOVATION_PAPERS_OPENALEX", (str(tmp_path),)),
        ("DEEPINNOVATION_PATENTS_TABLES", ("/a.csv", "/b.csv")),
    ]


def test_relative_paths_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (source,) = configured([("tables", "x.csv"), ("tables", "y/*.csv")], [], {}, {})
    assert source.locations == (str(tmp_path / "x.csv"), str(tmp_path / "y/*.csv"))


def test_labels_and_links_alone_still_mean_the_sample():
    found = configured([], [], {"labels": "labels.csv", "links": "links.csv"}, {})
    assert [source.option for source in found] == ["--labels PATH", "--links PATH"]
    assert [source.variable for source in found] == [
        "DEEPINNOVATION_LABELS",
        "DEEPINNOVATION_LINKS",
    ]
    assert is_sample(found)
    assert not is_sample(configured([("tables", "x.csv")], [], {}, {}))


@pytest.mark.parametrize("path", ["s3://openalex/data", f"a{os.pathsep}b", "it's"])
def test_what_cannot_be_handed_on_is_refused_with_its_path(path):
    with pytest.raises(InputError, match=r"s3://openalex/data|a.b|it's"):
        absolute(path)


@pytest.mark.parametrize("address", ["s3a://bucket/works", "hdfs://host:9000/works/*.gz"])
def test_on_spark_addresses_of_other_storage_are_handed_on_as_they_are(tmp_path, address):
    given = {"DEEPINNOVATION_PAPERS_OPENALEX": os.pathsep.join([address, str(tmp_path), address])}
    (source,) = configured([], [], {}, given, takes_addresses=True)
    assert source.locations == (address, str(tmp_path))
    assert (source.elsewhere, source.here.locations) == ((address,), (str(tmp_path),))
    assert set(archives.unpack(source, tmp_path / "unpacked").locations) == {address, str(tmp_path)}
    with pytest.raises(InputError, match="--target spark"):
        configured([], [], {}, given)


def test_an_address_counts_by_its_name_alone(tmp_path):
    source = source_of(
        project_folder(),
        "papers",
        "tables",
        (str(write(tmp_path / "a.csv")), "s3a://bucket/papers"),
    )
    here, there = fingerprint.source_lines([source])
    assert there == "DEEPINNOVATION_PAPERS_TABLES s3a://bucket/papers"
    assert str(tmp_path) in here


# ---------------------------------------------------------------- files


def test_of_a_folder_the_readable_files_are_taken(tmp_path):
    for name in ("a.jsonl", "b/c.ndjson.gz", "b/part_000", "d.parquet", "e.csv", "f.json"):
        write(tmp_path / name)
    for name in ("manifest", "b/manifest.json", "readme.txt", "b/W123", "party"):
        write(tmp_path / name)
    found = names(listed(tmp_path, "tables"), tmp_path)
    assert found == ["a.jsonl", "b/c.ndjson.gz", "b/part_000", "d.parquet", "e.csv", "f.json"]


def test_of_a_plain_file_and_its_gzip_twin_the_gzip_is_taken_and_said(tmp_path):
    write(tmp_path / "works/updated_date=2024-01-01/part_000")
    write(tmp_path / "works/updated_date=2024-01-01/part_000.gz")
    listing = listed(tmp_path, "openalex")
    assert names(listing, tmp_path) == ["works/updated_date=2024-01-01/part_000.gz"]
    assert "part_000" in listing.notes[0] and ".gz" in listing.notes[0]


@pytest.mark.parametrize("layout", ["data/works", "data/jsonl/works"])
def test_of_an_openalex_snapshot_works_alone_are_read(tmp_path, layout):
    write(tmp_path / layout / "updated_date=2024-01-01/part_000.gz")
    write(tmp_path / layout / "manifest")
    write(tmp_path / layout / "deleted_ids.csv")
    write(tmp_path / "data/authors/updated_date=2024-01-01/part_000.gz")
    write(tmp_path / "data/merged_ids/works/2023-04-13.csv.gz")
    write(tmp_path / "data/merged_ids/authors/2023-04-13.csv.gz")
    listing = listed(tmp_path, "openalex")
    assert names(listing, tmp_path) == [f"{layout}/updated_date=2024-01-01/part_000.gz"]
    assert listing.beside == {
        "merged_works": [tmp_path / "data/merged_ids/works/2023-04-13.csv.gz"],
        "deleted_works": [tmp_path / layout / "deleted_ids.csv"],
    }
    assert "2 files hold other tables" in listing.notes[0]


@pytest.mark.parametrize("above", ["works", "merged_ids/works", "deleted_ids"])
@pytest.mark.parametrize("location", ["", "data*"])
def test_the_folders_above_a_location_may_be_called_anything(tmp_path, above, location):
    folder = tmp_path / above / "snapshot"
    work = write(folder / "data/works/updated_date=2024-01-01/part_000.gz")
    write(folder / "data/authors/updated_date=2024-01-01/part_000.gz")
    listing = listed(tmp_path, "openalex", location=str(folder / location))
    assert listing.files == [work]
    assert listing.beside == {"merged_works": [], "deleted_works": []}


def test_in_the_folder_of_works_everything_but_its_lists_is_a_work(tmp_path):
    work = write(tmp_path / "works/updated_date=2024-01-01/part_000.gz")
    write(tmp_path / "works/manifest.json")
    deleted = write(tmp_path / "works/deleted_ids.csv")
    listing = listed(tmp_path / "works", "openalex")
    assert (listing.files, listing.beside["deleted_works"]) == ([work], [deleted])


def test_a_single_file_and_a_snapshot_are_read_together(tmp_path):
    work = write(tmp_path / "snapshot/data/works/part_000.gz")
    write(tmp_path / "snapshot/data/authors/part_000.gz")
    more = write(tmp_path / "more.jsonl")
    both = (str(tmp_path / "snapshot"), str(more))
    listing = list_files(source_at("papers", "openalex", both))
    assert listing.files == [work, more]
    assert len(listing.notes) == 1 and "1 files hold other tables" in listing.notes[0]


def test_a_glob_names_files_and_folders(tmp_path):
    write(tmp_path / "2023/a.jsonl")
    write(tmp_path / "2024/b.jsonl")
    write(tmp_path / "2025.jsonl")
    listing = listed(tmp_path, "tables", location=str(tmp_path / "202[45]*"))
    assert names(listing, tmp_path) == ["2024/b.jsonl", "2025.jsonl"]


def test_a_file_named_outright_is_taken_whatever_its_name(tmp_path):
    file = write(tmp_path / "works.txt")
    assert listed(tmp_path, "tables", location=str(file)).files == [file]


@pytest.mark.parametrize(
    ("location", "says"),
    [("nowhere", "does not exist"), ("empty", "must end in"), ("*.jsonl", "No file that can")],
)
def test_a_location_without_files_is_an_error_with_the_option_to_mend(tmp_path, location, says):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=says) as caught:
        listed(tmp_path, "openalex", location=str(tmp_path / location))
    assert str(tmp_path / location) in str(caught.value)
    assert "--papers openalex=PATH" in str(caught.value)


# ---------------------------------------------------------------- archives


def zipped(file: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_archives_in_a_folder_are_unpacked_once(tmp_path):
    delivered = tmp_path / "delivered"
    delivered.mkdir()
    zipped(delivered / "works.zip", {"page_1.json": f"[{work(1)}]", "notes.txt": "no record"})
    source = source_at("papers", "openalex", (str(delivered),))
    first = archives.unpack(source, tmp_path / "unpacked")
    (folder,) = [Path(location) for location in first.locations]
    assert [file.name for file in folder.iterdir()] == ["page_1.json"]
    changed_at = (folder / "page_1.json").stat().st_mtime_ns
    assert archives.unpack(source, tmp_path / "unpacked") == first
    assert (folder / "page_1.json").stat().st_mtime_ns == changed_at


def test_archives_beside_other_files_add_to_them(tmp_path):
    delivered = tmp_path / "delivered"
    write(delivered / "a.jsonl", work(1))
    zipped(delivered / "works.zip", {"b.jsonl": work(2)})
    source = source_at("papers", "openalex", (str(delivered),))
    places = archives.unpack(source, tmp_path / "unpacked").locations
    assert places[0] == str(delivered) and len(places) == 2


@pytest.mark.parametrize("name", ["../outside.json", "/outside.json", "a/../../outside.json"])
def test_an_archive_that_leads_outside_is_refused(tmp_path, name):
    zipped(tmp_path / "works.zip", {name: "[]"})
    with pytest.raises(InputError, match="leads outside"):
        archives.unpack(
            source_at("papers", "openalex", (str(tmp_path / "works.zip"),)),
            tmp_path / "deep/unpacked",
        )
    assert not list(tmp_path.rglob("outside.json"))


def test_an_archive_that_is_none_is_refused(tmp_path):
    write(tmp_path / "works.zip", "not an archive")
    with pytest.raises(InputError, match=r"works\.zip is damaged"):
        archives.unpack(
            source_at("papers", "openalex", (str(tmp_path / "works.zip"),)),
            tmp_path / "unpacked",
        )


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_RATIO_FROM", 1 << 20)
    zipped(tmp_path / "works.zip", {"a.json": " " * (4 << 20)})
    with pytest.raises(InputError, match="would expand"):
        archives.unpack(
            source_at("papers", "openalex", (str(tmp_path / "works.zip"),)),
            tmp_path / "unpacked",
        )


# ---------------------------------------------------------------- heads


def head_of(location: Path, entity: str = "papers", system: str = "openalex") -> preview.Head:
    return preview.read_head(source_at(entity, system, (str(location),)), project_folder())


def test_a_small_source_is_counted_exactly_and_rejections_are_named(tmp_path):
    lines = [
        work(1),
        '{"id": "https://openalex.org/W2", "title": ',
        work(3, id=None),
        work(4, title=" "),
        work(5, publication_year=3024),
        work(6, is_paratext=True),
        work(7, publication_year=None, abstract_inverted_index=None),
    ]
    write(tmp_path / "part_000.gz", "\n".join(lines) + "\n")
    head = head_of(tmp_path)
    assert head.is_exact and head.rows == 7
    assert head.rejected == {
        "impossible_year": 1,
        "malformed_record": 1,
        "missing_identifier": 1,
        "missing_title": 1,
        "paratext": 1,
    }
    assert head.years == (2001, 2001)
    assert head.languages == {"en": 6}
    assert head.abstracts == 5
    assert head.is_readable
    assert any("line 2 of" in note and "part_000.gz" in note for note in head.listing.notes)


@pytest.mark.parametrize("page", ["[{}, {}]", '{{"meta": {{}}, "results": [{}, {}]}}'])
def test_pages_of_the_api_are_read(tmp_path, page):
    write(tmp_path / "page_1.json", page.format(work(1), work(2)))
    head = head_of(tmp_path)
    assert (head.rows, head.rejected, head.years) == (2, {}, (2001, 2002))


def test_missing_required_fields_are_named(tmp_path):
    write(tmp_path / "papers.csv", "name,year\nA title,2001\n")
    head = head_of(tmp_path, system="tables")
    assert head.missing == ["id", "title"]
    assert not head.is_readable
    assert {"abstract", "doi"} <= set(head.absent) and "publication_year" not in head.absent


def test_a_field_that_holds_only_nulls_is_there(tmp_path):
    write(tmp_path / "papers.jsonl", '{"id": "1", "title": "A", "abstract": null}\n')
    head = head_of(tmp_path, system="tables")
    assert head.fields["abstract"] == 0 and "abstract" not in head.absent
    assert head.is_readable


def test_a_source_of_which_no_record_is_good_is_told(tmp_path):
    write(tmp_path / "papers.jsonl", '{"id": "x1", "title": "A", "publication_year": 2001}\n')
    head = head_of(tmp_path)
    assert not head.is_readable
    assert "Every record would be rejected (missing identifier)" in head.problems[0]


@pytest.mark.parametrize("name", ["papers.csv", "papers.jsonl", "papers.json"])
def test_a_file_that_is_not_utf_8_is_told_with_the_remedy(tmp_path, name):
    content = {"papers.csv": "id,title\n1,Café\n", "papers.json": '[{"id": "1", "title": "é"}]'}
    line = '{"id": "1", "title": "Café"}\n'
    (tmp_path / name).write_bytes(content.get(name, line).encode("latin-1"))
    problem = head_of(tmp_path, system="tables").problems[0]
    assert f"{tmp_path / name} is not UTF-8" in problem and "iconv -f latin1" in problem


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_patents_of_google_are_recognised_in_every_format(tmp_path, form):
    rows = """
        select 'US-9824690-B2' as publication_number, [{'text': 'A title', 'language': 'en'}] as
            title_localized, 20150102 as filing_date
        union all
        select ' ', [{'text': 'Another', 'language': 'de'}], 20160102
    """
    options = {"parquet": "format parquet", "csv": "format csv, header", "jsonl": "format json"}
    duckdb.connect().execute(f"copy ({rows}) to '{tmp_path}/p.{form}' ({options[form]})")
    head = head_of(tmp_path, "patents", "google_patents")
    assert head.rows == 2 and not head.missing
    if form != "csv":  # a list does not survive in CSV, and check says so by its rejections
        assert head.rejected == {"missing_identifier": 1}
        assert head.years == (2015, 2015)


def test_a_broken_file_is_named_and_the_others_are_read(tmp_path):
    whole = gzip.compress("\n".join(work(number) for number in range(1, 400)).encode())
    (tmp_path / "part_000.gz").write_bytes(whole)
    (tmp_path / "part_001.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "part_002.gz").write_bytes(b"no gzip")
    head = head_of(tmp_path)
    assert [("part_001.gz" in p, "part_002.gz" in p) for p in head.problems] == [
        (True, False),
        (False, True),
    ]
    assert head.rows >= 399


def test_files_without_records_are_told(tmp_path):
    write(tmp_path / "part_000.gz", "")
    write(tmp_path / "part_001", "")
    head = head_of(tmp_path)
    assert (head.rows, head.missing) == (0, [])
    assert head.problems == ["papers openalex has no records."]


def test_a_large_source_is_estimated_from_its_first_records(tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "READ_FULLY_BELOW", 1000)
    for part in range(20):
        lines = "\n".join(work(number) for number in range(1, 401))
        write(tmp_path / f"part_{part:03}.gz", lines + "\n")
    head = head_of(tmp_path)
    assert not head.is_exact
    assert head.rows_read == preview.HEAD_ROWS
    assert head.rows == pytest.approx(8000, rel=0.1)


def test_parquet_tells_its_rows_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "READ_FULLY_BELOW", 1000)
    rows = "select 'a' || range as id, 't' as title, 2000 as publication_year from range(5000)"
    duckdb.connect().execute(f"copy ({rows}) to '{tmp_path}/papers.parquet' (format parquet)")
    head = head_of(tmp_path, system="tables")
    assert (head.rows, head.is_exact, head.rows_read) == (5000, True, 1000)


def test_a_field_with_a_quote_in_its_name_does_no_harm(tmp_path):
    write(tmp_path / "papers.jsonl", json.dumps({'a"b': 1} | json.loads(work(1))) + "\n")
    assert head_of(tmp_path).rows == 1


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("a1,T,2001\na2,V,2002,extra\n", 3),
        ("a1,T,2001\na2,V\n", 3),
        ('a1,"two\nlines",2001\na2,"never closed,2002\na3,U,2003\n', 4),
    ],
)
def test_an_irregular_row_is_named_by_its_line_and_never_swallowed(tmp_path, rows, line):
    file = tmp_path / "papers.csv"
    file.write_text("id,title,publication_year\n" + rows)
    with pytest.raises(duckdb.Error) as raised:
        duckdb.sql(
            f"""select * from read_csv(
                '{file}', all_varchar=true, header=true, delim=',', quote='"', escape='"', skip=0
            )"""
        ).fetchall()
    assert f"{file}, line {line}: " in reading_errors.explain_reading(str(raised.value))
