"""
Forms of keywords: the published one, and words without their plurals.

A published keyword keeps its plural. Plurals come off to compare: crudely within a document, where
two phrases are merged if they may be the same, and carefully across documents, where a key must not
join two words that differ.
"""

from __future__ import annotations

import unicodedata

SHORTEST_PLURAL = 4  # letters: what is shorter and ends in s is more often an abbreviation


# Stands at the end of names of programming languages, so it is no punctuation there: C#.
KEPT_AT_THE_END = "#"
BRACKETS = {")": "(", "]": "[", "}": "{"}


# What a plural ends in, what the singular ends in; the first that fits counts. English has few
# singulars in -s besides these, and no plural in -liches, as German adjectives have.
ENDINGS = (
    *((ending, ending) for ending in ("ss", "us", "is", "ics", "isches", "liches")),
    ("ies", "y"),
    ("yses", "ysis"),
    ("theses", "thesis"),
    *((f"{ending}es", ending) for ending in ("ss", "sh", "ch", "x", "zz", "o")),
    ("s", ""),
)


def unified(text: str) -> str:
    """Return a text with compatibility characters unified (NFKC) and case folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def published_form(keyword: str | None) -> str:
    """
    Return a keyword as it is published.

    Compatibility characters are unified (NFKC) and case is folded; runs of blanks become one blank;
    punctuation at both ends goes, except a closing bracket that was opened inside. What holds no
    letter or digit becomes the empty text.

    >>> published_form("  Deep   Learning (DL).")
    'deep learning (dl)'
    """
    text = " ".join(unified(keyword or "").split())
    while text and _is_loose(text[0]):
        text = text[1:]
    while text and _is_loose(text[-1]) and text[-1] not in KEPT_AT_THE_END:
        opening = BRACKETS.get(text[-1])
        if opening and text.count(opening) >= text.count(text[-1]):
            break
        text = text[:-1]
    return text if any(map(str.isalnum, text)) else ""


def _is_loose(character: str) -> bool:
    """Return whether a character is punctuation, a blank or a control character."""
    return unicodedata.category(character)[0] in "PZC"


def without_plural(word: str) -> str:
    """
    Return the singular of a word, by the rules of English that need no list of exceptions.

    For keys that are compared across documents: it leaves more words as they are than
    :func:`without_plural_s`, and takes off more endings.
    """
    if len(word) < SHORTEST_PLURAL or not word.isascii():
        return word
    if len(word) == SHORTEST_PLURAL and word.endswith("ies"):  # ties, not cities
        return word[:-1]
    for plural, singular in ENDINGS:
        if word.endswith(plural):
            return word[: -len(plural)] + singular
    return word


def without_plural_s(word: str) -> str:
    """
    Return a word without the ending of an English plural, by three rules.

    For comparing the phrases of one document: "topics" and "topic" become one without a list of
    exceptions, and what it returns ("physic") need not be a word.
    """
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
