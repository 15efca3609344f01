"""What the README and the pages show of the sample is what a build of it gives."""

import csv
import re

import pytest
from click.testing import CliRunner

from tests.architecture.test_docs import FENCE, PAGES, PROJECT, full_commands, program
from tests.end_to_end.test_build import HEADERS, rows_of

README = (PROJECT / "README.md").read_text(encoding="utf-8")

EXCERPT = re.compile(
    r"^\| \d+ \| (?P<year>\d{4}), (?P<title>[^|]+) "
    r"\| (?P<number>[A-Z]{2}-\w+-\w+), (?P<patent_year>\d{4}), (?P<patent_title>[^|]+) "
    r"\| (?P<similarity>\.\d+) \|$",
    re.M,
)


def test_the_pairs_that_the_readme_shows_are_in_the_published_files(sample_build):
    papers = {row["Title"]: row for row in rows_of(sample_build, "DeepDiveAI.csv")}
    patents = {row["ID"]: row for row in rows_of(sample_build, "DeepPatentAI.csv")}
    pairs = {row["Paper_ID"]: row for row in rows_of(sample_build, "DeepCosineAI.csv")}
    shown = list(EXCERPT.finditer(README))
    assert len(shown) == 2
    for row in shown:
        paper = papers[row["title"]]
        pair = pairs[paper["ID"]]
        patent = patents[pair["Patent_ID"]]
        assert (paper["Year"], patent["Year"]) == (row["year"], row["patent_year"])
        assert (patent["PN"], patent["Title"]) == (row["number"], row["patent_title"])
        # Half precision, where a processor has it, moves the third digit.
        assert float(pair["Similarity"]) == pytest.approx(float(row["similarity"]), abs=0.002)


@pytest.mark.parametrize("name", HEADERS)
def test_the_readme_lists_the_columns_of_every_published_file(name):
    (row,) = re.findall(rf"^\| `{re.escape(name)}` \| [^|]+ \| ([^|]+) \|$", README, re.M)
    assert re.findall(r"`(\w+)`", row) == next(csv.reader([HEADERS[name]]))


def queries() -> list[str]:
    """SQL of the pages: blocks of their own, and what `query` is given."""
    blocks = [
        code
        for page in PAGES
        for language, code in FENCE.findall(page.read_text("utf-8"))
        if language == "sql"
    ]
    given = [words[1] for page in PAGES for words in full_commands(page) if words[0] == "query"]
    return blocks + given


@pytest.mark.parametrize("sql", queries())
def test_every_query_that_a_page_shows_runs_on_the_sample(sample_build, sql):
    arguments = ["query", sql, "--warehouse", str(sample_build.warehouse), "--format", "csv"]
    result = CliRunner().invoke(program(), arguments)
    assert result.exit_code == 0, result.output
    assert result.output.strip()
