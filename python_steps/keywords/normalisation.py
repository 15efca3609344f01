"""
Bring keywords that name the same thing into one form.

A vocabulary in which "neural network", "neural networks" and "Neural-Networks (NN)" are three
nodes calls ordinary combinations new. The rules here are those of English, hold for a word whatever
other documents there are, and take their exceptions from the seed `spelling_variants`: so a
document's form never depends on a later one. What they return is a key to compare by; it is nearly
always a word, but need not be.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from python_steps import tables
from python_steps.keywords.forms import unified, without_plural

CODE_VERSION = "1"  # raise it when a rule changes, so that no checkpoint of the old one is used
SHORTEST_AFTER_PREFIX = 3  # letters
ABBREVIATION_LENGTHS = range(2, 7)  # letters
VERB_ENDINGS = ("e", "ed", "er", "ing", "able", "ation")  # of those in -ise and -yse


POSSESSIVE = re.compile("['\u2019\u02bc]s\\b")
LETTERS = re.compile(r"[^\W\d_]+")


# Quotes, brackets and what joins words; the rest of punctuation separates names (c++, c#, .net).
PARTS_WORDS = re.compile(
    "[\\s\"'`\u00b4\u02bc\u2018-\u201f\u00ab\u00bb\u2039\u203a()\\[\\]{}_\\-\u2010-\u2015\u2212]+"
)
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")


@dataclass(frozen=True)
class Variants:
    """
    Words that the rules do not know.

    Attributes
    ----------
    standard
        Of a word in lower case, the word to use instead; itself where it is no plural.
    prefixes
        Beginnings that are written apart, with a hyphen or joined; joined is the standard.
    """

    standard: Mapping[str, str]
    prefixes: frozenset[str]

    @classmethod
    def from_table(cls, table: pa.Table) -> Variants:
        """
        Read the seed `spelling_variants`.

        Parameters
        ----------
        table
            Columns `variant`, `standard`, `variant_kind` (text): `plural`, `invariable`,
            `spelling`, `verb` (its forms in -ed, -er, -ing, -able and -ation go with it) or
            `prefix`.
        """
        standard: dict[str, str] = {}
        prefixes = set()
        for row in table.select(["variant", "standard", "variant_kind"]).to_pylist():
            variant, word, kind = row.values()
            if kind == "prefix":
                prefixes.add(variant)
                standard[variant] = variant  # trans is no plural
            elif kind == "verb":
                standard.update(
                    (variant[:-1] + ending, word[:-1] + ending) for ending in VERB_ENDINGS
                )
            else:
                standard[variant] = word
        return cls(standard, frozenset(prefixes))

    @cached_property
    def digest(self) -> str:
        """Names the content."""
        text = repr((sorted(self.standard.items()), sorted(self.prefixes)))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def normalise(table: pa.Table, *, variants: Variants) -> pa.Table:
    """
    Give every keyword the form that keywords of the same meaning share.

    Costs a look-up for each word; about 50,000 keywords a second on one core, and memory for
    the distinct words of one shard.

    Parameters
    ----------
    table
        Column `keyword` (text).
    variants
        Words that the rules do not know.

    Returns
    -------
    pa.Table
        Columns of :data:`tables.NORMALISED_KEYWORDS`, rows in the order they come.
    """
    known: dict[str, str] = {}
    forms = [_form(keyword, variants, known) for keyword in table.column("keyword").to_pylist()]
    return pa.table(
        {"keyword": table.column("keyword"), "normalised_keyword": pa.array(forms, pa.string())},
        schema=tables.NORMALISED_KEYWORDS,
    )


def version(variants: Variants) -> str:
    """Name all that decides a keyword's form besides the keyword, for checkpoints."""
    return f"{CODE_VERSION} {variants.digest}"


def normalise_keyword(keyword: str, variants: Variants) -> str:
    """
    Return the form of one keyword; the empty text for one without a letter or digit.

    In this order: compatibility characters are unified (NFKC) and case is folded; quotes, brackets,
    dashes and runs of blanks become one blank; an abbreviation beside its long form goes; every
    word is put into the singular and into American spelling; prefixes join their word.

    >>> normalise_keyword("Pre-Trained Neural-Networks (NNs)", Variants({}, frozenset({"pre"})))
    'pretrained neural network'
    """
    return _form(keyword, variants, {})


def _form(keyword: str, variants: Variants, known: dict[str, str]) -> str:
    """Return the form of a keyword; `known` remembers the forms of words."""
    text = unified(keyword)
    text = PARTS_WORDS.sub(" ", POSSESSIVE.sub("", INVISIBLE.sub("", text))).strip()
    if not any(map(str.isalnum, text)):
        return ""

    def standard(found: re.Match[str]) -> str:
        word = found[0]
        if word not in known:
            known[word] = _standard(word, variants.standard)
        return known[word]

    words = [LETTERS.sub(standard, word) for word in _without_abbreviation(text.split(" "))]
    return " ".join(_joined(words, variants.prefixes))


def _without_abbreviation(words: list[str]) -> list[str]:
    """Drop the abbreviation from "support vector machine svm" and from "svm support …"."""
    for abbreviation, rest, is_last in (
        (words[-1], words[:-1], True),
        (words[0], words[1:], False),
    ):
        for letters in (abbreviation, abbreviation.removesuffix("s")):
            # A long form may have words before it, but none between it and the abbreviation.
            beside = rest[-len(letters) :] if is_last else rest[: len(letters)]
            initials = "".join(word[0] for word in beside)
            if len(letters) in ABBREVIATION_LENGTHS and letters == initials:
                return rest
    return words


def _standard(word: str, standard: Mapping[str, str]) -> str:
    """Return a word's singular in American spelling."""
    if word in standard:
        return standard[word]
    singular = without_plural(word)
    if singular.endswith("isation"):
        singular = f"{singular[:-7]}ization"
    return standard.get(singular, singular)


def _joined(words: list[str], prefixes: frozenset[str]) -> Iterator[str]:
    """Yield words, prefixes joined to the word that follows them."""
    before = ""
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        is_prefix = (
            word in prefixes and len(following) >= SHORTEST_AFTER_PREFIX and following.isalpha()
        )
        if is_prefix:
            before += word
        else:
            yield before + word
            before = ""
