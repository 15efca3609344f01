"""Further inputs of each kind that tests/cases has one of, with what is right, on both engines."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.models.staged import staged

# What a date is read as: its day, and its year where the day is not said.
DATES = [
    ("2018-03-05T14:23:11.123456789Z", "2018-03-05", 2018),
    ("2018年3月5日", "2018-03-05", 2018),
    ("2018년 3월 5일", "2018-03-05", 2018),
    ("2018年3月", None, 2018),
    ("20180305T101112Z", "2018-03-05", 2018),
    ("Mon Mar 05 10:11:12 UTC 2018", "2018-03-05", 2018),
    ('{"date-parts":[[2018,3,5]]}', "2018-03-05", 2018),
    ('{"date-parts":[[2018,3]]}', None, 2018),
    ("[[2018, 3, 5]]", "2018-03-05", 2018),
    ("datetime.date(2018, 3, 5)", "2018-03-05", 2018),
    ("Timestamp('2018-03-05 00:00:00')", "2018-03-05", 2018),
    ('="2018-03-05"', "2018-03-05", 2018),
    ("２０１８-０３-０５", "2018-03-05", 2018),
    ("20180305T00:00:00", "2018-03-05", 2018),
    ("2018-03-05/2018-04-01", "2018-03-05", 2018),
    ("03/05/2018", None, 2018),
    ("2018-W10", None, 2018),
    ("MAR-APR 2018", None, 2018),
    ("2018-02-30", None, 2018),
    ("0001-01-01T00:00:00", None, None),
]
UNREAD_DATES = ["Mar-18", "05-MAR-18", "43164", "in press", "DEC 25", "H30.3.5"]

PLACEHOLDERS = [
    *("#N/A N/A", "#REF!", "#VALUE!", "#NAME?", "#NULL!", "-1.#IND", "1.#QNAN", "-nan", "\\\\N"),
    *(
        "NA_character_",
        "\u2013 \u2013",
        "**",
        "//",
        "__",
        "[]",
        "{}",
        '""',
        "['']",
        ",",
        "n.a",
        "n. a.",
    ),
    *("n/d", "N / A", "n\\a", "NULL NULL", "nan, nan", "[object Object]", "TBA", "Not provided."),
    *("not specified", "None provided", "No abstract supplied.", "[No title captured]"),
    *("There is no abstract available.", "This article has no abstract.", "Abstract withheld"),
    "An abstract is not available for this content so a preview has been provided",
    "<jats:title>Abstract</jats:title><jats:p>No abstract available.</jats:p>",
    *("Resumen no disponible", "Sin resumen", "RÉSUMÉ NON DISPONIBLE", "Pas de résumé"),
    *("Abstract", "ABSTRACT.", "[Summary]", "Résumé", "摘 要", "See PDF", "0", "12", "Unknown"),
    *("Click to view abstract", "Please see the full text.", "Untitled", "Abstract:", "暂缺摘要"),
    *("要旨はありません", "Нет аннотации", "Bez abstraktu", "Özet bulunmamaktadır", "中文摘要暂无"),
    *("Kein Abstract verfügbar", "Resumo não disponível", "无摘要", "暂无摘要", "抄録なし"),
]
VALUES = [
    *("Abstract interpretation", "See PDFs as graphs", "Unknown unknowns", "A summary", "3 nets"),
    *("[Purpose] We test; it holds.", "{a, b} is a set", "Untitled works", "Introduction to nets"),
    *("None of the above", "Null hypothesis", "NaN-boxing in JavaScript", "No abstract nonsense"),
    *("Not available online", "Nothing", "C", "π", "😀", "Title not taken", "The missing summary"),
]

TEXTS = [
    ('["We sort.", "It works."]', "We sort. It works."),
    ("['We sort.']", "We sort."),
    ('{"text": "We sort."}', "We sort."),
    ("{'value': 'We sort.'}", "We sort."),
    ('{"de": "Wir sortieren.", "en": "We sort."}', "We sort."),
    ('{"fr": "Nous trions."}', "Nous trions."),
    ("H<SUB>2</SUB>O", "H2O"),
    ("<![CDATA[One & two]]>", "One & two"),
    ("&lt;![CDATA[One]]&gt;", "One"),
    ("<!-- a - b -->One", "One"),
    ('<?xml version="1.0"?>One', "One"),
    ("One_x000D_\nTwo", "One Two"),
    ("caf&#38;eacute;, &#x26;lt;", "café, <"),
    ("\u200eOne\u202a two\u202c", "One two"),
    ("x<y and y>z; n<N", "x<y and y>z; n<N"),
    ("snake_x000_case", "snake_x000_case"),
]


LISTS = [
    ("a, b, c d", ["a", "b", "c d"]),
    ("Sorting, parallel", ["Sorting, parallel"]),
    ("a, b; c, d", ["a, b", "c, d"]),
    ("甲，乙，丙", ["甲", "乙", "丙"]),
    ("a • b · c", ["a", "b", "c"]),
    ("a\tb", ["a", "b"]),
    ("Keywords: a; b", ["a", "b"]),
    ("Key words — a, b, c", ["a", "b", "c"]),
    ("关键词：甲；乙", ["甲", "乙"]),
    ("Mots-clés : a ; b", ["a", "b"]),
    ("Keywording: a", ["Keywording: a"]),
    ("Keyword-spotting; b", ["Keyword-spotting", "b"]),
    ("Ключевые слова: a; b", ["a", "b"]),
    ('c("a", "b")', ["a", "b"]),
    ('list("a, b", "c")', ["a, b", "c"]),
    ("np.array(['a', 'b'])", ["a", "b"]),
    ("Index(['a', 'b'], dtype='object')", ["a", "b"]),
    ("[np.str_('a'), np.str_('b')]", ["a", "b"]),
    ("[{'name': 'a'}\n {'name': 'b'}]", ["a", "b"]),
    ('[["a", 0.9], ["b", 5]]', ["a", "b"]),
    ("[('a', 0.9), ('b', 1e-05)]", ["a", "b"]),
    ('{"keyword": ["a", "b"]}', ["a", "b"]),
    ('{"bag": [{"array_element": "a"}]}', ["a"]),
    ('[{"descriptor": "a"}, {"term": "b"}]', ["a", "b"]),
    ("<kwd>a</kwd><kwd>b<sub>2</sub></kwd>", ["a", "b2"]),
    ("a<br/>b", ["a", "b"]),
    ("人工智能、深度学习", ["人工智能", "深度学习"]),
    ("[1, 2]", ["1", "2"]),
    ("C(4)-methylation; [Cu(II)] complexes", ["C(4)-methylation", "[Cu(II)] complexes"]),
    ("list of lists", ["list of lists"]),
]
# Which of the words belong together, nobody can tell.
UNREAD_LISTS = ["WrappedArray(a, b)", "List(a, b)", "[Row(name='a')]", "frozenset({'a', 'b'})"]

DOIS = [
    (
        "10.1002/(SICI)1-2(19960801)78:3&lt;434::AID-C12&gt;3.0.CO;2-V",
        "10.1002/(sici)1-2(19960801)78:3<434::aid-c12>3.0.co;2-v",
    ),
    ("10.1000/a&amp;b", "10.1000/a&b"),
    (r"10.1007/978-3-030-1\_2", "10.1007/978-3-030-1_2"),
    ("10.1000/abc[pii]", "10.1000/abc"),
    ("10.1000/abc\u2010def", "10.1000/abc-def"),
    ("S0000 [pii]; 10.1000/abc [doi]", "10.1000/abc"),
    ("10.1000/abc.short", "10.1000/abc"),
]
NUMBERS = [
    ("US:9824690:B2", "US-9824690-B2"),
    ("docdb:US.9824690.B2", "US-9824690-B2"),
    ("patents.google.com/patent/US9824690B2/en?oq=x", "US-9824690-B2"),
    ("https://www.google.com/patents/US9824690", "US-9824690"),
    ("WO18012345A1", "WO-2018012345-A1"),
    ("WO3065179A1", "WO-2003065179-A1"),
    ("CN201510123456.7", None),
    ("ZL201510123456.7", None),
    ("EP18123456.5", None),
    ("9824690", None),
    ("PCT/US2018/012345", None),
]

CODES = [
    ("INV. G06N 3/08 ADD. G06F 17/30", ["G06N 3/08", "G06F 17/30"]),
    ("G06N   3/08        20060101 AFI20180305BHEP", ["G06N 3/08"]),
    ("G06N  3/08     (2006.01) I", ["G06N 3/08"]),
    ("G06N 3/08 [I,A]", ["G06N 3/08"]),
    ("IPC(8)-G06N3/08", ["G06N 3/08"]),
    ("G06N3/08 G06N5/04", ["G06N 3/08", "G06N 5/04"]),
    ("A61B 5/00 (2006.01) G06N 3/08 (2006.01)", ["A61B 5/00", "G06N 3/08"]),
    ("C12Q0001688600", ["C12Q 1/6886"]),
    ("G06N0003000000", ["G06N 3/00"]),
    ('[{"symbol": "G06N3/08"}]', ["G06N 3/08"]),
    ("H01L 2924/01020", ["H01L 2924/01020"]),
]


def papers(warehouse: Any, folder: Path, records: list[dict], *columns: str) -> list[dict]:
    """Return columns of the staged papers of a table, in their order."""
    lines = [json.dumps({"id": str(n), "title": "T"} | record) for n, record in enumerate(records)]
    (folder / "papers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = staged(warehouse({"papers tables": folder}), "stg_tables__papers", *columns)
    return list(found.values())


def test_texts_and_dates_of_papers(warehouse, tmp_path):
    texts = [*PLACEHOLDERS, *VALUES, *(text for text, _ in TEXTS)]
    dates = [*(text for text, *_ in DATES), *UNREAD_DATES]
    read = papers(
        warehouse,
        tmp_path,
        [{"abstract": text} for text in texts] + [{"publication_date": text} for text in dates],
        *("abstract", "publication_date", "publication_year", "not_understood"),
    )
    right = [(text, None) for text in PLACEHOLDERS] + [(text, text) for text in VALUES] + TEXTS
    assert [(text, row["abstract"]) for text, row in zip(texts, read, strict=False)] == right
    read = read[len(texts) :]
    found = [(row["publication_date"], row["publication_year"]) for row in read[: len(DATES)]]
    assert found == [(day, year) for _, day, year in DATES]
    assert [[{"field": "publication_date", "value": text}] for text in UNREAD_DATES] == [
        row["not_understood"] for row in read[len(DATES) :]
    ]


def test_lists_and_dois_of_papers(warehouse, tmp_path):
    lists = [*(text for text, _ in LISTS), *UNREAD_LISTS]
    read = papers(
        warehouse,
        tmp_path,
        [{"keywords": text} for text in lists] + [{"doi": text} for text, _ in DOIS],
        *("keywords", "doi", "not_understood"),
    )
    found = [row["keywords"] for row in read[: len(lists)]]
    assert found == [elements for _, elements in LISTS] + [None] * len(UNREAD_LISTS)
    assert [row["not_understood"] for row in read[len(LISTS) : len(lists)]] == [
        [{"field": "keywords", "value": text}] for text in UNREAD_LISTS
    ]
    assert [row["doi"] for row in read[len(lists) :]] == [doi for _, doi in DOIS]


def test_numbers_and_codes_of_patents(warehouse, tmp_path):
    records = [
        *({"publication_number": text} for text, _ in NUMBERS),
        *(
            {"publication_number": f"EP{n}A1", "ipc": text}
            for n, (text, _) in enumerate(CODES, 9**7)
        ),
    ]
    lines = [json.dumps({"title": "T"} | record) for record in records]
    (tmp_path / "patents.jsonl").write_text("\n".join(lines), encoding="utf-8")
    read = warehouse({"patents tables": tmp_path})
    patents = staged(read, "stg_tables__patents", "publication_number", "not_understood")
    found = list(patents.values())[: len(NUMBERS)]
    assert [row["publication_number"] for row in found] == [number for _, number in NUMBERS]
    assert [bool(row["not_understood"]) for row in found] == [not each for _, each in NUMBERS]
    codes = read.rows(
        "select source_record_id, code from {int_codes_parsed} order by record_row, code_position"
    )
    assert codes == [(f"EP{n}A1", code) for n, (_, each) in enumerate(CODES, 9**7) for code in each]


# Names of authors as delivered, and the people among them.
AUTHORS = [
    ("Sample, Ada", ["Sample, Ada"]),
    ("Sample Example, Ada Bo", ["Sample Example, Ada Bo"]),
    ("King, Martin Luther, Jr.", ["King, Martin Luther, Jr."]),
    ("One A, Two B", ["One A", "Two B"]),
    ("One A.B., Two B., and van der Three C.", ["One A.B.", "Two B.", "van der Three C."]),
    ("One, A., & Two, B.-C.", ["One, A.", "Two, B.-C."]),
    ("O'Neil, K. and D'Souza, M.", ["O'Neil, K.", "D'Souza, M."]),
    ("One, Ada and Two, Bo", ["One, Ada", "Two, Bo"]),
    ("Ada One and Bo Two", ["Ada One", "Bo Two"]),
    ("Ada van den Berg, Bo Two & Cy Three", ["Ada van den Berg", "Bo Two", "Cy Three"]),
    ("张三,李四，欧阳修", ["张三", "李四", "欧阳修"]),
    ("Food and Agriculture Organization", ["Food and Agriculture Organization"]),
    ("Bill & Melinda Gates Foundation", ["Bill & Melinda Gates Foundation"]),
    ("Johnson & Johnson", ["Johnson & Johnson"]),
    ("1. Ada One; 2) Bo Two", ["Ada One", "Bo Two"]),
    ("Ada One1,2*; Bo Two (3); Cy Three†", ["Ada One", "Bo Two", "Cy Three"]),
    ("Wei Wang 0001", ["Wei Wang"]),
    ("Ada One <ada@example.org>", ["Ada One"]),
    ("One, Ada et al.", ["One, Ada"]),
    ("3M Company", ["3M Company"]),
    ('[{"firstName": "Ada", "lastName": "One"}]', ["Ada One"]),
    ('[{"forename": "Ada", "surname": "One"}, {"literal": "CERN"}]', ["Ada One", "CERN"]),
    *(
        (nobody, [])
        for nobody in [
            *("Anonymous", "[Anonymous]", "anon.", "Unknown author", "No authors listed", "N.N."),
            *("et al.", "佚名", "Author not known"),
        ]
    ),
]


def test_names_of_people(warehouse, tmp_path):
    read = papers(warehouse, tmp_path, [{"authors": text} for text, _ in AUTHORS], "authors")
    found = [
        [one["author_name"] for one in row["authors"] or [] if one["author_name"]] for row in read
    ]
    assert list(zip([text for text, _ in AUTHORS], found, strict=True)) == AUTHORS


def test_a_text_field_in_another_form_than_text(warehouse, tmp_path):
    record = {
        "title": ["Learning to sort"],
        "abstract": {"en": "We sort.", "de": "Wir sortieren."},
        "venue": {"name": "Sorting Letters"},
        "cited_by_count": -1,
    }
    columns = ("title", "abstract", "venue", "cited_by_count", "not_understood")
    (read,) = papers(warehouse, tmp_path, [record], *columns)
    assert read == {
        "title": "Learning to sort",
        "abstract": "We sort.",
        "venue": "Sorting Letters",
        "cited_by_count": None,
        "not_understood": [{"field": "cited_by_count", "value": "-1"}],
    }


# Forms in which a list of Google's comes that another program has written, and its elements.
WRITTEN = [
    ("title_localized", "[{'text': 'A', 'language': 'en', 'truncated': False}]", ["A"]),
    (
        "title_localized",
        '[{"text": "A", "language": "en"}\n {"text": "B", "language": "de"}]',
        ["A"],
    ),
    ("title_localized", ["A; 'B'"], ["A; 'B'"]),
    ("title_localized", "'A' or B; C", ["'A' or B; C"]),
    ("title_localized", {"array": [{"text": "A", "language": "en"}]}, ["A"]),
    ("assignee", "['A Corp', 'B']", ["A Corp", "B"]),
    ("assignee", "A Corp; B", ["A Corp", "B"]),
    ("assignee", "SAMPLE, ADA", ["SAMPLE, ADA"]),
    ("assignee", [{"name": "A Corp"}], ["A Corp"]),
    ("assignee_harmonized", "[{'name': 'A CORP', 'country_code': 'US'}]", ["A CORP"]),
    ("assignee_harmonized", ["A CORP"], ["A CORP"]),
    ("cpc", "[{'code': 'G06N3/08', 'first': True, 'tree': []}]", ["G06N3/08"]),
    ("cpc", ["G06N3/08"], ["G06N3/08"]),
    ("ipc", "G06N3/08; G06N5/04, G06N7/00", ["G06N3/08", "G06N5/04", "G06N7/00"]),
]


def test_lists_of_google_that_another_program_wrote(warehouse, tmp_path):
    title = {"title_localized": [{"text": "T", "language": "en"}]}
    lines = [
        json.dumps({"publication_number": f"US-{n}-A"} | title | {field: value})
        for n, (field, value, _) in enumerate(WRITTEN, 5000000)
    ]
    (tmp_path / "publications.jsonl").write_text("\n".join(lines), encoding="utf-8")
    read = staged(
        warehouse({"patents google_patents": tmp_path}),
        "stg_google_patents__publications",
        *("title", "applicants", "codes"),
    )
    found = [
        [row["title"]]
        if field == "title_localized"
        else [each["delivered_code"] for each in row["codes"]]
        if field in ("ipc", "cpc")
        else [each["applicant_name"] for each in row["applicants"]]
        for (field, *_), row in zip(WRITTEN, read.values(), strict=True)
    ]
    assert found == [elements for *_, elements in WRITTEN]


AUTHORSHIP = {
    "author": {"id": "https://openalex.org/A5", "display_name": "Ada Sample"},
    "institutions": [{"display_name": "AT&amp;T", "country_code": "NL"}],
    "countries": ["NL"],
}


def test_works_whose_lists_are_text(warehouse, tmp_path):
    works = [
        {"authorships": json.dumps([AUTHORSHIP]), "topics": json.dumps([{"display_name": "AI"}])},
        {"authorships": repr([AUTHORSHIP]), "topics": "[{'display_name': 'AI'}]"},
        {"authorships": [json.dumps(AUTHORSHIP)], "concepts": json.dumps([{"display_name": "AI"}])},
        {
            "authorships": {"list": [{"element": AUTHORSHIP}]},
            "primary_topic": json.dumps({"display_name": "AI"}),
            "primary_location": "{'source': {'display_name': 'Journal'}}",
        },
        {
            "authorships": [{"author": {"id": "A5", "display_name": "nan"}, "institutions": []}],
            "type": "None",
            "is_retracted": "withdrawn",
        },
    ]
    lines = [
        json.dumps({"id": f"W{n}", "title": "T", "publication_year": 2018} | work)
        for n, work in enumerate(works, 1)
    ]
    (tmp_path / "works.jsonl").write_text("\n".join(lines), encoding="utf-8")
    read = staged(
        warehouse({"papers openalex": tmp_path}),
        "stg_openalex__works",
        *("authors", "institutions", "categories", "venue", "work_type", "not_understood"),
        "rejection_reason",
    )
    *whole, odd = read.values()
    for work in whole:
        assert [(a["author_name"], a["author_id"]) for a in work["authors"]] == [
            ("Ada Sample", "A5")
        ]
        assert [i["institution_name"] for i in work["institutions"]] == ["AT&T"]
        assert work["categories"] == ["AI"]
    assert whole[3]["venue"] == "Journal"
    assert [a["author_name"] for a in odd["authors"]] == [None]
    assert (odd["work_type"], odd["rejection_reason"]) == (None, None)
    assert odd["not_understood"] == [{"field": "is_retracted", "value": "withdrawn"}]


# Names of papers and patents in a table of links, of W7700000001 and US-9824690-B2.
PAPERS_NAMED = [
    *("openalex.org/W7700000001", "openalex:W7700000001", "api.openalex.org/works/w7700000001"),
    *("'7700000001", '="7700000001"', "7700000001.0", "arXiv:1705.06391v2", "DOI: 10.1000/ABC."),
]
PATENTS_NAMED = [
    *("9824690", "9,824,690", "09824690", "9824690B2", "9,824,690 B2", "US:9824690:B2"),
    *("9824690.0", '="9824690"', "patents.google.com/patent/US9824690B2/en"),
]
NAMING_NONE = ["W7700000001;W7700000002", "7.700000001E9"]


def test_links_name_documents_in_further_forms(warehouse, tmp_path):
    work = {"id": "W7700000001", "title": "Neural networks", "doi": "10.1000/abc"}
    work |= {"publication_year": 2018, "ids": {"arxiv": "1705.06391"}}
    patent = {"publication_number": "US-9824690-B2", "filing_date": 20160101}
    patent |= {"title_localized": [{"text": "Neural network", "language": "en"}]}
    rows = [
        *((name, "US-9824690-B2") for name in PAPERS_NAMED + NAMING_NONE),
        *(("W7700000001", name) for name in PATENTS_NAMED),
    ]
    (tmp_path / "works.jsonl").write_text(json.dumps(work), encoding="utf-8")
    (tmp_path / "publications.jsonl").write_text(json.dumps(patent), encoding="utf-8")
    with (tmp_path / "links.csv").open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("paper_id", "patent_id"), *rows])
    made = warehouse(
        {
            "papers openalex": tmp_path / "works.jsonl",
            "patents google_patents": tmp_path / "publications.jsonl",
            "links": tmp_path / "links.csv",
        }
    )
    found = made.rows("select paper_id, patent_id from {int_links_imported} order by record_row")
    papers_found = [paper for paper, _ in found]
    none = slice(len(PAPERS_NAMED), len(PAPERS_NAMED) + len(NAMING_NONE))
    assert papers_found[none] == [None] * len(NAMING_NONE)
    del papers_found[none]
    assert set(papers_found) == {"W7700000001"}
    assert {patent for _, patent in found} == {"US-9824690-B2"}


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (1520208000000, 1551744000000),  # as pandas writes dates
        ("2018/03/05", "2019/03/05"),
        ("20180305", "20190305"),
        ("5 March 2018", "2019-03-05T10:11:12.123456"),
        ("Mon, 05 Mar 2018 10:11:12 GMT", "Tue, 05 Mar 2019 10:11:12 GMT"),
        (None, "2019-03-05 10:11:12+00:00"),
    ],
)
def test_the_newest_copy_of_a_work_wins(on_duckdb, tmp_path, older, newer):
    copies = [("Newer", newer, "short"), ("Older", older, "a much longer abstract of the work")]
    works = [
        {
            "id": "W1",
            "title": title,
            "publication_year": 2018,
            "updated_date": day,
            "abstract": text,
        }
        for title, day, text in copies
    ]
    file = tmp_path / "works.jsonl"
    file.write_text("\n".join(map(json.dumps, works)), encoding="utf-8")
    made = on_duckdb({"papers openalex": file})
    found = made.rows("select title, abstract from {int_papers_deduplicated}")
    assert [tuple(row) for row in found] == [("Newer", "short")]
