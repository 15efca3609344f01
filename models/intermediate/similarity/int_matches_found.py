"""The most similar patents, among all for papers that are new, among new ones for the others."""

from functools import partial

from python_steps import tables
from python_steps.engine import relations
from python_steps.similarity import matching


def model(dbt, session):
    match = partial(
        matching.match_in_space,
        **dbt.config.meta_get("engine"),
        **dbt.config.meta_get("matcher"),
    )
    new, other = dbt.ref("int_papers_not_carried"), dbt.ref("int_papers_carried")
    patents, added = dbt.ref("int_patents_compared"), dbt.ref("int_patents_added")
    found = []
    for space in dbt.config.meta_get("spaces").split():
        found.append(match(new, patents, space=space, description="match papers"))
        found.append(match(other, added, space=space, description="match to new patents"))
    return relations.union(found, tables.MATCHES.append(tables.EMBEDDING_TEXT))
