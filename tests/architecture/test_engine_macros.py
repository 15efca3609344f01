"""The macros that hide the engines' differences, each shown to do what it says."""

import json

import pytest
from dbt.cli.main import dbtRunner

from tests.architecture.test_layers import PROJECT

EXPRESSIONS = {
    "list_map": ("{{ list_map(\"['a', 'b']\", 'x', 'upper(x)') }}", ["A", "B"]),
    "list_where": ("{{ list_where(\"['a', '']\", 'x', \"x <> ''\") }}", ["a"]),
    "list_join": ("{{ list_join(\"['a', 'b']\", ' ') }}", "a b"),
    "list_length": ("{{ list_length(\"['a', 'b']\") }}", 2),
    "list_length of nothing": ("{{ list_length('cast(null as varchar[])') }}", 0),
    "regexp_all": ("{{ regexp_all(\"'a1b22'\", '[0-9]+') }}", ["1", "22"]),
    "regexp_replace_all": ("{{ regexp_replace_all(\"'a1b22'\", '[0-9]+', '-') }}", "a-b-"),
    "hex_to_bigint": ("{{ hex_to_bigint(\"'ff'\") }}", 255),
    "to_json_text": ("{{ to_json_text(\"['ä', 'b']\") }}", '["ä","b"]'),
    "without_accents": ("{{ without_accents(\"'Ünïté'\") }}", "Unite"),
    "first_index": ("['a', 'b'][{{ first_index() }}]", "a"),
    "empty_text_list": ("{{ empty_text_list() }}", []),
    "text_list_type": ("cast(null as {{ text_list_type() }})", None),
    "json_list of a list": ('{{ json_list("cast(\'[1, \\" \\", 2]\' as json)") }}', ["1", "2"]),
    "json_list of text": ("{{ json_list(\"to_json('a; b;')\") }}", ["a", "b"]),
    "json_list of json text": ('{{ json_list("to_json(\'[\\"a\\"]\')") }}', ["a"]),
    "json_list of nothing": ("{{ json_list(\"cast('[]' as json)\") }}", None),
    "parse_json": ("{{ parse_json(\"'{\\\"a\\\": 1}'\", {'a': 'text'}) }}.a", "1"),
    "parse_json of no json": ("{{ parse_json(\"'{'\", {'a': 'text'}) }}.a", None),
    "parse_json of an array": ("{{ parse_json(\"'[1]'\", {'a': 'text'}) }}.a", None),
    "text_from_inverted_index": (
        "{{ text_from_inverted_index(\"MAP {'b': [1], 'a': [0, 2]}\") }}",
        "a b a",
    ),
    "clean_text": ("{{ clean_text(\"' a \\u00a0 b ' \") }}", "a b"),
    "clean_markup": (
        "{{ clean_markup(\"'x<sub>2</sub> &lt; 3 &amp; <jats:p>y</jats:p>'\") }}",
        "x2 < 3 & y",
    ),
    "clean_markup of a bare sign": (
        "{{ clean_markup(\"'p < 0.05 and q > 1'\") }}",
        "p < 0.05 and q > 1",
    ),
    "clean_markup of a comparison": ("{{ clean_markup(\"'if a<b and c>d'\") }}", "if a<b and c>d"),
    "clean_markup of blocks": (
        '{{ clean_markup("\'<jats:title>Aim</jats:title><p a=\\"b\\">We<br/>test</jats:p>\'") }}',
        "Aim We test",
    ),
    "clean_markup of escaped tags": (
        "{{ clean_markup(\"'&lt;i&gt;E. coli&lt;/i&gt;&#8217;s'\") }}",
        "E. coli\u2019s",
    ),
    "clean_publication_number of America": (
        "{{ clean_publication_number(\"'US20190012345A1'\") }}",
        "US-2019012345-A1",
    ),
    "clean_doi": ("{{ clean_doi(\"'https://doi.org/10.5555/ABC'\") }}", "10.5555/abc"),
    "clean_doi of something else": ("{{ clean_doi(\"'n/a'\") }}", None),
    "clean_publication_number": (
        "{{ clean_publication_number(\"'us 9,824,690 b2'\") }}",
        "US-9824690-B2",
    ),
    "clean_publication_number of Japan": (
        "{{ clean_publication_number(\"'JPH0812345A'\") }}",
        "JP-H0812345-A",
    ),
    "clean_publication_number of none": ("{{ clean_publication_number(\"'ARC-14048-1'\") }}", None),
    "date_from_number": ("cast({{ date_from_number(\"'20160307'\") }} as varchar)", "2016-03-07"),
    "date_from_number of zero": ("{{ date_from_number(\"'0'\") }}", None),
    "date_from_number of the far future": ("{{ date_from_number(\"'99991231'\") }}", None),
    "normalised_text": ("{{ normalised_text(\"'Über-Learning: (II)'\") }}", "uber learning ii"),
}


@pytest.fixture(scope="session")
def values(tmp_path_factory):
    """Every expression evaluated by dbt, in one call."""
    folder = tmp_path_factory.mktemp("macros")
    columns = ", ".join(f"{sql} as c{i}" for i, (sql, _) in enumerate(EXPRESSIONS.values()))
    arguments = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet"]
    arguments += ["--target-path", str(folder), "--log-path", str(folder)]
    result = dbtRunner().invoke(
        ["show", "--inline", f"select {columns}", "--output", "json", *arguments]
    )
    assert result.success, result.exception
    table = result.result.results[0].agate_table
    return dict(zip(EXPRESSIONS, table.rows[0].values(), strict=True))


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_macro(name, values):
    expected = EXPRESSIONS[name][1]
    value = values[name]
    if isinstance(expected, list) and isinstance(value, str):
        value = json.loads(value.replace("'", '"'))
    assert value == expected
