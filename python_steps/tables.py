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
        Columns that :func:`encoder.embed` keeps; the one column `id_name`, text, unless given.
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


# What identifies a text of a document, and the columns kept with its vector.
DOCUMENT_TEXT = pa.schema([("document_id", pa.string()), ("text_hash", pa.string())])

# A document and the shard of the work it belongs to.
DOCUMENT_SHARD = pa.schema([("document_id", pa.string()), ("shard", pa.string())])

# Texts with blanks between their words.
SEGMENTED = pa.schema(
    [("document_id", pa.string()), ("title", pa.string()), ("abstract", pa.string())]
)

# The language of documents that no source tells it of.
LANGUAGES = pa.schema(
    [
        ("document_id", pa.string()),
        ("language", pa.string()),  # ISO 639-1
        ("language_source", pa.string()),  # detected | unknown
    ]
)

# Of each year of a source, the share of its documents that can be visible by a day.
YEARS_COMPLETED = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_name", pa.string()),
        ("document_type", pa.string()),
        ("office_code", pa.string()),  # missing for papers
        ("year_kind", pa.string()),  # publication | filing | priority
        ("year", pa.int32()),
        ("documents", pa.int64()),  # seen of the year
        ("data_until", pa.date32()),
        ("expected_share", pa.float64()),
        ("expected_share_low", pa.float64()),
        ("expected_share_high", pa.float64()),
        ("basis", pa.string()),  # observed | assumed
    ]
)

# What they are estimated from.
PUBLICATION_LAGS = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_name", pa.string()),
        ("document_type", pa.string()),
        ("office_code", pa.string()),
        ("year_kind", pa.string()),
        ("year", pa.int32()),
        ("event_month", pa.int32()),  # from the year 0; missing where the day is
        ("lag_months", pa.int32()),
        ("documents", pa.int64()),
    ]
)
DATA_UNTIL = pa.schema(
    [
        ("source_system", pa.string()),
        ("source_name", pa.string()),
        ("document_type", pa.string()),
        ("data_until", pa.date32()),  # missing where no date is delivered
    ]
)
KNOWN_LAGS = pa.schema(
    [
        ("document_type", pa.string()),
        ("office_code", pa.string()),
        ("year_kind", pa.string()),
        ("share", pa.float64()),
        ("months", pa.int32()),
    ]
)

# A delivered file, by its path, and what was known of it when it was hashed.
FILE_STATES = pa.schema(
    [
        ("record_file", pa.string()),
        ("bytes", pa.int64()),
        ("modified_at", pa.int64()),  # nanoseconds since 1970
        ("sha256", pa.string()),
    ]
)

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

# A keyword and the form that it shares with others of the same meaning.
NORMALISED_KEYWORDS = pa.schema([("keyword", pa.string()), ("normalised_keyword", pa.string())])

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
SPACE = pa.field("space", pa.string())


def in_space(table: pa.Table, space: str) -> pa.Table:
    """Return the table with the column `space`, the same text in every row."""
    return table.append_column(SPACE, pa.repeat(space, table.num_rows))


# What judges documents of one type in one layer of the decision.
CLASSIFIERS = pa.schema(
    [
        ("layer", pa.string()),  # outer | inner
        ("document_type", pa.string()),  # paper | patent
        ("model_version", pa.string()),
        ("operating_point", pa.string()),  # balanced | inclusive
        ("threshold", pa.float64()),  # probability from which on the layer accepts
        ("languages", pa.list_(pa.string())),  # ISO 639-1
        ("judges_unknown_language", pa.bool_()),
        ("precision", pa.string()),  # f32 | bf16
        ("maximum_tokens", pa.int32()),
    ]
)

# What identifies a judgement: a document, its text, and what judges it.
# One row per text that a layer has judged.
CLASSIFIED = pa.schema(
    [
        ("document_id", pa.string()),
        ("text_hash", pa.string()),
        ("layer", pa.string()),  # outer | inner
        ("model_version", pa.string()),
        ("logit", pa.float32()),  # log odds before calibration, in nats
        ("probability", pa.float64()),  # calibrated
    ]
)

# What refuses documents of one type by their words, before the layers.
WORD_FILTERS = pa.schema(
    [
        ("document_type", pa.string()),  # paper | patent
        ("model_version", pa.string()),
        ("threshold", pa.float64()),  # score from which on a document goes on, in nats
        ("languages", pa.list_(pa.string())),  # ISO 639-1
    ]
)

# One row per text that a word filter has scored.
FILTERED = pa.schema(
    [
        ("document_id", pa.string()),
        ("text_hash", pa.string()),
        ("model_version", pa.string()),
        ("score", pa.float32()),  # log odds that both layers accept, in nats
    ]
)

# One row per document and judge of it, with what a label says and the groups it is in.
PREDICTIONS = pa.schema(
    [
        ("document_id", pa.string()),
        ("document_type", pa.string()),  # paper | patent
        ("judge", pa.string()),
        ("is_ai", pa.bool_()),  # what the label says
        ("is_accepted", pa.bool_()),  # what the judge says
        ("probability", pa.float64()),  # missing of a judge that tells none
        ("threshold", pa.float64()),  # of two layers together that of the inner one
        ("model_version", pa.string()),
        ("source_name", pa.string()),
        ("label_source", pa.string()),
        ("sampling_weight", pa.float64()),  # how many documents it stands for; 1 where not said
        ("stratum", pa.string()),  # easy | boundary
        ("language", pa.string()),  # ISO 639-1; missing where unknown
        ("year_band", pa.string()),  # five years, as 2015-2019; missing where unknown
    ]
)

# One row per judge, type of document, and value of a dimension.
EVALUATION = pa.schema(
    [
        ("judge", pa.string()),
        ("document_type", pa.string()),  # paper | patent
        ("dimension", pa.string()),
        ("value", pa.string()),
        ("documents", pa.int64()),
        ("positives", pa.int64()),  # labelled AI
        ("accepted", pa.int64()),  # called AI
        *(
            (name, pa.float64())
            for measure in ("precision", "recall", "f1", "average_precision", "calibration_error")
            for name in (measure, f"{measure}_low", f"{measure}_high")
        ),
        ("threshold", pa.float64()),
        ("model_version", pa.string()),
    ]
)

# One row per document and baseline that judged it.
BASELINE_JUDGEMENTS = pa.schema(
    [
        ("document_id", pa.string()),
        ("baseline", pa.string()),
        ("probability", pa.float64()),
        ("threshold", pa.float64()),
        ("model_version", pa.string()),
    ]
)

# One row per document of a cross-validation, judged by what its fold did not train.
FOLD_JUDGEMENTS = pa.schema(
    [
        ("document_id", pa.string()),
        ("document_type", pa.string()),
        ("fold", pa.int32()),
        ("is_ai", pa.bool_()),
        ("source_name", pa.string()),
        ("label_source", pa.string()),
        ("sampling_weight", pa.float64()),  # as in PREDICTIONS
        ("stratum", pa.string()),
        ("language", pa.string()),
        ("year", pa.int32()),
        ("outer_probability", pa.float64()),
        ("outer_threshold", pa.float64()),
        ("outer_model_version", pa.string()),
        ("inner_probability", pa.float64()),  # missing where the outer layer does not accept
        ("inner_threshold", pa.float64()),
        ("inner_model_version", pa.string()),
        ("tfidf_probability", pa.float64()),  # missing where too few examples train it
        ("tfidf_threshold", pa.float64()),
        ("tfidf_model_version", pa.string()),
    ]
)

# One row per hyperedge: a document and its nodes (keywords or classes) in one corpus.
NOVELTY = pa.schema(
    [
        ("hyperedge_id", pa.string()),
        ("document_id", pa.string()),
        ("corpus", pa.string()),  # paper_content | paper_context | patent_content | patent_context
        ("year", pa.int32()),  # the score uses what was known before it
        ("node_count", pa.int32()),  # distinct nodes, at most as many as are read of a document
        ("known_nodes", pa.int32()),  # of these, seen in an earlier year
        ("surprise", pa.float64()),  # nats; missing where a reason is given
        ("novelty", pa.float64()),  # 0 to 1; missing where a reason is given
        # burn_in | fewer_than_two_nodes | fewer_than_two_known_nodes; missing where scored
        ("reason", pa.string()),
        ("state_year", pa.int32()),  # last year that was learned from; missing in the burn-in
        ("model_version", pa.string()),
    ]
)

# One row per known pair and way of comparing: where its patent stands among those that the paper
# may be matched to, without others that it is known to belong to.
LINKS_RANKED = pa.schema(
    [
        ("paper_id", pa.string()),
        ("patent_id", pa.string()),
        ("kind", pa.string()),
        ("is_same", pa.bool_()),  # missing where the kind leaves it open
        ("method", pa.string()),  # spaces and bm25, fused where joined by +; published
        ("reranked_candidates", pa.int32()),  # nearest of the first; missing where all are ranked
        ("rank", pa.int32()),  # from 1; missing where it is not among the first 200
        ("eligible_patents", pa.int64()),
    ]
)

# One row per kind of known pairs and way of comparing.
LINKING_QUALITY = pa.schema(
    [
        ("kind", pa.string()),
        ("is_same", pa.bool_()),
        ("method", pa.string()),
        ("reranked_candidates", pa.int32()),
        ("pairs", pa.int64()),
        ("papers", pa.int64()),
        ("eligible_patents", pa.float64()),  # mean over pairs
        *(
            (f"{measure}{end}", pa.float64())
            for measure in ("hit_at_1", "hit_at_10", "mean_reciprocal_rank")
            for end in ("", "_low", "_high", "_gain", "_gain_low", "_gain_high")
        ),
    ]
)

# One row per space and cell of similarity and CSLS: the matched pairs there.
SIMILARITIES = pa.schema(
    [
        ("space", pa.string()),
        ("similarity_step", pa.int32()),  # 1/200
        ("csls_step", pa.int32()),  # 1/100
        ("pairs", pa.int64()),
        ("papers", pa.int64()),  # pairs of rank 1
    ]
)

# One row per space and known pair that could be matched, of those drawn.
LINKS_MATCHED = pa.schema(
    [
        ("space", pa.string()),
        ("paper_id", pa.string()),
        ("patent_id", pa.string()),
        ("is_same", pa.bool_()),
        ("linked_papers", pa.int64()),  # of the space, with a pair that is the same, drawn or not
        ("similarity", pa.float32()),  # missing where not matched, as is csls
        ("csls", pa.float64()),
    ]
)

# One row per space, encoder and neighbours that a calibration comes with the project for.
PACKAGED_CALIBRATIONS = pa.schema(
    [
        ("space", pa.string()),
        ("encoder_hash", pa.string()),  # of its content, as model_version holds it
        ("csls_neighbours", pa.int32()),
        ("intercept", pa.float64()),  # nats
        ("similarity_slope", pa.float64()),
        ("csls_slope", pa.float64()),
        ("linked_share", pa.float64()),
        ("known_pairs", pa.int64()),
        ("source", pa.string()),
    ]
)

# One row per space: the coefficients of its confidence, missing where there are none.
CALIBRATIONS = pa.schema(
    [
        ("space", pa.string()),
        ("confidence_basis", pa.string()),  # own_links | packaged | no_links
        ("intercept", pa.float64()),  # nats
        ("similarity_slope", pa.float64()),
        ("csls_slope", pa.float64()),
        ("linked_share", pa.float64()),
        ("known_pairs", pa.int64()),  # that taught it
        ("source", pa.string()),  # of a packaged one
    ]
)

# One row per space and band of confidence, and one of all.
CALIBRATION_CHECK = pa.schema(
    [
        ("space", pa.string()),
        ("confidence_basis", pa.string()),
        ("band", pa.string()),
        ("confidence_from", pa.float64()),
        ("confidence_to", pa.float64()),
        ("pairs", pa.int64()),
        ("mean_confidence", pa.float64()),
        ("known_pairs", pa.int64()),
        ("observed_share", pa.float64()),
        ("observed_share_low", pa.float64()),
        ("observed_share_high", pa.float64()),
        # Of all bands together; missing in the rows of bands.
        ("known_groups", pa.int64()),  # of known pairs, that share no paper and no patent
        ("known_mean_confidence", pa.float64()),
        ("near_misses", pa.int64()),
        ("near_miss_mean_confidence", pa.float64()),
        ("linked_share", pa.float64()),
        ("implied_share", pa.float64()),
        ("calibration_error", pa.float64()),
        ("calibration_error_low", pa.float64()),
        ("calibration_error_high", pa.float64()),
        ("brier_score", pa.float64()),
        ("brier_skill", pa.float64()),
        ("intercept", pa.float64()),
        ("similarity_slope", pa.float64()),
        ("csls_slope", pa.float64()),
        ("source", pa.string()),  # of a packaged calibration
    ]
)
