"""What matching found for a sample of papers, held against comparing with every later patent."""

import pyarrow as pa

from python_steps import similarity, tables


def model(dbt, session):
    vectors = dbt.ref("int_vectors_compared")
    matches = dbt.ref("int_papers_matched_to_patents")
    sample_size = dbt.config.meta_get("papers")
    count = dbt.config.meta_get("count")

    def audited(space):
        one_space = vectors.filter(f"embedding_text = '{space}'")
        patents = one_space.filter("document_type = 'patent'").order("year desc, document_id")
        papers = one_space.filter("document_type = 'paper'").order("md5(document_id), document_id")
        audit = similarity.audit(
            papers.limit(sample_size).to_arrow_table(),
            similarity.Patents.from_batches(patents.to_arrow_reader()),
            matches.filter(f"embedding_text = '{space}'").to_arrow_table(),
            count=count,
        )
        return tables.in_space(audit, space)

    return pa.concat_tables(map(audited, dbt.config.meta_get("spaces").split()))
