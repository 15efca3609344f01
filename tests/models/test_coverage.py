"""What is told of a delivery: coverage, what was not understood, what is implausible."""

import itertools
import json
import re
from pathlib import Path

import pytest
import yaml

from python_steps.sources import plausibility
from python_steps.sources.preview import read_head
from python_steps.sources.systems import source_of
from tests.small_warehouse import CASES, PROJECT, SmallWarehouse

NAMES = itertools.count()
MEASURES = ("source_system", "source_name", "document_type", "measure", "item", "records")
UNREAD = ("source_system", "source_name", "document_type", "kind", "field", "value", "records")
MERGED = ("source_system", "source_name", "document_type", "accepted_records", "merged_records")


def literal(value):
    if value is None:
        return "cast(null as string)"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def relation(warehouse, columns, rows):
    """Make rows a relation of the warehouse, and return its name."""
    types = {name: "bigint" if "records" in name else "string" for name in columns}
    empty = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in types.items())
    values = ", ".join("(" + ", ".join(map(literal, row)) + ")" for row in rows)
    cast = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
    name = f"given_{next(NAMES)}"
    warehouse._make(
        name,
        f"select {cast} from (values {values}) as given({', '.join(columns)})"
        if rows
        else f"select {empty} where 1 = 0",
    )
    return name


def measures(kind, records, source="tables", name="tables", years=None, languages=None, **filled):
    """Return the rows that source_measures gives of a source, whole but for what is named."""
    of = (source, name, kind)
    rejected = filled.pop("rejected", {})
    fields = {"title": records, "abstract": records, "year": records, "countries": records}
    noted = {"text": records, "authors_truncated": filled.pop("authors_truncated", 0)}
    noted["text"] = filled.pop("text", records)
    years = {2018: records} if years is None else years
    return [
        (*of, "delivered", None, records + sum(rejected.values())),
        (*of, "accepted", None, records),
        *((*of, "rejected", reason, count) for reason, count in rejected.items()),
        *((*of, "filled", field, count) for field, count in (fields | filled).items()),
        *((*of, "noted", fact, count) for fact, count in noted.items()),
        *((*of, "year", str(year), count) for year, count in years.items()),
        *((*of, "language", code, count) for code, count in (languages or {}).items()),
    ]


def warned(warehouse, given, unread=(), earlier=(), merged=()):
    """Return what is warned of: word, severity and message, the gravest first."""
    judged = warehouse.sql.macro(
        "delivery_warnings",
        relation(warehouse, MEASURES, given),
        relation(warehouse, MEASURES, earlier),
        relation(warehouse, UNREAD, unread),
        relation(warehouse, MERGED, merged),
        warehouse._relation("rejection_reasons"),
    )
    return warehouse._run(f"select warning, severity, message from ({judged}) as w order by place")


def words(warehouse, *arguments, **named):
    return [word for word, _, _ in warned(warehouse, *arguments, **named)]


PAPER = {"title": "Learning to sort", "abstract": "A network sorts.", "authors": ["Ada One"]}


def write(file: Path, records):
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


# ---------------------------------------------------------------- what is counted


def test_coverage_counts_the_records_with_a_value(warehouse, tmp_path):
    papers = [
        PAPER | {"id": "a", "publication_year": 2018, "country": "DE", "keywords": ["sorting"]},
        PAPER | {"id": "b", "publication_year": 2019, "abstract": " "},
        PAPER | {"id": "c", "source": "mine", "doi": "10.1234/abc"},
        {"id": "d"},
    ]
    patents = [
        {
            "publication_number": "US-9824690-B2",
            "title": "Sorting",
            "ipc": ["G06N 3/08"],
            "year": 2020,
        },
    ]
    made = warehouse(
        {
            "papers tables": write(tmp_path / "papers.jsonl", papers),
            "patents tables": write(tmp_path / "patents.jsonl", patents),
        }
    )
    filled = {
        (kind, name, field): (records, count, share)
        for kind, name, field, records, count, share in made.rows(
            "select document_type, source_name, field, records, filled_records, share_filled "
            "from {source_coverage}"
        )
    }
    for field, count in {"title": 2, "abstract": 1, "year": 2, "countries": 1, "doi": 0}.items():
        assert filled["paper", "tables", field] == (2, count, count / 2), field
    assert filled["paper", "mine", "doi"] == (1, 1, 1.0)
    assert filled["paper", "mine", "year"] == (1, 0, 0.0)
    for field, count in {"codes": 1, "office": 1, "inventors": 0, "filing_date": 0}.items():
        assert filled["patent", "tables", field] == (1, count, float(count)), field
    assert {field for _, _, field in filled} >= {
        *("authors", "institutions", "keywords", "language", "publication_date", "applicants"),
    }


def test_what_was_not_understood_is_counted(warehouse):
    made = warehouse({})
    value = made.sql.macro("struct", {"field": "'year'", "value": "'spring'"})
    none = made.sql.macro("not_understood")
    staged = (
        f"(select 'a' as source_name, {made.sql.macro('list_of', [value])} as not_understood, "
        f"{made.sql.macro('list_of', [literal('Pub Yr')])} as unread_fields "
        f"union all select 'a', {made.sql.macro('list_of', [value])}, null "
        f"union all select 'a', {none}, null)"
    )
    sql = made.sql.macro("unread_values", staged, "tables", "paper")
    assert sorted(made._run(sql), key=str) == [
        ("tables", "a", "paper", "field", "Pub Yr", None, 1),
        ("tables", "a", "paper", "value", "year", "spring", 2),
    ]


def test_codes_labels_and_links_that_are_not_understood_are_listed(on_duckdb, tmp_path):
    patents = [
        {"publication_number": f"US-{n}-B2", "title": "Sorting", "ipc": ["nonsense"], "year": 2020}
        for n in (9824690, 9824691)
    ]
    (tmp_path / "labels.csv").write_text(
        "source_record_id,is_ai\nnobody,true\nUS-9824690-B2,perhaps\n"
    )
    (tmp_path / "links.csv").write_text("paper_id,patent_id\nW1,US-9824690-B2\nW1,US-9824691-B2\n")
    made = on_duckdb(
        {
            "patents tables": write(tmp_path / "patents.jsonl", patents),
            "labels": tmp_path / "labels.csv",
            "links": tmp_path / "links.csv",
        }
    )
    rows = made.rows("select document_type, field, value, records from {values_not_understood}")
    assert ("patent", "codes", "nonsense", 2) in rows
    assert ("label", "source_record_id", "nobody", 1) in rows
    assert ("link", "paper_id", "W1", 2) in rows
    assert any(row[:2] == ("label", "is_ai") and "perhaps" in row[2] for row in rows)


# ---------------------------------------------------------------- what is implausible


def test_a_side_without_a_year_is_an_error_that_names_what_was_delivered(warehouse):
    unread = [("tables", "tables", "patent", "value", "filing_date", "spring 2018", 12)]
    given = measures("paper", 12) + measures("patent", 12, year=0, years={})
    ((word, severity, message),) = warned(warehouse({}), given, unread)
    assert (word, severity) == ("no_year_at_all", "error")
    assert "None of the 12 patents has a year" in message
    assert "`spring 2018` (12)" in message and "2018-03-05" in message


def test_years_that_nothing_can_be_read_from_are_told_whatever_their_number(on_duckdb, tmp_path):
    papers = [PAPER | {"id": f"{n}", "publication_year": 2015} for n in range(3)]
    patents = [{"publication_number": f"US-98246{n}-B2", "title": "Sorting"} for n in range(10, 13)]
    delivered = {
        "papers tables": write(tmp_path / "papers.jsonl", papers),
        "patents tables": write(tmp_path / "patents.jsonl", patents),
    }
    both = on_duckdb(delivered).rows("select warning, severity from {delivery_warnings}")
    assert both == [("no_year_at_all", "error")]
    # Alone, a side has no pair to lose.
    del delivered["papers tables"]
    alone = on_duckdb(delivered).rows("select warning, severity from {delivery_warnings}")
    assert alone == [("no_year", "warning")]


def test_a_source_whose_files_hold_no_record_stops_a_build(warehouse, tmp_path):
    papers = write(tmp_path / "papers.jsonl", [])
    patents = [{"publication_number": "US-9824610-B2", "title": "Sorting", "filing_date": "2018"}]
    made = warehouse(
        {
            "papers tables": papers,
            "patents tables": write(tmp_path / "patents.jsonl", patents),
        }
    )
    (told,) = made.rows("select warning, severity, source_system, message from {delivery_warnings}")
    assert told[:3] == ("nothing_delivered", "error", "tables")
    assert told[3].startswith("papers tables: the files that were named hold no record.")


NOTHING = {
    "labels": ("labels.csv", "source_record_id,is_ai\n"),
    "links": ("links.csv", "paper_id,patent_id\n"),
    "entities ror": ("ror.json", "[]"),
}


@pytest.mark.parametrize("named", NOTHING)
@pytest.mark.parametrize("is_whole", [True, False])
def test_what_was_named_and_holds_nothing_is_told(warehouse, tmp_path, named, is_whole):
    """Beside documents, an empty file or one of a header alone leaves a build as it was."""
    name, text = NOTHING[named]
    (tmp_path / name).write_text(text if is_whole else "")
    made = warehouse(
        {
            "papers tables": write(
                tmp_path / "papers.jsonl", [PAPER | {"id": "a", "publication_year": 2018}]
            ),
            named: tmp_path / name,
        }
    )
    ((word, severity, kind, message),) = made.rows(
        "select warning, severity, document_type, message from {delivery_warnings}"
    )
    assert (word, severity) == ("nothing_delivered", "warning")
    assert kind == {"entities ror": "organisation"}.get(named, named[:-1])
    called = named.replace("entities", "organisations")
    assert message == (
        f"{called}: the files that were named hold no record. Export them again, or leave them out."
    )


def test_labels_that_name_nothing_known_are_no_empty_file(on_duckdb, tmp_path):
    (tmp_path / "labels.csv").write_text("source_record_id,is_ai\nnobody,true\n")
    papers = write(tmp_path / "papers.jsonl", [PAPER | {"id": "a", "publication_year": 2018}])
    made = on_duckdb({"papers tables": papers, "labels": tmp_path / "labels.csv"})
    told = made.rows("select warning from {delivery_warnings}")
    assert ("nothing_delivered",) not in told


@pytest.mark.parametrize(
    "case", ["24_patent_dates", "24b_parquet_date_columns", "60_iso_dates_full"]
)
def test_dates_that_are_understood_warn_of_no_year(on_duckdb, case):
    folder = CASES / case
    files = [f for f in folder.iterdir() if f.suffix in (".jsonl", ".parquet")]
    patents = folder / "publications.jsonl" if len(files) > 1 else files[0]
    made = on_duckdb({"patents google_patents": patents}, rejected_share_limit=1)
    assert "no_year" not in [w for (w,) in made.rows("select warning from {delivery_warnings}")]


@pytest.fixture(scope="module")
def rules():
    """Return a warehouse of nothing, whose macros judge what a test gives them."""
    return SmallWarehouse({})


RISING = {year: 30 + year - 2000 for year in range(2000, 2020)}

IMPLAUSIBLE = {
    # one side's years all after the other's
    "papers_after_patents": (
        measures("paper", 9, years={2021: 9}) + measures("patent", 9, years={2018: 9}),
        {},
    ),
    "no_text_at_all": (measures("paper", 30, text=0, abstract=0), {}),
    "nothing_accepted": (measures("patent", 0, years={}, rejected={"missing_title": 3}), {}),
    "many_rejected": (measures("paper", 90, rejected={"impossible_year": 10}), {}),
    "no_year": (measures("paper", 8, year=3), {}),
    "no_abstract": (measures("paper", 20, abstract=0), {}),
    "many_rejected_of_source": (
        measures("paper", 20, name="small", rejected={"missing_title": 5})
        + measures("paper", 2000, name="large"),
        {},
    ),
    "authors_truncated": (measures("paper", 50, authors_truncated=1), {}),
    "one_language": (measures("paper", 500, languages={"de": 480}), {}),
    "many_merged": (
        measures("paper", 40),
        {"merged": [("tables", "tables", "paper", 20, 20)]},
    ),
    "country_not_understood": (
        measures("paper", 2000),
        {"unread": [("tables", "tables", "paper", "value", "country", "Atlantis", 1)]},
    ),
    "column_not_understood": (
        measures("paper", 30, keywords=0),
        {"unread": [("tables", "tables", "paper", "value", "keywords", "{a:b", 30)]},
    ),
    "value_not_understood": (
        measures("paper", 300, doi=280),
        {"unread": [("tables", "tables", "paper", "value", "doi", "none yet", 20)]},
    ),
    "unread_field": (
        measures("patent", 30, applicants=0),
        {"unread": [("tables", "tables", "patent", "field", "Applicants' names", None, 30)]},
    ),
    "year_unlike_neighbours": (measures("paper", 790, years=RISING | {2009: 3}), {}),
    "year_unlike_last_delivery": (
        measures("paper", 790, years=RISING | {2018: 10}),
        {"earlier": measures("paper", 790, years=RISING)},
    ),
    "fewer_than_last_delivery": (
        measures("paper", 395, years={year: count // 2 for year, count in RISING.items()}),
        {"earlier": measures("paper", 790, years=RISING)},
    ),
}


@pytest.mark.parametrize("word", IMPLAUSIBLE)
def test_what_is_implausible_is_told_and_nothing_else(rules, word):
    given, more = IMPLAUSIBLE[word]
    found = warned(rules, given, **more)
    assert [one for one, _, _ in found] == [word]
    ((_, severity, message),) = found
    errors = {"papers_after_patents", "no_text_at_all", "nothing_accepted", "many_rejected"}
    assert severity == ("error" if word in errors else "warning")
    assert message[0].isupper() or message[0].isdigit() or message.startswith(("paper", "patent"))
    assert message.endswith((".", "?")) and "None" not in message.replace("None of", "")


@pytest.mark.parametrize(
    ("given", "more"),
    [
        (measures("paper", 790, years=RISING) + measures("patent", 790, years=RISING), {}),
        # Few records show nothing.
        (measures("paper", 19, abstract=0, years={2001: 9, 2002: 1, 2003: 9}), {}),
        # What is left out by design does not count as rejected.
        (measures("paper", 90, rejected={"paratext": 30, "deleted_upstream": 10}), {}),
        # The last years are never whole.
        (measures("paper", 780, years=RISING | {2018: 12, 2019: 1}), {}),
        # Patents are delivered in translation.
        (measures("patent", 500, languages={"en": 500}), {}),
        (measures("paper", 500, languages={"en": 400, "de": 100}), {}),
        # A field that nobody reads, beside one that gave the value.
        (
            measures("paper", 30),
            {"unread": [("tables", "tables", "paper", "field", "publication_year_2", None, 30)]},
        ),
        (measures("paper", 790, years=RISING), {"earlier": measures("paper", 770, years=RISING)}),
    ],
)
def test_what_is_plausible_is_not_told(rules, given, more):
    assert warned(rules, given, **more) == []


def test_all_rules_agree_on_both_engines(warehouse, rules):
    """Everything implausible at once: sources by other names, so that each warning stands."""
    given, unread, merged, earlier = [], [], [], []
    for number, (rows, more) in enumerate(IMPLAUSIBLE.values()):
        name = f"s{number:02}"

        def renamed(rows, name=name):
            return [(row[0], name, *row[2:]) for row in rows]

        given += renamed(rows) if "large" not in str(rows) else rows
        unread += renamed(more.get("unread", []))
        merged += renamed(more.get("merged", []))
        earlier += renamed(more.get("earlier", []))
    found = warned(warehouse({}), given, unread, earlier, merged)
    told = {word for word, _, _ in found}
    assert told >= {
        *("many_rejected", "no_year", "no_abstract", "authors_truncated", "one_language"),
        *("many_merged", "country_not_understood", "column_not_understood", "unread_field"),
        *("value_not_understood", "year_unlike_neighbours", "year_unlike_last_delivery"),
        *("fewer_than_last_delivery", "many_rejected_of_source"),
    }
    assert found == warned(rules, given, unread, earlier, merged)


def test_the_limit_of_rejections_can_be_raised(on_duckdb):
    given = measures("paper", 90, rejected={"impossible_year": 10})
    assert words(on_duckdb({}), given) == ["many_rejected"]
    assert words(on_duckdb({}, rejected_share_limit=0.1), given) == []


def test_a_few_rejected_records_do_not_stop_a_build(rules):
    ((word, severity, message),) = warned(
        rules, measures("paper", 18, rejected={"missing_title": 1})
    )
    assert (word, severity) == ("many_rejected", "warning")
    assert "1 of 19 paper records (5.3%)" in message and "--vars" not in message


def test_numbers_are_written_as_people_read_them(warehouse):
    made = warehouse({})
    for number, written in {0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"}.items():
        assert made._run(f"select {made.sql.macro('number_in_words', str(number))}") == [(written,)]


# ---------------------------------------------------------------- reasons of rejection


def test_every_reason_that_a_model_gives_is_one_of_the_seed(on_duckdb):
    texts = {f: f.read_text() for f in (PROJECT / "models").rglob("*.sql")}
    texts |= {f: f.read_text() for f in [PROJECT / "macros/clean.sql"]}
    used = set()
    for text in texts.values():
        for block in re.findall(r"case\b((?:(?!\bcase\b).)*?)end as rejection_reason", text, re.S):
            used |= set(re.findall(r"then '(\w+)'", block))
        for block in re.findall(r"rejection_reason\((.*?)\) }}", text, re.S):
            used |= set(re.findall(r"'(\w+)': ", block))
        used |= set(re.findall(r"'(\w+)' as reason,", text))
    macro = texts[PROJECT / "macros/clean.sql"].partition("macro rejection_reason")[2]
    used |= set(re.findall(r"then '(\w+)'", macro))
    for file in (PROJECT / "models/staging").rglob("*__sources.yml"):
        for source in yaml.safe_load(file.read_text())["sources"]:
            for table in source["tables"]:
                used.add(table["config"]["meta"].get("rejects", "malformed_record"))
    known = {reason for (reason,) in on_duckdb({}).rows("select reason from {rejection_reasons}")}
    assert used and used <= known
    assert len(used) >= 8


# ---------------------------------------------------------------- files


def test_a_file_is_a_row_with_its_release_and_licence(warehouse, tmp_path):
    made = warehouse(
        {
            "papers tables": write(
                tmp_path / "papers_2024-03-05.jsonl", [PAPER | {"id": "a"}, PAPER | {"id": "b"}]
            ),
            "papers openalex": PROJECT / "seeds/sample/openalex",
        }
    )
    states = "select '' as record_file, 'x' as sha256, cast(1 as bigint) as bytes where 1 = 0"
    made.made["int_files_delivered"] = f"({states})"
    rows = made.rows(
        "select source_system, delivered_table, records, cast(release_date as string), licence, "
        "may_publish_rows from {deliveries} order by source_system, delivered_table, release_date"
    )
    assert rows == [
        ("openalex", "deleted_works", 1, None, "CC0 1.0", True),
        ("openalex", "merged_works", 1, "2025-02-10", "CC0 1.0", True),
        ("openalex", "works", 106, "2025-01-15", "CC0 1.0", True),
        ("openalex", "works", 49, "2025-02-10", "CC0 1.0", True),
        ("tables", "papers", 2, "2024-03-05", None, None),
    ]


# ---------------------------------------------------------------- before a build


def test_check_says_of_countries_what_a_build_says(on_duckdb, tmp_path):
    papers = [
        PAPER
        | {"id": f"p{n}", "publication_year": 2018, "institutions": ["Lab"], "country": country}
        for n, country in enumerate(["Freedonia", "Freedonia; DE", "Korea, Republic of", "", None])
    ]
    papers[0]["institution_countries"] = ["Osterlich"]
    patents = [
        {
            "publication_number": f"US-982469{n}-B2",
            "title": "Sorting",
            "year": 2020,
            "ipc": ["G06N 3/08"],
            "inventors": [{"name": "Ada One", "country": country}],
            "assignee": [{"name": "Firm", "country": "XQ"}],
        }
        for n, country in enumerate(["Ruritania", "NL", "Ruritania"])
    ]
    papers.append({"id": "rejected", "country": "Nowhere"})  # has no title
    delivered = {
        "papers tables": write(tmp_path / "papers.jsonl", papers),
        "patents tables": write(tmp_path / "patents.jsonl", patents),
    }
    made = on_duckdb(delivered)
    built = made.rows(
        "select message from {delivery_warnings} where warning = 'country_not_understood'"
    )
    heads = [
        read_head(
            source_of(PROJECT, entity, "tables", (str(delivered[f"{entity} tables"]),)), PROJECT
        )
        for entity in ("papers", "patents")
    ]
    told = [
        one.message
        for one in plausibility.warnings(made.sql, [head.counted for head in heads])
        if one.warning == "country_not_understood"
    ]
    assert sorted(told) == sorted(message for (message,) in built)
    assert len(told) == 2
    assert "`Freedonia` (2), `Osterlich` (1)" in " ".join(told)
    assert "`XQ` (3), `Ruritania` (2)" in " ".join(told)


# ---------------------------------------------------------------- lags


def test_lags_are_counted_by_office_and_kind_of_year(warehouse, tmp_path):
    patent = {"title_localized": [{"text": "Sorting", "language": "en"}], "filing_date": 20180305}
    patents = [
        patent | {"publication_number": "US-9824690-B2", "publication_date": 20190920},
        patent | {"publication_number": "US-9824691-B2", "publication_date": 20190901},
        patent | {"publication_number": "EP-1234567-A1", "publication_date": 0},
    ]
    made = warehouse({"patents google_patents": write(tmp_path / "patents.jsonl", patents)})
    counted = "select office_code, year_kind, year, event_month, lag_months, documents"
    assert made.rows(f"{counted} from {{int_publication_lags}} order by 1, 2") == [
        ("EP", "filing", 2018, None, None, 1),
        ("US", "filing", 2018, 2018 * 12 + 2, 18, 2),
        ("US", "publication", 2019, 2019 * 12 + 8, 0, 2),
    ]
    assert made.rows("select cast(data_until as string) from {int_data_until}") == [("2019-09-20",)]
