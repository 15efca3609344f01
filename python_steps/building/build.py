"""
Run the dbt project: which nodes to run, and which are finished already.

dbt runs in this process and orders the nodes. Added here: absolute paths, so that the command works
from every folder; a journal, so that a repeated build continues where the last one ended; one line
per node; and messages that say what to do (failures.py). On Spark, the session too (spark.py).
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from python_steps.building.failures import exit_code, explained, report
from python_steps.building.fingerprint import fingerprint, hash_file
from python_steps.building.graph import Graph
from python_steps.building.journal import CODE_PARTS, Journal
from python_steps.building.progress import Progress
from python_steps.building.settings import Outcome, Settings, project_variables
from python_steps.errors import WRONG_USAGE, BuildError
from python_steps.sources.archives import unpack
from python_steps.sources.locations import is_sample, sample
from python_steps.sources.systems import deliveries
from python_steps.warehouse.opening import explain_warehouse

if TYPE_CHECKING:
    from rich.console import Console


try:
    import fcntl
except ImportError:  # not on Windows: there only DuckDB's own lock keeps two builds apart
    fcntl = None


def build(settings: Settings, console: "Console") -> Outcome:
    """Build the warehouse and the published files, as far as they are not built yet.

    Raises
    ------
    InputError
        If a source cannot be read.
    BuildError
        If dbt cannot start. A node or test that fails is an `Outcome` instead.
    """
    settings.beside("").parent.mkdir(parents=True, exist_ok=True)
    settings.publication.mkdir(parents=True, exist_ok=True)
    with _only_build(settings) as journal_path:
        settings = _with_unpacked(settings)
        journal, is_resumed = _open_journal(journal_path, settings, console)
        log = _artifacts(settings) / "logs" / "dbt.log"
        if is_resumed and journal.is_complete and not settings.select:
            lost = lost_files(journal, settings)
            if not lost:
                return Outcome(0, log, journal.ended["ended_at"], _warnings(journal))
        with _environment(settings), contextlib.chdir(settings.project):
            return _run(settings, journal, is_resumed, console)


def _with_unpacked(settings: Settings) -> Settings:
    sources = tuple(unpack(source, settings.beside(".unpacked")) for source in settings.sources)
    return replace(settings, sources=sources)


@contextlib.contextmanager
def _only_build(settings: Settings) -> Iterator[Path]:
    """Hold the journal's lock; the system frees it however this process ends."""
    path = settings.beside(".journal.jsonl")
    try:
        opened = path.open("ab")
    except OSError as error:
        raise BuildError(
            f"{path.parent} cannot be written to ({error.strerror}). "
            "Choose another place for the warehouse with --warehouse."
        ) from error
    with opened:
        if fcntl:
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BuildError(
                    f"Another build is writing to {settings.warehouse}. "
                    "Wait for it, or build into another file with --warehouse."
                ) from error
        yield path


def _open_journal(path: Path, settings: Settings, console: "Console") -> tuple[Journal, bool]:
    """Return the journal to write to, and whether what it holds counts.

    A full refresh that was stopped goes on when asked for again; one that ended begins anew.
    """
    now = fingerprint(
        settings.project,
        settings.sources,
        project_variables(settings.project) | dict(settings.variables),
        settings.target,
        os.environ,
    ) | {"the address of the warehouse": settings.tables.address}
    journal = Journal.read(path)
    changed = [part for part in now if journal and journal.fingerprint.get(part) != now[part]]
    goes_on = not settings.is_full_refresh or (
        journal is not None and journal.is_full_refresh and journal.was_stopped
    )
    state = settings.tables.state()
    if journal and not changed and goes_on:
        # What Spark alone can list may have changed: a build that goes on trusts that it has not.
        is_unknown = journal.is_complete and any(source.elsewhere for source in settings.sources)
        if journal.is_of(state) and not is_unknown:
            return journal, True
        changed = ["the warehouse, by something else"]
        if is_unknown:
            changed = ["perhaps the files on other storage"]
    if changed and state is not None and not settings.is_quiet:
        console.print(f"Changed since the last build: {', '.join(changed)}. Building all of it.")
    keeps = journal and not settings.is_full_refresh and CODE_PARTS.isdisjoint(changed)
    begun = Journal(path, now, settings.is_full_refresh, keeps_checkpoints=bool(keeps))
    return begun, False


def _run(settings: Settings, journal: Journal, is_resumed: bool, console: "Console") -> Outcome:
    """Let dbt run what is not finished."""
    # Imported here, on the main thread: pyarrow can crash where a short-lived thread is first.
    from dbt.cli.main import dbtRunner

    pass

    artifacts = _artifacts(settings)
    log = artifacts / "logs" / "dbt.log"
    common = _dbt_options(settings, artifacts)
    parsed = dbtRunner().invoke(["parse", *common])
    if not parsed.success:
        raise explained(str(parsed.exception), settings, log, parsed.exception)
    spark_log = _start_spark(artifacts / "logs" / "spark.log")
    graph = Graph(parsed.result)
    todo = _left_to_do(settings, journal, graph, console) if is_resumed else graph.nodes
    progress = Progress(journal, graph, settings, console, todo)
    if todo:
        arguments = _selection(settings, graph, todo)
        if journal.is_full_refresh:
            arguments += ["--full-refresh"]
        runner = dbtRunner(manifest=parsed.result, callbacks=[progress])
        result = runner.invoke(["build", *common, *arguments])
        progress.close()
        if result.exception:
            raise explained(str(result.exception), settings, log, result.exception)
        if progress.broken:
            raise BuildError(
                f"The journal {journal.path} cannot be written: {progress.broken}. What was built "
                "is there, but may be built again next time."
            ) from progress.broken
        if settings.select and not progress.results:
            raise BuildError(
                f"No model or test matches --select '{settings.select}'. `dbt ls` lists them all.",
                WRONG_USAGE,
            )
        if not result.success and not progress.failed:
            raise BuildError(f"dbt reports a failure that belongs to no node. Its log: {log}")
    if journal.has_begun:
        _end(settings, journal, graph, has_failed=bool(progress.failed))
    if progress.failed:
        report(progress, graph, settings, [log, spark_log] if spark_log else [log], console)
    code = exit_code(progress.failed, graph, settings)
    return Outcome(code, log, warnings=_warnings(journal))


def _start_spark(log: Path) -> Path | None:
    """Start or reach Spark where the target is this project's own; return its log, if it has one.

    Before the first node: whatever hinders Spark is told in a sentence, once. Another adapter, as
    that of Databricks, connects by itself.
    """
    from dbt.adapters.factory import FACTORY

    adapter = FACTORY.adapters.get("sparksession")
    if adapter is None:
        return None
    from python_steps.building import spark

    return spark.start(adapter.config.credentials, log)


def _left_to_do(
    settings: Settings, journal: Journal, graph: "Graph", console: "Console"
) -> set[str]:
    """Return the nodes that the last build did not finish, or whose work is gone."""
    journal.forget(graph.with_descendants(lost_files(journal, settings)))
    if settings.select:
        return graph.nodes
    todo = graph.with_descendants(graph.nodes - set(journal.finished))
    if not settings.is_quiet:
        console.print(
            f"Going on with the last build: {len(graph.nodes) - len(todo)} of {len(graph.nodes)} "
            "models and tests are finished."
        )
    return todo


def _end(settings: Settings, journal: Journal, graph: "Graph", *, has_failed: bool) -> None:
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
        there = settings.tables.relations()
    except duckdb.Error as error:
        raise BuildError(explain_warehouse(str(error), settings.warehouse)) from error
    lost = set()
    for node, line in journal.finished.items():
        relation = line.get("relation")
        is_gone = relation and there is not None and tuple(map(str.lower, relation)) not in there
        if is_gone or not all(
            _is_as_published(settings.publication / name, facts)
            for name, facts in line.get("files", {}).items()
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
    values = (
        unset
        | given
        | {
            "DEEPINNOVATION_WAREHOUSE": str(settings.warehouse),
            "DEEPINNOVATION_PUBLICATION": str(settings.publication),
            "DEEPINNOVATION_CHECKPOINTS": str(settings.checkpoints),
            "DEEPINNOVATION_NOVELTY_STATES": str(settings.novelty_states),
        }
    )
    if sys.stderr.isatty() and not settings.is_quiet:
        values["DEEPINNOVATION_PROGRESS"] = os.environ.get("DEEPINNOVATION_PROGRESS", "1")
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


def _artifacts(settings: Settings) -> Path:
    """Folder for dbt's target/ and logs/: the project's, or beside the warehouse."""
    if os.access(settings.project, os.W_OK):
        return settings.project
    return settings.beside(".dbt")


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


def _selection(settings: Settings, graph: "Graph", todo: set[str]) -> list[str]:
    """Return dbt's options for the nodes to run."""
    if settings.select:
        # A test that also reads what was not selected might find no table there.
        tests = "cautious" if settings.with_tests else "empty"
        return ["--indirect-selection", tests, "--select", *settings.select.split()]
    if todo == graph.nodes or not todo:
        return []
    # A model's tests are named one by one: dbt would add all of them.
    return ["--indirect-selection", "empty", "--select", *sorted(map(graph.selector, todo))]
