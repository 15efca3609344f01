"""Exports of other systems, by the fields that only they have."""

from collections.abc import Iterable

JOIN = (
    "Join the tables by patent_id, g_patent first, and rename their columns to those of `tables` "
    "(docs/guides/deliveries.md)."
)

# Fields that are all there, what that is, and what its columns are called in `tables`, or what to
# do as a sentence.
EXPORTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("Display Key", "Lens ID"),
        "an export of patents from Lens.org",
        "publication_number (Display Key), title (Title), abstract (Abstract), publication_date "
        "(Publication Date), filing_date (Application Date), applicant (Applicants), inventors "
        "(Inventors), cpc (CPC Classifications), ipc (IPCR Classifications)",
    ),
    (
        ("Jurisdiction", "Kind", "Publication Number", "Simple Family Size"),
        "an export of patents from Lens.org",
        "publication_number (Jurisdiction, Publication Number and Kind), title (Title), "
        "publication_date (Publication Date), applicant (Applicants), cpc (CPC Classifications), "
        "ipc (IPCR Classifications)",
    ),
    (
        ("Lens ID", "Source Title", "Author/s"),
        "an export of scholarly works from Lens.org",
        "id (Lens ID), title (Title), abstract (Abstract), publication_year (Publication Year), "
        "doi (DOI), authors (Author/s), venue (Source Title), keywords (Keywords)",
    ),
    (("lens_id",), "records of the API of Lens.org", ""),
    (
        ("EID", "Source title", "Document Type"),
        "an export of Scopus",
        "id (EID), title (Title), abstract (Abstract), publication_year (Year), doi (DOI), "
        "authors (Authors), institutions (Affiliations), venue (Source title), keywords (Author "
        "Keywords)",
    ),
    (
        ("Article Title", "UT (Unique WOS ID)"),
        "an export of Web of Science",
        "id (UT (Unique WOS ID)), title (Article Title), abstract (Abstract), publication_year "
        "(Publication Year), doi (DOI), authors (Authors), venue (Source Title), keywords (Author "
        "Keywords)",
    ),
    (
        ("PT", "AU", "TI", "SO"),
        "a tab-delimited export of Web of Science",
        "id (UT), title (TI), abstract (AB), publication_year (PY), doi (DI), authors (AU), venue "
        "(SO), keywords (DE)",
    ),
    (
        ("PMID", "Title", "Journal/Book"),
        "an export of PubMed",
        "id (PMID), title (Title), publication_year (Publication Year), doi (DOI), authors "
        "(Authors), venue (Journal/Book)",
    ),
    (
        ("appln_id", "appln_auth"),
        "a table of PATSTAT",
        "publication_number (publn_auth, publn_nr, publn_kind), title (appln_title), abstract "
        "(appln_abstract), filing_date (appln_filing_date), family_id (docdb_family_id), ipc "
        "(ipc_class_symbol), cpc (cpc_class_symbol): join the tables first",
    ),
    (
        ("patent_id", "patent_title"),
        "a table of PatentsView",
        "publication_number (US, patent_id and wipo_kind), title (patent_title), publication_date "
        "(patent_date), abstract (patent_abstract of g_patent_abstract): join the tables first",
    ),
    (("patent_id", "patent_abstract"), "a table of PatentsView", JOIN),
    (("patent_id", "inventor_id"), "a table of PatentsView", JOIN),
    (("patent_id", "assignee_id"), "a table of PatentsView", JOIN),
    (("patent_id", "cpc_group"), "a table of PatentsView", JOIN),
    (
        ("pgpub_id", "application_title"),
        "a table of PatentsView",
        "publication_number (US, pgpub_id and wipo_kind), title (application_title), abstract "
        "(application_abstract), filing_date (filing_date), publication_date (published_date)",
    ),
    (
        ("patent_number", "patent_title"),
        "an answer of the API of PatentsView",
        "publication_number (US and patent_number), title (patent_title), abstract "
        "(patent_abstract), publication_date (patent_date)",
    ),
    (
        ("Publication number", "Earliest priority", "Applicants"),
        "an export of Espacenet",
        "publication_number (Publication number), title (Title), publication_date (Publication "
        "date), applicant (Applicants), inventors (Inventors), ipc (IPC), cpc (CPC)",
    ),
    (
        ("arxiv_id", "author_text"),
        "a table of arXiv metadata",
        "id (arxiv_id), title (title), abstract (abstract), publication_year (created), doi "
        "(doi), authors (author_text), categories (categories)",
    ),
    (
        ("id", "submitter", "update_date"),
        "the metadata of arXiv as JSON lines",
        "publication_year (versions), authors (authors_parsed)",
    ),
    (
        ("attributes", "type", "relationships"),
        "records of DataCite",
        "id and doi (attributes.doi), title (attributes.titles), abstract "
        "(attributes.descriptions), publication_year (attributes.publicationYear), authors "
        "(attributes.creators)",
    ),
    (
        ("DOI", "is-referenced-by-count"),
        "records of Crossref",
        "id and doi (DOI), title (title), abstract (abstract), publication_year (issued), authors "
        "(author), venue (container-title)",
    ),
    (
        ("status", "message-type", "message"),
        "an answer of the API of Crossref",
        "Take the records out, `jq -c '.message.items[]' FILE > NEW.jsonl`, and rename their "
        "fields to those of `tables` (docs/guides/deliveries.md).",
    ),
    (
        ("corpusid",),
        "records of Semantic Scholar",
        "id (corpusid), title (title), publication_year (year), doi (externalids.DOI), authors "
        "(authors), venue (venue)",
    ),
    (
        ("paperId", "externalIds"),
        "records of Semantic Scholar",
        "id (paperId), title (title), abstract (abstract), publication_year (year), doi "
        "(externalIds.DOI), authors (authors), venue (venue)",
    ),
    (("patentFileWrapperDataBag",), "an answer of the USPTO's Open Data Portal", ""),
    (
        ("applicationMetaData", "applicationNumberText"),
        "records of the USPTO's Open Data Portal",
        "",
    ),
    (
        ("inventor_harmonized", "publication_number"),
        "a selection of Google Patents without titles",
        "Select title_localized and abstract_localized, too, and give it as google_patents.",
    ),
)


def export_of(names: Iterable[str]) -> tuple[str, str] | None:
    """Return what an export with these fields is, and what to do; None of one not known."""
    given = {name.strip().strip("\ufeff").casefold() for name in names}
    for fields, what, columns in EXPORTS:
        if {field.casefold() for field in fields} <= given:
            if columns.endswith("."):
                return what, columns
            told = f" Here: {columns}." if columns else ""
            return what, (
                "Rename its columns to those of `tables` (docs/guides/deliveries.md), as CSV, "
                f"Parquet or JSON lines.{told}"
            )
    return None
