"""Claims about countries: every usual form is understood, nothing is guessed or lost."""

import csv
import json

import pytest

from tests.small_warehouse import CASES

ALL_AT_ONCE = {
    "South Korea": "KR",
    "Korea, Republic of": "KR",
    "Republic of Korea": "KR",
    "Korea": "KR",
    "USA": "US",
    "U.S.A.": "US",
    "United States of America": "US",
    "UK": "GB",
    "England": "GB",
    "Hong Kong": "HK",
    "Taiwan": "TW",
    "Taiwan, Province of China": "TW",
    "Russia": "RU",
    "Russian Federation": "RU",
    "Turkey": "TR",
    "Türkiye": "TR",
    "Viet Nam": "VN",
    "Vietnam": "VN",
    "Iran": "IR",
    "Iran, Islamic Republic of": "IR",
    "Czech Republic": "CZ",
    "Czechia": "CZ",
    "Côte d'Ivoire": "CI",
    "Ivory Coast": "CI",
    "CHN": "CN",
    "KOR": "KR",
    "NA": "NA",
    "Namibia": "NA",
    "China": "CN",
    "PR China": "CN",
    "P.R. China": "CN",
    "Peoples R China": "CN",
    "XK": "XK",
    "Kosovo": "XK",
    "Macau": "MO",
    "Macao": "MO",
    "The Netherlands": "NL",
    "Bosnia and Herzegovina": "BA",
    "UK; Germany": "DE GB",
    "US; CN": "CN US",
    "US,CN": "CN US",
    "US|CN": "CN US",
    "US / CN": "CN US",
    "Germany;": "DE",
    "germany": "DE",
    "DEU": "DE",
    "EL": "GR",
    "Palestine": "PS",
    "Brasil": "BR",
    "Deutschland": "DE",
}

# None of these is in the case.
FURTHER = {
    "Scotland": "GB",
    "Wales; France": "FR GB",
    "England & Wales": "GB",
    "Northern Ireland": "GB",
    "United Kingdom of Great Britain and Northern Ireland (the)": "GB",
    "Royaume-Uni": "GB",
    "Vereinigtes Königreich": "GB",
    "Österreich": "AT",
    "Estados Unidos": "US",
    "US of A": "US",
    "United States (USA)": "US",
    "People's Republic of China": "CN",
    "China (mainland)": "CN",
    "中国": "CN",
    "日本": "JP",
    "대한민국": "KR",
    "Россия": "RU",
    "Ελλάδα": "GR",
    "مصر": "EG",
    "भारत": "IN",
    "ไทย": "TH",
    "Macedonia, the former Yugoslav Republic of": "MK",
    "Bolivia (Plurinational State of)": "BO",
    "Congo, The Democratic Republic of the": "CD",
    "Lao People's Democratic Republic": "LA",
    "Syrian Arab Republic": "SY",
    "Hong Kong SAR, China": "HK",
    "Taiwan, R.O.C.": "TW",
    "Holland": "NL",
    "U Arab Emirates": "AE",
    "Swaziland": "SZ",
    "Cabo Verde": "CV",
    "Burma": "MM",
    "Korea, South": "KR",
    "Korea, Dem. People's Rep. of": "KP",
    "Sao Tome & Prin": "ST",
    "Cote d'Ivoire (Ivory Coast)": "CI",
    "NL (Netherlands)": "NL",
    "Virgin Islands, U.S.": "VI",
    "TÜRKİYE": "TR",
    "Georgia": "GE",
    "Korea, Republic of, China": "CN KR",
    "Iran, Islamic Republic of / Iraq": "IQ IR",
    "Netherlands, The, Germany": "DE NL",
    "France, Germany and Italy": "DE FR IT",
    "USA, UK, and China": "CN GB US",
    "Trinidad and Tobago": "TT",
    "CN、JP": "CN JP",
    "CA, USA": "US",
    "Georgia, USA": "US",
    "Georgia; USA": "GE US",
    "🇩🇪": "DE",
    "ＤＥ": "DE",
    "CA, US": "CA US",
    "France; TX, United States of America": "FR US",
    "Germany\nFrance": "DE FR",
    "香港": "HK",
    "澳门": "MO",
    "홍콩": "HK",
    "ประเทศไทย": "TH",
    "DEU|FRA|ITA": "DE FR IT",
    "SU": "SU",
    "East Germany": "DD",
    "Zaire": "ZR",
    "EP": "",
    "World Intellectual Property Organization": "",
    "Germany, Atlantis": "",
    "Germany; Atlantis": "DE",
}
NOT_UNDERSTOOD = {("country", "Germany, Atlantis", 1), ("country", "Atlantis", 1)}


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory):
    """Papers, each with its country written in another way."""
    path = tmp_path_factory.mktemp("forms") / "papers.csv"
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["id", "title", "publication_year", "country"])
        for place, form in enumerate(FURTHER):
            writer.writerow([f"f{place}", f"On a country written in way {place}", 2018, form])
    return path


def test_every_form_of_the_case_is_a_country(on_duckdb):
    small = on_duckdb({"papers tables": CASES / "38_countries"})
    found = small.rows(
        "select papers.country, coalesce(string_agg(country_code, ' ' order by country_code), '') "
        "from {int_papers_deduplicated} as papers left join {document_countries} using "
        "(document_id) group by papers.document_id, papers.country"
    )
    assert dict(found) == ALL_AT_ONCE
    assert small.rows("select * from {int_countries_not_understood}") == []


def test_further_forms_are_understood_and_what_is_not_is_listed(warehouse, forms):
    small = warehouse({"papers tables": forms})
    found = small.rows("select delivered_text, country_codes from {int_country_texts}")
    assert {text: " ".join(codes or []) for text, codes in found} == {
        text.replace("\n", ";"): codes for text, codes in FURTHER.items() if text
    }
    listed = small.rows("select field, value, records from {int_countries_not_understood}")
    # Once alone and once beside a country that is known.
    assert set(listed) == NOT_UNDERSTOOD


def people(tmp_path, works: list[dict], patents: list[dict] = ()):
    """Return a delivery of works and of patents."""
    delivered = {}
    for name, records in (("papers openalex", works), ("patents google_patents", patents)):
        path = tmp_path / f"{name.split()[1]}.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        if records:
            delivered[name] = path
    return delivered


def work(number: int, *institutions: list[tuple[str, str | None]]) -> dict:
    """Return a work whose authors have these institutions, by name and country."""
    return {
        "id": f"https://openalex.org/W88{number}",
        "title": f"A paper on counting of kind {number}",
        "publication_year": 2018,
        "authorships": [
            {
                "author": {"id": None, "display_name": f"Ada Author{place}"},
                "institutions": [
                    {"display_name": name, "country_code": code} for name, code in of_author
                ],
            }
            for place, of_author in enumerate(institutions)
        ],
    }


WORKS = [
    work(1, [("A", "DE")], [("B", "US"), ("C", "CN")]),
    work(2, [("A", "DE")], []),
    work(3),
    work(4, [("Sample Lab, Beijing, P.R. China", None)]),
    work(5, [("Sample Machines (Germany)", None), ("University of Georgia", None)]),
]
PATENT = {
    "publication_number": "US-7654321-B2",
    "title_localized": [{"text": "A machine that counts", "language": "en"}],
    "filing_date": 20180305,
    "inventor_harmonized": [
        {"name": "SAMPLE ADA", "country_code": "JP"},
        {"name": "SAMPLE BEN", "country_code": ""},
    ],
    "assignee_harmonized": [
        {"name": "Ada Sample", "country_code": ""},
        {"name": "SAMPLE MACHINES CO LTD", "country_code": "SU"},
        {"name": "SAMPLE OFFICE", "country_code": "EP"},
    ],
}
EUROPEAN = PATENT | {"publication_number": "EP-7654321-A1", "assignee_harmonized": []}


def test_shares_say_which_part_of_a_document_is_of_a_country(warehouse, tmp_path):
    small = warehouse(people(tmp_path, WORKS, [PATENT, EUROPEAN]))
    found = small.rows(
        "select document_id, role, country_code, current_code, round(fractional_share, 4), basis "
        "from {document_country_shares}"
    )
    half, third = 0.5, 0.3333
    assert sorted(found, key=str) == sorted(
        [
            ("W881", "author", "CN", "CN", 0.25, "institution"),
            ("W881", "author", "DE", "DE", half, "institution"),
            ("W881", "author", "US", "US", 0.25, "institution"),
            ("W882", "author", "DE", "DE", half, "institution"),
            ("W882", "author", None, None, half, "unknown"),
            ("W883", "author", None, None, 1.0, "unknown"),
            ("W884", "author", "CN", "CN", 1.0, "institution"),
            ("W885", "author", "DE", "DE", 1.0, "institution"),
            ("US-7654321-B2", "inventor", "JP", "JP", half, "delivered"),
            ("US-7654321-B2", "inventor", None, None, half, "unknown"),
            # Who is an inventor, too, lives where the inventor does; an office is no country.
            ("US-7654321-B2", "applicant", "JP", "JP", third, "inventor"),
            ("US-7654321-B2", "applicant", "SU", None, third, "delivered"),
            ("US-7654321-B2", "applicant", None, None, third, "unknown"),
            ("US-7654321-B2", "office", "US", "US", 1.0, "office"),
            ("EP-7654321-A1", "inventor", "JP", "JP", half, "delivered"),
            ("EP-7654321-A1", "inventor", None, None, half, "unknown"),
            ("EP-7654321-A1", "applicant", None, None, 1.0, "unknown"),
            ("EP-7654321-A1", "office", None, None, 1.0, "office of several countries"),
        ],
        key=str,
    )
    # Inventors say where a patent is from only where no applicant does.
    assert sorted(small.rows("select document_id, country_code from {document_countries}")) == [
        ("EP-7654321-A1", "JP"),
        ("US-7654321-B2", "JP"),
        ("US-7654321-B2", "SU"),
        ("W881", "CN"),
        ("W881", "DE"),
        ("W881", "US"),
        ("W882", "DE"),
        ("W884", "CN"),
        ("W885", "DE"),
    ]


def test_countries_of_authors_count_where_no_institution_has_one(on_duckdb):
    small = on_duckdb({"papers openalex": CASES / "10_countries_of_authorship"})
    assert sorted(small.rows("select document_id, country_code from {document_countries}")) == [
        ("W7700000001", "BR"),
        ("W7700000002", "CN"),
        ("W7700000003", "NL"),
    ]


def test_an_institution_beside_several_countries_has_none(on_duckdb):
    small = on_duckdb({"papers tables": CASES / "38_countries"})
    found = small.rows(
        "select papers.country, institutions.country_code from {document_institutions} as "
        "institutions inner join {int_papers_deduplicated} as papers using (document_id) "
        "where papers.country in ('UK; Germany', 'US,CN', 'Germany;', 'Deutschland')"
    )
    assert sorted(found, key=str) == [
        ("Deutschland", "DE"),
        ("Germany;", "DE"),
        ("UK; Germany", None),
        ("US,CN", None),
    ]


AFFILIATIONS = {
    "Dept. of Samples, Rio, Brazil": "BR",
    "Tsinghua University, Beijing 100084, P. R. China": "CN",
    "Stanford University, Stanford, CA 94305, USA.": "US",
    "MIT, Cambridge, MA 02139": "US",
    "University of Toronto, Toronto, ON M5S 2E4": "CA",
    "The Chinese University of Hong Kong, Hong Kong, China": "HK",
    "Univ Tehran, Tehran, Iran; TU Wien, Vienna, Austria": "AT IR",
    "中国科学院, 北京, 中国": "CN",
    "Samsung Research, Suwon, Republic of Korea (e-mail: a@example.org)": "KR",
    "Emory University, Atlanta, Georgia": "",
    "University of Rhode Island": "",
    "University of New Mexico": "",
    "Bank of China": "",
    "Sample Institute, Newark, DE 19711": "US",
}


def test_the_end_of_an_affiliation_tells_a_country(warehouse, tmp_path):
    path = tmp_path / "papers.jsonl"
    path.write_text(
        "".join(
            json.dumps(
                {
                    "id": f"a{place}",
                    "title": f"On the affiliation of number {place}",
                    "publication_year": 2018,
                    "institutions": [f"{affiliation}"],
                }
            )
            + "\n"
            for place, affiliation in enumerate(AFFILIATIONS)
            if ";" not in affiliation
        )
    )
    small = warehouse({"papers tables": path})
    found = dict(
        small.rows("select institution_name, country_code from {int_document_institutions}")
    )
    named = {name: code or None for name, code in AFFILIATIONS.items() if ";" not in name}
    assert found == named
