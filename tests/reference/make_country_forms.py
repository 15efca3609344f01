"""Make the seeds `countries` and `country_forms`: every name and code that countries go by.

    python -m tests.reference.make_country_forms

Names in all languages are CLDR's, of which Babel holds a copy. The other names, by hand in
country_names.csv, are those of ISO 3166 in English and French, what people and databases of
literature write, and names of former countries. Each stands in the form in which the models
compare names (macros/countries.sql), so that there is one rule for it.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from babel import Locale, localedata
from babel.core import get_global

from tests.small_warehouse import PROJECT, SmallWarehouse

NAMES = Path(__file__).with_name("country_names.csv")
SEEDS = PROJECT / "seeds/reference"

# Former countries of ISO 3166-3 whose code no other country has now, with the name of the standard
# and the one country that has taken its place; none where several have.
FORMER = {
    "AN": ("Netherlands Antilles", ""),
    "BU": ("Burma", "MM"),
    "CS": ("Czechoslovakia; Serbia and Montenegro", ""),
    "DD": ("German Democratic Republic", "DE"),
    "DY": ("Dahomey", "BJ"),
    "FX": ("Metropolitan France", "FR"),
    "HV": ("Upper Volta", "BF"),
    "NT": ("Neutral Zone", ""),
    "RH": ("Southern Rhodesia", "ZW"),
    "SU": ("Union of Soviet Socialist Republics", ""),
    "TP": ("East Timor", "TL"),
    "VD": ("Democratic Republic of Viet-Nam", "VN"),
    "YD": ("Democratic Yemen", "YE"),
    "YU": ("Yugoslavia", ""),
    "ZR": ("Zaire", "CD"),
}


def countries() -> list[tuple[str, str, str]]:
    """Return code, name and the code of today's country, sorted: of today's and former ones."""
    with (SEEDS / "countries.csv").open(encoding="utf-8", newline="") as opened:
        known = {row["country_code"]: row["country_name"] for row in csv.DictReader(opened)}
    today = {code: name for code, name in known.items() if code not in FORMER} | {"XK": "Kosovo"}
    rows = [(code, name, code) for code, name in today.items()]
    return sorted(rows + [(code, *facts) for code, facts in FORMER.items()])


def names() -> dict[str, list[tuple[str, str, str]]]:
    """Return (name, code, kind) by how much they are trusted, best first.

    A name of a better group keeps its meaning; within a group it needs to mean one country.
    """
    known = {code for code, _, _ in countries()}
    with NAMES.open(encoding="utf-8", newline="") as opened:
        by_hand = [
            (name, row["country_code"], row["form_kind"])
            for row in csv.DictReader(opened)
            for name in row["names"].split("|")
        ]
    with (SEEDS / "patent_offices.csv").open(encoding="utf-8", newline="") as opened:
        offices = [row for row in csv.DictReader(opened) if row["is_regional"] == "true"]
    # CLDR's aliases of territories hold the codes of three letters, but give those of former
    # countries today's: they are by hand.
    of_former = {name for name, _, kind in by_hand if kind == "former name"}
    three_letters = [
        (alias, codes[0], "code of three letters")
        for alias, codes in get_global("territory_aliases").items()
        if len(alias) == 3 and alias.isalpha() and codes[0] in known and alias not in of_former
    ]
    is_code = {"other code", "unknown", "office"}
    return {
        "codes": [(code, code, "code of two letters") for code in known]
        + [(office["office_code"], "", "office") for office in offices]
        + [entry for entry in by_hand if entry[2] in is_code],
        "codes of three letters": three_letters,
        "names by hand": [entry for entry in by_hand if entry[2] not in is_code],
        "names of offices": [(office["office_name"], "", "office") for office in offices],
        "names of the seed": [(name, code, "English name") for code, name, _ in countries()],
        "names in English": list(_names_of_cldr(["en", "en_GB", "en_AU"], "English name")),
        "names in all languages": list(_names_of_cldr(localedata.locale_identifiers(), "name")),
    }


def _names_of_cldr(locales: Iterable[str], kind: str) -> Iterable[tuple[str, str, str]]:
    """Yield what locales call today's countries."""
    known = {code for code, _, today in countries() if code == today}
    for locale in locales:
        for code, name in Locale.parse(locale).territories.items():
            if code in known:
                yield name, code, kind


def country_forms() -> list[tuple[str, str, str]]:
    """Return form, code and kind, sorted; a form that means two countries is left out."""
    groups = names()
    form_of = _forms({name for group in groups.values() for name, _, _ in group})
    chosen: dict[str, tuple[str, str]] = {}
    for group in groups.values():
        meanings: dict[str, dict[str, str]] = defaultdict(dict)
        for name, code, kind in group:
            meanings[form_of[name]].setdefault(code, kind)
        for form, kinds in meanings.items():
            if form and form not in chosen and len(kinds) == 1:
                chosen[form] = next(iter(kinds.items()))
    return sorted((form, code, kind) for form, (code, kind) in chosen.items())


def _forms(of: set[str]) -> dict[str, str]:
    """Return the form of each name, as the models make it."""
    small = SmallWarehouse({})
    form = small.sql.macro("country_form", "name")
    values = sorted(of)
    query = f"select name, {form} from (select unnest(?) as name)"
    return dict(small.duckdb.execute(query, [values]).fetchall())


def written(header: tuple[str, ...], rows: Iterable[tuple[str, ...]], file: Path) -> None:
    """Write a seed."""
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


COUNTRIES = ("country_code", "country_name", "current_code")
FORMS = ("delivered_form", "country_code", "form_kind")

if __name__ == "__main__":
    written(COUNTRIES, countries(), SEEDS / "countries.csv")
    written(FORMS, country_forms(), SEEDS / "country_forms.csv")
