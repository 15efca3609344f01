"""Claims about what SQL reads of delivered files, and that Python lists the same ones."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_steps.errors import InputError
from python_steps.sources.formats import look_at
from python_steps.sources.locations import list_files
from python_steps.sources.systems import Source, deliveries
from tests.small_warehouse import CASES, PROJECT, SmallWarehouse


def write(file: Path, content: bytes = b'{"id": "1", "title": "A"}\n') -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def listed_by_dbt(warehouse: SmallWarehouse, location: Path, system: str = "tables") -> list[str]:
    """List the files at a location by the macro that dbt uses."""
    table = deliveries(PROJECT)["papers", system].table
    rules = {
        "record_files": table.record_files,
        "ignored_files": table.ignored_files,
        "unread_files": table.unread_files,
        "files": list(table.files),
    }
    by_form = warehouse.sql._call("delivered_files", "papers", rules, [str(location)])
    return sorted(file for files in by_form.values() for file in files)


def listed_by_python(location: Path, system: str = "tables") -> list[str]:
    source = Source(deliveries(PROJECT)["papers", system], (str(location),))
    return sorted(map(str, list_files(source).files))


# ---------------------------------------------------------------- which files


def test_capital_letters_in_an_ending_make_no_difference(warehouse, tmp_path):
    files = {
        "A.CSV": b"id,title\n1,A\n",
        "B.TSV": b"id\ttitle\n2,0\tA\n",
        "C.JSONL": b'{"id": "3", "title": "A"}\n',
        "D.JSON": b'[{"id": "4", "title": "A"},\n{"id": "5", "title": "A"}]',
        "E.CSV.GZ": gzip.compress(b"id,title\n6,A\n"),
        "F.JSON.GZ": gzip.compress(b'[{"id": "7", "title": "A"},\n{"id": "8", "title": "A"}]'),
        "G.Jsonl.Gz": gzip.compress(b'{"id": "9", "title": "A"}\n'),
        "A.CSV.GZ": gzip.compress(b"id,title\n1,A\n"),
    }
    for name, content in files.items():
        write(tmp_path / "all" / name, content)
    pq.write_table(pa.table({"id": ["10"], "title": ["A"]}), tmp_path / "all/H.PARQUET")
    made = warehouse({"papers tables": tmp_path / "all"})
    assert listed_by_dbt(made, tmp_path / "all") == listed_by_python(tmp_path / "all")
    assert str(tmp_path / "all/A.CSV") not in listed_by_python(tmp_path / "all")  # its twin is
    staged = "select source_record_id from {stg_tables__papers} where rejection_reason is null"
    ids = ["1", "2,0", *map(str, range(3, 11))]
    assert sorted(made.rows(staged)) == sorted((one,) for one in ids)
    for name in ("A.CSV", "F.JSON.GZ", "H.PARQUET"):
        assert listed_by_dbt(made, tmp_path / "all" / name) == [str(tmp_path / "all" / name)]
        assert not look_at(tmp_path / "all" / name)


@pytest.mark.parametrize("name", ["A.XLSX", "A.TAR.GZ", "A.JSONL.BZ2"])
def test_what_is_not_read_is_told_in_capitals_too(name, tmp_path):
    write(tmp_path / name, b"x")
    write(tmp_path / "b.jsonl")
    source = Source(deliveries(PROJECT)["papers", "tables"], (str(tmp_path),))
    listing = list_files(source)
    assert [file.name for file in listing.files] == ["b.jsonl"]
    assert [file.name for file in listing.unread] == [name]


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """Make a folder with everything that listings have disagreed on."""
    top = tmp_path_factory.mktemp("tree")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name in (
        "works [a]/x.jsonl",
        "works a/y.jsonl",
        "works a/.hidden.jsonl",
        "works a/.folder/z.jsonl",
        "works a/_temporary/z.jsonl",
        "works a/_year=2024/z.jsonl",
        "works a/b/c/d/e/f/g/h/i/j.jsonl",
        "works a/part_0",
        "works a/part_0.gz",
        "works a/works.tar.gz",
        "works a/page.json.gz",
        "works a/table.tsv",
        "works a/manifest.json",
        "a*/x.jsonl",
        "ab/y.jsonl",
        "{a,b}/x.jsonl",
        "ü q?/x [1].jsonl",
    ):
        write(top / name)
    write(elsewhere / "deep/er/linked.jsonl")
    (top / "works a/link").symlink_to(elsewhere)
    (top / "works a/linked_file.jsonl").symlink_to(write(elsewhere.parent / "alone.jsonl"))
    return top


@pytest.mark.parametrize(
    ("location", "count"),
    [
        ("works [a]", 1),
        ("works [a]/x.jsonl", 1),
        ("works a", 8),
        ("works a/", 8),
        ("works [ab]", 8),
        ("works a/*.jsonl", 2),
        ("works a/link", 1),
        ("a*", 1),
        ("a[b]", 1),
        ("{a,b}", 1),
        ("ü q?", 1),
        ("ü*/x*", 1),
    ],
)
def test_python_and_both_engines_list_the_same_files(warehouse, tree, location, count):
    ours = listed_by_python(tree / location if location[-1] != "/" else f"{tree}/{location}")
    assert listed_by_dbt(warehouse({}), f"{tree}/{location}") == ours
    assert len(ours) == count


@pytest.mark.parametrize(
    "case", ["works [2026]", "works [a]", "works a", "data*x", "who?", "{a,b}"]
)
def test_the_folder_that_was_named_is_read_whatever_is_in_its_name(warehouse, case):
    folder = CASES / "50_odd_folders" / case
    assert listed_by_dbt(warehouse({}), folder, "openalex") == [f"{folder}/part.jsonl"]
    rows = warehouse({"papers openalex": folder}).rows(
        "select distinct record_file from {stg_openalex__works}"
    )
    assert rows == [(f"{folder}/part.jsonl",)]


def test_a_link_to_a_folder_above_itself_is_refused(tmp_path):
    write(tmp_path / "works/a.jsonl")
    (tmp_path / "works/loop").symlink_to(tmp_path)
    with pytest.raises(InputError, match="works/loop is a link to a folder above itself"):
        listed_by_python(tmp_path / "works")


def test_a_file_that_a_link_shows_twice_is_refused(tmp_path):
    write(tmp_path / "2026/a.jsonl")
    (tmp_path / "latest").symlink_to("2026")
    with pytest.raises(InputError, match=r"are the same file, by a link.*Remove the link"):
        listed_by_python(tmp_path)


def test_a_link_that_leads_nowhere_is_refused(tmp_path):
    write(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to("gone.jsonl")
    with pytest.raises(InputError, match=r"b\.jsonl is a link to a file that is not there"):
        listed_by_python(tmp_path)


# ---------------------------------------------------------------- which tables of OpenAlex


@pytest.mark.parametrize(
    ("deleted", "merged"),
    [
        ("works/deleted_ids.csv", "merged_ids/works/2023-04-13.csv"),
        ("works/deleted_ids.csv.gz", "merged_ids/works/2023-04-13.csv.gz"),
        ("works/deleted_ids/2026-09-20.csv.gz", "merged_ids/works/2023-04-13.csv.gz"),
        ("deleted_ids/works/part_000.csv.gz", "merged_ids/works/a.csv.gz"),
    ],
)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("top", ["", "data", "data/{form}"])
def test_lists_of_deleted_and_merged_works_are_told_from_works(
    on_duckdb, tmp_path, top, form, deleted, merged
):
    folder = tmp_path / top.format(form=form)
    ending = {"jsonl": ".gz", "parquet": ".parquet"}[form]
    work = folder / f"works/updated_date=2026-09-20/part_0000{ending}"
    if form == "parquet":
        work.parent.mkdir(parents=True)
        pq.write_table(pa.table({"id": ["W1", "W2"], "title": ["A", "B"]}), work)
    else:
        write(work, gzip.compress(b'{"id": "W1", "title": "A"}\n{"id": "W2", "title": "B"}\n'))
    lists = {deleted: b"work_id\nW1\n", merged: b"merge_date,id,merge_into_id\n2023-04-13,W3,W2\n"}
    for name, text in lists.items():
        write(folder / name, gzip.compress(text) if name.endswith(".gz") else text)
    write(folder / f"authors/updated_date=2026-09-20/part_0000{ending}")
    write(folder / "works/manifest.json", b"{}")
    warehouse = on_duckdb({"papers openalex": tmp_path})
    assert warehouse.rows(
        "select count(*), count(rejection_reason) from {stg_openalex__works}"
    ) == [(2, 0)]
    assert warehouse.rows("select source_record_id from {stg_openalex__deleted_works}") == [("W1",)]
    assert warehouse.rows("select merged_into_record_id from {stg_openalex__merged_works}") == [
        ("W2",)
    ]


def test_one_file_a_work_and_pages_are_read_together(warehouse, tmp_path):
    write(tmp_path / "W1.json", b'{\n "id": "https://openalex.org/W1",\n "title": "A"\n}\n')
    write(tmp_path / "12/W2.json", b'{"id": "https://openalex.org/W2", "title": "B"}')
    write(tmp_path / "page.json", b'{"meta": {}, "results": [{"id": "W3", "title": "C"}]}')
    write(tmp_path / "page.json.gz", gzip.compress(b'[{"id": "W4", "title": "D"}]'))
    rows = warehouse({"papers openalex": tmp_path}).rows(
        "select source_record_id from {stg_openalex__works} order by 1"
    )
    # Of page.json and page.json.gz the latter is read.
    assert rows == [("W1",), ("W2",), ("W4",)]


# ---------------------------------------------------------------- Parquet of several types


def test_types_may_differ_between_parquet_files(warehouse):
    rows = warehouse({"papers tables": CASES / "23b_parquet_mixed_types/papers"}).rows(
        "select source_record_id, publication_year, title, rejection_reason, record_row "
        "from {stg_tables__papers} order by record_row"
    )
    assert [row[1] for row in rows] == [2018, 2019, 2020]
    assert [row[3] for row in rows] == [None] * 3
    assert [row[4] for row in rows] == [1, 2, 3]


def test_a_list_in_one_file_and_text_in_the_next_both_give_their_values(warehouse, tmp_path):
    tables = [
        {"id": ["a"], "title": ["A"], "keywords": [["one", "two"]], "publication_year": [2018]},
        {"id": ["b"], "title": ["B"], "keywords": ["three; four"], "publication_year": ["2019"]},
        {"id": [3], "title": ["C"], "keywords": [None], "publication_year": [2020.0]},
        {"id": ["d"], "title": ["D"], "keywords": [["five"]], "publication_year": [2021]},
    ]
    for number, columns in enumerate(tables):
        pq.write_table(pa.table(columns), tmp_path / f"p{number}.parquet")
    rows = warehouse({"papers tables": tmp_path}).rows(
        "select source_record_id, publication_year, keywords from {stg_tables__papers} "
        "order by record_file"
    )
    assert [(name, year, list(words or [])) for name, year, words in rows] == [
        ("a", 2018, ["one", "two"]),
        ("b", 2019, ["three", "four"]),
        ("3", 2020, []),
        ("d", 2021, ["five"]),
    ]


# ---------------------------------------------------------------- signs that JSON does not allow


def test_a_bad_sign_in_a_page_spoils_one_record_and_not_its_neighbours(warehouse):
    rows = warehouse({"papers openalex": CASES / "34_surrogates"}).rows(
        "select record_file like '%page.json', rejection_reason from {stg_openalex__works} "
        "order by record_row"
    )
    assert [reason for is_page, reason in rows if is_page] == ["malformed_record", None]
    assert [reason for is_page, reason in rows if not is_page].count("malformed_record") == 2


@pytest.mark.parametrize(
    "title",
    [r"half \ud83d", r"half \ude00", r"no \escape", r"short \u12", "nul \x00", r"end \ud83d\n"],
)
def test_whatever_the_sign_is_the_record_is_kept_as_it_was(warehouse, tmp_path, title):
    good = {"title": 'A \\ backslash, a " quote, \U0001f600, \\ud83d as text', "type": "article"}
    records = [
        json.dumps(good | {"id": "W1"}),
        f'{{"id": "W2", "title": "{title}"}}',
        json.dumps(good | {"id": "W3"}, ensure_ascii=False),
    ]
    write(tmp_path / "page.json", f'{{"meta": {{}}, "results": [{", ".join(records)}]}}'.encode())
    rows = warehouse({"papers openalex": tmp_path}).rows(
        "select source_record_id, title, rejection_reason, raw_record from {stg_openalex__works} "
        "order by record_row"
    )
    assert [row[:3] for row in rows[::2]] == [
        ("W1", good["title"], None),
        ("W3", good["title"], None),
    ]
    assert rows[1][2] == "malformed_record"
    assert title in rows[1][3].replace(r"\uD", r"\ud").replace("E00", "e00").replace("83D", "83d")


def test_a_page_that_holds_no_records_is_one_record_to_reject(warehouse):
    rows = warehouse({"papers openalex": CASES / "52_error_page"}).rows(
        "select rejection_reason, count(*) from {stg_openalex__works} group by 1 order by 1"
    )
    assert sorted(rows, key=str) == [
        ("malformed_record", 2),
        ("missing_identifier", 1),
        (None, 3),
    ]


# ---------------------------------------------------------------- separators


@pytest.mark.parametrize("name", ["semicolon.csv", "tab.csv", "tab.tsv"])
def test_fields_may_be_parted_by_other_signs_than_commas(warehouse, name):
    rows = warehouse({"papers tables": CASES / "36_separators" / name}).rows(
        "select source_record_id, publication_year, abstract, rejection_reason "
        "from {stg_tables__papers} order by record_row"
    )
    assert rows[-1][1:] == (2018, "text, more", None)


def test_nul_in_text_does_not_end_the_reading(warehouse):
    rows = warehouse({"papers tables": CASES / "35_nul_bytes/papers.csv"}).rows(
        "select count(*), count(rejection_reason) from {stg_tables__papers}"
    )
    assert rows == [(2, 0)]


@pytest.mark.parametrize("name", ["works.parquet", "works.csv"])
def test_the_name_of_a_folder_is_never_a_column(name, warehouse, tmp_path):
    folder = tmp_path / "updated_date=2020-01-01"
    folder.mkdir()
    table = pa.table({"id": ["W1"], "title": ["A"], "updated_date": ["2026-09-20"]})
    if name.endswith(".csv"):
        write(folder / name, b"id,title,updated_date\nW1,A,2026-09-20\n")
    else:
        pq.write_table(table, folder / name)
    found = warehouse({"papers openalex": tmp_path}).rows(
        "select cast(updated_date as string) from {stg_openalex__works}"
    )
    assert found == [("2026-09-20",)]
