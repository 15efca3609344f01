"""Claims about the evaluation of novelty, and about `deepinnovation evaluate novelty`."""

import csv
import itertools
import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from click.testing import CliRunner

from python_steps.building.settings import project_variables
from python_steps.command_line import main
from python_steps.novelty import block_model, scoring
from python_steps.novelty.block_model import BlockModel
from python_steps.novelty.evaluation import (
    areas,
    evaluate,
    field_checks,
    made_up,
    mean_pmi,
    options,
    report,
)
from python_steps.novelty.evaluation.options import BLOCK, LEAD, PMI, WAYS
from python_steps.novelty.hyperedges import Hyperedges
from python_steps.novelty.settings import Settings
from python_steps.novelty.years import walk
from python_steps.warehouse import novelty_evaluation
from tests import novelty_streams

PROJECT = Path(__file__).parents[4]
SETTINGS = Settings(communities=16, burn_in_documents=1000)
OPTIONS = options.Options(documents_a_year=400, draws=50)


def hyperedges_of(*sets, weights=None):
    weights = None if weights is None else pa.array(weights, pa.float64())
    return Hyperedges.from_arrow(pa.array(sets, pa.list_(pa.int32())), weights)


def sets_of(hyperedges):
    return [
        hyperedges.nodes[start:end].tolist()
        for start, end in itertools.pairwise(hyperedges.offsets)
    ]


def table_of(years, sets, weights=None):
    names = [f"D{number:05d}" for number in range(len(sets))]
    return pa.table(
        {
            "corpus": ["paper_content"] * len(sets),
            "document_id": names,
            "hyperedge_id": [f"content:{name}" for name in names],
            "year": pa.array(years, pa.int32()),
            "nodes": pa.array(sets, pa.list_(pa.int32())),
            "weight": pa.array(weights or [1.0] * len(sets), pa.float64()),
        }
    )


def ranked(scores):
    """What the mart `hyperedges` adds, near enough: a rank within the year."""
    values, years = (scores.column(name).to_numpy() for name in ("novelty", "year"))
    percentile = np.full(len(values), np.nan)
    for year in np.unique(years):
        here = np.flatnonzero((years == year) & ~np.isnan(values))
        percentile[here] = (np.argsort(np.argsort(values[here])) + 0.5) / max(1, len(here))
    column = pa.array(percentile, mask=np.isnan(percentile))
    return scores.append_column("novelty_percentile", column)


@pytest.fixture(scope="module")
def table():
    return novelty_streams.drifting(5000, 1000, 12, years=6, seed=1).table


@pytest.fixture(scope="module")
def scores(table):
    return ranked(scoring.score(table, settings=SETTINGS))


@pytest.fixture(scope="module")
def papers(scores):
    """The more novel of a venue are cited more; one venue is more novel than the other."""
    random = np.random.default_rng(0)
    values = np.nan_to_num(scores.column("novelty").to_numpy())
    return pa.table(
        {
            "document_id": scores.column("document_id"),
            "venue": pa.array([None if n % 9 == 0 else "AB"[n % 2] for n in range(len(values))]),
            "cited_by_count": pa.array(
                np.rint(20 * values + random.normal(0, 5, len(values))).astype(np.int64),
                mask=random.random(len(values)) < 0.1,
            ),
            "is_awarded": random.random(len(values)) < 0.02,
        }
    )


@pytest.fixture(scope="module")
def measured(table, scores, papers):
    return evaluate.evaluate(table, scores, papers, settings=SETTINGS, options=OPTIONS)


def figure(measured, measure, scorer=BLOCK, *, group=None, year=None):
    wanted = {"measure": measure, "scorer": scorer, "group": group, "year": year}
    (row,) = [
        row
        for row in measured.to_pylist()
        if all(row[name] == value for name, value in wanted.items())
    ]
    return row


# ---------------------------------------------------------------- made-up documents


@pytest.fixture(scope="module")
def real():
    random = np.random.default_rng(3)
    sizes = random.integers(2, 8, 300)
    return hyperedges_of(
        *(sorted(random.choice(60, size, replace=False, p=None).tolist()) for size in sizes)
    )


@pytest.fixture(scope="module")
def model(table):
    *_, step = walk(table, SETTINGS)
    return step.model


def test_dealing_anew_keeps_every_size_and_every_keywords_documents(real):
    dealt = made_up.switched(real, np.random.default_rng(0))
    assert dealt.sizes.tolist() == real.sizes.tolist()
    assert np.bincount(dealt.nodes).tolist() == np.bincount(real.nodes).tolist()
    assert all(nodes == sorted(set(nodes)) for nodes in sets_of(dealt))
    unchanged = sum(one == two for one, two in zip(sets_of(real), sets_of(dealt), strict=True))
    assert unchanged < 0.05 * len(real)


def test_dealing_anew_mixes_as_well_as_drawing_anew():
    """Two keywords that always met meet as often as by chance."""
    real = hyperedges_of(*([[0, 1]] * 200), *([[number % 40 + 2, 50] for number in range(800)]))
    dealt = sets_of(made_up.switched(real, np.random.default_rng(1)))
    # 200 of 2,000 occurrences are of keyword 1: about a tenth of the 200 partners of keyword 0.
    assert sum(nodes == [0, 1] for nodes in dealt) < 45


def test_dealing_anew_ends_where_a_keyword_is_in_every_document():
    real = hyperedges_of(*([0, number % 5 + 1] for number in range(50)), [0, 1, 2, 3, 4, 5])
    dealt = sets_of(made_up.switched(real, np.random.default_rng(0)))
    assert all(0 in nodes and len(set(nodes)) == len(nodes) for nodes in dealt)


def test_one_keyword_is_replaced_by_one_that_the_document_lacks(real, model):
    made = made_up.made_up("one_replaced", real, np.arange(60), model, np.random.default_rng(0))
    assert len(made.origins) > 0.95 * len(real)
    of_origins = sets_of(real.take(made.origins))
    for one, two in zip(of_origins, sets_of(made.documents), strict=True):
        assert len(one) == len(two) == len(set(two)) and len(set(one) & set(two)) == len(one) - 1


def test_what_has_no_other_keyword_to_take_is_not_made_up(model):
    full = hyperedges_of([0, 1, 2], [0, 1, 2], [0, 1])
    for way in ("one_replaced", "degree_matched", "uniform", "planted"):
        made = made_up.made_up(way, full, np.arange(3), model, np.random.default_rng(0))
        assert all(len(set(nodes)) == len(nodes) for nodes in sets_of(made.documents))
        if way == "one_replaced":
            assert made.origins.tolist() == [2]
    nothing = hyperedges_of()
    for way in WAYS:
        made = made_up.made_up(way, nothing, np.arange(3), model, np.random.default_rng(0))
        assert len(made.documents) == len(made.origins) == 0


def test_every_known_keyword_is_as_likely_where_they_are_drawn_uniformly(real, model):
    known = np.arange(10, 50)
    made = made_up.made_up("uniform", real, known, model, np.random.default_rng(0))
    counts = np.bincount(made.documents.nodes, minlength=60)
    assert counts[:10].sum() == counts[50:].sum() == 0
    assert counts[10:50].min() > 0.4 * counts[10:50].mean()
    assert made.documents.sizes.tolist() == real.sizes[made.origins].tolist()


def test_halves_come_from_two_documents_of_unrelated_communities(table, model):
    later = table.filter(pc.equal(table.column("year"), model.year))
    real = Hyperedges.from_arrow(later.column("nodes"))
    real = real.where(model.is_known(real.nodes))
    real = real.take(real.sizes >= 2)
    made = made_up.made_up("planted", real, np.arange(3), model, np.random.default_rng(0))
    assert len(made.documents) > 50
    assert made.documents.sizes.min() >= 4
    home = made_up.communities_of(real, model)
    originals = [set(nodes) for nodes in sets_of(real.take(made.origins))]
    homes = home[made.origins]
    for nodes in sets_of(made.documents)[:50]:
        held = np.array([len(set(nodes) & original) for original in originals])
        assert held.max() >= len(nodes) // 2
        sources = homes[held >= len(nodes) // 2]
        assert len(set(sources.tolist())) >= 2


def test_communities_that_meet_are_not_unrelated():
    documents = hyperedges_of([0, 1], [0, 2], [0, 1], [3, 4], [3, 4], [5, 6])
    communities = np.array([0, 0, 1, 2, 2, -1, -1])
    home = np.array([0, 1, 0, 2, 2, 0])
    related = ~made_up.unrelated(documents, home, communities, 3)
    assert related.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


# ---------------------------------------------------------------- the rival


def test_mean_pmi_is_its_formula_over_earlier_years():
    years = [2000, 2000, 2001, 2001, 2002, 2002]
    sets = [[0, 1, 2], [0, 1], [1, 2], [0, 3, 4], [0, 1, 3], [2, 4]]
    weights = [1.0, 0.5, 1.0, 0.25, 1.0, 1.0]
    table = table_of(years, sets, weights)
    asked = hyperedges_of([0, 1, 3], [2, 4])
    trial = made_up.Trial(2002, asked, {}, {})
    (found,) = mean_pmi.mean_pmi(table, [trial], SETTINGS)
    together, strength = {}, np.zeros(5)
    for nodes, weight in list(zip(sets, weights, strict=True))[:4]:
        for pair in itertools.combinations(nodes, 2):
            together[pair] = together.get(pair, 0) + weight
            strength[list(pair)] += weight
    total = sum(together.values())
    expected = [
        np.mean(
            [
                np.log(
                    (together.get(pair, 0) + 0.5)
                    / (strength[pair[0]] * strength[pair[1]] / (2 * total) + 0.5)
                )
                for pair in itertools.combinations(nodes, 2)
            ]
        )
        for nodes in sets_of(asked)
    ]
    assert found["real"] == pytest.approx(expected, rel=1e-12)


def test_mean_pmi_does_not_follow_how_pairs_are_cut(table, monkeypatch):
    documents = Hyperedges.from_arrow(table.column("nodes").slice(4000, 500))
    documents = documents.take(documents.sizes >= 2)
    trials = [made_up.Trial(2004, documents, {}, {}), made_up.Trial(2005, documents, {}, {})]
    whole = mean_pmi.mean_pmi(table, trials, SETTINGS)
    monkeypatch.setattr(mean_pmi, "PAIRS_AT_ONCE", 100)
    cut = mean_pmi.mean_pmi(table, trials, SETTINGS)
    for one, two in zip(whole, cut, strict=True):
        assert one["real"] == pytest.approx(two["real"], rel=1e-12)
    assert not np.array_equal(whole[0]["real"], whole[1]["real"])


# ---------------------------------------------------------------- areas under the curve


def test_areas_count_pairs_of_one_size_and_ties_half():
    real = np.array([[3.0, 1.0, 2.0, 9.0, 8.0]])
    others = np.array([[1.0, 2.0, 9.0, 0.0, 5.0]])
    sizes = np.array([2, 2, 2, 3, 3]), np.array([2, 2, 3, 3, 4])
    found = areas.areas_within_size(real, others, *sizes)
    of_two = np.mean([[1, 1], [0.5, 0], [1, 0.5]])
    of_three = np.mean([[0.5, 1], [0, 1]])
    assert found.values[0] == pytest.approx((3 * of_two + 2 * of_three) / 5)
    assert (found.documents, found.others) == (5, 4)


def test_areas_of_nothing_are_nothing():
    one = np.ones((2, 1))
    assert areas.areas_within_size(one, one, np.array([2]), np.array([2])) is None
    assert areas.areas_within_size(one, one, np.array([2]), np.array([3])) is None


def test_the_covariance_is_that_of_drawing_documents_anew():
    random = np.random.default_rng(0)
    shared = random.normal(size=200)
    real = np.stack([shared + 1, shared + random.normal(size=200) + 0.5])
    shared = random.normal(size=150)
    others = np.stack([shared, shared + random.normal(size=150)])
    sizes = np.repeat([2, 3], 100), np.repeat([2, 3], 75)
    found = areas.areas_within_size(real, others, *sizes)
    drawn = []
    for _ in range(600):
        here = np.concatenate([random.integers(0, 100, 100), random.integers(100, 200, 100)])
        there = np.concatenate([random.integers(0, 75, 75), random.integers(75, 150, 75)])
        drawn.append(areas.areas_within_size(real[:, here], others[:, there], *sizes).values)
    expected = np.cov(np.array(drawn).T)
    assert found.covariance == pytest.approx(expected, rel=0.25)


# ---------------------------------------------------------------- the whole


def test_the_model_tells_real_documents_from_made_up_ones(measured):
    assert figure(measured, "degree_matched")["value"] > 0.85
    assert figure(measured, "uniform")["value"] > 0.85
    assert figure(measured, "planted")["value"] > 0.8
    assert figure(measured, "one_replaced")["value"] > 0.6
    for way in WAYS:
        block, rival, lead = (figure(measured, way, scorer) for scorer in (BLOCK, PMI, LEAD))
        assert lead["value"] == pytest.approx(block["value"] - rival["value"])
        assert all(row["low"] <= row["value"] <= row["high"] for row in (block, rival, lead))


def test_where_keywords_are_shuffled_there_is_nothing_to_tell(measured):
    for scorer in (BLOCK, PMI):
        found = figure(measured, "shuffled", scorer)
        assert 0.47 < found["value"] < 0.53
        assert found["low"] - 0.01 < 0.5 < found["high"] + 0.01


def test_years_make_up_the_whole(measured, scores):
    rows = [
        row
        for row in measured.to_pylist()
        if row["measure"] == "degree_matched" and row["scorer"] == BLOCK
    ]
    whole = [row for row in rows if row["year"] is None]
    years = [row for row in rows if row["year"] is not None]
    scored = scores.filter(pc.is_valid(scores.column("novelty")))
    assert [row["year"] for row in years] == sorted(set(scored.column("year").to_pylist()))
    assert whole[0]["documents"] == sum(row["documents"] for row in years)
    mean = sum(row["documents"] * row["value"] for row in years) / whole[0]["documents"]
    assert whole[0]["value"] == pytest.approx(mean)


def test_scores_come_out_again_and_do_not_know_the_last_years(measured):
    assert figure(measured, "reproduced", "surprise")["value"] == 1
    repeated = figure(measured, "without_last_years", "surprise")
    assert repeated["value"] == 1 and repeated["documents"] > 500


def test_scores_of_other_settings_are_not_reproduced(table, papers):
    others = ranked(scoring.score(table, settings=Settings(16, burn_in_documents=1500)))
    found = evaluate.evaluate(table, others, papers, settings=SETTINGS, options=OPTIONS)
    assert figure(found, "reproduced", "surprise")["value"] < 0.1
    (told,) = [line for line in report.alarms(found) if "warehouse" in line]
    assert "--vars" in told


def test_shares_of_reasons_add_up(measured, scores):
    rows = [row for row in measured.to_pylist() if row["measure"] == "share_scored"]
    assert rows[0]["group"] == "scored"
    assert {"burn_in"} < {row["group"] for row in rows}
    assert sum(row["value"] for row in rows) == pytest.approx(1)
    assert sum(row["documents"] for row in rows) == scores.num_rows


def test_correlation_with_size_is_spearmans(measured, scores):
    from scipy.stats import spearmanr

    scored = scores.filter(pc.is_valid(scores.column("novelty")))
    known = scored.column("known_nodes").to_numpy()
    for scorer in ("novelty", "surprise"):
        expected = spearmanr(scored.column(scorer).to_numpy(), known).statistic
        found = figure(measured, "size_correlation", scorer)
        assert found["value"] == pytest.approx(expected)
        assert found["low"] < expected < found["high"]
    assert abs(figure(measured, "size_correlation", "novelty")["value"]) <= 0.2


def test_equal_tables_in_another_order_give_equal_bits(table, scores, papers, measured):
    random = np.random.default_rng(5)
    other = [part.take(pa.array(random.permutation(part.num_rows))) for part in (table, scores)]
    again = evaluate.evaluate(*other, papers, settings=SETTINGS, options=OPTIONS)
    assert again.equals(measured)


def test_a_corpus_that_is_all_burn_in_tells_its_reasons_and_nothing_more(table, papers):
    settings = Settings(communities=4, burn_in_documents=10_000)
    scores = ranked(scoring.score(table, settings=settings))
    found = evaluate.evaluate(table, scores, papers, settings=settings, options=OPTIONS)
    assert set(found.column("measure").to_pylist()) == {"share_scored"}
    assert found.column("group").to_pylist() == ["burn_in"]


def test_a_year_of_nothing_but_new_keywords_is_not_judged(papers):
    years, sets = [2000] * 40 + [2001] * 5, [[0, 1], [2, 3]] * 20 + [[4 + n, 40] for n in range(5)]
    table = table_of(years, sets)
    settings = Settings(communities=2, burn_in_documents=20)
    scores = ranked(scoring.score(table, settings=settings))
    found = evaluate.evaluate(table, scores, papers, settings=settings, options=OPTIONS)
    assert set(found.column("group").to_pylist()) == {"burn_in", "fewer_than_two_known_nodes"}


def test_a_corpus_without_documents_tells_nothing(table, scores, papers):
    none = [part.slice(0, 0) for part in (table, scores, papers)]
    assert evaluate.evaluate(*none, settings=SETTINGS).num_rows == 0


def test_progress_ends_with_all_years_of_each_walk(table, scores, papers):
    told = []
    evaluate.evaluate(
        table,
        scores,
        papers,
        settings=SETTINGS,
        options=OPTIONS,
        report=lambda *words: told.append(words),
    )
    ends = {what: (done, of_all) for what, done, of_all in told}
    assert list(ends.values()) == [(6, 6), (6, 6), (4, 4)]


# ---------------------------------------------------------------- field checks


def test_ties_share_what_is_left_of_the_tenth():
    found = field_checks.most_cited(np.array([9.0, 5, 5, 5, 5] + [0] * 15))
    assert found.tolist() == [1, *[0.25] * 4, *[0] * 15]
    assert field_checks.most_cited(np.arange(25.0)).sum() == pytest.approx(2.5)
    assert np.ptp(field_checks.most_cited(np.zeros(30))) == 0


def test_a_difference_between_venues_is_none_within_them(scores, papers):
    """Only who stands out within venue and year counts."""
    scored = np.where(np.arange(scores.num_rows) % 2 == 0, 0.9, 0.1)
    column = scores.schema.get_field_index("novelty_percentile")
    scores = scores.set_column(column, "novelty_percentile", pa.array(scored))
    rows = list(field_checks.check_fields(scores, papers, "paper_content", OPTIONS))
    found = [row for row in rows if row["scorer"] == "novelty_percentile"]
    assert found and all(abs(row["value"]) < 1e-12 for row in found)


def test_the_most_cited_are_more_novel_where_they_are(measured):
    for scorer in ("novelty_percentile", "surprise_within_size"):
        found = figure(measured, "highly_cited", scorer)
        assert 0 < found["low"] < found["value"] < found["high"]
    venues = [
        row
        for row in measured.to_pylist()
        if row["measure"] == "highly_cited" and row["scorer"] == "novelty_percentile"
    ]
    assert [row["group"] for row in venues] == [None, "A", "B"]
    everyone = [row["documents"] + row["others"] for row in venues]
    assert everyone[0] == everyone[1] + everyone[2]
    assert venues[0]["documents"] / venues[0]["others"] == pytest.approx(1 / 9, abs=0.005)


def test_awards_that_have_nothing_to_do_with_novelty_show_no_difference(measured):
    found = figure(measured, "awarded", "novelty_percentile")
    assert found["low"] < 0 < found["high"]
    assert found["documents"] > 10


def test_the_interval_is_that_of_a_bootstrap_within_groups():
    random = np.random.default_rng(0)
    values, member = random.normal(size=(1, 400)), (np.arange(400) < 40).astype(float)
    found = field_checks.differences(values, member, 2000, random)[0]
    assert found[0] == pytest.approx(values[0, :40].mean() - values[0, 40:].mean())
    error = np.sqrt(values[0, :40].var() / 40 + values[0, 40:].var() / 360)
    assert np.nanstd(found[1:]) == pytest.approx(error, rel=0.1)


def test_small_groups_and_groups_cited_alike_are_left_out(scores, papers):
    alike = papers.set_column(2, "cited_by_count", pa.array([3] * papers.num_rows))
    rows = field_checks.check_fields(scores, alike, "paper_content", OPTIONS)
    assert {row["measure"] for row in rows} == {"awarded"}
    few = papers.take(pa.array(range(3900, 3960)))
    assert not list(field_checks.check_fields(scores, few.slice(0, 19), "paper_content", OPTIONS))


# ---------------------------------------------------------------- the command


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, table, scores, papers):
    path = tmp_path_factory.mktemp("novelty") / "warehouse.duckdb"
    build(path, table, scores, papers)
    return path


def build(path, table, scores, papers):
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.register("edges", table)
        connection.register("scores", scores)
        connection.register("papers", papers)
        connection.execute(
            "create table marts.hyperedges as select * rename (year as novelty_year) from edges "
            "left join (select * exclude (corpus, year) from scores) using (hyperedge_id)"
        )
        connection.execute(
            "create table marts.papers as select document_id, venue, cited_by_count, "
            "'Conference paper' as work_type, case when is_awarded "
            "then ['Learning', 'Outstanding Paper Award'] end as categories from papers"
        )


def run(*arguments):
    words = ["evaluate", "novelty", *(str(argument) for argument in arguments)]
    return CliRunner().invoke(main.main, words)


VARIABLES = ("--vars", "{novelty_communities: 16, novelty_burn_in_documents: 1000}")


def test_the_tables_tell_every_figure_in_words(warehouse):
    shown = run("--warehouse", warehouse, *VARIABLES)
    assert shown.exit_code == 0, shown.output
    for words in (
        "paper_content: how often a real document is less surprising",
        "keywords dealt again",
        "control: all shuffled",
        "paper_content by year",
        "not scored: burn in",
        "rank correlation with known keywords",
        "most cited tenth less others of venue and year",
        "awarded less others of venue and year",
    ):
        assert words in shown.output, words
    assert "patent_content" not in shown.output
    assert "did not come out" not in shown.output


@pytest.mark.parametrize("form", ["csv", "json"])
def test_data_hold_every_figure_and_nothing_else(warehouse, measured, form):
    shown = run("--warehouse", warehouse, *VARIABLES, "--most-per-year", 400, "--format", form)
    lines = shown.stdout.splitlines()
    rows = [json.loads(line) for line in lines] if form == "json" else list(csv.DictReader(lines))
    assert set(rows[0]) == set(options.EVALUATION.names)
    # The command's field checks draw more often, for the same figures.
    expected = measured.to_pylist()
    assert [(row["measure"], float(row["value"])) for row in rows] == [
        (row["measure"], row["value"]) for row in expected
    ]


def test_the_folder_gets_the_figures_and_three_plots(warehouse, tmp_path):
    there = tmp_path / "there"
    shown = run("--warehouse", warehouse, *VARIABLES, "--output", there)
    assert shown.exit_code == 0
    names = ["auc_by_year.png", "highly_cited.png", "novelty_by_size.png", "novelty_evaluation.csv"]
    assert sorted(path.name for path in there.iterdir()) == names
    for name in names[:3]:
        assert (there / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("floor", "code"),
    [
        ("degree_matched=0.7", 0),
        ("degree_matched=0.999", 4),
        ("lead=-1", 0),
        ("lead=0.9", 4),
        ("shuffled=0.05", 0),  # the furthest it may be from .5
        ("size_correlation=0.000001", 4),  # the most it may be
        ("share_scored=0.1", 0),
        ("without_last_years=1", 0),
    ],
)
def test_below_a_floor_the_exit_code_is_4(measured, floor, code):
    name, _, value = floor.partition("=")
    missed = report.below(measured, [(name, float(value))])
    assert len(missed) == (code == 4)
    assert all(f"{name} of paper_content is" in sentence for sentence in missed)


def test_a_missed_floor_ends_the_command_with_4(warehouse):
    shown = run("--warehouse", warehouse, *VARIABLES, "--floor", "planted=1")
    assert shown.exit_code == 4
    assert "planted of paper_content is 0." in shown.output
    missing = run("--warehouse", warehouse, "--corpus", "patent_content", "--floor", "planted=0")
    assert missing.exit_code == 4
    assert "no hyperedges to judge" in missing.output


def test_a_block_model_that_is_behind_is_told(measured):
    assert report.alarms(measured) == []
    behind = [
        row | {"value": -0.05}
        if (row["measure"], row["scorer"]) == ("degree_matched", LEAD)
        else row
        for row in measured.to_pylist()
    ]
    (told,) = report.alarms(pa.Table.from_pylist(behind, schema=options.EVALUATION))
    assert "0.050 behind the mean PMI" in told


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--corpus", "papers"], 2, "paper_content"),
        (["--floor", "beauty=1"], 2, "NAME is one of"),
        (["--floor", "planted=-0.1"], 2, "NAME=VALUE"),
        (["--vars", "{novelty_comunities: 8}"], 2, "novelty_communities"),
        (["--vars", "{novelty_communities: 1}"], 2, "communities = 1"),
        (["--vars", "{novelty_decay: much}"], 2, "novelty_decay must be a number"),
        (["--most-per-year", "3"], 2, "--most-per-year"),
    ],
)
def test_wrong_usage_says_what_is_meant(warehouse, arguments, code, said):
    shown = run("--warehouse", warehouse, *arguments)
    assert shown.exit_code == code
    assert said in shown.output


def test_help_shows_an_example_and_knows_the_corpora():
    shown = run("--help")
    assert "    deepinnovation evaluate novelty " in shown.output
    flat = re.sub(r"\s", "", shown.output)
    assert "|".join(options.CORPORA) in flat


def test_the_settings_are_those_that_a_build_scores_with():
    path = PROJECT / "models/intermediate/novelty/int_documents_novelty_scored.yml"
    (node,) = yaml.safe_load(path.read_text())["models"]
    given = node["config"]["meta"]["settings"]
    variables = project_variables(PROJECT)
    assert {f"novelty_{name}" for name in given} <= set(variables)
    other = {f"novelty_{name}": 7 if name != "decay" else 0.7 for name in given}
    changed = novelty_evaluation.settings_of(variables | other)
    standard = Settings()
    assert {name for name, value in vars(standard).items() if getattr(changed, name) != value} == (
        set(given)
    )


# ---------------------------------------------------------------- the page for readers


def test_the_worked_example_of_the_page_is_what_the_model_says():
    """Two fields of equal size; each row of the page's table is scored anew."""
    page = (PROJECT / "docs/methods/novelty.md").read_text()
    counts = {
        name.strip(): [float(first), float(second)]
        for name, first, second in re.findall(r"^\| ([a-z ]+) \| (\d+) \| (\d+) \|", page, re.M)
    }
    assert len(counts) == 4
    names = list(counts)
    model = BlockModel(Settings(), 2, 2018)
    changes = {
        "nodes": np.arange(len(names)),
        "counts": np.array(list(counts.values()), np.float32),
        "tokens": np.array([99.0, 99.0]),
        "documents": np.array([49.0, 49.0]),
    }
    model.restore(changes, hyperedges_of(list(range(len(names)))), 2019)
    minus = "\N{MINUS SIGN}"
    rows = re.findall(r"^\| ([a-z ,]+)" + rf" \| ({minus}?\d\.\d+)" * 3 + r" \|", page, re.M)
    assert len(rows) == 5
    for words, *figures in rows:
        nodes = [names.index(word) for word in words.split(", ") if word in names]
        document = hyperedges_of([*nodes, *([99] if "holographic memory" in words else [])])
        surprise = model.surprise(document)
        told = [float(figure.replace(minus, "-")) for figure in figures]
        found = [np.exp(-surprise[0]), surprise[0], block_model.novelty(surprise, len(nodes))[0]]
        assert told == pytest.approx(found, abs=0.0051), words
