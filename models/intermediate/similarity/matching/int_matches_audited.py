"""What matching found for a sample of papers, held against comparing with every later patent."""

from functools import partial

import pyarrow as pa

from python_steps.engine import relations
from python_steps.similarity import audit


def model(dbt, session):
    audit_in_space = partial(
        audit.audit_in_space,
        dbt.ref("int_papers_sampled"),
        dbt.ref("int_patents_to_match"),
        dbt.ref("int_papers_matched_to_patents"),
        **dbt.config.meta_get("matcher"),
        **dbt.config.meta_get("engine"),
    )
    found = [audit_in_space(space=space) for space in dbt.config.meta_get("spaces").split()]
    return relations.as_relation(session, pa.concat_tables(found))
