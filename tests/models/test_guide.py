"""The examples of docs/guides/deliveries.md, as staging and the documents after it read them."""

import re

from tests.models.staged import names, staged
from tests.small_warehouse import PROJECT

GUIDE = PROJECT / "docs/guides/deliveries.md"


def examples(folder):
    """Write the example files of the guide to a folder, each under the name that it gives."""
    found = re.findall(
        r"^`(\w+\.\w+)`[^\n]*\n\n```\w+\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S
    )
    found += re.findall(
        r"`(papers\.csv)`:\n\n```csv\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S
    )
    for name, text in found:
        (folder / name).write_text(text, encoding="utf-8")
    assert {name for name, _ in found} == {"papers.csv", "patents.jsonl"}
    return {"papers tables": folder / "papers.csv", "patents tables": folder / "patents.jsonl"}


def test_the_examples_of_the_guide_are_read_whole(warehouse, tmp_path):
    delivered = warehouse(examples(tmp_path))
    told = ("not_understood", "unread_fields", "rejection_reason")
    papers = staged(
        delivered,
        "stg_tables__papers",
        *("publication_year", "authors", "institutions", "keywords", *told),
    )
    patents = staged(
        delivered,
        "stg_tables__patents",
        *("publication_number", "year", "year_basis", "applicants", "codes", "citations", *told),
    )
    for row in [*papers.values(), *patents.values()]:
        assert [row[name] for name in told] == [[], None, None]
    first, second = papers.values()
    assert (first["publication_year"], second["publication_year"]) == (2018, 2019)
    assert names(first["authors"], "author_name") == ["Sample, Ada", "Example, Bo"]
    assert names(first["authors"], "country_codes") == [["NL"], ["DE"]]
    assert first["keywords"] == ["deep learning", "retina"]
    first, second = patents.values()
    assert (first["publication_number"], first["year"], first["year_basis"]) == (
        "US-9900001-B2",
        2018,
        "filing",
    )
    assert (second["publication_number"], second["year_basis"]) == ("EP-3900002-A1", "priority")
    assert names(second["codes"], "delivered_code") == ["B66B 1/24 (2006.01)", "G06N 20/00"]
    assert names(second["applicants"], "country_code") == ["DE", "NL"]
    assert names(first["citations"], "literature") == [None, "Sample, Neural nets, 2001"]


def test_the_examples_of_the_guide_become_documents(on_duckdb, tmp_path):
    delivered = on_duckdb(examples(tmp_path))
    assert delivered.rows("select count(*) from {int_papers_deduplicated}") == [(2,)]
    assert delivered.rows("select count(*) from {int_patents_deduplicated}") == [(2,)]
    codes = delivered.rows("select code from {int_codes_parsed} order by code")
    assert codes == [("B66B 1/24",), ("G06N 20/00",), ("G06N 3/08",)]
