"""What matching found for a sample of papers, held against comparing with every later patent."""

import pyarrow as pa

from python_steps import similarity, tables


def model(dbt, session):
    papers = dbt.ref("int_papers_sampled")
    matches = dbt.ref("int_matches_sampled")
    patents = dbt.ref("int_vectors_compared").filter("document_type = 'patent'")
    count = dbt.config.meta_get("count")

    def audited(space):
        # Not through map_shards: a sample is one shard.
        chosen = f"embedding_text = '{space}'"
        latest_first = patents.filter(chosen).order("year desc, document_id")
        audit = similarity.audit(
            papers.filter(chosen).order("document_id").to_arrow_table(),
            similarity.Patents.from_batches(latest_first.to_arrow_reader()),
            matches.filter(chosen).order("paper_id, rank").to_arrow_table(),
            count=count,
        )
        return tables.in_space(audit, space)

    return pa.concat_tables(map(audited, dbt.config.meta_get("spaces").split()))
