"""Settings of the novelty score, and the version of its code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

# Part of every version: raise it with any change that changes a bit of a score.
CODE_VERSION = 1


# Communities by default: for fewer documents than the first, the second. On 62 thousand papers
# and 25 thousand patents, 16 and 32 separated the next year's documents from chance best, and 32
# and 64 gave them the highest likelihood (16 to 128 tried).
COMMUNITIES = ((50_000, 32), (250_000, 64), (float("inf"), 128))


# How much a corpus has grown when it is fitted as a whole again.
GROWTH = 2


@dataclass(frozen=True)
class Settings:
    """
    What decides the scores besides the hyperedges.

    Defaults come from keywords of 62 thousand papers and 25 thousand patents: how well next year's
    documents were separated from sets of equally popular keywords, and their likelihood.

    Attributes
    ----------
    communities
        K, the number of communities. None: by the documents fitted, see :data:`COMMUNITIES`.
    background
        eps, the share of the occurrences that are of no community (0 to 1).
    smoothing
        tau, the count by which a node is drawn to the shares of all nodes when documents are
        scored (documents).
    learning_smoothing
        alpha, the same when documents are learned (documents).
    discount
        delta, what is taken off a node's count when documents are learned that have part in it
        (documents).
    decay
        What is left of a count after a year (0 to 1).
    sweeps
        Rounds of expectation and maximisation over the documents of a year.
    burn_in_documents
        The first years, with this many documents of two nodes or more, are learned together before
        any is scored; a family of documents counts once.
    fit_sweeps
        Rounds over all documents so far when they are fitted together.
    settled_documents
        Once this many documents were fitted together, later years are only added.
    most_nodes
        Distinct nodes that count of a document, those of the lowest ids.
    seed
        Decides the random start of a fit.
    """

    communities: int | None = None
    background: float = 0.1
    smoothing: float = 2.0
    learning_smoothing: float = 3.0
    discount: float = 2.0
    decay: float = 0.9
    sweeps: int = 2
    burn_in_documents: int = 5000
    fit_sweeps: int = 25
    settled_documents: int = 250_000
    most_nodes: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        rules = {
            "communities": self.communities is None or self.communities >= 2,
            "background": 0 < self.background < 1,
            "smoothing": self.smoothing > 0,
            "learning_smoothing": self.learning_smoothing > 0,
            "discount": self.discount >= 0,
            "decay": 0 < self.decay <= 1,
            "sweeps": self.sweeps >= 1,
            "burn_in_documents": self.burn_in_documents >= 1,
            "fit_sweeps": self.fit_sweeps >= 1,
            "settled_documents": self.settled_documents >= 0,
            "most_nodes": self.most_nodes >= 2,
            "seed": self.seed >= 0,
        }
        wrong = [f"{name} = {getattr(self, name)!r}" for name, holds in rules.items() if not holds]
        if wrong:
            message = f"settings of novelty out of range: {', '.join(wrong)}"
            raise ValueError(message)

    def is_to_be_fitted(self, documents: float, fitted: float) -> bool:
        """Whether to fit all documents together, given how many the last fit had."""
        if not fitted:
            return documents >= self.burn_in_documents
        return fitted < self.settled_documents and documents >= GROWTH * fitted

    def communities_of(self, documents: float) -> int:
        """Return how many communities to fit this many documents with."""
        return self.communities or next(count for most, count in COMMUNITIES if documents < most)


def version(settings: Settings) -> str:
    """Return a name for the settings and this code: equal names and data, equal scores."""
    content = json.dumps(asdict(settings), sort_keys=True)
    digest = hashlib.blake2b(content.encode(), digest_size=4).hexdigest()
    return f"block-model-{CODE_VERSION}-{digest}"
