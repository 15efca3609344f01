"""Claims about the whole on real records: known pairs among some thousand others."""

import duckdb
import pytest

from tests import real_data
from tests.end_to_end.conftest import build, place_in

pytestmark = pytest.mark.slow

OTHERS = 4000  # papers and patents each, drawn by hash
SPACES = "{published_space: keywords}"


@pytest.fixture(scope="module")
def real_build(tmp_path_factory):
    """A part of the real tables, built in both spaces of comparison."""
    folder = tmp_path_factory.mktemp("real")
    links = real_data.path_of("links.parquet")
    for kind in ("paper", "patent"):
        duckdb.sql(
            f"""
            copy (
                select * from '{real_data.path_of(f"{kind}s.parquet")}'
                where id in (select {kind}_id from '{links}')
                   or id in (
                        select id from '{real_data.path_of(f"{kind}s.parquet")}'
                        where label_is_ai order by md5(id) limit {OTHERS}
                   )
                order by id
            ) to '{folder}/{kind}s.parquet'
            """
        )
    return build(
        place_in(folder / "built"),
        *("--papers", f"tables={folder}/papers.parquet"),
        *("--patents", f"tables={folder}/patents.parquet"),
        *("--vars", SPACES),
    )


def twins_found(built, space: str) -> tuple[int, int]:
    """Return how many twins can be found, and how many are among the paper's ten nearest."""
    links = real_data.path_of("links.parquet")
    ((eligible, found),) = built.rows(
        f"""
        with records as (
            select distinct source_record_id, document_id from intermediate.int_document_records
        )
        select count(*), count(pairs.rank)
        from '{links}' as links
        inner join records as papers on links.paper_id = papers.source_record_id
        inner join records as patents on links.patent_id = patents.source_record_id
        inner join marts.documents as paper on papers.document_id = paper.document_id
        inner join marts.documents as patent on patents.document_id = patent.document_id
        left join marts.paper_patent_pairs as pairs
            on pairs.paper_id = paper.document_id and pairs.patent_id = patent.document_id
            and pairs.space = '{space}'
        where links.kind like 'twin%' and paper.is_ai and patent.is_ai and paper.year <= patent.year
        """
    )
    return eligible, found


@pytest.mark.parametrize(("space", "share"), [("title_abstract", 0.75), ("keywords", 0.6)])
def test_most_twins_are_among_the_ten_nearest(real_build, space, share):
    eligible, found = twins_found(real_build, space)
    assert eligible >= 30
    assert found / eligible >= share, f"{found} of {eligible}"


def test_the_audit_finds_what_comparing_everything_finds(real_build):
    for recall_at_1, recall_at_k in real_build.rows(
        "select recall_at_1, recall_at_k from marts.matching_audit"
    ):
        assert recall_at_1 >= 0.99
        assert recall_at_k >= 0.98


def test_every_record_is_accounted_for(real_build):
    for delivered, accounted in real_build.rows(
        "select delivered_records, accepted_records + merged_records + rejected_records"
        " from marts.record_counts"
    ):
        assert delivered == accounted


def test_api_pages_as_delivered_become_papers(tmp_path):
    pages = real_data.path_of("raw/openalex_api_works/Nelson_2002_works.zip")
    built = build(
        place_in(tmp_path),
        *("--papers", f"openalex={pages}"),
        *("--select", "+papers"),
    )
    ((papers, with_abstract, with_institution),) = built.rows(
        "select count(*), count(abstract), count(institutions) from marts.papers"
    )
    assert papers > 300
    assert with_abstract > papers / 2
    assert with_institution > papers / 2
