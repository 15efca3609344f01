"""Record finished nodes in the journal and show one line for each."""

from pathlib import Path
from typing import TYPE_CHECKING

from python_steps.building.fingerprint import hash_file
from python_steps.building.graph import Graph
from python_steps.building.journal import Journal
from python_steps.building.settings import FINISHED, Result, Settings

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg
    from google.protobuf.message import Message
    from rich.console import Console


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
            self.console.file.write("\r\x1b[2K")


def _states(folder: Path) -> dict[str, list[int]]:
    """Size and time of change of each published file."""
    states = {}
    for file in sorted(folder.iterdir()):
        if file.is_file():
            facts = file.stat()
            states[file.name] = [facts.st_size, facts.st_mtime_ns]
    return states
