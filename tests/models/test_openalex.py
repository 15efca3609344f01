"""OpenAlex in every layout and with every condition that was reported, on both engines."""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.small_warehouse import CASES, SmallWarehouse

Warehouse = Callable[..., SmallWarehouse]

RETINA = (
    "We train a convolutional neural network to grade photographs of the retina and let it abstain "
    "when its estimate of uncertainty is high. On three public collections the abstaining network "
    "refers fewer patients and misses fewer cases than one that always answers."
)
LIFTS = (
    "Deep reinforcement learning agents learn to schedule lifts in a tall building from "
    "simulated passengers. The learned policy shortens waiting times by a tenth compared with the "
    "rule in use and adapts to lunch traffic without being told."
)
SOIL = (
    "Three hundred soil cores along a hill slope show that organic carbon falls with depth and "
    "with the steepness of the slope. Rainfall explains little of what remains."
)
THREE = [("W7700000001", RETINA), ("W7700000002", LIFTS), ("W7700000003", SOIL)]


def lines(folder: Path, works: Iterable[Mapping[str, Any]], name: str = "works.jsonl") -> Path:
    """Write works as JSON lines, numbered from W1 where they have no id."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    numbered = (
        {"id": f"https://openalex.org/W{i}", "title": "T", **w} for i, w in enumerate(works, 1)
    )
    file.write_text("".join(json.dumps(work) + "\n" for work in numbered), encoding="utf-8")
    return file


def staged(made: Warehouse, path: Path, columns: str, **variables: object) -> list[tuple]:
    """Return columns of the staged works in their order."""
    works = made({"papers openalex": path}, **variables)
    return works.rows(f"select {columns} from {{stg_openalex__works}} order by record_row")


def plain(value: Any) -> Any:
    """Return a value of either engine as dictionaries, lists and scalars."""
    if hasattr(value, "asDict"):
        return {key: plain(of_key) for key, of_key in value.asDict().items()}
    if isinstance(value, dict):
        return {key: plain(of_key) for key, of_key in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "case",
    [
        "01_openalex_parquet_json_string_index/data",
        "01_openalex_parquet_json_string_index/same_as_map",
        "01b_parquet_own_updated_date",
        "01c_parquet_exploded_index",
        "01d_parquet_map_index",
        "03_openalex_website_csv",
    ],
)
def test_an_abstract_is_read_from_every_form_of_delivery(warehouse: Warehouse, case: str) -> None:
    found = staged(warehouse, CASES / case, "source_record_id, abstract, not_understood")
    assert [(work, text) for work, text, _ in found][:3] == THREE
    assert all(plain(values) == [] for _, _, values in found)


INDEX = {"the": [1], "The": [0], "end": [2, 5], "is": [3], "an": [4]}
FORMS_OF_INDEX = {
    "object": INDEX,
    "text": json.dumps(INDEX),
    "text within text": json.dumps(json.dumps(INDEX)),
    "with its length": {"IndexLength": 6, "InvertedIndex": INDEX},
    "with its length, as text": json.dumps({"IndexLength": 6, "InvertedIndex": INDEX}),
    "text with its length": {"IndexLength": 6, "InvertedIndex": json.dumps(INDEX)},
    "pairs": [{"key": word, "value": places} for word, places in INDEX.items()],
    "pairs with a length": {
        "IndexLength": 6,
        "InvertedIndex": [{"key": word, "value": places} for word, places in INDEX.items()],
    },
    "words and positions": [{"word": word, "positions": places} for word, places in INDEX.items()],
    "lists of two": [[word, places] for word, places in INDEX.items()],
    "pairs as text": json.dumps([{"key": word, "value": places} for word, places in INDEX.items()]),
    "single positions": {"The": 0, "the": 1, "end": [2, 5], "is": "3", "an": 4.0},
    "floats": {word: [float(place) for place in places] for word, places in INDEX.items()},
    "texts": {word: [str(place) for place in places] for word, places in INDEX.items()},
    "nulls": {**INDEX, "nowhere": None, "never": [None], "end": [2, None, 5]},
    "printed by Python": str(INDEX),
    "cut": json.dumps({**INDEX, "later": [6]}).removesuffix("[6]}") + "[",
}


def test_an_index_is_read_in_every_form(warehouse: Warehouse, tmp_path: Path) -> None:
    works = [{"abstract_inverted_index": index} for index in FORMS_OF_INDEX.values()]
    found = staged(warehouse, lines(tmp_path, works), "abstract, not_understood")
    texts = dict(zip(FORMS_OF_INDEX, found, strict=True))
    assert texts == dict.fromkeys(FORMS_OF_INDEX, ("The the end is an end", []))


def test_words_of_an_index_may_be_anything(warehouse: Warehouse, tmp_path: Path) -> None:
    indexes = [
        {"InvertedIndex": [0], "is": [1], "a": [2], "word.": [3]},
        {"it's": [0], '"quoted"': [1], "back\\slash": [2], "$n=10$": [3], "a.b": [4], "é": [5]},
        {"b": [1], "a": [1], "first": [0]},  # two words at one place
        {"late": [9], "early": [3]},
        {word: [place] for place, word in enumerate(["x", "X", "x_1", "X_1"])},
    ]
    works = [{"abstract_inverted_index": index} for index in indexes]
    works += [{"abstract_inverted_index": str(indexes[1])}]
    assert staged(warehouse, lines(tmp_path, works), "abstract") == [
        ("InvertedIndex is a word.",),
        ('it\'s "quoted" back\\slash $n=10$ a.b é',),
        ("first a b",),
        ("early late",),
        ("x X x_1 X_1",),
        ('it\'s "quoted" back\\slash $n=10$ a.b é',),
    ]


def test_an_index_that_gives_no_abstract_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    works = [
        {"abstract_inverted_index": "We train a network."},
        {"abstract_inverted_index": {"deep": ["first"]}},
        {"abstract_inverted_index": {}},
        {"abstract_inverted_index": None},
        {"abstract_inverted_index": ""},
        {"abstract_inverted_index": {}, "abstract": "A plain text."},
        {"abstract_inverted_index": "cut of{", "abstract": "A plain text."},
        {"abstract": "A &amp; B<sup>2</sup>"},
        {"abstract": None},
    ]
    found = staged(warehouse, lines(tmp_path, works), "abstract, not_understood")
    index = "abstract_inverted_index"
    assert [(text, plain(values)) for text, values in found] == [
        (None, [{"field": index, "value": "We train a network."}]),
        (None, [{"field": index, "value": '{"deep":["first"]}'}]),
        (None, []),
        (None, []),
        (None, []),
        ("A plain text.", []),
        ("A plain text.", []),
        ("A & B2", []),
        (None, []),
    ]


def test_odd_positions(warehouse: Warehouse) -> None:
    assert staged(warehouse, CASES / "06_odd_positions", "abstract") == [
        ("deep networks learn and learn",),
        ("deep networks learn and learn",),
        ("deep learn",),
        (None,),
        ("deep networks learn",),
        ("deep networks",),
        ("$n=10$ a.b end",),
    ]


def test_a_long_abstract_is_whole(warehouse: Warehouse) -> None:
    file = CASES / "15b_long_abstract/works.jsonl"
    delivered = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    places = [place for places in delivered["abstract_inverted_index"].values() for place in places]
    ((words,),) = staged(
        warehouse,
        file,
        "case when record_row = 1 then length(abstract) - length(replace(abstract, ' ', '')) end",
    )[:1]
    assert words == len(places) - 1


def test_ids(warehouse: Warehouse, tmp_path: Path) -> None:
    ids = {
        "https://openalex.org/W12": "W12",
        "http://openalex.org/W12/": "W12",
        "https://openalex.org/works/w12": "W12",
        "https://openalex.org/w12?mailto=somebody": "W12",
        "https://api.openalex.org/works/W12?select=id,title#top": "W12",
        "openalex:W12": "W12",
        " w12 ": "W12",
        12: "W12",
        "12.0": "W12",
        "https://doi.org/10.5555/12": None,
        "A12": None,
        "W12a": None,
        "": None,
    }
    works = [{"id": delivered} for delivered in ids]
    found = staged(warehouse, lines(tmp_path, works), "source_record_id, rejection_reason")
    reasons = {"W12": None, None: "missing_identifier"}
    assert found == [(work, reasons[work]) for work in ids.values()]
    works = [{"id": None, "ids": {"openalex": "https://openalex.org/W7"}}]
    assert staged(warehouse, lines(tmp_path, works, "more.jsonl"), "source_record_id") == [("W7",)]


def test_authors_who_stand_for_none(warehouse: Warehouse, tmp_path: Path) -> None:
    case = [
        (plain(authors)[0]["author_name"], plain(authors)[0]["author_id"])
        for (authors,) in staged(warehouse, CASES / "11_null_author", "authors")
    ]
    assert case == [("Sample, Ada", None), ("Example, Bo", None), ("A. Sample3", None)]
    authorships = [
        {"author": {"id": "A9999999999", "display_name": "Null author"}, "raw_author_name": "One"},
        {"author": {"id": "https://openalex.org/a5317838346"}, "raw_author_name": "Two"},
        {"author": {"id": "https://openalex.org/A3", "display_name": "NULL_AUTHOR"}},
        {"author": {"id": 4, "display_name": " "}, "raw_author_name": "Four"},
        {"author": {"id": "https://openalex.org/A15317838346", "display_name": "Five"}},
        {"author": None, "raw_author_name": "Six"},
    ]
    file = lines(tmp_path, [{"authorships": authorships}])
    ((authors,),) = staged(warehouse, file, "authors")
    assert [(author["author_name"], author["author_id"]) for author in plain(authors)] == [
        ("One", None),
        ("Two", None),
        (None, None),
        ("Four", "A4"),
        ("Five", "A15317838346"),
        ("Six", None),
    ]


def test_countries_and_affiliations_of_authors(warehouse: Warehouse, tmp_path: Path) -> None:
    countries = [
        plain(authors)[0]["country_codes"]
        for (authors,) in staged(warehouse, CASES / "10_countries_of_authorship", "authors")
    ]
    assert countries == [["BR"], ["CN"], ["NL"]]
    authorships = [
        {
            "raw_author_name": "A",
            "countries": ["BR", None, "", "CN"],
            "raw_affiliation_strings": ["Rio", None, "Xi'an"],
        },
        {
            "raw_author_name": "B",
            "countries": [],
            "raw_affiliation_strings": [],
            "raw_affiliation_string": "Old  Town",
        },
        {"raw_author_name": "C"},
        {
            "raw_author_name": "D",
            "institutions": [
                {
                    "id": "https://openalex.org/I2",
                    "display_name": "Lab",
                    "ror": "https://ror.org/02abc",
                    "country_code": "fr",
                    "type": "facility",
                    "lineage": ["https://openalex.org/I1", "https://openalex.org/I2"],
                }
            ],
        },
    ]
    file = lines(tmp_path, [{"authorships": authorships}])
    ((authors, institutions),) = staged(warehouse, file, "authors, institutions")
    assert [(one["country_codes"], one["affiliation"]) for one in plain(authors)] == [
        (["BR", "CN"], "Rio; Xi'an"),
        (None, "Old Town"),
        (None, None),
        (None, None),
    ]
    assert plain(institutions) == [
        {
            "author_position": 4,
            "institution_name": "Lab",
            "institution_id": "I2",
            "ror": "02abc",
            "country_code": "FR",
            "institution_type": "facility",
            "lineage": ["I1", "I2"],
        }
    ]


LAB = {
    "id": "https://openalex.org/I1",
    "display_name": "Lab of Delft",
    "ror": "https://ror.org/0a",
    "country_code": "NL",
    "type": "education",
    "lineage": ["https://openalex.org/I1"],
}
WHOLE = [("Lab of Delft", "I1", "0a", "NL", "education", ["I1"])]
NAMED = [("Lab of Delft", None, None, None, None, None)]
IN_TEXT = {
    "as_delivered": ({"institutions": [LAB], "countries": ["NL"]}, WHOLE, ["NL"]),
    "json": ({"institutions": json.dumps([LAB]), "countries": '["NL"]'}, WHOLE, ["NL"]),
    "python": ({"institutions": str([LAB]), "countries": str(["NL", "DE"])}, WHOLE, ["NL", "DE"]),
    "names": ({"institutions": "Lab of Delft", "countries": "NL"}, NAMED, ["NL"]),
    "several_names": (
        {"institutions": "Lab of Delft; ", "countries": "NL|DE"},
        NAMED,
        ["NL", "DE"],
    ),
    "list_of_names": (
        {"institutions": ["Lab of Delft"], "countries": "Belgium"},
        NAMED,
        ["Belgium"],
    ),
    "list_of_json": ({"institutions": [json.dumps(LAB)]}, WHOLE, None),
    "one_object": ({"institutions": LAB, "countries": ["NL"]}, WHOLE, ["NL"]),
    "one_object_in_text": ({"institutions": json.dumps(LAB)}, WHOLE, None),
    "wrapped": ({"institutions": {"list": [{"element": LAB}]}}, WHOLE, None),
    "an_id": (
        {"institutions": "https://openalex.org/I1"},
        [(None, "I1", None, None, None, None)],
        None,
    ),
    "nothing": ({"institutions": "[]", "countries": ""}, [], None),
    "placeholder": ({"institutions": "None", "countries": "nan"}, [], None),
}


@pytest.mark.parametrize("form", IN_TEXT)
def test_institutions_and_countries_in_text_are_read(
    warehouse: Warehouse, tmp_path: Path, form: str
) -> None:
    """As JSON lines, as Parquet whose columns hold text, and with all authorships in text."""
    delivered, institutions, countries = IN_TEXT[form]
    author = {"id": "https://openalex.org/A1", "display_name": "Ada One"}
    authorships = [{"author": author, "institutions": [], "countries": []}]
    authorships += [{"author": author} | delivered]
    file = lines(tmp_path, [{"authorships": authorships}, {"authorships": json.dumps(authorships)}])
    duckdb.sql(f"from read_json('{file}')").write_parquet(str(tmp_path / "works.parquet"))
    for path in (file, tmp_path / "works.parquet"):
        rows = staged(warehouse, path, "authors, institutions, not_understood")
        assert len(rows) == 2
        for authors, found, not_understood in rows:
            assert [tuple(one.values()) for one in plain(found)] == [
                (2, *one) for one in institutions
            ]
            assert plain(authors)[1]["country_codes"] == countries
            assert plain(authors)[1]["author_id"] == "A1"
            assert plain(not_understood) == []


def test_other_parts_of_authorships_in_text_are_read(warehouse: Warehouse, tmp_path: Path) -> None:
    file = lines(
        tmp_path,
        [
            {"authorships": ["Ada One", "Bo Two"]},
            {"authorships": "Ada One; Bo Two"},
            {"authorships": [{"author": "Ada One"}, {"author": '{"display_name": "Bo Two"}'}]},
            {
                "authorships": [
                    {"raw_author_name": "Ada One", "raw_affiliation_strings": "Delft, NL; Bonn"},
                    {"raw_author_name": "Bo Two", "raw_affiliation_strings": '["Delft", "Bonn"]'},
                ]
            },
        ],
    )
    rows = [plain(authors) for (authors,) in staged(warehouse, file, "authors")]
    assert [[one["author_name"] for one in authors] for authors in rows] == [
        ["Ada One", "Bo Two"]
    ] * 4
    assert [one["affiliation"] for one in rows[3]] == ["Delft, NL; Bonn", "Delft; Bonn"]


def test_parts_of_authorships_that_cannot_be_read_are_counted(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    authorship = {"raw_author_name": "A", "institutions": '[{"id": "I1', "countries": "[NL, DE]"}
    file = lines(tmp_path, [{"authorships": [authorship]}, {"authorships": '[{"raw_author_name'}])
    told = [
        [(one["field"], one["value"]) for one in plain(values)]
        for (values,) in staged(warehouse, file, "not_understood")
    ]
    assert told == [
        [("institutions", '[{"id": "I1'), ("countries", "[NL, DE]")],
        [("authorships", '[{"raw_author_name')],
    ]


def test_a_truncated_list_of_authors_is_told(warehouse: Warehouse, tmp_path: Path) -> None:
    case = staged(
        warehouse,
        CASES / "07_truncated_authors",
        "is_authors_truncated",
    )
    assert case[0] == (True,)
    hundred = [{"raw_author_name": f"Author {i}"} for i in range(100)]
    works = [
        {"authorships": hundred, "authors_count": 377},
        {"authorships": hundred, "authors_count": 100},
        {"authorships": hundred},
        {"authorships": hundred, "is_authors_truncated": True},
        {"authorships": hundred, "is_authors_truncated": "true"},
        {"authorships": [], "authors_count": 0, "is_authors_truncated": False},
        {},
    ]
    found = staged(warehouse, lines(tmp_path, works), "is_authors_truncated")
    assert [told for (told,) in found] == [True, False, False, True, True, False, None]


def test_fields_of_the_present_layout(warehouse: Warehouse) -> None:
    found = staged(
        warehouse,
        CASES / "09_walden_fields",
        "title, categories, keywords, rejection_reason",
        include_xpac=True,
    )
    assert [tuple(map(plain, work)) for work in found] == [
        (
            "Uncertainty-aware grading of retinal photographs with a convolutional neural network",
            ["Retinal Imaging and Analysis"],
            None,
            None,
        ),
        ("Table of contents", ["Reinforcement learning"], None, "paratext"),
        ("Organic carbon in soil cores along a hill slope", ["Neural Networks"], ["Soil"], None),
    ]


def test_a_venue_is_found_where_it_stands(warehouse: Warehouse, tmp_path: Path) -> None:
    journal = {"source": {"display_name": "Journal &amp; More", "type": "journal"}}
    archive = {"source": {"display_name": "Archive", "type": "repository"}}
    unnamed = {"source": {"display_name": " ", "type": "journal"}}
    works = [
        {"primary_location": archive, "locations": [journal]},
        {
            "primary_location": {"source": None, "raw_source_name": "Printed Name"},
            "locations": [archive],
        },
        {
            "primary_location": {"source": None, "raw_source_name": "http://example.org/1"},
            "locations": [archive, unnamed, journal],
        },
        {"locations": [archive]},
        {"best_oa_location": journal},
        {"best_oa_location": {"source": None, "raw_source_name": "Printed"}},
        {"host_venue": {"display_name": "Old Journal"}},
        {
            "host_venue": {"display_name": None},
            "alternate_host_venues": [{"display_name": "Other"}],
        },
        {"primary_location": None},
    ]
    found = staged(warehouse, lines(tmp_path, works), "venue")
    assert [venue for (venue,) in found] == [
        "Archive",
        "Printed Name",
        "Journal & More",
        "Archive",
        "Journal & More",
        "Printed",
        "Old Journal",
        "Other",
        None,
    ]


def test_keywords_in_every_form(warehouse: Warehouse, tmp_path: Path) -> None:
    case = staged(warehouse, CASES / "18_old_keywords", "keywords")
    assert plain(case[0][0]) == ["deep learning", "retina"]
    forms = [
        ["deep learning", " ", None, "Q&amp;A"],
        [{"display_name": "Deep learning"}, {"keyword": "retina", "score": 0.4}, {"id": "x"}],
        [{"display_name": None}, {"display_name": ""}],
        json.dumps(["deep learning", "retina"]),
        json.dumps([{"display_name": "Deep learning"}]),
        "deep learning; retina",
        "deep learning",
        [],
        None,
        "",
    ]
    works = [{"keywords": form} for form in forms]
    found = staged(warehouse, lines(tmp_path, works), "keywords")
    assert [plain(keywords) for (keywords,) in found] == [
        ["deep learning", "Q&A"],
        ["Deep learning", "retina"],
        None,
        ["deep learning", "retina"],
        ["Deep learning"],
        ["deep learning", "retina"],
        ["deep learning"],
        None,
        None,
        None,
    ]


def test_dates_and_numbers(warehouse: Warehouse, tmp_path: Path) -> None:
    case = staged(warehouse, CASES / "19_date_without_year", "publication_year")
    assert case[:2] == [(2016,), (2017,)]
    works = [
        {
            "publication_date": "2018-05-01",
            "created_date": "2020-01-02T00:00:00",
            "updated_date": "2026-06-14T06:11:07.26",
        },
        {"publication_year": 2019, "publication_date": "2018-05-01", "cited_by_count": "12"},
        {"publication_year": "soon", "publication_date": "2018-05-01", "cited_by_count": "many"},
        {"publication_year": 20199, "publication_date": "2018-05-01"},
        {"publication_year": None, "publication_date": "spring"},
        {"publication_year": "soon", "doi": "none yet"},
        {"publication_year": 3018},
        {"publication_year": 20199},
        {"publication_year": 9999},
        {},
    ]
    columns = (
        "publication_year, created_date, updated_date, cited_by_count, rejection_reason, "
        "not_understood"
    )
    file = lines(tmp_path, works, "works/updated_date=2026-09-20/part_0000.jsonl")
    newest = date(2026, 9, 20)

    def values(**of_fields: str) -> list[dict]:
        return [{"field": field, "value": value} for field, value in of_fields.items()]

    assert [tuple(map(plain, work)) for work in staged(warehouse, file, columns)] == [
        (2018, date(2020, 1, 2), date(2026, 6, 14), None, None, []),
        (2019, None, newest, 12, None, []),
        (2018, None, newest, None, None, values(publication_year="soon", cited_by_count="many")),
        (2018, None, newest, None, None, values(publication_year="20199")),
        (None, None, newest, None, None, values(publication_date="spring")),
        (
            None,
            None,
            newest,
            None,
            "impossible_year",
            values(publication_year="soon", doi="none yet"),
        ),
        (3018, None, newest, None, "impossible_year", []),
        (None, None, newest, None, "impossible_year", values(publication_year="20199")),
        (None, None, newest, None, None, []),
        (None, None, newest, None, None, []),
    ]


def test_arxiv_ids_and_cited_works(warehouse: Warehouse, tmp_path: Path) -> None:
    def copy(**addresses: str) -> dict:
        return {"locations": [{"landing_page_url": "https://doi.org/10.1/x"}, addresses]}

    works = [
        {"ids": {"arxiv": "https://arxiv.org/abs/2101.00001v2"}},
        {"ids": {"arxiv": "arXiv:2101.00001"}},
        {"ids": {"arxiv": "math.GT/0309136v1"}},
        {"doi": "https://doi.org/10.48550/arXiv.2101.00001"},
        {"doi": "https://doi.org/10.48550/arxiv.cs/0112017"},
        copy(landing_page_url="http://arxiv.org/abs/1706.03762"),
        copy(pdf_url="https://arxiv.org/pdf/cs/0112017v3.pdf"),
        {"primary_location": {"landing_page_url": "https://arxiv.org/abs/hep-th/9711200"}},
        {"host_venue": {"url": "http://arxiv.org/pdf/1706.03762"}},
        copy(landing_page_url="https://example.org/2101.00001"),
        {"referenced_works": ["https://openalex.org/W5", "https://openalex.org/W6"]},
        {"referenced_works": []},
    ]
    found = staged(warehouse, lines(tmp_path, works), "arxiv_id, cited_works")
    assert [arxiv for arxiv, _ in found] == [
        "2101.00001",
        "2101.00001",
        "math/0309136",
        "2101.00001",
        "cs/0112017",
        "1706.03762",
        "cs/0112017",
        "hep-th/9711200",
        "1706.03762",
        None,
        None,
        None,
    ]
    assert [plain(cited) for _, cited in found[-3:]] == [None, ["W5", "W6"], []]


def test_what_is_no_paper_is_refused(warehouse: Warehouse, tmp_path: Path) -> None:
    works = [
        {"type": "article"},
        {"type": "journal-article"},
        {"type": "Book chapter"},
        {"type": "https://openalex.org/types/conference-paper"},
        {},
        {"type": "dataset"},
        {"type": "peer-review"},
        {"type": "paratext"},
        {"type": "other", "type_crossref": "paratext"},
        {"type": "article", "is_paratext": "True"},
        {"type": "article", "is_xpac": True},
        {"type": "article", "is_xpac": False},
    ]
    file = lines(tmp_path, works)
    out = "out_of_scope_type"
    reasons = [None] * 5 + [out, out, "paratext", "paratext", "paratext"]
    found = staged(warehouse, file, "rejection_reason")
    assert [reason for (reason,) in found] == [*reasons, out, None]
    found = staged(warehouse, file, "rejection_reason", paper_types=["dataset"], include_xpac=True)
    assert [reason for (reason,) in found] == [
        out,
        out,
        out,
        out,
        None,
        None,
        out,
        "paratext",
        "paratext",
        "paratext",
        out,
        out,
    ]
    found = staged(warehouse, file, "rejection_reason", paper_types=[], include_xpac=True)
    assert [reason for (reason,) in found] == [None] * 7 + ["paratext"] * 3 + [None] * 2


def test_topics(warehouse: Warehouse, tmp_path: Path) -> None:
    topic = {
        "id": "https://openalex.org/T10768",
        "display_name": "Electric Vehicles",
        "score": 0.9999,
        "subfield": {
            "id": "https://openalex.org/subfields/2208",
            "display_name": "Electronic Engineering",
        },
        "field": {"display_name": "Engineering"},
        "domain": {"display_name": "Physical Sciences"},
    }
    works = [
        {"topics": [topic]},
        {"topics": [], "primary_topic": None, "concepts": [{"display_name": "Chemistry"}]},
    ]
    found = staged(warehouse, lines(tmp_path, works), "topics, categories")
    assert [tuple(map(plain, work)) for work in found] == [
        (
            [
                {
                    "topic_id": "T10768",
                    "topic_name": "Electric Vehicles",
                    "score": 0.9999,
                    "subfield": "Electronic Engineering",
                    "field": "Engineering",
                    "domain": "Physical Sciences",
                }
            ],
            ["Electric Vehicles"],
        ),
        ([], ["Chemistry"]),
    ]


def csv(folder: Path, *rows: Mapping[str, str]) -> Path:
    """Write rows as the website exports them, with a column for each name that any has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([row.get(name, "") for name in names] for row in rows)]
    file = folder / "works-2026-11-03.csv"
    file.write_text(
        "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in cells), encoding="utf-8"
    )
    return file


def test_the_export_of_the_website(warehouse: Warehouse, tmp_path: Path) -> None:
    ((venue, year, category, authors, institutions, country),) = staged(
        warehouse,
        CASES / "03_openalex_website_csv",
        "venue, publication_year, categories, authors, institutions, country",
    )[:1]
    assert (venue, year, plain(category), country) == (
        "Journal of Sample Results",
        2016,
        ["Neural Networks"],
        None,
    )
    assert [
        (one["author_name"], one["author_id"], one["country_codes"]) for one in plain(authors)
    ] == [
        ("Ada Sample1", "A501", ["NL"]),
        ("Bo Example1", "A511", ["DE"]),
    ]
    assert [(one["institution_name"], one["institution_id"]) for one in plain(institutions)] == [
        ("University of Sampletown", "I1"),
        ("Example Institute", "I91"),
    ]
    file = csv(
        tmp_path,
        {
            "id": "https://openalex.org/W1",
            "title": "First",
            "publication_date": "2019-02-03",
            "is_retracted": "True",
            "authorships.author.display_name": "Ada|NULL_AUTHOR|Cy",
            "authorships.author.id": "https://openalex.org/A1|https://openalex.org/A9999999999|None",
            "authorships.author.orcid": "https://orcid.org/0000-0001-2345-678X",
            "authorships.raw_author_name": "A. One|B. Two|C. Three",
            "authorships.is_corresponding": "True|False|None",
            "authorships.countries": "NL|DE",
            "authorships.raw_affiliation_strings": "Delft|None|Bonn; Germany",
            "keywords.display_name": "Deep learning|Retina",
            "topics.display_name": "Eyes|Networks",
            "primary_location.raw_source_name": "Printed Journal",
            "referenced_works": "https://openalex.org/W5|https://openalex.org/W6",
            "locations.landing_page_url": "https://doi.org/10.1/x|http://arxiv.org/abs/1706.03762",
        },
        {
            "id": "https://openalex.org/W2",
            "display_name": "Second",
            "author_names": "Sole Author",
            "authorships.countries": "FR|US",
            "author_institution_names": "Lab",
            "primary_location_display_name": "Older Journal",
        },
    )
    columns = (
        "publication_year, is_retracted, venue, keywords, categories, cited_works, arxiv_id, "
        "country, authors, institutions"
    )
    first, second = (tuple(map(plain, work)) for work in staged(warehouse, file, columns))
    assert first[:8] == (
        2019,
        True,
        "Printed Journal",
        ["Deep learning", "Retina"],
        ["Eyes", "Networks"],
        ["W5", "W6"],
        "1706.03762",
        "NL|DE",
    )
    none = {"orcid": None, "country_codes": None}
    assert first[8] == [
        {
            **none,
            "author_name": "Ada",
            "author_id": "A1",
            "is_corresponding": True,
            "affiliation": "Delft",
        },
        {
            **none,
            "author_name": "B. Two",
            "author_id": None,
            "is_corresponding": False,
            "affiliation": None,
        },
        {
            **none,
            "author_name": "Cy",
            "author_id": None,
            "is_corresponding": None,
            "affiliation": "Bonn; Germany",
        },
    ]
    assert (second[2], second[7]) == ("Older Journal", None)
    assert [(one["author_name"], one["country_codes"]) for one in second[8]] == [
        ("Sole Author", ["FR", "US"])
    ]
    assert [one["institution_name"] for one in second[9]] == ["Lab"]


def test_institutions_in_the_export_of_the_website(warehouse: Warehouse, tmp_path: Path) -> None:
    authors = {"authorships.author.display_name": "Ada|Bo|Cy"}
    address = "https://openalex.org/I"
    python = (
        f"[{{'id': '{address}1', 'display_name': \"\"King's Lab\"\", 'ror': 'https://ror.org/0a', "
        f"'country_code': 'GB', 'type': 'education', 'lineage': ['{address}1', '{address}9']}}, "
        f"{{'id': '{address}2', 'display_name': 'Firm', 'ror': None, 'country_code': None, "
        f"'type': 'company', 'lineage': []}}]"
    )
    printed = (
        f'{address}3, ""Institut, e. V."", https://ror.org/0c, DE, facility, [\'{address}3\']; '
        f'{address}4, ""Other"", , , , []'
    )
    works = [
        authors | {"authorships.institutions": f"{python}|[]|None"},
        authors | {"authorships.institutions": f"None|{printed}|{python}"},
        # Of two cells for three authors none is said to be whose.
        authors | {"authorships.institutions": "Lab|Firm"},
        {"author_names": "Ada", "authorships.institutions.display_name": "Lab|Firm"},
        authors
        | {
            "authorships.institutions.id": f"{address}1|{address}2",
            "authorships.institutions.ror": "https://ror.org/0a|None",
        },
        {"author_names": "Ada|Bo", "authorships.institutions.display_name": "Lab|Firm"},
    ]
    title = {"title": "A"}
    rows = [title | {"id": f"https://openalex.org/W{n}"} | work for n, work in enumerate(works)]
    found = staged(warehouse, csv(tmp_path, *rows), "institutions")
    names = ("author_position", "institution_id", "institution_name", "ror", "country_code")
    of_works = [
        [
            tuple(one[name] for name in (*names, "institution_type", "lineage"))
            for one in plain(ones)
        ]
        for (ones,) in found
    ]
    lab = ("I1", "King's Lab", "0a", "GB", "education", ["I1", "I9"])
    firm = ("I2", "Firm", None, None, "company", None)
    institute = ("I3", "Institut, e. V.", "0c", "DE", "facility", ["I3"])
    nothing = (None, None, None, None)
    assert of_works == [
        [(1, *lab), (1, *firm)],
        [(2, *institute), (2, "I4", "Other", *nothing), (3, *lab), (3, *firm)],
        [(None, None, "Lab", *nothing), (None, None, "Firm", *nothing)],
        [(1, None, "Lab", *nothing), (1, None, "Firm", *nothing)],
        [(None, "I1", None, "0a", None, None, None), (None, "I2", None, *nothing)],
        [(None, None, "Lab", *nothing), (None, None, "Firm", *nothing)],
    ]


def test_deleted_and_merged_works(warehouse: Warehouse, tmp_path: Path) -> None:
    made = warehouse({"papers openalex": CASES / "16_deleted_ids_gz"})
    assert made.rows("select record_row, source_record_id from {stg_openalex__deleted_works}") == [
        (1, "W7700000002")
    ]
    lines(tmp_path, [{"title": "A"}], "works/updated_date=2026-09-20/part_0000.jsonl")
    (tmp_path / "works/deleted_ids.csv").write_text(
        "deleted_date,reason,openalex_id\n2026-08-14,spam,https://openalex.org/W2\n2026-08-15,,w3\n"
        "2026-08-16,twice,https://openalex.org/A4\n",
        encoding="utf-8",
    )
    merged = tmp_path / "merged_ids/works/2026-08-14.csv.gz"
    merged.parent.mkdir(parents=True)
    with gzip.open(merged, "wt", encoding="utf-8") as file:
        file.write("merge_date,id,merge_into_id\n2026-08-14,W5,https://openalex.org/w6\n")
    made = warehouse({"papers openalex": tmp_path})
    assert made.rows(
        "select source_record_id from {stg_openalex__deleted_works} "
        "where source_record_id is not null order by 1"
    ) == [("W2",), ("W3",)]
    assert made.rows(
        "select record_row, merge_date, source_record_id, merged_into_record_id "
        "from {stg_openalex__merged_works}"
    ) == [(1, date(2026, 8, 14), "W5", "W6")]
    # A list is a file of the delivery with the records that it holds, the bad ones among them.
    assert made.rows(
        "select delivered_table, regexp_replace(record_file, '^.*/', ''), records "
        "from {int_files_counted} order by 1"
    ) == [
        ("deleted_works", "deleted_ids.csv", 3),
        ("merged_works", "2026-08-14.csv.gz", 1),
        ("works", "part_0000.jsonl", 1),
    ]


def test_one_document_a_work(warehouse: Warehouse, tmp_path: Path) -> None:
    for number in (1, 2):
        work = {
            "id": f"https://openalex.org/W{number}",
            "title": f"Title {number}",
            "abstract_inverted_index": INDEX,
        }
        (tmp_path / f"W{number}.json").write_text(json.dumps(work, indent=2), encoding="utf-8")
    found = staged(warehouse, tmp_path, "source_record_id, title, abstract")
    assert sorted(found) == [
        ("W1", "Title 1", "The the end is an end"),
        ("W2", "Title 2", "The the end is an end"),
    ]


def test_parquet_with_columns_of_json_text(warehouse: Warehouse, tmp_path: Path) -> None:
    file = tmp_path / "works/updated_date=2026-06-24/part_0000.parquet"
    file.parent.mkdir(parents=True)
    duckdb.execute(
        f"""
        copy (
            select 'https://openalex.org/W1' as id, 'T' as title, 2020 as publication_year,
                $index as abstract_inverted_index, timestamp '2026-06-24 10:00:00' as updated_date,
                [{{'display_name': 'Deep'}}] as keywords
        ) to '{file}'
        """,
        {"index": json.dumps(INDEX)},
    )
    ((text, updated, keywords),) = staged(warehouse, file, "abstract, updated_date, keywords")
    assert (text, updated, plain(keywords)) == (
        "The the end is an end",
        date(2026, 6, 24),
        ["Deep"],
    )
