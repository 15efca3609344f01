"""The most similar patents of every paper among those of its year or later, in each space."""

from itertools import chain

import pyarrow as pa

from python_steps import engine, similarity, tables


def model(dbt, session):
    vectors = dbt.ref("int_vectors_compared")
    schema = tables.MATCHES.append(tables.EMBEDDING_TEXT)

    def matched(space):
        one_space = vectors.filter(f"embedding_text = '{space}'")
        patents = one_space.filter("document_type = 'patent'").order("year desc, document_id")
        patents = similarity.Patents.from_batches(patents.to_arrow_reader())
        matcher = similarity.Matcher(patents, **dbt.config.meta_get("matcher"))
        return engine.map_shards(
            one_space.filter("document_type = 'paper'"),
            lambda papers: tables.in_space(matcher.step(papers), space),
            key="year",
            descending=True,
            schema=schema,
            description=f"match papers by {space}",
            version=matcher.version,
            checkpoints=dbt.config.meta_get("checkpoints"),
        )

    batches = chain.from_iterable(map(matched, dbt.config.meta_get("spaces").split()))
    return pa.RecordBatchReader.from_batches(schema, batches)
