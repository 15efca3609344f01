"""The manifest that dbt makes of the project."""

import json
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).parents[2]


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
