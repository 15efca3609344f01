"""
Run the dbt project: which nodes to run, and which are finished already.

dbt runs in this process and orders the nodes. Added here: absolute paths, so that the command works
from every folder; a journal, so that a repeated build continues where the last one ended; one line
per node; and messages that say what to do (failures.py). On Spark, the session too (spark.py).
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from python_steps.building.failures import exit_code, explained, report
from python_steps.building.fingerprint import fingerprint, hash_file
from python_steps.building.graph import Graph
from python_steps.building.journal import Journal, Resume, decide
from python_steps.building.progress import Progress
from python_steps.building.reporting import FailuresOnly, Reporter
from python_steps.building.settings import Outcome, Settings, project_variables
from python_steps.engine.files import LockedError, locked
from python_steps.errors import UNREADABLE, WRONG_USAGE, BuildError, InputError
from python_steps.sources.archives import unpack
from python_steps.sources.examination import examine
from python_steps.sources.locations import is_sample, list_files, sample
from python_steps.sources.systems import deliveries
from python_steps.warehouse.opening import explain_warehouse


def build(settings: Settings, reporter: Reporter) -> Outcome:
    """Build the warehouse and the published files, as far as they are not built yet.

    Raises
    ------
    InputError
        If a source cannot be read.
    BuildError
        If dbt cannot start. A node or test that fails is an `Outcome` instead.
    """
    reporter = FailuresOnly(reporter) if settings.is_quiet else reporter
    settings.beside("").parent.mkdir(parents=True, exist_ok=True)
    settings.publication.mkdir(parents=True, exist_ok=True)
    with _only_build(settings) as journal_path:
        settings = _with_unpacked(settings)
        journal = _open_journal(journal_path, settings, reporter)
        log = settings.artifacts / "logs" / "dbt.log"
        if journal.has_begun and journal.is_complete and not settings.select:
            lost = lost_files(journal, settings)
            if not lost:
                return Outcome(0, log, journal.ended["ended_at"], _warnings(journal))
        notes = _examined(settings)
        for note in notes:
            reporter.say(f"Note: {note}")
        with _environment(settings), contextlib.chdir(settings.project):
            outcome = _run(settings, journal, reporter)
        return replace(outcome, warnings=(*notes, *outcome.warnings))


MOST_PROBLEMS = 5


def _examined(settings: Settings) -> list[str]:
    """Look at the delivered files before hours are spent on them, and return what is to be told."""
    problems, notes = [], []
    for source in settings.sources:
        if source.here.locations:
            found = examine(source, list_files(source))
            problems += found.problems
            notes += found.notes
    if problems:
        more = len(problems) - MOST_PROBLEMS
        lines = problems[:MOST_PROBLEMS] + ([f"And {more} more."] if more > 0 else [])
        raise InputError("\n".join(lines))
    return notes


def _with_unpacked(settings: Settings) -> Settings:
    sources = tuple(unpack(source, settings.beside(".unpacked")) for source in settings.sources)
    return replace(settings, sources=sources)


@contextlib.contextmanager
def _only_build(settings: Settings) -> Iterator[Path]:
    """Keep other builds away from the warehouse, and yield the path of its journal."""
    path = settings.beside(".journal.jsonl")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locked(path))
            path.touch()
        except LockedError as error:
            raise BuildError(
                f"Another build is writing to {settings.warehouse}. "
                "Wait for it, or build into another file with --warehouse."
            ) from error
        except OSError as error:
            raise BuildError(
                f"Cannot write to {path.parent} ({error.strerror}). "
                "Name another place for the warehouse with --warehouse."
            ) from error
        yield path


def _open_journal(path: Path, settings: Settings, reporter: Reporter) -> Journal:
    """Return the last build's journal where this build goes on with it, else one to begin."""
    variables = project_variables(settings.project) | dict(settings.variables)
    now = fingerprint(
        settings.project, settings.sources, variables, settings.target, os.environ
    ) | {"the address of the warehouse": settings.tables.address}
    last = Journal.read(path)
    state = settings.tables.state()
    decision = decide(
        last,
        now,
        state,
        is_full_refresh=settings.is_full_refresh,
        has_unlisted_files=any(source.elsewhere for source in settings.sources),
    )
    if isinstance(decision, Resume):
        return decision.journal
    if decision.changed and state is not None:
        changed = ", ".join(decision.changed)
        reporter.say(f"Changed since the last build: {changed}. Rebuilding everything.")
    return Journal(
        path, now, settings.is_full_refresh, keeps_checkpoints=decision.keeps_checkpoints
    )


def _run(settings: Settings, journal: Journal, reporter: Reporter) -> Outcome:
    """Let dbt run what is not finished."""
    # Imported here, on the main thread: pyarrow can crash where a short-lived thread is first.
    from dbt.cli.main import dbtRunner

    artifacts = settings.artifacts
    log = artifacts / "logs" / "dbt.log"
    common = _dbt_options(settings, artifacts)
    parsed = dbtRunner().invoke(["parse", *common])
    if not parsed.success:
        raise explained(str(parsed.exception), settings, log, parsed.exception)
    spark_log = _start_spark(artifacts / "logs" / "spark.log")
    graph = Graph(parsed.result)
    todo = _left_to_do(settings, journal, graph, reporter)
    progress = Progress(journal, graph, settings, reporter, todo)
    if todo:
        arguments = [*_left_out(), *_selection(settings, graph, todo)]
        if journal.is_full_refresh:
            arguments += ["--full-refresh"]
        runner = dbtRunner(manifest=parsed.result, callbacks=[progress])
        result = runner.invoke(["build", *common, *arguments])
        progress.close()
        if result.exception:
            raise explained(str(result.exception), settings, log, result.exception)
        if progress.broken:
            raise BuildError(
                f"The journal {journal.path} cannot be written: {progress.broken}. The result "
                "is complete, but the next build may repeat it."
            ) from progress.broken
        if settings.select and not progress.results:
            raise BuildError(
                f"No model or test matches --select '{settings.select}'. `dbt ls` lists them all.",
                WRONG_USAGE,
            )
        if not result.success and not progress.failed:
            raise BuildError(f"dbt reports a failure outside of any node. Full log: {log}")
    if journal.has_begun:
        _end(settings, journal, graph, has_failed=bool(progress.failed))
    if progress.failed:
        report(progress, graph, settings, [log, spark_log] if spark_log else [log], reporter)
    code = exit_code(progress.failed, graph, settings)
    return Outcome(code, log, warnings=_warnings(journal))


def _start_spark(log: Path) -> Path | None:
    """Start or reach Spark where the target is this project's own; return its log, if it has one.

    Before the first node, so that whatever stops Spark is explained once. Another adapter, such as
    that of Databricks, connects by itself.
    """
    from dbt.adapters.factory import FACTORY

    adapter = FACTORY.adapters.get("sparksession")
    if adapter is None:
        return None
    from python_steps.building import spark

    return spark.start(adapter.config.credentials, log)


def _left_to_do(settings: Settings, journal: Journal, graph: Graph, reporter: Reporter) -> set[str]:
    """Return the nodes that the journal's build did not finish, or whose work is gone."""
    if not journal.has_begun:
        return graph.nodes
    journal.forget(graph.with_descendants(lost_files(journal, settings)))
    if settings.select:
        return graph.nodes
    todo = graph.with_descendants(graph.nodes - set(journal.finished))
    reporter.say(
        f"Continuing the last build: {len(graph.nodes) - len(todo)} of {len(graph.nodes)} "
        "models and tests are finished."
    )
    return todo


def _end(settings: Settings, journal: Journal, graph: Graph, *, has_failed: bool) -> None:
    """Close the journal; of a complete build nothing half finished is kept."""
    from python_steps.engine.checkpoints import clear_checkpoints

    is_complete = graph.nodes <= set(journal.finished)
    journal.end(is_complete, has_failed, settings.tables.state())
    if is_complete:
        clear_checkpoints(settings.checkpoints)
        for leftover in settings.publication.glob("tmp_*"):  # of a COPY that was killed
            if leftover.with_name(leftover.name.removeprefix("tmp_")).exists():
                leftover.unlink()


def _warnings(journal: Journal) -> tuple[str, ...]:
    lines = [line for line in journal.finished.values() if line["status"] == "warn"]
    return tuple(sorted(f"{line['name']}: {line['message']}" for line in lines))


def lost_files(journal: Journal, settings: Settings) -> set[str]:
    """Finished nodes whose relation or published file is not there any more."""
    import duckdb

    try:
        relations = settings.tables.relations()
    except duckdb.Error as error:
        raise BuildError(explain_warehouse(str(error), settings.warehouse), UNREADABLE) from error
    lost = set()
    for node, line in journal.finished.items():
        relation = line.get("relation")
        name = tuple(map(str.lower, relation or ()))
        is_gone = name and relations is not None and name not in relations
        if is_gone or not all(
            _is_as_published(settings.publication / file, facts)
            for file, facts in line.get("files", {}).items()
        ):
            lost.add(node)
    return lost


def _is_as_published(file: Path, facts: dict[str, Any]) -> bool:
    """Whether a published file is the one that was written; read in full only if it was touched."""
    if not file.exists():
        return False
    now = file.stat()
    if [now.st_size, now.st_mtime_ns] == facts["state"]:
        return True
    return now.st_size == facts["state"][0] and hash_file(file) == facts["sha256"]


@contextlib.contextmanager
def _environment(settings: Settings) -> Iterator[None]:
    """Tell dbt and the Python steps where things are, for as long as the build runs."""
    # dbt reads the sample when no documents are configured, labels and links or not; those of the
    # user's own go with the sample's documents only if these are named.
    sources = settings.sources
    if is_sample(sources) and sources:
        named = {source.entity for source in sources}
        bundled = (s for s in sample(settings.project) if s.entity not in named)
        sources = (*bundled, *sources)
    given = {source.variable: os.pathsep.join(source.locations) for source in sources}
    unset = {delivery.variable: "" for delivery in deliveries(settings.project).values()}
    places = {
        "DEEPINNOVATION_WAREHOUSE": str(settings.warehouse),
        "DEEPINNOVATION_PUBLICATION": str(settings.publication),
        "DEEPINNOVATION_CHECKPOINTS": str(settings.checkpoints),
        "DEEPINNOVATION_NOVELTY_STATES": str(settings.novelty_states),
    }
    values = unset | given | places
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _dbt_options(settings: Settings, artifacts: Path) -> list[str]:
    import yaml

    options = [
        *("--project-dir", str(settings.project), "--profiles-dir", str(settings.project)),
        *("--target-path", str(artifacts / "target"), "--log-path", str(artifacts / "logs")),
        *("--log-level", "none", "--log-level-file", "debug", "--no-use-colors"),
        *("--target", settings.target),
    ]
    if settings.variables:
        options += ["--vars", yaml.safe_dump(dict(settings.variables))]
    if settings.threads:
        options += ["--threads", str(settings.threads)]
    return options


def _left_out() -> Iterator[str]:
    """Yield dbt's options for kinds of nodes to leave out: unit tests, and what is set."""
    told = os.environ.get("DBT_EXCLUDE_RESOURCE_TYPES", "").split()
    for kind in sorted({"unit_test", *told}):
        yield from ("--exclude-resource-type", kind)


def _selection(settings: Settings, graph: Graph, todo: set[str]) -> list[str]:
    """Return dbt's options for the nodes to run."""
    if settings.select:
        # A test that also reads what was not selected might find no table there.
        tests = "cautious" if settings.with_tests else "empty"
        return ["--indirect-selection", tests, "--select", *settings.select.split()]
    if todo == graph.nodes or not todo:
        return []
    # A model's tests are named one by one: dbt would add all of them.
    return ["--indirect-selection", "empty", "--select", *sorted(map(graph.selector, todo))]
