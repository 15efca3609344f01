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
    papers, patents = dbt.ref("int_papers_to_match"), dbt.ref("int_patents_to_match")
    other, carried = papers.filter("not is_carried"), papers.filter("is_carried")
    new = patents.filter("is_new")
    found = []
    for space in dbt.config.meta_get("spaces").split():
        found.append(match(other, patents, space=space, description="match papers"))
        found.append(match(carried, new, space=space, description="match to new patents"))
    return relations.union(found, tables.MATCHES.append(tables.SPACE))
