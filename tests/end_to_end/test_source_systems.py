"""Claims about source systems: what one is made of, and which of its files are read."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

import duckdb
import pytest
from dbt.cli.main import dbtRunner

from python_steps.building.fingerprint import source_lines
from python_steps.command_line.check import check_command
from python_steps.command_line.options import SystemPath, project_folder
from python_steps.sources.locations import READABLE_IN_WORDS, list_files
from python_steps.sources.systems import Source, deliveries
from tests.end_to_end.conftest import environment

PROJECT = project_folder()
DELIVERIES = deliveries(PROJECT)

# ---------------------------------------------------------------- an invented system

SOURCES = """
sources:
  - name: bulletin
    description: Papers of an invented bulletin.
    tables:
      - name: articles
        description: One record per article.
        config:
          meta:
            entity: papers
            variable: DEEPINNOVATION_PAPERS_BULLETIN
            required: [[key], [heading]]
            optional: [printed, people]
"""

MODEL = """
with

delivered as (

    {{ delivered_records('bulletin', 'articles') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'key': 'text', 'heading': 'text', 'printed': 'text', 'subjects': ['text'],
            'people': [{'name': 'text', 'at': 'text', 'land': 'text'}],
        }) }} as article
    from delivered

),

renamed as (

    select
        *,
        {{ clean_text('article.key') }} as source_record_id,
        {{ clean_markup('article.heading') }} as title,
        {{ staged_authors('article.people', 'person', name=clean_text('person.name')) }} as authors,
        {{ list_flatten(list_map(
            list_positioned('article.people'), 'person',
            staged_institutions(
                list_of(['person.element']), 'place',
                name=clean_text('place.at'), country_code='place.land',
                author_position='person.position'
            )
        )) }} as institutions
    from parsed

),

judged as (

    select
        *,
        {{ rejection_reason(
            'article is not null', 'source_record_id', 'title', 'article.printed'
        ) }} as rejection_reason
    from renamed

)

select
    record_file,
    record_row,
    'bulletin' as source_name,
    source_record_id,
    'bulletin:' || source_record_id as delivered_document_id,
    title,
    {{ whole_number('article.printed') }} as publication_year,
    'en' as language,
    'Bulletin' as venue,
    'article' as work_type,
    article.subjects as categories,
    authors,
    institutions,
    {{ not_understood() }} as not_understood,
    {{ not_delivered([
        'doi', 'arxiv_id', 'abstract', 'publication_date', 'created_date', 'updated_date',
        'cited_by_count', 'is_retracted', 'keywords', 'cited_works', 'is_authors_truncated',
        'country', 'label_is_ai', 'label_source', 'unread_fields',
    ]) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
"""

TWIN = """
models:
  - name: stg_bulletin__articles
    description: One row per article.
    data_tests:
      - unique_together:
          arguments: {columns: [record_file, record_row]}
"""

PATENTS = """
with

delivered as (

    {{ delivered_records('gazette', 'notices') }}

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        {{ parse_json('record_text', {
            'number': 'text', 'heading': 'text', 'codes': ['text'], 'owner': ['text'],
        }) }} as notice
    from delivered

)

select
    record_file,
    record_row,
    'gazette' as source_name,
    notice.number as source_record_id,
    notice.number as delivered_document_id,
    notice.number as publication_number,
    notice.heading as title,
    'en' as language,
    cast(2001 as bigint) as year,
    'filing' as year_basis,
    {{ staged_authors() }} as inventors,
    {{ staged_applicants('notice.owner', 'owner', name='owner') }} as applicants,
    {{ staged_codes('ipc', 'notice.codes', code='delivered_code') }} as codes,
    {{ not_understood() }} as not_understood,
    {{ not_delivered([
        'application_number', 'family_id', 'abstract', 'publication_date', 'filing_date',
        'grant_date', 'priority_date', 'priority_claims', 'citations', 'office_code',
        'label_is_ai', 'label_source', 'unread_fields',
    ]) }},
    {{ rejection_reason(
        'notice is not null', 'notice.number', 'notice.heading', 'null'
    ) }} as rejection_reason,
    record_text as raw_record
from parsed
"""

ARTICLES = [
    {
        "key": "a1",
        "heading": "Learning to sort",
        "printed": "1999",
        "subjects": ["cs.LG"],
        "people": [
            {"name": "Ada  One", "at": "First Institute", "land": "GB"},
            {"name": "Ben Two"},
        ],
    },
    {"key": "a2", "printed": "1999"},
]
NOTICE = {"number": "US-1-A", "heading": "Sorting", "codes": ["G06N 3/08", "?"], "owner": ["Owner"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project with two systems more: their folders, and one line each elsewhere."""
    folder = tmp_path_factory.mktemp("with_systems") / "project"
    folder.mkdir()
    for name in ("models", "macros", "seeds", "tests"):
        kept = shutil.ignore_patterns("__pycache__", "*.py", "end_to_end", "benchmarks")
        shutil.copytree(PROJECT / name, folder / name, ignore=None if name != "tests" else kept)
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(PROJECT / name, folder)
    papers, patents = (folder / "models/staging" / name for name in ("bulletin", "gazette"))
    for own in (papers, patents):
        own.mkdir()
    (papers / "_bulletin__sources.yml").write_text(SOURCES)
    (papers / "stg_bulletin__articles.sql").write_text(MODEL)
    (papers / "stg_bulletin__articles.yml").write_text(TWIN)
    replaced = {"bulletin": "gazette", "articles": "notices", "BULLETIN": "GAZETTE"}
    replaced |= {"entity: papers": "entity: patents", "PAPERS_": "PATENTS_", "key": "number"}
    replaced |= {"[printed, people]": "[codes, owner]"}
    sources, twin = SOURCES, TWIN
    for old, new in replaced.items():
        sources, twin = sources.replace(old, new), twin.replace(old, new)
    (patents / "_gazette__sources.yml").write_text(sources)
    (patents / "stg_gazette__notices.sql").write_text(PATENTS)
    (patents / "stg_gazette__notices.yml").write_text(twin)
    macro = folder / "macros/staging_models.sql"
    text = macro.read_text()
    for entity, line in (
        ("papers", "'bulletin': 'stg_bulletin__articles',"),
        ("patents", "'gazette': 'stg_gazette__notices',"),
    ):
        assert text.count(f"'{entity}': {{\n") == 1
        text = text.replace(f"'{entity}': {{\n", f"'{entity}': {{\n            {line}\n")
    macro.write_text(text)
    (folder / "delivered").mkdir()
    (folder / "delivered/a.jsonl").write_text("\n".join(map(json.dumps, ARTICLES)))
    (folder / "notice.jsonl").write_text(json.dumps(NOTICE))
    return folder


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "python_steps", *arguments),
            *("--papers", f"bulletin={project}/delivered"),
            *("--patents", f"gazette={project}/notice.jsonl"),
            *("--warehouse", str(project / "made.duckdb")),
        ],
        env=environment(DEEPINNOVATION_PROJECT=str(project)),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_system_that_is_a_folder_and_one_line_arrives_in_the_marts(project):
    marts = "document_authors document_institutions patent_applicants document_codes record_counts"
    made = run(
        *(project, "build", "--select"),
        f"+document_countries {' '.join(f'+{mart}' for mart in marts.split())}",
        *("--publication", str(project / "publication")),
    )
    assert made.returncode == 0, made.stdout + made.stderr
    with duckdb.connect(str(project / "made.duckdb"), read_only=True) as connection:

        def rows(sql: str) -> list[tuple]:
            return connection.execute(sql).fetchall()

        paper, patent = "bulletin:a1", "US-1-A"
        assert rows(
            "select document_id, author_position, author_name, author_role "
            "from marts.document_authors order by all"
        ) == [(paper, 1, "Ada One", "author"), (paper, 2, "Ben Two", "author")]
        assert rows(
            "select * exclude (institution_id, ror, institution_key) "
            "from marts.document_institutions"
        ) == [(paper, 1, 1, "First Institute", "GB")]
        assert rows("select document_id, country_code from marts.document_countries") == [
            (paper, "GB")
        ]
        assert rows("select document_id, applicant_name from marts.patent_applicants") == [
            (patent, "Owner")
        ]
        assert rows("select document_id, scheme, code, is_first from marts.document_codes") == [
            (patent, "ipc", "G06N 3/08", True)
        ]
        counted = "accepted_records, rejected_records from marts.record_counts order by 1"
        assert rows(f"select source_system, delivered_records, {counted}") == [
            ("bulletin", 2, 1, 1),
            ("gazette", 1, 1, 0),
        ]
        assert rows("select title, categories from intermediate.int_papers_deduplicated") == [
            ("Learning to sort", ["cs.LG"])
        ]


def test_such_a_system_is_previewed(project):
    seen = run(project, "check")
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "papers bulletin" in seen.stdout and "patents gazette" in seen.stdout
    assert "50% missing title" in seen.stdout
    assert "1999 to 1999" in seen.stdout


def test_a_system_that_no_yml_describes_is_wrong_usage(project):
    refused = subprocess.run(
        [sys.executable, "-m", "python_steps", "check", "--papers", "pamphlets=x"],
        env=environment(DEEPINNOVATION_PROJECT=str(project)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "one of bulletin, openalex, tables" in re.sub(r"[\s│]+", " ", refused.stderr)


# ---------------------------------------------------------------- what is written of systems


def test_the_example_of_the_environment_names_the_variable_of_every_source():
    lines = (PROJECT / ".env.example").read_text().splitlines()
    named = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    assert {delivery.variable for delivery in DELIVERIES.values()} <= named
    of_sources = re.compile("DEEPINNOVATION_(PAPERS_|PATENTS_|ENTITIES_|LABELS|LINKS)")
    assert {name for name in named if of_sources.match(name)} == {
        delivery.variable for delivery in DELIVERIES.values()
    }


def test_help_names_every_system_and_every_field_that_labels_and_links_need():
    helps = {option.name: option for option in check_command.params}
    for (entity, system), delivery in DELIVERIES.items():
        if isinstance(helps[entity].type, SystemPath):
            assert f"{system}=" in helps[entity].help
        else:
            for (name,) in delivery.required:
                assert name in helps[entity].help


def test_every_source_tells_where_it_is_read_from():
    for file in PROJECT.glob("models/staging/*/_*__sources.yml"):
        system = file.parent.name
        description = file.read_text().partition("tables:")[0]
        for (_, of), delivery in DELIVERIES.items():
            assert of != system or delivery.variable in description


def test_every_sample_is_there():
    samples = [delivery.sample for delivery in DELIVERIES.values() if delivery.sample]
    assert len(samples) == 4
    assert all((PROJECT / sample).exists() for sample in samples)


def test_the_words_for_files_that_can_be_read_agree_with_the_pattern():
    endings = re.findall(r"[.]\w+", READABLE_IN_WORDS)
    pattern = DELIVERIES["papers", "tables"].table.record_files
    of_pattern = re.findall(r"\w+", pattern.removeprefix("(?i)").partition("/")[0])
    assert of_pattern == [ending for ending in of_pattern if f".{ending}" in endings]
    assert all(re.search(pattern, f"/a{ending}") for ending in endings)


# ---------------------------------------------------------------- one rule for files

FILES = [
    *("a.jsonl", "._a.jsonl", ".hidden/a.jsonl", "_tmp/a.jsonl", "_tmp.jsonl", "_x=1/a.jsonl"),
    *("year=2024/b.ndjson", "manifest", "manifest.json", "b/manifest_old.jsonl", "README.md"),
    *("part_0", "part_0.gz", "b/part_1", "b/part_1.crc", "b/.part_2.crc", "b/part_3.gz"),
    *("works/part_0.gz", "works/deleted_ids.csv", "works/updated_date=2024-01-01/part_0.gz"),
    *("data/merged_ids/works/m.csv.gz", "data/merged_ids/authors/m.csv.gz", "authors/a.jsonl"),
    *("data/authors/deleted_ids.csv", "deleted_ids/works/d.csv", "deleted_ids.csv"),
    *("ü +%41 #&/c{d,e}.csv", "f [1]/x.parquet", "k.JSON", "k.json", "k.json.tmp", "_SUCCESS"),
    *("_delta_log/0.json", "deep/_a/b/c.csv", "a.jsonl.gz", "__MACOSX/a.jsonl", "x.jsonl/y.csv"),
]
PLACES = ["", "works", "data", "authors", "*", "b/*", "w*/**/*.gz", "part_0", "README.md", "?.json"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A folder with names that are easily misread, below one whose name means nothing."""
    folder = tmp_path_factory.mktemp("works") / "_deleted_ids/.x"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(gzip.compress(b"{}") if name.endswith(".gz") else b"{}")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "b").mkdir()
    for name in ("alone.jsonl", "b/part_1"):
        (elsewhere / name).write_bytes(b"{}")
    (folder / "linked.jsonl").symlink_to(elsewhere / "alone.jsonl")
    (folder / "linked").symlink_to(elsewhere / "b")
    return folder


def located(tree: Path, place: str) -> str:
    return f"{tree}/{place}".rstrip("/")


@pytest.fixture(scope="module")
def listed_by_dbt(tree, tmp_path_factory) -> dict[str, list[str]]:
    """What the macro lists of every table at every place, by dbt in one query."""
    call = "tojson(delivered_files('any', rules_of_source('{}', '{}'), ['{}']))"
    selects = [
        f"select '{delivery.system} {table.name} {place}' as name, "
        f"'{{{{ {call.format(delivery.system, table.name, located(tree, place))} }}}}' as files"
        for delivery in DELIVERIES.values()
        for table in (delivery.table, *delivery.beside)
        for place in PLACES
    ]
    folder = tmp_path_factory.mktemp("dbt")
    arguments = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet"]
    arguments += ["--target-path", str(folder), "--log-path", str(folder)]
    sql = "{% if execute %}" + " union all ".join(selects) + "{% endif %}"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DEEPINNOVATION_WAREHOUSE", str(folder / "warehouse"))
        result = dbtRunner().invoke(["show", "--inline", sql, "--limit", "-1", *arguments])
    assert result.success, result.exception or result.result.results[0].message
    rows = [row.values() for row in result.result.results[0].agate_table.rows]
    return {name: sorted(chain.from_iterable(json.loads(files).values())) for name, files in rows}


@pytest.mark.parametrize("place", PLACES)
def test_check_and_build_list_the_same_files(place, tree, listed_by_dbt):
    for delivery in DELIVERIES.values():
        listing = list_files(Source(delivery, (located(tree, place),)))
        ours = {delivery.table.name: listing.files, **listing.beside}
        for table, files in ours.items():
            theirs = listed_by_dbt[f"{delivery.system} {table} {place}"]
            assert sorted(map(os.fspath, files)) == theirs, (delivery.system, table)


def test_hidden_files_are_left_out_and_partitions_are_not(tree):
    listed = list_files(Source(DELIVERIES["papers", "tables"], (str(tree),))).files
    names = {file.relative_to(tree).as_posix() for file in listed}
    assert {
        "a.jsonl.gz",
        "_x=1/a.jsonl",
        "year=2024/b.ndjson",
        "part_0.gz",
        "k.json",
        "k.JSON",
    } <= names
    assert {"linked.jsonl", "linked/part_1"} <= names
    hidden = {"._a.jsonl", ".hidden/a.jsonl", "_tmp/a.jsonl", "_tmp.jsonl", "_delta_log/0.json"}
    assert not names & (hidden | {"a.jsonl", "manifest.json", "part_0"})


def test_a_hidden_file_that_comes_changes_nothing_that_a_build_depends_on(tmp_path):
    (tmp_path / "a.jsonl").write_text("{}")
    source = Source(DELIVERIES["papers", "tables"], (str(tmp_path),))
    before = list(source_lines([source]))
    (tmp_path / "._a.jsonl").write_bytes(b"\x00\x05\x16\x07")
    assert list(source_lines([source])) == before and len(before) == 1
