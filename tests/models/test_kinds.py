"""Further inputs of each kind that tests/cases has one of, with what is right, on both engines."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.models.staged import staged

# What a date is read as: its day, and its year where the day is not said.
DATES = [
    ("2018-03-05T14:23:11.123456789Z", "2018-03-05", 2018),
    ("2018年3月5日", "2018-03-05", 2018),
    ("2018년 3월 5일", "2018-03-05", 2018),
    ("2018年3月", None, 2018),
    ("20180305T101112Z", "2018-03-05", 2018),
    ("Mon Mar 05 10:11:12 UTC 2018", "2018-03-05", 2018),
    ('{"date-parts":[[2018,3,5]]}', "2018-03-05", 2018),
    ('{"date-parts":[[2018,3]]}', None, 2018),
    ("[[2018, 3, 5]]", "2018-03-05", 2018),
    ("datetime.date(2018, 3, 5)", "2018-03-05", 2018),
    ("Timestamp('2018-03-05 00:00:00')", "2018-03-05", 2018),
    ('="2018-03-05"', "2018-03-05", 2018),
    ("03/05/2018", None, 2018),
    ("2018-W10", None, 2018),
    ("MAR-APR 2018", None, 2018),
    ("2018-02-30", None, 2018),
    ("0001-01-01T00:00:00", None, None),
]
UNREAD_DATES = ["Mar-18", "05-MAR-18", "43164", "in press", "DEC 25", "H30.3.5"]

PLACEHOLDERS = [
    *("#N/A N/A", "#REF!", "#VALUE!", "#NAME?", "#NULL!", "-1.#IND", "1.#QNAN", "-nan", "\\\\N"),
    *("NA_character_", "– –", "**", "//", "__", "[]", "{}", '""', "['']", ",", "n.a", "n. a."),
    *("n/d", "N / A", "n\\a", "NULL NULL", "nan, nan", "[object Object]", "TBA", "Not provided."),
    *("not specified", "None provided", "No abstract supplied.", "[No title captured]"),
    *("There is no abstract available.", "This article has no abstract.", "Abstract withheld"),
    "An abstract is not available for this content so a preview has been provided",
    "<jats:title>Abstract</jats:title><jats:p>No abstract available.</jats:p>",
    *("Resumen no disponible", "Sin resumen", "RÉSUMÉ NON DISPONIBLE", "Pas de résumé"),
    *("Kein Abstract verfügbar", "Resumo não disponível", "无摘要", "暂无摘要", "抄録なし"),
]
VALUES = [
    *("None of the above", "Null hypothesis", "NaN-boxing in JavaScript", "No abstract nonsense"),
    *("Not available online", "Nothing", "C", "π", "😀", "Title not taken", "The missing summary"),
]

TEXTS = [
    ("H<SUB>2</SUB>O", "H2O"),
    ("<![CDATA[One & two]]>", "One & two"),
    ("&lt;![CDATA[One]]&gt;", "One"),
    ("<!-- a - b -->One", "One"),
    ('<?xml version="1.0"?>One', "One"),
    ("One_x000D_\nTwo", "One Two"),
    ("caf&#38;eacute;, &#x26;lt;", "café, <"),
    ("\u200eOne\u202a two\u202c", "One two"),
    ("x<y and y>z; n<N", "x<y and y>z; n<N"),
    ("snake_x000_case", "snake_x000_case"),
]


def papers(warehouse: Any, folder: Path, records: list[dict], *columns: str) -> list[dict]:
    """Return columns of the staged papers of a table, in their order."""
    lines = [json.dumps({"id": str(n), "title": "T"} | record) for n, record in enumerate(records)]
    (folder / "papers.jsonl").write_text("\n".join(lines), encoding="utf-8")
    found = staged(warehouse({"papers tables": folder}), "stg_tables__papers", *columns)
    return list(found.values())


def test_texts_and_dates_of_papers(warehouse, tmp_path):
    texts = [*PLACEHOLDERS, *VALUES, *(text for text, _ in TEXTS)]
    dates = [*(text for text, *_ in DATES), *UNREAD_DATES]
    read = papers(
        warehouse,
        tmp_path,
        [{"abstract": text} for text in texts] + [{"publication_date": text} for text in dates],
        *("abstract", "publication_date", "publication_year", "not_understood"),
    )
    right = [(text, None) for text in PLACEHOLDERS] + [(text, text) for text in VALUES] + TEXTS
    assert [(text, row["abstract"]) for text, row in zip(texts, read, strict=False)] == right
    read = read[len(texts) :]
    assert DATES == [
        (text, row["publication_date"], row["publication_year"])
        for (text, *_), row in zip(DATES, read, strict=False)
    ]
    assert [[{"field": "publication_date", "value": text}] for text in UNREAD_DATES] == [
        row["not_understood"] for row in read[len(DATES) :]
    ]
