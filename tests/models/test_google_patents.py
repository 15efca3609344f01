"""Records of Google Patents, as staging reads them, on both engines."""

import json

from tests.models.staged import names, staged
from tests.models.test_tables import folder_of, write_lines
from tests.small_warehouse import CASES

RECORD = {
    "publication_number": "US-1-A",
    "title_localized": [{"text": "A title", "language": "en"}],
    "filing_date": 20180305,
}


def localised(*texts: tuple) -> list[dict]:
    return [dict(zip(("text", "language", "truncated"), each, strict=False)) for each in texts]


OWN = [
    {"title_localized": localised(("Ventil", "de"), ("Valve", "en-GB"), ("Valves", "en"))},
    {"title_localized": localised(("[Not available]", "en"), ("-", "de"), ("Vanne", "fr"))},
    {"title_localized": localised(("Vanne cou", "fr", True), ("Ventil", "de", False))},
    {"title_localized": localised(("Valve cut o", "en", True), ("Ventil", "de"))},
    {"title_localized": localised((None, "en"), ("", "de"))},
    {
        "inventor": ["Kay A", "Bo B"],
        "inventor_harmonized": [{"name": "KAY ALAN", "country_code": "us"}, {"name": " "}],
        "assignee": ["Xerox &amp; Co"],
        "assignee_harmonized": [{"name": "", "country_code": "US"}],
    },
    {
        "inventor": ["Kay A", "Bo B"],
        "inventor_harmonized": [{"name": None}],
        "assignee": None,
        "assignee_harmonized": [],
    },
    {
        "publication_number": "no number",
        "country_code": "xx",
        "filing_date": "soon",
        "priority_date": "20121000",
        "family_id": -1,
    },
    {
        "filing_date": 0,
        "publication_date": "2020-01-07T00:00:00Z",
        "priority_claim": [
            {"application_number": "US-201762466666-P", "filing_date": 20170303},
            {"publication_number": "US-9-A", "application_number": ""},
            {"filing_date": 0},
        ],
        "citation": [
            {"publication_number": "US5000000A", "category": "APP", "npl_text": ""},
            {"publication_number": "", "npl_text": "Sample, Na&iuml;ve nets, 2001"},
            {"publication_number": ""},
        ],
    },
    {
        "title_localized": {"list": [{"element": {"text": 'A "title"; b', "language": "en"}}]},
        "inventor": {"list": [{"item": "Kay, A"}, {"item": None}]},
        "inventor_harmonized": None,
        "assignee": "Xerox",
        "ipc": {"list": [{"element": {"code": "G06N 3/08", "first": True}}]},
        "cpc": ["G06N3/08"],
        "citation": {"list": [{"item": {"publication_number": "US-5000000-A"}}]},
        "filing_date": "2018/03/05",
    },
    {"publication_number": " "},
    {"filing_date": 30180305},
]


def test_publications_are_read_in_every_form(warehouse, tmp_path):
    folder = folder_of(
        tmp_path / "publications",
        "20_publication_numbers/publications.jsonl",
        "22_bigquery_list_wrappers/publications.jsonl",
        "23_parquet_null_column/p1.parquet",
        "23_parquet_null_column/p2.parquet",
        "24_patent_dates/publications.jsonl",
        "25_localised/publications.jsonl",
        "60_iso_dates_full/publications.jsonl",
    )
    write_lines(folder / "own.jsonl", [RECORD | each for each in OWN])
    publications = staged(
        warehouse({"patents google_patents": folder}),
        "stg_google_patents__publications",
        *("publication_number", "title", "abstract", "language", "year", "year_basis", "codes"),
        *("filing_date", "priority_date", "publication_date", "grant_date", "family_id"),
        *("inventors", "applicants", "priority_claims", "citations", "office_code"),
        *("not_understood", "rejection_reason"),
    )

    def values(file: str, field: str) -> list:
        return [row[field] for (name, _), row in publications.items() if name == file]

    numbers = values("20_publications.jsonl", "publication_number")
    assert len(numbers) == 37
    assert None not in numbers
    assert values("20_publications.jsonl", "rejection_reason") == [None] * 37
    assert numbers[0] == "IN-2014DN09900-A"

    assert values("22_publications.jsonl", "title") == [
        "Neural network grading of retinal images with referral on uncertainty",
        "Elevator dispatching by a trained reinforcement learning policy",
        "Soil sampling auger",
    ]
    assert None not in values("22_publications.jsonl", "abstract")
    for place, people in enumerate(values("22_publications.jsonl", "inventors"), 1):
        assert [(p["author_name"], p["country_codes"]) for p in people] == [
            (f"SAMPLE ADA {place}", ["NL"])
        ]
    assert [len(codes) for codes in values("22_publications.jsonl", "codes")] == [2, 2, 2]
    assert values("23_p2.parquet", "abstract") == [None]
    assert values("23_p2.parquet", "rejection_reason") == [None]

    right = [
        json.loads(line)
        for line in (CASES / "24_patent_dates/publications.jsonl").read_text().splitlines()
    ]
    assert values("24_publications.jsonl", "year") == [
        *(2018, 2012, 2012, 2018, 2018, 2018, 2018, 2020, 2018, 2018)
    ]
    assert values("24_publications.jsonl", "filing_date") == [
        *("2018-03-05", None, None, None, "2018-03-05", "2018-03-05", "2018-03-05", None),
        *("2018-03-05", "2018-03-05"),
    ], [record["filing_date"] for record in right]
    assert set(values("60_publications.jsonl", "year")) == {2018}
    assert set(values("60_publications.jsonl", "year_basis")) == {"filing"}
    assert not any(
        row["not_understood"] for (name, _), row in publications.items() if "own" not in name
    )

    assert list(
        zip(
            values("25_publications.jsonl", "title"),
            values("25_publications.jsonl", "language"),
            strict=True,
        )
    ) == [
        ("Neuronales Netz zur Bewertung", "fr"),
        ("Elevator dispatching by neural network", "en"),
        ("Soil sampling auger", "en"),
        ("Neural network training by gradient descent", "en"),
        ("Réseau de neurones", "fr"),
        ("A neural network, title not in a list", "en"),
        ("A neural network, title as text", "en"),
        ("Verfahren", "de"),
    ]
    assert values("25_publications.jsonl", "abstract")[2] == "An auger takes soil cores."

    own = [row for (name, _), row in publications.items() if name == "own.jsonl"]
    assert [row["title"] for row in own[:5]] == ["Valve", "Vanne", "Ventil", "Valve cut o", None]
    assert [row["language"] for row in own[:4]] == ["en", "fr", "de", "en"]
    assert own[4]["rejection_reason"] == "missing_title"
    assert names(own[5]["inventors"], "author_name") == ["KAY ALAN", "Bo B"]
    assert names(own[5]["inventors"], "country_codes") == [["US"], None]
    assert own[5]["applicants"] == [{"applicant_name": "Xerox & Co", "country_code": "US"}]
    assert names(own[6]["inventors"], "author_name") == ["Kay A", "Bo B"]
    assert own[6]["applicants"] is None
    assert (own[7]["publication_number"], own[7]["office_code"]) == ("NO NUMBER", "XX")
    assert (own[7]["year"], own[7]["year_basis"]) == (2012, "priority")
    assert own[7]["priority_date"] is own[7]["family_id"] is own[7]["rejection_reason"] is None
    assert own[7]["not_understood"] == [{"field": "filing_date", "value": "soon"}]
    assert (own[8]["year"], own[8]["year_basis"]) == (2020, "publication")
    assert own[8]["not_understood"] == []
    assert own[8]["priority_claims"] == [
        {"application_number": "US-201762466666-P", "filing_date": "2017-03-03"},
        {"application_number": "US-9-A", "filing_date": None},
    ]
    assert own[8]["citations"] == [
        {"publication_number": "US-5000000-A", "literature": None, "category": "APP"},
        {
            "publication_number": None,
            "literature": "Sample, Naïve nets, 2001",
            "category": None,
        },
    ]
    assert own[9]["title"] == 'A "title"; b'
    assert names(own[9]["inventors"], "author_name") == ["Kay, A"]
    assert names(own[9]["applicants"], "applicant_name") == ["Xerox"]
    assert names(own[9]["codes"], "delivered_code") == ["G06N 3/08", "G06N3/08"]
    assert names(own[9]["codes"], "is_first") == [True, None]
    assert names(own[9]["citations"], "publication_number") == ["US-5000000-A"]
    assert own[9]["filing_date"] == "2018-03-05"
    assert own[10]["rejection_reason"] == "missing_identifier"
    assert own[11]["rejection_reason"] == "impossible_year"


def test_dates_may_be_dates(warehouse, tmp_path):
    dates = ("filing_date", "priority_date", "publication_date", "grant_date")
    publications = staged(
        warehouse(
            {
                "patents google_patents": folder_of(
                    tmp_path / "publications",
                    "24_patent_dates/dates_as_dates.parquet",
                    "24b_parquet_date_columns/publications.parquet",
                )
            }
        ),
        "stg_google_patents__publications",
        *("year", *dates),
    )
    assert len(publications) == 4
    for row in publications.values():
        assert row == {"year": 2018} | dict.fromkeys(dates, "2018-03-05")


def test_an_element_that_says_nothing_is_none(warehouse, tmp_path):
    patent = {
        "publication_number": "US-9824690-B2",
        "title_localized": [{"text": "Sorting", "language": "en"}],
        "filing_date": 20180305,
        "ipc": [
            {"code": "", "first": True},
            {"code": " ", "first": False},
            {"code": None},
            {"code": "G06N3/08", "first": False},
        ],
        "cpc": [{"code": "nonsense", "first": True}],
        "assignee_harmonized": [{"name": "", "country_code": ""}, {"name": "Firm"}],
        "inventor_harmonized": [{"name": " ", "country_code": ""}, {"name": "ONE ADA"}],
        "citation": [{"category": "SEA"}, {"publication_number": "US-1234567-A"}],
        "priority_claim": [{"filing_date": 0}, {"application_number": "US-201712345-A"}],
    }
    own = {
        "id": "US-9824691-B2",
        "title": "Sorting",
        "year": "2018",
        "ipc": " ;G06N 3/08;; ; H04L9/00;",
    }
    (tmp_path / "publications.jsonl").write_text(json.dumps(patent) + "\n")
    (tmp_path / "own.csv").write_text(",".join(own) + "\n" + ",".join(own.values()) + "\n")
    made = warehouse(
        {
            "patents google_patents": tmp_path / "publications.jsonl",
            "patents tables": tmp_path / "own.csv",
        }
    )
    assert made.rows(
        "select source_system, scheme, code_position, delivered_code, is_first "
        "from {int_codes_parsed} order by 1, 2 desc, 3"
    ) == [
        ("google_patents", "ipc", 1, "G06N3/08", True),
        ("google_patents", "cpc", 1, "nonsense", True),
        ("tables", "ipc", 1, "G06N 3/08", True),
        ("tables", "ipc", 2, "H04L9/00", False),
    ]
    lists = ("applicants", "inventors", "citations", "priority_claims")
    ((*counts,),) = made.rows(
        f"select {', '.join(f'cardinality({name})' for name in lists)} "
        "from {stg_google_patents__publications}"
        if made.spark
        else f"select {', '.join(f'len({name})' for name in lists)} "
        "from {stg_google_patents__publications}"
    )
    assert counts == [1, 1, 1, 1]
    assert made.rows("select value, records from {values_not_understood}") == [("nonsense", 1)]
    assert made.rows("select raw_record from {rejected_records} where entity = 'code'") == [
        ("cpc nonsense",)
    ]


def test_codes_are_one_in_every_spelling(warehouse):
    codes = warehouse({"patents tables": CASES / "58_code_forms/patents.csv"}).rows(
        "select source_record_id, code, is_wellformed from {int_codes_parsed} "
        "order by source_record_id, code_position"
    )
    read = {}
    for number, code, is_wellformed in codes:
        read.setdefault(int(number[2:9]) - 9900000, []).append(code if is_wellformed else None)
    assert read == {
        **{place: ["G06N 3/08"] for place in range(20)},
        **{7: ["G06N 3/08", "G06N 5/04"], 8: ["G06N"], 9: [None], 10: [None]},
        **{11: ["G06N 20/00", "G06N 3/08"], 14: ["G06N 3/08", "G06N 5/04"]},
    }
