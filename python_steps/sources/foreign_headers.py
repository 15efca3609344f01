"""Recognise tables whose columns are named in Chinese, Japanese or Korean."""

import re
from collections.abc import Iterable

# Column of `tables` to the names that databases of literature and of patents give it: CNKI,
# Wanfang, VIP, CNIPA, incoPat, CiNii, J-PlatPat, RISS, KIPRIS.
NAMES: dict[str, tuple[str, ...]] = {
    "publication_number": (
        *("公开公告号", "公开号", "公告号", "授权公告号", "专利号", "公開番号", "文献番号"),
        *("公開・公告番号", "公開公告號", "공개번호", "등록번호", "공개등록번호"),
    ),
    "application_number": ("申请号", "申請號", "出願番号", "출원번호"),
    "title": (
        *("题名", "篇名", "标题", "论文题名", "论文标题", "题目", "中文题名", "題名", "篇名文献"),
        *("专利名称", "发明名称", "名称", "專利名稱", "論文名", "タイトル", "発明の名称"),
        *("논문명", "제목", "논문제목", "발명의명칭"),
    ),
    "abstract": ("摘要", "中文摘要", "文摘", "抄録", "要約", "초록", "요약"),
    "authors": ("作者", "著者", "著者名", "저자", "저자명"),
    "inventors": ("发明人", "發明人", "发明设计人", "発明者", "발명자"),
    "applicant": ("申请人", "申請人", "专利权人", "当前权利人", "出願人", "出願人権利者", "출원인"),
    "institutions": ("单位", "机构", "作者单位", "作者机构", "單位", "所属", "所属機関", "소속"),
    "venue": (
        "文献来源",
        "来源",
        "刊名",
        "期刊",
        "期刊名称",
        "刊物名称",
        "雑誌名",
        "刊行物名",
        "학술지명",
    ),
    "keywords": ("关键词", "关键字", "中文关键词", "關鍵詞", "キーワード", "주제어", "키워드"),
    "publication_date": (
        *("发表时间", "发表日期", "出版日期", "公开公告日", "公开日", "公告日", "公開公告日"),
        *("公知日", "公開日", "出版日", "発行日", "공개일자", "공개일", "발행일"),
    ),
    "publication_year": (
        "年",
        "年份",
        "出版年",
        "发表年",
        "出版年份",
        "刊行年",
        "発行年",
        "발행연도",
        "발행년도",
    ),
    "filing_date": ("申请日", "申請日", "申请日期", "出願日", "출원일자", "출원일"),
    "ipc": (
        "ipc",
        "ipc分类号",
        "ipc分类",
        "ipc主分类",
        "主分类号",
        "分类号",
        "ipc分類",
        "fi",
        "ipc분류",
    ),
    "doi": ("doi",),
    "language": ("语种", "语言", "言語", "언어"),
}
SIGNS = r"[\s()\uff08\uff09/\u30fb:\uff1a_-]+"
LETTERS = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"


def foreign_header(names: Iterable[str]) -> tuple[str, str] | None:
    """Return what a table with such names is, and what to do; None of one in other letters."""
    names = [name.strip() for name in names]
    meant: dict[str, str] = {}
    is_of_cnki = False
    for name in names:
        # CNKI writes Title-题名.
        printed = re.sub(r"^[A-Za-z]+-(?=[" + LETTERS + "]|DOI)", "", name)
        is_of_cnki |= printed != name
        bare = re.sub(SIGNS, "", printed).lower()
        column = next((column for column, words in NAMES.items() if bare in words), None)
        if column:
            meant.setdefault(column, name)
    written = "".join(names)
    if len(meant) < 2 or not re.search(f"[{LETTERS}]", written):
        return None
    if is_of_cnki:
        what = "an export of CNKI, whose columns are named in Chinese"
    else:
        language = "Korean" if re.search("[\uac00-\ud7a3]", written) else "Chinese"
        language = "Japanese" if re.search("[\u3040-\u30ff]|発|権|願", written) else language
        what = f"a table whose columns are named in {language}"
    return what, _remedy(meant)


def _remedy(meant: dict[str, str]) -> str:
    columns = ", ".join(f"{column} ({name})" for column, name in meant.items())
    is_of_patents = {"publication_number", "application_number", "applicant"} & meant.keys()
    identifier = "publication_number" if is_of_patents else "id"
    without = "" if identifier in meant else f" It lacks {identifier}: add that column"
    if without:
        without += ", if need be with the numbers of the rows." if identifier == "id" else "."
    return (
        "Rename its columns to those of `tables` (docs/guides/deliveries.md), as CSV, Parquet or "
        f"JSON lines. Here: {columns}.{without}"
    )
