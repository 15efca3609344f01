"""Judging linking by known pairs: the sample's, and those of a file."""

import csv
import json
import shutil
import zipfile

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner

from python_steps import tables
from python_steps.command_line import main
from python_steps.command_line.options import project_folder
from python_steps.linking import measures
from python_steps.linking.measures import ALL_SAME
from python_steps.warehouse import known_pairs

LINKS = project_folder() / "seeds/sample/links.csv"


@pytest.fixture
def evaluate(sample_build):
    def run(*arguments, warehouse=sample_build.warehouse):
        words = ["evaluate", "linking", "--warehouse", warehouse, *arguments]
        return CliRunner().invoke(main.main, [str(word) for word in words])

    return run


@pytest.fixture
def changed(sample_build, tmp_path):
    """Run SQL on a copy of the warehouse, and return where that is."""

    def change(*statements, **relations):
        place = tmp_path / "changed.duckdb"
        shutil.copy(sample_build.warehouse, place)
        with duckdb.connect(str(place)) as connection:
            for name, table in relations.items():
                connection.register(name, table)
            for statement in statements:
                connection.execute(statement)
        return place

    return change


def written(folder, *rows, name="links.csv", header="paper_id,patent_id,kind"):
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]))
    return path


@pytest.fixture
def right(sample_build):
    """Some pairs of the sample that are judged, as (paper, patent)."""
    return sample_build.rows(
        "select paper_id, patent_id from intermediate.int_links_judged "
        "where reason is null and is_same order by all"
    )


def test_every_pair_of_the_sample_is_judged_or_there_is_a_reason(sample_build):
    with LINKS.open(newline="") as lines:
        kinds = [row["kind"] for row in csv.DictReader(lines)]
    counted = sample_build.rows(
        "select kind, count(*) from intermediate.int_links_judged group by kind order by kind"
    )
    assert dict(counted) == {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    measured = sample_build.rows(
        "select kind, pairs from marts.linking_quality where method = 'title_abstract'"
    )
    reasonless = sample_build.rows(
        "select kind, count(*) from intermediate.int_links_judged "
        "where reason is null group by kind"
    )
    judged = dict(reasonless)
    assert dict(measured) == judged | {ALL_SAME: judged["twin"]}
    assert judged["twin"] >= 5


def test_the_twins_of_the_sample_are_found(sample_build):
    ((first, among_ten),) = sample_build.rows(
        "select hit_at_1, hit_at_10 from marts.linking_quality "
        "where kind = 'twin' and method = 'title_abstract'"
    )
    assert first >= 0.8
    assert among_ten == 1


def test_ranks_by_vectors_are_those_of_the_matches(sample_build):
    differing = sample_build.rows(
        """
        select ranked.*, pairs.rank
        from intermediate.int_links_ranked as ranked
        inner join intermediate.int_papers_matched_to_patents as pairs using (paper_id, patent_id)
        where
            ranked.method = pairs.space
            -- Others of the paper that are right are left out of the one and not of the other.
            and ranked.rank <> pairs.rank - (
                select count(*)
                from intermediate.int_papers_matched_to_patents as before
                inner join intermediate.int_links_resolved as links using (paper_id, patent_id)
                where
                    before.space = pairs.space
                    and before.paper_id = pairs.paper_id
                    and before.rank < pairs.rank
                    and coalesce(links.is_same, true)
            )
        """
    )
    assert not differing
    ((compared,),) = sample_build.rows(
        "select count(*) from intermediate.int_links_ranked "
        "inner join intermediate.int_papers_matched_to_patents using (paper_id, patent_id)"
    )
    assert compared > 5


@pytest.mark.parametrize("has_views", [True, False], ids=["as it is", "without views, as Spark's"])
def test_a_file_of_the_same_pairs_gives_the_figures_of_the_build(
    sample_build, evaluate, tmp_path, has_views
):
    place = sample_build.warehouse
    if not has_views:
        place = tmp_path / "warehouse.duckdb"
        shutil.copy(sample_build.warehouse, place)
        with duckdb.connect(str(place)) as connection:
            views = connection.execute(
                "select schema_name, view_name from duckdb_views() where not internal"
            ).fetchall()
            for schema, name in views:
                connection.execute(f'drop view "{schema}"."{name}"')
            assert len(views) > 5
    shown = evaluate("--links", LINKS, "--format", "json", warehouse=place)
    of_build = evaluate("--format", "json")
    assert shown.exit_code == of_build.exit_code == 0, shown.output
    sorted_ = [
        sorted((json.loads(line) for line in each.stdout.splitlines()), key=repr)
        for each in (shown, of_build)
    ]
    assert sorted_[0] == sorted_[1]
    assert len(sorted_[0]) > 10
    assert shown.stderr == of_build.stderr
    assert "not judged, the patent is not AI" in shown.stderr


def test_pairs_that_cannot_be_judged_are_named_with_the_reason(evaluate, right, tmp_path):
    (paper, patent), (other, _), *_ = right
    path = written(
        tmp_path,
        f"https://openalex.org/{paper},{patent.lower().replace('-', '')},Twin",
        f"W1,{patent},twin",
        f"{other},XX-1-A,",
        f"{other},,twin",
    )
    shown = evaluate("--links", path, "--output", tmp_path / "there")
    assert shown.exit_code == 0, shown.output
    assert "twin: 1 pairs of 1 papers" in shown.output
    for sentence in (
        f"1 not judged, the warehouse has no such paper: W1 – {patent} (links.csv, row 2).",
        f"1 not judged, the warehouse has no such patent: {other} – XX-1-A (links.csv, row 3).",
        f"1 not judged, the row lacks a paper_id or a patent_id: {other} – ? (links.csv, row 4).",
    ):
        assert sentence in shown.output
    names = ["linking.png", "linking_quality.csv", "linking_ranks.csv", "links_not_judged.csv"]
    assert sorted(file.name for file in (tmp_path / "there").iterdir()) == names
    assert (tmp_path / "there/linking.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "there/links_not_judged.csv").open(newline="") as lines:
        reasons = [row["reason"] for row in csv.DictReader(lines)]
    assert sorted(reasons) == ["missing_identifier", "unknown_paper", "unknown_patent"]


@pytest.mark.parametrize("name", ["links.jsonl", "links.parquet"])
def test_links_may_be_lines_of_json_or_parquet(evaluate, right, tmp_path, name):
    path = tmp_path / name
    rows = [{"paper_id": paper, "patent_id": patent, "kind": "cited"} for paper, patent in right]
    if name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    shown = evaluate("--links", path, "--format", "csv")
    assert shown.exit_code == 0, shown.output
    found = list(csv.DictReader(shown.stdout.splitlines()))
    # A kind of one's own says that the two belong together.
    assert {(row["kind"], row["is_same"]) for row in found} == {
        ("cited", "true"),
        (ALL_SAME, "true"),
    }


def test_links_may_be_packed(evaluate, right, tmp_path):
    path = written(tmp_path, *(f"{paper},{patent},cited" for paper, patent in right))
    packed = tmp_path / "links.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, "links.csv")
    shown, unpacked = (evaluate("--links", each, "--format", "csv") for each in (packed, path))
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == unpacked.stdout
    assert "cited" in shown.stdout


def test_rows_are_numbered_within_their_file(evaluate, right, tmp_path):
    folder = tmp_path / "two"
    folder.mkdir()
    written(folder, *(f"{paper},{patent},twin" for paper, patent in right[:3]), name="a.csv")
    written(folder, f"{right[0][0]},XX-1-A,twin", f",{right[0][1]},twin", name="b.csv")
    shown = evaluate("--links", folder, "--output", tmp_path / "there")
    assert shown.exit_code == 0, shown.output
    assert "(b.csv, row 1)" in shown.output
    with (tmp_path / "there/links_not_judged.csv").open(newline="") as lines:
        rows = [row["record_row"] for row in csv.DictReader(lines)]
    assert rows == ["1", "2"]


def test_a_pair_that_was_not_drawn_takes_no_place(sample_build, evaluate, tmp_path):
    # The nearest patent of a paper, and the next one, which is drawn before it.
    (paper, nearest, drawn), *_ = sample_build.rows(
        """
        select paper_id, nearest.patent_id, next.patent_id
        from intermediate.int_papers_matched_to_patents as nearest
        inner join intermediate.int_papers_matched_to_patents as next using (paper_id)
        where nearest.rank = 1 and next.rank = 2 and md5(next.patent_id) < md5(nearest.patent_id)
        order by paper_id
        """
    )
    path = written(tmp_path, f"{paper},{nearest},twin", f"{paper},{drawn},twin")
    shown = evaluate("--links", path, "--format", "json", "--vars", "{judged_links: 1}")
    assert "1 not judged, sampled out: more than judged_links of this kind" in shown.stderr
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert {row["hit_at_1"] for row in rows if row["method"] == "title_abstract"} == {1}


def test_a_floor_that_is_reached_is_passed_over_and_an_unknown_one_refused(evaluate):
    reached = evaluate("--floor", "hit_at_10=0.9")
    assert reached.exit_code == 0
    assert "must be" not in reached.output
    unknown = evaluate("--floor", "hit_at_100=1")
    assert unknown.exit_code == 2
    assert "must be NAME=VALUE, for example hit_at_1=0.8" in unknown.output


def test_below_a_floor_the_exit_code_is_4(evaluate, right, sample_build, tmp_path):
    # A pair that is none: the farthest patent of the first paper.
    ((paper, patent),) = sample_build.rows(
        "select paper_id, patent_id from marts.paper_patent_pairs "
        f"where paper_id = '{right[0][0]}' order by rank desc limit 1"
    )
    path = written(tmp_path, f"{paper},{patent},twin")
    shown = evaluate("--links", path, "--floor", "hit_at_1=0.5", "--floor", "hit_at_10=0")
    assert shown.exit_code == 4
    sentence = "hit_at_1 of title_abstract is 0.000 on 1 pairs, and must be at least 0.5."
    assert sentence in shown.stderr
    path = written(tmp_path, f"{paper},{patent},Near-miss")
    shown = evaluate("--links", path, "--floor", "hit_at_1=0")
    assert shown.exit_code == 4
    assert "no known pairs of the same invention to judge" in shown.stderr


@pytest.mark.parametrize(
    ("rows", "header", "told"),
    [
        (["W1,US-1-A"], "article,invention", "paper_id is missing, but required."),
        (['W1,"US-1-A'], "paper_id,patent_id", "a quote in it is never closed"),
    ],
)
def test_a_file_that_is_no_table_of_links_is_named(evaluate, tmp_path, rows, header, told):
    path = written(tmp_path, *rows, header=header)
    shown = evaluate("--links", path)
    assert shown.exit_code == 3
    assert told in shown.output
    assert "links.csv" in shown.output
    assert "Traceback" not in shown.output


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("links.csv", "", "paper_id is missing, but required."),
        ("links.csv", "paper_id,patent_id,kind\n", ""),
        ("links.csv", "paper_id,patent\n", "patent_id is missing, but required."),
        ("links.jsonl", "", ""),
    ],
)
def test_a_file_without_links_is_refused(evaluate, tmp_path, name, text, told):
    path = tmp_path / name
    path.write_text(text)
    shown = evaluate("--links", path)
    assert shown.exit_code == 3
    assert f"Error: {path} contains no links. {told}".strip() in shown.output
    assert ("is missing" in shown.output) == bool(told)


def test_links_of_no_name_are_a_wrong_option(evaluate, tmp_path, monkeypatch):
    shutil.copy(LINKS, tmp_path)
    monkeypatch.chdir(tmp_path)
    shown = evaluate("--links", "")
    assert shown.exit_code == 2
    assert "--links is empty: name a file" in shown.output


def test_a_file_that_is_not_there_is_named(evaluate, tmp_path):
    shown = evaluate("--links", tmp_path / "nothing.csv")
    assert shown.exit_code == 3
    assert "nothing.csv (links) does not exist" in shown.output


def test_of_the_links_of_a_build_the_calibration_is_written_too(evaluate, tmp_path):
    shown = evaluate("--output", tmp_path / "there")
    assert shown.exit_code == 0, shown.output
    with (tmp_path / "there/similarity_calibration.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["space"] for row in rows} == {"title_abstract"}
    assert (tmp_path / "there/similarity_calibration.png").read_bytes().startswith(b"\x89PNG")


def test_a_warehouse_of_other_variables_says_so(evaluate):
    for options in ([], ["--links", LINKS]):
        shown = evaluate("--vars", "{compared_space: keywords}", *options)
        assert shown.exit_code == 3
        told = "The warehouse holds vectors of title_abstract, and the variables ask for keywords"
        assert told in shown.output


def test_a_warehouse_of_more_vectors_than_variables_ask_for_says_so(evaluate, changed):
    place = changed(
        """
        insert into intermediate.int_documents_compared by name
        select * replace ('keywords' as space) from intermediate.int_documents_compared
        """,
        "insert into intermediate.int_keyword_texts_embedded by name "
        "from intermediate.int_documents_embedded",
    )
    shown = evaluate("--links", LINKS, warehouse=place)
    assert shown.exit_code == 3
    told = "holds vectors of keywords and title_abstract, and the variables ask for title_abstract"
    assert told in shown.output
    asked = ("--vars", "{compared_space: keywords, published_space: title_abstract}")
    assert evaluate("--links", LINKS, *asked, warehouse=place).exit_code == 0


def test_gains_and_floors_are_about_the_vectors_that_the_build_found_pairs_by(evaluate, changed):
    ranks = {"keywords": 1, "title_abstract": 2, "bm25": 2, "keywords+title_abstract+bm25": 2}
    pair = {"paper_id": "W1", "patent_id": "P1", "kind": "twin", "is_same": True}
    ranked = pa.Table.from_pylist(
        [pair | {"method": each, "rank": ranks[each], "eligible_patents": 9} for each in ranks],
        schema=tables.LINKS_RANKED,
    )
    place = changed(
        "delete from intermediate.int_links_ranked",
        "insert into intermediate.int_links_ranked by name from ranked",
        "delete from marts.linking_quality",
        "insert into marts.linking_quality by name from measured",
        ranked=ranked,
        measured=measures.measure(ranked, baseline="keywords"),
    )
    shown = evaluate("--floor", "hit_at_1=0.9", warehouse=place)
    assert shown.exit_code == 0, shown.output
    assert "of keywords" in shown.output
    assert "of title_abstract" not in shown.output


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ("{compared_space: title}", "set it to one of title_abstract, keywords"),
        ("{minimum_lag_years: 3, maximum_lag_years: 1}", "a whole number from 3"),
        ("{judged_links: 0}", "set it to a whole number from 1"),
    ],
)
def test_variables_that_a_build_would_refuse_are_refused(evaluate, variables, told):
    shown = evaluate("--links", LINKS, "--vars", variables)
    assert shown.exit_code == 2
    assert told in shown.output.replace("\n", " ")


def test_a_build_without_links_has_nothing_to_judge(sample_build, evaluate, tmp_path):
    place = tmp_path / "warehouse.duckdb"
    shutil.copy(sample_build.warehouse, place)
    with duckdb.connect(str(place)) as connection:
        # The given links are a view of the imported ones.
        given, *others = known_pairs.OF_A_BUILD.values()
        assert given == ("marts", "links_given")
        for schema, table in (("intermediate", "int_links_imported"), *others):
            connection.execute(f"delete from {schema}.{table}")
    shown = evaluate(warehouse=place)
    assert shown.exit_code == 0
    assert "No known pairs: name a file with --links FILE" in shown.output
    assert evaluate("--floor", "hit_at_1=0", warehouse=place).exit_code == 4


@pytest.mark.parametrize(
    ("statement", "options", "told"),
    [
        (
            "drop table intermediate.int_keyword_texts_embedded",
            ["--links", LINKS],
            "has no intermediate.int_keyword_texts_embedded: build it",
        ),
        ("alter table marts.linking_quality drop column pairs", [], "build it again"),
    ],
)
def test_a_warehouse_that_was_half_built_says_what_to_do(
    evaluate, changed, statement, options, told
):
    place = changed(statement)
    shown = evaluate(*options, warehouse=place)
    assert shown.exit_code == 3, shown.exception
    assert told in shown.output
