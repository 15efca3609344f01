"""The wheel holds the dbt project: installed from a file, the program works from any folder."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SHIPPED = ("macros", "models", "seeds", "tests/warehouse", "python_steps")
FILES = ("dbt_project.yml", "profiles.yml", "pyproject.toml", "README.md", "LICENSE")
NEEDLESS = shutil.ignore_patterns("__pycache__", ".*")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, since setuptools leaves folders where it builds."""
    copy = tmp_path_factory.mktemp("copy")
    for name in SHIPPED:
        shutil.copytree(PROJECT / name, copy / name, ignore=NEEDLESS)
    for name in FILES:
        shutil.copy(PROJECT / name, copy / name)
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--wheel-dir", str(target), str(copy)]
    subprocess.run([*command, *options], check=True)
    (file,) = target.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Return a folder to import from that holds the wheel and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed, folder, *arguments):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("DEEPINNOVATION_")
    }
    return subprocess.run(
        [sys.executable, "-P", "-m", "python_steps", *arguments],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )


def test_the_wheel_holds_every_module_and_the_whole_dbt_project(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    expected = {"python_steps/project/dbt_project.yml", "python_steps/project/profiles.yml"}
    for name in SHIPPED:
        for path in (PROJECT / name).rglob("*"):
            inside = path.relative_to(PROJECT).as_posix()
            if not path.is_file() or "__pycache__" in path.parts or path.name.startswith("."):
                continue
            if inside.startswith("python_steps/spark_session"):
                inside = inside.replace("python_steps/spark_session", "dbt/adapters/sparksession")
            elif name != "python_steps":
                inside = f"python_steps/project/{inside}"
            expected.add(inside)
    assert expected - packed == set()
    extra = {name for name in packed - expected if ".dist-info/" not in name}
    assert extra == set()


def test_an_installed_program_finds_its_project_and_the_sample(installed, tmp_path):
    shown = run(installed, tmp_path, "check")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert str(installed / "python_steps/project/seeds/sample") in "".join(shown.stdout.split())


def test_an_installed_program_builds_in_the_current_folder_and_leaves_its_own_alone(
    installed, tmp_path
):
    before = sorted(installed.rglob("*"))
    shown = run(installed, tmp_path, "build", "--select", "countries")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    made = {path.name for path in tmp_path.iterdir()}
    assert {"warehouse.duckdb", "warehouse.duckdb.dbt", "publication"} <= made
    assert not {"target", "logs"} & made
    left = [path for path in sorted(installed.rglob("*")) if "__pycache__" not in path.parts]
    assert left == [path for path in before if "__pycache__" not in path.parts]


@pytest.mark.slow
def test_an_installed_program_builds_the_sample_as_the_checkout_does(installed, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    shown = run(installed, here, "build")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    checkout = tmp_path / "checkout"
    places = ("--warehouse", str(checkout / "w.duckdb"), "--publication", str(checkout / "out"))
    assert run(PROJECT, tmp_path, "build", *places).returncode == 0
    for name in ("DeepPatentAI.csv", "DeepDiveAI.csv", "DeepCosineAI.csv"):
        ours = (here / "publication" / name).read_bytes()
        assert ours == (checkout / "out" / name).read_bytes()
        assert ours.count(b"\n") > 1
