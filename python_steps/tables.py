"""Arrow schemas of what the steps return."""

from __future__ import annotations

import pyarrow as pa


def embeddings(
    width: int, *, keep: pa.Schema | None = None, id_name: str = "document_id"
) -> pa.Schema:
    """
    Columns of embedded texts.

    Parameters
    ----------
    width
        Numbers in a vector.
    keep
        Columns that :func:`embedding.embed` keeps; the one column `id_name`, text, unless given.
    id_name
        Column that identifies a text.

    Returns
    -------
    pa.Schema
        Kept columns, `model_version` (text), `embedding` (float32[width], of length one).
    """
    kept = list(keep) if keep is not None else [pa.field(id_name, pa.string())]
    return pa.schema(
        [
            *kept,
            pa.field("model_version", pa.string()),
            pa.field("embedding", pa.list_(pa.float32(), width)),
        ]
    )


def keywords(keep: pa.Schema | None = None) -> pa.Schema:
    """
    Columns of documents with their keywords.

    Parameters
    ----------
    keep
        Columns that :func:`keywords.extract` keeps; the one column `document_id` unless given.

    Returns
    -------
    pa.Schema
        Kept columns, `keywords` (list of text, never empty), `keyword_source` (delivered,
        extracted or title), `model_version` (text).
    """
    kept = list(keep) if keep is not None else [pa.field("document_id", pa.string())]
    return pa.schema(
        [
            *kept,
            pa.field("keywords", pa.list_(pa.string())),
            pa.field("keyword_source", pa.string()),
            pa.field("model_version", pa.string()),
        ]
    )


# What identifies a text of a document, and the columns kept with its vector.
DOCUMENT_TEXT = pa.schema([("document_id", pa.string()), ("text_hash", pa.string())])

# A document and the shard of the work it belongs to.
DOCUMENT_SHARD = pa.schema([("document_id", pa.string()), ("shard", pa.string())])

# What fixes the vectors of texts.
ENCODERS = pa.schema(
    [
        ("model_version", pa.string()),
        ("width", pa.int32()),  # numbers in a vector
        ("precision", pa.string()),  # f32 | bf16
        ("maximum_tokens", pa.int32()),
    ]
)

# What identifies a phrase.
PHRASE = pa.schema([("phrase", pa.string())])

# One row per block of patents in files that every machine can open.
PATENT_BLOCKS = pa.schema(
    [
        ("digest", pa.string()),  # names the content
        ("path", pa.string()),  # absolute, without .npy (vectors) and .arrow (ids and years)
        ("patents", pa.int64()),
        ("width", pa.int32()),  # numbers in a vector
        ("first_year", pa.int32()),
        ("last_year", pa.int32()),
        ("model_version", pa.string()),
        ("connectivity", pa.int32()),  # of the index; missing where none was asked for
        ("expansion_add", pa.int32()),  # of the index; missing where none was asked for
        ("index_path", pa.string()),  # missing without an index, as in a small block
    ]
)

# One row per paper and patent kept for it; ranks count from 1, the nearest.
MATCHES = pa.schema(
    [
        ("paper_id", pa.string()),
        ("patent_id", pa.string()),
        ("rank", pa.int32()),
        ("similarity", pa.float32()),  # cosine
        ("paper_year", pa.int32()),
        ("patent_year", pa.int32()),
        ("method", pa.string()),  # exact | hnsw
        ("model_version", pa.string()),
    ]
)

# One row per sampled paper: what matching found against what comparing everything finds.
MATCH_AUDIT = pa.schema(
    [
        ("paper_id", pa.string()),
        ("paper_year", pa.int32()),
        ("expected_k", pa.int32()),  # patents an exact answer holds, at most count
        ("returned_k", pa.int32()),
        ("hits_at_1", pa.float64()),  # share of the exact nearest found, 0 or 1
        ("hits_at_k", pa.float64()),  # share of the expected_k nearest found
        ("similarity_regret", pa.float64()),  # exact best similarity less the returned best
    ]
)

# The space that vectors were compared in, beside what was found there.
EMBEDDING_TEXT = pa.field("embedding_text", pa.string())


def in_space(table: pa.Table, embedding_text: str) -> pa.Table:
    """Return the table with the column `embedding_text`, the same text in every row."""
    return table.append_column(EMBEDDING_TEXT, pa.repeat(embedding_text, table.num_rows))
