"""Words of Chinese and Japanese."""

import pyarrow as pa
import pytest

from python_steps import errors, tables
from python_steps.keywords import segmentation


def texts(*rows):
    names = ("document_id", "language", "title", "abstract")
    columns = zip(*rows, strict=True) if rows else ([], [], [], [])
    arrays = [pa.array(list(column), pa.string()) for column in columns]
    return pa.table(dict(zip(names, arrays, strict=True)))


def test_words_of_chinese_are_parted():
    pytest.importorskip("rjieba")
    found = segmentation.segment(
        texts(("W1", "zh", "基于深度学习的图像识别方法", None), ("W2", "zh", None, "目标检测"))
    )
    assert found.schema == tables.SEGMENTED
    assert found.to_pylist() == [
        {"document_id": "W1", "title": "基于 深度 学习 的 图像识别 方法", "abstract": None},
        {"document_id": "W2", "title": None, "abstract": "目标 检测"},
    ]


def test_grammar_of_japanese_parts_its_phrases():
    pytest.importorskip("budoux")
    found = segmentation.segment(texts(("W1", "ja", "深層学習を用いた画像認識手法", "")))
    (title,) = found.column("title").to_pylist()
    assert title.split(segmentation.BREAK)[0].strip() == "深層学習"
    assert title.split()[-1] == "画像認識手法"
    assert found.column("abstract").to_pylist() == [""]


def test_no_texts_give_no_rows():
    found = segmentation.segment(texts())
    assert found.schema == tables.SEGMENTED
    assert found.num_rows == 0


def test_what_is_not_installed_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(segmentation, "PACKAGES", {"zh": "no-such-segmenter"})
    assert segmentation.versions(languages="english") == ""
    with pytest.raises(errors.ModelError, match=r"no-such-segmenter is not .*\[multilingual\]"):
        segmentation.versions(languages="all")
