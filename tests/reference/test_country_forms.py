"""Claims about the seeds of countries: they are as the script makes them."""

import csv
from importlib.metadata import version

import pytest

from tests.reference import make_country_forms as script
from tests.small_warehouse import PROJECT


@pytest.fixture(scope="module")
def forms() -> list[tuple[str, str, str]]:
    pinned = (PROJECT / "constraints.txt").read_text().split("babel==")[1].split()[0]
    if version("babel") != pinned:
        pytest.skip(f"Babel {version('babel')} may hold other names than {pinned}")
    return script.country_forms()


def rows(seed: str) -> list[tuple[str, ...]]:
    with (script.SEEDS / f"{seed}.csv").open(encoding="utf-8", newline="") as opened:
        return [tuple(row) for row in csv.reader(opened)]


def test_the_seeds_are_as_the_script_makes_them(forms):
    assert rows("countries") == [script.COUNTRIES, *script.countries()]
    assert rows("country_forms") == [script.FORMS, *forms]


def test_every_country_of_today_has_its_codes_and_its_english_name(forms):
    kinds = {}
    for _, code, kind in forms:
        kinds.setdefault(code, set()).add(kind)
    today = [code for code, _, current in script.countries() if code == current]
    assert len(today) == 250
    assert [code for code in today if "code of two letters" not in kinds[code]] == []
    assert [code for code in today if "code of three letters" not in kinds[code]] == []
    # Others have the same name by hand.
    named = {"English name", "official name", "other name"}
    assert [code for code in today if not named & kinds[code]] == []


def test_offices_and_unknown_countries_are_no_country(forms):
    meanings = {form: (code, kind) for form, code, kind in forms}
    offices = ["ep", "wo", "ea", "ap", "oa", "gc", "em", "xn", "ib", "european patent office"]
    assert {meanings[form] for form in offices} == {("", "office")}
    assert meanings["unknown"] == ("", "unknown")
    assert meanings["na"] == ("NA", "code of two letters")


def test_a_name_with_two_meanings_means_what_it_does_in_english_or_nothing(forms):
    meanings = {form: code for form, code, _ in forms}
    assert [meanings[form] for form in ("georgia", "niger", "congo", "korea")] == [
        "GE",
        "NE",
        "CG",
        "KR",
    ]
    assert "kongo" not in meanings
