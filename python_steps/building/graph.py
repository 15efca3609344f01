"""The nodes that `dbt build` runs, and what depends on what."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.contracts.graph.nodes import ManifestNode, UnitTestDefinition


AUDIT_MODEL = "matching_audit"
DELIVERY_TEST = "nothing_is_published_of_a_delivery_with_an_error"


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
        waiting, reached = list(asked), set()
        while waiting:
            node = waiting.pop()
            if node not in reached:
                reached.add(node)
                waiting += self.manifest.child_map.get(node, ())
        return {node for node in reached & self.nodes if node in asked or not is_unit_test(node)}

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

    def is_of_delivery(self, unique_id: str) -> bool:
        """Whether a node tests that what was delivered can be published from."""
        return self[unique_id].name == DELIVERY_TEST
