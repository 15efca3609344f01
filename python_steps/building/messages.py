"""Shorten the messages of dbt, DuckDB and Spark to what went wrong."""

import re

from python_steps.sources.reading_errors import explain_reading


def shortened(message: str, most: int = 8) -> list[str]:
    """Return the first lines of a message: what went wrong, without what only a log needs."""
    unreadable = explain_reading(message)
    if unreadable:
        return [unreadable]
    lines = _causes(_after_traceback(message.splitlines()))
    lines = [line.strip() for line in lines if line.strip() and not re.match(NEEDLESS, line)]
    if len(lines) > 1 and re.match(r"(Runtime|Compilation|Database) Error", lines[0]):
        lines = lines[1:]
    return lines[:most] + (["…"] if len(lines) > most else [])


# Where dbt's macros were called from, and the settings that DuckDB adds to an error in a CSV file.
NEEDLESS = r" *(> (in|called by) |Possible Solution: |(?!file )\w+ = )"


# Calls that led to an error of Spark's, the query, which dbt keeps in target/, and its plan.
JAVA_CALL = (
    r"\s*(at [\w.$<>/]*(\(|\.\.\.)|\.\.\. \d+ |Driver stacktrace:|JVM stacktrace:|(\w+\.)+\w+$"
    r"|(\w+: )?An error occurred while calling )"
)
# Patterns of what only Java's readers need, and what takes its place, in the order of replacing.
WORDS_OF_JAVA = (
    (r'^(: |Exception in thread "[^"]*" )', ""),
    (r"Job aborted due to .*?failure: (Task .*? executor [^)]*\): )?", ""),
    (r"^(?:(?:\w+\.)+(\w+): )+", r"\1: "),  # packages of a class
    (r"^\w+: (?=\[[A-Z0-9_.]+\] )", ""),  # a class before the name of an error
    (r" *SQLSTATE: \w{5};?", ""),
)
QUERY_OR_PLAN = r"\s*(== SQL ==|'?[A-Z]\w+ .*\[|\+- |:- )"


def _causes(lines: list[str]) -> list[str]:
    """Return what an error of Spark's says, and its first cause; other messages as they are."""
    if not any(re.match(JAVA_CALL, line) or "SQLSTATE: " in line for line in lines):
        return lines
    lines = [line.strip() for line in lines if not re.match(JAVA_CALL, line)]
    begins = [place for place, line in enumerate(lines) if re.match(QUERY_OR_PLAN, line)]
    lines = lines[: begins[0]] if begins and begins[0] else lines
    errors = [_without_classes(line) for line in lines if not line.startswith("Caused by: ")]
    causes = [_without_classes(line[11:]) for line in lines if line.startswith("Caused by: ")]
    # Causes of causes come last; one that has no words of its own says nothing.
    cause = next((cause for cause in reversed(causes) if ": " in cause), "")
    is_known = cause.split(": ", 1)[-1] in " ".join(errors)
    return errors if is_known else [*errors, cause]


def _without_classes(line: str) -> str:
    """Return a line of an error of Spark's without the words that only Java's readers need."""
    for pattern, replacement in WORDS_OF_JAVA:
        line = re.sub(pattern, replacement, line)
    return line


def _after_traceback(lines: list[str]) -> list[str]:
    """Return the last exception of a Python model, by itself; other messages as they are."""
    begins = [place for place, line in enumerate(lines) if re.search("(^ *|: )Traceback [(]", line)]
    if not begins:
        return lines
    margin = len(lines[begins[-1]]) - len(lines[begins[-1]].lstrip())
    rest = lines[begins[-1] + 1 :]
    while rest and (not rest[0].strip() or len(rest[0]) - len(rest[0].lstrip()) > margin):
        rest = rest[1:]
    # The name of an exception without its module's.
    return [re.sub(r"^ *(\w+\.)+(?=\w+: )", "", line) for line in rest]
