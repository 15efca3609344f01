"""Which records are one document, which id it has, and by which names it is found."""

import json
from pathlib import Path

import pytest

from tests.small_warehouse import CASES

TITLE = "Grading of retinal photographs by a network that may abstain"


def papers(folder: Path, *records: dict) -> Path:
    """Write papers of `tables`, each with a title, author and year unless it names others."""
    common = {"source": "own", "title": TITLE, "authors": ["Ada Sample"], "publication_year": 2019}
    file = folder / "papers.jsonl"
    file.write_text("".join(json.dumps(common | record) + "\n" for record in records))
    return file


def documents(warehouse) -> list[list[str]]:
    """Return the records of each paper, by their ids."""
    rows = warehouse.rows("select document_id, source_record_id from {int_papers_identified}")
    groups: dict[str, list[str]] = {}
    for document, record in rows:
        groups.setdefault(document, []).append(record)
    return sorted(sorted(records) for records in groups.values())


def test_cases_of_papers_are_joined_and_kept_apart(warehouse, tmp_path):
    # One delivery, so that Spark plans it once: the cases share no DOI and no title.
    works = tmp_path / "works"
    for number, name in enumerate(
        (
            "12_container_doi",
            "13_same_title_other_work",
            "17_discussion_dois",
            "17b_chinese_duplicates",
        )
    ):
        works.mkdir(exist_ok=True)
        (works / f"{number}.jsonl").write_bytes((CASES / name / "works.jsonl").read_bytes())
    stale = CASES / "15_stale_partition" / "works"
    for file in stale.rglob("*.jsonl"):
        target = works / file.parent.name / file.name
        target.parent.mkdir()
        target.write_bytes(file.read_bytes())
    made = warehouse(
        {"papers openalex": works, "papers tables": CASES / "14_doi_forms" / "papers.csv"}
    )
    joined = [records for records in documents(made) if len(records) > 1]
    assert joined == [
        ["W7700000001", "W7700000001"],
        ["W7700000040", "W7700000041"],
        ["W7700000061", "W7700000062"],
        ["W7700000063", "W7700000064"],
        sorted(f"p{number}" for number in range(11)),
    ]
    ((title, year, is_retracted),) = made.rows(
        "select title, year, is_retracted from {int_papers_deduplicated} "
        "where document_id = 'W7700000001'"
    )
    assert (title[:11], year, is_retracted) == ("Uncertainty", 2016, False)
    rules = made.rows("select merge_rule, count(*) from {document_merges} group by 1 order by 1")
    assert [tuple(row) for row in rules] == [("doi", 10), ("older_copy", 1), ("title", 3)]


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        ({"authors": ["Sample, A."]}, True),
        ({"authors": ["Bob Sample"]}, False),
        ({"publication_year": 2020}, True),
        ({"publication_year": 2021}, False),
        ({"publication_year": 2021, "work_type": "preprint"}, True),
        ({"publication_year": 2022, "work_type": "preprint"}, False),
        ({"doi": "10.5555/b"}, False),
        ({"doi": "10.5555/b", "work_type": "preprint"}, True),
        ({"title": TITLE + ", part 2"}, False),
        ({"title": "Erratum: " + TITLE}, False),
        ({"title": TITLE.upper() + "."}, True),
    ],
)
def test_a_title_joins_where_authors_years_and_dois_agree(on_duckdb, tmp_path, other, is_same):
    file = papers(tmp_path, {"id": "1", "doi": "10.5555/a"}, {"id": "2"} | other)
    assert (len(documents(on_duckdb({"papers tables": file}))) == 1) is is_same


FORMS = {
    "full_width": (
        "Ｇｒａｄｉｎｇ　ｏｆ retinal photographs by a network，１",
        "Grading of retinal photographs by a network, 1",
    ),
    "mathematics_and_ligatures": (
        "Eﬃcient 𝑘-means for 𝓁₁ norms of retinal photographs",
        "Efficient k-means for ℓ1 norms of retinal photographs",
    ),
    "umlauts": (
        "Größe und Häufigkeit von Gefäßen der Netzhaut",
        "Groesse und Haeufigkeit von Gefaessen der Netzhaut",
    ),
    "chinese": ("深度學習於視網膜影像分級之應用與評估", "深度学习于视网膜影像分级之应用与评估"),
    "dashes_and_quotes": (
        "Graders’ “trust” in retinal photographs – a cost−benefit study",
        'Graders\' "trust" in retinal photographs - a cost-benefit study',
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_title_is_one_in_any_form_of_its_letters(on_duckdb, tmp_path, form):
    first, second = FORMS[form]
    file = papers(tmp_path, {"id": "1", "title": first}, {"id": "2", "title": second})
    assert len(documents(on_duckdb({"papers tables": file}))) == 1
    (tmp_path / "papers.jsonl").unlink()
    other = {"id": "2", "title": second, "authors": ["Bob Else"]}
    file = papers(tmp_path, {"id": "1", "title": first}, other)
    assert len(documents(on_duckdb({"papers tables": file}))) == 2


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("Jürgen Müller", "Mueller, J.", True),
        ("Müller, J.", "Muller J", True),
        ("Øyvind Sæther", "Saether, Oyvind", True),
        ("張偉", "张伟", True),
        ("張偉", "李伟", False),
        ("Jürgen Müller", "Miller, J.", False),
        ("Manuel Samuel", "Manuela Samel", False),
    ],
)
def test_an_author_is_one_in_any_form_of_the_name(on_duckdb, tmp_path, first, second, is_same):
    file = papers(tmp_path, {"id": "1", "authors": [first]}, {"id": "2", "authors": [second]})
    assert (len(documents(on_duckdb({"papers tables": file}))) == 1) is is_same


@pytest.mark.parametrize(
    "form",
    [
        "1705.06391v3",
        "https://arxiv.org/abs/1705.06391",
        "arXiv:1705.06391",
        "oai:arXiv.org:1705.06391",
    ],
)
def test_an_id_of_arxiv_is_one_in_any_form(on_duckdb, tmp_path, form):
    other = {
        "id": "9",
        "title": "Another title",
        "doi": "https://doi.org/10.48550/arXiv.1705.06391",
    }
    made = on_duckdb({"papers tables": papers(tmp_path, {"id": form}, other)})
    assert made.rows("select distinct document_id from {int_papers_identified}") == [
        ("arXiv:1705.06391",)
    ]


def test_more_data_never_changes_the_id_of_a_document(on_duckdb, tmp_path):
    first = {"id": "7"}
    before = on_duckdb({"papers tables": papers(tmp_path, first)})
    assert before.rows("select document_id from {int_papers_identified}") == [("own:7",)]
    later = papers(tmp_path, first, {"id": "W12"}, {"id": "W7"}, {"id": "arXiv:1905.00001"})
    known = {"document_numbers": "select 'own:7' as document_id"}
    after = on_duckdb({"papers tables": later}, last_build=known)
    assert after.rows("select distinct document_id from {int_papers_identified}") == [("own:7",)]
    # From nothing: of OpenAlex, and the older number, which no longer text of digits is.
    anew = on_duckdb({"papers tables": later})
    assert anew.rows("select distinct document_id from {int_papers_identified}") == [("W7",)]


def test_spellings_of_a_publication_number_are_one_patent(warehouse):
    made = warehouse({"patents google_patents": CASES / "20_publication_numbers"})
    ((records, patents),) = made.rows(
        "select count(*), count(distinct document_id) from {int_patents_identified}"
    )
    assert (records, patents) == (37, 35)
    rejected = (
        "select source_record_id from {int_patents_unioned} where rejection_reason is not null"
    )
    assert made.rows(rejected) == []


def test_links_and_labels_find_documents_by_any_name(warehouse):
    case = CASES / "42_reliance_links"
    made = warehouse(
        {
            "papers openalex": case / "works.jsonl",
            "patents google_patents": case / "publications.jsonl",
            "labels": case / "labels.csv",
            "links": case / "links.csv",
        }
    )
    links = made.rows("select paper_id, patent_id from {int_links_imported} order by record_row")
    numbers = [1, 2, 3, 1, 2, 3]
    assert [tuple(row) for row in links] == [
        (f"W770000000{number}", f"US-990000{number}-B2") for number in numbers
    ]
    labels = made.rows("select document_id from {int_labels_imported} order by record_row")
    assert [row[0] for row in labels] == [
        "W7700000001",
        "W7700000002",
        "W7700000003",
        "US-9900001-B2",
        "US-9900002-B2",
    ]
    kinds = made.rows("select identifier_kind, count(*) from {document_identifiers} group by 1")
    assert dict(tuple(row) for row in kinds) == {
        "openalex": 3,
        "doi": 3,
        "publication_number": 3,
        "application_number": 3,
        "source_record_id": 6,
    }


def test_numbers_of_documents_have_at_most_15_digits(on_duckdb):
    made = on_duckdb({"papers openalex": CASES / "61_published_csv" / "works.jsonl"})
    ((count, largest),) = made.rows(
        "select count(distinct document_number), max(document_number) from {document_numbers}"
    )
    assert count > 5
    assert largest < 10**15
