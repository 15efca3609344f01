"""Record finished nodes in the journal and report each."""

from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.building.fingerprint import hash_file
from python_steps.building.graph import Graph
from python_steps.building.journal import Journal
from python_steps.building.reporting import Reporter
from python_steps.building.settings import FINISHED, Result, Settings

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg
    from google.protobuf.message import Message


class Progress:
    """Takes dbt's events, writes the journal and reports each finished node."""

    def __init__(
        self,
        journal: Journal,
        graph: Graph,
        settings: Settings,
        reporter: Reporter,
        todo: set[str],
    ) -> None:
        self.journal = journal
        self.graph = graph
        self.settings = settings
        self.reporter = reporter
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
        from python_steps.engine.checkpoints import clear_checkpoints

        if not self.journal.has_begun:  # only now is it sure that something is changed
            if not self.journal.keeps_checkpoints:
                clear_checkpoints(self.settings.checkpoints)
            self.journal.begin()
        # Whatever was made from this node, or tested it, is of an earlier state from now on.
        self.journal.forget(self.graph.with_descendants([node]))
        if node in self.graph.relations:
            self.published = _states(self.settings.publication)
            self._flush_tests()
            self.reporter.running(self.graph.name(node))

    def _finish(self, node: str, run: "Message") -> None:
        result = Result(node, run.status, run.message, run.num_failures)
        self.results.append(result)
        is_finished = result.status in FINISHED
        if is_finished and node in self.graph.relations:
            self._finish_relation(node, run)
        elif is_finished:
            name = self.graph.name(node)
            self.journal.finish(node, status=result.status, name=name, message=result.message)
            self.passed.append(run.execution_time)
        elif result.status != "skipped":
            self._flush_tests()
            self.reporter.failed(self.graph.name(node))

    def _finish_relation(self, node: str, run: "Message") -> None:
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
        visible = None if is_view and not tables.holds_views else relation
        self.journal.finish(node, status=run.status, relation=visible, files=files, rows=rows)
        self.done += 1
        place = f"{self.done}/{self.total}" if self.total else ""
        self.reporter.finished(self.graph.name(node), place, rows, run.execution_time)

    def close(self) -> None:
        """Report what is still held back."""
        self._flush_tests()
        self.reporter.close()

    @property
    def failed(self) -> list[Result]:
        """Nodes that ended badly, without those that were not run because of them."""
        return [r for r in self.results if r.status not in FINISHED and r.status != "skipped"]

    def _flush_tests(self) -> None:
        if self.passed:
            self.reporter.tests_passed(len(self.passed), sum(self.passed))
            self.passed = []


def _states(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of each published file."""
    states = {}
    for file in sorted(folder.iterdir()):
        if file.is_file():
            facts = file.stat()
            states[file.name] = [facts.st_size, facts.st_mtime_ns]
    return states
