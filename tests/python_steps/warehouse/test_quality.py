"""What a build says at its end of the documents in a warehouse."""

import duckdb

from python_steps.warehouse.places import DuckDBFile
from python_steps.warehouse.quality import undecided


def test_undecided_documents_are_told_by_reason_and_country(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.documents as select * from (values "
            "('paper', true, 'inner'), ('patent', true, 'inner'), "
            "('patent', null, 'language_not_supported: zh'), "
            "('patent', null, 'language_not_supported: zh'), ('patent', null, 'no_text')) "
            "as t(document_type, is_ai, decision_reason)"
        )
        connection.execute(
            "create table marts.decision_counts as select * from (values "
            "('patent', 'office', 'CN', 'zh', 2, 2), ('patent', 'office', 'CN', 'en', 1, 0), "
            "('patent', 'office', 'US', 'en', 1, 1), ('patent', 'applicant', 'DE', 'en', 1, 1), "
            "('patent', 'office', null, 'en', 1, 1), ('paper', 'author', 'CN', 'en', 1, 0)) "
            "as t(document_type, role, country_code, language, documents, undecided_documents)"
        )
    assert undecided(DuckDBFile(path)) == [
        "3 of 4 patents are undecided, neither AI nor not: 2 language not supported: zh, 1 no "
        "text. By country of the office: 2 of 3 of CN, 1 of 1 of US. --vars '{languages: "
        "all}' judges those in zh. All of them: marts.decision_counts."
    ]


def test_a_warehouse_without_documents_has_none_undecided(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    assert undecided(DuckDBFile(path)) == []
