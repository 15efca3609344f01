"""The layering of the project, proved on the manifest that dbt makes of it."""

import ast
import json
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner

from python_steps.novelty import Settings

PROJECT = Path(__file__).parents[2]

# Data flow one way: a folder reads the folders named for it, and itself.
MAY_READ = {
    "staging": {"source"},
    "intermediate": {"staging", "intermediate", "seed"},
    "marts": {"intermediate", "marts", "seed"},
    "publication": {"marts"},
}
# Within intermediate, a stage reads the stages before it.
STAGES = ["documents", "ai_decision", "embeddings", "keywords", "novelty"]
STAGES += ["similarity/matching", "similarity/ranking", "similarity/confidence", "linking"]


@pytest.fixture(scope="session")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manifest")
    arguments = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet"]
    arguments += ["--target-path", str(folder), "--log-path", str(folder)]
    result = dbtRunner().invoke(["parse", *arguments])
    assert result.success, result.exception
    return json.loads((folder / "manifest.json").read_text())


@pytest.fixture(scope="session")
def models(manifest):
    return {
        name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }


def layer(name, manifest):
    kind = name.split(".")[0]
    if kind != "model":
        return kind
    return Path(manifest["nodes"][name]["path"]).parts[0]


def stage(name, manifest):
    """Return the folders of a model within intermediate."""
    return "/".join(Path(manifest["nodes"][name]["path"]).parts[1:-1])


def test_every_layer_reads_only_what_stands_before_it(manifest, models):
    offences = [
        f"{node['name']} reads {parent}"
        for name, node in models.items()
        for parent in node["depends_on"]["nodes"]
        if layer(parent, manifest) not in MAY_READ[layer(name, manifest)]
    ]
    assert not offences


def test_every_stage_reads_only_earlier_stages(manifest, models):
    offences = []
    for name, node in models.items():
        if layer(name, manifest) != "intermediate":
            continue
        for parent in node["depends_on"]["nodes"]:
            if layer(parent, manifest) == "intermediate":
                if STAGES.index(stage(parent, manifest)) > STAGES.index(stage(name, manifest)):
                    offences.append(f"{node['name']} reads {parent}")
    assert not offences


def test_every_source_is_read_by_one_model(manifest):
    readers = {
        source: [child for child in manifest["child_map"][source] if child.startswith("model.")]
        for source in manifest["sources"]
    }
    assert {source: names for source, names in readers.items() if len(names) != 1} == {}


def test_every_model_and_every_column_of_it_is_described(models):
    undescribed = [
        f"{node['name']}.{column}"
        for node in models.values()
        for column, facts in [("", node), *node["columns"].items()]
        if not facts["description"].strip()
    ]
    assert not undescribed
    assert [node["name"] for node in models.values() if not node["columns"]] == []


def test_every_seed_is_described(manifest):
    seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
    assert seeds
    assert [node["name"] for node in seeds if not node["description"]] == []


def test_every_mart_and_every_published_table_keeps_a_contract(manifest, models):
    loose = [
        node["name"]
        for name, node in models.items()
        if layer(name, manifest) in ("marts", "publication")
        and not node["config"]["contract"]["enforced"]
    ]
    assert not loose


def test_every_model_has_a_twin_that_describes_it_alone():
    for path in sorted((PROJECT / "models").rglob("*")):
        if path.suffix in (".sql", ".py"):
            twin = path.with_suffix(".yml")
            assert twin.exists(), f"{path.name} has no {twin.name}"
            described = yaml.safe_load(twin.read_text())["models"]
            assert [model["name"] for model in described] == [path.stem]


def test_every_table_has_a_test_of_its_own(manifest, models):
    tested = {
        parent
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        for parent in node["depends_on"]["nodes"]
    }
    bare = [node["name"] for name, node in models.items() if name not in tested]
    assert not bare


def test_nothing_is_published_before_the_audit_has_passed(manifest, models):
    for name, node in models.items():
        if layer(name, manifest) == "publication":
            assert "model.deepinnovation.matching_audit" in node["depends_on"]["nodes"], name


def test_python_nodes_hold_plumbing_only():
    # Twenty statements are a docstring, imports, and one call with what it needs; no computation.
    for path in sorted((PROJECT / "models").rglob("*.py")):
        tree = ast.parse(path.read_text())
        statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
        assert len(statements) <= 20, f"{path.name} holds {len(statements)} statements"


def test_a_build_scores_novelty_by_default_with_the_settings_of_the_step(models):
    node = models["model.deepinnovation.int_documents_novelty_scored"]
    assert Settings(**node["config"]["meta"]["settings"]) == Settings()


def test_steps_know_nothing_of_dbt_or_pandas_and_only_the_engine_knows_engines():
    steps = ["engine", "storage", "tables", "languages", "embedding", "keywords"]
    steps += ["exact_search", "similarity", "vocabulary", "novelty", "novelty_evaluation"]
    steps += ["baselines", "confidence", "cross_validation", "evaluation", "linking"]
    for step in steps:
        tree = ast.parse((PROJECT / "python_steps" / f"{step}.py").read_text())
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
            + [alias.name for alias in node.names]
        }
        assert imported.isdisjoint({"dbt", "pandas", "pickle"}), step
        assert step == "engine" or imported.isdisjoint({"duckdb", "pyspark"}), step
