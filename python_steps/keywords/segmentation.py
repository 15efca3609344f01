"""
Part the words of Chinese and Japanese texts, which are written without blanks.

Chinese by rjieba (the dictionary and hidden Markov model of jieba). Japanese by BudouX, which finds
the ends of phrases, and within a phrase by script: what is written in hiragana alone is grammar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import pyarrow as pa

from python_steps import tables
from python_steps.engine.progress import advancing
from python_steps.errors import ModelError

PACKAGES = {"zh": "rjieba", "ja": "budoux"}


# Between words that form no phrase with each other.
BREAK = "、"
HIRAGANA, KATAKANA, KANJI = "ぁ-ゖ", "ァ-ヺー", "㐀-䶿一-鿿豈-龎々〆"
GRAMMAR = re.compile(f"[{HIRAGANA}]+")
WORD = re.compile(f"[{HIRAGANA}]+|[{KATAKANA}]+|[{KANJI}]+|[^{HIRAGANA}{KATAKANA}{KANJI}]+")


def versions(*, languages: str) -> str:
    """
    Name what parts the words, for checkpoints; nothing, where `languages` is ``english``.

    Raises
    ------
    ModelError
        When it is not installed.
    """
    packages = PACKAGES.values() if languages == "all" else ()
    return " ".join(f"{name} {_version(name)}" for name in packages)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        message = (
            f"{package} is not installed, which parts the words of texts: run `pip install "
            "'deepinnovation[multilingual]'`"
        )
        raise ModelError(message) from error


def segment(table: pa.Table) -> pa.Table:
    """
    Part the words of titles and abstracts by blanks.

    Parameters
    ----------
    table
        Columns `document_id`, `language` (``zh`` or ``ja``), `title` and `abstract` (text, may be
        null).

    Returns
    -------
    pa.Table
        :data:`tables.SEGMENTED`, rows in the order they come. A row depends on its own text alone.

    Raises
    ------
    ModelError
        When what parts a language is not installed.
    """
    titles, abstracts = [], []
    names = ("language", "title", "abstract")
    rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    for language, title, abstract in advancing(rows):
        parted = _segmenter(language)
        titles.append(title and " ".join(parted(title)))
        abstracts.append(abstract and " ".join(parted(abstract)))
    return pa.table([table.column("document_id"), titles, abstracts], schema=tables.SEGMENTED)


@cache
def _segmenter(language: str) -> Callable[[str], list[str]]:
    """Return what parts the words of a language; its dictionary is loaded once in a process."""
    _version(PACKAGES[language])
    if language == "zh":
        import rjieba

        return rjieba.cut
    import budoux

    parser = budoux.load_default_japanese_parser()
    return lambda text: [word for phrase in parser.parse(text) for word in _words(phrase)]


def _words(phrase: str) -> list[str]:
    """Return the words of a Japanese phrase; for grammar a break."""
    return [BREAK if GRAMMAR.fullmatch(word) else word for word in WORD.findall(phrase)]
