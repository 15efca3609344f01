"""Exports of other systems, by the fields that only they have."""

from collections.abc import Iterable

from python_steps.sources.foreign_headers import foreign_header

JOIN = (
    "Join the tables by patent_id, g_patent first, and rename their columns to those of `tables` "
    "(docs/guides/deliveries.md)."
)

JOIN_PATSTAT = (
    "Join tls201_appln, tls202_appln_title, tls203_appln_abstr and tls211_pat_publn by appln_id "
    "to one table with the columns of `tables`: publication_number (publn_auth, publn_nr and "
    "publn_kind as one), title (appln_title), abstract (appln_abstract), filing_date "
    "(appln_filing_date), family_id (docdb_family_id), ipc (ipc_class_symbol), cpc "
    "(cpc_class_symbol). docs/guides/deliveries.md, Exports of other systems, says how."
)
NOT_FLATTENED = (
    "Give the works as OpenAlex delivers them (JSON lines or Parquet, or the table of works "
    "alone): authors and institutions are read from there. Or bring the tables to one with the "
    "columns of `tables` (docs/guides/deliveries.md)."
)

DBLP = (
    "id (key), title (title), publication_year (year), doi (doi, or ee without the address), "
    "authors (authors or author), venue (venue, journal or booktitle)"
)

# What names a table whose texts, dates or codes are in others, though its own columns can be read.
PARTS = ("of PATSTAT", "of PatentsView", "the API of PatentsView")

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
        ("publn_auth", "publn_nr", "appln_title"),
        "a selection of PATSTAT",
        "publication_number (publn_auth, publn_nr and publn_kind as one), title (appln_title), "
        "abstract (appln_abstract), filing_date (appln_filing_date), family_id (docdb_family_id)",
    ),
    (("appln_id", "appln_auth"), "the table tls201_appln of PATSTAT", JOIN_PATSTAT),
    (("appln_id", "appln_title"), "the table tls202_appln_title of PATSTAT", JOIN_PATSTAT),
    (("appln_id", "appln_abstract"), "the table tls203_appln_abstr of PATSTAT", JOIN_PATSTAT),
    (("person_id", "person_name"), "a table of persons of PATSTAT (tls206, tls226)", JOIN_PATSTAT),
    (("appln_id", "ipc_class_symbol"), "the table tls209_appln_ipc of PATSTAT", JOIN_PATSTAT),
    (("pat_publn_id", "publn_auth"), "the table tls211_pat_publn of PATSTAT", JOIN_PATSTAT),
    (("appln_id", "cpc_class_symbol"), "the table tls224_appln_cpc of PATSTAT", JOIN_PATSTAT),
    (("appln_id",), "a table of PATSTAT", JOIN_PATSTAT),
    (("pat_publn_id",), "a table of PATSTAT", JOIN_PATSTAT),
    (("npl_publn_id",), "the table tls214_npl_publn of PATSTAT", JOIN_PATSTAT),
    (("docdb_family_id", "cpc_class_symbol"), "a table of PATSTAT", JOIN_PATSTAT),
    (("docdb_family_id", "cited_docdb_family_id"), "a table of PATSTAT", JOIN_PATSTAT),
    (
        ("work_id", "author_position"),
        "authorships flattened from OpenAlex",
        NOT_FLATTENED,
    ),
    (("work_id", "source_id"), "a table of locations flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "concept_id"), "a table of concepts flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "topic_id"), "a table of topics flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "oa_status"), "a table of open access flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "referenced_work_id"), "a table flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "related_work_id"), "a table flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "openalex", "doi"), "a table of ids flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "first_page"), "a table of pages flattened from OpenAlex", NOT_FLATTENED),
    (("work_id", "descriptor_ui"), "a table of MeSH flattened from OpenAlex", NOT_FLATTENED),
    (
        ("PublicationNum", "Title"),
        "a flattened selection of Google Patents, a row for each code",
        "publication_number (PublicationNum), title (Title), filing_date (FilingDate), grant_date "
        "(GrantDate), publication_date (PubDate), family_id (Family), applicant (Assignee), cpc "
        "(CPC_Code); the rows of a patent made one, with its codes as a list",
    ),
    (
        ("publication_number", "description"),
        "a selection of Google Patents without titles",
        "Select title_localized and abstract_localized, too, and give it as google_patents.",
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
    (("key", "mdate"), "records of DBLP", DBLP),
    (("key", "title", "ee"), "records of DBLP", DBLP),
    (("key", "title", "venue", "type"), "records of DBLP", DBLP),
    (
        ("@score", "@id", "info"),
        "hits of the API of DBLP",
        "Take the records out, `jq -c .info FILE > NEW.jsonl`, and rename their fields to those of "
        f"`tables` (docs/guides/deliveries.md). Here: {DBLP}.",
    ),
    # Whatever else: these come last.
    (
        ("openalex_id", "title"),
        "a table whose column `openalex_id` holds the ids of OpenAlex",
        "Give it as tables (docs/guides/deliveries.md, `tables`), which reads that column; as "
        "openalex the ids are in `id`.",
    ),
    *(
        (
            ("title", "abstract", full_text),
            "a table of titles and abstracts without the column `id`",
            "Name the column with the identifiers `id` (that of patents publication_number), or "
            "add one, and give it as `tables` (docs/guides/deliveries.md). Full texts are not "
            "read.",
        )
        for full_text in ("fulltext", "full_text")
    ),
)


def export_of(names: Iterable[str]) -> tuple[str, str] | None:
    """Return what an export with these fields is, and what to do; None of one not known."""
    names = list(names)
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
    return foreign_header(names)


def is_part_of_export(names: Iterable[str]) -> bool:
    """Whether fields are those of one table of several that must be joined or have parts added."""
    found = export_of(names)
    return bool(found) and found[0].endswith(PARTS)
