"""What the macros say on each engine: every value below is computed by DuckDB and by Spark."""

import re
import shutil
import unicodedata
from html.entities import html5

import pytest
from dbt.cli.main import dbtRunner

from tests.architecture.test_layers import PROJECT
from tests.reference.make_compared_letters import APOSTROPHES, compatible_letters

MACROS = PROJECT / "macros"
CASES_AT_ONCE = 100

# These read and write files: the tests of whole builds show what they do.
SHOWN_BY_BUILDS = {"files_at", "read_records", "read_records_on_spark", "write_file"}

# Letters that Unicode takes apart into a plain one and marks. Korean syllables have no marks.
LETTERS = "".join(
    chr(number)
    for number in range(0x110000)
    if unicodedata.decomposition(chr(number))[:1] not in ("", "<")
    and unicodedata.category(chr(number))[0] != "M"
)
LETTERS_APART = unicodedata.normalize("NFD", LETTERS)
PLAIN_LETTERS = unicodedata.normalize(
    "NFC", "".join(letter for letter in LETTERS_APART if unicodedata.category(letter)[0] != "M")
)
# Letters and digits in another form of one letter.
COMPATIBLE = "".join(
    letter
    for letters in compatible_letters().values()
    for letter in letters
    if letter not in APOSTROPHES
)
# Only old ones, which every Java knows.
MARKS = [
    chr(number)
    for number in range(0x110000)
    if unicodedata.ucd_3_2_0.category(chr(number))[0] == "M" == unicodedata.category(chr(number))[0]
]

NAMES = [name for name in html5 if name.endswith(";")]
BLANK = re.compile(r"[\t\n\u00a0\u2000-\u200a\u205f]")

WORDS = {"words": ["b", "", "a"]}
ONE_AND_NONE = {"word": "a", "none": None}
FIVE = [{"word": "b", "place": 2}, {"word": None, "place": 1}, {"word": "a", "place": 3}]
WORK = "{'id': 'text', 'year': 'text', 'open': 'boolean', 'more': [{'name': 'text'}]}"
FIRST_KNOWN = "(select {{ first_known('word', 'ordered') }} as known from given window ordered as "
FIRST_KNOWN += "(order by place rows between unbounded preceding and unbounded following)) as known"


def json_list(text: str) -> tuple:
    """Return a list read from the field of a record."""
    kept = "{{ parse_json('text', {'k': 'json'}) }}"
    source = f"(select {kept} as record from given) as parsed"
    return "{{ to_json_text(json_list('record.k')) }}", text, source


def parsed(text: str, *, what: str = "record.id") -> tuple:
    """Return what is in a record."""
    return what, text, f"(select {{{{ parse_json('text', {WORK}) }}}} as record from given) as read"


def unnested(*words: str | None) -> tuple:
    """Return the elements of a list, numbered."""
    found = "{{ list_join(list_ordered(\"word || cast(place as string)\", 'place'), ' ') }}"
    rows = [{"words": list(words)}, {"words": []}, {"words": None}]
    return found, rows, "given {{ unnest_list('given.words', 'word', 'place') }}"


# The macro, and more where it has several cases: (the call, the rows it is given, the table it is
# made on if not they), and the value as text. Text alone stands for one row with it as `text`.
IDENTIFIERS = {
    "clean_doi": {
        "10.5555/abc.1": [
            *["https://doi.org/10.5555/ABC.1 ", "https://x.org/doi/10.5555/abc.1/abstract"],
            *["10.5555%2Fabc.1", "10.5555/abc.1.", "<10.5555/abc.1>", "(doi:10.5555/abc.1)"],
            *["https://a.b/?doi=10.5555/abc.1&x=2", "10.5555/abc.1;", '"10.5555/abc.1"'],
            *["10.5555/abc.1#part", "10.5555/abc.1?via=x", "10.5555/abc.1 [doi]"],
        ],
        "10.1016/s0140-6736(00)12345-6": ["10.1016/S0140-6736(00)12345-6"],
        "10.1002/(sici)1097(199708)80:3<434::aid-cncr12>3.0.co;2-v": [
            "10.1002/(SICI)1097(199708)80:3<434::AID-CNCR12>3.0.CO;2-V"
        ],
        "10.1101/2020.01.01.123456v1": ["10.1101/2020.01.01.123456v1.full.pdf"],
        "10.18653/v1/p16-1112": ["10.18653/v1/P16-1112"],
        None: ["n/a", None],
    },
    "doi_without_version": {
        "10.21203/rs.3.rs-1": ["10.21203/rs.3.rs-1/v2", "10.21203/rs.3.rs-1"],
        "10.12688/f1000research.1": ["10.12688/f1000research.1.2"],
        "10.18653/v1/p16-1112": ["10.18653/v1/p16-1112"],
        None: ["10.48550/arxiv.1705.06391", None],
    },
    "clean_arxiv_id": {
        "1705.06391": [
            *["1705.06391", "arXiv:1705.06391v2", "https://arxiv.org/abs/1705.06391v3"],
            *["arxiv.org/pdf/1705.06391.pdf", "https://doi.org/10.48550/arXiv.1705.06391"],
            *["arXiv:1705.06391 [cs.LG]"],
        ],
        "math/0309136": ["math.GT/0309136v1", "arXiv:math/0309136", "oai:arXiv.org:math/0309136"],
        None: ["1901.1", "1901.1234", "10.1000/1705.06391", "x/0309136", None],
    },
    "clean_openalex_id": {
        "W12": ["W12", "w12", "https://openalex.org/W12", "https://api.openalex.org/works/w12"],
        None: ["12", "FLOW12", None],
    },
    "clean_publication_number": {
        "US-9824690-B2": [
            *["us 9,824,690 b2", "US9824690B2", "US9824690 (B2)"],
            "https://patents.google.com/patent/US9824690B2/en",
        ],
        "US-2019012345-A1": ["US20190012345A1", "US-2019012345-A1", "US 2019/0012345 A1"],
        "US-D939999-S1": ["USD0939999S", "US-D939999-S1"],
        "WO-1999012345-A1": ["WO9912345A1", "WO 99/12345 A1", "WO1999012345A1"],
        "WO-2003065179-A2": ["WO3065179A2", "WO03065179A2"],
        "EP-999999-A1": ["EP-0999999-A1", "EP999999A1"],
        "JP-H0812345-A": ["JPH0812345A", "JP-H08-012345-A", "JP H8-12345 A"],
        "JP-2018001234-A": ["JP2018001234A", "JP 2018-1234 A"],
        "IN-2014DN09900-A": ["IN2014DN09900A", "IN 9900/DELNP/2014 A", "IN9900DEN2014A"],
        "SG-11201803099Q-A": ["SG-11201803099Q-A", "SG11201803099QA", "SG-11201803099QA-A"],
        "KR-20190099999-A": ["KR 10-2019-0099999 A", "KR20190099999A", "KR1020190099999A"],
        "BR-112018099999-A2": ["BR 11 2018 099999 1 A2", "BR112018099999A2"],
        "US-9900003": ["US9900003"],
        None: ["ARC-14048-1", "9900003", "own:17", None],
    },
}

CASES = {
    # ------------------------------------------------------------------------------- lists
    "each_of_list": (
        (
            "count(distinct word)",
            WORDS,
            "(select {{ each_of_list('words') }} as word from given) as r",
        ),
        "3",
    ),
    "each_of_list of no elements": (
        (
            "count(*)",
            {"words": []},
            "(select {{ each_of_list('words') }} as word from given) as r",
        ),
        "0",
    ),
    "empty_text_list": (("{{ to_json_text(empty_text_list()) }}", ""), "[]"),
    "first_index": (("words[{{ first_index() }}]", WORDS), "b"),
    "first_index of no elements": (("words[{{ first_index() }}]", {"words": []}), None),
    "first_known": (("max(known)", FIVE, FIRST_KNOWN), "b"),
    "inner_product": (
        ("{{ inner_product('vector', 'vector') }} = 4.25", {"vector": [0.5, -2.0]}),
        "true",
    ),
    "list_at": (("{{ list_at('words', 3) }}", WORDS), "a"),
    "list_at of no such place": (("{{ list_at('words', 4) }}", WORDS), None),
    "list_flatten": (
        (
            "{{ to_json_text(list_flatten(list_of("
            "['words', 'cast(null as ' ~ list_type('string') ~ ')', 'words']))) }}",
            WORDS,
        ),
        '["b","","a","b","","a"]',
    ),
    "list_flatten of no lists": (
        ("{{ list_length(list_flatten(list_where(list_of(['words']), 'list', 'false'))) }}", WORDS),
        "0",
    ),
    "list_intersection": (
        (
            "{{ to_json_text(list_sorted(list_intersection('words', 'others'))) }}",
            {"words": ["b", "a", "b", "c"], "others": ["d", "b", "a", "b"]},
        ),
        '["a","b"]',
    ),
    "list_join": (("{{ list_join('words', '; ') }}", WORDS), "b; ; a"),
    "group_reference": (
        (
            "{{ regexp_replace_all('word', '(a)', group_reference(1) ~ group_reference(1)) }}",
            {"word": "bab"},
        ),
        "baab",
    ),
    "list_join of no elements": (("{{ list_join('words', ' ') }}", {"words": []}), ""),
    "list_length": (("{{ list_length('words') }}", WORDS), "3"),
    "list_length of null": (("{{ list_length('words') }}", {"words": None}), "0"),
    "list_map": (
        ("{{ to_json_text(list_map('words', 'word', 'upper(word)')) }}", WORDS),
        '["B","","A"]',
    ),
    "list_of": (("{{ to_json_text(list_of(['word', 'none'])) }}", ONE_AND_NONE), '["a",null]'),
    "list_numbered": (
        ("{{ to_json_text(list_numbered('words')) }}", {"words": [*"aabbbbbc"]}),
        '["a","a#2","b","b#2","b#3","b#4","b#4","c"]',
    ),
    "list_numbered of no elements": (
        ("{{ to_json_text(list_numbered('words')) }}", {"words": []}),
        "[]",
    ),
    "list_ordered": (("{{ to_json_text(list_ordered('word', 'place')) }}", FIVE), '[null,"b","a"]'),
    **{
        f"list_positioned of {words!r}": (
            ("{{ to_json_text(list_positioned('words')) }}", {"words": words}),
            value,
        )
        for words, value in [
            (["a", "b"], '[{"element":"a","position":1},{"element":"b","position":2}]'),
            ([], "[]"),
            (None, None),
        ]
    },
    "list_distinct": (
        ("{{ list_join(list_sorted(list_distinct(regexp_all('text', '[a-z]'))), '') }}", "b a b"),
        "ab",
    ),
    "list_sorted": (
        ("{{ to_json_text(list_sorted('words')) }}", {"words": ["é", "b", "B", "機", "a"]}),
        '["B","a","b","é","機"]',
    ),
    "list_type": (("cast(null as {{ list_type('string') }}) is null", ""), "true"),
    "list_where": (
        ("{{ to_json_text(list_where('words', 'word', \"word <> ''\")) }}", WORDS),
        '["b","a"]',
    ),
    "safe_cast": (
        ("{{ to_json_text(safe_cast(['a', 'b'], list_type('string'))) }}", ""),
        '["a","b"]',
    ),
    "safe_cast of no elements": (
        ("{{ to_json_text(safe_cast([], list_type('string'))) }}", ""),
        "[]",
    ),
    "safe_cast of structs": (
        (
            "{{ to_json_text(safe_cast([{'name': 'b'}], 'array<struct<name string, place int>>' "
            "if target.name == 'spark' else 'struct(name string, place int)[]')) }}",
            "",
        ),
        '[{"name":"b","place":null}]',
    ),
    "unnest_list": (unnested("a", "b", "a"), "a1 b2 a3"),
    # -------------------------------------------------------------------------------- JSON
    "json_list of a list": (json_list('{"k": [1, " ", "b ", null, 2.5]}'), '["1","b","2.5"]'),
    "json_list of text": (json_list('{"k": "a; b;"}'), '["a","b"]'),
    "json_list of text with an entity": (json_list('{"k": "R&amp;D; b"}'), '["R&D","b"]'),
    "json_list of a list with an entity": (json_list('{"k": ["R&amp;D; b"]}'), '["R&D; b"]'),
    "json_list of text that holds a list": (json_list('{"k": "[\\"a\\", 2]"}'), '["a","2"]'),
    "json_list of text that begins as a list": (json_list('{"k": "[1] a; b"}'), '["[1] a","b"]'),
    "json_list of one number": (json_list('{"k": 12}'), '["12"]'),
    "json_list of an object": (json_list('{"k": {"a": 1}}'), None),
    "json_list of objects": (
        json_list('{"k": [{"name": "a"}, {"display_name": "b"}, {"x": 1}]}'),
        '["a","b"]',
    ),
    "json_list as Python prints it": (json_list("{\"k\": \"['a', None, 'b;c']\"}"), '["a","b;c"]'),
    "json_list as PostgreSQL prints it": (json_list('{"k": "{a,b c}"}'), '["a","b c"]'),
    "json_list of names with a comma": (json_list('{"k": "Sample, Ada"}'), '["Sample, Ada"]'),
    "json_list of blanks": (json_list('{"k": [" ", ""]}'), None),
    "json_list of no elements": (json_list('{"k": []}'), None),
    "json_list of null": (json_list('{"k": null}'), None),
    "json_elements": (
        ("{{ to_json_text(json_elements('text')) }}", '["a", 1, {"b": null}, [2], null]'),
        '["a","1","{\\"b\\":null}","[2]",null]',
    ),
    **{
        f"json_elements of {text!r}": (("{{ to_json_text(json_elements('text')) }}", text), None)
        for text in ["", "a", '{"a": 1}', "['a']", '["a"', '["a"] b']
    },
    "json_entries": (
        (
            "{{ list_join(list_sorted(list_map(json_entries('text'), 'entry', "
            "\"entry.key || '=' || coalesce(entry.value, '?')\")), ' ') }}",
            '{"b c": "x", "a": 1, "n": null, "l": [1, {"k": true}]}',
        ),
        'a=1 b c=x l=[1,{"k":true}] n=?',
    ),
    **{
        f"json_entries of {text!r}": (("{{ json_entries('text') }} is null", text), "true")
        for text in ["", "a", "[]", '{"a": 1', "{'a': 1}", '{"a": 1, "a": 2}']
    },
    "parse_json": (parsed('{"id": "a\\u00e9\\ud83d\\ude00"}'), "aé😀"),
    "parse_json of a number": (
        parsed('{"id": 12345678901234567890123}'),
        "12345678901234567890123",
    ),
    "parse_json of a list as text": (parsed('{"id": [1, {"b" : null}]}'), '[1,{"b":null}]'),
    "parse_json of names by their case": (parsed('{"ID": "a"}'), None),
    "parse_json of text for a truth": (parsed('{"open": "true"}', what="record.open"), "true"),
    "parse_json of a list of objects": (
        parsed('{"more": [{"name": "a"}]}', what="record.more[{{ first_index() }}].name"),
        "a",
    ),
    "parse_json of another kind, itself": (
        parsed('{"id": "a", "more": "b"}', what="record.more"),
        None,
    ),
    "parse_json of another kind, beside it": (parsed('{"id": "a", "more": "b"}'), "a"),
    "parse_json of what is no number to JSON": (parsed('{"id": "a", "year": NaN}'), "a"),
    "parse_json of no fields": (parsed("{}", what="record is null"), "false"),
    **{
        f"parse_json of {text!r}": (parsed(text, what="record is null"), "true")
        for text in [
            *("", "null", "1", "[]", '[{"id": "a"}]', '{"id": "a"', "{'id': 'a'}", '{id: "a"}'),
            *('{"id": "a"} b', '{"id": "a"}{"id": "b"}', '{"id": "a"}, {"id": "b"}', "{}}", "]["),
            *('{"id": "\t"}', '{"id": "\\q"}', '{"id": 01}', '{"id": "\\ud83d"}'),
        ]
    },
    "struct": (
        ("{{ to_json_text(struct(['word', 'none'])) }}", ONE_AND_NONE),
        '{"word":"a","none":null}',
    ),
    "struct of expressions": (
        ("{{ to_json_text(struct({'large': 'upper(word)', 'none': 'none'})) }}", ONE_AND_NONE),
        '{"large":"A","none":null}',
    ),
    "text_from_inverted_index": (
        (
            "{{ text_from_inverted_index('words') }}",
            '{"IndexLength": 3, "InvertedIndex": {"b": [1], "a": [2, 0], "c": []}}',
            "(select {{ inverted_index(unwrapped_index('text')) }} as words from given) as read",
        ),
        "a b a",
    ),
    "list_split": (
        ("{{ to_json_text(list_split('text', '|')) }}", "a|b.c|"),
        '["a","b.c",""]',
    ),
    "quoted_name": (
        (
            "{{ quoted_name('a.b') }}",
            "x",
            "(select text as {{ quoted_name('a.b') }} from given) as named",
        ),
        "x",
    ),
    "to_json_text": (
        ("{{ to_json_text('words') }}", {"words": ['ä"\\/<\t\n\x01', "😀", None]}),
        '["ä\\"\\\\/<\\t\\n\\u0001","😀",null]',
    ),
    "hidden_signs": (
        (
            "translate({{ hidden_signs('text') }}, '\ufdd0\ufdd1', '?!')",
            r"\ud83d \ud83d\ude00 \ude00\ud83d \\ud83d \n \u00e9 \u12 \x \\\q \\",
        ),
        r"?ud83d \ud83d\ude00 ?ude00?ud83d \\ud83d \n \u00e9 ?u12 ?x \\?q \\",
    ),
    # -------------------------------------------------------------------------------- text
    **{
        f"character {number}": (("{{ character('number') }}", {"number": number}), chr(number))
        for number in [38, 233, 0x4E00, 0x1F600, 0x10FFFF]
    },
    "quoted_text": (("{{ quoted_text(\"it's \\\\ \" ~ '\"') }}", ""), "it's \\ \""),
    "hex_to_bigint": (("{{ hex_to_bigint('text') }}", "fffffffffffff"), str(2**52 - 1)),
    "lower_case": (("{{ lower_case('text') }}", "\u0391\u03a3 ÅÉİI ẞ"), "\u03b1\u03c3 åéii ß"),
    "regexp_all": (("{{ to_json_text(regexp_all('text', '[0-9]+')) }}", "a1b22"), '["1","22"]'),
    "regexp_all by a class": (
        (r"{{ to_json_text(regexp_all('text', '[\\p{L}\\p{N}]+|[^ ]')) }}", "é1, 機械"),
        '["é1",",","機械"]',
    ),
    "regexp_first": (("{{ regexp_first('text', '([a-z])([0-9][0-9])', 2) }}", "a1b22"), "22"),
    "regexp_first of none": (("{{ regexp_first('text', '[0-9]+') }}", "a"), ""),
    "regexp_first of null": (("{{ regexp_first('text', '[0-9]+') }}", None), None),
    "regexp_first at the very end": (("{{ regexp_first('text', '[0-9]+$') }}", "12\n"), ""),
    "regexp_replace_all": (("{{ regexp_replace_all('text', '[0-9]+', '-') }}", "a1b22"), "a-b-"),
    "regexp_replace_all with a group": (
        (r"{{ regexp_replace_all('text', '([a-z])[0-9]+', '<\\1>') }}", "a1b22"),
        "<a><b>",
    ),
    "trimmed": (("{{ trimmed('text') }}", "\u2003\u3000 a\u2009b \u2009\u00a0"), "a\u2009b"),
    "trimmed of other signs": (("{{ trimmed('text') }}", "\ta\n"), "\ta\n"),
    "without_accents": (("{{ without_accents('text') }}", "Ünïté łø Σ"), "Unite łø Σ"),
    "without_accents of every letter": (("{{ without_accents('text') }}", LETTERS), PLAIN_LETTERS),
    "without_accents of letters in parts": (
        ("{{ without_accents('text') }}", LETTERS_APART),
        PLAIN_LETTERS,
    ),
    "without_accents of every mark": (
        ("{{ without_accents('text') }}", "a".join(MARKS)),
        "a" * (len(MARKS) - 1),
    ),
    # ------------------------------------------------------------------------------ clean.sql
    "clean_text": (("{{ clean_text('text') }}", " a \u00a0\t b\n "), "a b"),
    "clean_text of control signs": (
        ("{{ clean_text('text') }}", "a\x01b\x85c\u00ad\u200b"),
        "ab c",
    ),
    "clean_text of blanks": (("{{ clean_text('text') }}", " \u3000 "), None),
    "clean_markup": (
        ("{{ clean_markup('text') }}", "x<sub>2</sub> &lt; 3 &amp; <jats:p>y</jats:p>"),
        "x2 < 3 & y",
    ),
    "clean_markup of a bare sign": (
        ("{{ clean_markup('text') }}", "p < 0.05 and q > 1"),
        "p < 0.05 and q > 1",
    ),
    "clean_markup of a comparison": (
        ("{{ clean_markup('text') }}", "if a<b and c>d"),
        "if a<b and c>d",
    ),
    "clean_markup of blocks": (
        ("{{ clean_markup('text') }}", '<jats:title>Aim</jats:title><p a="b">We<br/>test</jats:p>'),
        "Aim We test",
    ),
    "clean_markup of escaped tags": (
        ("{{ clean_markup('text') }}", "&lt;i&gt;E. coli&lt;/i&gt;&#8217;s &#39;a&#39;"),
        "E. coli\u2019s 'a'",
    ),
    "clean_markup of a placeholder": (("{{ clean_markup('text') }}", "<p>N/A</p>"), None),
    "clean_markup of a placeholder in Cyrillic capitals": (
        ("{{ clean_markup('text') }}", "НЕТ АННОТАЦИИ"),
        None,
    ),
    "keywords_parted of a heading with umlauts": (
        ("{{ keywords_parted('text') }}", "SCHLÜSSELWÖRTER: a; b"),
        "a; b",
    ),
    "keywords_parted of a word with a hyphen": (
        ("{{ keywords_parted('text') }}", "Keyword-spotting, a"),
        "Keyword-spotting, a",
    ),
    "people_parted of one name with a comma": (
        ("{{ people_parted('text') }}", "山田, 太郎"),
        "山田, 太郎",
    ),
    "people_parted of two names": (("{{ people_parted('text') }}", "张三,李四"), "张三;李四"),
    "clean_markup of entities": (
        (
            "{{ clean_markup('text') }}",
            "Na&iuml;ve &ndash; &amp;amp; p &lt; 0.05, it&#x27;s&nbsp;&#160;x&#x0D; &amp y",
        ),
        "Na\u00efve \u2013 & p < 0.05, it's x & y",
    ),
    "without_entities of every name": (
        ("{{ without_entities('text') }}", "|".join(f"&{name}" for name in NAMES)),
        "|".join(BLANK.sub(" ", html5[name]) for name in NAMES),
    ),
    **{
        f"without_entities of {text!r}": (("{{ without_entities('text') }}", text), plain)
        for text, plain in [
            *[
                ("R&D", "R&D"),
                ("AT&T; Q&A", "AT&T; Q&A"),
                ("&&amp &", "&& &"),
                ("&#;&#x;", "&#;&#x;"),
            ],
            *[("&amp;amp;amp;", "&amp;"), ("&amp;lt;i&amp;gt;", "<i>"), ("a&amp;D;", "a&D;")],
            *[("&#146;&#8217", "\u2019\u2019"), ("&#0;&#1;&#129;", ""), ("&#13;&#x0A;", "  ")],
            *[("&#128512;&#x1F600;", "\U0001f600\U0001f600"), ("&#xd800;", "\ufffd")],
            *[("&#99999999;x", "\ufffdx"), ("&#0039;", "'"), ("K&oumlhler", "K\u00f6hler")],
            *[("p&lt0.05 &lt=", "p<0.05 <="), ("R&ampD", "R&D"), ("&section", "&section")],
            *[("?a=1&copy=2", "?a=1&copy=2"), ("&copy 2", "\u00a9 2"), ("&bsol;&apos;", "\\'")],
            *[("", ""), (None, None)],
        ]
    },
    "normalised_text": (
        ("{{ normalised_text('text') }}", "Über-Learning: (\u0399\u0399\u03a3)"),
        "uber learning \u03b9\u03b9\u03c3",
    ),
    # ------------------------------------------------------------------------ identifiers.sql
    **{
        f"{macro} of {text!r}": ((f"{{{{ {macro}('text') }}}}", text), identifier)
        for macro, identifiers in IDENTIFIERS.items()
        for identifier, texts in identifiers.items()
        for text in texts
    },
    # -------------------------------------------------------------------- papers_compared.sql
    **{
        f"compared_title of {text!r}": (("{{ compared_title('text') }}", text), title)
        for text, title in [
            ("RETRACTED: Learning & C++ — a \\textbf{Survey}", "learning and c plus plus a survey"),
            ("C# for robots", "c sharp for robots"),
            ("On Erd\\H{o}s--R\\'enyi graphs", "on erdos renyi graphs"),
            ("基于神经网络的方法。", "基于神经网络的方法"),
            (None, None),
        ]
    },
    **{
        f"kind_of_title of {text!r}": (("{{ kind_of_title('text') }}", text), kind)
        for text, kind in [
            *[(f"{word} a network", "correction") for word in ("erratum to", "author correction")],
            *[(f"{word} a network", "discussion") for word in ("comments on", "reply to")],
            *[(word, "editorial") for word in ("preface", "guest editorial deep learning")],
            *[(word, None) for word in ("commented networks", "introduction to networks", None)],
        ]
    },
    **{
        f"parts_of_title of {text!r}": (("{{ parts_of_title('text') }}", text), parts)
        for text, parts in [
            ("walking part 1 theory", "part 1 "),
            ("walking ii", " ii"),
            ("robots 2nd edition", "2nd edition"),
            ("number 3 of a paper", ""),
            ("神经网络综述第一部分", "第一部"),
        ]
    },
    **{
        f"title_key of {text!r}": (("{{ title_key(compared_title('text')) }}", text), key)
        for key, texts in {
            "deepcplusplusnetworks1": [
                "Ｄｅｅｐ　Ｃ＋＋ networks：１",
                "deep C++ networks 1",
            ],
            "kmeansforl1norm": ["𝑘-means for 𝓁₁ norm", "K–Means for ℓ1 norm"],
            "efficientfinding": ["Eﬃcient ﬁnding", "Efficient finding"],
            "uberdiegrosse": ["Über die Größe", "Ueber die Groesse", "Uber die Grosse"],
            "深度学习于医学影像之应用": ["深度學習於醫學影像之應用", "深度学习于医学影像之应用"],
            "テータ": ["ﾃﾞｰﾀ", "データ"],
            "kolmogorovslaw": ["Kolmogorovʼs “law”", 'Kolmogorov\'s "law"', "Kolmogorov’s «law»"],
            "part2ii": ["Part ②: Ⅱ", "Part 2: II"],
            None: [None],
        }.items()
        for text in texts
    },
    "letters_replaced": (("{{ letters_replaced('text', ['aäá', 'oö']) }}", "äöbáo"), "aobao"),
    "letters_replaced of none": (("{{ letters_replaced('text', ['aä']) }}", "b"), "b"),
    "compatible_letters": (
        ("{{ letters_replaced('text', compatible_letters()) }}", COMPATIBLE),
        unicodedata.normalize("NFKC", COMPATIBLE),
    ),
    "weight_of_title": (("{{ weight_of_title('text') }}", "深度 ab"), "7"),
    **{
        f"compared_name of {text!r}": (
            (
                "{{ named_value(compared_name('text'), 'name', "
                "\"name.family || '|' || name.initial || '|' || name.words\") }}",
                text,
            ),
            name,
        )
        for text, name in [
            ("van der Maaten, L.", "maaten|l|der l maaten van"),
            ("Laurens van der Maaten", "maaten|l|der laurens maaten van"),
            ("Stout J. E.", "stout|j|e j stout"),
            ("Fei-Fei Li", "li|f|feifei li"),
            ("Martin King Jr.", "king|m|king martin"),
            ("Erd\\H{o}s, P\\'al", "erdos|p|erdos pal"),
            ("张 三", "张三||三 张"),
            ("張三", "张三||张三"),
            ("Müller, Jürgen", "muller|j|jurgen muller"),
            ("Ｍueller, J.", "muller|j|j muller"),
            ("Øyvind Sæther", "sather|o|oyvind sather"),
            ("O‘Brien, Jean–Luc", "obrien|j|jeanluc obrien"),
            ("Plato", "plato||plato"),
            (None, None),
        ]
    },
    "shared_of_words": (
        (
            "{{ shared_of_words(compared_words('text'), compared_words(\"'deep nets see'\")) }}",
            "deep nets act",
        ),
        "1.0",
    ),
    "shared_of_words without any": (
        ("{{ shared_of_words(compared_words('text'), compared_words(\"'deep'\")) }}", None),
        None,
    ),
    "common_words": (
        (
            "{{ common_words(compared_words('text'), compared_words(\"'ada b sample bob'\")) }}",
            "sample ada",
        ),
        "2",
    ),
    **{
        f"is_of_preprint of {doi!r}": (
            ("{{ is_of_preprint(\"'article'\", 'null', 'text', \"'Genome Research'\") }}", doi),
            is_preprint,
        )
        for doi, is_preprint in [
            ("10.1101/123456", "true"),
            ("10.1101/gr.123456", "false"),
            ("10.5194/esd-2021-5", "true"),
            ("10.5194/esd-12-621-2021", "false"),
            (None, "false"),
        ]
    },
    **{
        f"whole_number of {text!r}": (("{{ whole_number('text') }}", text), number)
        for text, number in [
            *[("2019", "2019"), ("2019.0", "2019"), (" +7. ", "7"), ("-3", "-3"), (None, None)],
            *[(text, None) for text in ["", "2019.5", "2e3", "0x10", "1_000", "NaN", "9" * 10]],
        ]
    },
    **{
        f"date_from_text of {text!r}": (("{{ date_from_text('text') }}", text), date)
        for text, date in [
            *[("2019-01-05", "2019-01-05"), ("2019-1-5T10:00:00Z", "2019-01-05"), (None, None)],
            *[(text, None) for text in ["", "2019", "2019-01", "2019/01/05", "2019-02-30"]],
        ]
    },
    **{
        f"clean_date of {text!r}": (("{{ clean_date('text') }}", text), "2018-03-05")
        for text in [
            *(
                "2018-03-05",
                "2018-3-5",
                "2018-03-05T00:00:00Z",
                "2018-03-05 00:00:00",
                "2018/03/05",
            ),
            *("2018-03-05+01:00", "2018.03.05", "2018. 3. 5.", "20180305", "20180305.0"),
            *("20180305123000", "05.03.2018", "5 Mar 2018", "05-MAR-2018", "5th March 2018"),
            *("Mar 5, 2018", "March 5th, 2018", "Mon, 5 Mar 2018 10:00:00 GMT", "2018 Mar 5"),
            *("1520208000", "1520208000000", "1520208000000.0", "1520208000000000000"),
        ]
    },
    **{
        f"clean_date of {text!r}": (("{{ clean_date('text') }}", text), date)
        for text, date in [
            *[("13/03/2018", "2018-03-13"), ("03/13/2018", "2018-03-13")],
            *[("05/05/2018", "2018-05-05"), ("-86400000000", "1967-04-07"), (None, None)],
            *[(text, None) for text in ["", "0", "99991231", "2012-00-00", "20121000", "20180229"]],
            *[
                (text, None)
                for text in ["03/05/2018", "2018", "2018-03", "12345", "1066-10-14", "x"]
            ],
        ]
    },
    **{
        f"clean_year of {text!r}": (("{{ clean_year('text') }}", text), "2018")
        for text in [
            *(
                "2018",
                "2018.0",
                " 2018 ",
                "2018-05-01",
                "2018-05",
                "2018/19",
                "2018-2019",
                "20180229",
            ),
            *(
                "20181000",
                "2018-00-00",
                "201803",
                "2018.05.01",
                "05.03.2018",
                "Mar 5, 2018",
                "2018a",
            ),
            *(
                "Spring 2018",
                "c2018",
                "[2018]",
                "03/05/2018",
                "1520208000000",
                "2018-03-05T00:00:00Z",
            ),
        ]
    },
    **{
        f"clean_year of {text!r}": (("{{ clean_year('text') }}", text), year)
        for text, year in [
            *[
                ("1,998", "1998"),
                ("1 998", "1998"),
                ("3018", "3018"),
                ("1066", "1066"),
                (None, None),
            ],
            *[
                (text, None)
                for text in ["", "0", "9999", "99991231", "18", "1990s", "2019.5", "12345"]
            ],
        ]
    },
    **{
        f"dated_text of {text!r}": (("{{ dated_text('text') }}", text), dated)
        for text, dated in [
            *[("2018", "2018"), ("01.02.2018", "01.02.2018"), ("spring", "spring"), (None, None)],
            *[(text, None) for text in ["0", "0.0", "0000-00-00", "99991231", "NaN", "9999-12-31"]],
        ]
    },
    **{
        f"clean_value of {text!r}": (("{{ clean_value('text') }}", text), None)
        for text in [
            *(
                "nan",
                "NaN",
                "None",
                "NULL",
                "n/a",
                "N/A",
                "NA",
                "#N/A",
                "\\N",
                "<NA>",
                "-",
                "--",
                "\u2014",
            ),
            *(".", "?", "...", "[No abstract available]", "No abstract available.", "undefined"),
            *(
                "(abstract not available)",
                "Abstract unavailable",
                "[Not Available].",
                "No abstract",
            ),
        ]
    },
    **{
        f"clean_value of {text!r}": (("{{ clean_value('text') }}", text), text)
        for text in ["None of the above: a survey", "NA+ channels", "A", "Null results", "No"]
    },
    "clean_value of Namibia": (("{{ clean_value('text', keeps_na=true) }}", "NA"), "NA"),
    # ------------------------------------------------------------------------ compact_code.sql
    **{
        f"compact_code of {text!r}": (("{{ compact_code('text') }}", text), "G06N3/08")
        for text in [
            *("G06N 3/08", "g06n3/08", "G06N 3/08 (2006.01)", "G06N 3/08 [2006.01]"),
            *("G06N 3/08 20060101AFI20180305BHUS", "G06N3/0820060101A", "G06N 3/08 20060101"),
            *("G06N003/080", "G06N3/0800", "G06N0003080000", "IPC: G06N 3/08"),
            *("[G06N3/08]", "G06N_3/08", "Int. Cl. G06N 3/08", "G06N 3/08 2006.01;"),
        ]
    },
    **{
        f"compact_code of {text!r}": (("{{ compact_code('text') }}", text), code)
        for text, code in [
            *[
                ("H01L 2924/01020", "H01L2924/01020"),
                ("G06N", "G06N"),
                ("A61B017/00", "A61B017/00"),
            ],
            *[("G06N-003/08", "G06N003/08"), ("x", "X"), (None, None)],
        ]
    },
    "shard": (("{{ shard('text') }}", "é"), "6"),
    # ---------------------------------------------------------------------------- novelty.sql
    **{
        f"interpolated_tenth {tenths} of {numbers}": (
            (
                f"abs({{{{ interpolated_tenth({tenths}, 'value', 'place', 'number') }}}}"
                f" - {expected}) < 1e-12",
                [
                    {"value": float(value), "place": place, "number": len(numbers)}
                    for place, value in enumerate(numbers, 1)
                ],
            ),
            "true",
        )
        for tenths, numbers, expected in [
            *[(1, (7,), 7), (5, (1, 2), 1.5), (5, (1, 4, 5), 4), (1, (2, 4, 8), 2.4)],
            *[(1, tuple(range(11)), 1), (1, tuple(range(31)), 3), (9, tuple(range(11)), 9)],
        ]
    },
    "counted_documents of three thirds": (
        (
            "{{ counted_documents('sum(' ~ exact('weight') ~ ')') }} = 1",
            [{"weight": 1 / 3}, {"weight": 1 / 3}, {"weight": 1 / 3}],
        ),
        "true",
    ),
    "counted_documents of none": (
        ("{{ counted_documents('sum(' ~ exact('nullif(weight, 1)') ~ ')') }} = 0", {"weight": 1.0}),
        "true",
    ),
}


def literal(column: str, value: object, engine: str) -> str:
    """Return a value in SQL; columns named `words` hold lists of text."""
    if isinstance(value, str):
        quoted = value.replace("'", "''")
        return "'" + (quoted.replace("\\", "\\\\") if engine == "spark" else quoted) + "'"
    if isinstance(value, list) and value:
        elements = ", ".join(literal("", element, engine) for element in value)
        return f"array({elements})" if engine == "spark" else f"[{elements}]"
    if isinstance(value, float):
        return f"cast({value} as double)"
    if column == "words":
        none = "cast(null as {{ list_type('string') }})"
        return "{{ empty_text_list() }}" if value == [] else none
    return "cast(null as string)" if value is None else str(value)


def query(name: str, engine: str) -> str:
    """Return the SQL of a case: one row, its name and its value."""
    call, given, *source = CASES[name][0]
    rows = given if isinstance(given, list) else [given]
    selects = []
    for row in rows:
        row = row if isinstance(row, dict) else {"text": row}
        values = (f"{literal(column, value, engine)} as {column}" for column, value in row.items())
        selects.append("select " + ", ".join(values))
    return (
        f"select {literal('', name, engine)} as name, value from (with given as "
        f"({' union all '.join(selects)}) select cast({call} as string) as value "
        f"from {source[0] if source else 'given'}) as case_{list(CASES).index(name)}"
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Return the project without its models, which no macro needs and dbt is slow to read."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(MACROS, folder / "macros")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, folder)
    return str(folder)


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def values(request, project, tmp_path_factory):
    """Return the value of every case, computed by dbt in a few queries."""
    engine = request.param
    if engine == "spark":
        request.getfixturevalue("spark")  # dbt finds the session that is open, or none is possible
    folder = tmp_path_factory.mktemp("macros")
    arguments = ["--project-dir", project, "--profiles-dir", project, "--quiet"]
    arguments += ["--target-path", str(folder), "--log-path", str(folder), "--target", engine]
    found = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DEEPINNOVATION_WAREHOUSE", str(folder / "warehouse"))
        # Spark plans a long query for longer than several short ones.
        for start in range(0, len(CASES), CASES_AT_ONCE):
            names = [*CASES][start : start + CASES_AT_ONCE]
            sql = " union all ".join(query(name, engine) for name in names)
            result = dbtRunner().invoke(["show", "--inline", sql, "--limit", "-1", *arguments])
            assert result.success, result.exception or result.result.results[0].message
            found |= dict(row.values() for row in result.result.results[0].agate_table.rows)
    return found


@pytest.mark.parametrize("name", CASES)
def test_macro(name, values):
    expected = CASES[name][1]
    assert (None if values[name] is None else str(values[name])) == expected


@pytest.mark.parametrize("file", sorted((MACROS / "engine").iterdir()), ids=lambda file: file.stem)
def test_every_macro_of_the_engines_has_both_variants_and_a_case(file):
    text = file.read_text()
    if "adapter.dispatch" in text:
        assert re.search(rf"macro default__{file.stem}\b", text)
        assert re.search(rf"macro spark__{file.stem}\b", text)
    assert file.stem in SHOWN_BY_BUILDS | {name.split()[0] for name in CASES}
