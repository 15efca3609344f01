"""Claims about recognising a delivered file by its name and first bytes."""

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_steps.sources.field_names import normalised
from python_steps.sources.findings import form_of, separator_of
from python_steps.sources.formats import HEAD, look_at, recognise
from tests import real_data
from tests.small_warehouse import CASES


def packed(content: bytes) -> bytes:
    """Return content as gzip, the same whenever the test is collected."""
    return gzip.compress(content, mtime=0)


RECORD = {"id": "https://openalex.org/W1", "title": "Réseaux", "abstract": "a\nb"}
LINES = (json.dumps(RECORD) + "\n").encode() * 3
PAGE = json.dumps({"meta": {"count": 1}, "results": [RECORD]}).encode()
TABLE = "id,title,publication_year\na,Réseaux de neurones,2018\nb,Zwei,2019\n"
PAPERS = [["id"], ["title", "display_name"]]
PATENTS = [["publication_number", "id"], ["title"]]


def tar_of(content: bytes, mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        member = tarfile.TarInfo("works.jsonl")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def zip_of(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table({"id": ["a"]}), stream)
    return stream.getvalue()


def found(name: str, content: bytes, required=PAPERS):
    return recognise(name, content[:HEAD], content[-64:], required)


READ_AS_THEY_ARE = {
    "a.jsonl": LINES,
    "bom.jsonl": b"\xef\xbb\xbf" + LINES,
    "part_0": LINES,
    "blank.jsonl": b"\n\n" + LINES,
    "broken_first.jsonl": b'{"id": "W1", "title": \n' + LINES,
    "a.gz": packed(LINES),
    "members.gz": packed(LINES) + packed(LINES),
    "nothing.gz": packed(b""),
    "large.jsonl.gz": packed(LINES * 5000),
    "large.jsonl": LINES * 5000,
    "page.json": PAGE,
    "page_with_bom.json": b"\xef\xbb\xbf" + PAGE,
    "page.json.gz": packed(PAGE),
    "lines.json.gz": packed(LINES),
    "array.json": b"[" + json.dumps(RECORD).encode() + b"]\n",
    "one_work.json": json.dumps(RECORD, indent=1).encode(),
    "empty_page.json": b'{"meta": {}, "results": []}',
    "title_first.json": b'{"title_localized": [{"text": "A"}], "publication_number": "1"}\n',
    "large_page.json": json.dumps({"meta": {}, "results": [RECORD] * 5000}).encode(),
    "a.csv": TABLE.encode(),
    "bom.csv": b"\xef\xbb\xbf" + TABLE.encode(),
    "semicolon.csv": TABLE.replace(",", ";").encode(),
    "bar.csv": TABLE.replace(",", "|").encode(),
    "a.tsv": TABLE.replace(",", "\t").encode(),
    "a.tsv.gz": packed(TABLE.replace(",", "\t").encode()),
    "orcid.csv": b"ORCID,id,title\n1,2,3\n",
    "labels.csv": b"source_record_id,is_ai\nW1,true\n",
    "one_column.csv": b"work_id\nW1\n",
    "number_sign.csv": b"#,id,title\n1,a,A\n",
    "number_of.csv": b"#id,title\na,A\n",
    "zero.json": b'{"0":[1],"id":"a","title":"A"}',
    "schema.json": b'{"schema": "1.0", "id": "a", "title": "A"}',
    "other_case.csv": b"ID,Title,Document Type,EID,Source title\n1,2,3,4,5\n",
    "a.parquet": parquet(),
}


@pytest.mark.parametrize("name", READ_AS_THEY_ARE)
def test_nothing_is_said_of_files_that_can_be_read(name):
    assert found(name, READ_AS_THEY_ARE[name]) is None


@pytest.mark.parametrize(
    ("name", "content", "what", "remedy"),
    [
        ("a.gz", b"", "empty", "again"),
        ("a.gz", LINES, "not a gzip file", "again"),
        ("a.gz", bz2.compress(LINES), "not a gzip file but packed with bzip2", "again"),
        ("a.gz", packed(LINES)[:60], "gzip file that was cut", "again"),
        ("a.gz", packed(LINES)[:20] + b"\xff" * 50, "damaged gzip|was cut", "again"),
        ("a.gz", packed(LINES) + b"\0" * 512, "other bytes after its end", "gzip -dc"),
        ("a.jsonl", packed(LINES), "packed with gzip", r"ends in \.gz"),
        ("a.jsonl.bz2", bz2.compress(LINES), "bzip2", "bunzip2"),
        ("a.jsonl", bz2.compress(LINES), "bzip2", "bunzip2"),
        ("a.jsonl.xz", lzma.compress(LINES), "xz", "unxz"),
        ("a.tar", tar_of(LINES), "tar archive", "tar -xf"),
        ("a.tar.gz", tar_of(LINES, "w:gz"), "tar archive", "tar -xf"),
        ("a.tgz", tar_of(LINES, "w:gz"), "packed tar archive", "tar -xf"),
        ("a.tar.bz2", tar_of(LINES, "w:bz2"), "packed tar archive", "tar -xf"),
        ("a.txz", tar_of(LINES, "w:xz"), "packed tar archive", "tar -xf"),
        ("part_0.gz", tar_of(LINES, "w:gz"), "tar archive", "tar -xf"),
        ("a.jsonl", zip_of("works.jsonl"), "zip archive", r"\.zip"),
        ("a.xlsx", zip_of("[Content_Types].xml", "xl/workbook.xml"), "Excel", "CSV"),
        ("a.csv", zip_of("[Content_Types].xml", "xl/workbook.xml"), "Excel", "CSV"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "Excel", "CSV"),
        ("a.orc", b"ORC\x0a\0\x12", "an ORC file", "Parquet"),
        ("a.json", b'{"id":{"0":"a","1":"b"},"title":{"0":"A","1":"B"}}', "pandas", "records"),
        ("a.json", b'{"0":{"id":"a","title":"A"}}', "pandas", "records"),
        ("a.json", b'{"columns":["id"],"index":[0],"data":[["a"]]}', "pandas", "records"),
        ("a.json", b'{"schema":{"fields":[]},"data":[{"id":"a"}]}', "pandas", "records"),
        ("a.jsonl", b"{'id': 'a', 'title': 'A'}\n", "what Python prints", r"json\.dumps"),
        ("a.jsonl", LINES.replace(b"}\n", b"},\n"), "a comma after each record", "sed"),
        ("a.csv", b"# made 2026\n#\n" + TABLE.encode(), "remarks before its header", r"\+3 "),
        ("a.csv", b"Found 2,,\n" + TABLE.encode(), "1 lines before its header", r"\+2 "),
        ("a.parquet", LINES, "not a Parquet file", "again"),
        ("a.parquet", parquet()[:-20], "Parquet file that was cut", "again"),
        ("a.csv", parquet(), "a Parquet file", r"\.parquet"),
        ("a.csv", TABLE.encode("utf-16"), "UTF-16, not UTF-8", "iconv -f UTF-16 "),
        ("a.csv", TABLE.encode("utf-16-le"), "UTF-16LE", "iconv -f UTF-16LE"),
        ("a.json", PAGE.decode().encode("utf-16-be"), "UTF-16BE", "iconv -f UTF-16BE"),
        ("a.csv", TABLE.encode("latin-1"), r"not UTF-8 \(line 2\)", "iconv -f latin1"),
        ("a.csv", b"id,title\n1,it\x92s\n", "not UTF-8", "iconv -f windows-1252"),
        ("a.csv", "id,title\n1,神经网络\n".encode("gb18030"), "not UTF-8", "iconv -f gb18030"),
        ("a.jsonl", json.dumps(RECORD, indent=1).encode(), "over several lines", "jq -c"),
        ("a.jsonl", b'{"id": 1,\n "title": "a"}\n{"id": 2}', "over several lines", "jq -c"),
        ("a.jsonl", b"[" + LINES[:-1] + b"]", "JSON array, but one record per line", r"\.json"),
        ("a.jsonl", PAGE + b"\n" + PAGE, "pages of an API", r"jq -c '\.results"),
        ("a.jsonl", TABLE.encode(), "a table with commas", r"\.csv"),
        ("part_0", TABLE.replace(",", "\t").encode(), "a table with tabs", r"\.tsv"),
        ("a.csv", LINES, "JSON, not CSV", r"\.jsonl"),
        ("a.csv", b"sep=,\n" + TABLE.encode(), "names the separator", r"tail -n \+2"),
        ("a.csv", b"\xef\xbb\xbfsep=;\r\n" + TABLE.encode(), "the separator", r"tail -n \+2"),
        ("a.csv", b"search URL:,https://x\nid,title\n", "search URL", r"tail -n \+2"),
        ("a.csv", b'"Espacenet";"";\n"Patent search";"";\n', "Espacenet", r"tail -n \+8"),
        ("a.csv", b"Export of 2026\n\nid,title,doi,year\n1,a,b,c\n2,a,b,c\n", "2 lines", r"\+3"),
        ("a.csv", b"<!DOCTYPE html>\n<html>", "web page", "again"),
        ("a.jsonl", b"<html><body>Sign in</body>", "web page", "again"),
        ("a.gz", packed(b'<?xml version="1.0"?><a/>'), "XML", "Convert"),
        ("a.xml", b"<exch:documents xmlns='x'>", "XML", "Convert"),
        (
            "a.xml",
            b"<?xml version='1.0'?>\n<!-- <feed> -->\n<exch:exchange-documents xmlns:exch='x'>",
            "EPO's DOCDB",
            r"family-id.*docs/guides/deliveries\.md",
        ),
        (
            "a.jsonl",
            b'<!DOCTYPE ep-patent-document PUBLIC "-//EPO//EP PATENT DOCUMENT 1.5//EN" "x.dtd">',
            "full texts of the EPO",
            "`tables`",
        ),
        ("a.xml", b"<PubmedArticleSet><PubmedArticle>", "XML of PubMed", "`tables`"),
        ("a.txt", b"TY  - JOUR\nTI  - A\nER  - \n", "RIS", "Convert"),
        ("a.txt", b"@article{a,\n title = {A}}\n", "BibTeX", "Convert"),
        ("a.txt", b"FN Clarivate Analytics Web of Science\nVR 1.0\n", "Web of Science", "Convert"),
        ("a.txt", b"\nPMID- 1\nTI  - A\n", "MEDLINE", "Convert"),
        ("a.txt", b"RT Journal Article\nSR 1\nT1 A\n", "RefWorks", "Convert"),
        ("a.txt", b"{Reference Type}: Journal Article\n{Title}: A\n", "NoteExpress", "Convert"),
        ("a.txt", "Title-题名: 深度学习\nAuthor-作者: 张三\n".encode(), "CNKI as text", "Convert"),
        ("a.txt", "[1]张三.深度学习[J].软件学报,2019.\n".encode(), "GB/T 7714", "Convert"),
        ("a.xml", b'<!DOCTYPE dblp SYSTEM "dblp.dtd">\n<dblp><article>', "XML of DBLP", "key"),
        ("a.csv", b"W1,Learning to sort,2018\nW2,Sorting,2019\n", "without a line of", "id,title"),
        ("a.tsv", b"a1\tSorting\tOne, Ada\na2\tMore\tTwo, Bo\n", "without a line of", "above it"),
        ("a.csv", b"10.1234/a,Learning to sort\n", "without a line of", "above it"),
        ("a.csv", b"no1,https://openalex.org/W1\n", "without a line of", "above it"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"),
    ],
)
def test_a_file_that_would_be_misread_is_named_with_the_remedy(name, content, what, remedy):
    finding = found(name, content)
    assert finding.is_misread
    assert re.search(what, finding.what)
    assert re.search(remedy, finding.remedy)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("page.json", b"<html><head><title>429</title>", "web page"),
        ("page.json", b'{"error": "Too many requests", "message": "wait"}', "error message"),
        ("page.json", PAGE[:-40], "cut"),
        ("page.json.gz", packed(PAGE[:-40]), "cut"),
        ("large.json", (PAGE[:-1] + b" " * HEAD)[: HEAD + 9] + b', "x', "cut"),
        ("a.jsonl", b"", "empty"),
        ("deleted_ids.csv", b"", "empty"),
    ],
)
def test_what_becomes_a_rejected_record_or_none_is_told_and_not_refused(name, content, what):
    finding = found(name, content)
    assert what in finding.what and not finding.is_misread


@pytest.mark.parametrize(
    ("header", "what"),
    [
        ("#,Jurisdiction,Kind,Display Key,Lens ID,Publication Date,Title", "patents from Lens"),
        ("Lens ID,Title,Date Published,Publication Year,Source Title,Author/s", "works from Lens"),
        ('"Authors","Title","Year","Source title","DOI","Document Type","EID"', "Scopus"),
        ("Authors\tArticle Title\tSource Title\tUT (Unique WOS ID)", "Web of Science"),
        ("PT\tAU\tBA\tTI\tSO\tUT", "Web of Science"),
        ("PMID,Title,Authors,Citation,Journal/Book,DOI", "PubMed"),
        ("appln_id,appln_auth,appln_nr,appln_kind", "tls201_appln of PATSTAT"),
        ("appln_id,appln_title_lg,appln_title", "tls202_appln_title of PATSTAT"),
        ("appln_id,appln_abstract_lg,appln_abstract", "tls203_appln_abstr of PATSTAT"),
        ("person_id,person_name,person_ctry_code", "persons of PATSTAT"),
        ("person_id,appln_id,applt_seq_nr,invt_seq_nr", "PATSTAT"),
        ("pat_publn_id,publn_auth,publn_nr,publn_kind,appln_id", "tls211_pat_publn of PATSTAT"),
        ("appln_id,publn_auth,publn_nr,publn_kind,appln_title", "a selection of PATSTAT"),
        ("PUBLICATIONNUM,Kind,Title,Description", "flattened selection of Google Patents"),
        ("work_id,author_position,author_id,institution_id", "authorships flattened from OpenAlex"),
        ("openalex_id,title,abstract,fulltext", "`openalex_id` holds the ids of OpenAlex"),
        ("title,abstract,fulltext", "without the column `id`"),
        ('"patent_id"\t"patent_type"\t"patent_date"\t"patent_title"', "PatentsView"),
        ("\tabstract\tarxiv_id\tauthor_text\ttitle", "arXiv"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "txt"])
def test_exports_of_other_systems_are_named_with_their_columns(header, what, ending):
    row = separator_of(header).join("x" for _ in header.split(separator_of(header)))
    finding = recognise(f"a.{ending}", f"\ufeff{header}\n{row}\n".encode(), b"", PATENTS)
    assert what in finding.what
    assert "`tables`" in finding.remedy and "docs/guides/deliveries.md" in finding.remedy


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ({"lens_id": "1", "biblio": {}}, "Lens"),
        ({"id": "10.1/a", "type": "dois", "attributes": {}, "relationships": {}}, "DataCite"),
        ({"DOI": "10.1/a", "title": ["A"], "is-referenced-by-count": 1}, "Crossref"),
        ({"paperId": "1", "externalIds": {}, "title": "A"}, "Semantic Scholar"),
        ({"corpusid": 1, "title": "A"}, "Semantic Scholar"),
    ],
)
def test_records_of_other_systems_are_named(record, what):
    line = json.dumps(record)
    assert what in found("a.jsonl", f"{line}\n{line}\n".encode()).what
    assert what in found("a.json", f"[{line}]".encode()).what


@pytest.mark.parametrize(
    ("header", "what", "here"),
    [
        (
            "SrcDatabase-来源库,Title-题名,Author-作者,Summary-摘要,PubTime-发表时间,DOI-DOI",
            "an export of CNKI",
            "title (Title-题名), authors (Author-作者), abstract (Summary-摘要), publication_date "
            "(PubTime-发表时间), doi (DOI-DOI). It lacks id: add that column, if need be",
        ),
        ("题名,作者,文献来源,发表时间", "in Chinese", "venue (文献来源)"),
        (
            "公开（公告）号,申请号,发明名称,申请日",
            "in Chinese",
            "publication_number (公开（公告）号), application_number (申请号), title (发明名称), "
            "filing_date (申请日).",
        ),
        ("文献番号,発明の名称,出願人/権利者", "in Japanese", "applicant (出願人/権利者)"),
        ("출원번호,발명의 명칭,출원인", "in Korean", "title (발명의 명칭)"),
    ],
)
def test_tables_with_headers_in_other_letters_are_named_with_their_columns(header, what, here):
    finding = found("a.csv", f"{header}\n{'x,' * header.count(',')}x\n".encode())
    assert what in finding.what and here in finding.remedy
    record = json.dumps(dict.fromkeys(header.split(","), "x"), ensure_ascii=False)
    assert what.split()[-1] in found("a.jsonl", f"{record}\n".encode()).what
    # What has the names that are read is read, whatever stands beside them.
    assert found("a.csv", f"id,title,{header}\n".encode()) is None


HIT = {"@score": "5", "@id": "1", "info": {"key": "conf/a/B18", "title": "A", "venue": "V"}}


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("a.json", {"result": {"query": "x", "hits": {"hit": [HIT]}}}, r"hits\.hit\[\]\.info"),
        ("a.jsonl", {"result": {"query": "x", "hits": {"hit": [HIT]}}}, r"hits\.hit\[\]\.info"),
        ("a.jsonl", HIT, r"jq -c \.info"),
        ("a.jsonl", HIT["info"] | {"type": "Article"}, r"id \(key\)"),
        ("a.jsonl", {"key": "a/b", "mdate": "2020-01-01", "title": "A"}, r"id \(key\)"),
        ("a.json", [{"key": "a/b", "title": "A", "ee": "https://doi.org/10.1/a"}], r"id \(key\)"),
    ],
)
def test_json_of_dblp_is_named(name, content, remedy):
    finding = found(name, json.dumps(content).encode() + b"\n")
    assert "DBLP" in finding.what and re.search(remedy, finding.remedy)


@pytest.mark.parametrize(
    "header", ["id,title,2018", "title,Field 1,Field 2\nA,b 1,c 2", "a,b,c", "name,year 2018\nA,x"]
)
def test_a_header_is_no_record(header):
    finding = found("a.csv", f"{header}\nx,y,z\n".encode())
    assert finding is None or "without a line" not in finding.what


def test_an_export_that_has_what_records_need_is_read():
    content = b"id,title,Display Key,Lens ID\n1,A,US 1 A,000\n"
    assert found("a.csv", content) is None
    assert "Lens" in found("a.csv", content.replace(b"id,title,", b"no,heading,")).what


def test_a_document_whose_records_are_elsewhere_is_named():
    content = b'{"patents": [{"patent_number": "1", "patent_title": "A"}], "count": 1}'
    assert "PatentsView" in found("a.json", content, PATENTS).what
    page = b'{"status": "ok", "message-type": "work-list", "message": {"items": [{"DOI": "1"}]}}'
    assert "Crossref" in found("a.json", page).what
    page = b'{"total": 1, "data": [{"lens_id": "1"}]}\n'
    assert "Lens" in found("a.jsonl", page).what
    finding = found("a.json", b'{"total": 1, "data": [{"key": 1}]}')
    assert "`data`" in finding.what and "jq -c '.data[]'" in finding.remedy


def test_the_command_that_helps_names_the_file_and_unpacks_it():
    finding = found("a.csv", TABLE.encode("utf-16"))
    assert "`iconv -f UTF-16 -t utf8 '/my data/a.csv' > NEW`" in finding.about(
        Path("/my data/a.csv")
    )
    assert "`gzip -dc /a.csv.gz | iconv -f UTF-16 -t utf8 > NEW`" in finding.about(
        Path("/a.csv.gz")
    )


def test_names_are_the_same_without_case_and_blanks():
    names = ["Publication Year", " publication_year ", "PUBLICATION-YEAR", "publication.year"]
    assert {normalised(name) for name in names} == {"publication_year"}


def test_the_separator_is_the_sign_that_parts_most_of_a_header():
    assert separator_of("id,title,keywords;more") == ","
    assert separator_of('"id";"title, or name, or both"') == ";"
    assert separator_of("id") == ","
    assert separator_of("id\ttitle") == "\t"


def test_the_ending_says_how_a_file_is_read():
    names = ["a.parquet", "a.csv", "a.tsv.gz", "a.json", "a.json.gz", "a.jsonl.gz", "part_0"]
    forms = ["parquet", "csv", "csv", "documents", "documents", "lines", "lines"]
    assert list(map(form_of, names)) == forms


@pytest.mark.parametrize("cut", range(1, 4))
def test_a_letter_that_the_head_cuts_is_no_error(cut):
    text = ("x" * (HEAD - cut) + "😀" * 100).encode()
    assert recognise("a.jsonl", text[:HEAD]) is None


# ---------------------------------------------------------------- real files

REAL = {
    "raw/lens_patents/textiles_37col_319.csv": "Lens",
    "raw/lens_patents/zinc_fingers_37col_130_npl.csv.gz": "Lens",
    "raw/lens_works/works_32col_1000.csv.gz": "Lens",
    "raw/lens_api/patents_scroll_pages.jsonl.gz": "Lens",
    "raw/docdb_xml/DE-backfile.xml": "DOCDB",
    "raw/docdb_xml/YU-6701-A_381353354.xml": "DOCDB",
    "raw/epo_ops/get_register_biblio.xml": "Open Patent Services",
    "raw/epo_xml/grant_v1-5-B1.xml": "full texts of the EPO",
    "raw/uspto_xml/grant_v4-5-B2.xml": "full texts of the USPTO",
    "raw/uspto_xml/application_v1-5-A1_1.xml": "full texts of the USPTO",
    "raw/google_bigquery/flattened_with_fulltext_24.json.gz": "a flattened selection",
    "raw/acl_anthology_xml/2020.acl.xml.gz": "XML",
    "raw/patentsview/nvidia_g_tables/g_patent_nvidia.csv.gz": "PatentsView",
    "raw/patentsview/nvidia_g_tables/g_cpc_current_nvidia.csv.gz": "PatentsView",
    "raw/patentsview/pgpub_joined_228.csv": "PatentsView",
    "raw/patentsview/api_v0_nuclear_123.json.gz": "PatentsView",
    "raw/espacenet_csv/Espacenet_search_result_20260520_1510.csv": "seven lines",
    "raw/espacenet_csv/Filters_20260520_1514.xlsx": "Excel",
    "raw/arxiv/arxiv_archive_cs.IR_300.tsv": "arXiv",
    "raw/arxiv_two_harvests/20200101_cs.MA.tsv.gz": "arXiv",
    "raw/datacite_arxiv/arxiv_datacite_400.jsonl.gz": "DataCite",
    "raw/uspto_odp/search_patents.json": "USPTO",
    "raw/google_bigquery/bq-results_with_ipc.json": "without titles",
    "raw/openalex_api_2026/search_page_utf16.json": "UTF-16",
    "raw/openalex_api_2026/search_page_utf8_bom.json": None,
    "raw/openalex_api_2026/deep_learning_195_works.json.gz": None,
    "raw/google_patents_csv/patent_details_199.csv": None,
    "raw/google_patents_csv/gp-search_300.csv": None,
}


@pytest.mark.parametrize("name", REAL)
def test_genuine_files_are_read_or_named(name):
    file = real_data.path_of(name)
    finding = look_at(file, PAPERS if "openalex" in name else PATENTS)
    if REAL[name]:
        assert REAL[name] in finding.what
    else:
        assert finding is None


@pytest.mark.parametrize(
    "file", sorted(p for p in CASES.rglob("*") if p.is_file() and p.suffix != ".md")[:400], ids=str
)
def test_no_case_is_said_to_be_of_another_format_but_those_that_are(file: Path):
    case = file.relative_to(CASES).parts[0]
    finding = look_at(file, ())
    if not case.startswith(("36", "37", "52")):
        assert finding is None or finding.what.startswith("empty")
