"""The manners of the dbt project: keys, contracts, groups, names, and who reads what."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import yaml

from tests.architecture.test_layers import PROJECT, layer

# Tables that others build on, besides the marts.
HUBS = {
    "int_documents_unioned",
    "int_documents_decided",
    "int_documents_compared",
    "int_papers_matched_to_patents",
    "int_pairs_ranked",
    "int_hyperedges",
}

# Python that names private tables: it judges a file of links, or the countries of records, by the
# models that judge those of a build, so it renders their SQL over what lies beneath them.
READS_PRIVATE_TABLES = {"warehouse/known_pairs.py", "sources/plausibility.py"}


def test_every_model_has_a_key_that_is_tested(manifest, models):
    keyed = {
        test["attached_node"]
        for test in manifest["nodes"].values()
        if test.get("test_metadata", {}).get("name") in ("unique", "unique_together")
    }
    assert [node["name"] for name, node in models.items() if name not in keyed] == []


def test_tables_that_others_build_on_keep_a_contract(models):
    kept = {node["name"] for node in models.values() if node["config"]["contract"]["enforced"]}
    assert kept >= HUBS


def test_comments_on_columns_of_views_fit_into_hive(models):
    """Its metastore keeps 256 letters; for more it tries again and again, for twenty seconds."""
    too_long = [
        f"{model['name']}.{column['name']}"
        for model in models.values()
        if model["config"]["materialized"] == "view"
        for column in model["columns"].values()
        if len(column["description"]) > 255
    ]
    assert not too_long


def test_every_model_belongs_to_the_group_of_its_stage(manifest, models):
    assert [
        (node["name"], node["config"]["group"])
        for node in models.values()
        if node["config"]["group"] not in Path(node["path"]).parts
    ] == []
    assert {node["config"]["group"] for node in models.values()} == {
        group["name"] for group in manifest["groups"].values()
    }


def test_every_stage_has_a_colour_of_its_own(models):
    colours = defaultdict(set)
    for node in models.values():
        colours[node["config"]["docs"]["node_color"]].add(node["config"]["group"])
    assert None not in colours
    assert [groups for groups in colours.values() if len(groups) > 1] == []


def test_names_say_the_layer_and_whole_words(manifest, models):
    patterns = {
        "staging": r"stg_[a-z]+(_[a-z]+)*__[a-z]+(_[a-z]+)*",
        "intermediate": r"int_[a-z]+(_[a-z]+)*",
        "marts": r"(?!int_|stg_)[a-z]+(_[a-z]+)*",
        "publication": r"Deep[A-Za-z]+AI",
    }
    assert [
        node["name"]
        for name, node in models.items()
        if not re.fullmatch(patterns[layer(name, manifest)], node["name"])
    ] == []


def test_a_column_of_one_name_has_one_type_in_all_marts(manifest, models):
    types = defaultdict(set)
    for name, node in models.items():
        if layer(name, manifest) == "marts":
            for column in node["columns"].values():
                types[column["name"]].add(column["data_type"])
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_what_users_read_is_public(manifest):
    assert manifest["exposures"]
    assert [
        (exposure["name"], parent)
        for exposure in manifest["exposures"].values()
        for parent in exposure["depends_on"]["nodes"]
        if manifest["nodes"][parent]["config"]["access"] != "public"
    ] == []


def test_every_published_file_and_every_mart_of_a_command_is_an_exposure(manifest, models):
    shown = {
        parent
        for exposure in manifest["exposures"].values()
        for parent in exposure["depends_on"]["nodes"]
    }
    published = {name for name in models if layer(name, manifest) == "publication"}
    assert published <= shown


def test_python_reads_marts_and_no_private_tables():
    private = {path.stem for path in (PROJECT / "models/intermediate").rglob("*.yml")}
    package = PROJECT / "python_steps"
    readers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if private & set(re.findall(r"\w+", node.value))
    }
    assert readers == READS_PRIVATE_TABLES


def test_every_variable_has_a_rule_and_every_rule_a_variable():
    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    rules = (PROJECT / "macros/variable_rules.sql").read_text(encoding="utf-8")
    assert re.findall(r"^        '(\w+)':", rules, flags=re.MULTILINE) == list(declared)
