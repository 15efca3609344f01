"""
Explain the failures of a build: what went wrong, where, and what to do.

dbt, DuckDB and Spark print a great deal when something fails, Spark hundreds of lines. A reader
needs the cause; the rest is in the log.
"""

import importlib.util
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.building.messages import shortened
from python_steps.errors import (
    BELOW_FLOOR,
    FAILED,
    STOPPED,
    UNREADABLE,
    WRONG_USAGE,
    BuildError,
    InputError,
    install_command,
)
from python_steps.sources.plausibility import ERROR
from python_steps.warehouse.opening import explain_warehouse
from python_steps.warehouse.quality import delivery_warnings

if TYPE_CHECKING:
    from python_steps.building.graph import Graph
    from python_steps.building.progress import Progress
    from python_steps.building.reporting import Reporter
    from python_steps.building.settings import Result, Settings


LOCKED = "lock on file|Another instance of Derby"

# What a message of DuckDB, Spark or Python holds, and what helps; the first that matches counts.
REMEDIES = (
    (
        "Out of Memory|failed to allocate",
        "DuckDB may use {limit} of memory. Raise it: {raised}",
    ),
    (
        # A driver that ran out of memory may have no more to say than that it is not there.
        r"OutOfMemoryError|SparkOutOfMemoryError|UNABLE_TO_ACQUIRE_MEMORY"
        r"|spark.driver.maxResultSize|dagScheduler\(\)|SparkContext was shut down"
        r"|Answer from Java side is empty|Error while sending or receiving",
        "Spark may use {limit} of memory in its driver. Raise it: {raised} On a cluster, "
        "spark.executor.memory is that of each worker.",
    ),
    (
        r"Python worker exited unexpectedly|^\s*MemoryError",
        "A Python worker ran out of memory. Run fewer at once: "
        "DEEPINNOVATION_SPARK_MASTER=local[1,4], or on a cluster fewer spark.executor.cores.",
    ),
    (
        "No space left",
        "The disk of {places} is full. Free some space.",
    ),
    (
        "FileSystem not found|No FileSystem for scheme|DATA_SOURCE_NOT_FOUND",
        "Spark has no package for this storage or format: add it to spark.jars.packages in "
        "spark-defaults.conf (for s3a:// org.apache.hadoop:hadoop-aws of Spark's own Hadoop).",
    ),
)


def report(
    progress: "Progress",
    graph: "Graph",
    settings: "Settings",
    logs: list[Path],
    reporter: "Reporter",
) -> None:
    """Say what failed, why, and where to read on."""
    skipped = sum(result.status == "skipped" for result in progress.results)
    advice = [f"{skipped} models and tests that depend on this were skipped."] if skipped else []
    names = ("Full log", "Spark's log")
    advice += [f"{name}: {log}" for name, log in zip(names, logs, strict=False)]
    if not any(_is_of_variable(result.message) for result in progress.failed):
        advice.append("Finished work is kept: the same command continues from here.")
    reporter.explain([_failure(result, graph, settings) for result in progress.failed], advice)


def _failure(result: "Result", graph: "Graph", settings: "Settings") -> tuple[str, list[str]]:
    """Return of which kind a failure is, and the lines that explain it."""
    node = graph[result.node]
    if result.status == "fail" and graph.is_of_delivery(result.node):
        errors = [
            one.message for one in delivery_warnings(settings.tables) if one.severity == ERROR
        ]
        if errors:
            return "Nothing is published", errors
    if result.status != "fail" or not result.node.startswith("test."):
        lines = [graph.name(result.node), *shortened(result.message)]
        lines += remedies(result.message, settings)
        return "Unit test failed" if result.status == "fail" else "Failed", lines
    tested = ", ".join(model.split(".")[-1] for model in node.depends_on.nodes)
    rows = "1 row breaks" if result.failures == 1 else f"{result.failures} rows break"
    claim = f" ({node.description.strip()})" if node.description else ""
    lines = [f"{node.name}{claim}: {rows} it in {tested}."]
    if node.compiled_path:
        lines.append(f"This query lists them: {settings.project / node.compiled_path}")
    return "Test failed", lines


def exit_code(failed: "list[Result]", graph: "Graph", settings: "Settings") -> int:
    """Return the exit code of a build with these failures."""
    if not failed:
        return 0
    if all(result.status == "fail" and graph.is_audit(result.node) for result in failed):
        return BELOW_FLOOR
    if all(result.status == "fail" and graph.is_of_delivery(result.node) for result in failed):
        return UNREADABLE
    if any(_is_of_variable(result.message) for result in failed):
        return WRONG_USAGE
    is_input = (_is_of_input(result.message, settings) for result in failed)
    return UNREADABLE if any(is_input) else FAILED


def explained(
    message: str, settings: "Settings", log: Path, cause: BaseException | None = None
) -> Exception:
    """Turn a message with which dbt refuses to run into one of ours."""
    if isinstance(cause, KeyboardInterrupt):
        return BuildError("Stopped. The same command continues from here.", STOPPED)
    if isinstance(cause, ModuleNotFoundError) and settings.target == "spark":
        return BuildError(explain_missing(cause.name or ""), WRONG_USAGE)
    if _is_of_variable(message):
        return BuildError(" ".join(shortened(message)), WRONG_USAGE)
    if "lock on file" in message or "not a valid DuckDB" in message:
        return BuildError(explain_warehouse(message, settings.warehouse), UNREADABLE)
    if "does not have a target named" in message:
        return BuildError(
            f"profiles.yml in {settings.project} has no target {settings.target}.", WRONG_USAGE
        )
    if _is_of_input(message, settings):
        return InputError(" ".join(shortened(message, 3)))
    lines = [*shortened(message), *remedies(message, settings), f"Full log: {log}"]
    return BuildError("\n".join(lines))


def explain_missing(module: str) -> str:
    """Say how to install what a build on Spark imports."""
    extra = "spark"
    if os.environ.get("DEEPINNOVATION_SPARK_REMOTE"):
        # Where Spark itself is installed, its client is a part of it.
        has_spark = importlib.util.find_spec("pyspark") and importlib.util.find_spec("pyspark.core")
        extra = "" if has_spark else "spark-connect"
    command = install_command(extra) if extra else "pip install 'pyspark[connect]'"
    return f"--target spark needs a package that is not installed ({module}): {command}"


def _is_of_variable(message: str) -> bool:
    """Whether a macro of the project refuses the value of a variable."""
    return bool(re.search("^ *The variable `", message, re.MULTILINE))


def _is_of_input(message: str, settings: "Settings") -> bool:
    """Whether an error message names a delivered file."""
    locations = [place for source in settings.sources for place in source.locations]
    return any(re.split("[*?[]", place)[0] in message for place in locations)


def remedies(message: str, settings: "Settings") -> list[str]:
    """Return what helps against an error that is not the project's fault, if anything does."""
    places = f"{settings.warehouse} or {settings.publication}"
    if settings.target == "spark":
        places += " or of Spark's temporary files (SPARK_LOCAL_DIRS, else /tmp)"
    facts = {
        "limit": os.environ.get("DEEPINNOVATION_MEMORY", "3GB"),
        "raised": f"DEEPINNOVATION_MEMORY=8GB deepinnovation {_command(settings)} …",
        "places": places,
    }
    for pattern, sentence in REMEDIES:
        if re.search(pattern, message, re.MULTILINE):
            return [sentence.format(**facts)]
    if re.search(LOCKED, message):
        return [explain_warehouse(message, settings.warehouse)]
    if _is_of_input(message, settings):
        return ["A delivered file cannot be read: `deepinnovation check` shows which and why."]
    return []


def _command(settings: "Settings") -> str:
    """Return the command that builds: not only `build` does, but only it takes a target."""
    is_build = settings.command == "build"
    return f"build --target {settings.target}" if is_build else settings.command
