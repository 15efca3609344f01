"""Claims about the baselines that are judged on a warehouse's labels."""

import duckdb
import pyarrow as pa
import pytest

from python_steps import tables
from python_steps.ai_decision.evaluation import baselines, measures
from python_steps.errors import InputError
from python_steps.warehouse import classifier_evaluation
from python_steps.warehouse.places import tables_at
from tests.python_steps.ai_decision.evaluation.test_baselines import Letters, examples

REFUSED = "W099"  # by the classifiers, and so by the baselines


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    path = tmp_path_factory.mktemp("labelled") / "warehouse.duckdb"
    labelled = examples()
    with duckdb.connect(str(path)) as connection:
        connection.register("labelled", labelled)
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.classifier_examples as select document_id, title, abstract, split, "
            "is_ai as label_is_ai, document_id as title_key, layer, 'paper' as document_type "
            "from labelled, (values ('outer'), ('inner')) as layers (layer)"
        )
        connection.execute(
            "create table marts.documents as select document_id, "
            f"case when document_id <> '{REFUSED}' then 0.5 end as outer_probability from labelled"
        )
        columns = ", ".join(
            f"{VALUES.get(name, 'null')} as {'label_is_ai' if name == 'is_ai' else name}"
            for name in tables.PREDICTIONS.names
        )
        connection.execute(
            f"create table marts.classifier_predictions as select {columns} from labelled, "
            f"(values ('{measures.OUTER}'), ('{measures.TOGETHER}')) as judges (judge) "
            f"where split = 'test' and document_id <> '{REFUSED}'"
        )
    return tables_at(path, {})


VALUES = {
    "document_id": "document_id",
    "document_type": "'paper'",
    "judge": "judges.judge",
    "is_ai": "is_ai",
    "is_accepted": "true",
    "probability": "0.5::double",
    "threshold": "0.5::double",
    "model_version": "'v'",
    "source_name": "'made up'",
    "label_source": "'by hand'",
    "sampling_weight": "1::double",
    "stratum": "'easy'",
    "language": "'en'",
    "year_band": "'2015-2019'",
}


def judged(warehouse, most):
    return classifier_evaluation.judge_baselines(
        warehouse, ["paper", "patent"], encoder=Letters(), most=most, draws=20
    )


def test_both_baselines_judge_what_the_classifiers_judge(warehouse):
    measured, predictions = judged(warehouse, 100)
    assert measured.schema == tables.EVALUATION
    whole = [row for row in measured.to_pylist() if row["dimension"] == "all"]
    assert [row["judge"] for row in whole] == [baselines.EMBEDDING, baselines.TFIDF]
    assert {(row["documents"], row["positives"], row["f1"]) for row in whole} == {(19, 10, 1.0)}
    said = pa.Table.from_pylist(predictions.to_pylist(), schema=tables.PREDICTIONS).to_pylist()
    assert len(said) == 2 * 19
    assert all(row["is_accepted"] == row["is_ai"] for row in said)
    assert {row["source_name"] for row in said} == {"made up"}
    assert REFUSED not in {row["document_id"] for row in said}


def test_no_more_documents_are_read_than_asked_for(warehouse):
    few, all_of_them = (
        {
            (row["document_id"], row["model_version"])
            for row in judged(warehouse, most)[1].to_pylist()
        }
        for most in (30, 60)
    )
    assert {name for name, _ in few} == {name for name, _ in all_of_them}
    assert not {version for _, version in few} & {version for _, version in all_of_them}
    assert judged(warehouse, 5)[1].num_rows == 0  # too few to learn from


def test_a_warehouse_without_labels_is_told(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(InputError, match="build --labels FILE"):
        judged(tables_at(path, {}), 5)
