"""Claims about what a build and `check` say of a delivery."""

import json
from io import StringIO
from types import SimpleNamespace

import duckdb
import pytest
from click.testing import CliRunner
from rich.console import Console

from python_steps.building.failures import _failure, exit_code
from python_steps.building.settings import Outcome, Result, Settings
from python_steps.command_line.build import show_build
from python_steps.command_line.main import main
from python_steps.command_line.options import project_folder
from python_steps.command_line.warnings import SHOWN, show_warnings
from python_steps.errors import UNREADABLE
from python_steps.sources.plausibility import Warned

GRAVE = Warned("no_year_at_all", "error", "None of the 12 patents has a year.")
OTHER = Warned("one_language", "warning", "papers tables: all in [en].")


def said(show, *arguments):
    text = StringIO()
    show(*arguments[:-1], Console(file=text, width=200, force_terminal=True), *arguments[-1])
    return text.getvalue()


@pytest.fixture
def settings(tmp_path):
    """Return the settings of a build that has ended, with a warehouse of what its end reads."""
    (tmp_path / "publication").mkdir()
    place = Settings(project_folder(), tmp_path / "w.duckdb", tmp_path / "publication")
    with duckdb.connect(str(place.warehouse)) as connection:
        connection.execute(
            """
            create schema marts;
            create table marts.build_summary as
            from (values (5, 'paper records rejected', 7.0), (9, 'labels rejected', 2.0))
                as t(place, measure, figure);
            create table marts.delivery_warnings as
            from (values
                (1, 'no_year_at_all', 'error', 'None of the 12 patents has a year.'),
                (2, 'one_language', 'warning', 'papers tables: all in [en].')
            ) as t(place, warning, severity, message);
            create table marts.rejection_counts as
            from (values
                ('paper', 's', 'missing_title', 2, false, 'Deliver titles.'),
                ('paper', 's', 'paratext', 5, true, 'Nothing is to be done.'),
                ('label', 's', 'missing_label', 2, false, 'Write true or false.')
            ) as t(entity, source_name, reason, records, is_by_design, remedy);
            """
        )
    return place


def test_grave_warnings_are_red_and_others_yellow():
    text = said(show_warnings, [GRAVE, OTHER], ())
    assert "\x1b[31mProblem:\x1b[0m None of the 12 patents" in text
    assert "\x1b[33mWarning:\x1b[0m papers tables: all in [en]." in text


def test_of_many_warnings_the_first_are_shown():
    text = said(show_warnings, [OTHER] * (SHOWN + 3), (" in a table",))
    assert text.count("Warning:") == SHOWN
    assert "3 more warnings in a table." in text


def test_the_end_of_a_build_tells_warnings_reasons_and_files_without_rows(settings):
    (settings.publication / "DeepCosineAI.csv").write_text("Paper_ID,Patent_ID,Similarity\n")
    (settings.publication / "DeepDiveAI.csv").write_text("ID,Title\n1,A\n")
    text = said(show_build, settings, Outcome(0, settings.beside(".log")), ())
    assert "None of the 12 patents has a year." in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert any("missing title" in line and "2" in line for line in lines)
    assert any("missing label" in line for line in lines)
    assert "2 papers rejected as missing title: Deliver titles." in text
    assert "paratext:" not in text  # left out by design
    assert "\x1b[31mPublished without a row:\x1b[0m DeepCosineAI.csv" in text
    assert "row:\x1b[0m DeepDiveAI.csv" not in text


class Graph:
    """A graph whose only test is that of the delivery."""

    def __getitem__(self, name):
        return SimpleNamespace(name=name)

    def is_of_delivery(self, _):
        return True

    def is_audit(self, _):
        return False


def test_a_build_that_is_stopped_for_its_delivery_says_why(settings):
    graph = Graph()
    failed = Result("test.gate", "fail", "Got 1 result", 1)
    assert _failure(failed, graph, settings) == ("Nothing is published", [GRAVE.message])
    assert exit_code([failed], graph, settings) == UNREADABLE


def write(file, records):
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def test_check_tells_what_no_pair_can_come_of(tmp_path):
    papers = write(
        tmp_path / "papers.jsonl",
        [{"id": f"{n}", "title": "Sorting", "publication_year": 2015} for n in range(3)],
    )
    patents = write(
        tmp_path / "patents.jsonl",
        [{"publication_number": f"US-98246{n}-B2", "title": "Sorting"} for n in range(10, 13)],
    )
    both = ["--papers", f"tables={papers}", "--patents", f"tables={patents}"]
    shown = CliRunner().invoke(main, ["check", *both])
    assert shown.exit_code == UNREADABLE
    assert "Problem: None of the 3 patents has a year" in shown.output
    assert "A build would publish nothing" in shown.output
    shown = CliRunner().invoke(main, ["check", *both[2:]])
    assert shown.exit_code == 0, shown.output
    assert "Problem: patents tables: 3 of 3 records have no year" in shown.output


def test_check_tells_the_share_of_records_with_a_value(tmp_path):
    papers = write(
        tmp_path / "papers.jsonl",
        [
            {"id": "a", "title": "A sort", "publication_year": 2015, "doi": "10.1234/a"},
            {"id": "b", "title": "A search", "publication_year": 2016},
            {"id": "c"},
        ],
    )
    shown = CliRunner().invoke(main, ["check", "--papers", f"tables={papers}"])
    told = " ".join(shown.output.replace("│", " ").split())
    assert "title 100%, year 100%, doi 50%; never:" in told
