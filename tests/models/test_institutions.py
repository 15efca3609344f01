"""Claims about institutions: one name is one institution, and its sector has a stated reason."""

import csv
import json

from tests.small_warehouse import CASES


def patent(number: int, *applicants: tuple[str, str], inventors: tuple[str, ...] = ()) -> dict:
    return {
        "publication_number": f"US-{7700000 + number}-B2",
        "title_localized": [{"text": f"A machine of make {number}", "language": "en"}],
        "filing_date": 20180305,
        "inventor_harmonized": [{"name": name, "country_code": "US"} for name in inventors],
        "assignee_harmonized": [
            {"name": name, "country_code": country} for name, country in applicants
        ],
    }


def institution(
    name: str, country: str | None = None, number: int = 0, ror: str | None = None, kind: str = ""
) -> dict:
    return {
        "id": f"https://openalex.org/I{number}" if number else None,
        "display_name": name,
        "country_code": country,
        "ror": ror,
        "type": kind or None,
    }


def work(number: int, *of_authors: list[dict]) -> dict:
    return {
        "id": f"https://openalex.org/W99{number}",
        "title": f"A paper on naming of kind {number}",
        "publication_year": 2018,
        "authorships": [
            {"author": {"display_name": f"Ada Author{place}"}, "institutions": institutions}
            for place, institutions in enumerate(of_authors)
        ],
    }


ROR = "https://ror.org/0smp1aa09"
WORKS = [
    # The id that ROR gives holds for what is delivered without it elsewhere.
    work(
        1, [institution("Sample University", "DE", 5, ROR)], [institution("Sample Univ.", "DE", 5)]
    ),
    work(2, [institution("The Sample Society", "DE")], [institution("Sample Society", "DE")]),
    work(3, [institution("Sample Society", "US")], []),
    work(4, [institution("NORTHMERE POLYTECHNIC", "GB"), institution("Old Sample Academy", "GB")]),
    work(5, [institution("样本研究所", "CN"), institution("Twin Institute", "FR")]),
    work(6, [institution("Sample Research Fund", "FR")]),
]
PATENTS = [
    patent(1, ("SAMPLE MACHINES GMBH", "DE"), ("Sample Machines Co., Ltd.", "US")),
    patent(2, ("Sample Machines, Inc.", "US"), ("SAMPLE, ADA", "US"), inventors=("Ada Sample",)),
    patent(3, ("株式会社サンプル", "JP"), ("サンプル株式会社", "JP"), ("Doe, Jane B.", "US")),
    patent(4, ("(주)표본", "KR"), ("표본 주식회사", "KR"), ("样本科技有限公司", "CN")),
    patent(5),
]


def delivered(folder, ror: str | None = None) -> dict:
    paths = {}
    for name, records in (("papers openalex", WORKS), ("patents google_patents", PATENTS)):
        path = folder / f"{name.split()[1]}.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        paths[name] = path
    return paths | ({"entities ror": CASES / ror} if ror else {})


KEYS = "select organisation_name, country_code, institution_key from {int_document_organisations}"


def test_equal_names_without_legal_forms_are_one_institution_of_a_country(on_duckdb, tmp_path):
    small = on_duckdb(delivered(tmp_path))
    keys = {(name, country): key for name, country, key in small.rows(KEYS)}
    assert keys["Sample University", "DE"] == keys["Sample Univ.", "DE"] == ROR
    assert keys["The Sample Society", "DE"] == keys["Sample Society", "DE"]
    assert keys["Sample Society", "DE"] != keys["Sample Society", "US"] == "sample society, US"
    assert keys["Sample Machines Co., Ltd.", "US"] == keys["Sample Machines, Inc.", "US"]
    assert keys["SAMPLE MACHINES GMBH", "DE"] == "sample machines, DE"
    assert keys["株式会社サンプル", "JP"] == keys["サンプル株式会社", "JP"]
    assert keys["(주)표본", "KR"] == keys["표본 주식회사", "KR"] == "표본, KR"


def test_a_register_identifies_by_exact_name_and_country(on_duckdb, tmp_path):
    for form in ("ror_json", "ror_csv"):
        small = on_duckdb(delivered(tmp_path, form))
        found = {
            (name, country): key.removeprefix("https://ror.org/")
            for name, country, key in small.rows(KEYS)
        }
        assert found["NORTHMERE POLYTECHNIC", "GB"] == "0smp1aa01"
        assert found["SAMPLE MACHINES GMBH", "DE"] == "0smp1aa03"
        assert found["样本研究所", "CN"] == "0smp1aa05"
        # Another country, no longer active, and two of one name.
        assert found["Sample Machines, Inc.", "US"] == "sample machines, US"
        assert found["Old Sample Academy", "GB"] == "old sample academy, GB"
        assert found["Twin Institute", "FR"] == "twin institute, FR"
        sectors = dict(small.rows("select institution_key, sector from {institutions}"))
        assert sectors["https://ror.org/0smp1aa01"] == "education"
        assert sectors["https://ror.org/0smp1aa05"] == "facility"
        assert sectors["https://ror.org/0smp1aa08"] == "funder"


def test_a_register_s_record_that_names_nothing_is_kept_with_a_reason(warehouse, tmp_path):
    good = {"id": ROR, "names": [{"value": "Sample University", "types": ["ror_display"]}]}
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(good)}\n")
    bad = ['{"id": ', json.dumps({"id": ROR}), json.dumps(good | {"id": "x"})]
    (tmp_path / "b.jsonl").write_text("\n".join([json.dumps(good), *bad]) + "\n")
    small = warehouse({"entities ror": tmp_path})
    rejected = small.rows(
        "select record_row, reason, source_record_id, raw_record from {rejected_records} "
        "where entity = 'organisation' and record_file like '%/b.jsonl' order by record_row"
    )
    assert [row[:3] for row in rejected] == [
        (2, "malformed_record", None),
        (3, "missing_name", ROR),
        (4, "missing_identifier", None),
    ]
    assert rejected[0][3].strip() == '{"id":'
    counted = small.rows(
        "select reason, source_system, records, is_by_design, remedy is not null "
        "from {rejection_counts} order by 1"
    )
    assert counted == [
        ("malformed_record", "ror", 1, False, True),
        ("missing_identifier", "ror", 1, False, True),
        ("missing_name", "ror", 1, False, True),
    ]
    assert small.rows("select sum(records) from {int_files_counted}") == [(5,)]
    used = "{stg_ror__organisations} where rejection_reason is null"
    assert small.rows(f"select count(*) from {used}") == [(2,)]


def test_the_sector_has_a_rule(on_duckdb, tmp_path):
    small = on_duckdb(delivered(tmp_path))
    found = small.rows(
        "select organisation_name, sector, sector_rule from {int_document_organisations}"
    )
    rules = {name: (sector, rule) for name, sector, rule in found}
    assert rules["Sample University"] == ("education", "word: university")
    assert rules["SAMPLE MACHINES GMBH"] == ("company", "legal form: gmbh")
    assert rules["样本研究所"] == ("facility", "word: 研究所")
    assert rules["SAMPLE, ADA"] == ("individual", "inventor")
    assert rules["Doe, Jane B."] == ("individual", "form of a name")
    assert rules["样本科技有限公司"][0] == "company"
    typed = on_duckdb(
        {
            "papers openalex": written(
                tmp_path, work(9, [institution("U", "DE", 7, kind="facility")])
            )
        }
    )
    assert typed.rows("select sector, sector_rule from {institutions}") == [
        ("facility", "delivered")
    ]
    # A university that funds research is a funder to OpenAlex.
    funder = [institution("Sample University", "DE", 8, kind="funder")]
    typed = on_duckdb({"papers openalex": written(tmp_path, work(8, funder))})
    assert typed.rows("select sector, sector_rule from {institutions}") == [
        ("education", "word: university")
    ]


def written(folder, record: dict):
    path = folder / "one.jsonl"
    path.write_text(json.dumps(record))
    return path


def test_shares_of_institutions_add_up_on_both_engines(warehouse, tmp_path):
    small = warehouse(delivered(tmp_path, "ror_json"))
    found = small.rows(
        "select document_id, role, institution_key, round(fractional_share, 4) "
        "from {document_institution_shares}"
    )
    of = lambda document: sorted((row[1:] for row in found if row[0] == document), key=str)  # noqa: E731
    assert of("W991") == [("author", ROR, 1.0)]
    assert of("W993") == [("author", "sample society, US", 0.5), ("author", None, 0.5)]
    assert of("W995") == [
        ("author", "https://ror.org/0smp1aa05", 0.5),
        ("author", "twin institute, FR", 0.5),
    ]
    assert of("W996") == [("author", "https://ror.org/0smp1aa08", 1.0)]
    assert of("US-7700005-B2") == [("applicant", None, 1.0)]
    assert of("US-7700003-B2") == [
        ("applicant", "doe jane b, US", 0.3333),
        ("applicant", "サンフル, JP", 0.6667),
    ]
    sums = {}
    for document, role, _, share in found:
        sums[document, role] = sums.get((document, role), 0) + share
    assert all(abs(whole - 1) < 0.001 for whole in sums.values())


def test_sectors_of_real_names(on_duckdb, tmp_path):
    with (CASES / "sectors.csv").open(encoding="utf-8", newline="") as opened:
        labelled = list(csv.DictReader(opened))
    assert len(labelled) >= 300
    records = [patent(n, (row["name"], "")) for n, row in enumerate(labelled)]
    path = tmp_path / "patents.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    small = on_duckdb({"patents google_patents": path})
    found = dict(small.rows("select organisation_name, sector from {int_organisation_names}"))
    told = [row for row in labelled if found[row["name"]]]
    right = [row for row in told if found[row["name"]] == row["sector"]]
    assert len(right) / len(told) > 0.9
    assert len(right) / len(labelled) > 0.8
