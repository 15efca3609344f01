"""Size and hash of every delivered file; one that is as it was is not read again."""

from python_steps import tables
from python_steps.documents import delivered_files
from python_steps.engine import relations


def model(dbt, session):
    files = relations.collect(
        dbt.ref("int_files_counted"), columns=["record_file"], order=["record_file"]
    )
    known = relations.table(dbt.ref("int_files_known"), tables.FILE_STATES)
    described = delivered_files.describe(files["record_file"].to_pylist(), known)
    return relations.as_relation(session, described)
