"""`deepinnovation evaluate matching`: what a build found when it compared with everything."""

import json

import duckdb
import pytest
from click.testing import CliRunner

from python_steps.command_line import main

ROWS = """
    select
        space,
        paper_year::integer as paper_year,
        audited::integer as audited_papers,
        papers::bigint as papers_represented,
        at_1::double as recall_at_1, .9::double as recall_at_1_low, 1::double as recall_at_1_high,
        at_k::double as recall_at_k, .8::double as recall_at_k_low, 1::double as recall_at_k_high,
        .001::double as mean_similarity_regret, 0::double as mean_similarity_regret_low,
        .002::double as mean_similarity_regret_high,
        .03::double as largest_similarity_regret,
        10 as k
    from (values
        ('title_abstract', 2011, 200, 4000, .9, .88),
        ('title_abstract', null, 300, 5000, .985, .975),
        ('title_abstract', 2010, 100, 1000, 1, 1)
    ) as rows(space, paper_year, audited, papers, at_1, at_k)
"""


@pytest.fixture
def run(tmp_path):
    place = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(place)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.matching_audit as {ROWS}")

    def invoke(*arguments, warehouse=place):
        command = ["evaluate", "matching", "--warehouse", str(warehouse), *arguments]
        return CliRunner().invoke(main.main, command)

    return invoke


def test_the_table_tells_all_years_first(run):
    shown = run("--floor", "recall_at_1=0.98")
    assert shown.exit_code == 0
    places = [shown.stdout.index(text) for text in ("all years", "2010", "2011")]
    assert places == sorted(places)
    assert "0.9850" in shown.stdout


def test_floors_are_about_all_years_together(run):
    missed = run("--floor", "recall_at_1=0.95", "--floor", "recall_at_k=0.98")
    assert missed.exit_code == 4
    assert "recall_at_k by title_abstract is 0.9750 on 300 papers" in missed.stderr
    assert "recall_at_1" not in missed.stderr


def test_rows_come_as_json_and_csv(run):
    rows = [json.loads(line) for line in run("--format", "json").stdout.splitlines()]
    assert [row["paper_year"] for row in rows] == [None, 2010, 2011]
    assert run("--format", "csv").stdout.count("\n") == 4


def test_without_pairs_no_floor_is_reached(run, tmp_path):
    empty = tmp_path / "empty.duckdb"
    with duckdb.connect(str(empty)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.matching_audit as {ROWS} limit 0")
    said = run(warehouse=empty)
    assert said.exit_code == 0
    assert "No paper has a patent" in said.stdout
    assert run("--floor", "recall_at_1=0", warehouse=empty).exit_code == 4


def test_wrong_floors_are_wrong_usage(run):
    assert run("--floor", "recall=1").exit_code == 2
