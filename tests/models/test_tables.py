"""Records of the interchange form `tables`, as staging reads them, on both engines."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.models.staged import names, staged
from tests.small_warehouse import CASES

# Lists in the forms that tools write, and their elements.
LISTS = [
    ('["a", "b c"]', ["a", "b c"]),
    ("['a', \"it's\"]", ["a", "it's"]),
    ("['a' 'b']", ["a", "b"]),
    ("['a'\n 'b']", ["a", "b"]),
    ("array(['a', 'b'], dtype=object)", ["a", "b"]),
    ("('a', 'b')", ["a", "b"]),
    ("('a',)", ["a"]),
    ("[u'a', None, nan]", ["a"]),
    ("['caf\\xe9', 'b\\\\c']", ["café", "b\\c"]),
    ('{a,"b c"}', ["a", "b c"]),
    ('{"b \\"q\\"",NULL}', ['b "q"']),
    ("{'a', 'b'}", ["a", "b"]),
    ("a; b;", ["a", "b"]),
    ("a|b", ["a", "b"]),
    ("a | b", ["a", "b"]),
    ("a;;b", ["a", "b"]),
    ("a\nb", ["a", "b"]),
    ("a；b", ["a", "b"]),
    ('"a", "b"', ["a", "b"]),
    ('"a"; "b"', ["a", "b"]),
    ("[a; b]", ["a", "b"]),
    ('[["a", "b"], ["c"]]', ["a", "b", "c"]),
    ('[{"name": "a"}, {"display_name": "b"}, {"keyword": "c"}, {"x": 1}]', ["a", "b", "c"]),
    ("[{'name': 'a', 'n': None, 'is': True}]", ["a"]),
    ('{"name": "a"}', ["a"]),
    ('{"list": [{"element": "a"}, {"element": "b"}]}', ["a", "b"]),
    ('{"list": [{"item": {"name": "a"}}]}', ["a"]),
    ('[{"element": "a"}]', ["a"]),
    ("R&amp;D; caf&eacute;", ["R&D", "café"]),
    ('["R&amp;D; b"]', ["R&D; b"]),
    ("[&quot;a&quot;, &quot;b&quot;]", ["a", "b"]),
    ("H<sub>2</sub>O; b", ["H2O", "b"]),
    ("Sample, Ada", ["Sample, Ada"]),
    ("Q&A", ["Q&A"]),
    ("AT&T; R&D", ["AT&T", "R&D"]),
    ("'tis a season", ["'tis a season"]),
    ("(1+1)-ES; b", ["(1+1)-ES", "b"]),
    ("{deep} learning", ["{deep} learning"]),
    ("P(A|B)", ["P(A|B)"]),
    ("[1] a; b", ["[1] a", "b"]),
    ("nan", None),
    ("[nan]", None),
    ("[]", None),
    ("", None),
]

# What begins as a list and is none, or may be one of several.
UNCLEAR = ["['a', 'b", "[a, b]", "['a' ... 'z']", '[{"x": 1}]']


def folder_of(path: Path, *cases: str) -> Path:
    """Copy files of tests/cases to one folder, each named after its case."""
    path.mkdir()
    for case in cases:
        source = CASES / case
        shutil.copy(source, path / f"{source.parent.name.split('_')[0]}_{source.name}")
    return path


def write_csv(file: Path, rows: list[dict]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_lines(file: Path, records: list[dict]) -> None:
    file.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def test_papers_are_read_in_every_form(warehouse, tmp_path):
    folder = folder_of(
        tmp_path / "papers",
        "30_python_lists/papers.csv",
        "31_header_case/papers.csv",
        "31_header_case/papers_title_case.csv",
        "31_header_case/blanks.csv",
        "32_label_forms/papers.parquet",
        "33_placeholders/papers.csv",
        "35_nul_bytes/papers.csv",
        "41_years/papers.csv",
        "56_year_names/papers.csv",
    )
    write_csv(
        folder / "lists.csv",
        [{"ID": n, "Title": "T", "Author Keywords": text} for n, (text, _) in enumerate(LISTS)],
    )
    write_csv(
        folder / "unclear.csv",
        [{"id": n, "title": "T", "keywords": text} for n, text in enumerate(UNCLEAR)],
    )
    write_lines(
        folder / "own.jsonl",
        [
            {
                **{"Paper ID": 7700000001.0, "Article-Title": "Na&iuml;ve A", "YEAR": 2018.0},
                **{"Source Title": "AT&amp;T Journal", "Cited by": "1,234", "Retracted": "no"},
                **{"authors": ["Ada Sample", None, "Bo Example"]},
                **{"author_countries": ["NL", None, "NA"], "Open Access": "gold", "Note": " "},
            },
            {
                **{"id": "2", "title": "B", "publication_date": "2018-03-05T00:00:00Z"},
                "authors": [
                    {"name": "Ada Sample", "country": "NL", "orcid": "0000-0001", "ror": "x"},
                    {"display_name": "Bo Example", "countries": ["DE", "Viet Nam"]},
                    {"given": "Cy", "family": "Third", "affiliation": "University of X"},
                ],
                "institutions": [{"name": "X", "ror": "https://ror.org/0x", "country_code": "NL"}],
            },
            {"id": "3", "title": "C", "authors": "A; B", "author_countries": "NL; ", "doi": "n/a"},
            {"id": "4", "title": "D", "authors": "A; B", "author_countries": "NL", "doi": "none?"},
            {
                "id": "5",
                "title": "E",
                "year": "spring",
                "publication_year": "2018",
                "language": "nan",
            },
            {"id": "6", "title": "F", "label_is_ai": "perhaps", "publication_date": "05.03.2018"},
            {"id": "7", "title": "[Not Available].", "year": 2018},
            {"id": "8", "title": "None of the above: a survey", "venue": "N/A", "country": "NA"},
            {"id": "9", "title": "G", "year": 3018},
        ],
    )
    papers = staged(
        warehouse({"papers tables": folder}),
        "stg_tables__papers",
        *("source_record_id", "title", "abstract", "doi", "publication_year", "publication_date"),
        *("keywords", "authors", "institutions", "venue", "country", "language", "cited_by_count"),
        *("is_retracted", "label_is_ai", "not_understood", "unread_fields", "rejection_reason"),
    )

    def values(file: str, field: str) -> list:
        return [row[field] for (name, _), row in papers.items() if name == file]

    assert [dict(zip(["text", "read"], each, strict=True)) for each in LISTS] == [
        {"text": text, "read": read}
        for (text, _), read in zip(LISTS, values("lists.csv", "keywords"), strict=True)
    ]
    assert not any(values("lists.csv", "not_understood"))
    assert values("unclear.csv", "keywords") == [None] * len(UNCLEAR)
    assert values("unclear.csv", "not_understood") == [
        [{"field": "keywords", "value": text}] for text in UNCLEAR
    ]

    both = ["deep learning", "retina"]
    assert values("30_papers.csv", "keywords") == [both] * 4 + [["deep learning, retina"], both]
    assert [names(each, "author_name") for each in values("30_papers.csv", "authors")] == [
        ["Sample, Ada", "O'Example, Bo"],
        ["Sample, Ada", "Example, Bo"],
        ["Sample, Ada", "Example, Bo"],
        ["Ada Sample", "Bo Example"],
        ["Ada Sample, Bo Example"],
        ["Sample, Ada", "Example, Bo"],
    ]
    for name in ("31_papers.csv", "31_papers_title_case.csv", "31_blanks.csv"):
        assert values(name, "title") == ["Neural network of the header case"]
        assert values(name, "publication_year") == [2018]
        assert values(name, "rejection_reason") == [None]
    assert values("31_papers.csv", "doi") == ["10.5555/x.1"]
    assert names(values("31_papers.csv", "authors")[0], "author_name") == ["Ada Sample"]
    assert values("31_papers.csv", "unread_fields") == [None]  # Novelty is blank

    assert values("32_papers.parquet", "label_is_ai") == [True, False, None]
    assert values("32_papers.parquet", "rejection_reason") == [None, None, None]

    assert values("33_papers.csv", "abstract")[:12] == [None] * 12
    assert values("33_papers.csv", "abstract")[15].startswith("Short true text")
    assert values("33_papers.csv", "rejection_reason")[12] == "missing_title"
    assert values("33_papers.csv", "doi")[13:15] == [None] * 2
    assert not any("\0" in title for title in values("35_papers.csv", "title"))
    assert values("35_papers.csv", "title")[0] == "Neural network title"

    years = [2018] * 6 + [1998, 2018, 2018] + [None] * 4 + [2018, 2018, None, 2027, 2028, 1799]
    assert values("41_papers.csv", "publication_year") == years
    assert values("41_papers.csv", "rejection_reason")[17] == "impossible_year"
    assert values("41_papers.csv", "not_understood")[9] == [
        {"field": "publication_year", "value": "18"}
    ]
    assert values("56_papers.csv", "publication_year") == [2018]

    own = [row for (name, _), row in papers.items() if name == "own.jsonl"]
    assert own[0]["source_record_id"] == "7700000001"
    assert (own[0]["title"], own[0]["publication_year"]) == ("Naïve A", 2018)
    assert (own[0]["venue"], own[0]["cited_by_count"]) == ("AT&T Journal", 1234)
    assert own[0]["is_retracted"] is False
    assert own[0]["unread_fields"] == ["Open Access"]
    assert [(a["author_name"], a["country_codes"]) for a in own[0]["authors"]] == [
        ("Ada Sample", ["NL"]),
        ("Bo Example", ["NA"]),
    ]
    assert (own[1]["publication_year"], own[1]["publication_date"]) == (2018, "2018-03-05")
    assert [(a["author_name"], a["country_codes"]) for a in own[1]["authors"]] == [
        ("Ada Sample", ["NL"]),
        ("Bo Example", ["DE", "Viet Nam"]),
        ("Cy Third", None),
    ]
    assert own[1]["authors"][0]["orcid"] == "0000-0001"
    assert own[1]["authors"][2]["affiliation"] == "University of X"
    assert own[1]["institutions"][0]["ror"] == "https://ror.org/0x"
    assert own[1]["institutions"][0]["country_code"] == "NL"
    assert names(own[2]["authors"], "country_codes") == [["NL"], None]
    assert own[2]["not_understood"] == []
    assert names(own[3]["authors"], "country_codes") == [None, None]
    assert own[3]["not_understood"] == [
        {"field": "doi", "value": "none?"},
        {"field": "author_countries", "value": "NL"},
    ]
    assert (own[4]["publication_year"], own[4]["language"]) == (2018, None)
    assert own[5]["rejection_reason"] == "unreadable_label"
    assert own[5]["publication_date"] == "2018-03-05"
    assert own[6]["rejection_reason"] == "missing_title"
    assert (own[7]["venue"], own[7]["country"]) == (None, "NA")
    assert own[7]["title"] == "None of the above: a survey"
    assert own[8]["rejection_reason"] == "impossible_year"


def test_patents_are_read_in_every_form(warehouse, tmp_path):
    folder = folder_of(
        tmp_path / "patents",
        "30_python_lists/patents.csv",
        "56_year_names/patents.csv",
        "56_year_names/patents_dates.csv",
        "58_code_forms/patents.csv",
    )
    write_lines(
        folder / "own.jsonl",
        [
            {
                **{"Publication Number": "US 9,824,690 B2", "Title": "A", "Filed": "2016/03/07"},
                **{"priority date": "20150301", "Publication_Date": 1511222400000},
                **{"grant-date": "21 Nov 2017", "Legal Status": "active"},
                **{"assignees": "Sample BV; Example GmbH", "assignee_countries": "NL; DE"},
                "inventors": [{"name": "Ada Sample", "country": "NL"}, "Bo Example"],
                "priority_claims": [{"application_number": "US-2015-A", "filing_date": "20150301"}],
                "citations": [
                    {"publication_number": "EP1234567A1", "category": "X"},
                    {"npl_text": "Sample &amp; Example 2001", "category": "Y"},
                ],
            },
            {"id": "b", "title": "B", "priority_year": 2011, "publication_year": 2014},
            {"id": "c", "title": "C", "year": 2014, "year_basis": "Grant", "filing_date": "2010"},
            {"id": "d", "title": "D", "year": 2014, "filing_date": "20141000", "grant_date": 0},
            {"id": "e", "title": "E", "filing_date": "soon", "citations": "US5000000A; A book"},
            {"id": "f", "title": "F", "label": "no", "label_is_ai": 1.0, "granted": "2015-05-05"},
            {"id": "g", "title": "G", "label_is_ai": "AI", "applicants": "A; B", "country": "us"},
        ],
    )
    patents = staged(
        warehouse({"patents tables": folder}),
        "stg_tables__patents",
        *("publication_number", "title", "year", "year_basis", "filing_date", "priority_date"),
        *("publication_date", "grant_date", "codes", "applicants", "inventors", "citations"),
        *("priority_claims", "office_code", "label_is_ai", "not_understood", "unread_fields"),
        "rejection_reason",
    )

    def values(file: str, field: str) -> list:
        return [row[field] for (name, _), row in patents.items() if name == file]

    codes = [names(each, "delivered_code") for each in values("30_patents.csv", "codes")]
    assert codes[0] == ["G06N3/08", "G06N3/08", "Y02D10/00"]
    assert codes[1] == ["G06N 3/08", "G06N 5/04", "G06N3/08", "Y02D10/00"]
    assert codes[2] == ["G06N3/08", "G06N5/04", "G06N3/08", "Y02D10/00"]
    assert codes[3] == ["G06N-003/08", "G06N3/08", "Y02D10/00"]
    assert [names(each, "applicant_name") for each in values("30_patents.csv", "applicants")] == [
        ["Sample BV"],
        ["Sample BV, Example GmbH"],
        ["SAMPLE BV", "EXAMPLE GMBH"],
        ["Sample BV", "Example GmbH"],
        ["Sample BV"],
        ["Sample BV"],
    ]
    codes = [names(each, "delivered_code") for each in values("58_patents.csv", "codes")]
    assert codes[7] == ["G06N 3/08 (2006.01)", "G06N 5/04 (2006.01)"]
    assert codes[11] == ["G06N20/00", "G06N3/08"]
    assert codes[14] == ["G06N3/08", "G06N5/04"]
    assert values("56_patents.csv", "year") == [2018, 2018]
    assert values("56_patents.csv", "year_basis") == ["publication", "publication"]
    assert values("56_patents_dates.csv", "year") == [2018]
    assert values("56_patents_dates.csv", "year_basis") == ["filing"]
    assert values("56_patents_dates.csv", "publication_date") == ["2020-01-07"]

    own = [row for (name, _), row in patents.items() if name == "own.jsonl"]
    assert own[0]["publication_number"] == "US-9824690-B2"
    dates = ("filing_date", "priority_date", "publication_date", "grant_date")
    assert [own[0][name] for name in dates] == [
        *("2016-03-07", "2015-03-01", "2017-11-21", "2017-11-21")
    ]
    assert [(a["applicant_name"], a["country_code"]) for a in own[0]["applicants"]] == [
        ("Sample BV", "NL"),
        ("Example GmbH", "DE"),
    ]
    assert [(i["author_name"], i["country_codes"]) for i in own[0]["inventors"]] == [
        ("Ada Sample", ["NL"]),
        ("Bo Example", None),
    ]
    assert own[0]["priority_claims"] == [
        {"application_number": "US-2015-A", "filing_date": "2015-03-01"}
    ]
    assert own[0]["citations"] == [
        {"publication_number": "EP-1234567-A1", "literature": None, "category": "X"},
        {"publication_number": None, "literature": "Sample & Example 2001", "category": "Y"},
    ]
    assert own[0]["unread_fields"] == ["Legal Status"]
    assert [(row["year"], row["year_basis"]) for row in own] == [
        (2016, "filing"),
        (2011, "priority"),
        (2014, "grant"),
        (2014, "filing"),
        (None, None),
        (2015, "grant"),
        (None, None),
    ]
    assert own[3]["filing_date"] is None
    assert own[3]["not_understood"] == []
    assert own[4]["not_understood"] == [{"field": "filing_date", "value": "soon"}]
    assert names(own[4]["citations"], "publication_number") == ["US-5000000-A", None]
    assert names(own[4]["citations"], "literature") == [None, "A book"]
    assert (own[5]["label_is_ai"], own[5]["unread_fields"]) == (True, ["label"])
    assert own[6]["rejection_reason"] == "unreadable_label"
    assert own[6]["office_code"] == "US"


def test_labels_and_links_are_read_in_every_form(warehouse, tmp_path):
    folder = folder_of(tmp_path / "labels", "32_label_forms/labels.csv")
    rows = [
        *[{"ID": "p", "Is AI": text} for text in ("yes", "No", "Y", "n", "T", "f", "TRUE", "1")],
        *[{"ID": "p", "Is AI": text} for text in ("0", "", "NaN", "perhaps", "2")],
    ]
    write_csv(folder / "own.csv", rows)
    (tmp_path / "links.csv").write_text("Paper ID,Patent-ID,Kind\n1.0,US1,same Invention\n")
    both = warehouse({"labels": folder, "links": tmp_path / "links.csv"})
    labels = staged(both, "stg_tables__labels", "is_ai", "rejection_reason")
    assert [row["is_ai"] for (name, _), row in labels.items() if name == "32_labels.csv"] == [
        *(True, False, True, None, None, True, False, True)
    ]
    own = [row for (name, _), row in labels.items() if name == "own.csv"]
    assert [row["is_ai"] for row in own[:9]] == [True, False] * 3 + [True, True, False]
    assert [row["rejection_reason"] for row in own[9:]] == [
        *("missing_label", "missing_label", "unreadable_label", "unreadable_label")
    ]
    links = staged(both, "stg_tables__links", "paper_record_id", "patent_record_id", "kind")
    assert list(links.values()) == [
        {"paper_record_id": "1", "patent_record_id": "US1", "kind": "same_invention"}
    ]


def test_labels_say_how_sure_they_are_and_how_many_documents_they_stand_for(warehouse, tmp_path):
    said = [("0.9", "12.5"), ("1", ""), ("", "3"), ("90 %", "1"), ("1.2", "1"), ("0.5", "0")]
    rows = [
        {"id": "p", "is_ai": "true", "Confidence": sure, "Sampling weight": weight}
        for sure, weight in said
    ]
    write_csv(tmp_path / "labels.csv", rows)
    labels = staged(
        warehouse({"labels": tmp_path}),
        *("stg_tables__labels", "label_confidence", "sampling_weight", "rejection_reason"),
    ).values()
    kept = [row for row in labels if row["rejection_reason"] is None]
    assert [(row["label_confidence"], row["sampling_weight"]) for row in kept] == [
        *((0.9, 12.5), (1.0, None), (None, 3.0))
    ]
    assert [row["rejection_reason"] for row in labels if row not in kept] == [
        *("unreadable_confidence", "unreadable_confidence", "unreadable_weight")
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": "1"} x'])
def test_what_is_no_record_is_malformed(on_duckdb, tmp_path, text):
    (tmp_path / "papers.jsonl").write_text(f'{{"id": "0", "title": "T"}}\n{text or "null"}\n')
    papers = staged(
        on_duckdb({"papers tables": tmp_path}), "stg_tables__papers", "rejection_reason"
    )
    assert [row["rejection_reason"] for row in papers.values()] == [None, "malformed_record"]


# Lists beside lists: countries of authors and their institutions, each with its author's place.
BESIDE = [
    (
        {
            "author_countries": [["US", "DE"], []],
            "author_institutions": [["One", "Two"], ["Three"]],
        },
        [["US", "DE"], None],
        [("One", 1), ("Two", 1), ("Three", 2)],
    ),
    (
        {"author_countries": "[['US'], ['DE']]", "affiliations_raw": "One; Two"},
        [["US"], ["DE"]],
        [("One", None), ("Two", None)],
    ),
    (
        {"author_countries": [["US", "DE"]], "institutions": [["One"]]},
        [["US"], ["DE"]],
        [("One", None)],
    ),
    ({"author_countries": ["US", "DE"]}, [["US"], ["DE"]], None),
    ({"author_countries": [["US", "DE"], ["FR"], ["NL"]]}, [None, None], None),
]


def test_lists_of_lists_stand_beside_their_author(warehouse, tmp_path):
    papers = [
        {"id": f"p{n}", "title": "Title", "year": 2019, "authors": ["A One", "B Two"], **more}
        for n, (more, *_) in enumerate(BESIDE)
    ]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)))
    read = staged(
        warehouse({"papers tables": tmp_path}),
        "stg_tables__papers",
        *("authors", "institutions", "not_understood"),
    )
    for number, (_, countries, institutions) in enumerate(BESIDE):
        row = read["papers.jsonl", number + 1]
        assert [author.get("country_codes") for author in row["authors"]] == countries
        found = row.get("institutions") and [
            (each["institution_name"], each.get("author_position")) for each in row["institutions"]
        ]
        assert found == institutions
        told = [each["field"] for each in row["not_understood"]]
        assert told == (["author_countries"] if countries == [None, None] else [])


def test_countries_of_inventors_may_be_lists(warehouse, tmp_path):
    patent = {"publication_number": "US1234567B2", "title": "Title", "filing_date": "2019-01-02"}
    patent |= {"inventors": ["A", "B"], "inventor_countries": [["US"], ["DE", "FR"]]}
    (tmp_path / "patents.jsonl").write_text(json.dumps(patent))
    read = staged(warehouse({"patents tables": tmp_path}), "stg_tables__patents", "inventors")
    (row,) = read.values()
    assert [inventor["country_codes"] for inventor in row["inventors"]] == [["US"], ["DE", "FR"]]
