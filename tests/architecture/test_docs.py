"""What the pages for readers promise: links that lead somewhere, and commands that exist."""

import functools
import importlib
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *PROJECT.glob("*.md"),
        *PROJECT.glob("docs/**/*.md"),
        *PROJECT.glob("models/*.md"),
        PROJECT / "seeds/sample/README.md",
    ]
)
BY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PROGRAM = "deepinnovation"


# ---------------------------------------------------------------- reading pages


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_lines(page: Path) -> list[str]:
    """Lines of shell in a page, each command on one."""
    blocks = [code for language, code in FENCE.findall(page.read_text("utf-8")) if language == "sh"]
    return "".join(blocks).replace("\\\n", " ").splitlines()


def words_of(line: str) -> list[str]:
    """Words of a command after the program's name; none if the line runs something else."""
    words = shlex.split(line, comments=True)
    while words and re.match(r"\w+=", words[0]):  # settings before the program
        words = words[1:]
    return words[1:] if words and Path(words[0]).name == PROGRAM else []


def full_commands(page: Path) -> list[list[str]]:
    return [words for line in code_lines(page) if (words := words_of(line))]


def quoted_commands(page: Path) -> list[list[str]]:
    spans = re.findall(r"`([^`]+)`", prose(page))
    return [words for span in spans if (words := words_of(" ".join(span.split())))]


# ---------------------------------------------------------------- links


@BY_PAGE
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page):
    dead = []
    for target in LINK.findall(prose(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert not dead


def test_the_index_leads_to_every_page():
    index = PROJECT / "docs/README.md"
    linked = {(index.parent / target).resolve() for target in LINK.findall(prose(index))}
    pages = {page.resolve() for page in PROJECT.glob("docs/*/*.md")}
    assert pages
    assert not pages - linked


def test_every_page_that_the_project_names_exists():
    places = ["models", "seeds", "python_steps"]
    command = ["git", "grep", "-hoE", r"docs/[a-z_/]+\.md", "--", *places]
    listed = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if listed.returncode > 1:
        pytest.skip("The project is not a git checkout.")
    named = set(listed.stdout.split())
    assert named
    assert not {name for name in named if not (PROJECT / name).exists()}


def test_the_overview_names_every_mart():
    marts = {model.stem for model in PROJECT.glob("models/marts/*.sql")}
    named = set(re.findall(r"`(\w+)`", (PROJECT / "models/overview.md").read_text("utf-8")))
    assert marts
    assert not marts - named


def test_every_block_of_the_columns_is_quoted_and_every_quoted_one_exists():
    blocks = re.findall(r"{% docs (\w+) %}", (PROJECT / "models/columns.md").read_text("utf-8"))
    quoted = {
        name
        for path in [*PROJECT.glob("models/**/*.yml"), *PROJECT.glob("seeds/**/*.yml")]
        for name in re.findall(r"doc\('(\w+)'\)", path.read_text("utf-8"))
    }
    assert set(blocks) == quoted
    assert blocks
    assert len(blocks) == len(set(blocks))


@BY_PAGE
def test_every_test_that_a_page_names_exists(page):
    named = re.findall(r"\btests/[\w/]+\.py\b", page.read_text("utf-8"))
    assert not [name for name in named if not (PROJECT / name).exists()]


# ---------------------------------------------------------------- commands


@functools.cache
def program() -> click.Group:
    scripts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["scripts"]
    module, name = scripts[PROGRAM].split(":")
    return getattr(importlib.import_module(module), name)


def misuse(words: list[str], *, is_whole: bool) -> str | None:
    """Say what is wrong with a command, if anything; a part of one may lack what it needs."""
    command, words = program(), list(words)
    context = click.Context(command, info_name=PROGRAM)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        if found is None:
            return f"no command {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    try:
        given, left, _ = command.make_parser(context).parse_args(words)
        if left and not isinstance(command, click.Group):
            return f"left over: {left}"
        for parameter in command.get_params(context):
            value = given.get(parameter.name)
            if not isinstance(value, (str, bool, int, list)):  # click marks what is not given
                if parameter.required and is_whole:
                    return f"{parameter.name} is missing"
            elif isinstance(parameter.type, click.Choice):
                for each in value if parameter.multiple else [value]:
                    parameter.type.convert(each, parameter, context)
    except click.UsageError as error:
        return error.format_message()
    return None


@BY_PAGE
def test_every_command_that_a_page_shows_is_one_with_its_options(page):
    said = {
        " ".join(words): misuse(words, is_whole=is_whole)
        for is_whole, commands in ((True, full_commands(page)), (False, quoted_commands(page)))
        for words in commands
    }
    assert not {words: why for words, why in said.items() if why}


def test_pages_show_every_command():
    shown = {words[0] for page in PAGES for words in full_commands(page) + quoted_commands(page)}
    assert shown >= set(program().commands)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("deepinnovation biuld", "no command biuld"),
        ("deepinnovation build --warehous w.duckdb --ful", "No such option"),
        ("deepinnovation train --layer outer --output mine", "document_type is missing"),
        ("deepinnovation build --target sprak", "'sprak' is not one of"),
        ("deepinnovation check here", "left over: ['here']"),
    ],
)
def test_a_command_that_is_wrong_is_noticed(line, why):
    assert why in misuse(words_of(line), is_whole=True)
