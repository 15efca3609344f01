"""Claims about reading labelled documents: what is refused, and in which words."""

import duckdb
import pytest
from click.testing import CliRunner

from python_steps.command_line import main
from python_steps.errors import InputError
from python_steps.warehouse.examples import read_examples
from python_steps.warehouse.places import DuckDBFile


def make_warehouse(path, *rows):
    """Write examples of the outer layer: language, is_ai and how many of them."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples (document_id varchar, "
            "document_type varchar, layer varchar, title varchar, abstract varchar, "
            "language varchar, year integer, source_name varchar, categories varchar[], "
            "label_source varchar, label_is_ai boolean, label_confidence double, "
            "sampling_weight double, split varchar, stratum varchar, title_key varchar)"
        )
        for number, (language, is_ai, count) in enumerate(rows):
            connection.execute(
                "insert into marts.classifier_examples "
                "select $number || '-' || i, 'paper', 'outer', 'Title', null, $language, 2020, "
                "'here', null, 'human', $is_ai, null, null, 'train', 'easy', i "
                "from range($count) as t(i)",
                {"number": number, "language": language, "is_ai": is_ai, "count": count},
            )
    return path


# ---------------------------------------------------------------- languages


def read(warehouse, *languages, **more):
    return read_examples(
        DuckDBFile(warehouse), layer="outer", document_types=["paper"], languages=languages, **more
    )


def test_labels_in_other_languages_are_counted_and_the_option_is_named(tmp_path):
    rows = [("de", True, 12), ("fr", True, 3), ("de", False, 7), ("en", False, 5)]
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", *rows)
    with pytest.raises(InputError) as error:
        read(warehouse, "en")
    assert str(error.value) == (
        "No example labelled AI is in the language en, but 12 are in de and 3 in fr. Name their "
        "language with --language, as --language de."
    )
    assert read(warehouse, "en", "fr").num_rows == 8
    assert read(warehouse).num_rows == 27


def test_the_command_tells_of_labels_in_german_alone(tmp_path):
    rows = [("de", True, 1200), ("de", False, 1)]
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", *rows)
    words = ["train", "--layer", "outer", "--document-type", "paper"]
    words += ["--output", tmp_path / "mine", "--warehouse", warehouse]
    shown = CliRunner().invoke(main.main, [str(word) for word in words])
    assert shown.exit_code == 3
    assert "No example labelled AI or not AI is in the language en, but 1,201 are in de." in (
        " ".join(shown.output.split())
    )


def test_a_label_of_which_no_language_has_any_is_left_to_training(tmp_path):
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", ("en", False, 5), ("de", False, 9))
    assert read(warehouse, "en").num_rows == 5


def test_a_label_that_only_the_draw_left_out_is_not_said_to_be_in_other_languages(tmp_path):
    rows = [("en", True, 1), ("en", False, 1), ("de", True, 9), ("de", False, 9)]
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", *rows)
    assert read(warehouse, "en", most_per_source=1).num_rows == 1


def test_labels_of_some_sources_only(tmp_path):
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", ("en", True, 3), ("en", False, 2))
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "update marts.classifier_examples set label_source = 'llm_is_ai_1:m' where label_is_ai"
        )
    assert read(warehouse, label_sources=["llm_is_ai_1"]).num_rows == 3
    assert read(warehouse, label_sources=["llm", "hum"]).num_rows == 5
    with pytest.raises(InputError, match="from the label source cset; it has human, llm_is_ai_1:m"):
        read(warehouse, label_sources=["llm", "cset"])


def test_an_unknown_language_counts_as_each(tmp_path):
    rows = [(None, True, 2), ("de", True, 9), ("en", False, 5)]
    warehouse = make_warehouse(tmp_path / "warehouse.duckdb", *rows)
    assert read(warehouse, "en").num_rows == 7
