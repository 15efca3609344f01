"""Recognise XML by its first elements, and say how it becomes a table."""

import re

from python_steps.sources.findings import CONVERT

OTHER_SYSTEMS = "docs/guides/deliveries.md, Exports of other systems, says how"
DOCDB = (
    "Take of each `exchange-document` to a row of `tables`: publication_number (country, "
    "doc-number and kind), family_id (family-id), title (invention-title), abstract, filing_date "
    f"(application-reference), ipc, cpc, applicant and inventors. {OTHER_SYSTEMS}."
)
FULL_TEXT = (
    "Take of each document to a row of `tables`: publication_number (country, doc-number and kind "
    "of the publication), title, abstract, filing_date (of the application), publication_date, "
    f"ipc, cpc, applicant and inventors. {OTHER_SYSTEMS}."
)
PAPERS = (
    "Take of each article to a row of `tables`: id, title, abstract, publication_date, doi and "
    "authors (docs/guides/deliveries.md)."
)

# Pattern of an element's name, without its prefix; what such XML is; what to do.
ELEMENTS: tuple[tuple[str, str, str], ...] = (
    ("world-patent-data", "an answer of the EPO's Open Patent Services (XML)", DOCDB),
    ("exchange-documents?", "XML of the EPO's DOCDB, as its bulk data hold it", DOCDB),
    ("ep-patent-document|(ft|fulltext)-documents?", "XML of full texts of the EPO", FULL_TEXT),
    ("docdb-package-info|docdb-index", "a list of files of the EPO's bulk data", DOCDB),
    (
        "us-patent-(grant|application)|patent-application-publication|PATDOC",
        "XML of full texts of the USPTO",
        FULL_TEXT,
    ),
    (
        "wo-published-application|application-body|lexisnexis-patent-document",
        "XML of full texts of patents",
        FULL_TEXT,
    ),
    ("PubmedArticleSet", "XML of PubMed", PAPERS),
    ("OAI-PMH", "an answer of OAI-PMH (XML), as of arXiv", PAPERS),
    ("feed", "an Atom feed (XML), as the API of arXiv answers", PAPERS),
    (
        "dblp",
        "XML of DBLP",
        "Take of each article, inproceedings and so on to a row of `tables`: id (key), title, "
        "publication_year (year), doi (ee), authors (author) and venue (journal or booktitle; "
        "docs/guides/deliveries.md).",
    ),
    ("article|pmc-articleset", "XML of full texts (JATS)", PAPERS),
)


def kind_of_xml(text: str) -> tuple[str, str]:
    """Return what XML is, by the first element of a kind that is known, and what to do.

    Parameters
    ----------
    text
        Its beginning; comments, processing instructions and the document type come first.
    """
    bare = re.sub(r"(?s)<!--.*?-->|<\?.*?\?>", "", text)
    elements = re.findall(r"<(?:!DOCTYPE +)?(?:[\w.-]+:)?([A-Za-z][\w.-]*)", bare)[:3]
    for element in elements:
        for pattern, what, remedy in ELEMENTS:
            if re.fullmatch(pattern, element):
                return what, remedy
    return "XML", CONVERT
