"""The nodes that a build runs, and what depends on what."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import ManifestNode


AUDIT_MODELS = ("matching_audit", "filter_audit")
DELIVERY_TEST = "nothing_is_published_of_a_delivery_with_an_error"


class Graph:
    """The nodes of a project that a build runs, and what depends on what.

    Without unit tests: they see no data, so they belong to a change of the models, not to a build.
    """

    def __init__(self, manifest: "Manifest") -> None:
        self.manifest = manifest
        kinds = ("model", "seed", "snapshot", "test")
        self.nodes = {
            node.unique_id
            for node in manifest.nodes.values()
            if node.resource_type in kinds and node.config.materialized != "ephemeral"
        }
        self.relations = {node for node in self.nodes if not node.startswith("test.")}
        manifest.build_parent_and_child_maps()

    def __getitem__(self, unique_id: str) -> "ManifestNode":
        """Return dbt's node."""
        return self.manifest.nodes[unique_id]

    def selector(self, unique_id: str) -> str:
        """Return what `--select` calls exactly this node."""
        return f"fqn:{'.'.join(self[unique_id].fqn)}"

    def with_descendants(self, nodes: Iterable[str]) -> set[str]:
        """Return nodes and everything that is made from them or tests them."""
        waiting, reached = list(nodes), set()
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting += self.manifest.child_map.get(node, ())
        return reached & self.nodes

    def name(self, unique_id: str) -> str:
        """Return a node's name as a reader knows it: `marts.papers`, or a test's own."""
        node = self[unique_id]
        return f"{node.schema}.{node.name}" if unique_id in self.relations else node.name

    def is_audit(self, unique_id: str) -> bool:
        """Whether a node tests the quality of the result."""
        tested = self[unique_id].depends_on.nodes
        return unique_id.startswith("test.") and any(
            model.split(".")[-1] in AUDIT_MODELS for model in tested
        )

    def is_of_delivery(self, unique_id: str) -> bool:
        """Whether a node tests that what was delivered can be published from."""
        return self[unique_id].name == DELIVERY_TEST
