"""The sample's known pairs, by the confidence that the warehouse computes."""

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from python_steps import tables
from python_steps.engine import relations
from python_steps.similarity import confidence, confidence_check
from python_steps.similarity.confidence import Calibration

COEFFICIENTS = "intercept, similarity_slope, csls_slope"


def calibration(built):
    (row,) = built.rows(
        f"select confidence_basis, {COEFFICIENTS} from marts.similarity_calibration "
        "where band = 'all' and space = 'title_abstract'"
    )
    return row[0], Calibration(*row[1:])


def assert_confidences_are_those_of(built, expected):
    rows = built.rows("select similarity, csls, confidence from marts.paper_patent_pairs")
    similarity, csls, told = np.array(rows, dtype=np.float64).T
    features = np.stack([similarity, csls], axis=1)
    np.testing.assert_allclose(told, expected.probability(features), atol=1e-5)


def test_twins_of_the_sample_are_confident_and_other_pairs_are_not(sample_build):
    basis, expected = calibration(sample_build)
    assert basis == "packaged"
    assert_confidences_are_those_of(sample_build, expected)
    confidences = dict(
        sample_build.rows(
            "select coalesce(is_same, false), avg(confidence) from marts.paper_patent_pairs "
            "left join intermediate.int_links_resolved using (paper_id, patent_id) group by 1"
        )
    )
    # Of another world than the real papers and patents that the calibration was made of.
    assert confidences[True] > 0.9
    assert confidences[False] < 0.01


def test_the_parquet_twin_tells_the_confidence_of_every_pair(sample_build):
    table = pq.read_table(sample_build.publication / "DeepCosineAI.parquet")
    assert table.column("confidence").null_count == 0
    assert set(table.column("confidence_basis").to_pylist()) == {"packaged"}
    assert {"csls", "mutual_rank", "reverse_rank", "patent_papers"} <= set(table.column_names)


def test_with_enough_known_pairs_the_sample_calibrates_itself(sample_build):
    with duckdb.connect(str(sample_build.warehouse), read_only=True) as connection:
        matches, links, packaged, encoders = (
            relations.table(connection.table(name), schema)
            for name, schema in (
                ("intermediate.int_similarities_counted", tables.SIMILARITIES),
                ("intermediate.int_links_matched", tables.LINKS_MATCHED),
                ("reference.similarity_calibrations", tables.PACKAGED_CALIBRATIONS),
                ("intermediate.int_encoders_loaded", tables.ENCODERS),
            )
        )
    calibrations = confidence.calibrate(
        matches,
        links,
        packaged,
        encoders,
        spaces=["title_abstract"],
        linked_share=0.007,
        least_links=5,
        csls_neighbours=10,
    )
    checked = confidence_check.check(matches, links, calibrations, least_links=5, draws=100)
    whole = checked.to_pylist()[0]
    assert whole["confidence_basis"] == "own_links"
    assert whole["known_pairs"] >= 5
    assert whole["known_mean_confidence"] > 0.5 > 10 * whole["mean_confidence"]
    assert whole["mean_confidence"] == pytest.approx(whole["observed_share"], rel=0.3)
