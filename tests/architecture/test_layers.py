"""The layering of the project, proved on the manifest that dbt makes of it."""

import ast
from pathlib import Path

import yaml

from python_steps.building.graph import AUDIT_MODELS
from python_steps.novelty.settings import Settings

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
        own = STAGES.index(stage(name, manifest))
        for parent in node["depends_on"]["nodes"]:
            is_inside = layer(parent, manifest) == "intermediate"
            if is_inside and STAGES.index(stage(parent, manifest)) > own:
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
            audits = {f"model.deepinnovation.{each}" for each in AUDIT_MODELS}
            assert audits <= set(node["depends_on"]["nodes"]), name


def test_python_nodes_hold_plumbing_only():
    # Twenty statements are a docstring, imports, and one call with what it needs; no computation.
    for path in sorted((PROJECT / "models").rglob("*.py")):
        tree = ast.parse(path.read_text())
        statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
        assert len(statements) <= 20, f"{path.name} holds {len(statements)} statements"


def test_a_build_scores_novelty_by_default_with_the_settings_of_the_step(models):
    node = models["model.deepinnovation.int_documents_novelty_scored"]
    assert Settings(**node["config"]["meta"]["settings"]) == Settings()


# Rings of python_steps, from the inside. A package reads its own ring and those inside it.
TOP = {"__init__", "__main__", "errors", "tables", "spark_session"}
OUTER = {"warehouse", "sources", "building"}
OUTERMOST = "command_line"
KNOWN_OUTSIDE_STEPS = {"dbt", "duckdb", "pyspark", "click", "rich", "tqdm", "pandas", "pickle"}


def modules():
    """Yield each module of python_steps: its file, package and tree."""
    for path in sorted((PROJECT / "python_steps").rglob("*.py")):
        parts = path.relative_to(PROJECT / "python_steps").with_suffix("").parts
        if "spark_session" not in parts:
            yield path, parts[0], ast.parse(path.read_text())


def imports(tree):
    """Return what a module imports by full name, without what only type checkers read."""
    unread = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in unread:
            continue
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def ring(package):
    if package in TOP:
        return 0
    if package == OUTERMOST:
        return 3
    return 2 if package in OUTER else 1


def test_python_packages_read_only_their_own_ring_and_those_inside_it():
    offences = []
    for path, package, tree in modules():
        for name in imports(tree):
            parts = name.split(".")
            is_ours = parts[0] == "python_steps" and len(parts) > 1
            if is_ours and package != "__main__" and ring(parts[1]) > ring(package):
                offences.append(f"{path.relative_to(PROJECT)} imports {name}")
    assert not offences


def test_steps_know_no_dbt_no_engine_no_command_line_and_no_environment():
    offences = []
    for path, package, tree in modules():
        if ring(package) != 1:
            continue
        known = {name.split(".")[0] for name in imports(tree)} & KNOWN_OUTSIDE_STEPS
        known |= {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        }
        if package == "engine":  # the one room that meets engines, and reports on their behalf
            known -= {"duckdb", "pyspark", "environ"}
        offences += [f"{path.relative_to(PROJECT)} knows {name}" for name in sorted(known)]
    assert not offences


def test_only_the_command_line_knows_click_and_rich():
    offences = [
        f"{path.relative_to(PROJECT)} imports {name}"
        for path, package, tree in modules()
        if package != OUTERMOST
        for name in imports(tree)
        if name.split(".")[0] in ("click", "rich")
    ]
    assert not offences


def test_no_modules_import_each_other_in_a_circle():
    names = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts): imports(tree)
        for path, _, tree in modules()
    }
    reads = {
        name: {each if each in names else each.rpartition(".")[0] for each in imported} & set(names)
        for name, imported in names.items()
    }
    while reads:
        leaves = [name for name, read in reads.items() if not read & set(reads)]
        assert leaves, f"circle among {sorted(reads)}"
        for name in leaves:
            del reads[name]


def test_the_top_of_python_steps_holds_little():
    files = {path.name for path in (PROJECT / "python_steps").glob("*.py")}
    assert files == {"__init__.py", "__main__.py", "errors.py", "tables.py"}


def test_the_tests_of_python_steps_mirror_its_packages():
    packages = {path.parent for path in (PROJECT / "python_steps").rglob("*.py")}
    mirrored = {
        PROJECT / "python_steps" / path.parent.relative_to(PROJECT / "tests" / "python_steps")
        for path in (PROJECT / "tests" / "python_steps").rglob("test_*.py")
    }
    assert mirrored <= packages
