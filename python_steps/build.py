"""Running the dbt project: what to run, what is finished already, and what a reader sees of it.

dbt runs in this process and orders the nodes. Added here: absolute paths, so that the command works
from every folder; a journal, so that a repeated build goes on where the last one ended; one line
per node; and messages that say what to do (failures.py). On Spark, the session too (cluster.py).
"""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from python_steps.failures import (
    WRONG_USAGE,
    BuildError,
    exit_code,
    explain_warehouse,
    explained,
    report,
)
from python_steps.journal import HOW_IT_IS_COMPUTED, Journal, fingerprint, hash_file
from python_steps.sources import ALL_SOURCES, Source, is_sample, sample, unpack
from python_steps.warehouse import Tables, name_of_address, tables_of

try:
    import fcntl
except ImportError:  # not on Windows: there only DuckDB's own lock keeps two builds apart
    fcntl = None

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import ManifestNode, UnitTestDefinition
    from dbt_common.events.base_types import EventMsg
    from google.protobuf.message import Message
    from rich.console import Console

AUDIT_MODEL = "matching_audit"
FINISHED = frozenset({"success", "pass", "warn", "no-op"})


@dataclass(frozen=True)
class Settings:
    """What a build is asked to do; every path absolute.

    The warehouse is a file for DuckDB, and for Spark a folder or an address of other storage. Only
    a build that selects nodes can be one without tests.
    """

    project: Path
    warehouse: Path | str
    publication: Path
    sources: tuple[Source, ...] = ()
    select: str | None = None
    is_full_refresh: bool = False
    target: str = "duckdb"
    variables: Mapping[str, Any] = field(default_factory=dict)
    threads: int | None = None
    is_quiet: bool = False
    with_tests: bool = True
    checkpoints: Path = field(init=False)
    novelty_states: Path = field(init=False)

    def __post_init__(self) -> None:
        """Settle where steps keep files, which all machines of a cluster must share."""
        shared = os.environ.get("DEEPINNOVATION_CHECKPOINTS")
        # A folder of the warehouse's own, since a build that ends clears it.
        self._place("checkpoints", ".checkpoints", shared)
        # Kept when a build ends: the next one learns only years that changed, and those after.
        self._place(
            "novelty_states", ".novelty", os.environ.get("DEEPINNOVATION_NOVELTY_STATES") or shared
        )

    def _place(self, name: str, ending: str, named: str | None) -> None:
        """Settle a folder of the warehouse's own, in the one that the user names, if any."""
        own = self.beside(ending)
        folder = Path(named).absolute() / own.name if named else own
        object.__setattr__(self, name, folder)

    @property
    def tables(self) -> Tables:
        """The warehouse, to look into."""
        return tables_of(self.warehouse, self.target, os.environ)

    def beside(self, ending: str) -> Path:
        """Path beside the warehouse, named after it; in the project of one on other storage."""
        if isinstance(self.warehouse, str):
            return self.project / (name_of_address(self.warehouse) + ending)
        return self.warehouse.with_name(self.warehouse.name + ending)


@dataclass
class Outcome:
    """What a build did.

    Attributes
    ----------
    exit_code
        0, or one of the codes above.
    unchanged_since
        When the finished build ended that this one found nothing to add to; None if anything ran.
    log
        dbt's full log.
    warnings
        Tests that found something and only warn, each with its message.
    """

    exit_code: int
    log: Path
    unchanged_since: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Result:
    """How one node ended."""

    node: str
    status: str
    message: str
    failures: int = 0


# ---------------------------------------------------------------- the build


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
            lost = _lost(journal, settings)
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
    keeps = journal and not settings.is_full_refresh and HOW_IT_IS_COMPUTED.isdisjoint(changed)
    begun = Journal(path, now, settings.is_full_refresh, keeps_checkpoints=bool(keeps))
    return begun, False


def _run(settings: Settings, journal: Journal, is_resumed: bool, console: "Console") -> Outcome:
    """Let dbt run what is not finished."""
    # Imported here, on the main thread: pyarrow can crash where a short-lived thread is first.
    from dbt.cli.main import dbtRunner

    from python_steps import engine  # noqa: F401

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
    from python_steps import cluster

    return cluster.start(adapter.config.credentials, log)


def _left_to_do(
    settings: Settings, journal: Journal, graph: "Graph", console: "Console"
) -> set[str]:
    """Return the nodes that the last build did not finish, or whose work is gone."""
    journal.forget(graph.with_descendants(_lost(journal, settings)))
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
    from python_steps.engine import clear_checkpoints

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


def _lost(journal: Journal, settings: Settings) -> set[str]:
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
    values = {source.variable: given.get(source.variable, "") for source in ALL_SOURCES} | {
        "DEEPINNOVATION_WAREHOUSE": str(settings.warehouse),
        "DEEPINNOVATION_PUBLICATION": str(settings.publication),
        "DEEPINNOVATION_CHECKPOINTS": str(settings.checkpoints),
        "DEEPINNOVATION_NOVELTY_STATES": str(settings.novelty_states),
    }
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


def project_variables(project: Path) -> dict[str, Any]:
    """Read the variables and their values from dbt_project.yml."""
    import yaml

    read = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    return dict(read.get("vars") or {})


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


# ---------------------------------------------------------------- the graph


def is_unit_test(unique_id: str) -> bool:
    """Whether a node is a unit test, by dbt's unique id."""
    return unique_id.startswith("unit_test.")


class Graph:
    """The nodes of a project that `dbt build` runs, and what depends on what."""

    def __init__(self, manifest: "Manifest") -> None:
        self.manifest = manifest
        kinds = ("model", "seed", "snapshot", "test")
        self.nodes = {
            node.unique_id
            for node in manifest.nodes.values()
            if node.resource_type in kinds and node.config.materialized != "ephemeral"
        } | set(manifest.unit_tests)
        self.relations = {
            node for node in self.nodes if not node.startswith(("test.", "unit_test."))
        }
        manifest.build_parent_and_child_maps()

    def __getitem__(self, unique_id: str) -> "ManifestNode | UnitTestDefinition":
        """Return dbt's node."""
        return self.manifest.nodes.get(unique_id) or self.manifest.unit_tests[unique_id]

    def selector(self, unique_id: str) -> str:
        """Return what `--select` calls exactly this node.

        The path of names alone would also take what lies below it, as a model's unit tests do.
        """
        node = self[unique_id]
        return f"fqn:{'.'.join(node.fqn)},resource_type:{node.resource_type}"

    def with_descendants(self, nodes: Iterable[str]) -> set[str]:
        """Return nodes and everything that is made from them or tests them.

        Not their unit tests, which see no data and run before their model does.
        """
        asked = set(nodes)
        waiting, found = list(asked), set()
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += self.manifest.child_map.get(node, ())
        return {node for node in found & self.nodes if node in asked or not is_unit_test(node)}

    def name(self, unique_id: str) -> str:
        """Return a node's name as a reader knows it: `marts.papers`, or a test's own."""
        node = self[unique_id]
        return f"{node.schema}.{node.name}" if unique_id in self.relations else node.name

    def is_audit(self, unique_id: str) -> bool:
        """Whether a node tests the quality of the result."""
        tested = self[unique_id].depends_on.nodes
        return unique_id.startswith("test.") and any(
            model.split(".")[-1] == AUDIT_MODEL for model in tested
        )


# ---------------------------------------------------------------- what dbt says meanwhile


class Progress:
    """Writes the journal and one line per finished node, as dbt tells of them."""

    def __init__(
        self,
        journal: Journal,
        graph: Graph,
        settings: Settings,
        console: "Console",
        todo: set[str],
    ) -> None:
        self.journal = journal
        self.graph = graph
        self.settings = settings
        self.console = console
        self.total = 0 if settings.select else len(todo & graph.relations)
        self.done = 0
        self.passed: list[float] = []  # seconds of the tests since the last line
        self.published: dict[str, list[int]] = {}
        self.results: list[Result] = []
        self.broken: OSError | None = None

    def __call__(self, event: "EventMsg") -> None:
        """Take one event of dbt's; an exception here would leave dbt waiting for ever."""
        try:
            self._take(event)
        except OSError as error:
            self.broken = self.broken or error

    def _take(self, event: "EventMsg") -> None:
        if event.info.name not in ("NodeStart", "NodeFinished"):
            return
        node = event.data.node_info.unique_id
        if node not in self.graph.nodes:  # hooks
            return
        if event.info.name == "NodeStart":
            self._start(node)
        else:
            self._finish(node, event.data.run_result)

    def _start(self, node: str) -> None:
        from python_steps.engine import clear_checkpoints

        if not self.journal.has_begun:  # only now is it sure that something is changed
            if not self.journal.keeps_checkpoints:
                clear_checkpoints(self.settings.checkpoints)
            self.journal.begin()
        # Whatever was made from this node, or tested it, is of an earlier state from now on.
        self.journal.forget(self.graph.with_descendants([node]))
        if node in self.graph.relations:
            self.published = _states(self.settings.publication)
            self._flush_tests()
            self._show_running(self.graph.name(node))

    def _finish(self, node: str, told: "Message") -> None:
        result = Result(node, told.status, told.message, told.num_failures)
        self.results.append(result)
        is_finished = result.status in FINISHED
        if is_finished and node in self.graph.relations:
            self._finish_relation(node, told)
        elif is_finished:
            name = self.graph.name(node)
            self.journal.finish(node, status=result.status, name=name, message=result.message)
            self.passed.append(told.execution_time)
        elif result.status != "skipped":
            self._flush_tests()
            self._say(f"[red]✗ {self.graph.name(node)}[/]")

    def _finish_relation(self, node: str, told: "Message") -> None:
        now = _states(self.settings.publication)
        files = {
            name: {"state": state, "sha256": hash_file(self.settings.publication / name)}
            for name, state in now.items()
            if self.published.get(name) != state
        }
        tables = self.settings.tables
        is_view = self.graph[node].config.materialized == "view"
        relation = [self.graph[node].schema, self.graph[node].alias]
        rows = None if is_view else tables.rows(*relation)
        # Without a relation the journal is trusted.
        seen = None if is_view and not tables.holds_views else relation
        self.journal.finish(node, status=told.status, relation=seen, files=files, rows=rows)
        self.done += 1
        counted = "" if rows is None else f"{rows:,} {'row' if rows == 1 else 'rows'}"
        place = f"{self.done:>3}/{self.total} " if self.total else ""
        self._say(
            f"[green]✓[/] {place}{self.graph.name(node):<52} {counted:>16} "
            f"[dim]{told.execution_time:7.1f} s[/]"
        )

    def close(self) -> None:
        """Write what is still held back."""
        self._flush_tests()
        self._clear_line()

    @property
    def failed(self) -> list[Result]:
        """Nodes that ended badly, without those that were not run because of them."""
        return [r for r in self.results if r.status not in FINISHED and r.status != "skipped"]

    def _flush_tests(self) -> None:
        if self.passed:
            count = f"{len(self.passed)} tests passed" if self.passed[1:] else "1 test passed"
            self._say(f"[dim]  {count}, {sum(self.passed):.1f} s[/]")
            self.passed = []

    def _say(self, line: str) -> None:
        if not self.settings.is_quiet:
            self._clear_line()
            self.console.print(line, highlight=False, soft_wrap=True)

    def _show_running(self, name: str) -> None:
        """Name the running node on a line that the next one replaces."""
        if self.console.is_terminal and not self.settings.is_quiet:
            self._clear_line()
            self.console.print(f"[dim]… {name}[/]", end="\r", highlight=False)

    def _clear_line(self) -> None:
        if self.console.is_terminal and not self.settings.is_quiet:
            from rich.control import Control
            from rich.segment import ControlType

            erase = (ControlType.ERASE_IN_LINE, 2)
            self.console.control(Control(ControlType.CARRIAGE_RETURN, erase))


def _states(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of each published file."""
    states = {}
    for file in sorted(folder.iterdir()):
        if file.is_file():
            facts = file.stat()
            states[file.name] = [facts.st_size, facts.st_mtime_ns]
    return states
